//! Writes the initial corpora of the fuzz targets to `corpus/`.

mod elf;

use std::collections::BTreeMap;
use std::path::Path;
use std::{fs, io};

use playground_derive::Persist;
use playground_fuzz::format::{self, Header, Saved, SavedModule, SavedStore, SavedType};
use playground_fuzz::inspect::{HostFacts, inspect};
use playground_fuzz::packs::{archive, manifest as manifest_of_pack, pack};
use playground_fuzz::{ABI, MODULE, codec};
use playground_schema::{Definition, Persist, Schema, Value, encode_schemas};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Persist, Default)]
#[persist(crate = playground_schema, fallback = "Idle")]
enum Mood {
    #[default]
    Idle,
    #[persist(rename = "Hunting")]
    Chasing(u64, Option<f32>),
    Talking {
        text: String,
        to: Vec<char>,
    },
}

#[derive(Serialize, Deserialize, Persist, Default)]
#[persist(crate = playground_schema)]
struct Tree {
    weight: i16,
    #[persist(recursive)]
    children: Vec<Tree>,
}

#[derive(Serialize, Deserialize, Persist, Default)]
#[persist(crate = playground_schema, version = 2, migrate = unchanged)]
#[persist(was = "core_old::Body", dropped("shield"))]
struct Body {
    #[persist(rename = "velocity")]
    speed: (f32, f64),
    #[serde(skip)]
    cache: u64,
    marks: [u8; 3],
    moods: Vec<Mood>,
    names: BTreeMap<String, i128>,
    #[serde(default)]
    maybe: Option<Box<u32>>,
    #[serde(with = "playground_schema::opaque")]
    handle: (u8, u8),
    tree: Tree,
    nothing: (),
}

fn unchanged(_: u32, value: Value) -> Result<Value, String> {
    Ok(value)
}

const SCHEMAS: [&Schema; 4] = [Body::REF, Tree::REF, Mood::REF, u8::REF];
const RANDOM_FILES: u64 = 48;

fn main() -> Result<(), String> {
    let write = |target: &str, seeds: Vec<Vec<u8>>| write(target, seeds).map_err(|e| e.to_string());
    let one_each = SCHEMAS.map(|schema| encode_schemas(&[schema]));
    write("schema_definition", [&one_each[..], &[encode_schemas(&SCHEMAS)]].concat())?;
    write("schema_convert", (1..=RANDOM_FILES).map(random).collect())?;
    write("snapshot_file", vec![snapshot()?])?;
    write("artifact", vec![artifact()?])?;
    write("pack", packs())?;
    let both = [manifest(MODULE), manifest("core_demo")].join("\0");
    write("manifest", vec![manifest(MODULE).into_bytes(), both.into_bytes()])
}

/// A pack, its archive and its manifest.
fn packs() -> Vec<Vec<u8>> {
    vec![pack(), archive().to_vec(), manifest_of_pack().render().expect("a manifest").into_bytes()]
}

fn write(target: &str, seeds: Vec<Vec<u8>>) -> io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    fs::create_dir_all(&folder)?;
    for (number, bytes) in seeds.into_iter().enumerate() {
        fs::write(folder.join(format!("seed_{number:02}")), bytes)?;
    }
    Ok(())
}

fn manifest(id: &str) -> String {
    let requires = if id == MODULE { "core_demo = \"^0.1\"\n" } else { "" };
    format!(
        r#"kind = "Core"
id = "{id}"
version = "0.1.2"
abi = "{ABI}"
epoch = "0123456789abcdef"
crate_epoch = "fedcba9876543210"
types = "Body 00112233445566aa {id}"
cores = {{ core_demo = "0123456789abcdef" }}
persist = ["Body", "Tree"]
dropped = ["core_demo::Shield"]

[requires]
{requires}"#
    )
}

/// A module that passes inspection for this process.
fn artifact() -> Result<Vec<u8>, String> {
    let bytes = elf::library(&manifest(MODULE), &encode_schemas(&SCHEMAS[..2]));
    let host = HostFacts::of_this_process(ABI).map_err(|error| error.to_string())?;
    let inspected = inspect(Path::new("seed"), bytes, &MODULE.into(), &host);
    inspected.map(|inspected| inspected.bytes().to_vec()).map_err(|error| error.to_string())
}

fn snapshot() -> Result<Vec<u8>, String> {
    let mut saved = Saved {
        header: Header {
            app: Some("apps_demo".into()),
            frame: 600,
            entities: 2,
            modules: vec![SavedModule {
                id: MODULE.into(),
                version: "0.1.2".into(),
                epoch: "0123456789abcdef".into(),
            }],
        },
        types: Vec::new(),
    };
    let stores = [SavedStore::Component, SavedStore::Resource, SavedStore::Scoped("Exit".into())];
    for (store, schema) in stores.into_iter().zip(SCHEMAS) {
        let mut values = Vec::new();
        for _ in 0..2 {
            match schema.name {
                Body::NAME => codec::encode_into(&body(), &mut values)?,
                Tree::NAME => codec::encode_into(&body().tree, &mut values)?,
                _ => codec::encode_into(&Mood::Chasing(7, None), &mut values)?,
            }
        }
        saved.types.push(SavedType {
            module: MODULE.into(),
            store,
            definition: Definition::of(schema),
            schema: encode_schemas(&[schema]),
            entities: vec![1, 1 << 40],
            values,
        });
    }
    let bytes = format::write(&saved).map_err(|error| error.to_string())?;
    format::parse(&bytes).map_err(|error| error.to_string())?;
    Ok(bytes)
}

fn body() -> Body {
    let leaf = || Tree { weight: -1, children: Vec::new() };
    Body {
        moods: vec![Mood::Idle, Mood::Talking { text: "hi".into(), to: vec!['ä'] }],
        names: BTreeMap::from([("a".into(), i128::MIN)]),
        maybe: Some(Box::new(70_000)),
        tree: Tree { weight: 300, children: vec![leaf(), leaf()] },
        ..Body::default()
    }
}

/// 600 pseudo-random bytes (xorshift).
fn random(seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    (0..75).flat_map(|_| next()).collect()
}
