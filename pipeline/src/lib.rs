//! The batch program: turns recordings into verdicts, transcripts, Steps and training examples.

pub mod models;
pub mod config;
pub mod passes;
pub mod score;
