//! Compares what the pipeline made with what is known to be true.
//!
//! Steps: a predicted and a true Step of one class may be a pair when their times are within a second (a `type` or `scroll`
//! lasts from `t` to `t_end`); pairs are taken nearest in time first, one to one. True Steps marked `implied` follow from
//! another and may be found or not. Transcripts: word error rate on normalised words, and the median error of the start of
//! the words that agree. Numbers are rounded to four places.

mod likeness;
mod steps;
mod transcript;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

pub use steps::{StepRow, StepScore};
pub use transcript::TranscriptScore;

#[derive(Debug, thiserror::Error)]
pub enum ScoreError {
    #[error("{} cannot be read: {source}. Give a file that is there and that you may read.", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("line {line} of {} is not a Step: {source}. Each line is one JSON object with at least `t` and `action`.", path.display())]
    NotAStep { path: PathBuf, line: usize, source: serde_json::Error },
    #[error("{} is not a transcript: {reason}. Give a transcript.json of `pipeline run`, or a list of spoken segments.", path.display())]
    NotATranscript { path: PathBuf, reason: String },
}

/// The report of `pipeline score`.
#[derive(Debug, Serialize)]
pub struct Score {
    pub steps: StepScore,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transcript: Option<TranscriptScore>,
}

/// Scores files; `transcripts` are the predicted and the true one.
pub fn score(predicted: &Path, truth: &Path, transcripts: Option<(&Path, &Path)>) -> Result<Score, ScoreError> {
    let steps = steps::score(&read_steps(predicted)?, &read_steps(truth)?);
    let transcript = match transcripts {
        Some((predicted, truth)) => Some(transcript::score(&transcript::read(truth)?, &transcript::read(predicted)?)),
        None => None,
    };
    Ok(Score { steps, transcript })
}

/// Scores and prints the report on stdout.
#[expect(clippy::print_stdout, reason = "the answer of a command goes to stdout")]
pub fn run_score(predicted: &Path, truth: &Path, transcripts: Option<(&Path, &Path)>) -> Result<(), ScoreError> {
    let report = score(predicted, truth, transcripts)?;
    println!("{}", serde_json::to_string_pretty(&report).unwrap_or_default());
    Ok(())
}

fn read_text(path: &Path) -> Result<String, ScoreError> {
    fs::read_to_string(path).map_err(|source| ScoreError::Read { path: path.to_owned(), source })
}

fn read_steps(path: &Path) -> Result<Vec<StepRow>, ScoreError> {
    let text = read_text(path)?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(index, line)| {
            serde_json::from_str(line).map_err(|source| ScoreError::NotAStep {
                path: path.to_owned(),
                line: index + 1,
                source,
            })
        })
        .collect()
}

/// To so many decimal places, ties to even.
fn rounded(value: f64, places: usize) -> f64 {
    format!("{value:.places$}").parse().unwrap_or(value)
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    let middle = match values.len() {
        0 => return None,
        count if count % 2 == 1 => values[half],
        _ => f64::midpoint(values[half - 1], values[half]),
    };
    Some(rounded(middle, 4))
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| rounded(values.iter().sum::<f64>() / values.len() as f64, 4))
}
