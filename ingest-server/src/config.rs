//! Settings: a TOML file, then environment variables, which win. Read here and nowhere else.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;

const DEFAULT_LISTEN: &str = "127.0.0.1:8750";

#[derive(Debug, Clone)]
pub struct Config {
    pub listen: SocketAddr,
    /// Where the server is reached from outside, without a slash at its end.
    pub public_url: String,
    pub data_dir: PathBuf,
    /// `sqlite://…` or `postgres://…`
    pub database_url: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    listen: Option<String>,
    public_url: Option<String>,
    data_dir: Option<PathBuf>,
    database_url: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("the settings file {path} cannot be read: {source}")]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("the settings file {path} is not right: {source}")]
    Wrong { path: PathBuf, source: Box<toml::de::Error> },
    #[error("COLLECTOR_LISTEN is \"{0}\", which is no address with a port, such as 127.0.0.1:8750")]
    Listen(String),
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
        Ok(Self { listen, public_url: public_url.trim_end_matches('/').to_owned(), data_dir, database_url })
    }
}

fn read(path: &Path) -> Result<File, ConfigError> {
    let text =
        std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
    toml::from_str(&text).map_err(|source| ConfigError::Wrong { path: path.to_owned(), source: Box::new(source) })
}

#[expect(clippy::disallowed_methods, reason = "this is the one place where settings are read")]
fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
