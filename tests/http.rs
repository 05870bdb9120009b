//! The HTTP listener over real sockets: every page and every bound.
#![cfg(feature = "service")]
#![expect(clippy::disallowed_methods, reason = "clients over sockets wait, and give up by the clock")]

use std::error::Error;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use lockkeeper::config::Http;
use lockkeeper::engine::facts::Facts;
use lockkeeper::metrics::{Build, Metrics};
use lockkeeper::model::outcome::TransitionKind;
use lockkeeper::service::health::{Health, State};
use lockkeeper::service::http::{Server, Shared};
use lockkeeper::service::report::LockNotice;
use lockkeeper::service::status::Status;
use serde_json::Value;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Longer than anything takes on a busy machine.
const DEADLINE: Duration = Duration::from_secs(60);

fn limits() -> Http {
    Http {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        max_connections: 8,
        max_header: 4096,
        max_body: 1000,
        header_timeout: Duration::from_secs(30),
        request_timeout: Duration::from_secs(30),
    }
}

fn shared() -> Result<Shared> {
    let metrics = Metrics::new(Build { version: env!("CARGO_PKG_VERSION"), kafka: "none" })?;
    Ok(Shared { metrics: Arc::new(metrics), health: Arc::default(), status: Arc::default() })
}

/// A server, and what it shows.
fn start(limits: &Http) -> Result<(Server, Shared)> {
    let shared = shared()?;
    Ok((Server::start(limits, shared.clone())?, shared))
}

fn connect(server: &Server) -> Result<TcpStream> {
    let stream = TcpStream::connect(server.address())?;
    stream.set_read_timeout(Some(DEADLINE))?;
    stream.set_write_timeout(Some(DEADLINE))?;
    Ok(stream)
}

/// Everything that comes until the other side closes; a reset is an end as well.
fn read_all(stream: &mut TcpStream) -> Result<String> {
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        Err(error) if error.kind() != ErrorKind::ConnectionReset => Err(error.into()),
        _ => Ok(String::from_utf8_lossy(&bytes).into_owned()),
    }
}

fn exchange(address: SocketAddr, request: &str) -> Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(DEADLINE))?;
    stream.write_all(request.as_bytes())?;
    read_all(&mut stream)
}

/// Status line, head and body of a page.
fn get(address: SocketAddr, path: &str, headers: &str) -> Result<(String, String, String)> {
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n");
    let response = exchange(address, &request)?;
    let (head, body) = response.split_once("\r\n\r\n").ok_or_else(|| format!("no response: {response}"))?;
    let (status, head) = head.split_once("\r\n").ok_or("no headers")?;
    Ok((status.to_string(), head.to_string(), body.to_string()))
}

/// The first line and the text of a page.
fn check(server: &Server, path: &str, status: &str, parts: &[&str]) -> Result<()> {
    let (found, head, body) = get(server.address(), path, "")?;
    assert_eq!(found, format!("HTTP/1.1 {status}"), "{path}");
    let all = format!("{head}\n{body}");
    for part in parts {
        assert!(all.contains(part), "{path}: {part} is not in\n{all}");
    }
    Ok(())
}

#[test]
fn every_page_answers() -> Result<()> {
    let (server, shared) = start(&limits())?;
    check(&server, "/livez", "200 OK", &["live\n"])?;
    check(
        &server,
        "/metrics",
        "200 OK",
        &["content-type: text/plain; version=0.0.4; charset=utf-8\r\n", "# TYPE lockkeeper_build_info gauge\n"],
    )?;
    let target = vec![("account".to_string(), "<i>a1</i>".to_string())];
    shared.status.push_lock(LockNotice::new(TransitionKind::Locked, "guess", target, 0, Some(1)));
    check(
        &server,
        "/status",
        "200 OK",
        &["content-type: text/html; charset=utf-8", "&lt;i&gt;a1&lt;/i&gt;", "nosniff"],
    )?;
    check(&server, "/status.json", "200 OK", &["content-type: application/json", "\"state\":\"starting\""])?;
    check(&server, "/", "307 Temporary Redirect", &["location: /status"])?;
    check(&server, "/metricz", "404 Not Found", &["there is nothing at /metricz; there are /status,"])?;
    let (_, _, body) = get(server.address(), "/status", "Accept: application/json\r\n")?;
    let json: Value = serde_json::from_str(&body)?;
    assert_eq!(json["recent_locks"][0]["target"]["account"], "<i>a1</i>");
    let browser = "Accept: text/html,application/xhtml+xml,application/json;q=0.9,*/*;q=0.8\r\n";
    assert!(get(server.address(), "/status", browser)?.2.starts_with("<!doctype html>"));
    let post = exchange(server.address(), "POST /status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")?;
    assert!(post.starts_with("HTTP/1.1 405") && post.contains("POST is not possible here"), "{post}");
    let head = exchange(server.address(), "HEAD /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")?;
    assert!(head.starts_with("HTTP/1.1 200") && head.ends_with("\r\n\r\n"), "{head}");
    Ok(())
}

#[test]
fn readiness_has_its_reason() -> Result<()> {
    let (server, shared) = start(&limits())?;
    let refused = "503 Service Unavailable";
    check(&server, "/readyz", refused, &["not ready: starting: "])?;
    shared.health.set(State::Recovering { done: 25, total: 100 });
    check(&server, "/readyz", refused, &["not ready: recovering: 25 of 100 records replayed (25 %)\n"])?;
    shared.health.set(State::Live);
    check(&server, "/readyz", "200 OK", &["ready\n"])?;
    shared.health.set(State::Stalled { why: "no broker answers".to_string() });
    check(&server, "/readyz", refused, &["not ready: stalled: no broker answers\n"])?;
    shared.health.set(State::Stopping);
    check(&server, "/readyz", refused, &["not ready: stopping\n"])?;
    check(&server, "/livez", "200 OK", &["live\n"])
}

#[test]
fn what_is_recorded_is_shown() -> Result<()> {
    let (server, shared) = start(&limits())?;
    let facts = Facts { records: 7, events: 7, actions: [6, 0, 0, 0, 1], ..Facts::default() };
    shared.metrics.record(&facts);
    shared.status.record(&facts);
    shared.status.set_lag("events", 2, 31);
    check(&server, "/metrics", "200 OK", &["lockkeeper_decisions_total{action=\"lock\"} 1\n"])?;
    let json: Value = serde_json::from_str(&get(server.address(), "/status.json", "")?.2)?;
    assert_eq!((&json["records"], &json["decisions"]["lock"]), (&Value::from(7), &Value::from(1)));
    assert_eq!(json["partitions"][0], serde_json::json!({ "topic": "events", "partition": 2, "lag": 31 }));
    Ok(())
}

#[test]
fn a_client_that_drips_its_header_is_cut() -> Result<()> {
    let (server, _shared) = start(&Http { header_timeout: Duration::from_millis(400), ..limits() })?;
    let mut stream = connect(&server)?;
    let begin = Instant::now();
    let drip = "GET /livez HTTP/1.1\r\nHost: x\r\nX-Slow: ".bytes().chain(std::iter::repeat(b'a'));
    let cut = drip.into_iter().any(|byte| {
        sleep(Duration::from_millis(20));
        stream.write_all(&[byte]).is_err() || begin.elapsed() > DEADLINE
    });
    assert!(cut && begin.elapsed() < DEADLINE / 2, "still open after {:?}", begin.elapsed());
    assert!(begin.elapsed() >= Duration::from_millis(300));
    check(&server, "/livez", "200 OK", &["live"])
}

#[test]
fn a_connection_without_a_request_is_cut() -> Result<()> {
    let (server, _shared) = start(&Http { header_timeout: Duration::from_millis(300), ..limits() })?;
    let begin = Instant::now();
    assert_eq!(read_all(&mut connect(&server)?)?, "");
    // As is one that stays open after its first request.
    let mut stream = connect(&server)?;
    stream.write_all(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")?;
    assert!(read_all(&mut stream)?.ends_with("live\n"));
    assert!(begin.elapsed() < DEADLINE / 2);
    Ok(())
}

#[test]
fn oversized_requests_are_refused() -> Result<()> {
    let (server, _shared) = start(&limits())?;
    for (header, expected) in [
        (format!("X-Large: {}\r\n", "a".repeat(5000)), "HTTP/1.1 431"),
        ("X-Many: a\r\n".repeat(200), "HTTP/1.1 431"),
        ("Content-Length: 1001\r\n".to_string(), "HTTP/1.1 413"),
        ("Content-Length: -1\r\n".to_string(), "HTTP/1.1 400"),
        (String::new(), "HTTP/1.1 200"),
    ] {
        let request = format!("GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{header}\r\n");
        let response = exchange(server.address(), &request)?;
        assert!(response.starts_with(expected), "{expected}: {response}");
    }
    let long = exchange(server.address(), &format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(6000)))?;
    assert!(long.starts_with("HTTP/1.1 4"), "{long}");
    let garbage = exchange(server.address(), "\u{16}\u{3}\u{1} no HTTP at all\r\n\r\n")?;
    assert!(garbage.starts_with("HTTP/1.1 400"), "{garbage}");
    Ok(())
}

/// Waits until the page answers.
fn wait_for(server: &Server, path: &str) -> Result<()> {
    let begin = Instant::now();
    while get(server.address(), path, "").is_err() {
        assert!(begin.elapsed() < DEADLINE, "{path} never answers");
        sleep(Duration::from_millis(20));
    }
    Ok(())
}

#[test]
fn connections_beyond_the_limit_are_closed() -> Result<()> {
    let (server, _shared) = start(&Http { max_connections: 3, ..limits() })?;
    let mut held = Vec::new();
    for _ in 0..3 {
        let mut stream = connect(&server)?;
        stream.write_all(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")?;
        // Once it has answered it is known to count.
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        held.push(stream);
    }
    let mut beyond = connect(&server)?;
    let _ = beyond.write_all(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(read_all(&mut beyond)?, "");
    held.pop();
    wait_for(&server, "/livez")
}

#[test]
fn a_client_that_takes_nothing_is_cut() -> Result<()> {
    let (server, shared) =
        start(&Http { max_connections: 1, request_timeout: Duration::from_millis(300), ..limits() })?;
    // More than the buffers of both sides hold.
    for partition in 0..150_000 {
        shared.metrics.set_lag("a-topic-with-a-rather-long-name-so-that-there-is-much-to-send", partition, 1);
    }
    let mut stream = connect(&server)?;
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")?;
    let mut byte = [0];
    stream.read_exact(&mut byte)?;
    // Its place is free again although it is still there.
    wait_for(&server, "/livez")?;
    drop(stream);
    Ok(())
}

#[test]
fn it_stops_at_once_when_told() -> Result<()> {
    let (server, _shared) = start(&limits())?;
    let mut idle = connect(&server)?;
    let mut half = connect(&server)?;
    half.write_all(b"GET /livez HTTP/1.1\r\nHos")?;
    check(&server, "/livez", "200 OK", &["live"])?;
    let (address, begin) = (server.address(), Instant::now());
    server.stop();
    assert!(begin.elapsed() < Duration::from_secs(20), "{:?}", begin.elapsed());
    assert!(TcpStream::connect(address).is_err());
    assert_eq!(read_all(&mut idle)?, "");
    Ok(())
}

#[test]
fn an_address_in_use_is_an_error() -> Result<()> {
    let (server, _shared) = start(&limits())?;
    let second = Server::start(&Http { listen: server.address(), ..limits() }, shared()?);
    assert_eq!(second.err().map(|error| error.kind()), Some(ErrorKind::AddrInUse));
    Ok(())
}

#[test]
fn a_shared_state_is_all_a_loop_needs() -> Result<()> {
    // What the loop holds can be sent to its threads and is read while it is written.
    let (server, shared) = start(&limits())?;
    let (metrics, health, status): (Arc<Metrics>, Arc<Health>, Arc<Status>) =
        (shared.metrics.clone(), shared.health.clone(), shared.status.clone());
    let writer = std::thread::spawn(move || {
        for index in 0..2000 {
            metrics.observe_batch(index, Duration::from_micros(5));
            status.record(&Facts { records: 1, ..Facts::default() });
        }
        health.set(State::Live);
    });
    while !shared.health.state().is_ready() {
        check(&server, "/status", "200 OK", &["lockkeeper"])?;
    }
    writer.join().map_err(|_| "the writer panicked")?;
    check(&server, "/metrics", "200 OK", &["lockkeeper_batch_records_count 2000\n"])
}
