//! Private data on screens: in a line, in a label with its value, below the heading of an address.

use shared_types::quality::measurements::Span;
use shared_types::step::PixelBox;

use super::address::{after_heading, is_heading, is_telling};
use super::code::{code_behind_card, code_behind_label, code_beside, is_code, is_code_label};
use super::section::rows_below;
use super::text::is_name;
use super::{Known, Pii, PiiKind, Place, find_all};
use crate::models::ocr::TextLine;
use crate::passes::Screen;

/// Lines of an address below its heading.
const MAX_ADDRESS_LINES: usize = 6;
/// Lines belong together up to this distance, in heights.
const MAX_GAP_BELOW: f64 = 1.6;
/// A value stands right of its label within this distance, in heights.
const MAX_GAP_BESIDE: f64 = 14.0;
const MAX_LABEL_CHARS: usize = 32;
/// Fields of forms whose value is private before it is whole, with how many digits it has at least by then.
const FIELDS: &[(&str, PiiKind, usize)] = &[
    ("card number", PiiKind::PaymentCard, 4),
    ("card no", PiiKind::PaymentCard, 4),
    ("credit card number", PiiKind::PaymentCard, 4),
    ("debit card number", PiiKind::PaymentCard, 4),
    ("phone", PiiKind::Phone, 5),
    ("phone number", PiiKind::Phone, 5),
    ("mobile", PiiKind::Phone, 5),
    ("mobile number", PiiKind::Phone, 5),
    ("zip", PiiKind::Address, 3),
    ("zip code", PiiKind::Address, 3),
    ("postal code", PiiKind::Address, 3),
    ("postcode", PiiKind::Address, 2),
    ("street", PiiKind::Address, 1),
    ("street address", PiiKind::Address, 1),
    ("address line 1", PiiKind::Address, 1),
];
const LONGEST_FIELD_VALUE: usize = 48;
/// Words that end a label whose value stands elsewhere.
const LABELS: &[&str] = &[
    "card number",
    "credit card",
    "debit card",
    "credit card number",
    "debit card number",
    "card no",
    "confirmation number",
    "zip",
    "zip code",
    "postal code",
    "postcode",
    "street",
    "street address",
    "address line 1",
    "order number",
    "order no",
    "order id",
    "order #",
    "order",
    "last order",
    "latest order",
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

/// Something private on one screen.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    pub kind: PiiKind,
    pub bounds: PixelBox,
    /// What it says, to know it again elsewhere.
    pub text: String,
    /// Which of the screen's lines it stands in, and where by bytes.
    pub line: usize,
    pub start: usize,
    pub end: usize,
}

struct Open {
    hit: Hit,
    start: f64,
}

pub(super) fn find_on_screens(screens: &[Screen<'_>], end: f64, known: &Known) -> Vec<Pii> {
    let mut done = Vec::new();
    let mut open: Vec<Open> = Vec::new();
    for &(t, lines) in screens {
        let mut still_open = Vec::new();
        for hit in on_screen(lines, known) {
            let earlier = open.iter().position(|earlier| is_same(&earlier.hit, &hit));
            match earlier.map(|at| open.swap_remove(at)) {
                Some(earlier) => {
                    let bounds = union(earlier.hit.bounds, hit.bounds);
                    still_open.push(Open { hit: Hit { bounds, ..hit }, start: earlier.start });
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

/// What is private in the lines of one screen.
pub fn on_screen(lines: &[TextLine], known: &Known) -> Vec<Hit> {
    let mut hits: Vec<Hit> = Vec::new();
    let mut add = |kind: PiiKind, line: usize, start: usize, end: usize| {
        let overlaps = |other: &Hit| other.line == line && other.start < end && start < other.end;
        if hits.iter().all(|other| other.kind != kind || !overlaps(other)) {
            hits.push(part(kind, lines, line, start, end));
        }
    };
    for (at, line) in lines.iter().enumerate() {
        for found in find_all(&line.text, known) {
            add(found.kind, at, found.start, found.end);
        }
        if is_label(&line.text)
            && let Some(value) = value_of(line, lines)
        {
            let text = &lines[value].text;
            let label = format!("{}: ", line.text.trim().trim_end_matches([':', '*', ' ']));
            for found in find_all(&format!("{label}{text}"), known) {
                if found.start >= label.len() {
                    add(found.kind, value, found.start - label.len(), found.end - label.len());
                }
            }
            if let Some(kind) = field_value(&line.text, text) {
                add(kind, value, 0, text.len());
            }
        }
        if let Some((start, end)) = code_behind_label(&line.text) {
            add(PiiKind::Cvv, at, start, end);
        }
        if let Some((start, end)) = after_heading(&line.text) {
            add(PiiKind::Address, at, start, end);
        }
        if is_heading(&line.text) {
            for below in address_below(line, lines) {
                let text = &lines[below].text;
                let kind = if is_name(text) && !is_telling(text) { PiiKind::Name } else { PiiKind::Address };
                add(kind, below, 0, text.len());
            }
            for (kind, value) in rows_below(line, lines) {
                add(kind, value, 0, lines[value].text.len());
            }
        }
    }
    for value in known.values_in_fields(lines) {
        add(PiiKind::Cvv, value, 0, lines[value].text.len());
    }
    let cards: Vec<(usize, usize)> =
        hits.iter().filter(|hit| hit.kind == PiiKind::PaymentCard).map(|hit| (hit.line, hit.end)).collect();
    for (card, end) in cards {
        if let Some((start, end)) = code_behind_card(&lines[card].text, end) {
            hits.push(part(PiiKind::Cvv, lines, card, start, end));
        }
        for value in code_beside(&lines[card], lines) {
            let text = &lines[value].text;
            if hits.iter().all(|hit| hit.line != value) {
                hits.push(part(PiiKind::Cvv, lines, value, 0, text.len()));
            }
        }
    }
    hits
}

/// What the value of a form's field is, even where it is only half typed.
fn field_value(label: &str, value: &str) -> Option<PiiKind> {
    if is_code_label(label) {
        return is_code(value).then_some(PiiKind::Cvv);
    }
    let label = plain_label(label);
    let &(_, kind, digits) = FIELDS.iter().find(|(name, ..)| *name == label)?;
    let found = value.chars().filter(char::is_ascii_digit).count();
    let is_value =
        found >= digits && value.chars().count() <= LONGEST_FIELD_VALUE && !value.contains(['$', '€', '£', '%']);
    // A number is all digits; a street has a name too.
    let letters = value.chars().filter(|c| c.is_alphabetic()).count();
    let has_right_form = match kind {
        PiiKind::Address => true,
        _ => letters == 0,
    };
    (is_value && has_right_form).then_some(kind)
}

/// A stretch of a line with the box around its characters.
fn part(kind: PiiKind, lines: &[TextLine], at: usize, start: usize, end: usize) -> Hit {
    let line = &lines[at];
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
    let bounds = [left, line.bounds[1], right - left, line.bounds[3]];
    Hit { kind, bounds, text, line: at, start, end }
}

pub(super) fn plain_label(text: &str) -> String {
    text.trim().trim_end_matches([':', '*', ' ']).to_lowercase()
}

fn is_label(text: &str) -> bool {
    let plain = plain_label(text);
    plain.chars().count() <= MAX_LABEL_CHARS && LABELS.contains(&plain.as_str()) || is_code_label(text)
}

/// The line right of a label in its row, otherwise the one below it.
fn value_of(label: &TextLine, lines: &[TextLine]) -> Option<usize> {
    let at = beside(label, lines).or_else(|| next_below(label, lines))?;
    (!is_label(&lines[at].text)).then_some(at)
}

/// The line right of a label in its row, unless it is a label itself.
pub(super) fn beside(label: &TextLine, lines: &[TextLine]) -> Option<usize> {
    let height = label.bounds[3];
    let beside = lines
        .iter()
        .enumerate()
        .filter(|(_, line)| (line.middle_y() - label.middle_y()).abs() < height / 2.0)
        .filter(|(_, line)| line.bounds[0] >= label.right() && line.bounds[0] - label.right() < MAX_GAP_BESIDE * height)
        .min_by(|(_, a), (_, b)| a.bounds[0].total_cmp(&b.bounds[0]));
    beside.map(|(at, _)| at).filter(|&at| !is_label(&lines[at].text))
}

pub(super) fn next_below(edge: &TextLine, lines: &[TextLine]) -> Option<usize> {
    let below = lines.iter().enumerate().filter(|(_, line)| is_below(line, edge, MAX_GAP_BELOW));
    below.min_by(|(_, a), (_, b)| a.bounds[1].total_cmp(&b.bounds[1])).map(|(at, _)| at)
}

/// Lines below a heading up to a gap or the next heading, if one of them reads like an address; from the first to the
/// last that does, with the name above.
fn address_below(heading: &TextLine, lines: &[TextLine]) -> Vec<usize> {
    let mut below: Vec<usize> = Vec::new();
    let mut edge = heading;
    while below.len() < MAX_ADDRESS_LINES {
        match next_below(edge, lines) {
            Some(at) if !is_heading(&lines[at].text) && !is_label(&lines[at].text) => {
                below.push(at);
                edge = &lines[at];
            }
            _ => break,
        }
    }
    match below.iter().rposition(|&at| is_telling(&lines[at].text)) {
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
