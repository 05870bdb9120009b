//! Kafka, and nothing of the engine: settings, a batch consumer, producers with and without transactions, a mock cluster.
//!
//! The only place that names the client library. It knows no events and no rules: records come in as columns of bytes
//! and go out as bytes. Nothing here retries for ever or spawns a thread; every failure is a value that says what may
//! be done next, because what is right (wait, abort, start a new producer, stop) only the caller can know.

pub mod admin;
mod assignment;
pub mod consumer;
pub mod error;
pub mod fetched;
pub mod group;
pub mod mock;
pub mod offsets;
pub mod plain;
pub mod property;
mod raw;
mod sender;
pub mod settings;
pub mod transaction;
pub mod watchdog;

pub use consumer::Consumer;
pub use error::{Error, Failure};
pub use fetched::{Event, Fetched, PartitionFault, Record, TimeKind};
pub use group::Group;
pub use mock::Mock;
pub use offsets::{Commit, Committed, Position, Watermarks};
pub use plain::PlainProducer;
pub use sender::{Outgoing, Producer};
pub use settings::Settings;
pub use transaction::TransactionalProducer;
pub use watchdog::{Overrun, Watchdog};

/// The version of the client library that is linked in, such as `2.12.1`.
#[must_use]
pub fn library_version() -> String {
    rdkafka::util::get_rdkafka_version().1
}

/// What the client library was built with, such as `gzip`, `ssl` or `sasl_scram`, in its own order.
#[must_use]
pub fn library_features() -> Vec<String> {
    let config = rdkafka::ClientConfig::new().create_native_config();
    // A configuration without properties can be made, and every one knows this property.
    let features = config.and_then(|config| config.get("builtin.features")).unwrap_or_default();
    features.split(',').map(|feature| feature.trim().to_string()).filter(|feature| !feature.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_may_live_on_threads_of_their_own() {
        fn check<T: Send>() {}
        check::<Consumer>();
        check::<Group>();
        check::<TransactionalProducer>();
        check::<PlainProducer>();
        check::<Fetched>();
        assert!(library_version().starts_with("2."), "{}", library_version());
    }

    #[test]
    fn every_build_reads_gzip_and_zstd_and_only_one_with_tls_is_encrypted() {
        let features = library_features();
        let has = |name: &str| features.iter().any(|feature| feature == name);
        for name in ["gzip", "snappy", "lz4", "zstd"] {
            assert!(has(name), "{name} in {features:?}");
        }
        for name in ["ssl", "sasl_scram", "sasl_oauthbearer"] {
            assert_eq!(has(name), cfg!(feature = "tls"), "{name} in {features:?}");
        }
    }
}
