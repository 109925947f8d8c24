//! The baseline without hot loading: `cargo build` with linked modules, then a start up to the
//! first frame. The lost state is not counted.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use super::live::ms;
use crate::Copy;

/// A copy of the workspace.
pub struct Restart {
    copy: Copy,
}

/// The times of one edit, in milliseconds.
#[derive(Clone, Copy)]
pub struct Again {
    /// `cargo build`.
    pub build_ms: f64,
    /// From the start of the process to its exit after one frame; 0 for what does not compile.
    pub start_ms: f64,
}

impl Again {
    /// Both.
    pub fn both_ms(self) -> f64 {
        self.build_ms + self.start_ms
    }
}

impl Default for Restart {
    /// Copies the workspace.
    fn default() -> Self {
        Self { copy: Copy::of_workspace() }
    }
}

impl Restart {
    /// The copy.
    pub fn copy(&self) -> &Copy {
        &self.copy
    }

    /// Writes files, whose paths are relative to the workspace, builds the game and starts it.
    pub fn run(&self, files: &[(&str, String)]) -> Again {
        self.write(files);
        let mut build = self.build();
        let mut start = self.game();
        let started = Instant::now();
        run(&mut build);
        let build_ms = ms(started.elapsed());
        run(&mut start);
        Again { build_ms, start_ms: ms(started.elapsed()) - build_ms }
    }

    /// Writes files with an error, and waits until cargo has shown it.
    pub fn fail(&self, files: &[(&str, String)]) -> Again {
        self.write(files);
        let started = Instant::now();
        let status = self.build().stdin(Stdio::null()).stderr(Stdio::null()).status();
        assert!(!status.expect("cargo can be started").success(), "it does compile");
        Again { build_ms: ms(started.elapsed()), start_ms: 0.0 }
    }

    fn write(&self, files: &[(&str, String)]) {
        for (path, text) in files {
            let path = self.copy.root.join(path);
            fs::create_dir_all(path.parent().expect("a file in a folder")).expect("folders");
            fs::write(path, text).expect("a file of the copy");
        }
    }

    fn build(&self) -> Command {
        let mut build = cargo(&self.copy.root);
        // With Bevy as a shared library, as in development.
        build.args(["build", "--quiet", "-p", "playground", "--no-default-features"]);
        build.args(["--features", "static,playground_api/hot"]);
        build
    }

    fn game(&self) -> Command {
        let built = self.copy.root.join("target/debug");
        let mut command = Command::new(built.join("playground"));
        command.args(["--headless", "--frames", "1"]).current_dir(&self.copy.root);
        let inherited = std::env::var_os("LD_LIBRARY_PATH").unwrap_or_default();
        let folders = [built.join("deps"), built];
        let folders = folders.into_iter().chain(std::env::split_paths(&inherited));
        let folders: Vec<PathBuf> = folders.collect();
        command.env("LD_LIBRARY_PATH", std::env::join_paths(folders).expect("paths without `:`"));
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    }
}

/// cargo in a copy of the workspace.
pub fn cargo(root: &Path) -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(root);
    // Variables that cargo set for this process.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    command
}

/// Runs a command; panics if it fails.
pub fn run(command: &mut Command) {
    let status = command.stdin(Stdio::null()).status();
    let status = status.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(status.success(), "{command:?} ended with {status}");
}
