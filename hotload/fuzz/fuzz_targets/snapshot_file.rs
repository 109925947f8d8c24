//! Parses snapshots from arbitrary bytes, with and without a valid checksum.

#![no_main]

use arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use playground_fuzz::format::{
    self, FormatError, Header, Saved, SavedModule, SavedStore, SavedType,
};
use playground_schema::{Definition, Persist, Schema, TypeChange, decode, encode_schemas};

const HASH_BYTES: usize = 32;
/// A few types of values; other targets cover more.
const SCHEMAS: [&Schema; 4] =
    [u8::REF, <(u8, f32)>::REF, <Vec<Option<String>>>::REF, <[Box<char>; 2]>::REF];

fuzz_target!(|bytes: &[u8]| {
    check(bytes);
    if let Some(sealed) = sealed(bytes) {
        assert_ne!(check(&sealed), Some(FormatError::Damaged(CHECKSUM)));
    }
    if let Ok(saved) = written(&mut Unstructured::new(bytes)) {
        let bytes = format::write(&saved).expect("a table");
        assert_eq!(format::parse(&bytes).as_ref(), Ok(&saved));
    }
});

const CHECKSUM: &str = "its checksum does not match its content";

fn check(bytes: &[u8]) -> Option<FormatError> {
    match format::parse(bytes) {
        Ok(saved) => {
            for ty in saved.types {
                let _shown = decode(&ty.values, &ty.definition).map(|value| value.to_string());
                assert!(TypeChange::between(&ty.definition, &ty.definition).identical);
            }
            None
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            Some(error)
        }
    }
}

/// The bytes with a valid checksum.
fn sealed(bytes: &[u8]) -> Option<Vec<u8>> {
    let body = bytes.get(..bytes.len().checked_sub(HASH_BYTES)?)?;
    Some([body, blake3::hash(body).as_bytes()].concat())
}

/// A snapshot that the game could have written, with the schemas of its types.
fn written(u: &mut Unstructured<'_>) -> Result<Saved> {
    let modules = u.arbitrary::<Vec<(String, String, String)>>()?.into_iter();
    let modules = modules.map(|(id, version, epoch)| SavedModule {
        id: id.into(),
        version,
        epoch: epoch.into(),
    });
    let header = Header {
        app: u.arbitrary::<Option<String>>()?.map(Into::into),
        frame: u.arbitrary()?,
        entities: u.arbitrary()?,
        modules: modules.collect(),
    };
    let mut saved = Saved { header, types: Vec::new() };
    for _ in 0..u.int_in_range(0..=3)? {
        let schema = *u.choose(&SCHEMAS)?;
        saved.types.push(SavedType {
            module: u.arbitrary::<String>()?.into(),
            store: match u.int_in_range(0..=5_u8)? {
                0 => SavedStore::Component,
                1 => SavedStore::Resource,
                2 => SavedStore::State,
                3 => SavedStore::NextState,
                4 => SavedStore::Scoped(u.arbitrary()?),
                _ => SavedStore::Messages,
            },
            definition: Definition::of(schema),
            schema: encode_schemas(&[schema]),
            entities: u.arbitrary()?,
            values: u.arbitrary()?,
        });
    }
    Ok(saved)
}
