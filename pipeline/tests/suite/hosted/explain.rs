//! What leaves the machine for a hosted model, and what becomes of every way in which its server may answer.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use base64::Engine;
use ingest_client::Retry;
use ingest_client::hosted::{Hosted, Key, Patience};
use media::frame::RgbFrame;
use media::time::MediaTime;
use pipeline::models::ocr::TextLine;
use pipeline::passes::explain::sendable::Take;
use pipeline::passes::explain::{Pictures, Sendable, explain};
use pipeline::passes::redact::Redactor;
use pipeline::passes::steps::ReadPicture;
use pipeline::providers::cache::Answers;
use pipeline::providers::chat::Chat;
use pipeline::providers::meter::Meter;
use serde_json::{Value, json};
use shared_types::step::{Action, Intent, Source, Step, Target};
use shared_types::summary::Costs;
use shared_types::transcript::{Segment, Transcript, Word};

use super::server::{Asked, Reply, Server, completion};

const KEY: &str = "sk-very-secret-0123";
const WIDTH: u32 = 800;
const HEIGHT: u32 = 450;

struct Album(BTreeMap<String, Rc<ReadPicture>>);

impl Pictures for &Album {
    fn read_picture(&mut self, name: &str) -> Option<Rc<ReadPicture>> {
        self.0.get(name).cloned()
    }
}

fn step(index: usize, action: Action) -> Step {
    let blank = json!({
        "t": index as f64 * 3.0 + 1.0, "t_end": index as f64 * 3.0 + 1.2, "action": action, "x": 400.0, "y": 200.0,
        "utterances": [], "confidence": 1.0, "source": {"t": "event", "action": "event"},
        "frame_before": format!("frames/{index}.jpg"),
    });
    serde_json::from_value(blank).unwrap()
}

fn line(text: &str, [x, y, width, height]: [f64; 4]) -> TextLine {
    let count = text.chars().count();
    let char_x = (0..count).map(|at| x + (at as f64 + 0.5) * width / count as f64).collect();
    TextLine { text: text.to_owned(), bounds: [x, y, width, height], confidence: 0.9, char_x }
}

fn picture(name: &str, t: f64, lines: Vec<TextLine>) -> Rc<ReadPicture> {
    let data = vec![200; (WIDTH * HEIGHT * 3) as usize];
    let rgb = RgbFrame { width: WIDTH, height: HEIGHT, data, t: MediaTime::from_secs(t) };
    Rc::new(ReadPicture { name: name.to_owned(), rgb, lines })
}

fn transcript(words: &[(&str, f64)]) -> Transcript {
    let words: Vec<Word> =
        words.iter().map(|(w, start)| Word { w: (*w).to_owned(), start: *start, end: start + 0.3, p: 0.9 }).collect();
    let text = words.iter().map(|word| word.w.as_str()).collect::<Vec<_>>().join(" ");
    Transcript { language: Some("en".to_owned()), segments: vec![Segment { start: 0.0, end: 20.0, text, words }] }
}

/// A take of seven Steps: the rules know all of the first, nothing of the rest.
struct Scene {
    steps: Vec<Step>,
    album: Album,
    transcript: Transcript,
    answers: tempfile::TempDir,
    patience: Patience,
    budget: u64,
}

impl Scene {
    fn new() -> Self {
        let mut steps: Vec<Step> = (0..7).map(|index| step(index, Action::Click)).collect();
        let (text, role) = (Some("Add to Cart".to_owned()), Some("button".to_owned()));
        steps[0].target = Some(Target { text, role, bounds: Some([350.0, 180.0, 100.0, 40.0]) });
        (steps[0].intent, steps[0].rationale) = (Some(Intent::Add), Some("It is cheap.".to_owned()));
        steps[1].target = Some(Target { text: Some("Size 42".to_owned()), role: None, bounds: None });
        let album = (0..7)
            .map(|index| {
                let name = format!("frames/{index}.jpg");
                let picture = picture(&name, f64::from(index) * 3.0, vec![line("Buy me", [380.0, 190.0, 60.0, 20.0])]);
                (name, picture)
            })
            .collect();
        let patience = Patience {
            retry: Retry { first: Duration::from_millis(1), most: Duration::from_millis(5), tries: Some(4) },
            answer: Duration::from_secs(20),
            longest_asked: Duration::from_secs(5),
        };
        let transcript = transcript(&[("I", 1.0), ("take", 1.3), ("these.", 1.6)]);
        Self {
            steps,
            album: Album(album),
            transcript,
            answers: tempfile::tempdir().unwrap(),
            patience,
            budget: 100_000,
        }
    }

    /// Asks the server and gives the Steps as they are afterwards, and what it cost.
    fn explain(&self, server: &Server) -> (Vec<Step>, Costs) {
        let mut steps = self.steps.clone();
        let screens: Vec<(f64, &[TextLine])> =
            self.album.0.values().map(|picture| (picture.rgb.t.secs(), picture.lines.as_slice())).collect();
        let redactor = Redactor::new(&screens, 60.0, &self.transcript, &[]);
        let goal = Some("Find shoes, and write to jane.doe@mail.example");
        let take = Take { goal, steps: &steps, transcript: &self.transcript };
        let mut sendable = Sendable::new(take, &redactor, &self.album);
        let hosted = Hosted::new(&server.base(), Some(Key::new(KEY)), self.patience).unwrap();
        let (answers, cancel) = (Answers::new(self.answers.path()), AtomicBool::new(false));
        let mut chat = Chat::new(&hosted, "seer-1", &answers, &cancel);
        let mut meter = Meter::new(self.budget, None);
        explain(&mut sendable, &mut steps, &mut chat, &mut meter);
        (steps, meter.costs())
    }
}

/// The Steps that a request asks about.
fn indices(asked: &Asked) -> Vec<u64> {
    let contents = asked.json()["messages"][1]["content"].clone();
    let told: Value = serde_json::from_str(contents[0]["text"].as_str().unwrap()).unwrap();
    told["steps"].as_array().unwrap().iter().map(|step| step["index"].as_u64().unwrap()).collect()
}

fn good_answer(asked: &Asked) -> String {
    let of = |index: u64| {
        json!({
            "index": index, "target_text": "Buy me", "target_role": "link", "typed_text": null, "intent": "inspect",
            "rationale": "They want to see it.",
        })
    };
    json!({"steps": indices(asked).into_iter().map(of).collect::<Vec<_>>()}).to_string()
}

pub(crate) fn good(asked: &Asked) -> Reply {
    Reply::Json(completion(&good_answer(asked)))
}

fn error(status: u16, message: &str) -> Reply {
    Reply::Status(status, &[], json!({"error": {"message": message}}).to_string())
}

fn is_explained(step: &Step) -> bool {
    step.source.get("explanation") == Some(&Source::Model)
}

fn left_to_rules(step: &Step) -> bool {
    step.source.get("explanation") == Some(&Source::Rule) && step.intent.is_none()
}

#[test]
fn a_model_fills_what_is_missing_and_changes_nothing_else() {
    let server = Server::start(|_, asked| good(asked));
    let scene = Scene::new();
    let (steps, costs) = scene.explain(&server);
    assert_eq!(steps[0], scene.steps[0], "the rules knew all of it");
    let target = steps[1].target.as_ref().unwrap();
    assert_eq!((target.text.as_deref(), target.role.as_deref()), (Some("Size 42"), Some("link")));
    assert_eq!(steps[1].source.get("target.role"), Some(&Source::Model));
    assert_eq!(steps[1].source.get("target.text"), None);
    assert!(steps[1..].iter().all(is_explained));
    assert!(steps[2..].iter().all(|step| step.target.as_ref().unwrap().text.as_deref() == Some("Buy me")));
    assert_eq!(steps[3].source.get("intent"), Some(&Source::Model));

    let asked = server.asked();
    assert_eq!(asked.iter().map(indices).collect::<Vec<_>>(), [vec![1, 2, 3, 4, 5], vec![6]]);
    assert_eq!((costs.requests, costs.input_tokens, costs.output_tokens), (2, 2000, 200));
    assert_eq!((costs.steps_explained, costs.steps_left_to_rules), (6, 0));
    for request in &asked {
        assert_eq!(request.path, "/v1/chat/completions");
        assert!(request.head.contains(&format!("authorization: Bearer {KEY}")));
        let body = request.json();
        let format = &body["response_format"];
        assert_eq!((&format["type"], &format["json_schema"]["strict"]), (&json!("json_schema"), &json!(true)));
        assert_eq!(body["model"], "seer-1");
        let sent = pictures(request);
        assert!(!sent.is_empty() && sent.iter().all(|image| image.width() <= 1280), "{}", sent.len());
    }
    // One whole screen before, a cut-out for each, one after.
    assert_eq!(pictures(&asked[0]).len(), 7);
}

pub(crate) fn pictures(asked: &Asked) -> Vec<image::RgbImage> {
    let contents = asked.json()["messages"][1]["content"].as_array().unwrap().clone();
    let urls = contents.iter().filter_map(|part| part["image_url"]["url"].as_str());
    urls.map(|url| {
        let data = url.strip_prefix("data:image/jpeg;base64,").unwrap();
        let bytes = base64::engine::general_purpose::STANDARD.decode(data).unwrap();
        image::load_from_memory(&bytes).unwrap().into_rgb8()
    })
    .collect()
}

/// All that a request says in words.
pub(crate) fn texts(asked: &Asked) -> String {
    let messages = asked.json()["messages"].clone();
    let parts = messages[1]["content"].as_array().unwrap().iter().filter_map(|part| part["text"].as_str());
    parts.chain(messages[0]["content"].as_str()).collect::<Vec<_>>().join("\n")
}

#[test]
fn nothing_private_leaves_the_machine() {
    let mut scene = Scene::new();
    let card = "4111 1111 1111 1111";
    let lines = vec![
        line("Name on card", [300.0, 150.0, 120.0, 20.0]),
        line("Jane Doe", [300.0, 190.0, 200.0, 20.0]),
        line(&format!("Card number {card}"), [100.0, 300.0, 300.0, 20.0]),
    ];
    scene.album.0.insert("frames/2.jpg".to_owned(), picture("frames/2.jpg", 6.0, lines));
    // Nobody read this one, so nobody knows what it shows.
    scene.album.0.remove("frames/4.jpg");
    let target = |text: &str, bounds| Some(Target { text: Some(text.to_owned()), role: None, bounds });
    scene.steps[2].target = target("Jane Doe", Some([300.0, 190.0, 200.0, 20.0]));
    scene.steps[3] = Step { text: Some("987".to_owned()), target: target("CVV", None), ..step(3, Action::Type) };
    scene.steps[5].title = Some("Order number: 302-55814 | Shop".to_owned());
    let said = "my card is four one one one one one one one one one one one one one one one thanks";
    let words: Vec<(&str, f64)> = said.split(' ').enumerate().map(|(at, word)| (word, 1.0 + at as f64 * 0.4)).collect();
    scene.transcript = transcript(&words);
    let server = Server::start(|_, asked| good(asked));
    let (steps, _) = scene.explain(&server);
    assert!(steps[1..].iter().all(is_explained));
    let sent: String = server.asked().iter().map(texts).collect();
    for private in ["Jane", "Doe", "4111", "987", "302-55814", "jane.doe", "one one"] {
        assert!(!sent.contains(private), "{private} was sent");
    }
    for open in ["CVV", "my card is", "thanks", "Name on card"] {
        assert!(sent.contains(open), "{open} was not sent");
    }
    // The cut-out around Step 2, 512 wide, begins at 144, 0 of the picture: the name is covered in it, the rest is not.
    let cut = &pictures(&server.asked()[0])[2];
    assert_eq!(cut.dimensions(), (512, 450));
    assert!(cut.get_pixel(340 - 144, 200)[0] < 60, "the name shows");
    assert!(cut.get_pixel(300, 60)[0] > 150, "more is covered than the name");
    assert_eq!(pictures(&server.asked()[0]).len(), 6, "an unread picture was sent");
}

#[test]
fn what_an_answer_says_of_a_person_is_left_out_and_not_kept() {
    let mut scene = Scene::new();
    let lines = vec![line("Name on card:", [300.0, 150.0, 120.0, 20.0]), line("Jane Doe", [300.0, 176.0, 80.0, 20.0])];
    scene.album.0.insert("frames/2.jpg".to_owned(), picture("frames/2.jpg", 6.0, lines));
    let server = Server::start(|_, asked| {
        // A name that only the recording tells is one, and an address that its form tells.
        let told = good_answer(asked).replace("They want", "Jane Doe wants").replace("Buy me", "jane.doe@mail.example");
        Reply::Json(completion(&told))
    });
    let (steps, costs) = scene.explain(&server);
    let told = serde_json::to_string(&steps).unwrap().to_lowercase();
    assert!(!told.contains("jane") && !told.contains("mail.example"), "{told}");
    assert!(steps[2..].iter().all(|step| step.intent == Some(Intent::Inspect)), "the rest of the answer is used");
    assert_eq!((costs.requests, costs.cached), (2, 0));
    assert_eq!(std::fs::read_dir(scene.answers.path()).unwrap().count(), 0, "such answers are not kept");
    assert_eq!(scene.explain(&server).1.requests, 2);
}

#[test]
fn an_answer_is_paid_once() {
    let scene = Scene::new();
    let server = Server::start(|_, asked| good(asked));
    let (first, _) = scene.explain(&server);
    let (second, costs) = scene.explain(&server);
    assert_eq!(first, second);
    assert_eq!((costs.requests, costs.cached, costs.input_tokens), (0, 2, 0));
    assert_eq!(server.asked().len(), 2);
    // Other words are another question.
    let mut other = scene;
    other.transcript = transcript(&[("No.", 1.0)]);
    assert!(other.explain(&server).1.requests > 0);
}

#[test]
fn a_server_without_schemas_is_asked_more_plainly() {
    let server = Server::start(|_, asked| match asked.json().get("response_format") {
        Some(format) => error(400, &format!("response_format {} is not supported", format["type"])),
        None => Reply::Json(completion(&format!("Gladly.\n```json\n{}\n```", good_answer(asked)))),
    });
    let (steps, costs) = Scene::new().explain(&server);
    assert!(steps[1..].iter().all(is_explained), "{costs:?}");
    let forms: Vec<Value> =
        server.asked().iter().map(|asked| asked.json()["response_format"]["type"].clone()).collect();
    assert_eq!(forms, [json!("json_schema"), json!("json_object"), Value::Null, Value::Null]);
}

#[test]
fn names_that_newer_servers_use_are_tried() {
    let server = Server::start(|_, asked| {
        let body = asked.json();
        if body.get("max_tokens").is_some() {
            return error(400, "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.");
        }
        if body.get("temperature").is_some() {
            return error(400, "Unsupported value: 'temperature' does not support 0.");
        }
        good(asked)
    });
    let (steps, costs) = Scene::new().explain(&server);
    assert!(steps[1..].iter().all(is_explained), "{costs:?}");
    assert_eq!(server.asked().len(), 4);
}

#[test]
fn a_wrong_answer_is_repaired_once() {
    // What is wrong with the first answer, and how the model was told.
    let rows: [(fn(&Asked) -> String, &str); 6] = [
        (|_| "I would rather not say.".to_owned(), "no JSON object"),
        (|asked| good_answer(asked).replace("\"rationale\"", "\"reason\""), "rationale"),
        (|asked| good_answer(asked).replace("inspect", "daydream"), "daydream"),
        (|_| "{\"steps\": []}".to_owned(), "one entry for each"),
        (|asked| good_answer(asked).replace("\"index\":1", "\"index\":77"), "one entry for each"),
        (|asked| good_answer(asked).replace("They want", &"long ".repeat(200)), "too long"),
    ];
    for (wrong, told) in rows {
        let server = Server::start(move |before, asked| match before {
            0 => Reply::Json(completion(&wrong(asked))),
            _ => good(asked),
        });
        let (steps, costs) = Scene::new().explain(&server);
        assert!(steps[1..].iter().all(is_explained), "{told}: {costs:?}");
        let asked = server.asked();
        assert_eq!(asked.len(), 3, "{told}");
        let repair = asked[1].json()["messages"][3]["content"].as_str().unwrap().to_owned();
        assert!(repair.contains(told), "{repair}");
    }
    let server = Server::start(|_, _| Reply::Json(completion("{}")));
    let (steps, costs) = Scene::new().explain(&server);
    assert!(steps[1..].iter().all(left_to_rules));
    assert_eq!((server.asked().len(), costs.steps_left_to_rules), (4, 6), "one repair for each group");
    assert!(costs.failures[0].contains("even after it was told"), "{:?}", costs.failures);
}

#[test]
fn a_busy_server_is_asked_again_when_it_says() {
    let server = Server::start(|before, asked| match before {
        0 => Reply::Status(429, &[("retry-after", "0.3")], "{}".to_owned()),
        1 => error(503, "overloaded"),
        2 => Reply::Close,
        _ => good(asked),
    });
    let began = Instant::now();
    let (steps, _) = Scene::new().explain(&server);
    assert!(steps[1..].iter().all(is_explained));
    assert!(began.elapsed() >= Duration::from_millis(300));
    assert_eq!(server.asked().len(), 5);
}

#[test]
fn a_server_that_stays_away_ends_the_asking_not_the_run() {
    let cut = || Reply::Cut("{\"choices\": [".to_owned());
    // The reply, requests until it is given up, and what is said of it.
    let rows: [(fn() -> Reply, usize, &str); 7] = [
        (|| error(500, "broken"), 4, "status 500"),
        (|| Reply::Silence, 4, "it took too long to answer"),
        (|| Reply::Close, 4, "cannot be reached"),
        (|| Reply::Status(429, &[("retry-after", "3600")], json!({"error": "later"}).to_string()), 1, "status 429"),
        (|| error(429, "insufficient_quota: the account is empty"), 1, "insufficient_quota"),
        (|| error(401, "Incorrect API key provided: sk-very-secret-0123"), 1, "Check OPENAI_API_KEY"),
        (|| error(404, "no such model"), 1, "no such model"),
    ];
    for (reply, requests, told) in rows.into_iter().chain([(cut as fn() -> Reply, 4, "cannot be reached")]) {
        let server = Server::start(move |_, _| reply());
        let mut scene = Scene::new();
        // Long enough for a busy machine to take the pictures in.
        scene.patience.answer = Duration::from_secs(2);
        let (steps, costs) = scene.explain(&server);
        assert!(steps[1..].iter().all(left_to_rules), "{told}");
        let said = costs.failures.join(" ");
        assert!(said.contains(told) && !said.contains(KEY), "{told}: {said}");
        assert_eq!(server.asked().len(), requests, "{told}: {said}");
        assert_eq!(costs.steps_left_to_rules, 6, "{told}");
    }
}

#[test]
fn a_model_may_decline_and_the_next_question_is_asked_all_the_same() {
    let declined =
        json!({"choices": [{"message": {"content": null, "refusal": "I cannot help."}, "finish_reason": "stop"}]});
    let filtered = json!({"choices": [{"message": {"content": ""}, "finish_reason": "content_filter"}]});
    for refusal in [declined, filtered] {
        let server = Server::start(move |before, asked| match before {
            0 => Reply::Json(refusal.clone()),
            _ => good(asked),
        });
        let (steps, costs) = Scene::new().explain(&server);
        assert!(steps[1..6].iter().all(left_to_rules) && is_explained(&steps[6]));
        assert!(costs.failures[0].contains("declined"), "{:?}", costs.failures);
        assert_eq!(server.asked().len(), 2);
    }
}

#[test]
fn an_answer_that_is_cut_off_is_asked_for_in_halves() {
    let server = Server::start(|_, asked| {
        let indices = indices(asked);
        if indices.len() > 2 {
            let mut cut = completion("{\"steps\": [");
            cut["choices"][0]["finish_reason"] = json!("length");
            return Reply::Json(cut);
        }
        if indices == [6] {
            return error(400, "This model's maximum context length is 10 tokens [context_length_exceeded]");
        }
        good(asked)
    });
    let (steps, _) = Scene::new().explain(&server);
    assert!(steps[1..6].iter().all(is_explained) && left_to_rules(&steps[6]));
    let asked: Vec<Vec<u64>> = server.asked().iter().map(indices).collect();
    assert_eq!(asked, [vec![1, 2, 3, 4, 5], vec![1, 2], vec![3, 4, 5], vec![3], vec![4, 5], vec![6]]);
}

#[test]
fn the_budget_is_a_limit() {
    for (budget, requests) in [(0, 0), (2_000, 0), (10_000, 1)] {
        let server = Server::start(|_, asked| {
            let mut answer = completion(&good_answer(asked));
            answer["usage"] = json!({"prompt_tokens": 6500, "completion_tokens": 500});
            Reply::Json(answer)
        });
        let mut scene = Scene::new();
        scene.budget = budget;
        let (steps, costs) = scene.explain(&server);
        assert_eq!(server.asked().len(), requests, "{budget}: {costs:?}");
        assert!(costs.input_tokens + costs.output_tokens <= budget, "{costs:?}");
        assert!(costs.failures[0].contains("COLLECTOR_TOKEN_BUDGET"), "{:?}", costs.failures);
        assert!(left_to_rules(&steps[6]));
    }
}

/// A small generator of chance, the same for the same seed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }
}

#[test]
fn whatever_a_server_does_every_step_is_accounted_for() {
    for seed in 0..40 {
        let mut chance = Chance(seed);
        let server = Server::start(move |_, asked| match chance.below(10) {
            0 => error([400, 401, 404, 422, 429, 500, 502][chance.below(7) as usize], "response_format max_tokens"),
            1 => Reply::Close,
            2 => Reply::Cut("{}".to_owned()),
            3 => Reply::Status(200, &[], "<html>".to_owned()),
            4 => Reply::Json(json!({"choices": []})),
            5..=7 => {
                let mut answer = good_answer(asked).into_bytes();
                for _ in 0..chance.below(6) {
                    let at = chance.below(answer.len() as u64) as usize;
                    answer[at] = b"{}[]\",:\\x0\xff"[chance.below(11) as usize];
                }
                Reply::Json(completion(&String::from_utf8_lossy(&answer)))
            }
            _ => good(asked),
        });
        let scene = Scene::new();
        let (steps, costs) = scene.explain(&server);
        assert_eq!(costs.steps_explained + costs.steps_left_to_rules, 6, "seed {seed}: {costs:?}");
        for step in &steps[1..] {
            assert!(is_explained(step) || left_to_rules(step), "seed {seed}: {step:?}");
        }
        assert!(costs.input_tokens + costs.output_tokens <= scene.budget, "seed {seed}");
        assert!(!format!("{costs:?}").contains(KEY), "seed {seed}");
    }
}
