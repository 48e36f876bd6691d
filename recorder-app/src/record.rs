//! A take in the window: started, told of, ended.

use std::sync::Arc;
use std::thread::Builder;

use recorder_core::devices::{MicWish, pause_key, sources};
use recorder_core::session::{
    AssignedTake, EarlyUpload, Listener, Progress, SessionError, Sources, TakeOptions, record,
};
use shared_types::api::assignment::AssignmentItem;
use shared_types::id::RecordingId;
use shared_types::recording::{Consent, HealthEvent, Manifest};
use tauri::{AppHandle, Emitter};

use crate::desk::{Busy, Desk};
use crate::server;
use crate::trouble::Trouble;
use crate::view::{Level, TakeView, news};

pub(crate) const FPS: u32 = 15;

/// Opens screen and microphone and records on a thread of its own, which tells the page how it goes.
pub(crate) fn start(
    app: &AppHandle,
    desk: &Arc<Desk>,
    assignment: AssignmentItem,
    consent: Consent,
    screen: &str,
    microphone: Option<&MicWish>,
) -> Result<(), Trouble> {
    let busy = desk.begin_recording()?;
    let settings = desk.settings();
    let session = desk.session.clone().hiding_programs(settings.hidden_programs);
    let sources = sources(&session, screen, microphone)?;
    let early = if settings.sends_early {
        let client = server::client(&desk.data)?.with_upload_limit(desk.limit.clone());
        Some(EarlyUpload { client, assignment: assignment.id })
    } else {
        None
    };
    let assigned = AssignedTake {
        assignment_id: assignment.id,
        campaign_id: assignment.campaign_id,
        tier: assignment.tier.clone(),
        consent: Some(consent),
    };
    let options = TakeOptions {
        fps: FPS,
        secs: None,
        goal: Some(assignment.goal.clone()),
        policy: assignment.policy.clone(),
        assigned: Some(assigned),
        early,
    };
    let id = desk.shelf.reserve(assignment)?;
    let (app, desk) = (app.clone(), desk.clone());
    let spawned = Builder::new().name("take".to_owned()).spawn(move || run(&app, &desk, busy, id, sources, &options));
    spawned.map(drop).map_err(|error| Trouble::thread(&error))
}

fn run(app: &AppHandle, desk: &Desk, busy: Busy, id: RecordingId, sources: Sources, options: &TakeOptions) {
    let folder = desk.shelf.folder(id);
    // Without the key the window's button is still there, and the page says so.
    let key = pause_key(&desk.session, &busy.control).ok();
    let mut teller = Teller { app, has_pause_key: key.is_some() };
    let recorded = record(&folder, sources, options, &busy.control, &mut teller);
    drop(key);
    let told = outcome(recorded, desk.shelf.judge(id));
    if told.is_err() && !folder.exists() {
        // Nothing was recorded, and an entry without a recording would stay for ever.
        drop(desk.shelf.discard(id, &|_| None));
    }
    drop(busy);
    match told {
        Ok(take) => tell(app, news::FINISHED, take),
        Err(trouble) => tell(app, news::FAILED, trouble),
    }
}

/// What is told of a take. One that something ended early is as whole as any other; why it ended is told with it. One
/// that could not be made whole is none.
fn outcome(recorded: Result<Manifest, SessionError>, judged: Result<TakeView, Trouble>) -> Result<TakeView, Trouble> {
    match recorded {
        Err(error @ SessionError::Unfinished { .. }) => Err(error.into()),
        Err(error) => judged.map_err(|_| error.into()),
        Ok(_) => judged,
    }
}

struct Teller<'a> {
    app: &'a AppHandle,
    has_pause_key: bool,
}

impl Listener for Teller<'_> {
    fn started(&mut self) {
        tell(self.app, news::STARTED, ());
    }

    fn progress(&mut self, progress: Progress) {
        let Progress { secs, peak_dbfs, bytes, is_paused: paused, speech_share, disk_secs, .. } = progress;
        let pause_key = self.has_pause_key;
        tell(self.app, news::LEVEL, Level { secs, peak_dbfs, bytes, paused, pause_key, speech_share, disk_secs });
    }

    fn health(&mut self, event: &HealthEvent) {
        tell(self.app, news::HEALTH, event);
    }

    fn over(&mut self, kind: &str) {
        tell(self.app, news::OVER, kind);
    }
}

/// A window that is gone need not be told.
pub(crate) fn tell(app: &AppHandle, name: &str, news: impl serde::Serialize + Clone) {
    drop(app.emit(name, news));
}

#[cfg(test)]
mod tests {
    use std::io;

    use recorder_core::spool::SpoolError;
    use serde_json::json;
    use shared_types::recording::RecordingStage;

    use super::*;

    fn judged() -> TakeView {
        let id = "01890000-0000-7000-8000-000000000000";
        let assignment = json!({
            "id": id, "stage": "reserved", "campaign_id": id, "tier": "Basic", "goal": "Find a mug", "constraints": [],
            "policy": {}, "pay": { "amount_cents": 2000, "currency": "USD" }, "expires_at": null, "submission": null,
        });
        TakeView {
            id: id.parse().unwrap(),
            // What is sent meanwhile hides that the take is not whole.
            stage: RecordingStage::Uploading,
            assignment: serde_json::from_value(assignment).unwrap(),
            secs: 0.0,
            bytes: 0,
            started_at: String::new(),
            report: None,
            recovered: false,
            ended_early: None,
        }
    }

    #[test]
    fn a_take_that_something_ended_is_finished_and_one_that_is_not_whole_has_failed() {
        let reason = || "the disk is full".to_owned();
        let interrupted = outcome(Err(SessionError::Interrupted { reason: reason() }), Ok(judged()));
        assert!(interrupted.is_ok(), "what was recorded until then is whole");
        let path = std::path::PathBuf::new;
        let source = SpoolError::Disk { path: path(), source: io::ErrorKind::StorageFull.into() };
        let unfinished = SessionError::Unfinished { reason: reason(), source, folder: path() };
        let told = outcome(Err(unfinished), Ok(judged())).unwrap_err();
        assert!(told.what.contains("still on the disk") && told.next.contains("open it again"), "{told:?}");
        let nothing = outcome(Err(SessionError::Nothing(reason())), Err(Trouble::new("It is gone.", "Record again.")));
        assert!(nothing.unwrap_err().what.starts_with("Nothing was recorded"));
    }
}
