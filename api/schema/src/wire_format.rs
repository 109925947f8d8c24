//! The byte format of bincode's standard configuration.
//!
//! `u8`, `i8` and `bool` are one byte; `f32` and `f64` are little-endian. Other integers are
//! varints: one byte up to 250, else a byte that determines how many bytes follow; signed ones are
//! zigzag encoded. A `char` is UTF-8. Counts and lengths are encoded as `u64`, variant indices as
//! `u32`.

use super::schema::Number;

/// Unexpected bytes; contains the expected content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed(pub &'static str);

/// The first byte of a varint with two more bytes; the next values announce four, eight and
/// sixteen.
const TWO_BYTES: u8 = 251;
/// The maximum first byte of a count.
pub(crate) const COUNT: u8 = 253;
/// The maximum first byte of a variant's index.
pub(crate) const VARIANT: u8 = 252;

/// The encoding of a numeric type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// Little-endian, this many bytes.
    Fixed(usize),
    /// A varint whose first byte is at most this.
    Varint(u8),
}

impl Number {
    pub(crate) const fn written(self) -> Written {
        match self {
            Self::U8 | Self::I8 => Written::Fixed(1),
            Self::F32 => Written::Fixed(4),
            Self::F64 => Written::Fixed(8),
            Self::U16 | Self::I16 => Written::Varint(TWO_BYTES),
            Self::U32 | Self::I32 => Written::Varint(252),
            Self::U64 | Self::I64 => Written::Varint(253),
            Self::U128 | Self::I128 => Written::Varint(254),
        }
    }
}

/// Reads `len` bytes.
#[inline(always)]
pub(crate) fn take<'a>(
    input: &'a [u8],
    at: &mut usize,
    len: usize,
    expected: &'static str,
) -> Result<&'a [u8], Malformed> {
    let rest = input.get(*at..).unwrap_or(&[]);
    let taken = rest.get(..len).ok_or(Malformed(expected))?;
    *at += len;
    Ok(taken)
}

/// Advances past an integer whose first byte is at most `max`.
#[inline(always)]
pub(crate) fn skip_varint(input: &[u8], at: &mut usize, max: u8) -> Result<(), Malformed> {
    let Some(first) = input.get(*at) else { return Err(Malformed("an integer")) };
    let len = match first {
        0..TWO_BYTES => 1,
        251 => 3,
        252 => 5,
        253 => 9,
        _ => 17,
    };
    if len > 1 && (*first > max || input.len() - *at < len) {
        return Err(Malformed("an integer"));
    }
    *at += len;
    Ok(())
}

/// Reads an integer whose first byte is at most `max`.
#[inline(always)]
pub(crate) fn varint(input: &[u8], at: &mut usize, max: u8) -> Result<u128, Malformed> {
    match input.get(*at) {
        Some(small @ 0..TWO_BYTES) => {
            *at += 1;
            Ok((*small).into())
        }
        _ => {
            let start = *at + 1;
            skip_varint(input, at, max)?;
            let mut bytes = [0; 16];
            let taken = input.get(start..*at).unwrap_or(&[]);
            bytes[..taken.len()].copy_from_slice(taken);
            Ok(u128::from_le_bytes(bytes))
        }
    }
}

/// Reads a count of items of at least `min` bytes each. A count that exceeds the remaining bytes is
/// an error, so that nothing is allocated for it.
#[inline(always)]
pub(crate) fn count(input: &[u8], at: &mut usize, min: u64) -> Result<u64, Malformed> {
    let count = varint(input, at, COUNT)? as u64;
    let rest = (input.len() - *at) as u64;
    let most = rest.checked_div(min).unwrap_or(EMPTY_ITEMS_MAX);
    if count > most { Err(Malformed("a smaller count")) } else { Ok(count) }
}

/// The maximum number of items without content in a value, as the bytes do not limit it.
pub(crate) const EMPTY_ITEMS_MAX: u64 = 1 << 16;

/// Reads bytes with a length prefix.
#[inline(always)]
pub(crate) fn bytes<'a>(input: &'a [u8], at: &mut usize) -> Result<&'a [u8], Malformed> {
    let len = count(input, at, 1)?;
    take(input, at, len as usize, "as many bytes as their count")
}

/// Reads a string.
#[inline(always)]
pub(crate) fn text<'a>(input: &'a [u8], at: &mut usize) -> Result<&'a str, Malformed> {
    std::str::from_utf8(bytes(input, at)?).map_err(|_| Malformed("text in UTF-8"))
}

/// Reads a `bool`, or the first byte of an option.
#[inline(always)]
pub(crate) fn flag(input: &[u8], at: &mut usize) -> Result<bool, Malformed> {
    match input.get(*at) {
        Some(flag @ 0..=1) => {
            *at += 1;
            Ok(*flag == 1)
        }
        _ => Err(Malformed("0 or 1")),
    }
}

/// Reads a `char`.
pub(crate) fn char(input: &[u8], at: &mut usize) -> Result<char, Malformed> {
    let rest = input.get(*at..).unwrap_or(&[]);
    let len = match rest.first() {
        Some(0..0x80) => 1,
        Some(0xc0..0xe0) => 2,
        Some(0xe0..0xf0) => 3,
        _ => 4,
    };
    let bytes = rest.get(..len).and_then(|bytes| std::str::from_utf8(bytes).ok());
    let char = bytes.and_then(|text| text.chars().next()).ok_or(Malformed("a character"))?;
    *at += char.len_utf8();
    Ok(char)
}

/// Appends an integer.
#[inline]
pub(crate) fn put_varint(out: &mut Vec<u8>, value: u128) {
    let bytes = value.to_le_bytes();
    let (first, len) = match value {
        0..251 => return out.push(bytes[0]),
        251..=0xffff => (251, 2),
        0x1_0000..=0xffff_ffff => (252, 4),
        0x1_0000_0000..=0xffff_ffff_ffff_ffff => (253, 8),
        _ => (254, 16),
    };
    out.push(first);
    out.extend_from_slice(&bytes[..len]);
}

/// Signed integers in the order 0, -1, 1, -2, ….
pub(crate) const fn zigzag(value: i128) -> u128 {
    ((value << 1) ^ (value >> 127)) as u128
}

/// The inverse of [`zigzag`].
pub(crate) const fn unzigzag(value: u128) -> i128 {
    (value >> 1) as i128 ^ -((value & 1) as i128)
}
