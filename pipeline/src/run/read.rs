//! The text on the kept pictures, and the pictures themselves on demand.

use std::collections::{BTreeSet, VecDeque};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageReader};
use media::frame::RgbFrame;
use media::journal::hex;
use media::measure::picture::LumaView;
use media::time::MediaTime;
use sha2::{Digest, Sha256};
use shared_types::quality::measurements::Span;
use shared_types::step::{PixelBox, Step};

use super::RunError;
use crate::models::net::Threads;
use crate::models::ocr::{Ocr, TextLine};
use crate::passes::Screen;
use crate::passes::inspect::Findings;
use crate::passes::redact::cover::{self, Cover, Patches};
use crate::passes::redact::{Redactor, fill, grown};
use crate::passes::steps::ReadPicture;
use crate::usage;

pub(super) const NAME: &str = "read";
pub(super) const VERSION: u32 = 5;

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

const RECENT: usize = 4;
const JPEG_QUALITY: u8 = 88;

/// Pictures that wait to be read, in stretches. Each stretch is read with a memory of its own, so that the text does not
/// depend on how many read, and when.
pub(super) struct Unread {
    count: usize,
    waiting: Mutex<VecDeque<Vec<Waiting>>>,
    given_up: AtomicBool,
    cpu_secs: Mutex<f64>,
}

struct Waiting {
    index: usize,
    t: f64,
    path: PathBuf,
}

/// The text of pictures by their index.
pub(super) type ReadLines = Vec<(usize, Vec<TextLine>)>;

/// A stretch's first picture is read in full, which is as much as several of the others.
const SHORTEST_STRETCH: usize = 24;

/// The lengths of the stretches of so many pictures: each half of what is left, so that those who read end at about the
/// same time (guided self-scheduling: Polychronopoulos and Kuck, 1987).
fn stretches(count: usize) -> Vec<usize> {
    let mut lengths = Vec::new();
    let mut left = count;
    while left >= 2 * SHORTEST_STRETCH {
        lengths.push(left.div_ceil(2));
        left /= 2;
    }
    if left > 0 {
        lengths.push(left);
    }
    lengths
}

impl Unread {
    fn new(pictures: impl ExactSizeIterator<Item = Waiting>) -> Self {
        let (count, mut pictures) = (pictures.len(), pictures);
        let stretch = |length: usize| pictures.by_ref().take(length).collect();
        let waiting = stretches(count).into_iter().map(stretch).collect();
        Self { count, waiting: Mutex::new(waiting), given_up: AtomicBool::new(false), cpu_secs: Mutex::new(0.0) }
    }

    pub(super) fn len(&self) -> usize {
        self.count
    }

    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether a stretch waits for somebody.
    pub(super) fn is_waiting(&self) -> bool {
        !locked(&self.waiting).is_empty()
    }

    /// CPU seconds of all who read, up to the last picture that each has finished.
    pub(super) fn cpu_secs(&self) -> f64 {
        *locked(&self.cpu_secs)
    }

    /// Reads stretches until none waits.
    pub(super) fn read(&self, model: &Path, threads: &Threads, done: impl Fn()) -> Result<ReadLines, RunError> {
        let mut lines = Vec::new();
        if self.is_waiting() {
            // One that cannot go on leaves nothing to the others: the run has failed.
            self.read_on(model, threads, done, &mut lines).inspect_err(|_| self.give_up())?;
        }
        Ok(lines)
    }

    /// Leaves what waits unread, of a stretch under way too.
    fn give_up(&self) {
        self.given_up.store(true, Ordering::Relaxed);
        locked(&self.waiting).clear();
    }

    fn read_on(&self, model: &Path, threads: &Threads, done: impl Fn(), lines: &mut ReadLines) -> Result<(), RunError> {
        let used_so_far = || usage::own_cpu_secs() + threads.cpu_secs();
        let mut used = used_so_far();
        let mut ocr = Ocr::load_with(model, threads)?;
        while let Some(stretch) = { locked(&self.waiting).pop_front() } {
            ocr.forget();
            for Waiting { index, t, path } in stretch {
                if self.given_up.load(Ordering::Relaxed) {
                    return Ok(());
                }
                lines.push((index, ocr.read(&decode(&path, t)?, None)?));
                done();
                let now = used_so_far();
                *locked(&self.cpu_secs) += now - used;
                used = now;
            }
        }
        Ok(())
    }
}

/// What is behind these locks is whole at any time.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn decode(path: &Path, t: f64) -> Result<RgbFrame, RunError> {
    let refused = || RunError::Picture(path.display().to_string());
    let image = ImageReader::open(path).map_err(|_| refused())?;
    let image = image.decode().map_err(|_| refused())?.into_rgb8();
    let (width, height) = image.dimensions();
    Ok(RgbFrame { width, height, data: image.into_raw(), t: MediaTime::from_secs(t) })
}

impl Reader {
    /// Brings the inspected pictures to the result under the names of their contents. They stay where they were as well,
    /// for a run that has to begin again.
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
            let brought = frames.join(&file);
            if !brought.exists() && fs::hard_link(&path, &brought).is_err() {
                fs::copy(&path, &brought).map_err(disk(&path))?;
            }
            pictures.push(Kept { t: kept.t, file, lines: None });
        }
        Ok(Self { frames: frames.to_owned(), pictures, recent: Vec::new() })
    }

    /// The pictures of the given indices, to be read elsewhere.
    pub(super) fn unread(&self, wanted: Vec<usize>) -> Unread {
        let picture = |index: usize| {
            let kept = &self.pictures[index];
            Waiting { index, t: kept.t, path: self.frames.join(&kept.file) }
        };
        Unread::new(wanted.into_iter().map(picture))
    }

    /// Takes over what was read.
    pub(super) fn take(&mut self, lines: ReadLines) {
        for (index, lines) in lines {
            // A kept reading of pictures that are not there reads nothing.
            if let Some(picture) = self.pictures.get_mut(index) {
                picture.lines = Some(lines);
            }
        }
    }

    /// Takes everything private out of texts and pictures; afterwards the unredacted pictures are nowhere. Gives what
    /// copies of the video must not show.
    pub(super) fn redact(&mut self, redactor: &Redactor, end: f64) -> Result<Cover, RunError> {
        let mut patches = Patches::new(cover::MOST_PATCHES);
        let mut own: Vec<Vec<PixelBox>> = vec![Vec::new(); self.pictures.len()];
        for (index, boxes) in own.iter_mut().enumerate() {
            let Some(lines) = self.pictures[index].lines.take() else { continue };
            let (lines, hits) = redactor.screen(&lines);
            self.pictures[index].lines = Some(lines.into_inner());
            boxes.extend(hits.iter().map(|hit| grown(hit.bounds)));
            if boxes.is_empty() {
                continue;
            }
            let around = self.moment(index, end);
            let rgb = self.decoded(index)?;
            let luma = rgb.luma();
            let luma = LumaView { width: rgb.width, height: rgb.height, stride: rgb.width as usize, data: &luma };
            for &bounds in &*boxes {
                patches.add(&luma, bounds, around);
            }
        }
        let cover = redactor.cover(patches);
        // What was read on one picture may show on another whose text was read otherwise.
        let mut matcher = cover.matcher();
        for (index, mut boxes) in own.into_iter().enumerate() {
            if boxes.is_empty() && matcher.is_empty() {
                continue;
            }
            let mut rgb = self.decoded(index)?;
            let luma = rgb.luma();
            let luma = LumaView { width: rgb.width, height: rgb.height, stride: rgb.width as usize, data: &luma };
            boxes.extend(matcher.boxes(&luma, self.pictures[index].t));
            if !boxes.is_empty() {
                fill(&mut rgb, &boxes);
                self.replace(index, &rgb)?;
            }
        }
        self.recent.clear();
        Ok(cover)
    }

    fn decoded(&self, index: usize) -> Result<RgbFrame, RunError> {
        let kept = &self.pictures[index];
        decode(&self.frames.join(&kept.file), kept.t)
    }

    /// From the picture that was read before this one to the one after it.
    fn moment(&self, index: usize, end: f64) -> Span {
        let is_read = |kept: &&Kept| kept.lines.is_some();
        let before = self.pictures[..index].iter().rev().find(is_read).map_or(0.0, |before| before.t);
        Span::new(before, self.pictures[index + 1..].iter().find(is_read).map_or(end, |after| after.t))
    }

    /// Puts another picture in the place of one, under the name of its own contents.
    fn replace(&mut self, index: usize, rgb: &RgbFrame) -> Result<(), RunError> {
        let mut bytes = Vec::new();
        JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY)
            .encode(&rgb.data, rgb.width, rgb.height, ExtendedColorType::Rgb8)
            .map_err(|_| RunError::Picture(self.pictures[index].file.clone()))?;
        let file = format!("{}.jpg", hex(&Sha256::digest(&bytes)));
        let path = self.frames.join(&file);
        fs::write(&path, bytes).map_err(|source| RunError::Disk { path: path.clone(), source })?;
        let old = std::mem::replace(&mut self.pictures[index].file, file);
        if self.pictures.iter().any(|kept| kept.file == old) {
            return Ok(());
        }
        let path = self.frames.join(old);
        fs::remove_file(&path).map_err(|source| RunError::Disk { path, source })
    }

    pub(super) fn picture(&mut self, index: usize) -> Result<Rc<ReadPicture>, RunError> {
        if let Some((_, picture)) = self.recent.iter().find(|(recent, _)| *recent == index) {
            return Ok(picture.clone());
        }
        let kept = &self.pictures[index];
        let rgb = self.decoded(index)?;
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

    /// Removes the pictures that no Step names.
    pub(super) fn remove_unnamed(&self, steps: &[Step]) -> io::Result<()> {
        let named = |step: &'_ Step| [step.frame_before.clone(), step.frame_after.clone()];
        let named: BTreeSet<String> = steps.iter().flat_map(named).flatten().collect();
        let files: BTreeSet<&String> = self.pictures.iter().map(|kept| &kept.file).collect();
        for file in files.into_iter().filter(|file| !named.contains(&format!("frames/{file}"))) {
            fs::remove_file(self.frames.join(file))?;
        }
        Ok(())
    }

    /// The text of each picture that was read, with its time.
    pub(super) fn screens(&self) -> Vec<Screen<'_>> {
        self.pictures.iter().filter_map(|kept| Some((kept.t, kept.lines.as_deref()?))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_get_shorter_and_hold_every_picture() {
        for (count, expected) in
            [(0, vec![]), (1, vec![1]), (47, vec![47]), (48, vec![24, 24]), (300, vec![150, 75, 38, 37])]
        {
            assert_eq!(stretches(count), expected, "{count} pictures");
        }
        for count in 0..2000 {
            assert_eq!(stretches(count).iter().sum::<usize>(), count);
        }
    }

    #[test]
    fn who_reads_gets_the_pictures_in_their_order() {
        let waiting = |index| Waiting { index, t: index as f64, path: PathBuf::new() };
        let unread = Unread::new((0..100).map(waiting));
        let taken: Vec<usize> = locked(&unread.waiting).iter().flatten().map(|waiting| waiting.index).collect();
        assert_eq!(taken, (0..100).collect::<Vec<_>>());
        assert!(unread.is_waiting() && unread.len() == 100);
        unread.give_up();
        assert!(!unread.is_waiting());
    }
}
