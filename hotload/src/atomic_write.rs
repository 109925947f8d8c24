//! Writes files that are complete or absent, whenever the process or the machine stops.
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

/// Replaces a file: writes beside it, and moves the new file into place once it is on disk. Creates
/// missing folders, and removes incomplete files of killed writers there.
///
/// # Errors
///
/// If the file system reports an error; the old file is unchanged then.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    put(path, bytes, true)
}

/// Like [`write`], without waiting for the disk: readers always see a complete file, but a power
/// failure may lose it.
///
/// # Errors
///
/// If the file system reports an error; the old file is unchanged then.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    put(path, bytes, false)
}

fn put(path: &Path, bytes: &[u8], lasts: bool) -> io::Result<()> {
    // A name alone has the empty path as its parent.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    // First, because these files may use the space that is needed.
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
    // The move must reach the disk as well.
    if lasts { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// Opens and locks the file at `part`, so that only one writer uses it at a time.
fn own(part: &Path) -> io::Result<File> {
    loop {
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(part)?;
        match file.lock() {
            Err(error) if !knows_no_locks(&error) => return Err(error),
            _ if is_at(&file, part) => return Ok(file),
            // The previous writer moved it, or another one removed it as left over.
            _ => {}
        }
    }
}

/// True if the error means that the file system does not support locks.
fn knows_no_locks(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::Unsupported
        || rustix::io::Errno::from_io_error(error) == Some(rustix::io::Errno::NOLCK)
}

fn is_at(file: &File, path: &Path) -> bool {
    let id = |data: io::Result<Metadata>| data.map(|data| (data.dev(), data.ino())).ok();
    id(file.metadata()).is_some_and(|own| id(fs::metadata(path)) == Some(own))
}

/// Removes incomplete files with this extension that killed writers left in `folder`.
fn sweep(folder: &Path, ending: Option<&OsStr>) {
    for path in fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
        let is_part = path.extension().is_some_and(|ending| ending == PART);
        if !is_part || path.with_extension("").extension() != ending {
            continue;
        }
        let Ok(file) = File::open(&path) else { continue };
        // A live writer holds the lock, or creates another file if this one is removed.
        if file.try_lock().is_ok() && is_at(&file, &path) {
            // It only uses space.
            let _ = fs::remove_file(&path);
        }
    }
}
