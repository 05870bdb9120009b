//! Output line by line, each with what it is about: for shells that send lines to different places. And ticks.

use std::ops::Range;

use super::decide::expire_due;
use super::facts::Facts;
use super::{BatchState, Emit, Engine};
use crate::feature::store::Executor;
use crate::model::action::Action;
use crate::model::batch::{Batch, Rejection};
use crate::model::events::TextField;
use crate::model::outcome::{Item, Transition};

/// What a line is about.
#[derive(Debug, Clone, Copy)]
pub enum About<'a> {
    /// A decision.
    Decision {
        /// The event's account.
        account: &'a str,
        /// What was decided.
        action: Action,
    },
    /// A lock transition.
    Transition(&'a Transition),
    /// A record that was not accepted.
    Rejected(&'a Rejection),
    /// A key whose state was given up.
    Evicted,
}

/// One line of output.
#[derive(Debug, Clone)]
pub struct Said<'a> {
    /// What it is about.
    pub about: About<'a>,
    /// The record (index into [`Batch::origins`]) at which it is said; `None` for a tick.
    pub record: Option<u32>,
    /// Where in the output the line lies, its line end included.
    pub line: Range<usize>,
}

impl Engine {
    /// As [`Engine::apply`], and tells `each` of every line in order.
    pub fn apply_each(
        &mut self,
        batch: &Batch,
        executor: &dyn Executor,
        emit: Emit,
        out: &mut Vec<u8>,
        each: &mut dyn FnMut(&[u8], Said),
    ) -> Facts {
        self.apply_with(batch, executor, |engine, state| engine.say(batch, state, emit, out, each))
    }

    fn say(&self, batch: &Batch, state: &BatchState, emit: Emit, out: &mut Vec<u8>, each: &mut dyn FnMut(&[u8], Said)) {
        let inputs = state.inputs(batch);
        let encoder = self.encoder(batch, state, &inputs);
        let records = records(batch, state);
        for (item, record) in state.outcome.items.iter().zip(records) {
            let silent = match emit {
                Emit::All => false,
                Emit::Flagged => matches!(item, Item::Decision(decision) if decision.is_bare()),
                Emit::None => true,
            };
            if !silent {
                let start = out.len();
                encoder.write(out, item);
                let about = about(batch, state, item);
                each(out, Said { about, record, line: start..out.len() });
            }
        }
    }

    /// Writes the end of the locks of a partition that run out at or before a time (ms), which no event may ever have
    /// said; moves no watermark. Returns how many there were.
    pub fn tick(
        &mut self,
        partition: u32,
        time: i64,
        emit: Emit,
        out: &mut Vec<u8>,
        each: &mut dyn FnMut(&[u8], Said),
    ) -> u64 {
        let mut state = std::mem::take(&mut self.batch);
        state.outcome.clear();
        self.book.start_forgetting();
        expire_due(&mut self.book, partition, time, &self.rules, &mut state.outcome);
        let batch = Batch::new(&[]);
        state.accepted.rejections.clear();
        self.say(&batch, &state, emit, out, each);
        let ended = state.outcome.transitions.len() as u64;
        self.batch = state;
        // No event may ever come after it that would do so.
        self.book.purge(self.intake.floor(&self.limits), &self.rules.rules);
        ended
    }

    /// The earliest end (ms) of a lock of a partition that was not written yet.
    pub fn next_end(&self, partition: u32) -> Option<i64> {
        self.book.due.get(partition as usize)?.first().map(|due| due.end)
    }
}

/// Per item the record at which it is said. An expiry is said at the event that brings it out, which comes next.
fn records(batch: &Batch, state: &BatchState) -> Vec<Option<u32>> {
    let items = &state.outcome.items;
    let mut records = vec![None; items.len()];
    let mut next = None;
    for (index, item) in items.iter().enumerate().rev() {
        let own = match item {
            Item::Rejected(index) => Some(rejection(batch, state, *index).record),
            Item::Decision(decision) => Some(batch.events.record[decision.row as usize]),
            Item::Transition(index) => {
                state.outcome.transitions[*index as usize].row.map(|row| batch.events.record[row as usize])
            }
            Item::Evicted(_) => None,
        };
        next = own.or(next);
        records[index] = next;
    }
    records
}

fn about<'a>(batch: &'a Batch, state: &'a BatchState, item: &Item) -> About<'a> {
    match item {
        Item::Rejected(index) => About::Rejected(rejection(batch, state, *index)),
        Item::Evicted(_) => About::Evicted,
        Item::Transition(index) => About::Transition(&state.outcome.transitions[*index as usize]),
        Item::Decision(decision) => About::Decision {
            account: batch.events.text_of(TextField::Account, decision.row as usize).unwrap_or_default(),
            action: decision.action,
        },
    }
}

/// A rejection by its number: those of decoding come first, then those of intake.
fn rejection<'a>(batch: &'a Batch, state: &'a BatchState, index: u32) -> &'a Rejection {
    let index = index as usize;
    batch.rejections.get(index).unwrap_or_else(|| &state.accepted.rejections[index - batch.rejections.len()])
}
