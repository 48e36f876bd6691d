//! Sound to a hosted model and back: pieces cut in silence, times put together again, private words never sent.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use ingest_client::Retry;
use ingest_client::hosted::{Hosted, Key, Patience};
use pipeline::passes::transcribe::Hearing;
use pipeline::passes::transcribe::hosted::{Heard, transcribe_hosted};
use pipeline::providers::ModelFailure;
use pipeline::providers::cache::Answers;
use pipeline::providers::meter::Meter;
use pipeline::providers::speech::Speech;
use serde_json::{Value, json};
use shared_types::quality::measurements::Span;
use shared_types::summary::Costs;
use shared_types::transcript::{Segment, Transcript, Word};

use super::server::{Asked, Reply, Server};

const RATE: f64 = 16_000.0;
/// Somebody speaks in these.
const VOICED: [(f64, f64); 3] = [(1.0, 4.0), (6.0, 9.0), (14.0, 17.0)];

fn sound() -> Vec<f32> {
    let is_voiced = |at: f64| VOICED.iter().any(|(start, end)| (*start..*end).contains(&at));
    (0..(18.0 * RATE) as usize).map(|index| if is_voiced(index as f64 / RATE) { 0.5 } else { 0.0 }).collect()
}

fn local(words: &[(&str, f64)]) -> Transcript {
    let words = words.iter().map(|(w, start)| Word { w: (*w).to_owned(), start: *start, end: start + 0.4, p: 0.8 });
    let words: Vec<Word> = words.collect();
    let segment = Segment { start: 1.0, end: 17.0, text: String::new(), words };
    Transcript { language: Some("en".to_owned()), segments: vec![segment] }
}

fn hear(server: &Server, muted: &[Span], most_secs: f64) -> Result<(Hearing, f64), ModelFailure> {
    let folder = tempfile::tempdir().unwrap();
    let (hearing, costs) = hear_with(server, muted, most_secs, &Answers::new(folder.path()))?;
    Ok((hearing, costs.audio_secs))
}

fn hear_with(
    server: &Server,
    muted: &[Span],
    most_secs: f64,
    answers: &Answers,
) -> Result<(Hearing, Costs), ModelFailure> {
    hear_within(server, muted, most_secs, answers, 100_000)
}

fn hear_within(
    server: &Server,
    muted: &[Span],
    most_secs: f64,
    answers: &Answers,
    budget: u64,
) -> Result<(Hearing, Costs), ModelFailure> {
    let words = ["my", "card", "is", "this", "and", "these", "are", "the", "last", "words", "of", "it"];
    let starts = [1.1, 1.6, 2.1, 2.6, 6.1, 6.6, 7.1, 7.6, 14.1, 14.6, 15.1, 15.6];
    let local = local(&words.into_iter().zip(starts).collect::<Vec<_>>());
    hear_beside(&local, server, muted, most_secs, answers, budget)
}

fn hear_beside(
    local: &Transcript,
    server: &Server,
    muted: &[Span],
    most_secs: f64,
    answers: &Answers,
    budget: u64,
) -> Result<(Hearing, Costs), ModelFailure> {
    let patience = Patience {
        retry: Retry { first: Duration::from_millis(1), most: Duration::from_millis(5), tries: Some(3) },
        answer: Duration::from_secs(20),
        longest_asked: Duration::from_secs(5),
    };
    let hosted = Hosted::new(&server.base(), Some(Key::new("sk-secret")), patience).unwrap();
    let cancel = AtomicBool::new(false);
    let mut speech = Speech::new(&hosted, "ear-1", answers, &cancel);
    let mut meter = Meter::new(budget, None);
    let heard = Heard { transcript: local, muted };
    let hearing = transcribe_hosted(&mut speech, &sound(), &VOICED, heard, most_secs, &mut meter)?;
    Ok((hearing, meter.costs()))
}

/// The samples of a request's WAV.
pub(crate) fn samples(asked: &Asked) -> Vec<i16> {
    // The form's own words say "data" as well.
    let wav = asked.body.windows(4).position(|bytes| bytes == b"RIFF").unwrap();
    let at = wav + asked.body[wav..].windows(4).position(|bytes| bytes == b"data").unwrap();
    let length = u32::from_le_bytes(asked.body[at + 4..at + 8].try_into().unwrap()) as usize;
    let bytes = &asked.body[at + 8..at + 8 + length];
    bytes.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect()
}

/// Where the sound of a request is loud, in seconds of its own.
fn loud(asked: &Asked) -> Vec<(f64, f64)> {
    let mut spans: Vec<(f64, f64)> = Vec::new();
    for (index, _) in samples(asked).iter().enumerate().filter(|(_, sample)| **sample != 0) {
        let at = index as f64 / RATE;
        match spans.last_mut() {
            Some(last) if at - last.1 < 0.05 => last.1 = at,
            _ => spans.push((at, at)),
        }
    }
    spans
}

/// A word every half second where the piece is loud.
pub(crate) fn verbose(asked: &Asked) -> Value {
    let mut words = Vec::new();
    for (start, end) in loud(asked) {
        let count = ((end - start) * 2.0).round() as usize;
        // Said three times in a row, a phrase would count as invented.
        let before = words.len();
        words.extend((0..count).map(|index| {
            let start = start + index as f64 / 2.0;
            json!({"word": format!("word{}", before + index), "start": start, "end": start + 0.4})
        }));
    }
    let text = words.iter().map(|word| format!("{},", word["word"].as_str().unwrap())).collect::<Vec<_>>().join(" ");
    let segment = json!({"start": 0.0, "end": 60.0, "text": text, "avg_logprob": -0.105_360_5, "no_speech_prob": 0.01});
    json!({"language": "english", "text": text, "words": words, "segments": [segment]})
}

#[test]
fn no_more_sound_is_sent_than_the_budget_has_room_for() {
    // Pieces of at most ten seconds, ten tokens a second.
    for (budget, pieces) in [(0, 0), (90, 1)] {
        let server = Server::start(|_, asked| Reply::Json(verbose(asked)));
        let folder = tempfile::tempdir().unwrap();
        let heard = hear_within(&server, &[], 10.0, &Answers::new(folder.path()), budget);
        assert!(matches!(heard, Err(ModelFailure::Budget(told)) if told == budget), "{budget}: {heard:?}");
        assert_eq!(server.asked().len(), pieces, "{budget}");
    }
}

#[test]
fn pieces_are_cut_in_silence_and_their_times_put_together() {
    let server = Server::start(|_, asked| Reply::Json(verbose(asked)));
    let (hearing, secs) = hear(&server, &[], 10.0).unwrap();
    let asked = server.asked();
    assert_eq!(asked.len(), 2);
    for request in &asked {
        let body = String::from_utf8_lossy(&request.body);
        assert_eq!(request.path, "/v1/audio/transcriptions");
        for part in ["verbose_json", "timestamp_granularities[]", "ear-1", "filename=\"speech.wav\""] {
            assert!(body.contains(part), "{part} is missing");
        }
        assert!(samples(request).len() as f64 / RATE <= 10.0);
    }
    let starts: Vec<f64> = hearing.transcript.words().map(|word| word.start).collect();
    assert_eq!(starts.len(), 18, "{}", hearing.transcript.text());
    for (start, wanted) in starts.iter().zip((0..6).map(|i| 1.0 + f64::from(i) / 2.0)) {
        assert!((start - wanted).abs() < 0.05, "{starts:?}");
    }
    assert!((starts[12] - 14.0).abs() < 0.05, "{starts:?}");
    let word = hearing.transcript.words().next().unwrap();
    assert_eq!((word.w.as_str(), (word.p * 10.0).round()), ("word0,", 9.0));
    assert_eq!(hearing.transcript.language.as_deref(), Some("en"));
    assert!((8.0..16.0).contains(&secs), "{secs}");
}

#[test]
fn private_words_are_silent_in_what_is_sent_and_stay_as_they_were_heard() {
    let server = Server::start(|_, asked| Reply::Json(verbose(asked)));
    let (hearing, _) = hear(&server, &[Span::new(0.7, 4.3)], 600.0).unwrap();
    let asked = server.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(loud(&asked[0]).len(), 2, "the private span was sent");
    assert!(hearing.transcript.text().starts_with("my card is this"), "{}", hearing.transcript.text());
}

#[test]
fn sound_that_was_heard_is_not_paid_again_unless_it_says_something_private() {
    for (said, is_kept) in [("these two plants please", true), ("my card is 4111 1111 1111 1111", false)] {
        let server = Server::start(move |_, asked| {
            let word = |(at, word): (usize, &str)| {
                let start = 1.1 + at as f64 * 0.4;
                json!({"word": word, "start": start, "end": start + 0.3})
            };
            let words: Vec<Value> = said.split(' ').enumerate().map(word).collect();
            assert_eq!(asked.path, "/v1/audio/transcriptions");
            Reply::Json(json!({"language": "en", "text": said, "words": words}))
        });
        let folder = tempfile::tempdir().unwrap();
        let answers = Answers::new(folder.path());
        let (first, costs) = hear_with(&server, &[], 600.0, &answers).unwrap();
        assert_eq!((costs.requests, costs.cached), (1, 0));
        let (second, costs) = hear_with(&server, &[], 600.0, &answers).unwrap();
        assert_eq!((costs.requests, costs.cached), if is_kept { (0, 1) } else { (1, 0) }, "{said}");
        assert_eq!(first.transcript, second.transcript);
        // Other sound is another question.
        assert_eq!(hear_with(&server, &[Span::new(14.0, 15.0)], 600.0, &answers).unwrap().1.requests, 1);
    }
}

#[test]
fn a_server_that_knows_no_times_gives_words_all_the_same() {
    let server = Server::start(|_, asked| {
        if String::from_utf8_lossy(&asked.body).contains("verbose_json") {
            let error =
                json!({"error": {"message": "response_format 'verbose_json' is not compatible with this model"}});
            return Reply::Status(400, &[], error.to_string());
        }
        Reply::Json(json!({"text": "one two three four five six seven eight nine ten eleven twelve"}))
    });
    let (hearing, _) = hear(&server, &[], 600.0).unwrap();
    let words: Vec<&Word> = hearing.transcript.words().collect();
    assert_eq!(words.len(), 12);
    for word in words {
        assert!(VOICED.iter().any(|(start, end)| word.start >= start - 0.01 && word.end <= end + 0.05), "{word:?}");
    }
    assert_eq!(server.asked().len(), 2);
}

/// Nobody says how sure the words are: neither the server nor the local model, which heard nothing.
#[test]
fn words_of_a_server_stay_though_the_local_model_heard_none() {
    let server = Server::start(|_, _| {
        Reply::Json(json!({"text": "one two three four five six seven eight nine ten eleven twelve"}))
    });
    let folder = tempfile::tempdir().unwrap();
    let heard = hear_beside(&Transcript::default(), &server, &[], 600.0, &Answers::new(folder.path()), 100_000);
    let (hearing, _) = heard.unwrap();
    assert!(hearing.transcript.text().starts_with("one two three four"), "{:?}", hearing.transcript);
    assert_eq!(hearing.transcript.words().count(), 12);
}

#[test]
fn an_answer_with_more_words_than_anybody_says_is_none() {
    let server = Server::start(|_, _| Reply::Json(json!({"text": "round and ".repeat(50_000)})));
    let said = hear(&server, &[], 600.0).unwrap_err().to_string();
    assert!(said.contains("nobody says so many words"), "{said}");
}

#[test]
fn a_stretch_that_the_server_lost_keeps_its_local_words_and_inventions_are_dropped() {
    let server = Server::start(|_, _| {
        let word = |text: &str, start: f64| json!({"word": text, "start": start, "end": start + 0.3});
        let heard = [word("I", 0.3), word("want", 0.7), word("two", 1.2), word("plants", 1.8), word("Bye", 11.0)];
        Reply::Json(json!({"language": "en", "text": "", "words": heard}))
    });
    let (hearing, _) = hear(&server, &[], 600.0).unwrap();
    assert_eq!(hearing.transcript.text(), "I want two plants and these are the last words of it");
}

#[test]
fn a_server_that_fails_is_said_so() {
    // The reply, the requests, and what is said.
    let rows: [(fn() -> Reply, usize, &str); 5] = [
        (|| Reply::Status(500, &[], String::new()), 3, "status 500"),
        (|| Reply::Status(401, &[], "sk-secret is wrong".to_owned()), 1, "OPENAI_API_KEY"),
        (|| Reply::Status(413, &[], String::new()), 1, "longer than the model can read"),
        (|| Reply::Status(200, &[], "[1, 2".to_owned()), 1, "a transcript was asked for"),
        (|| Reply::Cut("{}".to_owned()), 3, "cannot be reached"),
    ];
    for (reply, requests, told) in rows {
        let server = Server::start(move |_, _| reply());
        let said = hear(&server, &[], 600.0).unwrap_err().to_string();
        assert!(said.contains(told) && !said.contains("sk-secret"), "{said}");
        assert_eq!(server.asked().len(), requests, "{said}");
    }
}
