//! A model's answer, field by field, into the Steps: only where nothing was known before.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::Value;
use shared_types::step::{Action, Intent, Source, Step, Target};

use super::EXPLANATION;
use crate::passes::steps::confidence::BY_MODEL;

const LONGEST_CAPTION: usize = 200;
const LONGEST_TYPED: usize = 400;
const LONGEST_RATIONALE: usize = 400;

#[derive(Debug, Deserialize)]
pub(super) struct Explained {
    pub(super) index: usize,
    target_text: Option<String>,
    target_role: Option<String>,
    typed_text: Option<String>,
    intent: Option<Intent>,
    rationale: Option<String>,
}

#[derive(Deserialize)]
struct Answer {
    steps: Vec<Explained>,
}

/// What the schema cannot say: each Step once, and no essays.
pub(super) fn check(answer: &Value, group: &[usize]) -> Result<(), String> {
    let Some(steps) = read(answer) else { return Err("it has not the fields that were asked for".to_owned()) };
    let answered: BTreeSet<usize> = steps.iter().map(|step| step.index).collect();
    if steps.len() != group.len() || group.iter().any(|index| !answered.contains(index)) {
        return Err(format!("there must be one entry for each of the steps {group:?}"));
    }
    let is_long = |text: Option<&str>, most: usize| text.is_some_and(|text| text.chars().count() > most);
    let long = steps.iter().find(|step| {
        is_long(step.target_text.as_deref(), LONGEST_CAPTION)
            || is_long(step.typed_text.as_deref(), LONGEST_TYPED)
            || is_long(step.rationale.as_deref(), LONGEST_RATIONALE)
    });
    long.map_or(Ok(()), |step| Err(format!("a text of step {} is too long", step.index)))
}

pub(super) fn read(answer: &Value) -> Option<Vec<Explained>> {
    Answer::deserialize(answer).ok().map(|answer| answer.steps)
}

/// `is_open` tells whether a text has nothing private in it.
pub(super) fn into_step(step: &mut Step, answer: &Explained, is_open: impl Fn(&str) -> bool) {
    let clean = |text: Option<&str>| clean(text).filter(|line| is_open(line));
    // The first is no field of a Step, and has no confidence.
    let mut filled = vec![EXPLANATION];
    let aims = matches!(step.action, Action::Click | Action::Drag | Action::Type);
    let (text, role) = (clean(answer.target_text.as_deref()), clean(answer.target_role.as_deref()));
    if aims && (text.is_some() || role.is_some()) {
        match &mut step.target {
            None => {
                step.target = Some(Target { text, role, bounds: None });
                filled.push("target");
            }
            Some(target) => {
                if target.text.is_none() && text.is_some() {
                    target.text = text;
                    filled.push("target.text");
                }
                if target.role.is_none() && role.is_some() {
                    target.role = role;
                    filled.push("target.role");
                }
            }
        }
    }
    let typed = clean(answer.typed_text.as_deref());
    if step.action == Action::Type && step.text.is_none() && typed.is_some() {
        step.text = typed;
        filled.push("text");
    }
    if step.intent.is_none() && answer.intent.is_some() {
        step.intent = answer.intent;
        filled.push("intent");
    }
    let rationale = clean(answer.rationale.as_deref());
    if step.rationale.is_none() && rationale.is_some() {
        step.rationale = rationale;
        filled.push("rationale");
    }
    step.confidences.extend(filled[1..].iter().map(|field| ((*field).to_owned(), BY_MODEL)));
    step.source.extend(filled.into_iter().map(|field| (field.to_owned(), Source::Model)));
}

/// One line, without the word for nothing.
fn clean(text: Option<&str>) -> Option<String> {
    let line = text?.split_whitespace().collect::<Vec<_>>().join(" ");
    let says_nothing = ["", "null", "none", "n/a", "unknown", "[private]"].contains(&line.to_lowercase().as_str());
    (!says_nothing).then_some(line)
}
