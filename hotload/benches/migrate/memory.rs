//! How much memory this process holds, as Linux counts it.

use std::fs;

/// From here on the peak is counted anew; gives what is held now, in megabytes.
pub fn begin() -> f64 {
    fs::write("/proc/self/clear_refs", "5").expect("the peak can be counted anew");
    status_mb("VmRSS:")
}

/// The most that was held since, in megabytes.
pub fn peak_mb() -> f64 {
    status_mb("VmHWM:")
}

fn status_mb(name: &str) -> f64 {
    let status = fs::read_to_string("/proc/self/status").expect("a process has a status");
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kilobytes.expect("Linux says it in kB") / 1024.0
}
