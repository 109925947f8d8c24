//! Restore: persisted values whose type changes, as values of its new form.
//!
//! ```text
//!  old type ── encode ──► bincode ── Resolution ──► bincode ── decode ──► new type ── insert
//! ```
//!
//! All that can fail is done before anything is touched: what is left for the swap is to take the
//! old values out and to put the new ones in.

use std::time::Instant;

use bevy::ecs::component::ComponentId;
use bevy::prelude::*;
use playground_api::handover::{Handovers, removals};
use playground_api::persist::{
    Column, Insert, PersistRecord, Restoring, Store, Ticks, remove_components,
};
use playground_api::schema::{Definition, Options, Resolution, ResolveError};
use thiserror::Error;

use crate::build::rustc::ms;
use crate::ids::ModuleId;
use crate::type_matching::successor_of;

/// Why values cannot be carried over.
#[derive(Debug, Error)]
pub enum RestoreError {
    /// A persisted type is gone while the world holds values of it.
    #[error(
        "H0602: module `{module}` no longer persists `{type_name}`, of which the world holds \
         {count}. Keep the type, say `dropped: [\"{type_name}\"]` in `export_module!`, or drop the \
         values with `reload {module} --force`"
    )]
    Gone {
        /// The module.
        module: ModuleId,
        /// The type.
        type_name: String,
        /// How many values.
        count: usize,
    },
    /// Values of fields or variants that are gone.
    #[error(
        "H0605: module `{module}` would drop data of {count} values of {reason}. Say \
         `#[persist(dropped(\"…\"))]` on the type, or drop it with `reload {module} --force`"
    )]
    Fields {
        /// The module.
        module: ModuleId,
        /// How many values there are.
        count: usize,
        /// The type, and its fields.
        reason: String,
    },
    /// The types have nothing to do with each other.
    #[error("H0606: module `{module}`: values cannot be carried over: {reason}")]
    Types {
        /// The module.
        module: ModuleId,
        /// The type, its parts and what to do.
        reason: String,
    },
    /// A value does not fit.
    #[error("H0603: values of module `{module}` cannot be carried over: {reason}")]
    Value {
        /// The module.
        module: ModuleId,
        /// The value, why, and what to do.
        reason: String,
    },
    /// Values on several entities for a single resource.
    #[error(
        "H0607: module `{module}` makes a resource of the component `{type_name}`, of which the \
         world holds {count}: there has to be one. Remove the others first, or keep the component"
    )]
    Several {
        /// The module.
        module: ModuleId,
        /// The type.
        type_name: String,
        /// How many values.
        count: usize,
    },
}

impl RestoreError {
    fn asks(&self) -> bool {
        matches!(self, Self::Gone { .. } | Self::Fields { .. })
    }
}

/// All reasons why values cannot be carried over.
#[derive(Debug, Error)]
#[error("{}", lines(.0))]
pub struct RestoreErrors(pub Vec<RestoreError>);

impl RestoreErrors {
    /// True if a yes is all that is missing.
    pub fn asks(&self) -> bool {
        self.0.iter().all(RestoreError::asks)
    }
}

fn lines(errors: &[RestoreError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// A persisted type and the module that persists it.
#[derive(Clone, Copy)]
pub struct Owned<'a> {
    /// The module.
    pub module: &'a ModuleId,
    /// The type.
    pub record: &'a PersistRecord,
}

/// What is given up without a question.
pub struct GivenUp<'a> {
    /// Types that modules say may go.
    pub types: &'a [String],
    /// Everything that has no place in the new types.
    pub all: bool,
}

/// Values that go from an old type to a new one, decoded already.
pub struct Restore {
    old: PersistRecord,
    /// The component of old, and how many of its removals were told of.
    replaced: Option<(ComponentId, usize)>,
    new: Option<(Insert, Ticks, fn(&mut World, &Ticks))>,
    /// How many values.
    pub count: usize,
}

/// Where the time went, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RestoreTimes {
    /// Old values to bincode.
    pub snapshot_ms: f32,
    /// Bincode to new values.
    pub decode_ms: f32,
    /// Old values out, new ones in.
    pub insert_ms: f32,
}

/// Reads the values of all `old` types that become another one of the `new` types.
///
/// # Errors
///
/// When values cannot be kept: all reasons at once.
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
            Some(after) => convert(world, before, after, given_up.all, times),
            None => give_up(world, before, given_up),
        };
        match restore {
            Ok(restore) => restores.push(restore),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(restores) } else { Err(RestoreErrors(errors)) }
}

fn give_up(
    world: &mut World,
    old: &Owned<'_>,
    given_up: &GivenUp<'_>,
) -> Result<Restore, RestoreError> {
    let count = (old.record.count)(world);
    let type_name = old.record.schema.name;
    let is_listed = given_up.types.iter().any(|listed| listed == type_name);
    if count > 0 && !given_up.all && !is_listed {
        let (module, type_name) = (old.module.clone(), old.record.label());
        return Err(RestoreError::Gone { module, type_name, count });
    }
    Ok(Restore { old: *old.record, replaced: None, new: None, count: 0 })
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
    let column = (old.record.encode)(world).map_err(value)?;
    let count = column.entities.len();
    if old.record.store != new.record.store && count > 1 {
        let type_name = old.record.label();
        return Err(RestoreError::Several { module: module(), type_name, count });
    }
    let ticks = (old.record.ticks)(world);
    times.snapshot_ms += ms(started);

    let started = Instant::now();
    let writer = Definition::of(old.record.schema);
    let options = Options { allow_drop };
    let resolution = match Resolution::new(&writer, new.record.schema, options) {
        // A field that holds nothing anywhere is not worth a question.
        Err(ResolveError::Drops { .. }) if count == 0 => {
            Resolution::new(&writer, new.record.schema, Options { allow_drop: true })
        }
        other => other,
    };
    let mut resolution = resolution.map_err(|error| match error {
        ResolveError::Drops { name, fields } => {
            let fields: Vec<String> = fields.iter().map(ToString::to_string).collect();
            let reason = format!("`{name}`: {}", fields.join("; "));
            RestoreError::Fields { module: module(), count, reason }
        }
        other => RestoreError::Types { module: module(), reason: other.to_string() },
    })?;
    // Most types of a module stay as they are when another one changes.
    let column = if writer == Definition::of(new.record.schema) {
        column
    } else {
        convert_column(&mut resolution, &column, &mut Ok).map_err(value)?
    };
    let insert = (new.record.decode)(&column).map_err(value)?;
    times.decode_ms += ms(started);
    Ok(Restore {
        old: *old.record,
        replaced: None,
        new: Some((insert, ticks, new.record.set_ticks)),
        count,
    })
}

/// All values of a column in their new form; the error names the value's entity.
///
/// # Errors
///
/// When a value does not fit.
pub fn convert_column(
    resolution: &mut Resolution,
    column: &Column,
    entities: &mut dyn FnMut(u64) -> Result<u64, String>,
) -> Result<Column, String> {
    let mut bytes = Vec::with_capacity(column.bytes.len() + column.bytes.len() / 4);
    let mut rest = column.bytes.as_slice();
    let count = column.entities.len();
    if resolution.convert_many(count, &mut rest, &mut bytes, entities).is_ok() {
        return Ok(Column { entities: column.entities.clone(), bytes });
    }
    // Once more, to learn which one it was.
    let (mut rest, mut bytes) = (column.bytes.as_slice(), Vec::new());
    for entity in &column.entities {
        resolution.convert(&mut rest, &mut bytes, entities).map_err(|error| {
            let on_none = *entity == Entity::PLACEHOLDER;
            if on_none { error.to_string() } else { format!("entity {entity}: {error}") }
        })?;
    }
    Ok(Column { entities: column.entities.clone(), bytes })
}

/// Takes the old values out and puts the new ones in.
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
                let told = world.removed_components().get(id).map_or(0, removals);
                restore.replaced = Some((id, told));
                components.push(id);
            }
            None => (restore.old.remove)(world),
        }
    }
    remove_components(world, &components);
    for restore in restores.iter_mut() {
        if let Some((insert, ticks, set_ticks)) = restore.new.take() {
            insert(world);
            // Nobody sees them as new or changed: only their form is.
            set_ticks(world, &ticks);
        }
    }
    world.remove_resource::<Restoring>();
    times.insert_ms += ms(started);
}

/// Readers of removals, whose places wait in `carry` now, go on with the new components.
pub fn readers_go_on(world: &mut World, restores: &[Restore]) {
    let Some(mut carry) = world.get_resource_mut::<Handovers>() else { return };
    for (component, count) in restores.iter().filter_map(|restore| restore.replaced) {
        carry.replace_component(component, count);
    }
}
