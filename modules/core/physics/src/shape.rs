//! What a body looks like.

use playground_api::prelude::*;

/// A filled outline that is drawn at a body's position, turned to its heading.
#[derive(Component, Persist, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq)]
pub struct Shape {
    /// The outline.
    pub outline: Outline,
    /// Half the length along the heading, in world units.
    pub size: f32,
    /// The colour, at rest.
    pub color: LinearRgba,
    /// How much of the colour a flash of white takes, from 0 to 1.
    pub flash: f32,
}

impl Shape {
    /// A shape at rest.
    pub fn new(outline: Outline, size: f32, color: LinearRgba) -> Self {
        Self { outline, size, color, flash: 0.0 }
    }

    /// The colour, with the flash.
    pub fn shown_color(&self) -> LinearRgba {
        self.color.mix(&LinearRgba::WHITE, self.flash.clamp(0.0, 1.0))
    }
}

/// Outlines, as seen from above with the heading to the right.
#[derive(Persist, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
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
