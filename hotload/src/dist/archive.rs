//! The archive of a release or an SDK: a compressed tar file.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::num::NonZero;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::thread;

use flate2::Compression;
use flate2::write::GzEncoder;
use liblzma::stream::{Check, Filters, LzmaOptions, MtStreamBuilder};
use liblzma::write::XzEncoder;
use tar::{Builder, EntryType, Header};

/// How an archive is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// With gzip, which every system can unpack.
    Gzip,
    /// With xz: minutes of work, and smaller by a quarter.
    Xz,
}

/// xz's preset.
const PRESET: u32 = 6;
/// Large and similar files lie far apart: with 8 MiB, the preset's own, an SDK has 7 % more.
const DICTIONARY_BYTES: u32 = 64 << 20;
/// Each is compressed on its own, by one thread. Fixed, so that the same files give the same bytes.
const BLOCK_BYTES: u64 = 320 << 20;
/// The most threads: one takes up to a gigabyte.
const MOST_THREADS: u32 = 4;

/// Writes a folder to an archive, in which it has its own name. The same files give the same bytes.
/// Returns the archive's size in bytes.
///
/// # Errors
///
/// If a file cannot be read or written.
pub fn write(folder: &Path, path: &Path, packing: Packing) -> io::Result<u64> {
    let part = path.with_added_extension("part");
    let written = pack(folder, &part, packing).and_then(|()| fs::rename(&part, path));
    if written.is_err() {
        let _ = fs::remove_file(&part);
    }
    written.and_then(|()| Ok(fs::metadata(path)?.len()))
}

fn pack(folder: &Path, path: &Path, packing: Packing) -> io::Result<()> {
    let out = BufWriter::new(File::create(path)?);
    let out = match packing {
        Packing::Gzip => tar(folder, GzEncoder::new(out, Compression::default()))?.finish()?,
        Packing::Xz => {
            let mut options = LzmaOptions::new_preset(PRESET)?;
            options.dict_size(DICTIONARY_BYTES);
            let mut filters = Filters::new();
            filters.lzma2(&options);
            let cores = thread::available_parallelism().map_or(1, NonZero::get);
            let stream = MtStreamBuilder::new()
                .filters(filters)
                .block_size(BLOCK_BYTES)
                .check(Check::Crc64)
                .threads(MOST_THREADS.min(cores as u32))
                .encoder()?;
            tar(folder, XzEncoder::new_stream(out, stream))?.finish()?
        }
    };
    out.into_inner().map_err(io::Error::from)?.sync_all()
}

fn tar<W: Write>(folder: &Path, out: W) -> io::Result<W> {
    let mut archive = Builder::new(out);
    let name = PathBuf::from(folder.file_name().unwrap_or_default());
    add(&mut archive, folder, &name)?;
    archive.into_inner()
}

fn add<W: Write>(archive: &mut Builder<W>, path: &Path, name: &Path) -> io::Result<()> {
    let data = fs::metadata(path)?;
    let mut header = Header::new_gnu();
    header.set_mtime(0);
    if !data.is_dir() {
        let is_program = data.permissions().mode() & 0o100 != 0;
        header.set_mode(if is_program { 0o755 } else { 0o644 });
        header.set_size(data.len());
        return archive.append_data(&mut header, name, File::open(path)?);
    }
    header.set_mode(0o755);
    header.set_size(0);
    header.set_entry_type(EntryType::Directory);
    archive.append_data(&mut header, name, io::empty())?;
    let entries: io::Result<Vec<_>> = fs::read_dir(path)?.collect();
    let mut paths: Vec<PathBuf> = entries?.into_iter().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        add(archive, &path, &name.join(path.file_name().unwrap_or_default()))?;
    }
    Ok(())
}
