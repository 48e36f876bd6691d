//! Registration, the worker's goals and what they pay, on both engines.

use crate::road::{NOW, Road, TUS, UPLOADS, registration};
use shared_types::api::admin::TokenRole;

on_both!(
    an_invite_lets_one_device_in,
    nobody_registers_without_an_invite,
    an_invite_runs_out,
    a_token_that_an_admin_revoked_ends_the_way_back,
    who_was_told_to_stop_records_nothing,
    goals_are_claimed_by_their_owner,
    shares_add_up
);

const WORKERS: &str = "/api/v1/workers";

async fn an_invite_lets_one_device_in(road: Road) {
    let invite = road.invite("Basic").await;
    let mut old_consent = registration(&invite, "a");
    old_consent["consent"]["version"] = "2020-01".into();
    assert_eq!(road.call("POST", WORKERS, "", Some(old_consent)).await.code(), "consent_required");
    let first = road.call("POST", WORKERS, "", Some(registration(&invite, "a"))).await;
    assert_eq!(first.status, 201);
    let again = road.call("POST", WORKERS, "", Some(registration(&invite, "a"))).await;
    assert_eq!(again.status, 201);
    let (first, again) = (first.json(), again.json());
    assert_eq!(first["worker_id"], again["worker_id"]);
    let me = road.call("GET", "/api/v1/me", first["token"].as_str().unwrap(), None).await;
    assert_eq!(me.code(), "token_revoked");
    let me = road.call("GET", "/api/v1/me", again["token"].as_str().unwrap(), None).await;
    assert_eq!(me.json()["worker"]["stage"], "active");
    let other = road.call("POST", WORKERS, "", Some(registration(&invite, "b"))).await;
    assert_eq!(other.code(), "invite_used");
}

async fn nobody_registers_without_an_invite(road: Road) {
    for (invite, status, code) in [("cin_nobody", 404, "not_found"), ("", 400, "invalid_request")] {
        let refused = road.call("POST", WORKERS, "", Some(registration(invite, "a"))).await;
        assert_eq!((refused.status.as_u16(), refused.code().as_str()), (status, code), "{invite}");
    }
    assert_eq!(road.count("worker").await, 0);
}

async fn a_token_that_an_admin_revoked_ends_the_way_back(road: Road) {
    let (invite, admin) = (road.invite("Basic").await, road.token(TokenRole::Admin).await);
    let come = async || road.call("POST", WORKERS, "", Some(registration(&invite, "a"))).await;
    assert_eq!(come().await.status, 201);
    assert_eq!(come().await.status, 201, "by itself it is one");
    let tokens = road.call("GET", "/api/v1/admin/tokens", &admin, None).await.json()["items"].clone();
    let held = tokens.as_array().unwrap().iter().find(|row| row["role"] == "worker" && row["revoked_at"].is_null());
    let held = format!("/api/v1/admin/tokens/{}", held.unwrap()["id"].as_str().unwrap());
    assert_eq!(road.call("DELETE", &held, &admin, None).await.status, 204);
    for _ in 0..2 {
        assert_eq!(come().await.code(), "token_revoked");
    }
    assert_eq!(road.count("token where role = 'worker' and revoked_at is null").await, 0);
}

async fn who_was_told_to_stop_records_nothing(road: Road) {
    for stage in ["suspended", "banned"] {
        let invite = road.invite("Basic").await;
        let made = road.call("POST", WORKERS, "", Some(registration(&invite, "a"))).await.json();
        let (id, token) = (made["worker_id"].as_str().unwrap(), made["token"].as_str().unwrap());
        let goal = road.goals(token).await.remove(0);
        let mut tx = road.app.store.begin().await.unwrap();
        let text = format!("update worker set stage = '{stage}' where id = '{id}'");
        sqlx::query(sqlx::AssertSqlSafe(text)).execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
        let claim = road.call("POST", &format!("/api/v1/assignments/{goal}/claim"), token, None).await;
        assert_eq!((claim.status.as_u16(), claim.code().as_str()), (403, "forbidden"), "{stage}");
        let begun = road.send("POST", UPLOADS, token, &[TUS, ("upload-length", "100")], "").await;
        assert_eq!(begun.code(), "forbidden", "{stage}");
        let back = road.call("POST", WORKERS, "", Some(registration(&invite, "a"))).await;
        assert_eq!(back.code(), "forbidden", "{stage}");
        // What is theirs they may see and have erased.
        assert_eq!(road.call("GET", "/api/v1/me/export", token, None).await.status, 200, "{stage}");
        assert_eq!(road.call("POST", "/api/v1/me/erasure", token, None).await.status, 202, "{stage}");
    }
}

async fn an_invite_runs_out(mut road: Road) {
    let invite = road.invite("Basic").await;
    road.at(NOW.plus_secs(14 * 86_400 + 1)).await;
    let late = road.call("POST", WORKERS, "", Some(registration(&invite, "a"))).await;
    assert_eq!(late.code(), "invite_expired");
}

async fn goals_are_claimed_by_their_owner(mut road: Road) {
    let (owner, other) = (road.worker("Basic").await, road.worker("Basic").await);
    let goals = road.call("GET", "/api/v1/assignments", &owner, None).await.json();
    let goal = format!("/api/v1/assignments/{}", goals["items"][0]["id"].as_str().unwrap());
    let claim = format!("{goal}/claim");
    assert_eq!(road.call("POST", &claim, &other, None).await.status, 404);
    for _ in 0..2 {
        let claimed = road.call("POST", &claim, &owner, None).await;
        assert_eq!(claimed.status, 200);
        assert_eq!(claimed.json()["stage"], "reserved");
    }
    road.at(NOW.plus_secs(86_401)).await;
    let goals = road.call("GET", "/api/v1/assignments", &owner, None).await.json();
    assert_eq!(goals["items"][0]["stage"], "open");
    road.call("POST", &claim, &owner, None).await;
    let started = road.call("POST", &format!("{goal}/start"), &owner, None).await;
    assert_eq!(started.json()["stage"], "recording");
    assert_eq!(road.call("POST", &claim, &owner, None).await.code(), "assignment_not_open");
}

async fn shares_add_up(road: Road) {
    for (tier, count, price) in [("Basic", 5, 2000), ("Standard", 10, 3500), ("Premium", 15, 5000)] {
        let token = road.worker(tier).await;
        let goals = road.call("GET", "/api/v1/assignments", &token, None).await.json();
        let goals = goals["items"].as_array().unwrap();
        assert_eq!(goals.len(), count);
        assert_eq!(goals.iter().map(|goal| goal["pay"]["amount_cents"].as_i64().unwrap()).sum::<i64>(), price);
    }
}
