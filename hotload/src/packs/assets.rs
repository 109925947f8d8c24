//! Assets of packs, as `pack://ID/PATH`: the file PATH in the folder `assets/` of the installed pack,
//! or of the one that is made in the workspace.
//!
//! ```text
//!  the worker's list of packs ─► PackFolders ─┬─► PackReader, which the asset server asks
//!                                             └─► the asset server reloads what an update changed
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex};

use bevy::asset::io::{
    AssetReader, AssetReaderError, AssetSourceBuilder, AssetSourceEvent, AssetWatcher, PathStream,
    Reader, VecReader,
};
use bevy::prelude::*;

use super::PackVersion;
use crate::ids::ModuleId;
use crate::pipeline::lock;

/// The name of the asset source.
const SOURCE: &str = "pack";

/// Lets modules load the assets of packs: `asset_server.load("pack://boss_wave/boss.png")`.
/// Add it before `DefaultPlugins`, where Bevy makes its asset sources.
#[derive(Clone, Copy, Debug, Default)]
pub struct PackAssetsPlugin;

impl Plugin for PackAssetsPlugin {
    fn build(&self, app: &mut App) {
        let folders = PackFolders::default();
        let (read, watched) = (folders.clone(), folders.clone());
        let source = AssetSourceBuilder::new(move || Box::new(PackReader(read.clone())));
        let source = source.with_watcher(move |sender| {
            // Nobody waits for a reload when the asset server is gone.
            let changed = move |path| _ = sender.try_send(AssetSourceEvent::ModifiedAsset(path));
            lock(&watched.0).changed = Some(Box::new(changed));
            Some(Box::new(Watched))
        });
        app.register_asset_source(SOURCE, source).insert_resource(folders);
    }
}

/// The folders of the packs.
#[derive(Resource, Clone, Default)]
pub struct PackFolders(Arc<Mutex<Shared>>);

#[derive(Default)]
struct Shared {
    by_id: BTreeMap<String, PathBuf>,
    /// The id of each module's pack.
    by_module: BTreeMap<ModuleId, String>,
    /// Has the asset server load a file again.
    changed: Option<Box<dyn Fn(PathBuf) + Send + Sync>>,
}

/// The asset server asks for a watcher; changes come from [`PackFolders::set`].
struct Watched;

impl AssetWatcher for Watched {}

impl PackFolders {
    /// Sets the installed packs and those that are made in the workspace, by module; of two with the
    /// same id, the installed one counts. Assets that are in use and whose pack was exchanged are
    /// loaded again.
    pub fn set(
        &self,
        installed: &BTreeMap<ModuleId, Arc<PackVersion>>,
        developed: &BTreeMap<ModuleId, Arc<PackVersion>>,
    ) {
        let mut shared = lock(&self.0);
        let packs = || developed.iter().chain(installed);
        let by_id = packs().map(|(_, pack)| (pack.id.clone(), pack.folder.clone())).collect();
        shared.by_module = packs().map(|(id, pack)| (id.clone(), pack.id.clone())).collect();
        let before = std::mem::replace(&mut shared.by_id, by_id);
        let Some(changed) = &shared.changed else { return };
        for (id, folder) in &shared.by_id {
            let Some(old) = before.get(id).filter(|old| *old != folder) else { continue };
            let files: BTreeSet<PathBuf> =
                [old, folder].into_iter().flat_map(|it| files_in(it)).collect();
            files.into_iter().for_each(|file| changed(Path::new(id).join(file)));
        }
    }

    /// An asset of a pack was written: it is loaded again if it is in use.
    pub fn changed(&self, file: &Path) {
        let shared = lock(&self.0);
        let Some(changed) = &shared.changed else { return };
        for (id, folder) in &shared.by_id {
            if let Ok(path) = file.strip_prefix(folder.join("assets")) {
                changed(Path::new(id).join(path));
            }
        }
    }

    /// The file and the asset path of `path` in the pack of a module, if there is such a file.
    pub fn of_module(&self, module: &ModuleId, path: &str) -> Option<(PathBuf, String)> {
        let id = lock(&self.0).by_module.get(module)?.clone();
        let file = self.file(&Path::new(&id).join(path)).ok().filter(|file| file.is_file())?;
        Some((file, format!("{SOURCE}://{id}/{path}")))
    }

    /// The file of an asset.
    fn file(&self, path: &Path) -> io::Result<PathBuf> {
        let mut components = path.components();
        let all_normal = path.components().all(|it| matches!(it, Component::Normal(_)));
        let id = components.next().filter(|_| all_normal).and_then(|it| it.as_os_str().to_str());
        let folder = id.and_then(|id| lock(&self.0).by_id.get(id).cloned());
        let folder = folder.ok_or_else(|| io::Error::from(ErrorKind::NotFound))?;
        Ok(folder.join("assets").join(components.as_path()))
    }
}

/// The assets of a pack, relative to its folder `assets/`.
fn files_in(folder: &Path) -> Vec<PathBuf> {
    let (root, mut found) = (folder.join("assets"), Vec::new());
    let mut open = vec![root.clone()];
    while let Some(folder) = open.pop() {
        for path in fs::read_dir(folder).into_iter().flatten().flatten().map(|it| it.path()) {
            if path.is_dir() {
                open.push(path);
            } else if let Ok(file) = path.strip_prefix(&root) {
                found.push(file.to_owned());
            }
        }
    }
    found
}

/// Reads assets of packs.
struct PackReader(PackFolders);

impl PackReader {
    fn bytes(&self, path: &Path) -> Result<VecReader, AssetReaderError> {
        let read = self.0.file(path).and_then(fs::read);
        read.map(VecReader::new).map_err(|error| failed(path, error))
    }
}

fn failed(path: &Path, error: io::Error) -> AssetReaderError {
    match error.kind() {
        ErrorKind::NotFound => AssetReaderError::NotFound(path.to_owned()),
        _ => error.into(),
    }
}

impl AssetReader for PackReader {
    async fn read<'a>(&'a self, path: &'a Path) -> Result<impl Reader + 'a, AssetReaderError> {
        self.bytes(path)
    }

    async fn read_meta<'a>(&'a self, path: &'a Path) -> Result<impl Reader + 'a, AssetReaderError> {
        self.bytes(&path.with_added_extension("meta"))
    }

    async fn read_directory<'a>(
        &'a self,
        path: &'a Path,
    ) -> Result<Box<PathStream>, AssetReaderError> {
        let entries = self.0.file(path).and_then(fs::read_dir);
        let entries = entries.map_err(|error| failed(path, error))?;
        let names = entries.flatten().map(|entry| path.join(entry.file_name()));
        Ok(Box::new(bevy::tasks::futures_lite::stream::iter(names.collect::<Vec<_>>())))
    }

    async fn is_directory<'a>(&'a self, path: &'a Path) -> Result<bool, AssetReaderError> {
        self.0.file(path).map(|file| file.is_dir()).map_err(|error| failed(path, error))
    }
}

#[cfg(test)]
mod tests {
    use bevy::asset::LoadState;
    use playground_api::tuning::{TuningFile, TuningFileLoader};

    use super::*;
    use crate::test_folder::TestFolder;

    fn pack(
        folder: &TestFolder,
        version: &str,
        text: &str,
    ) -> BTreeMap<ModuleId, Arc<PackVersion>> {
        let root = folder.join(version);
        fs::create_dir_all(root.join("assets/waves")).unwrap();
        fs::write(root.join("assets/waves/boss.toml"), text).unwrap();
        fs::write(root.join("pack.toml"), "secret").unwrap();
        let (id, title) = ("boss_wave".to_owned(), "Boss wave".to_owned());
        let version = version.parse().unwrap();
        let pack = PackVersion { id, title, version, folder: root };
        BTreeMap::from([("plugins_boss_wave".into(), Arc::new(pack))])
    }

    fn until(app: &mut App, mut done: impl FnMut(&App) -> bool) {
        let started = std::time::Instant::now();
        while !done(app) {
            assert!(started.elapsed().as_secs() < 60, "in vain");
            app.update();
        }
    }

    #[test]
    fn assets_of_a_pack_are_loaded_and_follow_its_updates() {
        let folder = TestFolder::new("pack_assets");
        let assets =
            AssetPlugin { watch_for_changes_override: Some(true), ..AssetPlugin::default() };
        let mut app = App::new();
        app.add_plugins((PackAssetsPlugin, MinimalPlugins, assets));
        app.init_asset::<TuningFile>().init_asset_loader::<TuningFileLoader>();
        let folders = app.world().resource::<PackFolders>().clone();
        let developed = pack(&folder, "1.0.0", "size = 1\n");
        folders.set(&BTreeMap::new(), &developed);
        let server = app.world().resource::<AssetServer>().clone();
        let handle: Handle<TuningFile> = server.load("pack://boss_wave/waves/boss.toml");
        let text = |app: &App| {
            let files = app.world().resource::<Assets<TuningFile>>();
            files.get(&handle).map(|file| file.text.clone()).unwrap_or_default()
        };
        until(&mut app, |app| text(app) == "size = 1\n");
        // It is edited.
        pack(&folder, "1.0.0", "size = 2\n");
        folders.changed(&folder.join("1.0.0/assets/waves/boss.toml"));
        until(&mut app, |app| text(app) == "size = 2\n");
        // A version is installed, and then another one.
        folders.set(&pack(&folder, "1.1.0", "size = 3\n"), &developed);
        until(&mut app, |app| text(app) == "size = 3\n");
        folders.set(&pack(&folder, "1.2.0", "size = 4\n"), &developed);
        until(&mut app, |app| text(app) == "size = 4\n");
        let module = "plugins_boss_wave".into();
        let found = folders.of_module(&module, "waves/boss.toml");
        let file = folder.join("1.2.0/assets/waves/boss.toml");
        assert_eq!(found, Some((file, "pack://boss_wave/waves/boss.toml".to_owned())));
        for path in ["waves/none.toml", "waves", "../pack.toml", "/etc/passwd"] {
            assert_eq!(folders.of_module(&module, path), None, "{path}");
        }

        for path in [
            "pack://other/waves/boss.toml",
            "pack://boss_wave/waves/none.toml",
            "pack://boss_wave/../pack.toml",
        ] {
            let handle: Handle<TuningFile> = server.load(path);
            let fails = |_: &App| matches!(server.load_state(&handle), LoadState::Failed(_));
            until(&mut app, fails);
        }
    }
}
