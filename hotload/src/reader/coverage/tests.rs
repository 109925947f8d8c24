//! What counts as read elsewhere, with real folders and links.

use std::os::unix::fs::symlink;

use super::*;
use crate::test_folder::TestFolder;
use crate::workspace::Folders;

fn read(folder: &TestFolder, files: &[&str]) -> Elsewhere {
    Elsewhere::of(files.iter().map(|file| folder.join(file)), &folder.join("modules"))
}

fn watches(elsewhere: &Elsewhere, folder: &Path) -> bool {
    elsewhere.folders.contains(folder)
}

#[test]
fn a_file_its_folder_and_what_is_in_a_folder_count() {
    let folder = TestFolder::new("elsewhere");
    fs::create_dir_all(folder.join("data/deep")).unwrap();
    fs::create_dir_all(folder.join("modules/a")).unwrap();
    let elsewhere = read(&folder, &["data/deep", "data/file", "modules/a/file"]);
    for counts in ["data", "data/deep", "data/deep/any", "data/file"] {
        assert!(elsewhere.has(&folder.join(counts)), "{counts}");
    }
    for other in ["dat", "data/deep2", "data/fil", "data/file2", "modules/a/file", "modules"] {
        assert!(!elsewhere.has(&folder.join(other)), "{other}");
    }
    assert!(watches(&elsewhere, &folder.join("data")));
    assert!(watches(&elsewhere, &folder.join("data/deep")));
    assert!(!watches(&elsewhere, &folder.join("modules/a")), "watched as a source");
}

#[test]
fn above_a_missing_folder_the_next_one_is_watched() {
    let folder = TestFolder::new("elsewhere_missing");
    let elsewhere = read(&folder, &["not/there/yet/file"]);
    assert!(watches(&elsewhere, &folder));
    assert!(elsewhere.has(&folder.join("not")));
    assert!(!elsewhere.has(&folder.join("nothing")));
}

#[test]
fn every_link_on_the_way_counts() {
    let folder = TestFolder::new("elsewhere_links");
    for below in ["links", "versions/1", "store", "modules/a"] {
        fs::create_dir_all(folder.join(below)).unwrap();
    }
    fs::write(folder.join("store/file"), "").unwrap();
    // current → versions/1, whose file is a link to another one in links, and that leads to store.
    symlink("versions/1", folder.join("current")).unwrap();
    symlink("../../links/second", folder.join("versions/1/file")).unwrap();
    symlink(folder.join("store/file"), folder.join("links/second")).unwrap();
    let elsewhere = read(&folder, &["current/file"]);
    let all = ["current", "versions/1/file", "links/second", "store/file", "store"];
    for counts in all {
        assert!(elsewhere.has(&folder.join(counts)), "{counts}");
    }
    for watched in ["", "versions/1", "links", "store"] {
        assert!(watches(&elsewhere, &folder.join(watched)), "{watched}");
    }
    // A link of a module leads elsewhere; one to a folder is followed by the watcher.
    symlink(folder.join("store/file"), folder.join("modules/a/linked.rs")).unwrap();
    symlink(folder.join("versions"), folder.join("modules/b")).unwrap();
    let elsewhere = read(&folder, &["modules/a/linked.rs", "modules/b/1/lib.rs"]);
    assert!(elsewhere.has(&folder.join("store/file")));
    assert!(!elsewhere.has(&folder.join("versions")));
}

#[test]
fn manifests_of_packs_count_and_their_assets_are_told_apart() {
    let folders =
        Folders { workspace: "/w".into(), modules: "/w/modules".into(), built: "".into() };
    let workspace = Workspace { folders, ..Workspace::default() };
    let coverage = Coverage::of(&workspace, &Elsewhere::default(), true);
    for pack in ["packs", "packs/boss", "packs/boss/pack.toml"] {
        let path = Path::new("/w").join(pack);
        assert!(coverage.counts(&path) && !coverage.is_pack_asset(&path), "{pack}");
    }
    for asset in ["packs/boss/assets/a.png", "packs/boss/assets/deep/pack.toml"] {
        let path = Path::new("/w").join(asset);
        assert!(!coverage.counts(&path) && coverage.is_pack_asset(&path), "{asset}");
    }
    for other in ["packs/boss/assets", "packs/boss/README.md", "pack.toml", "packs2/boss"] {
        let path = Path::new("/w").join(other);
        assert!(!coverage.counts(&path) && !coverage.is_pack_asset(&path), "{other}");
    }
    let coverage = Coverage::of(&workspace, &Elsewhere::default(), false);
    let path = Path::new("/w/packs/boss/pack.toml");
    assert!(!coverage.counts(path), "nothing is watched");
}

#[test]
fn links_in_a_circle_end() {
    let folder = TestFolder::new("elsewhere_circle");
    symlink("b", folder.join("a")).unwrap();
    symlink("a", folder.join("b")).unwrap();
    symlink("self/self", folder.join("self")).unwrap();
    let elsewhere = read(&folder, &["a/file", "self"]);
    assert!(elsewhere.has(&folder.join("b/file")));
    assert!(elsewhere.has(&folder.join("self")));
}
