//! What an operator can do to a cluster while the service is not looking, or is.

use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, AlterConfig, NewPartitions, ResourceSpecifier};
use rdkafka::client::DefaultClientContext;
use rdkafka::{Offset, TopicPartitionList};
use tokio::runtime::{Builder, Runtime};

use crate::broker::Broker;

/// Asks the broker for changes.
pub struct Operator {
    client: AdminClient<DefaultClientContext>,
    options: AdminOptions,
    runtime: Runtime,
}

impl Operator {
    pub fn new(broker: &Broker) -> Operator {
        let wait = Some(Duration::from_secs(60));
        Operator {
            client: broker.client().create().expect("an admin client"),
            options: AdminOptions::new().request_timeout(wait).operation_timeout(wait),
            runtime: Builder::new_current_thread().build().expect("a runtime"),
        }
    }

    pub fn add_partitions(&self, topic: &str, count: usize) {
        let more = [NewPartitions::new(topic, count)];
        let done = self.runtime.block_on(self.client.create_partitions(&more, &self.options)).expect("an answer");
        assert!(done[0].is_ok(), "{done:?}");
    }

    pub fn set_property(&self, topic: &str, property: &str, value: &str) {
        let change = AlterConfig::new(ResourceSpecifier::Topic(topic)).set(property, value);
        let done = self.runtime.block_on(self.client.alter_configs([&change], &self.options)).expect("an answer");
        assert!(done[0].is_ok(), "{done:?}");
    }

    /// Deletes what a partition holds before an offset.
    pub fn delete_records(&self, topic: &str, partition: i32, before: i64) {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(topic, partition, Offset::Offset(before)).expect("added");
        self.runtime.block_on(self.client.delete_records(&list, &self.options)).expect("deleted");
    }
}
