//! Many swaps in one process. Takes a quarter of an hour: not a part of `cargo test`.
//!
//! ```sh
//! cargo test --test soak -- --ignored --nocapture
//! ```

use std::collections::BTreeMap;
use std::time::Instant;

use playground_tests::{Copy, Scene, number};

const TAGS: &str = "plugins/tags/src/lib.rs";
const CORE: &str = "core/arena/src/lib.rs";
const SWAPS: u64 = 1_000;

/// One state of the module's source.
#[derive(Clone, Debug, Default, PartialEq)]
struct Version {
    /// Which of two forms the persisted component has.
    other_form: bool,
    /// A number in the body of a system.
    body: u32,
    /// Systems beside the one that matters.
    systems: u32,
    fault: Option<Fault>,
}

/// The fault.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    DoesNotCompile,
    AbortsInBuild,
    PanicsInAFrame,
}

/// The work of a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Edit {
    Body,
    Form,
    Systems,
    Broken,
    Aborting,
    Panicking,
    Switch,
    Rollback,
    Core,
}

/// So many of a hundred rounds; the rest is bodies.
const EDITS: &[(Edit, u64)] = &[
    (Edit::Form, 20),
    (Edit::Systems, 12),
    (Edit::Broken, 3),
    (Edit::Aborting, 3),
    (Edit::Panicking, 6),
    (Edit::Switch, 12),
    (Edit::Rollback, 16),
    (Edit::Core, 1),
];

/// xorshift: the same rounds each time.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }

    fn edit(&mut self) -> Edit {
        let mut at = self.below(100);
        for (edit, share) in EDITS {
            match at.checked_sub(*share) {
                Some(rest) => at = rest,
                None => return *edit,
            }
        }
        Edit::Body
    }
}

impl Version {
    fn source(&self) -> String {
        let Self { other_form, body, systems, fault } = self;
        let (field, of) = if *other_form { ("label", "f64") } else { ("number", "u32") };
        let former = if *other_form { "number" } else { "label" };
        let fault = |wanted, text| if *fault == Some(wanted) { text } else { "" };
        let does_not_compile = fault(Fault::DoesNotCompile, "let none: u32 = \"text\";");
        let aborts = fault(Fault::AbortsInBuild, "std::process::abort();");
        let panics = fault(
            Fault::PanicsInAFrame,
            "assert!(untagged.iter().len() == usize::MAX, \"a panic\");",
        );
        let more: String =
            (0..*systems).map(|i| format!("    module.add_systems(Update, more_{i});\n")).collect();
        let functions: String = (0..*systems)
            .map(|i| format!("\nfn more_{i}(mut runs: Local<u32>) {{\n    *runs += {body};\n}}\n"))
            .collect();
        format!(
            r#"//! Tags what fights.
#![forbid(unsafe_code)]

use core_arena::Health;
use core_physics::StableId;
use playground_api::prelude::*;

export_module! {{
    kind: Plugins,
    requires: {{ core_arena: "^0.1", core_physics: "^0.1" }},
    persist: [Tag],
    build: build,
}}

/// A number that stays with its bearer.
#[derive(Component, Persist, Serialize, Deserialize, Clone, Debug, Default)]
pub struct Tag {{
    #[persist(rename = "{former}")]
    {field}: {of},
}}

fn build(module: &mut ModuleApp) {{
    {aborts}
    module.add_systems(FixedPostUpdate, tag).add_console_command("tags", "counts them", tags);
{more}}}

fn tag(untagged: Query<(Entity, &StableId), (With<Health>, Without<Tag>)>, mut commands: Commands) {{
    {panics}
    for (entity, id) in &untagged {{
        commands.entity(entity).insert(Tag {{ {field}: id.0 as {of} }});
    }}
}}

fn tags(In(_): In<Vec<String>>, tags: Query<(&Tag, &StableId)>) -> String {{
    {does_not_compile}
    let right = tags.iter().filter(|(tag, id)| tag.{field} == id.0 as {of}).count();
    format!("tags={{}} right={{right}} body={body}", tags.iter().count())
}}
{functions}"#
        )
    }
}

/// The arena, with the module in it, and what is known of its generations.
struct Soak {
    scene: Scene,
    random: Random,
    /// What runs.
    live: Version,
    /// All that ran, by generation.
    versions: BTreeMap<i64, Version>,
    /// Of the state of the snapshot, in each of the two forms.
    hashes: [Option<String>; 2],
    /// Numbers in bodies, so that no two are the same.
    bodies: u32,
    longest_ms: f64,
}

impl Soak {
    fn new() -> Self {
        let copy = Copy::of_game();
        let manifest = copy.read("plugins/trails/Cargo.toml");
        let manifest = manifest.replace("plugins_trails", "plugins_tags");
        let api = "playground_api.workspace = true\n";
        let manifest = manifest.replace(api, &format!("{api}serde.workspace = true\n"));
        for core in ["core_arena", "core_physics"] {
            assert!(manifest.contains(core), "{manifest}");
        }
        copy.write("plugins/tags/Cargo.toml", &manifest);
        let live = Version::default();
        copy.write(TAGS, &live.source());
        let marker = "\n/// For the soak.\npub fn soak_marker() -> u32 {\n    0\n}\n";
        copy.write(CORE, &(copy.read(CORE) + marker));
        let scene = Scene::with_plugin(copy, |plugin| {
            plugin.app = Some("arena".to_owned());
            plugin.watch = false;
        });
        let versions = BTreeMap::from([(1, live.clone())]);
        let random = Random(0x9e37_79b9_7f4a_7c15);
        let hashes = [None, None];
        Self { scene, random, live, versions, hashes, bodies: 0, longest_ms: 0.0 }
    }

    /// The number after `name` in what `stats` prints.
    fn stat(&mut self, name: &str) -> u64 {
        let stats = self.scene.console("stats");
        let rest = stats.split_once(name).map_or("", |(_, rest)| rest);
        rest.split_whitespace()
            .find_map(|word| word.parse().ok())
            .unwrap_or_else(|| panic!("{stats}"))
    }

    fn kind(&mut self) -> Edit {
        let edit = self.random.edit();
        // There has to be something to go back to.
        if edit == Edit::Rollback && self.versions.len() < 3 { Edit::Body } else { edit }
    }

    fn round(&mut self) -> Edit {
        let edit = self.kind();
        self.bodies += 1;
        let mut version = Version { body: self.bodies, ..self.live.clone() };
        let faulty = |fault| Version { fault: Some(fault), ..version.clone() };
        match edit {
            Edit::Body => self.swap(version),
            Edit::Form => {
                version.other_form = !version.other_form;
                self.swap(version);
            }
            Edit::Systems => {
                version.systems = self.random.below(5) as u32;
                self.swap(version);
            }
            Edit::Broken => self.refused(&faulty(Fault::DoesNotCompile), "build_failed", "E0308"),
            Edit::Aborting => self.refused(&faulty(Fault::AbortsInBuild), "refused", "SIGABRT"),
            Edit::Panicking => {
                // Also where the values went to another form before the panic.
                let mut faulty = faulty(Fault::PanicsInAFrame);
                faulty.other_form ^= self.bodies.is_multiple_of(2);
                self.scene.write(TAGS, &faulty.source());
                self.scene.console("reload plugins_tags");
                let back = self.scene.wait_for("rolled_back", "plugins_tags");
                assert!(back["reason"].as_str().is_some_and(|it| it.contains("a panic")), "{back}");
            }
            Edit::Switch => {
                let told = self.scene.console("disable plugins_tags; enable plugins_tags");
                assert!(told.contains("is off") && told.contains("is on"), "{told}");
            }
            Edit::Rollback => {
                self.scene.mark();
                let told = self.scene.console("rollback plugins_tags");
                match self.scene.event("rolled_back", Some("plugins_tags")) {
                    Some(event) => self.runs(&event),
                    // It came alone, and the first there is to go back to is far behind.
                    None => assert!(told.contains("there is no older"), "{told}"),
                }
            }
            Edit::Core => {
                let text = self.scene.read(CORE);
                let (head, _) = text.split_once("pub fn soak_marker").expect("it is there");
                let body =
                    format!("{head}pub fn soak_marker() -> u32 {{\n    {}\n}}\n", self.bodies);
                self.scene.write(TAGS, &self.live.source());
                self.scene.write(CORE, &body);
                self.scene.console("reload core_arena");
                let swapped = self.scene.event("swapped", Some("core_arena")).expect("a swap");
                self.runs(&swapped);
            }
        }
        edit
    }

    fn swap(&mut self, version: Version) {
        self.scene.write(TAGS, &version.source());
        self.live = version;
        self.scene.console("reload plugins_tags");
        let swapped = self.scene.event("swapped", Some("plugins_tags"));
        let swapped = swapped.unwrap_or_else(|| panic!("no swap\n{}", self.scene.log().join("\n")));
        self.longest_ms = self.longest_ms.max(swapped["ms"]["pause"].as_f64().unwrap_or_default());
        self.runs(&swapped);
    }

    fn refused(&mut self, version: &Version, kind: &str, reason: &str) {
        self.scene.write(TAGS, &version.source());
        self.scene.console("reload plugins_tags");
        let event = self.scene.event(kind, Some("plugins_tags")).expect("it is told");
        assert!(event["reason"].as_str().is_some_and(|it| it.contains(reason)), "{event}");
    }

    /// The generation in this event runs: a known one, or what was last written.
    fn runs(&mut self, event: &serde_json::Value) {
        let mut modules = event["modules"].as_array().into_iter().flatten();
        let own = modules.find(|entry| entry["module"] == "plugins_tags").unwrap_or(event);
        let generation = own["generation"].as_i64().expect("a number");
        self.live = self.versions.entry(generation).or_insert(self.live.clone()).clone();
    }

    /// The old code or the new one runs, whole, and nothing is lost.
    fn check(&mut self, edit: Edit) {
        // From where it began: the same in each of the two forms, whatever was swapped meanwhile.
        let told = self.scene.console("tags; snapshot load start; hash; tags");
        let story = || format!("{edit:?} {:?}\n{told}", self.live);
        let counts: Vec<&str> = told.lines().filter(|line| line.starts_with("tags=")).collect();
        assert_eq!(counts.len(), 2, "{}", story());
        for count in counts {
            assert!(number(count, "tags") > Some(0), "{}", story());
            assert_eq!(number(count, "tags"), number(count, "right"), "{}", story());
            assert_eq!(number(count, "body"), Some(i64::from(self.live.body)), "{}", story());
        }
        let hash = told.lines().find(|line| line.starts_with("hash ")).map(str::to_owned);
        assert!(hash.is_some(), "{}", story());
        let known = &mut self.hashes[usize::from(self.live.other_form)];
        let known = known.get_or_insert_with(|| hash.clone().unwrap_or_default());
        assert_eq!(Some(&*known), hash.as_ref(), "{edit:?}\n{told}");
    }
}

#[test]
#[ignore = "takes a quarter of an hour"]
fn a_thousand_swaps_lose_nothing() {
    let started = Instant::now();
    let mut soak = Soak::new();
    soak.scene.console("wait 300; snapshot save start");
    let mut rounds: BTreeMap<Edit, u32> = BTreeMap::new();
    let mut told_of = 0;
    loop {
        let edit = soak.round();
        soak.check(edit);
        *rounds.entry(edit).or_default() += 1;
        let swaps = soak.stat("swaps ");
        if swaps / 50 > told_of {
            told_of = swaps / 50;
            println!("{swaps} of {SWAPS} swaps, {:.0} s", started.elapsed().as_secs_f64());
        }
        if swaps >= SWAPS {
            break;
        }
    }
    println!("{rounds:?}, {:.0} s", started.elapsed().as_secs_f64());
    println!("longest pause {:.1} ms\n{}", soak.longest_ms, soak.scene.console("stats"));
}
