//! What the page for workers shows.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// `GET /site`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct SiteInfo {
    pub downloads: Vec<Download>,
}

/// A package of the recorder, at `/downloads/{name}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Download {
    pub name: String,
    pub platform: Platform,
    pub bytes: u64,
    pub sha256: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "lowercase")]
pub enum Platform {
    Windows,
    Macos,
    Linux,
}

impl Platform {
    /// By the end of a package's name; none for what is no package.
    pub fn of(name: &str) -> Option<Self> {
        let end = name.rsplit_once('.')?.1.to_ascii_lowercase();
        match end.as_str() {
            "exe" | "msi" => Some(Self::Windows),
            "dmg" | "pkg" => Some(Self::Macos),
            "deb" | "rpm" | "appimage" => Some(Self::Linux),
            _ => None,
        }
    }
}
