//! The project's own libraries that modules are compiled with and that are not modules: helper
//! crates and macros on this disk, which cargo rebuilds without changing their names.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::{Package, WorkspaceError, files, metadata};

/// The crate that modules and host share; its build is checked separately.
const API: &str = "playground_api";

/// A library that is not a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalDep {
    /// The folder that holds its `Cargo.toml`.
    pub folder: PathBuf,
    /// Hash of its files when the modules were last listed.
    pub hash: String,
}

/// The local packages that `module` is compiled with, directly or through others, without modules
/// and the API.
pub fn reached(
    packages: &BTreeMap<String, Package>,
    modules: &Path,
    module: &str,
) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open = vec![module.to_owned()];
    while let Some(package) = open.pop().and_then(|name| packages.get(&name)) {
        for (name, _) in paths(package) {
            let is_module = packages.get(&name).is_some_and(|package| package.is_module(modules));
            let skipped = name == API || is_module;
            if !skipped && found.insert(name.clone()) {
                open.push(name);
            }
        }
    }
    found
}

/// Adds the packages that lie outside of the workspace.
///
/// # Errors
///
/// If cargo cannot read one of them.
pub fn complete(
    packages: &mut BTreeMap<String, Package>,
    modules: &Path,
) -> Result<(), WorkspaceError> {
    let own = packages.values().filter(|package| package.manifest_path.starts_with(modules));
    let mut open: Vec<(String, PathBuf)> = own.flat_map(paths).collect();
    let mut seen = BTreeSet::new();
    while let Some((name, folder)) = open.pop() {
        if name == API || !seen.insert(name.clone()) {
            continue;
        }
        if let Some(package) = packages.get(&name) {
            open.extend(paths(package));
            continue;
        }
        let found = metadata(&folder)?.packages.into_iter().find(|package| package.name == name);
        if let Some(package) = found {
            open.extend(paths(&package));
            packages.insert(name, package);
        }
    }
    Ok(())
}

/// The library in that folder, in its current state.
///
/// # Errors
///
/// If one of its files cannot be read.
pub fn read(package: &Package) -> Result<Option<LocalDep>, WorkspaceError> {
    let Some(folder) = package.manifest_path.parent().map(Path::to_owned) else { return Ok(None) };
    let mut hasher = blake3::Hasher::new();
    for (path, bytes) in files(&folder)? {
        add(&mut hasher, &path, &bytes);
    }
    Ok(Some(LocalDep { folder, hash: hasher.finalize().to_hex().to_string() }))
}

/// The hash of the API's sources, and of those libraries on this disk that it is made of.
///
/// # Errors
///
/// If one of their files cannot be read.
pub fn hash_of_api(
    packages: &BTreeMap<String, Package>,
    modules: &Path,
) -> Result<String, WorkspaceError> {
    let mut hasher = blake3::Hasher::new();
    let below = reached(packages, modules, API);
    for package in below.iter().map(String::as_str).chain([API]).filter_map(|it| packages.get(it)) {
        let Some(folder) = package.manifest_path.parent() else { continue };
        let is_compiled = |path: &Path| {
            path.starts_with("src")
                || [Path::new("Cargo.toml"), Path::new("build.rs")].contains(&path)
        };
        for (path, bytes) in files(folder)?.into_iter().filter(|(path, _)| is_compiled(path)) {
            add(&mut hasher, &path, &bytes);
        }
    }
    Ok(hasher.finalize().to_hex().to_string())
}

fn add(hasher: &mut blake3::Hasher, path: &Path, bytes: &[u8]) {
    for part in [path.to_string_lossy().as_bytes(), bytes] {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
}

/// Dependencies on this disk, except for dev-dependencies.
fn paths(package: &Package) -> Vec<(String, PathBuf)> {
    let all = package.dependencies.iter().filter(|d| d.kind.as_deref() != Some("dev"));
    all.filter_map(|d| Some((d.name.clone(), d.path.clone()?))).collect()
}
