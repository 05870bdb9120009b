//! Questions to the cluster about its topics that neither a consumer nor a producer can ask.

use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, ResourceSpecifier};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::FromClientConfig;

use super::error::Error;
use super::fetched::TimeKind;
use super::offsets::check_topic;
use super::settings::Settings;

/// Who sets the time of a topic's records: the broker when it appends them, or each producer by its own clock.
///
/// # Errors
/// No such topic, no right to describe it, nobody there within `wait`.
pub fn time_kind(settings: &Settings, topic: &str, wait: Duration) -> Result<TimeKind, Error> {
    let set = topic_property(settings, topic, "message.timestamp.type", wait)?;
    Ok(if set == "LogAppendTime" { TimeKind::Appended } else { TimeKind::Created })
}

fn topic_property(settings: &Settings, topic: &str, name: &str, wait: Duration) -> Result<String, Error> {
    check_topic(topic)?;
    let failed = |reason: &dyn ToString| {
        Error::other(format!("reading the configuration of topic `{topic}`"), reason.to_string())
    };
    let client = AdminClient::<DefaultClientContext>::from_config(&settings.admin()?)?;
    let options = AdminOptions::new().request_timeout(Some(wait)).operation_timeout(Some(wait));
    let runtime = tokio::runtime::Builder::new_current_thread().build().map_err(|error| failed(&error))?;
    let answers = runtime.block_on(client.describe_configs(&[ResourceSpecifier::Topic(topic)], &options));
    let answer = answers.map_err(|error| failed(&error))?.into_iter().next();
    // An error of the broker comes as an answer without entries; the client library does not pass its code on.
    let value = answer.and_then(Result::ok).and_then(|resource| resource.get(name)?.value.clone());
    value.ok_or_else(|| failed(&"the topic does not exist, or the right to describe its configuration is missing"))
}
