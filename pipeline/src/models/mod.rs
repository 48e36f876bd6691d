//! The local models: where they come from, how they are fetched, how they are run.

pub mod catalog;
pub mod commands;
pub mod convert;
pub mod error;
pub mod fetch;
pub mod files;
pub mod import;
pub mod progress;
pub mod whisper;
