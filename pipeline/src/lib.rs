//! The batch program: turns recordings into verdicts, transcripts, Steps and training examples.

pub mod config;
pub mod export;
pub mod models;
pub mod numerals;
pub mod output;
pub mod pass;
pub mod passes;
pub mod patterns;
pub mod providers;
pub mod run;
pub mod score;
pub mod store;
pub mod usage;
pub mod work;
