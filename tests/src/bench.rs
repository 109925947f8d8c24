//! The output of every benchmark: rows as it goes, the targets, and a line of JSON at the end.

pub mod live;
pub mod restart;

use std::fs;
use std::io::{IsTerminal, Write, stderr};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

/// The manifest of a plugin that a benchmark adds, called `plugins_extra`.
pub const PLUGIN_MANIFEST: &str = r#"[package]
name = "plugins_extra"
version.workspace = true
edition.workspace = true
rust-version.workspace = true
license.workspace = true
publish.workspace = true

[dependencies]
bevy.workspace = true
playground_api.workspace = true
serde.workspace = true

[lints]
workspace = true
"#;

/// The folder for what benchmarks leave, `target/bench`.
pub fn folder() -> PathBuf {
    // The program lies in target/<profile>/deps.
    let program = std::env::current_exe().expect("a process has an executable");
    let target = program.ancestors().nth(3).unwrap_or(Path::new("target"));
    let folder = target.join("bench");
    fs::create_dir_all(&folder).expect("a folder below target");
    folder
}

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

    /// The largest.
    pub fn max(&self) -> f64 {
        self.rank(1.0)
    }

    /// The nearest rank: a value that was measured.
    fn rank(&self, part: f64) -> f64 {
        let count = self.sorted.len();
        let rank = (part * count as f64).ceil() as usize;
        self.sorted.get(rank.clamp(1, count.max(1)) - 1).copied().unwrap_or(f64::NAN)
    }
}

/// How often each thing is measured: `flag N` on the command line, or `unless_told`. Ends the
/// process where the command line says something else.
pub fn count(flag: &str, unless_told: u32) -> u32 {
    // cargo adds an argument of its own.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let count = match arguments.as_slice() {
        [] => Some(unless_told),
        [quick] if quick == "--quick" => Some(1),
        [found, count] if found == flag => count.parse().ok().filter(|count| *count > 0),
        _ => None,
    };
    count.unwrap_or_else(|| {
        eprintln!("usage: cargo bench --profile dev … -- [{flag} N | --quick]");
        std::process::exit(2);
    })
}

/// The figures of one run.
pub struct Report {
    name: &'static str,
    figures: Map<String, Value>,
    targets: Vec<Target>,
}

struct Target {
    name: String,
    value: f64,
    wanted: Selection,
}

#[derive(Clone, Copy)]
enum Selection {
    AtMost(f64),
    AtLeast(f64),
}

impl Report {
    /// Says what is measured, and how busy the machine is without it. `count` is how often each
    /// thing of the kind `of` is measured.
    pub fn begin(name: &'static str, of: &str, count: u32) -> Self {
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let load = load.split_whitespace().next().unwrap_or("?").to_owned();
        let cores = std::thread::available_parallelism().map_or(0, |cores| cores.get());
        println!("{name}: {count} {of} of each kind; {cores} processors, load {load} before");
        let mut figures = Map::new();
        figures.insert("bench".into(), json!(name));
        figures.insert(of.to_owned(), json!(count));
        Self { name, figures, targets: Vec::new() }
    }

    /// Says how far it is, on a terminal.
    pub fn progress(&self, what: &str, done: u32, of: u32) {
        let mut stderr = stderr();
        if stderr.is_terminal() {
            // What cannot be shown is not worth stopping for.
            let _ = write!(stderr, "\r\u{1b}[K{what}: {done} of {of}");
        }
    }

    /// Prints a line of the table.
    pub fn line(&self, text: &str) {
        if stderr().is_terminal() {
            eprint!("\r\u{1b}[K");
        }
        println!("{text}");
    }

    /// A number of the result.
    pub fn figure(&mut self, name: &str, value: f64) {
        let rounded = (value * 1000.0).round() / 1000.0;
        self.figures.insert(name.to_owned(), json!(rounded));
    }

    /// A number of the result that is to be at most `most`.
    pub fn at_most(&mut self, name: &str, value: f64, most: f64) {
        self.target(name, value, Selection::AtMost(most));
    }

    /// A number of the result that is to be at least `least`.
    pub fn at_least(&mut self, name: &str, value: f64, least: f64) {
        self.target(name, value, Selection::AtLeast(least));
    }

    fn target(&mut self, name: &str, value: f64, wanted: Selection) {
        self.figure(name, value);
        self.targets.push(Target { name: name.to_owned(), value, wanted });
    }

    /// Prints and keeps the result, in `target/bench/NAME.json`.
    pub fn end(self) {
        self.line(&format!("\n{:<40}{:>9}{:>18}", "target", "is", "wanted"));
        for Target { name, value, wanted } in &self.targets {
            let (text, is_met) = match wanted {
                Selection::AtMost(most) => (format!("at most {most:.2}"), value <= most),
                Selection::AtLeast(least) => (format!("at least {least:.2}"), value >= least),
            };
            let mark = if is_met { "" } else { "   missed" };
            println!("{name:<40}{value:>9.2}{text:>18}{mark}");
        }
        let line = Value::Object(self.figures).to_string();
        println!("\n{line}");
        let file = folder().join(format!("{}.json", self.name));
        fs::write(file, line + "\n").expect("the result's file");
    }
}
