//! Compares the features that modules' dependencies need with those of the host's build: with
//! different ones, cargo would rebuild Bevy, and the modules would not match the running host.

use std::collections::BTreeMap;

use super::capture::{CaptureError, cargo};
use crate::ids::ModuleId;
use crate::workspace::{Folders, Members};

/// Compares the features that the modules' dependencies enable with those of the host's build.
///
/// # Errors
///
/// [`CaptureError::Features`] if a module enables more, and if cargo fails.
pub(super) fn check_features(folders: &Folders, members: &Members) -> Result<(), CaptureError> {
    // If the API is not a workspace member, cargo accepts no features for it; they are in the
    // host's manifest.
    let host = features(folders, ["playground_api"], true)
        .or_else(|_| features(folders, ["playground_api"], false))?;
    let together = features(folders, members.crates.keys().map(ModuleId::as_str), true)?;
    if differing(&host, &together).is_none() {
        return Ok(());
    }
    for id in members.crates.keys() {
        let module = features(folders, [id.as_str()], true)?;
        if let Some((package, present, enabled)) = differing(&host, &module) {
            let added: Vec<&str> =
                enabled.iter().filter(|f| !present.contains(f)).copied().collect();
            return Err(CaptureError::Features {
                module: id.clone(),
                package: package.to_owned(),
                added: format!("`{}`", added.join("`, `")),
                present: present.join(", "),
            });
        }
    }
    Ok(())
}

type Features = BTreeMap<String, Vec<String>>;

/// The first package of the host's build for which the modules enable more features: its name, the
/// host's features, the modules' features.
fn differing<'a>(
    host: &'a Features,
    modules: &'a Features,
) -> Option<(&'a str, Vec<&'a str>, Vec<&'a str>)> {
    let split = |sets: &'a [String]| -> Vec<&'a str> {
        let all = sets.iter().flat_map(|set| set.split(','));
        all.filter(|feature| !feature.is_empty()).collect()
    };
    host.iter().find_map(|(package, present)| {
        let enabled = modules.get(package)?;
        // As a build dependency, a package may have another set of features.
        let more = enabled.iter().any(|set| !present.contains(set));
        more.then(|| (package.as_str(), split(present), split(enabled)))
    })
}

/// The sets of features of every package below `roots`, as cargo resolves them.
fn features<'a>(
    folders: &Folders,
    roots: impl IntoIterator<Item = &'a str>,
    hot: bool,
) -> Result<Features, CaptureError> {
    let mut command = cargo(folders);
    command.args(["tree", "--edges", "normal,build", "--prefix", "none"]);
    command.args(["--format", "{p}\t{f}"]);
    if hot {
        command.args(["--features", "playground_api/hot"]);
    }
    let mut names = Vec::new();
    for root in roots {
        command.args(["-p", root]);
        names.push(root);
    }
    let output =
        command.output().map_err(|source| CaptureError::File { path: "cargo".into(), source })?;
    if !output.status.success() {
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(CaptureError::Cargo { modules: names.join(", "), message });
    }
    let mut features = Features::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let line = line.trim_end_matches(" (*)");
        if let Some((package, set)) = line.split_once('\t') {
            let sets = features.entry(package.to_owned()).or_default();
            let set = set.trim_end_matches(" (*)").to_owned();
            if !sets.contains(&set) {
                sets.push(set);
            }
        }
    }
    Ok(features)
}
