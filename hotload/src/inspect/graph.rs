//! Checks the graph of modules: every required module is present, in a matching version, without
//! cycles.

use std::collections::{BTreeMap, HashMap, VecDeque};

use petgraph::Direction;
use petgraph::algo::toposort;
use petgraph::graph::{DiGraph, NodeIndex};
use semver::{Version, VersionReq};
use thiserror::Error;

use super::manifest::{Kind, Manifest};
use crate::explain::Explain;
use crate::ids::ModuleId;

/// Why modules do not fit together.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{}", self.explain())]
pub enum GraphError {
    /// A required module is missing.
    Missing {
        /// The module with the requirement.
        id: ModuleId,
        /// The missing module.
        required: ModuleId,
        /// The required version.
        requirement: VersionReq,
    },
    /// A required module has the wrong version.
    Version {
        /// The module with the requirement.
        id: ModuleId,
        /// The required module.
        required: ModuleId,
        /// The required version.
        requirement: VersionReq,
        /// Its version.
        found: Version,
    },
    /// Core modules hold data only, and must not depend on modules of other kinds.
    Layer {
        /// The core module.
        id: ModuleId,
        /// The required module.
        required: ModuleId,
        /// The kind of the required module.
        found: Kind,
    },
    /// Modules that require each other.
    Cycle {
        /// The cycle; the first module is repeated at the end.
        path: Vec<ModuleId>,
    },
}

/// The modules in an order in which each comes after those it requires. The order is deterministic.
///
/// # Errors
///
/// The first fault, in the order of the ids.
pub fn check_graph(modules: &BTreeMap<ModuleId, Manifest>) -> Result<Vec<ModuleId>, GraphError> {
    let mut graph = DiGraph::<&ModuleId, ()>::with_capacity(modules.len(), modules.len());
    let nodes: HashMap<&ModuleId, NodeIndex> =
        modules.keys().map(|id| (id, graph.add_node(id))).collect();
    for (id, manifest) in modules {
        for (required, requirement) in &manifest.requires {
            check_edge(id, manifest, required, requirement, modules.get(required))?;
            if let (Some(from), Some(to)) = (nodes.get(required), nodes.get(id)) {
                graph.add_edge(*from, *to, ());
            }
        }
    }
    match toposort(&graph, None) {
        Ok(order) => Ok(order.into_iter().map(|node| graph[node].clone()).collect()),
        Err(cycle) => Err(GraphError::Cycle { path: shortest_circle(&graph, cycle.node_id()) }),
    }
}

fn check_edge(
    id: &ModuleId,
    manifest: &Manifest,
    required: &ModuleId,
    requirement: &VersionReq,
    found: Option<&Manifest>,
) -> Result<(), GraphError> {
    let (id, required, requirement) = (id.clone(), required.clone(), requirement.clone());
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

/// The shortest cycle through `start`, in the direction of the requirements.
fn shortest_circle(graph: &DiGraph<&ModuleId, ()>, start: NodeIndex) -> Vec<ModuleId> {
    let mut reached_from = HashMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(node) = queue.pop_front() {
        for required in graph.neighbors_directed(node, Direction::Incoming) {
            if required == start {
                let mut path = vec![graph[start].clone()];
                let mut at = node;
                while at != start {
                    path.push(graph[at].clone());
                    at = reached_from.get(&at).copied().unwrap_or(start);
                }
                path.push(graph[start].clone());
                path.reverse();
                return path;
            }
            reached_from.entry(required).or_insert_with(|| {
                queue.push_back(required);
                node
            });
        }
    }
    vec![graph[start].clone()]
}

#[cfg(test)]
mod tests;
