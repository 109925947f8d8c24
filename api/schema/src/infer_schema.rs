//! Infers a definition from a value that a `migrate` function returned.

use super::definition::{Definition, FieldDef, Form, MAX_DEPTH, VariantDef};
use super::schema::Number;
use super::value::Value;

/// No definition fits a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InferError {
    /// A list whose items have different forms.
    #[error("the items of a list have different types: {0} and {1}; make them the same")]
    Differ(String, String),
    /// Values are nested deeper than [`MAX_DEPTH`].
    #[error("values are nested deeper than {MAX_DEPTH}: flatten them")]
    TooDeep,
}

/// The definition of `value`. Integers have 128 bits; the items of empty lists and `None` have
/// [`Form::Never`].
pub(crate) fn infer_schema(value: &Value) -> Result<Definition, InferError> {
    definition(value, 0)
}

fn definition(value: &Value, depth: usize) -> Result<Definition, InferError> {
    if depth == MAX_DEPTH {
        return Err(InferError::TooDeep);
    }
    let depth = depth + 1;
    let boxed = |value: &Value| definition(value, depth).map(Box::new);
    let common = |values: &mut dyn Iterator<Item = &Value>| {
        let mut all = Definition::bare(Form::Never);
        for value in values {
            all = unify(all, definition(value, depth)?)?;
        }
        Ok(Box::new(all))
    };
    let form = match value {
        Value::Unit => Form::Unit,
        Value::Bool(_) => Form::Bool,
        Value::Int(_) => Form::Number(Number::I128),
        Value::UInt(_) => Form::Number(Number::U128),
        Value::F32(_) => Form::Number(Number::F32),
        Value::F64(_) => Form::Number(Number::F64),
        Value::Char(_) => Form::Char,
        Value::Str(_) => Form::Str,
        Value::Bytes(_) => Form::Bytes,
        Value::Entity(_) => Form::Entity,
        Value::None => Form::Option(Box::new(Definition::bare(Form::Never))),
        Value::Some(value) => Form::Option(boxed(value)?),
        Value::Seq(items) => Form::Seq(common(&mut items.iter())?),
        Value::Map(pairs) => Form::Map(
            common(&mut pairs.iter().map(|(key, _)| key))?,
            common(&mut pairs.iter().map(|(_, value)| value))?,
        ),
        Value::Tuple(items) => {
            let mut fields = Vec::new();
            for (i, item) in items.iter().enumerate() {
                fields.push(FieldDef::bare(&i.to_string(), definition(item, depth)?));
            }
            Form::TupleStruct(fields)
        }
        Value::Struct(fields) => {
            let fields = fields
                .iter()
                .map(|(name, value)| Ok(FieldDef::bare(name, definition(value, depth)?)));
            Form::Struct(fields.collect::<Result<_, InferError>>()?)
        }
        Value::Variant(name, inner) => {
            let form = match definition(inner, depth)?.form {
                form @ (Form::TupleStruct(_) | Form::Struct(_)) => form,
                Form::Unit => Form::UnitStruct,
                form => Form::TupleStruct(vec![FieldDef::bare("0", Definition::bare(form))]),
            };
            let variant = VariantDef { name: name.clone(), aliases: Vec::new(), form };
            Form::Enum { variants: vec![variant], fallback: None }
        }
        Value::Opaque { name, size, .. } => {
            let opaque = Definition::bare(Form::Opaque);
            return Ok(Definition { name: name.clone(), size: *size, ..opaque });
        }
    };
    Ok(Definition::bare(form))
}

/// A definition that fits the values of both.
fn unify(a: Definition, b: Definition) -> Result<Definition, InferError> {
    if a == b {
        return Ok(a);
    }
    let differ = InferError::Differ(a.to_string(), b.to_string());
    let both = |a: Box<Definition>, b: Box<Definition>| unify(*a, *b).map(Box::new);
    Ok(Definition::bare(match (a.form, b.form) {
        (Form::Never, form) => return Ok(Definition { form, ..b }),
        (form, Form::Never) => return Ok(Definition { form, ..a }),
        (Form::Option(a), Form::Option(b)) => Form::Option(both(a, b)?),
        (Form::Option(a), form) | (form, Form::Option(a)) => {
            Form::Option(both(a, Box::new(Definition::bare(form)))?)
        }
        (Form::Number(a), Form::Number(b)) => Form::Number(match (a, b) {
            (Number::U128, Number::I128) | (Number::I128, Number::U128) => Number::I128,
            (Number::F32, Number::F64) | (Number::F64, Number::F32) => Number::F64,
            _ => return Err(differ),
        }),
        (Form::Seq(a), Form::Seq(b)) => Form::Seq(both(a, b)?),
        (Form::Map(a, c), Form::Map(b, d)) => Form::Map(both(a, b)?, both(c, d)?),
        (Form::Struct(a), Form::Struct(b)) => Form::Struct(fields(a, b, differ)?),
        (Form::TupleStruct(a), Form::TupleStruct(b)) => Form::TupleStruct(fields(a, b, differ)?),
        (Form::Enum { variants: a, .. }, Form::Enum { variants: b, .. }) => {
            Form::Enum { variants: variants(a, b, &differ)?, fallback: None }
        }
        _ => return Err(differ),
    }))
}

fn fields(
    a: Vec<FieldDef>,
    mut b: Vec<FieldDef>,
    differ: InferError,
) -> Result<Vec<FieldDef>, InferError> {
    if a.len() != b.len() {
        return Err(differ);
    }
    let mut all = Vec::new();
    for field in a {
        let Some(at) = b.iter().position(|other| other.name == field.name) else {
            return Err(differ);
        };
        let other = b.swap_remove(at);
        all.push(FieldDef { ty: unify(field.ty, other.ty)?, ..field });
    }
    Ok(all)
}

fn variants(
    mut a: Vec<VariantDef>,
    b: Vec<VariantDef>,
    differ: &InferError,
) -> Result<Vec<VariantDef>, InferError> {
    for variant in b {
        let Some(known) = a.iter_mut().find(|known| known.name == variant.name) else {
            a.push(variant);
            continue;
        };
        let form = std::mem::replace(&mut known.form, Form::UnitStruct);
        known.form = match (form, variant.form) {
            (Form::UnitStruct, Form::UnitStruct) => Form::UnitStruct,
            (Form::Struct(a), Form::Struct(b)) => Form::Struct(fields(a, b, differ.clone())?),
            (Form::TupleStruct(a), Form::TupleStruct(b)) => {
                Form::TupleStruct(fields(a, b, differ.clone())?)
            }
            _ => return Err(differ.clone()),
        };
    }
    Ok(a)
}
