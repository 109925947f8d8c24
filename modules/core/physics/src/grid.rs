//! A spatial grid of flockers.

use playground_api::prelude::*;

use crate::StableId;

/// The smallest side of a cell, in world units.
const SMALLEST_CELL: f32 = 1.0;

/// A flocker's state at [`PhysicsSet::Index`](crate::PhysicsSet::Index).
#[own_identity]
#[derive(Clone, Copy, Debug)]
pub struct Neighbour {
    pub position: Vec2,
    pub velocity: Vec2,
    pub flock: u8,
    pub entity: Entity,
}

/// Flockers sorted by cell, and by [`StableId`] within a cell, so that sums over neighbours do not
/// depend on the order in which entities are stored.
#[own_identity]
#[derive(Resource, Debug)]
pub struct SpatialGrid {
    cell_size: f32,
    origin: Vec2,
    columns: usize,
    rows: usize,
    /// The start of each cell in `sorted`, and the end of the last one.
    starts: Vec<u32>,
    sorted: Vec<Neighbour>,
}

impl Default for SpatialGrid {
    fn default() -> Self {
        Self {
            cell_size: 1.0,
            origin: Vec2::ZERO,
            columns: 1,
            rows: 1,
            starts: vec![0, 0],
            sorted: Vec::new(),
        }
    }
}

impl SpatialGrid {
    /// Rebuilds the grid. Flockers outside of `half_size` are put into the cells at the edge;
    /// `members` is sorted, and its memory can be reused.
    pub fn rebuild(
        &mut self,
        half_size: Vec2,
        cell_size: f32,
        members: &mut [(StableId, Neighbour)],
    ) {
        self.cell_size = cell_size.max(SMALLEST_CELL);
        self.origin = -half_size;
        self.columns = ((2.0 * half_size.x / self.cell_size).ceil() as usize).max(1);
        self.rows = ((2.0 * half_size.y / self.cell_size).ceil() as usize).max(1);

        // A stable counting sort by cell, which keeps the order of the ids.
        members.sort_unstable_by_key(|(id, _)| *id);
        self.starts.clear();
        self.starts.resize(self.columns * self.rows + 1, 0);
        for (_, member) in members.iter() {
            let cell = self.cell(member.position);
            self.starts[cell + 1] += 1;
        }
        for cell in 1..self.starts.len() {
            self.starts[cell] += self.starts[cell - 1];
        }
        let Some((_, filler)) = members.first() else {
            self.sorted.clear();
            return;
        };
        self.sorted.resize(members.len(), *filler);
        for (_, member) in members.iter().rev() {
            // Backwards from each cell's end, which is still the next cell's start.
            let cell = self.cell(member.position);
            self.starts[cell + 1] -= 1;
            self.sorted[self.starts[cell + 1] as usize] = *member;
        }
        // Now every entry is its cell's start, shifted by one to the right.
        self.starts.remove(0);
        self.starts.push(members.len() as u32);
    }

    /// Calls `visit` for every flocker in the cells that intersect the circle, in a fixed order,
    /// until it returns false. Includes flockers of these cells that are outside of the circle.
    pub fn visit(&self, point: Vec2, radius: f32, mut visit: impl FnMut(&Neighbour) -> bool) {
        let (left, bottom) = self.column_row(point - radius);
        let (right, top) = self.column_row(point + radius);
        for row in bottom..=top {
            let first = self.starts[row * self.columns + left] as usize;
            let end = self.starts[row * self.columns + right + 1] as usize;
            for neighbour in &self.sorted[first..end] {
                if !visit(neighbour) {
                    return;
                }
            }
        }
    }

    /// The number of flockers in the grid.
    pub fn len(&self) -> usize {
        self.sorted.len()
    }

    pub fn is_empty(&self) -> bool {
        self.sorted.is_empty()
    }

    fn column_row(&self, point: Vec2) -> (usize, usize) {
        // `as` clamps negative numbers to 0.
        let cell = (point - self.origin) / self.cell_size;
        ((cell.x as usize).min(self.columns - 1), (cell.y as usize).min(self.rows - 1))
    }

    fn cell(&self, point: Vec2) -> usize {
        let (column, row) = self.column_row(point);
        row * self.columns + column
    }
}
