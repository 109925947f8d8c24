//! Manifests from bytes, one behind the other, and whether their modules go together.

#![no_main]

use std::collections::BTreeMap;
use std::fmt::Write;

use libfuzzer_sys::fuzz_target;
use playground_fuzz::MODULE;
use playground_fuzz::ids::ModuleId;
use playground_fuzz::inspect::{Manifest, check_graph};

/// Is in no manifest.
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

/// The module that a manifest says it is.
fn id(manifest: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(manifest).ok()?;
    text.lines().find_map(|line| line.strip_prefix("id "))
}

/// A manifest as `export_module!` would write it.
fn written(manifest: &Manifest) -> String {
    let Manifest { kind, id, version, abi, epoch, cores, requires, persisted, dropped } = manifest;
    let cores: Vec<String> = cores.iter().map(|(id, epoch)| format!("{id}={epoch}")).collect();
    let cores = if cores.is_empty() { "-".to_owned() } else { cores.join(",") };
    let mut text = format!(
        "kind {kind:?}\nid {id}\nversion {version}\nabi {abi}\nepoch {epoch}\ncores {cores}\n"
    );
    for (id, requirement) in requires {
        let _ = writeln!(text, "requires {id} {requirement}");
    }
    for ty in persisted {
        let _ = writeln!(text, "persist {ty}");
    }
    for ty in dropped {
        let _ = writeln!(text, "dropped {ty}");
    }
    text
}
