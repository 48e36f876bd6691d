//! What was typed, read from the field it appeared in.
//!
//! The recorder tells how many characters were typed, never which. The text is what the field shows afterwards and did
//! not show before, in the row of the last click. Browsers and shops show more than was typed, by completing the line
//! and by lists of suggestions below it: what goes beyond the number of characters is cut.

use media::frame::RgbFrame;
use shared_types::step::PixelBox;

use super::captions::caption_of;
use super::rectangles::rectangles_around;
use crate::models::ocr::TextLine;

/// A picture and the lines read in it.
#[derive(Clone, Copy)]
pub struct Picture<'a> {
    pub frame: &'a RgbFrame,
    pub lines: &'a [TextLine],
}

#[derive(Debug, Clone, PartialEq)]
pub struct Typed {
    pub text: String,
    pub bounds: PixelBox,
}

/// The text typed between two pictures; `near` is where the field was clicked, `chars` how many keys gave a character.
///
/// `None` when no text changed, and for passwords, which show dots.
pub fn typed_text(before: Picture<'_>, after: Picture<'_>, near: Option<(f64, f64)>, chars: usize) -> Option<Typed> {
    let changed: Vec<&TextLine> =
        after.lines.iter().filter(|line| previous(before, line) != Some(&line.text)).collect();
    let first = match near {
        Some((x, y)) => in_field(after.frame, &changed, x, y).or_else(|| closest_in_length(&changed, chars)),
        None => closest_in_length(&changed, chars),
    }?;
    let lines = with_wrapped(first, &changed, chars);
    let whole = caption_of(&lines);
    let whole = whole.trim_end_matches('|').trim_end();
    let old = previous(before, first).map(String::as_str).unwrap_or_default();
    let added = whole.strip_prefix(old).filter(|rest| !rest.is_empty() && whole.chars().count() > chars);
    let text: String = added.unwrap_or(whole).trim_start().chars().take(chars).collect();
    let text = text.trim_end().to_owned();
    let is_hidden = text.chars().all(|c| !c.is_alphanumeric() && "•●∙·.*○".contains(c));
    let bounds = super::around(lines.iter().map(|line| line.bounds))?;
    (!text.is_empty() && !is_hidden).then_some(Typed { text, bounds })
}

/// What stood in a line's place before.
fn previous<'a>(before: Picture<'a>, line: &TextLine) -> Option<&'a String> {
    let stands_there = |old: &&TextLine| {
        let shared = old.right().min(line.right()) - old.bounds[0].max(line.bounds[0]);
        (old.middle_y() - line.middle_y()).abs() < 0.5 * line.bounds[3]
            && shared > 0.5 * line.bounds[2].min(old.bounds[2])
    };
    before.lines.iter().find(stands_there).map(|old| &old.text)
}

fn in_field<'a>(frame: &RgbFrame, changed: &[&'a TextLine], x: f64, y: f64) -> Option<&'a TextLine> {
    let unit = changed.first()?.bounds[3];
    let rectangles = rectangles_around(frame, x, y);
    let field = rectangles.iter().find(|bounds| bounds[2] >= 3.0 * unit);
    let (left, right) = field.map_or((0.0, f64::from(frame.width)), |field| (field[0], field[0] + field[2]));
    let across = |line: &TextLine| (line.middle_y() - y).abs();
    changed
        .iter()
        .filter(|line| line.right() > left && line.bounds[0] < right && across(line) <= 1.2 * line.bounds[3])
        .filter(|line| line.text.chars().any(|c| c.is_alphanumeric() || "•●∙*".contains(c)))
        .max_by(|a, b| a.bounds[2].total_cmp(&b.bounds[2]))
        .copied()
}

fn closest_in_length<'a>(changed: &[&'a TextLine], chars: usize) -> Option<&'a TextLine> {
    let off = |line: &TextLine| line.text.chars().count().abs_diff(chars);
    changed.iter().min_by_key(|line| off(line)).filter(|line| off(line) <= chars / 2 + 2).copied()
}

/// The line and those below it that go on with it, as long as characters are missing.
fn with_wrapped<'a>(first: &'a TextLine, changed: &[&'a TextLine], chars: usize) -> Vec<&'a TextLine> {
    let mut lines = vec![first];
    let mut count = first.text.chars().count();
    for line in changed.iter().filter(|line| line.bounds[1] > first.middle_y()) {
        let Some(last) = lines.last() else { break };
        let unit = last.bounds[3];
        let follows =
            line.bounds[1] - last.bottom() < 0.6 * unit && (line.bounds[0] - first.bounds[0]).abs() < 0.6 * unit;
        if count * 5 >= chars * 4 || !follows {
            break;
        }
        count += 1 + line.text.chars().count();
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passes::read_screen::made_line;
    use media::time::MediaTime;

    #[test]
    fn only_what_was_typed_is_told() {
        let frame = RgbFrame { width: 300, height: 200, data: vec![255; 300 * 200 * 3], t: MediaTime::ZERO };
        let field = [20.0, 50.0, 120.0, 20.0];
        let list = [20.0, 90.0, 180.0, 20.0];
        let check = |before: &str, after: &[(&str, PixelBox)], chars: usize, expected: Option<&str>| {
            let before: Vec<TextLine> = if before.is_empty() { Vec::new() } else { vec![made_line(before, field)] };
            let after: Vec<TextLine> = after.iter().map(|(text, bounds)| made_line(text, *bounds)).collect();
            let picture = |lines| Picture { frame: &frame, lines };
            let typed = typed_text(picture(&before), picture(&after), Some((60.0, 60.0)), chars);
            assert_eq!(typed.map(|typed| typed.text).as_deref(), expected);
        };
        check("Search the shop", &[("lamp", field)], 4, Some("lamp"));
        check("", &[("lamp|", field)], 4, Some("lamp"));
        check("", &[("lamp", field), ("lampshades in brass", list)], 4, Some("lamp"));
        check("", &[("lamps.example/all", field)], 5, Some("lamps"));
        check("oil ", &[("oil lamp", field)], 4, Some("lamp"));
        check("", &[("••••••••", field)], 8, None);
        check("Search the shop", &[("Search the shop", field)], 4, None);
    }
}
