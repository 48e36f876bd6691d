//! Everything the recorder takes from the system: the picture of a screen, the sound of a microphone, and what the
//! worker's hand does; and what it asks of it: whether the session is locked, how much room a disk has. No `FFmpeg` and no window toolkit, so that the crate checks for every system.
//!
//! The first three have the same shape: `list` what there is, start one by its id, and a synthetic source beside the
//! real one. All of them stamp with [`clock::now`].

pub mod clock;
pub mod disk;
pub mod display;
pub mod input;
pub mod lock;
pub mod mic;
pub mod screen;
