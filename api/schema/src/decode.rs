//! Values from bincode, by their definition.

use super::compile::least;
use super::definition::{Definition, Form, VariantDef};
use super::numbers::{self, Amount};
use super::schema::Schema;
use super::value::Value;
use super::wire_format::{self, EMPTY_ITEMS_MAX, Malformed, VARIANT};

/// How deep values may be nested, types that only wrap others included: the stack bounds it.
pub(crate) const MAX_VALUES: usize = 256;

/// A value and its definition, or bytes and theirs, do not agree.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say what the fields are")]
pub enum ValueError {
    /// The bytes are not a value of the type.
    #[error(
        "byte {offset}: expected {expected} of a `{ty}`; the bytes are damaged, or the schema is \
         not that of the type that wrote them"
    )]
    Malformed { offset: usize, expected: &'static str, ty: String },
    /// Bytes are left over.
    #[error(
        "{left} bytes are left after a `{ty}`; the schema is not that of the type that wrote them"
    )]
    Trailing { left: usize, ty: String },
    /// The value is of another type.
    #[error("{found} is no `{ty}`: give it the fields and variants of that type")]
    Mismatch { found: String, ty: String },
    /// Values within values without end.
    #[error("values are nested deeper than {MAX_VALUES} in a `{ty}`: keep them in a list")]
    TooDeep { ty: String },
    /// A type that refers back to one that does not enclose it.
    #[error("`{name}` refers back to nothing: its definition is damaged")]
    Unknown { name: String },
    /// The author's function refused the value.
    #[error("{reason}")]
    Migration { reason: String },
}

/// The value that `bytes` are, all of them.
pub fn decode(bytes: &[u8], definition: &Definition) -> Result<Value, ValueError> {
    let mut decoder = Decoder::new(bytes, 0, &|_, value| Ok(value));
    let value = decoder.value_within(definition, &[])?;
    match bytes.len() - decoder.at {
        0 => Ok(value),
        left => Err(ValueError::Trailing { left, ty: definition.to_string() }),
    }
}

/// Checks that `bytes` are one value of the type that `schema` tells of: that the schema agrees with
/// what serde wrote.
pub fn verify(schema: &'static Schema, bytes: &[u8]) -> Result<(), ValueError> {
    decode(bytes, &Definition::of(schema)).map(|_| ())
}

/// Gets each value when it is complete, and gives back what stands for it.
type Each<'a> = dyn Fn(&Definition, Value) -> Result<Value, String> + 'a;

/// Reads values.
pub(crate) struct Decoder<'a> {
    input: &'a [u8],
    pub at: usize,
    depth: usize,
    empty_items: u64,
    each: &'a Each<'a>,
}

impl<'a> Decoder<'a> {
    pub fn new(input: &'a [u8], at: usize, each: &'a Each<'a>) -> Self {
        Self { input, at, depth: 0, empty_items: EMPTY_ITEMS_MAX, each }
    }

    /// The next value, of a type that is within the types `enclosing`.
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
        (self.each)(def, value).map_err(|reason| ValueError::Migration { reason })
    }

    /// One of the readers of `wire`.
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
            Form::Recursive(name) => self.again(name, enclosing),
            _ => self.leaf(def, form),
        }
    }

    /// A value without values in it.
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

    /// A value of an enclosing type.
    fn again(&mut self, name: &str, enclosing: &mut Vec<&Definition>) -> Result<Value, ValueError> {
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

    /// How many items follow, `known` or written; never more than the bytes can hold.
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

/// The index of the innermost type of that name.
pub(crate) fn enclosed(enclosing: &[&Definition], name: &str) -> Result<usize, ValueError> {
    let target = enclosing.iter().rposition(|outer| outer.name == name);
    target.ok_or_else(|| ValueError::Unknown { name: name.to_owned() })
}
