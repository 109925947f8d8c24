//! Runs the bytecode of a conversion for one value.

use super::bytecode::{Bytecode, Op};
use super::fast_path::append;
use super::migrate::Migration;
use super::numbers;
use super::wire_format::{self, Malformed, VARIANT};

/// The maximum nesting depth of values, limited by the stack. Each level of a recursive type counts
/// twice.
pub(crate) const MAX_NESTING: usize = 200;

/// Maps an old entity's bits to the new entity's. The error is the reason why there is none.
pub type Entities<'a> = dyn FnMut(u64) -> Result<u64, String> + 'a;

/// A value cannot be converted.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ConvertError {
    /// The bytes are not a value of the type.
    #[error("{path}: byte {offset}: expected {expected} of a `{from}`; the snapshot is damaged")]
    Malformed { path: String, offset: usize, expected: &'static str, from: String },
    /// A number out of range, or with a fraction.
    #[error(
        "{path}: {value} of type `{from}` does not fit into `{to}`: choose a type that can hold it, or write a \
         `migrate` function"
    )]
    DoesNotFit { path: String, value: String, from: String, to: String },
    /// `None`, but the reader's type requires a value.
    #[error(
        "{path}: `None` of type `{from}` cannot become `{to}`: give the field a default, or keep the option"
    )]
    NoValue { path: String, from: String, to: String },
    /// A list of another length.
    #[error(
        "{path}: {found} items of `{from}`, but `{to}` has {expected}: use a `Vec`, or write a `migrate` function"
    )]
    Length { path: String, found: u64, expected: u64, from: String, to: String },
    /// A variant that was removed.
    #[error(
        "{path}: the variant `{from}` is no longer in `{to}`: keep it, name its successor with \
         `#[persist(rename = \"…\")]`, or mark one with `#[persist(fallback)]`"
    )]
    Variant { path: String, from: String, to: String },
    /// An entity that does not exist.
    #[error("{path}: entity {entity:#x}: {reason}")]
    Entity { path: String, entity: u64, reason: String },
    /// Values are nested deeper than [`MAX_NESTING`].
    #[error("{path}: values are nested deeper than {MAX_NESTING}: keep them in a list")]
    TooDeep { path: String },
    /// The `migrate` function returned an error, or a value that does not fit.
    #[error("{path}: migration to version {version} of `{to}`: {reason}")]
    Migration { path: String, to: String, version: u32, reason: String },
}

/// Why an operation failed.
pub(crate) enum Failure {
    Malformed(Malformed, usize),
    DoesNotFit(String),
    NoValue,
    Length(u64, u64),
    Variant,
    Entity(u64, String),
    TooDeep,
    Migration(u32, String),
}

/// A failure and the index of its operation.
type Failed = Box<(Failure, usize)>;

/// The conversion of one value.
pub(crate) struct Interpreter<'a, 'e> {
    pub bytecode: &'a Bytecode,
    pub migrations: &'a mut [Migration],
    pub marks: &'a mut Vec<usize>,
    pub input: &'a [u8],
    pub at: usize,
    pub out: &'a mut Vec<u8>,
    pub entities: &'a mut Entities<'e>,
    /// The start of the unwritten range of `input`, which ends at `at`.
    pub from: usize,
    pub depth: usize,
    /// How many more items without content are allowed.
    pub empty_items: u64,
}

impl Interpreter<'_, '_> {
    /// Converts one value. On an error the caller has to truncate `out`.
    pub fn convert(&mut self) -> Result<(), ConvertError> {
        match self.run(0, self.bytecode.main, 0) {
            Ok(()) => {
                self.flush();
                Ok(())
            }
            Err(failed) => Err(self.explain(*failed)),
        }
    }

    #[inline(always)]
    fn flush(&mut self) {
        if self.from < self.at {
            append(self.out, self.input, self.from, self.at);
            self.from = self.at;
        }
    }

    #[inline(always)]
    fn constant(&mut self, start: u32, len: u32) {
        let (start, len) = (start as usize, len as usize);
        append(self.out, &self.bytecode.consts, start, start + len);
    }

    /// Counts items without content.
    fn empty(&mut self, count: u64) -> Result<(), Malformed> {
        let left = self.empty_items.checked_sub(count);
        self.empty_items = left.ok_or(Malformed("fewer empty items"))?;
        Ok(())
    }

    fn body(&mut self, start: usize, end: usize, base: usize, op: usize) -> Result<(), Failed> {
        if self.depth == MAX_NESTING {
            return Err(Box::new((Failure::TooDeep, op)));
        }
        self.depth += 1;
        let done = self.run(start, end, base);
        self.depth -= 1;
        done
    }

    /// Runs the operations from `start` to `end`; marks are relative to `base`.
    fn run(&mut self, start: usize, end: usize, base: usize) -> Result<(), Failed> {
        let bytecode = self.bytecode;
        let input = self.input;
        let mut i = start;
        while i < end {
            let malformed = |error, at| Box::new((Failure::Malformed(error, at), i));
            match bytecode.ops[i] {
                Op::Fixed(bytes) => {
                    let rest = (input.len() - self.at) as u64;
                    if bytes > rest {
                        return Err(malformed(Malformed("more bytes"), self.at));
                    }
                    self.at += bytes as usize;
                }
                Op::Varints { count, max } => {
                    for _ in 0..count {
                        wire_format::skip_varint(input, &mut self.at, max)
                            .map_err(|error| malformed(error, self.at))?;
                    }
                }
                Op::Const { start, len } => {
                    self.flush();
                    self.constant(start, len);
                }
                Op::Flush => self.flush(),
                Op::Drop => self.from = self.at,
                Op::Bool => {
                    wire_format::flag(input, &mut self.at)
                        .map_err(|error| malformed(error, self.at))?;
                }
                Op::Str => {
                    wire_format::text(input, &mut self.at)
                        .map_err(|error| malformed(error, self.at))?;
                }
                Op::Bytes => {
                    wire_format::bytes(input, &mut self.at)
                        .map_err(|error| malformed(error, self.at))?;
                }
                Op::Char => {
                    wire_format::char(input, &mut self.at)
                        .map_err(|error| malformed(error, self.at))?;
                }
                Op::FixedItems(bytes) => {
                    let count = wire_format::count(input, &mut self.at, bytes)
                        .map_err(|error| malformed(error, self.at))?;
                    self.at += (count * bytes) as usize;
                }
                Op::Seq { min, end } => {
                    let count = wire_format::count(input, &mut self.at, min)
                        .map_err(|error| malformed(error, self.at))?;
                    if min == 0 {
                        self.empty(count).map_err(|error| malformed(error, self.at))?;
                    }
                    for _ in 0..count {
                        self.body(i + 1, end as usize, base, i)?;
                    }
                    i = end as usize;
                    continue;
                }
                Op::Repeat { count, empty, end } => {
                    if empty {
                        self.empty(count).map_err(|error| malformed(error, self.at))?;
                    }
                    for _ in 0..count {
                        self.body(i + 1, end as usize, base, i)?;
                    }
                    i = end as usize;
                    continue;
                }
                Op::Option { end } => {
                    let some = wire_format::flag(input, &mut self.at)
                        .map_err(|error| malformed(error, self.at))?;
                    if some {
                        self.body(i + 1, end as usize, base, i)?;
                    }
                    i = end as usize;
                    continue;
                }
                Op::Enum { first_arm, arms, passes } => {
                    if !passes {
                        self.flush();
                    }
                    let index = wire_format::varint(input, &mut self.at, VARIANT)
                        .map_err(|error| malformed(error, self.at))?;
                    if index >= arms.into() {
                        return Err(malformed(Malformed("the index of a variant"), self.at));
                    }
                    if !passes {
                        self.from = self.at;
                    }
                    let arm = first_arm as usize + index as usize;
                    let (start, end) =
                        (bytecode.arms[arm] as usize, bytecode.arms[arm + 1] as usize);
                    if start < end {
                        self.body(start, end, base, i)?;
                    }
                    i = bytecode.arms[(first_arm + arms) as usize] as usize;
                    continue;
                }
                Op::Call(proc) => {
                    let (start, end) = bytecode.procs[proc as usize];
                    self.body(start as usize, end as usize, base, i)?;
                }
                Op::Number { from, to } => {
                    self.flush();
                    let amount = numbers::read(input, &mut self.at, from)
                        .map_err(|error| malformed(error, self.at))?;
                    if !numbers::write(self.out, amount, to) {
                        return Err(Box::new((Failure::DoesNotFit(amount.to_string()), i)));
                    }
                    self.from = self.at;
                }
                Op::Entity => {
                    self.flush();
                    let entity = wire_format::varint(input, &mut self.at, wire_format::COUNT)
                        .map_err(|error| malformed(error, self.at))?
                        as u64;
                    let now = (self.entities)(entity)
                        .map_err(|reason| Box::new((Failure::Entity(entity, reason), i)))?;
                    wire_format::put_varint(self.out, now.into());
                    self.from = self.at;
                }
                Op::Unwrap { none, end } => {
                    self.flush();
                    let some = wire_format::flag(input, &mut self.at)
                        .map_err(|error| malformed(error, self.at))?;
                    self.from = self.at;
                    match none {
                        _ if some => self.body(i + 1, end as usize, base, i)?,
                        Some(constant) => self.constant(constant.start, constant.len),
                        None => return Err(Box::new((Failure::NoValue, i))),
                    }
                    i = end as usize;
                    continue;
                }
                Op::Exact(expected) => {
                    self.flush();
                    let found = wire_format::varint(input, &mut self.at, wire_format::COUNT)
                        .map_err(|error| malformed(error, self.at))?
                        as u64;
                    if found != expected {
                        return Err(Box::new((Failure::Length(found, expected), i)));
                    }
                    self.from = self.at;
                }
                Op::StrToChar => {
                    self.flush();
                    let text = wire_format::text(input, &mut self.at)
                        .map_err(|error| malformed(error, self.at))?;
                    if text.chars().count() != 1 {
                        return Err(Box::new((Failure::DoesNotFit(format!("{text:?}")), i)));
                    }
                    self.out.extend_from_slice(text.as_bytes());
                    self.from = self.at;
                }
                Op::CharToStr => {
                    self.flush();
                    let char = wire_format::char(input, &mut self.at)
                        .map_err(|error| malformed(error, self.at))?;
                    self.out.push(char.len_utf8() as u8);
                }
                Op::Frame { marks, end } => {
                    self.flush();
                    let base = self.marks.len();
                    self.marks.resize(base + marks as usize, self.at);
                    self.body(i + 1, end as usize, base, i)?;
                    self.marks.truncate(base);
                    i = end as usize;
                    continue;
                }
                Op::Mark(mark) => self.marks[base + mark as usize] = self.at,
                Op::Seek(mark) => {
                    self.flush();
                    self.at = self.marks[base + mark as usize];
                    self.from = self.at;
                }
                Op::Migrate(index) => {
                    self.flush();
                    self.migrations[index as usize]
                        .run(input, &mut self.at, self.out, self.entities)
                        .map_err(|failure| Box::new((failure, i)))?;
                    self.from = self.at;
                }
                Op::Fail => return Err(Box::new((Failure::Variant, i))),
            }
            i += 1;
        }
        Ok(())
    }

    #[cold]
    fn explain(&self, (failure, op): (Failure, usize)) -> ConvertError {
        let site = self.bytecode.op_sites.get(op).map(|site| *site as usize);
        let site = site.and_then(|site| self.bytecode.sites.get(site)).cloned().unwrap_or_default();
        let (path, from, to) = (site.path, site.from, site.to);
        let path = if path.is_empty() { "the value".to_owned() } else { path };
        match failure {
            Failure::Malformed(Malformed(expected), offset) => {
                ConvertError::Malformed { path, offset, expected, from }
            }
            Failure::DoesNotFit(value) => ConvertError::DoesNotFit { path, value, from, to },
            Failure::NoValue => ConvertError::NoValue { path, from, to },
            Failure::Length(found, expected) => {
                ConvertError::Length { path, found, expected, from, to }
            }
            Failure::Variant => ConvertError::Variant { path, from, to },
            Failure::Entity(entity, reason) => ConvertError::Entity { path, entity, reason },
            Failure::TooDeep => ConvertError::TooDeep { path },
            Failure::Migration(version, reason) => {
                ConvertError::Migration { path, to, version, reason }
            }
        }
    }
}
