//! `playground pack`: builds, signs, checks and installs packs.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::home::Home;
use clap::Subcommand;
use playground_hotload::packs::{
    self, Difference, GameFolder, Level, PackDiff, PacksError, StoreCommand,
};
use playground_pack::{Manifest, PackError, Reader, SigningKey, Size};

/// Subcommands about packs.
#[derive(Subcommand, Clone, Debug)]
pub enum PackCommand {
    /// Make a folder for a new pack, and a module for it unless modules are given
    New {
        /// The folder; its name is the pack's id
        folder: PathBuf,
        /// A module of the workspace that the pack holds; may be repeated
        #[arg(long = "module", value_name = "ID")]
        modules: Vec<String>,
    },
    /// Build the modules of a pack, and pack them with the folder's files
    Build {
        /// The folder with the pack's pack.toml
        folder: PathBuf,
        /// The packed file; ID-VERSION.pgpack in this folder if not given
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Make a key that signs packs: FILE, which has to stay secret, and FILE.pub
    Key {
        /// The file of the secret key
        file: PathBuf,
        /// Do not encrypt the secret key
        #[arg(long)]
        no_password: bool,
    },
    /// Sign a pack
    Sign {
        /// The packed file
        file: PathBuf,
        /// The secret key, of `pack key` or minisign
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        /// The publisher's name; the pack's first author if not given
        #[arg(long)]
        name: Option<String>,
    },
    /// Show what is in a pack
    Inspect {
        /// The packed file
        file: PathBuf,
    },
    /// Compare two versions of a pack; fails if the new version number is too low for the changes
    Diff {
        /// The packed file of the old version
        old: PathBuf,
        /// The packed file of the new version
        new: PathBuf,
    },
    #[command(flatten)]
    Store(StoreCommand),
}

impl PackCommand {
    /// Runs the command; returns the exit code of the process. `data` is the folder of saves and
    /// packs, if it was given.
    pub fn run(self, data: Option<PathBuf>) -> ExitCode {
        match self.execute(data) {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::FAILURE,
            Err(error) => {
                // rustc's messages have colours.
                anstream::eprintln!("{error}");
                ExitCode::FAILURE
            }
        }
    }

    /// Returns false for what was done and is not as it should be.
    fn execute(self, data: Option<PathBuf>) -> Result<bool, PacksError> {
        let done = match self {
            Self::Diff { old, new } => return diff(&old, &new),
            Self::New { folder, modules } => new(&folder, &modules),
            Self::Build { folder, out } => build(&folder, out),
            Self::Key { file, no_password } => key(&file, no_password),
            Self::Sign { file, key, name } => sign(&file, &key, name.as_deref()),
            Self::Inspect { file } => inspect(&file),
            Self::Store(command) => change(command, data),
        };
        done.map(|()| true)
    }
}

fn new(folder: &Path, modules: &[String]) -> Result<(), PacksError> {
    let made = packs::new(folder, modules)?;
    println!("made {}", made.folder.join("pack.toml").display());
    if let Some(module) = made.module {
        println!("made {}", module.display());
    }
    println!("next: `playground pack build {}`", folder.display());
    Ok(())
}

fn build(folder: &Path, out: Option<PathBuf>) -> Result<(), PacksError> {
    let draft = packs::build(folder, &mut |step| eprintln!("{step}"))?;
    let Manifest { id, version, .. } = &draft.manifest;
    let file = out.unwrap_or_else(|| format!("{id}-{version}.pgpack").into());
    let size = packs::write(&draft, &file)?;
    println!("{}", packs::summary(&draft.manifest));
    println!("packed into {} ({})", file.display(), Size(size));
    println!("next: `playground pack sign {} --key FILE`", file.display());
    Ok(())
}

fn key(file: &Path, no_password: bool) -> Result<(), PacksError> {
    let failed = |error: PackError| PacksError::Pack { file: file.to_owned(), error };
    let password = if no_password { String::new() } else { new_password(file).map_err(failed)? };
    let public = SigningKey::create(file, &password).map_err(|error| failed(error.into()))?;
    println!("the secret key is in {}: whoever has it can sign in your name", file.display());
    println!("the public key is {public}");
    Ok(())
}

/// Asks twice.
fn new_password(file: &Path) -> Result<String, PackError> {
    let failed =
        |source| PackError::File { action: "ask for a password for", path: file.into(), source };
    if !io::stdin().is_terminal() {
        let reason = "this is no terminal; `--no-password` leaves the key unencrypted";
        return Err(failed(io::Error::other(reason)));
    }
    let password = rpassword::prompt_password("password of the new key: ").map_err(failed)?;
    let again = rpassword::prompt_password("once more: ").map_err(failed)?;
    if password != again {
        return Err(failed(io::Error::other("the second password is another one")));
    }
    Ok(password)
}

fn sign(file: &Path, key: &Path, name: Option<&str>) -> Result<(), PacksError> {
    let ask = || rpassword::prompt_password(format!("password of {}: ", key.display()));
    let key = SigningKey::read(key, ask)
        .map_err(|error| PacksError::Pack { file: key.to_owned(), error: error.into() })?;
    let manifest = packs::sign(file, &key, name)?;
    println!("signed {}: {}", file.display(), packs::publisher(&manifest));
    Ok(())
}

fn inspect(file: &Path) -> Result<(), PacksError> {
    let failed = |error| PacksError::Pack { file: file.to_owned(), error };
    let manifest = Reader::open(file).map_err(failed)?.check().map_err(failed)?;
    println!("{}", packs::describe(&manifest));
    Ok(())
}

/// A command about installed packs.
fn change(command: StoreCommand, data: Option<PathBuf>) -> Result<(), PacksError> {
    let home = Home::find(data);
    let packs = home.packs();
    let game = match (&home.modules, &packs) {
        (Some(modules), Some(packs)) => GameFolder::Released { modules, packs },
        _ => GameFolder::Workspace(Path::new(".")),
    };
    let run =
        |command: &StoreCommand| packs::run_in(game, command, &mut |step| eprintln!("{step}"));
    let done = match (run(&command), command) {
        (Err(error), StoreCommand::Install { file, developer, downgrade, .. })
            if error.asks_for_trust() && io::stdin().is_terminal() =>
        {
            anstream::eprintln!("{error}");
            if !confirm("Trust this publisher from now on? [y/N] ") {
                println!("nothing was installed");
                return Ok(());
            }
            run(&StoreCommand::Install { file, trust: true, developer, downgrade })
        }
        (done, _) => done,
    };
    println!("{}", done?.text);
    Ok(())
}

fn confirm(question: &str) -> bool {
    print!("{question}");
    let mut answer = String::new();
    let is_read = io::stdout().flush().and_then(|()| io::stdin().read_line(&mut answer)).is_ok();
    is_read && ["y", "yes"].contains(&answer.trim().to_lowercase().as_str())
}

/// Returns true if the version is high enough.
fn diff(old: &Path, new: &Path) -> Result<bool, PacksError> {
    let diff = packs::diff(old, new)?;
    for Difference { level, text } in &diff.differences {
        let level = match level {
            Level::Patch => "patch",
            Level::Minor => "minor",
            Level::Major => "major",
        };
        println!("{level:<6} {text}");
    }
    let PackDiff { id, from, to, .. } = &diff;
    if diff.differences.is_empty() {
        println!("{id} {from} and {id} {to} hold the same");
    } else {
        let needed = diff.needed();
        println!("{id} {from} to {to}: the changes call for {needed} or higher");
    }
    if !diff.fits() {
        let remedy = "raise `version` in the pack's pack.toml, and build it again";
        println!("{to} is too low: {remedy}");
    }
    Ok(diff.fits())
}
