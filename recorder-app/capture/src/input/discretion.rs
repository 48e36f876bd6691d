//! Whose titles and keys are not told where the system does not leave their windows out of the picture: those of programs
//! that are never to be seen, and this program's own.
//!
//! What is asked of the system is the window in front. One that was such a window at the key before counts as one, so that
//! the key that closes it is left out too.

use crate::display::Session;

/// The window in front, as its system tells of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Front {
    pub(super) title: String,
    pub(super) program: String,
    pub(super) is_own: bool,
}

pub(super) struct Discretion {
    session: Session,
    is_private: bool,
    /// The title that was told last.
    told: Option<String>,
}

impl Discretion {
    pub(super) fn of(session: &Session) -> Self {
        Self { session: session.clone(), is_private: false, told: None }
    }

    /// The title, if it is another one than the last time and may be told.
    pub(super) fn new_title(&mut self, front: &Front) -> Option<String> {
        self.is_private = self.names(front);
        if self.is_private || front.title.is_empty() || self.told.as_ref() == Some(&front.title) {
            return None;
        }
        self.told = Some(front.title.clone());
        self.told.clone()
    }

    /// Whether a key that was pressed may be told.
    pub(super) fn tells_key(&mut self, front: &Front) -> bool {
        let is_private = self.names(front);
        let was_private = std::mem::replace(&mut self.is_private, is_private);
        !was_private && !is_private
    }

    fn names(&self, front: &Front) -> bool {
        front.is_own || self.session.hides(&front.title, &front.program)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn front(title: &str, program: &str) -> Front {
        Front { title: title.to_owned(), program: program.to_owned(), is_own: false }
    }

    #[test]
    fn titles_and_keys_of_hidden_programs_and_of_the_recorder_are_not_told() {
        let session = Session::of_display(":0").hiding(["KeePass".to_owned()]).hiding_programs(["Mail".to_owned()]);
        let mut discretion = Discretion::of(&session);
        let own = Front { is_own: true, ..front("Recorder", "recorder-app") };
        let private = [front("Database - keepassxc", ""), front("Unlock", "KeePassXC"), front("Inbox", "Mail"), own];
        let shop = front("Shop", "Browser");
        for window in private {
            assert_eq!(discretion.new_title(&shop).as_deref(), Some("Shop"));
            assert!(discretion.tells_key(&shop));
            assert!(!discretion.tells_key(&window), "{window:?}");
            assert_eq!(discretion.new_title(&window), None);
            assert!(!discretion.tells_key(&shop), "the key that closed it");
            assert!(discretion.tells_key(&shop));
            assert_eq!(discretion.new_title(&front("Basket", "Browser")).as_deref(), Some("Basket"));
        }
        assert!(discretion.tells_key(&front("Mail order", "Browser")), "another program that is called alike");
        assert_eq!(discretion.new_title(&front("", "Browser")), None);
        assert_eq!(discretion.new_title(&front("Basket", "Browser")), None, "it was told");
    }
}
