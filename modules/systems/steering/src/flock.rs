//! One step of steering.

use core_physics::{Bounds, Edge, Flocker, Goal, Heading, Lure, Position, SpatialGrid, Velocity};
use playground_api::prelude::*;

use crate::tuning::SteeringTuning;

/// Changes the velocities of all flockers. Each reads only the grid and its own components, so they
/// can be steered in parallel.
pub fn steer(
    time: Res<Time>,
    bounds: Res<Bounds>,
    lure: Res<Lure>,
    tuning: Res<SteeringTuning>,
    grid: Res<SpatialGrid>,
    mut flockers: Query<(Entity, &Position, &mut Velocity, &mut Heading, &Flocker, Option<&Goal>)>,
) {
    let step_s = time.delta_secs();
    flockers.par_iter_mut().for_each(
        |(entity, position, mut velocity, mut heading, flocker, goal)| {
            let member = Member { entity, position: position.0, velocity: velocity.0, flocker };
            let urge = member.company(&grid, &tuning)
                + member.walls(&bounds, &tuning)
                + goal.map_or(Vec2::ZERO, |goal| member.wish(goal))
                + member.lured(&lure);
            let force = (urge * flocker.max_force).clamp_length_max(flocker.max_force);
            let slowest = tuning.slowest * flocker.max_speed;
            velocity.0 = within(velocity.0 + force * step_s, slowest, flocker.max_speed);
            *heading = Heading::along(velocity.0);
        },
    );
}

struct Member<'a> {
    entity: Entity,
    position: Vec2,
    velocity: Vec2,
    flocker: &'a Flocker,
}

impl Member<'_> {
    /// Separation from all neighbours; alignment and cohesion with the own flock.
    fn company(&self, grid: &SpatialGrid, tuning: &SteeringTuning) -> Vec2 {
        let sight = tuning.sight * self.flocker.sight;
        let sight_squared = sight * sight;
        let space = tuning.personal_space * self.flocker.personal_space;
        let (mut apart, mut places, mut velocities) = (Vec2::ZERO, Vec2::ZERO, Vec2::ZERO);
        let (mut seen, mut like) = (0, 0.0);
        grid.visit(self.position, sight, |neighbour| {
            let away = self.position - neighbour.position;
            let distance_squared = away.length_squared();
            if distance_squared >= sight_squared || neighbour.entity == self.entity {
                return true;
            }
            if distance_squared < space * space {
                let distance = distance_squared.sqrt().max(0.01);
                apart += away * (1.0 / distance - 1.0 / space);
            }
            if neighbour.flock == self.flocker.flock {
                places += neighbour.position;
                velocities += neighbour.velocity;
                like += 1.0;
            }
            seen += 1;
            seen < tuning.max_neighbours
        });
        let mut urge = apart * tuning.separation;
        if like > 0.0 {
            let together = (places / like - self.position) / sight.max(1.0);
            let along = (velocities / like - self.velocity) / self.flocker.max_speed.max(1.0);
            urge += together * tuning.cohesion + along * tuning.alignment;
        }
        urge
    }

    /// Avoids walls.
    fn walls(&self, bounds: &Bounds, tuning: &SteeringTuning) -> Vec2 {
        if bounds.edge != Edge::Wall {
            return Vec2::ZERO;
        }
        let room = bounds.half_size - self.position.abs();
        let nearness = (1.0 - room / tuning.wall_margin.max(1.0)).max(Vec2::ZERO);
        -self.position.signum() * nearness * tuning.wall
    }

    /// Steers to the goal, or away from it.
    fn wish(&self, goal: &Goal) -> Vec2 {
        let toward = (goal.point - self.position).normalize_or_zero() * goal.weight.signum();
        let change = toward - self.velocity / self.flocker.max_speed.max(1.0);
        change * goal.weight.abs()
    }

    /// Steers to the lure or away from it, the stronger the nearer it is.
    fn lured(&self, lure: &Lure) -> Vec2 {
        let offset = lure.point - self.position;
        let nearness = 1.0 - offset.length() / lure.radius.max(1.0);
        if nearness <= 0.0 {
            return Vec2::ZERO;
        }
        offset.normalize_or_zero() * nearness * lure.strength
    }
}

/// Limits the speed of `velocity` to between `slowest` and `fastest`.
fn within(velocity: Vec2, slowest: f32, fastest: f32) -> Vec2 {
    let speed = velocity.length();
    if speed < 0.01 {
        return Vec2::new(slowest, 0.0);
    }
    velocity * (speed.clamp(slowest.min(fastest), fastest) / speed)
}
