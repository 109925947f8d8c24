//! Which functions an edit reaches, and which ones take a type: hints for users, not proofs.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::Facts;

impl Facts {
    /// Those of these functions of the crate that run other code than they did in `before`: their own,
    /// or that of a function, constant or static of the crate that they reach by name.
    pub fn edited<'n>(
        &self,
        before: &Self,
        functions: impl Iterator<Item = &'n str>,
    ) -> Vec<&'n str> {
        let (old, new) = (before.code(), self.code());
        let edited: BTreeSet<&str> =
            old.symmetric_difference(&new).map(|(name, ..)| *name).collect();
        if edited.is_empty() {
            return Vec::new();
        }
        let names = self.reached_names();
        functions.filter(|function| is_reached(&names, &edited, function)).collect()
    }

    /// The names of the functions that name this type in their parameters.
    pub fn functions_taking(&self, type_name: &str) -> BTreeSet<&str> {
        let functions = self.functions.iter();
        let taking = functions.filter(|function| function.signature.names.contains(type_name));
        taking.map(|function| function.name.as_str()).collect()
    }

    /// Functions, constants and statics: name, modules and hash.
    fn code(&self) -> BTreeSet<(&str, &[String], u64)> {
        let functions = self.functions.iter();
        let functions = functions.map(|it| (it.name.as_str(), it.modules.as_slice(), it.hash));
        let values = self.named.iter();
        let values = values.filter(|it| it.import.is_none() && !self.own.contains(&it.name));
        functions
            .chain(values.map(|it| (it.name.as_str(), it.modules.as_slice(), it.hash)))
            .collect()
    }

    /// The names that the definitions of each name reach at once.
    fn reached_names(&self) -> BTreeMap<&str, Vec<&str>> {
        let mut reached: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for function in &self.functions {
            let names = function.body.names.iter().chain(&function.signature.names);
            reached.entry(&function.name).or_default().extend(names.map(String::as_str));
        }
        for named in &self.named {
            let names = named.mentions.names.iter().map(String::as_str);
            reached.entry(&named.name).or_default().extend(names);
        }
        reached
    }
}

fn is_reached<'n>(
    names: &BTreeMap<&'n str, Vec<&'n str>>,
    edited: &BTreeSet<&str>,
    function: &'n str,
) -> bool {
    let mut seen = BTreeSet::new();
    let mut open = vec![function];
    while let Some(name) = open.pop() {
        if edited.contains(name) {
            return true;
        }
        if seen.insert(name) {
            open.extend(names.get(name).into_iter().flatten());
        }
    }
    false
}
