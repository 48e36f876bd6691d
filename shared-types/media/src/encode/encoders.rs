//! The H.264 encoders worth trying, as data: the graphics processor's first, then the ones that any computer can run.
//!
//! Each has options that make it aim at a quality rather than a rate and give back each picture at once. Which of them
//! exist depends on the FFmpeg that is linked; which work, on the computer. Only libx264 was run while this was written:
//! the others are tried like it, at the real size, before one is trusted, and left at the first picture that fails.

use ff::format::Pixel;
use ffmpeg_next as ff;

pub(super) struct Candidate {
    pub(super) name: &'static str,
    /// The form in which it takes pictures.
    pub(super) pixels: Pixel,
    /// The quality that FFmpeg's own field carries, for encoders that read it there.
    pub(super) quality: Option<i32>,
    pub(super) options: &'static [(&'static str, &'static str)],
}

/// `FF_QP2LAMBDA`: FFmpeg counts the quality of these encoders in units of it.
const LAMBDA: i32 = 118;

pub(super) const CANDIDATES: &[Candidate] = &[
    Candidate {
        name: "h264_nvenc",
        pixels: Pixel::NV12,
        quality: None,
        options: &[
            ("preset", "p4"),
            ("tune", "ll"),
            ("rc", "vbr"),
            ("cq", "26"),
            ("b", "0"),
            ("delay", "0"),
            ("zerolatency", "1"),
            ("forced-idr", "1"),
        ],
    },
    Candidate {
        name: "h264_qsv",
        pixels: Pixel::NV12,
        quality: Some(25),
        options: &[("preset", "medium"), ("async_depth", "1"), ("look_ahead", "0"), ("forced_idr", "1")],
    },
    Candidate {
        name: "h264_videotoolbox",
        pixels: Pixel::NV12,
        quality: Some(60 * LAMBDA),
        options: &[("realtime", "1"), ("allow_sw", "0")],
    },
    Candidate {
        name: "h264_mf",
        pixels: Pixel::NV12,
        quality: None,
        options: &[
            ("hw_encoding", "1"),
            ("rate_control", "quality"),
            ("quality", "70"),
            ("scenario", "display_remoting"),
        ],
    },
    Candidate {
        name: "libx264",
        pixels: Pixel::YUV420P,
        quality: None,
        options: &[
            ("preset", "veryfast"),
            ("tune", "zerolatency"),
            // A page that is read must fit into 12 MB a minute, and its words of 12 px be legible: decision 0028. Adaptive
            // quantisation takes from what has strong edges, and that is text.
            ("crf", "32"),
            ("forced-idr", "1"),
            // One thread: slices cost compression, and frame threads hold pictures back.
            ("x264-params", "aq-mode=0:repeat-headers=1:sliced-threads=0:threads=1:sync-lookahead=0:rc-lookahead=0"),
        ],
    },
    Candidate {
        name: "libopenh264",
        pixels: Pixel::YUV420P,
        quality: None,
        options: &[("rc_mode", "quality"), ("allow_skip_frames", "0")],
    },
];
