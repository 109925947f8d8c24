//! Completion of a line, and suggestions for a mistyped name.

use clap::Arg;

use super::grammar;
use super::words::{quoted, split};

/// The names that exist now, for [`complete`].
#[derive(Debug, Clone, Default)]
pub struct Names<'a> {
    /// Ids of the modules.
    pub modules: Vec<&'a str>,
    /// Names of the apps.
    pub apps: Vec<&'a str>,
    /// Names of the snapshots.
    pub snapshots: Vec<&'a str>,
    /// Ids of the installed packs.
    pub packs: Vec<&'a str>,
    /// Commands that modules added.
    pub commands: Vec<&'a str>,
}

impl<'a> Names<'a> {
    /// All commands, built-in and added.
    pub fn all_commands(&self) -> impl Iterator<Item = &'a str> {
        grammar::names().chain(self.commands.iter().copied())
    }

    /// The values of an argument, by its id in the grammar; none where any text is possible.
    fn values_of(&self, arg: &Arg) -> Vec<&'a str> {
        match arg.get_id().as_str() {
            "module" => self.modules.clone(),
            "app" => self.apps.clone(),
            "snapshot" => self.snapshots.clone(),
            "pack" => self.packs.clone(),
            "command" => self.all_commands().collect(),
            _ => Vec::new(),
        }
    }
}

/// The completions of a line's last word.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Completion {
    /// The byte of the line at which the word begins.
    pub start: usize,
    /// The completions, sorted.
    pub candidates: Vec<String>,
    /// The longest prefix that all candidates share, or the word itself if they do not start with
    /// it.
    pub common: String,
}

impl Completion {
    /// The line with its last word replaced.
    pub fn with(&self, line: &str, word: &str) -> String {
        let head = line.get(..self.start).unwrap_or(line);
        format!("{head}{}", quoted(word))
    }

    /// The line after Tab: with the only candidate and a space, or as far as all candidates agree.
    pub fn applied(&self, line: &str) -> String {
        match self.candidates.as_slice() {
            [] => line.to_owned(),
            [only] => format!("{} ", self.with(line, only)),
            _ if self.common.is_empty() => line.to_owned(),
            _ => self.with(line, &self.common),
        }
    }
}

/// Completes the last word of a line: a command, subcommand, argument or flag.
///
/// Names that begin with the word are preferred; if there are none, names that contain it are
/// offered, so that `enable hud` finds `plugins_hud`.
pub fn complete(line: &str, names: &Names) -> Completion {
    let words = split(line).commands.pop().unwrap_or_default();
    let (before, typed, start) = match words.split_last() {
        Some((last, before)) if last.end == line.len() => (before, last.text.as_str(), last.start),
        _ => (words.as_slice(), "", line.len()),
    };
    let before: Vec<&str> = before.iter().map(|word| word.text.as_str()).collect();
    let choices = choices(&before, typed, names);
    let lower = typed.to_lowercase();
    let matching = |test: &dyn Fn(&str) -> bool| -> Vec<String> {
        choices.iter().filter(|name| test(&name.to_lowercase())).cloned().collect()
    };
    let mut candidates = matching(&|name| name.starts_with(&lower));
    if candidates.is_empty() {
        candidates = matching(&|name| name.contains(&lower));
    }
    candidates.sort();
    candidates.dedup();
    let mut common = common_prefix(&candidates).to_owned();
    if !common.to_lowercase().contains(&lower) {
        common = typed.to_owned();
    }
    Completion { start, candidates, common }
}

/// The words that the grammar allows after the words `before`.
fn choices(before: &[&str], typed: &str, names: &Names) -> Vec<String> {
    let own = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect();
    if before.is_empty() {
        return own(names.all_commands().collect());
    }
    let Some((command, depth)) = grammar::find(before) else { return Vec::new() };
    let (given, args): (Vec<&str>, Vec<&str>) =
        before[depth..].iter().partition(|word| grammar::flags(command).any(|flag| flag == **word));
    if command.has_subcommands() {
        let subcommands = command.get_subcommands().map(clap::Command::get_name);
        return if args.is_empty() { own(subcommands.collect()) } else { Vec::new() };
    }
    let flags = grammar::flags(command).filter(|flag| !given.contains(&flag.as_str()));
    let next = command.get_positionals().nth(args.len());
    match next {
        Some(arg) if arg.is_required_set() && !typed.starts_with('-') => own(names.values_of(arg)),
        Some(arg) => names.values_of(arg).into_iter().map(str::to_owned).chain(flags).collect(),
        None => flags.collect(),
    }
}

fn common_prefix(names: &[String]) -> &str {
    let Some((first, rest)) = names.split_first() else { return "" };
    let mut end = first.len();
    for name in rest {
        let same = first.char_indices().zip(name.chars()).find(|((_, a), b)| a != b);
        end = end.min(same.map_or(first.len().min(name.len()), |((at, _), _)| at));
    }
    first.get(..end).unwrap_or_default()
}

/// The known name nearest to a mistyped one: at most one slip (a letter wrong, missing, added, or
/// two neighbours swapped) for every three letters, upper and lower case alike.
pub fn suggest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Names are short: a pasted paragraph is not compared.
    let length = name.chars().count();
    if length == 0 || length > 64 {
        return None;
    }
    let allowed = (length / 3).max(1);
    let name = name.to_lowercase();
    known
        .into_iter()
        .map(|known| (strsim::osa_distance(&name, &known.to_lowercase()), known))
        .filter(|&(slips, _)| slips <= allowed)
        .min_by_key(|&(slips, _)| slips)
        .map(|(_, known)| known)
}
