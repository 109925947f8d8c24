//! The table, and the line of JSON at its end.

use std::fs;
use std::io::{IsTerminal, Write, stderr};
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::edit::Edit;
use crate::live::{STAGES, Sample};

/// Measured values of one kind.
#[derive(Clone, Debug, Default)]
pub struct Column {
    sorted: Vec<f64>,
}

impl FromIterator<f64> for Column {
    fn from_iter<T: IntoIterator<Item = f64>>(values: T) -> Self {
        let mut sorted: Vec<f64> = values.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        Self { sorted }
    }
}

impl Column {
    /// One more.
    pub fn push(&mut self, value: f64) {
        let place = self.sorted.partition_point(|other| *other < value);
        self.sorted.insert(place, value);
    }

    /// The median.
    pub fn p50(&self) -> f64 {
        self.rank(0.5)
    }

    /// The value that 95 of 100 do not exceed.
    pub fn p95(&self) -> f64 {
        self.rank(0.95)
    }

    /// The nearest rank: a value that was measured.
    fn rank(&self, part: f64) -> f64 {
        let count = self.sorted.len();
        let rank = (part * count as f64).ceil() as usize;
        self.sorted.get(rank.clamp(1, count.max(1)) - 1).copied().unwrap_or(f64::NAN)
    }
}

/// What is printed.
pub struct Report {
    figures: Map<String, Value>,
    targets: Vec<(String, f64, f64)>,
}

impl Report {
    /// Says what is measured, and how busy the machine is without it.
    pub fn begin(edits: u32) -> Self {
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let load = load.split_whitespace().next().unwrap_or("?").to_owned();
        let cores = std::thread::available_parallelism().map_or(0, |cores| cores.get());
        println!(
            "{edits} edits of each kind; {cores} processors, load {load} before; milliseconds"
        );
        let mut figures = Map::new();
        figures.insert("bench".into(), json!("live_edit"));
        figures.insert("edits".into(), json!(edits));
        Self { figures, targets: Vec::new() }
    }

    /// Says how far it is, on a terminal.
    pub fn progress(&self, what: &str, done: u32, of: u32) {
        let mut stderr = stderr();
        if stderr.is_terminal() {
            // What cannot be shown is not worth stopping for.
            let _ = write!(stderr, "\r\u{1b}[K{what}: {done} of {of}");
        }
    }

    /// A part of the table.
    pub fn heading(&self, text: &str) {
        let stages: String = STAGES.iter().map(|stage| format!("{stage:>8}")).collect();
        let stages = if text.starts_with("edit") { stages + "    rest" } else { String::new() };
        clear_progress();
        println!("\n{text:<40}{:>9}{:>9}{stages}", "p50", "p95");
    }

    /// A row of one kind of time.
    pub fn row(&self, what: &str, column: &Column) {
        println!("{what:<40}{:>9.1}{:>9.1}", column.p50(), column.p95());
    }

    /// A row of edits with the medians of their stages, which are those of the edited module. The
    /// last is what is left: the builds of other modules, waiting for the end of a frame, the first
    /// frame itself.
    pub fn live(&self, what: &str, edit: &Edit, samples: &[Sample]) -> Column {
        let live: Column = samples.iter().map(|sample| sample.live_ms).collect();
        let modules = samples.first().map_or(0, |sample| sample.modules);
        let name = match modules {
            1 => format!("{what}: {}", edit.module),
            count => format!("{what}: {} and {} more", edit.module, count.saturating_sub(1)),
        };
        let mut row = format!("{name:<40}{:>9.1}{:>9.1}", live.p50(), live.p95());
        for stage in STAGES {
            let column: Column = samples.iter().map(|sample| sample.stage(stage)).collect();
            row.push_str(&format!("{:>8.1}", column.p50()));
        }
        let rest = |sample: &Sample| {
            sample.live_ms - STAGES.iter().map(|stage| sample.stage(stage)).sum::<f64>()
        };
        let rest: Column = samples.iter().map(rest).collect();
        println!("{row}{:>8.1}", rest.p50());
        live
    }

    /// A number of the result.
    pub fn figure(&mut self, name: &str, value: f64) {
        let rounded = (value * 1000.0).round() / 1000.0;
        self.figures.insert(name.to_owned(), json!(rounded));
    }

    /// A number of the result that is to be at most `most`.
    pub fn target(&mut self, name: &str, value: f64, most: f64) {
        self.figure(name, value);
        self.targets.push((name.to_owned(), value, most));
    }

    /// Prints and keeps the result.
    pub fn end(self) {
        println!("\n{:<40}{:>9}{:>9}", "target", "is", "at most");
        for (name, value, most) in &self.targets {
            let mark = if value <= most { "" } else { "   missed" };
            println!("{name:<40}{value:>9.2}{most:>9.2}{mark}");
        }
        let line = Value::Object(self.figures).to_string();
        println!("\n{line}");
        // The program lies in target/<profile>/deps.
        let program = std::env::current_exe().expect("a process has an executable");
        let target = program.ancestors().nth(3).unwrap_or(Path::new("target"));
        let folder = target.join("bench");
        fs::create_dir_all(&folder).expect("a folder below target");
        fs::write(folder.join("live_edit.json"), line + "\n").expect("the result's file");
    }
}

fn clear_progress() {
    if stderr().is_terminal() {
        eprint!("\r\u{1b}[K");
    }
}
