//! However often modules are swapped, the schedules stay as large as they are.

use bevy::ecs::schedule::Schedules;
use playground_tests::Scene;

use crate::{SCENE, WALK};

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
