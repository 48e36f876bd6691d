//! Who speaks `PulseAudio`'s protocol here. `PipeWire` does, too, and takes some of it otherwise.
//!
//! A connection of its own is asked, for a moment: that of cpal shows nobody what the server calls itself.

use std::io::BufReader;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use pulseaudio::protocol::{
    AuthParams, AuthReply, Command, MAX_VERSION, Prop, Props, ServerInfo, SetClientNameReply, read_reply_message,
    write_command_message,
};

const PATIENCE: Duration = Duration::from_secs(2);

/// Whether it is `PipeWire`; a server that does not say so is taken for `PulseAudio`.
pub(super) fn is_pipewire() -> bool {
    pulseaudio::socket_path_from_env().and_then(|socket| server_name(&socket)).is_some_and(|name| is_name(&name))
}

/// As in `PulseAudio (on PipeWire 0.3.65)`.
fn is_name(server_name: &str) -> bool {
    server_name.contains("PipeWire")
}

fn server_name(socket: &Path) -> Option<String> {
    let stream = UnixStream::connect(socket).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    stream.set_write_timeout(Some(PATIENCE)).ok()?;
    let mut server = BufReader::new(stream);
    let cookie = pulseaudio::cookie_path_from_env().and_then(|path| std::fs::read(path).ok()).unwrap_or_default();
    let auth = AuthParams { version: MAX_VERSION, supports_shm: false, supports_memfd: false, cookie };
    write_command_message(server.get_mut(), 0, &Command::Auth(auth), MAX_VERSION).ok()?;
    let (_, reply) = read_reply_message::<AuthReply>(&mut server, MAX_VERSION).ok()?;
    let version = reply.version.min(MAX_VERSION);
    let mut about = Props::new();
    about.set(Prop::ApplicationName, c"recorder");
    write_command_message(server.get_mut(), 1, &Command::SetClientName(about), version).ok()?;
    read_reply_message::<SetClientNameReply>(&mut server, version).ok()?;
    write_command_message(server.get_mut(), 2, &Command::GetServerInfo, version).ok()?;
    let (_, info) = read_reply_message::<ServerInfo>(&mut server, version).ok()?;
    info.server_name.map(|name| name.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_that_says_so_is_pipewire() {
        let rows = [("PulseAudio (on PipeWire 0.3.65)", true), ("pulseaudio", false), ("", false)];
        for (name, expected) in rows {
            assert_eq!(is_name(name), expected, "{name}");
        }
    }

    #[test]
    fn a_server_that_hangs_up_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("native");
        assert_eq!(server_name(&socket), None, "nobody is there");
        let listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let hangs_up = std::thread::Builder::new().name("server".to_owned()).spawn(move || drop(listener.accept()));
        assert_eq!(server_name(&socket), None);
        hangs_up.unwrap().join().unwrap();
    }
}
