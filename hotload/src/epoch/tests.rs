//! Edits, each with whether it changes the epoch.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;
use crate::ids::ModuleId;

mod bodies;
mod cores;
mod interface;
mod items;
mod oracle;
mod own_identity;
mod properties;
mod real_modules;
mod statics;

const LIB: &str = r##"
//! The crate.
#![forbid(unsafe_code)]
use other::helpers::on_cooled as cooled;
pub mod more;

export_module! {
    kind: Core,
    requires: { core_physics: "^0.1" },
    persist: [Health, Weapon],
    build: build,
}

/// Points.
#[derive(Component, Default)]
#[component(on_add = health_added)]
#[require(Armor = armor())]
pub struct Health {
    /// Now.
    pub points: f32,
    #[serde(default = "most_points", with = "codec")]
    pub most: f32,
}

#[cfg(feature = "big")]
pub type Id = u64;
pub type Grid = [f32; CELLS];
pub const CELLS: usize = cells(4);
pub static NAMES: [&str; 2] = ["a", "b"];
pub enum Weapon { Bow { range: f32 }, Sword }

const fn cells(n: usize) -> usize { n * 2 }

macro_rules! wrapped { ($name:ident) => { pub struct $name(pub u8); } }
macro_rules! shout { ($text:expr) => { println!("{}", $text) } }
wrapped!(Armor);

pub trait Aim { fn aim(&self) -> f32 { 1.0 } fn lead(&self) -> f32; }

impl Drop for Health { fn drop(&mut self) { said("drop"); } }
impl Aim for Weapon { fn lead(&self) -> f32 { 2.5 } }

fn health_added(mut world: DeferredWorld, _: HookContext) { add_bar(&mut world); }
fn add_bar(world: &mut DeferredWorld) { world.flag(11); }
fn armor() -> Armor { Armor(3) }
fn most_points() -> f32 { 100.0 }
fn said(what: &str) { print(what, 12); }
fn unused_elsewhere(n: u8) -> u8 { n + 40 }

impl Health {
    pub const FULL: f32 = 50.0;
    pub fn heal(&mut self, by: f32) { self.points += by * 1.25; }
    pub const fn half(n: u32) -> u32 { n / 7 }
    #[cfg(test)]
    fn for_test() -> Self { Self { points: 77.0, most: 0.0 } }
}

fn build(module: &mut ModuleApp) {
    module.add_systems(Update, regenerate.after(Sets::Hit));
    module.configure_sets(Update, (Sets::Aim, Sets::Hit).chain().run_if(armed));
}
fn armed() -> bool { 13 > 2 }

fn setup(world: &mut World) {
    let speed = 21;
    world.register_component_hooks::<Armor>().on_remove(armor_removed).on_insert(|_, _| ticked(1));
    World::register_required_components::<Weapon, Ammo>(world);
}
fn armor_removed(_: DeferredWorld, _: HookContext) { log(14); }
fn ticked(n: u8) { log(n, 15); }

fn regenerate(mut all: Query<&mut Health>) {
    const RATE: f32 = 0.5;
    use std::f32::consts::PI;
    let each = |health: &mut Health| {
        struct Step(f32);
        impl Step { fn go(&self) -> f32 { self.0 * 33.0 } }
        impl Drop for Step { fn drop(&mut self) { log(34); } }
        health.points += Step(RATE).go() + 35.0;
    };
    fn inner(n: u8) -> u8 { n + 36 }
    shout!(inner(37));
    all.iter_mut().for_each(|mut health| each(&mut health));
}

fn speak() {
    info!("spoken {}", 42);
    let name: &'static str = stringify!(a b);
    use std::mem::size_of;
    41 + 1
}
fn foreign() { foreign_macro!(39); aside(40) }
fn aside(n: u8) { log(n, 43) }

fn fetch() { let task = POOL.spawn(async move { load(51).await }); task.detach() }
async fn load(n: u8) -> u8 { n + 52 }
fn shader() -> &'static str { include_str!("shader.wgsl") }
const TABLE: &[u8] = include_bytes!("table.bin");
static HOOK: fn(u8) = ticked_by_static;
fn ticked_by_static(n: u8) { log(n, 61); }
#[traced]
fn traced_one() { log(62); }
impl From<u8> for Armor { fn from(n: u8) -> Self { cooled(n) } }

#[cfg(test)]
mod checks { #[test] fn one() { assert_eq!(1, 71); } struct OnlyTest; }
#[cfg(all(test, feature = "big"))]
mod file_tests;
"##;

const MORE: &str = r##"
use crate::Health;
pub mod codec {
    pub fn serialize(n: &f32) -> f32 { scaled(*n) }
    fn scaled(n: f32) -> f32 { n * 81.0 }
}
pub(crate) fn on_cooled(n: u8) -> Armor { Armor(n + 82) }
pub fn steer(n: f32) -> f32 { n * 83.0 }
pub struct Foreign(pub core_physics::Position);
"##;

const FILE_TESTS: &str = "struct InTests; fn check() { assert!(91 > 1); }";

fn folder() -> PathBuf {
    std::env::temp_dir().join(format!("playground-epoch-{}", std::process::id()))
}

fn sources(lib: &str, more: &str) -> Vec<(PathBuf, String)> {
    vec![
        ("src/lib.rs".into(), lib.into()),
        ("src/more.rs".into(), more.into()),
        ("src/file_tests.rs".into(), FILE_TESTS.into()),
    ]
}

fn of(sources: &[(PathBuf, String)]) -> Epoch {
    epoch(&folder(), sources, &["api=1"])
}

fn epoch(crate_root: &Path, sources: &[(PathBuf, String)], salt: &[&str]) -> Epoch {
    identity(crate_root, sources, salt, &CoreFacts::new()).0.epoch
}

/// Edits (old and new text) that do not change the epoch.
const SAME: &[(&str, &str)] = &[
    // Comments, documentation and formatting.
    ("/// Points.", "/// Points of health, at last."),
    ("//! The crate.", "// The crate.\n//! It has documentation."),
    ("/// Now.", "#[doc = \"now\"] #[doc(alias = \"x\")]"),
    ("pub points: f32,", "pub    points :f32 ,"),
    ("pub struct Health {", "pub struct Health // here\n{"),
    (
        "pub enum Weapon { Bow { range: f32 }, Sword }",
        "pub enum Weapon { Bow { range: f32, }, Sword, }",
    ),
    ("fn heal(&mut self, by: f32)", "fn heal(\n&mut self,\nby: f32,\n)"),
    ("macro_rules! wrapped {", "macro_rules! wrapped { // a comment\n"),
    // Bodies of functions and methods.
    ("n + 40", "n + 41"),
    ("n + 40", "{ let m = n; loop { break m } }"),
    ("self.points += by * 1.25;", "self.points -= by; return;"),
    ("regenerate.after(Sets::Hit)", "regenerate.before(Sets::Hit)"),
    ("module.add_systems(Update,", "module.add_systems(FixedUpdate,"),
    ("n * 83.0", "n * 84.0"),
    ("41 + 1", "[1, 2].iter().map(|n| n * 2).sum::<u8>()"),
    // Macros that define nothing.
    ("info!(\"spoken {}\", 42);", "info!(\"again {}\", 43); warn!(\"x\");"),
    ("let name: &'static str = stringify!(a b);", "let name = format!(\"{}\", x as &'static str);"),
    ("41 + 1", "if !(a && b) { std::matches!(x, A | B) } else { vec![a.union(b)].len() }"),
    // Changes that only tests see.
    ("assert_eq!(1, 71)", "assert_eq!(1, 1)"),
    ("struct OnlyTest;", "struct OnlyTest(u8);"),
    ("points: 77.0", "points: 78.0"),
    // Entries of the manifest.
    ("core_physics: \"^0.1\"", "core_physics: \"^0.2\""),
    ("kind: Core,", "kind: Systems,"),
    ("build: build,", "build: setup"),
    ("persist: [Health, Weapon],", "persist: [Health],"),
];

/// Edits that change the epoch.
const DIFFERENT: &[(&str, &str)] = &[
    // Types.
    ("pub points: f32,", "pub points: f64,"),
    ("pub points: f32,", "pub points: f32, pub more: u8,"),
    ("pub points: f32,", "pub point: f32,"),
    ("pub points: f32,", "points: f32,"),
    ("Bow { range: f32 }, Sword", "Sword, Bow { range: f32 }"),
    ("pub type Id = u64;", "pub type Id = u32;"),
    ("#[cfg(feature = \"big\")]", "#[cfg(feature = \"small\")]"),
    ("#[derive(Component, Default)]", "#[derive(Component)]"),
    ("#[require(Armor = armor())]", ""),
    ("Foreign(pub core_physics::Position)", "Foreign(pub core_physics::Velocity)"),
    // The items that types are built from: constants, const functions, statics.
    ("cells(4)", "cells(5)"),
    ("{ n * 2 }", "{ n * 3 }"),
    ("FULL: f32 = 50.0", "FULL: f32 = 51.0"),
    ("{ n / 7 }", "{ n / 8 }"),
    ("[\"a\", \"b\"]", "[\"a\", \"c\"]"),
    // Macros.
    ("pub struct $name(pub u8);", "pub struct $name(pub u16);"),
    ("wrapped!(Armor);", "wrapped!(Armor); wrapped!(Other);"),
    ("println!(\"{}\", $text)", "println!(\"{:?}\", $text)"),
    // Traits and their impls.
    ("{ 1.0 }", "{ 1.5 }"),
    ("fn lead(&self) -> f32;", "fn lead(&self) -> f32; fn more(&self) {}"),
    ("{ 2.5 }", "{ 2.6 }"),
    ("said(\"drop\")", "said(\"dropped\")"),
    // Functions that impls, attributes and statics name, and those that these call.
    ("print(what, 12)", "print(what, 13)"),
    ("add_bar(&mut world);", "add_bar(&mut world); again();"),
    ("world.flag(11)", "world.flag(12)"),
    ("Armor(3)", "Armor(4)"),
    ("{ 100.0 }", "{ 101.0 }"),
    ("scaled(*n)", "scaled(-*n)"),
    ("n * 81.0", "n * 82.0"),
    ("n + 82", "n + 83"),
    ("log(n, 61)", "log(n, 62)"),
    ("log(62)", "log(63)"),
    // Calls that configure types and sets.
    ("(Sets::Aim, Sets::Hit).chain()", "(Sets::Hit, Sets::Aim).chain()"),
    ("13 > 2", "13 > 3"),
    (".on_remove(armor_removed)", ""),
    ("hooks::<Armor>()", "hooks::<Health>()"),
    ("log(14)", "log(15)"),
    ("ticked(1)", "ticked(2)"),
    ("log(n, 15)", "log(n, 16)"),
    ("<Weapon, Ammo>", "<Weapon, Arrows>"),
    // Items inside of bodies and closures.
    ("RATE: f32 = 0.5", "RATE: f32 = 0.6"),
    ("struct Step(f32)", "struct Step(f64)"),
    ("log(34)", "log(35)"),
    ("use std::f32::consts::PI;", "use std::f64::consts::PI;"),
    ("foreign_macro!(39)", "foreign_macro!(40)"),
    ("info!(\"spoken {}\", 42)", "info!(\"{}\", { struct A; 42 })"),
    ("41 + 1", "wrapped!(Speed);"),
    ("41 + 1", "static COUNT: AtomicU8 = AtomicU8::new(0);"),
    // Everything else in such a body, and what it calls.
    ("self.0 * 33.0", "self.0 * 34.0"),
    ("+ 35.0", "+ 36.0"),
    ("n + 36", "n + 37"),
    ("shout!(inner(37))", "shout!(inner(38))"),
    ("log(n, 43)", "log(n, 44)"),
    ("let speed = 21;", "let speed = 22; world.flush();"),
    // States of futures.
    ("load(51)", "load(50)"),
    ("n + 52", "n + 53"),
    // Signatures, uses and modules.
    ("fn unused_elsewhere(n: u8)", "fn unused_elsewhere(n: u16)"),
    ("use crate::Health;", "use crate::Armor as Health;"),
    ("pub mod more;", "mod more;"),
    ("#![forbid(unsafe_code)]", "#![deny(unsafe_code)]"),
    // Included files, and files that are not Rust.
    ("table.bin", "table2.bin"),
    ("fn armed() -> bool {", "fn armed() -> bool {{"),
];

#[test]
fn table_of_edits() {
    let before = of(&sources(LIB, MORE));
    for (edits, same) in [(SAME, true), (DIFFERENT, false)] {
        for (from, to) in edits {
            let places = LIB.matches(from).count() + MORE.matches(from).count();
            assert_eq!(places, 1, "{from:?} should stand in one place");
            let after = of(&sources(&LIB.replace(from, to), &MORE.replace(from, to)));
            assert_eq!(after == before, same, "{from:?} to {to:?}: {before} to {after}");
        }
    }
}

#[test]
fn files_and_salt() {
    let files = sources(LIB, MORE);
    let before = of(&files);
    assert_eq!(before.to_string().len(), 16);

    let mut turned = files.clone();
    turned.reverse();
    assert_eq!(of(&turned), before, "the order of the files");
    let elsewhere = epoch(Path::new("/elsewhere"), &files, &["api=1"]);
    assert_eq!(elsewhere, before, "another checkout");

    assert_ne!(epoch(&folder(), &files, &["api=2"]), before, "salt");
    assert_ne!(epoch(&folder(), &files, &["api=", "1"]), before, "salt, cut elsewhere");

    let with = |path: &str, text: &str| {
        let mut files = files.clone();
        files.push((path.into(), text.into()));
        of(&files)
    };
    assert_ne!(with("src/new.rs", "struct New;"), before, "a new file");
    assert_ne!(with("build.rs", "fn main() { a(1); }"), with("build.rs", "fn main() { a(2); }"));
    assert_eq!(with("tests/all.rs", "struct T;"), before, "an integration test");
    assert_eq!(with("src/file_tests/more.rs", "struct T;"), before, "a module of tests");
    assert_ne!(with("src/broken.rs", "fn {"), with("src/broken.rs", "fn { //"), "not Rust");
    assert_eq!(with("./src/lib.rs", "struct Twice;"), before, "one file twice");

    let mut files = files.clone();
    files[2].1 = "struct Changed; fn other() {}".into();
    assert_eq!(of(&files), before, "a file of tests");
}

#[test]
fn files_of_tests_count_where_the_crate_may_read_them() {
    let same = |lib: &str| {
        let with = |text: &str| {
            let files = [("src/lib.rs", lib), ("src/t.rs", text), ("tests/a.rs", text)];
            of(&files.map(|(path, text)| (path.into(), text.to_owned())))
        };
        with("struct A(u8);") == with("struct A(u64);")
    };
    assert!(same("#[cfg(test)] mod t;"));
    assert!(!same("#[cfg(test)] mod t; #[cfg(not(test))] mod t;"));
    assert!(!same("#[cfg(test)] mod t; include!(concat!(\"t\", \".rs\"));"));
    assert!(!same("#[cfg_attr(all(), path = \"../tests/a.rs\")] mod a;"));
}

#[test]
fn included_files_count() {
    let folder = folder().with_extension("included");
    std::fs::create_dir_all(folder.join("src")).unwrap();
    let files = sources(LIB, MORE);
    let of = || epoch(&folder, &files, &["api=1"]);
    let missing = of();
    std::fs::write(folder.join("src/table.bin"), [1]).unwrap();
    let one = of();
    std::fs::write(folder.join("src/table.bin"), [2]).unwrap();
    let two = of();
    std::fs::write(folder.join("src/shader.wgsl"), "in a body").unwrap();
    let shader = of();
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(missing != one && one != two);
    assert_eq!(two, shader);
}

#[test]
fn macros_that_call_macros_count() {
    let source = |call: &str| {
        format!(
            "macro_rules! inner {{ ($n:ident) => {{ enum $n {{ A }} }} }}\n\
             macro_rules! outer {{ ($n:ident) => {{ inner!($n) }} }}\n\
             macro_rules! plain {{ ($n:ident) => {{ let $n = 1; }} }}\n\
             fn body() {{ {call} }}"
        )
    };
    let of = |call: &str| of(&sources(&source(call), ""));
    assert_ne!(of("outer!(X);"), of("outer!(Y);"));
    assert_ne!(of("plain!(x);"), of("plain!(y);"), "the crate's own macros always count");
}

#[test]
fn a_crate_of_ten_thousand_lines_takes_no_time() {
    let file = |n: usize| {
        let body = "    let x = some(call).with(|y| y + 1.0).collect::<Vec<_>>();\n".repeat(20);
        let text: String = (0..20)
            .map(|m| {
                format!("pub struct T{m} {{ a: f32 }}\nfn f{m}(q: Query<&T{m}>) {{\n{body}}}\n")
            })
            .collect();
        (PathBuf::from(format!("src/m{n}.rs")), text)
    };
    let files: Vec<_> = (0..22).map(file).collect();
    let fastest = |work: &dyn Fn()| {
        let took = |_| {
            let start = std::time::Instant::now();
            work();
            start.elapsed()
        };
        (0..3).map(took).min().unwrap()
    };
    let epoch = fastest(&|| drop(of(&files)));
    let parsing = fastest(&|| files.iter().for_each(|(_, text)| drop(syn::parse_file(text))));
    println!("{epoch:?}, {parsing:?} of it for parsing");
    assert!(epoch < parsing * 8);
}
