//! Tuning files: TOML files in `assets/`, read into resources, and again when they change.

use std::any::TypeId;

use bevy::asset::{AssetLoader, LoadContext, io::Reader};
use bevy::prelude::*;
use serde::de::DeserializeOwned;

/// A tuning file as Bevy's asset server loaded it.
#[derive(Asset, TypePath, Clone, Debug, PartialEq, Eq)]
pub struct TuningFile {
    /// The file's content, not parsed.
    pub text: String,
}

/// Loads `.toml` files as [`TuningFile`].
#[derive(Default, TypePath)]
pub struct TuningFileLoader;

impl AssetLoader for TuningFileLoader {
    type Asset = TuningFile;
    type Settings = ();
    type Error = std::io::Error;

    async fn load(
        &self,
        reader: &mut dyn Reader,
        _settings: &(),
        _context: &mut LoadContext<'_>,
    ) -> Result<TuningFile, std::io::Error> {
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).await?;
        let text = String::from_utf8(bytes)
            .map_err(|error| std::io::Error::new(std::io::ErrorKind::InvalidData, error))?;
        Ok(TuningFile { text })
    }

    fn extensions(&self) -> &[&str] {
        &["toml"]
    }
}

/// A resource that a module reads from a tuning file.
pub struct TuningRecord {
    /// The file, relative to `assets/`.
    pub path: &'static str,
    pub type_id: TypeId,
    /// [`type_name`](crate::schema::names::type_name) of the resource.
    pub type_name: &'static str,
    /// Inserts the default if the resource is missing.
    pub init: fn(&mut World),
    /// Sets the resource from the file's text, and returns the keys that it has no field for. The
    /// error is TOML's message with line and column.
    pub apply: fn(&mut World, &str) -> Result<Vec<String>, String>,
}

impl TuningRecord {
    /// A record for the resource `T` and the file at `path`, relative to `assets/`.
    pub fn new<T: Resource + Default + DeserializeOwned>(path: &'static str) -> Self {
        Self {
            path,
            type_id: TypeId::of::<T>(),
            type_name: crate::schema::names::type_name::<T>(),
            init: |world| {
                world.init_resource::<T>();
            },
            apply: |world, text| {
                let mut unknown = Vec::new();
                let value: Result<T, toml::de::Error> =
                    toml::Deserializer::parse(text).and_then(|toml| {
                        serde_ignored::deserialize(toml, |path| unknown.push(path.to_string()))
                    });
                world.insert_resource(value.map_err(|error| error.to_string())?);
                Ok(unknown)
            },
        }
    }
}
