//! Errors of the command language, each in one line.

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::{grammar, suggest};

/// Why a line was not parsed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// A quote is not closed.
    #[error("expected a closing `\"` for the quote at column {column}, found the end of the line")]
    OpenQuote {
        /// Where it opens, in characters from 1.
        column: usize,
    },
    /// The arguments of a built-in command are wrong.
    #[error("`{command}` expects {expected}, found {found}; usage: {usage}")]
    Arguments {
        /// The command, e.g. `snapshot load`.
        command: String,
        /// The argument that is missing or wrong, in words.
        expected: String,
        /// The wrong argument in backquotes, or words for its absence.
        found: String,
        /// How the command is written.
        usage: String,
    },
}

impl ParseError {
    pub(super) fn of_arguments(error: &clap::Error, command: &clap::Command) -> Self {
        let context = |kind| match error.get(kind) {
            Some(ContextValue::String(text)) => Some(text.as_str()),
            Some(ContextValue::Strings(texts)) => texts.first().map(String::as_str),
            _ => None,
        };
        let quoted = |kind| format!("`{}`", context(kind).unwrap_or_default());
        let nothing = "nothing after it".to_owned();
        let argument = || {
            let shown = context(ContextKind::InvalidArg)?;
            let arg = command.get_arguments().find(|arg| arg.to_string() == shown)?;
            Some(lowercase_first(&grammar::text(arg.get_help())))
        };
        let argument = || argument().unwrap_or_else(|| "another argument".to_owned());
        let (expected, found) = match error.kind() {
            ErrorKind::MissingRequiredArgument => (argument(), nothing),
            ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
                (subcommands(command), nothing)
            }
            ErrorKind::InvalidSubcommand => {
                (subcommands(command), quoted(ContextKind::InvalidSubcommand))
            }
            ErrorKind::ValueValidation | ErrorKind::InvalidValue => {
                (argument(), quoted(ContextKind::InvalidValue))
            }
            ErrorKind::UnknownArgument => {
                let found = quoted(ContextKind::InvalidArg);
                (instead_of_unknown(command, &found), found)
            }
            // `--force=x` and the like.
            _ => ("other arguments".to_owned(), quoted(ContextKind::InvalidArg)),
        };
        let usage = grammar::usage_of(command);
        Self::Arguments { command: grammar::path(command).to_owned(), expected, found, usage }
    }
}

fn instead_of_unknown(command: &clap::Command, found: &str) -> String {
    let flags: Vec<String> = grammar::flags(command).map(|flag| format!("`{flag}`")).collect();
    match found.starts_with("`-") {
        true if flags.is_empty() => "no flag".to_owned(),
        true => format!("{} or nothing", flags.join(", ")),
        false => "nothing more".to_owned(),
    }
}

fn subcommands(command: &clap::Command) -> String {
    let names: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => names.concat(),
    }
}

fn lowercase_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |c| c.to_lowercase().chain(chars).collect())
}

/// A command that is neither built in nor registered by a running module.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no command `{name}`. {hint}")]
pub struct UnknownCommand {
    /// As it was typed.
    pub name: String,
    /// The nearest known command, or where to find the known ones.
    pub hint: String,
}

impl UnknownCommand {
    /// `added` are the names of the commands that modules added.
    pub fn new<'a>(name: &str, added: impl Iterator<Item = &'a str>) -> Self {
        let hint = suggest(name, grammar::names().chain(added)).map_or_else(
            || "`help` lists them.".to_owned(),
            |near| format!("Did you mean `{near}`?"),
        );
        Self { name: name.to_owned(), hint }
    }
}
