//! A hand made of a function, for takes without a desktop.

use std::sync::atomic::Ordering;
use std::time::Duration;

use crossbeam_channel::Sender;

use super::out::{Out, Stopped};
use super::{InputError, RawInput, RawKind, Running};
use crate::clock;

/// How often the hand is asked.
pub const EVERY: Duration = Duration::from_millis(20);

/// Does what `act` says, each time at the moment that it says so.
pub fn start(
    sink: Sender<RawInput>,
    mut act: impl FnMut() -> Option<RawKind> + Send + 'static,
) -> Result<Running, InputError> {
    Running::spawn("input", move |stop| {
        let out = Out { stop, sink: &sink };
        while !stop.load(Ordering::Relaxed) {
            if let Some(kind) = act()
                && let Err(Stopped) = out.send(clock::now(), kind)
            {
                break;
            }
            std::thread::sleep(EVERY);
        }
        Ok(())
    })
}
