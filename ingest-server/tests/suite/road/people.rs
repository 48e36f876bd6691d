//! What people and machines do on the road: log in, hand in, work on jobs.

use axum::body::Body;
use axum::http::Request;
use ingest_server::{password, store};
use serde_json::{Value, json};
use shared_types::api::review::AdminRole;
use shared_types::quality::judge::judge;
use shared_types::quality::measurements::{FileMeasures, Measurements};
use shared_types::quality::policy::Policy;

use super::{Answer, BYTES, NOW, Road, TUS, UPLOADS, handed_in, id_in};

/// What a handed in take is known by.
pub struct HandedIn {
    pub id: String,
    pub assignment: String,
    pub receipt: String,
    pub upload: String,
}

impl Road {
    /// A login's cookie.
    pub async fn login(&self, role: AdminRole) -> String {
        self.login_answer(role).await.header("set-cookie").split(';').next().unwrap().to_owned()
    }

    /// A new login.
    pub async fn login_answer(&self, role: AdminRole) -> Answer {
        let (email, word) = (format!("{role:?}@example.org").to_lowercase(), "correct horse battery");
        let hash = password::hash(word.to_owned()).await.unwrap();
        let mut tx = self.app.store.begin().await.unwrap();
        store::admin::insert(&mut tx, &email, &hash, role, NOW).await.unwrap();
        tx.commit().await.unwrap();
        let request = Request::post("/api/v1/admin/session")
            .header("sec-fetch-site", "same-origin")
            .header("content-type", "application/json")
            .body(Body::from(json!({ "email": email, "password": word, "totp": null }).to_string()));
        let answer = self.request(request.unwrap()).await;
        assert_eq!(answer.status, 204, "{}", String::from_utf8_lossy(&answer.body));
        answer
    }

    /// Hands in a take of the worker's next goal; `content` tells takes apart.
    pub async fn hand_in(&self, token: &str, content: &str) -> HandedIn {
        let goals = self.call("GET", "/api/v1/assignments", token, None).await.json();
        let goals = goals["items"].as_array().unwrap().clone();
        let next = goals.iter().find(|goal| ["redo", "open"].contains(&goal["stage"].as_str().unwrap())).unwrap();
        let assignment = next["id"].as_str().unwrap().to_owned();
        if next["stage"] == "open" {
            let claim = format!("/api/v1/assignments/{assignment}/claim");
            assert_eq!(self.call("POST", &claim, token, None).await.status, 200);
        }
        let video = [b"\0\0\0\x20ftypisom".as_slice(), content.as_bytes()].concat();
        let length = video.len().to_string();
        let made = self.send("POST", UPLOADS, token, &[TUS, BYTES, ("upload-length", &length)], video.clone()).await;
        assert_eq!(made.status, 201, "{}", String::from_utf8_lossy(&made.body));
        let upload = id_in(made.header("location")).to_owned();
        let id = uuid::Uuid::now_v7().to_string();
        let body = handed_in(&id, &assignment, &upload, &video);
        let made = self.call("POST", "/api/v1/submissions", token, Some(body)).await;
        assert_eq!(made.status, 201, "{}", String::from_utf8_lossy(&made.body));
        let receipt = made.json()["receipt_id"].as_str().unwrap().to_owned();
        HandedIn { id, assignment, receipt, upload }
    }

    /// What the next job of a kind is, leased to a machine; none if nothing waits.
    pub async fn lease(&self, machine: &str, kind: &str) -> Option<Value> {
        let request = json!({ "worker": "press", "kinds": [kind], "max": 1, "wait_s": 0 });
        let leased = self.call("POST", "/api/v1/jobs/claim", machine, Some(request)).await;
        assert_eq!(leased.status, 200);
        leased.json().as_array().unwrap().first().cloned()
    }

    /// Completes a leased job with a report that has this verdict.
    pub async fn complete(&self, machine: &str, job: &Value, is_good: bool, prints: Option<Value>) -> Answer {
        let path = format!("/api/v1/jobs/{}/complete", job["job_id"].as_str().unwrap());
        let result = json!({
            "quality": report(is_good), "duration_secs": 400.0, "steps": null, "words": null, "examples": null,
        });
        let request = json!({
            "lease_token": job["lease_token"], "artifacts": [], "fingerprints": prints, "result": result,
        });
        self.call("POST", &path, machine, Some(request)).await
    }

    /// Inspects and analyses what waits, as a pipeline machine would, until it is ready for its review.
    pub async fn work(&self, machine: &str) {
        for kind in ["inspect", "analyse"] {
            while let Some(job) = self.lease(machine, kind).await {
                assert_eq!(self.complete(machine, &job, true, None).await.status, 200);
            }
        }
    }
}

/// A report of the machine; a bad one is too short and therefore a reject.
pub fn report(is_good: bool) -> Value {
    let measurements = Measurements {
        file: FileMeasures { bytes: 1, has_video: true, has_audio: true, ..FileMeasures::default() },
        active_secs: Some(if is_good { 400.0 } else { 3.0 }),
        ..Measurements::default()
    };
    serde_json::to_value(judge(measurements, &Policy::default())).unwrap()
}
