//! The parts of an ELF file that the system's loader acts on, with every range checked.
//!
//! The loader goes by program headers and the dynamic table, so these are what is read here; section
//! headers count only as a sign of a file that was cut.

mod loader_checks;

use std::fmt::Display;

use object::elf::{self, Dyn64, DynamicTag, FileHeader64, ProgramHeader64, SectionHeader64, Sym64};
use object::{NativeEndian as NE, ReadRef, U32, U64};

/// An entry of the dynamic symbol table.
pub(super) type Symbol = Sym64<NE>;

const PAGE_BYTES: u64 = 4096;
const MAX_SPAN_BYTES: u64 = 1 << 30;
const MAX_SEGMENTS: u16 = 64;
/// The loader ends the process when it cannot give a thread so much.
const MAX_THREAD_LOCAL_BYTES: u64 = 16 << 20;

/// What is wrong with a file, without its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub what: String,
    pub expected: String,
    pub found: String,
}

impl Fault {
    pub fn new(what: impl Display, expected: impl Display, found: impl Display) -> Self {
        Self { what: what.to_string(), expected: expected.to_string(), found: found.to_string() }
    }
}

/// What a file was made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Machine {
    class: u8,
    endianness: u8,
    machine: u16,
}

impl Machine {
    /// Of a file that begins with `head`; `None` where that is no ELF file.
    pub fn of(head: &[u8]) -> Option<Self> {
        let ident = head.get(..20)?;
        let (class, endianness) = (ident[4], ident[5]);
        let machine = match endianness {
            2 => u16::from_be_bytes([ident[18], ident[19]]),
            _ => u16::from_le_bytes([ident[18], ident[19]]),
        };
        ident.starts_with(b"\x7fELF").then_some(Self { class, endianness, machine })
    }

    /// True for files that this module can read: those of the 64-bit machine it runs on.
    pub fn readable(self) -> bool {
        self.class == 2 && self.endianness == if cfg!(target_endian = "big") { 2 } else { 1 }
    }
}

impl Display for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let bits = match self.class {
            1 => "32-bit".into(),
            2 => "64-bit".into(),
            class => format!("class {class}"),
        };
        let endianness = match self.endianness {
            1 => "little-endian".into(),
            2 => "big-endian".into(),
            data => format!("encoding {data}"),
        };
        match elf::Machine(self.machine) {
            elf::EM_X86_64 => write!(f, "{bits} {endianness} x86_64"),
            elf::EM_AARCH64 => write!(f, "{bits} {endianness} aarch64"),
            elf::EM_386 => write!(f, "{bits} {endianness} i386"),
            elf::Machine(machine) => write!(f, "{bits} {endianness} machine {machine}"),
        }
    }
}

/// A range of memory that is mapped from the file.
#[derive(Clone, Copy, Debug)]
struct Load {
    address: u64,
    memory_bytes: u64,
    offset: u64,
    file_bytes: u64,
    readable: bool,
    writable: bool,
    executable: bool,
}

impl Load {
    fn holds(&self, address: u64, size: u64) -> bool {
        holds(self.address, self.memory_bytes, address, size)
    }
}

fn holds(start: u64, len: u64, address: u64, size: u64) -> bool {
    address.checked_sub(start).and_then(|at| at.checked_add(size)).is_some_and(|end| end <= len)
}

/// An ELF file whose headers are in order.
pub(super) struct Image<'a, R> {
    data: R,
    loads: Vec<Load>,
    dynamic: Vec<(DynamicTag, u64)>,
    strings: &'a [u8],
    header: &'a FileHeader64<NE>,
    headers: &'a [ProgramHeader64<NE>],
    /// Address and size of the dynamic table.
    dynamic_at: (u64, u64),
    /// Address and size of the table by which a panic finds its way out.
    unwinding_at: Option<(u64, u64)>,
    thread_local: bool,
    /// `ET_DYN` for shared libraries, and for executables that can be anywhere in memory.
    pub file_type: elf::FileType,
    /// The loader's path, in executables.
    pub interpreter: Option<String>,
    /// True if it asks for a stack on which code can run, as the one does that does not ask.
    pub executable_stack: bool,
}

impl<'a, R: ReadRef<'a>> Image<'a, R> {
    /// Reads the headers, the dynamic table and the names it refers to. The file has to be
    /// [readable](Machine::readable).
    pub fn parse(data: R) -> Result<Self, Fault> {
        let len = data.len().map_err(|()| Fault::new("the file", "readable", "a read error"))?;
        let header: &FileHeader64<NE> = read(data, 0, 1, "file header")?.0;
        check_sections(data, len, header)?;

        let (entry_size, count) = (header.e_phentsize.get(NE), header.e_phnum.get(NE));
        if usize::from(entry_size) != size_of::<ProgramHeader64<NE>>() {
            return Err(Fault::new("size of a program header", "56 bytes", entry_size));
        }
        if count == 0 || count > MAX_SEGMENTS {
            let expected = format!("1 to {MAX_SEGMENTS}");
            return Err(Fault::new("number of program headers", expected, count));
        }
        let (_, headers) = read::<ProgramHeader64<NE>, R>(
            data,
            header.e_phoff.get(NE),
            count.into(),
            "program headers",
        )?;

        let mut loads = Vec::new();
        for header in headers {
            check_in_file(header, len)?;
            if header.p_type.get(NE) == elf::PT_LOAD {
                loads.push(load(header, loads.last())?);
            }
        }
        let span = match (loads.first(), loads.last()) {
            (Some(first), Some(last)) => {
                (last.address + last.memory_bytes).saturating_sub(first.address)
            }
            _ => return Err(Fault::new("segments to load", "at least one", "none")),
        };
        if span > MAX_SPAN_BYTES {
            let expected = format!("at most {MAX_SPAN_BYTES} bytes");
            return Err(Fault::new("memory for all segments", expected, format!("{span} bytes")));
        }

        let mut image = Self {
            data,
            loads,
            dynamic: Vec::new(),
            strings: &[],
            header,
            headers,
            dynamic_at: (0, 0),
            unwinding_at: None,
            thread_local: false,
            file_type: header.e_type.get(NE),
            interpreter: None,
            executable_stack: false,
        };
        image.read_special_segments()?;
        let table = image.value(elf::DT_STRTAB, "string table")?;
        let size = image.value(elf::DT_STRSZ, "size of the string table")?;
        image.strings = image.bytes(table, size, "string table")?;
        if image.strings.last() != Some(&0) {
            return Err(Fault::new("last byte of the string table", 0, "something else"));
        }
        Ok(image)
    }

    fn read_special_segments(&mut self) -> Result<(), Fault> {
        let (mut dynamic_tables, mut stacks) = (0, 0);
        for header in self.headers {
            let (address, size) = (header.p_vaddr.get(NE), header.p_filesz.get(NE));
            // The loader goes by either.
            let either = size.max(header.p_memsz.get(NE));
            match header.p_type.get(NE) {
                elf::PT_DYNAMIC => {
                    dynamic_tables += 1;
                    self.dynamic_at = (address, either);
                    let entries = self.table::<Dyn64<NE>>(address, either, "dynamic table")?;
                    self.dynamic = entries
                        .iter()
                        .map(|entry| (entry.d_tag.get(NE), entry.d_val.get(NE)))
                        .take_while(|(tag, _)| *tag != elf::DT_NULL)
                        .collect();
                    if self.dynamic.len() == entries.len() {
                        return Err(Fault::new("dynamic table", "a closing entry", "none"));
                    }
                }
                elf::PT_INTERP => {
                    let path = self.bytes(address, size, "the loader's path")?;
                    let path = path.strip_suffix(b"\0").unwrap_or(path);
                    self.interpreter = Some(String::from_utf8_lossy(path).into_owned());
                }
                elf::PT_GNU_STACK => {
                    stacks += 1;
                    self.executable_stack |= executable(header);
                }
                elf::PT_GNU_RELRO => {
                    let size = header.p_memsz.get(NE);
                    let inside = self.loads.iter().any(|load| {
                        let end = (load.address + load.memory_bytes).next_multiple_of(PAGE_BYTES);
                        load.writable && holds(load.address, end - load.address, address, size)
                    });
                    if !inside {
                        return Err(outside("read-only after relocation", address, size));
                    }
                }
                elf::PT_TLS => {
                    let (file, memory) = (size, header.p_memsz.get(NE));
                    let align = header.p_align.get(NE);
                    if memory < file
                        || memory > MAX_THREAD_LOCAL_BYTES
                        || align > PAGE_BYTES
                        || (align > 1 && !align.is_power_of_two())
                    {
                        let found = format!("{memory} bytes aligned to {align}");
                        let expected = format!(
                            "{file} to {MAX_THREAD_LOCAL_BYTES} bytes aligned to a power of 2 up to {PAGE_BYTES}"
                        );
                        return Err(Fault::new("thread-local segment", expected, found));
                    }
                    self.thread_local = true;
                    if file > 0 {
                        self.bytes(address, file, "thread-local segment")?;
                    }
                }
                elf::PT_NOTE | elf::PT_GNU_PROPERTY if either > 0 => {
                    self.bytes(address, either, "notes")?;
                }
                elf::PT_GNU_EH_FRAME => self.unwinding_at = Some((address, either)),
                _ => {}
            }
        }
        self.executable_stack |= stacks == 0;
        match dynamic_tables {
            1 => Ok(()),
            found => Err(Fault::new("dynamic tables", 1, found)),
        }
    }

    /// The bytes at `address` once loaded, before relocation.
    pub fn bytes(&self, address: u64, size: u64, what: &str) -> Result<&'a [u8], Fault> {
        let offset = self
            .loads
            .iter()
            .find(|load| holds(load.address, load.file_bytes, address, size))
            .and_then(|load| load.offset.checked_add(address - load.address))
            .ok_or_else(|| outside(what, address, size))?;
        self.data.read_bytes_at(offset, size).map_err(|()| outside(what, address, size))
    }

    /// Where an address is in the file.
    pub fn offset_of(&self, address: u64) -> Option<u64> {
        let load = self.loads.iter().find(|load| load.holds(address, 1))?;
        load.offset.checked_add(address - load.address)
    }

    fn table<T: object::Pod>(&self, address: u64, size: u64, what: &str) -> Result<&'a [T], Fault> {
        let entry = size_of::<T>();
        let bytes = self.bytes(address, size, what)?;
        let count = bytes.len() / entry;
        match object::slice_from_bytes(bytes, count) {
            Ok((entries, [])) => Ok(entries),
            _ => Err(Fault::new(
                what,
                format!("whole, aligned entries of {entry} bytes"),
                format!("{size} bytes at address {address:#x}"),
            )),
        }
    }

    fn tag(&self, tag: DynamicTag) -> Option<u64> {
        self.dynamic.iter().find(|(found, _)| *found == tag).map(|(_, value)| *value)
    }

    fn value(&self, tag: DynamicTag, what: &str) -> Result<u64, Fault> {
        self.tag(tag).ok_or_else(|| Fault::new(what, "an entry in the dynamic table", "none"))
    }

    fn string(&self, at: u64, what: &str) -> Result<&'a [u8], Fault> {
        let tail = usize::try_from(at).ok().and_then(|at| self.strings.get(at..));
        tail.and_then(|tail| tail.split(|byte| *byte == 0).next()).ok_or_else(|| {
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
    pub fn search_path(&self) -> Option<String> {
        let at = self.tag(elf::DT_RUNPATH).or_else(|| self.tag(elf::DT_RPATH))?;
        self.string(at, "search path").ok().map(|path| String::from_utf8_lossy(path).into_owned())
    }

    /// The dynamic symbols. Their number stands only in the hash tables.
    pub fn symbols(&self) -> Result<&'a [Symbol], Fault> {
        let count = match (self.tag(elf::DT_GNU_HASH), self.tag(elf::DT_HASH)) {
            (Some(table), _) => self.count_by_gnu_hash(table)?,
            (None, Some(table)) => {
                let counts = self.table::<U32<NE>>(table, 8, "hash table")?;
                counts.get(1).map_or(0, |count| count.get(NE).into())
            }
            (None, None) => return Err(Fault::new("hash table of the symbols", "one", "none")),
        };
        let address = self.value(elf::DT_SYMTAB, "symbol table")?;
        self.table(address, size_in_bytes::<Symbol>(count)?, "symbol table")
    }

    /// Walks the last chain, which ends with the last symbol.
    fn count_by_gnu_hash(&self, table: u64) -> Result<u64, Fault> {
        const WHAT: &str = "hash table of the symbols";
        let header = self.table::<U32<NE>>(table, 16, WHAT)?;
        let [buckets, first, bloom, _] = header else {
            return Err(Fault::new(WHAT, "4 numbers", header.len()));
        };
        let (bucket_count, first) = (u64::from(buckets.get(NE)), u64::from(first.get(NE)));
        let bloom_count = u64::from(bloom.get(NE));
        if bucket_count == 0 || !bloom_count.is_power_of_two() {
            let found = format!("{bucket_count} buckets, filter of {bloom_count} words");
            return Err(Fault::new(WHAT, "buckets, and a filter of 2^n words", found));
        }
        let after = |address: u64, size: u64| {
            address.checked_add(size).ok_or_else(|| outside(WHAT, address, size))
        };
        let bloom_at = after(table, 16)?;
        self.table::<U64<NE>>(bloom_at, bloom_count * 8, WHAT)?;
        let buckets_at = after(bloom_at, bloom_count * 8)?;
        let buckets = self.table::<U32<NE>>(buckets_at, bucket_count * 4, WHAT)?;
        let chains_at = after(buckets_at, bucket_count * 4)?;

        let mut last = 0;
        for bucket in buckets.iter().map(|bucket| u64::from(bucket.get(NE))) {
            if bucket != 0 && bucket < first {
                return Err(Fault::new(WHAT, format!("symbols from {first} on"), bucket));
            }
            last = last.max(bucket);
        }
        if last == 0 {
            return Ok(first);
        }
        // Chains lie one behind the other to the end of the table's segment at most.
        let rest = self
            .loads
            .iter()
            .find(|load| holds(load.address, load.file_bytes, chains_at, 0))
            .map_or(0, |load| load.address + load.file_bytes - chains_at);
        let size = (rest / 4).saturating_sub(last - first).min(1 << 24) * 4;
        let start = after(chains_at, (last - first) * 4)?;
        for (index, hash) in self.table::<U32<NE>>(start, size, WHAT)?.iter().enumerate() {
            if hash.get(NE) & 1 == 1 {
                return Ok(last + index as u64 + 1);
            }
        }
        Err(Fault::new(WHAT, "an end of the last chain", "none"))
    }

    /// The name of a symbol of this file.
    pub fn name_of(&self, symbol: &Symbol) -> Result<&'a [u8], Fault> {
        self.string(symbol.st_name.get(NE).into(), "symbol")
    }
}

/// True if other files can bind to this symbol.
pub(super) fn is_offered(symbol: &Symbol) -> bool {
    let hidden = [elf::STV_HIDDEN, elf::STV_INTERNAL];
    symbol.st_shndx.get(NE) != elf::SHN_UNDEF
        && symbol.st_bind() != elf::STB_LOCAL
        && !hidden.contains(&symbol.st_visibility())
}

/// True if loading fails when nobody defines this symbol. The first one of each file is none.
pub(super) fn is_required(symbol: &Symbol) -> bool {
    symbol.st_shndx.get(NE) == elf::SHN_UNDEF
        && ![elf::STB_LOCAL, elf::STB_WEAK].contains(&symbol.st_bind())
}

fn outside(what: &str, address: u64, size: u64) -> Fault {
    Fault::new(what, "inside of a loaded segment", format!("{size} bytes at address {address:#x}"))
}

fn size_in_bytes<T>(count: u64) -> Result<u64, Fault> {
    count
        .checked_mul(size_of::<T>() as u64)
        .ok_or_else(|| Fault::new("number of entries", "one that fits into the file", count))
}

fn executable(header: &ProgramHeader64<NE>) -> bool {
    header.p_flags.get(NE).0 & elf::PF_X.0 != 0
}

/// `count` entries, and the first of them.
fn read<'a, T: object::Pod, R: ReadRef<'a>>(
    data: R,
    offset: u64,
    count: usize,
    what: &str,
) -> Result<(&'a T, &'a [T]), Fault> {
    let entries = data.read_slice_at::<T>(offset, count).ok();
    entries.and_then(|entries| Some((entries.first()?, entries))).ok_or_else(|| {
        let expected = format!("{count} times {} bytes in the file", size_of::<T>());
        Fault::new(what, expected, format!("offset {offset:#x}, which is cut off or not aligned"))
    })
}

fn check_sections<'a, R: ReadRef<'a>>(
    data: R,
    len: u64,
    header: &FileHeader64<NE>,
) -> Result<(), Fault> {
    let (offset, count) = (header.e_shoff.get(NE), header.e_shnum.get(NE));
    if offset == 0 || count == 0 {
        return Ok(());
    }
    let (_, sections) =
        read::<SectionHeader64<NE>, R>(data, offset, count.into(), "section headers")?;
    for (index, section) in sections.iter().enumerate() {
        let (offset, size) = (section.sh_offset.get(NE), section.sh_size.get(NE));
        let empty = [elf::SHT_NOBITS, elf::SHT_NULL].contains(&section.sh_type.get(NE));
        if !empty && !holds(0, len, offset, size) {
            let found = format!("{size} bytes at offset {offset:#x}");
            let expected = format!("inside of the file of {len} bytes");
            return Err(Fault::new(format!("section {index}"), expected, found));
        }
    }
    Ok(())
}

fn check_in_file(header: &ProgramHeader64<NE>, len: u64) -> Result<(), Fault> {
    let (offset, size) = (header.p_offset.get(NE), header.p_filesz.get(NE));
    if size == 0 || holds(0, len, offset, size) {
        return Ok(());
    }
    let what = format!("segment {:?}", header.p_type.get(NE));
    let found = format!("{size} bytes at offset {offset:#x}");
    Err(Fault::new(what, format!("inside of the file of {len} bytes"), found))
}

fn load(header: &ProgramHeader64<NE>, previous: Option<&Load>) -> Result<Load, Fault> {
    const WHAT: &str = "segment to load";
    let load = Load {
        address: header.p_vaddr.get(NE),
        memory_bytes: header.p_memsz.get(NE),
        offset: header.p_offset.get(NE),
        file_bytes: header.p_filesz.get(NE),
        readable: header.p_flags.get(NE).0 & elf::PF_R.0 != 0,
        writable: header.p_flags.get(NE).0 & elf::PF_W.0 != 0,
        executable: executable(header),
    };
    if load.memory_bytes < load.file_bytes {
        let expected = format!("at least {} bytes of memory", load.file_bytes);
        return Err(Fault::new(WHAT, expected, load.memory_bytes));
    }
    // Room for rounding up to pages.
    let end = load.address.checked_add(load.memory_bytes);
    if end.and_then(|end| end.checked_add(PAGE_BYTES)).is_none() {
        return Err(Fault::new(WHAT, "an end below 2^64", format!("{:#x}", load.address)));
    }
    if load.address % PAGE_BYTES != load.offset % PAGE_BYTES {
        let found = format!("address {:#x}, offset {:#x}", load.address, load.offset);
        return Err(Fault::new(WHAT, "address and offset at one place of a page", found));
    }
    let align = header.p_align.get(NE);
    if !align.is_power_of_two() {
        return Err(Fault::new(WHAT, "alignment to a power of 2", align));
    }
    let free_from = previous.map_or(0, |previous| previous.address + previous.memory_bytes);
    if load.address < free_from {
        let expected = format!("an address from {free_from:#x} on");
        return Err(Fault::new(WHAT, expected, format!("{:#x}", load.address)));
    }
    Ok(load)
}

#[cfg(test)]
impl<'a, R: ReadRef<'a>> Image<'a, R> {
    /// Addresses of these tables, with a size that is worth damaging.
    pub fn places_of(&self, tags: &[DynamicTag]) -> Vec<(u64, usize)> {
        tags.iter().filter_map(|tag| Some((self.tag(*tag)?, 512))).collect()
    }

    /// Where the dynamic table is in the file.
    pub fn dynamic_offset(&self) -> Option<u64> {
        let header: &FileHeader64<NE> = self.data.read_at(0).ok()?;
        let (at, count) = (header.e_phoff.get(NE), header.e_phnum.get(NE).into());
        let headers = self.data.read_slice_at::<ProgramHeader64<NE>>(at, count).ok()?;
        let header = headers.iter().find(|header| header.p_type.get(NE) == elf::PT_DYNAMIC)?;
        Some(header.p_offset.get(NE))
    }
}
