//! Faults of artifacts, as data: how each is made from a good artifact, and the refusal it gets.
//!
//! ```text
//!  files         no such file, not a file, not for others, cut, not the recorded bytes
//!  headers       another machine, another kind of file
//!  segments      what is mapped, where, with which rights
//!  dynamic       the dynamic table and the tables it refers to
//!  relocations   what is written where
//!  symbols       PLAYGROUND_MODULE, and what it uses of the host
//!  entry         the bytes behind PLAYGROUND_MODULE: their head, ABI and schemas
//!  manifest      its keys and values
//! ```
//!
//! Each differs from a good artifact in the one thing that its name says: the same edit without the
//! fault is a good artifact still.

mod edit;

mod dynamic;
mod entry;
mod files;
mod headers;
mod manifest;
mod relocations;
mod segments;
mod symbols;

use std::fs;
use std::path::{Path, PathBuf};

pub use edit::Elf;

/// A good artifact.
pub struct Good {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The id of its module.
    pub id: String,
}

impl Good {
    /// Writes `bytes` to a file of the artifact's name in `folder`.
    pub fn write(&self, folder: &Path, bytes: &[u8]) -> Made {
        let path = folder.join(format!("{}.so", self.id));
        fs::write(&path, bytes).expect("a file in an empty folder");
        Made { path, hash: Hash::Right }
    }

    /// Writes what `edit` makes of it.
    pub fn edited(&self, folder: &Path, edit: impl FnOnce(&mut Elf)) -> Made {
        let mut elf = Elf::new(self);
        edit(&mut elf);
        self.write(folder, &elf.bytes)
    }

    /// Writes its first `len` bytes.
    pub fn cut(&self, folder: &Path, len: usize) -> Made {
        assert!(len < self.bytes.len(), "something has to go");
        self.write(folder, &self.bytes[..len])
    }
}

/// A faulty variant.
pub struct Made {
    /// The file to load.
    pub path: PathBuf,
    /// Its hash.
    pub hash: Hash,
}

/// The hash that goes with a file.
pub enum Hash {
    /// Of the bytes in the file: inspection itself has to find the fault.
    Right,
    /// Of the good artifact.
    Recorded,
    /// Another text.
    Text(String),
}

/// A fault in an artifact's file.
#[derive(Clone, Copy)]
pub struct FileFault {
    /// The fault.
    pub name: &'static str,
    /// Makes it in an empty folder.
    pub make: fn(&Good, &Path) -> Made,
    /// The code of the refusal.
    pub code: &'static str,
    /// Words of the reason.
    pub reason: &'static str,
    /// Words of what to do.
    pub remedy: &'static str,
    /// The check that stops it.
    pub barrier: Barrier,
}

/// A check that stops a faulty file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Barrier {
    /// The game's own look at the bytes: the refusal names the file.
    Inspection,
    /// The probe, which loads it in another process: the refusal names the module.
    Probe,
}

type Make = fn(&Good, &Path) -> Made;

/// One that makes the file something else than a module's library.
const fn malformed(name: &'static str, make: Make, reason: &'static str) -> FileFault {
    let remedy = "not a module: build it again";
    FileFault { name, make, code: "H0204", reason, remedy, barrier: Barrier::Inspection }
}

/// One that ends the process which loads it.
const fn crash(name: &'static str, make: Make, reason: &'static str) -> FileFault {
    let remedy = "The game did not load it";
    FileFault { name, make, code: "H0504", reason, remedy, barrier: Barrier::Probe }
}

/// One that the system's loader refuses.
const fn not_loaded(name: &'static str, make: Make, reason: &'static str) -> FileFault {
    let remedy = "Build it again with `reload";
    FileFault { name, make, code: "H0502", reason, remedy, barrier: Barrier::Probe }
}

/// One in `PLAYGROUND_MODULE`.
const fn export(name: &'static str, make: Make, reason: &'static str) -> FileFault {
    let remedy = "with this game's playground_api";
    FileFault { name, make, code: "H0207", reason, remedy, barrier: Barrier::Inspection }
}

const PARTS: &[&[FileFault]] = &[
    files::FAULTS,
    headers::FAULTS,
    segments::FAULTS,
    dynamic::FAULTS,
    relocations::FAULTS,
    symbols::FAULTS,
    entry::FAULTS,
    manifest::FAULTS,
];

const COUNT: usize = {
    let (mut count, mut part) = (0, 0);
    while part < PARTS.len() {
        count += PARTS[part].len();
        part += 1;
    }
    count
};

static ALL: [FileFault; COUNT] = {
    let mut all = [PARTS[0][0]; COUNT];
    let (mut at, mut part) = (0, 0);
    while part < PARTS.len() {
        let mut row = 0;
        while row < PARTS[part].len() {
            all[at] = PARTS[part][row];
            (at, row) = (at + 1, row + 1);
        }
        part += 1;
    }
    all
};

/// All of them.
pub const FILE_FAULTS: &[FileFault] = &ALL;

/// A good artifact that only looks different.
#[derive(Clone, Copy)]
pub struct Variant {
    /// The difference.
    pub name: &'static str,
    /// Makes it in an empty folder.
    pub make: fn(&Good, &Path) -> Made,
}

/// What has to be taken: the edits that the faults are made with, without a fault.
pub const GOOD_VARIANTS: &[Variant] = &[
    Variant { name: "as it was built", make: |good, folder| good.write(folder, &good.bytes) },
    Variant {
        name: "with its hash as `b3sum` prints it",
        make: |good, to| files::text(good, to, files::right_hash(good) + "  systems.so\n"),
    },
    Variant {
        name: "with its hash in capitals",
        make: |good, to| files::text(good, to, files::right_hash(good).to_uppercase()),
    },
    Variant {
        name: "by a link in its folder",
        make: |good, folder| {
            let made = good.write(folder, &good.bytes);
            let path = folder.join("link.so");
            std::os::unix::fs::symlink(&made.path, &path).expect("a link");
            Made { path, ..made }
        },
    },
    Variant {
        name: "PLAYGROUND_MODULE in a segment of its own",
        make: |good, folder| {
            good.edited(folder, |elf| {
                let schemas = elf.schemas();
                elf.set_export(elf.manifest(), &schemas);
            })
        },
    },
    Variant {
        name: "a manifest with lines of Windows and without an end of the last one",
        make: |good, folder| {
            good.edited(folder, |elf| {
                elf.edit_manifest(|text| text.trim_end().replace('\n', "\r\n\r\n"));
            })
        },
    },
    Variant {
        name: "a longer manifest",
        make: |good, folder| {
            good.edited(folder, |elf| elf.insert_into("dropped", "'a_type::That::Is::Gone'"))
        },
    },
    Variant {
        name: "no entries in the dynamic table that are not needed",
        make: |good, folder| {
            good.edited(folder, |elf| {
                elf.forget(object::elf::DT_HASH);
                elf.forget(object::elf::DT_RELACOUNT);
            })
        },
    },
    Variant {
        name: "no section headers",
        make: |good, folder| {
            good.edited(folder, |elf| {
                elf.set64(40, 0);
                elf.set32(60, 0);
            })
        },
    },
];

/// `good` with one bit changed, `count` times: spread over the whole file, no two the same, and the
/// same ones each time. Only a recorded hash detects each.
///
/// # Panics
///
/// When there are not that many bits.
pub fn bit_flips(good: &[u8], count: usize) -> impl Iterator<Item = Vec<u8>> {
    let stride = good.len() * 8 / count.max(1);
    assert!(stride > 0, "{count} bits of {} bytes", good.len());
    (0..count).map(move |index| {
        // Not always the same bit of a byte.
        let bit = index * stride + index.wrapping_mul(0x9e37_79b9) % stride;
        let mut bytes = good.to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        bytes
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn rows_are_different_ones() {
        let names: BTreeSet<_> = FILE_FAULTS.iter().map(|fault| fault.name).collect();
        assert_eq!(names.len(), FILE_FAULTS.len(), "each name once");
        assert!(FILE_FAULTS.len() >= 90, "{}", FILE_FAULTS.len());
        for fault in FILE_FAULTS {
            assert!(!fault.reason.is_empty() && !fault.remedy.is_empty(), "{}", fault.name);
        }
    }

    #[test]
    fn flips_are_different_ones() {
        let good = vec![0; 1000];
        let flipped: BTreeSet<_> = bit_flips(&good, 400).collect();
        assert_eq!(flipped.len(), 400);
        let ones = |bytes: &Vec<u8>| bytes.iter().map(|byte| byte.count_ones()).sum::<u32>();
        assert!(flipped.iter().all(|bytes| bytes.len() == 1000 && ones(bytes) == 1));
        let last = flipped.iter().filter_map(|bytes| bytes.iter().position(|byte| *byte > 0)).max();
        assert!(last > Some(990), "to the end: {last:?}");
        let bits: BTreeSet<_> = flipped.iter().filter_map(|bytes| bytes.iter().max()).collect();
        assert_eq!(bits.len(), 8, "each bit of a byte");
        assert_eq!(bit_flips(&good, 8000).count(), 8000);
    }
}
