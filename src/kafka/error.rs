//! What can go wrong with Kafka, sorted by what the caller may do about it.
//!
//! [`Error`] is for everything outside a transaction; most of it may be tried again later. [`Failure`] is for records
//! on their way out, where the question is another: is it known that nothing was committed?

use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use super::settings::is_secret;

/// Why a call outside a transaction failed. Never holds the value of a secret property.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what its fields are")]
pub enum Error {
    /// A property that carries the service's promise and cannot be set from outside.
    #[error("kafka property `{name}` cannot be set: {reason}")]
    Refused { name: String, reason: &'static str },
    /// A property that does not exist, or a value it does not take.
    #[error("kafka property `{name}` is not accepted: {reason}")]
    Property { name: String, reason: String },
    /// The properties do not go together, or the machine has no room.
    #[error("the kafka client cannot be made: {0}")]
    Client(String),
    /// Nobody answered in time. Worth another try.
    #[error("{doing}: no broker answers at {servers} ({reason}); check the address and that the broker runs")]
    Unreachable { doing: String, servers: String, reason: String },
    /// The broker answered and said no. Another try helps only after someone has changed the credentials.
    #[error(
        "{doing}: the broker at {servers} refuses the credentials ({reason}); check the `sasl.` and `ssl.` properties"
    )]
    Credentials { doing: String, servers: String, reason: String },
    /// The listener takes no credentials at all.
    #[error(
        "{doing}: the listener at {servers} does not speak SASL (mechanisms: none): {reason}; name a listener that \
         does, or set `security.protocol` without SASL"
    )]
    NoSasl { doing: String, servers: String, reason: String },
    /// The credentials are right, the access rights are not.
    #[error("{doing}: access is denied ({reason}); grant it on the broker")]
    Denied { doing: String, reason: String },
    /// The topic is not there. Topics are never created by a running service.
    #[error("topic `{topic}` does not exist; create it or correct the name")]
    MissingTopic { topic: String },
    /// A name that no topic can have.
    #[error("`{topic}` is no name of a topic: use 1 to 249 of the characters a-z A-Z 0-9 . _ -")]
    TopicName { topic: String },
    /// A position that cannot be: offsets start at 0.
    #[error("offset {offset} of {topic}/{partition} is negative; offsets start at 0")]
    NegativeOffset { topic: String, partition: i32, offset: i64 },
    /// Anything else the library or the broker said.
    #[error("{doing}: {reason}")]
    Other { doing: String, reason: String },
}

impl Error {
    /// Whether the same call may succeed later without anybody changing this service's configuration.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        !matches!(
            self,
            Self::Refused { .. }
                | Self::Property { .. }
                | Self::Client(_)
                | Self::TopicName { .. }
                | Self::NegativeOffset { .. }
        )
    }

    pub(super) fn other(doing: impl Into<String>, reason: impl ToString) -> Self {
        Self::Other { doing: doing.into(), reason: reason.to_string() }
    }
}

/// From making a client: a property or all of them together were not accepted.
impl From<KafkaError> for Error {
    fn from(error: KafkaError) -> Self {
        match error {
            KafkaError::ClientConfig(_, reason, name, _) => {
                // The library repeats the value it did not like.
                let reason = if is_secret(&name) { "its value is not valid".to_string() } else { reason };
                Self::Property { name, reason }
            }
            KafkaError::ClientCreation(reason) => Self::Client(reason),
            KafkaError::Nul(_) => Self::Client("a property contains a zero byte".to_string()),
            other => Self::Client(other.to_string()),
        }
    }
}

/// Why records or a transaction did not go through, by what is known of the outcome.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Nothing was committed. Abort, then send the same bytes again.
    #[error("the transaction has to be aborted: {0}")]
    Abortable(String),
    /// Nothing was committed, and sending the same again would fail again until an operator acts.
    #[error("kafka refuses the records: {0}")]
    Refused(String),
    /// It may have been committed or not. Drop the producer, start a new one; the committed offset decides.
    #[error("the outcome of the transaction is unknown: {0}")]
    Unknown(String),
    /// Another producer took over the transactional id, or the transaction was left open too long. Drop the producer;
    /// whether to start another is a question of who should be running, which this one cannot answer.
    #[error("fenced by another producer with the same transactional id, or the transaction timed out: {0}")]
    Fenced(String),
}

/// The codes that mean that another producer holds the transactional id.
pub(super) fn is_fenced(code: RDKafkaErrorCode) -> bool {
    matches!(code, RDKafkaErrorCode::Fenced | RDKafkaErrorCode::ProducerFenced | RDKafkaErrorCode::InvalidProducerEpoch)
}

/// The codes that an operator has to do something about.
pub(super) fn is_refusal(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::MessageSizeTooLarge
            | RDKafkaErrorCode::MessageBatchTooLarge
            | RDKafkaErrorCode::InvalidRecord
            | RDKafkaErrorCode::PolicyViolation
            | RDKafkaErrorCode::UnknownTopic
            | RDKafkaErrorCode::UnknownPartition
            | RDKafkaErrorCode::UnknownTopicOrPartition
            | RDKafkaErrorCode::InvalidTopic
            | RDKafkaErrorCode::TopicAuthorizationFailed
            | RDKafkaErrorCode::ClusterAuthorizationFailed
            | RDKafkaErrorCode::TransactionalIdAuthorizationFailed
            | RDKafkaErrorCode::GroupAuthorizationFailed
            | RDKafkaErrorCode::OffsetMetadataTooLarge
    )
}

/// The codes of credentials that are not good.
pub(super) fn is_credentials(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::Authentication
            | RDKafkaErrorCode::SaslAuthenticationFailed
            | RDKafkaErrorCode::UnsupportedSASLMechanism
            | RDKafkaErrorCode::IllegalSASLState
    )
}

/// Whether the library says that a handshake found no SASL at the other end: the broker offers no mechanism at all.
pub(super) fn is_without_sasl(reason: &str) -> bool {
    let offered = reason.split_once("supported mechanisms:").map(|(_, rest)| rest.trim_start());
    offered.is_some_and(|offered| offered.is_empty() || offered.starts_with('(') || offered.starts_with(':'))
}

/// The codes of rights that are missing.
pub(super) fn is_denial(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::TopicAuthorizationFailed
            | RDKafkaErrorCode::GroupAuthorizationFailed
            | RDKafkaErrorCode::ClusterAuthorizationFailed
            | RDKafkaErrorCode::TransactionalIdAuthorizationFailed
    )
}

#[cfg(test)]
mod tests {
    use rdkafka::ClientConfig;
    use rdkafka::producer::BaseProducer;

    use super::*;

    fn check(name: &str, value: &str, expected: &str) {
        let made = ClientConfig::new().set(name, value).create::<BaseProducer>();
        let error = Error::from(made.err().expect("refused by the library"));
        assert_eq!(error.to_string(), expected);
        assert!(!error.may_pass());
    }

    #[test]
    fn what_the_library_does_not_take_is_named() {
        check(
            "linger.msx",
            "5",
            "kafka property `linger.msx` is not accepted: No such configuration property: \"linger.msx\"",
        );
        check(
            "isolation.level",
            "dirty",
            "kafka property `isolation.level` is not accepted: Invalid value \"dirty\" for configuration property \
             \"isolation.level\"",
        );
        check("ssl.key.pass\0word", "hidden", "the kafka client cannot be made: a property contains a zero byte");
    }

    #[test]
    fn a_listener_without_sasl_is_told_from_wrong_credentials() {
        let handshake = "sasl_plaintext://b:9092/bootstrap: SASL PLAIN mechanism handshake failed: Broker: ";
        for (rest, expected) in [
            ("Request not valid in current SASL state: broker's supported mechanisms: (after 3ms in state AUTH)", true),
            ("Request not valid in current SASL state: broker's supported mechanisms: ", true),
            ("Unsupported SASL mechanism: broker's supported mechanisms: SCRAM-SHA-256 (after 3ms)", false),
            ("SASL Authentication failed", false),
        ] {
            assert_eq!(is_without_sasl(&format!("{handshake}{rest}")), expected, "{rest}");
        }
    }

    #[test]
    fn a_secret_is_not_repeated() {
        let error = KafkaError::ClientConfig(
            rdkafka::types::RDKafkaConfRes::RD_KAFKA_CONF_INVALID,
            "invalid value \"hunter2\"".to_string(),
            "sasl.password".to_string(),
            "hunter2".to_string(),
        );
        let error = Error::from(error);
        assert!(!error.to_string().contains("hunter2") && !format!("{error:?}").contains("hunter2"));
        assert_eq!(error.to_string(), "kafka property `sasl.password` is not accepted: its value is not valid");
    }
}
