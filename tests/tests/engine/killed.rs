//! Compilers that are killed, as a newer save does it.

use std::time::{Duration, Instant};

use playground_tests::Scene;

use crate::relinked::{assert_alike_without, generator, seed_and_count};

/// Edits a core, optimized as in the game, while its last edit is still being built: compilers are
/// killed at random moments. Then compares its artifact with that of a compiler without a cache.
fn kill_at_random(seed: u64, kills: u32) {
    const BODY: &str = "core/physics/src/body.rs";
    const SHAPE: &str = "core/physics/src/shape.rs";
    let mut scene = Scene::game("boids");
    let mut random = generator(seed);
    let field = |number: u32| format!("    pub flash: f32,\n    pub glow_{number}: f32,\n");
    let value = |number: u32| format!("flash: 0.0, glow_{number}: 0.0 }}");
    let angle = |number: u32| format!("Vec2::from_angle(angle + 0.00{number}");
    let mut angle_now = "Vec2::from_angle(angle".to_owned();
    let (mut field_now, mut value_now) =
        ("    pub flash: f32,\n".to_owned(), "flash: 0.0 }".to_owned());
    for number in 1..=kills {
        if random(2) == 0 {
            scene.edit(BODY, &angle_now, &angle(number));
            angle_now = angle(number);
        } else {
            let edits = [(&*field_now, &*field(number)), (&*value_now, &*value(number))];
            scene.edit_all(SHAPE, &edits);
            (field_now, value_now) = (field(number), value(number));
        }
        let until = Instant::now() + Duration::from_millis(random(2500) as u64);
        scene.until("a random moment", |_| Instant::now() >= until);
    }
    scene.edit(BODY, &angle_now, "Vec2::from_angle(angle + 0.5");
    // A swap may still be that of the edit before. A reload is answered when the newest one is live.
    scene.console("reload core_physics");
    println!("seed {seed}\n{}", scene.story());
    assert_alike_without(&mut scene, "core_physics", "");
}

#[test]
fn compilers_that_are_killed_leave_caches_that_work() {
    kill_at_random(1, 3);
}

#[test]
#[ignore = "takes as long as `KILLS=seed,count` says"]
fn compilers_are_killed_for_long() {
    let (seed, count) = seed_and_count("KILLS", (1, 100));
    kill_at_random(seed, count);
}
