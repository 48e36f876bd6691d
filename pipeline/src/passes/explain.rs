//! A hosted model names and explains Steps: what the rules left open it may fill, what they found it never changes.
//!
//! 1. Steps that lack a target, an intent or a reason are taken in groups of up to five.
//! 2. A group becomes one question: the screen before it, a cut-out around each point with the point marked, the screen
//!    after it, the text near each point and the words said around it. All of it comes from [`Sendable`], the one door
//!    through which anything of a recording leaves the machine.
//! 3. The answer is JSON of a strict schema, held against it here, and merged field by field with source `model`. A model
//!    may read in a picture what nobody found private, or guess it: fields that say something private are left out, and
//!    such an answer is not kept.
//! 4. Where there is no usable answer, because the budget is used up, the server is away, or the model declines or
//!    writes nonsense twice, the Steps stay as the rules left them. `source.explanation` says which it was.

pub mod sendable;

mod merge;
mod question;

use std::collections::VecDeque;

use serde_json::Value;
use shared_types::step::{Action, Source, Step};

pub use self::sendable::{Pictures, Sendable};
use crate::providers::chat::Chat;
use crate::providers::meter::Meter;

pub const NAME: &str = "explain";
pub const VERSION: u32 = 1;
/// Part of what an answer is remembered by: a change of wording asks anew.
pub const PROMPT_VERSION: &str = "explain-1";
/// What `source` calls who had the last word on a Step's meaning.
pub const EXPLANATION: &str = "explanation";

/// Steps of one question.
const GROUP: usize = 5;

/// Explains the Steps that need it. `take` is what may be told of the same Steps.
pub fn explain<P: Pictures>(take: &mut Sendable<'_, P>, steps: &mut [Step], chat: &mut Chat<'_>, meter: &mut Meter) {
    let open: Vec<usize> = (0..steps.len()).filter(|&index| lacks_something(&steps[index])).collect();
    let mut groups: VecDeque<Vec<usize>> = open.chunks(GROUP).map(<[usize]>::to_vec).collect();
    while let Some(group) = groups.pop_front() {
        let question = question::build(take, &group);
        let check = |answer: &Value| merge::check(answer, &group);
        let answer = chat.ask(&question.into_question(), meter, check, |answer| take.is_open_answer(answer));
        let failure = match answer {
            Ok(answer) => {
                for answer in merge::read(&answer).unwrap_or_default() {
                    merge::into_step(&mut steps[answer.index], &answer, |text| take.is_open(text));
                }
                meter.count_steps(group.len(), 0);
                continue;
            }
            Err(failure) => failure,
        };
        if failure.is_of_size() && group.len() > 1 {
            let (first, second) = group.split_at(group.len() / 2);
            groups.push_front(second.to_vec());
            groups.push_front(first.to_vec());
            continue;
        }
        meter.note(format!("{failure}."));
        leave_to_rules(steps, &group, meter);
        if failure.is_final() {
            for group in groups.drain(..) {
                leave_to_rules(steps, &group, meter);
            }
        }
    }
}

fn leave_to_rules(steps: &mut [Step], group: &[usize], meter: &mut Meter) {
    for &index in group {
        steps[index].source.insert(EXPLANATION.to_owned(), Source::Rule);
    }
    meter.count_steps(0, group.len());
}

fn lacks_something(step: &Step) -> bool {
    let aims = matches!(step.action, Action::Click | Action::Drag | Action::Type);
    let target = step.target.as_ref();
    let is_named = target.is_some_and(|target| target.text.is_some() && target.role.is_some());
    let is_read = step.action != Action::Type || step.text.is_some();
    step.intent.is_none() || step.rationale.is_none() || aims && !is_named || !is_read
}
