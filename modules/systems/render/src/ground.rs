//! The floor of the world and its edge.

use core_canvas::{Canvas, Layer};
use core_physics::{Bounds, Edge};
use playground_api::prelude::*;

const FLOOR: LinearRgba = LinearRgba::rgb(0.0032, 0.0042, 0.0085);
const LINES: LinearRgba = LinearRgba::rgb(0.0075, 0.0105, 0.020);
const EDGE: LinearRgba = LinearRgba::rgb(0.045, 0.13, 0.21);

/// Number of lines on the floor along the shorter side.
const LINES_ACROSS: f32 = 12.0;

/// Draws floor, lines and edge. The width of lines and edge on screen does not depend on the
/// world's size.
pub fn draw(bounds: Res<Bounds>, mut canvas: ResMut<Canvas>) {
    let half = bounds.half_size;
    let corners = [half, Vec2::new(-half.x, half.y), -half, Vec2::new(half.x, -half.y)];
    canvas.polygon(Layer::Ground, &corners, FLOOR);

    let width = half.y / 400.0;
    let spacing = 2.0 * half.y / LINES_ACROSS;
    for side in [-1.0, 1.0] {
        let mut at = spacing * 0.5;
        while at < half.x.max(half.y) {
            let offset = at * side;
            if at < half.x {
                let (from, to) = (Vec2::new(offset, -half.y), Vec2::new(offset, half.y));
                canvas.line(Layer::Ground, from, to, width, LINES);
            }
            if at < half.y {
                let (from, to) = (Vec2::new(-half.x, offset), Vec2::new(half.x, offset));
                canvas.line(Layer::Ground, from, to, width, LINES);
            }
            at += spacing;
        }
    }
    if bounds.edge == Edge::Wall {
        for (from, to) in corners.into_iter().zip(corners.into_iter().cycle().skip(1)) {
            canvas.line(Layer::Ground, from, to, width * 3.0, EDGE);
        }
    }
}
