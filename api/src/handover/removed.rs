//! A reader of removals that continues at its predecessor's position.

use bevy::ecs::component::{ComponentId, ComponentIdFor};
use bevy::ecs::lifecycle::{RemovedComponentEntity, RemovedComponentMessages};
use bevy::ecs::system::SystemParam;
use bevy::prelude::*;

use super::{Handover, Inherited};

/// A reader's position among the removals of a component.
#[derive(Debug, Default)]
pub struct Position {
    pub component: Option<ComponentId>,
    /// The number of removals that were read or skipped.
    pub seen: usize,
    /// Later removals belong to the move of the values to another component.
    pub until: Option<usize>,
}

/// A reader's position, and that of its predecessor if that read another component.
#[derive(Debug, Default)]
pub struct Seen {
    own: Position,
    before: Option<Position>,
}

impl Handover for Seen {
    type HandedOver = Position;

    fn hand_over(self) -> Option<Position> {
        Some(self.own)
    }

    fn take_over(from: Position) -> Option<Self> {
        Some(match from.until {
            Some(_) => Self { own: Position::default(), before: Some(from) },
            None => Self { own: from, before: None },
        })
    }
}

/// Reads each removal of component `T` once, even if its system is swapped in between.
///
/// Replaces Bevy's [`bevy::prelude::RemovedComponents`].
#[derive(SystemParam)]
pub struct RemovedComponents<'w, 's, T: Component> {
    id: ComponentIdFor<'s, T>,
    seen: Local<'s, Inherited<Seen>>,
    removals: &'w RemovedComponentMessages,
}

impl<T: Component> RemovedComponents<'_, '_, T> {
    /// The entities of the removals that this reader has not read yet.
    pub fn read(&mut self) -> impl Iterator<Item = Entity> + '_ {
        let id = self.id.get();
        let seen = self.seen.get_mut();
        let before = seen.before.take().and_then(|before| {
            let (from, until) = (before.seen, before.until?);
            Some(unread(self.removals.get(before.component?)?, from, until))
        });
        if seen.own.component != Some(id) {
            seen.own = Position { component: Some(id), ..Position::default() };
        }
        let own = self.removals.get(id).map(|removals| {
            let (from, until) = (seen.own.seen, count(removals));
            seen.own.seen = until;
            unread(removals, from, until)
        });
        before.into_iter().flatten().chain(own.into_iter().flatten())
    }

    /// True when there is nothing to read.
    pub fn is_empty(&mut self) -> bool {
        let id = self.id.get();
        let seen = self.seen.get();
        let own = if seen.own.component == Some(id) { seen.own.seen } else { 0 };
        let rest = |id, from, until: Option<usize>| {
            let removals: Option<&Messages<RemovedComponentEntity>> = self.removals.get(id);
            removals.is_none_or(|removals| {
                unread(removals, from, until.unwrap_or(count(removals))).next().is_none()
            })
        };
        let before = seen.before.as_ref();
        let before = before.and_then(|before| Some((before.component?, before.seen, before.until)));
        rest(id, own, None) && before.is_none_or(|(id, from, until)| rest(id, from, until))
    }
}

/// The number of removals since the start, including those that are no longer buffered.
pub fn count(removals: &Messages<RemovedComponentEntity>) -> usize {
    removals.oldest_message_count() + removals.len()
}

fn unread(
    removals: &Messages<RemovedComponentEntity>,
    from: usize,
    until: usize,
) -> impl Iterator<Item = Entity> {
    let oldest = removals.oldest_message_count();
    let range = from.max(oldest)..until.min(count(removals));
    range.filter_map(|at| removals.get_message(at)).map(|(removed, _)| removed.clone().into())
}
