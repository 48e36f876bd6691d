//! A server that is told to stop, and those whom it answers at that moment.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use crate::limits::{Open, begin};
use crate::road;
use crate::road::wire::{Process, answer, connect};
use crate::road::{BYTES, TUS, video};
use ingest_server::store::Engine;
use serde_json::json;
use shared_types::api::admin::TokenRole;

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_drains_tells_a_sender_to_come_back() {
    let open = Open::new(|_| ()).await;
    let token = open.road.worker("Basic").await;
    let path = begin(&open.road, &token, 100_000).await.header("location").to_owned();
    let (address, stop, of_sender) = (open.address, open.stop.clone(), path.clone());
    let bearer = token.clone();
    let send = move || {
        let mut stream = connect(address);
        let head = format!(
            "PATCH {of_sender} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {bearer}\r\n{}: {}\r\n{}: {}\r\n\
             Upload-Offset: 0\r\nContent-Length: 100000\r\nExpect: 100-continue\r\n\r\n",
            TUS.0, TUS.1, BYTES.0, BYTES.1
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut go_on = [0; b"HTTP/1.1 100 Continue\r\n\r\n".len()];
        stream.read_exact(&mut go_on).unwrap();
        stream.write_all(&video(64)).unwrap();
        stop.cancel();
        answer(&mut stream).unwrap()
    };
    let reply = tokio::task::spawn_blocking(send).await.unwrap();
    open.served.await.unwrap().unwrap();
    assert_eq!((reply.status, reply.header("retry-after")), (503, "1"));
    assert!(std::net::TcpStream::connect(address).is_err(), "nobody new is let in");
    let told = open.road.send("HEAD", &path, &token, &[TUS], "").await;
    assert!(["0", "64"].contains(&told.header("upload-offset")), "{}", told.header("upload-offset"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_waits_is_let_go_when_the_server_stops() {
    let open = Open::new(|_| ()).await;
    let machine = open.road.token(TokenRole::Pipeline).await;
    let (address, stop) = (open.address, open.stop.clone());
    let ask = move || {
        let claim = json!({ "worker": "press", "kinds": ["inspect"], "max": 1, "wait_s": 25 }).to_string();
        let mut stream = connect(address);
        let head = format!(
            "POST /api/v1/jobs/claim HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {machine}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\nExpect: 100-continue\r\n\r\n",
            claim.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut go_on = [0; b"HTTP/1.1 100 Continue\r\n\r\n".len()];
        stream.read_exact(&mut go_on).unwrap();
        stream.write_all(claim.as_bytes()).unwrap();
        let began = Instant::now();
        stop.cancel();
        (answer(&mut stream).unwrap(), began.elapsed())
    };
    let (reply, took) = tokio::task::spawn_blocking(ask).await.unwrap();
    open.served.await.unwrap().unwrap();
    assert_eq!((reply.status, reply.json()), (200, json!([])));
    assert!(took < Duration::from_secs(4), "not before it looks for itself again: {took:?}");
}

#[test]
fn a_request_that_does_not_end_is_cut_when_the_server_stops() {
    let folder = road::folder();
    let url = road::database(Engine::Sqlite, folder.path());
    let mut server = Process::start(folder.path(), &url, &[("COLLECTOR_DRAIN_SECS", "1")]);
    let mut stream = server.connect();
    let head = b"POST /api/v1/admin/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
        Content-Length: 100\r\nExpect: 100-continue\r\n\r\n";
    stream.write_all(head).unwrap();
    stream.read_exact(&mut [0; b"HTTP/1.1 100 Continue\r\n\r\n".len()]).unwrap();
    let began = Instant::now();
    assert!(server.stop(), "it ends well");
    let took = began.elapsed();
    // A body that stops coming has 30 s otherwise.
    assert!((Duration::from_millis(900)..Duration::from_secs(15)).contains(&took), "{took:?}");
    let mut said = Vec::new();
    // Reset or ended, there is no answer.
    let _ = stream.read_to_end(&mut said);
    assert!(said.is_empty(), "{}", String::from_utf8_lossy(&said));
}
