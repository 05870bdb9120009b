//! The expressions that features, rules and locks look at: whoever schedules or follows them asks here.

use super::types::{Feature, Lock, LockDuration, ReasonPart, Rule};
use crate::expr::graph::NodeId;

impl Feature {
    /// Conditions: which events enter, and which hide what was before.
    pub fn conditions(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.filter.into_iter().chain(self.reset)
    }

    /// Keys and the aggregated expression.
    pub fn values(&self) -> impl Iterator<Item = NodeId> + '_ {
        let keys = self.by.iter().chain(self.read_by.iter().flatten()).map(|part| part.node);
        keys.chain(self.of.map(|(node, _)| node))
    }
}

impl Rule {
    /// What it shows when it fires: `values` and reasons.
    pub fn shown(&self) -> impl Iterator<Item = NodeId> + '_ {
        let reasons = self.reason.iter().flat_map(|(_, parts)| parts).filter_map(|part| match part {
            ReasonPart::Text(_) => None,
            ReasonPart::Value(named) => Some(named.node),
        });
        reasons.chain(self.values.iter().map(|named| named.node))
    }
}

impl Lock {
    /// Conditions, and the duration where it is computed.
    pub fn conditions(&self) -> impl Iterator<Item = NodeId> + '_ {
        let reset = self.backoff.as_ref().and_then(|backoff| backoff.reset);
        let duration = match self.duration {
            LockDuration::Computed(node) => Some(node),
            LockDuration::Fixed(_) | LockDuration::UntilUnlocked => None,
        };
        self.covers.into_iter().chain(self.release).chain(reset).chain(duration)
    }

    /// What it is set for, and what may equal that.
    pub fn keys(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.target.iter().chain(&self.covers_by).map(|part| part.node)
    }
}
