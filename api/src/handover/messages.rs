//! A message reader that continues at its predecessor's position.

use std::marker::PhantomData;

use bevy::ecs::message::MessageId;
use bevy::ecs::system::SystemParam;
use bevy::prelude::*;

use super::{Handover, Inherited};
use crate::schema::names::type_name;

/// The number of messages of a type that a reader has read or skipped.
#[derive(Debug)]
pub struct Position {
    pub type_name: &'static str,
    pub seen: usize,
}

/// A reader's position among all messages of type `M`. Bevy's own cursor cannot be set.
#[derive(Debug)]
pub struct Seen<M> {
    count: usize,
    of: PhantomData<fn() -> M>,
}

impl<M> Default for Seen<M> {
    fn default() -> Self {
        Self { count: 0, of: PhantomData }
    }
}

impl<M: Message> Handover for Seen<M> {
    type HandedOver = Position;

    fn hand_over(self) -> Option<Position> {
        Some(Position { type_name: type_name::<M>(), seen: self.count })
    }

    fn take_over(from: Position) -> Option<Self> {
        Some(Self { count: from.seen, of: PhantomData })
    }
}

/// Reads each message of type `M` once, even if its system is swapped in between.
///
/// Replaces Bevy's [`bevy::prelude::MessageReader`], with the same methods.
#[derive(SystemParam)]
pub struct MessageReader<'w, 's, M: Message> {
    seen: Local<'s, Inherited<Seen<M>>>,
    #[system_param(validation_message = "Message not initialized")]
    messages: Res<'w, Messages<M>>,
}

impl<M: Message> MessageReader<'_, '_, M> {
    /// The messages that this reader has not read yet.
    pub fn read(&mut self) -> impl ExactSizeIterator<Item = &M> {
        self.read_with_id().map(|(message, _)| message)
    }

    /// Like [`read`](Self::read), with each message's id.
    pub fn read_with_id(&mut self) -> impl ExactSizeIterator<Item = (&M, MessageId<M>)> {
        let seen = self.seen.get_mut();
        Unread { messages: &self.messages, end: end(&self.messages), seen }
    }

    /// The number of messages that [`read`](Self::read) would return.
    pub fn len(&mut self) -> usize {
        let oldest = self.messages.oldest_message_count();
        end(&self.messages) - self.seen.get().count.clamp(oldest, end(&self.messages))
    }

    /// True when there is nothing to read.
    pub fn is_empty(&mut self) -> bool {
        self.len() == 0
    }

    /// Skips all unread messages.
    pub fn clear(&mut self) {
        self.seen.get_mut().count = end(&self.messages);
    }
}

/// The id that the next message will get.
fn end<M: Message>(messages: &Messages<M>) -> usize {
    messages.oldest_message_count() + messages.len()
}

struct Unread<'a, M: Message> {
    messages: &'a Messages<M>,
    seen: &'a mut Seen<M>,
    end: usize,
}

impl<M: Message> Unread<'_, M> {
    fn next_count(&self) -> usize {
        self.seen.count.clamp(self.messages.oldest_message_count(), self.end)
    }
}

impl<'a, M: Message> Iterator for Unread<'a, M> {
    type Item = (&'a M, MessageId<M>);

    fn next(&mut self) -> Option<Self::Item> {
        let count = self.next_count();
        let next = self.messages.get_message(count);
        self.seen.count = (count + 1).min(self.end);
        next
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let unread = self.end - self.next_count();
        (unread, Some(unread))
    }
}

impl<M: Message> ExactSizeIterator for Unread<'_, M> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Message)]
    struct Note(u32);

    #[derive(Resource, Default)]
    struct Read(Vec<u32>);

    fn note(mut reader: MessageReader<Note>, mut read: ResMut<Read>) {
        let len = reader.len();
        assert_eq!(reader.read().len(), len);
        read.0.extend(reader.read().map(|note| note.0));
        assert!(reader.is_empty());
    }

    fn first(mut reader: MessageReader<Note>, mut read: ResMut<Read>) {
        read.0.extend(reader.read().next().map(|note| note.0));
    }

    fn world() -> World {
        let mut world = World::new();
        world.init_resource::<Messages<Note>>();
        world.init_resource::<Read>();
        world
    }

    fn update(world: &mut World) {
        world.resource_mut::<Messages<Note>>().update();
    }

    fn write(world: &mut World, notes: std::ops::Range<u32>) {
        world.resource_mut::<Messages<Note>>().write_batch(notes.map(Note));
    }

    fn read(world: &mut World) -> Vec<u32> {
        std::mem::take(&mut world.resource_mut::<Read>().0)
    }

    #[test]
    fn each_message_is_read_once_and_old_ones_are_missed() {
        let mut world = world();
        let mut schedule = Schedule::default();
        schedule.add_systems(note);
        write(&mut world, 0..3);
        schedule.run(&mut world);
        update(&mut world);
        write(&mut world, 3..5);
        schedule.run(&mut world);
        schedule.run(&mut world);
        assert_eq!(read(&mut world), [0, 1, 2, 3, 4]);
        write(&mut world, 5..6);
        update(&mut world);
        update(&mut world);
        write(&mut world, 6..8);
        schedule.run(&mut world);
        assert_eq!(read(&mut world), [6, 7]);
    }

    #[test]
    fn messages_not_taken_from_the_iterator_stay_unread() {
        let mut world = world();
        let mut schedule = Schedule::default();
        schedule.add_systems(first);
        write(&mut world, 0..3);
        for expected in 0..3 {
            schedule.run(&mut world);
            assert_eq!(read(&mut world), [expected]);
        }
        schedule.run(&mut world);
        assert!(read(&mut world).is_empty());
    }
}
