//! An artifact's parts, to be changed in place.

use std::ops::Range;

use object::elf::{self, DynamicTag, ProgramType};

use super::Good;

const HEADER_BYTES: usize = 56;
const SYMBOL_BYTES: usize = 24;
const RELOCATION_BYTES: usize = 24;
/// Places in a program header.
pub(super) const FLAGS: usize = 4;
pub(super) const OFFSET: usize = 8;
pub(super) const ADDRESS: usize = 16;
pub(super) const FILE_SIZE: usize = 32;
pub(super) const MEMORY_SIZE: usize = 40;
pub(super) const ALIGN: usize = 48;
/// Places in a symbol.
pub(super) const INFO: usize = 4;
pub(super) const VISIBILITY: usize = 5;
pub(super) const SECTION: usize = 6;
pub(super) const VALUE: usize = 8;
pub(super) const SIZE: usize = 16;
/// Places in a relocation.
pub(super) const KIND: usize = 8;
pub(super) const SYMBOL: usize = 12;
pub(super) const ADDEND: usize = 16;
/// Size of what comes before the manifest.
pub(super) const ENTRY_BYTES: usize = 40;

/// Sets an entry.
macro_rules! set {
    ($tag:ident, $value:expr) => {
        |good, to| good.edited(to, |elf| elf.set_value(elf::$tag, $value))
    };
}
pub(super) use set;

/// Adds to an entry, or takes away from it.
macro_rules! shift {
    ($tag:ident, $by:expr) => {
        |good, to| {
            good.edited(to, |elf| {
                let value = elf.value(elf::$tag);
                elf.set_value(elf::$tag, value.wrapping_add_signed($by));
            })
        }
    };
}
pub(super) use shift;

/// Takes an entry away.
macro_rules! forget {
    ($tag:ident) => {
        |good, to| good.edited(to, |elf| elf.forget(elf::$tag))
    };
}
pub(super) use forget;

/// Replaces the manifest's first line with this key.
macro_rules! replace_line {
    ($key:literal, $line:expr) => {
        |good, to| good.edited(to, |elf| elf.replace_line($key, $line))
    };
}
pub(super) use replace_line;

/// Adds a line at the end of the manifest.
macro_rules! append_line {
    ($line:expr) => {
        |good, to| good.edited(to, |elf| elf.append_line($line))
    };
}
pub(super) use append_line;

/// Adds a line at the start of the manifest.
macro_rules! prepend_line {
    ($line:expr) => {
        |good, to| good.edited(to, |elf| elf.prepend_line($line))
    };
}
pub(super) use prepend_line;

/// Adds values at the start of a list of the manifest.
macro_rules! insert_into {
    ($list:literal, $values:expr) => {
        |good, to| good.edited(to, |elf| elf.insert_into($list, $values))
    };
}
pub(super) use insert_into;

/// Replaces the manifest by bytes that are made of its text.
macro_rules! with_manifest {
    (|$text:ident| $bytes:expr) => {
        |good, to| {
            good.edited(to, |elf| {
                let ($text, schemas) = (elf.manifest(), elf.schemas());
                elf.set_export($bytes, &schemas);
            })
        }
    };
}
pub(super) use with_manifest;

/// The bytes of an artifact, 64-bit and little-endian.
pub struct Elf {
    /// All of them.
    pub bytes: Vec<u8>,
    /// `<crate>::PLAYGROUND_MODULE`, as it is mangled up to the hash.
    pub(super) name: String,
}

impl Elf {
    /// The parts of this artifact.
    pub fn new(good: &Good) -> Self {
        let own = good.id.replace('-', "_");
        Self { bytes: good.bytes.clone(), name: format!("{}{own}17PLAYGROUND_MODULE", own.len()) }
    }

    /// A number of 16 bits at this place of the file.
    pub fn u16(&self, at: usize) -> u16 {
        u16::from_le_bytes(self.array(at))
    }

    /// A number of 32 bits.
    pub fn u32(&self, at: usize) -> u32 {
        u32::from_le_bytes(self.array(at))
    }

    /// A number of 64 bits.
    pub fn u64(&self, at: usize) -> u64 {
        u64::from_le_bytes(self.array(at))
    }

    fn array<const N: usize>(&self, at: usize) -> [u8; N] {
        *self.bytes[at..].first_chunk().expect("inside of the file")
    }

    /// Writes over what is there.
    pub fn set(&mut self, at: usize, bytes: impl AsRef<[u8]>) {
        let bytes = bytes.as_ref();
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
    }

    /// Writes a number of 16 bits.
    pub fn set16(&mut self, at: usize, value: u16) {
        self.set(at, value.to_le_bytes());
    }

    /// Writes a number of 32 bits.
    pub fn set32(&mut self, at: usize, value: u32) {
        self.set(at, value.to_le_bytes());
    }

    /// Writes a number of 64 bits.
    pub fn set64(&mut self, at: usize, value: u64) {
        self.set(at, value.to_le_bytes());
    }

    fn headers(&self) -> impl Iterator<Item = usize> {
        let (at, count) = (self.u64(32) as usize, usize::from(self.u16(56)));
        (0..count).map(move |index| at + index * HEADER_BYTES)
    }

    /// Where the program headers of a kind are.
    pub fn headers_of(&self, kind: ProgramType) -> Vec<usize> {
        self.headers().filter(|at| self.u32(*at) == kind.0).collect()
    }

    /// Where the first program header of a kind is.
    pub fn header(&self, kind: ProgramType) -> usize {
        *self.headers_of(kind).first().expect("a header of this kind")
    }

    /// Where the program header is of the segment to load with these rights (`PF_*`).
    pub fn load(&self, rights: u32) -> usize {
        let loads = self.headers_of(elf::PT_LOAD);
        loads.into_iter().find(|at| self.u32(at + FLAGS) == rights).expect("a segment of the kind")
    }

    /// The segment of the constants and tables.
    pub fn tables(&self) -> usize {
        self.load(elf::PF_R.0)
    }

    /// The segment of the code.
    pub fn code(&self) -> usize {
        self.load(elf::PF_R.0 | elf::PF_X.0)
    }

    /// The first segment that is written to.
    pub fn data(&self) -> usize {
        self.load(elf::PF_R.0 | elf::PF_W.0)
    }

    /// The last segment to load.
    pub fn last(&self) -> usize {
        *self.headers_of(elf::PT_LOAD).last().expect("a segment to load")
    }

    /// Where an address is in the file.
    pub fn at(&self, address: u64) -> usize {
        let load = self.headers_of(elf::PT_LOAD).into_iter().find(|load| {
            let start = self.u64(load + ADDRESS);
            (start..start + self.u64(load + FILE_SIZE)).contains(&address)
        });
        let load = load.expect("an address in the file");
        (self.u64(load + OFFSET) + address - self.u64(load + ADDRESS)) as usize
    }

    /// Where the entries of the dynamic table are, with the one at the end.
    pub fn entries(&self) -> Vec<usize> {
        let table = self.u64(self.header(elf::PT_DYNAMIC) + OFFSET) as usize;
        let entries = (0..).map(|index| table + 16 * index);
        let mut last = false;
        entries.take_while(|at| !std::mem::replace(&mut last, self.u64(*at) == 0)).collect()
    }

    fn entry_of(&self, tag: DynamicTag) -> usize {
        let mut entries = self.entries().into_iter();
        entries.find(|at| self.u64(*at) == tag.0 as u64).expect("an entry of the dynamic table")
    }

    /// The value of an entry.
    pub fn value(&self, tag: DynamicTag) -> u64 {
        self.u64(self.entry_of(tag) + 8)
    }

    /// Changes the value of an entry.
    pub fn set_value(&mut self, tag: DynamicTag, value: u64) {
        let entry = self.entry_of(tag);
        self.set64(entry + 8, value);
    }

    /// Another entry in place of this one.
    pub fn replace(&mut self, tag: DynamicTag, other: DynamicTag, value: u64) {
        let entry = self.entry_of(tag);
        self.set64(entry, other.0 as u64);
        self.set64(entry + 8, value);
    }

    /// Makes an entry one that means nothing.
    pub fn forget(&mut self, tag: DynamicTag) {
        let unused = DynamicTag(0x6000_1234 + tag.0 % 1024);
        self.replace(tag, unused, 0);
    }

    /// Another entry, in place of one that is not needed.
    pub fn add(&mut self, tag: DynamicTag, value: u64) {
        let spare = [elf::DT_HASH, elf::DT_FLAGS, elf::DT_FLAGS_1];
        let entries = self.entries();
        let is_there = |tag: &DynamicTag| entries.iter().any(|at| self.u64(*at) == tag.0 as u64);
        let spare = *spare.iter().find(|tag| is_there(tag)).expect("a spare entry");
        self.replace(spare, tag, value);
    }

    /// Where the table is that an entry refers to.
    pub fn table(&self, tag: DynamicTag) -> usize {
        self.at(self.value(tag))
    }

    /// The place in the string table of a text that is part of it.
    pub fn string(&self, text: &str) -> u64 {
        let table = self.table(elf::DT_STRTAB);
        let strings = &self.bytes[table..table + self.value(elf::DT_STRSZ) as usize];
        let found = strings.windows(text.len()).position(|part| part == text.as_bytes());
        found.expect("a string") as u64
    }

    /// Where the dynamic symbols are, without the first, which is none.
    pub fn symbols(&self) -> Vec<usize> {
        let table = self.table(elf::DT_SYMTAB);
        let count = self.u32(self.table(elf::DT_HASH) + 4) as usize;
        (1..count).map(|index| table + index * SYMBOL_BYTES).collect()
    }

    /// Where a symbol's name is.
    pub fn name_at(&self, symbol: usize) -> usize {
        self.table(elf::DT_STRTAB) + self.u32(symbol) as usize
    }

    /// A symbol's name.
    pub fn name(&self, symbol: usize) -> &str {
        let rest = &self.bytes[self.name_at(symbol)..];
        let end = rest.iter().position(|byte| *byte == 0).expect("the end of a name");
        std::str::from_utf8(&rest[..end]).expect("a name")
    }

    /// The module's own `PLAYGROUND_MODULE`.
    pub fn own(&self) -> usize {
        let mut symbols = self.symbols().into_iter();
        symbols.find(|symbol| self.name(*symbol).contains(&self.name)).expect("PLAYGROUND_MODULE")
    }

    /// The first symbol of another library whose name contains `part`.
    pub fn foreign(&self, part: &str) -> usize {
        let mut symbols = self.symbols().into_iter();
        let found = symbols
            .find(|symbol| self.u16(symbol + SECTION) == 0 && self.name(*symbol).contains(part));
        found.expect("a symbol that it uses")
    }

    /// Where the relocations are.
    pub fn relocations(&self) -> Vec<usize> {
        let table = self.table(elf::DT_RELA);
        let count = self.value(elf::DT_RELASZ) as usize / RELOCATION_BYTES;
        (0..count).map(|index| table + index * RELOCATION_BYTES).collect()
    }

    /// The relocation of the pointer to the module's `build`.
    pub fn build(&self) -> usize {
        let address = self.u64(self.own() + VALUE) + 32;
        let mut relocations = self.relocations().into_iter();
        relocations.find(|at| self.u64(*at) == address).expect("a relocation of `build`")
    }

    /// A relocation of another place, of the kind that goes by a symbol.
    pub fn by_symbol(&self) -> usize {
        let mut relocations = self.relocations().into_iter();
        relocations.find(|at| self.u32(at + SYMBOL) != 0).expect("a relocation by a symbol")
    }

    /// Where `PLAYGROUND_MODULE` is.
    pub fn export(&self) -> usize {
        self.at(self.u64(self.own() + VALUE))
    }

    fn manifest_range(&self) -> Range<usize> {
        let start = self.export() + ENTRY_BYTES;
        start..start + self.u64(self.export() + 16) as usize
    }

    /// The text of the manifest.
    pub fn manifest(&self) -> String {
        let bytes = self.bytes[self.manifest_range()].to_vec();
        String::from_utf8(bytes).expect("a manifest is text")
    }

    /// The bytes of the schemas.
    pub fn schemas(&self) -> Vec<u8> {
        let start = self.manifest_range().end;
        self.bytes[start..start + self.u64(self.export() + 24) as usize].to_vec()
    }

    /// Another manifest and other schemas, of any length: `PLAYGROUND_MODULE` moves to a segment of
    /// its own at the end of the file, and is as good there as where it was.
    pub fn set_export(&mut self, manifest: impl AsRef<[u8]>, schemas: &[u8]) {
        const PAGE: usize = 4096;
        let mut entry = self.bytes[self.export()..][..ENTRY_BYTES].to_vec();
        entry.extend_from_slice(manifest.as_ref());
        entry.extend_from_slice(schemas);
        entry[16..24].copy_from_slice(&(manifest.as_ref().len() as u64).to_le_bytes());
        entry[24..32].copy_from_slice(&(schemas.len() as u64).to_le_bytes());
        entry.resize(entry.len().next_multiple_of(8), 0);

        let (own, build, last) = (self.own(), self.build(), self.last());
        let end = self.u64(last + ADDRESS) + self.u64(last + MEMORY_SIZE);
        let address = end.next_multiple_of(PAGE as u64);
        let offset = self.bytes.len().next_multiple_of(PAGE);
        self.bytes.resize(offset, 0);
        self.bytes.extend_from_slice(&entry);
        self.set64(own + VALUE, address);
        self.set64(own + SIZE, entry.len() as u64);
        self.set64(build, address + 32);

        // In place of the header that tells where the headers are: it is not needed.
        let spare = self.header(elf::PT_PHDR);
        self.bytes.copy_within(spare + HEADER_BYTES..last + HEADER_BYTES, spare);
        self.set32(last, elf::PT_LOAD.0);
        self.set32(last + FLAGS, elf::PF_R.0 | elf::PF_W.0);
        self.set64(last + OFFSET, offset as u64);
        self.set64(last + ADDRESS, address);
        self.set64(last + 24, address);
        self.set64(last + FILE_SIZE, entry.len() as u64);
        self.set64(last + MEMORY_SIZE, entry.len() as u64);
        self.set64(last + ALIGN, PAGE as u64);
    }

    /// The same schemas behind what `edit` makes of the manifest.
    pub fn edit_manifest(&mut self, edit: impl FnOnce(String) -> String) {
        let (manifest, schemas) = (self.manifest(), self.schemas());
        let edited = edit(manifest.clone());
        assert_ne!(manifest, edited, "something else");
        self.set_export(edited, &schemas);
    }

    /// Replaces the manifest's first line with this key; `None` removes it.
    pub fn replace_line(&mut self, key: &str, line: Option<&str>) {
        self.edit_manifest(|manifest| {
            let mut line = Some(line.map(|line| format!("{line}\n")).unwrap_or_default());
            let lines = manifest.split_inclusive('\n').map(|old| {
                let new = if has_key(old, key) { line.take() } else { None };
                new.unwrap_or_else(|| old.to_owned())
            });
            lines.collect()
        });
    }

    /// Adds a line at the end of the manifest, which is the table `requires`.
    pub fn append_line(&mut self, line: &str) {
        self.edit_manifest(|manifest| format!("{manifest}{line}\n"));
    }

    /// Adds a line at the start of the manifest.
    pub fn prepend_line(&mut self, line: &str) {
        self.edit_manifest(|manifest| format!("{line}\n{manifest}"));
    }

    /// Adds TOML values at the start of a list of the manifest.
    pub fn insert_into(&mut self, list: &str, values: &str) {
        self.edit_manifest(|manifest| {
            let start = format!("{list} = [");
            assert!(manifest.contains(&start), "the list `{list}`");
            manifest.replacen(&start, &format!("{start}{values},"), 1)
        });
    }
}

fn has_key(line: &str, key: &str) -> bool {
    line.strip_prefix(key).is_some_and(|rest| rest.starts_with(" ="))
}

/// The manifest's line with this key.
pub(super) fn line_of<'a>(text: &'a str, key: &str) -> &'a str {
    text.lines().find(|line| has_key(line, key)).expect("a line with this key")
}
