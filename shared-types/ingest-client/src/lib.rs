//! The one HTTP client of the server, for recorder and pipeline. It blocks; whoever must not, gives it a thread.
//!
//! [`client`] has a method for each route, [`object`] moves bytes by signed addresses, [`upload`] sends a recording
//! in pieces by tus 1.0.0, [`retry`] says how long to wait when the server is away. A [`ClientError`] is a sentence
//! for a person, and knows whether trying again can help. [`hosted`] speaks to another kind of server, that of a hosted
//! model.

mod address;
pub mod client;
pub mod error;
pub mod hosted;
mod limit;
pub mod object;
pub mod retry;
pub mod source;
mod transport;
pub mod upload;

pub use client::Client;
pub use error::ClientError;
pub use limit::UploadLimit;
pub use retry::{Retry, Waiting};
pub use source::{FileSource, Source};
pub use upload::{UploadObserver, Uploaded, upload};
