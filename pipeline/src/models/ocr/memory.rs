//! The last pictures that were read in full, so that only what changed is read again.
//!
//! Pictures are compared in tiles of 32x32 pixels. A tile counts as changed when a few pixels differ clearly; that
//! leaves the noise of video compression out and still sees one digit become another.

use std::collections::VecDeque;

use media::frame::RgbFrame;

use super::TextLine;
use super::region::Region;

/// Pictures kept, each at 3 bytes a pixel: 11 MB at 1280x720.
const PICTURES: usize = 4;
const TILE: u32 = 32;
const CLEARLY: u8 = 28;
const A_FEW: usize = 4;
/// Changes are read with some surroundings, without which the detector takes a field's frame for a part of its text.
const SURROUNDINGS: u32 = 64;
/// With more than this changed, reading anew is as cheap.
const MOST_CHANGED: f64 = 0.6;

#[derive(Default)]
pub(super) struct Memory {
    seen: VecDeque<Seen>,
}

struct Seen {
    width: u32,
    height: u32,
    data: Vec<u8>,
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
        let candidates = self.seen.iter().filter(|seen| (seen.width, seen.height) == (frame.width, frame.height));
        let best = candidates.map(|seen| seen.plan(frame, wanted)).min_by_key(Plan::unread_area);
        best.filter(|plan| plan.unread_area() as f64 <= wanted.area() as f64 * MOST_CHANGED).unwrap_or(anew)
    }

    pub(super) fn keep(&mut self, frame: &RgbFrame, lines: &[TextLine]) {
        // The picture that this one was planned from stays only while newer ones leave room.
        self.seen.truncate(PICTURES - 1);
        self.seen.push_front(Seen {
            width: frame.width,
            height: frame.height,
            data: frame.data.clone(),
            lines: lines.to_vec(),
        });
    }
}

impl Plan {
    fn unread_area(&self) -> u64 {
        self.unread.iter().map(|region| region.area()).sum()
    }
}

impl Seen {
    fn plan(&self, frame: &RgbFrame, wanted: Region) -> Plan {
        let mut unread: Vec<Region> = Vec::new();
        for tile in tiles(wanted).filter(|tile| self.differs(frame, *tile)) {
            add(&mut unread, tile.grown(SURROUNDINGS).within(wanted));
        }
        // A line is read whole or kept whole.
        let mut kept: Vec<TextLine> = Vec::new();
        let mut waiting: Vec<&TextLine> =
            self.lines.iter().filter(|line| Region::of_box(line.bounds).touches(wanted)).collect();
        loop {
            let (touched, apart): (Vec<&TextLine>, Vec<&TextLine>) =
                waiting.iter().partition(|line| unread.iter().any(|part| part.touches(Region::of_box(line.bounds))));
            waiting = apart;
            if touched.is_empty() {
                break;
            }
            for line in touched {
                add(&mut unread, Region::of_box(line.bounds).grown(TILE / 2).within(wanted));
            }
        }
        kept.extend(waiting.into_iter().cloned());
        Plan { kept, unread }
    }

    fn differs(&self, frame: &RgbFrame, tile: Region) -> bool {
        let mut count = 0;
        for y in tile.top..tile.bottom {
            let start = ((y * self.width + tile.left) * 3) as usize;
            let end = start + tile.width() as usize * 3;
            let (now, then) = (&frame.data[start..end], &self.data[start..end]);
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
