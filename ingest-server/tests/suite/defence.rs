//! What every answer carries, what no log carries, and who may read the server's numbers.

use crate::road::{Answer, Road};
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request};
use axum::routing::get;
use ingest_server::http::around;
use ingest_server::http::limit::Peer;
use ingest_server::http::openapi;
use ingest_server::store::Engine;
use serde_json::{Value, json};
use shared_types::api::admin::{InvitesMade, TokenMade, TokenRole};
use shared_types::api::review::AdminRole;
use shared_types::api::worker::Registered;
use shared_types::id::{TokenId, WorkerId};
use tower::ServiceExt;

on_both!(
    every_answer_has_its_headers,
    a_login_is_used_by_the_servers_own_pages_alone,
    an_error_tells_nothing_of_the_inside,
    numbers_are_for_the_operator,
    a_nul_breaks_nothing,
    a_database_that_is_gone_is_told,
    nothing_sorts_or_filters_by_a_hidden_column
);

fn check_headers(headers: &HeaderMap, what: &str) {
    let text = |name: &str| headers.get(name).map_or("", |value| value.to_str().unwrap());
    let csp = text("content-security-policy");
    assert!(csp.starts_with("default-src 'none'"), "{what}: {csp}");
    assert!(csp.contains("frame-ancestors 'none'") || csp.contains("sandbox"), "{what}: {csp}");
    assert!(!csp.contains("unsafe"), "{what}: {csp}");
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        assert_eq!(text(name), value, "{what}: {name}");
    }
    assert!(text("permissions-policy").contains("microphone=()"), "{what}");
    assert!(!text("x-request-id").is_empty(), "{what}");
    let is_public =
        ["/assets", "get /downloads/{name}", "/downloads/recorder.deb"].iter().any(|open| what.contains(open));
    assert!(is_public || text("cache-control").contains("no-store"), "{what}: {}", text("cache-control"));
    assert!(!headers.contains_key("access-control-allow-origin") && !headers.contains_key("server"), "{what}");
}

async fn every_answer_has_its_headers(road: Road) {
    let admin = road.token(TokenRole::Admin).await;
    std::fs::create_dir(road.folder.path().join("downloads")).unwrap();
    std::fs::write(road.folder.path().join("downloads/recorder.deb"), "package").unwrap();
    let mut seen = 0;
    for (path, methods) in openapi::document()["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            let path = path.replace("{id}", &uuid::Uuid::nil().to_string()).replace(['{', '}'], "");
            for token in ["", admin.as_str()] {
                let answer = road.call(&method.to_uppercase(), &path, token, None).await;
                check_headers(&answer.headers, &format!("{method} {path}: {}", answer.status));
                seen += 1;
            }
        }
    }
    assert!(seen > 80, "{seen}");
    for (method, path, status) in [
        ("GET", "/nothing", 404),
        ("PUT", "/api/v1/me", 405),
        ("GET", "/downloads/recorder.deb", 200),
        ("GET", "/admin", 200),
    ] {
        let answer = road.call(method, path, "", None).await;
        assert_eq!(answer.status.as_u16(), status, "{path}");
        check_headers(&answer.headers, path);
        if status >= 400 {
            assert_eq!(answer.json()["request_id"], answer.header("x-request-id"), "{path}: {}", answer.code());
        }
    }
    assert_eq!(road.call("PUT", "/api/v1/me", "", None).await.header("allow"), "GET,HEAD");
    assert!(!road.call("GET", "/", "", None).await.headers.contains_key("strict-transport-security"));
}

#[tokio::test]
async fn behind_tls_browsers_stay_there() {
    let road =
        Road::open_with(Engine::Sqlite, |config| config.public_url = "https://collect.example.org".to_owned()).await;
    for path in ["/", "/nothing", "/api/v1/me"] {
        let answer = road.call("GET", path, "", None).await;
        assert_eq!(answer.header("strict-transport-security"), "max-age=31536000", "{path}");
    }
}

/// Fetch metadata decide, and where a browser sends none, Origin against Host.
async fn a_login_is_used_by_the_servers_own_pages_alone(road: Road) {
    let set = road.login_answer(AdminRole::Admin).await.header("set-cookie").to_owned();
    assert!(set.starts_with("__Host-collector="), "{set}");
    for attribute in ["Path=/", "Secure", "HttpOnly", "SameSite=Strict"] {
        assert!(set.split("; ").any(|one| one == attribute), "{set} lacks {attribute}");
    }
    assert!(!set.contains("Domain"), "{set}");
    let cookie = set.split(';').next().unwrap();
    assert!(cookie.len() > 40, "192 random bits: {cookie}");
    for (headers, may) in [
        (vec![("sec-fetch-site", "same-origin")], true),
        (vec![("sec-fetch-site", "none")], true),
        (vec![("sec-fetch-site", "same-site")], false),
        (vec![("sec-fetch-site", "cross-site")], false),
        (vec![("sec-fetch-site", "cross-site"), ("origin", "https://collect.example.org")], false),
        (vec![("origin", "https://collect.example.org")], true),
        (vec![("origin", "https://evil.example.org")], false),
        (vec![("origin", "https://collect.example.org.evil.example")], false),
        (vec![("origin", "null")], false),
        (vec![], false),
    ] {
        let mut request = Request::post("/api/v1/admin/jobs/drain").header("cookie", cookie);
        request = request.header("host", "collect.example.org").header("content-type", "application/json");
        for (name, value) in &headers {
            request = request.header(*name, *value);
        }
        let body = json!({ "action": "retry", "kind": null }).to_string();
        let answer = road.request(request.body(Body::from(body)).unwrap()).await;
        assert_eq!(answer.status.as_u16(), if may { 200 } else { 403 }, "{headers:?}");
    }
    let by_get = Request::get("/api/v1/admin/jobs/drain").header("cookie", cookie).body(Body::empty()).unwrap();
    assert_eq!(road.request(by_get).await.status, 405, "reading changes nothing");
}

async fn an_error_tells_nothing_of_the_inside(road: Road) {
    let admin = road.token(TokenRole::Admin).await;
    let mut tx = road.app.store.begin().await.unwrap();
    sqlx::query("alter table invite rename to elsewhere").execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    let answer = road.call("GET", "/api/v1/admin/invites", &admin, None).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (500, "internal"));
    let text = String::from_utf8(answer.body.clone()).unwrap();
    for word in ["invite", "sqlite", "postgres", "select", ".rs"] {
        assert!(!text.to_lowercase().contains(word), "{text}");
    }
    check_headers(&answer.headers, "an error");
}

/// What a panic says stays inside, and the next request is served.
#[tokio::test]
async fn a_panic_tells_nothing_of_the_inside() {
    let road = Road::open(Engine::Sqlite).await;
    let broken =
        Router::new().route("/broken", get(|| async { panic!("select secret from /srv/collector") as &'static str }));
    let service = around(broken, road.app.clone());
    for _ in 0..2 {
        let request = Request::get("/broken").body(Body::empty()).unwrap();
        let answer = service.clone().oneshot(request).await.unwrap();
        assert_eq!(answer.status(), 500);
        check_headers(answer.headers(), "after a panic");
        let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        let told: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(told["code"], "internal");
        assert!(told["request_id"].is_string());
        assert!(!told.to_string().contains("secret") && !told.to_string().contains("/srv"), "{told}");
    }
}

async fn nothing_sorts_or_filters_by_a_hidden_column(road: Road) {
    let admin = road.token(TokenRole::Admin).await;
    let mut lists = 0;
    for (path, methods) in openapi::document()["paths"].as_object().unwrap() {
        let asks =
            methods["get"]["parameters"].as_array().is_some_and(|asked| asked.iter().any(|one| one["in"] == "query"));
        if !path.starts_with("/api/v1/admin/") || !asks {
            continue;
        }
        lists += 1;
        for question in ["sort=password_hash", "filter%5Badmin.password_hash%5D=", "order_by=1"] {
            let answer = road.call("GET", &format!("{path}?{question}"), &admin, None).await;
            assert_eq!((answer.status.as_u16(), answer.code().as_str()), (400, "invalid_request"), "{path}?{question}");
        }
    }
    assert!(lists >= 8, "{lists}");
    let flag = road.call("GET", "/api/v1/admin/submissions?flag=Too%20Short", &admin, None).await;
    assert_eq!(flag.code(), "invalid_request", "a flag that cannot be is not the whole list");
}

async fn a_database_that_is_gone_is_told(road: Road) {
    assert_eq!(road.call("GET", "/readyz", "", None).await.status, 200);
    road.app.store.close().await;
    let told = road.call("GET", "/readyz", "", None).await;
    assert_eq!((told.status.as_u16(), told.code().as_str()), (503, "unavailable"));
    assert_eq!(road.call("GET", "/healthz", "", None).await.status, 200, "the process is well");
}

async fn a_nul_breaks_nothing(road: Road) {
    let (admin, worker) = (road.token(TokenRole::Admin).await, road.worker("Basic").await);
    let token = json!({ "role": "pipeline", "name": "a\u{0}b" });
    let problem = json!({ "kind": "other", "text": "a\u{0}b" });
    let goal = road.goals(&worker).await.remove(0);
    assert_eq!(road.call("POST", &format!("/api/v1/assignments/{goal}/claim"), &worker, None).await.status, 200);
    for (method, path, token, body) in [
        ("POST", "/api/v1/admin/tokens", &admin, Some(token)),
        ("GET", "/api/v1/admin/tokens?cursor=%00", &admin, None),
        ("GET", "/api/v1/admin/submissions?worker=%00", &admin, None),
        ("GET", "/api/v1/admin/submissions?cursor=1.%00", &admin, None),
        ("GET", "/api/v1/uploads/%00", &worker, None),
        ("POST", &format!("/api/v1/assignments/{goal}/problem"), &worker, Some(problem)),
    ] {
        let answer = road.call(method, path, token, body).await;
        assert!(answer.status.as_u16() < 500, "{method} {path}: {}", answer.status);
    }
}

async fn metrics(road: &Road, peer: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::get("/metrics");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut request = request.body(Body::empty()).unwrap();
    request.extensions_mut().insert(Peer(peer.parse().unwrap()));
    road.request(request).await
}

async fn numbers_are_for_the_operator(road: Road) {
    let (worker, admin) = (road.worker("Basic").await, road.token(TokenRole::Admin).await);
    road.hand_in(&worker, "one").await;
    let (bearer, workers) = (format!("Bearer {admin}"), format!("Bearer {worker}"));
    for (peer, headers, status) in [
        ("127.0.0.1", vec![], 200),
        ("::1", vec![], 200),
        ("203.0.113.7", vec![], 401),
        ("203.0.113.7", vec![("x-forwarded-for", "127.0.0.1")], 401),
        ("127.0.0.1", vec![("x-forwarded-for", "203.0.113.7")], 401),
        ("127.0.0.1", vec![("via", "1.1 proxy")], 401),
        ("203.0.113.7", vec![("authorization", workers.as_str())], 403),
        ("203.0.113.7", vec![("authorization", bearer.as_str())], 200),
    ] {
        assert_eq!(metrics(&road, peer, &headers).await.status.as_u16(), status, "{peer} {headers:?}");
    }
    let page = metrics(&road, "127.0.0.1", &[]).await;
    assert_eq!(page.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    let text = String::from_utf8(page.body).unwrap();
    for line in [
        "collector_jobs{kind=\"inspect\",stage=\"queued\"} 1",
        "collector_submissions{stage=\"inspecting\"} 1",
        "collector_upload_bytes{stage=\"ready\"} 15",
        "collector_http_answers_total{route=\"/api/v1/submissions\",method=\"POST\",status=\"201\"} 1",
    ] {
        assert!(text.lines().any(|one| one == line), "{line} is not in\n{text}");
    }
    // Each line is a comment or a name, labels and a number, and each name was introduced.
    for line in text.lines().filter(|line| !line.starts_with("# ")) {
        let (name, value) = line.rsplit_once(' ').unwrap();
        assert!(value.parse::<f64>().is_ok(), "{line}");
        let family = name.split('{').next().unwrap();
        let family = ["_bucket", "_sum", "_count"].iter().find_map(|end| family.strip_suffix(end)).unwrap_or(family);
        assert!(text.contains(&format!("# TYPE {family} ")), "{line}");
    }
}

#[test]
fn secrets_do_not_show_themselves() {
    let secret = "csw_0123456789";
    let shown = [
        format!("{:?}", TokenMade { id: TokenId(uuid::Uuid::nil()), token: secret.to_owned() }),
        format!("{:?}", Registered { worker_id: WorkerId(uuid::Uuid::nil()), token: secret.to_owned() }),
        format!("{:?}", InvitesMade { codes: vec![secret.to_owned()] }),
    ];
    for text in shown {
        assert!(!text.contains(secret), "{text}");
    }
}
