//! What the window works with: where the data lie, who is enrolled, what is under way.

use std::fs::{self, File};
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use recorder_core::control::Control;
use recorder_core::devices::Session;
use time::OffsetDateTime;

use crate::config::Config;
use crate::shelf::Shelf;
use crate::trouble::Trouble;
use crate::view::ActivityName;

pub(crate) struct Desk {
    pub(crate) data: PathBuf,
    pub(crate) shelf: Shelf,
    pub(crate) session: Session,
    invite_link: Mutex<Option<String>>,
    /// Held as long as the program runs; a second window of the same person goes without.
    lock: Option<File>,
    made_whole: Mutex<bool>,
    activity: Mutex<Option<Activity>>,
    /// The worker closed the window while a take was running.
    closing: AtomicBool,
}

/// One take at a time is recorded, or sent.
struct Activity {
    name: ActivityName,
    control: Arc<Control>,
}

/// While this lives the desk is busy; a thread that fails leaves it free.
pub(crate) struct Busy {
    desk: Arc<Desk>,
    pub(crate) control: Arc<Control>,
}

impl Drop for Busy {
    fn drop(&mut self) {
        *held(&self.desk.activity) = None;
    }
}

impl Desk {
    pub(crate) fn open(config: Config, data: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(&data)?;
        let shelf = Shelf::open(&data)?;
        let lock = File::create(data.join("lock"))?;
        let lock = match lock.try_lock() {
            Ok(()) => Some(lock),
            Err(fs::TryLockError::WouldBlock) => None,
            Err(fs::TryLockError::Error(error)) => return Err(error),
        };
        Ok(Self {
            data,
            shelf,
            session: config.session,
            invite_link: Mutex::new(config.invite_link),
            lock,
            made_whole: Mutex::new(false),
            activity: Mutex::new(None),
            closing: AtomicBool::new(false),
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

    pub(crate) fn invite_link(&self) -> Option<String> {
        held(&self.invite_link).clone()
    }

    /// The invite was followed.
    pub(crate) fn forget_invite_link(&self) {
        *held(&self.invite_link) = None;
    }

    pub(crate) fn activity(&self) -> ActivityName {
        held(&self.activity).as_ref().map_or(ActivityName::Idle, |activity| activity.name)
    }

    pub(crate) fn begin(self: &Arc<Self>, name: ActivityName) -> Result<Busy, Trouble> {
        let mut activity = held(&self.activity);
        if self.is_already_open() || activity.is_some() {
            let next = "Wait until it is done, or stop it, then try again.";
            return Err(Trouble::new("The recorder is busy with another recording.", next));
        }
        let control = Arc::new(Control::default());
        *activity = Some(Activity { name, control: control.clone() });
        Ok(Busy { desk: self.clone(), control })
    }

    pub(crate) fn end(&self, name: ActivityName) {
        if let Some(control) = self.control_of(name) {
            control.end();
        }
    }

    /// Pauses the running take, or lets it go on.
    pub(crate) fn toggle_pause(&self) {
        if let Some(control) = self.control_of(ActivityName::Recording) {
            control.toggle_pause();
        }
    }

    fn control_of(&self, name: ActivityName) -> Option<Arc<Control>> {
        held(&self.activity).as_ref().filter(|activity| activity.name == name).map(|activity| activity.control.clone())
    }

    /// The window should close: at once, or when the running take is whole.
    pub(crate) fn may_close(&self) -> bool {
        self.closing.store(true, Ordering::Relaxed);
        self.end(ActivityName::Sending);
        self.end(ActivityName::Recording);
        self.activity() != ActivityName::Recording
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Relaxed)
    }
}

/// What a thread that failed left behind is still sound: each value is set in one move.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
