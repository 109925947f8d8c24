//! Describes the effect of a type's change on its values, without running the new module's code.

use std::fmt;

use super::compile::{Compiler, Node};
use super::definition::{Definition, FieldDef, Form};

/// The effect of a type's change on its values.
#[derive(Clone, Debug, PartialEq)]
pub struct TypeChange {
    /// The type's new name.
    pub name: String,
    /// True if nothing differs, including the layout in memory.
    pub identical: bool,
    /// The differences, in the order of the new fields.
    pub entries: Vec<Entry>,
}

/// The effect on a part of a type's values.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The part, e.g. `body.speed`, `items[].kind`; empty for the type itself.
    pub path: String,
    pub severity: Severity,
    /// The change, and the remedy if one is needed.
    pub description: String,
}

/// The severity of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The value is unchanged.
    Kept,
    /// Every value can be converted.
    Converted,
    /// Each value is checked; one that cannot be converted is an error.
    Checked,
    /// The part is new and gets its default.
    New,
    /// The value is dropped. Needs the author's confirmation unless it is declared.
    Dropped {
        /// True if the type lists it as dropped.
        declared: bool,
    },
    /// The value cannot be converted.
    Impossible,
}

impl TypeChange {
    /// Compares `old` with `new`.
    pub fn between(old: &Definition, new: &Definition) -> Self {
        let mut compiler = Compiler::new(false);
        compiler.whole(old, Node::from_definition(new));
        let mut entries = compiler.entries;
        let identical = old == new || entries.is_empty() && same_layout(old, new);
        if !identical && entries.iter().all(|entry| entry.severity == Severity::Kept) {
            moved(&mut String::new(), old, new, &mut entries);
        }
        Self { name: new.name.clone(), identical, entries }
    }

    /// True if some part cannot be converted.
    pub fn is_impossible(&self) -> bool {
        self.entries.iter().any(|entry| entry.severity == Severity::Impossible)
    }

    /// Parts that would be dropped without being declared.
    pub fn undeclared_drops(&self) -> impl Iterator<Item = &Entry> {
        let undeclared = Severity::Dropped { declared: false };
        self.entries.iter().filter(move |entry| entry.severity == undeclared)
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() { "the value" } else { &self.path };
        write!(f, "{path}: {}", self.description)
    }
}

/// One line for the type, and one for each entry.
impl fmt::Display for TypeChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, if self.identical { "identical" } else { "changed" })?;
        self.entries.iter().try_for_each(|entry| write!(f, "\n    {entry}"))
    }
}

/// True if both types have the same layout in memory: names, field names, types, sizes and offsets
/// are equal at every depth.
///
/// Offsets in enums are not compared, as Rust does not offer them; an edit that could change them
/// changes the crate's epoch.
pub fn same_layout(a: &Definition, b: &Definition) -> bool {
    a.name == b.name && a.size == b.size && a.align == b.align && same_form(&a.form, &b.form)
}

fn same_form(a: &Form, b: &Form) -> bool {
    match (a, b) {
        (Form::Option(a), Form::Option(b))
        | (Form::Boxed(a), Form::Boxed(b))
        | (Form::Seq(a), Form::Seq(b)) => same_layout(a, b),
        (Form::Map(a, c), Form::Map(b, d)) => same_layout(a, b) && same_layout(c, d),
        (Form::Array(a, n), Form::Array(b, m)) => n == m && same_layout(a, b),
        (Form::Tuple(a), Form::Tuple(b))
        | (Form::Struct(a), Form::Struct(b))
        | (Form::TupleStruct(a), Form::TupleStruct(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_field(a, b))
        }
        (Form::Enum { variants: a, .. }, Form::Enum { variants: b, .. }) => {
            let mut pairs = a.iter().zip(b);
            a.len() == b.len()
                && pairs.all(|(a, b)| a.name == b.name && same_form(&a.form, &b.form))
        }
        (a, b) => a == b,
    }
}

fn same_field(a: &FieldDef, b: &FieldDef) -> bool {
    a.name == b.name && a.offset == b.offset && a.skip == b.skip && same_layout(&a.ty, &b.ty)
}

/// Adds entries for parts that moved in memory although their encoding is the same.
fn moved(path: &mut String, old: &Definition, new: &Definition, entries: &mut Vec<Entry>) {
    let before = entries.len();
    for (a, b) in old.form.fields().iter().zip(new.form.fields()) {
        let len = path.len();
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(&b.name);
        if a.name == b.name && a.offset != b.offset {
            let of = |offset: Option<u64>| offset.map_or("?".to_owned(), |at| at.to_string());
            let description =
                format!("moved in memory, from byte {} to {}", of(a.offset), of(b.offset));
            entries.push(Entry { path: path.clone(), severity: Severity::Kept, description });
        } else if !same_layout(&a.ty, &b.ty) {
            moved(path, &a.ty, &b.ty, entries);
        }
        path.truncate(len);
    }
    if entries.len() == before && !same_layout(old, new) {
        let description = if (old.size, old.align) == (new.size, new.align) {
            "moved in memory".to_owned()
        } else {
            format!("moved in memory, from {} to {} bytes", old.size, new.size)
        };
        entries.push(Entry { path: path.clone(), severity: Severity::Kept, description });
    }
}
