//! What lies beside the source, and what changes a module's name for its types.

use playground_tests::{Scene, number};

use super::{HEAD, Report, check, wait_for};
use crate::EXTRA;

/// A component whose value tells which code made it.
const MADE: &str = r#"#[derive(Component, Debug, Default)]
pub struct Made(u32);

fn probed(world: &mut World) -> String {
    if world.query::<&Made>().iter(world).next().is_none() {
        world.spawn(Made(1));
    }
    probe::<Made>(world) + "version=1"
}
"#;

#[test]
fn files_that_rustc_does_not_read_change_nothing() {
    let mut scene = Scene::demo();
    scene.write(EXTRA, &format!("{HEAD}\n{MADE}"));
    wait_for(&mut scene, "the first code", "swapped");
    check(&mut scene, "before", &Report(&[4], "values=Made(1) version=1"));
    let generation = scene.generation("plugins_extra");

    scene.mark();
    let unread = [
        ("plugins/extra/src/#lib.rs#", "half a li"),
        ("plugins/extra/src/.#lib.rs", "somebody@somewhere"),
        ("plugins/extra/src/lib.rs.orig", "pub struct Made([u8; 100]);"),
        ("plugins/extra/src/lib.rs~", "pub struct Made([u8; 100]);"),
        ("plugins/extra/src/.lib.rs.swp", "\0\0"),
        ("plugins/extra/NOTES.md", "# Notes"),
        ("plugins/extra/src/old.rs", "pub struct Made([u8; 100]); fn broken( {"),
        ("plugins/extra/data/levels.json", "{}"),
        ("plugins/extra/4913", ""),
    ];
    for (path, text) in unread {
        scene.copy().write(path, text);
        scene.frames(10);
    }
    scene.remove("plugins/extra/src/old.rs");
    scene.frames(50);
    assert_eq!(scene.count("swapped") + scene.count("build_failed"), 0, "{}", scene.story());
    assert_eq!(scene.generation("plugins_extra"), generation);

    scene.edit(EXTRA, "version=1", "version=2");
    wait_for(&mut scene, "an ordinary edit", "swapped");
    scene.edit(EXTRA, "Made(1)", "Made(2)");
    wait_for(&mut scene, "an ordinary edit", "swapped");
    // The storage is the old one, with the value that the old code made.
    check(&mut scene, "after", &Report(&[4], "values=Made(1) version=2"));
    assert_eq!(scene.generation("plugins_extra"), generation + 2);
}

/// A component that is persisted.
const KEPT: &str = r#"#[derive(Component, Clone, Debug, Default, Persist, Serialize, Deserialize)]
pub struct Kept(u32);

fn probed(world: &mut World) -> String {
    if world.query::<&Kept>().iter(world).next().is_none() {
        world.spawn_batch([Kept(1), Kept(2), Kept(3)]);
        world.resource_mut::<Extra>().runs = 9;
    }
    let runs = world.resource::<Extra>().runs;
    probe::<Kept>(world) + &format!("runs={runs} version=1")
}
"#;

/// How many entities the world stores under any type of that name.
fn stored(scene: &Scene, name: &str) -> usize {
    let world = scene.app.world();
    let has_name = |id| {
        let info = world.components().get_info(id);
        info.is_some_and(|info| info.name().to_string() == name)
    };
    let archetypes = world.archetypes().iter();
    archetypes
        .map(|archetype| {
            let kinds = archetype.components().iter().filter(|id| has_name(**id)).count();
            kinds * archetype.len() as usize
        })
        .sum()
}

#[test]
fn values_survive_another_version_of_the_package() {
    let mut scene = Scene::demo();
    let head = HEAD.replace("persist: [Extra]", "persist: [Extra, Kept]");
    scene.write(EXTRA, &format!("{head}\n{KEPT}"));
    wait_for(&mut scene, "the first code", "swapped");
    let before = Report(&[4], "values=Kept(1);Kept(2);Kept(3) runs=9 version=1");
    check(&mut scene, "before", &before);
    let manifest = "plugins/extra/Cargo.toml";
    let versions = ["version.workspace = true", "version = \"0.1.1\"", "version = \"0.1.2\""];
    for pair in versions.windows(2) {
        // The lines of edition and others end in the same words.
        let line = |text: &str| format!("name = \"plugins_extra\"\n{text}");
        scene.edit(manifest, &line(pair[0]), &line(pair[1]));
        wait_for(&mut scene, pair[1], "swapped");
        check(&mut scene, pair[1], &before);
        assert_eq!(stored(&scene, "plugins_extra::Kept"), 3, "{}", scene.story());
        scene.edit(EXTRA, "runs={runs} version=1", "runs={runs}  version=1");
        wait_for(&mut scene, "an ordinary edit", "swapped");
        scene.edit(EXTRA, "runs={runs}  version=1", "runs={runs} version=1");
        wait_for(&mut scene, "an ordinary edit", "swapped");
        check(&mut scene, pair[1], &before);
        assert_eq!(stored(&scene, "plugins_extra::Kept"), 3, "{}", scene.story());
    }
    assert_eq!(number(&scene.console("report"), "runs"), Some(9));
}
