//! Converts numbers between types, exactly or not at all.

use std::fmt;

use super::schema::Number;
use super::wire_format::{Malformed, Written, put_varint, take, unzigzag, varint, zigzag};

/// A value of any numeric type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Amount {
    Int(i128),
    UInt(u128),
    F32(f32),
    F64(f64),
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(value) => value.fmt(f),
            Self::UInt(value) => value.fmt(f),
            Self::F32(value) => write!(f, "{value:?}"),
            Self::F64(value) => write!(f, "{value:?}"),
        }
    }
}

/// True if every value of `from` fits into `to`, so that values need no check.
pub(crate) fn always_fits(from: Number, to: Number) -> bool {
    let (from, to) = (Range::of(from), Range::of(to));
    from.bits <= to.bits && (to.float || !from.float) && (to.signed || !from.signed)
}

/// The number of exact bits of a type, without the sign.
struct Range {
    bits: u32,
    signed: bool,
    float: bool,
}

impl Range {
    fn of(number: Number) -> Self {
        let (bits, signed, float) = match number {
            Number::U8 => (8, false, false),
            Number::U16 => (16, false, false),
            Number::U32 => (32, false, false),
            Number::U64 => (64, false, false),
            Number::U128 => (128, false, false),
            Number::I8 => (7, true, false),
            Number::I16 => (15, true, false),
            Number::I32 => (31, true, false),
            Number::I64 => (63, true, false),
            Number::I128 => (127, true, false),
            Number::F32 => (24, true, true),
            Number::F64 => (53, true, true),
        };
        Self { bits, signed, float }
    }
}

/// True if every value has the same encoding under both types.
pub(crate) fn same_bytes(from: Number, to: Number) -> bool {
    let varints =
        matches!((from.written(), to.written()), (Written::Varint(_), Written::Varint(_)));
    from == to || varints && always_fits(from, to) && Range::of(from).signed == Range::of(to).signed
}

/// Reads a number of type `number`.
#[inline]
pub(crate) fn read(input: &[u8], at: &mut usize, number: Number) -> Result<Amount, Malformed> {
    Ok(match number.written() {
        Written::Varint(max) => {
            let value = varint(input, at, max)?;
            if Range::of(number).signed {
                Amount::Int(unzigzag(value))
            } else {
                Amount::UInt(value)
            }
        }
        Written::Fixed(len) => {
            let mut bytes = [0; 8];
            bytes[..len].copy_from_slice(take(input, at, len, "a number")?);
            let [first, b, c, d, ..] = bytes;
            match number {
                Number::I8 => Amount::Int(i8::from_le_bytes([first]).into()),
                Number::F32 => Amount::F32(f32::from_le_bytes([first, b, c, d])),
                Number::F64 => Amount::F64(f64::from_le_bytes(bytes)),
                _ => Amount::UInt(first.into()),
            }
        }
    })
}

/// Appends `amount` as a `to`; returns false and appends nothing if it does not fit.
///
/// Integers and whole floating-point numbers must be representable exactly; from double to single
/// precision, values are rounded if they stay finite.
#[inline]
pub(crate) fn write(out: &mut Vec<u8>, amount: Amount, to: Number) -> bool {
    match to {
        Number::F32 => match to_f32(amount) {
            Some(value) => out.extend_from_slice(&value.to_le_bytes()),
            None => return false,
        },
        Number::F64 => match to_f64(amount) {
            Some(value) => out.extend_from_slice(&value.to_le_bytes()),
            None => return false,
        },
        _ => return write_integer(out, amount, to),
    }
    true
}

fn write_integer(out: &mut Vec<u8>, amount: Amount, to: Number) -> bool {
    let range = Range::of(to);
    if range.signed {
        let value = match amount {
            Amount::Int(value) => Some(value),
            Amount::UInt(value) => value.try_into().ok(),
            Amount::F32(value) => whole(value.into()),
            Amount::F64(value) => whole(value),
        };
        let Some(value) =
            value.filter(|value| in_bits(value.unsigned_abs(), *value < 0, range.bits))
        else {
            return false;
        };
        match to {
            Number::I8 => out.extend_from_slice(&(value as i8).to_le_bytes()),
            _ => put_varint(out, zigzag(value)),
        }
    } else {
        let value = match amount {
            Amount::Int(value) => value.try_into().ok(),
            Amount::UInt(value) => Some(value),
            Amount::F32(value) => whole_unsigned(value.into()),
            Amount::F64(value) => whole_unsigned(value),
        };
        let Some(value) = value.filter(|value| in_bits(*value, false, range.bits)) else {
            return false;
        };
        match to {
            Number::U8 => out.push(value as u8),
            _ => put_varint(out, value),
        }
    }
    true
}

/// True if the value fits into `bits` bits; the range of negative values is larger by one.
fn in_bits(magnitude: u128, negative: bool, bits: u32) -> bool {
    let magnitude = if negative { magnitude - 1 } else { magnitude };
    128 - magnitude.leading_zeros() <= bits
}

fn whole(value: f64) -> Option<i128> {
    let limit = 2f64.powi(127);
    (value.trunc() == value && (-limit..limit).contains(&value)).then_some(value as i128)
}

fn whole_unsigned(value: f64) -> Option<u128> {
    (value.trunc() == value && (0.0..2f64.powi(128)).contains(&value)).then_some(value as u128)
}

/// True if the integer has at most `bits` significant bits.
fn exact(magnitude: u128, bits: u32) -> bool {
    magnitude == 0 || 128 - magnitude.leading_zeros() - magnitude.trailing_zeros() <= bits
}

fn to_f32(amount: Amount) -> Option<f32> {
    match amount {
        Amount::Int(value) => exact(value.unsigned_abs(), 24).then_some(value as f32),
        Amount::UInt(value) => exact(value, 24).then_some(value as f32),
        Amount::F32(value) => Some(value),
        Amount::F64(value) => {
            let single = value as f32;
            (single.is_finite() || !value.is_finite()).then_some(single)
        }
    }
}

fn to_f64(amount: Amount) -> Option<f64> {
    match amount {
        Amount::Int(value) => exact(value.unsigned_abs(), 53).then_some(value as f64),
        Amount::UInt(value) => exact(value, 53).then_some(value as f64),
        Amount::F32(value) => Some(value.into()),
        Amount::F64(value) => Some(value),
    }
}
