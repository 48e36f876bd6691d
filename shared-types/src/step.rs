//! A Step: one thing the worker did on the screen, with what it was done to, what was said and why.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use ts_rs::TS;

use crate::event::MouseButton;

/// One line of `steps.jsonl`. Absent values are null, never guessed; `source` says where each present one came from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Step {
    pub t: f64,
    pub t_end: f64,
    pub action: Action,
    /// Clicks in a row (1, 2, 3), or notches of a wheel turn.
    pub count: Option<u32>,
    pub button: Option<MouseButton>,
    pub x: Option<f64>,
    pub y: Option<f64>,
    pub x_to: Option<f64>,
    pub y_to: Option<f64>,
    /// What was typed, as read from the screen.
    pub text: Option<String>,
    pub key: Option<String>,
    /// Wheel notches where input events tell them, otherwise null.
    pub dx: Option<f64>,
    pub dy: Option<f64>,
    pub target: Option<Target>,
    pub cause: Option<Cause>,
    pub url: Option<String>,
    pub title: Option<String>,
    /// `frames/{sha256}.jpg`
    pub frame_before: Option<String>,
    pub frame_after: Option<String>,
    pub intent: Option<Intent>,
    pub rationale: Option<String>,
    pub utterances: Vec<Utterance>,
    /// 0 to 1: how sure the action itself is.
    pub confidence: f64,
    /// 0 to 1 for each field that `source` names: how sure its value is, if the act took place as told.
    #[serde(default)]
    pub confidences: BTreeMap<String, f64>,
    pub source: BTreeMap<String, Source>,
}

impl Step {
    /// The fields that have a value and need a source, by the names that `source` uses: `t` stands for `t_end` too, `x` for
    /// `y`, `x_to` for `y_to`. Pictures and utterances are what the rest rests on and have none.
    pub fn fields(&self) -> Vec<&'static str> {
        let rows = [
            ("t", true),
            ("action", true),
            ("count", self.count.is_some()),
            ("button", self.button.is_some()),
            ("x", self.x.is_some()),
            ("x_to", self.x_to.is_some()),
            ("text", self.text.is_some()),
            ("key", self.key.is_some()),
            ("dx", self.dx.is_some()),
            ("dy", self.dy.is_some()),
            ("target", self.target.is_some()),
            ("cause", self.cause.is_some()),
            ("url", self.url.is_some()),
            ("title", self.title.is_some()),
            ("intent", self.intent.is_some()),
            ("rationale", self.rationale.is_some()),
        ];
        rows.into_iter().filter(|(_, is)| *is).map(|(field, _)| field).collect()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    Click,
    Type,
    Key,
    Scroll,
    Drag,
    Navigate,
}

impl Action {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Click => "click",
            Self::Type => "type",
            Self::Key => "key",
            Self::Scroll => "scroll",
            Self::Drag => "drag",
            Self::Navigate => "navigate",
        }
    }
}

/// What the act was aimed at, as far as the screen shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Target {
    pub text: Option<String>,
    /// `button`, `link`, `textbox`, `checkbox`, …, in the words of ARIA roles.
    pub role: Option<String>,
    #[serde(rename = "box")]
    pub bounds: Option<PixelBox>,
}

/// `[x, y, width, height]` in pixels of the encoded picture.
pub type PixelBox = [f64; 4];

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "lowercase")]
pub enum Cause {
    Link,
    Address,
    Back,
    Tab,
    Reload,
    Form,
}

/// What a Step was for, in a shopper's terms.
// A change of page has the intent of the act that led to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum Intent {
    // Asks the shop for something.
    Search,
    // Narrows what is listed: a category, a checkbox, a price range.
    Filter,
    // Changes the order of a list.
    Sort,
    // Weighs offers against each other, going through a list of them included.
    Compare,
    // Looks closer at one product, or at the cart.
    Inspect,
    // Picks a size, a colour, an amount.
    ChooseOption,
    // Puts something into the cart or on a list.
    Add,
    // Takes it out again.
    Remove,
    // Goes away from a product or page.
    Leave,
}

impl Intent {
    pub const ALL: [Self; 9] = [
        Self::Search,
        Self::Filter,
        Self::Sort,
        Self::Compare,
        Self::Inspect,
        Self::ChooseOption,
        Self::Add,
        Self::Remove,
        Self::Leave,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Search => "search",
            Self::Filter => "filter",
            Self::Sort => "sort",
            Self::Compare => "compare",
            Self::Inspect => "inspect",
            Self::ChooseOption => "choose_option",
            Self::Add => "add",
            Self::Remove => "remove",
            Self::Leave => "leave",
        }
    }
}

/// Words spoken around a Step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Utterance {
    pub start: f64,
    pub end: f64,
    pub text: String,
}

/// Where the value of a field came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// An input event of the recorder.
    Event,
    /// Read from the picture.
    Vision,
    Speech,
    /// Concluded by a rule from other fields.
    Rule,
    /// Told by a language or vision model.
    Model,
}
