//! The passes: each turns what is known of a recording into something more.

pub mod explain;
pub mod goal;
pub mod inspect;
pub mod limited;
pub mod music;
pub mod pii;
pub mod playback;
pub mod read_screen;
pub mod redact;
pub mod steps;
pub mod trace;
pub mod transcribe;
pub mod voice;

use crate::models::ocr::TextLine;

/// The lines of text on a screen, with the time in seconds from which it shows.
pub type Screen<'a> = (f64, &'a [TextLine]);
