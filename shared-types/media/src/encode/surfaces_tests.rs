//! Graphics processors that are not there, that do not answer, and one that is none.

#![expect(unsafe_code, reason = "FFmpeg's bindings have no hardware contexts")]

use std::time::{Duration, Instant};

use ff::ffi::{av_buffer_get_ref_count, av_hwdevice_ctx_alloc};

use super::*;
use crate::encode::init;

const FULL_HD: (u32, u32) = (1920, 1080);

fn refused(folder: &Path) -> String {
    match Surfaces::open_in(folder, Memory::VAAPI, Pixel::NV12, FULL_HD) {
        Ok(_) => panic!("there is a graphics processor in {}", folder.display()),
        Err(error) => error.to_string(),
    }
}

/// How many files of a folder this process has open.
#[cfg(target_os = "linux")]
fn open_files(folder: &Path) -> usize {
    let held = Path::new("/proc/self/fd").read_dir().unwrap().flatten();
    held.filter(|file| file.path().read_link().is_ok_and(|to| to.starts_with(folder))).count()
}

#[test]
fn a_computer_without_a_graphics_processor_is_told_so_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let began = Instant::now();
    for _ in 0..100 {
        let said = refused(&folder.path().join("dri"));
        assert!(said.starts_with("no graphics processor can be used: this computer has none"), "{said}");
    }
    // A card without a node to work with counts as none.
    std::fs::write(folder.path().join("card0"), []).unwrap();
    assert!(refused(folder.path()).contains("has none"));
    assert!(began.elapsed() < Duration::from_millis(500), "{:?} for a hundred times", began.elapsed());
}

#[test]
#[cfg(target_os = "linux")]
fn one_that_does_not_answer_is_named_and_leaves_nothing_behind() {
    init();
    let folder = tempfile::tempdir().unwrap();
    for node in ["renderD129", "renderD128"] {
        std::fs::write(folder.path().join(node), []).unwrap();
    }
    let said = refused(folder.path());
    assert!(said.contains("renderD129: its driver does not answer"), "the last one that was tried: {said}");
    assert_eq!(open_files(folder.path()), 0);
}

#[test]
fn a_hold_is_let_go_of_once() {
    init();
    // SAFETY: a device that was never set up is a piece of memory that FFmpeg counts, and is only counted here.
    unsafe {
        let first = Hold::new(av_hwdevice_ctx_alloc(AVHWDeviceType::AV_HWDEVICE_TYPE_VAAPI)).unwrap();
        let count = || av_buffer_get_ref_count(first.0.as_ptr());
        let second = Hold::new(av_buffer_ref(first.0.as_ptr())).unwrap();
        let third = Hold::new(av_buffer_ref(first.0.as_ptr())).unwrap();
        assert_eq!(count(), 3);
        drop(second);
        assert_eq!(count(), 2);
        drop(third);
        assert_eq!(count(), 1);
    }
    assert!(Hold::new(ptr::null_mut()).is_err());
}

/// Only in the long run, since it needs an `OpenCL` device, such as Debian's `pocl-opencl-icd`; a computer without one has nothing
/// to test here.
#[test]
fn pictures_come_back_from_a_device_as_they_went_in() {
    if std::env::var_os("COLLECTOR_TEST_ALL").is_none() {
        return;
    }
    init();
    let memory = Memory { kind: AVHWDeviceType::AV_HWDEVICE_TYPE_OPENCL, pixels: Pixel::OPENCL, option: None };
    // OpenCL on a processor knows no picture in two planes.
    let (width, height) = FULL_HD;
    let Ok(surfaces) = Surfaces::on(memory, None, Pixel::RGBA, FULL_HD) else { return };
    // More than the pool holds at once: each is given back.
    for round in 0..3 * SURFACES as u8 {
        let mut picture = Video::new(Pixel::RGBA, width, height);
        picture.data_mut(0).iter_mut().zip(0_usize..).for_each(|(byte, at)| *byte = (at % 251) as u8 ^ round);
        let surface = surfaces.upload(&picture).unwrap();
        assert_eq!((surface.format(), surface.width(), surface.height()), (Pixel::OPENCL, width, height));
        let mut back = Video::new(Pixel::RGBA, width, height);
        // SAFETY: two pictures of one form and size, each its owner's.
        check(unsafe { av_hwframe_transfer_data(back.as_mut_ptr(), surface.as_ptr(), 0) }).unwrap();
        let row = |picture: &Video, y: usize| picture.data(0)[y * picture.stride(0)..][..4 * width as usize].to_vec();
        for y in 0..height as usize {
            assert!(row(&back, y) == row(&picture, y), "row {y} of picture {round}");
        }
    }
}
