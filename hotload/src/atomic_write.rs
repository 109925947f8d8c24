//! Files that are there whole or not at all, whenever the process or the machine ends.
//!
//! ```text
//!  NAME.part, locked ──► written ──► on disk ──► moved to NAME ──► the folder on disk
//!      └── a writer that was killed holds no lock: the next one takes it away
//! ```

#[cfg(test)]
mod tests;

use std::ffi::OsStr;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

const PART: &str = "part";

/// Writes a file in place of an older one: beside it first, and moved there once it is on disk.
/// Makes the folders to it, and removes what killed writers of such files left there.
///
/// # Errors
///
/// When the file system does not take it; an older one is as it was then.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    put(path, bytes, true)
}

/// Like [`write`], without waiting for the disk: whole for whoever reads it, but for a machine that
/// loses its power.
///
/// # Errors
///
/// When the file system does not take it; an older one is as it was then.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    put(path, bytes, false)
}

fn put(path: &Path, bytes: &[u8], lasts: bool) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    // First: it may be what takes the room.
    sweep(folder, path.extension());
    let part = path.with_added_extension(PART);
    let mut file = own(&part)?;
    let written = file
        .set_len(0)
        .and_then(|()| file.write_all(bytes))
        .and_then(|()| if lasts { file.sync_all() } else { Ok(()) })
        .and_then(|()| fs::rename(&part, path));
    if written.is_err() {
        // The incomplete file is useless.
        let _ = fs::remove_file(&part);
    }
    written?;
    // The move itself has to last as well.
    if lasts { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// The file at `part`, locked: one writer after the other.
fn own(part: &Path) -> io::Result<File> {
    loop {
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(part)?;
        match file.lock() {
            Err(error) if !knows_no_locks(&error) => return Err(error),
            _ if is_at(&file, part) => return Ok(file),
            // The one before moved it, or somebody took it for a dead one's.
            _ => {}
        }
    }
}

/// Some file systems have none.
fn knows_no_locks(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::Unsupported
        || rustix::io::Errno::from_io_error(error) == Some(rustix::io::Errno::NOLCK)
}

fn is_at(file: &File, path: &Path) -> bool {
    let id = |data: io::Result<Metadata>| data.map(|data| (data.dev(), data.ino())).ok();
    id(file.metadata()).is_some_and(|own| id(fs::metadata(path)) == Some(own))
}

/// Removes what killed writers left in `folder` of files with this ending.
fn sweep(folder: &Path, ending: Option<&OsStr>) {
    for path in fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
        let is_part = path.extension().is_some_and(|ending| ending == PART);
        if !is_part || path.with_extension("").extension() != ending {
            continue;
        }
        let Ok(file) = File::open(&path) else { continue };
        // A writer that lives holds the lock, or makes another file when this one is gone.
        if file.try_lock().is_ok() && is_at(&file, &path) {
            // It only takes room.
            let _ = fs::remove_file(&path);
        }
    }
}
