//! What the page may ask for. Each command is a few moves; the work is done elsewhere.

#![expect(clippy::needless_pass_by_value, reason = "Tauri hands a command its arguments by value")]

use std::path::PathBuf;
use std::sync::Arc;

use recorder_core::devices::{self, MicWish};
use recorder_core::preflight::{self, Finding, check};
use recorder_core::queue::Place;
use recorder_core::settings::Settings;
use recorder_core::spool::room_secs;
use recorder_core::submit::end_later;
use shared_types::api::assignment::AssignmentItem;
use shared_types::api::worker::ConsentText;
use shared_types::id::{AssignmentId, RecordingId};
use tauri::{AppHandle, Manager, State};

use crate::desk::{Desk, Hold};
use crate::trouble::Trouble;
use crate::view::{DevicesView, Discarded, Handed, InviteView, ListenedView, MyConsent, QueueView, Standing, TakeView};
use crate::{record, send, server};

type Desks<'a> = State<'a, Arc<Desk>>;

/// The first time, what waits to be sent goes on.
#[tauri::command(async)]
pub(crate) fn standing(app: AppHandle, desk: Desks<'_>) -> Result<Standing, Trouble> {
    let standing = show(&desk)?;
    if desk.is_first_look() {
        send::go_on(&app, &desk)?;
    }
    Ok(standing)
}

fn show(desk: &Desk) -> Result<Standing, Trouble> {
    let already_open = desk.is_already_open();
    if !already_open {
        desk.make_whole()?;
    }
    Ok(Standing {
        already_open,
        enrolment: server::enrolled(&desk.data)?,
        invite_link: desk.invite_link(),
        is_recording: desk.is_recording(),
        settings: desk.settings(),
        takes: desk.shelf.list()?,
    })
}

#[tauri::command]
pub(crate) fn read_invite(link: &str) -> Result<InviteView, Trouble> {
    server::read_invite(link)
}

#[tauri::command]
pub(crate) fn read_typed_invite(host: &str, code: &str) -> Result<InviteView, Trouble> {
    server::read_typed_invite(host, code)
}

#[tauri::command(async)]
pub(crate) fn consent(server: &str) -> Result<ConsentText, Trouble> {
    server::consent(server)
}

#[tauri::command(async)]
pub(crate) fn join(
    desk: Desks<'_>,
    invite: InviteView,
    consent: ConsentText,
    name: &str,
    fiverr_user: &str,
) -> Result<Standing, Trouble> {
    server::join(&desk.data, &invite, &consent, name, fiverr_user)?;
    desk.forget_invite_link();
    show(&desk)
}

#[tauri::command(async)]
pub(crate) fn my_consent(desk: Desks<'_>) -> Result<MyConsent, Trouble> {
    server::my_consent(&desk.data)
}

#[tauri::command(async)]
pub(crate) fn consent_in_force(desk: Desks<'_>) -> Result<ConsentText, Trouble> {
    server::consent_in_force(&desk.data)
}

/// What was refused for want of it is sent.
#[tauri::command(async)]
pub(crate) fn agree(app: AppHandle, desk: Desks<'_>, consent: ConsentText) -> Result<QueueView, Trouble> {
    server::agree(&desk.data, &consent)?;
    desk.sending.forget_trouble();
    send::go_on(&app, &desk)
}

#[tauri::command(async)]
pub(crate) fn withdraw(desk: Desks<'_>) -> Result<Standing, Trouble> {
    server::withdraw(&desk.data)?;
    show(&desk)
}

/// At the server; the takes on this computer go only if that is wanted, too.
#[tauri::command(async)]
pub(crate) fn erase(desk: Desks<'_>, also_here: bool) -> Result<Standing, Trouble> {
    desk.sending.stop();
    server::erase(&desk.data)?;
    if also_here {
        for take in desk.shelf.ids()? {
            let hold = hold(&desk, take)?;
            // The server holds nothing any more that it could be asked to end.
            desk.shelf.discard(take, &|_| None)?;
            drop(hold);
        }
    }
    show(&desk)
}

/// Gives where the copy lies.
#[tauri::command(async)]
pub(crate) fn save_my_data(app: AppHandle, desk: Desks<'_>) -> Result<PathBuf, Trouble> {
    let folder = app.path().download_dir().ok().filter(|folder| folder.is_dir());
    server::save_my_data(&desk.data, &folder.unwrap_or_else(|| desk.data.clone()))
}

#[tauri::command(async)]
pub(crate) fn goals(desk: Desks<'_>) -> Result<Vec<AssignmentItem>, Trouble> {
    let goals = server::goals(&desk.data)?;
    // The server can be reached; what it does not end now it is asked for the next time.
    drop(end_later(&desk.data, &|server| server::client_of(&desk.data, server)));
    Ok(goals)
}

#[tauri::command(async)]
pub(crate) fn claim(desk: Desks<'_>, assignment: AssignmentId) -> Result<AssignmentItem, Trouble> {
    server::claim(&desk.data, assignment)
}

#[tauri::command(async)]
pub(crate) fn devices(desk: Desks<'_>) -> DevicesView {
    let mut problems = Vec::new();
    let screens = devices::screens(&desk.session).unwrap_or_else(|error| {
        problems.push(Trouble::from(&error));
        Vec::new()
    });
    let microphones = devices::microphones().unwrap_or_else(|error| {
        problems.push(Trouble::from(&error));
        Vec::new()
    });
    // What stands in their way was told with the screens.
    let windows = devices::windows(&desk.session).unwrap_or_default();
    let programs = devices::programs(&desk.session).unwrap_or_default();
    let disk_secs = room_secs(&desk.data);
    DevicesView { screens, windows, programs, microphones, disk_secs, problems }
}

/// Keeps what the worker chose, all but whether sending is paused.
#[tauri::command(async)]
pub(crate) fn choose(desk: Desks<'_>, settings: Settings) -> Result<Settings, Trouble> {
    desk.choose(|kept| *kept = Settings { is_sending_paused: kept.is_sending_paused, ..settings })
}

#[tauri::command(async)]
pub(crate) fn start(
    app: AppHandle,
    desk: Desks<'_>,
    assignment: AssignmentItem,
    screen: &str,
    microphone: Option<MicWish>,
) -> Result<(), Trouble> {
    let consent = server::consent_given(&desk.data)?;
    record::start(&app, &desk, assignment, consent, screen, microphone.as_ref())
}

#[tauri::command]
pub(crate) fn stop(desk: Desks<'_>) {
    desk.end_recording();
}

/// Screen, encoder, input, disk and server, each really tried.
#[tauri::command(async)]
pub(crate) fn preflight(desk: Desks<'_>, assignment: AssignmentItem, screen: &str) -> Vec<Finding> {
    let client = server::client(&desk.data).ok();
    check(&desk.session, screen, &desk.data, record::FPS, &assignment.policy, client.as_ref())
}

/// Five seconds of a microphone, to be heard.
#[tauri::command(async)]
pub(crate) fn listen(desk: Desks<'_>, microphone: MicWish) -> Result<ListenedView, Trouble> {
    let busy = desk.begin_recording()?;
    let listened = preflight::listen(&devices::microphone(&microphone), &busy.control)?;
    drop(busy);
    Ok(ListenedView { finding: listened.finding, wav: listened.wav })
}

#[tauri::command]
pub(crate) fn toggle_pause(desk: Desks<'_>) {
    desk.toggle_pause();
}

/// Removes a stretch of a take for good.
#[tauri::command(async)]
pub(crate) fn cut(desk: Desks<'_>, take: RecordingId, from: f64, to: f64) -> Result<TakeView, Trouble> {
    let hold = hold(&desk, take)?;
    let cut = desk.shelf.cut(take, from, to, &|server| server::client_of(&desk.data, server));
    drop(hold);
    cut
}

/// Nothing else happens to a take meanwhile.
fn hold(desk: &Desk, take: RecordingId) -> Result<Hold<'_>, Trouble> {
    desk.hold(&desk.shelf.folder(take)).ok_or_else(|| {
        Trouble::new("This recording is being sent in just now.", "Pause the sending first, then try again.")
    })
}

#[tauri::command(async)]
pub(crate) fn discard(app: AppHandle, desk: Desks<'_>, take: RecordingId) -> Result<Discarded, Trouble> {
    let hold = hold(&desk, take)?;
    let still_held_by = desk.shelf.discard(take, &|server| server::client_of(&desk.data, server))?;
    drop(hold);
    send::tell_queue(&app, &desk);
    let trouble = still_held_by.first().map(|server| {
        Trouble::new(
            format!("It is deleted here, but {server} could not be asked to forget what it had been sent before."),
            "You need not do anything: it is asked again when you open the recorder online.",
        )
    });
    Ok(Discarded { standing: show(&desk)?, trouble })
}

#[tauri::command(async)]
pub(crate) fn queue(desk: Desks<'_>) -> Result<QueueView, Trouble> {
    send::view(&desk)
}

#[tauri::command(async)]
pub(crate) fn submit(app: AppHandle, desk: Desks<'_>, take: RecordingId) -> Result<QueueView, Trouble> {
    send::add(&app, &desk, take)
}

#[tauri::command(async)]
pub(crate) fn send_first(desk: Desks<'_>, folder: PathBuf) -> Result<QueueView, Trouble> {
    send::reorder(&desk, |queue| queue.add(&folder, Place::First))
}

/// The take itself stays.
#[tauri::command(async)]
pub(crate) fn leave_queue(desk: Desks<'_>, folder: PathBuf) -> Result<QueueView, Trouble> {
    send::reorder(&desk, |queue| {
        queue.remove(&folder);
        Ok(())
    })
}

#[tauri::command(async)]
pub(crate) fn pause_sending(desk: Desks<'_>) -> Result<QueueView, Trouble> {
    desk.choose(|kept| kept.is_sending_paused = true)?;
    desk.sending.stop();
    send::view(&desk)
}

/// After a pause, or once more what was stuck.
#[tauri::command(async)]
pub(crate) fn go_on_sending(app: AppHandle, desk: Desks<'_>) -> Result<QueueView, Trouble> {
    desk.choose(|kept| kept.is_sending_paused = false)?;
    desk.sending.forget_trouble();
    send::go_on(&app, &desk)
}

#[tauri::command(async)]
pub(crate) fn submissions(desk: Desks<'_>) -> Result<Vec<Handed>, Trouble> {
    server::submissions(&desk.data)
}
