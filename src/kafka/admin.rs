//! Questions to the cluster about its topics that neither a consumer nor a producer can ask.

use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, ResourceSpecifier};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::FromClientConfig;

use super::error::{Error, is_denial};
use super::fetched::TimeKind;
use super::offsets::check_topic;
use super::settings::Settings;

/// Who sets the time of a topic's records: the broker when it appends them, or each producer by its own clock.
///
/// # Errors
/// No such topic, no right to describe it, nobody there within `wait`.
pub fn time_kind(settings: &Settings, topic: &str, wait: Duration) -> Result<TimeKind, Error> {
    let set = topic_property(settings, topic, "message.timestamp.type", wait)?;
    Ok(if set.as_deref() == Some("LogAppendTime") { TimeKind::Appended } else { TimeKind::Created })
}

fn topic_property(settings: &Settings, topic: &str, name: &str, wait: Duration) -> Result<Option<String>, Error> {
    check_topic(topic)?;
    let doing = || format!("reading the configuration of topic `{topic}`");
    let client = AdminClient::<DefaultClientContext>::from_config(&settings.admin()?)?;
    let options = AdminOptions::new().request_timeout(Some(wait)).operation_timeout(Some(wait));
    let resource = [ResourceSpecifier::Topic(topic)];
    let runtime =
        tokio::runtime::Builder::new_current_thread().build().map_err(|error| Error::other(doing(), error))?;
    let answers =
        runtime.block_on(client.describe_configs(&resource, &options)).map_err(|error| Error::other(doing(), error))?;
    let answer = answers.into_iter().next().ok_or_else(|| Error::other(doing(), "no answer"))?;
    match answer {
        Ok(resource) => Ok(resource.get(name).and_then(|entry| entry.value.clone())),
        Err(code) if is_denial(code) => Err(Error::Denied { doing: doing(), reason: code.to_string() }),
        Err(rdkafka::error::RDKafkaErrorCode::UnknownTopicOrPartition) => {
            Err(Error::MissingTopic { topic: topic.to_string() })
        }
        Err(code) => Err(Error::other(doing(), code)),
    }
}
