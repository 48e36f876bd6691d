//! From handed in to paid: jobs, the machine's verdict, the review's decision, the ledger, on both engines.

use std::sync::Arc;

use crate::road::{NOW, Road, registration};
use ingest_server::store::fingerprint::{self, Asked};
use serde_json::{Value, json};
use shared_types::api::admin::TokenRole;
use shared_types::api::review::AdminRole;
use shared_types::campaign::CampaignFile;
use shared_types::fingerprint::{Fingerprints, compare, compare_acts};
use shared_types::id::{AssignmentId, SubmissionId};
use shared_types::quality::flag::{Flag, Verdict};

on_both!(
    an_accepted_take_is_paid_once,
    a_short_take_goes_back_with_its_reason,
    another_attempt_and_a_rejection_need_a_reason,
    a_decision_on_an_old_state_is_refused,
    the_same_take_twice_is_found,
    a_replayed_log_is_told_to_the_reviewer,
    a_duplicate_that_is_reviewed_stays_one,
    fingerprints_are_compared_with_all,
    a_job_without_a_machine_is_given_on,
    a_job_that_fails_for_good_is_dead_until_an_admin_retries,
    who_logs_out_is_out,
    a_wrong_password_costs_time,
    packages_are_shown_with_their_hash,
    a_take_that_many_accept_at_once_is_paid_once,
    a_reviewer_never_learns_who_the_worker_is,
    the_overview_counts,
);

const QUEUE: &str = "/api/v1/admin/submissions";

fn decision(rating: u8, reason: Option<&str>, version: &Value) -> Value {
    json!({
        "rating": rating, "reason": reason, "note": "Well told.", "marks": [{ "t": 1.5, "text": "here" }],
        "checklist": { "plays": true, "narration": true, "realistic": "na", "worth_pay": true }, "version": version,
    })
}

async fn version(road: &Road, admin: &str, id: &str) -> Value {
    road.call("GET", &format!("{QUEUE}/{id}"), admin, None).await.json()["version"].clone()
}

/// Worker, machine, admin.
async fn people(road: &Road) -> (String, String, String) {
    let tokens = (road.token(TokenRole::Pipeline).await, road.token(TokenRole::Admin).await);
    (road.worker("Basic").await, tokens.0, tokens.1)
}

async fn an_accepted_take_is_paid_once(road: Road) {
    let (worker, machine, admin) = people(&road).await;
    let taken = road.hand_in(&worker, "one").await;
    road.work(&machine).await;
    let queue = road.call("GET", &format!("{QUEUE}?stage=ready"), &admin, None).await.json();
    assert_eq!(queue["items"][0]["id"], taken.id.as_str());
    assert!(!queue.to_string().contains("ada"), "a reviewer sees the alias alone");
    let review = format!("{QUEUE}/{}/review", taken.id);
    let accept = decision(5, None, &version(&road, &admin, &taken.id).await);
    let accepted = road.call("POST", &review, &admin, Some(accept.clone())).await;
    assert_eq!(accepted.json()["stage"], "accepted", "{}", accepted.json());
    assert_eq!(accepted.json()["payout"]["stage"], "accrued");
    assert_eq!(road.call("POST", &review, &admin, Some(accept)).await.code(), "version_conflict");
    let payouts = road.call("GET", "/api/v1/admin/payouts", &admin, None).await.json();
    assert_eq!(payouts["items"].as_array().unwrap().len(), 1);
    assert_eq!(payouts["items"][0]["amount"], json!({ "amount_cents": 400, "currency": "USD" }));
    let me = road.call("GET", "/api/v1/me", &worker, None).await.json();
    assert_eq!((me["ratings"].as_array().unwrap().len(), me["payouts"].as_array().unwrap().len()), (1, 1));
    let view = road.call("GET", &format!("/api/v1/submissions/{}", taken.id), &worker, None).await.json();
    assert_eq!((view["rating"].clone(), view["note"].clone()), (json!(5), json!("Well told.")));
    assert_eq!(view["marks"], json!([{ "t": 1.5, "text": "here" }]));
    let exports = format!("/api/v1/exports/{}/submissions", road.campaign);
    let exported = road.call("GET", &exports, &machine, None).await.json();
    assert_eq!(exported["items"][0]["submission_id"], taken.id.as_str());
    assert_eq!(exported["next_cursor"], Value::Null);
}

async fn a_take_that_many_accept_at_once_is_paid_once(road: Road) {
    let (worker, machine, admin) = people(&road).await;
    let taken = road.hand_in(&worker, "one").await;
    road.work(&machine).await;
    let review = format!("{QUEUE}/{}/review", taken.id);
    let accept = decision(5, None, &version(&road, &admin, &taken.id).await);
    let all = (0..50).map(|_| road.call("POST", &review, &admin, Some(accept.clone())));
    let answers = futures_util::future::join_all(all).await;
    let accepted = answers.iter().filter(|answer| answer.status == 200).count();
    let late = answers.iter().filter(|answer| answer.status == 409 && answer.code() == "version_conflict").count();
    assert_eq!((accepted, late), (1, 49));
    assert_eq!((road.count("payout").await, road.count("ledger").await, road.count("review").await), (1, 1, 1));
}

/// Whatever a reviewer is shown or answered names neither the person nor the account.
async fn a_reviewer_never_learns_who_the_worker_is(road: Road) {
    let (machine, cookie) = (road.token(TokenRole::Pipeline).await, road.login(AdminRole::Reviewer).await);
    let mut person = registration(&road.invite("Basic").await, "device-of-marker");
    (person["name"], person["fiverr_user"]) = (json!("Marker Person"), json!("marker_account"));
    let made = road.call("POST", "/api/v1/workers", "", Some(person)).await;
    let worker = made.json()["token"].as_str().unwrap().to_owned();
    let taken = road.hand_in(&worker, "one").await;
    road.work(&machine).await;
    let call = async |method: &str, path: &str, body: Option<Value>| {
        let headers =
            [("cookie", cookie.as_str()), ("sec-fetch-site", "same-origin"), ("content-type", "application/json")];
        let body = body.map_or_else(String::new, |body| body.to_string());
        road.send(method, path, "", &headers, body).await
    };
    let at = format!("{QUEUE}/{}", taken.id);
    let detail = call("GET", &at, None).await;
    let accept = decision(5, None, &detail.json()["version"]);
    let answers = [
        detail,
        call("GET", QUEUE, None).await,
        call("POST", &format!("{at}/lock"), None).await,
        call("POST", &format!("{at}/review"), Some(accept)).await,
        call("GET", &at, None).await,
    ];
    for answer in &answers {
        assert_eq!(answer.status, 200);
        let text = String::from_utf8_lossy(&answer.body).to_lowercase();
        assert!(!text.contains("marker"), "{text}");
        assert!(!text.contains("amount_cents"), "who decides does not see the money: {text}");
    }
    let view = road.call("GET", &format!("/api/v1/submissions/{}", taken.id), &worker, None).await.json();
    assert!(!view.to_string().contains("reviewer@"), "nor does the worker learn who decided: {view}");
}

async fn the_overview_counts(road: Road) {
    let (worker, machine, admin) = people(&road).await;
    let taken = road.hand_in(&worker, "one").await;
    let stats = async || road.call("GET", "/api/v1/admin/stats", &admin, None).await.json();
    let before = stats().await;
    assert_eq!(before["submissions"], json!([{ "stage": "inspecting", "count": 1 }]));
    assert_eq!(before["jobs"], json!([{ "kind": "inspect", "stage": "queued", "count": 1 }]));
    assert_eq!(before["uploads"], json!([{ "stage": "ready", "count": 1, "bytes": 15 }]));
    assert_eq!((before["payouts"].clone(), before["is_full"].clone()), (json!([]), json!(false)));
    road.work(&machine).await;
    let review = format!("{QUEUE}/{}/review", taken.id);
    let accept = decision(5, None, &version(&road, &admin, &taken.id).await);
    assert_eq!(road.call("POST", &review, &admin, Some(accept)).await.status, 200);
    assert_eq!(stats().await, before, "counted once in ten seconds");
    road.pass(10);
    let after = stats().await;
    assert_eq!(after["submissions"], json!([{ "stage": "accepted", "count": 1 }]));
    let owed = json!([{ "stage": "accrued", "count": 1, "amount": { "amount_cents": 400, "currency": "USD" } }]);
    assert_eq!((after["payouts"].clone(), after["oldest_job_at"].clone()), (owed, Value::Null));
}

async fn a_short_take_goes_back_with_its_reason(road: Road) {
    let (worker, machine, _) = people(&road).await;
    let taken = road.hand_in(&worker, "short").await;
    let job = road.lease(&machine, "inspect").await.unwrap();
    assert_eq!(job["input"]["video"]["bytes"], 17);
    let done = road.complete(&machine, &job, false, None).await;
    assert_eq!(done.json()["stage"], "sent_back");
    assert_eq!(
        road.complete(&machine, &job, false, None).await.json(),
        done.json(),
        "completed again: the same answer"
    );
    assert!(road.lease(&machine, "analyse").await.is_none());
    let view = road.call("GET", &format!("/api/v1/submissions/{}", taken.id), &worker, None).await.json();
    assert_eq!((view["rating"].clone(), view["report"]["flags"][0]["flag"].clone()), (Value::Null, json!("too_short")));
    let again = road.hand_in(&worker, "longer").await;
    assert_eq!(again.assignment, taken.assignment, "the same goal");
    let view = road.call("GET", &format!("/api/v1/submissions/{}", again.id), &worker, None).await.json();
    assert_eq!(view["attempt"], 2);
}

async fn another_attempt_and_a_rejection_need_a_reason(road: Road) {
    let (worker, machine, admin) = people(&road).await;
    for (rating, reason, stage, goal) in [(2, "poor_audio", "redo", "redo"), (1, "rehearsed", "rejected", "rejected")] {
        let taken = road.hand_in(&worker, reason).await;
        road.work(&machine).await;
        let review = format!("{QUEUE}/{}/review", taken.id);
        let version = version(&road, &admin, &taken.id).await;
        let silent = road.call("POST", &review, &admin, Some(decision(rating, None, &version))).await;
        assert_eq!(silent.code(), "invalid_request");
        let decided = road.call("POST", &review, &admin, Some(decision(rating, Some(reason), &version))).await;
        assert_eq!((decided.json()["stage"].clone(), decided.json()["payout"].clone()), (json!(stage), Value::Null));
        let goals = road.call("GET", "/api/v1/assignments", &worker, None).await.json();
        let now = goals["items"].as_array().unwrap().iter().find(|item| item["id"] == taken.assignment.as_str());
        assert_eq!(now.unwrap()["stage"], goal);
    }
    let payouts = road.call("GET", "/api/v1/admin/payouts", &admin, None).await.json();
    assert_eq!(payouts["items"], json!([]));
}

async fn a_decision_on_an_old_state_is_refused(road: Road) {
    let (worker, machine, admin) = people(&road).await;
    let taken = road.hand_in(&worker, "one").await;
    let early = version(&road, &admin, &taken.id).await;
    let review = format!("{QUEUE}/{}/review", taken.id);
    let unseen = road.call("POST", &review, &admin, Some(decision(4, None, &early))).await;
    assert_eq!(unseen.code(), "stage_conflict", "what the pipeline still works on cannot be decided");
    road.work(&machine).await;
    assert_eq!(road.call("POST", &review, &admin, Some(decision(4, None, &early))).await.code(), "version_conflict");
    let lock = road.call("POST", &format!("{QUEUE}/{}/lock", taken.id), &admin, None).await.json();
    assert_eq!(lock["held_by"], "token test");
    let wrong = json!({ "rating": 6, "unknown": true });
    assert_eq!(road.call("POST", &review, &admin, Some(wrong)).await.code(), "invalid_request");
}

async fn the_same_take_twice_is_found(road: Road) {
    let (worker, machine, admin) = people(&road).await;
    // Pictures that change at moments of their own.
    let pictures: Vec<String> =
        (0_u64..120).map(|at| format!("{:016x}", (at / 3).wrapping_mul(0x9e37_79b9_7f4a_7c15))).collect();
    let prints = json!({ "sha256": "", "picture": pictures, "sound": [] });
    let first = road.hand_in(&worker, "first").await;
    let job = road.lease(&machine, "inspect").await.unwrap();
    assert_eq!(road.complete(&machine, &job, true, Some(prints.clone())).await.json()["stage"], "analysing");
    let copy = road.hand_in(&road.worker("Basic").await, "copy").await;
    let job = road.lease(&machine, "inspect").await.unwrap();
    let done = road.complete(&machine, &job, true, Some(prints)).await.json();
    assert_eq!((done["stage"].clone(), done["duplicate_of"].clone()), (json!("sent_back"), json!(first.id)));
    let detail = road.call("GET", &format!("{QUEUE}/{}", copy.id), &admin, None).await.json();
    assert!(detail["flags"].as_array().unwrap().contains(&json!("duplicate")), "{}", detail["flags"]);
}

/// Fingerprints of a take with its own pictures and a log of acts.
fn prints(seed: u64, acts: &[u32]) -> Value {
    let pictures: Vec<String> =
        (0_u64..120).map(|at| format!("{:016x}", (at / 3 + seed).wrapping_mul(0x9e37_79b9_7f4a_7c15))).collect();
    json!({ "sha256": format!("{seed}"), "picture": pictures, "sound": [], "acts": acts })
}

/// Hands in a take with these fingerprints and has it inspected and analysed.
async fn analysed(road: &Road, worker: &str, machine: &str, name: &str, prints: Value) -> String {
    let taken = road.hand_in(worker, name).await;
    let job = road.lease(machine, "inspect").await.unwrap();
    assert_eq!(road.complete(machine, &job, true, Some(prints)).await.json()["stage"], "analysing");
    let job = road.lease(machine, "analyse").await.unwrap();
    assert_eq!(road.complete(machine, &job, true, None).await.json()["stage"], "ready");
    taken.id
}

async fn a_replayed_log_is_told_to_the_reviewer(road: Road) {
    let (worker, machine, admin) = people(&road).await;
    let waits = [1200_u32, 830, 2110, 640, 1590, 3020, 450, 980, 1710, 2230, 760, 1340];
    let acts: Vec<u32> = (0..).zip(waits).map(|(at, wait)| wait * 4 + at % 3).collect();
    let others: Vec<u32> = (0..).zip(waits).map(|(at, wait)| (wait / 2 + 37 * at) * 4 + at % 3).collect();
    let first = analysed(&road, &worker, &machine, "first", prints(1000, &acts)).await;
    let own = analysed(&road, &road.worker("Basic").await, &machine, "own", prints(50_000, &others)).await;
    let replayed = analysed(&road, &road.worker("Basic").await, &machine, "replayed", prints(90_000, &acts)).await;
    let advice = async |id: &str| {
        let detail = road.call("GET", &format!("{QUEUE}/{id}"), &admin, None).await.json();
        assert!(!detail["flags"].as_array().unwrap().contains(&json!("duplicate")), "{}", detail["flags"]);
        detail["report"]["advice"].clone()
    };
    assert_eq!((advice(&first).await, advice(&own).await), (json!([]), json!([])));
    let told = advice(&replayed).await;
    assert_eq!(told[0]["sign"], "replayed_input", "{told}");
    assert!(told[0]["sentence"].as_str().unwrap().contains(&first), "{told}");
}

async fn a_duplicate_that_is_reviewed_stays_one(mut road: Road) {
    let mut file: CampaignFile = toml::from_str(ingest_server::store::campaign::STARTER).unwrap();
    for tier in &mut file.tiers {
        tier.policy.verdicts.insert(Flag::Duplicate, Verdict::Review);
    }
    let mut tx = road.app.store.begin().await.unwrap();
    road.campaign = ingest_server::store::campaign::insert(&mut tx, &file, NOW).await.unwrap();
    tx.commit().await.unwrap();
    let (worker, machine, admin) = people(&road).await;
    let first = analysed(&road, &worker, &machine, "first", prints(1000, &[])).await;
    let copy = analysed(&road, &road.worker("Basic").await, &machine, "copy", prints(1000, &[])).await;
    let detail = road.call("GET", &format!("{QUEUE}/{copy}"), &admin, None).await.json();
    let flags = detail["flags"].as_array().unwrap();
    assert!(flags.contains(&json!("duplicate")), "the analysis knows of no other take and keeps it: {flags:?}");
    assert_eq!(detail["report"]["measurements"]["duplicate"]["of"], first.as_str());
    assert_eq!(detail["report"]["verdict"], "review");
}

/// What comparing with all of them at once would find, in the order in which they were put.
fn whole(asked: &Asked, others: &[(SubmissionId, Fingerprints)]) -> (Option<SubmissionId>, Option<SubmissionId>) {
    let (mut recording, mut input) = (None, None);
    for (id, other) in others {
        if let Some(found) = compare(&asked.prints, other)
            && recording.is_none_or(|(_, best)| best < found.shared)
        {
            recording = Some((*id, found.shared));
        }
        if let Some(found) = compare_acts(&asked.prints.acts, &other.acts)
            && input.is_none_or(|(_, best)| best < found.shared)
        {
            input = Some((*id, found.shared));
        }
    }
    (recording.map(|(id, _)| id), input.map(|(id, _)| id))
}

/// A look at all before the transaction and at the rest in it finds what looking at all in it would.
async fn fingerprints_are_compared_with_all(road: Road) {
    let worker = road.worker("Basic").await;
    let first = road.hand_in(&worker, "first").await;
    let of = |value: Value| serde_json::from_value::<Fingerprints>(value).unwrap();
    let acts = |seed: u32| (0..24).map(|at| (300 + at * 97 * (seed % 13 + 1) % 4000) * 4 + at % 3).collect::<Vec<_>>();
    let mut others = Vec::new();
    let put = async |prints: &Fingerprints| {
        let id = SubmissionId(uuid::Uuid::now_v7());
        let mut tx = road.app.store.begin().await.unwrap();
        let columns =
            "assignment_id, worker_id, campaign_id, stage, version, request_sha256, manifest, received_at, updated_at";
        let copy = format!(
            "insert into submission (id, attempt, receipt_id, {columns}) \
             select '{id}', (select max(attempt) + 1 from submission), '{id}', {columns} from submission where id = '{}'",
            first.id
        );
        sqlx::query(sqlx::AssertSqlSafe(copy)).execute(&mut *tx).await.unwrap();
        let assignment = AssignmentId(uuid::Uuid::now_v7());
        fingerprint::put(&mut tx, id, assignment, prints).await.unwrap();
        tx.commit().await.unwrap();
        id
    };
    for seed in 0..120 {
        let one = of(prints(u64::from(seed) * 1000, &acts(seed)));
        others.push((put(&one).await, one));
    }
    // Most of number 70, somewhat less of number 30, and the acts of number 90.
    let mut new = of(prints(70_000, &acts(90)));
    new.picture.truncate(100);
    new.picture.extend(&others[30].1.picture[10..90]);
    "new".clone_into(&mut new.sha256);
    let asked = Asked { assignment_id: AssignmentId(uuid::Uuid::nil()), prints: Arc::new(new), secs: 90.0 };
    let survey = fingerprint::survey(road.app.store.read(), &asked).await.unwrap();
    let found = async || {
        let mut tx = road.app.store.begin().await.unwrap();
        let found = fingerprint::find_repeated(&mut tx, &asked, survey.clone()).await.unwrap();
        (found.recording.map(|(id, _)| id), found.input.map(|(id, _)| id))
    };
    let expected = whole(&asked, &others);
    assert!(expected.0.is_some() && expected.1.is_some(), "{expected:?}");
    assert_eq!(found().await, expected);
    // One that came since, and repeats more.
    let twin = Fingerprints { sha256: "twin".to_owned(), ..(*asked.prints).clone() };
    others.push((put(&twin).await, twin));
    assert_eq!(whole(&asked, &others).0, Some(others[120].0));
    assert_eq!(found().await, whole(&asked, &others));
    // The best ones were erased since.
    let gone = [expected.0.unwrap(), expected.1.unwrap(), others[120].0];
    for id in gone {
        let mut tx = road.app.store.begin().await.unwrap();
        let text = format!("delete from fingerprint where submission_id = '{id}'");
        sqlx::query(sqlx::AssertSqlSafe(text)).execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
    }
    others.retain(|(id, _)| !gone.contains(id));
    assert_eq!(found().await, whole(&asked, &others));
}

async fn a_job_without_a_machine_is_given_on(mut road: Road) {
    let (worker, machine, _) = people(&road).await;
    road.hand_in(&worker, "one").await;
    let lost = road.lease(&machine, "inspect").await.unwrap();
    assert!(road.lease(&machine, "inspect").await.is_none(), "a lease is one machine's");
    let beat = format!("/api/v1/jobs/{}/heartbeat", lost["job_id"].as_str().unwrap());
    let told = json!({ "lease_token": lost["lease_token"], "progress": { "pass": "inspect", "share": 0.5 } });
    assert_eq!(road.call("POST", &beat, &machine, Some(told.clone())).await.json()["cancel"], false);
    // Its lease runs out, then its pause.
    road.at(NOW.plus_secs(70)).await;
    assert!(road.lease(&machine, "inspect").await.is_none());
    road.at(NOW.plus_secs(200)).await;
    let found = road.lease(&machine, "inspect").await.unwrap();
    assert_eq!((found["job_id"].clone(), found["attempt"].clone()), (lost["job_id"].clone(), json!(2)));
    assert_eq!(road.call("POST", &beat, &machine, Some(told)).await.code(), "lease_lost");
    assert_eq!(road.complete(&machine, &lost, true, None).await.code(), "lease_lost", "the late one changes nothing");
    assert_eq!(road.complete(&machine, &found, true, None).await.json()["stage"], "analysing");
}

async fn a_job_that_fails_for_good_is_dead_until_an_admin_retries(road: Road) {
    let (worker, machine, admin) = people(&road).await;
    let taken = road.hand_in(&worker, "one").await;
    let job = road.lease(&machine, "inspect").await.unwrap();
    let path = format!("/api/v1/jobs/{}", job["job_id"].as_str().unwrap());
    let told = json!({ "lease_token": job["lease_token"], "error": "the disk is on fire", "retryable": false });
    assert_eq!(road.call("POST", &format!("{path}/fail"), &machine, Some(told)).await.json()["stage"], "dead");
    let row = road.call("GET", "/api/v1/admin/jobs", &admin, None).await.json()["items"][0].clone();
    assert_eq!(row["stage"], "dead");
    let view = road.call("GET", &format!("{QUEUE}/{}", taken.id), &admin, None).await.json();
    assert_eq!(view["stage"], "failed");
    let retry = format!("/api/v1/admin/jobs/{}/retry", job["job_id"].as_str().unwrap());
    assert_eq!(road.call("POST", &retry, &admin, None).await.status, 204);
    road.work(&machine).await;
    let view = road.call("GET", &format!("{QUEUE}/{}", taken.id), &admin, None).await.json();
    assert_eq!(view["stage"], "ready");
}

async fn who_logs_out_is_out(road: Road) {
    let cookie = road.login(AdminRole::Reviewer).await;
    let path = "/api/v1/admin/session";
    let send = async |method: &str| {
        let request = axum::http::Request::builder().method(method).uri(path);
        let request = request.header("cookie", &cookie).header("sec-fetch-site", "same-origin");
        road.request(request.body(axum::body::Body::empty()).unwrap()).await
    };
    assert_eq!(
        send("GET").await.json(),
        json!({
            "email": "reviewer@example.org", "role": "reviewer",
            "has_second_factor": false, "must_add_second_factor": false, "recovery_codes": 0,
        })
    );
    let out = send("DELETE").await;
    assert!(out.headers["set-cookie"].to_str().unwrap().contains("Max-Age=0"));
    assert_eq!(send("GET").await.code(), "unauthenticated");
}

async fn a_wrong_password_costs_time(mut road: Road) {
    road.login(AdminRole::Admin).await;
    let send = async |road: &Road, email: &str, word: &str| {
        let body = json!({ "email": email, "password": word, "totp": null }).to_string();
        let request = axum::http::Request::post("/api/v1/admin/session").header("content-type", "application/json");
        road.request(request.header("sec-fetch-site", "same-origin").body(body.into()).unwrap()).await
    };
    let unknown = send(&road, "nobody@example.org", "wrong").await;
    for _ in 0..5 {
        let wrong = send(&road, "admin@example.org", "wrong").await;
        assert_eq!(
            (wrong.status, wrong.json()["message"].clone()),
            (unknown.status, unknown.json()["message"].clone())
        );
    }
    let right = send(&road, "admin@example.org", "correct horse battery").await;
    assert_eq!(right.code(), "rate_limited");
    assert!(right.headers.contains_key("retry-after"));
    road.at(NOW.plus_secs(3)).await;
    assert_eq!(send(&road, "admin@example.org", "correct horse battery").await.status, 204);
}

async fn packages_are_shown_with_their_hash(road: Road) {
    let folder = road.folder.path().join("downloads");
    let site = async || road.call("GET", "/api/v1/site", "", None).await.json();
    assert_eq!(site().await, json!({ "downloads": [] }));
    std::fs::create_dir(&folder).unwrap();
    for (name, text) in [("recorder.deb", "package"), ("notes.txt", "not one"), (".part.deb", "unfinished")] {
        std::fs::write(folder.join(name), text).unwrap();
    }
    let shown = site().await;
    let sha256 = ingest_server::secret::digest("package");
    let expected = json!({ "name": "recorder.deb", "platform": "linux", "bytes": 7, "sha256": sha256 });
    assert_eq!(shown, json!({ "downloads": [expected] }));
    let got = road.call("GET", "/downloads/recorder.deb", "", None).await;
    assert_eq!((got.status.as_u16(), got.body.as_slice()), (200, b"package".as_slice()));
    assert_eq!(got.headers["content-disposition"], "attachment");
    for name in ["notes.txt", ".part.deb", "..%2Fsigning.key", "..%2Fcollector.db", "missing.deb"] {
        assert_eq!(road.call("GET", &format!("/downloads/{name}"), "", None).await.status, 404, "{name}");
    }
}
