//! Snapshots as files: the same game comes back, also into newer modules, or nothing happens.

use std::fs;

use playground_tests::{Copy, Scene, number};

use crate::{EXTRA, SCENE};

const FAMILY: &str = "plugins/family/src/lib.rs";

/// Entities that refer to each other, and Bevy's own components on them.
const FAMILY_SOURCE: &str = r#"//! A family.
#![forbid(unsafe_code)]

use playground_api::prelude::*;

export_module! {
    kind: Plugins,
    requires: { core_scene: "^0.1" },
    persist: [Person, Clock, ChildOf, Name, Transform],
    build: build,
}

/// One of the family.
#[derive(Component, Persist, Serialize, Deserialize, Clone, Debug, Default)]
pub struct Person {
    age: u8,
    friend: Option<Entity>,
}

/// Time that goes on.
#[derive(Resource, Persist, Serialize, Deserialize, Clone, Debug, Default)]
pub struct Clock {
    timer: Timer,
}

fn build(module: &mut ModuleApp) {
    module
        .init_resource::<Clock>()
        .add_systems(Startup, spawn)
        .add_systems(FixedUpdate, tick)
        .add_console_command("family", "who there is", family)
        .add_console_command("scatter", "they go", scatter);
}

fn spawn(mut commands: Commands, mut clock: ResMut<Clock>) {
    clock.timer = Timer::from_seconds(1000.0, TimerMode::Once);
    let eve = commands.spawn((Name::new("eve"), Person { age: 60, friend: None })).id();
    let bob = commands
        .spawn((
            Name::new("bob"),
            ChildOf(eve),
            Transform::from_xyz(3.0, 4.0, 5.0),
            Person { age: 30, friend: Some(eve) },
        ))
        .id();
    commands.spawn((Name::new("ann"), ChildOf(bob), Person { age: 8, friend: Some(bob) }));
}

fn tick(time: Res<Time>, mut clock: ResMut<Clock>) {
    clock.timer.tick(time.delta());
}

fn family(
    In(_): In<Vec<String>>,
    people: Query<(&Name, &Person, Option<&ChildOf>, Option<&Transform>)>,
    names: Query<&Name>,
    children: Query<&Children>,
    clock: Res<Clock>,
) -> String {
    let name = |entity: Entity| names.get(entity).map_or("nobody", |name| name.as_str());
    let mut lines: Vec<String> = people
        .iter()
        .map(|(own, person, parent, place)| {
            format!(
                "{own} {} friend {} parent {} at {}",
                person.age,
                person.friend.map_or("none", name),
                parent.map_or("none", |parent| name(parent.parent())),
                place.map_or(0.0, |place| place.translation.x)
            )
        })
        .collect();
    lines.sort();
    let links: usize = children.iter().map(|children| children.len()).sum();
    format!("{} / links={links} ticks={}", lines.join(", "), clock.timer.elapsed().as_millis())
}

fn scatter(In(_): In<Vec<String>>, people: Query<Entity, With<Person>>, mut commands: Commands) -> String {
    for entity in &people {
        if let Ok(mut entity) = commands.get_entity(entity) {
            entity.try_despawn();
        }
    }
    "gone".to_owned()
}
"#;

fn with_family() -> Scene {
    let copy = Copy::of_fixtures();
    let manifest = copy.read("plugins/extra/Cargo.toml");
    copy.write("plugins/family/Cargo.toml", &manifest.replace("plugins_extra", "plugins_family"));
    copy.write(FAMILY, FAMILY_SOURCE);
    Scene::with_plugin(copy, |_| {})
}

/// All but the time.
fn people(scene: &mut Scene) -> String {
    let told = scene.console("family");
    told.split(" ticks=").next().unwrap_or_default().to_owned()
}

#[test]
fn entities_with_all_that_ties_them_come_back() {
    let mut scene = with_family();
    let expected = "ann 8 friend bob parent bob at 0, bob 30 friend eve parent eve at 3, \
                    eve 60 friend none parent none at 0 / links=2";
    assert_eq!(people(&mut scene), expected);
    scene.console("wait 30");
    let told = scene.console("hash; snapshot save family; snapshot diff family; family");
    let (hash, then) = (told.lines().next().unwrap(), number(&told, "ticks"));
    assert!(then > Some(0) && told.contains("nothing differs"), "{told}");

    scene.console("wait 30; scatter; wait 1");
    assert!(people(&mut scene).starts_with(" / links=0"), "{}", scene.story());
    let diff = scene.console("snapshot diff family");
    assert!(diff.contains("plugins_family::Person: 3 saved, 0 now"), "{diff}");
    assert!(diff.contains("core_scene::Tally.walked"), "{diff}");

    let told = scene.console("snapshot load family; hash; family");
    assert!(told.contains("entities are back"), "{told}");
    assert!(told.contains(hash), "{told}");
    assert_eq!(number(&told, "ticks"), then, "the timer as well");
    assert_eq!(people(&mut scene), expected);
    // Deleted snapshots are gone.
    assert!(scene.console("snapshot list").contains("family"));
    scene.console("snapshot delete family");
    assert!(scene.console("snapshot load family").contains("H0902"));
}

#[test]
fn older_modules_snapshots_load_into_newer_ones() {
    let mut scene = with_family();
    scene.console("snapshot save old; scatter; wait 1");
    scene.swap(
        FAMILY,
        &[
            ("    age: u8,", "    #[persist(rename = \"age\")]\n    years: f64,\n    height: f32,"),
            ("person.age", "person.years"),
            ("age: 60,", "years: 60.0, height: 1.0,"),
            ("age: 30,", "years: 30.0, height: 1.0,"),
            ("age: 8,", "years: 8.0, height: 1.0,"),
        ],
    );
    let diff = scene.console("snapshot diff old");
    assert!(diff.contains("years") && diff.contains("height"), "{diff}");
    scene.console("snapshot load old");
    let told = people(&mut scene);
    assert!(told.starts_with("ann 8 friend bob parent bob"), "{told}");

    // A field that is gone is asked about; nothing happens until then.
    scene.swap(
        SCENE,
        &[(
            "    /// Where it goes.\n    pub speed: f32,",
            "    /// Where it goes.\n    pub speed: f32,\n    /// New.\n    pub mass: u8,",
        )],
    );
    scene.console("snapshot save heavy");
    scene.mark();
    let edit = ("    /// New.\n    pub mass: u8,\n", "");
    let reason = scene.refusal("refused", SCENE, &[edit]);
    assert!(reason.contains("H0605") && reason.contains("mass"), "{reason}");
    assert!(reason.contains("core_scene") && reason.contains("--force"), "{reason}");
    scene.mark();
    scene.console("reload core_scene --force");
    scene.wait_for("swapped", "core_scene");
    let told = scene.console("hash; snapshot load heavy; hash");
    assert!(told.contains("H0906") && told.contains("mass") && told.contains("--force"), "{told}");
    assert_eq!(told.lines().next(), told.lines().last(), "nothing changed: {told}");
    let told = scene.console("snapshot load heavy --force");
    assert!(told.contains("skipped") && told.contains("entities are back"), "{told}");
}

#[test]
fn damaged_and_foreign_files_change_nothing() {
    let mut scene = Scene::demo();
    scene.console("wait 10; snapshot save good");
    let folder = scene.root().join("saves");
    let good = fs::read(folder.join("good.snap")).expect("the snapshot");
    let mut flipped = good.clone();
    flipped[good.len() / 2] ^= 4;
    let mut newer = good.clone();
    newer[15] = 9;
    let cut = &good[..good.len() - 1];
    let files: [(&str, &[u8], &str); 5] = [
        ("flipped", &flipped, "H0904"),
        ("cut", cut, "H0904"),
        ("newer", &newer, "format 9"),
        ("text", b"not a snapshot at all", "not a snapshot"),
        ("empty", b"", "not a snapshot"),
    ];
    for (name, bytes, expected) in files {
        fs::write(folder.join(format!("{name}.snap")), bytes).expect("a file");
        let told = scene.console(&format!("hash; snapshot load {name}; hash"));
        assert!(told.contains(expected), "{name}: {told}");
        assert!(told.contains(&format!("{name}.snap")), "the file is named: {told}");
        let (first, last) = (told.lines().next(), told.lines().last());
        assert_eq!(first, last, "nothing changed: {told}");
    }
    let listed = scene.console("snapshot list");
    assert!(listed.contains("good") && listed.contains("damaged"), "{listed}");
    // A module that is off gets its values for when it is on again.
    let saved = scene.console("snapshot load good; extra");
    scene.console("wait 50; disable plugins_extra; snapshot load good");
    let told = scene.console("snapshot parked; enable plugins_extra; extra");
    assert!(told.contains("no values are parked"), "{told}");
    let runs = |told: &str| {
        let word = told.split_whitespace().find_map(|word| word.strip_prefix("runs="));
        word.and_then(|runs| runs.parse::<u64>().ok()).unwrap_or_else(|| panic!("{told}"))
    };
    assert!(runs(&told) < runs(&saved) + 40, "{saved}\n{told}");
}

/// Charms: one on a body, and one that has nothing else and leads to that body.
const CHARMS: &str = "
/// A charm.
#[derive(Component, Debug, Persist, Serialize, Deserialize)]
pub struct Charm {
    power: u8,
    of: Entity,
}

fn lay(charms: Query<(), With<Charm>>, mut commands: Commands) {
    if charms.is_empty() {
        let body = commands.spawn(core_scene::Body::with_speed(1007.0)).id();
        commands.entity(body).insert(Charm { power: 1, of: body });
        commands.spawn(Charm { power: 2, of: body });
    }
}

fn charms(
    In(_): In<Vec<String>>,
    charms: Query<&Charm>,
    bodies: Query<&core_scene::Body>,
) -> String {
    let one = |charm: &Charm| {
        let speed = bodies.get(charm.of).map_or(0.0, |body| body.speed);
        format!(\"{} at {speed}\", charm.power)
    };
    let mut charms: Vec<String> = charms.iter().map(one).collect();
    charms.sort();
    charms.join(\", \")
}

fn run(";

#[test]
fn values_that_no_module_takes_are_parked_and_come_back() {
    let copy = Copy::of_fixtures();
    let plain = copy.read(EXTRA);
    copy.edit(
        EXTRA,
        &[
            ("persist: [Extra]", "persist: [Extra, Charm]"),
            ("    module\n", "    module\n        .add_systems(OnLoad, lay)\n        .add_console_command(\"charms\", \"\", charms)\n"),
            ("\nfn run(", CHARMS),
        ],
    );
    let charming = copy.read(EXTRA);
    let mut scene = Scene::with_plugin(copy, |_| {});
    assert_eq!(scene.console("wait 30; charms"), "1 at 1007, 2 at 1007");
    scene.console("snapshot save charming");
    let copy = scene.quit();

    // A game in which nobody knows of charms: the snapshot is loaded all the same.
    copy.write(EXTRA, &plain.replace("persist: [Extra]", "persist: []"));
    let mut scene = Scene::with_plugin(copy, |_| {});
    let told = scene.console("snapshot load charming");
    let parked =
        ["are back", "2 values of plugins_extra::Charm", "1 value of plugins_extra::Extra"];
    assert!(parked.iter().all(|parked| told.contains(parked)), "{told}");
    let told = scene.console("snapshot load charming --force; snapshot parked");
    assert!(told.contains("skipped") && told.contains("no values are parked"), "{told}");
    scene.console("snapshot load charming");
    // Later snapshots hold them; what is loaded without them has none.
    scene.console("wait 20; snapshot save later; snapshot load charming; snapshot load later");
    let told = scene.console("snapshot parked");
    assert!(parked[1..].iter().all(|parked| told.contains(parked)), "{told}");
    // Somebody who takes them arrives.
    scene.mark();
    scene.write(EXTRA, &charming);
    scene.wait_for("swapped", "plugins_extra");
    let told = scene.console("snapshot parked; charms; extra");
    assert!(
        told.contains("no values are parked") && told.contains("1 at 1007, 2 at 1007"),
        "{told}"
    );
    let runs = told.split_whitespace().find_map(|word| word.strip_prefix("runs="));
    assert!(runs.is_some_and(|runs| runs.parse::<u64>().is_ok_and(|runs| runs >= 30)), "{told}");
    // In another form, too: the later snapshot, with another type of a field.
    let wider = charming.replace("    power: u8,", "    power: u32,\n    more: Option<u8>,");
    let wider = wider.replace("power: 1,", "power: 1, more: None,");
    let wider = wider.replace("power: 2,", "power: 2, more: None,");
    scene.copy().write(EXTRA, &plain.replace("persist: [Extra]", "persist: []"));
    let mut scene = Scene::with_plugin(scene.quit(), |_| {});
    scene.console("snapshot load later");
    scene.mark();
    scene.write(EXTRA, &wider);
    scene.wait_for("swapped", "plugins_extra");
    assert_eq!(scene.console("charms"), "1 at 1007, 2 at 1007");
}

#[test]
fn a_game_goes_on_from_its_autosave() {
    let mut scene = Scene::demo_with(|plugin| plugin.autosave = true);
    scene.console("wait 50");
    let before = scene.tally();
    scene.console("hash");
    let copy = scene.quit();
    assert!(copy.root.join("saves/autosave_demo.snap").is_file());

    let mut resumed = Scene::with_plugin(copy, |plugin| plugin.resume = true);
    let after = resumed.tally();
    assert!(after.get("walked") >= before.get("walked"), "{before:?} {after:?}");
    assert_eq!(after.get("added"), 100, "nobody comes a second time: {after:?}");
    let copy = resumed.quit();

    // One that cannot be read is kept, and the game begins anew.
    let file = copy.root.join("saves/autosave_demo.snap");
    let mut bytes = fs::read(&file).expect("the autosave");
    bytes.truncate(100);
    fs::write(&file, &bytes).expect("a damaged one");
    let mut anew = Scene::with_plugin(copy, |plugin| {
        plugin.resume = true;
        plugin.autosave = true;
    });
    assert!(anew.tally().get("walked") < before.get("walked"));
    assert!(anew.log().iter().any(|line| line.contains("is kept as `autosave_demo_")));
    let copy = anew.quit();
    let kept = fs::read_dir(copy.root.join("saves")).expect("a folder").flatten();
    let kept: Vec<String> =
        kept.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    let kept = kept.iter().filter(|name| name.ends_with(".snap")).count();
    assert_eq!(kept, 2);
}

#[test]
fn the_arena_goes_on_from_a_snapshot_as_it_did() {
    let mut scene = Scene::game("arena");
    let told = scene.console("wait 120; snapshot save here; wait 120; hash");
    let hash = told.lines().last().expect("a hash").to_owned();
    let told = scene.console("snapshot load here; wait 120; hash");
    assert_eq!(told.lines().last(), Some(hash.as_str()), "{told}");

    // So does a game that begins with it: it begins no new run on top.
    let mut resumed = Scene::with_plugin(scene.quit(), |plugin| {
        plugin.app = Some("arena".to_owned());
        plugin.resume = true;
    });
    let told = resumed.console("wait 120; hash");
    assert_eq!(told.lines().last(), Some(hash.as_str()), "{told}");
}

/// Bricks that are drawn, and of which only what the game counts is persisted.
const BRICKS: &str = "
#[derive(Component, Persist, Serialize, Deserialize)]
pub struct Brick(u8);

/// Not persisted, and not on every brick.
#[derive(Component)]
struct Hit;

fn lay(mut commands: Commands) {
    for number in 0..3 {
        let place = Transform::from_xyz(f32::from(number), 0.0, 0.0);
        let mut brick = commands.spawn((Brick(number), Sprite::default(), place));
        if number == 1 {
            brick.insert(Hit);
        }
    }
}

fn dress(bricks: Query<(Entity, &Brick), (Added<Brick>, Without<Sprite>)>, mut commands: Commands) {
    for (entity, brick) in &bricks {
        let place = Transform::from_xyz(f32::from(brick.0), 0.0, 0.0);
        commands.entity(entity).insert((Sprite::default(), place));
    }
}

fn run(";

#[test]
fn what_a_snapshot_leaves_behind_is_named_unless_the_game_adds_it_again() {
    let mut scene = Scene::demo();
    let adds = "    module\n        .add_systems(OnLoad, lay)\n";
    let bevy = "use bevy::prelude::*;\nuse playground_api::prelude::*;";
    scene.swap(
        EXTRA,
        &[
            ("persist: [Extra]", "persist: [Extra, Brick]"),
            ("    module\n", adds),
            ("\nfn run(", BRICKS),
            ("use playground_api::prelude::*;", bevy),
        ],
    );
    scene.frames(3);
    let saved = scene.console("snapshot save bricks");
    let line = saved.lines().find(|line| line.contains("left behind")).unwrap_or(&saved);
    for named in ["`bevy_sprite::sprite::Sprite` of 3", "Transform` of 3", "Hit` of 1"] {
        assert!(line.contains(named), "{named}: {saved}");
    }
    // What only comes along with a sprite or its place is not told.
    for unnamed in ["Visibility", "GlobalTransform", "Anchor", "::Brick"] {
        assert!(!line.contains(unnamed), "{unnamed}: {line}");
    }
    scene.console("snapshot load bricks");
    scene.frames(5);
    let lacks = "entities with `plugins_extra::Brick` lack";
    let warning = scene.log().into_iter().find(|line| line.contains(lacks));
    let warning = warning.unwrap_or_else(|| panic!("no warning\n{}", scene.story()));
    assert!(warning.contains("Sprite") && warning.contains("Transform"), "{warning}");
    assert!(!warning.contains("Hit"), "not every brick had it: {warning}");

    // The remedy.
    let dresses = ".add_systems(OnLoad, lay)\n        .add_systems(Update, dress)";
    scene.swap(EXTRA, &[(".add_systems(OnLoad, lay)", dresses)]);
    scene.frames(3);
    let before = scene.log().len();
    scene.console("snapshot save bricks; snapshot load bricks");
    scene.frames(5);
    let log = scene.log()[before..].join("\n");
    assert!(log.contains("are back") && !log.contains(lacks), "{log}");
}
