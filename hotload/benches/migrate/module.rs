//! The module whose values are carried over, and the two versions of one of its types.

use playground_tests::{Copy, Scene, number};

use crate::memory;

/// The module's id.
const MODULE: &str = "plugins_migrate";
/// The file with its types.
const TYPES: &str = "plugins/migrate/src/components.rs";
/// The file with everything else.
const CODE: &str = "plugins/migrate/src/lib.rs";

/// One field more, and a wider one.
const FORMS: [(&str, &str); 3] = [
    ("#[persist(dropped(\"drag\"))]\npub struct Motion {", "pub struct Motion {"),
    ("    pub vx: f32,\n", "    pub drag: f32,\n    pub vx: f64,\n"),
    ("Motion { vx: part * 0.125,", "Motion { drag: 0.0, vx: f64::from(part * 0.125),"),
];

const SOURCE: &str = r#"//! Any number of entities.
#![forbid(unsafe_code)]

mod components;

use playground_api::prelude::*;

use components::{Motion, Position, Stats, values};

export_module! {
    kind: Plugins,
    requires: { core_scene: "^0.1" },
    persist: [Position, Motion, Stats],
    build: build,
}

fn build(module: &mut ModuleApp) {
    module
        .add_console_command("fill", "replaces all entities by this many", fill)
        .add_console_command("sum", "sums all values", sum);
}

fn fill(In(words): In<Vec<String>>, world: &mut World) -> String {
    let mut all = world.query_filtered::<Entity, With<Stats>>();
    let all: Vec<Entity> = all.iter(world).collect();
    all.into_iter().for_each(|entity| drop(world.despawn(entity)));
    let count = words.first().and_then(|word| word.parse().ok()).unwrap_or_default();
    world.spawn_batch((0..count).map(values)).for_each(drop);
    format!("count={count}")
}

fn sum(In(_): In<Vec<String>>, all: Query<(&Position, &Motion, &Stats)>) -> String {
    let of = |(position, motion, stats): (&Position, &Motion, &Stats)| {
        let places = position.x.to_bits() ^ position.y.to_bits();
        let moves = (motion.vx as f32).to_bits() ^ motion.vy.to_bits() ^ motion.spin.to_bits();
        let worth = stats.name ^ (u64::from(stats.armor) << 32) ^ stats.health as u64;
        (u64::from(places) ^ (u64::from(moves) << 16) ^ worth) >> 24
    };
    let sum: u64 = all.iter().map(of).fold(0, |sum, one| (sum + one) & 0xFFFF_FFFF);
    format!("count={} sum={sum} edit={}", all.iter().count(), 0)
}
"#;

/// A change that gives all types a new epoch.
fn epoch(number: u32) -> String {
    format!("const _: u32 = {number};\n")
}

/// A game with that module.
pub struct Game {
    scene: Scene,
    edits: u32,
}

/// One swap, all times in milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Swap {
    /// The game's pause.
    pub pause_ms: f64,
    /// Old values to bincode.
    pub snapshot_ms: f64,
    /// Bincode to new values.
    pub decode_ms: f64,
    /// Old values out, new ones in.
    pub insert_ms: f64,
    /// Peak memory above that before the swap.
    pub peak_mb: f64,
}

impl Game {
    pub fn start() -> Self {
        let copy = Copy::of_fixtures();
        let manifest = copy.read("plugins/extra/Cargo.toml");
        let manifest = manifest.replace("plugins_extra", MODULE);
        let types = include_str!("components.rs");
        copy.write("plugins/migrate/Cargo.toml", &manifest);
        copy.write(TYPES, &format!("{types}\n{}", epoch(0)));
        copy.write(CODE, SOURCE);
        let scene = Scene::with_plugin(copy, |plugin| plugin.deterministic = false);
        Self { scene, edits: 0 }
    }

    /// Replaces all entities with `count` new ones.
    pub fn fill(&mut self, count: usize) {
        let answer = self.scene.console(&format!("fill {count}"));
        assert_eq!(number(&answer, "count"), Some(count as i64), "{answer}");
        self.scene.frames(3);
    }

    /// Swaps to the other version of the type; checks that all values exist afterwards.
    pub fn migrate(&mut self, count: usize) -> Swap {
        let before = self.scene.console("sum");
        let swap = self.swap_types(FORMS);
        let after = self.scene.console("sum");
        assert_eq!(before, after, "a value changed\n{}", self.scene.story());
        assert_eq!(number(&after, "count"), Some(count as i64), "{after}");
        swap
    }

    /// Swaps back to the first version of the type.
    pub fn back(&mut self) {
        self.swap_types(FORMS.map(|(from, to)| (to, from)));
    }

    /// Applies `forms` and gives all types of the module a new epoch, as any such edit does.
    fn swap_types(&mut self, forms: [(&str, &str); 3]) -> Swap {
        let (from, to) = (epoch(self.edits), epoch(self.edits + 1));
        let replacements = [&forms[..], &[(&from, &to)]].concat();
        let swap = self.swap(TYPES, &replacements);
        self.edits += 1;
        swap
    }

    /// Swaps an edit of a function's body.
    pub fn edit_body(&mut self) -> Swap {
        let edit = |number: u32| format!("all.iter().count(), {number})");
        let swap = self.swap(CODE, &[(&edit(self.edits), &edit(self.edits + 1))]);
        self.edits += 1;
        swap
    }

    fn swap(&mut self, file: &str, replacements: &[(&str, &str)]) -> Swap {
        let before_mb = memory::begin();
        let event = self.scene.swap(file, replacements);
        let peak_mb = memory::peak_mb() - before_mb;
        let ms = |name: &str| event["ms"][name].as_f64().unwrap_or(f64::NAN);
        Swap {
            pause_ms: ms("pause"),
            snapshot_ms: ms("snapshot"),
            decode_ms: ms("decode"),
            insert_ms: ms("insert"),
            peak_mb,
        }
    }
}
