//! The pointer, as it is painted into the picture.
//!
//! A pointer that moves leaves two marks: where it was, what lay under it is seen again; where it is, its drawing covers
//! the page. What lies under it is remembered, so both are told apart even where they overlap. The drawing is learnt
//! from the second mark, one for each form (arrow, hand, beam), and looked for in what changes afterwards. It has an
//! outline, so it holds both bright and dark pixels on any page.

use super::changes::{CHANGED, between_in};
use super::{Blob, Luma};

/// Forms of the pointer that are remembered.
const FORMS: usize = 8;
/// A pointer's size at a width of 1280, in pixels.
const SMALLEST: u32 = 5;
const SHORTEST: u32 = 9;
const LARGEST: u32 = 44;
/// Less is noise.
const LEAST_PIXELS: u32 = 20;
const BESIDE_PX: u32 = 12;
/// Small changes in so many places at once are not the pointer's.
const MOST_MARKS: usize = 4;
const DARK: u8 = 100;
const BRIGHT: u8 = 150;
/// Pixels of a drawing that have to agree.
const ALIKE: u8 = 48;
const ALIKE_SHARE: f64 = 0.82;
/// Where a pointer is not expected.
const SURELY_ALIKE_SHARE: f64 = 0.92;
/// In larger changes the pointer is looked for only around where it was.
const SEARCHED_SIDE: u32 = 200;
const AROUND: u32 = 56;
/// Fewer changed pixels where the pointer was, outside of a new mark: it is still there, and the mark is something else.
const LEFT_PIXELS: u32 = 8;
/// So much of its place has to lie outside of the mark to tell.
const APART_SHARE: f64 = 0.4;
/// A smaller move is the noise of finding it, or another form in the same place.
const MOVED_PX: f64 = 6.0;

#[derive(Default)]
pub(super) struct PointerTracker {
    forms: Vec<Form>,
    place: Option<Place>,
    /// Where it was when it moved last.
    anchor: Option<(f64, f64)>,
    /// The screen without the pointer, as far as it has been seen.
    page: Vec<u8>,
}

#[derive(Clone, Copy)]
struct Place {
    bounds: Blob,
    tip: (f64, f64),
    sure: bool,
}

/// What is known of the pointer after a picture.
pub(super) struct Seen {
    pub(super) tip: Option<(f64, f64)>,
    pub(super) sure: bool,
    pub(super) moved: bool,
    /// Where it was and is: changes there are its own.
    pub(super) boxes: Vec<Blob>,
}

/// One drawing of the pointer.
struct Form {
    width: u32,
    height: u32,
    /// Place in the drawing and brightness, the most telling first.
    pixels: Vec<(u32, u32, u8)>,
    tip: (f64, f64),
    found: u32,
}

impl PointerTracker {
    pub(super) fn follow(&mut self, before: Luma<'_>, now: Luma<'_>, blobs: &[Blob]) -> Seen {
        if self.page.is_empty() {
            self.page.extend_from_slice(before.data);
        }
        let was = self.place;
        let seen = self.seen_now(before, now, blobs);
        self.remember_page(now);
        let boxes = was.iter().chain(&self.place).map(|place| place.bounds).collect();
        let tip = self.place.map(|place| place.tip);
        let away = |from: (f64, f64), to: (f64, f64)| (from.0 - to.0).hypot(from.1 - to.1) > MOVED_PX;
        let moved = tip.is_some_and(|tip| self.anchor.is_none_or(|anchor| away(anchor, tip)));
        if moved {
            self.anchor = tip;
        }
        Seen { tip, sure: seen, moved, boxes }
    }

    /// Whether the pointer is found; then its place is up to date.
    fn seen_now(&mut self, before: Luma<'_>, now: Luma<'_>, blobs: &[Blob]) -> bool {
        let untouched = |place: &Place| !blobs.iter().any(|blob| blob.touches(place.bounds.grown(1)));
        let stands = self.place.is_some_and(|place| place.sure && untouched(&place));
        let marks = marks_in(now, blobs);
        let found = if stands {
            // Something of its form that moves elsewhere: what stands here only looks like it.
            self.find(now, &marks, false).filter(|found| found.0 >= SURELY_ALIKE_SHARE)
        } else {
            self.find(now, blobs, true)
        };
        let found = found.map(|found| found.1).or_else(|| if stands { None } else { self.learn(before, now, blobs) });
        match (found, &mut self.place) {
            (Some(place), _) => self.place = Some(place),
            (None, Some(place)) => {
                place.sure = stands;
                if let ([mark], false) = (marks.as_slice(), stands)
                    && !place.is_still_there(before, now, *mark)
                {
                    place.follow(*mark);
                }
            }
            (None, None) => {}
        }
        stands || found.is_some()
    }

    /// Takes over what is shown, but for what the pointer covers.
    fn remember_page(&mut self, now: Luma<'_>) {
        let width = now.width as usize;
        let covered = self.place.map(|place| place.bounds.grown(2));
        for (y, (page, row)) in self.page.chunks_exact_mut(width).zip(now.data.chunks_exact(width)).enumerate() {
            match covered.filter(|bounds| (bounds.top..bounds.bottom).contains(&(y as u32))) {
                Some(bounds) => {
                    let (left, right) = (bounds.left as usize, (bounds.right as usize).min(width));
                    page[..left].copy_from_slice(&row[..left]);
                    page[right..].copy_from_slice(&row[right..]);
                }
                None => page.copy_from_slice(row),
            }
        }
    }

    /// Looks for the known forms: where the pointer was, then in what changed. With the share of pixels that agree.
    fn find(&mut self, now: Luma<'_>, blobs: &[Blob], where_it_was: bool) -> Option<(f64, Place)> {
        self.forms.sort_by_key(|form| std::cmp::Reverse(form.found));
        let small = 2 * largest(now);
        let mut areas: Vec<(Blob, f64)> = Vec::new();
        let was = self.place.filter(|_| where_it_was);
        if let Some(was) = was {
            areas.push((was.bounds.grown(6), ALIKE_SHARE));
        }
        for blob in blobs {
            if blob.width().max(blob.height()) <= small {
                areas.push((blob.grown(4), ALIKE_SHARE));
            } else if blob.width().max(blob.height()) <= SEARCHED_SIDE {
                areas.push((blob.grown(4), SURELY_ALIKE_SHARE));
            } else if let Some(was) = was {
                areas.push((was.bounds.grown(AROUND), SURELY_ALIKE_SHARE));
            }
        }
        let mut best: Option<(f64, usize, u32, u32)> = None;
        for (area, least) in areas {
            for (index, form) in self.forms.iter().enumerate() {
                if let Some((share, x, y)) = form.search(now, area, least)
                    && best.is_none_or(|best| share > best.0)
                {
                    best = Some((share, index, x, y));
                }
            }
        }
        let (share, index, x, y) = best?;
        self.forms[index].found += 1;
        Some((share, self.forms[index].placed(x, y)))
    }

    /// Learns a form from the mark that a move leaves on the page.
    fn learn(&mut self, before: Luma<'_>, now: Luma<'_>, blobs: &[Blob]) -> Option<Place> {
        let largest = largest(now);
        let page = Luma { data: &self.page, ..now };
        let around = marks_in(now, blobs);
        if around.len() > MOST_MARKS {
            return None;
        }
        let fits =
            |blob: &Blob| (SMALLEST..=largest).contains(&blob.width()) && (SHORTEST..=largest).contains(&blob.height());
        let marks: Vec<Blob> =
            around.iter().flat_map(|blob| between_in(page, now, blob.grown(2))).filter(fits).collect();
        let mark = match (marks.as_slice(), self.place) {
            // Where it was, the page looks as it is known; the one mark is where it is.
            ([mark], Some(was)) => {
                let left = around.iter().any(|blob| blob.touches(was.bounds));
                let same_place = mark.touches(was.bounds) && blobs.len() > 1;
                (left && !same_place && !was.is_still_there(before, now, *mark)).then_some(*mark)?
            }
            // The first move seen: the mark that stands out in the newer picture.
            ([a, b], None) if a.width().abs_diff(b.width()) <= 6 && a.height().abs_diff(b.height()) <= 6 => {
                let drawn = |luma, blob: &Blob| contrast(luma, *blob);
                let a_is_new = drawn(now, a) + drawn(page, b) >= drawn(page, a) + drawn(now, b);
                if a_is_new { *a } else { *b }
            }
            _ => return None,
        };
        let form = Form::drawn(page, now, mark)?;
        let place = form.placed(mark.left.saturating_sub(1), mark.top.saturating_sub(1));
        if self.forms.len() == FORMS {
            // The one found least is the least likely to be a pointer.
            self.forms.sort_by_key(|form| std::cmp::Reverse(form.found));
            self.forms.pop();
        }
        self.forms.push(form);
        Some(place)
    }
}

impl Place {
    /// Whether the pointer has not gone to a new mark: what it covered would be seen again. A letter that is typed beside
    /// it leaves such a mark.
    fn is_still_there(&self, before: Luma<'_>, now: Luma<'_>, mark: Blob) -> bool {
        let was = self.bounds;
        let (mut outside, mut changed) = (0, 0);
        for y in was.top..was.bottom.min(now.height) {
            for x in was.left..was.right.min(now.width) {
                let in_mark = (mark.left..mark.right).contains(&x) && (mark.top..mark.bottom).contains(&y);
                outside += u32::from(!in_mark);
                changed += u32::from(!in_mark && before.at(x, y).abs_diff(now.at(x, y)) > CHANGED);
            }
        }
        f64::from(outside) >= APART_SHARE * was.area() as f64 && changed < LEFT_PIXELS
    }

    /// Nothing but a mark beside the pointer's last place changed: of whatever form it is now, it went there.
    fn follow(&mut self, mark: Blob) {
        let was = self.bounds;
        if !mark.touches(was.grown(BESIDE_PX)) {
            return;
        }
        let along = |tip: &mut f64, (was_from, was_to): (u32, u32), (from, to): (u32, u32)| {
            if from < was_from {
                *tip -= f64::from(was_from - from);
            } else if to > was_to {
                *tip += f64::from(to - was_to);
            }
        };
        along(&mut self.tip.0, (was.left, was.right), (mark.left, mark.right));
        along(&mut self.tip.1, (was.top, was.bottom), (mark.top, mark.bottom));
        self.bounds = mark;
    }
}

/// Changes as small as a pointer's, or as a short move of it.
fn marks_in(now: Luma<'_>, blobs: &[Blob]) -> Vec<Blob> {
    let longest = 2 * largest(now);
    let small = |blob: &&Blob| blob.width().max(blob.height()) <= longest && blob.pixels >= LEAST_PIXELS;
    blobs.iter().filter(small).copied().collect()
}

/// The side of the largest pointer, in pixels of this picture.
fn largest(luma: Luma<'_>) -> u32 {
    LARGEST * luma.width.max(1280) / 1280
}

/// The sum of differences between neighbours.
fn contrast(luma: Luma<'_>, blob: Blob) -> u64 {
    let rows = blob.top..blob.bottom;
    rows.map(|y| {
        let row = &luma.row(y)[blob.left as usize..blob.right as usize];
        row.windows(2).map(|pair| u64::from(pair[0].abs_diff(pair[1]))).sum::<u64>()
    })
    .sum()
}

impl Form {
    /// The drawing in a mark: the pixels that changed and, as its outline may have the colour of the page, those
    /// beside them.
    fn drawn(page: Luma<'_>, now: Luma<'_>, mark: Blob) -> Option<Self> {
        let (left, top) = (mark.left.saturating_sub(1), mark.top.saturating_sub(1));
        let (right, bottom) = ((mark.right + 1).min(now.width), (mark.bottom + 1).min(now.height));
        let changed = |x: u32, y: u32| page.at(x, y).abs_diff(now.at(x, y)) > CHANGED;
        let mut pixels = Vec::new();
        for y in top..bottom {
            for x in left..right {
                let beside = |x: u32, y: u32| {
                    (y.saturating_sub(1).max(top)..(y + 2).min(bottom))
                        .any(|y| (x.saturating_sub(1).max(left)..(x + 2).min(right)).any(|x| changed(x, y)))
                };
                if beside(x, y) {
                    pixels.push((x - left, y - top, now.at(x, y)));
                }
            }
        }
        let share = |is: &dyn Fn(u8) -> bool| {
            pixels.iter().filter(|(_, _, luma)| is(*luma)).count() as f64 / pixels.len().max(1) as f64
        };
        if share(&|luma| luma <= DARK) < 0.15 || share(&|luma| luma >= BRIGHT) < 0.15 {
            return None;
        }
        // A wrong place is told soonest by the darkest and the brightest in turn.
        pixels.sort_by_key(|(x, y, luma)| ((x * 7 + y * 13) % 5, luma.abs_diff(128).wrapping_neg()));
        let (width, height) = (right - left, bottom - top);
        Some(Self { width, height, pixels, tip: tip_of(width - 2, height - 2), found: 0 })
    }

    fn placed(&self, x: u32, y: u32) -> Place {
        let bounds = Blob { left: x, top: y, right: x + self.width, bottom: y + self.height, pixels: 1 };
        let tip = (f64::from(x) + 1.0 + self.tip.0, f64::from(y) + 1.0 + self.tip.1);
        Place { bounds, tip, sure: true }
    }

    /// The best place in an area, with the share of pixels that agree.
    fn search(&self, now: Luma<'_>, area: Blob, least: f64) -> Option<(f64, u32, u32)> {
        let last_x = area.right.min(now.width).checked_sub(self.width)?;
        let last_y = area.bottom.min(now.height).checked_sub(self.height)?;
        let allowed = ((1.0 - least) * self.pixels.len() as f64) as u32;
        let mut best: Option<(u32, u32, u32)> = None;
        for y in area.top..=last_y {
            for x in area.left..=last_x {
                let mut wrong = 0;
                let most = best.map_or(allowed, |best| best.0.saturating_sub(1));
                for (dx, dy, luma) in &self.pixels {
                    wrong += u32::from(now.at(x + dx, y + dy).abs_diff(*luma) > ALIKE);
                    if wrong > most {
                        break;
                    }
                }
                if wrong <= most && best.is_none_or(|best| wrong < best.0) {
                    best = Some((wrong, x, y));
                }
            }
        }
        best.map(|(wrong, x, y)| (1.0 - f64::from(wrong) / self.pixels.len() as f64, x, y))
    }
}

/// Where a form points: beams in their middle, hands with a finger, arrows with their upper left corner.
fn tip_of(width: u32, height: u32) -> (f64, f64) {
    let (width, height) = (f64::from(width), f64::from(height));
    if width < 0.56 * height {
        (width / 2.0, height / 2.0)
    } else if width > 0.8 * height {
        (0.33 * width, 1.0)
    } else {
        (1.0, 1.0)
    }
}
