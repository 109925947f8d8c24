//! The clap definition of the built-in commands, and the usage and help texts printed from it.

use std::sync::LazyLock;

use clap::builder::StyledStr;
use clap::{Arg, ArgMatches, CommandFactory};

use super::{Command, UnknownCommand};

static GRAMMAR: LazyLock<clap::Command> = LazyLock::new(|| {
    let mut grammar = Command::command();
    grammar.build();
    grammar
});

/// The names of the built-in commands, in the order in which `help` lists them.
pub fn names<'a>() -> impl Iterator<Item = &'a str> {
    GRAMMAR.get_subcommands().map(clap::Command::get_name)
}

/// How the built-in command that the words begin with is written, e.g.
/// `snapshot load <snapshot> [--force]`.
pub fn usage<S: AsRef<str>>(words: &[S]) -> Option<String> {
    find(words).map(|(command, _)| usage_of(command))
}

/// The text of `help`, or of `help <name>`; `added` are the names and help texts of the commands
/// that modules added.
pub fn help(name: Option<&str>, added: &[(&str, &str)]) -> Result<String, UnknownCommand> {
    let Some(name) = name else {
        let built_in = leaves(&GRAMMAR).map(|leaf| (usage_of(leaf), text(leaf.get_about())));
        let added = added.iter().map(|&(name, help)| (name.to_owned(), help.to_owned()));
        return Ok(table("", built_in.chain(added).collect()));
    };
    if let Some(command) = GRAMMAR.find_subcommand(name) {
        return Ok(explain(command));
    }
    match added.iter().find(|(added, _)| *added == name) {
        Some((name, help)) => Ok(format!("{name}\n  {help}")),
        None => Err(UnknownCommand::new(name, added.iter().map(|&(name, _)| name))),
    }
}

/// The built-in command or subcommand that the words begin with, and how many of them name it.
pub fn find<S: AsRef<str>>(words: &[S]) -> Option<(&'static clap::Command, usize)> {
    let mut found: &'static clap::Command = &GRAMMAR;
    let mut depth = 0;
    while let Some(next) = words.get(depth).and_then(|word| found.find_subcommand(word.as_ref())) {
        found = next;
        depth += 1;
    }
    (depth > 0).then_some((found, depth))
}

pub fn matches(words: &[String]) -> Result<ArgMatches, clap::Error> {
    GRAMMAR.clone().try_get_matches_from(words)
}

/// All words that name a command, e.g. `snapshot load`.
pub fn path(command: &clap::Command) -> &str {
    command.get_bin_name().unwrap_or(command.get_name())
}

pub fn flags(command: &clap::Command) -> impl Iterator<Item = String> {
    let flags = command.get_arguments().filter_map(Arg::get_long);
    flags.map(|long| format!("--{long}"))
}

pub fn usage_of(command: &clap::Command) -> String {
    let mut usage = path(command).to_owned();
    let subcommands: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
    if !subcommands.is_empty() {
        usage = format!("{usage} {}", subcommands.join("|"));
    }
    command.get_arguments().fold(usage, |usage, arg| format!("{usage} {}", written(arg)))
}

/// Plain text of a help text in the grammar.
pub fn text(help: Option<&StyledStr>) -> String {
    help.map(StyledStr::to_string).unwrap_or_default()
}

fn written(arg: &Arg) -> String {
    match arg.get_long() {
        Some(long) => format!("[--{long}]"),
        None if arg.is_required_set() => format!("<{}>", arg.get_id()),
        None => format!("[{}]", arg.get_id()),
    }
}

fn explain(command: &clap::Command) -> String {
    let rows: Vec<(String, String)> = if command.has_subcommands() {
        leaves(command).map(|leaf| (usage_of(leaf), text(leaf.get_about()))).collect()
    } else {
        command.get_arguments().map(|arg| (written(arg), text(arg.get_help()))).collect()
    };
    let head = format!("{}\n  {}", usage_of(command), text(command.get_about()));
    if rows.is_empty() { head } else { format!("{head}\n{}", table("    ", rows)) }
}

/// The commands below this one that have no subcommands.
fn leaves(command: &clap::Command) -> impl Iterator<Item = &clap::Command> {
    let mut found = Vec::new();
    let mut open: Vec<_> = command.get_subcommands().collect();
    open.reverse();
    while let Some(next) = open.pop() {
        if next.has_subcommands() {
            let inner: Vec<_> = next.get_subcommands().collect();
            open.extend(inner.into_iter().rev());
        } else {
            found.push(next);
        }
    }
    found.into_iter()
}

/// Two columns.
fn table(indent: &str, rows: Vec<(String, String)>) -> String {
    let width = rows.iter().map(|(left, _)| left.chars().count()).max().unwrap_or_default();
    let rows = rows.iter().map(|(left, right)| format!("{indent}{left:<width$}  {right}"));
    rows.collect::<Vec<String>>().join("\n")
}
