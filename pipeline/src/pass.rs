//! What a pass costs: time, CPU and memory, its children's included.

use std::time::Instant;

use shared_types::summary::PassRun;

pub struct Stopwatch {
    name: &'static str,
    version: u32,
    began: Instant,
    cpu_secs: f64,
}

impl Stopwatch {
    pub fn start(name: &'static str, version: u32) -> Self {
        Self { name, version, began: Instant::now(), cpu_secs: usage().0 }
    }

    pub fn stop(self) -> PassRun {
        let (cpu_secs, peak_memory_bytes) = usage();
        PassRun {
            name: self.name.to_owned(),
            version: self.version,
            secs: round(self.began.elapsed().as_secs_f64()),
            cpu_secs: round(cpu_secs - self.cpu_secs),
            peak_memory_bytes,
        }
    }
}

fn round(secs: f64) -> f64 {
    (secs * 1e3).round() / 1e3
}

/// CPU seconds so far and the peak of memory, of this process and its ended children.
#[cfg(target_os = "linux")]
fn usage() -> (f64, u64) {
    // Clock ticks a second of `/proc`; fixed at 100 in the kernel's interface to programs (proc(5)).
    const TICKS_PER_SEC: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // User and system time, own and of ended children: fields 14 to 17.
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace();
    let ticks: f64 = fields.skip(11).take(4).filter_map(|field| field.parse::<f64>().ok()).sum();
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak_kib = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok())
        .unwrap_or(0);
    (ticks / TICKS_PER_SEC, peak_kib * 1024)
}

/// Not told on other systems.
#[cfg(not(target_os = "linux"))]
fn usage() -> (f64, u64) {
    (0.0, 0)
}
