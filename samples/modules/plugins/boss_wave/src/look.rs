//! The shapes that are drawn around a warden.

use core_arena::Health;
use core_canvas::{Canvas, Layer};
use core_physics::{Position, Radius};
use playground_api::prelude::*;

use crate::warden::Warden;

const CORE: LinearRgba = LinearRgba::rgb(1.0, 0.75, 0.3);
const SHIELD: LinearRgba = LinearRgba::rgb(0.35, 0.85, 1.0);
const GROOVE: LinearRgba = LinearRgba::new(0.05, 0.06, 0.09, 0.9);

/// Draws shields, the warning before a ring, and health.
pub fn draw(mut canvas: ResMut<Canvas>, wardens: Query<(&Warden, &Position, &Radius, &Health)>) {
    for (warden, position, radius, health) in &wardens {
        let (at, radius) = (position.0, radius.0);
        if warden.shield_s > 0.0 {
            let strength = (warden.shield_s * 2.0).min(1.0);
            canvas.ring(Layer::Effects, at, radius * 1.35, 5.0, SHIELD.with_alpha(strength));
        }
        // It grows until the ring is fired.
        let near = (1.0 - warden.ring_in_s).clamp(0.0, 1.0);
        canvas.ring(Layer::Effects, at, radius * (0.2 + 0.7 * near), 2.0 + 5.0 * near, CORE);

        let half = Vec2::new(radius * 1.2, 0.0);
        let bar = at + Vec2::new(0.0, radius * 1.75);
        canvas.line(Layer::Effects, bar - half, bar + half, 8.0, GROOVE);
        let end = bar - half + half * 2.0 * health.fraction();
        canvas.line(Layer::Effects, bar - half, end, 5.0, CORE);
    }
}
