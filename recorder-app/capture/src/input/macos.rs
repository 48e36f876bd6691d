//! Mouse and keyboard of macOS.
//!
//! An event tap that only listens is told of every event with its place, in the points that macOS counts desktops in.
//! macOS asks the worker for the permission Input Monitoring. While a program has secure input on, as password fields
//! do, the system gives no keys to taps; what slips through at its edges is left out here. Of windows that are never to be
//! seen neither keys nor titles are told ([`super::discretion`]).

#![expect(unsafe_code, reason = "secure input, and the characters of an event, are asked for in C")]

use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use core_foundation::base::{CFType, TCFType};
use core_foundation::dictionary::CFDictionary;
use core_foundation::number::CFNumber;
use core_foundation::runloop::{CFRunLoop, kCFRunLoopDefaultMode};
use core_foundation::string::CFString;
use core_graphics::event::{
    CGEvent, CGEventTap, CGEventTapLocation, CGEventTapOptions, CGEventTapPlacement, CGEventType, CallbackResult,
    EventField,
};
use core_graphics::event_source::{CGEventSource, CGEventSourceStateID};
use core_graphics::window::{
    copy_window_info, kCGNullWindowID, kCGWindowLayer, kCGWindowListExcludeDesktopElements,
    kCGWindowListOptionOnScreenOnly, kCGWindowName, kCGWindowOwnerName, kCGWindowOwnerPID,
};
use crossbeam_channel::Sender;

use super::discretion::{Discretion, Front};
use super::key::{KeyName, Pressed};
use super::mac_key::{modifiers, name, on_key};
use super::out::{Out, Stopped};
use super::{InputError, RawInput, RawKind};
use crate::clock;

const POINTER_EVERY: Duration = Duration::from_millis(50);
const TITLE_EVERY_NANOS: i64 = 250_000_000;

#[link(name = "Carbon", kind = "framework")]
unsafe extern "C" {
    fn IsSecureEventInputEnabled() -> u8;
}

#[link(name = "CoreGraphics", kind = "framework")]
unsafe extern "C" {
    fn CGEventKeyboardGetUnicodeString(event: *const std::ffi::c_void, most: usize, length: *mut usize, text: *mut u16);
}

pub(super) fn run(discretion: Discretion, stop: &AtomicBool, sink: &Sender<RawInput>) -> Result<(), InputError> {
    let out = Out { stop, sink };
    let discretion = RefCell::new(discretion);
    let (mut title_due, mut pointer) = (0, None);
    while !stop.load(Ordering::Relaxed) {
        // The system switches a tap off that was slow once; then another one is made.
        let (is_over, is_off, part_turned) = (Cell::new(false), Cell::new(false), RefCell::new((0.0, 0.0)));
        let told = |kind: CGEventType, event: &CGEvent| {
            if matches!(kind, CGEventType::TapDisabledByTimeout | CGEventType::TapDisabledByUserInput) {
                is_off.set(true);
            } else if tell(kind, event, &out, &mut part_turned.borrow_mut(), &mut discretion.borrow_mut()).is_err() {
                is_over.set(true);
            }
            CallbackResult::Keep
        };
        let kinds = vec![
            CGEventType::LeftMouseDown,
            CGEventType::LeftMouseUp,
            CGEventType::RightMouseDown,
            CGEventType::RightMouseUp,
            CGEventType::OtherMouseDown,
            CGEventType::OtherMouseUp,
            CGEventType::ScrollWheel,
            CGEventType::KeyDown,
            CGEventType::KeyUp,
        ];
        let (place, first, listen) =
            (CGEventTapLocation::Session, CGEventTapPlacement::HeadInsertEventTap, CGEventTapOptions::ListenOnly);
        let listened = CGEventTap::with_enabled(
            place,
            first,
            listen,
            kinds,
            |_, kind, event| told(kind, event),
            || {
                while !stop.load(Ordering::Relaxed) && !is_over.get() && !is_off.get() {
                    // SAFETY: a constant of the system's.
                    CFRunLoop::run_in_mode(unsafe { kCFRunLoopDefaultMode }, POINTER_EVERY, false);
                    let now = clock::now();
                    if now.nanos >= title_due {
                        title_due = now.nanos + TITLE_EVERY_NANOS;
                        let title = front().and_then(|front| discretion.borrow_mut().new_title(&front));
                        if title.is_some_and(|title| out.send(now, RawKind::WindowTitle(title)).is_err()) {
                            is_over.set(true);
                        }
                    }
                    let place = pointer_place();
                    if place.is_some() && place != pointer {
                        let (x, y) = place.unwrap_or_default();
                        if out.offer(now, RawKind::Pointer { x, y }) {
                            pointer = place;
                        }
                    }
                }
            },
        );
        if listened.is_err() {
            return Err(InputError::Forbidden);
        }
        if is_over.get() {
            return Ok(());
        }
    }
    Ok(())
}

fn tell(
    kind: CGEventType,
    event: &CGEvent,
    out: &Out<'_>,
    part_turned: &mut (f64, f64),
    discretion: &mut Discretion,
) -> Result<(), Stopped> {
    let at = clock::now();
    let place = event.location();
    let (x, y) = (place.x as i32, place.y as i32);
    let other = match event.get_integer_value_field(EventField::MOUSE_EVENT_BUTTON_NUMBER) {
        2 => 2,
        3 => 8,
        4 => 9,
        _ => 0,
    };
    let kind = match kind {
        CGEventType::LeftMouseDown => RawKind::ButtonDown { button: 1, x, y },
        CGEventType::LeftMouseUp => RawKind::ButtonUp { button: 1, x, y },
        CGEventType::RightMouseDown => RawKind::ButtonDown { button: 3, x, y },
        CGEventType::RightMouseUp => RawKind::ButtonUp { button: 3, x, y },
        CGEventType::OtherMouseDown => RawKind::ButtonDown { button: other, x, y },
        CGEventType::OtherMouseUp => RawKind::ButtonUp { button: other, x, y },
        CGEventType::ScrollWheel => {
            // Lines, with parts of them from a touchpad; positive is up and left.
            part_turned.1 -= event.get_double_value_field(EventField::SCROLL_WHEEL_EVENT_FIXED_POINT_DELTA_AXIS_1);
            part_turned.0 -= event.get_double_value_field(EventField::SCROLL_WHEEL_EVENT_FIXED_POINT_DELTA_AXIS_2);
            let (dx, dy) = (part_turned.0.trunc(), part_turned.1.trunc());
            if (dx, dy) == (0.0, 0.0) {
                return Ok(());
            }
            *part_turned = (part_turned.0 - dx, part_turned.1 - dy);
            RawKind::Wheel { dx: dx as i32, dy: dy as i32, x, y }
        }
        CGEventType::KeyUp => RawKind::KeyUp,
        CGEventType::KeyDown => {
            // SAFETY: a plain question.
            let is_secret = unsafe { IsSecureEventInputEnabled() } != 0;
            let tells = discretion.tells_key(&front().unwrap_or_default());
            let Some(key) = key(event).filter(|_| tells && !is_secret) else { return Ok(()) };
            let repeat = event.get_integer_value_field(EventField::KEYBOARD_EVENT_AUTOREPEAT) != 0;
            RawKind::KeyDown { key, repeat }
        }
        _ => return Ok(()),
    };
    out.send(at, kind)
}

fn key(event: &CGEvent) -> Option<KeyName> {
    let code = event.get_integer_value_field(EventField::KEYBOARD_EVENT_KEYCODE);
    let flags = event.get_flags().bits();
    if let Some(name) = u16::try_from(code).ok().and_then(name) {
        return Some(KeyName::of(Pressed::Named(name), modifiers(flags, false)));
    }
    let (mut text, mut length) = ([0_u16; 4], 0_usize);
    // SAFETY: at most four units are written into the array, and their number into the other place.
    unsafe {
        let event = std::ptr::from_ref(event).cast::<*const std::ffi::c_void>().read();
        CGEventKeyboardGetUnicodeString(event, text.len(), &raw mut length, text.as_mut_ptr());
    }
    let character = char::decode_utf16(text.iter().copied().take(length)).next()?.ok()?;
    Some(KeyName::of(Pressed::Character(on_key(character)?), modifiers(flags, true)))
}

fn pointer_place() -> Option<(i32, i32)> {
    let source = CGEventSource::new(CGEventSourceStateID::CombinedSessionState).ok()?;
    let place = CGEvent::new(source).ok()?.location();
    Some((place.x as i32, place.y as i32))
}

/// The frontmost window; its title is the name of its program where it has none.
fn front() -> Option<Front> {
    let shown = kCGWindowListOptionOnScreenOnly | kCGWindowListExcludeDesktopElements;
    let windows = copy_window_info(shown, kCGNullWindowID)?;
    for window in &windows {
        // SAFETY: the list holds dictionaries, says the system; this one is kept while it is read.
        let window: CFDictionary<CFString, CFType> = unsafe { CFDictionary::wrap_under_get_rule((*window).cast()) };
        // SAFETY: constants of the system's.
        let (layer, name, owner, process) = unsafe {
            let key = |key| CFString::wrap_under_get_rule(key);
            (key(kCGWindowLayer), key(kCGWindowName), key(kCGWindowOwnerName), key(kCGWindowOwnerPID))
        };
        let number = |key: &CFString| window.find(key)?.downcast::<CFNumber>()?.to_i32();
        if number(&layer) != Some(0) {
            continue;
        }
        let text = |key: &CFString| window.find(key).and_then(|text| text.downcast::<CFString>());
        let program = text(&owner).map(|owner| owner.to_string()).unwrap_or_default();
        let title = text(&name).map_or_else(|| program.clone(), |name| name.to_string());
        let is_own = number(&process).and_then(|process| u32::try_from(process).ok()) == Some(std::process::id());
        return Some(Front { title, program, is_own });
    }
    None
}
