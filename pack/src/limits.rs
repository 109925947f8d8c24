//! The largest pack that is read. A reader checks these before it reads or writes more than that.

/// The maximum size of the packed file, in bytes.
pub const MAX_PACK_BYTES: u64 = 1 << 30;
/// The maximum size of the manifest, in bytes.
pub const MAX_MANIFEST_BYTES: u64 = 4 << 20;
/// The maximum size of the signature, in bytes; minisign's have about 300.
pub const MAX_SIGNATURE_BYTES: u64 = 4 << 10;
/// The maximum number of files.
pub const MAX_FILES: usize = 10_000;
/// The maximum number of modules.
pub const MAX_MODULES: usize = 500;
/// The maximum number of targets.
pub const MAX_TARGETS: usize = 16;
/// The maximum size of one file, in bytes.
pub const MAX_FILE_BYTES: u64 = 512 << 20;
/// The maximum size of all files together, in bytes.
pub const MAX_TOTAL_BYTES: u64 = 2 << 30;
/// Files may be this many times as large as the pack; code is about 4 times, pictures 1 time.
pub const MAX_RATIO: u64 = 100;
/// The size up to which the ratio does not matter, in bytes.
pub const ANY_RATIO_BYTES: u64 = 16 << 20;
/// zstd's largest window, as a power of two. It is how much memory unpacking takes.
pub const MAX_WINDOW_LOG: u32 = 27;
