//! How a computer becomes a worker's: an invite is exchanged for a token, which is kept in a file of its owner's.
//!
//! The device's id is on the disk before the server is asked. An answer that is lost on its way is therefore had by
//! asking again: the same invite from the same device gives the same worker and a fresh token.
//!
//! A text of consent that was renewed is accepted anew by the same worker ([`Enrolment::agree`]); a take that waits is
//! sent afterwards as it is. Who withdraws or has everything erased leaves.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ingest_client::{Client, ClientError};
use serde::{Deserialize, Serialize};
use shared_types::api::worker::{ConsentChange, ConsentGiven, ConsentText, Device, Me, RegisterRequest};
use shared_types::id::WorkerId;
use shared_types::recording::Consent;
use shared_types::timestamp::Timestamp;
use shared_types::worker::WorkerStage;
use time::OffsetDateTime;

use crate::spool::replace_file;

const ENROLMENT_FILE: &str = "enrolment.json";
const DEVICE_FILE: &str = "device.json";

#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    #[error(
        "{given:?} is no invite: {why}. Paste the whole link that you were sent, collector://invite/CODE?server=HOST"
    )]
    Invite { given: String, why: &'static str },
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("this computer has joined no server yet. Run `recorder join LINK` with the link that you were sent")]
    NotEnrolled,
    #[error("there is no place to keep the enrolment. Set COLLECTOR_DATA_DIR to a folder of yours")]
    NoFolder,
    #[error("the file {path} cannot be read or written: {source}. Check that you may write there")]
    Disk { path: PathBuf, source: io::Error },
}

/// What an invite says: where, and the code that lets one person in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invite {
    pub server: String,
    pub code: String,
}

/// Who joins. Both are seen by the reviewers of the campaign alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    pub name: String,
    pub fiverr_user: String,
}

/// What this computer needs to speak for its worker.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Enrolment {
    pub server: String,
    pub worker_id: WorkerId,
    pub token: String,
    pub device_id: String,
    /// What was accepted, copied into the manifest of every take.
    pub consent: Consent,
}

#[derive(Serialize, Deserialize)]
struct KeptDevice {
    id: String,
}

/// Reads `collector://invite/CODE?server=https://HOST`.
pub fn parse_invite(link: &str) -> Result<Invite, EnrolError> {
    let refuse = |why| EnrolError::Invite { given: link.to_owned(), why };
    let rest = link.trim().strip_prefix("collector://invite/").ok_or_else(|| refuse("it does not begin as one"))?;
    let (code, query) = rest.split_once('?').ok_or_else(|| refuse("it names no server"))?;
    let server = query.split('&').find_map(|pair| pair.strip_prefix("server="));
    let server = server.and_then(percent_decode).ok_or_else(|| refuse("it names no server"))?;
    typed_invite(&server, code.trim_end_matches('/'))
}

/// The same from a HOST and a CODE that were typed.
pub fn typed_invite(host: &str, code: &str) -> Result<Invite, EnrolError> {
    let code = code.trim();
    let is_code =
        !code.is_empty() && code.chars().all(|letter| letter.is_ascii_alphanumeric() || "_-".contains(letter));
    if !is_code {
        return Err(EnrolError::Invite { given: code.to_owned(), why: "its code has other letters than codes have" });
    }
    let server = Client::new(host, None)?.server().to_owned();
    Ok(Invite { server, code: code.to_owned() })
}

fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first == b'%' {
            let digits = std::str::from_utf8(after.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &after[2..];
        } else {
            bytes.push(*first);
        }
    }
    String::from_utf8(bytes).ok()
}

/// Exchanges the invite for a token and keeps it in `folder`. `consent` is the text that the person has read and
/// accepted at `accepted_at`.
pub fn join(
    folder: &Path,
    invite: &Invite,
    person: &Person,
    consent: &ConsentText,
    accepted_at: OffsetDateTime,
) -> Result<Enrolment, EnrolError> {
    let device_id = device_id(folder)?;
    let accepted_at = Timestamp::from_time(accepted_at);
    let registered = Client::new(&invite.server, None)?.register(&RegisterRequest {
        invite: invite.code.clone(),
        name: person.name.clone(),
        fiverr_user: person.fiverr_user.clone(),
        consent: ConsentGiven { version: consent.version.clone(), accepted_at },
        device: Device {
            id: device_id.clone(),
            os: Some(std::env::consts::OS.to_owned()),
            app_version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        },
    })?;
    let enrolment = Enrolment {
        server: invite.server.clone(),
        worker_id: registered.worker_id,
        token: registered.token,
        device_id,
        consent: accepted(consent, accepted_at),
    };
    keep(&folder.join(ENROLMENT_FILE), &enrolment)?;
    Ok(enrolment)
}

fn accepted(consent: &ConsentText, at: Timestamp) -> Consent {
    Consent {
        version: consent.version.clone(),
        text_sha256: consent.text_sha256.clone(),
        accepted_at: at.to_string(),
        scope: consent.scope.clone(),
    }
}

/// How a worker stands to the text of consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConsentStanding {
    Given,
    /// The text was renewed since.
    Due,
    /// It was withdrawn, for good.
    Withdrawn,
}

impl ConsentStanding {
    pub fn of(me: &Me) -> Self {
        match me.worker.stage {
            WorkerStage::Withdrawn | WorkerStage::Erased => Self::Withdrawn,
            _ if me.worker.consent_version.as_ref() == Some(&me.worker.current_consent_version) => Self::Given,
            _ => Self::Due,
        }
    }
}

impl Enrolment {
    /// The enrolment kept in `folder`, where there is one.
    pub fn load(folder: &Path) -> Result<Option<Self>, EnrolError> {
        load(&folder.join(ENROLMENT_FILE))
    }

    pub fn client(&self) -> Result<Client, EnrolError> {
        Ok(Client::new(&self.server, Some(&self.token))?)
    }

    /// Accepts the text in force, which the person has read, and keeps that in `folder`.
    pub fn agree(
        mut self,
        folder: &Path,
        consent: &ConsentText,
        accepted_at: OffsetDateTime,
    ) -> Result<Self, EnrolError> {
        let accepted_at = Timestamp::from_time(accepted_at);
        self.client()?.change_consent(&ConsentChange {
            version: Some(consent.version.clone()),
            accepted_at: Some(accepted_at),
            app_version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        })?;
        self.consent = accepted(consent, accepted_at);
        keep(&folder.join(ENROLMENT_FILE), &self)?;
        Ok(self)
    }

    /// Withdraws the consent, for good.
    pub fn withdraw(&self) -> Result<(), EnrolError> {
        self.client()?.change_consent(&ConsentChange::default())?;
        Ok(())
    }

    /// Has the server erase all that it holds of the worker, who is then a stranger to it.
    pub fn erase(self, folder: &Path) -> Result<(), EnrolError> {
        self.client()?.erase_me()?;
        Self::forget(folder)
    }

    /// Forgets the token; the worker and its device stay known to the server.
    pub fn forget(folder: &Path) -> Result<(), EnrolError> {
        let path = folder.join(ENROLMENT_FILE);
        match fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => Err(EnrolError::Disk { path, source }),
            _ => Ok(()),
        }
    }
}

fn device_id(folder: &Path) -> Result<String, EnrolError> {
    let path = folder.join(DEVICE_FILE);
    if let Some(kept) = load::<KeptDevice>(&path)? {
        return Ok(kept.id);
    }
    let id = uuid::Uuid::now_v7().to_string();
    keep(&path, &KeptDevice { id: id.clone() })?;
    Ok(id)
}

fn load<T: serde::de::DeserializeOwned>(path: &Path) -> Result<Option<T>, EnrolError> {
    let disk = |source| EnrolError::Disk { path: path.to_owned(), source };
    match fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| disk(error.into())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(disk(error)),
    }
}

/// Readable by its owner alone.
fn keep(path: &Path, value: &impl Serialize) -> Result<(), EnrolError> {
    let disk = |source| EnrolError::Disk { path: path.to_owned(), source };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(disk)?;
    }
    let text = serde_json::to_vec_pretty(value).map_err(|error| disk(error.into()))?;
    replace_file(path, &text).map_err(disk)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_renewed_text_is_due_and_a_withdrawal_is_for_good() {
        let standing = |stage: &str, accepted: Option<&str>| {
            let worker = serde_json::json!({
                "id": "01890000-0000-7000-8000-000000000000", "name": "Ada", "stage": stage,
                "consent_version": accepted, "current_consent_version": "2",
            });
            let me =
                serde_json::json!({ "worker": worker, "ratings": [], "payouts": [], "oldest_recorder_version": "0" });
            ConsentStanding::of(&serde_json::from_value(me).unwrap())
        };
        assert_eq!(standing("active", Some("2")), ConsentStanding::Given);
        assert_eq!(standing("active", Some("1")), ConsentStanding::Due);
        assert_eq!(standing("registered", None), ConsentStanding::Due);
        for stage in ["withdrawn", "erased"] {
            assert_eq!(standing(stage, Some("2")), ConsentStanding::Withdrawn);
        }
    }

    #[test]
    fn an_invite_is_read_from_its_link() {
        let rows = [
            ("collector://invite/cin_ab-1?server=https://host.example", Some("https://host.example cin_ab-1")),
            (
                " collector://invite/cin_a/?server=https%3A%2F%2Fhost.example%3A8443 ",
                Some("https://host.example:8443 cin_a"),
            ),
            ("collector://invite/cin_a?server=http://127.0.0.1:8750&x=y", Some("http://127.0.0.1:8750 cin_a")),
            ("collector://invite/cin_a?server=http://host.example", None),
            ("collector://invite/cin_a?server=%zz", None),
            ("collector://invite/cin_a", None),
            ("collector://invite/?server=https://host.example", None),
            ("collector://invite/a/b?server=https://host.example", None),
            ("https://host.example/invite", None),
        ];
        for (link, wanted) in rows {
            let read = parse_invite(link).ok().map(|invite| format!("{} {}", invite.server, invite.code));
            assert_eq!(read.as_deref(), wanted, "{link}");
        }
    }
}
