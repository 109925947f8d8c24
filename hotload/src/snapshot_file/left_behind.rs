//! Components of saved entities that are not in a snapshot, since no module persists them.

use std::collections::{BTreeMap, BTreeSet};

use bevy::ecs::archetype::Archetype;
use bevy::ecs::component::{ComponentId, ComponentInfo};
use bevy::ecs::relationship::RelationshipAccessor;
use bevy::prelude::*;
use playground_api::schema::names::stable_name;

use super::format::SavedStore;
use super::world::{Source, with_hosts};

/// Components that Bevy itself adds to what it draws.
const ADDED_BY_BEVY: [&str; 3] = [
    "bevy_camera::primitives::Aabb",
    "bevy_ecs::observer::entity_cloning::ObservedBy",
    "bevy_render::sync_world::RenderEntity",
];

/// The components of each saved entity that a snapshot of these sources leaves behind.
pub struct LeftBehind {
    /// Components that make an entity one of the game.
    own: BTreeSet<ComponentId>,
    saved: BTreeSet<ComponentId>,
}

impl LeftBehind {
    pub fn of(world: &World, sources: &[Source]) -> Self {
        let sources = with_hosts(sources);
        let components = world.components();
        let ids = |is_in: &dyn Fn(&Source) -> bool| -> BTreeSet<ComponentId> {
            let sources = sources.iter().filter(|source| is_in(source));
            sources.filter_map(|source| components.get_id(source.record.holder)).collect()
        };
        let sides = sources.iter().filter_map(|source| source.record.relation);
        let sides = sides.filter_map(|relation| components.get_id(relation.other_side()));
        let is_on_entities = |source: &Source| {
            source.is_own() && SavedStore::from(source.record.store).is_on_entities()
        };
        Self { own: ids(&is_on_entities), saved: ids(&|_| true).into_iter().chain(sides).collect() }
    }

    /// The names of what is left behind, and of how many entities.
    pub fn count(&self, world: &World) -> Vec<(String, usize)> {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for archetype in world.archetypes().iter().filter(|it| self.is_own(it)) {
            for id in self.components(world, archetype) {
                if let Some(name) = world.components().get_name(id) {
                    let count = counts.entry(stable_name(&name).into_owned()).or_default();
                    *count += archetype.len() as usize;
                }
            }
        }
        counts.into_iter().filter(|(_, count)| *count > 0).collect()
    }

    /// For each component of the game, those left behind that all entities with it have.
    pub fn always_with(&self, world: &World) -> BTreeMap<ComponentId, BTreeSet<ComponentId>> {
        let mut always: BTreeMap<ComponentId, BTreeSet<ComponentId>> = BTreeMap::new();
        for archetype in world.archetypes().iter().filter(|it| !it.is_empty() && self.is_own(it)) {
            let others = self.components(world, archetype);
            for own in self.own.iter().filter(|own| archetype.contains(**own)) {
                let with = always.entry(*own).or_insert_with(|| others.clone());
                with.retain(|id| others.contains(id));
            }
        }
        always
    }

    fn is_own(&self, archetype: &Archetype) -> bool {
        self.own.iter().any(|id| archetype.contains(*id))
    }

    /// Those of an entity that would not come back by themselves: no component of it requires them,
    /// and nothing computes them. Of those that are required, `Transform` is told, since its value
    /// counts.
    fn components(&self, world: &World, archetype: &Archetype) -> BTreeSet<ComponentId> {
        let infos = || {
            let ids = archetype.components().iter();
            ids.filter_map(|id| world.components().get_info(*id))
        };
        let required: BTreeSet<ComponentId> =
            infos().flat_map(|info| info.required_components().iter_ids()).collect();
        let is_left = |info: &&ComponentInfo| {
            let is_transform = info.type_id() == Some(std::any::TypeId::of::<Transform>());
            let lists_sources = matches!(
                info.relationship_accessor(),
                Some(RelationshipAccessor::RelationshipTarget { .. })
            );
            !self.saved.contains(&info.id())
                && (is_transform || !required.contains(&info.id()))
                && !lists_sources
                && !ADDED_BY_BEVY.contains(&&*info.name())
        };
        infos().filter(is_left).map(ComponentInfo::id).collect()
    }
}

/// Names what the entities of a loaded snapshot lack of what those before had.
pub fn missing(
    world: &World,
    before: &BTreeMap<ComponentId, BTreeSet<ComponentId>>,
) -> Vec<String> {
    let name = |id: ComponentId| {
        let name = world.components().get_name(id);
        name.map_or_else(String::new, |name| stable_name(&name).into_owned())
    };
    let mut missing = Vec::new();
    for (own, with) in before {
        let of = world.archetypes().iter().filter(|it| !it.is_empty() && it.contains(*own));
        let lacking: BTreeSet<ComponentId> =
            of.flat_map(|it| with.iter().filter(|id| !it.contains(**id))).copied().collect();
        if !lacking.is_empty() {
            let lacking = lacking.into_iter().map(|id| format!("`{}`", name(id)));
            let lacking = lacking.collect::<Vec<_>>().join(", ");
            missing.push(format!("entities with `{}` lack {lacking}", name(*own)));
        }
    }
    missing
}
