//! Manifests that are refused, each for one broken rule.

use super::*;

const TRIPLE: &str = "x86_64-unknown-linux-gnu";

/// A manifest of two modules for one target, with a few other files.
pub(crate) fn sample() -> Manifest {
    let module = |id: &str| Module {
        id: id.to_owned(),
        kind: Kind::of_name(id).unwrap(),
        version: Version::new(0, 1, 0),
        requires: BTreeMap::from([("core_arena".to_owned(), "^0.1".parse().unwrap())]),
        optional: BTreeMap::new(),
        conflicts: BTreeMap::new(),
        after: BTreeSet::new(),
        before: BTreeSet::new(),
    };
    let file = |path: &str, content: &[u8]| File {
        path: path.to_owned(),
        size: content.len() as u64,
        blake3: Hash::of(content),
    };
    Manifest {
        format: FORMAT,
        id: "boss_wave".to_owned(),
        version: Version::new(1, 2, 0),
        title: "Boss wave".to_owned(),
        authors: vec!["Somebody".to_owned()],
        licence: "MIT".to_owned(),
        description: "A boss.\nWith a wave.".to_owned(),
        host: "^0.1".parse().unwrap(),
        api: "^0.1".parse().unwrap(),
        publisher: None,
        targets: vec![Target { triple: TRIPLE.to_owned(), abi: "0a1b".to_owned() }],
        modules: vec![module("plugins_palette"), module("systems_boss")],
        files: vec![
            file("LICENSE-MIT", b"Do as you like."),
            file("assets/boss/wave.toml", b"size = 3\n"),
            file("icon.png", b"\x89PNG"),
            file(&library_path(TRIPLE, "plugins_palette"), &[7; 5000]),
            file(&library_path(TRIPLE, "systems_boss"), &[8; 512]),
        ],
    }
}

/// What `change` of the sample is refused with.
fn refused(change: impl FnOnce(&mut Manifest)) -> String {
    let mut manifest = sample();
    change(&mut manifest);
    let error = manifest.render().expect_err("a broken rule").to_string();
    // Reading has the same rules as writing.
    let text = toml::to_string(&manifest).unwrap();
    assert_eq!(Manifest::parse(text.as_bytes()).expect_err(&text).to_string(), error);
    error
}

#[test]
fn a_manifest_is_read_as_it_was_written() {
    let manifest = sample();
    let text = manifest.render().unwrap();
    assert_eq!(Manifest::parse(text.as_bytes()).unwrap(), manifest);
    assert_eq!(Manifest::parse(text.as_bytes()).unwrap().render().unwrap(), text);
    assert_eq!(manifest.library(TRIPLE, "systems_boss").unwrap().size, 512);
    assert_eq!(manifest.library(TRIPLE, "systems_other"), None);
    assert_eq!(manifest.library("other", "systems_boss"), None);
    assert_eq!(manifest.total_bytes(), 15 + 9 + 4 + 5000 + 512);
}

#[test]
fn libraries_are_named_as_their_system_does() {
    for (triple, expected) in [
        ("aarch64-unknown-linux-gnu", "targets/aarch64-unknown-linux-gnu/libcore_x.so"),
        ("x86_64-pc-windows-msvc", "targets/x86_64-pc-windows-msvc/core_x.dll"),
        ("aarch64-apple-darwin", "targets/aarch64-apple-darwin/libcore_x.dylib"),
    ] {
        assert_eq!(library_path(triple, "core_x"), expected);
        assert_eq!(library_path(triple, "core-x"), expected);
    }
}

#[test]
fn broken_rules_are_named() {
    type Change = fn(&mut Manifest);
    let cases: [(Change, &str); 34] = [
        (|m| m.format = 2, "it is of format 2, and this program reads format 1"),
        (|m| m.id = "Boss".into(), "the pack's id is `Boss`"),
        (|m| m.id = String::new(), "the pack's id is ``"),
        (|m| m.id = "../boss".into(), "the pack's id is `../boss`"),
        (|m| m.id = "b".repeat(61), "the pack's id is `bbb"),
        (|m| m.title = " ".into(), "the title is empty"),
        (|m| m.title = "x".repeat(201), "the title has 201 characters"),
        (|m| m.title = "a\nb".into(), "the title contains the invisible character U+000A"),
        (|m| m.title = "\u{1b}[2J".into(), "the title contains the invisible character U+001B"),
        (|m| m.title = "a\u{202e}b".into(), "the invisible character U+202E"),
        (
            |m| m.description = "a\rb".into(),
            "the description contains the invisible character U+000D",
        ),
        (|m| m.description = "x".repeat(4001), "the description has 4001 characters"),
        (|m| m.licence = String::new(), "the licence is empty"),
        (|m| m.authors = vec!["x".into(); 51], "it has 51 authors, and at most 50"),
        (|m| m.authors = vec![String::new()], "an author is empty"),
        (|m| m.targets.clear(), "it has no targets"),
        (|m| m.targets.push(m.targets[0].clone()), "its targets are not ordered"),
        (|m| m.targets[0].triple = "../../x-y-z".into(), "is no target of rustc"),
        (|m| m.targets[0].triple = "linux".into(), "`linux` is no target of rustc"),
        (|m| m.targets[0].abi = String::new(), "an ABI fingerprint is empty"),
        (|m| m.modules.clear(), "it has no modules"),
        (|m| m.modules.reverse(), "`plugins_palette` comes after `systems_boss`"),
        (|m| m.modules[0].kind = Kind::Apps, "its name has to begin with `apps_`"),
        (
            |m| m.modules[1].id = "systems_".to_owned() + &"b".repeat(60),
            "a module's id is `systems_bbb",
        ),
        (
            |m| _ = m.modules[0].conflicts.insert("plugins_palette".into(), "*".parse().unwrap()),
            "although that is itself",
        ),
        (
            |m| _ = m.modules[0].conflicts.insert("core_arena".into(), "*".parse().unwrap()),
            "as required and as a conflict",
        ),
        (
            |m| {
                m.modules[0].after.insert("core_x".into());
                m.modules[0].before.insert("core_x".into());
            },
            "as loaded before it and as loaded after it",
        ),
        (|m| _ = m.modules[0].after.insert("a/b".into()), "the name of a related module is `a/b`"),
        (|m| m.files.swap(0, 1), "its files are not ordered"),
        (|m| m.files.insert(1, m.files[0].clone()), "one is listed twice"),
        (|m| m.files[1].path = "assets/../x".into(), "the name `..` starts with a dot"),
        (|m| m.files[1].path = "bin/run".into(), "`bin/run` has no place in a pack"),
        (
            |m| _ = m.files.pop(),
            "module `systems_boss` has no library for x86_64-unknown-linux-gnu",
        ),
        (|m| m.files[1].size = 600 << 20, "`assets/boss/wave.toml` has 629145600 bytes"),
    ];
    for (change, expected) in cases {
        let error = refused(change);
        assert!(error.contains(expected), "{error}\ninstead of\n{expected}");
    }
}

#[test]
fn a_module_may_have_hyphens_in_its_name_but_not_two_spellings() {
    let mut manifest = sample();
    manifest.modules[0].id = "plugins-palette".to_owned();
    manifest.modules[1].after.insert("core_big-map".to_owned());
    assert_eq!(Manifest::parse(manifest.render().unwrap().as_bytes()).unwrap(), manifest);
    let error = refused(|manifest| {
        let other = Module { id: "plugins-palette".to_owned(), ..manifest.modules[0].clone() };
        manifest.modules.insert(0, other);
    });
    assert!(error.contains("another spelling"), "{error}");
}

#[test]
fn many_files_together_are_too_large() {
    let error = refused(|manifest| {
        for number in 0..5 {
            let path = format!("assets/x{number}");
            manifest
                .files
                .insert(2 + number, File { path, size: 500 << 20, ..manifest.files[1].clone() });
        }
    });
    assert!(error.contains("all of it has "), "{error}");
    let error = refused(|manifest| {
        let file = manifest.files[1].clone();
        let more = (0..10_000).map(|n| File { path: format!("assets/y{n:05}"), ..file.clone() });
        manifest.files.splice(2..2, more);
    });
    assert!(error.contains("10005 files, and at most 10000"), "{error}");
}

#[test]
fn text_that_is_no_manifest_is_refused() {
    let text = sample().render().unwrap();
    let with = |from: &str, to: &str| {
        assert_eq!(text.matches(from).count(), 1, "{from}");
        text.replace(from, to).into_bytes()
    };
    for (bytes, expected) in [
        (b"\xff\xfe".to_vec(), "not UTF-8"),
        (Vec::new(), "missing field `format`"),
        (b"format = 1".to_vec(), "missing field"),
        (b"format = \"1\"".to_vec(), "invalid type"),
        (b"format = 7\nunknown = true".to_vec(), "it is of format 7"),
        (with("title = ", "tytle = "), "unknown field `tytle`"),
        (with("version = \"1.2.0\"", "version = \"1.2\""), "version"),
        (with("size = 512", "size = -1"), "-1"),
        (with(&Hash::of(&[8; 512]).to_string(), "00"), "64 lower-case hex digits"),
        (with("kind = \"systems\"", "kind = \"daemons\""), "unknown variant `daemons`"),
    ] {
        let error = Manifest::parse(&bytes).expect_err(expected).to_string();
        assert!(error.contains(expected), "{error}\ninstead of\n{expected}");
    }
}

#[test]
fn an_error_shows_no_characters_that_control_a_terminal() {
    let text = sample().render().unwrap();
    for bytes in [
        text.replace("title = ", "\"\\u001B[2J\" = "),
        text.replace("title = \"Boss wave\"", "title = \"\u{1b}[2J\""),
        text.replace("kind = \"systems\"", "kind = \"\\u001B[2J\\u202E\""),
        text.replace("version = \"1.2.0\"", "version = \"\\u001B[2J\""),
    ] {
        assert_ne!(bytes, text);
        let error = Manifest::parse(bytes.as_bytes()).expect_err("no manifest").to_string();
        let control = error.chars().find(|c| *c != '\n' && (c.is_control() || *c == '\u{202e}'));
        assert_eq!(control, None, "{error:?}");
    }
}
