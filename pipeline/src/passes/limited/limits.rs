//! What the child gives up before it opens a file it does not trust.

#[cfg(unix)]
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Enough for an 8K picture with its decoder; an index that claims more is refused by the allocator.
#[cfg(unix)]
pub(super) const MEMORY_BYTES: u64 = 4 << 30;
#[cfg(unix)]
const CPU_SECS: u64 = 3600;
/// The voice of ten hours and the pictures of a take each fit.
#[cfg(unix)]
pub(super) const FILE_BYTES: u64 = 3 << 30;
#[cfg(unix)]
const OPEN_FILES: u64 = 32;

/// Lowers this process's own limits; they cannot be raised again.
#[cfg(unix)]
pub(super) fn lower() -> std::io::Result<()> {
    let rows = [
        (Resource::As, MEMORY_BYTES),
        (Resource::Cpu, CPU_SECS),
        (Resource::Fsize, FILE_BYTES),
        (Resource::Nofile, OPEN_FILES),
        (Resource::Core, 0),
    ];
    for (resource, limit) in rows {
        // Where the machine allows less already, that stays.
        let limit = getrlimit(resource).maximum.map_or(limit, |allowed| allowed.min(limit));
        setrlimit(resource, Rlimit { current: Some(limit), maximum: Some(limit) })?;
    }
    Ok(())
}

/// Other systems have no such limits; the parent's watch over time is all there is.
#[cfg(not(unix))]
pub(super) fn lower() -> std::io::Result<()> {
    Ok(())
}
