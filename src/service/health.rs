//! What the service is doing, and whether it is ready: shared between its threads and whoever asks over HTTP.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What the service is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Not there yet; says what it is waiting for or trying.
    Starting {
        /// For people, such as "connecting to kafka-1:9092".
        what: String,
    },
    /// Replaying what was committed since the snapshot.
    Recovering {
        /// Records replayed.
        done: u64,
        /// Records to replay.
        total: u64,
    },
    /// Deciding.
    Live,
    /// It was live and cannot go on for now; it goes on trying.
    Stalled {
        /// For people, such as "no broker answers".
        why: String,
    },
    /// Finishing what it has begun.
    Stopping,
    /// It will not go live; it takes a person.
    Refused {
        /// For people: what is wrong and what to do.
        why: String,
    },
}

impl State {
    /// The state's name in JSON.
    pub fn name(&self) -> &'static str {
        match self {
            State::Starting { .. } => "starting",
            State::Recovering { .. } => "recovering",
            State::Live => "live",
            State::Stalled { .. } => "stalled",
            State::Stopping => "stopping",
            State::Refused { .. } => "refused",
        }
    }

    /// Whether decisions are being made.
    pub fn is_ready(&self) -> bool {
        matches!(self, State::Live)
    }

    /// What there is to say beyond the name.
    pub fn reason(&self) -> Option<String> {
        match self {
            State::Starting { what } => Some(what.clone()),
            State::Recovering { done, total } => {
                let percent = if *total == 0 { 100 } else { (u128::from(*done) * 100 / u128::from(*total)).min(100) };
                Some(format!("{done} of {total} records replayed ({percent} %)"))
            }
            State::Stalled { why } | State::Refused { why } => Some(why.clone()),
            State::Live | State::Stopping => None,
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        self.reason().map_or(Ok(()), |reason| write!(f, ": {reason}"))
    }
}

/// What can be in trouble by itself while the service is live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Component {
    /// Fetching records.
    Input,
    /// Committing transactions.
    Output,
    /// Being answered by the cluster at all: what hangs fails only after a minute.
    Cluster,
}

#[derive(Debug)]
struct Inner {
    state: State,
    /// Why a component cannot go on for now.
    troubles: BTreeMap<Component, String>,
}

/// The state, shared.
#[derive(Debug)]
pub struct Health(Mutex<Inner>);

impl Default for Health {
    fn default() -> Health {
        let state = State::Starting { what: "reading the configuration".to_string() };
        Health(Mutex::new(Inner { state, troubles: BTreeMap::new() }))
    }
}

impl Health {
    /// Sets the state. Once stopping or refused it stays so: what other threads still report no longer matters.
    pub fn set(&self, state: State) {
        let held = &mut self.lock().state;
        let is_final = matches!(*held, State::Stopping | State::Refused { .. });
        if !is_final || matches!(state, State::Refused { .. }) {
            *held = state;
        }
    }

    /// A component cannot go on for now. Said in the log once, however often it is reported.
    pub fn trouble(&self, component: Component, why: String) {
        let troubles = &mut self.lock().troubles;
        if troubles.get(&component) != Some(&why) {
            tracing::warn!(?component, "{why}");
            troubles.insert(component, why);
        }
    }

    /// A component goes on.
    pub fn well(&self, component: Component) {
        if self.lock().troubles.remove(&component).is_some() {
            tracing::info!(?component, "goes on");
        }
    }

    /// The state; live is it only while no component is in trouble.
    pub fn state(&self) -> State {
        let inner = self.lock();
        match (&inner.state, inner.troubles.values().next()) {
            (State::Live, Some(why)) => State::Stalled { why: why.clone() },
            (state, _) => state.clone(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_speak() {
        let why = "the log begins after the snapshot".to_string();
        for (state, text, is_ready) in [
            (State::Starting { what: "connecting".to_string() }, "starting: connecting", false),
            (State::Recovering { done: 1, total: 3 }, "recovering: 1 of 3 records replayed (33 %)", false),
            (State::Recovering { done: 0, total: 0 }, "recovering: 0 of 0 records replayed (100 %)", false),
            (
                State::Recovering { done: u64::MAX, total: 1 },
                "recovering: 18446744073709551615 of 1 records replayed (100 %)",
                false,
            ),
            (State::Live, "live", true),
            (State::Stalled { why: "no broker".to_string() }, "stalled: no broker", false),
            (State::Stopping, "stopping", false),
            (State::Refused { why: why.clone() }, "refused: the log begins after the snapshot", false),
        ] {
            assert_eq!((state.to_string().as_str(), state.is_ready()), (text, is_ready));
        }
    }

    #[test]
    fn the_end_is_not_taken_back() {
        let health = Health::default();
        assert!(!health.state().is_ready());
        health.set(State::Live);
        health.set(State::Stopping);
        health.set(State::Live);
        assert_eq!(health.state(), State::Stopping);
        health.set(State::Refused { why: "no".to_string() });
        health.set(State::Live);
        assert_eq!(health.state().name(), "refused");
    }

    #[test]
    fn live_is_only_who_is_well() {
        let health = Health::default();
        health.trouble(Component::Input, "no broker".to_string());
        assert_eq!(health.state().name(), "starting");
        health.set(State::Live);
        assert_eq!(health.state(), State::Stalled { why: "no broker".to_string() });
        health.trouble(Component::Output, "refused".to_string());
        health.well(Component::Input);
        assert_eq!(health.state(), State::Stalled { why: "refused".to_string() });
        health.well(Component::Output);
        assert_eq!(health.state(), State::Live);
    }
}
