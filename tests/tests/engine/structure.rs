//! Module folders that come, go, break and change their links at random moments, also while the
//! engine reads and builds them: in the end the game runs what is on disk.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use playground_tests::Scene;

use crate::SCENE;
use crate::relinked::{generator, seed_and_count};

/// Names of modules.
const NAMES: [&str; 3] = ["ant", "bee", "cat"];

/// A module's folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Folder {
    /// Differs between any two saves.
    number: u32,
    /// It links to the core, and reads a constant there.
    is_linked: bool,
    /// It does not compile.
    is_broken: bool,
}

impl Folder {
    fn source(self, name: &str) -> String {
        let Self { number, is_linked, is_broken } = self;
        let limit = if is_linked { "core_scene::LIMIT" } else { "0" };
        let broken = if is_broken { "+ missing" } else { "" };
        format!(
            r#"//! Comes and goes.
#![forbid(unsafe_code)]

use playground_api::prelude::*;

export_module! {{
    kind: Plugins,
    requires: {{}},
    persist: [],
    build: build,
}}

fn build(module: &mut ModuleApp) {{
    module.add_console_command("{name}", "its number, and that of the core", {name});
}}

fn {name}(In(_): In<Vec<String>>) -> String {{
    let limit: u32 = {limit};
    format!("{name}={{}}, core={{limit}}", {number} {broken})
}}
"#
        )
    }
}

struct Disk {
    folders: BTreeMap<&'static str, Folder>,
    /// The constant of the core.
    limit: u32,
    is_core_broken: bool,
    manifest: String,
    core: String,
}

impl Disk {
    fn new(scene: &Scene) -> Self {
        Self {
            folders: BTreeMap::new(),
            limit: 0,
            is_core_broken: false,
            manifest: scene.read("plugins/extra/Cargo.toml"),
            core: scene.read(SCENE),
        }
    }

    fn save_core(&self, scene: &mut Scene) {
        let broken = if self.is_core_broken { " + missing" } else { "" };
        let limit = format!("\n/// A limit.\npub const LIMIT: u32 = {}{broken};\n", self.limit);
        scene.write(SCENE, &(self.core.clone() + &limit));
    }

    /// Writes the module's files; which one comes first depends on its number.
    fn save(&self, scene: &mut Scene, name: &str) {
        let folder = self.folders[name];
        let mut manifest = self.manifest.replace("plugins_extra", &format!("plugins_{name}"));
        if !folder.is_linked {
            let link = "core_scene = { path = \"../../core/scene\" }\n";
            assert!(manifest.contains(link));
            manifest = manifest.replace(link, "");
        }
        let path = |file: &str| format!("plugins/{name}/{file}");
        let files = [("Cargo.toml", manifest), ("src/lib.rs", folder.source(name))];
        let mut files = files.each_ref();
        if folder.number.is_multiple_of(2) {
            files.reverse();
        }
        for (file, text) in files {
            scene.write(&path(file), text);
        }
    }

    /// The answer of the module's console command, if it runs as it is on disk.
    fn answer(&self, name: &str) -> Option<String> {
        let Folder { number, is_linked, .. } = *self.folders.get(name)?;
        let limit = if is_linked { self.limit } else { 0 };
        Some(format!("{name}={number}, core={limit}"))
    }
}

fn change_at_random(seed: u64, count: u32) {
    let mut scene = Scene::demo();
    scene.frames(5);
    let mut disk = Disk::new(&scene);
    disk.save_core(&mut scene);
    let mut random = generator(seed);
    for number in 1..=count {
        let name = NAMES[random(NAMES.len())];
        match random(10) {
            0..3 if disk.folders.contains_key(name) => {
                disk.folders.remove(name);
                // Some editors and version control systems remove one file after the other.
                if random(2) == 0 {
                    scene.remove(&format!("plugins/{name}/src"));
                    pass(&mut scene, random(60));
                }
                scene.remove(&format!("plugins/{name}"));
            }
            3..5 => {
                disk.limit = number;
                disk.is_core_broken = random(3) == 0;
                disk.save_core(&mut scene);
            }
            _ => {
                let (is_linked, is_broken) = (random(2) == 0, random(3) == 0);
                disk.folders.insert(name, Folder { number, is_linked, is_broken });
                disk.save(&mut scene, name);
            }
        }
        // From one save in the middle of the reading of another one to a pause for a whole build.
        let ms = [0, 5, 30, 120, 400, 900, 1800][random(7)];
        pass(&mut scene, ms + random(40));
    }
    if disk.is_core_broken {
        disk.is_core_broken = false;
        disk.save_core(&mut scene);
    }
    for (at, name) in NAMES.into_iter().enumerate() {
        if let Some(folder) = disk.folders.get_mut(name).filter(|folder| folder.is_broken) {
            // The last change may be one that mends, or one that removes what held up others.
            *folder = Folder { number: count + 1, is_broken: false, ..*folder };
            if random(2) == 0 {
                disk.save(&mut scene, name);
            } else {
                disk.folders.remove(name);
                scene.remove(&format!("plugins/{name}"));
            }
            pass(&mut scene, 100 * at);
        }
    }
    let started = Instant::now();
    loop {
        let modules = scene.console("modules");
        let differs = NAMES.into_iter().find(|name| {
            let said = scene.console(name);
            match disk.answer(name) {
                Some(answer) => said.trim() != answer,
                None => modules.contains(&format!("plugins_{name}")) || said.contains("core="),
            }
        });
        let Some(name) = differs else { break };
        assert!(
            started.elapsed() < Duration::from_secs(60),
            "seed {seed}: {name} is {:?} on disk\n{modules}\n{}",
            disk.answer(name),
            scene.story()
        );
        pass(&mut scene, 100);
    }
    scene.exact_tally();
}

/// Lets frames pass for that many milliseconds.
fn pass(scene: &mut Scene, ms: usize) {
    let started = Instant::now();
    while started.elapsed() < Duration::from_millis(ms as u64) {
        scene.frames(1);
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn what_is_on_disk_runs_after_random_changes() {
    change_at_random(1, 12);
}

#[test]
#[ignore = "takes as long as `CHANGES=seed,count` says"]
fn random_changes_for_long() {
    let (seed, count) = seed_and_count("CHANGES", (1, 40));
    change_at_random(seed, count);
}
