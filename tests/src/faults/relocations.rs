//! Faults of relocations: their tables, and what they write where.

use object::elf;

use super::edit::*;
use super::{FileFault, crash, malformed};

const FAR: u64 = 1 << 40;

/// Changes a relocation that goes by a symbol.
macro_rules! relocation {
    (|$elf:ident, $at:ident| $edit:expr) => {
        |good, to| {
            good.edited(to, |$elf| {
                let $at = $elf.by_symbol();
                $edit;
            })
        }
    };
}

pub(super) const FAULTS: &[FileFault] = &[
    malformed(
        "no size of a relocation",
        forget!(DT_RELAENT),
        "entry 0x9 of the dynamic table: expected 24, found none",
    ),
    malformed(
        "relocations of 16 bytes",
        set!(DT_RELAENT, 16),
        "entry 0x9 of the dynamic table: expected 24, found 16",
    ),
    malformed(
        "relocations without a number",
        forget!(DT_RELASZ),
        "relocations: expected a place and a size",
    ),
    malformed(
        "a number of relocations without a place",
        forget!(DT_RELA),
        "relocations: expected a place and a size",
    ),
    malformed("relocations outside of memory", set!(DT_RELA, FAR), "relocations: expected inside"),
    malformed(
        "half a relocation at the end",
        shift!(DT_RELASZ, 12),
        "relocations: expected whole, aligned entries",
    ),
    malformed(
        "2^64 bytes of relocations",
        set!(DT_RELASZ, u64::MAX),
        "relocations: expected inside",
    ),
    crash(
        "more relative relocations than there are",
        set!(DT_RELACOUNT, FAR),
        "ended the probe while it was loaded",
    ),
    crash(
        "all relocations said to be relative",
        |good, to| {
            good.edited(to, |elf| {
                let count = elf.relocations().len() as u64;
                elf.set_value(elf::DT_RELACOUNT, count);
            })
        },
        "ended the probe while it was loaded",
    ),
    malformed(
        "relocations of calls outside of memory",
        set!(DT_JMPREL, FAR),
        "relocations of calls: expected inside",
    ),
    malformed(
        "relocations of calls of the old kind",
        set!(DT_PLTREL, 17),
        "entry 0x14 of the dynamic table: expected 7, found 17",
    ),
    malformed(
        "no kind of the relocations of calls",
        forget!(DT_PLTREL),
        "entry 0x14 of the dynamic table: expected 7, found none",
    ),
    malformed(
        "packed relocations without a size of one",
        |good, to| {
            good.edited(to, |elf| {
                let tables = elf.u64(elf.tables() + ADDRESS);
                elf.add(elf::DT_RELR, tables);
                elf.add(elf::DT_RELRSZ, 8);
            })
        },
        "entry 0x25 of the dynamic table: expected 8, found none",
    ),
    malformed(
        "packed relocations of the file header",
        |good, to| {
            good.edited(to, |elf| {
                let tables = elf.u64(elf.tables() + ADDRESS);
                elf.add(elf::DT_RELR, tables + 16);
                elf.add(elf::DT_RELRSZ, 8);
                elf.add(elf::DT_RELRENT, 8);
            })
        },
        "relocation: expected inside of a loaded segment",
    ),
    malformed(
        "a relocation outside of memory",
        relocation!(|elf, at| elf.set64(at, FAR)),
        "relocation: expected inside",
    ),
    malformed(
        "a relocation at the end of all numbers",
        relocation!(|elf, at| elf.set64(at, u64::MAX - 3)),
        "relocation: expected inside",
    ),
    malformed(
        "a relocation of code",
        relocation!(|elf, at| {
            let code = elf.u64(elf.code() + ADDRESS);
            elf.set64(at, code)
        }),
        "relocation: expected inside",
    ),
    malformed(
        "a relocation of the manifest",
        relocation!(|elf, at| {
            let manifest = elf.u64(elf.own() + VALUE) + ENTRY_BYTES as u64;
            elf.set64(at, manifest + 8)
        }),
        "changed, found one at",
    ),
    malformed(
        "a relocation of the length of the manifest",
        relocation!(|elf, at| {
            let entry = elf.u64(elf.own() + VALUE);
            elf.set64(at, entry + 16)
        }),
        "changed, found one at",
    ),
    malformed(
        "a relocation of the dynamic table",
        relocation!(|elf, at| {
            let table = elf.u64(elf.header(elf::PT_DYNAMIC) + ADDRESS);
            elf.set64(at, table + 8)
        }),
        "changed, found one at",
    ),
    malformed(
        "a relocation of a kind that is unknown",
        relocation!(|elf, at| elf.set32(at + KIND, 0xfff)),
        "kind of one: expected one that a linker writes for Rust, found 4095",
    ),
    malformed(
        "a relocation that copies",
        relocation!(|elf, at| elf.set32(at + KIND, COPY)),
        "kind of one: expected one that a linker writes for Rust",
    ),
    malformed(
        "a relocation of thread-local data that is not there",
        relocation!(|elf, at| {
            elf.set32(at + KIND, THREAD_LOCAL);
            elf.set32(at + SYMBOL, 0)
        }),
        "none of thread-local data, as it has no such segment",
    ),
    malformed(
        "a relocation by a symbol that is not there",
        relocation!(|elf, at| elf.set32(at + SYMBOL, u32::MAX)),
        "number of a symbol: expected below",
    ),
    crash(
        "a relocation by what a function says in data",
        relocation!(|elf, at| {
            let data = elf.u64(elf.data() + ADDRESS);
            elf.set32(at + KIND, INDIRECT);
            elf.set64(at + ADDEND, data)
        }),
        "ended the probe while it was loaded",
    ),
    malformed(
        "a pointer to outside of memory",
        |good, to| {
            good.edited(to, |elf| {
                let first = elf.relocations()[0];
                elf.set64(first + ADDEND, FAR);
            })
        },
        "relocations: target: expected inside of a loaded segment",
    ),
];

const ARM: bool = cfg!(target_arch = "aarch64");
const COPY: u32 = if ARM { elf::R_AARCH64_COPY.0 } else { elf::R_X86_64_COPY.0 };
const INDIRECT: u32 = if ARM { elf::R_AARCH64_IRELATIVE.0 } else { elf::R_X86_64_IRELATIVE.0 };
const THREAD_LOCAL: u32 = if ARM { elf::R_AARCH64_TLS_DTPMOD.0 } else { elf::R_X86_64_DTPMOD64.0 };
