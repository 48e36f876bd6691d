//! What real X servers show and tell that nobody is to see: windows that are left out, and the screen's lock. Each test has
//! an Xvfb of its own.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "helpers of tests: what cannot be set up is a failed test")]

mod xvfb;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use capture::input::{self, KeyName, Modifiers, Pressed, RawInput, RawKind};
use capture::lock;
use capture::screen::{self, ScreenError, ScreenSource, blank_frame};
use crossbeam_channel::Receiver;
use media::frame::BgraFrame;
use x11rb::protocol::xproto::{ConfigureWindowAux, ConnectionExt as _, GrabMode, StackMode};
use xvfb::{BLUE, Desk, GREEN, MAGENTA, Xvfb, pixel};

const DEADLINE: Duration = Duration::from_secs(20);

#[test]
fn windows_that_are_to_be_left_out_are_painted_over_wherever_they_go() {
    let server = Xvfb::start("1280x720x24", &[]);
    let desk = Desk::new(&server);
    desk.move_pointer(1200, 700);
    let vault = desk.window(100, 60, 200, 100, GREEN);
    desk.name(vault, "My Vault - KeePassXC");
    let session = server.session().hiding(["keepass".to_owned()]);
    let mut source = screen::open(&session, None).unwrap();
    let mut frame = blank_frame();
    let mut seen = |places: &[(u32, u32)]| {
        source.latest(&mut frame).unwrap();
        places.iter().map(|&(x, y)| pixel(&frame, x, y)).collect::<Vec<_>>()
    };
    let painted = seen(&[(100, 60), (299, 159)]);
    assert!(painted[0] == painted[1] && ![GREEN, BLUE, 0].contains(&painted[0]), "{painted:x?}");
    assert_eq!(seen(&[(99, 60), (300, 159)]), [BLUE, BLUE]);
    // What lies above it is seen, from the second picture on; what moves is never seen on its way.
    let note = desk.window(150, 80, 40, 40, MAGENTA);
    seen(&[]);
    assert_eq!(seen(&[(160, 90), (110, 70)]), [MAGENTA, painted[0]]);
    desk.conn.destroy_window(note).unwrap();
    for step in 1..20 {
        let x = 100 + 40 * step;
        desk.conn.configure_window(vault, &ConfigureWindowAux::new().x(x)).unwrap();
        desk.sync();
        assert_eq!(seen(&[(x as u32, 60), (x as u32 + 199, 159)]), [painted[0]; 2], "at {x}");
    }
    // One that comes, and one that takes the name later.
    let late = desk.window(20, 400, 50, 50, GREEN);
    assert_eq!(seen(&[(30, 410)]), [GREEN]);
    desk.name(late, "KeePassXC");
    let until = Instant::now() + DEADLINE;
    while seen(&[(30, 410)]) != [painted[0]] {
        assert!(Instant::now() < until, "the new title is not heeded");
    }
}

#[test]
fn the_recorders_own_window_is_painted_over_wherever_it_says_whose_it_is() {
    let server = Xvfb::start("640x480x24", &[]);
    let desk = Desk::new(&server);
    desk.move_pointer(600, 400);
    let (own, other) = (desk.window(100, 60, 100, 100, GREEN), desk.window(300, 60, 100, 100, GREEN));
    desk.owner(own, std::process::id());
    desk.owner(other, 1);
    let mut source = screen::open(&server.session(), None).unwrap();
    let mut frame = blank_frame();
    source.latest(&mut frame).unwrap();
    assert!(![GREEN, BLUE].contains(&pixel(&frame, 150, 100)), "its own");
    assert_eq!(pixel(&frame, 350, 100), GREEN, "another program's");
}

/// All that is told from now on until `last` is.
fn told_until(events: &Receiver<RawInput>, last: &RawKind) -> Vec<RawKind> {
    let deadline = Instant::now() + DEADLINE;
    let mut told = Vec::new();
    while told.last() != Some(last) {
        told.push(events.recv_deadline(deadline).expect("it is told in time").kind);
    }
    told
}

fn title(title: &str) -> RawKind {
    RawKind::WindowTitle(title.to_owned())
}

/// Clicks into a window, scrolls and types there, as slowly as `seen` tells that it was seen.
fn use_window(desk: &Desk, window: u32, (x, y): (i16, i16), seen: impl Fn(&RawKind)) {
    desk.move_pointer(x, y);
    desk.focus(window);
    desk.press(1);
    desk.release(1);
    seen(&RawKind::ButtonUp { button: 1, x: x.into(), y: y.into() });
    desk.press(5);
    desk.release(5);
    for letter in b"hunter2" {
        desk.chord(&[u32::from(*letter)]);
        seen(&RawKind::KeyUp);
    }
    desk.chord(&[0xff0d]);
    seen(&RawKind::KeyUp);
}

#[test]
fn nothing_is_told_of_what_is_done_in_windows_that_are_left_out() {
    let server = Xvfb::start("640x480x24", &[]);
    let (desk, other) = (Desk::new(&server), Desk::new(&server));
    let shop = desk.window(0, 0, 200, 200, GREEN);
    let vault = other.window(300, 0, 200, 200, GREEN);
    let own = other.window(300, 250, 100, 100, GREEN);
    desk.name(shop, "Shop");
    desk.name(own, "Recorder");
    desk.owner(own, std::process::id());
    // Another reader of the same display, from which the vault is not hidden: a hand is slower than both.
    let (witness_sink, witnessed) = crossbeam_channel::bounded(1024);
    let witness = input::start(&server.session(), witness_sink).unwrap();
    let seen = |last: &RawKind| drop(told_until(&witnessed, last));
    // Where one window is recorded, all others are left out.
    let only_shop = server.session().showing(Some(&format!("window:{shop:#x}")));
    let hiding = server.session().hiding(["keepass".to_owned()]);
    for (name, session) in [("My Vault - KeePassXC", hiding), ("Mail", only_shop)] {
        desk.name(vault, name);
        desk.focus(shop);
        let (sink, events) = crossbeam_channel::bounded(1024);
        let running = input::start(&session, sink).unwrap();
        told_until(&events, &title("Shop"));
        let mut leaked = Vec::new();
        // The reader learns of a key or a click a moment later, when the pointer may be elsewhere already: what leaks
        // leaks each time.
        for attempt in 0..5 {
            leaked.clear();
            use_window(&desk, vault, (400, 100), seen);
            use_window(&desk, own, (350, 300), |_| {});
            // Moves over other windows are told while its own is in use, and the second of them after all else.
            for x in [100, 101] {
                desk.move_pointer(x, 100);
                leaked.extend(told_until(&events, &RawKind::Pointer { x: x.into(), y: 100 }));
            }
            desk.focus(shop);
            let basket = format!("Basket {attempt}");
            desk.name(shop, &basket);
            leaked.extend(told_until(&events, &title(&basket)));
            leaked.retain(|kind| match *kind {
                RawKind::Pointer { x, y } => (300..500).contains(&x) && ((0..200).contains(&y) || y >= 250),
                RawKind::WindowTitle(ref told) => *told != basket,
                _ => true,
            });
            if leaked.is_empty() {
                break;
            }
        }
        assert!(leaked.is_empty(), "{name}: {leaked:?}");

        use_window(&desk, shop, (100, 100), seen);
        let enter = KeyName::of(Pressed::Named("Enter"), Modifiers::NONE);
        let told = told_until(&events, &RawKind::KeyDown { key: enter, repeat: false });
        let count = |wanted: &dyn Fn(&RawKind) -> bool| told.iter().filter(|kind| wanted(kind)).count();
        assert_eq!(count(&|kind| matches!(kind, RawKind::KeyDown { .. })), 8, "{name}: {told:?}");
        assert_eq!(count(&|kind| matches!(kind, RawKind::ButtonDown { .. })), 1, "{name}: {told:?}");
        assert_eq!(count(&|kind| matches!(kind, RawKind::Wheel { .. })), 1, "{name}: {told:?}");
        desk.name(shop, "Shop");
        told_until(&events, &title("Shop"));
        running.stop().unwrap();
    }
    witness.stop().unwrap();
}

#[test]
fn one_window_is_recorded_without_what_lies_above_it_and_followed() {
    let server = Xvfb::start("1280x720x24", &[]);
    let (desk, other) = (Desk::new(&server), Desk::new(&server));
    desk.move_pointer(1200, 700);
    let session = server.session();
    let shop = desk.window(100, 60, 300, 200, GREEN);
    desk.name(shop, "Shop");
    let found = screen::windows(&session).unwrap();
    assert_eq!(found.iter().map(|window| (window.name.as_str(), window.width)).collect::<Vec<_>>(), [("Shop", 300)]);
    let mut source = screen::open(&session, Some(&found[0].id)).unwrap();
    let mut frame = blank_frame();
    source.latest(&mut frame).unwrap();
    assert_eq!((frame.width, frame.height, source.corner()), (300, 200, (100, 60)));
    assert_eq!(pixel(&frame, 0, 0), GREEN);

    let menu = desk.window(110, 70, 20, 20, MAGENTA);
    other.window(200, 100, 50, 50, BLUE);
    source.latest(&mut frame).unwrap();
    assert_eq!(pixel(&frame, 15, 15), MAGENTA, "its own program's menu");
    assert!(![BLUE, GREEN].contains(&pixel(&frame, 110, 50)), "another program's window");
    desk.conn.destroy_window(menu).unwrap();
    desk.conn.configure_window(shop, &ConfigureWindowAux::new().x(-50).y(300)).unwrap();
    desk.sync();
    source.latest(&mut frame).unwrap();
    assert_eq!((frame.width, frame.height, source.corner()), (250, 200, (0, 300)), "what of it is on the screen");
    assert_eq!(pixel(&frame, 249, 199), GREEN);
    desk.conn.destroy_window(shop).unwrap();
    desk.sync();
    assert!(matches!(source.latest(&mut frame), Err(ScreenError::Gone { .. })));
}

#[test]
fn where_a_single_window_is_not_shown_nothing_is() {
    let server = Xvfb::start("1280x720x24", &[]);
    let (desk, other) = (Desk::new(&server), Desk::new(&server));
    desk.move_pointer(1200, 700);
    other.window(0, 0, 600, 400, MAGENTA);
    let shop = desk.window(100, 60, 300, 200, GREEN);
    let id = format!("window:{shop:#x}");
    let mut source = screen::open(&server.session(), Some(&id)).unwrap();
    let mut frame = blank_frame();
    let mut colours = |source: &mut dyn ScreenSource| colours(source, &mut frame);
    assert_eq!(colours(source.as_mut()), BTreeSet::from([GREEN]));
    // Minimised, or on another desktop, which is the same to the server; shown again in between, once unseen.
    for _ in 0..2 {
        desk.conn.unmap_window(shop).unwrap();
        desk.sync();
        let hidden = colours(source.as_mut());
        assert!(hidden.len() == 1 && hidden.is_disjoint(&BTreeSet::from([GREEN, MAGENTA])), "{hidden:x?}");
        let mut later = screen::open(&server.session(), Some(&id)).unwrap();
        assert_eq!(colours(later.as_mut()), hidden, "nor from the beginning");
        desk.conn.map_window(shop).unwrap();
        desk.sync();
        let until = Instant::now() + DEADLINE;
        while colours(source.as_mut()) != BTreeSet::from([GREEN]) {
            assert!(Instant::now() < until, "it is not shown again");
        }
    }
    // The system shows it elsewhere before the recorder knows.
    let mut late = screen::open(&server.session(), Some(&id)).unwrap();
    assert_eq!(colours(late.as_mut()), BTreeSet::from([GREEN]));
    for step in 0..40 {
        desk.conn.configure_window(shop, &ConfigureWindowAux::new().x(100 + 5 * step)).unwrap();
        assert!(!colours(late.as_mut()).contains(&MAGENTA), "at step {step}");
    }
}

#[test]
fn all_windows_of_a_hidden_program_are_left_out_and_none_of_them_can_be_recorded() {
    let server = Xvfb::start("1280x720x24", &[]);
    let desk = Desk::new(&server);
    desk.move_pointer(1200, 700);
    let windows =
        [(0, GREEN, "Inbox", "Mail"), (200, GREEN, "Letter", "Mail"), (400, MAGENTA, "Mail order shoes", "Browser")];
    let made = windows.map(|(x, colour, title, class)| {
        let window = desk.window(x, 0, 100, 100, colour);
        desk.name(window, title);
        desk.class(window, class);
        window
    });
    let own = desk.window(600, 0, 100, 100, BLUE);
    desk.name(own, "Recorder");
    desk.class(own, "Recorder");
    desk.owner(own, std::process::id());
    let session = server.session();
    assert_eq!(screen::programs(&session).unwrap().unwrap(), ["Browser", "Mail"], "not this program itself");
    let listed = screen::windows(&session).unwrap();
    assert!(listed.iter().all(|window| window.name != "Recorder"), "{listed:?}");

    let session = session.hiding_programs(["Mail".to_owned(), " ".to_owned()]);
    let (mut source, mut frame) = (screen::open(&session, None).unwrap(), blank_frame());
    source.latest(&mut frame).unwrap();
    let seen = [50, 250, 450].map(|x| pixel(&frame, x, 50));
    assert!(seen[0] == seen[1] && seen[0] != GREEN && seen[2] == MAGENTA, "{seen:x?}");
    let ids = made.map(|window| format!("window:{window:#x}"));
    assert!(matches!(screen::open(&session, Some(&ids[1])), Err(ScreenError::LeftOut)));
    assert!(screen::open(&session, Some(&ids[2])).is_ok());
}

/// What i3lock, slock, xsecurelock and the like do: a window of no window manager over everything, and all keys for itself.
fn lock_screen(locker: &Desk, areas: &[(i16, i16, u16, u16)]) -> Vec<u32> {
    let windows: Vec<_> =
        areas.iter().map(|&(x, y, width, height)| locker.window(x, y, width, height, MAGENTA)).collect();
    let (now, mode) = (x11rb::CURRENT_TIME, GrabMode::ASYNC);
    locker.conn.grab_keyboard(false, windows[0], now, mode, mode).unwrap().reply().unwrap();
    locker.grab_pointer();
    windows
}

fn unlock_screen(locker: &Desk, windows: &[u32]) {
    locker.conn.ungrab_keyboard(x11rb::CURRENT_TIME).unwrap();
    locker.conn.ungrab_pointer(x11rb::CURRENT_TIME).unwrap();
    for &window in windows {
        locker.conn.destroy_window(window).unwrap();
    }
    locker.sync();
}

fn colours(source: &mut dyn ScreenSource, frame: &mut BgraFrame) -> BTreeSet<u32> {
    source.latest(frame).unwrap();
    let pixels = (0..frame.height).flat_map(|y| (0..frame.width).map(move |x| (x, y)));
    pixels.map(|(x, y)| pixel(frame, x, y)).collect()
}

#[test]
fn nothing_of_a_locked_screen_is_seen_or_told() {
    let server = Xvfb::start("640x480x24", &[]);
    let (desk, locker) = (Desk::new(&server), Desk::new(&server));
    let session = server.session();
    desk.move_pointer(630, 470);
    let shop = desk.window(0, 0, 200, 200, GREEN);
    desk.name(shop, "Shop");
    desk.focus(shop);
    let (sink, events) = crossbeam_channel::bounded(1024);
    let running = input::start(&session, sink).unwrap();
    told_until(&events, &title("Shop"));
    let (mut source, mut frame) = (screen::open(&session, None).unwrap(), blank_frame());
    let mut is_locked = lock::watch(&session);
    assert!(!is_locked());
    // Another reader of the same display would see all of it: keys arrive although the locker takes them.
    let raw = xvfb::RawKeys::watch(&server);
    // One window over everything, and one for each of two monitors.
    for areas in [&[(0, 0, 640, 480)][..], &[(0, 0, 320, 480), (320, 0, 320, 480)]] {
        let mut leaked = Vec::new();
        // The reader learns of a key a moment later, when the screen may be unlocked already: what leaks leaks each time.
        for attempt in 0..5 {
            let until = Instant::now() + DEADLINE;
            while !colours(source.as_mut(), &mut frame).contains(&GREEN) {
                assert!(Instant::now() < until, "the screen is not seen again");
            }
            let windows = lock_screen(&locker, areas);
            let hidden = colours(source.as_mut(), &mut frame);
            assert!(hidden.len() <= 2 && hidden.is_disjoint(&BTreeSet::from([GREEN, BLUE])), "{hidden:x?}");
            assert_ne!(pixel(&frame, 5, 5), MAGENTA, "nor what the locker shows; the pointer has the same colour");
            assert!(is_locked());
            for key in b"hunter2".iter().map(|&letter| u32::from(letter)).chain([0xff0d]) {
                desk.chord(&[key]);
            }
            raw.wait_for(8);
            assert!(is_locked());
            unlock_screen(&locker, &windows);
            assert!(!is_locked());
            let basket = format!("Basket {attempt} beside {} windows", areas.len());
            desk.name(shop, &basket);
            leaked = told_until(&events, &title(&basket));
            leaked.retain(|kind| !matches!(kind, RawKind::Pointer { .. }) && *kind != title(&basket));
            if leaked.is_empty() {
                break;
            }
        }
        assert_eq!(leaked, []);
        desk.chord(&[u32::from(b'l')]);
        told_until(&events, &RawKind::KeyDown { key: KeyName::Character, repeat: false });
    }
    running.stop().unwrap();
}

#[test]
fn a_wallpaper_a_frame_and_a_window_of_the_whole_screen_are_no_lock() {
    let server = Xvfb::start("640x480x24", &[]);
    let (desk, manager) = (Desk::new(&server), Desk::new(&server));
    let mut is_locked = lock::watch(&server.session());
    // A film for a wallpaper, below a window that a window manager knows.
    let wallpaper = desk.window(0, 0, 640, 480, BLUE);
    let frame = manager.window(0, 0, 640, 480, GREEN);
    let shop = desk.child(frame, 640, 480, GREEN);
    assert!(is_locked(), "as long as nobody says that it is a frame");
    desk.state(shop);
    assert!(!is_locked());
    manager.conn.configure_window(frame, &ConfigureWindowAux::new().width(300)).unwrap();
    manager.sync();
    assert!(!is_locked(), "what a window manager knows lies above");
    manager.conn.unmap_window(frame).unwrap();
    manager.sync();
    assert!(is_locked());
    desk.conn.unmap_window(wallpaper).unwrap();
    let own = desk.window(0, 0, 640, 480, GREEN);
    desk.owner(own, std::process::id());
    assert!(!is_locked(), "the recorder's own");
    let half = desk.window(0, 0, 640, 240, MAGENTA);
    assert!(!is_locked(), "half of the screen");
    desk.conn.destroy_window(half).unwrap();
}

/// A window over everything that says what it is, where it does, before it is shown whole.
fn covering(desk: &Desk, class: Option<&str>, colour: u32) -> u32 {
    let window = desk.window(0, 0, 1, 1, colour);
    if let Some(class) = class {
        desk.class(window, class);
    }
    desk.conn.configure_window(window, &ConfigureWindowAux::new().width(640).height(480)).unwrap();
    desk.sync();
    window
}

#[test]
fn a_tool_for_screenshots_is_no_lock_though_it_covers_the_screen() {
    let server = Xvfb::start("640x480x24", &[]);
    let desk = Desk::new(&server);
    desk.move_pointer(630, 470);
    let session = server.session();
    let (mut source, mut frame, mut is_locked) =
        (screen::open(&session, None).unwrap(), blank_frame(), lock::watch(&session));
    let (sink, events) = crossbeam_channel::bounded(1024);
    let running = input::start(&session, sink).unwrap();
    let letter = RawKind::KeyDown { key: KeyName::Character, repeat: false };
    // What flameshot, ksnip and maim (as slop) show while a part of the screen is chosen.
    for tool in ["flameshot", "ksnip", "slop"] {
        let overlay = covering(&desk, Some(tool), GREEN);
        assert!(!is_locked(), "{tool}");
        let until = Instant::now() + DEADLINE;
        while !colours(source.as_mut(), &mut frame).contains(&GREEN) {
            assert!(Instant::now() < until, "{tool} is not seen");
        }
        desk.chord(&[u32::from(b'l')]);
        told_until(&events, &letter);
        // A lock below it, or above it, is one all the same; it says what it is, or nothing at all.
        for locker in [Some("i3lock"), Some("XScreenSaver"), None] {
            let window = covering(&desk, locker, BLUE);
            assert!(is_locked(), "{locker:?} above {tool}");
            desk.conn.configure_window(overlay, &ConfigureWindowAux::new().stack_mode(StackMode::ABOVE)).unwrap();
            desk.sync();
            assert!(is_locked(), "{locker:?} below {tool}");
            desk.conn.destroy_window(window).unwrap();
            desk.sync();
            assert!(!is_locked(), "{locker:?} is gone");
        }
        desk.conn.destroy_window(overlay).unwrap();
        desk.sync();
    }
    running.stop().unwrap();
}
