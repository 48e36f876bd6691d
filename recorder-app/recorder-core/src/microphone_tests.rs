//! Made microphones that are unplugged, changed and silent, and what is told of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use capture::mic::synthetic::{Plan, Signal, start};
use crossbeam_channel::bounded;

use super::*;

const DEADLINE: Duration = Duration::from_secs(20);

/// A silent microphone that counts how often it is started; what it is the later times, `later` says.
fn microphone(
    choice: MicChoice,
    first: Plan,
    later: impl Fn() -> Plan + Send + 'static,
) -> (Microphone, Receiver<AudioChunk>, Arc<AtomicUsize>) {
    let (sink, chunks) = bounded(64);
    let starts = Arc::new(AtomicUsize::new(0));
    let counted = starts.clone();
    let start = move |sink| {
        let plan = if counted.fetch_add(1, Ordering::Relaxed) == 0 { first.clone() } else { later() };
        start(plan, sink)
    };
    let microphone = Microphone::start(MicSource { start: Box::new(start), choice }, sink).unwrap();
    (microphone, chunks, starts)
}

fn plan() -> Plan {
    Plan::new(48_000, 1, Signal::Silence)
}

fn name() -> String {
    "Synthetic microphone".to_owned()
}

/// A look, which waits for nothing.
fn look(microphone: &mut Microphone) -> Option<MicNews> {
    let began = Instant::now();
    let news = microphone.watch();
    assert!(began.elapsed() < Duration::from_millis(500), "{:?}", began.elapsed());
    news
}

/// What is told next.
fn next(microphone: &mut Microphone) -> MicNews {
    let deadline = Instant::now() + DEADLINE;
    loop {
        assert!(Instant::now() < deadline, "nothing is told");
        if let Some(news) = look(microphone) {
            return news;
        }
        std::thread::yield_now();
    }
}

/// What is told until nothing is waited for any more.
fn settle(microphone: &mut Microphone) -> Option<MicNews> {
    settle_at(microphone, Instant::now())
}

fn settle_at(microphone: &mut Microphone, now: Instant) -> Option<MicNews> {
    let deadline = Instant::now() + DEADLINE;
    while microphone.job.is_some() {
        assert!(Instant::now() < deadline, "no answer comes");
        if let Some(news) = microphone.take_answer(now) {
            return Some(news);
        }
        std::thread::yield_now();
    }
    None
}

/// Asks the system so many times. What is told, with the number of the question.
fn ask(microphone: &mut Microphone, times: u32) -> Vec<(u32, MicNews)> {
    let mut told = Vec::new();
    for question in 1..=times {
        microphone.order(Job::Ask, Instant::now());
        told.extend(settle(microphone).map(|news| (question, news)));
    }
    told
}

#[test]
fn another_choice_of_the_system_is_followed_and_told() {
    let choice = MicChoice::Systems(Box::new(|| Some("plugged in just now".to_owned())));
    let plugged_in = || Plan { id: "plugged in just now".to_owned(), ..plan() };
    let (mut microphone, _chunks, starts) = microphone(choice, plan(), plugged_in);
    assert_eq!(next(&mut microphone), MicNews::Told(Health::MicChanged { name: name() }));
    assert_eq!(ask(&mut microphone, 5), []);
    assert_eq!(starts.load(Ordering::Relaxed), 2);
    assert!(!microphone.is_lost());
}

#[test]
fn a_choice_of_the_system_that_cannot_be_opened_is_tried_once_and_again_when_it_was_another_one_meanwhile() {
    let asked = AtomicUsize::new(0);
    let choice = MicChoice::Systems(Box::new(move || {
        let id = if asked.fetch_add(1, Ordering::Relaxed) == 4 { "synthetic" } else { "default" };
        Some(id.to_owned())
    }));
    // Whichever is asked for, the first that can be opened is started.
    let (mut microphone, _chunks, starts) = microphone(choice, plan(), plan);
    for (questions, so_far) in [(4, 2), (1, 2), (4, 3)] {
        assert_eq!(ask(&mut microphone, questions), [], "it is the same microphone as before");
        assert_eq!(starts.load(Ordering::Relaxed), so_far);
    }
}

#[test]
fn a_choice_of_the_system_that_cannot_be_opened_is_tried_again_more_and_more_seldom() {
    let choice = MicChoice::Systems(Box::new(|| Some("default".to_owned())));
    let tries = AtomicUsize::new(0);
    // It is held by another program until the third try.
    let later = move || match tries.fetch_add(1, Ordering::Relaxed) {
        0 | 1 => plan(),
        _ => Plan { id: "default".to_owned(), ..plan() },
    };
    let (mut microphone, _chunks, starts) = microphone(choice, plan(), later);
    let began = Instant::now();
    let changed = || Some(MicNews::Told(Health::MicChanged { name: name() }));
    let rows = [(0, 2, None), (29, 2, None), (30, 3, None), (89, 3, None), (90, 4, changed()), (600, 4, None)];
    for (secs, so_far, told) in rows {
        let now = began + Duration::from_secs(secs);
        microphone.order(Job::Ask, now);
        assert_eq!(settle_at(&mut microphone, now), told, "after {secs} s");
        assert_eq!(starts.load(Ordering::Relaxed), so_far, "after {secs} s");
    }
}

#[test]
fn a_chosen_microphone_that_is_unplugged_is_told_and_gone_back_to() {
    let asked = AtomicUsize::new(0);
    // There; gone, asked twice; unknown; there again, twice.
    let answers = [Some(true), Some(false), Some(false), None, Some(true), Some(true)];
    let choice = MicChoice::Workers(Box::new(move || answers[asked.fetch_add(1, Ordering::Relaxed).min(5)]));
    let (mut microphone, _chunks, starts) = microphone(choice, plan(), plan);
    let told = ask(&mut microphone, 6);
    let (moved, back) = (Health::MicMoved { name: name() }, Health::MicBack { name: name() });
    assert_eq!(told, [(2, MicNews::Told(moved)), (5, MicNews::Told(back))]);
    assert_eq!(starts.load(Ordering::Relaxed), 2);
}

#[test]
fn sound_that_is_lost_on_its_way_is_counted_over_restarts() {
    let (mut microphone, chunks, _) = microphone(MicChoice::Fixed, plan(), plan);
    let deadline = Instant::now() + DEADLINE;
    // Nobody takes what comes, so that the way is full after a second.
    let fill = |microphone: &Microphone, more_than: u64| {
        while microphone.lost().chunks <= more_than {
            assert!(Instant::now() < deadline, "nothing is lost");
            std::thread::yield_now();
        }
    };
    fill(&microphone, 0);
    microphone.order(Job::Restart, Instant::now());
    settle(&mut microphone);
    let before = microphone.lost();
    assert!(before.chunks > 0);
    fill(&microphone, before.chunks);
    assert_eq!(before.gaps, 0);
    drop(chunks);
}

#[test]
fn a_microphone_whose_sound_nobody_takes_is_not_silent() {
    let (mut microphone, _chunks, starts) = microphone(MicChoice::Fixed, plan(), plan);
    let until = Instant::now() + SILENCE + SILENCE;
    while Instant::now() < until {
        assert_eq!(look(&mut microphone), None);
        std::thread::yield_now();
    }
    assert!(microphone.lost().chunks > 0);
    assert_eq!(starts.load(Ordering::Relaxed), 1);
}

#[test]
fn a_new_start_that_helps_is_told_and_is_over_when_sound_comes() {
    let falls_silent = Plan { gaps: vec![0.1..1000.0], ..plan() };
    let (mut microphone, _chunks, starts) = microphone(MicChoice::Fixed, falls_silent, plan);
    assert_eq!(next(&mut microphone), MicNews::Told(Health::MicRestarted));
    assert_eq!(next(&mut microphone), MicNews::Over(Health::MicRestarted));
    assert_eq!(starts.load(Ordering::Relaxed), 2);
}

#[test]
fn a_sound_system_that_does_not_answer_holds_nobody_up_and_is_told_once() {
    let (release, held) = bounded::<()>(0);
    let falls_silent = Plan { gaps: vec![0.1..1000.0], ..plan() };
    let (mut microphone, _chunks, _) = microphone(MicChoice::Fixed, falls_silent, move || {
        held.recv().ok();
        plan()
    });
    assert_eq!(next(&mut microphone), MicNews::Told(Health::MicLost { why: MicLoss::Unanswered }));
    assert!(microphone.is_lost());
    // It answers after all.
    drop(release);
    assert_eq!(next(&mut microphone), MicNews::Told(Health::MicBack { name: name() }));

    let (_release, held) = bounded::<()>(0);
    let choice = MicChoice::Systems(Box::new(move || {
        held.recv().ok();
        Some("another one".to_owned())
    }));
    let (mut microphone, _chunks, starts) = self::microphone(choice, plan(), plan);
    let until = Instant::now() + ASK_EVERY + UNANSWERED + Duration::from_secs(1);
    while Instant::now() < until {
        assert_eq!(look(&mut microphone), None, "sound comes all the while");
        std::thread::yield_now();
    }
    assert!(microphone.job.is_some());
    assert_eq!(starts.load(Ordering::Relaxed), 1);
    let began = Instant::now();
    drop(microphone);
    assert!(began.elapsed() < GOODBYE + Duration::from_secs(1), "{:?}", began.elapsed());
}

#[test]
fn an_answer_of_long_ago_counts_for_nothing() {
    let choice = MicChoice::Systems(Box::new(|| Some("another one".to_owned())));
    let (mut microphone, _chunks, starts) = microphone(choice, plan(), plan);
    microphone.order(Job::Ask, Instant::now().checked_sub(STALE).unwrap());
    assert_eq!(settle(&mut microphone), None);
    assert_eq!(starts.load(Ordering::Relaxed), 1);
}
