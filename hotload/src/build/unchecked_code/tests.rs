use super::*;
use crate::test_folder::TestFolder;

#[test]
fn every_refused_word_is_found_with_its_line() {
    for word in WORDS {
        let call = if word == ASM { "!()" } else { "" };
        let text = format!("//! {word}\nfn a() {{\n    {word}{call}\n}}\n");
        assert_eq!(in_text(&text), [(3, word)], "{text}");
    }
    let attributes =
        "#[unsafe(no_mangle)]\npub fn a() {}\n\n#[r#link_section = \".x\"]\nstatic A: u8 = 1;\n";
    assert_eq!(in_text(attributes), [(1, "unsafe"), (1, "no_mangle"), (4, "link_section")]);
    let kinds =
        "unsafe fn a() {}\nunsafe impl B for C {}\nunsafe trait D {}\nunsafe extern \"C\" {}";
    assert_eq!(in_text(kinds).iter().map(|(line, _)| *line).collect::<Vec<_>>(), [1, 2, 3, 4]);
    let under = "#![allow(unused)]\n#[cfg_attr(all(), unsafe(export_name = \"a\"))] fn a() {}";
    assert_eq!(in_text(under), [(2, "unsafe"), (2, "export_name")]);
}

#[test]
fn definitions_and_calls_of_macros_are_searched() {
    let definition = "macro_rules! start {\n    ($f:path) => {\n        #[unsafe(link_section = \".init_array\")]\n        static START: fn() = $f;\n    };\n}";
    assert_eq!(in_text(definition), [(3, "unsafe"), (3, "link_section")]);
    assert_eq!(in_text("core_x::wrap!({\n unsafe\n { run() } });"), [(2, "unsafe")]);
    assert_eq!(in_text("core_x::with!(\n[(link_section)]);"), [(2, "link_section")]);
    assert_eq!(in_text("core::arch::asm ! (\"nop\");"), [(1, "asm")]);
}

#[test]
fn names_comments_and_texts_are_no_code() {
    for text in [
        "#![forbid(unsafe_code)]\n#![deny(unsafe_op_in_unsafe_fn)]",
        "/// unsafe, no_mangle\n//! unsafe\nfn a() {} // unsafe\n/* unsafe /* naked */ asm!() */",
        "const A: &str = \"unsafe{ }\";\nconst B: &str = r#\"no_mangle \" unsafe\"#;",
        "const A: &[u8] = b\"unsafe\"; const B: &std::ffi::CStr = c\"unsafe\";",
        "fn unsafely() { let is_unsafe = not_unsafe; let unsafe2 = _unsafe; }",
        "fn r#unsafe() { r#unsafe() }",
        "struct A { asm: u8 }\nfn a(a: A) -> u8 { a.asm }\nmod asm {}",
        "#!/usr/bin/env unsafe\nfn a() {}",
        "fn a<'a>(a: &'a str) -> char { '\"' }",
    ] {
        assert_eq!(in_text(text), [], "{text}");
    }
}

#[test]
fn lines_are_right_beside_comments_and_texts() {
    let text = "/* unsafe\nunsafe */ const A: &str = \"\nunsafe\\\"\nunsafe\";\nfn a() { unsafe{ a() } }\n\
                // unsafe\nfn b() { unsafe{ b() } } // unsafe\nfn c() { /* ü unsafe */ unsafe{} }";
    assert_eq!(in_text(text), [(5, "unsafe"), (7, "unsafe"), (8, "unsafe")]);
    assert_eq!(in_text("#![a]\nunsafe"), [(2, "unsafe")]);
    assert_eq!(in_text("#!/bin/sh\nunsafe"), [(2, "unsafe")]);
    assert_eq!(in_text("\u{feff}fn a() {\r\n unsafe{} }"), [(2, "unsafe")]);
}

#[test]
fn what_is_not_rust_is_left_to_rustc() {
    assert_eq!(in_text("fn a() { unsafe{ \"no end }"), []);
    assert_eq!(in_text("fn a( { unsafe{ } }"), []);
    assert_eq!(in_text(""), []);
}

#[test]
fn the_build_script_is_not_a_part_of_the_module() {
    let file = |path: &str| (PathBuf::from(path), "fn a() { unsafe{} }".to_owned());
    let sources = ["build.rs", "src/build.rs", "src/lib.rs"].map(file);
    let folder = TestFolder::new("unchecked");
    let found = || -> Vec<_> {
        let found = refused_words(&sources, &folder).into_iter();
        found.map(|(path, ..)| path.to_str().unwrap()).collect()
    };
    assert_eq!(found(), ["src/build.rs", "src/lib.rs"]);
    fs::write(folder.join("Cargo.toml"), "[package]\nbuild = \"src/build.rs\"\n").unwrap();
    assert_eq!(found(), ["build.rs", "src/lib.rs"]);
}
