//! The console's command language: a line in, commands out.
//!
//! The same commands come from the in-game console, from standard input and from `--exec`. A line
//! is parsed as a whole before any of it runs: a mistake in its second command keeps the first one
//! from running.
//!
//! ```text
//! disable plugins_hud; wait 60; spawn "two words" 3
//! ```
//!
//! [`Command`] is the only definition of the built-in commands. Parsing, `help`, the usage in an
//! error message and completion all read it through clap; the doc comments of its variants and
//! fields are the texts that users see.

mod complete;
mod error;
mod grammar;
#[cfg(test)]
mod tests;
mod words;

pub use complete::{Completion, Names, complete, suggest};
pub use error::{ParseError, UnknownCommand};
pub use grammar::{help, names, usage};
pub use words::last_command;

use clap::builder::NonEmptyStringValueParser;
use clap::{FromArgMatches, Parser, Subcommand};

use crate::packs::StoreCommand;

/// A command of the console.
///
/// An argument's id says what completes it: see `complete.rs`.
#[derive(Debug, Clone, PartialEq, Eq, Parser)]
#[command(
    multicall = true,
    args_override_self = true,
    disable_help_flag = true,
    disable_help_subcommand = true
)]
pub enum Command {
    /// Lists the commands, or explains one.
    Help {
        /// A command's name.
        #[arg(allow_hyphen_values = true)]
        command: Option<String>,
    },
    /// Lists the modules with state, generation and times.
    Modules,
    /// Switches a module on; its state comes back.
    Enable {
        /// A module's id.
        #[arg(id = "module", value_parser = NonEmptyStringValueParser::new())]
        id: String,
    },
    /// Switches a module off; its state is kept.
    Disable {
        /// A module's id.
        #[arg(id = "module", value_parser = NonEmptyStringValueParser::new())]
        id: String,
    },
    /// Builds and swaps a module.
    Reload {
        /// A module's id.
        #[arg(id = "module", value_parser = NonEmptyStringValueParser::new())]
        id: String,
        /// Swaps even if persisted data is dropped.
        #[arg(long)]
        force: bool,
    },
    /// Swaps in an artifact from a file, until the module's source changes.
    Load {
        /// A module's id.
        #[arg(id = "module", value_parser = NonEmptyStringValueParser::new())]
        id: String,
        /// An artifact's file, with its blake3 hash in `<file>.b3` beside it.
        #[arg(id = "file", allow_hyphen_values = true)]
        path: String,
    },
    /// Brings back the previous generation of a module, or the given one.
    Rollback {
        /// A module's id.
        #[arg(id = "module", value_parser = NonEmptyStringValueParser::new())]
        id: String,
        /// A generation's number.
        #[arg(allow_negative_numbers = true)]
        generation: Option<u32>,
        /// Also sets its persisted resources back to their values before the swap.
        #[arg(long)]
        state: bool,
    },
    /// Lists the generations that `rollback` can bring back.
    History {
        /// A module's id.
        #[arg(id = "module", value_parser = NonEmptyStringValueParser::new())]
        id: String,
    },
    /// Shows what a swap would change, without swapping.
    Plan {
        /// A module's id.
        #[arg(id = "module", value_parser = NonEmptyStringValueParser::new())]
        id: String,
    },
    /// Shows why a module was built last.
    Why {
        /// A module's id.
        #[arg(id = "module", value_parser = NonEmptyStringValueParser::new())]
        id: String,
    },
    /// Shows the running app, or changes to another one.
    App {
        /// An app's name.
        #[arg(id = "app", allow_hyphen_values = true)]
        name: Option<String>,
    },
    /// Prints the memory, mappings and descriptors that the game uses, in all and per swapped module.
    Stats,
    /// Prints the hash of all persisted state.
    Hash,
    /// Saves, loads and compares snapshots of all persisted state.
    #[command(subcommand)]
    Snapshot(SnapshotCommand),
    /// Artifacts that crashed the game and are not loaded again.
    #[command(subcommand)]
    Quarantine(QuarantineCommand),
    /// Installs, lists and removes packs of modules.
    #[command(subcommand)]
    Pack(StoreCommand),
    /// Lets frames pass before the next command.
    Wait {
        /// A number of frames.
        #[arg(allow_negative_numbers = true)]
        frames: u64,
    },
    /// Begins the game anew with the app that runs: set-up code runs again, nothing is loaded.
    Restart,
    /// Ends the game.
    Quit,
    /// Empties the console's output.
    Clear,
    /// A command that a module added.
    #[command(skip)]
    Other {
        /// Its name.
        name: String,
        /// Its arguments, without their quotes.
        args: Vec<String>,
    },
}

/// The subcommands of `snapshot`.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum SnapshotCommand {
    /// Writes all persisted state to a file.
    Save {
        /// A snapshot's name.
        #[arg(allow_hyphen_values = true)]
        name: String,
    },
    /// Replaces the current state with a snapshot.
    Load {
        /// A snapshot's name.
        #[arg(id = "snapshot", allow_hyphen_values = true)]
        name: String,
        /// Leaves out values that have no place.
        #[arg(long)]
        force: bool,
    },
    /// Lists the snapshots.
    List,
    /// Lists the values of the loaded snapshot that no module takes.
    Parked,
    /// Shows the differences between a snapshot and the current state.
    Diff {
        /// A snapshot's name.
        #[arg(id = "snapshot", allow_hyphen_values = true)]
        name: String,
    },
    /// Removes a snapshot.
    Delete {
        /// A snapshot's name.
        #[arg(id = "snapshot", allow_hyphen_values = true)]
        name: String,
    },
}

/// The subcommands of `quarantine`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
pub enum QuarantineCommand {
    /// Lists the artifacts in quarantine.
    List,
    /// Releases all artifacts from quarantine.
    Clear,
}

/// Parses a line: commands separated by `;`, arguments by whitespace, `"…"` around an argument that
/// contains either (inside, `\"` and `\\` stand for `"` and `\`). Empty commands are skipped.
///
/// A command that is not built in becomes [`Command::Other`], since modules add and remove commands
/// at run time; [`UnknownCommand`] is the error for one that no module has.
pub fn parse(line: &str) -> Result<Vec<Command>, ParseError> {
    let split = words::split(line);
    if let Some(at) = split.open_quote {
        return Err(ParseError::OpenQuote { column: line[..at].chars().count() + 1 });
    }
    let commands = split.commands.into_iter();
    commands
        .map(|words| words.into_iter().map(|word| word.text).collect())
        .filter(|words: &Vec<String>| !words.is_empty())
        .map(parse_command)
        .collect()
}

/// The module that a line of one built-in command names, whether or not its other arguments are
/// right.
pub fn named_module(line: &str) -> Option<String> {
    let mut commands = words::split(line).commands.into_iter();
    let words: Vec<String> = commands.next()?.into_iter().map(|word| word.text).collect();
    let (command, depth) = grammar::find(&words)?;
    let takes_module = command.get_positionals().next()?.get_id() == "module";
    let module = words.into_iter().nth(depth).filter(|word| !word.starts_with('-'));
    module.filter(|_| takes_module && commands.next().is_none())
}

fn parse_command(mut words: Vec<String>) -> Result<Command, ParseError> {
    let Some((command, _)) = grammar::find(&words) else {
        let args = words.split_off(1);
        return Ok(Command::Other { name: words.concat(), args });
    };
    grammar::matches(&words)
        .and_then(|matches| Command::from_arg_matches(&matches))
        .map_err(|error| ParseError::of_arguments(&error, command))
}
