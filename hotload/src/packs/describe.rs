//! Texts about a pack, for people.

use std::collections::BTreeMap;

use playground_pack::{File, Manifest, Publisher, Size};
use semver::VersionReq;

use super::{Fit, triple};

/// A warning that every command and page about packs repeats.
pub const NO_SANDBOX: &str =
    "modules are native code, and can do all that the game can: a signature is no sandbox";

/// A line about a pack: title, version, id and what it holds.
pub fn summary(manifest: &Manifest) -> String {
    let count = |number: usize, one: &str| match number {
        1 => format!("1 {one}"),
        number => format!("{number} {one}s"),
    };
    format!(
        "{} {} ({}): {}, {}, {}",
        manifest.title,
        manifest.version,
        manifest.id,
        count(manifest.modules.len(), "module"),
        count(manifest.files.len(), "file"),
        Size(manifest.total_bytes()),
    )
}

/// Who signed a pack, in words.
pub fn publisher(manifest: &Manifest) -> String {
    match &manifest.publisher {
        Some(publisher) => format!("signed with {}", key(publisher)),
        None => "not signed".to_owned(),
    }
}

fn key(publisher: &Publisher) -> String {
    let id = publisher.key_id().unwrap_or_default();
    format!("the key {id}, whose owner says to be {:?}", publisher.name)
}

/// A summary for a player who decides whether to trust a publisher.
pub fn contents(manifest: &Manifest) -> String {
    let modules = manifest.modules.iter().map(|module| format!("{} {}", module.id, module.version));
    let modules: Vec<String> = modules.collect();
    let mut text = summary(manifest);
    if let Some(publisher) = &manifest.publisher {
        text.push_str(&format!(
            "\nsigned with {}\nthe whole key: {}",
            key(publisher),
            publisher.key
        ));
    }
    text.push_str(&format!("\nits modules: {}\n{NO_SANDBOX}", modules.join(", ")));
    text
}

/// The result of checking all of a pack.
pub fn verified(manifest: &Manifest, fit: Fit) -> String {
    let fits = match fit {
        Fit::Fits => "its modules fit this game".to_owned(),
        Fit::NoTarget => {
            format!("it has no modules for {}: this game cannot load it", triple())
        }
    };
    let signed = publisher(manifest);
    let summary = summary(manifest);
    format!("{summary}\nevery file is as its manifest says; {signed}\n{fits}\n{NO_SANDBOX}")
}

/// Everything in a manifest.
pub fn describe(manifest: &Manifest) -> String {
    let mut lines = vec![summary(manifest), publisher(manifest)];
    for (name, text) in [
        ("authors", manifest.authors.join(", ")),
        ("licence", manifest.licence.clone()),
        ("description", manifest.description.clone()),
        ("game", manifest.host.to_string()),
        ("api", manifest.api.to_string()),
    ] {
        if !text.is_empty() {
            lines.push(format!("{name:<12} {}", text.replace('\n', "\n             ")));
        }
    }
    for target in &manifest.targets {
        lines.push(format!("{:<12} {}, ABI {}", "target", target.triple, target.abi));
    }
    for module in &manifest.modules {
        lines.push(format!("{:<12} {} {}", "module", module.id, module.version));
        for (what, others) in [
            ("requires", &module.requires),
            ("uses", &module.optional),
            ("conflicts", &module.conflicts),
        ] {
            lines.extend(relations(what, others));
        }
        for (what, others) in [("after", &module.after), ("before", &module.before)] {
            let others: Vec<&str> = others.iter().map(String::as_str).collect();
            if !others.is_empty() {
                lines.push(format!("{:<12}   loaded {what} {}", "", others.join(", ")));
            }
        }
    }
    for File { path, size, .. } in &manifest.files {
        lines.push(format!("{:<12} {path} ({})", "file", Size(*size)));
    }
    lines.join("\n")
}

fn relations(what: &str, others: &BTreeMap<String, VersionReq>) -> Option<String> {
    let others: Vec<String> =
        others.iter().map(|(id, version)| format!("{id} {version}")).collect();
    (!others.is_empty()).then(|| format!("{:<12}   {what} {}", "", others.join(", ")))
}
