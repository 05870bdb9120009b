//! From a configuration to being the only owner of the partitions: connected, topics looked at, an older owner fenced.

use std::sync::Arc;
use std::thread::Builder;
use std::time::Duration;

use super::attempt::insist;
use super::committer::MakeProducer;
use super::delivery::{self, Delivery};
use super::failure::Failure;
use super::http::Shared;
use super::sources::Sources;
use super::state::{Identity, StateDirectory};
use super::stop::Stop;
use crate::config::Config;
use crate::engine::Emit;
use crate::journal::{MAX_PARTITION, Settings};
use crate::kafka::{self, Consumer, Producer, TimeKind, Watchdog, admin};
use crate::ruleset::types::RuleSet;

/// How long the first answer may take before it is said that there is none.
const FIRST_ANSWER: Duration = Duration::from_secs(3);
/// How long one question to the broker may take.
pub(super) const ANSWER: Duration = Duration::from_secs(10);

/// How often it is asked who stamps records, before it is said that this is not known.
const CLOCK_QUESTIONS: u32 = 5;

/// What is to be run.
#[derive(Clone)]
pub struct Job {
    /// The configuration.
    pub config: Config,
    /// The rule set.
    pub rules: RuleSet,
    /// With or without transactions.
    pub delivery: Delivery,
    /// Whether to begin without history where the history cannot be had.
    pub accept_state_loss: bool,
}

impl Job {
    /// How Kafka is reached.
    pub fn kafka(&self) -> kafka::Settings {
        let kafka = &self.config.kafka;
        let exposed =
            |(name, value): (&String, &crate::config::PropertyValue)| (name.clone(), value.expose().to_owned());
        kafka::Settings {
            bootstrap_servers: kafka.bootstrap_servers.join(","),
            group_id: kafka.group_id.clone(),
            transactional_id: kafka.transactional_id.clone(),
            properties: kafka.properties.iter().map(exposed).collect(),
        }
    }

    /// What the output depends on, in the journal's words.
    pub fn settings(&self) -> Settings {
        let limits = &self.config.limits;
        let ms = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Settings {
            emit_all: self.config.emit == Emit::All,
            max_future: ms(limits.max_future),
            max_skew: ms(limits.max_skew),
            // Its range ends at 64 KiB.
            record_size: limits.record_size as u32,
        }
    }

    /// Whom a state belongs to.
    pub fn identity(&self, sources: &Sources) -> Identity {
        Identity { ruleset: self.rules.id.clone(), topics: sources.counts() }
    }
}

/// Connected, and sure to be the only owner.
pub struct Owner {
    /// What is to be run.
    pub job: Job,
    /// For questions.
    pub consumer: Consumer,
    /// For writing.
    pub producer: Box<dyn Producer + Send>,
    /// Makes the next one.
    pub make: MakeProducer,
    /// What is read.
    pub sources: Arc<Sources>,
    /// Where states are kept.
    pub directory: StateDirectory,
    /// Metrics, health, status.
    pub shared: Shared,
    /// When to end.
    pub stop: Arc<Stop>,
}

/// Connects, checks the topics, and takes ownership.
///
/// # Errors
/// What waiting cannot mend.
pub fn connect(job: Job, shared: &Shared, stop: &Arc<Stop>, watchdog: &Watchdog) -> Result<Owner, Failure> {
    let directory =
        StateDirectory::open(&job.config.state.directory, &job.config.kafka.transactional_id, job.config.state.keep)?;
    let settings = job.kafka();
    let consumer = Consumer::connect(&settings)?;
    let topics = &job.config.topics;
    tracing::info!(servers = settings.bootstrap_servers, group = settings.group_id, "connecting");
    let servers = settings.bootstrap_servers.clone();
    let count = |topic: &str| {
        insist(shared, stop, &format!("connecting to {servers}"), || consumer.partition_count(topic, FIRST_ANSWER))
    };
    let mut partitions = Vec::new();
    for topic in topics.sources() {
        partitions.push((topic, count(topic)?));
    }
    let partitions = same_count(&partitions)?;
    let dead_letters: Vec<String> = topics.sources().map(|topic| topics.dead_letters_of(topic)).collect();
    let outputs = [&topics.decisions, &topics.lock_events, &topics.locks];
    for topic in outputs.into_iter().chain(&dead_letters) {
        count(topic)?;
    }
    let journal = count(&topics.journal)?;
    if journal != 1 {
        return Err(Failure::Topics(format!(
            "topic `{}` has {journal} partitions, and the journal needs exactly one: it is an order",
            topics.journal
        )));
    }
    let sources = Arc::new(Sources::new(topics, partitions));
    look_at_clocks(&settings, &topics.input, shared)?;
    let mut make = delivery::producers(job.delivery, &settings, &consumer.group(), watchdog);
    let producer = insist(shared, stop, "starting the producer", &mut make)?;
    Ok(Owner { job, consumer, producer, make, sources, directory, shared: shared.clone(), stop: Arc::clone(stop) })
}

/// The number of partitions that all source topics have.
///
/// # Errors
/// When one has another number than the first, or too many.
pub(super) fn same_count(partitions: &[(&str, i32)]) -> Result<i32, Failure> {
    let Some(&(first, expected)) = partitions.first() else { return Ok(1) };
    if expected.cast_unsigned() > MAX_PARTITION {
        return Err(Failure::Topics(format!("topic `{first}` has {expected} partitions, more than {MAX_PARTITION}")));
    }
    match partitions.iter().find(|(_, count)| *count != expected) {
        None => Ok(expected),
        Some((topic, other)) => Err(Failure::Topics(format!(
            "topic `{topic}` has {other} partitions and `{first}` has {expected}: all input and control topics need as \
             many, so that an account's events meet"
        ))),
    }
}

/// Says whether record timestamps are the broker's, what `max_future` rests on. Nobody waits for it: a cluster that
/// does not know the question lets it run out of time.
fn look_at_clocks(settings: &kafka::Settings, topics: &[String], shared: &Shared) -> Result<(), Failure> {
    let (settings, topics, shared) = (settings.clone(), topics.to_vec(), shared.clone());
    let look = move || topics.iter().for_each(|topic| look_at_clock(&settings, topic, &shared));
    Builder::new().name("clocks".to_owned()).spawn(look)?;
    Ok(())
}

fn look_at_clock(settings: &kafka::Settings, topic: &str, shared: &Shared) {
    let is_producers = match ask_for_clock(settings, topic) {
        Ok(TimeKind::Appended) => false,
        Ok(_) => {
            tracing::warn!(
                "topic `{topic}` does not have message.timestamp.type=LogAppendTime: what `limits.max_future` bounds \
                 rests on the producers' clocks"
            );
            true
        }
        Err(error) => {
            tracing::warn!(
                "{error}: it is not known who stamps the records of topic `{topic}`, so `limits.max_future` may rest on \
                 the producers' clocks"
            );
            true
        }
    };
    shared.metrics.set_producer_clock(topic, is_producers);
}

/// Asks more than once: a broker may be busy.
fn ask_for_clock(settings: &kafka::Settings, topic: &str) -> Result<TimeKind, kafka::Error> {
    let ask = || admin::time_kind(settings, topic, ANSWER);
    (1..CLOCK_QUESTIONS)
        .fold(ask(), |found, _| found.or_else(|error| if error.may_pass() { ask() } else { Err(error) }))
}
