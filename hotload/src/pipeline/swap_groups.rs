//! Groups the modules of a build that are accepted or refused together.

use std::collections::{BTreeMap, BTreeSet};

use super::{AttemptError, NotBuilt};
use crate::build::{Built, Outcome};
use crate::ids::ModuleId;
use crate::worker::request::{Goal, Intent};
use crate::workspace::Members;

/// Modules that are accepted or refused together, with their build results.
#[derive(Debug)]
pub struct BuiltGroup {
    outcomes: BTreeMap<ModuleId, Outcome>,
    /// The goal of the build: if one of them goes live, all do.
    pub goal: Goal,
    /// The modules whose plan was requested.
    pub asked: Vec<ModuleId>,
    took_ms: f32,
}

impl BuiltGroup {
    /// The modules.
    pub fn ids(&self) -> BTreeSet<ModuleId> {
        self.outcomes.keys().cloned().collect()
    }

    /// Those that compile.
    pub fn compiled(&self) -> BTreeSet<ModuleId> {
        let built = self.outcomes.iter().filter(|(_, it)| matches!(it, Outcome::Built(_)));
        built.map(|(id, _)| id.clone()).collect()
    }

    /// The artifacts of all of them.
    ///
    /// # Errors
    ///
    /// If one was not built: the others wait for it.
    pub fn all_built(self) -> Result<Vec<(ModuleId, Built)>, AttemptError> {
        let (mut built, mut waiting) = (Vec::new(), BTreeSet::new());
        let mut failed = BTreeMap::new();
        for (id, outcome) in self.outcomes {
            match outcome {
                Outcome::Built(artifact) => built.push((id, artifact)),
                Outcome::Refused(refusal) => return Err(AttemptError::Refused(refusal)),
                Outcome::Failed(messages) => {
                    failed.insert(id, messages);
                }
                Outcome::Skipped(_) => {
                    waiting.insert(id);
                }
            }
        }
        if failed.is_empty() && waiting.is_empty() {
            return Ok(built);
        }
        waiting.extend(built.into_iter().map(|(id, _)| id));
        Err(AttemptError::NotBuilt(NotBuilt {
            failed,
            again: BTreeSet::new(),
            waiting,
            took_ms: self.took_ms,
        }))
    }
}

/// Splits a build's outcomes into groups: a core crate with all that link to it. Two epochs of one
/// core are never active together, so such a group is swapped whole or not at all. Modules that are
/// not built hold up the others of their group only if one of them is `needed`.
pub fn swap_groups(
    members: &Members,
    mut outcomes: BTreeMap<ModuleId, Outcome>,
    intents: &BTreeMap<ModuleId, Intent>,
    needed: &BTreeSet<ModuleId>,
    took_ms: f32,
) -> Vec<BuiltGroup> {
    let mut split = Vec::new();
    let groups = groups(members, &outcomes.keys().cloned().collect());
    let groups = groups.into_iter().flat_map(|ids| set_apart(ids, &outcomes, needed));
    for ids in groups.collect::<Vec<_>>() {
        let of_group = || ids.iter().filter_map(|id| Some((id, intents.get(id)?)));
        let goes_live = of_group().any(|(_, intent)| intent.goal.goes_live());
        let shown = of_group().filter(|(_, intent)| intent.is_root && intent.goal.shows_plan());
        let asked: Vec<ModuleId> = shown.map(|(id, _)| id.clone()).collect();
        let goal = match (goes_live, asked.is_empty()) {
            (true, true) => Goal::GoLive,
            (true, false) => Goal::GoLiveAndShowPlan,
            (false, _) => Goal::PlanOnly,
        };
        let outcomes = ids.iter().filter_map(|id| outcomes.remove_entry(id)).collect();
        split.push(BuiltGroup { outcomes, goal, asked, took_ms });
    }
    split
}

/// Those of `ids` that are accepted or refused together with `id`.
pub fn group_of(members: &Members, ids: &BTreeSet<ModuleId>, id: &ModuleId) -> BTreeSet<ModuleId> {
    let own = groups(members, ids).into_iter().find(|group| group.contains(id));
    own.unwrap_or_default()
}

/// Modules that share a core or a pack among `ids`, or are one that others of them link to.
pub fn groups(members: &Members, ids: &BTreeSet<ModuleId>) -> Vec<BTreeSet<ModuleId>> {
    let mut groups: Vec<BTreeSet<ModuleId>> = Vec::new();
    for id in ids {
        let mut group = BTreeSet::from([id.clone()]);
        let tied = members.tied_to(id);
        group.extend(tied.into_iter().filter(|link| ids.contains(link)));
        groups.retain(|other| {
            let shares = !other.is_disjoint(&group);
            if shares {
                group.extend(other.iter().cloned());
            }
            !shares
        });
        groups.push(group);
    }
    groups
}

/// Separates the modules of a group that were not built, if those that are needed were.
fn set_apart(
    ids: BTreeSet<ModuleId>,
    outcomes: &BTreeMap<ModuleId, Outcome>,
    needed: &BTreeSet<ModuleId>,
) -> Vec<BTreeSet<ModuleId>> {
    let is_built = |id: &ModuleId| matches!(outcomes.get(id), Some(Outcome::Built(_)));
    let (built, failed): (BTreeSet<ModuleId>, BTreeSet<ModuleId>) =
        ids.iter().cloned().partition(is_built);
    let are_apart = !failed.is_empty() && failed.is_disjoint(needed) && !built.is_disjoint(needed);
    if are_apart { vec![built, failed] } else { vec![ids] }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use semver::Version;

    use super::*;
    use crate::build::rustc::CompileTimes;
    use crate::workspace::ModuleCrate;

    fn members(modules: &[(&str, &[&str])]) -> Members {
        let crates = modules.iter().map(|(id, links)| {
            let links = links.iter().map(|link| ModuleId::from(*link)).collect();
            let (id, folder, libraries) = (ModuleId::from(*id), PathBuf::new(), BTreeSet::new());
            let version = Version::new(0, 1, 0);
            (id.clone(), ModuleCrate { id, version, folder, links, libraries })
        });
        Members { crates: crates.collect(), ..Members::default() }
    }

    fn built() -> Outcome {
        let (path, times) = (PathBuf::new(), CompileTimes::default());
        Outcome::Built(Built { path, bytes: Vec::new(), times, warnings: Vec::new() })
    }

    fn outcomes(outcomes: Vec<(&str, Outcome)>) -> BTreeMap<ModuleId, Outcome> {
        outcomes.into_iter().map(|(id, outcome)| (id.into(), outcome)).collect()
    }

    fn names(ids: &BTreeSet<ModuleId>) -> Vec<&str> {
        ids.iter().map(ModuleId::as_str).collect()
    }

    #[test]
    fn a_core_and_all_that_link_to_it_are_one_group() {
        let members = members(&[
            ("core_x", &[]),
            ("core_y", &["core_x"]),
            ("user_p", &["core_y"]),
            ("user_q", &["core_x"]),
            ("leaf", &[]),
        ]);
        let all = || {
            vec![("core_x", built()), ("user_p", built()), ("user_q", built()), ("leaf", built())]
        };
        let groups =
            swap_groups(&members, outcomes(all()), &BTreeMap::new(), &BTreeSet::new(), 0.0);
        let ids: Vec<BTreeSet<ModuleId>> = groups.iter().map(BuiltGroup::ids).collect();
        assert_eq!(ids.len(), 2);
        assert!(ids.iter().any(|ids| names(ids) == ["core_x", "user_p", "user_q"]));
        assert!(ids.iter().any(|ids| names(ids) == ["leaf"]));
        // Without the core that they share, its users have nothing to do with each other.
        let users = vec![("user_p", built()), ("user_q", built())];
        assert_eq!(
            swap_groups(&members, outcomes(users), &BTreeMap::new(), &BTreeSet::new(), 0.0).len(),
            2
        );
    }

    #[test]
    fn one_that_failed_holds_up_its_group_and_is_named_alone() {
        let members = members(&[("core_x", &[]), ("user_p", &["core_x"]), ("user_q", &["core_x"])]);
        let failed = Outcome::Failed(vec!["error".to_owned()]);
        let skipped = Outcome::Skipped("core_x".into());
        let outcomes = outcomes(vec![("core_x", failed), ("user_p", skipped), ("user_q", built())]);
        let group =
            swap_groups(&members, outcomes, &BTreeMap::new(), &BTreeSet::new(), 7.0).remove(0);
        assert_eq!(names(&group.compiled()), ["user_q"]);
        let Err(AttemptError::NotBuilt(not_built)) = group.all_built() else {
            panic!("the group is not built");
        };
        assert_eq!(not_built.failed.keys().map(ModuleId::as_str).collect::<Vec<_>>(), ["core_x"]);
        assert_eq!(names(&not_built.waiting), ["user_p", "user_q"]);
        assert_eq!(not_built.took_ms, 7.0);
    }

    #[test]
    fn one_that_failed_and_is_not_needed_holds_up_nobody() {
        let members = members(&[("core_x", &[]), ("user_p", &["core_x"]), ("user_q", &["core_x"])]);
        let groups = |needed: &[&str]| {
            let failed = Outcome::Failed(vec!["error".to_owned()]);
            let outcomes =
                outcomes(vec![("core_x", built()), ("user_p", built()), ("user_q", failed)]);
            let needed = needed.iter().map(|id| ModuleId::from(*id)).collect();
            let groups = swap_groups(&members, outcomes, &BTreeMap::new(), &needed, 0.0);
            let named = |group: &BuiltGroup| {
                group.ids().iter().map(ModuleId::to_string).collect::<Vec<_>>().join(" ")
            };
            groups.iter().map(named).collect::<Vec<_>>()
        };
        assert_eq!(groups(&["core_x", "user_p"]), ["core_x user_p", "user_q"]);
        assert_eq!(groups(&["core_x", "user_q"]), ["core_x user_p user_q"]);
        // At the start it is not known yet what the app requires.
        assert_eq!(groups(&[]), ["core_x user_p user_q"]);
    }

    #[test]
    fn where_one_goes_live_all_do() {
        let members = members(&[("core_x", &[]), ("user_p", &["core_x"])]);
        let both = || outcomes(vec![("core_x", built()), ("user_p", built())]);
        let planned = Intent { goal: Goal::PlanOnly, ..Intent::go_live() };
        let goal = |intents: Vec<(&str, Intent)>| {
            let intents = intents.into_iter().map(|(id, intent)| (id.into(), intent)).collect();
            let group = swap_groups(&members, both(), &intents, &BTreeSet::new(), 0.0).remove(0);
            (group.goal, group.asked)
        };
        let (only, asked) =
            goal(vec![("core_x", planned.clone()), ("user_p", Intent::along(Goal::PlanOnly))]);
        assert_eq!((only, asked), (Goal::PlanOnly, vec!["core_x".into()]));
        let (mixed, asked) = goal(vec![("core_x", planned), ("user_p", Intent::go_live())]);
        assert_eq!((mixed, asked), (Goal::GoLiveAndShowPlan, vec!["core_x".into()]));
    }
}
