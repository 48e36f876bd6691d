//! How much of everything strangers may have: one table of name, environment variable and default. It is documented in
//! docs/operations.md, and a test compares the two.

use serde::Deserialize;

macro_rules! limits {
    ($($(#[$doc:meta])+ $name:ident $env:literal = $default:expr;)+) => {
        /// Limits in force; each is a setting. Sizes are bytes, times are what the name says.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct Limits {
            $($(#[$doc])+ pub $name: u64,)+
        }

        impl Default for Limits {
            fn default() -> Self {
                Self { $($name: $default,)+ }
            }
        }

        impl Limits {
            /// Name in the settings file, environment variable, default.
            pub const TABLE: &'static [(&'static str, &'static str, u64)] = &[$((stringify!($name), $env, $default),)+];

            /// With what the environment says otherwise.
            pub(crate) fn overridden(mut self, setting: impl Fn(&str) -> Option<String>) -> Result<Self, WrongLimit> {
                $(if let Some(value) = setting($env) {
                    self.$name = value.trim().parse().map_err(|_| WrongLimit { name: $env, value })?;
                })+
                Ok(self)
            }

            /// Each with its value, in the order of the table.
            pub fn rows(&self) -> Vec<(&'static str, u64)> {
                vec![$((stringify!($name), self.$name),)+]
            }
        }
    };
}

limits! {
    /// Longest upload.
    upload_bytes "COLLECTOR_UPLOAD_BYTES" = 8 << 30;
    /// What one worker's uploads may take up until they are reviewed; reserved when an upload begins.
    worker_bytes "COLLECTOR_WORKER_BYTES" = 20 << 30;
    /// Unfinished uploads of one worker.
    worker_uploads "COLLECTOR_WORKER_UPLOADS" = 8;
    /// Uploads one worker may begin in a minute.
    worker_uploads_per_minute "COLLECTOR_WORKER_UPLOADS_PER_MINUTE" = 60;
    /// Free space that uploads leave to everything else.
    free_bytes "COLLECTOR_FREE_BYTES" = 1 << 30;
    /// How long an unfinished upload is kept after its last byte.
    upload_hours "COLLECTOR_UPLOAD_HOURS" = 7 * 24;
    /// A sender that is silent this long has gone.
    idle_secs "COLLECTOR_IDLE_SECS" = 30;
    /// Least bytes a second of a sender, looked at over `rate_secs`, and of a reader, over `stalled_secs`.
    least_rate_bytes "COLLECTOR_LEAST_RATE_BYTES" = 1024;
    /// How long a sender may be slower.
    rate_secs "COLLECTOR_RATE_SECS" = 60;
    /// How long the head of a request may take, and how long an idle connection is kept.
    header_secs "COLLECTOR_HEADER_SECS" = 10;
    /// How long an answer may wait for its reader, or be taken more slowly than `least_rate_bytes`.
    stalled_secs "COLLECTOR_STALLED_SECS" = 60;
    /// Connections at once.
    connections "COLLECTOR_CONNECTIONS" = 1024;
    /// Connections at once from one address; those of this machine and of trusted proxies are not counted.
    address_connections "COLLECTOR_ADDRESS_CONNECTIONS" = 128;
    /// Requests a minute from one address.
    address_requests_per_minute "COLLECTOR_ADDRESS_REQUESTS_PER_MINUTE" = 3000;
    /// What bodies that are read whole may take up in memory, all together; the first 64 KiB of each are not counted.
    body_bytes "COLLECTOR_BODY_BYTES" = 64 << 20;
    /// How long running requests may go on when the server is told to stop.
    drain_secs "COLLECTOR_DRAIN_SECS" = 20;
    /// How long a machine that works on a job may be silent.
    lease_secs "COLLECTOR_LEASE_SECS" = 60;
    /// How often a machine that waits for work looks for itself: pauses end and leases lapse without a sound.
    look_secs "COLLECTOR_LOOK_SECS" = 5;
    /// Pause before a job's second attempt; it doubles with each attempt, up to an hour.
    backoff_secs "COLLECTOR_BACKOFF_SECS" = 20;
    /// How long password or code count, once shown, for what touches money, access or erasure.
    proof_secs "COLLECTOR_PROOF_SECS" = 300;
    /// Pause between two rounds of housekeeping.
    housekeeping_secs "COLLECTOR_HOUSEKEEPING_SECS" = 600;
    /// Days that finished uploads are kept which nobody handed in; 0 for ever.
    unused_upload_days "COLLECTOR_UNUSED_UPLOAD_DAYS" = 30;
    /// Days that the media of takes are kept which were sent back, rejected, withdrawn, failed or quarantined; 0 for ever.
    rejected_media_days "COLLECTOR_REJECTED_MEDIA_DAYS" = 60;
    /// Days that the media of accepted takes are kept; 0 for ever.
    accepted_media_days "COLLECTOR_ACCEPTED_MEDIA_DAYS" = 0;
    /// Days that addresses are kept from which people logged in; 0 for ever.
    login_address_days "COLLECTOR_LOGIN_ADDRESS_DAYS" = 90;
}

#[derive(Debug, thiserror::Error)]
#[error("{name} is \"{value}\", which is no whole number")]
pub struct WrongLimit {
    name: &'static str,
    value: String,
}

/// A limit as an `i64`, which moments and counts of the database are.
pub fn signed(limit: u64) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_wins_and_must_be_a_number() {
        let only =
            |name: &'static str, value: &'static str| move |asked: &str| (asked == name).then(|| value.to_owned());
        let limits = Limits::default().overridden(only("COLLECTOR_IDLE_SECS", "7")).unwrap();
        assert_eq!(limits, Limits { idle_secs: 7, ..Limits::default() });
        let wrong = Limits::default().overridden(only("COLLECTOR_IDLE_SECS", "soon")).unwrap_err();
        assert_eq!(wrong.to_string(), "COLLECTOR_IDLE_SECS is \"soon\", which is no whole number");
    }

    #[test]
    fn the_documented_limits_are_those_of_the_code() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/operations.md");
        let text = std::fs::read_to_string(path).unwrap();
        for (name, env, default) in Limits::TABLE {
            let row = text.lines().find(|line| line.starts_with(&format!("| `{env}` |")));
            let row = row.unwrap_or_else(|| panic!("docs/operations.md has no row for {env} ({name})"));
            let documented = row.trim_end_matches(['|', ' ']).rsplit('|').next().unwrap().replace([' ', ','], "");
            assert_eq!(documented, default.to_string(), "docs/operations.md on {env}");
        }
    }
}
