//! The tests of the server, in one program: what they share is compiled once, and PostgreSQL is started once.
#![expect(clippy::unwrap_used, reason = "what cannot be set up is a failed test")]

#[macro_use]
mod road;
mod bucket;

mod audit;
mod authorization;
mod buckets;
mod crashes;
mod defence;
#[cfg(target_os = "linux")]
mod full_disk;
mod jobs;
mod limits;
mod login;
mod logs;
mod moving;
mod openapi;
mod operations;
mod personal;
mod plans;
mod quota;
mod random_walk;
mod redaction;
mod removals;
mod review;
mod space;
mod stopping;
mod stores;
mod strays;
mod tus;
mod uploads;
mod workers;
