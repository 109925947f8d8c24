//! Fills the spatial grid.

use core_physics::{Bounds, Flocker, Neighbour, Position, SpatialGrid, StableId, Velocity};
use playground_api::prelude::*;

use crate::tuning::SteeringTuning;

/// Puts every flocker into the grid. The `Local` is scratch memory, not state.
pub fn fill_grid(
    bounds: Res<Bounds>,
    tuning: Res<SteeringTuning>,
    mut grid: ResMut<SpatialGrid>,
    flockers: Query<(Entity, &StableId, &Position, &Velocity, &Flocker)>,
    mut members: Local<Vec<(StableId, Neighbour)>>,
) {
    members.clear();
    members.extend(flockers.iter().map(|(entity, id, position, velocity, flocker)| {
        let neighbour =
            Neighbour { position: position.0, velocity: velocity.0, flock: flocker.flock, entity };
        (*id, neighbour)
    }));
    // With cells of half the sight, fewer flockers outside of the circle are visited.
    grid.rebuild(bounds.half_size, tuning.sight * 0.5, &mut members);
}
