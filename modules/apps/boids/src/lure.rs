//! The lure that attracts or repels boids.

use bevy::window::PrimaryWindow;
use core_canvas::{Canvas, Layer};
use core_physics::{Bounds, Lure};
use playground_api::prelude::*;

/// Strength of the lure while a button is held.
const STRENGTH: f32 = 2.5;
/// Its reach, as a fraction of half the world's height.
const REACH: f32 = 0.7;

/// True if nobody controls the lure, so that it moves by itself.
pub fn wanders(options: Res<RunOptions>) -> bool {
    options.autopilot
}

/// Puts the lure under the pointer while a button is held.
pub fn follow_mouse(
    buttons: Option<Res<ButtonInput<MouseButton>>>,
    focus: Res<KeyboardFocus>,
    bounds: Res<Bounds>,
    window: Query<&Window, With<PrimaryWindow>>,
    cameras: Query<(&Camera, &GlobalTransform), With<Camera2d>>,
    mut lure: ResMut<Lure>,
) {
    let held = |button| {
        !focus.pointer_over_console
            && buttons.as_ref().is_some_and(|buttons| buttons.pressed(button))
    };
    let strength = match (held(MouseButton::Left), held(MouseButton::Right)) {
        (true, false) => STRENGTH,
        (false, true) => -STRENGTH,
        _ => 0.0,
    };
    let cursor = window.single().ok().and_then(Window::cursor_position);
    let point = cursor.and_then(|cursor| {
        cameras.iter().find_map(|(camera, at)| camera.viewport_to_world_2d(at, cursor).ok())
    });
    lure.set_if_neq(match point {
        Some(point) => Lure { point, strength, radius: bounds.half_size.y * REACH },
        None => Lure::default(),
    });
}

/// Moves a repelling lure in circles, without a player.
pub fn wander(time: Res<Time>, bounds: Res<Bounds>, mut lure: ResMut<Lure>) {
    let turn = time.elapsed_secs() * 0.4;
    let point = Vec2::new((turn * 1.3).sin(), (turn * 1.7).cos()) * bounds.half_size * 0.6;
    *lure = Lure { point, strength: -STRENGTH, radius: bounds.half_size.y * REACH * 0.5 };
}

/// Draws a ring around the lure.
pub fn draw(bounds: Res<Bounds>, lure: Res<Lure>, mut canvas: ResMut<Canvas>) {
    if lure.strength == 0.0 {
        return;
    }
    let color = if lure.strength > 0.0 {
        LinearRgba::rgb(0.3, 0.9, 0.8)
    } else {
        LinearRgba::rgb(1.0, 0.3, 0.25)
    };
    let width = bounds.half_size.y / 250.0;
    canvas.ring(Layer::Effects, lure.point, lure.radius * 0.12, width, color.with_alpha(0.5));
}
