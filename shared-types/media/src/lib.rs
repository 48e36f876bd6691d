//! Picture and sound as data.
//!
//! [`frame`] and [`time`] are what a source hands over, [`fit`] how a picture is laid into another size, [`measure`] the
//! numbers behind every device flag, [`synth`] made picture and sound for tests and for recording without a screen.
//! Behind the feature `codecs` lies all of FFmpeg: [`encode`] and [`mux`] on the way out, [`demux`] and [`decode`] on the
//! way in, [`journal`] for what lies on disk and [`cut`] for what is taken out of it, [`examine`] for a finished file,
//! [`playback`] for the copy a browser plays and [`rewrite`] for a recording of which something must go. No other crate
//! names FFmpeg.

pub mod fit;
pub mod frame;
pub mod measure;
pub mod synth;
pub mod time;

#[cfg(feature = "codecs")]
pub mod cut;
#[cfg(feature = "codecs")]
pub mod decode;
#[cfg(feature = "codecs")]
pub mod demux;
#[cfg(feature = "codecs")]
pub mod encode;
#[cfg(feature = "codecs")]
pub mod examine;
#[cfg(feature = "codecs")]
pub mod fragment;
#[cfg(feature = "codecs")]
pub mod journal;
#[cfg(feature = "codecs")]
pub mod mux;
#[cfg(feature = "codecs")]
pub mod playback;
#[cfg(feature = "codecs")]
pub mod probe;
#[cfg(feature = "codecs")]
pub mod rewrite;
#[cfg(feature = "codecs")]
mod sound_line;
