//! The same systems, linked into this program, in the same kind of app without `HotLoadPlugin`.

use std::path::Path;

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
