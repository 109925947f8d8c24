//! Edits, each with whether rustc could see it while it compiles another crate.

use super::*;

const CORE: &str = r#"
//! A core.
pub mod walls { pub fn thickness() -> f32 { 0.5 } }
#[derive(Component, Clone)]
pub struct Body { pub x: f32 }
pub const STEP: f32 = 0.1;
pub static NAME: &str = "body";
impl Body {
    pub fn advance(&mut self) { self.x += 1.0; }
    fn private(&self) -> f32 { self.x * 2.0 }
    pub fn borrowed<'a>(&'a self, other: &'a Self) -> &'a Self { if self.x > other.x { self } else { other } }
    pub const fn limit() -> f32 { 3.0 }
    #[inline]
    pub fn quick(&self) -> f32 { self.x + 4.0 }
    #[inline(never)]
    pub fn slow(&self) -> f32 { self.x + 5.0 }
    pub fn visit(&self, visit: impl Fn(f32)) { visit(self.x + 6.0) }
    pub fn visit_all<F: Fn(f32)>(&self, visit: F) { visit(self.x + 7.0) }
    pub fn parts(&self) -> impl Iterator<Item = f32> { [self.x, 8.0].into_iter() }
    pub async fn wait(&self) -> f32 { 9.0 }
    pub fn with_item(&self) -> f32 { struct Local(f32); Local(10.0).0 }
    pub fn with_macro(&self) -> f32 { unknown!(11.0) }
    pub fn with_closure(&self) -> f32 { Some(self.x).map(|x| x + 12.0).unwrap_or_default() }
    #[track_caller]
    pub fn tracked(&self) -> f32 { 13.0 }
}
impl Shape for Body { fn area(&self) -> f32 { 14.0 } }
impl<T> Shape for Vec<T> { fn area(&self) -> f32 { 15.0 } }
pub trait Shape { fn area(&self) -> f32; fn doubled(&self) -> f32 { self.area() * 16.0 } }
pub fn free(x: f32) -> f32 { x + 17.0 }
pub fn generic<T: Shape>(shape: &T) -> f32 { shape.area() + 18.0 }
pub fn array<const N: usize>() -> f32 { 19.0 }
macro_rules! local { () => { 20.0 } }
#[cfg(test)]
mod tests { fn test() { assert_eq!(21, 21); } }
"#;

fn interface(text: &str) -> u64 {
    let sources = [(PathBuf::from("src/lib.rs"), text.to_owned())];
    identity(Path::new("."), &sources, &[""; 0], &CoreFacts::new()).1.interface
}

fn edited(from: &str, to: &str) -> String {
    assert_eq!(CORE.matches(from).count(), 1, "{from}");
    CORE.replace(from, to)
}

#[test]
fn bodies_that_are_compiled_once_are_not_part_of_the_interface() {
    let without_item_macros =
        |text: &str| text.replace("macro_rules! local { () => { 20.0 } }", "");
    let of = |text: &str| interface(&without_item_macros(text));
    let before = of(CORE);
    for (from, to) in [
        ("{ 0.5 }", "{ 0.25 }"),
        ("self.x += 1.0;", "self.x += 1.5; if self.x > 4.0 { self.x = 0.0; }"),
        ("self.x * 2.0", "self.x * 2.5"),
        ("if self.x > other.x", "if self.x < other.x"),
        ("x + 12.0", "x * x + 12.5"),
        ("{ 14.0 }", "{ let area = 14.5; area }"),
        ("x + 17.0", "x + 17.5"),
        ("assert_eq!(21, 21);", "assert_eq!(21, 22);"),
        ("//! A core.", "//! Another text."),
        ("pub fn free", "/// It adds.\npub fn free"),
        // The lines of code that only the crate itself compiles.
        (
            "pub fn free(x: f32) -> f32 { x + 17.0 }",
            "pub fn free(x: f32) -> f32 { x + 17.0 } // 17",
        ),
    ] {
        let is_above_code = to.contains('\n');
        assert_eq!(of(&edited(from, to)) == before, !is_above_code, "{from} to {to}");
    }
}

const CONSTANTS: &str = r#"
const STEP: f32 = 0.1;
const DOUBLE: f32 = 2.0 * HALF;
const HALF: f32 = 0.5;
pub(crate) const NEAR: f32 = 1.5;
const SIZE: usize = 2;
const NAMED: &str = "named";
const IN_TEXT: i32 = 3;
const IN_MACRO: i32 = 4;
const CLOSURE: fn() -> i32 = { fn five() -> i32 { 5 } five };
pub const PUBLIC: f32 = 6.0;
mod walls {
    const STEP: f32 = 0.7;
    const LENGTH: f32 = super::STEP + 8.0;
    pub fn length() -> f32 { LENGTH }
    impl super::Body { const WIDTH: f32 = 9.0; }
}
mod doors { pub const COUNT: usize = 10; }
pub struct Body([f32; SIZE]);
impl Body {
    pub fn advance(&self) -> f32 { STEP + NEAR + walls::length() + Self::WIDTH }
    #[inline]
    pub fn doubled(&self) -> f32 { DOUBLE }
    pub fn named(&self) -> impl AsRef<str> { NAMED }
}
pub fn text<T: Into<i32>>(x: T) -> String { format!("{IN_TEXT}") }
pub fn of_macro<T: Into<i32>>(x: T) { assert!(x.into() > IN_MACRO); }
"#;

#[test]
fn a_constant_counts_if_what_counts_names_it() {
    let before = interface(CONSTANTS);
    for (from, to, counts) in [
        ("const STEP: f32 = 0.1", "const STEP: f32 = 0.2", false),
        ("const STEP: f32 = 0.7", "const STEP: f64 = 0.7", false),
        ("super::STEP + 8.0", "super::STEP + 8.5", false),
        ("NEAR: f32 = 1.5", "NEAR: f32 = 1.6", false),
        ("HALF: f32 = 0.5", "HALF: f32 = 0.6", true),
        ("2.0 * HALF", "3.0 * HALF", true),
        ("SIZE: usize = 2", "SIZE: usize = 3", true),
        ("\"named\"", "\"other\"", true),
        ("IN_TEXT: i32 = 3", "IN_TEXT: i32 = 4", true),
        ("IN_MACRO: i32 = 4", "IN_MACRO: i32 = 5", true),
        ("-> i32 { 5 }", "-> i32 { 6 }", true),
        ("PUBLIC: f32 = 6.0", "PUBLIC: f32 = 6.5", true),
        ("WIDTH: f32 = 9.0", "WIDTH: f32 = 9.5", true),
        // It may be made public elsewhere.
        ("COUNT: usize = 10", "COUNT: usize = 11", true),
        ("const STEP: f32 = 0.1", "pub const STEP: f32 = 0.1", true),
        ("{ LENGTH }", "{ STEP + LENGTH }", false),
    ] {
        assert_eq!(CONSTANTS.matches(from).count(), 1, "{from}");
        assert_eq!(interface(&CONSTANTS.replace(from, to)) != before, counts, "{from} to {to}");
    }
    // Another function that counts names it.
    let generic = "pub fn more<T: Into<f32>>(x: T) -> f32 { x.into() + STEP }";
    let named = |step: &str| interface(&format!("{}{generic}", CONSTANTS.replace("0.1", step)));
    assert_ne!(named("0.1"), named("0.2"));
}

#[test]
fn all_else_is() {
    let before = interface(CORE);
    for (from, to) in [
        ("pub x: f32", "pub x: f64"),
        ("STEP: f32 = 0.1", "STEP: f32 = 0.2"),
        ("NAME: &str = \"body\"", "NAME: &str = \"wall\""),
        ("{ 3.0 }", "{ 3.5 }"),
        ("self.x + 4.0", "self.x + 4.5"),
        ("self.x + 5.0", "self.x + 5.5"),
        ("self.x + 6.0", "self.x + 6.5"),
        ("self.x + 7.0", "self.x + 7.5"),
        ("[self.x, 8.0]", "[8.5, self.x]"),
        ("{ 9.0 }", "{ 9.5 }"),
        ("struct Local(f32); Local(10.0).0", "struct Local(f64); Local(10.0).0 as f32"),
        ("unknown!(11.0)", "unknown!(11.5)"),
        ("{ 13.0 }", "{ 13.5 }"),
        ("{ 15.0 }", "{ 15.5 }"),
        ("self.area() * 16.0", "self.area() * 16.5"),
        ("shape.area() + 18.0", "shape.area() + 18.5"),
        ("{ 19.0 }", "{ 19.5 }"),
        ("{ 20.0 }", "{ 20.5 }"),
        ("pub fn free(x: f32)", "pub fn free(y: f32)"),
        ("fn private(&self) -> f32", "fn private(&self) -> f64"),
        ("#[derive(Component, Clone)]", "#[derive(Component, Clone, Debug)]"),
        ("#[inline(never)]", "#[inline]"),
        ("impl Shape for Body", "impl Shape for &Body"),
        ("pub mod walls", "mod walls"),
    ] {
        assert_ne!(interface(&edited(from, to)), before, "{from} to {to}");
    }
}
