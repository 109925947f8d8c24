//! Values of types that no module persists, when these get a new identity: the new code has its own
//! types, and would never see the old values again.
//!
//! Waiting messages are handled separately: see [`super::messages`].

use std::any::TypeId;
use std::collections::HashSet;

use bevy::ecs::component::ComponentId;
use bevy::prelude::*;
use playground_api::schema::names::stable_name;

use super::replaced::ReplacedTypes;

/// A component or resource of an old epoch.
pub struct Orphan {
    component: ComponentId,
    name: String,
    /// True if no data is lost, because its values are made again from others.
    comes_back: bool,
}

/// The components and resources of replaced types that are registered in the world, without those
/// of the types in `persisted`. The values of those in `come_back` are read from files, or made by
/// the other side of a relationship.
pub fn of_types(
    world: &World,
    replaced: &ReplacedTypes,
    persisted: &HashSet<TypeId>,
    come_back: &HashSet<TypeId>,
) -> Vec<Orphan> {
    if replaced.is_empty() {
        return Vec::new();
    }
    let infos = world.components().iter_registered();
    infos
        .filter(|info| !info.type_id().is_some_and(|id| persisted.contains(&id)))
        // These are removed with the messages and states themselves.
        .filter(|info| !is_buffer(&info.name()))
        .filter(|info| replaced.are_in(&info.name()))
        .map(|info| {
            let name = stable_name(&info.name()).into_owned();
            let comes_back = info.type_id().is_some_and(|id| come_back.contains(&id));
            Orphan { component: info.id(), comes_back, name }
        })
        .collect()
}

/// True for the buffers that Bevy keeps for a type whether there are values or not.
fn is_buffer(type_name: &str) -> bool {
    let outer = type_name.split_once('<').map_or("", |(outer, _)| outer);
    let buffers = ["::Messages", "::NextState", "::PreviousState"];
    outer.starts_with("bevy_") && buffers.iter().any(|buffer| outer.ends_with(buffer))
}

/// True if a type of the crate is in the type's name.
pub(super) fn mentions(type_name: &str, crate_name: &str) -> bool {
    let path = format!("{crate_name}::");
    type_name.match_indices(&path).any(|(at, _)| {
        let before = type_name[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':')
    })
}

/// The number of values of each type that has some, by name.
pub fn count(world: &World, orphans: &[Orphan]) -> Vec<(String, usize)> {
    let counts = orphans
        .iter()
        .filter(|orphan| !orphan.comes_back)
        .map(|orphan| (orphan.name.clone(), count_of(world, orphan.component)));
    counts.filter(|(_, count)| *count > 0).collect()
}

/// The number of entities that hold a component.
pub fn count_of(world: &World, component: ComponentId) -> usize {
    let holders = world.archetypes().iter().filter(|held| held.contains(component));
    holders.map(|holder| holder.len() as usize).sum()
}

/// Drops them all with the code that created them.
pub fn drop_all(world: &mut World, orphans: &[Orphan]) {
    for orphan in orphans {
        for entity in holders(world, orphan.component) {
            // A hook may have removed it together with another one.
            if let Ok(mut entity) = world.get_entity_mut(entity) {
                entity.remove_by_id(orphan.component);
            }
        }
    }
}

/// The entities that hold a component.
pub fn holders(world: &World, component: ComponentId) -> Vec<Entity> {
    let holders = world.archetypes().iter().filter(|held| held.contains(component));
    holders.flat_map(|holder| holder.entities().iter().map(|held| held.id())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crates_types_are_found_in_names() {
        assert!(mentions("plugins_extra::Mark", "plugins_extra"));
        assert!(mentions("bevy_state::State<core_a::deep::Phase>", "core_a"));
        assert!(mentions("(u8, core_a::B)", "core_a"));
        assert!(!mentions("core_ab::Mark", "core_a"));
        assert!(!mentions("xcore_a::Mark", "core_a"));
        assert!(!mentions("other::core_a::Mark", "core_a"));
    }

    #[test]
    fn buffers_of_bevys_are_told_from_values() {
        use bevy::prelude::*;
        #[derive(States, Clone, PartialEq, Eq, Hash, Debug)]
        struct Phase;
        assert!(is_buffer(std::any::type_name::<Messages<AppExit>>()));
        assert!(is_buffer(std::any::type_name::<NextState<Phase>>()));
        assert!(!is_buffer(std::any::type_name::<State<Phase>>()));
        assert!(!is_buffer("core_a::Messages<u8>"));
    }
}
