//! Packs that were made by hand, each wrong in one way. All of them are refused before anything is
//! outside of the folder that they are unpacked to.

use std::fs;
use std::io::Cursor;
use std::path::PathBuf;

use super::*;
use crate::error::{ArchiveError, PackError};
use crate::limits::MAX_MANIFEST_BYTES;
use crate::manifest::{Hash, Manifest, tests::sample};
use crate::sign::{SignError, SigningKey, sign_pack};

/// The contents of the sample's files, in its order.
fn contents() -> [Vec<u8>; 5] {
    let texts: [&[u8]; 3] = [b"Do as you like.", b"size = 3\n", b"\x89PNG"];
    let [licence, wave, icon] = texts.map(<[u8]>::to_vec);
    [licence, wave, icon, vec![7; 5000], vec![8; 512]]
}

/// The sample, as the writer writes it.
pub(crate) fn packed(manifest: &Manifest, signature: Option<&str>) -> Vec<u8> {
    let mut writer = Writer::begin(Vec::new(), manifest, signature).unwrap();
    for content in contents() {
        writer.file(&content).unwrap();
    }
    writer.finish().unwrap()
}

/// The archive in a pack.
fn unpacked(pack: &[u8]) -> Vec<u8> {
    zstd::decode_all(pack).unwrap()
}

fn repacked(archive: &[u8]) -> Vec<u8> {
    zstd::encode_all(archive, 1).unwrap()
}

fn open(pack: &[u8]) -> Result<Reader<Cursor<&[u8]>>, PackError> {
    Reader::new(Cursor::new(pack), pack.len() as u64)
}

fn check(pack: &[u8]) -> Result<Manifest, PackError> {
    open(pack)?.check()
}

/// A folder of its own, removed at the end.
pub(crate) struct TestFolder(pub PathBuf);

impl TestFolder {
    pub fn new(name: &str) -> Self {
        let name = format!("playground-pack-{name}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).unwrap();
        entries.map(|it| it.unwrap().file_name().into_string().unwrap()).collect()
    }
}

impl Drop for TestFolder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_pack_is_read_as_it_was_written() {
    let manifest = sample();
    let pack = packed(&manifest, None);
    assert_eq!(pack, packed(&manifest, None), "the same input gives the same bytes");
    assert_eq!(check(&pack).unwrap(), manifest);
    assert!(!open(&pack).unwrap().is_signed());

    let folder = TestFolder::new("written");
    let into = folder.0.join("boss_wave");
    open(&pack).unwrap().unpack(&into).unwrap();
    for (file, content) in manifest.files.iter().zip(contents()) {
        assert_eq!(fs::read(into.join(&file.path)).unwrap(), content, "{}", file.path);
    }
    // Nothing is written over what is there.
    let error = open(&pack).unwrap().unpack(&into).unwrap_err();
    assert!(matches!(error, PackError::File { action: "create", .. }), "{error}");
}

#[test]
fn tar_reads_a_pack_too() {
    let pack = packed(&sample(), None);
    let archive = unpacked(&pack);
    let mut archive = tar::Archive::new(archive.as_slice());
    let entries = archive.entries().unwrap().map(|entry| entry.unwrap());
    let paths: Vec<String> =
        entries.map(|entry| entry.path().unwrap().to_str().unwrap().to_owned()).collect();
    let files = sample().files;
    let expected = std::iter::once("pack.toml").chain(files.iter().map(|it| it.path.as_str()));
    assert_eq!(paths, expected.collect::<Vec<_>>());
}

#[test]
fn a_writer_takes_only_what_the_manifest_lists() {
    let mut writer = Writer::begin(Vec::new(), &sample(), None).unwrap();
    assert_eq!(writer.next_file().unwrap().path, "LICENSE-MIT");
    let error = writer.file(b"Do as you lyke.").unwrap_err();
    assert!(matches!(error, PackError::Content { .. }), "{error}");
    let mut writer = Writer::begin(Vec::new(), &sample(), None).unwrap();
    writer.file(&contents()[0]).unwrap();
    let error = writer.finish().unwrap_err().to_string();
    assert!(error.contains("`assets/boss/wave.toml` is missing"), "{error}");
}

/// The archive's entries: header and content with padding.
fn entries(archive: &[u8]) -> Vec<Vec<u8>> {
    let mut entries = Vec::new();
    let mut at = 0;
    while archive[at..at + BLOCK] != [0; BLOCK] {
        let size = Header::from_byte_slice(&archive[at..at + BLOCK]).entry_size().unwrap();
        let end = at + BLOCK + size as usize + padding(size);
        entries.push(archive[at..end].to_vec());
        at = end;
    }
    entries
}

fn joined(entries: &[Vec<u8>]) -> Vec<u8> {
    let mut archive = entries.concat();
    archive.extend_from_slice(&[0; 2 * BLOCK]);
    archive
}

/// An entry of another kind than a file.
fn entry(kind: EntryType, path: &str, link: Option<&str>, content: &[u8]) -> Vec<u8> {
    let mut header = header("x", content.len() as u64).unwrap();
    let name = path.as_bytes();
    header.as_old_mut().name[..name.len()].copy_from_slice(name);
    header.set_entry_type(kind);
    if let Some(link) = link {
        header.set_link_name_literal(link).unwrap();
    }
    header.set_cksum();
    let mut entry = header.as_bytes().to_vec();
    entry.extend_from_slice(content);
    entry.extend(std::iter::repeat_n(0, padding(content.len() as u64)));
    entry
}

/// Index of `assets/boss/wave.toml` among the entries.
const WAVE: usize = 2;

#[test]
fn entries_in_another_form_are_refused() {
    let pack = packed(&sample(), None);
    let whole = entries(&unpacked(&pack));
    type Change = Box<dyn Fn(&mut Vec<Vec<u8>>)>;
    let replace = |with: Vec<u8>| -> Change { Box::new(move |it| it[WAVE] = with.clone()) };
    let insert = |with: Vec<u8>| -> Change { Box::new(move |it| it.insert(WAVE, with.clone())) };
    let header_of = |change: fn(&mut Header)| -> Change {
        Box::new(move |it| {
            let mut header = Header::from_byte_slice(&it[WAVE][..BLOCK]).clone();
            change(&mut header);
            header.set_cksum();
            it[WAVE][..BLOCK].copy_from_slice(header.as_bytes());
        })
    };
    let path = "assets/boss/wave.toml";
    let wave = contents()[1].clone();
    let cases: Vec<(Change, &str)> = vec![
        (replace(entry(EntryType::Symlink, path, Some("/etc/passwd"), b"")), "a symbolic link"),
        (replace(entry(EntryType::Link, path, Some("icon.png"), b"")), "a hard link"),
        (replace(entry(EntryType::Char, path, None, b"")), "a device"),
        (replace(entry(EntryType::Block, path, None, b"")), "a device"),
        (replace(entry(EntryType::Fifo, path, None, b"")), "a named pipe"),
        (insert(entry(EntryType::Directory, "assets/", None, b"")), "a folder `assets/`"),
        (insert(entry(EntryType::GNULongName, "././@LongLink", None, b"../x\0")), "a long name"),
        (insert(entry(EntryType::XHeader, "x", None, b"12 path=../x\n")), "an extended header"),
        (insert(entry(EntryType::XGlobalHeader, "x", None, b"12 path=../x\n")), "extended header"),
        (insert(entry(EntryType::GNUSparse, path, None, &wave)), "an entry of an unknown kind"),
        (insert(entry(EntryType::Continuous, path, None, &wave)), "an entry of an unknown kind"),
        (replace(entry(EntryType::Regular, "../x", None, &wave)), "a file `../x`"),
        (replace(entry(EntryType::Regular, "/etc/x", None, &wave)), "a file `/etc/x`"),
        (replace(entry(EntryType::Regular, "assets\\x", None, &wave)), r"a file `assets\\x`"),
        (replace(entry(EntryType::Regular, "\u{1b}[2J", None, &wave)), r"a file `\u{1b}[2J`"),
        (replace(entry(EntryType::Regular, path, None, b"size = 33\n")), "of 10 bytes"),
        (insert(entry(EntryType::Regular, "assets/boss/a", None, &wave)), "a file `assets/boss/a`"),
        (Box::new(|it| it.swap(WAVE, WAVE + 1)), "entry 3 is a file `icon.png`"),
        (Box::new(|it| _ = it.remove(WAVE)), "entry 3 is a file `icon.png`"),
        (Box::new(|it| it.insert(WAVE, it[WAVE].clone())), "entry 4 is a file `assets/boss/wave"),
        (Box::new(|it| it.truncate(3)), "entry 4 is the archive's end"),
        (Box::new(|it| it.push(it[WAVE].clone())), "more after the last file: another entry"),
        (header_of(|header| header.set_mode(0o4755)), "entry 3 is a file"),
        (header_of(|header| header.set_uid(1)), "entry 3 is a file"),
        (header_of(|header| header.set_mtime(1)), "entry 3 is a file"),
        (header_of(|header| header.set_size(8)), "of 8 bytes"),
        (header_of(|header| header.set_size(u64::MAX)), "entry 3 is a file"),
        (header_of(|header| header.as_old_mut().size = [b'z'; 12]), "without a size"),
        (Box::new(|it| it[WAVE][150] ^= 1), "entry 3 is a file"),
        (Box::new(|it| *it[WAVE].last_mut().unwrap() = 1), "the padding after `assets/boss/wave"),
        (Box::new(|it| it[WAVE][BLOCK] ^= 1), "`assets/boss/wave.toml` has other content"),
        (Box::new(|it| _ = it.remove(0)), "entry 1 is a file `LICENSE-MIT`"),
        (Box::new(|it| it.insert(0, it[0].clone())), "entry 2 is a file `pack.toml`"),
        (Box::new(|it| it.clear()), "entry 1 is the archive's end"),
    ];
    let folder = TestFolder::new("forms");
    for (change, expected) in cases {
        let mut changed = whole.clone();
        change(&mut changed);
        let pack = repacked(&joined(&changed));
        let error = check(&pack).expect_err(expected).to_string();
        assert!(error.contains(expected), "{error}\ninstead of\n{expected}");
        let into = folder.0.join("in");
        open(&pack).and_then(|reader| reader.unpack(&into)).expect_err(expected);
        let _ = fs::remove_dir_all(&into);
        assert!(folder.names().is_empty(), "{expected}: {:?}", folder.names());
    }
    assert_eq!(check(&repacked(&joined(&whole))).unwrap(), sample());
}

#[test]
fn what_is_cut_off_or_has_more_behind_it_is_refused() {
    let pack = packed(&sample(), None);
    for length in (0..pack.len()).step_by(7) {
        let error = check(&pack[..length]).expect_err("a pack that is cut off");
        assert!(is_no_pack(&error), "{length}: {error}");
    }
    let archive = unpacked(&pack);
    for length in (0..archive.len()).step_by(97) {
        let error = check(&repacked(&archive[..length])).expect_err("an archive that is cut off");
        assert!(matches!(error, PackError::Archive(_)), "{length}: {error}");
    }
    let more = |expected: &'static str, bytes: Vec<u8>| {
        let error = check(&bytes).expect_err(expected);
        assert!(
            matches!(&error, PackError::Archive(ArchiveError::More(it)) if *it == expected),
            "{error}"
        );
    };
    more("bytes behind the compressed data", [&pack[..], b"x"].concat());
    // A second frame, which zstd would read as a continuation.
    more("bytes behind the compressed data", [&pack[..], &repacked(b"x")].concat());
    more("bytes behind the archive's end", repacked(&[&archive[..], b"x"].concat()));
    more("bytes behind the archive's end", repacked(&[&archive[..], &[0; BLOCK]].concat()));
}

fn is_no_pack(error: &PackError) -> bool {
    matches!(error, PackError::Compression { .. } | PackError::Archive(_))
}

#[test]
fn other_data_is_no_pack() {
    for data in [&b""[..], b"PK\x03\x04", b"\x1f\x8b\x08", &[0; 4096], b"\x28\xb5\x2f\xfd"] {
        let error = check(data).expect_err("no pack");
        assert!(is_no_pack(&error), "{error}");
    }
    let error = check(&repacked(b"text")).unwrap_err();
    assert!(matches!(error, PackError::Archive(_)), "{error}");
}

#[test]
fn damaged_packs_are_refused_or_are_the_same() {
    let pack = packed(&sample(), None);
    let manifest = sample();
    for at in 0..pack.len() {
        for bit in [0, 3, 7] {
            let mut damaged = pack.clone();
            damaged[at] ^= 1 << bit;
            if let Ok(read) = check(&damaged) {
                assert_eq!(read, manifest, "byte {at}, bit {bit}");
            }
        }
    }
}

/// A pack that is small and unpacks to `size` bytes of zeros.
fn bomb(size: usize) -> Vec<u8> {
    let mut manifest = sample();
    let zeros = vec![0; size];
    let file = &mut manifest.files[1];
    (file.size, file.blake3) = (size as u64, Hash::of(&zeros));
    let mut writer = Writer::begin(Vec::new(), &manifest, None).unwrap();
    let [licence, _, icon, palette, boss] = contents();
    for content in [licence, zeros, icon, palette, boss] {
        writer.file(&content).unwrap();
    }
    writer.finish().unwrap()
}

#[test]
fn what_is_no_file_is_not_opened() {
    let folder = TestFolder::new("pipe");
    let pipe = folder.0.join("x.pgpack");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for path in [&pipe, &folder.0] {
        let error = Reader::open(path).err().expect("no file").to_string();
        assert!(error.contains("not a regular file"), "{error}");
    }
}

#[test]
fn bombs_are_refused_before_they_are_unpacked() {
    // Not worth refusing.
    assert!(check(&bomb(4 << 20)).is_ok());
    let error = open(&bomb(64 << 20)).err().expect("a bomb");
    assert!(matches!(error, PackError::TooLarge { what: "the unpacked pack", .. }), "{error}");

    let endless =
        entry(EntryType::Regular, "pack.toml", None, &vec![b' '; MAX_MANIFEST_BYTES as usize + 1]);
    let error = check(&repacked(&joined(&[endless]))).unwrap_err();
    assert!(matches!(error, PackError::TooLarge { what: "pack.toml", .. }), "{error}");

    let error = Reader::new(Cursor::new(&[]), u64::MAX).err().expect("a huge pack");
    assert!(matches!(error, PackError::TooLarge { what: "the pack", .. }), "{error}");
}

#[test]
fn a_frame_that_needs_a_huge_window_is_refused() {
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(30).unwrap();
    std::io::Write::write_all(&mut encoder, &unpacked(&packed(&sample(), None))).unwrap();
    let error = check(&encoder.finish().unwrap()).unwrap_err();
    assert!(matches!(error, PackError::Compression { .. }), "{error}");
}

#[test]
fn what_lies_is_found_out() {
    let mut manifest = sample();
    let whole = entries(&unpacked(&packed(&manifest, None)));
    let with = |manifest: &Manifest| {
        let text = manifest.render().unwrap();
        let mut changed = whole.clone();
        changed[0] = entry(EntryType::Regular, "pack.toml", None, text.as_bytes());
        check(&repacked(&joined(&changed)))
    };
    manifest.files[1].size = 10;
    assert!(matches!(with(&manifest).unwrap_err(), PackError::Archive(_)));
    manifest = sample();
    manifest.files[1].blake3 = Hash::of(b"other");
    assert!(matches!(with(&manifest).unwrap_err(), PackError::Content { .. }));
    manifest = sample();
    manifest.files.remove(2);
    assert!(matches!(with(&manifest).unwrap_err(), PackError::Archive(_)));
    assert_eq!(with(&sample()).unwrap(), sample());
}

struct Keys {
    folder: TestFolder,
}

impl Keys {
    fn new(name: &str) -> Self {
        Self { folder: TestFolder::new(name) }
    }

    fn key(&self, name: &str) -> SigningKey {
        let path = self.folder.0.join(name);
        if !path.exists() {
            SigningKey::create(&path, "").unwrap();
        }
        SigningKey::read(&path, || panic!("a password is asked for")).unwrap()
    }

    fn signed(&self, name: &str, mut manifest: Manifest) -> (Manifest, String) {
        let signature = self.key(name).sign(&mut manifest, "Somebody").unwrap();
        (manifest, signature)
    }
}

#[test]
fn a_signed_pack_has_the_publisher_of_its_key() {
    let keys = Keys::new("signed");
    let (manifest, signature) = keys.signed("a", sample());
    let pack = packed(&manifest, Some(&signature));
    let reader = open(&pack).unwrap();
    assert!(reader.is_signed());
    let publisher = reader.manifest().publisher.clone().unwrap();
    assert_eq!(publisher.name, "Somebody");
    let public = fs::read_to_string(keys.folder.0.join("a.pub")).unwrap();
    assert!(public.contains(&publisher.key) && public.contains(&publisher.key_id().unwrap()));
    assert_eq!(reader.check().unwrap(), manifest);
}

#[test]
fn a_pack_is_signed_once_it_is_built_and_again_by_another_key() {
    let keys = Keys::new("later");
    let pack = packed(&sample(), None);
    let sign = |pack: &[u8], key: &str| {
        let reader = open(pack).unwrap();
        sign_pack(reader, &keys.key(key), "Somebody", Vec::new()).unwrap()
    };
    let (manifest, signed) = sign(&pack, "a");
    assert_eq!(check(&signed).unwrap(), manifest);
    assert_eq!(Manifest { publisher: None, ..manifest.clone() }, sample());
    let (other, signed) = sign(&signed, "b");
    assert_eq!(check(&signed).unwrap(), other);
    assert_ne!(other.publisher, manifest.publisher);
    let mut damaged = entries(&unpacked(&pack));
    damaged[WAVE][BLOCK] ^= 1;
    let damaged = repacked(&joined(&damaged));
    let error = sign_pack(open(&damaged).unwrap(), &keys.key("a"), "Somebody", Vec::new());
    assert!(matches!(error, Err(PackError::Content { .. })), "a damaged pack was signed");
    let error = sign_pack(open(&pack).unwrap(), &keys.key("a"), "\n", Vec::new());
    assert!(matches!(error, Err(PackError::Signature(_))), "a name of no letters");
}

#[test]
fn wrong_signatures_are_refused() {
    let keys = Keys::new("wrong");
    let (manifest, signature) = keys.signed("a", sample());
    let (older, of_older) =
        keys.signed("a", Manifest { version: semver::Version::new(1, 1, 0), ..sample() });
    let (_, of_other_key) = keys.signed("b", sample());
    let refused = |manifest: &Manifest, signature: Option<&str>| {
        let error = check(&packed(manifest, signature)).expect_err("a wrong signature");
        match error {
            PackError::Signature(error) => error,
            other => panic!("{other}"),
        }
    };
    for (manifest, signature, expected) in [
        (&manifest, None, "names a publisher"),
        (&sample(), Some(signature.as_str()), "names no publisher"),
        (&older, Some(&signature), "is wrong"),
        (&manifest, Some(&of_older), "is wrong"),
        (&manifest, Some(&of_other_key), "is wrong"),
        (&manifest, Some("untrusted comment: x\nRW\n"), "not one of minisign's"),
        (&manifest, Some(""), "not one of minisign's"),
        (&manifest, Some(&signature.replace("1.2.0", "1.3.0")), "is wrong"),
    ] {
        let error = refused(manifest, signature).to_string();
        assert!(error.contains(expected), "{error}\ninstead of\n{expected}");
    }
    // Everything in the manifest is bound, as is the content through its hashes.
    let mut changed = manifest.clone();
    changed.targets[0].abi = "ffff".to_owned();
    assert!(matches!(refused(&changed, Some(&signature)), SignError::Wrong { .. }));
    changed.publisher.as_mut().unwrap().key = "no key".to_owned();
    assert!(matches!(refused(&changed, Some(&signature)), SignError::NotAKey { .. }));
}

#[test]
fn an_encrypted_key_needs_its_password() {
    let folder = TestFolder::new("password");
    let path = folder.0.join("key");
    SigningKey::create(&path, "open").unwrap();
    let with = |password: &str| SigningKey::read(&path, || Ok(password.to_owned()));
    assert!(with("open").is_ok());
    let error = with("shut").err().expect("a wrong password");
    assert!(error.to_string().contains("password"), "{error}");
    // It is never overwritten, and gets no public key of another one.
    let public = path.with_extension("pub");
    let text = fs::read_to_string(&public).unwrap();
    fs::remove_file(&public).unwrap();
    let error = SigningKey::create(&path, "").unwrap_err();
    assert!(matches!(error, SignError::SecretKey { .. }), "{error}");
    assert!(with("open").is_ok() && !public.exists());
    fs::write(&public, text).unwrap();
    fs::remove_file(&path).unwrap();
    assert!(SigningKey::create(&path, "").is_err() && !path.exists());
    fs::write(&path, "no key").unwrap();
    assert!(with("open").is_err());
}
