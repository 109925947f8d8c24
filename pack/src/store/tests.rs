//! Packs that are installed, updated, refused and removed in a real folder.

use std::os::unix::fs::MetadataExt;

use super::*;
use crate::archive::Reader;
use crate::archive::tests::{TestFolder, packed};
use crate::manifest::tests::sample;
use crate::sign::SigningKey;

/// A store, a folder for packed files, and two publishers.
struct Setup {
    folder: TestFolder,
    store: Store,
    keys: [SigningKey; 2],
}

const NOTHING: Permissions = Permissions { trust: false, developer: false, downgrade: false };
const TRUST: Permissions = Permissions { trust: true, ..NOTHING };
const DEVELOPER: Permissions = Permissions { developer: true, ..NOTHING };

impl Setup {
    fn new(name: &str) -> Self {
        let folder = TestFolder::new(name);
        let key = |name: &str| {
            let path = folder.0.join(name);
            SigningKey::create(&path, "").unwrap();
            SigningKey::read(&path, || Ok(String::new())).unwrap()
        };
        let keys = [key("one"), key("other")];
        Self { store: Store::new(folder.0.join("store")), keys, folder }
    }

    /// Writes a version of the sample, signed by one of the publishers.
    fn file(&self, version: &str, publisher: Option<usize>, title: &str) -> PathBuf {
        let mut manifest = sample();
        manifest.version = version.parse().unwrap();
        manifest.title = title.to_owned();
        let sign = |publisher: usize| self.keys[publisher].sign(&mut manifest, "Somebody").unwrap();
        let signature = publisher.map(sign);
        let file = self.folder.0.join(format!("{version}.pgpack"));
        fs::write(&file, packed(&manifest, signature.as_deref())).unwrap();
        file
    }

    fn install(&self, file: &Path, permissions: Permissions) -> Result<Installed, StoreError> {
        self.store.stage(Reader::open(file)?, permissions)?.install()
    }

    #[track_caller]
    fn refused(&self, file: &Path, permissions: Permissions, expected: &str) {
        let before = self.names();
        let error = self.install(file, permissions).expect_err("a refusal").to_string();
        assert!(error.contains(expected), "{error}");
        assert_eq!(self.names(), before, "something was left behind");
    }

    /// All folders and the list of the store.
    fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        let mut open = vec![self.store.folder().to_owned()];
        while let Some(folder) = open.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                let path = entry.path();
                let name = path.strip_prefix(self.store.folder()).unwrap();
                // Its name ends with a hash.
                let name = name.display().to_string();
                names.push(name.split_once('-').map_or(name.clone(), |(name, _)| name.to_owned()));
                let is_version = name.contains('/');
                open.extend(Some(path).filter(|path| path.is_dir() && !is_version));
            }
        }
        names.sort();
        names
    }

    fn entry(&self) -> Entry {
        self.store.list().unwrap().entry("boss_wave").unwrap().clone()
    }
}

#[test]
fn a_pack_is_there_as_a_whole() {
    let setup = Setup::new("whole");
    assert_eq!(setup.store.list().unwrap(), List::default());
    let file = setup.file("1.2.0", Some(0), "Boss wave");
    let installed = setup.install(&file, TRUST).unwrap();
    assert_eq!(setup.names(), ["boss_wave", "boss_wave/1.2.0", "lock", "packs.toml"]);
    let entry = setup.entry();
    assert!(entry.is_on && entry.earlier.is_none() && entry.problem.is_none());
    let read = setup.store.verify("boss_wave", &entry).unwrap();
    assert_eq!((read.manifest, &read.folder), (installed.manifest, &installed.folder));
    // Installed once more, it is as it was: whoever is killed meanwhile has taken nothing apart.
    let inode = || fs::metadata(&installed.folder).unwrap().ino();
    let before = inode();
    setup.install(&file, NOTHING).unwrap();
    assert_eq!((setup.entry(), inode()), (entry.clone(), before));
    // Damaged files are found, and replaced.
    fs::write(installed.folder.join("assets/boss/wave.toml"), "size = 4\n").unwrap();
    let error = setup.store.verify("boss_wave", &entry).unwrap_err().to_string();
    assert!(error.contains("wave.toml` has other content"), "{error}");
    fs::remove_file(installed.folder.join("icon.png")).unwrap();
    setup.install(&file, NOTHING).unwrap();
    setup.store.verify("boss_wave", &entry).unwrap();
    // A manifest that was changed is not that of the signature.
    let manifest = installed.folder.join(MANIFEST);
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, text.replace("Boss wave", "Boss WAVE")).unwrap();
    assert!(setup.store.read("boss_wave", &entry).is_err());
    fs::write(&manifest, text).unwrap();
    fs::remove_file(installed.folder.join(SIGNATURE)).unwrap();
    assert!(setup.store.read("boss_wave", &entry).is_err());
    setup.store.change(|list| list.remove("boss_wave")).unwrap();
    assert_eq!(setup.names(), ["lock", "packs.toml"]);
    let error = setup.store.change(|list| list.remove("boss_wave")).unwrap_err();
    assert_eq!(error.to_string(), "no pack `boss_wave` is installed");
}

#[test]
fn the_player_decides_once_about_a_publisher() {
    let setup = Setup::new("trust");
    let first = setup.file("1.0.0", Some(0), "Boss wave");
    let error = setup.install(&first, NOTHING).unwrap_err();
    let StoreError::UnknownPublisher { manifest } = error else { panic!("{error}") };
    assert_eq!(manifest.publisher.unwrap().name, "Somebody");
    // `--developer` says nothing about publishers.
    setup.refused(&first, DEVELOPER, "a publisher that you do not know");
    setup.install(&first, TRUST).unwrap();
    setup.install(&setup.file("1.1.0", Some(0), "Boss wave"), NOTHING).unwrap();
    // Somebody else cannot replace it, even if he is trusted.
    let others = setup.file("1.2.0", Some(1), "Boss wave");
    setup.refused(&others, NOTHING, "a publisher that you do not know");
    setup.refused(&others, TRUST, "is signed with the key");
    let unsigned = setup.file("1.3.0", None, "Boss wave");
    setup.refused(&unsigned, NOTHING, "is not signed");
    setup.refused(
        &unsigned,
        DEVELOPER,
        "1.3.0 is not signed, and the installed version is signed with",
    );
    // A refused pack trusts nobody.
    assert_eq!(setup.store.list().unwrap().keys.len(), 1);
    setup.store.change(|list| list.remove("boss_wave")).unwrap();
    setup.install(&unsigned, DEVELOPER).unwrap();
    // Revoked, by the short id that is shown.
    let key = setup.store.list().unwrap().keys.keys().next().unwrap().clone();
    let id = crate::Publisher { name: String::new(), key }.key_id().unwrap();
    let revoke = |list: &mut List| {
        list.key(&id.to_lowercase())?.is_trusted = false;
        Ok(())
    };
    setup.store.change(revoke).unwrap();
    let newer = setup.file("2.0.0", Some(0), "Boss wave");
    setup.refused(&newer, TRUST, "which is revoked");
    let unknown = |list: &mut List| list.key("RWnothing").map(|_| ());
    assert!(setup.store.change(unknown).unwrap_err().to_string().contains("of no publisher"));
}

#[test]
fn only_newer_versions_replace_a_pack() {
    let setup = Setup::new("versions");
    setup.install(&setup.file("1.1.0", Some(0), "Boss wave"), TRUST).unwrap();
    let old = setup.file("1.0.0", Some(0), "Boss wave");
    setup.refused(&old, NOTHING, "is older than the installed 1.1.0");
    setup.refused(&old, DEVELOPER, "is older than the installed 1.1.0");
    let other = setup.file("1.1.0", Some(0), "Boss waves");
    setup.refused(&other, NOTHING, "has other content");
    setup.install(&other, DEVELOPER).unwrap();
    setup.install(&setup.file("1.2.0", Some(0), "Boss wave"), NOTHING).unwrap();
    setup.install(&setup.file("1.3.0", Some(0), "Boss wave"), NOTHING).unwrap();
    // The one before is kept, and no more.
    let names = ["boss_wave", "boss_wave/1.2.0", "boss_wave/1.3.0", "lock", "packs.toml"];
    assert_eq!(setup.names(), names);
    let place = |setup: &Setup| setup.store.read("boss_wave", &setup.entry()).unwrap().folder;
    let failed = place(&setup);
    let back = setup.store.go_back("boss_wave", &failed, "it panicked").unwrap();
    assert_eq!(back, Some((Version::new(1, 2, 0), true)));
    assert_eq!(setup.entry().problem.as_deref(), Some("1.3.0: it panicked"));
    setup.store.verify("boss_wave", &setup.entry()).unwrap();
    // Other content is installed by now: nothing to go back from.
    assert_eq!(setup.store.go_back("boss_wave", &failed, "again").unwrap(), None);
    assert_eq!(setup.entry().problem.as_deref(), Some("1.3.0: it panicked"));
    // There is no earlier one any more.
    let failed = place(&setup);
    let back = setup.store.go_back("boss_wave", &failed, "it too").unwrap();
    assert_eq!(back, Some((Version::new(1, 2, 0), false)));
    let again = setup.store.go_back("boss_wave", &failed, "it too").unwrap();
    assert_eq!(again, None, "it is off already");
    setup
        .install(
            &setup.file("1.0.0", Some(0), "Boss wave"),
            Permissions { downgrade: true, ..NOTHING },
        )
        .unwrap();
    assert_eq!(setup.names(), ["boss_wave", "boss_wave/1.0.0", "lock", "packs.toml"]);
}

#[test]
fn what_is_not_a_pack_leaves_nothing_behind() {
    let setup = Setup::new("hostile");
    setup.install(&setup.file("1.0.0", Some(0), "Boss wave"), TRUST).unwrap();
    let good = fs::read(setup.file("1.1.0", Some(0), "Boss wave")).unwrap();
    let bad = setup.folder.0.join("bad.pgpack");
    // Cut off, which is found while it is unpacked, and changed.
    for bytes in [&good[..good.len() / 2], &good[..good.len() - 1], b"", b"text"] {
        fs::write(&bad, bytes).unwrap();
        setup.refused(&bad, TRUST, "");
    }
    let content = zstd::decode_all(&good[..]).unwrap();
    for at in (0..good.len()).step_by(97) {
        let mut changed = good.clone();
        changed[at] ^= 0x10;
        // Some changes lead to the same content: a match of zeros is also found elsewhere.
        if zstd::decode_all(&changed[..]).is_ok_and(|it| it == content) {
            continue;
        }
        fs::write(&bad, changed).unwrap();
        setup.refused(&bad, TRUST, "");
    }
    setup.refused(&setup.folder.0.join("nothing"), TRUST, "cannot read");
    setup.refused(&setup.folder.0, TRUST, "not a regular file");
    // Unpacked and not installed, since somebody else found a fault.
    let file = setup.file("1.1.0", Some(0), "Boss wave");
    let before = setup.names();
    let staged = setup.store.stage(Reader::open(&file).unwrap(), NOTHING).unwrap();
    assert!(staged.folder().join("icon.png").exists());
    drop(staged);
    assert_eq!(setup.names(), before);
    // A process that was killed left these.
    fs::create_dir_all(setup.store.folder().join(".staging/boss_wave")).unwrap();
    fs::create_dir_all(setup.store.folder().join("boss_wave/0.9.0-0123456789abcdef")).unwrap();
    fs::create_dir_all(setup.store.folder().join("half/0.9.0-0123456789abcdef")).unwrap();
    setup.install(&file, NOTHING).unwrap();
    let names = ["boss_wave", "boss_wave/1.0.0", "boss_wave/1.1.0", "lock", "packs.toml"];
    assert_eq!(setup.names(), names);
}

#[test]
fn what_is_not_the_stores_own_stays() {
    let setup = Setup::new("others");
    // Sources of packs, for example, in a folder that somebody takes for the store.
    let others = ["boss_wave/assets", "other/assets", "other/1.0.0", "My Files/1.0.0-x", "staging"];
    let others = others.map(|folder| setup.store.folder().join(folder));
    for folder in &others {
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join("file"), "mine").unwrap();
    }
    setup.install(&setup.file("1.0.0", Some(0), "Boss wave"), TRUST).unwrap();
    setup.install(&setup.file("1.1.0", Some(0), "Boss wave"), NOTHING).unwrap();
    setup.store.change(|list| list.remove("boss_wave")).unwrap();
    for folder in &others {
        assert_eq!(fs::read_to_string(folder.join("file")).unwrap(), "mine");
    }
    let left = fs::read_dir(setup.store.folder().join("boss_wave")).unwrap();
    assert_eq!(left.count(), 1, "the versions are gone");
}

#[test]
fn a_list_that_is_no_list_is_left_alone() {
    let setup = Setup::new("list");
    let file = setup.file("1.0.0", Some(0), "Boss wave");
    setup.install(&file, TRUST).unwrap();
    let list = setup.store.list_file();
    let good = fs::read_to_string(&list).unwrap();
    for (from, to, expected) in [
        ("format = 1", "format = 2", "of format 2, and this game reads format 1"),
        ("[pack.boss_wave]", "[pack.boss wave]", ""),
        ("[pack.boss_wave]", "[pack.Boss]", "\"Boss\" is no id"),
        ("folder = \"1.0.0", "folder = \"../1.0.0", "is no name of a folder"),
        ("folder = \"1.0.0", "folder = \"a/1.0.0", "is no name of a folder"),
        ("is_on = true", "is_on = 1", "expected a boolean"),
        ("is_on = true", "is_one = true", "unknown field `is_one`"),
    ] {
        assert!(good.contains(from), "{good}");
        let bad = good.replace(from, to);
        fs::write(&list, &bad).unwrap();
        let error = setup.store.list().unwrap_err().to_string();
        assert!(error.contains("packs.toml") && error.contains(expected), "{error}");
        assert!(setup.install(&file, TRUST).is_err());
        assert_eq!(fs::read_to_string(&list).unwrap(), bad);
    }
}
