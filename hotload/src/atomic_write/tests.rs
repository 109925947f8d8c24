//! A kill at every step of a write, and several writers.

use std::path::PathBuf;
use std::thread;

use super::*;
use crate::snapshot_file::format::{Header, Saved, SavedModule};
use crate::snapshot_file::{SaveError, Saves, format};

/// A temporary folder for one test, removed on drop.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = format!("playground-durable-{name}-{}", std::process::id());
        let folder = std::env::temp_dir().join(folder);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).unwrap();
        Self(folder)
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).unwrap().flatten();
        let mut names: Vec<String> =
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A snapshot of that frame, with its bytes.
fn snapshot(frame: u64) -> (Saved, Vec<u8>) {
    let module = |number: u64| SavedModule {
        id: format!("systems_{number}").into(),
        version: "0.1.0".to_owned(),
        epoch: format!("{frame:032x}").into(),
    };
    let modules = (0..8).map(module).collect();
    let header = Header { app: Some("apps_demo".into()), frame, entities: 0, modules };
    let saved = Saved { header, types: Vec::new() };
    let bytes = format::write(&saved).unwrap();
    (saved, bytes)
}

/// The only snapshot that is listed and can be read; `None` if there is none.
fn only(saves: &Saves) -> Option<Saved> {
    let listed = saves.list().unwrap();
    assert!(
        listed.iter().all(|listed| listed.name == "one" && listed.header.is_ok()),
        "{listed:?}"
    );
    match saves.read("one") {
        Err(SaveError::Missing { .. }) => {
            assert!(listed.is_empty());
            None
        }
        read => {
            assert_eq!(listed.len(), 1);
            Some(read.unwrap())
        }
    }
}

#[test]
fn a_kill_at_every_step_leaves_the_old_snapshot_or_the_new_one() {
    let (old, new) = (snapshot(1), snapshot(2));
    // The first of its name, and one that replaces another.
    for before in [None, Some(&old)] {
        for cut in 0..=new.1.len() {
            let folder = Folder::new("killed");
            let saves = Saves::new(folder.0.clone());
            if let Some((_, bytes)) = before {
                saves.write("one", bytes).unwrap();
            }
            let part = folder.0.join("one.snap.part");
            fs::write(&part, &new.1[..cut]).unwrap();
            assert_eq!(only(&saves).as_ref(), before.map(|(saved, _)| saved), "at {cut}");
            if cut == new.1.len() {
                let moved = Folder::new("moved");
                fs::copy(&part, moved.0.join("one.snap")).unwrap();
                assert_eq!(only(&Saves::new(moved.0.clone())), Some(new.0.clone()));
            }
            // The leftover file does not block the next write, which removes it.
            if cut % 2 == 0 {
                saves.write("one", &new.1).unwrap();
                assert_eq!(only(&saves), Some(new.0.clone()));
                assert_eq!(folder.names(), ["one.snap"]);
            } else {
                saves.write("two", &old.1).unwrap();
                let names =
                    if before.is_some() { vec!["one.snap", "two.snap"] } else { vec!["two.snap"] };
                assert_eq!(folder.names(), names);
            }
        }
    }
}

#[test]
fn what_others_write_is_left_alone() {
    let folder = Folder::new("others");
    let held = File::create(folder.0.join("held.snap.part")).unwrap();
    held.lock().unwrap();
    fs::write(folder.0.join("mine.iso.part"), "").unwrap();
    fs::write(folder.0.join("dead.snap.part"), "").unwrap();
    write(&folder.0.join("one.snap"), b"1").unwrap();
    assert_eq!(folder.names(), ["held.snap.part", "mine.iso.part", "one.snap"]);
    drop(held);
    write(&folder.0.join("one.snap"), b"1").unwrap();
    assert_eq!(folder.names(), ["mine.iso.part", "one.snap"]);
}

#[test]
fn writers_of_the_same_folder_do_not_mix() {
    let folder = Folder::new("many");
    thread::scope(|scope| {
        for writer in 0..4u8 {
            let path = folder.0.join(format!("{}.snap", writer % 2));
            scope.spawn(move || {
                for round in 0..50 {
                    let length = 1 + usize::from(writer) * 1000 + round;
                    replace(&path, &vec![writer; length]).unwrap();
                    let read = fs::read(&path).unwrap();
                    let first = read[0];
                    assert!(read.len() > usize::from(first) * 1000, "{} of {first}", read.len());
                    assert!(read.iter().all(|byte| *byte == first));
                }
            });
        }
    });
    assert_eq!(folder.names(), ["0.snap", "1.snap"]);
}
