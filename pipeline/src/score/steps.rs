//! Pairs predicted Steps with true ones.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::likeness::similarity;
use super::{mean, median, rounded};

const TOLERANCE_SECS: f64 = 1.0;

/// What scoring reads of a Step, predicted or true.
#[derive(Debug, Clone, Deserialize)]
pub struct StepRow {
    pub t: f64,
    pub t_end: Option<f64>,
    pub action: String,
    pub x: Option<f64>,
    pub y: Option<f64>,
    #[serde(default)]
    target: Value,
    #[serde(default)]
    text: Value,
    implied: Option<bool>,
}

impl StepRow {
    /// Other tools have other words for the same acts.
    fn class(&self) -> String {
        let action = self.action.to_lowercase();
        let class = match action.as_str() {
            "tap" | "press" | "mouse_click" | "select" | "double_click" => "click",
            "input" | "fill" | "type_text" | "text" => "type",
            "wheel" => "scroll",
            "keypress" | "press_key" | "hotkey" | "submit" => "key",
            "goto" | "navigation" | "open" | "page" | "back" => "navigate",
            other => other,
        };
        class.to_owned()
    }

    fn distance_secs(&self, t: f64) -> f64 {
        let lasts = ["type", "scroll"].contains(&self.action.as_str());
        let end = if lasts { self.t_end.unwrap_or(self.t) } else { self.t };
        if self.t <= t && t <= end { 0.0 } else { (t - self.t).abs().min((t - end).abs()) }
    }

    fn target_text(&self) -> String {
        let text = if let Value::Object(target) = &self.target {
            target.get("text").unwrap_or(&Value::Null)
        } else {
            &self.target
        };
        plain(text).split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
    }

    fn typed_text(&self) -> String {
        plain(&self.text).trim().to_lowercase()
    }

    fn target_box(&self) -> Option<[f64; 4]> {
        let sides: Vec<f64> = self.target.get("box")?.as_array()?.iter().filter_map(Value::as_f64).collect();
        sides.try_into().ok()
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    }
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StepScore {
    #[serde(flatten)]
    pub all: Found,
    pub implied_matched: usize,
    pub by_action: BTreeMap<String, Found>,
    pub median_time_error_s: Option<f64>,
    pub click_distance_px_median: Option<f64>,
    pub click_inside_target_box: Option<f64>,
    pub clicks_with_position: usize,
    pub target_text_similarity_mean: Option<f64>,
    pub typed_text_similarity_mean: Option<f64>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Found {
    pub precision: f64,
    pub recall: f64,
    pub f1: f64,
    pub tp: usize,
    pub fp: usize,
    #[serde(rename = "fn")]
    pub missed: usize,
}

impl Found {
    fn new(tp: usize, fp: usize, missed: usize) -> Self {
        let share = |part: usize, whole: usize, of_none: f64| {
            if whole == 0 { of_none } else { part as f64 / whole as f64 }
        };
        let precision = share(tp, tp + fp, if missed == 0 { 1.0 } else { 0.0 });
        let recall = share(tp, tp + missed, 1.0);
        let sum = precision + recall;
        let f1 = if sum > 0.0 { 2.0 * precision * recall / sum } else { 0.0 };
        Self { precision: rounded(precision, 4), recall: rounded(recall, 4), f1: rounded(f1, 4), tp, fp, missed }
    }
}

pub(super) fn score(predicted: &[StepRow], truth: &[StepRow]) -> StepScore {
    let (implied, required): (Vec<&StepRow>, Vec<&StepRow>) =
        truth.iter().partition(|step| step.implied.unwrap_or(false));
    let predicted: Vec<&StepRow> = predicted.iter().collect();
    let pairs = pair(&predicted, &required);
    let used: BTreeSet<usize> = pairs.iter().map(|(index, _)| *index).collect();
    let (rest, rest_index): (Vec<&StepRow>, Vec<usize>) = predicted
        .iter()
        .enumerate()
        .filter(|(index, _)| !used.contains(index))
        .map(|(index, step)| (*step, index))
        .unzip();
    let free: BTreeSet<usize> = pair(&rest, &implied).iter().map(|(index, _)| rest_index[*index]).collect();

    let classes: BTreeSet<String> = required.iter().chain(&predicted).map(|step| step.class()).collect();
    let by_action = classes.into_iter().map(|class| {
        let tp = pairs.iter().filter(|(_, index)| required[*index].class() == class).count();
        let is_wrong = |index: usize| !used.contains(&index) && !free.contains(&index);
        let fp = predicted.iter().enumerate().filter(|(index, step)| is_wrong(*index) && step.class() == class).count();
        let due = required.iter().filter(|step| step.class() == class).count();
        (class, Found::new(tp, fp, due - tp))
    });
    let by_action = by_action.collect();

    let steps: Vec<(&StepRow, &StepRow)> = pairs.iter().map(|(p, t)| (predicted[*p], required[*t])).collect();
    let clicks: Vec<_> = steps.iter().filter_map(|(found, truth)| click(found, truth)).collect();
    let inside: Vec<f64> =
        clicks.iter().filter_map(|(_, inside)| inside.map(|inside| f64::from(u8::from(inside)))).collect();
    let targets: Vec<f64> = steps
        .iter()
        .filter(|(_, truth)| !truth.target_text().is_empty())
        .map(|(found, truth)| similarity(&found.target_text(), &truth.target_text()))
        .collect();
    let typed: Vec<f64> = steps
        .iter()
        .filter(|(_, truth)| truth.class() == "type")
        .map(|(found, truth)| similarity(&found.typed_text(), &truth.typed_text()))
        .collect();
    StepScore {
        all: Found::new(pairs.len(), predicted.len() - used.len() - free.len(), required.len() - pairs.len()),
        implied_matched: free.len(),
        by_action,
        median_time_error_s: median(steps.iter().map(|(found, truth)| (found.t - truth.t).abs()).collect()),
        click_distance_px_median: median(clicks.iter().map(|(distance, _)| *distance).collect()),
        click_inside_target_box: mean(&inside),
        clicks_with_position: clicks.len(),
        target_text_similarity_mean: mean(&targets),
        typed_text_similarity_mean: mean(&typed),
    }
}

/// Distance of a click from the true one, and whether it lies in the target's box.
fn click(found: &StepRow, truth: &StepRow) -> Option<(f64, Option<bool>)> {
    if truth.class() != "click" {
        return None;
    }
    let (x, y) = (found.x?, found.y?);
    let distance = (x - truth.x?).hypot(y - truth.y?);
    let is_inside =
        |[left, top, width, height]: [f64; 4]| (left..=left + width).contains(&x) && (top..=top + height).contains(&y);
    Some((distance, truth.target_box().map(is_inside)))
}

/// Pairs of indices, nearest in time first; ties by start, then by the target's text, then by order.
fn pair(predicted: &[&StepRow], truth: &[&StepRow]) -> Vec<(usize, usize)> {
    let mut candidates = Vec::new();
    for (i, found) in predicted.iter().enumerate() {
        for (j, step) in truth.iter().enumerate() {
            let distance = step.distance_secs(found.t);
            if found.class() == step.class() && distance <= TOLERANCE_SECS {
                let likeness = similarity(&found.target_text(), &step.target_text());
                candidates.push((rounded(distance, 3), (found.t - step.t).abs(), -likeness, i, j));
            }
        }
    }
    candidates.sort_by(|a, b| {
        a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.total_cmp(&b.2)).then((a.3, a.4).cmp(&(b.3, b.4)))
    });
    let (mut used_predicted, mut used_truth) = (BTreeSet::new(), BTreeSet::new());
    let free = candidates.into_iter().filter(|(_, _, _, i, j)| {
        let is_free = !used_predicted.contains(i) && !used_truth.contains(j);
        if is_free {
            used_predicted.insert(*i);
            used_truth.insert(*j);
        }
        is_free
    });
    free.map(|(_, _, _, i, j)| (i, j)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(lines: &str) -> Vec<StepRow> {
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    const TRUTH: &str = r#"{"t": 1.0, "action": "click", "x": 10, "y": 10, "target": {"text": "Shoes", "box": [0, 0, 20, 20]}}
{"t": 1.2, "action": "navigate", "implied": true}
{"t": 3.0, "t_end": 5.0, "action": "type", "text": "running shoes"}
{"t": 6.0, "action": "key", "key": "Enter"}
{"t": 8.0, "t_end": 9.5, "action": "scroll", "dy": 3}"#;

    #[test]
    fn truth_against_itself_is_perfect_in_any_order() {
        let truth = steps(TRUTH);
        let mut turned = truth.clone();
        turned.reverse();
        for predicted in [&truth, &turned] {
            let score = score(predicted, &truth);
            assert_eq!((score.all.f1, score.all.tp, score.implied_matched), (1.0, 4, 1));
            assert_eq!(score.typed_text_similarity_mean, Some(1.0));
            assert_eq!((score.click_distance_px_median, score.click_inside_target_box), (Some(0.0), Some(1.0)));
        }
    }

    #[test]
    fn what_is_late_wrong_or_missing_counts() {
        let predicted = r#"{"t": 2.5, "action": "click", "target": "Shoes"}
{"t": 4.6, "action": "fill", "text": "running shoe"}
{"t": 6.4, "action": "hotkey"}
{"t": 6.1, "action": "key"}
{"t": 10.4, "action": "wheel"}"#;
        let score = score(&steps(predicted), &steps(TRUTH));
        assert_eq!((score.all.tp, score.all.fp, score.all.missed), (3, 2, 1));
        assert_eq!(score.by_action["click"], Found::new(0, 1, 1));
        assert_eq!(score.by_action["key"], Found::new(1, 1, 0));
        assert_eq!(score.typed_text_similarity_mean, Some(0.96));
    }

    #[test]
    fn nothing_predicted_is_no_precision_and_nothing_due_is_full_recall() {
        assert_eq!(Found::new(0, 0, 3), Found { precision: 0.0, recall: 0.0, f1: 0.0, tp: 0, fp: 0, missed: 3 });
        assert!(Found::new(0, 0, 0).f1 > 0.999);
    }
}
