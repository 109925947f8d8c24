//! Faults in the dynamic table, and in the tables that it refers to.

use object::elf;

use super::edit::*;
use super::{FileFault, malformed, not_loaded};

const FAR: u64 = 1 << 40;

macro_rules! add {
    ($tag:ident, $value:expr) => {
        |good, to| good.edited(to, |elf| elf.add(elf::$tag, $value))
    };
}

/// Sets a number of 32 bits in a table.
macro_rules! word {
    ($tag:ident, $at:expr, $value:expr) => {
        |good, to| {
            good.edited(to, |elf| {
                let at = elf.table(elf::$tag) + $at;
                elf.set32(at, $value);
            })
        }
    };
}

pub(super) const FAULTS: &[FileFault] = &[
    malformed(
        "a dynamic table without an end",
        |good, to| {
            good.edited(to, |elf| {
                let entries = elf.entries();
                let header = elf.header(elf::PT_DYNAMIC);
                let size = 16 * (entries.len() as u64 - 1);
                elf.set64(header + FILE_SIZE, size);
                elf.set64(header + MEMORY_SIZE, size);
            })
        },
        "dynamic table: expected a closing entry, found none",
    ),
    malformed(
        "a dynamic table that ends at once",
        |good, to| {
            good.edited(to, |elf| {
                let first = elf.entries()[0];
                elf.set64(first, 0);
            })
        },
        "string table: expected an entry in the dynamic table",
    ),
    malformed(
        "an entry twice",
        |good, to| {
            good.edited(to, |elf| {
                let symbols = elf.value(elf::DT_SYMTAB);
                elf.add(elf::DT_SYMTAB, symbols);
            })
        },
        "entry 0x6 of the dynamic table: expected once",
    ),
    malformed("no string table", forget!(DT_STRTAB), "string table: expected an entry"),
    malformed("a string table of no size", forget!(DT_STRSZ), "size of the string table: expected"),
    malformed("a string table outside of memory", set!(DT_STRTAB, FAR), "string table: expected"),
    malformed("a string table of 2^64 bytes", set!(DT_STRSZ, u64::MAX), "string table: expected"),
    malformed("a string table of 0 bytes", set!(DT_STRSZ, 0), "last byte of the string table"),
    malformed(
        "a last string without an end",
        shift!(DT_STRSZ, -1),
        "last byte of the string table: expected 0",
    ),
    malformed(
        "strings that relocation can write to",
        |good, to| {
            good.edited(to, |elf| {
                let at = elf.tables() + FLAGS;
                elf.set32(at, elf::PF_R.0 | elf::PF_W.0);
            })
        },
        "of the dynamic table: expected in a segment that is only read",
    ),
    malformed("no symbol table", forget!(DT_SYMTAB), "symbol table: expected an entry"),
    malformed("a symbol table outside of memory", set!(DT_SYMTAB, FAR), "symbol table: expected"),
    malformed("a symbol table not aligned", shift!(DT_SYMTAB, 1), "expected"),
    malformed(
        "symbols of 16 bytes",
        set!(DT_SYMENT, 16),
        "of the dynamic table: expected 24, found 16",
    ),
    malformed(
        "no hash table",
        |good, to| {
            good.edited(to, |elf| {
                elf.forget(elf::DT_GNU_HASH);
                elf.forget(elf::DT_HASH);
            })
        },
        "hash table of the symbols: expected one, found none",
    ),
    malformed("the old hash table only", forget!(DT_GNU_HASH), "expected the GNU kind"),
    malformed(
        "a hash table outside of memory",
        set!(DT_GNU_HASH, FAR),
        "hash table of the symbols",
    ),
    malformed("no buckets", word!(DT_GNU_HASH, 0, 0), "buckets, and a filter of 2^n words"),
    malformed(
        "2^32 buckets",
        word!(DT_GNU_HASH, 0, u32::MAX),
        "hash table of the symbols: expected inside",
    ),
    malformed(
        "symbols that begin at 2^32",
        word!(DT_GNU_HASH, 4, u32::MAX),
        "expected symbols from",
    ),
    malformed(
        "a filter of 3 words",
        word!(DT_GNU_HASH, 8, 3),
        "buckets, and a filter of 2^n words",
    ),
    malformed(
        "a filter of 2^31 words",
        word!(DT_GNU_HASH, 8, 1 << 31),
        "expected inside of a loaded",
    ),
    not_loaded(
        "a filter that lets nothing through",
        |good, to| {
            good.edited(to, |elf| {
                let at = elf.table(elf::DT_GNU_HASH);
                for word in 0..elf.u32(at + 8) as usize {
                    elf.set64(at + 16 + 8 * word, 0);
                }
            })
        },
        "undefined symbol",
    ),
    not_loaded(
        "hashes of other names",
        |good, to| {
            good.edited(to, |elf| {
                let at = elf.table(elf::DT_GNU_HASH);
                let chains = at + 16 + 8 * elf.u32(at + 8) as usize + 4 * elf.u32(at) as usize;
                let hashed = elf.symbols().len() as u32 + 1 - elf.u32(at + 4);
                for chain in (0..hashed as usize).map(|index| chains + 4 * index) {
                    let hash = elf.u32(chain);
                    elf.set32(chain, hash ^ 0x10);
                }
            })
        },
        "undefined symbol",
    ),
    malformed(
        "an old hash table of 2^32 symbols",
        word!(DT_HASH, 4, u32::MAX),
        "old hash table of the symbols",
    ),
    malformed(
        "an old hash table without buckets",
        word!(DT_HASH, 0, 0),
        "old hash table of the symbols",
    ),
    malformed(
        "an old hash table of 2^32 buckets",
        word!(DT_HASH, 0, u32::MAX),
        "old hash table of the symbols",
    ),
    malformed(
        "relocations in code",
        add!(DT_TEXTREL, 0),
        "nothing of the kind, found relocations in code",
    ),
    malformed(
        "relocations in code, by flag",
        set!(DT_FLAGS, 4),
        "flags: expected nothing of the kind",
    ),
    malformed("a program by flag", set!(DT_FLAGS_1, 0x0800_0000), "flags: expected a library"),
    malformed("not to be opened, by flag", set!(DT_FLAGS_1, 0x40), "flags: expected a library"),
    malformed("relocations of the old kind", add!(DT_REL, 0), "found relocations without addends"),
    malformed("a library in front of it", add!(DT_FILTER, 1), "found a library behind it"),
    malformed("a library beside it", add!(DT_AUXILIARY, 1), "found a library behind it"),
    malformed("a library that watches", add!(DT_AUDIT, 1), "found a library that watches"),
    malformed("versions of its own symbols", add!(DT_VERDEF, 0), "found versions of its symbols"),
    malformed(
        "a constructor outside of memory",
        add!(DT_INIT, FAR),
        "constructor: expected in code",
    ),
    malformed("a destructor outside of memory", add!(DT_FINI, FAR), "destructor: expected in code"),
    malformed(
        "a constructor in data",
        |good, to| {
            good.edited(to, |elf| {
                let data = elf.u64(elf.data() + ADDRESS);
                elf.add(elf::DT_INIT, data);
            })
        },
        "constructor: expected in code",
    ),
    malformed(
        "constructors without a number",
        add!(DT_INIT_ARRAY, 0),
        "table of constructors: expected a place and a size",
    ),
    malformed(
        "constructors that were not relocated",
        |good, to| {
            good.edited(to, |elf| {
                let tables = elf.u64(elf.tables() + ADDRESS);
                elf.add(elf::DT_INIT_ARRAY, tables);
                elf.add(elf::DT_INIT_ARRAYSZ, 8);
            })
        },
        "expected one to code, found one that is not set",
    ),
    malformed(
        "destructors outside of memory",
        |good, to| {
            good.edited(to, |elf| {
                elf.add(elf::DT_FINI_ARRAY, FAR);
                elf.add(elf::DT_FINI_ARRAYSZ, 8);
            })
        },
        "table of destructors: expected inside of a loaded segment",
    ),
    malformed(
        "a name of the library outside of the strings",
        add!(DT_SONAME, FAR),
        "name of the library: place in the string table",
    ),
    malformed(
        "folders for libraries outside of the strings",
        add!(DT_RUNPATH, FAR),
        "search path: place in the string table",
    ),
    malformed(
        "a needed library outside of the strings",
        add!(DT_NEEDED, FAR),
        "needed library: place in the string table",
    ),
    malformed(
        "needed versions outside of memory",
        add!(DT_VERNEED, FAR),
        "needed versions: expected inside",
    ),
    malformed(
        "versions of symbols outside of memory",
        add!(DT_VERSYM, FAR),
        "versions of the symbols: expected inside",
    ),
    malformed(
        "absurd versions of symbols",
        |good, to| {
            good.edited(to, |elf| {
                let strings = elf.value(elf::DT_STRTAB).next_multiple_of(2);
                elf.add(elf::DT_VERSYM, strings);
            })
        },
        "versions of the symbols: expected those that it asks for",
    ),
];
