//! The pipeline's settings, read from the environment once, here, and passed on.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use crate::models::catalog;
use crate::providers::settings::{HostedSettings, SettingsError};

const MODELS_DIR: &str = "COLLECTOR_MODELS_DIR";
const WHISPER_MODEL: &str = "COLLECTOR_WHISPER_MODEL";
const CRASH_AT: &str = "COLLECTOR_CRASH_AT";
const TOKEN: &str = "COLLECTOR_TOKEN";
const DEFAULT_DIR: &str = ".cache/codesight-collector/models";

#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("there is no place to keep models: neither {MODELS_DIR} nor HOME is set. Set {MODELS_DIR} to a folder.")]
    NoModelsDir,
    #[error(
        "{WHISPER_MODEL} names {value:?}, which is neither a file nor a model of the catalogue ({} or {}).",
        catalog::DEFAULT_WHISPER,
        catalog::SMALL_WHISPER
    )]
    NoSuchWhisper { value: String },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    pub models_dir: PathBuf,
    pub whisper: WhisperChoice,
    /// What this machine shows a server.
    pub token: Option<String>,
}

/// Which speech model to use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WhisperChoice {
    /// One of the catalogue, or the user's imported file where there is one.
    Named(&'static str),
    /// This GGML file and no other.
    File(PathBuf),
}

impl Config {
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_lookup(|name| std::env::var_os(name))
    }

    /// The settings of hosted models; only whoever wants those asks.
    pub fn hosted_from_env() -> Result<HostedSettings, SettingsError> {
        HostedSettings::from_lookup(|name| std::env::var_os(name))
    }

    /// The pass at whose end a test kills the pipeline.
    pub fn crash_at_from_env() -> Option<String> {
        std::env::var_os(CRASH_AT).map(|pass| pass.to_string_lossy().into_owned())
    }

    /// From any table of settings; an empty value counts as none.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<OsString>) -> Result<Self, ConfigError> {
        let get = |name: &str| lookup(name).filter(|value| !value.is_empty());
        let models_dir = get(MODELS_DIR)
            .map(PathBuf::from)
            .or_else(|| get("HOME").map(|home| PathBuf::from(home).join(DEFAULT_DIR)))
            .ok_or(ConfigError::NoModelsDir)?;
        let whisper = match get(WHISPER_MODEL) {
            None => WhisperChoice::Named(catalog::DEFAULT_WHISPER),
            Some(value) => whisper_choice(&value)?,
        };
        let token = get(TOKEN).map(|token| token.to_string_lossy().into_owned());
        Ok(Self { models_dir, whisper, token })
    }
}

fn whisper_choice(value: &OsStr) -> Result<WhisperChoice, ConfigError> {
    let named = [catalog::DEFAULT_WHISPER, catalog::SMALL_WHISPER].into_iter().find(|name| value == *name);
    if let Some(name) = named {
        return Ok(WhisperChoice::Named(name));
    }
    let path = PathBuf::from(value);
    if path.is_file() {
        Ok(WhisperChoice::File(path))
    } else {
        Err(ConfigError::NoSuchWhisper { value: value.to_string_lossy().into_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(settings: &[(&str, &str)]) -> Result<Config, ConfigError> {
        Config::from_lookup(|name| {
            settings.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value))
        })
    }

    #[test]
    fn the_models_folder_is_the_named_one_or_in_the_home() {
        let dir = |settings: &[(&str, &str)]| config(settings).map(|config| config.models_dir.display().to_string());
        assert_eq!(dir(&[("HOME", "/h"), (MODELS_DIR, "/m")]).unwrap(), "/m");
        assert_eq!(dir(&[("HOME", "/h"), (MODELS_DIR, "")]).unwrap(), format!("/h/{DEFAULT_DIR}"));
        assert!(dir(&[]).unwrap_err().to_string().contains("Set COLLECTOR_MODELS_DIR"));
    }

    #[test]
    fn a_whisper_is_a_name_of_the_catalogue_or_a_file_that_is_there() {
        let whisper = |value: &str| config(&[("HOME", "/h"), (WHISPER_MODEL, value)]).map(|config| config.whisper);
        assert_eq!(whisper("whisper-tiny.en").unwrap(), WhisperChoice::Named(catalog::SMALL_WHISPER));
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().to_str().unwrap();
        assert_eq!(whisper(path).unwrap(), WhisperChoice::File(file.path().to_owned()));
        assert!(whisper("/no/such/file").unwrap_err().to_string().contains("neither a file nor a model"));
    }
}
