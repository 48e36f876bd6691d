use media::frame::LumaFrame;
use media::synth::{draw_box, draw_page, draw_pointer};
use media::time::MediaTime;
use shared_types::quality::measurements::ActivityMeasures;

use super::acts::acts;
use super::*;

const WIDTH: u32 = 640;
const HEIGHT: u32 = 360;
const PICTURE_SECS: f64 = 1.0 / 30.0;
const WHERE: (u32, u32) = (300, 200);
const FIELD: [u32; 4] = [60, 240, 200, 24];

/// A made screen and what was traced of it.
struct Screen {
    tracer: Tracer,
    meter_knows: LumaFrame,
    pictures: u32,
    page: u32,
    scroll: u32,
    pointer: (u32, u32),
    /// Drawn over the page: boxes with their brightness.
    boxes: Vec<([u32; 4], u8)>,
}

impl Screen {
    /// The pointer has been moved, so that its form is known, and has come to rest.
    fn new() -> Self {
        let meter_knows = LumaFrame { width: 0, height: 0, data: Vec::new(), t: MediaTime::ZERO };
        let (tracer, pointer) = (Tracer::default(), (560, 60));
        let mut screen = Self { tracer, meter_knows, pictures: 0, page: 1, scroll: 0, pointer, boxes: Vec::new() };
        screen.boxes.push((FIELD, 255));
        screen.rest(0.2);
        screen.go(WHERE);
        screen.rest(0.5);
        screen
    }

    fn show(&mut self) {
        let picture = &mut self.meter_knows;
        draw_page(picture, WIDTH, HEIGHT, self.page, self.scroll);
        for (bounds, luma) in &self.boxes {
            draw_box(picture, *bounds, *luma);
        }
        draw_pointer(picture, self.pointer.0, self.pointer.1);
        let view = LumaView { width: WIDTH, height: HEIGHT, stride: WIDTH as usize, data: &picture.data };
        let t = f64::from(self.pictures) * PICTURE_SECS;
        self.tracer.push(view, t, true);
        self.pictures += 1;
    }

    fn rest(&mut self, secs: f64) {
        (0..(secs / PICTURE_SECS).round() as u32).for_each(|_| self.show());
    }

    /// Moves the pointer as a hand does: fast at first, slowly in the end.
    fn go(&mut self, (x, y): (u32, u32)) {
        let nearer = |from: u32, to: u32| {
            let left = i64::from(to) - i64::from(from);
            (i64::from(from) + if left.abs() < 3 { left.signum() } else { left / 3 }) as u32
        };
        while self.pointer != (x, y) {
            self.pointer = (nearer(self.pointer.0, x), nearer(self.pointer.1, y));
            self.show();
        }
    }

    fn acts(self) -> Vec<SeenAct> {
        acts(&self.tracer.finish())
    }
}

#[track_caller]
fn check(screen: Screen, expected: &[&str]) -> Vec<SeenAct> {
    let acts = screen.acts();
    let told: Vec<&str> = acts
        .iter()
        .map(|act| match act.kind {
            SeenKind::Click => "click",
            SeenKind::Scroll { pixels } if pixels > 0 => "scroll down",
            SeenKind::Scroll { .. } => "scroll up",
            SeenKind::Type { .. } => "type",
            SeenKind::Enter => "enter",
        })
        .collect();
    assert_eq!(told, expected, "{acts:?}");
    assert!(acts.iter().all(|act| act.confidence < 0.9), "nothing seen alone is sure: {acts:?}");
    acts
}

#[test]
fn a_page_that_changes_while_the_pointer_rests_was_clicked() {
    let mut screen = Screen::new();
    screen.page = 2;
    screen.rest(1.0);
    let acts = check(screen, &["click"]);
    let (x, y) = acts[0].pointer.unwrap();
    assert!((x - 300.0).abs() <= 4.0 && (y - 200.0).abs() <= 4.0, "{x} {y}");
    assert!(acts[0].may_open_page());
}

#[test]
fn a_page_that_loads_in_pieces_was_clicked_once() {
    let mut screen = Screen::new();
    screen.page = 2;
    screen.rest(0.5);
    screen.boxes.push(([20, 60, 300, 120], 90));
    screen.rest(1.5);
    screen.boxes.push(([340, 60, 280, 120], 120));
    screen.rest(1.0);
    check(screen, &["click"]);
}

#[test]
fn what_answers_to_the_moving_pointer_is_no_click() {
    let mut screen = Screen::new();
    screen.go((200, 252));
    screen.boxes.push((FIELD, 200));
    screen.rest(1.0);
    check(screen, &[]);
}

#[test]
fn a_control_that_changes_under_the_resting_pointer_was_clicked() {
    let mut screen = Screen::new();
    screen.go((200, 252));
    screen.rest(0.5);
    screen.boxes.push((FIELD, 200));
    screen.rest(1.0);
    let acts = check(screen, &["click"]);
    assert!(!acts[0].may_open_page());
}

#[test]
fn what_happens_far_from_the_pointer_and_is_small_is_nobodys_doing() {
    let mut screen = Screen::new();
    screen.rest(1.5);
    screen.boxes.push(([500, 300, 60, 30], 128));
    screen.rest(2.0);
    check(screen, &[]);
}

#[test]
fn what_answers_elsewhere_soon_after_the_pointer_came_was_perhaps_a_click() {
    let mut screen = Screen::new();
    screen.boxes.push(([500, 300, 60, 30], 128));
    screen.rest(2.0);
    let acts = check(screen, &["click"]);
    assert!(acts[0].confidence <= 0.4);
}

#[test]
fn a_control_that_loses_its_highlight_as_the_pointer_goes_was_not_clicked() {
    let mut screen = Screen::new();
    screen.boxes.push(([270, 180, 90, 40], 200));
    screen.go((310, 206));
    screen.rest(1.5);
    screen.boxes.pop();
    screen.show();
    screen.go((500, 300));
    screen.rest(1.0);
    check(screen, &[]);
}

#[test]
fn a_page_that_moves_at_once_was_scrolled_where_it_moves_on_both_sides_of_the_pointer() {
    let mut screen = Screen::new();
    // The browser's bars, which stay; that they come looks like a click.
    screen.boxes.push(([0, 0, WIDTH, 60], 225));
    screen.rest(2.0);
    screen.scroll += 60;
    screen.rest(2.0);
    let acts = check(screen, &["click", "scroll down"]);
    assert_eq!(acts[1].kind, SeenKind::Scroll { pixels: 60 });
    assert!(acts[1].confidence <= 0.5, "it may have been a click");
}

#[test]
fn a_letter_beside_the_pointer_is_not_the_pointer() {
    let mut screen = Screen::new();
    screen.go((100, 250));
    screen.rest(0.5);
    for letter in 0..8 {
        screen.boxes.push(([66 + letter * 11, 245, 7, 12], 20));
        screen.rest(0.2);
    }
    screen.rest(0.6);
    screen.go((400, 120));
    screen.rest(0.5);
    screen.page = 2;
    screen.rest(1.0);
    let acts = check(screen, &["click", "type", "click"]);
    let (x, y) = acts[2].pointer.unwrap();
    assert!((x - 400.0).abs() <= 4.0 && (y - 120.0).abs() <= 4.0, "{x} {y}");
}

#[test]
fn a_page_that_moves_was_scrolled() {
    let mut screen = Screen::new();
    for _ in 0..5 {
        screen.scroll += 24;
        screen.show();
    }
    screen.rest(2.0);
    for _ in 0..5 {
        screen.scroll -= 24;
        screen.show();
    }
    screen.rest(1.0);
    let acts = check(screen, &["scroll down", "scroll up"]);
    assert_eq!(acts[0].kind, SeenKind::Scroll { pixels: 120 });
}

#[test]
fn letters_that_appear_one_by_one_were_typed_and_sent_off_with_enter() {
    let mut screen = Screen::new();
    screen.go((100, 252));
    screen.rest(0.5);
    for letter in 0..6 {
        screen.boxes.push(([66 + letter * 11, 245, 7, 12], 20));
        screen.rest(0.2);
    }
    screen.rest(0.3);
    screen.page = 2;
    screen.boxes.clear();
    screen.rest(1.0);
    let acts = check(screen, &["click", "type", "enter"]);
    let SeenKind::Type { row } = acts[1].kind else { panic!("{acts:?}") };
    assert!(row[0] <= 70 && row[2] >= 120 && row[1] >= 240 && row[3] <= 262, "{row:?}");
}

#[test]
fn an_empty_take_and_one_without_a_pointer_hold_nothing_sure() {
    assert_eq!(acts(&Trace::default()), []);
    let mut tracer = Tracer::default();
    let mut picture = LumaFrame { width: 0, height: 0, data: Vec::new(), t: MediaTime::ZERO };
    for index in 0..90 {
        draw_page(&mut picture, WIDTH, HEIGHT, index / 45, 0);
        let view = LumaView { width: WIDTH, height: HEIGHT, stride: WIDTH as usize, data: &picture.data };
        tracer.push(view, f64::from(index) * PICTURE_SECS, true);
    }
    let acts = acts(&tracer.finish());
    assert!(acts.iter().all(|act| act.pointer.is_none() && act.confidence <= 0.4), "{acts:?}");
}

/// Clicks every second, the pointer leaping to each place.
#[test]
fn a_programs_clicks_show_in_the_numbers() {
    let mut screen = Screen::new();
    for index in 0..10 {
        screen.pointer = [(100, 80), (320, 80), (500, 80)][index % 3];
        screen.rest(0.3);
        screen.page += 1;
        // The title on the tab.
        screen.boxes = vec![([40, 10, 100, 12], 30 * (index as u8 % 3))];
        screen.rest(0.7);
    }
    let trace = screen.tracer.finish();
    let acts = acts(&trace);
    let activity = ActivityMeasures::default();
    let mut measurements = Measurements { activity: Some(activity), ..Measurements::default() };
    trace.measure(&acts, &mut measurements);
    let activity = measurements.activity.unwrap();
    assert_eq!(activity.actions, 10);
    assert!(activity.gap_variation.unwrap() < 0.1, "{activity:?}");
    assert!(activity.jump_share.unwrap() > 0.5, "{activity:?}");
    assert_eq!(activity.gap_repeat_share, None);

    let from_events = ActivityMeasures { from_events: true, ..ActivityMeasures::default() };
    measurements.activity = Some(from_events.clone());
    trace.measure(&acts, &mut measurements);
    assert_eq!(measurements.activity, Some(from_events), "what events tell stands");
}
