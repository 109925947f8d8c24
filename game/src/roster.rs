//! Which of the linked modules an app runs, and in which order. In the hot form the engine decides
//! this, by the same rules.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

/// A module's own manifest.
#[derive(Clone, Debug, Deserialize)]
pub struct Manifest {
    /// `Core`, `Systems`, `Plugins` or `Apps`.
    pub kind: String,
    /// Its package name.
    pub id: String,
    /// The modules that it requires. cargo has compared their versions.
    #[serde(default)]
    pub requires: BTreeMap<String, String>,
}

impl Manifest {
    /// Reads a manifest as `export_module!` writes it.
    ///
    /// # Errors
    ///
    /// If it is none.
    pub fn parse(bytes: &[u8]) -> Result<Self, toml::de::Error> {
        toml::from_slice(bytes)
    }
}

/// The ids of the modules that run with an app: those that it requires, and systems and plugins that
/// no app requires. Each comes after those that it requires, and what is free to differ is ordered by
/// name. `None` if there is no such app.
pub fn roster(manifests: &[Manifest], app: &str) -> Option<Vec<String>> {
    let all: BTreeMap<&str, &Manifest> =
        manifests.iter().map(|manifest| (manifest.id.as_str(), manifest)).collect();
    let is_app = |manifest: &&Manifest| manifest.kind == "Apps";
    all.get(app).filter(|manifest| is_app(manifest))?;
    let mut of_apps = BTreeSet::new();
    manifests.iter().filter(is_app).for_each(|it| require(&it.id, &all, &mut of_apps));
    let mut runs = BTreeSet::new();
    require(app, &all, &mut runs);
    for manifest in manifests.iter().filter(|it| it.kind != "Core" && !is_app(it)) {
        if !of_apps.contains(manifest.id.as_str()) {
            require(&manifest.id, &all, &mut runs);
        }
    }
    let mut order: Vec<String> = Vec::with_capacity(runs.len());
    while let Some(next) = runs.iter().copied().find(|id| {
        let requires = all[id].requires.keys();
        requires.filter(|other| all.contains_key(other.as_str())).all(|it| order.contains(it))
    }) {
        runs.remove(next);
        order.push(next.to_owned());
    }
    Some(order)
}

/// Adds a module and everything that it requires, directly or through others.
fn require<'a>(id: &str, all: &BTreeMap<&'a str, &'a Manifest>, found: &mut BTreeSet<&'a str>) {
    if let Some((id, manifest)) = all.get_key_value(id)
        && found.insert(id)
    {
        manifest.requires.keys().for_each(|other| require(other, all, found));
    }
}

#[cfg(test)]
mod tests {
    use playground_hotload::ids::ModuleId;
    use playground_hotload::resolve::{Selection, resolve};

    use super::*;

    fn manifest(kind: &str, id: &str, requires: &[&str]) -> Manifest {
        let requires = requires.iter().map(|it| ((*it).to_owned(), "^0.1".to_owned())).collect();
        Manifest { kind: kind.to_owned(), id: id.to_owned(), requires }
    }

    /// Two apps, a plugin that none of them lists, and a core that nobody needs.
    fn game() -> Vec<Manifest> {
        vec![
            manifest("Apps", "apps_arena", &["systems_combat", "plugins_hud", "core_arena"]),
            manifest("Apps", "apps_boids", &["systems_flock"]),
            manifest("Plugins", "plugins_hud", &["core_arena"]),
            manifest("Plugins", "plugins_fps", &["core_canvas"]),
            manifest("Systems", "systems_combat", &["core_arena", "core_physics"]),
            manifest("Systems", "systems_flock", &["core_physics"]),
            manifest("Core", "core_arena", &["core_physics"]),
            manifest("Core", "core_physics", &[]),
            manifest("Core", "core_canvas", &[]),
            manifest("Core", "core_spare", &[]),
        ]
    }

    #[test]
    fn an_app_runs_with_what_it_requires_and_what_no_app_lists() {
        let arena = roster(&game(), "apps_arena").unwrap();
        assert_eq!(
            arena,
            [
                "core_canvas",
                "core_physics",
                "core_arena",
                "plugins_fps",
                "plugins_hud",
                "systems_combat",
                "apps_arena",
            ]
        );
        assert_eq!(roster(&game(), "apps_none"), None);
        assert_eq!(roster(&game(), "core_arena"), None);
    }

    #[test]
    fn the_engine_runs_the_same_modules() {
        let as_toml = |it: &Manifest| {
            let requires = it.requires.iter().map(|(id, it)| format!("{id} = \"{it}\"\n"));
            format!(
                "kind = \"{}\"\nid = \"{}\"\nversion = \"0.1.0\"\nabi = \"a\"\nepoch = \"-\"\n\
                 crate_epoch = \"-\"\ntypes = \"\"\ncores = {{}}\npersist = []\ndropped = []\n\n\
                 [requires]\n{}",
                it.kind,
                it.id,
                requires.collect::<String>()
            )
        };
        let read = |it: &Manifest| {
            let text = as_toml(it);
            assert_eq!(Manifest::parse(text.as_bytes()).unwrap().requires, it.requires);
            let id = ModuleId::from(it.id.as_str());
            let manifest = playground_hotload::inspect::Manifest::parse(text.as_bytes(), &id);
            (id, manifest.unwrap())
        };
        let manifests: BTreeMap<_, _> = game().iter().map(read).collect();
        for app in ["apps_arena", "apps_boids"] {
            let selection = Selection { app: Some(app.into()), ..Selection::default() };
            let engine = resolve(&manifests, &selection);
            let mut linked = roster(&game(), app).unwrap();
            linked.sort();
            assert!(engine.iter().map(ModuleId::as_str).eq(linked.iter().map(String::as_str)));
        }
    }
}
