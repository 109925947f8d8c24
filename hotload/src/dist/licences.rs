//! The licences of everything that is in a release.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use super::{DistError, failed, run};

/// How the names of files with licences begin, in lower case.
const NAMES: [&str; 6] = ["license", "licence", "copying", "notice", "unlicense", "copyright"];
const RULE: &str =
    "--------------------------------------------------------------------------------";

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    resolve: Resolve,
    workspace_members: BTreeSet<String>,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
    version: String,
    license: Option<String>,
    license_file: Option<PathBuf>,
    manifest_path: PathBuf,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    pkg: String,
    dep_kinds: Vec<DependencyKind>,
}

#[derive(Deserialize)]
struct DependencyKind {
    kind: Option<String>,
}

/// The licences of the packages of a workspace and of all that they are linked with, each text once.
///
/// # Errors
///
/// If cargo cannot list the packages, a file cannot be read, or a package says nothing about its
/// licence.
pub fn collect(workspace: &Path) -> Result<String, DistError> {
    let text = run(Command::new("cargo")
        .args(["metadata", "--format-version", "1", "--filter-platform"])
        .arg(crate::packs::triple())
        .current_dir(workspace))?;
    let metadata: Metadata = serde_json::from_str(&text).map_err(|error| DistError::Tool {
        command: "cargo metadata".to_owned(),
        output: error.to_string(),
    })?;
    let linked = linked(&metadata);
    let mut packages: Vec<&Package> =
        metadata.packages.iter().filter(|package| linked.contains(package.id.as_str())).collect();
    packages.sort_by(|one, other| (&one.name, &one.version).cmp(&(&other.name, &other.version)));
    let mut list = String::new();
    let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut without = Vec::new();
    for package in packages {
        let name = format!("{} {}", package.name, package.version);
        let found = texts_of(package)?;
        if found.is_empty() && package.license.is_none() {
            without.push(name.clone());
        }
        let licence = package.license.as_deref().unwrap_or("see its text below");
        list.push_str(&format!("{name:<48} {licence}\n"));
        for text in found {
            texts.entry(text).or_default().push(name.clone());
        }
    }
    if !without.is_empty() {
        return Err(DistError::NoLicence { packages: without });
    }
    let mut all = format!("This program is made of these packages:\n\n{list}");
    let mut texts: Vec<(String, Vec<String>)> = texts.into_iter().collect();
    texts.sort_by(|one, other| one.1.cmp(&other.1).then_with(|| one.0.cmp(&other.0)));
    for (text, packages) in texts {
        all.push_str(&format!("\n{RULE}\n{}\n{RULE}\n{text}\n", packages.join(", ")));
    }
    Ok(all)
}

/// The packages that end up in the program: without those that only build scripts and tests use.
fn linked(metadata: &Metadata) -> BTreeSet<&str> {
    let nodes: BTreeMap<&str, &Node> =
        metadata.resolve.nodes.iter().map(|node| (node.id.as_str(), node)).collect();
    let mut found: BTreeSet<&str> = BTreeSet::new();
    let mut open: Vec<&str> = metadata.workspace_members.iter().map(String::as_str).collect();
    while let Some(id) = open.pop() {
        if !found.insert(id) {
            continue;
        }
        let normal =
            |dependency: &&Dependency| dependency.dep_kinds.iter().any(|kind| kind.kind.is_none());
        let deps = nodes.get(id).into_iter().flat_map(|node| &node.deps).filter(normal);
        open.extend(deps.map(|dependency| dependency.pkg.as_str()));
    }
    found
}

/// The texts of a package's licences, sorted by file.
fn texts_of(package: &Package) -> Result<Vec<String>, DistError> {
    let Some(folder) = package.manifest_path.parent() else { return Ok(Vec::new()) };
    let mut files: BTreeSet<PathBuf> =
        package.license_file.iter().map(|file| folder.join(file)).collect();
    for entry in fs::read_dir(folder).map_err(failed("read", folder))? {
        let path = entry.map_err(failed("read", folder))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        if path.is_file() && NAMES.iter().any(|start| name.starts_with(start)) {
            files.insert(path);
        }
    }
    let read = |path: PathBuf| {
        let bytes = fs::read(&path).map_err(failed("read", &path))?;
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
        Ok(lines.join("\n").trim().to_owned())
    };
    files.into_iter().map(read).collect()
}
