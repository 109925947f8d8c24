//! The same systems, linked into this program, in the same kind of app without `HotLoadPlugin`.

use bevy::app::TaskPoolOptions;
use bevy::log::LogPlugin;
use bevy::prelude::*;
use bevy::render::RenderPlugin;
use bevy::render::settings::WgpuSettings;
use bevy::time::TimeUpdateStrategy;
use bevy::window::ExitCondition;
use bevy::winit::WinitPlugin;

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
    let mut app = App::new();
    app.add_plugins(
        DefaultPlugins
            .build()
            .disable::<WinitPlugin>()
            .disable::<LogPlugin>()
            .disable::<bevy::app::TerminalCtrlCHandlerPlugin>()
            .set(TaskPoolPlugin { task_pool_options: TaskPoolOptions::with_num_threads(4) })
            .set(WindowPlugin {
                primary_window: None,
                exit_condition: ExitCondition::DontExit,
                ..default()
            })
            .set(RenderPlugin {
                render_creation: WgpuSettings { backends: None, ..default() }.into(),
                ..default()
            }),
    )
    .insert_resource(TimeUpdateStrategy::FixedTimesteps(1))
    .insert_resource(Time::<Fixed>::from_hz(60.0))
    .init_state::<Phase>()
    .add_message::<Ping>();
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
