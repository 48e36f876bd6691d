//! The tests of the pipeline, in one program: what they share is compiled and linked once, and the long ones run beside each other.
#![expect(clippy::unwrap_used, reason = "helpers of tests: what cannot be set up is a failed test")]

mod planted;

mod cli;
mod hosted;
mod intents;
mod models;
mod mutations;
mod patterns;
mod playback;
mod read_screen;
mod redaction;
mod redaction_pixels;
mod seen_steps;
mod transcribe;
mod verdicts;
