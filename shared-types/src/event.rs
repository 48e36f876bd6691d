//! What the worker did with mouse and keyboard, as written to `events.jsonl`, one object a line.
//!
//! `t` is in seconds on the recording's clock with pauses already excised; `x` and `y` are pixels of the encoded
//! picture. What was typed is never in here, only how many characters: the pipeline reads it later from what could
//! be seen on the screen.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct InputEvent {
    pub t: f64,
    #[serde(flatten)]
    pub kind: InputEventKind,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum InputEventKind {
    Click {
        x: f64,
        y: f64,
        button: MouseButton,
        /// 1, 2 or 3: the count of a double or triple click, in its last press.
        clicks: u8,
        t_up: f64,
        /// Where the button was let go; only where that makes it a drag.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        x_up: Option<f64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        y_up: Option<f64>,
    },
    /// Wheel notches, positive = right, down.
    Scroll {
        x: f64,
        y: f64,
        dx: f64,
        dy: f64,
    },
    /// A named key or a shortcut, as DOM `KeyboardEvent.key` with modifiers in front: `Enter`, `Ctrl+l`.
    Key {
        key: String,
    },
    /// A run of typed characters: how many, never which.
    Type {
        t_end: f64,
        chars: u32,
    },
    /// Where the pointer is, at most 20 a second.
    Move {
        x: f64,
        y: f64,
    },
    /// The active window's title changed.
    Window {
        title: String,
    },
    Pause,
    Resume,
    Mark,
    Cut,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "lowercase")]
pub enum MouseButton {
    Left,
    Middle,
    Right,
}

impl InputEvent {
    /// Whether the worker's hand did something: everything but window titles and the recorder's own marks.
    pub fn is_input(&self) -> bool {
        use InputEventKind::{Click, Key, Move, Scroll, Type};
        matches!(self.kind, Click { .. } | Scroll { .. } | Key { .. } | Type { .. } | Move { .. })
    }

    /// When the event is over: the end of typing, the release of a button, else its own time.
    pub fn t_end(&self) -> f64 {
        match self.kind {
            InputEventKind::Click { t_up, .. } => t_up,
            InputEventKind::Type { t_end, .. } => t_end,
            _ => self.t,
        }
    }
}

/// One line of `events.jsonl` that could not be read.
#[derive(Debug, thiserror::Error)]
#[error("line {line} of the events is not an input event: {source}")]
pub struct BadEventLine {
    pub line: usize,
    pub source: serde_json::Error,
}

/// Reads `events.jsonl`. A last line that was cut short by a crash (no newline after it) is left out; kinds of a later
/// version are skipped.
pub fn parse_events(text: &str) -> Result<Vec<InputEvent>, BadEventLine> {
    const KNOWN: [&str; 10] = ["click", "scroll", "key", "type", "move", "window", "pause", "resume", "mark", "cut"];
    let complete = text.ends_with('\n');
    let count = text.lines().count();
    let mut events = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        match serde_json::from_str(line) {
            Ok(event) => events.push(event),
            Err(_) if index + 1 == count && !complete => {}
            Err(source) => {
                let kind = serde_json::from_str::<serde_json::Value>(line)
                    .ok()
                    .and_then(|value| value.get("kind").and_then(|kind| kind.as_str().map(str::to_owned)));
                match kind {
                    Some(kind) if !KNOWN.contains(&kind.as_str()) => {}
                    _ => return Err(BadEventLine { line: index + 1, source }),
                }
            }
        }
    }
    events.sort_by(|a: &InputEvent, b| a.t.total_cmp(&b.t));
    Ok(events)
}
