//! The last pictures that were read in full, so that only what changed is read again. Where a page was scrolled, what moved
//! is known as well.
//!
//! Pictures are compared in tiles of 32x32 pixels. A tile counts as changed when a few pixels differ clearly; that
//! leaves the noise of video compression out and still sees one digit become another.

use std::collections::VecDeque;

use media::frame::RgbFrame;
use media::measure::motion::{Blob, scroll_between};
use media::measure::picture::LumaView;

use super::TextLine;
use super::region::Region;

/// Pictures kept, each at 4 bytes a pixel: 15 MB at 1280x720.
const PICTURES: usize = 4;
const TILE: u32 = 32;
const CLEARLY: u8 = 28;
const A_FEW: usize = 4;
/// Changes are read with some surroundings, without which the detector takes a field's frame for a part of its text.
const SURROUNDINGS: u32 = 64;
/// With more than this changed, reading anew is as cheap.
const MOST_CHANGED: f64 = 0.6;
/// With less than this changed, looking for a scroll gains little.
const WORTH_A_SCROLL: f64 = 0.15;

#[derive(Default)]
pub(super) struct Memory {
    seen: VecDeque<Seen>,
}

struct Seen {
    width: u32,
    height: u32,
    data: Vec<u8>,
    luma: Vec<u8>,
    lines: Vec<TextLine>,
}

/// What is known of a picture already and what has to be read.
pub(super) struct Plan {
    pub(super) kept: Vec<TextLine>,
    pub(super) unread: Vec<Region>,
}

impl Memory {
    pub(super) fn plan(&self, frame: &RgbFrame, wanted: Region) -> Plan {
        let anew = Plan { kept: Vec::new(), unread: vec![wanted] };
        let candidates: Vec<&Seen> =
            self.seen.iter().filter(|seen| (seen.width, seen.height) == (frame.width, frame.height)).collect();
        let share = |plan: &Plan| plan.unread_area() as f64 / wanted.area() as f64;
        let mut plans: Vec<Plan> = candidates.iter().map(|seen| seen.plan(frame, wanted, 0)).collect();
        if plans.iter().all(|plan| share(plan) > WORTH_A_SCROLL) {
            let luma = frame.luma();
            let scrolled = |(seen, plan): (&&Seen, &Plan)| {
                let up = scroll_between(seen.luma(), view(frame.width, frame.height, &luma), &plan.changed())?;
                Some(seen.plan(frame, wanted, up))
            };
            let scrolled: Vec<Plan> = candidates.iter().zip(&plans).filter_map(scrolled).collect();
            plans.extend(scrolled);
        }
        plans.into_iter().min_by_key(Plan::unread_area).filter(|plan| share(plan) <= MOST_CHANGED).unwrap_or(anew)
    }

    pub(super) fn keep(&mut self, frame: &RgbFrame, lines: &[TextLine]) {
        // The picture that this one was planned from stays only while newer ones leave room.
        self.seen.truncate(PICTURES - 1);
        self.seen.push_front(Seen {
            width: frame.width,
            height: frame.height,
            data: frame.data.clone(),
            luma: frame.luma(),
            lines: lines.to_vec(),
        });
    }
}

impl Plan {
    fn unread_area(&self) -> u64 {
        self.unread.iter().map(|region| region.area()).sum()
    }

    fn changed(&self) -> Vec<Blob> {
        let blob = |&Region { left, top, right, bottom }: &Region| Blob { left, top, right, bottom, pixels: 0 };
        self.unread.iter().map(blob).collect()
    }
}

impl Seen {
    /// What is known if the page moved up by so many pixels (0: it did not), while its surroundings stayed.
    fn plan(&self, frame: &RgbFrame, wanted: Region, up: i32) -> Plan {
        // What stayed, and what came; a tile of one colour, which may have done both, says nothing of what lies on it.
        let (mut stayed, mut came): (Vec<Region>, Vec<Region>) = (Vec::new(), Vec::new());
        let mut unread: Vec<Region> = Vec::new();
        for tile in tiles(wanted) {
            match (!self.differs(frame, tile, 0), up != 0 && !self.differs(frame, tile, up)) {
                (false, false) => add(&mut unread, tile.grown(SURROUNDINGS).within(wanted)),
                (true, false) => stayed.push(tile),
                (false, true) => came.push(tile),
                (true, true) => {
                    if !is_plain(frame, tile) {
                        stayed.push(tile);
                        came.push(tile);
                    }
                }
            }
        }
        let mut waiting: Vec<TextLine> = Vec::new();
        let ways = [(0, stayed), (up, came)];
        let ways = if up == 0 { &ways[..1] } else { &ways[..] };
        for &(way, ref alone) in ways {
            for line in self.lines.iter().map(|line| line.moved_up(way)) {
                let bounds = Region::of_box(line.bounds);
                let is_whole = line.bounds[1] >= 0.0 && line.bottom() <= f64::from(frame.height);
                if !bounds.touches(wanted) {
                    continue;
                }
                if up == 0 || is_whole && tiles(bounds).all(|part| !self.differs(frame, part, way)) {
                    // Two ways to one place: the same line came to where its like was, or one of them is a part of the other.
                    let beside = |other: &&TextLine| way != 0 && overlap(Region::of_box(other.bounds), bounds);
                    match waiting.iter().find(beside) {
                        None => waiting.push(line),
                        Some(other) if other.text == line.text && is_one_box(Region::of_box(other.bounds), bounds) => {}
                        Some(other) => add(&mut unread, Region::of_box(other.bounds).joined(bounds).within(wanted)),
                    }
                } else if alone.iter().any(|tile| tile.touches(bounds)) {
                    // A part of it is there, the rest is covered or gone.
                    add(&mut unread, bounds.grown(TILE / 2).within(wanted));
                }
            }
        }
        // A line is read whole or kept whole.
        loop {
            let (touched, apart): (Vec<TextLine>, Vec<TextLine>) = waiting
                .into_iter()
                .partition(|line| unread.iter().any(|part| part.touches(Region::of_box(line.bounds))));
            waiting = apart;
            if touched.is_empty() {
                break;
            }
            for line in touched {
                add(&mut unread, Region::of_box(line.bounds).grown(TILE / 2).within(wanted));
            }
        }
        Plan { kept: waiting, unread }
    }

    /// Whether a part of a picture differs from what was so many pixels below it here.
    fn differs(&self, frame: &RgbFrame, part: Region, up: i32) -> bool {
        let (Some(top), Some(bottom)) = (part.top.checked_add_signed(up), part.bottom.checked_add_signed(up)) else {
            return true;
        };
        if bottom > self.height || part.bottom > frame.height || part.right > self.width {
            return true;
        }
        let mut count = 0;
        for (y, then_y) in (part.top..part.bottom).zip(top..bottom) {
            let (now, then) = (row(&frame.data, self.width, part, y), row(&self.data, self.width, part, then_y));
            if now == then {
                continue;
            }
            count += now
                .chunks_exact(3)
                .zip(then.chunks_exact(3))
                .filter(|(now, then)| now.iter().zip(*then).any(|(a, b)| a.abs_diff(*b) > CLEARLY))
                .count();
            if count >= A_FEW {
                return true;
            }
        }
        false
    }

    fn luma(&self) -> LumaView<'_> {
        view(self.width, self.height, &self.luma)
    }
}

/// Whether two boxes lie over each other; those of neighbours do so a little.
fn overlap(a: Region, b: Region) -> bool {
    4 * a.within(b).area() >= a.area().min(b.area())
}

fn is_one_box(a: Region, b: Region) -> bool {
    5 * a.within(b).area() >= 4 * a.area().max(b.area())
}

/// Whether nothing can be written on a part of a picture.
fn is_plain(frame: &RgbFrame, part: Region) -> bool {
    let rows = || (part.top..part.bottom).map(|y| row(&frame.data, frame.width, part, y));
    let Some(first) = rows().next().and_then(|row| row.get(..3)) else { return true };
    let is_like = |pixel: &[u8]| pixel.iter().zip(first).all(|(a, b)| a.abs_diff(*b) <= CLEARLY);
    rows().all(|row| row.chunks_exact(3).all(is_like))
}

/// One row of a part of a picture so many pixels wide.
fn row(data: &[u8], width: u32, part: Region, y: u32) -> &[u8] {
    let start = ((y * width + part.left) * 3) as usize;
    &data[start..start + part.width() as usize * 3]
}

fn view(width: u32, height: u32, luma: &[u8]) -> LumaView<'_> {
    LumaView { width, height, stride: width as usize, data: luma }
}

fn tiles(wanted: Region) -> impl Iterator<Item = Region> {
    let step = TILE as usize;
    (wanted.top..wanted.bottom).step_by(step).flat_map(move |top| {
        (wanted.left..wanted.right)
            .step_by(step)
            .map(move |left| Region { left, top, right: left + TILE, bottom: top + TILE }.within(wanted))
    })
}

/// Adds a region, joined with all that it touches.
fn add(regions: &mut Vec<Region>, new: Region) {
    let mut joined = new;
    while let Some(index) = regions.iter().position(|region| region.touches(joined)) {
        joined = joined.joined(regions.swap_remove(index));
    }
    regions.push(joined);
}

#[cfg(test)]
mod tests {
    use media::time::MediaTime;

    use super::*;

    const WIDTH: u32 = 640;
    const HEIGHT: u32 = 640;
    const HEADER: u32 = 128;
    /// From one line of the page to the next, in pixels.
    const PITCH: u32 = 40;

    /// What the lines of a page look like beside each other.
    #[derive(Clone, Copy, PartialEq)]
    enum Lines {
        Different,
        Same,
        /// But for one digit in the middle.
        Numbered,
        /// Every second one is the beginning of the others.
        Twins,
    }

    /// A header that stays, and below it a page of lines, scrolled down by so many pixels.
    struct Page {
        scrolled: u32,
        lines: Lines,
        /// A notice that lies over the page here.
        notice: Option<(u32, u32)>,
        /// Over the digit of the line that is shown third.
        pointer: bool,
    }

    const TOP: Page = Page { scrolled: 0, lines: Lines::Different, notice: None, pointer: false };

    impl Page {
        fn ink(&self, x: u32, y: u32) -> bool {
            if self.pointer && (238..254).contains(&x) && (HEADER + 2 * PITCH + 8..HEADER + 3 * PITCH - 12).contains(&y)
            {
                return true;
            }
            if y < HEADER || self.notice.is_some_and(|(top, bottom)| (top..bottom).contains(&y)) {
                return y % 32 > 20 && x % 11 < 4 && x > 40;
            }
            let page_y = y - HEADER + self.scrolled;
            let (line, within) = (page_y / PITCH, page_y % PITCH);
            let is_digit = self.lines == Lines::Numbered && (240..250).contains(&x);
            let number = if self.lines == Lines::Different || is_digit { line * PITCH } else { 7 };
            let pattern = (number + within + 1).wrapping_mul(2_654_435_761) >> 7;
            (10..26).contains(&within) && (40..40 + self.length(line)).contains(&x) && pattern >> (x / 10 % 13) & 1 == 1
        }

        fn length(&self, line: u32) -> u32 {
            if self.lines == Lines::Twins && line.is_multiple_of(2) { 150 } else { 400 }
        }

        fn frame(&self) -> RgbFrame {
            let ink = |at: u32| if self.ink(at % WIDTH, at / WIDTH) { 20 } else { 240 };
            let data = (0..WIDTH * HEIGHT).flat_map(|at| [ink(at); 3]).collect();
            RgbFrame { width: WIDTH, height: HEIGHT, data, t: MediaTime::ZERO }
        }

        /// What a reader finds: the header, and each line of the page that shows in full.
        fn lines(&self) -> Vec<TextLine> {
            let line = |text: String, y: u32, length: u32| TextLine {
                text,
                bounds: [36.0, f64::from(y), f64::from(length + 8), 22.0],
                confidence: 1.0,
                char_x: Vec::new(),
            };
            let hidden = |y: u32| self.notice.is_some_and(|(top, bottom)| y < bottom && top < y + 22);
            let first = self.scrolled.div_ceil(PITCH);
            let shown = (first..).map(|index| (index, HEADER + index * PITCH - self.scrolled + 7));
            let shown = shown.take_while(|(_, y)| y + 22 <= HEIGHT).filter(|(_, y)| !hidden(*y));
            let page = shown.map(|(index, y)| {
                let text = match self.lines {
                    Lines::Different | Lines::Numbered => format!("line {index}"),
                    Lines::Same => "line".to_owned(),
                    Lines::Twins => format!("line of {}", self.length(index)),
                };
                line(text, y, self.length(index))
            });
            [line("header".to_owned(), 17, 400)].into_iter().chain(page).collect()
        }
    }

    fn plan(before: &Page, now: &Page) -> Plan {
        let mut memory = Memory::default();
        memory.keep(&before.frame(), &before.lines());
        let frame = now.frame();
        memory.plan(&frame, Region::whole(&frame))
    }

    /// What is kept is at its place and there once, and the rest will be read.
    fn check(now: &Page, plan: &Plan) {
        let due = now.lines();
        for kept in &plan.kept {
            assert!(due.contains(kept), "{kept:?} is not on the picture");
        }
        for line in &due {
            let bounds = Region::of_box(line.bounds);
            let count = plan.kept.iter().filter(|kept| *kept == line).count();
            let is_read = plan.unread.iter().any(|part| part.within(bounds) == bounds);
            assert!(count == 1 || count == 0 && is_read, "{line:?} is kept {count} times, {:?}", plan.unread);
        }
    }

    #[test]
    fn a_page_that_was_scrolled_is_read_only_where_it_is_new() {
        for by in [PITCH, 100, 137] {
            let now = Page { scrolled: by, ..TOP };
            for (before, now) in [(&TOP, &now), (&now, &TOP)] {
                let plan = plan(before, now);
                check(now, &plan);
                assert!(plan.kept.iter().any(|line| line.text == "header"), "{by}: {:?} {:?}", plan.kept, plan.unread);
                let share = plan.unread_area() as f64 / f64::from(WIDTH * HEIGHT);
                assert!(share < 0.5, "{by}: {share} is to be read, {:?}", plan.unread);
            }
        }
    }

    #[test]
    fn a_line_that_something_covers_in_part_is_read_anew() {
        let now = Page { scrolled: 100, notice: Some((300, 331)), ..TOP };
        check(&now, &plan(&TOP, &now));
        let before = Page { notice: Some((300, 331)), ..TOP };
        let now = Page { scrolled: 100, ..TOP };
        check(&now, &plan(&before, &now));
    }

    #[test]
    fn lines_that_are_alike_are_each_kept_once_or_read() {
        for lines in [Lines::Same, Lines::Numbered, Lines::Twins] {
            for by in [PITCH, 2 * PITCH, 100] {
                for pointer in [false, true] {
                    let (before, now) = (Page { lines, ..TOP }, Page { scrolled: by, lines, pointer, ..TOP });
                    check(&now, &plan(&before, &now));
                    // Also where the way is known that nobody would have found.
                    let mut memory = Memory::default();
                    memory.keep(&before.frame(), &before.lines());
                    let frame = now.frame();
                    check(&now, &memory.seen[0].plan(&frame, Region::whole(&frame), by as i32));
                }
            }
        }
    }

    #[test]
    fn another_page_is_read_in_full() {
        let now = Page { scrolled: 40 * PITCH, ..TOP };
        check(&now, &plan(&TOP, &now));
    }
}
