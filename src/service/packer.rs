//! Lines of output become records: where each goes, under which key, from which place in the input.

use std::ops::Range;

use super::fold::{Fold, Heard, Sink};
use super::parcel::{Destination, Outcome, Parcel};
use crate::engine::encode::{write_lock_key, write_target};
use crate::engine::said::About;
use crate::model::money::Currency;
use crate::model::outcome::{Transition, TransitionKind};

/// Most timestamps kept of a batch.
const TIMES: usize = 64;

/// Fills a parcel.
pub struct Packer<'a> {
    parcel: &'a mut Parcel,
    currency: Currency,
}

impl<'a> Packer<'a> {
    /// For keys with amounts of this currency.
    pub fn new(parcel: &'a mut Parcel, currency: Currency) -> Packer<'a> {
        Packer { parcel, currency }
    }

    fn transition(&mut self, transition: &Transition, mut outcome: Outcome) {
        let (target, currency) = (&transition.target, self.currency);
        let key = self.parcel.key(|keys| write_target(keys, target, currency));
        let line = outcome.line.clone();
        outcome = Outcome { destination: Destination::LockEvents, key, ..outcome };
        let (source, sequence) = (outcome.source, outcome.sequence);
        self.parcel.outcomes.push(outcome);
        // A refused unlock changes nothing, and the end of an older lock nothing about the newest.
        if transition.kind != TransitionKind::UnlockRefused && transition.is_newest {
            let key = self.parcel.key(|keys| write_lock_key(keys, target, currency));
            self.parcel.outcomes.push(Outcome { destination: Destination::Locks, line, key, source, sequence });
        }
    }
}

impl Sink for Packer<'_> {
    fn line(&mut self, heard: &Heard) {
        let origin = heard.record.map(|record| heard.batch.origins[record]);
        let outcome = Outcome {
            destination: Destination::Decisions,
            line: Some(without_end(&heard.line)),
            key: None,
            source: origin.map(|origin| (origin.source as usize, origin.number)),
            sequence: heard.mark.sequence,
        };
        match heard.about {
            About::Decision { account, .. } => {
                let key = self.parcel.key(|keys| keys.extend_from_slice(account.as_bytes()));
                self.parcel.outcomes.push(Outcome { key, ..outcome });
            }
            About::Transition(transition) => self.transition(transition, outcome),
            About::Rejected(rejection) => {
                let start = self.parcel.keys.len();
                self.parcel.keys.extend_from_slice(rejection.detail.as_bytes());
                let detail = (start, self.parcel.keys.len());
                let destination = Destination::DeadLetters { code: rejection.code.name(), detail };
                let key = heard.key.and_then(|key| self.parcel.key(|keys| keys.extend_from_slice(key)));
                self.parcel.outcomes.push(Outcome { destination, key, ..outcome });
            }
            About::Evicted => self.parcel.outcomes.push(outcome),
        }
    }
}

/// What a batch or tick that was just folded leaves to be sent besides its lines.
pub fn finish(parcel: &mut Parcel, fold: &mut Fold) {
    let currency = fold.rules().currency;
    for target in fold.engine().forgotten() {
        let key = parcel.key(|keys| write_lock_key(keys, target, currency));
        let sequence = fold.mark().sequence;
        parcel.outcomes.push(Outcome { destination: Destination::Locks, line: None, key, source: None, sequence });
    }
    let origins = &fold.batch().origins;
    parcel.records = origins.len();
    let step = origins.len() / TIMES + 1;
    parcel.times.extend(origins.iter().step_by(step).filter_map(|origin| origin.timestamp));
    for origin in origins {
        // Fits: offsets came as non-negative numbers of 63 bits.
        parcel.next[origin.source as usize] = Some(origin.number.cast_signed() + 1);
    }
    parcel.after = fold.mark();
    fold.swap_entries(&mut parcel.entries);
    fold.swap_lines(&mut parcel.lines);
}

fn without_end(line: &Range<usize>) -> Range<usize> {
    line.start..line.end - 1
}
