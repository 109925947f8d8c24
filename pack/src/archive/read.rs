//! Reads a pack. Nothing is trusted: not the sizes, not the names, not the order.
//!
//! ```text
//!  bytes ─► size limit ─► zstd ─► header = expected header ─► content ─► hash = manifest's
//! ```

use std::fs::{self, DirBuilder, File as DiskFile, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use tar::{EntryType, Header};
use zstd::Decoder;

use super::{BLOCK, SIGNATURE, header, padding};
use crate::error::{ArchiveError, PackError, Size};
use crate::limits::{
    ANY_RATIO_BYTES, MAX_MANIFEST_BYTES, MAX_PACK_BYTES, MAX_RATIO, MAX_SIGNATURE_BYTES,
    MAX_WINDOW_LOG,
};
use crate::manifest::{File, Hash, MANIFEST, Manifest, ManifestError};
use crate::sign::{self, SignError};

/// The size of the buffer for a file's content.
const BUFFER_BYTES: usize = 64 << 10;
/// The place at which an archive is cut off behind its last file, for errors.
const END: &str = "its end";

/// A pack whose manifest was read and checked. Its files were not read yet.
pub struct Reader<R: BufRead> {
    archive: Decoder<'static, R>,
    manifest: Manifest,
    /// The manifest's own text.
    text: String,
    signature: Option<String>,
    /// The number of entries that were read.
    entries: usize,
    /// The header of the entry after the manifest, if it is not the signature's.
    ahead: Option<Header>,
}

/// A receiver of a pack's files.
pub trait Contents {
    /// The content of a file follows.
    ///
    /// # Errors
    ///
    /// If it cannot be taken.
    fn begin(&mut self, file: &File) -> Result<(), PackError>;

    /// The next bytes of the file.
    ///
    /// # Errors
    ///
    /// If they cannot be taken.
    fn bytes(&mut self, bytes: &[u8]) -> Result<(), PackError>;

    /// The content of the file is complete, and has the hash of the manifest.
    ///
    /// # Errors
    ///
    /// If the file cannot be finished.
    fn end(&mut self) -> Result<(), PackError>;
}

impl Reader<BufReader<DiskFile>> {
    /// Opens a pack, and checks its manifest and signature.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, is too large, or is no pack; if the manifest is refused; if the
    /// signature is not that of the publisher's key.
    pub fn open(path: &Path) -> Result<Self, PackError> {
        // Before it is opened, because opening a pipe would wait for somebody who writes to it.
        let data = fs::metadata(path).map_err(PackError::file("read", path))?;
        if !data.is_file() {
            let source = io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file");
            return Err(PackError::file("read", path)(source));
        }
        let file = DiskFile::open(path).map_err(PackError::file("open", path))?;
        Self::new(BufReader::new(file), data.len())
    }
}

impl<R: BufRead> Reader<R> {
    /// Reads the manifest of a pack of `size` bytes, and checks it and the signature.
    ///
    /// # Errors
    ///
    /// As for [`Reader::open`].
    pub fn new(packed: R, size: u64) -> Result<Self, PackError> {
        too_large("the pack", size, MAX_PACK_BYTES)?;
        let mut archive =
            Decoder::with_buffer(packed).map_err(|source| PackError::Compression { source })?;
        archive
            .window_log_max(MAX_WINDOW_LOG)
            .map_err(|source| PackError::Compression { source })?;
        let mut archive = archive.single_frame();
        let text = special(&mut archive, 1, MANIFEST, MAX_MANIFEST_BYTES, None)?;
        let manifest = Manifest::parse(&text)?;
        let text = String::from_utf8(text).map_err(|_| ManifestError::NotText)?;
        let total = manifest.total_bytes();
        if total > ANY_RATIO_BYTES {
            let limit = size.saturating_mul(MAX_RATIO).max(ANY_RATIO_BYTES);
            too_large("the unpacked pack", total, limit)?;
        }
        let mut entries = 1;
        let next = next_header(&mut archive, END)?;
        let is_signature = next.path_bytes().as_ref() == SIGNATURE.as_bytes();
        let (signature, ahead) = if is_signature {
            entries += 1;
            let header = Some(next);
            let bytes = special(&mut archive, 2, SIGNATURE, MAX_SIGNATURE_BYTES, header)?;
            (Some(String::from_utf8(bytes).map_err(|_| SignError::NotASignature)?), None)
        } else {
            (None, Some(next))
        };
        sign::verify(&manifest, text.as_bytes(), signature.as_deref())?;
        Ok(Self { archive, manifest, text, signature, entries, ahead })
    }

    /// The manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// True if the manifest is signed by the key that it names as the publisher's.
    pub fn is_signed(&self) -> bool {
        self.signature.is_some()
    }

    /// The manifest's text, which the signature is over.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signature.
    pub fn signature(&self) -> Option<&str> {
        self.signature.as_deref()
    }

    /// Reads all files, and checks their sizes and hashes.
    ///
    /// # Errors
    ///
    /// If the archive differs in anything from what the manifest describes.
    pub fn check(self) -> Result<Manifest, PackError> {
        /// Keeps nothing.
        struct Nowhere;
        impl Contents for Nowhere {
            fn begin(&mut self, _: &File) -> Result<(), PackError> {
                Ok(())
            }
            fn bytes(&mut self, _: &[u8]) -> Result<(), PackError> {
                Ok(())
            }
            fn end(&mut self) -> Result<(), PackError> {
                Ok(())
            }
        }
        self.read(&mut Nowhere)
    }

    /// Writes all files to a new folder. It is not complete if this fails: remove it then.
    ///
    /// # Errors
    ///
    /// If the folder exists, a file cannot be written, or the archive differs in anything from what
    /// the manifest describes.
    pub fn unpack(self, folder: &Path) -> Result<Manifest, PackError> {
        // Nobody else can put a link into it.
        let made = DirBuilder::new().mode(0o700).create(folder);
        made.map_err(PackError::file("create", folder))?;
        self.read(&mut Folder { folder, file: None })
    }

    /// Passes all files on, and checks their sizes and hashes.
    ///
    /// # Errors
    ///
    /// If `contents` fails, or the archive differs in anything from what the manifest describes.
    pub fn read(mut self, contents: &mut impl Contents) -> Result<Manifest, PackError> {
        let files = std::mem::take(&mut self.manifest.files);
        for file in &files {
            self.file(file, contents)?;
        }
        let end = match self.ahead.take() {
            Some(header) => *header.as_bytes(),
            None => block(&mut self.archive, END)?,
        };
        if end != [0; BLOCK] {
            return Err(ArchiveError::More("another entry").into());
        }
        if block(&mut self.archive, END)? != [0; BLOCK] {
            return Err(ArchiveError::More("another entry").into());
        }
        if read(&mut self.archive, &mut [0], END)? > 0 {
            return Err(ArchiveError::More("bytes behind the archive's end").into());
        }
        let mut packed = self.archive.finish();
        let rest = packed.fill_buf().map_err(|source| PackError::Compression { source })?;
        if !rest.is_empty() {
            return Err(ArchiveError::More("bytes behind the compressed data").into());
        }
        Ok(Manifest { files, ..self.manifest })
    }

    fn file(&mut self, file: &File, contents: &mut impl Contents) -> Result<(), PackError> {
        self.entries += 1;
        let found = match self.ahead.take() {
            Some(header) => header,
            None => next_header(&mut self.archive, &file.path)?,
        };
        expect(&found, self.entries, &file.path, file.size)?;
        contents.begin(file)?;
        let mut hasher = blake3::Hasher::new();
        in_chunks(&mut self.archive, &file.path, file.size, &mut |bytes| {
            hasher.update(bytes);
            contents.bytes(bytes)
        })?;
        let found = Hash::from(hasher.finalize());
        if found != file.blake3 {
            let (path, expected) = (file.path.clone(), file.blake3);
            return Err(PackError::Content { path, expected, found });
        }
        skip_padding(&mut self.archive, &file.path, file.size)?;
        contents.end()
    }
}

/// A folder that a pack is unpacked to.
struct Folder<'a> {
    folder: &'a Path,
    file: Option<DiskFile>,
}

impl Contents for Folder<'_> {
    fn begin(&mut self, file: &File) -> Result<(), PackError> {
        let path = self.folder.join(&file.path);
        if let Some(parent) = path.parent() {
            let made = DirBuilder::new().recursive(true).mode(0o755).create(parent);
            made.map_err(PackError::file("create", parent))?;
        }
        // A file that is there already would be another name for it.
        let opened = OpenOptions::new().write(true).create_new(true).mode(0o644).open(&path);
        self.file = Some(opened.map_err(PackError::file("create", path))?);
        Ok(())
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<(), PackError> {
        let Some(file) = &mut self.file else { return Ok(()) };
        file.write_all(bytes).map_err(PackError::file("write to", self.folder))
    }

    fn end(&mut self) -> Result<(), PackError> {
        let Some(file) = self.file.take() else { return Ok(()) };
        file.sync_all().map_err(PackError::file("write to", self.folder))
    }
}

/// The content of the manifest or the signature, whose size only its header says.
fn special(
    archive: &mut impl Read,
    number: usize,
    path: &'static str,
    limit: u64,
    header: Option<Header>,
) -> Result<Vec<u8>, PackError> {
    let found = match header {
        Some(header) => header,
        None => next_header(archive, path)?,
    };
    let size = found.entry_size().unwrap_or(0);
    expect(&found, number, path, size)?;
    too_large(path, size, limit)?;
    let mut content = Vec::new();
    let push = &mut |bytes: &[u8]| {
        content.extend_from_slice(bytes);
        Ok(())
    };
    in_chunks(archive, path, size, push)?;
    skip_padding(archive, path, size)?;
    Ok(content)
}

/// Passes on the content of a file.
fn in_chunks(
    archive: &mut impl Read,
    path: &str,
    size: u64,
    take: &mut dyn FnMut(&[u8]) -> Result<(), PackError>,
) -> Result<(), PackError> {
    let mut buffer = [0; BUFFER_BYTES];
    let mut left = size;
    while left > 0 {
        let most = left.min(BUFFER_BYTES as u64) as usize;
        let count = read(archive, &mut buffer[..most], path)?;
        if count == 0 {
            return Err(ArchiveError::CutOff(path.to_owned()).into());
        }
        take(&buffer[..count])?;
        left -= count as u64;
    }
    Ok(())
}

/// Checks that a header is the only one that is allowed for this file.
fn expect(found: &Header, number: usize, path: &str, size: u64) -> Result<(), PackError> {
    let is_expected = header(path, size).is_ok_and(|it| it.as_bytes() == found.as_bytes());
    if is_expected {
        return Ok(());
    }
    let expected = format!("the file `{path}` of {}", Size(size));
    Err(ArchiveError::Entry { number, expected, found: describe(found) }.into())
}

/// The name of an entry's kind, for errors.
fn describe(header: &Header) -> String {
    if header.as_bytes() == &[0; BLOCK] {
        return "the archive's end".to_owned();
    }
    let kind = match header.entry_type() {
        EntryType::Regular => "a file",
        EntryType::Link => "a hard link",
        EntryType::Symlink => "a symbolic link",
        EntryType::Char | EntryType::Block => "a device",
        EntryType::Directory => "a folder",
        EntryType::Fifo => "a named pipe",
        EntryType::XGlobalHeader | EntryType::XHeader => "an extended header",
        EntryType::GNULongName | EntryType::GNULongLink => "a long name",
        _ => "an entry of an unknown kind",
    };
    let path = String::from_utf8_lossy(&header.path_bytes()).escape_debug().to_string();
    match header.entry_size() {
        Ok(size) => format!("{kind} `{path}` of {}", Size(size)),
        Err(_) => format!("{kind} `{path}` without a size"),
    }
}

fn next_header(archive: &mut impl Read, before: &str) -> Result<Header, PackError> {
    Ok(Header::from_byte_slice(&block(archive, before)?).clone())
}

fn block(archive: &mut impl Read, of: &str) -> Result<[u8; BLOCK], PackError> {
    let mut block = [0; BLOCK];
    fill(archive, &mut block, of)?;
    Ok(block)
}

fn fill(archive: &mut impl Read, buffer: &mut [u8], of: &str) -> Result<(), PackError> {
    let mut at = 0;
    while at < buffer.len() {
        match read(archive, &mut buffer[at..], of)? {
            0 => return Err(ArchiveError::CutOff(of.to_owned()).into()),
            count => at += count,
        }
    }
    Ok(())
}

fn skip_padding(archive: &mut impl Read, path: &str, size: u64) -> Result<(), PackError> {
    let mut block = [0; BLOCK];
    let padding = &mut block[..padding(size)];
    fill(archive, padding, path)?;
    if padding.iter().any(|byte| *byte != 0) {
        return Err(ArchiveError::Padding(path.to_owned()).into());
    }
    Ok(())
}

/// Reads some bytes of `of`; 0 only at the proper end of the compressed data.
fn read(archive: &mut impl Read, buffer: &mut [u8], of: &str) -> Result<usize, PackError> {
    loop {
        match archive.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                return Err(ArchiveError::CutOff(of.to_owned()).into());
            }
            read => return read.map_err(|source| PackError::Compression { source }),
        }
    }
}

fn too_large(what: &'static str, found: u64, limit: u64) -> Result<(), PackError> {
    if found > limit { Err(PackError::TooLarge { what, found, limit }) } else { Ok(()) }
}
