//! The fast path for simple conversions: numbers and `bool`s that are kept, converted, dropped or
//! reordered.
//!
//! It runs without calls and keeps the positions in registers. On anything unexpected it gives up,
//! and [`Interpreter`](super::interpreter::Interpreter) converts the value again and returns the
//! error.

use super::bytecode::{Bytecode, Op};
use super::numbers;
use super::schema::Number;
use super::wire_format;

/// Shorter copies are extended to this many bytes, since a copy of constant length is faster.
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

/// Several operations merged into one to save jumps; they run in the order of the fields.
#[derive(Clone, Debug, Default)]
struct Piece {
    /// Continues at a saved position.
    seek: Option<u32>,
    /// Saves the position.
    mark: Option<u32>,
    /// Advances by this many bytes.
    fixed: u64,
    /// Advances past this many integers whose first byte is at most `max`.
    varints: u64,
    max: u8,
    /// Advances past a `bool`.
    bool: bool,
    /// Drops the unwritten range.
    drop: bool,
    /// Writes the unwritten range.
    flush: bool,
    /// Converts a number.
    number: Option<(Number, Number)>,
    /// Writes constant bytes.
    start: usize,
    len: usize,
    /// The piece does more than advance past numbers and write constant bytes.
    rare: bool,
    /// The last part that was set, in the order of the fields.
    stage: u8,
}

/// A conversion compiled to pieces.
#[derive(Clone, Debug, Default)]
pub(crate) struct FastPath {
    pieces: Vec<Piece>,
    /// The maximum size of a converted value plus one chunk, in bytes.
    room: usize,
    marks: Vec<usize>,
    number: Vec<u8>,
}

/// The maximum size of a converted value on the fast path, in bytes.
const ROOM_MAX: u64 = 1024;
/// The usual room for a value; a constant length is faster to reserve.
const ROOM: usize = 96;
/// The number of values that room is reserved for at a time.
const BLOCK: usize = 32;

impl FastPath {
    /// Compiles `bytecode`; `None` if it contains operations that the fast path does not support.
    pub fn of(bytecode: &Bytecode) -> Option<Self> {
        let mut fast_path = Self { number: Vec::with_capacity(17), ..Self::default() };
        let mut room = 0_u64;
        for op in bytecode.ops.get(..bytecode.main)? {
            match *op {
                Op::Seek(mark) => fast_path.piece(1).seek = Some(mark),
                Op::Mark(mark) => fast_path.piece(2).mark = Some(mark),
                Op::Fixed(bytes) => {
                    fast_path.piece(3).fixed = bytes;
                    room = room.saturating_add(bytes);
                }
                Op::Varints { count, max } => {
                    let piece = fast_path.piece(4);
                    (piece.varints, piece.max) = (count, max);
                    room = room.saturating_add(count.saturating_mul(17));
                }
                Op::Bool => {
                    fast_path.piece(5).bool = true;
                    room = room.saturating_add(1);
                }
                Op::Drop => fast_path.piece(6).drop = true,
                Op::Flush => fast_path.piece(7).flush = true,
                Op::Frame { marks, .. } if fast_path.marks.is_empty() => {
                    fast_path.marks = vec![0; marks as usize];
                    fast_path.piece(7).flush = true;
                }
                Op::Number { from, to } => {
                    fast_path.piece(8).number = Some((from, to));
                    room = room.saturating_add(17);
                }
                Op::Const { start, len } => {
                    let piece = fast_path.piece(9);
                    (piece.start, piece.len) = (start as usize, len as usize);
                    room = room.saturating_add(len.into());
                }
                _ => return None,
            }
        }
        fast_path.room = (room.min(ROOM_MAX) as usize + CHUNK).max(ROOM);
        (room <= ROOM_MAX).then_some(fast_path)
    }

    /// The last piece if its parts from `stage` on are unset, else a new one.
    fn piece(&mut self, stage: u8) -> &mut Piece {
        if self.pieces.last().is_none_or(|piece| piece.stage >= stage) {
            self.pieces.push(Piece::default());
        }
        let last = self.pieces.len() - 1;
        self.pieces[last].stage = stage;
        self.pieces[last].rare |= !matches!(stage, 3 | 4 | 9);
        &mut self.pieces[last]
    }

    /// Converts one value and returns its end in `input`; `None` for the interpreter to report an
    /// error.
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

    /// Converts up to `count` values; returns how many, and their end in `input`. If that is fewer
    /// than `count`, the next value is for the interpreter to report an error.
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

    /// Converts the value at `input[ends.0..]` to `out[ends.1..]`, and advances both.
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

/// Copies `input[from..end]` to `out[to..]`. May write up to a chunk, which `out` has room for.
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

impl Bytecode {
    /// Pads the constants, so that whole chunks can be copied from them.
    pub fn finish(&mut self) {
        self.consts.extend_from_slice(&[0; CHUNK]);
    }
}
