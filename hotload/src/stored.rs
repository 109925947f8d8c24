//! The second barrier before a type's storage: types with one `TypeId` have one layout, whatever the
//! epochs say.
//!
//! Before each swap, the types that the new code names are compared with those in the world and with
//! all that ever entered it. What a module names is what it registers, and what Bevy registers for
//! the parameters of its systems, conditions, observers and commands. A component that a module only
//! spawns, and neither queries nor registers, is not among them.

use std::any::TypeId;
use std::collections::HashMap;
use std::hash::{Hash, Hasher};

use bevy::ecs::component::ComponentInfo;
use bevy::ecs::schedule::SystemKey;
use bevy::prelude::*;
use playground_api::module::{CommandRecord, Recorded};
use playground_api::schema::names::stable_name;
use playground_api::stored::StoredType;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::explain::{Explain, Explanation};
use crate::generation::Generation;
use crate::guard::{self, Panic, Reports};
use crate::ids::ModuleId;

/// A `TypeId` as a number that is the same in each process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TypeKey(u64);

impl From<TypeId> for TypeKey {
    fn from(type_id: TypeId) -> Self {
        /// A `TypeId` hashes itself as a part of its own value.
        struct Value(u64);
        impl Hasher for Value {
            fn finish(&self) -> u64 {
                self.0
            }
            fn write(&mut self, bytes: &[u8]) {
                bytes.iter().for_each(|byte| self.0 = self.0.rotate_left(8) ^ u64::from(*byte));
            }
            fn write_u64(&mut self, value: u64) {
                self.0 ^= value;
            }
        }
        let mut value = Value(0);
        type_id.hash(&mut value);
        Self(value.finish())
    }
}

/// A type that a module names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored {
    key: TypeKey,
    name: String,
    shape: StoredShape,
}

/// The part of a layout on which all code that shares a type's storage has to agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct StoredShape {
    size_bytes: usize,
    align_bytes: usize,
    needs_drop: bool,
}

impl From<StoredType> for Stored {
    fn from(stored: StoredType) -> Self {
        let StoredType { type_id, name, layout, needs_drop } = stored;
        let shape =
            StoredShape { size_bytes: layout.size(), align_bytes: layout.align(), needs_drop };
        Self { key: type_id.into(), name: name.to_owned(), shape }
    }
}

impl StoredShape {
    fn of(info: &ComponentInfo) -> Self {
        let (layout, needs_drop) = (info.layout(), info.drop().is_some());
        Self { size_bytes: layout.size(), align_bytes: layout.align(), needs_drop }
    }
}

/// A type with two layouts.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{}", self.explain())]
pub struct LayoutError {
    module: ModuleId,
    name: String,
    stored: StoredShape,
    new: StoredShape,
}

impl Explain for LayoutError {
    fn explain(&self) -> Explanation {
        let Self { module, name, stored, new } = self;
        let text = |shape: &StoredShape| {
            let StoredShape { size_bytes, align_bytes, needs_drop } = shape;
            let drop = if *needs_drop { ", with" } else { ", without" };
            format!("{size_bytes} bytes, aligned to {align_bytes}{drop} code to drop it")
        };
        let (stored, new) = (text(stored), text(new));
        Explanation::new(
            "H0610",
            format!(
                "the new code of `{module}` has another layout for `{name}` than the values that it \
                 would share with the running game: {new}; stored are {stored}"
            ),
        )
        .remedy(
            "Start the game again, and report what was edited: an edit like this has to give the \
             type a new identity",
        )
    }
}

/// The types that a module names. Runs the module's `build`, and sets up the parameters of its code
/// in a world of its own.
///
/// # Errors
///
/// If `build` panics. What panics later is left out.
pub fn named_by(generation: &Generation) -> Result<Vec<Stored>, Panic> {
    let Recorded { systems, observers, commands, registered, stored, .. } = generation.record()?;
    let (id, mut world) = (generation.id(), World::new());
    let bevys_own = world.components().len();
    let mut schedules: HashMap<_, Schedule> = HashMap::new();
    for (label, systems) in systems {
        schedules.entry(label).or_insert_with(|| Schedule::new(label)).add_systems(systems);
    }
    // A panic here is that of the trial that follows, or of code that needs the game's world.
    let mut set_up = |run: &mut dyn FnMut(&mut World)| {
        let _ = guard::catch(id, "the set-up of parameters", || run(&mut world));
    };
    for schedule in schedules.values_mut() {
        let systems = &mut schedule.graph_mut().systems;
        let keys: Vec<SystemKey> = systems.iter().map(|(key, ..)| key).collect();
        for key in keys {
            if let Some(system) = systems.get_mut(key) {
                set_up(&mut |world| _ = system.initialize(world));
            }
            for condition in systems.get_conditions_mut(key).into_iter().flatten() {
                set_up(&mut |world| _ = condition.initialize(world));
            }
        }
    }
    for CommandRecord { mut system, .. } in commands {
        set_up(&mut |world| _ = system.initialize(world));
    }
    for record in registered {
        let mut register = Some(record.register);
        set_up(&mut |world| _ = register.take().map(|register| register(world)));
    }
    let contain = guard::contain(id, &Reports::default());
    for spawn in observers {
        let mut spawn = Some(spawn);
        set_up(&mut |world| _ = spawn.take().map(|spawn| spawn(world, contain.clone())));
    }
    let registered = world.components().iter_registered().skip(bevys_own).filter_map(|info| {
        let key = info.type_id()?.into();
        Some(Stored {
            key,
            name: stable_name(&info.name()).into_owned(),
            shape: StoredShape::of(info),
        })
    });
    Ok(stored.into_iter().map(Stored::from).chain(registered).collect())
}

/// All types that ever entered the world with a module.
#[derive(Default)]
pub struct EverStored(HashMap<TypeKey, StoredShape>);

impl EverStored {
    /// Remembers the types of a module that enters.
    pub fn extend(&mut self, stored: &[Stored]) {
        self.0.extend(stored.iter().map(|stored| (stored.key, stored.shape)));
    }

    /// Compares the types that `module` names with these and with those of the world.
    ///
    /// # Errors
    ///
    /// The first type that has another layout.
    pub fn check(
        &self,
        world: &World,
        module: &ModuleId,
        named: &[Stored],
    ) -> Result<(), LayoutError> {
        let by_key: HashMap<TypeKey, &Stored> = named.iter().map(|it| (it.key, it)).collect();
        let in_world = world.components().iter_registered().filter_map(|info| {
            let new = *by_key.get(&TypeKey::from(info.type_id()?))?;
            Some((new, StoredShape::of(info)))
        });
        let before = named.iter().filter_map(|new| Some((new, *self.0.get(&new.key)?)));
        match in_world.chain(before).find(|(new, stored)| new.shape != *stored) {
            None => Ok(()),
            Some((new, stored)) => Err(LayoutError {
                module: module.clone(),
                name: new.name.clone(),
                stored,
                new: new.shape,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Component)]
    struct Lock(#[expect(dead_code, reason = "only its layout counts")] [u32; 2]);

    fn named<T: 'static>() -> Stored {
        StoredType::of::<T>().into()
    }

    /// As if another build of the crate had laid the type out.
    fn of_another_build<T: 'static>(change: impl Fn(&mut StoredShape)) -> Stored {
        let mut stored = named::<T>();
        change(&mut stored.shape);
        stored
    }

    #[test]
    fn a_type_has_the_layout_of_what_is_stored() {
        let mut world = World::new();
        world.spawn(Lock([1, 2]));
        let (ever, id) = (EverStored::default(), ModuleId::from("core_x"));
        ever.check(&world, &id, &[named::<Lock>(), named::<String>()]).unwrap();
        let changes: [fn(&mut StoredShape); 3] = [
            |shape| shape.size_bytes = 4,
            |shape| shape.align_bytes = 8,
            |shape| shape.needs_drop = true,
        ];
        for change in changes {
            let other = of_another_build::<Lock>(change);
            let error = ever.check(&world, &id, &[other]).unwrap_err().to_string();
            for part in ["H0610", "core_x", "Lock", "8 bytes"] {
                assert!(error.contains(part), "{part}: {error}");
            }
        }
    }

    #[test]
    fn a_type_that_left_is_remembered() {
        let (mut ever, id) = (EverStored::default(), ModuleId::from("core_x"));
        // A message is stored in a buffer whose own layout does not show it.
        ever.extend(&[named::<Lock>()]);
        ever.check(&World::new(), &id, &[named::<Lock>()]).unwrap();
        let other = of_another_build::<Lock>(|shape| shape.size_bytes = 4);
        ever.check(&World::new(), &id, &[other]).unwrap_err();
    }

    #[test]
    fn keys_differ_as_types_do() {
        let types = [TypeId::of::<u8>(), TypeId::of::<i8>(), TypeId::of::<Lock>()];
        let keys: std::collections::HashSet<TypeKey> = types.map(TypeKey::from).into();
        assert_eq!(keys.len(), 3);
        assert!(keys.contains(&TypeKey::from(TypeId::of::<Lock>())));
    }
}
