//! Which chains of locks an event meets: those watched under one of its keys.
//!
//! Keys are computed per batch and watch, and only once a watch has chains at all.

use super::decide::Bench;
use super::lockbook::LockBook;
use crate::feature::keys::{Expressions, KeyColumn};

/// What the decide step keeps for its memory alone.
#[derive(Debug, Default)]
pub struct Scratch {
    /// Keys by watch; empty until they are needed.
    pub(super) keys: Vec<KeyColumn>,
    /// The chains that the event at hand meets.
    pub(super) meetings: Vec<Meeting>,
}

impl Scratch {
    /// Forgets the keys of the last batch.
    pub fn start(&mut self) {
        self.keys.iter_mut().for_each(|column| column.hash.clear());
    }
}

/// A chain an event meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Meeting {
    /// The chain.
    pub chain: usize,
    /// Whether the event has the target's own values.
    pub as_target: bool,
    /// Whether the event has a value that the lock covers.
    pub as_cover: bool,
}

impl Bench<'_> {
    /// The keys of a watch, computed when first asked for.
    pub(super) fn key<'k>(
        keys: &'k mut Vec<KeyColumn>,
        book: &LockBook,
        watch: usize,
        expressions: Expressions,
    ) -> &'k KeyColumn {
        if keys.len() < book.watches.len() {
            keys.resize_with(book.watches.len(), KeyColumn::default);
        }
        let rows = expressions.inputs.events.len();
        if keys[watch].hash.len() != rows {
            keys[watch].fill(&book.watches[watch].parts, expressions, rows);
        }
        &keys[watch]
    }

    /// Finds the chains an event meets, in order.
    pub(super) fn meet(&mut self, book: &LockBook, row: usize, meetings: &mut Vec<Meeting>) {
        meetings.clear();
        for (index, watch) in book.watches.iter().enumerate() {
            if watch.chains.is_empty() {
                continue;
            }
            let column = Self::key(&mut self.scratch.keys, book, index, self.expressions);
            if !column.present[row] {
                continue;
            }
            for &id in watch.chains.get(&column.hash[row]).into_iter().flatten() {
                let chain = book.chains.get(id);
                let Some(watched) = book.watched[chain.rule].as_ref().filter(|_| chain.key == column.key(row)) else {
                    continue;
                };
                let (as_target, as_cover) = (watched.target == index, watched.covers.contains(&index));
                match meetings.iter_mut().find(|meeting| meeting.chain == id) {
                    Some(known) => {
                        known.as_target |= as_target;
                        known.as_cover |= as_cover;
                    }
                    None => meetings.push(Meeting { chain: id, as_target, as_cover }),
                }
            }
        }
    }
}
