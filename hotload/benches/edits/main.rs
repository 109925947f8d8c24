//! Measures what a gameplay programmer does all day: each kind of edit of the arena's real modules and
//! of two small games, beside `cargo build` and a restart for the same edit.
//!
//! ```sh
//! cargo bench --profile dev -p playground_hotload --bench edits
//! ```
//!
//! `-- --repeat N` makes each edit N times instead of 3, `-- --quick` once. The last line is JSON,
//! and is also written to `target/bench/edits.json`.
#![forbid(unsafe_code)]

mod kinds;
mod session;

use playground_tests::Copy;
use playground_tests::bench::{self, Column, Report};

use kinds::{ARENA, BREAKOUT, Kind, MENU};
use session::{Measured, Session};

/// How often each edit is made by default.
const REPEATS: u32 = 3;
/// Stages that are shown; the rest is the other modules, and waiting for the end of frames.
const SHOWN: [&str; 5] = ["watch", "check", "compile", "link", "pause"];

fn main() {
    let repeats = bench::count("--repeat", REPEATS);
    let mut report = Report::begin("edits", "repeats", repeats);
    let stages: String = SHOWN.iter().map(|stage| format!("{stage:>9}")).collect();
    report.line(&format!(
        "{:<42}{:>9}{:>9}{:>9}{stages}{:>8}{:>8}",
        "medians, in ms", "live", "cargo", "restart", "modules", "linked"
    ));
    let copy = Copy::of_game();
    copy.own_target();
    let mut arena = Session::new(copy, "arena", true);
    let mut measured = measure(&mut arena, ARENA, repeats, &mut report);
    for (name, kinds) in [("breakout", BREAKOUT), ("menu", MENU)] {
        let mut game = Session::of_fixture(name);
        measured.extend(measure(&mut game, kinds, repeats, &mut report));
    }
    for it in &measured {
        report.figure(&format!("{}_ms", it.key), it.live.p50());
    }
    figures(&measured, &mut report);
    report.end();
}

fn measure(
    session: &mut Session,
    kinds: &[Kind],
    repeats: u32,
    report: &mut Report,
) -> Vec<Measured> {
    let mut all = Vec::with_capacity(kinds.len());
    for kind in kinds {
        let mut rows: Vec<(&Kind, Measured)> = [Some(kind), kind.then]
            .into_iter()
            .flatten()
            .map(|kind| (kind, Measured::new(kind)))
            .collect();
        // The first fills rustc's incremental caches.
        for number in 0..=repeats {
            report.progress(kind.name, number, repeats + 1);
            for (kind, measured) in &mut rows {
                let step = session.step(kind, number);
                if number > 0 {
                    measured.push(step);
                }
            }
        }
        for (kind, measured) in rows {
            print(kind, &measured, report);
            all.push(measured);
        }
    }
    all
}

fn print(kind: &Kind, measured: &Measured, report: &Report) {
    let stages: String =
        SHOWN.iter().map(|stage| format!("{:>9.0}", measured.stage(stage))).collect();
    let beside = |column: &Column| match column.p50() {
        figure if figure.is_nan() => "-".to_owned(),
        figure => format!("{figure:.0}"),
    };
    report.line(&format!(
        "{:<42}{:>9.0}{:>9}{:>9}{stages}{:>8}{:>8}",
        kind.name,
        measured.live.p50(),
        beside(&measured.cargo),
        beside(&measured.restart),
        measured.modules,
        measured.linked,
    ));
}

fn figures(measured: &[Measured], report: &mut Report) {
    let of = |key: &str| measured.iter().find(|it| it.key == key);
    let live = |key: &str| of(key).map_or(f64::NAN, |it| it.live.p50());
    let cargo = |key: &str| of(key).map_or(f64::NAN, |it| it.cargo.p50());
    for it in measured.iter().filter(|it| it.restart.p50().is_finite()) {
        report.figure(&format!("{}_over_restart", it.key), it.live.p50() / it.restart.p50());
    }
    report.at_most("core_body_over_leaf", live("core_body") / live("leaf_body"), 1.5);
    report.at_most("core_body_over_cargo", live("core_body") / cargo("core_body"), 0.3);
    report.at_most("core_field_over_cargo", live("core_field") / cargo("core_field"), 0.15);
    report.at_most("leaf_field_over_leaf", live("leaf_field") / live("leaf_body"), 2.0);
    report.at_most(
        "dependent_error_over_cargo",
        live("error_in_dependent") / cargo("repair_in_dependent"),
        0.06,
    );
    report.at_most("folder_seconds", live("folder") / 1000.0, 4.0);
    report.at_most("dependency_seconds", live("dependency") / 1000.0, 4.0);
}
