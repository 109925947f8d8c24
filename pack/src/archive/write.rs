//! Writes a pack. The same manifest and files give the same bytes.

use std::io::{self, Read, Write};

use zstd::Encoder;

use super::{BLOCK, SIGNATURE, header, padding};
use crate::error::{ArchiveError, PackError};
use crate::limits::{MAX_SIGNATURE_BYTES, MAX_WINDOW_LOG};
use crate::manifest::{File, Hash, MANIFEST, Manifest};

/// zstd's level: packs are built rarely and downloaded often.
const LEVEL: i32 = 19;
/// The smallest window, as a power of two.
const MIN_WINDOW_LOG: u32 = 20;

/// A pack that is being written.
pub struct Writer<W: Write> {
    out: Encoder<'static, W>,
    files: std::vec::IntoIter<File>,
}

impl<W: Write> Writer<W> {
    /// Writes the manifest, and the signature of its text if there is one.
    ///
    /// # Errors
    ///
    /// If the manifest breaks a rule of the format, or `out` fails.
    pub fn begin(out: W, manifest: &Manifest, signature: Option<&str>) -> Result<Self, PackError> {
        let text = manifest.render()?;
        let out = encoder(out, manifest.total_bytes()).map_err(failed)?;
        let mut writer = Self { out, files: manifest.files.clone().into_iter() };
        writer.entry(MANIFEST, text.as_bytes()).map_err(failed)?;
        if let Some(signature) = signature {
            let (what, found) = ("the signature", signature.len() as u64);
            if found > MAX_SIGNATURE_BYTES {
                return Err(PackError::TooLarge { what, found, limit: MAX_SIGNATURE_BYTES });
            }
            writer.entry(SIGNATURE, signature.as_bytes()).map_err(failed)?;
        }
        Ok(writer)
    }

    /// The file whose content is next; `None` after the last one.
    pub fn next_file(&self) -> Option<&File> {
        self.files.as_slice().first()
    }

    /// Writes the content of [the next file](Self::next_file).
    ///
    /// # Errors
    ///
    /// If it is not the content that the manifest lists, if there is no next file, or if `out`
    /// fails.
    pub fn file(&mut self, content: &[u8]) -> Result<(), PackError> {
        let Some(file) = self.files.next() else {
            return Err(ArchiveError::More("a file that the manifest does not list").into());
        };
        let found = Hash::of(content);
        if found != file.blake3 || content.len() as u64 != file.size {
            return Err(PackError::Content { path: file.path, expected: file.blake3, found });
        }
        self.entry(&file.path, content).map_err(failed)
    }

    /// Ends the archive; returns `out`.
    ///
    /// # Errors
    ///
    /// If a file is missing, or `out` fails.
    pub fn finish(mut self) -> Result<W, PackError> {
        if let Some(file) = self.files.next() {
            return Err(ArchiveError::Missing(file.path).into());
        }
        self.out.write_all(&[0; 2 * BLOCK]).map_err(failed)?;
        self.out.finish().map_err(failed)
    }

    fn entry(&mut self, path: &str, mut content: &[u8]) -> io::Result<()> {
        let size = content.len() as u64;
        self.out.write_all(header(path, size)?.as_bytes())?;
        io::copy(&mut content, &mut self.out)?;
        io::copy(&mut io::repeat(0).take(padding(size) as u64), &mut self.out)?;
        Ok(())
    }
}

/// The window is no larger than the files: a reader needs that much memory.
fn encoder<W: Write>(out: W, total_bytes: u64) -> io::Result<Encoder<'static, W>> {
    let mut encoder = Encoder::new(out, LEVEL)?;
    encoder.long_distance_matching(true)?;
    // Nothing else would notice damage to the manifest of an unsigned pack.
    encoder.include_checksum(true)?;
    let log = u64::BITS - total_bytes.leading_zeros();
    encoder.window_log(log.clamp(MIN_WINDOW_LOG, MAX_WINDOW_LOG))?;
    Ok(encoder)
}

fn failed(source: io::Error) -> PackError {
    PackError::File { action: "write", path: "the pack".into(), source }
}
