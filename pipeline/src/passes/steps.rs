//! From input events, pictures and words to Steps.
//!
//! 1. [`acts`]: events to human acts: notches to a turn of the wheel, presses to a double click, a new title to a
//!    change of page. Without events, [`sight`] takes the acts from the trace of the screen.
//! 2. Each act gets the last picture before it and the first one that stands still after it; the text on both is read.
//! 3. What the act was aimed at, what was typed and the address are read from the screen ([`super::read_screen`]).
//! 4. Words spoken around it become its utterances and rationale.
//! 5. [`confidence`] says of each field how sure it is.
//! 6. When all Steps are there, [`role`] says what their targets turned out to be, and then [`intent`] what they were for,
//!    where a rule can.

pub mod acts;
mod cause;
pub mod confidence;
mod intent;
mod page;
mod role;
pub mod sight;
#[cfg(test)]
mod tests;
mod words;

use std::collections::BTreeMap;

use media::frame::RgbFrame;
use shared_types::step::{Action, Source, Step, Target};
use shared_types::transcript::Transcript;

use self::acts::{Act, ActKind};
use super::read_screen::{Earlier, Picture, address_bar, is_browsers, open_tab, target_at, typed_text, uncovered};
use crate::models::ocr::TextLine;

/// A title told this early is of the page that was open when the take began.
const ALREADY_OPEN_SECS: f64 = 0.5;
/// A page that loads is titled by its address first and by itself within this time.
const TITLE_SETTLES_SECS: f64 = 1.5;
/// What browsers call their address field.
const ADDRESS_FIELD: &str = "Address and search bar";

pub const NAME: &str = "steps";
pub const VERSION: u32 = 7;

/// A picture with the text on it.
#[derive(Debug, Clone)]
pub struct ReadPicture {
    /// `frames/{sha256}.jpg`
    pub name: String,
    pub rgb: RgbFrame,
    pub lines: Vec<TextLine>,
}

/// The pictures of an act.
#[derive(Debug, Clone, Default)]
pub struct ActPictures {
    pub before: Option<std::rc::Rc<ReadPicture>>,
    pub after: Option<std::rc::Rc<ReadPicture>>,
    /// When the pointer did not cover yet what it went to.
    pub uncovered: Option<std::rc::Rc<ReadPicture>>,
}

/// What was known when the last act was over.
#[derive(Default)]
struct Memory {
    title: Option<String>,
    /// Since when the page shows, while nothing was done on it.
    page_since: Option<f64>,
    /// Where the keyboard's focus was last put by a click, and what lies there.
    focus: Option<(f64, f64)>,
    field: Option<Target>,
    lines: Vec<TextLine>,
    steps: Vec<Step>,
    /// Steps whose targets are the browser's own.
    of_browser: Vec<usize>,
}

impl Memory {
    /// Whether a title is another one for the page that began to load just before.
    fn is_loading(&self, t: f64) -> bool {
        self.page_since.is_some_and(|since| t - since <= TITLE_SETTLES_SECS)
    }

    fn add(&mut self, step: Step) {
        let is_title = step.action == Action::Navigate && self.is_loading(step.t);
        match self.steps.last_mut() {
            Some(page) if is_title && shows_same_address(page, &step) => settle(page, step),
            _ => self.steps.push(step),
        }
    }

    fn see_title(&mut self, act: &Act) {
        match act.kind {
            ActKind::Title { .. } if self.is_loading(act.t) => {}
            ActKind::Title { .. } => self.page_since = Some(act.t),
            _ => self.page_since = None,
        }
    }

    /// The lines before an act, those under the pointer as they were read without it.
    fn uncover(&self, before: &ReadPicture, pictures: &ActPictures, (x, y): (f64, f64)) -> Vec<TextLine> {
        let lines = uncovered(&before.lines, &self.lines, Earlier::MayHaveChanged, x, y);
        match &pictures.uncovered {
            Some(picture) if !std::ptr::eq(&raw const **picture, before) => {
                uncovered(&lines, &picture.lines, Earlier::SameScreen, x, y)
            }
            _ => lines,
        }
    }

    /// What a click is aimed at, which becomes the next Step.
    fn aim(&mut self, before: &ReadPicture, pictures: &ActPictures, (x, y): (f64, f64)) -> Option<Target> {
        let lines = self.uncover(before, pictures, (x, y));
        if is_browsers(&before.rgb, &lines, y) {
            self.of_browser.push(self.steps.len());
        }
        target_at(&before.rgb, &lines, x, y)
    }

    /// Keys that move the focus: to the address field, where browsers agree on it, or somewhere unknown.
    fn move_focus(&mut self, key: &str) {
        match key {
            "Ctrl+l" | "Alt+d" | "F6" | "Ctrl+t" => {
                self.focus = None;
                let (text, role) = (Some(ADDRESS_FIELD.to_owned()), Some("textbox".to_owned()));
                self.field = Some(Target { text, role, bounds: None });
            }
            "Tab" | "Shift+Tab" => (self.focus, self.field) = (None, None),
            _ => {}
        }
    }
}

/// Builds the Steps of a take; `pictures` is asked once for each act, in order.
pub fn build<E>(
    acts: &[Act],
    transcript: &Transcript,
    mut pictures: impl FnMut(usize) -> Result<ActPictures, E>,
) -> Result<Vec<Step>, E> {
    let sentences = words::sentences(transcript);
    let mut memory = Memory::default();
    for (index, act) in acts.iter().enumerate() {
        let seen = pictures(index)?;
        let finish = |mut step: Step| {
            let reasons = say(&mut step, transcript, &sentences);
            confidence::tell(&mut step, act, &seen, transcript, &reasons);
            step
        };
        if let Some(step) = make(act, &seen, &mut memory) {
            memory.add(finish(step));
        }
        memory.see_title(act);
        if let Some(page) = sight::new_page(act, &seen, &memory) {
            memory.steps.push(finish(page));
            (memory.focus, memory.field) = (None, None);
        }
        // What shows after it is what the next act finds.
        let read = [seen.after, seen.before].into_iter().flatten().find(|picture| !picture.lines.is_empty());
        if let Some(picture) = read {
            memory.lines.clone_from(&picture.lines);
        }
    }
    let mut steps = memory.steps;
    role::settle(&mut steps, &memory.of_browser);
    intent::name(&mut steps);
    Ok(steps)
}

/// Names what the Steps were for, where a rule can and nobody has; `build` does it for its own.
pub fn name_intents(steps: &mut [Step]) {
    intent::name(steps);
}

/// Adds the words spoken around a Step; gives the sentences that are its reason.
fn say<'a>(step: &mut Step, transcript: &Transcript, sentences: &'a [words::Sentence]) -> Vec<&'a words::Sentence> {
    step.utterances = words::around(transcript, step.t, step.t_end);
    let reasons = words::reasons(sentences, step.t, step.t_end);
    step.rationale = words::rationale(&reasons);
    if step.rationale.is_some() {
        step.source.insert("rationale".to_owned(), Source::Speech);
    }
    reasons
}

fn make(act: &Act, seen: &ActPictures, memory: &mut Memory) -> Option<Step> {
    let mut step = blank(act);
    let mut source = BTreeMap::from([("action".to_owned(), Source::Event), ("t".to_owned(), Source::Event)]);
    match &act.kind {
        ActKind::Title { title } => {
            let opens = memory.steps.is_empty() && memory.is_loading(act.t);
            let first = opens || memory.title.is_none() && act.t <= ALREADY_OPEN_SECS;
            memory.title = Some(title.clone());
            // Another page has other fields.
            (memory.focus, memory.field) = (None, None);
            if first {
                return None;
            }
            step.cause = cause::of_page_change(act.t, &memory.steps);
            if step.cause.is_some() {
                source.insert("cause".to_owned(), Source::Rule);
            }
        }
        ActKind::Click { x, y, .. } | ActKind::Drag { x, y, .. } => {
            memory.focus = Some((*x, *y));
            if let Some(before) = &seen.before {
                step.target = memory.aim(before, seen, (*x, *y));
            }
            source.extend(step.target.as_ref().map(|_| ("target".to_owned(), Source::Vision)));
            memory.field.clone_from(&step.target);
        }
        ActKind::Type { chars } => {
            read_typing(&mut step, seen, memory, *chars as usize, &mut source);
        }
        ActKind::Key { key } => memory.move_focus(key),
        ActKind::Scroll { .. } => {}
        ActKind::Seen(act) => sight::fill(&mut step, act, seen, memory, &mut source),
    }
    step.title = memory.title.as_deref().map(cause::page_title);
    let title_source = if step.title.is_some() { Source::Event } else { Source::Vision };
    if let (None, Some(picture)) = (&step.title, &seen.before) {
        step.title = open_tab(&picture.rgb, &picture.lines);
    }
    let shown = if step.action == Action::Navigate { &seen.after } else { &seen.before };
    step.url = shown.as_ref().and_then(|picture| address_bar(&picture.rgb, &picture.lines)).map(|address| address.url);
    for (field, known) in [("title", step.title.is_some()), ("url", step.url.is_some())] {
        if known {
            source.insert(field.to_owned(), if field == "title" { title_source } else { Source::Vision });
        }
    }
    step.frame_before = seen.before.as_ref().map(|picture| picture.name.clone());
    step.frame_after = seen.after.as_ref().map(|picture| picture.name.clone());
    step.source = source;
    Some(step)
}

fn shows_same_address(page: &Step, next: &Step) -> bool {
    page.action == Action::Navigate && (page.url.is_none() || next.url.is_none() || page.url == next.url)
}

/// Gives a change of page what its last title brought.
fn settle(page: &mut Step, last: Step) {
    let mut take_over = |field: &str| {
        page.source.extend(last.source.get(field).map(|source| (field.to_owned(), *source)));
        page.confidences.extend(last.confidences.get(field).map(|sure| (field.to_owned(), *sure)));
    };
    take_over("title");
    if last.url.is_some() {
        take_over("url");
        page.url = last.url;
    }
    page.title = last.title;
    page.frame_after = last.frame_after.or_else(|| page.frame_after.take());
}

/// What was typed and into which field, from the pictures before and after.
fn read_typing(
    step: &mut Step,
    seen: &ActPictures,
    memory: &Memory,
    chars: usize,
    source: &mut BTreeMap<String, Source>,
) {
    if memory.field.is_some() {
        // A key that leads to the address field tells the field without a picture.
        step.target.clone_from(&memory.field);
        let source_of_field = if memory.focus.is_some() { Source::Vision } else { Source::Rule };
        source.insert("target".to_owned(), source_of_field);
    }
    let (Some(before), Some(after)) = (&seen.before, &seen.after) else { return };
    let typed = typed_text(
        Picture { frame: &before.rgb, lines: &before.lines },
        Picture { frame: &after.rgb, lines: &after.lines },
        memory.focus,
        chars,
    );
    let place = memory.focus.or_else(|| {
        typed.as_ref().map(|typed| {
            let [x, y, width, height] = typed.bounds;
            (x + width / 2.0, y + height / 2.0)
        })
    });
    if let Some((x, y)) = place {
        (step.x, step.y) = (Some(x), Some(y));
        source.insert("x".to_owned(), if memory.focus.is_some() { Source::Event } else { Source::Vision });
        // What the click saw is not covered by the pointer's caret yet.
        if step.target.is_none() {
            step.target = target_at(&before.rgb, &before.lines, x, y);
            source.extend(step.target.as_ref().map(|_| ("target".to_owned(), Source::Vision)));
        }
    }
    if let Some(typed) = typed {
        step.text = Some(typed.text);
        source.insert("text".to_owned(), Source::Vision);
    }
}

fn blank(act: &Act) -> Step {
    let mut step = Step {
        t: act.t,
        t_end: act.t_end,
        action: act.action(),
        count: None,
        button: None,
        x: None,
        y: None,
        x_to: None,
        y_to: None,
        text: None,
        key: None,
        dx: None,
        dy: None,
        target: None,
        cause: None,
        url: None,
        title: None,
        frame_before: None,
        frame_after: None,
        intent: None,
        rationale: None,
        utterances: Vec::new(),
        confidence: 1.0,
        confidences: BTreeMap::new(),
        source: BTreeMap::new(),
    };
    match act.kind {
        ActKind::Click { x, y, button, count } => {
            (step.x, step.y, step.button, step.count) = (Some(x), Some(y), Some(button), Some(count));
        }
        ActKind::Drag { x, y, button, x_to, y_to } => {
            (step.x, step.y, step.button) = (Some(x), Some(y), Some(button));
            (step.x_to, step.y_to) = (Some(x_to), Some(y_to));
        }
        ActKind::Scroll { x, y, dx, dy, notches } => {
            (step.x, step.y, step.count) = (Some(x), Some(y), Some(notches));
            (step.dx, step.dy) = (Some(dx), Some(dy));
        }
        ActKind::Key { ref key } => step.key = Some(key.clone()),
        // A page may take its new title for its own reasons.
        ActKind::Title { .. } => step.confidence = 0.9,
        ActKind::Seen(seen) => {
            (step.x, step.y) = seen.pointer.unzip();
            step.confidence = seen.confidence;
        }
        ActKind::Type { .. } => {}
    }
    step
}
