//! Values that a swap drops.

use std::fmt;

/// The number of values, in words.
pub fn values(count: usize) -> String {
    if count == 1 { "1 value".to_owned() } else { format!("{count} values") }
}

/// Values, or fields of them, that are dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// Their type.
    pub type_name: String,
    /// The dropped parts; all of it if there are none.
    pub fields: Vec<String>,
    /// The number of values.
    pub count: usize,
}

/// For example: `extra` of 13 values of `core_arena::weapon::Contact`.
impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields: Vec<String> = self.fields.iter().map(|field| format!("`{field}`")).collect();
        if !fields.is_empty() {
            write!(f, "{} of ", fields.join(", "))?;
        }
        write!(f, "{} of `{}`", values(self.count), self.type_name)
    }
}
