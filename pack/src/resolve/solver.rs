//! The catalog in pubgrub's terms.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::fmt;

use pubgrub::{
    Dependencies, DependencyProvider, PackageResolutionStatistics, PubGrubError, Ranges,
};
use semver::{Version, VersionReq};

use super::facts;
use super::{Catalog, Offer, Provider, Resolution, Want};
use crate::manifest::Module;

/// The result of solving.
pub(super) enum Outcome {
    /// There is a solution.
    Solved(Resolution),
    /// There is none, because of these facts.
    Unsolvable(Vec<String>),
}

/// Something that the solver chooses a version for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Package {
    /// Everything that is wanted.
    Root,
    Pack(String),
    Module(String),
}

/// A version, and who offers it; or that the module is absent.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Choice {
    Absent,
    Present(Version, Provider),
}

impl fmt::Display for Package {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => f.write_str("what is wanted"),
            Self::Pack(id) => write!(f, "pack `{id}`"),
            Self::Module(id) => write!(f, "module `{id}`"),
        }
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("absent"),
            Self::Present(version, provider) => write!(f, "{version} of {provider}"),
        }
    }
}

pub(super) type Set = Ranges<Choice>;

/// Solves.
pub(super) fn solve(catalog: &Catalog, wants: &[Want]) -> Outcome {
    let graph = Graph::new(catalog, wants);
    match pubgrub::resolve(&graph, Package::Root, graph.root()) {
        Ok(solution) => {
            let mut resolution = Resolution::default();
            for (package, choice) in solution {
                let Choice::Present(version, provider) = choice else { continue };
                match package {
                    Package::Root => {}
                    Package::Pack(id) => _ = resolution.packs.insert(id, version),
                    Package::Module(id) => {
                        resolution.modules.insert(id, (version, provider));
                    }
                }
            }
            Outcome::Solved(resolution)
        }
        Err(PubGrubError::NoSolution(tree)) => {
            let mut facts = BTreeSet::new();
            graph.facts(&tree, &mut facts);
            Outcome::Unsolvable(facts::in_words(&facts))
        }
        // The graph answers every question, so this is a fault of this code.
        Err(error) => Outcome::Unsolvable(vec![error.to_string()]),
    }
}

/// The catalog by name.
pub(super) struct Graph<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) wants: &'a [Want],
    pub(super) packs: BTreeMap<&'a str, BTreeMap<&'a Version, &'a Offer>>,
    /// Who offers a module, in ascending order of version.
    pub(super) modules: BTreeMap<&'a str, BTreeMap<(&'a Version, Provider), &'a Module>>,
}

impl<'a> Graph<'a> {
    fn new(catalog: &'a Catalog, wants: &'a [Want]) -> Self {
        let mut graph = Self { catalog, wants, packs: BTreeMap::new(), modules: BTreeMap::new() };
        for built_in in &catalog.built_in {
            graph.add(&built_in.module, Provider::Game);
        }
        for offer in &catalog.packs {
            graph.packs.entry(&offer.id).or_default().insert(&offer.version, offer);
            for module in &offer.modules {
                graph.add(module, Provider::Pack(offer.id.clone(), offer.version.clone()));
            }
        }
        graph
    }

    fn add(&mut self, module: &'a Module, provider: Provider) {
        let offers = self.modules.entry(&module.id).or_default();
        offers.insert((&module.version, provider), module);
    }

    fn root(&self) -> Choice {
        Choice::Present(Version::new(0, 0, 0), Provider::Game)
    }

    /// The choices of a module with one of these versions.
    pub(super) fn matching(&self, module: &str, versions: &VersionReq) -> Set {
        let offers = self.modules.get(module).into_iter().flat_map(|offers| offers.keys());
        set(offers
            .filter(|(version, _)| versions.matches(version))
            .map(|(version, provider)| Choice::Present((*version).clone(), provider.clone())))
    }

    /// The choices of a module with another version, and its absence.
    fn others(&self, module: &str, versions: &VersionReq) -> Set {
        self.matching(module, versions).complement()
    }

    /// The sets of versions that a module requires of others.
    fn relations(&self, module: &Module) -> BTreeMap<Package, Set> {
        let mut sets: BTreeMap<Package, Set> = BTreeMap::new();
        let mut add = |other: &str, set: Set| {
            if other == module.id {
                return;
            }
            let package = Package::Module(other.to_owned());
            let both = sets.get(&package).map_or(set.clone(), |before| before.intersection(&set));
            sets.insert(package, both);
        };
        for (other, versions) in &module.requires {
            add(other, self.matching(other, versions));
        }
        for (other, versions) in &module.optional {
            add(other, self.matching(other, versions).union(&Set::singleton(Choice::Absent)));
        }
        for (other, versions) in &module.conflicts {
            add(other, self.others(other, versions));
        }
        sets
    }

    fn root_dependencies(&self) -> BTreeMap<Package, Set> {
        let mut sets = BTreeMap::new();
        for Want { pack, version } in self.wants {
            let versions = self.packs.get(pack.as_str()).into_iter().flat_map(|it| it.keys());
            let versions = versions.filter(|it| version.as_ref().is_none_or(|own| own == **it));
            let choices = versions.map(|version| of_pack(pack, version));
            sets.insert(Package::Pack(pack.clone()), set(choices));
        }
        for built_in in self.catalog.built_in.iter().filter(|built_in| built_in.is_on) {
            let Module { id, version, .. } = &built_in.module;
            let choice = Choice::Present(version.clone(), Provider::Game);
            sets.insert(Package::Module(id.clone()), Set::singleton(choice));
        }
        sets
    }

    /// Why a pack cannot run in this game, whatever else runs.
    fn unfit(&self, offer: &Offer) -> Option<String> {
        let Offer { id, version, game, api, .. } = offer;
        let checks =
            [("the game", game, &self.catalog.game), ("playground_api", api, &self.catalog.api)];
        checks.into_iter().find(|(_, versions, own)| !versions.matches(own)).map(
            |(what, versions, own)| {
                format!("pack `{id}` {version} is for {what} {versions}, and this is {own}")
            },
        )
    }
}

/// Why a module can never run: it has a relation to itself that does not hold. pubgrub has no place for
/// such a relation.
fn against_itself(module: &Module, provider: &Provider) -> Option<String> {
    let Module { id, version, requires, optional, conflicts, .. } = module;
    let own = |relations: &BTreeMap<String, VersionReq>, matches: bool| {
        relations.get(id).filter(|it| it.matches(version) == matches).cloned()
    };
    let needs = |versions| format!("`{id}` {version} of {provider} requires itself as {versions}");
    let conflicts = || {
        own(conflicts, true)
            .map(|_| format!("`{id}` {version} of {provider} conflicts with itself"))
    };
    own(requires, false).or_else(|| own(optional, false)).map(needs).or_else(conflicts)
}

pub(super) fn of_pack(id: &str, version: &Version) -> Choice {
    Choice::Present(version.clone(), Provider::Pack(id.to_owned(), version.clone()))
}

fn set(choices: impl Iterator<Item = Choice>) -> Set {
    choices.fold(Set::empty(), |set, choice| set.union(&Set::singleton(choice)))
}

impl DependencyProvider for Graph<'_> {
    type P = Package;
    type V = Choice;
    type VS = Set;
    type Priority = (u8, Reverse<usize>, Reverse<Package>);
    type M = String;
    type Err = Infallible;

    /// Packs are decided first, then modules with few choices, since less can change about them.
    fn prioritize(
        &self,
        package: &Package,
        range: &Set,
        _: &PackageResolutionStatistics,
    ) -> Self::Priority {
        let (rank, choices) = match package {
            Package::Root => (2, 0),
            Package::Pack(_) => (1, self.choices(package, range).len()),
            Package::Module(_) => (0, self.choices(package, range).len()),
        };
        (rank, Reverse(choices), Reverse(package.clone()))
    }

    fn choose_version(&self, package: &Package, range: &Set) -> Result<Option<Choice>, Infallible> {
        let choices = self.choices(package, range);
        // A module that may be absent is not needed.
        let absent = choices.iter().find(|choice| **choice == Choice::Absent).cloned();
        Ok(absent.or_else(|| choices.into_iter().next_back()))
    }

    fn get_dependencies(
        &self,
        package: &Package,
        choice: &Choice,
    ) -> Result<Dependencies<Package, Set, String>, Infallible> {
        let sets = match (package, choice) {
            (Package::Root, _) => self.root_dependencies(),
            (_, Choice::Absent) => BTreeMap::new(),
            (Package::Pack(id), Choice::Present(version, _)) => {
                let offer = self.packs.get(id.as_str()).and_then(|it| it.get(version));
                if let Some(reason) = offer.and_then(|offer| self.unfit(offer)) {
                    return Ok(Dependencies::Unavailable(reason));
                }
                let modules = offer.into_iter().flat_map(|offer| &offer.modules);
                let provider = Provider::Pack(id.clone(), version.clone());
                let choice =
                    |module: &Module| Choice::Present(module.version.clone(), provider.clone());
                modules
                    .map(|it| (Package::Module(it.id.clone()), Set::singleton(choice(it))))
                    .collect()
            }
            (Package::Module(id), Choice::Present(version, provider)) => {
                let offers = self.modules.get(id.as_str());
                let module = offers.and_then(|it| it.get(&(version, provider.clone())));
                if let Some(reason) = module.and_then(|it| against_itself(it, provider)) {
                    return Ok(Dependencies::Unavailable(reason));
                }
                let mut sets = module.map(|module| self.relations(module)).unwrap_or_default();
                if let Provider::Pack(pack, version) = provider {
                    let own = Set::singleton(of_pack(pack, version));
                    sets.insert(Package::Pack(pack.clone()), own);
                }
                sets
            }
        };
        Ok(Dependencies::Available(sets.into_iter().collect()))
    }
}

impl Graph<'_> {
    /// The choices in a range, the best one last.
    fn choices(&self, package: &Package, range: &Set) -> BTreeSet<Choice> {
        let all: Vec<Choice> = match package {
            Package::Root => vec![self.root()],
            Package::Pack(id) => {
                let versions = self.packs.get(id.as_str()).into_iter().flat_map(|it| it.keys());
                versions.map(|version| of_pack(id, version)).collect()
            }
            Package::Module(id) => {
                let offers = self.modules.get(id.as_str()).into_iter().flat_map(|it| it.keys());
                let present =
                    offers.map(|(version, who)| Choice::Present((*version).clone(), who.clone()));
                std::iter::once(Choice::Absent).chain(present).collect()
            }
        };
        all.into_iter().filter(|choice| range.contains(choice)).collect()
    }
}
