//! The program that tries new code for the tests, and the processes that run it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::Copy;

/// The probe of this package. A test's own executable would run its tests in its place.
///
/// # Panics
///
/// When it was not built.
pub fn probe_program() -> PathBuf {
    let own = std::env::current_exe().expect("this executable");
    let programs = own.ancestors().skip(1).map(|folder| folder.join("playground_probe"));
    let program = programs.take(3).find(|program| program.is_file());
    program.expect("`cargo build -p playground_tests` makes the probe")
}

/// Processor time of each probe of the app over `copy`, in ticks of 10 ms. Other apps of this
/// process have others.
///
/// # Panics
///
/// Where there is no `/proc`.
pub fn probes_of_scene(copy: &Copy) -> Vec<u64> {
    let program = copy.probe();
    cpu_ticks(|process| fs::read_link(process.join("exe")).is_ok_and(|exe| exe == program))
}

/// Processor time of each probe that the process `pid` started, in ticks of 10 ms.
///
/// # Panics
///
/// Where there is no `/proc`.
pub fn probes_of(pid: u32) -> Vec<u64> {
    let asked_by = format!("PLAYGROUND_PROBE={pid}\0");
    cpu_ticks(|process| {
        let environment = fs::read(process.join("environ")).unwrap_or_default();
        String::from_utf8_lossy(&environment).contains(&asked_by)
    })
}

/// Processor time of the processes whose folder below `/proc` is one that is looked for.
fn cpu_ticks(is_one: impl Fn(&Path) -> bool) -> Vec<u64> {
    let processes = fs::read_dir("/proc").expect("/proc").flatten();
    let found = processes.filter(|process| is_one(&process.path()));
    found
        .filter_map(|process| {
            let stat = fs::read_to_string(process.path().join("stat")).ok()?;
            let fields: Vec<&str> = stat.rsplit(") ").next()?.split(' ').collect();
            Some(fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?)
        })
        .collect()
}
