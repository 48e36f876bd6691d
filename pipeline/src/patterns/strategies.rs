//! How recordings went about their goals, by rules a reader can check: how the offers were reached, and how many were
//! looked at before one was taken.

use std::collections::BTreeMap;

use serde::Serialize;
use shared_types::step::{Action, Intent};

use super::load::Recording;

/// One product looked at closely is no choice between products.
const SEVERAL: usize = 2;

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Strategies {
    pub all: Vec<Strategy>,
    /// For each site, and for each worker, how many recordings followed which strategy.
    pub by_site: BTreeMap<String, BTreeMap<String, u32>>,
    pub by_worker: BTreeMap<String, BTreeMap<String, u32>>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Strategy {
    /// Such as `searches, weighs several`.
    pub name: String,
    pub recordings: u32,
    pub mean_steps: f64,
    pub mean_secs: f64,
    /// Of the demands whose outcome is known, those that were met; null where none is.
    pub met_share: Option<f64>,
    /// SHA-256 of one of them, to look at.
    pub example: String,
}

#[derive(Default)]
struct Sums {
    recordings: u32,
    steps: f64,
    secs: f64,
    met: u32,
    known: u32,
    example: String,
}

pub fn of_all(recordings: &[Recording]) -> Strategies {
    let mut sums: BTreeMap<String, Sums> = BTreeMap::new();
    let (mut by_site, mut by_worker) = (BTreeMap::new(), BTreeMap::new());
    for recording in recordings {
        let name = strategy(recording);
        for (table, key) in [(&mut by_site, &recording.site), (&mut by_worker, &recording.worker)] {
            let table: &mut BTreeMap<String, BTreeMap<String, u32>> = table;
            let key = key.clone().unwrap_or_else(|| "not known".to_owned());
            *table.entry(key).or_default().entry(name.clone()).or_default() += 1;
        }
        let sum = sums.entry(name).or_default();
        if sum.recordings == 0 {
            sum.example.clone_from(&recording.sha256);
        }
        sum.recordings += 1;
        sum.steps += recording.steps.len() as f64;
        let (first, last) = (recording.steps.first(), recording.steps.last());
        sum.secs += first.zip(last).map_or(0.0, |(first, last)| last.t_end - first.t);
        let outcomes = recording.constraints.iter().filter_map(|finding| finding.met);
        for is_met in outcomes {
            sum.known += 1;
            sum.met += u32::from(is_met);
        }
    }
    let mut all: Vec<Strategy> = sums.into_iter().map(|(name, sums)| sums.told(name)).collect();
    all.sort_by(|a, b| b.recordings.cmp(&a.recordings).then_with(|| a.name.cmp(&b.name)));
    Strategies { all, by_site, by_worker }
}

impl Sums {
    fn told(self, name: String) -> Strategy {
        let mean = |sum: f64| (sum / f64::from(self.recordings.max(1)) * 10.0).round() / 10.0;
        Strategy {
            name,
            recordings: self.recordings,
            mean_steps: mean(self.steps),
            mean_secs: mean(self.secs),
            met_share: (self.known > 0).then(|| f64::from(self.met) / f64::from(self.known)),
            example: self.example,
        }
    }
}

/// The strategy of a recording, in two halves: the way in, and the choice.
pub fn strategy(recording: &Recording) -> String {
    let intents: Vec<Intent> = recording.steps.iter().filter_map(|step| step.intent).collect();
    let uses = |wanted: Intent| intents.contains(&wanted);
    let way_in = intents.iter().find_map(|intent| match intent {
        Intent::Search => Some("searches"),
        Intent::Filter => Some("browses"),
        _ => None,
    });
    let narrows = match (uses(Intent::Filter) && uses(Intent::Search), uses(Intent::Sort)) {
        (true, true) => ", filters and sorts",
        (true, false) => ", also filters",
        (false, true) => ", sorts",
        (false, false) => "",
    };
    let choice = match (looked_at(recording), uses(Intent::Add), uses(Intent::Remove)) {
        (_, true, true) => "changes its mind",
        (SEVERAL.., true, false) => "weighs several",
        (_, true, false) => "takes the first",
        (SEVERAL.., false, _) => "looks at several and takes none",
        (_, false, _) => "takes none",
    };
    format!("{}{narrows}, {choice}", way_in.unwrap_or("goes straight there"))
}

/// Different things that were opened before the first was added.
fn looked_at(recording: &Recording) -> usize {
    let before = recording.steps.iter().take_while(|step| step.intent != Some(Intent::Add));
    let opened = before.filter(|step| step.intent == Some(Intent::Inspect) && step.action == Action::Click);
    let names: std::collections::BTreeSet<&str> =
        opened.filter_map(|step| step.target.as_ref()?.text.as_deref()).collect();
    names.len()
}
