//! Packs that are installed, updated and removed in a game that runs.

use std::fs;
use std::path::{Path, PathBuf};

use playground_hotload::packs;
use playground_pack::SigningKey;
use playground_tests::{Copy, Scene};

const EXTRA: &str = "plugins/extra/src/lib.rs";
const RUN: &str = "    extra.runs += 1;";

/// A workspace, and packs of one of its plugins.
struct Packs {
    copy: Copy,
    key: SigningKey,
    source: String,
}

impl Packs {
    fn new() -> Self {
        let copy = Copy::of_fixtures();
        let key = copy.root.join("key");
        SigningKey::create(&key, "").expect("a key");
        let key = SigningKey::read(&key, || Ok(String::new())).expect("the key");
        packs::new(&copy.root.join("packs/extra"), &["plugins_extra".to_owned()])
            .expect("a folder");
        let manifest = copy.root.join("packs/extra/pack.toml");
        let text = fs::read_to_string(&manifest).expect("pack.toml");
        let relations = "\n[relations.plugins_extra]\nafter = [\"systems_walk\"]\n";
        fs::write(&manifest, text + relations).expect("pack.toml");
        let source = copy.read(EXTRA);
        Self { copy, key, source }
    }

    /// Builds and signs a version with these edits of the first source.
    fn build(&self, version: &str, edits: &[(&str, &str)]) -> String {
        let folder = self.copy.root.join("packs/extra");
        let manifest = folder.join("pack.toml");
        let text = fs::read_to_string(&manifest).expect("pack.toml");
        let line = text.lines().find(|line| line.starts_with("version")).expect("its version");
        fs::write(&manifest, text.replace(line, &format!("version = \"{version}\"")))
            .expect("pack.toml");
        self.copy.write(EXTRA, &self.source);
        self.copy.edit(EXTRA, edits);
        let draft = packs::build(&folder, &mut |_| {}).expect("a pack");
        let file = self.file(version);
        packs::write(&draft, &file).expect("a file");
        packs::sign(&file, &self.key, Some("Somebody")).expect("a signature");
        file.display().to_string()
    }

    fn file(&self, version: &str) -> PathBuf {
        self.copy.root.join(format!("extra {version}.pgpack"))
    }

    /// The game, and in it the plugin.
    fn game(self) -> Scene {
        self.copy.write(EXTRA, &self.source);
        Scene::with_plugin(self.copy, |_| {})
    }

    /// The game without the plugin.
    fn game_without(self) -> Scene {
        self.copy.own_target();
        self.copy.edit("apps/demo/src/lib.rs", &[("        plugins_extra: \"^0.1\",\n", "")]);
        self.copy.remove("plugins/extra");
        Scene::with_plugin(self.copy, |_| {})
    }
}

/// The value of the plugin's resource.
fn runs(scene: &mut Scene) -> u64 {
    let text = scene.console("extra");
    let runs = text.split_whitespace().find_map(|word| word.strip_prefix("runs="));
    runs.and_then(|runs| runs.parse().ok()).unwrap_or_else(|| panic!("{text}"))
}

fn list_of(root: &Path) -> String {
    fs::read_to_string(root.join("saves/packs/packs.toml")).expect("the list")
}

/// The modules in the order in which the first swap took them in.
fn load_order(scene: &Scene) -> Vec<String> {
    let events = scene.events();
    let last_ready = events.iter().rposition(|event| event["event"] == "ready");
    let before = &events[..last_ready.expect("a start")];
    let first = before.iter().rfind(|event| event["event"] == "swapped").expect("a swap");
    let modules = first["modules"].as_array().expect("modules");
    modules.iter().map(|it| it["module"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn the_load_order_is_the_same_unless_it_is_shuffled() {
    let mut copy = Copy::of_fixtures();
    let mut orders = Vec::new();
    for seed in [None, None, Some(1), Some(1), Some(2), Some(3)] {
        let mut scene = Scene::with_plugin(copy, |plugin| plugin.shuffle_load_order = seed);
        let order = load_order(&scene);
        let at = |module: &str| order.iter().position(|id| id == module).expect("it runs");
        assert!(order.iter().all(|id| at("core_scene") <= at(id)), "required by all: {order:?}");
        assert_eq!(at("apps_demo"), order.len() - 1, "it requires all: {order:?}");
        scene.console("wait 30");
        scene.exact_tally();
        orders.push(order);
        copy = scene.quit();
    }
    assert_eq!(orders[0], orders[1]);
    assert_eq!(orders[2], orders[3]);
    assert!(orders[2..].iter().any(|order| *order != orders[0]), "{orders:?}");
}

#[test]
fn a_pack_goes_live_is_updated_with_its_state_and_goes_back_after_a_panic() {
    let packs = Packs::new();
    let first = packs.build("0.1.0", &[]);
    let second = packs.build(
        "0.2.0",
        &[
            ("    pub runs: u64,", "    pub runs: u64,\n    /// New.\n    pub more: u8,"),
            (RUN, "    extra.runs += 1000;"),
        ],
    );
    let third = packs.build(
        "0.3.0",
        &[
            ("    pub runs: u64,", "    pub runs: u64,\n    /// New.\n    pub more: u8,"),
            (RUN, "    extra.runs += 1;\n    assert!(extra.more > 0, \"the third version\");"),
        ],
    );
    let mut scene = packs.game_without();
    assert!(scene.console("pack list").contains("no packs are installed"));
    // Nothing runs before its publisher is trusted.
    let text = scene.console(&format!("pack install \"{first}\""));
    let asks = ["H1123", "\"Somebody\"", "plugins_extra 0.1.0", "no sandbox", "`--trust`"];
    assert!(asks.iter().all(|asks| text.contains(asks)), "{text}");
    assert!(!scene.console("modules").contains("plugins_extra"));
    scene.mark();
    let text = scene.console(&format!("pack install \"{first}\" --trust"));
    assert!(text.contains("Extra 0.1.0 (extra): 1 module") && text.contains("installed"), "{text}");
    assert!(scene.event("packs", None).is_some());
    assert_eq!(scene.generation("plugins_extra"), 1, "it runs when the command is done");
    scene.wait_for_line("plugins_extra of pack extra 0.1.0 live");
    assert!(scene.console("pack why extra").contains("plugins_extra requires core_scene ^0.1"));

    scene.frames(40);
    let before = runs(&mut scene);
    assert!(before >= 40);
    // A changed type, and the state carried over.
    scene.mark();
    let text = scene.console(&format!("pack update \"{second}\""));
    assert!(text.contains("replaces 0.1.0"), "{text}");
    assert_eq!(scene.generation("plugins_extra"), 2);
    let after = runs(&mut scene);
    assert!(after >= before && after % 1000 >= before, "{before} became {after}");
    assert!(scene.console(&format!("pack install \"{first}\"")).contains("H1126"));
    scene.wait_for("committed", "plugins_extra");

    // The third one panics: code and list go back.
    scene.console(&format!("pack update \"{third}\""));
    scene.wait_for("rolled_back", "plugins_extra");
    let line = scene.wait_for_line("pack extra 0.3.0 cannot run");
    assert!(line.contains("0.2.0 is installed again"), "{line}");
    let list = list_of(scene.root());
    assert!(list.contains("version = \"0.2.0\"") && list.contains("0.3.0: "), "{list}");
    let now = runs(&mut scene);
    scene.frames(10);
    assert!(runs(&mut scene) >= now + 10_000, "the second version runs");
    let text = scene.console("pack why extra");
    assert!(text.contains("0.2.0 is on") && text.contains("not a newer version: 0.3.0"), "{text}");
    let text = scene.console("pack verify extra");
    assert!(text.contains("fit this game"), "{text}");

    // Off and on, with its values; and so in the next game.
    let before = runs(&mut scene);
    scene.console("pack disable extra");
    assert!(!scene.console("modules").contains("plugins_extra"));
    assert!(scene.console("extra").contains("there is no command `extra`"));
    scene.console("pack enable extra");
    assert!(runs(&mut scene) >= before);
    let copy = scene.quit();
    let mut scene = Scene::with_plugin(copy, |_| {});
    assert_eq!(scene.generation("plugins_extra"), 1);
    assert!(scene.console("pack list").contains("0.2.0      on"));
    let order = load_order(&scene);
    let at = |module: &str| order.iter().position(|id| id == module);
    assert!(at("plugins_extra") > at("systems_walk"), "as its pack says: {order:?}");

    // A save outlives the pack, also in a game that never had it.
    scene.frames(20);
    scene.console("snapshot save with");
    let saved = runs(&mut scene);
    scene.console("pack remove extra");
    let mut scene = Scene::with_plugin(scene.quit(), |_| {});
    let text = scene.console("snapshot load with");
    assert!(text.contains("1 value of plugins_extra::Extra, persisted by plugins_extra"), "{text}");
    scene.console("snapshot save later; snapshot load later");
    scene.console(&format!("pack install \"{second}\""));
    assert!(runs(&mut scene) >= saved - 1000, "its values are back");

    // Somebody else changes the list: the game follows.
    let text = list_of(scene.root()).replace("is_on = true", "is_on = false");
    scene.mark();
    fs::write(scene.root().join("saves/packs/packs.toml"), text).expect("the list");
    scene.wait_for("disabled", "plugins_extra");
    assert!(scene.console("pack remove extra").contains("removed"));
    assert!(scene.console("pack remove extra").contains("H1121"));
    assert!(scene.console("pack keys").contains("trusted"));
}

#[test]
fn a_pack_that_cannot_run_leaves_everything_as_it_was() {
    let packs = Packs::new();
    let good = packs.build("0.1.0", &[(RUN, "    extra.runs += 2;")]);
    let begin = "fn build(module: &mut ModuleApp) {";
    // What inspection cannot see, and only a probe finds out.
    let broken = packs.build(
        "0.2.0",
        &[(begin, &format!("{begin}\n    assert!(std::env::args().count() == 0, \"no\");"))],
    );
    let dropping = packs.build("0.3.0", &[("persist: [Extra]", "persist: []")]);
    let unsigned = packs.copy.root.join("unsigned.pgpack");
    let draft = packs::build(&packs.copy.root.join("packs/extra"), &mut |_| {}).expect("a pack");
    packs::write(&draft, &unsigned).expect("a file");
    let bytes = fs::read(&good).expect("the pack");
    let cut = packs.copy.root.join("cut.pgpack");
    fs::write(&cut, &bytes[..bytes.len() - 100]).expect("a file");

    let mut scene = packs.game();
    for (file, options, code) in [
        (cut.display().to_string(), "--trust", "H110"),
        (unsigned.display().to_string(), "--trust", "H1122"),
        ("nothing.pgpack".to_owned(), "", "H1101"),
        (".".to_owned(), "", "H1131"),
        ("packs/nothing".to_owned(), "--developer", "H1101"),
    ] {
        let text = scene.console(&format!("pack install \"{file}\" {options}"));
        assert!(text.contains(code), "{file}: {text}");
        assert!(!scene.root().join("saves/packs/packs.toml").exists(), "{file} is installed");
    }
    // The first version that cannot run is switched off, and the game's own module stays.
    scene.console(&format!("pack install \"{broken}\" --trust"));
    let line = scene.wait_for_line("pack extra 0.2.0 cannot run");
    assert!(line.contains("it is switched off"), "{line}");
    assert!(scene.console("pack why extra").contains("is off: 0.2.0"));
    scene.frames(10);
    assert_eq!(scene.generation("plugins_extra"), 1);
    scene.console(&format!("pack install \"{good}\" --downgrade"));
    assert!(scene.console("pack why extra").contains("plugins_extra replaces the game's own"));
    let packed = scene.generation("plugins_extra");
    assert!(packed > 1, "the pack's module runs in place of the game's own");
    scene.frames(40);

    // One that would drop values asks; the answer *no* keeps the old version.
    let dropped = scene.console(&format!("pack update \"{dropping}\""));
    assert!(dropped.contains("needs your confirmation"), "{dropped}");
    assert_eq!(scene.generation("plugins_extra"), packed);
    assert!(list_of(scene.root()).contains("version = \"0.3.0\""));
    let before = runs(&mut scene);
    scene.console("reload plugins_extra --force");
    assert!(scene.generation("plugins_extra") > packed, "the answer was yes");
    assert!(before > 0 && runs(&mut scene) < before, "its values went, as was confirmed");
    // A revoked key switches its packs off.
    let key = scene.console("pack keys");
    let key = key.split_whitespace().nth(1).expect("a key").to_owned();
    scene.console(&format!("pack revoke {key}"));
    assert_eq!(scene.console("pack why extra").lines().count(), 3, "it does not run");
    assert!(scene.console("pack list").contains("H1124"));
    assert!(scene.console(&format!("pack install \"{good}\"")).contains("H1124"));
    scene.console(&format!("pack trust {key}"));
    assert!(!scene.console("pack list").contains("H1124"));
}
