//! The passes: each turns what is known of a recording into something more.

pub mod read_screen;
pub mod transcribe;
pub mod inspect;
pub mod steps;
