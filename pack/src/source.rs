//! A pack's folder, as its author keeps it: `pack.toml`, texts, an icon and assets. The modules are
//! named in `pack.toml`, and are built from their own folders.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use semver::{Version, VersionReq};
use serde::Deserialize;
use thiserror::Error;

use crate::error::PackError;
use crate::limits::MAX_FILE_BYTES;
use crate::manifest::{
    FORMAT, File, Hash, Kind, MANIFEST, Manifest, Module, Target, has_place, library_path,
};

/// The author's `pack.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// See [`Manifest::id`].
    pub id: String,
    /// See [`Manifest::version`].
    pub version: Version,
    /// See [`Manifest::title`].
    pub title: String,
    /// See [`Manifest::authors`].
    #[serde(default)]
    pub authors: Vec<String>,
    /// See [`Manifest::licence`].
    pub licence: String,
    /// See [`Manifest::description`].
    #[serde(default)]
    pub description: String,
    /// See [`Manifest::host`].
    pub host: VersionReq,
    /// See [`Manifest::api`].
    pub api: VersionReq,
    /// The package names of its modules.
    pub modules: BTreeSet<String>,
    /// Relations that a module's own manifest has no place for, by module.
    #[serde(default)]
    pub relations: BTreeMap<String, Relations>,
}

/// Relations of a module to others.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Relations {
    /// See [`Module::optional`].
    #[serde(default)]
    pub optional: BTreeMap<String, VersionReq>,
    /// See [`Module::conflicts`].
    #[serde(default)]
    pub conflicts: BTreeMap<String, VersionReq>,
    /// See [`Module::after`].
    #[serde(default)]
    pub after: BTreeSet<String>,
    /// See [`Module::before`].
    #[serde(default)]
    pub before: BTreeSet<String>,
}

/// A module that was built for a target.
#[derive(Clone, Debug)]
pub struct Library {
    /// Its package name.
    pub module: String,
    /// The version of its package.
    pub version: Version,
    /// Modules that it requires.
    pub requires: BTreeMap<String, VersionReq>,
    /// The target.
    pub target: Target,
    /// The shared library.
    pub bytes: Vec<u8>,
}

/// Why a pack's folder cannot be packed.
#[derive(Debug, Error)]
pub enum SourceError {
    /// A file or folder cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The author's `pack.toml` is not valid.
    #[error("{}: {}", path.display(), error.to_string().trim_end())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// The error.
        error: Box<toml::de::Error>,
    },
    /// A file that is neither regular nor a folder.
    #[error("{} is {what}, and a pack has only files", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
        /// The kind of file, for example a link.
        what: &'static str,
    },
    /// Relations of a module that is not among `modules`.
    #[error("`relations.{module}` is there, and `{module}` is not among `modules`")]
    NoModule {
        /// The module.
        module: String,
    },
    /// A file that is too large.
    #[error("{} has {found} bytes, and at most {limit} are allowed", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size in bytes.
        found: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// A library that is not among `modules`, or versions of a module that differ between targets.
    #[error("module `{module}` {problem}")]
    Library {
        /// The module.
        module: String,
        /// The fault.
        problem: String,
    },
}

/// A pack's manifest, and the sources of its files.
#[derive(Debug)]
pub struct Draft {
    /// The manifest, not signed.
    pub manifest: Manifest,
    /// The content of each file, by path.
    contents: BTreeMap<String, Content>,
}

#[derive(Debug)]
enum Content {
    Bytes(Vec<u8>),
    OnDisk(PathBuf),
}

impl Source {
    /// Reads the `pack.toml` of a folder.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or is not valid.
    pub fn read(folder: &Path) -> Result<Self, SourceError> {
        let path = folder.join(MANIFEST);
        let text = fs::read_to_string(&path)
            .map_err(|source| SourceError::Unreadable { path: path.clone(), source })?;
        let source: Self = toml::from_str(&text)
            .map_err(|error| SourceError::Invalid { path, error: Box::new(error) })?;
        match source.relations.keys().find(|module| !source.modules.contains(*module)) {
            Some(module) => Err(SourceError::NoModule { module: module.clone() }),
            None => Ok(source),
        }
    }

    /// Puts the folder's files and the libraries together.
    ///
    /// # Errors
    ///
    /// If a file cannot be read, or a library does not belong to the pack.
    pub fn draft(self, folder: &Path, libraries: Vec<Library>) -> Result<Draft, SourceError> {
        let mut contents = BTreeMap::new();
        for (path, on_disk) in files(folder)? {
            contents.insert(path, Content::OnDisk(on_disk));
        }
        let mut modules: BTreeMap<String, Module> = BTreeMap::new();
        let mut targets: BTreeMap<String, Target> = BTreeMap::new();
        for library in libraries {
            let wrong =
                |problem: String| SourceError::Library { module: library.module.clone(), problem };
            if !self.modules.contains(&library.module) {
                return Err(wrong("is not among `modules`".to_owned()));
            }
            let module = self.module(&library).ok_or_else(|| {
                wrong("has a name that does not begin with the kind of a module".to_owned())
            })?;
            let target = library.target;
            match modules.insert(library.module.clone(), module) {
                Some(other) if other.version != library.version => {
                    let (one, two) = (&other.version, &library.version);
                    return Err(wrong(format!(
                        "has version {one} for one target and {two} for another"
                    )));
                }
                _ => {}
            }
            contents.insert(
                library_path(&target.triple, &library.module),
                Content::Bytes(library.bytes),
            );
            targets.insert(target.triple.clone(), target);
        }
        if let Some(module) = self.modules.iter().find(|module| !modules.contains_key(*module)) {
            let (module, problem) = (module.clone(), "was not built".to_owned());
            return Err(SourceError::Library { module, problem });
        }
        let mut files = Vec::new();
        for (path, content) in &contents {
            let (size, blake3) = content.measure()?;
            files.push(File { path: path.clone(), size, blake3 });
        }
        let manifest = Manifest {
            format: FORMAT,
            id: self.id,
            version: self.version,
            title: self.title,
            authors: self.authors,
            licence: self.licence,
            description: self.description,
            host: self.host,
            api: self.api,
            publisher: None,
            targets: targets.into_values().collect(),
            modules: modules.into_values().collect(),
            files,
        };
        Ok(Draft { manifest, contents })
    }

    fn module(&self, library: &Library) -> Option<Module> {
        let relations = self.relations.get(&library.module).cloned().unwrap_or_default();
        Some(Module {
            id: library.module.clone(),
            kind: Kind::of_name(&library.module)?,
            version: library.version.clone(),
            requires: library.requires.clone(),
            optional: relations.optional,
            conflicts: relations.conflicts,
            after: relations.after,
            before: relations.before,
        })
    }
}

impl Draft {
    /// Writes the pack.
    ///
    /// # Errors
    ///
    /// If the manifest breaks a rule of the format, a file was changed meanwhile, or `out` fails.
    pub fn write<W: io::Write>(&self, out: W) -> Result<W, PackError> {
        let mut writer = crate::Writer::begin(out, &self.manifest, None)?;
        while let Some(path) = writer.next_file().map(|file| file.path.clone()) {
            match self.contents.get(&path) {
                Some(Content::Bytes(bytes)) => writer.file(bytes)?,
                Some(Content::OnDisk(on_disk)) => {
                    let bytes = fs::read(on_disk).map_err(PackError::file("read", on_disk))?;
                    writer.file(&bytes)?;
                }
                None => return Err(crate::ArchiveError::Missing(path).into()),
            }
        }
        writer.finish()
    }
}

impl Draft {
    /// Writes all files and the manifest to a folder, in place of a packed file.
    ///
    /// # Errors
    ///
    /// If the manifest breaks a rule of the format, or a file cannot be read or written.
    pub fn unpack(&self, folder: &Path) -> Result<(), PackError> {
        let text = self.manifest.render()?;
        let contents = self.contents.iter().map(|(path, content)| (path.as_str(), content));
        let manifest = Content::Bytes(text.into_bytes());
        for (path, content) in contents.chain([(MANIFEST, &manifest)]) {
            let path = folder.join(path);
            let parent = path.parent().unwrap_or(folder);
            fs::create_dir_all(parent).map_err(PackError::file("create", parent))?;
            match content {
                Content::Bytes(bytes) => fs::write(&path, bytes),
                Content::OnDisk(on_disk) => fs::copy(on_disk, &path).map(|_| ()),
            }
            .map_err(PackError::file("write", &path))?;
        }
        Ok(())
    }
}

impl Content {
    fn measure(&self) -> Result<(u64, Hash), SourceError> {
        match self {
            Self::Bytes(bytes) => Ok((bytes.len() as u64, Hash::of(bytes))),
            Self::OnDisk(path) => {
                let unreadable = |source| SourceError::Unreadable { path: path.clone(), source };
                let found = fs::metadata(path).map_err(unreadable)?.len();
                if found > MAX_FILE_BYTES {
                    let (path, limit) = (path.clone(), MAX_FILE_BYTES);
                    return Err(SourceError::TooLarge { path, found, limit });
                }
                let bytes = fs::read(path).map_err(unreadable)?;
                Ok((bytes.len() as u64, Hash::of(&bytes)))
            }
        }
    }
}

/// The files of a pack's folder that are packed, by their path in the pack.
fn files(folder: &Path) -> Result<BTreeMap<String, PathBuf>, SourceError> {
    let mut found = BTreeMap::new();
    let mut open = vec![(String::new(), folder.to_owned())];
    while let Some((prefix, folder)) = open.pop() {
        let unreadable = |source| SourceError::Unreadable { path: folder.clone(), source };
        for entry in fs::read_dir(&folder).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let name = entry.file_name();
            // The rules of the format refuse it later.
            let name = name.to_string_lossy();
            let (path, on_disk) = (format!("{prefix}{name}"), entry.path());
            let kind = entry.file_type().map_err(unreadable)?;
            let is_inside =
                ["assets", "licences"].contains(&path.split('/').next().unwrap_or_default());
            if kind.is_dir() && is_inside {
                open.push((format!("{path}/"), on_disk));
            } else if (is_inside || has_place(&path)) && !kind.is_dir() {
                if !kind.is_file() {
                    let what = if kind.is_symlink() { "a link" } else { "no regular file" };
                    return Err(SourceError::NotAFile { path: on_disk, what });
                }
                found.insert(path, on_disk);
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::Reader;
    use crate::archive::tests::TestFolder;

    const TRIPLE: &str = "x86_64-unknown-linux-gnu";

    const TEXT: &str = r#"
id = "boss_wave"
version = "0.1.0"
title = "Boss wave"
licence = "MIT"
host = "^0.1"
api = "^0.1"
modules = ["systems_boss", "core_boss"]

[relations.systems_boss]
after = ["systems_combat"]
conflicts = { plugins_calm = "*" }
"#;

    fn library(module: &str) -> Library {
        Library {
            module: module.to_owned(),
            version: Version::new(0, 2, 0),
            requires: BTreeMap::from([("core_arena".to_owned(), VersionReq::STAR)]),
            target: Target { triple: TRIPLE.to_owned(), abi: "0a".to_owned() },
            bytes: module.as_bytes().to_vec(),
        }
    }

    fn write(folder: &Path, path: &str, text: &str) {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn a_folder_is_packed_with_its_modules() {
        let test = TestFolder::new("source");
        let folder = test.0.join("boss");
        for (path, text) in [
            ("pack.toml", TEXT),
            ("README.md", "# Boss"),
            ("LICENSE-MIT", "MIT"),
            ("assets/boss/wave.toml", "size = 1"),
            ("licences/font/OFL.txt", "OFL"),
            // What has no place in a pack stays out.
            ("notes.txt", "x"),
            ("target/x", "x"),
            ("docs/README.md", "x"),
        ] {
            write(&folder, path, text);
        }
        let libraries = || vec![library("systems_boss"), library("core_boss")];
        let draft = || Source::read(&folder).unwrap().draft(&folder, libraries()).unwrap();
        let pack = draft().write(Vec::new()).unwrap();
        assert_eq!(pack, draft().write(Vec::new()).unwrap());
        let reader = Reader::new(pack.as_slice(), pack.len() as u64).unwrap();
        let manifest = reader.check().unwrap();
        let paths: Vec<&str> = manifest.files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(
            paths,
            [
                "LICENSE-MIT",
                "README.md",
                "assets/boss/wave.toml",
                "licences/font/OFL.txt",
                "targets/x86_64-unknown-linux-gnu/libcore_boss.so",
                "targets/x86_64-unknown-linux-gnu/libsystems_boss.so",
            ]
        );
        assert_eq!(manifest.modules[1].version, Version::new(0, 2, 0));
        assert!(manifest.modules[1].after.contains("systems_combat"));
        assert!(manifest.modules[1].conflicts.contains_key("plugins_calm"));
        assert!(manifest.modules[0].after.is_empty());
    }

    #[test]
    fn what_cannot_be_packed_is_named() {
        let test = TestFolder::new("refused");
        let refused = |name: &str, make: &dyn Fn(&Path), libraries: Vec<Library>| {
            let folder = test.0.join(name);
            fs::create_dir(&folder).unwrap();
            fs::write(folder.join("pack.toml"), TEXT).unwrap();
            make(&folder);
            let packed = Source::read(&folder)
                .and_then(|source| source.draft(&folder, libraries))
                .map_err(|error| error.to_string())
                .and_then(|draft| draft.write(Vec::new()).map_err(|error| error.to_string()));
            packed.expect_err(name)
        };
        let both = || vec![library("core_boss"), library("systems_boss")];
        let edit = |from: &'static str, to: &'static str| {
            move |folder: &Path| {
                fs::write(folder.join("pack.toml"), TEXT.replace(from, to)).unwrap()
            }
        };
        let error = refused(
            "missing",
            &|folder| fs::remove_file(folder.join("pack.toml")).unwrap(),
            both(),
        );
        assert!(error.starts_with("cannot read") && error.contains("missing/pack.toml"), "{error}");
        let error = refused("field", &edit("title", "tytle"), both());
        assert!(
            error.contains("field/pack.toml") && error.contains("unknown field `tytle`"),
            "{error}"
        );
        let error =
            refused("relations", &edit("relations.systems_boss", "relations.systems_x"), both());
        assert!(error.contains("`relations.systems_x` is there"), "{error}");
        let error = refused("id", &edit("boss_wave", "Boss"), both());
        assert!(error.contains("the pack's id is `Boss`"), "{error}");
        let error = refused("few", &|_| {}, vec![library("core_boss")]);
        assert!(error.contains("module `systems_boss` was not built"), "{error}");
        let error = refused("none", &edit("\"systems_boss\", \"core_boss\"", ""), vec![]);
        assert!(error.contains("`relations.systems_boss` is there"), "{error}");
        let error = refused("other", &|_| {}, vec![library("core_boss"), library("systems_x")]);
        assert!(error.contains("`systems_x` is not among `modules`"), "{error}");
        let newer = Library {
            version: Version::new(0, 3, 0),
            target: Target { triple: "aarch64-unknown-linux-gnu".to_owned(), abi: "0a".to_owned() },
            ..library("core_boss")
        };
        let error = refused("versions", &|_| {}, vec![library("core_boss"), newer]);
        assert!(error.contains("has version 0.2.0 for one target and 0.3.0"), "{error}");
        let link = |folder: &Path| {
            fs::create_dir(folder.join("assets")).unwrap();
            symlink("/etc/passwd", folder.join("assets/x")).unwrap();
        };
        let error = refused("link", &link, both());
        assert!(error.contains("assets/x is a link"), "{error}");
        let error = refused("space", &|folder| write(folder, "assets/a b", "x"), both());
        assert!(error.contains("\"assets/a b\" is not allowed: it contains ' '"), "{error}");
        let error = refused("hidden", &|folder| write(folder, "assets/.DS_Store", "x"), both());
        assert!(error.contains("`.DS_Store` starts with a dot"), "{error}");
    }
}
