//! Faults of symbols: `PLAYGROUND_MODULE`, and what a module uses of the game and of libraries.

use object::elf;

use super::edit::*;
use super::{Barrier, Elf, FileFault, Make, export, malformed};

const fn no_export(name: &'static str, make: Make, reason: &'static str) -> FileFault {
    FileFault {
        name,
        make,
        code: "H0206",
        reason,
        remedy: "Put `export_module!` at the top",
        barrier: Barrier::Inspection,
    }
}

const fn missing(name: &'static str, make: Make, reason: &'static str) -> FileFault {
    let remedy = "Rebuild the module with this game's dependencies and features";
    FileFault { name, make, code: "H0210", reason, remedy, barrier: Barrier::Inspection }
}

const fn library(name: &'static str, make: Make, reason: &'static str) -> FileFault {
    let remedy = "Build the module with this game's toolchain and dependencies";
    FileFault { name, make, code: "H0205", reason, remedy, barrier: Barrier::Inspection }
}

/// Another letter at this place of a symbol's name.
fn rename(elf: &mut Elf, symbol: usize, part: &str, other: &str) {
    assert_eq!(part.len(), other.len(), "names stay where they are");
    let place = elf.name(symbol).find(part).expect("that part of the name");
    elf.set(elf.name_at(symbol) + place, other);
}

/// Another hash at the end of a name: what another version of a crate or compiler has.
fn rehash(elf: &mut Elf, symbol: usize) {
    let end = elf.name_at(symbol) + elf.name(symbol).len();
    // Names end with the hash, and those of the older scheme with an E behind it.
    let digit = end - 2;
    let other = if elf.bytes[digit] == b'0' { b'1' } else { b'0' };
    elf.bytes[digit] = other;
}

/// A library that it needs, named by a part of the string table.
fn need(elf: &mut Elf, name: &str) {
    // Over the name of another crate's symbol that nobody looks for: no name is longer.
    let symbol = elf.foreign("bevy_ecs");
    let at = elf.u32(symbol);
    elf.set(elf.name_at(symbol), format!("{name}\0"));
    elf.add(elf::DT_NEEDED, at.into());
}

/// Changes the module's own symbol.
macro_rules! own {
    (|$elf:ident, $at:ident| $edit:expr) => {
        |good, to| {
            good.edited(to, |$elf| {
                let $at = $elf.own();
                $edit;
            })
        }
    };
}

/// Changes a symbol of Bevy's.
macro_rules! foreign {
    (|$elf:ident, $at:ident| $edit:expr) => {
        |good, to| {
            good.edited(to, |$elf| {
                let $at = $elf.foreign("bevy_ecs");
                $edit;
            })
        }
    };
}

const OBJECT: u8 = 1;
const FUNCTION: u8 = 2;
const THREAD_LOCAL: u8 = 6;
const INDIRECT: u8 = 10;
const LOCAL: u8 = 0 << 4;
const GLOBAL: u8 = 1 << 4;

pub(super) const FAULTS: &[FileFault] = &[
    no_export(
        "an export of another name",
        own!(|elf, at| rename(elf, at, "PLAYGROUND_MODULE", "PLAYGROUND_MODULF")),
        "::PLAYGROUND_MODULE`, found",
    ),
    no_export(
        "an export of another crate",
        own!(|elf, at| {
            let name = elf.name.clone();
            let digits = name.find(|c: char| !c.is_ascii_digit()).expect("a crate's name");
            let other = format!("{}x{}", &name[..digits], &name[digits + 1..]);
            rename(elf, at, &name, &other)
        }),
        "::PLAYGROUND_MODULE`, found x",
    ),
    no_export(
        "an export in a module of the crate",
        own!(|elf, at| {
            let end = elf.name_at(at) + elf.name(at).len();
            // `…::PLAYGROUND_MODULE` becomes `…::P::AYGROUND_MODULE`: of the same length.
            let start =
                elf.bytes[..end].windows(19).rposition(|part| part == b"17PLAYGROUND_MODULE");
            let start = start.expect("its name");
            elf.set(start, "1P16YGROUND_MODULE_")
        }),
        "::PLAYGROUND_MODULE`, found",
    ),
    no_export(
        "an export for itself only",
        own!(|elf, at| elf.set(at + INFO, [LOCAL | OBJECT])),
        "::PLAYGROUND_MODULE`, found",
    ),
    no_export(
        "a hidden export",
        own!(|elf, at| elf.set(at + VISIBILITY, [2])),
        "::PLAYGROUND_MODULE`, found",
    ),
    no_export(
        "an export that is only asked for",
        own!(|elf, at| elf.set16(at + SECTION, 0)),
        "::PLAYGROUND_MODULE`, found",
    ),
    no_export(
        "two exports",
        own!(|elf, at| {
            let other = elf.foreign("");
            elf.bytes.copy_within(at..at + 24, other)
        }),
        "17PLAYGROUND_MODULE",
    ),
    export(
        "an export that is a function",
        own!(|elf, at| elf.set(at + INFO, [GLOBAL | FUNCTION])),
        "expected a static, found a symbol of type 2",
    ),
    export(
        "an export that a function has to be asked for",
        own!(|elf, at| elf.set(at + INFO, [GLOBAL | INDIRECT])),
        "expected a static, found a symbol of type 10",
    ),
    export(
        "an export for each thread",
        own!(|elf, at| elf.set(at + INFO, [GLOBAL | THREAD_LOCAL])),
        "expected a static, found a symbol of type 6",
    ),
    export(
        "an export of an unknown binding",
        own!(|elf, at| elf.set(at + INFO, [3 << 4 | OBJECT])),
        "expected a static, found a symbol of binding 3",
    ),
    export(
        "an export at an absolute address",
        own!(|elf, at| elf.set16(at + SECTION, elf::SHN_ABS.0)),
        "expected a static, found one without a section",
    ),
    export(
        "an export outside of memory",
        own!(|elf, at| elf.set64(at + VALUE, 1 << 40)),
        "expected inside of a loaded segment",
    ),
    export(
        "an export at the end of all numbers",
        own!(|elf, at| elf.set64(at + VALUE, u64::MAX - 7)),
        "expected inside of a loaded segment",
    ),
    export(
        "an export at the file's beginning",
        own!(|elf, at| elf.set64(at + VALUE, 0)),
        "expected \"playground-mod",
    ),
    export(
        "an export that is not aligned",
        |good, to| {
            good.edited(to, |elf| {
                let schemas = elf.schemas();
                elf.set_export(elf.manifest(), &schemas);
                // It is the last thing in the file, and moves by half a word.
                let at = elf.export();
                elf.bytes.splice(at..at, [0; 4]);
                for place in [
                    elf.own() + VALUE,
                    elf.build(),
                    elf.last() + FILE_SIZE,
                    elf.last() + MEMORY_SIZE,
                ] {
                    let value = elf.u64(place);
                    elf.set64(place, value + 4);
                }
            })
        },
        "expected an address aligned to 8 bytes",
    ),
    export(
        "an export of eight bytes less",
        own!(|elf, at| {
            let size = elf.u64(at + SIZE);
            elf.set64(at + SIZE, size - 16)
        }),
        "bytes, found one of",
    ),
    export(
        "an export of no bytes",
        own!(|elf, at| elf.set64(at + SIZE, 0)),
        "expected 40 to 4259888 bytes, found 0 bytes",
    ),
    export(
        "an export of 2^64 bytes",
        own!(|elf, at| elf.set64(at + SIZE, u64::MAX)),
        "expected 40 to 4259888 bytes, found 18446744073709551615 bytes",
    ),
    export(
        "an export up to behind the end",
        own!(|elf, at| elf.set64(at + SIZE, 4_000_000)),
        "expected inside of a loaded segment",
    ),
    malformed(
        "a function pointer to data",
        |good, to| {
            good.edited(to, |elf| {
                let (at, data) = (elf.build(), elf.u64(elf.data() + ADDRESS));
                elf.set64(at + ADDEND, data);
            })
        },
        "expected one to code, found one to",
    ),
    malformed(
        "a function pointer that is not set",
        |good, to| {
            good.edited(to, |elf| {
                // It sets the one before it a second time instead.
                let at = elf.build();
                let address = elf.u64(elf.own() + VALUE) + 32;
                let mut others = elf.relocations().into_iter();
                let other = others.find(|at| elf.u64(*at) != address).expect("another one");
                let other = elf.u64(other);
                elf.set64(at, other);
            })
        },
        "expected one to code, found one that is not set",
    ),
    malformed(
        "a name outside of the strings",
        foreign!(|elf, at| elf.set32(at, u32::MAX)),
        "symbol: place in the string table",
    ),
    malformed(
        "a function of its own that it does not have",
        foreign!(|elf, at| elf.set(at + INFO, [LOCAL])),
        "expected one to look for in other libraries, found one of its own",
    ),
    malformed(
        "a hidden function that it does not have",
        foreign!(|elf, at| elf.set(at + VISIBILITY, [2])),
        "expected one to look for in other libraries, found one of its own",
    ),
    malformed(
        "a function of its own outside of memory",
        foreign!(|elf, at| {
            elf.set16(at + SECTION, 1);
            elf.set64(at + VALUE, 1 << 40)
        }),
        "expected inside of a loaded segment, found address 0x10000000000",
    ),
    malformed(
        "a function to call while loading",
        foreign!(|elf, at| {
            let code = elf.u64(elf.code() + ADDRESS);
            elf.set16(at + SECTION, 1);
            elf.set64(at + VALUE, code);
            elf.set(at + INFO, [GLOBAL | INDIRECT])
        }),
        "expected an address, found a function to call while loading",
    ),
    missing(
        "a function that nobody has",
        foreign!(|elf, at| rename(elf, at, "bevy_ecs", "bevy_ecz")),
        "found 1 that are not there: `",
    ),
    missing("a function of no name", foreign!(|elf, at| elf.set32(at, 0)), "not there: ``"),
    missing("a function of another Bevy", foreign!(|elf, at| rehash(elf, at)), "bevy_ecs"),
    missing(
        "functions of a Bevy with other features",
        |good, to| {
            good.edited(to, |elf| {
                let used: Vec<_> = elf.symbols();
                for symbol in used {
                    if elf.u16(symbol + SECTION) == 0 && elf.name(symbol).contains("bevy_ecs") {
                        rehash(elf, symbol);
                    }
                }
            })
        },
        "that are not there: `",
    ),
    missing(
        "a function of another standard library",
        |good, to| {
            good.edited(to, |elf| {
                let symbol = elf.foreign("_4core9panicking");
                let name = elf.name(symbol).to_owned();
                // In the newer scheme the crate's hash stands before its name.
                let hash = name.find("_4core").expect("its crate") - 1;
                let at = elf.name_at(symbol) + hash;
                elf.bytes[at] = if elf.bytes[at] == b'x' { b'y' } else { b'x' };
            })
        },
        "core::panicking",
    ),
    FileFault {
        name: "a function of C that nobody has",
        make: |good, to| {
            good.edited(to, |elf| {
                let symbol = elf.foreign("_Unwind_Resume");
                rename(elf, symbol, "_Unwind_Resume", "_Unwind_Presto");
            })
        },
        code: "H0210",
        reason: "`_Unwind_Presto`",
        remedy: "it belongs to a system library",
        barrier: Barrier::Inspection,
    },
    library(
        "a library that the game does not have",
        |good, to| good.edited(to, |elf| need(elf, "libnothing.so.1")),
        "found `libnothing.so.1`",
    ),
    library(
        "another build of Bevy",
        |good, to| good.edited(to, |elf| need(elf, "libbevy_dylib-0123456789abcdef.so")),
        "found `libbevy_dylib-0123456789abcdef.so` (the game has `libbevy_dylib-",
    ),
    library(
        "another standard library",
        |good, to| good.edited(to, |elf| need(elf, "libstd-0123456789abcdef.so")),
        "found `libstd-0123456789abcdef.so` (the game has `libstd-",
    ),
    library(
        "a library by its path",
        |good, to| good.edited(to, |elf| need(elf, "/tmp/../tmp/libc.so.6")),
        "found `/tmp/../tmp/libc.so.6`",
    ),
    library(
        "a library of no name",
        |good, to| good.edited(to, |elf| elf.add(elf::DT_NEEDED, 0)),
        "found ``",
    ),
];
