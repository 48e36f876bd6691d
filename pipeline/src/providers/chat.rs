//! Questions with pictures to `/chat/completions`, answered by JSON of a given form.
//!
//! Servers differ in what they understand: a strict schema, any JSON, or plain text; two names for the limit of an
//! answer; a temperature or none. What a server refuses is left out from then on. Whatever the server promises, the
//! answer is held against the schema here; one that does not fit goes back once with what is wrong.

use std::sync::atomic::AtomicBool;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ingest_client::hosted::Hosted;
use jsonschema::Validator;
use serde::Deserialize;
use serde_json::{Value, json};

use super::cache::Answers;
use super::meter::{Meter, Usage, picture_tokens, text_tokens};
use super::{ModelFailure, lenient, refusal, words};

const PATH: &str = "/chat/completions";
/// Answers that are no answer at all: half a body, a page of a proxy.
const MOST_BROKEN: u32 = 2;
/// What a repair is told of an answer.
const MOST_ERRORS: usize = 5;

/// A picture as it is sent.
#[derive(Debug, Clone)]
pub struct Jpeg {
    pub width: u32,
    pub height: u32,
    pub bytes: Vec<u8>,
}

pub enum Content {
    Text(String),
    Picture(Jpeg),
}

pub struct Question<'a> {
    pub instructions: &'a str,
    pub contents: Vec<Content>,
    /// Name of the form, and its schema.
    pub form: (&'a str, &'a Value),
    /// Of the answer.
    pub most_tokens: u64,
}

/// How the form of an answer is asked for, the strictest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Schema,
    Object,
    Text,
}

/// One model of one server, with what it has refused so far.
pub struct Chat<'a> {
    hosted: &'a Hosted,
    model: &'a str,
    answers: &'a Answers,
    cancel: &'a AtomicBool,
    form: Form,
    limit: &'static str,
    sets_temperature: bool,
}

#[derive(Deserialize)]
struct Completion {
    choices: Vec<Choice>,
    #[serde(default)]
    usage: Option<ReportedUsage>,
}

#[derive(Deserialize)]
struct Choice {
    message: Message,
    #[serde(default)]
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    content: Value,
    #[serde(default)]
    refusal: Option<String>,
}

#[derive(Deserialize)]
struct ReportedUsage {
    #[serde(default)]
    prompt_tokens: u64,
    #[serde(default)]
    completion_tokens: u64,
}

impl<'a> Chat<'a> {
    pub fn new(hosted: &'a Hosted, model: &'a str, answers: &'a Answers, cancel: &'a AtomicBool) -> Self {
        Self { hosted, model, answers, cancel, form: Form::Schema, limit: "max_tokens", sets_temperature: true }
    }

    /// An answer that fits the schema and that `check` has nothing against. It is kept for the next run if `may_keep`.
    pub fn ask(
        &mut self,
        question: &Question<'_>,
        meter: &mut Meter,
        check: impl Fn(&Value) -> Result<(), String>,
        may_keep: impl Fn(&Value) -> bool,
    ) -> Result<Value, ModelFailure> {
        let schema = jsonschema::validator_for(question.form.1)
            .map_err(|error| ModelFailure::Malformed(format!("the schema itself is wrong: {error}")))?;
        let fits = |text: &str| fit(text, &schema, &check);
        let fingerprint = self.fingerprint(question);
        if let Some(known) = self.answers.get(&fingerprint).and_then(|text| fits(&text).ok()) {
            meter.count_cached();
            return Ok(known);
        }
        let mut messages = vec![
            json!({"role": "system", "content": instructions(question)}),
            json!({"role": "user", "content": contents(&question.contents)}),
        ];
        let mut estimate = question.input_tokens();
        let first = self.complete(&messages, question, estimate, meter)?;
        let answer = match fits(&first) {
            Ok(answer) => answer,
            Err(wrong) => {
                estimate += text_tokens(first.len() + wrong.len()) + 50;
                messages.push(json!({"role": "assistant", "content": first}));
                let told = format!(
                    "That answer cannot be used: {wrong}. Answer again with one JSON object of the form that was asked \
                     for, and nothing else."
                );
                messages.push(json!({"role": "user", "content": told}));
                let second = self.complete(&messages, question, estimate, meter)?;
                fits(&second).map_err(|wrong| ModelFailure::Malformed(self.hosted.struck(&wrong)))?
            }
        };
        if may_keep(&answer)
            && let Err(error) = self.answers.keep(&fingerprint, &answer.to_string())
        {
            meter.note(format!("an answer could not be kept for the next run: {error}"));
        }
        Ok(answer)
    }

    /// Everything that the answer depends on.
    fn fingerprint(&self, question: &Question<'_>) -> Vec<u8> {
        let all = json!([
            self.hosted.server(),
            self.model,
            question.instructions,
            contents(&question.contents),
            question.form.1,
            question.most_tokens
        ]);
        all.to_string().into_bytes()
    }

    /// One answer's text, asked for as the server understands it.
    fn complete(
        &mut self,
        messages: &[Value],
        question: &Question<'_>,
        input: u64,
        meter: &mut Meter,
    ) -> Result<String, ModelFailure> {
        let mut broken = 0;
        loop {
            if !meter.has_room(input, question.most_tokens) {
                return Err(ModelFailure::Budget(meter.budget()));
            }
            let body = self.request(messages, question).to_string();
            let answer = self.hosted.post_json(PATH, body.as_bytes(), self.cancel)?;
            if answer.status >= 300 {
                if matches!(answer.status, 400 | 422 | 501) && self.leave_out(&words(&answer.body)) {
                    continue;
                }
                return Err(refusal(self.hosted, &answer));
            }
            let read = serde_json::from_slice::<Completion>(&answer.body);
            let completion = match read {
                Ok(completion) if !completion.choices.is_empty() => completion,
                other => {
                    // It may have been paid for all the same.
                    meter.count(Usage { input, output: 0 }, None);
                    broken += 1;
                    if broken < MOST_BROKEN {
                        continue;
                    }
                    let what = other.err().map_or_else(|| "it holds no choice".to_owned(), |error| error.to_string());
                    return Err(ModelFailure::Malformed(what));
                }
            };
            let choice = &completion.choices[0];
            let text = text_of(&choice.message.content);
            let reported = completion.usage.as_ref().filter(|usage| usage.prompt_tokens > 0);
            let reported = reported.map(|usage| Usage { input: usage.prompt_tokens, output: usage.completion_tokens });
            meter.count(Usage { input, output: text_tokens(text.len()) }, reported);
            return match (choice.message.refusal.as_deref(), choice.finish_reason.as_deref()) {
                (Some(words), _) if !words.trim().is_empty() => {
                    Err(ModelFailure::Declined(self.hosted.struck(&words.chars().take(240).collect::<String>())))
                }
                (_, Some("content_filter")) => {
                    Err(ModelFailure::Declined("its filter took the answer back".to_owned()))
                }
                (_, Some("length")) => Err(ModelFailure::CutShort),
                _ => Ok(text),
            };
        }
    }

    /// Leaves out what the server does not understand; false where there is nothing left to leave out.
    fn leave_out(&mut self, said: &str) -> bool {
        let said = said.to_lowercase();
        let is_too_long = said.contains("context length") || said.contains("context_length");
        if said.contains("max_tokens") && !is_too_long && self.limit == "max_tokens" {
            self.limit = "max_completion_tokens";
        } else if said.contains("temperature") && self.sets_temperature {
            self.sets_temperature = false;
        } else if ["response_format", "json_schema", "json_object", "schema", "grammar", "structured"]
            .iter()
            .any(|told| said.contains(told))
        {
            self.form = match self.form {
                Form::Schema => Form::Object,
                Form::Object => Form::Text,
                Form::Text => return false,
            };
        } else {
            return false;
        }
        true
    }

    fn request(&self, messages: &[Value], question: &Question<'_>) -> Value {
        let mut request = json!({"model": self.model, "messages": messages, self.limit: question.most_tokens});
        if self.sets_temperature {
            request["temperature"] = json!(0);
        }
        let (name, schema) = question.form;
        match self.form {
            Form::Schema => {
                let wanted = json!({"name": name, "strict": true, "schema": schema});
                request["response_format"] = json!({"type": "json_schema", "json_schema": wanted});
            }
            Form::Object => request["response_format"] = json!({"type": "json_object"}),
            Form::Text => {}
        }
        request
    }
}

impl Question<'_> {
    fn input_tokens(&self) -> u64 {
        let of = |content: &Content| match content {
            Content::Text(text) => text_tokens(text.len()),
            Content::Picture(picture) => picture_tokens(picture.width, picture.height),
        };
        let contents: u64 = self.contents.iter().map(of).sum();
        // The schema counts twice: servers that honour it put it before the model again.
        text_tokens(self.instructions.len()) + 2 * text_tokens(self.form.1.to_string().len()) + contents
    }
}

/// The schema stands in the words as well, for servers that do not pass it on.
fn instructions(question: &Question<'_>) -> String {
    format!("{}\n\nAnswer with one JSON object that fits this JSON Schema:\n{}", question.instructions, question.form.1)
}

fn contents(contents: &[Content]) -> Value {
    let part = |content: &Content| match content {
        Content::Text(text) => json!({"type": "text", "text": text}),
        Content::Picture(picture) => {
            let url = format!("data:image/jpeg;base64,{}", STANDARD.encode(&picture.bytes));
            json!({"type": "image_url", "image_url": {"url": url}})
        }
    };
    Value::Array(contents.iter().map(part).collect())
}

/// Some servers answer with a list of parts.
fn text_of(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            parts.iter().filter_map(|part| part.get("text").and_then(Value::as_str)).collect::<Vec<_>>().concat()
        }
        _ => String::new(),
    }
}

fn fit(text: &str, schema: &Validator, check: &impl Fn(&Value) -> Result<(), String>) -> Result<Value, String> {
    let value = lenient::object(text).ok_or_else(|| "there is no JSON object in it".to_owned())?;
    let wrong: Vec<String> = schema
        .iter_errors(&value)
        .take(MOST_ERRORS)
        .map(|error| {
            format!("{} at {}", error.to_string().chars().take(120).collect::<String>(), error.instance_path())
        })
        .collect();
    if !wrong.is_empty() {
        return Err(wrong.join("; "));
    }
    check(&value)?;
    Ok(value)
}
