//! Files of tuning values: read when a module enters, and again when Bevy's asset server says that
//! they changed.

use std::fs;

use bevy::asset::AssetEvent;
use bevy::prelude::*;
use playground_api::tuning::{DataFile, DataRecord};

/// Where assets are, as the host's `AssetPlugin` was told.
#[derive(Resource, Clone, Debug)]
pub struct AssetFolder(pub std::path::PathBuf);

/// A file that a running module reads.
pub struct Source {
    /// What the module asked for.
    pub record: DataRecord,
    handle: Option<Handle<DataFile>>,
    text: String,
}

/// Inserts the resource and reads the file. Gives a warning where the file cannot be used.
///
/// The file is read at once and not through the asset server, so that a module's first systems
/// find its values and a run is the same every time.
pub fn enter(world: &mut World, record: DataRecord) -> (Source, Option<String>) {
    (record.init)(world);
    let folder = world.get_resource::<AssetFolder>().map(|folder| folder.0.clone());
    let path = folder.unwrap_or_else(|| "assets".into()).join(record.path);
    let handle = world.get_resource::<AssetServer>().map(|server| server.load(record.path));
    let mut source = Source { record, handle, text: String::new() };
    let warning = match fs::read_to_string(&path) {
        Ok(text) => source.set(world, text).err(),
        Err(error) => Some(format!("H0701: {}: {error}; the defaults stand", path.display())),
    };
    (source, warning)
}

impl Source {
    fn set(&mut self, world: &mut World, text: String) -> Result<bool, String> {
        if self.text == text {
            return Ok(false);
        }
        let applied = (self.record.apply)(world, &text);
        self.text = text;
        applied.map(|()| true).map_err(|error| {
            format!(
                "H0702: assets/{} does not fit {}: {error}The values stay as they were",
                self.record.path, self.record.type_name
            )
        })
    }
}

/// What was read anew.
pub enum Reread {
    /// New values are in place.
    Changed(String),
    /// The file does not fit.
    Refused(String),
}

/// Reads again what changed since the last call.
pub fn reread<'a>(
    world: &mut World,
    cursor: &mut bevy::ecs::message::MessageCursor<AssetEvent<DataFile>>,
    sources: impl Iterator<Item = &'a mut Source>,
) -> Vec<Reread> {
    let Some(messages) = world.get_resource::<Messages<AssetEvent<DataFile>>>() else {
        return Vec::new();
    };
    let changed: Vec<AssetId<DataFile>> = cursor
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
        let file = world.resource::<Assets<DataFile>>().get(handle).map(|file| file.text.clone());
        let Some(text) = file else { continue };
        match source.set(world, text) {
            Ok(true) => read.push(Reread::Changed(source.record.path.to_owned())),
            Ok(false) => {}
            Err(error) => read.push(Reread::Refused(error)),
        }
    }
    read
}
