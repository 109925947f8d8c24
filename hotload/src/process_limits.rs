//! The resources that the process uses, and their limits: libraries are never closed.

use std::fmt;
use std::fs;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use thiserror::Error;

use crate::explain::{Explain, Explanation};

/// In percent of a limit: from here on, every further five percent cause a warning.
const WARN_PERCENT: u64 = 80;
/// In percent of the limit of mappings: nothing more is loaded, and the rest is left for the game.
const FULL_PERCENT: u64 = 95;

/// Used if the system sets no limit on open files.
const DESCRIPTORS: u64 = 1 << 20;

/// Raises the limit on open files as far as the system allows: each artifact holds one, and many
/// systems start with 1,024.
pub fn raise_descriptors() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let most = maximum.unwrap_or(DESCRIPTORS);
    if current.is_some_and(|current| current < most) {
        // If that fails, the warning appears earlier.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(most), maximum });
    }
}

/// True if a quarter of the machine's memory is available. False where that is not known.
pub fn has_memory_to_spare() -> bool {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let value = |name: &str| -> Option<u64> {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim_start_matches(':').trim().strip_suffix("kB")?.trim().parse().ok()
    };
    let (available, total) = (value("MemAvailable"), value("MemTotal"));
    available.zip(total).is_some_and(|(available, total)| available >= total / 4)
}

/// The resource usage of the process at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Resident memory, in bytes.
    pub resident_bytes: u64,
    /// Memory mappings: a library takes four or five.
    pub mappings: u64,
    /// The kernel's limit of mappings, `vm.max_map_count`.
    pub max_mappings: u64,
    /// Open files: an artifact takes one.
    pub descriptors: u64,
    /// The limit of open files, `ulimit -n`; `None` if there is none.
    pub max_descriptors: Option<u64>,
}

impl Usage {
    /// Reads the usage from `/proc`; values that cannot be read are 0.
    pub fn now() -> Self {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let resident = read("/proc/self/status").lines().find_map(|line| {
            line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()
        });
        let maps = fs::read("/proc/self/maps").unwrap_or_default();
        Self {
            resident_bytes: resident.unwrap_or_default() * 1024,
            mappings: maps.iter().filter(|byte| **byte == b'\n').count() as u64,
            max_mappings: read("/proc/sys/vm/max_map_count").trim().parse().unwrap_or_default(),
            descriptors: fs::read_dir("/proc/self/fd").map_or(0, |entries| entries.count() as u64),
            max_descriptors: getrlimit(Resource::Nofile).current,
        }
    }

    /// The used parts of the limits, in percent: of mappings, of descriptors.
    fn percent(&self) -> [u64; 2] {
        let part = |taken: u64, of: u64| (taken * 100).checked_div(of).unwrap_or_default();
        [
            part(self.mappings, self.max_mappings),
            part(self.descriptors, self.max_descriptors.unwrap_or_default()),
        ]
    }

    /// A warning, if more is used than at the last one.
    pub fn warning(&self, warned: &mut u64) -> Option<LimitError> {
        let most = self.percent().into_iter().max()?;
        let step = most / 5 * 5;
        if most < WARN_PERCENT || step <= *warned {
            return None;
        }
        *warned = step;
        Some(LimitError::Near(*self))
    }

    /// Why nothing more can be loaded.
    pub fn full(&self) -> Option<LimitError> {
        let [mappings, _] = self.percent();
        (mappings >= FULL_PERCENT).then_some(LimitError::Full(*self))
    }
}

/// The process is near a limit of the system, or at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{}", self.explain())]
pub enum LimitError {
    /// A warning: more code can still be loaded.
    Near(Usage),
    /// No more code is loaded.
    Full(Usage),
}

impl Explain for LimitError {
    fn explain(&self) -> Explanation {
        match self {
            Self::Near(usage) => Explanation::new(
                "H0314",
                format!(
                    "this process takes {usage}: each swap takes more, and at the limit no more code \
                     can be loaded"
                ),
            )
            .remedy("Save, and start the game again"),
            Self::Full(usage) => Explanation::new(
                "H0315",
                format!("expected room for more code, found that this process takes {usage}"),
            )
            .remedy(
                "What runs goes on; save, and start the game again, or raise vm.max_map_count",
            ),
        }
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { mappings, max_mappings, descriptors, max_descriptors, .. } = self;
        write!(f, "{mappings} of {max_mappings} mappings and {descriptors} of ")?;
        match max_descriptors {
            Some(most) => write!(f, "{most} descriptors"),
            None => f.write_str("any number of descriptors"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Usage = Usage {
        resident_bytes: 0,
        mappings: 0,
        max_mappings: 1000,
        descriptors: 0,
        max_descriptors: Some(100),
    };

    #[test]
    fn warnings_come_before_the_limits() {
        let with = |mappings, descriptors| Usage { mappings, descriptors, ..LIMITS };
        let mut warned = 0;
        assert_eq!(with(799, 79).warning(&mut warned), None);
        let text = with(801, 3).warning(&mut warned).expect("a warning").to_string();
        assert!(text.contains("801 of 1000 mappings") && text.contains("start the game"), "{text}");
        assert_eq!(with(840, 3).warning(&mut warned), None, "once a step");
        assert!(with(850, 3).warning(&mut warned).is_some());
        assert!(with(850, 91).warning(&mut warned).is_some(), "of either");
        assert_eq!(with(949, 100).full(), None);
        assert!(with(950, 3).full().expect("it is full").to_string().contains("vm.max_map_count"));
        let none = Usage { max_descriptors: None, ..with(1, 100_000) };
        assert_eq!((none.warning(&mut 0), none.full()), (None, None));
    }

    #[test]
    fn this_process_takes_something() {
        let now = Usage::now();
        assert!(now.resident_bytes > 1 << 20 && now.mappings > 10, "{now:?}");
        assert!(now.max_mappings >= now.mappings && now.descriptors >= 3, "{now:?}");
    }
}
