//! Which modules are to run.

use std::collections::{BTreeMap, BTreeSet};

use crate::inspect::{Kind, Manifest};

/// What people asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// The app to run.
    pub app: Option<String>,
    /// Modules switched on or off by hand.
    pub switched: BTreeMap<String, bool>,
}

/// The modules to run: the app with all that it requires, directly or through others; the modules
/// that no app lists and whose requirements run; less those that are switched off, and what
/// requires them.
pub fn roster(manifests: &BTreeMap<String, Manifest>, wanted: &Selection) -> BTreeSet<String> {
    let off = |id: &str| wanted.switched.get(id) == Some(&false);
    let mut roster = BTreeSet::new();
    if let Some(app) = &wanted.app {
        require(app, manifests, &mut roster);
    }
    let listed = listed_by_apps(manifests);
    // What nobody lists comes along once what it needs is there; one may need another.
    loop {
        let next = manifests.values().find(|manifest| {
            let id = &manifest.id;
            let joins = manifest.kind != Kind::Apps
                && (wanted.switched.get(id) == Some(&true)
                    || (!listed.contains(id) && manifest.kind != Kind::Core));
            let ready = manifest.requires.keys().all(|id| roster.contains(id));
            !roster.contains(id) && joins && ready
        });
        match next {
            Some(manifest) => roster.insert(manifest.id.clone()),
            None => break,
        };
    }
    // A module that is switched off takes along what cannot do without it; an app can.
    loop {
        let without = roster.iter().find(|id| {
            let lacks = |manifest: &Manifest| {
                manifest.kind != Kind::Apps
                    && manifest.requires.keys().any(|id| !roster.contains(id))
            };
            off(id) || manifests.get(*id).is_none_or(lacks)
        });
        match without.cloned() {
            Some(id) => roster.remove(&id),
            None => break,
        };
    }
    roster
}

fn require(id: &str, manifests: &BTreeMap<String, Manifest>, roster: &mut BTreeSet<String>) {
    let Some(manifest) = manifests.get(id) else { return };
    if roster.insert(id.to_owned()) {
        for required in manifest.requires.keys() {
            require(required, manifests, roster);
        }
    }
}

fn listed_by_apps(manifests: &BTreeMap<String, Manifest>) -> BTreeSet<String> {
    let apps = manifests.values().filter(|manifest| manifest.kind == Kind::Apps);
    let mut listed = BTreeSet::new();
    for app in apps {
        require(&app.id, manifests, &mut listed);
    }
    listed
}

/// The id of the app that `name` means: its id, or its id without `apps_`.
pub fn app_named<'a>(
    name: &str,
    manifests: &'a BTreeMap<String, Manifest>,
) -> Option<&'a Manifest> {
    let mut apps = manifests.values().filter(|manifest| manifest.kind == Kind::Apps);
    apps.find(|app| app.id == name || app.id.strip_prefix("apps_") == Some(name))
}
