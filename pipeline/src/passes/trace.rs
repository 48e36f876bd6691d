//! What happened on the screen, as far as pixels alone tell: the trace of a take.
//!
//! The inspecting child fills it while it decodes ([`Tracer`]), a [`Sight`] for each picture on which the pointer moved
//! or something changed that may be somebody's doing. [`acts`] concludes from it what was done. What browsers draw by
//! themselves is left out: blinking carets, the noise of compression, the address of a link in the corner below.

pub mod acts;
#[cfg(test)]
mod tests;
mod typing;

use media::measure::activity::gap_variation;
use media::measure::motion::{Blob, Motion, MotionMeter};
use media::measure::picture::LumaView;
use serde::{Deserialize, Serialize};
use shared_types::quality::measurements::Measurements;

use self::acts::{SeenAct, SeenKind};

/// A take of hours in which something always moves; what comes later is not traced.
const MOST_SIGHTS: usize = 250_000;
const MOST_CHANGES: usize = 6;
/// Fewer changed pixels, or a thinner place, is a caret or noise.
const LEAST_PIXELS: u32 = 12;
const THINNEST: u32 = 4;
const CARET_WIDTH: u32 = 3;
/// The corner in which browsers show where a link leads: from the left, and from below, as shares of the picture.
const CORNER_LEFT: f64 = 0.02;
const CORNER_ABOVE: f64 = 0.06;
/// The browser's bars lie above this share of the picture's height.
const BARS_SHARE: f64 = 0.12;
const NARROWEST_TITLE: u32 = 20;

/// With fewer pictures a second a pointer that travels seems to leap.
const LEAST_RATE_HZ: f64 = 8.0;
const LEAP_AFTER_SECS: f64 = 0.3;
const JUMP_PX: f64 = 30.0;

/// A change of a page, not of a control on it.
pub const PAGE_SHARE: f64 = 0.06;

/// One picture on which something happened.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Sight {
    pub t: f64,
    /// The pointer's tip, where it is known.
    pub pointer: Option<(f64, f64)>,
    /// Whether it is seen there, not only remembered.
    pub seen: bool,
    pub moved: bool,
    /// What changed, as left, top, right, bottom; the largest first.
    pub changes: Vec<[u32; 4]>,
    /// Whether one of them lies where browsers show title and address.
    pub in_bars: bool,
    /// The share of the picture that all changes take up.
    pub share: f64,
    /// By how many pixels the page moved up; negative: down.
    pub shift: Option<i32>,
}

/// A take's sights and the size of its pictures.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Trace {
    pub width: u32,
    pub height: u32,
    /// Pictures that were compared, also those on which nothing happened.
    pub pictures: u32,
    pub sights: Vec<Sight>,
}

impl Trace {
    /// What was done, as numbers; where input events tell it, theirs stand.
    ///
    /// How often a gap repeats is left open: a picture's time is not good to the 10 ms that this is about.
    pub fn measure(&self, acts: &[SeenAct], measurements: &mut Measurements) {
        let Some(activity) = measurements.activity.as_mut().filter(|activity| !activity.from_events) else { return };
        let times: Vec<f64> = acts.iter().map(|act| act.t).collect();
        activity.actions = times.len() as u32;
        activity.gap_variation = gap_variation(&times);
        activity.jump_share = self.jump_share(acts);
    }

    /// Share of clicks to which the pointer came in one leap; `None` where pictures are too few to see it travel.
    fn jump_share(&self, acts: &[SeenAct]) -> Option<f64> {
        let secs = self.sights.last()?.t;
        if f64::from(self.pictures) < LEAST_RATE_HZ * secs {
            return None;
        }
        let leaps: Vec<bool> = acts
            .iter()
            .filter(|act| act.kind == SeenKind::Click)
            .filter_map(|act| self.came_in_one_leap(act.t))
            .collect();
        let count = leaps.iter().filter(|leap| **leap).count();
        (!leaps.is_empty()).then(|| count as f64 / leaps.len() as f64)
    }

    /// Whether the pointer's last move before a moment began and ended in one picture, far apart. `None` unless the
    /// pointer was in sight all the while.
    fn came_in_one_leap(&self, t: f64) -> Option<bool> {
        let before = &self.sights[..self.sights.partition_point(|sight| sight.t < t)];
        let arrived = before.iter().rposition(|sight| sight.moved)?;
        let (last, earlier) = (&before[arrived], &before[..arrived]);
        let from = earlier.last().filter(|sight| sight.seen && last.seen)?;
        let ((x, y), (from_x, from_y)) = (last.pointer?, from.pointer?);
        let rested = earlier.iter().rfind(|sight| sight.moved).is_none_or(|sight| last.t - sight.t >= LEAP_AFTER_SECS);
        Some(rested && (x - from_x).hypot(y - from_y) > JUMP_PX)
    }
}

#[derive(Default)]
pub struct Tracer {
    meter: MotionMeter,
    trace: Trace,
}

impl Tracer {
    /// Looks at a picture; `changed` tells whether it differs from the one before. Gives what is worth remembering.
    pub fn push(&mut self, luma: LumaView<'_>, t: f64, changed: bool) -> Option<&Sight> {
        self.trace.pictures += 1;
        if !changed {
            return None;
        }
        (self.trace.width, self.trace.height) = (luma.width, luma.height);
        let motion = self.meter.push(luma)?;
        let sight = sight(motion, t, (luma.width, luma.height));
        let tells = sight.moved || !sight.changes.is_empty();
        if !tells || self.trace.sights.len() >= MOST_SIGHTS {
            return None;
        }
        self.trace.sights.push(sight);
        self.trace.sights.last()
    }

    pub fn finish(self) -> Trace {
        self.trace
    }
}

fn sight(motion: Motion, t: f64, (width, height): (u32, u32)) -> Sight {
    let tells = |blob: &Blob| {
        let thin = blob.height() < THINNEST || blob.width() < CARET_WIDTH;
        let caret = blob.width() <= CARET_WIDTH + 1 && blob.pixels <= blob.height() * 2;
        let in_corner = f64::from(blob.left) <= CORNER_LEFT * f64::from(width)
            && f64::from(blob.top) >= (1.0 - CORNER_ABOVE) * f64::from(height);
        blob.pixels >= LEAST_PIXELS && !thin && !caret && !in_corner
    };
    let in_bars =
        |blob: &Blob| f64::from(blob.bottom) <= BARS_SHARE * f64::from(height) && blob.width() >= NARROWEST_TITLE;
    let changes: Vec<Blob> = motion.changes.into_iter().filter(tells).collect();
    let area: u64 = changes.iter().map(|blob| blob.area()).sum();
    Sight {
        t,
        pointer: motion.pointer,
        seen: motion.pointer_seen,
        moved: motion.pointer_moved,
        in_bars: changes.iter().any(in_bars),
        share: (area as f64 / (f64::from(width) * f64::from(height))).min(1.0),
        changes: changes.iter().take(MOST_CHANGES).map(|blob| [blob.left, blob.top, blob.right, blob.bottom]).collect(),
        shift: motion.shift,
    }
}
