//! From numbers and a policy to flags and a verdict.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::advice::{Advice, advise};
use super::evidence;
use super::flag::{FLAG_RULES, Flag, LeadsTo, Place, Verdict};
use super::measurements::{FileState, Measurements, Span, SpeechMeasures};
use super::policy::{Narration, Policy};

/// Shares and limits of the contract that a policy does not change.
const MIN_SPEECH_SHARE_AT_ALL: f64 = 0.02;
const MIN_BLACK_SECS: f64 = 2.0;
const MAX_MISSING_END_SECS: f64 = 2.0;
const MIN_FROZEN_INPUT_SECS: f64 = 5.0;
const MIN_STILL_SECS: f64 = 20.0;
const MAX_STILL_SHARE: f64 = 0.5;
const MIN_ACTIONS: u32 = 8;
const MIN_GAP_VARIATION: f64 = 0.25;
const MAX_GAP_REPEAT_SHARE: f64 = 0.30;
const MAX_JUMP_SHARE: f64 = 0.5;
const MIN_DNSMOS: f64 = 2.5;
/// A name or a quotation is said in its own language.
const MAX_FOREIGN_SHARE: f64 = 0.2;
const MIN_WORD_PROBABILITY: f64 = 0.6;
/// Below this the language of a short or noisy take is a guess.
const MIN_LANGUAGE_PROBABILITY: f64 = 0.6;
const MAX_MUSIC_SHARE: f64 = 0.5;

/// `quality.json`: the verdict with its reasons and all that was measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct QualityReport {
    pub verdict: Verdict,
    pub flags: Vec<RaisedFlag>,
    /// What a reviewer may want to look at; it does not touch the verdict.
    #[serde(default)]
    pub advice: Vec<Advice>,
    pub measurements: Measurements,
    pub policy: Policy,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct RaisedFlag {
    pub flag: Flag,
    pub verdict: Verdict,
    /// What was measured, where it is a number.
    pub measure: Option<f64>,
    pub threshold: Option<f64>,
    pub spans: Vec<Span>,
    #[serde(rename = "where")]
    pub place: Place,
    /// What happened, what it means for the worker, what to do next.
    pub sentence: String,
}

impl QualityReport {
    pub fn has(&self, flag: Flag) -> bool {
        self.flags.iter().any(|raised| raised.flag == flag)
    }
}

/// Raises the flags that the numbers call for and takes the worst of what they lead to.
pub fn judge(measurements: Measurements, policy: &Policy) -> QualityReport {
    let raised: Vec<RaisedFlag> =
        FLAG_RULES.iter().filter_map(|rule| raise(rule.flag, &measurements, policy)).collect();
    let silenced = |flag: Flag| raised.iter().any(|other| other.flag.silences(flag));
    let mut flags: Vec<RaisedFlag> = raised.iter().filter(|raised| !silenced(raised.flag)).cloned().collect();
    let another_rejects =
        flags.iter().any(|raised| raised.flag != Flag::GoalNotAttempted && raised.verdict == Verdict::Reject);
    if another_rejects {
        flags.retain(|raised| raised.flag != Flag::GoalNotAttempted);
    }
    let verdict = flags.iter().map(|raised| raised.verdict).max().unwrap_or(Verdict::Accept);
    QualityReport { verdict, flags, advice: advise(&measurements), measurements, policy: policy.clone() }
}

/// What a test of one flag found.
struct Finding {
    measure: Option<f64>,
    threshold: Option<f64>,
    spans: Vec<Span>,
    sentence: String,
}

impl Finding {
    fn of(measure: f64, threshold: f64, sentence: String) -> Self {
        Self { measure: Some(measure), threshold: Some(threshold), spans: Vec::new(), sentence }
    }

    fn plain(sentence: &str) -> Self {
        Self { measure: None, threshold: None, spans: Vec::new(), sentence: sentence.to_owned() }
    }

    fn at(mut self, spans: &[Span]) -> Self {
        self.spans = spans.to_vec();
        self
    }
}

fn raise(flag: Flag, measurements: &Measurements, policy: &Policy) -> Option<RaisedFlag> {
    let finding = find(flag, measurements, policy)?;
    let verdict = policy.verdicts.get(&flag).copied().unwrap_or_else(|| leads_to(flag, &finding, measurements, policy));
    Some(RaisedFlag {
        flag,
        verdict,
        measure: finding.measure,
        threshold: finding.threshold,
        spans: if finding.spans.is_empty() { evidence::spans(flag, measurements) } else { finding.spans },
        place: place(flag, measurements),
        sentence: finding.sentence,
    })
}

/// `bot_like` is the one flag with two places: without input events only the pipeline can see what was done.
fn place(flag: Flag, measurements: &Measurements) -> Place {
    let by_picture = measurements.activity.as_ref().is_some_and(|activity| !activity.from_events);
    if flag == Flag::BotLike && by_picture { Place::Pipeline } else { flag.rule().place }
}

fn leads_to(flag: Flag, finding: &Finding, measurements: &Measurements, policy: &Policy) -> Verdict {
    let reject_if = |condition: bool| if condition { Verdict::Reject } else { Verdict::Review };
    match flag.rule().leads_to {
        LeadsTo::Always(verdict) => verdict,
        LeadsTo::RejectIfNarrated => reject_if(policy.narration != Narration::None),
        LeadsTo::RejectUnder(limit) => reject_if(finding.measure.is_some_and(|measure| measure < limit)),
        LeadsTo::RejectFrom(limit) => reject_if(finding.measure.is_some_and(|measure| measure >= limit)),
        LeadsTo::RejectUnclear { dnsmos_under, word_probability_under } => {
            let speech = measurements.speech.as_ref();
            let dnsmos = speech.and_then(|speech| speech.dnsmos_overall);
            let words = speech.and_then(|speech| speech.mean_word_probability);
            reject_if(
                dnsmos.is_some_and(|score| score < dnsmos_under)
                    || words.is_some_and(|probability| probability < word_probability_under),
            )
        }
    }
}

fn find(flag: Flag, m: &Measurements, policy: &Policy) -> Option<Finding> {
    match flag {
        Flag::EmptyFile
        | Flag::WrongType
        | Flag::CorruptFile
        | Flag::TruncatedFile
        | Flag::NoVideoStream
        | Flag::NoAudioStream => find_in_file(flag, m),
        Flag::TooShort => {
            let secs = m.active_secs.filter(|&secs| secs < policy.min_active_secs)?;
            let need = policy.min_active_secs;
            Some(Finding::of(
                secs,
                need,
                format!(
                    "The take is {} long and {} are asked for. Record the goal again and take your time.",
                    clock(secs),
                    clock(need)
                ),
            ))
        }
        Flag::BlackScreen | Flag::FrozenScreen => find_in_picture(flag, m, policy),
        Flag::SilentAudio | Flag::NoSpeech | Flag::LittleSpeech | Flag::LowSnr | Flag::AudioClipping => {
            find_in_sound(flag, m, policy)
        }
        Flag::AvDesync => {
            let offset = m.capture.as_ref()?.av_offset_ms?;
            (offset.abs() > policy.max_av_offset_ms).then(|| {
                Finding::of(
                    offset,
                    policy.max_av_offset_ms,
                    format!(
                        "Sound and picture are {:.0} ms apart. Close other programs and record again if you can.",
                        offset.abs()
                    ),
                )
            })
        }
        Flag::DroppedFrames => {
            let kept = m.capture.as_ref()?.frames_kept?;
            (kept < policy.min_frames_kept).then(|| {
                Finding::of(
                    kept,
                    policy.min_frames_kept,
                    format!("The computer was too busy: {:.0} % of the pictures are missing. Close other programs and record again.", (1.0 - kept) * 100.0),
                )
            })
        }
        Flag::Idle | Flag::BotLike => find_in_activity(flag, m, policy),
        Flag::UnclearSpeech | Flag::Music => find_in_speech(flag, m, policy),
        Flag::Duplicate => {
            let duplicate = m.duplicate.as_ref()?;
            let sentence =
                "This recording was handed in before. Every take has to be a new one; please record the goal again.";
            Some(Finding {
                measure: Some(duplicate.shared),
                threshold: None,
                spans: duplicate.spans.clone(),
                sentence: sentence.to_owned(),
            })
        }
        Flag::GoalNotAttempted => {
            let goal = m.goal.as_ref().filter(|goal| goal.constraints > 0)?;
            let share = f64::from(goal.touched) / f64::from(goal.constraints);
            (share < policy.min_constraints_touched).then(|| {
                Finding::of(
                    share,
                    policy.min_constraints_touched,
                    format!("Only {} of the goal's {} points were seen, said or acted on. A person will look at it; next time follow the goal closely.", goal.touched, goal.constraints),
                )
            })
        }
        Flag::PiiVisible => {
            let spans = m.pii.as_ref().filter(|spans| !spans.is_empty())?;
            let sentence = format!(
                "Private data shows in {} place(s). It will be covered; a person will look at it.",
                spans.len()
            );
            Some(Finding { measure: Some(spans.len() as f64), threshold: Some(0.0), spans: spans.clone(), sentence })
        }
    }
}

fn find_in_file(flag: Flag, m: &Measurements) -> Option<Finding> {
    let file = &m.file;
    let readable = file.state == FileState::Readable;
    match flag {
        Flag::EmptyFile => (file.state == FileState::Empty)
            .then(|| Finding::plain("The file is empty. Nothing was recorded; please record the goal again.")),
        Flag::WrongType => (file.state == FileState::WrongType).then(|| {
            Finding::plain("This is not a video file the collector knows (MP4, MOV, Matroska or WebM). Hand in the file that the recorder made.")
        }),
        Flag::CorruptFile => (file.state == FileState::Corrupt)
            .then(|| Finding::plain("The file is damaged and cannot be played. If the recorder still has the take, run recovery; otherwise record again.")),
        Flag::TruncatedFile => {
            let missing = file.declared_secs.zip(file.decoded_secs).map_or(0.0, |(declared, decoded)| declared - decoded);
            let cut = file.ends_inside_frame || missing > MAX_MISSING_END_SECS;
            (readable && cut).then(|| {
                Finding::of(
                    missing,
                    MAX_MISSING_END_SECS,
                    "The end of the file is missing. Hand in the whole file, or record the goal again.".to_owned(),
                )
            })
        }
        Flag::NoVideoStream => (readable && !file.has_video)
            .then(|| Finding::plain("The file has no picture. Choose a screen to record and record the goal again.")),
        Flag::NoAudioStream => (readable && !file.has_audio)
            .then(|| Finding::plain("The file has no sound. Choose a microphone and record the goal again.")),
        _ => None,
    }
}

fn find_in_picture(flag: Flag, m: &Measurements, policy: &Policy) -> Option<Finding> {
    let picture = m.picture.as_ref()?;
    if flag == Flag::BlackScreen {
        let black_secs: f64 = picture.black.iter().map(|span| span.secs()).sum();
        return (picture.black_share >= policy.max_black_share && black_secs > MIN_BLACK_SECS).then(|| {
            Finding::of(
                picture.black_share,
                policy.max_black_share,
                format!("The picture is black for {}. Check that the right screen is chosen and that recording it is allowed, then record again.", clock(black_secs)),
            )
            .at(&picture.black)
        });
    }
    let frozen: Vec<Span> =
        picture.frozen_under_input.iter().copied().filter(|span| span.secs() >= MIN_FROZEN_INPUT_SECS).collect();
    if let Some(longest) = longest(&frozen) {
        let sentence = format!(
            "The picture stood still for {} while you were working. Restart the recorder and record again.",
            clock(longest.secs())
        );
        return Some(Finding::of(longest.secs(), MIN_FROZEN_INPUT_SECS, sentence).at(&frozen));
    }
    let still = longest(&picture.still)?;
    let total = m.active_secs?;
    (still.secs() > MIN_STILL_SECS && still.secs() > total * MAX_STILL_SHARE).then(|| {
        let sentence = format!("Nothing moved on the screen for {}, more than half of the take. Check that the right screen is chosen and record again.", clock(still.secs()));
        Finding::of(still.secs(), MIN_STILL_SECS.max(total * MAX_STILL_SHARE), sentence).at(&[still])
    })
}

fn find_in_sound(flag: Flag, m: &Measurements, policy: &Policy) -> Option<Finding> {
    let sound = m.sound.as_ref()?;
    match flag {
        Flag::SilentAudio => (sound.loud_dbfs < policy.min_level_dbfs).then(|| {
            Finding::of(
                sound.loud_dbfs,
                policy.min_level_dbfs,
                "The microphone recorded silence. Check that it is plugged in, not muted, and the one chosen, then record again.".to_owned(),
            )
        }),
        Flag::NoSpeech => (sound.speech_share < MIN_SPEECH_SHARE_AT_ALL).then(|| {
            Finding::of(
                sound.speech_share,
                MIN_SPEECH_SHARE_AT_ALL,
                "No speech was heard. Say aloud what you look for and why while you shop, and record again.".to_owned(),
            )
        }),
        Flag::LittleSpeech => {
            let floor = policy.speech_share_floor();
            if sound.speech_share < floor {
                let sentence = format!("You spoke in {:.0} % of the take and {:.0} % are asked for. Say more of what you think while you shop.", sound.speech_share * 100.0, floor * 100.0);
                return Some(Finding::of(sound.speech_share, floor, sentence));
            }
            let silence = sound.longest_silence.filter(|silence| silence.secs() > policy.max_silence_secs)?;
            let sentence = format!("Nothing was said for {}. Keep telling what you think while you shop.", clock(silence.secs()));
            Some(Finding::of(silence.secs(), policy.max_silence_secs, sentence).at(&[silence]))
        }
        Flag::LowSnr => {
            let snr = sound.snr_db.filter(|&snr| snr < policy.min_snr_db)?;
            let sentence = format!("Your voice is hard to hear over the noise around you ({snr:.0} dB apart, {:.0} dB are asked for). Move to a quiet room or closer to the microphone.", policy.min_snr_db);
            Some(Finding::of(snr, policy.min_snr_db, sentence))
        }
        Flag::AudioClipping => (sound.clipped_share > policy.max_clipped_share).then(|| {
            Finding::of(
                sound.clipped_share,
                policy.max_clipped_share,
                "The microphone is set too loud and your voice is distorted. Turn its level down or speak from further away.".to_owned(),
            )
            .at(&sound.clipped)
        }),
        _ => None,
    }
}

fn find_in_activity(flag: Flag, m: &Measurements, policy: &Policy) -> Option<Finding> {
    let activity = m.activity.as_ref()?;
    if flag == Flag::Idle {
        return (activity.idle_share >= policy.max_idle_share).then(|| {
            let sentence = format!(
                "Nothing happened for {:.0} % of the take. Leave out long waits, or pause the recorder during them.",
                activity.idle_share * 100.0
            );
            Finding::of(activity.idle_share, policy.max_idle_share, sentence).at(&activity.idle)
        });
    }
    if activity.actions < MIN_ACTIONS {
        return None;
    }
    let sentence =
        "The clicks look as if a program made them. A person will look at it; please shop by hand.".to_owned();
    let regular = activity.gap_variation.filter(|&variation| variation < MIN_GAP_VARIATION);
    let repeated = activity.gap_repeat_share.filter(|&share| share > MAX_GAP_REPEAT_SHARE);
    let jumping = activity.jump_share.filter(|&share| share > MAX_JUMP_SHARE);
    if let Some(variation) = regular {
        return Some(Finding::of(variation, MIN_GAP_VARIATION, sentence));
    }
    if let Some(share) = repeated {
        return Some(Finding::of(share, MAX_GAP_REPEAT_SHARE, sentence));
    }
    jumping.map(|share| Finding::of(share, MAX_JUMP_SHARE, sentence))
}

fn find_in_speech(flag: Flag, m: &Measurements, policy: &Policy) -> Option<Finding> {
    let speech = m.speech.as_ref()?;
    if flag == Flag::Music {
        let share = speech.music_share.filter(|&share| share > MAX_MUSIC_SHARE)?;
        let sentence =
            "Music plays while you are not speaking. Turn it off; it makes your words hard to use.".to_owned();
        return Some(Finding::of(share, MAX_MUSIC_SHARE, sentence).at(&speech.music));
    }
    // First, since models that know one language rate another one badly, and a quieter room would not help.
    if let Some(finding) = other_language(speech, m, policy) {
        return Some(finding);
    }
    if let Some(score) = speech.dnsmos_overall.filter(|&score| score < MIN_DNSMOS) {
        let sentence = "Your voice sounds unclear. Move to a quiet room and closer to the microphone.".to_owned();
        return Some(Finding::of(score, MIN_DNSMOS, sentence));
    }
    let probability = speech.mean_word_probability.filter(|&probability| probability < MIN_WORD_PROBABILITY)?;
    let sentence =
        "Many of your words could not be understood. Speak a little slower and closer to the microphone.".to_owned();
    Some(Finding::of(probability, MIN_WORD_PROBABILITY, sentence))
}

fn other_language(speech: &SpeechMeasures, m: &Measurements, policy: &Policy) -> Option<Finding> {
    let sure = speech.language_probability.is_some_and(|probability| probability > MIN_LANGUAGE_PROBABILITY);
    if let Some(language) = speech.language.as_ref().filter(|&language| sure && *language != policy.language) {
        let sentence = format!(
            "You spoke another language (`{language}`) than the one asked for (`{}`). Please record in the language of the task.",
            policy.language
        );
        let measure = speech.language_probability;
        return Some(Finding {
            measure,
            threshold: Some(MIN_LANGUAGE_PROBABILITY),
            spans: speech.foreign.clone(),
            sentence,
        });
    }
    let secs = |spans: &[Span]| spans.iter().map(|span| span.secs()).sum::<f64>();
    let spoken = m.sound.as_ref().map_or(0.0, |sound| secs(&sound.speech));
    let share = secs(&speech.foreign) / spoken.max(f64::MIN_POSITIVE);
    (share > MAX_FOREIGN_SHARE).then(|| {
        let sentence = format!(
            "You spoke another language than the one asked for (`{}`) in {:.0} % of your speech. Please speak one language throughout.",
            policy.language,
            share * 100.0
        );
        Finding::of(share, MAX_FOREIGN_SHARE, sentence).at(&speech.foreign)
    })
}

fn longest(spans: &[Span]) -> Option<Span> {
    spans.iter().copied().max_by(|a, b| a.secs().total_cmp(&b.secs()))
}

/// Minutes and seconds as people read them: `4:07 min`, `12 s`.
fn clock(secs: f64) -> String {
    let whole = secs.round() as u64;
    if whole < 60 { format!("{whole} s") } else { format!("{}:{:02} min", whole / 60, whole % 60) }
}
