//! Wraps observers so that the host can catch their panics before they unwind into Bevy.

use std::sync::Arc;

use bevy::ecs::system::{Adapt, AdapterSystem, RunSystemError, System, SystemIn, SystemInput};
use bevy::prelude::*;
use bevy::utils::prelude::DebugName;

/// Runs a closure, whose name for error messages is the first argument, and returns false if it
/// panicked.
pub type PanicGuard = Arc<dyn Fn(&str, &mut dyn FnMut()) -> bool + Send + Sync>;

/// An observer's system that runs in a [`PanicGuard`]; after a panic it does not run again.
pub type GuardedSystem<S> = AdapterSystem<Guard, S>;

/// The adapter of [`GuardedSystem`].
pub struct Guard {
    guard: PanicGuard,
    name: String,
    tripped: bool,
}

/// Wraps `system` in `guard`.
pub fn guarded<S: System<Out = ()>>(system: S, guard: PanicGuard) -> GuardedSystem<S> {
    let name: DebugName = system.name();
    let adapter = Guard { guard, name: format!("observer {name}"), tripped: false };
    AdapterSystem::new(adapter, system, name)
}

impl<S: System<Out = ()>> Adapt<S> for Guard {
    type In = S::In;
    type Out = ();

    fn adapt(
        &mut self,
        input: <Self::In as SystemInput>::Inner<'_>,
        run_system: impl FnOnce(SystemIn<'_, S>) -> Result<(), RunSystemError>,
    ) -> Result<(), RunSystemError> {
        if self.tripped {
            return Ok(());
        }
        let mut once = Some((input, run_system));
        let mut result = Ok(());
        let ran = (self.guard)(&self.name, &mut || {
            if let Some((input, run_system)) = once.take() {
                result = run_system(input);
            }
        });
        self.tripped = !ran;
        result
    }
}
