//! The screen through scap: on Wayland by the desktop's portal and `PipeWire`, on Windows by Windows.Graphics.Capture, on
//! macOS by `ScreenCaptureKit`.
//!
//! On Wayland the desktop itself asks the worker which screen or window to share, each time; there is nothing to list
//! and nothing to choose here. scap waits ten seconds for the answer. It reports what goes wrong by panicking, and only
//! in English sentences, which [`trouble`] sorts. How its other habits are met is told in [`super::feed`].

use std::time::Duration;

use ::scap::capturer::{Capturer, Options, Resolution};
use ::scap::frame::{Frame, FrameType};
use media::frame::BgraFrame;
use media::time::Monotonic;

use super::feed::{Feed, FeedError, Next};
use super::{ScreenError, ScreenInfo};
use crate::clock;

/// Two minutes to choose in, ten seconds to confirm, and some for the first picture.
const PATIENCE: Duration = Duration::from_secs(150);
/// Asked for, not kept to: what matters is when the recorder asks.
const FPS: u32 = 30;

#[cfg(not(target_os = "linux"))]
mod targets;
#[cfg(not(target_os = "linux"))]
pub(super) use targets::{list, open};

fn cast(options: Options) -> Result<Next, String> {
    let mut capturer = Capturer::build(options).map_err(|error| error.to_string())?;
    capturer.start_capture();
    let casting = Casting(capturer);
    Ok(Box::new(move || casting.next()))
}

/// A capturer that is running; it is stopped on whichever way its thread ends.
struct Casting(Capturer);

impl Casting {
    fn next(&self) -> Result<Option<BgraFrame>, String> {
        let frame = self.0.get_next_frame().map_err(|_| "it brings no more pictures".to_owned())?;
        Ok(picture(frame))
    }
}

impl Drop for Casting {
    fn drop(&mut self) {
        // It may be dropped because of a panic, and a second one would end the program.
        let stop = std::panic::AssertUnwindSafe(|| self.0.stop_capture());
        drop(std::panic::catch_unwind(stop));
    }
}

/// Of the windows that are left out only macOS makes anything.
fn options(target: Option<::scap::Target>, left_out: Option<Vec<::scap::Target>>) -> Options {
    Options {
        fps: FPS,
        show_cursor: true,
        show_highlight: false,
        target,
        crop_area: None,
        output_type: FrameType::BGRAFrame,
        output_resolution: Resolution::Captured,
        excluded_targets: left_out,
    }
}

/// None for what holds no picture: macOS tells of a still screen by an empty one.
fn picture(frame: Frame) -> Option<BgraFrame> {
    let (width, height, display_time, data) = match frame {
        Frame::BGRx(frame) => (frame.width, frame.height, frame.display_time, frame.data),
        Frame::BGRA(frame) => (frame.width, frame.height, frame.display_time, frame.data),
        Frame::RGBx(frame) => {
            let mut data = frame.data;
            data.chunks_exact_mut(4).for_each(|pixel| pixel.swap(0, 2));
            (frame.width, frame.height, frame.display_time, data)
        }
        Frame::XBGR(frame) => {
            let mut data = frame.data;
            data.chunks_exact_mut(4).for_each(|pixel| pixel.rotate_left(1));
            (frame.width, frame.height, frame.display_time, data)
        }
        Frame::RGB(frame) => return wide(frame.width, frame.height, frame.display_time, &frame.data),
        Frame::YUVFrame(_) | Frame::BGR0(_) => return None,
    };
    let (width, height) = (u32::try_from(width).ok()?, u32::try_from(height).ok()?);
    if width == 0 || height == 0 {
        return None;
    }
    let stride = row_bytes(data.len(), height as usize, width as usize * 4)?;
    Some(BgraFrame { width, height, stride, data, at: shown_at(display_time) })
}

/// How long a row is, is not told; it follows from how much there is. Where the rows do not come out even it is the buffer
/// that ends with something else, as one of whole pages of memory does.
fn row_bytes(bytes: usize, height: usize, packed: usize) -> Option<usize> {
    let row = bytes.checked_div(height)?;
    let is_even = bytes.is_multiple_of(height) && row.is_multiple_of(4);
    (row >= packed).then_some(if is_even { row } else { packed })
}

/// From three bytes a pixel to four.
fn wide(width: i32, height: i32, display_time: u64, data: &[u8]) -> Option<BgraFrame> {
    let (width, height) = (u32::try_from(width).ok()?, u32::try_from(height).ok()?);
    let (row, packed) = (data.len().checked_div(height as usize)?, width as usize * 3);
    if packed == 0 || row < packed {
        return None;
    }
    let pixels = data.chunks_exact(row).flat_map(|row| row[..packed].chunks_exact(3));
    let data = pixels.flat_map(|pixel| [pixel[2], pixel[1], pixel[0], 255]).collect();
    Some(BgraFrame { width, height, stride: width as usize * 4, data, at: shown_at(display_time) })
}

/// On Linux the time is that of our clock, where the compositor tells one; elsewhere it is another clock's.
fn shown_at(display_time: u64) -> Monotonic {
    match i64::try_from(display_time) {
        Ok(nanos) if cfg!(target_os = "linux") && nanos > 0 => Monotonic::from_nanos(nanos),
        _ => clock::now(),
    }
}

fn trouble(error: FeedError) -> ScreenError {
    let reason = match error {
        FeedError::Busy => return ScreenError::Busy,
        FeedError::Silent => return ScreenError::Silent,
        FeedError::Ended(reason) => reason,
    };
    let says = |words: &[&str]| words.iter().any(|word| reason.contains(word));
    if says(&["cancelled", "ended in some other way", "Permission"]) {
        ScreenError::Refused
    } else if says(&["Did not get response"]) {
        ScreenError::NotChosen
    } else if says(&["dbus connection", "ServiceUnknown", "NameHasNoOwner", "cursor mode", "ScreenCast"]) {
        ScreenError::NoPortal { reason }
    } else {
        ScreenError::Lost(reason)
    }
}

#[cfg(target_os = "linux")]
pub(super) use portals::{list, open};

#[cfg(target_os = "linux")]
mod portals {
    use super::super::pipewire::Connection;
    use super::super::portal::{PORTAL, PortalScreen, Sessions, Sharing};
    use super::{Feed, PATIENCE, ScreenError, ScreenInfo, cast, options, trouble};
    use crate::display::Session;

    pub(in super::super) fn list() -> Vec<ScreenInfo> {
        vec![ScreenInfo {
            id: PORTAL.to_owned(),
            name: "The one that the desktop asks for".to_owned(),
            x: 0,
            y: 0,
            width: 0,
            height: 0,
            primary: true,
        }]
    }

    pub(in super::super) fn open(session: &Session, id: Option<&str>) -> Result<PortalScreen, ScreenError> {
        if let Some(id) = id.filter(|id| *id != PORTAL) {
            return Err(ScreenError::Unknown { id: id.to_owned(), there: PORTAL.to_owned() });
        }
        let feed = Feed::open(PATIENCE, || cast(options(None, None))).map_err(trouble)?;
        let mut sessions = Sessions::of(session);
        let shown = Sharing::watch(move || move || sessions.is_one_ours());
        let brought = Sharing::watch(|| {
            let connection = Connection::open();
            move || connection.as_ref().map(Connection::is_alive)
        });
        Ok(PortalScreen::new(feed, vec![shown, brought]))
    }
}

#[cfg(test)]
mod tests {
    use ::scap::frame::{BGRxFrame, RGBFrame, RGBxFrame, XBGRFrame};

    use super::*;

    #[test]
    fn every_order_of_colours_becomes_blue_first_and_rows_may_be_padded() {
        let (width, height, display_time) = (1, 2, 7);
        let blue_first = vec![1, 2, 3, 0, 9, 9, 9, 9, 4, 5, 6, 0, 9, 9, 9, 9];
        let frames = [
            Frame::BGRx(BGRxFrame { width, height, display_time, data: blue_first.clone() }),
            Frame::RGBx(RGBxFrame { width, height, display_time, data: vec![3, 2, 1, 0, 6, 5, 4, 0] }),
            Frame::XBGR(XBGRFrame { width, height, display_time, data: vec![0, 1, 2, 3, 0, 4, 5, 6] }),
            Frame::RGB(RGBFrame { width, height, display_time, data: vec![3, 2, 1, 9, 6, 5, 4, 9] }),
        ];
        for frame in frames {
            let picture = picture(frame).unwrap();
            let pixels: Vec<_> = (0..2).map(|y| picture.row(y)[..3].to_vec()).collect();
            assert_eq!(pixels, [[1, 2, 3], [4, 5, 6]], "{picture:?}");
        }
    }

    #[test]
    fn a_buffer_of_whole_pages_does_not_skew_the_picture() {
        assert_eq!(row_bytes(301 * 2804, 301, 2804), Some(2804));
        assert_eq!(row_bytes(207 * 4096, 301, 2804), Some(2804), "what is left of the last page");
        assert_eq!(row_bytes(600 * 4096, 600, 4000), Some(4096), "padded rows");
        assert_eq!(row_bytes(600 * 4000 - 1, 600, 4000), None);
        assert_eq!(row_bytes(0, 0, 0), None);
    }

    #[test]
    fn what_is_empty_or_too_short_is_no_picture() {
        for (width, height, bytes) in [(0, 0, 0), (2, 2, 12), (-1, 2, 64), (2, 0, 64)] {
            let frame = BGRxFrame { width, height, display_time: 0, data: vec![0; bytes] };
            assert!(picture(Frame::BGRx(frame)).is_none(), "{width} x {height} of {bytes}");
            let frame = RGBFrame { width, height, display_time: 0, data: vec![0; bytes / 2] };
            assert!(picture(Frame::RGB(frame)).is_none(), "{width} x {height} of {}", bytes / 2);
        }
    }

    #[test]
    fn what_scap_says_becomes_what_to_do() {
        let rows = [
            ("Failed to get screencast stream: LinCapError { msg: \"User cancelled the interaction\" }", "allow it"),
            ("Failed to get screencast stream: LinCapError { msg: \"Did not get response\" }", "ten seconds"),
            ("Failed to create dbus connection: D-Bus error: Unable to autolaunch", "xdg-desktop-portal"),
            ("Unsupported cursor mode: LinCapError { msg: \"ServiceUnknown\" }", "xdg-desktop-portal"),
            ("Permission to capture the screen is not granted", "allow it"),
            ("called `Option::unwrap()` on a `None` value", "start a new recording"),
        ];
        for (said, hint) in rows {
            let told = trouble(FeedError::Ended(said.to_owned())).to_string();
            assert!(told.contains(hint), "{said}: {told}");
        }
    }
}
