//! Headless runs: every frame is one fixed step, regardless of real time.

use std::time::{Duration, Instant};

use bevy::app::PluginsState;
use bevy::log::{DEFAULT_FILTER, LogPlugin};
use bevy::prelude::*;
use bevy::render::RenderPlugin;
use bevy::render::settings::WgpuSettings;
use bevy::time::TimeUpdateStrategy;
use bevy::window::ExitCondition;
use bevy::winit::WinitPlugin;

use crate::{STEPS_PER_S, assets};

/// An app without window and graphics; in real time, or as fast as possible if `fast`.
pub fn app(fast: bool) -> App {
    let mut app = App::new();
    #[cfg(not(feature = "static"))]
    app.add_plugins(playground_hotload::packs::PackAssetsPlugin);
    app.add_plugins(
        DefaultPlugins
            .build()
            .disable::<WinitPlugin>()
            .set(LogPlugin { filter: quiet(), ..default() })
            .set(assets::plugin())
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
    .set_runner(move |app| step(app, fast));
    app
}

/// Filters the warnings of Bevy's rendering plugins about the missing GPU.
fn quiet() -> String {
    format!(
        "{DEFAULT_FILTER},bevy_render::extract_resource=off,bevy_render::texture=error,\
         bevy_gizmos_render=error,bevy_app::terminal_ctrl_c_handler=warn"
    )
}

fn step(mut app: App, fast: bool) -> AppExit {
    while app.plugins_state() == PluginsState::Adding {
        bevy::tasks::tick_global_task_pools_on_main_thread();
    }
    app.finish();
    app.cleanup();

    let frame = Duration::from_secs_f64(1.0 / STEPS_PER_S);
    loop {
        let started = Instant::now();
        app.update();
        if let Some(exit) = app.should_exit() {
            return exit;
        }
        // While time is paused, modules are being built and need the CPU.
        let held = app.world().resource::<Time<Virtual>>().is_paused();
        if !fast || held {
            std::thread::sleep(frame.saturating_sub(started.elapsed()));
        }
    }
}
