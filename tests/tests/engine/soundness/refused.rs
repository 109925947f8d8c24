//! Edits that are refused, each with its code, after which the world is exactly as it was.

use std::alloc::Layout;
use std::fs;

use bevy::ecs::component::ComponentId;
use playground_tests::Scene;

use super::{HEAD, Report, check, outside, wait_for};
use crate::EXTRA;

/// The plugin that the rows edit: a type that is persisted, one that is not, a system that asks for
/// both, and a type that is only spawned.
const SOURCE: &str = r#"
#[derive(Component, Clone, Debug, Default, Persist, Serialize, Deserialize)]
pub struct Kept {
    pub count: u32,
    pub mass: u32,
}

#[derive(Component, Debug, Default)]
pub struct Plain(marks::size!());

/// No system asks for it.
#[derive(Component, Debug, Default, Reflect)]
pub struct Spawned(marks::weight!());

fn look(_: Query<(&Kept, &Plain)>) {}

fn probed(world: &mut World) -> String {
    if world.query::<&Kept>().iter(world).next().is_none() {
        world.spawn_batch([300, 2, 3].map(|count| (Kept { count, mass: 7 }, Plain([1, 2]))));
        world.resource_mut::<Extra>().runs = 9;
    }
    let runs = world.resource::<Extra>().runs;
    let sizes = probe::<Kept>(world) + &probe::<Plain>(world) + &probe::<Spawned>(world);
    sizes + &format!("runs={runs} version=1")
}
"#;

/// An edit of [`SOURCE`], with the texts that the refusal holds. The first one is its code.
struct Row {
    name: &'static str,
    replacements: &'static [(&'static str, &'static str)],
    /// The event that tells of the refusal.
    kind: &'static str,
    reason: &'static [&'static str],
}

const fn refused(
    name: &'static str,
    replacements: &'static [(&'static str, &'static str)],
    reason: &'static [&'static str],
) -> Row {
    Row { name, replacements, kind: "refused", reason }
}

const ROWS: &[Row] = &[
    refused(
        "a field that holds data is gone",
        &[("    pub mass: u32,\n", ""), (", mass: 7", "")],
        &["H0605", "`mass` of 3 values", "plugins_extra::Kept", "--force"],
    ),
    refused(
        "a type that is too small for a value",
        &[("pub count: u32", "pub count: u8"), ("[300, 2, 3]", "[3u8, 2, 3]")],
        &["H0603", "count", "300", "u8"],
    ),
    refused(
        "a field of another type, without a conversion",
        &[("pub mass: u32", "pub mass: Vec<String>"), ("mass: 7", "mass: Vec::new()")],
        &["H0606", "mass", "u32", "Vec<String>", "migrate"],
    ),
    refused(
        "a type is no longer persisted",
        &[("persist: [Extra, Kept]", "persist: [Extra]")],
        &["H0602", "plugins_extra::Kept", "holds 3"],
    ),
    refused(
        "a default that panics while values are converted",
        &[
            ("    pub mass: u32,\n", "    pub mass: u32,\n    pub more: More,\n"),
            (", mass: 7", ", mass: 7, more: More(1)"),
            (
                "fn look(",
                "#[derive(Clone, Debug, Persist, Serialize, Deserialize)]\npub struct More(u32);\n\n\
                 impl Default for More {\n    fn default() -> Self {\n        \
                 panic!(\"no default\")\n    }\n}\n\nfn look(",
            ),
        ],
        &["H0609", "no default", "plugins_extra"],
    ),
    Row {
        name: "a macro that would make unchecked code",
        replacements: &[(
            "fn look(",
            "macro_rules! zeroed { () => { unsafe { std::mem::zeroed::<u8>() } } }\n\nfn look(",
        )],
        kind: "build_failed",
        reason: &["H0325", EXTRA, "`unsafe`"],
    },
    refused(
        "a system that panics when its parameters are set up",
        &[("fn look(_: Query<(&Kept, &Plain)>)", "fn look(_: Query<&mut Kept>, _: Query<&Kept>)")],
        &["H0401", "plugins_extra", "conflict"],
    ),
];

/// Everything about the world that a refused edit could have touched.
#[derive(Debug, PartialEq)]
struct Untouched {
    /// All values of the plugin, and the version of the code that reports them.
    report: String,
    generation: u32,
    /// The types of the plugin, with size, alignment and need to be dropped.
    stored: Vec<(ComponentId, String, Layout, bool)>,
}

impl Untouched {
    fn of(scene: &mut Scene) -> Self {
        let report = scene.console("report");
        let generation = scene.generation("plugins_extra");
        let world = scene.app.world();
        let infos = world.components().iter_registered();
        let own = infos.filter(|info| info.name().to_string().contains("plugins_extra::"));
        let stored = own
            .map(|info| (info.id(), info.name().to_string(), info.layout(), info.drop().is_some()));
        let stored = stored.collect();
        Self { report, generation, stored }
    }
}

/// A macro that reads a file without saying so: nobody can know that it shapes a type.
fn write_macro(scene: &Scene) {
    let manifest = "[package]\nname = \"core_marks\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
                    [lib]\nname = \"marks\"\nproc-macro = true\n";
    let of_file = |name: &str| {
        format!(
            "#[proc_macro]\npub fn {name}(_: proc_macro::TokenStream) -> proc_macro::TokenStream {{\n    \
             let file = concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/../../../hidden/{name}\");\n    \
             std::fs::read_to_string(file).unwrap().parse().unwrap()\n}}\n"
        )
    };
    let source = of_file("size") + &of_file("weight");
    scene.copy().write("core/marks/Cargo.toml", manifest);
    scene.copy().write("core/marks/src/lib.rs", &source);
    hide(scene, "size", "[u32; 2]");
    hide(scene, "weight", "u8");
}

fn hide(scene: &Scene, name: &str, text: &str) {
    fs::write(outside(scene, &format!("hidden/{name}")), text).expect("a file");
}

fn source_with(replacements: &[(&str, &str)]) -> String {
    let head = HEAD.replace("persist: [Extra]", "persist: [Extra, Kept]").replace(
        ".add_console_command(",
        ".add_systems(Update, look).register_type::<Spawned>().add_console_command(",
    );
    let mut source = head + SOURCE;
    for (from, to) in replacements {
        assert!(source.contains(from), "no `{from}` in\n{source}");
        source = source.replace(from, to);
    }
    source
}

/// The edit is refused with this reason, and nothing changed.
fn try_refusal(scene: &mut Scene, name: &str, kind: &str, text: &str, reason: &[&str]) {
    let before = Untouched::of(scene);
    assert!(
        before.report.contains("version=1") && before.report.contains("count: 300"),
        "{before:?}"
    );
    // The new code would tell of itself.
    scene.write(EXTRA, &text.replace("version=1", "version=2"));
    let found = wait_for(scene, name, kind);
    for part in reason {
        assert!(found.contains(part), "{name}: no `{part}` in {found}");
    }
    assert_eq!(Untouched::of(scene), before, "{name}");
    assert_eq!(scene.count("swapped"), 0, "{name}: {}", scene.story());
    println!("{name}: {found}");
}

#[test]
fn what_is_refused_leaves_the_world_as_it_was() {
    let mut scene = Scene::demo();
    scene.copy().own_target();
    write_macro(&scene);
    scene.mark();
    let with = "[dependencies]\ncore_marks = { path = \"../../core/marks\" }";
    scene.copy().edit("plugins/extra/Cargo.toml", &[("[dependencies]", with)]);
    scene.copy().write(EXTRA, &source_with(&[]));
    wait_for(&mut scene, "the first code", "swapped");
    let values = "Kept { count: 300, mass: 7 };Kept { count: 2, mass: 7 }";
    check(&mut scene, "the first code", &Report(&[8, 8, 1], values));
    for Row { name, replacements, kind, reason } in ROWS {
        try_refusal(&mut scene, name, kind, &source_with(replacements), reason);
    }

    // Past the first barrier: no source tells that the type is another one.
    hide(&scene, "size", "[u64; 2]");
    let reason = ["H0610", "plugins_extra::Plain", "16 bytes", "stored are 8 bytes"];
    try_refusal(&mut scene, "a macro with a hidden input", "refused", &source_with(&[]), &reason);
    hide(&scene, "size", "[u32; 2]");
    hide(&scene, "weight", "u64");
    let reason = ["H0610", "plugins_extra::Spawned", "8 bytes", "stored are 1 bytes"];
    let again = source_with(&[("fn probed", "// Built once more.\nfn probed")]);
    try_refusal(&mut scene, "a type that is only spawned", "refused", &again, &reason);

    // What is right goes live, with the values as they were.
    hide(&scene, "weight", "u8");
    scene.write(EXTRA, &source_with(&[("version=1", "version=3")]));
    wait_for(&mut scene, "an ordinary edit", "swapped");
    check(&mut scene, "an ordinary edit", &Report(&[8, 8, 1], values));
    check(&mut scene, "an ordinary edit", &Report(&[8, 8, 1], "runs=9 version=3"));
}
