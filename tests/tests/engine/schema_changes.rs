//! Changes of types, built and swapped for real: what becomes of the values that the world holds.
//!
//! Each row is a module of one generated plugin. Its first line says where the values are and what
//! changes, its second one the types of old and their values, its third one the types of now, and
//! either what the values are then (`==>`) or parts of the reason why they are not taken (`=/>`,
//! between bars). The first type of a row is the persisted one, `ROW` is the path of its module.

use bevy::prelude::{Entity, Name};
use playground_tests::Scene;

const ACCEPTED: &str = r#"
component: nothing changes, but for its neighbours
  struct T { a: f32, b: u32 } ==> T { a: 1.5, b: 7 }
  struct T { a: f32, b: u32 } ==> T { a: 1.5, b: 7 }
component: a field is new, and gets the default of its type
  struct T { a: f32 } ==> T { a: 1.5 }
  struct T { a: f32, b: Vec<String> } ==> T { a: 1.5, b: [] }
component: a field is new, and gets the default of the struct
  struct T { a: f32 } ==> T { a: 1.5 }, T { a: 2.5 }
  struct T { b: u32, a: f32 } impl Default for T { fn default() -> T { T { b: 300, a: 9.0 } } } ==> T { b: 300, a: 1.5 }, T { b: 300, a: 2.5 }
resource: a field is new, and gets the default of serde's function
  struct T { a: f32 } ==> T { a: 1.5 }
  struct T { a: f32, #[serde(default = "seven")] b: u32 } ==> T { a: 1.5, b: 7 }
component: a field is new in a variant
  enum T { A, B { x: f32 } } ==> T::A, T::B { x: 1.5 }
  enum T { A, B { x: f32, #[serde(default = "seven")] n: u32 } } ==> A, B { x: 1.5, n: 7 }
resource: a field is new in a struct in a list
  struct T { list: Vec<Part> } struct Part { x: f32 } ==> T { list: vec![Part { x: 1.0 }, Part { x: 2.0 }] }
  struct T { list: Vec<Part> } struct Part { x: f32, n: u8 } ==> T { list: [Part { x: 1.0, n: 0 }, Part { x: 2.0, n: 0 }] }
component: a field is given up
  struct T { a: f32, b: Vec<u8>, c: u8 } ==> T { a: 1.5, b: vec![1, 2], c: 3 }
  #[persist(dropped("b"))] struct T { a: f32, c: u8 } ==> T { a: 1.5, c: 3 }
component: a field of a variant is given up
  enum T { A, B { x: f32, y: f32 } } ==> T::B { x: 1.0, y: 2.0 }
  #[persist(dropped("B.x"))] enum T { A, B { y: f32 } } ==> B { y: 2.0 }
component: a field is renamed
  struct T { armour: f32, b: u32 } ==> T { armour: 1.5, b: 7 }
  struct T { #[persist(rename = "armour")] armor: f32, b: u32 } ==> T { armor: 1.5, b: 7 }
component: a field is renamed, and becomes wider
  struct T { a: u8, hp: u16 } ==> T { a: 1, hp: 900 }
  struct T { #[persist(rename = "hp")] health: f64, a: u8 } ==> T { health: 900.0, a: 1 }
component: fields in another order
  struct T { a: String, b: u32, c: Vec<u16> } ==> T { a: "x".to_owned(), b: 70_000, c: vec![1, 900] }
  struct T { c: Vec<u16>, a: String, b: u32 } ==> T { c: [1, 900], a: "x", b: 70000 }
component: fields of the same type in another order
  struct T { x: f32, y: f32 } ==> T { x: 1.0, y: 2.0 }
  struct T { y: f32, x: f32 } ==> T { y: 2.0, x: 1.0 }
component: u8 to u32
  struct T { n: u8 } ==> T { n: 255 }
  struct T { n: u32 } ==> T { n: 255 }
component: u32 to u8, small enough
  struct T { n: u32 } ==> T { n: 255 }, T { n: 0 }
  struct T { n: u8 } ==> T { n: 255 }, T { n: 0 }
component: i32 to i64
  struct T { n: i32 } ==> T { n: -70_000 }
  struct T { n: i64 } ==> T { n: -70000 }
resource: i64 to i32, small enough
  struct T { n: i64 } ==> T { n: -70_000 }
  struct T { n: i32 } ==> T { n: -70000 }
component: f32 to f64
  struct T { x: f32 } ==> T { x: 1.25 }
  struct T { x: f64 } ==> T { x: 1.25 }
component: f64 to f32, rounded
  struct T { x: f64 } ==> T { x: 0.1 }
  struct T { x: f32 } ==> T { x: 0.1 }
component: i32 to f32
  struct T { x: i32 } ==> T { x: -16_777_216 }
  struct T { x: f32 } ==> T { x: -16777216.0 }
component: f32 to i32, without a fraction
  struct T { x: f32 } ==> T { x: -3.0 }
  struct T { x: i32 } ==> T { x: -3 }
component: a value becomes an option
  struct T { a: f32 } ==> T { a: 1.5 }
  struct T { a: Option<f64> } ==> T { a: Some(1.5) }
component: an option that holds something becomes a value
  struct T { a: Option<f32> } ==> T { a: Some(1.5) }
  struct T { a: f32 } ==> T { a: 1.5 }
component: an option that holds nothing becomes the default
  struct T { a: Option<u32> } ==> T { a: None }, T { a: Some(1) }
  struct T { #[serde(default = "seven")] a: u32 } ==> T { a: 7 }, T { a: 1 }
component: a variant is new, before the others
  enum T { A, B(u16) } ==> T::A, T::B(300)
  enum T { N(String), A, B(u16) } ==> A, B(300)
component: variants in another order
  enum T { A, B(u16), C { x: f32 } } ==> T::A, T::B(300), T::C { x: 1.0 }
  enum T { C { x: f32 }, A, B(u16) } ==> A, B(300), C { x: 1.0 }
component: a variant is renamed
  enum T { A, Idle { since: u32 } } ==> T::Idle { since: 9 }
  enum T { #[persist(rename = "Idle")] Rest { since: u32 }, A } ==> Rest { since: 9 }
component: a variant is gone, with a fallback
  enum T { A { text: String }, B } ==> T::A { text: "x".to_owned() }, T::B
  #[persist(fallback = "N")] enum T { B, N { why: u16 } } ==> N { why: 0 }, B
component: a variant is gone that no value has
  enum T { A, B } ==> T::B
  enum T { B } ==> B
component: a variant gets fields
  enum T { A, B } ==> T::A, T::B
  enum T { A { n: u8 }, B } ==> A { n: 0 }, B
component: a struct becomes a tuple struct
  struct T { x: f32, y: u8 } ==> T { x: 1.0, y: 2 }
  struct T(f64, u8); ==> T(1.0, 2)
component: a tuple struct becomes a struct
  struct T(u8, String); ==> T(1, "a".to_owned())
  struct T { x: u16, y: String } ==> T { x: 1, y: "a" }
component: a tuple struct gets longer
  struct T(u8, u8); ==> T(1, 2)
  struct T(u8, u8, u16); ==> T(1, 2, 0)
component: a newtype is unwrapped
  struct T { speed: Speed } struct Speed(f32); ==> T { speed: Speed(1.5) }
  struct T { speed: f32 } ==> T { speed: 1.5 }
component: a value gets a newtype
  struct T { speed: f32 } ==> T { speed: 1.5 }
  struct T { speed: Speed } struct Speed(f64); ==> T { speed: Speed(1.5) }
component: a struct becomes a newtype of it
  struct T { at: At } struct At { x: u8, y: u8 } ==> T { at: At { x: 1, y: 2 } }
  struct T { at: Place } struct Place(At); struct At { y: u8, x: u8 } ==> T { at: Place(At { y: 2, x: 1 }) }
component: a struct within changes
  struct T { a: u8, part: Part, z: u8 } struct Part { x: f32, old: u8 } ==> T { a: 1, part: Part { x: 2.0, old: 5 }, z: 3 }
  #[persist(dropped("a"))] struct T { z: u8, part: Part } #[persist(dropped("old"))] struct Part { n: bool, x: f64 } ==> T { z: 3, part: Part { n: false, x: 2.0 } }
component: elements of a list change
  struct T { list: Vec<u8> } ==> T { list: vec![1, 255] }
  struct T { list: Vec<f32> } ==> T { list: [1.0, 255.0] }
component: a list becomes an array of its length
  struct T { list: Vec<u16> } ==> T { list: vec![1, 2, 300] }
  struct T { list: [u32; 3] } ==> T { list: [1, 2, 300] }
component: an array becomes a list
  struct T { list: [u8; 2] } ==> T { list: [1, 2] }
  struct T { list: Vec<u8> } ==> T { list: [1, 2] }
component: a list becomes a set
  struct T { list: Vec<u8> } ==> T { list: vec![3, 1, 3] }
  struct T { list: BTreeSet<u8> } ==> T { list: {1, 3} }
resource: values of a map change
  struct T { map: HashMap<String, u8> } ==> T { map: HashMap::from([("a".to_owned(), 1)]) }
  struct T { map: HashMap<String, Option<f32>> } ==> T { map: {"a": Some(1.0)} }
resource: keys of a map become wider
  struct T { map: BTreeMap<u8, bool> } ==> T { map: BTreeMap::from([(1, true), (200, false)]) }
  struct T { map: BTreeMap<u64, bool> } ==> T { map: {1: true, 200: false} }
component: an entity stays the same one
  struct T { to: Entity } ==> T { to: target(world) }
  struct T { n: u32, to: Entity } ==> T { n: 0, to: TARGET }
component: entities in a list
  struct T { to: Vec<Entity> } ==> T { to: vec![target(world)] }
  struct T { n: u32, to: Vec<Option<Entity>> } ==> T { n: 0, to: [Some(TARGET)] }
component: text moves
  struct T { name: String, title: String } ==> T { name: "Bär 🐻".to_owned(), title: "=\n".to_owned() }
  struct T { title: String, level: u8, name: String } ==> T { title: "=\n", level: 0, name: "Bär 🐻" }
component: a character becomes text
  struct T { key: char } ==> T { key: 'ä' }
  struct T { key: String } ==> T { key: "ä" }
component: a type is renamed
  struct Old { a: f32 } ==> Old { a: 1.5 }
  #[persist(was = "ROW::Old")] struct Hero { a: f32, b: u8 } ==> Hero { a: 1.5, b: 0 }
resource: a resource is renamed twice
  #[persist(was = "ROW::Oldest")] struct Old { a: u8 } ==> Old { a: 1 }
  #[persist(was = "ROW::Oldest", was = "ROW::Old")] struct Newest { a: u8 } ==> Newest { a: 1 }
component to resource: a component becomes a resource
  struct T { a: f32 } ==> T { a: 1.5 }
  struct T { a: f64, b: u8 } ==> T { a: 1.5, b: 0 }
component: version 1 becomes version 2
  #[persist(version = 1, migrate = step)] struct T { turns: f64 } ==> T { turns: 0.5 }
  #[persist(version = 2, migrate = step)] struct T { rounds: f64 } ==> T { rounds: 0.5 }
component: version 0 becomes version 3
  struct T { degrees: f32 } ==> T { degrees: 180.0 }, T { degrees: -90.0 }
  #[persist(version = 3, migrate = step)] struct T { n: u8, thousandths: i32 } ==> T { n: 0, thousandths: 500 }, T { n: 0, thousandths: -250 }
resource: a version within a list
  struct T { list: Vec<Angle> } struct Angle { degrees: f32 } ==> T { list: vec![Angle { degrees: 180.0 }] }
  struct T { list: Vec<Angle> } #[persist(version = 1, migrate = step)] struct Angle { turns: f64 } ==> T { list: [Angle { turns: 0.5 }] }
state: a variant is renamed
  enum T { #[default] A, Idle } ==> T::Idle
  enum T { #[default] A, N, #[persist(rename = "Idle")] Rest } ==> Rest
state: a variant is gone, with a fallback
  enum T { #[default] A, B, Gone } ==> T::Gone
  #[persist(fallback = "B")] enum T { #[default] A, B } ==> B
message: a message waits
  struct T { n: u8 } ==> T { n: 7 }
  struct T { more: bool, n: u32 } ==> T { more: false, n: 7 }
component: a generic newtype
  struct T(Pack<u16>); struct Pack<V>(V); ==> T(Pack(300))
  struct T(Pack<u64>); struct Pack<V>(V); ==> T(Pack(300))
component: a constant parameter
  struct T { line: Line<2> } struct Line<const N: usize> { a: u8 } ==> T { line: Line { a: 1 } }
  struct T { line: Line<3> } struct Line<const N: usize> { a: u16 } ==> T { line: Line { a: 1 } }
component: a type within itself
  struct T { x: u8, #[persist(recursive)] inner: Vec<T> } ==> T { x: 1, inner: vec![T { x: 2, inner: vec![] }] }
  struct T { #[persist(recursive)] inner: Vec<T>, x: u32 } ==> T { inner: [T { inner: [], x: 2 }], x: 1 }
component: data of a type that has no schema
  struct T { a: u8, #[serde(with = "playground_api::schema::opaque")] span: std::ops::Range<u8> } ==> T { a: 1, span: 2..5 }
  struct T { #[serde(with = "playground_api::schema::opaque")] span: std::ops::Range<u8>, a: u32 } ==> T { span: 2..5, a: 1 }
resource: a field that is not written
  struct T { a: f32, #[serde(skip)] cache: u64 } ==> T { a: 1.5, cache: 9 }
  struct T { #[serde(skip)] cache: u64, b: u8, a: f32 } ==> T { cache: 0, b: 0, a: 1.5 }
"#;

/// These change together with what is refused, and stay as they were.
const FOUR: &str = r#"
component: a field is new
  struct T { a: f32 } ==> T { a: 1.5 }
  struct T { a: f32, b: u32 } ==> T { a: 1.5, b: 0 }
resource: a number becomes wider
  struct T { n: u8 } ==> T { n: 200 }
  struct T { n: f64 } ==> T { n: 200.0 }
state: a variant is renamed
  enum T { #[default] A, Idle } ==> T::Idle
  enum T { #[default] A, #[persist(rename = "Idle")] Rest } ==> Rest
component to resource: a component becomes a resource
  struct T { a: f32 } ==> T { a: 1.5 }
  struct T { a: f32, b: u32 } ==> T { a: 1.5, b: 0 }
"#;

const REFUSED: &str = r#"
component: u32 to u8, too large
  struct T { n: u32 } ==> T { n: 1 }, T { n: 300 }
  struct T { n: u8 } =/> H0603 | module `plugins_table` | entity | n: 300 of type `u32` does not fit into `u8` | choose a type that can hold it
resource: f32 to i32, with a fraction
  struct T { x: f32 } ==> T { x: 3.5 }
  struct T { x: i32 } =/> H0603 | x: 3.5 of type `f32` does not fit into `i32` | `migrate`
component: a type is gone
  struct T { a: f32 } ==> T { a: 1.5 }, T { a: 2.5 }
  =/> H0602 | no longer persists `ROW::T` | holds 2 | dropped: ["ROW::T"] | reload plugins_table --force
component: a variant is gone
  enum T { A, B } ==> T::B, T::A
  enum T { B } =/> H0603 | entity | the variant `ROW::T::A` is no longer in `ROW::T` | #[persist(fallback)]
component: an option that holds nothing becomes a value without a default
  struct T { a: Option<U> } struct U(f32); ==> T { a: Some(U(1.0)) }, T { a: None }
  struct T { a: U } struct U(f32); =/> H0603 | entity | a: `None` of type `Option<ROW::U>` cannot become `ROW::U` | give the field a default
resource: a field is new and has no default
  struct T { a: f32 } ==> T { a: 1.5 }
  struct T { a: f32, b: U } struct U(f32); =/> H0606 | ROW::T | b: new, without a default | #[serde(default)]
component: a list becomes an array of another length
  struct T { list: Vec<u16> } ==> T { list: vec![1, 2] }
  struct T { list: [u16; 3] } =/> H0603 | list: 2 items of `Vec<u16>`, but `[u16; 3]` has 3 | use a `Vec`
resource: an array gets longer
  struct T { list: [u8; 2] } ==> T { list: [1, 2] }
  struct T { list: [u8; 3] } =/> H0606 | list: [u8; 2] -> [u8; 3]: the lengths differ
component to resource: two components become a resource
  struct T { a: f32 } ==> T { a: 1.5 }, T { a: 2.5 }
  struct T { a: f32 } =/> H0607 | `ROW::T` | holds 2 | Remove the others first
component: text becomes a number
  struct T { n: String } ==> T { n: "1".to_owned() }
  struct T { n: u8 } =/> H0606 | ROW::T | n: String -> u8: there is no conversion | `migrate`
component: the values are newer than the code
  #[persist(version = 3, migrate = step)] struct T { thousandths: i32 } ==> T { thousandths: 5 }
  #[persist(version = 2, migrate = step)] struct T { thousandths: i32 } =/> H0606 | ROW::T | written as version 3, but the module knows 2
component: the author's function refuses
  struct T { speed: f32 } ==> T { speed: 1.5 }
  #[persist(version = 1, migrate = step)] struct T { turns: f64 } =/> H0603 | migration to version 1 of `ROW::T` | no field `degrees`; there are: speed
component: a field is gone
  struct T { a: f32, b: u32 } ==> T { a: 1.5, b: 1 }, T { a: 2.5, b: 2 }
  struct T { a: f32 } =/> H0605 | would drop `b` of 2 values of `ROW::T` | dropped("…") | reload plugins_table --force
"#;

/// The module without its rows.
const MODULE: &str = r#"//! Types that change.
#![forbid(unsafe_code)]
#![allow(unused, private_interfaces, reason = "not every row uses everything")]

use std::collections::{BTreeMap, BTreeSet, HashMap};

use playground_api::prelude::*;
use playground_api::schema::Value;

export_module! {
    kind: Plugins,
    requires: { core_scene: "^0.1" },
    persist: [PERSISTED],
    build: build,
}

fn build(module: &mut ModuleApp) {
    BUILDS
    module.add_systems(Startup, start).add_console_command("values", "of all rows", values);
}

fn start(world: &mut World) {
    STARTS
}

fn values(In(_): In<Vec<String>>, world: &mut World) -> String {
    let mut lines: Vec<String> = Vec::new();
    TEXTS
    lines.join("\n")
}

fn seven() -> u32 {
    7
}

fn target(world: &mut World) -> Entity {
    let mut named = world.query::<(Entity, &Name)>();
    let found = named.iter(world).find(|(_, name)| name.as_str() == "target").map(|(it, _)| it);
    found.unwrap_or_else(|| world.spawn(Name::new("target")).id())
}

fn step(from: u32, mut value: Value) -> Result<Value, String> {
    let number = |value: Value| value.as_f64().ok_or_else(|| "no number".to_owned());
    match from {
        0 => {
            let degrees = number(value.require("degrees")?)?;
            value.set("turns", degrees / 360.0);
        }
        1 => {
            value.rename("turns", "rounds");
        }
        _ => {
            let rounds = number(value.require("rounds")?)?;
            value.set("thousandths", rounds * 1000.0);
        }
    }
    Ok(value)
}
"#;

struct Row {
    what: String,
    /// What the persisted type is, of old and now.
    stores: [&'static str; 2],
    /// The types, of old and of now.
    types: [String; 2],
    values: String,
    /// What the values become, or parts of the reason why they do not.
    outcome: Result<String, Vec<String>>,
}

impl Row {
    /// The rows of `tables`, whose places say what they are called.
    fn all(tables: &[&str]) -> Vec<Self> {
        let lines: Vec<&str> = tables.iter().flat_map(|table| table.trim().lines()).collect();
        lines.chunks(3).enumerate().map(|(index, lines)| Self::parse(index, lines)).collect()
    }

    fn parse(index: usize, lines: &[&str]) -> Self {
        let module = format!("plugins_table::row_{index:02}");
        let lines: Vec<String> = lines.iter().map(|line| line.replace("ROW", &module)).collect();
        let [what, old, new] = lines.as_slice() else { panic!("not three lines: {lines:?}") };
        let (store, _) = what.split_once(": ").expect("where the values are");
        let stores = match store {
            "component" => ["Component"; 2],
            "resource" => ["Resource"; 2],
            "state" => ["States, Default, Eq, Hash"; 2],
            "message" => ["Message"; 2],
            "component to resource" => ["Component", "Resource"],
            other => panic!("no store: {other}"),
        };
        let (old, values) = old.split_once(" ==> ").expect("values");
        let (new, outcome) = match new.split_once(" =/> ") {
            Some((new, parts)) => (new, Err(parts.split(" | ").map(str::to_owned).collect())),
            None => {
                let (new, text) = new.split_once(" ==> ").expect("an outcome");
                (new, Ok(text.to_owned()))
            }
        };
        let types = [old, new].map(|types| types.trim().to_owned());
        Self { what: what.clone(), stores, types, values: values.to_owned(), outcome }
    }

    /// Its module, and the name of the persisted type, if there is one.
    fn code(&self, index: usize, new: bool) -> (String, Option<String>) {
        let (types, store) = (&self.types[usize::from(new)], self.stores[usize::from(new)]);
        let (mut name, mut code) = (None, String::new());
        for item in items(types) {
            let word = ["struct ", "enum "].into_iter().find(|word| item.contains(word));
            let Some(word) = word.filter(|_| !item.starts_with("impl")) else {
                code += item;
                continue;
            };
            let (attributes, rest) = item.split_once(word).expect("it was found");
            let own = if name.is_none() { store } else { "" };
            code += &format!(
                "#[derive(Persist, Serialize, Deserialize, Clone, Debug, PartialEq, {own})]\n\
                 {attributes}pub {word}{rest}\n"
            );
            let called = rest.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
            name.get_or_insert(called.to_owned());
        }
        let (start, text, build) = match (store, &name) {
            (_, None) => ("", "String::new()", ""),
            ("Component", _) => (
                "for (place, value) in values.into_iter().enumerate() {\n\
                 world.spawn((value, Name::new(place.to_string())));\n}",
                "let mut all: Vec<_> = world.query::<(&Name, &TYPE)>().iter(world)\
                 .map(|(place, value)| (place.to_string(), format!(\"{value:?}\"))).collect();\n\
                 all.sort();\n\
                 all.into_iter().map(|(_, text)| text).collect::<Vec<_>>().join(\", \")",
                "",
            ),
            ("Resource", _) => (
                "world.insert_resource(values.into_iter().next().unwrap());",
                "let value = world.get_resource::<TYPE>();\n\
                 value.map_or(\"nothing\".to_owned(), |value| format!(\"{value:?}\"))",
                "",
            ),
            // What is said after the last one listened is heard by the new code alone.
            ("Message", _) => {
                code += "#[derive(Resource, Default)] pub struct Heard(String);\n\
                     fn say(mut out: MessageWriter<TYPE>) { out.write(VALUES); }\n\
                     fn hear(mut news: MessageReader<TYPE>, mut heard: ResMut<Heard>) {\n\
                     if let Some(last) = news.read().last() { heard.0 = format!(\"{last:?}\"); } }\n";
                let init = "module.add_message::<TYPE>().init_resource::<Heard>()\
                     .add_systems(Update, SYSTEMS);";
                ("", "world.resource::<Heard>().0.clone()", init)
            }
            _ => (
                "world.resource_mut::<NextState<TYPE>>().set(values.into_iter().next().unwrap());",
                "format!(\"{:?}\", world.resource::<State<TYPE>>().get())",
                "module.init_state::<TYPE>();",
            ),
        };
        let start = if new { String::new() } else { format!("let values = [VALUES];\n{start}") };
        let code = format!(
            "\nmod row_{index:02} {{\nuse super::*;\n{code}\
             pub fn build(module: &mut ModuleApp) {{\n{build}\n}}\n\
             pub fn start(world: &mut World) {{\n{start}\n}}\n\
             pub fn text(world: &mut World) -> String {{\n{text}\n}}\n}}\n"
        )
        .replace("TYPE", name.as_deref().unwrap_or_default())
        .replace("SYSTEMS", if new { "hear" } else { "(hear, say).chain()" })
        .replace("VALUES", if new { "todo!()" } else { &self.values });
        (code, name)
    }
}

/// Items one by one.
fn items(types: &str) -> Vec<&str> {
    let (mut items, mut depth, mut start) = (Vec::new(), 0, 0);
    for (at, c) in types.char_indices() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 && matches!(c, '}' | ';') {
            items.push(types[start..=at].trim());
            start = at + 1;
        }
    }
    items
}

/// The running module of some rows.
struct Table {
    scene: Scene,
    rows: Vec<Row>,
    /// The generation that ran after the last swap.
    generation: u32,
}

impl Table {
    /// Runs the rows' old types.
    fn of(tables: &[&str]) -> Self {
        let rows = Row::all(tables);
        let mut table = Self { scene: Scene::demo(), rows, generation: 1 };
        let manifest = table.scene.read("plugins/extra/Cargo.toml");
        let manifest = manifest.replace("plugins_extra", "plugins_table");
        // It has hundreds of types, which are compiled over and over.
        let unoptimized = "plugins_extra.opt-level = 0\nplugins_table.opt-level = 0";
        table.scene.copy().edit("../Cargo.toml", &[("plugins_extra.opt-level = 0", unoptimized)]);
        table.scene.write("plugins/table/Cargo.toml", &manifest);
        table.write(|_| false);
        table.scene.until("the table runs", |scene| {
            let is = |kind| scene.event(kind, Some("plugins_table")).is_some();
            assert!(!is("build_failed") && !is("refused"), "{}", scene.story());
            is("swapped") || is("enabled")
        });
        table.scene.frames(5);
        table
    }

    /// Writes the module, with the new types of some rows.
    fn write(&mut self, new: impl Fn(usize) -> bool) {
        let (mut persisted, mut rows) = (Vec::new(), String::new());
        for (index, row) in self.rows.iter().enumerate() {
            let (code, name) = row.code(index, new(index));
            rows += &code;
            persisted.extend(name.map(|name| format!("row_{index:02}::{name}")));
        }
        let each = |line: &dyn Fn(String) -> String| -> String {
            (0..self.rows.len()).map(|index| line(format!("row_{index:02}"))).collect()
        };
        let text = MODULE
            .replace("PERSISTED", &persisted.join(", "))
            .replace("BUILDS", &each(&|row| format!("{row}::build(module);\n")))
            .replace("STARTS", &each(&|row| format!("{row}::start(world);\n")))
            .replace(
                "TEXTS",
                &each(&|row| format!("lines.push(\"{row}=\".to_owned() + &{row}::text(world));\n")),
            );
        self.scene.write("plugins/table/src/lib.rs", &(text + &rows));
    }

    /// Why the new types of some rows are refused.
    fn refusal(&mut self, new: impl Fn(usize) -> bool) -> String {
        self.write(new);
        let refused = self.scene.wait_for("refused", "plugins_table");
        refused["reason"].as_str().unwrap_or_default().to_owned()
    }

    /// A swap to the new types of some rows.
    fn swap(&mut self, new: impl Fn(usize) -> bool) {
        self.write(new);
        self.swapped();
    }

    /// A swap that was asked for.
    fn swapped(&mut self) {
        let swapped = self.scene.wait_for("swapped", "plugins_table");
        let reason = swapped["reason"].as_str().unwrap_or_default();
        assert!(reason.contains("carried over"), "{swapped}");
        let generation = self.scene.generation("plugins_table");
        assert!(generation > self.generation, "{generation}");
        self.generation = generation;
        self.scene.frames(5);
    }

    /// After a refusal everything is as it was.
    fn nothing_changed(&mut self, before: &[String], row: &str) {
        assert_eq!(self.values(), before, "{row}");
        assert_eq!(self.scene.generation("plugins_table"), self.generation, "{row}");
        assert_eq!(self.scene.count("swapped"), 0, "{row}");
    }

    /// What the rows' values are, in the rows' order.
    fn values(&mut self) -> Vec<String> {
        let text = self.scene.console("values");
        let lines = text.lines().filter_map(|line| line.strip_prefix("row_")?.split_once('='));
        let values: Vec<String> = lines.map(|(_, value)| value.to_owned()).collect();
        assert_eq!(values.len(), self.rows.len(), "{text}");
        values
    }

    /// What else than expected the values of some rows are.
    fn wrong(&mut self, rows: std::ops::Range<usize>) -> Vec<String> {
        let world = self.scene.app.world_mut();
        let mut named = world.query::<(Entity, &Name)>();
        let target = named.iter(world).find(|(_, name)| name.as_str() == "target");
        let target = target.map_or_else(String::new, |(entity, _)| format!("{entity:?}"));
        let values = self.values();
        let mut wrong = Vec::new();
        for (row, found) in self.rows[rows.clone()].iter().zip(&values[rows]) {
            let Ok(expected) = &row.outcome else { continue };
            let expected = expected.replace("TARGET", &target);
            if *found != expected {
                wrong.push(format!("{}:\n  expected {expected}\n  found    {found}", row.what));
            }
        }
        wrong
    }
}

#[test]
fn every_value_becomes_what_its_row_says() {
    let mut table = Table::of(&[ACCEPTED]);
    let count = table.rows.len();
    assert!(count >= 45, "{count}");
    let before = table.values();
    table.swap(|_| true);
    let wrong = table.wrong(0..count);
    assert!(wrong.is_empty(), "{}\nbefore:\n{}", wrong.join("\n"), before.join("\n"));
    table.scene.exact_tally();
}

#[test]
fn what_is_refused_changes_nothing() {
    let mut table = Table::of(&[FOUR, REFUSED]);
    let good = Row::all(&[FOUR]).len();
    let last = table.rows.len() - 1;
    let before = table.values();
    // All that is wrong is told at once.
    let reason = table.refusal(|row| row >= good);
    let mut wrong = Vec::new();
    for row in &table.rows[good..] {
        let parts = row.outcome.as_ref().expect_err("it is to be refused");
        let found = reason.lines().any(|line| parts.iter().all(|part| line.contains(part)));
        wrong.extend((!found).then(|| format!("{}: no line with {parts:?}", row.what)));
    }
    assert!(wrong.is_empty(), "{}\n{reason}", wrong.join("\n"));
    table.nothing_changed(&before, "what cannot change");

    // Five types change, and the last of them cannot: none does.
    let four_and_last = |row: usize| row < good || row == last;
    let reason = table.refusal(four_and_last);
    assert!(reason.contains("H0605"), "{reason}");
    table.nothing_changed(&before, "four that could change");

    // It was that one alone.
    table.swap(|row| row < good);
    assert_eq!(table.wrong(0..good), Vec::<String>::new());
    assert_eq!(table.values()[good..], before[good..]);

    // What would be lost goes where it is asked for.
    let after = table.values();
    let reason = table.refusal(four_and_last);
    assert!(reason.contains("H0605") && reason.contains("--force"), "{reason}");
    table.nothing_changed(&after, "a field is gone");
    table.scene.mark();
    table.scene.console("reload plugins_table --force");
    table.swapped();
    let values = table.values();
    assert_eq!(values[..last], after[..last]);
    assert_eq!(values[last], "T { a: 1.5 }, T { a: 2.5 }");
    table.scene.exact_tally();
}
