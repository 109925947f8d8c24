//! Each kind of refusal, tripped on a real file system.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

use rustix::fs::{CWD, mknodat};

use super::*;

/// A temporary folder for one test, removed on drop.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "playground-artifact-{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let folder = std::env::temp_dir().join(name);
        fs::create_dir(&folder).unwrap();
        Self(fs::canonicalize(folder).unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    fn refused(&self, path: &Path, expected: &str) {
        refused(path, &self.0, None, expected);
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Asserts that it is refused with an error that contains `expected` and names the file.
#[track_caller]
fn refused(path: &Path, within: &Path, hash: Option<&ArtifactHash>, expected: &str) {
    let error = read(path, within, hash, Writers::OwnerOnly).unwrap_err().to_string();
    assert!(error.contains(expected), "{error:?} should contain {expected:?}");
    assert!(error.contains(&path.display().to_string()), "{error}");
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

const GOOD: [u8; 100] = [7; 100];

#[test]
fn a_file_is_read() {
    let folder = Folder::new();
    let path = folder.file("a/b/lib.so", &GOOD);
    let hash = ArtifactHash::of(&GOOD);
    let artifact = read(&path, &folder.0, Some(&hash), Writers::OwnerOnly).unwrap();
    assert_eq!(artifact.path, path);
    assert_eq!(artifact.bytes, GOOD);
    assert_eq!(artifact.hash, hash);

    // Links inside of the folder, and a folder that is reached through a link.
    symlink("a/b/lib.so", folder.path("to_file.so")).unwrap();
    symlink(folder.path("a"), folder.path("to_folder")).unwrap();
    symlink(&folder.0, folder.path("a/to_root")).unwrap();
    for name in ["to_file.so", "to_folder/b/lib.so", "a/../a/b/lib.so", "a/to_root/a/b/lib.so"] {
        assert_eq!(
            read(&folder.path(name), &folder.0, None, Writers::OwnerOnly).unwrap().bytes,
            GOOD,
            "{name}"
        );
    }
    let by_link = folder.path("a/to_root");
    assert_eq!(
        read(&by_link.join("a/b/lib.so"), &by_link, None, Writers::OwnerOnly).unwrap().bytes,
        GOOD
    );
    let name = folder.0.join(OsStr::from_bytes(b"lib\xff.so"));
    fs::write(&name, GOOD).unwrap();
    assert_eq!(read(&name, &folder.0, None, Writers::OwnerOnly).unwrap().bytes, GOOD);
}

#[test]
fn what_is_not_there_or_not_readable_is_refused() {
    let folder = Folder::new();
    let file = folder.file("lib.so", &GOOD);
    folder.refused(&folder.path("none.so"), "found: No such file");
    folder.refused(&file.join("lib.so"), "found: Not a directory");
    folder.refused(&folder.path(&"x".repeat(256)), "found: File name too long");
    folder.refused(&folder.0.join(OsStr::from_bytes(b"lib\0.so")), "H0213");
    refused(&folder.path("none"), &folder.path("none"), None, "found: No such file");

    symlink("none.so", folder.path("dangling.so")).unwrap();
    symlink("two.so", folder.path("one.so")).unwrap();
    symlink("one.so", folder.path("two.so")).unwrap();
    folder.refused(&folder.path("dangling.so"), "found: No such file");
    folder.refused(&folder.path("one.so"), "found: Too many levels of symbolic links");

    set_mode(&file, 0);
    if File::open(&file).is_err() {
        folder.refused(&file, "found: Permission denied");
    }
}

#[test]
fn what_is_no_file_is_refused() {
    let folder = Folder::new();
    fs::create_dir(folder.path("folder")).unwrap();
    folder.refused(&folder.path("folder"), "H0214");
    folder.refused(&folder.path("folder"), "found a folder");

    let mode = Mode::from_raw_mode(0o600);
    mknodat(CWD, folder.path("pipe"), FileType::Fifo, mode, 0).unwrap();
    folder.refused(&folder.path("pipe"), "found a named pipe");
    symlink("pipe", folder.path("to_pipe")).unwrap();
    folder.refused(&folder.path("to_pipe"), "found a named pipe");

    let _listener = UnixListener::bind(folder.path("socket")).unwrap();
    folder.refused(&folder.path("socket"), "found a socket");

    // Not in /dev, which only root may write to.
    refused(Path::new("/dev/null"), Path::new("/dev"), None, "found a device");
    refused(Path::new("/dev/zero"), Path::new("/dev"), None, "found a device");
}

#[test]
fn what_is_outside_is_refused() {
    let (folder, other) = (Folder::new(), Folder::new());
    let outside = other.file("lib.so", &GOOD);
    folder.refused(&outside, "H0215");
    folder.refused(
        &outside,
        &format!("inside of {}, found {}", folder.0.display(), outside.display()),
    );
    symlink(&outside, folder.path("link.so")).unwrap();
    folder.refused(&folder.path("link.so"), "H0215");
    symlink(&other.0, folder.path("link")).unwrap();
    folder.refused(&folder.path("link/lib.so"), "H0215");
    let up = folder.path("..").join(other.0.file_name().unwrap()).join("lib.so");
    folder.refused(&up, "H0215");
    folder.refused(&folder.0, "H0215");

    // A folder whose name only starts with that of the right one.
    let longer = PathBuf::from(format!("{}-more", folder.0.display()));
    fs::create_dir(&longer).unwrap();
    fs::write(longer.join("lib.so"), GOOD).unwrap();
    folder.refused(&longer.join("lib.so"), "H0215");
    fs::remove_dir_all(longer).unwrap();
}

#[test]
fn what_others_may_write_to_is_refused() {
    let folder = Folder::new();
    let path = folder.file("a/b/lib.so", &GOOD);
    for (entry, mode, right) in [
        (path.clone(), 0o606, 0o600),
        (folder.path("a/b"), 0o777, 0o755),
        (folder.path("a"), 0o1777, 0o755),
        (folder.0.clone(), 0o703, 0o700),
    ] {
        set_mode(&entry, mode);
        let expected = format!("may not write to {}, found mode {mode:o}", entry.display());
        folder.refused(&path, &expected);
        folder.refused(&path, "H0216");
        set_mode(&entry, right);
        read(&path, &folder.0, None, Writers::OwnerOnly).unwrap();
    }
    // One of the group is not one of the others.
    set_mode(&path, 0o664);
    read(&path, &folder.0, None, Writers::OwnerOnly).unwrap();
    // Through a link, the file's own folders count.
    symlink("a/b/lib.so", folder.path("link.so")).unwrap();
    set_mode(&folder.path("a/b"), 0o757);
    folder.refused(&folder.path("link.so"), "H0216");
}

#[test]
fn sizes_out_of_the_ordinary_are_refused() {
    let folder = Folder::new();
    for size in [0, 1, MIN_FILE_BYTES - 1] {
        folder.refused(&folder.file("lib.so", &vec![1; size]), &format!("found {size}. Build"));
    }
    read(&folder.file("lib.so", &[1; MIN_FILE_BYTES]), &folder.0, None, Writers::OwnerOnly)
        .unwrap();
    for size in [MAX_FILE_BYTES as u64 + 1, 1 << 40] {
        let path = folder.path("large.so");
        File::create(&path).unwrap().set_len(size).unwrap();
        folder.refused(&path, &format!("H0217: {}: expected 64 to 536870912", path.display()));
        folder.refused(&path, &format!("found {size}. Build"));
    }
}

#[test]
fn another_hash_is_refused() {
    let folder = Folder::new();
    let path = folder.file("lib.so", &GOOD);
    let hash = ArtifactHash::of(&GOOD);
    for other in ["", "xyz", &hash.as_str()[1..], ArtifactHash::of(b"other").as_str()] {
        let expected = format!("expected the blake3 hash {other}, found {hash}. The file");
        refused(&path, &folder.0, Some(&other.into()), &expected);
        refused(&path, &folder.0, Some(&other.into()), "H0219");
    }
}

/// Changes the file between opening and reading, or between reading and the last check.
#[track_caller]
fn meanwhile(before_reading: bool, change: impl FnOnce(&Folder, &Path), expected: &str) {
    let folder = Folder::new();
    let path = folder.file("lib.so", &GOOD);
    let mut opened = Opened::new(&path, &folder.0, 0..=u64::MAX, Writers::OwnerOnly).unwrap();
    // Longer than a tick of the clock that the kernel uses for file times.
    thread::sleep(std::time::Duration::from_millis(20));
    let bytes = if before_reading {
        change(&folder, &path);
        opened.bytes().unwrap()
    } else {
        let bytes = opened.bytes().unwrap();
        change(&folder, &path);
        bytes
    };
    assert!(bytes.len() <= GOOD.len(), "more than there was at first");
    let error = opened.check_unchanged(bytes.len() as u64).unwrap_err().to_string();
    assert!(error.starts_with("H0218") && error.contains("lib.so"), "{error}");
    assert!(error.contains(expected), "{error:?} should contain {expected:?}");
}

#[test]
fn a_file_that_changes_meanwhile_is_refused() {
    for early in [true, false] {
        meanwhile(early, |_, path| fs::write(path, [7; 101]).unwrap(), "100 bytes to 101 bytes");
        meanwhile(early, |_, path| fs::write(path, [7; 99]).unwrap(), "100 bytes to 99 bytes");
        meanwhile(early, |_, path| fs::write(path, [8; 100]).unwrap(), "time of writing");
        meanwhile(early, |_, path| set_mode(path, 0o640), "time of change");
        let exchange = |folder: &Folder, path: &Path| {
            let other = folder.file("new.so", &GOOD);
            // Renaming changes the inode's own time; a link to it keeps the old one as it was.
            fs::rename(path, folder.path("old.so")).unwrap();
            fs::rename(other, path).unwrap();
        };
        meanwhile(early, exchange, "H0218");
        meanwhile(early, |_, path| fs::remove_file(path).unwrap(), "H0218");
    }

    // A folder on the path becomes a link elsewhere: nothing of the file itself changes.
    let folder = Folder::new();
    folder.file("one/lib.so", &GOOD);
    folder.file("two/lib.so", &GOOD);
    symlink("one", folder.path("now")).unwrap();
    let path = folder.path("now/lib.so");
    let mut opened = Opened::new(&path, &folder.0, 0..=u64::MAX, Writers::OwnerOnly).unwrap();
    let bytes = opened.bytes().unwrap();
    fs::remove_file(folder.path("now")).unwrap();
    let gone = opened.check_unchanged(bytes.len() as u64).unwrap_err().to_string();
    assert!(gone.contains("its inode went from") && gone.contains("No such file"), "{gone}");
    symlink("two", folder.path("now")).unwrap();
    let moved = opened.check_unchanged(bytes.len() as u64).unwrap_err().to_string();
    assert!(moved.contains("its inode went from") && moved.contains(" on device "), "{moved}");
}

#[test]
fn a_file_that_is_being_written_is_refused() {
    use std::io::Write;
    let folder = Folder::new();
    let path = folder.file("lib.so", &vec![7; 4 << 20]);
    let done = AtomicBool::new(false);
    let refusals = thread::scope(|scope| {
        scope.spawn(|| {
            let mut file = File::options().append(true).open(&path).unwrap();
            while !done.load(Ordering::Relaxed) && file.metadata().unwrap().len() < 256 << 20 {
                file.write_all(&[7; 64]).unwrap();
            }
        });
        let refusals = (0..50).filter(|_| match read(&path, &folder.0, None, Writers::OwnerOnly) {
            // Only if the writer did not run in between.
            Ok(artifact) => {
                assert!(artifact.bytes.iter().all(|byte| *byte == 7));
                false
            }
            Err(error) => {
                let error = error.to_string();
                assert!(
                    error.starts_with("H0218") && error.contains("length went from"),
                    "{error}"
                );
                true
            }
        });
        let refusals = refusals.count();
        done.store(true, Ordering::Relaxed);
        refusals
    });
    assert!(refusals > 0, "none of 50 was refused");
}

#[test]
fn the_hash_beside_an_artifact_is_read() {
    let folder = Folder::new();
    let path = folder.file("lib.so", &GOOD);
    let no_hash = |found: &str| {
        let error = hash_beside(&path, &folder.0).unwrap_err().to_string();
        assert!(error.starts_with("H0220") && error.contains("lib.so.b3"), "{error}");
        assert!(error.contains(found) && error.contains("`b3sum"), "{error}");
    };
    no_hash("no such file");
    folder.file("lib.so.b3", b"");
    no_hash("``");
    folder.file("lib.so.b3", &[b'a'; 9000]);
    no_hash("9000 bytes");
    let hash = ArtifactHash::of(&GOOD);
    folder.file("lib.so.b3", &hash.as_str().as_bytes()[1..]);
    no_hash(&hash.as_str()[1..]);
    folder.file("lib.so.b3", format!("{}  lib.so\n", hash.as_str().to_uppercase()).as_bytes());
    assert_eq!(hash_beside(&path, &folder.0).unwrap(), hash);
    set_mode(&folder.path("lib.so.b3"), 0o666);
    assert!(hash_beside(&path, &folder.0).unwrap_err().to_string().starts_with("H0216"));
    fs::remove_file(folder.path("lib.so.b3")).unwrap();
    mknodat(CWD, folder.path("lib.so.b3"), FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
    assert!(hash_beside(&path, &folder.0).unwrap_err().to_string().starts_with("H0214"));
}

#[test]
fn what_this_game_built_may_lie_where_others_write() {
    let folder = Folder::new();
    let path = folder.file("lib.so", &GOOD);
    set_mode(&path, 0o666);
    let hash = ArtifactHash::of(&GOOD);
    let read = |hash: &ArtifactHash| read(&path, &folder.0, Some(hash), Writers::Anybody);
    assert_eq!(read(&hash).unwrap().bytes, GOOD);
    assert!(
        read(&hash.as_str().replace('a', "b").into()).unwrap_err().to_string().starts_with("H0219")
    );
}
