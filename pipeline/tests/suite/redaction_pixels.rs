//! Planted private data, laid out by the real browser, through the real encoder, read by the real models: how much of it
//! is covered in the frames and in the playback copy, and whether prices and product numbers can still be seen.

#![expect(clippy::print_stdout, reason = "the figures are for docs/benchmarks.md")]

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::planted::film::{
    Extras, FPS, MOVING_FRAMES, Page, Playing, SCROLLED, STILL_FRAMES, filled, laid_out, page_of, record, scrolled_by,
};
use crate::planted::{Chance, pages};
use media::decode::{Picture, Sink, Sound, decode};
use media::demux::Demuxer;
use media::measure::picture::LumaView;
use shared_types::redaction::Redaction;
use tempfile::TempDir;

const SEED: u64 = 20_261_125;
const PAGES: usize = 8;
const LEAST_RECALL: f64 = 0.95;
const MOST_FALSE: f64 = 0.01;

#[derive(Default)]
struct Tally {
    private: u32,
    covered: u32,
    public: u32,
    hidden: u32,
    missed: Vec<String>,
}

impl Tally {
    /// `share` tells how much of a box is filled.
    fn add(&mut self, page: &Page, scrolled: u32, what: &str, share: impl Fn([f64; 4]) -> f64) {
        for marked in &page.marked {
            let [x, y, width, height] = marked.bounds;
            let top = y - f64::from(scrolled);
            if top < 0.0 {
                continue;
            }
            let filled = share([x, top, width, height]);
            if marked.is_private {
                self.private += 1;
                if filled >= 0.97 {
                    self.covered += 1;
                } else {
                    self.missed.push(format!("{what}: {filled:.2} of {:.0?}", marked.bounds));
                }
            } else {
                self.public += 1;
                if filled > 0.25 {
                    self.hidden += 1;
                    self.missed.push(format!("{what}: hidden {filled:.2} of {:.0?}", marked.bounds));
                }
            }
        }
    }

    fn recall(&self) -> f64 {
        f64::from(self.covered) / f64::from(self.private.max(1))
    }

    fn false_share(&self) -> f64 {
        f64::from(self.hidden) / f64::from(self.public.max(1))
    }

    #[track_caller]
    fn hold(&self, what: &str) {
        let (recall, hidden) = (self.recall(), self.false_share());
        println!("{what}: recall {recall:.4} of {}, false hits {hidden:.4} of {}", self.private, self.public);
        let some = &self.missed[..self.missed.len().min(60)];
        assert!(self.private > 50 && recall >= LEAST_RECALL, "{what}: {recall}: {some:#?}");
        assert!(self.public > 50 && hidden <= MOST_FALSE, "{what}: {hidden}: {some:#?}");
    }
}

struct Watcher<'a> {
    pages: &'a [Page],
    tally: Tally,
}

impl Sink for Watcher<'_> {
    fn picture(&mut self, picture: &mut Picture<'_>) -> ControlFlow<()> {
        let frame = (picture.t.secs() * f64::from(FPS)).round() as u32;
        let (number, turn) = (frame / (STILL_FRAMES + MOVING_FRAMES), frame % (STILL_FRAMES + MOVING_FRAMES));
        let t = picture.t.secs();
        let LumaView { stride, data, .. } = picture.luma().unwrap();
        if let Some(page) = self.pages.get(number as usize) {
            let luma = |x: u32, y: u32| data[y as usize * stride + x as usize];
            let what = format!("page {number} at {t:.2} s");
            self.tally.add(page, scrolled_by(turn), &what, |bounds| filled(bounds, luma, 56));
        }
        ControlFlow::Continue(())
    }

    fn sound(&mut self, _: &Sound<'_>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// A filmed take, and the pages it shows.
struct Filmed {
    folder: TempDir,
    pages: Vec<Page>,
}

impl Filmed {
    fn new(playing: Option<Playing>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut chance = Chance::new(SEED);
        let mut pages: Vec<Page> = (0..PAGES)
            .map(|index| laid_out(folder.path(), &pages::page(&mut chance, index * 5 + index / 4), index))
            .collect();
        record(&folder.path().join("video.mp4"), &pages, Extras { playing, ..Extras::default() });
        for page in &mut pages {
            // The film lies over what is below it, and as the page is scrolled it does so elsewhere.
            page.marked.retain(|marked| {
                let [x, y, width, height] = marked.bounds;
                playing.is_none_or(|[left, top, right, bottom]| {
                    let apart = x > f64::from(right) || x + width < f64::from(left);
                    apart || y > f64::from(bottom + SCROLLED) || y + height < f64::from(top)
                })
            });
        }
        let text =
            "min_active_secs = 5\nnarration = \"none\"\n[verdicts]\nidle = \"review\"\nfrozen_screen = \"review\"\n";
        std::fs::write(folder.path().join("policy.toml"), text).unwrap();
        Self { folder, pages }
    }

    /// The result folder of a run, with input events or without.
    fn run(&self, name: &str, events: Option<&str>) -> PathBuf {
        let path = |name: &str| self.folder.path().join(name);
        let mut command = Command::new(env!("CARGO_BIN_EXE_pipeline"));
        command.args(["run", "--playback", "--policy"]).arg(path("policy.toml")).arg(path("video.mp4"));
        if let Some(events) = events {
            std::fs::write(path("events.jsonl"), events).unwrap();
            command.arg("--events").arg(path("events.jsonl"));
        }
        let run = command.arg("--out").arg(path(name)).output().unwrap();
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        path(name)
    }

    fn playback(&self, out: &Path) -> Tally {
        let mut watcher = Watcher { pages: &self.pages, tally: Tally::default() };
        decode(&mut Demuxer::open(&out.join("playback.mp4")).unwrap(), &mut watcher).unwrap();
        watcher.tally
    }

    /// A click on every page but one in the middle and the last, on what is not private.
    fn events() -> String {
        let each = f64::from(STILL_FRAMES + MOVING_FRAMES) / f64::from(FPS);
        let clicked = (0..PAGES).filter(|index| ![PAGES / 2, PAGES - 1].contains(index));
        let click = |index: usize| {
            let t = index as f64 * each + 1.5;
            format!(
                "{{\"t\":{t},\"kind\":\"click\",\"x\":1240,\"y\":500,\"button\":\"left\",\"clicks\":1,\"t_up\":{}}}\n",
                t + 0.1
            )
        };
        clicked.map(click).collect()
    }
}

#[test]
fn planted_private_data_is_covered_in_frames_and_in_the_playback_copy() {
    let filmed = Filmed::new(None);
    let out = filmed.run("result", None);
    let plan: Redaction = serde_json::from_slice(&std::fs::read(out.join("redaction.json")).unwrap()).unwrap();
    assert!(plan.pictures.len() >= PAGES, "{}", plan.pictures.len());

    let mut frames = Tally::default();
    let listed: Vec<PathBuf> =
        std::fs::read_dir(out.join("frames")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(listed.len() >= PAGES, "{listed:?}");
    for path in listed {
        let frame = image::open(&path).unwrap().to_rgb8();
        let (number, page) = page_of(&frame, &filmed.pages);
        let luma = |x: u32, y: u32| frame.get_pixel(x, y)[1];
        frames.add(page, 0, &format!("a frame of page {number}"), |bounds| filled(bounds, luma, 46));
    }
    frames.hold("frames");
    filmed.playback(&out).hold("playback copy, pages that scroll");

    let out = filmed.run("with-events", Some(&Filmed::events()));
    filmed.playback(&out).hold("playback copy, pages on which nothing was done");
}

#[test]
fn a_page_beside_a_film_that_plays_is_covered_too() {
    let filmed = Filmed::new(Some([1000, 520, 1270, 700]));
    let first = Filmed::events().lines().next().map(|line| format!("{line}\n"));
    let out = filmed.run("playing", first.as_deref());
    filmed.playback(&out).hold("playback copy, pages that never stand still");
}
