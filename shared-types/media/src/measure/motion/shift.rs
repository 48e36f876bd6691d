//! How far a page was scrolled between two pictures.
//!
//! Rows of pixels with enough drawing on them are looked for in the picture before, above and below their place. Each
//! row found votes for its distance; a page that was scrolled gives the same distance for nearly all of them. Only the
//! columns that changed are compared, so that what stands beside a scrolled list does not speak against it.

use std::collections::BTreeMap;

use super::{Blob, Luma};

/// Columns are averaged over this many pixels; the noise of compression averages out.
const BAND: u32 = 8;
const SAME: u8 = 6;
/// Share of a row's bands that have to agree.
const SAME_SHARE: f64 = 0.85;
/// The smallest difference of bands in a row that makes it recognisable.
const TEXTURE: u8 = 40;
const ROWS_ASKED: usize = 48;
/// Share of the rows asked that have to give one distance.
const AGREED: f64 = 0.45;
const FEWEST_ROWS: usize = 6;
/// The farthest a page is moved between two pictures, as a share of the picture's height.
const FARTHEST: f64 = 0.6;
/// A smaller area is no page.
const SMALLEST: u32 = 60;

/// By how many pixels the content moved up, or, negative, down.
pub(super) fn vertical_shift(before: Luma<'_>, now: Luma<'_>, blobs: &[Blob]) -> Option<i32> {
    let area = blobs.iter().filter(|blob| blob.height() > 4).copied().reduce(Blob::joined)?;
    if area.width() < SMALLEST || area.height() < SMALLEST {
        return None;
    }
    let old: Vec<Vec<u8>> = (area.top..area.bottom).map(|y| bands(before, area, y)).collect();
    let new: Vec<Vec<u8>> = (area.top..area.bottom).map(|y| bands(now, area, y)).collect();
    let telling: Vec<usize> = (0..new.len()).filter(|y| is_telling(&new[*y], &old[*y])).collect();
    let step = (telling.len() / ROWS_ASKED).max(1);
    let asked: Vec<usize> = telling.iter().step_by(step).copied().collect();
    if asked.len() < FEWEST_ROWS {
        return None;
    }
    let farthest = (f64::from(now.height) * FARTHEST) as usize;
    let mut votes = BTreeMap::<i32, usize>::new();
    for &y in &asked {
        for other in y.saturating_sub(farthest)..(y + farthest + 1).min(old.len()) {
            if other != y && are_same(&new[y], &old[other], &old[y]) {
                *votes.entry(other as i32 - y as i32).or_default() += 1;
            }
        }
    }
    // Rows that come in from outside cannot be found in the picture before; they do not count against a distance.
    let could = |shift: i32| {
        let inside = |y: usize| (0..old.len() as i32).contains(&(y as i32 + shift));
        asked.iter().filter(|y| inside(**y)).count().max(asked.len() / 3)
    };
    let (shift, count) = votes.into_iter().max_by_key(|(shift, count)| (*count, -shift.abs()))?;
    let agreed = count >= FEWEST_ROWS && count as f64 >= could(shift) as f64 * AGREED;
    agreed.then_some(shift)
}

fn bands(luma: Luma<'_>, area: Blob, y: u32) -> Vec<u8> {
    let row = &luma.row(y)[area.left as usize..area.right as usize];
    row.chunks_exact(BAND as usize)
        .map(|band| (band.iter().map(|value| u32::from(*value)).sum::<u32>() / BAND) as u8)
        .collect()
}

/// A row with enough drawing on what changed of it.
fn is_telling(new: &[u8], old: &[u8]) -> bool {
    let changed = || new.iter().zip(old).filter(|(a, b)| a.abs_diff(**b) > SAME).map(|(a, _)| *a);
    let (low, high) = (changed().min().unwrap_or_default(), changed().max().unwrap_or_default());
    high - low >= TEXTURE
}

/// Whether the bands that differ from what stood here before agree with another row.
fn are_same(new: &[u8], other: &[u8], here: &[u8]) -> bool {
    let (mut asked, mut same) = (0_u32, 0_u32);
    for ((new, other), here) in new.iter().zip(other).zip(here) {
        if new.abs_diff(*here) > SAME {
            asked += 1;
            same += u32::from(new.abs_diff(*other) <= SAME);
        }
    }
    asked > 0 && f64::from(same) >= f64::from(asked) * SAME_SHARE
}
