//! Which producer writes: the one with transactions, or the one without for where there are none to be had.

use std::time::Duration;

use super::committer::MakeProducer;
use crate::kafka::{Group, PlainProducer, Producer, Settings, TransactionalProducer, Watchdog};

/// How long one try to start a producer may take; an older one's open transaction has to end first.
const INIT_WAIT: Duration = Duration::from_secs(20);

/// What is promised of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// Records and offsets become visible together or not at all.
    ExactlyOnce,
    /// A crash repeats records. For the demonstration, and for measuring what transactions cost.
    AtLeastOnce,
}

/// Makes producers, one after the other.
pub fn producers(delivery: Delivery, settings: &Settings, group: &Group, watchdog: &Watchdog) -> MakeProducer {
    let (settings, group, watchdog) = (settings.clone(), group.clone(), watchdog.clone());
    Box::new(move || -> Result<Box<dyn Producer + Send>, crate::kafka::Error> {
        Ok(match delivery {
            Delivery::ExactlyOnce => {
                Box::new(TransactionalProducer::init(&settings, group.clone(), watchdog.clone(), INIT_WAIT)?)
            }
            Delivery::AtLeastOnce => Box::new(PlainProducer::connect(&settings, group.clone())?),
        })
    })
}
