//! The screen of an X11 session.
//!
//! One monitor's rectangle of the root window is copied by the server into shared memory (MIT-SHM 1.2), the pointer is
//! painted over it, and the result is compared with the picture before: two pieces of memory take turns, so that a
//! still screen costs one comparison and no copy. A display without shared memory (over a network, for example) sends
//! its pixels through the connection instead, many times slower. Asking for the pointer's image takes the same round
//! trip as the picture and some kilobytes, so it is not cached.
//!
//! The monitor's rectangle, or the window's, is asked for again whenever `RandR` or the root window tell of a change, and
//! when the server refuses a rectangle that no longer fits; a monitor that is away for a moment keeps its last picture. What of the windows is left out is painted over before the
//! pointer is painted in: what the server tells until it has given the picture counts for that picture.

use std::collections::BTreeSet;

use media::frame::BgraFrame;
use x11rb::connection::{Connection as _, RequestConnection as _};
use x11rb::errors::{ConnectionError, ReplyError, ReplyOrIdError};
use x11rb::protocol::xfixes::GetCursorImageReply;
use x11rb::protocol::xfixes::{self, ConnectionExt as _};
use x11rb::protocol::xproto::{ConnectionExt as _, ImageFormat, ImageOrder, Window};
use x11rb::protocol::{
    Event,
    randr::{self, ConnectionExt as _},
    shm::{self, ConnectionExt as _},
};

use super::absence::Absence;
use super::area::{Area, paint_over};
use super::shm::SharedMemory;
use super::windows::{Atoms, Hiding, Shown, WINDOW, hidden, is_locked, program_of, shown, watch, window_of};
use super::{Grab, ScreenError, ScreenInfo, ScreenSource, pointer};
use crate::clock;
use crate::display::{Display, Session};

/// How long a window may have another title before that counts.
const TITLES_EVERY_NANOS: i64 = 250_000_000;

pub(super) fn list(session: &Session) -> Result<Vec<ScreenInfo>, ScreenError> {
    monitors(&Display::open(session)?)
}

/// The windows that can be recorded alone, the highest first; this program's own are none of them.
pub(super) fn list_windows(session: &Session) -> Result<Vec<ScreenInfo>, ScreenError> {
    let display = Display::open(session)?;
    let atoms = Atoms::new(&display.conn)?.reply()?;
    let windows = shown(&display.conn, display.root, atoms)?;
    let named = windows.iter().rev().filter(|window| !window.title.is_empty() && !window.is_own);
    let whole = whole(&display)?;
    Ok(named.map(|window| window_info(window, whole)).filter(|info| info.width > 1 && info.height > 1).collect())
}

/// The other programs that have windows, each once.
pub(super) fn list_programs(session: &Session) -> Result<Vec<String>, ScreenError> {
    let display = Display::open(session)?;
    let atoms = Atoms::new(&display.conn)?.reply()?;
    let windows = shown(&display.conn, display.root, atoms)?;
    let others = windows.iter().filter(|window| !window.is_own);
    let programs: BTreeSet<_> = others.filter_map(|window| program_of(&window.class)).collect();
    Ok(programs.into_iter().map(str::to_owned).collect())
}

fn whole(display: &Display) -> Result<Area, ReplyError> {
    let root = display.conn.get_geometry(display.root)?.reply()?;
    Ok(Area { left: 0, top: 0, right: root.width.into(), bottom: root.height.into() })
}

fn window_info(window: &Shown, whole: Area) -> ScreenInfo {
    let seen = window.area.within(whole);
    ScreenInfo {
        id: format!("{WINDOW}{:#x}", window.id),
        name: window.title.clone(),
        x: seen.left,
        y: seen.top,
        width: (seen.right - seen.left).max(0).unsigned_abs(),
        height: (seen.bottom - seen.top).max(0).unsigned_abs(),
        primary: false,
    }
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
    atoms: Atoms,
    hiding: Hiding,
    /// What was left out of the last picture, and when the windows were asked for that.
    left_out: Vec<Area>,
    asked_nanos: Option<i64>,
    news: News,
    absence: Absence,
    /// There is a picture that the next can be the same as.
    has_given: bool,
}

/// What the server told since the last picture.
#[derive(Debug, Clone, Copy, Default)]
struct News {
    /// The monitors, or the window that is recorded, may lie elsewhere.
    moved: bool,
    /// Windows may have come, gone, moved or changed places.
    restacked: bool,
    /// The window that is recorded was not there for a while, however short: a picture may show what lies below.
    hid: bool,
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

        let atoms = Atoms::new(&display.conn)?.reply()?;
        let only = id.and_then(window_of);
        let hiding = Hiding::of(session, only);
        let area = match only {
            Some(window) if hiding.leaves_out(&display.conn, window, atoms)? => return Err(ScreenError::LeftOut),
            Some(window) => find_window(&display, window)?,
            None => find_monitor(&display, id)?,
        };
        watch(&display.conn, display.root)?;
        if display.conn.extension_information(randr::X11_EXTENSION_NAME)?.is_some() {
            let changes =
                randr::NotifyMask::SCREEN_CHANGE | randr::NotifyMask::CRTC_CHANGE | randr::NotifyMask::OUTPUT_CHANGE;
            display.conn.randr_select_input(display.root, changes)?.check()?;
        }
        let store = Store::new(&display, &area)?;
        Ok(Self {
            display,
            area,
            store,
            compare: false,
            atoms,
            hiding,
            left_out: Vec::new(),
            asked_nanos: None,
            news: News::default(),
            absence: Absence::default(),
            has_given: false,
        })
    }

    /// Asks where the monitor, or the window, is now. False for a monitor that is away, perhaps for a moment only.
    fn find_area(&mut self) -> Result<bool, ScreenError> {
        let area = match self.hiding.only {
            Some(window) => find_window(&self.display, window)?,
            None => match monitors(&self.display)?.into_iter().find(|screen| screen.id == self.area.id) {
                Some(monitor) => monitor,
                None if self.has_given && !self.absence.missed(clock::now()) => return Ok(false),
                None => return Err(ScreenError::Gone { id: self.area.id.clone() }),
            },
        };
        self.absence.found();
        if (area.width, area.height) != (self.area.width, self.area.height) {
            self.store.release(&self.display)?;
            self.store = Store::new(&self.display, &area)?;
            self.compare = false;
        }
        self.area = area;
        Ok(true)
    }

    fn drain_events(&mut self) -> Result<(), ScreenError> {
        while let Some(event) = self.display.conn.poll_for_event()? {
            let of = |window: Window| window == self.display.root || Some(window) == self.hiding.only;
            self.news.moved |= match &event {
                Event::RandrScreenChangeNotify(_) | Event::RandrNotify(_) => true,
                Event::ConfigureNotify(change) => of(change.window),
                Event::DestroyNotify(change) => of(change.window),
                _ => false,
            };
            self.news.hid |= match &event {
                Event::UnmapNotify(change) => Some(change.window) == self.hiding.only,
                Event::DestroyNotify(change) => Some(change.window) == self.hiding.only,
                _ => false,
            };
            self.news.restacked |= matches!(
                event,
                Event::ConfigureNotify(_)
                    | Event::MapNotify(_)
                    | Event::UnmapNotify(_)
                    | Event::DestroyNotify(_)
                    | Event::CirculateNotify(_)
                    | Event::ReparentNotify(_)
            );
        }
        Ok(())
    }

    /// Paints over what is not to be seen in the picture that was just fetched.
    fn leave_out(&mut self) -> Result<(), ScreenError> {
        // Answers come in order: what changed before the picture was taken has been told by now.
        self.drain_events()?;
        let now = clock::now().nanos;
        let mut parts = std::mem::take(&mut self.left_out);
        let ScreenInfo { x, y, width, height, .. } = self.area;
        let recorded = Area { left: x, top: y, right: x + width as i32, bottom: y + height as i32 };
        if self.news.restacked || self.asked_nanos.is_none_or(|asked| now - asked >= TITLES_EVERY_NANOS) {
            self.news.restacked = false;
            self.asked_nanos = Some(now);
            let (conn, root) = (&self.display.conn, self.display.root);
            self.left_out = if is_locked(conn, root)? {
                vec![recorded]
            } else {
                hidden(&shown(conn, root, self.atoms)?, &self.hiding, recorded)
            };
            // The picture may be older than the answer; a window that moves is left out at both places.
            parts.extend(&self.left_out);
        } else {
            self.left_out.clone_from(&parts);
        }
        if std::mem::take(&mut self.news.hid) {
            parts.push(recorded);
        }
        paint_over(&parts, self.store.current_mut(), recorded);
        Ok(())
    }

    /// Brings the picture into the store's current buffer, and gives the pointer.
    fn fetch(&mut self) -> Result<GetCursorImageReply, ReplyError> {
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
        Ok(cursor)
    }
}

fn find_monitor(display: &Display, id: Option<&str>) -> Result<ScreenInfo, ScreenError> {
    let mut screens = monitors(display)?;
    let chosen = match id {
        None => 0,
        Some(id) => screens.iter().position(|screen| screen.id == id).ok_or_else(|| {
            let there: Vec<_> = screens.iter().map(|screen| screen.id.as_str()).collect();
            ScreenError::Unknown { id: id.to_owned(), there: there.join(", ") }
        })?,
    };
    Ok(screens.swap_remove(chosen))
}

/// What of a window lies on the screen. One that is hidden keeps its place; what lies above it is painted over.
fn find_window(display: &Display, window: Window) -> Result<ScreenInfo, ScreenError> {
    let id = format!("{WINDOW}{window:#x}");
    let gone = || ScreenError::Gone { id: id.clone() };
    let geometry = match display.conn.get_geometry(window)?.reply() {
        Ok(geometry) => geometry,
        Err(ReplyError::X11Error(_)) => return Err(gone()),
        Err(error) => return Err(error.into()),
    };
    let (left, top) = (i32::from(geometry.x), i32::from(geometry.y));
    let (right, bottom) = (left + i32::from(geometry.width), top + i32::from(geometry.height));
    let seen = Area { left, top, right, bottom }.within(whole(display)?);
    let (width, height) = (seen.right - seen.left, seen.bottom - seen.top);
    if width <= 0 || height <= 0 {
        return Err(gone());
    }
    let (width, height) = (width.unsigned_abs(), height.unsigned_abs());
    Ok(ScreenInfo { id: id.clone(), name: id, x: seen.left, y: seen.top, width, height, primary: false })
}

impl ScreenSource for X11Screen {
    fn system(&self) -> &'static str {
        "x11"
    }

    fn size(&self) -> (u32, u32) {
        (self.area.width, self.area.height)
    }

    fn corner(&self) -> (i32, i32) {
        (self.area.x, self.area.y)
    }

    fn latest(&mut self, into: &mut BgraFrame) -> Result<Grab, ScreenError> {
        self.drain_events()?;
        into.at = clock::now();
        if (std::mem::take(&mut self.news.moved) || self.absence.is_away()) && !self.find_area()? {
            return Ok(Grab::Same);
        }
        into.at = clock::now();
        let cursor = match self.fetch() {
            Ok(cursor) => cursor,
            // The rectangle fits no more: the change came between the last event and this request.
            Err(ReplyError::X11Error(_)) => {
                let is_there = self.find_area()?;
                into.at = clock::now();
                if !is_there {
                    return Ok(Grab::Same);
                }
                self.fetch()?
            }
            Err(error) => return Err(error.into()),
        };
        self.leave_out()?;
        let ScreenInfo { x, y, width, height, .. } = self.area;
        pointer::paint(&cursor, self.store.current_mut(), x, y, width, height);
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
        (self.compare, self.has_given) = (true, true);
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
