//! All of the recorder that needs no window.
//!
//! [`session`] opens a take and [`take`] drives it: one clock ([`timeline`]), the screen's pace ([`pace`]), the encoders
//! and the file ([`encode`]), the [`microphone`] and its sound ([`sound`]), the input events ([`events`]). [`spool`] is
//! what lies on the disk and how a killed take is made whole; [`check`] judges a finished one.

pub mod check;
mod encode;
mod events;
mod microphone;
mod pace;
pub mod session;
mod sound;
pub mod spool;
mod take;
mod timeline;
