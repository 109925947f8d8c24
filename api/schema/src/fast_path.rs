//! The steps of plain values: numbers and truth values, kept, converted, left out, in any order.
//!
//! They are done without calls and with the positions in registers. Whatever is unusual is left to
//! [`Run`](super::interpreter::Run), which does the value again and says what is wrong.

use super::bytecode::{Op, Program};
use super::numbers;
use super::schema::Number;
use super::wire_format;

/// How many bytes are copied where there are fewer, since a copy of constant length is faster.
const CHUNK: usize = 32;

/// Appends `input[from..to]`.
#[inline(always)]
pub(crate) fn append(out: &mut Vec<u8>, input: &[u8], from: usize, to: usize) {
    let chunk = input.get(from..).and_then(<[u8]>::first_chunk::<CHUNK>);
    match (chunk, to.checked_sub(from)) {
        (Some(chunk), Some(len @ ..=CHUNK)) => {
            out.extend_from_slice(chunk);
            out.truncate(out.len() - (CHUNK - len));
        }
        _ => out.extend_from_slice(input.get(from..to).unwrap_or(&[])),
    }
}

/// Several steps in one, done in the order of the fields; it takes fewer jumps.
#[derive(Clone, Debug, Default)]
struct Piece {
    /// Goes on at a remembered position.
    seek: Option<u32>,
    /// Remembers the position.
    mark: Option<u32>,
    /// Passes bytes.
    fixed: u64,
    /// Passes integers whose first byte is at most `max`.
    varints: u64,
    max: u8,
    /// Passes a truth value.
    bool: bool,
    /// Leaves out what was passed.
    drop: bool,
    /// Writes what was passed.
    flush: bool,
    /// Converts a number.
    number: Option<(Number, Number)>,
    /// Writes constant bytes.
    start: usize,
    len: usize,
    /// Does something else than to pass numbers and write constant bytes.
    rare: bool,
    /// How far the piece is filled.
    stage: u8,
}

/// The way of plain values.
#[derive(Clone, Debug, Default)]
pub(crate) struct Quick {
    pieces: Vec<Piece>,
    /// The most bytes that a value becomes, and a chunk.
    room: usize,
    marks: Vec<usize>,
    number: Vec<u8>,
}

/// The most room for values that go the quick way.
const ROOM_MAX: u64 = 1024;
/// The room of most of them, which is made at once.
const ROOM: usize = 96;
/// For how many values room is made at a time.
const BLOCK: usize = 32;

impl Quick {
    /// The quick way of `program`, if it knows all of the steps.
    pub fn of(program: &Program) -> Option<Self> {
        let mut quick = Self { number: Vec::with_capacity(17), ..Self::default() };
        let mut room = 0_u64;
        for op in program.ops.get(..program.main)? {
            match *op {
                Op::Seek(mark) => quick.piece(1).seek = Some(mark),
                Op::Mark(mark) => quick.piece(2).mark = Some(mark),
                Op::Fixed(bytes) => {
                    quick.piece(3).fixed = bytes;
                    room = room.saturating_add(bytes);
                }
                Op::Varints { count, max } => {
                    let piece = quick.piece(4);
                    (piece.varints, piece.max) = (count, max);
                    room = room.saturating_add(count.saturating_mul(17));
                }
                Op::Bool => {
                    quick.piece(5).bool = true;
                    room = room.saturating_add(1);
                }
                Op::Drop => quick.piece(6).drop = true,
                Op::Flush => quick.piece(7).flush = true,
                Op::Frame { marks, .. } if quick.marks.is_empty() => {
                    quick.marks = vec![0; marks as usize];
                    quick.piece(7).flush = true;
                }
                Op::Number { from, to } => {
                    quick.piece(8).number = Some((from, to));
                    room = room.saturating_add(17);
                }
                Op::Const { start, len } => {
                    let piece = quick.piece(9);
                    (piece.start, piece.len) = (start as usize, len as usize);
                    room = room.saturating_add(len.into());
                }
                _ => return None,
            }
        }
        quick.room = (room.min(ROOM_MAX) as usize + CHUNK).max(ROOM);
        (room <= ROOM_MAX).then_some(quick)
    }

    /// A piece that is not yet filled up to `stage`, and is now.
    fn piece(&mut self, stage: u8) -> &mut Piece {
        if self.pieces.last().is_none_or(|piece| piece.stage >= stage) {
            self.pieces.push(Piece::default());
        }
        let last = self.pieces.len() - 1;
        self.pieces[last].stage = stage;
        self.pieces[last].rare |= !matches!(stage, 3 | 4 | 9);
        &mut self.pieces[last]
    }

    /// Converts a value and tells where it ends; `None` if something is wrong with it.
    pub fn one(&mut self, consts: &[u8], input: &[u8], out: &mut Vec<u8>) -> Option<usize> {
        let before = out.len();
        if self.room == ROOM {
            out.extend_from_slice(&[0; ROOM]);
        } else {
            out.resize(before + self.room, 0);
        }
        let mut ends = (0, before);
        let done = self.steps(consts, input, out, &mut ends);
        out.truncate(if done.is_some() { ends.1 } else { before });
        done.map(|()| ends.0)
    }

    /// Converts up to `count` values; tells how many, and where they end. The next one, if any is
    /// left, has something wrong with it.
    pub fn many(
        &mut self,
        consts: &[u8],
        input: &[u8],
        out: &mut Vec<u8>,
        count: usize,
    ) -> (usize, usize) {
        let mut ends = (0, out.len());
        let mut left = count;
        while left > 0 {
            let block = left.min(BLOCK);
            out.resize(ends.1 + self.room * block, 0);
            for i in 0..block {
                let before = ends;
                if self.steps(consts, input, out, &mut ends).is_none() {
                    out.truncate(before.1);
                    return (count - left + i, before.0);
                }
            }
            left -= block;
        }
        out.truncate(ends.1);
        (count, ends.0)
    }

    /// Converts the value at `input[ends.0..]` to `out[ends.1..]`, and moves both on.
    #[inline(always)]
    fn steps(
        &mut self,
        consts: &[u8],
        input: &[u8],
        out: &mut [u8],
        ends: &mut (usize, usize),
    ) -> Option<()> {
        let (mut at, mut to) = *ends;
        let mut from = at;
        for piece in &self.pieces {
            if piece.rare {
                if let Some(mark) = piece.seek {
                    copy(out, &mut to, input, from, at)?;
                    at = *self.marks.get(mark as usize)?;
                    from = at;
                }
                if let Some(mark) = piece.mark {
                    *self.marks.get_mut(mark as usize)? = at;
                }
            }
            if piece.fixed > (input.len() - at) as u64 {
                return None;
            }
            at += piece.fixed as usize;
            for _ in 0..piece.varints {
                wire_format::skip_varint(input, &mut at, piece.max).ok()?;
            }
            if piece.rare {
                if piece.bool {
                    wire_format::flag(input, &mut at).ok()?;
                }
                if piece.drop {
                    from = at;
                }
                if piece.flush {
                    copy(out, &mut to, input, from, at)?;
                    from = at;
                }
                if let Some(types) = piece.number {
                    copy(out, &mut to, input, from, at)?;
                    if types == (Number::F32, Number::F64) {
                        let single = f32::from_le_bytes(*input.get(at..)?.first_chunk()?);
                        *out.get_mut(to..)?.first_chunk_mut()? = f64::from(single).to_le_bytes();
                        (at, to) = (at + 4, to + 8);
                    } else {
                        self.number.clear();
                        let amount = numbers::read(input, &mut at, types.0).ok()?;
                        if !numbers::write(&mut self.number, amount, types.1) {
                            return None;
                        }
                        copy(out, &mut to, &self.number, 0, self.number.len())?;
                    }
                    from = at;
                }
            }
            if piece.len > 0 {
                copy(out, &mut to, input, from, at)?;
                from = at;
                copy(out, &mut to, consts, piece.start, piece.start + piece.len)?;
            }
        }
        copy(out, &mut to, input, from, at)?;
        *ends = (at, to);
        Some(())
    }
}

/// Copies `input[from..end]` to `out[to..]`, and what is behind it: there is room for a chunk.
#[inline(always)]
fn copy(out: &mut [u8], to: &mut usize, input: &[u8], from: usize, end: usize) -> Option<()> {
    let len = end - from;
    if len == 0 {
        return Some(());
    }
    if len <= CHUNK
        && let Some(input) = input.get(from..from + CHUNK)
    {
        out.get_mut(*to..*to + CHUNK)?.copy_from_slice(input);
    } else {
        out.get_mut(*to..*to + len)?.copy_from_slice(input.get(from..end)?);
    }
    *to += len;
    Some(())
}

impl Program {
    /// Makes room behind the constants for copies of whole chunks.
    pub fn finish(&mut self) {
        self.consts.extend_from_slice(&[0; CHUNK]);
    }
}
