//! A conversion as a flat list of operations.
//!
//! Most operations only advance in the input. The bytes between the start of the unwritten range
//! and the current position are copied in one piece as soon as an operation writes something else
//! or drops something.

use super::schema::Number;
use super::wire_format;

/// One operation. `end` is the index of the operation after the body, which follows it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Op {
    /// Advances by a number of bytes.
    Fixed(u64),
    /// Advances past `count` integers whose first byte is at most `max`.
    Varints { count: u64, max: u8 },
    /// Advances past a `bool`.
    Bool,
    /// Advances past a `char`.
    Char,
    /// Advances past bytes with a length prefix.
    Bytes,
    /// Advances past a string.
    Str,
    /// Advances past a count and items of this many bytes each.
    FixedItems(u64),
    /// Advances past a count and runs the body as often; an item has at least `min` bytes.
    Seq { min: u64, end: u32 },
    /// Runs the body `count` times; `empty` if the body may advance by no bytes.
    Repeat { count: u64, empty: bool, end: u32 },
    /// Advances past an option's first byte and runs the body if there is a value.
    Option { end: u32 },
    /// Reads a variant's index and runs its arm; keeps the index (`passes`) if no variant moved.
    Enum { first_arm: u32, arms: u32, passes: bool },
    /// Runs a procedure.
    Call(u32),
    /// Writes the unwritten range.
    Flush,
    /// Drops the unwritten range.
    Drop,
    /// Writes constant bytes.
    Const { start: u32, len: u32 },
    /// Converts a number.
    Number { from: Number, to: Number },
    /// Maps an entity.
    Entity,
    /// Drops an option's first byte and runs the body; for `None`, writes the constant `none`, or
    /// fails if there is no default.
    Unwrap { none: Option<Constant>, end: u32 },
    /// Drops a count, which must have this value.
    Exact(u64),
    /// Writes the only character of a string.
    StrToChar,
    /// Writes a character as a string.
    CharToStr,
    /// Runs the body with room for `marks` positions.
    Frame { marks: u32, end: u32 },
    /// Saves the position.
    Mark(u32),
    /// Continues at a saved position.
    Seek(u32),
    /// Upgrades the value with a `migrate` function.
    Migrate(u32),
    /// Fails: the value cannot be converted.
    Fail,
}

/// A range of the constant bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Constant {
    pub start: u32,
    pub len: u32,
}

/// The part of a value that an operation converts, for error messages.
#[derive(Clone, Debug, Default)]
pub(crate) struct Site {
    pub path: String,
    pub from: String,
    pub to: String,
}

/// The operations of one conversion.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bytecode {
    pub ops: Vec<Op>,
    /// For each operation, the index of its site.
    pub op_sites: Vec<u32>,
    pub sites: Vec<Site>,
    pub consts: Vec<u8>,
    /// The starts of the enums' arms; each list is followed by its end.
    pub arms: Vec<u32>,
    /// Start and end of each procedure.
    pub procs: Vec<(u32, u32)>,
    /// The number of operations before the first procedure.
    pub main: usize,
    /// Operations before this index are not merged with later ones.
    barrier: usize,
    /// The barriers of the open bodies.
    barriers: Vec<usize>,
    /// The site of operations that are added next.
    pub site: u32,
}

impl Bytecode {
    /// The index of the next operation, as a jump target.
    pub fn label(&mut self) -> u32 {
        self.barrier = self.ops.len();
        self.ops.len() as u32
    }

    pub fn push(&mut self, op: Op) {
        self.ops.push(op);
        self.op_sites.push(self.site);
    }

    /// The last operation, if the next one may be merged with it.
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

    /// Begins an operation with a body.
    pub fn open(&mut self, op: Op) -> usize {
        self.barriers.push(self.barrier);
        self.push(op);
        self.label();
        self.ops.len() - 1
    }

    /// Ends the body of the operation at `opened`, and merges both into one operation if possible.
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
