//! Which modules of a build live or fall together.

use std::collections::{BTreeMap, BTreeSet};

use crate::build::Outcome;
use crate::ids::ModuleId;
use crate::workspace::Members;

/// Splits a build's outcomes into groups: a core crate with all that link to it. Two epochs of one
/// core are never active together, so such a group is swapped whole or not at all.
pub fn groups(
    catalog: &Members,
    mut outcomes: BTreeMap<ModuleId, Outcome>,
) -> Vec<BTreeMap<ModuleId, Outcome>> {
    let mut groups: Vec<BTreeSet<ModuleId>> = Vec::new();
    for id in outcomes.keys() {
        let mut group = BTreeSet::from([id.clone()]);
        let links = catalog.links_of(id);
        group.extend(links.into_iter().filter(|link| outcomes.contains_key(link)));
        groups.retain(|other| {
            let shares = !other.is_disjoint(&group);
            if shares {
                group.extend(other.iter().cloned());
            }
            !shares
        });
        groups.push(group);
    }
    let mut split = Vec::with_capacity(groups.len());
    for group in groups {
        let members = group.into_iter();
        split.push(members.filter_map(|id| outcomes.remove_entry(&id)).collect());
    }
    split
}
