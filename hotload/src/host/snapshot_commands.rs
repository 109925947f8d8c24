//! Snapshot files: the console's commands, the autosave, and resuming from the last one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

use bevy::app::AppExit;
use bevy::ecs::component::ComponentId;
use bevy::prelude::*;
use playground_api::persist::PersistRecord;

use super::happened::Happened;
use super::{Host, Phase};
use crate::console::command::SnapshotCommand;
use crate::console::view::Level;
use crate::ids::ModuleId;
use crate::restore::values;
use crate::snapshot_file::format::{Header, Saved, SavedModule};
use crate::snapshot_file::left_behind::{self, LeftBehind};
use crate::snapshot_file::parked::Count;
use crate::snapshot_file::world::{self as save_world, Source, Target};
use crate::snapshot_file::{AUTOSAVE, SaveError, Saves, diff};

/// The interval of autosaves.
const AUTOSAVE_EVERY: Duration = Duration::from_secs(60);

/// The host's state for snapshots.
#[derive(Default)]
pub struct Snapshots {
    /// `None` until the workspace is known.
    saves: Option<Saves>,
    /// The existing names, for completion.
    names: Vec<String>,
    last_autosave: Option<Instant>,
    /// Returns the snapshot's name.
    writing: Option<JoinHandle<Result<String, SaveError>>>,
    left: bool,
    /// The components that entities had before a snapshot was loaded, and the frame in which those that are back
    /// should have it.
    expected: Option<(u64, Expected)>,
}

/// For a component of the game, those that no module persists and that all its entities had.
type Expected = BTreeMap<ComponentId, BTreeSet<ComponentId>>;

/// Systems over `Added` may take so many frames to complete what was loaded.
const FRAMES_TO_COMPLETE: u64 = 3;

impl Snapshots {
    /// Keeps snapshots in `folder` from now on, unless another one is set already.
    pub fn place(&mut self, folder: PathBuf) {
        self.saves.get_or_insert_with(|| Saves::new(folder));
        self.read_names();
    }

    /// The existing names.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    fn read_names(&mut self) {
        let listed = self.saves.as_ref().and_then(|saves| saves.list().ok());
        self.names = listed.unwrap_or_default().into_iter().map(|listed| listed.name).collect();
    }
}

impl Host {
    pub(super) fn snapshot_command(&mut self, world: &mut World, command: &SnapshotCommand) {
        let Some(saves) = self.snapshots.saves.clone() else { return };
        let done = match command {
            SnapshotCommand::Save { name } => self.save(world, &saves, name),
            SnapshotCommand::Load { name, force } => {
                saves.read(name).and_then(|saved| self.load(world, name, &saved, *force))
            }
            SnapshotCommand::List => list(&saves).map(|text| self.print(world, Level::Info, &text)),
            SnapshotCommand::Diff { name } => saves.read(name).and_then(|saved| {
                let lines = diff::lines(world, &saved, &self.sources())?;
                let text =
                    if lines.is_empty() { "nothing differs".to_owned() } else { lines.join("\n") };
                self.print(world, Level::Info, &text);
                Ok(())
            }),
            SnapshotCommand::Parked => {
                let text = parked_text(&self.running.parked.counts(world));
                self.print(world, Level::Info, &text);
                Ok(())
            }
            SnapshotCommand::Delete { name } => saves.delete(name).map(|()| {
                self.print(world, Level::Info, &format!("snapshot `{name}` is deleted"));
            }),
        };
        self.snapshots.read_names();
        if let Err(error) = done {
            self.print(world, Level::Error, &error.to_string());
        }
    }

    /// The persisted types of all running modules, and of those whose values are kept while they
    /// are off.
    fn sources(&self) -> Vec<Source> {
        let active = self.running.active.iter();
        let active = active.flat_map(|(id, active)| of_module(id, &active.persisted));
        let dormant = self.running.dormant.iter();
        let dormant = dormant.flat_map(|(id, dormant)| of_module(id, &dormant.persisted));
        active.chain(dormant).collect()
    }

    fn take(&self, world: &mut World) -> Result<(Header, Vec<u8>), SaveError> {
        let modules = self.running.active.values().map(|active| {
            let manifest = &active.generation.manifest;
            SavedModule {
                id: manifest.id.clone(),
                version: manifest.version.to_string(),
                epoch: manifest.epoch.clone(),
            }
        });
        let header = Header {
            app: self.selection.app.clone(),
            frame: self.frame,
            entities: 0,
            modules: modules.collect(),
        };
        save_world::save(world, &self.sources(), &self.running.parked, header)
    }

    fn save(&mut self, world: &mut World, saves: &Saves, name: &str) -> Result<(), SaveError> {
        saves.path(name)?;
        let (header, bytes) = self.take(world)?;
        let path = saves.write(name, &bytes)?;
        let (entities, size) = (header.entities, kib(bytes.len() as u64));
        let mut summary =
            format!("snapshot `{name}`: {entities} entities, {size}, in {}", path.display());
        let left = LeftBehind::of(world, &self.sources()).count(world);
        if !left.is_empty() {
            let left = left.iter().map(|(name, count)| format!("`{name}` of {count}"));
            let left = left.collect::<Vec<_>>().join(", ");
            summary.push_str(&format!("\nleft behind, as no module persists it: {left}"));
        }
        let name = name.to_owned();
        self.report(world, Happened::SnapshotSaved { name, is_autosave: false, summary });
        Ok(())
    }

    fn load(
        &mut self,
        world: &mut World,
        name: &str,
        saved: &Saved,
        force: bool,
    ) -> Result<(), SaveError> {
        if saved.header.app != self.selection.app {
            let app = |app: &Option<ModuleId>| {
                app.as_ref().map_or_else(|| "no app".to_owned(), ToString::to_string)
            };
            let (saved, running) = (app(&saved.header.app), app(&self.selection.app));
            return Err(SaveError::App { name: name.to_owned(), saved, running });
        }
        let dropped: Vec<String> = self
            .running
            .active
            .values()
            .flat_map(|active| active.generation.manifest.dropped.iter().cloned())
            .collect();
        let sources = self.sources();
        let expected = LeftBehind::of(world, &sources).always_with(world);
        let parked = &self.running.parked;
        let target = Target { sources: &sources, dropped: &dropped, parked, force };
        let loaded = save_world::load(world, name, saved, &target)?;
        self.running.parked = loaded.parked;
        self.snapshots.expected = Some((self.frame + FRAMES_TO_COMPLETE, expected));
        for warning in loaded.warnings {
            self.report(world, Happened::Warned(warning));
        }
        let (frame, entities) = (saved.header.frame, loaded.entities);
        let mut summary =
            format!("snapshot `{name}` of frame {frame}: {entities} entities are back");
        let parked = self.running.parked.counts(world);
        if !parked.is_empty() {
            summary.push_str(&format!("\n{}", parked_text(&parked)));
        }
        self.report(world, Happened::SnapshotLoaded { name: name.to_owned(), summary });
        Ok(())
    }

    /// Reports what the entities of the snapshot that was loaded last still lack.
    pub(super) fn check_loaded(&mut self, world: &mut World) {
        let frame = self.frame;
        let Some((_, expected)) = self.snapshots.expected.take_if(|(due, _)| frame >= *due) else {
            return;
        };
        let missing = left_behind::missing(world, &expected);
        if !missing.is_empty() {
            let text = format!(
                "the snapshot did not hold all that its entities had before: {}. Persist it, or add \
                 it in a system over `Added` of a persisted component",
                missing.join("; ")
            );
            self.report(world, Happened::Warned(text));
        }
    }

    /// Resumes from the newest snapshot of the app.
    pub(super) fn resume(&mut self, world: &mut World) {
        let Some(saves) = self.snapshots.saves.clone() else { return };
        let newest = saves.list().map(|listed| {
            let own = |header: &Header| header.app == self.selection.app;
            // Damaged snapshots are tried as well, so that resuming reports them.
            let since = self.settings.resume_since;
            let mut listed = listed
                .into_iter()
                .filter(|listed| since.is_none_or(|since| listed.written >= since));
            listed.find(|listed| listed.header.as_ref().map_or(true, own))
        });
        let resumed = match newest {
            Ok(None) => {
                return self.print(world, Level::Info, "there is no snapshot to resume from yet");
            }
            Ok(Some(listed)) => saves
                .read(&listed.name)
                .and_then(|saved| self.load(world, &listed.name, &saved, false))
                .map_err(|error| (error, Some(listed.name))),
            Err(error) => Err((error, None)),
        };
        match resumed {
            Ok(()) => {}
            Err((error, name)) => {
                let mut text = format!("{error}\nThe game begins anew");
                // The next autosave must not overwrite it.
                let autosave = autosave_name(self.selection.app.as_ref());
                if let Some(name) = name.filter(|name| *name == autosave) {
                    let kept = format!("{name}_{}", seconds(SystemTime::now()));
                    match saves.rename(&name, &kept) {
                        Ok(()) => text.push_str(&format!("; what was saved is kept as `{kept}`")),
                        Err(error) => text.push_str(&format!("; {error}")),
                    }
                }
                self.report(world, Happened::NotResumed(text));
            }
        }
    }

    /// Saves every minute, and on exit.
    pub(super) fn autosave(&mut self, world: &mut World) {
        if !self.settings.autosave
            || matches!(self.phase, Phase::Starting | Phase::Resuming)
            || self.snapshots.left
        {
            return;
        }
        let exits = world.get_resource::<Messages<AppExit>>();
        let ends = exits.is_some_and(|exits| !exits.is_empty());
        self.finish_write(world, ends);
        let last = *self.snapshots.last_autosave.get_or_insert_with(Instant::now);
        if !ends && (last.elapsed() < AUTOSAVE_EVERY || self.snapshots.writing.is_some()) {
            return;
        }
        self.snapshots.last_autosave = Some(Instant::now());
        self.snapshots.left = ends;
        let Some(saves) = self.snapshots.saves.clone() else { return };
        match self.take(world) {
            // Wait for the disk on another thread.
            Ok((header, bytes)) => {
                let name = autosave_name(header.app.as_ref());
                let writing = thread::Builder::new().name("playground autosave".into());
                let writing = writing.spawn(move || saves.write(&name, &bytes).map(|_| name));
                self.snapshots.writing = writing.ok();
            }
            Err(error) => self.report(world, Happened::Failed(error.into())),
        }
        if ends {
            self.finish_write(world, true);
        }
    }

    /// Reports the result of the current write, if it has ended.
    fn finish_write(&mut self, world: &mut World, wait: bool) {
        let ended = |writing: &mut JoinHandle<_>| wait || writing.is_finished();
        let Some(writing) = self.snapshots.writing.take_if(ended) else { return };
        match writing.join() {
            Ok(Ok(name)) => {
                let happened =
                    Happened::SnapshotSaved { name, is_autosave: true, summary: String::new() };
                self.report(world, happened);
                self.snapshots.read_names();
            }
            Ok(Err(error)) => self.report(world, Happened::Warned(format!("no autosave: {error}"))),
            Err(_) => {
                self.report(world, Happened::Warned("no autosave: its thread panicked".to_owned()));
            }
        }
    }
}

fn of_module(id: &ModuleId, persisted: &[PersistRecord]) -> Vec<Source> {
    let source = |record: &PersistRecord| Source { module: id.clone(), record: *record };
    persisted.iter().map(source).collect()
}

/// The parked values, by type.
fn parked_text(counts: &[Count]) -> String {
    if counts.is_empty() {
        return "no values are parked".to_owned();
    }
    let line = |Count { type_name, module, count }: &Count| {
        format!("\n    {} of {type_name}, persisted by {module}", values(*count))
    };
    let lines: String = counts.iter().map(line).collect();
    format!("parked until a module takes them, and saved along:{lines}")
}

/// The name of an app's autosave.
fn autosave_name(app: Option<&ModuleId>) -> String {
    match app {
        Some(app) => format!("{AUTOSAVE}_{}", app.without_kind()),
        None => AUTOSAVE.to_owned(),
    }
}

fn list(saves: &Saves) -> Result<String, SaveError> {
    let listed = saves.list()?;
    if listed.is_empty() {
        return Ok(format!("no snapshots in {}", saves.folder().display()));
    }
    let now = SystemTime::now();
    let lines = listed.into_iter().map(|listed| {
        let age = now.duration_since(listed.written).unwrap_or_default();
        let what = match listed.header {
            Ok(header) => format!(
                "{:<16} frame {:>7}  {:>7} entities",
                header.app.as_ref().map_or("", ModuleId::as_str),
                header.frame,
                header.entities
            ),
            Err(error) => error.to_string(),
        };
        format!("{:<24} {:>10} {:>10}  {what}", listed.name, ago(age), kib(listed.size))
    });
    Ok(lines.collect::<Vec<_>>().join("\n"))
}

fn kib(bytes: u64) -> String {
    format!("{:.1} KiB", bytes as f64 / 1024.0)
}

fn ago(age: Duration) -> String {
    match age.as_secs() {
        seconds @ 0..120 => format!("{seconds} s ago"),
        seconds @ 120..7200 => format!("{} min ago", seconds / 60),
        seconds @ 7200..172_800 => format!("{} h ago", seconds / 3600),
        seconds => format!("{} days ago", seconds / 86_400),
    }
}

/// Seconds since 1970.
fn seconds(at: SystemTime) -> u64 {
    at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}
