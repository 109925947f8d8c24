//! A game that runs at 60 frames a second while its modules are edited.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::time::{Duration, Instant};
use std::{fs, thread};

use playground_hotload::console::Console;
use serde_json::Value;

use crate::{Copy, Scene};

/// Frames between two edits.
const REST: u32 = 20;
/// The time limit of an edit.
const PATIENCE: Duration = Duration::from_secs(180);

/// The stages of the `swapped` event, in order.
pub const STAGES: [&str; 10] =
    ["watch", "check", "compile", "link", "verify", "inspect", "probe", "load", "plan", "pause"];

/// A running game.
pub struct Live {
    scene: Scene,
    events: File,
    due: Instant,
}

/// The event that ends an edit.
#[derive(Clone, Copy, Debug)]
pub struct End<'a> {
    /// Its kind.
    pub kind: &'a str,
    /// Its module.
    pub module: &'a str,
}

/// One edit, all times in milliseconds.
pub struct Sample {
    /// From writing the file to the end of the first frame after the event: with the new code, or
    /// with the error.
    pub live_ms: f64,
    /// The number of swapped modules.
    pub modules: usize,
    /// The number of those that were only linked again.
    pub linked: usize,
    /// The frame in which the swap happened.
    pub swap_frame_ms: f64,
    /// The first frame with the new code.
    pub first_frame_ms: f64,
    /// The median frame before the edit.
    pub usual_frame_ms: f64,
    stages: Value,
}

impl Sample {
    /// A stage's time, in milliseconds.
    pub fn stage(&self, name: &str) -> f64 {
        self.stages[name].as_f64().unwrap_or_default()
    }
}

impl Live {
    /// Starts an app of the copy.
    pub fn start(copy: Copy, app: &str) -> Self {
        let scene = Scene::with_plugin(copy, |plugin| {
            plugin.app = Some(app.to_owned());
            plugin.deterministic = false;
        });
        let mut events = File::open(scene.root().join("events.jsonl")).expect("the events file");
        events.seek(SeekFrom::End(0)).expect("a file has an end");
        Self { scene, events, due: Instant::now() }
    }

    /// The game's workspace.
    pub fn copy(&self) -> &Copy {
        self.scene.copy()
    }

    /// The answer to a console command.
    pub fn console(&mut self, line: &str) -> String {
        self.scene.console(line)
    }

    /// The number of running modules.
    pub fn modules(&mut self) -> usize {
        let listed = self.scene.console("modules");
        let runs = |line: &&str| line.contains("active") || line.contains("probation");
        listed.lines().filter(runs).count()
    }

    /// Measures from writing files, whose paths are relative to the workspace, to the end of the
    /// first frame after the event.
    pub fn save(&mut self, files: &[(&str, String)], end: End<'_>) -> Sample {
        self.measure(end, |scene| {
            for (path, text) in files {
                let path = scene.root().join(path);
                fs::create_dir_all(path.parent().expect("a file in a folder")).expect("folders");
                fs::write(&path, text)
                    .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            }
        })
    }

    /// Measures from an action to the end of the first frame after the event.
    pub fn measure(&mut self, end: End<'_>, act: impl FnOnce(&mut Scene)) -> Sample {
        let usual_frame_ms = self.rest();
        let started = Instant::now();
        act(&mut self.scene);
        let (event, swap_frame_ms) = self.wait_for(end);
        let first_frame_ms = self.frame();
        let count = |name: &str| event[name].as_array().map_or(0, Vec::len);
        Sample {
            live_ms: ms(started.elapsed()),
            modules: count("modules"),
            linked: count("linked"),
            swap_frame_ms,
            first_frame_ms,
            usual_frame_ms,
            stages: event["ms"].clone(),
        }
    }

    /// Waits for an event; returns it and the time of its frame.
    fn wait_for(&mut self, end: End<'_>) -> (Value, f64) {
        let started = Instant::now();
        loop {
            let frame_ms = self.frame();
            for event in self.events() {
                // Another app comes with swaps of its own.
                let ends = ["build_failed", "refused", "rolled_back", "swapped"];
                let ends = if end.kind == "app_changed" { &ends[..3] } else { &ends[..] };
                let is_end = ends.iter().any(|end| event["event"] == *end);
                let expected = event["event"] == end.kind && event["module"] == end.module;
                assert!(!is_end || expected, "{event} instead of {end:?}");
                if expected {
                    return (event, frame_ms);
                }
            }
            assert!(
                started.elapsed() < PATIENCE,
                "timed out waiting for {end:?}\n{}",
                self.scene.story()
            );
        }
    }

    /// Reads the new lines of the events file.
    fn events(&mut self) -> Vec<Value> {
        let mut text = String::new();
        self.events.read_to_string(&mut text).expect("the events file can be read");
        text.lines().map(|line| serde_json::from_str(line).expect("events are JSON")).collect()
    }

    /// Runs frames until nothing is being built any more; returns the median time of the last ones.
    pub fn rest(&mut self) -> f64 {
        self.due = Instant::now();
        let mut frames = Vec::new();
        while frames.len() < REST as usize {
            frames.push(self.frame());
            if self.scene.app.world().resource::<Console>().progress.is_some() {
                frames.clear();
            }
        }
        self.events();
        frames.sort_by(f64::total_cmp);
        frames[frames.len() / 2]
    }

    /// Runs frames; returns their times.
    pub fn frames(&mut self, count: u32) -> Vec<f64> {
        (0..count).map(|_| self.frame()).collect()
    }

    /// Runs the next frame when it is due; returns its time.
    fn frame(&mut self) -> f64 {
        thread::sleep(self.due.saturating_duration_since(Instant::now()));
        let started = Instant::now();
        // Missed frames are skipped.
        self.due = self.due.max(started - Duration::from_millis(1)) + Duration::from_micros(16_667);
        self.scene.app.update();
        ms(started.elapsed())
    }
}

/// A duration in milliseconds.
pub fn ms(took: Duration) -> f64 {
    took.as_secs_f64() * 1000.0
}
