//! Tells the linker where a released game has its libraries, and lists the modules that the static
//! form links.

use std::env;
use std::fs;
use std::path::Path;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let is_linux = env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux");
    if is_linux && env::var_os("CARGO_FEATURE_HOT").is_some() {
        // In the workspace there is no such folder, and cargo says where they are. The older kind of
        // path also counts for the libraries of libraries.
        println!("cargo:rustc-link-arg-bins=-Wl,-rpath,$ORIGIN/lib,--disable-new-dtags");
    }
    if env::var_os("CARGO_FEATURE_STATIC").is_some() {
        println!("cargo:rerun-if-changed=Cargo.toml");
        let manifest = fs::read_to_string("Cargo.toml").expect("the game's Cargo.toml");
        let out = env::var_os("OUT_DIR").expect("cargo sets OUT_DIR");
        fs::write(Path::new(&out).join("linked_modules.rs"), linked_modules(&manifest))
            .expect("a generated file");
    }
}

/// A function that returns the manifest and the `build` of each module among the dependencies of the
/// feature `static`.
fn linked_modules(manifest: &str) -> String {
    let (_, feature) = manifest.split_once("\nstatic = [").expect("the feature `static`");
    let (feature, _) = feature.split_once(']').expect("its end");
    let dependencies = feature.split('"').filter_map(|entry| entry.strip_prefix("dep:"));
    let kinds = ["apps_", "core_", "plugins_", "systems_"];
    let modules = dependencies.filter(|name| kinds.iter().any(|kind| name.starts_with(kind)));
    let modules: String = modules
        .map(|name| {
            let module = format!("{}::PLAYGROUND_MODULE", name.replace('-', "_"));
            format!("        (&{module}.manifest[..], {module}.entry.build),\n")
        })
        .collect();
    format!(
        "/// The manifest and the `build` of each linked module.\n\
         fn linked_modules() -> Vec<(&'static [u8], Build)> {{\n    vec![\n{modules}    ]\n}}\n"
    )
}
