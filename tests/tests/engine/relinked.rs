//! Edits of a core, each with whether its dependents are compiled or only linked again, and the result
//! of its code in one of them.

use std::fs;

use playground_tests::Scene;

use crate::{EXTRA, SCENE};

const CORE: &str = r#"
/// Compiled once, in this crate.
pub fn plain(x: i32) -> i32 {
    hidden(x) + 1 + OWN
}

const OWN: i32 = 0;

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
        // No code of a dependent can name it.
        ("OWN: i32 = 0", "OWN: i32 = 100", true, "[113, 8, 9, 18, 51, 7, 71, 80] 2"),
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

/// The functions of the core, each with bodies that it gets in turn.
const BODIES: [&[&str]; 6] = [
    &["hidden(x) + 1", "hidden(x) - 7", "hidden(hidden(x))"],
    &["x * 10", "x / 3", "x.pow(2) + 1"],
    &["x.into() + 5", "x.into() * 5", "{ let all: Vec<i32> = vec![x.into()]; all.iter().sum() }"],
    &["    x + 6\n", "    x - 6\n", "    hidden(x) + 6\n"],
    &["        4\n", "        40\n", "        hidden(4)\n"],
    &["VALUE: i32 = 8;", "VALUE: i32 = 9;", "VALUE: i32 = 10;"],
];

/// Numbers below a limit: a linear congruential generator, whose upper bits are good enough here.
pub fn generator(seed: u64) -> impl FnMut(usize) -> usize {
    let mut state = seed;
    move |below| {
        const FACTOR: u64 = 6_364_136_223_846_793_005;
        state = state.wrapping_mul(FACTOR).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) as usize) % below
    }
}

/// The environment variable `VARIABLE=seed,count`, for tests that run as long as it says.
pub fn seed_and_count(variable: &str, default: (u64, u32)) -> (u64, u32) {
    let Ok(given) = std::env::var(variable) else { return default };
    let (seed, count) = given.split_once(',').expect("seed,count");
    (seed.parse().expect("a seed"), count.parse().expect("a count"))
}

/// Edits `count` bodies at random, and compares the artifact of a dependent with a compiled one now
/// and then: what was linked again was linked again before.
fn edit_at_random(seed: u64, count: u32) {
    let mut scene = Scene::unready(|copy| {
        let scene = copy.read(SCENE);
        copy.write(SCENE, &(scene + CORE));
        copy.write(EXTRA, USER);
    });
    scene.until("ready", |scene| scene.event("ready", None).is_some());
    let mut random = generator(seed);
    let mut now = [0; BODIES.len()];
    for edit in 1..=count {
        let function = random(BODIES.len());
        let bodies = BODIES[function];
        let next = (now[function] + 1 + random(bodies.len() - 1)) % bodies.len();
        let (from, to) = (bodies[now[function]], bodies[next]);
        now[function] = next;
        scene.swap(SCENE, &[(from, to)]);
        if edit == count || random(3) == 0 {
            println!("seed {seed}, edit {edit}: {from:?} to {to:?}");
            assert_compiled_alike(&mut scene, "plugins_extra");
        }
    }
}

#[test]
fn random_edits_leave_what_a_compilation_makes() {
    edit_at_random(1, 4);
}

#[test]
#[ignore = "takes as long as `EDITS=seed,count` says"]
fn random_edits_for_long() {
    let (seed, count) = seed_and_count("EDITS", (1, 200));
    edit_at_random(seed, count);
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

/// Compiles a module, and compares the artifact with the one that is there.
pub fn assert_compiled_alike(scene: &mut Scene, module: &str) {
    assert_alike_without(scene, module, "objects");
}

/// The same, without what is at `path` in rustc's output folder of the module.
pub fn assert_alike_without(scene: &mut Scene, module: &str, path: &str) {
    let built = scene.root().join("target/playground");
    let artifact = built.join(format!("artifacts/{module}.so"));
    let linked = fs::read(&artifact).unwrap();
    fs::remove_dir_all(built.join("build").join(module).join(path)).unwrap();
    fs::remove_file(artifact.with_extension("json")).unwrap();
    scene.mark();
    scene.console(&format!("reload {module}"));
    let event = scene.wait_for("swapped", module);
    assert!(event["ms"]["check"].as_f64().is_some_and(|ms| ms > 0.0), "{event}");
    assert!(linked == fs::read(&artifact).unwrap(), "compiled, the artifact differs");
}
