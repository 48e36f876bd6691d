//! How a running take is driven from outside: signals, lines on stdin, the pause key.

use std::io::BufRead;
use std::sync::Arc;
use std::thread::Builder;

use recorder_core::control::Control;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1};
use signal_hook::iterator::Signals;

use crate::talk::say;

/// Ctrl-C, a request to end and a closed terminal end the take; `SIGUSR1` pauses it and lets it go on.
pub(crate) fn by_signals(control: &Arc<Control>) -> std::io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP, SIGUSR1])?;
    let control = control.clone();
    let listen = move || {
        for signal in signals.forever() {
            if signal == SIGUSR1 { control.toggle_pause() } else { control.end() }
        }
    };
    Builder::new().name("signals".to_owned()).spawn(listen).map(drop)
}

/// `pause`, `resume` and `stop`, one a line. The end of the input changes nothing.
pub(crate) fn by_stdin(control: &Arc<Control>) -> std::io::Result<()> {
    let control = control.clone();
    let listen = move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            match line.trim() {
                "pause" => control.pause(),
                "resume" => control.resume(),
                "stop" => control.end(),
                "" => {}
                other => say(&format!("{other:?} is no command. Write pause, resume or stop.")),
            }
        }
    };
    Builder::new().name("stdin".to_owned()).spawn(listen).map(drop)
}
