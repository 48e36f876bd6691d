//! Planted private data, laid out by the real browser, through the real encoder, read by the real models: how much of it
//! is covered in the frames and in the playback copy, and whether prices and product numbers can still be seen.

#![expect(clippy::unwrap_used, reason = "what cannot be set up is a failed test")]
#![expect(clippy::print_stdout, reason = "the figures are for docs/benchmarks.md")]

mod planted;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use image::RgbImage;
use media::decode::{Picture, Sink, Sound, decode};
use media::demux::Demuxer;
use media::encode::h264::H264Encoder;
use media::frame::BgraFrame;
use media::journal::Journal;
use media::measure::picture::LumaView;
use media::mux::FragmentWriter;
use media::time::{MediaTime, Monotonic};
use planted::{Chance, pages};
use shared_types::redaction::Redaction;

const SEED: u64 = 20_261_125;
const PAGES: usize = 8;
const WIDTH: u32 = 1280;
const HEIGHT: u32 = 720;
/// Rows of the page below what the window shows at first; it is scrolled by them.
const SCROLLED: u32 = 96;
const FPS: u32 = 10;
/// Each page stands for 3.5 s and is scrolled away in 1.2.
const STILL_FRAMES: u32 = 35;
const MOVING_FRAMES: u32 = 12;
const LEAST_RECALL: f64 = 0.95;
const MOST_FALSE: f64 = 0.01;

/// One line of marked text: its letters' place on the page.
struct Marked {
    is_private: bool,
    bounds: [f64; 4],
}

struct Page {
    image: RgbImage,
    marked: Vec<Marked>,
}

fn browser(arguments: &[&str]) -> Vec<u8> {
    let program = ["chromium", "chromium-browser", "google-chrome"]
        .into_iter()
        .find(|name| Command::new(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok())
        .expect("there is no Chromium, and this test lays its pages out with it: run ./dev setup");
    let output = Command::new(program)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--force-device-scale-factor=1"])
        .args(arguments)
        .stderr(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "{program} {arguments:?}");
    output.stdout
}

fn laid_out(folder: &Path, html: &str, index: usize) -> Page {
    let (page, picture) = (folder.join(format!("{index}.html")), folder.join(format!("{index}.png")));
    std::fs::write(&page, html).unwrap();
    let address = format!("file://{}", page.display());
    // The window is higher than the page, since some versions take their own bars off its height.
    let size = "--window-size=1280,1000";
    browser(&[size, &format!("--screenshot={}", picture.display()), &address]);
    let dom = String::from_utf8(browser(&[size, "--dump-dom", &address])).unwrap();
    let truth = dom.split_once("<pre id=\"truth\">").and_then(|(_, rest)| rest.split_once("</pre>")).unwrap().0;
    let rows: Vec<[f64; 5]> = serde_json::from_str(truth).unwrap();
    let image = image::open(&picture).unwrap().to_rgb8();
    assert!(image.width() == WIDTH && image.height() >= HEIGHT + SCROLLED, "{:?}", image.dimensions());
    // A text's box is higher than its letters.
    let letters = |[pii, x, y, width, height]: [f64; 5]| Marked {
        is_private: pii == 1.0,
        bounds: [x + 1.0, y + 0.2 * height, width - 2.0, 0.6 * height],
    };
    let seen = |marked: &Marked| marked.bounds[1] + marked.bounds[3] < f64::from(HEIGHT) && marked.bounds[2] > 4.0;
    Page { image, marked: rows.into_iter().map(letters).filter(seen).collect() }
}

/// Rows that are scrolled away in a frame of a page's turn.
fn scrolled_by(frame: u32) -> u32 {
    SCROLLED * frame.saturating_sub(STILL_FRAMES) / MOVING_FRAMES
}

fn record(path: &Path, pages: &[Page]) {
    let (mut encoder, _) = H264Encoder::open(WIDTH, HEIGHT, FPS).unwrap();
    let mut writer = FragmentWriter::create(Journal::create(path).unwrap(), &encoder, None, FPS).unwrap();
    let (mut index, mut shown) = (0_u32, None);
    for (number, page) in pages.iter().enumerate() {
        for frame in 0..STILL_FRAMES + MOVING_FRAMES {
            let t = MediaTime::from_secs(f64::from(index) / f64::from(FPS));
            let key = index.is_multiple_of(FPS);
            let wanted = (number, scrolled_by(frame));
            let packets = if shown == Some(wanted) {
                encoder.repeat(t, key)
            } else {
                let rows = page.image.rows().skip(wanted.1 as usize).take(HEIGHT as usize);
                let data = rows.flatten().flat_map(|pixel| [pixel[2], pixel[1], pixel[0], 255]).collect();
                let at = Monotonic::from_nanos(0);
                let frame = BgraFrame { width: WIDTH, height: HEIGHT, stride: WIDTH as usize * 4, data, at };
                encoder.encode(&frame, t, key)
            };
            shown = Some(wanted);
            for packet in packets.unwrap() {
                writer.video(packet).unwrap();
            }
            index += 1;
        }
    }
    for packet in encoder.finish().unwrap() {
        writer.video(packet).unwrap();
    }
    writer.finish(MediaTime::from_secs(f64::from(index) / f64::from(FPS))).unwrap();
}

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

/// The share of a box's pixels that have the fill's brightness, give or take.
fn filled(bounds: [f64; 4], luma: impl Fn(u32, u32) -> u8, fill: u8) -> f64 {
    let [x, y, width, height] = bounds.map(|side| side.max(0.0) as u32);
    let places = (y..y + height.max(1)).flat_map(|row| (x..x + width.max(1)).map(move |column| (column, row)));
    let (mut inside, mut all) = (0_u32, 0_u32);
    for (column, row) in places.filter(|&(column, row)| column < WIDTH && row < HEIGHT) {
        all += 1;
        inside += u32::from(luma(column, row).abs_diff(fill) <= 10);
    }
    f64::from(inside) / f64::from(all.max(1))
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

/// The page that a frame shows: the one most of whose pixels it has.
fn page_of<'a>(frame: &RgbImage, pages: &'a [Page]) -> (usize, &'a Page) {
    let likeness = |page: &Page| {
        let places = (0..HEIGHT).step_by(6).flat_map(|y| (0..WIDTH).step_by(6).map(move |x| (x, y)));
        places.filter(|&(x, y)| frame.get_pixel(x, y)[1].abs_diff(page.image.get_pixel(x, y)[1]) < 24).count()
    };
    pages.iter().enumerate().max_by_key(|(_, page)| likeness(page)).unwrap()
}

#[test]
fn planted_private_data_is_covered_in_frames_and_in_the_playback_copy() {
    let folder = tempfile::tempdir().unwrap();
    let mut chance = Chance::new(SEED);
    let pages: Vec<Page> = (0..PAGES)
        .map(|index| laid_out(folder.path(), &pages::page(&mut chance, index * 5 + index / 4), index))
        .collect();
    let (video, out, policy) =
        (folder.path().join("video.mp4"), folder.path().join("result"), folder.path().join("policy.toml"));
    record(&video, &pages);
    let text = "min_active_secs = 5\nnarration = \"none\"\n[verdicts]\nidle = \"review\"\nfrozen_screen = \"review\"\n";
    std::fs::write(&policy, text).unwrap();
    let run = Command::new(env!("CARGO_BIN_EXE_pipeline"))
        .args(["run", "--playback", "--policy"])
        .arg(&policy)
        .arg(&video)
        .arg("--out")
        .arg(&out)
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));

    let plan: Redaction = serde_json::from_slice(&std::fs::read(out.join("redaction.json")).unwrap()).unwrap();
    assert!(plan.pictures.len() >= PAGES, "{}", plan.pictures.len());

    let mut frames = Tally::default();
    let listed: Vec<PathBuf> =
        std::fs::read_dir(out.join("frames")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(listed.len() >= PAGES, "{listed:?}");
    for path in listed {
        let frame = image::open(&path).unwrap().to_rgb8();
        let (number, page) = page_of(&frame, &pages);
        let luma = |x: u32, y: u32| frame.get_pixel(x, y)[1];
        frames.add(page, 0, &format!("a frame of page {number}"), |bounds| filled(bounds, luma, 46));
    }
    let mut watcher = Watcher { pages: &pages, tally: Tally::default() };
    decode(&mut Demuxer::open(&out.join("playback.mp4")).unwrap(), &mut watcher).unwrap();
    frames.hold("frames");
    watcher.tally.hold("playback copy, pages that scroll");
}
