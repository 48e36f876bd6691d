//! A monitor that may change its place and size, or go, while it is recorded.
//!
//! scap fixes what it records when it starts: after a change of the resolution it goes on with the old rectangle, so that
//! the picture is cut off or black, and it never says that the monitor was unplugged. So the system is asked where the
//! monitor lies: with every picture by the thread that brings them, which starts scap anew, and from time to time by
//! whoever takes the pictures.

use std::sync::Arc;

use media::time::Monotonic;

use super::absence::Absence;
use super::feed::Next;

const LOOK_EVERY_NANOS: i64 = 1_000_000_000;

/// Where a monitor lies on the desktop, as input events count it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Place {
    pub(super) corner: (i32, i32),
    pub(super) size: (u32, u32),
}

/// Asks the system; none while the monitor is not there.
pub(super) type Look = Arc<dyn Fn() -> Option<Place> + Send + Sync>;

/// What `start` gives, started anew whenever the monitor's size is another one. The old one is dropped before.
pub(super) fn renewed(look: Look, mut start: impl FnMut() -> Result<Next, String> + 'static) -> Result<Next, String> {
    let mut size = look().map(|place| place.size);
    let mut next = Some(start()?);
    Ok(Box::new(move || {
        let came = match &mut next {
            Some(next) => next()?,
            None => return Err("it was not started again".to_owned()),
        };
        let found = look().map(|place| place.size);
        if found.is_none() || found == size {
            return Ok(came);
        }
        // What came is of the old rectangle.
        drop(next.take());
        next = Some(start()?);
        size = found;
        Ok(None)
    }))
}

/// What is known of the monitor where its pictures are taken.
pub(super) struct Watched {
    look: Look,
    pub(super) place: Place,
    looked_at: Option<Monotonic>,
    absence: Absence,
}

impl Watched {
    pub(super) fn new(look: Look) -> Self {
        let place = look().unwrap_or_default();
        Self { look, place, looked_at: None, absence: Absence::default() }
    }

    /// False when the monitor has been away for a while.
    pub(super) fn is_there(&mut self, now: Monotonic, has_changed: bool) -> bool {
        let is_due = self.looked_at.is_none_or(|last| now.nanos_since(last) >= LOOK_EVERY_NANOS);
        if !has_changed && !is_due {
            return true;
        }
        self.looked_at = Some(now);
        let Some(place) = (self.look)() else { return !self.absence.missed(now) };
        self.place = place;
        self.absence.found();
        true
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, PoisonError};

    use media::frame::BgraFrame;

    use super::super::blank_frame;
    use super::*;

    fn place(size: (u32, u32)) -> Place {
        Place { corner: (10, 20), size }
    }

    /// A monitor that tests move, and what asks for its place.
    fn monitor(size: (u32, u32)) -> (Arc<Mutex<Option<Place>>>, Look) {
        let is = Arc::new(Mutex::new(Some(place(size))));
        let asked = is.clone();
        (is, Arc::new(move || *asked.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    fn put(monitor: &Mutex<Option<Place>>, place: Option<Place>) {
        *monitor.lock().unwrap() = place;
    }

    #[test]
    fn another_resolution_starts_anew_and_what_was_cut_off_is_not_shown() {
        let (is, look) = monitor((800, 600));
        let running = Arc::new(Mutex::new(0));
        let (runs, asked) = (running.clone(), look.clone());
        let start = move || {
            let size = asked().unwrap().size;
            let mut others = runs.lock().unwrap();
            assert_eq!(*others, 0, "scap keeps its state in globals");
            *others += 1;
            let ends = Ends(runs.clone());
            Ok(Box::new(move || {
                let _kept = &ends;
                Ok(Some(BgraFrame { width: size.0, height: size.1, ..blank_frame() }))
            }) as Next)
        };
        let mut next = renewed(look, start).unwrap();
        let mut width = || next().unwrap().map(|picture| picture.width);
        assert_eq!(width(), Some(800));
        put(&is, Some(Place { corner: (0, 0), ..place((800, 600)) }));
        assert_eq!(width(), Some(800), "moved only");
        put(&is, Some(place((640, 480))));
        assert_eq!(width(), None, "of the old rectangle");
        assert_eq!(width(), Some(640));
        put(&is, None);
        assert_eq!(width(), Some(640), "a moment without it");
        drop(next);
        assert_eq!(*running.lock().unwrap(), 0);
    }

    struct Ends(Arc<Mutex<i32>>);

    impl Drop for Ends {
        fn drop(&mut self) {
            *self.0.lock().unwrap() -= 1;
        }
    }

    #[test]
    fn what_cannot_be_started_again_ends_with_the_reason_and_stays_ended() {
        let (is, look) = monitor((800, 600));
        let mut starts = 0;
        let start = move || {
            starts += 1;
            if starts == 1 { Ok(Box::new(|| Ok(None)) as Next) } else { Err("no memory".to_owned()) }
        };
        let mut next = renewed(look, start).unwrap();
        put(&is, Some(place((1, 1))));
        assert_eq!(next().unwrap_err(), "no memory");
        assert_eq!(next().unwrap_err(), "it was not started again");
    }

    #[test]
    fn a_monitor_is_gone_once_it_was_away_for_a_while() {
        let (is, look) = monitor((800, 600));
        let mut watched = Watched::new(look);
        let at = |secs: i64| Monotonic::from_nanos(secs * 1_000_000_000);
        assert!(watched.is_there(at(100), false));
        put(&is, None);
        assert!((101..106).all(|secs| watched.is_there(at(secs), false)));
        put(&is, Some(place((640, 480))));
        assert!(watched.is_there(at(106), false));
        assert_eq!(watched.place, place((640, 480)));
        put(&is, None);
        assert!((107..112).all(|secs| watched.is_there(at(secs), secs % 2 == 0)));
        assert!(!watched.is_there(at(112), false));
        assert_eq!(watched.place, place((640, 480)), "events lie where they lay last");
        put(&is, Some(place((640, 480))));
        assert!(watched.is_there(at(113), false));
        // A clock that counts sleep: the first look after waking, before the monitor is on again.
        put(&is, None);
        assert!((4000..4005).all(|secs| watched.is_there(at(secs), false)));
    }
}
