use super::*;

fn module(kind: Kind, id: &str, requires: &[(&str, &str)]) -> (ModuleId, Manifest) {
    let requires = requires
        .iter()
        .map(|(id, version)| ((*id).into(), VersionReq::parse(version).unwrap()))
        .collect();
    let manifest = Manifest {
        kind,
        id: id.into(),
        version: Version::new(0, 1, 0),
        abi: "abi".into(),
        epoch: "-".into(),
        crate_epoch: "-".into(),
        types: BTreeMap::new(),
        cores: BTreeMap::new(),
        requires,
        persisted: Vec::new(),
        dropped: Vec::new(),
    };
    (id.into(), manifest)
}

fn check(modules: Vec<(ModuleId, Manifest)>) -> Result<Vec<ModuleId>, String> {
    check_graph(&modules.into_iter().collect()).map_err(|error| error.to_string())
}

#[test]
fn what_is_required_comes_first() {
    let modules = vec![
        module(Kind::Apps, "app", &[("sys", "0.1"), ("hud", "0.1")]),
        module(Kind::Core, "z_core", &[]),
        module(Kind::Systems, "sys", &[("z_core", "^0.1")]),
        module(Kind::Plugins, "hud", &[("z_core", "*")]),
    ];
    let order = check(modules.clone()).unwrap();
    let place = |id: &str| order.iter().position(|found| found == id).unwrap();
    assert!(place("z_core") < place("sys") && place("sys") < place("app"));
    assert!(place("z_core") < place("hud") && place("hud") < place("app"));
    assert_eq!(check(modules).unwrap(), order);
}

#[test]
fn each_fault_is_named() {
    let error = check(vec![module(Kind::Apps, "app", &[("sys", "^0.1")])]).unwrap_err();
    assert!(error.starts_with("H0231: module `app`: expected module `sys` ^0.1"), "{error}");

    let sys = || module(Kind::Systems, "sys", &[]);
    let error = check(vec![module(Kind::Apps, "app", &[("sys", "^2")]), sys()]).unwrap_err();
    assert!(error.contains("`sys` ^2, found version 0.1.0"), "{error}");

    let error = check(vec![module(Kind::Core, "core", &[("sys", "^0.1")]), sys()]).unwrap_err();
    assert!(error.starts_with("H0233") && error.contains("of kind systems"), "{error}");

    let circle = ["a", "b", "c"].into_iter().zip(["b", "c", "a"]);
    let mut modules: Vec<_> =
        circle.map(|(id, next)| module(Kind::Systems, id, &[(next, "*")])).collect();
    modules.push(module(Kind::Systems, "d", &[("a", "*")]));
    let error = check(modules).unwrap_err();
    let circles = ["a → b → c → a", "b → c → a → b", "c → a → b → c"];
    assert!(circles.iter().any(|circle| error.contains(circle)), "{error}");

    let error = check(vec![module(Kind::Systems, "a", &[("a", "*")])]).unwrap_err();
    assert!(error.contains("found a → a."), "{error}");
}

/// Modules that do not fit together, and words of the refusal.
struct GraphFault {
    name: &'static str,
    /// Ids, and what each requires.
    modules: &'static [(&'static str, &'static [(&'static str, &'static str)])],
    code: &'static str,
    reason: &'static str,
    remedy: &'static str,
}

const SHARE: &str = "Move what they share into a core module";
const CHANGE: &str = "Change one of the two versions";

const GRAPH_FAULTS: &[GraphFault] = &[
    GraphFault {
        name: "a module that requires itself",
        modules: &[("a", &[("a", "*")]), ("b", &[])],
        code: "H0234",
        reason: "found a → a.",
        remedy: SHARE,
    },
    GraphFault {
        name: "two that require each other",
        modules: &[("a", &[("b", "*")]), ("b", &[("a", "*")])],
        code: "H0234",
        reason: "→ a",
        remedy: SHARE,
    },
    GraphFault {
        name: "three in a circle",
        modules: &[("a", &[("b", "*")]), ("b", &[("c", "*")]), ("c", &[("a", "*")])],
        code: "H0234",
        reason: "→ c →",
        remedy: SHARE,
    },
    GraphFault {
        name: "a circle that others lead to and from",
        modules: &[
            ("app", &[("x", "*"), ("free", "*")]),
            ("free", &[]),
            ("x", &[("y", "*")]),
            ("y", &[("x", "*"), ("free", "*")]),
        ],
        code: "H0234",
        reason: " → y",
        remedy: SHARE,
    },
    GraphFault {
        name: "a module that is not there",
        modules: &[("a", &[("b", "^0.1")])],
        code: "H0231",
        reason: "module `a`: expected module `b` ^0.1, found none",
        remedy: "Add it under modules/",
    },
    GraphFault {
        name: "a module that is not there, required by the last of many",
        modules: &[("a", &[]), ("b", &[("a", "*")]), ("c", &[("b", "*"), ("d", "=1.2.3")])],
        code: "H0231",
        reason: "module `c`: expected module `d` =1.2.3, found none",
        remedy: "remove it from `requires`",
    },
    GraphFault {
        name: "a name that differs in its case",
        modules: &[("a", &[("B", "*")]), ("b", &[])],
        code: "H0231",
        reason: "expected module `B` *, found none",
        remedy: "Add it under modules/",
    },
    GraphFault {
        name: "a newer version than there is",
        modules: &[("a", &[("b", "^0.2")]), ("b", &[])],
        code: "H0232",
        reason: "module `a`: expected module `b` ^0.2, found version 0.1.0",
        remedy: CHANGE,
    },
    GraphFault {
        name: "an older version than there is",
        modules: &[("a", &[("b", "<0.1")]), ("b", &[])],
        code: "H0232",
        reason: "`b` <0.1, found version 0.1.0",
        remedy: CHANGE,
    },
    GraphFault {
        name: "a version that no release can have",
        modules: &[("a", &[("b", ">0.2, <0.1")]), ("b", &[])],
        code: "H0232",
        reason: "`b` >0.2, <0.1, found version 0.1.0",
        remedy: CHANGE,
    },
    GraphFault {
        name: "a circle and a missing module: what can be seen first",
        modules: &[("a", &[("b", "*")]), ("b", &[("a", "*"), ("c", "*")])],
        code: "H0231",
        reason: "module `b`: expected module `c` *, found none",
        remedy: "Add it under modules/",
    },
];

#[test]
fn each_graph_fault_is_refused() {
    for fault in GRAPH_FAULTS {
        let modules =
            fault.modules.iter().map(|(id, requires)| module(Kind::Systems, id, requires));
        let error = check(modules.collect()).expect_err(fault.name);
        for words in [fault.reason, fault.remedy] {
            assert!(error.contains(words), "{}: {error:?} without {words:?}", fault.name);
        }
        assert!(error.starts_with(fault.code), "{}: {error}", fault.name);
    }
}

/// `count` modules, named from `m00000`; `requires` returns the indices that each one requires.
fn many(count: usize, requires: impl Fn(usize) -> Vec<usize>) -> Vec<(ModuleId, Manifest)> {
    let id = |n: usize| format!("m{n:05}");
    let modules = (0..count).map(|n| {
        let requires: Vec<_> = requires(n).into_iter().map(id).collect();
        let requires: Vec<_> = requires.iter().map(|id| (id.as_str(), "*")).collect();
        module(Kind::Systems, &id(n), &requires)
    });
    modules.collect()
}

/// Asserts that the modules are ordered, each after those that it requires.
fn assert_ordered(modules: Vec<(ModuleId, Manifest)>) {
    let order = check(modules.clone()).unwrap();
    assert_eq!(order.len(), modules.len());
    let places: HashMap<_, _> = order.iter().zip(0..).collect();
    for (id, manifest) in &modules {
        assert!(manifest.requires.keys().all(|required| places[required] < places[id]), "{id}");
    }
}

#[test]
fn ten_thousand_modules_are_ordered() {
    const COUNT: usize = 10_000;
    // In both directions, as the ids have an order of their own.
    assert_ordered(many(COUNT, |n| n.checked_sub(1).into_iter().collect()));
    assert_ordered(many(COUNT, |n| (n + 1 < COUNT).then_some(n + 1).into_iter().collect()));
    assert_ordered(many(COUNT, |n| if n == 0 { Vec::new() } else { vec![0] }));
    assert_ordered(many(COUNT, |n| if n == 0 { (1..COUNT).collect() } else { Vec::new() }));
    // A hundred layers of a hundred, each requiring ten of the layer below.
    let layers = |n: usize| (0..10).filter_map(move |i| (n - n % 100 + i * 7).checked_sub(100));
    assert_ordered(many(COUNT, |n| layers(n).collect()));
    assert_ordered(many(COUNT, |_| Vec::new()));
}

#[test]
fn one_circle_among_ten_thousand_modules_is_found() {
    const COUNT: usize = 10_000;
    let back = |from: usize, to: usize| {
        let requires = |n: usize| {
            let further = (n == from).then_some(to);
            n.checked_sub(1).into_iter().chain(further).collect()
        };
        check(many(COUNT, requires)).unwrap_err()
    };
    // The whole chain, three in its middle, and one at its end.
    let error = back(0, COUNT - 1);
    assert!(error.starts_with("H0234") && error.contains(" → … 9989 more … → "), "{error}");
    let error = back(5_000, 5_002);
    let circles = [
        "m05000 → m05002 → m05001 → m05000.",
        "m05001 → m05000 → m05002 → m05001.",
        "m05002 → m05001 → m05000 → m05002.",
    ];
    assert!(circles.iter().any(|circle| error.contains(circle)), "{error}");
    let error = back(9_999, 9_999);
    assert!(error.contains("found m09999 → m09999."), "{error}");
    // In the middle of a star.
    let star = |n: usize| match n {
        0 => vec![7_777],
        _ => vec![0],
    };
    let error = check(many(COUNT, star)).unwrap_err();
    let circles = ["m00000 → m07777 → m00000.", "m07777 → m00000 → m07777."];
    assert!(circles.iter().any(|circle| error.contains(circle)), "{error}");
}

#[test]
fn a_deep_chain_needs_no_stack() {
    let check = || {
        let chain = |n: usize| n.checked_sub(1).into_iter().collect();
        assert_ordered(many(100_000, chain));
        let round = |n: usize| vec![n.checked_sub(1).unwrap_or(99_999)];
        let error = check(many(100_000, round)).unwrap_err();
        assert!(error.contains(" → … 99989 more … → "), "{error}");
    };
    // A call for each module would take more than this.
    let small = std::thread::Builder::new().stack_size(256 << 10);
    small.spawn(check).unwrap().join().unwrap();
}
