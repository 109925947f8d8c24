//! The schema of a persisted type, as a constant.

use super::value::Value;

/// A type with a schema. Implemented by `#[derive(Persist)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no schema, so it cannot be persisted",
    label = "no `Persist`",
    note = "your own type: add `#[derive(Persist)]`, also to types in its fields and type arguments",
    note = "a field of a foreign type: add `#[serde(with = \"playground_api::schema::opaque\")]`"
)]
pub trait Persist {
    /// Crate, path and name, with the names of the type's arguments; without a path for types of
    /// `std`.
    const NAME: &'static str;
    /// The type's layout in memory and its encoding in bincode.
    const SCHEMA: Schema;
    /// A reference to the schema, for use in other schemas.
    const REF: &'static Schema = &Self::SCHEMA;
}

/// A type's layout in memory, and the form in which serde and bincode encode its values.
#[derive(Clone, Copy, Debug)]
pub struct Schema {
    /// Crate, path and name, with the arguments of a generic struct or enum, e.g.
    /// `core_arena::fighter::Amount<core_arena::Gold>`; the bare name for types of `std`.
    pub name: &'static str,
    /// Former paths of the type.
    pub aliases: &'static [&'static str],
    /// `size_of` the type, in bytes.
    pub size: usize,
    /// `align_of` the type, in bytes.
    pub align: usize,
    /// The version that `migrate` upgrades to; 0 for types without `migrate`.
    pub version: u32,
    /// Removed fields and variants whose values may be dropped.
    pub dropped: &'static [&'static str],
    /// The form of the values.
    pub shape: Shape,
    /// Upgrades a value by one version.
    pub migrate: Option<Migrate>,
}

/// Upgrades a value from the given version to the next one. The error is the reason.
pub type Migrate = fn(u32, Value) -> Result<Value, String>;

/// Appends the bincode of a default value to the buffer.
pub type WriteDefault = fn(&mut Vec<u8>) -> Result<(), String>;

/// The form of a type's values.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// No content: `()` and `PhantomData`.
    Unit,
    Bool,
    Number(Number),
    /// UTF-8, one to four bytes.
    Char,
    /// A string with a length prefix.
    Str,
    /// Bytes with a length prefix, written with `serialize_bytes`.
    Bytes,
    /// An entity, as its 64 bits. Loading a snapshot maps them to the new entity's.
    Entity,
    /// A byte, 0 or 1, then the value if it is 1.
    Option(&'static Schema),
    /// `Box<T>`. Encoded like `T`.
    Boxed(&'static Schema),
    /// A list or set: a count, then the items.
    Seq(&'static Schema),
    /// A count, then pairs of key and value.
    Map(&'static Schema, &'static Schema),
    /// Items without a count.
    Array(&'static Schema, usize),
    /// A tuple: its fields one after the other.
    Tuple(&'static [Field]),
    Struct(&'static [Field]),
    /// A struct with numbered fields. With a single written field it is encoded like that field.
    TupleStruct(&'static [Field]),
    UnitStruct,
    /// The index of the variant, then its fields.
    Enum {
        /// In the order of their indices.
        variants: &'static [Variant],
        /// Index of the variant that replaces removed variants.
        fallback: Option<u32>,
    },
    /// A reference to the innermost enclosing type of this name.
    Recursive(&'static str),
    /// Bincode with a length prefix, which only the type itself can decode; see
    /// [`opaque`](super::opaque).
    Opaque,
}

/// A field of a struct, a tuple or a variant.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// The name, or the index in decimal for a tuple's field.
    pub name: &'static str,
    /// Former names.
    pub aliases: &'static [&'static str],
    /// The schema of the field's type.
    pub schema: &'static Schema,
    /// `offset_of` the field, in bytes; `None` in enums and foreign types, where Rust does not
    /// offer it.
    pub offset: Option<usize>,
    /// Not encoded (`#[serde(skip)]`); listed for the comparison of layouts.
    pub skip: bool,
    /// Encodes the default, for values that were written without this field.
    pub default: Option<WriteDefault>,
}

/// A variant of an enum.
#[derive(Clone, Copy, Debug)]
pub struct Variant {
    pub name: &'static str,
    /// Former names.
    pub aliases: &'static [&'static str],
    /// [`UnitStruct`](Shape::UnitStruct), [`TupleStruct`](Shape::TupleStruct) or
    /// [`Struct`](Shape::Struct).
    pub shape: Shape,
}

/// A numeric type. `usize` and `isize` are encoded as `U64` and `I64`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
    /// In the order of their discriminants.
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
    /// A schema without aliases, version, dropped fields and `migrate`.
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

    /// The schema of a field that is not encoded, for the comparison of layouts.
    pub const fn unwritten<T>(name: &'static str) -> Self {
        Self::plain::<T>(name, Shape::Opaque)
    }

    /// The schema of a value that is encoded by [`opaque`](super::opaque).
    pub const fn opaque<T>(name: &'static str) -> Self {
        Self::plain::<T>(name, Shape::Opaque)
    }

    /// True if `name` is the type's name or a former one.
    pub fn is_called(&self, name: &str) -> bool {
        self.name == name || self.aliases.contains(&name)
    }

    /// The inner type of a container (index 0); for a map, the keys' (0) and the values' (1).
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
    /// The fields of a struct, tuple or variant; empty for other shapes.
    pub const fn fields(&self) -> &'static [Field] {
        match self {
            Self::Tuple(fields) | Self::Struct(fields) | Self::TupleStruct(fields) => fields,
            _ => &[],
        }
    }

    /// The variants of an enum; empty for other shapes.
    pub(crate) fn variants(&self) -> &'static [Variant] {
        match self {
            Self::Enum { variants, .. } => variants,
            _ => &[],
        }
    }
}

impl Field {
    /// A field without aliases, offset and default.
    pub const fn plain(name: &'static str, schema: &'static Schema) -> Self {
        Self { name, aliases: &[], schema, offset: None, skip: false, default: None }
    }
}
