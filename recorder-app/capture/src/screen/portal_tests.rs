use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

use crossbeam_channel::Receiver;
use dbus::channel::{MatchingReceiver as _, Sender as _};
use dbus::message::MatchRule;
use media::time::Monotonic;

use super::super::blank_frame;
use super::super::feed::tests::{alone, arrived, fed, picture};
use super::*;

const SOON: Duration = Duration::from_secs(20);

/// A sharing of which these answers are given.
fn answered(answers: Receiver<Option<bool>>) -> Sharing {
    Sharing::watch(move || move || answers.recv().ok().flatten())
}

/// Waits for the end of a sharing that is asked about once a second.
fn until_over(sharing: &Sharing) {
    let deadline = Instant::now() + SOON;
    while !sharing.is_over() {
        assert!(Instant::now() < deadline, "nobody noticed the end");
        std::thread::yield_now();
    }
}

#[test]
fn a_sharing_that_ends_is_no_still_screen() {
    let _alone = alone();
    let (feed, pictures) = fed();
    let (answers, asked) = bounded(0);
    let mut screen = PortalScreen::new(feed, vec![Sharing::watch(|| || Some(true)), answered(asked)]);
    let mut frame = blank_frame();
    assert_eq!(screen.latest(&mut frame).unwrap(), Grab::Changed);
    // Nobody can say; it is shared; nobody can say.
    for answer in [None, Some(true), None] {
        answers.send(answer).unwrap();
        assert_eq!(screen.latest(&mut frame).unwrap(), Grab::Same);
    }
    answers.send(Some(false)).unwrap();
    until_over(&screen.sharings[1]);
    pictures.send(picture(7, Monotonic::from_nanos(0))).unwrap();
    arrived(&screen.feed);
    assert_eq!(screen.latest(&mut frame).unwrap(), Grab::Changed, "it came before the end");
    let told = screen.latest(&mut frame).unwrap_err();
    assert!(matches!(told, ScreenError::Unshared) && told.to_string().contains("share the screen once more"), "{told}");
    drop(pictures);
}

#[test]
fn a_sharing_of_which_nobody_can_say_anything_goes_on() {
    let (answers, asked) = bounded(0);
    let sharing = answered(asked);
    for answer in [None, Some(false), Some(false)] {
        answers.send(answer).unwrap();
    }
    assert!(!sharing.is_over());
}

/// A bus of the test's own.
struct Bus {
    daemon: Child,
    address: String,
}

impl Bus {
    fn start() -> Self {
        let mut daemon = Command::new("dbus-daemon")
            .args(["--session", "--nofork", "--nopidfile", "--print-address"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("this test needs dbus-daemon: install the package dbus");
        let mut address = String::new();
        BufReader::new(daemon.stdout.take().unwrap()).read_line(&mut address).unwrap();
        Self { daemon, address: address.trim().to_owned() }
    }

    fn connect(&self) -> Connection {
        Connection::new_address(&self.address).unwrap()
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        drop(self.daemon.kill());
        drop(self.daemon.wait());
    }
}

/// A portal with the sessions that are put there, each the name of a connection in paths and its own.
struct MadePortal {
    sessions: Arc<Mutex<Vec<(String, String)>>>,
    stop: Option<Sender<()>>,
    serves: Option<JoinHandle<()>>,
}

impl MadePortal {
    fn start(bus: &Bus) -> Self {
        let connection = bus.connect();
        connection.request_name(SERVICE, false, true, false).unwrap();
        let sessions = Arc::new(Mutex::new(Vec::<(String, String)>::new()));
        let shown = sessions.clone();
        let answers = move |message: Message, bus: &Connection| {
            let path = message.path().map(|path| path.to_string()).unwrap_or_default();
            let below = path.strip_prefix(SESSIONS).unwrap_or_default().trim_start_matches('/').to_owned();
            let shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
            let of = shown.iter().filter(|(connection, _)| below.is_empty() || *connection == below);
            let nodes = of.map(|(connection, name)| if below.is_empty() { connection } else { name });
            let nodes: Vec<_> = nodes.map(|name| format!("  <node name=\"{name}\"/>\n")).collect();
            bus.send(message.method_return().append1(format!("<node>\n{}</node>\n", nodes.concat()))).unwrap();
            true
        };
        connection.start_receive(MatchRule::new_method_call(), Box::new(answers));
        let (stop, stopped) = bounded::<()>(0);
        let serve = move || {
            while stopped.try_recv() != Err(crossbeam_channel::TryRecvError::Disconnected) {
                connection.process(Duration::from_millis(20)).unwrap();
            }
        };
        let serves = Builder::new().name("portal".to_owned()).spawn(serve).unwrap();
        Self { sessions, stop: Some(stop), serves: Some(serves) }
    }

    fn put(&self, sessions: &[(&str, &str)]) {
        let owned = |&(connection, name): &(&str, &str)| (connection.to_owned(), name.to_owned());
        *self.sessions.lock().unwrap() = sessions.iter().map(owned).collect();
    }
}

impl Drop for MadePortal {
    fn drop(&mut self) {
        drop(self.stop.take());
        drop(self.serves.take().map(JoinHandle::join));
    }
}

#[test]
fn of_all_sessions_of_the_portal_only_our_sharing_counts() {
    let bus = Bus::start();
    let mut nobody = Sessions::of(&Session::default());
    assert_eq!(nobody.is_one_ours(), None);
    let session = Session::default().on_bus(Some(bus.address.clone()));
    let mut sessions = Sessions::of(&session);
    assert_eq!(sessions.is_one_ours(), None, "no portal runs");

    let portal = MadePortal::start(&bus);
    let connection = bus.connect();
    let ours = connection.unique_name().trim_start_matches(':').replace('.', "_");
    let rows: [(&[(&str, &str)], bool); 5] = [
        (&[], false),
        (&[(&ours, "scap_7")], true),
        (&[(&ours, "gtk1234")], false),
        (&[("1_9999", "scap_7")], false),
        (&[("1_9999", "scap_7"), (&ours, "gtk1234"), (&ours, "scap_40000")], true),
    ];
    for (shown, expected) in rows {
        portal.put(shown);
        assert_eq!(sessions.is_one_ours(), Some(expected), "{shown:?}");
    }
    let (tell, told) = bounded(64);
    let sharing = Sharing::watch(move || {
        move || {
            let answer = sessions.is_one_ours();
            tell.try_send(answer).ok();
            answer
        }
    });
    assert_eq!(told.recv_timeout(SOON), Ok(Some(true)));
    portal.put(&[]);
    until_over(&sharing);
}
