//! Text, targets, addresses and typed words read from a rendered page (`fixtures/shop_page.html`).

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use media::frame::RgbFrame;
use media::time::MediaTime;
use pipeline::config::Config;
use pipeline::models::catalog;
use pipeline::models::ocr::{Ocr, TextLine};
use pipeline::passes::read_screen::{Picture, address_bar, is_browsers, target_at, typed_text};

/// One for all tests: loading is cheap, but reading the page twice is not.
static OCR: Mutex<Option<Ocr>> = Mutex::new(None);

fn fixture(name: &str) -> RgbFrame {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    let picture = image::open(path).expect("the fixture is a picture").to_rgb8();
    RgbFrame { width: picture.width(), height: picture.height(), data: picture.into_raw(), t: MediaTime::ZERO }
}

fn models() -> PathBuf {
    Config::from_env().expect("HOME or COLLECTOR_MODELS_DIR is set").models_dir.join(catalog::OCR)
}

fn read(frame: &RgbFrame) -> Vec<TextLine> {
    let mut ocr = OCR.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let ocr = ocr.get_or_insert_with(|| Ocr::load(&models()).unwrap_or_else(|error| panic!("{error}")));
    ocr.read(frame, None).expect("the models run")
}

#[test]
fn every_word_of_the_page_is_read_where_it_stands() {
    let frame = fixture("shop_page.png");
    let lines = read(&frame);
    let texts: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
    for expected in [
        "Lanterns - Hearth Goods",
        "hearth.example/c/lanterns?page=2",
        "Kitchen",
        "Search the shop",
        "Under $50",
        "Tin Candle Lamp",
        "$58.25",
        "Show results",
    ] {
        assert!(texts.contains(&expected), "{expected:?} is missing in {texts:?}");
    }
    let title = lines.iter().find(|line| line.text == "Tin Candle Lamp").unwrap();
    let words = title.words();
    let places: Vec<(&str, bool)> = words
        .iter()
        .zip([(468.0, 491.0), (497.0, 549.0), (554.0, 594.0)])
        .map(|(word, (left, right))| {
            let close = (word.bounds[0] - left).abs() < 8.0 && (word.bounds[0] + word.bounds[2] - right).abs() < 8.0;
            (word.text.as_str(), close)
        })
        .collect();
    assert_eq!(places, [("Tin", true), ("Candle", true), ("Lamp", true)], "{words:?}");
}

#[test]
fn targets_are_found_by_layout() {
    let frame = fixture("shop_page.png");
    let lines = read(&frame);
    let check = |at: (f64, f64), text: &str, role: &str| {
        let target = target_at(&frame, &lines, at.0, at.1).unwrap_or_else(|| panic!("nothing at {at:?} for {text}"));
        assert_eq!((target.text.as_deref(), target.role.as_deref()), (Some(text), Some(role)), "at {at:?}");
        let [left, top, width, height] = target.bounds.unwrap();
        let holds =
            (left - 30.0..left + width + 4.0).contains(&at.0) && (top - 4.0..top + height + 4.0).contains(&at.1);
        assert!(holds, "{text} at {at:?} has the box {:?}", target.bounds);
    };
    check((18.0, 58.0), "Back", "button");
    check((57.0, 57.0), "Forward", "button");
    check((93.0, 57.0), "Reload", "button");
    check((600.0, 57.0), "Address and search bar", "textbox");
    check((100.0, 20.0), "Lanterns - Hearth Goods", "tab");
    check((190.0, 105.0), "Kitchen", "link");
    check((520.0, 100.0), "Search the shop", "textbox");
    check((30.0, 184.0), "Brass (12)", "checkbox");
    check((80.0, 212.0), "Copper (4)", "checkbox");
    check((32.0, 289.0), "Under $50", "radio");
    check((350.0, 220.0), "Storm Lantern $34.50", "link");
    check((600.0, 170.0), "Tin Candle Lamp $19.00", "link");
    check((490.0, 338.0), "Tin Candle Lamp $19.00", "link");
    check((400.0, 415.0), "Email for news", "textbox");
    check((250.0, 480.0), "Show results", "button");
    check((425.0, 462.0), "Clear all", "button");
    assert_eq!(target_at(&frame, &lines, 700.0, 580.0), None, "an empty place is no target");
}

#[test]
fn the_address_is_read_and_a_page_alone_has_none() {
    let frame = fixture("shop_page.png");
    let lines = read(&frame);
    assert_eq!(address_bar(&frame, &lines).unwrap().url, "hearth.example/c/lanterns?page=2");
    let page_only: Vec<TextLine> = lines.into_iter().filter(|line| line.bounds[1] > 78.0).collect();
    assert_eq!(address_bar(&frame, &page_only), None);
}

#[test]
fn typed_words_are_what_the_field_shows_more() {
    let (before, after) = (fixture("shop_page.png"), fixture("shop_page_typed.png"));
    let (lines_before, lines_after) = (read(&before), read(&after));
    let typed = |near, chars| {
        let before = Picture { frame: &before, lines: &lines_before };
        typed_text(before, Picture { frame: &after, lines: &lines_after }, near, chars).map(|typed| typed.text)
    };
    assert_eq!(typed(Some((460.0, 105.0)), 11).as_deref(), Some("copper lamp"));
    assert_eq!(typed(None, 11).as_deref(), Some("copper lamp"));
    assert_eq!(typed(Some((460.0, 105.0)), 6).as_deref(), Some("copper"), "completed beyond what was typed");
}

#[test]
fn a_region_is_read_alone() {
    let frame = fixture("shop_page.png");
    let mut ocr = Ocr::load(&models()).unwrap_or_else(|error| panic!("{error}"));
    let lines = ocr.read(&frame, Some([220.0, 440.0, 340.0, 80.0])).unwrap();
    let texts: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
    assert_eq!(texts, ["Show results", "Clear all"]);
}

/// What a reader remembers saves work and changes nothing: after other pages, of which it can only keep the last few, it reads
/// a page as one does that has read nothing yet.
#[test]
fn after_many_pages_a_page_is_read_as_by_a_fresh_reader() {
    let (page, typed) = (fixture("shop_page.png"), fixture("shop_page_typed.png"));
    read(&page);
    // More pages than are remembered, each of another size, as they are nowhere the same: a column of the page each.
    for left in [0_u32, 20, 40, 60, 80, 100] {
        let width = 240 + left;
        let rows = page.data.chunks_exact(page.width as usize * 3).take(200);
        let data = rows.flat_map(|row| row[left as usize * 3..(left + width) as usize * 3].to_vec()).collect();
        read(&RgbFrame { width, height: 200, data, t: MediaTime::ZERO });
    }
    let mut fresh = Ocr::load(&models()).unwrap_or_else(|error| panic!("{error}"));
    for frame in [&typed, &page] {
        let (remembering, anew) = (read(frame), fresh.read(frame, None).unwrap());
        let texts = |lines: &[TextLine]| lines.iter().map(|line| line.text.clone()).collect::<Vec<_>>();
        assert_eq!(texts(&remembering), texts(&anew));
        for (one, other) in remembering.iter().zip(&anew) {
            let far = one.bounds.iter().zip(other.bounds).any(|(a, b)| (a - b).abs() > 4.0);
            assert!(!far, "{}: {:?} and {:?}", one.text, one.bounds, other.bounds);
        }
    }
}

/// The page below the browser's bars, moved up; what comes in below is the page's beginning again.
fn scrolled(page: &RgbFrame, by: usize) -> RgbFrame {
    const BARS: usize = 80;
    let rows: Vec<&[u8]> = page.data.chunks_exact(page.width as usize * 3).collect();
    let (bars, shown) = rows.split_at(BARS);
    let data = bars.iter().chain(&shown[by..]).chain(&shown[..by]).copied().collect::<Vec<_>>().concat();
    RgbFrame { data, ..page.clone() }
}

#[test]
fn a_scrolled_page_is_read_as_by_a_fresh_reader() {
    let page = fixture("shop_page.png");
    let texts = |lines: &[TextLine]| lines.iter().map(|line| line.text.clone()).collect::<Vec<_>>();
    let mut remembering = Ocr::load(&models()).unwrap_or_else(|error| panic!("{error}"));
    remembering.read(&page, None).unwrap();
    for by in [72, 210] {
        let frame = scrolled(&page, by);
        let mut fresh = Ocr::load(&models()).unwrap_or_else(|error| panic!("{error}"));
        let (one, other) = (remembering.read(&frame, None).unwrap(), fresh.read(&frame, None).unwrap());
        assert_eq!(texts(&one), texts(&other), "scrolled by {by}");
    }
}

/// On this rests that stretches of pictures are read alike by whoever reads them.
#[test]
fn what_is_forgotten_leaves_nothing_behind() {
    let (page, typed) = (fixture("shop_page.png"), fixture("shop_page_typed.png"));
    let mut ocr = Ocr::load(&models()).unwrap_or_else(|error| panic!("{error}"));
    let fresh = ocr.read(&typed, None).unwrap();
    ocr.read(&page, None).unwrap();
    ocr.forget();
    assert_eq!(ocr.read(&typed, None).unwrap(), fresh);
}

#[test]
fn a_missing_model_says_how_to_get_it() {
    let error = Ocr::load(Path::new("/no/models/here")).err().unwrap().to_string();
    assert!(error.contains("PP-OCRv6_det_small.rten") && error.contains("./dev setup"), "{error}");
}

#[test]
fn an_empty_address_field_is_known_by_where_it_lies() {
    let frame = fixture("new_tab.png");
    let lines = read(&frame);
    let at = |x: f64, y: f64| target_at(&frame, &lines, x, y).and_then(|target| target.text);
    assert_eq!(at(262.0, 63.0).as_deref(), Some("Address and search bar"));
    assert_eq!(at(24.0, 62.0).as_deref(), Some("Back"));
    assert_eq!(at(640.0, 300.0), None, "below it the page begins");
    assert!(is_browsers(&frame, &lines, 62.0) && !is_browsers(&frame, &lines, 300.0));
}
