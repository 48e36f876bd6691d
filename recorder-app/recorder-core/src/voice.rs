//! The voice of a running take in a plain WAV file beside the video, so that it survives an encoder that fails.
//!
//! The same samples that are encoded, pauses already out of them: 48 kHz, mono, 16 bit, brought up to date each second.
//! A take that ends properly has no more use for it and removes it; one whose encoder failed keeps it.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use hound::{SampleFormat, WavSpec, WavWriter};

pub(crate) const VOICE_FILE: &str = "voice.wav";

const SPEC: WavSpec =
    WavSpec { channels: 1, sample_rate: 48_000, bits_per_sample: 16, sample_format: SampleFormat::Int };
const FLUSH_SAMPLES: u32 = 48_000;
/// A WAV file tells its length in 32 bits; after some hours the journal ends, and the video goes on.
const MOST_SAMPLES: u32 = 2_000_000_000;

pub(crate) struct VoiceJournal {
    path: PathBuf,
    writer: Option<WavWriter<BufWriter<File>>>,
}

impl VoiceJournal {
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let writer = WavWriter::new(BufWriter::new(options.open(path)?), SPEC).map_err(io::Error::other)?;
        Ok(Self { path: path.to_owned(), writer: Some(writer) })
    }

    /// A journal that cannot be written ends: it is there to save a take, not to cost one.
    pub(crate) fn write(&mut self, samples: &[f32]) {
        fail::fail_point!("voice.write");
        let Some(writer) = self.writer.as_mut() else { return };
        let written = samples
            .iter()
            .try_for_each(|sample| writer.write_sample((sample.clamp(-1.0, 1.0) * f32::from(i16::MAX)) as i16));
        let is_due = writer.len() % FLUSH_SAMPLES < samples.len() as u32;
        let kept = written.and_then(|()| if is_due { writer.flush() } else { Ok(()) });
        if kept.is_err() || writer.len() > MOST_SAMPLES {
            self.writer = None;
        }
    }

    /// The video has it all.
    pub(crate) fn remove(mut self) {
        self.writer = None;
        // What cannot be removed now is removed with the folder.
        drop(std::fs::remove_file(&self.path));
    }
}

/// How long the voice in a journal is; none where there is no journal that could be read.
pub(crate) fn secs(path: &Path) -> Option<f64> {
    let reader = hound::WavReader::open(path).ok()?;
    Some(f64::from(reader.duration()) / f64::from(reader.spec().sample_rate.max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_second_is_readable_while_the_next_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(VOICE_FILE);
        let mut journal = VoiceJournal::create(&path).unwrap();
        for block in 0..125_u16 {
            journal.write(&[f32::from(block) / 125.0; 960]);
        }
        // As a killed recorder leaves it.
        let copy = folder.path().join("copy.wav");
        std::fs::copy(&path, &copy).unwrap();
        assert!(secs(&copy).is_some_and(|secs| (2.0..=2.5).contains(&secs)));
        let samples: Vec<i16> = hound::WavReader::open(&copy).unwrap().samples().map(Result::unwrap).collect();
        assert!((2 * 48_000..=125 * 960).contains(&samples.len()), "{}", samples.len());
        assert_eq!(samples[48_000], (50.0 / 125.0 * 32_767.0) as i16);
        assert!(VoiceJournal::create(&path).is_err(), "nothing is written over");
        journal.remove();
        assert!(!path.exists());
    }
}
