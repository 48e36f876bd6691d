//! Who may call what: every route of the `OpenAPI` document with every role, and with what belongs to somebody else.

use crate::road::people::HandedIn;
use crate::road::{Answer, Road};
use axum::body::Body;
use axum::http::Request;
use ingest_server::http::openapi;
use serde_json::Value;
use shared_types::api::admin::TokenRole;
use shared_types::api::review::AdminRole;

on_both!(
    each_role_is_let_in_where_it_belongs,
    what_belongs_to_another_is_not_found,
    a_login_from_another_site_is_refused
);

/// The routes that need no token, login or signed address. A new one must be meant to be open to strangers.
const OPEN: [&str; 15] = [
    "GET /",
    "GET /admin",
    "GET /admin/{page}",
    "GET /api/v1/consent",
    "GET /api/v1/site",
    "GET /assets/{file}",
    "GET /downloads",
    "GET /downloads/{name}",
    "GET /healthz",
    "GET /openapi.json",
    "GET /readyz",
    "OPTIONS /api/v1/uploads",
    "OPTIONS /api/v1/uploads/{id}",
    "POST /api/v1/admin/session",
    "POST /api/v1/workers",
];

#[derive(Debug, Clone)]
struct Operation {
    method: String,
    path: String,
    who: String,
}

fn operations() -> Vec<Operation> {
    let document = openapi::document();
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let who = operation["x-who"].as_str().unwrap().to_owned();
            operations.push(Operation { method: method.to_uppercase(), path: path.clone(), who });
        }
    }
    operations
}

/// A credential as headers.
struct Caller {
    role: &'static str,
    header: Option<(&'static str, String)>,
}

impl Caller {
    fn bearer(role: &'static str, token: &str) -> Self {
        Self { role, header: Some(("authorization", format!("Bearer {token}"))) }
    }

    /// What the roles of the routes say of this one.
    fn may(&self, who: &str) -> bool {
        match who {
            "anyone" | "invite" => true,
            "worker" => self.role == "worker",
            "pipeline" => self.role == "pipeline",
            "reviewer" => ["reviewer", "admin", "admin token"].contains(&self.role),
            "admin" | "operator" => ["admin", "admin token"].contains(&self.role),
            "signed" => false,
            other => panic!("no rule for {other}"),
        }
    }
}

async fn call(road: &Road, operation: &Operation, path: &str, caller: &Caller, site: &str) -> Answer {
    let mut request = Request::builder().method(operation.method.as_str()).uri(path);
    request = request.header("sec-fetch-site", site);
    if let Some((name, value)) = &caller.header {
        request = request.header(*name, value);
    }
    road.request(request.body(Body::empty()).unwrap()).await
}

async fn callers(road: &Road) -> Vec<Caller> {
    let cookie = |role, value| Caller { role, header: Some(("cookie", value)) };
    vec![
        Caller { role: "stranger", header: None },
        Caller::bearer("wrong token", "csw_0123456789abcdef"),
        Caller::bearer("worker", &road.worker("Basic").await),
        Caller::bearer("pipeline", &road.token(TokenRole::Pipeline).await),
        Caller::bearer("admin token", &road.token(TokenRole::Admin).await),
        cookie("reviewer", road.login(AdminRole::Reviewer).await),
        cookie("admin", road.login(AdminRole::Admin).await),
        cookie("wrong cookie", "__Host-collector=css_0".to_owned()),
    ]
}

/// The path of an operation on what does not exist.
fn nobodys(path: &str) -> String {
    let id = uuid::Uuid::nil().to_string();
    ["{id}", "{campaign}"].iter().fold(path.to_owned(), |path, name| path.replace(name, &id)).replace(['{', '}'], "")
}

async fn each_role_is_let_in_where_it_belongs(road: Road) {
    let callers = callers(&road).await;
    let mut open = Vec::new();
    for operation in operations() {
        let path = nobodys(&operation.path);
        if operation.who == "anyone" || operation.who == "invite" {
            open.push(format!("{} {}", operation.method, operation.path));
        }
        for caller in &callers {
            // These end the very caller that the next rows need; the suites review and personal have them.
            let ends = ["DELETE /api/v1/admin/session", "POST /api/v1/me/consent", "POST /api/v1/me/erasure"];
            let name = format!("{} {}", operation.method, operation.path);
            if ends.contains(&name.as_str()) && caller.may(&operation.who) {
                continue;
            }
            let answer = call(&road, &operation, &path, caller, "same-origin").await;
            let told = format!("{operation:?} as {}: {}", caller.role, answer.status);
            let is_known = ["worker", "pipeline", "admin token", "reviewer", "admin"].contains(&caller.role);
            match (caller.may(&operation.who), operation.who.as_str()) {
                (true, "anyone" | "invite") => assert_ne!(answer.status, 403, "{told}"),
                (true, _) => assert!(![401, 403].contains(&answer.status.as_u16()), "{told}"),
                (false, "signed") => assert!([400, 403].contains(&answer.status.as_u16()), "{told}"),
                (false, _) => {
                    let refused = if is_known { (403, "forbidden") } else { (401, "unauthenticated") };
                    assert_eq!(answer.status.as_u16(), refused.0, "{told}");
                    // The answer to HEAD has no body.
                    assert!(operation.method == "HEAD" || answer.code() == refused.1, "{told}");
                }
            }
        }
    }
    open.sort();
    assert_eq!(open, OPEN);
}

/// The one body that a route of a worker's own thing asks for.
const PROBLEM: &str = r#"{"kind": "other", "text": "mine now"}"#;

/// The path of an operation with what really exists put in its place.
fn owned(path: &str, of: &HandedIn) -> String {
    let noun = path.trim_start_matches("/api/v1/").split('/').next().unwrap();
    let id = match noun {
        "assignments" => &of.assignment,
        "uploads" => &of.upload,
        "submissions" => &of.id,
        "receipts" => &of.receipt,
        _ => panic!("{path} belongs to a worker: tell this test what its id is"),
    };
    path.replace("{id}", id)
}

async fn what_belongs_to_another_is_not_found(road: Road) {
    let owner = road.worker("Basic").await;
    let taken = road.hand_in(&owner, "mine").await;
    let (owner, foreign) = (Caller::bearer("worker", &owner), Caller::bearer("worker", &road.worker("Basic").await));
    let mut seen = 0;
    for operation in operations().iter().filter(|one| one.who == "worker" && one.path.contains('{')) {
        let path = owned(&operation.path, &taken);
        let (name, value) = foreign.header.clone().unwrap();
        let mut request = Request::builder().method(operation.method.as_str()).uri(&path).header(name, value);
        let is_upload = path.contains("/uploads/");
        let (kind, body) =
            if is_upload { ("application/offset+octet-stream", "") } else { ("application/json", PROBLEM) };
        request = request.header("tus-resumable", "1.0.0").header("upload-offset", "0").header("content-type", kind);
        // What a POST on an upload stands for, where a proxy lets no PATCH through.
        request = request.header("x-http-method-override", "PATCH");
        let answer = road.request(request.body(body.into()).unwrap()).await;
        assert_eq!(answer.status, 404, "{operation:?}");
        seen += 1;
        if operation.method == "GET" {
            assert_eq!(call(&road, operation, &path, &owner, "same-origin").await.status, 200, "{operation:?}");
        }
    }
    assert!(seen >= 10, "{seen} routes have something of a worker's");
    let list = operations().into_iter().find(|one| one.method == "GET" && one.path == "/api/v1/assignments").unwrap();
    let mine = call(&road, &list, &list.path, &foreign, "same-origin").await.json();
    let stages: Vec<&Value> = mine["items"].as_array().unwrap().iter().map(|item| &item["stage"]).collect();
    assert!(stages.iter().all(|stage| **stage == "open"), "nothing of the other's was changed: {stages:?}");
}

async fn a_login_from_another_site_is_refused(road: Road) {
    let cookie = road.login(AdminRole::Admin).await;
    let admin = Caller { role: "admin", header: Some(("cookie", cookie)) };
    for operation in operations().iter().filter(|one| ["reviewer", "admin"].contains(&one.who.as_str())) {
        let answer = call(&road, operation, &nobodys(&operation.path), &admin, "cross-site").await;
        let is_safe = operation.method == "GET";
        assert_eq!(answer.status == 403, !is_safe, "{operation:?}: {}", answer.status);
    }
}
