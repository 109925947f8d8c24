//! System parameters whose memory survives a swap of the system that holds them.
//!
//! A swapped system is a new system to Bevy: its `Local`s start anew, so Bevy's own
//! `MessageReader` would read the last two frames' messages a second time. The parameters here hand
//! their value to the system of the same name that takes over: the old one leaves it in a slot when
//! it is dropped, the new one takes it at its first access.

use std::any::{Any, type_name};
use std::collections::HashMap;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};

use bevy::ecs::lifecycle::{RemovedComponentEntity, RemovedComponentMessages};
use bevy::ecs::message::{MessageCursor, MessageIterator, MessageIteratorWithId};
use bevy::ecs::system::SystemParam;
use bevy::prelude::*;

type Slot = Arc<Mutex<Option<Box<dyn Any + Send>>>>;

/// Where values wait between an old system and the new one of the same name.
///
/// The host names the system that is being initialized with [`Carry::begin`]; a system initialized
/// without a name keeps nothing.
#[derive(Resource, Default)]
pub struct Carry {
    system: Option<String>,
    ordinals: HashMap<&'static str, u32>,
    slots: HashMap<(String, &'static str, u32), Slot>,
}

impl Carry {
    /// Parameters initialized from here on belong to `system` (its name, unique in the app).
    pub fn begin(&mut self, system: String) {
        self.system = Some(system);
        self.ordinals.clear();
    }

    /// Parameters initialized from here on belong to no system.
    pub fn end(&mut self) {
        self.system = None;
    }

    /// Forgets the values of systems that no longer exist.
    pub fn prune(&mut self) {
        self.slots.retain(|_, slot| Arc::strong_count(slot) > 1);
    }

    fn slot<T>(&mut self) -> Slot {
        let Some(system) = self.system.clone() else { return Slot::default() };
        let ordinal = self.ordinals.entry(type_name::<T>()).or_default();
        let key = (system, type_name::<T>(), *ordinal);
        *ordinal += 1;
        self.slots.entry(key).or_default().clone()
    }
}

/// A value that goes from a system to its successor of the same name.
#[derive(Debug)]
pub struct Carried<T: Default + Send + 'static> {
    value: T,
    slot: Slot,
    taken: bool,
}

impl<T: Default + Send + 'static> Carried<T> {
    #[inline]
    fn get(&mut self) -> &mut T {
        if !self.taken {
            self.take_over();
        }
        &mut self.value
    }

    #[cold]
    fn take_over(&mut self) {
        self.taken = true;
        let left = self.slot.lock().unwrap_or_else(PoisonError::into_inner).take();
        // A type of the same name under another epoch fails the downcast: its value starts anew.
        if let Some(value) = left.and_then(|value| value.downcast::<T>().ok()) {
            self.value = *value;
        }
    }
}

impl<T: Default + Send + 'static> FromWorld for Carried<T> {
    fn from_world(world: &mut World) -> Self {
        let slot = world.get_resource_mut::<Carry>().map(|mut carry| carry.slot::<T>());
        Self { value: T::default(), slot: slot.unwrap_or_default(), taken: false }
    }
}

impl<T: Default + Send + 'static> Drop for Carried<T> {
    fn drop(&mut self) {
        // A system that never ran leaves what its predecessor left.
        if self.taken {
            let value: Box<dyn Any + Send> = Box::new(std::mem::take(&mut self.value));
            *self.slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
        }
    }
}

/// A [`Local`] that survives a swap of its system. Starts from `T::default()`.
#[derive(SystemParam)]
pub struct Keep<'s, T: Default + Send + 'static> {
    carried: Local<'s, Carried<T>>,
}

impl<T: Default + Send + 'static> Keep<'_, T> {
    /// The value, mutable.
    pub fn get(&mut self) -> &mut T {
        self.carried.get()
    }
}

/// Reads messages of type `M`, each once, also across a swap of the system.
///
/// Stands for Bevy's [`bevy::prelude::MessageReader`], with the same methods.
#[derive(SystemParam)]
pub struct MessageReader<'w, 's, M: Message> {
    cursor: Local<'s, Carried<Cursor<M>>>,
    #[system_param(validation_message = "Message not initialized")]
    messages: Res<'w, Messages<M>>,
}

/// Bevy's cursor; a type of our own because `MessageCursor`'s `Default` is all that is needed of it.
struct Cursor<M: Message>(MessageCursor<M>);

impl<M: Message> Default for Cursor<M> {
    fn default() -> Self {
        Self(MessageCursor::default())
    }
}

impl<M: Message> MessageReader<'_, '_, M> {
    /// The messages that this reader has not seen yet.
    pub fn read(&mut self) -> MessageIterator<'_, M> {
        self.cursor.get().0.read(&self.messages)
    }

    /// Like [`read`](Self::read), with each message's id.
    pub fn read_with_id(&mut self) -> MessageIteratorWithId<'_, M> {
        self.cursor.get().0.read_with_id(&self.messages)
    }

    /// How many messages [`read`](Self::read) would give.
    pub fn len(&mut self) -> usize {
        self.cursor.get().0.len(&self.messages)
    }

    /// True when there is nothing to read.
    pub fn is_empty(&mut self) -> bool {
        self.cursor.get().0.is_empty(&self.messages)
    }

    /// Passes over all messages that are there.
    pub fn clear(&mut self) {
        self.cursor.get().0.clear(&self.messages);
    }
}

/// The entities that lost component `T`, each removal once, also across a swap of the system.
///
/// Stands for Bevy's [`bevy::prelude::RemovedComponents`].
#[derive(SystemParam)]
pub struct RemovedComponents<'w, 's, T: Component> {
    id: bevy::ecs::component::ComponentIdFor<'s, T>,
    cursor: Local<'s, Carried<Cursor<RemovedComponentEntity>>>,
    removals: &'w RemovedComponentMessages,
}

impl<T: Component> RemovedComponents<'_, '_, T> {
    /// The removals that this reader has not seen yet.
    pub fn read(&mut self) -> impl Iterator<Item = Entity> + '_ {
        let cursor = &mut self.cursor.get().0;
        let removals = self.removals.get(self.id.get());
        removals
            .map(|messages| cursor.read(messages).cloned())
            .into_iter()
            .flatten()
            .map(Entity::from)
    }

    /// True when there is nothing to read.
    pub fn is_empty(&mut self) -> bool {
        let cursor = &self.cursor.get().0;
        self.removals.get(self.id.get()).is_none_or(|messages| cursor.is_empty(messages))
    }
}

impl<T: Default + Send + 'static> Deref for Keep<'_, T> {
    type Target = T;

    /// The value as of the last mutable access; a predecessor's value is there from the first
    /// [`Keep::get`] or `DerefMut` on.
    fn deref(&self) -> &T {
        &self.carried.value
    }
}

impl<T: Default + Send + 'static> DerefMut for Keep<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.carried.get()
    }
}
