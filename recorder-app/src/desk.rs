//! What the window works with: where the data lie, who is enrolled, what is under way.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use recorder_core::UploadLimit;
use recorder_core::control::Control;
use recorder_core::devices::Session;
use recorder_core::settings::Settings;
use time::OffsetDateTime;

use crate::config::Config;
use crate::send::Sending;
use crate::shelf::Shelf;
use crate::trouble::Trouble;

pub(crate) struct Desk {
    pub(crate) data: PathBuf,
    pub(crate) shelf: Shelf,
    pub(crate) session: Session,
    invite_link: Mutex<Option<String>>,
    /// Held as long as the program runs; a second window of the same person goes without.
    lock: Option<File>,
    made_whole: Mutex<bool>,
    looked: AtomicBool,
    settings: Mutex<Settings>,
    /// Kept by all that is sent, together.
    pub(crate) limit: UploadLimit,
    pub(crate) sending: Sending,
    /// The take that is recorded, or the microphone that is listened to.
    recording: Mutex<Option<Arc<Control>>>,
    /// Takes that something is done to: one thing at a time.
    held_takes: Mutex<BTreeSet<PathBuf>>,
    /// The worker closed the window while something was recorded.
    closing: AtomicBool,
    leave: Leave,
}

/// Closes the window for good.
type Leave = Box<dyn Fn() + Send + Sync>;

/// While this lives something is recorded; a thread that fails leaves the desk free. A window that was to close meanwhile
/// closes with it.
pub(crate) struct Busy {
    desk: Arc<Desk>,
    pub(crate) control: Arc<Control>,
}

impl Drop for Busy {
    fn drop(&mut self) {
        *held(&self.desk.recording) = None;
        if self.desk.closing.load(Ordering::Relaxed) {
            (self.desk.leave)();
        }
    }
}

/// While this lives nobody else does anything to the take.
pub(crate) struct Hold<'a> {
    desk: &'a Desk,
    folder: PathBuf,
}

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        held(&self.desk.held_takes).remove(&self.folder);
    }
}

impl Desk {
    pub(crate) fn open(config: Config, data: PathBuf, leave: impl Fn() + Send + Sync + 'static) -> io::Result<Self> {
        fs::create_dir_all(&data)?;
        let shelf = Shelf::open(&data)?;
        let lock = File::create(data.join("lock"))?;
        let lock = match lock.try_lock() {
            Ok(()) => Some(lock),
            Err(fs::TryLockError::WouldBlock) => None,
            Err(fs::TryLockError::Error(error)) => return Err(error),
        };
        let settings = Settings::load(&data);
        Ok(Self {
            data,
            shelf,
            session: config.session,
            invite_link: Mutex::new(config.invite_link),
            lock,
            made_whole: Mutex::new(false),
            looked: AtomicBool::new(false),
            limit: UploadLimit::new(settings.upload_bytes_per_sec),
            sending: Sending::default(),
            settings: Mutex::new(settings),
            recording: Mutex::new(None),
            held_takes: Mutex::default(),
            closing: AtomicBool::new(false),
            leave: Box::new(leave),
        })
    }

    pub(crate) fn is_already_open(&self) -> bool {
        self.lock.is_none()
    }

    /// Once, before the takes are first shown.
    pub(crate) fn make_whole(&self) -> Result<(), Trouble> {
        let mut done = held(&self.made_whole);
        if !*done {
            self.shelf.make_whole()?;
            self.shelf.let_go(OffsetDateTime::now_utc())?;
            *done = true;
        }
        Ok(())
    }

    /// Whether the page asks how things stand for the first time.
    pub(crate) fn is_first_look(&self) -> bool {
        !self.looked.swap(true, Ordering::Relaxed)
    }

    pub(crate) fn invite_link(&self) -> Option<String> {
        held(&self.invite_link).clone()
    }

    /// The invite was followed.
    pub(crate) fn forget_invite_link(&self) {
        *held(&self.invite_link) = None;
    }

    pub(crate) fn settings(&self) -> Settings {
        held(&self.settings).clone()
    }

    /// Changes what the worker chose, and keeps it.
    pub(crate) fn choose(&self, change: impl FnOnce(&mut Settings)) -> Result<Settings, Trouble> {
        let mut settings = held(&self.settings);
        let mut chosen = settings.clone();
        change(&mut chosen);
        chosen.save(&self.data)?;
        self.limit.set(chosen.upload_bytes_per_sec);
        settings.clone_from(&chosen);
        Ok(chosen)
    }

    pub(crate) fn is_recording(&self) -> bool {
        held(&self.recording).is_some()
    }

    pub(crate) fn begin_recording(self: &Arc<Self>) -> Result<Busy, Trouble> {
        let mut recording = held(&self.recording);
        if self.is_already_open() || recording.is_some() {
            let next = "Wait until it is done, or stop it, then try again.";
            return Err(Trouble::new("The recorder is busy with another recording.", next));
        }
        let control = Arc::new(Control::default());
        *recording = Some(control.clone());
        Ok(Busy { desk: self.clone(), control })
    }

    pub(crate) fn end_recording(&self) {
        if let Some(control) = held(&self.recording).as_ref() {
            control.end();
        }
    }

    /// Pauses the running take, or lets it go on.
    pub(crate) fn toggle_pause(&self) {
        if let Some(control) = held(&self.recording).as_ref() {
            control.toggle_pause();
        }
    }

    /// `None` when something is done to the take already.
    pub(crate) fn hold(&self, folder: &Path) -> Option<Hold<'_>> {
        let folder = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
        // The lock is let go of before anything that takes it again comes to be.
        let is_free = held(&self.held_takes).insert(folder.clone());
        is_free.then(|| Hold { desk: self, folder })
    }

    /// The window should close: at once, or by itself when the running take is whole.
    pub(crate) fn may_close(&self) -> bool {
        self.closing.store(true, Ordering::Relaxed);
        self.sending.stop();
        self.end_recording();
        !self.is_recording()
    }
}

/// What a thread that failed left behind is still sound: each value is set in one move.
pub(crate) fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(data: &Path) -> Arc<Desk> {
        let config = Config { invite_link: None, session: Session::default(), data: None };
        Arc::new(Desk::open(config, data.to_owned(), || ()).unwrap())
    }

    #[test]
    fn a_window_that_was_to_close_closes_as_soon_as_nothing_is_recorded_any_more() {
        let data = tempfile::tempdir().unwrap();
        let left = Arc::new(AtomicBool::new(false));
        let leaves = left.clone();
        let config = Config { invite_link: None, session: Session::default(), data: None };
        let leave = move || leaves.store(true, Ordering::Relaxed);
        let desk = Arc::new(Desk::open(config, data.path().to_owned(), leave).unwrap());
        drop(desk.begin_recording().unwrap());
        assert!(!left.load(Ordering::Relaxed), "nobody closed it");
        // A take, a microphone that is listened to, or a take that does not even begin.
        let busy = desk.begin_recording().unwrap();
        assert!(!desk.may_close() && busy.control.is_ended() && !left.load(Ordering::Relaxed));
        drop(busy);
        assert!(left.load(Ordering::Relaxed) && desk.may_close());
    }

    #[test]
    fn one_thing_is_done_to_a_take_at_a_time_and_others_do_not_wait_for_it() {
        let data = tempfile::tempdir().unwrap();
        let desk = open(data.path());
        let folders = ["a", "b"].map(|name| data.path().join(name));
        fs::create_dir(&folders[0]).unwrap();
        let (first, other) = (desk.hold(&folders[0]), desk.hold(&folders[1]));
        assert!(first.is_some() && other.is_some());
        assert!(desk.hold(&data.path().join("takes/../a")).is_none(), "by another name, too");
        // A take that is deleted is let go of all the same.
        fs::remove_dir(&folders[0]).unwrap();
        drop(first);
        assert!(desk.hold(&folders[0]).is_some() && desk.hold(&folders[1]).is_none());

        let busy = desk.begin_recording().unwrap();
        assert!(desk.begin_recording().is_err() && !desk.may_close() && busy.control.is_ended());
        drop(busy);
        assert!(desk.begin_recording().is_ok());
    }

    #[test]
    fn what_was_chosen_is_kept_for_the_next_start_and_a_second_window_records_nothing() {
        let data = tempfile::tempdir().unwrap();
        let desk = open(data.path());
        desk.choose(|settings| settings.sends_early = true).unwrap();
        assert!(open(data.path()).settings().sends_early);
        assert!(open(data.path()).begin_recording().is_err(), "the first window has the takes");
        drop(desk);
        assert!(open(data.path()).begin_recording().is_ok());
    }
}
