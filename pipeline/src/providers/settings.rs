//! The settings of hosted models. `OPENAI_API_KEY` and `OPENAI_BASE_URL` are names that other programs know as well.

use std::ffi::OsString;
use std::path::PathBuf;

use ingest_client::hosted::Key;

const API_KEY: &str = "OPENAI_API_KEY";
const BASE_URL: &str = "OPENAI_BASE_URL";
const EXPLAIN_MODEL: &str = "COLLECTOR_EXPLAIN_MODEL";
const SPEECH_MODEL: &str = "COLLECTOR_SPEECH_MODEL";
const TOKEN_BUDGET: &str = "COLLECTOR_TOKEN_BUDGET";
const PRICE_INPUT: &str = "COLLECTOR_PRICE_INPUT";
const PRICE_OUTPUT: &str = "COLLECTOR_PRICE_OUTPUT";
const PRICE_SOUND: &str = "COLLECTOR_PRICE_SOUND";
const PRICE_CURRENCY: &str = "COLLECTOR_PRICE_CURRENCY";
const ANSWERS_DIR: &str = "COLLECTOR_ANSWERS_DIR";

const DEFAULT_BASE_URL: &str = "https://api.openai.com/v1";
const DEFAULT_EXPLAIN_MODEL: &str = "gpt-4.1-mini";
const DEFAULT_TOKEN_BUDGET: u64 = 100_000;
const DEFAULT_ANSWERS_DIR: &str = ".cache/codesight-collector/answers";

#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    #[error("{name} is {value:?}, which is no {wanted}. Give a number such as {example}, or unset it.")]
    NotANumber { name: &'static str, value: String, wanted: &'static str, example: &'static str },
    #[error(
        "--provider openai needs to know whom to ask: set {API_KEY} for {DEFAULT_BASE_URL}, or {BASE_URL} to a server of \
         yours that speaks the same protocol. Without --provider the local rules do the work."
    )]
    NoKey,
    #[error("there is no place to keep answers: neither {ANSWERS_DIR} nor HOME is set. Set {ANSWERS_DIR} to a folder.")]
    NoAnswersDir,
}

/// What is paid, in the currency's own unit.
#[derive(Debug, Clone, PartialEq)]
pub struct Prices {
    /// A million tokens.
    pub input: f64,
    pub output: f64,
    /// A minute.
    pub sound: f64,
    pub currency: String,
}

#[derive(Debug, Clone, PartialEq)]
pub struct HostedSettings {
    pub base_url: String,
    /// A server on this computer may want none.
    pub key: Option<Key>,
    pub explain_model: String,
    /// Who hears; the local model alone where it is `None`.
    pub speech_model: Option<String>,
    /// Tokens, in and out, that one recording may use.
    pub token_budget: u64,
    pub prices: Option<Prices>,
    pub answers_dir: PathBuf,
}

impl HostedSettings {
    /// From any table of settings; an empty value counts as none.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<OsString>) -> Result<Self, SettingsError> {
        let get = |name: &str| {
            let value = lookup(name)?.to_string_lossy().trim().to_owned();
            (!value.is_empty()).then_some(value)
        };
        let key = get(API_KEY).map(|text| Key::new(&text));
        let base_url = get(BASE_URL);
        if key.is_none() && base_url.is_none() {
            return Err(SettingsError::NoKey);
        }
        let price = |name: &'static str| match get(name) {
            None => Ok(None),
            Some(value) => match value.parse::<f64>() {
                Ok(price) if price.is_finite() && price >= 0.0 => Ok(Some(price)),
                _ => Err(SettingsError::NotANumber { name, value, wanted: "price", example: "0.40" }),
            },
        };
        let (input, output, sound) = (price(PRICE_INPUT)?, price(PRICE_OUTPUT)?, price(PRICE_SOUND)?);
        let has_prices = input.or(output).or(sound).is_some();
        let prices = has_prices.then(|| Prices {
            input: input.unwrap_or(0.0),
            output: output.unwrap_or(0.0),
            sound: sound.unwrap_or(0.0),
            currency: get(PRICE_CURRENCY).unwrap_or_else(|| "USD".to_owned()),
        });
        let token_budget = match get(TOKEN_BUDGET) {
            None => DEFAULT_TOKEN_BUDGET,
            Some(value) => value.parse().map_err(|_| SettingsError::NotANumber {
                name: TOKEN_BUDGET,
                value,
                wanted: "number of tokens",
                example: "100000",
            })?,
        };
        let answers_dir = get(ANSWERS_DIR)
            .map(PathBuf::from)
            .or_else(|| get("HOME").map(|home| PathBuf::from(home).join(DEFAULT_ANSWERS_DIR)))
            .ok_or(SettingsError::NoAnswersDir)?;
        Ok(Self {
            base_url: base_url.unwrap_or_else(|| DEFAULT_BASE_URL.to_owned()),
            key,
            explain_model: get(EXPLAIN_MODEL).unwrap_or_else(|| DEFAULT_EXPLAIN_MODEL.to_owned()),
            speech_model: get(SPEECH_MODEL),
            token_budget,
            prices,
            answers_dir,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(rows: &[(&str, &str)]) -> Result<HostedSettings, SettingsError> {
        let rows = [rows, &[("HOME", "/h")]].concat();
        HostedSettings::from_lookup(|name| {
            rows.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value))
        })
    }

    #[test]
    fn a_key_or_a_server_is_needed_and_the_rest_has_defaults() {
        let found = settings(&[(API_KEY, "sk-1")]).unwrap();
        assert_eq!((found.base_url.as_str(), found.token_budget), (DEFAULT_BASE_URL, DEFAULT_TOKEN_BUDGET));
        assert_eq!((found.prices, found.speech_model), (None, None));
        assert!(settings(&[(BASE_URL, "http://127.0.0.1:8000/v1")]).unwrap().key.is_none());
        assert!(settings(&[(API_KEY, " ")]).unwrap_err().to_string().contains("set OPENAI_API_KEY"));
    }

    #[test]
    fn numbers_that_are_none_are_named() {
        for (name, value) in
            [(TOKEN_BUDGET, "many"), (TOKEN_BUDGET, "-1"), (PRICE_INPUT, "cheap"), (PRICE_SOUND, "NaN")]
        {
            let said = settings(&[(API_KEY, "sk-1"), (name, value)]).unwrap_err().to_string();
            assert!(said.contains(name) && said.contains(value) && !said.contains("sk-1"), "{said}");
        }
        let prices = settings(&[(API_KEY, "sk-1"), (PRICE_OUTPUT, "1.6")]).unwrap().prices.unwrap();
        assert_eq!((prices.input, prices.output, prices.currency.as_str()), (0.0, 1.6, "USD"));
    }
}
