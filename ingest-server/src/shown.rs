//! `ingest-server config`: every setting in force, as a settings file would have it, and where it came from.

use std::fmt::Write;
use std::path::Path;

use toml::{Table, Value};

use crate::config::{Config, ConfigError, hidden, setting};
use crate::limits::{Limits, signed};

/// A setting: its name in the file, its variable, its value; none where it is not set.
type Row = (&'static str, &'static str, Option<Value>);

fn rows(config: &Config) -> Vec<Row> {
    let all = settings(config).into_iter().map(|(name, env, value)| (name, env, Some(value)));
    all.chain([("media_url", "COLLECTOR_MEDIA_URL", config.media_url.clone().map(Value::String))]).collect()
}

/// What only the environment has; never the keys.
fn of_bucket(config: &Config) -> Vec<(&'static str, String)> {
    let Some(bucket) = &config.bucket else { return vec![("S3_BUCKET", "not set".to_owned())] };
    let endpoint = bucket.endpoint.as_deref().unwrap_or("not set: AWS").to_owned();
    vec![("S3_BUCKET", bucket.name.clone()), ("AWS_REGION", bucket.region.clone()), ("AWS_ENDPOINT_URL_S3", endpoint)]
}

fn settings(config: &Config) -> Vec<(&'static str, &'static str, Value)> {
    let texts = |texts: Vec<String>| Value::Array(texts.into_iter().map(Value::String).collect());
    let proxies = config.trusted_proxies.iter().map(ToString::to_string).collect();
    vec![
        ("listen", "COLLECTOR_LISTEN", config.listen.to_string().into()),
        ("public_url", "COLLECTOR_PUBLIC_URL", config.public_url.clone().into()),
        ("data_dir", "COLLECTOR_DATA_DIR", config.data_dir.display().to_string().into()),
        ("database_url", "DATABASE_URL", hidden(&config.database_url).into()),
        ("cors_origins", "COLLECTOR_CORS_ORIGINS", texts(config.cors_origins.clone())),
        ("trusted_proxies", "COLLECTOR_TRUSTED_PROXIES", texts(proxies)),
        ("demand_totp", "COLLECTOR_DEMAND_TOTP", config.demand_totp.into()),
    ]
}

/// The whole text. `--config FILE` is the one flag that brings settings; they count as the file's.
pub fn text(config: &Config, file: Option<&Path>) -> Result<String, ConfigError> {
    let in_file = match file {
        Some(path) => read(path)?,
        None => Table::new(),
    };
    let mut text = match file {
        Some(path) => format!("# The settings file is {}.\n", path.display()),
        None => "# There is no settings file; --config names one.\n".to_owned(),
    };
    let origin = |name: &str, env: &str, table: &Table| {
        if setting(env).is_some() {
            format!("environment: {env}")
        } else if table.contains_key(name) {
            "file".to_owned()
        } else {
            "default".to_owned()
        }
    };
    for (name, env, value) in rows(config) {
        // Writing to a string cannot fail.
        let _ = match value {
            Some(value) => writeln!(text, "{name} = {value}  # {}", origin(name, env, &in_file)),
            None => writeln!(text, "# {name} is not set"),
        };
    }
    for (env, value) in of_bucket(config) {
        let origin = if setting(env).is_some() { "environment" } else { "default" };
        let _ = writeln!(text, "# {env}: {value}  # {origin}");
    }
    let none = Table::new();
    let limits = in_file.get("limits").and_then(Value::as_table).unwrap_or(&none);
    text.push_str("\n[limits]\n");
    for ((name, env, _), (_, value)) in Limits::TABLE.iter().zip(config.limits.rows()) {
        let _ = writeln!(text, "{name} = {}  # {}", signed(value), origin(name, env, limits));
    }
    Ok(text)
}

fn read(path: &Path) -> Result<Table, ConfigError> {
    let text =
        std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
    toml::from_str(&text).map_err(|source| ConfigError::Wrong { path: path.to_owned(), source: Box::new(source) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::BucketConfig;

    #[test]
    fn what_is_shown_is_a_settings_file_without_secrets() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("collector.toml");
        std::fs::write(&file, "demand_totp = true\n[limits]\nidle_secs = 9\n").unwrap();
        let limits = Limits { idle_secs: 9, ..Limits::default() };
        let bucket = BucketConfig {
            name: "recordings".to_owned(),
            region: "eu-central-1".to_owned(),
            endpoint: Some("https://s3.example.org".to_owned()),
            access_key: "an-access-secret".to_owned(),
            secret_key: "a-secret".to_owned(),
            session_token: None,
        };
        let config = Config {
            limits,
            bucket: Some(bucket),
            database_url: "postgres://ada:secret@db.example.org/collector".to_owned(),
            demand_totp: true,
            ..Config::of_folder(folder.path())
        };
        let shown = text(&config, Some(&file)).unwrap();
        for value in
            ["S3_BUCKET: recordings", "AWS_REGION: eu-central-1", "AWS_ENDPOINT_URL_S3: https://s3.example.org"]
        {
            assert!(shown.contains(value), "{shown}");
        }
        let line = |name: &str| shown.lines().find(|line| line.starts_with(&format!("{name} = "))).unwrap().to_owned();
        assert_eq!(line("database_url"), "database_url = \"postgres://ada:***@db.example.org/collector\"  # default");
        assert!(!shown.contains("secret"));
        assert_eq!(line("demand_totp"), "demand_totp = true  # file");
        assert!(line("idle_secs").ends_with("# file") && line("rate_secs").ends_with("# default"));
        std::fs::write(&file, &shown).unwrap();
        let loaded = Config::load(Some(&file)).unwrap();
        assert_eq!((loaded.limits, loaded.demand_totp), (Limits { idle_secs: 9, ..config.limits }, true), "{shown}");
        let parsed: Table = toml::from_str(&shown).unwrap();
        assert_eq!(parsed["limits"].as_table().unwrap().len(), Limits::TABLE.len());
        assert!(!format!("{config:?}").contains("secret"), "neither does the log have it");
    }
}
