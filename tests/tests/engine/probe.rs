//! What new code does before its first frame it does in the probe first: it may crash, end, hang.

use std::time::{Duration, Instant};

use playground_tests::{Scene, probes_of_scene};

use crate::WALK;

const BUILD: &str = "fn build(module: &mut ModuleApp) {";

/// What a `build` may do that no guard contains, and what is to be read of it.
const FAULTS: &[(&str, &str, &[&str])] = &[
    ("std::process::abort();", "H0504", &["in its `build`", "SIGABRT"]),
    ("std::process::exit(0);", "H0504", &["in its `build`", "exit code 0"]),
    (
        "fn deep(n: u64) -> u64 { if n == 0 { 0 } else { std::hint::black_box(deep(n + 1)) + 1 } }\n    \
         std::hint::black_box(deep(1));",
        "H0504",
        &["in its `build`", "stack"],
    ),
    ("loop { std::hint::spin_loop(); }", "H0505", &["in its `build`", "2000 ms"]),
    (
        "struct No; impl Drop for No { fn drop(&mut self) { panic!(\"twice\") } }\n    \
         let _no = No; assert!(module as *const _ as usize == 1);",
        "H0504",
        &["in its `build`", "SIGABRT"],
    ),
    ("panic!(\"no {}\", 1);", "H0401", &["no 1", "walk/src/lib.rs:"]),
    (
        "let never = vec![1u8; 1 << 46]; std::hint::black_box(&never);",
        "H0504",
        &["in its `build`", "memory allocation"],
    ),
];

#[test]
fn what_build_does_is_found_out_in_the_probe() {
    let mut scene = Scene::demo();
    let mut before = BUILD.to_owned();
    for (fault, code, words) in FAULTS {
        let with = format!("{BUILD}\n    {fault}");
        let tally = scene.exact_tally();
        scene.edit(WALK, &before, &with);
        // Frames come all the while.
        let (mut frames, started) = (0, Instant::now());
        scene.until("the refusal", |scene| {
            frames += 1;
            scene.event("refused", Some("systems_walk")).is_some()
        });
        let reason = scene.event("refused", None).expect("it was there")["reason"].to_string();
        assert!(reason.contains(code), "{fault}\n{reason}");
        for word in words.iter().chain(&["systems_walk", "Fix it"]) {
            assert!(reason.contains(word), "{fault}: no `{word}` in\n{reason}");
        }
        let took = started.elapsed();
        assert!(frames > took.as_millis() / 100, "{fault}: {frames} frames in {took:?}");
        assert_eq!(scene.generation("systems_walk"), 1);
        let after = scene.exact_tally();
        assert!(after.get("walked") > tally.get("walked"), "{fault}");
        assert_eq!(after.get("version"), 1, "{fault}");
        before = with;
    }
    // Nothing of it was ever in this process: mended, it goes live.
    scene.swap(WALK, &[(&before, BUILD), ("tally.version = 1", "tally.version = 2")]);
    scene.frames(2);
    assert_eq!(scene.exact_tally().get("version"), 2);
}

#[test]
fn a_save_during_a_trial_that_hangs_takes_its_place() {
    let mut scene = Scene::demo_with(|plugin| plugin.probe_limit = Duration::from_secs(600));
    let hangs = format!("{BUILD}\n    loop {{ std::hint::spin_loop(); }}");
    scene.edit(WALK, BUILD, &hangs);
    scene.wait_for("build_started", "systems_walk");
    scene.until("the probe hangs", |scene| {
        probes_of_scene(scene.copy()).iter().any(|cpu_ticks| *cpu_ticks > 100)
    });
    scene.swap(WALK, &[(&hangs, BUILD), ("tally.version = 1", "tally.version = 2")]);
    scene.frames(2);
    assert_eq!(scene.exact_tally().get("version"), 2);
    assert_eq!(scene.count("refused"), 0, "{}", scene.story());

    // None is left once the game has ended.
    let copy = scene.quit();
    let ended = Instant::now();
    while !probes_of_scene(&copy).is_empty() {
        assert!(ended.elapsed() < Duration::from_secs(20), "{:?}", probes_of_scene(&copy));
        std::thread::yield_now();
    }
}
