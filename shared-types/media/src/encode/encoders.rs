//! The H.264 encoders worth trying, as data: the graphics processor's first, then the ones that any computer can run.
//!
//! Each has options that make it aim at a quality rather than a rate and give back each picture at once. Which of them
//! exist depends on the FFmpeg that is linked; which work, on the computer. Only libx264 was run while this was written:
//! the others are tried like it, at the real size, before one is trusted, and left at the first picture that fails.

use ff::format::Pixel;
use ffmpeg_next as ff;

use super::surfaces::Memory;

pub(super) struct Candidate {
    pub(super) name: &'static str,
    /// The form in which it takes pictures.
    pub(super) pixels: Pixel,
    /// Where they must lie, for one that takes them from nowhere else.
    pub(super) memory: Option<Memory>,
    /// The quality that FFmpeg's own field carries, for encoders that want the flag with it that says so.
    pub(super) quality: Option<i32>,
    pub(super) options: &'static [(&'static str, &'static str)],
}

/// `FF_QP2LAMBDA`: with that flag FFmpeg counts the quality in units of it.
const LAMBDA: i32 = 118;

pub(super) const CANDIDATES: &[Candidate] = &[
    Candidate {
        name: "h264_nvenc",
        pixels: Pixel::NV12,
        memory: None,
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
        memory: None,
        quality: None,
        options: &[
            ("preset", "medium"),
            // Without the flag that `Candidate::quality` brings: with it, this encoder would take it for units of lambda.
            ("global_quality", "25"),
            ("async_depth", "1"),
            ("look_ahead", "0"),
            ("forced_idr", "1"),
        ],
    },
    Candidate {
        name: "h264_vaapi",
        pixels: Pixel::NV12,
        memory: Some(Memory::VAAPI),
        quality: None,
        // A quality and no rate: of what the driver knows FFmpeg takes ICQ, which follows the picture, and else a constant
        // quantiser.
        options: &[("global_quality", "26"), ("b", "0"), ("async_depth", "1")],
    },
    Candidate {
        name: "h264_videotoolbox",
        pixels: Pixel::NV12,
        memory: None,
        quality: Some(60 * LAMBDA),
        options: &[("realtime", "1"), ("allow_sw", "0")],
    },
    Candidate {
        name: "h264_mf",
        pixels: Pixel::NV12,
        memory: None,
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
        memory: None,
        quality: None,
        options: &[
            ("preset", "veryfast"),
            ("tune", "zerolatency"),
            // A page that is read must fit into 12 MB a minute, and its words of 12 px be legible: decision 0028. Adaptive
            // quantisation takes from what has strong edges, and that is text.
            ("crf", "31"),
            ("forced-idr", "1"),
            // One thread: slices cost compression, and frame threads hold pictures back.
            ("x264-params", "aq-mode=0:repeat-headers=1:sliced-threads=0:threads=1:sync-lookahead=0:rc-lookahead=0"),
        ],
    },
    Candidate {
        name: "libopenh264",
        pixels: Pixel::YUV420P,
        memory: None,
        quality: None,
        options: &[("rc_mode", "quality"), ("allow_skip_frames", "0")],
    },
];

#[cfg(test)]
mod tests {
    use super::CANDIDATES;

    #[test]
    fn graphics_processors_come_first_and_each_is_given_a_quality_and_no_rate() {
        let names: Vec<_> = CANDIDATES.iter().map(|candidate| candidate.name).collect();
        let expected =
            ["h264_nvenc", "h264_qsv", "h264_vaapi", "h264_videotoolbox", "h264_mf", "libx264", "libopenh264"];
        assert_eq!(names, expected);
        for candidate in CANDIDATES {
            let is_told = |key: &str| candidate.options.iter().any(|(told, _)| *told == key);
            let aims = candidate.quality.is_some()
                || ["cq", "global_quality", "quality", "crf", "rc_mode"].iter().any(|key| is_told(key));
            let rate = candidate.options.iter().find(|(key, value)| *key == "b" && *value != "0");
            assert!(aims && rate.is_none(), "{}", candidate.name);
        }
    }
}
