//! Systems that run on request, and that a swap replaces.
//!
//! A [`SystemId`] names an entity that holds a system, which Bevy lets nobody exchange. So what it
//! holds here only passes its input on to the system of a key, in [`RegisteredSystems`].

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::marker::PhantomData;

use bevy::ecs::system::{
    Adapt, AdapterSystem, BoxedSystem, IntoSystem, RunSystemError, System, SystemId, SystemIn,
    SystemInput,
};
use bevy::prelude::*;

/// The systems that modules register with [`ModuleApp::register_system`].
///
/// [`ModuleApp::register_system`]: crate::ModuleApp::register_system
#[derive(Resource, Default)]
pub struct RegisteredSystems {
    by_key: HashMap<&'static str, Registered>,
}

struct Registered {
    entity: Entity,
    /// The types of input and output.
    types: TypeId,
    /// The system; `None` while it runs.
    code: Option<Box<dyn Any + Send + Sync>>,
}

/// No module registers such a system.
#[derive(Debug, PartialEq, Eq)]
pub enum NotRegistered {
    /// The key is unknown.
    Unknown(String),
    /// The key is one of a system of other types.
    OtherTypes(String),
}

impl fmt::Display for NotRegistered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(key) => write!(f, "no running module registers a system `{key}`"),
            Self::OtherTypes(key) => write!(f, "the system `{key}` has another input or output"),
        }
    }
}

impl Error for NotRegistered {}

impl RegisteredSystems {
    /// The id of the system that a module registers with this key. It stays valid while the module
    /// runs, and leads to the newest code.
    ///
    /// # Errors
    ///
    /// If no module registers one with this input and output.
    pub fn id<I: RegisteredInput, O: 'static>(
        &self,
        key: &str,
    ) -> Result<SystemId<I, O>, NotRegistered> {
        match self.by_key.get(key) {
            None => Err(NotRegistered::Unknown(key.to_owned())),
            Some(it) if it.types == types::<I, O>() => Ok(SystemId::from_entity(it.entity)),
            Some(_) => Err(NotRegistered::OtherTypes(key.to_owned())),
        }
    }

    /// The entity of each system.
    pub fn entities(&self) -> impl Iterator<Item = Entity> {
        self.by_key.values().map(|registered| registered.entity)
    }
}

fn types<I: 'static, O: 'static>() -> TypeId {
    TypeId::of::<fn(I) -> O>()
}

/// The input of a registered system: none, or `In<T>`.
pub trait RegisteredInput: SystemInput + 'static {
    /// A system that runs the one of the key.
    fn forward<O: 'static>(key: &'static str) -> BoxedSystem<Self, O>;
}

impl RegisteredInput for () {
    fn forward<O: 'static>(key: &'static str) -> BoxedSystem<Self, O> {
        flatten(move |world: &mut World| run::<(), O>(world, key, ()))
    }
}

impl<T: 'static> RegisteredInput for In<T> {
    fn forward<O: 'static>(key: &'static str) -> BoxedSystem<Self, O> {
        flatten(move |In(input): In<T>, world: &mut World| run::<In<T>, O>(world, key, input))
    }
}

/// A system whose errors are those of its run.
fn flatten<I: SystemInput + 'static, O: 'static, M>(
    system: impl IntoSystem<I, Result<O, RunSystemError>, M>,
) -> BoxedSystem<I, O> {
    let system = IntoSystem::into_system(system);
    let name = system.name();
    Box::new(AdapterSystem::new(Flatten(PhantomData), system, name))
}

struct Flatten<O>(PhantomData<fn() -> O>);

impl<S, O: 'static> Adapt<S> for Flatten<O>
where
    S: System<Out = Result<O, RunSystemError>>,
{
    type In = S::In;
    type Out = O;

    fn adapt(
        &mut self,
        input: <Self::In as SystemInput>::Inner<'_>,
        run_system: impl FnOnce(SystemIn<'_, S>) -> Result<S::Out, RunSystemError>,
    ) -> Result<O, RunSystemError> {
        run_system(input).flatten()
    }
}

fn run<I: RegisteredInput, O: 'static>(
    world: &mut World,
    key: &'static str,
    input: I::Inner<'_>,
) -> Result<O, RunSystemError> {
    let failed = |reason: String| Err(RunSystemError::Failed(reason.into()));
    let code = |world: &mut World| {
        let mut systems = world.get_resource_mut::<RegisteredSystems>()?;
        systems.by_key.get_mut(key)?.code.take()
    };
    let Some(mut code) = code(world) else {
        return failed(format!("the system `{key}` runs already, or is registered no longer"));
    };
    let Some(system) = code.downcast_mut::<BoxedSystem<I, O>>() else {
        return failed(NotRegistered::OtherTypes(key.to_owned()).to_string());
    };
    let result = system.run(input, world);
    if let Some(mut systems) = world.get_resource_mut::<RegisteredSystems>()
        && let Some(registered) = systems.by_key.get_mut(key)
    {
        registered.code.get_or_insert(code);
    }
    result
}

/// A system that a module registers.
pub struct RegisteredRecord {
    /// Its key.
    pub key: &'static str,
    /// Initializes it, and lets the key's id run it from now on.
    pub register: Box<dyn FnOnce(&mut World)>,
}

impl RegisteredRecord {
    pub(crate) fn new<I, O, M>(key: &'static str, system: impl IntoSystem<I, O, M>) -> Self
    where
        I: RegisteredInput,
        O: 'static,
    {
        let system: BoxedSystem<I, O> = Box::new(IntoSystem::into_system(system));
        Self { key, register: Box::new(move |world| register(world, key, system)) }
    }
}

fn register<I: RegisteredInput, O: 'static>(
    world: &mut World,
    key: &'static str,
    mut system: BoxedSystem<I, O>,
) {
    system.initialize(world);
    let systems = world.get_resource_or_init::<RegisteredSystems>();
    let before = systems.by_key.get(key).filter(|it| it.types == types::<I, O>());
    let before = before.map(|it| it.entity).filter(|entity| world.get_entity(*entity).is_ok());
    let entity = before.unwrap_or_else(|| {
        unregister(world, key);
        world.register_boxed_system(I::forward::<O>(key)).entity()
    });
    let registered = Registered { entity, types: types::<I, O>(), code: Some(Box::new(system)) };
    world.get_resource_or_init::<RegisteredSystems>().by_key.insert(key, registered);
}

/// Removes the system of a key; its ids lead nowhere from now on.
pub fn unregister(world: &mut World, key: &str) {
    let Some(mut systems) = world.get_resource_mut::<RegisteredSystems>() else { return };
    if let Some(registered) = systems.by_key.remove(key) {
        world.try_despawn(registered.entity).ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Resource, Default)]
    struct Ran(Vec<u32>);

    fn add(world: &mut World, record: RegisteredRecord) {
        (record.register)(world);
    }

    fn id<I: RegisteredInput, O: 'static>(world: &World, key: &str) -> SystemId<I, O> {
        world.resource::<RegisteredSystems>().id(key).expect("it is registered")
    }

    #[test]
    fn an_id_leads_to_the_newest_code_of_its_types() {
        let mut world = World::new();
        world.init_resource::<Ran>();
        add(&mut world, RegisteredRecord::new("add", |mut ran: ResMut<Ran>| ran.0.push(1)));
        let first = id::<(), ()>(&world, "add");
        world.run_system(first).unwrap();
        add(&mut world, RegisteredRecord::new("add", |mut ran: ResMut<Ran>| ran.0.push(2)));
        assert_eq!(id::<(), ()>(&world, "add"), first);
        world.run_system(first).unwrap();
        assert_eq!(world.resource::<Ran>().0, [1, 2]);

        let sum = |In(number): In<u32>, mut ran: ResMut<Ran>| {
            ran.0.push(number);
            ran.0.iter().sum::<u32>()
        };
        add(&mut world, RegisteredRecord::new("add", sum));
        world.run_system(first).unwrap_err();
        let other = world.resource::<RegisteredSystems>().id::<(), ()>("add");
        assert_eq!(other, Err(NotRegistered::OtherTypes("add".to_owned())));
        let second = id::<In<u32>, u32>(&world, "add");
        assert_eq!(world.run_system_with(second, 4).unwrap(), 7);

        unregister(&mut world, "add");
        world.run_system_with(second, 4).unwrap_err();
        let gone = world.resource::<RegisteredSystems>().id::<In<u32>, u32>("add");
        assert_eq!(gone, Err(NotRegistered::Unknown("add".to_owned())));
    }

    #[test]
    fn errors_and_missing_parameters_are_those_of_the_run() {
        let mut world = World::new();
        add(&mut world, RegisteredRecord::new("needs", |_: Res<Ran>| 5_u8));
        let needs = id::<(), u8>(&world, "needs");
        world.run_system(needs).unwrap_err();
        world.init_resource::<Ran>();
        assert_eq!(world.run_system(needs).unwrap(), 5);

        // One that runs itself.
        let again = |world: &mut World| {
            let own = id::<(), ()>(world, "again");
            world.run_system(own).unwrap_err();
            world.resource_mut::<Ran>().0.push(9);
        };
        add(&mut world, RegisteredRecord::new("again", again));
        let again = id::<(), ()>(&world, "again");
        world.run_system(again).unwrap();
        world.run_system(again).unwrap();
        assert_eq!(world.resource::<Ran>().0, [9, 9]);
    }
}
