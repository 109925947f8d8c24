//! Random edits of random crates, with rustc as the judge: types that are the same for Rust before
//! and after an edit have the same layout.
//!
//! Most types of std have their arguments in their `TypeId`s. What is searched for are types with
//! another content under the same name and path in a crate of the same epoch.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::sync::Arc;

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

use super::*;
use crate::build::{DepInfo, Inputs, Recipes, inputs, recipe::Recipe};
use crate::test_folder::TestFolder;
use crate::workspace::{Folders, Members, ModuleCrate};
use model::{About, Pair};

mod contents;
mod model;

/// The layouts of types by `TypeId` and name.
type Layouts = BTreeMap<String, String>;

/// Compiles pairs of crates in one folder, as the pipeline does.
struct Workspace {
    folder: TestFolder,
    written: BTreeMap<PathBuf, String>,
    /// The hash of the inputs of the core that is built.
    built: String,
    members: Members,
    recipes: Recipes,
}

/// The identities of the types of a pair.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Identities {
    core: Arc<Identity>,
    own: Arc<Identity>,
}

impl Identities {
    fn of(known: &BTreeMap<ModuleId, Inputs>) -> Self {
        let of = |id: &str| known[&ModuleId::from(id)].identity.clone();
        Self { core: of("core_x"), own: of("systems_y") }
    }
}

impl Workspace {
    fn new(name: &str) -> Self {
        let folder = TestFolder::new(name);
        fs::create_dir(folder.join("built")).unwrap();
        let (mut members, mut recipes) = (Members::default(), Recipes::default());
        for (id, kind, links) in [("core_x", "rlib", &[][..]), ("systems_y", "bin", &["core_x"])] {
            let id = ModuleId::from(id);
            let links = links.iter().map(|&link| ModuleId::from(link)).collect();
            let module = ModuleCrate {
                folder: folder.join(id.as_str()),
                links,
                libraries: BTreeSet::new(),
                id: id.clone(),
                version: semver::Version::new(0, 1, 0),
            };
            members.crates.insert(id.clone(), module);
            let root = format!("{id}/src/lib.rs");
            let mut arguments = vec!["rustc", "--edition=2024", "--crate-type", kind];
            arguments.extend(["--crate-name", id.as_str(), &root, "--out-dir", "built"]);
            arguments.extend(["--extern", "playground_api=built/libplayground_api.rlib"]);
            arguments.extend(["-L", "built"]);
            if kind == "bin" {
                arguments.extend(["--extern", "core_x=built/libcore_x.rlib"]);
            }
            let arguments = arguments.into_iter().map(str::to_owned).collect();
            let recipe = Recipe { folder: folder.clone(), arguments, environment: Vec::new() };
            recipes.by_module.insert(id, recipe);
        }
        attributes(&folder);
        Self { folder, written: BTreeMap::new(), built: String::new(), members, recipes }
    }

    /// Writes the files that differ from those of the last pair.
    fn write(&mut self, pair: &Pair) {
        let files = pair.files();
        for (path, text) in
            files.iter().filter(|(path, text)| self.written.get(*path) != Some(text))
        {
            let path = self.folder.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        for path in self.written.keys().filter(|path| !files.contains_key(*path)) {
            fs::remove_file(self.folder.join(path)).unwrap();
        }
        self.written = files;
    }

    fn rustc(&self, id: &str, options: &[&str], types: &str) -> Result<(), TestCaseError> {
        let recipe = &self.recipes.by_module[&ModuleId::from(id)];
        let mut rustc = Command::new(&recipe.arguments[0]);
        rustc.args(&recipe.arguments[1..]).args(options).current_dir(&self.folder);
        rustc.env("PLAYGROUND_TYPES", types);
        let output = rustc.output().unwrap();
        let errors = || TestCaseError::fail(String::from_utf8_lossy(&output.stderr).into_owned());
        if output.status.success() { Ok(()) } else { Err(errors()) }
    }

    /// The identities in the crates as they are written, with what rustc reads of them. Builds the
    /// core.
    fn identities(
        &mut self,
        known: &mut BTreeMap<ModuleId, Inputs>,
    ) -> Result<Identities, TestCaseError> {
        self.read(known, "core_x")?;
        let core = known[&ModuleId::from("core_x")].clone();
        let hash = core.hash.to_string();
        if self.built != hash {
            self.compile("core_x", &core.identity)?;
            self.built = hash;
        }
        self.read(known, "systems_y")?;
        Ok(Identities::of(known))
    }

    fn compile(&self, id: &str, identity: &Identity) -> Result<(), TestCaseError> {
        let metadata = format!("-Cmetadata={}", identity.crate_epoch);
        self.rustc(id, &[&metadata], &identity.own_types(id))
    }

    /// Reads the inputs with what rustc says that a crate is made of.
    fn read(&self, known: &mut BTreeMap<ModuleId, Inputs>, id: &str) -> Result<(), TestCaseError> {
        let folders = Folders { workspace: self.folder.clone(), ..Folders::default() };
        let mut all = inputs(&folders, &self.members, &self.recipes, known).unwrap();
        self.rustc(id, &["--emit=dep-info=read.d"], "")?;
        let read = DepInfo::read(&self.folder.join("read.d"), &self.folder).unwrap();
        all.get_mut(&ModuleId::from(id)).unwrap().known = Some(Arc::new(read));
        *known = inputs(&folders, &self.members, &self.recipes, &all).unwrap();
        Ok(())
    }

    /// Compiles and runs the dependent.
    fn layouts(&self, identities: &Identities) -> Result<Layouts, TestCaseError> {
        self.compile("systems_y", &identities.own)?;
        let output = Command::new(self.folder.join("built/systems_y")).output().unwrap();
        assert!(output.status.success());
        let text = String::from_utf8(output.stdout).unwrap();
        let lines = text.lines().filter_map(|line| line.rsplit_once('\t'));
        Ok(lines.map(|(id, layout)| (id.to_owned(), layout.to_owned())).collect())
    }
}

/// Compiles a crate that has the API's attributes under the API's name.
fn attributes(folder: &Path) {
    let program = std::env::current_exe().unwrap();
    let libraries = program.parent().unwrap();
    let files = fs::read_dir(libraries).unwrap().map(|entry| entry.unwrap().path());
    let is_derive = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("libplayground_derive-") && name.ends_with(".so")
    };
    let newest =
        files.filter(is_derive).max_by_key(|path| path.metadata().unwrap().modified().unwrap());
    let derive = newest.expect("cargo builds the derive for the API");
    fs::copy(derive, folder.join("built/libplayground_derive.so")).unwrap();
    let text = "pub mod prelude { pub use playground_derive::{own_identity, persist}; }";
    fs::write(folder.join("attributes.rs"), text).unwrap();
    let mut rustc = Command::new("rustc");
    rustc.args(["--edition=2024", "--crate-type=rlib", "--crate-name=playground_api"]);
    rustc.args(["--extern", "playground_derive=built/libplayground_derive.so"]);
    rustc.args(["--out-dir", "built", "attributes.rs"]);
    assert!(rustc.current_dir(folder).status().unwrap().success());
}

/// The lines that differ.
fn differences(before: &BTreeMap<PathBuf, String>, after: &BTreeMap<PathBuf, String>) -> String {
    let mut text = String::new();
    for (path, before) in before {
        let after = after.get(path).map_or("", String::as_str);
        let (before, after): (Vec<_>, Vec<_>) = (before.lines().collect(), after.lines().collect());
        let removed = before.iter().filter(|line| !after.contains(line)).map(|line| ('-', line));
        let added = after.iter().filter(|line| !before.contains(line)).map(|line| ('+', line));
        let changed: Vec<_> = removed.chain(added).collect();
        let lines = changed.iter().map(|(mark, line)| format!("{mark} {line}\n"));
        if !changed.is_empty() {
            text += &format!("{}\n{}", path.display(), lines.collect::<String>());
        }
    }
    text
}

#[derive(Debug, Default)]
struct Count {
    edits: usize,
    /// Those that kept all identities.
    kept: usize,
    /// Those that kept only the core's.
    kept_core: usize,
    /// Those that changed nothing but identities that types have of their own.
    of_own_types: usize,
    /// Types of edits that kept an epoch.
    types: usize,
    /// A fault was found; what is counted after that belongs to making it smaller.
    found: bool,
}

/// Tries `sources` random pairs of crates with up to `edits` edits of each.
fn search(name: &str, about: About, seed: u64, sources: u32, edits: usize) -> Count {
    let mut count = Count::default();
    let mut workspace = Workspace::new(name);
    let config = Config {
        cases: sources,
        max_shrink_iters: 40,
        failure_persistence: None,
        ..Config::default()
    };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let cells = std::cell::RefCell::new((&mut count, &mut workspace));
    let result =
        TestRunner::new_with_rng(config, rng).run(&model::edits(about, edits), |(pair, edits)| {
            let (count, workspace) = &mut *cells.borrow_mut();
            workspace.write(&pair);
            let mut known = BTreeMap::new();
            let before = workspace.identities(&mut known)?;
            let old = workspace.layouts(&before)?;
            for edit in &edits {
                let edited = pair.edited(edit);
                let changes = differences(&pair.files(), &edited.files());
                if changes.is_empty() {
                    continue;
                }
                count.edits += 1;
                workspace.write(&edited);
                let after = workspace.identities(&mut known)?;
                count.kept += usize::from(after == before);
                count.kept_core +=
                    usize::from(after.core == before.core && after.own != before.own);
                let crates =
                    |of: &Identities| (of.core.crate_epoch.clone(), of.own.crate_epoch.clone());
                let (old_crates, new_crates) = (crates(&before), crates(&after));
                count.of_own_types += usize::from(after != before && old_crates == new_crates);
                // No type of the crates is the same.
                if old_crates.0 != new_crates.0 && old_crates.1 != new_crates.1 {
                    continue;
                }
                let new = workspace.layouts(&after)?;
                count.types += old.len();
                for (name, old) in &old {
                    let Some(new) = new.get(name).filter(|new| *new != old) else { continue };
                    let found = format!("{name}\nwas {old}\nis {new}\nafter the edit\n{changes}");
                    // Before it is made smaller, which takes a while.
                    if !std::mem::replace(&mut count.found, true) {
                        println!("seed {seed}, {count:?}: {found}");
                    }
                    return Err(TestCaseError::fail(format!("{found}of\n{:#?}", pair.files())));
                }
            }
            Ok(())
        });
    if let Err(error) = result {
        panic!(
            "seed {seed}, {count:?}: {}",
            error.to_string().replace("\\n", "\n").replace("\\\"", "\"")
        );
    }
    count
}

#[test]
fn every_content_compiles_and_is_reported() {
    for item_macros in [true, false] {
        let mut workspace = Workspace::new("oracle-all");
        workspace.write(&Pair::of_everything(3, item_macros));
        let result =
            workspace.identities(&mut BTreeMap::new()).and_then(|all| workspace.layouts(&all));
        assert!(result.unwrap_or_else(|error| panic!("{error}")).len() > 80);
        let mut known = BTreeMap::new();
        let identities = workspace.identities(&mut known).unwrap_or_else(|error| panic!("{error}"));
        let own = identities.core.types.len() + identities.own.types.len();
        assert_eq!(own > 20, !item_macros, "{own} types have identities of their own");
    }
}

#[test]
fn types_that_stay_the_same_keep_their_layout() {
    let count = search("oracle", About::All, 11, 8, 6);
    println!("{count:?}");
    assert!(count.kept * 6 >= count.edits && count.types > 50, "{count:?}");
}

#[test]
fn types_with_an_identity_of_their_own_that_stay_the_same_keep_their_layout() {
    let count = search("oracle-own", About::OwnIdentities, 11, 6, 8);
    println!("{count:?}");
    assert!(count.of_own_types * 5 >= count.edits && count.types > 50, "{count:?}");
}

/// A long search: `ORACLE=seed,sources cargo test -p playground_hotload --lib -- --ignored --nocapture for_long`.
#[test]
#[ignore = "takes as long as it is told to"]
fn types_that_stay_the_same_keep_their_layout_for_long() {
    let wanted = std::env::var("ORACLE").unwrap_or_default();
    let mut numbers = wanted.split(',').filter_map(|number| number.parse().ok());
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let (seed, sources) = (numbers.next().unwrap_or(now), numbers.next().unwrap_or(100));
    println!("ORACLE={seed},{sources}");
    for about in [About::OwnIdentities, About::All] {
        println!("{:?}", search("oracle-long", about, seed, sources as u32, 12));
    }
}
