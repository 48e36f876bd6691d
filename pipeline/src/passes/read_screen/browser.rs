//! The browser's own row: back, forward, reload, the address.
//!
//! It is recognised by an address (or the hint of an empty address field) in a wide field near the top of the picture, or
//! by an empty wide field with icons to its left, right below a row of tabs; without one, nothing here applies. Browsers
//! agree on what lies around it: back, forward, reload and home to its left, in this order; tabs above.

use media::frame::RgbFrame;
use shared_types::step::{PixelBox, Target};

use super::captions::{caption_of, is_words};
use super::marks::{commonest_colour, drawn_boxes};
use super::rectangles::rectangles_around;
use super::{contains, grown};
use crate::models::ocr::TextLine;

/// What the address field shows, without what it does not (most browsers leave out `https://`).
#[derive(Debug, Clone, PartialEq)]
pub struct Address {
    pub url: String,
    pub bounds: PixelBox,
}

/// Share of the picture's height in which the row is looked for.
const TOP_SHARE: f64 = 0.2;
const NARROWEST_FIELD: f64 = 0.25;
/// An empty field says nothing itself, so that it has to be wider, and its height one for a single line.
const NARROWEST_EMPTY_FIELD: f64 = 0.5;
const EMPTY_FIELD_LINES: std::ops::RangeInclusive<f64> = 1.4..=4.0;
/// Back, forward and reload, of which one may be too pale to be seen.
const LEAST_ICONS: usize = 2;
/// How far the open tab's colour is from that of the row below.
const TAB_COLOUR: u8 = 8;
/// A tab's closing cross, in heights of the title's line: its size, and how much of the line it takes up where it was read as
/// a letter.
const CROSS: std::ops::RangeInclusive<f64> = 0.25..=0.75;
const CROSS_IN_TITLE: f64 = 0.8;
/// How far behind a title the tab may go on, in half heights of its line.
const WIDEST_TAB: u32 = 24;
/// From the middle of a letter to its end, and how near the cross a title fades, in the same.
const HALF_LETTER: f64 = 0.25;
const FADES_BEFORE: f64 = 1.1;
const LEFT_OF_ADDRESS: [&str; 4] = ["Back", "Forward", "Reload", "Home"];

pub fn address_bar(frame: &RgbFrame, lines: &[TextLine]) -> Option<Address> {
    let bar = Bar::find(frame, lines)?;
    let url = bar.url?;
    Some(Address { url, bounds: bar.field })
}

/// The title on the open tab, as far as the tab is wide enough for it.
///
/// Of several tabs the open one has the colour of the row with the address below it.
pub fn open_tab(frame: &RgbFrame, lines: &[TextLine]) -> Option<String> {
    let bar = Bar::find(frame, lines)?;
    let above = |line: &&TextLine| line.bottom() < bar.field[1] + 2.0 && is_words(line);
    let titles: Vec<&TextLine> = lines.iter().filter(above).collect();
    let behind = |[left, top, width, height]: PixelBox| {
        let columns = left.max(0.0) as u32..((left + width).max(0.0) as u32).min(frame.width);
        let rows = top.max(0.0) as u32..((top + height).max(0.0) as u32).min(frame.height);
        commonest_colour(frame, columns, rows)
    };
    let row = behind([0.0, bar.field[1], bar.field[0] - 2.0, bar.field[3]])?;
    let is_open = |line: &&&TextLine| {
        behind(line.bounds).is_some_and(|colour| colour.iter().zip(row).all(|(a, b)| a.abs_diff(b) <= TAB_COLOUR))
    };
    let open = match titles.as_slice() {
        [only] => only,
        several => several.iter().find(is_open)?,
    };
    let title = as_far_as_shown(frame, open);
    (!title.is_empty()).then_some(title)
}

/// A tab's title without the cross that closes the tab. Where it reaches the cross it is cut or faded: the word that ends
/// there is left out, and an ellipsis says so.
fn as_far_as_shown(frame: &RgbFrame, line: &TextLine) -> String {
    let unit = line.bounds[3];
    let whole = caption_of(&[line]).trim_end_matches('×').trim_end().to_owned();
    let Some(cross) = closing_cross(frame, line) else { return whole };
    let (text, char_x): (String, Vec<f64>) =
        line.text.chars().zip(line.char_x.iter().copied()).filter(|(_, x)| *x < cross[0]).unzip();
    let Some(end) = char_x.last().map(|middle| middle + HALF_LETTER * unit) else { return whole };
    let title = caption_of(&[&TextLine { text: text.trim_end().to_owned(), char_x, ..line.clone() }]);
    if cross[0] - end > FADES_BEFORE * unit {
        return title;
    }
    // A single word is told as far as it was read.
    let title = title.trim_end_matches('…');
    let kept = title.rsplit_once(' ').map_or(title, |(kept, _)| kept);
    let kept = kept.trim_end_matches([' ', '|', '-', '–', '—', '·']);
    format!("{kept}…")
}

/// The cross at the end of a tab: drawn behind the title, or taken for its last letter where none is drawn behind it.
fn closing_cross(frame: &RgbFrame, line: &TextLine) -> Option<PixelBox> {
    let unit = line.bounds[3];
    let colour = |left: f64| {
        let columns = left.max(0.0) as u32..((left + unit).max(0.0) as u32).min(frame.width);
        let rows = line.bounds[1].max(0.0) as u32..(line.bottom().max(0.0) as u32).min(frame.height);
        commonest_colour(frame, columns, rows)
    };
    let tab = colour(line.bounds[0])?;
    let in_tab =
        |left: f64| colour(left).is_some_and(|colour| colour.iter().zip(tab).all(|(a, b)| a.abs_diff(b) <= TAB_COLOUR));
    let is_cross = |drawing: &PixelBox| {
        let [_, top, width, height] = *drawing;
        let is_level = (top + height / 2.0 - line.middle_y()).abs() <= 0.2 * unit;
        (width - height).abs() <= 2.0 && CROSS.contains(&(width / unit)) && is_level
    };
    let drawn = |left: f64, width: f64| {
        drawn_boxes(frame, [left, line.bounds[1] - 2.0, width, unit + 4.0]).into_iter().rfind(is_cross)
    };
    // Half of it in one place, it is whole in the next.
    let mut places =
        (0..WIDEST_TAB).map(|half| line.right() + f64::from(half) * unit / 2.0).take_while(|left| in_tab(*left));
    let behind = places.find_map(|left| drawn(left, 1.2 * unit));
    let read_as_letter = line.text.ends_with(['x', 'X', '×']);
    behind.or_else(|| {
        if read_as_letter { drawn(line.right() - CROSS_IN_TITLE * unit, (CROSS_IN_TITLE + 0.1) * unit) } else { None }
    })
}

pub(super) struct Bar {
    url: Option<String>,
    text: PixelBox,
    pub(super) field: PixelBox,
}

impl Bar {
    pub(super) fn find(frame: &RgbFrame, lines: &[TextLine]) -> Option<Self> {
        let lowest = f64::from(frame.height) * TOP_SHARE;
        let near_top = lines.iter().filter(|line| line.middle_y() < lowest);
        near_top.filter(|line| is_hint(&line.text) || address_in(&line.text).is_some()).find_map(|line| {
            let middle = line.middle_y();
            let is_field = |bounds: &PixelBox| {
                bounds[2] >= f64::from(frame.width) * NARROWEST_FIELD && middle - bounds[1] <= 2.0 * line.bounds[3]
            };
            let field =
                rectangles_around(frame, line.bounds[0] + line.bounds[2] / 2.0, middle).into_iter().find(is_field)?;
            // While suggestions are shown, the rectangle holds them too: the field is its first row.
            let height = field[3].min(2.0 * (middle - field[1]));
            let field = [field[0], middle - height / 2.0, field[2], height];
            Some(Self { url: address_in(&line.text), text: line.bounds, field })
        })
    }

    /// The row while its address field is empty and shows no hint, as on a new tab.
    pub(super) fn find_empty(frame: &RgbFrame, lines: &[TextLine]) -> Option<Self> {
        let (width, lowest) = (f64::from(frame.width), f64::from(frame.height) * TOP_SHARE);
        let in_tabs = |line: &&TextLine| line.bottom() < lowest / 2.0 && is_words(line);
        let tab = lines.iter().filter(in_tabs).min_by(|a, b| a.middle_y().total_cmp(&b.middle_y()))?;
        let line_height = tab.bounds[3];
        let is_field = |bounds: &PixelBox| {
            let [left, top, field_width, height] = *bounds;
            let icons = || icons_in(frame, [0.0, top - 1.0, left - 3.0, height + 2.0]).len();
            field_width >= width * NARROWEST_EMPTY_FIELD
                && EMPTY_FIELD_LINES.contains(&(height / line_height))
                && top > tab.bottom()
                && !lines.iter().any(|line| contains(*bounds, line.bounds[0], line.middle_y()) && is_words(line))
                && icons() >= LEAST_ICONS
        };
        let rows = (1..=8).map(|half| tab.bottom() + f64::from(half) * line_height / 2.0).take_while(|y| *y < lowest);
        let field = rows.flat_map(|y| rectangles_around(frame, width / 2.0, y)).find(is_field)?;
        let [left, top, field_width, height] = field;
        Some(Self { url: None, text: [left + 1.2 * height, top, field_width - 2.4 * height, height], field })
    }

    /// Whether a height is that of the row or of what lies above it, and not of the page.
    pub(super) fn holds(&self, y: f64) -> bool {
        y <= self.field[1] + self.field[3] + 4.0
    }

    /// What of the browser itself lies at a point; `None` below its row, where the page begins.
    pub(super) fn target_at(&self, frame: &RgbFrame, lines: &[TextLine], x: f64, y: f64) -> Option<Target> {
        if !self.holds(y) {
            return None;
        }
        let target = |text: Option<&str>, role: &str, bounds| {
            Some(Target { text: text.map(str::to_owned), role: Some(role.to_owned()), bounds: Some(bounds) })
        };
        if y < self.field[1] - 4.0 {
            let line = lines.iter().find(|line| contains(grown(line.bounds, 3.0), x, y))?;
            return match line.text.trim_end_matches(['×', 'x', 'X']).trim() {
                "+" => target(Some("New Tab"), "button", line.bounds),
                "" => target(Some("Close"), "button", line.bounds),
                title => target(Some(title), "tab", line.bounds),
            };
        }
        let unit = self.field[3];
        if x < self.field[0] {
            let row = [0.0, self.field[1] - 1.0, self.field[0] - 3.0, unit + 2.0];
            let icons = icons_in(frame, row);
            let middle = |bounds: &PixelBox| bounds[0] + bounds[2] / 2.0;
            let nearest = icons
                .iter()
                .enumerate()
                .min_by(|a, b| (middle(a.1) - x).abs().total_cmp(&(middle(b.1) - x).abs()))
                .filter(|(_, bounds)| (middle(bounds) - x).abs() <= unit);
            return nearest.and_then(|(index, bounds)| target(LEFT_OF_ADDRESS.get(index).copied(), "button", *bounds));
        }
        if x > self.field[0] + self.field[2] {
            let icon = [x - unit / 2.0, self.field[1], unit, unit];
            return target(None, "button", icon);
        }
        if x < self.text[0] - 0.1 * unit {
            let icon = [self.field[0], self.field[1], self.text[0] - self.field[0], unit];
            return target(Some("View site information"), "button", icon);
        }
        if x > self.field[0] + self.field[2] - 1.2 * unit {
            let icon = [self.field[0] + self.field[2] - 1.2 * unit, self.field[1], 1.2 * unit, unit];
            return target(Some("Bookmark this tab"), "button", icon);
        }
        target(Some("Address and search bar"), "textbox", self.field)
    }
}

/// Drawings of one row, their pieces put together.
fn icons_in(frame: &RgbFrame, row: PixelBox) -> Vec<PixelBox> {
    let mut icons: Vec<PixelBox> = Vec::new();
    for bounds in drawn_boxes(frame, row) {
        match icons.last_mut() {
            Some(last) if bounds[0] - (last[0] + last[2]) < 5.0 => {
                if let Some(joined) = super::around([*last, bounds]) {
                    *last = joined;
                }
            }
            _ => icons.push(bounds),
        }
    }
    icons.retain(|bounds| bounds[2].max(bounds[3]) >= 0.2 * row[3]);
    icons
}

/// The link that a browser shows in the corner below while the pointer rests on it.
pub(super) fn hovered_link(frame: &RgbFrame, lines: &[TextLine]) -> Option<String> {
    let (width, height) = (f64::from(frame.width), f64::from(frame.height));
    let in_corner = |line: &&TextLine| line.bounds[0] < 0.02 * width && line.bottom() > height - 1.6 * line.bounds[3];
    lines.iter().filter(in_corner).find_map(|line| address_in(&line.text))
}

/// The text of an empty address field: `Search Google or type a URL`.
fn is_hint(text: &str) -> bool {
    let text = text.to_lowercase();
    let begins = text.contains("search") || text.contains("ask ");
    let ends = ["type a url", "type url", "enter address", "web address", "website name"];
    begins && ends.iter().any(|end| text.contains(end))
}

/// The part of a text that is an address: a host with a dot or a port and what follows, or `about:blank` and the like.
pub(super) fn address_in(text: &str) -> Option<String> {
    text.split_whitespace().find(|part| is_address(part)).map(|part| {
        let shown = part.trim_start_matches("https://").trim_start_matches("http://");
        shown.trim_end_matches(['…', '|']).to_owned()
    })
}

fn is_address(text: &str) -> bool {
    if ["about:", "chrome://", "edge://", "file://"].iter().any(|scheme| text.starts_with(scheme)) {
        return true;
    }
    let has_scheme = text.starts_with("http://") || text.starts_with("https://");
    let rest = text.trim_start_matches("https://").trim_start_matches("http://");
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let (host, port) = authority.split_once(':').unwrap_or((authority, ""));
    let is_label = |label: &str| !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let port_fits = port.is_empty() || (port.len() <= 5 && port.chars().all(|c| c.is_ascii_digit()));
    let labels: Vec<&str> = host.split('.').collect();
    let top = labels.last().copied().unwrap_or_default();
    let is_number = labels.len() == 4 && labels.iter().all(|label| label.parse::<u8>().is_ok());
    let is_name = labels.len() >= 2 && top.len() >= 2 && top.chars().all(|c| c.is_ascii_alphabetic());
    let is_local = host == "localhost" || (labels.len() == 1 && !port.is_empty());
    labels.iter().all(|label| is_label(label)) && port_fits && (is_number || is_name || is_local || has_scheme)
}

#[cfg(test)]
mod tests {
    use media::time::MediaTime;

    use super::*;
    use crate::passes::read_screen::made_line;

    #[test]
    fn addresses_are_told_from_other_texts() {
        let check = |text: &str, expected: Option<&str>| assert_eq!(address_in(text).as_deref(), expected, "{text}");
        check("localhost:3001/product/football", Some("localhost:3001/product/football"));
        check("https://www.example.com/search?q=shoe", Some("www.example.com/search?q=shoe"));
        check("about:blank", Some("about:blank"));
        check("192.168.0.7:8080", Some("192.168.0.7:8080"));
        check("O example.org", Some("example.org"));
        check("Home & Garden", None);
        check("$53.94", None);
        check("4.5", None);
        check("Name: A to Z", None);
        check("Filters:", None);
    }

    #[test]
    fn a_title_that_reaches_the_cross_is_cut() {
        let check = |text: &str, width: f64, crosses: &[u32], expected: &str| {
            let mut frame = RgbFrame { width: 400, height: 40, data: vec![255; 400 * 40 * 3], t: MediaTime::ZERO };
            for (cross, i) in crosses.iter().flat_map(|cross| (0..8).map(move |i| (*cross, i))) {
                for x in [cross + i, cross + 7 - i] {
                    let at = ((16 + i) * 400 + x) as usize * 3;
                    frame.data[at..at + 3].fill(0);
                }
            }
            let line = made_line(text, [20.0, 10.0, width, 20.0]);
            assert_eq!(as_far_as_shown(&frame, &line), expected);
        };
        check("Lamps for every room | Haven", 200.0, &[300], "Lamps for every room | Haven");
        check("Lamps for every room | Hav", 200.0, &[230], "Lamps for every room…");
        check("Lamps for every roo", 200.0, &[230], "Lamps for every…");
        check("shop.example/lam", 200.0, &[230], "shop.example/lam…");
        check("Lamps for every room", 200.0, &[], "Lamps for every room");
        check("Lamps for every room x", 200.0, &[211], "Lamps for every…");
        check("Kleenex", 60.0, &[71, 300], "Kleenex");
    }

    #[test]
    fn hints_of_empty_address_fields_are_known() {
        assert!(is_hint("Search Google or type a URL"));
        assert!(is_hint("Search with DuckDuckGo or enter address"));
        assert!(!is_hint("Search products..."));
    }
}
