//! What the window asks the server, always as the enrolled worker.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use recorder_core::Client;
use recorder_core::enrol::{self, ConsentStanding, EnrolError, Enrolment, Invite, Person};
use shared_types::api::assignment::AssignmentItem;
use shared_types::api::worker::ConsentText;
use shared_types::id::AssignmentId;
use shared_types::recording::Consent;
use time::OffsetDateTime;

use crate::shelf::disk;
use crate::trouble::Trouble;
use crate::view::{Enrolled, Handed, InviteView, MyConsent};

pub(crate) fn read_invite(link: &str) -> Result<InviteView, Trouble> {
    Ok(invite_view(enrol::parse_invite(link)?))
}

pub(crate) fn read_typed_invite(host: &str, code: &str) -> Result<InviteView, Trouble> {
    Ok(invite_view(enrol::typed_invite(host, code)?))
}

fn invite_view(Invite { server, code }: Invite) -> InviteView {
    InviteView { host: host(&server), server, code }
}

/// What a person recognises a server by.
fn host(server: &str) -> String {
    server.split_once("://").map_or(server, |(_, host)| host).to_owned()
}

pub(crate) fn consent(server: &str) -> Result<ConsentText, Trouble> {
    Ok(Client::new(server, None)?.consent()?)
}

pub(crate) fn join(
    data: &Path,
    invite: &InviteView,
    consent: &ConsentText,
    name: &str,
    fiverr_user: &str,
) -> Result<(), Trouble> {
    let invite = Invite { server: invite.server.clone(), code: invite.code.clone() };
    let person = Person { name: name.to_owned(), fiverr_user: fiverr_user.to_owned() };
    enrol::join(data, &invite, &person, consent, OffsetDateTime::now_utc())?;
    Ok(())
}

pub(crate) fn enrolled(data: &Path) -> Result<Option<Enrolled>, Trouble> {
    let enrolment = Enrolment::load(data)?;
    Ok(enrolment.map(|Enrolment { server, .. }| Enrolled { host: host(&server), server }))
}

fn enrolment(data: &Path) -> Result<Enrolment, Trouble> {
    Ok(Enrolment::load(data)?.ok_or(EnrolError::NotEnrolled)?)
}

pub(crate) fn client(data: &Path) -> Result<Client, Trouble> {
    Ok(enrolment(data)?.client()?)
}

/// The client of a server, if it is the one that was joined.
pub(crate) fn client_of(data: &Path, server: &str) -> Option<Client> {
    client(data).ok().filter(|client| client.server() == server)
}

pub(crate) fn consent_given(data: &Path) -> Result<Consent, Trouble> {
    Ok(enrolment(data)?.consent)
}

/// Whether the text that was accepted is the one in force.
pub(crate) fn my_consent(data: &Path) -> Result<MyConsent, Trouble> {
    let standing = ConsentStanding::of(&client(data)?.me()?);
    Ok(MyConsent { is_due: standing == ConsentStanding::Due, is_withdrawn: standing == ConsentStanding::Withdrawn })
}

pub(crate) fn consent_in_force(data: &Path) -> Result<ConsentText, Trouble> {
    Ok(client(data)?.consent()?)
}

pub(crate) fn agree(data: &Path, consent: &ConsentText) -> Result<(), Trouble> {
    enrolment(data)?.agree(data, consent, OffsetDateTime::now_utc())?;
    Ok(())
}

pub(crate) fn withdraw(data: &Path) -> Result<(), Trouble> {
    Ok(enrolment(data)?.withdraw()?)
}

pub(crate) fn erase(data: &Path) -> Result<(), Trouble> {
    Ok(enrolment(data)?.erase(data)?)
}

/// All that the server keeps of the worker, as a file in `folder` that its owner alone can read.
pub(crate) fn save_my_data(data: &Path, folder: &Path) -> Result<PathBuf, Trouble> {
    let text = serde_json::to_vec_pretty(&client(data)?.export_me()?).map_err(|error| Trouble::told(&error))?;
    keep_for_owner(folder, &text)
}

/// Under a name of its own: an earlier copy stays.
fn keep_for_owner(folder: &Path, text: &[u8]) -> Result<PathBuf, Trouble> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let names = std::iter::once(String::new()).chain((2..1000).map(|number| format!("-{number}")));
    for name in names {
        let path = folder.join(format!("my-recordings{name}.json"));
        let written = options.open(&path).and_then(|mut file| {
            file.write_all(text)?;
            file.sync_all()
        });
        match written {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(disk(&path, &error)),
        }
    }
    Err(Trouble::new(
        format!("{} is full of copies.", folder.display()),
        "Delete those that you no longer need, then try again.",
    ))
}

pub(crate) fn goals(data: &Path) -> Result<Vec<AssignmentItem>, Trouble> {
    Ok(client(data)?.assignments()?)
}

pub(crate) fn claim(data: &Path, assignment: AssignmentId) -> Result<AssignmentItem, Trouble> {
    Ok(client(data)?.claim_assignment(assignment)?)
}

/// The latest attempt at each assignment, the newest first.
pub(crate) fn submissions(data: &Path) -> Result<Vec<Handed>, Trouble> {
    let client = client(data)?;
    let mut handed = Vec::new();
    for assignment in client.assignments()? {
        if let Some(brief) = &assignment.submission {
            let view = client.submission(brief.id)?;
            handed.push(Handed { assignment, view });
        }
    }
    handed.sort_by_key(|one| std::cmp::Reverse(one.view.received_at));
    Ok(handed)
}
