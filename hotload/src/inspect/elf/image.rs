//! A file's headers, and its bytes by the addresses at which they are loaded.

use object::elf::{self, Dyn64, DynamicTag, ProgramHeader64};
use object::read::elf::{FileHeader, ProgramHeader, SectionHeader};
use object::{NativeEndian as NE, ReadRef, StringTable};

use super::segments::{Segment, check_range, holds};
use super::{Fault, Header};

const MAX_SPAN_BYTES: u64 = 1 << 30;
const MAX_SEGMENTS: u16 = 64;

/// An ELF file whose headers are in order.
pub(in super::super) struct Image<'a, R> {
    pub(super) data: R,
    pub(super) header: &'a Header,
    pub(super) headers: &'a [ProgramHeader64<NE>],
    /// The segments to load, in the order of their addresses.
    pub(super) segments: Vec<Segment>,
    /// The dynamic table up to its end.
    pub(super) dynamic: Vec<(DynamicTag, u64)>,
    /// Address and size of the dynamic table.
    pub(super) dynamic_at: (u64, u64),
    /// The dynamic table's strings; the last byte is 0.
    pub(super) strings: &'a [u8],
}

impl<'a, R: ReadRef<'a>> Image<'a, R> {
    /// Reads the headers, the dynamic table and its strings. The file has to be
    /// [readable](super::Machine::readable).
    pub fn parse(data: R) -> Result<Self, Fault> {
        let len = data.len().map_err(|()| Fault::new("the file", "readable", "a read error"))?;
        let header = data.read_at::<Header>(0).map_err(|()| cut("file header", "cut off"))?;
        check_sections(data, len, header)?;
        let headers = program_headers(data, header)?;

        let mut segments: Vec<Segment> = Vec::new();
        for header in headers {
            check_range(header, len)?;
            if header.p_type(NE) == elf::PT_LOAD {
                segments.push(Segment::new(header, segments.last())?);
            }
        }
        let (Some(first), Some(last)) = (segments.first(), segments.last()) else {
            return Err(Fault::new("segments to load", "at least one", "none"));
        };
        let span = last.end().saturating_sub(first.address);
        if span > MAX_SPAN_BYTES {
            let expected = format!("at most {MAX_SPAN_BYTES} bytes");
            return Err(Fault::new("memory for all segments", expected, format!("{span} bytes")));
        }

        let mut image = Self {
            data,
            header,
            headers,
            segments,
            dynamic: Vec::new(),
            dynamic_at: (0, 0),
            strings: &[],
        };
        image.read_dynamic_table()?;
        let table = image.value(elf::DT_STRTAB, "string table")?;
        let size = image.value(elf::DT_STRSZ, "size of the string table")?;
        image.strings = image.bytes(table, size, "string table")?;
        if image.strings.last() != Some(&0) {
            return Err(Fault::new("last byte of the string table", 0, "something else"));
        }
        Ok(image)
    }

    fn read_dynamic_table(&mut self) -> Result<(), Fault> {
        let mut tables = self.headers_of(elf::PT_DYNAMIC);
        let (Some(header), None) = (tables.next(), tables.next()) else {
            let found = self.headers_of(elf::PT_DYNAMIC).count();
            return Err(Fault::new("dynamic tables", 1, found));
        };
        // Loaders differ in which of the two sizes they use.
        let size = header.p_filesz(NE).max(header.p_memsz(NE));
        self.dynamic_at = (header.p_vaddr(NE), size);
        let entries = self.table::<Dyn64<NE>>(header.p_vaddr(NE), size, "dynamic table")?;
        self.dynamic = entries
            .iter()
            .map(|entry| (entry.d_tag.get(NE), entry.d_val.get(NE)))
            .take_while(|(tag, _)| *tag != elf::DT_NULL)
            .collect();
        if self.dynamic.len() == entries.len() {
            return Err(Fault::new("dynamic table", "a closing entry", "none"));
        }
        Ok(())
    }

    /// `ET_DYN` for shared libraries, and for executables that can be anywhere in memory.
    pub fn file_type(&self) -> elf::FileType {
        self.header.e_type(NE)
    }

    /// The loader's path, in executables.
    pub fn interpreter(&self) -> Result<Option<String>, Fault> {
        let Some(header) = self.headers_of(elf::PT_INTERP).next() else { return Ok(None) };
        let path = header
            .interpreter(NE, self.data)
            .map_err(|error| Fault::new("the loader's path", "one that ends with 0", error))?;
        Ok(path.map(|path| String::from_utf8_lossy(path).into_owned()))
    }

    pub(super) fn headers_of(
        &self,
        kind: elf::ProgramType,
    ) -> impl Iterator<Item = &'a ProgramHeader64<NE>> + use<'a, R> {
        self.headers.iter().filter(move |header| header.p_type(NE) == kind)
    }

    /// The bytes at `address` once loaded, before relocation.
    pub fn bytes(&self, address: u64, size: u64, what: &str) -> Result<&'a [u8], Fault> {
        let segment = self.segments.iter().find(|segment| segment.has_bytes(address, size));
        let offset = segment.and_then(|segment| segment.offset_of(address));
        let bytes = offset.and_then(|offset| self.data.read_bytes_at(offset, size).ok());
        bytes.ok_or_else(|| Fault::outside(what, address, size))
    }

    /// The bytes from `address` to the end of its segment, at most `most` of them: for tables that
    /// have no size of their own.
    pub(super) fn bytes_from(
        &self,
        address: u64,
        most: u64,
        what: &str,
    ) -> Result<&'a [u8], Fault> {
        let segment = self.segments.iter().find(|segment| segment.has_bytes(address, 1));
        let segment = segment.ok_or_else(|| Fault::outside(what, address, 1))?;
        let rest = segment.address + segment.file_bytes - address;
        self.bytes(address, rest.min(most), what)
    }

    /// Where an address is in the file.
    pub fn offset_of(&self, address: u64) -> Option<u64> {
        self.segments.iter().find(|segment| segment.holds(address, 1))?.offset_of(address)
    }

    pub(super) fn table<T: object::Pod>(
        &self,
        address: u64,
        size: u64,
        what: &str,
    ) -> Result<&'a [T], Fault> {
        let bytes = self.bytes(address, size, what)?;
        match object::slice_from_bytes(bytes, bytes.len() / size_of::<T>()) {
            Ok((entries, [])) => Ok(entries),
            _ => {
                let expected = format!("whole, aligned entries of {} bytes", size_of::<T>());
                Err(Fault::new(what, expected, format!("{size} bytes at address {address:#x}")))
            }
        }
    }

    pub(super) fn strings(&self) -> StringTable<'a> {
        StringTable::new(self.strings, 0, self.strings.len() as u64)
    }

    pub(super) fn is_writable(&self, address: u64, size: u64) -> bool {
        self.segments.iter().any(|segment| segment.writable && segment.holds(address, size))
    }

    pub(super) fn is_code(&self, address: u64) -> bool {
        self.segments.iter().any(|segment| segment.executable && segment.holds(address, 1))
    }
}

fn cut(what: &str, how: &str) -> Fault {
    Fault::new(what, "whole and aligned in the file", format!("one which is {how}"))
}

fn program_headers<'a, R: ReadRef<'a>>(
    data: R,
    header: &Header,
) -> Result<&'a [ProgramHeader64<NE>], Fault> {
    let (entry_size, count) = (header.e_phentsize(NE), header.e_phnum(NE));
    if usize::from(entry_size) != size_of::<ProgramHeader64<NE>>() {
        return Err(Fault::new("size of a program header", "56 bytes", entry_size));
    }
    if count == 0 || count > MAX_SEGMENTS {
        let expected = format!("1 to {MAX_SEGMENTS}");
        return Err(Fault::new("number of program headers", expected, count));
    }
    header
        .program_headers(NE, data)
        .map_err(|error| cut("program headers", &format!("cut off: {error}")))
}

fn check_sections<'a, R: ReadRef<'a>>(data: R, len: u64, header: &Header) -> Result<(), Fault> {
    let sections = header
        .section_headers(NE, data)
        .map_err(|error| cut("section headers", &format!("cut off: {error}")))?;
    for (index, section) in sections.iter().enumerate() {
        if let Some((offset, size)) = section.file_range(NE)
            && section.sh_type(NE) != elf::SHT_NULL
            && !holds(0, len, offset, size)
        {
            let found = format!("{size} bytes at offset {offset:#x}");
            let expected = format!("inside of the file of {len} bytes");
            return Err(Fault::new(format!("section {index}"), expected, found));
        }
    }
    Ok(())
}

#[cfg(test)]
impl<'a, R: ReadRef<'a>> Image<'a, R> {
    /// Addresses of these tables, with the size of the part that tests damage.
    pub fn places_of(&self, tags: &[DynamicTag]) -> Vec<(u64, usize)> {
        tags.iter().filter_map(|tag| Some((self.tag(*tag)?, 512))).collect()
    }

    /// Where the dynamic table is in the file.
    pub fn dynamic_offset(&self) -> Option<u64> {
        self.headers_of(elf::PT_DYNAMIC).next().map(|header| header.p_offset(NE))
    }
}
