//! Names of generic types. They hold the names of the arguments: `Amount<Gold>` and `Amount<Wood>`
//! are two types, each with its own values.

/// The longest name of a generic type, in bytes.
const MOST: usize = 1024;

/// An argument of a generic type.
#[derive(Clone, Copy)]
pub enum Argument {
    /// A type, by its name.
    Type(&'static str),
    /// An integer.
    Number(i128),
    Bool(bool),
    Char(char),
}

/// A name that is put together while the type is compiled. A constant of a generic type cannot
/// have a length of its own.
pub struct TypeName {
    bytes: [u8; MOST],
    len: usize,
}

impl TypeName {
    /// `base<arguments>`.
    pub const fn new(base: &str, arguments: &[Argument]) -> Self {
        let mut name = Self { bytes: [0; MOST], len: 0 };
        name.text(base);
        let mut i = 0;
        while i < arguments.len() {
            name.text(if i == 0 { "<" } else { ", " });
            name.argument(arguments[i]);
            i += 1;
        }
        name.text(if i == 0 { "" } else { ">" });
        name
    }

    /// The name.
    pub const fn as_str(&self) -> &str {
        match std::str::from_utf8(self.bytes.split_at(self.len).0) {
            Ok(name) => name,
            Err(_) => panic!("it is put together from texts"),
        }
    }

    const fn argument(&mut self, argument: Argument) {
        match argument {
            Argument::Type(name) => self.text(name),
            Argument::Bool(true) => self.text("true"),
            Argument::Bool(false) => self.text("false"),
            Argument::Char(char) => {
                self.text("'");
                self.text(char.encode_utf8(&mut [0; 4]));
                self.text("'");
            }
            Argument::Number(number) => {
                if number < 0 {
                    self.text("-");
                }
                let (mut digits, mut count, mut left) = ([0; 39], 0, number.unsigned_abs());
                while count == 0 || left > 0 {
                    digits[count] = b'0' + (left % 10) as u8;
                    (count, left) = (count + 1, left / 10);
                }
                while count > 0 {
                    count -= 1;
                    self.byte(digits[count]);
                }
            }
        }
    }

    const fn text(&mut self, text: &str) {
        let mut i = 0;
        while i < text.len() {
            self.byte(text.as_bytes()[i]);
            i += 1;
        }
    }

    const fn byte(&mut self, byte: u8) {
        assert!(self.len < MOST, "the type's name is too long: use fewer or shorter arguments");
        self.bytes[self.len] = byte;
        self.len += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_holds_its_arguments() {
        let name = |arguments: &[Argument]| TypeName::new("a::B", arguments).as_str().to_owned();
        assert_eq!(name(&[]), "a::B");
        let all = [
            Argument::Type("c::D<u8>"),
            Argument::Number(-120),
            Argument::Number(0),
            Argument::Bool(true),
            Argument::Char('ä'),
        ];
        assert_eq!(name(&all), "a::B<c::D<u8>, -120, 0, true, 'ä'>");
        assert_eq!(name(&[Argument::Number(i128::MIN)]), format!("a::B<{}>", i128::MIN));
    }
}
