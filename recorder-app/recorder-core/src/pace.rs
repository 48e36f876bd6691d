//! The screen's thread: asks for the latest picture at the take's rate and hands it to the encoder.
//!
//! A few picture buffers travel between the threads, so that memory is bounded and nothing is copied. When the encoder
//! is behind, all of them are with it; the tick is then dropped and counted instead of waiting.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use capture::clock;
use capture::screen::{Grab, ScreenError, ScreenSource};
use crossbeam_channel::{Receiver, Sender, TryRecvError};
use media::frame::BgraFrame;
use media::time::Monotonic;

use crate::timeline::Timeline;

/// Pictures under way between the two threads.
pub(crate) const BUFFERS: usize = 3;

/// What the screen has to say at a tick.
pub(crate) enum Tick {
    /// A new picture.
    Picture(BgraFrame),
    /// The picture is still the last one.
    Same(Monotonic),
    /// The encoder or the system was behind: no picture for this tick.
    Dropped(Monotonic),
    /// The take ends here.
    End(Monotonic),
}

/// Runs until told to stop or the screen is gone.
pub(crate) fn run(
    source: &mut dyn ScreenSource,
    fps: u32,
    timeline: &Timeline,
    ticks: &Sender<Tick>,
    spare: &Receiver<BgraFrame>,
    stop: &AtomicBool,
) -> Result<(), ScreenError> {
    let period = 1_000_000_000 / i64::from(fps.max(1));
    let mut frame = None;
    let mut due = clock::now();
    let mut result = Ok(());
    while !stop.load(Ordering::Relaxed) {
        wait_until(due);
        let tick = match frame.take().map_or_else(|| spare.try_recv(), Ok) {
            Ok(mut buffer) => match source.latest(&mut buffer) {
                Ok(grab) => {
                    timeline.begin(buffer.at);
                    if grab == Grab::Changed {
                        Tick::Picture(buffer)
                    } else {
                        let at = buffer.at;
                        frame = Some(buffer);
                        Tick::Same(at)
                    }
                }
                Err(error) => {
                    result = Err(error);
                    break;
                }
            },
            Err(TryRecvError::Empty) => Tick::Dropped(due),
            Err(TryRecvError::Disconnected) => break,
        };
        if ticks.send(tick).is_err() {
            break;
        }
        due = Monotonic::from_nanos(due.nanos + period);
        // Ticks that passed while the system was busy are lost; each is told.
        while clock::now().nanos_since(due) >= period {
            if ticks.send(Tick::Dropped(due)).is_err() {
                break;
            }
            due = Monotonic::from_nanos(due.nanos + period);
        }
    }
    // The encoder may have ended first, by an error of its own.
    drop(ticks.send(Tick::End(clock::now())));
    result
}

fn wait_until(due: Monotonic) {
    let nanos = due.nanos_since(clock::now());
    if nanos > 0 {
        std::thread::sleep(Duration::from_nanos(nanos.unsigned_abs()));
    }
}
