//! The modules among the workspace's members, and the links between them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use semver::Version;

use super::{Dependency, LocalDep, Package, WorkspaceError, local_deps};
use crate::ids::ModuleId;
use crate::packs::{PackVersion, Prebuilt, PrebuiltModule};
use crate::sdk::{Project, Sdk, SdkCore};

/// A module's crate on disk.
#[derive(Clone, Debug)]
pub struct ModuleCrate {
    /// Its id: the package's name.
    pub id: ModuleId,
    /// The package's version.
    pub version: Version,
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

/// The modules: the packages under the workspace's modules folder, without procedural macros, and
/// those that were built elsewhere.
#[derive(Clone, Debug, Default)]
pub struct Members {
    /// The modules that are built here, by id.
    pub crates: BTreeMap<ModuleId, ModuleCrate>,
    /// The libraries on this disk that they are compiled with and that are not modules, by package.
    pub libraries: BTreeMap<String, LocalDep>,
    /// Hash of the sources of the API and of the libraries on this disk that it is made of.
    pub api: String,
    /// The modules that were built elsewhere. They replace crates of the same name.
    pub prebuilt: Prebuilt,
    /// The packs that are made in the workspace, by module.
    pub developed: BTreeMap<ModuleId, Arc<PackVersion>>,
    /// The modules are built with an SDK, and not by cargo.
    pub project: Option<Project>,
}

impl Members {
    /// The modules among `packages`: those below the folder `modules`. With an SDK, the game's core
    /// modules are there as well, and not built.
    ///
    /// # Errors
    ///
    /// If a module has no library of its own name, or gives a core crate another name, or a
    /// library's files cannot be read.
    pub(super) fn among(
        packages: Vec<Package>,
        modules: &Path,
        sdk: Option<Arc<Sdk>>,
    ) -> Result<Self, WorkspaceError> {
        let mut packages: BTreeMap<String, Package> =
            packages.into_iter().map(|package| (package.name.clone(), package)).collect();
        local_deps::complete(&mut packages, modules)?;
        let is_module = |package: &&Package| package.is_module(modules);
        let ids: BTreeSet<ModuleId> = packages
            .values()
            .filter(is_module)
            .map(|package| package.name.as_str().into())
            .collect();
        check_libraries(packages.values().filter(is_module))?;
        let of_game = sdk.iter().flat_map(|sdk| sdk.manifest.cores.keys().cloned());
        let linkable: BTreeSet<ModuleId> = ids.iter().cloned().chain(of_game).collect();
        for package in packages.values().filter(is_module) {
            let renamed =
                |d: &&Dependency| linkable.contains(d.name.as_str()) && d.rename.is_some();
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
            let links = normal.filter_map(|dependency| linkable.get(dependency.name.as_str()));
            Some(ModuleCrate {
                id: id.clone(),
                version: package.version.clone(),
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
        let api = local_deps::hash_of_api(&packages, modules)?;
        let project = sdk.map(|sdk| {
            let own = packages.values().filter(is_module);
            let own = own.map(|package| (package.name.as_str().into(), package.clone()));
            Project { sdk, packages: own.collect() }
        });
        Ok(Self { crates, libraries, api, project, ..Self::default() })
    }

    /// The ids of all modules.
    pub fn ids(&self) -> BTreeSet<&ModuleId> {
        self.crates.keys().chain(self.prebuilt.modules.keys()).collect()
    }

    /// True for a module that is built here or elsewhere.
    pub fn contains(&self, id: &ModuleId) -> bool {
        self.crates.contains_key(id) || self.prebuilt.modules.contains_key(id)
    }

    /// The module with that id that was built elsewhere.
    pub fn prebuilt_module(&self, id: &ModuleId) -> Option<&PrebuiltModule> {
        self.prebuilt.modules.get(id)
    }

    /// One of the game's core modules, for modules that are built with an SDK.
    pub fn sdk_core(&self, id: &ModuleId) -> Option<&SdkCore> {
        let core = self.project.as_ref()?.core(id);
        core.filter(|_| !self.crates.contains_key(id))
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
            let of_prebuilt = self.prebuilt_module(&next).map(|module| &module.links);
            let links = of_prebuilt
                .or_else(|| self.crates.get(&next).map(|module| &module.links))
                .or_else(|| self.sdk_core(&next).map(|core| &core.links));
            for link in links.into_iter().flatten() {
                if found.insert(link.clone()) {
                    open.push(link.clone());
                }
            }
        }
        found
    }

    /// The modules that can only be swapped together with `id` if they are swapped as well: those
    /// that it links to, and the others of its pack.
    pub fn tied_to(&self, id: &ModuleId) -> BTreeSet<ModuleId> {
        let mut tied = self.links_of(id);
        if let Some(own) = self.prebuilt_module(id) {
            let pack = own.pack.as_ref().map(|pack| &pack.id);
            let is_of_it = |other: &PrebuiltModule| {
                pack.is_some() && other.pack.as_ref().map(|pack| &pack.id) == pack
            };
            let of_pack = self.prebuilt.modules.iter().filter(|(_, other)| is_of_it(other));
            tied.extend(of_pack.map(|(id, _)| id.clone()).filter(|other| other != id));
        }
        tied
    }

    /// `ids` and every module built here that links to one of them, directly or indirectly.
    pub fn with_dependents(&self, ids: &BTreeSet<ModuleId>) -> BTreeSet<ModuleId> {
        let linked = |id: &ModuleId| !self.links_of(id).is_disjoint(ids);
        let dependents =
            self.crates.keys().filter(|id| self.prebuilt_module(id).is_none() && linked(id));
        let dependents = dependents.cloned();
        let present = ids.iter().filter(|id| self.contains(id)).cloned();
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

/// Checks that each module has a library whose name follows from that of its package: the names of
/// its types, its output and its export begin with it.
fn check_libraries<'a>(modules: impl Iterator<Item = &'a Package>) -> Result<(), WorkspaceError> {
    let mut known: BTreeMap<String, ModuleId> = BTreeMap::new();
    for package in modules {
        let module = ModuleId::from(package.name.as_str());
        let (manifest, name) = (package.manifest_path.clone(), module.crate_name());
        match package.library_name() {
            None => return Err(WorkspaceError::NoLibrary { module, manifest }),
            Some(found) if found != name => {
                return Err(WorkspaceError::LibraryName { module, manifest, found });
            }
            Some(_) => {}
        }
        if let Some(other) = known.insert(name, module.clone()) {
            return Err(WorkspaceError::SameCrate { modules: [other, module], manifest });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A package with a target of that kind and name.
    fn package(name: &str, dependencies: &str, (kind, target): (&str, &str)) -> Package {
        let text = format!(
            r#"{{"name":"{name}","version":"0.1.0","manifest_path":"/w/modules/x/{name}/Cargo.toml",
            "dependencies":[{dependencies}],"targets":[
            {{"name":"build-script-build","kind":["custom-build"]}},
            {{"name":"{target}","kind":["{kind}"]}}]}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    fn among(packages: Vec<Package>) -> Result<Members, WorkspaceError> {
        Members::among(packages, Path::new("/w/modules"), None)
    }

    #[test]
    fn a_core_under_another_name_is_refused() {
        let members_with = |rename: &str| {
            let dependency = format!(r#"{{"name":"core_a","rename":{rename},"kind":null}}"#);
            among(vec![
                package("core_a", "", ("lib", "core_a")),
                package("systems_b", &dependency, ("lib", "systems_b")),
            ])
        };
        let links = members_with("null").unwrap().crates["systems_b"].links.clone();
        assert_eq!(links, BTreeSet::from(["core_a".into()]));
        let error = members_with("\"foo\"").unwrap_err().to_string();
        assert!(
            error.contains("H0105") && error.contains("`core_a` under the name `foo`"),
            "{error}"
        );
    }

    #[test]
    fn a_module_is_a_library_with_the_name_of_its_package() {
        // cargo gives the name of a library with underscores or, in older versions, as it is.
        for (name, library) in [
            ("core_a", ("lib", "core_a")),
            ("core-a", ("rlib", "core_a")),
            ("core-a", ("lib", "core-a")),
        ] {
            let members = among(vec![package(name, "", library)]).unwrap();
            assert_eq!(members.crates[name].crate_name(), "core_a");
        }
        let refused = |packages: Vec<Package>, parts: &[&str]| {
            let error = among(packages).unwrap_err().to_string();
            assert!(parts.iter().all(|part| error.contains(part)), "{error}");
            assert!(error.contains("/w/modules/x/"), "the file is named: {error}");
        };
        let parts = ["H0109", "`core_a`", "`other`", "[lib]"];
        refused(vec![package("core_a", "", ("lib", "other"))], &parts);
        refused(vec![package("core-a", "", ("dylib", "other"))], &["H0109", "`core-a`", "`other`"]);
        for kind in ["bin", "example", "test"] {
            let parts = ["H0108", "`apps_a`", "src/lib.rs"];
            refused(vec![package("apps_a", "", (kind, "apps_a"))], &parts);
        }
        let two = [("core-a", "core_a"), ("core_a", "core_a")];
        let two = two.map(|(name, library)| package(name, "", ("lib", library)));
        refused(two.into(), &["H0110", "`core-a`", "`core_a`"]);
    }

    #[test]
    fn a_procedural_macro_among_the_modules_is_a_library_of_theirs() {
        let folder = crate::test_folder::TestFolder::new("members");
        let write = |path: &str| {
            let path = folder.join("modules/x").join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        };
        write("core_derive/src/lib.rs");
        let dependency = format!(
            r#"{{"name":"core_derive","rename":"derive","kind":null,"path":"{}"}}"#,
            folder.join("modules/x/core_derive").display()
        );
        let mut packages = vec![
            package("core_derive", "", ("proc-macro", "any_name")),
            package("core_a", &dependency, ("lib", "core_a")),
        ];
        for package in &mut packages {
            let path = folder.join("modules/x").join(&package.name);
            package.manifest_path = path.join("Cargo.toml");
        }
        let members = Members::among(packages, &folder.join("modules"), None).unwrap();
        assert_eq!(members.crates.len(), 1, "{members:?}");
        let module = &members.crates["core_a"];
        assert!(module.links.is_empty());
        assert_eq!(module.libraries, BTreeSet::from(["core_derive".to_owned()]));
        assert!(members.libraries.contains_key("core_derive"));
    }
}
