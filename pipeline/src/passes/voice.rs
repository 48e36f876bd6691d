//! The voice of a recording: 16 kHz, mono. An hour of it takes 230 MB, so only the stretch at hand is in memory.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;

const SAMPLE_BYTES: usize = size_of::<f32>();

/// A voice, wherever it lies.
pub trait Voice {
    /// How many samples there are.
    fn samples(&self) -> usize;

    /// Some of them.
    fn stretch(&self, samples: Range<usize>) -> io::Result<Cow<'_, [f32]>>;
}

/// One that is in memory already.
impl<T: AsRef<[f32]> + ?Sized> Voice for T {
    fn samples(&self) -> usize {
        self.as_ref().len()
    }

    fn stretch(&self, samples: Range<usize>) -> io::Result<Cow<'_, [f32]>> {
        Ok(Cow::Borrowed(&self.as_ref()[samples]))
    }
}

/// One that the inspection left in a file.
pub struct VoiceFile {
    /// None where there is no sound.
    file: Option<File>,
    samples: usize,
}

impl VoiceFile {
    pub fn open(path: &Path) -> io::Result<Self> {
        match File::open(path) {
            Ok(file) => {
                let samples = file.metadata()?.len() as usize / SAMPLE_BYTES;
                Ok(Self { file: Some(file), samples })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self { file: None, samples: 0 }),
            Err(error) => Err(error),
        }
    }
}

impl Voice for VoiceFile {
    fn samples(&self) -> usize {
        self.samples
    }

    fn stretch(&self, samples: Range<usize>) -> io::Result<Cow<'_, [f32]>> {
        let Some(mut file) = self.file.as_ref() else { return Ok(Cow::Borrowed(&[])) };
        let mut bytes = vec![0; samples.len() * SAMPLE_BYTES];
        file.seek(SeekFrom::Start((samples.start * SAMPLE_BYTES) as u64))?;
        file.read_exact(&mut bytes)?;
        let (read, _) = bytes.as_chunks::<SAMPLE_BYTES>();
        Ok(Cow::Owned(read.iter().map(|sample| f32::from_le_bytes(*sample)).collect()))
    }
}

/// All of a voice, in stretches of at most so many samples, each told with its first sample's place.
pub(super) fn stretches<V: Voice + ?Sized>(
    voice: &V,
    most: usize,
) -> impl Iterator<Item = io::Result<(usize, Cow<'_, [f32]>)>> {
    let end = voice.samples();
    (0..end).step_by(most).map(move |from| Ok((from, voice.stretch(from..(from + most).min(end))?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_gives_what_memory_gives() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("voice.f32");
        let samples: Vec<f32> = (0..1000_u16).map(|at| f32::from(at) / 1000.0).collect();
        std::fs::write(&path, samples.iter().flat_map(|sample| sample.to_le_bytes()).collect::<Vec<u8>>()).unwrap();
        let file = VoiceFile::open(&path).unwrap();
        assert_eq!(file.samples(), samples.samples());
        for range in [0..1000, 0..0, 1000..1000, 17..18, 990..1000, 3..700] {
            assert_eq!(file.stretch(range.clone()).unwrap(), samples.stretch(range).unwrap());
        }
        assert!(file.stretch(999..1001).is_err(), "there is no more");
        let all: Vec<f32> = stretches(&file, 300).flat_map(|part| part.unwrap().1.into_owned()).collect();
        assert_eq!(all, samples);
        let places: Vec<usize> = stretches(&file, 300).map(|part| part.unwrap().0).collect();
        assert_eq!(places, [0, 300, 600, 900]);
    }

    #[test]
    fn no_file_is_no_voice() {
        let folder = tempfile::tempdir().unwrap();
        let none = VoiceFile::open(&folder.path().join("voice.f32")).unwrap();
        assert_eq!((none.samples(), stretches(&none, 5).count()), (0, 0));
    }
}
