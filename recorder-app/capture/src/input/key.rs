//! Names of keys, and nothing of what was typed.

use std::fmt;

/// A pressed key as it may leave the module: a character is only ever "a character".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyName {
    Character,
    Named(NamedKey),
}

/// A named key or a shortcut. Shown as DOM `KeyboardEvent.key` with its modifiers in front: `Enter`, `Ctrl+l`.
///
/// Its fields are private and [`KeyName::of`] is the one way to make it, so that it holds a character only together
/// with Ctrl, Alt or Meta.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NamedKey {
    modifiers: Modifiers,
    key: Pressed,
}

/// What a key means by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pressed {
    /// DOM name of a key that types nothing.
    Named(&'static str),
    Character(char),
}

/// The modifiers held while a key goes down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Modifiers(u8);

impl Modifiers {
    pub const NONE: Self = Self(0);
    pub const CTRL: Self = Self(1);
    pub const ALT: Self = Self(2);
    pub const SHIFT: Self = Self(4);
    pub const META: Self = Self(8);

    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub const fn holds(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

impl KeyName {
    pub const fn of(key: Pressed, modifiers: Modifiers) -> Self {
        let shortcut = modifiers.holds(Modifiers::CTRL.with(Modifiers::ALT).with(Modifiers::META));
        match key {
            Pressed::Character(_) if !shortcut => Self::Character,
            key => Self::Named(NamedKey { modifiers, key }),
        }
    }
}

impl fmt::Display for NamedKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [
            (Modifiers::CTRL, "Ctrl+"),
            (Modifiers::ALT, "Alt+"),
            (Modifiers::SHIFT, "Shift+"),
            (Modifiers::META, "Meta+"),
        ];
        for (modifier, name) in names {
            if self.modifiers.holds(modifier) {
                out.write_str(name)?;
            }
        }
        match self.key {
            Pressed::Named(name) => out.write_str(name),
            Pressed::Character(character) => write!(out, "{character}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_typed_character_fits_into_a_key_name() {
        for character in (' '..='~').chain("äßЖ愛€😀".chars()) {
            for modifiers in [Modifiers::NONE, Modifiers::SHIFT] {
                let name = KeyName::of(Pressed::Character(character), modifiers);
                assert_eq!(format!("{name:?}"), "Character");
                assert_eq!(name, KeyName::of(Pressed::Character('x'), Modifiers::NONE), "all are one value");
            }
        }
    }

    #[test]
    fn keys_are_named_as_in_the_dom_with_modifiers_in_front() {
        #[track_caller]
        fn check(key: Pressed, modifiers: Modifiers, expected: &str) {
            match KeyName::of(key, modifiers) {
                KeyName::Named(named) => assert_eq!(named.to_string(), expected),
                KeyName::Character => panic!("{expected} was taken for a typed character"),
            }
        }
        check(Pressed::Named("Enter"), Modifiers::NONE, "Enter");
        check(Pressed::Named("Tab"), Modifiers::SHIFT, "Shift+Tab");
        check(Pressed::Character('l'), Modifiers::CTRL, "Ctrl+l");
        check(Pressed::Named("ArrowLeft"), Modifiers::ALT, "Alt+ArrowLeft");
        check(Pressed::Character('T'), Modifiers::SHIFT.with(Modifiers::CTRL), "Ctrl+Shift+T");
        check(Pressed::Character(' '), Modifiers::META, "Meta+ ");
    }
}
