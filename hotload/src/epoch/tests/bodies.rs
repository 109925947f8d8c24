//! Edits of bodies: those that can shape a type or attach code to one, and those that cannot.

use super::*;

/// The epochs of a core crate `core_x` and of a crate that links to it.
pub fn both(core: &str, lib: &str) -> (Epoch, Epoch) {
    let sources = |text: &str| vec![(PathBuf::from("src/lib.rs"), text.to_owned())];
    let id = ModuleId::from("core_x");
    let (core, facts) = identity(&folder(), &sources(core), &["api=1"], &CoreFacts::new());
    let cores = [(id, Arc::new(facts))].into();
    let (own, _) =
        identity(&folder(), &sources(lib), &[format!("core_x={}", core.crate_epoch)], &cores);
    (core.epoch, own.epoch)
}

/// What an edit is expected to do to an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Epochs {
    Keeps,
    Changes,
}
use Epochs::{Changes, Keeps};

/// A crate, an edit of it (old and new text), and what becomes of its epoch. `core_x` is `CORE`.
const OWN: &[(&str, &str, &str, Epochs)] = &[
    // Nested functions are known by their names.
    (
        "fn f() { fn small() { struct Mark(u8); } fn large() { struct Mark([u64; 8]); } }",
        "fn small() { struct Mark(u8); } fn large() { struct Mark([u64; 8]); }",
        "fn large() { struct Mark(u8); } fn small() { struct Mark([u64; 8]); }",
        Changes,
    ),
    ("fn f() { fn a() { g::<u8>() } fn b() {} }", "fn a", "fn c", Changes),
    ("impl A { fn f() { let x = { enum Step { One } 1 }; } }", "= {", "= { h();", Changes),
    ("fn f() { { mod m { pub struct Mark(u8); } } }", "mod m", "mod n", Changes),
    ("fn f() { let c = || { struct S; }; let d = || { struct S(u8); }; }", "c =", "d =", Changes),
    ("fn f() { const N: usize = 1; g::<N>() }", "g::<N>()", "h::<N>()", Changes),
    ("fn f() { union Both { a: u8 } g(1) }", "g(1)", "g(2)", Changes),
    // Futures.
    ("fn f() { spawn(async { pause().await }) }", "{ pause", "{ let a = [0; 99]; pause", Changes),
    (
        "fn f() { let v = vec![Job(async { pause().await })]; }",
        "Job(async",
        "Job(async move",
        Changes,
    ),
    ("fn f() { let v = vec![Job(async { pause().await })]; }", "pause()", "{ pause() }", Changes),
    ("fn f() { g(async |n| wait(n).await) }", "wait(n)", "wait(n + 1)", Changes),
    ("fn f() { debug!(\"{:?}\", g(async move { 1 })); h() }", "h()", "i()", Changes),
    (
        "fn f() { g(async { pause().await }) } fn pause() -> impl Future { a(1) }",
        "a(1)",
        "b(2)",
        Changes,
    ),
    ("fn f() { g(async { core_x::wait().await }) }", "wait()", "wait(1)", Changes),
    // Macros that may define types.
    (
        "macro_rules! mark { ($t:ty) => { core_x::marker!(Mark, $t) } } fn f() { mark!(u8); }",
        "mark!(u8)",
        "mark!([u64; 32])",
        Changes,
    ),
    ("fn f() { core_x::marker!(Mark, u8); }", "u8", "u16", Changes),
    ("fn f() { other::info!(A); }", "A", "B", Changes),
    ("fn f() { vec![unknown!(A)]; }", "A", "B", Changes),
    ("fn f() { assert!(g(), \"{}\", unknown!(A)); }", "g()", "h()", Changes),
    ("use other::info; fn f() { info!(A); }", "(A)", "(B)", Changes),
    ("use core_x::marker as vec; fn f() { vec!(A); }", "(A)", "(B)", Changes),
    ("fn f() { info!(A); } fn g() { use other::info; }", "(A)", "(B)", Changes),
    ("use other::prelude::*; fn f() { info!(A); }", "(A)", "(B)", Changes),
    ("#[macro_use] extern crate other; fn f() { info!(A); }", "(A)", "(B)", Changes),
    ("macro_rules! info { () => {} } fn f() { info!(A); }", "(A)", "(B)", Changes),
    ("define!(info); fn f() { info!(A); }", "(A)", "(B)", Changes),
    ("mod std {} fn f() { std::vec!(A); }", "(A)", "(B)", Changes),
    ("use other as std; fn f() { std::vec!(A); }", "(A)", "(B)", Changes),
    (
        "macro_rules! define { () => { macro_rules! info { () => {} } } } fn f() { info!(A); }",
        "(A)",
        "(B)",
        Changes,
    ),
    ("fn f() { vec![{ use core_x::marker as vec; vec!(A) }]; }", "(A)", "(B)", Changes),
    ("fn f() { warned!(A); }", "(A)", "(B)", Changes),
    ("fn f() { thread_local!(static A: u8 = 1); g() }", "g()", "h()", Changes),
    ("fn f() { include!(\"part.rs\"); g() }", "g()", "h()", Changes),
    ("fn f() { #[expands] let x = 1; g() }", "g()", "h()", Changes),
    // Closures, where something can store them.
    ("#[derive(Component)] struct Job<F>(F); fn f() { g(move || a) }", "|| a", "|| b", Changes),
    ("#[derive(Resource)] enum Job<F> { One(F) } fn f() { g(|n| n) }", "g(", "h(", Changes),
    (
        "struct Job<F>(F); impl<F: A> Component for Job<F> {} fn f() { g(|n| n) }",
        "g(",
        "h(",
        Changes,
    ),
    (
        "use bevy::prelude::Component as C; struct Job<F>(F); impl<F: A> C for Job<F> {} fn f() { g(|n| n) }",
        "g(",
        "h(",
        Changes,
    ),
    ("#[derive(Gadget)] struct Job<F>(F); fn f() { g(|n| n) }", "g(", "h(", Changes),
    (
        "macro_rules! job { ($n:ident) => { struct $n<F>(F); } } fn f() { g(|n| n) }",
        "g(",
        "h(",
        Changes,
    ),
    ("#[derive(Message)] struct Job<F>(F); fn f() { vec![&mut || a] }", "|| a", "|| b", Changes),
    ("#[derive(Event)] struct Job<F>(F); fn f() { g(#[inline] |n| n) }", "g(", "h(", Changes),
    ("fn f() { #[derive(Component)] struct Job<F>(F); } fn g() { a(|n| n) }", "a(", "b(", Changes),
    // Functions that are given to such types, also by a generic function.
    (
        "#[derive(Component)] struct Job<F>(F); fn f() { spawn(Job(end)) } fn end() { a() }",
        "a()",
        "b()",
        Changes,
    ),
    (
        "#[derive(Component)] struct Job<F>(F); fn start<F>(job: F) { spawn(Job(job)) } \
         fn begin(job: impl Fn()) { start(job) } fn f() { begin(end) } fn end() { a() }",
        "a()",
        "b()",
        Changes,
    ),
    // Functions that are types: `Peekable<RepeatWith<f>>` has the layout of what `f` returns.
    (
        "export_module! { kind: Apps } fn f() -> impl Sized { 1u8 } fn g() { with(f).peekable() }",
        "1u8",
        "2u64",
        Changes,
    ),
    (
        "export_module! { kind: Apps } use a::f as e; mod a { fn f() -> Option<impl Sized> { b() } } \
         fn b() -> impl Sized { 1u8 } fn g() { let next = e; with(next) }",
        "1u8",
        "2u64",
        Changes,
    ),
    ("fn f() -> impl Bundle { (A, B) }", "(A, B)", "{ g(); (A, B) }", Changes),
    // Code that is attached to types.
    (
        "fn f(w: &mut World) { let h = end; hooks(w).on_add(h); } fn end() { a() }",
        "a()",
        "b()",
        Changes,
    ),
    (
        "fn f() { w.try_register_required_components_with::<A, B>(|| b(1)); }",
        "b(1)",
        "b(2)",
        Changes,
    ),
    // Ordinary edits.
    ("fn f() { g(|n| n + 1) }", "n + 1", "n + 2", Keeps),
    ("struct Pair<T>(T); fn f() { g(|n| n + 1) }", "n + 1", "n + 2", Keeps),
    ("#[derive(Clone, Debug)] struct Pair<T>(T); fn f() { g(|n| n) }", "g(", "h(", Keeps),
    (
        "#[derive(Component)] struct Job<'a, const N: u8>(&'a u8); fn f() { g(|n| n) }",
        "g(",
        "h(",
        Keeps,
    ),
    ("#[derive(Component)] struct Job<F>(F); fn f() { a | b || c }", "a | b", "b | a", Keeps),
    (
        "#[derive(Component)] struct Job<F>(F); fn f() { matches!(a, A | B) }",
        "A | B",
        "B | A",
        Keeps,
    ),
    (
        "use core_x::Thing; fn f() { std::assert!(g()); ::bevy::log::warn!(\"a\") }",
        "g()",
        "h()",
        Keeps,
    ),
    (
        "use core_x::*; use super::*; mod m; use m::*; use A::*; fn f() { info!(A) }",
        "(A)",
        "(B)",
        Keeps,
    ),
    ("use bevy::prelude::*; fn f() { vec![1, 2] }", "1, 2", "3", Keeps),
    ("mod error; fn f() { error!(\"a\") }", "\"a\"", "\"b\"", Keeps),
    ("fn f() { use std::mem::{size_of, swap}; g() }", "g()", "h()", Keeps),
    ("fn f() { let call: fn(u8) = g; if !(a) { return !(b) } }", "!(a)", "a", Keeps),
    ("fn f() { let r: &'static str = a.union(b); }", "a.union(b)", "b.union(a)", Keeps),
    ("fn f() { #[allow(unused)] let x = 1; }", "= 1", "= 2", Keeps),
    ("fn f() { add_observer(on_add); } fn on_add() { a() }", "a()", "b()", Keeps),
    // Only called, in a crate that nobody links to.
    (
        "export_module! { kind: Apps } use a::{f, h}; fn f() -> impl Bundle { (A, B) } fn g() { h(f()) }",
        "(A, B)",
        "{ g(); (A, B) }",
        Keeps,
    ),
    (
        "impl Drop for A { fn drop(&mut self) { b(self.end) } } fn end() { a() }",
        "a()",
        "c()",
        Keeps,
    ),
    (
        "impl Drop for A { fn drop(&mut self) { B { end: 1 } } } fn end() { a() }",
        "a()",
        "c()",
        Keeps,
    ),
];

/// The core of the first table.
const CORE: &str = "
    pub struct Thing;
    #[macro_export]
    macro_rules! marker { ($name:ident, $t:ty) => { struct $name($t); } }
    pub use other::warned;
";

#[test]
fn table_of_bodies() {
    for &(source, from, to, expected) in OWN {
        check_edit(CORE, source, (from, to), expected);
    }
}

/// Makes an edit of a crate over `core` and compares the epochs.
pub fn check_edit(core: &str, source: &str, (from, to): (&str, &str), expected: Epochs) {
    assert_eq!(source.matches(from).count(), 1, "{from:?} in {source}");
    let after = source.replace(from, to);
    // What is not Rust counts whole, and proves nothing.
    assert!(syn::parse_file(source).is_ok() && syn::parse_file(&after).is_ok(), "{after}");
    let found = if both(core, source) == both(core, &after) { Keeps } else { Changes };
    assert_eq!(found, expected, "{from:?} to {to:?}: {source}\nto\n{after}");
}

/// A dependent, its core crate, an edit of the core, and what becomes of the dependent's epoch. The
/// core's own stays.
const OF_CORE: &[(&str, &str, &str, &str, Epochs)] = &[
    // Attached code.
    (
        "impl Drop for Trail { fn drop(&mut self) { core_x::release(self.0) } }",
        "pub fn release(n: u8) { a(n) }",
        "a(n)",
        "b(n)",
        Changes,
    ),
    (
        "#[derive(Component)] #[component(on_add = core_x::seen)] struct Trail;",
        "pub fn seen() { count(1) } fn count(n: u8) { a(n) }",
        "a(n)",
        "b(n)",
        Changes,
    ),
    (
        "#[derive(Component)] #[require(Armor(|| core_x::plate::thick()))] struct Trail;",
        "pub mod plate { pub fn thick() -> u8 { 1 } }",
        "1",
        "2",
        Changes,
    ),
    (
        "impl Hash for Key { fn hash<H: Hasher>(&self, to: &mut H) { self.0.mix(to) } }",
        "impl Seed { pub fn mix<H>(&self, to: &mut H) { to.write(1) } }",
        "1",
        "2",
        Changes,
    ),
    (
        "impl Ord for Key { fn cmp(&self, other: &Self) -> Ordering { core_x::order(self.0) } }",
        "mod inner { pub fn by_size(n: u8) { a(n) } } pub use inner::by_size as order;",
        "a(n)",
        "b(n)",
        Changes,
    ),
    (
        "#[derive(Serialize)] struct Key { #[serde(with = \"core_x::codec\")] n: u8 }",
        "pub mod codec { pub fn serialize(n: &u8) { a(n) } }",
        "a(n)",
        "b(n)",
        Changes,
    ),
    (
        "use core_x::codec as c; struct Key { #[serde(with = \"c\")] n: u8 }",
        "pub mod codec { pub fn serialize(n: &u8) { a(n) } }",
        "a(n)",
        "b(n)",
        Changes,
    ),
    (
        "fn f() { struct Key { #[serde(with = \"core_x::codec\")] n: u8 } }",
        "pub mod codec { pub fn serialize(n: &u8) { a(n) } }",
        "a(n)",
        "b(n)",
        Changes,
    ),
    ("fn f() { unknown!(release: 1) }", "pub fn release(n: u8) { a(n) }", "a(n)", "b(n)", Changes),
    (
        "#[derive(Deserialize)] struct Key { #[serde(default = \"core_x::most\")] n: u8 }",
        "pub fn most() -> u8 { 1 }",
        "1",
        "2",
        Changes,
    ),
    (
        "impl Component for A { fn on_add() -> Option<ComponentHook> { Some(core_x::seen) } }",
        "pub fn seen() { a() }",
        "a()",
        "b()",
        Changes,
    ),
    (
        "impl Drop for Trail { fn drop(&mut self) { helper(self) } } fn helper(t: &Trail) { core_x::log!(t) }",
        "#[macro_export] macro_rules! log { ($n:expr) => { $crate::release($n) } } pub fn release(n: u8) { a(n) }",
        "a(n)",
        "b(n)",
        Changes,
    ),
    (
        "fn setup(world: &mut World) { hooks(world).on_remove(|_, _| core_x::seen()); }",
        "pub fn seen() { a() }",
        "a()",
        "b()",
        Changes,
    ),
    (
        "fn f() { struct Local; impl Drop for Local { fn drop(&mut self) { core_x::seen() } } }",
        "pub fn seen() { a() }",
        "a()",
        "b()",
        Changes,
    ),
    // Futures hold what the core's functions return.
    (
        "fn f() { spawn(async { core_x::wait().await }) }",
        "pub fn wait() -> impl Future { ready(1u8) }",
        "1u8",
        "[1u64; 9]",
        Changes,
    ),
    // A closure of the core in a type that it does not know.
    (
        "#[derive(Component)] struct Job<F>(F);",
        "pub fn each(to: &mut impl Visitor) { to.visit(|n| a(n)) }",
        "a(n)",
        "b(n)",
        Changes,
    ),
    // Nobody attaches these.
    ("fn f() { core_x::release(1) }", "pub fn release(n: u8) { a(n) }", "a(n)", "b(n)", Keeps),
    (
        "impl Drop for Trail { fn drop(&mut self) { core_x::release(self.0) } }",
        "pub fn release(n: u8) { a(n) } pub fn other() { c(1) }",
        "c(1)",
        "c(2)",
        Keeps,
    ),
    (
        "fn f() { g(|n| core_x::each(n)) }",
        "pub fn each(n: u8) { a(|m| m + n) }",
        "m + n",
        "m",
        Keeps,
    ),
];

#[test]
fn table_of_edits_in_a_core() {
    for (lib, core, from, to, expected) in OF_CORE {
        assert_eq!(core.matches(from).count(), 1, "{from:?} in {core}");
        assert!(syn::parse_file(core).is_ok() && syn::parse_file(lib).is_ok(), "{core}\n{lib}");
        let (before, after) = (both(core, lib), both(&core.replace(from, to), lib));
        let stays = !core.contains("-> impl");
        assert_eq!(before.0 == after.0, stays, "the core's own epoch: {core}");
        let found = if before.1 == after.1 { Keeps } else { Changes };
        assert_eq!(found, *expected, "{from:?} to {to:?} in\n{core}\nunder\n{lib}");
    }
}
