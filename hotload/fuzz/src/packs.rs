//! A pack to begin with.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use playground_pack::manifest::{FORMAT, library_path};
use playground_pack::{File, Hash, Kind, Manifest, Module, Target, Writer};

const TRIPLE: &str = "x86_64-unknown-linux-gnu";
const MODULE: &str = "systems_demo";

/// A small manifest.
pub fn manifest() -> Manifest {
    let files = [("README.md".to_owned(), README), (library_path(TRIPLE, MODULE), LIBRARY)];
    let file = |(path, content): (String, &[u8])| File {
        path,
        size: content.len() as u64,
        blake3: Hash::of(content),
    };
    Manifest {
        format: FORMAT,
        id: "demo".to_owned(),
        version: semver::Version::new(0, 1, 0),
        title: "Demo".to_owned(),
        authors: Vec::new(),
        licence: "MIT".to_owned(),
        description: "Two\nlines.".to_owned(),
        host: semver::VersionReq::STAR,
        api: semver::VersionReq::STAR,
        publisher: None,
        targets: vec![Target { triple: TRIPLE.to_owned(), abi: "0a".to_owned() }],
        modules: vec![Module {
            id: MODULE.to_owned(),
            kind: Kind::Systems,
            version: semver::Version::new(0, 1, 0),
            requires: BTreeMap::from([("core_demo".to_owned(), semver::VersionReq::STAR)]),
            optional: BTreeMap::new(),
            conflicts: BTreeMap::new(),
            after: BTreeSet::from(["systems_other".to_owned()]),
            before: BTreeSet::new(),
        }],
        files: files.map(file).into(),
    }
}

const README: &[u8] = b"# Demo";
const LIBRARY: &[u8] = &[7; 700];

/// The pack of that manifest.
pub fn pack() -> Vec<u8> {
    let mut writer = Writer::begin(Vec::new(), &manifest(), None).expect("a manifest");
    for content in [README, LIBRARY] {
        writer.file(content).expect("a file of it");
    }
    writer.finish().expect("memory is written")
}

/// The archive in that pack.
pub fn archive() -> &'static [u8] {
    static ARCHIVE: OnceLock<Vec<u8>> = OnceLock::new();
    ARCHIVE.get_or_init(|| zstd::decode_all(pack().as_slice()).expect("a pack"))
}
