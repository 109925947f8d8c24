//! What the functions of a random crate hold.
//!
//! In these texts `@T` and `@U` are types with the values `@V` and `@W`, `@N` and `@M` their numbers,
//! `@A` and `@B` the names `small` and `large` in either order, `@1` the names `one` or `two`, `@2`
//! `Part` or `Other`, `@F` the function's number, `@C` the
//! core's name and `@P` a statement of the body.

/// Types and their values. Some have one size and differ in whether they are dropped.
pub const TYPES: [(&str, &str); 7] = [
    ("u8", "1_u8"),
    ("[u64; 8]", "[1_u64; 8]"),
    ("String", "String::new()"),
    ("(u8, u64)", "(1_u8, 2_u64)"),
    ("[usize; 3]", "[1_usize; 3]"),
    ("Option<Box<u8>>", "Some(Box::new(1_u8))"),
    ("()", "()"),
];

/// Statements that shape no type.
pub const STATEMENTS: [&str; 8] = [
    "",
    "let n = (1 + 2).max(3); used(n);",
    "let c = |n: u8| n + 1; used(c(1));",
    "for n in 0..3 { if !(n > 1) { continue } }",
    "{ use std::mem::swap; let (mut a, mut b) = (1, 2); swap(&mut a, &mut b); }",
    "let Some(n) = Some(1_u8) else { panic!() }; used(n);",
    "let r#match = b\"bytes\"; used(r#match); used(c\"text\"); used(\"größe\");",
    "used(vec![1, 2]); if matches!(1, 2 | 3) { println!(\"never\") }",
];

/// The first content with a type beside the function.
pub const FIRST_BESIDE: usize = 40;

/// A content: items beside the function, and its body.
pub const CONTENTS: [(&str, &str); 61] = [
    ("", ""),
    ("", "@P"),
    ("", "report_of(&@V);"),
    // Closures.
    ("", "let held = @V; report_of(&move || used(&held));"),
    ("", "let held: (@T, u8) = (@V, 1); report_of(&move || { used(&held.0); used(held.1) });"),
    ("", "let c = || { struct Mark(@T); report::<Mark>() }; let d = || { @P }; c(); d();"),
    (
        "",
        "let @A = || { struct Mark(@T); report::<Mark>() }; let @B = || { struct Mark(@U); \
         report::<Mark>() }; small(); large();",
    ),
    ("", "report_of(&capped(move || { @P }));"),
    ("", "report_of(&[1, 2].iter().map(|n| n + @N).peekable());"),
    // Items.
    ("", "struct Mark(@T); report::<Mark>();"),
    ("", "@P enum Mark { One(@T), Two(@U) } report::<Mark>();"),
    (
        "",
        "fn @A() { struct Mark(@T); report::<Mark>() } fn @B() { struct Mark(@U); \
         report::<Mark>() } small(); large();",
    ),
    ("", "{ mod @A { pub struct Mark(pub @T); } crate::report::<@A::Mark>(); }"),
    ("", "mod größe { pub struct R#Mark(pub @T); } crate::report::<größe::R#Mark>();"),
    ("", "struct Mark(u8); impl Drop for Mark { fn drop(&mut self) {} } report::<Mark>();"),
    ("", "const LENGTH: usize = @N; struct Mark([u8; LENGTH]); report::<Mark>();"),
    ("", "struct Mark([u8; { const fn wide() -> usize { @N } wide() }]); report::<Mark>();"),
    ("", "report_of(&[1_u8; const { @N }]);"),
    ("", "type Alias = @T; struct Mark(Alias); report::<Mark>();"),
    ("", "static ONE: [u8; @N] = [1; @N]; struct Mark([u8; ONE.len()]); report::<Mark>();"),
    ("", "#[derive(Clone)] struct Pair<X, Y = @T>(X, Y); report::<Pair<@U>>();"),
    ("", "struct Mark { #[cfg(@cfg)] a: @T, b: @U } report::<Mark>();"),
    ("", "#[cfg_attr(@cfg, repr(C, align(64)))] struct Mark(@T); report::<Mark>();"),
    ("", "union Both { a: u8, b: [u16; @N] } report::<Both>();"),
    // Futures.
    ("", "report_of(&async move { let held = @V; pause().await; used(&held) });"),
    ("", "async fn wait() { let held = @V; pause().await; used(&held) } report_of(&wait());"),
    (
        "",
        "let c: &'static _ = Box::leak(Box::new(async |n: u8| { let held = @V; pause().await; \
         used((held, n)) })); report_of(c); report_of(&c(1));",
    ),
    (
        "",
        "for job in vec![Hold(async { let held = @V; pause().await; used(held) })] { report_of(&job) }",
    ),
    ("", "println!(\"{}\", { report_of(&async { let h = @V; pause().await; used(h) }); 1 });"),
    ("async fn beside@F() { let h = @V; pause().await; used(h) }", "report_of(&beside@F());"),
    (
        "fn beside@F() -> impl Future<Output = u8> { used(@V); std::future::ready(@N) }",
        "report_of(&async { let h = beside@F(); pause().await; h.await });",
    ),
    ("", "report_of(&async { @C::returned().await; pause().await });"),
    ("", "report_of(&async { let h = @C::returned(); pause().await; h.await; @P });"),
    ("", "report_of(&@C::held(@V));"),
    // Macros.
    ("", "mark!(Mark, @T); report::<Mark>();"),
    ("", "@C::marker!(Mark, @T); report::<Mark>();"),
    ("", "macro_rules! inner { ($n:ident) => { struct $n(@T); } } inner!(Mark); report::<Mark>();"),
    (
        "macro_rules! vec@F { ($t:ty) => { @C::marker!(Mark, $t) } }",
        "vec@F!(@T); report::<Mark>();",
    ),
    ("", "used(format!(\"{}\", { struct Mark(@T); report::<Mark>(); 1 }));"),
    ("", "include!(\"body@F.in\");"),
    // Types, consts and traits beside the function.
    // Types that may have an identity of their own.
    (
        "pub struct Outer@F(Inner@F, u8); pub struct Inner@F(Vec<Last@F>); pub struct Last@F(@T);",
        "report::<Outer@F>(); report::<Inner@F>(); report::<Last@F>();",
    ),
    (
        "pub struct Mark@F(Inner@F); pub struct Inner@F(@T, @U);",
        "report::<Mark@F>(); report::<Option<Inner@F>>();",
    ),
    (
        "pub struct Mark@F(u8); #[cfg(@cfg)] impl Drop for Mark@F { fn drop(&mut self) {} } \
         pub struct Holder@F(Mark@F);",
        "report::<Mark@F>(); report::<Holder@F>();",
    ),
    (
        "pub trait Shape@F { type Out; } pub struct Key@F; pub struct Mark@F(<Key@F as Shape@F>::Out); \
         impl Shape@F for Key@F { type Out = @T; }",
        "report::<Mark@F>();",
    ),
    (
        "pub trait Shape@F<T> { type Out; } pub struct Key@F; impl Shape@F<Key@F> for u8 { \
         type Out = @T; } pub struct Mark@F(<u8 as Shape@F<Key@F>>::Out);",
        "report::<Mark@F>();",
    ),
    (
        "pub trait Len@F { const N: usize; } pub struct Key@F; impl Key@F { const M: usize = @M; } \
         impl Len@F for Key@F { const N: usize = @N; } \
         pub struct Mark@F([u8; <Key@F as Len@F>::N], [u16; Key@F::M]);",
        "report::<Mark@F>();",
    ),
    (
        "pub struct Pair@F<X>(X, @T); impl<X> Drop for Pair@F<X> { fn drop(&mut self) { @P } } \
         pub struct Mark@F(Pair@F<@U>);",
        "report::<Pair@F<u8>>(); report::<Mark@F>();",
    ),
    (
        "pub struct Uses@F(@C::Shared); pub struct Other@F(@C::Twice, u8); pub struct Third@F(@C::Beside);",
        "report::<Uses@F>(); report::<Other@F>(); report::<Third@F>(); report::<@C::Shared>(); \
         report::<@C::Around>(); report::<(@C::Twice, u8)>();",
    ),
    (
        "pub struct Mark@F(Job@F); impl Default for Mark@F { fn default() -> Self { let c = || @V; \
         Self(Job@F(1)) } } pub struct Job@F(u8); impl Iterator for Job@F { type Item = @T; \
         fn next(&mut self) -> Option<@T> { None } }",
        "report::<Mark@F>(); report::<std::iter::Peekable<Job@F>>(); report_of(&<Mark@F as Default>::default());",
    ),
    ("const fn wide@F() -> usize { @N } pub struct Wide@F([u8; wide@F()]);", "report::<Wide@F>();"),
    (
        "pub trait Shape@F { const N: usize; type Out; } impl Shape@F for u8 { const N: usize = @N; \
         type Out = @T; } pub struct Mark@F([u8; <u8 as Shape@F>::N], <u8 as Shape@F>::Out);",
        "report::<Mark@F>();",
    ),
    (
        "pub struct Own@F; impl Own@F { const N: usize = @N; } pub struct Mark@F([u8; Own@F::N]);",
        "report::<Mark@F>();",
    ),
    // What types and closures reach by name.
    (
        "const LONG@F: usize = far@F(@N) * 2; const fn far@F(n: usize) -> usize { n + @M } \
         pub struct Long@F([u8; LONG@F]);",
        "report::<Long@F>();",
    ),
    (
        "type Alias@F = Option<Inner@F>; type Inner@F = @T; pub struct Held@F(Alias@F);",
        "report::<Held@F>();",
    ),
    (
        "pub mod one@F { pub type Part = @T; } pub mod two@F { pub type Part = @U; } \
         pub mod both@F { use super::@1@F::Part; pub struct Whole(Part); }",
        "report::<both@F::Whole>();",
    ),
    (
        "pub mod one@F { pub type Part = @T; pub type Other = @U; } \
         pub mod both@F { use super::one@F::{@2 as Piece}; pub struct Whole(Piece); }",
        "report::<both@F::Whole>();",
    ),
    (
        "fn given@F() -> [@T; @N] { std::array::from_fn(|_| @V) }",
        "let v = given@F(); report_of(&async move { pause().await; used(v) });",
    ),
    (
        "const SIZE@F: usize = @N;",
        "let v = [1_u8; SIZE@F]; report_of(&async move { pause().await; used(v) });",
    ),
    // Functions as types: what they return is not in their names.
    (
        "fn made@F() -> impl Sized { @V }",
        "report_of(&made@F()); report_of(&std::iter::repeat_with(made@F).peekable());",
    ),
    (
        "fn made@F() -> Option<impl Sized> { @P Some(hidden@F()) } fn hidden@F() -> impl Sized { @V }",
        "let next = made@F; report_of(&std::iter::from_fn(next).peekable());",
    ),
    (
        "pub struct Job@F<J: Yields>(J::Out); impl<J: Yields> Component for Job@F<J> {} \
         fn made@F() -> impl Sized { @V }",
        "fn job<J: Yields<Out: 'static> + 'static>(_: J) { report::<Job@F<J>>() } job(made@F);",
    ),
];

/// Items before all others of a crate, which shape no type of it. `@K` is the crate's name.
pub const BEFORE: [&str; 8] = [
    "",
    "pub fn before() -> u8 { 1 }",
    "const BEFORE: usize = 2; static NAMED: &str = \"before\";",
    "impl Hold<u8> { pub fn size(&self) -> u8 { 3 } }",
    "use std::time::Duration as Time; fn wait(time: Time) {}",
    "pub mod before { pub fn f() {} pub const N: usize = 4; }",
    "impl Hold<u8> { pub fn of_closure() { used(|n: u8| n + 5) } } impl Hold<u16> { fn f() {} }",
    "pub const fn before() -> usize { 6 } type Before = [u8; before()];",
];
