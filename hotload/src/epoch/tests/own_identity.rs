//! Types with an identity of their own: which edits change whose identity.

use super::*;

const OWN: &str = r#"
use playground_api::prelude::*;
use crate::scores::Score as Points;

export_module! { kind: Plugins, requires: {}, persist: [Brick, Wall], build: build }

#[persist]
#[derive(Component, Default)]
pub struct Brick { #[persist(rename = "number")] pub hits: u8, #[serde(default)] kind: Kind }

/// A part of bricks.
#[own_identity]
#[derive(Default)]
enum Kind { #[default] Soft, Hard(Hardness), Score, Grid }

type Hardness = u8;

#[persist]
#[derive(Component)]
#[require(Marker)]
pub struct Wall { bricks: Vec<Brick>, width: [u8; WIDTH] }

const WIDTH: usize = 2;

#[own_identity]
#[derive(Component)]
#[component(on_remove = gone)]
struct Marker;

fn gone(world: DeferredWorld, _: HookContext) { count_one(world) }
fn count_one(world: DeferredWorld) { add(1) }

#[own_identity]
#[derive(Resource, Hash)]
struct Grid { cells: Vec<Cell> }

#[derive(Hash)]
struct Cell(u8);

impl Drop for Brick { fn drop(&mut self) { broken(self.hits) } }
fn broken(hits: u8) { print(hits) }
impl Default for Marker { fn default() -> Self { Marker } }
impl Brick { fn hit(&mut self) { self.hits += 1 } }

pub mod scores {
    #[own_identity]
    #[derive(Resource)]
    pub struct Score(pub u32);
}

#[own_identity]
struct Timed<T>(T);

impl<T> Drop for Timed<T> { fn drop(&mut self) { stop() } }
fn stop() { end(1) }

fn build(module: &mut ModuleApp) { module.add_systems(Update, (fall, show)); }
fn fall(bricks: Query<&mut Brick>) { let speed = 2; }
fn show(walls: Query<&Wall>) {}
"#;

const ALL: [&str; 7] = ["Brick", "Grid", "Kind", "Marker", "Score", "Timed", "Wall"];

fn identity_of(lib: &str, cores: &CoreFacts, core: &str) -> (Identity, Facts) {
    let sources = [(PathBuf::from("src/lib.rs"), lib.to_owned())];
    identity(&folder(), &sources, &[core], cores)
}

/// The types whose identity an edit changes: names of types, `crate` for all others.
fn changed(before: &Identity, after: &Identity) -> Vec<String> {
    let names =
        before.types.keys().filter(|name| after.types.get(*name) != before.types.get(*name));
    let mut changed: Vec<String> = names.cloned().collect();
    if before.crate_epoch != after.crate_epoch {
        changed.push("crate".to_owned());
    }
    assert_eq!(before.epoch == after.epoch, before == after);
    changed
}

#[test]
fn types_with_the_attribute_have_an_identity() {
    let (all, _) = identity_of(OWN, &CoreFacts::new(), "");
    assert_eq!(all.types.keys().collect::<Vec<_>>(), ALL);
    assert_eq!(all.types["Score"].module, "scores");
    assert_eq!(all.types["Brick"].module, "");
}

#[test]
fn an_edit_changes_a_type_and_what_contains_it() {
    const NONE: [&str; 0] = [];
    let table: &[(&str, &str, &[&str])] = &[
        ("pub hits: u8", "pub hits: u16", &["Brick", "Wall"]),
        ("pub hits: u8,", "pub hits: u8, worth: f32,", &["Brick", "Wall"]),
        ("Hard(Hardness)", "Hard(Hardness), Iron", &["Brick", "Kind", "Wall"]),
        ("type Hardness = u8", "type Hardness = u16", &["Brick", "Kind", "Wall"]),
        ("WIDTH: usize = 2", "WIDTH: usize = 3", &["Wall"]),
        ("bricks: Vec<Brick>", "bricks: Box<[Brick]>", &["Wall"]),
        ("cells: Vec<Cell>", "cells: Vec<Cell>, size: u8", &["Grid"]),
        ("pub struct Score(pub u32)", "pub struct Score(pub u64)", &["Score"]),
        ("struct Marker;", "struct Marker(u8);", &["Marker", "Wall"]),
        ("struct Timed<T>(T)", "struct Timed<T>(T, u8)", &["Timed"]),
        ("#[derive(Component)]\n#[require", "#[derive(Component, Clone)]\n#[require", &["Wall"]),
        // Attached code.
        ("broken(self.hits) }", "broken(self.hits + 1) }", &["Brick", "Wall"]),
        ("{ print(hits) }", "{ print(hits + 1) }", &["Brick", "Wall"]),
        (
            "impl Drop for Brick { fn drop(&mut self) { broken(self.hits) } }\n",
            "",
            &["Brick", "Wall"],
        ),
        ("Self { Marker }", "Self { add(2); Marker }", &["Marker", "Wall"]),
        ("{ add(1) }", "{ add(2) }", &["Marker", "Wall"]),
        ("{ end(1) }", "{ end(2) }", &["Timed"]),
        ("impl Default for", "impl Hash for Marker {} impl Default for", &["Marker", "Wall"]),
        // A type without the attribute, and what contains it.
        ("struct Cell(u8)", "struct Cell(u16)", &["crate"]),
        ("fn build", "trait Named {}\nfn build", &["crate"]),
        ("fn build", "struct Other(Brick);\nfn build", &["crate"]),
        (
            "fn build",
            "impl From<Brick> for u8 { fn from(_: Brick) -> u8 { 1 } }\nfn build",
            &["crate"],
        ),
        // Neither.
        ("let speed = 2", "let speed = 3", &NONE),
        (
            "fn fall(bricks: Query<&mut Brick>)",
            "fn fall(bricks: Query<&Brick>, t: Res<Time>)",
            &NONE,
        ),
        ("fn show(", "fn added() {}\nfn show(", &NONE),
        ("self.hits += 1", "self.hits += 2", &NONE),
        ("/// A part of bricks.", "/// Part of a brick.", &NONE),
        ("persist: [Brick, Wall]", "persist: [Brick]", &NONE),
        ("fn build", "#[own_identity]\nstruct New(u8);\nfn build", &NONE),
    ];
    let (before, _) = identity_of(OWN, &CoreFacts::new(), "");
    for (from, to, expected) in table {
        assert!(OWN.contains(from), "{from}");
        let edited = OWN.replacen(from, to, 1);
        syn::parse_file(&edited).unwrap_or_else(|error| panic!("{to}: {error}"));
        let (after, _) = identity_of(&edited, &CoreFacts::new(), "");
        assert_eq!(changed(&before, &after), *expected, "{from} -> {to}");
    }
}

#[test]
fn in_doubt_a_type_has_the_identity_of_its_crate() {
    let table = [
        (
            "an attribute behind a derive",
            "#[derive(Component, Persist)] #[persist] struct Brick(u8);",
        ),
        ("another macro", "use other::own_identity; #[own_identity] struct Brick(u8);"),
        ("perhaps another macro", "use other::*; #[own_identity] struct Brick(u8);"),
        ("another module's macro", "#[other::own_identity] struct Brick(u8);"),
        ("only at times", "#[cfg_attr(x, own_identity)] struct Brick(u8);"),
        ("changed at times", "#[own_identity] #[cfg_attr(x, derive(Clone))] struct Brick(u8);"),
        ("two types", "#[own_identity] struct Brick(u8); mod a { struct Brick(u16); }"),
        ("an alias", "#[own_identity] struct Brick(u8); mod a { type Brick = u16; }"),
        ("another name", "#[own_identity] struct Brick(u8); mod a { use super::B as Brick; }"),
        ("in a function", "fn f() { #[own_identity] struct Brick(u8); }"),
        ("in a constant", "const _: () = { #[own_identity] struct Brick(u8); };"),
        ("a macro among the items", "#[own_identity] struct Brick(u8); make!(Brick);"),
        ("items in it", "#[own_identity] struct Brick([u8; { struct X; 4 }]);"),
    ];
    for (case, lib) in table {
        let lib = format!("use playground_api::prelude::*; {lib}");
        syn::parse_file(&lib).unwrap_or_else(|error| panic!("{case}: {error}"));
        let (all, _) = identity_of(&lib, &CoreFacts::new(), "");
        assert_eq!(all.types, BTreeMap::new(), "{case}");
        let (edited, _) = identity_of(&lib.replace("u8", "u32"), &CoreFacts::new(), "");
        assert_ne!(all.crate_epoch, edited.crate_epoch, "{case}");
    }
    let outside = "#[playground_api::prelude::own_identity] struct Brick(u8);";
    assert_eq!(identity_of(outside, &CoreFacts::new(), "").0.types.len(), 1);
}

#[test]
fn closures_in_impls_count_in_the_crate() {
    let lib = "use playground_api::prelude::*; #[own_identity] struct Brick(u8); \
        impl Default for Brick { fn default() -> Self { Brick((|| 1)()) } }";
    let (before, _) = identity_of(lib, &CoreFacts::new(), "");
    let (after, _) = identity_of(&lib.replace("1)", "2)"), &CoreFacts::new(), "");
    assert_eq!(changed(&before, &after), ["crate"]);
}

#[test]
fn types_of_a_core_count_where_they_are_named() {
    let core = "use playground_api::prelude::*; \
        #[own_identity] pub struct Brick(u8); #[own_identity] pub struct Ball(u8); \
        pub struct Paddle(u8); impl Drop for Ball { fn drop(&mut self) { say(1) } }";
    let lib = "use playground_api::prelude::*; use core_a::{Ball, Brick}; \
        #[own_identity] struct Wall(Vec<Brick>); #[own_identity] struct Court(Ball); \
        #[own_identity] struct Other(u8); fn fall(bricks: Query<&Brick>, balls: Query<&Ball>) {}";
    let with = |core: &str, lib: &str| {
        let (below, facts) = identity_of(core, &CoreFacts::new(), "");
        let cores = CoreFacts::from([(ModuleId::from("core_a"), Arc::new(facts))]);
        identity_of(lib, &cores, &format!("core_a={}", below.crate_epoch)).0
    };
    let before = with(core, lib);
    let edited = |from: &str, to: &str| {
        assert!(core.contains(from), "{from}");
        changed(&before, &with(&core.replacen(from, to, 1), lib))
    };
    assert_eq!(edited("Brick(u8)", "Brick(u16)"), ["Wall"]);
    assert_eq!(edited("Ball(u8)", "Ball(u16)"), ["Court"]);
    assert_eq!(edited("say(1)", "say(2)"), ["Court"]);
    assert_eq!(edited("Paddle(u8)", "Paddle(u16)"), ["crate"]);

    let lib = &format!("{lib} struct Plain(Ball);");
    let plain = with(core, lib);
    let edited = |to: &str| changed(&plain, &with(&core.replacen("Ball(u8)", to, 1), lib));
    assert_eq!(edited("Ball(u16)"), ["Court", "crate"]);
}
