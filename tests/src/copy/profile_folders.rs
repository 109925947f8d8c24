//! Profile folders with what cargo built for the workspace, for copies of it.
//!
//! Such a folder has thousands of small files, and some file systems take seconds to make them once
//! as many were removed. So the folders are kept, also from one test program to the next, and only
//! what differs from the workspace's own is made anew.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, DirEntry, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use super::{BUILT, keep_time, profile_folder, replaced_when_written, target};

/// Folders of this process that no copy uses.
static FREE: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// A profile folder that holds the same as the workspace's own. It belongs to the caller.
pub(super) fn take() -> PathBuf {
    let free = FREE.lock().unwrap_or_else(PoisonError::into_inner).pop();
    let folder = free.or_else(adopt).unwrap_or_else(|| place(std::process::id()));
    update(&folder);
    folder
}

/// Makes the folder hold the same as the workspace's own profile folder.
pub(super) fn update(folder: &Path) {
    fs::create_dir_all(folder).expect("a folder");
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        if !BUILT.iter().any(|built| entry.file_name() == **built) {
            remove(&entry).expect("what a copy built");
        }
    }
    for built in BUILT {
        equalize(&profile_folder().join(built), &folder.join(built)).expect("links");
    }
}

/// Takes a folder back.
pub(super) fn give_back(folder: &Path) {
    let place = place(std::process::id());
    if fs::rename(folder, &place).is_ok() {
        FREE.lock().unwrap_or_else(PoisonError::into_inner).push(place);
    }
}

/// A folder of a process that has ended.
fn adopt() -> Option<PathBuf> {
    fs::read_dir(all()).ok()?.flatten().find_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        let process: u32 = name.split_once('-')?.0.parse().ok()?;
        if Path::new("/proc").join(process.to_string()).exists() {
            return None;
        }
        let place = place(std::process::id());
        // Another process may adopt it at the same time.
        fs::rename(entry.path(), &place).ok().map(|()| place)
    })
}

fn all() -> PathBuf {
    target().join("tests/profiles")
}

fn place(process: u32) -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    fs::create_dir_all(all()).expect("a folder");
    all().join(format!("{process}-{number}"))
}

/// Makes `to` hold the same files as `from`, with the same times. Files are links where nobody
/// writes in place.
fn equalize(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    let mut there: BTreeSet<OsString> = BTreeSet::new();
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (source, copy) = (entry.path(), to.join(entry.file_name()));
        there.insert(entry.file_name());
        let made = if entry.file_type()?.is_dir() {
            equalize(&source, &copy)
        } else {
            equalize_file(&source, &copy)
        };
        match made {
            // A compiler next door may take its temporary files away meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            other => other?,
        }
    }
    for entry in fs::read_dir(to)? {
        let entry = entry?;
        if !there.contains(&entry.file_name()) {
            remove(&entry)?;
        }
    }
    // cargo looks at the times of folders as well.
    if fs::metadata(from)?.modified()? == fs::metadata(to)?.modified()? {
        return Ok(());
    }
    keep_time(from, to)
}

fn equalize_file(from: &Path, to: &Path) -> io::Result<()> {
    let (source, is_link) = (fs::metadata(from)?, replaced_when_written(from));
    match fs::symlink_metadata(to) {
        Ok(copy) if is_same(&source, &copy, is_link) => return Ok(()),
        // A link is never written through.
        Ok(copy) if copy.is_dir() => fs::remove_dir_all(to)?,
        Ok(_) => fs::remove_file(to)?,
        Err(_) => {}
    }
    if is_link {
        fs::hard_link(from, to)
    } else {
        fs::copy(from, to)?;
        keep_time(from, to)
    }
}

fn is_same(source: &Metadata, copy: &Metadata, is_link: bool) -> bool {
    let is_linked = source.ino() == copy.ino() && source.dev() == copy.dev();
    let is_alike = || {
        source.len() == copy.len()
            && (source.mtime(), source.mtime_nsec()) == (copy.mtime(), copy.mtime_nsec())
    };
    if is_link { is_linked } else { !is_linked && copy.is_file() && is_alike() }
}

fn remove(entry: &DirEntry) -> io::Result<()> {
    if entry.file_type()?.is_dir() {
        fs::remove_dir_all(entry.path())
    } else {
        fs::remove_file(entry.path())
    }
}
