//! Which pictures of a take are kept: the last one before each act, and the first that stands still after it.
//!
//! Where nobody recorded what was done, what is shown is kept whenever something begins to happen on the screen. Whenever
//! much has changed and come to rest again it is kept and read in any case: a page on which nothing was done may show
//! something private too. One that never rests, as a film plays on it, is read every few seconds.

use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use image::ExtendedColorType;
use image::codecs::jpeg::JpegEncoder;
use media::decode::{Picture, StoredPicture};
use serde::{Deserialize, Serialize};

use super::KeptPicture;
use crate::passes::trace::{PAGE_SHARE, Sight};

/// A picture to keep, in seconds of the recording.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Want {
    /// What was shown at this moment.
    At { t: f64 },
    /// The first picture after `from` that stands still, at the latest what is shown at `until`.
    Settled { from: f64, until: f64 },
}

/// Which pictures are kept.
pub(super) enum Keep {
    Wanted(Vec<Want>),
    /// What was shown before and after whatever happened on the screen.
    Happenings,
}

/// A picture stands still when nothing larger than a pointer has changed for this long; grey boxes that stand in for a
/// page on its way last about half as long.
const SETTLED_SECS: f64 = 0.6;
/// Pages take their time to begin to change.
const EFFECT_SECS: f64 = 0.3;
/// A share of changed pixels above this is more than a pointer or a blinking caret.
const LARGE_CHANGE: f64 = 0.003;
const CHANGED_LUMA: u8 = 24;
/// Every fourth pixel of every fourth row is looked at.
const SAMPLE_STEP: usize = 4;
/// Pages of a take without events that are read for their own sake are at least this far apart.
const PAGES_APART_SECS: f64 = 1.5;
/// A page that does not come to rest is read as often as this.
const RESTLESS_SECS: f64 = 2.5;
/// After a rest of this length, a change is something new.
const REST_SECS: f64 = 0.25;
/// More is a film, not a shopping tour.
const MAX_PICTURES: usize = 4000;
const JPEG_QUALITY: u8 = 88;

pub(super) struct Picker {
    wants: Vec<Want>,
    happenings: bool,
    found: Vec<Option<usize>>,
    folder: PathBuf,
    pictures: Vec<KeptPicture>,
    /// What is shown now; replaced only when a picture differs.
    shown: StoredPicture,
    shown_is_saved: Option<usize>,
    samples: Vec<u8>,
    last_large_change: f64,
    last_page: f64,
    /// Since when much has changed that was not read.
    new_since: Option<f64>,
    last_sight: f64,
    last_share: f64,
    any: bool,
}

impl Picker {
    pub(super) fn new(keep: Keep, folder: &Path) -> Self {
        let (wants, happenings) = match keep {
            Keep::Wanted(wants) => (wants, false),
            Keep::Happenings => (Vec::new(), true),
        };
        Self {
            happenings,
            found: vec![None; wants.len()],
            wants,
            folder: folder.to_owned(),
            pictures: Vec::new(),
            shown: StoredPicture::default(),
            shown_is_saved: None,
            samples: Vec::new(),
            last_large_change: 0.0,
            last_page: f64::NEG_INFINITY,
            new_since: Some(0.0),
            last_sight: f64::NEG_INFINITY,
            last_share: 0.0,
            any: false,
        }
    }

    pub(super) fn push(&mut self, picture: &mut Picture<'_>, changed: bool, sight: Option<&Sight>) -> io::Result<()> {
        let now = picture.t.secs();
        if self.any {
            self.settle(now)?;
            if let Some(sight) = sight.filter(|sight| !sight.changes.is_empty()) {
                self.begin(sight, now)?;
            }
        }
        if !changed && self.any {
            return Ok(());
        }
        if self.large_change(picture) {
            self.last_large_change = now;
            self.new_since.get_or_insert(now);
        }
        self.shown.store(picture);
        self.shown_is_saved = None;
        self.any = true;
        Ok(())
    }

    /// Keeps what was shown until `now` where it is wanted.
    fn settle(&mut self, now: f64) -> io::Result<()> {
        for index in 0..self.wants.len() {
            if self.found[index].is_none() && self.is_due(self.wants[index], now) {
                self.found[index] = self.save(now)?;
            }
        }
        let stands = now - self.last_large_change >= SETTLED_SECS;
        let is_restless = self.new_since.is_some_and(|since| now - since >= RESTLESS_SECS);
        // Without events the acts are seen, and the pictures around them are read as well.
        let is_due = !self.happenings || now - self.last_page >= PAGES_APART_SECS;
        if self.new_since.is_some() && (stands || is_restless) && is_due {
            if let Some(index) = self.save(now)? {
                self.pictures[index].is_page = true;
                self.last_page = now;
            }
            self.new_since = None;
        }
        Ok(())
    }

    /// Something happens after a rest, or a page follows a smaller change: keeps what was shown until then.
    fn begin(&mut self, sight: &Sight, now: f64) -> io::Result<()> {
        let is_new = now - self.last_sight >= REST_SECS;
        let is_page = sight.share >= PAGE_SHARE && self.last_share < PAGE_SHARE;
        (self.last_sight, self.last_share) = (now, sight.share);
        if self.happenings && (is_new || is_page) {
            self.save(now)?;
        }
        Ok(())
    }

    fn is_due(&self, want: Want, now: f64) -> bool {
        match want {
            Want::At { t } => now > t,
            Want::Settled { from, until } => {
                now >= until || now - self.last_large_change.max(from + EFFECT_SECS) >= SETTLED_SECS
            }
        }
    }

    fn large_change(&mut self, picture: &mut Picture<'_>) -> bool {
        let Some(luma) = picture.luma() else { return true };
        let samples: Vec<u8> =
            luma.rows().step_by(SAMPLE_STEP).flat_map(|row| row.iter().step_by(SAMPLE_STEP).copied()).collect();
        let large = samples.len() != self.samples.len() || {
            let pairs = samples.iter().zip(&self.samples);
            let changed = pairs.filter(|(a, b)| a.abs_diff(**b) > CHANGED_LUMA).count();
            changed as f64 > LARGE_CHANGE * samples.len() as f64
        };
        self.samples = samples;
        large
    }

    /// Writes the shown picture once; tells its index.
    fn save(&mut self, now: f64) -> io::Result<Option<usize>> {
        if let Some(index) = self.shown_is_saved {
            self.pictures[index].kept_at = now;
            return Ok(self.shown_is_saved);
        }
        if self.pictures.len() >= MAX_PICTURES {
            return Ok(None);
        }
        let Some(rgb) = self.shown.rgb() else { return Ok(None) };
        let index = self.pictures.len();
        let file = format!("{index}.jpg");
        let out = BufWriter::new(File::create(self.folder.join(&file))?);
        JpegEncoder::new_with_quality(out, JPEG_QUALITY)
            .encode(&rgb.data, rgb.width, rgb.height, ExtendedColorType::Rgb8)
            .map_err(io::Error::other)?;
        self.pictures.push(KeptPicture { t: self.shown.t.secs(), kept_at: now, is_page: false, file });
        self.shown_is_saved = Some(index);
        Ok(Some(index))
    }

    /// The end of the take: what is still wanted gets the last picture.
    pub(super) fn finish(mut self, end: f64) -> io::Result<(Vec<KeptPicture>, Vec<Option<usize>>)> {
        if self.any {
            self.settle(end)?;
            for index in 0..self.wants.len() {
                if self.found[index].is_none() {
                    self.found[index] = self.save(end)?;
                }
            }
            if (self.happenings || self.new_since.is_some())
                && let Some(index) = self.save(end)?
            {
                self.pictures[index].is_page |= self.new_since.is_some();
            }
        }
        debug_assert!(fs::exists(&self.folder).unwrap_or(false));
        Ok((self.pictures, self.found))
    }
}
