//! What a persisted type looks like, as a constant.

use super::value::Value;

/// A type whose schema is known. `#[derive(Persist)]` writes it.
pub trait Persist {
    /// Crate, path and name of a struct or enum; the bare name of any other type.
    const NAME: &'static str;
    /// What the type looks like in memory and in bincode.
    const SCHEMA: Schema;
    /// The schema, as other schemas refer to it.
    const REF: &'static Schema = &Self::SCHEMA;
}

/// What a type looks like in memory, and what serde and bincode write for its values.
#[derive(Clone, Copy, Debug)]
pub struct Schema {
    /// Crate, path and name, e.g. `core_arena::fighter::Health`; the bare name for types of `std`.
    pub name: &'static str,
    /// Paths under which the type was known before.
    pub aliases: &'static [&'static str],
    /// Bytes of a value in memory.
    pub size: usize,
    /// Alignment of a value in memory.
    pub align: usize,
    /// Counts the changes that need the author's function; 0 where there was none.
    pub version: u32,
    /// Former fields and variants whose values the author gives up.
    pub dropped: &'static [&'static str],
    /// What the values consist of.
    pub shape: Shape,
    /// Takes a value of an older version one version on.
    pub migrate: Option<Migrate>,
}

/// Takes a value of the given version to the next one, or says why it cannot.
pub type Migrate = fn(u32, Value) -> Result<Value, String>;

/// Appends the bincode of a default value.
pub type WriteDefault = fn(&mut Vec<u8>) -> Result<(), String>;

/// What the values of a type consist of.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// Nothing: `()` and `PhantomData`.
    Unit,
    /// A truth value.
    Bool,
    /// An integer or a floating-point number.
    Number(Number),
    /// A character.
    Char,
    /// Text.
    Str,
    /// Bytes behind their count, written with `serialize_bytes`.
    Bytes,
    /// An entity, as its 64 bits; they change when a world is read into another one.
    Entity,
    /// A value or none.
    Option(&'static Schema),
    /// A value behind a pointer that owns it: `Box<T>`. Written as the value.
    Boxed(&'static Schema),
    /// Values behind their count: lists and sets.
    Seq(&'static Schema),
    /// Pairs of key and value behind their count.
    Map(&'static Schema, &'static Schema),
    /// As many values as the type says.
    Array(&'static Schema, usize),
    /// An unnamed tuple.
    Tuple(&'static [Field]),
    /// A struct with named fields.
    Struct(&'static [Field]),
    /// A struct with numbered fields.
    TupleStruct(&'static [Field]),
    /// A struct without fields.
    UnitStruct,
    /// One of several variants.
    Enum {
        /// The variants, in the order of their indices.
        variants: &'static [Variant],
        /// Index of the variant that stands for variants that are gone.
        fallback: Option<u32>,
    },
    /// The enclosing type of this name.
    Recursive(&'static str),
    /// Bincode behind its length, whose content only the type itself knows; see
    /// [`opaque`](super::opaque).
    Opaque,
}

/// A field of a struct, a tuple or a variant.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Name, or index as text.
    pub name: &'static str,
    /// Former names.
    pub aliases: &'static [&'static str],
    /// The field's type.
    pub schema: &'static Schema,
    /// Bytes from the start of the struct; `None` where Rust does not tell.
    pub offset: Option<usize>,
    /// Never written (`serde(skip)`); listed for its place in memory.
    pub skip: bool,
    /// Writes the value for those that were written without this field.
    pub default: Option<WriteDefault>,
}

/// A variant of an enum.
#[derive(Clone, Copy, Debug)]
pub struct Variant {
    /// Name.
    pub name: &'static str,
    /// Former names.
    pub aliases: &'static [&'static str],
    /// [`UnitStruct`](Shape::UnitStruct), [`TupleStruct`](Shape::TupleStruct) or
    /// [`Struct`](Shape::Struct).
    pub shape: Shape,
}

/// A type of number. `usize` and `isize` are written as `U64` and `I64`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "they are named after Rust's types")]
pub enum Number {
    U8,
    U16,
    U32,
    U64,
    U128,
    I8,
    I16,
    I32,
    I64,
    I128,
    F32,
    F64,
}

impl Number {
    /// All of them, in the order of their discriminants.
    pub(crate) const ALL: [Self; 12] = [
        Self::U8,
        Self::U16,
        Self::U32,
        Self::U64,
        Self::U128,
        Self::I8,
        Self::I16,
        Self::I32,
        Self::I64,
        Self::I128,
        Self::F32,
        Self::F64,
    ];

    /// The type's name in Rust.
    pub const fn name(self) -> &'static str {
        match self {
            Self::U8 => "u8",
            Self::U16 => "u16",
            Self::U32 => "u32",
            Self::U64 => "u64",
            Self::U128 => "u128",
            Self::I8 => "i8",
            Self::I16 => "i16",
            Self::I32 => "i32",
            Self::I64 => "i64",
            Self::I128 => "i128",
            Self::F32 => "f32",
            Self::F64 => "f64",
        }
    }
}

impl Schema {
    /// The schema of a type without a history.
    pub const fn plain<T>(name: &'static str, shape: Shape) -> Self {
        Self {
            name,
            aliases: &[],
            size: size_of::<T>(),
            align: align_of::<T>(),
            version: 0,
            dropped: &[],
            shape,
            migrate: None,
        }
    }

    /// The schema of a field that is never written: only its place in memory counts.
    pub const fn unwritten<T>(name: &'static str) -> Self {
        Self::plain::<T>(name, Shape::Opaque)
    }

    /// The schema of a value that is written by [`opaque`](super::opaque).
    pub const fn opaque<T>(name: &'static str) -> Self {
        Self::plain::<T>(name, Shape::Opaque)
    }

    /// True if `name` is the type's name or was.
    pub fn is_called(&self, name: &str) -> bool {
        self.name == name || self.aliases.contains(&name)
    }

    /// The type within, or, of a map, that of the keys (0) and that of the values (1).
    pub(crate) fn part(&self, index: usize) -> Option<&'static Self> {
        match (self.shape, index) {
            (Shape::Option(inner) | Shape::Boxed(inner) | Shape::Seq(inner), 0)
            | (Shape::Array(inner, _), 0)
            | (Shape::Map(inner, _), 0)
            | (Shape::Map(_, inner), 1) => Some(inner),
            _ => None,
        }
    }
}

impl Shape {
    /// The fields of a struct, a tuple or a variant; none for anything else.
    pub const fn fields(&self) -> &'static [Field] {
        match self {
            Self::Tuple(fields) | Self::Struct(fields) | Self::TupleStruct(fields) => fields,
            _ => &[],
        }
    }

    /// The variants of an enum; none for anything else.
    pub(crate) fn variants(&self) -> &'static [Variant] {
        match self {
            Self::Enum { variants, .. } => variants,
            _ => &[],
        }
    }
}

impl Field {
    /// A field that was always there.
    pub const fn plain(name: &'static str, schema: &'static Schema) -> Self {
        Self { name, aliases: &[], schema, offset: None, skip: false, default: None }
    }
}
