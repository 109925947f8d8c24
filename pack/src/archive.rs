//! The archive: a tar of exactly one form, compressed with zstd.
//!
//! ```text
//!  pack.toml   pack.toml.minisig?   the manifest's files, in its order   two empty blocks
//! ```
//!
//! Every header has to be the one that this code would write for the path and size that the
//! manifest lists, byte for byte. Links, devices, long names, other modes or owners, files that are
//! listed twice or not at all are other headers, and all are refused in the same place.

mod read;
#[cfg(test)]
pub(crate) mod tests;
mod write;

use tar::{EntryType, Header};

pub use read::{Contents, Reader};
pub use write::Writer;

/// The signature's name in the pack.
pub const SIGNATURE: &str = "pack.toml.minisig";

/// tar's unit, in bytes.
const BLOCK: usize = 512;

/// The only form of a file's header.
fn header(path: &str, size: u64) -> std::io::Result<Header> {
    let mut header = Header::new_ustar();
    header.set_entry_type(EntryType::Regular);
    header.set_path(path)?;
    header.set_size(size);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_cksum();
    Ok(header)
}

/// The number of bytes that fill the last block of a file.
fn padding(size: u64) -> usize {
    (BLOCK - (size % BLOCK as u64) as usize) % BLOCK
}
