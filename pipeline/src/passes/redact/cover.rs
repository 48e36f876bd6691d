//! What a copy of the recording must not show: patches of pixels that were found to be private, looked for in every
//! picture, and boxes that are filled for a while.
//!
//! A patch is cut from the picture in which it was read. It is filled wherever its pixels show at its place, at any time
//! of the recording, and near the time it was read also above or below its place, since pages scroll. It is compared in
//! pieces about two letters wide, and one that is there is enough: so it is covered while it is being typed, and where
//! a pointer or a menu lies over a part of it. The comparison is by correlation, which neither brightness nor an
//! encoder's noise changes much.

use media::decode::Picture;
use media::measure::picture::LumaView;
use serde::{Deserialize, Serialize};
use shared_types::quality::measurements::Span;
use shared_types::step::PixelBox;

/// Correlation from which two pieces show the same. Other text at the same place stays below 0.6.
const SAME: f32 = 0.75;
/// Pieces with less contrast than this, in brightness, show nothing.
const LEAST_DEVIATION: f32 = 9.0;
/// Width of a piece in heights of the patch.
const PIECE_HEIGHTS: u32 = 2;
/// Points of a piece that are looked at before the whole is, from the darkest and the brightest.
const PROBES: usize = 16;
/// The difference that must be left between the two, as a share of the patch's own.
const PROBE_SHARE: f32 = 0.5;
/// A box stays for this long after its pixels were last seen, and while a page changes something of it lingers.
const LINGER_SECS: f64 = 0.15;
/// What moves on a page is looked for only where a picture differs from the last one in more than a caret or a button.
const SAMPLE_STEP: usize = 4;
const CHANGED_LUMA: u8 = 24;
const MOVED_SHARE: f64 = 0.005;
/// More pixels than these are no text.
const MOST_PIXELS: u32 = 400_000;
/// More private boxes than any recording of a person has; further ones are filled by their times alone ([`Patches`]).
pub const MOST_PATCHES: usize = 1000;

/// Pixels that must not be shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Patch {
    /// `[x, y, width, height]`
    pub bounds: [u32; 4],
    /// Brightness, row by row.
    pub luma: Vec<u8>,
    /// When it may be elsewhere than at its place.
    pub moves: Span,
}

/// A box that is filled whatever it shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fill {
    pub span: Span,
    /// `None` is the whole picture.
    pub bounds: Option<PixelBox>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Cover {
    pub patches: Vec<Patch>,
    pub fills: Vec<Fill>,
    pub mutes: Vec<Span>,
}

impl Cover {
    /// Ready to be held against pictures.
    pub fn matcher(&self) -> Matcher {
        let patches = self.patches.iter().filter_map(Prepared::new).collect();
        Matcher { patches, fills: self.fills.clone(), samples: Vec::new() }
    }
}

/// Cuts a patch out of a picture's brightness; `None` where nothing of it lies inside.
pub fn cut(luma: &LumaView<'_>, bounds: PixelBox, moves: Span) -> Option<Patch> {
    let [x, y, width, height] = bounds;
    let (left, top) = (x.max(0.0) as u32, y.max(0.0) as u32);
    let right = ((x + width).ceil().max(0.0) as u32).min(luma.width);
    let bottom = ((y + height).ceil().max(0.0) as u32).min(luma.height);
    let (width, height) = (right.checked_sub(left)?, bottom.checked_sub(top)?);
    if width < 4 || height < 4 || width * height > MOST_PIXELS {
        return None;
    }
    let rows = luma.rows().skip(top as usize).take(height as usize);
    let luma = rows.flat_map(|row| row[left as usize..right as usize].iter().copied()).collect();
    Some(Patch { bounds: [left, top, width, height], luma, moves })
}

/// Patches as they are found, each once; beyond the most that are kept, boxes that are filled while they showed.
#[derive(Debug)]
pub struct Patches {
    most: usize,
    kept: Vec<Patch>,
    fills: Vec<Fill>,
}

impl Patches {
    pub fn new(most: usize) -> Self {
        Self { most, kept: Vec::new(), fills: Vec::new() }
    }

    /// What is private in a picture that shows during `span`.
    pub fn add(&mut self, luma: &LumaView<'_>, bounds: PixelBox, span: Span) {
        let Some(patch) = cut(luma, bounds, span) else {
            // Too large or too small to be looked for.
            self.fills.push(Fill { span, bounds: Some(bounds) });
            return;
        };
        let same = |known: &&mut Patch| known.bounds == patch.bounds && known.luma == patch.luma;
        if let Some(known) = self.kept.iter_mut().find(same) {
            // It may move whenever one of them might.
            let (start, end) = (known.moves.start.min(span.start), known.moves.end.max(span.end));
            known.moves = Span::new(start, end);
        } else if self.kept.len() < self.most {
            self.kept.push(patch);
        } else {
            self.fills.push(Fill { span, bounds: Some(bounds) });
        }
    }

    pub fn into_cover(self, mutes: Vec<Span>) -> Cover {
        Cover { patches: self.kept, fills: self.fills, mutes }
    }
}

pub struct Matcher {
    patches: Vec<Prepared>,
    fills: Vec<Fill>,
    /// Every fourth pixel of every fourth row of the last picture.
    samples: Vec<u8>,
}

struct Prepared {
    patch: Patch,
    pieces: Vec<Piece>,
    /// Where it was last seen, in pixels below its place, and until when.
    shift: i32,
    last_seen: f64,
}

/// A part of a patch with something to see in it.
struct Piece {
    left: u32,
    width: u32,
    mean: f32,
    deviation: f32,
    /// Offsets in the patch of the darkest and the brightest pixels.
    dark: Vec<(u32, u32)>,
    bright: Vec<(u32, u32)>,
}

impl Matcher {
    pub fn is_empty(&self) -> bool {
        self.patches.is_empty() && self.fills.is_empty()
    }

    /// What of a decoded picture to fill.
    pub fn of_picture(&mut self, picture: &mut Picture<'_>) -> Vec<PixelBox> {
        if self.is_empty() {
            return Vec::new();
        }
        let (t, (width, height)) = (picture.t.secs(), picture.size());
        let whole = [0.0, 0.0, f64::from(width), f64::from(height)];
        let Some(luma) = picture.luma() else {
            // Nothing can be compared in it, so nothing of it is shown.
            return vec![whole];
        };
        self.boxes(&luma, t)
    }

    pub fn boxes(&mut self, luma: &LumaView<'_>, t: f64) -> Vec<PixelBox> {
        let whole = [0.0, 0.0, f64::from(luma.width), f64::from(luma.height)];
        let during = |span: &Span| span.start <= t && t <= span.end;
        let mut boxes: Vec<PixelBox> =
            self.fills.iter().filter(|fill| during(&fill.span)).map(|fill| fill.bounds.unwrap_or(whole)).collect();
        let has_moved = self.has_moved(luma);
        for prepared in &mut self.patches {
            let last = prepared.shift;
            if let Some(shift) = prepared.look(luma, t, has_moved) {
                (prepared.shift, prepared.last_seen) = (shift, t);
                boxes.push(prepared.at(shift));
                if shift != last {
                    boxes.push(prepared.at(last));
                }
            } else if (t - prepared.last_seen).abs() <= LINGER_SECS {
                boxes.push(prepared.at(last));
            }
        }
        boxes
    }

    /// Whether enough of the picture changed that something may be elsewhere now.
    fn has_moved(&mut self, luma: &LumaView<'_>) -> bool {
        let rows = luma.rows().step_by(SAMPLE_STEP);
        let samples: Vec<u8> = rows.flat_map(|row| row.iter().step_by(SAMPLE_STEP).copied()).collect();
        let last = std::mem::replace(&mut self.samples, samples);
        if last.len() != self.samples.len() {
            return true;
        }
        let changed = last.iter().zip(&self.samples).filter(|(a, b)| a.abs_diff(**b) > CHANGED_LUMA).count();
        changed as f64 > MOVED_SHARE * last.len() as f64
    }
}

impl Prepared {
    fn new(patch: &Patch) -> Option<Self> {
        let [_, _, width, height] = patch.bounds;
        if patch.luma.len() != (width * height) as usize || width == 0 || height == 0 {
            return None;
        }
        let piece_width = (height * PIECE_HEIGHTS).max(8);
        let count = (width / piece_width).max(1);
        let piece = |index: u32| {
            let left = index * piece_width;
            let right = if index + 1 == count { width } else { left + piece_width };
            Piece::new(patch, left, right - left)
        };
        let pieces: Vec<Piece> = (0..count).filter_map(piece).collect();
        let patch = patch.clone();
        Some(Self { patch, pieces, shift: 0, last_seen: f64::NEG_INFINITY })
    }

    fn at(&self, shift: i32) -> PixelBox {
        let [x, y, width, height] = self.patch.bounds.map(f64::from);
        [x, y + f64::from(shift), width, height]
    }

    /// Where it shows: at its place, where it was last, or anywhere above or below.
    fn look(&self, luma: &LumaView<'_>, t: f64, has_moved: bool) -> Option<i32> {
        if self.shows(luma, 0) {
            return Some(0);
        }
        let moves = self.patch.moves;
        if t < moves.start || t > moves.end {
            return None;
        }
        if self.shift != 0 && self.shows(luma, self.shift) {
            return Some(self.shift);
        }
        if !has_moved {
            return None;
        }
        let [_, y, _, height] = self.patch.bounds;
        let (up, down) = (y as i32, luma.height as i32 - (y + height) as i32);
        let near = self.shift;
        let reach = (up.max(down) + near.abs()).max(0);
        (1..=reach)
            .flat_map(|distance| [near + distance, near - distance])
            .find(|&shift| shift >= -up && shift <= down && self.shows(luma, shift))
    }

    fn shows(&self, luma: &LumaView<'_>, shift: i32) -> bool {
        let [x, y, width, height] = self.patch.bounds;
        let Some(top) = y.checked_add_signed(shift) else { return false };
        if x + width > luma.width || top + height > luma.height {
            return false;
        }
        self.pieces
            .iter()
            .any(|piece| piece.may_show(luma, (x, top)) && piece.correlation(&self.patch, luma, (x, top)) >= SAME)
    }
}

impl Piece {
    fn new(patch: &Patch, left: u32, width: u32) -> Option<Self> {
        let [_, _, patch_width, height] = patch.bounds;
        let places = (0..height).flat_map(|y| (left..left + width).map(move |x| (x, y)));
        let value = |&(x, y): &(u32, u32)| patch.luma[(y * patch_width + x) as usize];
        let mut places: Vec<(u32, u32)> = places.collect();
        let count = places.len() as f32;
        let mean = places.iter().map(|place| f32::from(value(place))).sum::<f32>() / count;
        let variance = places.iter().map(|place| (f32::from(value(place)) - mean).powi(2)).sum::<f32>() / count;
        let deviation = variance.sqrt();
        if deviation < LEAST_DEVIATION {
            return None;
        }
        places.sort_by_key(value);
        let probes = PROBES.min(places.len() / 2);
        let dark = places[..probes].to_vec();
        let bright = places[places.len() - probes..].to_vec();
        Some(Self { left, width, mean, deviation, dark, bright })
    }

    /// A quick look at a few points: whether what is bright is brighter than what is dark.
    fn may_show(&self, luma: &LumaView<'_>, (x, y): (u32, u32)) -> bool {
        let mean = |places: &[(u32, u32)]| {
            let value =
                |&(dx, dy): &(u32, u32)| f32::from(luma.data[(y + dy) as usize * luma.stride + (x + dx) as usize]);
            places.iter().map(value).sum::<f32>() / places.len().max(1) as f32
        };
        mean(&self.bright) - mean(&self.dark) > PROBE_SHARE * self.deviation
    }

    fn correlation(&self, patch: &Patch, luma: &LumaView<'_>, (x, y): (u32, u32)) -> f32 {
        let [_, _, patch_width, height] = patch.bounds;
        let (mut sum, mut squares, mut products) = (0.0_f32, 0.0_f32, 0.0_f32);
        for row in 0..height {
            let own = &patch.luma[(row * patch_width + self.left) as usize..][..self.width as usize];
            let other =
                &luma.data[(y + row) as usize * luma.stride + (x + self.left) as usize..][..self.width as usize];
            for (&own, &other) in own.iter().zip(other) {
                let other = f32::from(other);
                sum += other;
                squares += other * other;
                products += (f32::from(own) - self.mean) * other;
            }
        }
        let count = (self.width * height) as f32;
        let deviation = (squares / count - (sum / count).powi(2)).max(0.0).sqrt();
        if deviation < LEAST_DEVIATION / 3.0 { 0.0 } else { products / count / (deviation * self.deviation) }
    }
}
