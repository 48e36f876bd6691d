//! What a click was aimed at.
//!
//! In this order, the first that applies: the browser's own row; the text of the smallest control (a rectangle with a
//! short text) around the point; the text under the point; the label beside it; the title and price below it, when it
//! lies on the picture of a card; a thing without text of its own (an empty field, an icon), named by what is around.

use media::frame::RgbFrame;
use shared_types::step::{PixelBox, Target};

use super::browser::{Bar, hovered_link};
use super::captions::{caption_of, is_price, is_words, name_of_link, title_and_price};
use super::marks::{commonest_colour, commonest_share, drawn_boxes, mark_left_of};
use super::rectangles::rectangles_around;
use super::{around, contains, grown};
use crate::models::ocr::TextLine;

/// Captions of controls are short.
const LONGEST_CAPTION: usize = 80;
const MOST_ROWS: usize = 2;
/// In heights of a line.
const TALLEST_CONTROL: f64 = 4.5;
const CLOSE_BESIDE: f64 = 2.6;
const LONGEST_CHOICE_ROW: f64 = 8.0;
/// An arrow begins where it points to.
const TIP_PX: f64 = 2.0;
/// The gap between two rows of one caption.
const SAME_ENTRY: f64 = 0.35;
/// A larger rectangle is a part of the page, not a card.
const LARGEST_CARD: f64 = 0.4;
const CAPTION_BELOW_PICTURE: f64 = 4.0;
const FILL: u8 = 12;
/// Controls of a group to choose from, and how far their sizes differ.
const OTHER_CHOICES: usize = 2;
const SAME_SIZE_PX: f64 = 6.0;
const SHORT_CHOICE: usize = 4;
const PLAIN_SHARE: f64 = 0.75;
/// So much of a short line has to lie under the pointer to be hidden by it.
const COVERED_SHARE: f64 = 0.5;
/// How far around is looked whether a screen is the one that it was, and how many lines have to say so.
const AROUND_PX: f64 = 120.0;
const FEWEST_AROUND: usize = 2;

/// The control, link or card at a point, or `None` where nothing is seen that a click could be meant for.
pub fn target_at(frame: &RgbFrame, lines: &[TextLine], x: f64, y: f64) -> Option<Target> {
    if let Some(bar) = bar(frame, lines)
        && let Some(target) = bar.target_at(frame, lines, x, y)
    {
        return Some(target);
    }
    let place = Place { frame, lines, rectangles: rectangles_around(frame, x, y), x, y };
    place
        .control()
        .or_else(|| place.line())
        .or_else(|| place.label_beside())
        .or_else(|| place.choice_in_row())
        .or_else(|| place.empty_field())
        .or_else(|| place.card())
        .or_else(|| place.icon())
}

/// Whether what lies at this height is the browser's own and not the page's.
pub fn is_browsers(frame: &RgbFrame, lines: &[TextLine], y: f64) -> bool {
    bar(frame, lines).is_some_and(|bar| bar.holds(y))
}

fn bar(frame: &RgbFrame, lines: &[TextLine]) -> Option<Bar> {
    Bar::find(frame, lines).or_else(|| Bar::find_empty(frame, lines))
}

/// What an earlier picture shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Earlier {
    /// The same screen, without the pointer there.
    SameScreen,
    /// A screen on which the line may have said something else; it has to read better to be believed.
    MayHaveChanged,
}

/// The lines of a picture, with those that the pointer covers replaced by what an earlier picture shows there.
///
/// Only lines that read nearly the same are replaced: another text in the same place is another text. A short line that
/// cannot be read at all below the pointer is taken over where what lies around it is as it was.
pub fn uncovered(lines: &[TextLine], earlier: &[TextLine], is: Earlier, x: f64, y: f64) -> Vec<TextLine> {
    let pointer = [x - 12.0, y - 10.0, 34.0, 38.0];
    let touches = |line: &TextLine| {
        line.bounds[0] < pointer[0] + pointer[2]
            && pointer[0] < line.right()
            && line.bounds[1] < pointer[1] + pointer[3]
            && pointer[1] < line.bottom()
    };
    let better = |line: &TextLine| {
        earlier
            .iter()
            .filter(|before| {
                is == Earlier::SameScreen
                    || before.confidence > line.confidence
                    || lacks_letters(&line.text, &before.text)
            })
            .filter(|before| share_place(before, line))
            .find(|before| strsim::normalized_levenshtein(&before.text, &line.text) >= 0.7)
            .cloned()
    };
    let replace = |line: &TextLine| if touches(line) { better(line) } else { None };
    let is_covered = |before: &&TextLine| {
        let free = |line: &TextLine| overlap(line.bounds, before.bounds) <= 0.0;
        let area = before.bounds[2] * before.bounds[3];
        overlap(before.bounds, pointer) >= COVERED_SHARE * area && lines.iter().all(free)
    };
    let around = grown(pointer, AROUND_PX);
    let is_near = |before: &&TextLine| overlap(before.bounds, around) > 0.0 && !touches(before);
    let stays = |before: &&TextLine| lines.iter().any(|line| line.text == before.text && share_place(line, before));
    let (near, same) = (earlier.iter().filter(is_near).count(), earlier.iter().filter(is_near).filter(stays).count());
    let is_same_screen = is == Earlier::SameScreen || same >= FEWEST_AROUND && 2 * same > near;
    let hidden = earlier.iter().filter(|before| is_same_screen && is_covered(before)).cloned();
    lines.iter().map(|line| replace(line).unwrap_or_else(|| line.clone())).chain(hidden).collect()
}

/// The area that lies in both.
fn overlap(a: PixelBox, b: PixelBox) -> f64 {
    let width = (a[0] + a[2]).min(b[0] + b[2]) - a[0].max(b[0]);
    let height = (a[1] + a[3]).min(b[1] + b[3]) - a[1].max(b[1]);
    width.max(0.0) * height.max(0.0)
}

/// Whether a text is another one of which some letters are missing, as when the pointer lies on them.
fn lacks_letters(text: &str, whole: &str) -> bool {
    let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<Vec<_>>();
    let (text, whole) = (letters(text), letters(whole));
    let mut left = whole.iter();
    text.len() < whole.len() && text.iter().all(|letter| left.any(|other| other == letter))
}

fn share_place(a: &TextLine, b: &TextLine) -> bool {
    let overlap = a.right().min(b.right()) - a.bounds[0].max(b.bounds[0]);
    (a.middle_y() - b.middle_y()).abs() < 0.5 * a.bounds[3] && overlap > 0.6 * a.bounds[2].min(b.bounds[2])
}

struct Place<'a> {
    frame: &'a RgbFrame,
    lines: &'a [TextLine],
    rectangles: Vec<PixelBox>,
    x: f64,
    y: f64,
}

impl Place<'_> {
    fn control(&self) -> Option<Target> {
        let (bounds, inside) = self
            .rectangles
            .iter()
            .map(|bounds| (*bounds, self.lines_in(*bounds)))
            .find(|(_, inside)| !inside.is_empty())?;
        let unit = inside[0].bounds[3];
        let inside = self.one_entry_of(inside);
        let text = caption_of(&inside);
        let is_control = rows(&inside) <= MOST_ROWS
            && bounds[3] <= TALLEST_CONTROL * unit
            && text.chars().count() <= LONGEST_CAPTION;
        if !is_control {
            return None;
        }
        let role = self.role_of_control(bounds, &inside);
        Some(Target { text: Some(text), role: Some(role.to_owned()), bounds: Some(bounds) })
    }

    /// Of lines set apart like the entries of a menu, those that stand together with the one under the point.
    fn one_entry_of<'l>(&self, inside: Vec<&'l TextLine>) -> Vec<&'l TextLine> {
        let apart = |a: &TextLine, b: &TextLine| b.bounds[1].max(a.bounds[1]) - a.bottom().min(b.bottom());
        let Some(hit) = inside.iter().find(|line| (line.bounds[1]..line.bottom()).contains(&self.y)).copied() else {
            return inside;
        };
        let mut entry = vec![hit];
        loop {
            let before = entry.len();
            let together = |line: &TextLine| {
                entry.contains(&line) || entry.iter().any(|kept| apart(kept, line) <= SAME_ENTRY * kept.bounds[3])
            };
            entry = inside.iter().copied().filter(|line| together(line)).collect();
            if entry.len() == before {
                return entry;
            }
        }
    }

    fn role_of_control(&self, bounds: PixelBox, inside: &[&TextLine]) -> &'static str {
        let unit = inside[0].bounds[3];
        if let Some(mark) = mark_left_of(self.frame, self.lines, inside[0])
            && contains(bounds, mark.bounds[0], mark.bounds[1])
        {
            return mark.role;
        }
        let in_menu = self.rectangles.iter().filter(|outer| outer[3] > 1.8 * bounds[3]).take(1).any(|menu| {
            let entries = self.lines_in(*menu);
            let aligned =
                entries.iter().filter(|line| (line.bounds[0] - inside[0].bounds[0]).abs() < 0.5 * unit).count();
            menu[2] < 1.3 * bounds[2] && aligned >= 3 && aligned == entries.len()
        });
        if in_menu {
            return "option";
        }
        let Some(text) = around(inside.iter().map(|line| line.bounds)) else { return "button" };
        let (free_left, free_right) = (text[0] - bounds[0], bounds[0] + bounds[2] - text[0] - text[2]);
        let begins_left = free_left <= 2.6 * unit && free_right > 2.0 * free_left.max(0.4 * unit);
        if self.is_shaded(bounds) || !begins_left {
            // While the pointer rests on a link, it may be shaded like a button; then the browser shows where it leads.
            return if hovered_link(self.frame, self.lines).is_some() {
                "link"
            } else if self.is_choice(bounds, inside.first().copied()) {
                "radio"
            } else {
                "button"
            };
        }
        let end = [bounds[0] + bounds[2] - 2.2 * unit, bounds[1] + 3.0, 2.2 * unit - 3.0, bounds[3] - 6.0];
        let arrow = drawn_boxes(self.frame, end).into_iter().any(|drawing| {
            (0.2 * unit..0.9 * unit).contains(&drawing[2]) && drawing[3] < 0.7 * unit && drawing[2] > 1.2 * drawing[3]
        });
        match (arrow, bounds[2] >= 5.0 * unit) {
            (true, _) => "combobox",
            (false, true) => "textbox",
            (false, false) => "button",
        }
    }

    /// Whether a control is one of a group to choose from: several of the same size, named alike (`Size 40`, `Size 42`) or
    /// shortly in one row (`8`, `9`, `10`). Pages of a list are numbered from one: a row that has a one is none of sizes.
    fn is_choice(&self, bounds: PixelBox, own: Option<&TextLine>) -> bool {
        let stem = |text: &str| text.split_whitespace().next().filter(|_| text.contains(' ')).map(str::to_lowercase);
        let name = own.and_then(|own| stem(&own.text));
        // The pointer may cover the first letter.
        let alike = |text: &str| {
            stem(text).zip(name.as_ref()).is_some_and(|(other, name)| other.ends_with(name) || name.ends_with(&other))
        };
        let is_short = |line: &TextLine| line.text.chars().count() <= SHORT_CHOICE;
        let middle = bounds[1] + bounds[3] / 2.0;
        let in_row = |line: &TextLine| (line.middle_y() - middle).abs() <= 0.5 * line.bounds[3];
        let same_size = |line: &&&TextLine| {
            let found = rectangles_around(self.frame, line.bounds[0] + line.bounds[2] / 2.0, line.middle_y());
            found.iter().any(|other| {
                (other[2] - bounds[2]).abs() <= SAME_SIZE_PX && (other[3] - bounds[3]).abs() <= SAME_SIZE_PX
            })
        };
        let lines: Vec<&TextLine> = self.lines.iter().collect();
        let is_first_page = |line: &&&TextLine| line.text == "1" && in_row(line) && same_size(line);
        let has_pages = lines.iter().any(|line| is_first_page(&line));
        let beside = |line: &TextLine| !has_pages && own.is_none_or(is_short) && is_short(line) && in_row(line);
        let others =
            lines.iter().filter(|line| !contains(bounds, line.bounds[0] + line.bounds[2] / 2.0, line.middle_y()));
        others.filter(|line| alike(&line.text) || beside(line)).filter(same_size).take(OTHER_CHOICES).count()
            == OTHER_CHOICES
    }

    /// Whether a rectangle is filled with a darker colour than lies around it. Fields are as light as the page or lighter.
    fn is_shaded(&self, [left, top, width, height]: PixelBox) -> bool {
        let colour = |bounds: PixelBox| {
            let columns = bounds[0].max(0.0) as u32..((bounds[0] + bounds[2]).max(0.0) as u32).min(self.frame.width);
            let rows = bounds[1].max(0.0) as u32..((bounds[1] + bounds[3]).max(0.0) as u32).min(self.frame.height);
            commonest_colour(self.frame, columns, rows)
        };
        let inside = colour([left + 3.0, top + 3.0, width - 6.0, height - 6.0]);
        let outside = colour([left + 0.1 * width, top - 6.0, 0.8 * width, 4.0]);
        let (Some(inside), Some(outside)) = (inside, outside) else { return false };
        let light = |colour: [u8; 3]| colour.map(u32::from).iter().sum::<u32>();
        let differs = inside.iter().zip(outside).any(|(a, b)| a.abs_diff(b) > FILL);
        differs && light(inside) < light(outside)
    }

    /// The text right under the point.
    fn line(&self) -> Option<Target> {
        let hit = |line: &&&TextLine| contains(grown(line.bounds, 2.0), self.x, self.y);
        let words = self.words();
        let line = words.iter().find(hit)?;
        if is_price(&line.text)
            && let Some(card) = self.with_title(line)
        {
            return Some(card);
        }
        Some(self.labelled(line))
    }

    /// A label close to the point, which lies on the checkbox before it or on the gap between.
    fn label_beside(&self) -> Option<Target> {
        let distance = |line: &TextLine| (line.bounds[0] - self.x).max(self.x - line.right());
        let words = self.words();
        let label = words
            .iter()
            .filter(|line| (line.middle_y() - self.y).abs() <= 0.7 * line.bounds[3])
            .filter(|line| {
                let reach = if self.x < line.bounds[0] { CLOSE_BESIDE } else { 0.6 };
                distance(line) <= reach * line.bounds[3]
            })
            .min_by(|a, b| distance(a).total_cmp(&distance(b)))?;
        let target = self.labelled(label);
        let is_near_mark = target.role.as_deref() != Some("link");
        let is_near_text = distance(label) <= 0.6 * label.bounds[3];
        (is_near_mark || is_near_text).then_some(target)
    }

    /// A row with a checkbox or radio button takes clicks up to its end, also where nothing is written any more.
    fn choice_in_row(&self) -> Option<Target> {
        let words = self.words();
        let left = |line: &&&TextLine| {
            let reach = LONGEST_CHOICE_ROW * line.bounds[3];
            (line.middle_y() - self.y).abs() <= 0.7 * line.bounds[3] && (0.0..=reach).contains(&(self.x - line.right()))
        };
        let label = words.iter().filter(left).max_by(|a, b| a.right().total_cmp(&b.right()))?;
        let target = self.labelled(label);
        (target.role.as_deref() != Some("link")).then_some(target)
    }

    fn labelled(&self, line: &TextLine) -> Target {
        let text = caption_of(&[line]);
        let mark =
            if text.chars().count() <= LONGEST_CAPTION { mark_left_of(self.frame, self.lines, line) } else { None };
        let (role, bounds) = match mark {
            Some(mark) => (mark.role, around([mark.bounds, line.bounds]).unwrap_or(line.bounds)),
            None => ("link", line.bounds),
        };
        Target { text: Some(text), role: Some(role.to_owned()), bounds: Some(bounds) }
    }

    /// On the picture of a card: what stands below it.
    fn card(&self) -> Option<Target> {
        let frame_area = f64::from(self.frame.width) * f64::from(self.frame.height);
        let whole = self.rectangles.iter().find(|bounds| !self.lines_in(**bounds).is_empty());
        let card = whole.filter(|bounds| bounds[2] * bounds[3] <= LARGEST_CARD * frame_area);
        let picture = self.rectangles.iter().rev().find(|bounds| self.lines_in(**bounds).is_empty());
        let words = self.words();
        let below: Vec<&TextLine> = if let Some(card) = card {
            words.into_iter().filter(|line| line.bounds[1] > self.y && is_inside(line, *card)).collect()
        } else {
            let [left, top, width, height] = *picture?;
            let caption = |line: &&TextLine| {
                let unit = line.bounds[3];
                let gap = line.bounds[1] - (top + height);
                let shared = (left + width).min(line.right()) - left.max(line.bounds[0]);
                (-0.5 * unit..CAPTION_BELOW_PICTURE * unit).contains(&gap) && shared > 0.8 * line.bounds[2]
            };
            words.into_iter().filter(caption).collect()
        };
        let title = title_and_price(&below);
        let text = caption_of(&title);
        let bounds =
            card.copied().or_else(|| around(picture.copied().into_iter().chain(title.iter().map(|line| line.bounds))));
        let target = Target { text: Some(text), role: Some("link".to_owned()), bounds };
        (!title.is_empty()).then_some(target)
    }

    /// A price was hit: the title above it names the thing.
    fn with_title(&self, price: &TextLine) -> Option<Target> {
        let words = self.words();
        let title = words.iter().rfind(|line| {
            let gap = price.bounds[1] - line.bottom();
            let aligned = (line.bounds[0] - price.bounds[0]).abs() < price.bounds[3];
            aligned && (-0.4 * price.bounds[3]..1.6 * price.bounds[3]).contains(&gap) && !is_price(&line.text)
        })?;
        let bounds = around([title.bounds, price.bounds]);
        let text = format!("{} {}", title.text, price.text);
        Some(Target { text: Some(text), role: Some("link".to_owned()), bounds })
    }

    /// A field without text is named by its label.
    fn empty_field(&self) -> Option<Target> {
        let unit = self.usual_height();
        let is_field = |bounds: &&PixelBox| {
            bounds[2] >= 5.0 * unit
                && (0.9 * unit..=TALLEST_CONTROL * unit).contains(&bounds[3])
                && self.is_plain(**bounds)
                && self.lines_in(**bounds).is_empty()
        };
        let field = *self.rectangles.first().filter(is_field)?;
        let role = if self.is_shaded(field) { "button" } else { "textbox" };
        Some(Target { text: self.label_of_field(field), role: Some(role.to_owned()), bounds: Some(field) })
    }

    /// An icon is named by the link that the browser shows for it.
    fn icon(&self) -> Option<Target> {
        let unit = self.usual_height();
        let bounds = self.rectangles.iter().find(|bounds| bounds[3] <= TALLEST_CONTROL * unit).copied();
        let reach = [self.x - 1.5 * unit, self.y - 1.5 * unit, 3.0 * unit, 3.0 * unit];
        let icon = drawn_boxes(self.frame, reach)
            .into_iter()
            .filter(|icon| contains(grown(*icon, 6.0), self.x, self.y) && icon[2].max(icon[3]) >= 0.3 * unit)
            .filter(|icon| (icon[0] - self.x).abs() > TIP_PX || (icon[1] - self.y).abs() > TIP_PX);
        let is_choice = bounds.is_some_and(|bounds| self.is_choice(bounds, None));
        let bounds = bounds.or_else(|| around(icon))?;
        let link = hovered_link(self.frame, self.lines).and_then(|link| name_of_link(&link));
        let role = match &link {
            Some(_) => "link",
            // What it says is hidden by the pointer.
            None if is_choice => "radio",
            None => "button",
        };
        Some(Target { text: link, role: Some(role.to_owned()), bounds: Some(bounds) })
    }

    fn usual_height(&self) -> f64 {
        let mut heights: Vec<f64> = self.lines.iter().map(|line| line.bounds[3]).collect();
        heights.sort_by(f64::total_cmp);
        heights.get(heights.len() / 2).copied().unwrap_or(20.0)
    }

    /// Whether nearly all of a rectangle has one colour.
    fn is_plain(&self, [left, top, width, height]: PixelBox) -> bool {
        let (right, bottom) = ((left + width) as u32, (top + height) as u32);
        let (columns, rows) = (left as u32 + 3..right.saturating_sub(3), top as u32 + 3..bottom.saturating_sub(3));
        commonest_share(self.frame, columns, rows) >= PLAIN_SHARE
    }

    fn label_of_field(&self, field: PixelBox) -> Option<String> {
        let words = self.words();
        let label = words.iter().rfind(|line| {
            let unit = line.bounds[3];
            let above = (-0.3 * unit..1.2 * unit).contains(&(field[1] - line.bottom()))
                && (line.bounds[0] - field[0]).abs() < unit;
            let before = (-0.3 * unit..1.5 * unit).contains(&(field[0] - line.right()))
                && (line.middle_y() - field[1] - field[3] / 2.0).abs() < 0.5 * unit;
            above || before
        });
        label.map(|line| line.text.clone())
    }

    /// The lines in a rectangle that are words, not icons read as letters.
    fn lines_in(&self, bounds: PixelBox) -> Vec<&TextLine> {
        self.words().into_iter().filter(|line| is_inside(line, bounds)).collect()
    }

    fn words(&self) -> Vec<&TextLine> {
        self.lines.iter().filter(|line| is_words(line)).collect()
    }
}

fn is_inside(line: &TextLine, bounds: PixelBox) -> bool {
    let shared = (bounds[0] + bounds[2]).min(line.right()) - bounds[0].max(line.bounds[0]);
    (bounds[1]..bounds[1] + bounds[3]).contains(&line.middle_y()) && shared >= 0.7 * line.bounds[2]
}

fn rows(lines: &[&TextLine]) -> usize {
    let mut middles: Vec<f64> = lines.iter().map(|line| line.middle_y()).collect();
    middles.sort_by(f64::total_cmp);
    middles.dedup_by(|next, kept| *next - *kept < 0.5 * lines[0].bounds[3]);
    middles.len()
}

#[cfg(test)]
mod tests {
    use media::time::MediaTime;

    use super::*;
    use crate::passes::read_screen::made_line;

    #[test]
    fn what_the_pointer_covers_is_taken_from_before() {
        let mut covered = made_line("blagk (4)", [40.0, 100.0, 60.0, 20.0]);
        covered.confidence = 0.9;
        let earlier =
            [made_line("black (4)", [40.0, 100.0, 60.0, 20.0]), made_line("white (2)", [40.0, 130.0, 60.0, 20.0])];
        let now = std::slice::from_ref(&covered);
        let text = |x: f64, y: f64| uncovered(now, &earlier, Earlier::MayHaveChanged, x, y)[0].text.clone();
        assert_eq!(text(70.0, 110.0), "black (4)");
        assert_eq!(text(400.0, 110.0), "blagk (4)", "the pointer is elsewhere");
        assert_eq!(text(70.0, 300.0), "blagk (4)", "the pointer is elsewhere");
        covered.confidence = 1.0;
        let now = std::slice::from_ref(&covered);
        let text = |is: Earlier| uncovered(now, &earlier, is, 70.0, 110.0)[0].text.clone();
        assert_eq!(text(Earlier::MayHaveChanged), "blagk (4)", "it may say so now");
        assert_eq!(text(Earlier::SameScreen), "black (4)");
        covered.text = "Checkout".to_owned();
        let other = uncovered(std::slice::from_ref(&covered), &earlier, Earlier::SameScreen, 70.0, 110.0);
        assert_eq!(other[0].text, "Checkout", "another text in the same place is another text");
    }

    /// A row of grey boxes with these texts, and the role of the one that is told.
    fn role_in_row(texts: &[&str], of: usize, more: &[TextLine]) -> Option<String> {
        let (width, height) = (800_u32, 400_u32);
        let mut frame = RgbFrame { width, height, data: vec![255; (width * height * 3) as usize], t: MediaTime::ZERO };
        let left = |index: usize| 100 + 80 * index as u32;
        for index in 0..texts.len() {
            for (x, y) in (left(index)..left(index) + 60).flat_map(|x| (200..240).map(move |y| (x, y))) {
                let at = ((y * width + x) * 3) as usize;
                frame.data[at..at + 3].fill(215);
            }
        }
        let text_of = |(index, text): (usize, &&str)| {
            let wide = 10.0 * text.chars().count() as f64;
            made_line(text, [f64::from(left(index)) + 30.0 - wide / 2.0, 211.0, wide, 18.0])
        };
        let lines: Vec<TextLine> = texts.iter().enumerate().map(text_of).chain(more.iter().cloned()).collect();
        target_at(&frame, &lines, f64::from(left(of)) + 30.0, 232.0)?.role
    }

    #[test]
    fn a_row_of_short_texts_is_a_choice_unless_it_is_pages_or_links() {
        let role = |texts: &[&str], of: usize| role_in_row(texts, of, &[]);
        assert_eq!(role(&["8", "9", "10", "11"], 1).as_deref(), Some("radio"));
        for of in 0..4 {
            assert_eq!(role(&["1", "2", "3", "4"], of).as_deref(), Some("button"), "page {}", of + 1);
        }
        let tiles = ["New", "Men", "Kids", "Sale"];
        assert_eq!(role(&tiles, 2).as_deref(), Some("radio"));
        let told = made_line("shop.example/kids", [4.0, 380.0, 170.0, 18.0]);
        assert_eq!(role_in_row(&tiles, 2, &[told]).as_deref(), Some("link"), "the browser shows where it leads");
    }

    #[test]
    fn a_short_text_below_the_pointer_is_known_by_what_stays_around_it() {
        let sizes = |texts: &[&str], y: f64| -> Vec<TextLine> {
            let place = |text: &&str| [text.parse::<f64>().unwrap_or(20.0) * 60.0, y, 24.0, 24.0];
            texts.iter().map(|text| made_line(text, place(text))).collect()
        };
        let earlier = sizes(&["8", "9", "10", "11"], 460.0);
        // The arrow's tip on "10".
        let (x, y) = (608.0, 466.0);
        let texts = |lines: &[TextLine], is: Earlier| -> Vec<String> {
            uncovered(lines, &earlier, is, x, y).into_iter().map(|line| line.text).collect()
        };
        let now = sizes(&["8", "9", "11"], 460.0);
        assert_eq!(texts(&now, Earlier::MayHaveChanged), ["8", "9", "11", "10"]);
        let scrolled = sizes(&["8", "9", "11"], 400.0);
        assert_eq!(texts(&scrolled, Earlier::MayHaveChanged), ["8", "9", "11"], "it is somewhere else now");
        assert_eq!(texts(&scrolled, Earlier::SameScreen), ["8", "9", "11", "10"]);
        let other = vec![made_line("Sold out", [560.0, 460.0, 100.0, 24.0])];
        assert_eq!(texts(&other, Earlier::SameScreen), ["Sold out"], "another text lies there");
    }
}
