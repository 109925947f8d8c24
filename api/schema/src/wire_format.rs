//! bincode's standard configuration, byte by byte.
//!
//! `u8`, `i8`, `bool` are one byte; `f32` and `f64` their bytes, the lowest first; other integers
//! are one byte up to 250, else a byte that says how many follow, signed ones in zigzag order; a
//! `char` is UTF-8; counts and lengths are written as `u64`, variants as `u32`.

use super::schema::Number;

/// What was expected where the bytes were something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed(pub &'static str);

/// First byte of an integer of two bytes; the next ones stand for four, eight and sixteen.
const TWO_BYTES: u8 = 251;
/// The largest first byte of a count.
pub(crate) const COUNT: u8 = 253;
/// The largest first byte of a variant's index.
pub(crate) const VARIANT: u8 = 252;

/// How a number is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// As its own bytes.
    Fixed(usize),
    /// Its size depends on the value; the first byte is at most this.
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

/// The next `len` bytes.
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

/// Goes past an integer whose first byte is at most `max`.
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

/// The next integer, whose first byte is at most `max`.
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

/// The next count. One that the rest of the bytes cannot hold, at `min` bytes an item, is refused
/// before anything is done for it.
#[inline(always)]
pub(crate) fn count(input: &[u8], at: &mut usize, min: u64) -> Result<u64, Malformed> {
    let count = varint(input, at, COUNT)? as u64;
    let rest = (input.len() - *at) as u64;
    let most = rest.checked_div(min).unwrap_or(EMPTY_ITEMS_MAX);
    if count > most { Err(Malformed("a smaller count")) } else { Ok(count) }
}

/// How many items without content a value may have in all: nothing in the bytes bounds their count.
pub(crate) const EMPTY_ITEMS_MAX: u64 = 1 << 16;

/// The next bytes behind their count.
#[inline(always)]
pub(crate) fn bytes<'a>(input: &'a [u8], at: &mut usize) -> Result<&'a [u8], Malformed> {
    let len = count(input, at, 1)?;
    take(input, at, len as usize, "as many bytes as their count says")
}

/// The next text.
#[inline(always)]
pub(crate) fn text<'a>(input: &'a [u8], at: &mut usize) -> Result<&'a str, Malformed> {
    std::str::from_utf8(bytes(input, at)?).map_err(|_| Malformed("text in UTF-8"))
}

/// The next truth value, or the byte that says whether an option has a value.
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

/// The next character.
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
