//! Compiles a pair of types to the bytecode that converts values from one to the other.
//!
//! This is the only place that defines which types convert to which. It also records the changes it
//! makes and those it cannot make, so that [`TypeChange`](super::diff::TypeChange) describes
//! exactly what [`Resolution`](super::resolve::Resolution) does.

use std::collections::HashMap;

pub mod types;

use super::bytecode::{Bytecode, Op, Site};
use super::definition::{Definition, FieldDef, Form};
use super::diff::{Entry, Severity};
use super::schema::{Field, Schema};

/// The maximum nesting depth of a pair of types.
const MAX_PAIRS: usize = 160;

/// A reader's type: its definition and, if its functions may be called, its schema.
#[derive(Clone, Copy)]
pub(crate) struct Node<'a> {
    pub def: &'a Definition,
    pub schema: Option<&'static Schema>,
}

/// A reader's field.
#[derive(Clone, Copy)]
pub(crate) struct FieldNode<'a> {
    pub def: &'a FieldDef,
    pub field: Option<&'static Field>,
}

impl<'a> Node<'a> {
    /// A type without a schema, whose functions cannot be called.
    pub fn from_definition(def: &'a Definition) -> Self {
        Self { def, schema: None }
    }

    /// The inner type with definition `def`; `index` as in [`Schema::part`].
    pub fn part(self, def: &'a Definition, index: usize) -> Self {
        Self { def, schema: self.schema.and_then(|schema| schema.part(index)) }
    }

    /// The encoded fields.
    pub fn fields(self) -> Vec<FieldNode<'a>> {
        fields(&self.def.form, self.schema.map(|schema| schema.shape.fields()))
    }

    /// The encoded fields of a variant with form `form`.
    pub fn variant_fields(self, form: &'a Form, index: usize) -> Vec<FieldNode<'a>> {
        let variant = self.schema.and_then(|schema| schema.shape.variants().get(index));
        fields(form, variant.map(|variant| variant.shape.fields()))
    }
}

impl<'a> FieldNode<'a> {
    pub fn ty(self) -> Node<'a> {
        Node { def: &self.def.ty, schema: self.field.map(|field| field.schema) }
    }
}

fn fields<'a>(form: &'a Form, fields: Option<&'static [Field]>) -> Vec<FieldNode<'a>> {
    let written = form.fields().iter().enumerate().filter(|(_, def)| !def.skip);
    written
        .map(|(i, def)| FieldNode { def, field: fields.and_then(|fields| fields.get(i)) })
        .collect()
}

/// A value that the type's `migrate` function must upgrade.
pub(crate) struct Migrating<'a> {
    pub writer: &'a Definition,
    pub enclosing: Vec<&'a Definition>,
    pub reader: &'static Schema,
}

/// A recursive pair of types, to be compiled as a procedure.
struct Job<'a> {
    proc: u32,
    writer: &'a Definition,
    reader: Node<'a>,
    writers: Vec<&'a Definition>,
    readers: Vec<Node<'a>>,
    raw: bool,
    path: String,
}

/// Compares two types.
pub(crate) struct Compiler<'a> {
    pub bytecode: Bytecode,
    /// The changes by part.
    pub entries: Vec<Entry>,
    pub migrating: Vec<Migrating<'a>>,
    /// Set if the values were written by newer code: the written and the known version.
    pub newer: Option<(u32, u32)>,
    pub(super) path: String,
    /// True while compiling steps that only advance: entities are not mapped, no changes are
    /// recorded.
    pub(super) raw: bool,
    /// The values have already been migrated to the reader's version.
    current: bool,
    depth: usize,
    writers: Vec<&'a Definition>,
    readers: Vec<Node<'a>>,
    procs: HashMap<(usize, usize, bool), u32>,
    jobs: Vec<Job<'a>>,
}

impl<'a> Compiler<'a> {
    /// `current`: the values have already been migrated to the reader's version.
    pub fn new(current: bool) -> Self {
        Self {
            bytecode: Bytecode::default(),
            entries: Vec::new(),
            migrating: Vec::new(),
            newer: None,
            path: String::new(),
            raw: false,
            current,
            depth: 0,
            writers: Vec::new(),
            readers: Vec::new(),
            procs: HashMap::new(),
            jobs: Vec::new(),
        }
    }

    /// Compiles the whole conversion, procedures included.
    pub fn whole(&mut self, writer: &'a Definition, reader: Node<'a>) {
        self.pair(writer, reader, None);
        self.bytecode.main = self.bytecode.ops.len();
        while let Some(job) = self.jobs.pop() {
            let start = self.bytecode.label();
            (self.writers, self.readers) = (job.writers, job.readers);
            (self.path, self.raw) = (job.path, job.raw);
            self.pair(job.writer, job.reader, None);
            let end = self.bytecode.label();
            self.bytecode.procs[job.proc as usize] = (start, end);
        }
    }

    /// Compiles the conversion from `writer` to `reader`; `field` is the reader's field, if it is
    /// the type of one.
    pub(super) fn pair(
        &mut self,
        writer: &'a Definition,
        reader: Node<'a>,
        field: Option<FieldNode<'a>>,
    ) {
        if self.depth == MAX_PAIRS {
            return self.impossible("types are nested too deep: flatten them".to_owned());
        }
        self.depth += 1;
        let site = self.bytecode.site;
        self.bytecode.site = self.bytecode.sites.len() as u32;
        self.bytecode.sites.push(Site {
            path: self.path.clone(),
            from: writer.to_string(),
            to: reader.def.to_string(),
        });
        let (writers, readers) = (self.writers.len(), self.readers.len());
        if writer.is_nominal() {
            self.writers.push(writer);
        }
        if reader.def.is_nominal() {
            self.readers.push(reader);
        }
        match (&writer.form, &reader.def.form) {
            (Form::Boxed(writer), _) => self.pair(writer, reader, field),
            (_, Form::Boxed(inner)) => self.pair(writer, reader.part(inner, 0), field),
            (Form::Recursive(_), _) | (_, Form::Recursive(_)) => self.call(writer, reader),
            _ if self.versions(writer, reader) => {}
            _ => self.types(writer, reader, field),
        }
        self.writers.truncate(writers);
        self.readers.truncate(readers);
        self.bytecode.site = site;
        self.depth -= 1;
    }

    /// Compiles steps that advance past a value of `writer`.
    pub(super) fn walk(&mut self, writer: &'a Definition) {
        let readers = self.writers.iter().map(|writer| Node::from_definition(writer)).collect();
        let readers = std::mem::replace(&mut self.readers, readers);
        let raw = std::mem::replace(&mut self.raw, true);
        self.pair(writer, Node::from_definition(writer), None);
        self.raw = raw;
        self.readers = readers;
    }

    /// A value within a value of the same type: a recursive procedure.
    fn call(&mut self, writer: &'a Definition, reader: Node<'a>) {
        let mut writers = self.writers.clone();
        let mut readers = self.readers.clone();
        let mut target = writer;
        if let Form::Recursive(name) = &writer.form {
            match writers.iter().rposition(|outer| outer.name == *name) {
                Some(at) => target = writers.split_off(at)[0],
                None => return self.impossible(unknown(name)),
            }
        } else if writer.is_nominal() {
            writers.pop();
        }
        let mut into = reader;
        if let Form::Recursive(name) = &reader.def.form {
            match readers.iter().rposition(|outer| outer.def.name == *name) {
                Some(at) => into = readers.split_off(at)[0],
                None => return self.impossible(unknown(name)),
            }
        } else if reader.def.is_nominal() {
            readers.pop();
        }
        let key =
            (std::ptr::from_ref(target).addr(), std::ptr::from_ref(into.def).addr(), self.raw);
        let proc = match self.procs.get(&key) {
            Some(proc) => *proc,
            None => {
                let proc = self.bytecode.procs.len() as u32;
                self.bytecode.procs.push((0, 0));
                self.procs.insert(key, proc);
                self.jobs.push(Job {
                    proc,
                    writer: target,
                    reader: into,
                    writers,
                    readers,
                    raw: self.raw,
                    path: self.path.clone(),
                });
                proc
            }
        };
        self.bytecode.push(Op::Call(proc));
    }

    /// Compares the versions; true if the pair is dealt with.
    fn versions(&mut self, writer: &'a Definition, reader: Node<'a>) -> bool {
        let same = self.path.is_empty() || reader.def.is_called(&writer.name);
        let (written, known) = (writer.version, reader.def.version);
        if self.raw || self.current || !same || writer.version == known {
            return false;
        }
        if written > known {
            self.newer.get_or_insert((written, known));
            self.impossible(format!(
                "written as version {written}, but the module knows {known}: load the newer module"
            ));
            return true;
        }
        if !reader.def.migrates {
            return false;
        }
        self.note(
            Severity::Checked,
            format!("migrated by the type's `migrate` function, from version {written} to {known}"),
        );
        if let Some(schema) = reader.schema {
            self.bytecode.push(Op::Migrate(self.migrating.len() as u32));
            let enclosing = self.writers.iter().copied().filter(|w| !std::ptr::eq(*w, writer));
            let enclosing = enclosing.collect();
            self.migrating.push(Migrating { writer, enclosing, reader: schema });
        }
        true
    }

    /// Records that this part's type changes.
    pub(super) fn changed(&mut self, severity: Severity, writer: &Definition, reader: Node<'_>) {
        if let Some(last) = self.entries.last_mut()
            && last.path == self.path
            && matches!(last.severity, Severity::Converted | Severity::Checked)
        {
            if severity == Severity::Checked && last.severity == Severity::Converted {
                last.severity = severity;
                last.description.push_str(CHECKED);
            }
            return;
        }
        let checked = if severity == Severity::Checked { CHECKED } else { "" };
        self.note(severity, format!("{writer} -> {}{checked}", reader.def));
    }

    /// Records a change of this part.
    pub(super) fn note(&mut self, severity: Severity, description: String) {
        if !self.raw {
            self.entries.push(Entry { path: self.path.clone(), severity, description });
        }
    }

    /// Records that this part cannot be converted.
    pub(super) fn impossible(&mut self, description: String) {
        let path = self.path.clone();
        self.entries.push(Entry { path, severity: Severity::Impossible, description });
        self.bytecode.push(Op::Fail);
    }

    /// Calls `inner` with `part` appended to the path.
    pub(super) fn within(&mut self, part: &str, inner: impl FnOnce(&mut Self)) {
        let len = self.path.len();
        if !self.path.is_empty() && !part.starts_with(['[', '{']) {
            self.path.push('.');
        }
        self.path.push_str(part);
        inner(self);
        self.path.truncate(len);
    }
}

const CHECKED: &str = " (each value is checked)";

fn unknown(name: &str) -> String {
    format!("refers to `{name}`, which does not enclose it: build the module again")
}

/// The minimum encoded size of a value of `writer`, in bytes. A recursive type is within a list or
/// an option, which has at least one byte.
pub(crate) fn least(writer: &Definition) -> u64 {
    let of_fields =
        |form: &Form| form.written().fold(0_u64, |sum, field| sum.saturating_add(least(&field.ty)));
    match &writer.form {
        Form::Never | Form::Unit | Form::UnitStruct => 0,
        Form::Number(number) => match number.written() {
            super::wire_format::Written::Fixed(bytes) => bytes as u64,
            super::wire_format::Written::Varint(_) => 1,
        },
        Form::Boxed(inner) => least(inner),
        Form::Array(item, len) => least(item).saturating_mul(*len),
        form @ (Form::Tuple(_) | Form::Struct(_) | Form::TupleStruct(_)) => of_fields(form),
        Form::Bool
        | Form::Char
        | Form::Str
        | Form::Bytes
        | Form::Entity
        | Form::Option(_)
        | Form::Seq(_)
        | Form::Map(..)
        | Form::Enum { .. }
        | Form::Recursive(_)
        | Form::Opaque => 1,
    }
}
