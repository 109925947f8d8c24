//! Faults in the bytes behind `PLAYGROUND_MODULE`: its head, the ABI and the schemas.

use super::edit::*;
use super::{Barrier, Elf, FileFault, Make, export};

const fn abi(name: &'static str, make: Make) -> FileFault {
    let remedy = "Rebuild the module with this game's toolchain and playground_api";
    FileFault {
        name,
        make,
        code: "H0209",
        reason: "expected ABI ",
        remedy,
        barrier: Barrier::Inspection,
    }
}

const fn schemas(name: &'static str, make: Make, reason: &'static str) -> FileFault {
    FileFault {
        name,
        make,
        code: "H0211",
        reason,
        remedy: "Build the module again",
        barrier: Barrier::Inspection,
    }
}

const fn count(name: &'static str, make: Make, reason: &'static str) -> FileFault {
    FileFault {
        name,
        make,
        code: "H0212",
        reason,
        remedy: "Build the module again",
        barrier: Barrier::Inspection,
    }
}

/// Writes into the head of `PLAYGROUND_MODULE`.
macro_rules! head {
    ($at:expr, $bytes:expr) => {
        |good, to| {
            good.edited(to, |elf| {
                let at = elf.export() + $at;
                elf.set(at, $bytes);
            })
        }
    };
}

/// Makes bytes of the schemas.
macro_rules! described {
    (|$schemas:ident| $bytes:expr) => {
        |good, to| {
            good.edited(to, |elf| {
                let (text, $schemas) = (elf.manifest(), elf.schemas());
                elf.set_export(text, &$bytes);
            })
        }
    };
}

/// The ABI with its last digit changed.
fn other_abi(elf: &mut Elf) {
    elf.edit_manifest(|text| {
        let line = line_of(&text, "abi").to_owned();
        let last = if line.ends_with("0\"") { "1\"" } else { "0\"" };
        text.replace(&line, &format!("{}{last}", &line[..line.len() - 2]))
    });
}

pub(super) const FAULTS: &[FileFault] = &[
    export("no magic", head!(0, [0; 16]), "expected \"playground-mod"),
    export("a magic that was cut", head!(10, b"-mo\0\0"), "expected \"playground-mod"),
    export("an older layout", head!(15, [3]), "expected version 4 of its layout, found version 3"),
    export("a newer layout", head!(15, [5]), "expected version 4 of its layout, found version 5"),
    export(
        "a manifest of 2^64 bytes",
        head!(16, u64::MAX.to_le_bytes()),
        "18446744073709551615 bytes",
    ),
    export("a manifest of no bytes", head!(16, 0u64.to_le_bytes()), "bytes that belong to neither"),
    export("a manifest of 64 kB", head!(16, (64u64 << 10).to_le_bytes()), "a manifest of at most"),
    export(
        "a manifest up to one byte behind the end",
        |good, to| {
            good.edited(to, |elf| {
                let size = elf.u64(elf.own() + SIZE) - ENTRY_BYTES as u64;
                elf.set64(elf.export() + 16, size + 1);
            })
        },
        "a manifest of at most",
    ),
    export(
        "schemas of 2^64 bytes",
        head!(24, u64::MAX.to_le_bytes()),
        "18446744073709551615 bytes",
    ),
    export(
        "schemas of 1 MB",
        head!(24, (1u64 << 20).to_le_bytes()),
        "a list of schemas of at most",
    ),
    export("schemas of no bytes", head!(24, 0u64.to_le_bytes()), "bytes that belong to neither"),
    export(
        "a manifest that is longer than one may be",
        with_manifest!(|text| format!("{text}{}", "# a line\n".repeat(8000))),
        "a manifest of at most 65536 bytes",
    ),
    export(
        "something behind the schemas",
        |good, to| {
            good.edited(to, |elf| {
                let schemas = elf.schemas();
                let more = [&schemas[..], b"and more"].concat();
                elf.set_export(elf.manifest(), &more);
                elf.set64(elf.export() + 24, schemas.len() as u64);
            })
        },
        "bytes that belong to neither",
    ),
    abi("another ABI", |good, to| good.edited(to, other_abi)),
    abi(
        "an ABI of the same beginning",
        with_manifest!(|text| {
            let line = line_of(&text, "abi");
            text.replace(line, &format!("{}0\"", &line[..line.len() - 1]))
        }),
    ),
    abi("no ABI but a word", replace_line!("abi", Some("abi = 'any'"))),
    schemas("no schemas at all", described!(|_schemas| []), "schemas of the persisted types"),
    schemas(
        "schemas of a later version",
        described!(|schemas| [&[9], &schemas[1..]].concat()),
        "schemas of the persisted types",
    ),
    schemas(
        "schemas without their number",
        described!(|schemas| schemas[..1]),
        "schemas of the persisted types",
    ),
    schemas(
        "fewer schemas than they say",
        described!(|_schemas| [1, 5]),
        "schemas of the persisted types",
    ),
    schemas(
        "2^63 schemas",
        described!(|_schemas| [1, 255, 255, 255, 255, 255, 255, 255, 255, 127]),
        "schemas of the persisted types",
    ),
    schemas(
        "a number of schemas without an end",
        described!(|_schemas| [vec![1], vec![255; 12]].concat()),
        "schemas of the persisted types",
    ),
    schemas(
        "a byte behind the schemas",
        described!(|schemas| [&schemas[..], &[0]].concat()),
        "schemas of the persisted types",
    ),
    schemas(
        "schemas of other bytes",
        described!(|_schemas| [vec![1, 3], vec![0xa5; 60]].concat()),
        "schemas of the persisted types",
    ),
    count(
        "a persisted type without a schema",
        insert_into!("persist", "'Something'"),
        "persisted types, found",
    ),
];
