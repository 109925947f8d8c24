//! A running game, and a copy of the workspace that cargo builds, with the same edits in both.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use playground_tests::bench::Column;
use playground_tests::bench::live::{End, Live, Sample};
use playground_tests::bench::restart::{Again, Restart};
use playground_tests::{Copy, workspace};

use crate::kinds::{Change, Kind};

/// The file of the test modules that a small game takes the place of.
const GAME: &str = "modules/apps/demo/src/lib.rs";

/// Both.
pub struct Session {
    live: Live,
    /// `None` for a game that is not among the workspace's modules.
    restart: Option<Restart>,
    /// The files as they are, by path.
    files: BTreeMap<String, String>,
}

/// One edit.
pub struct Step {
    sample: Sample,
    again: Option<Again>,
}

/// The edits of one kind.
pub struct Measured {
    /// The name among the figures.
    pub key: &'static str,
    /// All times are in milliseconds.
    pub live: Column,
    pub cargo: Column,
    /// `cargo build`, and a start to the first frame.
    pub restart: Column,
    /// The number of modules that were swapped.
    pub modules: usize,
    /// The number of those that were only linked again.
    pub linked: usize,
    samples: Vec<Sample>,
}

impl Measured {
    pub fn new(kind: &Kind) -> Self {
        Self {
            key: kind.key,
            live: Column::default(),
            cargo: Column::default(),
            restart: Column::default(),
            modules: 0,
            linked: 0,
            samples: Vec::new(),
        }
    }

    pub fn push(&mut self, Step { sample, again }: Step) {
        self.live.push(sample.live_ms);
        if let Some(again) = again {
            self.cargo.push(again.build_ms);
            self.restart.push(again.both_ms());
        }
        (self.modules, self.linked) = (sample.modules, sample.linked);
        self.samples.push(sample);
    }

    /// The median of a stage of the edited module.
    pub fn stage(&self, name: &str) -> f64 {
        self.samples.iter().map(|sample| sample.stage(name)).collect::<Column>().p50()
    }
}

impl Session {
    pub fn new(copy: Copy, app: &str, beside: bool) -> Self {
        let restart = beside.then(Restart::default);
        if let Some(restart) = &restart {
            restart.run(&[]);
        }
        Self { live: Live::start(copy, app), restart, files: BTreeMap::new() }
    }

    /// A small game of the tests.
    pub fn of_fixture(name: &str) -> Self {
        let copy = Copy::of_fixtures();
        let source = workspace().join("tests/fixtures/games").join(name).join("src/lib.rs");
        let text = fs::read_to_string(source).expect("a game");
        copy.own_target();
        // As it is compiled in a workspace of its own.
        let manifest = copy.root.join("Cargo.toml");
        let manifest_text = fs::read_to_string(&manifest).expect("a manifest");
        fs::write(&manifest, manifest_text.replace("apps_demo.opt-level = 0\n", ""))
            .expect("a manifest");
        copy.write(GAME.trim_start_matches("modules/"), &text);
        Self::new(copy, "demo", false)
    }

    /// Makes the edit of that number in the game, and then for cargo.
    pub fn step(&mut self, kind: &Kind, number: u32) -> Step {
        let (event, module) = kind.end;
        let end = End { kind: event, module };
        let files = match &kind.change {
            Change::Edit(edits) => self.edited(edits, number),
            Change::Add(files) => {
                files.iter().map(|(path, text)| (path.to_string(), text.to_string())).collect()
            }
            Change::Remove(folder) => {
                let sample = self.live.measure(end, |scene| remove(&scene.root().join(folder)));
                let again = self.restart.as_ref().map(|restart| {
                    remove(&restart.copy().root.join(folder));
                    restart.run(&[])
                });
                return Step { sample, again };
            }
            Change::Command(line) => {
                let sample = self.live.measure(end, |scene| scene.submit(line));
                return Step { sample, again: None };
            }
        };
        let sample = self.live.save(&borrowed(&files), end);
        let again = self.restart.as_ref().map(|restart| match kind.is_error() {
            true => restart.fail(&borrowed(&files)),
            false => restart.run(&borrowed(&files)),
        });
        if matches!(kind.change, Change::Edit(_)) {
            self.files.extend(files);
        }
        Step { sample, again }
    }

    fn text(&self, path: &str) -> String {
        let read = || fs::read_to_string(self.live.copy().root.join(path)).expect("a source file");
        self.files.get(path).cloned().unwrap_or_else(read)
    }

    fn edited(&self, edits: &[(&str, &str, &str)], number: u32) -> BTreeMap<String, String> {
        let mut files = BTreeMap::new();
        for (path, from, to) in edits {
            let text = files.remove(*path).unwrap_or_else(|| self.text(path));

            let numbered = |text: &str| text.replace("{n}", &(number + 1).to_string());
            let (from, to) = (numbered(from), numbered(to));
            assert!(text.contains(&from), "{from} in {path}");
            files.insert((*path).to_owned(), text.replacen(&from, &to, 1));
        }
        files
    }
}

fn remove(folder: &Path) {
    fs::remove_dir_all(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
}

fn borrowed(files: &BTreeMap<String, String>) -> Vec<(&str, String)> {
    files.iter().map(|(path, text)| (path.as_str(), text.clone())).collect()
}
