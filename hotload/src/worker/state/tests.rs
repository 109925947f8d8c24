//! The worker's decisions, without rustc: a model stands in for the disk, the pipeline and the
//! host.

mod model;
mod random;

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use crate::ids::ModuleId;
use crate::worker::event::{FileEvent, Request};
use model::{Model, Report, Source};

fn id(name: &str) -> ModuleId {
    name.into()
}

/// Two leaves without links, and a core with two dependents, all running.
fn running() -> Model {
    let mut model = Model::new(&[
        ("leaf_a", &[]),
        ("leaf_b", &[]),
        ("core_x", &[]),
        ("user_p", &["core_x"]),
        ("user_q", &["core_x"]),
    ]);
    model.rest();
    model.assert_at_rest();
    assert!(model.reports.iter().all(|report| matches!(report, Report::Swapped { .. })));
    model.reports.clear();
    model
}

#[test]
fn force_is_a_matter_of_one_module_and_one_attempt() {
    let mut model = running();
    model.save("leaf_a", Source { compiles: false, ..model.next_source() });
    model.rest();
    let ticket = model.request(Request::Reload { id: id("leaf_a"), force: true });
    model.rest();
    assert!(model.is_answered(ticket));
    // Another module's next save drops data without permission.
    let before = model.live("leaf_b");
    model.save("leaf_b", Source { drops: true, ..model.next_source() });
    model.rest();
    assert_eq!(model.live("leaf_b"), before);
    assert!(
        matches!(model.reports.last(), Some(Report::NeedsConfirmation(ids)) if ids.contains("leaf_b"))
    );
    // The module itself has no permission in a later attempt either.
    model.save("leaf_a", Source { drops: true, ..model.next_source() });
    let before = model.live("leaf_a");
    model.rest();
    assert_eq!(model.live("leaf_a"), before);
    // And a module that is switched off in the meantime has none when it is switched on again.
    model.switch("leaf_b", false);
    model.request(Request::Reload { id: id("leaf_b"), force: true });
    model.rest();
    model.switch("leaf_b", true);
    model.rest();
    assert_eq!(model.live("leaf_b"), None, "it asks");
    // With a confirmation it goes live.
    model.request(Request::Reload { id: id("leaf_a"), force: true });
    model.rest();
    assert_ne!(model.live("leaf_a"), before);
    model.assert_at_rest();
}

#[test]
fn a_plan_while_a_save_builds_takes_nothing_from_the_save() {
    let mut model = running();
    let saved = model.next_source();
    model.save("leaf_a", saved);
    model.finish_reading();
    assert!(model.has_attempt());
    let ticket = model.request(Request::Plan(id("leaf_a")));
    model.rest();
    assert_eq!(model.live("leaf_a"), Some(saved));
    assert!(model.reports.iter().any(|report| *report == Report::Planned(id("leaf_a"))));
    assert!(model.is_answered(ticket));
    model.assert_at_rest();
}

#[test]
fn a_plan_alone_changes_nothing() {
    let mut model = running();
    model.watches = false;
    let before = model.live("leaf_a");
    let saved = model.next_source();
    model.save("leaf_a", saved);
    let ticket = model.request(Request::Plan(id("leaf_a")));
    model.rest();
    assert_eq!(model.live("leaf_a"), before);
    assert_eq!(model.reports, [Report::Planned(id("leaf_a"))]);
    assert!(model.is_answered(ticket));
    // And it does not affect a later `reload`.
    model.request(Request::Reload { id: id("leaf_a"), force: false });
    model.rest();
    assert_eq!(model.live("leaf_a"), Some(saved));
}

#[test]
fn an_edit_of_a_file_before_it_is_watched_goes_live() {
    let mut model = running();
    model.save("leaf_a", model.next_source());
    model.finish_reading();
    // Its compilation shows that it reads another file, which is edited before it is watched.
    model.finish_attempt();
    model.answer_proposal();
    let edited = model.next_source();
    model.save_unseen("leaf_a", edited);
    model.unwatched = true;
    model.rest();
    assert_eq!(model.live("leaf_a"), Some(edited));
    model.assert_at_rest();
}

#[test]
fn a_failure_waits_until_it_is_known_to_be_of_the_newest_sources() {
    for odd in [false, true] {
        let mut model = running();
        model.builds_from_start = true;
        // Failures of even sources are known while others are still building.
        if odd {
            model.next_source();
        }
        for broken in [
            Source { compiles: false, ..model.next_source() },
            Source { refused: true, ..model.next_source() },
            Source { compiles: false, ..model.next_source() },
        ] {
            // Like a source that uses a library, and then the manifest that names the library.
            model.save("core_x", broken);
            model.finish_reading();
            let repaired = model.next_source();
            model.save("core_x", repaired);
            model.finish_attempt();
            model.rest();
            assert!(
                matches!(&model.reports[..], [Report::Swapped { .. }]),
                "{broken:?}: {:?}",
                model.reports
            );
            assert_eq!(model.live("core_x"), Some(repaired));
            model.assert_at_rest();
            model.reports.clear();

            // Another file was saved meanwhile: the failure stands.
            model.save("core_x", broken);
            model.finish_reading();
            model.touch("leaf_a");
            let ticket = model.request(Request::Reload { id: id("leaf_b"), force: false });
            model.finish_attempt();
            assert_eq!(model.reports, []);
            model.rest();
            assert!(
                matches!(
                    model.reports[0],
                    Report::NotBuilt { .. } | Report::StillNotBuilt(_) | Report::Refused(_)
                ),
                "{broken:?}: {:?}",
                model.reports
            );
            assert!(model.is_answered(ticket));
            model.assert_at_rest();
            model.save("core_x", model.next_source());
            model.rest();
            model.reports.clear();

            // The workspace cannot be read meanwhile.
            model.save("core_x", broken);
            model.finish_reading();
            model.readable = false;
            model.touch("leaf_a");
            model.finish_attempt();
            model.rest();
            assert_eq!(model.reports, [Report::Unreadable]);
            model.readable = true;
            let repaired = model.next_source();
            model.save("core_x", repaired);
            model.rest();
            assert_eq!(model.live("core_x"), Some(repaired));
            model.assert_at_rest();
            model.reports.clear();
        }
    }
}

#[test]
fn a_module_whose_folder_goes_while_it_is_built_leaves() {
    for broken in [false, true] {
        // Its build ends before the folder's absence is read, during that, or after it.
        for readings_before in 0..3 {
            let mut model = running();
            model.builds_from_start = true;
            let source = model.next_source();
            model.save("leaf_a", Source { compiles: !broken, ..source });
            model.finish_reading();
            assert_eq!(model.built(), ["leaf_a"]);
            if readings_before == 0 {
                model.finish_attempt();
            }
            model.remove_folder("leaf_a");
            if readings_before == 1 {
                model.finish_attempt();
            }
            model.finish_reading();
            if readings_before == 2 {
                model.finish_attempt();
            }
            model.rest();
            assert_eq!(model.live("leaf_a"), None);
            model.assert_at_rest();
            // It comes back as it was.
            model.save("leaf_a", Source { compiles: true, ..source });
            model.rest();
            assert!(model.live("leaf_a").is_some());
            model.assert_at_rest();
        }
    }
}

#[test]
fn a_file_that_cannot_run_leaves_the_source_that_it_came_before() {
    for broken in [
        Source { refused: true, ..Source::fine(0) },
        Source { breaks_swap: true, ..Source::fine(0) },
    ] {
        for restarts in [false, true] {
            let mut model = running();
            let saved = model.next_source();
            model.save("leaf_a", saved);
            model.finish_reading();
            assert_eq!(model.built(), ["leaf_a"]);
            if restarts {
                model.save("leaf_b", model.next_source());
                model.finish_reading();
            }
            let file = Source { text: model.next_source().text, ..broken };
            let ticket = model.load_file("leaf_a", file);
            model.rest();
            assert!(model.is_answered(ticket));
            assert_eq!(model.live("leaf_a"), Some(saved), "{broken:?} {restarts}");
            assert!(model.reports.iter().any(|report| matches!(report, Report::Refused(_))));
            model.assert_at_rest();
        }
    }
}

#[test]
fn a_core_goes_live_once_the_dependent_that_held_it_up_is_gone() {
    for broken in [
        Source { compiles: false, ..Source::fine(0) },
        Source { refused: true, ..Source::fine(0) },
        Source { drops: true, ..Source::fine(0) },
        Source { breaks_swap: true, ..Source::fine(0) },
    ] {
        for unlinks in [false, true] {
            let mut model = running();
            let core = model.next_source();
            model.save("core_x", core);
            model.save("user_p", Source { text: model.next_source().text, ..broken });
            model.rest();
            assert_ne!(model.live("core_x"), Some(core));
            let own = model.next_source();
            match unlinks {
                false => model.remove_folder("user_p"),
                true => model.link("user_p", &[], own),
            }
            model.rest();
            assert_eq!(model.live("core_x"), Some(core), "{broken:?} {unlinks}");
            assert_eq!(model.live("user_p"), unlinks.then_some(own));
            model.assert_at_rest();
        }
    }
}

#[test]
fn an_edit_of_a_module_that_was_put_off_is_reported_once_it_is_switched_on() {
    let mut model = running();
    model.switch("user_p", false);
    model.rest();
    model.save("core_x", Source { compiles: false, ..model.next_source() });
    model.rest();
    model.switch("user_p", true);
    model.rest();
    model.reports.clear();
    model.save("user_p", model.next_source());
    model.rest();
    let waits = |report: &Report| match report {
        Report::NotBuilt { failed, .. } | Report::StillNotBuilt(failed) => {
            failed.contains("core_x")
        }
        _ => false,
    };
    assert!(model.reports.iter().any(waits), "{:?}", model.reports);
    model.assert_at_rest();
}

#[test]
fn a_swaps_time_counts_from_the_save_that_repairs() {
    let mut model = running();
    let first = SystemTime::UNIX_EPOCH + Duration::from_secs(100);
    let repair = first + Duration::from_secs(15);
    model.save_at("leaf_a", Source { compiles: false, ..model.next_source() }, first);
    model.rest();
    model.save_at("leaf_a", model.next_source(), repair);
    model.rest();
    let swapped = model.reports.iter().find_map(|report| match report {
        Report::Swapped { saved_at, .. } => Some(*saved_at),
        _ => None,
    });
    assert_eq!(swapped, Some(Some(repair)));
}

#[test]
fn a_newer_save_joins_the_one_that_builds_and_time_counts_from_it() {
    let mut model = running();
    let first = SystemTime::UNIX_EPOCH + Duration::from_secs(100);
    let second = first + Duration::from_secs(2);
    model.save_at("leaf_a", model.next_source(), first);
    model.finish_reading();
    model.save_at("leaf_b", model.next_source(), second);
    model.rest();
    assert_eq!(model.reports.len(), 1, "one swap: {:?}", model.reports);
    assert!(matches!(&model.reports[0], Report::Swapped { saved_at: Some(at), modules }
        if *at == second && modules.len() == 2));
    model.assert_at_rest();
}

#[test]
fn a_swaps_time_counts_from_the_last_of_several_saves() {
    let mut model = running();
    let at = |number: u64| SystemTime::UNIX_EPOCH + Duration::from_millis(100_000 + 700 * number);
    for number in 0..3 {
        model.save_at("leaf_a", model.next_source(), at(number));
        model.finish_reading();
    }
    model.rest();
    assert!(matches!(&model.reports[..], [Report::Swapped { saved_at: Some(saved), .. }]
        if *saved == at(2)));
}

#[test]
fn lost_events_have_everything_read_again() {
    let mut model = running();
    let saved = model.next_source();
    model.save_unseen("leaf_a", saved);
    model.rest();
    assert_ne!(model.live("leaf_a"), Some(saved));
    model.files(FileEvent::Lost { error: None });
    assert!(model.reads_everything(), "also the manifests");
    model.rest();
    assert_eq!(model.live("leaf_a"), Some(saved));
    model.files(FileEvent::Lost { error: Some("the watcher failed".to_owned()) });
    model.rest();
    assert!(model.reports.contains(&Report::Warning));
    model.assert_at_rest();
}

#[test]
fn an_error_in_a_core_is_one_report_with_all_that_wait() {
    let mut model = running();
    model.save("core_x", Source { compiles: false, ..model.next_source() });
    model.rest();
    let [Report::NotBuilt { failed, waiting }] = &model.reports[..] else {
        panic!("one report: {:?}", model.reports);
    };
    assert_eq!(failed.iter().map(ModuleId::as_str).collect::<Vec<_>>(), ["core_x"]);
    assert_eq!(waiting.iter().map(ModuleId::as_str).collect::<Vec<_>>(), ["user_p", "user_q"]);
    // Another module is not delayed, and does not cause a rebuild of the first.
    model.reports.clear();
    model.save("leaf_a", model.next_source());
    model.rest();
    assert!(matches!(&model.reports[..], [Report::Swapped { modules, .. }] if modules.len() == 1));
    // The fix brings all of them live.
    model.reports.clear();
    model.save("core_x", model.next_source());
    model.rest();
    assert!(matches!(&model.reports[..], [Report::Swapped { modules, .. }] if modules.len() == 3));
    model.assert_at_rest();
}

#[test]
fn a_module_that_does_not_run_holds_up_no_core_and_is_reported_once() {
    let mut model = running();
    model.switch("user_q", false);
    model.rest();
    model.reports.clear();
    model.save("user_q", Source { compiles: false, ..model.next_source() });
    model.rest();
    assert!(matches!(&model.reports[..], [Report::NotBuilt { .. }]), "{:?}", model.reports);
    for _ in 0..2 {
        model.reports.clear();
        let core = model.next_source();
        model.save("core_x", core);
        model.rest();
        assert_eq!(model.live("core_x"), Some(core));
        assert_eq!(model.reports.len(), 2, "{:?}", model.reports);
        assert!(model.reports.contains(&Report::StillNotBuilt([id("user_q")].into())));
        let both = [id("core_x"), id("user_p")].into();
        let swapped =
            |it: &Report| matches!(it, Report::Swapped { modules, .. } if *modules == both);
        assert!(model.reports.iter().any(swapped), "{:?}", model.reports);
        // Its core is good, so the save of another module does not concern it.
        model.reports.clear();
        model.save("user_p", model.next_source());
        model.rest();
        assert!(matches!(&model.reports[..], [Report::Swapped { .. }]), "{:?}", model.reports);
    }
    // Whoever edits it sees its error.
    model.reports.clear();
    model.save("user_q", Source { compiles: false, ..model.next_source() });
    model.rest();
    assert!(matches!(&model.reports[..], [Report::NotBuilt { .. }]), "{:?}", model.reports);
    model.save("user_q", model.next_source());
    model.switch("user_q", true);
    model.rest();
    model.assert_at_rest();
}

#[test]
fn modules_that_do_not_run_are_built_after_the_edit_is_live() {
    let mut model = running();
    model.switch("user_q", false);
    model.rest();
    model.reports.clear();
    let core = model.next_source();
    model.save("core_x", core);
    model.finish_reading();
    assert_eq!(model.built(), ["core_x", "user_p"]);
    model.finish_attempt();
    assert!(model.has_proposal());
    model.finish_reading();
    assert_eq!(model.built(), ["user_q"], "it does not wait for the host");
    model.answer_proposal();
    assert_eq!(model.live("core_x"), Some(core));
    // The next edit of the core replaces that.
    model.save("core_x", model.next_source());
    model.rest();
    model.reports.clear();
    model.switch("user_q", true);
    model.rest();
    assert!(matches!(&model.reports[..], [Report::Swapped { .. }]), "{:?}", model.reports);
    model.assert_at_rest();
    // A module that is switched on while it is missing waits until it is built.
    model.switch("user_q", false);
    model.save("core_x", model.next_source());
    model.finish_reading();
    model.switch("user_q", true);
    model.rest();
    model.assert_at_rest();
}

#[test]
fn modules_that_were_put_off_are_no_edits_when_the_core_is_repaired() {
    let mut model = running();
    model.switch("user_q", false);
    model.rest();
    model.save("core_x", Source { compiles: false, ..model.next_source() });
    model.rest();
    model.reports.clear();
    model.save("leaf_a", model.next_source());
    model.rest();
    assert!(matches!(&model.reports[..], [Report::Swapped { modules, .. }] if modules.len() == 1));
    model.save("core_x", model.next_source());
    model.finish_reading();
    assert_eq!(model.built(), ["core_x", "user_p"]);
    model.rest();
    model.switch("user_q", true);
    model.rest();
    model.assert_at_rest();
}

#[test]
fn an_error_is_reported_once_and_while_others_build() {
    let mut model = running();
    model.save("core_x", model.next_source());
    let broken = |model: &Model| Source { compiles: false, ..model.next_source() };
    // Errors of even sources are known early.
    while model.next_source().text.is_multiple_of(2) {}
    for id in ["user_p", "user_q"] {
        model.save(id, broken(&model));
    }
    model.rest();
    let [early, late] = &model.reports[..] else { panic!("{:?}", model.reports) };
    let names = |report: &Report| match report {
        Report::NotBuilt { failed, waiting } => {
            let names = |ids: &BTreeSet<ModuleId>| ids.iter().map(ToString::to_string).collect();
            [failed, waiting].map(names).map(|it: Vec<String>| it.join(" "))
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(names(early), ["user_p", "core_x user_q"]);
    assert_eq!(names(late), ["user_q", "core_x"]);
}

#[test]
fn members_of_a_group_that_failed_are_built_again_together() {
    let mut model = running();
    // An edit of the core that one dependent does not compile with.
    let core = model.next_source();
    model.save("core_x", core);
    model.save("user_p", Source { compiles: false, ..model.next_source() });
    model.rest();
    assert_ne!(model.live("core_x"), Some(core));
    model.save("user_p", model.next_source());
    model.rest();
    assert_eq!(model.live("core_x"), Some(core));
    model.assert_at_rest();
}

#[test]
fn a_proposal_that_is_too_old_is_planned_again() {
    let mut model = running();
    let saved = model.next_source();
    model.save("leaf_a", saved);
    model.finish_reading();
    model.finish_attempt();
    assert!(model.has_proposal());
    // In the meantime a panic rolled another module back.
    model.switch_off("leaf_b");
    model.rest();
    assert_eq!(model.live("leaf_a"), Some(saved));
    assert_eq!(model.live("leaf_b"), None);
    model.assert_at_rest();
}

#[test]
fn nothing_is_built_while_the_workspace_cannot_be_read() {
    let mut model = running();
    model.readable = false;
    let saved = model.next_source();
    model.save("leaf_a", saved);
    let ticket = model.request(Request::Reload { id: id("leaf_b"), force: true });
    model.rest();
    assert!(model.is_answered(ticket), "with the reason why it cannot be read");
    assert_eq!(model.reports, [Report::Unreadable]);
    model.readable = true;
    model.save("leaf_b", model.next_source());
    model.rest();
    assert_eq!(model.live("leaf_a"), Some(saved));
    model.assert_at_rest();
}

#[test]
fn a_selection_outlives_a_workspace_that_cannot_be_read() {
    let mut model = running();
    model.readable = false;
    model.switch("leaf_a", false);
    model.files(FileEvent::Lost { error: None });
    model.rest();
    model.readable = true;
    model.files(FileEvent::Lost { error: None });
    model.rest();
    assert_eq!(model.live("leaf_a"), None);
    model.assert_at_rest();
}

#[test]
fn what_the_host_took_back_is_not_proposed_again() {
    let mut model = running();
    model.save("leaf_a", model.next_source());
    model.rest();
    model.roll_back("leaf_a");
    let before = model.live("leaf_a");
    model.save("leaf_b", model.next_source());
    model.rest();
    assert_eq!(model.live("leaf_a"), before);
    let next = model.next_source();
    model.save("leaf_a", next);
    model.rest();
    assert_eq!(model.live("leaf_a"), Some(next));
}

#[test]
fn a_module_that_will_not_run_holds_up_no_other() {
    let mut model = running();
    let saved = model.next_source();
    model.save("leaf_a", Source { refused: true, ..model.next_source() });
    model.save("leaf_b", saved);
    model.rest();
    assert_eq!(model.live("leaf_b"), Some(saved));
    assert!(
        model.reports.iter().any(|it| matches!(it, Report::Refused(ids) if ids.contains("leaf_a")))
    );
    model.assert_at_rest();
}

#[test]
fn a_selection_that_runs_already_is_answered() {
    let mut model = running();
    let selection = model.selection.clone();
    let ticket = model.request(Request::Select(selection));
    model.rest();
    assert!(model.is_answered(ticket));
    assert_eq!(model.reports, []);
}

#[test]
fn a_selection_that_cannot_run_leaves_what_runs() {
    let mut model = running();
    model.switch("leaf_b", false);
    model.rest();
    model.clash = Some(("leaf_a", "leaf_b"));
    let before = model.live("leaf_a");
    model.switch("leaf_b", true);
    model.rest();
    assert!(matches!(model.reports.last(), Some(Report::Refused(ids)) if ids.contains("leaf_b")));
    assert_eq!((model.live("leaf_a"), model.live("leaf_b")), (before, None));
    assert_eq!(model.selection.switched.get("leaf_b"), Some(&false), "as before");
    // An edit of a running module goes live, and no module leaves.
    let saved = model.next_source();
    model.save("leaf_a", saved);
    model.rest();
    assert_eq!(model.live("leaf_a"), Some(saved));
    assert!(model.live("user_p").is_some());
    // Nothing has to be rebuilt to try again.
    model.clash = None;
    model.switch("leaf_b", true);
    model.rest();
    assert!(model.live("leaf_b").is_some());
    model.assert_at_rest();
}

#[test]
fn a_pack_replaces_modules_and_goes_back_when_it_cannot_run() {
    let mut model = running();
    let own = model.live("leaf_a");
    let first = model.next_source();
    model.install(first);
    model.rest();
    assert_eq!((model.live("leaf_a"), model.live("leaf_b")), (Some(first), Some(first)));
    model.assert_at_rest();
    // Refused before it runs: the version before is installed, and nothing is swapped.
    let swaps = |model: &Model| {
        model.reports.iter().filter(|it| matches!(it, Report::Swapped { .. })).count()
    };
    let before = swaps(&model);
    model.install(Source { refused: true, ..model.next_source() });
    model.rest();
    assert_eq!(model.installed(), Some(first.text));
    assert_eq!((model.live("leaf_a"), swaps(&model)), (Some(first), before));
    model.assert_at_rest();
    // One that drops values waits for the answer.
    let dropping = Source { drops: true, ..model.next_source() };
    model.install(dropping);
    model.rest();
    assert_eq!((model.installed(), model.live("leaf_a")), (Some(dropping.text), Some(first)));
    model.request(Request::Reload { id: id("leaf_a"), force: true });
    model.request(Request::Reload { id: id("leaf_b"), force: true });
    model.rest();
    assert_eq!(model.live("leaf_a").map(|live| live.text), Some(dropping.text));
    // Its source does not matter meanwhile, and is back afterwards.
    let edited = model.next_source();
    model.save("leaf_a", edited);
    model.rest();
    assert_eq!(model.live("leaf_a").map(|live| live.text), Some(dropping.text));
    model.remove_pack();
    model.rest();
    assert_eq!(model.live("leaf_a"), Some(edited));
    assert_ne!(own, model.live("leaf_a"));
    model.assert_at_rest();
}

#[test]
fn a_proposal_answers_what_waited_for_it() {
    let mut model = running();
    // It may drop data, and becomes stale.
    let ticket = model.request(Request::Reload { id: id("leaf_a"), force: true });
    model.finish_reading();
    model.finish_attempt();
    // Compiling showed what else counts.
    model.finish_reading();
    model.switch_off("leaf_b");
    // Another attempt plans it again.
    model.request(Request::Reload { id: id("user_p"), force: false });
    model.finish_reading();
    model.answer_proposal();
    model.finish_attempt();
    assert!(model.has_proposal());
    // The sources cannot be read now, so the request is not answered yet.
    model.readable = false;
    model.touch("leaf_a");
    model.finish_reading();
    assert!(!model.is_answered(ticket));
    model.rest();
    assert!(model.is_answered(ticket));
}
