//! Turns definitions into `'static` schemas, like those of derived code.

use std::collections::{HashMap, HashSet};
use std::sync::{LazyLock, Mutex, PoisonError};

use playground_schema::{
    Definition, Field, FieldDef, Form, Migrate, Schema, Shape, Value, Variant, VariantDef,
    WriteDefault,
};

/// The limit of leaked constants. Run libFuzzer with `-fork=1`, which starts a new process with an
/// empty pool now and then, and with `-detect_leaks=0`.
const SCHEMAS_MAX: usize = 1 << 20;

/// The key of a part: its numbers, and the addresses of its parts.
type Known<T> = HashMap<Vec<usize>, T>;

#[derive(Default)]
struct Pool {
    schemas: Known<&'static Schema>,
    fields: Known<&'static [Field]>,
    variants: Known<&'static [Variant]>,
    lists: Known<&'static [&'static str]>,
    texts: HashSet<&'static str>,
}

static POOL: LazyLock<Mutex<Pool>> = LazyLock::new(Mutex::default);

/// The schema of `definition`, without defaults that no constant function can write; `None` if the
/// pool is full.
pub fn schema(definition: &Definition) -> Option<&'static Schema> {
    let mut pool = POOL.lock().unwrap_or_else(PoisonError::into_inner);
    (pool.schemas.len() < SCHEMAS_MAX).then(|| pool.schema(definition))
}

impl Pool {
    fn schema(&mut self, def: &Definition) -> &'static Schema {
        let migrate = MIGRATE[def.size as usize % MIGRATE.len()];
        let schema = Schema {
            name: self.text(&def.name),
            aliases: self.texts(&def.aliases),
            size: def.size as usize,
            align: def.align as usize,
            version: def.version,
            dropped: self.texts(&def.dropped),
            shape: self.shape(&def.form),
            migrate: def.migrates.then_some(migrate),
        };
        let mut key = vec![
            at(schema.name),
            at(schema.aliases),
            schema.size,
            schema.align,
            schema.version as usize,
            at(schema.dropped),
            schema.migrate.is_some().into(),
        ];
        shape_key(&schema.shape, &mut key);
        self.schemas.entry(key).or_insert_with(|| Box::leak(Box::new(schema)))
    }

    fn shape(&mut self, form: &Form) -> Shape {
        match form {
            Form::Never | Form::Unit => Shape::Unit,
            Form::Bool => Shape::Bool,
            Form::Number(number) => Shape::Number(*number),
            Form::Char => Shape::Char,
            Form::Str => Shape::Str,
            Form::Bytes => Shape::Bytes,
            Form::Entity => Shape::Entity,
            Form::Option(inner) => Shape::Option(self.schema(inner)),
            Form::Boxed(inner) => Shape::Boxed(self.schema(inner)),
            Form::Seq(item) => Shape::Seq(self.schema(item)),
            Form::Map(key, value) => Shape::Map(self.schema(key), self.schema(value)),
            Form::Array(item, len) => Shape::Array(self.schema(item), *len as usize),
            Form::Tuple(fields) => Shape::Tuple(self.fields(fields)),
            Form::Struct(fields) => Shape::Struct(self.fields(fields)),
            Form::TupleStruct(fields) => Shape::TupleStruct(self.fields(fields)),
            Form::UnitStruct => Shape::UnitStruct,
            Form::Enum { variants, fallback } => {
                Shape::Enum { variants: self.variants(variants), fallback: *fallback }
            }
            Form::Recursive(name) => Shape::Recursive(self.text(name)),
            Form::Opaque => Shape::Opaque,
        }
    }

    fn fields(&mut self, fields: &[FieldDef]) -> &'static [Field] {
        let (mut made, mut key) = (Vec::new(), Vec::new());
        for field in fields {
            let default = if field.has_default { default_of(&field.ty) } else { None };
            let field = Field {
                name: self.text(&field.name),
                aliases: self.texts(&field.aliases),
                schema: self.schema(&field.ty),
                offset: field.offset.map(|offset| offset as usize),
                skip: field.skip,
                default,
            };
            key.extend([at(field.name), at(field.aliases), at(field.schema)]);
            key.extend([field.offset.map_or(0, |offset| offset.saturating_add(1))]);
            key.push(usize::from(field.skip) | usize::from(field.default.is_some()) << 1);
            made.push(field);
        }
        self.fields.entry(key).or_insert_with(|| made.leak())
    }

    fn variants(&mut self, variants: &[VariantDef]) -> &'static [Variant] {
        let (mut made, mut key) = (Vec::new(), Vec::new());
        for variant in variants {
            let variant = Variant {
                name: self.text(&variant.name),
                aliases: self.texts(&variant.aliases),
                shape: self.shape(&variant.form),
            };
            key.extend([at(variant.name), at(variant.aliases)]);
            shape_key(&variant.shape, &mut key);
            made.push(variant);
        }
        self.variants.entry(key).or_insert_with(|| made.leak())
    }

    fn text(&mut self, text: &str) -> &'static str {
        if let Some(known) = self.texts.get(text) {
            return known;
        }
        // An allocation even for an empty text, since texts are identified by address.
        let mut room = String::with_capacity(text.len() + 1);
        room.push_str(text);
        let text: &'static str = room.leak();
        self.texts.insert(text);
        text
    }

    fn texts(&mut self, texts: &[String]) -> &'static [&'static str] {
        let texts: Vec<&'static str> = texts.iter().map(|text| self.text(text)).collect();
        let key = texts.iter().map(|text| at(*text)).collect();
        self.lists.entry(key).or_insert_with(|| texts.leak())
    }
}

fn at<T: ?Sized>(part: &T) -> usize {
    std::ptr::from_ref(part).cast::<()>().addr()
}

fn shape_key(shape: &Shape, key: &mut Vec<usize>) {
    let (tag, first, second) = match *shape {
        Shape::Unit => (0, 0, 0),
        Shape::Bool => (1, 0, 0),
        Shape::Char => (2, 0, 0),
        Shape::Str => (3, 0, 0),
        Shape::Bytes => (4, 0, 0),
        Shape::Entity => (5, 0, 0),
        Shape::UnitStruct => (6, 0, 0),
        Shape::Opaque => (7, 0, 0),
        Shape::Number(number) => (8, number as usize, 0),
        Shape::Option(inner) => (9, at(inner), 0),
        Shape::Boxed(inner) => (10, at(inner), 0),
        Shape::Seq(item) => (11, at(item), 0),
        Shape::Map(key, value) => (12, at(key), at(value)),
        Shape::Array(item, len) => (13, at(item), len),
        Shape::Tuple(fields) => (14, at(fields), fields.len()),
        Shape::Struct(fields) => (15, at(fields), fields.len()),
        Shape::TupleStruct(fields) => (16, at(fields), fields.len()),
        Shape::Enum { variants, fallback } => {
            key.push(variants.len());
            (17, at(variants), fallback.map_or(0, |index| index as usize + 1))
        }
        Shape::Recursive(name) => (18, at(name), 0),
    };
    key.extend([tag, first, second]);
}

/// The behaviours of `migrate` functions.
const MIGRATE: [Migrate; 5] = [
    |_, value| Ok(value),
    |version, value| if version == 0 { Err("too old".to_owned()) } else { Ok(value) },
    |_, mut value| {
        value.rename("a", "b");
        value.set("c", 1_u8);
        Ok(value)
    },
    |_, value| Ok(Value::Tuple(vec![value])),
    |_, value| Ok(Value::Seq(vec![value])),
];

fn zeros<const N: usize>(out: &mut Vec<u8>) -> Result<(), String> {
    out.extend_from_slice(&[0; N]);
    Ok(())
}

const ZEROS: [WriteDefault; 13] = [
    zeros::<0>,
    zeros::<1>,
    zeros::<2>,
    zeros::<3>,
    zeros::<4>,
    zeros::<5>,
    zeros::<6>,
    zeros::<7>,
    zeros::<8>,
    zeros::<9>,
    zeros::<10>,
    zeros::<11>,
    zeros::<12>,
];

/// A default whose encoding is all zeros.
fn default_of(def: &Definition) -> Option<WriteDefault> {
    ZEROS.get(usize::try_from(zeros_in(&def.form)?).ok()?).copied()
}

/// The length of the all-zero encoding; `None` if the type has none.
fn zeros_in(form: &Form) -> Option<u64> {
    match form {
        Form::Unit | Form::UnitStruct => Some(0),
        Form::Number(number) => Some(match number.name() {
            "f32" => 4,
            "f64" => 8,
            _ => 1,
        }),
        Form::Boxed(inner) => zeros_in(&inner.form),
        Form::Array(item, len) => zeros_in(&item.form)?.checked_mul(*len),
        Form::Tuple(_) | Form::Struct(_) | Form::TupleStruct(_) => {
            let mut written = form.fields().iter().filter(|field| !field.skip);
            written.try_fold(0_u64, |sum, field| sum.checked_add(zeros_in(&field.ty.form)?))
        }
        Form::Enum { variants, .. } => zeros_in(&variants.first()?.form)?.checked_add(1),
        Form::Never | Form::Recursive(_) => None,
        _ => Some(1),
    }
}
