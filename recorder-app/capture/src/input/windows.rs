//! Mouse and keyboard of Windows.
//!
//! Raw input comes to a window that is never seen, whichever program is in front, without taking anything from it. A raw
//! event has no position; the pointer is asked for at once. A field that hides what is typed into it, as far as Windows
//! itself makes it, gets no key events at all. The keys of an elevated program reach no other, and so not this one. Of
//! windows that are never to be seen neither keys nor titles are told ([`super::discretion`]).

#![expect(unsafe_code, reason = "raw input has no safe form")]

use std::mem::size_of;
use std::sync::atomic::{AtomicBool, Ordering};

use crossbeam_channel::Sender;
use windows::Win32::Foundation::{CloseHandle, HWND, LPARAM, POINT, WPARAM};
use windows::Win32::System::Threading::{
    OpenProcess, PROCESS_NAME_WIN32, PROCESS_QUERY_LIMITED_INFORMATION, QueryFullProcessImageNameW,
};
use windows::Win32::UI::Input::KeyboardAndMouse::{GetAsyncKeyState, MAPVK_VK_TO_CHAR, MapVirtualKeyW};
use windows::Win32::UI::Input::{
    GetRawInputData, HRAWINPUT, RAWINPUT, RAWINPUTDEVICE, RAWINPUTHEADER, RID_INPUT, RIDEV_INPUTSINK, RIM_TYPEKEYBOARD,
    RIM_TYPEMOUSE, RegisterRawInputDevices,
};
use windows::Win32::UI::WindowsAndMessaging::{
    CreateWindowExW, DefWindowProcW, DestroyWindow, ES_PASSWORD, GUITHREADINFO, GWL_STYLE, GetCursorPos,
    GetForegroundWindow, GetGUIThreadInfo, GetSystemMetrics, GetWindowLongW, GetWindowTextW, GetWindowThreadProcessId,
    HWND_MESSAGE, MSG, MWMO_INPUTAVAILABLE, MsgWaitForMultipleObjectsEx, PM_REMOVE, PeekMessageW, QS_ALLINPUT,
    RI_KEY_BREAK, RI_MOUSE_HWHEEL, RI_MOUSE_WHEEL, SM_SWAPBUTTON, WINDOW_EX_STYLE, WINDOW_STYLE, WM_INPUT,
};
use windows::core::{PWSTR, w};

use super::discretion::{Discretion, Front};
use super::out::{Out, Stopped};
use super::pause_key::is_alt_gr_held;
use super::vk::{Keys, Meaning, meaning, meant};
use super::{InputError, RawInput, RawKind};
use crate::{clock, display};

const POINTER_EVERY_MILLIS: u32 = 50;
const TITLE_EVERY_NANOS: i64 = 250_000_000;
/// What one notch of a wheel counts.
const NOTCH: i32 = 120;
/// Flags of a press, the button's number, and flags of its release are twice as high.
const BUTTONS: [(u16, u8); 5] = [(0x01, 1), (0x04, 3), (0x10, 2), (0x40, 8), (0x100, 9)];

pub(super) fn run(discretion: Discretion, stop: &AtomicBool, sink: &Sender<RawInput>) -> Result<(), InputError> {
    display::count_in_pixels();
    let mut reader = Reader::open(discretion)?;
    let out = Out { stop, sink };
    let mut title_due = 0;
    while !stop.load(Ordering::Relaxed) {
        if reader.read(&out).is_err() {
            return Ok(());
        }
        let now = clock::now();
        if now.nanos >= title_due {
            title_due = now.nanos + TITLE_EVERY_NANOS;
            if let Some(title) = reader.new_title()
                && out.send(now, RawKind::WindowTitle(title)).is_err()
            {
                return Ok(());
            }
        }
        // SAFETY: a plain question. While another desktop is in front, such as that of a login, all keys are up.
        reader.keys.forget(|key| unsafe { GetAsyncKeyState(key.into()) } < 0);
        if let Some((x, y)) = pointer()
            && reader.pointer != Some((x, y))
            && out.offer(now, RawKind::Pointer { x, y })
        {
            reader.pointer = Some((x, y));
        }
        // SAFETY: no handles are waited for, only messages and the time.
        unsafe { MsgWaitForMultipleObjectsEx(None, POINTER_EVERY_MILLIS, QS_ALLINPUT, MWMO_INPUTAVAILABLE) };
    }
    Ok(())
}

struct Reader {
    window: HWND,
    keys: Keys,
    /// Parts of a notch that a smooth wheel has turned, across and down.
    turned: (i32, i32),
    pointer: Option<(i32, i32)>,
    discretion: Discretion,
    /// The program of the window in front, by the number of its process.
    program: (u32, String),
}

impl Reader {
    fn open(discretion: Discretion) -> Result<Self, InputError> {
        let lost = |error: windows::core::Error| InputError::Lost(error.to_string());
        // SAFETY: a window of a class that every system has, which receives messages only.
        let window = unsafe {
            let (plain, style) = (WINDOW_EX_STYLE(0), WINDOW_STYLE(0));
            CreateWindowExW(plain, w!("STATIC"), w!("input"), style, 0, 0, 0, 0, HWND_MESSAGE, None, None, None)
        };
        let window = window.map_err(lost)?;
        let program = (0, String::new());
        let reader = Self { window, keys: Keys::new(), turned: (0, 0), pointer: None, discretion, program };
        let device = |usage| RAWINPUTDEVICE {
            usUsagePage: 1,
            usUsage: usage,
            dwFlags: RIDEV_INPUTSINK,
            hwndTarget: reader.window,
        };
        // SAFETY: the window lives as long as the reader.
        unsafe { RegisterRawInputDevices(&[device(2), device(6)], size_of::<RAWINPUTDEVICE>() as u32) }
            .map_err(lost)?;
        Ok(reader)
    }

    /// All that waits.
    fn read(&mut self, out: &Out<'_>) -> Result<(), Stopped> {
        let mut message = MSG::default();
        // SAFETY: the message is written before it is read, and raw input is read while its message is handled.
        while unsafe { PeekMessageW(&raw mut message, self.window, 0, 0, PM_REMOVE) }.as_bool() {
            if message.message == WM_INPUT
                && let Some(input) = raw_input(message.lParam)
            {
                self.take(&input, out)?;
            }
            // SAFETY: it frees what the system keeps for the message.
            unsafe { DefWindowProcW(self.window, message.message, WPARAM(message.wParam.0), message.lParam) };
        }
        Ok(())
    }

    fn take(&mut self, input: &RAWINPUT, out: &Out<'_>) -> Result<(), Stopped> {
        let at = clock::now();
        if input.header.dwType == RIM_TYPEMOUSE.0 {
            // SAFETY: the head says that the union holds a mouse, whose buttons are told in two halves.
            let buttons = unsafe { input.data.mouse.Anonymous.Anonymous };
            let flags = buttons.usButtonFlags;
            let Some((x, y)) = pointer().or(self.pointer) else { return Ok(()) };
            // SAFETY: a plain question.
            let is_exchanged = unsafe { GetSystemMetrics(SM_SWAPBUTTON) } != 0;
            for (down, button) in BUTTONS {
                let button = meant(button, is_exchanged);
                if flags & down != 0 {
                    out.send(at, RawKind::ButtonDown { button, x, y })?;
                }
                if flags & (down << 1) != 0 {
                    out.send(at, RawKind::ButtonUp { button, x, y })?;
                }
            }
            let turn = i32::from(buttons.usButtonData as i16);
            if u32::from(flags) & RI_MOUSE_WHEEL != 0 {
                // Away from the hand is up.
                self.turned.1 -= turn;
            }
            if u32::from(flags) & RI_MOUSE_HWHEEL != 0 {
                self.turned.0 += turn;
            }
            let (dx, dy) = (self.turned.0 / NOTCH, self.turned.1 / NOTCH);
            if (dx, dy) != (0, 0) {
                self.turned = (self.turned.0 % NOTCH, self.turned.1 % NOTCH);
                out.send(at, RawKind::Wheel { dx, dy, x, y })?;
            }
        } else if input.header.dwType == RIM_TYPEKEYBOARD.0 {
            // SAFETY: the head says that the union holds a keyboard.
            let keyboard = unsafe { input.data.keyboard };
            let key = keyboard.VKey;
            if u32::from(keyboard.Flags) & RI_KEY_BREAK != 0 {
                self.keys.release(key);
                return out.send(at, RawKind::KeyUp);
            }
            let repeat = self.keys.press(key);
            if self.keys.is_pause_key(key, is_alt_gr_held) {
                return Ok(());
            }
            let front = self.front();
            let tells = self.discretion.tells_key(&front);
            if let Meaning::Key(pressed) = meaning(key, character)
                && tells
                && !is_secret()
            {
                return out.send(at, RawKind::KeyDown { key: self.keys.name(pressed), repeat });
            }
        }
        Ok(())
    }

    fn new_title(&mut self) -> Option<String> {
        let front = self.front();
        self.discretion.new_title(&front)
    }

    fn front(&mut self) -> Front {
        let (mut text, mut process) = ([0_u16; 512], 0);
        // SAFETY: the text is written into the array and no further, the number into its place; no window has neither.
        let length = unsafe {
            let window = GetForegroundWindow();
            GetWindowThreadProcessId(window, Some(&raw mut process));
            GetWindowTextW(window, &mut text)
        };
        let title = String::from_utf16_lossy(&text[..usize::try_from(length).unwrap_or(0).min(text.len())]);
        if self.program.0 != process {
            self.program = (process, program_of(process).unwrap_or_default());
        }
        Front { title, program: self.program.1.clone(), is_own: process == std::process::id() }
    }
}

/// Its file's name without the ending; none for a process that nobody may ask.
fn program_of(process: u32) -> Option<String> {
    let (mut text, mut length) = ([0_u16; 1024], 1024);
    // SAFETY: the name is written into the array and no further, and what was opened is closed again.
    let asked = unsafe {
        let process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, false, process).ok()?;
        let asked = QueryFullProcessImageNameW(process, PROCESS_NAME_WIN32, PWSTR(text.as_mut_ptr()), &raw mut length);
        drop(CloseHandle(process));
        asked
    };
    asked.ok()?;
    let path = String::from_utf16_lossy(text.get(..length as usize)?);
    let name = path.rsplit('\\').next()?;
    Some(name.rsplit_once('.').map_or(name, |(name, _)| name).to_owned())
}

impl Drop for Reader {
    fn drop(&mut self) {
        // SAFETY: the window was made by this thread.
        drop(unsafe { DestroyWindow(self.window) });
    }
}

fn raw_input(handle: LPARAM) -> Option<RAWINPUT> {
    let mut input = RAWINPUT::default();
    let mut bytes = size_of::<RAWINPUT>() as u32;
    let head = size_of::<RAWINPUTHEADER>() as u32;
    let handle = HRAWINPUT(std::ptr::with_exposed_provenance_mut(handle.0 as usize));
    // SAFETY: mouse and keyboard fit into the structure, and no more than its size is written.
    let read = unsafe { GetRawInputData(handle, RID_INPUT, Some((&raw mut input).cast()), &raw mut bytes, head) };
    (read != u32::MAX && read != 0).then_some(input)
}

/// None while another desktop is in front, such as that of a login.
fn pointer() -> Option<(i32, i32)> {
    let mut place = POINT::default();
    // SAFETY: the place is written and nothing kept.
    unsafe { GetCursorPos(&raw mut place) }.ok()?;
    Some((place.x, place.y))
}

/// The character on a key, whatever layout is on.
fn character(key: u16) -> Option<char> {
    // SAFETY: a plain question. The highest bit marks a dead key.
    let told = unsafe { MapVirtualKeyW(key.into(), MAPVK_VK_TO_CHAR) } & 0x7fff_ffff;
    char::from_u32(told).filter(|character| *character != '\0').map(|character| character.to_ascii_lowercase())
}

/// Whether what has the keyboard hides what is typed; what cannot be asked counts as if it did.
fn is_secret() -> bool {
    let mut thread = GUITHREADINFO { cbSize: size_of::<GUITHREADINFO>() as u32, ..Default::default() };
    // SAFETY: the structure says its own size; 0 stands for the thread in front.
    if unsafe { GetGUIThreadInfo(0, &raw mut thread) }.is_err() {
        return true;
    }
    // SAFETY: a window that is gone by now has no style.
    let style = unsafe { GetWindowLongW(thread.hwndFocus, GWL_STYLE) };
    !thread.hwndFocus.is_invalid() && style & ES_PASSWORD != 0 && is_edit(thread.hwndFocus)
}

/// The style's bit means something else for other kinds of window.
fn is_edit(window: HWND) -> bool {
    let mut class = [0_u16; 64];
    // SAFETY: the name is written into the array and no further.
    let length = unsafe { windows::Win32::UI::WindowsAndMessaging::GetClassNameW(window, &mut class) };
    let name = String::from_utf16_lossy(&class[..usize::try_from(length).unwrap_or(0).min(class.len())]);
    name.eq_ignore_ascii_case("edit") || name.to_ascii_lowercase().contains("richedit")
}
