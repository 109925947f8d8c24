//! minisign signatures over the manifest. The manifest lists the hash of every file, so the
//! signature covers the whole pack.

use std::fs::{self, OpenOptions};
use std::io::{self, BufRead, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use minisign::{KeyPair, SecretKeyBox};
use minisign_verify::{PublicKey, Signature};
use thiserror::Error;

use crate::archive::{Contents, Reader, Writer};
use crate::error::PackError;
use crate::manifest::{File, Manifest, ManifestError, Publisher};

/// Why a pack's signature is refused, or a pack cannot be signed.
#[derive(Debug, Error)]
pub enum SignError {
    /// The signature is not one of minisign's.
    #[error("the pack's signature is not one of minisign's")]
    NotASignature,
    /// The publisher's key is not one of minisign's.
    #[error("the publisher's key {key:?} is not a public key of minisign")]
    NotAKey {
        /// The key in the manifest.
        key: String,
    },
    /// The signature is not that of the publisher's key over this manifest.
    #[error("the pack's signature is wrong: {reason}")]
    Wrong {
        /// The fault.
        reason: String,
    },
    /// The secret key's file cannot be used.
    #[error("{}: {reason}", path.display())]
    SecretKey {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The manifest breaks a rule of the format.
    #[error("{0}")]
    Manifest(#[from] ManifestError),
}

/// The text that the signature binds beside the manifest, for those who check it with minisign.
pub fn trusted_comment(manifest: &Manifest) -> String {
    let targets: Vec<&str> = manifest.targets.iter().map(|it| it.triple.as_str()).collect();
    format!("pack {} {} for {}", manifest.id, manifest.version, targets.join(" "))
}

/// Checks the signature of a manifest with this text. A pack without a publisher and a signature
/// passes: whether it is accepted is another question.
///
/// # Errors
///
/// If there is a publisher and no signature, or the reverse; if the signature is not that of the
/// publisher's key.
pub(crate) fn verify(
    manifest: &Manifest,
    text: &[u8],
    signature: Option<&str>,
) -> Result<(), SignError> {
    let wrong = |reason: &str| SignError::Wrong { reason: reason.to_owned() };
    let (publisher, signature) = match (&manifest.publisher, signature) {
        (None, None) => return Ok(()),
        (Some(_), None) => return Err(wrong("the manifest names a publisher, and none is there")),
        (None, Some(_)) => return Err(wrong("the manifest names no publisher")),
        (Some(publisher), Some(signature)) => (publisher, signature),
    };
    let not_a_key = |_| SignError::NotAKey { key: publisher.key.clone() };
    let key = PublicKey::from_base64(&publisher.key).map_err(not_a_key)?;
    let signature = Signature::decode(signature).map_err(|_| SignError::NotASignature)?;
    key.verify(text, &signature, false).map_err(|error| wrong(&error.to_string()))?;
    let expected = trusted_comment(manifest);
    if signature.trusted_comment() != expected {
        let found = signature.trusted_comment().escape_debug();
        return Err(wrong(&format!("it is for `{found}`, and this is `{expected}`")));
    }
    Ok(())
}

/// A key that signs packs.
pub struct SigningKey {
    pair: KeyPair,
}

impl SigningKey {
    /// Makes a new key. Writes the secret key to a new file that only its owner can read, and the
    /// public key to `FILE.pub`, as minisign does. An empty password leaves the secret key
    /// unencrypted. Returns the public key in base64.
    ///
    /// # Errors
    ///
    /// If one of the files exists or cannot be written, or the operating system gives no random
    /// numbers.
    pub fn create(path: &Path, password: &str) -> Result<String, SignError> {
        let failed =
            |path: &Path, reason: String| SignError::SecretKey { path: path.into(), reason };
        let of_minisign = |error: minisign::PError| failed(path, error.to_string());
        let pair = match password {
            "" => KeyPair::generate_unencrypted_keypair(),
            password => KeyPair::generate_encrypted_keypair(Some(password.to_owned())),
        };
        let pair = pair.map_err(of_minisign)?;
        let secret = pair.sk.to_box(Some("secret key for packs")).map_err(of_minisign)?;
        let public = pair.pk.to_box().map_err(of_minisign)?;
        let public_path = public_path(path);
        // Both before either is written: half a pair would look like the other half of an old one.
        for path in [path, &public_path] {
            if fs::symlink_metadata(path).is_ok() {
                return Err(failed(path, "it exists, and is not replaced".to_owned()));
            }
        }
        for (path, text, mode) in [
            (path, secret.into_string(), 0o600),
            (public_path.as_path(), public.into_string(), 0o644),
        ] {
            let opened = OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
            let written = opened.and_then(|mut file| file.write_all(text.as_bytes()));
            written.map_err(|error| failed(path, error.to_string()))?;
        }
        Ok(pair.pk.to_base64())
    }

    /// Reads a secret key of minisign's; calls `password` if it is encrypted.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, is no secret key, or has another password.
    pub fn read(
        path: &Path,
        password: impl FnOnce() -> io::Result<String>,
    ) -> Result<Self, SignError> {
        let failed = |reason: String| SignError::SecretKey { path: path.into(), reason };
        let text = fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
        let parse = || SecretKeyBox::from_string(&text);
        // minisign tells only by the attempt whether a key is encrypted.
        let plain = parse().and_then(SecretKeyBox::into_unencrypted_secret_key);
        let secret = match plain {
            Ok(secret) => secret,
            Err(error) if is_encrypted(&error) => {
                let password = password().map_err(|error| failed(error.to_string()))?;
                let opened = parse().and_then(|it| it.into_secret_key(Some(password)));
                opened.map_err(|error| failed(error.to_string()))?
            }
            Err(error) => return Err(failed(format!("it is no secret key of minisign: {error}"))),
        };
        let public = minisign::PublicKey::from_secret_key(&secret);
        let pk = public.map_err(|error| failed(error.to_string()))?;
        Ok(Self { pair: KeyPair { pk, sk: secret } })
    }

    /// Makes the key's owner the publisher of a manifest; returns the signature of its text.
    ///
    /// # Errors
    ///
    /// If the manifest breaks a rule of the format.
    pub fn sign(&self, manifest: &mut Manifest, name: &str) -> Result<String, SignError> {
        let key = self.pair.pk.to_base64();
        manifest.publisher = Some(Publisher { name: name.to_owned(), key });
        let text = manifest.render()?;
        let comment = trusted_comment(manifest);
        let (pk, sk) = (Some(&self.pair.pk), &self.pair.sk);
        let signed =
            minisign::sign(pk, sk, text.as_bytes(), Some(&comment), Some("a pack's manifest"));
        let signed = signed.map_err(|error| SignError::Wrong { reason: error.to_string() })?;
        Ok(signed.into_string())
    }
}

/// Writes a pack once more, with a signature in place of the one that it may have.
///
/// # Errors
///
/// If the pack is refused, the name breaks a rule of the format, or `out` fails.
pub fn sign_pack<R: BufRead, W: Write>(
    pack: Reader<R>,
    key: &SigningKey,
    name: &str,
    out: W,
) -> Result<(Manifest, W), PackError> {
    /// Writes each file once it is complete.
    struct Copied<W: Write> {
        writer: Writer<W>,
        content: Vec<u8>,
    }
    impl<W: Write> Contents for Copied<W> {
        fn begin(&mut self, _: &File) -> Result<(), PackError> {
            self.content.clear();
            Ok(())
        }
        fn bytes(&mut self, bytes: &[u8]) -> Result<(), PackError> {
            self.content.extend_from_slice(bytes);
            Ok(())
        }
        fn end(&mut self) -> Result<(), PackError> {
            self.writer.file(&self.content)
        }
    }
    let mut manifest = pack.manifest().clone();
    let signature = key.sign(&mut manifest, name)?;
    let writer = Writer::begin(out, &manifest, Some(&signature))?;
    let mut copied = Copied { writer, content: Vec::new() };
    pack.read(&mut copied)?;
    Ok((manifest, copied.writer.finish()?))
}

fn is_encrypted(error: &minisign::PError) -> bool {
    error.to_string().contains("encrypted")
}

fn public_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".pub");
    name.into()
}

impl Publisher {
    /// The short id of the key, as minisign prints it: 16 hex digits. `None` if the key is not one
    /// of minisign's.
    pub fn key_id(&self) -> Option<String> {
        let key = minisign::PublicKey::from_base64(&self.key).ok()?;
        let bytes: [u8; 8] = key.keynum().try_into().ok()?;
        Some(format!("{:016X}", u64::from_le_bytes(bytes)))
    }
}
