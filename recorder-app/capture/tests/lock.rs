//! The session's manager, and the desktop's screen saver, on a bus of the test's own: whether they say that the session is
//! locked.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "helpers of tests: what cannot be set up is a failed test")]

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use capture::display::Session;
use capture::lock;
use crossbeam_channel::bounded;
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
        let address = address.into_string().unwrap();
        asks_the_manager(&address);
        asks_the_savers(&address);
        asks_in_turn(&address);
        return;
    }
    let services = tempfile::tempdir().unwrap();
    let (started, offered) = (services.path().join("started"), services.path().join("dbus-1/services"));
    std::fs::create_dir_all(&offered).unwrap();
    let saver = format!("[D-BUS Service]\nName=org.mate.ScreenSaver\nExec=/usr/bin/touch {}\n", started.display());
    std::fs::write(offered.join("org.mate.ScreenSaver.service"), saver).unwrap();
    let mut bus = Command::new("dbus-daemon")
        .args(["--session", "--nofork", "--nopidfile", "--print-address"])
        .env("XDG_DATA_HOME", services.path())
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
    assert!(!started.exists(), "a screen saver was started that the worker does not use");
}

fn asks_the_manager(address: &str) {
    let mut nobody = lock::watch(&Session::default());
    assert!(!nobody(), "nobody manages sessions");

    let hint = Arc::new(AtomicBool::new(false));
    let told = hint.clone();
    let answer = move |message: &dbus::Message| {
        assert_eq!(message.path().as_deref(), Some("/org/freedesktop/login1/session/auto"));
        assert_eq!(message.read2().ok(), Some(("org.freedesktop.login1.Session", "LockedHint")));
        message.method_return().append1(Variant(told.load(Ordering::Relaxed)))
    };
    let service = Service::start(address, "org.freedesktop.login1", answer.clone());
    let mut is_locked = lock::watch(&Session::default());
    for locked in [false, true, true, false] {
        hint.store(locked, Ordering::Relaxed);
        assert_eq!(is_locked(), locked);
    }
    // One that does not answer any more is as it was, and what it says when it does again counts at once.
    for locked in [false, true] {
        hint.store(locked, Ordering::Relaxed);
        assert_eq!(is_locked(), locked);
    }
    service.end();
    hint.store(false, Ordering::Relaxed);
    let began = Instant::now();
    assert!(is_locked() && is_locked(), "nobody said that it was unlocked");
    let service = Service::start(address, "org.freedesktop.login1", answer);
    assert!(!is_locked() && began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    service.end();
    hint.store(true, Ordering::Relaxed);
    assert!(!is_locked() && !is_locked() && began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

fn asks_the_savers(address: &str) {
    let session = Session::default().on_bus(Some(address.to_owned()));
    let is_active = Arc::new(AtomicBool::new(false));
    for name in ["org.freedesktop.ScreenSaver", "org.cinnamon.ScreenSaver"] {
        let told = is_active.clone();
        let answer = move |message: &dbus::Message| {
            assert_eq!(message.path().as_deref(), Some(format!("/{}", name.replace('.', "/")).as_str()));
            assert_eq!((message.interface().as_deref(), message.member().as_deref()), (Some(name), Some("GetActive")));
            message.method_return().append1(told.load(Ordering::Relaxed))
        };
        let service = Service::start(address, name, answer.clone());
        let mut is_locked = lock::watch(&session);
        for active in [false, true, true, false, true] {
            is_active.store(active, Ordering::Relaxed);
            assert_eq!(is_locked(), active, "{name}");
        }
        service.end();
        is_active.store(false, Ordering::Relaxed);
        let began = Instant::now();
        assert!(is_locked() && is_locked(), "{name} did not say that it was over");
        let service = Service::start(address, name, answer);
        assert!(!is_locked(), "{name} is asked again at once");
        service.end();
        is_active.store(true, Ordering::Relaxed);
        assert!(!is_locked() && began.elapsed() < Duration::from_secs(5), "{name} after {:?}", began.elapsed());
    }
    let mut nowhere = lock::watch(&Session::default().on_bus(Some("unix:path=/nowhere".to_owned())));
    assert!(!nowhere() && !nowhere());
}

/// A manager that hangs does not keep it from being known for long what a screen saver says.
fn asks_in_turn(address: &str) {
    let (release, held) = bounded::<()>(0);
    let hangs = Arc::new(AtomicBool::new(false));
    let will_hang = hangs.clone();
    let manager = Service::start(address, "org.freedesktop.login1", move |message| {
        if will_hang.load(Ordering::Relaxed) {
            held.recv().ok();
        }
        message.method_return().append1(Variant(false))
    });
    let is_active = Arc::new(AtomicBool::new(false));
    let told = is_active.clone();
    let saver = Service::start(address, "org.gnome.ScreenSaver", move |message| {
        message.method_return().append1(told.load(Ordering::Relaxed))
    });
    let mut is_locked = lock::watch(&Session::default().on_bus(Some(address.to_owned())));
    assert!(!is_locked());
    hangs.store(true, Ordering::Relaxed);
    let began = Instant::now();
    for active in [true, false].into_iter().cycle().take(10) {
        is_active.store(active, Ordering::Relaxed);
        assert_eq!(is_locked(), active);
    }
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    drop(release);
    manager.end();
    saver.end();
}

/// Answers calls to a name of the bus until it is told to end.
struct Service {
    is_over: Arc<AtomicBool>,
    serves: JoinHandle<()>,
}

impl Service {
    fn start(address: &str, name: &str, answer: impl Fn(&dbus::Message) -> dbus::Message + Send + 'static) -> Self {
        let connection = Connection::new_address(address).unwrap();
        connection.request_name(name, false, true, false).unwrap();
        let answers = move |message: dbus::Message, bus: &Connection| {
            bus.send(answer(&message)).unwrap();
            true
        };
        connection.start_receive(MatchRule::new_method_call(), Box::new(answers));
        let is_over = Arc::new(AtomicBool::new(false));
        let ends = is_over.clone();
        let serve = move || {
            while !ends.load(Ordering::Relaxed) {
                connection.process(Duration::from_millis(20)).unwrap();
            }
        };
        Self { is_over, serves: Builder::new().name(name.to_owned()).spawn(serve).unwrap() }
    }

    fn end(self) {
        self.is_over.store(true, Ordering::Relaxed);
        self.serves.join().unwrap();
    }
}
