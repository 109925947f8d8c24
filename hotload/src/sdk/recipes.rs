//! rustc's commands for the modules of a project, as cargo would run them if it had the game's
//! dependencies.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use super::{LIBRARIES, Sdk, SdkCore, SdkError};
use crate::build::recipe::Recipe;
use crate::ids::ModuleId;
use crate::toolchain::Toolchain;
use crate::workspace::{Dependency, Folders, ModuleCrate, Package};

/// The modules of a project and the SDK that they are built with.
#[derive(Clone, Debug)]
pub struct Project {
    /// The SDK.
    pub sdk: Arc<Sdk>,
    /// The modules' packages.
    pub(crate) packages: BTreeMap<ModuleId, Package>,
}

impl Project {
    /// One of the game's core modules.
    pub fn core(&self, id: &ModuleId) -> Option<&SdkCore> {
        self.sdk.core(id)
    }

    /// The commands for all modules.
    ///
    /// # Errors
    ///
    /// If the compiler is another one than the SDK's, or if a module needs more than the SDK has.
    pub fn recipes(
        &self,
        folders: &Folders,
        crates: &BTreeMap<ModuleId, ModuleCrate>,
    ) -> Result<BTreeMap<ModuleId, Recipe>, SdkError> {
        let rustc = self.rustc(&folders.workspace)?;
        let recipe = |module: &ModuleCrate| {
            let package = self.packages.get(&module.id)?;
            Some(self.recipe(module, package, folders, crates, &rustc))
        };
        let recipes = crates.iter().filter_map(|(id, module)| Some((id.clone(), recipe(module)?)));
        recipes.map(|(id, recipe)| Ok((id, recipe?))).collect()
    }

    /// The path of the SDK's compiler.
    fn rustc(&self, workspace: &Path) -> Result<String, SdkError> {
        let manifest = &self.sdk.manifest;
        let other = |found: String| SdkError::OtherCompiler {
            folder: workspace.to_owned(),
            toolchain: manifest.toolchain.clone(),
            expected: manifest.rustc.clone(),
            found,
        };
        let found = Toolchain::of(workspace).map_err(|error| other(error.to_string()))?;
        if found.version != manifest.rustc {
            return Err(other(found.version));
        }
        Ok(found.program("rustc").to_string_lossy().into_owned())
    }

    fn recipe(
        &self,
        module: &ModuleCrate,
        package: &Package,
        folders: &Folders,
        crates: &BTreeMap<ModuleId, ModuleCrate>,
        rustc: &str,
    ) -> Result<Recipe, SdkError> {
        let manifest = &package.manifest_path;
        if package
            .targets
            .iter()
            .any(|target| target.kind.iter().any(|kind| kind == "custom-build"))
        {
            return Err(SdkError::BuildScript { manifest: manifest.clone() });
        }
        let root = package.library_source().unwrap_or_else(|| module.folder.join("src/lib.rs"));
        let root = root.strip_prefix(&folders.workspace).unwrap_or(&root);
        let mut arguments = vec![
            rustc.to_owned(),
            "--crate-name".to_owned(),
            module.crate_name(),
            format!("--edition={}", package.edition),
            root.to_string_lossy().into_owned(),
            "--crate-type".to_owned(),
            "lib".to_owned(),
        ];
        arguments.extend(self.sdk.manifest.options.iter().flat_map(|option| {
            option.split_once(' ').map_or_else(
                || vec![option.clone()],
                |(name, value)| vec![name.to_owned(), value.to_owned()],
            )
        }));
        let (enabled, optional) = default_features(package);
        let known: Vec<String> = package.features.keys().map(|name| format!("{name:?}")).collect();
        for check in
            ["cfg(docsrs,test)".to_owned(), format!("cfg(feature, values({}))", known.join(", "))]
        {
            arguments.extend(["--check-cfg".to_owned(), check]);
        }
        for feature in enabled {
            arguments.extend(["--cfg".to_owned(), format!("feature={feature:?}")]);
        }
        let libraries = self.sdk.folder.join(LIBRARIES);
        arguments.extend(["-L".to_owned(), format!("dependency={}", libraries.display())]);
        let is_used = |dependency: &&Dependency| {
            dependency.kind.is_none()
                && (!dependency.optional || optional.contains(dependency.own_name()))
        };
        for dependency in package.dependencies.iter().filter(is_used) {
            let library = self.library(dependency, manifest, crates)?;
            arguments.extend(["--extern".to_owned(), library]);
        }
        Ok(Recipe {
            folder: folders.workspace.clone(),
            arguments,
            environment: environment(module, package),
        })
    }

    /// The argument of `--extern` for a dependency.
    fn library(
        &self,
        dependency: &Dependency,
        manifest: &Path,
        crates: &BTreeMap<ModuleId, ModuleCrate>,
    ) -> Result<String, SdkError> {
        let Self { sdk, .. } = self;
        let id = ModuleId::from(dependency.name.as_str());
        let name = dependency.own_name().replace('-', "_");
        if crates.contains_key(&id) {
            // The job puts in the path of its own build.
            return Ok(format!("{name}=lib{name}.rlib"));
        }
        let package = dependency.name.replace('-', "_");
        let core = sdk.core(&id).zip(sdk.manifest.cores.get(&id));
        let (version, file) = match (core, sdk.manifest.crates.get(&package)) {
            (Some((core, version)), _) => {
                (version, core.folder.join(format!("lib{}.rlib", id.crate_name())))
            }
            (None, Some(found)) => (&found.version, sdk.folder.join(&found.file)),
            (None, None) => {
                let cores = sdk.manifest.cores.keys().map(ToString::to_string);
                return Err(SdkError::Dependency {
                    manifest: manifest.to_owned(),
                    name: dependency.name.clone(),
                    known: sdk.manifest.crates.keys().cloned().chain(cores).collect(),
                });
            }
        };
        if !dependency.req.matches(version) {
            return Err(SdkError::Version {
                manifest: manifest.to_owned(),
                name: dependency.name.clone(),
                wanted: dependency.req.clone(),
                found: version.clone(),
            });
        }
        Ok(format!("{name}={}", file.display()))
    }
}

/// The package's features that are on without a word about them, and the optional dependencies that
/// these bring.
fn default_features(package: &Package) -> (BTreeSet<&str>, BTreeSet<&str>) {
    let (mut features, mut optional) = (BTreeSet::new(), BTreeSet::new());
    let mut open = vec!["default"];
    while let Some(name) = open.pop() {
        if let Some(dependency) = name.strip_prefix("dep:") {
            optional.insert(dependency);
        } else if let Some((dependency, _)) = name.split_once('/') {
            // A feature of the dependency, which has those that the game gave it.
            if !dependency.ends_with('?') {
                optional.insert(dependency);
            }
        } else if let Some((name, brings)) = package.features.get_key_value(name)
            && features.insert(name.as_str())
        {
            open.extend(brings.iter().map(String::as_str));
        }
    }
    (features, optional)
}

/// The variables that cargo sets for rustc, and that modules read with `env!`.
fn environment(module: &ModuleCrate, package: &Package) -> Vec<(String, String)> {
    let version = &package.version;
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    [
        ("CARGO_CRATE_NAME", module.crate_name()),
        ("CARGO_MANIFEST_DIR", module.folder.to_string_lossy().into_owned()),
        ("CARGO_MANIFEST_PATH", package.manifest_path.to_string_lossy().into_owned()),
        ("CARGO_PKG_AUTHORS", package.authors.join(":")),
        ("CARGO_PKG_DESCRIPTION", text(&package.description)),
        ("CARGO_PKG_HOMEPAGE", text(&package.homepage)),
        ("CARGO_PKG_LICENSE", text(&package.license)),
        ("CARGO_PKG_NAME", package.name.clone()),
        ("CARGO_PKG_REPOSITORY", text(&package.repository)),
        ("CARGO_PKG_VERSION", version.to_string()),
        ("CARGO_PKG_VERSION_MAJOR", version.major.to_string()),
        ("CARGO_PKG_VERSION_MINOR", version.minor.to_string()),
        ("CARGO_PKG_VERSION_PATCH", version.patch.to_string()),
        ("CARGO_PKG_VERSION_PRE", version.pre.to_string()),
        ("CARGO_PRIMARY_PACKAGE", "1".to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::explain::Explain;
    use crate::test_folder::TestFolder;

    /// An SDK with Bevy and no core, in a folder with spaces.
    fn sdk(folder: &Path) -> Sdk {
        let folder = folder.join("an SDK");
        fs::create_dir_all(folder.join("lib")).unwrap();
        fs::write(folder.join("lib/libbevy-1f.rmeta"), "metadata").unwrap();
        let text = format!(
            "format = 1\ngame = \"0.1.0\"\ntarget = \"{}\"\nabi = \"{}\"\nrustc = \"rustc 1.0.0\"\n\
             toolchain = \"1.0.0\"\noptions = [\"-C opt-level=1\", \"-C debug-assertions=on\"]\n\
             [crates.bevy]\nversion = \"0.19.1\"\nfile = \"lib/libbevy-1f.rmeta\"\n[cores]\n\
             [files]\n\"lib/libbevy-1f.rmeta\" = 8\n",
            crate::packs::triple(),
            playground_api::ABI
        );
        fs::write(folder.join("sdk.toml"), text).unwrap();
        Sdk::read(&folder).unwrap()
    }

    /// The recipe of a module with such dependencies and features, as `cargo metadata` lists them.
    fn recipe(dependencies: &str, features: &str, kinds: &str) -> Result<Recipe, SdkError> {
        // Tests run at the same time.
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = TestFolder::new(&format!("sdk-recipes-{number}"));
        let module = ModuleCrate {
            id: "plugins_x".into(),
            version: semver::Version::new(1, 2, 3),
            folder: "/w/modules/plugins/x".into(),
            links: BTreeSet::new(),
            libraries: BTreeSet::new(),
        };
        let package: Package = serde_json::from_str(&format!(
            r#"{{"name":"plugins_x","version":"1.2.3","edition":"2024","authors":["A","B"],
            "manifest_path":"/w/modules/plugins/x/Cargo.toml","features":{{{features}}},
            "dependencies":[{dependencies}],"targets":[{{"name":"plugins_x","kind":["lib"],
            "src_path":"/w/modules/plugins/x/src/lib.rs"}}{kinds}]}}"#
        ))
        .unwrap();
        let project = Project { sdk: Arc::new(sdk(&folder)), packages: BTreeMap::new() };
        let folders = Folders { workspace: "/w".into(), ..Folders::default() };
        let crates = [(module.id.clone(), module.clone())].into();
        project.recipe(&module, &package, &folders, &crates, "/rust/bin/rustc")
    }

    fn dependency(name: &str, req: &str, more: &str) -> String {
        format!(r#"{{"name":"{name}","req":"{req}","kind":null,"rename":null{more}}}"#)
    }

    #[test]
    fn a_recipe_is_the_command_that_cargo_would_run() {
        let recipe = recipe(&dependency("bevy", "^0.19.1", ""), "", "").unwrap();
        assert_eq!(recipe.folder, Path::new("/w"));
        let text = recipe.arguments.join(" ");
        let start = "/rust/bin/rustc --crate-name plugins_x --edition=2024 \
                     modules/plugins/x/src/lib.rs --crate-type lib -C opt-level=1";
        assert!(text.starts_with(start), "{text}");
        let linked: Vec<_> = recipe.linked().collect();
        assert_eq!(linked.len(), 1);
        assert!(linked[0].0 == "bevy" && linked[0].1.ends_with("an SDK/lib/libbevy-1f.rmeta"));
        assert_eq!(recipe.library_folders().count(), 1);
        assert_eq!(recipe.variable("CARGO_PKG_VERSION_MINOR").as_deref(), Some("2"));
        assert_eq!(recipe.variable("CARGO_PKG_AUTHORS").as_deref(), Some("A:B"));
        assert!(recipe.shaping_options().contains(&"-C debug-assertions=on".to_owned()));
    }

    #[test]
    fn features_and_the_dependencies_that_they_bring() {
        let optional = dependency("bevy", "*", r#","optional":true"#);
        let with = |features: &str| recipe(&optional, features, "").unwrap();
        let cfgs = |recipe: &Recipe| {
            let pairs = recipe.arguments.windows(2).filter(|pair| pair[0] == "--cfg");
            pairs.map(|pair| pair[1].clone()).collect::<Vec<_>>()
        };
        let none = with(r#""fast":["dep:bevy"]"#);
        assert!(cfgs(&none).is_empty() && none.linked().next().is_none());
        let fast = with(r#""default":["fast"],"fast":["dep:bevy"],"other":[]"#);
        assert_eq!(cfgs(&fast), ["feature=\"default\"", "feature=\"fast\""]);
        assert_eq!(fast.linked().count(), 1);
        assert!(
            fast.arguments.iter().any(|it| it.contains("\"other\"") && it.starts_with("cfg(feat"))
        );
        // A weak feature does not bring its dependency, a strong one does.
        assert_eq!(with(r#""default":["bevy?/png"]"#).linked().count(), 0);
        assert_eq!(with(r#""default":["bevy/png"]"#).linked().count(), 1);
        // Features that bring each other end.
        assert_eq!(cfgs(&with(r#""default":["a"],"a":["b"],"b":["a"]"#)).len(), 3);
    }

    #[test]
    fn what_the_sdk_does_not_have_is_refused() {
        let code = |dependencies: &str, kinds: &str| {
            let refused = recipe(dependencies, "", kinds).unwrap_err();
            let text = refused.to_string();
            assert!(text.contains("/w/modules/plugins/x/Cargo.toml"), "{text}");
            refused.explain().code.into_owned()
        };
        assert_eq!(code(&dependency("rand", "*", ""), ""), "H1305");
        assert_eq!(code(&dependency("bevy", "^0.18", ""), ""), "H1306");
        let script = r#",{"name":"build-script-build","kind":["custom-build"]}"#;
        assert_eq!(code("", script), "H1307");
        // Those of tests do not count, and a dependency may have another name in the crate.
        let of_tests = r#"{"name":"rand","req":"*","kind":"dev","rename":null}"#;
        assert!(recipe(of_tests, "", "").is_ok());
        let renamed = r#"{"name":"bevy","req":"*","kind":null,"rename":"my-engine"}"#;
        let renamed = recipe(renamed, "", "").unwrap();
        assert_eq!(renamed.linked().next().map(|(name, _)| name.to_owned()).unwrap(), "my_engine");
    }
}
