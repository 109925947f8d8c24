//! Codes, headlines and remedies of inspection's errors and warnings.

use super::{GraphError, HostError, InspectError, InspectWarning, MAX_FILE_BYTES, MIN_FILE_BYTES};
use crate::explain::{Explain, Explanation};
use crate::ids::ModuleId;

impl Explain for InspectWarning {
    fn explain(&self) -> Explanation {
        match self {
            Self::SearchPath { file, folders } => Explanation::new(
                "W0201",
                format!("{}: its library search path `{folders}` is not used", file.display()),
            ),
        }
    }
}

impl Explain for InspectError {
    fn explain(&self) -> Explanation {
        match self {
            Self::NoEpoch { file, id } => Explanation::new(
                "H0221",
                format!(
                    "{}: expected an epoch for `{id}`, found none: it was not built by a game, and its \
                     types cannot be told from those of other builds",
                    file.display()
                ),
            )
            .remedy(format!("Let the game build it: `reload {id}`")),
            Self::Size { file, found } => Explanation::new(
                "H0201",
                format!(
                    "{}: expected {MIN_FILE_BYTES} to {MAX_FILE_BYTES} bytes, found {found}",
                    file.display()
                ),
            )
            .remedy("Build the module again"),
            Self::NotElf { file, found } => Explanation::new(
                "H0202",
                format!(
                    "{}: expected an ELF file, found one that begins with {found:02x?}",
                    file.display()
                ),
            )
            .remedy("Build the module again"),
            Self::Machine { file, expected, found } => Explanation::new(
                "H0203",
                format!("{}: expected {expected}, found {found}", file.display()),
            )
            .remedy("Build the module for this machine"),
            Self::Malformed { file, what, expected, found } => Explanation::new(
                "H0204",
                format!("{}: {what}: expected {expected}, found {found}", file.display()),
            )
            .remedy("The file is damaged or not a module: build it again"),
            Self::Library { file, library, loaded } => Explanation::new(
                "H0205",
                format!(
                    "{}: expected only libraries that the game has loaded, found `{library}`{}",
                    file.display(),
                    similar(loaded.as_deref())
                ),
            )
            .remedy("Build the module with this game's toolchain and dependencies"),
            Self::NoExport { file, expected, found } => Explanation::new(
                "H0206",
                format!(
                    "{}: expected one symbol `{expected}`, found {}",
                    file.display(),
                    list(found)
                ),
            )
            .remedy("Put `export_module!` at the top of the crate's lib.rs"),
            Self::Export { file, expected, found } => Explanation::new(
                "H0207",
                format!(
                    "{}: PLAYGROUND_MODULE: expected {expected}, found {found}",
                    file.display()
                ),
            )
            .remedy("Build the module with this game's playground_api"),
            Self::Manifest { file, fault } => {
                Explanation::new("H0208", format!("{}: manifest: {fault}", file.display()))
                    .remedy("Correct `export_module!` and build the module again")
            }
            Self::Abi { file, expected, found } => Explanation::new(
                "H0209",
                format!("{}: expected ABI {expected}, found {found}", file.display()),
            )
            .remedy("Rebuild the module with this game's toolchain and playground_api"),
            Self::Symbols { file, count, first } => Explanation::new(
                "H0210",
                format!(
                    "{}: expected every symbol it uses in the game's libraries, found {count} that \
                     are not there: {}",
                    file.display(),
                    first.join(", ")
                ),
            )
            .remedy(match first.iter().find(|name| !name.contains("::") && *name != "``") {
                // Every name of Rust's has a path. Damaged files have symbols without a name.
                Some(name) => format!(
                    "{name} is not a Rust symbol: it belongs to a system library that a dependency of \
                     the module links to, and a module brings none along. Add that dependency to \
                     playground_api's, so that the game links to the library, and start the game again"
                ),
                None => "Rebuild the module with this game's dependencies and features".to_owned(),
            }),
            Self::Schemas { file, fault } => Explanation::new(
                "H0211",
                format!("{}: schemas of the persisted types: {fault}", file.display()),
            )
            .remedy("Build the module again"),
            Self::SchemaCount { file, expected, found } => Explanation::new(
                "H0212",
                format!(
                    "{}: expected a schema for each of {expected} persisted types, found {found}",
                    file.display()
                ),
            )
            .remedy("Build the module again"),
        }
    }
}

fn similar(loaded: Option<&str>) -> String {
    loaded.map_or_else(String::new, |loaded| format!(" (the game has `{loaded}`)"))
}

fn list(found: &[String]) -> String {
    if found.is_empty() { "none".into() } else { found.join(", ") }
}

impl Explain for GraphError {
    fn explain(&self) -> Explanation {
        match self {
            Self::Missing { id, required, requirement } => Explanation::new(
                "H0231",
                format!(
                    "module `{id}`: expected module `{required}` {requirement}, found none of that \
                     name"
                ),
            )
            .remedy("Add it under modules/, or remove it from `requires`"),
            Self::Version { id, required, requirement, found } => Explanation::new(
                "H0232",
                format!(
                    "module `{id}`: expected module `{required}` {requirement}, found version \
                     {found}"
                ),
            )
            .remedy("Change one of the two versions"),
            Self::Layer { id, required, found } => Explanation::new(
                "H0233",
                format!(
                    "core module `{id}`: expected only core modules in `requires`, found \
                     `{required}`, which is of kind {found}"
                ),
            )
            .remedy("Move what they share into a core module"),
            Self::Cycle { path } => Explanation::new(
                "H0234",
                format!("expected modules without a circle, found {}", circle(path)),
            )
            .remedy("Move what they share into a core module"),
        }
    }
}

/// `path`, without the middle of a long one.
fn circle(path: &[ModuleId]) -> String {
    let path: Vec<&str> = path.iter().map(ModuleId::as_str).collect();
    match path.as_slice() {
        [first @ .., _, _] if path.len() > 20 => {
            let last = path[path.len() - 2..].join(" → ");
            format!("{} → … {} more … → {last}", first[..10].join(" → "), path.len() - 12)
        }
        _ => path.join(" → "),
    }
}

impl Explain for HostError {
    fn explain(&self) -> Explanation {
        match self {
            Self::Read { file, source } => Explanation::new(
                "H0241",
                format!(
                    "{}: expected a readable file of the running game, found: {source}",
                    file.display()
                ),
            )
            .remedy("Start the game again"),
            Self::Replaced { file } => Explanation::new(
                "H0242",
                format!(
                    "{}: expected the file that the game was started with, found that it was \
                     replaced",
                    file.display()
                ),
            )
            .remedy("Start the game again with `cargo run`, so that all of it is of one build"),
            Self::Malformed { file, what, expected, found } => Explanation::new(
                "H0243",
                format!("{}: {what}: expected {expected}, found {found}", file.display()),
            )
            .remedy("Build the game again, with the default feature `hot`"),
            Self::Missing { file, library } => Explanation::new(
                "H0244",
                format!(
                    "{}: expected its library `{library}` in memory, found none of that name in \
                     /proc/self/maps",
                    file.display()
                ),
            )
            .remedy("Start the game again"),
        }
    }
}
