//! The local models: where they come from, how they are fetched, how they are run.

pub mod catalog;
pub mod commands;
pub mod convert;
pub mod dnsmos;
pub mod error;
pub mod fetch;
pub mod files;
pub mod import;
pub mod net;
pub mod ocr;
pub mod progress;
pub mod whisper;
