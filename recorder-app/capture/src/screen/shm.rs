//! A piece of memory that the X server writes pictures into.
//!
//! It is an anonymous file (`memfd`) mapped here and, by its descriptor, in the server: nothing is left behind after a
//! crash, and there are no system-wide ids to run out of. The file is sealed against shrinking, so that neither side
//! can make the other fault.

use std::io;
use std::os::fd::OwnedFd;

use rustix::fs::{MemfdFlags, SealFlags};
use rustix::mm::{MapFlags, ProtFlags};

/// Writable shared memory of a fixed size.
pub(super) struct SharedMemory {
    start: *mut std::ffi::c_void,
    bytes: usize,
}

#[expect(unsafe_code, reason = "the mapping belongs to this value alone and may move between threads with it")]
// SAFETY: the pointer is only used through `&self` and `&mut self`.
unsafe impl Send for SharedMemory {}

impl SharedMemory {
    /// New zeroed memory, and the descriptor by which the server finds it.
    pub(super) fn new(bytes: usize) -> io::Result<(Self, OwnedFd)> {
        let bytes = bytes.max(4);
        let file = rustix::fs::memfd_create("picture", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
        rustix::fs::ftruncate(&file, bytes as u64)?;
        rustix::fs::fcntl_add_seals(&file, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
        #[expect(unsafe_code, reason = "mapping memory has no safe form")]
        // SAFETY: a new mapping at an address the kernel chooses overlaps nothing.
        let start = unsafe {
            let access = ProtFlags::READ | ProtFlags::WRITE;
            rustix::mm::mmap(std::ptr::null_mut(), bytes, access, MapFlags::SHARED, &file, 0)?
        };
        Ok((Self { start, bytes }, file))
    }

    #[expect(unsafe_code, reason = "the mapping is seen as bytes")]
    pub(super) fn pixels(&self) -> &[u8] {
        // SAFETY: the mapping lives as long as `self` and has `bytes` initialised bytes. The server writes only
        // between a request for a picture and its answer, during which the caller holds `&mut` of the owner.
        unsafe { std::slice::from_raw_parts(self.start.cast(), self.bytes) }
    }

    #[expect(unsafe_code, reason = "the mapping is seen as bytes")]
    pub(super) fn pixels_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `pixels`, and `&mut self` keeps other views of this process away.
        unsafe { std::slice::from_raw_parts_mut(self.start.cast(), self.bytes) }
    }
}

impl Drop for SharedMemory {
    fn drop(&mut self) {
        #[expect(unsafe_code, reason = "unmapping memory has no safe form")]
        // SAFETY: mapped in `new` with this size, and no view outlives `self`.
        let result = unsafe { rustix::mm::munmap(self.start, self.bytes) };
        debug_assert!(result.is_ok(), "a mapping of our own can be unmapped");
    }
}
