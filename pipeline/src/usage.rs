//! What this process and its threads have used so far: CPU time and memory. Told on Linux only, zero elsewhere.

use std::sync::atomic::{AtomicU64, Ordering};

/// The most that one ended child held, as each told at its end.
static CHILDREN_PEAK: AtomicU64 = AtomicU64::new(0);

/// CPU seconds of this process and its ended children.
pub fn cpu_secs() -> f64 {
    // User and system time, own and of ended children: fields 14 to 17.
    ticks(&read("/proc/self/stat"), 4)
}

/// CPU seconds of the thread that asks.
pub fn own_cpu_secs() -> f64 {
    ticks(&read("/proc/thread-self/stat"), 2)
}

/// CPU seconds of a thread that still runs.
pub fn thread_cpu_secs(id: u64) -> f64 {
    ticks(&read(&format!("/proc/self/task/{id}/stat")), 2)
}

/// The threads of this process.
pub fn thread_ids() -> Vec<u64> {
    let Ok(entries) = std::fs::read_dir("/proc/self/task") else { return Vec::new() };
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect()
}

/// The most memory that this process or one of its ended children held since that was last forgotten.
pub fn peak_memory_bytes() -> u64 {
    own_peak_memory_bytes().max(CHILDREN_PEAK.load(Ordering::Relaxed))
}

/// Takes note of what a child held.
pub fn note_child(peak_memory_bytes: u64) {
    CHILDREN_PEAK.fetch_max(peak_memory_bytes, Ordering::Relaxed);
}

/// Begins anew to look for the most memory that is held. Where the system does not allow it, the earlier peak stays.
pub fn forget_peak() {
    CHILDREN_PEAK.store(0, Ordering::Relaxed);
    #[cfg(target_os = "linux")]
    // 5 resets the high-water mark (proc(5)).
    drop(std::fs::write("/proc/self/clear_refs", "5"));
}

/// The most memory this process held since that was last forgotten.
pub fn own_peak_memory_bytes() -> u64 {
    let status = read("/proc/self/status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}

#[cfg(target_os = "linux")]
fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

#[cfg(not(target_os = "linux"))]
fn read(_: &str) -> String {
    String::new()
}

/// The sum of so many fields of a `stat` from the 14th, in seconds.
fn ticks(stat: &str, fields: usize) -> f64 {
    // Clock ticks a second of `/proc`; fixed at 100 in the kernel's interface to programs (proc(5)).
    const TICKS_PER_SEC: f64 = 100.0;
    // The name in brackets may hold spaces and brackets.
    let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace();
    rest.skip(11).take(fields).filter_map(|field| field.parse::<f64>().ok()).sum::<f64>() / TICKS_PER_SEC
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_counted_behind_the_name() {
        let stat = "7 (a b) c) S 1 1 1 0 -1 4 9 0 0 0 250 50 100 25 20 0 3";
        assert!((ticks(stat, 2) - 3.0).abs() < 1e-9);
        assert!((ticks(stat, 4) - 4.25).abs() < 1e-9);
        assert!(ticks("", 2).abs() < 1e-9);
    }
}
