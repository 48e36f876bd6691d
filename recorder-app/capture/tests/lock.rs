//! The session's manager on a bus of the test's own: whether it says that the session is locked.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "helpers of tests: what cannot be set up is a failed test")]

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use capture::display::Session;
use capture::lock;
use dbus::arg::Variant;
use dbus::blocking::Connection;
use dbus::channel::{MatchingReceiver, Sender};
use dbus::message::MatchRule;

/// Set for the process that asks.
const INSIDE: &str = "CAPTURE_TEST_BUS";
const NAME: &str = "a_locked_session_is_known_from_its_manager_and_none_counts_as_unlocked";

/// The bus is found by an environment variable, which a running test cannot set for itself: so the test runs itself once
/// more inside.
#[test]
fn a_locked_session_is_known_from_its_manager_and_none_counts_as_unlocked() {
    if let Some(address) = std::env::var_os(INSIDE) {
        asks(&address.into_string().unwrap());
        return;
    }
    let mut bus = Command::new("dbus-daemon")
        .args(["--session", "--nofork", "--nopidfile", "--print-address"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("this test needs dbus-daemon: install the package dbus");
    let mut address = String::new();
    BufReader::new(bus.stdout.take().unwrap()).read_line(&mut address).unwrap();
    let inside = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", NAME, "--nocapture"])
        .env("DBUS_SYSTEM_BUS_ADDRESS", address.trim())
        .env(INSIDE, address.trim())
        .output()
        .unwrap();
    bus.kill().unwrap();
    bus.wait().unwrap();
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(inside.status.success(), "{}\n{}", said(&inside.stdout), said(&inside.stderr));
}

fn asks(address: &str) {
    let mut nobody = lock::watch(&Session::default());
    assert!(!nobody(), "nobody manages sessions");

    let (hint, is_over) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let manager = Connection::new_address(address).unwrap();
    manager.request_name("org.freedesktop.login1", false, true, false).unwrap();
    let told = hint.clone();
    let answer = move |message: dbus::Message, bus: &Connection| {
        assert_eq!(message.path().as_deref(), Some("/org/freedesktop/login1/session/auto"));
        assert_eq!(message.read2().ok(), Some(("org.freedesktop.login1.Session", "LockedHint")));
        bus.send(message.method_return().append1(Variant(told.load(Ordering::Relaxed)))).unwrap();
        true
    };
    manager.start_receive(MatchRule::new_method_call(), Box::new(answer));
    let ends = is_over.clone();
    let serve = move || {
        while !ends.load(Ordering::Relaxed) {
            manager.process(Duration::from_millis(20)).unwrap();
        }
    };
    let serves = std::thread::Builder::new().name("logind".to_owned()).spawn(serve).unwrap();
    let mut is_locked = lock::watch(&Session::default());
    for locked in [false, true, true, false] {
        hint.store(locked, Ordering::Relaxed);
        assert_eq!(is_locked(), locked);
    }
    // One that does not answer any more.
    is_over.store(true, Ordering::Relaxed);
    serves.join().unwrap();
    hint.store(true, Ordering::Relaxed);
    let began = Instant::now();
    assert!(!is_locked() && !is_locked() && began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}
