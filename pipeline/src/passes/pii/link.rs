//! Private data that addresses of pages carry: tokens, passwords, e-mails, order numbers, in the query or the path.

use std::sync::LazyLock;

use regex::Regex;

use super::text::push;
use super::{Found, PiiKind};

fn pattern(source: &str) -> Regex {
    Regex::new(source).expect("the pattern is valid")
}

/// A host with a path, a query or a fragment, as browsers show it: the scheme may be left out.
static LINK: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(?:https?://(?:[^\s/?#@]+@)?)?(?:localhost|\d{1,3}(?:\.\d{1,3}){3}|(?:[a-z0-9-]+\.)+[a-z]{2,})(?::\d+)?[/?#]\S*",
    )
});
/// `user:password@host`
static LOGIN: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)https?://(?P<value>[^\s/?#@:]+:[^\s/?#@]+)@"));
static PARAMETER: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"[?&;#](?P<name>[A-Za-z0-9_.\[\]-]{1,40})=(?P<value>[^&#;\s]+)"));
static SECRET_NAME: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?ix)^(?:\w*[_.-])?(?:token|auth|authorization|session|session_?id|sess|sid|jsessionid|phpsessid|jwt|secret|password|passwd|pwd|pass
        |api_?key|access_?key|signature|sig|otp|ticket|magic|invite)$",
    )
});
/// Names that are harmless before a short value: a code may be a coupon's.
static LONG_SECRET_NAME: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)^(?:\w*[_.-])?(?:code|key|hash|state|nonce|uid|cid|csrf)$"));
static EMAIL_NAME: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)^(?:\w*[_.-])?(?:e-?mail|login|username|user)$"));
static PHONE_NAME: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)^(?:\w*[_.-])?(?:phone|tel|telephone|mobile)$"));
static NAME_NAME: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)^(?:(?:first|last|full|given|family|customer|recipient)[_.-]?name)$"));
static ADDRESS_NAME: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)^(?:\w*[_.-])?(?:address|addr|address1|street|zip|zipcode|postcode|postal_?code)$"));
static ORDER_NAME: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?i)^(?:order(?:[_.-]?(?:id|no|nr|number|ref))?|confirmation|tracking(?:[_.-]?(?:id|no|number))?)$")
});
static ORDER_PATH: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?i)/(?:orders?|order-details|track|tracking|confirmation)/(?:id/)?(?P<value>[a-z0-9-]{5,40})\b")
});
/// JSON Web Tokens (RFC 7519) begin with `{"` in base64url.
static JWT: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?"));
static ENCODED_EMAIL: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?i)\b[a-z0-9][a-z0-9._+-]*(?:%2b[a-z0-9._+-]+)?%40[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,}\b")
});

const LONG_SECRET: usize = 16;

pub(super) fn find_in_links(text: &str, all: &mut Vec<Found>) {
    for found in JWT.find_iter(text) {
        push(all, PiiKind::Secret, found.start(), found.end());
    }
    for found in ENCODED_EMAIL.find_iter(text) {
        push(all, PiiKind::Email, found.start(), found.end());
    }
    for value in LOGIN.captures_iter(text).filter_map(|found| found.name("value")) {
        push(all, PiiKind::Secret, value.start(), value.end());
    }
    for link in LINK.find_iter(text) {
        let offset = link.start();
        for found in PARAMETER.captures_iter(link.as_str()) {
            let (Some(name), Some(value)) = (found.name("name"), found.name("value")) else { continue };
            if let Some(kind) = of_parameter(name.as_str(), value.as_str()) {
                push(all, kind, offset + value.start(), offset + value.end());
            }
        }
        for value in ORDER_PATH.captures_iter(link.as_str()).filter_map(|found| found.name("value")) {
            if digits(value.as_str()) >= 2 {
                push(all, PiiKind::OrderNumber, offset + value.start(), offset + value.end());
            }
        }
    }
}

fn of_parameter(name: &str, value: &str) -> Option<PiiKind> {
    let rows: [(&LazyLock<Regex>, PiiKind, bool); 7] = [
        (&SECRET_NAME, PiiKind::Secret, true),
        (&LONG_SECRET_NAME, PiiKind::Secret, value.len() >= LONG_SECRET),
        (&EMAIL_NAME, PiiKind::Email, value.len() > 2),
        (&PHONE_NAME, PiiKind::Phone, digits(value) >= 5),
        (&NAME_NAME, PiiKind::Name, value.chars().any(char::is_alphabetic)),
        (&ADDRESS_NAME, PiiKind::Address, digits(value) > 0),
        (&ORDER_NAME, PiiKind::OrderNumber, digits(value) >= 4),
    ];
    rows.iter().find(|(names, _, fits)| *fits && names.is_match(name)).map(|&(_, kind, _)| kind)
}

fn digits(text: &str) -> usize {
    text.chars().filter(char::is_ascii_digit).count()
}
