//! Resolves a selection (an app, and modules switched on or off by hand) to the modules to run.

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::ModuleId;
use crate::inspect::{Kind, Manifest};

/// The app to run, and the modules that the user switched on or off.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// The app; `None` if the workspace has no app.
    pub app: Option<ModuleId>,
    /// Modules switched on (`true`) or off (`false`) by hand.
    pub switched: BTreeMap<ModuleId, bool>,
}

/// The modules to run, in three steps:
///
/// 1. The app and everything it requires, directly or through others.
/// 2. Also systems and plugins that no app requires, and modules switched on by hand.
/// 3. Without modules that are switched off, and without those that require one
///    that is not selected or not built yet. The app stays: it runs without what it lists.
///
/// A core module joins where something that runs requires it, or it is switched on: it has no
/// behaviour of its own.
pub fn resolve(
    manifests: &BTreeMap<ModuleId, Manifest>,
    selection: &Selection,
) -> BTreeSet<ModuleId> {
    let mut selected = BTreeSet::new();
    if let Some(app) = &selection.app {
        require(app, manifests, &mut selected);
    }
    let required_by_apps = required_by_apps(manifests);
    for manifest in manifests.values() {
        let id = &manifest.id;
        let is_unlisted = !required_by_apps.contains(id) && manifest.kind != Kind::Core;
        let is_on = selection.switched.get(id) == Some(&true);
        if manifest.kind != Kind::Apps && (is_unlisted || is_on) {
            selected.insert(id.clone());
        }
    }
    let cores = manifests.values().filter(|manifest| manifest.kind == Kind::Core);
    let mut present = &selected | &cores.map(|manifest| manifest.id.clone()).collect();
    // Removing one may leave another without a requirement: repeat until none is removed.
    loop {
        let next = present.iter().find(|id| {
            let lacks = |manifest: &Manifest| {
                manifest.kind != Kind::Apps
                    && manifest.requires.keys().any(|id| !present.contains(id))
            };
            selection.switched.get(*id) == Some(&false) || manifests.get(*id).is_some_and(lacks)
        });
        match next.cloned() {
            Some(id) => present.remove(&id),
            None => break,
        };
    }
    let mut running = BTreeSet::new();
    for id in selected.intersection(&present) {
        require(id, manifests, &mut running);
    }
    // An app runs without what it lists.
    &running & &present
}

/// Adds `id` and everything it requires, directly or through others.
fn require(
    id: &ModuleId,
    manifests: &BTreeMap<ModuleId, Manifest>,
    selected: &mut BTreeSet<ModuleId>,
) {
    let Some(manifest) = manifests.get(id) else { return };
    if selected.insert(id.clone()) {
        for required in manifest.requires.keys() {
            require(required, manifests, selected);
        }
    }
}

/// All apps, with their requirements.
fn required_by_apps(manifests: &BTreeMap<ModuleId, Manifest>) -> BTreeSet<ModuleId> {
    let apps = manifests.values().filter(|manifest| manifest.kind == Kind::Apps);
    let mut required = BTreeSet::new();
    for app in apps {
        require(&app.id, manifests, &mut required);
    }
    required
}

#[cfg(test)]
mod tests {
    use semver::{Version, VersionReq};

    use super::*;

    /// Manifests by id and required modules. The id's prefix gives the kind.
    fn manifests(modules: &[(&str, &[&str])]) -> BTreeMap<ModuleId, Manifest> {
        let manifest = |(id, requires): &(&str, &[&str])| {
            let id = ModuleId::from(*id);
            let requires = requires.iter().map(|&id| (id.into(), VersionReq::STAR)).collect();
            let manifest = Manifest {
                kind: id.kind_by_name().unwrap(),
                id: id.clone(),
                version: Version::new(0, 1, 0),
                abi: "abi".into(),
                epoch: "-".into(),
                crate_epoch: "-".into(),
                types: BTreeMap::new(),
                cores: BTreeMap::new(),
                requires,
                persisted: Vec::new(),
                dropped: Vec::new(),
            };
            (id, manifest)
        };
        modules.iter().map(manifest).collect()
    }

    /// A game of two apps, with a plugin that no app lists and one that requires that plugin.
    fn game() -> BTreeMap<ModuleId, Manifest> {
        manifests(&[
            ("apps_a", &["systems_move"]),
            ("apps_b", &["systems_race"]),
            ("core_space", &[]),
            ("core_spare", &[]),
            ("systems_move", &["core_space"]),
            ("systems_race", &["core_space"]),
            ("plugins_trail", &["systems_move"]),
            ("plugins_colours", &["plugins_trail"]),
        ])
    }

    /// The modules that `app` runs with modules switched as in `switched`.
    fn resolved(
        manifests: &BTreeMap<ModuleId, Manifest>,
        app: Option<&str>,
        switched: &[(&str, bool)],
    ) -> Vec<String> {
        let switched = switched.iter().map(|&(id, on)| (id.into(), on)).collect();
        let selection = Selection { app: app.map(ModuleId::from), switched };
        resolve(manifests, &selection).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_app_brings_what_it_requires_and_unlisted_modules_follow() {
        let expected = ["apps_a", "core_space", "plugins_colours", "plugins_trail", "systems_move"];
        assert_eq!(resolved(&game(), Some("apps_a"), &[]), expected);
    }

    #[test]
    fn unlisted_modules_stay_out_where_their_requirements_do_not_run() {
        // `plugins_trail` requires `systems_move`, which only the other app lists.
        let expected = ["apps_b", "core_space", "systems_race"];
        assert_eq!(resolved(&game(), Some("apps_b"), &[]), expected);
    }

    #[test]
    fn a_module_switched_off_takes_its_dependents_along_but_not_the_app() {
        let off = [("plugins_trail", false)];
        let expected = ["apps_a", "core_space", "systems_move"];
        assert_eq!(resolved(&game(), Some("apps_a"), &off), expected);

        let off = [("core_space", false)];
        assert_eq!(resolved(&game(), Some("apps_a"), &off), ["apps_a"]);
    }

    #[test]
    fn a_dependent_that_is_switched_on_still_goes_with_what_it_requires() {
        let switched = [("plugins_colours", true), ("systems_move", false)];
        assert_eq!(resolved(&game(), Some("apps_a"), &switched), ["apps_a", "core_space"]);
    }

    #[test]
    fn a_module_of_another_app_joins_when_it_is_switched_on() {
        let on = [("systems_race", true)];
        let modules = resolved(&game(), Some("apps_a"), &on);
        assert!(modules.contains(&"systems_race".to_owned()), "{modules:?}");
        assert_eq!(resolved(&game(), None, &on), ["core_space", "systems_race"]);
        // Not where its requirements do not run.
        let off = [("systems_race", true), ("core_space", false)];
        assert!(resolved(&game(), None, &off).is_empty());
    }

    #[test]
    fn a_core_that_no_app_lists_comes_with_the_module_that_requires_it() {
        let modules = manifests(&[
            ("apps_a", &[]),
            ("core_far", &[]),
            ("core_near", &["core_far"]),
            ("core_lost", &["core_missing"]),
            ("core_spare", &[]),
            ("plugins_x", &["core_near"]),
            ("plugins_y", &["core_spare", "systems_missing"]),
            ("plugins_z", &["core_lost"]),
        ]);
        let expected = ["apps_a", "core_far", "core_near", "plugins_x"];
        assert_eq!(resolved(&modules, Some("apps_a"), &[]), expected);
        // It goes again with the module, and takes it along where it is switched off.
        for off in ["plugins_x", "core_far", "core_near"] {
            assert_eq!(resolved(&modules, Some("apps_a"), &[(off, false)]), ["apps_a"], "{off}");
        }
    }

    #[test]
    fn a_core_module_joins_only_where_it_is_required_or_switched_on() {
        let spare = "core_spare".to_owned();
        assert!(!resolved(&game(), Some("apps_a"), &[]).contains(&spare));
        assert!(resolved(&game(), Some("apps_a"), &[("core_spare", true)]).contains(&spare));
    }

    #[test]
    fn an_app_never_joins_another() {
        let on = [("apps_b", true), ("systems_race", true)];
        let modules = resolved(&game(), Some("apps_a"), &on);
        assert!(!modules.contains(&"apps_b".to_owned()), "{modules:?}");
    }

    #[test]
    fn without_an_app_unlisted_modules_run_alone() {
        let modules = manifests(&[("core_x", &[]), ("systems_x", &[]), ("plugins_x", &["core_x"])]);
        assert_eq!(resolved(&modules, None, &[]), ["core_x", "plugins_x", "systems_x"]);
    }

    #[test]
    fn modules_without_a_manifest_are_left_out() {
        let modules = manifests(&[
            ("apps_a", &["systems_move", "systems_missing"]),
            ("systems_move", &["core_missing"]),
            ("plugins_trail", &["systems_missing"]),
        ]);
        // The app runs; what requires something that is not there does not.
        assert_eq!(resolved(&modules, Some("apps_a"), &[]), ["apps_a"]);
        assert!(resolved(&modules, Some("apps_missing"), &[]).is_empty());
        assert!(resolved(&BTreeMap::new(), Some("apps_a"), &[("systems_move", true)]).is_empty());
    }
}
