//! What everyone shares: the nouns of the product, their lifecycles, the quality policy and its verdicts.
//!
//! Reading order: [`recording`] (a take and its manifest), [`event`] (what a hand did), [`transcript`] (what was
//! said), [`redaction`] (what is covered of it), [`quality`] (whether it is good), [`goal`] and [`step`] (what it means), [`example`] (what is trained on).
//! Then the nouns of the server: [`campaign`], [`worker`], [`assignment`], [`upload`], [`submission`], [`job`], [`order`],
//! [`payout`], [`dataset`], and [`api`], what travels between the programs. Nothing here does I/O or reads a clock.

pub mod api;
pub mod assignment;
pub mod campaign;
pub mod dataset;
pub mod error;
pub mod event;
pub mod example;
pub mod fingerprint;
pub mod generated;
pub mod goal;
mod hidden;
pub mod id;
pub mod job;
pub mod lifecycle;
pub mod order;
pub mod payout;
pub mod quality;
pub mod recording;
pub mod redaction;
pub mod step;
pub mod submission;
pub mod summary;
pub mod timestamp;
pub mod transcript;
pub mod upload;
pub mod worker;
