//! A conversion as a flat list of steps.
//!
//! Most steps only go ahead in the input: what they pass is copied at once, when a step that writes
//! something else (or leaves something out) comes.

use super::schema::Number;
use super::wire_format;

/// One step. `end` is the index of the step behind the body that follows a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Op {
    /// Passes so many bytes.
    Fixed(u64),
    /// Passes so many integers whose first byte is at most `max`.
    Varints { count: u64, max: u8 },
    /// Passes a truth value.
    Bool,
    /// Passes a character.
    Char,
    /// Passes bytes behind their count.
    Bytes,
    /// Passes a text.
    Str,
    /// Passes items of so many bytes each behind their count.
    FixedItems(u64),
    /// Passes a count and does the body as often; an item has at least `min` bytes.
    Seq { min: u64, end: u32 },
    /// Does the body `count` times; `empty` if that may pass no bytes.
    Repeat { count: u64, empty: bool, end: u32 },
    /// Passes an option's first byte and does the body if there is a value.
    Option { end: u32 },
    /// Does the arm of the variant whose index comes; passes the index if no variant moved.
    Enum { first_arm: u32, arms: u32, passes: bool },
    /// Does a procedure.
    Call(u32),
    /// Writes what was passed.
    Flush,
    /// Leaves out what was passed.
    Drop,
    /// Writes constant bytes.
    Const { start: u32, len: u32 },
    /// Converts a number.
    Number { from: Number, to: Number },
    /// Exchanges an entity.
    Entity,
    /// Leaves out an option's first byte and does the body; without a value, writes a constant
    /// (by its step) and does not.
    Unwrap { none: Option<Constant>, end: u32 },
    /// Leaves out a count that must be this.
    Exact(u64),
    /// Writes the only character of a text.
    StrToChar,
    /// Writes a character as a text.
    CharToStr,
    /// Does the body with places to remember for so many positions.
    Frame { marks: u32, end: u32 },
    /// Remembers the position.
    Mark(u32),
    /// Goes on at a remembered position.
    Seek(u32),
    /// Has the author's function take the value on.
    Migrate(u32),
    /// The value cannot be converted.
    Fail,
}

/// A place among the constant bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Constant {
    pub start: u32,
    pub len: u32,
}

/// Where in a value a step is, for errors.
#[derive(Clone, Debug, Default)]
pub(crate) struct Site {
    pub path: String,
    pub from: String,
    pub to: String,
}

/// The steps of one conversion.
#[derive(Clone, Debug, Default)]
pub(crate) struct Program {
    pub ops: Vec<Op>,
    /// For each step, its site.
    pub op_sites: Vec<u32>,
    pub sites: Vec<Site>,
    pub consts: Vec<u8>,
    /// Starts of the enums' arms, each list followed by its end.
    pub arms: Vec<u32>,
    /// Start and end of the procedures.
    pub procs: Vec<(u32, u32)>,
    /// Number of steps of the value itself; the procedures follow.
    pub main: usize,
    /// Steps before this one are not merged with later ones.
    barrier: usize,
    /// The barriers before the bodies that are open.
    barriers: Vec<usize>,
    /// The site of steps to come.
    pub site: u32,
}

impl Program {
    /// The index of the next step, which may be jumped to.
    pub fn label(&mut self) -> u32 {
        self.barrier = self.ops.len();
        self.ops.len() as u32
    }

    pub fn push(&mut self, op: Op) {
        self.ops.push(op);
        self.op_sites.push(self.site);
    }

    /// The last step, if the next one may be merged with it.
    fn last(&mut self) -> Option<&mut Op> {
        if self.ops.len() > self.barrier { self.ops.last_mut() } else { None }
    }

    pub fn fixed(&mut self, bytes: u64) {
        match self.last() {
            Some(Op::Fixed(before)) => *before = before.saturating_add(bytes),
            _ => self.push(Op::Fixed(bytes)),
        }
    }

    pub fn varints(&mut self, more: u64, max: u8) {
        match self.last() {
            Some(Op::Varints { count, max: same }) if *same == max => {
                *count = count.saturating_add(more);
            }
            _ => self.push(Op::Varints { count: more, max }),
        }
    }

    pub fn number(&mut self, number: Number) {
        match number.written() {
            wire_format::Written::Fixed(len) => self.fixed(len as u64),
            wire_format::Written::Varint(max) => self.varints(1, max),
        }
    }

    pub fn add_const(&mut self, bytes: &[u8]) -> Constant {
        let start = self.consts.len() as u32;
        self.consts.extend_from_slice(bytes);
        Constant { start, len: bytes.len() as u32 }
    }

    pub fn constant(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let added = self.add_const(bytes);
        match self.last() {
            Some(Op::Const { start, len }) if *start + *len == added.start => *len += added.len,
            _ => self.push(Op::Const { start: added.start, len: added.len }),
        }
    }

    /// Begins a step with a body.
    pub fn open(&mut self, op: Op) -> usize {
        self.barriers.push(self.barrier);
        self.push(op);
        self.label();
        self.ops.len() - 1
    }

    /// Ends the body of the step at `opened`, and makes it one step where that is possible.
    pub fn close(&mut self, opened: usize) {
        let before = self.barriers.pop().unwrap_or(self.barrier);
        let end_here = self.label();
        let body = self.ops.get(opened + 1..).unwrap_or(&[]);
        let merged = match (self.ops[opened], body) {
            (Op::Seq { .. }, [Op::Fixed(bytes)]) => Some(Op::FixedItems(*bytes)),
            (Op::Repeat { .. }, []) => Some(Op::Fixed(0)),
            (Op::Repeat { count, .. }, [Op::Fixed(bytes)]) => {
                Some(Op::Fixed(bytes.saturating_mul(count)))
            }
            (Op::Repeat { count, .. }, [Op::Varints { count: each, max }]) => {
                Some(Op::Varints { count: each.saturating_mul(count), max: *max })
            }
            _ => None,
        };
        if let Some(op) = merged {
            self.ops.truncate(opened);
            self.op_sites.truncate(opened);
            self.barrier = before;
            match op {
                Op::Fixed(0) => {}
                Op::Fixed(bytes) => self.fixed(bytes),
                Op::Varints { count, max } => self.varints(count, max),
                op => self.push(op),
            }
            return;
        }
        match &mut self.ops[opened] {
            Op::Seq { end, .. }
            | Op::Repeat { end, .. }
            | Op::Option { end }
            | Op::Unwrap { end, .. }
            | Op::Frame { end, .. } => *end = end_here,
            _ => {}
        }
    }
}
