//! What a server says at its most talkative while secrets pass through it: none of them.

use crate::bucket;
use crate::road;
use crate::road::trial::Trial;
use crate::road::wire::{Process, Reply};
use crate::road::{database, video};
use ingest_server::store::Engine;
use serde_json::json;

const TALKATIVE: (&str, &str) = ("RUST_LOG", "trace");

fn has_none(said: &str, secrets: &[&str]) {
    for secret in secrets {
        let line = said.lines().find(|line| line.contains(secret));
        assert!(line.is_none(), "the log has the secret {secret}: {}", line.unwrap());
    }
}

#[test]
fn no_log_has_a_secret() {
    let folder = road::folder();
    let url = database(Engine::Sqlite, folder.path());
    let run = |arguments: &[&str]| Process::command(folder.path(), &url, arguments);
    let token = run(&["token", "create", "--role", "admin", "--name", "test\r\nforged=1"]);
    let word = run(&["admin", "create", "--email", "ada@example.org", "--role", "admin"]);
    let server = Process::start(folder.path(), &url, &[TALKATIVE]);
    let json = ("content-type", "application/json");
    let call = |method: &str, path: &str, token: &str, headers: &[(&str, &str)], body: &str| -> Reply {
        server.call(method, path, token, headers, body.as_bytes()).unwrap()
    };
    let login = json!({ "email": "ada@example.org", "password": word, "totp": null }).to_string();
    let own = ("sec-fetch-site", "same-origin");
    let answer = call("POST", "/api/v1/admin/session", "", &[own, json], &login);
    let cookie = answer.header("set-cookie").split(';').next().unwrap().to_owned();
    assert_eq!(call("GET", "/api/v1/admin/session", "", &[("cookie", &cookie)], "").status, 200);
    let campaigns = call("GET", "/api/v1/admin/campaigns", &token, &[], "").json();
    let wanted = json!({ "campaign_id": campaigns["items"][0]["id"], "tier": "Basic", "count": 1 }).to_string();
    let made = call("POST", "/api/v1/admin/invites", &token, &[json], &wanted).json();
    let invite = made["codes"][0].as_str().unwrap().to_owned();
    let signature = "5ec12e7".repeat(9);
    let refused = call("GET", &format!("/api/v1/objects/uploads/x?expires=1&signature={signature}"), "", &[], "");
    assert_eq!(refused.status, 403);
    let said = server.end();
    let cookie = cookie.split('=').nth(1).unwrap();
    has_none(&said, &[&token, &word, cookie, &signature]);
    let mut looked_at = 0;
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap().to_str().unwrap().starts_with("collector.db") {
            let kept = std::fs::read(&path).unwrap();
            for secret in [&token, &word, cookie, &invite] {
                let is_there = kept.windows(secret.len()).any(|some| some == secret.as_bytes());
                assert!(!is_there, "{} has a secret", path.display());
            }
            looked_at += 1;
        }
    }
    assert!(looked_at > 0);
    assert!(!said.lines().any(|line| line.starts_with("forged=1")), "a name forges no line");
    let change = said.lines().find(|line| line.contains("somebody with power asks for a change")).unwrap();
    assert!(change.contains("from=\"here\"") && change.contains("request_id"), "{change}");
    let id = refused.header("x-request-id");
    assert!(
        said.lines().any(|line| line.contains(id) && line.contains("status=403")),
        "the request is found by its id"
    );
}

/// The signatures of a bucket's addresses in an answer.
fn signatures(answer: &Reply) -> Vec<String> {
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    let rests = text.split("X-Amz-Signature=").skip(1);
    rests.map(|rest| rest.chars().take_while(char::is_ascii_hexdigit).collect()).collect()
}

#[test]
fn no_log_has_a_secret_of_a_bucket_or_of_postgresql() {
    let folder = road::folder();
    let (bucket, word) = (bucket::moto(), "5ec12e7ofpostgresql");
    let url = database(Engine::Postgres, folder.path()).replacen("postgres@", &format!("postgres:{word}@"), 1);
    assert!(url.contains(word));
    let mut trial = Trial::new(folder.path(), &url, &[bucket::settings(&bucket).as_slice(), &[TALKATIVE]].concat(), "");
    let ([invite, _], pipeline, admin) = trial.accesses();
    let (token, assignment) = trial.join(&invite, "device");
    trial.hand_in(&token, &assignment, &video(9_000_000));
    let claim = json!({ "worker": "test", "kinds": ["inspect"], "max": 1, "wait_s": 20 });
    let claimed = trial.json("POST", "/api/v1/jobs/claim", &pipeline, &claim);
    let job = claimed.json()[0].clone();
    let names = json!({ "lease_token": job["lease_token"], "names": ["quality.json"] });
    let path = format!("/api/v1/jobs/{}/outputs", job["job_id"].as_str().unwrap());
    let outputs = trial.json("POST", &path, &pipeline, &names);
    let signed = [&claimed, &outputs].map(signatures);
    assert!(signed.iter().all(|signatures| !signatures.is_empty()), "{signed:?}");
    let said = trial.end();
    has_none(&said, &[&bucket.secret_key, word, &token, &pipeline, &admin, job["lease_token"].as_str().unwrap()]);
    for signature in signed.iter().flatten() {
        has_none(&said, &[signature]);
    }
}
