//! Questions about values that a swap would drop, until they are settled.

use std::collections::BTreeSet;

use bevy::prelude::*;

use super::Host;
use super::happened::Happened;
use crate::ids::{GenerationId, ModuleId};
use crate::worker::event::HostEvent;

/// The questions that nobody has answered yet, each about the modules of one swap.
#[derive(Debug, Default)]
pub struct Questions {
    open: Vec<BTreeSet<ModuleId>>,
}

impl Questions {
    /// Adds or ends questions. Returns the modules of those that ended.
    pub fn note(&mut self, happened: &Happened) -> Vec<BTreeSet<ModuleId>> {
        let about = settled_by(happened);
        let ends = |modules: &mut BTreeSet<ModuleId>| !modules.is_disjoint(&about);
        let ended = self.open.extract_if(.., ends).collect();
        if let Happened::NeedsConfirmation { group, .. } = happened {
            self.open.push(group.clone());
        }
        ended
    }
}

/// The modules whose earlier question no longer counts: it was answered, or they have newer code.
fn settled_by(happened: &Happened) -> BTreeSet<ModuleId> {
    let of = |generations: &[GenerationId]| {
        generations.iter().map(|generation| generation.module.clone()).collect()
    };
    match happened {
        Happened::Changed(module) | Happened::Declined(module) => BTreeSet::from([module.clone()]),
        Happened::NotBuilt(not_built) => {
            not_built.failed.keys().chain(&not_built.waiting).cloned().collect()
        }
        Happened::Refused { modules, .. } => modules.clone(),
        Happened::NeedsConfirmation { group, .. } => group.clone(),
        Happened::Swapped { modules, .. } => of(modules),
        Happened::RolledBack { generations, .. } => of(generations),
        _ => BTreeSet::new(),
    }
}

/// The key of the notice that asks about these modules.
pub fn notice_key(group: &BTreeSet<ModuleId>) -> String {
    format!("question {}", group.first().map_or("", ModuleId::as_str))
}

impl Host {
    /// The user answered *no* to the question about a module.
    pub(super) fn decline(&mut self, world: &mut World, id: &ModuleId) {
        if let Some(group) = self.questions.open.iter().find(|group| group.contains(id)) {
            self.worker.report(HostEvent::Declined(group.clone()));
            self.report(world, Happened::Declined(id.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::error::BuildError;
    use crate::pipeline::NotBuilt;
    use crate::refusal::Refusal;

    fn set(ids: &[&str]) -> BTreeSet<ModuleId> {
        ids.iter().map(|id| ModuleId::from(*id)).collect()
    }

    fn asked(group: &[&str]) -> Happened {
        Happened::NeedsConfirmation {
            modules: set(&group[..1]),
            group: set(group),
            refusal: Refusal::from(BuildError::NoRecipe { module: "x".into() }),
            plans: Vec::new(),
        }
    }

    #[test]
    fn a_question_ends_with_the_answer_or_with_newer_code_of_its_group() {
        let group = ["core_x", "user_p", "user_q"];
        let not_built = NotBuilt { waiting: set(&["user_p"]), ..NotBuilt::default() };
        let settles = [
            Happened::Declined("core_x".into()),
            Happened::Changed("user_q".into()),
            Happened::NotBuilt(not_built),
            asked(&["user_q", "user_r"]),
        ];
        for happened in settles {
            let mut questions = Questions::default();
            assert!(questions.note(&asked(&group)).is_empty());
            assert!(questions.note(&Happened::Changed("other".into())).is_empty());
            assert_eq!(questions.note(&happened), [set(&group)], "{happened:?}");
            assert!(questions.note(&Happened::Changed("core_x".into())).is_empty());
        }
    }

    #[test]
    fn groups_are_asked_about_one_by_one() {
        let mut questions = Questions::default();
        questions.note(&asked(&["a", "b"]));
        questions.note(&asked(&["c"]));
        assert_eq!(questions.note(&Happened::Declined("b".into())), [set(&["a", "b"])]);
        assert_eq!(questions.note(&Happened::Changed("c".into())), [set(&["c"])]);
    }
}
