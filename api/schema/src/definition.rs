//! An owned schema, as parsed from an artifact or a snapshot.

use std::fmt;

use super::schema::{Field, Number, Schema, Shape};

/// The maximum nesting depth of types.
pub(crate) const MAX_DEPTH: usize = 64;

/// An owned [`Schema`], without its functions.
#[derive(Clone, Debug, PartialEq)]
pub struct Definition {
    /// Crate, path and name; the bare name for types of `std`.
    pub name: String,
    /// Former paths of the type.
    pub aliases: Vec<String>,
    /// `size_of` the type, in bytes.
    pub size: u64,
    /// `align_of` the type, in bytes.
    pub align: u64,
    /// The version that `migrate` upgrades to; 0 for types without `migrate`.
    pub version: u32,
    /// Removed fields and variants whose values may be dropped.
    pub dropped: Vec<String>,
    /// The form of the values.
    pub form: Form,
    /// True if the type has a `migrate` function.
    pub migrates: bool,
}

/// The form of a type's values; the variants are those of [`Shape`].
#[derive(Clone, Debug, PartialEq)]
pub enum Form {
    /// A type without values: the inner type inferred from an empty list or `None`.
    Never,
    Unit,
    Bool,
    Number(Number),
    Char,
    Str,
    Bytes,
    Entity,
    Option(Box<Definition>),
    Boxed(Box<Definition>),
    Seq(Box<Definition>),
    Map(Box<Definition>, Box<Definition>),
    Array(Box<Definition>, u64),
    Tuple(Vec<FieldDef>),
    Struct(Vec<FieldDef>),
    TupleStruct(Vec<FieldDef>),
    UnitStruct,
    Enum {
        variants: Vec<VariantDef>,
        fallback: Option<u32>,
    },
    Recursive(String),
    Opaque,
}

/// A field; see [`Field`].
#[derive(Clone, Debug, PartialEq)]
pub struct FieldDef {
    /// The name, or the index in decimal for a tuple's field.
    pub name: String,
    /// Former names.
    pub aliases: Vec<String>,
    pub ty: Definition,
    /// `offset_of` the field, in bytes.
    pub offset: Option<u64>,
    /// Not encoded (`#[serde(skip)]`).
    pub skip: bool,
    /// True if the field has a default for values that were written without it.
    pub has_default: bool,
}

/// A variant; see [`Variant`](super::schema::Variant).
#[derive(Clone, Debug, PartialEq)]
pub struct VariantDef {
    pub name: String,
    /// Former names.
    pub aliases: Vec<String>,
    /// `UnitStruct`, `TupleStruct` or `Struct`.
    pub form: Form,
}

impl Definition {
    /// Copies `schema`.
    pub fn of(schema: &'static Schema) -> Self {
        Self {
            name: schema.name.to_owned(),
            aliases: owned(schema.aliases),
            size: schema.size as u64,
            align: schema.align as u64,
            version: schema.version,
            dropped: owned(schema.dropped),
            form: Form::of(&schema.shape),
            migrates: schema.migrate.is_some(),
        }
    }

    /// A type inferred from a value: no name, layout, version or aliases.
    pub(crate) fn bare(form: Form) -> Self {
        Self {
            name: String::new(),
            aliases: Vec::new(),
            size: 0,
            align: 0,
            version: 0,
            dropped: Vec::new(),
            form,
            migrates: false,
        }
    }

    /// True if `name` is the type's name or a former one.
    pub fn is_called(&self, name: &str) -> bool {
        self.name == name || self.aliases.iter().any(|alias| alias == name)
    }

    /// True if the type contains entities at any depth.
    pub fn holds_entities(&self) -> bool {
        self.form.holds_entities()
    }

    /// True for structs and enums, which [`Form::Recursive`] can refer to.
    pub(crate) fn is_nominal(&self) -> bool {
        matches!(self.form, Form::Struct(_) | Form::TupleStruct(_) | Form::Enum { .. })
    }
}

impl Form {
    fn of(shape: &Shape) -> Self {
        let boxed = |schema| Box::new(Definition::of(schema));
        match *shape {
            Shape::Unit => Self::Unit,
            Shape::Bool => Self::Bool,
            Shape::Number(number) => Self::Number(number),
            Shape::Char => Self::Char,
            Shape::Str => Self::Str,
            Shape::Bytes => Self::Bytes,
            Shape::Entity => Self::Entity,
            Shape::Option(inner) => Self::Option(boxed(inner)),
            Shape::Boxed(inner) => Self::Boxed(boxed(inner)),
            Shape::Seq(item) => Self::Seq(boxed(item)),
            Shape::Map(key, value) => Self::Map(boxed(key), boxed(value)),
            Shape::Array(item, len) => Self::Array(boxed(item), len as u64),
            Shape::Tuple(fields) => Self::Tuple(FieldDef::all(fields)),
            Shape::Struct(fields) => Self::Struct(FieldDef::all(fields)),
            Shape::TupleStruct(fields) => Self::TupleStruct(FieldDef::all(fields)),
            Shape::UnitStruct => Self::UnitStruct,
            Shape::Enum { variants, fallback } => Self::Enum {
                variants: variants
                    .iter()
                    .map(|variant| VariantDef {
                        name: variant.name.to_owned(),
                        aliases: owned(variant.aliases),
                        form: Self::of(&variant.shape),
                    })
                    .collect(),
                fallback,
            },
            Shape::Recursive(name) => Self::Recursive(name.to_owned()),
            Shape::Opaque => Self::Opaque,
        }
    }

    fn holds_entities(&self) -> bool {
        match self {
            Self::Entity => true,
            Self::Option(inner) | Self::Boxed(inner) | Self::Seq(inner) | Self::Array(inner, _) => {
                inner.holds_entities()
            }
            Self::Map(key, value) => key.holds_entities() || value.holds_entities(),
            Self::Enum { variants, .. } => variants.iter().any(|v| v.form.holds_entities()),
            form => form.written().any(|field| field.ty.holds_entities()),
        }
    }

    /// The fields of a struct, tuple or variant; empty for other forms.
    pub fn fields(&self) -> &[FieldDef] {
        match self {
            Self::Tuple(fields) | Self::Struct(fields) | Self::TupleStruct(fields) => fields,
            _ => &[],
        }
    }

    /// The encoded fields, in their order.
    pub(crate) fn written(&self) -> impl Iterator<Item = &FieldDef> {
        self.fields().iter().filter(|field| !field.skip)
    }

    /// The only encoded field of a tuple struct, which is encoded like that field.
    pub(crate) fn newtype(&self) -> Option<&FieldDef> {
        let Self::TupleStruct(_) = self else { return None };
        let mut written = self.written();
        written.next().filter(|_| written.next().is_none())
    }
}

impl FieldDef {
    fn all(fields: &'static [Field]) -> Vec<Self> {
        fields
            .iter()
            .map(|field| Self {
                name: field.name.to_owned(),
                aliases: owned(field.aliases),
                ty: Definition::of(field.schema),
                offset: field.offset.map(|offset| offset as u64),
                skip: field.skip,
                has_default: field.default.is_some(),
            })
            .collect()
    }

    /// A field of an inferred type.
    pub(crate) fn bare(name: &str, ty: Definition) -> Self {
        Self {
            name: name.to_owned(),
            aliases: Vec::new(),
            ty,
            offset: None,
            skip: false,
            has_default: false,
        }
    }
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// The type in Rust's syntax, e.g. `Vec<u8>`, `core_physics::Body`, `[f32; 4]`.
impl fmt::Display for Definition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = |fallback: &'static str| match self.name.as_str() {
            "" => fallback.to_owned(),
            name => name.to_owned(),
        };
        match &self.form {
            Form::Never => f.write_str("nothing"),
            Form::Unit => f.write_str(&named("()")),
            Form::Bool => f.write_str(&named("bool")),
            Form::Number(number) => f.write_str(&named(number.name())),
            Form::Char => f.write_str(&named("char")),
            Form::Str => f.write_str(&named("String")),
            Form::Bytes => f.write_str(&named("bytes")),
            Form::Entity => f.write_str(&named("Entity")),
            Form::Option(inner) => write!(f, "{}<{inner}>", named("Option")),
            Form::Boxed(inner) => write!(f, "{}<{inner}>", named("Box")),
            Form::Seq(item) => write!(f, "{}<{item}>", named("Vec")),
            Form::Map(key, value) => write!(f, "{}<{key}, {value}>", named("map")),
            Form::Array(item, len) => write!(f, "[{item}; {len}]"),
            Form::Tuple(fields) => {
                f.write_str("(")?;
                for (i, field) in fields.iter().enumerate() {
                    let comma = if i == 0 { "" } else { ", " };
                    write!(f, "{comma}{}", field.ty)?;
                }
                f.write_str(if fields.len() == 1 { ",)" } else { ")" })
            }
            Form::Struct(_) | Form::TupleStruct(_) | Form::UnitStruct => {
                f.write_str(&named("a struct"))
            }
            Form::Enum { .. } => f.write_str(&named("an enum")),
            Form::Recursive(name) => f.write_str(name),
            Form::Opaque => f.write_str(&named("opaque data")),
        }
    }
}
