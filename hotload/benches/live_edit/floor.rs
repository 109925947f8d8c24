//! The minimum time of a build: only rustc with cargo's arguments and linker, i.e. what
//! `cargo rustc --crate-type dylib` runs, without cargo.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Instant;

use playground_tests::Copy;
use serde_json::Value;

use crate::edit::{self, Edit};
use playground_tests::bench::live::ms;
use playground_tests::bench::restart::{cargo, run};

/// A copy of the workspace without a running game.
pub struct Floor {
    copy: Copy,
    recipes: Value,
}

impl Floor {
    /// Lets cargo build the dependencies, and captures its rustc commands for the modules.
    pub fn new() -> Self {
        let copy = Copy::of_game();
        copy.own_target();
        let text = edit::read(&copy.root.join("target/playground/recipes.json"));
        let recipes: Value = serde_json::from_str(&text).expect("recipes are JSON");
        let mut build = cargo(&copy.root);
        build.args(["build", "--quiet", "--lib", "--features", "playground_api/hot"]);
        for module in recipes["by_module"].as_object().expect("modules").keys() {
            build.args(["-p", module]);
        }
        run(&mut build);
        Self { copy, recipes }
    }

    /// Edits and compiles the module; returns rustc's time in milliseconds.
    pub fn rustc(&self, edit: &Edit, number: u32) -> f64 {
        let path = edit.path(&self.copy.root);
        fs::write(&path, edit.text(&edit.original(), number)).expect("a file of the copy");
        let mut command = self.command(edit.module);
        let started = Instant::now();
        let output = command.output().expect("rustc can be started");
        let took_ms = ms(started.elapsed());
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{} does not compile:\n{stderr}", edit.module);
        took_ms
    }

    fn command(&self, module: &str) -> Command {
        let recipe = &self.recipes["by_module"][module];
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let mut arguments = recipe["arguments"].as_array().expect("arguments").iter().map(text);
        let mut command = Command::new(arguments.next().expect("a program"));
        let out = self.copy.root.join("target/floor").join(module);
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--crate-type" => {
                    arguments.next();
                    command.args(["--crate-type", "dylib"]);
                }
                "--out-dir" => {
                    arguments.next();
                    command.arg("--out-dir").arg(&out);
                }
                "--extern" => {
                    command.arg("--extern").arg(linkable(&arguments.next().expect("a library")));
                }
                "--emit=dep-info,metadata,link" => {
                    command.arg("--emit=dep-info,link");
                }
                "-C" => {
                    let option = arguments.next().expect("an option");
                    let incremental = out.join("incremental");
                    match option.starts_with("incremental=") {
                        true => {
                            command.args(["-C", &format!("incremental={}", incremental.display())])
                        }
                        false => command.args(["-C", &option]),
                    };
                }
                _ => {
                    command.arg(argument);
                }
            }
        }
        command.current_dir(recipe["folder"].as_str().expect("a folder"));
        // This process's own job server.
        command.env_remove("CARGO_MAKEFLAGS");
        for variable in recipe["environment"].as_array().expect("an environment") {
            command.env(text(&variable[0]), text(&variable[1]));
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        command
    }
}

/// The rlib of a dependency in place of the metadata that cargo passes, if the rlib was built.
fn linkable(library: &str) -> String {
    match library.strip_suffix(".rmeta").map(|stem| format!("{stem}.rlib")) {
        Some(rlib)
            if rlib.split_once('=').is_some_and(|(_, path)| PathBuf::from(path).exists()) =>
        {
            rlib
        }
        _ => library.to_owned(),
    }
}
