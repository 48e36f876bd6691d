//! Steps to training examples in the form CodeSight 1.0.

use std::collections::BTreeMap;

use shared_types::example::{EXAMPLE_FORMAT, Example};
use shared_types::step::{Action, Step};
use shared_types::summary::Summary;

/// One example a Step, each with the Steps before it in a sentence.
pub fn from_steps(steps: &[Step], summary: &Summary, picture: [u32; 2]) -> Vec<Example> {
    let mut history: Vec<String> = Vec::new();
    let mut examples = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        examples.push(Example {
            format: EXAMPLE_FORMAT.to_owned(),
            id: format!("{}-{index}", &summary.input_sha256[..16.min(summary.input_sha256.len())]),
            recording_sha256: summary.input_sha256.clone(),
            index: index as u32,
            steps: steps.len() as u32,
            goal: summary.goal.clone(),
            constraints: summary.constraints.clone(),
            site: step.url.as_deref().and_then(site),
            history: history.clone(),
            step: step.clone(),
            picture,
            verdict: summary.verdict,
            last: index + 1 == steps.len(),
            provenance: provenance(summary),
        });
        history.push(sentence(step));
    }
    examples
}

fn provenance(summary: &Summary) -> BTreeMap<String, String> {
    let passes = summary.passes.iter().map(|pass| (format!("pass:{}", pass.name), pass.version.to_string()));
    let models = summary.models.iter().map(|(name, version)| (format!("model:{name}"), version.clone()));
    passes.chain(models).collect()
}

/// The host of an address as the browser shows it: without scheme, path and `www.`.
pub fn site(url: &str) -> Option<String> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = rest.split(['/', '?', '#']).next()?.trim().trim_start_matches("www.");
    (!host.is_empty() && !host.contains(' ')).then(|| host.to_lowercase())
}

/// A Step as a person would tell it.
pub fn sentence(step: &Step) -> String {
    let target = step.target.as_ref().and_then(|target| target.text.as_deref());
    let on = target.map_or_else(String::new, |text| format!(" \"{text}\""));
    match step.action {
        Action::Click if step.count.unwrap_or(1) > 1 => format!("double-click{on}"),
        Action::Click => format!("click{on}"),
        Action::Drag => format!("drag{on}"),
        Action::Type => match &step.text {
            Some(text) => format!("type \"{text}\" into{on}"),
            None => format!("type into{on}"),
        },
        Action::Key => format!("press {}", step.key.as_deref().unwrap_or_default()),
        Action::Scroll => {
            match step.dy {
                Some(down) if down > 0.0 => "scroll down".to_owned(),
                Some(down) if down < 0.0 => "scroll up".to_owned(),
                Some(_) => "scroll sideways".to_owned(),
                // No wheel was seen, only a page that moved.
                None => "scroll".to_owned(),
            }
        }
        Action::Navigate => {
            format!("reach {}", step.title.as_deref().or(step.url.as_deref()).unwrap_or("another page"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::site;

    #[test]
    fn a_site_is_the_host_of_the_address() {
        for (url, host) in [
            ("localhost:3001/product/football", Some("localhost:3001")),
            ("https://www.Example.com/a?b", Some("example.com")),
            ("", None),
            ("Search or type a URL", None),
        ] {
            assert_eq!(site(url).as_deref(), host);
        }
    }
}
