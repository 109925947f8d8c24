//! Past swaps, oldest first, that can be rolled back.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Write;
use std::sync::Arc;

use crate::generation::SharedGeneration;
use crate::ids::{GenerationId, ModuleId};
use crate::refusal::CommandError;
use crate::rollback_state::RollbackState;

/// The number of swaps that can be rolled back.
const SWAPS: usize = 32;

/// A swap that can be rolled back.
pub struct PastSwap {
    /// Each new generation with the one that it replaced.
    pub modules: Vec<(SharedGeneration, SharedGeneration)>,
    /// The persisted resources and states of the old generations, as they were before the swap.
    pub snapshot: RollbackState,
    /// The frame in which it took place.
    pub frame: u64,
    /// True if it was a rollback itself.
    pub is_rollback: bool,
}

/// The last swaps, and the committed generations.
#[derive(Default)]
pub struct History {
    swaps: VecDeque<PastSwap>,
    committed: BTreeSet<GenerationId>,
}

/// The swaps to undo so that an older generation comes back.
pub struct WayBack {
    /// The generations that enter, of all modules concerned.
    pub enter: Vec<SharedGeneration>,
    /// For each of these, the swap in which it was replaced; newest first.
    swaps: Vec<(usize, BTreeSet<ModuleId>)>,
}

impl WayBack {
    /// Leaves out modules that stay as they are.
    pub fn retain(&mut self, mut goes_back: impl FnMut(&ModuleId) -> bool) {
        self.enter.retain(|generation| goes_back(generation.id()));
        self.swaps.iter_mut().for_each(|(_, ids)| ids.retain(|id| goes_back(id)));
    }
}

impl History {
    /// A swap happened.
    pub fn push(&mut self, swap: PastSwap) {
        if !swap.modules.is_empty() {
            self.swaps.push_back(swap);
        }
        if self.swaps.len() > SWAPS {
            self.swaps.pop_front();
        }
    }

    /// A generation completed its probation.
    pub fn commit(&mut self, generation: &SharedGeneration) {
        self.committed.insert(generation.generation_id());
    }

    /// True for a generation that completed its probation.
    pub fn is_committed(&self, generation: &SharedGeneration) -> bool {
        self.committed.contains(&generation.generation_id())
    }

    /// True if any generation of the module completed its probation.
    pub fn was_ever_committed(&self, id: &ModuleId) -> bool {
        self.committed.iter().any(|committed| committed.module == *id)
    }

    /// Removes the last swap in which one of these entered.
    pub fn forget(&mut self, rejected: &[SharedGeneration]) {
        let is_one =
            |new: &SharedGeneration| rejected.iter().any(|rejected| Arc::ptr_eq(rejected, new));
        let brought = |swap: &PastSwap| swap.modules.iter().any(|(new, _)| is_one(new));
        if let Some(at) = self.swaps.iter().rposition(brought) {
            self.swaps.remove(at);
        }
    }

    /// The number of the generation that ran before this one.
    pub fn before(&self, active: &SharedGeneration) -> Option<u32> {
        let mut swaps = self.swaps.iter().rev().filter(|swap| !swap.is_rollback);
        swaps.find_map(|swap| {
            let brought = swap.modules.iter().find(|(new, _)| Arc::ptr_eq(new, active));
            brought.map(|(_, old)| old.number)
        })
    }

    /// The swaps to undo so that generation `number` of a module comes back. A core's code is
    /// linked into its dependents: modules that entered together are rolled back together, with all
    /// that entered after them.
    ///
    /// # Errors
    ///
    /// If there is no such generation in the history.
    pub fn way_back(&self, id: &ModuleId, number: u32) -> Result<WayBack, CommandError> {
        let left = |swap: &PastSwap| {
            swap.modules.iter().any(|(_, old)| old.id() == id && old.number == number)
        };
        let Some(at) = self.swaps.iter().rposition(left) else {
            let known: BTreeSet<u32> = self.of(id).map(|(_, old)| old.number).collect();
            let (module, known) = (id.to_owned(), known.into_iter().collect());
            return Err(CommandError::NoGeneration { module, number, known });
        };
        // The first swap to undo, by module.
        let mut from: BTreeMap<&ModuleId, usize> = BTreeMap::from([(id, at)]);
        loop {
            let known = from.clone();
            for (at, swap) in self.swaps.iter().enumerate() {
                let ids = || swap.modules.iter().map(|(new, _)| new.id());
                if ids().any(|id| from.get(id).is_some_and(|from| *from <= at)) {
                    for id in ids() {
                        let first = from.entry(id).or_insert(at);
                        *first = (*first).min(at);
                    }
                }
            }
            if from == known {
                break;
            }
        }
        let mut enter = Vec::new();
        let mut swaps: BTreeMap<usize, BTreeSet<ModuleId>> = BTreeMap::new();
        for (id, at) in from {
            let of_module = self.swaps[at].modules.iter().find(|(new, _)| new.id() == id);
            enter.extend(of_module.map(|(_, old)| old.clone()));
            swaps.entry(at).or_default().insert(id.clone());
        }
        Ok(WayBack { enter, swaps: swaps.into_iter().rev().collect() })
    }

    /// The state of the modules that are rolled back, taken when they were replaced.
    pub fn snapshots<'a>(
        &'a self,
        way: &'a WayBack,
    ) -> impl Iterator<Item = (&'a RollbackState, &'a BTreeSet<ModuleId>)> {
        way.swaps.iter().map(|(at, ids)| (&self.swaps[*at].snapshot, ids))
    }

    fn of<'a>(
        &'a self,
        id: &'a ModuleId,
    ) -> impl Iterator<Item = &'a (SharedGeneration, SharedGeneration)> {
        self.swaps.iter().flat_map(|swap| &swap.modules).filter(move |(new, _)| new.id() == id)
    }

    /// The generations of a module that can run, newest first, as text for people.
    pub fn text(&self, id: &ModuleId, active: Option<&SharedGeneration>) -> String {
        let mut text = id.to_string();
        let mut line = |generation: &SharedGeneration, place: String| {
            let state = if self.is_committed(generation) { "committed" } else { "not committed" };
            let hash = generation.hash.short();
            let _ = write!(
                text,
                "\n  {:>4}  {:<13}  artifact {hash}  {place}",
                generation.number, state
            );
        };
        if let Some(active) = active {
            line(active, "runs".to_owned());
        }
        // The last time each one was replaced.
        let mut left: BTreeMap<u32, (&SharedGeneration, u64)> = BTreeMap::new();
        for swap in &self.swaps {
            for (_, old) in swap.modules.iter().filter(|(_, old)| old.id() == id) {
                left.insert(old.number, (old, swap.frame));
            }
        }
        for (number, (generation, frame)) in left.iter().rev() {
            if active.is_none_or(|active| active.number != *number) {
                line(generation, format!("left in frame {frame}, with its resources and states"));
            }
        }
        let hint = match (left.is_empty(), active) {
            (true, None) => "\n  nothing of it ran yet".to_owned(),
            (true, Some(_)) => String::new(),
            (false, _) => format!("\n`rollback {id} <generation> [--state]` brings one back"),
        };
        text + &hint
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generation::stub;

    /// A history of swaps, each of old and new numbers by module.
    fn history(swaps: &[&[(&str, u32, u32)]]) -> History {
        let mut history = History::default();
        for (frame, swap) in (0..).zip(swaps) {
            let modules = swap.iter().map(|(id, old, new)| (stub(id, *new), stub(id, *old)));
            history.push(PastSwap {
                modules: modules.collect(),
                snapshot: RollbackState::default(),
                frame,
                is_rollback: false,
            });
        }
        history
    }

    fn way(history: &History, id: &str, number: u32) -> Vec<(String, u32)> {
        let way = history.way_back(&id.into(), number).expect("there is a way back");
        let mut enter: Vec<(String, u32)> =
            way.enter.iter().map(|it| (it.id().to_string(), it.number)).collect();
        enter.sort();
        enter
    }

    #[test]
    fn a_module_that_came_alone_goes_back_alone() {
        let history = history(&[&[("a", 1, 2)], &[("b", 1, 2)], &[("a", 2, 3)]]);
        assert_eq!(way(&history, "a", 2), [("a".to_owned(), 2)]);
        assert_eq!(way(&history, "a", 1), [("a".to_owned(), 1)]);
    }

    #[test]
    fn what_came_together_goes_back_together_and_so_does_what_came_after_it() {
        let history = history(&[
            &[("core", 1, 2), ("a", 1, 2), ("b", 1, 2)],
            // An edit of one of them alone, over the newer core.
            &[("a", 2, 3)],
        ]);
        let all = [("a".to_owned(), 1), ("b".to_owned(), 1), ("core".to_owned(), 1)];
        assert_eq!(way(&history, "core", 1), all);
        assert_eq!(way(&history, "b", 1), all);
        assert_eq!(way(&history, "a", 2), [("a".to_owned(), 2)]);
    }

    #[test]
    fn an_unknown_generation_is_refused_with_those_that_are_known() {
        let history = history(&[&[("a", 1, 2)], &[("a", 2, 3)]]);
        let Err(error) = history.way_back(&"a".into(), 7) else { panic!("there is no 7") };
        let text = error.to_string();
        assert!(text.contains("found 7") && text.contains("1, 2"), "{text}");
    }

    #[test]
    fn only_the_last_swaps_can_be_gone_back_over() {
        let swaps: Vec<[(&str, u32, u32); 1]> =
            (1..=SWAPS as u32 + 1).map(|number| [("a", number, number + 1)]).collect();
        let swaps: Vec<&[(&str, u32, u32)]> = swaps.iter().map(|swap| swap.as_slice()).collect();
        let history = history(&swaps);
        assert!(history.way_back(&"a".into(), 1).is_err());
        assert!(history.way_back(&"a".into(), 2).is_ok());
    }

    #[test]
    fn a_swap_that_was_taken_back_never_was() {
        let mut history = history(&[&[("a", 1, 2)]]);
        let newest = history.swaps[0].modules[0].0.clone();
        assert_eq!(history.before(&newest), Some(1));
        history.forget(std::slice::from_ref(&newest));
        assert_eq!(history.before(&newest), None);
        assert!(!history.is_committed(&newest));
        history.commit(&newest);
        assert!(history.is_committed(&newest) && history.was_ever_committed(newest.id()));
    }
}
