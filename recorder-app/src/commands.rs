//! What the page may ask for. Each command is a few moves; the work is done elsewhere.

#![expect(clippy::needless_pass_by_value, reason = "Tauri hands a command its arguments by value")]

use std::sync::Arc;

use recorder_core::devices;
use recorder_core::preflight::{self, Finding, check};
use recorder_core::submit::end_later;
use shared_types::api::assignment::AssignmentItem;
use shared_types::api::worker::ConsentText;
use shared_types::id::{AssignmentId, RecordingId};
use tauri::{AppHandle, State};

use crate::desk::Desk;
use crate::trouble::Trouble;
use crate::view::{ActivityName, DevicesView, Discarded, Handed, InviteView, ListenedView, Standing, TakeView};
use crate::{record, send, server};

type Desks<'a> = State<'a, Arc<Desk>>;

#[tauri::command(async)]
pub(crate) fn standing(desk: Desks<'_>) -> Result<Standing, Trouble> {
    show(&desk)
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
        activity: desk.activity(),
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
    DevicesView { screens, microphones, problems }
}

#[tauri::command(async)]
pub(crate) fn start(
    app: AppHandle,
    desk: Desks<'_>,
    assignment: AssignmentItem,
    screen: &str,
    microphone: Option<&str>,
) -> Result<(), Trouble> {
    let consent = server::consent_given(&desk.data)?;
    record::start(&app, &desk, assignment, consent, screen, microphone)
}

#[tauri::command]
pub(crate) fn stop(desk: Desks<'_>) {
    desk.end(ActivityName::Recording);
}

/// Screen, encoder, disk and server, each really tried.
#[tauri::command(async)]
pub(crate) fn preflight(desk: Desks<'_>, assignment: AssignmentItem, screen: &str) -> Vec<Finding> {
    let client = server::client(&desk.data).ok();
    check(&desk.session, screen, &desk.data, record::FPS, &assignment.policy, client.as_ref())
}

/// Five seconds of a microphone, to be heard.
#[tauri::command(async)]
pub(crate) fn listen(desk: Desks<'_>, microphone: &str) -> Result<ListenedView, Trouble> {
    let busy = desk.begin(ActivityName::Recording)?;
    let listened = preflight::listen(&devices::microphone(microphone), &busy.control)?;
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
    let busy = desk.begin(ActivityName::Sending)?;
    let cut = desk.shelf.cut(take, from, to, &|server| server::client_of(&desk.data, server));
    drop(busy);
    cut
}

#[tauri::command(async)]
pub(crate) fn discard(desk: Desks<'_>, take: RecordingId) -> Result<Discarded, Trouble> {
    // Nothing else happens to the takes meanwhile.
    let busy = desk.begin(ActivityName::Sending)?;
    let still_held_by = desk.shelf.discard(take, &|server| server::client_of(&desk.data, server))?;
    drop(busy);
    let trouble = still_held_by.first().map(|server| {
        Trouble::new(
            format!("It is deleted here, but {server} could not be asked to forget what it had been sent before."),
            "You need not do anything: it is asked again when you open the recorder online.",
        )
    });
    Ok(Discarded { standing: show(&desk)?, trouble })
}

#[tauri::command(async)]
pub(crate) fn submit(app: AppHandle, desk: Desks<'_>, take: RecordingId) -> Result<(), Trouble> {
    send::start(&app, &desk, take)
}

#[tauri::command]
pub(crate) fn cancel_submit(desk: Desks<'_>) {
    desk.end(ActivityName::Sending);
}

#[tauri::command(async)]
pub(crate) fn submissions(desk: Desks<'_>) -> Result<Vec<Handed>, Trouble> {
    server::submissions(&desk.data)
}
