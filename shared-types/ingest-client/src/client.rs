//! A method for each route that recorder and pipeline use.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use shared_types::api::Page;
use shared_types::api::assignment::{AssignmentItem, ProblemRequest};
use shared_types::api::export::ExportPage;
use shared_types::api::job::{
    ClaimRequest, CompleteRequest, Completed, FailRequest, Failed, Heartbeat, HeartbeatRequest, LeasedJob, Outputs,
    OutputsRequest,
};
use shared_types::api::submission::{Receipt, SubmissionView, SubmitRequest, Submitted};
use shared_types::api::worker::{ConsentChange, ConsentText, Me, RegisterRequest, Registered, WorkerView};
use shared_types::id::{AssignmentId, CampaignId, JobId, ReceiptId, SubmissionId};
use ureq::Agent;
use ureq::http::{Request, request};

use crate::address::{Address, percent_encode};
use crate::error::ClientError;
use crate::limit::UploadLimit;
use crate::retry::{Retry, Waiting};
use crate::transport::{self, SHORT, Transport};

/// Until the server has compared every result of a job with its hash, many of them in a bucket that takes its time.
const COMPARED: Duration = Duration::from_mins(10);

/// Talks to one server with one token. Cheap to clone; clones share their connections.
#[derive(Clone)]
pub struct Client {
    agent: Agent,
    address: Address,
    server: String,
    token: Option<String>,
    retry: Retry,
    upload_limit: UploadLimit,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Never the token.
        f.debug_struct("Client").field("server", &self.server).finish_non_exhaustive()
    }
}

impl Client {
    /// A client of `https://HOST`; nothing is asked yet. Plain http is taken for this computer alone.
    pub fn new(server: &str, token: Option<&str>) -> Result<Self, ClientError> {
        let address = Address::parse(server)?;
        let server = address.as_string();
        let client = Self {
            agent: transport::agent(),
            address,
            server,
            token: None,
            retry: Retry::default(),
            upload_limit: UploadLimit::default(),
        };
        Ok(match token {
            Some(token) => client.with_token(token),
            None => client,
        })
    }

    #[must_use]
    pub fn with_token(mut self, token: &str) -> Self {
        self.token = Some(token.trim().to_owned());
        self
    }

    /// How uploads and downloads wait when the server is away.
    #[must_use]
    pub fn with_retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// Uploads leave the rest of the line to others.
    #[must_use]
    pub fn with_upload_limit(mut self, limit: UploadLimit) -> Self {
        self.upload_limit = limit;
        self
    }

    pub(crate) fn upload_limit(&self) -> &UploadLimit {
        &self.upload_limit
    }

    /// The server's address in its plain form.
    pub fn server(&self) -> &str {
        &self.server
    }

    pub fn retry(&self) -> Retry {
        self.retry
    }

    /// Makes any of the requests again until it succeeds, fails for good or is cancelled. The single methods below
    /// try once.
    pub fn retrying<T>(
        &self,
        cancel: &std::sync::atomic::AtomicBool,
        observer: &mut dyn FnMut(&Waiting),
        mut request: impl FnMut(&Self) -> Result<T, ClientError>,
    ) -> Result<T, ClientError> {
        self.retry.run(cancel, observer, || request(self))
    }

    // Worker

    /// `GET /consent`
    pub fn consent(&self) -> Result<ConsentText, ClientError> {
        self.get("/consent")
    }

    /// `POST /workers`
    pub fn register(&self, request: &RegisterRequest) -> Result<Registered, ClientError> {
        self.post("/workers", request)
    }

    /// `GET /me`
    pub fn me(&self) -> Result<Me, ClientError> {
        self.get("/me")
    }

    /// `POST /me/consent`
    pub fn change_consent(&self, change: &ConsentChange) -> Result<WorkerView, ClientError> {
        self.post("/me/consent", change)
    }

    /// `GET /me/export`: as the server tells it, for the person to keep.
    pub fn export_me(&self) -> Result<serde_json::Value, ClientError> {
        self.get("/me/export")
    }

    /// `POST /me/erasure`: the token is worth nothing afterwards.
    pub fn erase_me(&self) -> Result<(), ClientError> {
        self.act("/me/erasure")
    }

    /// `GET /assignments`, all pages.
    pub fn assignments(&self) -> Result<Vec<AssignmentItem>, ClientError> {
        let mut items = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let page: Page<AssignmentItem> = self.get(&with_cursor("/assignments", cursor.as_deref()))?;
            items.extend(page.items);
            match page.next_cursor {
                Some(next) if cursor.as_ref() != Some(&next) => cursor = Some(next),
                Some(_) => return Err(self.transport().broken(&"its list of assignments does not end")),
                None => return Ok(items),
            }
        }
    }

    /// `POST /assignments/{id}/claim`
    pub fn claim_assignment(&self, id: AssignmentId) -> Result<AssignmentItem, ClientError> {
        let request = self.request("POST", &format!("/assignments/{id}/claim"));
        let response = self.transport().send(request, &[0_u8; 0][..], Some(SHORT))?;
        self.transport().read_json(response)
    }

    /// `POST /assignments/{id}/start`
    pub fn start(&self, id: AssignmentId) -> Result<(), ClientError> {
        self.act(&format!("/assignments/{id}/start"))
    }

    /// `POST /assignments/{id}/return`
    pub fn return_assignment(&self, id: AssignmentId) -> Result<(), ClientError> {
        self.act(&format!("/assignments/{id}/return"))
    }

    /// `POST /assignments/{id}/problem`
    pub fn problem(&self, id: AssignmentId, request: &ProblemRequest) -> Result<(), ClientError> {
        self.send_json(&format!("/assignments/{id}/problem"), request, SHORT).map(drop)
    }

    /// `POST /submissions`
    pub fn submit(&self, request: &SubmitRequest) -> Result<Submitted, ClientError> {
        self.post("/submissions", request)
    }

    /// `GET /submissions/{id}`
    pub fn submission(&self, id: SubmissionId) -> Result<SubmissionView, ClientError> {
        self.get(&format!("/submissions/{id}"))
    }

    /// `GET /receipts/{id}`
    pub fn receipt(&self, id: ReceiptId) -> Result<Receipt, ClientError> {
        self.get(&format!("/receipts/{id}"))
    }

    // Pipeline

    /// `POST /jobs/claim`: answers when there is work, or after `wait_s` with none.
    pub fn claim_jobs(&self, request: &ClaimRequest) -> Result<Vec<LeasedJob>, ClientError> {
        let limit = Duration::from_secs(u64::from(request.wait_s)) + SHORT;
        let response = self.send_json("/jobs/claim", request, limit)?;
        self.transport().read_json(response)
    }

    /// `POST /jobs/{id}/heartbeat`
    pub fn heartbeat(&self, job: JobId, request: &HeartbeatRequest) -> Result<Heartbeat, ClientError> {
        self.post(&format!("/jobs/{job}/heartbeat"), request)
    }

    /// `POST /jobs/{id}/outputs`
    pub fn outputs(&self, job: JobId, request: &OutputsRequest) -> Result<Outputs, ClientError> {
        self.post(&format!("/jobs/{job}/outputs"), request)
    }

    /// `POST /jobs/{id}/complete`
    pub fn complete(&self, job: JobId, request: &CompleteRequest) -> Result<Completed, ClientError> {
        let response = self.send_json(&format!("/jobs/{job}/complete"), request, COMPARED)?;
        self.transport().read_json(response)
    }

    /// `POST /jobs/{id}/fail`
    pub fn fail(&self, job: JobId, request: &FailRequest) -> Result<Failed, ClientError> {
        self.post(&format!("/jobs/{job}/fail"), request)
    }

    /// `GET /exports/{campaign}/submissions`: one page.
    pub fn export_page(&self, campaign: CampaignId, cursor: Option<&str>) -> Result<ExportPage, ClientError> {
        self.get(&with_cursor(&format!("/exports/{campaign}/submissions"), cursor))
    }

    fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        let response = self.transport().send(self.request("GET", path), (), Some(SHORT))?;
        self.transport().read_json(response)
    }

    fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, ClientError> {
        let response = self.send_json(path, body, SHORT)?;
        self.transport().read_json(response)
    }

    fn act(&self, path: &str) -> Result<(), ClientError> {
        self.transport().send(self.request("POST", path), &[0_u8; 0][..], Some(SHORT)).map(drop)
    }

    fn send_json(
        &self,
        path: &str,
        body: &impl Serialize,
        limit: Duration,
    ) -> Result<ureq::http::Response<ureq::Body>, ClientError> {
        let body = serde_json::to_vec(body).map_err(|error| ClientError::Local(error.into()))?;
        let request = self.request("POST", path).header("content-type", "application/json");
        self.transport().send(request, body, Some(limit))
    }

    /// A request to the API, with the token.
    pub(crate) fn request(&self, method: &str, path: &str) -> request::Builder {
        let request = Request::builder().method(method).uri(self.address.api(path));
        match &self.token {
            Some(token) => request.header("authorization", format!("Bearer {token}")),
            None => request,
        }
    }

    /// A request to a signed address. The signature is all it takes; the token is nobody else's business.
    pub(crate) fn signed(&self, method: &str, url: &str) -> Result<request::Builder, ClientError> {
        Ok(Request::builder().method(method).uri(self.address.resolve(url)?))
    }

    pub(crate) fn transport(&self) -> Transport<'_> {
        Transport { agent: &self.agent, server: &self.server }
    }
}

fn with_cursor(path: &str, cursor: Option<&str>) -> String {
    cursor.map_or_else(|| path.to_owned(), |cursor| format!("{path}?cursor={}", percent_encode(cursor)))
}
