//! What keeps the input from going on, until it is seen to go on.
//!
//! The client library says when something is wrong, and says nothing when it is right again. A partition that brings
//! something is well; but a silent one brings nothing, and that another one does shows little. So while something is
//! wrong, the brokers are asked.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::clock::instant;
use super::health::Component;
use super::http::Shared;

/// Between two questions to the brokers.
const PAUSE: Duration = Duration::from_secs(1);

/// What is wrong with the input.
pub struct Troubles {
    /// Whom to tell; nobody of a replay in the background, which only says it in the log.
    shared: Option<Shared>,
    /// With the client as a whole.
    client: Option<String>,
    /// By lane, with whether an answer of its broker shows that it is over.
    lanes: BTreeMap<usize, (String, bool)>,
    asked: Instant,
}

impl Troubles {
    /// None so far.
    pub fn new(shared: Option<Shared>) -> Troubles {
        Troubles { shared, client: None, lanes: BTreeMap::new(), asked: instant() }
    }

    /// Brokers are away, or the like.
    pub fn of_client(&mut self, why: String) {
        self.say(&why);
        self.client = Some(why);
    }

    /// A lane does not go on; `until_answered` where an answer of its broker shows that it does.
    pub fn of_lane(&mut self, lane: usize, why: String, until_answered: bool) {
        self.say(&why);
        self.lanes.insert(lane, (why, until_answered));
    }

    /// A lane has brought something.
    pub fn goes_on(&mut self, lane: usize) {
        if self.lanes.remove(&lane).is_some() {
            self.tell();
        }
    }

    /// Whether it is time to ask the brokers; it is not time again for a while.
    pub fn is_question_due(&mut self) -> bool {
        let may_end = self.client.is_some() || self.lanes.values().any(|(_, until_answered)| *until_answered);
        let is_due = may_end && self.asked.elapsed() >= PAUSE;
        if is_due {
            self.asked = instant();
        }
        is_due
    }

    /// The brokers of all lanes have answered.
    pub fn answered(&mut self) {
        self.client = None;
        self.lanes.retain(|_, (_, until_answered)| !*until_answered);
        self.tell();
    }

    fn say(&self, why: &str) {
        match &self.shared {
            Some(shared) => shared.health.trouble(Component::Input, why.to_owned()),
            None => tracing::warn!("{why}"),
        }
    }

    /// Says what is left of it.
    fn tell(&self) {
        let Some(shared) = &self.shared else { return };
        match self.lanes.values().map(|(why, _)| why).chain(&self.client).next() {
            Some(why) => shared.health.trouble(Component::Input, why.clone()),
            None => shared.health.well(Component::Input),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Build, Metrics};
    use crate::service::health::State;
    use std::sync::Arc;

    fn troubles() -> (Troubles, Shared) {
        let metrics = Arc::new(Metrics::new(Build { version: "0", kafka: "0" }).expect("metrics"));
        let shared = Shared { metrics, health: Arc::default(), status: Arc::default() };
        shared.health.set(State::Live);
        (Troubles::new(Some(shared.clone())), shared)
    }

    fn check(shared: &Shared, expected: Option<&str>) {
        assert_eq!(shared.health.state().reason().as_deref(), expected);
    }

    #[test]
    fn what_one_lane_brings_does_not_mend_another() {
        let (mut troubles, shared) = troubles();
        troubles.of_lane(3, "unreadable".to_owned(), false);
        troubles.of_lane(4, "no leader".to_owned(), true);
        troubles.goes_on(2);
        troubles.goes_on(4);
        check(&shared, Some("unreadable"));
        troubles.answered();
        check(&shared, Some("unreadable"));
        troubles.goes_on(3);
        check(&shared, None);
    }

    #[test]
    fn an_answer_shows_that_brokers_are_back() {
        let (mut troubles, shared) = troubles();
        assert!(!troubles.is_question_due(), "nothing is wrong");
        troubles.of_client("down".to_owned());
        troubles.of_lane(1, "no leader".to_owned(), true);
        troubles.goes_on(0);
        check(&shared, Some("no leader"));
        troubles.asked = troubles.asked.checked_sub(PAUSE).expect("the machine has run for longer");
        assert!(troubles.is_question_due() && !troubles.is_question_due(), "not at once again");
        troubles.answered();
        check(&shared, None);
    }
}
