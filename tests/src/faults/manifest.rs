//! Faults in the lines of the manifest.

use super::edit::*;
use super::{FileFault, Make};

const fn manifest(name: &'static str, make: Make, reason: &'static str) -> FileFault {
    let remedy = "Correct `export_module!` and build the module again";
    FileFault { name, make, code: "H0208", reason, remedy }
}

/// The line with this key.
fn line_of<'a>(text: &'a str, key: &str) -> &'a str {
    let mut lines = text.lines();
    lines.find(|line| line.split(' ').next() == Some(key)).expect("a line with this key")
}

pub(super) const FAULTS: &[FileFault] = &[
    manifest("an empty manifest", told!(|_text| ""), "end with a line break, found \"\""),
    manifest("no end of the last line", told!(|text| text.trim_end()), "end with a line break"),
    manifest(
        "a manifest that was cut",
        told!(|text| &text[..text.find("abi ").expect("an ABI") + 9]),
        "end with a line break",
    ),
    manifest("a NUL", told!(|text| text.replacen("kind ", "kind\0", 1)), "in line 1"),
    manifest("lines of Windows", told!(|text| text.replace('\n', "\r\n")), "in line 1"),
    manifest(
        "a byte that is no text",
        told!(|text| {
            let mut bytes = text.into_bytes();
            bytes[5] = 0xff;
            bytes
        }),
        "expected UTF-8, found the byte 0xff at 5",
    ),
    manifest(
        "half a letter",
        told!(|text| [text.as_bytes(), b"persist \xc3\n"].concat()),
        "expected UTF-8, found the byte 0xc3",
    ),
    manifest(
        "a letter in a long way of writing",
        told!(|text| [text.as_bytes(), b"persist \xc0\xaf\n"].concat()),
        "expected UTF-8, found the byte 0xc0",
    ),
    manifest("a mark before the text", told!(|text| format!("\u{feff}{text}")), "found the key"),
    manifest("an empty line", more!(""), "found the key \"\""),
    manifest("a key that is unknown", more!("author nobody"), "found the key \"author\""),
    manifest("a key in capitals", instead!("kind", Some("KIND Systems")), "found the key \"KIND\""),
    manifest("no kind", instead!("kind", None), "expected a line `kind`, found none"),
    manifest("no id", instead!("id", None), "expected a line `id`, found none"),
    manifest("no version", instead!("version", None), "expected a line `version`, found none"),
    manifest("no ABI", instead!("abi", None), "expected a line `abi`, found none"),
    manifest("no epoch", instead!("epoch", None), "expected a line `epoch`, found none"),
    manifest("no cores", instead!("cores", None), "expected a line `cores`, found none"),
    manifest("two kinds", more!("kind Core"), "expected `kind` once"),
    manifest(
        "two ids",
        told!(|text| format!("{text}{}\n", line_of(&text, "id"))),
        "expected `id` once",
    ),
    manifest("two versions", more!("version 9.9.9"), "expected `version` once"),
    manifest("two ABIs", more!("abi 0"), "expected `abi` once"),
    manifest("two epochs", more!("epoch -"), "expected `epoch` once"),
    manifest("two lines of cores", more!("cores -"), "expected `cores` once"),
    manifest("a kind that is unknown", instead!("kind", Some("kind Assets")), "found \"Assets\""),
    manifest(
        "a kind in small letters",
        instead!("kind", Some("kind systems")),
        "found \"systems\"",
    ),
    manifest(
        "an empty kind",
        instead!("kind", Some("kind")),
        "kind: expected Core, Systems, Plugins or Apps",
    ),
    manifest(
        "another module's id",
        instead!("id", Some("id systems_other")),
        "found `systems_other`",
    ),
    manifest(
        "an id that leads out of its folder",
        instead!("id", Some("id ../../systems")),
        "id: expected a package name",
    ),
    manifest(
        "an id with a folder in it",
        instead!("id", Some("id systems/walk")),
        "id: expected a package name",
    ),
    manifest(
        "an id from the root",
        instead!("id", Some("id /etc/passwd")),
        "id: expected a package name",
    ),
    manifest("an id of dots", instead!("id", Some("id ..")), "id: expected a package name"),
    manifest(
        "an id that begins with a dash",
        instead!("id", Some("id --config")),
        "id: expected a package name",
    ),
    manifest("an empty id", instead!("id", Some("id ")), "id: expected a package name"),
    manifest(
        "an id of 65 letters",
        told!(|text| text.replace(line_of(&text, "id"), &format!("id {}", "x".repeat(65)))),
        "id: expected a package name",
    ),
    manifest(
        "an id that only looks the same",
        told!(|text| {
            // A Cyrillic letter at the end of it.
            let line = line_of(&text, "id");
            text.replace(line, &format!("{}\u{430}", &line[..line.len() - 1]))
        }),
        "id: expected a package name",
    ),
    manifest(
        "a version of two numbers",
        instead!("version", Some("version 0.1")),
        "version: expected a semver version",
    ),
    manifest(
        "a version of letters",
        instead!("version", Some("version newest")),
        "version: expected a semver version",
    ),
    manifest(
        "a version with a v",
        instead!("version", Some("version v0.1.0")),
        "version: expected a semver version",
    ),
    manifest(
        "a version beyond all numbers",
        instead!("version", Some("version 0.1.99999999999999999999")),
        "version: expected a semver version",
    ),
    manifest("an empty ABI", instead!("abi", Some("abi ")), "abi: expected a fingerprint"),
    manifest(
        "an ABI of two words",
        instead!("abi", Some("abi one two")),
        "abi: expected a fingerprint",
    ),
    manifest(
        "an epoch in capitals",
        instead!("epoch", Some("epoch 0123456789ABCDEF")),
        "epoch: expected 16 hex digits",
    ),
    manifest(
        "an epoch that was cut",
        instead!("epoch", Some("epoch 0123456789abcde")),
        "epoch: expected 16 hex digits",
    ),
    manifest(
        "a core without an epoch",
        instead!("cores", Some("cores core_scene")),
        "cores: expected id=epoch",
    ),
    manifest(
        "a core twice",
        instead!("cores", Some("cores core_a=-,core_a=-")),
        "cores: expected each core once",
    ),
    manifest(
        "a core that is a path",
        instead!("cores", Some("cores ../core=-")),
        "cores: expected id=epoch",
    ),
    manifest(
        "a comma too much",
        instead!("cores", Some("cores core_a=-,")),
        "cores: expected id=epoch",
    ),
    manifest(
        "a module that requires itself",
        told!(|text| {
            let id = line_of(&text, "id")[3..].to_owned();
            format!("{text}requires {id} ^0.1\n")
        }),
        "requires: expected other modules",
    ),
    manifest(
        "a requirement without a version",
        more!("requires core_other"),
        "requires: expected a semver requirement",
    ),
    manifest(
        "a requirement that is none",
        more!("requires core_other ^x.y"),
        "requires: expected a semver requirement",
    ),
    manifest(
        "a requirement of a path",
        more!("requires ../core ^0.1"),
        "requires: expected a package name",
    ),
    manifest("a requirement of nothing", more!("requires"), "requires: expected a package name"),
    manifest(
        "a requirement twice",
        told!(|text| format!("{text}requires core_other ^0.1\nrequires core_other ^0.2\n")),
        "expected `requires core_other` once",
    ),
    manifest("a persisted type of no name", more!("persist "), "persist: expected a type"),
    manifest(
        "a persisted type twice",
        told!(|text| format!("{text}persist A\npersist A\n")),
        "expected `persist A` once",
    ),
    manifest("a dropped type of no name", more!("dropped"), "dropped: expected a type"),
    manifest(
        "a dropped type twice",
        told!(|text| format!("{text}dropped A\ndropped A\n")),
        "expected `dropped A` once",
    ),
];
