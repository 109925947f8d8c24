//! Who is near: flockers by the square cell they are in.

use playground_api::prelude::*;

use crate::StableId;

/// A flocker as the grid knows it: its state at [`PhysicsSet::Index`](crate::PhysicsSet::Index).
#[derive(Clone, Copy, Debug)]
pub struct Neighbour {
    /// Its position.
    pub position: Vec2,
    /// Its velocity.
    pub velocity: Vec2,
    /// Its flock.
    pub flock: u8,
    /// Its entity.
    pub entity: Entity,
}

/// Flockers sorted by cell, and by [`StableId`] within a cell: sums over neighbours come out the
/// same however the entities are stored.
#[derive(Resource, Debug)]
pub struct SpatialGrid {
    cell_size: f32,
    origin: Vec2,
    columns: usize,
    rows: usize,
    /// Where each cell's neighbours begin in `sorted`, and the end of the last cell's.
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
    /// Fills the grid anew. What lies outside of `half_size` counts to the cells at the edge;
    /// `members` is left sorted, for its memory to be used again.
    pub fn rebuild(
        &mut self,
        half_size: Vec2,
        cell_size: f32,
        members: &mut [(StableId, Neighbour)],
    ) {
        self.cell_size = cell_size.max(1.0);
        self.origin = -half_size;
        self.columns = ((2.0 * half_size.x / self.cell_size).ceil() as usize).max(1);
        self.rows = ((2.0 * half_size.y / self.cell_size).ceil() as usize).max(1);

        // A counting sort by cell, stable over the order of the ids.
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
            // Backwards from each cell's end, which the next cell's start marks until then.
            let cell = self.cell(member.position);
            self.starts[cell + 1] -= 1;
            self.sorted[self.starts[cell + 1] as usize] = *member;
        }
        // Every entry now holds its own cell's start, one place too far to the right.
        self.starts.remove(0);
        self.starts.push(members.len() as u32);
    }

    /// Calls `visit` for every flocker in the cells that touch the circle, in a fixed order, until
    /// it gives false. Those in the cells but outside the circle are among them.
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

    /// How many flockers the grid holds.
    pub fn len(&self) -> usize {
        self.sorted.len()
    }

    /// True when there are none.
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
