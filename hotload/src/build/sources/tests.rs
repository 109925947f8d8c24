use std::fs;

use super::*;
use crate::test_folder::TestFolder;

/// A crate in a temporary folder.
struct Crate {
    folder: PathBuf,
    _owner: Option<TestFolder>,
}

impl Crate {
    fn new(name: &str) -> Self {
        let folder = TestFolder::new(name);
        Self { folder: folder.clone(), _owner: Some(folder) }
    }

    fn write(&self, name: &str, text: &str) -> &Self {
        let path = self.folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    fn read(&self, known: Option<&DepInfo>, all: bool) -> Sources {
        let recipe = Recipe {
            folder: self.folder.clone(),
            arguments: vec!["rustc".into(), "--crate-name".into(), "x".into(), "src/lib.rs".into()],
            environment: vec![("SET".into(), "1".into())],
        };
        Sources::read(&self.folder, &recipe, known, all).unwrap()
    }

    fn rust(&self, known: Option<&DepInfo>) -> Vec<String> {
        self.read(known, false).rust.iter().map(|(path, _)| path.display().to_string()).collect()
    }

    fn others(&self, sources: &Sources) -> Vec<String> {
        let paths = sources.others.keys();
        paths
            .map(|path| path.strip_prefix(&self.folder).unwrap_or(path).display().to_string())
            .collect()
    }
}

#[test]
fn files_that_a_mod_names_count_and_notes_beside_them_do_not() {
    let it = Crate::new("named");
    it.write("src/lib.rs", "mod a; mod target; mod_list! { c }").write("src/a/mod.rs", "mod b;");
    it.write("src/a/b.rs", "").write("src/target/mod.rs", "mod lock;").write("src/c.rs", "");
    it.write("src/target/lock.rs", "").write("src/old.rs", "").write("src/#lib.rs#", "");
    it.write("src/lib.rs.orig", "").write("NOTES.md", "").write("target/debug/x.rs", "mod y;");
    let named =
        ["src/a/b.rs", "src/a/mod.rs", "src/lib.rs", "src/target/lock.rs", "src/target/mod.rs"];
    assert_eq!(it.rust(None), named);
    // A macro declares `c`: rustc says so.
    let known = DepInfo { files: [it.folder.join("src/c.rs")].into(), ..DepInfo::default() };
    let mut with_c = named.to_vec();
    with_c.insert(2, "src/c.rs");
    assert_eq!(it.rust(Some(&known)), with_c);
    assert!(it.read(None, false).others.is_empty());
}

#[test]
fn a_path_attribute_may_name_any_file() {
    let it = Crate::new("path");
    it.write("src/lib.rs", "#[path = \"x/y.rs\"] mod z;").write("src/x/y.rs", "").write("z.rs", "");
    assert_eq!(it.rust(None), ["src/lib.rs", "src/x/y.rs", "z.rs"]);
}

#[test]
fn what_rustc_read_elsewhere_counts_as_a_whole() {
    let it = Crate::new("whole");
    it.write("module/src/lib.rs", "include!(\"../../shared/a.rs\"); mod b;");
    it.write("shared/a.rs", "1").write("shared/b.in", "1").write("module/src/b.rs", "");
    let module = Crate { folder: it.folder.join("module"), _owner: None };
    let known = DepInfo {
        files: [module.folder.join("src/../../shared/b.in"), module.folder.join("src/b.rs")].into(),
        variables: ["SET".into(), "UNSET_BY_ALL".into(), "PLAYGROUND_EPOCH".into()].into(),
    };
    let before = module.read(Some(&known), false);
    let paths: Vec<PathBuf> =
        ["a.rs", "b.in"].map(|name| it.folder.join("shared").join(name)).into();
    assert!(before.others.keys().eq(&paths), "{before:?}");
    let variables: Vec<(&str, Option<&str>)> =
        before.variables.iter().map(|(name, value)| (&**name, value.as_deref())).collect();
    let (set, unset) = (("SET", Some("1")), ("UNSET_BY_ALL", None));
    assert!(variables.contains(&set) && variables.contains(&unset), "{variables:?}");
    assert!(!variables.iter().any(|(name, _)| name.starts_with("PLAYGROUND")));

    assert!(are_unchanged(&before.stamps));
    it.write("shared/b.in", "2");
    assert!(!are_unchanged(&before.stamps));
    let after = module.read(Some(&known), false);
    assert_ne!(after.salt(&it.folder), before.salt(&it.folder));
    fs::remove_file(it.folder.join("shared/a.rs")).unwrap();
    assert!(!are_unchanged(&after.stamps));
    let missing = module.read(Some(&known), false);
    assert_eq!(missing.others[&paths[0]], None);
    std::mem::forget(module);
}

#[test]
fn after_a_failure_any_file_may_be_the_one_that_is_missing() {
    let it = Crate::new("failed");
    it.write("src/lib.rs", "names! { \"data.txt\" }").write("NOTES.md", "");
    let before = it.read(None, true);
    assert_eq!(before.beside.len(), 1);
    it.write("src/data.txt", "");
    assert_eq!(it.read(None, true).beside.len(), 2);
    assert!(it.read(None, false).beside.is_empty());
    assert_eq!(it.others(&it.read(None, false)), [""; 0]);
}
