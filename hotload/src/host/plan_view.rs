//! Plans for the console, with the number of values in the world.

use bevy::prelude::*;
use playground_api::persist::{PersistRecord, Relation};
use playground_api::schema::{Entry, Severity};

use super::Host;
use crate::console::plan::{Detail, Item, ItemFate, ModulePlan, Weight};
use crate::generation::SharedGeneration;
use crate::ids::ModuleId;
use crate::pipeline;
use crate::plan::change::{self, Fate, TypePlan};
use crate::restore::required;
use crate::swap::orphans;
use crate::swap::replaced::ReplacedTypes;

impl Host {
    /// The worker's plans, with the number of values that the world holds of each type.
    pub(super) fn plans(
        &self,
        world: &mut World,
        modules: &[pipeline::ModulePlan],
        along: &[ModuleId],
    ) -> Vec<ModulePlan> {
        let mut plans = Vec::new();
        for pipeline::ModulePlan { module, change, replaced } in modules {
            let mut items = types(world, &change.types);
            items.extend(self.not_persisted(world, module, replaced, &change.types));
            let mut systems = |fate, names: &[String]| {
                items.extend(names.iter().map(|name| Item {
                    fate,
                    name: name.clone(),
                    ..default()
                }));
            };
            systems(ItemFate::SystemAdded, &change.systems_added);
            systems(ItemFate::SystemRemoved, &change.systems_removed);
            systems(ItemFate::SystemReplaced, &change.systems_kept);
            let mut plan = ModulePlan {
                module: module.to_string(),
                items,
                along: along.iter().map(ToString::to_string).collect(),
            };
            plan.sort();
            plans.push(plan);
        }
        plans
    }

    /// How generations that were refused would change the types of the world. Modules whose types
    /// all stay are left out.
    pub(super) fn plans_of_refused(
        &self,
        world: &mut World,
        enter: &[SharedGeneration],
    ) -> Vec<ModulePlan> {
        let recorded: Vec<(&SharedGeneration, Vec<PersistRecord>)> = enter
            .iter()
            .filter_map(|generation| Some((generation, generation.record().ok()?.persisted)))
            .collect();
        // A type may move to another of these modules.
        let all: Vec<PersistRecord> =
            recorded.iter().flat_map(|(_, records)| records.iter().copied()).collect();
        let mut plans = Vec::new();
        for (generation, new) in &recorded {
            let old = self.running.persisted(generation.id());
            let planned = change::types(old, &all, &generation.manifest.dropped);
            let is_own = |planned: &TypePlan| {
                planned.fate != Fate::New || new.iter().any(|new| new.schema.name == planned.name)
            };
            let planned: Vec<TypePlan> = planned.into_iter().filter(is_own).collect();
            let module = generation.id().to_string();
            let mut plan = ModulePlan { module, items: types(world, &planned), along: Vec::new() };
            plan.sort();
            if !plan.changes_only_code() {
                plans.push(plan);
            }
        }
        let ids: Vec<String> = enter.iter().map(|generation| generation.id().to_string()).collect();
        for plan in &mut plans {
            plan.along = ids.iter().filter(|id| **id != plan.module).cloned().collect();
        }
        plans
    }

    fn not_persisted(
        &self,
        world: &World,
        module: &ModuleId,
        replaced: &ReplacedTypes,
        persisted: &[TypePlan],
    ) -> Vec<Item> {
        let carried = persisted.iter().filter(|it| matches!(it.fate, Fate::Migrated(_)));
        let come_back = carried.filter_map(|it| Some(it.old?.relation?.other_side()));
        let orphans = self.running.orphans(world, replaced, come_back);
        let mut lost = orphans::count(world, &orphans);
        lost.extend(self.running.waiting_messages(world, module, replaced));
        let item = |(name, count)| Item {
            fate: ItemFate::NotPersisted,
            name,
            values: Some(count),
            details: Vec::new(),
        };
        lost.into_iter().map(item).collect()
    }
}

fn types(world: &mut World, types: &[TypePlan]) -> Vec<Item> {
    let items = types.iter().map(|planned| {
        let values = planned.old.map(|record| record.count(world));
        let (fate, mut details) = match &planned.fate {
            Fate::Kept => (ItemFate::TypeKept, Vec::new()),
            Fate::New => (ItemFate::TypeNew, Vec::new()),
            Fate::Dropped { declared: true } => (ItemFate::TypeGivenUp, Vec::new()),
            Fate::Dropped { declared: false } => (ItemFate::TypeDropped, Vec::new()),
            Fate::Migrated(change) if change.entries.is_empty() => {
                (ItemFate::TypeUnchanged, Vec::new())
            }
            Fate::Migrated(change) => {
                (ItemFate::TypeMigrated, change.entries.iter().map(detail).collect())
            }
        };
        if let (Fate::Migrated(_), Some(old)) = (&planned.fate, &planned.old) {
            details.extend(beside_values(world, old));
        }
        Item { fate, name: planned.name.to_owned(), values, details }
    });
    items.collect()
}

/// The effects of a conversion beside converting the values.
fn beside_values(world: &World, old: &PersistRecord) -> Vec<Detail> {
    let fine = |text| Detail { text, weight: Weight::Fine };
    let related = old.relation.map(|relation| match relation {
        Relation::Source(_) => "the lists on their targets keep their order",
        Relation::Target(_) => "the listed entities keep pointing to it",
    });
    let mut details: Vec<Detail> = related.map(|text| fine(text.to_owned())).into_iter().collect();
    details.extend(required::lacking(world, old).iter().map(|lacking| fine(lacking.to_string())));
    details
}

fn detail(entry: &Entry) -> Detail {
    let weight = match entry.severity {
        Severity::Kept | Severity::Converted => Weight::Fine,
        Severity::Checked | Severity::New => Weight::Notable,
        Severity::Dropped { declared: true } => Weight::Declared,
        Severity::Dropped { declared: false } => Weight::Lost,
        Severity::Impossible => Weight::Impossible,
    };
    Detail { text: entry.to_string(), weight }
}
