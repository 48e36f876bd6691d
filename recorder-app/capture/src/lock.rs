//! Whether the session is locked: what is on the screen then is the lock's, and what is typed is a password.
//!
//! Every system has its own word for it. On Linux the session's manager (logind) knows where the desktop tells it, as GNOME,
//! KDE and Xfce do, and the desktop's own screen saver can be asked; on X11 the window of a locker is looked for as well,
//! since many a locker tells nobody ([`crate::screen`] and [`crate::input`] look for it with each picture and each key). A
//! system that does not answer is for half a minute what it said last, and counts as unlocked then.

#[cfg(target_os = "linux")]
mod hint;
mod last;
#[cfg(target_os = "linux")]
mod saver;

use crate::display::Session;

/// Asks the system; an answer may take a second.
pub type IsLocked = Box<dyn FnMut() -> bool + Send>;

#[cfg(target_os = "linux")]
pub fn watch(session: &Session) -> IsLocked {
    use crate::display::Display;
    use crate::screen::windows::is_locked;

    let mut display = Display::open(session).ok();
    let (mut hint, mut saver) = (hint::Hint::default(), saver::Saver::of(session));
    Box::new(move || {
        let by_window = display.as_ref().map(|display| is_locked(&display.conn, display.root));
        if matches!(by_window, Some(Err(_))) {
            // It is gone; whoever gives the pictures tells.
            display = None;
        }
        matches!(by_window, Some(Ok(true))) || hint.is_locked() || saver.is_active()
    })
}

#[cfg(not(target_os = "linux"))]
pub fn watch(_session: &Session) -> IsLocked {
    let mut last = last::Last::default();
    Box::new(move || last.ask(std::time::Instant::now, system::is_locked))
}

#[cfg(target_os = "windows")]
mod system {
    #![expect(unsafe_code, reason = "the session's state is asked of the system")]

    use windows::Win32::System::RemoteDesktop::{
        WTS_CURRENT_SERVER_HANDLE, WTS_CURRENT_SESSION, WTS_SESSIONSTATE_LOCK, WTSFreeMemory, WTSINFOEXW,
        WTSQuerySessionInformationW, WTSSessionInfoEx,
    };
    use windows::core::PWSTR;

    /// `None` where the system does not say.
    pub(super) fn is_locked() -> Option<bool> {
        let (mut told, mut bytes) = (PWSTR::null(), 0);
        let (server, session) = (WTS_CURRENT_SERVER_HANDLE, WTS_CURRENT_SESSION);
        // SAFETY: the system writes a place and a length, and both are read only when it says that it did.
        let asked =
            unsafe { WTSQuerySessionInformationW(server, session, WTSSessionInfoEx, &raw mut told, &raw mut bytes) };
        if asked.is_err() || told.is_null() {
            return None;
        }
        let is_whole = bytes as usize >= size_of::<WTSINFOEXW>();
        // SAFETY: what is there is as long as this structure, which may lie anywhere when it is copied.
        let info = is_whole.then(|| unsafe { told.0.cast::<WTSINFOEXW>().read_unaligned() });
        // SAFETY: it was made by the question above and is not used any more.
        unsafe { WTSFreeMemory(told.0.cast()) };
        // SAFETY: level 1 is the only form there is.
        info.filter(|info| info.Level == 1)
            .map(|info| unsafe { info.Data.WTSInfoExLevel1.SessionFlags == WTS_SESSIONSTATE_LOCK.cast_signed() })
    }
}

#[cfg(target_os = "macos")]
mod system {
    #![expect(unsafe_code, reason = "the session's state is asked for in C")]

    use core_foundation::base::{CFType, TCFType};
    use core_foundation::boolean::CFBoolean;
    use core_foundation::dictionary::{CFDictionary, CFDictionaryRef};
    use core_foundation::string::CFString;

    #[link(name = "CoreGraphics", kind = "framework")]
    unsafe extern "C" {
        fn CGSessionCopyCurrentDictionary() -> CFDictionaryRef;
    }

    /// `None` where there is no session.
    pub(super) fn is_locked() -> Option<bool> {
        // SAFETY: a plain question; what it gives, if anything, is ours to release.
        let session = unsafe { CGSessionCopyCurrentDictionary() };
        if session.is_null() {
            return None;
        }
        // SAFETY: as above.
        let session: CFDictionary<CFString, CFType> = unsafe { CFDictionary::wrap_under_create_rule(session) };
        let locked = session.find(CFString::from_static_string("CGSSessionScreenIsLocked"));
        Some(locked.and_then(|locked| locked.downcast::<CFBoolean>()).is_some_and(bool::from))
    }
}
