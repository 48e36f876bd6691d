//! From a trace to what was probably done.
//!
//! 1. A page that moves up or down in two pictures or more, or in one on both sides of the pointer, is a turn of the wheel.
//! 2. Small changes in one row, each further right than the one before, are typing.
//! 3. Of what is left, a change that begins while the pointer rests is the effect of a click there: of the page, of
//!    the browser's bars, or of something beside the pointer. A change that begins while the pointer moves is the page
//!    answering to it. What follows without the pointer having moved belongs to the same click: pages load in pieces.
//! 4. After typing, a new page without a move of the pointer is the Enter key.
//!
//! A click without any effect leaves no trace and is not found, nor is a second one in the same place.

use std::cmp::Ordering;

use super::typing::typings;
use super::{PAGE_SHARE, Sight, Trace};

/// Shifts closer than this are one turn of the wheel.
const WHEEL_PAUSE_SECS: f64 = 1.0;
const FEWEST_SHIFTS: usize = 2;
/// The pictures of one turn that is shown smoothly are no further apart.
const SMOOTH_SECS: f64 = 0.35;
/// The page goes on changing a little when the wheel has stopped: pictures come in, bars fade out.
const WHEEL_TAIL_SECS: f64 = 0.25;
/// The first pixels of a smooth scroll are too few to be told from another change.
const WHEEL_HEAD_SECS: f64 = 0.25;
/// The pointer has to rest this long before what changes is a click's doing.
const REST_SECS: f64 = 0.1;
/// What changes beside the pointer sooner after its arrival is an answer to the arrival.
const HOVER_SECS: f64 = 0.2;
/// The same when the page was scrolled below the pointer.
const SCROLLED_HOVER_SECS: f64 = 0.6;
/// Half a button and the gap below it: what a button answers often shows there.
const BESIDE_PX: u32 = 24;
/// A list opens beside the control that was clicked, not under the pointer.
const BESIDE_LIST_PX: u32 = 40;
const LIST_SIDE: u32 = 60;
/// A change anywhere on the page answers to a click if the pointer has come to rest at most so long before; later the page
/// may change for its own reasons.
const ANSWER_SECS: f64 = 1.0;
/// The least share of the picture that such an answer takes up: a line of text.
const ANSWER_SHARE: f64 = 0.002;
/// A control loses its highlight a little before the pointer is seen to go.
const GOES_SECS: f64 = 0.25;
/// A page that is on its way begins to show within this time after its first sign.
const PAGE_FOLLOWS_SECS: f64 = 1.5;
/// What a page still loads in this time is no answer to a further click, unless the browser's bars change as well.
const LOADING_SECS: f64 = 0.8;
const BARS_FOLLOW_SECS: f64 = 0.2;
const ENTER_SECS: f64 = 2.5;
/// How much less is sure while the pointer is out of sight.
const UNSEEN: f64 = 0.6;
const LEAST_SURE: f64 = 0.4;
const FOUND_AGAIN_SECS: f64 = 1.0;
/// A field is clicked before it is typed into.
const FIELD_SECS: f64 = 4.0;
const BESIDE_ROW_PX: f64 = 20.0;

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum SeenKind {
    Click,
    /// By how many pixels the page moved up.
    Scroll {
        pixels: i32,
    },
    /// Where the letters appeared: left, top, right, bottom.
    Type {
        row: [u32; 4],
    },
    Enter,
}

/// Something that was probably done.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SeenAct {
    pub t: f64,
    pub t_end: f64,
    pub kind: SeenKind,
    pub pointer: Option<(f64, f64)>,
    /// The largest share of the picture that its effect changed.
    pub effect: f64,
    pub confidence: f64,
}

impl SeenAct {
    /// Whether a new page may have followed, by the looks of it.
    pub fn may_open_page(&self) -> bool {
        self.effect >= PAGE_SHARE
    }
}

/// What a trace tells of what was done, in order of time.
pub fn acts(trace: &Trace) -> Vec<SeenAct> {
    let mut taken = vec![false; trace.sights.len()];
    let mut found = scrolls(&trace.sights, &mut taken);
    let typings = typings(&trace.sights, &mut taken);
    found.extend(&typings);
    found.extend(effects(trace, &taken, &typings));
    found.sort_by(|a, b| a.t.total_cmp(&b.t));
    found
}

fn scrolls(sights: &[Sight], taken: &mut [bool]) -> Vec<SeenAct> {
    let mut runs: Vec<Vec<usize>> = Vec::new();
    // Where title or address change as well, another page only looks like a part of the last one; unless it goes on.
    let is_smooth = |index: usize, shift: i32| {
        let beside = [index.checked_sub(1), index.checked_add(1)].into_iter().flatten();
        beside.filter_map(|other| sights.get(other)).any(|other| {
            let same_way = other.shift.is_some_and(|there| (there > 0) == (shift > 0));
            same_way && (other.t - sights[index].t).abs() <= SMOOTH_SECS
        })
    };
    let shifts = sights.iter().enumerate().filter_map(|(index, sight)| Some((index, sight.shift?)));
    for (index, shift) in shifts.filter(|(index, shift)| !sights[*index].in_bars || is_smooth(*index, *shift)) {
        let goes_on = |run: &Vec<usize>| {
            run.last().is_some_and(|last| {
                let same_way = sights[*last].shift.is_some_and(|other| (other > 0) == (shift > 0));
                same_way && sights[index].t - sights[*last].t <= WHEEL_PAUSE_SECS
            })
        };
        match runs.last_mut() {
            Some(run) if goes_on(run) => run.push(index),
            _ => runs.push(vec![index]),
        }
    }
    let mut found = Vec::new();
    let is_turn = |run: &Vec<usize>| {
        run.len() >= FEWEST_SHIFTS || goes_by_the_pointer(&sights[run[0]]) && !in_bars_soon(&sights[run[0]..])
    };
    for run in runs.into_iter().filter(is_turn) {
        let (first, last) = (run[0], run[run.len() - 1]);
        let end = sights[last].t;
        let from = sights.partition_point(|sight| sight.t < sights[first].t - WHEEL_HEAD_SECS);
        let to = sights.partition_point(|sight| sight.t <= end + WHEEL_TAIL_SECS);
        taken[from..to.max(from)].fill(true);
        let pixels = run.iter().filter_map(|index| sights[*index].shift).sum();
        let pointer = sights[first].pointer;
        let confidence = match run.len().cmp(&FEWEST_SHIFTS) {
            Ordering::Greater => 0.8,
            Ordering::Equal => 0.6,
            Ordering::Less => 0.5,
        };
        let kind = SeenKind::Scroll { pixels };
        found.push(SeenAct { t: sights[first].t, t_end: end, kind, pointer, effect: 0.0, confidence });
    }
    found
}

/// Whether a page that moved in one picture moved above the pointer as well as below it; what opens or closes at a click
/// moves only what comes after.
fn goes_by_the_pointer(sight: &Sight) -> bool {
    let Some((_, y)) = sight.pointer else { return false };
    let is_above = |[_, _, _, bottom]: &[u32; 4]| f64::from(*bottom) < y;
    let is_below = |[_, top, _, _]: &[u32; 4]| f64::from(*top) > y;
    sight.share >= PAGE_SHARE && sight.changes.iter().any(is_above) && sight.changes.iter().any(is_below)
}

/// Follows the changes that are neither scrolling nor typing.
struct Follower<'a> {
    trace: &'a Trace,
    typings: &'a [SeenAct],
    found: Vec<SeenAct>,
    moved_at: f64,
    /// It is the page that came to the pointer.
    scrolled: bool,
    /// Since the last click or Enter.
    has_moved: bool,
    changed_at: f64,
}

fn effects(trace: &Trace, taken: &[bool], typings: &[SeenAct]) -> Vec<SeenAct> {
    let far = f64::NEG_INFINITY;
    let mut follower = Follower {
        trace,
        typings,
        found: Vec::new(),
        moved_at: far,
        scrolled: false,
        has_moved: true,
        changed_at: far,
    };
    let mut was_seen = true;
    for (index, sight) in trace.sights.iter().enumerate() {
        if sight.moved && (was_seen || !follower.explains(sight)) {
            follower.has_moved = true;
            // Found again after it was out of sight, it may have come there any time before.
            if was_seen {
                (follower.moved_at, follower.scrolled) = (sight.t, false);
            }
        }
        was_seen = sight.seen;
        if taken[index] {
            follower.changed_at = sight.t;
            if sight.shift.is_some() {
                (follower.moved_at, follower.scrolled) = (sight.t, true);
            }
        } else if !sight.changes.is_empty() {
            follower.change(index);
        }
    }
    let mut found = follower.found;
    found.extend(clicks_on_fields(trace, typings, &found));
    found
}

impl Follower<'_> {
    /// Whether the pointer, found again, tells where a click was that has just been found without it.
    fn explains(&mut self, sight: &Sight) -> bool {
        let Some(act) = self.found.last_mut().filter(|act| act.kind == SeenKind::Click) else { return false };
        let belongs = act.confidence < LEAST_SURE && sight.t - act.t <= FOUND_AGAIN_SECS;
        if belongs {
            act.pointer = sight.pointer;
        }
        belongs
    }

    fn change(&mut self, index: usize) {
        let sight = &self.trace.sights[index];
        let loading = self.found.last().is_some_and(|_| sight.t - self.changed_at <= LOADING_SECS);
        self.changed_at = sight.t;
        let is_page = sight.share >= PAGE_SHARE;
        let in_bars = in_bars_soon(&self.trace.sights[index..]);
        let effect = self.effect(index);
        let page_follows = is_page || (in_bars && (effect >= PAGE_SHARE || is_beside(sight)));
        if let Some(typing) = self.typed_before(sight.t).filter(|_| page_follows) {
            let (kind, pointer) = (SeenKind::Enter, typing.pointer);
            self.found.push(SeenAct { t: sight.t, t_end: sight.t, kind, pointer, effect, confidence: 0.5 });
            self.has_moved = false;
            return;
        }
        let rests = sight.t - self.moved_at;
        if !self.has_moved || rests < REST_SECS {
            return;
        }
        let beside = if sight.seen { is_beside(sight) } else { is_under(sight) };
        let answers = sight.seen && !self.scrolled && rests <= ANSWER_SECS && sight.share >= ANSWER_SHARE;
        let hover_secs = if self.scrolled { SCROLLED_HOVER_SECS } else { HOVER_SECS };
        let confidence = match (page_follows, rests >= hover_secs) {
            (true, _) if loading && !in_bars => return,
            (true, true) if beside => 0.65,
            (true, _) => 0.6,
            (false, true) if sight.moved || self.goes_soon(index) => return,
            (false, true) if beside => 0.45,
            (false, true) if answers => 0.4,
            (false, _) => return,
        };
        let confidence = if sight.seen { confidence } else { UNSEEN * confidence };
        let (kind, pointer) = (SeenKind::Click, sight.pointer);
        self.found.push(SeenAct { t: sight.t, t_end: sight.t, kind, pointer, effect, confidence });
        self.has_moved = false;
    }

    /// Whether the pointer goes right after this sight.
    fn goes_soon(&self, index: usize) -> bool {
        let sights = &self.trace.sights[index..];
        let end = sights[0].t + GOES_SECS;
        sights[1..].iter().take_while(|next| next.t <= end).any(|next| next.moved)
    }

    /// The typing that has just ended, without the pointer having moved and without an act since.
    fn typed_before(&self, t: f64) -> Option<SeenAct> {
        let typing = self.typings.iter().rfind(|typing| typing.t_end < t)?;
        let since = t - typing.t_end;
        let done = self.found.iter().any(|act| act.t > typing.t_end);
        (since <= ENTER_SECS && self.moved_at < typing.t_end && !done).then_some(*typing)
    }

    /// How much of the picture changes at once soon after this sign.
    fn effect(&self, index: usize) -> f64 {
        let sights = &self.trace.sights[index..];
        let end = sights[0].t + PAGE_FOLLOWS_SECS;
        sights.iter().take_while(|sight| sight.t <= end).map(|sight| sight.share).fold(0.0, f64::max)
    }
}

/// Title and address may change a picture or two after the page.
fn in_bars_soon(sights: &[Sight]) -> bool {
    let end = sights.first().map_or(0.0, |first| first.t) + BARS_FOLLOW_SECS;
    sights.iter().take_while(|sight| sight.t <= end).any(|sight| sight.in_bars)
}

/// Whether what changed lies under the pointer, which is hard to see then.
fn is_under(sight: &Sight) -> bool {
    let Some((x, y)) = sight.pointer else { return false };
    let (x, y) = (x.max(0.0) as u32, y.max(0.0) as u32);
    let holds = |[left, top, right, bottom]: &[u32; 4]| (*left..*right).contains(&x) && (*top..*bottom).contains(&y);
    sight.share >= ANSWER_SHARE && sight.changes.iter().any(holds)
}

/// Whether something changed beside the pointer.
fn is_beside(sight: &Sight) -> bool {
    let Some((x, y)) = sight.pointer else { return false };
    let (x, y) = (x.max(0.0) as u32, y.max(0.0) as u32);
    sight.changes.iter().any(|[left, top, right, bottom]| {
        let is_list = right - left >= LIST_SIDE && bottom - top >= LIST_SIDE;
        let reach = if is_list { BESIDE_LIST_PX } else { BESIDE_PX };
        (left.saturating_sub(reach)..right + reach).contains(&x)
            && (top.saturating_sub(reach)..bottom + reach).contains(&y)
    })
}

/// Typing begins in a field that was clicked: where no such click was seen and the pointer rests in the row, there was
/// one, at the first change in the row since it came to rest.
fn clicks_on_fields(trace: &Trace, typings: &[SeenAct], found: &[SeenAct]) -> Vec<SeenAct> {
    let mut clicks = Vec::new();
    for typing in typings {
        let SeenKind::Type { row } = typing.kind else { continue };
        let Some((x, y)) = typing.pointer else { continue };
        let in_row = |top: u32, bottom: u32| (f64::from(top + bottom) / 2.0 - y).abs() <= BESIDE_ROW_PX;
        let clicked =
            found.iter().any(|act| act.t < typing.t && typing.t - act.t <= FIELD_SECS && act.kind == SeenKind::Click);
        if clicked || !in_row(row[1], row[3]) {
            continue;
        }
        let before = trace.sights.iter().filter(|sight| sight.t < typing.t);
        let arrived = before.clone().rfind(|sight| sight.moved).map_or(0.0, |sight| sight.t);
        let mut since = before.filter(|sight| sight.t > arrived + REST_SECS);
        let first = since.find(|sight| sight.changes.iter().any(|[_, top, _, bottom]| in_row(*top, *bottom)));
        let t = first.map_or(typing.t - REST_SECS, |sight| sight.t).max(typing.t - FIELD_SECS);
        let (kind, pointer) = (SeenKind::Click, Some((x, y)));
        clicks.push(SeenAct { t, t_end: t, kind, pointer, effect: 0.0, confidence: 0.35 });
    }
    clicks
}
