//! What counts among the inputs of a module.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;

use semver::Version;

use super::*;
use crate::test_folder::TestFolder;

#[test]
fn everything_that_a_module_is_built_with_counts() {
    let folder = TestFolder::new("inputs");
    fs::write(folder.join("lib.rs"), "pub struct Thing(u32);").unwrap();
    let id = ModuleId::from("core_thing");
    let module = ModuleCrate {
        id: id.clone(),
        version: Version::new(0, 1, 0),
        folder: folder.clone(),
        links: BTreeSet::new(),
        libraries: BTreeSet::new(),
    };
    let members = Members { crates: [(id.clone(), module)].into(), ..Members::default() };
    let inputs_with = |api: &str, arguments: &[&str]| {
        let arguments = [&["rustc"], arguments].concat();
        let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        let environment = Vec::new();
        let recipe = Recipe { folder: folder.clone(), arguments, environment };
        let by_module = [(id.clone(), recipe)].into();
        let recipes = Recipes { by_module, api: api.to_owned(), ..Recipes::default() };
        let folders = Folders { workspace: folder.clone(), ..Folders::default() };
        let all = inputs(&folders, &members, &recipes, &BTreeMap::new());
        all.unwrap().remove(&id).unwrap()
    };
    let (one, same) = (inputs_with("one", &[]), inputs_with("one", &[]));
    let other = inputs_with("other", &[]);
    assert_eq!((&one.hash, &one.identity), (&same.hash, &same.identity));
    assert_ne!(one.hash, other.hash, "an rlib against the one does not fit the other");
    assert_eq!(one.identity, other.identity, "the types are the same");

    // In cargo's command: another release of a dependency, another feature.
    let dependency = |file: &str| inputs_with("one", &["--extern", file]).identity;
    let old = dependency("glam=target/debug/deps/libglam-0a.rlib");
    assert_eq!(old, dependency("glam=elsewhere/debug/deps/libglam-0a.rlib"));
    assert_ne!(old, dependency("glam=target/debug/deps/libglam-0b.rlib"));
    let feature = inputs_with("one", &["--cfg", "feature=\"wide\""]);
    assert_ne!(one.identity, feature.identity);
    for option in ["--edition=2021", "-Copt-level=2", "-Zshare-generics"] {
        assert_ne!(one.identity, inputs_with("one", &[option]).identity, "{option}");
    }
    // cargo's own names, and lints.
    for options in [
        &["-C", "metadata=0a"][..],
        &["-C", "extra-filename=-0a"],
        &["-Cincremental=x"],
        &["--out-dir", "x"],
        &["--warn=unused"],
        &["-W", "unused"],
        &["-L", "dependency=x"],
        &["--check-cfg", "cfg(docsrs)"],
        &["--error-format=json"],
    ] {
        assert_eq!(one.identity, inputs_with("one", options).identity, "{options:?}");
    }

    // A link to itself exists and cannot be read.
    symlink("round.rs", folder.join("round.rs")).unwrap();
    let round = inputs_with("one", &[]);
    let refused = round.refused.unwrap().to_string();
    assert!(refused.contains("H0106") && refused.contains("round.rs"), "{refused}");
    assert_ne!(round.hash, one.hash);
    fs::remove_file(folder.join("round.rs")).unwrap();
    assert_eq!(inputs_with("one", &[]).hash, one.hash);
}
