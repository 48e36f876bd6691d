//! The text on the kept pictures, and the pictures themselves on demand.

use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use image::ImageReader;
use media::frame::RgbFrame;
use media::journal::hex;
use media::time::MediaTime;
use sha2::{Digest, Sha256};

use super::RunError;
use crate::models::net::Threads;
use crate::models::ocr::{Ocr, TextLine};
use crate::passes::Screen;
use crate::passes::inspect::Findings;
use crate::passes::steps::ReadPicture;

pub(super) const NAME: &str = "read";
pub(super) const VERSION: u32 = 1;

pub(super) struct Reader {
    frames: PathBuf,
    pictures: Vec<Kept>,
    /// The last few pictures shown, as neighbouring acts share them.
    recent: Vec<(usize, Rc<ReadPicture>)>,
}

struct Kept {
    t: f64,
    /// `{sha256}.jpg`
    file: String,
    /// `None` where nobody needed them read.
    lines: Option<Vec<TextLine>>,
}

const RECENT: usize = 3;

impl Reader {
    /// Moves the inspected pictures to the result under the names of their contents.
    pub(super) fn new(work: &Path, frames: &Path, findings: &Findings) -> Result<Self, RunError> {
        let disk = |path: &Path| {
            let path = path.to_owned();
            move |source| RunError::Disk { path, source }
        };
        fs::create_dir_all(frames).map_err(disk(frames))?;
        let mut pictures = Vec::new();
        for (index, kept) in findings.pictures.iter().enumerate() {
            // The child names its files; a name of another form is not one of them.
            if kept.file != format!("{index}.jpg") {
                return Err(RunError::Picture(kept.file.clone()));
            }
            let path = work.join(&kept.file);
            let bytes = fs::read(&path).map_err(disk(&path))?;
            let file = format!("{}.jpg", hex(&Sha256::digest(&bytes)));
            fs::rename(&path, frames.join(&file)).map_err(disk(&path))?;
            pictures.push(Kept { t: kept.t, file, lines: None });
        }
        Ok(Self { frames: frames.to_owned(), pictures, recent: Vec::new() })
    }

    /// Reads the pictures of the given indices.
    pub(super) fn read(
        &mut self,
        wanted: &[usize],
        model: &Path,
        threads: &Threads,
        mut done: impl FnMut(),
    ) -> Result<(), RunError> {
        let mut ocr = Ocr::load_with(model, threads)?;
        for &index in wanted {
            let rgb = self.decode(index)?;
            self.pictures[index].lines = Some(ocr.read(&rgb, None)?);
            done();
        }
        Ok(())
    }

    fn decode(&self, index: usize) -> Result<RgbFrame, RunError> {
        let kept = &self.pictures[index];
        let refused = || RunError::Picture(kept.file.clone());
        let image = ImageReader::open(self.frames.join(&kept.file)).map_err(|_| refused())?;
        let image = image.decode().map_err(|_| refused())?.into_rgb8();
        let (width, height) = image.dimensions();
        Ok(RgbFrame { width, height, data: image.into_raw(), t: MediaTime::from_secs(kept.t) })
    }

    pub(super) fn picture(&mut self, index: usize) -> Result<Rc<ReadPicture>, RunError> {
        if let Some((_, picture)) = self.recent.iter().find(|(recent, _)| *recent == index) {
            return Ok(picture.clone());
        }
        let rgb = self.decode(index)?;
        let kept = &self.pictures[index];
        let picture = Rc::new(ReadPicture {
            name: format!("frames/{}", kept.file),
            rgb,
            lines: kept.lines.clone().unwrap_or_default(),
        });
        if self.recent.len() == RECENT {
            self.recent.remove(0);
        }
        self.recent.push((index, picture.clone()));
        Ok(picture)
    }

    /// A picture by the name that Steps use, if its text was read.
    pub(super) fn read_picture(&mut self, name: &str) -> Option<Rc<ReadPicture>> {
        let is_it = |kept: &Kept| kept.lines.is_some() && name.strip_prefix("frames/") == Some(kept.file.as_str());
        let index = self.pictures.iter().position(is_it)?;
        self.picture(index).ok()
    }

    /// The text of each picture that was read, with its time.
    pub(super) fn screens(&self) -> Vec<Screen<'_>> {
        self.pictures.iter().filter_map(|kept| Some((kept.t, kept.lines.as_deref()?))).collect()
    }
}
