//! System parameters whose memory survives a swap of the system that holds them.
//!
//! A swapped system is a new system to Bevy: its `Local`s start anew, so Bevy's own
//! `MessageReader` would read the last two frames' messages a second time. The parameters here hand
//! their value to the system of the same name that takes over: the old one leaves it in a slot when
//! it is dropped, the new one takes it at its first access.

use std::any::{Any, type_name};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use bevy::ecs::component::ComponentId;
use bevy::prelude::*;

mod keep;
mod messages;
mod removed;

pub use keep::Keep;
pub use messages::MessageReader;
pub use removed::{RemovedComponents, count as removals};

type Slot = Arc<Mutex<Option<Box<dyn Any + Send>>>>;

/// A value that can wait in a slot, in a form that does not depend on an epoch.
pub trait Handover: Default + Send + Sync + 'static {
    /// What waits.
    type Left: Any + Send;
    /// As it is left behind.
    fn leave(self) -> Option<Self::Left>;
    /// As it is taken over; `None` where it cannot be.
    fn take_over(left: Self::Left) -> Option<Self>;
}

/// Where values wait between an old system and the new one of the same name.
///
/// The host names the system that is being initialized with [`Handovers::begin`]; a system initialized
/// without a name keeps nothing.
#[derive(Resource, Default)]
pub struct Handovers {
    system: Option<String>,
    ordinals: HashMap<&'static str, u32>,
    slots: HashMap<(String, &'static str, u32), Slot>,
}

impl Handovers {
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

    /// Messages of the type of this name are counted anew: those that waited from 0 on, where
    /// `before` had been counted before the oldest of them.
    pub fn recount_messages(&mut self, type_name: &str, before: usize) {
        for left in self.left::<messages::Position>() {
            if let Some(position) = left.lock().as_mut()
                && position.type_name == type_name
            {
                position.seen = position.seen.saturating_sub(before);
            }
        }
    }

    /// The values of a component are those of another one now; `count` removals of the old one were
    /// told of before its values were carried over.
    pub fn replace_component(&mut self, old: ComponentId, count: usize) {
        for left in self.left::<removed::Position>() {
            if let Some(position) = left.lock().as_mut()
                && position.component == Some(old)
            {
                position.until = Some(count);
            }
        }
    }

    fn left<T: 'static>(&self) -> impl Iterator<Item = Left<'_, T>> {
        self.slots.values().map(|slot| Left { slot, of: std::marker::PhantomData })
    }

    fn slot<T>(&mut self) -> Slot {
        let Some(system) = self.system.clone() else { return Slot::default() };
        let ordinal = self.ordinals.entry(type_name::<T>()).or_default();
        let key = (system, type_name::<T>(), *ordinal);
        *ordinal += 1;
        self.slots.entry(key).or_default().clone()
    }
}

/// A slot that may hold a `T`.
struct Left<'a, T> {
    slot: &'a Slot,
    of: std::marker::PhantomData<T>,
}

impl<'a, T: 'static> Left<'a, T> {
    fn lock(&self) -> LeftGuard<'a, T> {
        let guard = self.slot.lock().unwrap_or_else(PoisonError::into_inner);
        LeftGuard { guard, of: std::marker::PhantomData }
    }
}

struct LeftGuard<'a, T> {
    guard: std::sync::MutexGuard<'a, Option<Box<dyn Any + Send>>>,
    of: std::marker::PhantomData<T>,
}

impl<T: 'static> LeftGuard<'_, T> {
    fn as_mut(&mut self) -> Option<&mut T> {
        self.guard.as_mut()?.downcast_mut()
    }
}

/// A value that goes from a system to its successor of the same name.
#[derive(Debug)]
pub struct Carried<T: Handover> {
    /// There from the first access on: until then what was left waits.
    value: OnceLock<T>,
    slot: Slot,
}

impl<T: Handover> Carried<T> {
    #[inline]
    fn get(&self) -> &T {
        self.value.get_or_init(|| self.take_over())
    }

    #[inline]
    fn get_mut(&mut self) -> &mut T {
        self.get();
        self.value.get_mut().expect("it was just read")
    }

    #[cold]
    fn take_over(&self) -> T {
        let left = self.slot.lock().unwrap_or_else(PoisonError::into_inner).take();
        let left = left.and_then(|left| left.downcast::<T::Left>().ok());
        left.and_then(|left| T::take_over(*left)).unwrap_or_default()
    }
}

impl<T: Handover> FromWorld for Carried<T> {
    fn from_world(world: &mut World) -> Self {
        let slot = world.get_resource_mut::<Handovers>().map(|mut carry| carry.slot::<T>());
        Self { value: OnceLock::new(), slot: slot.unwrap_or_default() }
    }
}

impl<T: Handover> Drop for Carried<T> {
    fn drop(&mut self) {
        // A system that never ran leaves what its predecessor left.
        if let Some(left) = self.value.take().and_then(T::leave) {
            *self.slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(left));
        }
    }
}
