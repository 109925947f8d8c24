//! Prints the table of results.

use playground_tests::bench::{Column, Report};

use crate::edit::Edit;
use playground_tests::bench::live::{STAGES, Sample};

/// Prints a heading.
pub fn heading(report: &Report, text: &str) {
    let stages: String = STAGES.iter().map(|stage| format!("{stage:>8}")).collect();
    let stages = if text.starts_with("edit") { stages + "    rest" } else { String::new() };
    report.line(&format!("\n{text:<40}{:>9}{:>9}{stages}", "p50", "p95"));
}

/// Prints a row with one kind of time.
pub fn row(report: &Report, what: &str, column: &Column) {
    report.line(&format!("{what:<40}{:>9.1}{:>9.1}", column.p50(), column.p95()));
}

/// Prints a row of edits with the medians of the edited module's stages. The last column is the
/// remainder: builds of other modules, waiting for the end of a frame, and the first frame.
pub fn live(report: &Report, what: &str, edit: &Edit, samples: &[Sample]) -> Column {
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
    report.line(&format!("{row}{:>8.1}", rest.p50()));
    live
}
