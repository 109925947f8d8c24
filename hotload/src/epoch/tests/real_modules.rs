//! How many bodies of this workspace's modules can be edited without a new epoch.

use std::fs;

use super::*;
use crate::workspace;

struct Module {
    id: ModuleId,
    sources: Vec<(PathBuf, String)>,
    /// All core crates that it links to.
    links: BTreeSet<ModuleId>,
}

/// The modules, each after those that it links to.
fn modules() -> Vec<Module> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../modules");
    let mut modules = Vec::new();
    for kind in ["core", "systems", "plugins", "apps"] {
        for entry in fs::read_dir(folder.join(kind)).unwrap() {
            let folder = entry.unwrap().path();
            let name = folder.file_name().unwrap().to_string_lossy().into_owned();
            let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
            let words = manifest.lines().filter_map(|line| line.split(['.', ' ', '=']).next());
            let links = words.filter(|word| word.starts_with("core_")).map(ModuleId::from);
            let files = workspace::files(&folder).unwrap().into_iter();
            let files = files.filter(|(path, _)| path.extension().is_some_and(|end| end == "rs"));
            modules.push(Module {
                id: ModuleId::from(format!("{kind}_{name}")),
                links: links.collect(),
                sources: files
                    .map(|(path, text)| (path, String::from_utf8(text).unwrap()))
                    .collect(),
            });
        }
    }
    modules.sort_by_key(|module| (!module.id.as_str().starts_with("core_"), module.links.len()));
    for at in 0..modules.len() {
        let links = modules[at].links.clone();
        let below = modules.iter().filter(|module| links.contains(&module.id));
        let below: BTreeSet<_> = below.flat_map(|module| module.links.iter().cloned()).collect();
        modules[at].links.extend(below);
    }
    modules
}

/// The epochs and facts of all modules if the one at `edited` has these sources. Those that it
/// cannot touch are copied from `known`.
fn epochs(
    modules: &[Module],
    known: &BTreeMap<ModuleId, (Epoch, Arc<Facts>)>,
    edited: usize,
    sources: &[(PathBuf, String)],
) -> BTreeMap<ModuleId, (Epoch, Arc<Facts>)> {
    let mut all = known.clone();
    let edited_id = &modules[edited].id;
    for module in &modules[edited..] {
        let is_edited = module.id == *edited_id;
        if !is_edited && !module.links.contains(edited_id) && known.contains_key(&module.id) {
            continue;
        }
        let sources = if is_edited { sources } else { &module.sources };
        let below = || module.links.iter().filter_map(|link| Some((link, all.get(link)?)));
        let salt: Vec<String> =
            below().map(|(link, (epoch, _))| format!("{link}={epoch}")).collect();
        let cores = below().map(|(link, (_, facts))| (link.clone(), facts.clone())).collect();
        let (epoch, facts) = identity(Path::new("/modules"), sources, &salt, &cores);
        all.insert(module.id.clone(), (epoch.epoch, Arc::new(facts)));
    }
    all
}

/// The names of the functions in `text`, each with the place at which its body begins.
fn bodies(text: &str) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("fn ") {
        let line = text[..at].rsplit('\n').next().unwrap().trim_start();
        let name: String =
            text[at + 3..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        if line.starts_with("//") || name.is_empty() {
            continue;
        }
        let mut brackets = 0;
        for (offset, c) in text[at..].char_indices() {
            match c {
                '(' | '[' => brackets += 1,
                ')' | ']' => brackets -= 1,
                '{' if brackets == 0 => {
                    found.push((name, at + offset + 1));
                    break;
                }
                ';' if brackets == 0 => break,
                _ => {}
            }
        }
    }
    found
}

#[test]
fn most_bodies_of_the_modules_keep_every_epoch() {
    let modules = modules();
    let before = epochs(&modules, &BTreeMap::new(), 0, &modules[0].sources);
    assert_eq!(before.len(), modules.len());
    let (mut all, mut changing) = (0, Vec::new());
    for (at, module) in modules.iter().enumerate() {
        for (file, (path, text)) in module.sources.iter().enumerate() {
            for (name, place) in bodies(text) {
                let mut sources = module.sources.clone();
                sources[file].1.insert_str(place, " let edited = 1; ");
                let after = epochs(&modules, &before, at, &sources);
                let changed: Vec<_> =
                    before.iter().filter(|(id, (epoch, _))| after[*id].0 != *epoch).collect();
                all += 1;
                if !changed.is_empty() {
                    let changed: Vec<_> = changed.iter().map(|(id, _)| id.as_str()).collect();
                    changing.push(format!(
                        "{}/{} {name}: {}",
                        module.id,
                        path.display(),
                        changed.join(", ")
                    ));
                }
            }
        }
    }
    let kept = all - changing.len();
    println!("{kept} of {all} bodies keep every epoch; these do not:\n{}", changing.join("\n"));
    assert!(kept * 159 >= all * 130, "{kept} of {all}:\n{}", changing.join("\n"));
}
