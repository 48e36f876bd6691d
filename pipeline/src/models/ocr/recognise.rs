//! What a line of text says.
//!
//! The network looks at a strip 48 pixels high and gives, for every 8 pixels of its width, how likely each character
//! of the dictionary stands there (CTC: class 0 is "nothing new", class k is line k of the dictionary, the last class
//! is a space). The steps at which characters appear tell where in the line they are.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher};
use std::path::Path;

use media::frame::RgbFrame;
use rten_tensor::NdTensor;
use rten_tensor::prelude::*;

use super::alike::{Alike, Crop};
use super::region::Region;
use super::{OcrError, TextLine};
use crate::models::net::{Net, Threads};

const STRIP_HEIGHT: u32 = 48;
/// Narrower strips are filled up: the network has not seen any in training.
const NARROWEST_STRIP: u32 = 160;
const WIDEST_STRIP: u32 = 4000;
const WIDTH_STEP: u32 = 8;
/// Below this the "text" is a drawing, a photograph's texture or an icon.
const LEAST_CONFIDENCE: f64 = 0.5;
/// Numbers are kept from here on: a card's or its code's must be covered even where a pointer or the encoder's noise makes
/// it hard to read.
const LEAST_CONFIDENCE_OF_NUMBER: f64 = 0.3;
/// Crops remembered; a remembered one takes about 200 bytes.
const CACHE_ENTRIES: usize = 4096;

pub(super) struct Recogniser {
    net: Net,
    characters: Vec<String>,
    dictionary: std::path::PathBuf,
    /// By the hash of a crop's pixels. The older half is dropped when the younger one is full.
    young: HashMap<u64, Option<Strip>>,
    old: HashMap<u64, Option<Strip>>,
    alike: Alike,
}

/// The reading of a strip, with places as shares of its width.
#[derive(Debug, Clone)]
pub(super) struct Strip {
    pub(super) text: String,
    pub(super) confidence: f64,
    pub(super) places: Vec<f64>,
}

impl Recogniser {
    pub(super) fn load(path: &Path, dictionary: &Path, threads: &Threads) -> Result<Self, OcrError> {
        let net = Net::load(path, threads)?;
        let characters: Vec<String> = std::fs::read_to_string(dictionary)
            .map_err(|source| OcrError::Dictionary { path: dictionary.to_owned(), source })?
            .lines()
            .map(str::to_owned)
            .collect();
        let (young, old) = (HashMap::new(), HashMap::new());
        Ok(Self { net, characters, dictionary: dictionary.to_owned(), young, old, alike: Alike::default() })
    }

    pub(super) fn forget(&mut self) {
        self.young.clear();
        self.old.clear();
        self.alike = Alike::default();
    }

    /// Reads one line; `None` where there is nothing to be read after all.
    pub(super) fn read_line(&mut self, frame: &RgbFrame, bounds: Region) -> Result<Option<TextLine>, OcrError> {
        let key = hash_of(frame, bounds);
        let known = self.young.get(&key).or_else(|| self.old.get(&key)).cloned();
        let strip = match known {
            Some(strip) => strip,
            None => self.read_unless_alike(frame, bounds)?,
        };
        if self.young.len() >= CACHE_ENTRIES / 2 {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, strip.clone());
        Ok(strip.map(|strip| TextLine {
            text: strip.text,
            bounds: bounds.to_box(),
            confidence: strip.confidence,
            char_x: strip
                .places
                .iter()
                .map(|at| pixel(f64::from(bounds.left) + at * f64::from(bounds.width())))
                .collect(),
        }))
    }

    fn read_unless_alike(&mut self, frame: &RgbFrame, bounds: Region) -> Result<Option<Strip>, OcrError> {
        let crop = Crop::of(frame, bounds);
        if let Some(reading) = self.alike.find(&crop) {
            return Ok(reading.clone());
        }
        let strip = self.read_strip(frame, bounds)?;
        self.alike.keep(crop, strip.clone());
        Ok(strip)
    }

    fn read_strip(&self, frame: &RgbFrame, bounds: Region) -> Result<Option<Strip>, OcrError> {
        let scale = f64::from(STRIP_HEIGHT) / f64::from(bounds.height());
        let width = ((f64::from(bounds.width()) * scale).round() as u32).clamp(WIDTH_STEP, WIDEST_STRIP);
        let padded_width = width.next_multiple_of(WIDTH_STEP).max(NARROWEST_STRIP);
        let pixels = resized(frame, bounds, width, STRIP_HEIGHT);
        let plane = (padded_width * STRIP_HEIGHT) as usize;
        let mut input = vec![0.0_f32; plane * 3];
        for (channel, values) in input.chunks_exact_mut(plane).enumerate() {
            for (row, source) in
                values.chunks_exact_mut(padded_width as usize).zip(pixels.chunks_exact(width as usize * 3))
            {
                for (value, pixel) in row.iter_mut().zip(source.chunks_exact(3)) {
                    *value = pixel[2 - channel] / 127.5 - 1.0;
                }
            }
        }
        let input = NdTensor::from_data([1, 3, STRIP_HEIGHT as usize, padded_width as usize], input);
        let output: NdTensor<f32, 3> = self.net.run(input)?;
        let [_, steps, classes] = output.shape();
        let expected = classes.saturating_sub(2);
        if self.characters.len() != expected {
            let path = self.dictionary.clone();
            return Err(OcrError::DictionaryOfAnotherModel { path, found: self.characters.len(), expected });
        }
        let step_width = f64::from(padded_width) / f64::from(width) / steps as f64;
        Ok(self.decode(&output.into_data(), classes, step_width))
    }

    /// The likeliest class of each step, without repetitions and blanks.
    fn decode(&self, likely: &[f32], classes: usize, step_width: f64) -> Option<Strip> {
        let mut strip = Strip { text: String::new(), confidence: 0.0, places: Vec::new() };
        let mut last = 0;
        let mut sum = 0.0;
        for (step, row) in likely.chunks_exact(classes).enumerate() {
            let (class, likelihood) = row
                .iter()
                .copied()
                .enumerate()
                .fold((0, f32::MIN), |best, next| if next.1 > best.1 { next } else { best });
            if class != last && class != 0 {
                let character = self.characters.get(class - 1).map_or(" ", String::as_str);
                let at = ((step as f64 + 0.5) * step_width).min(1.0);
                strip.text.push_str(character);
                strip.places.extend(character.chars().map(|_| at));
                sum += f64::from(likelihood);
            }
            last = class;
        }
        let trailing = strip.text.chars().rev().take_while(|c| c.is_whitespace()).count();
        let leading = strip.text.chars().take_while(|c| c.is_whitespace()).count();
        if leading == strip.text.chars().count() {
            return None;
        }
        strip.confidence = sum / strip.places.len() as f64;
        strip.places.truncate(strip.places.len() - trailing);
        strip.places.drain(..leading);
        strip.text.truncate(strip.text.trim_end().len());
        strip.text.drain(..strip.text.len() - strip.text.trim_start().len());
        is_readable(&strip.text, strip.confidence).then_some(strip)
    }
}

/// A place that is good to half a character needs no more digits, which would be most of a kept reading.
fn pixel(at: f64) -> f64 {
    (at * 100.0).round() / 100.0
}

fn is_readable(text: &str, confidence: f64) -> bool {
    let is_number = text.len() > 1 && text.chars().all(|c| c.is_ascii_digit() || matches!(c, ' ' | '-' | '/'));
    confidence >= if is_number { LEAST_CONFIDENCE_OF_NUMBER } else { LEAST_CONFIDENCE }
}

fn hash_of(frame: &RgbFrame, bounds: Region) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write_u32(bounds.width());
    for y in bounds.top..bounds.bottom {
        let row = (y * frame.width) as usize * 3;
        hasher.write(&frame.data[row + bounds.left as usize * 3..row + bounds.right as usize * 3]);
    }
    hasher.finish()
}

/// A part of a picture at another size, by linear interpolation: red, green, blue as 0 to 255.
pub(super) fn resized(frame: &RgbFrame, part: Region, width: u32, height: u32) -> Vec<f32> {
    let columns = taps(part.left, part.right, width);
    let rows = taps(part.top, part.bottom, height);
    let stride = frame.width as usize * 3;
    let mut out = Vec::with_capacity((width * height * 3) as usize);
    for &(y0, y1, fy) in &rows {
        let (upper, lower) = (&frame.data[y0 * stride..][..stride], &frame.data[y1 * stride..][..stride]);
        for &(x0, x1, fx) in &columns {
            for channel in 0..3 {
                let at = |row: &[u8], x: usize| f32::from(row[x * 3 + channel]);
                let above = at(upper, x0) + (at(upper, x1) - at(upper, x0)) * fx;
                let below = at(lower, x0) + (at(lower, x1) - at(lower, x0)) * fx;
                out.push(above + (below - above) * fy);
            }
        }
    }
    out
}

/// For each place of the new size the two old ones it lies between, and how far towards the second.
fn taps(start: u32, end: u32, count: u32) -> Vec<(usize, usize, f32)> {
    let ratio = f64::from(end - start) / f64::from(count);
    let last = f64::from(end - 1);
    (0..count)
        .map(|index| {
            let at = (f64::from(start) + (f64::from(index) + 0.5) * ratio - 0.5).clamp(f64::from(start), last);
            let first = at.floor();
            (first as usize, (first + 1.0).min(last) as usize, (at - first) as f32)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::is_readable;

    #[test]
    fn numbers_are_kept_longer_than_words() {
        for (text, confidence, kept) in [
            ("Add to cart", 0.51, true),
            ("Add to cart", 0.49, false),
            ("123", 0.31, true),
            ("4539 1488 0343", 0.31, true),
            ("123", 0.29, false),
            ("l23", 0.4, false),
            ("1", 0.4, false),
        ] {
            assert_eq!(is_readable(text, confidence), kept, "{text} {confidence}");
        }
    }
}
