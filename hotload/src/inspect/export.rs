//! `PLAYGROUND_MODULE`: the symbol, and the constant bytes behind it.

use std::path::Path;

use object::elf as format;

use super::elf::{Fault, Image, Symbol};
use super::{InspectError, MISSING_SHOWN, demangle};
use crate::ids::ModuleId;

/// First bytes of `PLAYGROUND_MODULE`; the last one is the version of its layout. The same as
/// `playground_api::export::MAGIC`, repeated so that inspection builds without Bevy.
pub(super) const MAGIC: [u8; 16] = *b"playground-mod\0\x04";
/// Size of `playground_api::export::ModuleEntry`: magic, lengths of manifest and schemas, address of
/// `build`.
pub(super) const ENTRY_BYTES: u64 = 40;
/// Its alignment.
pub(super) const ALIGN_BYTES: u64 = 8;
/// The size of the leading part that holds no addresses.
pub(super) const PLAIN_BYTES: u64 = 32;
const MAX_MANIFEST_BYTES: u64 = 64 << 10;
const MAX_SCHEMAS_BYTES: u64 = 4 << 20;

/// The symbols named `PLAYGROUND_MODULE`.
pub(super) struct Exports<'a> {
    expected: String,
    own: Vec<(&'a [u8], &'a Symbol)>,
    others: Vec<String>,
}

impl<'a> Exports<'a> {
    pub fn new(id: &ModuleId) -> Self {
        let expected = format!("{}::PLAYGROUND_MODULE", id.crate_name());
        Self { expected, own: Vec::new(), others: Vec::new() }
    }

    pub fn add(&mut self, name: &'a [u8], symbol: &'a Symbol) {
        const NAME: &[u8] = b"PLAYGROUND_MODULE";
        if name.windows(NAME.len()).any(|part| part == NAME) {
            match demangle(name) {
                path if path == self.expected => self.own.push((name, symbol)),
                path => self.others.push(path),
            }
        }
    }

    /// The one of the module's own crate; those of embedded cores do not count.
    pub fn only_one(self, path: &Path) -> Result<(String, &'a Symbol), InspectError> {
        if let [(name, symbol)] = self.own.as_slice()
            && let Ok(name) = std::str::from_utf8(name)
        {
            return Ok((name.to_owned(), symbol));
        }
        let mut found = self.others;
        found.extend(self.own.iter().map(|(name, _)| String::from_utf8_lossy(name).into_owned()));
        found.truncate(MISSING_SHOWN);
        Err(InspectError::NoExport { file: path.to_owned(), expected: self.expected, found })
    }
}

/// The constant bytes of `PLAYGROUND_MODULE`.
pub(super) struct Entry<'a> {
    pub address: u64,
    pub manifest: &'a [u8],
    pub schemas: &'a [u8],
}

impl<'a> Entry<'a> {
    pub fn read(
        path: &Path,
        image: &Image<'a, &'a [u8]>,
        symbol: &Symbol,
    ) -> Result<Self, InspectError> {
        Self::parse(image, symbol).map_err(|fault| InspectError::Export {
            file: path.to_owned(),
            expected: fault.expected,
            found: fault.found,
        })
    }

    fn parse(image: &Image<'a, &'a [u8]>, symbol: &Symbol) -> Result<Self, Fault> {
        const WHAT: &str = "PLAYGROUND_MODULE";
        check_symbol(symbol)?;
        let address = symbol.st_value.get(object::NativeEndian);
        let size = symbol.st_size.get(object::NativeEndian);
        let most = ENTRY_BYTES + MAX_MANIFEST_BYTES + MAX_SCHEMAS_BYTES + 8;
        if !(ENTRY_BYTES..=most).contains(&size) {
            let expected = format!("{ENTRY_BYTES} to {most} bytes");
            return Err(Fault::new(WHAT, expected, format!("{size} bytes")));
        }
        if !address.is_multiple_of(ALIGN_BYTES) {
            let expected = format!("an address aligned to {ALIGN_BYTES} bytes");
            return Err(Fault::new(WHAT, expected, format!("{address:#x}")));
        }
        let bytes = image.bytes(address, size, WHAT)?;

        let (magic, rest) = bytes.split_at(MAGIC.len());
        if magic[..15] != MAGIC[..15] {
            let show = |bytes: &[u8]| format!("{:?}", String::from_utf8_lossy(bytes));
            return Err(Fault::new(WHAT, show(&MAGIC[..15]), show(&magic[..15])));
        }
        if magic[15] != MAGIC[15] {
            let show = |version: u8| format!("version {version} of its layout");
            return Err(Fault::new(WHAT, show(MAGIC[15]), show(magic[15])));
        }
        let texts = bytes.get(ENTRY_BYTES as usize..).unwrap_or_default();
        let (manifest, texts) = split(texts, &rest[..8], "a manifest", MAX_MANIFEST_BYTES)?;
        let (schemas, rest) = split(texts, &rest[8..16], "a list of schemas", MAX_SCHEMAS_BYTES)?;
        // Zeros up to the next multiple of 8 are padding.
        if rest.iter().any(|byte| *byte != 0) {
            let found = format!("{} bytes that belong to neither", rest.len());
            return Err(Fault::new(WHAT, "a manifest and a list of schemas", found));
        }
        Ok(Self { address, manifest, schemas })
    }
}

/// Splits off a part, the length of which is the number in `len`.
fn split<'a>(
    bytes: &'a [u8],
    len: &[u8],
    what: &str,
    most: u64,
) -> Result<(&'a [u8], &'a [u8]), Fault> {
    let len = len.first_chunk().map_or(0, |len| u64::from_ne_bytes(*len));
    let fits = usize::try_from(len).ok().filter(|_| len <= most);
    fits.and_then(|len| bytes.split_at_checked(len)).ok_or_else(|| {
        let most = most.min(bytes.len() as u64);
        let expected = format!("{what} of at most {most} bytes");
        Fault::new("PLAYGROUND_MODULE", expected, format!("one of {len} bytes"))
    })
}

/// The loader adds nothing to an absolute address, and calls an indirect function for its address.
fn check_symbol(symbol: &Symbol) -> Result<(), Fault> {
    let section = symbol.st_shndx.get(object::NativeEndian);
    let found = match symbol.st_type() {
        format::STT_OBJECT if section.is_reserved() => "one without a section".into(),
        format::STT_OBJECT
            if ![format::STB_GLOBAL, format::STB_WEAK].contains(&symbol.st_bind()) =>
        {
            format!("a symbol of binding {}", symbol.st_bind().0)
        }
        format::STT_OBJECT => return Ok(()),
        kind => format!("a symbol of type {}", kind.0),
    };
    Err(Fault::new("PLAYGROUND_MODULE", "a static", found))
}
