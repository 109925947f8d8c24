//! Measures a game whose modules come from a pack: installing it, start-up, frame time, and the
//! pause of an update, with 1 to 200 modules; frame time against the same systems linked into this
//! program:
//!
//! ```sh
//! cargo bench --profile dev -p playground_hotload --bench packs
//! ```
//!
//! It builds 200 small modules first, which takes some minutes. `-- --runs N` measures each thing N
//! times instead of 3. The last line is JSON, and is also written to `target/bench/packs.json`.
#![forbid(unsafe_code)]

mod linked;
mod modules;

use std::time::Instant;

use modules::Packs;
use playground_tests::Scene;
use playground_tests::bench::{self, Column, Report};

/// The default number of measurements of each kind.
const RUNS: u32 = 3;
/// Numbers of modules.
const COUNTS: [usize; 4] = [1, 10, 100, 200];
const FEW: usize = 2;
const MANY: usize = 200;
/// Frames that are measured, after as many that are not.
const FRAMES: u64 = 300;

fn main() {
    let runs = bench::count("--runs", RUNS);
    let mut report = Report::begin("packs", "runs", runs);
    report.line("building the modules");
    let packs = Packs::build(&[1, FEW, 10, 100, MANY], &[FEW, MANY]);
    let scene = packs.start();
    let (empty_ms, mut scene) = restart_ms(scene);
    let base_ms = frame_ms(|| scene.frames(1));
    report.line(&format!("no modules      start-up {empty_ms:6.0} ms  frame {base_ms:.3} ms"));
    let mut start_ms = Vec::new();
    for count in COUNTS {
        let (mut installs, mut starts) = (Column::default(), Column::default());
        let (mut frames, mut floors) = (Column::default(), Column::default());
        for run in 0..runs {
            report.progress(&format!("{count} modules"), run, runs);
            scene.console("pack remove many");
            let started = Instant::now();
            let text = scene.console(&packs.install(count));
            assert!(text.contains("live"), "{text}");
            installs.push(started.elapsed().as_secs_f64() * 1000.0);
            let (ms, again) = restart_ms(scene);
            scene = again;
            starts.push(ms);
            frames.push(frame_ms(|| scene.frames(1)));
            let mut app = linked::app(count);
            floors.push(frame_ms(|| app.update()));
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
        report.figure(&format!("frame_{count}_over_linked"), frames.p50() / floors.p50());
        // What this many modules add to a frame, without the host's own work.
        let (added, linked) = (frames.p50() - base_ms, floors.p50() - linked_base_ms());
        report.figure(&format!("added_{count}_us"), added * 1000.0);
        report.figure(&format!("added_{count}_linked_us"), linked * 1000.0);
    }
    let of =
        |count: usize| start_ms.iter().find(|(it, _)| *it == count).map_or(f64::NAN, |it| it.1);
    report.at_most("start_linear", (of(200) - empty_ms) / (of(100) - empty_ms) / 2.0, 1.3);

    let mut pauses = Vec::new();
    for count in [FEW, MANY] {
        let mut column = Column::default();
        for run in 0..runs {
            report.progress(&format!("an update among {count}"), run, runs);
            scene.console("pack remove many");
            scene.console(&packs.install(count));
            scene.frames(60);
            scene.mark();
            scene.console(&packs.update(count));
            let event = scene.wait_for("swapped", &modules::id(0));
            assert_eq!(event["modules"].as_array().map(Vec::len), Some(1), "{event}");
            column.push(event["ms"]["pause"].as_f64().unwrap_or(f64::NAN));
        }
        report.line(&format!("update of one among {count:>3}: pause {:.2} ms", column.p50()));
        report.figure(&format!("pause_{count}_ms"), column.p50());
        pauses.push(column.p50());
    }
    report.at_most("pause_200_over_2", pauses[1] / pauses[0], 2.0);
    report.end();
}

/// The median of a frame, in milliseconds.
fn frame_ms(mut frame: impl FnMut()) -> f64 {
    (0..FRAMES).for_each(|_| frame());
    let timed = |_| {
        let started = Instant::now();
        frame();
        started.elapsed().as_secs_f64() * 1000.0
    };
    (0..FRAMES).map(timed).collect::<Column>().p50()
}

/// The frame of the program without any of the systems.
fn linked_base_ms() -> f64 {
    let mut app = linked::app(0);
    frame_ms(|| app.update())
}

/// Ends the game and starts it again; from the start until its modules run, in milliseconds.
fn restart_ms(scene: Scene) -> (f64, Scene) {
    let copy = scene.quit();
    let started = Instant::now();
    let scene = Scene::with_plugin(copy, |_| {});
    (started.elapsed().as_secs_f64() * 1000.0, scene)
}
