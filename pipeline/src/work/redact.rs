//! The job `redact`: the ranges that reviewers marked go out of the recording itself, and everything that was made of it
//! is made again. The server puts the new files in the place of the old ones and forgets those.

use std::fs;
use std::path::Path;

use shared_types::api::job::LeasedJob;
use shared_types::quality::flag::{FLAG_RULES, Verdict};
use shared_types::quality::policy::Policy;
use shared_types::recording::{EVENTS_FILE, MANIFEST_FILE, VIDEO_FILE};
use shared_types::redaction::{
    PictureRedaction, PiiKind, Redaction, RedactionRange, RedactionSource, SoundRedaction, TextRedaction,
};

use super::analyse::{Over, run_over};
use super::lease::Lease;
use super::results::Results;
use super::{JobError, Machine, fetch};
use crate::passes::redact::{self, recording};

const PLAN_FILE: &str = "redaction.json";

pub(super) fn redact(
    machine: &Machine<'_>,
    job: &LeasedJob,
    lease: &Lease,
    folder: &Path,
) -> Result<Results, JobError> {
    lease.tell("fetching", None);
    let take = fetch(machine, job, lease, folder)?;
    let covered = folder.join("covered");
    fs::create_dir(&covered)?;
    recording::redact(machine.program, &take.folder, &covered, &job.redactions, lease.end(), |_| {
        lease.tell(redact::NAME, None);
    })?;
    // What a reviewer had covered is not the worker's fault: a dark or silent stretch of it rejects nothing.
    let policy = without_rejects(&job.policy);
    // Finished passes hold what was read before anything was covered: those of this job go with its folder.
    let over = Over { take: &covered, policy: &policy, passes: &folder.join("passes") };
    let mut results = run_over(machine, job, lease, folder, over)?;
    if let Some((_, path)) = results.files.iter().find(|(name, _)| name == PLAN_FILE) {
        let mut plan: Redaction =
            serde_json::from_slice(&fs::read(path)?).map_err(|source| JobError::Result { name: PLAN_FILE, source })?;
        let size = results.result.quality.as_ref().and_then(|quality| quality.measurements.picture.as_ref());
        add_ranges(&mut plan, &job.redactions, size.map_or((0, 0), |picture| (picture.width, picture.height)));
        fs::write(path, serde_json::to_vec_pretty(&plan).map_err(std::io::Error::from)?)?;
    }
    for name in [VIDEO_FILE, EVENTS_FILE, MANIFEST_FILE] {
        let path = covered.join(name);
        if path.is_file() {
            results.files.push((name.to_owned(), path));
        }
    }
    Ok(results)
}

fn without_rejects(policy: &Policy) -> Policy {
    let mut policy = policy.clone();
    for rule in FLAG_RULES {
        let verdict = policy.verdicts.entry(rule.flag).or_insert(Verdict::Review);
        if *verdict == Verdict::Reject {
            *verdict = Verdict::Review;
        }
    }
    policy
}

fn add_ranges(plan: &mut Redaction, ranges: &[RedactionRange], (width, height): (u32, u32)) {
    let (kind, source) = (PiiKind::Marked, RedactionSource::Reviewer);
    for range in ranges {
        let span = range.span();
        if range.track.has_picture() {
            let bounds = range.bounds.unwrap_or([0.0, 0.0, f64::from(width), f64::from(height)]);
            plan.pictures.push(PictureRedaction { kind, source, span, bounds });
        }
        if range.track.has_sound() {
            plan.sounds.push(SoundRedaction { kind, source, span });
        }
        plan.texts.push(TextRedaction { kind, source, span });
    }
}
