//! The modules, and packs of them.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use playground_hotload::packs;
use playground_tests::{Copy, Scene, bench};
use serde_json::Value;

/// As `linked.rs` has it.
const SOURCE: &str = r#"//! A little work in each frame.
#![forbid(unsafe_code)]

use playground_api::prelude::*;

export_module! {
    kind: Plugins,
    requires: {},
    persist: [Counter],
    build: build,
}

/// What it counts.
#[derive(Resource, Debug, Default, Persist, Serialize, Deserialize)]
pub struct Counter {
    /// Frames.
    pub runs: u64,
    /// The result of its work.
    pub sum: f32,
}

fn build(module: &mut ModuleApp) {
    module.init_resource::<Counter>().add_systems(Update, work);
}

fn work(mut counter: ResMut<Counter>) {
    counter.runs += 1;
    for step in 0..100 {
        counter.sum = (counter.sum + step as f32).sin();
    }
}
"#;

const OLD: &str = "0.1.0";
const NEW: &str = "0.2.0";

/// The test modules' app that does nothing in a frame.
pub const APP: &str = "other";

/// The id of a module.
pub fn id(number: usize) -> String {
    format!("plugins_many{number:03}")
}

/// Packs of the first modules, by their number; and newer versions, in which the first module has
/// another body.
pub struct Packs {
    copy: Copy,
    /// The packed files. They are kept for the next run.
    folder: PathBuf,
}

impl Packs {
    /// Builds packs of that many modules, and updates of some of them.
    pub fn build(counts: &[usize], updates: &[usize]) -> Self {
        let mut hasher = blake3::Hasher::new();
        for text in [playground_api::ABI, bench::PLUGIN_MANIFEST, SOURCE] {
            hasher.update(text.as_bytes());
        }
        let name = format!("packs-{}", &hasher.finalize().to_hex()[..16]);
        let packs = Self { copy: Copy::of_fixtures(), folder: bench::folder().join(name) };
        let all = counts.iter().map(|count| (*count, OLD));
        let mut all = all.chain(updates.iter().map(|count| (*count, NEW)));
        if all.all(|(count, version)| packs.file(count, version).is_file()) {
            return packs;
        }
        fs::create_dir_all(&packs.folder).expect("a folder");
        let most = counts.iter().copied().max().unwrap_or_default();
        for number in 0..most {
            let folder = format!("plugins/many{number:03}");
            packs.copy.write(
                &format!("{folder}/Cargo.toml"),
                &bench::PLUGIN_MANIFEST.replace("plugins_extra", &id(number)),
            );
            packs.copy.write(&format!("{folder}/src/lib.rs"), SOURCE);
        }
        counts.iter().for_each(|count| packs.pack(*count, OLD));
        packs
            .copy
            .edit("plugins/many000/src/lib.rs", &[("counter.runs += 1;", "counter.runs += 2;")]);
        updates.iter().for_each(|count| packs.pack(*count, NEW));
        // The game does not have them by itself.
        (0..most).for_each(|number| packs.copy.remove(&format!("plugins/many{number:03}")));
        packs
    }

    fn pack(&self, count: usize, version: &str) {
        let folder = self.copy.root.join("packs/many");
        fs::create_dir_all(&folder).expect("a folder");
        let modules: BTreeSet<String> = (0..count).map(id).collect();
        let text = format!(
            "id = \"many\"\nversion = \"{version}\"\ntitle = \"Many\"\nlicence = \"MIT\"\n\
             host = \"^0.1\"\napi = \"^0.1\"\nmodules = {modules:?}\n"
        );
        // As TOML writes a list.
        let text = text.replace("modules = {", "modules = [").replace("}\n", "]\n");
        fs::write(folder.join("pack.toml"), text).expect("pack.toml");
        let draft = packs::build(&folder, &mut |step| eprintln!("{step}")).expect("a pack");
        packs::write(&draft, &self.file(count, version)).expect("a file");
    }

    fn file(&self, count: usize, version: &str) -> PathBuf {
        self.folder.join(format!("many-{count}-{version}.pgpack"))
    }

    /// The game without the modules.
    pub fn start(&self) -> Scene {
        Scene::with_plugin(self.copy.clone(), |plugin| plugin.app = Some(APP.to_owned()))
    }

    /// Installs a pack of that many modules, and waits until they run.
    pub fn install(&self, scene: &mut Scene, count: usize) {
        self.take(scene, "install", count, OLD);
        scene.until("its modules run", |scene| {
            ["swapped", "enabled"].iter().any(|kind| scene.event(kind, Some(&id(0))).is_some())
        });
    }

    /// Installs its newer version, and returns the event of the swap.
    pub fn update(&self, scene: &mut Scene, count: usize) -> Value {
        self.take(scene, "update", count, NEW);
        scene.wait_for("swapped", &id(0))
    }

    fn take(&self, scene: &mut Scene, command: &str, count: usize, version: &str) {
        let file = self.file(count, version);
        scene.mark();
        scene.console(&format!("pack {command} \"{}\" --developer", file.display()));
    }

    /// Removes the pack, if there is one.
    pub fn remove(&self, scene: &mut Scene) {
        scene.console("pack remove many");
        let runs = |line: &str| line.starts_with(&id(0)) && !line.contains("disabled");
        while scene.console("modules").lines().any(runs) {
            scene.frames(1);
        }
    }
}
