//! The machine that a file was made for.

use std::fmt::{Display, Formatter, Result};

use object::elf;

/// Class, byte order and machine of an ELF file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Machine {
    class: u8,
    endianness: u8,
    machine: u16,
}

impl Machine {
    /// Of a file that begins with `head`; `None` where that is no ELF file.
    pub fn of(head: &[u8]) -> Option<Self> {
        let ident = head.get(..20)?;
        let (class, endianness) = (ident[4], ident[5]);
        let machine = match endianness {
            2 => u16::from_be_bytes([ident[18], ident[19]]),
            _ => u16::from_le_bytes([ident[18], ident[19]]),
        };
        ident.starts_with(&elf::ELFMAG).then_some(Self { class, endianness, machine })
    }

    /// True for files that this module can read: those of the 64-bit machine it runs on.
    pub fn readable(self) -> bool {
        self.class == 2 && self.endianness == if cfg!(target_endian = "big") { 2 } else { 1 }
    }
}

impl Display for Machine {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let bits = match self.class {
            1 => "32-bit".into(),
            2 => "64-bit".into(),
            class => format!("class {class}"),
        };
        let endianness = match self.endianness {
            1 => "little-endian".into(),
            2 => "big-endian".into(),
            data => format!("encoding {data}"),
        };
        match elf::Machine(self.machine) {
            elf::EM_X86_64 => write!(f, "{bits} {endianness} x86_64"),
            elf::EM_AARCH64 => write!(f, "{bits} {endianness} aarch64"),
            elf::EM_386 => write!(f, "{bits} {endianness} i386"),
            elf::Machine(machine) => write!(f, "{bits} {endianness} machine {machine}"),
        }
    }
}
