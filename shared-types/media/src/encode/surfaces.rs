//! Pictures in a graphics processor's memory, for encoders that take them from nowhere else.
//!
//! A pool of surfaces is made on the first device that answers, the encoder is given a hold on it, and each picture is copied
//! into a surface of it. Everything is counted by FFmpeg: the pool holds its device and each picture its surface, so that they
//! may be let go in any order. No window system is asked: the device is a file that whoever may draw may open.
//!
//! Only the copying was run, into the memory of a device that is none (`OpenCL` on the processor); `h264_vaapi` itself never,
//! for want of a graphics processor.

use std::ffi::CString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::ptr::{self, NonNull};

use ff::ffi::{
    AVBufferRef, AVHWDeviceType, AVHWFramesContext, av_buffer_ref, av_buffer_unref, av_hwdevice_ctx_create,
    av_hwframe_ctx_alloc, av_hwframe_ctx_init, av_hwframe_get_buffer, av_hwframe_transfer_data,
};
use ff::format::Pixel;
use ff::util::frame::Video;
use ffmpeg_next as ff;

use super::EncodeError;

/// Where Linux has its graphics processors.
const NODES: &str = "/dev/dri";
/// Those that can be worked with without owning the screen.
const NODE: &str = "renderD";
/// The encoder holds one picture at a time, and those it looks back at are its own.
const SURFACES: i32 = 8;

/// A kind of graphics memory.
#[derive(Debug, Clone, Copy)]
pub(super) struct Memory {
    kind: AVHWDeviceType,
    /// What FFmpeg calls pictures that lie in it.
    pub(super) pixels: Pixel,
    /// How the device is to be reached.
    option: Option<(&'static str, &'static str)>,
}

impl Memory {
    pub(super) const VAAPI: Self = Self {
        kind: AVHWDeviceType::AV_HWDEVICE_TYPE_VAAPI,
        pixels: Pixel::VAAPI,
        option: Some(("connection_type", "drm")),
    };
}

/// One hold on something that FFmpeg counts.
struct Hold(NonNull<AVBufferRef>);

#[expect(unsafe_code, reason = "FFmpeg's bindings have no hardware contexts")]
// SAFETY: FFmpeg counts holds atomically, and what is behind them is used by their owner's thread alone.
unsafe impl Send for Hold {}

impl Hold {
    fn new(buffer: *mut AVBufferRef) -> Result<Self, ff::Error> {
        NonNull::new(buffer).map(Self).ok_or(ff::Error::Other { errno: ff::error::ENOMEM })
    }
}

impl Drop for Hold {
    #[expect(unsafe_code, reason = "FFmpeg's bindings have no hardware contexts")]
    fn drop(&mut self) {
        let mut buffer = self.0.as_ptr();
        // SAFETY: the hold is this one's own, and nobody has it after this.
        unsafe { av_buffer_unref(&raw mut buffer) };
    }
}

pub(super) struct Surfaces {
    pool: Hold,
}

impl Surfaces {
    /// On the first graphics processor whose driver answers, for pictures of a form and a size.
    pub(super) fn open(memory: Memory, form: Pixel, size: (u32, u32)) -> Result<Self, EncodeError> {
        fail::fail_point!("surfaces.open", |_| Err(EncodeError::NoGraphics { reason: "as a test wants".to_owned() }));
        Self::open_in(Path::new(NODES), memory, form, size)
    }

    fn open_in(folder: &Path, memory: Memory, form: Pixel, size: (u32, u32)) -> Result<Self, EncodeError> {
        let mut reason = format!("this computer has none ({} is not there)", folder.join(NODE).display());
        for node in nodes(folder) {
            // FFmpeg does not say why a file could not be opened.
            let opened = File::options().read(true).write(true).open(&node).map_err(|error| error.to_string());
            let made = opened.and_then(|_| {
                Self::on(memory, Some(&node), form, size)
                    .map_err(|error| format!("its driver does not answer ({error})"))
            });
            match made {
                Ok(surfaces) => return Ok(surfaces),
                Err(error) => reason = format!("{}: {error}", node.display()),
            }
        }
        Err(EncodeError::NoGraphics { reason })
    }

    #[expect(unsafe_code, reason = "FFmpeg's bindings have no hardware contexts")]
    #[expect(clippy::cast_ptr_alignment, reason = "FFmpeg made the buffer for this structure")]
    fn on(memory: Memory, node: Option<&Path>, form: Pixel, (width, height): (u32, u32)) -> Result<Self, ff::Error> {
        let node = node.map(|node| CString::new(node.as_os_str().as_encoded_bytes())).transpose();
        let node = node.map_err(|_| ff::Error::InvalidData)?;
        let mut options = ff::Dictionary::new();
        if let Some((key, value)) = memory.option {
            options.set(key, value);
        }
        let mut device = ptr::null_mut();
        let name = node.as_ref().map_or(ptr::null(), |node| node.as_ptr());
        // SAFETY: name and options live as long as the call; a device is written only where there is one.
        check(unsafe { av_hwdevice_ctx_create(&raw mut device, memory.kind, name, options.as_mut_ptr(), 0) })?;
        let device = Hold::new(device)?;
        // SAFETY: the device is one, and the pool takes a hold of its own on it.
        let pool = Hold::new(unsafe { av_hwframe_ctx_alloc(device.0.as_ptr()) })?;
        // SAFETY: what a pool's buffer holds is this structure, and nobody else knows the pool before it is set up.
        unsafe {
            let context = (*pool.0.as_ptr()).data.cast::<AVHWFramesContext>();
            (*context).format = memory.pixels.into();
            (*context).sw_format = form.into();
            (*context).width = width as i32;
            (*context).height = height as i32;
            (*context).initial_pool_size = SURFACES;
        }
        // SAFETY: as above.
        check(unsafe { av_hwframe_ctx_init(pool.0.as_ptr()) })?;
        Ok(Self { pool })
    }

    /// Has an encoder that is not open yet take its pictures from here.
    #[expect(unsafe_code, reason = "FFmpeg's bindings have no hardware contexts")]
    pub(super) fn serve(&self, encoder: &mut ff::encoder::video::Video) -> Result<(), ff::Error> {
        // SAFETY: the pool is one; the encoder's context owns the hold that it is given and lets it go at its end.
        unsafe {
            let hold = Hold::new(av_buffer_ref(self.pool.0.as_ptr()))?;
            (*encoder.as_mut_ptr()).hw_frames_ctx = hold.0.as_ptr();
            std::mem::forget(hold);
        }
        Ok(())
    }

    /// A picture of the pool's form and size in the graphics processor's memory.
    #[expect(unsafe_code, reason = "FFmpeg's bindings have no hardware contexts")]
    pub(super) fn upload(&self, picture: &Video) -> Result<Video, ff::Error> {
        let mut surface = Video::empty();
        // SAFETY: the pool is set up, the surface is empty until it is given one of it, and the picture is only read.
        unsafe {
            check(av_hwframe_get_buffer(self.pool.0.as_ptr(), surface.as_mut_ptr(), 0))?;
            check(av_hwframe_transfer_data(surface.as_mut_ptr(), picture.as_ptr(), 0))?;
        }
        Ok(surface)
    }
}

fn check(answer: i32) -> Result<(), ff::Error> {
    if answer < 0 { Err(ff::Error::from(answer)) } else { Ok(()) }
}

/// In the order of their names, which is the one in which they were found.
fn nodes(folder: &Path) -> Vec<PathBuf> {
    let entries = folder.read_dir().into_iter().flatten().flatten();
    let mut nodes: Vec<PathBuf> = entries
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(NODE))
        .map(|entry| entry.path())
        .collect();
    nodes.sort();
    nodes
}

#[cfg(test)]
#[path = "surfaces_tests.rs"]
mod tests;
