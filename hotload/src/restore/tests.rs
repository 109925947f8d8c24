//! How persisted values are handled when their module gets new types.

use playground_api::persist::{Persisted, ViaComponent, ViaResource};
use playground_api::prelude::Persist;
use playground_api::schema::Schema;
use serde::{Deserialize, Serialize};

use super::*;

#[derive(Component, Persist, Serialize, Deserialize, Debug, PartialEq)]
struct Body {
    speed: u32,
    mass: u32,
}

#[derive(Component, Persist, Serialize, Deserialize, Debug, PartialEq)]
struct Light {
    speed: u64,
}

#[derive(Component, Persist, Serialize, Deserialize, Debug, PartialEq)]
struct Wide {
    speed: u64,
    mass: u32,
    #[serde(default)]
    spin: u8,
}

#[derive(Resource, Persist, Serialize, Deserialize, Debug, PartialEq)]
struct Single {
    speed: u32,
    mass: u32,
}

#[derive(Component, Persist, Debug, PartialEq)]
struct Fragile {
    speed: u32,
    mass: u32,
}

impl Serialize for Fragile {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        panic!("no way out")
    }
}

impl<'de> Deserialize<'de> for Fragile {
    fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        panic!("no way in")
    }
}

#[derive(Component, Persist, Serialize, Deserialize)]
struct Heavier {
    speed: u32,
    mass: u32,
    more: More,
}

#[derive(Persist, Serialize, Deserialize)]
struct More(u32);

impl Default for More {
    fn default() -> Self {
        panic!("nothing to begin with")
    }
}

/// The record under the name that all forms of the type share.
fn form(mut record: PersistRecord) -> PersistRecord {
    let schema = Schema { name: "core_body::Body", ..*record.schema };
    record.schema = Box::leak(Box::new(schema));
    record
}

macro_rules! component {
    ($type:ty) => {
        form((&&&Persisted::<$type>::NEW).records()[0])
    };
}

fn world(speeds: &[u32]) -> World {
    let mut world = World::new();
    for speed in speeds {
        world.spawn(Body { speed: *speed, mass: speed * 10 });
    }
    world
}

/// Prepares the change from `Body` of module `old` to `new`, which may be of another module.
fn change(
    world: &mut World,
    new: Option<(&str, PersistRecord)>,
    types: &[&str],
    may_drop: &[&str],
) -> Result<Vec<Restore>, RestoreErrors> {
    let before = component!(Body);
    let old = [Owned { module: &"old".into(), record: &before }];
    let new = new.map(|(module, record)| (ModuleId::from(module), record));
    let new = new.as_ref().map(|(module, record)| Owned { module, record });
    let types: Vec<String> = types.iter().map(|name| (*name).to_owned()).collect();
    let modules = may_drop.iter().map(|name| ModuleId::from(*name)).collect();
    let given_up = GivenUp { types: &types, modules: &modules };
    prepare(world, &old, new.as_slice(), &given_up, &mut RestoreTimes::default())
}

fn refusal(result: Result<Vec<Restore>, RestoreErrors>) -> (String, bool) {
    let errors = result.err().expect("it is refused");
    (errors.to_string(), errors.asks())
}

fn values<T: Component, V: Ord>(world: &mut World, value: fn(&T) -> V) -> Vec<V> {
    let mut values: Vec<V> = world.query::<&T>().iter(world).map(value).collect();
    values.sort();
    values
}

#[test]
fn values_of_a_type_that_stays_are_left_alone() {
    let mut world = world(&[1, 2]);
    let restores = change(&mut world, Some(("old", component!(Body))), &[], &[]).unwrap();
    assert!(restores.is_empty());
    assert_eq!(values(&mut world, |body: &Body| body.mass), [10, 20]);
}

#[test]
fn values_of_a_changed_type_are_converted_without_touching_the_world() {
    let mut world = world(&[1, 2]);
    let mut restores = change(&mut world, Some(("old", component!(Wide))), &[], &[]).unwrap();
    assert_eq!(restores.iter().map(|restore| restore.count).sum::<usize>(), 2);
    assert_eq!(values(&mut world, |body: &Body| body.speed), [1, 2]);
    assert!(values(&mut world, |wide: &Wide| wide.spin).is_empty());

    restore(&mut world, &mut restores, &mut RestoreTimes::default());
    assert!(values(&mut world, |body: &Body| body.speed).is_empty());
    let wide = values(&mut world, |wide: &Wide| (wide.speed, wide.mass, wide.spin));
    assert_eq!(wide, [(1, 10, 0), (2, 20, 0)]);
}

#[test]
fn a_field_is_dropped_with_permission_of_either_module() {
    let light = || Some(("new", component!(Light)));
    for may_drop in [&[] as &[&str], &["other"]] {
        let (reason, asks) = refusal(change(&mut world(&[1, 2]), light(), &[], may_drop));
        assert!(asks && reason.contains("H0605") && reason.contains("mass"), "{reason}");
        let expected = "H0605: module `new` would drop `mass` of 2 values of `core_body::Body`. ";
        assert!(reason.starts_with(expected), "{reason}");
        assert_eq!(reason.matches("persist(dropped").count(), 1, "{reason}");
    }
    for may_drop in ["old", "new"] {
        let mut world = world(&[1, 2]);
        let mut restores = change(&mut world, light(), &[], &[may_drop]).unwrap();
        let dropped = restores[0].dropped.as_ref().map(ToString::to_string);
        assert_eq!(dropped.as_deref(), Some("`mass` of 2 values of `core_body::Body`"));
        restore(&mut world, &mut restores, &mut RestoreTimes::default());
        assert_eq!(values(&mut world, |light: &Light| light.speed), [1, 2]);
    }
    // Without values, nothing is lost.
    assert!(change(&mut world(&[]), light(), &[], &[]).is_ok());
}

#[test]
fn a_type_that_is_gone_is_dropped_with_its_modules_permission() {
    for may_drop in [&[] as &[&str], &["other"]] {
        let (reason, asks) = refusal(change(&mut world(&[1, 2]), None, &[], may_drop));
        assert!(asks && reason.contains("H0602") && reason.contains("holds 2"), "{reason}");
        assert!(reason.contains("module `old`") && reason.contains("core_body::Body"), "{reason}");
    }
    // Permission for the module, or the module's own declaration.
    let allowed: [(&[&str], &[&str]); 2] = [(&[], &["old"]), (&["core_body::Body"], &[])];
    for (types, may_drop) in allowed {
        let mut world = world(&[1, 2]);
        let mut restores = change(&mut world, None, types, may_drop).unwrap();
        assert_eq!(values(&mut world, |body: &Body| body.speed), [1, 2]);
        restore(&mut world, &mut restores, &mut RestoreTimes::default());
        assert!(values(&mut world, |body: &Body| body.speed).is_empty());
    }
    assert!(change(&mut world(&[]), None, &[], &[]).is_ok());
}

#[test]
fn several_values_do_not_become_one_resource_with_any_permission() {
    let single = || Some(("old", form((&&&&&&Persisted::<Single>::NEW).records()[0])));
    let (reason, asks) = refusal(change(&mut world(&[1, 2]), single(), &[], &["old"]));
    assert!(!asks && reason.contains("H0607") && reason.contains("holds 2"), "{reason}");

    let mut world = world(&[3]);
    let mut restores = change(&mut world, single(), &[], &[]).unwrap();
    restore(&mut world, &mut restores, &mut RestoreTimes::default());
    assert_eq!(world.get_resource::<Single>(), Some(&Single { speed: 3, mass: 30 }));
}

#[test]
fn a_panic_while_values_are_converted_is_a_refusal() {
    let mut world = world(&[1]);
    let fragile = component!(Fragile);
    let (reason, asks) = refusal(change(&mut world, Some(("new", fragile)), &[], &["new"]));
    assert!(!asks && reason.contains("H0609") && reason.contains("no way in"), "{reason}");
    assert!(reason.contains("module `new`") && reason.contains("core_body::Body"), "{reason}");
    assert_eq!(values(&mut world, |body: &Body| body.speed), [1]);

    // Also before the first value is looked at.
    let heavier = component!(Heavier);
    let (reason, _) = refusal(change(&mut world, Some(("new", heavier)), &[], &["new"]));
    assert!(reason.contains("H0609") && reason.contains("nothing to begin with"), "{reason}");
    assert_eq!(values(&mut world, |body: &Body| body.speed), [1]);

    world.spawn(Fragile { speed: 1, mass: 1 });
    let (before, after) = (fragile, component!(Body));
    let old = [Owned { module: &"old".into(), record: &before }];
    let new = [Owned { module: &"new".into(), record: &after }];
    let given_up = GivenUp { types: &[], modules: &BTreeSet::new() };
    let prepared = prepare(&mut world, &old, &new, &given_up, &mut RestoreTimes::default());
    let (reason, _) = refusal(prepared);
    assert!(reason.contains("module `old`") && reason.contains("no way out"), "{reason}");
}
