//! Upgrades values with `migrate` functions, version by version.

use super::compile::Migrating;
use super::decode::Decoder;
use super::definition::Definition;
use super::encode::encode;
use super::infer_schema::infer_schema;
use super::interpreter::{Entities, Failure};
use super::resolve::{Options, Resolution};
use super::schema::{Schema, Shape};
use super::value::Value;

/// The maximum number of cached conversions. Few are needed, as the values of a type differ only in
/// their variants and options.
const FORMS_MAX: usize = 32;

/// The upgrade of values of one type.
#[derive(Clone, Debug)]
pub(crate) struct Migration {
    writer: Definition,
    enclosing: Vec<Definition>,
    reader: &'static Schema,
    definition: Definition,
    /// The types within the reader that have `migrate` functions.
    inner: Vec<&'static Schema>,
    options: Options,
    /// Cached conversions to the reader's type, by the form that the functions returned.
    forms: Vec<(Definition, Resolution)>,
}

impl Migration {
    pub fn new(migrating: Migrating<'_>, options: Options) -> Self {
        let mut inner = Vec::new();
        migrates_within(migrating.reader, &mut inner);
        Self {
            writer: migrating.writer.clone(),
            enclosing: migrating.enclosing.into_iter().cloned().collect(),
            reader: migrating.reader,
            definition: Definition::of(migrating.reader),
            inner,
            options,
            forms: Vec::new(),
        }
    }

    /// Upgrades the value at `at`, advances `at`, and appends the value to `out`.
    pub fn run(
        &mut self,
        input: &[u8],
        at: &mut usize,
        out: &mut Vec<u8>,
        entities: &mut Entities<'_>,
    ) -> Result<(), Failure> {
        let known = self.reader.version;
        let failed = |reason: String| Failure::Migration(known, reason);
        let upgrade = |def: &Definition, value: Value| {
            let whole = std::ptr::eq(def, &self.writer);
            let called = |schema: &&&Schema| {
                schema.name == def.name || schema.aliases.contains(&def.name.as_str())
            };
            match if whole { Some(&self.reader) } else { self.inner.iter().find(called) } {
                Some(schema) => steps(schema, def.version, value),
                None => Ok(value),
            }
        };
        let mut decoder = Decoder::new(input, *at, &upgrade);
        let value = decoder
            .value_within(&self.writer, &self.enclosing)
            .map_err(|error| failed(error.to_string()))?;
        *at = decoder.at;
        let form = infer_schema(&value).map_err(|error| failed(error.to_string()))?;
        let bytes = encode(&value, &form).map_err(|error| failed(error.to_string()))?;
        let resolution = match self.forms.iter().position(|(known, _)| *known == form) {
            Some(at) => &mut self.forms[at].1,
            None => {
                let resolution =
                    Resolution::compile(&form, &self.definition, self.reader, self.options, true)
                        .map_err(|error| failed(format!("it returned {value}: {error}")))?;
                if self.forms.len() == FORMS_MAX {
                    self.forms.clear();
                }
                self.forms.push((form, resolution));
                let last = self.forms.len() - 1;
                &mut self.forms[last].1
            }
        };
        resolution
            .convert(&mut bytes.as_slice(), out, entities)
            .map_err(|error| failed(format!("it returned {value}: {error}")))
    }
}

/// Calls `migrate` once for each version.
fn steps(schema: &Schema, written: u32, mut value: Value) -> Result<Value, String> {
    let Some(migrate) = schema.migrate else { return Ok(value) };
    for version in written..schema.version {
        value = migrate(version, value)
            .map_err(|error| format!("{}: from version {version}: {error}", schema.name))?;
    }
    Ok(value)
}

fn migrates_within(schema: &'static Schema, found: &mut Vec<&'static Schema>) {
    if schema.migrate.is_some() {
        found.push(schema);
    }
    for part in (0..2).filter_map(|index| schema.part(index)) {
        migrates_within(part, found);
    }
    let of_fields = |shape: &Shape, found: &mut Vec<_>| {
        for field in shape.fields() {
            migrates_within(field.schema, found);
        }
    };
    of_fields(&schema.shape, found);
    for variant in schema.shape.variants() {
        of_fields(&variant.shape, found);
    }
}
