//! The monitors of Windows and macOS.
//!
//! scap gives their handles; where they lie is asked of the system. It would give single windows as well, but on macOS it
//! takes their size from this program's own windows (`targets/mac/mod.rs`), and none of it could be tried. Asking scap may panic, for example when a window
//! closes while it reads their titles.

use std::sync::Arc;

use ::scap::{Target, get_all_targets, has_permission, request_permission};
use media::frame::BgraFrame;

use super::super::feed::{self, lost};
use super::super::moving::{Look, Place, Watched, renewed};
use super::super::{Grab, ScreenSource};
use super::{Feed, PATIENCE, ScreenError, ScreenInfo, cast, options, trouble};
use crate::clock;
use crate::display::Session;

pub(in super::super) fn list() -> Result<Vec<ScreenInfo>, ScreenError> {
    // Only a program that asked stands in the list where macOS lets it be allowed.
    if !has_permission() && !request_permission() {
        return Err(ScreenError::Refused);
    }
    system::count_in_pixels();
    let ask = || feed::ask(|| monitors().iter().filter_map(describe).collect::<Vec<_>>());
    let mut screens = ask().or_else(|_| ask()).map_err(ScreenError::Lost)?;
    screens.sort_by_key(|screen| !screen.primary);
    Ok(screens)
}

pub(in super::super) fn open(session: &Session, id: Option<&str>) -> Result<MonitorScreen, ScreenError> {
    let screens = list()?;
    let chosen = screens.iter().find(|screen| id.is_none_or(|id| *id == screen.id));
    let chosen = chosen.ok_or_else(|| {
        let there: Vec<_> = screens.iter().map(|screen| screen.id.as_str()).collect();
        ScreenError::Unknown { id: id.unwrap_or_default().to_owned(), there: there.join(", ") }
    })?;
    let id = chosen.id.clone();
    let wanted = id.clone();
    let handle = feed::ask(move || found(&wanted).and_then(|monitor| system::handle(&monitor)));
    let handle = handle.map_err(ScreenError::Lost)?.ok_or_else(|| ScreenError::Gone { id: id.clone() })?;
    let look: Look = Arc::new(move || system::place(handle).map(|(place, _)| place));
    // Targets stay on the thread that uses them, so the monitor is found again there.
    let (asked, wanted) = (look.clone(), id.clone());
    let session = session.clone();
    let start = move || {
        let monitor = found(&wanted).ok_or("the screen was unplugged")?;
        cast(options(Some(monitor), system::left_out(&session)))
    };
    let feed = Feed::open(PATIENCE, move || renewed(asked, start)).map_err(trouble)?;
    Ok(MonitorScreen { id, feed, watched: Watched::new(look) })
}

pub(in super::super) struct MonitorScreen {
    id: String,
    feed: Feed,
    watched: Watched,
}

impl ScreenSource for MonitorScreen {
    fn system(&self) -> &'static str {
        std::env::consts::OS
    }

    fn size(&self) -> (u32, u32) {
        self.feed.size()
    }

    fn corner(&self) -> (i32, i32) {
        self.watched.place.corner
    }

    fn extent(&self) -> (u32, u32) {
        self.watched.place.size
    }

    fn latest(&mut self, into: &mut BgraFrame) -> Result<Grab, ScreenError> {
        let grab = self.feed.latest(into).map_err(|reason| lost(&self.id, &reason))?;
        if !self.watched.is_there(clock::now(), grab == Grab::Changed) {
            return Err(ScreenError::Gone { id: self.id.clone() });
        }
        Ok(grab)
    }
}

fn monitors() -> Vec<Target> {
    get_all_targets().into_iter().filter(|target| matches!(target, Target::Display(_))).collect()
}

fn found(id: &str) -> Option<Target> {
    monitors().into_iter().find(|monitor| describe(monitor).is_some_and(|monitor| monitor.id == id))
}

/// None for one that went meanwhile.
fn describe(monitor: &Target) -> Option<ScreenInfo> {
    let Target::Display(display) = monitor else { return None };
    let (Place { corner: (x, y), size: (width, height) }, primary) = system::place(system::handle(monitor)?)?;
    Some(ScreenInfo { id: display.id.to_string(), name: display.title.clone(), x, y, width, height, primary })
}

#[cfg(target_os = "windows")]
mod system {
    #![expect(unsafe_code, reason = "where a monitor lies is asked of the system")]

    use ::scap::Target;
    use windows::Win32::Graphics::Gdi::{GetMonitorInfoW, HMONITOR, MONITORINFO};

    use super::{Place, Session};
    pub(super) use crate::display::count_in_pixels;

    /// As a number, which other threads may have too.
    pub(super) fn handle(monitor: &Target) -> Option<usize> {
        match monitor {
            Target::Display(display) => Some(display.raw_handle.0.expose_provenance()),
            Target::Window(_) => None,
        }
    }

    /// Windows knows no such thing; a window must ask for it itself, as the recorder's own does.
    pub(super) fn left_out(_session: &Session) -> Option<Vec<Target>> {
        None
    }

    /// Where it lies, and whether it is the primary one.
    pub(super) fn place(handle: usize) -> Option<(Place, bool)> {
        let mut info = MONITORINFO { cbSize: size_of::<MONITORINFO>() as u32, ..Default::default() };
        let handle = HMONITOR(std::ptr::with_exposed_provenance_mut(handle));
        // SAFETY: the structure says its own size, and a handle that is no longer one is an error.
        unsafe { GetMonitorInfoW(handle, &raw mut info) }.as_bool().then_some(())?;
        let rect = info.rcMonitor;
        let size = ((rect.right - rect.left).max(0) as u32, (rect.bottom - rect.top).max(0) as u32);
        Some((Place { corner: (rect.left, rect.top), size }, info.dwFlags & 1 != 0))
    }
}

#[cfg(target_os = "macos")]
mod system {
    #![expect(unsafe_code, reason = "whose a window is is asked of the system")]

    use std::collections::HashMap;

    use ::scap::{Target, get_all_targets};
    use core_foundation::base::{CFType, TCFType};
    use core_foundation::dictionary::CFDictionary;
    use core_foundation::number::CFNumber;
    use core_foundation::string::CFString;
    use core_graphics::display::CGDisplay;
    use core_graphics::window::{
        copy_window_info, kCGNullWindowID, kCGWindowListExcludeDesktopElements, kCGWindowNumber, kCGWindowOwnerName,
        kCGWindowOwnerPID,
    };

    use super::{Place, Session};

    pub(super) fn count_in_pixels() {
        // Places and input events are both in points.
    }

    pub(super) fn handle(monitor: &Target) -> Option<u32> {
        match monitor {
            Target::Display(display) => Some(display.id),
            Target::Window(_) => None,
        }
    }

    /// The windows that are never to be seen and are open now. Those that are opened later are seen.
    pub(super) fn left_out(session: &Session) -> Option<Vec<Target>> {
        let owners = owners();
        let is_left_out = |target: &Target| match target {
            Target::Display(_) => false,
            Target::Window(window) => {
                let owner = owners.get(&window.id);
                let program = owner.map_or("", |(program, _)| program.as_str());
                owner.is_some_and(|(_, is_own)| *is_own) || session.hides(&window.title, program)
            }
        };
        let left_out: Vec<_> = get_all_targets().into_iter().filter(is_left_out).collect();
        (!left_out.is_empty()).then_some(left_out)
    }

    /// The program of each window by the window's number, and whether it is this one.
    fn owners() -> HashMap<u32, (String, bool)> {
        let mut owners = HashMap::new();
        let Some(windows) = copy_window_info(kCGWindowListExcludeDesktopElements, kCGNullWindowID) else {
            return owners;
        };
        for window in &windows {
            // SAFETY: the list holds dictionaries, says the system; this one is kept while it is read.
            let window: CFDictionary<CFString, CFType> = unsafe { CFDictionary::wrap_under_get_rule((*window).cast()) };
            // SAFETY: constants of the system's.
            let (number, name, process) = unsafe {
                let key = |key| CFString::wrap_under_get_rule(key);
                (key(kCGWindowNumber), key(kCGWindowOwnerName), key(kCGWindowOwnerPID))
            };
            let count = |key: &CFString| u32::try_from(window.find(key)?.downcast::<CFNumber>()?.to_i64()?).ok();
            let program = window.find(&name).and_then(|name| name.downcast::<CFString>());
            let program = program.map(|program| program.to_string()).unwrap_or_default();
            if let Some(number) = count(&number) {
                owners.insert(number, (program, count(&process) == Some(std::process::id())));
            }
        }
        owners
    }

    /// Where it lies, and whether it is the main one.
    pub(super) fn place(id: u32) -> Option<(Place, bool)> {
        let display = CGDisplay::new(id);
        display.is_online().then_some(())?;
        let rect = display.bounds();
        let size = (rect.size.width.max(0.0) as u32, rect.size.height.max(0.0) as u32);
        Some((Place { corner: (rect.origin.x as i32, rect.origin.y as i32), size }, display.is_main()))
    }
}
