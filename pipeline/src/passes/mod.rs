//! The passes: each turns what is known of a recording into something more.

pub mod inspect;
pub mod read_screen;
pub mod steps;
pub mod transcribe;
