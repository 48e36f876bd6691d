//! What a reviewer is told besides flags: each sign just beyond its limit and just inside it; and that a raised flag shows
//! where it can be seen.

use shared_types::quality::advice::{Sign, advise};
use shared_types::quality::flag::Flag;
use shared_types::quality::judge::judge;
use shared_types::quality::measurements::{
    ActivityMeasures, CaptureMeasures, DuplicateMeasures, FileMeasures, Measurements, PictureMeasures, SoundMeasures,
    Span,
};
use shared_types::quality::policy::Policy;

/// Sentences of about four seconds with pauses of a person's length between them.
fn speech(pauses: &[f64]) -> Vec<Span> {
    let mut at = 1.0;
    let mut spans = vec![Span::new(0.0, at)];
    for pause in pauses {
        spans.push(Span::new(at + pause, at + pause + 4.0));
        at += pause + 4.0;
    }
    spans
}

const PAUSES: [f64; 12] = [0.4, 1.9, 0.7, 3.1, 0.5, 1.1, 2.4, 0.6, 0.9, 4.0, 0.3, 1.5];

fn good() -> Measurements {
    Measurements {
        file: FileMeasures { bytes: 1, has_video: true, has_audio: true, ..FileMeasures::default() },
        active_secs: Some(600.0),
        picture: Some(PictureMeasures::default()),
        sound: Some(SoundMeasures {
            secs: 600.0,
            speech_share: 0.5,
            snr_db: Some(30.0),
            speech: speech(&PAUSES),
            ..SoundMeasures::default()
        }),
        activity: Some(ActivityMeasures {
            from_events: true,
            actions: 40,
            unanswered_share: Some(0.1),
            unanswered: vec![Span::new(5.0, 7.0)],
            pointer_ways: 30,
            straight_share: Some(0.1),
            acted: Some(Span::new(2.0, 590.0)),
            ..ActivityMeasures::default()
        }),
        ..Measurements::default()
    }
}

#[test]
fn each_sign_has_its_limit() {
    type Change = fn(&mut Measurements);
    type AnyChange = Box<dyn Fn(&mut Measurements)>;
    let padded = |m: &mut Measurements, secs: f64| {
        m.picture.get_or_insert_default().still = vec![Span::new(600.0 - secs, 600.0)];
        if let Some(sound) = m.sound.as_mut() {
            sound.speech.truncate(1);
        }
    };
    let rows: Vec<(&str, AnyChange, Option<Sign>)> = {
        let row = |what, change: Change, sign| (what, Box::new(change) as AnyChange, sign);
        vec![
            row("a good take", |_| {}, None),
            row(
                "another's input",
                |m| m.replay = Some(DuplicateMeasures { of: "a take".to_owned(), shared: 0.9, spans: vec![] }),
                Some(Sign::ReplayedInput),
            ),
            row(
                "a fifth of the acts unanswered",
                |m| m.activity.get_or_insert_default().unanswered_share = Some(0.2),
                None,
            ),
            row(
                "over a fifth of the acts unanswered",
                |m| m.activity.get_or_insert_default().unanswered_share = Some(0.21),
                Some(Sign::UnansweredInput),
            ),
            row(
                "few acts, all unanswered",
                |m| {
                    let a = m.activity.get_or_insert_default();
                    a.unanswered_share = Some(1.0);
                    a.actions = 7;
                },
                None,
            ),
            row("half of the ways straight", |m| m.activity.get_or_insert_default().straight_share = Some(0.5), None),
            row(
                "over half of the ways straight",
                |m| m.activity.get_or_insert_default().straight_share = Some(0.51),
                Some(Sign::StraightPointer),
            ),
            row(
                "few ways, all straight",
                |m| {
                    let a = m.activity.get_or_insert_default();
                    a.straight_share = Some(1.0);
                    a.pointer_ways = 7;
                },
                None,
            ),
            ("90 s of nothing at the end", Box::new(move |m: &mut Measurements| padded(m, 90.0)), None),
            (
                "over 90 s of nothing at the end",
                Box::new(move |m: &mut Measurements| padded(m, 90.1)),
                Some(Sign::Padding),
            ),
            row(
                "pauses of one length",
                |m| m.sound.get_or_insert_default().speech = speech(&[0.8; 12]),
                Some(Sign::EvenPauses),
            ),
            row("few pauses of one length", |m| m.sound.get_or_insert_default().speech = speech(&[0.8; 9]), None),
            row(
                "a laugh",
                |m| m.speech.get_or_insert_default().unheard = vec![Span::new(3.0, 5.0), Span::new(8.0, 11.0)],
                None,
            ),
            row(
                "speech without words",
                |m| m.speech.get_or_insert_default().unheard = vec![Span::new(3.0, 5.0), Span::new(8.0, 11.1)],
                Some(Sign::UnheardSpeech),
            ),
            row("a quiet room", |m| m.sound.get_or_insert_default().snr_db = Some(65.0), None),
            row("no room at all", |m| m.sound.get_or_insert_default().snr_db = Some(65.1), Some(Sign::NoRoomNoise)),
        ]
    };
    for (what, change, sign) in rows {
        let mut measurements = good();
        change(&mut measurements);
        let given: Vec<Sign> = advise(&measurements).iter().map(|advice| advice.sign).collect();
        assert_eq!(given, sign.into_iter().collect::<Vec<_>>(), "{what}");
        for advice in advise(&measurements) {
            assert!(advice.sentence.ends_with('.') && !advice.sentence.contains('!'), "{what}: {}", advice.sentence);
        }
        assert!(judge(measurements, &Policy::default()).flags.is_empty(), "{what}: advice raises no flag");
    }
}

#[test]
fn pages_that_change_by_themselves_have_a_limit() {
    for (page_changes, share, expected) in [(20, 0.5, None), (20, 0.55, Some(Sign::UnexplainedChanges)), (7, 1.0, None)]
    {
        let mut measurements = good();
        let activity = measurements.activity.get_or_insert_default();
        (activity.page_changes, activity.unexplained_share) = (page_changes, Some(share));
        let given: Vec<Sign> = advise(&measurements).iter().map(|advice| advice.sign).collect();
        assert_eq!(given, expected.into_iter().collect::<Vec<_>>(), "{share} of {page_changes}");
    }
}

#[test]
fn a_raised_flag_shows_where() {
    type Change = fn(&mut Measurements);
    let whole = vec![Span::new(0.0, 600.0)];
    let rows: [(Flag, Change, Vec<Span>); 9] = [
        (
            Flag::TruncatedFile,
            |m| (m.file.declared_secs, m.file.decoded_secs) = (Some(700.0), Some(600.0)),
            vec![Span::new(600.0, 700.0)],
        ),
        (Flag::NoAudioStream, |m| (m.file.has_audio, m.sound) = (false, None), whole.clone()),
        (Flag::SilentAudio, |m| m.sound.get_or_insert_default().loud_dbfs = -90.0, whole.clone()),
        (Flag::NoSpeech, |m| m.sound.get_or_insert_default().speech_share = 0.0, whole.clone()),
        (
            Flag::LittleSpeech,
            |m| {
                let sound = m.sound.get_or_insert_default();
                (sound.speech_share, sound.speech) = (0.05, vec![Span::new(4.0, 30.0), Span::new(35.0, 40.0)]);
            },
            vec![Span::new(40.0, 600.0)],
        ),
        (Flag::LowSnr, |m| m.sound.get_or_insert_default().snr_db = Some(5.0), speech(&PAUSES)),
        (
            Flag::DroppedFrames,
            |m| {
                m.capture = Some(CaptureMeasures {
                    frames_kept: Some(0.9),
                    dropped: vec![Span::new(7.0, 9.0)],
                    ..CaptureMeasures::default()
                });
            },
            vec![Span::new(7.0, 9.0)],
        ),
        (
            Flag::AvDesync,
            |m| m.capture = Some(CaptureMeasures { av_offset_ms: Some(300.0), ..CaptureMeasures::default() }),
            whole,
        ),
        (Flag::BotLike, |m| m.activity.get_or_insert_default().jump_share = Some(0.9), vec![Span::new(2.0, 590.0)]),
    ];
    for (flag, change, spans) in rows {
        let mut measurements = good();
        change(&mut measurements);
        let report = judge(measurements, &Policy::default());
        let raised = report.flags.iter().find(|raised| raised.flag == flag);
        assert_eq!(raised.map(|raised| raised.spans.clone()), Some(spans), "{flag:?}: {:?}", report.flags);
    }
}
