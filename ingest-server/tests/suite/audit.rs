//! The audit log: each act of people with power has its entry, and a chain that was touched says where.

use crate::login;
use crate::road::{NOW, Road};
use ingest_server::housekeeping;
use ingest_server::retention::{self, Class};
use ingest_server::store::Engine;
use ingest_server::store::audit::{self, Actor, Chain};
use serde_json::{Value, json};
use shared_types::api::admin::TokenRole;
use shared_types::api::audit::AuditAct;
use shared_types::api::review::AdminRole;

on_both!(
    acts_have_their_entry,
    an_export_has_its_entry,
    what_is_refused_has_none,
    two_at_once_follow_on_each_other,
    a_chain_that_was_touched,
    what_an_act_changed_is_in_the_chain,
    an_address_goes_and_the_chain_holds,
    the_end_of_a_login_has_its_entry,
);

const AUDIT: &str = "/api/v1/admin/audit";

async fn entries(road: &Road, admin: &str) -> Vec<Value> {
    let mut entries = road.call("GET", AUDIT, admin, None).await.json()["items"].as_array().unwrap().clone();
    entries.reverse();
    entries
}

async fn acts_have_their_entry(road: Road) {
    let (admin, machine, worker) =
        (road.token(TokenRole::Admin).await, road.token(TokenRole::Pipeline).await, road.worker("Basic").await);
    road.login(AdminRole::Reviewer).await;
    let made =
        road.call("POST", "/api/v1/admin/tokens", &admin, Some(json!({ "role": "pipeline", "name": "p" }))).await;
    let token = format!("/api/v1/admin/tokens/{}", made.json()["id"].as_str().unwrap());
    assert_eq!(road.call("DELETE", &token, &admin, None).await.status, 204);
    let invites = json!({ "campaign_id": road.campaign, "tier": "Basic", "count": 2 });
    assert_eq!(road.call("POST", "/api/v1/admin/invites", &admin, Some(invites)).await.status, 201);
    let taken = road.hand_in(&worker, "one").await;
    road.work(&machine).await;
    let at = format!("/api/v1/admin/submissions/{}", taken.id);
    assert_eq!(road.call("GET", &at, &admin, None).await.status, 200);
    assert_eq!(road.count("audit where act = 'take_viewed'").await, 0, "there is nothing to watch yet");
    let mut tx = road.app.store.begin().await.unwrap();
    let playback = "insert into artifact (submission_id, name, job_id, bytes, sha256, object_key) \
        select submission_id, 'playback.mp4', id, 1, '', 'jobs/1/playback.mp4' from job where kind = 'inspect'";
    sqlx::query(playback).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    let version = road.call("GET", &at, &admin, None).await.json()["version"].clone();
    assert_eq!(road.call("GET", &at, &admin, None).await.status, 200, "a second look soon after is the same view");
    let views = "audit where act = 'take_viewed'";
    assert_eq!(road.count(views).await, 1);
    let yes = json!({ "plays": true, "narration": true, "realistic": true, "worth_pay": true });
    let decision = json!({ "rating": 5, "checklist": yes, "reason": null, "note": null, "version": version });
    let decided = road.call("POST", &format!("{at}/review"), &admin, Some(decision)).await;
    assert_eq!(decided.status, 200, "{}", decided.json());
    let entries = entries(&road, &admin).await;
    let told: Vec<_> =
        entries.iter().map(|entry| (entry["act"].as_str().unwrap(), entry["who"].as_str().unwrap())).collect();
    let by = "token test";
    let expected = [
        ("logged_in", "reviewer@example.org"),
        ("token_made", by),
        ("token_revoked", by),
        ("invites_made", by),
        ("take_viewed", by),
        ("review_decided", by),
    ];
    assert_eq!(told, expected);
    assert_eq!(entries[0]["what"], "with the password, from this machine");
    let last = entries.last().unwrap();
    assert_eq!((last["seq"].clone(), last["subject"].clone()), (json!(6), json!(format!("submission {}", taken.id))));
    assert_eq!(last["what"], "accepted, 5 of 5, for 4.00 USD");
    assert_eq!(last["request_id"], decided.header("x-request-id"), "it is found again in the server's log");
    let states = |entry: &Value| (entry["state_before_sha256"].clone(), entry["state_after_sha256"].clone());
    assert_eq!(states(&entries[4]), (Value::Null, Value::Null), "a look changes nothing");
    assert!(states(&entries[1]).0.is_null() && states(&entries[1]).1.is_string(), "a token that was made");
    for changed in [&entries[2], last] {
        let (before, after) = states(changed);
        assert!(before.is_string() && after.is_string() && before != after, "{changed}");
    }
    assert_eq!(states(&entries[1]).1, states(&entries[2]).0, "it is revoked as it was made");
    let text = serde_json::to_string(&entries).unwrap();
    assert!(!text.contains(made.json()["token"].as_str().unwrap()), "no secret is in it");
    let Chain::Whole { entries, sha256 } = audit::verify(road.app.store.read()).await.unwrap() else {
        panic!("broken")
    };
    assert_eq!((entries, json!(sha256)), (6, last["sha256"].clone()));
    let wrong = road.call("GET", &format!("{AUDIT}?cursor=x"), &admin, None).await;
    assert_eq!(wrong.code(), "invalid_request");
}

async fn an_export_has_its_entry(road: Road) {
    let (admin, machine, worker) =
        (road.token(TokenRole::Admin).await, road.token(TokenRole::Pipeline).await, road.worker("Basic").await);
    let path = format!("/api/v1/exports/{}/submissions", road.campaign);
    let exported = "audit where act = 'dataset_exported'";
    assert_eq!(road.call("GET", &path, &machine, None).await.status, 200);
    assert_eq!(road.count(exported).await, 0, "nothing was given away");
    let taken = road.hand_in(&worker, "one").await;
    road.work(&machine).await;
    let at = format!("/api/v1/admin/submissions/{}", taken.id);
    let version = road.call("GET", &at, &admin, None).await.json()["version"].clone();
    let yes = json!({ "plays": true, "narration": true, "realistic": true, "worth_pay": true });
    let decision = json!({ "rating": 5, "checklist": yes, "reason": null, "note": null, "version": version });
    assert_eq!(road.call("POST", &format!("{at}/review"), &admin, Some(decision)).await.status, 200);
    let first = road.call("GET", &path, &machine, None).await;
    assert_eq!(first.json()["items"].as_array().unwrap().len(), 1);
    road.call("GET", &path, &machine, None).await;
    assert_eq!(road.count(exported).await, 1, "pages that follow each other are one export");
    let entry = entries(&road, &admin).await.pop().unwrap();
    assert_eq!((&entry["who"], &entry["act"]), (&json!("token test"), &json!("dataset_exported")));
    assert_eq!(entry["subject"], format!("campaign {}", road.campaign));
    assert_eq!(entry["request_id"], first.header("x-request-id"));
    road.pass(3601);
    road.call("GET", &path, &machine, None).await;
    assert_eq!(road.count(exported).await, 2);
}

async fn what_is_refused_has_none(road: Road) {
    let admin = road.token(TokenRole::Admin).await;
    let nobody = format!("/api/v1/admin/tokens/{}", uuid::Uuid::nil());
    assert_eq!(road.call("DELETE", &nobody, &admin, None).await.status, 404);
    let nothing = json!({ "campaign_id": road.campaign, "tier": "None", "count": 2 });
    assert_eq!(road.call("POST", "/api/v1/admin/invites", &admin, Some(nothing)).await.status, 404);
    assert_eq!(entries(&road, &admin).await, Vec::<Value>::new());
    assert_eq!(audit::verify(road.app.store.read()).await.unwrap(), Chain::Whole { entries: 0, sha256: String::new() });
}

async fn write(road: &Road, count: usize) {
    for at in 0..count {
        let mut tx = road.app.store.begin().await.unwrap();
        let (actor, what) = (Actor::command_line(), format!("entry {at}"));
        audit::append(&mut tx, &actor, AuditAct::Repaired, "nothing", &what, NOW).await.unwrap();
        tx.commit().await.unwrap();
    }
}

async fn two_at_once_follow_on_each_other(road: Road) {
    tokio::join!(write(&road, 20), write(&road, 20), write(&road, 20));
    // A change that is given up leaves no hole.
    let mut tx = road.app.store.begin().await.unwrap();
    audit::append(&mut tx, &Actor::server(), AuditAct::Repaired, "nothing", "never was", NOW).await.unwrap();
    drop(tx);
    write(&road, 1).await;
    let chain = audit::verify(road.app.store.read()).await.unwrap();
    assert!(matches!(chain, Chain::Whole { entries: 61, .. }), "{chain:?}");
}

async fn run(road: &Road, text: &str) -> Result<(), sqlx::Error> {
    let mut tx = road.app.store.begin().await.unwrap();
    sqlx::query(sqlx::AssertSqlSafe(text.to_owned())).execute(&mut *tx).await?;
    tx.commit().await
}

async fn let_it_be_touched(road: &Road) {
    let triggers: &[&str] = match road.app.store.engine() {
        Engine::Sqlite => &["drop trigger audit_stays", "drop trigger audit_remains"],
        Engine::Postgres => &["drop trigger audit_stays on audit"],
    };
    for trigger in triggers {
        run(road, trigger).await.unwrap();
    }
}

/// The first entry that is not as it was written; 0 where all are.
async fn broken(road: &Road) -> i64 {
    match audit::verify(road.app.store.read()).await.unwrap() {
        Chain::Broken { seq, .. } => seq,
        Chain::Whole { .. } => 0,
    }
}

async fn what_an_act_changed_is_in_the_chain(road: Road) {
    let admin = road.token(TokenRole::Admin).await;
    write(&road, 1).await;
    let asked = json!({ "role": "pipeline", "name": "p" });
    let made = road.call("POST", "/api/v1/admin/tokens", &admin, Some(asked)).await.json();
    let token = format!("/api/v1/admin/tokens/{}", made["id"].as_str().unwrap());
    assert_eq!(road.call("DELETE", &token, &admin, None).await.status, 204);
    write(&road, 1).await;
    let entry = entries(&road, &admin).await.remove(2);
    assert_eq!(entry["act"], "token_revoked");
    let_it_be_touched(&road).await;
    for column in ["state_before_sha256", "state_after_sha256"] {
        let was = entry[column].as_str().unwrap();
        for other in ["null".to_owned(), format!("'{}'", "0".repeat(64))] {
            run(&road, &format!("update audit set {column} = {other} where seq = 3")).await.unwrap();
            assert_eq!(broken(&road).await, 3, "{column} = {other}");
        }
        run(&road, &format!("update audit set {column} = '{was}' where seq = 3")).await.unwrap();
        assert_eq!(broken(&road).await, 0);
    }
    // Nor does one come to an entry that changed nothing.
    run(&road, "update audit set state_after_sha256 = '' where seq = 1").await.unwrap();
    assert_eq!(broken(&road).await, 1);
}

/// Where people logged in from is kept for so long, and not in what is never removed.
async fn an_address_goes_and_the_chain_holds(road: Road) {
    let admin = road.token(TokenRole::Admin).await;
    road.login(AdminRole::Admin).await;
    assert_eq!(login::log_in(&road, login::HERE, login::EMAIL, login::WORD, None).await.status, 204);
    let addresses = async || {
        let entries = entries(&road, &admin).await;
        entries.iter().map(|entry| entry["address"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(addresses().await, [Value::Null, json!(login::HERE)]);
    for column in ["who", "subject", "what", "coalesce(request_id, '')"] {
        assert_eq!(road.count(&format!("audit where {column} like '%{}%'", login::HERE)).await, 0, "{column}");
    }
    run(&road, "update audit_address set address = '198.51.100.9'").await.unwrap();
    assert_eq!(broken(&road).await, 2, "one that was changed shows");
    run(&road, &format!("update audit_address set address = '{}'", login::HERE)).await.unwrap();
    assert_eq!(broken(&road).await, 0);
    let over = async || {
        let all = retention::look(&road.app, road.app.clock.now()).await.unwrap();
        all.into_iter().find(|one| one.class == Class::LoginAddresses).map(|one| (one.days, one.items))
    };
    road.pass(89 * 86_400);
    housekeeping::round(&road.app).await.unwrap();
    assert_eq!((over().await, road.count("audit_address").await), (Some((90, 0)), 1));
    road.pass(2 * 86_400);
    assert_eq!(over().await, Some((90, 1)));
    housekeeping::round(&road.app).await.unwrap();
    assert_eq!((over().await, road.count("audit_address").await), (Some((90, 0)), 0));
    assert_eq!(addresses().await, [Value::Null, Value::Null]);
    assert_eq!(broken(&road).await, 0, "the chain holds without it");
}

async fn the_end_of_a_login_has_its_entry(road: Road) {
    let admin = road.token(TokenRole::Admin).await;
    let first = road.login(AdminRole::Admin).await;
    for _ in 0..3 {
        assert_eq!(login::log_in(&road, login::HERE, login::EMAIL, login::WORD, None).await.status, 204);
    }
    let session = "/api/v1/admin/session";
    let own = [("cookie", first.as_str()), ("sec-fetch-site", "same-origin")];
    let logins = road.send("GET", &format!("{session}/logins"), "", &own, "").await.json();
    let other = logins["items"].as_array().unwrap().iter().find(|login| login["is_this"] == false).unwrap().clone();
    let one = format!("{session}/logins/{}", other["id"].as_str().unwrap());
    let others = format!("{session}/others");
    for (path, status) in [(&one, 204), (&one, 404), (&others, 204), (&others, 204), (&session.to_owned(), 204)] {
        assert_eq!(road.send("DELETE", path, "", &own, "").await.status, status, "{path}");
    }
    let entries = entries(&road, &admin).await;
    let ended = entries.iter().filter(|entry| entry["act"] == "login_ended");
    let ended: Vec<_> = ended.map(|entry| (entry["who"].as_str().unwrap(), entry["what"].as_str().unwrap())).collect();
    let expected = ["another one of its own", "all others of its own: 2", "logged out"];
    assert_eq!(ended, expected.map(|what| (login::EMAIL, what)), "what ended nothing has none");
}

/// What somebody with the database in hand can do, and where it shows.
async fn a_chain_that_was_touched(road: Road) {
    write(&road, 6).await;
    let run = async |text: &str| run(&road, text).await;
    for refused in ["update audit set who = 'x' where seq = 2", "delete from audit where seq = 6"] {
        assert!(run(refused).await.is_err(), "{refused}");
    }
    if road.app.store.engine() == Engine::Postgres {
        for table in ["audit", "ledger"] {
            assert!(run(&format!("truncate {table}")).await.is_err(), "{table}");
        }
    }
    let_it_be_touched(&road).await;
    let broken = async || broken(&road).await;
    for (change, back, seq) in [
        ("update audit set what = 'x' where seq = 2", "update audit set what = 'entry 1' where seq = 2", 2),
        ("update audit set at = at + 1 where seq = 5", "update audit set at = at - 1 where seq = 5", 5),
        ("update audit set act = 'unknown' where seq = 4", "update audit set act = 'repaired' where seq = 4", 4),
        ("update audit_end set seq = 9 where id = 1", "update audit_end set seq = 6 where id = 1", 7),
        ("update audit_end set seq = 5 where id = 1", "update audit_end set seq = 6 where id = 1", 6),
        ("update audit set seq = 60 where seq = 3", "update audit set seq = 3 where seq = 60", 3),
    ] {
        run(change).await.unwrap();
        assert_eq!(broken().await, seq, "{change}");
        run(back).await.unwrap();
        assert_eq!(broken().await, 0, "{back}");
    }
    run("delete from audit where seq = 6").await.unwrap();
    assert_eq!(broken().await, 6, "the last one is missed too");
}

#[tokio::test]
async fn a_row_of_the_ledger_stays() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let road = Road::open(engine).await;
        let (machine, worker, admin) =
            (road.token(TokenRole::Pipeline).await, road.worker("Basic").await, road.token(TokenRole::Admin).await);
        let taken = road.hand_in(&worker, "one").await;
        road.work(&machine).await;
        let at = format!("/api/v1/admin/submissions/{}", taken.id);
        let version = road.call("GET", &at, &admin, None).await.json()["version"].clone();
        let yes = json!({ "plays": true, "narration": true, "realistic": true, "worth_pay": true });
        let decision = json!({ "rating": 4, "checklist": yes, "reason": null, "note": null, "version": version });
        assert_eq!(road.call("POST", &format!("{at}/review"), &admin, Some(decision)).await.status, 200);
        for text in ["update ledger set amount_cents = 1", "delete from ledger"] {
            let mut tx = road.app.store.begin().await.unwrap();
            assert!(sqlx::query(text).execute(&mut *tx).await.is_err(), "{text} on {engine:?}");
        }
        assert_eq!(road.count("ledger where amount_cents = 400").await, 1);
    }
}
