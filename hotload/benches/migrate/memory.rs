//! The memory of this process, as Linux counts it.

use std::fs;

/// Resets the peak, and returns the current memory in megabytes.
pub fn begin() -> f64 {
    fs::write("/proc/self/clear_refs", "5").expect("the peak can be reset");
    status_mb("VmRSS:")
}

/// The peak since the last reset, in megabytes.
pub fn peak_mb() -> f64 {
    status_mb("VmHWM:")
}

fn status_mb(name: &str) -> f64 {
    let status = fs::read_to_string("/proc/self/status").expect("a process has a status");
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kilobytes.expect("the value is in kB") / 1024.0
}
