//! Completion of a line and suggestions for a mistyped name.

use super::{BUILT_IN, Word, quoted, split};

/// The names that there are now, for [`complete`] and [`suggest`].
#[derive(Debug, Clone, Default)]
pub struct Names<'a> {
    /// Ids of the modules.
    pub modules: Vec<&'a str>,
    /// Names of the apps.
    pub apps: Vec<&'a str>,
    /// Names of the snapshots.
    pub snapshots: Vec<&'a str>,
    /// Commands that modules added.
    pub commands: Vec<&'a str>,
}

impl<'a> Names<'a> {
    /// All commands, built-in and added.
    pub fn all_commands(&self) -> impl Iterator<Item = &'a str> {
        BUILT_IN.iter().map(|known| known.name).chain(self.commands.iter().copied())
    }
}

/// What the last word of a line could become.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Completion {
    /// Byte of the line where the word begins.
    pub start: usize,
    /// What it could become, sorted.
    pub candidates: Vec<String>,
    /// What all candidates begin with: at least as much as was typed.
    pub common: String,
}

impl Completion {
    /// The line with its last word replaced.
    pub fn with(&self, line: &str, word: &str) -> String {
        let head = line.get(..self.start).unwrap_or(line);
        format!("{head}{}", quoted(word))
    }

    /// The line after Tab: with the only candidate and a blank, or as far as all candidates agree.
    pub fn applied(&self, line: &str) -> String {
        match self.candidates.as_slice() {
            [] => line.to_owned(),
            [only] => format!("{} ", self.with(line, only)),
            _ if self.common.is_empty() => line.to_owned(),
            _ => self.with(line, &self.common),
        }
    }
}

/// Completes the last word of a line: a command, or what its command takes there.
///
/// Names that begin with the word come first; where none does, names that contain it are offered,
/// so that `enable hud` finds `plugins_hud`.
pub fn complete(line: &str, names: &Names) -> Completion {
    let words = split(line).commands.pop().unwrap_or_default();
    let (before, typed, start) = match words.split_last() {
        Some((last, before)) if last.end == line.len() => (before, last.text.as_str(), last.start),
        _ => (words.as_slice(), "", line.len()),
    };
    let choices = choices(before, names);
    let lower = typed.to_lowercase();
    let matching = |test: &dyn Fn(&str) -> bool| -> Vec<String> {
        let found = choices.iter().filter(|name| test(&name.to_lowercase()));
        found.map(|&name| name.to_owned()).collect()
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

/// What can stand after the words before it.
fn choices<'a>(before: &[Word], names: &Names<'a>) -> Vec<&'a str> {
    let Some((command, args)) = before.split_first() else {
        return names.all_commands().collect();
    };
    let first = args.is_empty();
    match command.text.as_str() {
        "help" if first => names.all_commands().collect(),
        "app" if first => names.apps.clone(),
        "quarantine" if first => vec!["list", "clear"],
        "snapshot" if first => vec!["save", "load", "list", "diff", "delete"],
        "snapshot" => match args {
            [what] if ["load", "diff", "delete"].contains(&what.text.as_str()) => {
                names.snapshots.clone()
            }
            _ => Vec::new(),
        },
        "enable" | "disable" | "rollback" | "load" | "history" | "plan" if first => {
            names.modules.clone()
        }
        "reload" => match args {
            [] => names.modules.clone(),
            [flag] if flag.text == "--force" => names.modules.clone(),
            [_] => vec!["--force"],
            _ => Vec::new(),
        },
        _ => Vec::new(),
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

/// The known name that is nearest to a mistyped one, if any is near: up to one slip (a letter
/// wrong, missing, too many, or two exchanged) for every three letters.
pub fn suggest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Names are short; a pasted paragraph is not worth the table.
    let length = name.chars().count();
    if length == 0 || length > 64 {
        return None;
    }
    let allowed = (length / 3).max(1);
    known
        .into_iter()
        .map(|candidate| (slips(name, candidate), candidate))
        .filter(|&(slips, _)| slips <= allowed)
        .min_by_key(|&(slips, _)| slips)
        .map(|(_, candidate)| candidate)
}

/// Edit distance with exchanges of neighbours, upper and lower case alike.
fn slips(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.to_lowercase().chars().collect();
    let b: Vec<char> = b.to_lowercase().chars().collect();
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let wrong = usize::from(a[i - 1] != b[j - 1]);
            row[j] = (rows[i - 1][j] + 1).min(row[j - 1] + 1).min(rows[i - 1][j - 1] + wrong);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(rows[i - 2][j - 2] + 1);
            }
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}
