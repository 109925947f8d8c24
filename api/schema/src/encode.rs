//! Encodes [`Value`]s to bincode according to a definition.

use super::decode::{MAX_VALUES, ValueError, enclosed};
use super::definition::{Definition, Form};
use super::numbers::{self, Amount};
use super::value::Value;
use super::wire_format::put_varint;

/// Encodes `value` as a value of `definition`. Numbers and names must fit.
pub fn encode(value: &Value, definition: &Definition) -> Result<Vec<u8>, ValueError> {
    let mut out = Vec::new();
    let mut enclosing = Vec::new();
    put(value, definition, &mut enclosing, 0, &mut out)?;
    Ok(out)
}

fn put<'d>(
    value: &Value,
    def: &'d Definition,
    enclosing: &mut Vec<&'d Definition>,
    depth: usize,
    out: &mut Vec<u8>,
) -> Result<(), ValueError> {
    if depth == MAX_VALUES {
        return Err(ValueError::TooDeep { ty: def.to_string() });
    }
    let before = enclosing.len();
    if def.is_nominal() {
        enclosing.push(def);
    }
    put_form(value, def, &def.form, enclosing, depth + 1, out)?;
    enclosing.truncate(before);
    Ok(())
}

fn put_form<'d>(
    value: &Value,
    def: &'d Definition,
    form: &'d Form,
    enclosing: &mut Vec<&'d Definition>,
    depth: usize,
    out: &mut Vec<u8>,
) -> Result<(), ValueError> {
    let mismatch = || ValueError::Mismatch { found: value.to_string(), ty: def.to_string() };
    match (form, value) {
        (Form::Unit | Form::UnitStruct, Value::Unit) => {}
        (Form::Bool, Value::Bool(value)) => out.push((*value).into()),
        (Form::Number(number), value) => {
            let amount = amount(value).ok_or_else(mismatch)?;
            if !numbers::write(out, amount, *number) {
                return Err(mismatch());
            }
        }
        (Form::Char, Value::Char(value)) => {
            out.extend_from_slice(value.encode_utf8(&mut [0; 4]).as_bytes());
        }
        (Form::Str, Value::Str(text)) => put_bytes(out, text.as_bytes()),
        (Form::Bytes, Value::Bytes(bytes)) => put_bytes(out, bytes),
        (Form::Opaque, Value::Opaque { name, size, bytes })
            if (name, *size) == (&def.name, def.size) =>
        {
            put_bytes(out, bytes);
        }
        (Form::Entity, Value::Entity(entity)) => put_varint(out, (*entity).into()),
        (Form::Option(_), Value::None) => out.push(0),
        (Form::Option(inner), value) => {
            out.push(1);
            let value = if let Value::Some(value) = value { value } else { value };
            put(value, inner, enclosing, depth, out)?;
        }
        (Form::Boxed(inner), value) => put(value, inner, enclosing, depth, out)?,
        (Form::Seq(item), Value::Seq(items)) => {
            put_varint(out, items.len() as u128);
            items.iter().try_for_each(|value| put(value, item, enclosing, depth, out))?;
        }
        (Form::Array(item, len), Value::Seq(items)) if items.len() as u64 == *len => {
            items.iter().try_for_each(|value| put(value, item, enclosing, depth, out))?;
        }
        (Form::Map(key, item), Value::Map(pairs)) => {
            put_varint(out, pairs.len() as u128);
            for (name, value) in pairs {
                put(name, key, enclosing, depth, out)?;
                put(value, item, enclosing, depth, out)?;
            }
        }
        (Form::Struct(_), Value::Struct(fields)) if fields.len() == form.written().count() => {
            for field in form.written() {
                let value = value.get(&field.name).ok_or_else(mismatch)?;
                put(value, &field.ty, enclosing, depth, out)?;
            }
        }
        (Form::Tuple(_) | Form::TupleStruct(_), Value::Tuple(items))
            if items.len() == form.written().count() =>
        {
            for (field, value) in form.written().zip(items) {
                put(value, &field.ty, enclosing, depth, out)?;
            }
        }
        (Form::Enum { variants, .. }, Value::Variant(name, inner)) => {
            let index = variants.iter().position(|variant| variant.name == *name);
            let index = index.ok_or_else(mismatch)?;
            put_varint(out, index as u128);
            put_form(inner, def, &variants[index].form, enclosing, depth, out)?;
        }
        (Form::Recursive(name), value) => {
            let target = enclosed(enclosing, name)?;
            let inner = enclosing.split_off(target);
            put(value, inner[0], enclosing, depth, out)?;
            enclosing.extend(inner);
        }
        _ => return Err(mismatch()),
    }
    Ok(())
}

fn amount(value: &Value) -> Option<Amount> {
    match value {
        Value::Int(value) => Some(Amount::Int(*value)),
        Value::UInt(value) => Some(Amount::UInt(*value)),
        Value::F32(value) => Some(Amount::F32(*value)),
        Value::F64(value) => Some(Amount::F64(*value)),
        _ => None,
    }
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_varint(out, bytes.len() as u128);
    out.extend_from_slice(bytes);
}
