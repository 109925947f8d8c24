//! Observers whose panics the host keeps from unwinding into Bevy.

use std::sync::Arc;

use bevy::ecs::system::{Adapt, AdapterSystem, RunSystemError, System, SystemIn, SystemInput};
use bevy::prelude::*;
use bevy::utils::prelude::DebugName;

/// Runs a piece of a module's code, given what to call it. False if it panicked.
pub type Contain = Arc<dyn Fn(&str, &mut dyn FnMut()) -> bool + Send + Sync>;

/// An observer's system, run by a [`Contain`]; after a panic it does not run again.
pub type Contained<S> = AdapterSystem<Containment, S>;

/// Runs the observer's system.
pub struct Containment {
    contain: Contain,
    name: String,
    tripped: bool,
}

/// `system`, run by `contain`.
pub fn contained<S: System<Out = ()>>(system: S, contain: Contain) -> Contained<S> {
    let name: DebugName = system.name();
    let containment = Containment { contain, name: format!("observer {name}"), tripped: false };
    AdapterSystem::new(containment, system, name)
}

impl<S: System<Out = ()>> Adapt<S> for Containment {
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
        let ran = (self.contain)(&self.name, &mut || {
            if let Some((input, run_system)) = once.take() {
                result = run_system(input);
            }
        });
        self.tripped = !ran;
        result
    }
}
