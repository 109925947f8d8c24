//! What the loader acts on without looking: tables, versions, and where relocation writes.

use object::elf::{self, DynamicTag, Rela64};
use object::{NativeEndian as NE, ReadRef, U64};

use super::{Fault, Image, Symbol, outside};

impl<'a, R: ReadRef<'a>> Image<'a, R> {
    /// Checks what the loader would act on without looking: tables, and where relocation writes.
    /// `keep` are ranges (address, size) which relocation has to leave alone.
    pub fn check_loading(&self, symbols: u64, keep: &[(u64, u64)]) -> Result<(), Fault> {
        const REFUSED: [(DynamicTag, &str); 7] = [
            (elf::DT_TEXTREL, "relocations in code"),
            (elf::DT_REL, "relocations without addends"),
            (elf::DT_VERDEF, "versions of its symbols"),
            (elf::DT_AUXILIARY, "a library behind it"),
            (elf::DT_FILTER, "a library behind it"),
            (elf::DT_AUDIT, "a library that watches"),
            (elf::DT_DEPAUDIT, "a library that watches"),
        ];
        for (tag, what) in REFUSED {
            if self.tag(tag).is_some() {
                return Err(Fault::new(format!("{tag:?}"), "nothing of the kind", what));
            }
        }
        if self.tag(elf::DT_GNU_HASH).is_none() {
            return Err(Fault::new("hash table of the symbols", "the GNU kind", "the old one"));
        }
        let mut tags: Vec<_> = self.dynamic.iter().map(|(tag, _)| tag.0).collect();
        tags.retain(|tag| *tag != elf::DT_NEEDED.0);
        tags.sort_unstable();
        if let Some(pair) = tags.windows(2).find(|pair| pair[0] == pair[1]) {
            let what = format!("{:?} in the dynamic table", DynamicTag(pair[0]));
            return Err(Fault::new(what, "once", "several times"));
        }
        for (tag, expected) in [
            (elf::DT_RELAENT, size_of::<Rela64<NE>>() as u64),
            (elf::DT_SYMENT, size_of::<Symbol>() as u64),
            (elf::DT_RELRENT, 8),
            (elf::DT_PLTREL, elf::DT_RELA.0 as u64),
        ] {
            let found = self.tag(tag).unwrap_or(expected);
            if found != expected {
                return Err(Fault::new(format!("{tag:?}"), expected, found));
            }
        }
        for (start, size, what) in [
            (elf::DT_INIT_ARRAY, elf::DT_INIT_ARRAYSZ, "table of constructors"),
            (elf::DT_FINI_ARRAY, elf::DT_FINI_ARRAYSZ, "table of destructors"),
        ] {
            self.sized_table::<U64<NE>>(start, size, what)?;
        }
        for (tag, what) in [(elf::DT_INIT, "constructor"), (elf::DT_FINI, "destructor")] {
            if let Some(address) = self.tag(tag)
                && !self.loads.iter().any(|load| load.executable && load.holds(address, 1))
            {
                return Err(outside(what, address, 1));
            }
        }
        if let Some(address) = self.tag(elf::DT_VERSYM) {
            self.bytes(address, symbols.saturating_mul(2), "versions of the symbols")?;
        }
        if let Some(address) = self.tag(elf::DT_PLTGOT)
            && self.tag(elf::DT_JMPREL).is_some()
        {
            self.check_written(address, 24, &[])?;
        }
        for (start, size, what) in [
            (elf::DT_RELA, elf::DT_RELASZ, "relocations"),
            (elf::DT_JMPREL, elf::DT_PLTRELSZ, "relocations of calls"),
        ] {
            for entry in self.sized_table::<Rela64<NE>>(start, size, what)? {
                let symbol = entry.r_info.get(NE) >> 32;
                if symbol >= symbols {
                    let expected = format!("below {symbols}");
                    return Err(Fault::new(
                        format!("{what}: number of a symbol"),
                        expected,
                        symbol,
                    ));
                }
                // R_*_NONE writes nothing.
                if entry.r_info.get(NE) & 0xffff_ffff != 0 {
                    self.check_written(entry.r_offset.get(NE), 8, keep)?;
                }
            }
        }
        self.check_packed_relocations(keep)
    }

    fn check_packed_relocations(&self, keep: &[(u64, u64)]) -> Result<(), Fault> {
        let mut at: u64 = 0;
        let words =
            self.sized_table::<U64<NE>>(elf::DT_RELR, elf::DT_RELRSZ, "packed relocations")?;
        for word in words.iter().map(|word| word.get(NE)) {
            if word & 1 == 0 {
                self.check_written(word, 8, keep)?;
                at = word.saturating_add(8);
            } else {
                for bit in (0..63).filter(|bit| (word >> (bit + 1)) & 1 == 1) {
                    self.check_written(at.saturating_add(8 * bit), 8, keep)?;
                }
                at = at.saturating_add(8 * 63);
            }
        }
        Ok(())
    }

    fn check_written(&self, address: u64, size: u64, keep: &[(u64, u64)]) -> Result<(), Fault> {
        const WHAT: &str = "relocation";
        if !self.loads.iter().any(|load| load.writable && load.holds(address, size)) {
            return Err(outside(WHAT, address, size));
        }
        let end = address.saturating_add(size);
        match keep.iter().find(|(start, len)| *start < end && address < start.saturating_add(*len))
        {
            None => Ok(()),
            Some((start, len)) => {
                let expected = format!("nothing of the {len} bytes at {start:#x} changed");
                Err(Fault::new(WHAT, expected, format!("one at {address:#x}")))
            }
        }
    }

    fn sized_table<T: object::Pod>(
        &self,
        start: DynamicTag,
        size: DynamicTag,
        what: &str,
    ) -> Result<&'a [T], Fault> {
        match (self.tag(start), self.tag(size)) {
            (None, None) => Ok(&[]),
            (_, Some(0)) => Ok(&[]),
            (Some(address), Some(size)) => self.table(address, size, what),
            _ => Err(Fault::new(what, "a place and a size", "one of the two")),
        }
    }

    /// Names of the libraries whose symbol versions it asks for. The loader takes for granted that
    /// they are there.
    pub fn versioned(&self) -> Result<Vec<&'a str>, Fault> {
        const WHAT: &str = "needed versions";
        let Some(mut address) = self.tag(elf::DT_VERNEED) else { return Ok(Vec::new()) };
        let mut names = Vec::new();
        for _ in 0..1024 {
            let entry = self.table::<elf::Verneed<NE>>(address, 16, WHAT)?;
            let [entry] = entry else { return Err(outside(WHAT, address, 16)) };
            names.push(self.text(entry.vn_file.get(NE).into(), WHAT)?);
            self.check_versions(address, entry)?;
            match entry.vn_next.get(NE) {
                0 => return Ok(names),
                next => {
                    address = address
                        .checked_add(next.into())
                        .ok_or_else(|| outside(WHAT, address, next.into()))?;
                }
            }
        }
        Err(Fault::new(WHAT, "an end", "none within 1024 entries"))
    }

    fn check_versions(&self, at: u64, entry: &elf::Verneed<NE>) -> Result<(), Fault> {
        const WHAT: &str = "needed versions";
        let mut address = at.saturating_add(entry.vn_aux.get(NE).into());
        for _ in 0..1024 {
            let version = self.table::<elf::Vernaux<NE>>(address, 16, WHAT)?;
            let [version] = version else { return Err(outside(WHAT, address, 16)) };
            self.text(version.vna_name.get(NE).into(), WHAT)?;
            match version.vna_next.get(NE) {
                0 => return Ok(()),
                next => address = address.saturating_add(next.into()),
            }
        }
        Err(Fault::new(WHAT, "an end", "none within 1024 entries"))
    }
}
