use crossbeam_channel::{Receiver, Sender, bounded};

use super::super::blank_frame;
use super::*;

const SOON: Duration = Duration::from_secs(20);
/// There is one feed at a time in a program, and these tests share one.
static ALONE: Mutex<()> = Mutex::new(());

pub(in super::super) fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(in super::super) fn picture(brightness: u8, at: Monotonic) -> BgraFrame {
    BgraFrame { width: 2, height: 1, stride: 8, data: vec![brightness; 8], at }
}

/// Gives what is sent to it.
fn next_of(pictures: Receiver<BgraFrame>) -> Next {
    Box::new(move || pictures.recv().map(Some).map_err(|_| "it brings no more pictures".to_owned()))
}

/// A feed that gives what is sent to it.
pub(in super::super) fn fed() -> (Feed, Sender<BgraFrame>) {
    let (sink, pictures) = bounded(16);
    sink.send(picture(1, Monotonic::from_nanos(0))).unwrap();
    let open = move || Ok(next_of(pictures));
    (Feed::open(SOON, open).unwrap(), sink)
}

/// Waits until a picture, or the end, has arrived.
pub(in super::super) fn arrived(feed: &Feed) {
    drop(feed.shared.wait(SOON, |state| state.fresh.is_some() || state.ended.is_some()));
}

#[test]
fn a_still_screen_is_the_same_and_of_many_pictures_the_last_is_taken() {
    let _alone = alone();
    let (mut feed, sink) = fed();
    assert_eq!(feed.size(), (2, 1));
    let mut frame = blank_frame();
    let before = clock::now();
    assert_eq!(feed.latest(&mut frame), Ok(Grab::Changed));
    assert!(frame.at >= before, "the first picture is what the screen shows now, however old it is");
    let first_at = frame.at;
    assert_eq!(feed.latest(&mut frame), Ok(Grab::Same));
    assert_eq!(frame.data, [1; 8]);
    let last_asked = frame.at;
    assert!(last_asked >= first_at);
    for brightness in 2..=9 {
        sink.send(picture(brightness, clock::now())).unwrap();
    }
    drop(sink);
    drop(feed.shared.wait(SOON, |state| state.ended.is_some()));
    assert_eq!(feed.latest(&mut frame), Ok(Grab::Changed));
    assert_eq!(frame.data, [9; 8], "the last one, also after the end");
    assert!(frame.at > last_asked && frame.at <= clock::now());
    assert!(feed.latest(&mut frame).unwrap_err().contains("no more pictures"));
}

#[test]
fn a_picture_has_the_time_when_it_was_shown_between_two_questions() {
    let _alone = alone();
    let (mut feed, sink) = fed();
    let mut frame = blank_frame();
    feed.latest(&mut frame).unwrap();
    // Long enough ago that the least step has passed.
    let asked = Monotonic::from_nanos(frame.at.nanos - 2 * LEAST_STEP_NANOS);
    for (shown, expected) in [(-7_000_000, LEAST_STEP_NANOS), (0, LEAST_STEP_NANOS), (i64::MAX - asked.nanos, -1)] {
        feed.asked_at = Some(asked);
        sink.send(picture(5, Monotonic::from_nanos(asked.nanos + shown))).unwrap();
        arrived(&feed);
        feed.latest(&mut frame).unwrap();
        let step = frame.at.nanos - asked.nanos;
        assert!(if expected < 0 { frame.at <= clock::now() } else { step == expected }, "{shown}: {step}");
    }
}

#[test]
fn failures_of_every_kind_come_back_as_words() {
    let _alone = alone();
    let ended = |result: Result<Feed, FeedError>| match result {
        Err(FeedError::Ended(reason)) => reason,
        other => panic!("{other:?}"),
    };
    assert_eq!(ended(Feed::open(SOON, || Err("not today".to_owned()))), "not today");
    assert_eq!(ended(Feed::open(SOON, || panic!("the bus {} is gone", 7))), "the bus 7 is gone");
    assert_eq!(ended(Feed::open(SOON, || Ok(Box::new(|| Err("closed".to_owned()))))), "closed");
    let mut pictures = vec![picture(1, Monotonic::from_nanos(0))];
    let open = move || Ok(Box::new(move || Ok(Some(pictures.pop().expect("the stream broke")))) as Next);
    let mut feed = Feed::open(SOON, open).unwrap();
    drop(feed.shared.wait(SOON, |state| state.ended.is_some()));
    let mut frame = blank_frame();
    assert_eq!(feed.latest(&mut frame), Ok(Grab::Changed));
    assert_eq!(feed.latest(&mut frame).unwrap_err(), "the stream broke");
}

#[test]
fn one_feed_at_a_time_and_silence_is_not_waited_for_without_end() {
    let _alone = alone();
    let (feed, sink) = fed();
    assert!(matches!(Feed::open(SOON, || Err(String::new())), Err(FeedError::Busy)));
    // It ends with its next picture; until then the screen is shared.
    drop(feed);
    sink.send(picture(2, Monotonic::from_nanos(0))).unwrap();
    let (quiet, pictures) = bounded::<BgraFrame>(1);
    let open = move || Ok(next_of(pictures));
    assert!(matches!(Feed::open(Duration::from_millis(20), open), Err(FeedError::Silent)));
    drop(quiet);
    assert!(matches!(Feed::open(SOON, || Err("free again".to_owned())), Err(FeedError::Ended(_))));
}

#[test]
fn a_feed_that_is_told_of_a_still_screen_ends_without_a_picture() {
    let _alone = alone();
    let (told, words) = bounded::<Option<BgraFrame>>(4);
    let still = told.clone();
    told.send(Some(picture(1, Monotonic::from_nanos(0)))).unwrap();
    let open = move || Ok(Box::new(move || words.recv().map_err(|_| "closed".to_owned())) as Next);
    let mut feed = Feed::open(SOON, open).unwrap();
    let mut frame = blank_frame();
    assert_eq!(feed.latest(&mut frame), Ok(Grab::Changed));
    told.send(None).unwrap();
    assert_eq!(feed.latest(&mut frame), Ok(Grab::Same));
    let ended = feed.shared.clone();
    drop(feed);
    drop(still.send(None));
    drop(ended.wait(SOON, |state| state.ended.is_some()));
    assert_eq!(ended.state().ended.as_deref(), Some("it was stopped"));
}

#[test]
fn a_question_that_panics_is_answered_with_what_it_said() {
    assert_eq!(ask(|| 7), Ok(7));
    assert_eq!(ask(|| -> u8 { panic!("window {} has no title", 3) }), Err("window 3 has no title".to_owned()));
}
