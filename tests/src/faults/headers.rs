//! Faults in the file header and the program headers.

use object::elf;

use super::{Barrier, Elf, FileFault, Make, malformed, not_loaded};

const fn machine(name: &'static str, make: Make, reason: &'static str) -> FileFault {
    FileFault {
        name,
        make,
        code: "H0203",
        reason,
        remedy: "Build the module for this machine",
        barrier: Barrier::Inspection,
    }
}

/// Places in the file header.
const CLASS: usize = 4;
const ENCODING: usize = 5;
const TYPE: usize = 16;
const MACHINE: usize = 18;
const HEADERS_AT: usize = 32;
const SECTIONS_AT: usize = 40;
const HEADER_SIZE: usize = 54;
const HEADER_COUNT: usize = 56;

const OTHER: (elf::Machine, &str) = if cfg!(target_arch = "aarch64") {
    (elf::EM_X86_64, "found 64-bit little-endian x86_64")
} else {
    (elf::EM_AARCH64, "found 64-bit little-endian aarch64")
};

/// Where the header of a section is, counted from 0.
fn section(elf: &Elf, index: usize) -> usize {
    elf.u64(SECTIONS_AT) as usize + 64 * index
}

pub(super) const FAULTS: &[FileFault] = &[
    machine("32-bit", |good, to| good.edited(to, |elf| elf.set(CLASS, [1])), "found 32-bit"),
    machine("of no class", |good, to| good.edited(to, |elf| elf.set(CLASS, [0])), "found class 0"),
    machine(
        "big-endian",
        |good, to| {
            good.edited(to, |elf| {
                elf.set(ENCODING, [2]);
                let machine = elf.u16(MACHINE);
                elf.set(MACHINE, machine.to_be_bytes());
            })
        },
        "found 64-bit big-endian",
    ),
    machine(
        "of no encoding",
        |good, to| good.edited(to, |elf| elf.set(ENCODING, [0])),
        "64-bit encoding 0",
    ),
    machine(
        "for another machine: of the two most common ones the other",
        |good, to| good.edited(to, |elf| elf.set16(MACHINE, OTHER.0.0)),
        OTHER.1,
    ),
    machine(
        "for another machine: MIPS",
        |good, to| good.edited(to, |elf| elf.set16(MACHINE, elf::EM_MIPS.0)),
        "found 64-bit little-endian machine 8",
    ),
    machine(
        "for another machine: RISC-V",
        |good, to| good.edited(to, |elf| elf.set16(MACHINE, elf::EM_RISCV.0)),
        "found 64-bit little-endian machine 243",
    ),
    machine(
        "for another machine: i386",
        |good, to| {
            good.edited(to, |elf| {
                elf.set(CLASS, [1]);
                elf.set16(MACHINE, elf::EM_386.0);
            })
        },
        "found 32-bit little-endian i386",
    ),
    machine(
        "for no machine",
        |good, to| good.edited(to, |elf| elf.set16(MACHINE, 0)),
        "found 64-bit little-endian machine 0",
    ),
    not_loaded(
        "of a later version of ELF",
        |good, to| good.edited(to, |elf| elf.set(6, [2])),
        "ELF file version ident does not match",
    ),
    not_loaded(
        "of no version of ELF",
        |good, to| good.edited(to, |elf| elf.set32(20, 0)),
        "ELF file version does not match",
    ),
    not_loaded(
        "for FreeBSD",
        |good, to| good.edited(to, |elf| elf.set(7, [9])),
        "ELF file OS ABI invalid",
    ),
    not_loaded(
        "for a later version of Linux",
        |good, to| good.edited(to, |elf| elf.set(8, [1])),
        "ELF file ABI version invalid",
    ),
    not_loaded(
        "something in the unused bytes of the header",
        |good, to| good.edited(to, |elf| elf.set(15, [1])),
        "nonzero padding in e_ident",
    ),
    malformed(
        "an object file",
        |good, to| good.edited(to, |elf| elf.set16(TYPE, elf::ET_REL.0)),
        "expected a shared library, found type 1",
    ),
    malformed(
        "a program",
        |good, to| good.edited(to, |elf| elf.set16(TYPE, elf::ET_EXEC.0)),
        "expected a shared library, found type 2",
    ),
    malformed(
        "a dump of a process",
        |good, to| good.edited(to, |elf| elf.set16(TYPE, elf::ET_CORE.0)),
        "expected a shared library, found type 4",
    ),
    malformed(
        "program headers behind the end",
        |good, to| good.edited(to, |elf| elf.set64(HEADERS_AT, elf.bytes.len() as u64)),
        "program headers: expected",
    ),
    malformed(
        "program headers at the end of all numbers",
        |good, to| good.edited(to, |elf| elf.set64(HEADERS_AT, u64::MAX - 7)),
        "program headers: expected",
    ),
    malformed(
        "program headers not aligned",
        |good, to| good.edited(to, |elf| elf.set64(HEADERS_AT, 65)),
        "expected inside of the file",
    ),
    malformed(
        "no program headers",
        |good, to| good.edited(to, |elf| elf.set16(HEADER_COUNT, 0)),
        "number of program headers: expected 1 to 64, found 0",
    ),
    malformed(
        "more program headers than there can be",
        |good, to| good.edited(to, |elf| elf.set16(HEADER_COUNT, u16::MAX)),
        "number of program headers: expected 1 to 64, found 65535",
    ),
    malformed(
        "program headers of 32 bytes",
        |good, to| good.edited(to, |elf| elf.set16(HEADER_SIZE, 32)),
        "size of a program header: expected 56 bytes, found 32",
    ),
    malformed(
        "section headers behind the end",
        |good, to| good.edited(to, |elf| elf.set64(SECTIONS_AT, elf.bytes.len() as u64 - 64)),
        "section headers: expected",
    ),
    malformed(
        "a section behind the end",
        |good, to| {
            good.edited(to, |elf| {
                let at = section(elf, 3) + 24;
                elf.set64(at, elf.bytes.len() as u64);
            })
        },
        "section 3: expected inside of the file",
    ),
    malformed(
        "a section of 2^64 bytes",
        |good, to| good.edited(to, |elf| elf.set64(section(elf, 2) + 32, u64::MAX)),
        "section 2: expected inside of the file",
    ),
];
