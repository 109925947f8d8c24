//! The resources that the process uses, and how much swaps add.

use std::collections::BTreeMap;

use crate::generation::SharedGeneration;
use crate::ids::GenerationId;
use crate::process_limits::Usage;

/// Resource usage of swaps.
#[derive(Default)]
pub struct Stats {
    /// The usage when the game was ready.
    at_ready: Usage,
    /// The number of swaps since then.
    swaps: u64,
    /// The number of modules in them: each leaves an artifact in the process.
    modules: u64,
    /// Bytes of each artifact in the process.
    artifacts: BTreeMap<GenerationId, u64>,
}

impl Stats {
    /// The game is ready: everything loaded from now on counts as a swap.
    pub fn begin(&mut self) {
        (self.at_ready, self.swaps, self.modules) = (Usage::now(), 0, 0);
    }

    /// A swap happened.
    pub fn count_swap(&mut self, entered: &[SharedGeneration]) {
        self.swaps += 1;
        self.modules += entered.len() as u64;
        for generation in entered {
            self.artifacts.insert(generation.generation_id(), generation.code.size_bytes());
        }
    }

    /// The usage of the process, in total and per swapped module, as text for people.
    pub fn text(&self) -> String {
        let (now, Self { at_ready, swaps, modules, artifacts }) = (Usage::now(), self);
        let per_module = |now: u64, before: u64| {
            let more = now as f64 - before as f64;
            if *modules == 0 { 0.0 } else { more / *modules as f64 }
        };
        let mib = |bytes: f64| bytes / (1 << 20) as f64;
        format!(
            "memory {:.1} MiB, {:+.2} per swapped module\nmappings {} of {}, {:+.1} per swapped \
             module\ndescriptors {} of {}, {:+.1} per swapped module\nswaps since ready {swaps}, \
             of {modules} modules in all; {} artifacts in the process, {:.1} MiB",
            mib(now.resident_bytes as f64),
            mib(per_module(now.resident_bytes, at_ready.resident_bytes)),
            now.mappings,
            now.max_mappings,
            per_module(now.mappings, at_ready.mappings),
            now.descriptors,
            now.max_descriptors.map_or("any number".to_owned(), |most| most.to_string()),
            per_module(now.descriptors, at_ready.descriptors),
            artifacts.len(),
            mib(artifacts.values().sum::<u64>() as f64),
        )
    }
}
