//! Bevy builds each schedule as well: the check has to give the same result.

use bevy::ecs::schedule::{ScheduleBuildError, ScheduleCleanupPolicy, ScheduleLabel};

use super::*;
use crate::swap::Additions;
use crate::swap::schedules::Inherits;

#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Stage {
    Early,
    Late,
    Inner,
}

use Stage::{Early, Inner, Late};

fn walk() {}
fn draw() {}
fn mine() {}
fn yours() {}
fn always() -> bool {
    true
}

type Host = fn(&mut Schedule);
type Sets = ScheduleConfigs<InternedSystemSet>;
type Module = fn() -> (Option<Sets>, Option<ScheduleConfigs<ScheduleSystem>>);

fn systems<M>(
    systems: impl IntoScheduleConfigs<ScheduleSystem, M>,
) -> (Option<Sets>, Option<ScheduleConfigs<ScheduleSystem>>) {
    (None, Some(systems.into_configs()))
}

fn sets<M>(
    sets: impl IntoScheduleConfigs<InternedSystemSet, M>,
) -> (Option<Sets>, Option<ScheduleConfigs<ScheduleSystem>>) {
    (Some(sets.into_configs()), None)
}

/// A schedule of the host's, with the systems of a module's generation.
fn schedule(host: Host, old: Option<Module>) -> Schedule {
    let mut schedule = Schedule::new(Update);
    host(&mut schedule);
    if let Some(old) = old {
        add(&mut schedule, old, ModuleSet(1));
    }
    schedule
}

fn add(schedule: &mut Schedule, module: Module, generation: ModuleSet) {
    let (sets, systems) = module();
    if let Some(sets) = sets {
        schedule.configure_sets(sets);
    }
    if let Some(mut systems) = systems {
        systems.in_set_inner(generation.intern());
        schedule.add_systems(systems);
    }
}

/// The name of the error with which Bevy refuses the real schedule.
fn bevys_answer(host: Host, old: Option<Module>, new: Module) -> Option<&'static str> {
    let mut world = World::new();
    let mut schedule = schedule(host, old);
    schedule.initialize(&mut world).expect("what runs already can be built");
    if old.is_some() {
        let policy = ScheduleCleanupPolicy::RemoveSystemsOnlyAllowBreakages;
        schedule.remove_systems_in_set(ModuleSet(1), &mut world, policy).unwrap();
    }
    add(&mut schedule, new, ModuleSet(2));
    schedule.initialize(&mut world).err().map(|error| match error {
        ScheduleBuildError::HierarchySort(_) => "HierarchySort",
        ScheduleBuildError::DependencySort(_) => "DependencySort",
        ScheduleBuildError::FlatDependencySort(_) => "FlatDependencySort",
        ScheduleBuildError::CrossDependency(_) => "CrossDependency",
        ScheduleBuildError::SetsHaveOrderButIntersect(_) => "SetsHaveOrderButIntersect",
        ScheduleBuildError::SystemTypeSetAmbiguity(_) => "SystemTypeSetAmbiguity",
        ScheduleBuildError::Elevated(_) => "Elevated",
        other => panic!("{other}"),
    })
}

/// The reason with which the check refuses it, before the schedule's first build or after.
fn answer(host: Host, old: Option<Module>, new: Module, is_built: bool) -> Option<String> {
    let mut world = World::new();
    let mut schedule = schedule(host, old);
    if is_built {
        schedule.initialize(&mut world).expect("what runs already can be built");
    }
    let mut schedules = Schedules::new();
    schedules.insert(schedule);
    world.insert_resource(schedules);
    let (sets, systems) = new();
    let label = Update.intern();
    let entering = Entering {
        id: "module".into(),
        set: ModuleSet(2),
        sets: sets.into_iter().map(|sets| (label, sets)).collect(),
        systems: systems.into_iter().map(|systems| (label, systems)).collect(),
        inherits: Inherits::default(),
    };
    let leaving: &[ModuleSet] = if old.is_some() { &[ModuleSet(1)] } else { &[] };
    let refused = check(&world, leaving, vec![entering]).err();
    refused.map(|error| error.to_string())
}

#[track_caller]
fn refused(host: Host, module: Module, error: &str, reasons: &[&str]) {
    assert_eq!(bevys_answer(host, None, module), Some(error));
    for is_built in [true, false] {
        let reason = answer(host, None, module, is_built).expect("it is refused");
        for part in reasons.iter().chain(&["H0604", "Update"]) {
            assert!(reason.contains(part), "{part}: {reason}");
        }
    }
}

#[track_caller]
fn accepted(host: Host, old: Option<Module>, module: Module) {
    assert_eq!(bevys_answer(host, old, module), None);
    for is_built in [true, false] {
        assert_eq!(answer(host, old, module, is_built), None);
    }
}

fn stages(schedule: &mut Schedule) {
    schedule.configure_sets((Early, Late).chain());
    schedule.add_systems((walk.in_set(Early), draw.in_set(Late)));
}

#[test]
fn orders_that_fit_are_accepted() {
    accepted(stages, None, || systems((mine.in_set(Early), yours.after(mine).in_set(Late))));
    accepted(stages, None, || systems(mine.after(Early).before(Late)));
    accepted(stages, None, || systems((mine, yours).chain().after(walk).before(draw)));
    accepted(stages, None, || sets(Inner.in_set(Early)));
    accepted(|_| (), None, || systems(mine.in_set(Early)));
    // Tuples with a condition are numbered in each schedule from 0.
    let tuples: Host = |schedule| {
        schedule.add_systems((walk, draw).run_if(always).before(Late));
    };
    accepted(tuples, None, || systems((mine, yours).run_if(always).in_set(Late)));
}

#[test]
fn sets_that_contain_themselves_are_refused() {
    let host: Host = |schedule| {
        schedule.configure_sets(Inner.in_set(Early));
    };
    let reasons = ["set `Early`", "set `Inner`", "in_set"];
    refused(host, || sets(Early.in_set(Inner)), "HierarchySort", &reasons);
    refused(host, || sets(Late.in_set(Late)), "HierarchySort", &["set `Late`"]);
}

#[test]
fn cycles_of_sets_are_refused() {
    let reasons = ["before themselves", "set `Early`", "set `Late`"];
    refused(stages, || sets(Late.before(Early)), "DependencySort", &reasons);
    let reasons = ["before themselves", "set `Early`", "set `Late`", "tests::mine`"];
    refused(stages, || systems(mine.after(Late).before(Early)), "DependencySort", &reasons);
}

#[test]
fn cycles_of_systems_are_refused() {
    let reasons = ["before themselves", "tests::walk`", "tests::draw`", "tests::mine`"];
    refused(stages, || systems(mine.after(draw).before(walk)), "FlatDependencySort", &reasons);
}

#[test]
fn an_order_against_a_set_that_contains_it_is_refused() {
    let reasons = ["tests::mine`", "set `Early`", "nothing can run before or after"];
    refused(stages, || systems(mine.in_set(Early).before(Early)), "CrossDependency", &reasons);
    let nested: Host = |schedule| {
        schedule.configure_sets((Inner.in_set(Early), Late.after(Early)));
    };
    let reasons = ["set `Inner`", "set `Early`"];
    refused(nested, || sets(Inner.after(Early)), "CrossDependency", &reasons);
    refused(nested, || systems(mine.after(Early).before(Inner)), "CrossDependency", &reasons);
}

#[test]
fn ordered_sets_that_share_a_system_are_refused() {
    let reasons = ["set `Early`", "set `Late`", "both contain", "tests::mine`"];
    let module: Module = || systems(mine.in_set(Early).in_set(Late));
    refused(stages, module, "SetsHaveOrderButIntersect", &reasons);
    // Through a system between the two.
    let host: Host = |schedule| {
        schedule.add_systems((walk.after(Early).before(Late), draw));
    };
    refused(host, module, "SetsHaveOrderButIntersect", &reasons);
}

#[test]
fn a_system_that_others_are_ordered_by_is_refused_a_second_time() {
    let wrap = ["tests::walk`", "in Update", "wrap it in a function of your own"];
    let module: Module = || systems(walk);
    let before: Host = |schedule| {
        schedule.add_systems((walk, draw.after(walk)));
    };
    refused(before, module, "SystemTypeSetAmbiguity", &wrap);
    let ambiguous: Host = |schedule| {
        schedule.add_systems((walk, draw.ambiguous_with(walk)));
    };
    refused(ambiguous, module, "SystemTypeSetAmbiguity", &wrap);
    let own = ["tests::mine`", "2 times", "set of your own"];
    refused(|_| (), || systems((mine, mine, yours.after(mine))), "SystemTypeSetAmbiguity", &own);
    // Two of one type, by which nothing is ordered.
    accepted(stages, None, || systems((mine, mine)));
    // A sync point may be repeated.
    let sync: Host = |schedule| {
        schedule.add_systems((walk, ApplyDeferred, draw).chain());
    };
    accepted(sync, None, || systems((mine, ApplyDeferred, yours).chain()));
}

#[test]
fn a_hosts_system_is_refused_a_second_time_where_no_order_by_it_can_be_read() {
    // Bevy accepts it, but would refuse it with `ambiguous_with`, which cannot be distinguished
    // here.
    let module: Module = || systems(walk);
    assert_eq!(bevys_answer(stages, None, module), None);
    let reason = answer(stages, None, module, true).expect("it is refused");
    assert!(reason.contains("walk") && reason.contains("wrap it"), "{reason}");
}

#[test]
fn a_set_that_is_named_twice_is_refused_where_the_schedule_says_so() {
    let strict: Host = |schedule| {
        schedule.set_build_settings(ScheduleBuildSettings {
            hierarchy_detection: LogLevel::Error,
            ..default()
        });
        schedule.configure_sets(Inner.in_set(Early));
    };
    let module: Module = || systems(mine.in_set(Inner).in_set(Early));
    refused(strict, module, "Elevated", &["tests::mine`", "set `Early`", "repeats"]);
    let lenient: Host = |schedule| {
        schedule.configure_sets(Inner.in_set(Early));
    };
    accepted(lenient, None, module);
}

#[test]
fn systems_that_leave_do_not_count() {
    let old: Module = || systems((mine, yours.after(mine), walk.after(Late)));
    accepted(|_| (), Some(old), old);
    let reordered: Module = || systems((yours, mine.after(yours), walk.before(Early)));
    accepted(|_| (), Some(old), reordered);
    // Without the old ones leaving, the new ones are the second of their types.
    let host: Host = |schedule| {
        schedule.add_systems((mine, yours.after(mine)));
    };
    refused(host, old, "SystemTypeSetAmbiguity", &["wrap it"]);
}

#[test]
fn a_schedule_that_cannot_be_built_already_is_refused() {
    let broken: Host = |schedule| {
        schedule.add_systems(walk.in_set(Early).before(Early));
    };
    let reason = answer(broken, None, || systems(mine), false).expect("it is refused");
    assert!(reason.contains("walk") && reason.contains("Early"), "{reason}");
}

#[test]
fn schedules_that_run_once_are_built_beforehand() {
    let cycle = || vec![(mine.before(yours), yours.before(mine)).into_configs()];
    let error = check_once(Startup.intern(), cycle()).expect_err("it is a cycle").to_string();
    let names = error.contains("Startup") && error.contains("mine") && error.contains("yours");
    assert!(error.contains("H0604") && names, "{error}");
    // Bevy panics when it runs the same schedule.
    let run = std::panic::catch_unwind(|| {
        let mut schedule = Schedule::new(Startup);
        cycle().into_iter().for_each(|systems| _ = schedule.add_systems(systems));
        schedule.run(&mut World::new());
    });
    assert!(run.is_err());
    check_once(Startup.intern(), vec![(mine, yours).chain().into_configs()]).unwrap();
}

fn additions(module: Module) -> Additions {
    let (sets, systems) = module();
    let label = Update.intern();
    let sets = sets.into_iter().map(|sets| (label, sets)).collect();
    Additions::of(sets, systems.into_iter().map(|systems| (label, systems)).collect())
}

#[test]
fn a_module_of_the_same_shape_adds_the_same_sets_and_edges() {
    let modules: [Module; 12] = [
        || systems(mine),
        || systems(yours),
        || systems((mine, mine)),
        || systems((mine, yours)),
        || systems((mine, yours).chain()),
        || systems((mine, yours).in_set(Early)),
        || systems((mine, yours.after(mine))),
        || systems((mine, yours.before(mine))),
        || systems((mine, yours.ambiguous_with(walk))),
        || systems((mine.run_if(always), yours.run_if(always)).chain()),
        || sets(Early.before(Late)),
        || sets(Late.before(Early)),
    ];
    for (at, module) in modules.iter().enumerate() {
        for (other_at, other) in modules.iter().enumerate() {
            // Conditions are no part of what a build can refuse.
            let are_same = at == other_at || [at, other_at].iter().all(|at| [4, 9].contains(at));
            let are_equal = additions(*module).are_equal_in(&additions(*other), Update.intern());
            assert_eq!(are_equal, are_same, "{at} and {other_at}");
            assert!(additions(*module).are_equal_in(&additions(*other), PostUpdate.intern()));
        }
    }
}

#[test]
fn a_schedule_that_somebody_changed_has_another_extent() {
    let mut world = World::new();
    let mut schedule = schedule(stages, None);
    schedule.initialize(&mut world).unwrap();
    let before = Extent::of(&schedule);
    assert_eq!(Extent::of(&schedule), before);
    let changes: [Host; 3] = [
        |schedule| _ = schedule.add_systems(mine),
        |schedule| _ = schedule.configure_sets(Inner.in_set(Early)),
        |schedule| _ = schedule.configure_sets(Inner.before(Late)),
    ];
    for change in changes {
        let before = Extent::of(&schedule);
        change(&mut schedule);
        assert_ne!(Extent::of(&schedule), before);
        schedule.initialize(&mut world).unwrap();
    }
}
