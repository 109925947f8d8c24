//! Reads packs from arbitrary bytes: as they are, as an archive that is compressed first, as a
//! manifest with files, and as a pack in which a few bytes are changed.

#![no_main]

use arbitrary::{Arbitrary, Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use playground_fuzz::packs::{archive, manifest};
use playground_pack::path::{self, Paths};
use playground_pack::{Contents, File, Manifest, PackError, Reader};

fuzz_target!(|bytes: &[u8]| {
    let _ = read(bytes);
    let compressed = zstd::encode_all(bytes, 1).expect("memory is written");
    let _ = read(&compressed);
    if let Ok(manifest) = Manifest::parse(bytes) {
        check(&manifest);
    }
    let _ = changed(&mut Unstructured::new(bytes));
});

/// A pack that was changed is refused, or is still the same.
fn changed(u: &mut Unstructured<'_>) -> Result<()> {
    let mut archive = archive().to_vec();
    for _ in 0..u.int_in_range(0..=4)? {
        let at = u.choose_index(archive.len())?;
        archive[at] = u8::arbitrary(u)?;
    }
    if u.arbitrary()? {
        archive.truncate(u.choose_index(archive.len())?);
    }
    if let Ok(read) = read(&zstd::encode_all(archive.as_slice(), 1).expect("memory is written")) {
        // The only bytes that nothing covers are those of the unsigned manifest.
        assert_eq!(read.files, manifest().files);
    }
    Ok(())
}

fn read(bytes: &[u8]) -> std::result::Result<Manifest, PackError> {
    /// Counts what it gets.
    struct Counted(u64);
    impl Contents for Counted {
        fn begin(&mut self, file: &File) -> std::result::Result<(), PackError> {
            path::check(&file.path).expect("a checked path");
            self.0 = file.size;
            Ok(())
        }
        fn bytes(&mut self, bytes: &[u8]) -> std::result::Result<(), PackError> {
            self.0 = self.0.checked_sub(bytes.len() as u64).expect("no more than the size");
            Ok(())
        }
        fn end(&mut self) -> std::result::Result<(), PackError> {
            assert_eq!(self.0, 0, "all of it");
            Ok(())
        }
    }
    let read = Reader::new(bytes, bytes.len() as u64).and_then(|it| it.read(&mut Counted(0)));
    match &read {
        Ok(manifest) => check(manifest),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    read
}

/// A manifest that is accepted can be written, and all of its paths are within its folder.
fn check(manifest: &Manifest) {
    let text = manifest.render().expect("a checked manifest");
    assert_eq!(Manifest::parse(text.as_bytes()).expect("what was written"), *manifest);
    let mut paths = Paths::default();
    for file in &manifest.files {
        paths.add(&file.path).expect("a checked path");
        let names = std::path::Path::new(&file.path).components();
        assert!(names.into_iter().all(|it| matches!(it, std::path::Component::Normal(_))));
    }
}
