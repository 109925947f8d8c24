//! Runs in a window, if there is a display.

use std::panic;

use bevy::prelude::*;
use bevy::window::WindowResolution;

use crate::assets;

/// An app with a window; `None`, with a message on standard error, if none can be opened.
pub fn app() -> Option<App> {
    let has_display = ["DISPLAY", "WAYLAND_DISPLAY"]
        .into_iter()
        .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()));
    if cfg!(target_os = "linux") && !has_display {
        eprintln!("playground: there is no display; running headless");
        return None;
    }
    // winit's plugin panics if the display cannot be opened, and offers no way to check first.
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let built = panic::catch_unwind(build);
    panic::set_hook(hook);
    if built.is_err() {
        eprintln!("playground: the display cannot be opened; running headless");
    }
    built.ok()
}

fn build() -> App {
    let mut app = App::new();
    #[cfg(not(feature = "static"))]
    app.add_plugins(playground_hotload::packs::PackAssetsPlugin);
    let window = Window {
        title: "Playground".to_owned(),
        resolution: WindowResolution::new(1280, 720),
        ..default()
    };
    app.add_plugins(
        DefaultPlugins
            .set(assets::plugin())
            .set(WindowPlugin { primary_window: Some(window), ..default() }),
    );
    app
}
