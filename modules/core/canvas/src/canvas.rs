//! Triangles by layer.

use playground_api::prelude::*;

/// Layers, from the lowest to the highest.
#[own_identity]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// The arena's floor and edge.
    Ground,
    /// Trails.
    Trails,
    /// Bodies.
    Bodies,
    /// Flashes, sparks, marks.
    Effects,
}

/// A layer's triangles, three corners each.
#[own_identity]
#[derive(Clone, Debug, Default)]
pub struct Triangles {
    /// Positions, in world units.
    pub positions: Vec<[f32; 3]>,
    /// Colours: linear red, green, blue, alpha.
    pub colors: Vec<[f32; 4]>,
}

/// The triangles of the current frame, by layer.
#[own_identity]
#[derive(Resource, Debug, Default)]
pub struct Canvas {
    layers: [Triangles; 4],
}

impl Canvas {
    /// Removes all triangles.
    pub fn clear(&mut self) {
        for layer in &mut self.layers {
            layer.positions.clear();
            layer.colors.clear();
        }
    }

    /// The layers, lowest first.
    pub fn layers(&self) -> &[Triangles] {
        &self.layers
    }

    /// A triangle in one colour.
    pub fn triangle(&mut self, layer: Layer, corners: [Vec2; 3], color: LinearRgba) {
        self.shaded(layer, corners.map(|corner| (corner, color)));
    }

    /// A triangle with a colour at each corner.
    pub fn shaded(&mut self, layer: Layer, corners: [(Vec2, LinearRgba); 3]) {
        let layer = &mut self.layers[layer as usize];
        for (corner, color) in corners {
            layer.positions.push([corner.x, corner.y, 0.0]);
            layer.colors.push([color.red, color.green, color.blue, color.alpha]);
        }
    }

    /// A convex polygon, with its corners in order.
    pub fn polygon(&mut self, layer: Layer, corners: &[Vec2], color: LinearRgba) {
        for pair in corners.windows(2).skip(1) {
            self.triangle(layer, [corners[0], pair[0], pair[1]], color);
        }
    }

    /// A line from `from` to `to` with a gradient of width and colour.
    pub fn ribbon(
        &mut self,
        layer: Layer,
        from: (Vec2, f32, LinearRgba),
        to: (Vec2, f32, LinearRgba),
    ) {
        let side = (to.0 - from.0).normalize_or_zero().perp() * 0.5;
        let [a, b] = [(from.0 + side * from.1, from.2), (from.0 - side * from.1, from.2)];
        let [c, d] = [(to.0 + side * to.1, to.2), (to.0 - side * to.1, to.2)];
        self.shaded(layer, [a, b, c]);
        self.shaded(layer, [c, b, d]);
    }

    /// A straight line.
    pub fn line(&mut self, layer: Layer, from: Vec2, to: Vec2, width: f32, color: LinearRgba) {
        self.ribbon(layer, (from, width, color), (to, width, color));
    }

    /// The outline of a circle.
    pub fn ring(&mut self, layer: Layer, center: Vec2, radius: f32, width: f32, color: LinearRgba) {
        const SIDES: u32 = 32;
        let corner = |side: u32| {
            let angle = side as f32 / SIDES as f32 * std::f32::consts::TAU;
            center + Vec2::from_angle(angle) * radius
        };
        for side in 0..SIDES {
            self.line(layer, corner(side), corner(side + 1), width, color);
        }
    }
}
