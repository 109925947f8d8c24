//! A core's metadata, for dependents that are compiled before its library is finished.
//!
//! rustc accepts only an rlib where it will link one, but reads nothing of it except its metadata
//! until the linker runs. So it gets an archive with the metadata alone; the linker script puts the
//! path of the core's real library in its place.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::rustc::Job;
use crate::atomic_write;

/// The folder of the archive; `link.sh` recognizes its name.
pub(super) fn folder(output: &Path) -> PathBuf {
    output.join("metadata-only")
}

/// Writes the archive of a core whose types rustc has checked.
///
/// # Errors
///
/// If a file cannot be read or written.
pub(super) fn publish(job: &Job) -> io::Result<()> {
    let metadata = fs::read(job.folder.join(format!("lib{}.rmeta", job.crate_name)))?;
    // Replaced as a whole: a compiler of another dependent may still read the one before.
    let path = folder(&job.folder).join(format!("lib{}.rlib", job.crate_name));
    atomic_write::replace(&path, &archive(&metadata))
}

/// An `ar` archive with the one member that rustc looks for.
fn archive(metadata: &[u8]) -> Vec<u8> {
    let mut archive = b"!<arch>\n".to_vec();
    let (name, time, owner, mode) = ("lib.rmeta/", 0, 0, 644);
    let header =
        format!("{name:<16}{time:<12}{owner:<6}{owner:<6}{mode:<8}{:<10}`\n", metadata.len());
    archive.extend_from_slice(header.as_bytes());
    archive.extend_from_slice(metadata);
    if archive.len() % 2 == 1 {
        archive.push(b'\n');
    }
    archive
}

#[cfg(test)]
mod tests {
    use object::read::archive::ArchiveFile;

    use super::*;

    #[test]
    fn the_archive_has_the_metadata_as_its_member() {
        for metadata in [&b"rust\0"[..], b"rust\0\0", b""] {
            let archive = archive(metadata);
            assert_eq!(archive.len() % 2, 0);
            let file = ArchiveFile::parse(archive.as_slice()).unwrap();
            let members: Vec<_> = file.members().map(Result::unwrap).collect();
            assert_eq!(members.len(), 1);
            assert_eq!(members[0].name(), b"lib.rmeta");
            assert_eq!(members[0].data(archive.as_slice()).unwrap(), metadata);
        }
    }
}
