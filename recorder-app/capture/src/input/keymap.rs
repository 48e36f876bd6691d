//! What an X11 key means: key codes to keysyms by the server's core mapping, keysyms to DOM names.
//!
//! Modifiers are counted from the key events themselves and not asked of the server, which would answer for a later
//! moment: a shortcut sent by a program is down and up again within milliseconds. So a modifier that is only latched
//! (sticky keys) does not make a shortcut. Layout group and Num Lock change slowly and come from the pointer's state.

use x11rb::connection::Connection as _;
use x11rb::errors::ReplyError;
use x11rb::protocol::xproto::ConnectionExt as _;
use x11rb::rust_connection::RustConnection;

use super::key::{KeyName, Modifiers, Pressed};

type Keysym = u32;

pub(super) struct Keymap {
    first: u8,
    per_code: usize,
    keysyms: Vec<Keysym>,
    /// The modifier bit that Num Lock sets.
    num_lock: u16,
    down: [bool; 256],
}

enum Meaning {
    Key(Pressed),
    Modifier(Modifiers),
    /// Locks, dead keys, input method keys: they do nothing of their own.
    Nothing,
}

const NUM_LOCK: Keysym = 0xff7f;

impl Keymap {
    /// Reads the mapping and which keys are held right now.
    pub(super) fn read(conn: &RustConnection) -> Result<Self, ReplyError> {
        let mut keymap = Self { first: 0, per_code: 0, keysyms: Vec::new(), num_lock: 0, down: [false; 256] };
        keymap.reread(conn)?;
        let held = conn.query_keymap()?.reply()?.keys;
        for (code, down) in keymap.down.iter_mut().enumerate() {
            *down = held[code / 8] >> (code % 8) & 1 == 1;
        }
        Ok(keymap)
    }

    /// After the mapping changed, which `xdotool type` does for each character that the layout lacks.
    pub(super) fn reread(&mut self, conn: &RustConnection) -> Result<(), ReplyError> {
        let (first, last) = (conn.setup().min_keycode, conn.setup().max_keycode);
        let mapping = conn.get_keyboard_mapping(first, last - first + 1)?;
        let modifiers = conn.get_modifier_mapping()?;
        let mapping = mapping.reply()?;
        let modifiers = modifiers.reply()?;
        self.first = first;
        self.per_code = mapping.keysyms_per_keycode.into();
        self.keysyms = mapping.keysyms;
        let per_modifier = usize::from(modifiers.keycodes_per_modifier()).max(1);
        self.num_lock = (0..)
            .zip(modifiers.keycodes.chunks(per_modifier))
            .filter(|(_, codes)| codes.iter().any(|&code| code != 0 && self.keysym(code, 0) == NUM_LOCK))
            .fold(0, |mask, (bit, _)| mask | 1 << bit);
        Ok(())
    }

    /// A key went down while the pointer's state was `state`. None for keys that do nothing of their own; with it,
    /// whether the key was down already.
    pub(super) fn press(&mut self, code: u8, state: u16) -> Option<(KeyName, bool)> {
        let repeat = std::mem::replace(&mut self.down[usize::from(code)], true);
        let modifiers = self.modifiers();
        match self.meaning(code, state, modifiers) {
            Meaning::Key(key) => Some((KeyName::of(key, modifiers), repeat)),
            Meaning::Modifier(_) | Meaning::Nothing => None,
        }
    }

    pub(super) fn release(&mut self, code: u8) {
        self.down[usize::from(code)] = false;
    }

    fn modifiers(&self) -> Modifiers {
        let held = (0..=u8::MAX).filter(|&code| self.down[usize::from(code)]);
        held.fold(Modifiers::NONE, |all, code| match meaning(self.keysym(code, 0)) {
            Meaning::Modifier(modifier) => all.with(modifier),
            _ => all,
        })
    }

    fn meaning(&self, code: u8, state: u16, modifiers: Modifiers) -> Meaning {
        let shift = modifiers.holds(Modifiers::SHIFT);
        let group = if (state >> 13).is_multiple_of(4) { 0 } else { 2 };
        let plain = self.keysym(code, group);
        // With Num Lock the keypad's second column, the digits, comes first.
        let keypad = (0xff80..=0xffbd).contains(&self.keysym(code, group + 1));
        let level = usize::from(if keypad { shift != (state & self.num_lock != 0) } else { shift });
        let found = match self.keysym(code, group + level) {
            0 => plain,
            keysym => keysym,
        };
        let found = if found == 0 { self.keysym(code, level) } else { found };
        match meaning(found) {
            // Shortcuts go by the Latin letter on the key, whatever layout is on.
            Meaning::Key(Pressed::Character(character)) if !character.is_ascii() => {
                match meaning(self.keysym(code, level)) {
                    latin @ Meaning::Key(Pressed::Character(_)) => latin,
                    _ => Meaning::Key(Pressed::Character(character)),
                }
            }
            other => other,
        }
    }

    fn keysym(&self, code: u8, column: usize) -> Keysym {
        let Some(row) = code.checked_sub(self.first) else { return 0 };
        if column >= self.per_code {
            return 0;
        }
        self.keysyms.get(usize::from(row) * self.per_code + column).copied().unwrap_or(0)
    }
}

fn meaning(keysym: Keysym) -> Meaning {
    let named = |name| Meaning::Key(Pressed::Named(name));
    let typed = |code| Meaning::Key(Pressed::Character(char::from_u32(code).unwrap_or('\u{fffd}')));
    match keysym {
        0xff08 => named("Backspace"),
        0xff09 | 0xfe20 | 0xff89 => named("Tab"),
        0xff0b | 0xff9d => named("Clear"),
        0xff0d | 0xff8d => named("Enter"),
        0xff13 => named("Pause"),
        0xff1b => named("Escape"),
        0xff50 | 0xff95 => named("Home"),
        0xff51 | 0xff96 => named("ArrowLeft"),
        0xff52 | 0xff97 => named("ArrowUp"),
        0xff53 | 0xff98 => named("ArrowRight"),
        0xff54 | 0xff99 => named("ArrowDown"),
        0xff55 | 0xff9a => named("PageUp"),
        0xff56 | 0xff9b => named("PageDown"),
        0xff57 | 0xff9c => named("End"),
        0xff61 => named("PrintScreen"),
        0xff63 | 0xff9e => named("Insert"),
        0xff65 => named("Undo"),
        0xff67 => named("ContextMenu"),
        0xff68 => named("Find"),
        0xff6a => named("Help"),
        0xffff | 0xff9f => named("Delete"),
        0xffbe..=0xffd5 => named(FUNCTION_KEYS[(keysym - 0xffbe) as usize]),
        0x1008_ff11 => named("AudioVolumeDown"),
        0x1008_ff12 => named("AudioVolumeMute"),
        0x1008_ff13 => named("AudioVolumeUp"),
        0x1008_ff14 => named("MediaPlayPause"),
        0x1008_ff18 => named("BrowserHome"),
        0x1008_ff1b => named("BrowserSearch"),
        0x1008_ff26 => named("BrowserBack"),
        0x1008_ff27 => named("BrowserForward"),
        0x1008_ff29 | 0x1008_ff73 => named("BrowserRefresh"),
        0xffe1 | 0xffe2 => Meaning::Modifier(Modifiers::SHIFT),
        0xffe3 | 0xffe4 => Meaning::Modifier(Modifiers::CTRL),
        0xffe7..=0xffea => Meaning::Modifier(Modifiers::ALT),
        0xffeb..=0xffee => Meaning::Modifier(Modifiers::META),
        // The keypad's characters are ASCII moved up.
        0xff80 | 0xffaa..=0xffb9 | 0xffbd => typed(keysym - 0xff80),
        // Latin-1 and Unicode keysyms are the code point itself.
        0x20..=0x7e | 0xa0..=0xff => typed(keysym),
        0x0100_0100..=0x0110_ffff => typed(keysym - 0x0100_0000),
        // A code that was mapped for one character and is unmapped again by the time the mapping is read, and the
        // older keysyms of other alphabets: a character, no matter which.
        0 | 0x0100..=0x20ff => typed(0xfffd),
        _ => Meaning::Nothing,
    }
}

const FUNCTION_KEYS: [&str; 24] = [
    "F1", "F2", "F3", "F4", "F5", "F6", "F7", "F8", "F9", "F10", "F11", "F12", "F13", "F14", "F15", "F16", "F17",
    "F18", "F19", "F20", "F21", "F22", "F23", "F24",
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Codes from 8: Control, Shift, a/A with Cyrillic second, keypad 4/Left, Enter, unmapped, `AltGr`, Alt.
    fn keymap() -> Keymap {
        let keysyms = vec![
            0xffe3, 0, 0, 0, //
            0xffe1, 0, 0, 0, //
            0x61, 0x41, 0x6c6, 0x6e6, //
            0xff96, 0xffb4, 0xff96, 0xffb4, //
            0xff0d, 0, 0, 0, //
            0, 0, 0, 0, //
            0xfe03, 0, 0, 0, //
            0xffe9, 0xffe7, 0, 0,
        ];
        Keymap { first: 8, per_code: 4, keysyms, num_lock: 0x10, down: [false; 256] }
    }

    #[track_caller]
    fn check(held: &[u8], code: u8, state: u16, expected: Option<&str>) {
        let mut keymap = keymap();
        for &code in held {
            assert_eq!(keymap.press(code, state), None, "modifiers say nothing of their own");
        }
        let name = keymap.press(code, state).map(|(name, repeat)| {
            assert!(!repeat);
            match name {
                KeyName::Character => "character".to_owned(),
                KeyName::Named(named) => named.to_string(),
            }
        });
        assert_eq!(name.as_deref(), expected);
        assert!(keymap.press(code, state).is_none_or(|(_, repeat)| repeat), "a second press without a release");
    }

    #[test]
    fn keys_mean_what_layout_modifiers_and_locks_make_of_them() {
        const CYRILLIC: u16 = 1 << 13;
        const NUM_LOCK_ON: u16 = 0x10;
        let (ctrl, shift, a, keypad_4, enter, unmapped, alt_gr, alt) = (8, 9, 10, 11, 12, 13, 14, 15);
        check(&[], a, 0, Some("character"));
        check(&[shift], a, 0, Some("character"));
        check(&[], a, CYRILLIC, Some("character"));
        check(&[alt_gr], a, 0, Some("character"));
        check(&[ctrl], a, 0, Some("Ctrl+a"));
        check(&[ctrl, shift], a, 0, Some("Ctrl+Shift+A"));
        check(&[alt], a, 0, Some("Alt+a"));
        check(&[], keypad_4, 0, Some("ArrowLeft"));
        check(&[], keypad_4, NUM_LOCK_ON, Some("character"));
        check(&[shift], keypad_4, NUM_LOCK_ON, Some("Shift+ArrowLeft"));
        check(&[], enter, CYRILLIC, Some("Enter"));
        check(&[], unmapped, 0, Some("character"));
        check(&[], alt_gr, 0, None);
    }

    #[test]
    fn a_modifier_counts_no_more_once_it_is_let_go() {
        let mut keymap = keymap();
        keymap.press(8, 0);
        keymap.release(8);
        assert_eq!(keymap.press(10, 0), Some((KeyName::Character, false)));
    }
}
