//! Measures the time from an edit to the first frame of the new code, and compares it with the
//! rustc command alone and with rebuilding and restarting the game:
//!
//! ```sh
//! cargo bench --profile dev -p playground_hotload --bench live_edit
//! ```
//!
//! `-- --edits N` measures N edits of each kind instead of 20. The last line is JSON, and is also
//! written to `target/bench/live_edit.json`.
#![forbid(unsafe_code)]

mod edit;
mod floor;
mod table;

use std::collections::BTreeMap;
use std::fmt::Write;

use playground_tests::Copy;
use playground_tests::bench::live::{End, Live, Sample};
use playground_tests::bench::restart::Restart;
use playground_tests::bench::{self, Column, Report};

use edit::Edit;
use floor::Floor;

/// The default number of measured edits of each kind.
const EDITS: u32 = 20;
/// Unmeasured edits at the start, which fill rustc's incremental caches.
const WARM_UP: u32 = 2;
/// The number of measured restarts. Few, as they are slow and vary little.
const MOST_RESTARTS: u32 = 5;
/// The number of boids while the pause is measured.
const CROWD: u32 = 10_000;

fn main() {
    let edits = bench::count("--edits", EDITS);
    let mut report = Report::begin("live_edit", "edits", edits);
    side_by_side(edits, &mut report);
    five_and_fifty(edits, &mut report);
    crowd(edits, &mut report);
    report.end();
}

/// Edits of the running arena, each with its baselines.
fn side_by_side(edits: u32, report: &mut Report) {
    let mut game = Live::start(Copy::of_game(), "arena");
    let floor = Floor::new();
    let restart = Restart::default();
    let (mut system, mut app, mut core) = (Vec::new(), Vec::new(), Vec::new());
    let (mut error, mut fix) = (Column::default(), Vec::new());
    let (mut system_floor, mut app_floor) = (Column::default(), Column::default());
    let (mut build, mut start, mut both) = <(Column, Column, Column)>::default();
    let restarts = edits.min(MOST_RESTARTS);
    for number in 0..edits + WARM_UP {
        report.progress("side by side", number, edits + WARM_UP);
        let counts = number >= WARM_UP;
        let sample = save(&mut game, &edit::SYSTEM, number);
        // The baseline starts in the same state as an edit: after the game ran for a while.
        game.rest();
        let rustc_ms = floor.rustc(&edit::SYSTEM, number);
        let app_sample = save(&mut game, &edit::APP, number);
        game.rest();
        let app_rustc_ms = floor.rustc(&edit::APP, number);
        let error_ms = break_body(&mut game, &edit::SYSTEM, number);
        // Must differ from the body that runs.
        let fix_sample = save(&mut game, &edit::SYSTEM, 1000 + number);
        let core_sample = save(&mut game, &edit::CORE, number);
        let again = (number < restarts + WARM_UP).then(|| {
            restart.run(&[(edit::SYSTEM.file, edit::SYSTEM.text(&edit::SYSTEM.original(), number))])
        });
        if !counts {
            continue;
        }
        system.push(sample);
        system_floor.push(rustc_ms);
        app.push(app_sample);
        app_floor.push(app_rustc_ms);
        core.push(core_sample);
        error.push(error_ms);
        fix.push(fix_sample);
        if let Some(again) = again {
            build.push(again.build_ms);
            start.push(again.start_ms);
            both.push(again.build_ms + again.start_ms);
        }
    }

    table::heading(report, "edit to live");
    let live = table::live(report, "system", &edit::SYSTEM, &system);
    let app_live = table::live(report, "app", &edit::APP, &app);
    let core_live = table::live(report, "core", &edit::CORE, &core);
    table::live(report, "fixed after an error", &edit::SYSTEM, &fix);
    table::row(report, "compile error on screen", &error);
    table::heading(report, "beside it");
    table::row(report, &format!("rustc alone, {}", edit::SYSTEM.module), &system_floor);
    table::row(report, &format!("rustc alone, {}", edit::APP.module), &app_floor);
    table::row(report, "cargo build, modules linked", &build);
    table::row(report, "start to first frame", &start);
    table::row(report, "both", &both);

    report.figure("leaf_p50_ms", live.p50());
    let stage = |name| system.iter().map(|sample| sample.stage(name)).collect::<Column>();
    let (verify, layouts) = (stage("verify"), stage("layouts"));
    table::row(report, "reading again what rustc read", &verify);
    table::row(report, "comparing layouts", &layouts);
    report.at_most("verify_and_layouts_ms", verify.p50() + layouts.p50(), 5.0);
    let probe = stage("probe");
    report.figure("probe_p50_ms", probe.p50());
    report.figure("probe_over_leaf", probe.p50() / live.p50());
    report.figure("floor_p50_ms", system_floor.p50());
    report.at_most("leaf_p50_over_floor", live.p50() / system_floor.p50(), 0.9);
    report.figure("leaf_p95_over_floor", live.p95() / system_floor.p95());
    report.figure("app_p50_over_floor", app_live.p50() / app_floor.p50());
    report.figure("core_p50_ms", core_live.p50());
    report.at_most("compile_error_over_floor", error.p50() / system_floor.p50(), 0.5);
    report.at_most("leaf_over_build_and_restart", live.p50() / both.p50(), 0.6);
}

/// Measures an edit, up to the first frame with the new code.
fn save(game: &mut Live, edit: &Edit, number: u32) -> Sample {
    let text = edit.text(&edit.original(), number);
    game.save(&[(edit.file, text)], End { kind: "swapped", module: edit.module })
}

/// Measures an error, up to the first frame that shows it.
fn break_body(game: &mut Live, edit: &Edit, number: u32) -> f64 {
    let text = edit.broken(&edit.original(), number);
    game.save(&[(edit.file, text)], End { kind: "build_failed", module: edit.module }).live_ms
}

/// The same edit in a game with five and with fifty modules.
fn five_and_fifty(edits: u32, report: &mut Report) {
    let five = Copy::of_fixtures();
    five.own_target();
    five.remove("apps/other");
    let fifty = Copy::of_fixtures();
    fifty.own_target();
    fifty.remove("apps/other");
    for number in 0..45 {
        add_module(&fifty, number);
    }
    report.progress("building 50 modules", 0, 1);
    let mut five = Live::start(five, "demo");
    let mut fifty = Live::start(fifty, "demo");
    assert_eq!((five.modules(), fifty.modules()), (5, 50));
    let (mut with_five, mut with_fifty) = (Vec::new(), Vec::new());
    for number in 0..edits + WARM_UP {
        report.progress("5 and 50 modules", number, edits + WARM_UP);
        let samples =
            (save(&mut five, &edit::SMALL, number), save(&mut fifty, &edit::SMALL, number));
        if number >= WARM_UP {
            with_five.push(samples.0);
            with_fifty.push(samples.1);
        }
    }
    table::heading(report, "edit to live in a small and in a large game");
    let with_five = table::live(report, "5 modules", &edit::SMALL, &with_five);
    let with_fifty = table::live(report, "50 modules", &edit::SMALL, &with_fifty);
    report.figure("fifty_over_five", with_fifty.p50() / with_five.p50());
}

/// A typical small module: a resource, and a system that changes it.
fn add_module(copy: &Copy, number: u32) {
    let name = format!("tiny_{number:02}");
    let manifest = copy.read("plugins/extra/Cargo.toml");
    let manifest = manifest.replace("plugins_extra", &format!("plugins_{name}"));
    let mut source = String::from(
        "//! One of many.\n#![forbid(unsafe_code)]\n\nuse playground_api::prelude::*;\n\n",
    );
    write!(
        source,
        "export_module! {{\n    kind: Plugins,\n    requires: {{ core_scene: \"^0.1\" }},\n    \
         persist: [Count],\n    build: build,\n}}\n\n\
         /// How often it ran.\n\
         #[derive(Resource, Debug, Default, Persist, Serialize, Deserialize)]\n\
         pub struct Count(u64);\n\n\
         fn build(module: &mut ModuleApp) {{\n    \
         module.init_resource::<Count>().add_systems(FixedUpdate, count);\n}}\n\n\
         fn count(mut count: ResMut<Count>) {{\n    count.0 += {number} + 1;\n}}\n"
    )
    .expect("a String takes it");
    copy.write(&format!("plugins/{name}/Cargo.toml"), &manifest);
    copy.write(&format!("plugins/{name}/src/lib.rs"), &source);
}

/// The effect of a swap on the frame time with ten thousand boids.
fn crowd(edits: u32, report: &mut Report) {
    let mut game = Live::start(Copy::of_game(), "boids");
    game.console(&format!("boids {CROWD}"));
    game.frames(120);
    assert_eq!(game.console("boids").trim(), format!("{CROWD} boids"));
    let mut samples: BTreeMap<&str, Vec<Sample>> = BTreeMap::new();
    for number in 0..edits + WARM_UP {
        report.progress("10,000 boids", number, edits + WARM_UP);
        for edit in [&edit::SYSTEM, &edit::CORE] {
            let sample = save(&mut game, edit, number);
            if number >= WARM_UP {
                samples.entry(edit.module).or_default().push(sample);
            }
        }
    }
    table::heading(report, "frame times, with 10,000 boids");
    let mut worst_ms: (f64, f64) = (0.0, 0.0);
    for (module, samples) in &samples {
        let column = |value: fn(&Sample) -> f64| samples.iter().map(value).collect::<Column>();
        let pause = column(|sample| sample.stage("pause"));
        table::row(report, &format!("pause, {module}"), &pause);
        table::row(report, "  frames as they are", &column(|sample| sample.usual_frame_ms));
        table::row(report, "  the frame with the swap", &column(|sample| sample.swap_frame_ms));
        table::row(report, "  the first frame after it", &column(|sample| sample.first_frame_ms));
        worst_ms = (worst_ms.0.max(pause.p50()), worst_ms.1.max(pause.p95()));
    }
    report.at_most("pause_10000_ms", worst_ms.0, 4.0);
    report.figure("pause_10000_p95_ms", worst_ms.1);
}
