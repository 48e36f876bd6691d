//! Quality: numbers, a policy, and the verdict they lead to.
//!
//! [`measurements`] are taken by `media::measure` on the device and again by the pipeline; [`judge`] turns them with a
//! [`policy::Policy`] into flags and a verdict. It is the one place that does, so that recorder and pipeline agree.
//! [`advice`] tells a reviewer what looks odd, and judges nothing.

pub mod advice;
mod evidence;
pub mod flag;
pub mod judge;
pub mod measurements;
pub mod policy;
