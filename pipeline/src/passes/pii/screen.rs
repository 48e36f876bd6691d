//! Private data on screens: in a line, in a label with its value, below the heading of an address.

use shared_types::quality::measurements::Span;
use shared_types::step::PixelBox;

use super::address::{after_heading, is_heading, is_telling};
use super::text::{find_in_text, is_name};
use super::{Pii, PiiKind, Place};
use crate::models::ocr::TextLine;
use crate::passes::Screen;

/// Lines of an address below its heading.
const MAX_ADDRESS_LINES: usize = 6;
/// Lines belong together up to this distance, in heights.
const MAX_GAP_BELOW: f64 = 1.6;
/// A value stands right of its label within this distance, in heights.
const MAX_GAP_BESIDE: f64 = 14.0;
const MAX_LABEL_CHARS: usize = 32;
/// Words that end a label whose value stands elsewhere.
const LABELS: &[&str] = &[
    "card number",
    "credit card",
    "debit card",
    "card no",
    "cvv",
    "cvc",
    "cvv2",
    "security code",
    "order number",
    "order no",
    "order id",
    "order #",
    "tracking number",
    "tracking id",
    "tracking no",
    "phone",
    "phone number",
    "mobile",
    "mobile number",
    "telephone",
    "full name",
    "first name",
    "last name",
    "your name",
    "name on card",
    "cardholder",
    "cardholder name",
    "recipient",
    "recipient name",
    "customer name",
    "surname",
];

/// Something found on one screen.
struct Hit {
    kind: PiiKind,
    bounds: PixelBox,
    /// What it says, to know it again on the next screen.
    text: String,
}

struct Open {
    hit: Hit,
    start: f64,
}

pub(super) fn find_on_screens(screens: &[Screen<'_>], end: f64) -> Vec<Pii> {
    let mut done = Vec::new();
    let mut open: Vec<Open> = Vec::new();
    for &(t, lines) in screens {
        let mut still_open = Vec::new();
        for hit in on_screen(lines) {
            let known = open.iter().position(|known| is_same(&known.hit, &hit));
            match known.map(|at| open.swap_remove(at)) {
                Some(known) => {
                    let bounds = union(known.hit.bounds, hit.bounds);
                    still_open.push(Open { hit: Hit { bounds, ..hit }, start: known.start });
                }
                None => still_open.push(Open { hit, start: t }),
            }
        }
        done.extend(open.drain(..).map(|gone| close(&gone, t)));
        open = still_open;
    }
    done.extend(open.iter().map(|last| close(last, end.max(last.start))));
    done
}

fn close(open: &Open, end: f64) -> Pii {
    Pii { kind: open.hit.kind, span: Span::new(open.start, end), place: Place::Screen(open.hit.bounds) }
}

/// The same thing at the same place; scrolled it counts anew, since another part of the picture shows it.
fn is_same(a: &Hit, b: &Hit) -> bool {
    let close = |at: usize| (a.bounds[at] - b.bounds[at]).abs() <= a.bounds[3].max(b.bounds[3]) / 2.0;
    a.kind == b.kind && a.text == b.text && close(0) && close(1)
}

fn union(a: PixelBox, b: PixelBox) -> PixelBox {
    let (left, top) = (a[0].min(b[0]), a[1].min(b[1]));
    let (right, bottom) = ((a[0] + a[2]).max(b[0] + b[2]), (a[1] + a[3]).max(b[1] + b[3]));
    [left, top, right - left, bottom - top]
}

fn on_screen(lines: &[TextLine]) -> Vec<Hit> {
    let mut hits: Vec<Hit> = Vec::new();
    let mut add = |hit: Hit| {
        if hits.iter().all(|known| known.kind != hit.kind || !overlap(known.bounds, hit.bounds)) {
            hits.push(hit);
        }
    };
    for line in lines {
        for found in find_in_text(&line.text) {
            add(part(found.kind, line, found.start, found.end));
        }
        if is_label(&line.text)
            && let Some(value) = value_of(line, lines)
        {
            let label = format!("{}: ", line.text.trim().trim_end_matches([':', '*', ' ']));
            for found in find_in_text(&format!("{label}{}", value.text)) {
                if found.start >= label.len() {
                    add(part(found.kind, value, found.start - label.len(), found.end - label.len()));
                }
            }
        }
        if let Some((start, end)) = after_heading(&line.text) {
            add(part(PiiKind::Address, line, start, end));
        }
        if is_heading(&line.text) {
            for below in address_below(line, lines) {
                let kind =
                    if is_name(&below.text) && !is_telling(&below.text) { PiiKind::Name } else { PiiKind::Address };
                add(part(kind, below, 0, below.text.len()));
            }
        }
    }
    hits
}

fn overlap(a: PixelBox, b: PixelBox) -> bool {
    let apart = |at: usize| a[at] + a[at + 2] <= b[at] || b[at] + b[at + 2] <= a[at];
    !apart(0) && !apart(1)
}

/// A stretch of a line with the box around its characters.
fn part(kind: PiiKind, line: &TextLine, start: usize, end: usize) -> Hit {
    let first = line.text[..start].chars().count();
    let count = line.text[start..end].chars().count();
    let pitch = line.bounds[2] / line.text.chars().count().max(1) as f64;
    let middle = |at: usize| line.char_x.get(at).copied();
    // A character of margin: the positions are good to about half of one.
    let left = if first == 0 { line.bounds[0] } else { middle(first).map_or(line.bounds[0], |x| x - pitch) };
    let last = (first + count).checked_sub(1);
    let is_to_the_end = first + count >= line.text.chars().count();
    let right = match last.and_then(middle) {
        Some(x) if !is_to_the_end => x + pitch,
        _ => line.right(),
    };
    let left = left.max(line.bounds[0]);
    let right = right.min(line.right()).max(left);
    let text = line.text[start..end].to_owned();
    Hit { kind, bounds: [left, line.bounds[1], right - left, line.bounds[3]], text }
}

fn is_label(text: &str) -> bool {
    let plain = text.trim().trim_end_matches([':', '*', ' ']).to_lowercase();
    plain.chars().count() <= MAX_LABEL_CHARS && LABELS.contains(&plain.as_str())
}

/// The line right of a label in its row, otherwise the one below it.
fn value_of<'a>(label: &TextLine, lines: &'a [TextLine]) -> Option<&'a TextLine> {
    let height = label.bounds[3];
    let beside = lines
        .iter()
        .filter(|line| (line.middle_y() - label.middle_y()).abs() < height / 2.0)
        .filter(|line| line.bounds[0] >= label.right() && line.bounds[0] - label.right() < MAX_GAP_BESIDE * height)
        .min_by(|a, b| a.bounds[0].total_cmp(&b.bounds[0]));
    let below = || {
        lines
            .iter()
            .filter(|line| is_below(line, label, MAX_GAP_BELOW))
            .min_by(|a, b| a.bounds[1].total_cmp(&b.bounds[1]))
    };
    beside.filter(|line| !is_label(&line.text)).or_else(below).filter(|line| !is_label(&line.text))
}

/// Lines below a heading up to a gap or the next heading, if one of them reads like an address; from the first to the
/// last that does, with the name above.
fn address_below<'a>(heading: &TextLine, lines: &'a [TextLine]) -> Vec<&'a TextLine> {
    let mut below: Vec<&TextLine> = Vec::new();
    let mut edge = heading;
    while below.len() < MAX_ADDRESS_LINES {
        let next = lines
            .iter()
            .filter(|line| is_below(line, edge, MAX_GAP_BELOW))
            .min_by(|a, b| a.bounds[1].total_cmp(&b.bounds[1]));
        match next {
            Some(line) if !is_heading(&line.text) && !is_label(&line.text) => {
                below.push(line);
                edge = line;
            }
            _ => break,
        }
    }
    match below.iter().rposition(|line| is_telling(&line.text)) {
        Some(last) => below[..=last].to_vec(),
        None => Vec::new(),
    }
}

fn is_below(line: &TextLine, edge: &TextLine, max_gap: f64) -> bool {
    let gap = line.bounds[1] - edge.bottom();
    let height = edge.bounds[3].max(line.bounds[3]);
    // Boxes of neighbouring lines may overlap a little.
    gap > -0.4 * height && gap < max_gap * height && (line.bounds[0] - edge.bounds[0]).abs() < 1.5 * height
}
