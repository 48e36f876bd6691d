//! The server: invites, assignments, resumable uploads, submissions, leased jobs, review and payouts.
//!
//! `main.rs` parses, [`config`] loads, [`serve`] runs until it is told to stop. [`http`] alone speaks axum, [`store`]
//! alone speaks SQL, [`objects`] alone touches stored bytes, [`uploads`] decides what becomes of an
//! upload without knowing a protocol. The server never decodes media: it looks at magic bytes.

pub mod acts;
pub mod app;
pub mod backup;
pub mod commands;
pub mod condemned;
pub mod config;
pub mod crash;
pub mod discrepancy;
pub mod housekeeping;
pub mod http;
pub mod leaving;
pub mod limits;
pub mod login;
pub mod metrics;
pub mod moving;
pub mod network;
pub mod objects;
pub mod pace;
pub mod password;
pub mod rate;
pub mod replica;
pub mod retention;
pub mod secret;
pub mod serve;
pub mod shown;
pub mod store;
pub mod strays;
pub mod totp;
pub mod uploads;
