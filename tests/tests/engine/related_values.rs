//! Values that Bevy keeps in step with others: relationships, required components, and entities
//! that queries do not find.

use playground_tests::Scene;

use crate::EXTRA;

/// Lists of each kind, persisted on both sides, on one side, or on none.
const TYPES: &str = r#"
macro_rules! relationship {
    ($source:ident, $target:ident, $list:ty) => {
        /// Points to a target.
        #[derive(Component, Persist, Serialize, Deserialize)]
        #[relationship(relationship_target = $target)]
        pub struct $source(pub Entity);

        /// Lists its sources.
        #[derive(Component, Persist, Serialize, Deserialize)]
        #[relationship_target(relationship = $source)]
        pub struct $target($list);
    };
}

relationship!(MemberOf, Members, Vec<Entity>);
relationship!(CrewOf, Crew, Vec<Entity>);
relationship!(CargoOf, Cargo, Vec<Entity>);
relationship!(RiderOf, Rider, Entity);
relationship!(FanOf, Fans, bevy::ecs::entity::EntityHashSet);
relationship!(GuestOf, Guests, Vec<Entity>);

/// A relationship with more on both sides.
#[derive(Component, Persist, Serialize, Deserialize)]
#[relationship(relationship_target = Fleet)]
pub struct ShipOf {
    #[relationship]
    admiral: Entity,
    guns: u8,
}

/// The other side.
#[derive(Component, Persist, Serialize, Deserialize)]
#[relationship_target(relationship = ShipOf, linked_spawn)]
pub struct Fleet {
    #[relationship]
    ships: Vec<Entity>,
    port: u8,
}

/// Who it is.
#[derive(Component, Persist, Serialize, Deserialize)]
pub struct Number(u8);

/// Requires what some of its entities lose.
#[derive(Component, Persist, Serialize, Deserialize)]
#[require(Alive, Fresh, Visibility)]
pub struct Unit(u8);

/// Persisted.
#[derive(Component, Default, Persist, Serialize, Deserialize)]
pub struct Alive;

/// Not persisted.
#[derive(Component, Default)]
pub struct Fresh;

/// Hides its entity from queries.
#[derive(Component, Persist, Serialize, Deserialize)]
pub struct Asleep;

fn fill(world: &mut World) {
    world.register_disabling_component::<Asleep>();
    if world.query::<&Number>().iter(world).next().is_some() {
        return;
    }
    let all: Vec<Entity> = (0..8).map(|number| world.spawn(Number(number)).id()).collect();
    let captain = all[0];
    // In another order than that of the entities, which are in several tables.
    for at in [5, 1, 3, 2, 4] {
        world.entity_mut(all[at]).insert((MemberOf(captain), CrewOf(captain), CargoOf(captain)));
        if at % 2 == 0 {
            world.entity_mut(all[at]).insert(Name::new("of another table"));
        }
        world.entity_mut(all[at]).insert((FanOf(captain), GuestOf(captain)));
        world.entity_mut(all[at]).insert(ShipOf { admiral: captain, guns: at as u8 });
    }
    world.entity_mut(all[6]).insert(RiderOf(all[7]));
    if let Some(mut fleet) = world.get_mut::<Fleet>(captain) {
        fleet.port = 77;
    }
    for at in 1..=3 {
        let mut unit = world.entity_mut(all[at]);
        unit.insert(Unit(at as u8));
        if at > 1 {
            unit.remove::<(Alive, Fresh, Visibility)>();
        }
    }
    world.spawn((Number(100), Unit(4), Asleep));
    world.spawn((Number(101), bevy::ecs::entity_disabling::Disabled));
}

fn list<T: RelationshipTarget>(world: &mut World) -> Vec<u8> {
    let lists: Vec<Entity> = world.query::<&T>().iter(world).flat_map(|it| it.iter()).collect();
    let linked = lists.iter().filter(|it| world.get::<T::Relationship>(**it).is_some()).count();
    assert_eq!(linked, lists.len(), "a target lists entities that do not point to it");
    lists.iter().filter_map(|it| world.get::<Number>(*it)).map(|number| number.0).collect()
}

fn sorted(mut numbers: Vec<u8>) -> Vec<u8> {
    numbers.sort();
    numbers
}

fn lists(In(_): In<Vec<String>>, world: &mut World) -> String {
    let ports: Vec<u8> = world.query::<&Fleet>().iter(world).map(|fleet| fleet.port).collect();
    let mut guns: Vec<u8> = world.query::<&ShipOf>().iter(world).map(|ship| ship.guns).collect();
    guns.sort();
    let told = format!(
        "both {:?} source {:?} target {:?} one {:?} set {:?} with more {:?} guns {guns:?} ports {ports:?}",
        list::<Members>(world), list::<Crew>(world), list::<Cargo>(world), list::<Rider>(world),
        sorted(list::<Fans>(world)), list::<Fleet>(world),
    );
    told
}

fn units(In(_): In<Vec<String>>, world: &mut World) -> String {
    let mut units: Vec<_> = world
        .query::<(&Unit, Has<Alive>, Has<Fresh>, Has<Visibility>)>()
        .iter(world)
        .map(|(unit, alive, fresh, seen)| (unit.0, alive, fresh, seen))
        .collect();
    units.sort();
    let mut hidden = world.query_filtered::<&Number, (With<Asleep>, bevy::ecs::query::Allow<Asleep>)>();
    let hidden: Vec<u8> = hidden.iter(world).map(|it| it.0).collect();
    let mut off = world.query_filtered::<&Number, With<bevy::ecs::entity_disabling::Disabled>>();
    let off: Vec<u8> = off.iter(world).map(|it| it.0).collect();
    format!("{units:?} asleep {hidden:?} disabled {off:?}")
}

fn run("#;

const LISTS: &str = "both [5, 1, 3, 2, 4] source [5, 1, 3, 2, 4] target [5, 1, 3, 2, 4] one [6] \
                     set [1, 2, 3, 4, 5] with more [5, 1, 3, 2, 4] guns [1, 2, 3, 4, 5] ports [77]";

const UNITS: &str = "[(1, true, true, true), (2, false, false, false), (3, false, false, false)] \
                     asleep [100] disabled [101]";

fn scene() -> Scene {
    let mut scene = Scene::demo();
    let persisted = "persist: [Extra, MemberOf, Members, CrewOf, Cargo, Rider, RiderOf, FanOf, \
                     Fans, ShipOf, Fleet, Number, Unit, Alive, Asleep]";
    let adds = "    module\n        .add_systems(OnLoad, fill)\n\
                \x20       .add_console_command(\"lists\", \"all lists\", lists)\n\
                \x20       .add_console_command(\"units\", \"all units\", units)\n";
    scene.swap(
        EXTRA,
        &[
            ("persist: [Extra]", persisted),
            ("    module\n", adds),
            ("\nfn run(", TYPES),
            (
                "use playground_api::prelude::*;",
                "use bevy::prelude::*;\nuse playground_api::prelude::*;",
            ),
        ],
    );
    scene.frames(2);
    assert_eq!(scene.console("lists"), LISTS);
    assert_eq!(scene.console("units"), UNITS);
    scene
}

#[test]
fn what_bevy_keeps_in_step_is_as_before_a_swap_and_a_snapshot() {
    let mut scene = scene();
    // A field of another type, which gives all of the crate's types a new identity.
    let swapped = scene.swap(
        EXTRA,
        &[("    pub runs: u64,", "    pub runs: u64,\n    /// New.\n    pub more: u8,")],
    );
    scene.frames(2);
    assert_eq!(scene.console("lists"), LISTS, "{swapped}");
    assert_eq!(scene.console("units"), UNITS, "{swapped}");
    // Only what nothing persists went: no list that came back is among it.
    let reason = swapped["reason"].as_str().unwrap_or_default();
    for (name, is_lost) in [
        ("GuestOf", true),
        ("Guests", true),
        ("Fresh", true),
        ("Crew", false),
        ("CargoOf", false),
        ("Members", false),
    ] {
        let found = reason.contains(&format!("plugins_extra::{name}`"));
        assert_eq!(found, is_lost, "{name}: {reason}");
    }

    // Again with the types' own fields.
    scene.swap(
        EXTRA,
        &[
            ("    guns: u8,", "    guns: u8,\n    #[serde(default)]\n    sails: u8,"),
            ("guns: at as u8 }", "guns: at as u8, sails: 0 }"),
            ("    port: u8,", "    port: u8,\n    dock: u8,"),
            ("pub struct Unit(u8);", "pub struct Unit(u16);"),
            ("Unit(at as u8)", "Unit(at as u16)"),
        ],
    );
    scene.frames(2);
    assert_eq!(scene.console("lists"), LISTS);
    assert_eq!(scene.console("units"), UNITS);

    // The plan of a refused edit says what it would do beside converting values.
    let source = scene.read(EXTRA);
    scene.refusal(
        "refused",
        EXTRA,
        &[
            ("    port: u8,\n", ""),
            ("fleet.port = 77", "fleet.dock = 7"),
            ("|fleet| fleet.port", "|fleet| fleet.dock"),
        ],
    );
    scene.frames(2);
    let log = scene.log().join("\n");
    for told in [
        "the lists on their targets keep their order",
        "the listed entities keep pointing to it",
        "2 of its entities lack `plugins_extra::Alive`, which it requires, and stay without",
    ] {
        assert!(log.contains(told), "{told}\n{log}");
    }
    scene.write(EXTRA, &source);
    scene.wait_for("swapped", "plugins_extra");
    assert_eq!(scene.console("lists"), LISTS);

    let saved = scene.console("snapshot save lists");
    assert!(saved.contains("snapshot `lists`"), "{saved}");
    let loaded = scene.console("snapshot load lists");
    assert!(loaded.contains("entities are back"), "{loaded}");
    scene.frames(2);
    assert_eq!(scene.console("lists"), LISTS, "{loaded}");
    // Nothing says of what is not persisted which entities lacked it.
    let told = scene.console("units");
    let expected = UNITS.replace("(2, false, false, false)", "(2, false, true, true)");
    let expected = expected.replace("(3, false, false, false)", "(3, false, true, true)");
    assert_eq!(told, expected.replace("disabled [101]", "disabled []"), "{loaded}");
}
