//! The derived schema, its encoding in an artifact, and the description of changes.

mod support;

use std::collections::HashMap;
use std::marker::PhantomData;
use std::time::Duration;

use playground_derive::Persist;
use playground_schema::{
    ConvertError, Definition, Form, Options, Persist, Resolution, Schema, Severity, Shape,
    TypeChange, Value, const_encode, decode, encoded_len, same_layout, verify,
};
use serde::{Deserialize, Serialize};
use support::{Handle, bincode};

#[derive(Serialize, Deserialize, Persist)]
#[persist(crate = playground_schema)]
#[persist(was = "core_old::Body", was = "core_older::Body", dropped("shield"), version = 2)]
#[persist(migrate = stay)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Body<T, const N: usize> {
    #[persist(rename = "velocity")]
    #[serde(alias = "v", rename = "s")]
    r#speed: f32,
    #[serde(skip)]
    cache: Option<Handle>,
    marks: Vec<[u8; 4]>,
    inner: T,
    #[serde(with = "playground_schema::opaque")]
    handle: Handle,
    #[serde(default)]
    kind: Kind,
    names: HashMap<String, Duration>,
    marker: PhantomData<[u8; N]>,
}

#[derive(Serialize, Deserialize, Persist, Default)]
#[persist(crate = playground_schema, fallback = "Idle")]
enum Kind {
    #[default]
    Idle,
    #[persist(rename = "Hunting")]
    Chasing(u64),
    Resting {
        for_s: f32,
        #[serde(default = "often")]
        times: u8,
    },
}

fn often() -> u8 {
    9
}

fn stay(_: u32, value: Value) -> Result<Value, String> {
    Ok(value)
}

type Whole = Body<(u8, f64), 3>;

static ENCODED: [u8; encoded_len(Whole::REF)] = const_encode(Whole::REF);

#[test]
fn a_schema_in_a_static_is_the_definition() {
    assert_eq!(Definition::parse(&ENCODED), Ok(vec![Definition::of(Whole::REF)]));
    let list = [Whole::REF, Kind::REF, u8::REF];
    let all: Vec<u8> = playground_schema::const_encode_all::<
        { playground_schema::encoded_len_all(&[Whole::REF, Kind::REF, u8::REF]) },
    >(&list)
    .to_vec();
    let parsed = Definition::parse(&all).unwrap();
    assert_eq!(parsed, list.map(Definition::of));
    assert!(Definition::parse(&all[..all.len() - 1]).is_err());
    assert!(Definition::parse(&[&all[..], &[0]].concat()).is_err());
    assert!(Definition::parse(&[2]).unwrap_err().to_string().contains("format 2, expected 1"));
}

#[test]
fn too_deeply_nested_types_are_refused() {
    let mut bytes = vec![1, 1];
    // Flags, an empty name, size, alignment, a list.
    bytes.extend([0, 0, 0, 0, 8].repeat(100_000));
    assert!(Definition::parse(&bytes).unwrap_err().to_string().contains("nested deeper than 64"));
}

#[test]
fn the_derived_schema_describes_the_type() {
    let schema = Whole::REF;
    assert_eq!(schema.name, "schema::Body<tuple<u8, f64>, 3>");
    let aliases = [
        "core_old::Body<tuple<u8, f64>, 3>",
        "core_older::Body<tuple<u8, f64>, 3>",
        "core_old::Body",
        "core_older::Body",
        "schema::Body",
    ];
    assert_eq!(schema.aliases, aliases);
    assert_eq!((schema.dropped, schema.version), (&["shield"][..], 2));
    assert_eq!((schema.size, schema.align), (size_of::<Whole>(), align_of::<Whole>()));
    let fields = schema.shape.fields();
    let names: Vec<&str> = fields.iter().map(|field| field.name).collect();
    let all = ["speed", "cache", "marks", "inner", "handle", "kind", "names", "marker"];
    assert_eq!(names, all);
    assert_eq!(fields[0].aliases, ["velocity", "v"]);
    assert_eq!(fields[2].offset, Some(std::mem::offset_of!(Whole, marks)));
    assert!(fields[1].skip && fields[1].default.is_none());
    let texts: Vec<String> =
        Definition::of(schema).form.fields().iter().map(|field| field.ty.to_string()).collect();
    let all = [
        "f32",
        "Option<Handle>",
        "Vec<[u8; 4]>",
        "(u8, f64)",
        "Handle",
        "schema::Kind",
        "HashMap<String, Duration>",
        "PhantomData",
    ];
    assert_eq!(texts, all);
    let Shape::Enum { variants, fallback } = Kind::SCHEMA.shape else { panic!("not an enum") };
    assert_eq!((variants[1].aliases, fallback), (&["Hunting"][..], Some(0)));
    let mut out = Vec::new();
    (variants[2].shape.fields()[1].default.unwrap())(&mut out).unwrap();
    (variants[2].shape.fields()[0].default.unwrap())(&mut out).unwrap();
    assert_eq!(out, [9, 0, 0, 0, 0]);
}

#[test]
fn encoded_values_match_the_schema() {
    let value = Whole {
        speed: 1.5,
        cache: None,
        marks: vec![[1, 2, 3, 4]],
        inner: (1, 2.0),
        handle: Handle(300),
        kind: Kind::Resting { for_s: 0.5, times: 1 },
        names: HashMap::from([("a".to_owned(), Duration::from_secs(1))]),
        marker: PhantomData,
    };
    let bytes = bincode(&value);
    verify(Whole::REF, &bytes).unwrap();
    let shown = decode(&bytes, &Definition::of(Whole::REF)).unwrap();
    assert_eq!(
        shown.to_string(),
        "{ speed: 1.5, marks: [[1, 2, 3, 4]], inner: (1, 2.0), handle: Handle in 3 bytes, kind: \
         Resting { for_s: 0.5, times: 1 }, names: {\"a\": { secs: 1, nanos: 0 }}, marker: () }"
    );
    let error = verify(Whole::REF, &bytes[..bytes.len() - 1]).unwrap_err();
    assert!(error.to_string().contains("the schema is not that of the type"), "{error}");
    assert!(verify(Whole::REF, &[&bytes[..], &[1]].concat()).is_err());
}

/// A stand-in for Bevy's `Entity`.
#[derive(Serialize, Deserialize)]
struct Entity(u64);

impl Persist for Entity {
    const NAME: &'static str = "Entity";
    const SCHEMA: Schema = Schema::plain::<u64>("Entity", Shape::Entity);
}

#[test]
fn entities_are_mapped() {
    let definition = Definition::of(<(u8, Vec<Entity>)>::REF);
    let bytes = bincode(&(1u8, vec![5u64, 1 << 40]));
    let options = Options::default();
    let mut resolution = Resolution::new(&definition, <(u8, Vec<u64>)>::REF, options).unwrap();
    let mut out = Vec::new();
    resolution.convert(&mut &bytes[..], &mut out, &mut |entity| Ok(entity + 1)).unwrap();
    assert_eq!(out, bincode(&(1u8, vec![6u64, (1 << 40) + 1])));
    let error = resolution.convert(&mut &bytes[..], &mut out, &mut |_| Err("is gone".to_owned()));
    assert_eq!(
        error,
        Err(ConvertError::Entity { path: "1[]".into(), entity: 5, reason: "is gone".into() })
    );
    assert_eq!(out.len(), 12);
}

#[derive(Serialize, Deserialize, Persist)]
#[persist(crate = playground_schema)]
struct Aim {
    targets: Vec<Entity>,
    last: Entity,
    skill: u8,
}

#[derive(Serialize, Deserialize, Persist)]
#[persist(crate = playground_schema)]
struct Skill {
    skill: u16,
    last: Entity,
}

#[test]
fn entities_of_dropped_fields_are_not_mapped() {
    let definition = Definition::of(Aim::REF);
    let drops = Resolution::new(&definition, Skill::REF, Options::default()).unwrap_err();
    assert!(drops.to_string().contains("targets: would be dropped"), "{drops}");
    let options = Options { allow_drop: true };
    let mut resolution = Resolution::new(&definition, Skill::REF, options).unwrap();
    let bytes = bincode(&Aim { targets: vec![Entity(1), Entity(2)], last: Entity(3), skill: 4 });
    let (mut out, mut asked) = (Vec::new(), Vec::new());
    let mut entities = |entity| {
        asked.push(entity);
        Ok(entity * 2)
    };
    resolution.convert(&mut &bytes[..], &mut out, &mut entities).unwrap();
    assert_eq!((out, asked), (bincode(&Skill { skill: 4, last: Entity(6) }), vec![3]));
}

#[derive(Serialize, Deserialize, Persist, Clone)]
#[persist(crate = playground_schema)]
struct Chain {
    #[persist(recursive)]
    next: Option<Box<Chain>>,
}

#[test]
fn too_deeply_nested_values_are_an_error() {
    let definition = Definition::of(Chain::REF);
    let mut resolution = Resolution::new(&definition, Chain::REF, Options::default()).unwrap();
    for bytes in [[1].repeat(1_000_000), [[1].repeat(190), vec![0]].concat()] {
        let mut out = Vec::new();
        let done = resolution.convert(&mut &bytes[..], &mut out, &mut |entity| Ok(entity));
        assert!(matches!(done, Err(ConvertError::TooDeep { .. })), "{done:?}");
        assert!(decode(&bytes, &definition).is_err());
    }
    let bytes = [[1].repeat(90), vec![0]].concat();
    resolution.convert(&mut &bytes[..], &mut Vec::new(), &mut |entity| Ok(entity)).unwrap();
}

#[test]
fn a_large_count_is_refused_at_once() {
    let definition = Definition::of(<Vec<Vec<()>>>::REF);
    let mut resolution =
        Resolution::new(&definition, <Vec<Vec<()>>>::REF, Options::default()).unwrap();
    let huge = [253, 255, 255, 255, 255, 255, 255, 255, 255];
    let many = [vec![250], [251, 255, 255].repeat(250)].concat();
    for bytes in [&huge[..], &[&[1], &huge[..]].concat(), &many] {
        let mut out = Vec::new();
        let done = resolution.convert(&mut &bytes[..], &mut out, &mut |entity| Ok(entity));
        assert!(matches!(done, Err(ConvertError::Malformed { .. })), "{done:?}");
        assert!(decode(bytes, &definition).is_err());
        assert!(out.capacity() < 4096);
    }
}

#[allow(dead_code, reason = "only their schemas are used")]
mod old {
    use super::*;

    #[derive(Persist, Serialize)]
    #[persist(crate = playground_schema)]
    pub struct Part {
        speed: f32,
        armour: u8,
        shield: u8,
        spare: u8,
        kind: Kind,
    }

    #[derive(Persist, Serialize)]
    #[persist(crate = playground_schema)]
    pub enum Kind {
        A { x: f32 },
        B,
        C,
    }
}

#[allow(dead_code, reason = "only their schemas are used")]
mod new {
    use super::*;

    #[derive(Serialize)]
    pub struct Bare;
    impl Persist for Bare {
        const NAME: &'static str = "Bare";
        const SCHEMA: Schema = Schema::plain::<Self>("Bare", Shape::Bool);
    }

    #[derive(Persist, Serialize)]
    #[persist(crate = playground_schema, was = "schema::old::Part", dropped("spare"))]
    pub struct Part {
        speed: f64,
        #[persist(rename = "armour")]
        armor: u8,
        mass: f32,
        bare: Bare,
        kind: Kind,
    }

    #[derive(Persist, Serialize)]
    #[persist(crate = playground_schema, was = "schema::old::Kind")]
    pub enum Kind {
        #[persist(rename = "C")]
        D,
        A {
            x: i32,
        },
        E,
    }
}

#[test]
fn a_change_is_described_field_by_field() {
    let change =
        TypeChange::between(&Definition::of(old::Part::REF), &Definition::of(new::Part::REF));
    let lines: Vec<String> = change.entries.iter().map(ToString::to_string).collect();
    let expected = [
        "the value: renamed from schema::old::Part",
        "shield: would be dropped; keep it, name its successor with `#[persist(rename = \
         \"shield\")]`, or list it in `#[persist(dropped(\"shield\"))]`",
        "spare: dropped (declared)",
        "speed: f32 -> f64",
        "armor: renamed from armour",
        "mass: new, from its default",
        "bare: new, without a default: add `#[serde(default)]`, or implement `Default` for its \
         type or the enclosing struct (its type is Bare)",
        "kind: renamed from schema::old::Kind",
        "kind.E: new variant",
        "kind.A.x: f32 -> i32 (each value is checked)",
        "kind.B: removed: values that have it cannot be converted; keep it, name its successor with \
         `#[persist(rename = \"…\")]`, or mark one with `#[persist(fallback)]`",
        "kind.D: renamed from C",
    ];
    assert_eq!(lines, expected);
    assert!(change.is_impossible() && !change.identical);
    assert_eq!(change.undeclared_drops().count(), 1);
}

#[test]
fn a_change_of_layout_alone_is_described() {
    let before = Definition::of(old::Part::REF);
    let same = TypeChange::between(&before, &before);
    assert!(same.identical && same.entries.is_empty() && same_layout(&before, &before));
    let mut after = before.clone();
    let Form::Struct(fields) = &mut after.form else { panic!("not a struct") };
    fields[1].offset = fields[1].offset.map(|offset| offset + 1);
    let change = TypeChange::between(&before, &after);
    assert!(!change.identical && !same_layout(&before, &after));
    assert_eq!(change.entries.len(), 1);
    assert_eq!(change.entries[0].severity, Severity::Kept);
    assert!(change.to_string().contains("armour: moved in memory, from byte "), "{change}");
    let wider = Definition { size: before.size + 8, ..before.clone() };
    let change = TypeChange::between(&before, &wider);
    assert!(
        change.to_string().contains("the value: moved in memory, from 16 to 24 bytes"),
        "{change}"
    );
}
