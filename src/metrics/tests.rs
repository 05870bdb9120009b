//! The metrics against their list, their document, and Prometheus' own checker.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Write, stderr};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use std::{env, fs};

use super::list::{Kind, LABELS, LIST, PROCESS, Spec};
use super::{Build, Metrics, TransactionFailure};
use crate::engine::facts::Facts;
use crate::model::batch::RejectCode;
use crate::model::outcome::TransitionKind;
use crate::ruleset::load::{SourceFile, load};
use crate::ruleset::types::RuleSet;

const RULES: &str = "\
ruleset: { name: t, currency: CNY }
types: [visit]
rules:
  guess:
    on: type == 'login'
    when: outcome == 'failure'
    action: lock
    lock: { target: account, for: 30m, unlock: [operator] }
  seen: { when: type == 'visit', score: 10, mode: shadow }
";

fn rules(text: &str) -> RuleSet {
    let file = SourceFile { path: "t.yaml".to_string(), text: text.to_string() };
    match load(&[file], &|_, _| Err("no lists".to_string())) {
        Ok(loaded) => loaded.rules,
        Err(faults) => panic!("{faults:?}"),
    }
}

fn new() -> Metrics {
    let metrics = Metrics::new(Build { version: "0.1.0", kafka: "2.12.1" }).expect("a list without contradictions");
    metrics.set_rules(&rules(RULES));
    metrics
}

/// Metrics in which every family has a series.
fn filled() -> Metrics {
    let metrics = new();
    metrics.count_events(Some("login"), None, 3);
    metrics.count_events(Some("visit"), Some(RejectCode::Late), 1);
    metrics.count_events(Some("nonsense"), None, 1);
    metrics.count_events(None, Some(RejectCode::Malformed), 2);
    metrics.record(&Facts {
        actions: [2, 0, 0, 0, 1],
        hits: vec![1, 0],
        undecided: vec![0, 1],
        rejected: BTreeMap::from([(RejectCode::Late, 1), (RejectCode::Malformed, 2)]),
        evicted: 4,
        without_rate: 5,
        ..Facts::default()
    });
    for (kind, _) in TransitionKind::ALL {
        metrics.transition(kind, "guess", true);
    }
    metrics.set_locks_active("guess", 7);
    metrics.set_lag("events", 0, 12);
    metrics.set_watermark("events", 0, 1_000);
    metrics.polled();
    metrics.accounts_in_two_partitions(1);
    metrics.set_producer_clock("events", true);
    metrics.observe_latencies([0.004, -1.0, 20.0]);
    metrics.observe_batch(100, Duration::from_micros(70));
    metrics.transaction_committed(Duration::from_millis(3));
    metrics.transaction_failed(TransactionFailure::Fenced);
    metrics.set_state("account", 1 << 20, 1000);
    metrics.snapshot_written(4096, Duration::from_millis(80));
    metrics.set_recovery(1, 4);
    metrics.reloaded(true);
    metrics
}

fn check(text: &str, lines: &[&str]) {
    for line in lines {
        assert!(text.lines().any(|found| found == *line), "{line} is not in\n{text}");
    }
}

#[test]
fn what_happened_is_shown() {
    check(
        &filled().render(),
        &[
            r#"lockkeeper_events_total{intake="accepted",type="login"} 3"#,
            r#"lockkeeper_events_total{intake="late",type="visit"} 1"#,
            r#"lockkeeper_events_total{intake="accepted",type="other"} 1"#,
            r#"lockkeeper_events_total{intake="malformed",type="unknown"} 2"#,
            r#"lockkeeper_rejected_total{code="malformed"} 2"#,
            r#"lockkeeper_rejected_total{code="conflict"} 0"#,
            r#"lockkeeper_decisions_total{action="allow"} 2"#,
            r#"lockkeeper_decisions_total{action="deny"} 0"#,
            r#"lockkeeper_decisions_total{action="lock"} 1"#,
            r#"lockkeeper_rule_hits_total{mode="enforce",rule="guess"} 1"#,
            r#"lockkeeper_rule_hits_total{mode="shadow",rule="seen"} 0"#,
            r#"lockkeeper_rule_undecided_total{rule="seen"} 1"#,
            r#"lockkeeper_locks_set_total{rule="guess"} 1"#,
            r#"lockkeeper_locks_extended_total{rule="guess"} 1"#,
            r#"lockkeeper_locks_ended_total{cause="expired",rule="guess"} 1"#,
            r#"lockkeeper_locks_ended_total{cause="unlocked",rule="guess"} 1"#,
            r#"lockkeeper_locks_ended_total{cause="released",rule="guess"} 1"#,
            r#"lockkeeper_unlocks_refused_total{rule="guess"} 1"#,
            r#"lockkeeper_locks_known_device_total{rule="guess"} 1"#,
            r#"lockkeeper_locks_active{rule="guess"} 7"#,
            r#"lockkeeper_amounts_without_rate_total 5"#,
            r#"lockkeeper_evictions_total 4"#,
            r#"lockkeeper_consumer_lag_records{partition="0",topic="events"} 12"#,
            r#"lockkeeper_end_to_end_latency_seconds_bucket{le="0.001"} 1"#,
            r#"lockkeeper_end_to_end_latency_seconds_bucket{le="0.005"} 2"#,
            r#"lockkeeper_end_to_end_latency_seconds_count 3"#,
            r#"lockkeeper_batch_records_sum 100"#,
            r#"lockkeeper_transaction_failures_total{kind="fenced"} 1"#,
            r#"lockkeeper_state_bytes{dimension="account"} 1048576"#,
            r#"lockkeeper_snapshot_bytes 4096"#,
            r#"lockkeeper_recovery_progress_ratio 0.25"#,
            r#"lockkeeper_topic_producer_clock{topic="events"} 1"#,
            r#"lockkeeper_rule_set_last_reload_successful 1"#,
        ],
    );
}

/// The value of the only series of a metric.
fn value(text: &str, series: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    let line = line.unwrap_or_else(|| panic!("{series} is not in\n{text}"));
    line.parse().expect("a number")
}

#[test]
fn ages_are_those_of_the_moment() {
    let metrics = new();
    let text = metrics.render();
    for absent in ["lockkeeper_snapshot_age_seconds", "lockkeeper_consumer_poll_age_seconds"] {
        assert!(!text.contains(absent), "{absent} is shown before there is one");
    }
    let now = super::wall_clock_ms();
    metrics.set_snapshot(now - 60_000, 10);
    metrics.set_watermark("events", 3, now - 5_000);
    metrics.set_watermark("events", 3, now - 4_000);
    metrics.polled();
    let text = metrics.render();
    assert!((60.0..70.0).contains(&value(&text, "lockkeeper_snapshot_age_seconds")));
    let delay = value(&text, r#"lockkeeper_watermark_delay_seconds{partition="3",topic="events"}"#);
    assert!((4.0..14.0).contains(&delay), "{delay}");
    assert!((0.0..10.0).contains(&value(&text, "lockkeeper_consumer_poll_age_seconds")));
    metrics.forget_partition("events", 3);
    assert!(!metrics.render().contains(r#"partition="3""#));
}

#[test]
fn after_a_reload_the_series_are_those_of_the_new_rules() {
    let metrics = new();
    metrics.record(&Facts { hits: vec![1, 1], ..Facts::default() });
    metrics.transition(TransitionKind::Locked, "guess", false);
    let changed = "ruleset: { name: t, currency: CNY }\nrules:\n  seen: { when: type == 'login', score: 10 }\n";
    metrics.set_rules(&rules(changed));
    metrics.record(&Facts { hits: vec![5], ..Facts::default() });
    let text = metrics.render();
    check(
        &text,
        &[r#"lockkeeper_rule_hits_total{mode="enforce",rule="seen"} 5"#, r#"lockkeeper_locks_active{rule="guess"} 1"#],
    );
    assert!(!text.contains(r#"lockkeeper_rule_hits_total{mode="enforce",rule="guess"}"#));
    assert!(!text.contains(r#"lockkeeper_rule_hits_total{mode="shadow",rule="seen"}"#));
    assert_eq!(text.matches("lockkeeper_rule_set_info{").count(), 1);
    // Types are those of the new rule set as well.
    metrics.count_events(Some("visit"), None, 1);
    check(&metrics.render(), &[r#"lockkeeper_events_total{intake="accepted",type="other"} 1"#]);
}

/// Each family as `name type`.
fn exposed(text: &str) -> BTreeSet<String> {
    text.lines().filter_map(|line| line.strip_prefix("# TYPE ")).map(str::to_string).collect()
}

fn all() -> impl Iterator<Item = &'static Spec> {
    let process: &[Spec] = if cfg!(target_os = "linux") { &PROCESS } else { &[] };
    LIST.iter().chain(process)
}

#[test]
fn the_list_is_what_is_exposed() {
    let text = filled().render();
    let expected: BTreeSet<String> = all().map(|spec| format!("{} {}", spec.name, spec.kind.name())).collect();
    assert_eq!(exposed(&text), expected);
    for spec in all() {
        assert!(text.contains(&format!("# HELP {} {}\n", spec.name, spec.help)), "help of {}", spec.name);
    }
}

#[test]
fn names_follow_the_conventions() {
    for spec in LIST {
        let name = spec.name;
        assert!(name.starts_with("lockkeeper_"), "{name}");
        assert_eq!(name.ends_with("_total"), spec.kind == Kind::Counter, "{name}");
        assert!(spec.help.ends_with('.') && spec.help.len() > 10, "{name}");
        if matches!(spec.unit, "seconds" | "bytes" | "ratio") {
            assert!(name.trim_end_matches("_total").ends_with(spec.unit), "{name} does not end with its unit");
        }
        for label in spec.labels {
            assert!(LABELS.iter().any(|(known, _)| known == label), "{name}: {label}");
        }
        if let Kind::Histogram(buckets) = spec.kind {
            assert!(buckets.is_sorted() && buckets.len() < 30, "{name}");
        }
    }
    for (label, _) in LABELS {
        assert!(LIST.iter().any(|spec| spec.labels.contains(&label)), "{label} is not used");
    }
    assert!(LABELS.is_sorted());
}

#[test]
fn no_label_takes_what_stands_in_events() {
    let metrics = filled();
    for index in 0..1000 {
        metrics.count_events(Some(&format!("type_{index}")), None, 1);
    }
    let text = metrics.render();
    assert!(text.contains(r#"type="other"} 1001"#));
    assert!(text.lines().filter(|line| line.starts_with("lockkeeper_events_total")).count() < 10);
}

/// The table of `docs/metrics.md`.
fn rows() -> Vec<String> {
    let labels = |spec: &Spec| spec.labels.iter().map(|label| format!("`{label}`")).collect::<Vec<String>>().join(", ");
    let row = |spec: &'static Spec| {
        format!("| `{}` | {} | {} | {} | {} |", spec.name, spec.kind.name(), spec.unit, labels(spec), spec.help)
    };
    let meaning = |(label, values): &(&str, &str)| format!("| `{label}` | {values} |");
    LIST.iter().chain(&PROCESS).map(row).chain(LABELS.iter().map(meaning)).collect()
}

#[test]
fn the_document_lists_what_is_exposed() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/metrics.md");
    let text = fs::read_to_string(&path).expect("the page");
    let found: Vec<&str> = text.lines().filter(|line| line.starts_with("| `")).collect();
    let expected = rows();
    if env::var_os("BLESS").is_some() {
        let mut tables = [
            &expected[..LIST.len()],
            &expected[LIST.len()..LIST.len() + PROCESS.len()],
            &expected[LIST.len() + PROCESS.len()..],
        ]
        .into_iter();
        let mut blessed = String::new();
        for line in text.lines().filter(|line| !line.starts_with("| `")) {
            blessed.push_str(&format!("{line}\n"));
            if line.starts_with("|---") {
                tables.next().into_iter().flatten().for_each(|row| blessed.push_str(&format!("{row}\n")));
            }
        }
        fs::write(&path, blessed).expect("the page");
        return;
    }
    assert_eq!(found, expected, "BLESS=1 rewrites the tables");
}

fn page() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/metrics.md")).expect("the page")
}

#[test]
fn the_document_names_no_other_metric() {
    let is_part = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let text = page();
    for word in text.split(|character| !is_part(character)).filter(|word| word.starts_with("lockkeeper_")) {
        let family = ["_bucket", "_count", "_sum"].iter().find_map(|suffix| word.strip_suffix(suffix)).unwrap_or(word);
        assert!(LIST.iter().any(|spec| spec.name == family || spec.name == word), "{word} is no metric");
    }
}

/// What promtool says to a text on its stdin, and whether it is content; `None` where there is no promtool.
fn promtool(arguments: &[&str], text: &str) -> Option<(String, bool)> {
    let mut command = Command::new("promtool");
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let Ok(mut child) = command.spawn() else {
        let required = env::var_os("LOCKKEEPER_REQUIRE_PROMTOOL").is_some_and(|set| set == "1");
        assert!(!required, "promtool is not installed");
        // Output of tests that pass is swallowed; this is not.
        let message = "!!! NOT RUN: promtool is not installed; the Debian package `prometheus` holds it";
        writeln!(stderr(), "\n{message}\n").expect("standard error");
        return None;
    };
    child.stdin.take().expect("a pipe").write_all(text.as_bytes()).expect("promtool reads");
    let output = child.wait_with_output().expect("promtool ends");
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    Some((said, output.status.success()))
}

#[test]
fn promtool_finds_nothing_to_say() {
    let Some((said, is_content)) = promtool(&["check", "metrics"], &filled().render()) else { return };
    assert!(is_content && said.is_empty(), "{said}");
}
