//! The configuration as a whole: values, faults, overrides, and the documents that describe it.

use core::time::Duration;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::key::{ALL, Form, Key};
use super::{Config, Loaded, LogFormat, Program, Properties, PropertyFault, PropertyValue, Secret};
use super::{parse, parse_for};
use crate::engine::Emit;
use crate::ruleset::diagnostic::Diagnostic;
use crate::ruleset::render::render_human;

const MINIMAL: &str = "\
kafka: { bootstrap_servers: [b:9092], group_id: g }
topics: { input: [events] }
rules: [rules]
state: { directory: state }
";

fn secret_of(path: &Path) -> Result<Secret, String> {
    match path.to_str() {
        Some("/etc/lk/password") => Ok(Secret::new("hunter2".to_string())),
        _ => Err("this file cannot be read: there is none".to_string()),
    }
}

fn try_parse(text: &str, variables: &[(&str, &str)]) -> Result<Loaded, Vec<Diagnostic>> {
    let variables: BTreeMap<String, String> =
        variables.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    parse("lk.yaml", text, Path::new("/etc/lk"), &variables, &secret_of)
}

fn config(text: &str, variables: &[(&str, &str)]) -> Config {
    match try_parse(text, variables) {
        Ok(loaded) => loaded.config,
        Err(faults) => panic!("{}", render_human(&faults, false)),
    }
}

/// Faults as `place code: message`, each with its help where there is one.
fn faults(text: &str, variables: &[(&str, &str)]) -> Vec<String> {
    let found = match try_parse(text, variables) {
        Ok(loaded) => loaded.warnings,
        Err(faults) => faults,
    };
    let short = |fault: &Diagnostic| {
        let at = &fault.location;
        let help = fault.help.as_ref().map(|help| format!(" ({help})")).unwrap_or_default();
        format!("{}:{}:{} {}: {}{help}", at.file, at.line, at.column, fault.code, fault.message)
    };
    found.iter().map(short).collect()
}

fn check(text: &str, variables: &[(&str, &str)], expected: &[&str]) {
    assert_eq!(faults(text, variables), expected, "{text}");
}

#[test]
fn what_is_left_out_has_its_default() {
    let config = config(MINIMAL, &[]);
    assert_eq!(config.kafka.bootstrap_servers, ["b:9092"]);
    assert_eq!((config.kafka.group_id.as_str(), config.kafka.transactional_id.as_str()), ("g", "g"));
    assert_eq!(config.rules, [PathBuf::from("/etc/lk/rules")]);
    assert_eq!(config.state.directory, PathBuf::from("/etc/lk/state"));
    assert_eq!((config.state.keep, config.state.snapshot_interval), (3, Duration::from_secs(300)));
    assert_eq!(config.emit, Emit::All);
    assert!(config.http.listen.ip().is_loopback());
    assert_eq!(config.limits.commit_interval, Duration::from_millis(5));
    assert_eq!(config.limits.batch_bytes, 4 << 20);
    assert_eq!(config.topics.dead_letters_of("events"), "dlq.events");
    assert_eq!(config.topics.sources().collect::<Vec<&str>>(), ["events"]);
    assert_eq!((config.logging.level.as_str(), config.logging.format), ("info", LogFormat::Auto));
    let options = config.engine_options();
    assert_eq!((options.max_future, options.max_skew), (Some(300_000), Some(3_600_000)));
}

#[test]
fn all_faults_come_at_once_each_with_its_place() {
    let text = "\
kafka:
  bootstrap_servers: [b]
  gruop_id: g
topics:
  input: [events, no/topic]
  locks: events
rules: []
state: { directory: '', keep: 2 }
http: { listen: localhost }
limits: { commit_interval: 5, queue_bytes: 64KB, max_wait: 2h, batch_records: many }
logging: { level: loud, format: jsn }
emti: all
";
    check(
        text,
        &[],
        &[
            "lk.yaml:1:1 missing-key: `kafka.group_id` is missing (add it, or set LOCKKEEPER_KAFKA_GROUP_ID: consumer \
             group whose offsets say how far the work has come)",
            "lk.yaml:2:23 bad-value: `b` is no broker",
            "lk.yaml:3:3 unknown-key: unknown key `gruop_id` (did you mean `group_id`?)",
            "lk.yaml:5:19 bad-value: `no/topic` is no name of a topic",
            "lk.yaml:6:10 duplicate-name: the topic `events` is both `topics.input` and `topics.locks`",
            "lk.yaml:7:8 bad-value: `rules` is empty",
            "lk.yaml:8:21 bad-value: this is empty",
            "lk.yaml:8:31 bad-value: `2` is out of range",
            "lk.yaml:9:17 bad-value: `localhost` is no address with a port",
            "lk.yaml:10:28 bad-value: `5` is no duration: expected whole numbers with units ms, s, m, h, d or w, such as 90s or 1h30m",
            "lk.yaml:10:44 bad-value: `64KB` is no size",
            "lk.yaml:10:60 bad-value: `2h` is out of range",
            "lk.yaml:10:79 bad-value: `many` is no integer",
            "lk.yaml:11:19 bad-value: `loud` is no log level and no filter",
            "lk.yaml:11:33 bad-value: `jsn` is not known here (did you mean `json`?)",
            "lk.yaml:12:1 unknown-key: unknown key `emti` (did you mean `emit`?)",
        ],
    );
}

#[test]
fn an_empty_file_names_what_must_be_given() {
    let missing: Vec<&&Key> = ALL.iter().filter(|key| key.default.is_none()).collect();
    for text in ["", "# nothing\n", "kafka:\ntopics:\nstate:\n"] {
        let found = faults(text, &[]);
        assert_eq!(found.len(), missing.len(), "{found:#?}");
        for key in &missing {
            let message = format!("missing-key: `{}` is missing", key.path());
            assert!(found.iter().any(|fault| fault.contains(&message)), "{message}: {found:#?}");
        }
    }
    assert!(faults("kafka: [", &[])[0].contains("yaml-syntax"));
    assert!(faults("- a\n", &[]).iter().any(|fault| fault.contains("wrong-type")));
}

#[test]
fn a_file_is_not_needed_where_the_environment_says_all() {
    let variables = [
        ("LOCKKEEPER_KAFKA_BOOTSTRAP_SERVERS", "a:1, [::1]:2,SSL://c:3"),
        ("LOCKKEEPER_KAFKA_GROUP_ID", "g"),
        ("LOCKKEEPER_TOPICS_INPUT", "x,y"),
        ("LOCKKEEPER_RULES", "rules/wallet,more"),
        ("LOCKKEEPER_STATE_DIRECTORY", "state"),
        ("LOCKKEEPER_EMIT", ""),
    ];
    let config = config("", &variables);
    assert_eq!(config.kafka.bootstrap_servers, ["a:1", "[::1]:2", "SSL://c:3"]);
    assert_eq!(config.topics.input, ["x", "y"]);
    assert_eq!(config.rules, [PathBuf::from("rules/wallet"), PathBuf::from("more")]);
    assert_eq!(config.state.directory, PathBuf::from("state"));
}

/// A value for a key that differs from its default.
fn other_value(key: &Key) -> &'static str {
    match key.form {
        Form::Text | Form::Topic | Form::Topics | Form::Path | Form::Paths => "another",
        Form::Texts => "another:1",
        Form::Duration if key.name == "max_future" || key.range.0 >= 1000 => "17s",
        Form::Duration => "17ms",
        Form::Size if key.name == "queue_bytes" => "17MiB",
        Form::Size if key.name == "batch_bytes" => "170KiB",
        Form::Size => "17KiB",
        Form::Count => "17",
        Form::Word(words) => words[1],
        Form::Address => "127.0.0.2:17",
        Form::Filter => "warn,lockkeeper::service=debug",
        Form::Properties => "",
    }
}

#[test]
fn a_variable_overrides_each_key() {
    let before = config(MINIMAL, &[]);
    for key in ALL.iter().filter(|key| key.form != Form::Properties) {
        let variable = key.variable();
        let after = config(MINIMAL, &[(&variable, other_value(key))]);
        assert_ne!(format!("{before:?}"), format!("{after:?}"), "{variable} changes nothing");
    }
}

#[test]
fn a_wrong_variable_is_named() {
    for key in ALL {
        let wrong = match key.form {
            Form::Text | Form::Texts | Form::Path | Form::Paths | Form::Properties => continue,
            _ => "no/such,",
        };
        let variable = key.variable();
        let found = faults(MINIMAL, &[(&variable, wrong)]);
        assert!(found.iter().any(|fault| fault.starts_with(&format!("{variable}:1:"))), "{variable}: {found:?}");
    }
    check(
        MINIMAL,
        &[("LOCKKEEPER_LIMITS_COMIT_INTERVAL", "1s"), ("LOCKKEEPER_SERVICE_HOST", "10.0.0.1")],
        &["LOCKKEEPER_LIMITS_COMIT_INTERVAL:1:1 unknown-variable: the environment variable \
           `LOCKKEEPER_LIMITS_COMIT_INTERVAL` sets nothing (did you mean `LOCKKEEPER_LIMITS_COMMIT_INTERVAL`?)"],
    );
}

/// The faults of a `kafka.properties` entry.
fn check_property(entry: &str, expected: &[&str]) {
    let text = MINIMAL.replace("group_id: g }", &format!("group_id: g, properties: {{ {entry} }} }}"));
    let found = faults(&text, &[]);
    let at = text.find(entry).expect("the entry") + 1;
    let expected: Vec<String> =
        expected.iter().map(|fault| fault.replace("lk.yaml:AT ", &format!("lk.yaml:1:{at} "))).collect();
    assert_eq!(found, expected, "{entry}");
}

#[test]
fn properties_pass_through_save_those_that_would_break_promises() {
    check_property("security.protocol: SASL_SSL, fetch.wait.max.ms: 20, check: true", &[]);
    check_property("sasl.password: { file: password }", &[]);
    check_property(
        "sasl.password: hunter2",
        &["lk.yaml:AT literal-secret: `sasl.password` is a secret and may not stand in this file (write \
           `{ file: PATH }` or `{ env: NAME }`, and change the secret that stood here)"],
    );
    check_property(
        "group.id: x",
        &["lk.yaml:AT managed-property: the property `group.id` belongs to the service (set `kafka.group_id`)"],
    );
    let missing =
        |text: &str| faults(&MINIMAL.replace("group_id: g", &format!("group_id: g, properties: {text}")), &[]);
    assert!(missing("{ sasl.password: { file: gone } }")[0].contains("`/etc/lk/gone`: this file cannot be read"));
    assert!(missing("{ sasl.password: { env: GONE } }")[0].contains("the environment variable `GONE` is not set"));
    assert!(missing("{ sasl.password: { vault: x } }")[0].contains("does not say where `sasl.password` comes from"));
    assert!(missing("{ sasl.password: [hunter2] }")[0].contains("found a list"));
    assert!(missing("[a]")[0].contains("found a list where a mapping belongs"));
}

#[test]
fn secrets_come_from_files_and_variables() {
    let text = MINIMAL.replace(
        "group_id: g }",
        "group_id: g, properties: { sasl.password: { file: password }, ssl.key.password: { env: KEY }, client.id: me } }",
    );
    let variables = [("KEY", "swordfish"), ("LOCKKEEPER_KAFKA_PROPERTIES_SASL_OAUTHBEARER_CLIENT_SECRET", "sesame")];
    let config = config(&text, &variables);
    let value = |name: &str| config.kafka.properties.get(name).map(PropertyValue::expose);
    assert_eq!(value("sasl.password"), Some("hunter2"));
    assert_eq!(value("ssl.key.password"), Some("swordfish"));
    assert_eq!(value("sasl.oauthbearer.client.secret"), Some("sesame"));
    assert_eq!(value("client.id"), Some("me"));
    let shown = format!("{config} {config:?} {}", config.kafka.properties["sasl.password"]);
    for secret in ["hunter2", "swordfish", "sesame"] {
        assert!(!shown.contains(secret), "{secret} is shown");
    }
    assert!(shown.contains("[redacted]") && shown.contains("me"));
}

#[test]
fn no_message_shows_a_secret() {
    for text in [
        "kafka: { properties: { sasl.password: hunter2 } }\n",
        "kafka: { properties: { sasl.password: 'hunter2', sasl.password: hunter2 } }\n",
        "kafka: { properties: { sasl.password: [hunter2], nonsense: } }\n",
        "kafka: { sasl.password: hunter2 }\nemit: nothing\n",
        "sasl.password: &x hunter2\nkafka: { properties: { ssl.key.password: *x } }\n",
        "kafka:\n  properties:\n    sasl.password: hunter2: x\n",
        "kafka:\n  properties:\n    ssl.key.pem: |\n      hunter2\n   broken\n",
        "kafka: { properties: { sasl.password: \"hunter2\n",
        "kafka: { properties: { sasl.password: { value: hunter2 } } }\n",
        "kafka: { properties: { ssl.keystore.password: { file: [hunter2] } } }\n",
        "kafka: { properties: { ssl.keystore.password: { hunter2 } } }\n",
        "kafka: { properties: { sasl.jaas.config: 'PlainLoginModule required password=\"hunter2\";' } }\n",
        "kafka: { properties: { sasl.pasword: hunter2 } }\n",
        "kafka: { bootstrap_servers: ['joe:hunter2@b:9092'] }\n",
        "kafka: { bootstrap_server: SASL_SSL://joe:hunter2@b:9092 }\n",
        "kafka: { properties: { sasl.password: {\nvalue: hunter2\n",
    ] {
        let variables = [
            ("LOCKKEEPER_KAFKA_PROPERTIES_SASL_PASSWORD", "hunter2"),
            ("LOCKKEEPER_KAFKA_BOOTSTRAP_SERVERS", "b:1,joe:hunter2@b:2"),
            ("LOCKKEEPER_EMIT", "none"),
        ];
        for variables in [&variables[..], &[]] {
            let Err(faults) = try_parse(text, variables) else { panic!("{text} is valid") };
            let shown = format!("{}{faults:?}", render_human(&faults, false));
            assert!(!shown.contains("hunter2"), "{text}\n{shown}");
        }
    }
}

#[test]
fn credentials_and_java_s_way_of_writing_them_are_refused() {
    let found = faults(&MINIMAL.replace("b:9092", "'joe:hunter2@b:9092'"), &[]);
    assert!(found[0].starts_with("lk.yaml:1:30 literal-secret: a broker's address holds no user"), "{found:?}");
    let variable = [("LOCKKEEPER_KAFKA_BOOTSTRAP_SERVERS", "b:1,joe@b:2")];
    let found = faults(MINIMAL, &variable);
    assert!(found[0].starts_with("LOCKKEEPER_KAFKA_BOOTSTRAP_SERVERS:1:5 literal-secret: "), "{found:?}");
    let found = faults(&MINIMAL.replace("group_id: g", "group_id: g, properties: { sasl.jaas.config: x }"), &[]);
    assert!(found[0].contains("literal-secret: `sasl.jaas.config` is a secret"), "{found:?}");
}

#[test]
fn what_the_program_knows_is_asked_for() {
    let fault = |name: &str| PropertyFault { name: Some(name.to_owned()), message: format!("no {name}"), help: None };
    let each = |found: &Properties| found.keys().filter(|name| name.contains("bad")).map(|name| fault(name)).collect();
    let together = |found: &Properties| -> Vec<PropertyFault> {
        found.contains_key("odd").then(|| PropertyFault { name: None, ..fault("two") }).into_iter().collect()
    };
    let flags = ["LOCKKEEPER_FORMAT".to_owned()];
    let program = Program { flags: &flags, check_each: &each, check_together: &together };
    for (entries, variables, expected) in [
        (
            "bad.a: 1, b: 2, group.id: bad",
            &["LOCKKEEPER_KAFKA_PROPERTIES_BAD_C"][..],
            &[
                "LOCKKEEPER_KAFKA_PROPERTIES_BAD_C:1 bad-property: no bad.c",
                "lk.yaml:66 bad-property: no bad.a",
                "lk.yaml:82 managed-property: the property `group.id` belongs to the service",
            ][..],
        ),
        ("odd: 1", &[], &["lk.yaml:64 bad-property: no two"]),
        ("odd: 1, bad: 2", &[], &["lk.yaml:74 bad-property: no bad"]),
        (
            "b: 1",
            &["LOCKKEEPER_FORMAT", "LOCKKEEPER_LOGGING_FROMAT"],
            &[
                "LOCKKEEPER_LOGGING_FROMAT:1 unknown-variable: the environment variable `LOCKKEEPER_LOGGING_FROMAT` sets nothing",
            ],
        ),
    ] {
        let text = MINIMAL.replace("group_id: g }", &format!("group_id: g, properties: {{ {entries} }} }}"));
        let variables = variables.iter().map(|name| (name.to_string(), "json".to_string())).collect();
        let found = match parse_for(&program, "lk.yaml", &text, Path::new("/etc/lk"), &variables, &secret_of) {
            Ok(loaded) => loaded.warnings,
            Err(faults) => faults,
        };
        let found: Vec<String> = found
            .iter()
            .map(|fault| format!("{}:{} {}: {}", fault.location.file, fault.location.column, fault.code, fault.message))
            .collect();
        assert_eq!(found, expected, "{entries}");
    }
}

#[test]
fn dead_letters_meet_no_other_topic() {
    let with = |dead_letters: &str| {
        MINIMAL.replace("[events]", &format!("[events, dlq.events], dead_letters: {dead_letters}"))
    };
    assert!(faults(&with("'dlq.{topic}'"), &[])[0].contains("both `topics.input` and `topics.dead_letters`"));
    assert!(faults(&with("decisions"), &[])[0].contains("both `topics.decisions` and `topics.dead_letters`"));
    assert!(faults(&with("'dlq/{topic}'"), &[])[0].contains("is no name of a topic"));
    check(&with("bad-letters"), &[], &[]);
    check(&with("'{topic}.dlq'"), &[], &[]);
}

#[test]
fn max_future_stays_within_lateness() {
    let text = format!("{MINIMAL}limits: {{ max_future: 20m }}\n");
    assert!(config(&text, &[]).lateness_fault(1_200_000).is_none());
    let Some(fault) = config(&text, &[]).lateness_fault(600_000) else { panic!("accepted") };
    assert_eq!(fault.message, "`limits.max_future` is 20m, and the rule set's `lateness` is 10m");
    assert_eq!((fault.location.line, fault.location.column), (5, 23));
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_example_is_valid_and_shows_every_key_with_its_default() {
    let text = fs::read_to_string(root().join("docs/lockkeeper.example.yaml")).expect("the example");
    let example = config(&text, &[]);
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    for key in ALL {
        let start = format!("{}:", key.name);
        let line = lines.iter().find(|line| line.starts_with(&start)).copied();
        let Some(line) = line else { panic!("{} is not in the example", key.path()) };
        let written = line[start.len()..].trim();
        let default = key.default.unwrap_or_default();
        if !default.is_empty() {
            assert_eq!(written, default, "{}", key.path());
        }
    }
    // With what must be given alone, everything else is the same.
    let minimal = "kafka: { bootstrap_servers: [localhost:9092], group_id: lockkeeper, properties: { client.id: \
                   lockkeeper, compression.type: lz4 } }\ntopics: { input: [wallet-events] }\n\
                   rules: [../rules/wallet]\nstate: { directory: /var/lib/lockkeeper }\n";
    let mut bare = config(minimal, &[]);
    bare.max_future_at = example.max_future_at.clone();
    assert_eq!(example, bare);
}

/// One key of `docs/configuration.md`.
fn row(key: &Key) -> String {
    let default = match key.default {
        None => "must be given".to_string(),
        Some("") => String::new(),
        Some(default) => format!("`{default}`"),
    };
    let help = key.help.replace('|', "\\|");
    let suffix = if key.form == Form::Properties { "_<NAME>" } else { "" };
    format!("| `{}` | `{}{suffix}` | {} | {default} | {help} |", key.path(), key.variable(), key.form.describe())
}

#[test]
fn every_key_is_documented() {
    let path = root().join("docs/configuration.md");
    let text = fs::read_to_string(&path).expect("the page");
    let is_row = |line: &&str| line.starts_with("| `");
    let found: Vec<&str> = text.lines().filter(is_row).collect();
    let expected: Vec<String> = ALL.iter().map(|key| row(key)).collect();
    if std::env::var_os("BLESS").is_some() {
        let (head, tail) = text.split_once("|---|\n").expect("a table");
        let rest: String = tail.lines().skip_while(is_row).map(|line| format!("{line}\n")).collect();
        fs::write(&path, format!("{head}|---|\n{}\n{rest}", expected.join("\n"))).expect("the page");
        return;
    }
    assert_eq!(found, expected, "BLESS=1 rewrites the table");
}

proptest::proptest! {
    /// Whatever the file holds, faults come as values, and what stands under a secret's name is not in them.
    #[test]
    fn no_text_makes_it_panic(
        parts in proptest::collection::vec("kafka:|properties:|sasl.password: hunter2|rules|\\{|\\}|\\[|\\]|[a-zé: ,'\"|&*\n-]{1,6}", 0..20),
    ) {
        let text: String = parts.concat();
        if let Err(faults) = try_parse(&text, &[]) {
            proptest::prop_assert!(!faults.is_empty());
            proptest::prop_assert!(!render_human(&faults, false).is_empty());
        }
    }
}
