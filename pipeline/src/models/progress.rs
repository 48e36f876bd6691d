//! How a fetch tells how far it is: a bar on a terminal, a sentence elsewhere, nothing in tests. All on stderr.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

#[derive(Debug)]
pub enum Progress {
    Bar(ProgressBar),
    Sentences,
    /// Keeps the sentences for whoever wants to look.
    Kept(Mutex<Vec<String>>),
}

impl Progress {
    /// A bar if stderr is a terminal, else sentences.
    pub fn on_stderr() -> Self {
        if !std::io::stderr().is_terminal() {
            return Self::Sentences;
        }
        let bar = ProgressBar::new(0);
        if let Ok(style) = ProgressStyle::with_template("{msg} [{bar:30}] {bytes}/{total_bytes} {eta}") {
            bar.set_style(style.progress_chars("=> "));
        }
        Self::Bar(bar)
    }

    pub fn kept() -> Self {
        Self::Kept(Mutex::default())
    }

    /// A thing of `total_bytes` begins.
    pub(super) fn begin(&self, sentence: &str, total_bytes: u64) {
        match self {
            Self::Bar(bar) => {
                bar.set_length(total_bytes);
                bar.set_position(0);
                bar.set_message(sentence.to_owned());
                bar.enable_steady_tick(Duration::from_millis(200));
            }
            _ => self.say(&format!("{sentence} ({} MB) ...", total_bytes.div_ceil(1_000_000))),
        }
    }

    pub(super) fn at(&self, bytes: u64) {
        if let Self::Bar(bar) = self {
            bar.set_position(bytes);
        }
    }

    pub(super) fn say(&self, sentence: &str) {
        match self {
            Self::Bar(bar) => bar.println(sentence),
            Self::Sentences => eprintln!("{sentence}"),
            Self::Kept(kept) => {
                kept.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(sentence.to_owned());
            }
        }
    }

    pub(super) fn end(&self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}
