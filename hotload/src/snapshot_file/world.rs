//! Saves the world's persisted values to a snapshot, and loads them.

use std::collections::{BTreeSet, HashMap, HashSet};

use bevy::ecs::entity::EntityHashSet;
use bevy::prelude::*;
use playground_api::persist::{self, Column, Insert, PersistRecord, Restoring, Store};
use playground_api::schema::{
    Definition, Options, Resolution, ResolveError, Schema, Severity, encode_schemas,
};

use super::SaveError;
use super::format::{self, Header, Saved, SavedStore, SavedType};
use super::parked::Parked;
use crate::ids::ModuleId;
use crate::restore::{Dropped, convert_column, required};
use crate::swap::orphans::holders;
use crate::type_matching::{Former, successor};

/// A persisted type of a running module.
#[derive(Clone)]
pub struct Source {
    /// The module.
    pub module: ModuleId,
    /// The type.
    pub record: PersistRecord,
}

impl Source {
    /// True for types that make an entity part of the game. Other types (the host's and Bevy's) are
    /// saved only on such entities: a camera of the host has a `Transform` too.
    pub(super) fn is_own(&self) -> bool {
        self.module != HOST && !self.record.is_bevy_type()
    }
}

/// `sources` without duplicates, and the host's own persisted types.
pub(super) fn with_hosts(sources: &[Source]) -> Vec<Source> {
    let host = persist::host_records().into_iter();
    let host = host.map(|record| Source { module: HOST.into(), record });
    let mut all: Vec<Source> = Vec::new();
    for source in sources.iter().cloned().chain(host) {
        let same = |other: &Source| {
            (other.record.store, other.record.type_id)
                == (source.record.store, source.record.type_id)
        };
        if !all.iter().any(same) {
            all.push(source);
        }
    }
    all
}

/// The result of a load.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Loaded {
    /// The number of entities that were spawned.
    pub entities: usize,
    /// Values and references that were lost.
    pub warnings: Vec<String>,
    /// The values that no module takes.
    pub parked: Parked,
}

/// Serializes all persisted values of `sources`, and those that are parked; returns the completed
/// header and the file's bytes.
///
/// # Errors
///
/// When a value's own serialization fails.
pub fn save(
    world: &mut World,
    sources: &[Source],
    parked: &Parked,
    mut header: Header,
) -> Result<(Header, Vec<u8>), SaveError> {
    let mut saved = Saved::default();
    let mut on_entities: HashSet<u64> =
        parked.owners(world).into_iter().map(Entity::to_bits).collect();
    let (own, along): (Vec<Source>, Vec<Source>) =
        with_hosts(sources).into_iter().partition(Source::is_own);
    for Source { module, record } in &own {
        let column = record.encode(world).map_err(SaveError::Encode)?;
        let store = SavedStore::from(record.store);
        if store.is_on_entities() {
            on_entities.extend(column.entities.iter().map(|entity| entity.to_bits()));
        }
        push(&mut saved, module, record, column);
    }
    for Source { module, record } in &along {
        let mut column = Column::default();
        let mut each = |entity: Entity, bytes: &[u8]| {
            if on_entities.contains(&entity.to_bits()) {
                column.entities.push(entity);
                column.bytes.extend_from_slice(bytes);
            }
        };
        record.each(world, &mut each).map_err(SaveError::Encode)?;
        push(&mut saved, module, record, column);
    }
    saved.types.extend(parked.saved(world));
    header.entities = on_entities.len() as u64;
    saved.header = header;
    let bytes = format::write(&saved).map_err(|error| SaveError::Encode(error.to_string()))?;
    Ok((saved.header, bytes))
}

/// The module id of the host.
pub(super) const HOST: &str = "";

fn push(saved: &mut Saved, module: &ModuleId, record: &PersistRecord, column: Column) {
    let is_loose = !SavedStore::from(record.store).is_on_entities();
    saved.types.push(SavedType {
        module: module.clone(),
        store: record.store.into(),
        definition: Definition::of(record.schema),
        schema: encode_schemas(&[record.schema]),
        entities: column
            .entities
            .iter()
            .map(|entity| if is_loose { 0 } else { entity.to_bits() })
            .collect(),
        values: column.bytes,
    });
}

impl From<Store> for SavedStore {
    fn from(store: Store) -> Self {
        match store {
            Store::Component => Self::Component,
            Store::Resource => Self::Resource,
            Store::State => Self::State,
            Store::NextState => Self::NextState,
            Store::Scoped(wrapper) => Self::Scoped(wrapper.to_owned()),
            Store::Messages => Self::Messages,
        }
    }
}

/// The running type that takes over saved values.
pub(super) fn successor_source<'s>(saved: &SavedType, sources: &'s [Source]) -> Option<&'s Source> {
    let SavedType { store, definition: Definition { name, aliases, .. }, .. } = saved;
    let was = |name: &str| aliases.iter().any(|alias| alias == name);
    successor(Former { name, was: &was, store }, sources, |source| &source.record)
}

/// Decoded values of a running type.
struct Ready {
    record: PersistRecord,
    entities: EntityHashSet,
    insert: Insert,
}

/// The game that a snapshot is loaded into.
pub struct Target<'a> {
    /// The types that modules persist.
    pub sources: &'a [Source],
    /// The types that modules declare as dropped.
    pub dropped: &'a [String],
    /// The values that are parked now. They go, as everything in the world does.
    pub parked: &'a Parked,
    /// Drop what has no place.
    pub force: bool,
}

/// Replaces all persisted values with those of a snapshot.
///
/// New entities are spawned, and references between them are mapped. Values that no module takes are
/// parked, unless `force` drops them.
///
/// # Errors
///
/// When fields of values would be lost, or values cannot be converted. The world is unchanged then.
pub fn load(
    world: &mut World,
    name: &str,
    saved: &Saved,
    target: &Target<'_>,
) -> Result<Loaded, SaveError> {
    let Target { dropped, force, .. } = *target;
    let sources = with_hosts(target.sources);
    let mut loaded = Loaded::default();
    // Collect all losses, to report them at once.
    let (mut pairs, mut without) = (Vec::new(), Vec::new());
    let mut lost = Vec::new();
    for saved in &saved.types {
        let count = saved.entities.len();
        match successor_source(saved, &sources) {
            Some(source) => match resolution(saved, source.record.schema, force, name) {
                Ok(resolution) => {
                    let undeclared = Severity::Dropped { declared: false };
                    let gone = resolution.changes().iter().filter(|c| c.severity == undeclared);
                    let gone: Vec<String> = gone.map(ToString::to_string).collect();
                    if count > 0 && !gone.is_empty() {
                        let name = &saved.definition.name;
                        lost.push(format!("{count} of {name}: {}", gone.join("; ")));
                    }
                    pairs.push((saved, source.clone(), resolution));
                }
                Err(Unresolved::Loses(fields)) if count > 0 => {
                    let type_name = saved.definition.name.clone();
                    lost.push(Dropped { type_name, fields, count }.to_string());
                }
                Err(Unresolved::Loses(_)) => {}
                Err(Unresolved::Refused(error)) => return Err(error),
            },
            None if count == 0 || dropped.contains(&saved.definition.name) => {}
            None if force => {
                let name = &saved.definition.name;
                lost.push(format!("{count} of {name}, persisted by `{}`", saved.module));
            }
            None => without.push(saved),
        }
    }
    if !lost.is_empty() && !force {
        return Err(SaveError::Lost { name: name.to_owned(), lost });
    }
    loaded.warnings.extend(lost.into_iter().map(|lost| format!("skipped: {lost}")));

    let on_entities = pairs.iter().map(|(saved, ..)| *saved).chain(without.iter().copied());
    let on_entities = on_entities.filter(|saved| saved.store.is_on_entities());
    let ids: BTreeSet<u64> = on_entities.flat_map(|saved| saved.entities.iter().copied()).collect();
    let spawned: HashMap<u64, Entity> =
        ids.into_iter().map(|id| (id, world.spawn_empty().id())).collect();
    let ready = read(&mut pairs, &spawned, name, &mut loaded).and_then(|ready| {
        for saved in without {
            loaded.parked.add(saved, &spawned).map_err(|error| SaveError::Values {
                name: name.to_owned(),
                reason: format!("{}: {error}", saved.definition.name),
            })?;
        }
        Ok(ready)
    });
    let ready = match ready {
        Ok(ready) => ready,
        Err(error) => {
            spawned.into_values().for_each(|entity| {
                world.despawn(entity);
            });
            return Err(error);
        }
    };
    loaded.entities = spawned.len();
    let parked = target.parked.owners(world);
    put(world, &sources, &parked, ready);
    Ok(loaded)
}

/// Why saved values cannot be converted to a running type.
enum Unresolved {
    /// The conversion would drop these fields.
    Loses(Vec<String>),
    /// There is no conversion.
    Refused(SaveError),
}

fn resolution(
    saved: &SavedType,
    schema: &'static Schema,
    force: bool,
    name: &str,
) -> Result<Resolution, Unresolved> {
    match Resolution::new(&saved.definition, schema, Options { allow_drop: force }) {
        Ok(resolution) => Ok(resolution),
        Err(ResolveError::Drops { fields, .. }) => {
            Err(Unresolved::Loses(fields.into_iter().map(|entry| entry.path).collect()))
        }
        Err(error) => Err(Unresolved::Refused(SaveError::Values {
            name: name.to_owned(),
            reason: error.to_string(),
        })),
    }
}

/// Converts and decodes everything.
fn read(
    pairs: &mut [(&SavedType, Source, Resolution)],
    spawned: &HashMap<u64, Entity>,
    name: &str,
    loaded: &mut Loaded,
) -> Result<Vec<Ready>, SaveError> {
    let mut ready = Vec::new();
    let mut dangling = 0;
    for (saved, source, resolution) in pairs {
        let failed = |reason: String| SaveError::Values {
            name: name.to_owned(),
            reason: format!("{}: {reason}", saved.definition.name),
        };
        let on_entities = saved.store.is_on_entities();
        let single = source.record.store == Store::Resource && saved.entities.len() > 1;
        if single {
            return Err(failed(format!("{} values for one resource", saved.entities.len())));
        }
        let entity = |id: &u64| match spawned.get(id) {
            Some(entity) if on_entities => *entity,
            _ => Entity::PLACEHOLDER,
        };
        let entities = saved.entities.iter().map(entity).collect();
        let column = Column { entities, bytes: saved.values.clone() };
        let mut now = |id: u64| {
            Ok(spawned.get(&id).map_or_else(
                || {
                    dangling += usize::from(id != Entity::PLACEHOLDER.to_bits());
                    Entity::PLACEHOLDER.to_bits()
                },
                |entity| entity.to_bits(),
            ))
        };
        let column = convert_column(resolution, &column, &mut now)
            .map_err(|error| failed(error.to_string()))?;
        let insert = source.record.decode(&column).map_err(failed)?;
        let entities = column.entities.into_iter().collect();
        ready.push(Ready { record: source.record, entities, insert });
    }
    if dangling > 0 {
        loaded.warnings.push(format!(
            "{dangling} references to entities without persisted values are now dangling"
        ));
    }
    Ok(ready)
}

/// Removes the old values and inserts the new ones. The entities of parked values go as well.
fn put(world: &mut World, sources: &[Source], parked: &[Entity], mut ready: Vec<Ready>) {
    world.insert_resource(Restoring);
    let own = sources.iter().filter(|source| source.is_own());
    let components = own.filter(|source| source.record.store == Store::Component);
    let ids = components.filter_map(|source| world.components().get_id(source.record.type_id));
    let old = ids.flat_map(|id| holders(world, id)).chain(parked.iter().copied());
    let old: Vec<Entity> = old.collect();
    for entity in old {
        // It may have been despawned with another one, or be listed for several components.
        if let Ok(entity) = world.get_entity_mut(entity) {
            entity.despawn();
        }
    }
    for Source { record, .. } in sources {
        if matches!(record.store, Store::Messages | Store::NextState) {
            record.remove(world);
        }
    }
    ready.sort_by_key(|ready| ready.record.comes_last());
    let mut inserted = Vec::with_capacity(ready.len());
    for Ready { record, entities, insert } in ready {
        insert(world);
        inserted.push((record, entities));
    }
    remove_required(world, &inserted);
    world.remove_resource::<Restoring>();
}

/// Removes components that others require from entities that were saved without them.
fn remove_required(world: &mut World, inserted: &[(PersistRecord, EntityHashSet)]) {
    let components = inserted.iter().filter(|(record, _)| record.store == Store::Component);
    for (record, with) in components.clone() {
        let Some(component) = world.components().get_id(record.type_id) else { continue };
        for (owner, entities) in components.clone() {
            let info = world.components().get_id(owner.type_id);
            let info = info.and_then(|id| world.components().get_info(id));
            if info
                .is_some_and(|info| info.required_components().iter_ids().any(|id| id == component))
            {
                let without: Vec<Entity> = entities.difference(with).copied().collect();
                required::remove_from(world, component, &without);
            }
        }
    }
}
