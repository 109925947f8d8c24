//! Reads tuning files when a module enters, and again when Bevy's asset server reports a change.

use std::path::PathBuf;
use std::{fs, io};

use bevy::asset::AssetEvent;
use bevy::prelude::*;
use playground_api::tuning::{TuningFile, TuningRecord};
use thiserror::Error;

use crate::explain::{Explain, Explanation};

/// The folder of the host's `AssetPlugin`.
#[derive(Resource, Clone, Debug)]
pub struct AssetFolder(pub std::path::PathBuf);

/// A tuning file cannot be used. The values are unchanged.
#[derive(Debug, Error)]
#[error("{}", self.explain())]
pub enum TuningError {
    /// The file cannot be read.
    File { path: PathBuf, source: io::Error },
    /// The text does not fit the resource.
    Values {
        /// The file, relative to the assets folder.
        path: &'static str,
        /// The resource's type name.
        type_name: &'static str,
        /// TOML's message, on one or more lines.
        reason: String,
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
                Explanation::new("H0702", format!("assets/{path} does not fit {type_name}"))
                    .details(reason)
                    .remedy("The values stay as they were. Correct the file and save it")
            }
        }
    }
}

/// A file that a running module reads.
pub struct Source {
    /// The module's registration.
    pub record: TuningRecord,
    handle: Option<Handle<TuningFile>>,
    text: String,
}

/// Inserts the resource and reads the file. Returns a warning if the file cannot be used.
///
/// The file is read synchronously and not through the asset server, so that the values are there
/// for the module's first systems and runs are deterministic.
pub fn enter(world: &mut World, record: TuningRecord) -> (Source, Option<TuningError>) {
    (record.init)(world);
    let folder = world.get_resource::<AssetFolder>().map(|folder| folder.0.clone());
    let path = folder.unwrap_or_else(|| "assets".into()).join(record.path);
    let handle = world.get_resource::<AssetServer>().map(|server| server.load(record.path));
    let mut source = Source { record, handle, text: String::new() };
    let warning = match fs::read_to_string(&path) {
        Ok(text) => source.set(world, text).err(),
        Err(source) => Some(TuningError::File { path, source }),
    };
    (source, warning)
}

impl Source {
    fn set(&mut self, world: &mut World, text: String) -> Result<bool, TuningError> {
        if self.text == text {
            return Ok(false);
        }
        let applied = (self.record.apply)(world, &text);
        self.text = text;
        let TuningRecord { path, type_name, .. } = self.record;
        applied.map(|()| true).map_err(|reason| TuningError::Values { path, type_name, reason })
    }
}

/// A tuning file that was read again.
pub enum Reread {
    /// The new values were applied; contains the file's path.
    Changed(String),
    /// The file cannot be used.
    Refused(TuningError),
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
        match source.set(world, text) {
            Ok(true) => read.push(Reread::Changed(source.record.path.to_owned())),
            Ok(false) => {}
            Err(error) => read.push(Reread::Refused(error)),
        }
    }
    read
}
