//! The watcher with real folders.

use std::fs;
use std::os::unix::fs::symlink;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use notify::event::{Flag, ModifyKind};

use super::*;
use crate::test_folder::TestFolder;

/// A test fails after this.
const PATIENCE: Duration = Duration::from_secs(20);

/// A watcher and what it reports.
struct Watching {
    watch: Watch,
    reported: Receiver<FileChange>,
}

impl Watching {
    fn start() -> Self {
        let (sender, reported) = channel();
        let watch = Watch::start(move |change| _ = sender.send(change)).unwrap();
        Self { watch, reported }
    }

    /// Watches these folders, `true` with what is below; gives whether any was not watched before.
    fn set(&mut self, folders: &[(&Path, bool)]) -> bool {
        let mode = |deep: bool| match deep {
            true => RecursiveMode::Recursive,
            false => RecursiveMode::NonRecursive,
        };
        let SetFolders { has_new, errors } =
            self.watch.set(folders.iter().map(|(path, deep)| (*path, mode(*deep))));
        assert!(errors.is_empty(), "{errors:?}");
        has_new
    }

    /// Waits for a change of this path.
    fn see(&mut self, path: &Path) {
        loop {
            match self.reported.recv_timeout(PATIENCE) {
                Ok(FileChange::Changed(changed)) if changed == path => return,
                Ok(_) => {}
                Err(error) => panic!("{}: {error}", path.display()),
            }
        }
    }

    /// Writes a file, and waits until that is reported.
    fn see_write(&mut self, path: &Path) {
        fs::write(path, "written").unwrap();
        self.see(path);
    }
}

#[test]
fn changes_before_the_set_of_folders_changes_are_reported() {
    let folder = TestFolder::new("watch_set");
    let (kept, other) = (folder.join("kept"), folder.join("other"));
    for folder in [&kept, &other] {
        fs::create_dir(folder).unwrap();
    }
    let mut watching = Watching::start();
    assert!(watching.set(&[(&kept, false)]));
    assert!(!watching.set(&[(&kept, false)]), "nothing new");
    for round in 0..200 {
        let file = kept.join(round.to_string());
        fs::write(&file, "").unwrap();
        let folders = [(&*kept, false), (&*other, false)];
        assert_eq!(watching.set(&folders[..1 + round % 2]), round % 2 == 1);
        watching.see(&file);
    }
    watching.see_write(&other.join("file"));
    watching.set(&[(&kept, false)]);
    while watching.reported.try_recv().is_ok() {}
    fs::write(other.join("file"), "again").unwrap();
    fs::write(kept.join("last"), "").unwrap();
    let first = watching.reported.recv_timeout(PATIENCE);
    assert_eq!(
        first,
        Ok(FileChange::Changed(kept.join("last"))),
        "the other is not watched any more"
    );
}

#[test]
fn a_folder_that_another_one_replaces_is_watched_again() {
    let folder = TestFolder::new("watch_replaced");
    for deep in [false, true] {
        let watched = folder.join("watched");
        let file = watched.join("file");
        fs::create_dir_all(&watched).unwrap();
        let mut watching = Watching::start();
        let folders = [(&**folder, false), (&*watched, deep)];
        assert!(watching.set(&folders));
        // Removed and created.
        for _ in 0..50 {
            fs::remove_dir_all(&watched).unwrap();
            fs::create_dir(&watched).unwrap();
            // The new one may have the inode of the old one.
            watching.see(&watched);
            assert!(watching.set(&folders));
            watching.see_write(&file);
        }
        // Moved away, and another one moved in its place.
        fs::rename(&watched, folder.join("away")).unwrap();
        fs::create_dir(folder.join("next")).unwrap();
        fs::rename(folder.join("next"), &watched).unwrap();
        assert!(watching.set(&folders));
        watching.see_write(&file);
        // Missing for a while.
        fs::remove_dir_all(&watched).unwrap();
        watching.see(&watched);
        assert!(!watching.set(&folders));
        fs::create_dir(&watched).unwrap();
        watching.see(&watched);
        assert!(watching.set(&folders));
        watching.see_write(&file);
        fs::remove_dir_all(folder.join("away")).unwrap();
    }
}

#[test]
fn a_new_folder_below_a_recursive_one_is_watched_before_it_is_read() {
    let folder = TestFolder::new("watch_below");
    let mut watching = Watching::start();
    watching.set(&[(&folder, true)]);
    for round in 0..100 {
        let below = folder.join(format!("{round}/deep/deeper"));
        fs::create_dir_all(&below).unwrap();
        watching.see(&folder.join(round.to_string()));
        watching.watch.settle();
        watching.see_write(&below.join("file"));
    }
}

#[test]
fn after_lost_events_everything_is_watched_again() {
    let folder = TestFolder::new("watch_lost");
    let mut watching = Watching::start();
    watching.set(&[(&folder, true)]);
    let overflow = notify::Event::new(EventKind::Other).set_flag(Flag::Rescan);
    for event in [Ok(overflow), Err(notify::Error::generic("the queue is gone"))] {
        assert!(!watching.set(&[(&folder, true)]));
        lock(&watching.watch.moves).see(&event);
        assert!(watching.set(&[(&folder, true)]));
        watching.see_write(&folder.join("file"));
    }
}

#[test]
fn a_new_link_to_a_folder_is_followed() {
    let folder = TestFolder::new("watch_link");
    let (root, outside) = (folder.join("root"), folder.join("outside"));
    for folder in [&root, &outside] {
        fs::create_dir(folder).unwrap();
    }
    let mut watching = Watching::start();
    watching.set(&[(&root, true)]);
    symlink(&outside, root.join("link")).unwrap();
    watching.see(&root.join("link"));
    assert!(watching.set(&[(&root, true)]));
    fs::write(outside.join("file"), "").unwrap();
    watching.see(&root.join("link/file"));
}

#[test]
fn a_folder_below_a_recursive_one_leaves_that_recursive() {
    let folder = TestFolder::new("watch_twice");
    let below = folder.join("below");
    fs::create_dir(&below).unwrap();
    let mut watching = Watching::start();
    let link = folder.join("another_name");
    symlink(&*folder, &link).unwrap();
    watching.set(&[(&folder, true), (&below, false), (&folder, false), (&link, false)]);
    fs::create_dir(below.join("new")).unwrap();
    fs::create_dir(folder.join("beside")).unwrap();
    watching.see(&folder.join("beside"));
    watching.watch.settle();
    watching.see_write(&below.join("new/file"));
    watching.see_write(&folder.join("beside/file"));
}

#[test]
fn an_overflow_and_an_error_mean_that_changes_were_missed() {
    let overflow = notify::Event::new(EventKind::Other).set_flag(Flag::Rescan);
    assert_eq!(changes(Ok(overflow)), [FileChange::Lost { error: None }]);
    let [FileChange::Lost { error: Some(text) }] =
        &changes(Err(notify::Error::generic("the queue is gone")))[..]
    else {
        panic!("an error of the watcher is reported");
    };
    assert!(text.contains("the queue is gone"), "{text}");
}

#[test]
fn writes_count_and_reads_do_not() {
    let event = |kind| Ok(notify::Event::new(kind).add_path("a.rs".into()));
    let changed = [FileChange::Changed("a.rs".into())];
    assert_eq!(changes(event(EventKind::Modify(ModifyKind::Any))), changed);
    let close = AccessKind::Close(AccessMode::Write);
    assert_eq!(changes(event(EventKind::Access(close))), changed);
    assert_eq!(changes(event(EventKind::Access(AccessKind::Read))), []);
}
