//! Moves bodies by their velocity, and keeps them within the world.
#![forbid(unsafe_code)]

use core_physics::{Bounds, Edge, PhysicsSet, Position, Radius, Velocity};
use playground_api::prelude::*;

export_module! {
    kind: Systems,
    requires: { core_physics: "^0.1" },
    persist: [],
    build: build,
}

fn build(module: &mut ModuleApp) {
    module.add_systems(
        FixedUpdate,
        (integrate.in_set(PhysicsSet::Move), contain.in_set(PhysicsSet::Contain)),
    );
}

/// Moves everything with a velocity by one step.
fn integrate(time: Res<Time>, mut bodies: Query<(&mut Position, &Velocity)>) {
    let step_s = time.delta_secs();
    bodies.par_iter_mut().for_each(|(mut position, velocity)| {
        position.0 += velocity.0 * step_s;
    });
}

/// Brings bodies back that have left the world, except those without a [`Radius`].
fn contain(bounds: Res<Bounds>, mut bodies: Query<(&mut Position, &mut Velocity, &Radius)>) {
    let half_size = bounds.half_size;
    bodies.par_iter_mut().for_each(|(mut position, mut velocity, radius)| match bounds.edge {
        Edge::Wall => {
            let inner = (half_size - radius.0).max(Vec2::ZERO);
            let inside = position.0.clamp(-inner, inner);
            if inside != position.0 {
                // The wall stops the component of the velocity towards it.
                let outside = position.0 - inside;
                let leaving = (outside * velocity.0).cmpgt(Vec2::ZERO);
                velocity.0 = Vec2::select(leaving, Vec2::ZERO, velocity.0);
                position.0 = inside;
            }
        }
        Edge::Wrap => {
            if position.0.abs().cmpgt(half_size).any() {
                position.0 = wrap(position.0, half_size);
            }
        }
    });
}

/// Wraps a place into the rectangle around the origin.
fn wrap(point: Vec2, half_size: Vec2) -> Vec2 {
    (point + half_size).rem_euclid(2.0 * half_size) - half_size
}
