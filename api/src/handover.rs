//! System parameters whose state survives a swap of their system.
//!
//! To Bevy a swapped system is a new system: its `Local`s are reset, so Bevy's own `MessageReader`
//! would read the last two frames' messages a second time. The parameters here hand their value
//! over to the new system of the same name: the old parameter puts it into a shared slot when it is
//! dropped, the new one takes it out at its first access.

use std::any::Any;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use bevy::ecs::component::ComponentId;
use bevy::prelude::*;

use crate::schema::names::type_name;

mod keep;
mod messages;
mod removed;

pub use keep::Keep;
pub use messages::MessageReader;
pub use removed::{RemovedComponents, count as removals};

type Slot = Arc<Mutex<Option<Box<dyn Any + Send>>>>;

/// A value that a system hands over to its successor.
pub trait Handover: Default + Send + Sync + 'static {
    /// The form in the slot. Its `TypeId` must not depend on the epoch of a module's types.
    type HandedOver: Any + Send;
    /// Converts the value when the old system is dropped; `None` to hand over nothing.
    fn hand_over(self) -> Option<Self::HandedOver>;
    /// Converts the value back for the new system; `None` if that is not possible.
    fn take_over(from: Self::HandedOver) -> Option<Self>;
}

/// The slots that connect an old system's parameters with those of the new system of the same name.
///
/// The host calls [`Handovers::begin`] before it initializes a system; parameters of a system that
/// is initialized without it hand nothing over.
#[derive(Resource, Default)]
pub struct Handovers {
    system: Option<String>,
    ordinals: HashMap<&'static str, u32>,
    slots: HashMap<(String, &'static str, u32), Slot>,
}

impl Handovers {
    /// Parameters initialized from now on belong to `system`, a name that is unique in the app.
    pub fn begin(&mut self, system: String) {
        self.system = Some(system);
        self.ordinals.clear();
    }

    /// Parameters initialized from now on belong to no system.
    pub fn end(&mut self) {
        self.system = None;
    }

    /// Removes the slots of systems that no longer exist.
    pub fn prune(&mut self) {
        self.slots.retain(|_, slot| Arc::strong_count(slot) > 1);
    }

    /// Adjusts readers after the message buffer of `type_name` was replaced and its counter
    /// restarted at 0. `before` is the old counter's value at the oldest message that was carried
    /// over.
    pub fn recount_messages(&mut self, type_name: &str, before: usize) {
        for waiting in self.waiting::<messages::Position>() {
            if let Some(position) = waiting.lock().as_mut()
                && position.type_name == type_name
            {
                position.seen = position.seen.saturating_sub(before);
            }
        }
    }

    /// Adjusts readers after the values of component `old` moved to another component. `count` is
    /// the number of removals of `old` before that; later ones are part of the move.
    pub fn replace_component(&mut self, old: ComponentId, count: usize) {
        for waiting in self.waiting::<removed::Position>() {
            if let Some(position) = waiting.lock().as_mut()
                && position.component == Some(old)
            {
                position.until = Some(count);
            }
        }
    }

    fn waiting<T: 'static>(&self) -> impl Iterator<Item = Waiting<'_, T>> {
        self.slots.values().map(|slot| Waiting { slot, of: std::marker::PhantomData })
    }

    fn slot<T>(&mut self) -> Slot {
        let Some(system) = self.system.clone() else { return Slot::default() };
        let ordinal = self.ordinals.entry(type_name::<T>()).or_default();
        let key = (system, type_name::<T>(), *ordinal);
        *ordinal += 1;
        self.slots.entry(key).or_default().clone()
    }
}

/// A slot that may contain a `T`.
struct Waiting<'a, T> {
    slot: &'a Slot,
    of: std::marker::PhantomData<T>,
}

impl<'a, T: 'static> Waiting<'a, T> {
    fn lock(&self) -> WaitingGuard<'a, T> {
        let guard = self.slot.lock().unwrap_or_else(PoisonError::into_inner);
        WaitingGuard { guard, of: std::marker::PhantomData }
    }
}

struct WaitingGuard<'a, T> {
    guard: std::sync::MutexGuard<'a, Option<Box<dyn Any + Send>>>,
    of: std::marker::PhantomData<T>,
}

impl<T: 'static> WaitingGuard<'_, T> {
    fn as_mut(&mut self) -> Option<&mut T> {
        self.guard.as_mut()?.downcast_mut()
    }
}

/// A value that a system inherits from its predecessor of the same name.
#[derive(Debug)]
pub struct Inherited<T: Handover> {
    /// Set at the first access; until then the predecessor's value stays in the slot.
    value: OnceLock<T>,
    slot: Slot,
}

impl<T: Handover> Inherited<T> {
    #[inline]
    fn get(&self) -> &T {
        self.value.get_or_init(|| self.take_over())
    }

    #[inline]
    fn get_mut(&mut self) -> &mut T {
        self.get();
        self.value.get_mut().expect("`get` has just initialized it")
    }

    #[cold]
    fn take_over(&self) -> T {
        let value = self.slot.lock().unwrap_or_else(PoisonError::into_inner).take();
        let value = value.and_then(|value| value.downcast::<T::HandedOver>().ok());
        value.and_then(|value| T::take_over(*value)).unwrap_or_default()
    }
}

impl<T: Handover> FromWorld for Inherited<T> {
    fn from_world(world: &mut World) -> Self {
        let slot = world.get_resource_mut::<Handovers>().map(|mut handovers| handovers.slot::<T>());
        Self { value: OnceLock::new(), slot: slot.unwrap_or_default() }
    }
}

impl<T: Handover> Drop for Inherited<T> {
    fn drop(&mut self) {
        // A system that never ran leaves its predecessor's value in the slot.
        if let Some(value) = self.value.take().and_then(T::hand_over) {
            *self.slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(value));
        }
    }
}
