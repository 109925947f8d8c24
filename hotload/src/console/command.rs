//! The console's command language: a line in, commands out.
//!
//! The same commands come from the in-game console, from standard input and from `--exec`. A line
//! is parsed as a whole before anything of it runs, so a mistake in its second command leaves the
//! first one undone.
//!
//! ```text
//! disable plugins_hud; wait 60; spawn "two words" 3
//! ```

mod complete;

pub use complete::{Completion, Names, complete, suggest};

use std::fmt;

/// What a person asks of the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// All commands, or one of them in detail.
    Help(Option<String>),
    /// A table of the modules.
    Modules,
    /// Switches a module on.
    Enable(String),
    /// Switches a module off.
    Disable(String),
    /// Builds and swaps a module.
    Reload {
        /// The module.
        id: String,
        /// Goes ahead even where data is dropped.
        force: bool,
    },
    /// Swaps a module for the artifact in a file.
    Load {
        /// The module.
        id: String,
        /// The file.
        path: String,
    },
    /// Brings back an older generation of the module.
    Rollback {
        /// The module.
        id: String,
        /// The generation; the one before the running one where it is left out.
        generation: Option<u32>,
        /// Sets its persisted resources back to what they were before the swap.
        state: bool,
    },
    /// The generations of a module that can come back.
    History(String),
    /// What a swap of the module would do, without doing it.
    Plan(String),
    /// Which app runs, or a change to another one.
    App(Option<String>),
    /// The hash of all persisted state.
    Hash,
    /// Snapshots as files.
    Snapshot(SnapshotCommand),
    /// What the process takes of the machine, and what swaps took of it.
    Stats,
    /// Artifacts that will not be loaded.
    Quarantine {
        /// Lets them out.
        clear: bool,
    },
    /// Lets a number of frames pass before the next command.
    Wait(u64),
    /// Ends the game.
    Quit,
    /// Empties the console's output.
    Clear,
    /// A command that a module added.
    Other {
        /// Its name.
        name: String,
        /// Its arguments, quotes removed.
        args: Vec<String>,
    },
}

/// What is to be done with snapshots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SnapshotCommand {
    /// Writes all persisted state to a file.
    Save(String),
    /// Puts a snapshot in the place of the current state.
    Load {
        /// Its name.
        name: String,
        /// Leaves out what has no place.
        force: bool,
    },
    /// The snapshots there are.
    List,
    /// What differs between a snapshot and the current state.
    Diff(String),
    /// Removes a snapshot.
    Delete(String),
}

/// How a built-in command is written and what it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommandHelp {
    /// What is typed.
    pub name: &'static str,
    /// With its arguments.
    pub usage: &'static str,
    /// What it does, in one line.
    pub help: &'static str,
}

const fn entry(name: &'static str, usage: &'static str, help: &'static str) -> CommandHelp {
    CommandHelp { name, usage, help }
}

/// The built-in commands, in the order in which `help` lists them.
pub const BUILT_IN: &[CommandHelp] = &[
    entry("help", "help [command]", "lists the commands, or explains one"),
    entry("modules", "modules", "lists the modules with state, generation and times"),
    entry("enable", "enable <module>", "switches a module on; its state comes back"),
    entry("disable", "disable <module>", "switches a module off; its state is kept"),
    entry("reload", "reload <module> [--force]", "builds and swaps a module; --force drops data"),
    entry(
        "load",
        "load <module> <file>",
        "swaps a module for the artifact in a file, until its source changes; its hash is in <file>.b3",
    ),
    entry(
        "rollback",
        "rollback <module> [generation] [--state]",
        "brings back the generation before the running one, or any; --state its resources too",
    ),
    entry("history", "history <module>", "lists the generations that `rollback` can bring back"),
    entry("plan", "plan <module>", "shows what a swap would do, without doing it"),
    entry("app", "app [name]", "shows the running app, or changes to another"),
    entry("stats", "stats", "prints what the game takes of the machine, in all and per swap"),
    entry("hash", "hash", "prints the hash of all persisted state"),
    entry(
        "snapshot",
        "snapshot save|load|diff|delete <name> [--force] | list",
        "writes all persisted state to a file, and brings it back; --force leaves out what has no place",
    ),
    entry(
        "quarantine",
        "quarantine list|clear",
        "artifacts that took the game down and will not be loaded",
    ),
    entry("wait", "wait <frames>", "lets frames pass before the next command"),
    entry("quit", "quit", "ends the game"),
    entry("clear", "clear", "empties the console's output"),
];

/// The entry of a built-in command.
pub fn built_in(name: &str) -> Option<&'static CommandHelp> {
    BUILT_IN.iter().find(|known| known.name == name)
}

/// Why a line is not a list of commands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// A quote without its end.
    #[error("expected a closing `\"` for the quote at column {column}, found the end of the line")]
    OpenQuote {
        /// Where it opens, counted in characters from 1.
        column: usize,
    },
    /// An argument is missing.
    #[error("`{command}` expects {expected}, found nothing after it; usage: {usage}")]
    Missing {
        /// The command.
        command: &'static str,
        /// What should follow.
        expected: &'static str,
        /// How the command is written.
        usage: &'static str,
    },
    /// An argument that cannot be what it has to be.
    #[error("`{command}` expects {expected}, found `{found}`; usage: {usage}")]
    Unexpected {
        /// The command.
        command: &'static str,
        /// What should stand there.
        expected: &'static str,
        /// What stands there.
        found: String,
        /// How the command is written.
        usage: &'static str,
    },
    /// More arguments than the command takes.
    #[error("`{command}` expects nothing more, found `{found}`; usage: {usage}")]
    Surplus {
        /// The command.
        command: &'static str,
        /// The first argument too many.
        found: String,
        /// How the command is written.
        usage: &'static str,
    },
}

/// Reads a line: commands separated by `;`, arguments by blanks, `"…"` around an argument with
/// either in it (inside, `\"` and `\\` stand for themselves). Empty commands are skipped.
///
/// A name that is not built in becomes [`Command::Other`]; whether a module knows it shows when it
/// runs, and [`suggest`] finds what was meant.
pub fn parse(line: &str) -> Result<Vec<Command>, ParseError> {
    let words = split(line);
    if let Some(at) = words.open_quote {
        return Err(ParseError::OpenQuote { column: line[..at].chars().count() + 1 });
    }
    words
        .commands
        .into_iter()
        .filter(|command| !command.is_empty())
        .map(|command| command_of(command.into_iter().map(|word| word.text).collect()))
        .collect()
}

fn command_of(words: Vec<String>) -> Result<Command, ParseError> {
    let mut words = words.into_iter();
    let name = words.next().unwrap_or_default();
    let Some(known) = built_in(&name) else {
        return Ok(Command::Other { name, args: words.collect() });
    };
    let mut args = Args { known, words };
    let command = match known.name {
        "help" => Command::Help(args.optional()),
        "modules" => Command::Modules,
        "enable" => Command::Enable(args.module()?),
        "disable" => Command::Disable(args.module()?),
        "reload" => {
            let (id, force) = args.flagged_module("--force", "`--force` or nothing")?;
            Command::Reload { id, force }
        }
        "load" => {
            let (id, path) = (args.module()?, args.required("an artifact's file")?);
            Command::Load { id, path }
        }
        "rollback" => {
            let (id, generation, state) = args.rollback()?;
            Command::Rollback { id, generation, state }
        }
        "history" => Command::History(args.module()?),
        "plan" => Command::Plan(args.module()?),
        "app" => Command::App(args.optional()),
        "stats" => Command::Stats,
        "hash" => Command::Hash,
        "snapshot" => Command::Snapshot(args.snapshot()?),
        "quarantine" => Command::Quarantine { clear: args.quarantine()? },
        "wait" => Command::Wait(args.frames()?),
        "quit" => Command::Quit,
        "clear" => Command::Clear,
        _ => Command::Other { name, args: args.words.by_ref().collect() },
    };
    args.end()?;
    Ok(command)
}

/// The arguments of a built-in command, taken one after the other.
struct Args {
    known: &'static CommandHelp,
    words: std::vec::IntoIter<String>,
}

impl Args {
    fn optional(&mut self) -> Option<String> {
        self.words.next()
    }

    fn required(&mut self, expected: &'static str) -> Result<String, ParseError> {
        let CommandHelp { name: command, usage, .. } = *self.known;
        self.words.next().ok_or(ParseError::Missing { command, expected, usage })
    }

    fn unexpected(&self, expected: &'static str, found: String) -> ParseError {
        let CommandHelp { name: command, usage, .. } = *self.known;
        ParseError::Unexpected { command, expected, found, usage }
    }

    fn module(&mut self) -> Result<String, ParseError> {
        let id = self.required("a module's id")?;
        if id.is_empty() || id.starts_with('-') {
            return Err(self.unexpected("a module's id", id));
        }
        Ok(id)
    }

    fn flagged_module(
        &mut self,
        flag: &str,
        expected: &'static str,
    ) -> Result<(String, bool), ParseError> {
        self.flagged(flag, expected, Self::module)
    }

    /// The flag may stand on either side of the name.
    fn flagged(
        &mut self,
        flag: &str,
        expected: &'static str,
        take: fn(&mut Self) -> Result<String, ParseError>,
    ) -> Result<(String, bool), ParseError> {
        let flagged = self.words.as_slice().first().is_some_and(|word| word == flag);
        if flagged {
            self.words.next();
        }
        let id = take(self)?;
        let set = match self.words.next() {
            None => flagged,
            Some(word) if word == flag => true,
            Some(word) if word.starts_with('-') => return Err(self.unexpected(expected, word)),
            Some(found) => {
                let CommandHelp { name: command, usage, .. } = *self.known;
                return Err(ParseError::Surplus { command, found, usage });
            }
        };
        Ok((id, set))
    }

    /// The flag may stand anywhere behind the name.
    fn rollback(&mut self) -> Result<(String, Option<u32>, bool), ParseError> {
        const FLAG: &str = "--state";
        const WHAT: &str = "a generation's number, `--state` or nothing";
        let mut state = false;
        if self.words.as_slice().first().is_some_and(|word| word == FLAG) {
            self.words.next();
            state = true;
        }
        let id = self.module()?;
        let mut generation = None;
        while let Some(word) = self.words.next() {
            if word == FLAG && !state {
                state = true;
            } else if generation.is_none() {
                generation = Some(word.parse().map_err(|_| self.unexpected(WHAT, word))?);
            } else {
                let CommandHelp { name: command, usage, .. } = *self.known;
                return Err(ParseError::Surplus { command, found: word, usage });
            }
        }
        Ok((id, generation, state))
    }

    fn snapshot(&mut self) -> Result<SnapshotCommand, ParseError> {
        const WHAT: &str = "save, load, list, diff or delete";
        let what = self.required(WHAT)?;
        Ok(match what.as_str() {
            "save" => SnapshotCommand::Save(self.snapshot_name()?),
            "load" => {
                let (name, force) =
                    self.flagged("--force", "`--force` or nothing", Self::snapshot_name)?;
                SnapshotCommand::Load { name, force }
            }
            "list" => SnapshotCommand::List,
            "diff" => SnapshotCommand::Diff(self.snapshot_name()?),
            "delete" => SnapshotCommand::Delete(self.snapshot_name()?),
            _ => return Err(self.unexpected(WHAT, what)),
        })
    }

    fn quarantine(&mut self) -> Result<bool, ParseError> {
        const WHAT: &str = "list or clear";
        let what = self.required(WHAT)?;
        match what.as_str() {
            "list" => Ok(false),
            "clear" => Ok(true),
            _ => Err(self.unexpected(WHAT, what)),
        }
    }

    fn snapshot_name(&mut self) -> Result<String, ParseError> {
        self.required("a snapshot's name")
    }

    fn frames(&mut self) -> Result<u64, ParseError> {
        let word = self.required("a number of frames")?;
        word.parse().map_err(|_| self.unexpected("a number of frames", word))
    }

    fn end(&mut self) -> Result<(), ParseError> {
        let CommandHelp { name: command, usage, .. } = *self.known;
        match self.words.next() {
            None => Ok(()),
            Some(found) => Err(ParseError::Surplus { command, found, usage }),
        }
    }
}

impl fmt::Display for Command {
    /// As it would be typed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Help(None) => f.write_str("help"),
            Self::Help(Some(name)) => write!(f, "help {}", quoted(name)),
            Self::Modules => f.write_str("modules"),
            Self::Enable(id) => write!(f, "enable {}", quoted(id)),
            Self::Disable(id) => write!(f, "disable {}", quoted(id)),
            Self::Reload { id, force: false } => write!(f, "reload {}", quoted(id)),
            Self::Reload { id, force: true } => write!(f, "reload {} --force", quoted(id)),
            Self::Load { id, path } => write!(f, "load {} {}", quoted(id), quoted(path)),
            Self::Rollback { id, generation, state } => {
                write!(f, "rollback {}", quoted(id))?;
                if let Some(generation) = generation {
                    write!(f, " {generation}")?;
                }
                f.write_str(if *state { " --state" } else { "" })
            }
            Self::History(id) => write!(f, "history {}", quoted(id)),
            Self::Plan(id) => write!(f, "plan {}", quoted(id)),
            Self::App(None) => f.write_str("app"),
            Self::App(Some(name)) => write!(f, "app {}", quoted(name)),
            Self::Stats => f.write_str("stats"),
            Self::Hash => f.write_str("hash"),
            Self::Snapshot(snapshot) => write!(f, "snapshot {snapshot}"),
            Self::Quarantine { clear: false } => f.write_str("quarantine list"),
            Self::Quarantine { clear: true } => f.write_str("quarantine clear"),
            Self::Wait(frames) => write!(f, "wait {frames}"),
            Self::Quit => f.write_str("quit"),
            Self::Clear => f.write_str("clear"),
            Self::Other { name, args } => {
                f.write_str(&quoted(name))?;
                args.iter().try_for_each(|arg| write!(f, " {}", quoted(arg)))
            }
        }
    }
}

impl fmt::Display for SnapshotCommand {
    /// As it would be typed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Save(name) => write!(f, "save {}", quoted(name)),
            Self::Load { name, force: false } => write!(f, "load {}", quoted(name)),
            Self::Load { name, force: true } => write!(f, "load {} --force", quoted(name)),
            Self::List => f.write_str("list"),
            Self::Diff(name) => write!(f, "diff {}", quoted(name)),
            Self::Delete(name) => write!(f, "delete {}", quoted(name)),
        }
    }
}

/// The word as it has to be typed to come out of [`parse`] unchanged.
fn quoted(word: &str) -> String {
    let plain =
        !word.is_empty() && !word.contains(|c: char| c.is_whitespace() || "\";".contains(c));
    if plain {
        return word.to_owned();
    }
    format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\""))
}

#[derive(Default)]
struct Word {
    text: String,
    /// Bytes of the line that it takes, quotes included.
    start: usize,
    end: usize,
}

struct Words {
    /// Split at `;`, one more than there are separators.
    commands: Vec<Vec<Word>>,
    /// Byte where a quote opens that nothing closes.
    open_quote: Option<usize>,
}

fn split(line: &str) -> Words {
    let mut commands = vec![Vec::new()];
    let mut word: Option<Word> = None;
    let mut quote = None;
    let mut chars = line.char_indices().peekable();
    let finish = |commands: &mut Vec<Vec<Word>>, word: &mut Option<Word>| {
        if let (Some(command), Some(word)) = (commands.last_mut(), word.take()) {
            command.push(word);
        }
    };
    while let Some((at, c)) = chars.next() {
        let outside = quote.is_none();
        if outside && (c.is_whitespace() || c == ';') {
            finish(&mut commands, &mut word);
            if c == ';' {
                commands.push(Vec::new());
            }
            continue;
        }
        let word = word.get_or_insert_with(|| Word { start: at, ..Word::default() });
        word.end = at + c.len_utf8();
        match c {
            '"' => quote = if outside { Some(at) } else { None },
            '\\' if !outside && chars.peek().is_some_and(|&(_, c)| c == '"' || c == '\\') => {
                if let Some((_, escaped)) = chars.next() {
                    word.text.push(escaped);
                    word.end += escaped.len_utf8();
                }
            }
            c => word.text.push(c),
        }
    }
    finish(&mut commands, &mut word);
    Words { commands, open_quote: quote }
}
