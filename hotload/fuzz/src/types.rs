//! Generates arbitrary types, and edits of types.

use arbitrary::{Result, Unstructured};
use playground_schema::{Definition, FieldDef, Form, Number, VariantDef};

/// A small set of names, so that names of different types match.
const NAMES: [&str; 6] = ["a", "b", "c", "T", "demo::U", "demo::V"];
const NUMBERS: [Number; 12] = [
    Number::U8,
    Number::U16,
    Number::U32,
    Number::U64,
    Number::U128,
    Number::I8,
    Number::I16,
    Number::I32,
    Number::I64,
    Number::I128,
    Number::F32,
    Number::F64,
];
const DEPTH_MAX: usize = 8;
const PARTS_MAX: usize = 4;

fn name(u: &mut Unstructured<'_>) -> Result<String> {
    u.choose(&NAMES).map(|name| (*name).to_owned())
}

fn names(u: &mut Unstructured<'_>) -> Result<Vec<String>> {
    match u.int_in_range(0..=7_u8)? {
        7 => Ok(vec![name(u)?]),
        _ => Ok(Vec::new()),
    }
}

/// An arbitrary type.
///
/// # Errors
///
/// Missing bytes are zeros, so this does not fail when the input ends.
pub fn definition(u: &mut Unstructured<'_>, depth: usize) -> Result<Definition> {
    let form = form(u, depth)?;
    named(u, form)
}

/// A definition with a name; for structs and enums also with aliases, version and dropped fields.
fn named(u: &mut Unstructured<'_>, form: Form) -> Result<Definition> {
    let name = match &form {
        Form::Number(number) => number.name().to_owned(),
        Form::Struct(_) | Form::TupleStruct(_) | Form::UnitStruct | Form::Enum { .. } => name(u)?,
        Form::Opaque => name(u)?,
        // Named by their forms.
        _ => "std".to_owned(),
    };
    let bare = Definition {
        name,
        aliases: Vec::new(),
        size: 8,
        align: 1,
        version: 0,
        dropped: Vec::new(),
        form,
        migrates: false,
    };
    if bare.name == "std" || matches!(bare.form, Form::Number(_)) {
        return Ok(bare);
    }
    let history = u.int_in_range(0..=15_u8)?;
    Ok(Definition {
        aliases: names(u)?,
        size: if history >= 14 { u.int_in_range(0..=8)? } else { 8 },
        version: if history >= 12 { u.int_in_range(0..=3)? } else { 0 },
        dropped: if history == 11 { names(u)? } else { Vec::new() },
        migrates: history >= 14,
        ..bare
    })
}

fn boxed(u: &mut Unstructured<'_>, depth: usize) -> Result<Box<Definition>> {
    definition(u, depth + 1).map(Box::new)
}

fn form(u: &mut Unstructured<'_>, depth: usize) -> Result<Form> {
    let kinds = if depth < DEPTH_MAX { 24 } else { 8 };
    Ok(match u.int_in_range(0..=kinds)? {
        0..=1_u8 => Form::Number(*u.choose(&NUMBERS)?),
        2 => Form::Unit,
        3 => Form::Bool,
        4 => Form::Char,
        5 => Form::Str,
        6 => Form::Bytes,
        7 => Form::Entity,
        8 => Form::Opaque,
        9 => Form::UnitStruct,
        10..=11 => Form::Option(boxed(u, depth)?),
        12 => Form::Boxed(boxed(u, depth)?),
        13 => Form::Seq(boxed(u, depth)?),
        14 => Form::Map(boxed(u, depth)?, boxed(u, depth)?),
        15 => Form::Array(boxed(u, depth)?, len(u)?),
        16 => Form::Tuple(fields(u, depth, false)?),
        17 => Form::TupleStruct(fields(u, depth, false)?),
        18..=20 => Form::Struct(fields(u, depth, true)?),
        21..=22 => variants(u, depth)?,
        _ => Form::Recursive(name(u)?),
    })
}

fn len(u: &mut Unstructured<'_>) -> Result<u64> {
    match u.int_in_range(0..=15_u8)? {
        14 => u.int_in_range(0..=1 << 20),
        15 => u.arbitrary(),
        len => Ok(len.into()),
    }
}

fn field(u: &mut Unstructured<'_>, name: String, ty: Definition) -> Result<FieldDef> {
    let flags: u8 = u.arbitrary()?;
    Ok(FieldDef {
        name,
        aliases: names(u)?,
        ty,
        offset: (flags & 1 != 0).then_some(flags.into()),
        skip: flags & 30 == 30,
        has_default: flags & 32 != 0,
    })
}

fn fields(u: &mut Unstructured<'_>, depth: usize, by_name: bool) -> Result<Vec<FieldDef>> {
    let mut fields: Vec<FieldDef> = Vec::new();
    for index in 0..u.int_in_range(0..=PARTS_MAX)? {
        let name = if by_name { name(u)? } else { index.to_string() };
        let ty = definition(u, depth + 1)?;
        fields.push(field(u, name, ty)?);
    }
    distinct(&mut fields, |field| &field.name);
    Ok(fields)
}

fn variants(u: &mut Unstructured<'_>, depth: usize) -> Result<Form> {
    let mut variants: Vec<VariantDef> = Vec::new();
    for _ in 0..u.int_in_range(0..=PARTS_MAX)? {
        let form = match u.int_in_range(0..=2_u8)? {
            0 => Form::UnitStruct,
            1 => Form::TupleStruct(fields(u, depth, false)?),
            _ => Form::Struct(fields(u, depth, true)?),
        };
        variants.push(VariantDef { name: name(u)?, aliases: names(u)?, form });
    }
    distinct(&mut variants, |variant| &variant.name);
    let fallback = u.int_in_range(0..=2 * PARTS_MAX as u32)?;
    let fallback = Some(fallback).filter(|index| (*index as usize) < variants.len());
    Ok(Form::Enum { variants, fallback })
}

/// Removes parts with duplicate names.
fn distinct<T>(parts: &mut Vec<T>, name: impl Fn(&T) -> &String) {
    let mut seen = Vec::new();
    parts.retain(|part| {
        let name = name(part).clone();
        let new = !seen.contains(&name);
        seen.push(name);
        new
    });
}

/// An edited version of `def`; unchanged if the input is empty.
///
/// # Errors
///
/// Missing bytes are zeros, so this does not fail when the input ends.
pub fn edited(u: &mut Unstructured<'_>, def: &Definition, depth: usize) -> Result<Definition> {
    let mut new = def.clone();
    new.form = edited_form(u, &def.form, depth)?;
    match u.int_in_range(0..=31_u8)? {
        20 => return definition(u, depth),
        21 => new.name = name(u)?,
        22 => new.aliases.push(std::mem::replace(&mut new.name, name(u)?)),
        23 => (new.version, new.migrates) = (new.version.saturating_add(1), true),
        24 => new.form = Form::Option(Box::new(new.clone())),
        25 => new.form = Form::Boxed(Box::new(new.clone())),
        26 => {
            let inner = field(u, "0".to_owned(), new)?;
            return named(u, Form::TupleStruct(vec![inner]));
        }
        27 => new.dropped.push(name(u)?),
        28 => new.form = relisted(u, new.form)?,
        29 => new.size ^= 1,
        30 => {
            new = match new.form {
                Form::Option(inner) | Form::Boxed(inner) | Form::Seq(inner) => *inner,
                form => Definition { form, ..new },
            }
        }
        31 => new.form = Form::Number(*u.choose(&NUMBERS)?),
        _ => {}
    }
    Ok(new)
}

fn edited_box(u: &mut Unstructured<'_>, def: &Definition, depth: usize) -> Result<Box<Definition>> {
    edited(u, def, depth + 1).map(Box::new)
}

fn edited_form(u: &mut Unstructured<'_>, form: &Form, depth: usize) -> Result<Form> {
    Ok(match form {
        Form::Option(inner) => Form::Option(edited_box(u, inner, depth)?),
        Form::Boxed(inner) => Form::Boxed(edited_box(u, inner, depth)?),
        Form::Seq(item) => Form::Seq(edited_box(u, item, depth)?),
        Form::Map(key, value) => {
            Form::Map(edited_box(u, key, depth)?, edited_box(u, value, depth)?)
        }
        Form::Array(item, len) => Form::Array(edited_box(u, item, depth)?, *len),
        Form::Tuple(fields) => Form::Tuple(edited_fields(u, fields, false, depth)?),
        Form::Struct(fields) => Form::Struct(edited_fields(u, fields, true, depth)?),
        Form::TupleStruct(fields) => Form::TupleStruct(edited_fields(u, fields, false, depth)?),
        Form::Enum { variants, fallback } => edited_variants(u, variants, *fallback, depth)?,
        form => form.clone(),
    })
}

fn edited_fields(
    u: &mut Unstructured<'_>,
    fields: &[FieldDef],
    by_name: bool,
    depth: usize,
) -> Result<Vec<FieldDef>> {
    let mut new = Vec::new();
    for old in fields {
        let mut changed = FieldDef { ty: edited(u, &old.ty, depth + 1)?, ..old.clone() };
        match u.int_in_range(0..=31_u8)? {
            27 => continue,
            28 => changed.aliases.push(std::mem::replace(&mut changed.name, name(u)?)),
            29 => changed.skip = !changed.skip,
            30 => changed.has_default = !changed.has_default,
            31 => {
                let (name, ty) = (name(u)?, definition(u, depth + 1)?);
                new.push(FieldDef { has_default: true, ..field(u, name, ty)? });
            }
            _ => {}
        }
        new.push(changed);
    }
    match u.int_in_range(0..=15_u8)? {
        14 => new.reverse(),
        15 if !new.is_empty() => new.rotate_left(1),
        _ => {}
    }
    if by_name {
        distinct(&mut new, |field| &field.name);
    } else {
        (0..).zip(&mut new).for_each(|(index, field): (u32, _)| field.name = index.to_string());
    }
    Ok(new)
}

fn edited_variants(
    u: &mut Unstructured<'_>,
    variants: &[VariantDef],
    fallback: Option<u32>,
    depth: usize,
) -> Result<Form> {
    let mut new = Vec::new();
    for old in variants {
        let mut changed = VariantDef { form: edited_form(u, &old.form, depth)?, ..old.clone() };
        match u.int_in_range(0..=15_u8)? {
            14 => continue,
            15 => changed.aliases.push(std::mem::replace(&mut changed.name, name(u)?)),
            _ => {}
        }
        new.push(changed);
    }
    distinct(&mut new, |variant| &variant.name);
    if u.int_in_range(0..=15_u8)? == 15 {
        new.reverse();
    }
    let fallback = match u.int_in_range(0..=7_u8)? {
        7 => Some(0),
        _ => fallback,
    };
    let fallback = fallback.filter(|index| (*index as usize) < new.len());
    Ok(Form::Enum { variants: new, fallback })
}

/// The same items in another kind of list.
fn relisted(u: &mut Unstructured<'_>, form: Form) -> Result<Form> {
    Ok(match form {
        Form::Seq(item) => Form::Array(item, len(u)?),
        Form::Array(item, _) => Form::Seq(item),
        Form::Tuple(fields) => Form::TupleStruct(fields),
        Form::TupleStruct(fields) => Form::Tuple(fields),
        Form::Struct(fields) => Form::TupleStruct(numbered(fields)),
        form => form,
    })
}

fn numbered(fields: Vec<FieldDef>) -> Vec<FieldDef> {
    let fields = fields.into_iter().zip(0..);
    fields.map(|(field, index): (_, u32)| FieldDef { name: index.to_string(), ..field }).collect()
}
