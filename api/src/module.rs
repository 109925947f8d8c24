//! What a module wants, recorded without touching a world.

use std::any::{TypeId, type_name};

use bevy::ecs::message::MessageRegistry;
use bevy::ecs::schedule::{
    InternedScheduleLabel, InternedSystemSet, IntoScheduleConfigs, ScheduleConfigs, ScheduleLabel,
};
use bevy::ecs::system::{BoxedSystem, IntoObserverSystem, IntoSystem, ScheduleSystem};
use bevy::prelude::*;
use bevy::reflect::GetTypeRegistration;
use bevy::state::state::FreelyMutableState;
use serde::de::DeserializeOwned;

use crate::panic_guard::{Contain, contained};
use crate::persist::PersistRecord;
use crate::state;
use crate::tuning::DataRecord;

/// Runs after every load of the module: its first one, each swap, and when it is switched on again.
#[derive(ScheduleLabel, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OnLoad;

/// Runs before a module leaves: when it is switched off, removed, or its app is left.
#[derive(ScheduleLabel, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OnUnload;

/// Records what a module wants. Reads like Bevy's `App`, with what can be taken back again.
///
/// `Startup` systems (and `PreStartup`, `PostStartup`) run once, when the module is first
/// activated; [`OnLoad`] runs after every load, [`OnUnload`] before the module leaves.
#[derive(Default)]
pub struct ModuleApp {
    recorded: Recorded,
}

/// Everything that one call of a module's `build` asked for, in its order.
#[derive(Default)]
pub struct Recorded {
    /// Systems by schedule.
    pub systems: Vec<(InternedScheduleLabel, ScheduleConfigs<ScheduleSystem>)>,
    /// Configuration of sets by schedule.
    pub sets: Vec<(InternedScheduleLabel, ScheduleConfigs<InternedSystemSet>)>,
    /// Observers, as what spawns them.
    pub observers: Vec<ObserverRecord>,
    /// Messages to register.
    pub messages: Vec<MessageRecord>,
    /// Resources to insert where missing.
    pub resources: Vec<ResourceRecord>,
    /// States to initialize where missing.
    pub states: Vec<StateRecord>,
    /// Types whose values are kept.
    pub persisted: Vec<PersistRecord>,
    /// Types to register for reflection.
    pub types: Vec<fn(&AppTypeRegistry)>,
    /// Resources read from files of tuning values.
    pub data: Vec<DataRecord>,
    /// Console commands.
    pub commands: Vec<CommandRecord>,
}

/// An observer that is not spawned yet, and gets what its runs are contained by.
pub type ObserverRecord = Box<dyn FnOnce(&mut World, Contain) -> Entity>;

/// A message type.
#[derive(Clone, Copy)]
pub struct MessageRecord {
    /// The type of the message.
    pub type_id: TypeId,
    /// Its name.
    pub type_name: &'static str,
    /// Registers it.
    pub register: fn(&mut World),
    /// Takes it out, with the messages that wait.
    pub deregister: fn(&mut World),
    /// How many messages were counted before the oldest that waits.
    pub oldest: fn(&World) -> usize,
    /// How many messages wait.
    pub waiting: fn(&World) -> usize,
}

/// A resource.
pub struct ResourceRecord {
    /// The type of the resource.
    pub type_id: TypeId,
    /// Its name.
    pub type_name: &'static str,
    /// Inserts the resource if it is missing.
    pub init: Box<dyn FnOnce(&mut World)>,
    /// Takes it out.
    pub remove: fn(&mut World),
}

/// A state.
#[derive(Clone, Copy)]
pub struct StateRecord {
    /// The type of the state.
    pub type_id: TypeId,
    /// Its name.
    pub type_name: &'static str,
    /// Sets up its transitions, without a value.
    pub prepare: fn(&mut World),
    /// Enters the default value if there is none.
    pub init: fn(&mut World),
    /// Takes its resources out.
    pub remove: fn(&mut World),
}

/// A console command.
pub struct CommandRecord {
    /// The word that calls it.
    pub name: &'static str,
    /// One line of help.
    pub help: &'static str,
    /// Gets the words after the name, gives the text to print.
    pub system: BoxedSystem<In<Vec<String>>, String>,
}

impl ModuleApp {
    /// An empty record.
    pub fn new() -> Self {
        Self::default()
    }

    /// What was recorded.
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

    /// Adds an observer. See [`App::add_observer`].
    pub fn add_observer<E: Event, B: Bundle, M>(
        &mut self,
        system: impl IntoObserverSystem<E, B, M>,
    ) -> &mut Self {
        let system = IntoObserverSystem::into_system(system);
        self.recorded.observers.push(Box::new(move |world, contain| {
            world.spawn(Observer::new(contained(system, contain))).id()
        }));
        self
    }

    /// Registers a message type. See [`App::add_message`].
    pub fn add_message<M: Message>(&mut self) -> &mut Self {
        self.recorded.messages.push(MessageRecord {
            type_id: TypeId::of::<M>(),
            type_name: type_name::<M>(),
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

    /// Inserts `R::from_world` where the resource is missing. See [`App::init_resource`].
    pub fn init_resource<R: Resource + FromWorld>(&mut self) -> &mut Self {
        self.push_resource::<R>(|world| {
            world.init_resource::<R>();
        })
    }

    /// Inserts `value` where the resource is missing: a swap keeps the value that is there.
    pub fn insert_resource<R: Resource>(&mut self, value: R) -> &mut Self {
        self.push_resource::<R>(move |world| {
            if !world.contains_resource::<R>() {
                world.insert_resource(value);
            }
        })
    }

    fn push_resource<R: Resource>(&mut self, init: impl FnOnce(&mut World) + 'static) -> &mut Self {
        self.recorded.resources.push(ResourceRecord {
            type_id: TypeId::of::<R>(),
            type_name: type_name::<R>(),
            init: Box::new(init),
            remove: |world| {
                world.remove_resource::<R>();
            },
        });
        self
    }

    /// Initializes a state with its transition schedules. See `App::init_state`.
    pub fn init_state<S: FreelyMutableState + FromWorld>(&mut self) -> &mut Self {
        self.recorded.states.push(StateRecord {
            type_id: TypeId::of::<S>(),
            type_name: type_name::<S>(),
            prepare: state::prepare::<S>,
            init: state::init::<S>,
            remove: state::remove::<S>,
        });
        self
    }

    /// Registers a type for reflection. See [`App::register_type`].
    pub fn register_type<T: GetTypeRegistration>(&mut self) -> &mut Self {
        self.recorded.types.push(|registry| registry.write().register::<T>());
        self
    }

    /// Reads the resource `T` from a TOML file under `assets/`, and again when the file changes.
    ///
    /// Fields that the file leaves out need `#[serde(default)]`; a file that cannot be read leaves
    /// the values as they are, with the reason in the console.
    pub fn add_tuning_file<T: Resource + Default + DeserializeOwned>(
        &mut self,
        path: &'static str,
    ) -> &mut Self {
        self.recorded.data.push(DataRecord::new::<T>(path));
        self
    }

    /// Adds a console command: `system` gets the words after the name and gives the text to print.
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

    /// Lists a type whose values are kept; `export_module!` calls this for its `persist` list.
    #[doc(hidden)]
    pub fn persist(&mut self, records: Vec<PersistRecord>) -> &mut Self {
        self.recorded.persisted.extend(records);
        self
    }
}
