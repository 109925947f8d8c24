//! Generates encoded values of a type, mostly valid ones.

use arbitrary::{Result, Unstructured};
use playground_schema::{Definition, Form};

const DEPTH_MAX: usize = 300;
const ITEMS_MAX: u64 = 40;
const PARTS_MAX: u32 = 1 << 9;

/// Appends a value of `definition`. Stops, with an invalid value, if it would be too large.
///
/// # Errors
///
/// Missing bytes are zeros, so this does not fail when the input ends.
pub fn value(u: &mut Unstructured<'_>, definition: &Definition, out: &mut Vec<u8>) -> Result<()> {
    Writer { u, out, enclosing: Vec::new(), left: PARTS_MAX }.value(definition, 0)
}

struct Writer<'w, 'b, 'd> {
    u: &'w mut Unstructured<'b>,
    out: &'w mut Vec<u8>,
    enclosing: Vec<&'d Definition>,
    /// The remaining number of parts.
    left: u32,
}

impl<'d> Writer<'_, '_, 'd> {
    fn value(&mut self, def: &'d Definition, depth: usize) -> Result<()> {
        if depth > DEPTH_MAX || self.left == 0 {
            return Ok(());
        }
        self.left -= 1;
        self.enclosing.push(def);
        let done = self.form(&def.form, depth + 1);
        self.enclosing.pop();
        done
    }

    fn form(&mut self, form: &'d Form, depth: usize) -> Result<()> {
        match form {
            Form::Never | Form::Unit | Form::UnitStruct => {}
            Form::Bool => {
                self.flag()?;
            }
            Form::Number(number) => match number.name() {
                "u8" | "i8" => self.out.push(self.u.arbitrary()?),
                "f32" => self.out.extend_from_slice(&self.u.arbitrary::<f32>()?.to_le_bytes()),
                "f64" => self.out.extend_from_slice(&self.u.arbitrary::<f64>()?.to_le_bytes()),
                "u16" | "i16" => self.integer(1)?,
                "u32" | "i32" => self.integer(2)?,
                "u64" | "i64" => self.integer(3)?,
                _ => self.integer(4)?,
            },
            Form::Entity => self.integer(3)?,
            Form::Char => {
                let char: char = self.u.arbitrary()?;
                self.out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
            }
            Form::Str | Form::Bytes | Form::Opaque => {
                for _ in 0..self.count()? {
                    self.out.push(self.u.arbitrary::<u8>()? & 0x7f);
                }
            }
            Form::Option(inner) => {
                if self.flag()? {
                    self.value(inner, depth)?;
                }
            }
            Form::Boxed(inner) => self.value(inner, depth)?,
            Form::Seq(item) => {
                for _ in 0..self.count()? {
                    self.value(item, depth)?;
                }
            }
            Form::Map(key, value) => {
                for _ in 0..self.count()? {
                    self.value(key, depth)?;
                    self.value(value, depth)?;
                }
            }
            Form::Array(item, len) => {
                for _ in 0..(*len).min(ITEMS_MAX) {
                    self.value(item, depth)?;
                }
            }
            Form::Tuple(fields) | Form::Struct(fields) | Form::TupleStruct(fields) => {
                for field in fields.iter().filter(|field| !field.skip) {
                    self.value(&field.ty, depth)?;
                }
            }
            Form::Enum { variants, .. } => {
                let index = self.u.int_in_range(0..=variants.len().saturating_sub(1).min(250))?;
                self.out.push(index as u8);
                if let Some(variant) = variants.get(index) {
                    self.form(&variant.form, depth)?;
                }
            }
            Form::Recursive(name) => {
                if let Some(at) = self.enclosing.iter().rposition(|outer| outer.name == *name) {
                    let inner = self.enclosing.split_off(at);
                    self.value(inner[0], depth)?;
                    self.enclosing.extend(inner);
                }
            }
        }
        Ok(())
    }

    fn flag(&mut self) -> Result<bool> {
        let flag = self.u.arbitrary()?;
        self.out.push(u8::from(flag));
        Ok(flag)
    }

    fn count(&mut self) -> Result<u64> {
        let count = match self.u.int_in_range(0..=15_u8)? {
            15 => self.u.int_in_range(0..=ITEMS_MAX)?,
            count => count.into(),
        };
        self.out.push(count as u8);
        Ok(count)
    }

    /// An integer of at most `2^size` bytes.
    fn integer(&mut self, size: u8) -> Result<()> {
        let first: u8 = self.u.arbitrary()?;
        match first.checked_sub(251).filter(|more| *more < size) {
            Some(more) => {
                self.out.push(first);
                for _ in 0..2_u8 << more {
                    self.out.push(self.u.arbitrary()?);
                }
            }
            None => self.out.push(first.min(250)),
        }
        Ok(())
    }
}
