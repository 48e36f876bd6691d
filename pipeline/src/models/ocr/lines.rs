//! Lines of text and the words in them.

use serde::{Deserialize, Serialize};
use shared_types::step::PixelBox;

/// A line of text as the detector found it: usually one label, one button's caption, one row of a paragraph.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TextLine {
    pub text: String,
    pub bounds: PixelBox,
    /// 0 to 1: the mean over the characters.
    pub confidence: f64,
    /// The middle of each character of `text` from left to right, in pixels of the picture, good to about half a
    /// character.
    pub char_x: Vec<f64>,
}

/// A word of a line with its approximate box.
#[derive(Debug, Clone, PartialEq)]
pub struct Word {
    pub text: String,
    pub bounds: PixelBox,
}

impl TextLine {
    pub fn right(&self) -> f64 {
        self.bounds[0] + self.bounds[2]
    }

    pub fn bottom(&self) -> f64 {
        self.bounds[1] + self.bounds[3]
    }

    pub fn middle_y(&self) -> f64 {
        self.bounds[1] + self.bounds[3] / 2.0
    }

    /// The same line on a page that moved up by so many pixels; it may lie outside the picture.
    pub(super) fn moved_up(&self, by: i32) -> Self {
        let [x, y, width, height] = self.bounds;
        Self { bounds: [x, y - f64::from(by), width, height], ..self.clone() }
    }

    /// The words between spaces, each with a box as high as the line.
    pub fn words(&self) -> Vec<Word> {
        let characters: Vec<char> = self.text.chars().collect();
        let half_character = self.bounds[2] / characters.len().max(1) as f64 / 2.0;
        let mut words = Vec::new();
        let mut start = 0;
        for part in characters.split(|c| c.is_whitespace()) {
            let end = start + part.len();
            if let (false, Some(xs)) = (part.is_empty(), self.char_x.get(start..end)) {
                let left = (xs[0] - half_character).max(self.bounds[0]);
                let right = (xs[xs.len() - 1] + half_character).min(self.right()).max(left);
                let bounds = [left, self.bounds[1], right - left, self.bounds[3]];
                words.push(Word { text: part.iter().collect(), bounds });
            }
            start = end + 1;
        }
        words
    }
}

/// From top to bottom by rows, within a row from left to right.
pub(super) fn sort_for_reading(lines: &mut Vec<TextLine>) {
    lines.sort_by(|a, b| a.middle_y().total_cmp(&b.middle_y()));
    let mut rows: Vec<Vec<TextLine>> = Vec::new();
    for line in lines.drain(..) {
        match rows.last_mut() {
            Some(row) if line.middle_y() - row[0].middle_y() < row[0].bounds[3].min(line.bounds[3]) / 2.0 => {
                row.push(line);
            }
            _ => rows.push(vec![line]),
        }
    }
    for mut row in rows {
        row.sort_by(|a, b| a.bounds[0].total_cmp(&b.bounds[0]));
        lines.append(&mut row);
    }
}
