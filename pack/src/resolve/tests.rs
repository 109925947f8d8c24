//! Resolution as a table, and against a solver that tries everything.

mod random;

use std::collections::BTreeSet;

use super::*;
use crate::manifest::Kind;

/// `core_x 0.1 requires core_y ^0.1 conflicts core_z *`
fn module(text: &str) -> Module {
    let mut words = text.split_whitespace();
    let id = words.next().unwrap();
    let mut module = Module {
        id: id.to_owned(),
        kind: Kind::of_name(id).unwrap(),
        version: version(words.next().unwrap()),
        requires: BTreeMap::new(),
        optional: BTreeMap::new(),
        conflicts: BTreeMap::new(),
        after: BTreeSet::new(),
        before: BTreeSet::new(),
    };
    while let Some(relation) = words.next() {
        let other = words.next().unwrap().to_owned();
        let mut versions = || words.next().unwrap().parse::<VersionReq>().unwrap();
        match relation {
            "requires" => _ = module.requires.insert(other, versions()),
            "optional" => _ = module.optional.insert(other, versions()),
            "conflicts" => _ = module.conflicts.insert(other, versions()),
            "after" => _ = module.after.insert(other),
            "before" => _ = module.before.insert(other),
            _ => panic!("{text}"),
        }
    }
    module
}

/// `1`, `1.2` or `1.2.3`
fn version(text: &str) -> Version {
    let mut numbers = text.split('.').map(|number| number.parse().unwrap());
    let mut next = || numbers.next().unwrap_or(0);
    Version::new(next(), next(), next())
}

/// A game 0.1.0 with a few modules; `off` are those that are switched off.
fn game(off: &[&str], packs: Vec<Offer>) -> Catalog {
    let modules = [
        "core_arena 0.1",
        "systems_combat 0.1 requires core_arena ^0.1",
        "plugins_hud 0.1 requires core_arena ^0.1",
        "plugins_trails 0.1 requires core_arena ^0.1",
    ];
    let built_in = modules.map(module).map(|module| {
        let is_on = !off.contains(&module.id.as_str());
        BuiltIn { module, is_on }
    });
    Catalog { game: version("0.1"), api: version("0.1"), built_in: built_in.into(), packs }
}

/// `boss 1.0` with its modules.
fn pack(name: &str, modules: &[&str]) -> Offer {
    let (id, own) = name.split_once(' ').unwrap();
    Offer {
        id: id.to_owned(),
        version: version(own),
        game: "^0.1".parse().unwrap(),
        api: "^0.1".parse().unwrap(),
        modules: modules.iter().map(|text| module(text)).collect(),
    }
}

/// `boss` or `boss 1.0`
fn want(text: &str) -> Want {
    match text.split_once(' ') {
        Some((pack, own)) => Want { pack: pack.to_owned(), version: Some(version(own)) },
        None => Want { pack: text.to_owned(), version: None },
    }
}

/// The packs that run, as `boss 1.0.0`, or the clash.
fn solved(catalog: &Catalog, wants: &[&str]) -> Result<Vec<String>, Clash> {
    let wants: Vec<Want> = wants.iter().map(|text| want(text)).collect();
    let resolution = resolve(catalog, &wants)?;
    Ok(resolution.packs.iter().map(|(id, version)| format!("{id} {version}")).collect())
}

#[test]
fn what_goes_together_runs() {
    let boss = |version: &str, requires: &str| {
        pack(&format!("boss {version}"), &[&format!("systems_boss {version} {requires}")])
    };
    let library =
        |version: &str| pack(&format!("library {version}"), &[&format!("core_library {version}")]);
    for (packs, wants, expected) in [
        (vec![], &[][..], &[][..]),
        (vec![boss("1.0", "requires core_arena ^0.1")], &["boss"], &["boss 1.0.0"]),
        // Not wanted.
        (vec![boss("1.0", "")], &[], &[]),
        // The newest that fits.
        (vec![boss("1.0", ""), boss("1.1", "")], &["boss"], &["boss 1.1.0"]),
        (vec![boss("1.0", ""), boss("1.1", "")], &["boss 1.0"], &["boss 1.0.0"]),
        (
            vec![boss("1.0", ""), boss("1.1", "requires core_arena ^0.2")],
            &["boss"],
            &["boss 1.0.0"],
        ),
        (vec![boss("1.0", ""), boss("1.1", "conflicts plugins_hud *")], &["boss"], &["boss 1.0.0"]),
        // What is required comes along, in the version that fits.
        (
            vec![
                boss("1.0", "requires core_library ^1"),
                library("1.0"),
                library("1.5"),
                library("2.0"),
            ],
            &["boss"],
            &["boss 1.0.0", "library 1.5.0"],
        ),
        (
            vec![boss("1.0", "requires core_library ^1"), library("1.0"), library("1.5")],
            &["boss", "library 1.0"],
            &["boss 1.0.0", "library 1.0.0"],
        ),
        // Optional: not fetched for its own sake, and not in another version.
        (vec![boss("1.0", "optional core_library ^1"), library("1.0")], &["boss"], &["boss 1.0.0"]),
        (
            vec![boss("1.0", ""), boss("1.1", "optional core_library ^2"), library("1.0")],
            &["boss", "library"],
            &["boss 1.0.0", "library 1.0.0"],
        ),
        // Conflicts only with what runs, and only in those versions.
        (vec![boss("1.0", "conflicts core_library *"), library("1.0")], &["boss"], &["boss 1.0.0"]),
        (
            vec![boss("1.0", "conflicts core_library ^1"), library("1.0"), library("2.0")],
            &["boss", "library"],
            &["boss 1.0.0", "library 2.0.0"],
        ),
    ] {
        let found =
            solved(&game(&[], packs), wants).unwrap_or_else(|clash| panic!("{wants:?}: {clash}"));
        assert_eq!(found, expected, "{wants:?}");
    }
}

#[test]
fn modules_that_are_switched_off_run_only_where_they_are_required() {
    let packs = || {
        vec![
            pack("glow 1.0", &["plugins_glow 1 requires plugins_trails ^0.1"]),
            pack("calm 1.0", &["plugins_calm 1 conflicts plugins_trails *"]),
        ]
    };
    let runs = |off: &[&str], wants: &[&str]| {
        let wants: Vec<Want> = wants.iter().map(|text| want(text)).collect();
        let resolution = resolve(&game(off, packs()), &wants).ok()?;
        Some(resolution.modules.contains_key("plugins_trails"))
    };
    assert_eq!(runs(&[], &[]), Some(true));
    assert_eq!(runs(&["plugins_trails"], &[]), Some(false));
    assert_eq!(runs(&["plugins_trails"], &["glow"]), Some(true));
    assert_eq!(runs(&[], &["calm"]), None);
    assert_eq!(runs(&["plugins_trails"], &["calm"]), Some(false));
    assert_eq!(runs(&["plugins_trails"], &["calm", "glow"]), None);
}

#[test]
fn a_clash_is_told_with_what_would_help() {
    let newer = |offer: Offer| Offer { game: "^0.2".parse().unwrap(), ..offer };
    for (packs, wants, facts, help) in [
        (
            vec![],
            &["boss"][..],
            &["pack `boss` is wanted", "there is no pack `boss`"][..],
            "leave pack `boss` out",
        ),
        (
            vec![pack("boss 1.1", &["systems_boss 1"])],
            &["boss 1.0"],
            &["pack `boss` 1.0.0 is wanted", "of pack `boss` there is 1.1.0"],
            "change pack `boss` from 1.0.0 to 1.1.0",
        ),
        (
            vec![newer(pack("boss 1.0", &["systems_boss 1"]))],
            &["boss"],
            &["pack `boss` 1.0.0 is for the game ^0.2, and this is 0.1.0"],
            "leave pack `boss` out",
        ),
        (
            vec![pack("boss 1.0", &["systems_boss 1 requires core_arena ^0.2"])],
            &["boss 1.0"],
            &[
                "`systems_boss` 1.0.0 of pack `boss` 1.0.0 requires `core_arena` ^0.2",
                "of module `core_arena` there is 0.1.0 of the game",
            ],
            "leave pack `boss` out",
        ),
        (
            vec![pack("boss 1.0", &["systems_boss 1 requires core_library ^1"])],
            &["boss 1.0"],
            &["requires `core_library` ^1", "there is no module `core_library`"],
            "leave pack `boss` out",
        ),
        // Another version that is there.
        (
            vec![
                pack("boss 1.0", &["systems_boss 1 requires core_arena ^0.2"]),
                pack("boss 0.9", &["systems_boss 0.9"]),
            ],
            &["boss 1.0"],
            &["requires `core_arena` ^0.2"],
            "change pack `boss` from 1.0.0 to 0.9.0",
        ),
        // Two packs that need different versions of a third one.
        (
            vec![
                pack("a 1.0", &["systems_a 1 requires core_library ^1"]),
                pack("b 1.0", &["systems_b 1 requires core_library ^2"]),
                pack("library 1.0", &["core_library 1"]),
                pack("library 2.0", &["core_library 2"]),
            ],
            &["a 1.0", "b 1.0"],
            &[
                "`systems_a` 1.0.0 of pack `a` 1.0.0 requires `core_library` ^1",
                "`systems_b` 1.0.0 of pack `b` 1.0.0 requires `core_library` ^2",
            ],
            "leave pack `a` out, and add pack `library` 2.0.0",
        ),
        // A module of the game that stands in the way.
        (
            vec![pack("calm 1.0", &["plugins_calm 1 conflicts plugins_trails *"])],
            &["calm 1.0"],
            &["cannot run beside `plugins_trails` *", "the game runs `plugins_trails` 0.1.0"],
            "switch `plugins_trails` off",
        ),
        // Two packs with the same module.
        (
            vec![pack("a 1.0", &["systems_x 1"]), pack("b 1.0", &["systems_x 2"])],
            &["a 1.0", "b 1.0"],
            &["pack `a` 1.0.0 holds `systems_x`", "pack `b` 1.0.0 holds `systems_x`"],
            "leave pack `a` out",
        ),
        // A pack with a module of the game.
        (
            vec![pack("a 1.0", &["plugins_hud 9"])],
            &["a 1.0"],
            &["pack `a` 1.0.0 holds `plugins_hud`", "the game runs `plugins_hud` 0.1.0"],
            "switch `plugins_hud` off",
        ),
        // Two steps: neither pack goes with the game's HUD, which others need.
        (
            vec![
                pack("a 1.0", &["systems_a 1 conflicts core_arena *"]),
                pack("b 1.0", &["systems_b 1 conflicts core_arena *"]),
            ],
            &["a 1.0", "b 1.0"],
            &["cannot run beside `core_arena` *"],
            "leave pack `a` out, and leave pack `b` out",
        ),
    ] {
        let clash = solved(&game(&[], packs), wants).expect_err(facts[0]);
        for fact in facts {
            let is_told = clash.facts.iter().any(|told| told.contains(fact));
            assert!(is_told, "{fact} is not in\n{clash}");
        }
        let text = clash.to_string();
        assert!(text.ends_with(&format!("what would help: {help}")), "{help} is not in\n{text}");
    }
}

fn order(modules: &[&str], shuffle: Option<u64>) -> Result<Vec<String>, Cycle> {
    let modules: Vec<Module> = modules.iter().map(|text| module(text)).collect();
    load_order(&modules, shuffle)
}

#[test]
fn modules_are_loaded_after_what_they_need() {
    let modules = [
        "apps_a 1 requires systems_b ^1 optional plugins_x *",
        "systems_b 1 requires core_z ^1 before plugins_x",
        "core_z 1",
        "core_a 1 after core_z",
        "plugins_x 1 after plugins_missing",
    ];
    let expected = ["core_z", "core_a", "systems_b", "plugins_x", "apps_a"];
    assert_eq!(order(&modules, None).unwrap(), expected);
    let mut orders = BTreeSet::new();
    for seed in 0..50 {
        let shuffled = order(&modules, Some(seed)).unwrap();
        assert_eq!(shuffled, order(&modules, Some(seed)).unwrap(), "the same seed");
        let at = |id: &str| shuffled.iter().position(|other| other == id).unwrap();
        for (first, second) in [
            ("core_z", "systems_b"),
            ("core_z", "core_a"),
            ("systems_b", "plugins_x"),
            ("systems_b", "apps_a"),
            ("plugins_x", "apps_a"),
        ] {
            assert!(at(first) < at(second), "{shuffled:?}");
        }
        orders.insert(shuffled);
    }
    // `core_a` has four places.
    assert_eq!(orders.len(), 4, "{orders:?}");
}

#[test]
fn a_cycle_is_named() {
    let cycle = order(
        &["core_a 1 after core_c", "core_b 1 after core_a", "core_c 1 after core_b", "core_d 1"],
        None,
    );
    let cycle = cycle.expect_err("a cycle");
    assert_eq!(cycle.0.len(), 3, "{cycle:?}");
    let text = cycle.to_string();
    assert!(
        text.contains(
            "`core_a` has to be loaded before `core_b`, that before `core_c`, that before `core_a`"
        ) || text.contains(
            "`core_b` has to be loaded before `core_c`, that before `core_a`, that before `core_b`"
        ) || text.contains(
            "`core_c` has to be loaded before `core_a`, that before `core_b`, that before `core_c`"
        ),
        "{text}"
    );
    let own =
        order(&["core_a 1 before core_b", "core_b 1 before core_a"], Some(3)).expect_err("a cycle");
    assert_eq!(own.0.len(), 2);
}

#[test]
fn a_relation_to_itself_counts() {
    let resolved = |module: &str| {
        let catalog = game(&[], vec![pack("odd 1", &[module])]);
        solved(&catalog, &["odd"]).map_err(|clash| clash.facts)
    };
    assert!(resolved("core_odd 1.1 requires core_odd ^1 optional core_odd ^1").is_ok());
    assert!(resolved("core_odd 1.1 conflicts core_odd ^2").is_ok());
    for (module, fact) in [
        ("core_odd 1.1 requires core_odd ^2", "requires itself as ^2"),
        ("core_odd 1.1 optional core_odd ^2", "requires itself as ^2"),
        ("core_odd 1.1 conflicts core_odd *", "conflicts with itself"),
    ] {
        let facts = resolved(module).expect_err(module);
        let expected = format!("`core_odd` 1.1.0 of pack `odd` 1.0.0 {fact}");
        assert!(facts.contains(&expected), "{facts:?}");
    }
}
