//! Hosted models: any server that speaks the protocol of `OpenAI`, such as that company's own, `vLLM` or `llama-server`.
//!
//! Nothing here knows what a Step is. [`chat`] asks a question with pictures and gets JSON of a given form, [`speech`]
//! gets the words of a sound, [`lenient`] finds the JSON in what models write around it, [`cache`] remembers answers and
//! [`meter`] counts what they cost and says when it is enough.
//!
//! What is handed in here leaves the machine. The callers take only what was redacted: [`crate::passes::explain`] and
//! [`crate::passes::transcribe::hosted`].

pub mod cache;
pub mod chat;
pub mod lenient;
pub mod meter;
pub mod settings;
pub mod speech;

use ingest_client::ClientError;
use ingest_client::hosted::{Answer, Hosted};
use serde_json::Value;

/// Words of a server that an error keeps.
const MOST_WORDS: usize = 240;

/// Why a model gave no usable answer.
#[derive(Debug, thiserror::Error)]
pub enum ModelFailure {
    #[error("{0}")]
    Away(#[from] ClientError),
    #[error("{server} refused the key (status {status}: {words}). Check OPENAI_API_KEY")]
    Key { server: String, status: u16, words: String },
    #[error("{server} refused the request (status {status}: {words}). Check OPENAI_BASE_URL and the model's name")]
    Refused { server: String, status: u16, words: String },
    #[error("the model declined to answer: {0}")]
    Declined(String),
    #[error("the answer was cut off at its limit of tokens")]
    CutShort,
    #[error("the request is longer than the model can read")]
    TooLong,
    #[error("the model's answer has not the form that was asked for, even after it was told: {0}")]
    Malformed(String),
    #[error("the recording's budget of {0} tokens is used up. COLLECTOR_TOKEN_BUDGET sets another")]
    Budget(u64),
    #[error("the voice cannot be read: {0}")]
    Voice(#[from] std::io::Error),
}

impl ModelFailure {
    /// Whether the next question would fail in the same way.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Away(_) | Self::Key { .. } | Self::Refused { .. } | Self::Budget(_) | Self::Voice(_))
    }

    /// Whether a smaller question may succeed.
    pub fn is_of_size(&self) -> bool {
        matches!(self, Self::CutShort | Self::TooLong)
    }
}

/// What an answer of 300 and above means.
fn refusal(hosted: &Hosted, answer: &Answer) -> ModelFailure {
    let server = hosted.server().to_owned();
    let status = answer.status;
    let words = hosted.struck(&words(&answer.body));
    match status {
        401 | 403 => ModelFailure::Key { server, status, words },
        413 => ModelFailure::TooLong,
        400 if ["context_length", "context length", "maximum context", "too long"]
            .iter()
            .any(|told| words.contains(told)) =>
        {
            ModelFailure::TooLong
        }
        _ => ModelFailure::Refused { server, status, words },
    }
}

/// What a server says of an error, in one line: `{error: {message}}`, `{error: "…"}`, `{message}`, or the body itself.
fn words(body: &[u8]) -> String {
    let parsed: Option<Value> = serde_json::from_slice(body).ok();
    let told = parsed.as_ref().and_then(|value| {
        let error = value.get("error");
        let text = error.and_then(|error| error.get("message")).or(error).or_else(|| value.get("message"));
        let text = text?.as_str()?;
        let code = error.and_then(|error| error.get("code")).and_then(Value::as_str);
        Some(code.map_or_else(|| text.to_owned(), |code| format!("{text} [{code}]")))
    });
    let text = told.unwrap_or_else(|| String::from_utf8_lossy(body).into_owned());
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.is_empty() { "without a word".to_owned() } else { line.chars().take(MOST_WORDS).collect() }
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn the_words_of_an_error_are_found_in_every_shape() {
        for (body, told) in [
            (r#"{"error":{"message":"Wrong key","code":"invalid_api_key"}}"#, "Wrong key [invalid_api_key]"),
            (r#"{"error":"no such model"}"#, "no such model"),
            (r#"{"message":"not found"}"#, "not found"),
            ("<html>\n Bad Gateway</html>", "<html> Bad Gateway</html>"),
            ("", "without a word"),
        ] {
            assert_eq!(words(body.as_bytes()), told);
        }
    }
}
