//! The queue of takes, sent one after the other on a thread of its own that tells the page how far it is.
//!
//! What the order is and that it outlives the program is `recorder-core`'s. Here is what only a window needs: which take
//! is under way and why another one is stuck.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::Builder;

use recorder_core::queue::{Place, Queue, send_all};
use recorder_core::spool::{Spool, SpoolError};
use recorder_core::submit::{SentBytes, SubmitError, SubmitListener, submit};
use recorder_core::{Client, Waiting};
use shared_types::id::RecordingId;
use tauri::AppHandle;

use crate::desk::{Desk, held};
use crate::record::tell;
use crate::server;
use crate::trouble::Trouble;
use crate::view::{QueueView, QueuedTake, SentView, Submitted, news};

#[derive(Default)]
pub(crate) struct Sending(Mutex<State>);

#[derive(Default)]
struct State {
    /// Set, it stops the thread that is at it. There is none without it.
    stop: Option<Arc<AtomicBool>>,
    now: Option<(PathBuf, SentView)>,
    /// Takes that could not be sent, until it is tried again.
    stuck: BTreeMap<PathBuf, Trouble>,
    /// What stands in the way of all of them.
    trouble: Option<Trouble>,
}

impl Sending {
    /// What is under way stops where it is; the queue stays.
    pub(crate) fn stop(&self) {
        if let Some(stop) = &held(&self.0).stop {
            stop.store(true, Ordering::Relaxed);
        }
    }

    /// What was stuck has its turn again.
    pub(crate) fn forget_trouble(&self) {
        let mut state = held(&self.0);
        state.stuck.clear();
        state.trouble = None;
    }
}

/// The queue as the page shows it.
pub(crate) fn view(desk: &Desk) -> Result<QueueView, Trouble> {
    let queue = Queue::load(&desk.data)?;
    let state = held(&desk.sending.0);
    let takes = queue.takes().iter().map(|folder| {
        let manifest = Spool::open(folder).and_then(|spool| spool.read_manifest()).ok();
        let goal = manifest.as_ref().and_then(|manifest| manifest.goal.clone());
        let bytes = manifest.map_or(0, |manifest| manifest.files.values().map(|file| file.bytes).sum());
        QueuedTake {
            take: desk.shelf.id_of(folder),
            folder: folder.clone(),
            goal,
            bytes,
            now: state.now.as_ref().filter(|(now, _)| now == folder).map(|(_, sent)| sent.clone()),
            trouble: state.stuck.get(folder).cloned(),
        }
    });
    Ok(QueueView {
        takes: takes.collect(),
        is_sending: state.stop.is_some(),
        is_paused: desk.settings().is_sending_paused,
        trouble: state.trouble.clone(),
    })
}

/// Puts a take into the queue, and sends.
pub(crate) fn add(app: &AppHandle, desk: &Arc<Desk>, take: RecordingId) -> Result<QueueView, Trouble> {
    let folder = desk.shelf.folder(take);
    Queue::change(&desk.data, |queue| queue.add(&folder, Place::Last))?;
    go_on(app, desk)
}

/// Sends what waits, unless that is under way or its maker paused it.
pub(crate) fn go_on(app: &AppHandle, desk: &Arc<Desk>) -> Result<QueueView, Trouble> {
    if desk.is_already_open() || desk.settings().is_sending_paused || Queue::load(&desk.data)?.takes().is_empty() {
        return view(desk);
    }
    let stop = {
        let mut state = held(&desk.sending.0);
        if let Some(stop) = &state.stop {
            // It may be about to stop.
            stop.store(false, Ordering::Relaxed);
            None
        } else {
            let stop = Arc::new(AtomicBool::new(false));
            state.stop = Some(stop.clone());
            Some(stop)
        }
    };
    if let Some(stop) = stop {
        let (app, at) = (app.clone(), desk.clone());
        let spawned = Builder::new().name("submit".to_owned()).spawn(move || run(&app, &at, &stop));
        spawned.map_err(|error| {
            held(&desk.sending.0).stop = None;
            Trouble::thread(&error)
        })?;
    }
    view(desk)
}

fn run(app: &AppHandle, desk: &Desk, stop: &AtomicBool) {
    loop {
        let passed = server::client(&desk.data).and_then(|client| {
            let client = client.with_upload_limit(desk.limit.clone());
            Ok(send_all(&desk.data, |folder| send_one(app, desk, &client, folder, stop))?)
        });
        let mut state = held(&desk.sending.0);
        state.trouble = passed.as_ref().err().cloned();
        // Asked with the state held: whoever adds a take looks for this thread afterwards.
        let waits =
            Queue::load(&desk.data).is_ok_and(|queue| queue.takes().iter().any(|take| !state.stuck.contains_key(take)));
        if passed.is_err() || !waits || stop.load(Ordering::Relaxed) {
            state.stop = None;
            break;
        }
    }
    tell_queue(app, desk);
}

fn send_one(
    app: &AppHandle,
    desk: &Desk,
    client: &Client,
    folder: &Path,
    stop: &AtomicBool,
) -> Result<(), SubmitError> {
    let sent = match desk.hold(folder) {
        None => Err(SubmitError::Busy),
        Some(hold) => {
            note(desk, folder, Some(SentView::default()));
            tell_queue(app, desk);
            let sent = hand_in(app, desk, client, folder, stop);
            drop(hold);
            sent
        }
    };
    note(desk, folder, None);
    match &sent {
        Ok(()) => tell(app, news::SUBMITTED, Submitted { take: desk.shelf.id_of(folder) }),
        Err(error) if error.is_cancelled() => {}
        Err(error) => drop(held(&desk.sending.0).stuck.insert(folder.to_owned(), Trouble::from(error))),
    }
    tell_queue(app, desk);
    sent
}

fn hand_in(app: &AppHandle, desk: &Desk, client: &Client, folder: &Path, stop: &AtomicBool) -> Result<(), SubmitError> {
    if let Some(take) = desk.shelf.id_of(folder) {
        // A take that could not be judged before. What stands in the way of it is told by the handing in, too.
        drop(desk.shelf.judge(take));
    }
    let assignment = Spool::open(folder)?.read_manifest()?.assignment_id.ok_or(SubmitError::NoAssignment)?;
    let mut teller = Teller { app, desk, folder, sent: SentView::default() };
    submit(folder, client, assignment, &mut teller, stop).map(drop)
}

/// What is sent of a take, or that it is not under way any more.
fn note(desk: &Desk, folder: &Path, sent: Option<SentView>) {
    let mut state = held(&desk.sending.0);
    if sent.is_some() {
        state.stuck.remove(folder);
    }
    state.now = sent.map(|sent| (folder.to_owned(), sent));
}

pub(crate) fn tell_queue(app: &AppHandle, desk: &Desk) {
    if let Ok(queue) = view(desk) {
        tell(app, news::QUEUE, queue);
    }
}

/// Changes the order, and shows it.
pub(crate) fn reorder(
    desk: &Desk,
    change: impl FnOnce(&mut Queue) -> Result<(), SpoolError>,
) -> Result<QueueView, Trouble> {
    Queue::change(&desk.data, change)?;
    view(desk)
}

struct Teller<'a> {
    app: &'a AppHandle,
    desk: &'a Desk,
    folder: &'a Path,
    sent: SentView,
}

impl Teller<'_> {
    fn tell(&self) {
        note(self.desk, self.folder, Some(self.sent.clone()));
        tell(self.app, news::UPLOAD, (self.folder, &self.sent));
    }
}

impl SubmitListener for Teller<'_> {
    fn progress(&mut self, SentBytes { sent_bytes, total_bytes }: SentBytes) {
        self.sent = SentView { sent: sent_bytes, total: total_bytes, waiting: None };
        self.tell();
    }

    fn waiting(&mut self, waiting: &Waiting) {
        self.sent.waiting = Some(waiting.sentence.clone());
        self.tell();
    }
}
