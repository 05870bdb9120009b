//! From what an operator may choose to what the client library is told.
//!
//! Three layers, each over the one before: defaults that were measured, the operator's own properties, and the few that
//! carry the promise of exactly-once, which cannot be chosen: trying to is an error that says why, rather than a
//! surprise later.

use std::collections::BTreeMap;
use std::fmt;

use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;

use super::error::Error;

/// How to reach Kafka and who we are there.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// `host:port`, several with commas.
    pub bootstrap_servers: String,
    /// The consumer group whose committed offsets are the service's position.
    pub group_id: String,
    /// The identity that fences an older producer. Ignored by the producer without transactions.
    pub transactional_id: String,
    /// Any further property of librdkafka by its name.
    pub properties: BTreeMap<String, String>,
}

/// Good for both clients.
const COMMON: [(&str, &str); 3] = [
    ("client.id", "lockkeeper"),
    // A broker that restarts is back in a second or two; ten seconds of waiting would be the longer part.
    ("reconnect.backoff.max.ms", "1000"),
    ("allow.auto.create.topics", "false"),
];
/// Good for the consumer.
const CONSUMER: [(&str, &str); 6] = [
    ("check.crcs", "true"),
    // With a full queue the library sleeps this long before it looks again; its own default is a second.
    ("fetch.queue.backoff.ms", "2"),
    ("fetch.wait.max.ms", "100"),
    ("fetch.error.backoff.ms", "100"),
    ("queued.min.messages", "50000"),
    // The bound on memory while the engine is slower than the broker.
    ("queued.max.messages.kbytes", "32768"),
];
/// What makes offsets and visibility exact on the way in.
const CONSUMER_FIXED: [(&str, &str); 5] = [
    ("enable.auto.commit", "false"),
    ("enable.auto.offset.store", "false"),
    ("auto.offset.reset", "error"),
    ("isolation.level", "read_committed"),
    ("enable.partition.eof", "true"),
];
/// Good for the producers.
const PRODUCER: [(&str, &str); 5] = [
    // The hash of Java's producers, so that one account is in one partition whoever writes.
    ("partitioner", "murmur2_random"),
    ("compression.type", "lz4"),
    // A flush ends the waiting; this only lets a batch grow while the engine is still producing.
    ("linger.ms", "5"),
    ("queue.buffering.max.messages", "500000"),
    ("queue.buffering.max.kbytes", "131072"),
];
/// What makes records exact on the way out. Without the second a flush could not wait without ticking.
const PRODUCER_FIXED: [(&str, &str); 2] = [("enable.idempotence", "true"), ("delivery.report.only.error", "true")];
/// Long enough for the longest pause, short enough for readers behind an abandoned transaction.
const TRANSACTION_TIMEOUT: (&str, &str) = ("transaction.timeout.ms", "30000");
/// Names that say the same as one of ours; the library would take either, in no certain order.
const ALIASES: [(&str, &str); 2] = [("queue.buffering.max.ms", "linger.ms"), ("compression.codec", "compression.type")];

const IN_TRANSACTION: &str = "offsets are committed with the records they led to, never beside them";
const OWN_KEY: &str = "it has a key of its own in the configuration";
/// What cannot be set from outside, and why.
const REFUSED: [(&str, &str); 13] = [
    ("bootstrap.servers", OWN_KEY),
    ("metadata.broker.list", OWN_KEY),
    ("group.id", OWN_KEY),
    ("transactional.id", OWN_KEY),
    ("enable.auto.commit", IN_TRANSACTION),
    ("enable.auto.offset.store", IN_TRANSACTION),
    ("auto.offset.reset", "a lost position has to be seen, not skipped over"),
    ("isolation.level", "records of aborted transactions must not be counted"),
    ("enable.partition.eof", "recovery has to know where a partition ends"),
    ("enable.idempotence", "without it a retry could write a record twice or out of order"),
    ("acks", "a record counts when all in-sync replicas have it"),
    ("request.required.acks", "a record counts when all in-sync replicas have it"),
    ("delivery.report.only.error", "commits would wait for reports that nobody needs"),
];

/// Whether a property's value has to stay hidden.
#[must_use]
pub fn is_secret(name: &str) -> bool {
    ["pass", "pasw", "pwd", "secret", "private.key", "key.pem", "oauthbearer.config", "jaas"]
        .iter()
        .any(|part| name.contains(part))
}

impl Settings {
    /// Finds refused, unknown and ill-typed properties without connecting.
    ///
    /// # Errors
    /// The first property in order of name that cannot be used.
    pub fn check(&self) -> Result<(), Error> {
        self.refuse()?;
        // One at a time, so that what is reported does not depend on the order in which a map is walked.
        for (name, value) in &self.properties {
            ClientConfig::new().set(name, value).create_native_config()?;
        }
        Ok(())
    }

    pub(super) fn consumer(&self) -> Result<ClientConfig, Error> {
        self.check()?;
        let mut config = self.layered(&[&COMMON, &CONSUMER], &CONSUMER_FIXED);
        config.set("group.id", &self.group_id);
        Ok(config)
    }

    /// For a producer without transactions.
    pub(super) fn producer(&self) -> Result<ClientConfig, Error> {
        self.check()?;
        let mut config = self.layered(&[&COMMON, &PRODUCER], &PRODUCER_FIXED);
        config.remove("transaction.timeout.ms");
        Ok(config)
    }

    pub(super) fn transactional_producer(&self) -> Result<ClientConfig, Error> {
        self.check()?;
        let mut config = self.layered(&[&COMMON, &PRODUCER, &[TRANSACTION_TIMEOUT]], &PRODUCER_FIXED);
        config.set("transactional.id", &self.transactional_id);
        Ok(config)
    }

    /// For questions to the cluster: only the address and the operator's properties.
    pub(super) fn admin(&self) -> Result<ClientConfig, Error> {
        self.check()?;
        Ok(self.layered(&[&COMMON], &[]))
    }

    fn refuse(&self) -> Result<(), Error> {
        let refused = REFUSED.iter().find(|(name, _)| self.properties.contains_key(*name));
        refused.map_or(Ok(()), |&(name, reason)| Err(Error::Refused { name: name.to_string(), reason }))
    }

    fn layered(&self, defaults: &[&[(&str, &str)]], fixed: &[(&str, &str)]) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set_log_level(RDKafkaLogLevel::Info);
        for (name, value) in defaults.iter().copied().flatten() {
            config.set(*name, *value);
        }
        for (alias, name) in ALIASES {
            if self.properties.contains_key(alias) {
                config.remove(name);
            }
        }
        for (name, value) in &self.properties {
            config.set(name, value);
        }
        for (name, value) in fixed {
            config.set(*name, *value);
        }
        config.set("bootstrap.servers", &self.bootstrap_servers);
        config
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |(name, value): (&String, &String)| {
            let value = if is_secret(name) { "(hidden)".to_string() } else { value.clone() };
            (name.clone(), value)
        };
        formatter
            .debug_struct("Settings")
            .field("bootstrap_servers", &self.bootstrap_servers)
            .field("group_id", &self.group_id)
            .field("transactional_id", &self.transactional_id)
            .field("properties", &self.properties.iter().map(shown).collect::<BTreeMap<_, _>>())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(properties: &[(&str, &str)]) -> Settings {
        let properties = properties.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        Settings {
            bootstrap_servers: "kafka:9092".to_string(),
            group_id: "risk".to_string(),
            transactional_id: "risk-1".to_string(),
            properties,
        }
    }

    #[test]
    fn layers_lie_over_each_other() {
        let chosen = settings(&[("fetch.queue.backoff.ms", "7"), ("compression.codec", "zstd"), ("linger.ms", "0")]);
        let consumer = chosen.consumer().expect("valid");
        let producer = chosen.transactional_producer().expect("valid");
        for (config, name, expected) in [
            (&consumer, "bootstrap.servers", Some("kafka:9092")),
            (&consumer, "group.id", Some("risk")),
            (&consumer, "isolation.level", Some("read_committed")),
            (&consumer, "auto.offset.reset", Some("error")),
            (&consumer, "enable.auto.commit", Some("false")),
            (&consumer, "enable.auto.offset.store", Some("false")),
            (&consumer, "check.crcs", Some("true")),
            (&consumer, "fetch.queue.backoff.ms", Some("7")),
            (&consumer, "queued.max.messages.kbytes", Some("32768")),
            (&consumer, "transactional.id", None),
            (&producer, "transactional.id", Some("risk-1")),
            (&producer, "transaction.timeout.ms", Some("30000")),
            (&producer, "partitioner", Some("murmur2_random")),
            (&producer, "delivery.report.only.error", Some("true")),
            (&producer, "compression.type", None),
            (&producer, "compression.codec", Some("zstd")),
            (&producer, "linger.ms", Some("0")),
            (&producer, "group.id", None),
        ] {
            assert_eq!(config.get(name), expected, "{name}");
        }
        let plain = settings(&[("transaction.timeout.ms", "9000")]).producer().expect("valid");
        assert_eq!((plain.get("transactional.id"), plain.get("transaction.timeout.ms")), (None, None));
    }

    #[test]
    fn defaults_are_known_to_the_library() {
        let settings = settings(&[]);
        for config in [settings.consumer(), settings.producer(), settings.transactional_producer(), settings.admin()] {
            config.expect("valid").create_native_config().expect("accepted");
        }
    }

    #[test]
    fn the_page_lists_what_is_set() {
        let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/kafka.md");
        let page = std::fs::read_to_string(page).expect("a page");
        let layers: [&[(&str, &str)]; 6] =
            [&COMMON, &CONSUMER, &CONSUMER_FIXED, &PRODUCER, &PRODUCER_FIXED, &[TRANSACTION_TIMEOUT]];
        let rows: Vec<String> =
            layers.concat().iter().map(|(name, value)| format!("| `{name}` | `{value}` |")).collect();
        for row in &rows {
            assert!(page.contains(row), "docs/kafka.md has no row {row}");
        }
        let listed = page.split("\n## Properties\n").nth(1).expect("properties").lines();
        assert_eq!(listed.filter(|line| line.starts_with("| `")).count(), rows.len(), "a row too many");
    }

    #[test]
    fn what_carries_the_promise_is_refused() {
        for (name, reason) in REFUSED {
            let error = settings(&[(name, "x")]).check().expect_err("refused");
            assert_eq!(error.to_string(), format!("kafka property `{name}` cannot be set: {reason}"));
        }
        let unknown = settings(&[("linger.millis", "1")]).consumer().expect_err("unknown");
        assert!(unknown.to_string().contains("`linger.millis` is not accepted"), "{unknown}");
    }

    #[test]
    fn secrets_stay_hidden() {
        let secrets = ["sasl.password", "ssl.key.password", "ssl.key.pem", "sasl.oauthbearer.client.secret"];
        for name in secrets {
            assert!(!format!("{:?}", settings(&[(name, "hunter2")])).contains("hunter2"), "{name}");
        }
        assert!(format!("{:?}", settings(&[("sasl.username", "alice")])).contains("alice"));
    }
}
