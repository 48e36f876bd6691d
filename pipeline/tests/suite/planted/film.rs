//! Pages laid out by the real browser, filmed through the real encoders: a recording of which every private box is known.

#![allow(clippy::unwrap_used, reason = "what cannot be set up is a failed test")]

use std::path::Path;
use std::process::{Command, Stdio};

use image::RgbImage;
use media::encode::h264::H264Encoder;
use media::encode::opus::{OPUS_FRAME_SAMPLES, OPUS_RATE_HZ, OpusEncoder};
use media::frame::BgraFrame;
use media::journal::Journal;
use media::mux::FragmentWriter;
use media::time::{MediaTime, Monotonic};

pub const WIDTH: u32 = 1280;
pub const HEIGHT: u32 = 720;
/// Rows of the page below what the window shows at first; it is scrolled by them.
pub const SCROLLED: u32 = 96;
pub const FPS: u32 = 10;
/// Each page stands for 3.5 s and is scrolled away in 1.2.
pub const STILL_FRAMES: u32 = 35;
pub const MOVING_FRAMES: u32 = 12;
/// Of a voice, as the models hear it.
const VOICE_RATE_HZ: u32 = 16_000;

/// One line of marked text: its letters' place on the page.
pub struct Marked {
    pub is_private: bool,
    /// The number of a card or its code.
    pub is_card: bool,
    pub bounds: [f64; 4],
}

pub struct Page {
    pub image: RgbImage,
    pub marked: Vec<Marked>,
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

pub fn laid_out(folder: &Path, html: &str, index: usize) -> Page {
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
        is_private: pii > 0.5,
        is_card: pii > 1.5,
        bounds: [x + 1.0, y + 0.2 * height, width - 2.0, 0.6 * height],
    };
    let seen = |marked: &Marked| marked.bounds[1] + marked.bounds[3] < f64::from(HEIGHT) && marked.bounds[2] > 4.0;
    Page { image, marked: rows.into_iter().map(letters).filter(seen).collect() }
}

/// Rows that are scrolled away in a frame of a page's turn.
pub fn scrolled_by(frame: u32) -> u32 {
    SCROLLED * frame.saturating_sub(STILL_FRAMES) / MOVING_FRAMES
}

/// What a microphone heard, up to any moment asked for: silence once the voice is over.
struct Microphone<'a> {
    encoder: OpusEncoder,
    voice: &'a [f32],
    packets: usize,
}

impl Microphone<'_> {
    fn until(&mut self, secs: f64, writer: &mut FragmentWriter) {
        let each = OPUS_FRAME_SAMPLES as f64 / f64::from(OPUS_RATE_HZ);
        let times = (OPUS_RATE_HZ / VOICE_RATE_HZ) as usize;
        while (self.packets as f64 + 1.0) * each <= secs {
            let first = self.packets * OPUS_FRAME_SAMPLES;
            let samples: Vec<f32> = (first..first + OPUS_FRAME_SAMPLES)
                .map(|at| self.voice.get(at / times).copied().unwrap_or_default())
                .collect();
            for packet in self.encoder.encode(&samples).unwrap() {
                writer.audio(packet).unwrap();
            }
            self.packets += 1;
        }
    }
}

/// Left, top, right, bottom of a part of the page in which a film plays.
pub type Playing = [u32; 4];

/// What is in a film besides pages.
#[derive(Default)]
pub struct Extras<'a> {
    /// 16 kHz mono.
    pub voice: Option<&'a [f32]>,
    pub playing: Option<Playing>,
}

/// Films the pages one after the other, each turned as [`scrolled_by`] tells.
pub fn record(path: &Path, pages: &[Page], Extras { voice, playing }: Extras<'_>) {
    let (mut encoder, _) = H264Encoder::open(WIDTH, HEIGHT, FPS).unwrap();
    let mut microphone = voice.map(|voice| Microphone { encoder: OpusEncoder::open().unwrap(), voice, packets: 0 });
    let sound = microphone.as_ref().map(|microphone| &microphone.encoder);
    let mut writer = FragmentWriter::create(Journal::create(path).unwrap(), &encoder, sound, FPS).unwrap();
    let (mut index, mut shown) = (0_u32, None);
    for (number, page) in pages.iter().enumerate() {
        for frame in 0..STILL_FRAMES + MOVING_FRAMES {
            let secs = f64::from(index) / f64::from(FPS);
            let t = MediaTime::from_secs(secs);
            let key = index.is_multiple_of(FPS);
            let wanted = (number, scrolled_by(frame));
            let packets = if shown == Some(wanted) && playing.is_none() {
                encoder.repeat(t, key)
            } else {
                let rows = page.image.rows().skip(wanted.1 as usize).take(HEIGHT as usize);
                let mut data: Vec<u8> = rows.flatten().flat_map(|pixel| [pixel[2], pixel[1], pixel[0], 255]).collect();
                if let Some([left, top, right, bottom]) = playing {
                    for row in top..bottom {
                        let at = |column: u32| ((row * WIDTH + column) * 4) as usize;
                        data[at(left)..at(right)].fill((60 + index * 40 % 160) as u8);
                    }
                }
                let at = Monotonic::from_nanos(0);
                let frame = BgraFrame { width: WIDTH, height: HEIGHT, stride: WIDTH as usize * 4, data, at };
                encoder.encode(&frame, t, key)
            };
            shown = Some(wanted);
            for packet in packets.unwrap() {
                writer.video(packet).unwrap();
            }
            if let Some(microphone) = &mut microphone {
                microphone.until(secs, &mut writer);
            }
            index += 1;
        }
    }
    for packet in encoder.finish().unwrap() {
        writer.video(packet).unwrap();
    }
    writer.finish(MediaTime::from_secs(f64::from(index) / f64::from(FPS))).unwrap();
}

/// The share of a box's pixels that have the fill's brightness, give or take.
pub fn filled(bounds: [f64; 4], luma: impl Fn(u32, u32) -> u8, fill: u8) -> f64 {
    let [x, y, width, height] = bounds.map(|side| side.max(0.0) as u32);
    let places = (y..y + height.max(1)).flat_map(|row| (x..x + width.max(1)).map(move |column| (column, row)));
    let (mut inside, mut all) = (0_u32, 0_u32);
    for (column, row) in places.filter(|&(column, row)| column < WIDTH && row < HEIGHT) {
        all += 1;
        inside += u32::from(luma(column, row).abs_diff(fill) <= 10);
    }
    f64::from(inside) / f64::from(all.max(1))
}

/// The page that a frame shows: the one most of whose pixels it has.
pub fn page_of<'a>(frame: &RgbImage, pages: &'a [Page]) -> (usize, &'a Page) {
    let likeness = |page: &Page| {
        let places = (0..HEIGHT).step_by(6).flat_map(|y| (0..WIDTH).step_by(6).map(move |x| (x, y)));
        places.filter(|&(x, y)| frame.get_pixel(x, y)[1].abs_diff(page.image.get_pixel(x, y)[1]) < 24).count()
    };
    pages.iter().enumerate().max_by_key(|(_, page)| likeness(page)).unwrap()
}
