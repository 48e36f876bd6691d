//! The windows of an X11 session: which can be recorded alone, and which are left out of the picture.
//!
//! X11 gives the picture of the whole screen or of nothing, so what is not to be seen is painted over, before anything
//! else sees the picture. That is what shows of windows that the worker named and of this program's own; and where a
//! single window is recorded, all that lies above it, save what its own program opens, and all that lies where it is not: a
//! window that is minimised, or whose desktop was left, has a place but shows what lies below. Windows tell when they move;
//! what they are called is asked for four times a second.
//!
//! A window that others cover is painted over where it can be seen. One that lets through what is below it covers nothing.

use x11rb::connection::Connection as _;
use x11rb::errors::{ConnectionError, ReplyError};
use x11rb::protocol::xproto::{AtomEnum, ConnectionExt as _, GetGeometryReply, MapState, Window, WindowClass};
use x11rb::rust_connection::RustConnection;

use super::area::{Area, without};
use crate::display::Session;

/// How deep below its frame a window's own part may lie.
const DEEPEST: u32 = 3;
const MAX_WORDS: u32 = 256;

/// In the class of lockers: i3lock, xsecurelock, xlock, `XScreenSaver`, mate-screensaver and many more.
const LOCKERS: [&str; 2] = ["lock", "saver"];

/// What the ids of windows begin with.
pub(super) const WINDOW: &str = "window:";

x11rb::atom_manager! {
    pub(super) Atoms: AtomsCookie {
        _NET_WM_NAME,
        _NET_WM_PID,
        WM_STATE,
    }
}

/// A window on the screen, with its frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) id: Window,
    pub(super) area: Area,
    pub(super) title: String,
    pub(super) class: String,
    /// The program that it belongs to, as the server counts them.
    client: u32,
    pub(super) is_own: bool,
    /// Nothing below it can be seen through it.
    covers: bool,
}

/// What is to be left out.
#[derive(Debug, Clone, Default)]
pub(super) struct Hiding {
    /// In the title or the class of windows, in any letters.
    pub(super) words: Vec<String>,
    /// All windows of these.
    pub(super) programs: Vec<String>,
    /// The one window that is recorded.
    pub(super) only: Option<Window>,
}

impl Hiding {
    pub(super) fn of(session: &Session, only: Option<Window>) -> Self {
        Self { words: session.hidden().to_vec(), programs: session.hidden_programs().to_vec(), only }
    }

    /// Whether a window, by what it says of itself, is to be left out.
    pub(super) fn leaves_out(&self, conn: &RustConnection, window: Window, atoms: Atoms) -> Result<bool, ReplyError> {
        let window = named(conn, window, DEEPEST)?.unwrap_or(window);
        let class = text(conn, window, AtomEnum::WM_CLASS.into())?.unwrap_or_default();
        Ok(self.names(&title(conn, window, atoms)?, &class))
    }

    /// Whether a window of this title and class is to be left out.
    fn names(&self, title: &str, class: &str) -> bool {
        let names = format!("{title}\n{class}").to_lowercase();
        self.words.iter().any(|word| names.contains(&word.to_lowercase()))
            || program_of(class).is_some_and(|program| self.programs.iter().any(|hidden| hidden == program))
    }
}

/// How much of what the hand does in a window may be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Telling {
    All,
    /// The recorder's own: nothing of what is done in it.
    NothingOfIt,
    /// Left out of the picture: nothing at all while it is in use.
    Nothing,
}

/// Says which windows' input is left out because their pixels are.
pub(crate) struct Discretion {
    atoms: Atoms,
    hiding: Hiding,
}

impl Discretion {
    pub(crate) fn of(session: &Session, conn: &RustConnection) -> Result<Self, ReplyError> {
        let hiding = Hiding::of(session, session.shown().and_then(window_of));
        Ok(Self { atoms: Atoms::new(conn)?.reply()?, hiding })
    }

    /// Of a window, or of the frame that a window manager put around it.
    pub(crate) fn telling(&self, conn: &RustConnection, window: Window) -> Result<Telling, ReplyError> {
        if window == x11rb::NONE {
            return Ok(Telling::All);
        }
        let window = named(conn, window, DEEPEST)?.unwrap_or(window);
        if number(conn, window, self.atoms._NET_WM_PID)? == Some(std::process::id()) {
            return Ok(Telling::NothingOfIt);
        }
        let client = |window: Window| window & !conn.setup().resource_id_mask;
        let is_other = match self.hiding.only {
            Some(only) => client(named(conn, only, DEEPEST)?.unwrap_or(only)) != client(window),
            None => false,
        };
        let is_left_out = is_other || self.hiding.leaves_out(conn, window, self.atoms)?;
        Ok(if is_left_out { Telling::Nothing } else { Telling::All })
    }
}

/// What a person knows a program by: of the two texts of a class the second, which is the same for all its windows.
pub(super) fn program_of(class: &str) -> Option<&str> {
    class.lines().map(str::trim).rfind(|text| !text.is_empty())
}

pub(super) fn window_of(id: &str) -> Option<Window> {
    Window::from_str_radix(id.strip_prefix(WINDOW)?.strip_prefix("0x")?, 16).ok()
}

/// Whether a locker's window is in front. Lockers cover the whole screen, with one window or one for each monitor, let
/// nothing through, and ask no window manager for it; and nothing that a window manager knows lies above. The server's own
/// window, which compositors draw into, is none. Tools for screenshots do all of this while a part of the screen is chosen,
/// but their windows say what they are.
pub(crate) fn is_locked(conn: &RustConnection, root: Window) -> Result<bool, ReplyError> {
    let whole = conn.get_geometry(root)?;
    let children = conn.query_tree(root)?.reply()?.children;
    let mut asked = Vec::new();
    for &id in children.iter().rev() {
        asked.push((id, conn.get_window_attributes(id)?, conn.get_geometry(id)?));
    }
    let whole = whole.reply()?;
    let whole = Area { left: 0, top: 0, right: whole.width.into(), bottom: whole.height.into() };
    let mut fronts = Vec::new();
    for (id, attributes, geometry) in asked {
        let (attributes, geometry) = (attributes.reply(), geometry.reply());
        let (Ok(attributes), Ok(geometry)) = (attributes, geometry) else { continue };
        let is_servers = id & !conn.setup().resource_id_mask == 0;
        if attributes.map_state != MapState::VIEWABLE || attributes.class != WindowClass::INPUT_OUTPUT || is_servers {
            continue;
        }
        let covered = (attributes.override_redirect && geometry.depth != 32).then(|| area_of(&geometry));
        fronts.push((id, attributes.override_redirect, covered));
    }
    let uncovered = |left: Vec<Area>, cover: Area| without(&left, cover);
    if !fronts.iter().filter_map(|(_, _, covered)| *covered).fold(vec![whole], uncovered).is_empty() {
        return Ok(false);
    }
    let atoms = Atoms::new(conn)?.reply()?;
    let mut left = vec![whole];
    for (id, is_unmanaged, covered) in fronts {
        // A window manager's frame asks nobody either; what is in it has a state.
        if !is_unmanaged || has_state(conn, id, atoms, DEEPEST)? {
            return Ok(false);
        }
        let Some(covered) = covered else { continue };
        let is_own = number(conn, id, atoms._NET_WM_PID)? == Some(std::process::id());
        if is_own || !may_lock(conn, id, atoms)? {
            continue;
        }
        left = without(&left, covered);
        if left.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a window that covers the screen may be a locker's: by its class, or, as slock's, because it says nothing of itself.
fn may_lock(conn: &RustConnection, window: Window, atoms: Atoms) -> Result<bool, ReplyError> {
    let window = named(conn, window, DEEPEST)?.unwrap_or(window);
    let class = text(conn, window, AtomEnum::WM_CLASS.into())?;
    let said = class.map_or_else(|| title(conn, window, atoms), Ok)?.to_lowercase();
    Ok(said.is_empty() || LOCKERS.iter().any(|locker| said.contains(locker)))
}

fn has_state(conn: &RustConnection, window: Window, atoms: Atoms, depth: u32) -> Result<bool, ReplyError> {
    let state = conn.get_property(false, window, atoms.WM_STATE, AtomEnum::ANY, 0, 1)?.reply();
    if may_be_gone(state)?.is_some_and(|state| state.type_ != x11rb::NONE) {
        return Ok(true);
    }
    if depth == 0 {
        return Ok(false);
    }
    let Some(tree) = may_be_gone(conn.query_tree(window)?.reply())? else { return Ok(false) };
    for child in tree.children {
        if has_state(conn, child, atoms, depth - 1)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Its border included.
fn area_of(geometry: &GetGeometryReply) -> Area {
    let border = 2 * i32::from(geometry.border_width);
    let (left, top) = (i32::from(geometry.x), i32::from(geometry.y));
    let (width, height) = (i32::from(geometry.width) + border, i32::from(geometry.height) + border);
    Area { left, top, right: left + width, bottom: top + height }
}

/// The windows that can be seen, the lowest first.
pub(super) fn shown(conn: &RustConnection, root: Window, atoms: Atoms) -> Result<Vec<Shown>, ReplyError> {
    let children = conn.query_tree(root)?.reply()?.children;
    let mut asked = Vec::new();
    for &id in &children {
        asked.push((id, conn.get_window_attributes(id)?, conn.get_geometry(id)?));
    }
    let mut windows = Vec::new();
    for (id, attributes, geometry) in asked {
        // One that closed meanwhile answers with an error.
        let (attributes, geometry) = (attributes.reply(), geometry.reply());
        let (Ok(attributes), Ok(geometry)) = (attributes, geometry) else { continue };
        if attributes.map_state != MapState::VIEWABLE {
            continue;
        }
        let area = area_of(&geometry);
        let named = named(conn, id, DEEPEST)?.unwrap_or(id);
        let pid = number(conn, named, atoms._NET_WM_PID)?;
        windows.push(Shown {
            id,
            area,
            title: title(conn, named, atoms)?,
            class: text(conn, named, AtomEnum::WM_CLASS.into())?.unwrap_or_default(),
            client: named & !conn.setup().resource_id_mask,
            is_own: pid == Some(std::process::id()),
            covers: geometry.depth != 32,
        });
    }
    Ok(windows)
}

/// The parts of what is recorded of the screen that are not to be seen.
pub(super) fn hidden(windows: &[Shown], hiding: &Hiding, recorded: Area) -> Vec<Area> {
    let only = hiding.only.map(|id| windows.iter().position(|window| window.id == id));
    let mut parts = match only {
        None => Vec::new(),
        Some(None) => return vec![recorded],
        Some(Some(place)) => without(&[recorded], windows[place].area),
    };
    let only = only.flatten();
    for (place, window) in windows.iter().enumerate() {
        let is_named = || hiding.names(&window.title, &window.class);
        let lies_above = only.is_some_and(|only| place > only && window.client != windows[only].client);
        if window.is_own || lies_above || is_named() {
            let above = windows[place + 1..].iter().filter(|other| other.covers).map(|other| other.area);
            parts.extend(above.fold(vec![window.area], |parts, cover| without(&parts, cover)));
        }
    }
    parts
}

/// The window itself or the nearest one in it that says what it is; a window manager puts frames around them.
fn named(conn: &RustConnection, window: Window, depth: u32) -> Result<Option<Window>, ReplyError> {
    if text(conn, window, AtomEnum::WM_CLASS.into())?.is_some()
        || text(conn, window, AtomEnum::WM_NAME.into())?.is_some()
    {
        return Ok(Some(window));
    }
    if depth == 0 {
        return Ok(None);
    }
    let Some(tree) = may_be_gone(conn.query_tree(window)?.reply())? else { return Ok(None) };
    for child in tree.children {
        if let Some(found) = named(conn, child, depth - 1)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

fn title(conn: &RustConnection, window: Window, atoms: Atoms) -> Result<String, ReplyError> {
    let title = text(conn, window, atoms._NET_WM_NAME)?;
    Ok(title.map_or_else(|| text(conn, window, AtomEnum::WM_NAME.into()), |title| Ok(Some(title)))?.unwrap_or_default())
}

fn text(conn: &RustConnection, window: Window, property: u32) -> Result<Option<String>, ReplyError> {
    let reply = conn.get_property(false, window, property, AtomEnum::ANY, 0, MAX_WORDS)?.reply();
    let value = may_be_gone(reply)?.map(|reply| reply.value).filter(|value| !value.is_empty());
    // A class is two texts with a zero behind each.
    Ok(value.map(|value| String::from_utf8_lossy(&value).replace('\0', "\n")))
}

fn number(conn: &RustConnection, window: Window, property: u32) -> Result<Option<u32>, ReplyError> {
    let reply = may_be_gone(conn.get_property(false, window, property, AtomEnum::CARDINAL, 0, 1)?.reply())?;
    Ok(reply.and_then(|reply| reply.value32()?.next()))
}

fn may_be_gone<T>(reply: Result<T, ReplyError>) -> Result<Option<T>, ReplyError> {
    match reply {
        Ok(reply) => Ok(Some(reply)),
        Err(ReplyError::X11Error(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Asks the server to tell when windows come, go, move or change places.
pub(super) fn watch(conn: &RustConnection, root: Window) -> Result<(), ConnectionError> {
    use x11rb::protocol::xproto::{ChangeWindowAttributesAux, EventMask};
    let mask = EventMask::STRUCTURE_NOTIFY | EventMask::SUBSTRUCTURE_NOTIFY;
    conn.change_window_attributes(root, &ChangeWindowAttributesAux::new().event_mask(mask)).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCREEN: Area = Area { left: 0, top: 0, right: 100, bottom: 100 };

    fn window(id: u32, area: (i32, i32, i32, i32), title: &str, class: &str) -> Shown {
        let area = Area { left: area.0, top: area.1, right: area.2, bottom: area.3 };
        Shown { id, area, title: title.into(), class: class.into(), client: id & !0xff, is_own: false, covers: true }
    }

    fn bytes(parts: &[Area]) -> i32 {
        parts.iter().map(|part| (part.right - part.left) * (part.bottom - part.top)).sum()
    }

    #[test]
    fn named_windows_are_hidden_where_they_can_be_seen() {
        let mut windows = vec![
            window(0x100, (0, 0, 100, 100), "Shop - Browser", "browser"),
            window(0x200, (10, 10, 30, 30), "Vault", "keepassxc\nKeePassXC"),
            window(0x300, (20, 0, 60, 60), "Notes", "notes"),
        ];
        let mut hiding = Hiding { words: vec!["KEEPASS".into()], ..Hiding::default() };
        let hidden = |windows: &[Shown], hiding: &Hiding| hidden(windows, hiding, SCREEN);
        assert_eq!(bytes(&hidden(&windows, &hiding)), 200, "its left half; the right one lies below the notes");
        windows[2].covers = false;
        assert_eq!(bytes(&hidden(&windows, &hiding)), 400);
        hiding.programs = vec!["notes".into(), "Browse".into()];
        assert_eq!(
            bytes(&hidden(&windows, &hiding)),
            2800,
            "of a program all windows, and no other's that is called alike"
        );
        hiding.programs.clear();
        windows.swap(0, 1);
        windows[1].area = Area { left: 0, top: 0, right: 100, bottom: 100 };
        assert_eq!(hidden(&windows, &hiding), [], "behind the browser");
        windows[1].is_own = true;
        assert_eq!(bytes(&hidden(&windows, &Hiding::default())), 10_000, "this program's own");
        assert_eq!(hidden(&[], &hiding), []);
    }

    #[test]
    fn of_one_window_only_what_its_own_program_opens_may_lie_above() {
        let windows = [
            window(0x100, (0, 0, 100, 100), "Shop", "browser"),
            window(0x101, (10, 10, 20, 20), "", "menu of the browser"),
            window(0x200, (50, 50, 60, 60), "Mail", "mail"),
        ];
        let only = |id| Hiding { only: Some(id), ..Hiding::default() };
        assert_eq!(hidden(&windows, &only(0x100), windows[0].area), [windows[2].area]);
        assert_eq!(hidden(&windows, &only(0x200), windows[2].area), []);
        assert_eq!(hidden(&windows, &only(0x300), SCREEN), [SCREEN], "it is not shown, and what is there is another's");
        let half = Area { right: 50, ..SCREEN };
        assert_eq!(hidden(&[window(0x100, (50, 0, 100, 100), "Shop", "browser")], &only(0x100), SCREEN), [half]);
    }
}
