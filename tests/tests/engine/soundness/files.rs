//! Files that rustc reads, wherever they are and however they are named.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use playground_tests::Scene;

use super::{HEAD, Report, Row, check, component, live, outside, try_rows, wait_for};
use crate::EXTRA;

const ROWS: &[Row] = &[
    Row {
        name: "a folder called `target`",
        source: "mod target;\n\nfn probed(world: &mut World) -> String {\n    \
                 probe::<target::lock::Lock>(world)\n}\n",
        files: &[
            ("plugins/extra/src/target/mod.rs", "pub mod lock;\n"),
            ("plugins/extra/src/target/lock.rs", component!("Lock(u32)")),
        ],
        before: Report(&[4], "values=Lock(0)"),
        edits: &[
            live(
                "plugins/extra/src/target/lock.rs",
                &[("Lock(u32)", "Lock([usize; 3])")],
                &[24],
                "Lock([0,",
            ),
            live(
                "plugins/extra/src/target/lock.rs",
                &[("[usize; 3]", "String")],
                &[24],
                "Lock(\"\")",
            ),
        ],
    },
    Row {
        name: "a module in a file of another ending",
        source: "#[path = \"types.rs.in\"]\nmod types;\n\n\
                 fn probed(world: &mut World) -> String {\n    probe::<types::Lock>(world)\n}\n",
        files: &[("plugins/extra/src/types.rs.in", component!("Lock(u32)"))],
        before: Report(&[4], "Lock(0)"),
        edits: &[
            live("plugins/extra/src/types.rs.in", &[("Lock(u32)", "Lock(f32)")], &[4], "Lock(0.0)"),
            live("plugins/extra/src/types.rs.in", &[("f32", "[u64; 32]")], &[256], "Lock([0,"),
        ],
    },
    Row {
        name: "a module outside of the crate",
        source: "#[path = \"../../../../shared/types.rs\"]\nmod types;\n\n\
                 fn probed(world: &mut World) -> String {\n    probe::<types::Lock>(world)\n}\n",
        files: &[("../shared/types.rs", component!("Lock(u32)"))],
        before: Report(&[4], "Lock(0)"),
        edits: &[
            live("../shared/types.rs", &[("Lock(u32)", "Lock([usize; 3])")], &[24], "Lock([0,"),
            // A body elsewhere comes after, when everything is read again.
            live(
                "plugins/extra/src/lib.rs",
                &[("probed(world)", "probed(world) + \"2\"")],
                &[24],
                "2",
            ),
            live("../shared/types.rs", &[("[usize; 3]", "Vec<u8>")], &[24], "Lock([])"),
        ],
    },
    Row {
        name: "an include of a file outside",
        source: "include!(\"../../../../shared/fields.rs\");\n\n\
                 fn probed(world: &mut World) -> String {\n    probe::<Lock>(world)\n}\n",
        files: &[(
            "../shared/fields.rs",
            "#[derive(Component, Debug, Default)]\npub struct Lock(u32);\n",
        )],
        before: Report(&[4], "Lock(0)"),
        edits: &[
            live("../shared/fields.rs", &[("Lock(u32)", "Lock([usize; 3])")], &[24], "Lock([0,"),
            live("../shared/fields.rs", &[("[usize; 3]", "String")], &[24], "Lock(\"\")"),
        ],
    },
    Row {
        name: "an include within an include",
        source: "include!(\"outer.in\");\n\n\
                 fn probed(world: &mut World) -> String {\n    probe::<Lock>(world)\n}\n",
        files: &[
            ("plugins/extra/src/outer.in", "include!(\"deep/inner.in\");\n"),
            (
                "plugins/extra/src/deep/inner.in",
                "#[derive(Component, Debug, Default)]\npub struct Lock([u8; include!(\"field.in\")]);\n",
            ),
            ("plugins/extra/src/deep/field.in", "1"),
        ],
        before: Report(&[1], "Lock([0])"),
        edits: &[
            live("plugins/extra/src/deep/field.in", &[("1", "9")], &[9], "Lock([0, 0,"),
            live(
                "plugins/extra/src/deep/inner.in",
                &[("Lock(", "Lock(u64, ")],
                &[24],
                "Lock(0, [0, 0,",
            ),
        ],
    },
    Row {
        name: "the length of a file whose path is computed",
        source: "const DATA: &[u8] =\n    include_bytes!(concat!(env!(\"CARGO_MANIFEST_DIR\"), \
                 \"/../../../shared/data.bin\"));\n\n#[derive(Component)]\n\
                 pub struct Lock([u8; DATA.len()]);\n\n\
                 fn probed(world: &mut World) -> String {\n    \
                 size(world, Lock([1; DATA.len()]))\n}\n",
        files: &[("../shared/data.bin", "12345")],
        before: Report(&[5], ""),
        edits: &[
            live("../shared/data.bin", &[("5", "56789")], &[9], ""),
            live("../shared/data.bin", &[("56789", "")], &[4], ""),
        ],
    },
    Row {
        name: "a text outside",
        source: "fn probed(world: &mut World) -> String {\n    probe::<Lock>(world) + \
                 include_str!(\"../../../../shared/text.txt\")\n}\n\n\
                 #[derive(Component, Debug, Default)]\npub struct Lock(u32);\n",
        files: &[("../shared/text.txt", "first")],
        before: Report(&[4], "first"),
        edits: &[
            live("../shared/text.txt", &[("first", "second")], &[4], "second"),
            live("../shared/text.txt", &[("second", "third")], &[4], "third"),
        ],
    },
    Row {
        name: "a module that a macro declares",
        source: "macro_rules! module {\n    ($name:ident) => {\n        mod $name;\n    };\n}\n\
                 module!(unseen);\n\n\
                 fn probed(world: &mut World) -> String {\n    probe::<unseen::Lock>(world)\n}\n",
        files: &[("plugins/extra/src/unseen.rs", component!("Lock(u32)"))],
        before: Report(&[4], "Lock(0)"),
        edits: &[
            live("plugins/extra/src/unseen.rs", &[("u32", "[usize; 3]")], &[24], "Lock([0,"),
            live("plugins/extra/src/unseen.rs", &[("[usize; 3]", "String")], &[24], "Lock(\"\")"),
        ],
    },
    Row {
        name: "a module in a hidden folder",
        source: "#[path = \".generated/v1.2/types.rs\"]\nmod types;\n\n\
                 fn probed(world: &mut World) -> String {\n    probe::<types::Lock>(world)\n}\n",
        files: &[("plugins/extra/src/.generated/v1.2/types.rs", component!("Lock(u32)"))],
        before: Report(&[4], "Lock(0)"),
        edits: &[
            live(
                "plugins/extra/src/.generated/v1.2/types.rs",
                &[("u32", "[usize; 3]")],
                &[24],
                "Lock([0,",
            ),
            live(
                "plugins/extra/src/.generated/v1.2/types.rs",
                &[("[usize; 3]", "String")],
                &[24],
                "Lock(\"\")",
            ),
        ],
    },
    Row {
        name: "a module in what looks like a backup",
        source: "#[path = \"types.rs~\"]\nmod types;\n\n\
                 fn probed(world: &mut World) -> String {\n    probe::<types::Lock>(world)\n}\n",
        files: &[("plugins/extra/src/types.rs~", component!("Lock(u32)"))],
        before: Report(&[4], "Lock(0)"),
        edits: &[live("plugins/extra/src/types.rs~", &[("u32", "[usize; 3]")], &[24], "Lock([0,")],
    },
    Row {
        name: "a symbolic link to a file outside",
        source: "mod linked;\n\n\
                 fn probed(world: &mut World) -> String {\n    probe::<linked::Lock>(world)\n}\n",
        files: &[],
        before: Report(&[4], "Lock(0)"),
        edits: &[
            live("../shared/original.rs", &[("u32", "[usize; 3]")], &[24], "Lock([0,"),
            live("../shared/original.rs", &[("[usize; 3]", "String")], &[24], "Lock(\"\")"),
        ],
    },
];

#[test]
fn every_file_that_rustc_reads_counts() {
    let mut scene = Scene::demo();
    let original = outside(&scene, "shared/original.rs");
    fs::write(&original, component!("Lock(u32)")).expect("a file");
    let link = scene.root().join("modules/plugins/extra/src/linked.rs");
    symlink(&original, link).expect("a link");
    try_rows(&mut scene, ROWS);
}

const READS_CURRENT: &str = r#"
#[derive(Component, Debug, Default)]
struct Lock;

fn probed(world: &mut World) -> String {
    probe::<Lock>(world) + include_str!("../../../../shared/current/text.txt")
}
"#;

/// What happens to a folder outside, and the text that the module reads after that.
type Move = (&'static str, fn(&Path), &'static str);

const MOVES: &[Move] = &[
    ("the link leads to another folder", |shared| link(shared, "v2"), "two"),
    (
        "the old folder changes, and the link leads back",
        |shared| {
            fs::write(shared.join("v1/text.txt"), "one again").expect("a file");
            link(shared, "v1");
        },
        "one again",
    ),
    (
        "another folder is moved in place of the one that is read",
        |shared| {
            fs::rename(shared.join("v1"), shared.join("old")).expect("moved");
            fs::create_dir(shared.join("v3")).expect("a folder");
            fs::write(shared.join("v3/text.txt"), "three").expect("a file");
            fs::rename(shared.join("v3"), shared.join("v1")).expect("moved");
        },
        "three",
    ),
    (
        "a file in that folder is replaced",
        |shared| {
            fs::write(shared.join("new"), "four").expect("a file");
            fs::rename(shared.join("new"), shared.join("v1/text.txt")).expect("moved");
        },
        "four",
    ),
    (
        "the folder is removed and made again",
        |shared| {
            fs::remove_dir_all(shared.join("v1")).expect("removed");
            fs::create_dir(shared.join("v1")).expect("a folder");
            fs::write(shared.join("v1/text.txt"), "five").expect("a file");
        },
        "five",
    ),
    (
        "everything is, as another branch is checked out",
        |shared| {
            fs::remove_dir_all(shared).expect("removed");
            fs::create_dir_all(shared.join("v1")).expect("a folder");
            fs::write(shared.join("v1/text.txt"), "six").expect("a file");
            link(shared, "v1");
        },
        "six",
    ),
    (
        "a file in that one is written",
        |shared| {
            fs::write(shared.join("v1/text.txt"), "seven").expect("a file");
        },
        "seven",
    ),
];

/// `current` leads to that folder from now on.
fn link(shared: &Path, folder: &str) {
    symlink(folder, shared.join("next")).expect("a link");
    fs::rename(shared.join("next"), shared.join("current")).expect("moved");
}

#[test]
fn folders_and_links_outside_may_be_replaced() {
    let mut scene = Scene::demo();
    let shared = scene.root().join("shared");
    for (folder, text) in [("v1", "one"), ("v2", "two")] {
        let file = outside(&scene, &format!("shared/{folder}/text.txt"));
        fs::write(file, text).expect("a file");
    }
    link(&shared, "v1");
    scene.write(EXTRA, &format!("{HEAD}\n{READS_CURRENT}"));
    wait_for(&mut scene, "the first text", "swapped");
    check(&mut scene, "the first text", &Report(&[0], "one"));
    for (name, replace, text) in MOVES {
        scene.mark();
        replace(&shared);
        // What was there in between may have gone live first.
        loop {
            scene.until(name, |scene| scene.event("swapped", Some("plugins_extra")).is_some());
            scene.mark();
            if scene.console("report").contains(text) {
                break;
            }
        }
    }
}
