//! Reading text in pictures: PP-OCRv6 (small), a detector that says where lines of text are and a recogniser that says
//! what they are.
//!
//! Cost on one core: about 0.9 s for the detector on 1280x720, about 25 ms for each line. Three things keep it low on
//! video, where most of a picture stays as it was:
//! - the last few pictures read in full are kept (`memory`), and only what differs from the most similar of them is
//!   detected again; going back to the page before costs nothing but what is new on it;
//! - a crop that was recognised before, pixel for pixel (`recognise`) or nearly so (`alike`), is not recognised again;
//! - a read can be limited to a region.

mod alike;
mod detect;
mod lines;
mod memory;
mod recognise;
mod region;

use std::path::{Path, PathBuf};

use media::frame::RgbFrame;
use shared_types::step::PixelBox;
use thiserror::Error;

use super::net::{NetError, Threads};
use detect::Detector;
pub use lines::{TextLine, Word};
use memory::Memory;
use recognise::Recogniser;
pub(crate) use region::Region;

pub const DETECTOR_FILE: &str = "PP-OCRv6_det_small.rten";
pub const RECOGNISER_FILE: &str = "PP-OCRv6_rec_small.rten";
pub const DICTIONARY_FILE: &str = "ppocrv6_dict.txt";

#[derive(Debug, Error)]
pub enum OcrError {
    #[error(transparent)]
    Net(#[from] NetError),
    #[error("the list of characters {} cannot be read ({source}); run `./dev setup` or `pipeline models fetch` to get it", path.display())]
    Dictionary { path: PathBuf, source: std::io::Error },
    #[error(
        "the list of characters {} has {found} entries where its model knows {expected}; delete the folder and run \
         `./dev setup` or `pipeline models fetch` to get both again",
        path.display()
    )]
    DictionaryOfAnotherModel { path: PathBuf, found: usize, expected: usize },
}

pub struct Ocr {
    detector: Detector,
    recogniser: Recogniser,
    memory: Memory,
}

impl Ocr {
    /// Loads the models of a folder; the networks use two threads.
    pub fn load(dir: &Path) -> Result<Self, OcrError> {
        Self::load_with(dir, &Threads::new(2))
    }

    pub fn load_with(dir: &Path, threads: &Threads) -> Result<Self, OcrError> {
        Ok(Self {
            detector: Detector::load(&dir.join(DETECTOR_FILE), threads)?,
            recogniser: Recogniser::load(&dir.join(RECOGNISER_FILE), &dir.join(DICTIONARY_FILE), threads)?,
            memory: Memory::default(),
        })
    }

    /// Forgets every picture and line read so far: what follows is read as if it came first.
    pub fn forget(&mut self) {
        self.memory = Memory::default();
        self.recogniser.forget();
    }

    /// The lines of text in a picture, or in one region of it, from top to bottom and left to right.
    ///
    /// A line that the region's edge cuts comes back as far as it lies inside.
    pub fn read(&mut self, frame: &RgbFrame, region: Option<PixelBox>) -> Result<Vec<TextLine>, OcrError> {
        let whole = Region::whole(frame);
        let wanted = region.map_or(whole, |bounds| Region::of_box(bounds).within(whole));
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let plan = self.memory.plan(frame, wanted);
        let mut lines = plan.kept;
        for part in plan.unread {
            lines.extend(self.read_part(frame, part)?);
        }
        lines::sort_for_reading(&mut lines);
        if wanted == whole {
            self.memory.keep(frame, &lines);
        }
        Ok(lines)
    }

    fn read_part(&mut self, frame: &RgbFrame, part: Region) -> Result<Vec<TextLine>, OcrError> {
        let mut lines = Vec::new();
        for bounds in self.detector.find_lines(frame, part)? {
            if let Some(line) = self.recogniser.read_line(frame, bounds)? {
                lines.push(line);
            }
        }
        Ok(lines)
    }
}
