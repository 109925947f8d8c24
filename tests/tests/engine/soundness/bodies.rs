//! Bodies of functions that shape a type: by a nested item, by `async`, by a macro.

use playground_tests::Scene;

use super::{Report, Row, live, try_rows};
use crate::{EXTRA, SCENE};

const ITEMS: &[Row] = &[
    Row {
        name: "nested functions that change their names",
        source: r#"fn probed(world: &mut World) -> String {
    fn small(world: &mut World) -> String {
        #[derive(Component, Debug, Default)]
        struct Mark(u8);
        probe::<Mark>(world)
    }
    fn large(world: &mut World) -> String {
        #[derive(Component, Debug, Default)]
        struct Mark([u64; 8]);
        probe::<Mark>(world)
    }
    small(world) + &large(world)
}
"#,
        files: &[],
        before: Report(&[1, 64], ""),
        edits: &[live(
            EXTRA,
            &[("fn small", "fn other"), ("fn large", "fn small"), ("fn other", "fn large")],
            &[64, 1],
            "",
        )],
    },
    Row {
        name: "items of one name in two blocks",
        source: r#"fn probed(world: &mut World) -> String {
    let first = {
        #[derive(Component, Debug, Default)]
        struct Mark(u8);
        probe::<Mark>(world)
    };
    let second = {
        #[derive(Component, Debug, Default)]
        struct Mark([u64; 8]);
        probe::<Mark>(world)
    };
    first + &second
}
"#,
        files: &[],
        before: Report(&[1, 64], ""),
        edits: &[live(
            EXTRA,
            &[("Mark(u8)", "Mark(u16)"), ("[u64; 8]", "u8"), ("u16", "[u64; 8]")],
            &[64, 1],
            "",
        )],
    },
    Row {
        name: "an item in a method",
        source: r#"struct Holder;

impl Holder {
    fn probed(&self, world: &mut World) -> String {
        let length = 1 + 1;
        #[derive(Component, Debug, Default)]
        struct Mark(u8, Inner);
        #[derive(Debug, Default)]
        struct Inner(u8);
        probe::<Mark>(world) + &length.to_string()
    }
}

fn probed(world: &mut World) -> String {
    Holder.probed(world)
}
"#,
        files: &[],
        before: Report(&[2], "Mark(0, Inner(0)) 2"),
        edits: &[
            live(EXTRA, &[("Inner(u8)", "Inner(String)")], &[32], "Mark(0, Inner(\"\"))"),
            live(EXTRA, &[("Inner(String)", "Inner([u16; 3])")], &[8], "Inner([0, 0, 0])"),
        ],
    },
    Row {
        name: "closures that change places",
        source: r#"#[derive(Component)]
pub struct Held<F: Send + Sync + 'static>(F);

fn probed(world: &mut World) -> String {
    let (small, large) = (1_u8, [1_u64; 8]);
    let first = move || small;
    let second = move || large;
    size(world, Held(first)) + &size(world, Held(second))
}
"#,
        files: &[],
        before: Report(&[1, 64], ""),
        edits: &[live(
            EXTRA,
            &[("|| small", "|| other"), ("|| large", "|| small"), ("|| other", "|| large")],
            &[64, 1],
            "",
        )],
    },
];

/// A component that holds a future.
macro_rules! job {
    ($source:literal) => {
        concat!(
            "#[derive(Component)]\npub struct Job<F: Send + Sync + 'static>(F);\n\n\
             async fn pause() {}\n\n",
            $source
        )
    };
}

const FUTURES: &[Row] = &[
    Row {
        name: "`async` in a macro's arguments",
        source: job!(
            "fn probed(world: &mut World) -> String {\n    \
             let job = vec![Job(async { pause().await })].remove(0);\n    size(world, job)\n}\n"
        ),
        files: &[],
        before: Report(&[2], ""),
        edits: &[live(
            EXTRA,
            &[(
                "pause().await",
                "let held = [1_u8; 128]; pause().await; std::hint::black_box(&held);",
            )],
            &[],
            "",
        )],
    },
    Row {
        name: "the body of an `async fn`",
        source: job!(
            "async fn work() {\n    let held = [1_u8; 2];\n    pause().await;\n    \
             std::hint::black_box(&held);\n}\n\n\
             fn probed(world: &mut World) -> String {\n    size(world, Job(work()))\n}\n"
        ),
        files: &[],
        before: Report(&[], ""),
        edits: &[
            live(EXTRA, &[("[1_u8; 2]", "[1_u64; 64]")], &[], ""),
            live(EXTRA, &[("[1_u64; 64]", "[1_u8; 3]")], &[], ""),
        ],
    },
    Row {
        name: "an `async` closure in a nested macro",
        source: job!(
            "fn probed(world: &mut World) -> String {\n    let length = 2_u16;\n    \
             let job = Some(vec![async move |_: u8| length]);\n    \
             size(world, Job(dbg_none!(job)))\n}\n\n\
             #[macro_export]\nmacro_rules! dbg_none {\n    ($job:expr) => {\n        \
             $job.into_iter().flatten().next().unwrap()\n    };\n}\n"
        ),
        files: &[],
        before: Report(&[2], ""),
        edits: &[live(EXTRA, &[("2_u16", "[2_u64; 32]")], &[256], "")],
    },
];

/// A macro of the core that defines a component.
const MARKER: &str = "/// Defines a component.\n#[macro_export]\nmacro_rules! marker {\n    \
                      ($name:ident, $type:ty) => {\n        #[derive(Component, Debug, Default)]\n        \
                      struct $name($type);\n    };\n}\n\n/// Something that moves.";

const MACROS: &[Row] = &[
    Row {
        name: "a macro around a core's macro",
        source: r#"macro_rules! mark {
    ($type:ty) => {
        core_scene::marker!(Mark, $type)
    };
}

fn probed(world: &mut World) -> String {
    mark!(u8);
    probe::<Mark>(world)
}
"#,
        files: &[],
        before: Report(&[1], ""),
        edits: &[live(EXTRA, &[("mark!(u8)", "mark!([u64; 32])")], &[256], "")],
    },
    Row {
        name: "a core's macro under the name of one of std's",
        source: r#"use core_scene::marker as todo;

fn probed(world: &mut World) -> String {
    todo!(Mark, u8);
    probe::<Mark>(world)
}
"#,
        files: &[],
        before: Report(&[1], ""),
        edits: &[live(EXTRA, &[("todo!(Mark, u8)", "todo!(Mark, [u64; 32])")], &[256], "")],
    },
    Row {
        name: "a macro of the crate that hides one of std's",
        source: r#"macro_rules! todo {
    ($type:ty) => {
        #[derive(Component, Debug, Default)]
        struct Mark($type);
    };
}

fn probed(world: &mut World) -> String {
    todo!(u8);
    probe::<Mark>(world)
}
"#,
        files: &[],
        before: Report(&[1], ""),
        edits: &[live(EXTRA, &[("todo!(u8)", "todo!([u64; 32])")], &[256], "")],
    },
    Row {
        name: "a macro that is defined in the body",
        source: r#"fn probed(world: &mut World) -> String {
    macro_rules! mark {
        ($($type:ty)*) => {
            #[derive(Component, Debug, Default)]
            struct Mark($($type),*);
        };
    }
    mark!(u8 u8);
    probe::<Mark>(world)
}
"#,
        files: &[],
        before: Report(&[2], ""),
        edits: &[live(EXTRA, &[("mark!(u8 u8)", "mark!(u8 u64)")], &[16], "")],
    },
];

#[test]
fn bodies_that_shape_types_count() {
    let mut scene = Scene::demo();
    scene.swap(SCENE, &[("/// Something that moves.", MARKER)]);
    [ITEMS, FUTURES, MACROS].into_iter().for_each(|rows| try_rows(&mut scene, rows));
}
