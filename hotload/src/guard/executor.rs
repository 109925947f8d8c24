//! An executor that catches the panics of modules' code outside of systems: in run conditions,
//! hooks and applied commands. Such a panic ends that run of the schedule and nothing else.

use bevy::app::FixedMain;
use bevy::ecs::error::ErrorContext;
use bevy::ecs::schedule::{
    FixedBitSet, InternedScheduleLabel, MultiThreadedExecutor, ScheduleLabel,
    SingleThreadedExecutor, SystemExecutor, SystemSchedule,
};
use bevy::prelude::*;
use playground_api::bevy_egui::EguiPrimaryContextPass;

use super::running::Work;
use super::{Reports, unguarded};

/// Wraps Bevy's executor of the same kind.
pub struct GuardedExecutor {
    label: InternedScheduleLabel,
    inner: Box<dyn SystemExecutor>,
    apply_final_deferred: bool,
    reports: Reports,
    work: Work,
}

impl GuardedExecutor {
    pub fn new(label: InternedScheduleLabel, reports: &Reports) -> Self {
        let (reports, work) = (reports.clone(), Work::schedule(format!("schedule {label:?}")));
        Self { label, inner: inner(label), apply_final_deferred: true, reports, work }
    }
}

/// The executor that Bevy uses for the schedule by default.
fn inner(label: InternedScheduleLabel) -> Box<dyn SystemExecutor> {
    let one_after_the_other =
        [Main.intern(), FixedMain.intern(), RunFixedMainLoop.intern()].contains(&label);
    if one_after_the_other {
        Box::new(SingleThreadedExecutor::new())
    } else {
        Box::new(MultiThreadedExecutor::new())
    }
}

impl SystemExecutor for GuardedExecutor {
    fn init(&mut self, schedule: &SystemSchedule) {
        self.inner.init(schedule);
    }

    fn run(
        &mut self,
        schedule: &mut SystemSchedule,
        world: &mut World,
        skip_systems: Option<&FixedBitSet>,
        error_handler: fn(BevyError, ErrorContext),
    ) {
        let what = || format!("a run condition, hook or command in {:?}", self.label);
        let ran = unguarded(what, || {
            self.work.run(|| self.inner.run(schedule, world, skip_systems, error_handler))
        });
        if let Err(panic) = ran {
            // The executor's state after a panic is unknown: start with a new one.
            self.inner = inner(self.label);
            self.inner.set_apply_final_deferred(self.apply_final_deferred);
            self.inner.init(schedule);
            self.reports.push(super::Report::Panicked(panic));
        }
        if self.label == Main.intern() {
            self.reports.report_uncaught();
        }
    }

    fn set_apply_final_deferred(&mut self, value: bool) {
        self.apply_final_deferred = value;
        self.inner.set_apply_final_deferred(value);
    }
}

/// Guards Bevy's schedules, whose default executors are known. Schedules that the host's app adds
/// keep their executor; those that modules add are guarded when they are created.
pub fn guard_schedules(world: &mut World, reports: &Reports) {
    let Some(mut schedules) = world.get_resource_mut::<Schedules>() else { return };
    let main: [InternedScheduleLabel; 11] = [
        Main.intern(),
        PreStartup.intern(),
        Startup.intern(),
        PostStartup.intern(),
        First.intern(),
        PreUpdate.intern(),
        RunFixedMainLoop.intern(),
        Update.intern(),
        SpawnScene.intern(),
        PostUpdate.intern(),
        Last.intern(),
    ];
    let other: [InternedScheduleLabel; 8] = [
        FixedMain.intern(),
        FixedFirst.intern(),
        FixedPreUpdate.intern(),
        FixedUpdate.intern(),
        FixedPostUpdate.intern(),
        FixedLast.intern(),
        StateTransition.intern(),
        EguiPrimaryContextPass.intern(),
    ];
    for label in main.into_iter().chain(other) {
        if let Some(schedule) = schedules.get_mut(label) {
            schedule.set_executor(GuardedExecutor::new(label, reports));
        }
    }
}
