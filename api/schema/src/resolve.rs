//! Converts values of one type to another: compiled once, then run for each value.

use super::bytecode::Bytecode;
use super::compile::{Compiler, Node};
use super::definition::Definition;
use super::diff::{Entry, Severity};
use super::fast_path::FastPath;
use super::interpreter::{ConvertError, Entities, Interpreter};
use super::migrate::Migration;
use super::schema::Schema;
use super::wire_format::EMPTY_ITEMS_MAX;

/// Options of a [`Resolution`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Fields that the reader does not have are dropped without being declared.
    pub allow_drop: bool,
}

/// The values of a type cannot be converted to another type.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ResolveError {
    /// Fields would be dropped without being declared.
    #[error("{name}: {}; or confirm that they are dropped", lines(.fields))]
    Drops { name: String, fields: Vec<Entry> },
    /// Some part cannot be converted.
    #[error("{name}: {}", lines(.reasons))]
    Refused { name: String, reasons: Vec<Entry> },
    /// The values were written by a newer version of the type.
    #[error(
        "{name}: written as version {written}, but the module knows {known}: load the module that wrote \
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
    bytecode: Bytecode,
    migrations: Vec<Migration>,
    changes: Vec<Entry>,
    /// Scratch memory for [`Op::Mark`](super::bytecode::Op), kept for the next value.
    marks: Vec<usize>,
    /// Present if all steps of the bytecode are simple.
    fast_path: Option<FastPath>,
}

impl Resolution {
    /// Compiles the conversion from values of `writer` to values of `reader`.
    ///
    /// Fields and variants are matched by name or former name. New fields get their default.
    /// Numbers convert between all types, and each value is checked. Between a struct with named
    /// fields and a tuple with as many, fields are matched by position. A list that becomes a set,
    /// or a map whose keys change their type, keeps one of several equal items.
    pub fn new(
        writer: &Definition,
        reader: &'static Schema,
        options: Options,
    ) -> Result<Self, ResolveError> {
        Self::compile(writer, &Definition::of(reader), reader, options, false)
    }

    /// `current`: the values have already been migrated to the reader's version.
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
        let mut bytecode = compiler.bytecode;
        bytecode.finish();
        let fast_path = FastPath::of(&bytecode);
        Ok(Self { bytecode, migrations, changes: compiler.entries, marks: Vec::new(), fast_path })
    }

    /// The changes, as in [`TypeChange`](super::diff::TypeChange).
    pub fn changes(&self) -> &[Entry] {
        &self.changes
    }

    /// Reads one value of the writer's type from the start of `bytes`, advances `bytes`, and
    /// appends the converted value to `out`. `entities` maps old entities to new ones.
    ///
    /// On an error `bytes` and `out` are unchanged.
    pub fn convert(
        &mut self,
        bytes: &mut &[u8],
        out: &mut Vec<u8>,
        entities: &mut Entities<'_>,
    ) -> Result<(), ConvertError> {
        if let Some(fast_path) = &mut self.fast_path
            && let Some(at) = fast_path.one(&self.bytecode.consts, bytes, out)
        {
            *bytes = bytes.get(at..).unwrap_or(&[]);
            return Ok(());
        }
        self.interpret(bytes, out, entities)
    }

    /// Converts `count` concatenated values like [`convert`](Self::convert), but faster. On an
    /// error `bytes` and `out` are unchanged.
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
            if let Some(fast_path) = &mut self.fast_path {
                let (done, at) = fast_path.many(&self.bytecode.consts, bytes, out, left);
                *bytes = bytes.get(at..).unwrap_or(&[]);
                left -= done;
            }
            if left > 0 {
                if let Err(error) = self.interpret(bytes, out, entities) {
                    *bytes = input;
                    out.truncate(before);
                    return Err(error);
                }
                left -= 1;
            }
        }
        Ok(())
    }

    fn interpret(
        &mut self,
        bytes: &mut &[u8],
        out: &mut Vec<u8>,
        entities: &mut Entities<'_>,
    ) -> Result<(), ConvertError> {
        let before = out.len();
        self.marks.clear();
        let mut interpreter = Interpreter {
            bytecode: &self.bytecode,
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
        match interpreter.convert() {
            Ok(()) => {
                let at = interpreter.at;
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
