//! Random modules and edits of them.

use proptest::prelude::*;
use proptest::sample::select;

use super::bodies::both;

/// What a function's body holds beside plain statements.
const PLAIN: &[&str] = &[
    "",
    "let f = |n: u8| n + 1; f(2);",
    "use std::mem::swap;",
    "info!(\"{}\", vec![1, 2].len());",
    "for n in 0..3 { if !(n > 1) { continue } }",
    "let call: fn(u8) = drop; call(1);",
];
const SHAPING: &[&str] = &[
    "struct Inner(u8);",
    "fn inner() { let a = 1; }",
    "const N: usize = 3;",
    "let c = || { enum Inner { A } };",
    "impl Drop for Thing { fn drop(&mut self) {} }",
    "static ONE: u8 = 1;",
    "spawn(async { wait().await });",
    "spawn(async move |n: u8| n);",
    "let v = vec![Job(async { 1 })];",
    "own!(Mark);",
    "core_x::marker!(Mark, u8);",
    "assert!(unknown!(1));",
    "hooks(world).on_add(seen);",
];

/// Where a function stands.
const PLACES: &[(&str, &str)] = &[
    ("", ""),
    ("mod inner {", "}"),
    ("mod inner { mod deep {", "} }"),
    ("impl Thing {", "}"),
    ("mod inner { impl Thing {", "} }"),
];

const CORE: &str =
    "#[macro_export] macro_rules! marker { ($n:ident, $t:ty) => { struct $n($t); } }";

#[derive(Clone, Debug)]
struct Body {
    place: usize,
    content: &'static str,
    shapes: bool,
    /// In how many blocks and closures the content lies.
    depth: usize,
    edits: usize,
}

fn body() -> impl Strategy<Value = Body> {
    let plain = select(PLAIN).prop_map(|content| (content, false));
    let shaping = select(SHAPING).prop_map(|content| (content, true));
    (0..PLACES.len(), prop_oneof![plain, shaping], 0..4_usize).prop_map(
        |(place, (content, shapes), depth)| Body { place, content, shapes, depth, edits: 0 },
    )
}

fn module() -> impl Strategy<Value = Vec<Body>> {
    proptest::collection::vec(body(), 1..7)
}

/// The module's source, formatted as `layout` says.
fn source(bodies: &[Body], layout: usize) -> String {
    let mut text =
        String::from("macro_rules! own { ($n:ident) => { struct $n; } }\nstruct Thing;\n");
    for (number, body) in bodies.iter().enumerate() {
        let (open, close) = PLACES[body.place];
        let edits = "let edited = (1 + 2).max(3);".repeat(body.edits);
        let blocks = ["{", "let c = move || {", "if a || b {", "loop {"];
        let opened: String = blocks.iter().cycle().skip(number).take(body.depth).copied().collect();
        let closed = "};".repeat(body.depth);
        let content = body.content;
        text += &format!(
            "{open} fn f{number}(n: u8) {{ let x = n * 2; {opened} {content} {closed} {edits} }} {close}\n"
        );
    }
    match layout {
        0 => text,
        1 => text.replace("{ ", "{\n\n        ").replace("; ", ";\n    "),
        2 => text.replace("{ ", "{ // a comment\n ").replace("; ", "; /* struct Other; */ "),
        _ => text.replace("fn f", "/// What it does: async.\n fn f"),
    }
}

fn epochs(bodies: &[Body]) -> (crate::ids::Epoch, crate::ids::Epoch) {
    let source = source(bodies, 0);
    assert!(syn::parse_file(&source).is_ok(), "{source}");
    both(CORE, &source)
}

proptest! {
    #[test]
    fn formatting_and_comments_keep_the_epoch(bodies in module(), layout in 1..4_usize) {
        prop_assert_eq!(both(CORE, &source(&bodies, layout)), epochs(&bodies));
    }

    #[test]
    fn an_edit_changes_the_epoch_if_the_body_can_shape_a_type(bodies in module(), at: usize) {
        let mut edited = bodies.clone();
        let at = at % bodies.len();
        edited[at].edits += 1;
        prop_assert_eq!(epochs(&edited) != epochs(&bodies), bodies[at].shapes);
    }

    #[test]
    fn a_body_that_gets_or_loses_an_item_changes_the_epoch(
        bodies in module(), at: usize, other in select(SHAPING),
    ) {
        let mut edited = bodies.clone();
        let at = at % bodies.len();
        prop_assume!(bodies[at].content != other);
        edited[at].content = other;
        prop_assert_ne!(epochs(&edited), epochs(&bodies));
    }

    #[test]
    fn a_function_that_moves_or_gets_another_name_changes_the_epoch(
        bodies in module(), at: usize, place in 0..PLACES.len(),
    ) {
        let at = at % bodies.len();
        let mut moved = bodies.clone();
        moved[at].place = place;
        prop_assert_eq!(epochs(&moved) != epochs(&bodies), place != bodies[at].place);
        let text = source(&bodies, 0);
        let renamed = text.replace(&format!("fn f{at}("), "fn renamed(");
        prop_assert_ne!(both(CORE, &renamed), both(CORE, &text));
    }
}
