//! Stand-in until the real one is in.
use std::path::{Path, PathBuf};
pub fn epoch(_root: &Path, sources: &[(PathBuf, String)], salt: &[String]) -> String {
    let mut h = blake3::Hasher::new();
    for (_, s) in sources { for l in s.lines().filter(|l| l.contains("struct") || l.contains("pub ")) { h.update(l.as_bytes()); } }
    for s in salt { h.update(s.as_bytes()); }
    h.finalize().to_hex()[..16].to_string()
}
pub fn refused_statics(_sources: &[(PathBuf, String)]) -> Vec<(PathBuf, usize, String)> { Vec::new() }
