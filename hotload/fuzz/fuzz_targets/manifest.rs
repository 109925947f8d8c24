//! Parses concatenated manifests from arbitrary bytes, and checks the graph of their modules.

#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use playground_fuzz::MODULE;
use playground_fuzz::ids::ModuleId;
use playground_fuzz::inspect::{Manifest, check_graph};
use toml::Table;

/// Separates the manifests; occurs in none.
const BETWEEN: u8 = 0;

fuzz_target!(|bytes: &[u8]| {
    let mut modules = BTreeMap::new();
    for part in bytes.split(|byte| *byte == BETWEEN) {
        let id = ModuleId::from(id(part).unwrap_or(MODULE));
        match Manifest::parse(part, &id) {
            Ok(manifest) => {
                assert_eq!(manifest.id, id);
                assert_eq!(
                    Manifest::parse(written(&manifest).as_bytes(), &id).as_ref(),
                    Ok(&manifest)
                );
                modules.insert(id, manifest);
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
    match check_graph(&modules) {
        Ok(order) => {
            assert_eq!(order.len(), modules.len());
            for (at, id) in order.iter().enumerate() {
                let before = |required| order[..at].contains(required);
                assert!(modules[id].requires.keys().all(before), "{order:?}");
            }
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});

/// The module id in a manifest, found without parsing.
fn id(manifest: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(manifest).ok()?;
    text.lines().find_map(|line| line.strip_prefix("id = \"")?.strip_suffix('"'))
}

/// Serializes a manifest to TOML.
fn written(manifest: &Manifest) -> String {
    let Manifest {
        kind,
        id,
        version,
        abi,
        epoch,
        crate_epoch,
        types,
        cores,
        requires,
        persisted,
        dropped,
    } = manifest;
    let table = |entries: Vec<(String, String)>| {
        entries.into_iter().map(|(key, value)| (key, value.into())).collect::<Table>()
    };
    let cores = cores.iter().map(|(id, epoch)| (id.to_string(), epoch.to_string()));
    let requires = requires.iter().map(|(id, version)| (id.to_string(), version.to_string()));
    let types = types.iter().map(|(name, epoch)| format!("{name} {epoch} {id}"));
    let mut document = table(vec![
        ("kind".into(), format!("{kind:?}")),
        ("id".into(), id.to_string()),
        ("version".into(), version.to_string()),
        ("abi".into(), abi.to_string()),
        ("epoch".into(), epoch.to_string()),
        ("crate_epoch".into(), crate_epoch.to_string()),
    ]);
    document.insert("types".into(), types.collect::<Vec<_>>().join("\n").into());
    document.insert("cores".into(), table(cores.collect()).into());
    document.insert("requires".into(), table(requires.collect()).into());
    document.insert("persist".into(), persisted.clone().into());
    document.insert("dropped".into(), dropped.clone().into());
    document.to_string()
}
