//! Reads the keyboard and mouse.

use bevy::window::PrimaryWindow;
use core_arena::PlayerIntent;
use playground_api::prelude::*;

/// Keys: WASD or arrows fly, space fires, shift dashes, R or enter starts a new game.
pub fn keyboard(
    keys: Option<Res<ButtonInput<KeyCode>>>,
    focus: Res<KeyboardFocus>,
    mut intent: ResMut<PlayerIntent>,
) {
    let held = |any: &[KeyCode]| {
        !focus.console && keys.as_ref().is_some_and(|keys| keys.any_pressed(any.iter().copied()))
    };
    let struck = |any: &[KeyCode]| {
        !focus.console
            && keys.as_ref().is_some_and(|keys| keys.any_just_pressed(any.iter().copied()))
    };
    let axis = |up: &[KeyCode], down: &[KeyCode]| f32::from(held(up)) - f32::from(held(down));
    let thrust = Vec2::new(
        axis(&[KeyCode::KeyD, KeyCode::ArrowRight], &[KeyCode::KeyA, KeyCode::ArrowLeft]),
        axis(&[KeyCode::KeyW, KeyCode::ArrowUp], &[KeyCode::KeyS, KeyCode::ArrowDown]),
    );
    intent.thrust = thrust.normalize_or_zero();
    intent.fire = held(&[KeyCode::Space]);
    intent.dash |= struck(&[KeyCode::ShiftLeft, KeyCode::ShiftRight]);
    intent.restart |= struck(&[KeyCode::KeyR, KeyCode::Enter]);
}

/// Mouse: the pointer aims, the left button fires, the right one dashes.
pub fn mouse(
    buttons: Option<Res<ButtonInput<MouseButton>>>,
    focus: Res<KeyboardFocus>,
    window: Query<&Window, With<PrimaryWindow>>,
    cameras: Query<(&Camera, &GlobalTransform), With<Camera2d>>,
    mut intent: ResMut<PlayerIntent>,
) {
    let cursor = window.single().ok().and_then(Window::cursor_position);
    let world = cursor.and_then(|cursor| {
        cameras.iter().find_map(|(camera, at)| camera.viewport_to_world_2d(at, cursor).ok())
    });
    if let Some(world) = world {
        intent.aim = world;
    }
    if let Some(buttons) = buttons.filter(|_| !focus.pointer_over_console) {
        intent.fire |= buttons.pressed(MouseButton::Left);
        intent.dash |= buttons.just_pressed(MouseButton::Right);
    }
}
