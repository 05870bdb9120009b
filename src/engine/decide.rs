//! The decide step: event by event in input order, locks are met, set, ended, and the decision is made.
//!
//! Everything that needs only the event was computed as columns; what is left touches little, as most events fire no
//! rule and meet no lock.

use std::sync::Arc;

use super::backoff;
use super::lockbook::{Chain, LATEST_END, Lock, LockBook, retain_needed};
use super::meeting::{Meeting, Scratch};
use super::verdict::{Verdicts, truths};
use crate::expr::eval::{ColumnData, Truth};
use crate::expr::graph::NodeId;
use crate::feature::keys::{self, Expressions};
use crate::model::events::{Events, TextField};
use crate::model::outcome::{Cover, Decision, Item, Outcome, Transition, TransitionKind};
use crate::ruleset::types::{Action, Lock as LockRule, LockDuration, Mode, RuleSet};

/// What the decide step works on, for one batch.
pub struct Bench<'a> {
    /// The rule set.
    pub rules: &'a RuleSet,
    /// The batch's events.
    pub events: &'a Events,
    /// Expression columns.
    pub expressions: Expressions<'a>,
    /// What the rules say.
    pub verdicts: &'a Verdicts,
    /// Per row: the lowest time an event can still have.
    pub floor: &'a [i64],
    /// Memory of the step.
    pub scratch: &'a mut Scratch,
}

/// What an event is to locks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Ordinary,
    Unlock,
    /// `freeze` and `label`: never covered.
    Exempt,
}

impl Bench<'_> {
    /// Decides about one accepted event. `sequence` numbers the events accepted by the engine.
    pub fn decide(&mut self, book: &mut LockBook, row: usize, partition: u32, sequence: u64, out: &mut Outcome) {
        self.expire(book, row, partition, out);
        let mut meetings = std::mem::take(&mut self.scratch.meetings);
        self.meet(book, row, &mut meetings);
        if meetings.is_empty() && !self.verdicts.any[row] {
            out.items.push(Item::Decision(self.plain_decision(row, out)));
        } else {
            self.decide_with_grounds(book, row, partition, sequence, &meetings, out);
        }
        self.scratch.meetings = meetings;
    }

    /// A decision without rules and locks.
    fn plain_decision(&self, row: usize, out: &Outcome) -> Decision {
        let (hits, covers) = (out.hits.len() as u32, out.covers.len() as u32);
        let (action, score) = (self.verdicts.action[row], self.verdicts.score[row]);
        Decision { row: row as u32, action, score, hits: (hits, hits), covers: (covers, covers) }
    }

    fn decide_with_grounds(
        &mut self,
        book: &mut LockBook,
        row: usize,
        partition: u32,
        sequence: u64,
        meetings: &[Meeting],
        out: &mut Outcome,
    ) {
        let mut decision = self.plain_decision(row, out);
        decision.covers = self.covers(book, row, meetings, out);
        decision.hits = self.hits(row, out);
        let before = out.transitions.len();
        let decision_at = out.items.len();
        out.items.push(Item::Decision(decision)); // replaced below, when the action is known
        if self.verdicts.any[row] {
            decision.action = decision.action.max(self.fire(book, row, partition, sequence, out));
        }
        if decision.covers.0 < decision.covers.1 {
            decision.action = decision.action.max(Action::Deny);
        }
        if !meetings.is_empty() {
            self.end_locks(book, row, sequence, meetings, out);
        }
        out.items[decision_at] = Item::Decision(decision);
        sort_transitions(&mut out.transitions[before..]);
        out.items.extend((before..out.transitions.len()).map(|index| Item::Transition(index as u32)));
    }

    fn expire(&self, book: &mut LockBook, row: usize, partition: u32, out: &mut Outcome) {
        expire_due(book, partition, self.events.time[row], self.rules, out);
    }

    fn role(&self, row: usize) -> Role {
        match self.events.text_of(TextField::Type, row) {
            Some("unlock") => Role::Unlock,
            Some("freeze" | "label") => Role::Exempt,
            _ => Role::Ordinary,
        }
    }

    fn covers(&self, book: &LockBook, row: usize, meetings: &[Meeting], out: &mut Outcome) -> (u32, u32) {
        let start = out.covers.len();
        if !meetings.is_empty() && self.role(row) == Role::Ordinary {
            let time = self.events.time[row];
            for meeting in meetings.iter().filter(|meeting| meeting.as_cover) {
                let chain = book.chains.get(meeting.chain);
                if !self.applies(self.lock_rule(chain).and_then(|lock| lock.covers), row) {
                    continue;
                }
                let target = &chain.target;
                let covering = chain.locks.iter().filter(|lock| lock.ends_after(time));
                out.covers.extend(covering.map(|lock| Cover {
                    target: Arc::clone(target),
                    start: lock.start,
                    until: lock.end,
                }));
            }
            out.covers[start..].sort_by(|a, b| {
                (&a.target.rule, a.start, &a.target.texts).cmp(&(&b.target.rule, b.start, &b.target.texts))
            });
        }
        (start as u32, out.covers.len() as u32)
    }

    /// Whether `covers` holds; what cannot be decided is covered.
    fn applies(&self, covers: Option<NodeId>, row: usize) -> bool {
        covers.is_none_or(|node| truths(self.expressions.evaluator, node)[row] != Truth::False)
    }

    fn is_true(&self, node: Option<NodeId>, row: usize) -> bool {
        node.is_some_and(|node| truths(self.expressions.evaluator, node)[row] == Truth::True)
    }

    fn lock_rule(&self, chain: &Chain) -> Option<&LockRule> {
        self.rules.rules[chain.rule].lock.as_ref()
    }

    fn hits(&self, row: usize, out: &mut Outcome) -> (u32, u32) {
        let start = out.hits.len() as u32;
        if self.verdicts.any[row] {
            let fired = (0..self.rules.rules.len()).filter(|&rule| self.verdicts.fired[rule][row]);
            out.hits.extend(fired.map(|rule| rule as u32));
        }
        (start, out.hits.len() as u32)
    }

    /// Lets the fired locking rules lock; returns the action they come to: `lock`, or `deny` where there is no target
    /// or duration.
    fn fire(&mut self, book: &mut LockBook, row: usize, partition: u32, sequence: u64, out: &mut Outcome) -> Action {
        let mut action = Action::Allow;
        for rule in 0..self.rules.rules.len() {
            let locks = self.rules.rules[rule].mode == Mode::Enforce && self.rules.rules[rule].lock.is_some();
            if locks && self.verdicts.fired[rule][row] {
                action = action.max(self.lock(book, rule, row, partition, sequence, out));
            }
        }
        action
    }

    /// One firing of a locking rule.
    fn lock(
        &mut self,
        book: &mut LockBook,
        rule: usize,
        row: usize,
        partition: u32,
        sequence: u64,
        out: &mut Outcome,
    ) -> Action {
        let Some((lock_rule, watch)) =
            self.rules.rules[rule].lock.as_ref().zip(book.watched[rule].as_ref().map(|watched| watched.target))
        else {
            return Action::Deny;
        };
        let Some(base) = self.base_duration(lock_rule, row) else { return Action::Deny };
        let column = Self::key(&mut self.scratch.keys, book, watch, self.expressions);
        if !column.present[row] {
            return Action::Deny;
        }
        let (hash, key) = (column.hash[row], column.key(row).to_vec());
        let time = self.events.time[row];
        let chain = book.find(rule, hash, &key);
        let newest = chain.and_then(|id| book.chains.get(id).locks.last().cloned().map(|lock| (id, lock)));
        if let Some((id, newest)) = newest.filter(|(_, lock)| lock.ends_after(time)) {
            self.extend(book, lock_rule, id, &newest, base, row, out);
            return Action::Lock;
        }
        let level = backoff::next_level(chain.map(|id| book.chains.get(id)), lock_rule.backoff.as_ref(), time);
        let length = base.and_then(|base| backoff::duration(base, lock_rule.backoff.as_ref(), level));
        let end = length.map(|length| time.saturating_add(length).min(LATEST_END));
        let id = chain.unwrap_or_else(|| book.start_chain(self.new_chain(rule, hash, key, lock_rule)));
        book.set(id, Lock { start: time, end, level, closed: false, set_by: sequence, partition });
        retain_needed(book.chains.get_mut(id), self.floor[row]);
        self.note(book, TransitionKind::Locked, id, book.newest(id), row, out);
        Action::Lock
    }

    fn new_chain(&self, rule: usize, hash: u64, key: Vec<u8>, lock: &LockRule) -> Chain {
        let target = super::snapshot::target(self.rules, rule, &keys::decode(&lock.target, &key));
        Chain { rule, key, hash, target: Arc::new(target), locks: Vec::new(), relaxed: false }
    }

    /// The rule's `for`: outer `None` where it is in error or not positive, inner `None` for no end.
    fn base_duration(&self, lock: &LockRule, row: usize) -> Option<Option<i64>> {
        match lock.duration {
            LockDuration::UntilUnlocked => Some(None),
            LockDuration::Fixed(length) => Some(Some(length)).filter(|_| length > 0),
            LockDuration::Computed(node) => match self.expressions.evaluator.column(node) {
                ColumnData::I64(column) => column.get(row).filter(|&length| length > 0).map(Some),
                ColumnData::Bool(_) | ColumnData::F64(_) | ColumnData::Ip(_) | ColumnData::Text(_) => None,
            },
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one firing meeting one lock")]
    fn extend(
        &self,
        book: &mut LockBook,
        rule: &LockRule,
        id: usize,
        newest: &Lock,
        base: Option<i64>,
        row: usize,
        out: &mut Outcome,
    ) {
        let time = self.events.time[row];
        if !rule.extend || newest.closed || time < newest.start {
            return;
        }
        let length = base.and_then(|base| backoff::duration(base, rule.backoff.as_ref(), newest.level));
        let Some((length, end)) = length.zip(newest.end) else { return };
        let later = time.saturating_add(length).min(LATEST_END);
        if later > end {
            let index = book.newest(id);
            book.move_end(id, index, later);
            self.note(book, TransitionKind::Extended, id, index, row, out);
        }
    }

    /// Notes what happened to a lock of a chain.
    fn note(&self, book: &LockBook, kind: TransitionKind, id: usize, index: usize, row: usize, out: &mut Outcome) {
        out.transitions.push(Transition { row: Some(row as u32), ..transition(book, kind, id, index) });
    }

    /// Unlocks, then releases, then backoff resets.
    fn end_locks(&self, book: &mut LockBook, row: usize, sequence: u64, meetings: &[Meeting], out: &mut Outcome) {
        let targets = meetings.iter().filter(|meeting| meeting.as_target).map(|meeting| meeting.chain);
        if self.role(row) == Role::Unlock {
            targets.clone().for_each(|id| self.unlock(book, id, row, sequence, out));
        }
        targets.clone().for_each(|id| self.release(book, id, row, sequence, out));
        for id in targets {
            let backoff = self.lock_rule(book.chains.get(id)).and_then(|lock| lock.backoff.as_ref());
            if self.is_true(backoff.and_then(|backoff| backoff.reset), row) {
                let chain = book.chains.get_mut(id);
                chain.relaxed |= chain.locks.last().is_some_and(|newest| newest.set_by < sequence);
            }
        }
    }

    /// Indices of the chain's open locks that an earlier event set and that end after the event.
    fn open_locks(&self, book: &LockBook, id: usize, row: usize, sequence: u64) -> Vec<usize> {
        let time = self.events.time[row];
        let locks = book.chains.get(id).locks.iter().enumerate();
        locks.filter(|(_, l)| !l.closed && l.set_by < sequence && l.ends_after(time)).map(|(index, _)| index).collect()
    }

    fn unlock(&self, book: &mut LockBook, id: usize, row: usize, sequence: u64, out: &mut Outcome) {
        let chain = book.chains.get(id);
        let Some(rule) = self.lock_rule(chain) else { return };
        let concerned = match self.events.text_of(TextField::Rule, row) {
            Some(named) => named == chain.target.rule,
            None => rule.target.iter().any(|part| part.name == "account"),
        };
        if !concerned {
            return;
        }
        let proof = self.events.text_of(TextField::Proof, row);
        let failed = self.events.text_of(TextField::Outcome, row) == Some("failure");
        let accepted = !failed && proof.is_some_and(|proof| rule.unlock.iter().any(|listed| listed == proof));
        for index in self.open_locks(book, id, row, sequence) {
            if accepted {
                self.end(book, TransitionKind::Unlocked, id, index, row, out);
            } else {
                self.note(book, TransitionKind::UnlockRefused, id, index, row, out);
            }
        }
    }

    fn release(&self, book: &mut LockBook, id: usize, row: usize, sequence: u64, out: &mut Outcome) {
        let release = self.lock_rule(book.chains.get(id)).and_then(|lock| lock.release);
        if self.is_true(release, row) {
            for index in self.open_locks(book, id, row, sequence) {
                self.end(book, TransitionKind::Released, id, index, row, out);
            }
        }
    }

    fn end(&self, book: &mut LockBook, kind: TransitionKind, id: usize, index: usize, row: usize, out: &mut Outcome) {
        let end = book.chains.get(id).locks[index].start.max(self.events.time[row]);
        book.close(id, index, end, &self.rules.rules);
        self.note(book, kind, id, index, row, out);
    }
}

/// Ends the locks of a partition that run out at or before a time (ms), in order of their ends.
pub fn expire_due(book: &mut LockBook, partition: u32, time: i64, rules: &RuleSet, out: &mut Outcome) {
    while let Some(due) = book.next_due(partition, time) {
        if let Some(transition) = expire_lock(book, due.chain, due.set_by, due.end, rules) {
            out.items.push(Item::Transition(out.transitions.len() as u32));
            out.transitions.push(transition);
        }
    }
}

/// Writes the end of a lock that has run out.
pub fn expire_lock(book: &mut LockBook, id: usize, set_by: u64, end: i64, rules: &RuleSet) -> Option<Transition> {
    let chain = book.chains.get(id);
    let index = chain.locks.iter().position(|lock| lock.set_by == set_by)?;
    book.close(id, index, end, &rules.rules);
    Some(transition(book, TransitionKind::Expired, id, index))
}

/// A transition of a lock that is as it is afterwards.
fn transition(book: &LockBook, kind: TransitionKind, id: usize, index: usize) -> Transition {
    let chain = book.chains.get(id);
    let &Lock { start, end, level, .. } = &chain.locks[index];
    let is_newest = index == book.newest(id);
    Transition { kind, target: Arc::clone(&chain.target), start, end, level, row: None, is_newest }
}

/// By rule, then the target's values, then firing, unlock, release: the order of their kinds.
fn sort_transitions(transitions: &mut [Transition]) {
    if transitions.len() > 1 {
        transitions
            .sort_by(|a, b| (&a.target.rule, &a.target.texts, a.kind).cmp(&(&b.target.rule, &b.target.texts, b.kind)));
    }
}
