//! Section by section: keys -> typed values. Every key is read whatever the others' faults, so that all come out.

use std::collections::BTreeMap;
use std::path::Path;

use super::key;
use super::properties::read_properties;
use super::secret::masked;
use super::settings::Settings;
use super::{Config, Http, Kafka, Limits, Loaded, LogFormat, Logging, Program, ReadSecret, State, Topics};
use crate::engine::Emit;
use crate::ruleset::diagnostic::{Diagnostic, Faults, Place};
use crate::ruleset::read::shorten;
use crate::ruleset::yaml;

/// What stands for the source topic in the name of the dead-letter topic.
pub const TOPIC_PLACEHOLDER: &str = "{topic}";
/// Longest name of a topic.
const MAX_TOPIC: usize = 249;

/// Reads a configuration. `directory` is the file's, for relative paths in it.
///
/// # Errors
/// All faults, sorted by place; warnings are among them.
pub fn parse(
    path: &str,
    text: &str,
    directory: &Path,
    variables: &BTreeMap<String, String>,
    read_secret: ReadSecret,
) -> Result<Loaded, Vec<Diagnostic>> {
    parse_for(&Program::default(), path, text, directory, variables, read_secret)
}

/// Reads a configuration as [`parse`] does, for a program that knows its flags and its Kafka client.
///
/// # Errors
/// As [`parse`].
pub fn parse_for(
    program: &Program,
    path: &str,
    text: &str,
    directory: &Path,
    variables: &BTreeMap<String, String>,
    read_secret: ReadSecret,
) -> Result<Loaded, Vec<Diagnostic>> {
    let mut scratch = Faults::default();
    let scratch_source = scratch.add_source(path, text);
    let tree = yaml::parse(scratch_source, text, &mut scratch);
    let is_broken = tree.is_none() && scratch.any_error();
    let mut faults = Faults::default();
    let source = faults.add_source(path, &masked(text, tree.as_ref(), scratch.any_error()));
    let tree = yaml::parse(source, text, &mut faults);
    if is_broken {
        // What the environment sets could be checked, but most keys would be reported missing that are not.
        return Err(faults.into_diagnostics());
    }
    let mut settings = Settings::new(faults, source, tree.as_ref(), directory, variables);
    settings.warn_of_near_variables(program.flags);
    let config = read_config(&mut settings, read_secret, program);
    let failed = settings.faults.any_error();
    let findings = settings.faults.into_diagnostics();
    match config {
        Some(config) if !failed => Ok(Loaded { config, warnings: findings }),
        _ => Err(findings),
    }
}

fn read_config(settings: &mut Settings, read_secret: ReadSecret, program: &Program) -> Option<Config> {
    let kafka = read_kafka(settings, read_secret, program);
    let topics = read_topics(settings);
    let rules = settings.paths(&key::RULES);
    let emit = settings.word(&key::EMIT, &[("all", Emit::All), ("flagged", Emit::Flagged)]);
    let state = read_state(settings);
    let http = read_http(settings);
    let limits = read_limits(settings);
    let logging = read_logging(settings);
    let (limits, max_future_at) = limits?;
    Some(Config {
        kafka: kafka?,
        topics: topics?,
        rules: rules?,
        emit: emit?,
        state: state?,
        http: http?,
        limits,
        logging: logging?,
        max_future_at: settings.faults.location(&max_future_at),
    })
}

fn read_kafka(settings: &mut Settings, read_secret: ReadSecret, program: &Program) -> Option<Kafka> {
    let servers = settings.texts(&key::BOOTSTRAP_SERVERS);
    for (server, place) in servers.iter().flatten() {
        check_server(&mut settings.faults, server, place);
    }
    let group = settings.text(&key::GROUP_ID);
    let transactional = settings.text(&key::TRANSACTIONAL_ID);
    let properties = read_properties(settings, read_secret, program);
    let group_id = group?.0;
    let transactional_id = Some(transactional?.0).filter(|id| !id.is_empty()).unwrap_or_else(|| group_id.clone());
    let bootstrap_servers = servers?.into_iter().map(|(server, _)| server).collect();
    Some(Kafka { bootstrap_servers, group_id, transactional_id, properties })
}

/// What is no broker's address is a fault, and what may be a password in it is not repeated.
fn check_server(faults: &mut Faults, server: &str, place: &Place) {
    let expected = "`host:port`, such as `kafka-1:9092`";
    if server.contains('@') {
        let help = "set `sasl.username` and `sasl.password` under `kafka.properties`, the password as `{ file: PATH }` \
                    or `{ env: NAME }`, and change the one that stood here";
        let fault = faults.error("literal-secret", place, "a broker's address holds no user and no password");
        fault.expected(expected).help(help.to_string());
    } else if !is_server(server) {
        faults.error("bad-value", place, format!("`{}` is no broker", shorten(server))).expected(expected);
    }
}

/// `host:port`, with a protocol in front at most.
fn is_server(text: &str) -> bool {
    let address = text.split_once("://").map_or(text, |(_, rest)| rest);
    let Some((host, port)) = address.rsplit_once(':') else { return false };
    let is_plain = |host: &str| !host.contains([':', '/', ' ', '@']) || (host.starts_with('[') && host.ends_with(']'));
    !host.is_empty() && is_plain(host) && port.parse::<u16>().is_ok_and(|port| port > 0)
}

/// A name with the key that gave it.
type NamedTopic = (String, Place, &'static key::Key);

fn read_topics(settings: &mut Settings) -> Option<Topics> {
    let mut many = |key: &'static key::Key| {
        let names = settings.texts(key)?;
        Some(names.into_iter().map(|(name, place)| (name, place, key)).collect::<Vec<NamedTopic>>())
    };
    let (input, control) = (many(&key::INPUT), many(&key::CONTROL));
    let mut one = |key: &'static key::Key| settings.text(key).map(|(name, place)| (name, place, key));
    let outputs = [&key::DECISIONS, &key::LOCK_EVENTS, &key::LOCKS, &key::JOURNAL].map(&mut one);
    let dead_letters = one(&key::DEAD_LETTERS);
    let sources: Vec<NamedTopic> = input.iter().chain(&control).flatten().cloned().collect();
    let plain: Vec<NamedTopic> = sources.iter().chain(outputs.iter().flatten()).cloned().collect();
    let derived = dead_letters.as_ref().map(|pattern| dead_letter_topics(pattern, &sources)).unwrap_or_default();
    let pattern =
        dead_letters.iter().map(|(name, place, key)| (name.replace(TOPIC_PLACEHOLDER, "t"), place.clone(), *key));
    check_names(&mut settings.faults, plain.iter().cloned().chain(pattern));
    check_distinct(&mut settings.faults, plain.iter().chain(&derived));
    let names = |topics: Vec<NamedTopic>| topics.into_iter().map(|(name, ..)| name).collect();
    let [decisions, lock_events, locks, journal] = outputs;
    Some(Topics {
        input: names(input?),
        control: names(control?),
        decisions: decisions?.0,
        lock_events: lock_events?.0,
        locks: locks?.0,
        dead_letters: dead_letters?.0,
        journal: journal?.0,
    })
}

/// The dead-letter topics of all sources.
fn dead_letter_topics(pattern: &NamedTopic, sources: &[NamedTopic]) -> Vec<NamedTopic> {
    let (name, place, key) = pattern;
    let mut names: Vec<String> = sources.iter().map(|(topic, ..)| name.replace(TOPIC_PLACEHOLDER, topic)).collect();
    names.sort();
    names.dedup();
    names.into_iter().map(|name| (name, place.clone(), *key)).collect()
}

/// Each name must be one that Kafka takes.
fn check_names(faults: &mut Faults, topics: impl Iterator<Item = NamedTopic>) {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    let is_valid =
        |name: &str| (1..=MAX_TOPIC).contains(&name.len()) && name.bytes().all(is_part) && !matches!(name, "." | "..");
    for (name, place, _) in topics.filter(|(name, ..)| !is_valid(name)) {
        let message = format!("`{}` is no name of a topic", shorten(&name));
        let finding = faults.error("bad-value", &place, message);
        finding.expected(format!("up to {MAX_TOPIC} of a-z, A-Z, 0-9, `.`, `_` and `-`"));
    }
}

/// Each name must stand for one thing only.
fn check_distinct<'a>(faults: &mut Faults, topics: impl Iterator<Item = &'a NamedTopic>) {
    let mut seen: BTreeMap<&str, (&Place, &key::Key)> = BTreeMap::new();
    for (name, place, key) in topics {
        if let Some((first, other)) = seen.get(name.as_str()) {
            let message = format!("the topic `{}` is both `{}` and `{}`", shorten(name), other.path(), key.path());
            faults.error("duplicate-name", place, message).other(first, "first here");
        } else {
            seen.insert(name, (place, key));
        }
    }
}

fn read_state(settings: &mut Settings) -> Option<State> {
    let directory = settings.path(&key::DIRECTORY);
    let snapshot_interval = settings.duration(&key::SNAPSHOT_INTERVAL);
    let keep = settings.count(&key::KEEP);
    Some(State { directory: directory?, snapshot_interval: snapshot_interval?.0, keep: keep? })
}

fn read_http(settings: &mut Settings) -> Option<Http> {
    let listen = settings.address(&key::LISTEN);
    let max_connections = settings.count(&key::MAX_CONNECTIONS);
    let max_header = settings.size(&key::MAX_HEADER);
    let max_body = settings.size(&key::MAX_BODY);
    let header_timeout = settings.duration(&key::HEADER_TIMEOUT);
    let request_timeout = settings.duration(&key::REQUEST_TIMEOUT);
    Some(Http {
        listen: listen?,
        max_connections: max_connections?,
        max_header: max_header?.0,
        max_body: max_body?.0,
        header_timeout: header_timeout?.0,
        request_timeout: request_timeout?.0,
    })
}

fn read_limits(settings: &mut Settings) -> Option<(Limits, Place)> {
    let batch_records = settings.count(&key::BATCH_RECORDS);
    let batch_bytes = settings.size(&key::BATCH_BYTES);
    let queue_bytes = settings.size(&key::QUEUE_BYTES);
    let commit_interval = settings.duration(&key::COMMIT_INTERVAL);
    let max_wait = settings.duration(&key::MAX_WAIT);
    let max_skew = settings.duration(&key::MAX_SKEW);
    let max_future = settings.duration(&key::MAX_FUTURE);
    let record_size = settings.size(&key::RECORD_SIZE);
    if let (Some((batch, _)), Some((queue, place))) = (&batch_bytes, &queue_bytes)
        && queue < batch
    {
        let message = "`limits.queue_bytes` is smaller than `limits.batch_bytes`";
        settings.faults.error("bad-value", place, message).expected("room for at least one batch");
    }
    let (max_future, place) = max_future?;
    let limits = Limits {
        batch_records: batch_records?,
        batch_bytes: batch_bytes?.0,
        queue_bytes: queue_bytes?.0,
        commit_interval: commit_interval?.0,
        max_wait: max_wait?.0,
        max_skew: max_skew?.0,
        max_future,
        record_size: record_size?.0,
    };
    Some((limits, place))
}

fn read_logging(settings: &mut Settings) -> Option<Logging> {
    let level = settings.text(&key::LEVEL);
    if let Some((level, place)) = level.as_ref().filter(|(level, _)| !is_filter(level)) {
        let message = format!("`{}` is no log level and no filter", shorten(level));
        let expected =
            "`off`, `error`, `warn`, `info`, `debug`, `trace`, or a list such as `info,lockkeeper::kafka=debug`";
        settings.faults.error("bad-value", place, message).expected(expected);
    }
    let formats = [("auto", LogFormat::Auto), ("human", LogFormat::Human), ("json", LogFormat::Json)];
    let format = settings.word(&key::FORMAT, &formats);
    Some(Logging { level: level?.0, format: format? })
}

/// Levels, each alone or for a module, separated by commas.
fn is_filter(text: &str) -> bool {
    let is_level = |level: &str| matches!(level, "off" | "error" | "warn" | "info" | "debug" | "trace");
    let is_module =
        |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "_:-".contains(c));
    text.split(',').map(str::trim).all(|part| match part.split_once('=') {
        Some((module, level)) => is_module(module) && is_level(level),
        None => is_level(part),
    })
}
