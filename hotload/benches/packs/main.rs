//! Measures a game whose modules come from a pack: installing it, start-up, frame time, and the
//! pause of an update, with 1 to 200 modules; frame time against the same systems linked into this
//! program:
//!
//! ```sh
//! cargo bench --profile dev -p playground_hotload --bench packs
//! ```
//!
//! It builds 200 small modules the first time, which takes some minutes. `-- --runs N` measures each thing N
//! times instead of 3. The last line is JSON, and is also written to `target/bench/packs.json`.
#![forbid(unsafe_code)]

mod linked;
mod modules;

use std::time::Instant;

use bevy::app::{App, TaskPoolOptions};

use modules::Packs;
use playground_tests::Scene;
use playground_tests::bench::{self, Column, Report};

/// The default number of measurements of each kind.
const RUNS: u32 = 3;
/// Numbers of modules.
const COUNTS: [usize; 4] = [1, 10, 100, 200];
const FEW: usize = 2;
const MANY: usize = 200;
/// Frames in a row, and how often they are measured.
const FRAMES: u64 = 100;
const TURNS: u64 = 20;

fn main() {
    // As many threads as a game has. Tests have more than there may be processors: then a frame is
    // mostly the kernel's work of waking them.
    TaskPoolOptions::default().create_default_pools();
    let runs = bench::count("--runs", RUNS);
    let mut report = Report::begin("packs", "runs", runs);
    report.line("building the modules");
    let packs = Packs::build(&[1, FEW, 10, 100, MANY], &[FEW, MANY]);
    let scene = packs.start();
    let (empty_ms, mut scene) = restart_ms(scene);
    report.line(&format!("no modules      start-up {empty_ms:6.0} ms"));
    let (mut start_ms, mut most) = (Vec::new(), (f64::NAN, f64::NAN));
    for count in COUNTS {
        let (mut installs, mut starts) = (Column::default(), Column::default());
        let (mut frames, mut floors) = (Column::default(), Column::default());
        for run in 0..runs {
            report.progress(&format!("{count} modules"), run, runs);
            packs.remove(&mut scene);
            let started = Instant::now();
            packs.install(&mut scene, count);
            installs.push(started.elapsed().as_secs_f64() * 1000.0);
            let (ms, again) = restart_ms(scene);
            scene = again;
            starts.push(ms);
            let (frame, floor) = frames_ms(&mut scene, &mut linked::app(count));
            frames.push(frame);
            floors.push(floor);
        }
        report.line(&format!(
            "{count:>3} modules     install {:6.0} ms  start-up {:6.0} ms  frame {:.3} ms, linked {:.3} ms",
            installs.p50(),
            starts.p50(),
            frames.p50(),
            floors.p50()
        ));
        start_ms.push((count, starts.p50()));
        report.figure(&format!("install_{count}_ms"), installs.p50());
        most = (frames.p50(), floors.p50());
        if count < MANY {
            report.figure(&format!("frame_{count}_over_linked"), most.0 / most.1);
        }
    }
    // As many systems in one library: what is left is the cost of 200 libraries.
    let (mut frames, mut floors) = (Column::default(), Column::default());
    for run in 0..runs {
        report.progress("all systems in one module", run, runs);
        packs.remove(&mut scene);
        packs.install_all_in_one(&mut scene);
        scene = restart_ms(scene).1;
        let (frame, floor) = frames_ms(&mut scene, &mut linked::app(MANY));
        frames.push(frame);
        floors.push(floor);
    }
    let (frame, floor) = (frames.p50(), floors.p50());
    report.line(&format!("all in one module: frame {frame:.3} ms, linked {floor:.3} ms"));
    report.figure("frame_all_in_one_over_linked", frame / floor);
    let of =
        |count: usize| start_ms.iter().find(|(it, _)| *it == count).map_or(f64::NAN, |it| it.1);
    report.at_most("frame_200_over_linked", most.0 / most.1, 1.02);
    report.at_most("start_linear", (of(200) - empty_ms) / (of(100) - empty_ms) / 2.0, 1.3);

    let (mut pauses, mut rebuild_ms) = (Vec::new(), f64::NAN);
    for count in [FEW, MANY] {
        let (mut column, mut rebuilds) = (Column::default(), Column::default());
        for run in 0..runs {
            report.progress(&format!("an update among {count}"), run, runs);
            // The sets of functions that are gone stay in a schedule while the game runs.
            packs.remove(&mut scene);
            packs.install(&mut scene, count);
            scene = restart_ms(scene).1;
            scene.frames(60);
            let event = packs.update(&mut scene, count);
            assert_eq!(event["modules"].as_array().map(Vec::len), Some(1), "{event}");
            column.push(event["ms"]["pause"].as_f64().unwrap_or(f64::NAN));
            let mut linked = linked::app(count);
            linked.update();
            rebuilds.push(linked::rebuild_ms(&mut linked));
        }
        report.line(&format!(
            "update of one among {count:>3}: pause {:.2} ms; Bevy alone builds the linked schedule in {:.2} ms",
            column.p50(),
            rebuilds.p50()
        ));
        rebuild_ms = rebuilds.p50();
        report.figure(&format!("rebuild_{count}_ms"), rebuild_ms);
        report.figure(&format!("pause_{count}_ms"), column.p50());
        pauses.push(column.p50());
    }
    report.figure("pause_200_over_rebuild", pauses[1] / rebuild_ms);
    report.at_most("pause_200_over_2", pauses[1] / pauses[0], 2.0);
    report.end();
}

/// The medians of a frame of the game and of the program with the same systems linked in, in
/// milliseconds. They take turns.
fn frames_ms(scene: &mut Scene, linked: &mut App) -> (f64, f64) {
    let (mut hot, mut floor) = (Column::default(), Column::default());
    for turn in 0..TURNS {
        let timed = |frame: &mut dyn FnMut(), into: &mut Column| {
            for number in 0..FRAMES {
                let started = Instant::now();
                frame();
                // The first ones find what the other program left in the caches.
                if turn > 0 && number >= FRAMES / 4 {
                    into.push(started.elapsed().as_secs_f64() * 1000.0);
                }
            }
        };
        timed(&mut || scene.app.update(), &mut hot);
        timed(&mut || linked.update(), &mut floor);
    }
    (hot.p50(), floor.p50())
}

/// Ends the game and starts it again; from the start until its modules run, in milliseconds.
fn restart_ms(scene: Scene) -> (f64, Scene) {
    let copy = scene.quit();
    let started = Instant::now();
    let scene = Scene::with_plugin(copy, |plugin| plugin.app = Some(modules::APP.to_owned()));
    (started.elapsed().as_secs_f64() * 1000.0, scene)
}
