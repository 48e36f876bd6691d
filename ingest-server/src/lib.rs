//! The server: invites, assignments, resumable uploads, submissions, leased jobs, review and payouts.
//!
//! `main.rs` parses, [`config`] loads, [`serve`] runs until it is told to stop. [`http`] alone speaks axum, [`store`]
//! alone speaks SQL, [`objects`] alone touches stored bytes. The server never decodes media: it looks at magic bytes.

pub mod app;
pub mod commands;
pub mod config;
pub mod http;
pub mod objects;
pub mod password;
pub mod secret;
pub mod serve;
pub mod store;
