//! Splits a line into commands and words, and quotes a word.

/// A word of a line.
#[derive(Default)]
pub struct Word {
    /// Its text, without quotes.
    pub text: String,
    /// The bytes of the line that it covers, quotes included.
    pub start: usize,
    pub end: usize,
}

/// A line, split at `;` and whitespace.
pub struct Split {
    /// At least one, possibly empty.
    pub commands: Vec<Vec<Word>>,
    /// The byte of a quote without its closing quote.
    pub open_quote: Option<usize>,
}

pub fn split(line: &str) -> Split {
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
    Split { commands, open_quote: quote }
}

/// The words of the last command of a line, complete or not.
pub fn last_command(line: &str) -> Vec<String> {
    let words = split(line).commands.pop().unwrap_or_default();
    words.into_iter().map(|word| word.text).collect()
}

/// The word as it has to be typed to be read back unchanged.
pub fn quoted(word: &str) -> String {
    let plain =
        !word.is_empty() && !word.contains(|c: char| c.is_whitespace() || "\";".contains(c));
    if plain {
        return word.to_owned();
    }
    format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\""))
}
