//! `ingest-server serve`: answers until it is told to stop, then lets running requests end.
//!
//! Connections are counted, and each has a time for the head of a request and for the reader of an answer; the bodies
//! of uploads have theirs in [`crate::uploads`]. A connection over the cap waits in the system's queue, one over its
//! address's share is closed at once.

mod patient;

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::app::Shared;
use crate::http::limit::share;
use crate::limits::Limits;
use crate::network::Network;
use crate::{http, replica};
use patient::Patient;

/// Between two tries to accept where the system has no handle left.
const PAUSE: Duration = Duration::from_millis(200);

pub async fn serve(
    app: Shared,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let beside = app.clone();
    let beside = tokio::spawn(async move { Box::pin(replica::run(&beside)).await });
    let limits = app.config.limits;
    let router = http::router(app.clone());
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(Duration::from_secs(limits.header_secs));
    let least_taken =
        usize::try_from(limits.least_rate_bytes.saturating_mul(limits.stalled_secs)).unwrap_or(usize::MAX);
    let (graceful, crowd) = (GracefulShutdown::new(), Crowd::new(&limits, app.config.trusted_proxies.clone()));
    tokio::pin!(stop);
    loop {
        let next = tokio::select! {
            () = &mut stop => break,
            next = crowd.next(&listener) => next,
        };
        let Some((stream, peer, place)) = next else { continue };
        let service = TowerToHyperService::new(http::of_peer(router.clone(), peer));
        let io = TokioIo::new(Patient::new(stream, Duration::from_secs(limits.stalled_secs), least_taken));
        let connection = graceful.watch(builder.serve_connection(io, service));
        tokio::spawn(async move {
            // A client that went away is no fault of ours, and whatever else happens was logged where it happened.
            let _ = connection.await;
            drop(place);
        });
    }
    drop(listener);
    app.stopping.cancel();
    beside.abort();
    let ended = tokio::time::timeout(Duration::from_secs(limits.drain_secs), graceful.shutdown()).await;
    if ended.is_err() {
        tracing::warn!("some requests had not ended after {} s and were cut", limits.drain_secs);
    }
    Ok(())
}

/// Who is connected.
#[derive(Debug)]
struct Crowd {
    seats: Arc<Semaphore>,
    of_address: Arc<Mutex<HashMap<String, u64>>>,
    most_of_address: u64,
    /// These speak for many, as this machine's own do.
    proxies: Vec<Network>,
}

impl Crowd {
    fn new(limits: &Limits, proxies: Vec<Network>) -> Self {
        let seats = usize::try_from(limits.connections).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS);
        Self {
            seats: Arc::new(Semaphore::new(seats)),
            of_address: Arc::default(),
            most_of_address: limits.address_connections,
            proxies,
        }
    }

    /// The next connection with its place; none where it was refused.
    async fn next(&self, listener: &TcpListener) -> Option<(TcpStream, IpAddr, Place)> {
        let seat = self.seats.clone().acquire_owned().await.ok()?;
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!("a connection could not be taken: {error}");
                tokio::time::sleep(PAUSE).await;
                return None;
            }
        };
        // A socket of both kinds of addresses tells an old one in the form of a new one.
        let peer = peer.ip().to_canonical();
        let address = self.enter(peer)?;
        // Small answers are not held back for more.
        let _ = stream.set_nodelay(true);
        Some((stream, peer, Place { _seat: seat, _address: address }))
    }

    fn enter(&self, address: IpAddr) -> Option<OfAddress> {
        let counted = !address.is_loopback() && !self.proxies.iter().any(|network| network.contains(address));
        let of = share(address);
        if counted {
            let mut all = self.of_address.lock().unwrap_or_else(PoisonError::into_inner);
            let count = all.entry(of.clone()).or_insert(0);
            if *count >= self.most_of_address {
                return None;
            }
            *count += 1;
        }
        Some(OfAddress { all: self.of_address.clone(), of, counted })
    }
}

/// A connection's place in the crowd, until it is dropped.
#[derive(Debug)]
struct Place {
    _seat: OwnedSemaphorePermit,
    _address: OfAddress,
}

#[derive(Debug)]
struct OfAddress {
    all: Arc<Mutex<HashMap<String, u64>>>,
    of: String,
    counted: bool,
}

impl Drop for OfAddress {
    fn drop(&mut self) {
        if !self.counted {
            return;
        }
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = all.get_mut(&self.of) {
            *count -= 1;
            if *count == 0 {
                all.remove(&self.of);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_so_many_places() {
        let proxies = vec!["172.31.87.0/24".parse().unwrap()];
        let crowd = Crowd::new(&Limits { address_connections: 2, ..Limits::default() }, proxies);
        let address: IpAddr = "203.0.113.7".parse().unwrap();
        let (first, _second) = (crowd.enter(address), crowd.enter(address));
        assert!(first.is_some() && crowd.enter(address).is_none());
        assert!(crowd.enter("203.0.113.8".parse().unwrap()).is_some());
        let home = ["2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8:0:1::1"]
            .map(|one| crowd.enter(one.parse().unwrap()));
        assert_eq!(home.each_ref().map(Option::is_some), [true, true, false, true], "a home has one share");
        drop(first);
        assert!(crowd.enter(address).is_some());
        for proxy in ["127.0.0.1", "172.31.87.1"] {
            let places: Vec<_> = (0..5).map(|_| crowd.enter(proxy.parse().unwrap())).collect();
            assert!(places.iter().all(Option::is_some), "a proxy speaks for many: {proxy}");
        }
    }
}
