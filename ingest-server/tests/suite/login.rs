//! Logging in: what guessing costs, second factors, and proofs for what touches money, access and erasure.

use crate::road::{Answer, Road};
use axum::body::Body;
use axum::http::Request;
use ingest_server::housekeeping;
use ingest_server::http::limit::Peer;
use ingest_server::http::openapi;
use ingest_server::store::Engine;
use ingest_server::totp::TotpSecret;
use serde_json::{Value, json};
use shared_types::api::admin::TokenRole;
use shared_types::api::review::AdminRole;

on_both!(
    guessing_costs_time_and_tells_nothing,
    guesses_at_once_are_counted,
    no_other_site_logs_anybody_in,
    logins_hold_up_nobody_else,
    a_known_device_is_not_kept_out,
    a_second_factor_is_asked_for,
    a_recovery_code_opens_once,
    what_touches_money_access_and_erasure_needs_a_proof,
    a_login_that_is_taken_away_is_out_at_once,
    a_token_that_is_revoked_opens_nothing,
    a_person_ends_its_other_logins,
    a_person_sees_where_it_is_logged_in,
    a_login_ends_after_twelve_hours,
    a_login_that_ran_out_is_forgotten,
    a_cookie_that_comes_with_a_login_opens_nothing_more,
);

const SESSION: &str = "/api/v1/admin/session";
pub(super) const WORD: &str = "correct horse battery";
pub(super) const EMAIL: &str = "admin@example.org";

/// A request of a browser on the server's own pages, from an address.
async fn send(road: &Road, method: &str, path: &str, cookie: &str, from: &str, body: Option<Value>) -> Answer {
    let mut request = Request::builder().method(method).uri(path).header("sec-fetch-site", "same-origin");
    if !cookie.is_empty() {
        request = request.header("cookie", cookie);
    }
    let body = match body {
        Some(body) => {
            request = request.header("content-type", "application/json");
            Body::from(body.to_string())
        }
        None => Body::empty(),
    };
    let mut request = request.body(body).unwrap();
    request.extensions_mut().insert(Peer(from.parse().unwrap()));
    road.request(request).await
}

pub(super) const HERE: &str = "203.0.113.7";

pub(super) async fn log_in(road: &Road, from: &str, email: &str, password: &str, code: Option<&str>) -> Answer {
    let body = json!({ "email": email, "password": password, "totp": code });
    send(road, "POST", SESSION, "", from, Some(body)).await
}

fn told(answer: &Answer) -> (u16, String, String) {
    (answer.status.as_u16(), answer.code(), answer.json()["message"].as_str().unwrap().to_owned())
}

async fn guessing_costs_time_and_tells_nothing(road: Road) {
    road.login(AdminRole::Admin).await;
    let mut waits = Vec::new();
    for round in 0..9 {
        let (known, unknown) = (
            log_in(&road, HERE, EMAIL, "wrong", None).await,
            log_in(&road, HERE, "nobody@example.org", "wrong", None).await,
        );
        assert_eq!(told(&known), told(&unknown), "round {round}: an account does not show");
        assert_eq!(known.header("retry-after"), unknown.header("retry-after"));
        if known.status == 429 {
            let secs: i64 = known.header("retry-after").parse().unwrap();
            let right = log_in(&road, HERE, EMAIL, WORD, None).await;
            assert_eq!(right.status, 429, "the right one waits as well");
            waits.push(secs);
            road.pass(secs);
        }
    }
    assert_eq!(waits, [2, 3], "each wait is longer than the one before");
    assert_eq!(log_in(&road, "198.51.100.1", EMAIL, WORD, None).await.status, 204, "the owner gets in from elsewhere");
    road.pass(3600);
    assert_eq!(log_in(&road, HERE, EMAIL, WORD, None).await.status, 204, "nobody is locked out for good");
    for _ in 0..5 {
        assert_eq!(log_in(&road, HERE, EMAIL, "wrong", None).await.status, 401, "it is counted anew");
    }
}

async fn guesses_at_once_are_counted(road: Road) {
    road.login(AdminRole::Admin).await;
    let guess = || log_in(&road, HERE, EMAIL, "wrong", None);
    let all = futures_util::future::join_all((0..20).map(|_| guess())).await;
    let looked_at = all.iter().filter(|answer| answer.status == 401).count();
    assert_eq!(looked_at, 5, "as many as one after the other");
}

/// A page elsewhere that logs somebody in as another, who then records for them.
async fn no_other_site_logs_anybody_in(road: Road) {
    road.login(AdminRole::Admin).await;
    let body = json!({ "email": EMAIL, "password": WORD, "totp": null }).to_string();
    let json = ("content-type", "application/json");
    for (site, status) in [
        (Some(("sec-fetch-site", "cross-site")), 403),
        (Some(("sec-fetch-site", "same-site")), 403),
        (Some(("origin", "https://elsewhere.example")), 403),
        (None, 403),
        (Some(("sec-fetch-site", "same-origin")), 204),
    ] {
        let headers: Vec<_> = site.into_iter().chain([json]).collect();
        let answer = road.send("POST", SESSION, "", &headers, body.clone()).await;
        assert_eq!(answer.status, status, "{site:?}");
        assert_eq!(answer.headers.contains_key("set-cookie"), status == 204);
    }
}

/// Two hundred passwords take seconds to look at; whoever asks for something else does not wait for them.
async fn logins_hold_up_nobody_else(road: Road) {
    road.login(AdminRole::Admin).await;
    let waiting = std::cell::Cell::new(200);
    let logins = futures_util::future::join_all((0..200).map(async |at| {
        let answer = log_in(&road, &format!("198.51.{at}.1"), &format!("{at}@example.org"), "wrong", None).await;
        waiting.set(waiting.get() - 1);
        answer
    }));
    let well = async {
        let mut asked = 0;
        while waiting.get() > 150 {
            let answer = road.call("GET", "/healthz", "", None).await;
            assert_eq!(answer.status, 200);
            asked += 1;
            tokio::task::yield_now().await;
        }
        asked
    };
    let (logins, asked) = tokio::join!(logins, well);
    assert!(logins.iter().all(|answer| [401, 429, 503].contains(&answer.status.as_u16())));
    assert!(asked > 50, "while 50 logins were looked at, {asked} others were answered");
}

/// Guessing from everywhere makes whoever is meant wait, but not where that person has logged in before.
async fn a_known_device_is_not_kept_out(road: Road) {
    let first = road.login_answer(AdminRole::Admin).await;
    let device = first.headers.get_all("set-cookie").iter().nth(1).unwrap().to_str().unwrap().to_owned();
    assert!(device.starts_with("__Host-collector-device=csd_"), "{device}");
    for attribute in ["Path=/", "Secure", "HttpOnly", "SameSite=Strict", "Max-Age=15552000"] {
        assert!(device.split("; ").any(|one| one == attribute), "{device} lacks {attribute}");
    }
    let device = device.split(';').next().unwrap();
    for round in 0..60 {
        log_in(&road, &format!("198.51.100.{round}"), EMAIL, "wrong", None).await;
    }
    let body = json!({ "email": EMAIL, "password": WORD, "totp": null });
    let from = async |cookie: &str, password: &str| {
        let body = json!({ "email": EMAIL, "password": password, "totp": null });
        send(&road, "POST", SESSION, cookie, HERE, Some(body)).await
    };
    assert_eq!(from("", WORD).await.status, 429, "somebody keeps it waiting");
    assert_eq!(from("__Host-collector-device=csd_00", WORD).await.status, 429);
    let own = from(device, WORD).await;
    assert_eq!(own.status, 204);
    assert!(own.headers.get_all("set-cookie").iter().any(|set| set.to_str().unwrap().starts_with(device)));
    let cookie = format!("{device}; {}", own.header("set-cookie").split(';').next().unwrap());
    let proof = json!({ "password": WORD, "totp": null });
    assert_eq!(send(&road, "POST", &format!("{SESSION}/proof"), &cookie, HERE, Some(proof)).await.status, 204);
    // It is known for this person alone, and guesses from it are counted as well.
    let other = json!({ "email": "nobody@example.org", "password": "wrong", "totp": null });
    assert_eq!(send(&road, "POST", SESSION, device, HERE, Some(other)).await.status, 401);
    for round in 0..5 {
        assert_eq!(from(device, "wrong").await.status, 401, "{round}");
    }
    assert_eq!(from(device, WORD).await.status, 429);
    road.pass(60);
    assert_eq!(from(device, WORD).await.status, 204);
    road.pass(181 * 86_400);
    let kept: String =
        sqlx::query_scalar("select key_sha256 from known_device").fetch_one(road.app.store.read()).await.unwrap();
    assert!(kept.len() == 64 && !device.contains(&kept), "only a hash is kept");
    assert_eq!(send(&road, "POST", SESSION, "", HERE, Some(body)).await.status, 204);
    assert_eq!(road.count("known_device").await, 1, "what was not used for long is forgotten");
}

/// The cookie of an answer.
fn set(answer: &Answer) -> String {
    answer.header("set-cookie").split(';').next().unwrap().to_owned()
}

/// Adds an authenticator app: its secret, the recovery codes and the login's new cookie.
pub(super) async fn add_app(road: &Road, cookie: &str) -> (TotpSecret, Vec<String>, String) {
    let offer = send(road, "POST", &format!("{SESSION}/totp"), cookie, HERE, None).await;
    assert_eq!(offer.status, 200, "{}", offer.json());
    let typed = offer.json()["secret"].as_str().unwrap().to_owned();
    assert_eq!(offer.json()["qr"].as_array().unwrap().len(), offer.json()["qr"][0].as_str().unwrap().len());
    let kept: String = sqlx::query_scalar("select secret from totp where confirmed_at is null")
        .fetch_one(road.app.store.read())
        .await
        .unwrap();
    let secret = TotpSecret::from_hex(&kept).unwrap();
    assert_eq!(secret.base32(), typed);
    let confirm = format!("{SESSION}/totp/confirm");
    let wrong = send(road, "POST", &confirm, cookie, HERE, Some(json!({ "totp": "12345" }))).await;
    assert_eq!(wrong.code(), "invalid_request");
    let first = secret.shown_at(road.app.clock.now());
    let done = send(road, "POST", &confirm, cookie, HERE, Some(json!({ "totp": first }))).await;
    assert_eq!(done.status, 200, "{}", done.json());
    let codes = done.json()["codes"].as_array().unwrap().clone();
    let renewed = set(&done);
    assert_eq!(send(road, "GET", SESSION, cookie, HERE, None).await.status, 401, "the earlier cookie opens nothing");
    (secret, codes.iter().map(|code| code.as_str().unwrap().to_owned()).collect(), renewed)
}

async fn a_second_factor_is_asked_for(road: Road) {
    let cookie = road.login(AdminRole::Admin).await;
    let other = log_in(&road, HERE, EMAIL, WORD, None).await.header("set-cookie").split(';').next().unwrap().to_owned();
    let (secret, _, cookie) = add_app(&road, &cookie).await;
    let out = send(&road, "GET", SESSION, &other, HERE, None).await;
    assert_eq!(out.status, 401, "a login that the password alone opened is over");
    let view = send(&road, "GET", SESSION, &cookie, HERE, None).await.json();
    assert_eq!((view["has_second_factor"].clone(), view["recovery_codes"].clone()), (json!(true), json!(10)));
    assert_eq!(log_in(&road, HERE, EMAIL, WORD, None).await.code(), "code_required");
    assert_eq!(log_in(&road, HERE, EMAIL, "wrong", Some("123456")).await.code(), "unauthenticated");
    let used = secret.shown_at(road.app.clock.now());
    assert_eq!(log_in(&road, HERE, EMAIL, WORD, Some(&used)).await.code(), "code_required", "the first code was used");
    road.pass(30);
    let code = secret.shown_at(road.app.clock.now());
    assert_eq!(log_in(&road, HERE, EMAIL, WORD, Some(&code)).await.status, 204);
    let again = log_in(&road, HERE, EMAIL, WORD, Some(&code)).await;
    assert_eq!(again.code(), "code_required", "a code is good for once");
    road.pass(30);
    // Asking for the code takes nothing back of what wrong codes cost.
    let mut refused = 0;
    for _ in 0..12 {
        log_in(&road, HERE, EMAIL, WORD, None).await;
        refused += i32::from(log_in(&road, HERE, EMAIL, WORD, Some("000000")).await.status == 429);
    }
    assert!(refused >= 5, "{refused}");
    road.pass(3600);
    let code = secret.shown_at(road.app.clock.now());
    assert_eq!(log_in(&road, HERE, EMAIL, WORD, Some(&code)).await.status, 204, "nobody is locked out for good");
    road.pass(30);
    let code = secret.shown_at(road.app.clock.now());
    let (one, two) =
        tokio::join!(log_in(&road, HERE, EMAIL, WORD, Some(&code)), log_in(&road, HERE, EMAIL, WORD, Some(&code)));
    let mut both = [one.status.as_u16(), two.status.as_u16()];
    both.sort_unstable();
    assert_eq!(both, [204, 401], "two at once are one");
}

async fn a_recovery_code_opens_once(road: Road) {
    let cookie = road.login(AdminRole::Reviewer).await;
    let (_, codes, _) = add_app(&road, &cookie).await;
    let email = "reviewer@example.org";
    let typed = codes[3].to_lowercase().replace('-', " ");
    assert_eq!(log_in(&road, HERE, email, WORD, Some(&typed)).await.status, 204);
    assert_eq!(log_in(&road, HERE, email, WORD, Some(&codes[3])).await.code(), "code_required");
    assert_eq!(road.count("recovery_code where used_at is null").await, 9);
    assert_eq!(road.count("audit where act = 'recovery_code_used'").await, 1);
    let kept: Vec<String> =
        sqlx::query_scalar("select code_sha256 from recovery_code").fetch_all(road.app.store.read()).await.unwrap();
    assert!(kept.iter().all(|hash| hash.len() == 64), "only hashes are kept");
}

/// What money, access or erasure hang on.
const PROVEN: [&str; 11] = [
    "DELETE /api/v1/admin/admins/{id}",
    "DELETE /api/v1/admin/admins/{id}/totp",
    "POST /api/v1/admin/campaigns",
    "POST /api/v1/admin/erasures",
    "POST /api/v1/admin/erasures/{id}/finish",
    "POST /api/v1/admin/invites",
    "POST /api/v1/admin/jobs/drain",
    "DELETE /api/v1/admin/session/totp",
    "POST /api/v1/admin/session/totp",
    "POST /api/v1/admin/submissions/{id}/redact",
    "POST /api/v1/admin/tokens",
];

/// Every route that asks for a proof; one that touches money, access or erasure must be among them.
fn proven() -> Vec<(String, String)> {
    let document = openapi::document();
    let mut proven = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let asks = operation["x-needs-proof"] == json!(true);
            let nouns = ["payouts", "batches", "erasures", "orders", "admins", "invites", "campaigns", "tiers"];
            let touches = nouns.iter().any(|noun| path.starts_with(&format!("/api/v1/admin/{noun}")));
            assert!(asks || !touches || method == "get", "{method} {path} must be needs_proof()");
            if asks {
                proven.push((method.to_uppercase(), path.replace("{id}", &uuid::Uuid::nil().to_string())));
            }
        }
    }
    proven
}

async fn what_touches_money_access_and_erasure_needs_a_proof(road: Road) {
    let cookie = road.login(AdminRole::Admin).await;
    let token = road.token(TokenRole::Admin).await;
    let (routes, nobody) = (proven(), uuid::Uuid::nil().to_string());
    let named: Vec<String> =
        routes.iter().map(|(method, path)| format!("{method} {}", path.replace(&nobody, "{id}"))).collect();
    assert_eq!(named, PROVEN, "what is dangerous asks again");
    road.pass(301);
    for (method, path) in &routes {
        let refused = send(&road, method, path, &cookie, HERE, Some(json!({}))).await;
        assert_eq!((refused.status.as_u16(), refused.code().as_str()), (403, "proof_required"), "{method} {path}");
        let program = road.call(method, path, &token, Some(json!({}))).await;
        assert_ne!(program.status, 403, "nobody sits at a program: {method} {path}");
    }
    let (proof, made) = (format!("{SESSION}/proof"), json!({ "role": "pipeline", "name": "p" }));
    let wrong = send(&road, "POST", &proof, &cookie, HERE, Some(json!({ "password": "wrong", "totp": null }))).await;
    assert_eq!(told(&wrong).0, 403, "401 would end the login");
    let right = json!({ "password": WORD, "totp": null });
    assert_eq!(send(&road, "POST", &proof, &cookie, HERE, Some(right.clone())).await.status, 204);
    let tokens = "/api/v1/admin/tokens";
    assert_eq!(send(&road, "POST", tokens, &cookie, HERE, Some(made.clone())).await.status, 201);
    let (secret, _, cookie) = add_app(&road, &cookie).await;
    road.pass(301);
    assert_eq!(send(&road, "POST", tokens, &cookie, HERE, Some(made.clone())).await.code(), "proof_required");
    assert_eq!(send(&road, "POST", &proof, &cookie, HERE, Some(right)).await.code(), "code_required");
    let code = json!({ "password": null, "totp": secret.shown_at(road.app.clock.now()) });
    assert_eq!(send(&road, "POST", &proof, &cookie, HERE, Some(code.clone())).await.status, 204);
    assert_eq!(send(&road, "POST", &proof, &cookie, HERE, Some(code)).await.code(), "code_required", "good for once");
    assert_eq!(send(&road, "POST", tokens, &cookie, HERE, Some(made)).await.status, 201);
    assert_eq!(send(&road, "DELETE", &format!("{SESSION}/totp"), &cookie, HERE, None).await.status, 204);
    assert_eq!(road.count("recovery_code").await, 0);
    let forged = road.call("POST", &proof, &token, Some(json!({ "password": WORD, "totp": null }))).await;
    assert_eq!(forged.code(), "invalid_request", "a token proves nothing");
}

async fn a_login_that_is_taken_away_is_out_at_once(road: Road) {
    let (admin, reviewer) = (road.login(AdminRole::Admin).await, road.login(AdminRole::Reviewer).await);
    let (_, _, reviewer) = add_app(&road, &reviewer).await;
    let listed = send(&road, "GET", "/api/v1/admin/admins", &admin, HERE, None).await.json()["items"].clone();
    let id = |email: &str| {
        let found = listed.as_array().unwrap().iter().find(|one| one["email"] == email).unwrap();
        format!("/api/v1/admin/admins/{}", found["id"].as_str().unwrap())
    };
    assert_eq!(send(&road, "DELETE", &id(EMAIL), &admin, HERE, None).await.code(), "stage_conflict", "not oneself");
    assert_eq!(send(&road, "DELETE", &id("reviewer@example.org"), &reviewer, HERE, None).await.status, 403);
    let factor = format!("{}/totp", id("reviewer@example.org"));
    assert_eq!(send(&road, "DELETE", &factor, &admin, HERE, None).await.status, 204);
    assert_eq!(send(&road, "DELETE", &factor, &admin, HERE, None).await.code(), "stage_conflict");
    assert_eq!(send(&road, "GET", SESSION, &reviewer, HERE, None).await.json()["has_second_factor"], false);
    assert_eq!(send(&road, "DELETE", &id("reviewer@example.org"), &admin, HERE, None).await.status, 204);
    assert_eq!(send(&road, "GET", SESSION, &reviewer, HERE, None).await.code(), "unauthenticated");
    assert_eq!(log_in(&road, HERE, "reviewer@example.org", WORD, None).await.status, 401);
    assert_eq!(road.count("audit where act = 'admin_removed'").await, 1);
    road.pass(31 * 60);
    assert_eq!(send(&road, "GET", SESSION, &admin, HERE, None).await.status, 401, "idle for half an hour");
}

async fn a_person_ends_its_other_logins(road: Road) {
    let (here, elsewhere) = (road.login(AdminRole::Reviewer).await, road.login(AdminRole::Reviewer).await);
    let admin = road.login(AdminRole::Admin).await;
    assert_eq!(send(&road, "DELETE", &format!("{SESSION}/others"), &here, HERE, None).await.status, 204);
    for (cookie, status) in [(&here, 200), (&elsewhere, 401), (&admin, 200)] {
        assert_eq!(send(&road, "GET", SESSION, cookie, HERE, None).await.status.as_u16(), status);
    }
}

async fn a_person_sees_where_it_is_logged_in(road: Road) {
    let (here, admin) = (road.login(AdminRole::Reviewer).await, road.login(AdminRole::Admin).await);
    road.pass(60);
    let begin = json!({ "email": "reviewer@example.org", "password": WORD, "totp": null });
    let mut request = Request::post(SESSION)
        .header("sec-fetch-site", "same-origin")
        .header("content-type", "application/json")
        .header("user-agent", format!("Phone/1 {}", "x".repeat(500)))
        .body(Body::from(begin.to_string()))
        .unwrap();
    request.extensions_mut().insert(Peer(HERE.parse().unwrap()));
    let elsewhere = road.request(request).await.header("set-cookie").split(';').next().unwrap().to_owned();
    let logins = format!("{SESSION}/logins");
    let listed = async |cookie: &str| {
        let answer = send(&road, "GET", &logins, cookie, HERE, None).await;
        assert_eq!(answer.status, 200);
        answer.json()["items"].as_array().unwrap().clone()
    };
    let all = listed(&here).await;
    assert_eq!(all.len(), 2, "one's own alone: {all:?}");
    assert_eq!((&all[0]["address"], &all[0]["is_this"]), (&json!(HERE), &json!(false)), "the one used last is first");
    let browser = all[0]["browser"].as_str().unwrap();
    assert!(browser.starts_with("Phone/1 ") && browser.len() == 200, "{browser}");
    assert_eq!((&all[1]["address"], &all[1]["is_this"]), (&json!("here"), &json!(true)));
    assert_ne!(all[0]["began_at"], all[1]["began_at"]);
    // The name of a login opens nothing, and another person cannot end it.
    let id = all[0]["id"].as_str().unwrap();
    assert_eq!(send(&road, "GET", SESSION, &format!("__Host-collector={id}"), HERE, None).await.status, 401);
    let one = format!("{logins}/{id}");
    assert_eq!(send(&road, "DELETE", &one, &admin, HERE, None).await.status, 404);
    assert_eq!(send(&road, "GET", SESSION, &elsewhere, HERE, None).await.status, 200);
    assert_eq!(send(&road, "DELETE", &one, &here, HERE, None).await.status, 204);
    assert_eq!(send(&road, "GET", SESSION, &elsewhere, HERE, None).await.status, 401, "out at once");
    assert_eq!(send(&road, "DELETE", &one, &here, HERE, None).await.status, 404);
    assert_eq!(listed(&here).await.len(), 1);
    let machine = road.token(TokenRole::Admin).await;
    assert_eq!(road.call("GET", &logins, &machine, None).await.code(), "invalid_request", "a token has no logins");
}

async fn a_login_ends_after_twelve_hours(road: Road) {
    let cookie = road.login(AdminRole::Reviewer).await;
    for _ in 0..28 {
        road.pass(25 * 60);
        assert_eq!(send(&road, "GET", SESSION, &cookie, HERE, None).await.status, 200);
    }
    road.pass(20 * 60 + 1);
    assert_eq!(send(&road, "GET", SESSION, &cookie, HERE, None).await.status, 401, "however busy it was");
}

/// With the address and the browser that it came from, though nobody logs in any more.
async fn a_login_that_ran_out_is_forgotten(road: Road) {
    road.login(AdminRole::Reviewer).await;
    housekeeping::round(&road.app).await.unwrap();
    assert_eq!(road.count("session").await, 1);
    road.pass(30 * 60 + 1);
    housekeeping::round(&road.app).await.unwrap();
    assert_eq!(road.count("session").await, 0);
}

/// One that somebody planted, and the one of the login before.
async fn a_cookie_that_comes_with_a_login_opens_nothing_more(road: Road) {
    let earlier = road.login(AdminRole::Admin).await;
    for cookie in ["__Host-collector=planted", &earlier] {
        let body = json!({ "email": EMAIL, "password": WORD, "totp": null });
        let own = set(&send(&road, "POST", SESSION, cookie, HERE, Some(body)).await);
        assert_ne!(own, cookie);
        assert_eq!(send(&road, "GET", SESSION, cookie, HERE, None).await.status, 401, "{cookie}");
        assert_eq!(send(&road, "GET", SESSION, &own, HERE, None).await.status, 200);
    }
}

async fn a_token_that_is_revoked_opens_nothing(road: Road) {
    let (admin, machine) = (road.token(TokenRole::Admin).await, road.token(TokenRole::Pipeline).await);
    let claim = json!({ "worker": "press", "kinds": ["inspect"], "max": 1, "wait_s": 0 });
    assert_eq!(road.call("POST", "/api/v1/jobs/claim", &machine, Some(claim.clone())).await.status, 200);
    let tokens = road.call("GET", "/api/v1/admin/tokens", &admin, None).await.json();
    let row = tokens["items"].as_array().unwrap().iter().find(|row| row["role"] == "pipeline").unwrap().clone();
    let path = format!("/api/v1/admin/tokens/{}", row["id"].as_str().unwrap());
    assert_eq!(road.call("DELETE", &path, &admin, None).await.status, 204);
    assert_eq!(road.call("POST", "/api/v1/jobs/claim", &machine, Some(claim)).await.code(), "token_revoked");
}

#[tokio::test]
async fn a_setting_demands_a_second_factor() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let road = Road::open_with(engine, |config| config.demand_totp = true).await;
        let cookie = road.login(AdminRole::Admin).await;
        let view = send(&road, "GET", SESSION, &cookie, HERE, None).await.json();
        assert_eq!(view["must_add_second_factor"], true);
        let queue = "/api/v1/admin/submissions";
        let closed = send(&road, "GET", queue, &cookie, HERE, None).await;
        assert_eq!((closed.status.as_u16(), closed.code().as_str()), (403, "second_factor_required"));
        let program = road.call("GET", queue, &road.token(TokenRole::Admin).await, None).await;
        assert_eq!(program.status, 200, "a program has none");
        let (_, _, cookie) = add_app(&road, &cookie).await;
        assert_eq!(send(&road, "GET", queue, &cookie, HERE, None).await.status, 200);
        let removed = send(&road, "DELETE", &format!("{SESSION}/totp"), &cookie, HERE, None).await;
        assert_eq!(removed.status, 204);
        assert_eq!(
            send(&road, "GET", queue, &cookie, HERE, None).await.status,
            401,
            "the earlier cookie opens nothing"
        );
        assert_eq!(send(&road, "GET", queue, &set(&removed), HERE, None).await.code(), "second_factor_required");
    }
}
