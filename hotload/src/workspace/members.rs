//! The modules among the workspace's members, and the links between them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::{Dependency, LocalDep, Package, WorkspaceError, local_deps};
use crate::ids::ModuleId;

/// A module's crate on disk.
#[derive(Clone, Debug)]
pub struct ModuleCrate {
    /// Its id: the package's name.
    pub id: ModuleId,
    /// The folder that holds its `Cargo.toml`.
    pub folder: PathBuf,
    /// The modules that it links to: core crates.
    pub links: BTreeSet<ModuleId>,
    /// Libraries on this disk that it is compiled with and that are not modules.
    pub libraries: BTreeSet<String>,
}

impl ModuleCrate {
    /// rustc's name of the crate.
    pub fn crate_name(&self) -> String {
        self.id.crate_name()
    }
}

/// The workspace members that are modules: the packages under the modules folder.
#[derive(Clone, Debug, Default)]
pub struct Members {
    /// By id.
    pub crates: BTreeMap<ModuleId, ModuleCrate>,
    /// The libraries on this disk that they are compiled with and that are not modules, by package.
    pub libraries: BTreeMap<String, LocalDep>,
}

impl Members {
    /// The modules among `packages`: those below the folder `modules`.
    ///
    /// # Errors
    ///
    /// If a module gives a core crate another name, or a library's files cannot be read.
    pub(super) fn among(packages: Vec<Package>, modules: &Path) -> Result<Self, WorkspaceError> {
        let mut packages: BTreeMap<String, Package> =
            packages.into_iter().map(|package| (package.name.clone(), package)).collect();
        local_deps::complete(&mut packages, modules)?;
        let is_module = |package: &&Package| package.manifest_path.starts_with(modules);
        let ids: BTreeSet<ModuleId> = packages
            .values()
            .filter(is_module)
            .map(|package| package.name.as_str().into())
            .collect();
        for package in packages.values().filter(is_module) {
            let renamed = |d: &&Dependency| ids.contains(d.name.as_str()) && d.rename.is_some();
            if let Some(dependency) = package.dependencies.iter().find(renamed) {
                return Err(WorkspaceError::Renamed {
                    module: package.name.as_str().into(),
                    core: dependency.name.as_str().into(),
                    name: dependency.rename.clone().unwrap_or_default(),
                });
            }
        }
        let module = |id: &ModuleId| {
            let package = packages.get(id.as_str())?;
            let normal = package.dependencies.iter().filter(|d| d.kind.is_none());
            let links = normal.filter_map(|dependency| ids.get(dependency.name.as_str()));
            Some(ModuleCrate {
                id: id.clone(),
                folder: package.manifest_path.parent()?.to_owned(),
                links: links.cloned().collect(),
                libraries: local_deps::reached(&packages, modules, id.as_str()),
            })
        };
        let crates: BTreeMap<ModuleId, ModuleCrate> =
            ids.iter().filter_map(|id| Some((id.clone(), module(id)?))).collect();
        let names: BTreeSet<&String> =
            crates.values().flat_map(|module| &module.libraries).collect();
        let local_dep = |name: &&String| {
            let library = local_deps::read(packages.get(*name)?).transpose()?;
            Some(library.map(|library| ((*name).clone(), library)))
        };
        let libraries = names.iter().filter_map(local_dep).collect::<Result<_, _>>()?;
        Ok(Self { crates, libraries })
    }

    /// Modules that others link to.
    pub fn linked(&self) -> BTreeSet<ModuleId> {
        self.crates.values().flat_map(|module| module.links.iter().cloned()).collect()
    }

    /// The modules that `id` links to, directly or indirectly.
    pub fn links_of(&self, id: &ModuleId) -> BTreeSet<ModuleId> {
        let mut found = BTreeSet::new();
        let mut open = vec![id.clone()];
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

    /// `ids` and every module that links to one of them, directly or indirectly.
    pub fn with_dependents(&self, ids: &BTreeSet<ModuleId>) -> BTreeSet<ModuleId> {
        let linked = |id: &ModuleId| !self.links_of(id).is_disjoint(ids);
        let dependents = self.crates.keys().filter(|id| linked(id)).cloned();
        let present = ids.iter().filter(|id| self.crates.contains_key(*id)).cloned();
        present.chain(dependents).collect()
    }

    /// All modules, each after those that it links to.
    ///
    /// # Errors
    ///
    /// If links form a cycle.
    pub fn build_order(&self) -> Result<Vec<ModuleId>, WorkspaceError> {
        let mut order: Vec<ModuleId> = Vec::with_capacity(self.crates.len());
        let mut open: BTreeSet<&ModuleId> = self.crates.keys().collect();
        while !open.is_empty() {
            let ready: Vec<&ModuleId> = open
                .iter()
                .copied()
                .filter(|id| self.crates[*id].links.iter().all(|link| !open.contains(link)))
                .collect();
            if ready.is_empty() {
                let names: Vec<&str> = open.iter().map(|id| id.as_str()).collect();
                return Err(WorkspaceError::Circle(names.join(", ")));
            }
            for id in ready {
                open.remove(id);
                order.push(id.clone());
            }
        }
        Ok(order)
    }
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
        let members_with = |rename: &str| {
            let dependency = format!(r#"{{"name":"core_a","rename":{rename},"kind":null}}"#);
            let packages = vec![package("core_a", ""), package("systems_b", &dependency)];
            Members::among(packages, Path::new("/w/modules"))
        };
        let links = members_with("null").unwrap().crates["systems_b"].links.clone();
        assert_eq!(links, BTreeSet::from(["core_a".into()]));
        let error = members_with("\"foo\"").unwrap_err().to_string();
        assert!(
            error.contains("H0105") && error.contains("`core_a` under the name `foo`"),
            "{error}"
        );
    }
}
