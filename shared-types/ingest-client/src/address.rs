//! Where the server is, and which addresses may be asked.

use ureq::http::Uri;

use crate::error::ClientError;

/// An origin with an optional path, without a slash at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    origin: String,
    path: String,
    is_loopback: bool,
}

impl Address {
    /// Takes `https://HOST[:PORT][/PATH]`. A bare HOST means https; plain http is for this computer alone, because
    /// a token would travel readable.
    pub(crate) fn parse(given: &str) -> Result<Self, ClientError> {
        // What stands before an @ may be a password.
        let shown = given.rsplit_once('@').map_or_else(|| given.to_owned(), |(_, host)| format!("…@{host}"));
        let refuse = |why| ClientError::Address { given: shown.clone(), why };
        let text = given.trim();
        let text = if text.contains("://") { text.to_owned() } else { format!("{}{text}", default_scheme(text)) };
        let uri: Uri = text.parse().map_err(|_| refuse("give it as https://HOST"))?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(refuse("give it as https://HOST"));
        };
        if authority.as_str().contains('@') || authority.host().is_empty() || uri.query().is_some() {
            return Err(refuse("give it as https://HOST, without a name, password or question mark"));
        }
        let is_loopback = is_loopback(authority.host());
        match scheme {
            "https" => {}
            "http" if is_loopback => {}
            "http" => return Err(refuse("plain http is for this computer alone; give it as https://HOST")),
            _ => return Err(refuse("give it as https://HOST")),
        }
        let origin = format!("{scheme}://{}", authority.as_str().to_lowercase());
        Ok(Self { origin, path: uri.path().trim_end_matches('/').to_owned(), is_loopback })
    }

    pub(crate) fn as_string(&self) -> String {
        format!("{}{}", self.origin, self.path)
    }

    pub(crate) fn api(&self, path: &str) -> String {
        format!("{}{}/api/v1{path}", self.origin, self.path)
    }

    /// A signed address as the server gave it, whole. One that leads elsewhere must not be less guarded than the
    /// server itself.
    pub(crate) fn resolve(&self, given: &str) -> Result<String, ClientError> {
        if given.starts_with('/') && !given.starts_with("//") {
            return Ok(format!("{}{given}", self.origin));
        }
        let refuse = |why| ClientError::Address { given: given.to_owned(), why };
        let uri: Uri = given.parse().map_err(|_| refuse("it is no address"))?;
        match (uri.scheme_str(), uri.host()) {
            (Some("https"), Some(_)) => Ok(given.to_owned()),
            (Some("http"), Some(host)) if self.is_loopback || is_loopback(host) => Ok(given.to_owned()),
            (Some("http"), Some(_)) => Err(refuse("the server pointed to plain http")),
            _ => Err(refuse("it is no address")),
        }
    }
}

fn default_scheme(text: &str) -> &'static str {
    let authority = text.split('/').next().unwrap_or_default();
    let host = if authority.starts_with('[') {
        authority.split_inclusive(']').next().unwrap_or_default()
    } else {
        authority.split(':').next().unwrap_or_default()
    };
    if is_loopback(host) { "http://" } else { "https://" }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.eq_ignore_ascii_case("localhost")
        || bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// A value as it may stand in a path or a query.
pub(crate) fn percent_encode(text: &str) -> String {
    let coded = |byte: u8| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    text.bytes().map(coded).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_made_whole_and_plain_http_stays_at_home() {
        let rows = [
            ("https://Host.example/", Some("https://host.example")),
            ("host.example", Some("https://host.example")),
            ("https://host.example/collector/", Some("https://host.example/collector")),
            ("127.0.0.1:8750", Some("http://127.0.0.1:8750")),
            ("http://[::1]:8750", Some("http://[::1]:8750")),
            ("[::1]:8750", Some("http://[::1]:8750")),
            ("localhost", Some("http://localhost")),
            ("http://host.example", None),
            ("http://localhost.example", None),
            ("http://127.0.0.1@host.example", None),
            ("ftp://host.example", None),
            ("https://", None),
            ("", None),
        ];
        for (given, wanted) in rows {
            let found = Address::parse(given).ok().map(|address| address.as_string());
            assert_eq!(found.as_deref(), wanted, "{given}");
        }
    }

    #[test]
    fn signed_addresses_are_resolved_and_never_lead_to_less_guard() {
        let far = Address::parse("https://host.example").unwrap();
        let near = Address::parse("http://127.0.0.1:1").unwrap();
        assert_eq!(far.resolve("/api/v1/objects/a?b").unwrap(), "https://host.example/api/v1/objects/a?b");
        assert_eq!(far.resolve("https://store.example/a").unwrap(), "https://store.example/a");
        assert_eq!(near.resolve("http://minio:9000/a").unwrap(), "http://minio:9000/a");
        for refused in ["http://store.example/a", "//store.example/a", "file:///etc", ""] {
            assert!(far.resolve(refused).is_err(), "{refused}");
        }
    }
}
