//! Prints the table of results.

use playground_tests::bench::{Column, Report};

use crate::dynamic::Dynamic;
use crate::floor::Floor;
use crate::module::Swap;

/// Prints the heading.
pub fn heading(report: &Report) {
    report.line(&format!(
        "\n{:<30}{:>9}{:>10}{:>9}{:>9}{:>9}{:>9}",
        "ms, three components on", "pause", "snapshot", "decode", "insert", "rest", "peak MB"
    ));
}

/// Prints a row of swaps; returns the median pause.
pub fn swaps(report: &Report, what: &str, swaps: &[Swap]) -> f64 {
    let column = |value: fn(&Swap) -> f64| swaps.iter().map(value).collect::<Column>();
    let pause_ms = column(|swap| swap.pause_ms).p50();
    let rest = column(|s| s.pause_ms - s.snapshot_ms - s.decode_ms - s.insert_ms);
    report.line(&format!(
        "{what:<30}{pause_ms:>9.2}{:>10.2}{:>9.2}{:>9.2}{:>9.2}{:>9.1}",
        column(|swap| swap.snapshot_ms).p50(),
        column(|swap| swap.decode_ms).p50(),
        column(|swap| swap.insert_ms).p50(),
        rest.p50(),
        column(|swap| swap.peak_mb).max(),
    ));
    pause_ms
}

/// Prints a row of the baseline; returns the median total.
pub fn floors(report: &Report, floors: &[Floor]) -> f64 {
    let column = |value: fn(&Floor) -> f64| floors.iter().map(value).collect::<Column>();
    let total_ms = column(Floor::total_ms).p50();
    report.line(&format!(
        "{:<30}{total_ms:>9.2}{:>10.2}{:>9.2}{:>9.2}",
        "  bincode and insert_batch",
        column(|floor| floor.encode_ms).p50(),
        column(|floor| floor.decode_ms).p50(),
        column(|floor| floor.insert_ms).p50(),
    ));
    total_ms
}

/// Prints a row of `DynamicWorld`; returns the median total.
pub fn dynamics(report: &Report, dynamics: &[Dynamic]) -> f64 {
    let column = |value: fn(&Dynamic) -> f64| dynamics.iter().map(value).collect::<Column>();
    let total_ms = column(Dynamic::total_ms).p50();
    report.line(&format!(
        "{:<30}{total_ms:>9.2}{:>10.2}{:>9.2}{:>9.2}{:>9}{:>9.1}",
        "  DynamicWorld as RON",
        column(|dynamic| dynamic.serialize_ms).p50(),
        column(|dynamic| dynamic.deserialize_ms).p50(),
        column(|dynamic| dynamic.write_ms).p50(),
        "",
        column(|dynamic| dynamic.peak_mb).max(),
    ));
    total_ms
}
