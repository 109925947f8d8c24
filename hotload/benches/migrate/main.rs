//! Measures the game's pause while a persisted type with many values changes, and compares it with
//! bincode and insertion alone and with Bevy's `DynamicWorld`:
//!
//! ```sh
//! cargo bench --profile dev -p playground_hotload --bench migrate
//! ```
//!
//! `-- --runs N` measures each swap N times instead of 5. The last line is JSON, and is also
//! written to `target/bench/migrate.json`.
#![forbid(unsafe_code)]

mod components;
mod dynamic;
mod floor;
mod memory;
mod module;
mod table;

use std::collections::BTreeMap;

use dynamic::Dynamic;
use floor::Floor;
use module::Game;
use playground_tests::bench::{self, Report};

/// The default number of measurements of each swap.
const RUNS: u32 = 5;
/// Unmeasured swaps at the start.
const WARM_UP: u32 = 1;
/// Numbers of entities.
const COUNTS: [usize; 4] = [1_000, 10_000, 100_000, 1_000_000];
/// The smallest and largest number. `DynamicWorld` with the largest takes half a minute, and is
/// measured once.
const FEW: usize = 1_000;
const MANY: usize = 1_000_000;

fn main() {
    let runs = bench::count("--runs", RUNS);
    let mut report = Report::begin("migrate", "runs", runs);
    table::heading(&report);
    forms(runs, &mut report);
    bodies(runs, &mut report);
    report.end();
}

/// A swap that changes a type with values.
fn forms(runs: u32, report: &mut Report) {
    let mut game = Game::start();
    let (mut pauses_ms, mut floors_ms) = (BTreeMap::new(), BTreeMap::new());
    for count in COUNTS {
        let (mut swaps, mut floors, mut dynamics) = (Vec::new(), Vec::new(), Vec::new());
        for run in 0..runs + WARM_UP {
            report.progress(&format!("{count} entities"), run, runs + WARM_UP);
            game.fill(count);
            let swap = game.migrate(count);
            game.back();
            let floor = Floor::run(count);
            if run < WARM_UP {
                continue;
            }
            swaps.push(swap);
            floors.push(floor);
            if count < MANY || run == WARM_UP {
                dynamics.push(Dynamic::run(count));
            }
        }
        let pause_ms = table::swaps(report, &format!("{} entities", with_commas(count)), &swaps);
        let floor_ms = table::floors(report, &floors);
        let dynamic_ms = table::dynamics(report, &dynamics);
        pauses_ms.insert(count, pause_ms);
        floors_ms.insert(count, floor_ms);
        let ratio = pause_ms / floor_ms;
        report.at_most(&format!("pause_over_floor_{count}"), ratio, 2.0);
        report.at_least(&format!("dynamic_world_over_pause_{count}"), dynamic_ms / pause_ms, 20.0);
        if count == MANY {
            let peaks_mb = swaps.iter().map(|swap| swap.peak_mb);
            report.figure("peak_mb_1000000", peaks_mb.fold(0.0, f64::max));
        }
    }
    let growth = |of: &BTreeMap<usize, f64>| of[&MANY] / of[&100_000] / 10.0;
    report.at_most("linear_1000000_over_100000", growth(&pauses_ms), 1.3);
    // Newly allocated memory slows both down.
    report.figure("floor_linear_1000000_over_100000", growth(&floors_ms));
}

/// An edit of a body does not touch values, regardless of their number.
fn bodies(runs: u32, report: &mut Report) {
    let (mut few, mut many) = (Game::start(), Game::start());
    few.fill(FEW);
    many.fill(MANY);
    let (mut with_few, mut with_many) = (Vec::new(), Vec::new());
    for run in 0..runs + WARM_UP {
        report.progress("an edit of a body", run, runs + WARM_UP);
        let swaps = (few.edit_body(), many.edit_body());
        if run >= WARM_UP {
            with_few.push(swaps.0);
            with_many.push(swaps.1);
        }
    }
    report.line("\nan edit of a body");
    let few_ms = table::swaps(report, &format!("{} entities", with_commas(FEW)), &with_few);
    let many_ms = table::swaps(report, &format!("{} entities", with_commas(MANY)), &with_many);
    report.at_most("body_edit_1000000_over_1000", many_ms / few_ms, 1.5);
}

/// Formats `1000000` as `1,000,000`.
fn with_commas(count: usize) -> String {
    let digits = count.to_string();
    let groups: Vec<&str> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .map(|group| std::str::from_utf8(group).unwrap_or_default())
        .collect();
    groups.join(",")
}
