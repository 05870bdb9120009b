//! Labels: for every event of an attacker's one line that says `fraud`, and for a few honest payments one that says
//! `genuine`, as `label` events that come some time after the events they speak of.
//!
//! Beside the fields of an event a label carries the attack's name and number, the number of the event among the
//! attacker's, and whether it did damage; an engine ignores them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::chance::mix;
use super::line::{Line, Stamp};
use super::told::Told;

/// Whether labels are made, and where they go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Labels {
    /// None.
    #[default]
    None,
    /// Among the events.
    Among {
        /// So many ms after the events they speak of.
        delay: i64,
    },
    /// In a stream of their own, in the order of the events.
    Aside {
        /// So many ms after the events they speak of.
        delay: i64,
    },
}

impl Labels {
    /// How long they take, ms.
    pub fn delay(self) -> Option<i64> {
        match self {
            Labels::None => None,
            Labels::Among { delay } | Labels::Aside { delay } => Some(delay),
        }
    }
}

/// Of so many honest payments one is looked at and found genuine.
const LOOKED_AT: u64 = 100;

/// What a label says of an event; `None` where nobody looks.
fn verdict(told: &Told) -> Option<&'static str> {
    match told.part {
        Some(part) => Some(if part.act.is_some() { "fraud" } else { "genuine" }),
        None => (told.is_attempt && mix(LOOKED_AT, told.number).is_multiple_of(LOOKED_AT)).then_some("genuine"),
    }
}

/// Writes labels.
#[derive(Debug, Clone, Default)]
pub struct Labeller {
    stamp: Stamp,
}

impl Labeller {
    /// Appends the label of an event as it comes `delay` ms later; whether there is one.
    pub fn write(&mut self, told: &Told, delay: i64, out: &mut Vec<u8>) -> bool {
        let Some(verdict) = verdict(told) else { return false };
        let mut line = Line::open_label(out, told.number);
        line.raw(r#"","type":"label","time":""#).raw(self.stamp.text(told.time + delay));
        line.raw(r#"","account":"a"#).number(told.account);
        let (party, number) = told.counterparty;
        if !party.prefix().is_empty() {
            line.raw(r#"","counterparty":""#).raw(party.prefix()).number(number);
        }
        if let Some(device) = told.device {
            line.raw(r#"","device":"d"#).base36(device);
        }
        line.raw(r#"","label":""#).raw(verdict).raw(r#"","ref":"e"#).base36(told.number);
        if let Some(part) = told.part {
            line.raw(r#"","attack":""#).raw(part.kind.name()).raw(r#"","attack_number":"#).number_64(part.attack);
            if let Some(act) = part.act {
                line.raw(r#","act":"#).number(act).raw(r#","acts":"#).number(part.acts);
            }
            line.raw(r#","damages":"#).raw(if part.damages { "true" } else { "false" });
        } else {
            line.raw("\"");
        }
        line.close();
        true
    }
}

/// Labels that have not come yet, the earliest first.
#[derive(Debug, Clone, Default)]
pub struct Pending(BinaryHeap<Reverse<(i64, Told)>>);

impl Pending {
    /// A label will come for this event, if for any.
    pub fn add(&mut self, told: &Told, delay: i64) {
        if verdict(told).is_some() {
            self.0.push(Reverse((told.time + delay, *told)));
        }
    }

    /// The event whose label comes next, if it comes until `time`; `None` is the end of time.
    pub fn take(&mut self, time: Option<i64>) -> Option<Told> {
        let next = self.0.peek()?.0.0;
        if time.is_some_and(|time| next > time) {
            return None;
        }
        self.0.pop().map(|Reverse((_, told))| told)
    }
}
