//! Rust's own programs: where they are, and which version they are of.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::build::host_triple;

/// A toolchain, as `rustc` finds it in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toolchain {
    /// The folder that holds `bin/rustc`.
    pub sysroot: PathBuf,
    /// The version with its commit, for example `rustc 1.95.0 (59807616e 2026-04-14)`.
    pub version: String,
}

impl Toolchain {
    /// The toolchain for work in `folder`: rustup picks it by the `rust-toolchain.toml` there, and
    /// installs it if it has to.
    ///
    /// # Errors
    ///
    /// If `rustc` cannot be started, or fails.
    pub fn of(folder: &Path) -> io::Result<Self> {
        let ask = |arguments: &[&str]| {
            let mut rustc = Command::new("rustc");
            let output = rustc.args(arguments).current_dir(folder).stdin(Stdio::null()).output()?;
            if !output.status.success() {
                return Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()));
            }
            Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
        };
        Ok(Self { sysroot: ask(&["--print", "sysroot"])?.into(), version: ask(&["--version"])? })
    }

    /// One of the programs that users call: `rustc`, `rustdoc`.
    pub fn program(&self, name: &str) -> PathBuf {
        self.sysroot.join("bin").join(name)
    }

    /// `rust-objcopy`, with the variable that it needs to find the compiler's libraries.
    pub fn objcopy(&self) -> Command {
        let tools = self.sysroot.join("lib/rustlib").join(host_triple()).join("bin");
        let mut command = Command::new(tools.join("rust-objcopy"));
        command.env("LD_LIBRARY_PATH", self.sysroot.join("lib"));
        command
    }
}
