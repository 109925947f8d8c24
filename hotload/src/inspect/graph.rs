//! The modules together: what each requires is there, in a version that fits, and in no circle.

use std::collections::{BTreeMap, HashMap, VecDeque};

use petgraph::Direction;
use petgraph::algo::toposort;
use petgraph::graph::{DiGraph, NodeIndex};
use semver::{Version, VersionReq};
use thiserror::Error;

use super::manifest::{Kind, Manifest};

/// Why modules do not go together.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum GraphError {
    /// A module that is required is not there.
    #[error(
        "H0231: module `{id}`: expected module `{required}` {requirement}, found none of that name. Add it under modules/, or take it out of `requires`"
    )]
    Missing {
        /// What requires it.
        id: String,
        /// What is missing.
        required: String,
        /// The version it has to have.
        requirement: VersionReq,
    },
    /// A module that is required has another version.
    #[error(
        "H0232: module `{id}`: expected module `{required}` {requirement}, found version {found}. Change one of the two versions"
    )]
    Version {
        /// What requires it.
        id: String,
        /// What it requires.
        required: String,
        /// The version it has to have.
        requirement: VersionReq,
        /// The version it has.
        found: Version,
    },
    /// Core modules hold data only, and know none of the modules above them.
    #[error(
        "H0233: core module `{id}`: expected only core modules in `requires`, found `{required}`, which is of kind {found}. Move what they share into a core module"
    )]
    Layer {
        /// The core module.
        id: String,
        /// What it requires.
        required: String,
        /// The kind of that.
        found: Kind,
    },
    /// Modules that require each other.
    #[error(
        "H0234: expected modules without a circle, found {}. Move what they share into a core module",
        circle(path)
    )]
    Cycle {
        /// The circle; the last one is the first again.
        path: Vec<String>,
    },
}

/// `path`, without the middle of a long one.
fn circle(path: &[String]) -> String {
    match path {
        [first @ .., _, _] if path.len() > 20 => {
            let last = path[path.len() - 2..].join(" → ");
            format!("{} → … {} more … → {last}", first[..10].join(" → "), path.len() - 12)
        }
        _ => path.join(" → "),
    }
}

/// The modules in an order in which each comes after those it requires. The same modules give the
/// same order.
///
/// # Errors
///
/// The first thing that is wrong, in the order of the ids.
pub fn check_graph(modules: &BTreeMap<String, Manifest>) -> Result<Vec<String>, GraphError> {
    let mut graph = DiGraph::<&str, ()>::with_capacity(modules.len(), modules.len());
    let nodes: HashMap<&str, NodeIndex> =
        modules.keys().map(|id| (id.as_str(), graph.add_node(id.as_str()))).collect();
    for (id, manifest) in modules {
        for (required, requirement) in &manifest.requires {
            check_edge(id, manifest, required, requirement, modules.get(required))?;
            if let (Some(from), Some(to)) = (nodes.get(required.as_str()), nodes.get(id.as_str())) {
                graph.add_edge(*from, *to, ());
            }
        }
    }
    match toposort(&graph, None) {
        Ok(order) => Ok(order.into_iter().map(|node| graph[node].to_owned()).collect()),
        Err(cycle) => Err(GraphError::Cycle { path: shortest_circle(&graph, cycle.node_id()) }),
    }
}

fn check_edge(
    id: &str,
    manifest: &Manifest,
    required: &str,
    requirement: &VersionReq,
    found: Option<&Manifest>,
) -> Result<(), GraphError> {
    let (id, required, requirement) = (id.to_owned(), required.to_owned(), requirement.clone());
    match found {
        None => Err(GraphError::Missing { id, required, requirement }),
        Some(found) if !requirement.matches(&found.version) => {
            Err(GraphError::Version { id, required, requirement, found: found.version.clone() })
        }
        Some(found) if manifest.kind == Kind::Core && found.kind != Kind::Core => {
            Err(GraphError::Layer { id, required, found: found.kind })
        }
        Some(_) => Ok(()),
    }
}

/// Through `start`, as "requires" goes.
fn shortest_circle(graph: &DiGraph<&str, ()>, start: NodeIndex) -> Vec<String> {
    let mut reached_from = HashMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(node) = queue.pop_front() {
        for required in graph.neighbors_directed(node, Direction::Incoming) {
            if required == start {
                let mut path = vec![graph[start].to_owned()];
                let mut at = node;
                while at != start {
                    path.push(graph[at].to_owned());
                    at = reached_from.get(&at).copied().unwrap_or(start);
                }
                path.push(graph[start].to_owned());
                path.reverse();
                return path;
            }
            reached_from.entry(required).or_insert_with(|| {
                queue.push_back(required);
                node
            });
        }
    }
    vec![graph[start].to_owned()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn module(kind: Kind, id: &str, requires: &[(&str, &str)]) -> (String, Manifest) {
        let requires = requires
            .iter()
            .map(|(id, version)| ((*id).to_owned(), VersionReq::parse(version).unwrap()))
            .collect();
        let manifest = Manifest {
            kind,
            id: id.to_owned(),
            version: Version::new(0, 1, 0),
            abi: "abi".into(),
            epoch: "-".into(),
            cores: BTreeMap::new(),
            requires,
            persisted: Vec::new(),
            dropped: Vec::new(),
        };
        (id.to_owned(), manifest)
    }

    fn check(modules: Vec<(String, Manifest)>) -> Result<Vec<String>, String> {
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

    #[test]
    fn ten_thousand_modules_within_a_second() {
        let id = |n: usize| format!("m{n:05}");
        let chain = |end: &str| {
            let requires = |n: usize| if n == 0 { end.to_owned() } else { id(n - 1) };
            let mut modules: Vec<_> =
                (0..9_999).map(|n| module(Kind::Systems, &id(n), &[(&requires(n), "*")])).collect();
            modules.push(module(Kind::Systems, "end", &[]));
            modules
        };
        let (straight, round) = (chain("end"), chain(&id(9_998)));
        let start = std::time::Instant::now();
        assert_eq!(check(straight).unwrap().len(), 10_000);
        let error = check(round).unwrap_err();
        assert!(error.contains(" → … 9988 more … → "), "{error}");
        assert!(start.elapsed().as_secs_f32() < 1.0, "{:?}", start.elapsed());
    }
}
