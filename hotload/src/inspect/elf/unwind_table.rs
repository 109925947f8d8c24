//! The table that a panic uses to find the frames to unwind.
//!
//! No probe detects a fault here: it appears at the first panic, which would crash the game instead
//! of causing a rollback.

use object::elf;
use object::read::elf::ProgramHeader;
use object::{NativeEndian as NE, ReadRef};

use super::{Fault, Image};

const WHAT: &str = "unwind table";
/// Version 1; addresses as signed numbers of 32 bits, relative to their place or to the table. All
/// linkers for Linux write this form.
const HEAD: [u8; 4] = [1, 0x1b, 0x03, 0x3b];
const HEAD_BYTES: usize = 12;
const ENTRY_BYTES: usize = 8;

impl<'a, R: ReadRef<'a>> Image<'a, R> {
    pub(super) fn check_unwind_table(&self) -> Result<(), Fault> {
        let Some(header) = self.headers_of(elf::PT_GNU_EH_FRAME).next() else {
            return Err(Fault::new(WHAT, "one", "none"));
        };
        let address = header.p_vaddr(NE);
        let bytes = self.bytes(address, header.p_filesz(NE).max(header.p_memsz(NE)), WHAT)?;
        let Some((head, entries)) =
            bytes.split_at_checked(HEAD_BYTES).filter(|(head, _)| head.starts_with(&HEAD))
        else {
            let found = format!("{:02x?}", &bytes[..bytes.len().min(HEAD.len())]);
            return Err(Fault::new(WHAT, format!("one that begins with {HEAD:02x?}"), found));
        };
        let frames = (address + 4).wrapping_add_signed(number(&head[4..]).into());
        self.bytes(frames, 4, "unwind table: frames")?;
        let count = number(&head[8..]) as u32 as usize;
        let Some(entries) = count.checked_mul(ENTRY_BYTES).and_then(|size| entries.get(..size))
        else {
            let expected = format!("at most {} entries", entries.len() / ENTRY_BYTES);
            return Err(Fault::new(WHAT, expected, count));
        };
        let mut from = 0;
        for entry in entries.chunks_exact(ENTRY_BYTES) {
            let [function, frame] =
                [0, 4].map(|at| address.wrapping_add_signed(number(&entry[at..]).into()));
            if function < from || !self.is_code(function) {
                let expected = format!("in code, from {from:#x} on");
                let found = format!("{function:#x}");
                return Err(Fault::new("unwind table: function", expected, found));
            }
            let length = number(self.bytes(frame, 4, "unwind table: frame")?) as u32;
            self.bytes(frame, 4 + u64::from(length), "unwind table: frame")?;
            from = function;
        }
        Ok(())
    }
}

fn number(bytes: &[u8]) -> i32 {
    bytes.first_chunk().map_or(0, |bytes| i32::from_ne_bytes(*bytes))
}
