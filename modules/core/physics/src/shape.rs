//! The shapes of bodies.

use playground_api::prelude::*;

/// A filled outline that is drawn at a body's position, turned to its heading.
#[persist]
#[derive(Component, Clone, Copy, Debug, Default, PartialEq)]
pub struct Shape {
    pub outline: Outline,
    /// Half the length along the heading, in world units.
    pub size: f32,
    /// The colour without the flash.
    pub color: LinearRgba,
    /// The amount of white that is mixed in for a flash, from 0 to 1.
    pub flash: f32,
}

impl Shape {
    /// A shape without a flash.
    pub fn new(outline: Outline, size: f32, color: LinearRgba) -> Self {
        Self { outline, size, color, flash: 0.0 }
    }

    /// The colour with the flash.
    pub fn shown_color(&self) -> LinearRgba {
        self.color.mix(&LinearRgba::WHITE, self.flash.clamp(0.0, 1.0))
    }
}

/// Outlines, seen from above and heading to the right.
#[persist]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outline {
    /// A slim triangle.
    #[default]
    Dart,
    /// An arrowhead with a notched tail.
    Ship,
    /// A square on its corner.
    Diamond,
    /// A hexagon.
    Hexagon,
    /// A streak, four times as long as wide.
    Bolt,
}
