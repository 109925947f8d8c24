//! A table of edits: after each of them the new code and the world agree about every type's layout,
//! or the edit is refused.
//!
//! A row replaces the plugin of the test modules by one that reports the size of its types and the
//! size under which the world stores the same `TypeId`.

mod attached;
mod beside;
mod bodies;
mod builds;
mod files;
mod libraries;
mod refused;
mod scripts;

use std::path::Path;

use playground_tests::Scene;

use crate::EXTRA;

/// The beginning of every row's plugin. A row adds `fn probed(world: &mut World) -> String`.
const HEAD: &str = r#"//! A plugin that reports the sizes of its types.
#![forbid(unsafe_code)]

use playground_api::prelude::*;

export_module! { kind: Plugins, requires: { core_scene: "^0.1" }, persist: [Extra], build: build }

#[derive(Resource, Debug, Default, Persist, Serialize, Deserialize)]
pub struct Extra {
    pub runs: u64,
}

fn build(module: &mut ModuleApp) {
    module.init_resource::<Extra>().add_console_command("report", "sizes of types", report);
}

fn report(In(_): In<Vec<String>>, world: &mut World) -> String {
    probed(world)
}

/// Spawns the value if the world has none of its type.
fn size<T: Component>(world: &mut World, value: T) -> String {
    if world.query::<&T>().iter(world).next().is_none() {
        world.spawn(value);
    }
    let info = world.component_id::<T>().and_then(|id| world.components().get_info(id));
    let stored = info.map_or(0, |info| info.layout().size());
    format!("code={} stored={stored} ", size_of::<T>())
}

fn probe<T: Component + Default + std::fmt::Debug>(world: &mut World) -> String {
    let size = size(world, T::default());
    let values: Vec<String> =
        world.query::<&T>().iter(world).map(|value| format!("{value:?}")).collect();
    format!("{size}values={} ", values.join(";"))
}
"#;

/// A source file with one component.
macro_rules! component {
    ($definition:literal) => {
        concat!(
            "use playground_api::prelude::*;\n\n#[derive(Component, Debug, Default)]\npub struct ",
            $definition,
            ";\n"
        )
    };
}
use component;

/// Edits of one plugin.
struct Row {
    /// The name in messages.
    name: &'static str,
    /// The plugin's source, after [`HEAD`].
    source: &'static str,
    /// Other files that have to be there, by their path below `modules/`.
    files: &'static [(&'static str, &'static str)],
    /// Reported before the first edit.
    before: Report,
    edits: &'static [Edit],
}

/// An edit that goes live.
struct Edit {
    /// The path below `modules/`.
    file: &'static str,
    /// Texts with their replacements, one after the other.
    replacements: &'static [(&'static str, &'static str)],
    /// Reported after the edit.
    expected: Report,
}

/// The sizes of the types, in order, where they are known beforehand, and something that the report
/// holds.
struct Report(&'static [usize], &'static str);

/// An edit that goes live.
const fn live(
    file: &'static str,
    replacements: &'static [(&'static str, &'static str)],
    sizes: &'static [usize],
    shows: &'static str,
) -> Edit {
    Edit { file, replacements, expected: Report(sizes, shows) }
}

/// Tries all edits of the rows in one app.
fn try_rows(scene: &mut Scene, rows: &[Row]) {
    for row in rows {
        for (path, text) in row.files {
            scene.copy().write(path, text);
        }
        scene.write(EXTRA, &format!("{HEAD}\n{}", row.source));
        wait_for(scene, row.name, "swapped");
        check(scene, row.name, &row.before);
        for edit in row.edits {
            try_edit(scene, row.name, edit);
        }
    }
}

fn try_edit(scene: &mut Scene, name: &str, edit: &Edit) {
    scene.edit_all(edit.file, edit.replacements);
    wait_for(scene, name, "swapped");
    check(scene, name, &edit.expected);
}

/// Waits for the end of an edit, and gives its reason.
fn wait_for(scene: &mut Scene, name: &str, kind: &str) -> String {
    const ENDS: [&str; 3] = ["swapped", "refused", "build_failed"];
    scene.until(name, |scene| {
        let ended = |kind| scene.event(kind, Some("plugins_extra")).is_some();
        let other = ENDS.into_iter().find(|other| *other != kind && ended(other));
        assert!(other.is_none(), "{name}: {other:?} in place of {kind}\n{}", scene.story());
        ended(kind)
    });
    let event = scene.event(kind, Some("plugins_extra")).unwrap_or_default();
    event["reason"].as_str().unwrap_or_default().to_owned()
}

/// Compares what the plugin reports.
fn check(scene: &mut Scene, name: &str, expected: &Report) {
    let Report(sizes, shows) = expected;
    let report = scene.console("report");
    let numbers = |key: &str| -> Vec<usize> {
        let words = report.split_whitespace().filter_map(|word| word.strip_prefix(key));
        words.map(|number| number.parse().expect("a number")).collect()
    };
    let (code, stored) = (numbers("code="), numbers("stored="));
    assert_eq!(code, stored, "{name}: {report}\n{}", scene.story());
    assert!(sizes.is_empty() || code == *sizes, "{name}: {sizes:?} expected: {report}");
    assert!(report.contains(shows), "{name}: no `{shows}` in `{report}`");
    println!("{name}: {report}");
}

/// A file of the copy outside of `modules/`.
fn outside(scene: &Scene, path: &str) -> std::path::PathBuf {
    let path = scene.root().join(path);
    std::fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).expect("folders");
    path
}
