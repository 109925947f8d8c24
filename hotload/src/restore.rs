//! Restore: converts persisted values whose type changed to its new form.
//!
//! ```text
//!  old type ── encode ──► bincode ── Resolution ──► bincode ── decode ──► new type ── insert
//! ```
//!
//! [`prepare`] does everything that can fail and changes nothing; [`restore`] then only has to
//! remove the old values and insert the new ones.

mod dropped;
mod error;
pub mod required;
#[cfg(test)]
mod tests;

use std::any::TypeId;
use std::collections::BTreeSet;
use std::time::Instant;

use bevy::ecs::component::ComponentId;
use bevy::prelude::*;
use playground_api::handover::{Handovers, removals};
use playground_api::persist::{
    Column, Insert, PersistRecord, Restoring, Store, Ticks, remove_components,
};
use playground_api::schema::{
    ConvertError, Definition, Entities, Entry, Options, Resolution, ResolveError,
};
use thiserror::Error;

use crate::build::rustc::ms;
use crate::guard;
use crate::ids::ModuleId;
use crate::type_matching::successor_of;
pub use dropped::{Dropped, values};
pub use error::{RestoreError, RestoreErrors};
use required::Lacking;

/// A persisted type and the module that persists it.
#[derive(Clone, Copy)]
pub struct Owned<'a> {
    /// The module.
    pub module: &'a ModuleId,
    /// The type.
    pub record: &'a PersistRecord,
}

/// Values that may be dropped without asking.
pub struct GivenUp<'a> {
    /// Types that modules declare as dropped.
    pub types: &'a [String],
    /// Modules whose values may be dropped if the new types have no place for them: those that
    /// persisted the values, or those that would take them over.
    pub modules: &'a BTreeSet<ModuleId>,
}

impl GivenUp<'_> {
    fn allows(&self, owner: &Owned<'_>) -> bool {
        self.modules.contains(owner.module)
    }
}

/// Values of an old type, decoded as values of a new one.
pub struct Restore {
    old: PersistRecord,
    /// The old component, and the number of its removals recorded so far.
    replaced: Option<(ComponentId, usize)>,
    new: Option<NewValues>,
    lacking: Vec<Lacking>,
    /// The number of values.
    pub count: usize,
    /// Values, or fields of them, that are dropped with permission.
    pub dropped: Option<Dropped>,
}

struct NewValues {
    record: PersistRecord,
    insert: Insert,
    ticks: Ticks,
}

impl Restore {
    /// The old component on the other side of the relationship, if it comes back with this one.
    pub fn brings_back(&self) -> Option<TypeId> {
        self.new.as_ref()?.record.relation?;
        Some(self.old.relation?.other_side())
    }
}

/// The duration of each step, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RestoreTimes {
    /// Encoding old values to bincode.
    pub snapshot_ms: f32,
    /// Decoding bincode to new values.
    pub decode_ms: f32,
    /// Removing old values and inserting new ones.
    pub insert_ms: f32,
}

/// Reads the values of all `old` types that are replaced by one of the `new` types.
///
/// # Errors
///
/// If values cannot be kept: all reasons at once.
pub fn prepare(
    world: &mut World,
    old: &[Owned<'_>],
    new: &[Owned<'_>],
    given_up: &GivenUp<'_>,
    times: &mut RestoreTimes,
) -> Result<Vec<Restore>, RestoreErrors> {
    let mut restores = Vec::new();
    let mut errors = Vec::new();
    for before in old {
        let restore = match successor_of(before.record, new, |new| new.record) {
            Some(after) if after.record.type_id == before.record.type_id => continue,
            Some(after) => {
                let allow_drop = given_up.allows(before) || given_up.allows(after);
                convert(world, before, after, allow_drop, times)
            }
            None => give_up(world, before, given_up),
        };
        match restore {
            Ok(restore) => restores.push(restore),
            Err(error) => errors.push(error),
        }
    }
    RestoreErrors::of(errors).map_or(Ok(restores), Err)
}

fn give_up(
    world: &mut World,
    old: &Owned<'_>,
    given_up: &GivenUp<'_>,
) -> Result<Restore, RestoreError> {
    let count = old.record.count(world);
    let type_name = old.record.schema.name;
    let is_listed = given_up.types.iter().any(|listed| listed == type_name);
    if count > 0 && !given_up.allows(old) && !is_listed {
        let (module, type_name) = (old.module.clone(), old.record.label());
        return Err(RestoreError::Gone { module, type_name, count });
    }
    let all = || Dropped { type_name: old.record.label(), fields: Vec::new(), count };
    let dropped = (count > 0).then(all);
    Ok(Restore {
        old: *old.record,
        replaced: None,
        new: None,
        lacking: Vec::new(),
        count: 0,
        dropped,
    })
}

fn convert(
    world: &mut World,
    old: &Owned<'_>,
    new: &Owned<'_>,
    allow_drop: bool,
    times: &mut RestoreTimes,
) -> Result<Restore, RestoreError> {
    let module = || new.module.clone();
    let value = |reason| RestoreError::Value { module: new.module.clone(), reason };
    let started = Instant::now();
    let encode = || old.record.encode_with_ticks(world);
    let what = format!("the serialization of `{}`", old.record.schema.name);
    let (column, ticks) = guard::catch(old.module, &what, encode)?.map_err(value)?;
    let count = column.entities.len();
    if old.record.store != new.record.store && count > 1 {
        let type_name = old.record.label();
        return Err(RestoreError::Several { module: module(), type_name, count });
    }
    times.snapshot_ms += ms(started);

    let started = Instant::now();
    let writer = Definition::of(old.record.schema);
    let mut dropped = None;
    let lost = |fields: &[Entry]| {
        let fields = fields.iter().map(|entry| entry.path.clone()).collect();
        Dropped { type_name: new.record.label(), fields, count }
    };
    // A new field has the value that its type's `Default` says.
    let what = format!("`Default` for parts of `{}`", new.record.schema.name);
    let resolve = |allow_drop| {
        let options = Options { allow_drop };
        let resolve = || Resolution::new(&writer, new.record.schema, options);
        guard::catch(new.module, &what, resolve)
    };
    let resolution = match resolve(false)? {
        // Without values, nothing is lost.
        Err(ResolveError::Drops { fields, .. }) if count == 0 || allow_drop => {
            dropped = (count > 0).then(|| lost(&fields));
            resolve(true)?
        }
        other => other,
    };
    let mut resolution = resolution.map_err(|error| match error {
        ResolveError::Drops { fields, .. } => {
            RestoreError::Fields { module: module(), lost: lost(&fields) }
        }
        other => RestoreError::Types { module: module(), reason: other.to_string() },
    })?;
    let decode = || {
        // Most types of a module stay the same when another one changes.
        if writer == Definition::of(new.record.schema) {
            return new.record.decode(&column);
        }
        let converted = convert_column(&mut resolution, &column, &mut Ok);
        new.record.decode(&converted.map_err(|error| error.to_string())?)
    };
    let what =
        format!("the migration, deserialization or default value of `{}`", new.record.schema.name);
    let insert = guard::catch(new.module, &what, decode)?.map_err(value)?;
    times.decode_ms += ms(started);
    Ok(Restore {
        old: *old.record,
        replaced: None,
        new: Some(NewValues { record: *new.record, insert, ticks }),
        lacking: required::lacking(world, old.record),
        count,
        dropped,
    })
}

/// A value that cannot be converted.
#[derive(Debug, Error)]
#[error("{}{source}", entity.map_or(String::new(), |entity| format!("entity {entity}: ")))]
pub struct ColumnError {
    /// Where the value is; `None` for resources and states.
    pub entity: Option<Entity>,
    /// Why.
    pub source: ConvertError,
}

/// All values of a column in their new form; the error names the value's entity.
///
/// # Errors
///
/// If a value does not fit.
pub fn convert_column(
    resolution: &mut Resolution,
    column: &Column,
    entities: &mut Entities<'_>,
) -> Result<Column, ColumnError> {
    let mut bytes = Vec::with_capacity(column.bytes.len() + column.bytes.len() / 4);
    let mut rest = column.bytes.as_slice();
    let count = column.entities.len();
    if resolution.convert_many(count, &mut rest, &mut bytes, entities).is_ok() {
        return Ok(Column { entities: column.entities.clone(), bytes });
    }
    // Convert again, value by value, to find the entity that fails.
    let (mut rest, mut bytes) = (column.bytes.as_slice(), Vec::new());
    for entity in &column.entities {
        resolution.convert(&mut rest, &mut bytes, entities).map_err(|source| {
            let entity = (*entity != Entity::PLACEHOLDER).then_some(*entity);
            ColumnError { entity, source }
        })?;
    }
    Ok(Column { entities: column.entities.clone(), bytes })
}

/// Removes the old values and inserts the new ones.
pub fn restore(world: &mut World, restores: &mut [Restore], times: &mut RestoreTimes) {
    if restores.is_empty() {
        return;
    }
    let started = Instant::now();
    world.insert_resource(Restoring);
    let mut components = Vec::new();
    for restore in restores.iter_mut() {
        let component = world.components().get_id(restore.old.type_id);
        match component.filter(|_| restore.old.store == Store::Component) {
            Some(id) => {
                let recorded = world.removed_components().get(id).map_or(0, removals);
                restore.replaced = Some((id, recorded));
                components.push(id);
            }
            None => restore.old.remove(world),
        }
    }
    remove_components(world, &components);
    restores.sort_by_key(|restore| restore.new.as_ref().is_some_and(|new| new.record.comes_last()));
    for restore in restores.iter_mut() {
        if let Some(NewValues { record, insert, ticks }) = restore.new.take() {
            insert(world);
            // Change detection sees them with their old ticks.
            record.set_ticks(world, &ticks);
            required::remove_again(world, record.type_id, &restore.lacking);
        }
    }
    world.remove_resource::<Restoring>();
    times.insert_ms += ms(started);
}

/// Readers of removals, whose positions are in [`Handovers`] now, continue with the new components.
pub fn readers_go_on(world: &mut World, restores: &[Restore]) {
    let Some(mut handovers) = world.get_resource_mut::<Handovers>() else { return };
    for (component, count) in restores.iter().filter_map(|restore| restore.replaced) {
        handovers.replace_component(component, count);
    }
}
