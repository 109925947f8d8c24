//! Records a module's registrations without touching a world.

use std::any::TypeId;

use bevy::ecs::change_detection::Tick;
use bevy::ecs::message::MessageRegistry;
use bevy::ecs::schedule::{
    InternedScheduleLabel, InternedSystemSet, IntoScheduleConfigs, ScheduleConfigs, ScheduleLabel,
};
use bevy::ecs::system::{BoxedSystem, IntoObserverSystem, IntoSystem, ScheduleSystem};
use bevy::prelude::*;
use bevy::reflect::GetTypeRegistration;
use bevy::state::state::FreelyMutableState;
use serde::de::DeserializeOwned;

use crate::observer::{ModuleObserver, ModulePlugins};
use crate::panic_guard::{PanicGuard, guarded};
use crate::persist::{PersistRecord, query_all};
use crate::registered::{RegisteredInput, RegisteredRecord};
use crate::schema::names::type_name;
use crate::state;
use crate::stored::StoredType;
use crate::tuning::TuningRecord;

/// Runs after every load of the module: the first one, each swap, and when it is enabled again.
#[derive(ScheduleLabel, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OnLoad;

/// Runs before the module is unloaded: when it is disabled or removed, or the app changes.
#[derive(ScheduleLabel, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OnUnload;

/// Records a module's registrations. The subset of Bevy's `App` that can be undone.
///
/// `Startup` systems (and `PreStartup`, `PostStartup`) run once, when the module is first
/// activated; [`OnLoad`] runs after every load, [`OnUnload`] before every unload.
#[derive(Default)]
pub struct ModuleApp {
    recorded: Recorded,
}

/// The registrations of one call of a module's `build`, in their order.
#[derive(Default)]
pub struct Recorded {
    pub systems: Vec<(InternedScheduleLabel, ScheduleConfigs<ScheduleSystem>)>,
    /// Set configurations.
    pub sets: Vec<(InternedScheduleLabel, ScheduleConfigs<InternedSystemSet>)>,
    /// Functions that spawn observers.
    pub observers: Vec<ObserverRecord>,
    pub messages: Vec<MessageRecord>,
    /// Resources with their first values.
    pub resources: Vec<ResourceRecord>,
    /// States to initialize if they are missing.
    pub states: Vec<StateRecord>,
    /// Persisted types.
    pub persisted: Vec<PersistRecord>,
    /// Types to register for reflection.
    pub types: Vec<fn(&AppTypeRegistry)>,
    /// Resources that are read from tuning files.
    pub tuning: Vec<TuningRecord>,
    pub commands: Vec<CommandRecord>,
    /// Systems that run on request.
    pub registered: Vec<RegisteredRecord>,
    /// The types of all these values.
    pub stored: Vec<StoredType>,
}

/// Spawns an observer whose runs are wrapped in the given [`PanicGuard`].
pub type ObserverRecord = Box<dyn FnOnce(&mut World, PanicGuard) -> Entity>;

/// A message type.
#[derive(Clone, Copy)]
pub struct MessageRecord {
    pub type_id: TypeId,
    /// [`type_name`](crate::schema::names::type_name).
    pub type_name: &'static str,
    /// [`std::any::type_name`], which names the type's epoch if it has one.
    pub path: &'static str,
    /// Registers the type and its message buffer.
    pub register: fn(&mut World),
    /// Removes the type and its message buffer, unread messages included.
    pub deregister: fn(&mut World),
    /// The id of the oldest buffered message.
    pub oldest: fn(&World) -> usize,
    /// The number of buffered messages.
    pub waiting: fn(&World) -> usize,
}

/// A resource.
pub struct ResourceRecord {
    pub type_id: TypeId,
    /// [`type_name`](crate::schema::names::type_name).
    pub type_name: &'static str,
    pub initial: InitialValue,
    /// Removes the resource.
    pub remove: fn(&mut World),
    /// When the value was last changed; `None` if there is none.
    pub changed: fn(&World) -> Option<Tick>,
}

/// The value that a resource starts with.
pub enum InitialValue {
    /// Inserts `FromWorld` where there is no value.
    IfMissing(Box<dyn FnOnce(&mut World)>),
    /// Inserts a value in place of another one.
    Value(Box<dyn FnOnce(&mut World) -> Option<PutBack>>),
}

/// Inserts the value again that another one took the place of.
pub type PutBack = Box<dyn FnOnce(&mut World) + Send + Sync>;

/// A state.
#[derive(Clone, Copy)]
pub struct StateRecord {
    pub type_id: TypeId,
    /// [`type_name`](crate::schema::names::type_name).
    pub type_name: &'static str,
    /// Sets up the transitions, without a value.
    pub prepare: fn(&mut World),
    /// Enters the default value if there is none.
    pub init: fn(&mut World),
    /// Removes the state's resources.
    pub remove: fn(&mut World),
    /// `OnEnter` of the current value, if there is one.
    pub entered: fn(&World) -> Option<InternedScheduleLabel>,
    /// True for entities that Bevy despawns when a value of the state is left.
    pub is_scoped: fn(&World, Entity) -> bool,
}

/// A console command.
pub struct CommandRecord {
    /// The command's first word.
    pub name: &'static str,
    /// One line of help.
    pub help: &'static str,
    /// Takes the words after the name, returns the text to print.
    pub system: BoxedSystem<In<Vec<String>>, String>,
}

impl ModuleApp {
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the recorded registrations.
    pub fn into_recorded(self) -> Recorded {
        self.recorded
    }

    /// Adds systems to `schedule`. See [`App::add_systems`].
    pub fn add_systems<M>(
        &mut self,
        schedule: impl ScheduleLabel,
        systems: impl IntoScheduleConfigs<ScheduleSystem, M>,
    ) -> &mut Self {
        self.recorded.systems.push((schedule.intern(), systems.into_configs()));
        self
    }

    /// Configures sets in `schedule`. See [`App::configure_sets`].
    pub fn configure_sets<M>(
        &mut self,
        schedule: impl ScheduleLabel,
        sets: impl IntoScheduleConfigs<InternedSystemSet, M>,
    ) -> &mut Self {
        self.recorded.sets.push((schedule.intern(), sets.into_configs()));
        self
    }

    /// Adds an observer, which may have run conditions. See [`App::add_observer`].
    pub fn add_observer<M>(&mut self, observer: impl ModuleObserver<M>) -> &mut Self {
        let record = move |world: &mut World, guard| world.spawn(observer.observer(guard)).id();
        self.recorded.observers.push(Box::new(record));
        self
    }

    /// Plugins cannot be taken back, so a module cannot add any: this never compiles, and says so.
    pub fn add_plugins<P: ModulePlugins>(&mut self, _plugins: P) -> &mut Self {
        self
    }

    /// Observes every entity that has or gets the component `C`, in place of
    /// `commands.entity(…).observe(…)`: Bevy knows such an observer only by its entity, so after a
    /// swap it would run the old code on.
    pub fn add_entity_observer<C: Component, E: EntityEvent, B: Bundle, M>(
        &mut self,
        system: impl IntoObserverSystem<E, B, M> + Clone + Sync,
    ) -> &mut Self {
        self.recorded.observers.push(Box::new(move |world, guard| {
            let added_by = world.spawn_empty().id();
            let observer = move |entity: Entity| {
                let system = IntoObserverSystem::into_system(system.clone());
                let observer = Observer::new(guarded(system, guard.clone())).with_entity(entity);
                // Despawned with the one that added it.
                (observer, ChildOf(added_by))
            };
            let mut there = query_all::<Entity, With<C>>(world);
            for entity in there.iter(world).collect::<Vec<_>>() {
                world.spawn(observer(entity));
            }
            let on_add = Observer::new(move |added: On<Add, C>, mut commands: Commands| {
                commands.spawn(observer(added.entity));
            });
            world.entity_mut(added_by).insert(on_add);
            added_by
        }));
        self
    }

    /// Registers a message type. See [`App::add_message`].
    pub fn add_message<M: Message>(&mut self) -> &mut Self {
        self.recorded.stored.push(StoredType::of::<M>());
        self.recorded.messages.push(MessageRecord {
            type_id: TypeId::of::<M>(),
            type_name: type_name::<M>(),
            path: std::any::type_name::<M>(),
            register: |world| {
                if !world.contains_resource::<Messages<M>>() {
                    MessageRegistry::register_message::<M>(world);
                }
            },
            deregister: MessageRegistry::deregister_messages::<M>,
            oldest: |world| {
                world.get_resource::<Messages<M>>().map_or(0, Messages::oldest_message_count)
            },
            waiting: |world| world.get_resource::<Messages<M>>().map_or(0, Messages::len),
        });
        self
    }

    /// Inserts `R::from_world` if the resource is missing. See [`App::init_resource`].
    pub fn init_resource<R: Resource + FromWorld>(&mut self) -> &mut Self {
        self.push_resource::<R>(InitialValue::IfMissing(Box::new(|world| {
            world.init_resource::<R>();
        })))
    }

    /// Inserts `value`, also in place of one that Bevy or the host has inserted, which comes back
    /// when the module no longer inserts one. See [`App::insert_resource`].
    ///
    /// After a swap the new value takes effect if nobody has changed the old one since it was
    /// inserted. A value that was changed, and one of a type that a module persists, stay.
    pub fn insert_resource<R: Resource>(&mut self, value: R) -> &mut Self {
        self.push_resource::<R>(InitialValue::Value(Box::new(move |world| {
            let before = world.remove_resource::<R>();
            world.insert_resource(value);
            before.map(|before| -> PutBack { Box::new(move |world| world.insert_resource(before)) })
        })))
    }

    fn push_resource<R: Resource>(&mut self, initial: InitialValue) -> &mut Self {
        self.recorded.stored.push(StoredType::of::<R>());
        self.recorded.resources.push(ResourceRecord {
            type_id: TypeId::of::<R>(),
            type_name: type_name::<R>(),
            initial,
            remove: |world| {
                world.remove_resource::<R>();
            },
            changed: |world| world.get_resource_change_ticks::<R>().map(|ticks| ticks.changed),
        });
        self
    }

    /// Initializes a state with its transition schedules. See `App::init_state`.
    pub fn init_state<S: FreelyMutableState + FromWorld>(&mut self) -> &mut Self {
        self.recorded.stored.push(StoredType::of::<S>());
        self.recorded.states.push(StateRecord {
            type_id: TypeId::of::<S>(),
            type_name: type_name::<S>(),
            prepare: state::prepare::<S>,
            init: state::init::<S>,
            remove: state::remove::<S>,
            entered: state::entered::<S>,
            is_scoped: state::is_scoped::<S>,
        });
        self
    }

    /// Registers a type for reflection. See [`App::register_type`]. Its layout is compared with that of
    /// stored values before each swap, also if no system asks for it.
    pub fn register_type<T: GetTypeRegistration>(&mut self) -> &mut Self {
        self.recorded.stored.push(StoredType::of::<T>());
        self.recorded.types.push(|registry| registry.write().register::<T>());
        self
    }

    /// Reads the resource `T` from a TOML file in `assets/`, and again when the file changes.
    ///
    /// Fields that are missing in the file need `#[serde(default)]`. If the file cannot be read,
    /// the values stay as they are, and the console shows the reason.
    pub fn add_tuning_file<T: Resource + Default + DeserializeOwned>(
        &mut self,
        path: &'static str,
    ) -> &mut Self {
        self.recorded.stored.push(StoredType::of::<T>());
        self.recorded.tuning.push(TuningRecord::new::<T>(path));
        self
    }

    /// Registers a system that runs on request, in place of `World::register_system`: its id, from
    /// [`RegisteredSystems`](crate::registered::RegisteredSystems), may be kept anywhere, and leads to
    /// the new code after a swap. No two modules use the same key.
    pub fn register_system<I: RegisteredInput, O: 'static, M>(
        &mut self,
        key: &'static str,
        system: impl IntoSystem<I, O, M>,
    ) -> &mut Self {
        self.recorded.registered.push(RegisteredRecord::new(key, system));
        self
    }

    /// Adds a console command: `system` takes the words after the name and returns the text to
    /// print.
    pub fn add_console_command<M>(
        &mut self,
        name: &'static str,
        help: &'static str,
        system: impl IntoSystem<In<Vec<String>>, String, M>,
    ) -> &mut Self {
        let system = Box::new(IntoSystem::into_system(system));
        self.recorded.commands.push(CommandRecord { name, help, system });
        self
    }

    /// Called by `export_module!` for each type in its `persist` list.
    #[doc(hidden)]
    pub fn persist(&mut self, records: Vec<PersistRecord>) -> &mut Self {
        self.recorded.stored.extend(records.iter().map(|record| record.stored));
        self.recorded.persisted.extend(records);
        self
    }
}
