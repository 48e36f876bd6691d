//! A run's result for the person at the terminal.

use shared_types::quality::judge::QualityReport;
use shared_types::step::Step;
use shared_types::summary::Summary;
use shared_types::transcript::Transcript;

use super::examples::sentence;
use super::report::hosted;

const EXCERPT_CHARS: usize = 400;
const LONGEST_ROW: usize = 78;

/// Verdict, words, Steps and the goal's demands, as plain text.
pub fn text(quality: &QualityReport, transcript: &Transcript, steps: &[Step], summary: &Summary) -> String {
    let mut out = String::new();
    let mut line = |text: String| {
        out.push_str(&text);
        out.push('\n');
    };
    line(format!("Verdict: {}", quality.verdict.as_str()));
    for flag in &quality.flags {
        line(format!("  {} ({}): {}", name(flag.flag), flag.verdict.as_str(), flag.sentence));
    }
    let words = transcript.text();
    if words.is_empty() {
        line("Nothing was said.".to_owned());
    } else {
        line(format!("Said: {}", cut(&words, EXCERPT_CHARS)));
    }
    for finding in &summary.constraints {
        let state = match (finding.touched, finding.met) {
            (_, Some(true)) => "met",
            (_, Some(false)) => "missed",
            (true, None) => "followed",
            (false, None) => "not seen, said or acted on",
        };
        let evidence = finding
            .evidence
            .first()
            .map_or_else(String::new, |found| format!(", at {} \"{}\"", clock(found.t), cut(&found.text, 60)));
        line(format!("Goal: {} is {state}{evidence}", finding.constraint.text));
    }
    if let Some(decision) = &summary.decision {
        line(format!("Decision: {decision}"));
    }
    if steps.is_empty() {
        line("No Steps: nobody recorded the input, or nothing was done.".to_owned());
    } else {
        line(format!("{} Steps:", steps.len()));
    }
    for step in steps {
        let intent = step.intent.map_or_else(String::new, |intent| format!("  [{}]", name(intent)));
        line(format!(
            "  {:>6}  {:<8}  {}{intent}",
            clock(step.t),
            step.action.as_str(),
            cut(&sentence(step), LONGEST_ROW)
        ));
    }
    let total: f64 = summary.passes.iter().map(|pass| pass.secs).sum();
    let passes = summary.passes.iter().map(|pass| format!("{} {:.1} s", pass.name, pass.secs)).collect::<Vec<_>>();
    line(format!("Took {total:.1} s: {}", passes.join(", ")));
    hosted(&summary.costs).into_iter().for_each(line);
    out
}

/// The name that files use, such as `too_short`.
pub(super) fn name(value: impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

/// Minutes, seconds and tenths.
pub fn clock(secs: f64) -> String {
    let tenths = (secs.max(0.0) * 10.0).round() as u64;
    format!("{}:{:02}.{}", tenths / 600, tenths / 10 % 60, tenths % 10)
}

fn cut(text: &str, chars: usize) -> String {
    if text.chars().count() <= chars {
        return text.to_owned();
    }
    let kept: String = text.chars().take(chars).collect();
    format!("{}…", kept.trim_end())
}
