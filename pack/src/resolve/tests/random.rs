//! Small random catalogs, solved by trying everything.

use proptest::prelude::*;

use super::*;

const PACKS: [&str; 4] = ["a", "b", "c", "d"];
const MODULES: [&str; 6] = ["core_p", "core_q", "systems_r", "systems_s", "plugins_t", "plugins_u"];
/// Only the game has these.
const OF_GAME: [&str; 2] = ["core_g", "plugins_h"];

fn versions() -> impl Strategy<Value = VersionReq> {
    prop_oneof![Just("*"), Just("^1"), Just("^2"), Just(">=1.1"), Just("=1.0.0")]
        .prop_map(|text| text.parse().unwrap())
}

fn relations() -> impl Strategy<Value = BTreeMap<String, VersionReq>> {
    let names: Vec<&str> = MODULES.iter().chain(&OF_GAME).copied().collect();
    let one = (proptest::sample::select(names), versions());
    proptest::collection::vec(one, 0..2)
        .prop_map(|all| all.into_iter().map(|(id, versions)| (id.to_owned(), versions)).collect())
}

fn any_version() -> impl Strategy<Value = Version> {
    prop_oneof![Just("1.0"), Just("1.1"), Just("2.0")].prop_map(version)
}

prop_compose! {
    fn any_module(id: &'static str)(
        version in any_version(),
        requires in relations(),
        optional in relations(),
        conflicts in relations(),
    ) -> Module {
        let mut module = module(&format!("{id} 1"));
        module.version = version;
        (module.requires, module.optional, module.conflicts) = (requires, optional, conflicts);
        module
    }
}

prop_compose! {
    fn any_offer()(
        id in proptest::sample::select(&PACKS[..]),
        version in any_version(),
        fits in prop::bool::weighted(0.9),
        modules in proptest::sample::subsequence(&MODULES[..], 1..3)
            .prop_flat_map(|ids| ids.into_iter().map(any_module).collect::<Vec<_>>()),
    ) -> Offer {
        let game = if fits { "^0.1" } else { "^0.2" }.parse().unwrap();
        Offer { id: id.to_owned(), version, game, api: VersionReq::STAR, modules }
    }
}

prop_compose! {
    fn any_catalog()(
        offers in proptest::collection::vec(any_offer(), 0..6),
        on in proptest::array::uniform2(any::<bool>()),
        of_game in (any_module("core_g"), any_module("plugins_h")),
    ) -> Catalog {
        let mut packs: BTreeMap<(String, Version), Offer> = BTreeMap::new();
        for offer in offers {
            packs.insert((offer.id.clone(), offer.version.clone()), offer);
        }
        // What the game runs by itself goes together.
        let plain = |module: Module| Module {
            requires: BTreeMap::new(),
            optional: BTreeMap::new(),
            conflicts: BTreeMap::new(),
            ..module
        };
        let built_in = [(plain(of_game.0), on[0]), (of_game.1, on[1])];
        let built_in = built_in.map(|(module, is_on)| BuiltIn { module, is_on });
        Catalog {
            game: version("0.1"),
            api: version("0.1"),
            built_in: built_in.into(),
            packs: packs.into_values().collect(),
        }
    }
}

fn any_wants() -> impl Strategy<Value = Vec<Want>> {
    let one = (proptest::sample::select(&PACKS[..]), proptest::option::of(any_version()));
    proptest::collection::vec(one, 0..3).prop_map(|all| {
        let by_pack: BTreeMap<&str, Option<Version>> = all.into_iter().collect();
        let want =
            |(pack, version): (&str, Option<Version>)| Want { pack: pack.to_owned(), version };
        by_pack.into_iter().map(want).collect()
    })
}

/// True if everything that is wanted runs, and nothing that runs is against it.
fn holds(catalog: &Catalog, wants: &[Want], packs: &[&Offer], modules: &[&Module]) -> bool {
    let runs = |id: &str| modules.iter().find(|module| module.id == id);
    let mut ids: Vec<&str> = modules.iter().map(|module| module.id.as_str()).collect();
    ids.sort_unstable();
    let are_different = ids.windows(2).all(|pair| pair[0] != pair[1]);
    let are_related = modules.iter().all(|module| {
        let matches = |other: &str, versions: &VersionReq| {
            runs(other).map(|other| versions.matches(&other.version))
        };
        module.requires.iter().all(|(id, it)| matches(id, it) == Some(true))
            && module.optional.iter().all(|(id, it)| matches(id, it) != Some(false))
            && module.conflicts.iter().all(|(id, it)| matches(id, it) != Some(true))
    });
    let are_wanted = wants.iter().all(|want| {
        packs.iter().any(|offer| {
            offer.id == want.pack && want.version.as_ref().is_none_or(|it| *it == offer.version)
        })
    });
    let fit = packs.iter().all(|it| it.game.matches(&catalog.game) && it.api.matches(&catalog.api));
    are_different && are_related && are_wanted && fit
}

/// Tries every set of packs, and of modules that are switched off.
fn can_be_solved(catalog: &Catalog, wants: &[Want]) -> bool {
    let mut sets: Vec<Vec<&Offer>> = vec![Vec::new()];
    for id in PACKS {
        for set in sets.clone() {
            let versions = catalog.packs.iter().filter(|offer| offer.id == id);
            sets.extend(versions.map(|offer| [&set[..], &[offer]].concat()));
        }
    }
    let (on, off): (Vec<&BuiltIn>, Vec<&BuiltIn>) =
        catalog.built_in.iter().partition(|built_in| built_in.is_on);
    sets.iter().any(|packs| {
        (0..1_u32 << off.len()).any(|joins| {
            let joining = off.iter().enumerate().filter(|(at, _)| joins >> at & 1 == 1);
            let of_game = on.iter().copied().chain(joining.map(|(_, it)| *it));
            let mut modules: Vec<&Module> = of_game.map(|it| &it.module).collect();
            modules.extend(packs.iter().flat_map(|offer| &offer.modules));
            holds(catalog, wants, packs, &modules)
        })
    })
}

/// The same with some of the changes made.
fn changed(catalog: &Catalog, wants: &[Want], changes: &[Change]) -> (Catalog, Vec<Want>) {
    let (mut catalog, mut wants) = (catalog.clone(), wants.to_vec());
    for change in changes {
        match change {
            Change::Update { pack, to, .. } => {
                let want = wants.iter_mut().find(|want| want.pack == *pack).unwrap();
                want.version = Some(to.clone());
            }
            Change::SwitchOff { module } => {
                catalog.built_in.retain(|built_in| built_in.module.id != *module);
            }
            Change::Remove { pack } => wants.retain(|want| want.pack != *pack),
            Change::Add { pack, version } => {
                wants.push(Want { pack: pack.clone(), version: Some(version.clone()) });
            }
        }
    }
    (catalog, wants)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

    #[test]
    fn what_can_be_solved_is_solved(catalog in any_catalog(), wants in any_wants()) {
        match resolve(&catalog, &wants) {
            Ok(resolution) => {
                let runs = |offer: &&Offer| resolution.packs.get(&offer.id) == Some(&offer.version);
                let packs: Vec<&Offer> = catalog.packs.iter().filter(runs).collect();
                prop_assert_eq!(packs.len(), resolution.packs.len());
                let own = catalog.built_in.iter().map(|it| (&it.module, Provider::Game));
                let of_packs = packs.iter().flat_map(|offer| {
                    let provider = Provider::Pack(offer.id.clone(), offer.version.clone());
                    offer.modules.iter().map(move |module| (module, provider.clone()))
                });
                let runs = |(module, provider): &(&Module, Provider)| {
                    resolution.modules.get(&module.id).is_some_and(|(version, by)| {
                        *version == module.version && by == provider
                    })
                };
                let modules: Vec<&Module> =
                    own.chain(of_packs).filter(runs).map(|(module, _)| module).collect();
                prop_assert_eq!(modules.len(), resolution.modules.len());
                let expected = packs.iter().map(|offer| offer.modules.len()).sum::<usize>();
                let own = catalog.built_in.iter().filter(|it| it.is_on).count();
                prop_assert!(modules.len() >= expected + own, "all modules of all packs");
                prop_assert!(holds(&catalog, &wants, &packs, &modules), "{:?}", resolution);
            }
            Err(clash) => {
                prop_assert!(!can_be_solved(&catalog, &wants), "{}", clash);
                prop_assert!(!clash.facts.is_empty());
                let (after, wanted) = changed(&catalog, &wants, &clash.changes);
                if !clash.changes.is_empty() {
                    prop_assert!(can_be_solved(&after, &wanted), "{}", clash);
                }
                // No step alone helps where two were named.
                let steps = clash.changes.iter().filter(|it| !matches!(it, Change::Add { .. }));
                if steps.count() > 1 {
                    for pack in PACKS {
                        let change = Change::Remove { pack: pack.to_owned() };
                        let (after, wanted) = changed(&catalog, &wants, &[change]);
                        let is_other = wanted.len() < wants.len();
                        prop_assert!(!is_other || !can_be_solved(&after, &wanted), "{}", clash);
                    }
                }
            }
        }
    }
}
