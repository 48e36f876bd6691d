//! tus 1.0.0, row by row: what is asked, and the status and headers of the answer.

use crate::road::{Answer, BYTES, Road, TUS, UPLOADS, video};
use axum::body::Body;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ingest_server::store::Engine as Database;
use sha2::{Digest, Sha256};

on_both!(
    creation,
    what_head_tells,
    patches,
    a_length_that_is_told_later,
    post_in_place_of_patch_and_delete,
    termination_and_expiration,
    reading_a_finished_upload,
    an_upload_is_never_served_as_a_page,
    other_sites_are_let_in_only_by_name,
);

type Header<'a> = (&'a str, &'a str);

async fn create(road: &Road, token: &str, length: usize) -> String {
    let made = road.send("POST", UPLOADS, token, &[TUS, ("upload-length", &length.to_string())], "").await;
    assert_eq!(made.status, 201);
    made.header("location").to_owned()
}

async fn patch(road: &Road, token: &str, path: &str, offset: usize, more: &[Header<'_>], bytes: &[u8]) -> Answer {
    let offset = offset.to_string();
    let headers = [&[TUS, BYTES, ("upload-offset", offset.as_str())], more].concat();
    road.send("PATCH", path, token, &headers, bytes.to_vec()).await
}

async fn creation(road: Road) {
    let token = road.worker("Basic").await;
    let (whole, long) = (video(64), "k ".to_owned() + &STANDARD.encode([7; 3500]));
    let rows: &[(&str, &[Header<'_>], &[u8], u16, &str, &str)] = &[
        ("a length", &[TUS, ("upload-length", "100")], b"", 201, "upload-offset", "0"),
        ("none yet", &[TUS, ("upload-defer-length", "1")], b"", 201, "upload-offset", "0"),
        ("nothing", &[TUS, ("upload-length", "0")], b"", 201, "upload-offset", "0"),
        ("bytes with it", &[TUS, BYTES, ("upload-length", "64")], &whole, 201, "upload-offset", "64"),
        (
            "a name",
            &[TUS, ("upload-length", "1"), ("upload-metadata", "filename w7xiZXIubXA0,empty")],
            b"",
            201,
            "upload-offset",
            "0",
        ),
        ("no version", &[("upload-length", "100")], b"", 412, "tus-version", "1.0.0"),
        ("another version", &[("tus-resumable", "0.2.2"), ("upload-length", "1")], b"", 412, "tus-version", "1.0.0"),
        ("no length", &[TUS], b"", 400, "tus-resumable", "1.0.0"),
        ("both", &[TUS, ("upload-length", "1"), ("upload-defer-length", "1")], b"", 400, "", ""),
        ("deferred by two", &[TUS, ("upload-defer-length", "2")], b"", 400, "", ""),
        ("less than none", &[TUS, ("upload-length", "-1")], b"", 400, "", ""),
        ("a sign", &[TUS, ("upload-length", "+1")], b"", 400, "", ""),
        ("no number", &[TUS, ("upload-length", "1e3")], b"", 400, "", ""),
        ("beyond numbers", &[TUS, ("upload-length", "99999999999999999999999")], b"", 400, "", ""),
        ("too long", &[TUS, ("upload-length", "99999999999")], b"", 413, "", ""),
        ("more than told", &[TUS, BYTES, ("upload-length", "10"), ("content-length", "64")], &whole, 413, "", ""),
        (
            "a name that is no base64",
            &[TUS, ("upload-length", "1"), ("upload-metadata", "filename ../../x")],
            b"",
            400,
            "",
            "",
        ),
        ("a name twice", &[TUS, ("upload-length", "1"), ("upload-metadata", "a eA==,a eA==")], b"", 400, "", ""),
        ("much metadata", &[TUS, ("upload-length", "1"), ("upload-metadata", &long)], b"", 400, "", ""),
    ];
    for (what, headers, body, status, name, value) in rows {
        let answer = road.send("POST", UPLOADS, &token, headers, body.to_vec()).await;
        assert_eq!(answer.status, *status, "{what}: {}", String::from_utf8_lossy(&answer.body));
        assert_eq!(answer.header("tus-resumable"), "1.0.0", "{what}");
        assert!(name.is_empty() || answer.header(name) == *value, "{what}: {name} is {}", answer.header(name));
        if answer.status == 201 {
            let path = answer.header("location");
            assert!(path.starts_with("/api/v1/uploads/csu_"), "{what}: {path}");
            road.send("DELETE", path, &token, &[TUS], "").await;
        }
    }
}

async fn what_head_tells(road: Road) {
    let token = road.worker("Basic").await;
    let headers = [TUS, ("upload-length", "100"), ("upload-metadata", "filename w7xiZXIubXA0")];
    let made = road.send("POST", UPLOADS, &token, &headers, "").await;
    let path = made.header("location");
    patch(&road, &token, path, 0, &[], &video(40)).await;
    let told = road.send("HEAD", path, &token, &[TUS], "").await;
    assert_eq!(told.status, 200);
    for (name, value) in [
        ("upload-offset", "40"),
        ("upload-length", "100"),
        ("upload-metadata", "filename w7xiZXIubXA0"),
        ("cache-control", "no-store"),
        ("tus-resumable", "1.0.0"),
    ] {
        assert_eq!(told.header(name), value, "{name}");
    }
    assert!(told.header("upload-expires").ends_with("GMT"));
    for (what, path, headers, status) in [
        ("no version", path, &[] as &[Header<'_>], 412),
        ("unknown", "/api/v1/uploads/csu_0", &[TUS], 404),
        ("a folder above", "/api/v1/uploads/..%2f..%2fsigning.key", &[TUS], 404),
    ] {
        let told = road.send("HEAD", path, &token, headers, "").await;
        assert_eq!((told.status.as_u16(), told.header("cache-control")), (status, "no-store"), "{what}");
    }
}

fn sum(value: &str) -> Header<'_> {
    ("upload-checksum", value)
}

async fn patches(road: Road) {
    let token = road.worker("Basic").await;
    let whole = video(64);
    let checked = |algorithm: &str, hash: &[u8]| format!("{algorithm} {}", STANDARD.encode(hash));
    let sha1 = checked("sha1", &sha1::Sha1::digest(&whole));
    let sha256 = checked("sha256", &Sha256::digest(&whole));
    let other = checked("sha256", &Sha256::digest(b"other"));
    let short = checked("sha256", b"short");
    let json = ("content-type", "application/json");
    let at = |at: &'static str| ("upload-offset", at);
    let rows: &[(&str, &[Header<'_>], u16, &str)] = &[
        ("at the end", &[TUS, BYTES, at("0")], 204, "64"),
        ("with its SHA-1", &[TUS, BYTES, at("0"), sum(&sha1)], 204, "64"),
        ("with its SHA-256", &[TUS, BYTES, at("0"), sum(&sha256)], 204, "64"),
        ("with another hash", &[TUS, BYTES, at("0"), sum(&other)], 460, "0"),
        ("half a hash", &[TUS, BYTES, at("0"), sum(&short)], 400, "0"),
        ("an unknown hash", &[TUS, BYTES, at("0"), sum("md5 AAAA")], 400, "0"),
        ("no hash", &[TUS, BYTES, at("0"), sum("sha256")], 400, "0"),
        ("elsewhere", &[TUS, BYTES, at("5")], 409, "0"),
        ("nowhere", &[TUS, BYTES], 400, "0"),
        ("before the beginning", &[TUS, BYTES, at("-1")], 400, "0"),
        ("another type", &[TUS, json, at("0")], 415, "0"),
        ("no type", &[TUS, at("0")], 415, "0"),
        ("no version", &[BYTES, at("0")], 412, "0"),
        ("another length", &[TUS, BYTES, at("0"), ("upload-length", "70")], 400, "0"),
    ];
    for (what, headers, status, offset) in rows {
        let path = create(&road, &token, 64).await;
        let answer = road.send("PATCH", &path, &token, headers, whole.clone()).await;
        assert_eq!(answer.status, *status, "{what}: {}", String::from_utf8_lossy(&answer.body));
        assert_eq!(answer.header("tus-resumable"), "1.0.0", "{what}");
        assert!(answer.status != 204 || answer.header("upload-offset") == *offset, "{what}");
        let told = road.send("HEAD", &path, &token, &[TUS], "").await;
        assert_eq!(told.header("upload-offset"), *offset, "{what}");
        road.send("DELETE", &path, &token, &[TUS], "").await;
    }
}

async fn a_length_that_is_told_later(road: Road) {
    let token = road.worker("Basic").await;
    let whole = video(64);
    let made = road.send("POST", UPLOADS, &token, &[TUS, ("upload-defer-length", "1")], "").await;
    let path = made.header("location");
    assert_eq!(patch(&road, &token, path, 0, &[], &whole[..40]).await.status, 204);
    let told = road.send("HEAD", path, &token, &[TUS], "").await;
    assert_eq!((told.header("upload-defer-length"), told.header("upload-length")), ("1", ""));
    for (length, status) in [("39", 400), ("99999999999", 413), ("64", 204), ("65", 400), ("64", 204)] {
        let told = patch(&road, &token, path, 40, &[("upload-length", length)], b"").await;
        assert_eq!(told.status, status, "{length}");
    }
    assert_eq!(patch(&road, &token, path, 40, &[], &whole[40..]).await.status, 204);
    assert_eq!(road.send("GET", path, &token, &[], "").await.body, whole);
}

async fn post_in_place_of_patch_and_delete(road: Road) {
    let token = road.worker("Basic").await;
    let whole = video(64);
    let path = create(&road, &token, 64).await;
    let instead = |method| ("x-http-method-override", method);
    let headers = [TUS, BYTES, ("upload-offset", "0"), instead("PATCH")];
    assert_eq!(road.send("POST", &path, &token, &headers, whole).await.status, 204);
    assert_eq!(road.send("POST", &path, &token, &[TUS, instead("PUT")], "").await.status, 405);
    assert_eq!(road.send("POST", &path, &token, &[TUS], "").await.status, 405);
    assert_eq!(road.send("POST", &path, &token, &[TUS, instead("DELETE")], "").await.status, 204);
    assert_eq!(road.send("HEAD", &path, &token, &[TUS], "").await.status, 404);
}

async fn termination_and_expiration(road: Road) {
    let token = road.worker("Basic").await;
    let path = create(&road, &token, 64).await;
    assert_eq!(road.send("DELETE", &path, &token, &[], "").await.status, 412);
    for status in [204, 404] {
        assert_eq!(road.send("DELETE", &path, &token, &[TUS], "").await.status, status);
    }
    let path = create(&road, &token, 64).await;
    assert_eq!(patch(&road, &token, &path, 0, &[], &video(12)).await.status, 204);
    road.pass(6 * 86_400);
    assert_eq!(patch(&road, &token, &path, 12, &[], &video(20)[12..]).await.status, 204);
    road.pass(6 * 86_400);
    assert_eq!(road.send("HEAD", &path, &token, &[TUS], "").await.status, 200, "its time counts from the last byte");
    road.pass(2 * 86_400);
    for method in ["HEAD", "PATCH", "DELETE"] {
        let gone = road.send(method, &path, &token, &[TUS, BYTES, ("upload-offset", "20")], "").await;
        assert_eq!(gone.status, 410, "{method}");
    }
}

async fn reading_a_finished_upload(road: Road) {
    let token = road.worker("Basic").await;
    let (other, whole) = (road.worker("Basic").await, video(100));
    let path = create(&road, &token, 100).await;
    assert_eq!(road.send("GET", &path, &token, &[], "").await.status, 404, "not before it is finished");
    patch(&road, &token, &path, 0, &[], &whole).await;
    let all = road.send("GET", &path, &token, &[], "").await;
    let tag = all.header("etag").to_owned();
    assert!(all.body == whole && tag.starts_with('"') && all.header("accept-ranges") == "bytes");
    let range = |range: &'static str| ("range", range);
    let rows: &[(&str, &[Header<'_>], u16, &[u8], &str)] = &[
        ("a part", &[range("bytes=10-19")], 206, &whole[10..20], "bytes 10-19/100"),
        ("the end", &[range("bytes=-5")], 206, &whole[95..], "bytes 95-99/100"),
        ("from there", &[range("bytes=90-")], 206, &whole[90..], "bytes 90-99/100"),
        ("the same still", &[range("bytes=0-1"), ("if-range", &tag)], 206, &whole[..2], "bytes 0-1/100"),
        ("changed since", &[range("bytes=0-1"), ("if-range", "\"x\"")], 200, &whole, ""),
        ("outside", &[range("bytes=100-")], 416, b"", "bytes */100"),
        ("two parts", &[range("bytes=0-1,4-5")], 200, &whole, ""),
        ("known already", &[("if-none-match", &tag)], 304, b"", ""),
    ];
    for (what, headers, status, body, part) in rows {
        let answer = road.send("GET", &path, &token, headers, "").await;
        assert_eq!((answer.status.as_u16(), answer.header("content-range")), (*status, *part), "{what}");
        assert_eq!(answer.body, *body, "{what}");
    }
    assert_eq!(road.send("GET", &path, &other, &[], "").await.status, 404);
}

/// What is a film to one program and a page to another is served as neither.
async fn an_upload_is_never_served_as_a_page(road: Road) {
    let token = road.worker("Basic").await;
    let whole = [b"\0\0\0\x20ftypisom".as_slice(), b"<html><script>alert(1)</script></html>"].concat();
    let path = create(&road, &token, whole.len()).await;
    assert_eq!(patch(&road, &token, &path, 0, &[], &whole).await.status, 204);
    let got = road.send("GET", &path, &token, &[], "").await;
    assert_eq!(
        (got.header("content-type"), got.header("x-content-type-options")),
        ("application/octet-stream", "nosniff")
    );
    assert!(got.header("content-security-policy").contains("sandbox"), "{}", got.header("content-security-policy"));
}

async fn other_sites_are_let_in_only_by_name(road: Road) {
    let preflight = [("origin", "https://friend.example"), ("access-control-request-method", "PATCH")];
    let closed = road.send("OPTIONS", UPLOADS, "", &preflight, "").await;
    assert_eq!((closed.status.as_u16(), closed.header("access-control-allow-origin")), (204, ""));
    assert_eq!(closed.header("tus-max-size"), (8_u64 << 30).to_string());
    let road = Road::open_with(Database::Sqlite, |config| {
        config.cors_origins = vec!["https://friend.example".to_owned()];
    })
    .await;
    let token = road.worker("Basic").await;
    let open = road.send("OPTIONS", UPLOADS, "", &preflight, "").await;
    assert_eq!(open.header("access-control-allow-origin"), "https://friend.example");
    assert!(open.header("access-control-allow-methods").contains("PATCH"));
    assert!(open.header("access-control-allow-headers").contains("Upload-Offset"));
    assert_eq!(open.header("access-control-allow-credentials"), "");
    let path = create(&road, &token, 64).await;
    let told = road.send("HEAD", &path, &token, &[TUS, preflight[0]], "").await;
    assert_eq!((told.header("access-control-allow-origin"), told.header("vary")), ("https://friend.example", "Origin"));
    assert!(told.header("access-control-expose-headers").contains("Upload-Offset"));
    for (path, origin) in [(path.as_str(), "https://stranger.example"), ("/api/v1/me", "https://friend.example")] {
        let answer = road.send("GET", path, &token, &[("origin", origin)], Body::empty()).await;
        assert_eq!(answer.header("access-control-allow-origin"), "", "{path} for {origin}");
    }
}
