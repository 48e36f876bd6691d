//! What the key codes of macOS mean. The table is of no system, so that it is tested on every one.

use super::key::Modifiers;

/// Key codes name places on the keyboard; these do the same on every layout.
const NAMED: &[(u16, &str)] = &[
    (36, "Enter"),
    (48, "Tab"),
    (51, "Backspace"),
    (53, "Escape"),
    (64, "F17"),
    (71, "Clear"),
    (76, "Enter"),
    (79, "F18"),
    (80, "F19"),
    (90, "F20"),
    (96, "F5"),
    (97, "F6"),
    (98, "F7"),
    (99, "F3"),
    (100, "F8"),
    (101, "F9"),
    (103, "F11"),
    (105, "F13"),
    (106, "F16"),
    (107, "F14"),
    (109, "F10"),
    (110, "ContextMenu"),
    (111, "F12"),
    (113, "F15"),
    (114, "Help"),
    (115, "Home"),
    (116, "PageUp"),
    (117, "Delete"),
    (118, "F4"),
    (119, "End"),
    (120, "F2"),
    (121, "PageDown"),
    (122, "F1"),
    (123, "ArrowLeft"),
    (124, "ArrowRight"),
    (125, "ArrowDown"),
    (126, "ArrowUp"),
];
/// Bits of an event's flags.
const FLAGS: [(u64, Modifiers); 4] =
    [(1 << 17, Modifiers::SHIFT), (1 << 18, Modifiers::CTRL), (1 << 19, Modifiers::ALT), (1 << 20, Modifiers::META)];

pub(super) fn name(code: u16) -> Option<&'static str> {
    NAMED.iter().find(|(known, _)| *known == code).map(|(_, name)| *name)
}

/// The character on a key, of the one that an event brings. With Ctrl a letter comes as a control character, and keys that
/// write nothing bring one of Apple's own.
pub(super) fn on_key(character: char) -> Option<char> {
    match character {
        '\u{1}'..='\u{1a}' => Some(char::from(b'a' + character as u8 - 1)),
        '\u{f700}'..='\u{f8ff}' => None,
        character if character.is_control() => None,
        character => Some(character.to_ascii_lowercase()),
    }
}

/// The modifiers that make a shortcut. Option alone writes characters on a Mac, so for them it does not count.
pub(super) fn modifiers(flags: u64, is_character: bool) -> Modifiers {
    let held = FLAGS.iter().filter(|(bit, _)| flags & bit != 0);
    let all = held.fold(Modifiers::NONE, |all, (_, modifier)| all.with(*modifier));
    let is_shortcut = all.holds(Modifiers::CTRL.with(Modifiers::META));
    if is_character && !is_shortcut { Modifiers::NONE } else { all }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::{KeyName, Pressed};

    #[test]
    fn option_writes_characters_and_command_makes_shortcuts() {
        let option = 1 << 19;
        let command = 1 << 20;
        let e = |flags| KeyName::of(Pressed::Character('e'), modifiers(flags, true));
        assert_eq!(e(option), KeyName::Character);
        assert!(matches!(e(command | option), KeyName::Named(key) if key.to_string() == "Alt+Meta+e"));
        assert!(matches!(e(command), KeyName::Named(key) if key.to_string() == "Meta+e"));
        let arrow = KeyName::of(Pressed::Named(name(123).unwrap()), modifiers(option, false));
        assert!(matches!(arrow, KeyName::Named(key) if key.to_string() == "Alt+ArrowLeft"));
        assert_eq!(name(0), None, "the key A");
    }

    #[test]
    fn what_an_event_brings_is_the_character_on_the_key_or_none() {
        let rows = [('\u{3}', Some('c')), ('L', Some('l')), ('é', Some('é')), ('\u{f70e}', None), ('\u{7f}', None)];
        for (brought, expected) in rows {
            assert_eq!(on_key(brought), expected, "{brought:?}");
        }
    }

    #[test]
    fn no_code_has_two_names() {
        assert!(NAMED.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }
}
