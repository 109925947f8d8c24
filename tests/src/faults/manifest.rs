//! Faults in the manifest's TOML.

use super::edit::*;
use super::{Barrier, FileFault, Make};

const fn manifest(name: &'static str, make: Make, reason: &'static str) -> FileFault {
    let remedy = "Correct `export_module!` and build the module again";
    FileFault { name, make, code: "H0208", reason, remedy, barrier: Barrier::Inspection }
}

/// Another value of a key.
macro_rules! value {
    ($key:literal, $value:literal) => {
        replace_line!($key, Some(concat!($key, " = ", $value)))
    };
}

pub(super) const FAULTS: &[FileFault] = &[
    manifest("an empty manifest", with_manifest!(|_text| ""), "missing field `kind`"),
    manifest(
        "a manifest that was cut",
        with_manifest!(|text| &text[..text.find("abi = ").expect("an ABI") + 9]),
        "found in line 4: ",
    ),
    manifest(
        "a manifest that was cut behind a line",
        with_manifest!(|text| &text[..text.find("abi = ").expect("an ABI")]),
        "missing field `abi`",
    ),
    manifest(
        "a NUL",
        with_manifest!(|text| text.replacen("kind ", "kind\0", 1)),
        "found in line 1: ",
    ),
    manifest(
        "a NUL in a text",
        with_manifest!(|text| text.replacen("kind = \"", "kind = \"\0", 1)),
        "found in line 1: ",
    ),
    manifest(
        "a byte that is no text",
        with_manifest!(|text| {
            let mut bytes = text.into_bytes();
            bytes[5] = 0xff;
            bytes
        }),
        "expected UTF-8, found the byte 0xff at 5",
    ),
    manifest(
        "half a letter",
        with_manifest!(|text| [text.as_bytes(), b"# \xc3\n"].concat()),
        "expected UTF-8, found the byte 0xc3",
    ),
    manifest(
        "a letter in a long way of writing",
        with_manifest!(|text| [text.as_bytes(), b"# \xc0\xaf\n"].concat()),
        "expected UTF-8, found the byte 0xc0",
    ),
    manifest(
        "the lines of older modules",
        with_manifest!(|_text| "kind Systems\nid systems_walk\n"),
        "found in line 1: ",
    ),
    manifest("a line without a value", prepend_line!("kind"), "found in line 1: "),
    manifest("a text without an end", prepend_line!("kind = \"Systems"), "found in line 1: "),
    manifest(
        "a key that is unknown",
        prepend_line!("author = 'nobody'"),
        "found in line 1: unknown field `author`",
    ),
    manifest(
        "a key in capitals",
        replace_line!("kind", Some("KIND = 'Systems'")),
        "found in line 1: unknown field `KIND`",
    ),
    manifest(
        "a table that is unknown",
        with_manifest!(|text| format!("{text}[other]\n")),
        "unknown field `other`",
    ),
    manifest("no kind", replace_line!("kind", None), "missing field `kind`"),
    manifest("no id", replace_line!("id", None), "missing field `id`"),
    manifest("no version", replace_line!("version", None), "missing field `version`"),
    manifest("no ABI", replace_line!("abi", None), "missing field `abi`"),
    manifest("no epoch", replace_line!("epoch", None), "missing field `epoch`"),
    manifest("no crate epoch", replace_line!("crate_epoch", None), "missing field `crate_epoch`"),
    manifest("no types", replace_line!("types", None), "missing field `types`"),
    manifest("no cores", replace_line!("cores", None), "missing field `cores`"),
    manifest(
        "a list twice and the other one never",
        with_manifest!(|text| text.replacen("persist = [", "dropped = [", 1)),
        "duplicate key",
    ),
    manifest("two kinds", prepend_line!("kind = 'Core'"), "found in line 2: duplicate key"),
    manifest(
        "two ids",
        with_manifest!(|text| format!("{}\n{text}", line_of(&text, "id"))),
        "found in line 3: duplicate key",
    ),
    manifest("two versions", prepend_line!("version = '9.9.9'"), "duplicate key"),
    manifest("two ABIs", prepend_line!("abi = '0'"), "duplicate key"),
    manifest("two epochs", prepend_line!("epoch = '-'"), "duplicate key"),
    manifest("two tables of cores", prepend_line!("cores = {}"), "duplicate key"),
    manifest(
        "two tables of requirements",
        with_manifest!(|text| format!("{text}[requires]\n")),
        "duplicate key",
    ),
    manifest("a kind that is unknown", value!("kind", "'Assets'"), "unknown variant `Assets`"),
    manifest("a kind in small letters", value!("kind", "'systems'"), "unknown variant `systems`"),
    manifest("an empty kind", value!("kind", "''"), "unknown variant ``"),
    manifest("a kind that is a number", value!("kind", "1"), "found in line 1: "),
    manifest("another module's id", value!("id", "'systems_other'"), "found `systems_other`"),
    manifest("an id that is a number", value!("id", "1"), "expected a string"),
    manifest(
        "an id that leads out of its folder",
        value!("id", "'../../systems'"),
        "id: expected a package name",
    ),
    manifest(
        "an id with a folder in it",
        value!("id", "'systems/walk'"),
        "id: expected a package name",
    ),
    manifest("an id from the root", value!("id", "'/etc/passwd'"), "id: expected a package name"),
    manifest("an id of dots", value!("id", "'..'"), "id: expected a package name"),
    manifest(
        "an id that begins with a dash",
        value!("id", "'--config'"),
        "id: expected a package name",
    ),
    manifest("an empty id", value!("id", "''"), "id: expected a package name"),
    manifest(
        "an id of 65 letters",
        with_manifest!(
            |text| text.replace(line_of(&text, "id"), &format!("id = '{}'", "x".repeat(65)))
        ),
        "id: expected a package name",
    ),
    manifest(
        "an id that only looks the same",
        with_manifest!(|text| {
            // A Cyrillic letter at the end of it.
            let line = line_of(&text, "id");
            text.replace(line, &format!("{}\u{430}\"", &line[..line.len() - 1]))
        }),
        "id: expected a package name",
    ),
    manifest(
        "an id with a NUL in it",
        value!("id", "\"systems_walk\\u0000\""),
        "id: expected a package name",
    ),
    manifest(
        "a version of two numbers",
        value!("version", "'0.1'"),
        "version: expected a semver version",
    ),
    manifest(
        "a version of letters",
        value!("version", "'newest'"),
        "version: expected a semver version",
    ),
    manifest(
        "a version with a v",
        value!("version", "'v0.1.0'"),
        "version: expected a semver version",
    ),
    manifest(
        "a version beyond all numbers",
        value!("version", "'0.1.99999999999999999999'"),
        "version: expected a semver version",
    ),
    manifest("an empty ABI", value!("abi", "''"), "abi: expected a fingerprint"),
    manifest("an ABI of two words", value!("abi", "'one two'"), "abi: expected a fingerprint"),
    manifest(
        "an epoch in capitals",
        value!("epoch", "'0123456789ABCDEF'"),
        "epoch: expected an epoch of 16 hex digits",
    ),
    manifest(
        "an epoch that was cut",
        value!("epoch", "'0123456789abcde'"),
        "epoch: expected an epoch of 16 hex digits",
    ),
    manifest(
        "a crate epoch that was cut",
        value!("crate_epoch", "'0123456789abcde'"),
        "crate_epoch: expected an epoch of 16 hex digits",
    ),
    manifest(
        "a type without an epoch",
        value!("types", "'Pace systems_walk'"),
        "types: expected a type, an epoch and a module in each line",
    ),
    manifest(
        "types that are a list",
        value!("types", "['Pace 00112233445566aa systems_walk']"),
        "found in line 7: ",
    ),
    manifest("cores that are a list", value!("cores", "['core_scene']"), "found in line 8: "),
    manifest(
        "a core without an epoch",
        value!("cores", "{ core_scene = '' }"),
        "cores: expected an epoch",
    ),
    manifest("a core without a value", value!("cores", "{ core_scene }"), "found in line 8: "),
    manifest("a core twice", value!("cores", "{ core_a = '-', core_a = '-' }"), "duplicate key"),
    manifest(
        "a core that is a path",
        value!("cores", "{ '../core' = '-' }"),
        "cores: expected package names",
    ),
    manifest("a comma too much", value!("cores", "{ core_a = '-',, }"), "found in line 8: "),
    manifest(
        "a module that requires itself",
        with_manifest!(|text| {
            let id = line_of(&text, "id")[5..].to_owned();
            format!("{text}{id} = '^0.1'\n")
        }),
        "requires: expected other modules",
    ),
    manifest(
        "a requirement without a version",
        append_line!("core_other = ''"),
        "requires: expected a semver requirement",
    ),
    manifest(
        "a requirement that is none",
        append_line!("core_other = '^x.y'"),
        "requires: expected a semver requirement",
    ),
    manifest(
        "a requirement that is a table",
        append_line!("core_other = { version = '^0.1' }"),
        "expected a string",
    ),
    manifest(
        "a requirement of a path",
        append_line!("'../core' = '^0.1'"),
        "requires: expected a package name",
    ),
    manifest(
        "a requirement of nothing",
        append_line!("'' = '^0.1'"),
        "requires: expected a package name",
    ),
    manifest(
        "a requirement twice",
        append_line!("core_other = '^0.1'\ncore_other = '^0.2'"),
        "duplicate key",
    ),
    manifest(
        "a persisted type of no name",
        insert_into!("persist", "''"),
        "persist: expected a type",
    ),
    manifest(
        "a persisted type twice",
        insert_into!("persist", "'A', 'A'"),
        "persist: expected each type once",
    ),
    manifest(
        "a persisted type on two lines",
        insert_into!("persist", "\"A\\nB\""),
        "persist: expected a type",
    ),
    manifest(
        "a persisted type that is a number",
        insert_into!("persist", "1"),
        "expected a string",
    ),
    manifest(
        "a dropped type of no name",
        insert_into!("dropped", "''"),
        "dropped: expected a type",
    ),
    manifest(
        "a dropped type twice",
        insert_into!("dropped", "'A', 'A'"),
        "dropped: expected each type once",
    ),
];
