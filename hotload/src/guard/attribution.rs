//! Finds the module whose code panicked, by the addresses on the stack: a module's code is mapped
//! from a memory file that has the module's name.

use std::backtrace::Backtrace;
use std::fs;

use crate::ids::ModuleId;

/// Bevy constructs required components through a closure in this function.
const CONSTRUCTOR: &str = "bevy_ecs::component::required::RequiredComponentConstructor::new";

/// Functions that run a system or another task: frames below them belong to code that only waits.
const TASKS: [&str; 2] = ["async_task::raw::", "bevy_ecs::schedule::executor::"];

/// The origin of a panic, read from its stack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Blame {
    /// The module whose code is nearest to the panic, and the inode of the memory file with it.
    pub module: Option<(ModuleId, u64)>,
    /// Set if the panic leaves Bevy's storage in an inconsistent state.
    pub breaks: Option<Breaks>,
}

/// Code that Bevy's storage calls in the middle of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Breaks {
    /// Drops a value that it holds.
    Drop,
    /// Makes a value that another component requires.
    Require,
}

impl Breaks {
    /// The name shown to users.
    pub fn name(self) -> &'static str {
        match self {
            Self::Drop => "the `Drop` of a stored value",
            Self::Require => "the constructor of a required component",
        }
    }
}

/// The origin of the current panic on this thread.
pub fn blame() -> Blame {
    // The alternate form includes the addresses.
    let stack = format!("{:#}", Backtrace::force_capture());
    of(&stack, &fs::read_to_string("/proc/self/maps").unwrap_or_default())
}

fn of(stack: &str, maps: &str) -> Blame {
    let modules: Vec<Mapped> = maps.lines().filter_map(mapped).collect();
    let module_at =
        |address: u64| modules.iter().find(|mapped| (mapped.from..mapped.to).contains(&address));
    // Frames further down belong to work that the thread suspended for another task.
    let is_same_task = |(_, name): &(u64, &str)| !TASKS.iter().any(|task| name.contains(task));
    let mut frames = stack.lines().filter_map(frame).take_while(is_same_task);
    let Some(module) = frames.by_ref().find_map(|(address, _)| module_at(address)) else {
        return Blame::default();
    };
    // The caller of the module's code.
    let called_by = frames.find(|(address, _)| module_at(*address).is_none());
    let is_dropped = called_by.is_some_and(|(_, name)| name.contains("bevy_ecs::storage::"));
    // This frame is generic over the module's type, so it lies in the module's code.
    let mut frames = stack.lines().filter_map(frame).take_while(is_same_task);
    let is_required = frames.any(|(_, name)| name.contains(CONSTRUCTOR));
    let breaks = match (is_dropped, is_required) {
        (_, true) => Some(Breaks::Require),
        (true, false) => Some(Breaks::Drop),
        (false, false) => None,
    };
    Blame { module: Some((module.name.into(), module.inode)), breaks }
}

/// Where code of a memory file is mapped.
struct Mapped<'a> {
    from: u64,
    to: u64,
    inode: u64,
    name: &'a str,
}

/// Parses a line of `/proc/self/maps`; `None` if it does not map code of a memory file.
fn mapped(line: &str) -> Option<Mapped<'_>> {
    let name = line.split_once("/memfd:")?.1.strip_suffix(" (deleted)")?;
    let mut words = line.split(' ');
    let (from, to) = words.next()?.split_once('-')?;
    let executable = words.next()?.contains('x');
    // Offset and device come before it.
    let inode = words.nth(2)?.parse().ok()?;
    let hex = |text| u64::from_str_radix(text, 16).ok();
    executable.then_some(Mapped { from: hex(from)?, to: hex(to)?, inode, name })
}

/// A line `  3:     0x7f0123456789 - name` of a stack.
fn frame(line: &str) -> Option<(u64, &str)> {
    let (address, name) = line.trim_start().split_once(": ")?.1.trim_start().split_once(" - ")?;
    Some((u64::from_str_radix(address.trim().strip_prefix("0x")?, 16).ok()?, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAPS: &str = "\
7f0000001000-7f0000002000 r--p 00000000 00:01 12 /memfd:systems_walk (deleted)
7f0000002000-7f0000003000 r-xp 00001000 00:01 12 /memfd:systems_walk (deleted)
7f0000008000-7f0000009000 r-xp 00001000 00:01 13 /memfd:core_scene (deleted)
7f0000010000-7f0000020000 r-xp 00001000 fe:00 14 /usr/lib/libbevy_dylib.so
";

    fn stack(frames: &[(u64, &str)]) -> String {
        let lines = frames.iter().enumerate();
        lines
            .map(|(i, (at, name))| format!("{i:4}: {at:#18x} - {name}\n             at x.rs:1\n"))
            .collect()
    }

    #[test]
    fn the_code_nearest_to_the_panic_is_to_blame() {
        let frames = [
            (0x7f00_0001_5000, "core::panicking::panic_fmt"),
            (0x7f00_0000_2abc, "<unknown>"),
            (0x7f00_0000_8abc, "<unknown>"),
            (0x7f00_0001_6000, "bevy_ecs::world::deferred_world::trigger"),
        ];
        let found = of(&stack(&frames), MAPS);
        assert_eq!(found, Blame { module: Some(("systems_walk".into(), 12)), breaks: None });
        let found = of(&stack(&frames[2..]), MAPS);
        assert_eq!(found.module, Some(("core_scene".into(), 13)));
        // An address in the module's data is not a frame of its code.
        assert_eq!(of(&stack(&[(0x7f00_0000_1abc, "x")]), MAPS), Blame::default());
    }

    #[test]
    fn who_waits_for_a_task_is_not_to_blame() {
        let frames = [
            (0x7f00_0001_5000, "core::panicking::panic_fmt"),
            (0x7f00_0001_6000, "the_game::system"),
            (0x7f00_0001_6500, "async_task::raw::RawTask<F,T,S,M>::run"),
            (0x7f00_0000_2abc, "systems_walk::walk"),
        ];
        assert_eq!(of(&stack(&frames), MAPS), Blame::default());
        assert_eq!(of(&stack(&frames[3..]), MAPS).module, Some(("systems_walk".into(), 12)));
    }

    #[test]
    fn storage_that_drops_is_told_from_what_else_calls() {
        let frames = [
            (0x7f00_0000_2abc, "<unknown>"),
            (0x7f00_0001_6000, "bevy_ecs::storage::blob_array::BlobArray::clear"),
        ];
        assert_eq!(of(&stack(&frames), MAPS).breaks, Some(Breaks::Drop));
        let through = [frames[0], (0x7f00_0001_6500, "bevy_ecs::system::run"), frames[1]];
        assert_eq!(of(&stack(&through), MAPS).breaks, None);
        let required =
            "bevy_ecs::component::required::RequiredComponentConstructor::new::{{closure}}";
        let constructor = [frames[0], (0x7f00_0000_2b00, required), through[1]];
        assert_eq!(of(&stack(&constructor), MAPS).breaks, Some(Breaks::Require));
    }

    /// The format of std's backtraces is not stable, and a change would disable the attribution:
    /// this test parses a real one.
    #[test]
    fn the_frames_of_a_real_backtrace_are_read() {
        let stack = format!("{:#}", Backtrace::force_capture());
        let frames: Vec<(u64, &str)> = stack.lines().filter_map(frame).collect();
        assert!(frames.len() > 5, "{stack}");
        let own = frames.iter().any(|(_, name)| name.contains("the_frames_of_a_real_backtrace"));
        assert!(own, "{stack}");
    }
}
