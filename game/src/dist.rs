//! `playground dist`: the game as a folder and an archive for players.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use playground_hotload::dist::{self, Form, Release};
use playground_pack::Size;

/// How to release the game.
#[derive(Args, Clone, Debug)]
pub struct DistArgs {
    /// The folder to write; dist/playground-VERSION-TARGET in the workspace if not given
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Link the modules into the program, which takes no packs then; this builds Bevy once more
    #[arg(long = "static")]
    linked: bool,
    /// cargo's profile for --static
    #[arg(long, value_name = "NAME", default_value = "dist", requires = "linked")]
    profile: String,
    /// Write no archive beside the folder
    #[arg(long)]
    no_archive: bool,
}

impl DistArgs {
    /// Runs the command; returns the exit code of the process.
    pub fn run(self) -> ExitCode {
        let release = Release {
            workspace: PathBuf::from("."),
            assets: None,
            out: self.out,
            archive: !self.no_archive,
            form: match self.linked {
                true => Form::Static { package: "playground".to_owned(), profile: self.profile },
                false => Form::Hot,
            },
        };
        let released = match dist::dist(&release, &mut |step| eprintln!("{step}")) {
            Ok(released) => released,
            Err(error) => {
                anstream::eprintln!("{error}");
                return ExitCode::FAILURE;
            }
        };
        print_written(&released.folder, &released.parts, released.archive.as_ref());
        ExitCode::SUCCESS
    }
}

/// Prints a folder that was written with the sizes of its parts, and its archive.
pub fn print_written(folder: &Path, parts: &[(String, u64)], archive: Option<&(PathBuf, u64)>) {
    let total = parts.iter().map(|(_, size)| size).sum();
    println!("{} ({})", folder.display(), Size(total));
    for (name, size) in parts {
        println!("    {name:<20} {}", Size(*size));
    }
    if let Some((path, size)) = archive {
        println!("{} ({})", path.display(), Size(*size));
    }
}
