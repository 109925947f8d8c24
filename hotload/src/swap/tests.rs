//! A commit that fails halfway, and the effect of a rebuild on schedules.

use bevy::ecs::schedule::{LogLevel, ScheduleBuildSettings, ScheduleLabel};
use playground_api::module::OnUnload;
use playground_api::persist::{Persisted, ViaComponent};
use playground_api::prelude::Persist;
use serde::{Deserialize, Serialize};

use super::broken::Cause;
use super::prepare::SwitchedOff;
use super::schedules::{Entering, Inherits};
use super::set_conditions::SetConditions;
use super::*;
use crate::restore::{self, GivenUp, Owned, RestoreTimes};
use crate::snapshot_file::parked::GiveBack;

#[derive(Component, Persist, Serialize, Deserialize)]
struct Before(u32);

#[derive(Component, Persist, Serialize, Deserialize)]
#[component(on_insert = refuse)]
#[persist(was = "playground_hotload::swap::tests::Before")]
struct After(u32);

fn refuse(_: bevy::ecs::world::DeferredWorld, _: bevy::ecs::lifecycle::HookContext) {
    panic!("no room")
}

fn early() {}
fn late() {}

fn prepared(leaving: Vec<SwitchedOff>) -> PreparedSwap {
    let (entering, restores, orphans) = (Vec::new(), Vec::new(), Vec::new());
    let (given, swapped) = (GiveBack::default(), Swapped::default());
    PreparedSwap { entering, leaving, restores, orphans, given, swapped }
}

#[test]
fn a_panic_in_a_commit_is_told_as_broken() {
    let mut world = World::new();
    world.spawn(Before(1));
    let before = (&&&Persisted::<Before>::NEW).records()[0];
    let after = (&&&Persisted::<After>::NEW).records()[0];
    let module = &ModuleId::from("core_body");
    let old = [Owned { module, record: &before }];
    let new = [Owned { module, record: &after }];
    let given_up = GivenUp { types: &[], modules: &BTreeSet::new() };
    let mut times = RestoreTimes::default();
    let restores = restore::prepare(&mut world, &old, &new, &given_up, &mut times).unwrap();
    let leaving = vec![SwitchedOff { id: "core_body".into(), on_unload: Vec::new() }];
    let prepared = PreparedSwap { restores, ..prepared(leaving) };

    let broken = prepared.commit(&mut world, &mut Running::default()).unwrap_err();
    assert!(matches!(&broken.cause, Cause::HostPanic(text) if text == "no room"), "{broken}");
    let text = broken.to_string();
    assert!(text.contains("H0608") && text.contains("`core_body`"), "{text}");
    assert!(text.contains("half done") && text.contains("supervisor"), "{text}");
}

#[test]
fn a_schedule_that_fails_all_the_same_is_told_as_broken() {
    let cycle = (early.before(late), late.before(early)).into_configs();
    let leaving = vec![SwitchedOff { id: "systems_walk".into(), on_unload: vec![cycle] }];
    let mut world = World::new();
    let broken = prepared(leaving).commit(&mut world, &mut Running::default()).unwrap_err();
    let text = broken.to_string();
    assert!(text.contains("H0608") && text.contains("`systems_walk`"), "{text}");
    assert!(text.contains("OnUnload") && text.contains("early"), "{text}");
    assert_eq!(format!("{:?}", OnUnload.intern()), "OnUnload");
}

#[derive(Resource, Default)]
struct Score(u32);

#[test]
fn an_ambiguity_that_the_host_forbids_does_not_break_a_commit() {
    fn add(mut score: ResMut<Score>) {
        score.0 += 1;
    }
    fn double(mut score: ResMut<Score>) {
        score.0 *= 2;
    }
    let mut world = World::new();
    world.init_resource::<Score>();
    let mut schedule = Schedule::new(Update);
    let strict =
        ScheduleBuildSettings { ambiguity_detection: LogLevel::Error, ..Default::default() };
    schedule.set_build_settings(strict).add_systems(add);
    let mut schedules = Schedules::new();
    schedules.insert(schedule);
    world.insert_resource(schedules);

    let systems = vec![(Update.intern(), double.into_configs())];
    let entering = Entering {
        id: "systems_a".into(),
        set: ModuleSet(1),
        sets: Vec::new(),
        systems,
        inherits: Inherits::default(),
    };
    let (mut conditions, reports) = (SetConditions::default(), Reports::default());
    let added =
        schedules::rebuild(&mut world, &mut conditions, &reports, Vec::new(), vec![entering]);
    assert_eq!(added.unwrap()[0].systems.len(), 1);
    world.run_schedule(Update);
    assert!(world.resource::<Score>().0 > 0);
    let schedules = world.resource::<Schedules>();
    let settings = schedules.get(Update).unwrap().get_build_settings();
    assert_eq!(settings.ambiguity_detection, LogLevel::Error);
}
