//! Types with an identity of their own: an edit of one touches it and what contains it.

use playground_tests::Scene;

use crate::{EXTRA, SCENE};

const SOURCE: &str = r#"//! A plugin whose types have identities of their own, but one.
#![forbid(unsafe_code)]

use playground_api::prelude::*;

export_module! {
    kind: Plugins,
    requires: { core_scene: "^0.1" },
    persist: [Brick, Wall, Mood],
    dropped: ["plugins_extra::Extra"],
    build: build,
}

/// Persisted, with a persisted type in it.
#[persist]
#[derive(Component, Clone, Debug)]
pub struct Brick {
    pub hits: u8,
    kind: Kind,
}

#[persist(was = "plugins_extra::Sort")]
#[derive(Clone, Debug, Default, Reflect)]
pub enum Kind {
    #[default]
    Soft,
    Hard { armor: self::Armor },
}

type Armor = u8;

#[persist]
#[derive(Resource, Default)]
struct Wall(Vec<Brick>);

#[persist]
#[derive(States, Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
enum Mood {
    #[default]
    Calm,
    Wild,
}

#[own_identity]
#[derive(Component)]
#[component(on_remove = gone)]
struct Marker;

fn gone(_: bevy::ecs::world::DeferredWorld, _: bevy::ecs::lifecycle::HookContext) {}

#[own_identity]
#[derive(Bundle)]
struct BrickBundle {
    brick: Brick,
    marker: Marker,
    label: Label,
}

#[own_identity]
#[derive(Resource, Default)]
struct Index {
    entities: Vec<Entity>,
}

#[own_identity]
#[derive(Message)]
struct Noted(u32);

/// The one without.
#[derive(Component)]
struct Label(u8);

mod parts {
    use super::*;

    #[own_identity]
    #[derive(Component)]
    pub(super) struct Core(pub(super) super::Armor, u8);

    impl Core {
        pub(super) fn new() -> Self {
            Self(3, 4)
        }
    }
}

fn build(module: &mut ModuleApp) {
    module
        .init_resource::<Wall>()
        .init_resource::<Index>()
        .init_state::<Mood>()
        .register_type::<Kind>()
        .add_message::<Noted>()
        .add_systems(Update, count::<Marker>)
        .add_console_command("mark", "spawns", mark)
        .add_console_command("report", "what is there", report);
}

fn mark(
    In(_): In<Vec<String>>,
    mut commands: Commands,
    mut index: ResMut<Index>,
    mut wall: ResMut<Wall>,
    mut next: ResMut<NextState<Mood>>,
    mut noted: MessageWriter<Noted>,
) -> String {
    for hits in [1, 2, 4] {
        let brick = Brick { hits, kind: Kind::Hard { armor: 7 } };
        wall.0.push(brick.clone());
        let bundle = BrickBundle { brick, marker: Marker, label: Label(1) };
        index.entities.push(commands.spawn((bundle, parts::Core::new())).id());
    }
    next.set(Mood::Wild);
    noted.write(Noted(1));
    "marked".to_owned()
}

/// A system whose name has a type in it.
fn count<T: Component>(values: Query<&T>, mut runs: Keep<u64>) {
    *runs += 1 + values.iter().count() as u64;
}

fn report(
    In(_): In<Vec<String>>,
    bricks: Query<&Brick>,
    markers: Query<Entity, With<Marker>>,
    labels: Query<&Label>,
    cores: Query<&parts::Core>,
    index: Res<Index>,
    wall: Res<Wall>,
    mood: Res<State<Mood>>,
) -> String {
    let indexed = markers.iter().filter(|entity| index.entities.contains(entity)).count();
    let hits: u8 = bricks.iter().map(|brick| brick.hits).sum();
    let armor = bricks.iter().filter(|it| matches!(it.kind, Kind::Hard { armor: 7, .. })).count();
    let walls: u8 = wall.0.iter().map(|brick| brick.hits).sum();
    format!(
        "indexed={indexed} hits={hits} armor={armor} wall={walls} mood={:?} labels={} cores={} size={} path={}",
        mood.get(),
        labels.iter().count(),
        cores.iter().map(|core| core.0).sum::<u8>(),
        size_of::<Brick>(),
        <Kind as bevy::reflect::TypePath>::type_path(),
    )
}
"#;

/// Everything that `mark` makes.
const WHOLE: &str = "indexed=3 hits=7 armor=3 wall=7 mood=Wild labels=3 cores=9";

/// Edits, one on top of the other; what is dropped, as the event names it; and what is left.
const EDITS: &[(&str, &[(&str, &str)], &[&str], &str)] = &[
    ("a body", &[("*runs += 1 +", "*runs += 2 +")], &[], WHOLE),
    (
        "a field of a persisted type",
        &[
            ("pub hits: u8,", "pub hits: u8,\n    worth: u64,"),
            ("Brick { hits,", "Brick { hits, worth: 0,"),
        ],
        &[],
        WHOLE,
    ),
    (
        "a field of a type in it",
        &[
            ("armor: self::Armor }", "armor: self::Armor, shine: u32 }"),
            ("Hard { armor: 7 }", "Hard { armor: 7, shine: 0 }"),
        ],
        &[],
        WHOLE,
    ),
    ("a variant of a state", &[("    Wild,\n", "    Wild,\n    Sad,\n")], &[], WHOLE),
    (
        "a field of a marker",
        &[
            ("struct Marker;", "struct Marker(u8);"),
            ("marker: Marker, label: L", "marker: Marker(1), label: L"),
        ],
        &["3 values of `plugins_extra::Marker`"],
        "indexed=0 hits=7 armor=3 wall=7 mood=Wild labels=3 cores=9",
    ),
    (
        "a field of an index",
        &[("entities: Vec<Entity>,", "entities: Vec<Entity>,\n    size: u8,")],
        &["1 value of `plugins_extra::Index`"],
        "indexed=0 hits=7 armor=3 wall=7 mood=Wild labels=3 cores=9",
    ),
    (
        "a new type",
        &[(
            "/// The one without.",
            "#[own_identity]\n#[derive(Component)]\npub struct New(u8);\n\n/// One.",
        )],
        &[],
        "indexed=0 hits=7 armor=3 wall=7 mood=Wild labels=3 cores=9",
    ),
    (
        "a type in a module",
        &[("super::Armor, u8)", "super::Armor, u16)")],
        &["3 values of `plugins_extra::parts::Core`"],
        "indexed=0 hits=7 armor=3 wall=7 mood=Wild labels=3 cores=0",
    ),
    (
        "an alias that two types contain",
        &[
            ("type Armor = u8;", "type Armor = u32;"),
            ("core.0).sum::<u8>()", "core.0).sum::<u32>()"),
        ],
        &[],
        "indexed=0 hits=7 armor=3 wall=7 mood=Wild labels=3 cores=0",
    ),
    (
        "a type without the attribute",
        &[("struct Label(u8)", "struct Label(u16)")],
        &["3 values of `plugins_extra::Label`", "1 value of `plugins_extra::Index`"],
        "indexed=0 hits=7 armor=3 wall=7 mood=Wild labels=0 cores=0",
    ),
];

#[test]
fn an_edit_of_a_type_touches_that_type_and_what_contains_it() {
    let mut scene = Scene::demo();
    scene.write(EXTRA, SOURCE);
    scene.wait_for("swapped", "plugins_extra");
    scene.console("mark");
    scene.frames(2);
    let report = scene.console("report");
    assert!(report.contains(WHOLE), "{report}");
    for (name, replacements, dropped, expected) in EDITS {
        let swapped = scene.swap(EXTRA, replacements);
        scene.frames(2);
        let report = scene.console("report");
        assert!(report.contains(expected), "{name}: {report}, not {expected}\n{}", scene.story());
        assert!(report.contains("path=plugins_extra::Kind"), "{name}: {report}");
        let reason = swapped["reason"].as_str().unwrap_or_default();
        assert_eq!(reason.matches(" went").count(), dropped.len(), "{name}: {reason}");
        assert!(dropped.iter().all(|lost| reason.contains(lost)), "{name}: {reason}");
    }
    assert!(scene.console("report").contains("size=24"), "{}", scene.story());
}

#[test]
fn a_cores_type_touches_what_contains_it_in_other_crates() {
    const SHARED: &str = "
#[own_identity]
#[derive(Component, Default)]
pub struct Shared(pub u8);

#[own_identity]
#[derive(Component, Default)]
pub struct Beside(pub u8);
";
    const TYPES: &str = "
#[own_identity]
#[derive(Component, Default)]
struct Holder(u8, Option<core_scene::Shared>);

#[own_identity]
#[derive(Component, Default)]
struct Other(u8);

fn make(In(_): In<Vec<String>>, mut commands: Commands) -> String {
    commands.spawn((Holder::default(), Other(1), core_scene::Beside(1), core_scene::Shared(1)));
    \"made\".to_owned()
}

fn count(
    In(_): In<Vec<String>>,
    holders: Query<&Holder>,
    others: Query<&Other>,
    beside: Query<&core_scene::Beside>,
    shared: Query<&core_scene::Shared>,
) -> String {
    let (holders, others) = (holders.iter().count(), others.iter().count());
    let (beside, shared) = (beside.iter().count(), shared.iter().count());
    format!(\"holders={holders} others={others} beside={beside} shared={shared}\")
}
";
    let mut scene = Scene::demo();
    scene.swap(SCENE, &[("/// Something that moves.", &format!("{SHARED}\n/// A body."))]);
    let commands = ".add_console_command(\"make\", \"spawns\", make)\n        \
                    .add_console_command(\"count\", \"counts\", count)";
    let extra = scene.read(EXTRA);
    let at = extra.find("fn build").expect("a build function");
    let chained = extra[at..].find(".init_resource").expect("a registration") + at;
    let extra = format!("{}{commands}\n        {}{TYPES}", &extra[..chained], &extra[chained..]);
    scene.write(EXTRA, &extra);
    scene.wait_for("swapped", "plugins_extra");
    scene.console("make");
    scene.frames(2);
    assert!(scene.console("count").contains("holders=1 others=1 beside=1 shared=1"));
    scene.swap(SCENE, &[("struct Shared(pub u8)", "struct Shared(pub u64)")]);
    scene.wait_for("swapped", "plugins_extra");
    scene.frames(2);
    let count = scene.console("count");
    assert!(count.contains("holders=0 others=1 beside=1 shared=0"), "{count}\n{}", scene.story());
}
