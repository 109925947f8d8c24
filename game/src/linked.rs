//! Runs modules that are linked into the executable, without hot loading.

use std::sync::Arc;

use bevy::ecs::schedule::{LogLevel, ScheduleBuildSettings, ScheduleLabel};
use bevy::prelude::*;
use playground_api::ModuleApp;
use playground_api::module::{InitialValue, OnLoad, Recorded};
use playground_api::panic_guard::PanicGuard;
use playground_api::persist::PersistRecord;
use playground_state_hash::HashError;

use crate::assets;
use crate::roster::{Manifest, roster};

type Build = fn(&mut ModuleApp);

include!(concat!(env!("OUT_DIR"), "/linked_modules.rs"));

/// The manifest of each linked module, and its `build`.
fn described() -> Vec<(Manifest, Build)> {
    let read = |(manifest, build): (&[u8], Build)| {
        // It was written by `export_module!`, in this build.
        (Manifest::parse(manifest).expect("a module's manifest"), build)
    };
    linked_modules().into_iter().map(read).collect()
}

/// The ids of the linked apps.
pub fn apps() -> Vec<String> {
    let apps = described().into_iter().filter(|(manifest, _)| manifest.kind == "Apps");
    apps.map(|(manifest, _)| manifest.id).collect()
}

/// The modules of an app, in the order of their requirements.
fn modules_of(app: &str) -> Option<Vec<Build>> {
    let (manifests, builds): (Vec<Manifest>, Vec<Build>) = described().into_iter().unzip();
    let ids = roster(&manifests, app)?;
    let build = |id: &String| {
        let at = manifests.iter().position(|manifest| manifest.id == *id)?;
        Some(builds[at])
    };
    Some(ids.iter().filter_map(build).collect())
}

/// The types that the modules persist.
#[derive(Resource, Default)]
pub struct Persisted(Vec<PersistRecord>);

impl Persisted {
    /// A hash of all their values, as `hash` in the console of the other form.
    ///
    /// # Errors
    ///
    /// If a value's own serialization fails.
    pub fn hash(world: &mut World) -> Result<String, HashError> {
        world.resource_scope(|world, persisted: Mut<Self>| {
            playground_state_hash::hash(world, persisted.0.iter())
        })
    }
}

/// Adds the modules of `app_id` to the app, and runs their [`OnLoad`] after [`Startup`]. Returns
/// false if there is no such app.
pub fn add_modules(app: &mut App, app_id: &str) -> bool {
    let Some(builds) = modules_of(app_id) else { return false };
    app.init_resource::<Persisted>();
    app.init_schedule(OnLoad);
    // Gameplay must be deterministic.
    let strict = ScheduleBuildSettings { ambiguity_detection: LogLevel::Error, ..default() };
    for schedule in [FixedPreUpdate.intern(), FixedUpdate.intern(), FixedPostUpdate.intern()] {
        schedule_of(app.world_mut(), schedule).set_build_settings(strict.clone());
    }
    for build in builds {
        let mut module = ModuleApp::new();
        build(&mut module);
        apply(app, module.into_recorded());
    }
    app.add_systems(PostStartup, |world: &mut World| world.run_schedule(OnLoad));
    true
}

fn apply(app: &mut App, recorded: Recorded) {
    let world = app.world_mut();
    world.resource_mut::<Persisted>().0.extend(recorded.persisted);
    for message in recorded.messages {
        (message.register)(world);
    }
    for resource in recorded.resources {
        match resource.initial {
            InitialValue::IfMissing(insert) => insert(world),
            // Nothing takes it away again, so what was there before is not put back.
            InitialValue::Value(insert) => drop(insert(world)),
        }
    }
    for state in recorded.states {
        (state.prepare)(world);
        (state.init)(world);
    }
    for record in recorded.tuning {
        (record.init)(world);
        let file = assets::folder().join(record.path);
        let applied = std::fs::read_to_string(&file)
            .map_err(|error| error.to_string())
            .and_then(|text| (record.apply)(world, &text));
        if let Err(error) = applied {
            eprintln!("playground: {}: {error}", file.display());
        }
    }
    for register in recorded.types {
        register(world.resource::<AppTypeRegistry>());
    }
    for (schedule, sets) in recorded.sets {
        schedule_of(world, schedule).configure_sets(sets);
    }
    for (schedule, systems) in recorded.systems {
        schedule_of(world, schedule).add_systems(systems);
    }
    // Does not catch panics: a panic ends the game, as in any linked code.
    let guard: PanicGuard = Arc::new(|_, run| {
        run();
        true
    });
    for registered in recorded.registered {
        (registered.register)(world);
    }
    for spawn in recorded.observers {
        spawn(world, guard.clone());
    }
}

fn schedule_of(world: &mut World, label: impl ScheduleLabel) -> Mut<'_, Schedule> {
    let label = label.intern();
    let schedules = world.resource_mut::<Schedules>();
    schedules.map_unchanged(|schedules| schedules.entry(label))
}
