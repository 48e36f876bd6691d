//! Whether the `PipeWire` that brings a Wayland desktop's pictures, and what gives them to it, are still there. When either
//! goes scap's stream is left without a word. So a connection of our own, made in the same way, listens for the end of
//! `PipeWire`, and looks at its list of what there is.
//!
//! Which of its nodes gives the pictures is told by the first link that leads to a node of this program: links come
//! and go, with the session manager, and the node they began at stays for as long as the screen is shared.
//!
//! scap waits without end for pictures that do not come, and ends only by an error of its stream. So when nobody asks any
//! more, its stream is given one, as a session manager gives it to a stream that has no place.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::time::{Duration, Instant};

use ::pipewire::client::Client;
use ::pipewire::context::Context;
use ::pipewire::core::{Core, Listener as CoreListener, PW_ID_CORE};
use ::pipewire::keys::{CLIENT_ID, LINK_INPUT_NODE, LINK_OUTPUT_NODE, SEC_PID};
use ::pipewire::main_loop::MainLoop;
use ::pipewire::properties::Properties;
use ::pipewire::registry::{GlobalObject, Listener as RegistryListener, Registry};
use ::pipewire::types::ObjectType;

/// `-EPIPE`, as `PipeWire` says it.
const BROKEN_PIPE: i32 = -32;
const PATIENCE: Duration = Duration::from_millis(300);

/// It stays on the thread that made it.
pub(super) struct Connection {
    main_loop: MainLoop,
    seen: Rc<RefCell<Seen>>,
    /// This program's.
    clients: Rc<RefCell<HashMap<u32, GlobalObject<Properties>>>>,
    _listeners: (CoreListener, RegistryListener),
    registry: Registry,
    core: Core,
}

/// What `PipeWire` told. Objects are told of in no order.
#[derive(Default)]
struct Seen {
    our_clients: HashSet<u32>,
    /// The client of each node.
    nodes: HashMap<u32, u32>,
    /// From which node to which each link leads.
    links: HashMap<u32, (u32, u32)>,
    /// Where the pictures come from, and the node of this program that takes them, with its client.
    source: Option<u32>,
    sink: Option<(u32, u32)>,
    is_lost: bool,
    /// `PipeWire` has done all that it was asked.
    is_answered: bool,
}

impl Seen {
    fn add(&mut self, id: u32, kind: &ObjectType, value: impl Fn(&str) -> Option<u32>) {
        match kind {
            ObjectType::Client if value(&SEC_PID) == Some(std::process::id()) => {
                self.our_clients.insert(id);
            }
            ObjectType::Node => self.nodes.extend(value(&CLIENT_ID).map(|client| (id, client))),
            ObjectType::Link => {
                let ends = value(&LINK_OUTPUT_NODE).zip(value(&LINK_INPUT_NODE));
                self.links.extend(ends.map(|ends| (id, ends)));
            }
            _ => return,
        }
        if self.source.is_some() {
            return;
        }
        let client = |node: &u32| self.nodes.get(node).copied().filter(|client| self.our_clients.contains(client));
        let found = self.links.values().find_map(|(from, to)| client(to).map(|client| (*from, (*to, client))));
        (self.source, self.sink) = found.unzip();
    }

    fn remove(&mut self, id: u32) {
        self.is_lost |= self.source == Some(id);
        self.our_clients.remove(&id);
        self.nodes.remove(&id);
        self.links.remove(&id);
    }
}

impl Connection {
    /// `None` where it cannot be reached.
    pub(super) fn open() -> Option<Self> {
        ::pipewire::init();
        let main_loop = MainLoop::new(None).ok()?;
        let core = Context::new(&main_loop).ok()?.connect(None).ok()?;
        let registry = core.get_registry().ok()?;
        let seen = Rc::new(RefCell::new(Seen::default()));
        let (ended, done, added, removed) = (seen.clone(), seen.clone(), seen.clone(), seen.clone());
        let clients = Rc::new(RefCell::new(HashMap::new()));
        let kept = clients.clone();
        // Nothing is asked of the core that could fail, so that its errors are the end of the connection.
        let on_error = move |id, _seq, _result, _message: &str| ended.borrow_mut().is_lost |= id == PW_ID_CORE;
        let listeners = (
            core.add_listener_local().error(on_error).done(move |_, _| done.borrow_mut().is_answered = true).register(),
            registry
                .add_listener_local()
                .global(move |object| {
                    let value = |key: &str| object.props?.get(key)?.parse().ok();
                    added.borrow_mut().add(object.id, &object.type_, value);
                    if object.type_ == ObjectType::Client && value(&SEC_PID) == Some(std::process::id()) {
                        kept.borrow_mut().insert(object.id, object.to_owned());
                    }
                })
                .global_remove(move |id| removed.borrow_mut().remove(id))
                .register(),
        );
        Some(Self { main_loop, seen, _listeners: listeners, clients, registry, core })
    }

    /// Never waits.
    pub(super) fn is_alive(&self) -> bool {
        self.main_loop.loop_().iterate(Duration::ZERO);
        !self.seen.borrow().is_lost
    }

    /// Where `PipeWire` itself is gone nothing comes of it.
    fn end_stream(&self) -> Option<()> {
        self.main_loop.loop_().iterate(Duration::ZERO);
        let (node, client) = self.seen.borrow().sink?;
        let client: Client = self.registry.bind(self.clients.borrow().get(&client)?).ok()?;
        client.error(node, BROKEN_PIPE, "the screen is no longer recorded");
        // What is still on its way when the connection ends would be lost.
        self.core.sync(0).ok()?;
        let deadline = Instant::now() + PATIENCE;
        while !self.seen.borrow().is_answered && Instant::now() < deadline {
            self.main_loop.loop_().iterate(PATIENCE);
        }
        Some(())
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.end_stream();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_node_that_our_pictures_come_from_is_missed() {
        let ours = std::process::id();
        let mut seen = Seen::default();
        let mut add = |id, kind, values: &[(&str, u32)]| {
            let value = |key: &str| values.iter().find(|(name, _)| *name == key).map(|(_, value)| *value);
            seen.add(id, &kind, value);
        };
        // Two links, then what they lead to, then whose that is.
        add(5, ObjectType::Link, &[(&LINK_OUTPUT_NODE, 40), (&LINK_INPUT_NODE, 41)]);
        add(6, ObjectType::Link, &[(&LINK_OUTPUT_NODE, 50), (&LINK_INPUT_NODE, 51)]);
        for (node, client) in [(40, 30), (41, 31), (50, 30), (51, 32)] {
            add(node, ObjectType::Node, &[(&CLIENT_ID, client)]);
        }
        add(31, ObjectType::Client, &[(&SEC_PID, ours + 1)]);
        add(32, ObjectType::Client, &[(&SEC_PID, ours)]);
        for other in [40, 5, 6] {
            seen.remove(other);
            assert!(!seen.is_lost, "{other}");
        }
        seen.remove(50);
        assert!(seen.is_lost);
    }
}
