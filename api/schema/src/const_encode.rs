//! Encodes schemas in constants, as bytes without addresses that can be read from an artifact's
//! file.
//!
//! ```text
//! file       = VERSION count definition*
//! definition = flags name size align [aliases] [version] [dropped] form
//! form       = tag, then by tag: definition* | fields | variants | name
//! field      = flags name [aliases] [offset] definition
//! variant    = flags name [aliases] form
//! ```
//! Numbers are LEB128; a name is its length and UTF-8; lists are their count and items.

use super::schema::{Field, Schema, Shape, Variant};

/// The first byte of encoded schemas: the version of this format.
pub const VERSION: u8 = 1;

/// Flags of definitions, fields and variants: which optional parts follow.
pub(crate) mod flags {
    pub const ALIASES: u8 = 1;
    pub const VERSION: u8 = 2;
    pub const DROPPED: u8 = 4;
    pub const MIGRATES: u8 = 8;
    pub const OFFSET: u8 = 2;
    pub const SKIP: u8 = 4;
    pub const DEFAULT: u8 = 8;
    /// All known flags.
    pub const ALL: u8 = 15;
}

/// Tags of forms. A number's tag is `NUMBER` plus its discriminant.
pub(crate) mod tags {
    pub const UNIT: u8 = 0;
    pub const BOOL: u8 = 1;
    pub const CHAR: u8 = 2;
    pub const STR: u8 = 3;
    pub const BYTES: u8 = 4;
    pub const ENTITY: u8 = 5;
    pub const OPTION: u8 = 6;
    pub const BOXED: u8 = 7;
    pub const SEQ: u8 = 8;
    pub const MAP: u8 = 9;
    pub const ARRAY: u8 = 10;
    pub const TUPLE: u8 = 11;
    pub const STRUCT: u8 = 12;
    pub const TUPLE_STRUCT: u8 = 13;
    pub const UNIT_STRUCT: u8 = 14;
    pub const ENUM: u8 = 15;
    pub const RECURSIVE: u8 = 16;
    pub const OPAQUE: u8 = 17;
    pub const NUMBER: u8 = 32;
}

/// The number of bytes that [`const_encode`] writes for `schema`.
pub const fn encoded_len(schema: &Schema) -> usize {
    encoded_len_all(&[schema])
}

/// Encodes `schema`; `N` must be its [`encoded_len`].
pub const fn const_encode<const N: usize>(schema: &Schema) -> [u8; N] {
    const_encode_all(&[schema])
}

/// The number of bytes that [`const_encode_all`] writes for `schemas`.
pub const fn encoded_len_all(schemas: &[&Schema]) -> usize {
    write_all(&mut [], schemas)
}

/// Encodes `schemas` in their order; `N` must be their [`encoded_len_all`].
pub const fn const_encode_all<const N: usize>(schemas: &[&Schema]) -> [u8; N] {
    let mut bytes = [0; N];
    assert!(write_all(&mut bytes, schemas) == N, "N must be the result of encoded_len_all");
    bytes
}

/// Like [`const_encode_all`], at run time.
pub fn encode_schemas(schemas: &[&Schema]) -> Vec<u8> {
    let mut bytes = vec![0; encoded_len_all(schemas)];
    write_all(&mut bytes, schemas);
    bytes
}

/// Writes as much as fits into `bytes`, and returns the length that is needed.
const fn write_all(bytes: &mut [u8], schemas: &[&Schema]) -> usize {
    let mut out = Out { bytes, len: 0 };
    out.byte(VERSION);
    out.number(schemas.len() as u64);
    let mut i = 0;
    while i < schemas.len() {
        out.schema(schemas[i]);
        i += 1;
    }
    out.len
}

struct Out<'a> {
    bytes: &'a mut [u8],
    len: usize,
}

impl Out<'_> {
    const fn byte(&mut self, byte: u8) {
        if self.len < self.bytes.len() {
            self.bytes[self.len] = byte;
        }
        self.len += 1;
    }

    const fn number(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.byte(value as u8 | 0x80);
            value >>= 7;
        }
        self.byte(value as u8);
    }

    const fn text(&mut self, text: &str) {
        let bytes = text.as_bytes();
        self.number(bytes.len() as u64);
        let mut i = 0;
        while i < bytes.len() {
            self.byte(bytes[i]);
            i += 1;
        }
    }

    const fn texts(&mut self, texts: &[&str]) {
        self.number(texts.len() as u64);
        let mut i = 0;
        while i < texts.len() {
            self.text(texts[i]);
            i += 1;
        }
    }

    const fn schema(&mut self, schema: &Schema) {
        self.byte(
            flag(!schema.aliases.is_empty(), flags::ALIASES)
                | flag(schema.version != 0, flags::VERSION)
                | flag(!schema.dropped.is_empty(), flags::DROPPED)
                | flag(schema.migrate.is_some(), flags::MIGRATES),
        );
        self.text(schema.name);
        self.number(schema.size as u64);
        self.number(schema.align as u64);
        if !schema.aliases.is_empty() {
            self.texts(schema.aliases);
        }
        if schema.version != 0 {
            self.number(schema.version as u64);
        }
        if !schema.dropped.is_empty() {
            self.texts(schema.dropped);
        }
        self.shape(&schema.shape);
    }

    const fn shape(&mut self, shape: &Shape) {
        self.byte(tag(shape));
        match *shape {
            Shape::Option(inner) | Shape::Boxed(inner) | Shape::Seq(inner) => self.schema(inner),
            Shape::Map(key, value) => {
                self.schema(key);
                self.schema(value);
            }
            Shape::Array(item, len) => {
                self.number(len as u64);
                self.schema(item);
            }
            Shape::Tuple(fields) | Shape::Struct(fields) | Shape::TupleStruct(fields) => {
                self.number(fields.len() as u64);
                let mut i = 0;
                while i < fields.len() {
                    self.field(&fields[i]);
                    i += 1;
                }
            }
            Shape::Enum { variants, fallback } => {
                self.number(match fallback {
                    Some(index) => index as u64 + 1,
                    None => 0,
                });
                self.number(variants.len() as u64);
                let mut i = 0;
                while i < variants.len() {
                    self.variant(&variants[i]);
                    i += 1;
                }
            }
            Shape::Recursive(name) => self.text(name),
            _ => {}
        }
    }

    const fn field(&mut self, field: &Field) {
        self.byte(
            flag(!field.aliases.is_empty(), flags::ALIASES)
                | flag(field.offset.is_some(), flags::OFFSET)
                | flag(field.skip, flags::SKIP)
                | flag(field.default.is_some(), flags::DEFAULT),
        );
        self.text(field.name);
        if !field.aliases.is_empty() {
            self.texts(field.aliases);
        }
        if let Some(offset) = field.offset {
            self.number(offset as u64);
        }
        self.schema(field.schema);
    }

    const fn variant(&mut self, variant: &Variant) {
        self.byte(flag(!variant.aliases.is_empty(), flags::ALIASES));
        self.text(variant.name);
        if !variant.aliases.is_empty() {
            self.texts(variant.aliases);
        }
        self.shape(&variant.shape);
    }
}

const fn flag(set: bool, flag: u8) -> u8 {
    if set { flag } else { 0 }
}

const fn tag(shape: &Shape) -> u8 {
    match shape {
        Shape::Unit => tags::UNIT,
        Shape::Bool => tags::BOOL,
        Shape::Number(number) => tags::NUMBER + *number as u8,
        Shape::Char => tags::CHAR,
        Shape::Str => tags::STR,
        Shape::Bytes => tags::BYTES,
        Shape::Entity => tags::ENTITY,
        Shape::Option(_) => tags::OPTION,
        Shape::Boxed(_) => tags::BOXED,
        Shape::Seq(_) => tags::SEQ,
        Shape::Map(..) => tags::MAP,
        Shape::Array(..) => tags::ARRAY,
        Shape::Tuple(_) => tags::TUPLE,
        Shape::Struct(_) => tags::STRUCT,
        Shape::TupleStruct(_) => tags::TUPLE_STRUCT,
        Shape::UnitStruct => tags::UNIT_STRUCT,
        Shape::Enum { .. } => tags::ENUM,
        Shape::Recursive(_) => tags::RECURSIVE,
        Shape::Opaque => tags::OPAQUE,
    }
}
