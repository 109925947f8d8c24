//! Values of one type as values of another: worked out once, then done for each value.

use super::bytecode::Program;
use super::compile::{Compiler, Node};
use super::definition::Definition;
use super::diff::{Entry, Severity};
use super::fast_path::Quick;
use super::interpreter::{ConvertError, Entities, Run};
use super::migrate::Migration;
use super::schema::Schema;
use super::wire_format::EMPTY_ITEMS_MAX;

/// What is allowed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Fields that the reader does not have may go without being listed as dropped.
    pub allow_drop: bool,
}

/// Values of a type cannot be read as another one.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say what the fields are")]
pub enum ResolveError {
    /// Values would be lost.
    #[error("{name}: {}; or confirm that they go", lines(.fields))]
    Drops { name: String, fields: Vec<Entry> },
    /// There is no way for some part.
    #[error("{name}: {}", lines(.reasons))]
    Refused { name: String, reasons: Vec<Entry> },
    /// Written by newer code.
    #[error(
        "{name}: written as version {written} where {known} is known: load the module that wrote \
         it, or a newer one"
    )]
    Newer { name: String, written: u32, known: u32 },
}

fn lines(entries: &[Entry]) -> String {
    entries.iter().map(Entry::to_string).collect::<Vec<_>>().join("\n    ")
}

/// A conversion from the values of one type to those of another.
#[derive(Clone, Debug)]
pub struct Resolution {
    program: Program,
    migrations: Vec<Migration>,
    changes: Vec<Entry>,
    /// Positions that a value is read from; kept for the next value.
    marks: Vec<usize>,
    /// The way of plain values.
    quick: Option<Quick>,
}

impl Resolution {
    /// Works out how values of `writer` become values of `reader`.
    ///
    /// Fields and variants are found by name or former name. What is new comes from its default.
    /// Numbers go from any type to any other, each value being checked. Between a struct with named
    /// fields and a tuple, fields go by position, if there are as many. A list that becomes a set,
    /// or a map whose keys change their type, keeps one of those that are equal.
    pub fn new(
        writer: &Definition,
        reader: &'static Schema,
        options: Options,
    ) -> Result<Self, ResolveError> {
        Self::compile(writer, &Definition::of(reader), reader, options, false)
    }

    /// `current`: the values have gone through the author's functions already.
    pub(crate) fn compile(
        writer: &Definition,
        definition: &Definition,
        reader: &'static Schema,
        options: Options,
        current: bool,
    ) -> Result<Self, ResolveError> {
        let mut compiler = Compiler::new(current);
        compiler.whole(writer, Node { def: definition, schema: Some(reader) });
        let name = reader.name.to_owned();
        if let Some((written, known)) = compiler.newer {
            return Err(ResolveError::Newer { name, written, known });
        }
        let of = |severity| {
            let entries = compiler.entries.iter().filter(|entry| entry.severity == severity);
            entries.cloned().collect::<Vec<_>>()
        };
        let reasons = of(Severity::Impossible);
        if !reasons.is_empty() {
            return Err(ResolveError::Refused { name, reasons });
        }
        let fields = of(Severity::Dropped { declared: false });
        if !fields.is_empty() && !options.allow_drop {
            return Err(ResolveError::Drops { name, fields });
        }
        let migrations =
            compiler.migrating.into_iter().map(|it| Migration::new(it, options)).collect();
        let mut program = compiler.program;
        program.finish();
        let quick = Quick::of(&program);
        Ok(Self { program, migrations, changes: compiler.entries, marks: Vec::new(), quick })
    }

    /// What the conversion changes.
    pub fn changes(&self) -> &[Entry] {
        &self.changes
    }

    /// Takes one value of the writer's type from the start of `bytes`, and appends it to `out` as
    /// one of the reader's type. `entities` says what an entity is called now.
    ///
    /// After an error `bytes` and `out` are as they were.
    pub fn convert(
        &mut self,
        bytes: &mut &[u8],
        out: &mut Vec<u8>,
        entities: &mut Entities<'_>,
    ) -> Result<(), ConvertError> {
        if let Some(quick) = &mut self.quick
            && let Some(at) = quick.one(&self.program.consts, bytes, out)
        {
            *bytes = bytes.get(at..).unwrap_or(&[]);
            return Ok(());
        }
        self.slow(bytes, out, entities)
    }

    /// Takes `count` values, one behind the other, like [`convert`](Self::convert); faster than one
    /// by one. After an error `bytes` and `out` are as they were.
    pub fn convert_many(
        &mut self,
        count: usize,
        bytes: &mut &[u8],
        out: &mut Vec<u8>,
        entities: &mut Entities<'_>,
    ) -> Result<(), ConvertError> {
        let (input, before) = (*bytes, out.len());
        let mut left = count;
        while left > 0 {
            if let Some(quick) = &mut self.quick {
                let (done, at) = quick.many(&self.program.consts, bytes, out, left);
                *bytes = bytes.get(at..).unwrap_or(&[]);
                left -= done;
            }
            if left > 0 {
                if let Err(error) = self.slow(bytes, out, entities) {
                    *bytes = input;
                    out.truncate(before);
                    return Err(error);
                }
                left -= 1;
            }
        }
        Ok(())
    }

    fn slow(
        &mut self,
        bytes: &mut &[u8],
        out: &mut Vec<u8>,
        entities: &mut Entities<'_>,
    ) -> Result<(), ConvertError> {
        let before = out.len();
        self.marks.clear();
        let mut run = Run {
            program: &self.program,
            migrations: &mut self.migrations,
            marks: &mut self.marks,
            input: bytes,
            at: 0,
            out,
            entities,
            from: 0,
            depth: 0,
            empty_items: EMPTY_ITEMS_MAX,
        };
        match run.convert() {
            Ok(()) => {
                let at = run.at;
                *bytes = bytes.get(at..).unwrap_or(&[]);
                Ok(())
            }
            Err(error) => {
                out.truncate(before);
                Err(error)
            }
        }
    }
}
