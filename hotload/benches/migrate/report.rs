//! The table, and the line of JSON at its end.

use std::fs;
use std::io::{IsTerminal, Write, stderr};
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::floor::Floor;
use crate::module::Swap;

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
    /// The median: the nearest rank, a value that was measured.
    pub fn p50(&self) -> f64 {
        self.sorted.get(self.sorted.len().saturating_sub(1) / 2).copied().unwrap_or(f64::NAN)
    }

    /// The largest.
    pub fn max(&self) -> f64 {
        self.sorted.last().copied().unwrap_or(f64::NAN)
    }
}

/// What is printed.
pub struct Report {
    figures: Map<String, Value>,
    targets: Vec<(String, f64, f64)>,
}

impl Report {
    /// Says what is measured, and how busy the machine is without it.
    pub fn begin(runs: u32) -> Self {
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let load = load.split_whitespace().next().unwrap_or("?").to_owned();
        let cores = std::thread::available_parallelism().map_or(0, |cores| cores.get());
        println!(
            "p50 of {runs} runs; {cores} processors, load {load} before; milliseconds, megabytes"
        );
        println!(
            "\n{:<30}{:>9}{:>10}{:>9}{:>9}{:>9}{:>9}",
            "three components on", "pause", "snapshot", "decode", "insert", "rest", "peak MB"
        );
        let mut figures = Map::new();
        figures.insert("bench".into(), json!("migrate"));
        figures.insert("runs".into(), json!(runs));
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

    /// A row of swaps; gives the median pause.
    pub fn swaps(&self, what: &str, swaps: &[Swap]) -> f64 {
        let column = |value: fn(&Swap) -> f64| swaps.iter().map(value).collect::<Column>();
        let pause_ms = column(|swap| swap.pause_ms).p50();
        let rest = column(|s| s.pause_ms - s.snapshot_ms - s.decode_ms - s.insert_ms);
        clear_progress();
        println!(
            "{what:<30}{pause_ms:>9.2}{:>10.2}{:>9.2}{:>9.2}{:>9.2}{:>9.1}",
            column(|swap| swap.snapshot_ms).p50(),
            column(|swap| swap.decode_ms).p50(),
            column(|swap| swap.insert_ms).p50(),
            rest.p50(),
            column(|swap| swap.peak_mb).max(),
        );
        pause_ms
    }

    /// A row of what it is compared with; gives the median total.
    pub fn floors(&self, floors: &[Floor]) -> f64 {
        let column = |value: fn(&Floor) -> f64| floors.iter().map(value).collect::<Column>();
        let total_ms = column(Floor::total_ms).p50();
        println!(
            "{:<30}{total_ms:>9.2}{:>10.2}{:>9.2}{:>9.2}",
            "  bincode and insert_batch",
            column(|floor| floor.encode_ms).p50(),
            column(|floor| floor.decode_ms).p50(),
            column(|floor| floor.insert_ms).p50(),
        );
        total_ms
    }

    /// A number of the result.
    pub fn figure(&mut self, name: &str, value: f64) {
        let rounded = (value * 1000.0).round() / 1000.0;
        self.figures.insert(name.to_owned(), json!(rounded));
    }

    /// A number of the result that could not be measured, and why.
    pub fn missing(&mut self, name: &str, reason: &str) {
        println!("\n{name}: not measured: {reason}");
        self.figures.insert(name.to_owned(), Value::Null);
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
        fs::write(folder.join("migrate.json"), line + "\n").expect("the result's file");
    }
}

fn clear_progress() {
    if stderr().is_terminal() {
        eprint!("\r\u{1b}[K");
    }
}
