//! What an engine holds and has let go: for gauges, and for shells that keep a copy of the locks elsewhere.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Engine;
use crate::model::outcome::Target;

impl Engine {
    /// Number of locks that are set and whose end was not written.
    pub fn active_locks(&self) -> u64 {
        self.book.active
    }

    /// The same per rule, in the order of the rule set. Walks all locks.
    pub fn locks_by_rule(&self) -> Vec<u64> {
        self.book.active_by_rule()
    }

    /// Per dimension its name (the `by` of its features, joined by `+`; `none` for `by: []`), about how many bytes it
    /// holds, and how many keys, by name. Walks no keys, so it may be asked every few seconds.
    pub fn state_sizes(&self) -> Vec<(String, u64, u64)> {
        let mut sizes: BTreeMap<String, (u64, u64)> = BTreeMap::new();
        for dimension in &self.store.dimensions {
            let (bytes, keys) = dimension.size();
            let sum = sizes.entry(dimension.name()).or_default();
            *sum = (sum.0 + bytes, sum.1 + keys);
        }
        sizes.into_iter().map(|(name, (bytes, keys))| (name, bytes, keys)).collect()
    }

    /// Rule and target of the locks that the last batch or tick let the engine forget: all of them are ended, and no
    /// event to come can meet them or build on them. By rule, then by the target's values.
    ///
    /// How soon after its end a lock is forgotten depends on how the events were cut into batches, so this belongs in
    /// nothing that is compared byte for byte.
    pub fn forgotten(&self) -> &[Arc<Target>] {
        self.book.forgotten()
    }
}
