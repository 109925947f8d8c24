//! The values in each kind of store.

use std::any::TypeId;
use std::marker::PhantomData;

use bevy::ecs::message::MessageRegistry;
use bevy::prelude::*;
use bevy::state::state::FreelyMutableState;
use bevy::state::state_scoped::{
    DespawnOnEnter, DespawnOnExit, DisableOnEnter, DisableOnExit, EnableOnEnter, EnableOnExit,
};
use serde::{Deserialize, Serialize};

use super::access::Access;
use super::{Relation, Store};
use crate::codec::encode_into;
use crate::schema::{Field, Persist, Schema, Shape, Variant};

/// The result of encoding a value; fails if its own serialization does.
pub type Encoded = Result<(), String>;

/// The values of type `T` in one kind of store: the part that needs the type. Everything in it is
/// compiled once per type in the module that persists it, so loops over values are in [`Access`].
pub trait Storage<T> {
    const STORE: Store;
    const SCHEMA: &'static Schema;
    const ACCESS: Access;
    /// The component, resource or message buffer that contains the values.
    fn holder() -> TypeId;
    fn insert(world: &mut World, values: Vec<(Entity, T)>);

    fn relation() -> Option<Relation> {
        None
    }
}

/// Present in the world while persisted values are converted by a swap or loaded from a snapshot,
/// so that hooks and observers can ignore the removals and insertions.
#[derive(Resource, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Restoring;

pub struct ResourceStorage;

impl<T: Resource + Persist + Serialize> Storage<T> for ResourceStorage {
    const STORE: Store = Store::Resource;
    const SCHEMA: &'static Schema = T::REF;
    const ACCESS: Access = Access::Resource {
        encode: |holder, bytes| Some(encode_into(holder.get::<T>()?, bytes)),
        keeps_ticks: true,
        reset: None,
    };

    fn holder() -> TypeId {
        TypeId::of::<T>()
    }

    fn insert(world: &mut World, values: Vec<(Entity, T)>) {
        for (_, value) in values {
            world.insert_resource(value);
        }
    }
}

pub struct StateStorage;

impl<T: FreelyMutableState + Persist + Serialize> Storage<T> for StateStorage {
    const STORE: Store = Store::State;
    const SCHEMA: &'static Schema = T::REF;
    const ACCESS: Access = Access::Resource {
        encode: |holder, bytes| Some(encode_into(holder.get::<State<T>>()?.get(), bytes)),
        keeps_ticks: false,
        reset: None,
    };

    fn holder() -> TypeId {
        TypeId::of::<State<T>>()
    }

    fn insert(world: &mut World, values: Vec<(Entity, T)>) {
        for (_, value) in values {
            // Without a transition: the state was entered before.
            world.insert_resource(State::new(value));
        }
    }
}

/// The content of a `NextState`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Pending<S> {
    /// `NextState::Pending`: a transition even if it is the current state.
    Always(S),
    /// `NextState::PendingIfNeq`: a transition only if it is another state.
    IfOther(S),
}

impl<S: Persist> Persist for Pending<S> {
    const NAME: &'static str = S::NAME;
    const SCHEMA: Schema = Schema {
        aliases: S::SCHEMA.aliases,
        ..Schema::plain::<Self>(
            S::NAME,
            Shape::Enum {
                variants: const {
                    &[
                        Variant {
                            name: "Always",
                            aliases: &[],
                            shape: Shape::TupleStruct(const { &[Field::plain("0", S::REF)] }),
                        },
                        Variant {
                            name: "IfOther",
                            aliases: &[],
                            shape: Shape::TupleStruct(const { &[Field::plain("0", S::REF)] }),
                        },
                    ]
                },
                fallback: None,
            },
        )
    };
}

pub struct NextStateStorage<S>(PhantomData<S>);

impl<S: FreelyMutableState + Persist + Serialize> Storage<Pending<S>> for NextStateStorage<S> {
    const STORE: Store = Store::NextState;
    const SCHEMA: &'static Schema = <Pending<S>>::REF;
    const ACCESS: Access = Access::Resource {
        encode: |holder, bytes| {
            let pending = match holder.get::<NextState<S>>()? {
                NextState::Pending(state) => Pending::Always(state.clone()),
                NextState::PendingIfNeq(state) => Pending::IfOther(state.clone()),
                NextState::Unchanged => return None,
            };
            Some(encode_into(&pending, bytes))
        },
        keeps_ticks: false,
        reset: Some(|world| {
            if let Some(mut next) = world.get_resource_mut::<NextState<S>>() {
                next.reset();
            }
        }),
    };

    fn holder() -> TypeId {
        TypeId::of::<NextState<S>>()
    }

    fn insert(world: &mut World, values: Vec<(Entity, Pending<S>)>) {
        for (_, pending) in values {
            world.insert_resource(match pending {
                Pending::Always(state) => NextState::Pending(state),
                Pending::IfOther(state) => NextState::PendingIfNeq(state),
            });
        }
    }
}

/// One of Bevy's components that bind an entity to a state.
pub trait Scoped<S>: Component {
    /// The component's name.
    const NAME: &'static str;
    fn to(state: S) -> Self;
    fn state(&self) -> &S;
}

macro_rules! scoped {
    ($($name:ident),*) => {$(
        impl<S: States> Scoped<S> for $name<S> {
            const NAME: &'static str = stringify!($name);

            fn to(state: S) -> Self {
                Self(state)
            }

            fn state(&self) -> &S {
                &self.0
            }
        }
    )*};
}

scoped!(DespawnOnEnter, DespawnOnExit, DisableOnEnter, DisableOnExit, EnableOnEnter, EnableOnExit);

pub struct ScopedStorage<W>(PhantomData<W>);

impl<S: Persist + Serialize + Send + Sync + 'static, W: Scoped<S>> Storage<S> for ScopedStorage<W> {
    const STORE: Store = Store::Scoped(W::NAME);
    const SCHEMA: &'static Schema = S::REF;
    const ACCESS: Access = Access::Entities {
        encode: |entity, bytes| Some(encode_into(entity.get::<W>()?.state(), bytes)),
        order: None,
    };

    fn holder() -> TypeId {
        TypeId::of::<W>()
    }

    fn insert(world: &mut World, values: Vec<(Entity, S)>) {
        for (entity, state) in values {
            if let Ok(mut entity) = world.get_entity_mut(entity) {
                entity.insert(W::to(state));
            }
        }
    }
}

pub struct MessageStorage;

impl<M: Message + Persist + Serialize> Storage<M> for MessageStorage {
    const STORE: Store = Store::Messages;
    const SCHEMA: &'static Schema = M::REF;
    const ACCESS: Access = Access::Messages {
        count: |world| world.get_resource::<Messages<M>>().map_or(0, Messages::len),
        encode: |world, bytes, appended| {
            let Some(messages) = world.get_resource::<Messages<M>>() else { return Ok(()) };
            for message in messages.get_cursor().read(messages) {
                encode_into(message, bytes)?;
                appended(bytes, Entity::PLACEHOLDER, default(), default());
            }
            Ok(())
        },
        clear: |world| {
            if let Some(mut messages) = world.get_resource_mut::<Messages<M>>() {
                messages.clear();
            }
        },
    };

    fn holder() -> TypeId {
        TypeId::of::<Messages<M>>()
    }

    fn insert(world: &mut World, values: Vec<(Entity, M)>) {
        if !world.contains_resource::<Messages<M>>() {
            MessageRegistry::register_message::<M>(world);
        }
        if let Some(mut messages) = world.get_resource_mut::<Messages<M>>() {
            messages.write_batch(values.into_iter().map(|(_, message)| message));
        }
    }
}
