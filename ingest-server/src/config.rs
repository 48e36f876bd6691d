//! Settings: a TOML file, then environment variables, which win. Read here and nowhere else.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::limits::{Limits, WrongLimit};
use crate::network::{Network, NotANetwork};
use crate::objects::PART_BYTES;

/// S3 takes no more parts of one upload.
const LONGEST_IN_BUCKET: u64 = 10_000 * PART_BYTES;
const DEFAULT_LISTEN: &str = "127.0.0.1:8750";
/// What servers that are not AWS expect.
const DEFAULT_REGION: &str = "us-east-1";

#[derive(Clone)]
pub struct Config {
    pub listen: SocketAddr,
    /// Where the server is reached from outside, without a slash at its end.
    pub public_url: String,
    pub data_dir: PathBuf,
    /// `sqlite://…` or `postgres://…`
    pub database_url: String,
    /// Objects lie in this bucket; without it in the data folder.
    pub bucket: Option<BucketConfig>,
    /// Where browsers get media, without a slash at its end: a CDN before the bucket or the server.
    pub media_url: Option<String>,
    /// Other sites whose pages may upload from a browser.
    pub cors_origins: Vec<String>,
    /// Where proxies are whose `X-Forwarded-For` is believed, besides those on this machine.
    pub trusted_proxies: Vec<Network>,
    pub limits: Limits,
    /// Whether every login must have a second factor.
    pub demand_totp: bool,
    /// Where a test lets the process die ([`crate::crash`]).
    pub crash_at: Option<String>,
}

/// A bucket and what opens it, by the names that the tools of AWS know.
#[derive(Clone, PartialEq, Eq)]
pub struct BucketConfig {
    pub name: String,
    pub region: String,
    /// Of a server that is not AWS.
    pub endpoint: Option<String>,
    pub access_key: String,
    pub secret_key: String,
    pub session_token: Option<String>,
}

impl std::fmt::Debug for BucketConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Never the key.
        f.debug_struct("BucketConfig").field("name", &self.name).finish_non_exhaustive()
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    listen: Option<String>,
    public_url: Option<String>,
    data_dir: Option<PathBuf>,
    database_url: Option<String>,
    media_url: Option<String>,
    #[serde(default)]
    cors_origins: Vec<String>,
    #[serde(default)]
    trusted_proxies: Vec<Network>,
    #[serde(default)]
    demand_totp: bool,
    #[serde(default)]
    limits: Limits,
}

#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("an upload in a bucket has at most {LONGEST_IN_BUCKET} bytes; set COLLECTOR_UPLOAD_BYTES to no more")]
    UploadBytes,
    #[error("the settings file {path} cannot be read: {source}")]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("the settings file {path} is not right: {source}")]
    Wrong { path: PathBuf, source: Box<toml::de::Error> },
    #[error("COLLECTOR_LISTEN is \"{0}\", which is no address with a port, such as 127.0.0.1:8750")]
    Listen(String),
    #[error("COLLECTOR_TRUSTED_PROXIES: {0}")]
    Proxy(#[from] NotANetwork),
    #[error("COLLECTOR_DEMAND_TOTP is \"{0}\", which is neither true nor false")]
    DemandTotp(String),
    #[error(transparent)]
    Limit(#[from] WrongLimit),
    #[error("{0} is not set; a bucket cannot be opened without it")]
    Bucket(&'static str),
    #[error("{name} is \"{value}\", which is no address such as https://host")]
    Address { name: &'static str, value: String },
    #[error("the data folder {path} cannot be made: {source}")]
    DataDir { path: PathBuf, source: std::io::Error },
}

impl Config {
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        let file = match file {
            Some(path) => read(path)?,
            None => File::default(),
        };
        let listen = setting("COLLECTOR_LISTEN").or(file.listen).unwrap_or_else(|| DEFAULT_LISTEN.to_owned());
        let listen: SocketAddr = listen.parse().map_err(|_| ConfigError::Listen(listen.clone()))?;
        let data_dir = setting("COLLECTOR_DATA_DIR").map(PathBuf::from).or(file.data_dir);
        let data_dir = data_dir.unwrap_or_else(|| PathBuf::from("collector-data"));
        std::fs::create_dir_all(&data_dir).map_err(|source| ConfigError::DataDir { path: data_dir.clone(), source })?;
        let public_url = setting("COLLECTOR_PUBLIC_URL").or(file.public_url);
        let public_url = public_url.unwrap_or_else(|| format!("http://{listen}"));
        let database_url = setting("DATABASE_URL").or(file.database_url);
        let database_url =
            database_url.unwrap_or_else(|| format!("sqlite://{}", data_dir.join("collector.db").display()));
        let trusted_proxies = match list("COLLECTOR_TRUSTED_PROXIES") {
            Some(texts) => texts.iter().map(|text| text.parse()).collect::<Result<_, _>>()?,
            None => file.trusted_proxies,
        };
        let media_url = address("COLLECTOR_MEDIA_URL", setting("COLLECTOR_MEDIA_URL").or(file.media_url))?;
        let bucket = setting("S3_BUCKET").map(bucket).transpose()?;
        let limits = file.limits.overridden(setting)?;
        if bucket.is_some() && limits.upload_bytes > LONGEST_IN_BUCKET {
            return Err(ConfigError::UploadBytes);
        }
        Ok(Self {
            listen,
            public_url: public_url.trim_end_matches('/').to_owned(),
            data_dir,
            database_url,
            bucket,
            media_url,
            cors_origins: list("COLLECTOR_CORS_ORIGINS").unwrap_or(file.cors_origins),
            trusted_proxies,
            limits,
            demand_totp: match setting("COLLECTOR_DEMAND_TOTP") {
                Some(text) => text.parse().map_err(|_| ConfigError::DemandTotp(text))?,
                None => file.demand_totp,
            },
            crash_at: setting("COLLECTOR_CRASH_AT"),
        })
    }

    /// A server on one folder of this machine, with `SQLite` and every default.
    pub fn of_folder(data_dir: &Path) -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            public_url: "http://127.0.0.1".to_owned(),
            data_dir: data_dir.to_owned(),
            database_url: format!("sqlite://{}", data_dir.join("collector.db").display()),
            bucket: None,
            media_url: None,
            cors_origins: Vec::new(),
            trusted_proxies: Vec::new(),
            limits: Limits::default(),
            demand_totp: false,
            crash_at: None,
        }
    }
}

/// The bucket of that name with what the environment says of it.
pub fn bucket(name: String) -> Result<BucketConfig, ConfigError> {
    let needed = |name: &'static str| setting(name).ok_or(ConfigError::Bucket(name));
    Ok(BucketConfig {
        name,
        region: setting("AWS_REGION").unwrap_or_else(|| DEFAULT_REGION.to_owned()),
        endpoint: address("AWS_ENDPOINT_URL_S3", setting("AWS_ENDPOINT_URL_S3"))?,
        access_key: needed("AWS_ACCESS_KEY_ID")?,
        secret_key: needed("AWS_SECRET_ACCESS_KEY")?,
        session_token: setting("AWS_SESSION_TOKEN"),
    })
}

/// An address with scheme and host, without a slash at its end.
fn address(name: &'static str, value: Option<String>) -> Result<Option<String>, ConfigError> {
    let Some(value) = value else { return Ok(None) };
    let host = value.strip_prefix("https://").or_else(|| value.strip_prefix("http://"));
    let fits = |host: &str| {
        !host.is_empty()
            && !host.starts_with('/')
            && host.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"';,".contains(&byte))
    };
    if host.is_some_and(fits) {
        return Ok(Some(value.trim_end_matches('/').to_owned()));
    }
    Err(ConfigError::Address { name, value })
}

fn read(path: &Path) -> Result<File, ConfigError> {
    let text =
        std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
    toml::from_str(&text).map_err(|source| ConfigError::Wrong { path: path.to_owned(), source: Box::new(source) })
}

/// The address without its password.
pub fn hidden(url: &str) -> String {
    let (place, asked) = url.split_once('?').map_or((url, None), |(place, asked)| (place, Some(asked)));
    let place = without_password(place);
    let Some(asked) = asked else { return place };
    let is_secret = |pair: &str| pair.split('=').next().is_some_and(|name| name.eq_ignore_ascii_case("password"));
    let pairs = asked.split('&').map(|pair| if is_secret(pair) { "password=***" } else { pair });
    format!("{place}?{}", pairs.collect::<Vec<_>>().join("&"))
}

fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let Some((login, host)) = rest.rsplit_once('@') else { return url.to_owned() };
    let user = login.split(':').next().unwrap_or_default();
    format!("{scheme}://{user}:***@{host}")
}

/// Secrets stay out of logs.
impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config")
            .field("listen", &self.listen)
            .field("public_url", &self.public_url)
            .field("data_dir", &self.data_dir)
            .field("database_url", &hidden(&self.database_url))
            .finish_non_exhaustive()
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one place where settings are read")]
pub(crate) fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// A setting of several values, parted by commas.
fn list(name: &str) -> Option<Vec<String>> {
    let text = setting(name)?;
    Some(text.split(',').map(str::trim).filter(|one| !one.is_empty()).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::hidden;

    #[test]
    fn an_address_is_shown_without_its_password() {
        for (url, shown) in [
            ("sqlite:///srv/collector.db", "sqlite:///srv/collector.db"),
            ("postgres://ada:secret@db/collector", "postgres://ada:***@db/collector"),
            (
                "postgres://db/c?user=ada&password=secret&sslmode=require",
                "postgres://db/c?user=ada&password=***&sslmode=require",
            ),
            ("postgres://ada:p@ss@db/c?Password=secret", "postgres://ada:***@db/c?password=***"),
        ] {
            assert_eq!(hidden(url), shown);
        }
    }
}
