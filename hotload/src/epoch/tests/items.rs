//! Edits outside of types in crates without macros among their items: what no type, no attached
//! code and no body that counts can reach keeps the epoch.

use super::bodies::Epochs::{self, Changes, Keeps};
use super::bodies::{both, check_edit};
use super::*;

const GAME: &str = r#"
use bevy::prelude::*;
use bevy::window::PrimaryWindow;
use core_x::{Speed, helpers::area as size_of_it};
use std::time::Duration;
mod score;
pub mod parts { pub const WIDTH: f32 = 91.0; pub fn wide() -> f32 { 92.0 } }

const COLOR: Color = Color::srgb(0.1, 0.2, 0.3);
const CELLS: usize = rows(2) * 4;
const UNUSED_CELLS: usize = 5;
static NAMES: [&str; 2] = ["a", "b"];
type Row = [f32; CELLS];
type Query1<'w> = Query<'w, 'w, &'static Paddle>;
const fn rows(n: usize) -> usize { n * doubled(3) }
const fn doubled(n: usize) -> usize { n * 2 }
const fn other(n: usize) -> usize { n * 7 }

#[derive(Component, Default)]
#[component(on_add = added)]
pub struct Paddle { width: f32, rows: Row }
#[derive(Component)]
pub struct Ball(Speed);
#[derive(Component)]
struct Bricks([u8; Wall::HIGH]);
struct Wall;
impl Wall { const HIGH: usize = 10; const LOW: usize = 11; fn color() -> Color { COLOR } }

fn added(mut world: DeferredWorld, _: HookContext) { count(&mut world, STEP) }
const STEP: u8 = 41;

impl Drop for Ball { fn drop(&mut self) { closed(Duration::ZERO) } }
fn closed(after: Duration) { log(after, 51) }

fn build(module: &mut ModuleApp) { module.add_systems(Update, (move_paddle, follow)); }
fn move_paddle(mut paddles: Query<&mut Paddle>) { paddles.iter_mut().for_each(drop) }
fn follow(window: Single<&Window, With<PrimaryWindow>>, time: Res<Time>) { follow_it(&time) }
fn follow_it(time: &Time) { log(NAMES[0]) }

trait Area { fn area(&self) -> f32; }
impl Area for Paddle { fn area(&self) -> f32 { 3.0 } }
"#;

const EDITS: &[(&str, &str, Epochs)] = &[
    // Constants and statics that only bodies use, also new ones.
    ("srgb(0.1, 0.2, 0.3)", "srgb(0.4, 0.2, 0.3)", Keeps),
    ("UNUSED_CELLS: usize = 5", "UNUSED_CELLS: usize = 6", Keeps),
    ("const UNUSED_CELLS: usize = 5;", "", Keeps),
    ("\"b\"]", "\"c\"]", Keeps),
    ("WIDTH: f32 = 91.0", "WIDTH: f64 = 92.0", Keeps),
    ("const LOW: usize = 11;", "const LOW: usize = 12; const LOWER: u8 = 1;", Keeps),
    ("const COLOR", "const SPEED: f32 = 3.0;\nconst COLOR", Keeps),
    ("{ n * 7 }", "{ n * 8 }", Keeps),
    // Those that types or attached code reach.
    ("rows(2) * 4", "rows(2) * 5", Changes),
    ("n * doubled(3)", "n * doubled(4)", Changes),
    ("{ n * 2 }", "{ n * 3 }", Changes),
    ("HIGH: usize = 10", "HIGH: usize = 20", Changes),
    ("STEP: u8 = 41", "STEP: u8 = 42", Changes),
    ("type Row = [f32; CELLS]", "type Row = [f64; CELLS]", Changes),
    ("type Query1<'w> = Query<'w, 'w, &'static Paddle>", "type Query1 = u8", Keeps),
    // Functions and systems: new ones, parameters, results, names, visibility, attributes.
    ("fn build", "fn bounce(mut balls: Query<&mut Ball>) { drop(balls) }\nfn build", Keeps),
    ("(move_paddle, follow)", "(move_paddle, follow, bounce.run_if(paused)).chain()", Keeps),
    ("fn follow_it(time: &Time) {", "fn follow_it(time: &Time, more: u8) -> u8 {", Keeps),
    ("mut paddles: Query<&mut Paddle>", "time: Res<Time>, mut paddles: Query<&mut Paddle>", Keeps),
    ("fn follow_it", "#[allow(unused)] #[inline] pub(crate) fn follow_it", Keeps),
    ("fn color() -> Color { COLOR }", "fn color() -> Color { COLOR } fn tall() {}", Keeps),
    ("fn color() -> Color { COLOR }", "", Keeps),
    ("pub fn wide() -> f32 { 92.0 }", "", Keeps),
    ("impl Wall {", "impl Paddle { fn center(&self) -> f32 { 1.0 } }\nimpl Wall {", Keeps),
    ("fn closed(after: Duration)", "fn closed(after: u8)", Changes),
    ("log(after, 51)", "log(after, 52)", Changes),
    ("fn added(mut world", "pub fn added(mut world", Changes),
    ("fn follow_it", "#[traced] fn follow_it", Changes),
    ("fn follow_it", "async fn waits() {}\nfn follow_it", Changes),
    // Imports.
    ("use std::time::Duration;", "use std::time::{Duration, Instant};", Keeps),
    ("use bevy::window::PrimaryWindow;", "use bevy::window::*;", Changes),
    ("use bevy::window::PrimaryWindow;", "use other::PrimaryWindow;", Keeps),
    ("core_x::{Speed, helpers::area as size_of_it}", "core_x::Speed", Keeps),
    ("core_x::{Speed, helpers::area as size_of_it}", "core_x::Fast as Speed", Changes),
    ("use std::time::Duration;", "use other::Duration;", Changes),
    ("use bevy::prelude::*;", "use bevy::prelude::*; use other::Component;", Changes),
    ("use std::time::Duration;", "use std::time::Duration; type f32 = f64;", Changes),
    ("use std::time::Duration;", "use std::time::Duration; use other::Default;", Changes),
    // Modules without types.
    ("mod score;", "", Keeps),
    ("mod score;", "mod score; mod more { pub fn f() {} const N: u8 = 1; }", Keeps),
    ("mod score;", "mod score; mod more { pub struct New; }", Changes),
    ("mod score;", "#[cfg(feature = \"score\")] mod score;", Changes),
    // Types and traits.
    ("width: f32,", "width: f32, height: f32,", Changes),
    ("struct Wall;", "struct Wall; struct Marker;", Changes),
    ("{ 3.0 }", "{ 4.0 }", Changes),
    ("fn area(&self) -> f32; }", "fn area(&self) -> f32; fn b(&self) {} }", Changes),
    // In doubt.
    ("const STEP: u8 = 41;", "const STEP: u8 = 41; const _: () = ();", Changes),
    ("STEP: u8 = 41", "STEP: u8 = { struct A; 41 }", Changes),
    ("const UNUSED_CELLS: usize = 5;", "const BOLD: () = { impl Drop for Wall {} };", Changes),
];

#[test]
fn what_no_type_reaches_keeps_the_epoch() {
    for &(from, to, expected) in EDITS {
        check_edit("pub struct Speed;", GAME, (from, to), expected);
    }
}

/// A crate, an edit of it, and what becomes of its epoch.
const DOUBTS: &[(&str, &str, &str, Epochs)] = &[
    // Which method a closure's captured value comes from depends on the traits in scope.
    (
        "use a::Small; #[derive(Component)] struct Job<F>(F); \
         fn f() { let v = 1.size(); spawn(Job(move || v)) }",
        "use a::Small",
        "use a::Large",
        Changes,
    ),
    (
        "use a::Small as _; impl Drop for A { fn drop(&mut self) { self.close() } }",
        "use a::Small",
        "use a::Large",
        Changes,
    ),
    ("use a::Small; impl Drop for A { fn drop(&mut self) {} }", "a::Small", "a::Large", Keeps),
    (
        "use core_x::Thing; impl Drop for A { fn drop(&mut self) { self.close() } }",
        "use core_x::Thing;",
        "",
        Keeps,
    ),
    (
        "use core_x::Near; impl Drop for A { fn drop(&mut self) { self.close() } }",
        "use core_x::Near;",
        "",
        Changes,
    ),
    // The types of what a closure captures: signatures and constants, not bodies.
    (
        "#[derive(Component)] struct Job<F>(F); fn f() { let v = made(); spawn(Job(move || v)) } \
         fn made() -> [u8; N] { [1; N] } const N: usize = 3;",
        "N: usize = 3",
        "N: usize = 4",
        Changes,
    ),
    (
        "#[derive(Component)] struct Job<F>(F); fn f() { let v = made(); spawn(Job(move || v)) } \
         fn made() -> u8 { 1 }",
        "-> u8",
        "-> u64",
        Changes,
    ),
    ("fn f() { let v = made(); run(move || v) } fn made() -> u8 { 1 }", "-> u8", "-> u64", Keeps),
    ("fn f() { g(async { made() }) } fn made() -> u8 { 1 }", "-> u8", "-> u64", Changes),
    // A closure is known by the number of its impl.
    (
        "#[derive(Component)] struct Job<F>(F); struct A; struct B; \
         impl A { fn new() { spawn(Job(|| 1)) } } impl B { fn new() { spawn(Job(|| 2)) } }",
        "impl A",
        "impl B { fn more() {} } impl A",
        Changes,
    ),
    (
        "struct A; impl From<u8> for A { fn from(n: u8) -> A { struct Mark(u8); A } } \
         impl From<u16> for A { fn from(n: u16) -> A { struct Mark(u64); A } }",
        "impl From<u8>",
        "impl A { fn more() {} } impl From<u8>",
        Changes,
    ),
    // Items in blocks of types.
    (
        "fn f(a: [u8; { impl Drop for A { fn drop(&mut self) {} } 1 }]) {}",
        "self) {}",
        "self) { a() }",
        Changes,
    ),
    ("fn f(a: [u8; 1 + 1]) {}", "1 + 1", "1 + 2", Keeps),
    (
        "type T = [u8; { impl Drop for A { fn drop(&mut self) {} } 1 }];",
        "self) {}",
        "self) { a() }",
        Changes,
    ),
    (
        "impl A { const N: u8 = { impl Drop for A { fn drop(&mut self) {} } 1 }; }",
        "self) {}",
        "self) { a() }",
        Changes,
    ),
    (
        "impl B<{ impl Drop for A { fn drop(&mut self) {} } 1 }> {}",
        "self) {}",
        "self) { a() }",
        Changes,
    ),
    ("fn f(a: other::t!(1)) {}", "t!(1)", "t!(2)", Changes),
    // The end of a range, and a name in a text.
    (
        "struct A([u8; NAMES[..N].len()]); const N: usize = 1;",
        "N: usize = 1",
        "N: usize = 2",
        Changes,
    ),
    (
        "struct A([u8; LIST[0..=N].len()]); const N: usize = 1;",
        "N: usize = 1",
        "N: usize = 2",
        Changes,
    ),
    (
        "struct A([u8; other::text!(\"a {N}\").len()]); const N: u8 = 1;",
        "N: u8 = 1",
        "N: u8 = 2",
        Changes,
    ),
    ("struct A { n: u8 } impl A { const n: u8 = 1; }", "n: u8 = 1", "n: u8 = 2", Keeps),
    // All items count beside a macro among them.
    ("macro_rules! m { () => {} } const N: u8 = 1;", "N: u8 = 1", "N: u8 = 2", Changes),
    ("other::items!(1); fn f(n: u8) {}", "n: u8", "n: u16", Changes),
    ("#[derive(Component)] #[require(A = || 1)] struct B; fn f() {}", "fn f", "fn g", Changes),
];

const CORE: &str = "pub struct Thing; pub trait Near {} pub const LENGTH: usize = wide(3); \
     pub const OTHER: usize = 4; const fn wide(n: usize) -> usize { n * 5 } \
     pub use lower::Reading as Read; pub type Text = [u8; 6]; \
     pub fn made(n: u8) -> Thing { Thing } pub fn plain(n: u8) {}";

#[test]
fn doubts_count() {
    for &(text, from, to, expected) in DOUBTS {
        check_edit(CORE, text, (from, to), expected);
    }
}

#[test]
fn what_a_type_reaches_of_a_core_counts_in_its_own_crate() {
    let lib = "struct A([u8; core_x::LENGTH]); struct B(core_x::Read, core_x::Text); \
         impl Drop for A { fn drop(&mut self) { core_x::made(1); } }";
    let before = both(CORE, lib);
    for (from, to, expected) in [
        ("wide(3)", "wide(4)", Changes),
        ("n * 5", "n * 6", Changes),
        ("lower::Reading as Read", "lower::Writing as Read", Changes),
        ("[u8; 6]", "[u8; 7]", Changes),
        ("made(n: u8)", "made(n: u16)", Changes),
        ("OTHER: usize = 4", "OTHER: usize = 5", Keeps),
        ("plain(n: u8)", "plain(n: u16)", Keeps),
    ] {
        let (core, own) = both(&CORE.replace(from, to), lib);
        assert_eq!(core, before.0, "{from:?} in the core alone");
        assert_eq!(if own == before.1 { Keeps } else { Changes }, expected, "{from:?} to {to:?}");
    }
}

#[test]
fn a_file_counts_if_a_type_in_it_is_in_the_crate() {
    let epoch = |lib: &str, score: &str| {
        let files = [("src/lib.rs", lib), ("src/score.rs", score)];
        of(&files.map(|(path, text)| (path.into(), text.to_owned())))
    };
    let drop = "impl Drop for crate::A { fn drop(&mut self) {} }";
    let (without, with) = ("struct A;", "struct A; mod score;");
    assert_ne!(epoch(without, drop), epoch(with, drop), "the impl was not part of the crate");
    assert_eq!(epoch(without, "fn f() {}"), epoch(with, "fn g() {}"));
}
