//! The modules, and packs of them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

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

/// Its counts.
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

/// The systems of [`linked.rs`](super::linked), as one module.
fn source_of_all(count: usize) -> String {
    let systems: String = (0..count)
        .map(|number| {
            format!(
                "    module.init_resource::<Counter<{number}>>().add_systems(Update, work::<{number}>);\n"
            )
        })
        .collect();
    format!(
        r#"//! The work of many modules.
#![forbid(unsafe_code)]

use playground_api::prelude::*;

export_module! {{
    kind: Plugins,
    requires: {{}},
    persist: [],
    build: build,
}}

#[derive(Resource, Default)]
struct Counter<const N: usize> {{
    runs: u64,
    sum: f32,
}}

fn build(module: &mut ModuleApp) {{
{systems}}}

fn work<const N: usize>(mut counter: ResMut<Counter<N>>) {{
    counter.runs += 1;
    for step in 0..100 {{
        counter.sum = (counter.sum + step as f32).sin();
    }}
}}
"#
    )
}

/// The module with the systems of all others.
const ALL: &str = "plugins_all";

const OLD: &str = "0.1.0";
const NEW: &str = "0.2.0";

/// The test modules' app that does nothing in a frame.
pub const APP: &str = "other";

/// The id of a module.
pub fn id(number: usize) -> String {
    format!("plugins_many{number:03}")
}

/// Packs of the first modules, by their number; newer versions, in which the first module has another
/// body; and one of a single module with the systems of all.
pub struct Packs {
    copy: Copy,
    /// The packed files. They are kept for the next run.
    folder: PathBuf,
}

impl Packs {
    /// Builds packs of that many modules, and updates of some of them.
    pub fn build(counts: &[usize], updates: &[usize]) -> Self {
        let mut hasher = blake3::Hasher::new();
        let most = counts.iter().copied().max().unwrap_or_default();
        let all_in_one = source_of_all(most);
        for text in [playground_api::ABI, bench::PLUGIN_MANIFEST, SOURCE, &all_in_one] {
            hasher.update(text.as_bytes());
        }
        let name = format!("packs-{}", &hasher.finalize().to_hex()[..16]);
        let packs = Self { copy: Copy::of_fixtures(), folder: bench::folder().join(name) };
        let all = counts.iter().map(|count| (*count, OLD));
        let mut all = all.chain(updates.iter().map(|count| (*count, NEW)));
        let is_there = all.all(|(count, version)| packs.file(count, version).is_file());
        if is_there && packs.file_of_one().is_file() {
            return packs;
        }
        fs::create_dir_all(&packs.folder).expect("a folder");
        let write = |id: &str, source: &str| {
            let folder = id.replace('_', "/");
            let manifest = bench::PLUGIN_MANIFEST.replace("plugins_extra", id);
            packs.copy.write(&format!("{folder}/Cargo.toml"), &manifest);
            packs.copy.write(&format!("{folder}/src/lib.rs"), source);
        };
        (0..most).for_each(|number| write(&id(number), SOURCE));
        write(ALL, &all_in_one);
        packs.pack([ALL.to_owned()].into(), OLD, &packs.file_of_one());
        let many = |count: usize, version: &str| {
            packs.pack((0..count).map(id).collect(), version, &packs.file(count, version));
        };
        counts.iter().for_each(|count| many(*count, OLD));
        packs
            .copy
            .edit("plugins/many000/src/lib.rs", &[("counter.runs += 1;", "counter.runs += 2;")]);
        updates.iter().for_each(|count| many(*count, NEW));
        // The game does not have them by itself.
        (0..most).for_each(|number| packs.copy.remove(&id(number).replace('_', "/")));
        packs.copy.remove(&ALL.replace('_', "/"));
        packs
    }

    fn pack(&self, modules: BTreeSet<String>, version: &str, file: &Path) {
        let folder = self.copy.root.join("packs/many");
        fs::create_dir_all(&folder).expect("a folder");
        let text = format!(
            "id = \"many\"\nversion = \"{version}\"\ntitle = \"Many\"\nlicence = \"MIT\"\n\
             host = \"^0.1\"\napi = \"^0.1\"\nmodules = {modules:?}\n"
        );
        // As TOML writes a list.
        let text = text.replace("modules = {", "modules = [").replace("}\n", "]\n");
        fs::write(folder.join("pack.toml"), text).expect("pack.toml");
        let draft = packs::build(&folder, &mut |step| eprintln!("{step}")).expect("a pack");
        packs::write(&draft, file).expect("a file");
    }

    fn file_of_one(&self) -> PathBuf {
        self.folder.join("all-in-one.pgpack")
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
        Self::take(scene, "install", &self.file(count, OLD));
        wait_until_runs(scene, &id(0));
    }

    /// Installs the pack whose one module has the systems of all.
    pub fn install_all_in_one(&self, scene: &mut Scene) {
        Self::take(scene, "install", &self.file_of_one());
        wait_until_runs(scene, ALL);
    }

    /// Installs its newer version, and returns the event of the swap.
    pub fn update(&self, scene: &mut Scene, count: usize) -> Value {
        Self::take(scene, "update", &self.file(count, NEW));
        scene.wait_for("swapped", &id(0))
    }

    fn take(scene: &mut Scene, command: &str, file: &Path) {
        scene.mark();
        scene.console(&format!("pack {command} \"{}\" --developer", file.display()));
    }

    /// Removes the pack, if there is one.
    pub fn remove(&self, scene: &mut Scene) {
        scene.console("pack remove many");
        let first = [id(0), ALL.to_owned()];
        let is_of_pack = |line: &str| first.iter().any(|id| line.starts_with(id));
        let runs = |line: &str| is_of_pack(line) && !line.contains("disabled");
        while scene.console("modules").lines().any(runs) {
            scene.frames(1);
        }
    }
}

fn wait_until_runs(scene: &mut Scene, module: &str) {
    scene.until("its modules run", |scene| {
        ["swapped", "enabled"].iter().any(|kind| scene.event(kind, Some(module)).is_some())
    });
}
