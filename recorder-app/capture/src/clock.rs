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
