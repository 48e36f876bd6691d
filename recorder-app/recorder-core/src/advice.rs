//! What the worker is told while a take runs: one sentence for each trouble, with what to do about it.
//!
//! A trouble is told when it begins, and again only after it was over and a minute has passed: one that comes back sooner
//! is told when the minute is over, if it still holds. A microphone without sound is told each time, as soon as the first,
//! unless it is one that opens and closes by itself. Nothing here judges: the limits are those of a person who looks over the
//! worker's shoulder.

use std::collections::{BTreeMap, BTreeSet};

use media::time::Monotonic;

use crate::live::{Heard, Live};

/// A microphone that gives nothing is told after this long.
const DEAD_SECS: f64 = 2.0;
/// One that falls silent between words by itself (a noise gate) is given longer, once it has come back from so many silences
/// as short as that, and until it has given sound without a break for `UNGATED_SECS`.
const GATED_SECS: f64 = 15.0;
const GATED_AFTER: u32 = 2;
const UNGATED_SECS: f64 = 60.0;
/// Sound that was there for this long was back.
const BACK_SECS: f64 = 5.0;
const WORDLESS_SECS: f64 = 30.0;
const CLIPPED_SHARE: f64 = 0.02;
const QUIET_SPEECH_DBFS: f64 = -50.0;
const BLACK_SECS: f64 = 4.0;
const FROZEN_SECS: f64 = 5.0;
const IDLE_SECS: f64 = 20.0;
const LOW_DISK_SECS: f64 = 300.0;
const DROPPED_SHARE: f64 = 0.05;
const DROPPED_OVER_SECS: f64 = 10.0;
const AGAIN_AFTER_SECS: f64 = 60.0;

const SILENT: &str = "mic_silent";

/// What a look at a running take shows.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Look {
    pub(crate) secs: f64,
    /// `None` without a microphone, or while it is gone, which is told elsewhere.
    pub(crate) heard: Option<Heard>,
    pub(crate) min_snr_db: f64,
    pub(crate) wants_narration: bool,
    pub(crate) black_secs: f64,
    pub(crate) frozen_secs: f64,
    pub(crate) idle_secs: f64,
    pub(crate) due: u64,
    pub(crate) dropped: u64,
    pub(crate) disk_secs: Option<f64>,
}

/// A trouble that begins, or one that was told and is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum News {
    Trouble(&'static str, String),
    Over(&'static str),
}

#[derive(Debug, Default)]
pub(crate) struct Advice {
    /// Troubles that were told and still hold, and when each was told last.
    active: BTreeSet<&'static str>,
    told: BTreeMap<&'static str, f64>,
    silence: Silence,
    /// Counts at the beginning of the stretch over which drops are reckoned.
    drops_from: (f64, u64, u64),
    first_input: Option<(Monotonic, Monotonic)>,
}

/// The silences of the microphone that were longer than `DEAD_SECS`.
#[derive(Debug, Default)]
struct Silence {
    /// How long the present one is.
    secs: f64,
    /// When the sound came back from the last one; zero is the beginning of the take.
    back_at: f64,
    /// How many it came back from before `GATED_SECS` were over.
    short: u32,
}

impl Silence {
    /// Whether the microphone is dead, and whether it had been heard for a while before it fell silent, or since.
    fn look(&mut self, secs: f64, dead_secs: f64) -> (bool, bool) {
        let is_silent = dead_secs >= DEAD_SECS;
        if !is_silent && self.secs > 0.0 {
            self.short += u32::from(self.secs < GATED_SECS);
            self.back_at = secs;
        }
        self.secs = if is_silent { dead_secs } else { 0.0 };
        let heard_secs = secs - dead_secs - self.back_at;
        if heard_secs >= UNGATED_SECS {
            self.short = 0;
        }
        let limit = if self.short >= GATED_AFTER { GATED_SECS } else { DEAD_SECS };
        (dead_secs >= limit, heard_secs >= BACK_SECS)
    }
}

impl Advice {
    /// How long the hand has been at work since the picture last changed.
    pub(crate) fn frozen_secs(&mut self, live: &Live) -> f64 {
        let (Some(changed), Some(input)) = (live.changed_at(), live.input_at()) else { return 0.0 };
        if input <= changed {
            self.first_input = None;
            return 0.0;
        }
        let first = match self.first_input {
            Some((since, first)) if since == changed => first,
            _ => input,
        };
        self.first_input = Some((changed, first));
        input.nanos_since(first) as f64 / 1e9
    }

    /// What there is to tell now.
    pub(crate) fn look(&mut self, look: &Look) -> Vec<News> {
        let mut news = Vec::new();
        let is_dead = look.heard.is_some_and(|heard| {
            let (is_dead, was_back) = self.silence.look(look.secs, heard.dead_secs);
            if was_back && !self.active.contains(SILENT) {
                self.told.remove(SILENT);
            }
            is_dead
        });
        let mut tell = |kind: &'static str, holds: bool, sentence: &dyn Fn() -> String| {
            let is_due = self.told.get(kind).is_none_or(|told| look.secs - told >= AGAIN_AFTER_SECS);
            if !holds && self.active.remove(kind) {
                news.push(News::Over(kind));
            } else if holds && is_due && self.active.insert(kind) {
                self.told.insert(kind, look.secs);
                news.push(News::Trouble(kind, sentence()));
            }
        };
        let plain = |text: &'static str| move || text.to_owned();
        if let Some(heard) = look.heard {
            tell(
                SILENT,
                is_dead,
                &plain(
                    "No sound comes from the microphone. Check that it is not muted, here or on the headset itself, and say something.",
                ),
            );
            let is_wordless = look.wants_narration && heard.wordless_secs >= WORDLESS_SECS && !is_dead;
            tell(
                "no_speech",
                is_wordless,
                &plain("Nothing was said for half a minute. Say aloud what you are looking for and why."),
            );
            tell(
                "mic_clipping",
                heard.clipped_share >= CLIPPED_SHARE,
                &plain(
                    "Your voice is too loud for the microphone and is cut off. Move away from it a little, or turn its volume down.",
                ),
            );
            tell(
                "mic_quiet",
                heard.speech_dbfs.is_some_and(|level| level < QUIET_SPEECH_DBFS),
                &plain("Your voice is very quiet. Move closer to the microphone, or turn its volume up."),
            );
            tell(
                "noise",
                heard.snr_db.is_some_and(|ratio| ratio < look.min_snr_db),
                &plain(
                    "Your voice is hard to hear over the noise around you. Close a window or door, or move closer to the microphone.",
                ),
            );
        }
        tell(
            "black_picture",
            look.black_secs >= BLACK_SECS,
            &plain("The recorded screen is black. Check that the right screen was chosen and that it is switched on."),
        );
        tell(
            "frozen_picture",
            look.frozen_secs >= FROZEN_SECS,
            &plain(
                "The picture does not change although you are working. If you work on another screen, stop and choose that one.",
            ),
        );
        tell(
            "idle",
            look.idle_secs >= IDLE_SECS,
            &plain("Nothing has happened for a while. Go on, pause, or stop if you are done."),
        );
        let low = look.disk_secs.filter(|secs| *secs < LOW_DISK_SECS);
        tell("disk_low", low.is_some(), &|| {
            let minutes = (low.unwrap_or(0.0) / 60.0).floor();
            format!(
                "The disk has room for about {minutes:.0} more minutes. Free some space, or finish soon; what is recorded is kept."
            )
        });
        let (from, due, dropped) = self.drops_from;
        if look.secs - from >= DROPPED_OVER_SECS {
            let (due, dropped) = (look.due - due, look.dropped - dropped);
            self.drops_from = (look.secs, look.due, look.dropped);
            tell("pictures_dropped", due > 0 && dropped as f64 >= DROPPED_SHARE * due as f64, &|| {
                format!(
                    "The computer could not keep up: {dropped} of {due} pictures of the last ten seconds are missing. Close programs that you do not need."
                )
            });
        }
        news
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fine(secs: f64) -> Look {
        let heard = Heard { secs, speech_share: 0.5, speech_dbfs: Some(-25.0), snr_db: Some(30.0), ..Heard::default() };
        Look {
            secs,
            heard: Some(heard),
            min_snr_db: 10.0,
            wants_narration: true,
            disk_secs: Some(9e3),
            ..Look::default()
        }
    }

    fn kinds(advice: &mut Advice, look: &Look) -> Vec<&'static str> {
        let told = advice.look(look).into_iter();
        told.filter_map(|news| if let News::Trouble(kind, _) = news { Some(kind) } else { None }).collect()
    }

    #[test]
    fn each_trouble_has_a_sentence_with_its_remedy_and_is_told_once() {
        let docs = include_str!("../../../docs/formats.md");
        let with = |change: &dyn Fn(&mut Heard)| {
            let mut look = fine(5.0);
            change(look.heard.as_mut().unwrap());
            look
        };
        let rows: [(&str, Look); 11] = [
            ("mic_silent", with(&|heard| heard.dead_secs = 2.5)),
            ("no_speech", with(&|heard| heard.wordless_secs = 31.0)),
            ("mic_clipping", with(&|heard| heard.clipped_share = 0.1)),
            ("mic_quiet", with(&|heard| heard.speech_dbfs = Some(-55.0))),
            ("noise", with(&|heard| heard.snr_db = Some(6.0))),
            ("black_picture", Look { black_secs: 4.5, ..fine(5.0) }),
            ("frozen_picture", Look { frozen_secs: 5.5, ..fine(5.0) }),
            ("idle", Look { idle_secs: 21.0, ..fine(5.0) }),
            ("disk_low", Look { disk_secs: Some(200.0), ..fine(5.0) }),
            ("disk_low", Look { disk_secs: Some(0.0), ..fine(5.0) }),
            ("pictures_dropped", Look { due: 150, dropped: 15, ..fine(11.0) }),
        ];
        for (kind, look) in rows {
            let mut advice = Advice::default();
            assert_eq!(kinds(&mut advice, &fine(1.0)), [""; 0]);
            let told = advice.look(&look);
            let [News::Trouble(said, sentence)] = &told[..] else { panic!("{kind}: {told:?}") };
            assert_eq!(*said, kind);
            assert!(sentence.ends_with('.') && sentence.contains(". "), "what happened, then what to do: {sentence}");
            assert!(docs.contains(&format!("`{kind}`")), "docs/formats.md does not name {kind}");
            assert_eq!(advice.look(&Look { secs: look.secs + 0.1, ..look }), [], "{kind} is told once");
            let later = Look { due: look.due + 180, dropped: look.dropped, ..fine(look.secs + 12.0) };
            assert_eq!(advice.look(&later), [News::Over(kind)]);
        }
    }

    #[test]
    fn a_trouble_that_comes_back_is_told_again_after_a_minute() {
        let mut advice = Advice::default();
        let black = |secs: f64| Look { black_secs: 9.0, ..fine(secs) };
        let told: Vec<usize> = [black(5.0), fine(6.0), black(20.0), fine(30.0), black(70.0), black(200.0)]
            .iter()
            .map(|look| kinds(&mut advice, look).len())
            .collect();
        assert_eq!(told, [1, 0, 0, 0, 1, 0]);
    }

    /// The times at which a kind is told in a take that is looked at ten times a second.
    fn times(kind: &str, secs: u32, look: impl Fn(f64) -> Look) -> Vec<f64> {
        let mut advice = Advice::default();
        let looks = (0..secs * 10).map(|tenth| look(f64::from(tenth) / 10.0));
        looks.filter(|look| kinds(&mut advice, look).contains(&kind)).map(|look| look.secs).collect()
    }

    #[test]
    fn what_comes_back_too_soon_to_be_told_is_told_later_if_it_stays() {
        let since = |from: f64, secs: f64, until: f64| if (from..until).contains(&secs) { secs - from } else { 0.0 };
        let muted = |secs: f64| {
            let mut look = fine(secs);
            look.heard.as_mut().unwrap().dead_secs = since(0.0, secs, 20.0) + since(22.0, secs, 90.0);
            look
        };
        let told = times(SILENT, 100, muted);
        assert!(told.len() == 2 && told[0] < 3.0 && (60.0..=65.0).contains(&told[1]), "{told:?}");

        let quiet = |secs: f64| {
            let mut look = fine(secs);
            look.heard.as_mut().unwrap().wordless_secs = since(0.0, secs, 35.0) + since(40.0, secs, 300.0);
            look
        };
        let told = times("no_speech", 300, quiet);
        assert!(told.len() == 2 && (29.0..31.0).contains(&told[0]) && (89.0..91.0).contains(&told[1]), "{told:?}");
        // Nothing is owed for what was over before its minute was.
        assert_eq!(
            times("black_picture", 100, |secs| Look {
                black_secs: since(0.0, secs, 20.0) + since(30.0, secs, 50.0),
                ..fine(secs)
            })
            .len(),
            1
        );
    }

    #[test]
    fn a_noise_gate_alarms_twice_and_not_at_every_breath() {
        let mut advice = Advice::default();
        let dead = |secs: f64, dead_secs: f64| {
            let mut look = fine(secs);
            look.heard.as_mut().unwrap().dead_secs = dead_secs;
            look
        };
        let looks =
            [dead(2.1, 2.1), dead(4.0, 0.0), dead(40.0, 5.0), dead(45.0, 0.0), dead(90.0, 5.0), dead(120.0, 16.0)];
        let told: Vec<usize> = looks.iter().map(|look| kinds(&mut advice, look).len()).collect();
        assert_eq!(told, [1, 0, 1, 0, 0, 1]);
        // One that closes every ten seconds for three.
        let gated = |secs: f64| dead(secs, if secs % 10.0 >= 7.0 { secs % 10.0 - 7.0 } else { 0.0 });
        let told = times(SILENT, 600, gated);
        assert!(told.len() == 2 && told[1] < 20.0, "{told:?}");
    }

    #[test]
    fn a_silent_microphone_is_told_within_three_seconds_each_time_that_it_had_given_sound() {
        let rows = [
            // Muted, mended after a while, and muted again soon, again and again.
            vec![10.0..30.0, 36.0..60.0, 70.0..90.0, 96.0..120.0],
            // Mended at once, and muted again; at last by itself.
            vec![10.0..14.0, 20.0..30.0, 100.0..104.0, 200.0..204.0],
        ];
        for silences in rows {
            let muted = |secs: f64| {
                let mut look = fine(secs);
                let silence = silences.iter().find(|silence| silence.contains(&secs));
                look.heard.as_mut().unwrap().dead_secs = silence.map_or(0.0, |silence| secs - silence.start);
                look
            };
            let told = times(SILENT, 300, muted);
            let waits: Vec<f64> = told.iter().zip(&silences).map(|(told, silence)| told - silence.start).collect();
            assert!(told.len() == 4 && waits.iter().all(|wait| (0.0..=3.0).contains(wait)), "{told:?}");
        }
    }

    #[test]
    fn a_picture_is_frozen_only_while_the_hand_works() {
        let at = |secs: i64| Monotonic::from_nanos(secs * 1_000_000_000);
        let live = Live::default();
        let mut advice = Advice::default();
        assert!(advice.frozen_secs(&live) < 0.1);
        let mut frame = capture::screen::blank_frame();
        (frame.width, frame.height, frame.stride, frame.data, frame.at) = (2, 2, 8, vec![90; 16], at(10));
        live.see(&frame);
        live.touch(at(9));
        assert!(advice.frozen_secs(&live) < 0.1, "still, and nobody works");
        live.touch(at(12));
        assert!(advice.frozen_secs(&live) < 0.1, "it only begins");
        live.touch(at(18));
        assert!((advice.frozen_secs(&live) - 6.0).abs() < 0.01);
        frame.at = at(19);
        live.see(&frame);
        live.touch(at(20));
        assert!(advice.frozen_secs(&live) < 0.1);
    }
}
