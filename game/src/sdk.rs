//! `playground sdk`: what an author needs to build modules for a released game.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;
use playground_hotload::sdk::{self, Export};
use playground_pack::Size;

/// What to do with an SDK.
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
        let done = match self {
            Self::Export { folder, no_archive } => export(folder, !no_archive),
            Self::New { folder, sdk } => new(folder, sdk),
        };
        match done {
            Ok(()) => ExitCode::SUCCESS,
            Err(text) => {
                anstream::eprintln!("{text}");
                ExitCode::FAILURE
            }
        }
    }
}

fn export(folder: PathBuf, archive: bool) -> Result<(), String> {
    let order = Export { workspace: PathBuf::from("."), folder, archive };
    let exported =
        sdk::export(&order, &mut |step| eprintln!("{step}")).map_err(|error| error.to_string())?;
    let total = exported.parts.iter().map(|(_, size)| size).sum();
    println!("{} ({})", order.folder.display(), Size(total));
    for (name, size) in &exported.parts {
        println!("    {name:<20} {}", Size(*size));
    }
    if let Some((path, size)) = &exported.archive {
        println!("{} ({})", path.display(), Size(*size));
    }
    Ok(())
}

fn new(folder: PathBuf, sdk: PathBuf) -> Result<(), String> {
    let made = sdk::new_project(&folder, &sdk).map_err(|error| error.to_string())?;
    println!("made {}", made.folder.display());
    println!("    {}", made.pack.join("pack.toml").display());
    if let Some(module) = made.module {
        println!("    {}", module.display());
    }
    println!("next: `playground --project {}`", made.folder.display());
    Ok(())
}
