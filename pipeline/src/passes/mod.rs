//! The passes: each turns what is known of a recording into something more.

pub mod transcribe;
