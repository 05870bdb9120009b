//! A running service: started, asked over HTTP, killed or told to stop; gone with the test.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::broker::wait_for;

pub struct Service {
    child: Child,
    log: PathBuf,
}

impl Service {
    pub fn start(mut command: Command, folder: &Path) -> Service {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let log = folder.join(format!("log-{}", COUNT.fetch_add(1, Ordering::Relaxed)));
        let file = File::create(&log).expect("a log");
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(file).spawn().expect("it starts");
        Service { child, log }
    }

    /// The process, for measuring what it costs.
    #[allow(dead_code, reason = "only benchmarks measure")]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).expect("a log")
    }

    /// Where it serves HTTP, once it says so.
    fn address(&self) -> String {
        wait_for("the address", || {
            let log = self.log();
            let (_, rest) = log.split_once("\"address\":\"")?;
            rest.split_once('"').map(|(address, _)| address.to_owned())
        })
    }

    /// Status and body of a page; `None` while nobody answers.
    pub fn get(&self, page: &str) -> Option<(u16, String)> {
        let mut stream = TcpStream::connect(self.address()).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
        stream.write_all(format!("GET {page} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n").as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let status = answer.split(' ').nth(1)?.parse().ok()?;
        Some((status, answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default()))
    }

    pub fn wait_until_live(&mut self) {
        wait_for("the service to be live", || {
            if let Some(status) = self.child.try_wait().expect("a child") {
                panic!("it has ended with {status}:\n{}", self.log());
            }
            self.get("/readyz").filter(|(status, _)| *status == 200)
        });
    }

    /// Waits until a page says something.
    pub fn wait_for(&self, page: &str, text: &str) -> String {
        let mut last = String::new();
        let start = std::time::Instant::now();
        while start.elapsed() < Duration::from_secs(60) {
            if let Some((_, body)) = self.get(page) {
                if body.contains(text) {
                    return body;
                }
                last = body;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("{page} never said {text:?}, but {last:?}\n{}", self.log());
    }

    /// As a crash or a machine that loses power.
    pub fn kill(&mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("waited for");
    }

    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status();
        assert!(status.expect("kill runs").success());
    }

    pub fn has_ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child")
    }

    pub fn wait(&mut self) -> ExitStatus {
        wait_for("the service to end", || self.child.try_wait().expect("a child"))
    }

    /// An orderly end.
    pub fn stop(&mut self) {
        self.signal("TERM");
        let status = self.wait();
        assert!(status.success(), "{status}:\n{}", self.log());
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may have ended long ago.
        let _ended = self.child.kill().and_then(|()| self.child.wait());
        if std::thread::panicking() {
            writeln!(std::io::stderr(), "--- the service's log\n{}", self.log()).expect("standard error");
        }
    }
}
