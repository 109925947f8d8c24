//! A table of type changes: per row, the converted value or the error.

mod support;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use playground_derive::Persist;
use playground_schema::{Definition, Options, Resolution, TypeChange, Value};
use serde::{Deserialize, Serialize};
use support::{Handle, New, Old, entities, new, old, refused};

/// Defines items in their own scope, and an old value.
macro_rules! old {
    ({ $($item:item)* } => $value:expr) => {{
        $(
            #[derive(Serialize, Deserialize, Persist, Debug, PartialEq, Clone)]
            #[persist(crate = playground_schema)]
            $item
        )*
        old($value)
    }};
}

/// Defines items in their own scope, and the expected new value.
macro_rules! new {
    ({ $($item:item)* } => $value:expr) => {{
        $(
            #[derive(Serialize, Deserialize, Persist, Debug, PartialEq, Clone)]
            #[persist(crate = playground_schema)]
            $item
        )*
        new($value)
    }};
}

/// Defines items in their own scope, a new type, and a part of the expected error.
macro_rules! refused {
    ({ $($item:item)* } => $type:ty, $error:expr) => {{
        $(
            #[derive(Serialize, Deserialize, Persist, Debug, PartialEq, Clone)]
            #[persist(crate = playground_schema)]
            $item
        )*
        refused::<$type>($error)
    }};
}

/// All types are called `T`, unless a row is about names.
#[allow(dead_code)]
fn fields() -> Vec<(&'static str, Old, New)> {
    vec![
        (
            "the same",
            old!({ struct T { a: f32, b: u32 } } => T { a: 1.5, b: 7 }),
            new!({ struct T { a: f32, b: u32 } } => T { a: 1.5, b: 7 }),
        ),
        (
            "a field added, default of its type",
            old!({ struct T { a: f32 } } => T { a: 1.5 }),
            new!({ struct T { a: f32, b: u32 } } => T { a: 1.5, b: 0 }),
        ),
        (
            "a field added in front",
            old!({ struct T { a: f32 } } => T { a: 1.5 }),
            new!({ struct T { b: String, a: f32 } } => T { b: String::new(), a: 1.5 }),
        ),
        (
            "a field added, default of serde's function",
            old!({ struct T { a: f32 } } => T { a: 1.5 }),
            new!({ struct T { a: f32, #[serde(default = "seven")] b: u32 } } => T { a: 1.5, b: 7 }),
        ),
        ("a field added, default of the struct", old!({ struct T { a: f32 } } => T { a: 1.5 }), {
            #[derive(Serialize, Deserialize, Persist, Debug, PartialEq, Clone)]
            #[persist(crate = playground_schema)]
            struct T {
                a: f32,
                b: u32,
            }
            impl Default for T {
                fn default() -> Self {
                    Self { a: 9.0, b: 300 }
                }
            }
            new(T { a: 1.5, b: 300 })
        }),
        (
            "a field added that has no default",
            old!({ struct T { a: f32 } } => T { a: 1.5 }),
            refused!({ struct U(f32); struct T { a: f32, b: U } } => T, "b: new, without a default: add `#[serde(default)]`"),
        ),
        (
            "a field removed",
            old!({ struct T { a: f32, b: u32 } } => T { a: 1.5, b: 7 }),
            refused!({ struct T { a: f32 } } => T, "b: would be dropped; keep it, name its successor with `#[persist(rename = \"b\")]`, or list it"),
        ),
        (
            "a field removed that was given up",
            old!({ struct T { a: f32, b: Vec<String>, c: u8 } } => T { a: 1.5, b: vec!["x".into()], c: 3 }),
            new!({ #[persist(dropped("b"))] struct T { a: f32, c: u8 } } => T { a: 1.5, c: 3 }),
        ),
        (
            "the first field removed",
            old!({ struct T { a: f32, b: Option<u64>, c: u8 } } => T { a: 1.5, b: Some(1 << 40), c: 3 }),
            new!({ #[persist(dropped("a", "b"))] struct T { c: u8 } } => T { c: 3 }),
        ),
        (
            "a field renamed",
            old!({ struct T { armour: f32, b: u32 } } => T { armour: 1.5, b: 7 }),
            new!({ struct T { #[persist(rename = "armour")] armor: f32, b: u32 } } => T { armor: 1.5, b: 7 }),
        ),
        (
            "a field renamed by serde's alias",
            old!({ struct T { armour: f32 } } => T { armour: 1.5 }),
            new!({ struct T { #[serde(alias = "armour")] armor: f32 } } => T { armor: 1.5 }),
        ),
        (
            "names exchanged",
            old!({ struct T { a: f32, b: f32 } } => T { a: 1.0, b: 2.0 }),
            new!({ struct T { #[persist(rename = "b")] c: f32, a: f32 } } => T { c: 2.0, a: 1.0 }),
        ),
        (
            "fields in another order",
            old!({ struct T { a: String, b: u32, c: Vec<u16>, d: f32 } } => T { a: "x".into(), b: 70_000, c: vec![1, 900], d: 0.5 }),
            new!({ struct T { c: Vec<u16>, d: f32, a: String, b: u32 } } => T { c: vec![1, 900], d: 0.5, a: "x".into(), b: 70_000 }),
        ),
        (
            "another order, one new, one widened, one given up",
            old!({ struct T { a: u16, b: String, c: f32 } } => T { a: 1000, b: "x".into(), c: 0.5 }),
            new!({ #[persist(dropped("b"))] struct T { c: f64, n: bool, a: u64 } } => T { c: 0.5, n: false, a: 1000 }),
        ),
        (
            "another order within another order",
            old!({ struct I { x: u16, y: u8 } struct T { a: I, b: Vec<I> } } => T { a: I { x: 300, y: 1 }, b: vec![I { x: 2, y: 3 }, I { x: 4, y: 5 }] }),
            new!({ struct I { y: u8, x: u16 } struct T { b: Vec<I>, a: I } } => T { b: vec![I { y: 3, x: 2 }, I { y: 5, x: 4 }], a: I { y: 1, x: 300 } }),
        ),
        (
            "a skipped field is nothing",
            old!({ struct T { a: f32, #[serde(skip)] cache: u64 } } => T { a: 1.5, cache: 9 }),
            new!({ struct T { #[serde(skip)] cache: u64, a: f32 } } => T { cache: 0, a: 1.5 }),
        ),
        (
            "a skipped field becomes a written one",
            old!({ struct T { a: f32, #[serde(skip)] b: u64 } } => T { a: 1.5, b: 9 }),
            new!({ struct T { a: f32, b: u64 } } => T { a: 1.5, b: 0 }),
        ),
        (
            "a nested struct",
            old!({ struct I { x: f32 } struct T { a: u8, i: I, z: u8 } } => T { a: 1, i: I { x: 2.0 }, z: 3 }),
            new!({ #[derive(Default)] struct I { x: f64, y: f64 } struct T { a: u8, i: I, z: u8 } } => T { a: 1, i: I { x: 2.0, y: 0.0 }, z: 3 }),
        ),
        (
            "a type under its former name",
            old!({ struct Fighter { a: f32 } } => Fighter { a: 1.5 }),
            new!({ #[persist(was = "table::Fighter")] struct Hero { a: f32 } } => Hero { a: 1.5 }),
        ),
        (
            "a generic type",
            old!({ struct I<V> { v: V } } => I { v: 1u16 }),
            new!({ struct I<V> { v: V } } => I { v: 1u32 }),
        ),
        (
            "constant parameters",
            old!({ struct I<const N: usize> { v: u8 } } => I::<2> { v: 1 }),
            new!({ struct I<const N: usize> { v: u16 } } => I::<3> { v: 1 }),
        ),
        (
            "written as another type",
            old!({ struct T { at: u64 } } => T { at: 1 }),
            new!({ struct T { #[serde(with = "support::handle")] #[persist(as = "u32")] at: Handle } } => T { at: Handle(1) }),
        ),
        (
            "opaque data",
            old!({ struct T { #[serde(with = "playground_schema::opaque")] at: Handle, b: u8 } } => T { at: Handle(5), b: 1 }),
            new!({ struct T { b: u16, #[serde(with = "playground_schema::opaque")] at: Handle } } => T { b: 1, at: Handle(5) }),
        ),
        (
            "opaque data added",
            old!({ struct T { b: u8 } } => T { b: 1 }),
            new!({ struct T { b: u8, #[serde(with = "playground_schema::opaque")] at: Handle } } => T { b: 1, at: Handle(0) }),
        ),
        (
            "opaque data of another type",
            old!({ struct T { #[serde(with = "playground_schema::opaque")] at: Handle } } => T { at: Handle(5) }),
            refused!({ struct T { #[serde(with = "playground_schema::opaque")] at: Vec<u32> } } => T, "only the same type can read opaque data"),
        ),
    ]
}

fn numbers() -> Vec<(&'static str, Old, New)> {
    vec![
        ("u8 to u64", old!({} => 255u8), new!({} => 255u64)),
        ("u16 to u64", old!({} => 60_000u16), new!({} => 60_000u64)),
        ("u64 to u8", old!({} => 250u64), new!({} => 250u8)),
        (
            "u64 to u8, too large",
            old!({} => 256u64),
            refused!({} => u8, "the value: 256 of type `u64` does not fit into `u8`: choose a type that can hold it"),
        ),
        ("i32 to u32", old!({} => 5i32), new!({} => 5u32)),
        (
            "i32 to u32, negative",
            old!({} => -1i32),
            refused!({} => u32, "-1 of type `i32` does not fit into `u32`"),
        ),
        ("i64 to i8", old!({} => -128i64), new!({} => -128i8)),
        ("i64 to i8, too small", old!({} => -129i64), refused!({} => i8, "-129 of type `i64`")),
        (
            "u128 to i128, too large",
            old!({} => u128::MAX),
            refused!({} => i128, "does not fit into `i128`"),
        ),
        ("i128 to u64", old!({} => i128::from(u64::MAX)), new!({} => u64::MAX)),
        ("f32 to f64", old!({} => 0.1f32), new!({} => f64::from(0.1f32))),
        ("f64 to f32, rounded", old!({} => 0.1f64), new!({} => 0.1f32)),
        (
            "f64 to f32, too large",
            old!({} => 1e300f64),
            refused!({} => f32, "1e300 of type `f64` does not fit into `f32`"),
        ),
        ("f64 to f32, infinite before", old!({} => f64::INFINITY), new!({} => f32::INFINITY)),
        ("i32 to f32", old!({} => -16_777_216i32), new!({} => -16_777_216f32)),
        (
            "i32 to f32, not exact",
            old!({} => 16_777_217i32),
            refused!({} => f32, "16777217 of type `i32` does not fit into `f32`"),
        ),
        ("f32 to i32", old!({} => -3.0f32), new!({} => -3i32)),
        (
            "f32 to i32, with a fraction",
            old!({} => 3.5f32),
            refused!({} => i32, "3.5 of type `f32` does not fit into `i32`"),
        ),
        (
            "f64 to i64, not a number",
            old!({} => f64::NAN),
            refused!({} => i64, "NaN of type `f64`"),
        ),
        ("usize to u16", old!({} => 9usize), new!({} => 9u16)),
        ("char to text", old!({} => 'ä'), new!({} => String::from("ä"))),
        ("text to char", old!({} => String::from("ä")), new!({} => 'ä')),
        (
            "text of two to char",
            old!({} => String::from("ab")),
            refused!({} => char, "\"ab\" of type `String` does not fit into `char`"),
        ),
        (
            "text to number",
            old!({} => String::from("1")),
            refused!({} => u8, "String -> u8: there is no conversion; write a `migrate` function"),
        ),
        (
            "truth to number",
            old!({} => true),
            refused!({} => u8, "bool -> u8: there is no conversion"),
        ),
        (
            "in a list",
            old!({} => vec![1u64, 300]),
            refused!({} => Vec<u8>, "[]: 300 of type `u64` does not fit into `u8`"),
        ),
    ]
}

#[allow(dead_code)]
fn containers() -> Vec<(&'static str, Old, New)> {
    vec![
        (
            "some of it",
            old!({ struct T { a: f32 } } => T { a: 1.5 }),
            new!({ struct T { a: Option<f64> } } => T { a: Some(1.5) }),
        ),
        (
            "no option any more",
            old!({ struct T { a: Option<f32> } } => T { a: Some(1.5) }),
            new!({ struct T { a: f64 } } => T { a: 1.5 }),
        ),
        (
            "none, with a default",
            old!({ struct T { a: Option<f32> } } => T { a: None }),
            new!({ struct T { #[serde(default = "half")] a: f32 } } => T { a: 0.5 }),
        ),
        (
            "none, without a default",
            old!({ struct U(f32); struct T { a: Option<U> } } => T { a: None }),
            refused!({ struct U(f32); struct T { a: U } } => T, "a: `None` of type `Option<table::U>` cannot become `table::U`: give the field a default"),
        ),
        (
            "a struct around it",
            old!({ struct T { a: f32 } } => T { a: 1.5 }),
            new!({ struct Speed(f32); struct T { a: Speed } } => T { a: Speed(1.5) }),
        ),
        (
            "no struct around it",
            old!({ struct Speed(f32); struct T { a: Speed } } => T { a: Speed(1.5) }),
            new!({ struct T { a: f64 } } => T { a: 1.5 }),
        ),
        (
            "a struct around a struct",
            old!({ struct P { x: u8, y: u8 } struct T { a: P } } => T { a: P { x: 1, y: 2 } }),
            new!({ struct P { x: u8, y: u8 } struct At(P); struct T { a: At } } => T { a: At(P { x: 1, y: 2 }) }),
        ),
        (
            "a struct around an option",
            old!({} => Some(3u8)),
            new!({ struct L(Option<u8>); } => L(Some(3))),
        ),
        ("a box around it", old!({} => 3u8), new!({} => Box::new(3u16))),
        (
            "struct to tuple struct",
            old!({ struct T { x: f32, y: u8 } } => T { x: 1.0, y: 2 }),
            new!({ struct T(f64, u8); } => T(1.0, 2)),
        ),
        (
            "tuple to struct",
            old!({} => (1u8, String::from("a"))),
            new!({ struct T { x: u16, y: String } } => T { x: 1, y: "a".into() }),
        ),
        (
            "tuple to struct of another count",
            old!({} => (1u8, 2u8)),
            refused!({ struct T { x: u8, y: u8, z: u8 } } => T, "3 fields by position, but there are 2"),
        ),
        ("a longer tuple", old!({} => (1u8, 2u8)), new!({ struct T(u8, u8, u16); } => T(1, 2, 0))),
        ("no fields to some", old!({ struct T; } => T), new!({ struct T { a: u8 } } => T { a: 0 })),
        ("list to array", old!({} => vec![1u16, 2, 300]), new!({} => [1u32, 2, 300])),
        (
            "list to array of another length",
            old!({} => vec![1u16, 2]),
            refused!({} => [u16; 3], "the value: 2 items of `Vec<u16>`, but `[u16; 3]` has 3"),
        ),
        ("array to list", old!({} => [1u8, 2]), new!({} => vec![1u8, 2])),
        (
            "array to one of another length",
            old!({} => [1u8, 2]),
            refused!({} => [u8; 3], "[u8; 2] -> [u8; 3]: the lengths differ"),
        ),
        ("array to tuple", old!({} => [1u8, 2]), new!({} => (1u8, 2u16))),
        (
            "array to struct with numbered fields",
            old!({} => [1.0f32, 2.0]),
            new!({ struct V(f32, f32); } => V(1.0, 2.0)),
        ),
        ("tuple to array", old!({} => (1u8, 2u16)), new!({} => [1u32, 2])),
        ("list to tuple", old!({} => vec![1u8, 2]), new!({} => (1u8, 2u16))),
        ("tuple to list", old!({} => (1u8, 2u16)), new!({} => vec![1u16, 2])),
        ("list to set", old!({} => vec![3u8, 1]), new!({} => BTreeSet::from([1u8, 3]))),
        (
            "map, key and value",
            old!({} => BTreeMap::from([(1u8, 2.0f32)])),
            new!({} => HashMap::from([(1u32, Some(2.0f64))])),
        ),
        (
            "map to list",
            old!({} => BTreeMap::from([(1u8, 'a')])),
            refused!({} => Vec<(u8, char)>, "there is no conversion"),
        ),
        (
            "list of lists",
            old!({} => vec![vec![1u8], vec![]]),
            new!({} => vec![vec![1u16], vec![]]),
        ),
        ("long arrays", old!({} => [[1u16; 30]; 3]), new!({} => [[1u64; 30]; 3])),
        (
            "duration",
            old!({ struct T { a: std::time::Duration } } => T { a: std::time::Duration::new(70_000, 5) }),
            new!({ struct T { b: u8, a: std::time::Duration } } => T { b: 0, a: std::time::Duration::new(70_000, 5) }),
        ),
        (
            "a type within itself",
            old!({ struct Node { x: u8, #[persist(recursive)] inner: Vec<Node> } } => Node { x: 1, inner: vec![Node { x: 2, inner: vec![] }, Node { x: 3, inner: vec![Node { x: 4, inner: vec![] }] }] }),
            new!({ struct Node { #[persist(recursive)] inner: Vec<Self>, x: u32, y: u8 } } => Node { inner: vec![Node { inner: vec![], x: 2, y: 0 }, Node { inner: vec![Node { inner: vec![], x: 4, y: 0 }], x: 3, y: 0 }], x: 1, y: 0 }),
        ),
        (
            "a type within itself, in a box",
            old!({ struct Node { x: u8, #[persist(recursive)] next: Option<Box<Node>> } } => Node { x: 1, next: Some(Box::new(Node { x: 2, next: None })) }),
            new!({ #[persist(dropped("x"))] struct Node { #[persist(recursive)] next: Option<Box<Node>> } } => Node { next: Some(Box::new(Node { next: None })) }),
        ),
    ]
}

#[allow(dead_code)]
fn enums() -> Vec<(&'static str, Old, New)> {
    vec![
        (
            "variants in another order",
            old!({ enum E { A, B(u16), C { x: f32 } } } => vec![E::A, E::B(300), E::C { x: 1.0 }]),
            new!({ enum E { C { x: f64 }, A, B(u32) } } => vec![E::A, E::B(300), E::C { x: 1.0 }]),
        ),
        (
            "a variant added",
            old!({ enum E { A, B } } => E::B),
            new!({ enum E { A, N(String), B } } => E::B),
        ),
        (
            "a variant renamed",
            old!({ enum E { A, Idle } } => E::Idle),
            new!({ enum E { #[persist(rename = "Idle")] Rest, A } } => E::Rest),
        ),
        (
            "a removed variant, not there",
            old!({ enum E { A, B } } => E::B),
            new!({ enum E { B } } => E::B),
        ),
        (
            "a removed variant, there",
            old!({ enum E { A, B } } => vec![E::B, E::A]),
            refused!({ enum E { B } } => Vec<E>, "[].A: the variant `table::E::A` is no longer in `table::E`: keep it, name its successor"),
        ),
        (
            "a removed variant, fallback",
            old!({ enum E { A { text: String }, B } } => vec![E::A { text: "x".into() }, E::B]),
            new!({ #[persist(fallback = "N")] enum E { B, N { why: u16 } } } => vec![E::N { why: 0 }, E::B]),
        ),
        (
            "a marked fallback",
            old!({ enum E { A, B } } => E::A),
            new!({ enum E { B, #[persist(fallback)] N } } => E::N),
        ),
        (
            "fields of variants",
            old!({ enum E { A { x: f32, y: f32 } } } => E::A { x: 1.0, y: 2.0 }),
            new!({ #[persist(dropped("A.x"))] enum E { A { y: f32, #[serde(default = "half")] z: f32 } } } => E::A { y: 2.0, z: 0.5 }),
        ),
        (
            "a variant's fields get numbers",
            old!({ enum E { A { x: f32, y: u8 } } } => E::A { x: 1.0, y: 2 }),
            new!({ enum E { Z, A(f32, u16) } } => E::A(1.0, 2)),
        ),
        (
            "enum to number",
            old!({ enum E { A } } => E::A),
            refused!({ enum T { B } struct X(u8); } => X, "table::E -> u8: there is no conversion"),
        ),
        (
            "a new version",
            old!({ struct T { degrees: f32 } } => T { degrees: 180.0 }),
            new!({ #[persist(version = 1, migrate = to_turns)] struct T { turns: f64, n: u8 } } => T { turns: 0.5, n: 0 }),
        ),
        (
            "two versions on",
            old!({ struct T { degrees: f32 } } => vec![T { degrees: 180.0 }]),
            new!({ #[persist(version = 2, migrate = to_turns)] struct T { turns: f64, list: Vec<u8> } } => vec![T { turns: -0.5, list: vec![] }]),
        ),
        (
            "a version within a version",
            old!({ struct T { degrees: f32 } struct Outer { t: T, k: u8 } } => Outer { t: T { degrees: 180.0 }, k: 1 }),
            new!({ #[persist(version = 1, migrate = to_turns)] struct T { turns: f64 } #[persist(version = 1, migrate = outer)] struct Outer { inner: T, k: u8 } } => Outer { inner: T { turns: 0.5 }, k: 1 }),
        ),
        (
            "a version whose function refuses",
            old!({ struct T { speed: f32 } } => T { speed: 1.0 }),
            refused!({ #[persist(version = 1, migrate = to_turns)] struct T { turns: f64 } } => T, "migration to version 1 of `table::T`: table::T: from version 0: no field `degrees`; there are: speed"),
        ),
        (
            "a newer version",
            old!({ #[persist(version = 3, migrate = to_turns)] struct T { turns: f64 } } => T { turns: 0.5 }),
            refused!({ #[persist(version = 2, migrate = to_turns)] struct T { turns: f64 } } => T, "written as version 3, but the module knows 2"),
        ),
    ]
}

fn to_turns(version: u32, mut value: Value) -> Result<Value, String> {
    match version {
        0 => {
            let degrees = value.require("degrees")?.as_f64().ok_or("degrees are no number")?;
            value.set("turns", degrees / 360.0);
        }
        _ => {
            let turns = value.require("turns")?.as_f64().ok_or("turns are no number")?;
            value.set("turns", -turns);
        }
    }
    Ok(value)
}

fn outer(_: u32, mut value: Value) -> Result<Value, String> {
    value.rename("t", "inner");
    Ok(value)
}

fn seven() -> u32 {
    7
}

fn half() -> f32 {
    0.5
}

#[test]
fn every_change_has_the_result_of_its_row() {
    let rows = [fields(), numbers(), containers(), enums()].concat();
    assert!(rows.len() >= 40);
    let mut wrong = Vec::new();
    for (row, old, new) in rows {
        let found = support::convert(&old, new.schema);
        if !support::agrees(&found, &new) {
            wrong.push(format!("{row}:\n  expected {:?}\n  found    {found:?}", new.expected));
        }
        // The description agrees with the conversion.
        let change = TypeChange::between(&old.definition, &Definition::of(new.schema));
        let done = Resolution::new(&old.definition, new.schema, Options { allow_drop: true });
        if change.is_impossible() == done.is_ok() {
            wrong.push(format!("{row}: the description differs: {change}"));
        }
        if let Ok(done) = done
            && done.changes().len() > change.entries.len()
        {
            wrong.push(format!("{row}: the description is incomplete: {change}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn drops_may_be_confirmed() {
    let old = old!({ struct T { a: f32, b: u32 } } => T { a: 1.5, b: 7 });
    let new = new!({ struct T { a: f32 } } => T { a: 1.5 });
    let options = Options { allow_drop: true };
    let mut resolution = Resolution::new(&old.definition, new.schema, options).unwrap();
    let mut out = Vec::new();
    resolution.convert(&mut old.bytes.as_slice(), &mut out, &mut entities).unwrap();
    assert_eq!(out, 1.5f32.to_le_bytes());
}
