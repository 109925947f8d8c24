//! Run conditions that continue after a swap, in place of Bevy's own of the same names. Bevy keeps
//! their state in a `Local` or a closure, which begins anew with new code.

use std::time::Duration;

use bevy::prelude::*;
use bevy::time::{Real, Time};

use crate::handover::{Keep, MessageReader};

/// True once. See [`bevy::prelude::run_once`].
pub fn run_once(mut has_run: Keep<bool>) -> bool {
    !std::mem::replace(&mut *has_run, true)
}

/// True if messages came since it was asked last. See [`bevy::prelude::on_message`].
pub fn on_message<M: Message>(mut reader: MessageReader<M>) -> bool {
    // All are read, so that none of them counts a second time.
    reader.read().count() > 0
}

/// True once in each `duration` of [`Time`]. See [`bevy::time::common_conditions::on_timer`].
pub fn on_timer(duration: Duration) -> impl FnMut(Res<Time>, Keep<u64>) -> bool + Clone {
    timed(duration, has_lapsed)
}

/// True once in each `duration` of [`Time<Real>`]. See
/// [`bevy::time::common_conditions::on_real_timer`].
pub fn on_real_timer(duration: Duration) -> impl FnMut(Res<Time<Real>>, Keep<u64>) -> bool + Clone {
    timed(duration, has_lapsed)
}

/// True once, after `duration` of [`Time`]. See [`bevy::time::common_conditions::once_after_delay`].
pub fn once_after_delay(duration: Duration) -> impl FnMut(Res<Time>, Keep<u64>) -> bool + Clone {
    timed(duration, lapses_once)
}

/// True once, after `duration` of [`Time<Real>`]. See
/// [`bevy::time::common_conditions::once_after_real_delay`].
pub fn once_after_real_delay(
    duration: Duration,
) -> impl FnMut(Res<Time<Real>>, Keep<u64>) -> bool + Clone {
    timed(duration, lapses_once)
}

/// True from `duration` of [`Time`] on. See
/// [`bevy::time::common_conditions::repeating_after_delay`].
pub fn repeating_after_delay(
    duration: Duration,
) -> impl FnMut(Res<Time>, Keep<u64>) -> bool + Clone {
    timed(duration, is_over)
}

/// True from `duration` of [`Time<Real>`] on. See
/// [`bevy::time::common_conditions::repeating_after_real_delay`].
pub fn repeating_after_real_delay(
    duration: Duration,
) -> impl FnMut(Res<Time<Real>>, Keep<u64>) -> bool + Clone {
    timed(duration, is_over)
}

/// The condition that `lapses` decides, from the nanoseconds passed so far, those of this frame, and
/// `duration`.
fn timed<T: Default + Send + Sync + 'static>(
    duration: Duration,
    lapses: fn(&mut u64, Duration, Duration) -> bool,
) -> impl FnMut(Res<Time<T>>, Keep<u64>) -> bool + Clone {
    move |time: Res<Time<T>>, mut passed: Keep<u64>| lapses(&mut passed, time.delta(), duration)
}

fn is_over(passed: &mut u64, delta: Duration, duration: Duration) -> bool {
    *passed = later(*passed, delta);
    *passed >= nanoseconds(duration)
}

fn has_lapsed(passed: &mut u64, delta: Duration, duration: Duration) -> bool {
    let has_lapsed = is_over(passed, delta, duration);
    if has_lapsed {
        // What is over counts for the next interval.
        *passed = passed.checked_rem(nanoseconds(duration)).unwrap_or(0);
    }
    has_lapsed
}

fn lapses_once(passed: &mut u64, delta: Duration, duration: Duration) -> bool {
    const DONE: u64 = u64::MAX;
    if *passed == DONE {
        return false;
    }
    *passed = later(*passed, delta).min(DONE - 1);
    let lapses = *passed >= nanoseconds(duration);
    if lapses {
        *passed = DONE;
    }
    lapses
}

fn later(passed: u64, delta: Duration) -> u64 {
    passed.saturating_add(nanoseconds(delta))
}

/// 500 years at most.
fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn ticks(deltas: &[f32], mut lapses: impl FnMut(Duration) -> bool) -> Vec<bool> {
        deltas.iter().map(|delta| lapses(Duration::from_secs_f32(*delta))).collect()
    }

    #[test]
    fn a_timer_lapses_again_and_again() {
        let mut passed = 0;
        let found = ticks(&[0.5, 0.75, 0.5, 0.5, 3.0], |it| has_lapsed(&mut passed, it, SECOND));
        assert_eq!(found, [false, true, false, true, true]);
        assert!(has_lapsed(&mut passed, Duration::ZERO, Duration::ZERO));
    }

    #[test]
    fn a_delay_lapses_once_whatever_its_length_becomes() {
        let mut passed = 0;
        let found = ticks(&[0.5, 0.5, 0.5], |it| lapses_once(&mut passed, it, SECOND));
        assert_eq!(found, [false, true, false]);
        assert!(!lapses_once(&mut passed, SECOND, SECOND * 5));
    }
}
