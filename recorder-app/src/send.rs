//! Sending a take in, on a thread of its own that tells the page how far it is.

use std::sync::Arc;
use std::thread::Builder;

use recorder_core::submit::{SentBytes, SubmitListener, submit};
use recorder_core::{Client, Waiting};
use shared_types::id::{AssignmentId, RecordingId};
use tauri::AppHandle;

use crate::desk::{Busy, Desk};
use crate::record::tell;
use crate::server;
use crate::trouble::Trouble;
use crate::view::{ActivityName, Submitted, Unsent, UploadNews, news};

pub(crate) fn start(app: &AppHandle, desk: &Arc<Desk>, take: RecordingId) -> Result<(), Trouble> {
    let busy = desk.begin(ActivityName::Sending)?;
    // A take that could not be judged before is judged now.
    let assignment = desk.shelf.judge(take)?.assignment.id;
    let client = server::client(&desk.data)?;
    let (app, desk) = (app.clone(), desk.clone());
    let spawned =
        Builder::new().name("submit".to_owned()).spawn(move || run(&app, &desk, busy, &client, take, assignment));
    spawned.map(drop).map_err(|error| Trouble::thread(&error))
}

fn run(app: &AppHandle, desk: &Desk, busy: Busy, client: &Client, take: RecordingId, assignment: AssignmentId) {
    let mut teller = Teller { app, sent: UploadNews { take, sent: 0, total: 0, waiting: None } };
    let submitted = submit(&desk.shelf.folder(take), client, assignment, &mut teller, busy.control.end_flag());
    drop(busy);
    match submitted {
        Ok(_) => tell(app, news::SUBMITTED, Submitted { take }),
        Err(error) => {
            let trouble = (!error.is_cancelled()).then(|| Trouble::from(error));
            tell(app, news::UNSENT, Unsent { take, trouble });
        }
    }
}

struct Teller<'a> {
    app: &'a AppHandle,
    sent: UploadNews,
}

impl SubmitListener for Teller<'_> {
    fn progress(&mut self, SentBytes { sent_bytes, total_bytes }: SentBytes) {
        self.sent = UploadNews { take: self.sent.take, sent: sent_bytes, total: total_bytes, waiting: None };
        tell(self.app, news::UPLOAD, self.sent.clone());
    }

    fn waiting(&mut self, waiting: &Waiting) {
        self.sent.waiting = Some(waiting.sentence.clone());
        tell(self.app, news::UPLOAD, self.sent.clone());
    }
}
