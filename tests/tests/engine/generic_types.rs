//! Generic types and foreign collections among what a module persists.

use playground_tests::{Scene, number};

use crate::EXTRA;

/// Generic components of two arguments each, nested ones, and Bevy's collections.
const TYPES: &str = r#"
/// An argument.
#[derive(Persist)]
pub struct Gold;

/// Another one.
#[derive(Persist)]
pub struct Wood;

/// A component of each.
#[derive(Component, Persist, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Amount<T: Send + Sync + 'static> {
    of: u32,
    #[serde(skip)]
    kind: std::marker::PhantomData<T>,
}

/// A component of two layouts.
#[derive(Component, Persist, Serialize, Deserialize)]
pub struct Pile<T: Send + Sync + 'static, const N: usize> {
    many: [T; 3],
}

/// What Bevy's collections hold.
#[derive(Resource, Default, Persist, Serialize, Deserialize)]
pub struct Owners {
    by_name: bevy::platform::collections::HashMap<String, u32>,
    piles: bevy::ecs::entity::EntityHashMap<u32>,
    all: bevy::ecs::entity::EntityHashSet,
}

fn own<T: Send + Sync + 'static>(of: u32) -> Amount<T> {
    Amount { of, kind: std::marker::PhantomData }
}

fn fill(mut owners: ResMut<Owners>, mut commands: Commands) {
    if owners.by_name.is_empty() {
        commands.spawn((own::<Gold>(5), own::<Wood>(7)));
        commands.spawn(own::<Vec<u8>>(11));
        commands.spawn(own::<Vec<Gold>>(13));
        let small = commands.spawn(Pile::<u8, 3> { many: [2; 3] }).id();
        let large = commands.spawn(Pile::<u16, 4> { many: [300; 3] }).id();
        owners.by_name.insert("somebody".to_owned(), 17);
        owners.piles.insert(small, 1);
        owners.piles.insert(large, 2);
        owners.all.extend([small, large]);
    }
}

fn sum<T: Send + Sync + 'static>(amounts: Query<&Amount<T>>) -> u32 {
    amounts.iter().map(|amount| amount.of).sum()
}

fn owned(In(_): In<Vec<String>>, world: &mut World) -> String {
    let gold = world.run_system_cached(sum::<Gold>).unwrap_or_default();
    let wood = world.run_system_cached(sum::<Wood>).unwrap_or_default();
    let bytes = world.run_system_cached(sum::<Vec<u8>>).unwrap_or_default();
    let listed = world.run_system_cached(sum::<Vec<Gold>>).unwrap_or_default();
    let small: u32 = world.query::<&Pile<u8, 3>>().iter(world).flat_map(|it| it.many).map(u32::from).sum();
    let large: u32 = world.query::<&Pile<u16, 4>>().iter(world).flat_map(|it| it.many).map(u32::from).sum();
    let owners = world.resource::<Owners>();
    let there = owners.all.iter().filter(|id| world.get_entity(**id).is_ok()).count();
    let found = owners.piles.iter().filter(|(id, _)| {
        world.get::<Pile<u8, 3>>(**id).is_some() || world.get::<Pile<u16, 4>>(**id).is_some()
    });
    let found: u32 = found.map(|(_, number)| number).sum();
    let named = owners.by_name.get("somebody").copied().unwrap_or_default();
    format!(
        "gold={gold} wood={wood} bytes={bytes} listed={listed} small={small} large={large} \
         named={named} there={there} found={found}"
    )
}

fn run("#;

const ALL: &str = "gold=5 wood=7 bytes=11 listed=13 small=6 large=900 named=17 there=2 found=3";

fn scene() -> Scene {
    let mut scene = Scene::demo();
    let persisted = "persist: [Extra, Owners, Amount<Gold>, Amount<Wood>, Amount<Vec<u8>>, \
                     Amount<Vec<Gold>>, Pile<u8, 3>, Pile<u16, 4>]";
    let adds = "    module\n        .init_resource::<Owners>()\n        .add_systems(OnLoad, fill)\n\
                \x20       .add_console_command(\"owned\", \"what there is\", owned)\n";
    scene.swap(
        EXTRA,
        &[("persist: [Extra]", persisted), ("    module\n", adds), ("\nfn run(", TYPES)],
    );
    scene.frames(2);
    assert_eq!(scene.console("owned"), ALL);
    scene
}

#[test]
fn each_argument_of_a_generic_type_has_its_own_values() {
    let mut scene = scene();
    // A body, then the layout of one of them.
    scene.swap(EXTRA, &[("extra.runs += 1;", "extra.runs += 2;")]);
    scene.frames(2);
    assert_eq!(scene.console("owned"), ALL);
    let swapped = scene.swap(
        EXTRA,
        &[
            ("    of: u32,", "    /// New.\n    more: u64,\n    of: u32,"),
            ("Amount { of,", "Amount { more: 0, of,"),
        ],
    );
    scene.frames(2);
    assert_eq!(scene.console("owned"), ALL, "{swapped}");
    // A third one, and one that goes.
    let reason = scene.refusal("refused", EXTRA, &[("Amount<Wood>, ", "")]);
    assert!(reason.contains("plugins_extra::Amount<plugins_extra::Wood>"), "{reason}");
    let first = reason.lines().next().unwrap_or_default();
    assert!(first.contains("H0602") && !first.contains("Gold"), "{reason}");
    scene.swap(EXTRA, &[("Amount<Vec<u8>>, ", "Amount<Wood>, Amount<Vec<u8>>, ")]);
    scene.frames(2);
    assert_eq!(scene.console("owned"), ALL);
}

#[test]
fn a_snapshot_holds_each_argument_and_maps_entities_in_collections() {
    let mut scene = scene();
    let saved = scene.console("snapshot save generic");
    assert!(saved.contains("snapshot `generic`"), "{saved}");
    let loaded = scene.console("snapshot load generic");
    assert!(loaded.contains("entities are back"), "{loaded}");
    scene.frames(2);
    assert_eq!(scene.console("owned"), ALL);
    assert_eq!(number(&scene.console("owned"), "there"), Some(2));
}
