//! Which modules there are: the workspace members under the modules folder, as cargo sees them.

mod local_deps;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{fs, io};

use serde::Deserialize;
use thiserror::Error;

use crate::os_remedies::remedy;

pub use local_deps::Library;

/// Where the modules and what is built of them are.
#[derive(Clone, Debug)]
pub struct Folders {
    /// The cargo workspace that holds the modules.
    pub workspace: PathBuf,
    /// Its modules.
    pub modules: PathBuf,
    /// What is built of them; below cargo's target folder.
    pub built: PathBuf,
}

/// A module's crate on disk.
#[derive(Clone, Debug)]
pub struct ModuleCrate {
    /// Package name.
    pub id: String,
    /// The folder that holds its `Cargo.toml`.
    pub folder: PathBuf,
    /// The modules that it links to: core crates.
    pub links: BTreeSet<String>,
    /// Libraries on this disk that it is compiled with and that are no modules.
    pub libraries: BTreeSet<String>,
}

impl ModuleCrate {
    /// The name that rustc knows the crate by.
    pub fn crate_name(&self) -> String {
        self.id.replace('-', "_")
    }
}

/// The modules on disk, by id.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    /// The modules.
    pub crates: BTreeMap<String, ModuleCrate>,
    /// The libraries of the project's own that they are compiled with, by package.
    pub libraries: BTreeMap<String, Library>,
}

/// Why the modules on disk cannot be told.
#[derive(Debug, Error)]
pub enum CatalogError {
    /// cargo could not be started.
    #[error(
        "H0101: cargo could not be started in {folder}: {source}. Install Rust with rustup, \
         or start the game from a shell that finds `cargo`"
    )]
    Start {
        /// Where.
        folder: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// cargo refused a manifest.
    #[error("H0102: cargo cannot read the workspace at {folder}:\n{message}")]
    Refused {
        /// Where.
        folder: PathBuf,
        /// What cargo said.
        message: String,
    },
    /// cargo answered something else than JSON.
    #[error("H0103: `cargo metadata` in {folder} answered in an unknown form: {source}")]
    Answer {
        /// Where.
        folder: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// A module gives a core crate another name.
    #[error(
        "H0105: module `{module}` depends on `{core}` under the name `{name}`: modules are linked by \
         their own names. Take out `package = \"{core}\"`, and say `use {core} as {name};`"
    )]
    Renamed {
        /// The module.
        module: String,
        /// The core crate.
        core: String,
        /// What it is called there.
        name: String,
    },
    /// A source or a folder with sources cannot be read.
    #[error("H0106: {} cannot be read: {source}. {}; what runs goes on until then", path.display(), remedy(source))]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A link between modules runs in a circle.
    #[error("H0104: these core crates depend on each other in a circle: {0}")]
    Circle(String),
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    target_directory: PathBuf,
    workspace_root: PathBuf,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    /// What the crate calls it, if that is something else.
    rename: Option<String>,
    kind: Option<String>,
    /// Where it is, if it is on this disk.
    path: Option<PathBuf>,
}

/// The modules in the workspace that holds `folder`, and where they are built.
///
/// # Errors
///
/// When cargo cannot be started, or cannot read a manifest.
pub fn scan(folder: &Path) -> Result<(Folders, Catalog), CatalogError> {
    let metadata = metadata(folder)?;
    let folders = Folders {
        modules: metadata.workspace_root.join("modules"),
        built: metadata.target_directory.join("playground"),
        workspace: metadata.workspace_root,
    };
    let catalog = catalog(&folders.modules, metadata.packages)?;
    catalog.build_order()?;
    Ok((folders, catalog))
}

/// What cargo says of the workspace that holds `folder`.
fn metadata(folder: &Path) -> Result<Metadata, CatalogError> {
    let output = Command::new("cargo")
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .map_err(|source| CatalogError::Start { folder: folder.into(), source })?;
    if !output.status.success() {
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(CatalogError::Refused { folder: folder.into(), message });
    }
    serde_json::from_slice(&output.stdout)
        .map_err(|source| CatalogError::Answer { folder: folder.into(), source })
}

fn catalog(modules: &Path, packages: Vec<Package>) -> Result<Catalog, CatalogError> {
    let mut packages: BTreeMap<String, Package> =
        packages.into_iter().map(|package| (package.name.clone(), package)).collect();
    local_deps::complete(&mut packages, modules)?;
    let is_module = |package: &&Package| package.manifest_path.starts_with(modules);
    let ids: BTreeSet<&String> =
        packages.values().filter(is_module).map(|package| &package.name).collect();
    for package in packages.values().filter(is_module) {
        let renamed = |d: &&Dependency| ids.contains(&d.name) && d.rename.is_some();
        if let Some(dependency) = package.dependencies.iter().find(renamed) {
            return Err(CatalogError::Renamed {
                module: package.name.clone(),
                core: dependency.name.clone(),
                name: dependency.rename.clone().unwrap_or_default(),
            });
        }
    }
    let module = |id: &&String| {
        let package = packages.get(*id)?;
        let normal = package.dependencies.iter().filter(|d| d.kind.is_none());
        let links = normal.map(|dependency| &dependency.name).filter(|name| ids.contains(name));
        Some(ModuleCrate {
            id: (*id).clone(),
            folder: package.manifest_path.parent()?.to_owned(),
            links: links.cloned().collect(),
            libraries: local_deps::reached(&packages, modules, id),
        })
    };
    let crates: BTreeMap<String, ModuleCrate> =
        ids.iter().filter_map(|id| Some(((*id).clone(), module(id)?))).collect();
    let names: BTreeSet<&String> = crates.values().flat_map(|module| &module.libraries).collect();
    let library = |name: &&String| {
        let library = local_deps::read(packages.get(*name)?).transpose()?;
        Some(library.map(|library| ((*name).clone(), library)))
    };
    let libraries = names.iter().filter_map(library).collect::<Result<_, _>>()?;
    Ok(Catalog { crates, libraries })
}

impl Catalog {
    /// Modules that others link to.
    pub fn linked(&self) -> BTreeSet<String> {
        self.crates.values().flat_map(|module| module.links.iter().cloned()).collect()
    }

    /// The modules that `id` links to, directly or through others.
    pub fn links_of(&self, id: &str) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut open = vec![id.to_owned()];
        while let Some(next) = open.pop() {
            let Some(module) = self.crates.get(&next) else { continue };
            for link in &module.links {
                if found.insert(link.clone()) {
                    open.push(link.clone());
                }
            }
        }
        found
    }

    /// `ids` and every module that links to one of them, directly or through others.
    pub fn with_dependents(&self, ids: &BTreeSet<String>) -> BTreeSet<String> {
        let linked = |id: &String| !self.links_of(id).is_disjoint(ids);
        let dependents = self.crates.keys().filter(|id| linked(id)).cloned();
        let present = ids.iter().filter(|id| self.crates.contains_key(*id)).cloned();
        present.chain(dependents).collect()
    }

    /// All modules, each behind those that it links to.
    ///
    /// # Errors
    ///
    /// When links run in a circle.
    pub fn build_order(&self) -> Result<Vec<String>, CatalogError> {
        let mut order: Vec<String> = Vec::with_capacity(self.crates.len());
        let mut open: BTreeSet<&String> = self.crates.keys().collect();
        while !open.is_empty() {
            let ready: Vec<&String> = open
                .iter()
                .copied()
                .filter(|id| self.crates[*id].links.iter().all(|link| !open.contains(link)))
                .collect();
            if ready.is_empty() {
                let names: Vec<&str> = open.iter().map(|id| id.as_str()).collect();
                return Err(CatalogError::Circle(names.join(", ")));
            }
            for id in ready {
                open.remove(id);
                order.push(id.clone());
            }
        }
        Ok(order)
    }
}

/// A crate's own files, relative to its folder, with what is in them, sorted: what a change in means
/// a new build.
///
/// # Errors
///
/// When one is there and cannot be read: it is not taken for an empty one.
pub fn files(folder: &Path) -> Result<Vec<(PathBuf, Vec<u8>)>, CatalogError> {
    let mut paths = Vec::new();
    collect(folder, folder, &mut paths)?;
    paths.sort();
    let read = |path: PathBuf| {
        let bytes = there(&folder.join(&path), fs::read)?.unwrap_or_default();
        Ok((path, bytes))
    };
    paths.into_iter().map(read).collect()
}

/// What reading gives; `None` where it went meanwhile: a change that follows tells of that.
fn there<T>(
    path: &Path,
    read: impl FnOnce(PathBuf) -> io::Result<T>,
) -> Result<Option<T>, CatalogError> {
    match read(path.to_owned()) {
        Ok(read) => Ok(Some(read)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(CatalogError::Unreadable { path: path.to_owned(), source }),
    }
}

fn collect(root: &Path, folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), CatalogError> {
    let entries = there(folder, fs::read_dir)?;
    for entry in entries.into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let path = entry.path();
        // Editors leave swap files and backups beside the source.
        if name.starts_with('.') || name.ends_with('~') || name == "target" {
            continue;
        }
        let kind = there(&path, fs::metadata)?.map(|data| data.file_type());
        if kind.is_some_and(|kind| kind.is_dir()) {
            collect(root, &path, found)?;
        } else if kind.is_none_or(|kind| kind.is_file())
            && let Ok(relative) = path.strip_prefix(root)
        {
            // To read a pipe could take forever.
            found.push(relative.to_owned());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_core_under_another_name_is_refused() {
        let package = |name: &str, dependencies: &str| -> Package {
            let text = format!(
                r#"{{"name":"{name}","manifest_path":"/w/modules/x/{name}/Cargo.toml",
                "dependencies":[{dependencies}]}}"#
            );
            serde_json::from_str(&text).unwrap()
        };
        let catalog_with = |rename: &str| {
            let dependency = format!(r#"{{"name":"core_a","rename":{rename},"kind":null}}"#);
            catalog(
                Path::new("/w/modules"),
                vec![package("core_a", ""), package("systems_b", &dependency)],
            )
        };
        let links = catalog_with("null").unwrap().crates["systems_b"].links.clone();
        assert_eq!(links, BTreeSet::from(["core_a".to_owned()]));
        let error = catalog_with("\"foo\"").unwrap_err().to_string();
        assert!(
            error.contains("H0105") && error.contains("`core_a` under the name `foo`"),
            "{error}"
        );
    }
}
