//! However often modules are swapped, the schedules stay as large as they are.

use bevy::ecs::schedule::Schedules;
use bevy::state::state::StateTransition;
use playground_tests::Scene;

use crate::{DEMO, SCENE, WALK};

/// The number of sets and systems in all schedules: the time to build them grows with its square.
fn nodes(scene: &Scene) -> usize {
    let schedules = scene.app.world().resource::<Schedules>();
    schedules.iter().map(|(_, schedule)| schedule.graph().hierarchy().graph().node_count()).sum()
}

/// Runs the commands in turns, and compares the schedules after each round.
fn stays_as_large(scene: &mut Scene, event: &str, commands: [&str; 2]) {
    let mut before = None;
    for round in 0..10 {
        for command in commands {
            scene.mark();
            scene.console(command);
            scene.until(command, |scene| scene.event(event, None).is_some());
        }
        scene.frames(2);
        let now = nodes(scene);
        assert_eq!(*before.get_or_insert(now), now, "{commands:?}, round {round}");
    }
}

#[test]
fn swaps_leave_nothing_in_the_schedules() {
    let mut scene = Scene::demo();
    scene.wait_for("committed", "systems_walk");
    let before = nodes(&scene);
    scene.swap(WALK, &[("version = 1;", "version = 2;")]);
    assert_eq!(nodes(&scene), before);
    stays_as_large(
        &mut scene,
        "rolled_back",
        ["rollback systems_walk 1", "rollback systems_walk 2"],
    );
    // A core, with all that links to it.
    scene.swap(SCENE, &[("self.x += self.speed;", "self.x += self.speed * 1.5;")]);
    scene.frames(2);
    assert_eq!(nodes(&scene), before);
    stays_as_large(&mut scene, "rolled_back", ["rollback core_scene 1", "rollback core_scene 2"]);
    assert_eq!(nodes(&scene), before);
}

/// The number of functions that the schedules list, and how many of them are gone.
fn functions(scene: &mut Scene) -> (i64, i64) {
    let stats = scene.console("stats");
    let (_, counts) = stats.split_once("functions in schedules ").expect("the last line");
    let mut numbers = counts.split([' ', ',']).filter_map(|word| word.parse().ok());
    (numbers.next().expect("all"), numbers.next().expect("those that are gone"))
}

#[test]
fn functions_that_other_ones_replace_are_counted() {
    let mut scene = Scene::demo();
    scene.frames(2);
    let (all, gone) = functions(&mut scene);
    scene.swap(WALK, &[("version = 1;", "version = 2;")]);
    scene.frames(2);
    assert_eq!(functions(&mut scene), (all, gone), "the same functions, with other bodies");
    // Every function of the core's dependents is another one for Bevy.
    scene.swap(
        SCENE,
        &[("pub version: u64,", "pub version: u64,\n    /// More.\n    pub more: u8,")],
    );
    scene.frames(2);
    let (more, more_gone) = functions(&mut scene);
    assert!(more > all && more_gone - gone == more - all, "{all} {gone} {more} {more_gone}");
}

#[test]
fn states_of_other_epochs_leave_no_systems() {
    let mut scene = Scene::demo();
    scene.wait_for("committed", "systems_walk");
    let systems = |scene: &Scene| {
        let schedules = scene.app.world().resource::<Schedules>();
        schedules.get(StateTransition).expect("Bevy's schedule").systems_len()
    };
    let goes_on = |scene: &mut Scene| {
        for (to, shown) in [("second", "phase Second"), ("first", "phase First")] {
            scene.console(&format!("phase {to}"));
            scene.frames(2);
            let now = scene.console(&format!("phase {to}"));
            assert_eq!(now, shown, "{}", scene.story());
        }
    };
    let second = "        next.set(Phase::Second);";
    let either =
        format!("{second}\n    }} else if !words.is_empty() {{\n        next.set(Phase::First);");
    scene.swap(DEMO, &[(second, &either)]);
    goes_on(&mut scene);
    let before = systems(&scene);
    for number in 0..3 {
        let field = "    /// Set by the walking system";
        let edited = format!("    /// Another.\n    pub more_{number}: u8,\n{field}");
        scene.swap(SCENE, &[(field, &edited)]);
        scene.frames(2);
        assert_eq!(systems(&scene), before);
        goes_on(&mut scene);
    }
    // Epochs that come back.
    stays_as_large(&mut scene, "rolled_back", ["rollback core_scene 1", "rollback core_scene 4"]);
    assert_eq!(systems(&scene), before);
    goes_on(&mut scene);
    scene.console("rollback core_scene 2");
    scene.frames(5);
    assert_eq!(systems(&scene), before);
    goes_on(&mut scene);
    scene.exact_tally();
}

#[test]
fn tuples_with_run_conditions_leave_nothing_in_the_schedules() {
    let mut scene = Scene::demo();
    scene.wait_for("committed", "systems_walk");
    let plain = "(walk, despawn).chain().in_set(SceneSet::Write)";
    let tuples = "((walk, despawn).chain().run_if(|| true), (|| {}, || {}).run_if(|| true))\
                  .in_set(SceneSet::Write)\
                  .run_if(|tally: Res<Tally>| tally.walked < 1_000_000)";
    scene.swap(WALK, &[(plain, tuples)]);
    scene.wait_for("committed", "systems_walk");
    scene.swap(WALK, &[("version = 1;", "version = 2;")]);
    let (before, walked) = (nodes(&scene), scene.exact_tally().get("walked"));
    stays_as_large(
        &mut scene,
        "rolled_back",
        ["rollback systems_walk 2", "rollback systems_walk 3"],
    );
    assert_eq!(nodes(&scene), before);
    assert!(scene.exact_tally().get("walked") > walked, "its systems run");
    // The conditions are those of the newest code, and not those of all.
    scene.swap(WALK, &[("tally.walked < 1_000_000", "tally.walked < 1")]);
    scene.frames(2);
    let walked = scene.exact_tally().get("walked");
    scene.frames(20);
    assert_eq!(scene.exact_tally().get("walked"), walked, "the condition is false");
    scene.swap(WALK, &[("tally.walked < 1)", "tally.walked > 1)")]);
    scene.frames(20);
    assert!(scene.exact_tally().get("walked") > walked, "the condition is true");
}
