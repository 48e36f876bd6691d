//! What a pass costs: time, CPU and memory, its children's included.

use std::time::Instant;

use shared_types::summary::PassRun;

use crate::{crash, usage};

#[derive(Clone, Copy)]
pub struct Stopwatch {
    name: &'static str,
    version: u32,
    began: Instant,
    cpu_secs: f64,
}

impl Stopwatch {
    pub fn start(name: &'static str, version: u32) -> Self {
        usage::forget_peak();
        Self { name, version, began: Instant::now(), cpu_secs: usage::cpu_secs() }
    }

    pub fn stop(self) -> PassRun {
        crash::point(self.name);
        let cpu_secs = usage::cpu_secs();
        PassRun {
            name: self.name.to_owned(),
            version: self.version,
            secs: round(self.began.elapsed().as_secs_f64()),
            cpu_secs: round(cpu_secs - self.cpu_secs),
            peak_memory_bytes: usage::peak_memory_bytes(),
        }
    }

    /// Ends a pass that ran beside others, and of which its own threads know what they used.
    pub fn stop_with(self, cpu_secs: f64) -> PassRun {
        PassRun { cpu_secs: round(cpu_secs), ..self.stop() }
    }

    /// Ends a pass beside which another ran that used so much.
    pub fn stop_without(self, other_cpu_secs: f64) -> PassRun {
        let both = self.stop();
        PassRun { cpu_secs: round((both.cpu_secs - other_cpu_secs).max(0.0)), ..both }
    }
}

fn round(secs: f64) -> f64 {
    (secs * 1e3).round() / 1e3
}
