//! Draws bodies.

use core_canvas::{Canvas, Layer};
use core_physics::{Heading, Outline, Position, Shape, Velocity};
use playground_api::prelude::*;

/// Draws all shapes at their positions, interpolated between two fixed steps.
pub fn draw(
    fixed: Res<Time<Fixed>>,
    mut canvas: ResMut<Canvas>,
    bodies: Query<(&Position, &Heading, &Shape, Option<&Velocity>)>,
) {
    let ahead_s = fixed.overstep().as_secs_f32();
    for (position, heading, shape, velocity) in &bodies {
        let at = position.0 + velocity.map_or(Vec2::ZERO, |velocity| velocity.0 * ahead_s);
        let pose = Pose { at, along: heading.0 * shape.size };
        let color = shape.shown_color();
        match shape.outline {
            Outline::Dart => {
                let corners = [(1.0, 0.0), (-0.8, 0.55), (-0.8, -0.55)];
                canvas.triangle(Layer::Bodies, pose.place(corners), color);
            }
            Outline::Ship => {
                let left = [(1.2, 0.0), (-0.9, 0.85), (-0.45, 0.0)];
                let right = [(1.2, 0.0), (-0.45, 0.0), (-0.9, -0.85)];
                canvas.triangle(Layer::Bodies, pose.place(left), color);
                canvas.triangle(Layer::Bodies, pose.place(right), shade(color, 0.7));
            }
            Outline::Diamond => {
                let corners = [(1.25, 0.0), (0.0, 0.8), (-0.8, 0.0), (0.0, -0.8)];
                canvas.polygon(Layer::Bodies, &pose.place(corners), color);
                let inner = corners.map(|(x, y)| (x * 0.45, y * 0.45));
                canvas.polygon(Layer::Bodies, &pose.place(inner), shade(color, 0.25));
            }
            Outline::Hexagon => {
                let corners = [
                    (1.0, 0.0),
                    (0.5, 0.87),
                    (-0.5, 0.87),
                    (-1.0, 0.0),
                    (-0.5, -0.87),
                    (0.5, -0.87),
                ];
                canvas.polygon(Layer::Bodies, &pose.place(corners), color);
                let inner = corners.map(|(x, y)| (x * 0.62, y * 0.62));
                canvas.polygon(Layer::Bodies, &pose.place(inner), shade(color, 0.35));
            }
            Outline::Bolt => {
                let corners = [(1.0, 0.0), (0.6, 0.25), (-1.0, 0.15), (-1.0, -0.15), (0.6, -0.25)];
                canvas.polygon(Layer::Bodies, &pose.place(corners), color);
            }
        }
    }
}

/// A darker colour of the same opacity.
fn shade(color: LinearRgba, brightness: f32) -> LinearRgba {
    (color * brightness).with_alpha(color.alpha)
}

/// A shape's position, and the direction and length of its half axis.
struct Pose {
    at: Vec2,
    along: Vec2,
}

impl Pose {
    /// Maps corners, given along and across the half axis, to world units.
    fn place<const N: usize>(&self, corners: [(f32, f32); N]) -> [Vec2; N] {
        corners.map(|(x, y)| self.at + self.along * x + self.along.perp() * y)
    }
}
