use media::measure::picture::LumaView;
use shared_types::quality::measurements::Span;
use shared_types::transcript::Transcript;

use super::Redactor;
use super::cover::{Cover, Fill, Matcher, Patch, Patches, cut};
use crate::models::ocr::TextLine;

const WIDTH: u32 = 200;
const HEIGHT: u32 = 120;

/// A screen with strokes like those of letters from `left` on; other seeds write other words.
struct Screen(Vec<u8>);

impl Screen {
    fn new(ground: u8) -> Self {
        Self(vec![ground; (WIDTH * HEIGHT) as usize])
    }

    fn write(mut self, seed: u32, (left, top): (u32, u32), letters: u32, ink: u8) -> Self {
        let mut noise = seed.wrapping_mul(2_654_435_761).max(1);
        for letter in 0..letters {
            for _ in 0..12 {
                noise ^= noise << 13;
                noise ^= noise >> 17;
                noise ^= noise << 5;
                let (x, y, down) = (noise % 7, (noise >> 8) % 10, (noise >> 16).is_multiple_of(2));
                for step in 0..4 {
                    let (x, y) = if down { (x, y + step) } else { (x + step % 3, y) };
                    let at = (top + y) * WIDTH + left + letter * 9 + x;
                    self.0[at as usize] = ink;
                }
            }
        }
        self
    }

    fn luma(&self) -> LumaView<'_> {
        LumaView { width: WIDTH, height: HEIGHT, stride: WIDTH as usize, data: &self.0 }
    }
}

const AT: (u32, u32) = (20, 40);
const BOX: [f64; 4] = [18.0, 38.0, 94.0, 17.0];

fn patch() -> Patch {
    let screen = Screen::new(240).write(1, AT, 10, 20);
    cut(&screen.luma(), BOX, Span::new(4.0, 6.0)).expect("the box lies in the picture")
}

fn matcher() -> Matcher {
    Cover { patches: vec![patch()], ..Cover::default() }.matcher()
}

/// Whether the box is covered, and where.
#[track_caller]
fn check(screen: &Screen, t: f64, expected: &[[f64; 4]]) {
    assert_eq!(matcher().boxes(&screen.luma(), t), expected);
}

#[test]
fn a_patch_is_covered_wherever_its_pixels_show() {
    let same = Screen::new(240).write(1, AT, 10, 20);
    check(&same, 5.0, &[BOX]);
    // At any time at its place, in other light, and half typed.
    check(&same, 500.0, &[BOX]);
    check(&Screen::new(120).write(1, AT, 10, 60), 5.0, &[BOX]);
    check(&Screen::new(240).write(1, AT, 5, 20), 5.0, &[BOX]);
    // Scrolled, near the time it was read.
    let scrolled = Screen::new(240).write(1, (AT.0, AT.1 + 31), 10, 20);
    check(&scrolled, 5.0, &[[18.0, 69.0, 94.0, 17.0], BOX]);
    check(&scrolled, 50.0, &[]);
    // Something else at its place, or nothing.
    check(&Screen::new(240).write(2, AT, 10, 20), 5.0, &[]);
    check(&Screen::new(240), 5.0, &[]);
}

#[test]
fn a_box_lingers_a_moment_and_no_longer() {
    let mut matcher = matcher();
    let (same, other) = (Screen::new(240).write(1, AT, 10, 20), Screen::new(240));
    assert_eq!(matcher.boxes(&same.luma(), 5.0).len(), 1);
    assert_eq!(matcher.boxes(&other.luma(), 5.1).len(), 1);
    assert_eq!(matcher.boxes(&other.luma(), 5.3).len(), 0);
}

#[test]
fn what_is_no_picture_breaks_nothing() {
    let small = [7_u8; 12];
    let tiny = LumaView { width: 4, height: 3, stride: 4, data: &small };
    assert!(matcher().boxes(&tiny, 5.0).is_empty());
    for bounds in [[-50.0, -50.0, 10.0, 10.0], [1e9, 0.0, 5.0, 5.0], [0.0, 0.0, f64::NAN, 9.0], [0.0, 0.0, 1.0, 1.0]] {
        assert_eq!(cut(&tiny, bounds, Span::new(0.0, 1.0)), None, "{bounds:?}");
    }
    let torn = Patch { bounds: [0, 0, 100, 20], luma: vec![1, 2, 3], moves: Span::new(0.0, 1.0) };
    let fill = Fill { span: Span::new(1.0, 2.0), bounds: None };
    let mut matcher = Cover { patches: vec![torn], fills: vec![fill], mutes: Vec::new() }.matcher();
    assert_eq!(matcher.boxes(&tiny, 1.5), [[0.0, 0.0, 4.0, 3.0]]);
    assert!(matcher.boxes(&tiny, 2.5).is_empty());
}

#[test]
fn lines_get_placeholders_with_as_many_places_as_letters() {
    let line = |text: &str, y: f64| TextLine {
        text: text.into(),
        bounds: [10.0, y, 10.0 * text.chars().count() as f64, 20.0],
        confidence: 0.9,
        char_x: (0..text.chars().count()).map(|at| 15.0 + 10.0 * at as f64).collect(),
    };
    let lines = [line("Jörg: jane@example.com, 2 items $53.94", 10.0), line("Cart", 50.0)];
    let redactor = Redactor::new(&[(0.0, &lines)], 9.0, &Transcript::default(), &[]);
    let (redacted, hits) = redactor.screen(&lines);
    let redacted = redacted.into_inner();
    assert_eq!(redacted[0].text, "Jörg: [email], 2 items $53.94");
    assert_eq!(redacted[0].char_x.len(), redacted[0].text.chars().count());
    assert!(redacted[0].char_x.is_sorted(), "{:?}", redacted[0].char_x);
    assert_eq!(
        (redacted[0].char_x[0], redacted[0].char_x.last()),
        (15.0, line("Jörg: jane@example.com, 2 items $53.94", 0.0).char_x.last())
    );
    assert_eq!(redacted[1], lines[1]);
    assert_eq!(hits.len(), 1);
}

#[test]
fn beyond_the_most_patches_boxes_are_filled_while_they_show() {
    let places = [(20, 20), (20, 50), (20, 80)];
    let screens: Vec<Screen> = (1..).zip(places).map(|(seed, at)| Screen::new(240).write(seed, at, 10, 20)).collect();
    let bounds = |(x, y): (u32, u32)| [f64::from(x) - 2.0, f64::from(y) - 2.0, 94.0, 17.0];
    let mut patches = Patches::new(2);
    for (t, (screen, at)) in [1.0, 2.0, 3.0].into_iter().zip(screens.iter().zip(places)) {
        // Each is read many times, and counts once.
        for again in 0..4 {
            let t = t + f64::from(again) * 10.0;
            patches.add(&screen.luma(), bounds(at), Span::new(t - 0.5, t + 0.5));
        }
    }
    let cover = patches.into_cover(Vec::new());
    assert_eq!((cover.patches.len(), cover.fills.len()), (2, 4), "two places by their pixels, the third by its times");
    assert_eq!(cover.patches[0].moves, Span::new(0.5, 31.5));
    let mut matcher = cover.matcher();
    for (t, at) in [(3.0, 2), (33.0, 2), (13.2, 2), (1.0, 0), (2.0, 1)] {
        assert!(matcher.boxes(&screens[at].luma(), t).contains(&bounds(places[at])), "box {at} is open at {t} s");
    }
}
