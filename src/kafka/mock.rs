//! A Kafka cluster inside the process, for demonstrations and tests that need no broker.
//!
//! It is the client library's own. It keeps records, groups and committed offsets, but no transactions: those are
//! accepted and then ignored, records of aborted ones are visible, offsets sent to one are dropped. Each partition
//! keeps only its last 5 MiB. Use it with [`PlainProducer`](super::PlainProducer), and claim nothing from it.

use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;

use super::error::Error;
use super::offsets::check_topic;

/// A running cluster of one broker; ends when dropped.
pub struct Mock {
    cluster: MockCluster<'static, DefaultProducerContext>,
}

impl Mock {
    /// Starts a cluster with these topics and their numbers of partitions.
    ///
    /// # Errors
    /// Names that no topic can have; no free port.
    pub fn start(topics: &[(&str, i32)]) -> Result<Self, Error> {
        let failed = |error: rdkafka::error::KafkaError| Error::other("starting the in-process cluster", error);
        let cluster = MockCluster::new(1).map_err(failed)?;
        for &(topic, partitions) in topics {
            check_topic(topic)?;
            cluster.create_topic(topic, partitions, 1).map_err(failed)?;
        }
        Ok(Self { cluster })
    }

    /// Where clients find it.
    #[must_use]
    pub fn bootstrap_servers(&self) -> String {
        self.cluster.bootstrap_servers()
    }
}
