//! Random crates and edits of them.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;

use proptest::prelude::*;

use super::contents::{BEFORE, CONTENTS, FIRST_BESIDE, STATEMENTS, TYPES};

/// Where a function stands: the file, what opens and closes around it, and the path to it. `@F` is
/// the function's number.
const PLACES: [(&str, &str, &str, &str); 14] = [
    ("src/lib.rs", "", "", ""),
    ("src/lib.rs", "pub mod in@F { use super::*;", "}", "in@F::"),
    (
        "src/lib.rs",
        "pub mod in@F { use super::*; pub mod deep { use super::*;",
        "} }",
        "in@F::deep::",
    ),
    ("src/lib.rs", "pub struct At@F; impl At@F {", "}", "At@F::"),
    ("src/lib.rs", "pub struct Of@F<T>(T); impl<T> Of@F<T> {", "}", "Of@F::<u8>::"),
    ("src/lib.rs", "pub trait Do@F { ", "} impl Do@F for u8 {}", "<u8 as Do@F>::"),
    ("src/plain.rs", "", "", "plain::"),
    ("src/deep/mod.rs", "", "", "deep::"),
    ("src/target/moved.rs", "", "", "moved::"),
    ("src/kept.rs.in", "", "", "kept::"),
    ("src/part.rs", "", "", ""),
    ("src/computed.in", "", "", ""),
    ("tests/shared.rs", "", "", "shared::"),
    ("../outside_@K/it.rs", "", "", "outside::"),
];

/// The root's text before its functions. `@K` is the crate's name.
const ROOT: &str = "
    #![allow(warnings)]
    macro_rules! mark { ($n:ident, $t:ty) => { struct $n($t); } }
    pub mod plain;
    pub mod deep;
    #[path = \"target/moved.rs\"] pub mod moved;
    #[path = \"kept.rs.in\"] pub mod kept;
    #[cfg_attr(all(), path = \"../tests/shared.rs\")] pub mod shared;
    #[path = \"../../outside_@K/it.rs\"] pub mod outside;
    include!(\"part.rs\");
    include!(concat!(\"comp\", \"uted.in\"));
    pub struct Hold<T>(pub T);
    pub trait Component {}
    pub trait Yields { type Out; }
    impl<R, F: Fn() -> R> Yields for F { type Out = R; }
";

/// What only the core has.
const CORE: &str = "
    use std::any::{TypeId, type_name};
    use std::mem::needs_drop;
    pub fn report<T: 'static>() {
        println!(\"{:?}\\t{}\\tsize {} align {} drop {}\", TypeId::of::<T>(), type_name::<T>(),
            size_of::<T>(), align_of::<T>(), needs_drop::<T>());
    }
    pub fn report_of<T: 'static>(_: &T) { report::<T>() }
    pub fn used<T>(value: T) { std::hint::black_box(value); }
    pub async fn pause() {}
    pub fn capped<T: 'static>(inner: T) -> impl Fn() { let more = @V; move || used((&inner, &more)) }
    pub fn held<T>(inner: T) -> impl Future<Output = ()> {
        async move { let more = @W; pause().await; used((inner, more)) }
    }
    pub fn returned() -> impl Future<Output = ()> { let more = @V; async move { used(more) } }
    #[playground_api::prelude::own_identity] pub struct Shared(pub @T);
    #[playground_api::prelude::own_identity] pub struct Twice(pub Shared, pub @U);
    #[playground_api::prelude::own_identity] pub struct Beside(pub @T);
    #[playground_api::prelude::own_identity] pub struct Around(pub Twice);
    #[macro_export] macro_rules! marker { ($n:ident, $t:ty) => { struct $n($t, @T); } }
";

/// A random function.
#[derive(Clone, Debug, PartialEq)]
pub struct Function {
    content: usize,
    place: usize,
    types: [usize; 2],
    swapped: bool,
    /// In how many blocks and closures the content lies.
    depth: usize,
    /// Statements before, in and after the content.
    statements: [usize; 3],
    /// Which of the types beside it have an identity of their own: none, all, or every second one.
    own: usize,
}

/// A random crate; its own types are those of the parts that every crate has.
#[derive(Clone, Debug, PartialEq)]
pub struct Crate {
    functions: Vec<Function>,
    types: [usize; 2],
    /// The items before all others.
    before: usize,
}

/// A core crate and its dependent.
#[derive(Clone, Debug, PartialEq)]
pub struct Pair {
    pub core: Crate,
    pub own: Crate,
    /// Macros are among the items of both, so that all items count.
    pub item_macros: bool,
}

/// Replaces one part of one function.
#[derive(Clone, Debug)]
pub struct Edit {
    in_core: bool,
    at: usize,
    part: usize,
    value: usize,
}

fn function(contents: Range<usize>) -> impl Strategy<Value = Function> {
    let types = prop::array::uniform2(0..TYPES.len());
    let statements = prop::array::uniform3(0..STATEMENTS.len());
    let content = prop_oneof![1 => contents.start..contents.start + 9, 2 => contents];
    (
        content,
        0..PLACES.len(),
        types,
        any::<bool>(),
        0..4_usize,
        statements,
        prop::sample::select(vec![0, 1, 1, 1, 2]),
    )
        .prop_map(|(content, place, types, swapped, depth, statements, own)| Function {
            content,
            place,
            types,
            swapped,
            depth,
            statements,
            own,
        })
}

fn a_crate(functions: Range<usize>, contents: Range<usize>) -> impl Strategy<Value = Crate> {
    let functions = prop::collection::vec(function(contents), functions);
    (functions, prop::array::uniform2(0..TYPES.len())).prop_map(|(functions, types)| Crate {
        functions,
        types,
        before: 0,
    })
}

/// Which crates and edits are made.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum About {
    All,
    /// Types beside functions, which may have an identity of their own.
    OwnIdentities,
}

/// Two crates and edits, each of the same source.
pub fn edits(about: About, most: usize) -> impl Strategy<Value = (Pair, Vec<Edit>)> {
    let (contents, parts, item_macros) = match about {
        About::All => (0..CONTENTS.len(), 0..14_usize, 0.5),
        About::OwnIdentities => (FIRST_BESIDE..FIRST_BESIDE + 9, 7..20_usize, 0.0),
    };
    let edit = (prop::bool::weighted(0.3), any::<usize>(), parts, any::<usize>())
        .prop_map(|(in_core, at, part, value)| Edit { in_core, at, part, value });
    let core = a_crate(0..6, contents.clone());
    let pair = (core, a_crate(1..16, contents), prop::bool::weighted(item_macros))
        .prop_map(|(core, own, item_macros)| Pair { core, own, item_macros });
    (pair, prop::collection::vec(edit, 1..=most))
}

impl Pair {
    /// Every content, in both crates, each in another place.
    pub fn of_everything(shift: usize, item_macros: bool) -> Self {
        let function = |content| Function {
            content,
            place: (content + shift) % PLACES.len(),
            types: [shift % TYPES.len(), content % TYPES.len()],
            swapped: false,
            depth: content % 4,
            statements: [0, content, shift].map(|at| at % STATEMENTS.len()),
            own: content % 3,
        };
        let all = || Crate {
            functions: (0..CONTENTS.len()).map(function).collect(),
            types: [0, 1],
            before: 0,
        };
        Self { core: all(), own: all(), item_macros }
    }

    pub fn edited(&self, edit: &Edit) -> Self {
        let mut pair = self.clone();
        let edited = if edit.in_core { &mut pair.core } else { &mut pair.own };
        // Another one of `count`.
        let other = |old: &mut usize, count| *old = (*old + 1 + edit.value % (count - 1)) % count;
        // Functions with types beside them.
        let mut with_types: Vec<_> =
            edited.functions.iter_mut().filter(|it| it.content >= FIRST_BESIDE).collect();
        if edit.part >= 14 && !with_types.is_empty() {
            let at = edit.at % with_types.len();
            let function = &mut with_types[at];
            match edit.part {
                part @ 14..18 => other(&mut function.types[part % 2], TYPES.len()),
                18 => function.swapped ^= true,
                _ => other(&mut function.own, 3),
            }
            return pair;
        }
        if edit.part >= 12 {
            other(&mut edited.before, BEFORE.len());
            return pair;
        }
        if edited.functions.is_empty() || (edit.in_core && edit.part < 2) {
            other(&mut edited.types[edit.part % 2], TYPES.len());
            return pair;
        }
        let at = edit.at % edited.functions.len();
        let function = &mut edited.functions[at];
        match edit.part {
            part @ 0..5 => other(&mut function.statements[[0, 2, 1, 0, 2][part]], STATEMENTS.len()),
            part @ 5..9 => other(&mut function.types[[0, 1, 0, 0][part - 5]], TYPES.len()),
            9 => function.swapped ^= true,
            10 => other(&mut function.content, CONTENTS.len()),
            _ => other(&mut function.depth, 4),
        }
        pair
    }

    /// All files, with paths relative to the folder of both crates.
    pub fn files(&self) -> BTreeMap<PathBuf, String> {
        let mut files = self.core.files("core_x", CORE, "", self.item_macros);
        let calls: String =
            self.core.calls("core_x::", self.item_macros) + &self.own.calls("", self.item_macros);
        let main = format!("fn main() {{ {calls} }}");
        files.extend(self.own.files("systems_y", "use core_x::*;\n", &main, self.item_macros));
        files
    }
}

impl Crate {
    fn calls(&self, root: &str, item_macros: bool) -> String {
        let call = |(number, function): (usize, &Function)| {
            let path =
                PLACES[function.place_with(item_macros)].3.replace("@F", &number.to_string());
            let path = match path.strip_prefix("<u8 as ") {
                Some(path) => format!("<u8 as {root}{path}"),
                None => format!("{root}{path}"),
            };
            format!("{path}f{number}();\n")
        };
        self.functions.iter().enumerate().map(call).collect()
    }

    fn files(
        &self,
        name: &str,
        before: &str,
        after: &str,
        item_macros: bool,
    ) -> BTreeMap<PathBuf, String> {
        let path = |path: &str| PathBuf::from(name).join(path.replace("@K", name));
        let mut files = BTreeMap::new();
        for (file, ..) in PLACES {
            let is_module = !["src/lib.rs", "src/part.rs", "src/computed.in"].contains(&file);
            let imports = if is_module { "use super::*;\n" } else { "" };
            files.insert(path(file), imports.to_owned());
        }
        let with_macros = |line: &&str| item_macros || !has_item_macro(line);
        let root = [ROOT, before, BEFORE[self.before]].concat().replace("@K", name);
        let root = root.lines().filter(with_macros).collect::<Vec<_>>().join("\n");
        let root = filled(&root, self.types, false);
        files.insert(path("src/lib.rs"), root);
        for (number, function) in self.functions.iter().enumerate() {
            let number = number.to_string();
            let fill = |text: &str| {
                let core = if name == "core_x" { "crate" } else { "core_x" };
                let statement = STATEMENTS[function.statements[1]];
                let text = text.replace("@P", statement).replace("@F", &number).replace("@C", core);
                filled(&text, function.types, function.swapped)
            };
            let (file, open, close, _) = PLACES[function.place_with(item_macros)];
            let included = PathBuf::from(file).with_file_name(format!("body{number}.in"));
            let included = path(&included.to_string_lossy());
            files.insert(included, fill("{ struct Mark(@T); report::<Mark>(); }"));
            *files.get_mut(&path(file)).unwrap() += &fill(&function.text(open, close, item_macros));
        }
        *files.get_mut(&path("src/lib.rs")).unwrap() += after;
        files
    }
}

/// True for a line that defines a macro, or calls one among the items.
fn has_item_macro(line: &str) -> bool {
    let macros = ["macro_rules!", "mark!", "marker!", "    include!(\"part", "    include!(concat"];
    macros.iter().any(|item| line.contains(item))
}

impl Function {
    /// Without macros among the items, nothing includes some of the files.
    fn place_with(&self, item_macros: bool) -> usize {
        let is_included = ["src/part.rs", "src/computed.in"].contains(&PLACES[self.place].0);
        if is_included && !item_macros { 0 } else { self.place }
    }

    fn text(&self, open: &str, close: &str, item_macros: bool) -> String {
        let (beside, content) = CONTENTS[self.content];
        let has_macro = has_item_macro(beside) || has_item_macro(content);
        let (beside, content) =
            if has_macro && !item_macros { CONTENTS[1] } else { (beside, content) };
        let blocks = [("{", "}"), ("let c = move || {", "}; c();"), ("if true {", "}")];
        let around: Vec<_> = blocks.iter().cycle().take(self.depth).collect();
        let opened: String = around.iter().map(|(open, _)| *open).collect();
        let closed: String = around.iter().rev().map(|(_, close)| *close).collect();
        let [first, _, last] = self.statements.map(|at| STATEMENTS[at]);
        let is_module = !open.contains("impl") && !open.contains("trait");
        let beside = self.with_attributes(beside);
        let (outside, inside) = if is_module { ("", &*beside) } else { (&*beside, "") };
        let public = if open.contains("trait") { "" } else { "pub " };
        format!(
            "{outside}\n{open}\n    {inside}\n    {public}fn f@F() {{\n        {first}\n        {opened} \
             {content} {closed}\n        {last}\n    }}\n{close}\n"
        )
    }
}

impl Function {
    /// The items beside the function, with attributes on types.
    fn with_attributes(&self, items: &str) -> String {
        let mut number = 0;
        let mut with = String::new();
        for (at, part) in items.split("pub struct ").enumerate() {
            if at > 0 {
                number += 1;
                let has_one = self.own == 1 || (self.own == 2 && number % 2 == 0);
                with += if has_one { "#[playground_api::prelude::own_identity] " } else { "" };
                with += "pub struct ";
            }
            with += part;
        }
        with
    }
}

fn filled(text: &str, types: [usize; 2], swapped: bool) -> String {
    let [(one, one_value), (two, two_value)] = types.map(|at| TYPES[at]);
    let (first, second) = if swapped { ("large", "small") } else { ("small", "large") };
    let condition = if swapped { "debug_assertions" } else { "not(debug_assertions)" };
    text.replace("@T", one)
        .replace("@U", two)
        .replace("@V", one_value)
        .replace("@W", two_value)
        .replace("@N", &(types[0] + 1).to_string())
        .replace("@M", &(types[1] + 1).to_string())
        .replace("@A", first)
        .replace("@B", second)
        .replace("@1", if swapped { "one" } else { "two" })
        .replace("@2", if swapped { "Part" } else { "Other" })
        .replace("R#", "r#")
        .replace("@cfg", condition)
}
