//! The modules, and packs of them.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use playground_hotload::packs;
use playground_tests::{Copy, Scene};

const MANIFEST: &str = r#"[package]
name = "ID"
version.workspace = true
edition.workspace = true
rust-version.workspace = true
license.workspace = true
publish.workspace = true

[dependencies]
playground_api.workspace = true

[lints]
workspace = true
"#;

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

/// The id of a module.
pub fn id(number: usize) -> String {
    format!("plugins_many{number:03}")
}

/// Packs of the first modules, by their number; and newer versions, in which the first module has
/// another body.
pub struct Packs {
    copy: Copy,
}

impl Packs {
    /// Builds packs of that many modules, and updates of some of them.
    pub fn build(counts: &[usize], updates: &[usize]) -> Self {
        let packs = Self { copy: Copy::of_fixtures() };
        let most = counts.iter().copied().max().unwrap_or_default();
        for number in 0..most {
            let folder = format!("plugins/many{number:03}");
            packs.copy.write(&format!("{folder}/Cargo.toml"), &MANIFEST.replace("ID", &id(number)));
            packs.copy.write(&format!("{folder}/src/lib.rs"), SOURCE);
        }
        counts.iter().for_each(|count| packs.pack(*count, "0.1.0"));
        packs
            .copy
            .edit("plugins/many000/src/lib.rs", &[("counter.runs += 1;", "counter.runs += 2;")]);
        updates.iter().for_each(|count| packs.pack(*count, "0.2.0"));
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
        self.copy.root.join(format!("many-{count}-{version}.pgpack"))
    }

    /// The game without the modules.
    pub fn start(&self) -> Scene {
        Scene::with_plugin(self.copy.clone(), |_| {})
    }

    /// The command that installs a pack of that many modules.
    pub fn install(&self, count: usize) -> String {
        let file = self.file(count, "0.1.0");
        format!("pack install \"{}\" --developer", file.display())
    }

    /// The command that installs its newer version.
    pub fn update(&self, count: usize) -> String {
        format!("pack update \"{}\" --developer", self.file(count, "0.2.0").display())
    }
}
