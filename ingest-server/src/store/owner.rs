//! Whose an object is. Its key names an upload, a job or a submission, and their rows say which objects they count on.

use std::collections::BTreeSet;

use super::{AnyExecutor, StoreError, row};

/// What an object is named after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Noun {
    Upload,
    Job,
    Submission,
}

/// The noun and the id in a key; none in one of another form.
pub fn named_after(key: &str) -> Option<(Noun, &str)> {
    let (folder, rest) = key.split_once('/')?;
    let noun = match folder {
        "uploads" => Noun::Upload,
        "jobs" => Noun::Job,
        "submissions" => Noun::Submission,
        _ => return None,
    };
    Some((noun, rest.split('/').next().unwrap_or(rest)))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// A row counts on it, or may come to.
    Wanted,
    /// What it was made for is known, and does not count on it any more.
    Left,
    /// No row was ever about it.
    Unknown,
}

/// What the rows of one upload, job or submission say of the objects that are named after it.
#[derive(Debug, Clone, Default)]
pub struct Owner {
    is_known: bool,
    wants_all: bool,
    wanted: BTreeSet<String>,
}

impl Owner {
    pub async fn find<'e>(executor: impl AnyExecutor<'e>, key: &str) -> Result<Self, StoreError> {
        let Some((noun, id)) = named_after(key) else { return Ok(Self::default()) };
        let query = match noun {
            Noun::Upload => sqlx::query(include_str!("sql/owner/upload.sql")),
            Noun::Job => sqlx::query(include_str!("sql/owner/job.sql")),
            Noun::Submission => sqlx::query(include_str!("sql/owner/submission.sql")),
        };
        let mut owner = Self::default();
        for found in &query.bind(id.to_owned()).fetch_all(executor).await? {
            match row::text(found, "what")?.as_str() {
                "known" => owner.is_known = true,
                "all" => owner.wants_all = true,
                _ => drop(owner.wanted.insert(row::text(found, "object_key")?)),
            }
        }
        Ok(owner)
    }

    pub fn standing(&self, key: &str) -> Standing {
        match (self.wants_all || self.wanted.contains(key), self.is_known) {
            (true, _) => Standing::Wanted,
            (false, true) => Standing::Left,
            (false, false) => Standing::Unknown,
        }
    }
}
