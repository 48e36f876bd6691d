//! From numbers to flags and a verdict: every flag just beyond its limit and just inside it, what it leads to, what it
//! silences, and what a policy changes.

#![expect(clippy::unwrap_used, reason = "helpers of tests: what cannot be set up is a failed test")]

use std::collections::BTreeSet;

use shared_types::quality::flag::Flag::{
    AudioClipping, AvDesync, BlackScreen, BotLike, CorruptFile, DroppedFrames, Duplicate, EmptyFile, FrozenScreen,
    GoalNotAttempted, Idle, LittleSpeech, LowSnr, Music, NoAudioStream, NoSpeech, NoVideoStream, PiiVisible,
    SilentAudio, TooShort, TruncatedFile, UnclearSpeech, WrongType,
};
use shared_types::quality::flag::Verdict::{Accept, Reject, Review};
use shared_types::quality::flag::{FLAG_RULES, Flag, PICTURE_FLAGS, Place, SOUND_FLAGS, Verdict};
use shared_types::quality::judge::judge;
use shared_types::quality::measurements::{
    ActivityMeasures, CaptureMeasures, DuplicateMeasures, FileMeasures, FileState, GoalMeasures, Measurements,
    PictureMeasures, SoundMeasures, Span, SpeechMeasures,
};
use shared_types::quality::policy::{Narration, Policy};

/// The contract's table: flag, where it is measured, what it silences.
const CONTRACT: [(Flag, &str, Place, &[Flag]); 23] = [
    (EmptyFile, "empty_file", Place::Device, ALL),
    (WrongType, "wrong_type", Place::Device, ALL),
    (CorruptFile, "corrupt_file", Place::Device, ALL),
    (TruncatedFile, "truncated_file", Place::Device, &[TooShort]),
    (NoVideoStream, "no_video_stream", Place::Device, &[BlackScreen, FrozenScreen, DroppedFrames, AvDesync, Idle]),
    (
        NoAudioStream,
        "no_audio_stream",
        Place::Device,
        &[SilentAudio, NoSpeech, LittleSpeech, LowSnr, AudioClipping, AvDesync, UnclearSpeech, Music],
    ),
    (TooShort, "too_short", Place::Device, &[]),
    (BlackScreen, "black_screen", Place::Device, &[FrozenScreen, Idle]),
    (FrozenScreen, "frozen_screen", Place::Device, &[Idle]),
    (SilentAudio, "silent_audio", Place::Device, &[LittleSpeech, LowSnr, UnclearSpeech, Music]),
    (NoSpeech, "no_speech", Place::Device, &[LittleSpeech, LowSnr, UnclearSpeech]),
    (LittleSpeech, "little_speech", Place::Device, &[]),
    (LowSnr, "low_snr", Place::Device, &[]),
    (AudioClipping, "audio_clipping", Place::Device, &[]),
    (AvDesync, "av_desync", Place::Device, &[]),
    (DroppedFrames, "dropped_frames", Place::Device, &[]),
    (Idle, "idle", Place::Device, &[]),
    (BotLike, "bot_like", Place::Device, &[]),
    (UnclearSpeech, "unclear_speech", Place::Pipeline, &[]),
    (Music, "music", Place::Pipeline, &[]),
    (Duplicate, "duplicate", Place::Server, &[]),
    (GoalNotAttempted, "goal_not_attempted", Place::Pipeline, &[]),
    (PiiVisible, "pii_visible", Place::Pipeline, &[]),
];
/// All but itself.
const ALL: &[Flag] = &[
    EmptyFile,
    WrongType,
    CorruptFile,
    TruncatedFile,
    NoVideoStream,
    NoAudioStream,
    TooShort,
    BlackScreen,
    FrozenScreen,
    SilentAudio,
    NoSpeech,
    LittleSpeech,
    LowSnr,
    AudioClipping,
    AvDesync,
    DroppedFrames,
    Idle,
    BotLike,
    UnclearSpeech,
    Music,
    Duplicate,
    GoalNotAttempted,
    PiiVisible,
];

/// Ten minutes without a fault, everything measured.
fn good() -> Measurements {
    Measurements {
        file: FileMeasures {
            bytes: 40_000_000,
            state: FileState::Readable,
            container: Some("mp4".to_owned()),
            has_video: true,
            has_audio: true,
            declared_secs: Some(600.0),
            decoded_secs: Some(600.0),
            ends_inside_frame: false,
        },
        active_secs: Some(600.0),
        picture: Some(PictureMeasures { width: 1280, height: 720, frames: 9000, ..PictureMeasures::default() }),
        sound: Some(SoundMeasures {
            secs: 600.0,
            loud_dbfs: -20.0,
            speech_share: 0.5,
            snr_db: Some(30.0),
            ..SoundMeasures::default()
        }),
        capture: Some(CaptureMeasures { av_offset_ms: Some(3.0), frames_kept: Some(1.0), dropped: Vec::new() }),
        activity: Some(ActivityMeasures {
            from_events: true,
            actions: 40,
            gap_variation: Some(0.9),
            gap_repeat_share: Some(0.05),
            jump_share: Some(0.0),
            ..ActivityMeasures::default()
        }),
        speech: Some(SpeechMeasures {
            dnsmos_overall: Some(3.1),
            mean_word_probability: Some(0.9),
            language: Some("en".to_owned()),
            language_probability: Some(0.99),
            music_share: Some(0.0),
            ..SpeechMeasures::default()
        }),
        duplicate: None,
        replay: None,
        goal: Some(GoalMeasures { constraints: 5, touched: 5 }),
        pii: Some(Vec::new()),
    }
}

/// Changes one part of the good recording.
trait Parts {
    fn picture(&mut self) -> &mut PictureMeasures;
    fn sound(&mut self) -> &mut SoundMeasures;
    fn capture(&mut self) -> &mut CaptureMeasures;
    fn activity(&mut self) -> &mut ActivityMeasures;
    fn speech(&mut self) -> &mut SpeechMeasures;
}

impl Parts for Measurements {
    fn picture(&mut self) -> &mut PictureMeasures {
        self.picture.as_mut().unwrap()
    }
    fn sound(&mut self) -> &mut SoundMeasures {
        self.sound.as_mut().unwrap()
    }
    fn capture(&mut self) -> &mut CaptureMeasures {
        self.capture.as_mut().unwrap()
    }
    fn activity(&mut self) -> &mut ActivityMeasures {
        self.activity.as_mut().unwrap()
    }
    fn speech(&mut self) -> &mut SpeechMeasures {
        self.speech.as_mut().unwrap()
    }
}

fn foreign(m: &mut Measurements, secs: f64) {
    m.sound().speech = vec![Span::new(0.0, 60.0), Span::new(100.0, 140.0)];
    m.speech().foreign = vec![Span::new(100.0, 100.0 + secs)];
}

fn black(m: &mut Measurements, share: f64, secs: f64) {
    m.picture().black_share = share;
    m.picture().black = vec![Span::new(10.0, 10.0 + secs)];
}

fn still(m: &mut Measurements, take_secs: f64, secs: f64) {
    m.active_secs = Some(take_secs);
    m.picture().still = vec![Span::new(0.0, secs)];
}

fn policy(text: &str) -> Policy {
    toml::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

struct Row {
    what: &'static str,
    policy: &'static str,
    change: fn(&mut Measurements),
    flags: &'static [(Flag, Verdict)],
}

const fn row(what: &'static str, change: fn(&mut Measurements), flags: &'static [(Flag, Verdict)]) -> Row {
    Row { what, policy: "", change, flags }
}

const fn under(
    policy: &'static str,
    what: &'static str,
    change: fn(&mut Measurements),
    flags: &'static [(Flag, Verdict)],
) -> Row {
    Row { what, policy, change, flags }
}

const NONE: &str = "narration = \"none\"";
const DETAILED: &str = "narration = \"detailed\"";

#[rustfmt::skip]
const ROWS: &[Row] = &[
    row("a good recording", |_| {}, &[]),
    row("an empty file", |m| m.file.state = FileState::Empty, &[(EmptyFile, Reject)]),
    row("another type of file", |m| m.file.state = FileState::WrongType, &[(WrongType, Reject)]),
    row("a file that does not open", |m| m.file.state = FileState::Corrupt, &[(CorruptFile, Reject)]),
    row("2 s of the end are missing", |m| m.file.decoded_secs = Some(598.0), &[]),
    row("over 2 s of the end are missing", |m| m.file.decoded_secs = Some(597.9), &[(TruncatedFile, Reject)]),
    row("an end inside a frame", |m| m.file.ends_inside_frame = true, &[(TruncatedFile, Reject)]),
    row("a file that declares no end", |m| m.file.declared_secs = None, &[]),
    row("no picture", |m| m.file.has_video = false, &[(NoVideoStream, Reject)]),
    row("no sound", |m| m.file.has_audio = false, &[(NoAudioStream, Reject)]),
    under(NONE, "no sound where it is only asked for", |m| m.file.has_audio = false, &[(NoAudioStream, Review)]),
    under(DETAILED, "no sound where it has to be detailed", |m| m.file.has_audio = false, &[(NoAudioStream, Reject)]),
    row("five minutes", |m| m.active_secs = Some(300.0), &[]),
    row("under five minutes", |m| m.active_secs = Some(299.9), &[(TooShort, Reject)]),
    under("min_active_secs = 20", "20 s where 20 are asked for", |m| m.active_secs = Some(20.0), &[]),
    under("min_active_secs = 20", "under 20 s", |m| m.active_secs = Some(19.9), &[(TooShort, Reject)]),
    row("black for less than a twentieth", |m| black(m, 0.049, 29.4), &[]),
    row("black for a twentieth", |m| black(m, 0.05, 30.0), &[(BlackScreen, Reject)]),
    row("a large share of black that lasts 2 s", |m| black(m, 0.5, 2.0), &[]),
    row("a large share of black that lasts longer", |m| black(m, 0.5, 2.1), &[(BlackScreen, Reject)]),
    under("max_black_share = 0.3", "black within a wider limit", |m| black(m, 0.29, 174.0), &[]),
    row("input on a picture frozen for under 5 s", |m| m.picture().frozen_under_input = vec![Span::new(20.0, 24.9)], &[]),
    row("input on a picture frozen for 5 s", |m| m.picture().frozen_under_input = vec![Span::new(20.0, 25.0)], &[(FrozenScreen, Reject)]),
    row("still for half of the take", |m| still(m, 600.0, 300.0), &[]),
    row("still for over half of the take", |m| still(m, 600.0, 300.1), &[(FrozenScreen, Reject)]),
    under("min_active_secs = 20", "still for 20 s of a short take", |m| still(m, 30.0, 20.0), &[]),
    under("min_active_secs = 20", "still for over 20 s of a short take", |m| still(m, 30.0, 20.1), &[(FrozenScreen, Reject)]),
    row("a quiet microphone", |m| m.sound().loud_dbfs = -60.0, &[]),
    row("a silent microphone", |m| m.sound().loud_dbfs = -60.1, &[(SilentAudio, Reject)]),
    under(NONE, "a silent microphone where sound is only asked for", |m| m.sound().loud_dbfs = -60.1, &[(SilentAudio, Review)]),
    under("min_level_dbfs = -70", "quiet within a wider limit", |m| m.sound().loud_dbfs = -69.0, &[]),
    row("hardly any speech", |m| m.sound().speech_share = 0.02, &[(LittleSpeech, Review)]),
    row("no speech", |m| m.sound().speech_share = 0.019, &[(NoSpeech, Reject)]),
    under(NONE, "no speech where it is only asked for", |m| m.sound().speech_share = 0.019, &[(NoSpeech, Review)]),
    row("speech for a tenth", |m| m.sound().speech_share = 0.10, &[]),
    row("speech for less than a tenth", |m| m.sound().speech_share = 0.099, &[(LittleSpeech, Review)]),
    under(DETAILED, "speech for three tenths where it has to be detailed", |m| m.sound().speech_share = 0.30, &[]),
    under(DETAILED, "speech for less where it has to be detailed", |m| m.sound().speech_share = 0.299, &[(LittleSpeech, Review)]),
    under("narration = \"detailed\"\nmin_speech_share = 0.2", "a limit that is named wins", |m| m.sound().speech_share = 0.21, &[]),
    row("silence for a minute", |m| m.sound().longest_silence = Some(Span::new(100.0, 160.0)), &[]),
    row("silence for over a minute", |m| m.sound().longest_silence = Some(Span::new(100.0, 160.1)), &[(LittleSpeech, Review)]),
    under("max_silence_secs = 90", "silence within a wider limit", |m| m.sound().longest_silence = Some(Span::new(100.0, 189.0)), &[]),
    row("noise 10 dB under the voice", |m| m.sound().snr_db = Some(10.0), &[]),
    row("noise less than 10 dB under the voice", |m| m.sound().snr_db = Some(9.9), &[(LowSnr, Review)]),
    row("noise 3 dB under the voice", |m| m.sound().snr_db = Some(3.0), &[(LowSnr, Review)]),
    row("noise less than 3 dB under the voice", |m| m.sound().snr_db = Some(2.9), &[(LowSnr, Reject)]),
    row("noise that could not be told", |m| m.sound().snr_db = None, &[]),
    row("clipping within its limit", |m| m.sound().clipped_share = 0.005, &[]),
    row("clipping beyond its limit", |m| m.sound().clipped_share = 0.0051, &[(AudioClipping, Review)]),
    row("sound 80 ms late", |m| m.capture().av_offset_ms = Some(80.0), &[]),
    row("sound over 80 ms late", |m| m.capture().av_offset_ms = Some(80.1), &[(AvDesync, Review)]),
    row("sound over 80 ms early", |m| m.capture().av_offset_ms = Some(-80.1), &[(AvDesync, Review)]),
    row("95 of 100 pictures", |m| m.capture().frames_kept = Some(0.95), &[]),
    row("fewer than 95 of 100 pictures", |m| m.capture().frames_kept = Some(0.949), &[(DroppedFrames, Review)]),
    row("80 of 100 pictures", |m| m.capture().frames_kept = Some(0.8), &[(DroppedFrames, Review)]),
    row("fewer than 80 of 100 pictures", |m| m.capture().frames_kept = Some(0.799), &[(DroppedFrames, Reject)]),
    row("no manifest", |m| m.capture = None, &[]),
    row("idle for less than 35 of 100", |m| m.activity().idle_share = 0.349, &[]),
    row("idle for 35 of 100", |m| m.activity().idle_share = 0.35, &[(Idle, Review)]),
    row("idle for less than 60 of 100", |m| m.activity().idle_share = 0.599, &[(Idle, Review)]),
    row("idle for 60 of 100", |m| m.activity().idle_share = 0.60, &[(Idle, Reject)]),
    row("uneven gaps", |m| m.activity().gap_variation = Some(0.25), &[]),
    row("even gaps", |m| m.activity().gap_variation = Some(0.249), &[(BotLike, Review)]),
    row("30 of 100 gaps alike", |m| m.activity().gap_repeat_share = Some(0.30), &[]),
    row("over 30 of 100 gaps alike", |m| m.activity().gap_repeat_share = Some(0.301), &[(BotLike, Review)]),
    row("half of the clicks jump", |m| m.activity().jump_share = Some(0.5), &[]),
    row("over half of the clicks jump", |m| m.activity().jump_share = Some(0.501), &[(BotLike, Review)]),
    row("even gaps between 8 actions", |m| { m.activity().gap_variation = Some(0.0); m.activity().actions = 8; }, &[(BotLike, Review)]),
    row("even gaps between 7 actions", |m| { m.activity().gap_variation = Some(0.0); m.activity().actions = 7; }, &[]),
    row("speech clear enough", |m| m.speech().dnsmos_overall = Some(2.5), &[]),
    row("speech not clear enough", |m| m.speech().dnsmos_overall = Some(2.49), &[(UnclearSpeech, Review)]),
    row("speech hardly clear", |m| m.speech().dnsmos_overall = Some(1.6), &[(UnclearSpeech, Review)]),
    row("speech not clear at all", |m| m.speech().dnsmos_overall = Some(1.59), &[(UnclearSpeech, Reject)]),
    row("words sure enough", |m| m.speech().mean_word_probability = Some(0.6), &[]),
    row("words not sure enough", |m| m.speech().mean_word_probability = Some(0.59), &[(UnclearSpeech, Review)]),
    row("words hardly sure", |m| m.speech().mean_word_probability = Some(0.4), &[(UnclearSpeech, Review)]),
    row("words guessed", |m| m.speech().mean_word_probability = Some(0.39), &[(UnclearSpeech, Reject)]),
    row("another language", |m| m.speech().language = Some("de".to_owned()), &[(UnclearSpeech, Review)]),
    row("a fifth in another language", |m| foreign(m, 20.0), &[]),
    row("over a fifth in another language", |m| foreign(m, 20.1), &[(UnclearSpeech, Review)]),
    row("another language, as a guess", |m| { m.speech().language = Some("de".to_owned()); m.speech().language_probability = Some(0.6); }, &[]),
    under("language = \"de\"", "the language asked for", |m| m.speech().language = Some("de".to_owned()), &[]),
    row("music for half of the pauses", |m| m.speech().music_share = Some(0.5), &[]),
    row("music for over half of the pauses", |m| m.speech().music_share = Some(0.51), &[(Music, Review)]),
    row("a copy", |m| m.duplicate = Some(DuplicateMeasures { of: "another".to_owned(), shared: 0.7, spans: vec![] }), &[(Duplicate, Reject)]),
    row("three of five demands", |m| m.goal = Some(GoalMeasures { constraints: 5, touched: 3 }), &[]),
    row("two of five demands", |m| m.goal = Some(GoalMeasures { constraints: 5, touched: 2 }), &[(GoalNotAttempted, Review)]),
    row("no demand of none", |m| m.goal = Some(GoalMeasures { constraints: 0, touched: 0 }), &[]),
    row("no goal", |m| m.goal = None, &[]),
    row("no demand met, but another flag rejects", |m| { m.goal = Some(GoalMeasures { constraints: 5, touched: 0 }); m.active_secs = Some(9.0); }, &[(TooShort, Reject)]),
    row("no demand met, and another flag asks for review", |m| { m.goal = Some(GoalMeasures { constraints: 5, touched: 0 }); m.speech().music_share = Some(1.0); }, &[(Music, Review), (GoalNotAttempted, Review)]),
    row("private data", |m| m.pii = Some(vec![Span::new(3.0, 4.0)]), &[(PiiVisible, Review)]),
    row("nobody looked for private data", |m| m.pii = None, &[]),
    row("only the file could be measured", |m| *m = Measurements { file: m.file.clone(), ..Measurements::default() }, &[]),
    under("[verdicts]\ntoo_short = \"review\"", "a milder verdict", |m| m.active_secs = Some(9.0), &[(TooShort, Review)]),
    under("[verdicts]\nmusic = \"reject\"", "a harder verdict", |m| m.speech().music_share = Some(1.0), &[(Music, Reject)]),
    under("[verdicts]\nlow_snr = \"accept\"", "a flag that is shown and harms nothing", |m| m.sound().snr_db = Some(1.0), &[(LowSnr, Accept)]),
    under("[verdicts]\nno_audio_stream = \"accept\"", "a policy's verdict before narration", |m| m.file.has_audio = false, &[(NoAudioStream, Accept)]),
    under("[verdicts]\ntoo_short = \"review\"", "a goal missed beside a milder verdict", |m| { m.active_secs = Some(9.0); m.goal = Some(GoalMeasures { constraints: 2, touched: 0 }); }, &[(TooShort, Review), (GoalNotAttempted, Review)]),
];

#[test]
fn each_limit_holds_to_its_last_digit() {
    let mut raised_somewhere = BTreeSet::new();
    for Row { what, policy: text, change, flags } in ROWS {
        let policy = policy(text);
        let mut measurements = good();
        change(&mut measurements);
        let report = judge(measurements.clone(), &policy);
        let raised: Vec<_> = report.flags.iter().map(|raised| (raised.flag, raised.verdict)).collect();
        assert_eq!(raised, *flags, "{what} {text}");
        let worst = flags.iter().map(|(_, verdict)| *verdict).max().unwrap_or(Accept);
        assert_eq!(report.verdict, worst, "{what}");
        assert_eq!((report.measurements, &report.policy), (measurements, &policy), "{what}");
        for raised in report.flags {
            assert!(raised.sentence.ends_with('.') && !raised.sentence.contains('!'), "{what}: {}", raised.sentence);
            raised_somewhere.insert(raised.flag);
        }
    }
    assert_eq!(raised_somewhere, ALL.iter().copied().collect(), "every flag has a row that raises it");
}

/// Raises one flag and no other that it does not silence itself.
fn raise(flag: Flag, m: &mut Measurements) {
    match flag {
        EmptyFile => m.file.state = FileState::Empty,
        WrongType => m.file.state = FileState::WrongType,
        CorruptFile => m.file.state = FileState::Corrupt,
        TruncatedFile => m.file.ends_inside_frame = true,
        NoVideoStream => m.file.has_video = false,
        NoAudioStream => m.file.has_audio = false,
        TooShort => m.active_secs = Some(100.0),
        BlackScreen => black(m, 0.9, 540.0),
        FrozenScreen => m.picture().frozen_under_input = vec![Span::new(0.0, 60.0)],
        SilentAudio => m.sound().loud_dbfs = -90.0,
        NoSpeech => m.sound().speech_share = 0.0,
        LittleSpeech => m.sound().longest_silence = Some(Span::new(0.0, 90.0)),
        LowSnr => m.sound().snr_db = Some(1.0),
        AudioClipping => m.sound().clipped_share = 0.1,
        AvDesync => m.capture().av_offset_ms = Some(300.0),
        DroppedFrames => m.capture().frames_kept = Some(0.5),
        Idle => m.activity().idle_share = 0.9,
        BotLike => m.activity().gap_variation = Some(0.01),
        UnclearSpeech => m.speech().dnsmos_overall = Some(1.0),
        Music => m.speech().music_share = Some(1.0),
        Duplicate => m.duplicate = Some(DuplicateMeasures { of: "x".to_owned(), shared: 1.0, spans: Vec::new() }),
        GoalNotAttempted => m.goal = Some(GoalMeasures { constraints: 4, touched: 0 }),
        PiiVisible => m.pii = Some(vec![Span::new(1.0, 2.0)]),
    }
}

#[test]
fn another_language_is_named_however_badly_it_is_rated() {
    let mut m = good();
    *m.speech() = SpeechMeasures {
        language: Some("es".to_owned()),
        dnsmos_overall: Some(2.1),
        mean_word_probability: Some(0.5),
        ..m.speech().clone()
    };
    let report = judge(m, &Policy::default());
    let sentence = &report.flags.iter().find(|raised| raised.flag == UnclearSpeech).unwrap().sentence;
    assert!(sentence.contains("`es`"), "{sentence}");
}

#[test]
fn of_any_two_flags_one_silences_the_other_only_as_the_contract_says() {
    let silences = |one: Flag, other: Flag| one != other && CONTRACT[one as usize].3.contains(&other);
    // That no goal is asked after where a take comes back anyway has rows of its own.
    let pairs = ALL.iter().flat_map(|&one| ALL.iter().map(move |&other| (one, other)));
    for (one, other) in
        pairs.filter(|&(one, other)| one != other && one != GoalNotAttempted && other != GoalNotAttempted)
    {
        if silences(one, other) && silences(other, one) {
            // A file is in one state only.
            continue;
        }
        let mut measurements = good();
        raise(one, &mut measurements);
        raise(other, &mut measurements);
        let report = judge(measurements, &Policy::default());
        let raised: BTreeSet<Flag> = report.flags.iter().map(|raised| raised.flag).collect();
        let unsilenced = [(one, other), (other, one)].into_iter().filter(|&(flag, by)| !silences(by, flag));
        assert_eq!(raised, unsilenced.map(|(flag, _)| flag).collect(), "{one:?} and {other:?}");
    }
}

#[test]
fn the_table_is_the_contract_s() {
    assert_eq!(FLAG_RULES.len(), CONTRACT.len());
    for (index, (rule, &(flag, name, place, silences))) in FLAG_RULES.iter().zip(&CONTRACT).enumerate() {
        assert_eq!((rule.flag, rule.place, flag as usize), (flag, place, index), "row {index}");
        assert_eq!(flag.rule().flag, flag);
        assert_eq!(serde_json::to_value(flag).unwrap(), name);
        assert!(!rule.raised_when.is_empty() && !rule.source.is_empty(), "{name}");
        for &other in ALL {
            assert_eq!(flag.silences(other), other != flag && silences.contains(&other), "{name} and {other:?}");
        }
    }
    assert_eq!(PICTURE_FLAGS, [BlackScreen, FrozenScreen, DroppedFrames, AvDesync]);
    let sound = [SilentAudio, NoSpeech, LittleSpeech, LowSnr, AudioClipping, AvDesync, UnclearSpeech, Music];
    assert_eq!(SOUND_FLAGS, sound);
}

#[test]
fn a_flag_tells_what_was_measured_where_and_by_whom() {
    let mut measurements = good();
    black(&mut measurements, 0.1, 60.0);
    measurements.activity().from_events = false;
    measurements.activity().gap_variation = Some(0.1);
    let report = judge(measurements, &policy("max_black_share = 0.08"));
    let [black, bot] = &report.flags[..] else { panic!("{:?}", report.flags) };
    assert_eq!(
        (black.measure, black.threshold, &black.spans[..]),
        (Some(0.1), Some(0.08), &[Span::new(10.0, 70.0)][..])
    );
    assert_eq!(black.place, Place::Device);
    assert!(black.sentence.contains("1:00 min"), "{}", black.sentence);
    assert_eq!((bot.flag, bot.place), (BotLike, Place::Pipeline), "without events only the pipeline can see it");
    let form = serde_json::to_value(black).unwrap();
    let fields: Vec<&str> = form.as_object().unwrap().keys().map(String::as_str).collect();
    let mut expected = ["flag", "verdict", "measure", "threshold", "spans", "where", "sentence"];
    expected.sort_unstable();
    assert_eq!(fields.into_iter().collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>(), expected);
}

#[test]
fn a_policy_is_any_subset_of_its_fields_and_nothing_else() {
    assert_eq!(policy(""), Policy::default());
    let default = toml::to_string(&Policy::default()).unwrap();
    assert_eq!(policy(&default), Policy::default());
    assert_eq!(policy(NONE).narration, Narration::None);
    for wrong in [
        "min_active_sec = 20",
        "narration = \"loud\"",
        "[verdicts]\ntoo_long = \"reject\"",
        "[verdicts]\nmusic = \"maybe\"",
    ] {
        let error = toml::from_str::<Policy>(wrong).unwrap_err().to_string();
        assert!(error.contains("unknown"), "{wrong}: {error}");
    }
    for (written, code) in [("en", "en"), ("EN", "en"), ("en-US", "en"), ("es_MX", "es"), ("yue", "yue")] {
        assert_eq!(policy(&format!("language = \"{written}\"")).language, code);
    }
    for wrong in ["", "e", "english", "e\\u0000", "12"] {
        let error = toml::from_str::<Policy>(&format!("language = \"{wrong}\"")).unwrap_err().to_string();
        assert!(error.contains("code of a language"), "{wrong}: {error}");
    }
}
