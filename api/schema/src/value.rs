//! A dynamic value with field names, for `migrate` functions and for display.

use std::fmt;

/// A value of any type.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `()`, or a struct or variant without fields.
    Unit,
    Bool(bool),
    /// A signed integer of any size.
    Int(i128),
    /// An unsigned integer of any size.
    UInt(u128),
    F32(f32),
    F64(f64),
    Char(char),
    Str(String),
    Bytes(Vec<u8>),
    /// An entity, as its 64 bits.
    Entity(u64),
    /// `Option::None`.
    None,
    /// `Option::Some`.
    Some(Box<Self>),
    /// A list, a set or an array.
    Seq(Vec<Self>),
    /// A map: keys and values.
    Map(Vec<(Self, Self)>),
    /// A tuple, or a struct or variant with numbered fields.
    Tuple(Vec<Self>),
    /// A struct or variant with named fields.
    Struct(Vec<(String, Self)>),
    /// A variant of an enum, with its fields.
    Variant(String, Box<Self>),
    /// Data that only its own type can decode; see [`opaque`](super::opaque).
    Opaque {
        /// The type's name.
        name: String,
        /// The type's size in memory, in bytes.
        size: u64,
        /// The value in bincode.
        bytes: Vec<u8>,
    },
}

/// For `migrate` functions. Methods with a field's name work on structs and on variants with named
/// fields; for other values they find no field.
impl Value {
    fn fields(&self) -> &[(String, Self)] {
        match self {
            Self::Struct(fields) => fields,
            Self::Variant(_, inner) => inner.fields(),
            _ => &[],
        }
    }

    fn fields_mut(&mut self) -> Option<&mut Vec<(String, Self)>> {
        match self {
            Self::Struct(fields) => Some(fields),
            Self::Variant(_, inner) => inner.fields_mut(),
            _ => None,
        }
    }

    /// The field of this name.
    pub fn get(&self, field: &str) -> Option<&Self> {
        self.fields().iter().find(|(name, _)| name == field).map(|(_, value)| value)
    }

    /// The field of this name, mutably.
    pub fn get_mut(&mut self, field: &str) -> Option<&mut Self> {
        let fields = self.fields_mut()?;
        fields.iter_mut().find(|(name, _)| name == field).map(|(_, value)| value)
    }

    /// Removes and returns the field of this name.
    pub fn take(&mut self, field: &str) -> Option<Self> {
        let fields = self.fields_mut()?;
        let at = fields.iter().position(|(name, _)| name == field)?;
        Some(fields.remove(at).1)
    }

    /// Like [`take`](Self::take); the error lists the existing fields.
    pub fn require(&mut self, field: &str) -> Result<Self, String> {
        self.take(field).ok_or_else(|| {
            let names: Vec<&str> = self.fields().iter().map(|(name, _)| name.as_str()).collect();
            format!("no field `{field}`; there are: {}", names.join(", "))
        })
    }

    /// Sets or adds a field. Does nothing for values without named fields.
    pub fn set(&mut self, field: &str, value: impl Into<Self>) {
        let value = value.into();
        if let Some(old) = self.get_mut(field) {
            *old = value;
        } else if let Some(fields) = self.fields_mut() {
            fields.push((field.to_owned(), value));
        }
    }

    /// Renames a field; returns whether it exists.
    pub fn rename(&mut self, field: &str, name: &str) -> bool {
        let fields = self.fields_mut();
        let found = fields.and_then(|fields| fields.iter_mut().find(|(old, _)| old == field));
        found.map(|(old, _)| name.clone_into(old)).is_some()
    }

    pub fn variant(&self) -> Option<&str> {
        match self {
            Self::Variant(name, _) => Some(name),
            _ => None,
        }
    }

    /// The items of a list or a tuple.
    pub fn items(&self) -> Option<&[Self]> {
        match self {
            Self::Seq(items) | Self::Tuple(items) => Some(items),
            _ => None,
        }
    }

    /// The `bool`.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// Any number, rounded to double precision.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Int(value) => Some(*value as f64),
            Self::UInt(value) => Some(*value as f64),
            Self::F32(value) => Some((*value).into()),
            Self::F64(value) => Some(*value),
            _ => None,
        }
    }

    /// The integer, if it is one and fits.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Int(value) => (*value).try_into().ok(),
            Self::UInt(value) => (*value).try_into().ok(),
            _ => None,
        }
    }

    /// The integer, if it is one and fits.
    pub fn as_u64(&self) -> Option<u64> {
        match self {
            Self::Int(value) => (*value).try_into().ok(),
            Self::UInt(value) => (*value).try_into().ok(),
            _ => None,
        }
    }

    /// The string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(text) => Some(text),
            _ => None,
        }
    }
}

macro_rules! from {
    ($($type:ty => |$value:ident| $into:expr;)*) => {$(
        impl From<$type> for Value {
            fn from($value: $type) -> Self {
                $into
            }
        }
    )*};
}

from! {
    () => |_value| Self::Unit;
    bool => |value| Self::Bool(value);
    i8 => |value| Self::Int(value.into());
    i16 => |value| Self::Int(value.into());
    i32 => |value| Self::Int(value.into());
    i64 => |value| Self::Int(value.into());
    i128 => |value| Self::Int(value);
    u8 => |value| Self::UInt(value.into());
    u16 => |value| Self::UInt(value.into());
    u32 => |value| Self::UInt(value.into());
    u64 => |value| Self::UInt(value.into());
    u128 => |value| Self::UInt(value);
    f32 => |value| Self::F32(value);
    f64 => |value| Self::F64(value);
    char => |value| Self::Char(value);
    String => |value| Self::Str(value);
    &str => |value| Self::Str(value.to_owned());
}

impl<T: Into<Self>> From<Vec<T>> for Value {
    fn from(items: Vec<T>) -> Self {
        Self::Seq(items.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::None, |value| Self::Some(Box::new(value.into())))
    }
}

/// The value in a syntax close to Rust's, on one line.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unit => f.write_str("()"),
            Self::Bool(value) => value.fmt(f),
            Self::Int(value) => value.fmt(f),
            Self::UInt(value) => value.fmt(f),
            Self::F32(value) => write!(f, "{value:?}"),
            Self::F64(value) => write!(f, "{value:?}"),
            Self::Char(value) => write!(f, "{value:?}"),
            Self::Str(value) => write!(f, "{value:?}"),
            Self::Bytes(bytes) => write!(f, "{} bytes", bytes.len()),
            Self::Entity(entity) => write!(f, "entity {entity:#x}"),
            Self::None => f.write_str("None"),
            Self::Some(value) => write!(f, "Some({value})"),
            Self::Seq(items) => list(f, "[", "]", items.iter()),
            Self::Tuple(items) => list(f, "(", ")", items.iter()),
            Self::Map(pairs) => {
                list(f, "{", "}", pairs.iter().map(|(key, value)| format!("{key}: {value}")))
            }
            Self::Struct(fields) => {
                list(f, "{ ", " }", fields.iter().map(|(name, value)| format!("{name}: {value}")))
            }
            Self::Variant(name, inner) => match &**inner {
                Self::Unit => f.write_str(name),
                inner @ Self::Tuple(_) => write!(f, "{name}{inner}"),
                inner => write!(f, "{name} {inner}"),
            },
            Self::Opaque { name, bytes, .. } => write!(f, "{name} in {} bytes", bytes.len()),
        }
    }
}

fn list<T: fmt::Display>(
    f: &mut fmt::Formatter<'_>,
    open: &str,
    close: &str,
    items: impl Iterator<Item = T>,
) -> fmt::Result {
    f.write_str(open)?;
    for (i, item) in items.enumerate() {
        f.write_str(if i == 0 { "" } else { ", " })?;
        write!(f, "{item}")?;
    }
    f.write_str(close)
}
