//! `playground sdk`: what an author needs to build modules for a released game.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;
use playground_hotload::dist::DistError;
use playground_hotload::packs::PacksError;
use playground_hotload::sdk::{self, Export};

use crate::dist::print_written;

/// Subcommands about SDKs.
#[derive(Subcommand, Clone, Debug)]
pub enum SdkCommand {
    /// Write the SDK of this game, in its workspace
    Export {
        /// The folder to write
        folder: PathBuf,
        /// Write no archive beside the folder
        #[arg(long)]
        no_archive: bool,
    },
    /// Make a project whose modules are built with an SDK, with a first module and a pack of it
    New {
        /// The folder; its name is the pack's id
        folder: PathBuf,
        /// The SDK's folder, or its archive, which is unpacked into the project
        #[arg(long, value_name = "DIR|FILE")]
        sdk: PathBuf,
    },
}

impl SdkCommand {
    /// Runs the command; returns the exit code of the process.
    pub fn run(self) -> ExitCode {
        match self {
            Self::Export { folder, no_archive } => finish(export(folder, !no_archive)),
            Self::New { folder, sdk } => finish(new(&folder, &sdk)),
        }
    }
}

fn finish<E: Display>(done: Result<(), E>) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            anstream::eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn export(folder: PathBuf, archive: bool) -> Result<(), DistError> {
    let order = Export { workspace: PathBuf::from("."), folder, archive };
    let exported = sdk::export(&order, &mut |step| eprintln!("{step}"))?;
    print_written(&order.folder, &exported.parts, exported.archive.as_ref());
    Ok(())
}

fn new(folder: &Path, sdk: &Path) -> Result<(), PacksError> {
    let made = sdk::new_project(folder, sdk)?;
    println!("made {}", made.folder.display());
    println!("    {}", made.pack.join("pack.toml").display());
    if let Some(module) = made.module {
        println!("    {}", module.display());
    }
    println!("next: `playground --project {}`", made.folder.display());
    Ok(())
}
