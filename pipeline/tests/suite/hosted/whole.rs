//! The whole of `pipeline run --provider openai` on a filmed take full of private data: what reaches the server, what comes
//! of its answers, what it costs, and that nothing is paid twice.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;
use shared_types::step::{Source, Step};
use shared_types::summary::{Costs, Summary};
use shared_types::transcript::Transcript;
use tempfile::TempDir;

use super::explain::{good, pictures, texts};
use super::server::{Asked, Reply, Server};
use super::speech::{samples, verbose};
use crate::planted::film::{
    Extras, FPS, HEIGHT, MOVING_FRAMES, STILL_FRAMES, WIDTH, filled, laid_out, page_of, record,
};
use crate::planted::{Chance, film, pages};

const KEY: &str = "sk-very-secret-4567";
const SEED: u64 = 7;
/// A checkout, an account and a confirmation, each in another style.
const PAGES: [usize; 3] = [0, 6, 11];
const VOICE_RATE_HZ: f64 = 16_000.0;
/// A telephone number is spoken for 4.1 s; the pauses of speech are far shorter.
const NUMBER_SECS: f64 = 3.5;
/// What fills a private box, as it looks after JPEG.
const FILL: u8 = 46;
const ORDER: &str = "302-5581477-1234567";

/// A filmed take, and what of it is private.
struct Planted {
    folder: TempDir,
    pages: Vec<film::Page>,
    private: Vec<String>,
}

/// `fixtures/goal.s16le`, then `fixtures/phone.s16le`: "You can call me at four one five, five five five, zero one three
/// seven. Now I go on." by flite's voice rms.
fn voice() -> Vec<f32> {
    let heard = |bytes: &[u8]| -> Vec<f32> {
        bytes.chunks_exact(2).map(|pair| f32::from(i16::from_le_bytes([pair[0], pair[1]])) / 32_768.0).collect()
    };
    let pause = |secs: f64| vec![0.0; (secs * VOICE_RATE_HZ) as usize];
    let (goal, phone) =
        (heard(include_bytes!("../../fixtures/goal.s16le")), heard(include_bytes!("../../fixtures/phone.s16le")));
    [pause(0.3), goal, pause(0.5), phone].concat()
}

/// The values that a page marks as private: in fields of forms and in its text.
fn marked(html: &str) -> Vec<String> {
    let after = |mark: &'static str, end: char| {
        html.split(mark).skip(1).filter_map(move |rest| rest.split(end).next()).map(str::to_owned)
    };
    after("data-pii value=\"", '"').chain(after("<span data-pii>", '<')).collect()
}

impl Planted {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut chance = Chance::new(SEED);
        let html: Vec<String> = PAGES.iter().map(|&index| pages::page(&mut chance, index)).collect();
        let pages: Vec<film::Page> =
            html.iter().enumerate().map(|(index, html)| laid_out(folder.path(), html, index)).collect();
        let voice = voice();
        let extras = Extras { voice: Some(&voice), ..Extras::default() };
        record(&folder.path().join("video.mp4"), &pages, extras);
        let private: Vec<String> = html.iter().flat_map(|html| marked(html)).chain([ORDER.to_owned()]).collect();
        assert!(private.len() > 15, "{private:?}");
        let planted = Self { folder, pages, private };
        fs::write(planted.path("events.jsonl"), planted.events()).unwrap();
        let policy = "min_active_secs = 5\n[verdicts]\nidle = \"review\"\nfrozen_screen = \"review\"\n";
        fs::write(planted.path("policy.toml"), policy).unwrap();
        planted
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A click on the last private and on the last open text of each page, and typing after it.
    fn events(&self) -> String {
        let each = f64::from(STILL_FRAMES + MOVING_FRAMES) / f64::from(FPS);
        let mut lines = vec![json!({"t": 0.0, "kind": "window", "title": "Checkout - Hearth Goods - Chromium"})];
        for (index, page) in self.pages.iter().enumerate() {
            let at = |is_private: bool| {
                let found = page.marked.iter().rfind(|marked| marked.is_private == is_private);
                let [x, y, width, height] = found.unwrap().bounds;
                (x + width / 2.0, y + height / 2.0)
            };
            let begin = index as f64 * each;
            for (offset, is_private) in [(0.9, true), (1.8, false)] {
                let ((x, y), t) = (at(is_private), begin + offset);
                lines.push(
                    json!({"t": t, "kind": "click", "x": x, "y": y, "button": "left", "clicks": 1, "t_up": t + 0.1}),
                );
            }
            lines.push(json!({"t": begin + 2.2, "kind": "type", "t_end": begin + 2.5, "chars": 4}));
            lines.push(json!({"t": begin + each, "kind": "window", "title": format!("Order number: {ORDER} - Hearth Goods - Chromium")}));
        }
        lines.iter().map(|line| format!("{line}\n")).collect::<Vec<_>>().concat()
    }

    /// Runs the program; `settings` are added to its environment.
    fn run(&self, server: &Server, out: &str, settings: &[(&str, &str)]) -> Found {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pipeline"));
        command.args(["run", "--provider", "openai", "--goal", "Find black running shoes under $100"]);
        for (option, file) in [("--events", "events.jsonl"), ("--policy", "policy.toml"), ("--out", out)] {
            command.arg(option).arg(self.path(file));
        }
        command.arg(self.path("video.mp4")).env("OPENAI_BASE_URL", server.base()).env("OPENAI_API_KEY", KEY);
        for name in ["COLLECTOR_SPEECH_MODEL", "COLLECTOR_TOKEN_BUDGET", "COLLECTOR_PRICE_SOUND"] {
            command.env_remove(name);
        }
        command.env("COLLECTOR_EXPLAIN_MODEL", "seer-1").env("COLLECTOR_ANSWERS_DIR", self.path("answers"));
        command.envs([("COLLECTOR_PRICE_INPUT", "0.4"), ("COLLECTOR_PRICE_OUTPUT", "1.6")]);
        let output = command.envs(settings.iter().copied()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && !said.contains(KEY), "{said}");
        Found::read(&self.path(out))
    }
}

struct Found {
    steps: Vec<Step>,
    transcript: Transcript,
    summary: Summary,
    /// All that the result says in words.
    text: String,
}

impl Found {
    fn read(out: &Path) -> Self {
        let text = |name: &str| fs::read_to_string(out.join(name)).unwrap();
        let names = ["steps.jsonl", "transcript.json", "summary.json", "examples.jsonl", "quality.json", "report.html"];
        Self {
            steps: text("steps.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect(),
            transcript: serde_json::from_str(&text("transcript.json")).unwrap(),
            summary: serde_json::from_str(&text("summary.json")).unwrap(),
            text: names.map(text).concat(),
        }
    }

    fn costs(&self) -> &Costs {
        &self.summary.costs
    }
}

fn is_chat(asked: &Asked) -> bool {
    asked.path.ends_with("/chat/completions")
}

/// Letters and digits alone: a value may be cut and spaced in many ways.
fn squashed(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[track_caller]
fn check_words(planted: &Planted, sent: &str, whose: &str) {
    let sent = squashed(sent);
    // Three digits are found in any text by chance; the pictures show whether they were covered.
    for value in planted.private.iter().map(|value| squashed(value)).filter(|value| value.len() > 4) {
        assert!(!sent.contains(&value), "{value} is in {whose}");
    }
    for spoken in ["fouronefive", "4155550137", "fivefivefive"] {
        assert!(!sent.contains(spoken), "{spoken} is in {whose}");
    }
}

/// The private boxes that the pictures of the requests show are filled, as far as the bar of the redaction goes: what could
/// not be read cannot be found (`redaction_pixels` measures it on more pages).
fn check_pictures(planted: &Planted, asked: &[Asked]) {
    let whole = |image: &image::RgbImage| image.dimensions() == (WIDTH, HEIGHT);
    let (mut boxes, mut cards, mut open) = (0, 0, Vec::new());
    for image in asked.iter().flat_map(pictures).filter(whole) {
        let (number, page) = page_of(&image, &planted.pages);
        for marked in page.marked.iter().filter(|marked| marked.is_private) {
            boxes += 1;
            let share = filled(marked.bounds, |x, y| image.get_pixel(x, y)[1], FILL);
            cards += u32::from(marked.is_card);
            assert!(
                !marked.is_card || share >= 0.9,
                "a card on page {number} shows: {:.0?}, {share:.2}",
                marked.bounds
            );
            if share < 0.9 {
                open.push(format!("page {number}: {:.0?}, filled by {share:.2}", marked.bounds));
            }
        }
    }
    assert!(cards > 1, "{cards} boxes of cards were in the pictures");
    assert!(boxes > 15, "{boxes} private boxes were in the pictures");
    assert!(open.len() * 20 <= boxes, "{} of {boxes} private boxes show: {open:#?}", open.len());
}

/// The longest stretch without any sound at all, in seconds.
fn longest_silence(asked: &Asked) -> f64 {
    let samples = samples(asked);
    let first = samples.iter().position(|sample| *sample != 0).unwrap_or(0);
    let last = samples.iter().rposition(|sample| *sample != 0).unwrap_or(0);
    let quiet = samples[first..=last].split(|sample| *sample != 0).map(<[i16]>::len).max().unwrap_or(0);
    quiet as f64 / VOICE_RATE_HZ
}

#[test]
fn a_run_asks_a_hosted_model_about_nothing_private_and_pays_once() {
    let planted = Planted::new();
    let server = Server::start(|_, asked| if is_chat(asked) { good(asked) } else { Reply::Json(verbose(asked)) });
    let speech = [("COLLECTOR_SPEECH_MODEL", "ear-1"), ("COLLECTOR_PRICE_SOUND", "0.006")];
    let first = planted.run(&server, "first", &speech);

    let asked = server.asked();
    let (chats, sounds): (Vec<Asked>, Vec<Asked>) = asked.into_iter().partition(is_chat);
    assert!(!chats.is_empty() && sounds.len() == 1, "{} chats, {} sounds", chats.len(), sounds.len());
    check_words(&planted, &chats.iter().map(texts).collect::<Vec<_>>().join("\n"), "the questions");
    check_pictures(&planted, &chats);
    assert!(longest_silence(&sounds[0]) > NUMBER_SECS, "the spoken number was sent: {}", longest_silence(&sounds[0]));
    check_words(&planted, &first.text, "the result");
    assert!(!first.text.contains(KEY));

    // The server's words, the Steps it explained, and the bill.
    assert!(first.transcript.text().contains("word0"), "{}", first.transcript.text());
    let explained = first.steps.iter().filter(|step| step.source.get("explanation") == Some(&Source::Model)).count();
    let costs = first.costs();
    assert!(
        explained > 3 && costs.steps_explained as usize == explained && costs.steps_left_to_rules == 0,
        "{costs:?}"
    );
    let count = chats.len() as u64;
    assert_eq!((u64::from(costs.requests), costs.cached), (count + 1, 0));
    assert_eq!((costs.input_tokens, costs.output_tokens), (1000 * count, 100 * count));
    let cents = count as f64 * (1000.0 * 0.4 + 100.0 * 1.6) / 1e4 + costs.audio_secs / 60.0 * 0.6;
    assert!((costs.amount_cents.unwrap() - cents).abs() < 1e-3, "{costs:?}");
    let models = &first.summary.models;
    assert_eq!((models["explain"].as_str(), models["hosted speech"].as_str()), ("seer-1", "ear-1"));

    let again = planted.run(&server, "again", &speech);
    assert_eq!(server.asked().len(), chats.len() + 1, "the second run asked anew");
    let costs = again.costs();
    assert_eq!((costs.requests, u64::from(costs.cached), costs.amount_cents), (0, count + 1, Some(0.0)));
    assert_eq!((&again.steps, &again.transcript), (&first.steps, &first.transcript));

    // A budget that the first question would break: nothing is asked, and the run says so.
    let answers = planted.path("no-answers").display().to_string();
    let poor = planted.run(&server, "poor", &[("COLLECTOR_TOKEN_BUDGET", "300"), ("COLLECTOR_ANSWERS_DIR", &answers)]);
    assert_eq!(server.asked().len(), chats.len() + 1);
    let costs = poor.costs();
    assert_eq!((costs.requests, costs.steps_explained, costs.token_budget), (0, 0, Some(300)));
    assert!(costs.steps_left_to_rules > 0 && costs.failures[0].contains("COLLECTOR_TOKEN_BUDGET"), "{costs:?}");
    check_refused(&planted);
}

/// The verdict and the words stand without the server, and the run says what went wrong.
fn check_refused(planted: &Planted) {
    let told = json!({"error": {"message": format!("{KEY} is no key")}}).to_string();
    let server = Server::start(move |_, _| Reply::Status(401, &[], told.clone()));
    let answers = planted.path("no-answers").display().to_string();
    let found =
        planted.run(&server, "refused", &[("COLLECTOR_SPEECH_MODEL", "ear-1"), ("COLLECTOR_ANSWERS_DIR", &answers)]);
    let costs = found.costs();
    assert_eq!((costs.requests, costs.steps_explained), (0, 0));
    assert!(costs.failures.iter().any(|failure| failure.contains("OPENAI_API_KEY")), "{costs:?}");
    assert!(costs.failures.iter().any(|failure| failure.starts_with("The words are the local model's")), "{costs:?}");
    assert!(!found.text.contains(KEY), "the key is in the result");
    assert!(found.transcript.text().to_lowercase().contains("black running shoes"), "{}", found.transcript.text());
}
