//! A Kafka cluster inside the process, for demonstrations and tests that need no broker.
//!
//! It is the client library's own. It keeps records, groups and committed offsets, but no transactions: those are
//! accepted and then ignored, records of aborted ones are visible, offsets sent to one are dropped. Each partition
//! keeps only its last 5 MiB. Use it with [`PlainProducer`](super::PlainProducer), and claim nothing from it.

use std::time::Duration;

use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;

use super::error::Error;
use super::offsets::check_topic;

/// Between two requests to the cluster's thread. One that comes while it still clears away the wake-up for the last is
/// only noticed a second later.
const SETTLE: Duration = Duration::from_millis(2);

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
            settle();
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

#[expect(clippy::disallowed_methods, reason = "there is nothing else that says that the cluster's thread is back")]
fn settle() {
    std::thread::sleep(SETTLE);
}
