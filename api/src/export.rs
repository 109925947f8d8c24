//! A module's static description: constant bytes that the host reads before it runs any code.

use crate::module::ModuleApp;

/// The first bytes of every `PLAYGROUND_MODULE`; the last byte is the version of the layout.
pub const MAGIC: [u8; 16] = *b"playground-mod\0\x04";

/// The head of `PLAYGROUND_MODULE`, of the same size in every module.
///
/// The first 32 bytes contain no address, so they can be read from the file without relocation.
#[repr(C)]
pub struct ModuleEntry {
    /// Must be [`MAGIC`].
    pub magic: [u8; 16],
    /// Length in bytes of the manifest, which follows this struct.
    pub manifest_len: u64,
    /// Length in bytes of the schemas, which follow the manifest.
    pub schemas_len: u64,
    /// The module's `build` function.
    pub build: fn(&mut ModuleApp),
}

/// The type of a module's `PLAYGROUND_MODULE`.
#[repr(C)]
pub struct ModuleExport<const N: usize, const S: usize> {
    /// The head; must be the first field.
    pub entry: ModuleEntry,
    /// TOML in UTF-8, as [`export_module!`](crate::export_module) writes it.
    pub manifest: [u8; N],
    /// The schemas of the persisted types, encoded.
    pub schemas: [u8; S],
}

/// A piece of the manifest's text.
#[derive(Clone, Copy)]
pub enum Piece {
    /// Verbatim TOML.
    Toml(&'static str),
    /// The content of a TOML string, to be quoted and escaped.
    Text(&'static str),
}

/// Length in bytes of the manifest that [`manifest_bytes`] writes.
pub const fn manifest_len(pieces: &[Piece]) -> usize {
    let (mut len, mut i) = (0, 0);
    while i < pieces.len() {
        len += match pieces[i] {
            Piece::Toml(toml) => toml.len(),
            Piece::Text(text) => {
                let (mut quoted, mut j) = (2, 0);
                while j < text.len() {
                    quoted += escaped(text.as_bytes()[j]).1;
                    j += 1;
                }
                quoted
            }
        };
        i += 1;
    }
    len
}

/// Concatenates `pieces`; [`Piece::Text`] becomes a basic string of TOML, quoted and escaped.
///
/// `N` must be their [`manifest_len`].
pub const fn manifest_bytes<const N: usize>(pieces: &[Piece]) -> [u8; N] {
    let mut bytes = [0; N];
    let (mut at, mut i) = (0, 0);
    while i < pieces.len() {
        let (text, quoted) = match pieces[i] {
            Piece::Toml(toml) => (toml.as_bytes(), false),
            Piece::Text(text) => (text.as_bytes(), true),
        };
        if quoted {
            bytes[at] = b'"';
            at += 1;
        }
        let mut j = 0;
        while j < text.len() {
            let (escape, len) =
                if quoted { escaped(text[j]) } else { ([text[j], 0, 0, 0, 0, 0], 1) };
            let mut k = 0;
            while k < len {
                bytes[at] = escape[k];
                (at, k) = (at + 1, k + 1);
            }
            j += 1;
        }
        if quoted {
            bytes[at] = b'"';
            at += 1;
        }
        i += 1;
    }
    bytes
}

/// The escaped form of a byte in a basic string of TOML, and its length in bytes.
const fn escaped(byte: u8) -> ([u8; 6], usize) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    match byte {
        b'"' | b'\\' => ([b'\\', byte, 0, 0, 0, 0], 2),
        0..0x20 | 0x7f => {
            let (high, low) = (HEX[(byte >> 4) as usize], HEX[(byte & 15) as usize]);
            ([b'\\', b'u', b'0', b'0', high, low], 6)
        }
        _ => ([byte, 0, 0, 0, 0, 0], 1),
    }
}

/// `value`, or `unset` if the environment variable was not set at build time.
pub const fn unwrap_or(value: Option<&'static str>, unset: &'static str) -> &'static str {
    match value {
        Some(value) => value,
        None => unset,
    }
}

/// Declares a module: its kind, the modules it requires, its persisted types, and the function that
/// registers its systems and data.
///
/// ```ignore
/// export_module! {
///     kind: Systems,                      // Core, Systems, Plugins or Apps
///     requires: { core_arena: "^0.1" },   // modules by id, with a semver requirement; an id with
///                                         // a hyphen in quotes: "core-arena": "^0.1"
///     persist: [],                        // components, resources, messages, states
///     dropped: ["core_arena::Shield"],    // removed types whose values may be dropped; optional
///     build: build,                       // fn(&mut ModuleApp)
/// }
/// ```
#[macro_export]
macro_rules! export_module {
    (
        kind: $kind:ident,
        requires: { $($id:tt : $version:literal),* $(,)? },
        persist: [ $($persisted:ty),* $(,)? ],
        $(dropped: [ $($dropped:literal),* $(,)? ],)?
        build: $build:path $(,)?
    ) => {
        const _: $crate::export::Kind = $crate::export::Kind::$kind;

        const PLAYGROUND_MANIFEST: &[$crate::export::Piece] = {
            use $crate::export::Piece::{Text, Toml};
            &[
                Toml("kind = "), Text(stringify!($kind)),
                Toml("\nid = "), Text(env!("CARGO_PKG_NAME")),
                Toml("\nversion = "), Text(env!("CARGO_PKG_VERSION")),
                Toml("\nabi = "), Text($crate::ABI),
                Toml("\nepoch = "),
                Text($crate::export::unwrap_or(option_env!("PLAYGROUND_EPOCH"), "-")),
                Toml("\ncrate_epoch = "),
                Text($crate::export::unwrap_or(option_env!("PLAYGROUND_CRATE_EPOCH"), "-")),
                Toml("\ntypes = "),
                Text($crate::export::unwrap_or(option_env!("PLAYGROUND_TYPES"), "")),
                Toml("\ncores = "),
                Toml($crate::export::unwrap_or(option_env!("PLAYGROUND_CORES"), "{}")),
                Toml("\npersist = ["),
                $(Toml("\n    "), Text(stringify!($persisted)), Toml(","),)*
                Toml("\n]\ndropped = ["),
                $($(Toml("\n    "), Text($dropped), Toml(","),)*)?
                Toml("\n]\n\n[requires]\n"),
                $(Toml(stringify!($id)), Toml(" = "), Text($version), Toml("\n"),)*
            ]
        };

        const PLAYGROUND_SCHEMAS: &[&$crate::schema::Schema] =
            &[$(<$persisted as $crate::schema::Persist>::REF),*];

        #[doc(hidden)]
        pub static PLAYGROUND_MODULE: $crate::export::ModuleExport<
            { $crate::export::manifest_len(PLAYGROUND_MANIFEST) },
            { $crate::schema::encoded_len_all(PLAYGROUND_SCHEMAS) },
        > = $crate::export::ModuleExport {
            entry: $crate::export::ModuleEntry {
                magic: $crate::export::MAGIC,
                manifest_len: $crate::export::manifest_len(PLAYGROUND_MANIFEST) as u64,
                schemas_len: $crate::schema::encoded_len_all(PLAYGROUND_SCHEMAS) as u64,
                build: playground_build,
            },
            manifest: $crate::export::manifest_bytes(PLAYGROUND_MANIFEST),
            schemas: $crate::schema::const_encode_all(PLAYGROUND_SCHEMAS),
        };

        fn playground_build(module: &mut $crate::ModuleApp) {
            $({
                #[allow(unused_imports, reason = "exactly one of these traits applies to each type")]
                use $crate::persist::{
                    ViaComponent, ViaMessage, ViaNothing, ViaResource, ViaSource,
                    ViaState, ViaTarget,
                };
                module.persist((&&&&&&$crate::persist::Persisted::<$persisted>::NEW).records());
            })*
            $build(module);
        }
    };
}

/// The kind of a module; it decides which modules may depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Shared data and contracts: components, resources, messages, system sets.
    Core,
    /// Behaviour that works on core data.
    Systems,
    /// An optional feature.
    Plugins,
    /// A whole game: the modules it requires, its states and its set-up.
    Apps,
}
