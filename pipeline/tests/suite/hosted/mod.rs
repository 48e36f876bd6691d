//! Hosted models, against a server on this computer that speaks their protocol and fails as it is told to.

mod explain;
mod server;
mod speech;
mod whole;
