use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::*;

#[test]
fn the_full_text_has_all_parts() {
    let plain = Explanation::new("H0000", "no room in /built");
    assert_eq!(plain.full(), "H0000: no room in /built");
    let remedied = plain.clone().remedy("Make room there");
    assert_eq!(remedied.full(), "H0000: no room in /built. Make room there");
    assert_eq!(Explain::remedy(&remedied), Some("Make room there".to_owned()));
    let detailed = remedied.clone().details("\n  a\n  b\n");
    assert_eq!(detailed.full(), "H0000: no room in /built:\n  a\n  b\nMake room there");
    assert_eq!(remedied.clone().details(""), remedied);
    let asked = Explanation::new("H0000", "what now?").remedy("Nothing");
    assert_eq!(asked.full(), "H0000: what now? Nothing");
    let both = Explanation { others: vec![asked], ..plain };
    assert_eq!(both.full(), "H0000: no room in /built\nH0000: what now? Nothing");
    let sent = serde_json::to_string(&both).unwrap();
    assert_eq!(serde_json::from_str::<Explanation>(&sent).unwrap(), both);
}

/// Product code of this workspace by file, without comments and tests.
fn sources() -> Vec<(PathBuf, String)> {
    fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, found);
            } else if path.extension().is_some_and(|e| e == "rs") && !path.ends_with("tests.rs") {
                found.push(path);
            }
        }
    }
    let mut paths = Vec::new();
    for folder in ["src", "../api/src", "../api/schema/src", "../game/src"] {
        collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut paths);
    }
    let product = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        (path, lines.collect::<Vec<_>>().join("\n"))
    };
    paths.into_iter().map(product).collect()
}

fn is_code(word: &str) -> bool {
    let digits = word.strip_prefix(['H', 'W']).unwrap_or_default();
    digits.len() == 4 && digits.chars().all(|c| c.is_ascii_digit())
}

/// The codes in a text, each with the text before it and after it.
fn codes(text: &str) -> impl Iterator<Item = (&str, &str, &str)> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let starts = text.match_indices(['H', 'W']).map(|(at, _)| at);
    starts.filter_map(move |at| {
        let (before, word) = text.split_at(at);
        let end = word.find(|c| !is_word(c)).unwrap_or(word.len());
        let (word, after) = word.split_at(end);
        (is_code(word) && !before.ends_with(is_word)).then_some((word, before, after))
    })
}

/// Each code with the file that defines it.
fn defined() -> BTreeMap<String, PathBuf> {
    const DEFINES: &str = "Explanation::new(";
    let mut defined: BTreeMap<String, PathBuf> = BTreeMap::new();
    for (path, text) in sources() {
        let mut here = 0;
        for (code, before, after) in codes(&text) {
            let before = before.strip_suffix('"').map(str::trim_end);
            assert!(
                before.is_some_and(|b| b.ends_with(DEFINES)) && after.starts_with("\","),
                "{}: {code} is a part of a text: give it to `Explanation::new`",
                path.display()
            );
            here += 1;
            if let Some(other) = defined.insert(code.to_owned(), path.clone()) {
                panic!("{code} is used twice: in {} and {}", other.display(), path.display());
            }
        }
        let calls = text.matches(DEFINES).count();
        assert_eq!(calls, here, "{}: a call without a well-formed code", path.display());
    }
    defined
}

#[test]
fn every_code_is_defined_once_and_documented() {
    let defined = defined();
    assert!(defined.len() > 80, "the sources were not found: {defined:?}");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("ERRORS.md");
    let text = fs::read_to_string(path).unwrap();
    let sections: Vec<(&str, &str)> = text
        .split("\n### ")
        .skip(1)
        .map(|section| section.split_once('\n').expect("a paragraph below the heading"))
        .collect();
    for (code, paragraph) in &sections {
        let words = paragraph.split("\n## ").next().unwrap_or_default().split_whitespace().count();
        assert!(is_code(code) && words >= 8, "{code}: a paragraph of {words} words");
    }
    let documented: BTreeSet<&str> = sections.iter().map(|(code, _)| *code).collect();
    assert_eq!(documented.len(), sections.len(), "a heading stands twice");
    let defined: BTreeSet<&str> = defined.keys().map(String::as_str).collect();
    assert_eq!(documented, defined);
}

#[test]
fn a_code_in_a_text_is_found() {
    let found: Vec<&str> =
        codes("x(\"H0101: a\"); MH0102 H01034 \"W0203\" H01").map(|f| f.0).collect();
    assert_eq!(found, ["H0101", "W0203"]);
}
