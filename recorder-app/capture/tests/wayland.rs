//! In the desktop that `tests/wayland_session.sh` makes, run by `tests/wayland.sh`, which ends and restarts its parts.
#![cfg(all(target_os = "linux", feature = "wayland"))]

use std::io::{BufRead as _, stdin};
use std::time::{Duration, Instant};

use capture::display::Session;
use capture::screen::{self, Grab, ScreenError, ScreenSource, blank_frame};

#[path = "../src/screen/pipewire.rs"]
#[expect(dead_code, reason = "its own tests are run here: no other test program is built with the feature")]
mod pipewire;

/// Set in that desktop, without which there is nothing to share.
const INSIDE: &str = "WAYLAND_SESSION";
const SOON: Duration = Duration::from_secs(20);

fn open() -> Box<dyn ScreenSource> {
    let told = |name| std::env::var_os(name)?.into_string().ok();
    let session = Session::new(told("DISPLAY"), told("WAYLAND_DISPLAY")).on_bus(told("DBUS_SESSION_BUS_ADDRESS"));
    let mut screen = screen::open(&session, None).unwrap();
    let first = screen.latest(&mut blank_frame());
    assert_eq!(first.unwrap(), Grab::Changed);
    screen
}

/// Asks for pictures until there is an error.
fn ended(screen: &mut dyn ScreenSource) -> ScreenError {
    let (deadline, mut frame) = (Instant::now() + SOON, blank_frame());
    loop {
        if let Err(error) = screen.latest(&mut frame) {
            return error;
        }
        assert!(Instant::now() < deadline, "nobody noticed the end");
        std::thread::yield_now();
    }
}

/// Says that something is due and waits until it was done.
fn ask(what: &str) {
    println!("{what}");
    assert!(stdin().lock().read_line(&mut String::new()).unwrap() > 0, "nobody does it");
}

#[test]
fn a_screen_can_be_shared_again_after_its_sharing_ended() {
    if std::env::var_os(INSIDE).is_none() {
        return;
    }
    for _ in 0..3 {
        let mut screen = open();
        ask("shared");
        let told = ended(screen.as_mut());
        assert!(matches!(told, ScreenError::Unshared), "{told}");
        ask("over");
    }
    drop(open());
}
