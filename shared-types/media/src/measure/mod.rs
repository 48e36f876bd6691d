//! Numbers about picture, sound and input; no verdicts. Recorder and pipeline run this code on the finished file, so
//! they agree on every device flag.

pub mod activity;
pub mod fingerprint;
pub mod motion;
pub mod picture;
pub mod sound;
