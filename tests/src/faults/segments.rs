//! Faults of segments: what is mapped, where, with which rights, and what the special ones tell.

use object::elf;

use super::edit::*;
use super::{Elf, FileFault, malformed};

const R: u32 = elf::PF_R.0;
const W: u32 = elf::PF_W.0;
const X: u32 = elf::PF_X.0;

/// Copies a program header over another one.
fn copy(elf: &mut Elf, from: usize, to: usize) {
    elf.bytes.copy_within(from..from + 56, to);
}

/// A thread-local segment in place of the read-only one after relocation.
fn thread_local(elf: &mut Elf, size: u64, align: u64) {
    let at = elf.header(elf::PT_GNU_RELRO);
    elf.set32(at, elf::PT_TLS.0);
    elf.set64(at + FILE_SIZE, 8);
    elf.set64(at + MEMORY_SIZE, size);
    elf.set64(at + ALIGN, align);
}

/// Changes a value of the header of the segment of this kind.
macro_rules! change {
    ($segment:ident, $place:expr, $value:expr) => {
        |good, to| {
            good.edited(to, |elf| {
                let at = elf.$segment() + $place;
                elf.set64(at, $value);
            })
        }
    };
}

macro_rules! rights {
    ($segment:ident, $rights:expr) => {
        |good, to| {
            good.edited(to, |elf| {
                let at = elf.$segment() + FLAGS;
                elf.set32(at, $rights);
            })
        }
    };
}

macro_rules! special {
    ($kind:ident, |$elf:ident, $at:ident| $edit:expr) => {
        |good, to| {
            good.edited(to, |$elf| {
                let $at = $elf.header(elf::$kind);
                $edit;
            })
        }
    };
}

pub(super) const FAULTS: &[FileFault] = &[
    malformed("a segment behind the end", change!(code, OFFSET, 1 << 40), "inside of the file of"),
    malformed("a segment longer than the file", change!(code, FILE_SIZE, 1 << 29), "segment"),
    malformed(
        "a segment of 2^64 bytes",
        change!(tables, FILE_SIZE, u64::MAX),
        "inside of the file",
    ),
    malformed("less memory than bytes", change!(code, MEMORY_SIZE, 8), "bytes of memory, found 8"),
    malformed(
        "memory up to the end of all numbers",
        change!(last, ADDRESS, u64::MAX - 4095),
        "segment to load: expected",
    ),
    malformed(
        "a terabyte of memory",
        change!(last, MEMORY_SIZE, 1 << 40),
        "memory for all segments",
    ),
    malformed(
        "a segment in the middle of another one",
        |good, to| {
            good.edited(to, |elf| {
                let (address, offset) =
                    (elf.u64(elf.tables() + ADDRESS), elf.u64(elf.code() + OFFSET) % 4096);
                elf.set64(elf.code() + ADDRESS, address + offset);
            })
        },
        "segment to load: expected an address from",
    ),
    malformed(
        "segments in the wrong order",
        |good, to| {
            good.edited(to, |elf| {
                let (code, data) = (elf.code(), elf.data());
                let first = elf.bytes[code..code + 56].to_vec();
                copy(elf, data, code);
                elf.set(data, first);
            })
        },
        "segment to load: expected an address from",
    ),
    malformed(
        "two segments in one page",
        |good, to| {
            good.edited(to, |elf| {
                let code = elf.code();
                let size = elf.u64(code + ADDRESS) - elf.u64(elf.tables() + ADDRESS);
                elf.set64(elf.tables() + FILE_SIZE, size);
                elf.set64(elf.tables() + MEMORY_SIZE, size);
            })
        },
        "expected a page of its own",
    ),
    malformed("alignment to 0 bytes", change!(code, ALIGN, 0), "alignment to 2^n bytes"),
    malformed("alignment to 3000 bytes", change!(code, ALIGN, 3000), "alignment to 2^n bytes"),
    malformed(
        "alignment to 16 bytes",
        change!(code, ALIGN, 16),
        "alignment to 2^n bytes, 4096 to 2097152, found 16",
    ),
    malformed(
        "alignment to 2^63 bytes",
        change!(code, ALIGN, 1 << 63),
        "alignment to 2^n bytes, 4096 to 2097152",
    ),
    malformed(
        "a segment at another place of a page than in the file",
        |good, to| {
            good.edited(to, |elf| {
                let at = elf.last() + ADDRESS;
                let address = elf.u64(at);
                elf.set64(at, address + 8);
            })
        },
        "address and offset at one place of a page",
    ),
    malformed("code that can be written to", rights!(code, R | W | X), "r-x, found rwx"),
    malformed("data that can be run", rights!(data, R | W | X), "r-x, found rwx"),
    malformed("tables that cannot be read", rights!(tables, 0), "r-x, found ---"),
    malformed("code that can only be run", rights!(code, X), "r-x, found --x"),
    malformed("code that cannot be run", rights!(code, R), "function: expected in code"),
    malformed("data that cannot be written to", rights!(data, R), "read-only after relocation"),
    malformed(
        "a dynamic table that cannot be written to",
        |good, to| {
            good.edited(to, |elf| {
                let (data, relro) = (elf.data(), elf.header(elf::PT_GNU_RELRO));
                elf.set32(data + FLAGS, R);
                elf.set32(relro, elf::PT_NULL.0);
            })
        },
        "relocation: expected inside of a loaded segment",
    ),
    malformed(
        "nothing to load",
        |good, to| {
            good.edited(to, |elf| {
                for at in elf.headers_of(elf::PT_LOAD) {
                    elf.set32(at, elf::PT_NULL.0);
                }
            })
        },
        "segments to load: expected at least one, found none",
    ),
    malformed(
        "a stack for code",
        special!(PT_GNU_STACK, |elf, at| elf.set32(at + FLAGS, R | W | X)),
        "stack: expected data only",
    ),
    malformed(
        "nothing about the stack",
        special!(PT_GNU_STACK, |elf, at| elf.set32(at, elf::PT_NULL.0)),
        "stack: expected data only",
    ),
    malformed(
        "no dynamic table",
        special!(PT_DYNAMIC, |elf, at| elf.set32(at, elf::PT_NULL.0)),
        "dynamic tables: expected 1, found 0",
    ),
    malformed(
        "two dynamic tables",
        special!(PT_DYNAMIC, |elf, at| {
            let other = elf.header(elf::PT_GNU_STACK);
            copy(elf, at, other)
        }),
        "dynamic tables: expected 1, found 2",
    ),
    malformed(
        "a dynamic table outside of memory",
        special!(PT_DYNAMIC, |elf, at| elf.set64(at + ADDRESS, 1 << 40)),
        "dynamic table: expected inside of a loaded segment",
    ),
    malformed(
        "a dynamic table not aligned",
        special!(PT_DYNAMIC, |elf, at| {
            let address = elf.u64(at + ADDRESS);
            elf.set64(at + ADDRESS, address + 1)
        }),
        "expected an entry in the dynamic table",
    ),
    malformed(
        "more of a dynamic table in memory than in the file",
        special!(PT_DYNAMIC, |elf, at| elf.set64(at + MEMORY_SIZE, 1 << 29)),
        "dynamic table: expected inside of a loaded segment",
    ),
    malformed(
        "program headers that are said to be elsewhere",
        special!(PT_PHDR, |elf, at| elf.set64(at + ADDRESS, 0x80)),
        "place of the program headers: expected offset 0x40, found offset 0x80",
    ),
    malformed(
        "program headers that are said to be nowhere",
        special!(PT_PHDR, |elf, at| elf.set64(at + ADDRESS, 1 << 40)),
        "place of the program headers: expected inside of a loaded segment",
    ),
    malformed(
        "code to be made read-only after relocation",
        special!(PT_GNU_RELRO, |elf, at| {
            let address = elf.u64(elf.code() + ADDRESS);
            elf.set64(at + ADDRESS, address)
        }),
        "read-only after relocation: expected inside of a loaded segment",
    ),
    malformed(
        "no unwind table",
        special!(PT_GNU_EH_FRAME, |elf, at| elf.set32(at, elf::PT_NULL.0)),
        "unwind table: expected one, found none",
    ),
    malformed(
        "an unwind table outside of memory",
        special!(PT_GNU_EH_FRAME, |elf, at| elf.set64(at + ADDRESS, 1 << 40)),
        "unwind table: expected inside of a loaded segment",
    ),
    malformed(
        "an unwind table of another version",
        special!(PT_GNU_EH_FRAME, |elf, at| {
            let table = elf.u64(at + OFFSET) as usize;
            elf.set(table, [2])
        }),
        "unwind table: expected one that begins with [01, 1b, 03, 3b], found [02, 1b, 03, 3b]",
    ),
    malformed(
        "an unwind table of 2^32 entries",
        special!(PT_GNU_EH_FRAME, |elf, at| {
            let table = elf.u64(at + OFFSET) as usize;
            elf.set32(table + 8, u32::MAX)
        }),
        "unwind table: expected at most",
    ),
    malformed(
        "an unwind table in no order",
        special!(PT_GNU_EH_FRAME, |elf, at| {
            let first = elf.u64(at + OFFSET) as usize + 12;
            let second = elf.u32(first + 8);
            elf.set32(first, second + 1)
        }),
        "unwind table: function: expected in code, from",
    ),
    malformed(
        "an unwind table of functions outside of memory",
        special!(PT_GNU_EH_FRAME, |elf, at| {
            let first = elf.u64(at + OFFSET) as usize + 12;
            elf.set32(first, 1 << 30)
        }),
        "unwind table: function: expected in code, from",
    ),
    malformed(
        "an unwind table of frames outside of memory",
        special!(PT_GNU_EH_FRAME, |elf, at| {
            let first = elf.u64(at + OFFSET) as usize + 12;
            elf.set32(first + 4, 1 << 30)
        }),
        "unwind table: frame: expected inside of a loaded segment",
    ),
    malformed(
        "a note outside of memory",
        special!(PT_GNU_RELRO, |elf, at| {
            elf.set32(at, elf::PT_NOTE.0);
            elf.set64(at + MEMORY_SIZE, 1 << 29)
        }),
        "notes: expected inside of a loaded segment",
    ),
    malformed(
        "a gigabyte for each thread",
        |good, to| good.edited(to, |elf| thread_local(elf, 1 << 30, 8)),
        "thread-local segment: expected 8 to 16777216 bytes",
    ),
    malformed(
        "thread-local data aligned to 2^63 bytes",
        |good, to| good.edited(to, |elf| thread_local(elf, 8, 1 << 63)),
        "thread-local segment: expected 8 to 16777216 bytes",
    ),
    malformed(
        "less thread-local data than bytes of it",
        |good, to| good.edited(to, |elf| thread_local(elf, 4, 8)),
        "thread-local segment: expected 8 to 16777216 bytes aligned to a power of 2 up to 4096, found 4",
    ),
];
