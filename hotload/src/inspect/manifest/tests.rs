use super::*;

const GOOD: &str = r#"kind = "Systems"
id = "sys"
version = "0.1.0"
abi = "abc"
epoch = "0123456789abcdef"
crate_epoch = "fedcba9876543210"
types = "Pace 00112233445566aa sys\nStep 00112233445566bb sys::gait"
cores = { core_a = "0123456789abcdef", core_b = "-" }
persist = ["Health", "Grid < u8 >"]
dropped = ["core_a::Shield"]

[requires]
core_a = "^0.1"
core_b = ">=1, <3"
"#;

#[test]
fn a_good_one_is_read() {
    let manifest = Manifest::parse(GOOD.as_bytes(), &"sys".into()).unwrap();
    assert_eq!(manifest.kind, Kind::Systems);
    assert_eq!(manifest.version, Version::new(0, 1, 0));
    assert_eq!(manifest.cores["core_b"], UNSET);
    assert!(manifest.requires["core_b"].matches(&Version::new(2, 5, 0)));
    assert_eq!(manifest.persisted, ["Health", "Grid < u8 >"]);
    assert_eq!(manifest.dropped, ["core_a::Shield"]);
    assert_eq!(manifest.types["Step"], "00112233445566bb");
    assert_eq!(manifest.types.len(), 2);
}

#[test]
fn other_ways_to_write_it_are_read() {
    let good = Manifest::parse(GOOD.as_bytes(), &"sys".into()).unwrap();
    let written = GOOD.replace('\n', "\r\n\r\n").replace("\"abc\"", "'abc' # a comment");
    for text in [written.clone(), written.trim_end().to_owned(), format!("\u{feff}{written}")] {
        assert_eq!(Manifest::parse(text.as_bytes(), &"sys".into()).as_ref(), Ok(&good), "{text}");
    }
}

#[test]
fn texts_are_escaped() {
    use playground_api::export::Piece::{Text, Toml};
    use playground_api::export::{Piece, manifest_bytes, manifest_len};
    const TYPE: &str = "A<'static, \"q\\\", \u{1f}\u{7f}ä>";
    const PIECES: &[Piece] = &[Toml("text = "), Text(TYPE), Toml("\nempty = "), Text("")];
    const LEN: usize = manifest_len(PIECES);
    let bytes: [u8; LEN] = manifest_bytes(PIECES);
    let table: toml::Table = toml::from_str(std::str::from_utf8(&bytes).unwrap()).unwrap();
    assert_eq!(table["text"].as_str(), Some(TYPE));
    assert_eq!(table["empty"].as_str(), Some(""));
}

#[test]
fn kinds_are_those_of_the_api() {
    use playground_api::export::Kind as Api;
    for (kind, api) in Kind::ALL.into_iter().zip([Api::Core, Api::Systems, Api::Plugins, Api::Apps])
    {
        assert_eq!(format!("{kind:?}"), format!("{api:?}"));
    }
}

#[test]
fn each_deviation_is_refused() {
    let changed = |from: &str, to: &str| {
        assert!(GOOD.contains(from), "{from}");
        GOOD.replacen(from, to, 1)
    };
    let table = [
        (changed("\"Systems\"", "\"systems\""), "in line 1: unknown variant `systems`"),
        (changed("kind = \"Systems\"\n", ""), "found: missing field `kind`"),
        (changed("\"sys\"", "\"other\""), "expected `sys`, found `other`"),
        (changed("\"sys\"", "\"../sys\""), "expected a package name"),
        (changed("\"sys\"", "\"a/b\""), "expected a package name"),
        (changed("\"sys\"", "\"sys\"\nid = \"sys\""), "in line 3: duplicate key"),
        (changed("\"sys\"", "7"), "in line 2: invalid type: integer `7`, expected a string"),
        (changed("\"0.1.0\"", "\"0.1\""), "expected a semver version"),
        (changed("\"0.1.0\"", "\"\""), "expected a semver version"),
        (changed("\"0.1.0\"", ""), "in line 3: "),
        (changed("\"abc\"", "\"\""), "abi: expected"),
        (changed("\"abc\"", "\"a c\""), "abi: expected"),
        (changed("epoch = \"0123456789abcdef", "epoch = \"0123456789ABCDEF"), "16 hex digits"),
        (changed("crate_epoch = \"fed", "crate_epoch = \"FED"), "crate_epoch: expected an epoch"),
        (changed("5566aa sys", "5566AA sys"), "types: expected a type, an epoch and a module"),
        (changed("5566aa sys", "5566aa "), "types: expected a type, an epoch and a module"),
        (changed("5566aa sys", "5566aa sys x"), "types: expected a type, an epoch and a module"),
        (changed("Pace 0", " 0"), "types: expected a type, an epoch and a module"),
        (changed("\\nStep", "\\n\\nStep"), "types: expected a type, an epoch and a module"),
        (changed("core_b = \"-\"", "core_b = \"\""), "cores: expected an epoch"),
        (changed("core_b = \"-\"", "core_a = \"-\""), "in line 8: duplicate key"),
        (changed("core_b = \"-\"", "\"../x\" = \"-\""), "cores: expected package names"),
        (changed("core_a = \"^0.1\"", "sys = \"^0.1\""), "found `sys` itself"),
        (changed("core_a = \"^0.1\"", "core_b = \"^0.1\""), "in line 14: duplicate key"),
        (changed("\"^0.1\"", "\"^x\""), "requires: expected a semver requirement"),
        (changed("\"^0.1\"", "\"\""), "requires: expected a semver requirement"),
        (changed("core_a = \"^0.1\"", "\"../a\" = \"^0.1\""), "a package name and"),
        (changed("\"Health\"", "\" \""), "persist: expected a type"),
        (changed("\"Health\"", "\"Health\", \"Health\""), "persist: expected each type once"),
        (changed("\"Health\"", "\"Hea\\nlth\""), "persist: expected a type"),
        (changed("\"core_a::Shield\"", "\"\""), "dropped: expected a type"),
        (changed("persist", "wants"), "in line 9: unknown field `wants`"),
        (changed("Health", "Hea\0lth"), "in line 9: "),
        (changed("Health", "Hea\rlth"), "in line 9: "),
        (String::new(), "found: missing field `kind`"),
    ];
    for (text, expected) in table {
        let error = Manifest::parse(text.as_bytes(), &"sys".into()).unwrap_err().to_string();
        assert!(error.contains(expected), "{error:?} should contain {expected:?}");
    }
    let error = Manifest::parse(b"kind \xff\n", &"sys".into()).unwrap_err().to_string();
    assert_eq!(error, "expected UTF-8, found the byte 0xff at 5");
}
