//! The part of a run that asks hosted models. What it sends went through [`Sendable`]; what comes back is never more
//! than an addition, so that nothing that goes wrong here ends a run.

use std::collections::BTreeMap;
use std::rc::Rc;

use ingest_client::ClientError;
use ingest_client::hosted::{Hosted, Patience};
use shared_types::step::Step;
use shared_types::summary::Costs;
use shared_types::transcript::Transcript;

use super::private::{Private, redactor};
use super::read::Reader;
use super::senses::Heard;
use super::{INSPECT, RunError, Take};
use crate::pass::Stopwatch;
use crate::passes::explain::sendable::Take as Told;
use crate::passes::explain::{self, Pictures, Sendable, explain};
use crate::passes::inspect::{self, Findings};
use crate::passes::redact::Redactor;
use crate::passes::steps::ReadPicture;
use crate::passes::steps::acts::Act;
use crate::passes::transcribe::Hearing;
use crate::passes::transcribe::hosted::{Heard as HeardLocally, transcribe_hosted};
use crate::passes::voice::VoiceFile;
use crate::providers::cache::Answers;
use crate::providers::chat::Chat;
use crate::providers::meter::Meter;
use crate::providers::settings::HostedSettings;
use crate::providers::speech::{Speech, most_secs};

/// A server that may be asked, and what it was asked so far.
pub(super) struct Asked {
    settings: HostedSettings,
    hosted: Hosted,
    answers: Answers,
    meter: Meter,
    /// Whether the words are the hosted model's.
    heard: bool,
}

impl Asked {
    pub(super) fn new(settings: HostedSettings) -> Result<Self, ClientError> {
        let hosted = Hosted::new(&settings.base_url, settings.key.clone(), Patience::default())?;
        let answers = Answers::new(&settings.answers_dir);
        let meter = Meter::new(settings.token_budget, settings.prices.clone());
        Ok(Self { settings, hosted, answers, meter, heard: false })
    }

    pub(super) fn costs(&self) -> Costs {
        self.meter.costs()
    }

    /// Which models and prompts took part.
    pub(super) fn tell(&self, models: &mut BTreeMap<String, String>, prompts: &mut BTreeMap<String, String>) {
        let costs = self.meter.costs();
        if costs.steps_explained > 0 {
            models.insert(explain::NAME.to_owned(), self.settings.explain_model.clone());
            prompts.insert(explain::NAME.to_owned(), explain::PROMPT_VERSION.to_owned());
        }
        if let Some(model) = self.settings.speech_model.as_ref().filter(|_| self.heard) {
            models.insert("hosted speech".to_owned(), model.clone());
        }
    }
}

impl Pictures for &mut Reader {
    fn read_picture(&mut self, name: &str) -> Option<Rc<ReadPicture>> {
        Reader::read_picture(self, name)
    }
}

impl Take {
    /// The hosted model's words, where one is named and it answers; the local ones otherwise. They are not kept among the
    /// finished passes: what a server was asked is told with its costs, by the run that asked. Beside other words comes
    /// what was private by the local ones, which made it silent for the server.
    pub(super) fn hear_hosted(
        &mut self,
        findings: &Findings,
        acts: &[Act],
        reader: &Reader,
        mut heard: Heard,
    ) -> Result<(Heard, Option<Redactor>), RunError> {
        let Some(sound) = &findings.measurements.sound else { return Ok((heard, None)) };
        let voiced: Vec<(f64, f64)> = sound.speech.iter().map(|span| (span.start, span.end)).collect();
        let has_model = self.asked.as_ref().is_some_and(|asked| asked.settings.speech_model.is_some());
        if !has_model || voiced.is_empty() {
            return Ok((heard, None));
        }
        let voice = inspect::open_voice(&self.finished.files(INSPECT)).map_err(|source| self.disk(source))?;
        let redactor = redactor(findings, acts, reader, &heard);
        match self.ask_to_hear(&voice, &voiced, &heard.transcript, &redactor) {
            Some(hearing) => {
                if let Some(speech) = &mut heard.speech {
                    speech.unheard = hearing.unheard_spans();
                }
                heard.left_out = hearing.left_out();
                heard.transcript = hearing.transcript;
                Ok((heard, Some(redactor)))
            }
            None => Ok((heard, None)),
        }
    }

    fn ask_to_hear(
        &mut self,
        voice: &VoiceFile,
        voiced: &[(f64, f64)],
        local: &Transcript,
        redactor: &Redactor,
    ) -> Option<Hearing> {
        let asked = self.asked.as_mut()?;
        let model = asked.settings.speech_model.as_ref()?;
        let mut speech = Speech::new(&asked.hosted, model, &asked.answers, self.scratch.stop());
        let local = HeardLocally { transcript: local, muted: &redactor.muted() };
        match transcribe_hosted(&mut speech, voice, voiced, local, most_secs(), &mut asked.meter) {
            Ok(hearing) => {
                asked.heard = true;
                Some(hearing)
            }
            Err(failure) => {
                asked.meter.note(format!("The words are the local model's: {failure}."));
                None
            }
        }
    }

    /// Lets a hosted model explain what the rules left open.
    pub(super) fn explain(
        &mut self,
        private: &Private,
        transcript: &Transcript,
        reader: &mut Reader,
        steps: &mut [Step],
    ) {
        let Some(asked) = &mut self.asked else { return };
        let watch = Stopwatch::start(explain::NAME, explain::VERSION);
        let take = Told { goal: self.recording.goal.as_deref(), steps, transcript };
        let mut sendable = Sendable::new(take, &private.redactor, reader);
        let mut chat = Chat::new(&asked.hosted, &asked.settings.explain_model, &asked.answers, self.scratch.stop());
        explain(&mut sendable, steps, &mut chat, &mut asked.meter);
        self.passes.push(watch.stop());
    }
}
