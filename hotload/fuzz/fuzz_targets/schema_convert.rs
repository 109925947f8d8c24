//! Converts arbitrary values between arbitrary types: nothing panics, and the result has the new
//! type.

#![no_main]

use arbitrary::Unstructured;
use libfuzzer_sys::{Corpus, fuzz_target};
use playground_fuzz::{pool, types, values};
use playground_schema::{
    Definition, Options, Resolution, Schema, Shape, TypeChange, ValueError, decode, encode,
    encode_schemas, verify,
};

/// More values than the fast path converts at a time.
const COUNT_MAX: usize = 40;

/// Two types, options, and encoded values.
struct Case {
    writer: Definition,
    reader: &'static Schema,
    options: Options,
    count: usize,
    bytes: Vec<u8>,
}

impl Case {
    fn new(u: &mut Unstructured<'_>) -> arbitrary::Result<Option<Self>> {
        let (two_types, plausible) = u.arbitrary()?;
        let options = Options { allow_drop: u.arbitrary()? };
        let count = *u.choose(&[1, 2, 3, COUNT_MAX])?;
        let writer = types::definition(u, 0)?;
        let reader =
            if two_types { types::definition(u, 0)? } else { types::edited(u, &writer, 0)? };
        let mut bytes = Vec::new();
        if plausible {
            for _ in 0..count {
                values::value(u, &writer, &mut bytes)?;
            }
        }
        bytes.extend_from_slice(u.peek_bytes(u.len()).unwrap_or_default());
        let reader = pool::schema(&reader);
        Ok(reader.map(|reader| Self { writer, reader, options, count, bytes }))
    }
}

fuzz_target!(|bytes: &[u8]| -> Corpus {
    let Ok(Some(case)) = Case::new(&mut Unstructured::new(bytes)) else { return Corpus::Reject };
    check_flat(case.reader);
    check_same(case.reader, &case.bytes);
    check_change(&case);
    Corpus::Keep
});

/// An encoded schema parses to its definition.
fn check_flat(schema: &'static Schema) {
    let parsed = Definition::parse(&encode_schemas(&[schema])).expect("an encoded schema");
    assert_eq!(parsed, [Definition::of(schema)]);
}

/// A conversion to the same type keeps a value.
fn check_same(schema: &'static Schema, bytes: &[u8]) {
    let definition = Definition::of(schema);
    let _shown = decode(bytes, &definition).map(|value| value.to_string());
    let Ok(mut same) = Resolution::new(&definition, schema, Options::default()) else { return };
    let (mut rest, mut out) = (bytes, Vec::new());
    if same.convert(&mut rest, &mut out, &mut |entity| Ok(entity)).is_err() {
        return;
    }
    let read = &bytes[..bytes.len() - rest.len()];
    // Entities are encoded again, in the shortest form.
    assert!(read == out || definition.holds_entities());
    let Some(value) = of_type(decode(read, &definition), schema) else { return };
    let written = encode(&value, &definition).expect("a value that was decoded");
    decode(&written, &definition).expect("a value that was encoded");
}

fn check_change(case: &Case) {
    let Case { writer, reader, options, count, bytes } = case;
    let change = TypeChange::between(writer, &Definition::of(reader));
    let _told = change.to_string();
    let resolved = Resolution::new(writer, reader, *options);
    let drops = !options.allow_drop && change.undeclared_drops().next().is_some();
    assert_eq!(resolved.is_err(), change.is_impossible() || drops, "{change}\n{resolved:?}");
    let mut resolution = match resolved {
        Ok(resolution) => resolution,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let entities = &mut |entity: u64| match entity {
        13 => Err("gone".to_owned()),
        entity => Ok(entity.rotate_left(9)),
    };
    let (mut rest, mut out, mut failed) = (&bytes[..], vec![7], false);
    for _ in 0..*count {
        let (before, len) = (rest, out.len());
        match resolution.convert(&mut rest, &mut out, entities) {
            Ok(()) => {
                of_type(verify(reader, &out[len..]), reader);
            }
            Err(error) => {
                assert!(!error.to_string().is_empty());
                assert_eq!((rest, out.len()), (before, len));
                failed = true;
                break;
            }
        }
    }
    // Converting all at once gives the same, or fails without an effect.
    let (mut rest_of_many, mut many) = (&bytes[..], vec![7]);
    let done = resolution.convert_many(*count, &mut rest_of_many, &mut many, entities);
    assert_eq!(done.is_err(), failed, "{done:?}");
    if failed {
        assert_eq!((rest_of_many, &many[..]), (&bytes[..], &[7][..]));
    } else {
        assert_eq!((rest_of_many, many), (rest, out));
    }
}

/// `None` for values that exceed the limits of `decode`: too deep, or too many items without
/// content.
fn of_type<T>(result: Result<T, ValueError>, schema: &Schema) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(ValueError::TooDeep { .. }) => None,
        Err(ValueError::Malformed { expected: "fewer items" | "a smaller count", .. })
            if repeats_nothing(&schema.shape) =>
        {
            None
        }
        Err(error) => panic!("written, but not of the type: {error}"),
    }
}

/// True if the type contains lists whose items have no bytes.
fn repeats_nothing(shape: &Shape) -> bool {
    match shape {
        Shape::Option(inner) | Shape::Boxed(inner) => repeats_nothing(&inner.shape),
        Shape::Seq(item) | Shape::Array(item, _) => {
            is_nothing(&item.shape) || repeats_nothing(&item.shape)
        }
        Shape::Map(key, value) => {
            let parts = [&key.shape, &value.shape];
            parts.into_iter().all(is_nothing) || parts.into_iter().any(repeats_nothing)
        }
        Shape::Enum { variants, .. } => variants.iter().any(|it| repeats_nothing(&it.shape)),
        shape => shape.fields().iter().any(|field| repeats_nothing(&field.schema.shape)),
    }
}

fn is_nothing(shape: &Shape) -> bool {
    match shape {
        Shape::Unit | Shape::UnitStruct | Shape::Array(_, 0) => true,
        Shape::Boxed(inner) | Shape::Array(inner, _) => is_nothing(&inner.shape),
        Shape::Tuple(fields) | Shape::Struct(fields) | Shape::TupleStruct(fields) => {
            fields.iter().all(|field| field.skip || is_nothing(&field.schema.shape))
        }
        _ => false,
    }
}
