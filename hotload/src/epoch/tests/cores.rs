//! What a core crate brings to the epochs of its dependents.

use super::bodies::both;
use super::*;

#[test]
fn calls_are_followed_through_two_cores() {
    let sources = |text: &str| vec![(PathBuf::from("src/lib.rs"), text.to_owned())];
    let of = |lowest: &str| {
        let mut cores = CoreFacts::new();
        let middle = "pub fn release(n: u8) { core_low::count(n) }";
        for (id, text) in [("core_low", lowest), ("core_middle", middle)] {
            let (_, facts) = identity(&folder(), &sources(text), &[""; 0], &cores);
            cores.insert(ModuleId::from(id), Arc::new(facts));
        }
        let lib = "impl Drop for A { fn drop(&mut self) { core_middle::release(1) } }";
        identity(&folder(), &sources(lib), &[""; 0], &cores).0
    };
    assert_ne!(of("pub fn count(n: u8) { a(n) }"), of("pub fn count(n: u8) { b(n) }"));
}

#[test]
fn a_core_brings_its_generic_types_and_its_imports() {
    let body = |call: &str| format!("use core_x::*; fn f() {{ {call} }}");
    let same = |core: &str, one: &str, two: &str| both(core, &body(one)) == both(core, &body(two));
    let (one, two) = ("g(|n| n)", "g(|n| m)");
    assert!(same("pub struct Thing;", one, two));
    assert!(!same("#[derive(Component)] pub struct Job<F>(pub F);", one, two));
    assert!(!same("#[derive(Asset, Clone)] pub enum Job<F> { One(F) }", one, two));
    let (one, two) = ("vec![1]", "vec![2]");
    assert!(same("use other::*;", one, two));
    assert!(same("mod parts; pub use parts::*;", one, two));
    assert!(!same("#[macro_use] extern crate other;", one, two));
    assert!(!same("pub use other::*;", one, two));
    assert!(!same("#[macro_export] macro_rules! vec { () => {} }", one, two));
}
