//! The target folder of a project outside of the workspace.

use std::fs;
use std::path::PathBuf;

use super::{BUILT, copy_tree, profile_folder, target, workspace};

/// A target folder for a project outside of the workspace: what is built of registry crates is
/// linked into it, and nothing of the workspace's own, which such a project builds for itself. It
/// stays, so that a later run finds that as well.
pub fn outside_target() -> PathBuf {
    let from = profile_folder();
    let root = target().join("tests/outside");
    let own = own_crates();
    for folder in BUILT {
        let to = root.join(from.file_name().expect("a profile")).join(folder);
        fs::create_dir_all(&to).expect("a folder");
        for entry in fs::read_dir(from.join(folder)).expect("a target folder").flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let stem = name.split(['-', '.']).next().unwrap_or_default();
            let target = to.join(&name);
            let is_own = own.iter().any(|own| own == stem || stem.strip_prefix("lib") == Some(own));
            if is_own || target.exists() {
                continue;
            }
            if entry.path().is_dir() {
                copy_tree(&entry.path(), &target, true).expect("links");
            } else {
                // A compiler next door may take its temporary files away meanwhile.
                let _ = fs::hard_link(entry.path(), target);
            }
        }
    }
    root
}

/// The names of the workspace's own crates and of what is built of them.
fn own_crates() -> Vec<String> {
    let mut own = vec!["outside".to_owned(), "apps_outside".to_owned()];
    let mut open = vec![workspace()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).expect("a folder").flatten() {
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            if path.is_dir() && !name.starts_with('.') && path != workspace().join("target") {
                open.push(path);
            } else if name == "Cargo.toml" {
                let text = fs::read_to_string(&path).expect("a manifest");
                let names = text.lines().filter_map(|line| line.strip_prefix("name = "));
                own.extend(names.map(|name| name.trim_matches('"').to_owned()));
            } else if let Some(name) = name.strip_suffix(".rs")
                && (folder.ends_with("tests") || folder.ends_with("examples"))
            {
                // Tests and examples are called as their files are.
                own.push(name.to_owned());
            } else if name == "main.rs" {
                // Or as the folder is, where they have several files.
                let folder = folder.file_name().unwrap_or_default();
                own.push(folder.to_string_lossy().into_owned());
            }
        }
    }
    own
}
