//! The parts of an ELF file that the system's loader acts on, with every range checked.
//!
//! ```text
//!  machine          class, byte order and machine, from the first bytes
//!  image            program headers and the ranges they map; reads bytes by their address
//!  segments         which of them the loader takes
//!  dynamic          the dynamic table and its strings
//!  symbols          the dynamic symbols, their hash tables and versions
//!  relocations      where the loader writes
//!  unwind_table     where a panic looks for the frames to unwind
//! ```
//!
//! The loader uses the program headers and the dynamic table, so these are checked here; section
//! headers are only used to detect truncated files.

mod dynamic;
mod image;
mod machine;
mod relocations;
mod segments;
mod symbols;
mod unwind_table;

use std::fmt::Display;

use object::NativeEndian as NE;
use object::ReadRef;
use object::elf::{FileHeader64, Sym64};

pub(super) use image::Image;
pub(super) use machine::Machine;
pub(super) use symbols::{is_offered, is_required};

/// An entry of the dynamic symbol table.
pub(super) type Symbol = Sym64<NE>;
/// The header of the files that `object` reads: those of [`Machine::readable`].
type Header = FileHeader64<NE>;

const PAGE_BYTES: u64 = 4096;

/// A fault in a file, without the file's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub what: String,
    pub expected: String,
    pub found: String,
}

impl Fault {
    pub fn new(what: impl Display, expected: impl Display, found: impl Display) -> Self {
        Self { what: what.to_string(), expected: expected.to_string(), found: found.to_string() }
    }

    fn outside(what: impl Display, address: u64, size: u64) -> Self {
        let found = format!("{size} bytes at address {address:#x}");
        Self::new(what, "inside of a loaded segment", found)
    }
}

impl<'a, R: ReadRef<'a>> Image<'a, R> {
    /// Checks the parts of a module that the loader or an unwinding panic uses unchecked.
    ///
    /// Relocation must not write to `keep`, ranges of (address, size), and has to set `function`, the
    /// address of a pointer to code.
    pub fn check_loading(
        &self,
        symbols: &[Symbol],
        keep: &[(u64, u64)],
        function: u64,
    ) -> Result<(), Fault> {
        self.check_segments()?;
        self.check_dynamic()?;
        self.check_symbols(symbols)?;
        self.check_unwind_table()?;
        self.check_relocations(symbols, keep, function)
    }
}
