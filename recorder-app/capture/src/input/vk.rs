//! What the virtual keys of Windows mean. The tables are of no system, so that they are tested on every one.

use super::key::{KeyName, Modifiers, Pressed};

const FUNCTION_KEYS: [&str; 24] = [
    "F1", "F2", "F3", "F4", "F5", "F6", "F7", "F8", "F9", "F10", "F11", "F12", "F13", "F14", "F15", "F16", "F17",
    "F18", "F19", "F20", "F21", "F22", "F23", "F24",
];
/// What a device sends whose key has no meaning, and the two halves of a packet that holds a character.
const NOTHING: [u16; 3] = [0, 0xe7, 0xff];

/// Of the key that pauses, with Ctrl and Alt.
const P: u16 = 0x50;

pub(super) enum Meaning {
    Key(Pressed),
    Modifier(Modifiers),
    /// Locks and input method keys: they do nothing of their own.
    Nothing,
}

/// The meaning of a virtual key; `character` tells which character its key has without modifiers.
pub(super) fn meaning(key: u16, character: impl Fn(u16) -> Option<char>) -> Meaning {
    let named = |name| Meaning::Key(Pressed::Named(name));
    match key {
        0x08 => named("Backspace"),
        0x09 => named("Tab"),
        0x0d => named("Enter"),
        0x10 | 0xa0 | 0xa1 => Meaning::Modifier(Modifiers::SHIFT),
        0x11 | 0xa2 | 0xa3 => Meaning::Modifier(Modifiers::CTRL),
        0x12 | 0xa4 | 0xa5 => Meaning::Modifier(Modifiers::ALT),
        0x13 => named("Pause"),
        0x14..=0x1a | 0x1c..=0x1f | 0x90 | 0x91 | 0xe5 => Meaning::Nothing,
        0x1b => named("Escape"),
        0x21 => named("PageUp"),
        0x22 => named("PageDown"),
        0x23 => named("End"),
        0x24 => named("Home"),
        0x25 => named("ArrowLeft"),
        0x26 => named("ArrowUp"),
        0x27 => named("ArrowRight"),
        0x28 => named("ArrowDown"),
        0x2c => named("PrintScreen"),
        0x2d => named("Insert"),
        0x2e => named("Delete"),
        0x5b | 0x5c => Meaning::Modifier(Modifiers::META),
        0x5d => named("ContextMenu"),
        0x70..=0x87 => named(FUNCTION_KEYS[usize::from(key - 0x70)]),
        0xa6 => named("BrowserBack"),
        0xa7 => named("BrowserForward"),
        0xa8 => named("BrowserRefresh"),
        0xaa => named("BrowserSearch"),
        0xac => named("BrowserHome"),
        key if NOTHING.contains(&key) => Meaning::Nothing,
        key => character(key).map_or(Meaning::Nothing, |character| Meaning::Key(Pressed::Character(character))),
    }
}

/// The keys that are down, as far as the keyboard told.
pub(super) struct Keys([bool; 256]);

impl Keys {
    pub(super) const fn new() -> Self {
        Self([false; 256])
    }

    /// Whether it was down already, so that the system repeats it.
    pub(super) fn press(&mut self, key: u16) -> bool {
        self.place(key).is_some_and(|held| std::mem::replace(held, true))
    }

    pub(super) fn release(&mut self, key: u16) {
        self.place(key).into_iter().for_each(|held| *held = false);
    }

    /// Lets go of the keys that are not down by now. Whoever locks the screen with a shortcut releases its keys on a screen
    /// of which no program is told, and what is typed afterwards would pass for shortcuts, characters and all.
    pub(super) fn forget(&mut self, is_down: impl Fn(u16) -> bool) {
        for (key, held) in (0..).zip(&mut self.0) {
            *held = *held && is_down(key);
        }
    }

    /// Whether a key is the one that pauses a take. It reaches no program, and would else pass for a character. Where `AltGr`
    /// is held the press pauses nothing.
    pub(super) fn is_pause_key(&self, key: u16, is_alt_gr: impl FnOnce() -> bool) -> bool {
        key == P && self.held() == Modifiers::CTRL.with(Modifiers::ALT) && !is_alt_gr()
    }

    fn held(&self) -> Modifiers {
        let held = (0..256_u16).filter(|&key| self.0[usize::from(key)]);
        held.fold(Modifiers::NONE, |all, key| match meaning(key, |_| None) {
            Meaning::Modifier(modifier) => all.with(modifier),
            _ => all,
        })
    }

    /// With the right Alt key, which some layouts have for characters, Windows also holds Ctrl.
    pub(super) fn name(&self, pressed: Pressed) -> KeyName {
        let modifiers = self.held();
        let writes = matches!(pressed, Pressed::Character(_))
            && modifiers.holds(Modifiers::CTRL)
            && modifiers.holds(Modifiers::ALT)
            && !modifiers.holds(Modifiers::META);
        KeyName::of(pressed, if writes { Modifiers::NONE } else { modifiers })
    }

    fn place(&mut self, key: u16) -> Option<&mut bool> {
        self.0.get_mut(usize::from(key))
    }
}

const RIGHT_CTRL: u16 = 0xa3;
const LEFT_ALT: u16 = 0xa4;
const RIGHT_ALT: u16 = 0xa5;
/// Of what a layout says of a character: it is written with Ctrl and Alt.
const CTRL_AND_ALT: i16 = 0x600;

/// Whether Ctrl and Alt are held because `AltGr` is, which writes characters. Windows presses the left Ctrl itself with the right
/// Alt key of layouts that have it, and says of neither afterwards who pressed it.
pub(super) fn is_alt_gr(layout_has_it: bool, is_down: impl Fn(u16) -> bool) -> bool {
    layout_has_it && is_down(RIGHT_ALT) && !is_down(LEFT_ALT) && !is_down(RIGHT_CTRL)
}

/// Whether a layout writes some character with `AltGr`. `how` tells of a character by which key and modifiers it is written, as
/// `VkKeyScanExW` does.
pub(super) fn has_alt_gr(how: impl Fn(u16) -> i16) -> bool {
    // Those of all layouts of Latin, Greek and Cyrillic letters lie here, or are the euro.
    let characters = (0x21..0x500).chain([0x20ac]);
    characters.map(how).any(|told| told != -1 && told & CTRL_AND_ALT == CTRL_AND_ALT)
}

/// What a button of a mouse means where the worker has exchanged left and right; the mouse itself does not know.
pub(super) fn meant(button: u8, is_exchanged: bool) -> u8 {
    match button {
        1 if is_exchanged => 3,
        3 if is_exchanged => 1,
        button => button,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(name: KeyName) -> String {
        match name {
            KeyName::Named(named) => named.to_string(),
            KeyName::Character => "a character".to_owned(),
        }
    }

    const L: u16 = 0x4c;
    const CTRL: u16 = 0x11;
    const ALT: u16 = 0x12;
    const META: u16 = 0x5b;
    const PRESSED_L: Pressed = Pressed::Character('l');

    #[test]
    fn after_the_screen_was_locked_by_a_shortcut_a_password_is_not_a_row_of_shortcuts() {
        let mut keys = Keys::new();
        assert!(!keys.press(META));
        assert!(!keys.press(L));
        assert_eq!(shown(keys.name(PRESSED_L)), "Meta+l");
        keys.forget(|key| key == META || key == L);
        assert!(keys.press(L), "both are still down");
        keys.forget(|_| false);
        assert!(!keys.press(L), "no longer a repetition");
        assert_eq!(shown(keys.name(PRESSED_L)), "a character");
    }

    #[test]
    fn the_right_alt_key_writes_and_ctrl_does_not() {
        let mut keys = Keys::new();
        keys.press(CTRL);
        assert_eq!(shown(keys.name(PRESSED_L)), "Ctrl+l");
        keys.press(ALT);
        assert_eq!(shown(keys.name(PRESSED_L)), "a character");
        assert_eq!(shown(keys.name(Pressed::Named("Delete"))), "Ctrl+Alt+Delete");
        keys.press(META);
        assert_eq!(shown(keys.name(PRESSED_L)), "Ctrl+Alt+Meta+l");
        for key in [CTRL, ALT, META] {
            keys.release(key);
        }
        assert_eq!(shown(keys.name(PRESSED_L)), "a character");
        assert!(!keys.press(999) && !keys.press(999), "no such key");
    }

    #[test]
    fn the_key_that_pauses_is_none_of_what_is_typed() {
        let rows: [(&[u16], u16, bool); 5] = [
            (&[CTRL, ALT], P, true),
            (&[CTRL, ALT], L, false),
            (&[CTRL], P, false),
            (&[CTRL, ALT, 0x10], P, false),
            (&[CTRL, ALT, META], P, false),
        ];
        for (held, key, expected) in rows {
            let mut keys = Keys::new();
            for key in held.iter().chain([&key]) {
                keys.press(*key);
            }
            assert_eq!(keys.is_pause_key(key, || false), expected, "{held:x?} {key:x}");
            assert!(!keys.is_pause_key(key, || true), "with AltGr it writes");
        }
    }

    #[test]
    fn alt_gr_is_told_from_ctrl_and_alt() {
        let (left_ctrl, right_ctrl, left_alt, right_alt) = (0xa2, 0xa3, 0xa4, 0xa5);
        let rows: [(&[u16], bool); 5] = [
            (&[left_ctrl, left_alt], false),
            (&[right_ctrl, left_alt], false),
            (&[left_ctrl, right_alt], true),
            (&[right_ctrl, right_alt], false),
            (&[left_ctrl, left_alt, right_alt], false),
        ];
        for (held, expected) in rows {
            assert_eq!(is_alt_gr(true, |key| held.contains(&key)), expected, "{held:x?}");
            assert!(!is_alt_gr(false, |key| held.contains(&key)), "a layout without it: {held:x?}");
        }
        // The German layout has the euro on AltGr+E and @ on AltGr+Q, the American one nothing of the kind.
        let german = |unit: u16| match unit {
            0x20ac => 0x645,
            0x40 => 0x651,
            0x41..=0x5a => 0x100 | unit.cast_signed(),
            _ => -1,
        };
        assert!(has_alt_gr(german));
        assert!(!has_alt_gr(|unit| if (0x41..=0x5a).contains(&unit) { 0x100 | unit.cast_signed() } else { -1 }));
    }

    #[test]
    fn for_the_left_hand_the_right_button_clicks() {
        assert_eq!([1, 2, 3, 8].map(|button| meant(button, true)), [3, 2, 1, 8]);
        assert_eq!([1, 2, 3, 8].map(|button| meant(button, false)), [1, 2, 3, 8]);
    }

    #[test]
    fn keys_have_their_names_and_characters_have_none() {
        let letter =
            |key: u16| char::from_u32(key.into()).filter(char::is_ascii_uppercase).map(|c| c.to_ascii_lowercase());
        let told = |key, modifiers| match meaning(key, letter) {
            Meaning::Key(pressed) => shown(KeyName::of(pressed, modifiers)),
            Meaning::Modifier(held) => {
                format!("a modifier, {}", if held == Modifiers::SHIFT { "Shift" } else { "another" })
            }
            Meaning::Nothing => "nothing".to_owned(),
        };
        let rows = [
            (0x0d, Modifiers::NONE, "Enter"),
            (0x41, Modifiers::NONE, "a character"),
            (0x41, Modifiers::SHIFT, "a character"),
            (0x4c, Modifiers::CTRL, "Ctrl+l"),
            (0x70, Modifiers::ALT, "Alt+F1"),
            (0x87, Modifiers::NONE, "F24"),
            (0xa1, Modifiers::NONE, "a modifier, Shift"),
            (0x5b, Modifiers::NONE, "a modifier, another"),
            (0x14, Modifiers::NONE, "nothing"),
            (0xe7, Modifiers::NONE, "nothing"),
        ];
        for (key, modifiers, expected) in rows {
            assert_eq!(told(key, modifiers), expected, "{key:#x}");
        }
    }
}
