//! Follows code that counts, from function to function by name, through a crate and the core
//! crates below it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::declarations::Declarations;
use super::items::Function;
use super::names::Mentions;
use crate::ids::ModuleId;

/// What the epochs of a core crate's dependents need to know of its functions.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Facts {
    pub(super) declarations: Declarations,
    pub(super) functions: Vec<Function>,
}

/// The facts of all core crates that a crate links to, directly or through others, by id.
pub type CoreFacts = BTreeMap<ModuleId, Arc<Facts>>;

/// The functions whose bodies count in the epoch of a crate: its own by their number, and those of
/// core crates with their crate.
///
/// `mentions` is what code other than bodies may call.
pub(super) fn counted<'a>(
    own: &'a Facts,
    cores: &'a CoreFacts,
    mentions: Mentions,
) -> (Vec<(usize, &'a Function)>, Vec<(&'a ModuleId, &'a Function)>) {
    let generics = Generics::of(own, cores);
    let mut reach = Reach::new(own, cores, mentions);
    let hiding = hiding(own);
    let hides = |function: &Function| function.returns_impl && hiding.contains(&function.name);
    let follows = |function: &Function| function.shapes || generics.are_in(function);
    own.functions.iter().filter(|function| follows(function)).for_each(|f| reach.mention(f));
    reach.follow();

    let closures = !generics.names.is_empty();
    let counts = |function: &Function| {
        follows(function)
            || hides(function)
            || (closures && function.has_closure)
            || reach.contains(function)
    };
    // A core's closure may be stored by a type that the core does not know.
    let counts_of_core =
        |function: &Function| reach.contains(function) || (closures && function.has_closure);
    let of_own = own.functions.iter().enumerate().filter(|(_, function)| counts(function));
    let of_cores = cores.iter().flat_map(|(id, core)| {
        core.functions.iter().filter(|f| counts_of_core(f)).map(move |f| (id, f))
    });
    (of_own.collect(), of_cores.collect())
}

/// Names, among them those of the functions returning `impl` whose own types may be a part of other
/// types, as in `Peekable<RepeatWith<fn item>>`: the body decides the layout of such a type. What they
/// return may in turn hold what others return.
fn hiding(own: &Facts) -> BTreeSet<String> {
    let hide = || own.functions.iter().filter(|function| function.returns_impl);
    if !own.declarations.is_leaf {
        return hide().map(|function| function.name.clone()).collect();
    }
    let mut names = BTreeSet::new();
    let mut open: Vec<&String> = own.declarations.values.iter().collect();
    while let Some(name) = open.pop() {
        if names.insert(name.clone()) {
            open.extend(own.declarations.leads.get(name).into_iter().flatten());
            let named = hide().filter(|function| function.name == *name);
            open.extend(named.flat_map(|function| &function.names));
        }
    }
    names
}

/// Names of generic types that the world may store, and of generic functions that use them. What
/// is given to them may become a part of a stored type: a closure, a function.
struct Generics {
    names: BTreeSet<String>,
}

impl Generics {
    fn of(own: &Facts, cores: &CoreFacts) -> Self {
        let crates = || [own].into_iter().chain(cores.values().map(|core| &**core));
        let names = crates().flat_map(|facts| facts.declarations.generics.iter().cloned());
        let mut generics = Self { names: names.collect() };
        loop {
            let more: Vec<String> = crates()
                .flat_map(|facts| &facts.functions)
                .filter(|function| function.is_generic && !generics.names.contains(&function.name))
                .filter(|function| generics.are_in(function))
                .map(|function| function.name.clone())
                .collect();
            if more.is_empty() {
                return generics;
            }
            generics.names.extend(more);
        }
    }

    fn are_in(&self, function: &Function) -> bool {
        !self.names.is_disjoint(&function.names)
    }
}

/// Names that are reached from code that counts.
struct Reach<'a> {
    functions: BTreeMap<&'a str, Vec<&'a Function>>,
    by_module: BTreeMap<&'a str, Vec<&'a Function>>,
    leads: Vec<&'a BTreeMap<String, BTreeSet<String>>>,
    names: BTreeSet<String>,
    modules: BTreeSet<String>,
    open_names: Vec<String>,
    open_modules: Vec<String>,
}

impl<'a> Reach<'a> {
    fn new(own: &'a Facts, cores: &'a CoreFacts, mentions: Mentions) -> Self {
        let crates = || [own].into_iter().chain(cores.values().map(|core| &**core));
        let (mut functions, mut by_module) = (BTreeMap::new(), BTreeMap::new());
        for function in crates().flat_map(|facts| &facts.functions) {
            functions.entry(&*function.name).or_insert_with(Vec::new).push(function);
            for module in &function.modules {
                by_module.entry(&**module).or_insert_with(Vec::new).push(function);
            }
        }
        Self {
            functions,
            by_module,
            leads: crates().map(|facts| &facts.declarations.leads).collect(),
            names: BTreeSet::new(),
            modules: BTreeSet::new(),
            open_names: mentions.names.into_iter().collect(),
            open_modules: mentions.modules.into_iter().collect(),
        }
    }

    fn mention(&mut self, function: &Function) {
        self.open_names.extend(function.names.iter().cloned());
        self.open_modules.extend(function.mentioned_modules.iter().cloned());
    }

    fn follow(&mut self) {
        loop {
            let found = if let Some(name) = self.open_names.pop() {
                if !self.names.insert(name.clone()) {
                    continue;
                }
                let leads = self.leads.iter().filter_map(|leads| leads.get(&name)).flatten();
                self.open_names.extend(leads.cloned());
                self.functions.get(&*name).cloned()
            } else if let Some(module) = self.open_modules.pop() {
                if !self.modules.insert(module.clone()) {
                    continue;
                }
                let leads = self.leads.iter().filter_map(|leads| leads.get(&module)).flatten();
                self.open_modules.extend(leads.cloned());
                self.by_module.get(&*module).cloned()
            } else {
                return;
            };
            found.into_iter().flatten().for_each(|function| self.mention(function));
        }
    }

    fn contains(&self, function: &Function) -> bool {
        self.names.contains(&function.name)
            || function.modules.iter().any(|module| self.modules.contains(module))
    }
}
