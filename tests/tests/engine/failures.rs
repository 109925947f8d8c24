//! What goes wrong in a module leaves the game as it was: errors of the compiler, panics, errors.

use std::time::Duration;

use playground_tests::Scene;

use crate::{OBSERVE, SCENE, WALK};

#[test]
fn a_compile_error_names_its_place_and_leaves_the_old_code_running() {
    let mut scene = Scene::demo();
    let reason =
        scene.refusal("build_failed", WALK, &[("tally.version = 1", "tally.version = \"x\"")]);
    let place = scene.read(WALK).lines().position(|line| line.contains("\"x\"")).unwrap() + 1;
    assert!(reason.contains(&format!("modules/{WALK}:{place}:")), "{reason}");
    assert!(reason.contains("mismatched types"), "{reason}");
    scene.wait_for_line("mismatched types");
    let before = scene.exact_tally();
    scene.frames(3);
    let after = scene.exact_tally();
    assert!(after.get("walked") > before.get("walked"));
    assert_eq!(after.get("version"), 1);
    assert_eq!(scene.generation("systems_walk"), 1);

    scene.swap(WALK, &[("tally.version = \"x\"", "tally.version = 3")]);
    scene.frames(1);
    let tally = scene.exact_tally();
    assert_eq!(tally.get("version"), 3);
    assert_eq!(tally.get("local"), tally.get("walked"));
}

#[test]
fn a_core_is_swapped_with_all_of_its_dependents_or_not_at_all() {
    let mut scene = Scene::demo();
    let swaps = |scene: &Scene| scene.events().iter().filter(|e| e["event"] == "swapped").count();
    let before = swaps(&scene);
    scene.edit(SCENE, "pub fn advance", "pub fn step");
    let failed = scene.wait_for("build_failed", "systems_walk");
    assert!(failed["reason"].as_str().is_some_and(|reason| reason.contains("advance")), "{failed}");
    scene.frames(50);
    assert_eq!(swaps(&scene), before, "{}", scene.story());
    for module in ["core_scene", "systems_walk", "systems_observe", "apps_demo"] {
        assert_eq!(scene.generation(module), 1, "{module}");
    }
    let tally = scene.exact_tally();
    assert_eq!(tally.get("local"), tally.get("walked"));

    let swapped = scene.swap(WALK, &[("body.advance()", "body.step()")]);
    assert_eq!(swapped["modules"].as_array().map(Vec::len), Some(5), "{swapped}");
    assert_eq!(swaps(&scene), before + 1);
    scene.frames(2);
    scene.exact_tally();
}

#[test]
fn saves_during_a_build_cancel_it_and_the_last_one_counts() {
    let mut scene = Scene::demo();
    let swaps = |scene: &Scene| scene.events().iter().filter(|e| e["event"] == "swapped").count();
    let before = swaps(&scene);
    scene.edit(WALK, "tally.version = 1", "tally.version = 2");
    scene.wait_for("build_started", "systems_walk");
    let swapped = scene.swap(WALK, &[("tally.version = 2", "tally.version = 3")]);
    assert_eq!(swapped["generation"], 2, "the first build was never loaded");
    scene.frames(1);
    assert_eq!(scene.exact_tally().get("version"), 3);
    assert_eq!(swaps(&scene), before + 1);

    for version in 4..104 {
        let from = format!("tally.version = {}", version - 1);
        scene.edit(WALK, &from, &format!("tally.version = {version}"));
        scene.frames(1);
        std::thread::sleep(Duration::from_millis(2));
    }
    scene.until("the last save is live", |scene| scene.event("swapped", None).is_some());
    scene.frames(1);
    assert_eq!(scene.exact_tally().get("version"), 103);
    scene.frames(100);
    assert_eq!(swaps(&scene), before + 2, "{}", scene.story());
    let tally = scene.exact_tally();
    assert_eq!(tally.get("local"), tally.get("walked"));
}

#[test]
fn a_panic_on_probation_brings_the_old_code_back() {
    let mut scene = Scene::demo();
    let before = scene.tally();
    let panics = "tally.version = 2;\n    if tally.walked % 5 == 0 {\n        panic!(\"five of them\");\n    }";
    scene.swap(WALK, &[("tally.version = 1;", panics)]);
    let back = scene.wait_for("rolled_back", "systems_walk");
    let reason = back["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("five of them") && reason.contains("systems_walk"), "{reason}");
    assert!(reason.contains("walk/src/lib.rs:"), "{reason}");
    assert_eq!(back["generation"], 1);
    scene.frames(2);
    let after = scene.exact_tally();
    assert!(after.get("walked") > before.get("walked"), "{after:?}");
    assert_eq!(after.get("version"), 1, "{after:?}");
    assert_eq!(after.get("local"), after.get("walked"), "nobody else noticed: {after:?}");
    scene.frames(50);
    assert_eq!(scene.count("rolled_back"), 1);
    assert_eq!(scene.generation("systems_walk"), 1);

    scene.swap(WALK, &[("walked % 5 == 0", "walked == 0")]);
    scene.frames(2);
    assert_eq!(scene.exact_tally().get("version"), 2);
}

#[test]
fn a_panic_after_a_migration_brings_old_code_and_converted_values_back() {
    let mut scene = Scene::demo();
    scene.frames(10);
    let before = scene.exact_tally();
    // A field is renamed and made wider, another one is new, and the code that uses them panics.
    scene.edit_all(
        SCENE,
        &[
            ("    pub walked: u64,", "    #[persist(rename = \"walked\")]\n    pub steps: u128,\n    /// New.\n    pub fresh: u8,"),
            ("pub fn advance(&mut self) {", "pub fn advance(&mut self) {\n        assert!(self.x < 0.0, \"no way on\");"),
        ],
    );
    scene.wait_for("build_failed", "systems_walk");
    for file in [WALK, OBSERVE, "apps/demo/src/lib.rs"] {
        if scene.read(file).contains("walked") {
            scene.edit_all(file, &[("walked", "steps")]);
        }
    }
    let back = scene.wait_for("rolled_back", "core_scene");
    assert_eq!(back["generation"], 1, "{back}");
    assert!(back["reason"].as_str().is_some_and(|reason| reason.contains("no way on")), "{back}");
    scene.frames(5);
    let after = scene.exact_tally();
    assert!(after.get("walked") > before.get("walked"), "{before:?} {after:?}\n{}", scene.story());
    assert_eq!(after.get("bodies") + after.get("despawned"), 100);
}

#[test]
fn a_later_panic_switches_the_module_off_and_the_game_goes_on() {
    let mut scene = Scene::demo();
    scene.swap(
        WALK,
        &[
            ("use core_scene::{Body, ", "use core_scene::{Body, Phase, "),
            ("fn walk(", "fn walk(phase: Res<State<Phase>>, "),
            (
                "    tally.walked += 1;",
                "    assert!(*phase.get() == Phase::First, \"late\");\n    tally.walked += 1;",
            ),
        ],
    );
    scene.until("the new code is committed", |scene| {
        let committed = |e: &serde_json::Value| e["event"] == "committed" && e["generation"] == 2;
        scene.events().iter().any(committed)
    });
    scene.mark();
    scene.console("phase second");
    let disabled = scene.wait_for("disabled", "systems_walk");
    assert!(
        disabled["reason"].as_str().is_some_and(|reason| reason.contains("late")),
        "{disabled}"
    );
    let before = scene.tally();
    scene.frames(5);
    let after = scene.tally();
    assert_eq!(after.get("walked"), before.get("walked"), "it does not run");
    assert!(after.get("local") > before.get("local"), "the others do");

    // Mended and switched on again, it goes on from where it stopped.
    scene.edit(WALK, "Phase::First", "Phase::Second");
    scene.wait_for("build_started", "systems_walk");
    scene.console("enable systems_walk");
    scene.frames(2);
    scene.until("the mended code runs", |scene| {
        let entered = |e: &serde_json::Value| {
            (e["event"] == "enabled" || e["event"] == "swapped") && e["generation"] == 3
        };
        scene.events().iter().any(entered)
    });
    scene.frames(60);
    assert!(scene.exact_tally().get("walked") > after.get("walked"), "{}", scene.story());
}

#[test]
fn a_panic_at_the_first_activation_switches_the_module_off() {
    let mut scene = Scene::unready(|copy| {
        copy.edit(
            "plugins/extra/src/lib.rs",
            &[("extra.runs += 1", "panic!(\"at first {extra:?}\")")],
        );
    });
    let disabled = scene.wait_for("disabled", "plugins_extra");
    assert!(
        disabled["reason"].as_str().is_some_and(|reason| reason.contains("at first")),
        "{disabled}"
    );
    scene.frames(50);
    assert_eq!(scene.count("disabled"), 1, "{}", scene.story());
    let tally = scene.exact_tally();
    assert_eq!(tally.get("local"), tally.get("walked"));
}

#[test]
fn an_error_of_a_system_is_shown_and_ends_nothing() {
    let mut scene = Scene::demo();
    scene.swap(
        OBSERVE,
        &[
            ("    mut tally: ResMut<Tally>,\n) {", "    mut tally: ResMut<Tally>,\n) -> Result {"),
            (
                "removed.read().count() as u64;",
                "removed.read().count() as u64;\n    Err(\"something odd\".into())",
            ),
        ],
    );
    let line = scene.wait_for_line("something odd");
    assert!(line.contains("systems_observe") && line.contains("observe"), "{line}");
    scene.frames(60);
    assert_eq!(scene.count("rolled_back") + scene.count("disabled"), 0, "{}", scene.story());
    let tally = scene.exact_tally();
    assert!(tally.get("local") > 50, "it goes on running: {tally:?}");
    let said = scene.log().iter().filter(|line| line.contains("something odd")).count();
    assert_eq!(said, 2, "the first and the tenth, not one a frame");
    let modules = scene.console("modules");
    let row = modules.lines().find(|line| line.starts_with("systems_observe")).expect("its row");
    assert!(row.contains("errors returned") && row.contains("active"), "{row}");
    let number = row.rsplit("  ").next().and_then(|text| text.split(' ').next()?.parse().ok());
    assert!(number.is_some_and(|number: i64| number >= tally.get("local")), "{row} {tally:?}");
}

#[test]
fn a_system_that_keeps_a_frame_is_named() {
    let mut scene =
        Scene::demo_with(|plugin| plugin.frame_limit = std::time::Duration::from_millis(200));
    scene.wait_for("committed", "systems_observe");
    let slow = "    if *runs == 3 {\n        \
                std::thread::sleep(std::time::Duration::from_millis(900));\n    }\n    *runs += 1;";
    scene.swap(OBSERVE, &[("    *runs += 1;", slow)]);
    let event = scene.wait_for("blocked", "systems_observe");
    let reason = event["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("systems_observe::observe") && reason.contains("kept a"), "{reason}");
    scene.wait_for_line("kept a frame for");
    scene.wait_for("committed", "systems_observe");
    // What other tests of this process do at the time may be told of as well.
    let own = |event: &serde_json::Value| {
        event["event"] == "blocked" && event["module"] == "systems_observe"
    };
    let told = scene.events().into_iter().filter(own).count();
    assert_eq!(told, 1, "{}", scene.story());
    scene.exact_tally();
}

#[test]
fn two_panics_in_one_frame_bring_the_old_code_back_once() {
    let mut scene = Scene::demo();
    let panics = |what: &str| format!("assert!(tally.walked % 5 != 0, \"{what}\");\n    ");
    let (first, second) = (panics("the first"), panics("the second"));
    scene.swap(
        WALK,
        &[
            ("tally.version = 1;", &format!("tally.version = 2;\n    {first}")),
            ("if tally.walked % 7", &format!("{second}if tally.walked % 7")),
        ],
    );
    scene.wait_for("rolled_back", "systems_walk");
    scene.frames(30);
    assert_eq!((scene.count("rolled_back"), scene.count("disabled")), (1, 0), "{}", scene.story());
    assert_eq!(scene.exact_tally().get("version"), 1);
}

#[test]
fn a_panic_in_an_observer_brings_the_old_code_back() {
    // Bodies leave in the first 350 steps alone: the build must not take any.
    let mut scene = Scene::demo_with(|plugin| plugin.watch = false);
    scene.frames(10);
    let observer = "fn left(_: On<Remove, Body>, mut seen: Local<u32>) {\n    *seen += 1;\n    \
                    assert!(*seen < 3, \"the third one\");\n}\n\nfn observe(";
    scene.edit_all(
        OBSERVE,
        &[
            ("    module.add", "    module.add_observer(left);\n    module.add"),
            ("fn observe(", observer),
        ],
    );
    scene.console("reload systems_observe");
    scene.wait_for("swapped", "systems_observe");
    let back = scene.wait_for("rolled_back", "systems_observe");
    let reason = back["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("observer systems_observe::left"), "{reason}");
    assert!(reason.contains("src/lib.rs:") && reason.contains("the third one"), "{reason}");
    let before = scene.exact_tally();
    scene.frames(50);
    let after = scene.exact_tally();
    assert!(after.get("despawned") > before.get("despawned"), "{before:?} {after:?}");
    assert_eq!(scene.count("rolled_back"), 1, "{}", scene.story());
}

#[test]
fn a_panic_in_a_command_is_contained() {
    let mut scene = Scene::demo();
    scene.swap(
        "apps/demo/src/lib.rs",
        &[(
            "    if words.first()",
            "    assert!(words.len() < 2, \"too many words\");\n    if words.first()",
        )],
    );
    let answer = scene.console("phase a b");
    assert!(answer.contains("too many words") && answer.contains("apps_demo"), "{answer}");
    // On probation it is as with any other panic.
    scene.wait_for("rolled_back", "apps_demo");
    assert!(!scene.console("phase a b").contains("too many words"));
    assert_eq!(scene.console("phase"), "phase First");

    // Later nothing but the command fails.
    scene.swap("apps/demo/src/lib.rs", &[("too many words", "far too many words")]);
    scene.wait_for("committed", "apps_demo");
    let answer = scene.console("phase a b");
    assert!(answer.contains("far too many words"), "{answer}");
    scene.frames(5);
    assert_eq!(scene.count("rolled_back") + scene.count("disabled"), 0, "{}", scene.story());
    assert_eq!(scene.console("phase"), "phase First");
}

/// Code of `systems_observe` outside of systems and observers that panics, and what is said of it.
const UNGUARDED: &[(&str, &[(&str, &str)], &str)] = &[
    (
        "a run condition",
        &[
            ("observe.in_set(SceneSet::Read)", "observe.in_set(SceneSet::Read).run_if(broken)"),
            (
                "fn observe(",
                "fn broken() -> bool {\n    panic!(\"no condition\")\n}\n\nfn observe(",
            ),
        ],
        "no condition",
    ),
    (
        "a command while it is applied",
        &[
            ("fn observe(", "fn observe(mut commands: Commands, "),
            (
                "    *runs += 1;",
                "    commands.queue(|_: &mut World| panic!(\"no command\"));\n    *runs += 1;",
            ),
        ],
        "no command",
    ),
    (
        "a hook",
        &[
            (
                "fn observe(",
                "#[derive(Component)]\n#[component(on_add = hooked)]\nstruct Hooked;\n\nfn hooked(_: bevy::ecs::world::DeferredWorld, _: bevy::ecs::lifecycle::HookContext) {\n    panic!(\"no hook\")\n}\n\nfn observe(mut commands: Commands, ",
            ),
            ("    *runs += 1;", "    commands.spawn(Hooked);\n    *runs += 1;"),
        ],
        "no hook",
    ),
    (
        "the set-up of a resource",
        &[
            ("    module.add", "    module.init_resource::<Never>();\n    module.add"),
            (
                "fn observe(",
                "#[derive(Resource)]\nstruct Never;\n\nimpl FromWorld for Never {\n    fn from_world(_: &mut World) -> Self {\n        panic!(\"no resource\")\n    }\n}\n\nfn observe(",
            ),
        ],
        "no resource",
    ),
    (
        "the set-up of a parameter that needs the game's world",
        &[
            (
                "fn observe(",
                "struct Never(u8);\n\nimpl FromWorld for Never {\n    fn from_world(world: &mut World) -> Self {\n        assert!(!world.contains_resource::<Tally>(), \"no parameter\");\n        Self(1)\n    }\n}\n\nfn observe(never: Local<Never>, ",
            ),
            ("    *runs += 1;", "    *runs += u64::from(never.0);"),
        ],
        "no parameter",
    ),
    (
        "another thread, in a system",
        &[
            (
                "    added: Query<(), Added<Body>>,",
                "    added: Query<(), Added<Body>>,\n    all: Query<&Body>,",
            ),
            (
                "    *runs += 1;",
                "    all.par_iter().for_each(|body| assert!(body.x < 0.0, \"no body\"));\n    *runs += 1;",
            ),
        ],
        "no body",
    ),
    (
        "`OnLoad`",
        &[(
            "    module.add_systems(",
            "    module.add_systems(OnLoad, || panic!(\"no load\"));\n    module.add_systems(",
        )],
        "no load",
    ),
];

#[test]
fn a_panic_outside_of_systems_is_contained_and_the_old_code_comes_back() {
    let mut scene = Scene::demo();
    let source = scene.read(OBSERVE);
    for (what, edit, message) in UNGUARDED {
        scene.edit_all(OBSERVE, edit);
        let back = scene.wait_for("rolled_back", "systems_observe");
        let reason = back["reason"].as_str().unwrap_or_default();
        assert!(reason.contains(message) && reason.contains("systems_observe"), "{what}: {reason}");
        assert!(reason.contains("observe/src/lib.rs:"), "{what}: {reason}");
        let before = scene.tally();
        scene.frames(5);
        let after = scene.tally();
        assert!(after.get("local") > before.get("local"), "{what}: the old code runs");
        assert!(after.get("walked") > before.get("walked"), "{what}: the others do");
        scene.write(OBSERVE, &source);
        scene.frames(5);
    }
    scene.swap(OBSERVE, &[("*runs += 1;", "*runs += 2;")]);
    assert_eq!(scene.count("rolled_back"), 0);
}

#[test]
fn a_panic_of_a_modules_thread_is_its_own_and_one_of_the_game_nobodys() {
    let mut scene = Scene::demo();
    // The very message of the game's panic further down.
    let text = "the same words";
    let task = format!(
        "    if *runs == 3 {{\n        let _ = std::thread::spawn(|| \
         panic!(\"{text}\")).join();\n    }}\n    *runs += 1;"
    );
    scene.edit(OBSERVE, "    *runs += 1;", &task);
    let back = scene.wait_for("rolled_back", "systems_observe");
    let reason = back["reason"].as_str().unwrap_or_default();
    assert!(reason.contains(text) && reason.contains("observe/src/lib.rs:"), "{reason}");
    scene.frames(5);
    let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        scene.app.add_systems(bevy::prelude::PostUpdate, move || panic!("{text}"));
        scene.frames(3);
    }));
    assert!(ended.is_err(), "it goes on to whoever runs the app");
    assert_eq!(scene.count("disabled"), 0, "{}", scene.story());
}

#[test]
fn a_panic_in_on_unload_is_told_of() {
    let mut scene = Scene::demo();
    let unload =
        "    module.add_systems(OnUnload, || panic!(\"no end\"));\n    module.add_systems(";
    scene.swap(OBSERVE, &[("    module.add_systems(", unload)]);
    let told = scene.console("disable systems_observe; modules");
    assert!(told.contains("no end") && told.contains("observe/src/lib.rs:"), "{told}");
    assert!(told.contains("systems_observe is off"), "{told}");
    let before = scene.tally();
    scene.frames(5);
    assert!(scene.tally().get("walked") > before.get("walked"));
}

#[test]
fn an_order_that_bevys_own_sets_exclude_is_refused() {
    let mut scene = Scene::demo();
    let backwards = "module.add_systems(\n        PostUpdate,\n        (|| {})\n            \
                     .after(bevy::camera::visibility::VisibilitySystems::CheckVisibility)\n            \
                     .before(bevy::transform::TransformSystems::Propagate),\n    );\n    \
                     module.add_systems(FixedUpdate, observe";
    let from = "module.add_systems(FixedUpdate, observe";
    let reason = scene.refusal("refused", OBSERVE, &[(from, backwards)]);
    assert!(reason.contains("H0604") && reason.contains("PostUpdate"), "{reason}");
    assert!(reason.contains("Propagate") && reason.contains("CheckVisibility"), "{reason}");

    // Nothing was touched: the game goes on, and what is right goes live.
    let before = scene.tally().get("walked");
    scene.frames(5);
    assert!(scene.tally().get("walked") >= before + 5);
    scene.swap(OBSERVE, &[(backwards, from)]);
    scene.frames(5);
    assert_eq!(scene.exact_tally().get("added"), 100);
}
