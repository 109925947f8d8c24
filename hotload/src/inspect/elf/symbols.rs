//! The dynamic symbols, with the hash tables used to find them and the versions they require.

use object::elf::{self, GnuHashHeader, SectionHeader64};
use object::read::elf::{GnuHashTable, HashTable, SectionHeader, VersionTable};
use object::{NativeEndian as NE, ReadRef, SymbolIndex, U32, U64};

use super::{Fault, Header, Image, Symbol};

const HASH_TABLE: &str = "hash table of the symbols";
const OLD_HASH_TABLE: &str = "old hash table of the symbols";
const NEEDED_VERSIONS: &str = "needed versions";
const VERSIONS: &str = "versions of the symbols";
/// More than any library has: the hash table does not record its own size.
const MAX_HASH_TABLE_BYTES: u64 = 64 << 20;

/// True if other files can bind to this symbol.
pub(in super::super) fn is_offered(symbol: &Symbol) -> bool {
    let hidden = [elf::STV_HIDDEN, elf::STV_INTERNAL];
    symbol.st_shndx.get(NE) != elf::SHN_UNDEF
        && symbol.st_bind() != elf::STB_LOCAL
        && !hidden.contains(&symbol.st_visibility())
}

/// True if loading fails when no library defines this symbol. The first symbol of each file is
/// none.
pub(in super::super) fn is_required(symbol: &Symbol) -> bool {
    symbol.st_shndx.get(NE) == elf::SHN_UNDEF
        && ![elf::STB_LOCAL, elf::STB_WEAK].contains(&symbol.st_bind())
}

impl<'a, R: ReadRef<'a>> Image<'a, R> {
    /// The dynamic symbols. Their number is only known from the hash tables.
    pub fn symbols(&self) -> Result<&'a [Symbol], Fault> {
        let count = match (self.tag(elf::DT_GNU_HASH), self.tag(elf::DT_HASH)) {
            (Some(table), _) => self.count_by_gnu_hash(table)?,
            (None, Some(table)) => self.old_hash_table(table)?.symbol_table_length(),
            (None, None) => return Err(Fault::new(HASH_TABLE, "one", "none")),
        };
        let address = self.value(elf::DT_SYMTAB, "symbol table")?;
        self.table(address, u64::from(count) * size_of::<Symbol>() as u64, "symbol table")
    }

    fn count_by_gnu_hash(&self, address: u64) -> Result<u32, Fault> {
        let header = self.table::<GnuHashHeader<NE>>(address, 16, HASH_TABLE)?;
        let [header] = header else { return Err(Fault::outside(HASH_TABLE, address, 16)) };
        let (buckets, bloom) = (header.bucket_count.get(NE), header.bloom_count.get(NE));
        // The loader divides by the first, and uses the second less 1 as a mask.
        if buckets == 0 || !bloom.is_power_of_two() {
            let found = format!("{buckets} buckets, filter of {bloom} words");
            return Err(Fault::new(HASH_TABLE, "buckets, and a filter of 2^n words", found));
        }
        let words = u64::from(bloom) * size_of::<U64<NE>>() as u64;
        let buckets = u64::from(buckets) * size_of::<U32<NE>>() as u64;
        let buckets = self.table::<U32<NE>>(address + 16 + words, buckets, HASH_TABLE)?;

        let data = self.bytes_from(address, MAX_HASH_TABLE_BYTES, HASH_TABLE)?;
        let table = GnuHashTable::<Header>::parse(NE, data)
            .map_err(|error| Fault::new(HASH_TABLE, "inside of a loaded segment", error))?;
        let base = table.symbol_base();
        if let Some(bucket) = buckets.iter().find(|it| it.get(NE) != 0 && it.get(NE) < base) {
            return Err(Fault::new(HASH_TABLE, format!("symbols from {base} on"), bucket.get(NE)));
        }
        if buckets.iter().all(|bucket| bucket.get(NE) == 0) {
            return Ok(base);
        }
        table
            .symbol_table_length(NE)
            .ok_or_else(|| Fault::new(HASH_TABLE, "an end of the last chain", "none"))
    }

    fn old_hash_table(&self, address: u64) -> Result<HashTable<'a, Header>, Fault> {
        let header = self.table::<U32<NE>>(address, 8, OLD_HASH_TABLE)?;
        if header.first().is_some_and(|buckets| buckets.get(NE) == 0) {
            return Err(Fault::new(OLD_HASH_TABLE, "buckets", "none"));
        }
        let size = header.iter().map(|count| u64::from(count.get(NE)) * 4).sum::<u64>() + 8;
        let data = self.bytes(address, size, OLD_HASH_TABLE)?;
        HashTable::parse(NE, data)
            .map_err(|error| Fault::new(OLD_HASH_TABLE, "inside of a loaded segment", error))
    }

    /// The name of a symbol of this file.
    pub fn name_of(&self, symbol: &Symbol) -> Result<&'a [u8], Fault> {
        self.string(symbol.st_name.get(NE).into(), "symbol")
    }

    pub(super) fn check_symbols(&self, symbols: &[Symbol]) -> Result<(), Fault> {
        symbols.iter().skip(1).try_for_each(|symbol| self.check_symbol(symbol))?;
        if self.tag(elf::DT_GNU_HASH).is_none() {
            return Err(Fault::new(HASH_TABLE, "the GNU kind", "the old one"));
        }
        if let Some(table) = self.tag(elf::DT_HASH) {
            let found = self.old_hash_table(table)?.symbol_table_length();
            if found as usize != symbols.len() {
                let expected = format!("{} symbols", symbols.len());
                return Err(Fault::new(OLD_HASH_TABLE, expected, found));
            }
        }
        self.check_versions(symbols.len())
    }

    fn check_symbol(&self, symbol: &Symbol) -> Result<(), Fault> {
        let fault = |expected: &str, found: String| {
            let name = self.name_of(symbol).unwrap_or_default();
            let name = String::from_utf8_lossy(name);
            Fault::new(format!("symbol `{:#}`", rustc_demangle::demangle(&name)), expected, found)
        };
        let (section, address) = (symbol.st_shndx.get(NE), symbol.st_value.get(NE));
        if section == elf::SHN_UNDEF {
            // The loader would resolve it to the start of the library.
            return match symbol.st_bind() {
                elf::STB_GLOBAL | elf::STB_WEAK if symbol.st_visibility() == elf::STV_DEFAULT => {
                    Ok(())
                }
                _ => Err(fault("one to look for in other libraries", "one of its own".into())),
            };
        }
        if symbol.st_type() == elf::STT_GNU_IFUNC {
            return Err(fault("an address", "a function to call while loading".into()));
        }
        let is_address = section != elf::SHN_ABS && symbol.st_type() != elf::STT_TLS;
        if is_address && !self.segments.iter().any(|segment| segment.holds(address, 0)) {
            return Err(fault("inside of a loaded segment", format!("address {address:#x}")));
        }
        Ok(())
    }

    /// Names of the libraries whose symbol versions it requires. The loader expects them to be
    /// present.
    pub fn versioned(&self) -> Result<Vec<&'a str>, Fault> {
        let Some(section) = self.needed_versions()? else { return Ok(Vec::new()) };
        let fault = |error| Fault::new(NEEDED_VERSIONS, "inside of a loaded segment", error);
        let Some((entries, _)) = section.gnu_verneed(NE, self.data).map_err(fault)? else {
            return Ok(Vec::new());
        };
        let name = |entry: object::read::Result<(&elf::Verneed<NE>, _)>| {
            let name = entry.and_then(|(entry, _)| entry.file(NE, self.strings()));
            std::str::from_utf8(name.map_err(fault)?)
                .map_err(|_| Fault::new(NEEDED_VERSIONS, "names in UTF-8", "another text"))
        };
        entries.map(name).collect()
    }

    /// The needed versions as a section, which is how `object` reads them: from their address to the
    /// end of the segment.
    fn needed_versions(&self) -> Result<Option<SectionHeader64<NE>>, Fault> {
        let Some(address) = self.tag(elf::DT_VERNEED) else { return Ok(None) };
        let size = self.bytes_from(address, 1 << 20, NEEDED_VERSIONS)?.len() as u64;
        let offset = self.offset_of(address).unwrap_or_default();
        Ok(Some(SectionHeader64 {
            sh_name: U32::new(NE, 0),
            sh_type: U32::new(NE, elf::SHT_GNU_VERNEED),
            sh_flags: U64::new(NE, elf::SectionFlags(0)),
            sh_addr: U64::new(NE, address),
            sh_offset: U64::new(NE, offset),
            sh_size: U64::new(NE, size),
            sh_link: U32::new(NE, 0),
            sh_info: U32::new(NE, 0),
            sh_addralign: U64::new(NE, 0),
            sh_entsize: U64::new(NE, 0),
        }))
    }

    /// Checks that each symbol has the number of a version that the file requires, or none.
    fn check_versions(&self, symbols: usize) -> Result<(), Fault> {
        let section = self.needed_versions()?;
        let Some(address) = self.tag(elf::DT_VERSYM) else {
            return match section {
                Some(_) => Err(Fault::new(VERSIONS, "a table", "none")),
                None => Ok(()),
            };
        };
        let fault = |error| Fault::new(VERSIONS, "those that it asks for", error);
        let numbers = self.table(address, symbols as u64 * 2, VERSIONS)?;
        let needed = section.map(|section| section.gnu_verneed(NE, self.data)).transpose();
        let needed = needed.map_err(fault)?.flatten().map(|(entries, _)| entries);
        let versions = VersionTable::<Header>::parse(NE, numbers, None, needed, self.strings())
            .map_err(fault)?;
        for index in (0..symbols).map(SymbolIndex) {
            versions.version(versions.version_index(NE, index).index()).map_err(fault)?;
        }
        Ok(())
    }
}
