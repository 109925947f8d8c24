//! Restore: converts persisted values whose type changed to its new form.
//!
//! ```text
//!  old type ── encode ──► bincode ── Resolution ──► bincode ── decode ──► new type ── insert
//! ```
//!
//! [`prepare`] does everything that can fail and changes nothing; [`restore`] then only has to
//! remove the old values and insert the new ones.

mod dropped;
#[cfg(test)]
mod tests;

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
use crate::explain::{Explain, Explanation};
use crate::guard::{self, Panic};
use crate::ids::ModuleId;
use crate::type_matching::successor_of;
pub use dropped::{Dropped, values};

/// Why values cannot be converted.
#[derive(Debug, Error)]
#[error("{}", self.explain())]
pub enum RestoreError {
    /// A persisted type is gone while the world still holds values of that type.
    Gone {
        /// The module.
        module: ModuleId,
        /// The type.
        type_name: String,
        /// The number of values.
        count: usize,
    },
    /// Values have fields or variants that are gone.
    Fields {
        /// The module.
        module: ModuleId,
        /// The type, its fields, and the number of values.
        lost: Dropped,
    },
    /// The types are unrelated.
    Types {
        /// The module.
        module: ModuleId,
        /// The type, its parts and the remedy.
        reason: String,
    },
    /// A value does not fit the new type.
    Value {
        /// The module.
        module: ModuleId,
        /// The value, the reason, and the remedy.
        reason: String,
    },
    /// Several entities have a value of a type that is now a single resource.
    Several {
        /// The module.
        module: ModuleId,
        /// The type.
        type_name: String,
        /// The number of values.
        count: usize,
    },
    /// A module's code panicked while values were converted.
    Panicked(#[from] Panic),
}

impl RestoreError {
    fn asks(&self) -> bool {
        matches!(self, Self::Gone { .. } | Self::Fields { .. })
    }
}

/// All reasons why values cannot be converted: one or more.
#[derive(Debug, Error)]
#[error("{}", self.explain())]
pub struct RestoreErrors {
    first: RestoreError,
    others: Vec<RestoreError>,
}

impl RestoreErrors {
    /// These errors; `None` if there are none.
    fn of(errors: Vec<RestoreError>) -> Option<Self> {
        let mut errors = errors.into_iter();
        let first = errors.next()?;
        Some(Self { first, others: errors.collect() })
    }

    /// True if the edit only lacks permission to drop values.
    pub fn asks(&self) -> bool {
        self.first.asks() && self.others.iter().all(RestoreError::asks)
    }
}

impl Explain for RestoreError {
    fn explain(&self) -> Explanation {
        match self {
            Self::Gone { module, type_name, count } => Explanation::new(
                "H0602",
                format!(
                    "module `{module}` no longer persists `{type_name}`, of which the world holds \
                     {count}"
                ),
            )
            .remedy(format!(
                "Keep the type, say `dropped: [\"{type_name}\"]` in `export_module!`, or drop the \
                 values with `reload {module} --force`"
            )),
            Self::Value { module, reason } => Explanation::new(
                "H0603",
                format!("values of module `{module}` cannot be carried over: {reason}"),
            ),
            Self::Fields { module, lost } => {
                Explanation::new("H0605", format!("module `{module}` would drop {lost}")).remedy(
                    format!(
                        "Keep it, name its successor with `#[persist(rename = \"…\")]`, say \
                         `#[persist(dropped(\"…\"))]` on the type, or drop it with \
                         `reload {module} --force`"
                    ),
                )
            }
            Self::Types { module, reason } => Explanation::new(
                "H0606",
                format!("module `{module}`: values cannot be carried over: {reason}"),
            ),
            Self::Several { module, type_name, count } => Explanation::new(
                "H0607",
                format!(
                    "module `{module}` makes a resource of the component `{type_name}`, of which \
                     the world holds {count}: there has to be one"
                ),
            )
            .remedy("Remove the others first, or keep the component"),
            Self::Panicked(panic) => Explanation::new(
                "H0609",
                format!("{panic}. Values that it converts cannot be carried over"),
            )
            .remedy("Fix that code and save"),
        }
    }
}

impl Explain for RestoreErrors {
    fn explain(&self) -> Explanation {
        let others = self.others.iter().map(Explain::explain).collect();
        Explanation { others, ..self.first.explain() }
    }
}

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
    new: Option<(Insert, Ticks, fn(&mut World, &Ticks))>,
    /// The number of values.
    pub count: usize,
    /// Values, or fields of them, that are dropped with permission.
    pub dropped: Option<Dropped>,
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
    let count = (old.record.count)(world);
    let type_name = old.record.schema.name;
    let is_listed = given_up.types.iter().any(|listed| listed == type_name);
    if count > 0 && !given_up.allows(old) && !is_listed {
        let (module, type_name) = (old.module.clone(), old.record.label());
        return Err(RestoreError::Gone { module, type_name, count });
    }
    let all = || Dropped { type_name: old.record.label(), fields: Vec::new(), count };
    let dropped = (count > 0).then(all);
    Ok(Restore { old: *old.record, replaced: None, new: None, count: 0, dropped })
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
    let encode = || (old.record.encode)(world);
    let what = format!("the serialization of `{}`", old.record.schema.name);
    let column = guard::catch(old.module, &what, encode)?.map_err(value)?;
    let count = column.entities.len();
    if old.record.store != new.record.store && count > 1 {
        let type_name = old.record.label();
        return Err(RestoreError::Several { module: module(), type_name, count });
    }
    let ticks = (old.record.ticks)(world);
    times.snapshot_ms += ms(started);

    let started = Instant::now();
    let writer = Definition::of(old.record.schema);
    let mut dropped = None;
    let lost = |fields: &[Entry]| {
        let fields = fields.iter().map(|entry| entry.path.clone()).collect();
        Dropped { type_name: new.record.label(), fields, count }
    };
    let resolution = match Resolution::new(&writer, new.record.schema, Options::default()) {
        // Without values, nothing is lost.
        Err(ResolveError::Drops { fields, .. }) if count == 0 || allow_drop => {
            dropped = (count > 0).then(|| lost(&fields));
            Resolution::new(&writer, new.record.schema, Options { allow_drop: true })
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
            return (new.record.decode)(&column);
        }
        let converted = convert_column(&mut resolution, &column, &mut Ok);
        (new.record.decode)(&converted.map_err(|error| error.to_string())?)
    };
    let what =
        format!("the migration, deserialization or default value of `{}`", new.record.schema.name);
    let insert = guard::catch(new.module, &what, decode)?.map_err(value)?;
    times.decode_ms += ms(started);
    Ok(Restore {
        old: *old.record,
        replaced: None,
        new: Some((insert, ticks, new.record.set_ticks)),
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
            None => (restore.old.remove)(world),
        }
    }
    remove_components(world, &components);
    for restore in restores.iter_mut() {
        if let Some((insert, ticks, set_ticks)) = restore.new.take() {
            insert(world);
            // Change detection sees them with their old ticks.
            set_ticks(world, &ticks);
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
