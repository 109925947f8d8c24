//! Tuning values: TOML files under `assets/`, read into a resource and again when the file changes.

use std::any::TypeId;

use bevy::asset::{AssetLoader, LoadContext, io::Reader};
use bevy::prelude::*;
use serde::de::DeserializeOwned;

/// A TOML file of tuning values, as Bevy's asset server loaded it.
#[derive(Asset, TypePath, Clone, Debug, PartialEq, Eq)]
pub struct DataFile {
    /// The file's text.
    pub text: String,
}

/// Loads `.toml` files as [`DataFile`].
#[derive(Default, TypePath)]
pub struct DataFileLoader;

impl AssetLoader for DataFileLoader {
    type Asset = DataFile;
    type Settings = ();
    type Error = std::io::Error;

    async fn load(
        &self,
        reader: &mut dyn Reader,
        _settings: &(),
        _context: &mut LoadContext<'_>,
    ) -> Result<DataFile, std::io::Error> {
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).await?;
        let text = String::from_utf8(bytes)
            .map_err(|error| std::io::Error::new(std::io::ErrorKind::InvalidData, error))?;
        Ok(DataFile { text })
    }

    fn extensions(&self) -> &[&str] {
        &["toml"]
    }
}

/// A resource that a module reads from a file of tuning values.
pub struct DataRecord {
    /// The file, relative to `assets/`.
    pub path: &'static str,
    /// The resource's type.
    pub type_id: TypeId,
    /// The resource's type name.
    pub type_name: &'static str,
    /// Inserts the default where the resource is missing.
    pub init: fn(&mut World),
    /// Sets the resource from the file's text; the error says what is wrong and where.
    pub apply: fn(&mut World, &str) -> Result<(), String>,
}

impl DataRecord {
    /// The record for the resource `T`.
    pub fn new<T: Resource + Default + DeserializeOwned>(path: &'static str) -> Self {
        Self {
            path,
            type_id: TypeId::of::<T>(),
            type_name: std::any::type_name::<T>(),
            init: |world| {
                world.init_resource::<T>();
            },
            apply: |world, text| {
                let value: T = toml::from_str(text).map_err(|error| error.to_string())?;
                world.insert_resource(value);
                Ok(())
            },
        }
    }
}
