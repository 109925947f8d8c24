//! Follows code that counts, from definition to definition by name, through a crate and the core
//! crates below it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::declarations::Declarations;
use super::definitions::{Function, Import, Named};
use super::names::Mentions;
use crate::ids::ModuleId;

/// Definitions of a core crate that do not always count, for the epochs of its dependents.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    pub(super) declarations: Declarations,
    pub(super) functions: Vec<Function>,
    pub(super) named: Vec<Named>,
    /// The names of the types that have an identity of their own.
    pub(super) own: BTreeSet<String>,
    /// The hash of what rustc reads of the crate's sources while it compiles another one.
    pub interface: u64,
}

/// The facts of all core crates that a crate links to, directly or through others, by id.
pub type CoreFacts = BTreeMap<ModuleId, Arc<Facts>>;

/// A definition, or the signature of one, that counts in the epoch of a crate.
pub(super) struct Counted<'a> {
    /// The core crate that it belongs to; `None` for the crate itself.
    pub core: Option<&'a ModuleId>,
    pub modules: &'a [String],
    pub name: &'a str,
    pub hash: u64,
}

/// The definitions of a crate and the cores below it, as they are followed for its epochs.
pub(super) struct Counting<'a> {
    own: &'a Facts,
    crates: Vec<(Option<&'a ModuleId>, &'a Facts)>,
    definitions: Definitions<'a>,
    generics: Generics,
    hiding: BTreeSet<String>,
}

impl<'a> Counting<'a> {
    pub fn new(own: &'a Facts, cores: &'a CoreFacts) -> Self {
        let crates: Vec<(Option<&ModuleId>, &Facts)> = [(None, own)]
            .into_iter()
            .chain(cores.iter().map(|(id, core)| (Some(id), &**core)))
            .collect();
        let definitions = Definitions::of(&crates);
        let (generics, hiding) = (Generics::of(own, cores), hiding(own));
        Self { own, crates, definitions, generics, hiding }
    }

    /// The definitions that count in the epoch of the crate beside the items that always do.
    ///
    /// `mentions` is what those mention; with `calls_method`, they call methods.
    pub fn of_crate(&self, mentions: Mentions, calls_method: bool) -> Vec<Counted<'a>> {
        self.counted(mentions, calls_method, true)
    }

    /// The definitions that count in the epoch of a type with an identity of its own, the type and
    /// impls for it among them. Those that count in the epoch of the crate may be left out.
    pub fn of_type(&self, name: &str) -> Vec<Counted<'a>> {
        let mentions = Mentions { names: [name.to_owned()].into(), ..Mentions::default() };
        self.counted(mentions, false, false)
    }

    fn counted(&self, mentions: Mentions, calls_method: bool, of_crate: bool) -> Vec<Counted<'a>> {
        let Self { own, crates, definitions, generics, hiding } = self;
        let hides = |function: &Function| function.returns_impl && hiding.contains(&function.name);
        let follows =
            |function: &Function| of_crate && (function.shapes || generics.are_in(function));

        // Whatever this code calls, and what that calls, counts.
        let mut code = Reach::new(definitions, Follow::Bodies);
        code.mention(&mentions);
        for function in own.functions.iter().filter(|function| follows(function)) {
            code.mention_function(function);
        }

        let closures = !generics.names.is_empty();
        // A core's closure may be stored by a type that the core does not know.
        let counts_always = |core: Option<&ModuleId>, function: &Function| {
            let of_own = core.is_none() && (follows(function) || hides(function));
            of_crate && (of_own || (closures && function.has_closure))
        };

        // Of what is merely named there, the types count: signatures, constants, imports.
        let mut types = Reach::new(definitions, Follow::Signatures);
        types.mention(&mentions);
        loop {
            code.follow();
            types.mention(&Mentions { names: code.names.clone(), modules: code.modules.clone() });
            for (core, facts) in crates {
                let whole = facts
                    .functions
                    .iter()
                    .filter(|function| counts_always(*core, function) || code.contains(function));
                whole.for_each(|function| types.mention_function(function));
            }
            types.follow();
            // A type that is reached now has functions of names that were reached before.
            if !code.admit_all(&types.admitted) {
                break;
            }
        }
        let counts_whole = |core: Option<&ModuleId>, function: &Function| {
            counts_always(core, function) || code.contains(function)
        };

        let mut counted = Vec::new();
        for (core, facts) in crates {
            let add = |modules: &'a [String], name: &'a str, hash: u64| Counted {
                core: *core,
                modules,
                name,
                hash,
            };
            let mut calls = calls_method && core.is_none();
            for function in &facts.functions {
                let is_named = types.contains(function);
                if counts_whole(*core, function) || (is_named && function.is_const) {
                    calls |= function.calls_method;
                    counted.push(add(&function.modules, &function.name, function.hash));
                } else if is_named {
                    counted.push(add(&function.modules, &function.name, function.header_hash));
                }
            }
            let reached = |named: &&Named| types.contains_named(named);
            calls |= facts.named.iter().filter(reached).any(|named| named.calls_method);
            for named in &facts.named {
                // Which method is called depends on the traits in scope.
                let is_in_scope = calls && may_be_trait(named, crates);
                if is_in_scope || reached(&named) {
                    counted.push(add(&named.modules, &named.name, named.hash));
                }
            }
        }
        counted
    }
}

/// True for an import, unless a crate that is known defines something else under that name.
fn may_be_trait(named: &Named, crates: &[(Option<&ModuleId>, &Facts)]) -> bool {
    let Some(Import { last: name, .. }) = &named.import else { return false };
    let is_known = |facts: &Facts| facts.declarations.no_traits.contains(name);
    let is_trait = |facts: &Facts| {
        facts.declarations.traits.contains(name) || facts.declarations.leads.contains_key(name)
    };
    let any = |is: &dyn Fn(&Facts) -> bool| crates.iter().any(|(_, facts)| is(facts));
    any(&is_trait) || !any(&is_known)
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
            open.extend(named.flat_map(|function| &function.body.names));
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
        !self.names.is_disjoint(&function.body.names)
    }
}

/// All definitions of a crate and the cores below it, by name.
struct Definitions<'a> {
    functions: BTreeMap<&'a str, Vec<&'a Function>>,
    by_module: BTreeMap<&'a str, Vec<&'a Function>>,
    /// Those in impls for a type with an identity of its own, by that type.
    of_own: BTreeMap<&'a str, Vec<&'a Function>>,
    named: BTreeMap<&'a str, Vec<&'a Named>>,
    leads: Vec<&'a BTreeMap<String, BTreeSet<String>>>,
}

impl<'a> Definitions<'a> {
    fn of(crates: &[(Option<&ModuleId>, &'a Facts)]) -> Self {
        let (mut functions, mut by_module) = (BTreeMap::new(), BTreeMap::new());
        let (mut of_own, mut all_named) = (BTreeMap::new(), BTreeMap::new());
        for (_, facts) in crates {
            for function in &facts.functions {
                functions.entry(&*function.name).or_insert_with(Vec::new).push(function);
                if let Some(own) = &function.of_own {
                    of_own.entry(&**own).or_insert_with(Vec::new).push(function);
                }
                for module in &function.modules {
                    by_module.entry(&**module).or_insert_with(Vec::new).push(function);
                }
            }
            for named in &facts.named {
                all_named.entry(&*named.name).or_insert_with(Vec::new).push(named);
            }
        }
        let leads = crates.iter().map(|(_, facts)| &facts.declarations.leads).collect();
        Self { functions, by_module, of_own, named: all_named, leads }
    }
}

/// The part of a reached function that is followed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Follow {
    Bodies,
    /// The bodies of const functions as well: lengths of arrays may call them.
    Signatures,
}

/// Names that are reached from code that counts.
struct Reach<'a> {
    definitions: &'a Definitions<'a>,
    follow: Follow,
    names: BTreeSet<String>,
    modules: BTreeSet<String>,
    /// Names in the paths of imports, which lead to nothing but other imports.
    paths: BTreeSet<String>,
    /// Types with an identity of their own, whose functions can be called.
    admitted: BTreeSet<String>,
    open_names: Vec<String>,
    open_modules: Vec<String>,
    open_paths: Vec<String>,
}

impl<'a> Reach<'a> {
    fn new(definitions: &'a Definitions<'a>, follow: Follow) -> Self {
        Self {
            definitions,
            follow,
            names: BTreeSet::new(),
            modules: BTreeSet::new(),
            paths: BTreeSet::new(),
            admitted: BTreeSet::new(),
            open_names: Vec::new(),
            open_modules: Vec::new(),
            open_paths: Vec::new(),
        }
    }

    fn mention(&mut self, mentions: &Mentions) {
        self.open_names.extend(mentions.names.iter().cloned());
        self.open_modules.extend(mentions.modules.iter().cloned());
    }

    /// Mentions what the function's body does and, for types, its signature.
    fn mention_function(&mut self, function: &Function) {
        self.mention(&function.body);
        if self.follow == Follow::Signatures {
            self.mention(&function.signature);
        }
    }

    fn reach_function(&mut self, function: &Function) {
        if !self.is_admitted(function) {
            return;
        }
        match self.follow {
            Follow::Signatures if !function.is_const => self.mention(&function.signature),
            _ => self.mention_function(function),
        }
    }

    fn is_admitted(&self, function: &Function) -> bool {
        function.of_own.as_ref().is_none_or(|own| self.admitted.contains(own))
    }

    /// Reaches those functions of the type whose names were reached. False if they were already, or if
    /// it has none.
    fn admit(&mut self, name: &str) -> bool {
        let Some(functions) = self.definitions.of_own.get(name) else { return false };
        if !self.admitted.insert(name.to_owned()) {
            return false;
        }
        for function in functions {
            if self.contains(function) {
                self.reach_function(function);
            }
        }
        true
    }

    fn admit_all(&mut self, names: &BTreeSet<String>) -> bool {
        names.iter().filter(|name| self.admit(name)).count() > 0
    }

    fn reach_named(&mut self, named: &Named) {
        self.mention(&named.mentions);
        let path = named.import.iter().flat_map(|import| &import.path);
        self.open_paths.extend(path.cloned());
    }

    fn follow(&mut self) {
        let definitions = self.definitions;
        loop {
            if let Some(name) = self.open_names.pop() {
                if !self.names.insert(name.clone()) {
                    continue;
                }
                self.admit(&name);
                let leads = definitions.leads.iter().filter_map(|leads| leads.get(&name)).flatten();
                self.open_names.extend(leads.cloned());
                for function in definitions.functions.get(&*name).into_iter().flatten() {
                    self.reach_function(function);
                }
                for named in definitions.named.get(&*name).into_iter().flatten() {
                    self.reach_named(named);
                }
            } else if let Some(name) = self.open_paths.pop() {
                if !self.paths.insert(name.clone()) {
                    continue;
                }
                let named = definitions.named.get(&*name).into_iter().flatten();
                for import in named.filter_map(|named| named.import.as_ref()) {
                    self.open_paths.push(import.last.clone());
                    self.open_paths.extend(import.path.iter().cloned());
                }
            } else if let Some(module) = self.open_modules.pop() {
                if !self.modules.insert(module.clone()) {
                    continue;
                }
                let leads =
                    definitions.leads.iter().filter_map(|leads| leads.get(&module)).flatten();
                self.open_modules.extend(leads.cloned());
                for function in definitions.by_module.get(&*module).into_iter().flatten() {
                    self.reach_function(function);
                }
            } else {
                return;
            }
        }
    }

    fn contains_named(&self, named: &Named) -> bool {
        self.names.contains(&named.name)
            || (named.import.is_some() && self.paths.contains(&named.name))
    }

    fn contains(&self, function: &Function) -> bool {
        let is_reached = self.names.contains(&function.name)
            || function.modules.iter().any(|module| self.modules.contains(module));
        is_reached && self.is_admitted(function)
    }
}
