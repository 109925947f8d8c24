//! Determines the modules that an attempt has to build.

use std::collections::{BTreeMap, BTreeSet};

use super::State;
use crate::ids::ModuleId;
use crate::resolve::resolve;
use crate::worker::event::Update;
use crate::worker::module::Newest;
use crate::worker::request::{BuildRequest, Goal, Intent, Origin};
use crate::workspace::Members;

impl State {
    /// Turns the pending request into modules to build: those that were named, those that changed
    /// on disk, and those that have to be built along.
    pub(super) fn complete(&mut self, request: &mut BuildRequest, members: &Members) {
        request.modules.retain(|id, _| members.contains(id));
        if std::mem::take(&mut request.edits) {
            self.add_edits(request, members);
        }
        add_dependents(request, members);
        self.add_stale_cores(request, members);
        self.add_unsettled(request, members);
        self.put_off(request, members);
        let roots = request.modules.iter().filter(|(_, it)| it.is_root && it.goal.goes_live());
        let roots: BTreeSet<ModuleId> = roots.map(|(id, _)| id.clone()).collect();
        request.changed.extend(roots);
        request.changed.retain(|id| members.contains(id));
    }

    fn add_edits(&mut self, request: &mut BuildRequest, members: &Members) {
        let would_run = match self.put_off.is_empty() {
            true => BTreeSet::new(),
            false => resolve(&self.manifests(), &self.selection),
        };
        // Those that were put off are built when their core can be, unless they were switched on since.
        let waits = |id: &ModuleId| {
            self.put_off.contains(id)
                && !self.has_good_cores(id, members)
                && !would_run.contains(id)
        };
        let dirty = self.modules.iter().filter(|(id, it)| it.is_dirty() && !waits(id));
        let dirty: BTreeSet<ModuleId> = dirty.map(|(id, _)| id.clone()).collect();
        // Dependents are rebuilt, but the edit was in their core.
        let put_off = self.put_off.clone();
        let is_root =
            |id: &ModuleId| members.links_of(id).is_disjoint(&dirty) && !put_off.contains(id);
        let known = |id: &ModuleId| self.modules.get(id).is_some_and(|it| it.good.is_some());
        let edited: BTreeSet<ModuleId> =
            dirty.iter().filter(|id| is_root(id) && known(id)).cloned().collect();
        if !edited.is_empty() {
            self.update(Update::Changed(edited));
        }
        if dirty.is_empty() && request.modules.is_empty() && request.changed.is_empty() {
            // A file was written with the content that it had before.
            request.saved_at = None;
        }
        for id in &dirty {
            let intent = if is_root(id) { Intent::go_live() } else { Intent::along(Goal::GoLive) };
            request.merge(BuildRequest::module(id.clone(), intent));
        }
    }

    /// For a module that is only planned, adds the cores that its source was compiled against.
    fn add_stale_cores(&self, request: &mut BuildRequest, members: &Members) {
        let asked: Vec<(ModuleId, Goal)> =
            request.modules.iter().map(|(id, intent)| (id.clone(), intent.goal)).collect();
        for (id, goal) in asked {
            let mut stale = members.links_of(&id);
            stale.retain(|link| self.modules.get(link).is_some_and(|module| module.is_dirty()));
            if !stale.is_empty() {
                come_along(request, members.with_dependents(&stale), goal);
            }
        }
    }

    /// Takes out modules that are only built along and that are known not to run after the swap,
    /// such as those of another app. They are built once the others have ended, so that the edit
    /// does not wait.
    fn put_off(&mut self, request: &mut BuildRequest, members: &Members) {
        let mut needed = resolve(&self.manifests(), &self.selection);
        needed.extend(self.running.generations.keys().cloned());
        let links = needed.iter().flat_map(|id| members.links_of(id)).collect::<Vec<_>>();
        needed.extend(links);
        let is_first = |(id, intent): (&ModuleId, &Intent)| {
            let is_known = self.modules.get(id).is_some_and(|module| module.good.is_some());
            intent.is_root || needed.contains(id) || !is_known || intent.goal != Goal::GoLive
        };
        // Once they are built themselves, nothing is edited.
        let is_edit = request.modules.values().any(|it| it.is_root && it.goal.goes_live());
        if self.running.generations.is_empty() || !is_edit {
            return;
        }
        let later = request.modules.iter().filter(|it| !is_first(*it));
        let later: Vec<ModuleId> = later.map(|(id, _)| id.clone()).collect();
        request.modules.retain(|id, _| !later.contains(id));
        self.put_off.extend(later);
    }

    /// True if the newest sources of the cores that it links to could be built, or will be with it.
    fn has_good_cores(&self, id: &ModuleId, members: &Members) -> bool {
        let is_good = |id: &ModuleId| {
            let module = self.modules.get(id);
            self.put_off.contains(id) || module.is_some_and(|it| it.newest == Newest::Good)
        };
        members.links_of(id).iter().all(is_good)
    }

    /// The request for the modules that were put off and whose cores could be built.
    pub(super) fn take_put_off(&mut self) -> BuildRequest {
        let Some(workspace) = self.workspace().cloned() else { return BuildRequest::default() };
        let can_be_built = |id: &&ModuleId| self.has_good_cores(id, &workspace.members);
        let ids: BTreeSet<ModuleId> = self.put_off.iter().filter(can_be_built).cloned().collect();
        self.put_off.retain(|id| !ids.contains(id));
        BuildRequest::along(ids)
    }

    /// A group fails as a whole, so it is rebuilt as a whole: two epochs of one core are never
    /// active together.
    fn add_unsettled(&self, request: &mut BuildRequest, members: &Members) {
        let unsettled = self.modules.iter().filter(|(_, module)| module.is_unsettled());
        let mut unsettled: BTreeMap<&ModuleId, BTreeSet<ModuleId>> = unsettled
            .filter(|(id, _)| members.contains(id))
            .map(|(id, _)| (id, members.tied_to(id)))
            .collect();
        loop {
            let live = request.modules.iter().filter(|(_, intent)| intent.goal.goes_live());
            let open: BTreeMap<ModuleId, BTreeSet<ModuleId>> =
                live.map(|(id, _)| (id.clone(), members.tied_to(id))).collect();
            let is_open = |id: &ModuleId| open.contains_key(id) || unsettled.contains_key(id);
            let is_connected = |id: &ModuleId, links: &BTreeSet<ModuleId>| {
                open.iter().any(|(other, other_links)| {
                    links.contains(other)
                        || other_links.contains(id)
                        || links.intersection(other_links).any(is_open)
                })
            };
            let next: Vec<ModuleId> = unsettled
                .iter()
                .filter(|(id, links)| !open.contains_key(**id) && is_connected(id, links))
                .map(|(id, _)| (*id).clone())
                .collect();
            if next.is_empty() {
                return;
            }
            unsettled.retain(|id, _| !next.contains(id));
            come_along(request, next, Goal::GoLive);
        }
    }
}

/// Adds the modules that link to a core of the request: they are swapped with it.
fn add_dependents(request: &mut BuildRequest, members: &Members) {
    let roots: Vec<ModuleId> = request
        .modules
        .iter()
        .filter(|(_, it)| it.is_root && it.goal.goes_live() && it.origin == Origin::Source)
        .map(|(id, _)| id.clone())
        .collect();
    for root in roots {
        let dependents = members.with_dependents(&BTreeSet::from([root]));
        come_along(request, dependents, Goal::GoLive);
    }
}

fn come_along(request: &mut BuildRequest, ids: impl IntoIterator<Item = ModuleId>, goal: Goal) {
    for id in ids {
        request.merge(BuildRequest::module(id, Intent::along(goal)));
    }
}
