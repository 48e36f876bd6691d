//! All of the recorder that needs no window.
//!
//! [`session`] drives a take: one clock ([`timeline`]), the screen's pace ([`pace`]), the encoders and the file
//! ([`encode`]), the input events ([`events`]). [`spool`] is what lies on the disk and how a killed take is made whole;
//! [`check`] judges a finished one.

pub mod check;
mod encode;
mod events;
mod pace;
pub mod session;
mod sound;
pub mod spool;
mod timeline;
