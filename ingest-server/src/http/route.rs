//! The table of routes: method, path, who may call it, what it takes and gives. The router and the `OpenAPI` document
//! are both made from it, so a route without a rule cannot exist.

use axum::Router;
use axum::http::Method;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodFilter, MethodRouter, on};
use schemars::{JsonSchema, Schema, SchemaGenerator};

use crate::app::Shared;
use crate::http::guard;

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    Anyone,
    /// Whoever holds an unused invite, which is in the body.
    Invite,
    /// A worker's token; what is not the worker's own is not found.
    Worker,
    Pipeline,
    /// A reviewer's or an admin's login, or an admin's token.
    Reviewer,
    Admin,
    /// This machine's own programs, or an admin.
    Operator,
    /// Whoever holds a signed address.
    Signed,
}

impl Who {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Anyone => "anyone",
            Self::Invite => "invite",
            Self::Worker => "worker",
            Self::Pipeline => "pipeline",
            Self::Reviewer => "reviewer",
            Self::Admin => "admin",
            Self::Operator => "operator",
            Self::Signed => "signed",
        }
    }
}

/// Of what a route takes, unless it says otherwise.
const LONGEST_BODY: usize = 2 << 20;
/// The same where nobody knows who asks.
const LONGEST_OPEN_BODY: usize = 16 << 10;

type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

#[derive(Clone)]
pub struct Route {
    pub method: Method,
    /// axum's form: `/api/v1/uploads/{id}`.
    pub path: &'static str,
    pub who: Who,
    pub summary: &'static str,
    pub takes: Option<SchemaOf>,
    pub gives: Option<SchemaOf>,
    pub status: u16,
    /// Names that may stand in the query.
    pub asks: &'static [&'static str],
    /// Headers that a request has besides those of every request.
    pub headers: &'static [Header],
    /// What the body is where it is bytes.
    pub bytes: Option<&'static str>,
    /// What is given where it is no JSON.
    pub media: Option<&'static str>,
    /// A login must have shown password or code a moment ago: for money, access and erasure.
    pub needs_proof: bool,
    /// Open to a login that must add its second factor first.
    pub is_for_newcomers: bool,
    /// A worker must have accepted the text that is in force.
    pub needs_consent: bool,
    /// Most bytes of the body, where it takes one.
    pub longest_body: usize,
    handler: MethodRouter<Shared>,
}

/// A header that a request to a route has, or may have.
#[derive(Debug, Clone, Copy)]
pub struct Header {
    pub name: &'static str,
    pub is_required: bool,
    pub form: Form,
}

/// What a header may say.
#[derive(Debug, Clone, Copy)]
pub enum Form {
    OneOf(&'static [&'static str]),
    /// Not below 0.
    Number,
    Text,
}

impl Header {
    pub const fn required(name: &'static str, form: Form) -> Self {
        Self { name, is_required: true, form }
    }

    pub const fn optional(name: &'static str, form: Form) -> Self {
        Self { name, is_required: false, form }
    }
}

/// What the guard knows of a route.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    pub path: &'static str,
    pub who: Who,
    pub needs_proof: bool,
    pub is_for_newcomers: bool,
    pub needs_consent: bool,
    /// None where the handler reads the body by itself, or none is expected.
    pub longest_body: Option<usize>,
}

impl std::fmt::Debug for Route {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} for {}", self.method, self.path, self.who.as_str())
    }
}

/// A route that answers 200; [`Route::takes`], [`Route::gives`] and [`Route::status`] say more.
pub fn route<H, T>(method: Method, path: &'static str, who: Who, summary: &'static str, handler: H) -> Route
where
    H: axum::handler::Handler<T, Shared>,
    T: 'static,
{
    let filter = MethodFilter::try_from(method.clone()).unwrap_or(MethodFilter::GET);
    Route {
        method,
        path,
        who,
        summary,
        takes: None,
        gives: None,
        status: 200,
        asks: &[],
        headers: &[],
        bytes: None,
        media: None,
        needs_proof: false,
        is_for_newcomers: false,
        needs_consent: false,
        longest_body: if matches!(who, Who::Anyone | Who::Invite) { LONGEST_OPEN_BODY } else { LONGEST_BODY },
        handler: on(filter, handler),
    }
}

impl Route {
    #[must_use]
    pub fn takes<T: JsonSchema>(self) -> Self {
        Self { takes: Some(SchemaGenerator::subschema_for::<T>), ..self }
    }

    #[must_use]
    pub fn gives<T: JsonSchema>(self) -> Self {
        Self { gives: Some(SchemaGenerator::subschema_for::<T>), ..self }
    }

    #[must_use]
    pub fn needs_proof(self) -> Self {
        Self { needs_proof: true, ..self }
    }

    #[must_use]
    pub fn for_newcomers(self) -> Self {
        Self { is_for_newcomers: true, ..self }
    }

    #[must_use]
    pub fn needs_consent(self) -> Self {
        Self { needs_consent: true, ..self }
    }

    /// Takes a longer body than others do.
    #[must_use]
    pub fn longest_body(self, longest_body: usize) -> Self {
        Self { longest_body, ..self }
    }

    #[must_use]
    pub fn asks(self, asks: &'static [&'static str]) -> Self {
        Self { asks, ..self }
    }

    #[must_use]
    pub fn headers(self, headers: &'static [Header]) -> Self {
        Self { headers, ..self }
    }

    #[must_use]
    pub fn bytes(self, kind: &'static str) -> Self {
        Self { bytes: Some(kind), ..self }
    }

    #[must_use]
    pub fn media(self, media: &'static str) -> Self {
        Self { media: Some(media), ..self }
    }

    #[must_use]
    pub fn status(self, status: u16) -> Self {
        Self { status, ..self }
    }
}

/// The router of a table, each route behind the guard of its rule.
pub(super) fn mount(routes: Vec<Route>, app: &Shared) -> Router<Shared> {
    routes.into_iter().fold(Router::new(), |router, route| {
        let Route { path, who, needs_proof, is_for_newcomers, needs_consent, longest_body, .. } = route;
        let longest_body = route.takes.map(|_| longest_body);
        let rule = Rule { path, who, needs_proof, is_for_newcomers, needs_consent, longest_body };
        let guarded = route.handler.layer(from_fn_with_state((app.clone(), rule), guard::guard));
        router.route(route.path, guarded)
    })
}
