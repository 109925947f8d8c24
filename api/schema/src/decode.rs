//! Decodes bincode to [`Value`]s according to a definition.

use super::compile::least;
use super::definition::{Definition, Form, VariantDef};
use super::numbers::{self, Amount};
use super::schema::Schema;
use super::value::Value;
use super::wire_format::{self, EMPTY_ITEMS_MAX, Malformed, VARIANT};

/// The maximum nesting depth of values, newtypes included; limited by the stack.
pub(crate) const MAX_VALUES: usize = 256;

/// A value or its bytes do not match the definition.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// The bytes are not a value of the type.
    #[error(
        "byte {offset}: expected {expected} of a `{ty}`; the bytes are damaged, or the schema is \
         not that of the type that wrote them"
    )]
    Malformed { offset: usize, expected: &'static str, ty: String },
    /// There are trailing bytes.
    #[error(
        "{left} trailing bytes after a `{ty}`; the schema is not that of the type that wrote them"
    )]
    Trailing { left: usize, ty: String },
    /// The value has another type.
    #[error("{found} is not a `{ty}`: give it the fields and variants of that type")]
    Mismatch { found: String, ty: String },
    /// Values are nested deeper than [`MAX_VALUES`].
    #[error("values are nested deeper than {MAX_VALUES} in a `{ty}`: keep them in a list")]
    TooDeep { ty: String },
    /// A recursive reference to a type that does not enclose it.
    #[error("no enclosing type is called `{name}`: the definition is damaged")]
    Unknown { name: String },
    /// The `migrate` function returned an error.
    #[error("{reason}")]
    Migration { reason: String },
}

/// Decodes one value from all of `bytes`.
pub fn decode(bytes: &[u8], definition: &Definition) -> Result<Value, ValueError> {
    let mut decoder = Decoder::new(bytes, 0, &|_, value| Ok(value));
    let value = decoder.value_within(definition, &[])?;
    match bytes.len() - decoder.at {
        0 => Ok(value),
        left => Err(ValueError::Trailing { left, ty: definition.to_string() }),
    }
}

/// Decodes the first of several values in a row, and takes its bytes off.
///
/// # Errors
///
/// If the bytes do not begin with a value of the type.
pub fn decode_next(bytes: &mut &[u8], definition: &Definition) -> Result<Value, ValueError> {
    let mut decoder = Decoder::new(bytes, 0, &|_, value| Ok(value));
    let value = decoder.value_within(definition, &[])?;
    let at = decoder.at;
    *bytes = bytes.get(at..).unwrap_or_default();
    Ok(value)
}

/// Checks that `bytes` are one value of the type with `schema`, i.e. that the schema matches the
/// bytes that serde wrote.
pub fn verify(schema: &'static Schema, bytes: &[u8]) -> Result<(), ValueError> {
    decode(bytes, &Definition::of(schema)).map(|_| ())
}

/// Called with each complete value; returns its replacement.
type Replace<'a> = dyn Fn(&Definition, Value) -> Result<Value, String> + 'a;

/// Decodes values from `input`.
pub(crate) struct Decoder<'a> {
    input: &'a [u8],
    pub at: usize,
    depth: usize,
    empty_items: u64,
    replace: &'a Replace<'a>,
}

impl<'a> Decoder<'a> {
    pub fn new(input: &'a [u8], at: usize, replace: &'a Replace<'a>) -> Self {
        Self { input, at, depth: 0, empty_items: EMPTY_ITEMS_MAX, replace }
    }

    /// Decodes the next value, whose type is nested in the types `enclosing`.
    pub fn value_within(
        &mut self,
        definition: &Definition,
        enclosing: &[Definition],
    ) -> Result<Value, ValueError> {
        let mut enclosing: Vec<&Definition> = enclosing.iter().collect();
        self.value(definition, &mut enclosing)
    }

    fn value<'d>(
        &mut self,
        def: &'d Definition,
        enclosing: &mut Vec<&'d Definition>,
    ) -> Result<Value, ValueError> {
        if self.depth == MAX_VALUES {
            return Err(ValueError::TooDeep { ty: def.to_string() });
        }
        self.depth += 1;
        let before = enclosing.len();
        if def.is_nominal() {
            enclosing.push(def);
        }
        let value = self.form(def, &def.form, enclosing)?;
        enclosing.truncate(before);
        self.depth -= 1;
        (self.replace)(def, value).map_err(|reason| ValueError::Migration { reason })
    }

    /// Calls one of the functions of `wire_format`.
    fn wire<T>(
        &mut self,
        def: &Definition,
        read: impl FnOnce(&'a [u8], &mut usize) -> Result<T, Malformed>,
    ) -> Result<T, ValueError> {
        read(self.input, &mut self.at).map_err(|Malformed(expected)| ValueError::Malformed {
            offset: self.at,
            expected,
            ty: def.to_string(),
        })
    }

    fn form<'d>(
        &mut self,
        def: &'d Definition,
        form: &'d Form,
        enclosing: &mut Vec<&'d Definition>,
    ) -> Result<Value, ValueError> {
        match form {
            Form::Option(inner) => match self.wire(def, wire_format::flag)? {
                true => self.value(inner, enclosing).map(|value| Value::Some(Box::new(value))),
                false => Ok(Value::None),
            },
            Form::Boxed(inner) => self.value(inner, enclosing),
            Form::Seq(item) => {
                let count = self.count(def, least(item), None)?;
                self.items(item, count, enclosing)
            }
            Form::Array(item, len) => {
                let count = self.count(def, least(item), Some(*len))?;
                self.items(item, count, enclosing)
            }
            Form::Map(key, value) => self.map(def, key, value, enclosing),
            Form::Struct(_) => self.named(form, enclosing),
            Form::Tuple(_) | Form::TupleStruct(_) => self.numbered(form, enclosing),
            Form::Enum { variants, .. } => self.variant(def, variants, enclosing),
            Form::Recursive(name) => self.recursive(name, enclosing),
            _ => self.leaf(def, form),
        }
    }

    /// A value that contains no other values.
    fn leaf(&mut self, def: &Definition, form: &Form) -> Result<Value, ValueError> {
        Ok(match form {
            Form::Unit | Form::UnitStruct => Value::Unit,
            Form::Bool => Value::Bool(self.wire(def, wire_format::flag)?),
            Form::Number(number) => {
                match self.wire(def, |input, at| numbers::read(input, at, *number))? {
                    Amount::Int(value) => Value::Int(value),
                    Amount::UInt(value) => Value::UInt(value),
                    Amount::F32(value) => Value::F32(value),
                    Amount::F64(value) => Value::F64(value),
                }
            }
            Form::Char => Value::Char(self.wire(def, wire_format::char)?),
            Form::Str => Value::Str(self.wire(def, wire_format::text)?.to_owned()),
            Form::Bytes => Value::Bytes(self.wire(def, wire_format::bytes)?.to_owned()),
            Form::Entity => Value::Entity(
                self.wire(def, |input, at| wire_format::varint(input, at, wire_format::COUNT))?
                    as u64,
            ),
            Form::Opaque => Value::Opaque {
                name: def.name.clone(),
                size: def.size,
                bytes: self.wire(def, wire_format::bytes)?.to_owned(),
            },
            _ => return self.wire(def, |_, _| Err(Malformed("nothing"))),
        })
    }

    fn map<'d>(
        &mut self,
        def: &Definition,
        key: &'d Definition,
        value: &'d Definition,
        enclosing: &mut Vec<&'d Definition>,
    ) -> Result<Value, ValueError> {
        let count = self.count(def, least(key).saturating_add(least(value)), None)?;
        let mut pairs = Vec::new();
        for _ in 0..count {
            pairs.push((self.value(key, enclosing)?, self.value(value, enclosing)?));
        }
        Ok(Value::Map(pairs))
    }

    fn named<'d>(
        &mut self,
        form: &'d Form,
        enclosing: &mut Vec<&'d Definition>,
    ) -> Result<Value, ValueError> {
        let mut fields = Vec::new();
        for field in form.written() {
            fields.push((field.name.clone(), self.value(&field.ty, enclosing)?));
        }
        Ok(Value::Struct(fields))
    }

    fn numbered<'d>(
        &mut self,
        form: &'d Form,
        enclosing: &mut Vec<&'d Definition>,
    ) -> Result<Value, ValueError> {
        let mut items = Vec::new();
        for field in form.written() {
            items.push(self.value(&field.ty, enclosing)?);
        }
        Ok(Value::Tuple(items))
    }

    fn variant<'d>(
        &mut self,
        def: &'d Definition,
        variants: &'d [VariantDef],
        enclosing: &mut Vec<&'d Definition>,
    ) -> Result<Value, ValueError> {
        let index = self.wire(def, |input, at| wire_format::varint(input, at, VARIANT))?;
        let variant = usize::try_from(index).ok().and_then(|index| variants.get(index));
        let Some(variant) = variant else {
            return self.wire(def, |_, _| Err(Malformed("the index of a variant")));
        };
        let inner = self.form(def, &variant.form, enclosing)?;
        Ok(Value::Variant(variant.name.clone(), Box::new(inner)))
    }

    /// A value of an enclosing type, by name.
    fn recursive(
        &mut self,
        name: &str,
        enclosing: &mut Vec<&Definition>,
    ) -> Result<Value, ValueError> {
        let target = enclosed(enclosing, name)?;
        let inner = enclosing.split_off(target);
        let value = self.value(inner[0], enclosing);
        enclosing.extend(inner);
        value
    }

    fn items<'d>(
        &mut self,
        item: &'d Definition,
        count: u64,
        enclosing: &mut Vec<&'d Definition>,
    ) -> Result<Value, ValueError> {
        let mut items = Vec::new();
        for _ in 0..count {
            items.push(self.value(item, enclosing)?);
        }
        Ok(Value::Seq(items))
    }

    /// The number of items that follow: `known`, or read. An error if the remaining bytes cannot
    /// hold them.
    fn count(&mut self, def: &Definition, min: u64, known: Option<u64>) -> Result<u64, ValueError> {
        let count = match known {
            Some(count) => count,
            None => self.wire(def, |input, at| wire_format::count(input, at, min))?,
        };
        let rest = (self.input.len() - self.at) as u64;
        let left = self.empty_items.checked_sub(if min == 0 { count } else { 0 });
        match left {
            Some(left) if min == 0 || count <= rest / min => {
                self.empty_items = left;
                Ok(count)
            }
            _ => self.wire(def, |_, _| Err(Malformed("fewer items"))),
        }
    }
}

/// The index of the innermost enclosing type of this name.
pub(crate) fn enclosed(enclosing: &[&Definition], name: &str) -> Result<usize, ValueError> {
    let target = enclosing.iter().rposition(|outer| outer.name == name);
    target.ok_or_else(|| ValueError::Unknown { name: name.to_owned() })
}
