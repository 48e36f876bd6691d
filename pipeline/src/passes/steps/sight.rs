//! Steps of which no input event tells, from what was seen to happen ([`crate::passes::trace`]).
//!
//! Everything here is concluded from pictures, so every Step says so and none is quite sure. What a picture cannot tell
//! is left open: which button was pressed and how often, by how many notches the wheel was turned.

use std::collections::BTreeMap;

use shared_types::step::{Action, Source, Step};

use super::acts::{Act, ActKind};
use super::{ADDRESS_FIELD, ActPictures, Memory, ReadPicture, blank, cause};
use crate::models::ocr::TextLine;
use crate::passes::inspect::KeptPicture;
use crate::passes::read_screen::{Picture, address_bar, open_tab, target_at, typed_text};
use crate::passes::trace::acts::{SeenAct, SeenKind};

/// An effect later than this is another's.
const EFFECT_SECS: f64 = 2.5;
/// A picture that was shown for this long had settled.
const STOOD_SECS: f64 = 0.5;
/// Two times closer than this are the same picture's.
const SAME_SECS: f64 = 1e-3;
/// What grows last is the caret, as wide as this.
const CARET_PX: f64 = 2.0;
/// A page that changes this much without an address to be read may be another one.
const OTHER_PAGE: f64 = 0.5;
const OTHER_PAGE_CONFIDENCE: f64 = 0.3;
/// Two addresses that differ make a change of page surer than the click that led to it.
const ADDRESS_CONFIDENCE: f64 = 0.9;

/// What was seen, as acts.
pub fn from_trace(seen: &[SeenAct]) -> Vec<Act> {
    seen.iter().map(|seen| Act { t: seen.t, t_end: seen.t_end, kind: ActKind::Seen(*seen) }).collect()
}

/// The pictures of the acts among those that were kept, in the order of [`super::acts::wants`]: the last one before each,
/// and the first that stands after it.
pub fn pictures(acts: &[Act], kept: &[KeptPicture]) -> Vec<Option<usize>> {
    let around: Vec<Option<usize>> = acts
        .iter()
        .enumerate()
        .flat_map(|(index, act)| {
            let next = acts.get(index + 1).map_or(f64::INFINITY, |next| next.t);
            let before = kept.iter().rposition(|picture| picture.kept_at <= act.t + SAME_SECS);
            let latest = (act.t_end + EFFECT_SECS).min(next - SAME_SECS);
            let shows_effect = |picture: &KeptPicture| {
                (act.t_end - SAME_SECS..=latest).contains(&picture.t) && picture.kept_at > act.t_end + SAME_SECS
            };
            let stood = |picture: &KeptPicture| picture.kept_at - picture.t >= STOOD_SECS;
            let after = kept
                .iter()
                .position(|picture| shows_effect(picture) && stood(picture))
                .or_else(|| kept.iter().rposition(shows_effect));
            [before, after]
        })
        .collect();
    // What the pointer covers is known from the picture after the act before.
    let uncovered = (0..acts.len()).map(|index| if index == 0 { None } else { around[2 * index - 1] });
    let uncovered: Vec<Option<usize>> = uncovered.collect();
    around.into_iter().chain(uncovered).collect()
}

/// Fills a Step with what its pictures show.
pub(super) fn fill(
    step: &mut Step,
    act: &SeenAct,
    pictures: &ActPictures,
    memory: &mut Memory,
    source: &mut BTreeMap<String, Source>,
) {
    source.extend(["action", "t"].map(|field| (field.to_owned(), Source::Vision)));
    match act.kind {
        SeenKind::Click => {
            memory.focus = act.pointer;
            memory.field = None;
            if let (Some(before), Some(at)) = (&pictures.before, act.pointer) {
                step.target = memory.aim(before, pictures, at);
                memory.field.clone_from(&step.target);
            }
        }
        SeenKind::Type { row } => {
            // The pointer may rest elsewhere, and the letters tell better where the field is.
            let [left, top, right, bottom] = row.map(f64::from);
            let (x, y) = (f64::midpoint(left, right), f64::midpoint(top, bottom));
            let at = memory.focus.filter(|focus| (focus.1 - y).abs() <= bottom - top).unwrap_or((x, y));
            (step.x, step.y) = (Some(at.0), Some(at.1));
            step.target = memory.field.clone();
            if let (Some(before), Some(after)) = (&pictures.before, &pictures.after) {
                step.target = step.target.take().or_else(|| target_at(&before.rgb, &before.lines, at.0, at.1));
                step.text = text_of(before, after, row.map(f64::from));
            }
            memory.field.clone_from(&step.target);
        }
        SeenKind::Enter => {
            step.key = Some("Enter".to_owned());
            source.insert("action".to_owned(), Source::Rule);
            source.insert("key".to_owned(), Source::Rule);
        }
        SeenKind::Scroll { .. } => {}
    }
    let present = [("x", step.x.is_some()), ("target", step.target.is_some()), ("text", step.text.is_some())];
    source.extend(present.into_iter().filter(|(_, is)| *is).map(|(field, _)| (field.to_owned(), Source::Vision)));
}

/// The letters of a row up to where it grew to: what browsers add by themselves stands further right.
fn text_of(before: &ReadPicture, after: &ReadPicture, [_, top, right, bottom]: [f64; 4]) -> Option<String> {
    let middle = f64::midpoint(top, bottom);
    let line = after.lines.iter().filter(|line| (line.middle_y() - middle).abs() <= 0.6 * line.bounds[3]);
    let line = line.filter(|line| line.bounds[0] < right).min_by(|a, b| {
        let off = |line: &TextLine| (line.right() - right).abs();
        off(a).total_cmp(&off(b))
    })?;
    let reach = right - CARET_PX;
    let chars = line.char_x.iter().filter(|x| **x <= reach).count();
    let shown = |picture: &'_ ReadPicture| -> Option<String> {
        let there = |other: &&TextLine| {
            (other.middle_y() - middle).abs() <= 0.6 * other.bounds[3]
                && (other.bounds[0] - line.bounds[0]).abs() <= line.bounds[3]
        };
        picture.lines.iter().find(there).map(|line| line.text.clone())
    };
    // What stood in the field and still does was not typed now.
    let old = shown(before).filter(|old| line.text.starts_with(old.as_str())).map_or(0, |old| old.chars().count());
    let place = (line.bounds[0] + line.bounds[2] / 2.0, middle);
    let before = Picture { frame: &before.rgb, lines: &before.lines };
    let after = Picture { frame: &after.rgb, lines: &after.lines };
    typed_text(before, after, Some(place), chars.saturating_sub(old)).map(|typed| typed.text)
}

/// Whether an address was sent off: the field shows the same before and after.
fn sent_address(seen: &SeenAct, memory: &Memory) -> bool {
    let typed = memory.steps.iter().rfind(|step| step.action == Action::Type);
    let field = typed.and_then(|step| step.target.as_ref()?.text.as_deref());
    seen.kind == SeenKind::Enter && field == Some(ADDRESS_FIELD)
}

/// The change of page that followed from an act, if one did.
pub(super) fn new_page(act: &Act, pictures: &ActPictures, memory: &Memory) -> Option<Step> {
    let ActKind::Seen(seen) = &act.kind else { return None };
    if !seen.may_open_page() {
        return None;
    }
    let (before, after) = (pictures.before.as_ref()?, pictures.after.as_ref()?);
    let address = |picture: &ReadPicture| address_bar(&picture.rgb, &picture.lines).map(|address| address.url);
    let confidence = match (address(before), address(after)) {
        (Some(old), Some(new)) if old == new && !sent_address(seen, memory) => return None,
        (Some(_), Some(_)) => ADDRESS_CONFIDENCE,
        _ if seen.effect >= OTHER_PAGE => OTHER_PAGE_CONFIDENCE,
        _ => return None,
    };
    let mut step = blank(act);
    step.action = Action::Navigate;
    (step.x, step.y, step.key, step.count, step.button) = (None, None, None, None, None);
    step.confidence = confidence;
    step.url = address(after);
    step.title = open_tab(&after.rgb, &after.lines);
    step.cause = cause::of_page_change(act.t_end, &memory.steps);
    step.frame_before = Some(before.name.clone());
    step.frame_after = Some(after.name.clone());
    let known = [("url", step.url.is_some()), ("title", step.title.is_some())];
    step.source.extend(["action", "t"].map(|field| (field.to_owned(), Source::Vision)));
    step.source.extend(known.into_iter().filter(|(_, is)| *is).map(|(field, _)| (field.to_owned(), Source::Vision)));
    if step.cause.is_some() {
        step.source.insert("cause".to_owned(), Source::Rule);
    }
    Some(step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acts_get_the_pictures_around_them() {
        let picture = |t: f64, kept_at: f64| KeptPicture { t, kept_at, is_page: false, file: String::new() };
        // The start; a page on its way; the page; the page when something happened on it 5 s later.
        let kept = [picture(0.0, 2.0), picture(2.0, 2.1), picture(2.5, 3.1), picture(4.0, 7.0)];
        let (kind, pointer) = (SeenKind::Click, None);
        let click = |t: f64| SeenAct { t, t_end: t, kind, pointer, effect: 0.5, confidence: 0.5 };
        let found = pictures(&from_trace(&[click(2.0), click(7.0)]), &kept);
        let (first, second) = ([Some(0), Some(2)], [Some(3), None]);
        assert_eq!(found, [&first[..], &second[..], &[None, Some(2)]].concat());
        assert_eq!(pictures(&[], &kept), []);
        assert_eq!(pictures(&from_trace(&[click(1.0)]), &[]), [None, None, None]);
    }
}
