//! What may leave this machine of a recording: its Steps, words and pictures without private data.
//!
//! A [`Redacted`] is made in one place, from what the search for private data found. Words inside a found stretch of
//! speech are left out, found boxes are painted over in every picture, a Step aimed at such a box loses its target's
//! text and what was typed, and every text is searched once more on its own. A picture whose text nobody has read could
//! show anything, and is never handed out.

use std::rc::Rc;

use media::frame::RgbFrame;
use shared_types::quality::measurements::Span;
use shared_types::step::{Action, PixelBox, Step};
use shared_types::transcript::{Transcript, Word};

use crate::models::ocr::TextLine;
use crate::passes::pii::{self, Pii, Place};
use crate::passes::steps::ReadPicture;

/// What stands where something private stood.
const PRIVATE: &str = "[private]";
/// Around a box: the text's edges and the field's frame.
const MARGIN_PX: f64 = 4.0;
/// Words said around a Step.
const BEFORE_SECS: f64 = 5.0;
const AFTER_SECS: f64 = 2.0;
/// What was typed shows until then at least.
const SHOWS_SECS: f64 = 3.0;

/// Where pictures come from: by the name that Steps use, and only those whose text was read.
pub trait Pictures {
    fn read_picture(&mut self, name: &str) -> Option<Rc<ReadPicture>>;
}

/// A take as the passes left it.
#[derive(Clone, Copy)]
pub struct Take<'a> {
    pub goal: Option<&'a str>,
    pub steps: &'a [Step],
    pub transcript: &'a Transcript,
    pub private: &'a [Pii],
}

/// A take without its private data.
pub struct Redacted<P> {
    pub(super) goal: Option<String>,
    pub(super) steps: Vec<Told>,
    boxes: Vec<(Span, PixelBox)>,
    pictures: P,
}

/// A Step as it may be told.
pub(super) struct Told {
    pub(super) t: f64,
    pub(super) action: Action,
    pub(super) point: Option<(f64, f64)>,
    pub(super) target: Option<String>,
    pub(super) role: Option<String>,
    pub(super) typed: Option<String>,
    pub(super) key: Option<String>,
    pub(super) title: Option<String>,
    pub(super) url: Option<String>,
    pub(super) intent: Option<&'static str>,
    pub(super) said: String,
    pub(super) before: Option<String>,
    pub(super) after: Option<String>,
}

/// A picture with its private boxes painted over, and the lines outside of them.
pub(super) struct Shown {
    pub(super) rgb: RgbFrame,
    pub(super) lines: Vec<TextLine>,
}

impl<P: Pictures> Redacted<P> {
    pub fn new(take: Take<'_>, pictures: P) -> Self {
        let mut boxes = Vec::new();
        let mut silences = Vec::new();
        for found in take.private {
            match found.place {
                Place::Screen(bounds) => boxes.push((found.span, bounds)),
                Place::Words(span) => silences.push(span),
            }
        }
        let steps = take.steps.iter().map(|step| told(step, take.transcript, &boxes, &silences)).collect();
        Self { goal: take.goal.map(masked), steps, boxes, pictures }
    }

    /// A picture that may be sent; `None` where there is none or nobody read it.
    pub(super) fn picture(&mut self, name: &str) -> Option<Shown> {
        let picture = self.pictures.read_picture(name)?;
        let t = picture.rgb.t.secs();
        // What was found over the whole take, and what this one screen says by itself.
        let found = pii::find(&[(t, &picture.lines)], t, &Transcript::default());
        let own = found.iter().filter_map(|found| match found.place {
            Place::Screen(bounds) => Some(bounds),
            Place::Words(_) => None,
        });
        let known = self.boxes.iter().filter(|(span, _)| span.start <= t && t <= span.end).map(|(_, bounds)| *bounds);
        let boxes: Vec<PixelBox> = own.chain(known).collect();
        let mut rgb = picture.rgb.clone();
        for bounds in &boxes {
            paint_over(&mut rgb, *bounds);
        }
        let is_open = |line: &&TextLine| !boxes.iter().any(|bounds| overlap(*bounds, line.bounds));
        let lines = picture.lines.iter().filter(is_open).cloned();
        let lines = lines.map(|line| TextLine { text: masked(&line.text), ..line }).collect();
        Some(Shown { rgb, lines })
    }
}

fn told(step: &Step, transcript: &Transcript, boxes: &[(Span, PixelBox)], silences: &[Span]) -> Told {
    let until = step.t_end + SHOWS_SECS;
    let near = boxes.iter().filter(|(span, _)| span.start <= until && span.end >= step.t).map(|(_, bounds)| *bounds);
    let target = step.target.as_ref();
    let point = step.x.zip(step.y);
    let aims_at = |bounds: PixelBox| {
        let at_point = point.is_some_and(|(x, y)| overlap(bounds, [x, y, 1.0, 1.0]));
        at_point || target.and_then(|target| target.bounds).is_some_and(|aimed| overlap(bounds, aimed))
    };
    let is_private = near.into_iter().any(aims_at);
    let open = |text: Option<&str>| text.map(|text| if is_private { PRIVATE.to_owned() } else { masked(text) });
    let target_text = target.and_then(|target| target.text.as_deref());
    // "Card number" tells what the digits are that were typed into it.
    let typed = step.text.as_deref().map(|typed| {
        let label = format!("{}: ", target_text.unwrap_or_default());
        let with_label = masked(&format!("{label}{typed}"));
        with_label.strip_prefix(&label).map_or_else(|| PRIVATE.to_owned(), str::to_owned)
    });
    Told {
        t: step.t,
        action: step.action,
        point,
        target: open(target_text),
        role: target.and_then(|target| target.role.clone()),
        typed: open(typed.as_deref()),
        key: step.key.clone(),
        title: step.title.as_deref().map(masked),
        url: step.url.as_deref().map(masked),
        intent: step.intent.map(shared_types::step::Intent::as_str),
        said: said(transcript, silences, step.t - BEFORE_SECS, step.t_end + AFTER_SECS),
        before: step.frame_before.clone(),
        after: step.frame_after.clone(),
    }
}

/// A text with every private part replaced.
fn masked(text: &str) -> String {
    let mut found = pii::find_in_text(text);
    found.sort_by_key(|found| found.start);
    let mut open = String::with_capacity(text.len());
    let mut at = 0;
    for private in found {
        if private.end <= at {
            continue;
        }
        open.push_str(&text[at..private.start.max(at)]);
        open.push_str(PRIVATE);
        at = private.end;
    }
    open.push_str(&text[at..]);
    open
}

fn said(transcript: &Transcript, silences: &[Span], from: f64, to: f64) -> String {
    // A stretch goes from its first word's start to its last one's end.
    let is_private = |word: &Word| silences.iter().any(|span| word.start < span.end && word.end > span.start);
    let mut words: Vec<&str> = Vec::new();
    for word in transcript.words().filter(|word| word.end > from && word.start < to) {
        if !is_private(word) {
            words.push(word.w.trim());
        } else if words.last() != Some(&PRIVATE) {
            words.push(PRIVATE);
        }
    }
    masked(&words.join(" "))
}

fn overlap(a: PixelBox, b: PixelBox) -> bool {
    let apart = |at: usize| a[at] + a[at + 2] <= b[at] || b[at] + b[at + 2] <= a[at];
    !apart(0) && !apart(1)
}

fn paint_over(rgb: &mut RgbFrame, [x, y, width, height]: PixelBox) {
    let inside = |at: f64, most: u32| at.clamp(0.0, f64::from(most)) as usize;
    let (left, right) = (inside(x - MARGIN_PX, rgb.width), inside(x + width + MARGIN_PX, rgb.width));
    let (top, bottom) = (inside(y - MARGIN_PX, rgb.height), inside(y + height + MARGIN_PX, rgb.height));
    let row_bytes = rgb.width as usize * 3;
    for row in top..bottom {
        rgb.data[row * row_bytes + left * 3..row * row_bytes + right * 3].fill(0);
    }
}
