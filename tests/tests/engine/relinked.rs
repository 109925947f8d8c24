//! Edits of a core, each with whether its dependents are compiled or only linked again, and the result
//! of its code in one of them.

use std::fs;

use playground_tests::Scene;

use crate::{EXTRA, SCENE};

const CORE: &str = r#"
/// Compiled once, in this crate.
pub fn plain(x: i32) -> i32 {
    hidden(x) + 1
}

fn hidden(x: i32) -> i32 {
    x * 10
}

/// The sum of what a closure makes of the numbers.
pub fn closures(numbers: &[i32]) -> i32 {
    numbers.iter().map(|number| number + 1).sum()
}

/// A method of a trait.
pub trait Measure {
    /// Compiled once for each type.
    fn measure(&self) -> i32;
    /// Compiled where it is used.
    fn twice(&self) -> i32 {
        self.measure() * 2
    }
}

/// Implements it.
pub struct Stick;

impl Measure for Stick {
    fn measure(&self) -> i32 {
        4
    }
}

/// Compiled where it is used.
pub fn generic<T: Into<i32>>(x: T) -> i32 {
    x.into() + 5
}

/// Likewise.
#[inline]
pub fn inlined(x: i32) -> i32 {
    x + 6
}

/// The last value in the vector.
pub fn pushed(values: &mut Vec<(i32, Stick)>) -> i32 {
    values.push((7, Stick));
    values.len() as i32
}

/// Evaluated where it is used.
pub const VALUE: i32 = 8;
"#;

const USER: &str = r#"//! Uses the core.
#![forbid(unsafe_code)]

use core_scene::*;
use playground_api::prelude::*;

export_module! { kind: Plugins, requires: { core_scene: "^0.1" }, persist: [], build: build }

fn build(module: &mut ModuleApp) {
    module.add_console_command("core", "what the core computes", core);
}

fn core(In(_): In<Vec<String>>) -> String {
    let mut values = vec![(0, Stick)];
    let all = [
        plain(1),
        closures(&[1, 2]),
        Stick.measure(),
        Stick.twice(),
        generic(1),
        inlined(1),
        pushed(&mut values),
        VALUE,
    ];
    values.push((1, Stick));
    format!("{all:?} {}", values.len())
}
"#;

#[test]
fn dependents_of_a_core_whose_bodies_changed_are_only_linked_again() {
    let mut scene = Scene::unready(|copy| {
        let scene = copy.read(SCENE);
        copy.write(SCENE, &(scene + CORE));
        copy.write(EXTRA, USER);
    });
    scene.until("ready", |scene| scene.event("ready", None).is_some());
    assert_eq!(scene.console("core"), "[11, 5, 4, 8, 6, 7, 2, 8] 3");
    for (from, to, is_linked, expected) in [
        ("hidden(x) + 1", "hidden(x) + 2", true, "[12, 5, 4, 8, 6, 7, 2, 8] 3"),
        ("x * 10", "{ let ten = 5 + 5; ten * x + 1 }", true, "[13, 5, 4, 8, 6, 7, 2, 8] 3"),
        // Another closure, and another instance of `sum`.
        (
            "numbers.iter().map(|number| number + 1).sum()",
            "numbers.iter().filter(|it| **it > 1).map(|it| it * 3).sum::<i32>() + numbers.len() as i32",
            true,
            "[13, 8, 4, 8, 6, 7, 2, 8] 3",
        ),
        // Code of a trait is a part of types.
        ("        4\n", "        9\n", false, "[13, 8, 9, 18, 6, 7, 2, 8] 3"),
        ("x.into() + 5", "x.into() + 50", false, "[13, 8, 9, 18, 51, 7, 2, 8] 3"),
        ("VALUE: i32 = 8", "VALUE: i32 = 80", false, "[13, 8, 9, 18, 51, 7, 2, 80] 3"),
        // Instances that the dependents may have shared are gone, and back.
        ("    values.push((7, Stick));\n", "", false, "[13, 8, 9, 18, 51, 7, 1, 80] 2"),
        (
            "values.len() as i32\n",
            "values.len() as i32 + 70\n",
            true,
            "[13, 8, 9, 18, 51, 7, 71, 80] 2",
        ),
    ] {
        let event = scene.swap(SCENE, &[(from, to)]);
        let linked = event["linked"].as_array().cloned().unwrap_or_default();
        let is_among = linked.iter().any(|module| module == "plugins_extra");
        assert_eq!(scene.console("core"), expected, "{to}");
        assert_eq!(is_among, is_linked, "{to}: {event}");
        assert!(linked.iter().all(|module| module != "core_scene"), "{to}: {event}");
        if is_linked {
            assert_compiled_alike(&mut scene, "plugins_extra");
        }
    }
}

#[test]
fn a_workspace_that_was_built_elsewhere_is_linked_with_its_own_cores() {
    // Modules of a copy were built in the folder that it was copied from.
    let mut scene = Scene::demo();
    let event = scene.swap(SCENE, &[("self.x += self.speed;", "self.x += self.speed * 2.0;")]);
    let linked = event["linked"].as_array().cloned().unwrap_or_default();
    assert!(linked.iter().any(|module| module == "systems_walk"), "{event}");
    assert_compiled_alike(&mut scene, "systems_walk");
}

/// Compiles a module, and compares the artifact with the one that was only linked.
fn assert_compiled_alike(scene: &mut Scene, module: &str) {
    let built = scene.root().join("target/playground");
    let artifact = built.join(format!("artifacts/{module}.so"));
    let linked = fs::read(&artifact).unwrap();
    fs::remove_dir_all(built.join("build").join(module).join("objects")).unwrap();
    fs::remove_file(artifact.with_extension("json")).unwrap();
    scene.mark();
    scene.console(&format!("reload {module}"));
    let event = scene.wait_for("swapped", module);
    assert!(event["ms"]["check"].as_f64().is_some_and(|ms| ms > 0.0), "{event}");
    assert!(linked == fs::read(&artifact).unwrap(), "compiled, the artifact differs");
}
