//! How much room there is on a disk.

use std::path::Path;

/// How many bytes this user may still write where a folder is; `None` where the disk does not tell.
#[cfg(unix)]
pub fn free_bytes(folder: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(windows)]
#[expect(unsafe_code, reason = "the room on a disk is asked of the system")]
pub fn free_bytes(folder: &Path) -> Option<u64> {
    use windows::Win32::Storage::FileSystem::GetDiskFreeSpaceExW;
    use windows::core::HSTRING;

    let mut free = 0;
    // SAFETY: the text lives as long as the call, which writes one number and keeps nothing.
    unsafe { GetDiskFreeSpaceExW(&HSTRING::from(folder), Some(&raw mut free), None, None) }.ok()?;
    Some(free)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_tells_its_room_and_none_that_is_not_there() {
        let folder = tempfile::tempdir().unwrap();
        assert!(free_bytes(folder.path()).is_some_and(|bytes| bytes > 0));
        assert_eq!(free_bytes(&folder.path().join("nowhere")), None);
    }
}
