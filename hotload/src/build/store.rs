//! The built artifacts on disk, each with a record of the inputs that it was built from.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::capture::{CaptureError, write};
use super::dep_info::DepInfo;
use super::inputs::Inputs;
use super::rustc::CompileTimes;
use super::{Batch, Built, relink};
use crate::artifact::{self, Artifact, Writers};
use crate::ids::{ArtifactHash, Epoch, InputsHash, ModuleId};
use crate::workspace::Folders;

/// The inputs that an artifact was built from.
#[derive(Serialize, Deserialize)]
struct Record {
    /// Hash of the inputs.
    inputs: InputsHash,
    /// The epoch that was computed from them; another version of the host computes another one.
    #[serde(default)]
    epoch: Option<Epoch>,
    /// Hash of the artifact.
    hash: ArtifactHash,
    /// Hash of the rlib of a core crate.
    #[serde(default)]
    library: Option<String>,
    /// The files that rustc read, relative to the workspace, so that they hold in every checkout.
    #[serde(default)]
    read: DepInfo,
}

/// The files and variables that rustc read when it last compiled the module with success.
pub fn read_files(folders: &Folders, id: &ModuleId) -> Option<DepInfo> {
    let text = fs::read(record_path(folders, id)).ok()?;
    let record: Record = serde_json::from_slice(&text).ok()?;
    let absolute = |path| folders.workspace.join(path);
    Some(DepInfo { files: record.read.files.into_iter().map(absolute).collect(), ..record.read })
}

/// The artifact of an earlier build from the same inputs.
pub fn find(batch: &Batch, id: &ModuleId) -> Option<Built> {
    let record = record(batch, id)?;
    if batch.members.linked().contains(id) && !is_library_of(batch, id, &record) {
        return None;
    }
    // The artifact is replaced before its record, so one without the other does not match.
    let path = artifact_path(&batch.folders, id);
    let read = artifact::read(&path, &batch.folders.built, Some(&record.hash), Writers::Anybody);
    let Artifact { path, bytes, .. } = read.ok()?;
    Some(Built { path, bytes, times: CompileTimes::default(), warnings: Vec::new() })
}

/// True if the rlib of a core crate was built from the batch's inputs.
pub fn has_library(batch: &Batch, id: &ModuleId) -> bool {
    record(batch, id).is_some_and(|record| is_library_of(batch, id, &record))
}

/// The record of an artifact that was built from the batch's inputs.
fn record(batch: &Batch, id: &ModuleId) -> Option<Record> {
    let inputs = batch.inputs.get(id)?;
    let text = fs::read(record_path(&batch.folders, id)).ok()?;
    let record: Record = serde_json::from_slice(&text).ok()?;
    let is_same = record.inputs == inputs.hash && record.epoch.as_ref() == Some(inputs.epoch());
    (is_same && inputs.refused.is_none()).then_some(record)
}

/// A cancelled build may have written an rlib but no artifact.
fn is_library_of(batch: &Batch, id: &ModuleId, record: &Record) -> bool {
    record.library.is_some() && record.library == library_hash(batch, id)
}

/// The hash of the rlib that dependents of a core crate link to.
fn library_hash(batch: &Batch, id: &ModuleId) -> Option<String> {
    Some(blake3::hash(&library(batch, id)?).to_hex().to_string())
}

fn library(batch: &Batch, id: &ModuleId) -> Option<Vec<u8>> {
    let name = format!("lib{}.rlib", id.crate_name());
    fs::read(output_folder(&batch.folders, id).join(name)).ok()
}

/// rustc's output folder of a module.
pub fn output_folder(folders: &Folders, id: &ModuleId) -> PathBuf {
    folders.built.join("build").join(id.as_str())
}

fn artifact_path(folders: &Folders, id: &ModuleId) -> PathBuf {
    folders.built.join("artifacts").join(format!("{id}.so"))
}

fn record_path(folders: &Folders, id: &ModuleId) -> PathBuf {
    artifact_path(folders, id).with_extension("json")
}

/// Moves the dylib out of rustc's folder, where dependents would find it beside the rlib, and
/// records what it was built from.
///
/// # Errors
///
/// If a file cannot be read or written.
pub fn put(
    batch: &Batch,
    id: &ModuleId,
    inputs: &Inputs,
    dylib: &Path,
) -> Result<(PathBuf, Vec<u8>), CaptureError> {
    let path = artifact_path(&batch.folders, id);
    let file = |source| CaptureError::File { path: path.clone(), source };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(file)?;
    }
    let bytes = fs::read(dylib).map_err(file)?;
    fs::rename(dylib, &path).map_err(file)?;
    let is_core = batch.members.linked().contains(id);
    let library = is_core.then(|| library(batch, id)).flatten();
    if let Some(library) = &library {
        relink::note_symbols(batch, id, library)?;
    }
    let record = Record {
        inputs: inputs.hash.clone(),
        epoch: Some(inputs.epoch().clone()),
        hash: ArtifactHash::of(&bytes),
        library: library.map(|library| blake3::hash(&library).to_hex().to_string()),
        read: relative(inputs.known.as_deref(), &batch.folders.workspace),
    };
    let text = serde_json::to_vec(&record).map_err(|source| file(source.into()))?;
    write(&record_path(&batch.folders, id), &text)?;
    Ok((path, bytes))
}

/// Files outside of the workspace keep their absolute paths.
fn relative(read: Option<&DepInfo>, workspace: &Path) -> DepInfo {
    let Some(DepInfo { files, variables }) = read else { return DepInfo::default() };
    let relative = |path: &PathBuf| path.strip_prefix(workspace).unwrap_or(path).to_owned();
    DepInfo { files: files.iter().map(relative).collect(), variables: variables.clone() }
}
