//! What the loader acts on without looking: tables, versions, and where relocation writes.

use std::collections::BTreeMap;

use object::elf::{self, DynamicTag, ProgramHeader64, Rela64};
use object::{NativeEndian as NE, ReadRef, U16, U32, U64};

use super::{Fault, Image, PAGE_BYTES, Symbol, outside};

/// The kinds of relocation that a module has, by machine.
struct Kinds {
    /// The library's place in memory and an addend.
    relative: u32,
    /// What a function says that is called while loading.
    indirect: u32,
    /// Two words.
    descriptor: u32,
    /// A symbol's address.
    symbol: &'static [u32],
    thread_local: &'static [u32],
}

impl Kinds {
    fn of(machine: elf::Machine) -> Option<Self> {
        match machine {
            elf::EM_X86_64 => Some(Self {
                relative: elf::R_X86_64_RELATIVE.0,
                indirect: elf::R_X86_64_IRELATIVE.0,
                descriptor: elf::R_X86_64_TLSDESC.0,
                symbol: &[elf::R_X86_64_64.0, elf::R_X86_64_GLOB_DAT.0, elf::R_X86_64_JUMP_SLOT.0],
                thread_local: &[
                    elf::R_X86_64_DTPMOD64.0,
                    elf::R_X86_64_DTPOFF64.0,
                    elf::R_X86_64_TPOFF64.0,
                ],
            }),
            elf::EM_AARCH64 => Some(Self {
                relative: elf::R_AARCH64_RELATIVE.0,
                indirect: elf::R_AARCH64_IRELATIVE.0,
                descriptor: elf::R_AARCH64_TLSDESC.0,
                symbol: &[
                    elf::R_AARCH64_ABS64.0,
                    elf::R_AARCH64_GLOB_DAT.0,
                    elf::R_AARCH64_JUMP_SLOT.0,
                ],
                thread_local: &[
                    elf::R_AARCH64_TLS_DTPMOD.0,
                    elf::R_AARCH64_TLS_DTPREL.0,
                    elf::R_AARCH64_TLS_TPREL.0,
                ],
            }),
            _ => None,
        }
    }
}

fn check_alignment(header: &ProgramHeader64<NE>) -> Result<(), Fault> {
    /// That of huge pages.
    const MOST: u64 = 2 << 20;
    const WHAT: &str = "segment to load";
    let align = header.p_align.get(NE);
    if !(PAGE_BYTES..=MOST).contains(&align) {
        let expected = format!("alignment to {PAGE_BYTES} to {MOST} bytes");
        return Err(Fault::new(WHAT, expected, align));
    }
    let (address, offset) = (header.p_vaddr.get(NE), header.p_offset.get(NE));
    if address % align != offset % align {
        let found = format!("address {address:#x}, offset {offset:#x}");
        return Err(Fault::new(WHAT, format!("both at one place of {align} bytes"), found));
    }
    Ok(())
}

fn entry(tag: DynamicTag) -> String {
    format!("entry {:#x} of the dynamic table", tag.0)
}

/// What a pointer in the file holds once it is loaded.
#[derive(Clone, Copy)]
enum Pointer {
    /// Not relocated.
    Unset,
    /// An address in the file.
    To(u64),
    /// What the symbol of this number stands for, and an addend.
    Symbol(u64, u64),
}

impl<'a, R: ReadRef<'a>> Image<'a, R> {
    /// Checks what the loader would act on without looking: tables, and where relocation writes.
    /// `keep` are ranges (address, size) which relocation has to leave alone; at `function` is a
    /// pointer to code.
    pub fn check_loading(
        &self,
        symbols: &[Symbol],
        keep: &[(u64, u64)],
        function: u64,
    ) -> Result<(), Fault> {
        self.check_headers()?;
        self.check_segments()?;
        self.check_tags()?;
        self.check_tables(symbols.len() as u64)?;
        symbols.iter().skip(1).try_for_each(|symbol| self.check_symbol(symbol))?;
        self.check_unwinding()?;

        let keep = [keep, &[self.dynamic_at]].concat();
        let mut pointers = BTreeMap::from([(function, Pointer::Unset)]);
        for (start, size, what) in [
            (elf::DT_INIT_ARRAY, elf::DT_INIT_ARRAYSZ, "table of constructors"),
            (elf::DT_FINI_ARRAY, elf::DT_FINI_ARRAYSZ, "table of destructors"),
        ] {
            let count = self.sized_table::<U64<NE>>(start, size, what)?.len() as u64;
            let address = self.tag(start).unwrap_or_default();
            pointers.extend((0..count).map(|index| (address + 8 * index, Pointer::Unset)));
        }
        self.check_relocations(symbols, &keep, &mut pointers)?;
        self.check_packed_relocations(&keep, &mut pointers)?;
        pointers.into_iter().try_for_each(|(at, pointer)| self.check_code(at, pointer, symbols))
    }

    /// What the loader itself refuses, or believes.
    fn check_headers(&self) -> Result<(), Fault> {
        let ident = &self.header.e_ident;
        for found in [u32::from(ident.version.0), self.header.e_version.get(NE)] {
            if found != 1 {
                return Err(Fault::new("version of the format", 1, found));
            }
        }
        let systems = [elf::ELFOSABI_SYSV, elf::ELFOSABI_GNU];
        if !systems.contains(&ident.os_abi) || ident.abi_version != 0 {
            let found = format!("system {}, version {}", ident.os_abi.0, ident.abi_version);
            return Err(Fault::new("system it is for", "0 or 3 (Linux), version 0", found));
        }
        if ident.padding != [0; 7] {
            let found = format!("{:02x?}", ident.padding);
            return Err(Fault::new("unused bytes of the file header", "zeros", found));
        }
        for header in self.headers {
            let address = header.p_vaddr.get(NE);
            match header.p_type.get(NE) {
                elf::PT_LOAD => check_alignment(header)?,
                elf::PT_PHDR => {
                    const WHAT: &str = "place of the program headers";
                    self.bytes(address, size_of_val(self.headers) as u64, WHAT)?;
                    let expected = format!("offset {:#x}", self.header.e_phoff.get(NE));
                    let found =
                        format!("offset {:#x}", self.offset_of(address).unwrap_or_default());
                    if found != expected {
                        return Err(Fault::new(WHAT, expected, found));
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The loader maps whole pages, each with what the last segment in it says.
    fn check_segments(&self) -> Result<(), Fault> {
        const WHAT: &str = "segment to load";
        let len = self.data.len().unwrap_or_default();
        let mut free_from = 0;
        for load in &self.loads {
            if !load.readable || (load.writable && load.executable) {
                let mut found = String::new();
                for (right, letter) in
                    [(load.readable, 'r'), (load.writable, 'w'), (load.executable, 'x')]
                {
                    found.push(if right { letter } else { '-' });
                }
                return Err(Fault::new(format!("{WHAT}: rights"), "r--, rw- or r-x", found));
            }
            if load.offset > len {
                let expected = format!("inside of the file of {len} bytes");
                return Err(Fault::new(WHAT, expected, format!("offset {:#x}", load.offset)));
            }
            if load.address < free_from {
                let expected = format!("a page of its own, from {free_from:#x} on");
                return Err(Fault::new(WHAT, expected, format!("{:#x}", load.address)));
            }
            free_from = (load.address + load.memory_bytes).next_multiple_of(PAGE_BYTES);
        }
        let (address, size) = self.dynamic_at;
        if !self.loads.iter().any(|load| load.writable && load.holds(address, size)) {
            let found = format!("{size} bytes at address {address:#x}");
            return Err(Fault::new("dynamic table", "in a segment that is written to", found));
        }
        Ok(())
    }

    fn check_tags(&self) -> Result<(), Fault> {
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
        for (tag, goes_with, expected) in [
            (elf::DT_RELAENT, Some(elf::DT_RELA), size_of::<Rela64<NE>>() as u64),
            (elf::DT_SYMENT, None, size_of::<Symbol>() as u64),
            (elf::DT_RELRENT, Some(elf::DT_RELR), 8),
            (elf::DT_PLTREL, Some(elf::DT_JMPREL), elf::DT_RELA.0 as u64),
        ] {
            let found = self.tag(tag);
            // The loader looks for the one where it finds the other.
            if found.is_none() && goes_with.is_some_and(|other| self.tag(other).is_some()) {
                return Err(Fault::new(entry(tag), expected, "none"));
            }
            if let Some(found) = found.filter(|found| *found != expected) {
                return Err(Fault::new(entry(tag), expected, found));
            }
        }
        let flags = |tag| self.tag(tag).unwrap_or_default();
        let (code, alone) = (elf::DF_TEXTREL.0, (elf::DF_1_PIE | elf::DF_1_NOOPEN).0);
        if flags(elf::DT_FLAGS) & code != 0 {
            return Err(Fault::new("flags", "nothing of the kind", "relocations in code"));
        }
        if flags(elf::DT_FLAGS_1) & alone != 0 {
            return Err(Fault::new("flags", "a library", "a program, or one not to be opened"));
        }
        Ok(())
    }

    fn check_tables(&self, symbols: u64) -> Result<(), Fault> {
        for (tag, what) in [(elf::DT_INIT, "constructor"), (elf::DT_FINI, "destructor")] {
            if let Some(address) = self.tag(tag)
                && !self.is_code(address)
            {
                return Err(Fault::new(what, "in code", format!("{address:#x}")));
            }
        }
        // As they were inspected is how the loader finds them.
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
            if let Some(address) = self.tag(tag)
                && self.loads.iter().any(|load| load.writable && load.holds(address, 1))
            {
                let what = format!("table of {}", entry(tag));
                let found = format!("one at {address:#x}");
                return Err(Fault::new(what, "in a segment that is only read", found));
            }
        }
        for (tag, what) in [
            (elf::DT_SONAME, "name of the library"),
            (elf::DT_RUNPATH, "search path"),
            (elf::DT_RPATH, "search path"),
        ] {
            self.tag(tag).map(|at| self.string(at, what)).transpose()?;
        }
        if let Some(table) = self.tag(elf::DT_HASH) {
            const WHAT: &str = "old hash table of the symbols";
            let counts = self.table::<U32<NE>>(table, 8, WHAT)?;
            let [buckets, chains] = [0, 1].map(|at| counts.get(at).map_or(0, |n| n.get(NE).into()));
            if chains != symbols || buckets == 0 {
                let found = format!("{buckets} buckets for {chains} symbols");
                return Err(Fault::new(WHAT, format!("buckets for {symbols} symbols"), found));
            }
            self.table::<U32<NE>>(table, 8 + 4 * (buckets + chains), WHAT)?;
        }
        if let Some(address) = self.tag(elf::DT_PLTGOT)
            && self.tag(elf::DT_JMPREL).is_some()
        {
            self.check_written(address, 24, &[])?;
        }
        self.check_symbol_versions(symbols)
    }

    /// Each symbol has the number of a version that it asks for, or 0 or 1 for none.
    fn check_symbol_versions(&self, symbols: u64) -> Result<(), Fault> {
        const WHAT: &str = "versions of the symbols";
        let (_, highest) = self.versions()?;
        let Some(address) = self.tag(elf::DT_VERSYM) else {
            return match self.tag(elf::DT_VERNEED) {
                Some(_) => Err(Fault::new(WHAT, "a table", "none")),
                None => Ok(()),
            };
        };
        for version in self.table::<U16<NE>>(address, symbols.saturating_mul(2), WHAT)? {
            let number = version.get(NE) & elf::VERSYM_VERSION;
            if number > highest.max(1) {
                return Err(Fault::new(WHAT, format!("up to {highest}"), number));
            }
        }
        Ok(())
    }

    fn check_symbol(&self, symbol: &Symbol) -> Result<(), Fault> {
        let fault = |expected: &str, found: String| {
            let name = self.name_of(symbol).unwrap_or_default();
            let name = String::from_utf8_lossy(name);
            Fault::new(format!("symbol `{:#}`", rustc_demangle::demangle(&name)), expected, found)
        };
        let (section, address) = (symbol.st_shndx.get(NE), symbol.st_value.get(NE));
        if section == elf::SHN_UNDEF {
            // The loader would take the library's own first byte for it.
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
        if is_address && !self.loads.iter().any(|load| load.holds(address, 0)) {
            return Err(fault("inside of a loaded segment", format!("address {address:#x}")));
        }
        Ok(())
    }

    /// A panic in code that is not in this table would end the game.
    fn check_unwinding(&self) -> Result<(), Fault> {
        const WHAT: &str = "unwind table";
        /// Version, and how the numbers in it are written: the only way of today's linkers.
        const HEAD: [u8; 4] = [1, 0x1b, 0x03, 0x3b];
        let Some((address, size)) = self.unwinding_at else {
            return Err(Fault::new(WHAT, "one", "none"));
        };
        let bytes = self.bytes(address, size, WHAT)?;
        let number = |place: &[u8]| place.first_chunk().map_or(0, |part| i32::from_ne_bytes(*part));
        let Some((head, entries)) = bytes.split_at_checked(12).filter(|_| bytes[..4] == HEAD)
        else {
            let found = format!("{:02x?}", &bytes[..bytes.len().min(4)]);
            return Err(Fault::new(WHAT, format!("one that begins with {HEAD:02x?}"), found));
        };
        let frames = (address + 4).wrapping_add_signed(number(&head[4..]).into());
        self.bytes(frames, 4, "unwind table: frames")?;
        let count = number(&head[8..]) as u32 as usize;
        let Some(entries) = count.checked_mul(8).and_then(|size| entries.get(..size)) else {
            let expected = format!("at most {} entries", entries.len() / 8);
            return Err(Fault::new(WHAT, expected, count));
        };
        let mut from = 0;
        for entry in entries.chunks_exact(8) {
            let [function, frame] =
                [0, 4].map(|at| address.wrapping_add_signed(number(&entry[at..]).into()));
            if function < from || !self.is_code(function) {
                let found = format!("{function:#x}");
                let expected = format!("in code, from {from:#x} on");
                return Err(Fault::new("unwind table: function", expected, found));
            }
            let length = number(self.bytes(frame, 4, "unwind table: frame")?) as u32;
            self.bytes(frame, 4 + u64::from(length), "unwind table: frame")?;
            from = function;
        }
        Ok(())
    }

    /// True if looking for `name` finds `symbol`.
    pub fn check_found(
        &self,
        name: &[u8],
        symbol: &Symbol,
        symbols: &[Symbol],
    ) -> Result<(), Fault> {
        const WHAT: &str = "hash table of the symbols";
        let not_found = || {
            let name = String::from_utf8_lossy(name);
            let what = format!("{WHAT}: `{:#}`", rustc_demangle::demangle(&name));
            Fault::new(what, "to be found", "another one or none")
        };
        let Some(table) = self.tag(elf::DT_GNU_HASH) else {
            return Err(Fault::new(WHAT, "the GNU kind", "the old one"));
        };
        let header = self.table::<U32<NE>>(table, 16, WHAT)?;
        let [buckets, first, bloom, shift] = header else { return Err(not_found()) };
        let [buckets, first, bloom, shift] = [buckets, first, bloom, shift].map(|n| n.get(NE));

        let hash = name
            .iter()
            .fold(5381u32, |hash, byte| hash.wrapping_mul(33).wrapping_add(u32::from(*byte)));
        let word = hash / 64 % bloom.max(1);
        let words = self.table::<U64<NE>>(table + 16 + 8 * u64::from(word), 8, WHAT)?;
        let word = words.first().map_or(0, |word| word.get(NE));
        let bit = |hash: u32| word >> (hash % 64) & 1 == 1;
        if !bit(hash) || !bit(hash.checked_shr(shift).unwrap_or_default()) {
            return Err(not_found());
        }
        let buckets_at = table + 16 + 8 * u64::from(bloom);
        let bucket = buckets_at + 4 * u64::from(hash % buckets.max(1));
        let bucket = self.table::<U32<NE>>(bucket, 4, WHAT)?;
        let mut index = bucket.first().map_or(0, |index| index.get(NE));
        while index != 0
            && let Some(candidate) = symbols.get(index as usize)
        {
            let place = u64::from(buckets) + u64::from(index.saturating_sub(first));
            let chain = self.table::<U32<NE>>(buckets_at + 4 * place, 4, WHAT)?;
            let entry = chain.first().map_or(1, |entry| entry.get(NE));
            if entry | 1 == hash | 1 && self.name_of(candidate)? == name {
                return if std::ptr::eq(candidate, symbol) { Ok(()) } else { Err(not_found()) };
            }
            if entry & 1 == 1 {
                break;
            }
            index += 1;
        }
        Err(not_found())
    }

    fn check_relocations(
        &self,
        symbols: &[Symbol],
        keep: &[(u64, u64)],
        pointers: &mut BTreeMap<u64, Pointer>,
    ) -> Result<(), Fault> {
        let kinds = Kinds::of(self.header.e_machine.get(NE));
        for (start, size, what) in [
            (elf::DT_RELA, elf::DT_RELASZ, "relocations"),
            (elf::DT_JMPREL, elf::DT_PLTRELSZ, "relocations of calls"),
        ] {
            let relative = match start {
                elf::DT_RELA => self.tag(elf::DT_RELACOUNT).unwrap_or_default(),
                _ => 0,
            };
            let entries = self.sized_table::<Rela64<NE>>(start, size, what)?;
            if relative > entries.len() as u64 {
                let expected = format!("at most {} relative ones", entries.len());
                return Err(Fault::new(what, expected, relative));
            }
            for (index, entry) in entries.iter().enumerate() {
                let (symbol, kind) = (entry.r_info.get(NE) >> 32, entry.r_info.get(NE) as u32);
                let (at, addend) = (entry.r_offset.get(NE), entry.r_addend.get(NE) as u64);
                if symbol >= symbols.len() as u64 {
                    let what = format!("{what}: number of a symbol");
                    return Err(Fault::new(what, format!("below {}", symbols.len()), symbol));
                }
                let Some(kinds) = &kinds else {
                    self.check_written(at, 8, keep)?;
                    continue;
                };
                // The loader does not look at the kind of these.
                if (index as u64) < relative && kind != kinds.relative {
                    let found = format!("kind {kind} at place {index}");
                    return Err(Fault::new(what, format!("{relative} relative ones first"), found));
                }
                // R_*_NONE writes nothing.
                if kind == 0 {
                    continue;
                }
                let size = if kind == kinds.descriptor { 16 } else { 8 };
                let pointer = if kind == kinds.relative {
                    if !self.loads.iter().any(|load| load.holds(addend, 0)) {
                        return Err(outside(&format!("{what}: target"), addend, 0));
                    }
                    Pointer::To(addend)
                } else if kind == kinds.indirect {
                    if !self.is_code(addend) {
                        let found = format!("{addend:#x}");
                        return Err(Fault::new(format!("{what}: function"), "in code", found));
                    }
                    Pointer::Unset
                } else if kinds.symbol.contains(&kind) {
                    Pointer::Symbol(symbol, addend)
                } else if kind == kinds.descriptor || kinds.thread_local.contains(&kind) {
                    if symbol == 0 && !self.thread_local {
                        let expected = "none of thread-local data, as it has no such segment";
                        return Err(Fault::new(what, expected, format!("kind {kind}")));
                    }
                    Pointer::Unset
                } else {
                    let what = format!("{what}: kind of one");
                    return Err(Fault::new(what, "one that a linker writes for Rust", kind));
                };
                self.check_written(at, size, keep)?;
                if let Some(known) = pointers.get_mut(&at) {
                    *known = pointer;
                }
            }
        }
        Ok(())
    }

    fn check_packed_relocations(
        &self,
        keep: &[(u64, u64)],
        pointers: &mut BTreeMap<u64, Pointer>,
    ) -> Result<(), Fault> {
        const WHAT: &str = "packed relocations";
        let mut written = |at: u64| {
            self.check_written(at, 8, keep)?;
            if let Some(known) = pointers.get_mut(&at) {
                let word = self.table::<U64<NE>>(at, 8, WHAT)?;
                *known = word.first().map_or(Pointer::Unset, |word| Pointer::To(word.get(NE)));
            }
            Ok(())
        };
        let mut at: u64 = 0;
        let words = self.sized_table::<U64<NE>>(elf::DT_RELR, elf::DT_RELRSZ, WHAT)?;
        for word in words.iter().map(|word| word.get(NE)) {
            if word & 1 == 0 {
                written(word)?;
                at = word.saturating_add(8);
            } else {
                for bit in (0..63).filter(|bit| (word >> (bit + 1)) & 1 == 1) {
                    written(at.saturating_add(8 * bit))?;
                }
                at = at.saturating_add(8 * 63);
            }
        }
        Ok(())
    }

    /// What is called has to be code.
    fn check_code(&self, at: u64, pointer: Pointer, symbols: &[Symbol]) -> Result<(), Fault> {
        // A machine whose relocations are not known here.
        if Kinds::of(self.header.e_machine.get(NE)).is_none() {
            return Ok(());
        }
        let (is_code, found) = match pointer {
            Pointer::Unset => (false, "one that is not set".into()),
            Pointer::To(address) => (self.is_code(address), format!("one to {address:#x}")),
            Pointer::Symbol(number, addend) => {
                let symbol = symbols.get(number as usize);
                let own = symbol.filter(|symbol| symbol.st_shndx.get(NE) != elf::SHN_UNDEF);
                let is_code = match own.map(|symbol| symbol.st_value.get(NE)) {
                    Some(address) => self.is_code(address.wrapping_add(addend)),
                    None => number != 0 && addend == 0,
                };
                (is_code, format!("one to symbol {number} and {addend:#x}"))
            }
        };
        if is_code {
            return Ok(());
        }
        Err(Fault::new(format!("function pointer at {at:#x}"), "one to code", found))
    }

    fn is_code(&self, address: u64) -> bool {
        self.loads.iter().any(|load| load.executable && load.holds(address, 1))
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
            (Some(address), Some(size)) => self.table(address, size, what),
            _ => Err(Fault::new(what, "a place and a size", "one of the two")),
        }
    }

    /// Names of the libraries whose symbol versions it asks for. The loader takes for granted that
    /// they are there.
    pub fn versioned(&self) -> Result<Vec<&'a str>, Fault> {
        Ok(self.versions()?.0)
    }

    /// These names, and the highest number of a version.
    fn versions(&self) -> Result<(Vec<&'a str>, u16), Fault> {
        const WHAT: &str = "needed versions";
        let (mut names, mut highest) = (Vec::new(), 0);
        let Some(mut address) = self.tag(elf::DT_VERNEED) else { return Ok((names, highest)) };
        for _ in 0..1024 {
            let entry = self.table::<elf::Verneed<NE>>(address, 16, WHAT)?;
            let [entry] = entry else { return Err(outside(WHAT, address, 16)) };
            names.push(self.text(entry.vn_file.get(NE).into(), WHAT)?);
            highest = highest.max(self.check_versions(address, entry)?);
            match entry.vn_next.get(NE) {
                0 => return Ok((names, highest)),
                next => {
                    address = address
                        .checked_add(next.into())
                        .ok_or_else(|| outside(WHAT, address, next.into()))?;
                }
            }
        }
        Err(Fault::new(WHAT, "an end", "none within 1024 entries"))
    }

    /// The highest number of them.
    fn check_versions(&self, at: u64, entry: &elf::Verneed<NE>) -> Result<u16, Fault> {
        const WHAT: &str = "needed versions";
        let mut address = at.saturating_add(entry.vn_aux.get(NE).into());
        let mut highest = 0;
        for _ in 0..1024 {
            let version = self.table::<elf::Vernaux<NE>>(address, 16, WHAT)?;
            let [version] = version else { return Err(outside(WHAT, address, 16)) };
            self.text(version.vna_name.get(NE).into(), WHAT)?;
            highest = highest.max(version.vna_other.get(NE).0 & elf::VERSYM_VERSION);
            match version.vna_next.get(NE) {
                0 => return Ok(highest),
                next => address = address.saturating_add(next.into()),
            }
        }
        Err(Fault::new(WHAT, "an end", "none within 1024 entries"))
    }
}
