//! The same systems, linked into this program, in the same kind of app without `HotLoadPlugin`.

use std::path::Path;
use std::time::Instant;

use bevy::ecs::schedule::ScheduleCleanupPolicy;
use bevy::prelude::*;

#[derive(Resource, Default)]
struct Counter<const N: usize> {
    runs: u64,
    sum: f32,
}

fn work<const N: usize>(mut counter: ResMut<Counter<N>>) {
    counter.runs += 1;
    for step in 0..100 {
        counter.sum = (counter.sum + step as f32).sin();
    }
}

fn add<const N: usize>(app: &mut App, count: usize) {
    if N < count {
        app.init_resource::<Counter<N>>().add_systems(Update, work::<N>);
    }
}

/// As in the core module of the game that is measured beside it.
#[derive(States, Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
enum Phase {
    #[default]
    First,
}

#[derive(Message)]
struct Ping;

/// An app with the first `count` of 200 systems.
pub fn app(count: usize) -> App {
    let mut app = playground_tests::headless_app(Path::new("assets"));
    app.init_state::<Phase>().add_message::<Ping>();
    macro_rules! tens {
        ($($ten:literal)*) => {$(
            add::<{ $ten * 10 }>(&mut app, count);
            add::<{ $ten * 10 + 1 }>(&mut app, count);
            add::<{ $ten * 10 + 2 }>(&mut app, count);
            add::<{ $ten * 10 + 3 }>(&mut app, count);
            add::<{ $ten * 10 + 4 }>(&mut app, count);
            add::<{ $ten * 10 + 5 }>(&mut app, count);
            add::<{ $ten * 10 + 6 }>(&mut app, count);
            add::<{ $ten * 10 + 7 }>(&mut app, count);
            add::<{ $ten * 10 + 8 }>(&mut app, count);
            add::<{ $ten * 10 + 9 }>(&mut app, count);
        )*};
    }
    tens!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19);
    app.finish();
    app.cleanup();
    app
}

/// The time that Bevy takes to replace one system of the app: it builds the schedule anew. In
/// milliseconds.
pub fn rebuild_ms(app: &mut App) -> f64 {
    app.world_mut().schedule_scope(Update, |world, schedule| {
        schedule.initialize(world).expect("a schedule that has run");
        let started = Instant::now();
        let policy = ScheduleCleanupPolicy::RemoveSystemsOnlyAllowBreakages;
        schedule.remove_systems_in_set(work::<0>, world, policy).expect("its system");
        schedule.add_systems(work::<0>);
        schedule.initialize(world).expect("the same systems");
        started.elapsed().as_secs_f64() * 1000.0
    })
}
