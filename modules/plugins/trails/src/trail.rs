//! Trails: the recent positions of bodies.

use std::collections::{BTreeMap, VecDeque};

use core_physics::StableId;
use playground_api::prelude::*;

/// A jump that is longer than this, in world units, starts a new trail.
const LONGEST_STEP: f32 = 120.0;

/// All trails, by the id of the body.
#[own_identity]
#[derive(Resource, Default)]
pub struct Trails {
    trails: BTreeMap<StableId, Trail>,
}

/// The style of a trail.
#[own_identity]
#[derive(Clone, Copy, Default)]
pub struct Style {
    /// Seconds for which a position is visible.
    pub life_s: f32,
    /// Width at its head, in world units.
    pub width: f32,
    /// Opacity at its head, from 0 to 1.
    pub opacity: f32,
}

/// The recent positions of one body with their age in seconds, the oldest first.
#[own_identity]
#[derive(Default)]
pub struct Trail {
    places: VecDeque<(Vec2, f32)>,
    color: LinearRgba,
    style: Style,
}

impl Trails {
    /// Ages all trails, and removes invisible positions.
    pub fn age(&mut self, step_s: f32) {
        self.trails.retain(|_, trail| {
            for (_, age_s) in &mut trail.places {
                *age_s += step_s;
            }
            while trail.places.front().is_some_and(|(_, age_s)| *age_s > trail.style.life_s) {
                trail.places.pop_front();
            }
            !trail.places.is_empty()
        });
    }

    /// Adds the current position of a body.
    pub fn extend(&mut self, id: StableId, at: Vec2, color: LinearRgba, style: Style) {
        let trail = self.trails.entry(id).or_default();
        trail.color = color;
        trail.style = style;
        match trail.places.back_mut() {
            Some((last, age_s)) if *last == at => *age_s = 0.0,
            Some((last, _)) if last.distance(at) > LONGEST_STEP => {
                trail.places.clear();
                trail.places.push_back((at, 0.0));
            }
            _ => trail.places.push_back((at, 0.0)),
        }
    }

    /// All trails.
    pub fn iter(&self) -> impl Iterator<Item = &Trail> {
        self.trails.values()
    }
}

/// Position, width and colour at a point of a trail.
pub type Cut = (Vec2, f32, LinearRgba);

impl Trail {
    /// The segments of the trail, from its end to its head.
    pub fn pieces(&self) -> impl Iterator<Item = (Cut, Cut)> {
        let cuts = self.places.iter().map(|place| self.cut(*place));
        cuts.clone().zip(cuts.skip(1))
    }

    fn cut(&self, (at, age_s): (Vec2, f32)) -> Cut {
        let strength = (1.0 - age_s / self.style.life_s).max(0.0);
        let color = self.color.with_alpha(self.style.opacity * strength * strength);
        (at, self.style.width * strength, color)
    }
}
