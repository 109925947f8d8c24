//! Tells the linker where a released game has its libraries.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let is_linux = std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux");
    let is_hot = std::env::var_os("CARGO_FEATURE_HOT").is_some();
    if is_linux && is_hot {
        // In the workspace there is no such folder, and cargo says where they are. The older kind of
        // path also counts for the libraries of libraries.
        println!("cargo:rustc-link-arg-bins=-Wl,-rpath,$ORIGIN/lib,--disable-new-dtags");
    }
}
