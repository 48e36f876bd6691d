//! An X server for one test, and a hand that moves things on it.

#![allow(dead_code, reason = "each file of tests uses its part of it")]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use capture::display::Session;
use media::frame::BgraFrame;
use x11rb::COPY_DEPTH_FROM_PARENT;
use x11rb::connection::Connection as _;
use x11rb::protocol::Event;
use x11rb::protocol::randr::{self, ConnectionExt as _};
use x11rb::protocol::xinput::{self, ConnectionExt as _};
use x11rb::protocol::xproto::{
    self, ChangeWindowAttributesAux, ConnectionExt as _, CreateGCAux, CreateWindowAux, EventMask, GrabMode, Rectangle,
    Window, WindowClass,
};
use x11rb::protocol::xtest::ConnectionExt as _;
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

pub(crate) const BLUE: u32 = 0x20_30_a0;
pub(crate) const GREEN: u32 = 0x10_c0_40;
/// The colour of the pointer, a full square.
pub(crate) const MAGENTA: u32 = 0xff_00_ff;
pub(crate) const POINTER_SIDE: u32 = 12;
pub(crate) const POINTER_HOT_SPOT: (u32, u32) = (3, 5);

pub(crate) fn pixel(frame: &BgraFrame, x: u32, y: u32) -> u32 {
    let at = x as usize * 4;
    let row = frame.row(y);
    u32::from(row[at]) | u32::from(row[at + 1]) << 8 | u32::from(row[at + 2]) << 16
}

pub(crate) struct Xvfb {
    process: Child,
    name: String,
}

impl Xvfb {
    pub(crate) fn start(screen: &str, arguments: &[&str]) -> Self {
        let mut process = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", screen, "-nolisten", "tcp", "-noreset"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("this test needs Xvfb: install it with `./dev setup`");
        let mut number = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut number).unwrap();
        assert!(!number.trim().is_empty(), "Xvfb did not start");
        Self { process, name: format!(":{}", number.trim()) }
    }

    pub(crate) fn session(&self) -> Session {
        Session::of_display(&self.name)
    }
}

impl Drop for Xvfb {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

pub(crate) struct Desk {
    pub(crate) conn: RustConnection,
    pub(crate) root: Window,
}

impl Desk {
    /// A blue desktop with a magenta square for a pointer.
    pub(crate) fn new(server: &Xvfb) -> Self {
        let (conn, screen) = RustConnection::connect(Some(&server.name)).unwrap();
        let root = conn.setup().roots[screen].root;
        let side = POINTER_SIDE as u16;
        let (pixmap, paint, cursor) =
            (conn.generate_id().unwrap(), conn.generate_id().unwrap(), conn.generate_id().unwrap());
        conn.create_pixmap(1, pixmap, root, side, side).unwrap();
        conn.create_gc(paint, pixmap, &CreateGCAux::new().foreground(1)).unwrap();
        conn.poly_fill_rectangle(pixmap, paint, &[Rectangle { x: 0, y: 0, width: side, height: side }]).unwrap();
        let (hot_x, hot_y) = (POINTER_HOT_SPOT.0 as u16, POINTER_HOT_SPOT.1 as u16);
        conn.create_cursor(cursor, pixmap, pixmap, 0xffff, 0, 0xffff, 0, 0, 0, hot_x, hot_y).unwrap();
        let looks = ChangeWindowAttributesAux::new().background_pixel(BLUE).cursor(cursor);
        conn.change_window_attributes(root, &looks).unwrap();
        conn.clear_area(false, root, 0, 0, 0, 0).unwrap();
        let desk = Self { conn, root };
        desk.sync();
        desk
    }

    pub(crate) fn sync(&self) {
        self.conn.sync().unwrap();
    }

    pub(crate) fn window(&self, x: i16, y: i16, width: u16, height: u16, colour: u32) -> Window {
        let window = self.conn.generate_id().unwrap();
        let looks = CreateWindowAux::new().background_pixel(colour).override_redirect(1);
        let class = WindowClass::INPUT_OUTPUT;
        self.conn
            .create_window(COPY_DEPTH_FROM_PARENT, window, self.root, x, y, width, height, 0, class, 0, &looks)
            .unwrap();
        self.conn.map_window(window).unwrap();
        self.sync();
        window
    }

    /// As a client has one in the frame that a window manager made.
    pub(crate) fn child(&self, parent: Window, width: u16, height: u16, colour: u32) -> Window {
        let window = self.conn.generate_id().unwrap();
        let looks = CreateWindowAux::new().background_pixel(colour);
        let class = WindowClass::INPUT_OUTPUT;
        self.conn
            .create_window(COPY_DEPTH_FROM_PARENT, window, parent, 0, 0, width, height, 0, class, 0, &looks)
            .unwrap();
        self.conn.map_window(window).unwrap();
        self.sync();
        window
    }

    /// As a window manager says of the windows that it knows.
    pub(crate) fn state(&self, window: Window) {
        let property = self.conn.intern_atom(false, b"WM_STATE").unwrap().reply().unwrap().atom;
        self.conn.change_property32(xproto::PropMode::REPLACE, window, property, property, &[1, 0]).unwrap();
        self.sync();
    }

    pub(crate) fn name(&self, window: Window, title: &str) {
        let (property, kind) = (xproto::AtomEnum::WM_NAME, xproto::AtomEnum::STRING);
        self.conn.change_property8(xproto::PropMode::REPLACE, window, property, kind, title.as_bytes()).unwrap();
        self.sync();
    }

    /// As programs do: a name of the window and one of the program, each with a zero behind it.
    pub(crate) fn class(&self, window: Window, class: &str) {
        let text = format!("main\0{class}\0");
        let (property, kind) = (xproto::AtomEnum::WM_CLASS, xproto::AtomEnum::STRING);
        self.conn.change_property8(xproto::PropMode::REPLACE, window, property, kind, text.as_bytes()).unwrap();
        self.sync();
    }

    /// Says which program a window belongs to.
    pub(crate) fn owner(&self, window: Window, pid: u32) {
        let property = self.conn.intern_atom(false, b"_NET_WM_PID").unwrap().reply().unwrap().atom;
        let kind = xproto::AtomEnum::CARDINAL;
        self.conn.change_property32(xproto::PropMode::REPLACE, window, property, kind, &[pid]).unwrap();
        self.sync();
    }

    pub(crate) fn focus(&self, window: Window) {
        self.conn.set_input_focus(xproto::InputFocus::PARENT, window, x11rb::CURRENT_TIME).unwrap();
        self.sync();
    }

    fn fake(&self, kind: u8, detail: u8, x: i16, y: i16) {
        self.conn.xtest_fake_input(kind, detail, 0, self.root, x, y, 0).unwrap();
        self.sync();
    }

    pub(crate) fn move_pointer(&self, x: i16, y: i16) {
        self.fake(xproto::MOTION_NOTIFY_EVENT, 0, x, y);
    }

    pub(crate) fn press(&self, button: u8) {
        self.fake(xproto::BUTTON_PRESS_EVENT, button, 0, 0);
    }

    pub(crate) fn release(&self, button: u8) {
        self.fake(xproto::BUTTON_RELEASE_EVENT, button, 0, 0);
    }

    /// Presses keys one after the other and lets them go in the opposite order.
    pub(crate) fn chord(&self, keysyms: &[u32]) {
        let codes: Vec<u8> = keysyms.iter().map(|&keysym| self.code_of(keysym)).collect();
        for &code in &codes {
            self.fake(xproto::KEY_PRESS_EVENT, code, 0, 0);
        }
        for &code in codes.iter().rev() {
            self.fake(xproto::KEY_RELEASE_EVENT, code, 0, 0);
        }
    }

    fn code_of(&self, keysym: u32) -> u8 {
        let first = self.conn.setup().min_keycode;
        let mapping = self.mapping();
        let per_code = usize::from(mapping.keysyms_per_keycode);
        let row = mapping.keysyms.chunks(per_code).position(|row| row[0] == keysym);
        first + row.expect("the layout has this key") as u8
    }

    fn mapping(&self) -> xproto::GetKeyboardMappingReply {
        let (first, last) = (self.conn.setup().min_keycode, self.conn.setup().max_keycode);
        self.conn.get_keyboard_mapping(first, last - first + 1).unwrap().reply().unwrap()
    }

    /// Gives the last key code, which no real key has, a meaning.
    pub(crate) fn remap_spare_key(&self, keysym: u32) {
        let per_code = self.mapping().keysyms_per_keycode;
        let mut keysyms = vec![0; per_code.into()];
        keysyms[0] = keysym;
        self.conn.change_keyboard_mapping(1, self.conn.setup().max_keycode, per_code, &keysyms).unwrap();
        self.sync();
    }

    pub(crate) fn grab_pointer(&self) {
        let (events, mode) = (EventMask::BUTTON_PRESS, GrabMode::ASYNC);
        self.conn
            .grab_pointer(false, self.root, events, mode, mode, x11rb::NONE, x11rb::NONE, x11rb::CURRENT_TIME)
            .unwrap()
            .reply()
            .unwrap();
    }

    /// A monitor that `RandR` reports, without hardware behind it.
    pub(crate) fn monitor(&self, name: &str, x: i16, y: i16, width: u16, height: u16) {
        let name = self.conn.intern_atom(false, name.as_bytes()).unwrap().reply().unwrap().atom;
        let monitor = randr::MonitorInfo {
            name,
            primary: false,
            automatic: false,
            x,
            y,
            width,
            height,
            width_in_millimeters: 300,
            height_in_millimeters: 200,
            outputs: Vec::new(),
        };
        self.conn.randr_set_monitor(self.root, monitor).unwrap().check().unwrap();
    }

    /// Such a monitor is unplugged.
    pub(crate) fn no_monitor(&self, name: &str) {
        let name = self.conn.intern_atom(false, name.as_bytes()).unwrap().reply().unwrap().atom;
        self.conn.randr_delete_monitor(self.root, name).unwrap().check().unwrap();
    }

    /// Another resolution, as a display's settings set it.
    pub(crate) fn resize(&self, width: u16, height: u16) {
        let (conn, root) = (&self.conn, self.root);
        let resources = conn.randr_get_screen_resources(root).unwrap().reply().unwrap();
        let (crtc, output) = (resources.crtcs[0], resources.outputs[0]);
        let known = resources.modes.iter().find(|mode| (mode.width, mode.height) == (width, height));
        let mode = known.map_or_else(
            || {
                let name = format!("{width}x{height}");
                let mut mode = resources.modes[0];
                (mode.width, mode.height, mode.name_len) = (width, height, name.len() as u16);
                let mode = conn.randr_create_mode(root, mode, name.as_bytes()).unwrap().reply().unwrap().mode;
                conn.randr_add_output_mode(output, mode).unwrap().check().unwrap();
                mode
            },
            |mode| mode.id,
        );
        let set = |mode, outputs: &[u32]| {
            let rotation = randr::Rotation::ROTATE0;
            let reply = conn.randr_set_crtc_config(crtc, 0, 0, 0, 0, mode, rotation, outputs).unwrap().reply().unwrap();
            assert_eq!(reply.status, randr::SetConfig::SUCCESS);
        };
        set(x11rb::NONE, &[]);
        conn.randr_set_screen_size(root, width, height, 300, 200).unwrap().check().unwrap();
        set(mode, &[output]);
        self.sync();
    }
}

/// The keys that anybody who asks is told of.
pub(crate) struct RawKeys(RustConnection);

impl RawKeys {
    pub(crate) fn watch(server: &Xvfb) -> Self {
        let (conn, screen) = RustConnection::connect(Some(&server.name)).unwrap();
        conn.xinput_xi_query_version(2, 2).unwrap().reply().unwrap();
        let (deviceid, mask) = (xinput::Device::ALL_MASTER.into(), vec![xinput::XIEventMask::RAW_KEY_PRESS]);
        let root = conn.setup().roots[screen].root;
        conn.xinput_xi_select_events(root, &[xinput::EventMask { deviceid, mask }]).unwrap().check().unwrap();
        Self(conn)
    }

    /// Waits until so many keys more were pressed.
    pub(crate) fn wait_for(&self, presses: usize) {
        let mut seen = 0;
        while seen < presses {
            seen += usize::from(matches!(self.0.wait_for_event().unwrap(), Event::XinputRawKeyPress(_)));
        }
    }
}
