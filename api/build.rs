//! Fingerprints what this build of the API is, so that a module built against another one is refused.

use std::{env, fs, path::Path, process::Command};

fn main() {
    let mut hasher = blake3::Hasher::new();
    let rustc = env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
    let version = Command::new(rustc).arg("-vV").output().map(|output| output.stdout);
    hasher.update(&version.unwrap_or_default());
    for name in ["TARGET", "PROFILE", "OPT_LEVEL", "DEBUG", "CARGO_CFG_TARGET_FEATURE"] {
        hasher.update(name.as_bytes());
        hasher.update(env::var(name).unwrap_or_default().as_bytes());
    }
    let mut features: Vec<_> = env::vars()
        .map(|(name, _)| name)
        .filter(|name| name.starts_with("CARGO_FEATURE_"))
        .collect();
    features.sort();
    for feature in features {
        hasher.update(feature.as_bytes());
    }
    for file in ["Cargo.toml", "build.rs", "schema/Cargo.toml", "derive/Cargo.toml"] {
        println!("cargo::rerun-if-changed={file}");
        hasher.update(&fs::read(file).unwrap_or_default());
    }
    for folder in ["src", "schema/src", "derive/src"] {
        println!("cargo::rerun-if-changed={folder}");
        hash_folder(Path::new(folder), &mut hasher);
    }
    println!("cargo::rustc-env=PLAYGROUND_ABI={}", &hasher.finalize().to_hex()[..32]);
}

fn hash_folder(folder: &Path, hasher: &mut blake3::Hasher) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            hash_folder(&path, hasher);
        } else {
            hasher.update(path.to_string_lossy().as_bytes());
            hasher.update(&fs::read(&path).unwrap_or_default());
        }
    }
}
