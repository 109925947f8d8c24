//! The run conditions of sets, by the module that added them.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bevy::ecs::change_detection::Tick;
use bevy::ecs::schedule::graph::DiGraph;
use bevy::ecs::schedule::{
    ConditionWithAccess, FlattenedDependencies, InternedScheduleLabel, NodeId, ScheduleBuildError,
    ScheduleBuildPass, ScheduleGraph, SystemKey, SystemSetKey,
};
use bevy::platform::hash::FixedHasher;
use bevy::prelude::*;
use indexmap::IndexSet;

use crate::ids::ModuleId;

/// The run conditions of sets, by the module that added them.
///
/// Bevy cannot remove a condition from a set, and loses one that is added to a set that already has
/// some. New conditions are therefore kept here until the build, where a build pass removes those of
/// modules that left and adds the new ones.
#[derive(Default)]
pub struct SetConditions {
    by_label: HashMap<InternedScheduleLabel, Arc<Mutex<Conditions>>>,
}

#[derive(Default)]
struct Conditions {
    /// For each condition of a set its module; `None` for the host's own.
    owners: HashMap<SystemSetKey, Vec<Option<ModuleId>>>,
    dropped: HashSet<ModuleId>,
    pending: Vec<(SystemSetKey, ModuleId, Vec<ConditionWithAccess>)>,
}

impl SetConditions {
    fn of(
        &mut self,
        label: InternedScheduleLabel,
        schedule: &mut Schedule,
    ) -> MutexGuard<'_, Conditions> {
        let conditions = self.by_label.entry(label).or_insert_with(|| {
            let conditions = Arc::<Mutex<Conditions>>::default();
            schedule.add_build_pass(ConditionsPass(conditions.clone()));
            conditions
        });
        conditions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next build removes the module's conditions from this schedule.
    pub fn drop_module(
        &mut self,
        label: InternedScheduleLabel,
        schedule: &mut Schedule,
        id: &ModuleId,
    ) {
        if self.by_label.contains_key(&label) {
            self.of(label, schedule).dropped.insert(id.clone());
        }
    }

    /// Takes the conditions that `id` just added out of the graph, for the build to add again.
    pub fn take(
        &mut self,
        label: InternedScheduleLabel,
        schedule: &mut Schedule,
        id: &ModuleId,
        last_run: Option<Tick>,
    ) {
        let sets = &schedule.graph().system_sets;
        let with_new: Vec<SystemSetKey> =
            sets.iter().filter(|(_, _, new)| !new.is_empty()).map(|(key, ..)| key).collect();
        for key in with_new {
            let new = schedule.graph_mut().system_sets.get_conditions_mut(key).map(std::mem::take);
            let mut new = new.unwrap_or_default();
            if let Some(last_run) = last_run {
                new.iter_mut().for_each(|condition| condition.set_last_run(last_run));
            }
            self.of(label, schedule).pending.push((key, id.clone(), new));
        }
    }
}

struct ConditionsPass(Arc<Mutex<Conditions>>);

impl fmt::Debug for ConditionsPass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ConditionsPass")
    }
}

impl ScheduleBuildPass for ConditionsPass {
    type EdgeOptions = ();

    fn add_dependency(&mut self, _from: NodeId, _to: NodeId, _options: Option<&()>) {}

    fn collapse_set(
        &mut self,
        _set: SystemSetKey,
        _systems: &IndexSet<SystemKey, FixedHasher>,
        _dependency_flattening: &DiGraph<NodeId>,
    ) -> impl Iterator<Item = (NodeId, NodeId)> {
        std::iter::empty()
    }

    fn build(
        &mut self,
        _world: &mut World,
        graph: &mut ScheduleGraph,
        _dependency_flattened: FlattenedDependencies<'_>,
    ) -> Result<(), ScheduleBuildError> {
        let mut guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Conditions { owners, dropped, pending } = &mut *guard;
        for (key, owners) in owners.iter_mut() {
            let Some(conditions) = graph.system_sets.get_conditions_mut(*key) else { continue };
            owners.resize(conditions.len(), None);
            let gone =
                |owner: &Option<ModuleId>| owner.as_ref().is_some_and(|id| dropped.contains(id));
            let mut each = owners.iter();
            conditions.retain(|_| !each.next().is_some_and(gone));
            owners.retain(|owner| !gone(owner));
        }
        for (key, id, new) in pending.drain(..) {
            let Some(conditions) = graph.system_sets.get_conditions_mut(key) else { continue };
            let owners = owners.entry(key).or_default();
            owners.resize(conditions.len(), None);
            owners.extend(new.iter().map(|_| Some(id.clone())));
            conditions.extend(new);
        }
        dropped.clear();
        Ok(())
    }
}
