//! The newest lock transitions with their reasons. Why a lock was set stands in the decision, which comes on another
//! topic, before or after; so both wait for each other, in bounded numbers.

use std::collections::VecDeque;

use crate::model::outcome::TransitionKind;

/// Transitions kept.
const KEPT: usize = 50;
/// Reasons kept for transitions still to come.
const REASONS: usize = 256;

/// A lock transition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// What happened.
    pub kind: TransitionKind,
    /// The rule that set the lock.
    pub rule: String,
    /// Names and values of what is locked.
    pub target: Vec<(String, String)>,
    /// The lock's start.
    pub start: String,
    /// Its end; `None` where there is none.
    pub end: Option<String>,
    /// The event that caused it.
    pub event: Option<String>,
    /// Why, in the words of the rule.
    pub reason: Option<String>,
}

/// Transitions and reasons.
#[derive(Debug, Default)]
pub struct News {
    moments: VecDeque<Moment>,
    /// Event, rule, and what the rule said.
    reasons: VecDeque<(String, String, String)>,
}

impl News {
    /// A transition has been read.
    pub fn add(&mut self, mut moment: Moment) {
        let is_its =
            |(event, rule, _): &(String, String, String)| moment.event.as_ref() == Some(event) && moment.rule == *rule;
        if moment.kind == TransitionKind::Locked
            && let Some(at) = self.reasons.iter().position(is_its)
        {
            moment.reason = self.reasons.remove(at).map(|(.., text)| text);
        }
        self.moments.truncate(KEPT - 1);
        self.moments.push_front(moment);
    }

    /// A rule has said why an event locks.
    pub fn explain(&mut self, event: &str, rule: &str, text: String) {
        let is_its = |moment: &&mut Moment| {
            moment.kind == TransitionKind::Locked && moment.event.as_deref() == Some(event) && moment.rule == rule
        };
        if let Some(moment) = self.moments.iter_mut().find(is_its) {
            moment.reason = Some(text);
            return;
        }
        self.reasons.truncate(REASONS - 1);
        self.reasons.push_front((event.to_owned(), rule.to_owned(), text));
    }

    /// All, newest first.
    pub fn iter(&self) -> impl Iterator<Item = &Moment> {
        self.moments.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(event: &str) -> Moment {
        let text = |text: &str| text.to_owned();
        let kind = TransitionKind::Locked;
        Moment {
            kind,
            rule: text("r"),
            target: Vec::new(),
            start: text("s"),
            end: None,
            event: Some(text(event)),
            reason: None,
        }
    }

    #[test]
    fn neither_transitions_nor_reasons_grow_without_end() {
        let mut news = News::default();
        for number in 0..1000 {
            news.add(moment(&format!("e{number}")));
            news.explain(&format!("f{number}"), "r", "why".to_owned());
        }
        assert_eq!((news.iter().count(), news.reasons.len()), (KEPT, REASONS));
        assert_eq!(news.iter().next().and_then(|moment| moment.event.as_deref()), Some("e999"));
    }

    #[test]
    fn a_reason_belongs_to_an_event_and_a_rule() {
        let mut news = News::default();
        news.explain("e1", "other", "wrong".to_owned());
        news.explain("e2", "r", "wrong".to_owned());
        news.add(moment("e1"));
        assert_eq!(news.iter().next().and_then(|moment| moment.reason.as_deref()), None);
        news.explain("e1", "r", "right".to_owned());
        assert_eq!(news.iter().next().and_then(|moment| moment.reason.as_deref()), Some("right"));
    }
}
