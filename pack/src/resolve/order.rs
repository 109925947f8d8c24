//! The order in which modules are loaded.

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

use crate::manifest::Module;

/// Modules that each have to be loaded before the next one, and the last one before the first.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("modules cannot be ordered: {}", self.in_words())]
pub struct Cycle(pub Vec<String>);

impl Cycle {
    fn in_words(&self) -> String {
        let Some(first) = self.0.first() else { return String::new() };
        let others = self.0.iter().skip(1).map(|id| format!("before `{id}`, that "));
        format!("`{first}` has to be loaded {}before `{first}`", others.collect::<String>())
    }
}

/// The order in which modules are loaded: each one after those that it requires, uses or names in
/// `after`, and before those that it names in `before`. What is free to differ is ordered by name, or
/// by chance where `shuffle` has a seed: so a game can find out what it depends on without saying so.
///
/// # Errors
///
/// If there is no such order.
pub fn load_order<'a>(
    modules: impl IntoIterator<Item = &'a Module>,
    shuffle: Option<u64>,
) -> Result<Vec<String>, Cycle> {
    let modules: BTreeMap<&str, &Module> =
        modules.into_iter().map(|module| (module.id.as_str(), module)).collect();
    // By module, those that come before it.
    let mut earlier: BTreeMap<&str, BTreeSet<&str>> =
        modules.keys().map(|id| (*id, BTreeSet::new())).collect();
    for (id, module) in &modules {
        let named = module.requires.keys().chain(module.optional.keys()).chain(&module.after);
        for other in named.filter_map(|other| modules.get_key_value(other.as_str())) {
            earlier.entry(id).or_default().insert(other.0);
        }
        for other in module.before.iter().filter(|other| modules.contains_key(other.as_str())) {
            earlier.entry(other).or_default().insert(id);
        }
    }
    let mut random = shuffle.map(Random);
    let mut order = Vec::with_capacity(modules.len());
    while !earlier.is_empty() {
        let free: Vec<&str> =
            earlier.iter().filter(|(_, before)| before.is_empty()).map(|(id, _)| *id).collect();
        if free.is_empty() {
            return Err(cycle(&earlier));
        }
        let next = free[random.as_mut().map_or(0, |random| random.below(free.len()))];
        earlier.remove(next);
        earlier.values_mut().for_each(|before| _ = before.remove(next));
        order.push(next.to_owned());
    }
    Ok(order)
}

/// A cycle among modules of which each waits for another one.
fn cycle(earlier: &BTreeMap<&str, BTreeSet<&str>>) -> Cycle {
    let mut path: Vec<&str> = Vec::new();
    let mut at = earlier.keys().next().copied();
    while let Some(id) = at {
        if let Some(start) = path.iter().position(|seen| *seen == id) {
            // Found from the last one to the first.
            let mut members: Vec<String> =
                path[start..].iter().map(|id| (*id).to_owned()).collect();
            members.reverse();
            return Cycle(members);
        }
        path.push(id);
        at = earlier.get(id).and_then(|before| before.first()).copied();
    }
    Cycle(path.into_iter().map(str::to_owned).collect())
}

/// SplitMix64: the same seed gives the same order.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % limit as u64) as usize
    }
}
