//! Relocations: where the loader writes addresses, and whether they are addresses of the module.

use std::collections::BTreeSet;

use object::elf::{self, Machine, Rela64, RelocationType, Relr64};
use object::read::elf::{FileHeader, RelrIterator};
use object::{NativeEndian as NE, ReadRef, U64};

use super::{Fault, Header, Image, Symbol};

const PACKED: &str = "packed relocations";

/// The value that a relocation writes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Nothing.
    None,
    /// The addend, as an address of the module.
    Relative,
    /// The result of a function of the module, which is called while loading.
    Resolver,
    /// The address of a symbol.
    Symbol,
    /// The place of a thread-local variable.
    ThreadLocal,
    /// A function and its argument, which together find a thread-local variable.
    Descriptor,
}

impl Kind {
    /// `None` for kinds that no linker writes for Rust.
    fn of(machine: Machine, kind: RelocationType) -> Option<Self> {
        Some(match (machine, kind) {
            (_, RelocationType(0)) => Self::None,
            (elf::EM_X86_64, kind) => match kind {
                elf::R_X86_64_RELATIVE => Self::Relative,
                elf::R_X86_64_IRELATIVE => Self::Resolver,
                elf::R_X86_64_64 | elf::R_X86_64_GLOB_DAT | elf::R_X86_64_JUMP_SLOT => Self::Symbol,
                elf::R_X86_64_DTPMOD64 | elf::R_X86_64_DTPOFF64 | elf::R_X86_64_TPOFF64 => {
                    Self::ThreadLocal
                }
                elf::R_X86_64_TLSDESC => Self::Descriptor,
                _ => return None,
            },
            (elf::EM_AARCH64, kind) => match kind {
                elf::R_AARCH64_RELATIVE => Self::Relative,
                elf::R_AARCH64_IRELATIVE => Self::Resolver,
                elf::R_AARCH64_ABS64 | elf::R_AARCH64_GLOB_DAT | elf::R_AARCH64_JUMP_SLOT => {
                    Self::Symbol
                }
                elf::R_AARCH64_TLS_DTPMOD
                | elf::R_AARCH64_TLS_DTPREL
                | elf::R_AARCH64_TLS_TPREL => Self::ThreadLocal,
                elf::R_AARCH64_TLSDESC => Self::Descriptor,
                _ => return None,
            },
            // A machine whose relocations are not known here.
            _ => Self::Symbol,
        })
    }
}

/// The places that relocations must not write, and those that they have to set.
struct Targets<'k> {
    keep: &'k [(u64, u64)],
    /// Addresses of function pointers that no relocation has set yet.
    functions: BTreeSet<u64>,
}

impl<'a, R: ReadRef<'a>> Image<'a, R> {
    pub(super) fn check_relocations(
        &self,
        symbols: &[Symbol],
        keep: &[(u64, u64)],
        function: u64,
    ) -> Result<(), Fault> {
        let keep = [keep, &[self.dynamic_at]].concat();
        let mut targets = Targets { keep: &keep, functions: BTreeSet::from([function]) };
        for (start, size, what) in [
            (elf::DT_INIT_ARRAY, elf::DT_INIT_ARRAYSZ, "table of constructors"),
            (elf::DT_FINI_ARRAY, elf::DT_FINI_ARRAYSZ, "table of destructors"),
        ] {
            let count = self.sized_table::<U64<NE>>(start, size, what)?.len() as u64;
            let address = self.tag(start).unwrap_or_default();
            targets.functions.extend((0..count).map(|index| address + 8 * index));
        }

        for (start, size, what) in [
            (elf::DT_RELA, elf::DT_RELASZ, "relocations"),
            (elf::DT_JMPREL, elf::DT_PLTRELSZ, "relocations of calls"),
        ] {
            let entries = self.sized_table::<Rela64<NE>>(start, size, what)?;
            for entry in entries {
                self.check_relocation(entry, symbols, &mut targets, what)?;
            }
        }
        let packed = self.sized_table::<Relr64<NE>>(elf::DT_RELR, elf::DT_RELRSZ, PACKED)?;
        for at in RelrIterator::<Header>::new(NE, packed) {
            self.check_target(at, 8, targets.keep)?;
            if targets.functions.contains(&at) {
                let word = self.table::<U64<NE>>(at, 8, PACKED)?;
                self.set_pointer(at, word.first().map(|word| word.get(NE)), &mut targets)?;
            }
        }
        match targets.functions.first() {
            None => Ok(()),
            Some(at) => Err(not_code(*at, "one that is not set")),
        }
    }

    fn check_relocation(
        &self,
        entry: &Rela64<NE>,
        symbols: &[Symbol],
        targets: &mut Targets,
        what: &str,
    ) -> Result<(), Fault> {
        let (symbol, at) = (entry.r_sym(NE, false), entry.r_offset.get(NE));
        let addend = entry.r_addend.get(NE) as u64;
        let Some(used) = symbols.get(symbol as usize) else {
            let what = format!("{what}: number of a symbol");
            return Err(Fault::new(what, format!("below {}", symbols.len()), symbol));
        };
        let kind = entry.r_type(NE, false);
        let Some(effect) = Kind::of(self.header.e_machine(NE), kind) else {
            let what = format!("{what}: kind of one");
            return Err(Fault::new(what, "one that a linker writes for Rust", kind.0));
        };
        match effect {
            Kind::None => return Ok(()),
            Kind::Relative => {
                if !self.segments.iter().any(|segment| segment.holds(addend, 0)) {
                    return Err(Fault::outside(format!("{what}: target"), addend, 0));
                }
                self.set_pointer(at, Some(addend), targets)?;
            }
            // Runs in the probe first.
            Kind::Resolver => {}
            Kind::Symbol => {
                let own = symbol == 0 || used.st_shndx.get(NE) != elf::SHN_UNDEF;
                let address = own.then(|| used.st_value.get(NE).wrapping_add(addend));
                self.set_pointer(at, address, targets)?;
            }
            Kind::ThreadLocal | Kind::Descriptor => {
                if symbol == 0 && self.headers_of(elf::PT_TLS).next().is_none() {
                    let expected = "none of thread-local data, as it has no such segment";
                    return Err(Fault::new(what, expected, format!("kind {}", kind.0)));
                }
            }
        }
        self.check_target(at, if effect == Kind::Descriptor { 16 } else { 8 }, targets.keep)
    }

    /// Notes that a pointer at `at` is set: to `address`, where that is one of the module's own.
    fn set_pointer(
        &self,
        at: u64,
        address: Option<u64>,
        targets: &mut Targets,
    ) -> Result<(), Fault> {
        if targets.functions.remove(&at)
            && let Some(address) = address.filter(|address| !self.is_code(*address))
        {
            return Err(not_code(at, &format!("one to {address:#x}")));
        }
        Ok(())
    }

    fn check_target(&self, address: u64, size: u64, keep: &[(u64, u64)]) -> Result<(), Fault> {
        const WHAT: &str = "relocation";
        if !self.is_writable(address, size) {
            return Err(Fault::outside(WHAT, address, size));
        }
        let end = address.saturating_add(size);
        match keep.iter().find(|(start, len)| *start < end && address < start.saturating_add(*len))
        {
            None => Ok(()),
            Some((start, len)) => {
                let expected = format!("nothing of the {len} bytes at {start:#x} changed");
                Err(Fault::new(WHAT, expected, format!("one at {address:#x}")))
            }
        }
    }
}

fn not_code(at: u64, found: &str) -> Fault {
    Fault::new(format!("function pointer at {at:#x}"), "one to code", found)
}
