//! What happens on a screen, picture by picture: where the pointer is, what changed apart from it, how far a page was
//! scrolled. From luma alone, in one pass, with two pictures of memory.
//!
//! A screen differs from a film: what is not touched stays as it was, pixel for pixel but for the noise of compression.
//! So a picture is compared with the one before it ([`changes`]); of what changed, what looks and moves like the pointer
//! is the pointer ([`pointer`]), and a large change that is the old page moved up or down is a turn of the wheel
//! ([`shift`]).

mod changes;
mod pointer;
mod shift;
#[cfg(test)]
mod tests;

pub use changes::Blob;

use self::pointer::PointerTracker;
use self::shift::vertical_shift;
use super::picture::LumaView;

/// A shift is looked for only where more than a line of text changed.
const SHIFTED_SHARE: f64 = 0.02;
/// Around the pointer's old and new place everything is its doing: its shadow, the noise of compression.
const POINTER_HALO_PX: u32 = 6;

/// What one picture shows that the one before did not.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Motion {
    /// The pointer's tip, where it is known.
    pub pointer: Option<(f64, f64)>,
    /// Whether the pointer is where it was seen last for sure; `false` while it hides.
    pub pointer_seen: bool,
    pub pointer_moved: bool,
    /// What changed, the pointer apart; the largest first.
    pub changes: Vec<Blob>,
    /// The share of the picture that these take up.
    pub share: f64,
    /// By how many pixels the page moved up (scrolled down) or, negative, down.
    pub shift: Option<i32>,
}

/// Follows the pictures of a take in order of time.
#[derive(Default)]
pub struct MotionMeter {
    size: (u32, u32),
    previous: Vec<u8>,
    current: Vec<u8>,
    pointer: PointerTracker,
}

/// A picture as packed rows of brightness.
#[derive(Clone, Copy)]
struct Luma<'a> {
    width: u32,
    height: u32,
    data: &'a [u8],
}

impl Luma<'_> {
    fn at(&self, x: u32, y: u32) -> u8 {
        self.data[(y * self.width + x) as usize]
    }

    fn row(&self, y: u32) -> &[u8] {
        let start = (y * self.width) as usize;
        &self.data[start..start + self.width as usize]
    }
}

impl MotionMeter {
    /// Compares a picture with the one before; `None` for the first one, for one of another size, and where nothing
    /// changed.
    pub fn push(&mut self, picture: LumaView<'_>) -> Option<Motion> {
        std::mem::swap(&mut self.previous, &mut self.current);
        self.current.clear();
        picture.rows().for_each(|row| self.current.extend_from_slice(row));
        let (width, height) = (picture.width, picture.height);
        let comparable = self.previous.len() == self.current.len() && (width, height) == self.size;
        self.size = (width, height);
        if !comparable || self.current.len() != width as usize * height as usize {
            self.pointer = PointerTracker::default();
            return None;
        }
        let before = Luma { width, height, data: &self.previous };
        compare(&mut self.pointer, before, Luma { data: &self.current, ..before })
    }
}

/// By how many pixels the page moved up between two pictures or, negative, down; `None` where what changed is no scrolled
/// page, where the pictures differ in size or their rows are not packed.
pub fn scroll_between(before: LumaView<'_>, now: LumaView<'_>, changed: &[Blob]) -> Option<i32> {
    let (before, now) = (packed(before)?, packed(now)?);
    let is_one_size = (before.width, before.height) == (now.width, now.height);
    is_one_size.then(|| vertical_shift(before, now, changed)).flatten()
}

fn packed(view: LumaView<'_>) -> Option<Luma<'_>> {
    let (width, height, data) = (view.width, view.height, view.data);
    let is_packed = view.stride == width as usize && data.len() == width as usize * height as usize;
    is_packed.then_some(Luma { width, height, data })
}

fn compare(pointer: &mut PointerTracker, before: Luma<'_>, now: Luma<'_>) -> Option<Motion> {
    let blobs = changes::between(before, now);
    if blobs.is_empty() {
        return None;
    }
    let seen = pointer.follow(before, now, &blobs);
    let of_pointer = pointer_marks(&seen.boxes);
    let is_apart = |blob: &&Blob| !of_pointer.iter().any(|place| place.holds(**blob));
    let mut changes: Vec<Blob> = blobs.iter().filter(is_apart).copied().collect();
    changes.sort_by_key(|blob| std::cmp::Reverse(blob.area()));
    let area: u64 = changes.iter().map(|blob| blob.area()).sum();
    let share = (area as f64 / (f64::from(now.width) * f64::from(now.height))).min(1.0);
    let shift = (share > SHIFTED_SHARE).then(|| vertical_shift(before, now, &changes)).flatten();
    Some(Motion { pointer: seen.tip, pointer_seen: seen.sure, pointer_moved: seen.moved, changes, share, shift })
}

/// Where the pointer was and is, with what a short move between them covers.
fn pointer_marks(boxes: &[Blob]) -> Vec<Blob> {
    let mut marks: Vec<Blob> = boxes.iter().map(|bounds| bounds.grown(POINTER_HALO_PX)).collect();
    if let [a, b] = boxes
        && a.grown(2 * POINTER_HALO_PX).touches(*b)
    {
        marks.push(a.joined(*b).grown(POINTER_HALO_PX));
    }
    marks
}
