//! What [`ModuleApp::add_observer`](crate::ModuleApp::add_observer) takes, and what
//! [`ModuleApp::add_plugins`](crate::ModuleApp::add_plugins) does not.

use bevy::ecs::observer::{IntoObserver, ObserverWithCondition};
use bevy::ecs::system::IntoObserverSystem;
use bevy::prelude::*;

use crate::panic_guard::{PanicGuard, guarded};

/// An observer of a module: a function whose first parameter is `On<Event>`, also with `.run_if`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no observer",
    label = "expected a function whose first parameter is `On<Event>`",
    note = "the other parameters are those of a system"
)]
pub trait ModuleObserver<M>: Send + 'static {
    /// Makes the observer.
    fn observer(self, guard: PanicGuard) -> Observer;
}

impl<E: Event, B: Bundle, M, T: IntoObserverSystem<E, B, M>> ModuleObserver<(E, B, M)> for T {
    fn observer(self, guard: PanicGuard) -> Observer {
        Observer::new(guarded(IntoObserverSystem::into_system(self), guard))
    }
}

/// Marks the implementation for observers with conditions.
pub struct WithCondition;

impl<E, B, M, T> ModuleObserver<WithCondition> for ObserverWithCondition<E, B, M, T>
where
    E: Event,
    B: Bundle,
    M: 'static,
    T: IntoObserverSystem<E, B, M>,
{
    /// Bevy gives out neither the system nor the conditions, so the guard of the schedule that
    /// triggers it has to contain its panics.
    fn observer(self, _guard: PanicGuard) -> Observer {
        self.into_observer()
    }
}

/// Implemented by nothing.
#[diagnostic::on_unimplemented(
    message = "a module cannot add plugins: Bevy has no way to take them back",
    label = "add this plugin in the host's `main`",
    note = "the systems, resources and observers of a plugin of your own go into the module's `build`"
)]
pub trait ModulePlugins {}
