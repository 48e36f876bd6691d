//! What the virtual keys of Windows mean. The tables are of no system, so that they are tested on every one.

use super::key::{Modifiers, Pressed};

const FUNCTION_KEYS: [&str; 24] = [
    "F1", "F2", "F3", "F4", "F5", "F6", "F7", "F8", "F9", "F10", "F11", "F12", "F13", "F14", "F15", "F16", "F17",
    "F18", "F19", "F20", "F21", "F22", "F23", "F24",
];
/// What a device sends whose key has no meaning, and the two halves of a packet that holds a character.
const NOTHING: [u16; 3] = [0, 0xe7, 0xff];

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::KeyName;

    #[test]
    fn keys_have_their_names_and_characters_have_none() {
        let letter =
            |key: u16| char::from_u32(key.into()).filter(char::is_ascii_uppercase).map(|c| c.to_ascii_lowercase());
        let shown = |key, modifiers| match meaning(key, letter) {
            Meaning::Key(pressed) => match KeyName::of(pressed, modifiers) {
                KeyName::Named(named) => named.to_string(),
                KeyName::Character => "a character".to_owned(),
            },
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
            assert_eq!(shown(key, modifiers), expected, "{key:#x}");
        }
    }
}
