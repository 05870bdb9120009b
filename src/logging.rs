//! Log lines: for people on a terminal, one JSON object a line elsewhere; always on stderr, stdout being for data.
//!
//! Secrets cannot get here: the configuration holds them in a type that shows itself as `[redacted]`.

use std::env;
use std::io::{self, IsTerminal};
use std::str::FromStr;

use anyhow::{Context, Result};
use tracing::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::{self, MakeWriter};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::{LogFormat, Logging};

/// Sends the log lines of this process, and of the libraries in it, to stderr.
///
/// # Errors
/// When something else in this process already takes them, or the filter is none.
pub fn start(logging: &Logging) -> Result<()> {
    let is_terminal = io::stderr().is_terminal();
    let is_coloured = is_terminal && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    subscriber(logging, is_terminal, is_coloured, io::stderr)?.try_init().context("logging was started already")
}

/// Whether log lines are for people.
#[must_use]
pub fn is_for_people(logging: &Logging) -> bool {
    is_human(logging.format, io::stderr().is_terminal())
}

fn is_human(format: LogFormat, is_terminal: bool) -> bool {
    match format {
        LogFormat::Auto => is_terminal,
        LogFormat::Human => true,
        LogFormat::Json => false,
    }
}

/// What writes log lines to `writer`.
fn subscriber<W>(
    logging: &Logging,
    is_terminal: bool,
    is_coloured: bool,
    writer: W,
) -> Result<impl Subscriber + Send + Sync + 'static>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let filter = Targets::from_str(&logging.level).with_context(|| format!("`{}` is no log filter", logging.level))?;
    let layer = if is_human(logging.format, is_terminal) {
        fmt::layer().with_target(false).with_ansi(is_coloured).with_writer(writer).boxed()
    } else {
        fmt::layer()
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .with_writer(writer)
            .boxed()
    };
    Ok(registry().with(layer.with_filter(filter)))
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use serde_json::Value;
    use tracing::subscriber::with_default;

    use super::*;
    use crate::config::{PropertyValue, Secret};

    /// What is written by `log` under these settings.
    fn written(level: &str, format: LogFormat, is_terminal: bool, log: impl FnOnce()) -> String {
        #[derive(Clone, Default)]
        struct Buffer(Arc<Mutex<Vec<u8>>>);
        impl io::Write for Buffer {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0.lock().expect("a buffer").extend_from_slice(bytes);
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let buffer = Buffer::default();
        let held = buffer.clone();
        let logging = Logging { level: level.to_string(), format };
        let subscriber = subscriber(&logging, is_terminal, false, move || held.clone()).expect("a filter");
        with_default(subscriber, log);
        let bytes = buffer.0.lock().expect("a buffer").clone();
        String::from_utf8(bytes).expect("text")
    }

    #[test]
    fn people_read_text_and_programs_json() {
        let log = || tracing::warn!(partition = 3, "the broker is gone");
        for (format, is_terminal, is_json) in [
            (LogFormat::Auto, true, false),
            (LogFormat::Auto, false, true),
            (LogFormat::Human, false, false),
            (LogFormat::Json, true, true),
        ] {
            let text = written("info", format, is_terminal, log);
            let value = serde_json::from_str::<Value>(&text);
            assert_eq!(value.is_ok(), is_json, "{text}");
            assert!(text.contains("the broker is gone") && text.contains("WARN"), "{text}");
            if let Ok(value) = value {
                assert_eq!(
                    (value["message"].as_str(), value["partition"].as_i64()),
                    (Some("the broker is gone"), Some(3))
                );
                assert!(value["timestamp"].is_string() && value["level"] == "WARN", "{text}");
            }
        }
    }

    #[test]
    fn the_filter_goes_by_level_and_module() {
        let log = || {
            tracing::debug!(target: "lockkeeper::service", "one");
            tracing::info!(target: "lockkeeper::kafka", "two");
            tracing::error!(target: "other", "three");
        };
        for (level, expected) in [
            ("off", [false, false, false]),
            ("error", [false, false, true]),
            ("info", [false, true, true]),
            ("trace", [true, true, true]),
            ("error,lockkeeper::service=debug", [true, false, true]),
            ("lockkeeper=info", [false, true, false]),
        ] {
            let text = written(level, LogFormat::Human, false, log);
            assert_eq!(["one", "two", "three"].map(|word| text.contains(word)), expected, "{level}");
        }
    }

    #[test]
    fn secrets_are_not_logged() {
        let value = PropertyValue::Secret(Secret::new("hunter2".to_string()));
        for format in [LogFormat::Human, LogFormat::Json] {
            let text = written("trace", format, false, || tracing::info!(?value, %value, "connecting with {value:?}"));
            assert!(text.contains("[redacted]") && !text.contains("hunter2"), "{text}");
        }
    }
}
