use super::*;
use crate::frame::LumaFrame;
use crate::synth::{draw_box, draw_page, draw_pointer};
use crate::time::MediaTime;

const WIDTH: u32 = 640;
const HEIGHT: u32 = 360;

fn page(page: u32, scroll: u32) -> LumaFrame {
    let mut picture = LumaFrame { width: 0, height: 0, data: Vec::new(), t: MediaTime::ZERO };
    draw_page(&mut picture, WIDTH, HEIGHT, page, scroll);
    picture
}

fn with_pointer(mut picture: LumaFrame, (x, y): (u32, u32)) -> LumaFrame {
    draw_pointer(&mut picture, x, y);
    picture
}

fn view(picture: &LumaFrame) -> LumaView<'_> {
    LumaView { width: picture.width, height: picture.height, stride: picture.width as usize, data: &picture.data }
}

fn show(meter: &mut MotionMeter, picture: &LumaFrame) -> Option<Motion> {
    meter.push(view(picture))
}

/// Shows a path; gives what was seen at its last place.
fn walk(meter: &mut MotionMeter, path: &[(u32, u32)]) -> Option<Motion> {
    path.iter().map(|place| show(meter, &with_pointer(page(1, 0), *place))).last().flatten()
}

#[track_caller]
fn check_place(motion: Option<Motion>, expected: (f64, f64)) {
    let motion = motion.unwrap();
    let (x, y) = motion.pointer.unwrap();
    assert!((x - expected.0).hypot(y - expected.1) <= 4.0, "{:?} instead of {expected:?}", (x, y));
    assert!(motion.pointer_seen);
    assert_eq!(motion.changes, [], "a move of the pointer changes nothing else");
}

const WAY: [(u32, u32); 4] = [(400, 250), (360, 210), (310, 180), (280, 150)];

#[test]
fn the_pointer_is_followed_over_words_in_long_and_short_moves() {
    let mut meter = MotionMeter::default();
    check_place(walk(&mut meter, &WAY), (280.0, 150.0));
    check_place(walk(&mut meter, &[(276, 147), (273, 146)]), (273.0, 146.0));
    check_place(walk(&mut meter, &[(90, 300)]), (90.0, 300.0));
}

#[test]
fn the_pointer_stays_where_it_is_when_the_page_changes_under_it() {
    let mut meter = MotionMeter::default();
    walk(&mut meter, &WAY);
    let motion = show(&mut meter, &with_pointer(page(2, 0), (280, 150))).unwrap();
    let (x, y) = motion.pointer.unwrap();
    assert!((x - 280.0).abs() <= 4.0 && (y - 150.0).abs() <= 4.0, "{:?}", (x, y));
    assert!(!motion.pointer_moved);
    assert!(motion.share > 0.2 && motion.shift.is_none(), "{} {:?}", motion.share, motion.shift);
}

#[test]
fn a_scrolled_page_tells_how_far() {
    for (from, to) in [(0, 30), (90, 20), (0, 140)] {
        let mut meter = MotionMeter::default();
        show(&mut meter, &with_pointer(page(1, from), (300, 200)));
        let motion = show(&mut meter, &with_pointer(page(1, to), (300, 200))).unwrap();
        assert_eq!(motion.shift, Some(to as i32 - from as i32));
    }
}

#[test]
fn a_change_is_told_with_its_place_and_a_still_picture_is_nothing() {
    let mut meter = MotionMeter::default();
    let first = page(1, 0);
    assert_eq!(show(&mut meter, &first), None, "nothing to compare with");
    assert_eq!(show(&mut meter, &first), None);
    let mut changed = first.clone();
    draw_box(&mut changed, [100, 20, 60, 30], 128);
    let motion = show(&mut meter, &changed).unwrap();
    let [blob] = motion.changes.as_slice() else { panic!("{:?}", motion.changes) };
    assert_eq!([blob.left, blob.top, blob.right, blob.bottom], [100, 20, 160, 50]);
    assert_eq!(motion.pointer, None);
    draw_page(&mut changed, 320, 200, 1, 0);
    assert_eq!(show(&mut meter, &changed), None, "a picture of another size begins anew");
    draw_page(&mut changed, 0, 0, 1, 0);
    assert_eq!(show(&mut meter, &changed), None, "a picture without pixels");
}
