//! Finds what a Rust file may name: modules, included files, variables. Comments and strings are
//! read too, since a name too many does no harm.

/// The names after `mod`.
pub fn modules(text: &str) -> impl Iterator<Item = &str> {
    after_word(text, "mod").filter_map(|rest| {
        let name = rest.trim_start();
        // `mod` and its name are two words.
        let name = (name.len() < rest.len()).then_some(name)?;
        let name = name.strip_prefix("r#").unwrap_or(name);
        let end = name.find(|c| !is_part_of_word(c)).unwrap_or(name.len());
        (end > 0).then(|| &name[..end])
    })
}

/// True if an attribute may give a module another path.
pub fn has_path_attribute(text: &str) -> bool {
    text.contains("#[path") || (text.contains("cfg_attr") && text.contains("path"))
}

/// The literal paths in `include!`, `include_str!` and `include_bytes!`.
pub fn includes(text: &str) -> impl Iterator<Item = &str> {
    let macros = ["include", "include_str", "include_bytes"];
    macros.into_iter().flat_map(move |name| arguments(text, name))
}

/// The literal names in `env!` and `option_env!`.
pub fn variables(text: &str) -> impl Iterator<Item = &str> {
    ["env", "option_env"].into_iter().flat_map(move |name| arguments(text, name))
}

/// The first arguments of calls of a macro, where they are string literals without escapes.
fn arguments<'a>(text: &'a str, name: &'static str) -> impl Iterator<Item = &'a str> {
    after_word(text, name).filter_map(|rest| {
        let rest = rest.trim_start().strip_prefix('!')?.trim_start();
        let rest = rest.strip_prefix(['(', '[', '{'])?.trim_start();
        let literal = rest.strip_prefix('r').unwrap_or(rest).strip_prefix('"')?;
        let literal = &literal[..literal.find('"')?];
        (!literal.contains('\\')).then_some(literal)
    })
}

/// The text after each occurrence of a word.
fn after_word<'a>(text: &'a str, word: &'static str) -> impl Iterator<Item = &'a str> {
    text.match_indices(word).filter_map(move |(at, _)| {
        let (before, rest) = (&text[..at], &text[at + word.len()..]);
        let is_whole = !before.ends_with(is_part_of_word) && !rest.starts_with(is_part_of_word);
        is_whole.then_some(rest)
    })
}

fn is_part_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_modules_files_and_variables_are_found() {
        let text = "
            mod one; pub(crate) mod  r#type ;
            #[cfg(x)] mod\n three { mod inner; }
            fn modify() { let model = module::mod_name; }
            const A: &str = include_str!( \"a.txt\" );
            include! [r\"b.rs\"]; include_bytes!(concat!(\"c\"));
            const C: &str = env!(\"C\", \"why\"); const D: Option<&str> = option_env!{\"D\"};
        ";
        assert_eq!(modules(text).collect::<Vec<_>>(), ["one", "type", "three", "inner"]);
        assert_eq!(includes(text).collect::<Vec<_>>(), ["b.rs", "a.txt"]);
        assert_eq!(variables(text).collect::<Vec<_>>(), ["C", "D"]);
        assert!(!has_path_attribute(text));
        assert!(has_path_attribute("#[path = \"x.rs\"] mod y;"));
        assert!(has_path_attribute("#[cfg_attr(all(), path = \"x.rs\")] mod y;"));
    }
}
