//! Properties of all values, of all conversions between types, and of arbitrary bytes.

mod support;

use std::collections::BTreeMap;

use playground_derive::Persist;
use playground_schema::{
    Definition, Form, Options, Persist, Resolution, Schema, TypeChange, Value, const_encode_all,
    decode, encode, encoded_len_all, verify,
};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use support::{bincode, old};

#[derive(Serialize, Deserialize, Persist, Clone, Debug, PartialEq)]
#[persist(crate = playground_schema)]
enum Mood {
    Idle,
    Chasing(u64, Option<f32>),
    Talking { text: String, to: Vec<char> },
}

#[derive(Serialize, Deserialize, Persist, Clone, Debug, PartialEq)]
#[persist(crate = playground_schema)]
struct Tree {
    weight: i16,
    #[persist(recursive)]
    children: Vec<Tree>,
}

#[derive(Serialize, Deserialize, Persist, Clone, Debug, PartialEq)]
#[persist(crate = playground_schema, version = 1, migrate = unchanged)]
struct Everything {
    flags: (bool, u8, i8),
    small: [u16; 3],
    large: (u128, i128),
    #[serde(skip)]
    cache: f64,
    moods: Vec<Mood>,
    names: BTreeMap<String, i64>,
    nothing: (),
    maybe: Option<Option<Box<u32>>>,
    tree: Tree,
    empty: Vec<()>,
}

fn unchanged(_: u32, value: Value) -> Result<Value, String> {
    Ok(value)
}

fn moods() -> impl Strategy<Value = Mood> {
    prop_oneof![
        Just(Mood::Idle),
        (any::<u64>(), any::<Option<f32>>()).prop_map(|(id, range)| Mood::Chasing(id, range)),
        (".{0,6}", vec(any::<char>(), 0..4)).prop_map(|(text, to)| Mood::Talking { text, to }),
    ]
}

fn trees() -> impl Strategy<Value = Tree> {
    let leaf = any::<i16>().prop_map(|weight| Tree { weight, children: Vec::new() });
    leaf.prop_recursive(4, 12, 3, |inner| {
        (any::<i16>(), vec(inner, 0..3)).prop_map(|(weight, children)| Tree { weight, children })
    })
}

fn everything() -> impl Strategy<Value = Everything> {
    (
        (any::<(bool, u8, i8)>(), any::<[u16; 3]>(), any::<(u128, i128)>()),
        (vec(moods(), 0..4), btree_map(".{0,4}", any::<i64>(), 0..4)),
        (any::<Option<Option<u32>>>(), trees(), 0..4usize),
    )
        .prop_map(|((flags, small, large), (moods, names), (maybe, tree, empty))| Everything {
            flags,
            small,
            large,
            cache: 0.0,
            moods,
            names,
            nothing: (),
            maybe: maybe.map(|inner| inner.map(Box::new)),
            tree,
            empty: vec![(); empty],
        })
}

fn through(
    definition: &Definition,
    schema: &'static playground_schema::Schema,
    bytes: &[u8],
) -> Vec<u8> {
    let options = Options { allow_drop: true };
    let mut resolution = Resolution::new(definition, schema, options).unwrap();
    let (mut out, mut rest) = (Vec::new(), bytes);
    resolution.convert(&mut rest, &mut out, &mut |entity| Ok(entity)).unwrap();
    assert_eq!(rest, b"");
    let (mut many, mut rest) = (Vec::new(), bytes);
    resolution.convert_many(1, &mut rest, &mut many, &mut |entity| Ok(entity)).unwrap();
    assert_eq!(out, many);
    out
}

/// Types that can all be converted into each other.
mod ways {
    use super::*;

    macro_rules! ways {
        ($($name:ident { $($(#[$meta:meta])* $field:ident: $type:ty,)* })*) => {
            $(
                #[derive(Serialize, Deserialize, Persist, Clone, Debug, PartialEq)]
                #[persist(crate = playground_schema)]
                pub struct $name { $($(#[$meta])* pub $field: $type,)* }
            )*
            pub const ALL: &[&playground_schema::Schema] = &[$($name::REF),*];
        };
    }

    #[derive(Serialize, Deserialize, Persist, Clone, Debug, PartialEq)]
    #[persist(crate = playground_schema)]
    pub struct Speed(pub f64);

    #[derive(Serialize, Deserialize, Persist, Clone, Debug, PartialEq)]
    #[persist(crate = playground_schema)]
    pub struct Count(pub i32);

    #[derive(Serialize, Deserialize, Persist, Clone, Debug, PartialEq)]
    #[persist(crate = playground_schema)]
    pub struct Pair(pub i64, pub u16);

    ways! {
        Base {
            a: u8, b: i16, c: f32, #[persist(rename = "e")] d: String, k: bool, p: [u8; 2],
        }
        Wide {
            a: u64, b: i64, c: f64, #[persist(rename = "e")] d: String, k: bool, p: (u64, i16),
        }
        Turned {
            k: bool, p: Vec<u8>, #[persist(rename = "e")] d: String, c: f32, b: i16, a: u8,
        }
        Renamed { a: u8, b: i16, c: f32, #[persist(rename = "d")] e: String, k: bool, p: Pair, }
        Optional {
            a: Option<u8>, b: Option<i16>, c: f32, #[persist(rename = "e")] d: Option<String>,
            k: bool, p: Option<[u16; 2]>,
        }
        Wrapped {
            a: u8, b: Count, c: Speed, #[persist(rename = "e")] d: Box<String>, k: Option<bool>,
            p: Box<(u8, u8)>,
        }
        Floats {
            p: [f32; 2], a: f32, extra: u8, b: f64, c: f64, #[persist(rename = "e")] d: String,
            k: bool, other: Vec<String>,
        }
    }
}

/// Nested arrays; a schema from a file can claim any lengths.
mod arrays {
    use super::*;

    #[derive(Serialize, Deserialize, Persist)]
    #[persist(crate = playground_schema)]
    pub struct Old<T> {
        pub flag: bool,
        pub gone: [[T; 1]; 1],
        pub kept: [[Mark; 1]; 1],
        pub count: u8,
    }

    #[derive(Serialize, Deserialize, Persist)]
    #[persist(crate = playground_schema)]
    pub struct Mark {}

    #[derive(Serialize, Deserialize, Persist, Default)]
    #[persist(crate = playground_schema, was = "properties::arrays::Mark")]
    pub struct Marked {
        #[serde(default)]
        pub kind: u16,
    }

    /// Lists in place of the arrays.
    #[derive(Serialize, Deserialize, Persist)]
    #[persist(crate = playground_schema)]
    pub struct New {
        pub count: u16,
        pub kept: Vec<Vec<Marked>>,
        pub flag: bool,
    }

    #[derive(Serialize, Deserialize, Persist)]
    #[persist(crate = playground_schema)]
    pub struct Ordered {
        pub flag: bool,
        pub count: u8,
    }

    #[derive(Serialize, Deserialize, Persist)]
    #[persist(crate = playground_schema)]
    pub struct Grid<T> {
        pub cells: [[T; 32]; 32],
    }

    pub const ALL: [&Schema; 4] =
        [<Old<()>>::REF, <Old<bool>>::REF, <Old<f64>>::REF, <Old<String>>::REF];

    /// Sets the lengths of the arrays in a field of `old`.
    pub fn set_lens(old: &mut Definition, name: &str, lens: [u64; 2]) {
        let Form::Struct(fields) = &mut old.form else { panic!("a struct") };
        let field = fields.iter_mut().find(|field| field.name == name).unwrap();
        let Form::Array(inner, len) = &mut field.ty.form else { panic!("an array") };
        *len = lens[0];
        let Form::Array(_, len) = &mut inner.form else { panic!("an array") };
        *len = lens[1];
    }
}

/// The value in bincode after conversion through all types of `path`.
fn walk(start: &ways::Base, path: &[usize]) -> Vec<u8> {
    let mut bytes = bincode(start);
    let mut schema = ways::Base::REF;
    for step in path {
        let next = ways::ALL[*step];
        bytes = through(&Definition::of(schema), next, &bytes);
        verify(next, &bytes).unwrap();
        schema = next;
    }
    through(&Definition::of(schema), ways::Base::REF, &bytes)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn a_conversion_to_the_same_type_keeps_the_value(value in everything()) {
        let bytes = bincode(&value);
        let definition = Definition::of(Everything::REF);
        verify(Everything::REF, &bytes).unwrap();
        prop_assert_eq!(&through(&definition, Everything::REF, &bytes), &bytes);
        let shown = decode(&bytes, &definition).unwrap();
        prop_assert!(!shown.to_string().is_empty());
        prop_assert_eq!(&encode(&shown, &definition).unwrap(), &bytes);
        // With a `migrate` function that changes nothing.
        let before = Definition { version: 0, ..definition };
        prop_assert_eq!(&through(&before, Everything::REF, &bytes), &bytes);
    }

    #[test]
    fn edits_and_their_inverses_keep_values(
        (a, b, c) in any::<(u8, i16, f32)>(),
        d in ".{0,5}",
        k in any::<bool>(),
        p in any::<[u8; 2]>(),
        path in vec(0..ways::ALL.len(), 0..8),
    ) {
        prop_assume!(!c.is_nan());
        let start = ways::Base { a, b, c, d, k, p };
        prop_assert_eq!(walk(&start, &path), bincode(&start));
    }

    #[test]
    fn integers_are_exact_or_refused(value in any::<i128>(), shift in 0..128u32) {
        let value = value >> shift;
        macro_rules! there_and_back {
            ($($type:ty),*) => {$(
                let there = support::convert(&old(value), <$type>::REF);
                let back = there.as_ref().ok().map(|bytes| through(
                    &Definition::of(<$type>::REF), i128::REF, bytes,
                ));
                let fits = <$type as TryFrom<i128>>::try_from(value).is_ok();
                prop_assert_eq!(there.is_ok(), fits);
                prop_assert!(back.is_none_or(|back| back == bincode(&value)));
            )*};
        }
        there_and_back!(u8, u16, u32, u64, u128, i8, i16, i32, i64);
        macro_rules! floats {
            ($($type:ty),*) => {$(
                if let Ok(bytes) = support::convert(&old(value), <$type>::REF) {
                    prop_assert_eq!(support::read::<$type>(&bytes) as i128, value);
                    let back = through(&Definition::of(<$type>::REF), i128::REF, &bytes);
                    prop_assert_eq!(back, bincode(&value));
                }
            )*};
        }
        floats!(f32, f64);
    }

    #[test]
    fn arbitrary_bytes_are_not_a_schema(bytes in vec(any::<u8>(), 0..200)) {
        let _refused = Definition::parse(&bytes);
        let mut bytes = bytes;
        bytes.insert(0, 1);
        let _refused = Definition::parse(&bytes);
    }

    #[test]
    fn arbitrary_bytes_are_not_a_value(bytes in vec(any::<u8>(), 0..200)) {
        for (definition, schema) in [
            (Definition::of(Everything::REF), Everything::REF),
            (Definition { version: 0, ..Definition::of(Everything::REF) }, Everything::REF),
            (Definition::of(ways::Base::REF), ways::Wrapped::REF),
            (Definition::of(ways::Base::REF), ways::Turned::REF),
        ] {
            check(&definition, schema, &bytes);
        }
    }

    #[test]
    fn conversions_of_huge_arrays_terminate(
        old in 0..arrays::ALL.len(),
        gone in prop::array::uniform2(lens()),
        kept in prop::array::uniform2(lens()),
        bytes in vec(0..3u8, 0..60),
    ) {
        let mut definition = Definition::of(arrays::ALL[old]);
        arrays::set_lens(&mut definition, "gone", gone);
        arrays::set_lens(&mut definition, "kept", kept);
        check(&definition, arrays::New::REF, &bytes);
        check(&definition, arrays::Ordered::REF, &bytes);
    }

    #[test]
    fn damaged_schemas_and_values_do_no_harm(
        value in everything(),
        damage in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        other in vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
    ) {
        let mut flat = SCHEMAS.to_vec();
        for (at, byte) in damage {
            let at = at.index(flat.len());
            flat[at] = byte;
        }
        let mut bytes = bincode(&value);
        for (at, byte) in other {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        for definition in Definition::parse(&flat).unwrap_or_default() {
            check(&definition, Everything::REF, &bytes);
            check(&definition, ways::Base::REF, &bytes);
        }
    }
}

const LIST: &[&playground_schema::Schema] = &[Everything::REF, Tree::REF, ways::Wrapped::REF];
static SCHEMAS: [u8; encoded_len_all(LIST)] = const_encode_all(LIST);

/// Lengths of arrays, plausible and claimed.
fn lens() -> impl Strategy<Value = u64> {
    prop_oneof![0..4u64, 0..1000u64, any::<u64>()]
}

#[test]
fn arrays_of_empty_items_get_new_fields() {
    let grid = Definition::of(<arrays::Grid<arrays::Mark>>::REF);
    check(&grid, <arrays::Grid<arrays::Marked>>::REF, &[]);
    assert_eq!(through(&grid, <arrays::Grid<arrays::Marked>>::REF, &[]), [0; 32 * 32]);
}

/// Nothing panics, the described change is the one that is made, and a failure leaves no traces.
fn check(definition: &Definition, schema: &'static Schema, bytes: &[u8]) {
    let change = TypeChange::between(definition, &Definition::of(schema));
    assert!(!change.to_string().is_empty());
    let _shown = decode(bytes, definition).map(|value| value.to_string());
    let options = Options { allow_drop: true };
    let resolved = Resolution::new(definition, schema, options);
    assert_eq!(resolved.is_err(), change.is_impossible(), "{change}\n{resolved:?}");
    let Ok(mut resolution) = resolved else { return };
    let (mut rest, mut out) = (bytes, vec![7]);
    match resolution.convert(&mut rest, &mut out, &mut |entity| Ok(entity)) {
        Ok(()) => assert!(verify(schema, &out[1..]).is_ok(), "written, but not of the type"),
        Err(error) => {
            assert!(!error.to_string().is_empty());
            assert_eq!((rest, &out[..]), (bytes, &[7][..]));
        }
    }
}
