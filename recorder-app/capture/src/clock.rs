//! The one clock that stamps picture, sound and input events.

use media::time::Monotonic;

/// This moment. On Linux `CLOCK_MONOTONIC`, which the X server uses for its own stamps as well; elsewhere the time
/// since the first call.
#[cfg(target_os = "linux")]
pub fn now() -> Monotonic {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    Monotonic::from_nanos(time.tv_sec * 1_000_000_000 + time.tv_nsec)
}

#[cfg(not(target_os = "linux"))]
pub fn now() -> Monotonic {
    use std::sync::OnceLock;
    use std::time::Instant;
    static START: OnceLock<Instant> = OnceLock::new();
    Monotonic::from_nanos(START.get_or_init(Instant::now).elapsed().as_nanos() as i64)
}

/// Whether [`now`] goes on while the computer sleeps: on Windows, not on Linux and macOS.
pub const COUNTS_SLEEP: bool = cfg!(target_os = "windows");

/// How long the computer has slept since it was started, as far as [`now`] does not count it and the system
/// tells.
#[cfg(target_os = "linux")]
pub fn uncounted_sleep_nanos() -> i64 {
    let since_start = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    since_start.tv_sec * 1_000_000_000 + since_start.tv_nsec - now().nanos
}

#[cfg(not(target_os = "linux"))]
pub fn uncounted_sleep_nanos() -> i64 {
    0
}
