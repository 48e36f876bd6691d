//! The stages of every noun and the moves between them, as rows: strings and order are those of the contract.

#![expect(clippy::unwrap_used, reason = "helpers of tests: what cannot be set up is a failed test")]

use std::collections::BTreeSet;
use std::fmt::{Debug, Display};

use serde::Serialize;
use serde::de::DeserializeOwned;
use shared_types::assignment::AssignmentStage;
use shared_types::dataset::DatasetStage;
use shared_types::job::JobStage;
use shared_types::lifecycle::InvalidTransition;
use shared_types::order::OrderStage;
use shared_types::payout::PayoutStage;
use shared_types::recording::RecordingStage;
use shared_types::submission::SubmissionStage;
use shared_types::upload::UploadStage;
use shared_types::worker::WorkerStage;

/// A stage and, separated by spaces, those that may follow it.
type Row = (&'static str, &'static str);

fn check<S>(noun: &str, all: &[S], advance: fn(S, S) -> Result<S, InvalidTransition>, rows: &[Row])
where
    S: Copy + PartialEq + Debug + Display + Serialize + DeserializeOwned,
{
    let names: Vec<String> = all.iter().map(ToString::to_string).collect();
    let expected: Vec<&str> = rows.iter().map(|(stage, _)| *stage).collect();
    assert_eq!(names, expected, "stages of {noun}");
    for (&from, (name, next)) in all.iter().zip(rows) {
        let text = serde_json::to_string(&from).unwrap();
        assert_eq!(text, format!("{name:?}"), "{noun} as JSON");
        assert_eq!(serde_json::from_str::<S>(&text).unwrap(), from, "{noun} from JSON");
        let next: Vec<&str> = next.split_whitespace().collect();
        for &to in all {
            let to_name = to.to_string();
            match advance(from, to) {
                Ok(reached) => {
                    assert_eq!(reached, to);
                    assert!(next.contains(&to_name.as_str()), "{noun}: {name} -> {to_name} must be refused");
                }
                Err(refused) => {
                    assert!(!next.contains(&to_name.as_str()), "{noun}: {name} -> {to_name} must be allowed");
                    assert_eq!(refused.to_string(), format!("a {noun} that is {name} cannot become {to_name}"));
                }
            }
        }
    }
    assert!(serde_json::from_str::<S>("\"elsewhere\"").is_err(), "{noun}: an unknown stage must be refused");
    assert_eq!(reachable(rows), expected.into_iter().collect(), "{noun}: every stage has a road to it");
}

fn reachable(rows: &[Row]) -> BTreeSet<&str> {
    let mut found = BTreeSet::from([rows[0].0]);
    loop {
        let before = found.len();
        for (stage, next) in rows {
            if found.contains(stage) {
                found.extend(next.split_whitespace());
            }
        }
        if found.len() == before {
            return found;
        }
    }
}

macro_rules! lifecycles {
    ($($test:ident: $stage:ident, $noun:literal, $rows:expr;)+) => {$(
        #[test]
        fn $test() {
            check($noun, $stage::ALL, $stage::advance, &$rows);
        }
    )+};
}

lifecycles! {
    recording: RecordingStage, "recording", [
        ("capturing", "stopped broken discarded"),
        ("stopped", "checked broken discarded"),
        ("checked", "uploading stopped discarded"),
        ("uploading", "delivered checked discarded"),
        ("delivered", "confirmed uploading"),
        ("confirmed", "discarded"),
        ("discarded", ""),
        ("broken", "discarded"),
    ];
    upload: UploadStage, "upload", [
        ("receiving", "assembling failed expired terminated"),
        ("assembling", "ready failed"),
        ("ready", "terminated"),
        ("failed", ""),
        ("expired", ""),
        ("terminated", ""),
    ];
    assignment: AssignmentStage, "assignment", [
        ("open", "reserved cancelled expired"),
        ("reserved", "recording open returned problem expired cancelled"),
        ("recording", "submitted returned problem expired cancelled"),
        ("submitted", "redo accepted rejected cancelled"),
        ("redo", "recording submitted returned problem expired cancelled"),
        ("accepted", ""),
        ("rejected", ""),
        ("expired", ""),
        ("returned", ""),
        ("problem", "open cancelled"),
        ("cancelled", ""),
    ];
    submission: SubmissionStage, "submission", [
        ("received", "inspecting failed withdrawn"),
        ("inspecting", "sent_back analysing failed quarantined withdrawn"),
        ("sent_back", "withdrawn"),
        ("analysing", "sent_back ready failed quarantined withdrawn"),
        ("ready", "in_review quarantined withdrawn"),
        ("in_review", "redo accepted rejected ready quarantined withdrawn"),
        ("redo", "withdrawn"),
        ("accepted", "quarantined withdrawn"),
        ("rejected", "accepted withdrawn"),
        ("quarantined", "ready rejected withdrawn"),
        ("failed", "received withdrawn"),
        ("withdrawn", ""),
    ];
    job: JobStage, "job", [
        ("queued", "leased cancelled"),
        ("leased", "done queued dead cancelled"),
        ("done", ""),
        ("dead", "queued cancelled"),
        ("cancelled", ""),
    ];
    order: OrderStage, "order", [
        ("awaiting", "delivered partial dispute closed"),
        ("delivered", "reviewing dispute"),
        ("reviewing", "redo_open complete partial dispute"),
        ("redo_open", "delivered partial dispute closed"),
        ("complete", "dispute closed"),
        ("partial", "dispute closed"),
        ("dispute", "complete partial closed"),
        ("closed", ""),
    ];
    payout: PayoutStage, "payout", [
        ("accrued", "approved held void"),
        ("approved", "batched held void"),
        ("batched", "sent approved held"),
        ("sent", "confirmed held"),
        ("confirmed", ""),
        ("held", "accrued approved void"),
        ("void", ""),
    ];
    dataset: DatasetStage, "dataset", [
        ("building", "published"),
        ("published", "withdrawn"),
        ("withdrawn", ""),
    ];
    worker: WorkerStage, "worker", [
        ("registered", "consented banned withdrawn erased"),
        ("consented", "qualifying active suspended banned withdrawn erased"),
        ("qualifying", "active probation suspended banned withdrawn erased"),
        ("active", "probation suspended banned withdrawn erased"),
        ("probation", "active suspended banned withdrawn erased"),
        ("suspended", "active probation banned withdrawn erased"),
        ("banned", "erased"),
        ("withdrawn", "erased"),
        ("erased", ""),
    ];
}
