//! Compares two versions of a pack, and says which version number the changes call for.
//!
//! ```text
//!  old, new ─► inspect ─► schemas, types ─┐
//!           └► probe ─► systems, commands ┴─► differences ─► level ─► version
//! ```
//!
//! `build` of the modules runs in another process, as it does before an edit goes live.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use playground_api::schema::{Definition, Severity, TypeChange};
use playground_pack::{Manifest, Module};
use semver::{Version, VersionReq};

use super::{PacksError, fit};
use crate::ids::ModuleId;
use crate::inspect::{self, Inspected};
use crate::load::{self, Sealed};
use crate::pipeline::image;
use crate::probe::{Asked, Probe, Prober};

/// The time limit for what the modules of a pack do when they are built.
const PROBE_LIMIT: Duration = Duration::from_secs(10);

/// How much of the version changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Nothing changes for players and other modules.
    Patch,
    /// There is something new; everything from before still works.
    Minor,
    /// Something is gone or needs more: saves, other modules or players may notice.
    Major,
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// The level that it calls for.
    pub level: Level,
    /// The difference, in words.
    pub text: String,
}

/// The differences between two versions of a pack.
#[derive(Clone, Debug)]
pub struct PackDiff {
    /// The pack's id.
    pub id: String,
    /// The old version.
    pub from: Version,
    /// The new version.
    pub to: Version,
    /// The differences, those that call for most first.
    pub differences: Vec<Difference>,
}

impl PackDiff {
    /// The highest level of all differences; `None` if there are none.
    pub fn level(&self) -> Option<Level> {
        self.differences.iter().map(|difference| difference.level).max()
    }

    /// The lowest version that the new pack may have.
    pub fn needed(&self) -> Version {
        self.level().map_or_else(|| self.from.clone(), |level| bumped(&self.from, level))
    }

    /// True if the new pack's version is high enough.
    pub fn fits(&self) -> bool {
        self.to >= self.needed()
    }
}

/// The next version. Before 1.0.0 each number means what the one before it means later.
fn bumped(version: &Version, level: Level) -> Version {
    let Version { major, minor, patch, .. } = *version;
    match (major, minor, level) {
        (1.., _, Level::Major) => Version::new(major + 1, 0, 0),
        (1.., _, Level::Minor) | (0, 1.., Level::Major) => Version::new(major, minor + 1, 0),
        (0, 0, Level::Major) | (_, _, Level::Minor | Level::Patch) => {
            Version::new(major, minor, patch + 1)
        }
    }
}

/// Compares two versions of a pack.
///
/// # Errors
///
/// If one of them is refused, if they are not versions of one pack, or if the `build` of one of their
/// modules fails.
pub fn diff(old: &Path, new: &Path) -> Result<PackDiff, PacksError> {
    let (old, new) = (Side::read(old)?, Side::read(new)?);
    if old.manifest.id != new.manifest.id {
        return Err(PacksError::OtherPack { ids: [old.manifest.id, new.manifest.id] });
    }
    let mut found = Found::default();
    found.manifests(&old.manifest, &new.manifest);
    for (id, before) in &old.modules {
        match new.modules.get(id) {
            Some(after) => found.modules(id, before, after),
            None => found.add(Level::Major, format!("module `{id}` is gone")),
        }
    }
    for id in new.modules.keys().filter(|id| !old.modules.contains_key(*id)) {
        found.add(Level::Minor, format!("module `{id}` is new"));
    }
    let mut differences = found.0;
    differences.sort_by(|one, other| other.level.cmp(&one.level).then(one.text.cmp(&other.text)));
    let (from, to) = (old.manifest.version, new.manifest.version);
    Ok(PackDiff { id: old.manifest.id, from, to, differences })
}

/// A version of a pack.
struct Side {
    manifest: Manifest,
    modules: BTreeMap<ModuleId, Facts>,
}

/// Facts about a module, from its manifests, its schemas and its `build`.
struct Facts {
    relations: Module,
    manifest: inspect::Manifest,
    schemas: Vec<Definition>,
    asked: Asked,
}

impl Side {
    fn read(file: &Path) -> Result<Self, PacksError> {
        let (manifest, libraries) = fit::read(file)?;
        let libraries = libraries.ok_or_else(|| PacksError::NoTarget { file: file.to_owned() })?;
        let sealed = libraries.into_iter().map(load::seal).collect::<Result<Vec<_>, _>>()?;
        let mut asked = registrations(&sealed)?;
        let relations = manifest.modules.iter().cloned();
        let modules = relations.zip(&sealed).map(|(relations, sealed)| {
            let inspected: &Inspected = sealed.inspected();
            let id = inspected.manifest().id.clone();
            let facts = Facts {
                relations,
                manifest: inspected.manifest().clone(),
                schemas: inspected.schemas().to_vec(),
                asked: asked.remove(&id).unwrap_or_default(),
            };
            (id, facts)
        });
        let modules = modules.collect();
        Ok(Self { manifest, modules })
    }
}

/// The registrations of each module's `build`, found out in another process.
fn registrations(sealed: &[Sealed]) -> Result<BTreeMap<ModuleId, Asked>, PacksError> {
    let Some(probe) = Probe::start(&Prober::Own, None)? else { return Ok(BTreeMap::new()) };
    let images = sealed.iter().map(image).collect();
    Ok(probe.attempt(images, Vec::new(), PROBE_LIMIT, || false)?.asked)
}

#[derive(Default)]
struct Found(Vec<Difference>);

impl Found {
    fn add(&mut self, level: Level, text: String) {
        self.0.push(Difference { level, text });
    }

    /// Adds the differences between the manifests.
    fn manifests(&mut self, old: &Manifest, new: &Manifest) {
        for (what, before, after) in
            [("the game", &old.host, &new.host), ("playground_api", &old.api, &new.api)]
        {
            if before != after {
                self.add(Level::Minor, format!("it is for {what} {after}, and was for {before}"));
            }
        }
        let triples = |manifest: &Manifest| {
            manifest.targets.iter().map(|it| it.triple.clone()).collect::<BTreeSet<_>>()
        };
        let (before, after) = (triples(old), triples(new));
        for triple in before.difference(&after) {
            self.add(Level::Major, format!("it is no longer built for {triple}"));
        }
        for triple in after.difference(&before) {
            self.add(Level::Minor, format!("it is built for {triple}, too"));
        }
        let others = |manifest: &Manifest| {
            let files = manifest.files.iter().filter(|file| !file.path.starts_with("targets/"));
            files.map(|file| (file.path.clone(), file.blake3.to_string())).collect()
        };
        let (before, after): (BTreeMap<String, String>, BTreeMap<String, String>) =
            (others(old), others(new));
        for (path, hash) in &before {
            match after.get(path) {
                Some(other) if other == hash => {}
                Some(_) => self.add(Level::Patch, format!("`{path}` has other content")),
                None => self.add(Level::Patch, format!("`{path}` is gone")),
            }
        }
        for path in after.keys().filter(|path| !before.contains_key(*path)) {
            self.add(Level::Patch, format!("`{path}` is new"));
        }
        for module in &old.modules {
            for target in &old.targets {
                let library =
                    |side: &Manifest| side.library(&target.triple, &module.id).map(|it| it.blake3);
                if let (Some(before), Some(after)) = (library(old), library(new))
                    && before != after
                {
                    self.add(Level::Patch, format!("the code of `{}` is another one", module.id));
                    break;
                }
            }
        }
    }

    fn modules(&mut self, id: &ModuleId, old: &Facts, new: &Facts) {
        self.relations(id, &old.relations, &new.relations);
        self.schemas(id, &old.schemas, &new.schemas);
        if old.manifest.kind == inspect::Kind::Core {
            self.types(id, &old.manifest, &new.manifest);
        }
        let schedules = |asked: &Asked| {
            let mut schedules: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
            for (schedule, name) in &asked.systems {
                schedules.entry(name.clone()).or_default().insert(schedule.clone());
            }
            schedules
        };
        let (before, after) = (schedules(&old.asked), schedules(&new.asked));
        for (name, schedules) in &before {
            match after.get(name) {
                Some(others) if others == schedules => {}
                Some(others) => {
                    let (from, to) = (listed(schedules), listed(others));
                    self.add(
                        Level::Minor,
                        format!("system `{name}` runs in {to}, and ran in {from}"),
                    );
                }
                None => self.add(Level::Minor, format!("system `{name}` is gone")),
            }
        }
        for name in after.keys().filter(|name| !before.contains_key(*name)) {
            self.add(Level::Minor, format!("system `{name}` is new"));
        }
        let (before, after) = (&old.asked.commands, &new.asked.commands);
        for name in before.difference(after) {
            self.add(Level::Major, format!("the console command `{name}` is gone"));
        }
        for name in after.difference(before) {
            self.add(Level::Minor, format!("the console command `{name}` is new"));
        }
    }

    fn relations(&mut self, id: &ModuleId, old: &Module, new: &Module) {
        type Versions = BTreeMap<String, VersionReq>;
        let relations: [(&str, &Versions, &Versions); 3] = [
            ("requires", &old.requires, &new.requires),
            ("goes only with", &old.optional, &new.optional),
            ("cannot run beside", &old.conflicts, &new.conflicts),
        ];
        for (verb, before, after) in relations {
            for (other, versions) in after {
                match before.get(other) {
                    Some(same) if same == versions => {}
                    Some(earlier) => {
                        let text =
                            format!("`{id}` {verb} `{other}` {versions} in place of {earlier}");
                        self.add(Level::Major, text);
                    }
                    None => {
                        self.add(Level::Major, format!("`{id}` now {verb} `{other}` {versions}"))
                    }
                }
            }
            for other in before.keys().filter(|other| !after.contains_key(*other)) {
                let text = format!("`{id}` no longer says that it {verb} `{other}`");
                self.add(Level::Patch, text);
            }
        }
        if (&old.after, &old.before) != (&new.after, &new.before) {
            self.add(Level::Patch, format!("`{id}` is loaded in another order"));
        }
    }

    /// Persisted types: what becomes of the values in saves.
    fn schemas(&mut self, id: &ModuleId, old: &[Definition], new: &[Definition]) {
        let successor = |before: &Definition| {
            let same = new.iter().find(|after| after.name == before.name);
            same.or_else(|| new.iter().find(|after| after.is_called(&before.name)))
        };
        for before in old {
            let name = &before.name;
            let Some(after) = successor(before) else {
                self.add(Level::Major, format!("`{id}` no longer persists `{name}`"));
                continue;
            };
            let change = TypeChange::between(before, after);
            for entry in &change.entries {
                let level = match entry.severity {
                    Severity::Kept => continue,
                    Severity::Converted | Severity::New => Level::Minor,
                    Severity::Checked | Severity::Dropped { .. } | Severity::Impossible => {
                        Level::Major
                    }
                };
                let path = if entry.path.is_empty() {
                    format!("`{name}`")
                } else {
                    format!("`{}` of `{name}`", entry.path)
                };
                self.add(level, format!("{path}: {}", entry.description));
            }
        }
        for after in new {
            let is_new = !old.iter().any(|before| {
                successor(before).is_some_and(|successor| successor.name == after.name)
            });
            if is_new {
                self.add(Level::Minor, format!("`{id}` persists `{}`, too", after.name));
            }
        }
    }

    /// The types and signatures of a core, which other modules are compiled against.
    fn types(&mut self, id: &ModuleId, old: &inspect::Manifest, new: &inspect::Manifest) {
        for (name, identity) in &old.types {
            match new.types.get(name) {
                Some(other) if other == identity => {}
                Some(_) => self.add(
                    Level::Major,
                    format!("`{name}` of `{id}` is another type: what links to it is built again"),
                ),
                None => self.add(Level::Major, format!("the type `{name}` of `{id}` is gone")),
            }
        }
        for name in new.types.keys().filter(|name| !old.types.contains_key(*name)) {
            self.add(Level::Minor, format!("the type `{name}` of `{id}` is new"));
        }
        if old.crate_epoch != new.crate_epoch {
            let text = format!(
                "types of `{id}` without an identity of their own changed: what links to it \
                         is built again"
            );
            self.add(Level::Major, text);
        }
    }
}

fn listed(names: &BTreeSet<String>) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_go_up_by_what_changed() {
        for (version, level, expected) in [
            ("1.2.3", Level::Patch, "1.2.4"),
            ("1.2.3", Level::Minor, "1.3.0"),
            ("1.2.3", Level::Major, "2.0.0"),
            ("0.2.3", Level::Patch, "0.2.4"),
            ("0.2.3", Level::Minor, "0.2.4"),
            ("0.2.3", Level::Major, "0.3.0"),
            ("0.0.3", Level::Patch, "0.0.4"),
            ("0.0.3", Level::Major, "0.0.4"),
        ] {
            assert_eq!(bumped(&version.parse().unwrap(), level).to_string(), expected, "{version}");
        }
    }
}
