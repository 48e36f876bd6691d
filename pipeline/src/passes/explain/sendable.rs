//! What may leave this machine of a recording: its Steps, words and pictures without private data.
//!
//! A [`Sendable`] is made in one place, by the [`Redactor`] of the recording. The passes before have taken out what it
//! found; here every text, line and word goes through it once more, whoever made the Steps. What only a model's door needs
//! is added: a Step aimed at a private box loses its target's text and what was typed, and a picture whose text nobody
//! has read could show anything, and is never handed out.

use std::rc::Rc;

use media::frame::RgbFrame;
use serde_json::Value;
use shared_types::quality::measurements::Span;
use shared_types::step::{Action, PixelBox, Step};
use shared_types::transcript::{Transcript, Word};

use crate::models::ocr::TextLine;
use crate::passes::redact::{Redactor, fill, grown};
use crate::passes::steps::ReadPicture;

/// What stands where something private stood whose kind nobody knows.
const PRIVATE: &str = "[private]";
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
}

/// A take without its private data.
pub struct Sendable<'a, P> {
    pub(super) goal: Option<String>,
    pub(super) steps: Vec<Told>,
    redactor: &'a Redactor,
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

impl<'a, P: Pictures> Sendable<'a, P> {
    pub fn new(take: Take<'_>, redactor: &'a Redactor, pictures: P) -> Self {
        let transcript = redactor.transcript(take.transcript).into_inner();
        let steps = take.steps.iter().map(|step| told(step, &transcript, redactor)).collect();
        let goal = take.goal.map(|goal| redactor.text(goal).into_inner());
        Self { goal, steps, redactor, pictures }
    }

    /// Whether a text that came back has nothing private in it.
    pub(super) fn is_open(&self, text: &str) -> bool {
        self.redactor.text(text).get() == text
    }

    /// The same of everything that an answer says.
    pub(super) fn is_open_answer(&self, answer: &Value) -> bool {
        match answer {
            Value::String(text) => self.is_open(text),
            Value::Array(values) => values.iter().all(|value| self.is_open_answer(value)),
            Value::Object(fields) => fields.values().all(|value| self.is_open_answer(value)),
            _ => true,
        }
    }

    /// A picture that may be sent; `None` where there is none or nobody read it.
    pub(super) fn picture(&mut self, name: &str) -> Option<Shown> {
        let picture = self.pictures.read_picture(name)?;
        let t = picture.rgb.t.secs();
        // What was found over the whole take, and what this one screen says by itself.
        let mut boxes = self.redactor.boxes_during(Span::new(t, t));
        let (lines, hits) = self.redactor.screen(&picture.lines);
        let is_open = |line: &TextLine| !boxes.iter().any(|bounds| overlap(*bounds, line.bounds));
        let lines = lines.into_inner().into_iter().filter(is_open).collect();
        boxes.extend(hits.iter().map(|hit| grown(hit.bounds)));
        let mut rgb = picture.rgb.clone();
        fill(&mut rgb, &boxes);
        Some(Shown { rgb, lines })
    }
}

fn told(step: &Step, transcript: &Transcript, redactor: &Redactor) -> Told {
    let near = redactor.boxes_during(Span::new(step.t, step.t_end + SHOWS_SECS));
    let target = step.target.as_ref();
    let point = step.x.zip(step.y);
    let aims_at = |bounds: PixelBox| {
        let at_point = point.is_some_and(|(x, y)| overlap(bounds, [x, y, 1.0, 1.0]));
        at_point || target.and_then(|target| target.bounds).is_some_and(|aimed| overlap(bounds, aimed))
    };
    let is_private = near.into_iter().any(aims_at);
    let redacted = |text: &str| redactor.text(text).into_inner();
    let open = |text: Option<&str>| text.map(|text| if is_private { PRIVATE.to_owned() } else { redacted(text) });
    let target_text = target.and_then(|target| target.text.as_deref());
    // "Card number" tells what the digits are that were typed into it.
    let typed = step.text.as_deref().map(|typed| {
        let label = format!("{}: ", target_text.unwrap_or_default());
        let with_label = redacted(&format!("{label}{typed}"));
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
        title: step.title.as_deref().map(redacted),
        url: step.url.as_deref().map(redacted),
        intent: step.intent.map(shared_types::step::Intent::as_str),
        said: redacted(&said(transcript, step.t - BEFORE_SECS, step.t_end + AFTER_SECS)),
        before: step.frame_before.clone(),
        after: step.frame_after.clone(),
    }
}

fn said(transcript: &Transcript, from: f64, to: f64) -> String {
    let near = |word: &&Word| word.end > from && word.start < to;
    transcript.words().filter(near).map(|word| word.w.trim()).collect::<Vec<_>>().join(" ")
}

fn overlap(a: PixelBox, b: PixelBox) -> bool {
    let apart = |at: usize| a[at] + a[at + 2] <= b[at] || b[at] + b[at + 2] <= a[at];
    !apart(0) && !apart(1)
}
