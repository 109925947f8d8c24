//! Loads an inspected artifact. The only place in the workspace that opens a library, and its only
//! `unsafe`.

use std::error::Error as _;
use std::ffi::c_void;
use std::fs::File;
use std::io::{self, Seek, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
use playground_api::export::{MAGIC, ModuleEntry};
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use thiserror::Error;

use crate::explain::{Explain, Explanation};
use crate::ids::{ArtifactHash, ModuleId};
use crate::inspect::Inspected;
use crate::os_remedies::remedy;

/// A module's code in the process. It stays there until the process ends.
#[derive(Clone, Copy)]
pub struct Code {
    /// The module's export.
    pub entry: &'static ModuleEntry,
    /// The sealed copy that it was loaded from. It stays open: if its descriptor's number were
    /// reused, the loader would return the old library for the new path.
    image: &'static File,
}

impl Code {
    /// The path through which other processes of the same user can read the artifact while this one
    /// lives.
    pub fn image_path(&self) -> PathBuf {
        path_of(self.image)
    }

    /// The inode of the memory file: it identifies the code of one load in one app.
    pub fn image(&self) -> u64 {
        self.image.metadata().map_or(0, |metadata| metadata.ino())
    }

    /// The size of the artifact.
    pub fn size_bytes(&self) -> u64 {
        self.image.metadata().map_or(0, |metadata| metadata.len())
    }
}

#[cfg(test)]
impl Code {
    /// A module whose `build` registers nothing.
    pub fn stub() -> Self {
        static ENTRY: ModuleEntry =
            ModuleEntry { magic: MAGIC, manifest_len: 0, schemas_len: 0, build: |_| () };
        #[expect(clippy::unwrap_used, reason = "a test")]
        static IMAGE: std::sync::LazyLock<File> =
            std::sync::LazyLock::new(|| File::open("/dev/null").unwrap());
        Self { entry: &ENTRY, image: &IMAGE }
    }
}

/// An inspected artifact's bytes, in memory that can no longer be written to.
///
/// ```no_run,standalone_crate
/// use playground_hotload::inspect::Inspected;
/// use playground_hotload::load::Sealed;
///
/// fn read(sealed: &Sealed) -> &Inspected {
///     sealed.inspected()
/// }
/// ```
///
/// Other code cannot put one together, nor exchange what is in it.
///
/// ```compile_fail,E0451
/// use std::fs::File;
/// use playground_hotload::inspect::Inspected;
/// use playground_hotload::load::Sealed;
///
/// fn forge(inspected: Inspected, copy: File) -> Sealed {
///     Sealed { inspected, copy }
/// }
/// ```
///
/// ```compile_fail,E0616
/// use playground_hotload::load::Sealed;
///
/// fn exchange(sealed: &mut Sealed, other: std::fs::File) {
///     sealed.copy = other;
/// }
/// ```
///
/// ```compile_fail,E0616
/// use playground_hotload::inspect::Inspected;
/// use playground_hotload::load::Sealed;
///
/// fn take(sealed: Sealed) -> Inspected {
///     sealed.inspected
/// }
/// ```
///
/// Sealing and loading is for the pipeline alone.
///
/// ```compile_fail,E0603
/// use playground_hotload::load::seal;
/// ```
///
/// ```compile_fail,E0603
/// use playground_hotload::load::load;
/// ```
pub struct Sealed {
    inspected: Inspected,
    copy: File,
}

impl Sealed {
    /// The result of inspection.
    pub fn inspected(&self) -> &Inspected {
        &self.inspected
    }

    /// The path through which other processes of the same user can read the bytes while this one
    /// holds them.
    pub fn path(&self) -> PathBuf {
        path_of(&self.copy)
    }
}

fn path_of(copy: &File) -> PathBuf {
    format!("/proc/{}/fd/{}", std::process::id(), copy.as_raw_fd()).into()
}

/// Why an inspected artifact cannot be loaded.
#[derive(Debug, Error)]
#[error("{}", self.explain())]
pub enum LoadError {
    /// The sealed copy could not be made.
    Copy {
        /// The module.
        id: ModuleId,
        /// Why.
        source: io::Error,
    },
    /// The sealed copy differs from the inspected bytes.
    Differs {
        /// The module.
        id: ModuleId,
        /// The hash of the inspected bytes.
        expected: ArtifactHash,
        /// The hash of the copy.
        found: ArtifactHash,
    },
    /// The system's loader refused.
    Open {
        /// The module.
        id: ModuleId,
        /// Why.
        source: libloading::Error,
    },
}

impl Explain for LoadError {
    fn explain(&self) -> Explanation {
        match self {
            Self::Copy { id, source } => Explanation::new(
                "H0501",
                format!("no sealed copy of module `{id}` in memory: {source}"),
            )
            .remedy(format!("{}, then `reload {id}`", remedy(source))),
            Self::Differs { id, expected, found } => Explanation::new(
                "H0507",
                format!(
                    "the sealed copy of module `{id}` has the hash {found}, and the inspected bytes \
                     have {expected}"
                ),
            )
            .remedy(format!("Try again with `reload {id}`; if it comes back, test the memory")),
            Self::Open { id, source } => Explanation::new(
                "H0502",
                match source.source() {
                    // The loader's own message.
                    Some(reason) => format!("the system's loader refused module `{id}`: {reason}"),
                    None => format!("the system's loader refused module `{id}`: {source}"),
                },
            )
            .remedy(format!("Build it again with `reload {id}`")),
        }
    }
}

/// Copies the inspected bytes to memory that can no longer be written to, and hashes them there: the
/// bytes that will be executed are those that were checked.
///
/// # Errors
///
/// If there is no memory or descriptor left, or the copy differs.
pub(crate) fn seal(inspected: Inspected) -> Result<Sealed, LoadError> {
    let id = &inspected.manifest().id;
    let failed = |source| LoadError::Copy { id: id.clone(), source };
    let copy = sealed_copy(id, inspected.bytes()).map_err(failed)?;
    let found = hash_of(&copy).map_err(failed)?;
    if found != *inspected.hash() {
        let (id, expected) = (id.clone(), inspected.hash().clone());
        return Err(LoadError::Differs { id, expected, found });
    }
    Ok(Sealed { inspected, copy })
}

/// Loads a sealed artifact, and returns it with the result of its inspection.
///
/// # Errors
///
/// If the system's loader refuses.
pub(crate) fn load(sealed: Sealed) -> Result<(Code, Inspected), LoadError> {
    let Sealed { inspected, copy } = sealed;
    let path = format!("/proc/self/fd/{}", copy.as_raw_fd());
    let symbol = inspected.export_symbol().as_bytes();

    // SAFETY: `Inspected` exists only for bytes whose ABI fingerprint is this host's: the same rustc,
    // target, profile, Bevy and playground_api, so that `ModuleEntry` and every function the module
    // shares with the host mean the same on both sides. The bytes are a complete ELF image for this
    // machine, with every undefined symbol defined in the host, and `symbol` is the one
    // `PLAYGROUND_MODULE` of the module's own crate, inside a mapped segment, aligned, and beginning
    // with `ModuleEntry`'s magic. They lie in a sealed memory file and were hashed there, so nobody
    // wrote to them after the check, or will. Modules are compiled with `-F unsafe_code`, and what
    // that lint misses is refused as source: their constructors are those that safe Rust, and the
    // dependencies that the game trusts, make. The library is never closed, so `'static` holds.
    #[expect(unsafe_code, reason = "the one place where code enters the process")]
    let entry: Result<&'static ModuleEntry, libloading::Error> = unsafe {
        Library::open(Some(&path), RTLD_NOW | RTLD_LOCAL).and_then(|library| {
            let library: &'static Library = Box::leak(Box::new(library));
            library.get::<*const c_void>(symbol).map(|found| {
                let entry = found.into_raw().cast::<ModuleEntry>();
                &*entry
            })
        })
    };
    // Also if the loader refused: it may have mapped the file before that.
    let image: &'static File = Box::leak(Box::new(copy));
    let id = &inspected.manifest().id;
    let entry = entry.map_err(|source| LoadError::Open { id: id.clone(), source })?;
    debug_assert_eq!(entry.magic, MAGIC);
    Ok((Code { entry, image }, inspected))
}

fn sealed_copy(id: &ModuleId, bytes: &[u8]) -> io::Result<File> {
    let file = memfd_create(id.as_str(), MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
    let mut file = File::from(file);
    file.write_all(bytes)?;
    let seals = SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE;
    fcntl_add_seals(&file, seals)?;
    Ok(file)
}

fn hash_of(mut copy: &File) -> io::Result<ArtifactHash> {
    copy.rewind()?;
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(copy)?;
    Ok(hasher.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_copy_holds_the_bytes_and_takes_no_others() {
        let bytes: Vec<u8> = (0..200_000u32).map(|number| number as u8).collect();
        let mut copy = sealed_copy(&"systems_walk".into(), &bytes).unwrap();
        assert_eq!(hash_of(&copy).unwrap(), ArtifactHash::of(&bytes));
        copy.rewind().unwrap();
        assert!(copy.write_all(b"other").is_err(), "it can be written to");
        assert!(copy.set_len(1).is_err() && copy.set_len(1 << 20).is_err(), "it can be resized");
        assert!(fcntl_add_seals(&copy, SealFlags::empty()).is_err(), "seals can be changed");
        assert_eq!(hash_of(&copy).unwrap(), ArtifactHash::of(&bytes));
    }

    #[test]
    fn other_bytes_than_those_inspected_are_not_sealed() {
        let inspected = Inspected::stub("systems_walk", b"checked", b"checked");
        let sealed = seal(inspected).unwrap();
        assert_eq!(hash_of(&sealed.copy).unwrap(), *sealed.inspected().hash());
        // A bit of the bytes flipped after they were hashed.
        let inspected = Inspected::stub("systems_walk", b"checkee", b"checked");
        let error = seal(inspected).err().expect("other bytes").to_string();
        let hashes = [ArtifactHash::of(b"checkee"), ArtifactHash::of(b"checked")];
        assert!(error.starts_with("H0507") && error.contains("`systems_walk`"), "{error}");
        assert!(hashes.iter().all(|hash| error.contains(hash.as_str())), "{error}");
    }
}
