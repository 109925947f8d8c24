//! Shows the installed packs: commands that change nothing, and the rows of the console's page.

use std::path::Path;

use playground_pack::store::{Entry, Key};
use playground_pack::{Module, Publisher, Store};

use super::describe::{describe, publisher, verified};
use super::player::{Player, Report};
use super::prebuilt::{Prebuilt, find};
use super::{Fit, PacksError, fit};
use crate::ids::ModuleId;
use crate::refusal::Refusal;

/// An installed pack, as the console lists it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PackRow {
    /// Its id.
    pub id: String,
    /// The name that players see; the id if its manifest cannot be read.
    pub title: String,
    /// The installed version.
    pub version: String,
    /// Who signed it, in words.
    pub publisher: String,
    /// A text for players.
    pub description: String,
    /// The ids of its modules.
    pub modules: Vec<String>,
    /// False if it was switched off.
    pub is_on: bool,
    /// Why it does not run although it is on, or why a version of it could not run.
    pub problem: Option<String>,
}

/// The installed packs for the console's page; empty if the list cannot be read.
pub fn rows(store: &Store, packs: &Prebuilt) -> Vec<PackRow> {
    let list = store.list().unwrap_or_default();
    let row = |(id, entry): (&String, &Entry)| {
        let refused = packs.refused.get(id).map(Refusal::to_string);
        let problem = refused.or_else(|| entry.problem.clone());
        let row = PackRow {
            id: id.clone(),
            title: id.clone(),
            version: entry.version.to_string(),
            is_on: entry.is_on,
            problem,
            ..PackRow::default()
        };
        let Ok(installed) = store.read(id, entry) else { return row };
        let manifest = installed.manifest;
        PackRow {
            publisher: publisher(&manifest),
            title: manifest.title,
            description: manifest.description,
            modules: manifest.modules.into_iter().map(|module| module.id).collect(),
            ..row
        }
    };
    list.packs.iter().map(row).collect()
}

impl Player<'_> {
    pub fn list(&self) -> Result<Report, PacksError> {
        self.store.list()?;
        let packs = Prebuilt::read(self.store, self.members);
        let rows = rows(self.store, &packs);
        if rows.is_empty() {
            let text = "no packs are installed; `pack install FILE` installs one".to_owned();
            return Ok(Report { text, changed: None });
        }
        let mut text = format!("{:<20} {:<10} {:<8} title", "pack", "version", "state");
        for PackRow { id, version, title, problem, is_on, .. } in rows {
            let state = match (is_on, packs.refused.contains_key(&id)) {
                (false, _) => "off",
                (true, true) => "refused",
                (true, false) => "on",
            };
            text.push_str(&format!("\n{id:<20} {version:<10} {state:<8} {title}"));
            if let Some(problem) = problem {
                text.push_str(&format!("\n    {}", problem.replace('\n', "\n    ")));
            }
        }
        Ok(Report { text, changed: None })
    }

    pub fn info(&self, id: &str) -> Result<Report, PacksError> {
        let entry = self.store.list()?.entry(id)?.clone();
        let installed = self.store.read(id, &entry)?;
        let text = format!(
            "{}\n{:<12} {}",
            describe(&installed.manifest),
            "folder",
            installed.folder.display()
        );
        Ok(Report { text, changed: None })
    }

    pub fn why(&self, id: &str) -> Result<Report, PacksError> {
        let entry = self.store.list()?.entry(id)?.clone();
        let packs = Prebuilt::read(self.store, self.members);
        let mut lines = Vec::new();
        match (entry.is_on, packs.refused.get(id), &entry.problem) {
            (false, _, Some(problem)) => lines.push(format!("pack {id} is off: {problem}")),
            (false, _, None) => lines.push(format!("pack {id} is off: it was switched off")),
            (true, Some(refusal), _) => lines.push(format!("pack {id} does not run: {refusal}")),
            (true, None, problem) => {
                lines.push(format!("pack {id} {} is on", entry.version));
                lines.extend(
                    problem.iter().map(|problem| format!("not a newer version: {problem}")),
                );
            }
        }
        let manifest = self.store.read(id, &entry)?.manifest;
        let mut beside = self.running_beside(id)?;
        beside.push(manifest.clone());
        let found = find(&beside, self.members).ok();
        for module in &manifest.modules {
            let own = ModuleId::from(module.id.as_str());
            if self.members.crates.contains_key(&own) || self.members.prebuilt.has_own(&own) {
                lines.push(format!("{} replaces the game's own", module.id));
            }
            for (other, versions) in &module.requires {
                let by = found.as_ref().and_then(|found| found.modules.get(other));
                let by = by.map_or("nobody offers it".to_owned(), |(version, provider)| {
                    format!("{version} of {provider}")
                });
                lines.push(format!("{} requires {other} {versions}: {by}", module.id));
            }
        }
        for other in beside.iter().filter(|other| other.id != id) {
            let own: Vec<&str> = manifest.modules.iter().map(|module| module.id.as_str()).collect();
            let needs = |module: &Module| {
                module.requires.keys().any(|required| own.contains(&required.as_str()))
            };
            if other.modules.iter().any(needs) {
                lines.push(format!("pack {} requires it", other.id));
            }
        }
        Ok(Report { text: lines.join("\n"), changed: None })
    }

    pub fn verify(&self, pack: &str) -> Result<Report, PacksError> {
        let list = self.store.list()?;
        let (manifest, fit) = match list.packs.get(pack) {
            Some(entry) => {
                let installed = self.store.verify(pack, entry)?;
                fit::in_folder(&installed.folder, &installed.manifest, &installed.folder)?;
                (installed.manifest, Fit::Fits)
            }
            None => super::fit(Path::new(pack))?,
        };
        Ok(Report { text: verified(&manifest, fit), changed: None })
    }

    pub fn keys(&self) -> Result<Report, PacksError> {
        let line = |(key, decided): (&String, &Key)| {
            let publisher = Publisher { name: decided.name.clone(), key: key.clone() };
            let state = if decided.is_trusted { "trusted" } else { "revoked" };
            format!("{state:<8} {} {:?}", publisher.key_id().unwrap_or_default(), decided.name)
        };
        let lines: Vec<String> = self.store.list()?.keys.iter().map(line).collect();
        let none = "no publisher is trusted yet; `pack install FILE` asks about the first one";
        let text = if lines.is_empty() { none.to_owned() } else { lines.join("\n") };
        Ok(Report { text, changed: None })
    }
}
