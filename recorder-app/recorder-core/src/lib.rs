//! All of the recorder that needs no window.
//!
//! [`session`] opens a take and [`take`] drives it: one clock ([`timeline`]), the screen's pace ([`pace`]), the encoders
//! and the file ([`encode`]), the [`microphone`] and its sound ([`sound`]), the input events ([`events`]), the screen's [`lock`]. [`spool`] is
//! what lies on the disk and how a killed take is made whole; [`check`] judges a finished one, and [`cut`]
//! takes a stretch out of it. [`enrol`] makes the
//! computer a worker's, and [`submit`] hands a take in: later, from a [`queue`], or partly [`early`]; [`settings`] are what its
//! maker chose for that. [`config`] alone reads the environment.

mod advice;
pub mod check;
pub mod config;
pub mod control;
pub mod cut;
pub mod devices;
mod early;
mod encode;
pub mod enrol;
mod events;
mod health;
mod live;
mod lock;
mod microphone;
mod pace;
pub mod preflight;
pub mod queue;
pub mod session;
pub mod settings;
mod sound;
pub mod spool;
pub mod submit;
mod take;
mod timeline;
mod voice;

pub use ingest_client::{Client, ClientError, UploadLimit, Waiting};
