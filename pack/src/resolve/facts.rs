//! Why there is no solution, in words: the facts at the leaves of pubgrub's derivation.

use std::collections::BTreeSet;

use pubgrub::{DerivationTree, External};
use semver::Version;

use super::solver::{Choice, Graph, Package, Set, of_pack};
use super::{Provider, Want};
use crate::manifest::Module;

/// A part of the reason for a clash, in the order in which they are told.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fact {
    /// A pack is wanted.
    Wanted(String),
    /// The game runs a module.
    Runs(String),
    /// A pack has a module.
    Holds { pack: String, version: Version, module: String },
    /// A relation of a module of this provider.
    Related { module: String, provider: Provider, text: String },
    /// A pack does not fit the game.
    Unfit(String),
    /// The versions that are there.
    Known(String),
}

/// The facts as sentences.
pub(super) fn in_words(facts: &BTreeSet<Fact>) -> Vec<String> {
    let is_told = |pack: &str, version: &Version, module: &str| {
        facts.iter().any(|fact| match fact {
            Fact::Related { module: own, provider: Provider::Pack(id, its), .. } => {
                own == module && id == pack && its == version
            }
            _ => false,
        })
    };
    let words = |fact: &Fact| match fact {
        // The relation says which pack the module is of.
        Fact::Holds { pack, version, module } if is_told(pack, version, module) => None,
        Fact::Holds { pack, version, module } => {
            Some(format!("pack `{pack}` {version} holds `{module}`"))
        }
        Fact::Wanted(text)
        | Fact::Runs(text)
        | Fact::Related { text, .. }
        | Fact::Unfit(text)
        | Fact::Known(text) => Some(text.clone()),
    };
    facts.iter().filter_map(words).collect()
}

impl Graph<'_> {
    /// Adds the facts at the tree's leaves.
    pub(super) fn facts(
        &self,
        tree: &DerivationTree<Package, Set, String>,
        facts: &mut BTreeSet<Fact>,
    ) {
        match tree {
            DerivationTree::Derived(derived) => {
                self.facts(&derived.cause1, facts);
                self.facts(&derived.cause2, facts);
            }
            DerivationTree::External(External::Custom(_, _, reason)) => {
                facts.insert(Fact::Unfit(reason.clone()));
            }
            DerivationTree::External(External::NoVersions(package, _)) => {
                facts.extend(self.known(package));
            }
            DerivationTree::External(External::FromDependencyOf(from, choices, to, _)) => {
                self.dependency(from, choices, to, facts);
            }
            DerivationTree::External(External::NotRoot(..)) => {}
        }
    }

    /// The known versions of a package.
    fn known(&self, package: &Package) -> Option<Fact> {
        let (what, id, there) = match package {
            Package::Root => return None,
            Package::Pack(id) => {
                let versions = self.packs.get(id.as_str()).into_iter().flat_map(|it| it.keys());
                ("pack", id, versions.map(ToString::to_string).collect::<Vec<_>>())
            }
            Package::Module(id) => {
                let offers = self.modules.get(id.as_str()).into_iter().flat_map(|it| it.keys());
                let text = |(version, by): &(&Version, Provider)| format!("{version} of {by}");
                ("module", id, offers.map(text).collect())
            }
        };
        Some(Fact::Known(match there.as_slice() {
            [] => format!("there is no {what} `{id}`"),
            there => format!("of {what} `{id}` there is {}", there.join(", ")),
        }))
    }

    /// Adds the facts behind a dependency of some choices of a package.
    fn dependency(&self, from: &Package, choices: &Set, to: &Package, facts: &mut BTreeSet<Fact>) {
        match (from, to) {
            (Package::Root, Package::Pack(id)) => {
                let want = self.wants.iter().find(|want| want.pack == *id);
                facts.insert(Fact::Wanted(match want.and_then(|want| want.version.as_ref()) {
                    Some(version) => format!("pack `{id}` {version} is wanted"),
                    None => format!("pack `{id}` is wanted"),
                }));
                if want.is_none_or(|want| !self.knows(want)) {
                    facts.extend(self.known(to));
                }
            }
            (Package::Root, Package::Module(id)) => {
                let own = self.catalog.built_in.iter().find(|it| it.module.id == *id);
                facts.extend(
                    own.map(|own| {
                        Fact::Runs(format!("the game runs `{id}` {}", own.module.version))
                    }),
                );
            }
            (Package::Pack(id), Package::Module(module)) => {
                let versions = self.packs.get(id.as_str()).into_iter().flat_map(|it| it.keys());
                let versions = versions.filter(|version| choices.contains(&of_pack(id, version)));
                facts.extend(versions.map(|version| Fact::Holds {
                    pack: id.clone(),
                    version: (*version).clone(),
                    module: module.clone(),
                }));
            }
            (Package::Module(id), Package::Module(other)) => {
                for ((version, provider), module) in
                    self.modules.get(id.as_str()).into_iter().flatten()
                {
                    let choice = Choice::Present((*version).clone(), provider.clone());
                    if !choices.contains(&choice) {
                        continue;
                    }
                    let from = format!("`{id}` {version} of {provider}");
                    facts.extend(relation_texts(&from, module, other).into_iter().map(|text| {
                        Fact::Related { module: id.clone(), provider: provider.clone(), text }
                    }));
                    let required = module.requires.get(other);
                    if required.is_some_and(|it| self.matching(other, it) == Set::empty()) {
                        facts.extend(self.known(to));
                    }
                }
            }
            // That a module comes with its pack has been said.
            _ => {}
        }
    }

    fn knows(&self, want: &Want) -> bool {
        let versions = self.packs.get(want.pack.as_str());
        versions.is_some_and(|versions| {
            want.version.as_ref().is_none_or(|version| versions.contains_key(version))
        })
    }
}

/// How a module is related to another one, in words.
fn relation_texts(from: &str, module: &Module, other: &str) -> Vec<String> {
    let requires = module.requires.get(other);
    let optional = module.optional.get(other);
    let conflicts = module.conflicts.get(other);
    let texts = [
        requires.map(|versions| format!("{from} requires `{other}` {versions}")),
        optional.map(|versions| format!("{from} goes with `{other}` only if that is {versions}")),
        conflicts.map(|versions| format!("{from} cannot run beside `{other}` {versions}")),
    ];
    texts.into_iter().flatten().collect()
}
