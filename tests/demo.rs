//! `lockkeeper demo` as a user meets it: a process that serves pages, ends as told, sums up what was decided, and leaves
//! nothing behind.
#![cfg(feature = "service")]
#![expect(clippy::disallowed_methods, reason = "waits for another process")]

use std::error::Error;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Looks, ten a second, until a run counts as stuck.
const LOOKS: u32 = 1200;
const ANY_PORT: [&str; 2] = ["--listen", "127.0.0.1:0"];

/// A running demonstration; gone with the test.
struct Demo {
    child: Child,
    folder: TempDir,
}

impl Demo {
    fn start(arguments: &[&str]) -> Result<Demo> {
        let folder = tempfile::tempdir()?;
        fs::create_dir(folder.path().join("tmp"))?;
        let file = |name: &str| File::create(folder.path().join(name));
        let child = Command::new(env!("CARGO_BIN_EXE_lockkeeper"))
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env("TMPDIR", folder.path().join("tmp"))
            .args(["demo", "--format", "json"])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(file("out")?)
            .stderr(file("talk")?)
            .spawn()?;
        Ok(Demo { child, folder })
    }

    fn text(&self, name: &str) -> Result<String> {
        Ok(fs::read_to_string(self.folder.path().join(name))?)
    }

    /// The exit code, once it has ended.
    fn wait(&mut self) -> Result<Option<i32>> {
        for _ in 0..LOOKS {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status.code());
            }
            sleep(Duration::from_millis(100));
        }
        Err(format!("it does not end:\n{}", self.text("talk")?).into())
    }

    /// Its summary, after an orderly end that left nothing behind.
    fn summary(&mut self) -> Result<Value> {
        let code = self.wait()?;
        assert_eq!(code, Some(0), "{}", self.text("talk")?);
        assert_eq!(left_in(&self.folder.path().join("tmp"))?, Vec::<PathBuf>::new());
        Ok(serde_json::from_str(&self.text("out")?)?)
    }

    /// The address of its pages.
    fn address(&self) -> Result<String> {
        let talk = self.until("the address", || {
            let talk = self.text("talk")?;
            Ok(talk.contains("/metrics").then_some(talk))
        })?;
        let (_, rest) = talk.split_once("http://").ok_or("an address")?;
        Ok(rest.split('/').next().ok_or("a path")?.to_owned())
    }

    fn get(&self, page: &str) -> Result<String> {
        let mut stream = TcpStream::connect(self.address()?)?;
        stream.write_all(format!("GET {page} HTTP/1.1\r\nHost: demo\r\nConnection: close\r\n\r\n").as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer.split_once("\r\n\r\n").ok_or("a body")?.1.to_owned())
    }

    fn until<T>(&self, what: &str, mut look: impl FnMut() -> Result<Option<T>>) -> Result<T> {
        for _ in 0..LOOKS {
            if let Some(found) = look()? {
                return Ok(found);
            }
            sleep(Duration::from_millis(100));
        }
        Err(format!("{what} did not come:\n{}", self.text("talk")?).into())
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ended = self.child.kill().and_then(|()| self.child.wait());
    }
}

fn left_in(folder: &Path) -> Result<Vec<PathBuf>> {
    fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect()
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value} is no number"))
}

/// Every figure that follows from others.
fn check(summary: &Value) {
    let decisions: u64 = summary["decisions"].as_object().into_iter().flat_map(|all| all.values()).map(number).sum();
    assert_eq!(decisions + number(&summary["rejected_total"]), number(&summary["events"]), "{summary}");
    assert_eq!(summary["rejected"], Value::Object(serde_json::Map::new()), "time goes on evenly: {summary}");
    let locks = |name: &str| number(&summary["locks"][name]);
    assert_eq!(
        locks("active") + locks("expired") + locks("unlocked") + locks("released"),
        locks("locked"),
        "{summary}"
    );
    for attack in summary["attacks"].as_array().into_iter().flatten() {
        let count = |name: &str| number(&attack[name]);
        assert_eq!(count("caught") + count("missed") + count("open"), count("planted"), "{attack}");
        assert_eq!(attack["median_events"].is_u64(), count("caught") > 0, "{attack}");
        assert!(attack["median_events"].as_u64() <= attack["most_events"].as_u64(), "{attack}");
    }
}

/// Over all kinds of attacks.
fn sum(summary: &Value, name: &str) -> u64 {
    summary["attacks"].as_array().into_iter().flatten().map(|attack| number(&attack[name])).sum()
}

#[test]
fn a_demonstration_ends_by_itself_and_its_figures_add_up() -> Result<()> {
    let mut demo = Demo::start(&["--events", "20000", "--rate", "0", ANY_PORT[0], ANY_PORT[1]])?;
    let summary = demo.summary()?;
    check(&summary);
    assert_eq!((number(&summary["events"]), &summary["interrupted"]), (20_000, &Value::Bool(false)));
    assert_eq!((sum(&summary, "planted"), sum(&summary, "open")), (12, 0), "{summary}");
    assert!(sum(&summary, "caught") >= 8, "{summary}");
    assert!(number(&summary["locks"]["locked"]) > 0 && number(&summary["locks"]["unlocked"]) > 0, "{summary}");
    assert_eq!(summary["delivery"], "at_least_once");
    assert!(demo.text("talk")?.contains("exactly-once is not claimed"), "{}", demo.text("talk")?);
    Ok(())
}

#[test]
fn an_interrupted_demonstration_sums_up_what_was_decided() -> Result<()> {
    let mut demo = Demo::start(&["--rate", "4000", ANY_PORT[0], ANY_PORT[1]])?;
    let status = demo.until("decisions", || {
        let status: Value = serde_json::from_str(&demo.get("/status.json")?)?;
        Ok(Some(status).filter(|status| number(&status["records"]) > 5000))
    })?;
    assert_eq!(status["state"], "live");
    assert!(demo.get("/metrics")?.contains("lockkeeper_locks_active"));
    assert!(demo.get("/status")?.contains("wallet-default@"));
    let interrupt = Command::new("kill").args(["-INT", &demo.child.id().to_string()]).status()?;
    assert!(interrupt.success());
    let summary = demo.summary()?;
    check(&summary);
    assert!(number(&summary["events"]) > 5000 && summary["interrupted"] == true, "{summary}");
    Ok(())
}

#[test]
fn another_port_is_taken_unless_one_was_asked_for() -> Result<()> {
    // Whoever has it already serves as well.
    let _usual = TcpListener::bind("127.0.0.1:8464");
    let mut demo = Demo::start(&["--events", "1000", "--rate", "0"])?;
    let address = demo.address()?;
    check(&demo.summary()?);
    assert!(address.starts_with("127.0.0.1:") && !address.ends_with(":8464"), "{address}");

    let taken = TcpListener::bind("127.0.0.1:0")?;
    let mut demo = Demo::start(&["--events", "1000", "--listen", &taken.local_addr()?.to_string()])?;
    assert_eq!(demo.wait()?, Some(1));
    assert!(demo.text("talk")?.contains("is something else there? Set --listen"), "{}", demo.text("talk")?);
    assert_eq!(demo.text("out")?, "");

    // An address for documentation, which no machine has.
    let mut demo = Demo::start(&["--events", "1000", "--listen", "192.0.2.1:8464"])?;
    assert_eq!(demo.wait()?, Some(1));
    let talk = demo.text("talk")?;
    assert!(talk.contains("this machine does not have that address; set --listen"), "{talk}");
    Ok(())
}

#[test]
fn rules_of_ones_own_decide() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let rules = folder.path().join("rules.yaml");
    let deny = "ruleset: { name: own, currency: CNY }\nrules: { none: { when: \"true\", action: deny } }\n";
    for (text, expected) in [(deny, 0), ("ruleset: { name: own }\n", 78)] {
        fs::write(&rules, text)?;
        let path = rules.to_str().ok_or("a path that is UTF-8")?;
        let mut demo = Demo::start(&["--events", "1000", "--rate", "0", "--rules", path, ANY_PORT[0], ANY_PORT[1]])?;
        assert_eq!(demo.wait()?, Some(expected), "{}", demo.text("talk")?);
        if expected == 0 {
            let summary = demo.summary()?;
            assert_eq!((&summary["decisions"]["deny"], sum(&summary, "caught")), (&Value::from(1000), 6), "{summary}");
            assert!(number(&summary["honest"]["events_stopped"]) > 0, "{summary}");
        }
    }
    Ok(())
}
