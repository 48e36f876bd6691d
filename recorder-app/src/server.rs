//! What the window asks the server, always as the enrolled worker.

use std::path::Path;

use recorder_core::Client;
use recorder_core::enrol::{self, EnrolError, Enrolment, Invite, Person};
use shared_types::api::assignment::AssignmentItem;
use shared_types::api::worker::ConsentText;
use shared_types::id::AssignmentId;
use shared_types::recording::Consent;
use time::OffsetDateTime;

use crate::trouble::Trouble;
use crate::view::{Enrolled, Handed, InviteView};

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
