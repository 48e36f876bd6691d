//! The screen and the input of real X servers, each test with an Xvfb of its own.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "helpers of tests: what cannot be set up is a failed test")]

mod xvfb;

use std::time::{Duration, Instant};

use capture::display::{DisplayError, Session};
use capture::input::{self, InputError, KeyName, RawInput, RawKind, pause_key};
use capture::screen::{self, Grab, ScreenError, blank_frame};
use crossbeam_channel::Receiver;
use media::frame::BgraFrame;
use x11rb::protocol::xproto::{AtomEnum, ConnectionExt as _, InputFocus, PropMode};
use x11rb::wrapper::ConnectionExt as _;
use xvfb::{BLUE, Desk, GREEN, MAGENTA, POINTER_HOT_SPOT, POINTER_SIDE, Xvfb, pixel};

const DEADLINE: Duration = Duration::from_secs(20);

/// The corner and the size of all that has the pointer's colour.
fn pointer_in(frame: &BgraFrame) -> Option<(u32, u32, u32, u32)> {
    let spots: Vec<_> = (0..frame.height)
        .flat_map(|y| (0..frame.width).map(move |x| (x, y)))
        .filter(|&(x, y)| pixel(frame, x, y) == MAGENTA)
        .collect();
    let left = spots.iter().map(|spot| spot.0).min()?;
    let right = spots.iter().map(|spot| spot.0).max()?;
    let (top, bottom) = (spots.first()?.1, spots.last()?.1);
    Some((left, top, right - left + 1, bottom - top + 1))
}

fn check_picture(server_arguments: &[&str]) {
    let server = Xvfb::start("1280x720x24", server_arguments);
    let desk = Desk::new(&server);
    let session = server.session();
    let screens = screen::list(&session).unwrap();
    assert_eq!(screens.len(), 1);
    assert_eq!((screens[0].width, screens[0].height, screens[0].primary), (1280, 720, true));

    desk.window(100, 60, 200, 100, GREEN);
    desk.move_pointer(700, 500);
    let mut source = screen::open(&session, Some(&screens[0].id)).unwrap();
    let mut frame = blank_frame();
    assert_eq!(source.latest(&mut frame).unwrap(), Grab::Changed);
    assert_eq!((frame.width, frame.height, frame.stride, frame.data.len()), (1280, 720, 5120, 5120 * 720));
    for (x, y, colour) in [(100, 60, GREEN), (299, 159, GREEN), (99, 60, BLUE), (300, 159, BLUE), (1279, 719, BLUE)] {
        assert_eq!(pixel(&frame, x, y), colour, "at {x}, {y}");
    }
    let (hot_x, hot_y) = POINTER_HOT_SPOT;
    assert_eq!(pointer_in(&frame), Some((700 - hot_x, 500 - hot_y, POINTER_SIDE, POINTER_SIDE)));

    let memory = frame.data.as_ptr();
    assert_eq!(source.latest(&mut frame).unwrap(), Grab::Same, "nothing moved");
    desk.move_pointer(1278, 0);
    assert_eq!(source.latest(&mut frame).unwrap(), Grab::Changed, "the pointer is part of the picture");
    assert_eq!(
        pointer_in(&frame),
        Some((1278 - hot_x, 0, hot_x + 2, POINTER_SIDE - hot_y)),
        "cut off at the corner, and gone from where it was"
    );
    desk.window(0, 700, 10, 10, GREEN);
    assert_eq!(source.latest(&mut frame).unwrap(), Grab::Changed);
    assert_eq!(pixel(&frame, 5, 705), GREEN);
    assert_eq!(frame.data.as_ptr(), memory, "the buffer is used again");
}

#[test]
fn the_picture_has_its_colours_and_the_pointer_and_tells_when_nothing_changed() {
    check_picture(&[]);
}

#[test]
fn a_display_without_shared_memory_gives_the_same_picture() {
    check_picture(&["-extension", "MIT-SHM"]);
}

#[test]
fn one_monitor_of_several_is_recorded() {
    let server = Xvfb::start("1280x720x24", &[]);
    let desk = Desk::new(&server);
    let session = server.session();
    desk.monitor("LEFT", 0, 0, 800, 720);
    desk.monitor("RIGHT", 800, 0, 480, 720);
    let ids: Vec<_> = screen::list(&session).unwrap().into_iter().map(|screen| screen.id).collect();
    assert!(ids.contains(&"LEFT".to_owned()) && ids.contains(&"RIGHT".to_owned()), "{ids:?}");

    desk.window(800, 0, 10, 10, GREEN);
    desk.move_pointer(100, 100);
    let mut source = screen::open(&session, Some("RIGHT")).unwrap();
    let mut frame = blank_frame();
    source.latest(&mut frame).unwrap();
    assert_eq!((frame.width, frame.height), (480, 720));
    assert_eq!((pixel(&frame, 9, 9), pixel(&frame, 10, 10)), (GREEN, BLUE));
    assert_eq!(pointer_in(&frame), None, "the pointer is on the other monitor");

    match screen::open(&session, Some("nowhere")).err() {
        Some(ScreenError::Unknown { there, .. }) => assert!(there.contains("RIGHT"), "{there}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_change_of_resolution_shows_in_the_next_picture() {
    let server = Xvfb::start("1280x720x24", &[]);
    let desk = Desk::new(&server);
    let mut source = screen::open(&server.session(), None).unwrap();
    let mut frame = blank_frame();
    source.latest(&mut frame).unwrap();
    assert_eq!((frame.width, frame.height), (1280, 720));
    for (width, height) in [(1024, 600), (640, 480), (1280, 720)] {
        desk.resize(width, height);
        desk.window(i16::try_from(width).unwrap() - 10, i16::try_from(height).unwrap() - 10, 10, 10, GREEN);
        let deadline = Instant::now() + DEADLINE;
        loop {
            let grab = source.latest(&mut frame).unwrap();
            if (frame.width, frame.height) == (width.into(), height.into()) {
                assert_eq!(grab, Grab::Changed);
                break;
            }
            assert!(Instant::now() < deadline, "still {} x {}", frame.width, frame.height);
        }
        assert_eq!(source.size(), (width.into(), height.into()));
        assert_eq!(pixel(&frame, u32::from(width) - 1, u32::from(height) - 1), GREEN);
    }
}

#[test]
fn a_monitor_that_is_away_for_a_moment_keeps_its_last_picture_and_is_gone_after_a_while() {
    let server = Xvfb::start("1280x720x24", &[]);
    let desk = Desk::new(&server);
    desk.monitor("LEFT", 0, 0, 800, 720);
    desk.monitor("RIGHT", 800, 0, 480, 720);
    let mut source = screen::open(&server.session(), Some("RIGHT")).unwrap();
    let mut frame = blank_frame();
    assert_eq!(source.latest(&mut frame).unwrap(), Grab::Changed);
    // The server tells of the monitors when the resolution changes.
    let unplug = || {
        desk.no_monitor("RIGHT");
        desk.resize(1024, 600);
        desk.resize(1280, 720);
    };
    unplug();
    let before = (frame.data.clone(), frame.at);
    for _ in 0..3 {
        assert_eq!(source.latest(&mut frame).unwrap(), Grab::Same, "it may come back");
    }
    assert!(frame.data == before.0 && frame.at > before.1);
    desk.monitor("RIGHT", 800, 0, 480, 720);
    desk.window(800, 0, 10, 10, GREEN);
    assert_eq!(source.latest(&mut frame).unwrap(), Grab::Changed);
    assert_eq!(pixel(&frame, 5, 5), GREEN, "it did");

    unplug();
    let began = Instant::now();
    let gone = loop {
        match source.latest(&mut frame) {
            Ok(grab) => assert!(grab == Grab::Same && began.elapsed() < DEADLINE),
            Err(error) => break error,
        }
        std::thread::yield_now();
    };
    assert!(matches!(gone, ScreenError::Gone { .. }) && began.elapsed() > Duration::from_secs(4), "{gone}");
}

#[test]
fn a_display_that_is_not_there_or_goes_away_is_said_in_a_sentence() {
    let refused = screen::list(&Session::of_display(":987654")).unwrap_err();
    assert!(matches!(refused, ScreenError::Display(DisplayError::Refused { .. })), "{refused}");
    assert!(refused.to_string().contains(":987654"));

    let server = Xvfb::start("640x480x24", &[]);
    let session = server.session();
    let mut source = screen::open(&session, None).unwrap();
    let (sink, events) = crossbeam_channel::bounded(64);
    let running = input::start(&session, sink).unwrap();
    let mut frame = blank_frame();
    source.latest(&mut frame).unwrap();
    drop(server);
    assert!(matches!(source.latest(&mut frame), Err(ScreenError::Lost(_))));
    let deadline = Instant::now() + DEADLINE;
    while events.recv_deadline(deadline).is_ok() {}
    assert!(Instant::now() < deadline, "the channel closes");
    assert!(running.stop().is_err());
}

/// The next event that `wanted` takes; others are passed over.
#[track_caller]
fn next<T>(events: &Receiver<RawInput>, wanted: impl Fn(&RawKind) -> Option<T>) -> T {
    let deadline = Instant::now() + DEADLINE;
    loop {
        let event = events.recv_deadline(deadline).expect("the event is seen in time");
        if let Some(found) = wanted(&event.kind) {
            return found;
        }
    }
}

#[test]
fn every_click_notch_and_pointer_move_is_seen_where_it_was() {
    let server = Xvfb::start("1280x720x24", &[]);
    let desk = Desk::new(&server);
    let (sink, events) = crossbeam_channel::bounded(1024);
    let running = input::start(&server.session(), sink).unwrap();
    for index in 0..30_i16 {
        let (x, y) = (20 + index * 41, 700 - index * 23);
        let place = (i32::from(x), i32::from(y));
        desk.move_pointer(x, y);
        let button = [1, 2, 3][index as usize % 3];
        desk.press(button);
        let seen = next(&events, |kind| match *kind {
            RawKind::ButtonDown { button, x, y } => Some((button, (x, y))),
            _ => None,
        });
        assert_eq!(seen, (button, place));
        desk.release(button);
        let seen = next(&events, |kind| match *kind {
            RawKind::ButtonUp { button, x, y } => Some((button, (x, y))),
            _ => None,
        });
        assert_eq!(seen, (button, place));
        let (wheel, expected) = [(4, (0, -1)), (5, (0, 1)), (6, (-1, 0)), (7, (1, 0))][index as usize % 4];
        desk.press(wheel);
        desk.release(wheel);
        let seen = next(&events, |kind| match *kind {
            RawKind::Wheel { dx, dy, x, y } => Some(((dx, dy), (x, y))),
            _ => None,
        });
        assert_eq!(seen, (expected, place));
    }
    desk.move_pointer(1234, 567);
    next(&events, |kind| (*kind == RawKind::Pointer { x: 1234, y: 567 }).then_some(()));

    // All at once, while another program holds the pointer, with a reader that is late.
    desk.grab_pointer();
    for _ in 0..200 {
        desk.press(1);
        desk.release(1);
    }
    for _ in 0..200 {
        next(&events, |kind| matches!(kind, RawKind::ButtonDown { .. }).then_some(()));
        next(&events, |kind| matches!(kind, RawKind::ButtonUp { .. }).then_some(()));
    }
    running.stop().unwrap();
}

#[test]
fn keys_and_shortcuts_have_their_names_and_characters_have_none() {
    let server = Xvfb::start("640x480x24", &[]);
    let desk = Desk::new(&server);
    let (sink, events) = crossbeam_channel::bounded(1024);
    let running = input::start(&server.session(), sink).unwrap();
    let check = |keysyms: &[u32], expected: &str| {
        desk.chord(keysyms);
        let name = next(&events, |kind| match kind {
            RawKind::KeyDown { key: KeyName::Character, .. } => Some("a character".to_owned()),
            RawKind::KeyDown { key: KeyName::Named(named), .. } => Some(named.to_string()),
            _ => None,
        });
        assert_eq!(name, expected);
        for _ in keysyms {
            next(&events, |kind| (*kind == RawKind::KeyUp).then_some(()));
        }
    };
    let (ctrl, shift, alt, meta) = (0xffe3, 0xffe1, 0xffe9, 0xffeb);
    let letter = u32::from(b'l');
    for _ in 0..30 {
        check(&[letter], "a character");
        check(&[0xff0d], "Enter");
    }
    check(&[shift, letter], "a character");
    check(&[0x20], "a character");
    check(&[0xff08], "Backspace");
    check(&[0xff54], "ArrowDown");
    check(&[shift, 0xff09], "Shift+Tab");
    check(&[ctrl, letter], "Ctrl+l");
    check(&[alt, 0xff51], "Alt+ArrowLeft");
    check(&[ctrl, shift, u32::from(b't')], "Ctrl+Shift+T");
    check(&[meta, letter], "Meta+l");
    check(&[0xffc2], "F5");

    // As `xdotool type` does for a character that the layout lacks, and for a key as well.
    for (keysym, expected) in [(0x0100_20ac, "a character"), (0xff50, "Home"), (0x0100_611b, "a character")] {
        desk.remap_spare_key(keysym);
        check(&[keysym], expected);
    }
    running.stop().unwrap();
}

#[test]
fn the_pause_key_is_told_once_a_press_whatever_is_locked_and_has_one_owner() {
    let server = Xvfb::start("640x480x24", &[]);
    let desk = Desk::new(&server);
    let (sink, presses) = crossbeam_channel::bounded(64);
    let running = pause_key::watch(&server.session(), move || sink.send(()).unwrap()).unwrap();
    let (ctrl, alt, caps_lock, num_lock) = (0xffe3, 0xffe9, 0xffe5, 0xff7f);
    for lock in [None, Some(caps_lock), Some(num_lock), None] {
        if let Some(lock) = lock {
            desk.chord(&[lock]);
        }
        desk.chord(&[ctrl, alt, u32::from(b'p')]);
        assert!(presses.recv_timeout(DEADLINE).is_ok(), "{lock:?}");
        // A press in the millisecond of the last release counts as a repetition.
        let later = Instant::now() + Duration::from_millis(3);
        while Instant::now() < later {
            desk.sync();
        }
    }
    desk.chord(&[ctrl, u32::from(b'p')]);
    let taken = pause_key::watch(&server.session(), || {}).map(drop).unwrap_err();
    assert!(matches!(taken, InputError::KeyTaken { .. }), "{taken}");
    running.stop().unwrap();
    assert!(presses.try_recv().is_err(), "neither without Alt nor twice");
    pause_key::watch(&server.session(), || {}).unwrap().stop().unwrap();
}

#[test]
fn the_title_of_the_window_in_use_is_told_with_and_without_a_window_manager() {
    let server = Xvfb::start("640x480x24", &[]);
    let desk = Desk::new(&server);
    let conn = &desk.conn;
    let (sink, events) = crossbeam_channel::bounded(1024);
    let running = input::start(&server.session(), sink).unwrap();
    let title = || {
        next(&events, |kind| match kind {
            RawKind::WindowTitle(title) => Some(title.clone()),
            _ => None,
        })
    };
    let atom = |name: &str| conn.intern_atom(false, name.as_bytes()).unwrap().reply().unwrap().atom;
    let (net_name, utf8, active) = (atom("_NET_WM_NAME"), atom("UTF8_STRING"), atom("_NET_ACTIVE_WINDOW"));
    let name = |window, name: &str| {
        conn.change_property8(PropMode::REPLACE, window, net_name, utf8, name.as_bytes()).unwrap();
        desk.sync();
    };

    let first = desk.window(0, 0, 100, 100, GREEN);
    conn.change_property8(PropMode::REPLACE, first, AtomEnum::WM_NAME, AtomEnum::STRING, b"Caf\xe9").unwrap();
    conn.set_input_focus(InputFocus::PARENT, first, x11rb::CURRENT_TIME).unwrap();
    desk.sync();
    assert_eq!(title(), "Café");

    let second = desk.window(200, 0, 100, 100, GREEN);
    name(second, "Shoes – 愛");
    conn.change_property32(PropMode::REPLACE, desk.root, active, AtomEnum::WINDOW, &[second]).unwrap();
    desk.sync();
    assert_eq!(title(), "Shoes – 愛");
    name(second, "Basket");
    assert_eq!(title(), "Basket");
    conn.destroy_window(second).unwrap();
    conn.change_property32(PropMode::REPLACE, desk.root, active, AtomEnum::WINDOW, &[first]).unwrap();
    desk.sync();
    assert_eq!(title(), "Café");
    running.stop().unwrap();
}
