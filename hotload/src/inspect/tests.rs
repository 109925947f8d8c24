//! Inspection of a real dylib, whole, cut and with flipped bits.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::export::{ALIGN_BYTES, MAGIC};
use super::*;

const API: &str = r#"
#![allow(dead_code)]
#[path = "EXPORT"]
pub mod export;
pub mod module { pub struct ModuleApp; impl ModuleApp { pub fn persist(&mut self, _: u8) {} } }
pub mod schema {
    pub struct Schema;
    pub trait Persist { const REF: &'static Schema; }
    impl<T> Persist for T { const REF: &'static Schema = &Schema; }
    // The flattened schema of a unit struct `A`.
    pub const ONE: [u8; 6] = [0, 1, b'A', 0, 1, 14];
    pub const fn encoded_len_all(schemas: &[&Schema]) -> usize { 2 + 6 * schemas.len() }
    pub const fn const_encode_all<const N: usize>(schemas: &[&Schema]) -> [u8; N] {
        let mut bytes = [0; N];
        (bytes[0], bytes[1]) = (1, schemas.len() as u8);
        let mut i = 2;
        while i < N { bytes[i] = ONE[(i - 2) % 6]; i += 1; }
        bytes
    }
}
pub use module::ModuleApp;
pub mod persist {
    pub trait ViaComponent { fn records(&self) -> u8 { 0 } }
    pub trait ViaResource {}
    pub trait ViaMessage {}
    pub trait ViaNothing {}
    pub trait ViaSource {}
    pub trait ViaState {}
    pub trait ViaTarget {}
    pub struct Persisted<T>(std::marker::PhantomData<T>);
    impl<T> Persisted<T> { pub const NEW: Self = Self(std::marker::PhantomData); }
    impl<T> ViaComponent for Persisted<T> {}
}
pub const ABI: &str = "test-abi";
"#;
const CORE: &str = r#"
playground_api::export_module! { kind: Core, requires: {}, persist: [Health], build: build }
pub struct Health(pub f32);
fn build(_: &mut playground_api::ModuleApp) {}
"#;
const DEMO: &str = r#"
use core_demo::Health;
playground_api::export_module! {
    kind: Systems,
    requires: { core_demo: "^0.1" },
    persist: [Health, std::collections::HashMap<u8, Vec<Health>>],
    build: build,
}
fn build(_: &mut playground_api::ModuleApp) {
    println!("{}", std::env::args().map(|arg| arg.len() as f32).sum::<f32>() + Health(1.0).0);
}
"#;

impl Inspected {
    /// Bytes of which only their hash is known, which may be that of others.
    pub(crate) fn stub(id: &str, bytes: &[u8], hashed: &[u8]) -> Self {
        let manifest = Manifest {
            kind: Kind::Systems,
            id: id.into(),
            version: semver::Version::new(0, 1, 0),
            abi: "abi".into(),
            epoch: "0123456789abcdef".into(),
            crate_epoch: "0123456789abcdef".into(),
            types: Default::default(),
            cores: Default::default(),
            requires: Default::default(),
            persisted: Vec::new(),
            dropped: Vec::new(),
        };
        Self {
            bytes: bytes.to_vec(),
            hash: ArtifactHash::of(hashed),
            manifest,
            schemas: Vec::new(),
            export_symbol: String::new(),
            warnings: Vec::new(),
        }
    }
}

/// A host executable and a module, both of which share the dynamic libstd.
struct Fixture {
    artifact: Vec<u8>,
    plain: Vec<u8>,
    host: HostFacts,
    /// The facts of a game with the standard library linked in statically.
    static_host: HostFacts,
}

fn fixture() -> &'static Fixture {
    static FIXTURE: OnceLock<Fixture> = OnceLock::new();
    FIXTURE.get_or_init(|| {
        let folder =
            std::env::temp_dir().join(format!("playground-inspect-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let export = concat!(env!("CARGO_MANIFEST_DIR"), "/../api/src/export.rs");
        let rustc = |name: &str, source: &str, arguments: &[&str]| {
            let path = folder.join(format!("{name}.rs"));
            std::fs::write(&path, source).unwrap();
            let output = Command::new("rustc")
                .current_dir(&folder)
                .args(["--edition=2024", "-Cprefer-dynamic", "-L.", "--crate-name", name])
                .args(arguments)
                .arg(path)
                .env("CARGO_PKG_NAME", name.replace('_', "-").replace("core-demo", "core_demo"))
                .env("CARGO_PKG_VERSION", "0.1.2")
                .env("PLAYGROUND_EPOCH", "0123456789abcdef")
                .env("PLAYGROUND_CORES", "{ core_demo = \"0123456789abcdef\" }")
                .output()
                .unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        };
        let library = ["--crate-type=rlib"];
        rustc("playground_api", &API.replace("EXPORT", export), &library);
        rustc("core_demo", CORE, &[&library[..], &["--extern=playground_api"]].concat());
        let externs = ["--extern=playground_api", "--extern=core_demo", "--crate-type=dylib"];
        rustc("my_demo", DEMO, &externs);
        rustc("plain", "pub fn nothing() {}", &["--crate-type=dylib"]);
        rustc("host", "fn main() { println!() }", &[]);
        rustc("static_host", "fn main() { println!() }", &["-Cprefer-dynamic=no"]);

        let libdir = Command::new("rustc").args(["--print", "target-libdir"]).output().unwrap();
        let libdir = PathBuf::from(String::from_utf8(libdir.stdout).unwrap().trim());
        let system =
            ["/lib/x86_64-linux-gnu", "/lib64", "/lib", "/usr/lib", "/lib/aarch64-linux-gnu"];
        let folders: Vec<_> = std::iter::once(libdir).chain(system.map(PathBuf::from)).collect();
        let facts = |host: &str| {
            let found = |name: &str| {
                folders.iter().map(|folder| folder.join(name)).find(|path| path.exists())
            };
            HostFacts::of("test-abi", &folder.join(host), found).unwrap()
        };
        let fixture = Fixture {
            artifact: std::fs::read(folder.join("libmy_demo.so")).unwrap(),
            plain: std::fs::read(folder.join("libplain.so")).unwrap(),
            host: facts("host"),
            static_host: facts("static_host"),
        };
        std::fs::remove_dir_all(&folder).unwrap();
        fixture
    })
}

fn look(bytes: Vec<u8>, id: &str, host: &HostFacts) -> Result<Inspected, String> {
    inspect(Path::new("lib.so"), bytes, &id.into(), host).map_err(|error| error.to_string())
}

/// Asserts that it is refused with an error that contains `expected`.
#[track_caller]
fn refused(bytes: Vec<u8>, id: &str, host: &HostFacts, expected: &str) {
    let error = look(bytes, id, host).unwrap_err();
    assert!(error.contains(expected), "{error:?} should contain {expected:?}");
    assert!(error.contains("lib.so"), "{error}");
}

/// Offset of the only place of `part` in the bytes.
fn place_of(part: &[u8], bytes: &[u8]) -> usize {
    let mut places = bytes.windows(part.len()).enumerate().filter(|(_, found)| *found == part);
    let (at, _) = places.next().unwrap();
    assert!(places.next().is_none());
    at
}

/// Offset of the demo's `ModuleEntry`.
fn entry_of(bytes: &[u8]) -> usize {
    const MANIFEST: &[u8] = b"kind = \"Systems\"\nid = \"my-demo\"\n";
    let mut entries = bytes.windows(ENTRY_BYTES as usize + MANIFEST.len());
    entries.position(|part| part.starts_with(&MAGIC) && part.ends_with(MANIFEST)).unwrap()
}

#[test]
fn constants_are_those_of_the_api() {
    use playground_api::export::{self, ModuleEntry, ModuleExport};
    assert_eq!(MAGIC, export::MAGIC);
    assert_eq!(ENTRY_BYTES as usize, size_of::<ModuleEntry>());
    assert_eq!(ALIGN_BYTES as usize, align_of::<ModuleEntry>());
    assert_eq!(PLAIN_BYTES as usize, std::mem::offset_of!(ModuleEntry, build));
    assert_eq!(ENTRY_BYTES as usize, std::mem::offset_of!(ModuleExport<9, 5>, manifest));
}

#[test]
fn a_module_is_read() {
    let Fixture { artifact, host, .. } = fixture();
    let start = std::time::Instant::now();
    let inspected = look(artifact.clone(), "my-demo", host).unwrap();
    println!("{} bytes: {:?}", artifact.len(), start.elapsed());
    assert_eq!(inspected.bytes(), artifact);
    assert_eq!(inspected.hash(), blake3::hash(artifact).to_hex().as_str());
    assert_eq!(inspected.manifest().id, "my-demo");
    assert_eq!(inspected.manifest().kind, Kind::Systems);
    assert_eq!(inspected.manifest().version.to_string(), "0.1.2");
    assert_eq!(inspected.manifest().cores["core_demo"], "0123456789abcdef");
    assert_eq!(inspected.manifest().requires["core_demo"].to_string(), "^0.1");
    let persisted = &inspected.manifest().persisted;
    assert_eq!(persisted[0], "Health");
    assert!(persisted[1].contains("HashMap"), "{persisted:?}");
    assert_eq!(demangle(inspected.export_symbol().as_bytes()), "my_demo::PLAYGROUND_MODULE");
    assert!(inspected.warnings().is_empty(), "{:?}", inspected.warnings());
}

#[test]
fn names_are_demangled_in_both_schemes() {
    let legacy = b"_ZN7my_demo17PLAYGROUND_MODULE17h0123456789abcdefE";
    assert_eq!(demangle(legacy), "my_demo::PLAYGROUND_MODULE");
    assert_eq!(demangle(b"_RNvCs1234_7my_demo17PLAYGROUND_MODULE"), "my_demo::PLAYGROUND_MODULE");
}

#[test]
fn other_files_are_refused() {
    let Fixture { artifact, plain, host, .. } = fixture();
    refused(Vec::new(), "my-demo", host, "H0201: lib.so: expected 64 to");
    refused(b"fn main() {}\n".repeat(9), "my-demo", host, "begins with [66, 6e, 20, 6d]");
    let changed = |at: usize, byte: u8| {
        let mut bytes = artifact.clone();
        bytes[at] = byte;
        bytes
    };
    refused(changed(4, 1), "my-demo", host, "found 32-bit");
    refused(changed(5, 2), "my-demo", host, "H0203");
    refused(changed(18, 0xb7), "my-demo", host, "found 64-bit little-endian aarch64");
    refused(changed(16, 2), "my-demo", host, "expected a shared library, found type 2");
    refused(changed(54, 55), "my-demo", host, "size of a program header");
    refused(plain.clone(), "plain", host, "one symbol `plain::PLAYGROUND_MODULE`, found none");
}

#[test]
fn an_artifact_without_an_epoch_is_refused() {
    let Fixture { artifact, host, .. } = fixture();
    let manifest = entry_of(artifact) + ENTRY_BYTES as usize;
    for (key, id) in [("\nepoch = ", "my-demo"), ("cores = { core_demo = ", "core_demo")] {
        let mut bytes = artifact.clone();
        let at = manifest + place_of(key.as_bytes(), &artifact[manifest..][..300]) + key.len();
        // As long as the epoch's 16 digits in quotes.
        bytes[at..at + 18].copy_from_slice(b"\"-\"               ");
        let expected = format!("H0221: lib.so: expected an epoch for `{id}`, found none");
        refused(bytes, "my-demo", host, &expected);
    }
}

#[test]
fn the_export_has_to_be_its_own() {
    let Fixture { artifact, host, .. } = fixture();
    let expected = "`other::PLAYGROUND_MODULE`, found ";
    refused(artifact.clone(), "other", host, expected);
    refused(artifact.clone(), "other", host, "core_demo::PLAYGROUND_MODULE");
    // The embedded core's export passes for its own only where the core's own module is expected.
    assert_eq!(look(artifact.clone(), "core_demo", host).unwrap().manifest.id, "core_demo");

    let entry = entry_of(artifact);
    let changed = |at: usize, bytes: &[u8]| {
        let mut artifact = artifact.clone();
        artifact[entry + at..][..bytes.len()].copy_from_slice(bytes);
        artifact
    };
    refused(changed(0, b"x"), "my-demo", host, "H0207");
    refused(
        changed(15, b"\x02"),
        "my-demo",
        host,
        "expected version 4 of its layout, found version 2",
    );
    refused(
        changed(16, &u64::MAX.to_ne_bytes()),
        "my-demo",
        host,
        "one of 18446744073709551615 bytes",
    );
    refused(changed(16, &(1u64 << 16).to_ne_bytes()), "my-demo", host, "a manifest of at most");
    refused(changed(16, &20u64.to_ne_bytes()), "my-demo", host, "bytes that belong to neither");
    refused(changed(40, b"\xff"), "my-demo", host, "expected UTF-8");
    refused(changed(40, b"KIND"), "my-demo", host, "unknown field `KIND`");
    refused(changed(63, b"xx"), "my-demo", host, "found `xx-demo`");

    // Two schemas of six bytes each, behind a byte for the version and one for their count.
    let len = |at: usize| u64::from_ne_bytes(artifact[entry + at..][..8].try_into().unwrap());
    assert_eq!(len(24), 14);
    let schemas = 40 + len(16) as usize;
    refused(changed(24, &u64::MAX.to_ne_bytes()), "my-demo", host, "a list of schemas of at most");
    refused(changed(24, &8u64.to_ne_bytes()), "my-demo", host, "bytes that belong to neither");
    refused(changed(schemas, b"\x09"), "my-demo", host, "H0211");
    refused(changed(schemas + 1, b"\xff"), "my-demo", host, "H0211");
    let one = [&[1, 1][..], &artifact[entry + schemas + 2..][..6], &[0; 6]].concat();
    let mut one_schema = changed(schemas, &one);
    one_schema[entry + 24..][..8].copy_from_slice(&8u64.to_ne_bytes());
    refused(one_schema, "my-demo", host, "H0212");
}

/// The demo, to be modified in place.
struct Patch {
    bytes: Vec<u8>,
}

impl Patch {
    fn new() -> Self {
        Self { bytes: fixture().artifact.clone() }
    }

    fn image(&self) -> Image<'_, &[u8]> {
        Image::parse(self.bytes.as_slice()).unwrap()
    }

    fn u64(&self, at: usize) -> u64 {
        u64::from_ne_bytes(self.bytes[at..][..8].try_into().unwrap())
    }

    fn put(mut self, at: usize, bytes: &[u8]) -> Self {
        assert_ne!(&self.bytes[at..][..bytes.len()], bytes, "something else");
        self.bytes[at..][..bytes.len()].copy_from_slice(bytes);
        self
    }

    fn put64(self, at: usize, value: u64) -> Self {
        self.put(at, &value.to_ne_bytes())
    }

    /// The offset of the program header of a kind.
    fn header(&self, kind: format::ProgramType) -> usize {
        let at = self.u64(32) as usize;
        let headers = (0..).map(|index| at + 56 * index);
        headers.take(64).find(|at| self.bytes[*at..][..4] == kind.0.to_ne_bytes()).unwrap()
    }

    /// The offset of the value of an entry in the dynamic table.
    fn entry(&self, tag: format::DynamicTag) -> usize {
        let table = self.image().dynamic_offset().unwrap() as usize;
        let entries = (0..).map(|index| table + 16 * index);
        entries.take(64).find(|at| self.u64(*at) == tag.0 as u64).unwrap() + 8
    }

    /// Replaces an entry by another one.
    fn swap(self, tag: format::DynamicTag, other: format::DynamicTag, value: u64) -> Self {
        let at = self.entry(tag);
        self.put64(at - 8, other.0 as u64).put64(at, value)
    }

    /// The offset of the module's own symbol.
    fn symbol(&self) -> usize {
        let image = self.image();
        let symbols = image.symbols().unwrap();
        let name = |symbol| demangle(image.name_of(symbol).unwrap());
        let own = |symbol| name(symbol) == "my_demo::PLAYGROUND_MODULE";
        let index = symbols.iter().position(own).unwrap();
        image.offset_of(self.u64(self.entry(format::DT_SYMTAB))).unwrap() as usize + 24 * index
    }

    /// The offset of the relocation of `build`.
    fn build(&self) -> usize {
        let entry = self.u64(self.symbol() + 8);
        let table = self.u64(self.entry(format::DT_RELA));
        let table = self.image().offset_of(table).unwrap() as usize;
        let relocations = (0..).map(|index| table + 24 * index);
        relocations.take(9999).find(|at| self.u64(*at) == entry + PLAIN_BYTES).unwrap()
    }

    #[track_caller]
    fn refused(self, expected: &str) {
        refused(self.bytes, "my-demo", &fixture().host, expected);
    }
}

#[test]
fn headers_that_the_loader_trusts_are_checked() {
    let at = |kind| Patch::new().header(kind);
    let patch = |at, bytes: &[u8]| Patch::new().put(at, bytes);
    let (first, stack) = (at(format::PT_LOAD), at(format::PT_GNU_STACK));
    patch(stack + 4, &[7]).refused("expected data only");
    patch(stack, &[0]).refused("expected data only");
    patch(first + 4, &[0]).refused("rights: expected r--, rw- or r-x, found ---");
    patch(first + 4, &[7]).refused("rights: expected r--, rw- or r-x, found rwx");
    patch(first + 48, &16u64.to_ne_bytes()).refused("4096 to 2097152, found 16");
    patch(first + 48, &(1u64 << 40).to_ne_bytes()).refused("2097152, found 1099511627776");
    // Up to the page in which the next one begins.
    let next = Patch::new().u64(first + 56 + 16) & !0xfff;
    let size = (next + 1).to_ne_bytes();
    Patch::new().put(first + 40, &size).refused("expected a page of its own");

    let table = at(format::PT_DYNAMIC);
    Patch::new().put64(table + 40, 1 << 29).refused("dynamic table: expected inside");
    let unwinding = at(format::PT_GNU_EH_FRAME);
    patch(unwinding, &[0]).refused("unwind table: expected one, found none");
    let place = Patch::new().u64(unwinding + 8) as usize;
    patch(place, &[2]).refused("expected one that begins with [01, 1b, 03, 3b], found [02,");
    patch(place + 8, &[0xff; 4]).refused("unwind table: expected at most");
    patch(place + 15, &[0x40]).refused("unwind table: function: expected in code");
    patch(place + 19, &[0x40]).refused("unwind table: frame: expected inside");
    let headers = at(format::PT_PHDR);
    Patch::new().put64(headers + 16, 0x80).refused("program headers: expected offset 0x40");

    let relro = Patch::new().put(at(format::PT_GNU_RELRO), &format::PT_TLS.0.to_ne_bytes());
    let relro = relro.put64(at(format::PT_GNU_RELRO) + 48, 1 << 63);
    relro.refused("thread-local segment: expected");
}

#[test]
fn tables_that_the_loader_trusts_are_checked() {
    let at = |tag| Patch::new().entry(tag);
    let (own, unused) = (Patch::new().symbol(), format::DynamicTag(0x6000_1234));
    Patch::new().put(own + 4, &[0x12]).refused("expected a static, found a symbol of type 2");
    Patch::new().put(own + 4, &[0x1a]).refused("expected a static, found a symbol of type 10");
    Patch::new().put(own + 4, &[0x31]).refused("expected a static, found a symbol of binding 3");
    Patch::new().put(own + 6, &[0xf1, 0xff]).refused("found one without a section");

    let set = |tag, value| Patch::new().put64(at(tag), value);
    let without = |tag| Patch::new().swap(tag, unused, 0);
    without(format::DT_RELAENT).refused("expected 24, found none");
    without(format::DT_VERSYM).refused("versions of the symbols: expected a table, found none");
    set(format::DT_FLAGS, 4).refused("flags: expected nothing of the kind");
    set(format::DT_FLAGS_1, 0x40).refused("flags: expected a library");
    set(format::DT_SONAME, 1 << 40).refused("name of the library: place in the string table");
    let path = Patch::new().swap(format::DT_RELACOUNT, format::DT_RUNPATH, 1 << 40);
    path.refused("search path: place in the string table");
    let names = Patch::new().u64(at(format::DT_STRTAB)) & !7;
    set(format::DT_VERSYM, names)
        .refused("versions of the symbols: expected those that it asks for");
    // Through a symbol of the module's own.
    let build = Patch::new().build();
    Patch::new().put64(build + 16, 1 << 40).refused("expected one to code, found one to 0x");
    Patch::new().put(build + 12, &[0; 4]).refused("expected one to code, found one to 0x");
    Patch::new().put(build + 8, &[5]).refused("kind of one: expected one that a linker writes");
    Patch::new().put(build + 8, &[16]).refused("found one that is not set");
    let data = Patch::new().put(build + 8, &[8]);
    let address = data.u64(build);
    data.put64(build + 16, address).refused("expected one to code, found one to 0x");
    Patch::new().put(build + 8, &[8]).put64(build + 16, 1 << 40).refused("target: expected inside");
    let dynamic = Patch::new().header(format::PT_DYNAMIC);
    let dynamic = Patch::new().u64(dynamic + 16);
    Patch::new().put64(build, dynamic).refused("changed, found one at");
}

#[test]
fn the_host_has_to_be_its_own() {
    let Fixture { artifact, host, static_host, .. } = fixture();
    let mut other = host.clone();
    other.abi = "other-abi".into();
    refused(artifact.clone(), "my-demo", &other, "expected ABI other-abi, found test-abi");

    refused(artifact.clone(), "my-demo", static_host, "found `libstd-");

    let at = place_of(b"libstd-", artifact);
    let mut bytes = artifact.clone();
    bytes[at + 7] = b'x';
    refused(bytes, "my-demo", host, "(the game has `libstd-");

    let symbol = artifact.windows(7).position(|part| part == b"3std3en").unwrap();
    let mut bytes = artifact.clone();
    bytes[symbol + 6] = b'x';
    refused(bytes, "my-demo", host, "H0210");
}

#[test]
fn a_cut_file_is_refused() {
    let Fixture { artifact, host, .. } = fixture();
    let step = artifact.len() / 300;
    let ends = (0..artifact.len()).step_by(step).chain(artifact.len() - 64..artifact.len());
    for end in ends {
        assert!(look(artifact[..end].to_vec(), "my-demo", host).is_err(), "cut at {end}");
    }
}

/// A generator that needs no crate (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }
}

#[test]
fn damage_never_panics() {
    let Fixture { artifact, host, .. } = fixture();
    // Sections that are not loaded, debug information for one, are most of the file.
    let image = Image::parse(artifact.as_slice()).unwrap();
    let tables = [format::DT_SYMTAB, format::DT_STRTAB, format::DT_GNU_HASH, format::DT_VERNEED];
    let mut hot = vec![(0, 1024), (entry_of(artifact), 400)];
    for (address, size) in image.places_of(&tables) {
        hot.push((image.offset_of(address).unwrap() as usize, size));
    }
    hot.push((image.dynamic_offset().unwrap() as usize, 600));

    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let (mut refusals, rounds) = (0, 1500);
    for round in 0..rounds {
        let mut bytes = artifact.clone();
        for _ in 0..=round % 3 {
            let (start, len) = hot[random.below(hot.len())];
            let at = (start + random.below(len)).min(bytes.len() - 1);
            match random.below(3) {
                0 => bytes[at] = 0xff,
                _ => bytes[at] ^= 1 << random.below(8),
            }
        }
        refusals += usize::from(look(bytes, "my-demo", host).is_err());
    }
    println!("{refusals} of {rounds} refused");
    assert!(refusals > rounds / 4, "{refusals}");
}

#[test]
fn random_bytes_never_panic() {
    let Fixture { artifact, host, .. } = fixture();
    let mut random = Random(42);
    for round in 0..2000 {
        let len = random.below(4096);
        let mut bytes: Vec<u8> = (0..len).map(|_| random.below(256) as u8).collect();
        // Half of them pass the first check.
        let head = [0, 20, 64, 576][round % 4].min(len);
        bytes[..head].copy_from_slice(&artifact[..head]);
        assert!(look(bytes, "my-demo", host).is_err());
    }
}

#[test]
fn a_symbol_of_a_system_library_is_named_as_such() {
    let remedy = |names: &[&[u8]]| {
        let first: Vec<String> = names.iter().map(|name| format!("`{}`", demangle(name))).collect();
        let error = InspectError::Symbols { file: "lib.so".into(), count: first.len(), first };
        error.explain().to_string()
    };
    let own: &[u8] = b"_ZN7my_demo4walk17h0123456789abcdefE";
    let of_trait: &[u8] = b"_ZN41_$LT$my_demo..A$u20$as$u20$my_demo..B$GT$1c17h0123456789abcdefE";
    for names in [&[own][..], &[of_trait], &[own, of_trait]] {
        assert!(remedy(names).contains("Rebuild the module with this game's"), "{}", remedy(names));
    }
    for names in [&[&b"sqlite3_open"[..]][..], &[own, b"sqlite3_open"]] {
        let text = remedy(names);
        assert!(text.contains("`sqlite3_open` is not a Rust symbol"), "{text}");
        assert!(text.contains("playground_api"), "what to do: {text}");
    }
}
