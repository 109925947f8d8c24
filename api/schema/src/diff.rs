//! What becomes of a type's values, told before any code of the new module runs.

use std::fmt;

use super::compile::{Compiler, Node};
use super::definition::{Definition, FieldDef, Form};

/// What becomes of the values of a type.
#[derive(Clone, Debug, PartialEq)]
pub struct TypeChange {
    /// The type's new name.
    pub name: String,
    /// True if nothing differs, in memory either.
    pub identical: bool,
    /// What differs, in the order of the new fields.
    pub entries: Vec<Entry>,
}

/// What becomes of a part of a type's values.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The part, e.g. `body.speed`, `items[].kind`; empty for the type itself.
    pub path: String,
    /// How much it matters.
    pub severity: Severity,
    /// What happens, and what to do where something has to be done.
    pub what: String,
}

/// How much a change matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The value stays as it is.
    Kept,
    /// Every value can be converted.
    Converted,
    /// Every value is checked, and one that cannot be converted is an error.
    Checked,
    /// There was no value; it gets its default.
    New,
    /// The value is lost. What is not declared needs a yes.
    Dropped {
        /// True if the author has listed it.
        declared: bool,
    },
    /// There is no way.
    Impossible,
}

impl TypeChange {
    /// What becomes of values of `old` under `new`.
    pub fn between(old: &Definition, new: &Definition) -> Self {
        let mut compiler = Compiler::new(false);
        compiler.whole(old, Node::told(new));
        let mut entries = compiler.entries;
        let identical = old == new || entries.is_empty() && same_layout(old, new);
        if !identical && entries.iter().all(|entry| entry.severity == Severity::Kept) {
            moved(&mut String::new(), old, new, &mut entries);
        }
        Self { name: new.name.clone(), identical, entries }
    }

    /// True if something cannot be converted at all.
    pub fn is_impossible(&self) -> bool {
        self.entries.iter().any(|entry| entry.severity == Severity::Impossible)
    }

    /// Values that would be lost without the author having said so.
    pub fn undeclared_drops(&self) -> impl Iterator<Item = &Entry> {
        let undeclared = Severity::Dropped { declared: false };
        self.entries.iter().filter(move |entry| entry.severity == undeclared)
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() { "the value" } else { &self.path };
        write!(f, "{path}: {}", self.what)
    }
}

/// One line for the type, and one for each entry.
impl fmt::Display for TypeChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, if self.identical { "identical" } else { "changed" })?;
        self.entries.iter().try_for_each(|entry| write!(f, "\n    {entry}"))
    }
}

/// True if values of both types are the same in memory: names, field names, types, sizes and
/// offsets are equal, at every depth.
///
/// Rust does not tell the offsets in enums; what shapes them is part of a crate's epoch.
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

/// Adds what is elsewhere in memory, although it is written as before.
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
            let what = format!("moved in memory, from byte {} to {}", of(a.offset), of(b.offset));
            entries.push(Entry { path: path.clone(), severity: Severity::Kept, what });
        } else if !same_layout(&a.ty, &b.ty) {
            moved(path, &a.ty, &b.ty, entries);
        }
        path.truncate(len);
    }
    if entries.len() == before && !same_layout(old, new) {
        let what = if (old.size, old.align) == (new.size, new.align) {
            "moved in memory".to_owned()
        } else {
            format!("moved in memory, {} bytes where it had {}", new.size, old.size)
        };
        entries.push(Entry { path: path.clone(), severity: Severity::Kept, what });
    }
}
