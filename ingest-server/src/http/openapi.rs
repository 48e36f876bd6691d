//! `/openapi.json`, made from the table of routes. `x-who` says who may call each, `x-needs-consent` where a worker
//! must have accepted the text in force.

use axum::Json;
use axum::http::Method;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};
use shared_types::error::ApiError;

use crate::http::route::{Form, Header, Route, Who, route};
use crate::http::routes as all_routes;

pub(super) fn routes() -> Vec<Route> {
    vec![route(Method::GET, "/openapi.json", Who::Anyone, "This document.", || async { Json(document()) })]
}

/// Where the document is committed, from the top of the repository.
pub const FILE: &str = "docs/openapi.json";

/// The document as it is committed.
pub fn text() -> String {
    format!("{:#}\n", document())
}

/// The whole document.
pub fn document() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        "/components/schemas".clone_into(settings.definitions_path.to_mut());
    });
    let mut generator = settings.into_generator();
    let error = generator.subschema_for::<ApiError>();
    let mut paths: Map<String, Value> = Map::new();
    for route in all_routes() {
        let mut operation = json!({
            "summary": route.summary,
            "x-who": route.who.as_str(),
            "security": security(route.who),
            "responses": { "default": { "description": "What went wrong", "content": { "application/json": { "schema": error } } } },
        });
        if route.needs_proof {
            operation["x-needs-proof"] = json!(true);
        }
        if route.needs_consent {
            operation["x-needs-consent"] = json!(true);
        }
        let parameters: Vec<Value> = names_in(route.path)
            .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
            .chain(route.asks.iter().map(|name| json!({ "name": name, "in": "query", "schema": { "type": "string" } })))
            .chain(route.headers.iter().map(header))
            .collect();
        if !parameters.is_empty() {
            operation["parameters"] = Value::Array(parameters);
        }
        if let Some(takes) = route.takes {
            let schema = takes(&mut generator);
            operation["requestBody"] =
                json!({ "required": true, "content": { "application/json": { "schema": schema } } });
        }
        if let Some(kind) = route.bytes {
            operation["requestBody"] =
                json!({ "content": { kind: { "schema": { "type": "string", "format": "binary" } } } });
        }
        let mut answer = json!({ "description": "Done" });
        if let Some(media) = route.media {
            answer["content"] = json!({ media: { "schema": { "type": "string" } } });
        }
        if let Some(gives) = route.gives {
            answer["content"] = json!({ "application/json": { "schema": gives(&mut generator) } });
        }
        operation["responses"][route.status.to_string()] = answer;
        let path = route.path.replace("{*", "{");
        let entry = paths.entry(path).or_insert_with(|| json!({}));
        entry[route.method.as_str().to_lowercase()] = operation;
    }
    json!({
        "openapi": "3.1.0",
        "info": { "title": "CodeSight Collector", "version": env!("CARGO_PKG_VERSION") },
        "paths": paths,
        "components": {
            "schemas": generator.take_definitions(true),
            "securitySchemes": {
                "bearer": { "type": "http", "scheme": "bearer" },
                "login": { "type": "apiKey", "in": "cookie", "name": crate::http::guard::COOKIE },
            },
        },
    })
}

fn security(who: Who) -> Value {
    match who {
        Who::Anyone | Who::Invite | Who::Signed => json!([]),
        Who::Worker | Who::Pipeline => json!([{ "bearer": [] }]),
        Who::Operator => json!([{}, { "login": [] }, { "bearer": [] }]),
        Who::Reviewer | Who::Admin => json!([{ "login": [] }, { "bearer": [] }]),
    }
}

/// The names in a path's braces.
fn names_in(path: &str) -> impl Iterator<Item = &str> {
    path.split('{').skip(1).filter_map(|rest| rest.split('}').next()).map(|name| name.trim_start_matches('*'))
}

fn header(header: &Header) -> Value {
    let schema = match header.form {
        Form::OneOf(words) => json!({ "type": "string", "enum": words }),
        Form::Number => json!({ "type": "integer", "minimum": 0 }),
        Form::Text => json!({ "type": "string" }),
    };
    json!({ "name": header.name, "in": "header", "required": header.is_required, "schema": schema })
}
