//! Which system or run condition of a module's new code continues which of the old code.
//!
//! The name decides. Where several systems have one name, those that are in the same schedule, the
//! same sets and under the same conditions belong together; then those of the same schedule; then the
//! rest, in the order in which they were added. A condition also needs a system or set that it
//! already applied to.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use bevy::ecs::schedule::graph::Direction;
use bevy::ecs::schedule::{
    ConditionWithAccess, InternedScheduleLabel, NodeId, ScheduleGraph, SystemKey,
};
use bevy::ecs::system::System;
use playground_api::schema::names::stable_name;

use super::order::module_set;

/// The common property of a system or condition and its successors: their `Local`-like values and the
/// ticks up to which they have seen changes. A number is never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Memory(u64);

impl Memory {
    pub fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// Names the memory in [`playground_api::handover::Handovers`].
impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "memory {}", self.0)
    }
}

/// Where a system or a run condition stands. Nothing in it depends on an epoch.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// Its path and name.
    pub name: String,
    /// The schedule, such as `OnEnter(Playing)`.
    pub schedule: String,
    /// For a system its sets and conditions, for a condition the systems or the set that it applies to.
    surroundings: Vec<String>,
}

impl Place {
    /// The place of a system that was just added.
    pub fn of_system(label: InternedScheduleLabel, graph: &ScheduleGraph, key: SystemKey) -> Self {
        let name = graph.systems.get(key).map(|system| stable(&system.name())).unwrap_or_default();
        let mut surroundings: Vec<String> =
            conditions(graph.systems.get_conditions(key)).map(stable_condition).collect();
        let set = |node: NodeId| Some((node.as_set()?, graph.system_sets.get(node.as_set()?)?));
        let parents = graph.hierarchy().neighbors_directed(key.into(), Direction::Incoming);
        for (key, set) in parents.filter_map(set) {
            if set.is_anonymous() {
                let of_tuple = conditions(graph.system_sets.get_conditions(key));
                surroundings.extend(of_tuple.map(stable_condition));
            } else if set.system_type().is_none() && module_set(set).is_none() {
                surroundings.push(format!("{set:?}"));
            }
        }
        surroundings.sort();
        Self { name, schedule: format!("{label:?}"), surroundings }
    }

    /// The places of the conditions that were just added to a system or set.
    pub fn of_conditions(
        label: InternedScheduleLabel,
        graph: &ScheduleGraph,
        node: NodeId,
    ) -> Vec<Self> {
        let name_of = |system: SystemKey| Some(stable(&graph.systems.get(system)?.name()));
        let (conditions, surroundings) = match node {
            NodeId::System(key) => {
                (conditions(graph.systems.get_conditions(key)), name_of(key).into_iter().collect())
            }
            NodeId::Set(key) => {
                let surroundings = match graph.system_sets.get(key) {
                    // Bevy numbers the sets of tuples, anew with each swap: their systems stand for
                    // them.
                    Some(set) if set.is_anonymous() => {
                        let members = graph.hierarchy().neighbors(node);
                        let mut systems: Vec<String> =
                            members.filter_map(|member| name_of(member.as_system()?)).collect();
                        systems.sort();
                        systems
                    }
                    Some(set) => vec![format!("{set:?}")],
                    None => Vec::new(),
                };
                (conditions(graph.system_sets.get_conditions(key)), surroundings)
            }
        };
        let place = |condition| Self {
            name: stable_condition(condition),
            schedule: format!("{label:?}"),
            surroundings: surroundings.clone(),
        };
        conditions.map(place).collect()
    }

    fn is_like(&self, other: &Self) -> bool {
        self.name == other.name && self.schedule == other.schedule
    }

    fn shares_surroundings(&self, other: &Self) -> bool {
        self.name == other.name
            && self.surroundings.iter().any(|it| other.surroundings.contains(it))
    }
}

fn conditions(of: Option<&[ConditionWithAccess]>) -> impl Iterator<Item = &ConditionWithAccess> {
    of.into_iter().flatten()
}

fn stable_condition(condition: &ConditionWithAccess) -> String {
    stable(&condition.name())
}

fn stable(name: &str) -> String {
    stable_name(name).into_owned()
}

/// Rules by which an old place and a new one belong together, the strictest first.
type Rules = [fn(&Place, &Place) -> bool; 3];

const SYSTEMS: Rules = [Place::eq, Place::is_like, |old, new| old.name == new.name];

const CONDITIONS: Rules = [
    Place::eq,
    |old, new| old.is_like(new) && old.shares_surroundings(new),
    Place::shares_surroundings,
];

/// The memories that await the systems or conditions of new code, by place, in the order in which
/// they are added.
#[derive(Debug, Default)]
pub struct Memories(HashMap<Place, VecDeque<Memory>>);

impl Memories {
    /// Those of the old systems, for the new ones. Both are in the order in which they were, or will
    /// be, added.
    pub fn of_systems(old: &[(Place, Memory)], new: Vec<Place>) -> Self {
        Self::handed_over(old, new, &SYSTEMS)
    }

    /// As [`Memories::of_systems`], for run conditions.
    pub fn of_conditions(old: &[(Place, Memory)], new: Vec<Place>) -> Self {
        Self::handed_over(old, new, &CONDITIONS)
    }

    fn handed_over(old: &[(Place, Memory)], new: Vec<Place>, rules: &Rules) -> Self {
        let mut left: Vec<&(Place, Memory)> = old.iter().collect();
        let mut taken: Vec<Option<Memory>> = vec![None; new.len()];
        for belong_together in rules {
            for (place, memory) in new.iter().zip(&mut taken).filter(|(_, it)| it.is_none()) {
                let at = left.iter().position(|(old, _)| belong_together(old, place));
                *memory = at.map(|at| left.remove(at).1);
            }
        }
        let mut memories = Self::default();
        for (place, memory) in new.into_iter().zip(taken) {
            let memory = memory.unwrap_or_else(Memory::new);
            memories.0.entry(place).or_default().push_back(memory);
        }
        memories
    }

    /// The memory of the next one at this place; a new one where nothing was handed over.
    pub fn take(&mut self, place: &Place) -> Memory {
        let next = self.0.get_mut(place).and_then(VecDeque::pop_front);
        next.unwrap_or_else(Memory::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> Place {
        let mut words = text.split_whitespace().map(str::to_owned);
        let (schedule, name) = (words.next().unwrap(), words.next().unwrap());
        Place { name, schedule, surroundings: words.collect() }
    }

    /// For each new place the old one whose memory it has.
    fn successions(rules: &Rules, old: &[&str], new: &[&str]) -> Vec<Option<usize>> {
        let old: Vec<(Place, Memory)> = old.iter().map(|it| (place(it), Memory::new())).collect();
        let mut memories =
            Memories::handed_over(&old, new.iter().map(|it| place(it)).collect(), rules);
        let of = |it: &&str| memories.take(&place(it));
        let taken: Vec<Memory> = new.iter().map(of).collect();
        taken.iter().map(|memory| old.iter().position(|(_, old)| old == memory)).collect()
    }

    #[test]
    fn systems_of_one_name_keep_their_memories() {
        let both = ["First tick", "Update tick"];
        for (old, new, expected) in [
            (&both[..], &both[..], &[Some(0), Some(1)][..]),
            // One of them is removed.
            (&both, &both[1..], &[Some(1)]),
            (&both, &both[..1], &[Some(0)]),
            // One is added before the other.
            (&both[1..], &both, &[None, Some(0)]),
            // One moves to another schedule.
            (&both, &["Last tick", "Update tick"], &[Some(0), Some(1)]),
            (&both[..1], &both[1..], &[Some(0)]),
            (&both, &["Update tock", "Update tick"], &[None, Some(1)]),
            // Within one schedule, their sets and conditions tell them apart.
            (&["Update tick A", "Update tick B"], &["Update tick B"], &[Some(1)]),
            (
                &["Update tick A", "Update tick B"],
                &["Update tick B", "Update tick A"],
                &[Some(1), Some(0)],
            ),
            (
                &["Update tick A", "Update tick B"],
                &["Update tick C", "Update tick B"],
                &[Some(0), Some(1)],
            ),
            (
                &["Update tick", "Update tick"],
                &["Update tick", "Update tick", "Update tick"],
                &[Some(0), Some(1), None],
            ),
            (&["Update tick A"], &["Update tick A paused"], &[Some(0)]),
        ] {
            assert_eq!(successions(&SYSTEMS, old, new), expected, "{old:?} -> {new:?}");
        }
    }

    #[test]
    fn conditions_keep_their_memories() {
        for (old, new, expected) in [
            // A system gets a second one in front, or joins others in a tuple.
            (
                &["Update every a"][..],
                &["Update once a", "Update every a"][..],
                &[None, Some(0)][..],
            ),
            (&["Update every a"], &["Update every a b"], &[Some(0)]),
            (&["Update every a", "Update every b"], &["Update every b"], &[Some(1)]),
            // Their system moves.
            (&["Update every a"], &["FixedUpdate every a"], &[Some(0)]),
            // Another system has a condition of the same name.
            (&["Update every a"], &["Update every b"], &[None]),
            (&["Update every a"], &["Update every b", "Update every a"], &[None, Some(0)]),
        ] {
            assert_eq!(successions(&CONDITIONS, old, new), expected, "{old:?} -> {new:?}");
        }
    }
}
