//! Builds a minimal shared library of a module, with a part of each kind that inspection reads.

use object::elf::*;

const SYMBOL: &str = "_ZN4demo17PLAYGROUND_MODULE17h0123456789abcdefE";
const LIBRARY: &str = "libc.so.6";
const VERSION: &str = "GLIBC_2.2.5";
const FOREIGN: &str = "malloc";

/// The writable part's address in memory minus its offset in the file.
const WRITABLE: u64 = 0x1000;
const HEADERS: u64 = 8;
const ENTRY_BYTES: usize = 40;

/// A buffer of concatenated parts.
#[derive(Default)]
struct Bytes(Vec<u8>);

impl Bytes {
    fn here(&mut self) -> u64 {
        self.0.resize(self.0.len().next_multiple_of(8), 0);
        self.0.len() as u64
    }

    fn u16(&mut self, values: &[u16]) {
        values.iter().for_each(|value| self.0.extend_from_slice(&value.to_ne_bytes()));
    }

    fn u32(&mut self, values: &[u32]) {
        values.iter().for_each(|value| self.0.extend_from_slice(&value.to_ne_bytes()));
    }

    fn u64(&mut self, values: &[u64]) {
        values.iter().for_each(|value| self.0.extend_from_slice(&value.to_ne_bytes()));
    }

    /// Adds a name and returns its offset.
    fn name(&mut self, name: &str) -> u32 {
        let at = self.0.len() as u32;
        self.0.extend_from_slice(name.as_bytes());
        self.0.push(0);
        at
    }

    fn symbol(&mut self, name: u32, section: u16, value: u64, size: u64) {
        self.u32(&[name]);
        self.0.extend_from_slice(&[0x11, 0]);
        self.u16(&[section]);
        self.u64(&[value, size]);
    }
}

/// The loader's hash of a symbol name.
fn hash_of(name: &str) -> u32 {
    let add = |hash: u32, byte| hash.wrapping_mul(33).wrapping_add(u32::from(byte));
    name.bytes().fold(5381, add)
}

/// A library with this manifest and these schemas.
pub fn library(manifest: &str, schemas: &[u8]) -> Vec<u8> {
    let mut strings = Bytes(vec![0]);
    let [library, version, foreign, own] =
        [LIBRARY, VERSION, FOREIGN, SYMBOL].map(|name| strings.name(name));
    let texts = manifest.len() + schemas.len();
    let entry_bytes = (ENTRY_BYTES + texts).next_multiple_of(8) as u64;

    let mut parts = Bytes(vec![0; 64 + 56 * HEADERS as usize]);
    let hash = parts.here();
    parts.u32(&[1, 2, 1, 6, !0, !0, 2, hash_of(SYMBOL) | 1]);
    let versions = parts.here();
    parts.u16(&[0, 2, 1]);
    let needed = parts.here();
    parts.u16(&[1, 1]);
    parts.u32(&[library, 16, 0, 0x0969_1a75, 2 << 16, version, 0]);
    // One function, whose frame entry follows the table.
    let unwinding = parts.here();
    parts.u32(&[0x3b03_1b01, 16, 1, (unwinding as u32).wrapping_neg(), 20, 0]);
    let names = parts.here();
    parts.0.extend_from_slice(&strings.0);
    let symbols = parts.here();

    // The parts after the symbols, whose addresses the symbols need.
    let relocations = symbols + 3 * 24;
    let packed = relocations + 2 * 24;
    let dynamic = packed + 16;
    let tags = 21;
    let table = dynamic + tags * 16;
    let entry = table + 16;
    let in_memory = |at: u64| at + WRITABLE;

    parts.0.extend_from_slice(&[0; 24]);
    parts.symbol(foreign, 0, 0, 0);
    parts.symbol(own, 1, in_memory(entry), entry_bytes);
    parts.u64(&[in_memory(table + 8), 1 << 32 | 6, 0]);
    parts.u64(&[in_memory(entry + 32), 8, 0]);
    parts.u64(&[in_memory(table), 1]);
    let pairs = [
        (DT_NEEDED, library.into()),
        (DT_RUNPATH, version.into()),
        (DT_GNU_HASH, hash),
        (DT_SYMTAB, symbols),
        (DT_SYMENT, 24),
        (DT_STRTAB, names),
        (DT_STRSZ, strings.0.len() as u64),
        (DT_RELA, relocations),
        (DT_RELASZ, 48),
        (DT_RELAENT, 24),
        (DT_RELR, packed),
        (DT_RELRSZ, 16),
        (DT_RELRENT, 8),
        (DT_VERSYM, versions),
        (DT_VERNEED, needed),
        (DT_VERNEEDNUM, 1),
        (DT_INIT_ARRAY, in_memory(table)),
        (DT_INIT_ARRAYSZ, 8),
        (DT_INIT, hash),
        (DT_PLTREL, DT_RELA.0 as u64),
        (DT_NULL, 0),
    ];
    pairs.iter().for_each(|(tag, value)| parts.u64(&[tag.0 as u64, *value]));
    parts.u64(&[0, 0]);
    parts.0.extend_from_slice(b"playground-mod\0\x04");
    parts.u64(&[manifest.len() as u64, schemas.len() as u64, 0]);
    parts.0.extend_from_slice(manifest.as_bytes());
    parts.0.extend_from_slice(schemas);
    let end = parts.here();

    let mut head = Bytes(b"\x7fELF\x02\x01\x01".to_vec());
    head.0.resize(16, 0);
    head.u16(&[ET_DYN.0, EM_X86_64.0]);
    head.u32(&[1]);
    head.u64(&[0, 64, 0]);
    head.u32(&[0]);
    head.u16(&[64, 56, HEADERS as u16, 64, 0, 0]);
    let (read, write, run) = (PF_R.0, PF_W.0, PF_X.0);
    let writable = (in_memory(dynamic), end - dynamic);
    for (kind, flags, offset, (address, size), align) in [
        (PT_LOAD, read | run, 0, (0, dynamic), 0x1000),
        (PT_LOAD, read | write, dynamic, writable, 0x1000),
        (PT_DYNAMIC, read | write, dynamic, (in_memory(dynamic), tags * 16), 8),
        (PT_GNU_STACK, read | write, 0, (0, 0), 16),
        (PT_GNU_RELRO, read, dynamic, (in_memory(dynamic), tags * 16), 1),
        (PT_TLS, read, table, (in_memory(table), 16), 8),
        (PT_NOTE, read, versions, (versions, 4), 4),
        (PT_GNU_EH_FRAME, read, unwinding, (unwinding, 24), 4),
    ] {
        head.u32(&[kind.0, flags]);
        head.u64(&[offset, address, address, size, size, align]);
    }
    parts.0[..head.0.len()].copy_from_slice(&head.0);
    parts.0
}
