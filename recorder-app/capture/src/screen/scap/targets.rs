//! The monitors of Windows and macOS.
//!
//! scap gives their handles; where they lie is asked of the system. Asking scap may panic, for example where the screen
//! may not be recorded.

use std::panic::catch_unwind;

use ::scap::{Target, get_all_targets};

use super::{ScapScreen, ScreenError, ScreenInfo, options};

type Monitor = ::scap::Target;

pub(in super::super) fn list() -> Result<Vec<ScreenInfo>, ScreenError> {
    let found = catch_unwind(|| monitors().iter().map(describe).collect::<Vec<_>>());
    let mut screens = found.map_err(|_| ScreenError::Refused)?;
    screens.sort_by_key(|screen| !screen.primary);
    Ok(screens)
}

pub(in super::super) fn open(id: Option<&str>) -> Result<ScapScreen, ScreenError> {
    let screens = list()?;
    let chosen = screens.iter().find(|screen| id.is_none_or(|id| *id == screen.id));
    let chosen = chosen.ok_or_else(|| {
        let there: Vec<_> = screens.iter().map(|screen| screen.id.as_str()).collect();
        ScreenError::Unknown { id: id.unwrap_or_default().to_owned(), there: there.join(", ") }
    })?;
    let (corner, size, id) = ((chosen.x, chosen.y), (chosen.width, chosen.height), chosen.id.clone());
    // Handles stay on the thread that uses them, so the monitor is found again there.
    let wanted = id.clone();
    ScapScreen::start(id, (corner, cfg!(target_os = "macos").then_some(size)), move || {
        let monitor = monitors().into_iter().find(|monitor| describe(monitor).id == wanted);
        monitor.map(|monitor| options(Some(monitor))).ok_or_else(|| "the screen was unplugged".to_owned())
    })
}

fn monitors() -> Vec<Monitor> {
    get_all_targets().into_iter().filter(|target| matches!(target, Target::Display(_))).collect()
}

fn describe(monitor: &Monitor) -> ScreenInfo {
    let (id, name) = match monitor {
        Target::Display(display) => (display.id, display.title.clone()),
        Target::Window(window) => (window.id, window.title.clone()),
    };
    let (x, y, width, height, primary) = area(monitor);
    ScreenInfo { id: id.to_string(), name, x, y, width, height, primary }
}

#[cfg(target_os = "windows")]
#[expect(unsafe_code, reason = "where a monitor lies is asked of the system")]
fn area(monitor: &Monitor) -> (i32, i32, u32, u32, bool) {
    use windows::Win32::Graphics::Gdi::{GetMonitorInfoW, MONITORINFO};

    let Target::Display(display) = monitor else { return (0, 0, 0, 0, false) };
    let mut info = MONITORINFO { cbSize: size_of::<MONITORINFO>() as u32, ..Default::default() };
    // SAFETY: the structure says its own size.
    if !unsafe { GetMonitorInfoW(display.raw_handle, &raw mut info) }.as_bool() {
        return (0, 0, 0, 0, false);
    }
    let place = info.rcMonitor;
    let (width, height) = (place.right - place.left, place.bottom - place.top);
    (place.left, place.top, width.max(0) as u32, height.max(0) as u32, info.dwFlags & 1 != 0)
}

#[cfg(target_os = "macos")]
fn area(monitor: &Monitor) -> (i32, i32, u32, u32, bool) {
    use core_graphics::display::CGDisplay;

    let Target::Display(display) = monitor else { return (0, 0, 0, 0, false) };
    let display = CGDisplay::new(display.id);
    let place = display.bounds();
    let (width, height) = (place.size.width.max(0.0) as u32, place.size.height.max(0.0) as u32);
    (place.origin.x as i32, place.origin.y as i32, width, height, display.is_main())
}
