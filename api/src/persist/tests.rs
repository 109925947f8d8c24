//! Values that move from one type to another.

use bevy::ecs::entity_disabling::Disabled;
use bevy::ecs::query::Allow;
use bevy::prelude::*;
use playground_derive::Persist;
use serde::{Deserialize, Serialize};

use super::{PersistRecord, Persisted, ViaComponent, remove_components};

#[derive(Component, Persist, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[persist(crate = crate::schema)]
struct Old(u32);

#[derive(Component, Persist, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[persist(crate = crate::schema)]
struct New(u32);

#[derive(Component, Persist, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[component(immutable)]
#[persist(crate = crate::schema)]
struct Fixed(u32);

/// Puts entities into different tables.
#[derive(Component)]
struct Marker;

/// Does what a swap from `old` to `new` does; `meanwhile` represents hooks.
fn carry_over(
    world: &mut World,
    old: PersistRecord,
    new: PersistRecord,
    meanwhile: impl FnOnce(&mut World),
) {
    let (column, ticks) = old.encode_with_ticks(world).expect("bincode can encode it");
    let insert = new.decode(&column).expect("both types have the same form");
    let id = world.components().get_id(old.type_id).expect("the component is registered");
    remove_components(world, &[id]);
    meanwhile(world);
    insert(world);
    new.set_ticks(world, &ticks);
}

#[test]
fn values_keep_their_change_ticks_in_every_table() {
    let [old, new] =
        [(&&&Persisted::<Old>::NEW).records()[0], (&&&Persisted::<New>::NEW).records()[0]];
    let mut world = World::new();
    let entities: Vec<Entity> = (0..100)
        .map(|number| {
            world.increment_change_tick();
            let mut entity = world.spawn(Old(number));
            if number % 3 == 0 {
                entity.insert(Marker);
            }
            if number % 7 == 0 {
                entity.insert(Disabled);
            }
            entity.id()
        })
        .collect();
    for entity in entities.iter().step_by(5) {
        world.increment_change_tick();
        world.get_mut::<Old>(*entity).expect("it has one").set_changed();
    }
    world.increment_change_tick();
    let (_, mut before) = old.encode_with_ticks(&mut world).unwrap();
    assert_eq!(before.len(), 100);

    let gone = [entities[0], entities[50], entities[99]];
    carry_over(&mut world, old, new, |world| {
        for entity in gone {
            world.despawn(entity);
        }
    });
    before.retain(|(entity, ..)| !gone.contains(entity));
    let (_, mut after) = new.encode_with_ticks(&mut world).unwrap();
    before.sort_unstable_by_key(|(entity, ..)| *entity);
    after.sort_unstable_by_key(|(entity, ..)| *entity);
    assert_eq!(before, after);
    for (number, entity) in entities.iter().enumerate() {
        let value = world.get::<New>(*entity).cloned();
        let expected = Some(New(number as u32)).filter(|_| !gone.contains(entity));
        assert_eq!(value, expected);
    }
    let mut left = world.query_filtered::<(), (With<Old>, Allow<Disabled>)>();
    assert_eq!(left.iter(&world).count(), 0);
}

#[test]
fn immutable_components_are_carried_over() {
    let old = (&&&Persisted::<Old>::NEW).records()[0];
    let fixed = (&&&Persisted::<Fixed>::NEW).records()[0];
    let mut world = World::new();
    let entity = world.spawn(Old(7)).id();
    carry_over(&mut world, old, fixed, |_| {});
    assert_eq!(world.get::<Fixed>(entity), Some(&Fixed(7)));
}
