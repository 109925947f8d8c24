//! What a module's artifact says about itself: constant bytes that are read before anything runs.

use crate::module::ModuleApp;

/// First bytes of every `PLAYGROUND_MODULE`; the last one is the version of this layout.
pub const MAGIC: [u8; 16] = *b"playground-mod\0\x02";

/// The part of `PLAYGROUND_MODULE` whose size is the same in every module.
///
/// The first 32 bytes hold no address, so that they can be read from the file.
#[repr(C)]
pub struct ModuleEntry {
    /// [`MAGIC`].
    pub magic: [u8; 16],
    /// Length in bytes of the manifest, which follows this structure.
    pub manifest_len: u64,
    /// Length in bytes of the schemas, which follow the manifest.
    pub schemas_len: u64,
    /// Records what the module wants.
    pub build: fn(&mut ModuleApp),
}

/// The type of a module's `PLAYGROUND_MODULE`.
#[repr(C)]
pub struct ModuleExport<const N: usize, const S: usize> {
    /// Comes first.
    pub entry: ModuleEntry,
    /// UTF-8 lines `key value`, as [`export_module!`](crate::export_module) writes them.
    pub manifest: [u8; N],
    /// The schemas of the persisted types, flattened.
    pub schemas: [u8; S],
}

/// Sum of the lengths of `parts`, in bytes.
pub const fn concat_len(parts: &[&str]) -> usize {
    let (mut len, mut i) = (0, 0);
    while i < parts.len() {
        len += parts[i].len();
        i += 1;
    }
    len
}

/// `parts` one behind the other.
pub const fn concat_bytes<const N: usize>(parts: &[&str]) -> [u8; N] {
    let mut bytes = [0; N];
    let (mut at, mut i) = (0, 0);
    while i < parts.len() {
        let part = parts[i].as_bytes();
        let mut j = 0;
        while j < part.len() {
            bytes[at] = part[j];
            at += 1;
            j += 1;
        }
        i += 1;
    }
    bytes
}

/// `value`, or `-` where the build did not set it.
pub const fn or_unset(value: Option<&'static str>) -> &'static str {
    match value {
        Some(value) => value,
        None => "-",
    }
}

/// Says what a module is: its kind, the modules it requires, the types whose values are kept, and
/// the function that records what it wants.
///
/// ```ignore
/// export_module! {
///     kind: Systems,                      // Core, Systems, Plugins or Apps
///     requires: { core_arena: "^0.1" },   // modules by id, with a semver requirement
///     persist: [],                        // components, resources, messages, states: serde and Persist
///     dropped: ["core_arena::Shield"],    // persisted types that are gone, and may go; optional
///     build: build,                       // fn(&mut ModuleApp)
/// }
/// ```
#[macro_export]
macro_rules! export_module {
    (
        kind: $kind:ident,
        requires: { $($id:ident : $version:literal),* $(,)? },
        persist: [ $($persisted:ty),* $(,)? ],
        $(dropped: [ $($dropped:literal),* $(,)? ],)?
        build: $build:path $(,)?
    ) => {
        const _: $crate::export::Kind = $crate::export::Kind::$kind;

        const PLAYGROUND_MANIFEST: &[&str] = &[
            "kind ", stringify!($kind),
            "\nid ", env!("CARGO_PKG_NAME"),
            "\nversion ", env!("CARGO_PKG_VERSION"),
            "\nabi ", $crate::ABI,
            "\nepoch ", $crate::export::or_unset(option_env!("PLAYGROUND_EPOCH")),
            "\ncores ", $crate::export::or_unset(option_env!("PLAYGROUND_CORES")),
            $("\nrequires ", stringify!($id), " ", $version,)*
            $("\npersist ", stringify!($persisted),)*
            $($("\ndropped ", $dropped,)*)?
            "\n",
        ];

        const PLAYGROUND_SCHEMAS: &[&$crate::schema::Schema] =
            &[$(<$persisted as $crate::schema::Persist>::REF),*];

        #[doc(hidden)]
        pub static PLAYGROUND_MODULE: $crate::export::ModuleExport<
            { $crate::export::concat_len(PLAYGROUND_MANIFEST) },
            { $crate::schema::flat_len_all(PLAYGROUND_SCHEMAS) },
        > = $crate::export::ModuleExport {
            entry: $crate::export::ModuleEntry {
                magic: $crate::export::MAGIC,
                manifest_len: $crate::export::concat_len(PLAYGROUND_MANIFEST) as u64,
                schemas_len: $crate::schema::flat_len_all(PLAYGROUND_SCHEMAS) as u64,
                build: playground_build,
            },
            manifest: $crate::export::concat_bytes(PLAYGROUND_MANIFEST),
            schemas: $crate::schema::flatten_all(PLAYGROUND_SCHEMAS),
        };

        fn playground_build(module: &mut $crate::ModuleApp) {
            $({
                #[allow(unused_imports, reason = "one of the five applies to each type")]
                use $crate::persist::{
                    ViaComponent, ViaImmutable, ViaMessage, ViaResource, ViaState,
                };
                module.persist((&&&&&$crate::persist::Persisted::<$persisted>::NEW).records());
            })*
            $build(module);
        }
    };
}

/// What a module is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Data and contracts: components, resources, messages, sets.
    Core,
    /// Behaviour over core data.
    Systems,
    /// An optional feature.
    Plugins,
    /// A whole game: which modules it needs, its states, its set-up.
    Apps,
}
