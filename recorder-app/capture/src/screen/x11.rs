//! The screen of an X11 session.
//!
//! One monitor's rectangle of the root window is copied by the server into shared memory (MIT-SHM 1.2), the pointer is
//! painted over it, and the result is compared with the picture before: two pieces of memory take turns, so that a
//! still screen costs one comparison and no copy. A display without shared memory (over a network, for example) sends
//! its pixels through the connection instead, many times slower. Asking for the pointer's image takes the same round
//! trip as the picture and some kilobytes, so it is not cached.
//!
//! The monitor's rectangle is asked for again whenever `RandR` or the root window tell of a change, and when the server
//! refuses a rectangle that no longer fits.

use media::frame::BgraFrame;
use x11rb::connection::{Connection as _, RequestConnection as _};
use x11rb::errors::{ConnectionError, ReplyError, ReplyOrIdError};
use x11rb::protocol::xfixes::{self, ConnectionExt as _};
use x11rb::protocol::xproto::{ChangeWindowAttributesAux, ConnectionExt as _, EventMask, ImageFormat, ImageOrder};
use x11rb::protocol::{
    Event,
    randr::{self, ConnectionExt as _},
    shm::{self, ConnectionExt as _},
};

use super::shm::SharedMemory;
use super::{Grab, ScreenError, ScreenInfo, ScreenSource, pointer};
use crate::clock;
use crate::display::{Display, Session};

pub(super) fn list(session: &Session) -> Result<Vec<ScreenInfo>, ScreenError> {
    monitors(&Display::open(session)?)
}

/// The monitors, the primary one first; the whole root window where `RandR` 1.5 is missing.
fn monitors(display: &Display) -> Result<Vec<ScreenInfo>, ScreenError> {
    let mut screens = Vec::new();
    if has_monitors(display)? {
        for monitor in display.conn.randr_get_monitors(display.root, true)?.reply()?.monitors {
            let name = display.conn.get_atom_name(monitor.name)?.reply()?.name;
            let name = String::from_utf8_lossy(&name).into_owned();
            screens.push(ScreenInfo {
                id: name.clone(),
                name,
                x: monitor.x.into(),
                y: monitor.y.into(),
                width: monitor.width.into(),
                height: monitor.height.into(),
                primary: monitor.primary,
            });
        }
    }
    if screens.is_empty() {
        let root = display.conn.get_geometry(display.root)?.reply()?;
        screens.push(ScreenInfo {
            id: "root".to_owned(),
            name: "whole desktop".to_owned(),
            x: 0,
            y: 0,
            width: root.width.into(),
            height: root.height.into(),
            primary: true,
        });
    }
    screens.sort_by_key(|screen| !screen.primary);
    if let Some(first) = screens.first_mut() {
        first.primary = true;
    }
    Ok(screens)
}

fn has_monitors(display: &Display) -> Result<bool, ScreenError> {
    if display.conn.extension_information(randr::X11_EXTENSION_NAME)?.is_none() {
        return Ok(false);
    }
    let version = display.conn.randr_query_version(1, 5)?.reply()?;
    Ok((version.major_version, version.minor_version) >= (1, 5))
}

pub(super) struct X11Screen {
    display: Display,
    area: ScreenInfo,
    store: Store,
    /// Whether the store holds a picture to compare the next one with.
    compare: bool,
}

/// Where the pixels arrive.
enum Store {
    Shared { current: Segment, before: Segment },
    Sent { current: Vec<u8>, before: Vec<u8> },
}

struct Segment {
    memory: SharedMemory,
    id: shm::Seg,
}

impl X11Screen {
    pub(super) fn open(session: &Session, id: Option<&str>) -> Result<Self, ScreenError> {
        let display = Display::open(session)?;
        check_colours(&display)?;
        if display.conn.extension_information(xfixes::X11_EXTENSION_NAME)?.is_none() {
            return Err(display.lacks("the extension XFIXES").into());
        }
        display.conn.xfixes_query_version(5, 0)?.reply()?;

        let mut screens = monitors(&display)?;
        let chosen = match id {
            None => 0,
            Some(id) => screens.iter().position(|screen| screen.id == id).ok_or_else(|| {
                let there: Vec<_> = screens.iter().map(|screen| screen.id.as_str()).collect();
                ScreenError::Unknown { id: id.to_owned(), there: there.join(", ") }
            })?,
        };
        let area = screens.swap_remove(chosen);

        let events = ChangeWindowAttributesAux::new().event_mask(EventMask::STRUCTURE_NOTIFY);
        display.conn.change_window_attributes(display.root, &events)?.check()?;
        if display.conn.extension_information(randr::X11_EXTENSION_NAME)?.is_some() {
            let changes =
                randr::NotifyMask::SCREEN_CHANGE | randr::NotifyMask::CRTC_CHANGE | randr::NotifyMask::OUTPUT_CHANGE;
            display.conn.randr_select_input(display.root, changes)?.check()?;
        }
        let store = Store::new(&display, &area)?;
        Ok(Self { display, area, store, compare: false })
    }

    /// Asks where the monitor is now.
    fn find_area(&mut self) -> Result<(), ScreenError> {
        let area = monitors(&self.display)?
            .into_iter()
            .find(|screen| screen.id == self.area.id)
            .ok_or_else(|| ScreenError::Gone { id: self.area.id.clone() })?;
        if (area.width, area.height) != (self.area.width, self.area.height) {
            self.store.release(&self.display)?;
            self.store = Store::new(&self.display, &area)?;
            self.compare = false;
        }
        self.area = area;
        Ok(())
    }

    fn drain_events(&mut self) -> Result<bool, ScreenError> {
        let mut moved = false;
        while let Some(event) = self.display.conn.poll_for_event()? {
            moved |= matches!(event, Event::RandrScreenChangeNotify(_) | Event::RandrNotify(_))
                || matches!(&event, Event::ConfigureNotify(change) if change.window == self.display.root);
        }
        Ok(moved)
    }

    /// Brings the picture with its pointer into the store's current buffer.
    fn fetch(&mut self) -> Result<(), ReplyError> {
        let Self { display, area, store, .. } = self;
        let conn = &display.conn;
        let (x, y, width, height) = (area.x as i16, area.y as i16, area.width as u16, area.height as u16);
        let cursor = match store {
            Store::Shared { current, .. } => {
                let format = ImageFormat::Z_PIXMAP.into();
                let image = conn.shm_get_image(display.root, x, y, width, height, u32::MAX, format, current.id, 0)?;
                let cursor = conn.xfixes_get_cursor_image()?;
                image.reply()?;
                cursor.reply()?
            }
            Store::Sent { current, .. } => {
                let image = conn.get_image(ImageFormat::Z_PIXMAP, display.root, x, y, width, height, u32::MAX)?;
                let cursor = conn.xfixes_get_cursor_image()?;
                *current = image.reply()?.data;
                cursor.reply()?
            }
        };
        pointer::paint(&cursor, store.current_mut(), area.x, area.y, area.width, area.height);
        Ok(())
    }
}

impl ScreenSource for X11Screen {
    fn size(&self) -> (u32, u32) {
        (self.area.width, self.area.height)
    }

    fn corner(&self) -> (i32, i32) {
        (self.area.x, self.area.y)
    }

    fn latest(&mut self, into: &mut BgraFrame) -> Result<Grab, ScreenError> {
        if self.drain_events()? {
            self.find_area()?;
        }
        into.at = clock::now();
        match self.fetch() {
            Ok(()) => {}
            // The rectangle fits no more: the change came between the last event and this request.
            Err(ReplyError::X11Error(_)) => {
                self.find_area()?;
                into.at = clock::now();
                self.fetch()?;
            }
            Err(error) => return Err(error.into()),
        }
        if self.compare && self.store.is_same() {
            return Ok(Grab::Same);
        }
        (into.width, into.height) = (self.area.width, self.area.height);
        into.stride = self.area.width as usize * 4;
        into.data.resize(into.stride * self.area.height as usize, 0);
        let picture = self.store.current_mut();
        let bytes = into.data.len().min(picture.len());
        into.data[..bytes].copy_from_slice(&picture[..bytes]);
        self.store.keep();
        self.compare = true;
        Ok(Grab::Changed)
    }
}

impl Store {
    fn new(display: &Display, area: &ScreenInfo) -> Result<Self, ScreenError> {
        let bytes = area.width as usize * area.height as usize * 4;
        if !shares_memory(display)? {
            return Ok(Self::Sent { current: vec![0; bytes], before: Vec::new() });
        }
        match (Segment::new(display, bytes)?, Segment::new(display, bytes)?) {
            (Some(current), Some(before)) => Ok(Self::Shared { current, before }),
            _ => Ok(Self::Sent { current: vec![0; bytes], before: Vec::new() }),
        }
    }

    fn current_mut(&mut self) -> &mut [u8] {
        match self {
            Self::Shared { current, .. } => current.memory.pixels_mut(),
            Self::Sent { current, .. } => current,
        }
    }

    fn is_same(&self) -> bool {
        match self {
            Self::Shared { current, before } => current.memory.pixels() == before.memory.pixels(),
            Self::Sent { current, before } => current == before,
        }
    }

    /// Makes the current picture the one that the next is compared with.
    fn keep(&mut self) {
        match self {
            Self::Shared { current, before } => std::mem::swap(current, before),
            Self::Sent { current, before } => std::mem::swap(current, before),
        }
    }

    fn release(&self, display: &Display) -> Result<(), ScreenError> {
        if let Self::Shared { current, before } = self {
            display.conn.shm_detach(current.id)?;
            display.conn.shm_detach(before.id)?;
        }
        Ok(())
    }
}

impl Segment {
    /// None when the server refuses to share memory, as one at the other end of a network does.
    fn new(display: &Display, bytes: usize) -> Result<Option<Self>, ScreenError> {
        let (memory, file) = SharedMemory::new(bytes).map_err(ScreenError::Memory)?;
        let id = display.conn.generate_id().map_err(|error: ReplyOrIdError| ScreenError::Lost(error.to_string()))?;
        let Ok(request) = display.conn.shm_attach_fd(id, file, false) else {
            return Ok(None);
        };
        match request.check() {
            Ok(()) => Ok(Some(Self { memory, id })),
            Err(ReplyError::X11Error(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

fn shares_memory(display: &Display) -> Result<bool, ScreenError> {
    if display.conn.extension_information(shm::X11_EXTENSION_NAME)?.is_none() {
        return Ok(false);
    }
    let version = display.conn.shm_query_version()?.reply()?;
    Ok((version.major_version, version.minor_version) >= (1, 2))
}

/// Pictures must come as 32-bit pixels with blue first, as every desktop of this century gives them.
fn check_colours(display: &Display) -> Result<(), ScreenError> {
    let setup = display.conn.setup();
    let screen = &setup.roots[display.screen];
    let unusable = |what: String| Err(ScreenError::Colours { what });
    let depth = screen.root_depth;
    if !setup.pixmap_formats.iter().any(|format| format.depth == depth && format.bits_per_pixel == 32) {
        return unusable(format!("{depth} bits of colour"));
    }
    if setup.image_byte_order != ImageOrder::LSB_FIRST {
        return unusable("another byte order".to_owned());
    }
    let visuals = screen.allowed_depths.iter().flat_map(|depth| &depth.visuals);
    let blue_first = visuals
        .filter(|visual| visual.visual_id == screen.root_visual)
        .all(|visual| (visual.red_mask, visual.green_mask, visual.blue_mask) == (0xff_0000, 0xff00, 0xff));
    if blue_first { Ok(()) } else { unusable("another order of colours".to_owned()) }
}

impl From<ConnectionError> for ScreenError {
    fn from(error: ConnectionError) -> Self {
        Self::Lost(error.to_string())
    }
}

impl From<ReplyError> for ScreenError {
    fn from(error: ReplyError) -> Self {
        Self::Lost(error.to_string())
    }
}
