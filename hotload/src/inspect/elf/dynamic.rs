//! The dynamic table: the names in it, and the entries that a module has.

use object::elf::{self, DynamicTag, Rela64, Relr64};
use object::{NativeEndian as NE, ReadRef};

use super::{Fault, Image, Symbol};

impl<'a, R: ReadRef<'a>> Image<'a, R> {
    pub(super) fn tag(&self, tag: DynamicTag) -> Option<u64> {
        self.dynamic.iter().find(|(found, _)| *found == tag).map(|(_, value)| *value)
    }

    pub(super) fn value(&self, tag: DynamicTag, what: &str) -> Result<u64, Fault> {
        self.tag(tag).ok_or_else(|| Fault::new(what, "an entry in the dynamic table", "none"))
    }

    pub(super) fn string(&self, at: u64, what: &str) -> Result<&'a [u8], Fault> {
        let found = u32::try_from(at).ok().and_then(|at| self.strings().get(at).ok());
        found.ok_or_else(|| {
            let expected = format!("below {}", self.strings.len());
            Fault::new(format!("{what}: place in the string table"), expected, at)
        })
    }

    fn text(&self, at: u64, what: &str) -> Result<&'a str, Fault> {
        let bytes = self.string(at, what)?;
        std::str::from_utf8(bytes)
            .map_err(|_| Fault::new(what, "UTF-8", String::from_utf8_lossy(bytes)))
    }

    /// Names of the libraries it needs.
    pub fn needed(&self) -> Result<Vec<&'a str>, Fault> {
        let needed = self.dynamic.iter().filter(|(tag, _)| *tag == elf::DT_NEEDED);
        needed.map(|(_, at)| self.text(*at, "needed library")).collect()
    }

    /// Its own name, if it has one.
    pub fn soname(&self) -> Result<Option<&'a str>, Fault> {
        self.tag(elf::DT_SONAME).map(|at| self.text(at, "name of the library")).transpose()
    }

    /// Folders in which it would look for libraries.
    pub fn search_path(&self) -> Result<Option<String>, Fault> {
        let path = self.tag(elf::DT_RUNPATH).or_else(|| self.tag(elf::DT_RPATH));
        let path = path.map(|at| self.string(at, "search path")).transpose()?;
        Ok(path.map(|path| String::from_utf8_lossy(path).into_owned()))
    }

    /// The entries at `start`, in `size` bytes; none if the file has neither tag.
    pub(super) fn sized_table<T: object::Pod>(
        &self,
        start: DynamicTag,
        size: DynamicTag,
        what: &str,
    ) -> Result<&'a [T], Fault> {
        match (self.tag(start), self.tag(size)) {
            (None, None) => Ok(&[]),
            (Some(address), Some(size)) => self.table(address, size, what),
            _ => Err(Fault::new(what, "a place and a size", "one of the two")),
        }
    }

    pub(super) fn check_dynamic(&self) -> Result<(), Fault> {
        self.check_refused_entries()?;
        self.check_entry_sizes()?;
        self.soname()?;
        self.search_path()?;
        for (tag, what) in [(elf::DT_INIT, "constructor"), (elf::DT_FINI, "destructor")] {
            if let Some(address) = self.tag(tag).filter(|address| !self.is_code(*address)) {
                return Err(Fault::new(what, "in code", format!("{address:#x}")));
            }
        }
        // These cannot change between inspection and their use by the loader.
        for tag in [
            elf::DT_STRTAB,
            elf::DT_SYMTAB,
            elf::DT_GNU_HASH,
            elf::DT_RELA,
            elf::DT_JMPREL,
            elf::DT_RELR,
            elf::DT_VERSYM,
            elf::DT_VERNEED,
        ] {
            if let Some(address) = self.tag(tag).filter(|address| self.is_writable(*address, 1)) {
                let what = format!("table of {}", entry(tag));
                let found = format!("one at {address:#x}");
                return Err(Fault::new(what, "in a segment that is only read", found));
            }
        }
        Ok(())
    }

    /// Refuses entries that no linker for Rust writes and that the loader would act on.
    fn check_refused_entries(&self) -> Result<(), Fault> {
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
                return Err(Fault::new(entry(tag), "nothing of the kind", what));
            }
        }
        let mut tags: Vec<_> = self.dynamic.iter().map(|(tag, _)| tag.0).collect();
        tags.retain(|tag| *tag != elf::DT_NEEDED.0);
        tags.sort_unstable();
        if let Some(pair) = tags.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(Fault::new(entry(DynamicTag(pair[0])), "once", "several times"));
        }
        let flags = |tag| self.tag(tag).unwrap_or_default();
        if flags(elf::DT_FLAGS) & elf::DF_TEXTREL.0 != 0 {
            return Err(Fault::new("flags", "nothing of the kind", "relocations in code"));
        }
        if flags(elf::DT_FLAGS_1) & (elf::DF_1_PIE | elf::DF_1_NOOPEN).0 != 0 {
            return Err(Fault::new("flags", "a library", "a program, or one not to be opened"));
        }
        Ok(())
    }

    fn check_entry_sizes(&self) -> Result<(), Fault> {
        for (tag, goes_with, expected) in [
            (elf::DT_SYMENT, None, size_of::<Symbol>() as u64),
            (elf::DT_RELAENT, Some(elf::DT_RELA), size_of::<Rela64<NE>>() as u64),
            (elf::DT_RELRENT, Some(elf::DT_RELR), size_of::<Relr64<NE>>() as u64),
            (elf::DT_PLTREL, Some(elf::DT_JMPREL), elf::DT_RELA.0 as u64),
        ] {
            let found = self.tag(tag);
            let needed = goes_with.is_some_and(|other| self.tag(other).is_some());
            if found.is_some_and(|found| found != expected) || (found.is_none() && needed) {
                let found = found.map_or("none".to_owned(), |found| found.to_string());
                return Err(Fault::new(entry(tag), expected, found));
            }
        }
        Ok(())
    }
}

fn entry(tag: DynamicTag) -> String {
    format!("entry {:#x} of the dynamic table", tag.0)
}
