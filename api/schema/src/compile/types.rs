//! The conversions between two forms.

use super::{Compiler, FieldNode, Node, least};
use crate::bytecode::Op;
use crate::definition::{Definition, Form};
use crate::diff::Severity;
use crate::numbers;
use crate::schema::Number;
use crate::wire_format::{COUNT, put_varint};

/// The remedy for opaque data of two different types.
const OPAQUE: &str = "only the same type can read opaque data: list it as dropped, or give \
                      the type a schema before it changes";

impl<'a> Compiler<'a> {
    /// Compiles the conversion between two forms; boxes, recursion and versions are dealt with
    /// before.
    pub(crate) fn types(
        &mut self,
        writer: &'a Definition,
        reader: Node<'a>,
        field: Option<FieldNode<'a>>,
    ) {
        let is_option = |ty: &Definition| matches!(ty.form, Form::Option(_));
        let old_newtype = writer.form.newtype();
        let new_newtype = reader.def.form.newtype();
        match (&writer.form, &reader.def.form) {
            (Form::Never, _) => self.bytecode.push(Op::Fail),
            (Form::Option(old), Form::Option(new)) => {
                let opened = self.bytecode.open(Op::Option { end: 0 });
                self.pair(old, reader.part(new, 0), None);
                self.bytecode.close(opened);
            }
            (_, Form::Option(new)) if !old_newtype.is_some_and(|field| is_option(&field.ty)) => {
                self.changed(Severity::Converted, writer, reader);
                self.bytecode.constant(&[1]);
                self.pair(writer, reader.part(new, 0), None);
            }
            (Form::Option(old), _) if !new_newtype.is_some_and(|field| is_option(&field.ty)) => {
                self.changed(Severity::Checked, writer, reader);
                let default = field.and_then(|field| self.default_of(field));
                let none = default.map(|bytes| self.bytecode.add_const(&bytes));
                let opened = self.bytecode.open(Op::Unwrap { none, end: 0 });
                self.pair(old, reader, None);
                self.bytecode.close(opened);
            }
            (Form::Number(from), Form::Number(to)) => self.number(*from, *to, writer, reader),
            (Form::Bool, Form::Bool) => self.bytecode.push(Op::Bool),
            (Form::Char, Form::Char) => self.bytecode.push(Op::Char),
            (Form::Str, Form::Str) => self.bytecode.push(Op::Str),
            (Form::Bytes, Form::Bytes) => self.bytecode.push(Op::Bytes),
            (Form::Str, Form::Char) => {
                self.changed(Severity::Checked, writer, reader);
                self.bytecode.push(Op::StrToChar);
            }
            (Form::Char, Form::Str) => {
                self.changed(Severity::Converted, writer, reader);
                self.bytecode.push(Op::CharToStr);
            }
            (Form::Entity, Form::Entity) if self.raw => self.bytecode.varints(1, COUNT),
            (Form::Entity, Form::Entity) => self.bytecode.push(Op::Entity),
            (Form::Entity, Form::Number(Number::U64))
            | (Form::Number(Number::U64), Form::Entity) => {
                self.changed(Severity::Converted, writer, reader);
                self.bytecode.push(Op::Entity);
            }
            (Form::Opaque, Form::Opaque) => {
                if (&writer.name, writer.size) == (&reader.def.name, reader.def.size) {
                    self.bytecode.push(Op::Bytes);
                } else {
                    self.impossible(format!("{writer} -> {}: {OPAQUE}", reader.def));
                }
            }
            (Form::Enum { .. }, Form::Enum { .. }) => self.variants(writer, reader),
            _ if self.lists(writer, reader) => {}
            (old, new) if kind(old).is_some() && kind(new).is_some() => {
                self.structs(writer, reader);
            }
            _ => self.peel(writer, reader),
        }
    }

    fn number(&mut self, from: Number, to: Number, writer: &Definition, reader: Node<'_>) {
        if from != to {
            let fits = numbers::always_fits(from, to);
            let severity = if fits { Severity::Converted } else { Severity::Checked };
            self.changed(severity, writer, reader);
        }
        if numbers::same_bytes(from, to) {
            self.bytecode.number(from);
        } else {
            self.bytecode.push(Op::Number { from, to });
        }
    }

    /// Lists, maps, arrays and tuples; false for other pairs.
    fn lists(&mut self, writer: &'a Definition, reader: Node<'a>) -> bool {
        let (old, new) = (&writer.form, &reader.def.form);
        match (old, new) {
            (Form::Bytes, Form::Seq(item)) | (Form::Seq(item), Form::Bytes) => {
                if item.form != Form::Number(Number::U8) {
                    return false;
                }
                self.changed(Severity::Converted, writer, reader);
                self.bytecode.push(Op::Bytes);
            }
            (Form::Seq(old), Form::Seq(new)) => {
                self.container(writer, reader);
                let opened = self.bytecode.open(Op::Seq { min: least(old), end: 0 });
                self.within("[]", |this| this.pair(old, reader.part(new, 0), None));
                self.bytecode.close(opened);
            }
            (Form::Map(old_key, old_value), Form::Map(new_key, new_value)) => {
                self.container(writer, reader);
                let min = least(old_key).saturating_add(least(old_value));
                let opened = self.bytecode.open(Op::Seq { min, end: 0 });
                self.within("{key}", |this| this.pair(old_key, reader.part(new_key, 0), None));
                self.within("[]", |this| this.pair(old_value, reader.part(new_value, 1), None));
                self.bytecode.close(opened);
            }
            (Form::Array(old, len), Form::Array(new, same)) => {
                if len != same {
                    return self.lengths(writer, reader);
                }
                self.repeat(old, reader.part(new, 0), *len);
            }
            (Form::Seq(old), Form::Array(new, len)) => {
                self.changed(Severity::Checked, writer, reader);
                self.bytecode.push(Op::Exact(*len));
                self.repeat(old, reader.part(new, 0), *len);
            }
            (Form::Array(old, len), Form::Seq(new)) => {
                self.changed(Severity::Converted, writer, reader);
                self.bytecode.constant(&count(*len));
                self.repeat(old, reader.part(new, 0), *len);
            }
            (Form::Seq(old), Form::Tuple(_) | Form::TupleStruct(_)) => {
                let fields = reader.fields();
                if new.newtype().is_some() {
                    return false;
                }
                self.changed(Severity::Checked, writer, reader);
                self.bytecode.push(Op::Exact(fields.len() as u64));
                for field in fields {
                    self.within(&field.def.name, |this| this.pair(old, field.ty(), Some(field)));
                }
            }
            (Form::Array(old, len), Form::Tuple(_) | Form::TupleStruct(_)) => {
                let fields = reader.fields();
                if new.newtype().is_some() {
                    return false;
                }
                if fields.len() as u64 != *len {
                    return self.lengths(writer, reader);
                }
                self.changed(Severity::Converted, writer, reader);
                for field in fields {
                    self.within(&field.def.name, |this| this.pair(old, field.ty(), Some(field)));
                }
            }
            (Form::Tuple(_) | Form::TupleStruct(_), Form::Seq(new) | Form::Array(new, _)) => {
                if old.newtype().is_some() {
                    return false;
                }
                let len = old.written().count() as u64;
                match reader.def.form {
                    Form::Array(_, same) if len != same => return self.lengths(writer, reader),
                    Form::Seq(_) => self.bytecode.constant(&count(len)),
                    _ => {}
                }
                self.changed(Severity::Converted, writer, reader);
                for field in old.written() {
                    let reader = reader.part(new, 0);
                    self.within(&field.name, |this| this.pair(&field.ty, reader, None));
                }
            }
            _ => return false,
        }
        true
    }

    fn lengths(&mut self, writer: &Definition, reader: Node<'_>) -> bool {
        self.impossible(format!(
            "{writer} -> {}: the lengths differ; write a `migrate` function, or use a `Vec`",
            reader.def
        ));
        true
    }

    /// Records a change between kinds of lists or maps.
    fn container(&mut self, writer: &Definition, reader: Node<'_>) {
        let known = !writer.name.is_empty() && !reader.def.name.is_empty();
        if known && writer.name != reader.def.name {
            self.changed(Severity::Converted, writer, reader);
        }
    }

    /// The items of an array.
    fn repeat(&mut self, writer: &'a Definition, reader: Node<'a>, count: u64) {
        let empty = least(writer) == 0;
        let opened = self.bytecode.open(Op::Repeat { count, empty, end: 0 });
        self.within("[]", |this| this.pair(writer, reader, None));
        self.bytecode.close(opened);
    }

    /// Wraps a value in a newtype, or unwraps it.
    pub(crate) fn peel(&mut self, writer: &'a Definition, reader: Node<'a>) {
        let new = reader.def.form.newtype().is_some();
        match (writer.form.newtype(), reader.fields().first()) {
            (_, Some(field)) if new => {
                self.changed(Severity::Converted, writer, reader);
                self.pair(writer, field.ty(), Some(*field));
            }
            (Some(field), _) => {
                self.changed(Severity::Converted, writer, reader);
                self.pair(&field.ty, reader, None);
            }
            _ => self.impossible(format!(
                "{writer} -> {}: there is no conversion; write a `migrate` function, or \
                 keep the old type under its name and add a field for the new one",
                reader.def
            )),
        }
    }
}

/// How the fields of a struct are matched.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// There are no fields.
    Empty,
    /// By name.
    Named,
    /// By index.
    Numbered,
}

/// How the fields of `form` are matched; `None` for forms that are not structs or tuples.
pub(crate) fn kind(form: &Form) -> Option<Kind> {
    match form {
        Form::Unit | Form::UnitStruct => Some(Kind::Empty),
        Form::Struct(_) => Some(Kind::Named),
        Form::Tuple(_) | Form::TupleStruct(_) => Some(Kind::Numbered),
        _ => None,
    }
}

fn count(len: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    put_varint(&mut bytes, len.into());
    bytes
}
