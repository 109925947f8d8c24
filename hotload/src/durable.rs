//! Files that are there whole or not at all, whenever the process or the machine ends.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

/// Writes a file in place of an older one: beside it first, and moved there once it is on disk.
/// Makes the folders to it.
///
/// # Errors
///
/// When the file system does not take it; an older one is as it was then.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let part = path.with_added_extension("part");
    let written = fs::create_dir_all(folder)
        .and_then(|()| File::create(&part))
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&part, path))
        // The move itself has to last as well.
        .and_then(|()| File::open(folder)?.sync_all());
    if written.is_err() {
        // What is left of it is of no use; where there is none nothing has to be removed.
        let _ = fs::remove_file(&part);
    }
    written
}
