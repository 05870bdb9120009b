//! What `deploy/` holds works with the tools it is for, and speaks of metrics and topics that exist.
//!
//! Where a tool is missing (Debian packages `prometheus` and `systemd`) the test says loudly that it was not run; with
//! `LOCKKEEPER_REQUIRE_PROMTOOL=1` and `LOCKKEEPER_REQUIRE_SYSTEMD=1` that is a failure.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use regex::Regex;
use serde_json::Value;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn deploy() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy")
}

fn text(path: &str) -> Result<String> {
    fs::read_to_string(deploy().join(path)).map_err(|error| format!("{path}: {error}").into())
}

/// Runs a tool in `folder`; `None`, said loudly, where it is not installed.
fn tool(program: &str, arguments: &[&str], folder: &Path, required: &str) -> Result<Option<Output>> {
    match Command::new(program).args(arguments).current_dir(folder).output() {
        Ok(output) => Ok(Some(output)),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            assert!(std::env::var_os(required).is_none_or(|set| set != "1"), "{program} is required");
            writeln!(std::io::stderr(), "\n!!! NOT RUN: {program} is not installed\n")?;
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

fn must_succeed(program: &str, arguments: &[&str], folder: &Path, required: &str) -> Result<()> {
    if let Some(output) = tool(program, arguments, folder, required)? {
        let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
        assert!(output.status.success(), "{program} {arguments:?}: {said}");
    }
    Ok(())
}

/// The metrics that `docs/metrics.md` lists, which another test holds equal to what is exposed, with their types.
fn metrics() -> Result<BTreeMap<String, String>> {
    let page = fs::read_to_string(deploy().join("../docs/metrics.md"))?;
    let row = Regex::new(r"(?m)^\| `((?:lockkeeper|process)_\w+)` \| (\w+) \|")?;
    Ok(row.captures_iter(&page).map(|found| (found[1].to_owned(), found[2].to_owned())).collect())
}

/// The metrics that a query names; those of a histogram without their ends.
fn named(query: &str, known: &BTreeMap<String, String>) -> Result<BTreeSet<String>> {
    let name = Regex::new(r"\b(?:lockkeeper|process)_\w+")?;
    let names = name.find_iter(query).map(|found| {
        let ends = ["_bucket", "_count", "_sum"];
        let whole = ends
            .iter()
            .filter_map(|end| found.as_str().strip_suffix(end))
            .find(|name| known.get(*name).is_some_and(|kind| kind == "histogram"));
        whole.unwrap_or(found.as_str()).to_owned()
    });
    Ok(names.collect())
}

/// All values of a key, however deep.
fn values<'a>(value: &'a Value, key: &str, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(object) => {
            found.extend(object.get(key).and_then(Value::as_str));
            object.values().for_each(|value| values(value, key, found));
        }
        Value::Array(array) => array.iter().for_each(|value| values(value, key, found)),
        _ => {}
    }
}

fn yaml(path: &str) -> Result<Value> {
    serde_saphyr::from_str(&text(path)?).map_err(|error| format!("{path}: {error}").into())
}

fn dashboard_queries() -> Result<Vec<String>> {
    let dashboard: Value = serde_json::from_str(&text("grafana/lockkeeper.json")?)?;
    let mut queries = Vec::new();
    values(&dashboard, "expr", &mut queries);
    Ok(queries.into_iter().map(str::to_owned).collect())
}

#[test]
fn every_alert_is_tested_and_its_tests_pass() -> Result<()> {
    let (rules, tests) = (yaml("prometheus/lockkeeper.rules.yml")?, yaml("prometheus/lockkeeper.test.yml")?);
    let (mut alerts, mut tested) = (Vec::new(), Vec::new());
    values(&rules, "alert", &mut alerts);
    values(&tests, "alertname", &mut tested);
    assert!(alerts.len() >= 10, "{alerts:?}");
    for alert in alerts {
        assert!(tested.contains(&alert), "{alert} has no test");
    }
    let folder = deploy().join("prometheus");
    let required = "LOCKKEEPER_REQUIRE_PROMTOOL";
    must_succeed("promtool", &["test", "rules", "lockkeeper.test.yml"], &folder, required)?;
    must_succeed("promtool", &["check", "config", "prometheus.yml"], &folder, required)
}

#[test]
fn alerts_and_dashboard_speak_of_metrics_that_are_exposed() -> Result<()> {
    let known = metrics()?;
    let rules = yaml("prometheus/lockkeeper.rules.yml")?;
    let mut alerts = Vec::new();
    values(&rules, "expr", &mut alerts);
    let queries = dashboard_queries()?;
    assert!(queries.len() >= 40, "{} queries", queries.len());
    let mut shown = BTreeSet::new();
    for query in &queries {
        shown.extend(named(query, &known)?);
    }
    for query in alerts.into_iter().chain(queries.iter().map(String::as_str)) {
        for name in named(query, &known)? {
            assert!(known.contains_key(&name), "no metric {name}: {query}");
        }
    }
    let missing: Vec<_> = known.keys().filter(|name| name.starts_with("lockkeeper_")).collect();
    let missing: Vec<_> = missing.into_iter().filter(|name| !shown.contains(*name)).collect();
    assert!(missing.is_empty(), "not on the dashboard: {missing:?}");
    Ok(())
}

/// As recording rules, which is how promtool parses queries.
#[test]
fn prometheus_understands_every_query_of_the_dashboard() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let rules = dashboard_queries()?.into_iter().enumerate().map(|(number, query)| {
        let query = query.replace("$__rate_interval", "1m").replace("$instance", ".*");
        serde_json::json!({ "record": format!("query:{number}"), "expr": query })
    });
    let rules: Vec<Value> = rules.collect();
    let file = serde_json::json!({ "groups": [{ "name": "dashboard", "rules": rules }] });
    fs::write(folder.path().join("rules.yml"), file.to_string())?;
    must_succeed("promtool", &["check", "rules", "rules.yml"], folder.path(), "LOCKKEEPER_REQUIRE_PROMTOOL")
}

#[test]
fn systemd_accepts_the_unit() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let unit = text("systemd/lockkeeper.service")?;
    for setting in ["DynamicUser=yes", "NoNewPrivileges=yes", "ProtectSystem=strict", "RestartPreventExitStatus=78"] {
        assert!(unit.lines().any(|line| line == setting), "{setting} is missing");
    }
    // Programs are looked for, and the service's may not be installed.
    fs::write(folder.path().join("lockkeeper.service"), unit.replace("/usr/bin/lockkeeper", "/bin/true"))?;
    let required = "LOCKKEEPER_REQUIRE_SYSTEMD";
    let Some(output) = tool("systemd-analyze", &["verify", "./lockkeeper.service"], folder.path(), required)? else {
        return Ok(());
    };
    let said = String::from_utf8_lossy(&output.stderr);
    let ours: Vec<&str> = said.lines().filter(|line| line.contains("lockkeeper.service")).collect();
    assert!(output.status.success() && ours.is_empty(), "{said}");
    Ok(())
}

/// What a script calls Kafka's tool with, line by line.
fn calls(script: &str, program: &str) -> Result<Vec<String>> {
    let path = deploy().join(script);
    let environment = [(program, "echo"), ("BOOTSTRAP", "kafka:9092")];
    let output = Command::new("sh").arg(&path).envs(environment).output()?;
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?.lines().map(str::to_owned).collect())
}

fn topics_of(calls: &[String]) -> BTreeSet<String> {
    let topic = |call: &String| Some(call.split(" --topic ").nth(1)?.split(' ').next()?.to_owned());
    calls.iter().filter_map(topic).collect()
}

#[test]
fn topics_are_made_as_documented() -> Result<()> {
    let page = fs::read_to_string(deploy().join("../docs/kafka.md"))?;
    let made = calls("kafka/topics.sh", "KAFKA_TOPICS")?;
    let block = page.split("```sh topics\n").nth(1).and_then(|rest| rest.split("```").next()).ok_or("no commands")?;
    for documented in block.lines() {
        let call = documented.replace("kafka-topics.sh ", "").replace("--create ", "--create --if-not-exists ");
        assert!(made.contains(&call), "not made: {call}\nbut: {made:#?}");
    }
    let allowed = calls("kafka/acls.sh", "KAFKA_ACLS")?;
    assert_eq!(topics_of(&allowed), topics_of(&made), "rights for topics");
    Ok(())
}

#[test]
fn containers_mount_files_that_are_there() -> Result<()> {
    let compose = yaml("container/compose.yaml")?;
    let services = compose["services"].as_object().ok_or("no services")?;
    assert!(["kafka", "lockkeeper", "prometheus", "grafana"].iter().all(|name| services.contains_key(*name)));
    let mounts = services.values().filter_map(|service| service["volumes"].as_array()).flatten();
    let files = mounts.filter_map(|mount| mount.as_str()?.split(':').next()).filter(|file| file.starts_with('.'));
    let mut count = 0;
    for file in files {
        assert!(deploy().join("container").join(file).exists(), "{file} is not there");
        count += 1;
    }
    assert!(count >= 6, "{count} files are mounted");
    for service in services.values() {
        let ports = service["ports"].as_array().into_iter().flatten().filter_map(Value::as_str);
        ports.for_each(|port| assert!(port.starts_with("127.0.0.1:"), "{port} is open to everybody"));
    }
    Ok(())
}
