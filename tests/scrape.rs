//! A real Prometheus scrapes the HTTP listener: what its own parser takes is what is exposed.
//!
//! Where Prometheus (the Debian package `prometheus`) is missing the test says loudly that it was not run; with
//! `LOCKKEEPER_REQUIRE_PROMTOOL=1`, which stands for `promtool` of the same package as well, that is a failure.
#![cfg(feature = "service")]
#![expect(clippy::disallowed_methods, reason = "waits for another process, and gives up by the clock")]

use std::error::Error;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread::{current, sleep};
use std::time::{Duration, Instant};

use lockkeeper::config::Http;
use lockkeeper::engine::facts::Facts;
use lockkeeper::metrics::{Build, Metrics};
use lockkeeper::service::http::{Server, Shared};
use serde_json::Value;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Longer than it takes to start and to scrape twice, on a busy machine.
const DEADLINE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(200);
/// A port that was free may be taken before Prometheus binds it.
const STARTS: usize = 3;

/// A running Prometheus; ends when dropped.
struct Prometheus {
    child: Child,
    address: SocketAddr,
    log: PathBuf,
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Prometheus {
    /// Starts one that scrapes `target` every second, with its files in `folder`; `None` where it is not installed.
    fn start(folder: &Path, target: SocketAddr) -> Result<Option<Self>> {
        let (configuration, log) = (folder.join("prometheus.yml"), folder.join("log"));
        let scrape = format!("[{{ job_name: lockkeeper, static_configs: [{{ targets: ['{target}'] }}] }}]");
        fs::write(&configuration, format!("global: {{ scrape_interval: 1s }}\nscrape_configs: {scrape}\n"))?;
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let mut command = Command::new("prometheus");
        command
            .arg(format!("--config.file={}", configuration.display()))
            .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
            .arg(format!("--web.listen-address={address}"));
        let output = File::create(&log)?;
        let spawned = command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output).spawn();
        Ok(spawned.ok().map(|child| Self { child, address, log }))
    }

    /// The answer of its HTTP API, or `None` while there is none.
    fn get(&self, path: &str) -> Option<Value> {
        let mut stream = TcpStream::connect(self.address).ok()?;
        stream.set_read_timeout(Some(DEADLINE)).ok()?;
        stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        serde_json::from_str(answer.split_once("\r\n\r\n")?.1).ok()
    }

    /// Labels and value of the one series that a query finds.
    fn query(&self, query: &str) -> Option<(Value, String)> {
        let found = self.get(&format!("/api/v1/query?query={query}"))?;
        match found["data"]["result"].as_array()?.as_slice() {
            [one] => Some((one["metric"].clone(), one["value"][1].as_str()?.to_owned())),
            _ => None,
        }
    }

    /// Waits for a query to have a value; `None` when Prometheus has ended instead.
    fn wait_for(&mut self, query: &str, expected: &str) -> Result<Option<Value>> {
        let begin = Instant::now();
        while begin.elapsed() < DEADLINE {
            if let Some((labels, value)) = self.query(query)
                && value == expected
            {
                return Ok(Some(labels));
            }
            if self.child.try_wait()?.is_some() {
                return Ok(None);
            }
            sleep(PAUSE);
        }
        let (targets, log) = (self.get("/api/v1/targets"), fs::read_to_string(&self.log)?);
        Err(format!("{query} is not {expected}; targets: {targets:?}; log:\n{log}").into())
    }
}

/// Output of tests that pass is swallowed; this is not.
fn not_run(reason: &str) -> Result<()> {
    let required = std::env::var_os("LOCKKEEPER_REQUIRE_PROMTOOL").is_some_and(|set| set == "1");
    assert!(!required, "Prometheus is required: {reason}");
    let test = current().name().unwrap_or("a test").to_owned();
    Ok(writeln!(std::io::stderr(), "\n!!! NOT RUN: {test} needs a real Prometheus: {reason}\n")?)
}

/// A listener with a few numbers to scrape.
fn serve() -> Result<Server> {
    let metrics = Metrics::new(Build { version: env!("CARGO_PKG_VERSION"), kafka: "none" })?;
    metrics.record(&Facts { actions: [0, 0, 0, 0, 42], ..Facts::default() });
    metrics.set_lag("wallet \"events\"\\", 3, 7);
    metrics.observe_batch(100, Duration::from_micros(250));
    let http = Http {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        max_connections: 8,
        max_header: 4096,
        max_body: 1000,
        header_timeout: DEADLINE,
        request_timeout: DEADLINE,
    };
    let shared = Shared { metrics: Arc::new(metrics), health: Arc::default(), status: Arc::default() };
    Ok(Server::start(&http, shared)?)
}

#[test]
fn a_real_prometheus_scrapes_it() -> Result<()> {
    let server = serve()?;
    for _ in 0..STARTS {
        let folder = tempfile::tempdir()?;
        let Some(mut prometheus) = Prometheus::start(folder.path(), server.address())? else {
            return not_run("it is not installed; it is the Debian package `prometheus`");
        };
        let Some(build) = prometheus.wait_for("lockkeeper_build_info", "1")? else { continue };
        assert_eq!(build["version"], env!("CARGO_PKG_VERSION"));
        let lag = prometheus.wait_for("lockkeeper_consumer_lag_records", "7")?.ok_or("Prometheus has ended")?;
        assert_eq!((&lag["topic"], &lag["partition"]), (&"wallet \"events\"\\".into(), &"3".into()));
        for (query, value) in [
            ("up", "1"),
            ("lockkeeper_decisions_total%7Baction=%22lock%22%7D", "42"),
            ("lockkeeper_batch_records_count", "1"),
        ] {
            prometheus.wait_for(query, value)?.ok_or("Prometheus has ended")?;
        }
        let targets = prometheus.get("/api/v1/targets").ok_or("no targets")?;
        let target = &targets["data"]["activeTargets"][0];
        assert_eq!((&target["health"], &target["lastError"]), (&"up".into(), &"".into()));
        return Ok(());
    }
    Err("Prometheus ended each time it was started".into())
}
