//! Parses encoded schemas. Safe for arbitrary bytes.

use std::collections::HashSet;

use super::const_encode::{VERSION, flags, tags};
use super::definition::{Definition, FieldDef, Form, MAX_DEPTH, VariantDef};
use super::schema::Number;

/// The bytes are not encoded schemas.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// Another version of the format.
    #[error(
        "the schema has format {found}, expected {VERSION}: build the module with this \
         version of the project"
    )]
    Format {
        /// The first byte.
        found: u8,
    },
    /// Unexpected bytes.
    #[error(
        "byte {offset} of the schema: expected {expected}; the artifact is damaged, build it again"
    )]
    Malformed {
        /// Offset from the start, in bytes.
        offset: usize,
        /// The expected content.
        expected: &'static str,
    },
    /// Types are nested deeper than [`MAX_DEPTH`].
    #[error("byte {offset} of the schema: types are nested deeper than {MAX_DEPTH}: flatten them")]
    TooDeep {
        /// Offset from the start, in bytes.
        offset: usize,
    },
    /// Two fields or two variants have the same name.
    #[error("byte {offset} of the schema: duplicate name `{name}`; the artifact is damaged")]
    Twice {
        /// Offset from the start, in bytes.
        offset: usize,
        name: String,
    },
}

type Parsed<T> = Result<T, SchemaError>;

impl Definition {
    /// Reads what [`const_encode`](super::const_encode::const_encode) or
    /// [`const_encode_all`](super::const_encode::const_encode_all) wrote.
    pub fn parse(bytes: &[u8]) -> Result<Vec<Self>, SchemaError> {
        let mut input = Input { bytes, at: 0 };
        match input.byte()? {
            VERSION => {}
            found => return Err(SchemaError::Format { found }),
        }
        let definitions = input.list(|input| input.definition(0))?;
        if input.at == bytes.len() { Ok(definitions) } else { Err(input.malformed("the end")) }
    }
}

struct Input<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Input<'_> {
    fn malformed(&self, expected: &'static str) -> SchemaError {
        SchemaError::Malformed { offset: self.at, expected }
    }

    fn byte(&mut self) -> Parsed<u8> {
        let byte = *self.bytes.get(self.at).ok_or_else(|| self.malformed("more bytes"))?;
        self.at += 1;
        Ok(byte)
    }

    fn flags(&mut self) -> Parsed<u8> {
        let flags = self.byte()?;
        if flags & !flags::ALL == 0 { Ok(flags) } else { Err(self.malformed("known flags")) }
    }

    fn number(&mut self) -> Parsed<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                break;
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(self.malformed("a number of 64 bits"))
    }

    fn small(&mut self) -> Parsed<u32> {
        self.number()?.try_into().map_err(|_| self.malformed("a number of 32 bits"))
    }

    /// A count of items that take at least one byte each.
    fn count(&mut self) -> Parsed<usize> {
        let rest = self.bytes.len() - self.at;
        let count = self.number()?.try_into().unwrap_or(usize::MAX);
        if count <= rest { Ok(count) } else { Err(self.malformed("a smaller count")) }
    }

    fn text(&mut self) -> Parsed<String> {
        let len = self.count()?;
        let text = self.bytes.get(self.at..self.at + len);
        let text = text.and_then(|text| std::str::from_utf8(text).ok());
        let text = text.ok_or_else(|| self.malformed("a name in UTF-8"))?;
        self.at += len;
        Ok(text.to_owned())
    }

    fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        let count = self.count()?;
        let mut items = Vec::new();
        for _ in 0..count {
            items.push(item(self)?);
        }
        Ok(items)
    }

    fn texts(&mut self, present: bool) -> Parsed<Vec<String>> {
        if present { self.list(Self::text) } else { Ok(Vec::new()) }
    }

    fn definition(&mut self, depth: usize) -> Parsed<Definition> {
        if depth >= MAX_DEPTH {
            return Err(SchemaError::TooDeep { offset: self.at });
        }
        let flags = self.flags()?;
        Ok(Definition {
            name: self.text()?,
            size: self.number()?,
            align: self.number()?,
            aliases: self.texts(flags & flags::ALIASES != 0)?,
            version: if flags & flags::VERSION != 0 { self.small()? } else { 0 },
            dropped: self.texts(flags & flags::DROPPED != 0)?,
            migrates: flags & flags::MIGRATES != 0,
            form: self.form(depth)?,
        })
    }

    fn boxed(&mut self, depth: usize) -> Parsed<Box<Definition>> {
        self.definition(depth + 1).map(Box::new)
    }

    fn form(&mut self, depth: usize) -> Parsed<Form> {
        Ok(match self.byte()? {
            tags::UNIT => Form::Unit,
            tags::BOOL => Form::Bool,
            tags::CHAR => Form::Char,
            tags::STR => Form::Str,
            tags::BYTES => Form::Bytes,
            tags::ENTITY => Form::Entity,
            tags::OPTION => Form::Option(self.boxed(depth)?),
            tags::BOXED => Form::Boxed(self.boxed(depth)?),
            tags::SEQ => Form::Seq(self.boxed(depth)?),
            tags::MAP => Form::Map(self.boxed(depth)?, self.boxed(depth)?),
            tags::ARRAY => {
                let len = self.number()?;
                Form::Array(self.boxed(depth)?, len)
            }
            tags::TUPLE => Form::Tuple(self.fields(depth)?),
            tags::STRUCT => Form::Struct(self.fields(depth)?),
            tags::TUPLE_STRUCT => Form::TupleStruct(self.fields(depth)?),
            tags::UNIT_STRUCT => Form::UnitStruct,
            tags::ENUM => {
                let fallback = self.small()?.checked_sub(1);
                let variants = self.list(|input| input.variant(depth))?;
                self.distinct(variants.iter().map(|variant| &variant.name))?;
                if fallback.is_some_and(|index| index as usize >= variants.len()) {
                    return Err(self.malformed("a fallback among the variants"));
                }
                Form::Enum { variants, fallback }
            }
            tags::RECURSIVE => Form::Recursive(self.text()?),
            tags::OPAQUE => Form::Opaque,
            tag => {
                let index = tag.checked_sub(tags::NUMBER).map(usize::from);
                let number = index.and_then(|index| Number::ALL.get(index));
                Form::Number(*number.ok_or_else(|| self.malformed("a known form"))?)
            }
        })
    }

    fn fields(&mut self, depth: usize) -> Parsed<Vec<FieldDef>> {
        let fields = self.list(|input| {
            let flags = input.flags()?;
            Ok(FieldDef {
                name: input.text()?,
                aliases: input.texts(flags & flags::ALIASES != 0)?,
                offset: if flags & flags::OFFSET != 0 { Some(input.number()?) } else { None },
                skip: flags & flags::SKIP != 0,
                has_default: flags & flags::DEFAULT != 0,
                ty: input.definition(depth + 1)?,
            })
        })?;
        self.distinct(fields.iter().map(|field| &field.name))?;
        Ok(fields)
    }

    fn variant(&mut self, depth: usize) -> Parsed<VariantDef> {
        let flags = self.flags()?;
        let name = self.text()?;
        let aliases = self.texts(flags & flags::ALIASES != 0)?;
        let form = self.form(depth)?;
        match form {
            Form::UnitStruct | Form::TupleStruct(_) | Form::Struct(_) => {
                Ok(VariantDef { name, aliases, form })
            }
            _ => Err(self.malformed("the form of a variant")),
        }
    }

    fn distinct<'n>(&self, names: impl Iterator<Item = &'n String>) -> Parsed<()> {
        let mut seen = HashSet::new();
        for name in names {
            if !seen.insert(name) {
                return Err(SchemaError::Twice { offset: self.at, name: name.clone() });
            }
        }
        Ok(())
    }
}
