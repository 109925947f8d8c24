//! Reads tuning files when a module enters, and again when Bevy's asset server reports a change.

use std::path::PathBuf;
use std::{fs, io};

use bevy::asset::AssetEvent;
use bevy::prelude::*;
use playground_api::tuning::{TuningFile, TuningFileLoader, TuningRecord};
use thiserror::Error;

use crate::explain::{Explain, Explanation};
use crate::ids::ModuleId;
use crate::packs::PackFolders;

/// The folder of the host's `AssetPlugin`.
#[derive(Resource, Clone, Debug)]
pub struct AssetFolder(pub std::path::PathBuf);

/// A problem with a tuning file.
#[derive(Debug, Error)]
#[error("{}", self.explain())]
pub enum TuningError {
    /// The file cannot be read. The values are unchanged.
    File { path: PathBuf, source: io::Error },
    /// The text does not fit the resource. The values are unchanged.
    Values {
        /// The file, by its asset path.
        path: String,
        /// The resource's type name.
        type_name: &'static str,
        /// TOML's message, on one or more lines.
        reason: String,
    },
    /// The resource has no fields for some of the file's keys. The others are used.
    UnknownKeys {
        /// The file, by its asset path.
        path: String,
        /// The resource's type name.
        type_name: &'static str,
        /// The keys, with those of the tables that they are in.
        keys: Vec<String>,
    },
}

impl Explain for TuningError {
    fn explain(&self) -> Explanation {
        match self {
            Self::File { path, source } => {
                Explanation::new("H0701", format!("{}: {source}", path.display()))
                    .remedy("The default values are used. Add the file, or make it readable")
            }
            Self::Values { path, type_name, reason } => {
                Explanation::new("H0702", format!("{path} does not fit {type_name}"))
                    .details(reason)
                    .remedy("The values stay as they were. Correct the file and save it")
            }
            Self::UnknownKeys { path, type_name, keys } => {
                let keys: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
                let keys = keys.join(", ");
                let happened =
                    format!("{path} has keys that {type_name} has no fields for: {keys}");
                Explanation::new("H0703", happened)
                    .remedy("The other values are used. Correct the name, or remove the line")
            }
        }
    }
}

/// A file that a running module reads.
pub struct Source {
    /// The module's registration.
    pub record: TuningRecord,
    /// The file's asset path, as messages show it.
    path: String,
    handle: Option<Handle<TuningFile>>,
    text: String,
}

/// Inserts the resource and reads the file, from the module's pack if that has one of the name.
/// Returns a warning if the file cannot be used.
///
/// The file is read synchronously and not through the asset server, so that the values are there
/// for the module's first systems and runs are deterministic.
pub fn enter(
    world: &mut World,
    module: &ModuleId,
    record: TuningRecord,
) -> (Source, Option<TuningError>) {
    (record.init)(world);
    let packs = world.get_resource::<PackFolders>();
    let in_pack = packs.and_then(|packs| packs.of_module(module, record.path));
    let (file, path, asset) = match in_pack {
        Some((file, asset)) => (file, asset.clone(), asset),
        None => {
            let folder = world.get_resource::<AssetFolder>().map(|folder| folder.0.clone());
            let file = folder.unwrap_or_else(|| "assets".into()).join(record.path);
            (file, format!("assets/{}", record.path), record.path.to_owned())
        }
    };
    let has_assets = world.contains_resource::<AssetServer>();
    let handle = has_assets.then(|| {
        register_asset(world);
        world.resource::<AssetServer>().load(asset)
    });
    let mut source = Source { record, path, handle, text: String::new() };
    let warning = match fs::read_to_string(&file) {
        Ok(text) => source.set(world, text).and_then(Reread::problem),
        Err(source) => Some(TuningError::File { path: file, source }),
    };
    (source, warning)
}

/// Registers tuning files with Bevy's assets, for the first module that has one: the systems of an asset
/// run in every frame.
fn register_asset(world: &mut World) {
    if world.contains_resource::<Assets<TuningFile>>() {
        return;
    }
    // Bevy registers assets with an app, not with a world.
    let mut app = App::empty();
    std::mem::swap(app.world_mut(), world);
    app.init_asset::<TuningFile>().init_asset_loader::<TuningFileLoader>();
    std::mem::swap(app.world_mut(), world);
}

impl Source {
    /// `None` if the text is as before.
    fn set(&mut self, world: &mut World, text: String) -> Option<Reread> {
        if self.text == text {
            return None;
        }
        let applied = (self.record.apply)(world, &text);
        self.text = text;
        let (path, type_name) = (self.path.clone(), self.record.type_name);
        Some(match applied {
            Ok(keys) if keys.is_empty() => Reread::Changed { path, unknown: None },
            Ok(keys) => {
                let unknown = TuningError::UnknownKeys { path: path.clone(), type_name, keys };
                Reread::Changed { path, unknown: Some(unknown) }
            }
            Err(reason) => {
                let error = TuningError::Values { path: path.clone(), type_name, reason };
                Reread::Refused { path, error }
            }
        })
    }
}

/// The result of reading a tuning file with another text than before.
pub enum Reread {
    /// The new values were applied.
    Changed {
        /// The file's asset path.
        path: String,
        /// The keys that were ignored.
        unknown: Option<TuningError>,
    },
    /// The file cannot be used.
    Refused {
        /// Its asset path.
        path: String,
        /// Why.
        error: TuningError,
    },
}

impl Reread {
    /// The error, or the keys that were ignored.
    fn problem(self) -> Option<TuningError> {
        match self {
            Self::Changed { unknown, .. } => unknown,
            Self::Refused { error, .. } => Some(error),
        }
    }
}

/// Reads the files that changed since the last call.
pub fn reread<'a>(
    world: &mut World,
    cursor: &mut bevy::ecs::message::MessageCursor<AssetEvent<TuningFile>>,
    sources: impl Iterator<Item = &'a mut Source>,
) -> Vec<Reread> {
    let Some(messages) = world.get_resource::<Messages<AssetEvent<TuningFile>>>() else {
        return Vec::new();
    };
    let changed: Vec<AssetId<TuningFile>> = cursor
        .read(messages)
        .filter_map(|event| match event {
            AssetEvent::Added { id } | AssetEvent::Modified { id } => Some(*id),
            _ => None,
        })
        .collect();
    if changed.is_empty() {
        return Vec::new();
    }
    let mut read = Vec::new();
    for source in sources {
        let Some(handle) = &source.handle else { continue };
        if !changed.contains(&handle.id()) {
            continue;
        }
        let file = world.resource::<Assets<TuningFile>>().get(handle).map(|file| file.text.clone());
        let Some(text) = file else { continue };
        read.extend(source.set(world, text));
    }
    read
}
