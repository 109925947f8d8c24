//! The segments that the loader maps, and the program headers that it acts on.

use object::elf::{self, ProgramHeader64};
use object::read::elf::ProgramHeader;
use object::{NativeEndian as NE, ReadRef};

use super::{Fault, Image, PAGE_BYTES};

/// Where the loader cannot allocate a thread's data, it ends the process.
const MAX_THREAD_LOCAL_BYTES: u64 = 16 << 20;
const HUGE_PAGE_BYTES: u64 = 2 << 20;
const WHAT: &str = "segment to load";

/// A range of memory that is mapped from the file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment {
    pub address: u64,
    pub memory_bytes: u64,
    pub file_bytes: u64,
    offset: u64,
    readable: bool,
    pub writable: bool,
    pub executable: bool,
}

impl Segment {
    pub fn new(header: &ProgramHeader64<NE>, previous: Option<&Self>) -> Result<Self, Fault> {
        let flags = header.p_flags(NE);
        let segment = Self {
            address: header.p_vaddr(NE),
            memory_bytes: header.p_memsz(NE),
            file_bytes: header.p_filesz(NE),
            offset: header.p_offset(NE),
            readable: flags.contains(elf::PF_R),
            writable: flags.contains(elf::PF_W),
            executable: flags.contains(elf::PF_X),
        };
        if segment.memory_bytes < segment.file_bytes {
            let expected = format!("at least {} bytes of memory", segment.file_bytes);
            return Err(Fault::new(WHAT, expected, segment.memory_bytes));
        }
        // Room for rounding up to pages.
        let end = segment.address.checked_add(segment.memory_bytes);
        if end.and_then(|end| end.checked_add(PAGE_BYTES)).is_none() {
            return Err(Fault::new(WHAT, "an end below 2^64", format!("{:#x}", segment.address)));
        }
        if segment.address % PAGE_BYTES != segment.offset % PAGE_BYTES {
            let found = format!("address {:#x}, offset {:#x}", segment.address, segment.offset);
            return Err(Fault::new(WHAT, "address and offset at one place of a page", found));
        }
        let free_from = previous.map_or(0, Self::end);
        if segment.address < free_from {
            let expected = format!("an address from {free_from:#x} on");
            return Err(Fault::new(WHAT, expected, format!("{:#x}", segment.address)));
        }
        Ok(segment)
    }

    pub fn end(&self) -> u64 {
        self.address + self.memory_bytes
    }

    pub fn holds(&self, address: u64, size: u64) -> bool {
        holds(self.address, self.memory_bytes, address, size)
    }

    /// True if these bytes are in the file, and not only zeros in memory.
    pub fn has_bytes(&self, address: u64, size: u64) -> bool {
        holds(self.address, self.file_bytes, address, size)
    }

    pub fn offset_of(&self, address: u64) -> Option<u64> {
        self.offset.checked_add(address.checked_sub(self.address)?)
    }

    fn rights(&self) -> String {
        [(self.readable, 'r'), (self.writable, 'w'), (self.executable, 'x')]
            .map(|(right, letter)| if right { letter } else { '-' })
            .iter()
            .collect()
    }
}

pub(super) fn holds(start: u64, len: u64, address: u64, size: u64) -> bool {
    address.checked_sub(start).and_then(|at| at.checked_add(size)).is_some_and(|end| end <= len)
}

/// Checks that the bytes of a program header's segment are in the file.
pub(super) fn check_range(header: &ProgramHeader64<NE>, len: u64) -> Result<(), Fault> {
    let (offset, size) = header.file_range(NE);
    if size == 0 || holds(0, len, offset, size) {
        return Ok(());
    }
    let what = format!("segment {:?}", header.p_type(NE));
    let found = format!("{size} bytes at offset {offset:#x}");
    Err(Fault::new(what, format!("inside of the file of {len} bytes"), found))
}

fn check_alignment(align: u64) -> Result<(), Fault> {
    if align.is_power_of_two() && (PAGE_BYTES..=HUGE_PAGE_BYTES).contains(&align) {
        return Ok(());
    }
    let expected = format!("alignment to 2^n bytes, {PAGE_BYTES} to {HUGE_PAGE_BYTES}");
    Err(Fault::new(WHAT, expected, align))
}

impl<'a, R: ReadRef<'a>> Image<'a, R> {
    pub(super) fn check_segments(&self) -> Result<(), Fault> {
        self.check_loaded_segments()?;
        self.check_stack()?;
        for header in self.headers {
            let (address, file_bytes) = (header.p_vaddr(NE), header.p_filesz(NE));
            let size = file_bytes.max(header.p_memsz(NE));
            match header.p_type(NE) {
                elf::PT_LOAD => check_alignment(header.p_align(NE))?,
                elf::PT_PHDR => self.check_header_address(address)?,
                elf::PT_GNU_RELRO => self.check_relro(address, header.p_memsz(NE))?,
                elf::PT_TLS => self.check_thread_local(header)?,
                elf::PT_NOTE | elf::PT_GNU_PROPERTY if size > 0 => {
                    self.bytes(address, size, "notes")?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The loader maps whole pages, each with the rights of the last segment in it.
    fn check_loaded_segments(&self) -> Result<(), Fault> {
        let mut free_from = 0;
        for segment in &self.segments {
            if !segment.readable || (segment.writable && segment.executable) {
                let what = format!("{WHAT}: rights");
                return Err(Fault::new(what, "r--, rw- or r-x", segment.rights()));
            }
            if segment.address < free_from {
                let expected = format!("a page of its own, from {free_from:#x} on");
                return Err(Fault::new(WHAT, expected, format!("{:#x}", segment.address)));
            }
            free_from = segment.end().next_multiple_of(PAGE_BYTES);
        }
        Ok(())
    }

    /// Without a header for the stack, the loader makes it executable.
    fn check_stack(&self) -> Result<(), Fault> {
        let mut stacks = self.headers_of(elf::PT_GNU_STACK).peekable();
        if stacks.peek().is_none() || stacks.any(|header| header.p_flags(NE).contains(elf::PF_X)) {
            return Err(Fault::new("stack", "data only", "a request to run code on it"));
        }
        Ok(())
    }

    /// An unwinding panic reads the program headers in memory.
    fn check_header_address(&self, address: u64) -> Result<(), Fault> {
        const WHAT: &str = "place of the program headers";
        self.bytes(address, size_of_val(self.headers) as u64, WHAT)?;
        let expected = format!("offset {:#x}", self.header.e_phoff.get(NE));
        let found = format!("offset {:#x}", self.offset_of(address).unwrap_or_default());
        if found != expected {
            return Err(Fault::new(WHAT, expected, found));
        }
        Ok(())
    }

    fn check_relro(&self, address: u64, size: u64) -> Result<(), Fault> {
        let inside = self.segments.iter().any(|segment| {
            let len = segment.end().next_multiple_of(PAGE_BYTES) - segment.address;
            segment.writable && holds(segment.address, len, address, size)
        });
        if inside {
            return Ok(());
        }
        Err(Fault::outside("read-only after relocation", address, size))
    }

    fn check_thread_local(&self, header: &ProgramHeader64<NE>) -> Result<(), Fault> {
        const WHAT: &str = "thread-local segment";
        let (file_bytes, memory_bytes) = (header.p_filesz(NE), header.p_memsz(NE));
        let align = header.p_align(NE);
        let aligned = align <= 1 || (align.is_power_of_two() && align <= PAGE_BYTES);
        if !aligned || !(file_bytes..=MAX_THREAD_LOCAL_BYTES).contains(&memory_bytes) {
            let found = format!("{memory_bytes} bytes aligned to {align}");
            let expected = format!(
                "{file_bytes} to {MAX_THREAD_LOCAL_BYTES} bytes aligned to a power of 2 up to {PAGE_BYTES}"
            );
            return Err(Fault::new(WHAT, expected, found));
        }
        if file_bytes > 0 {
            self.bytes(header.p_vaddr(NE), file_bytes, WHAT)?;
        }
        Ok(())
    }
}
