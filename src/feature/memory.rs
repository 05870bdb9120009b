//! The memory of a shard's records, and how much of it there is.
//!
//! What lies in pools says its size by itself. Hot series do not: each allocates as it grows, and to ask them all would
//! take long where there are many. So each notes what it was last seen to hold, and their sum is kept.

use super::hot::Hot;
use super::slab::Slab;
use super::words::Words;

/// The memory of a shard's records.
#[derive(Debug, Default)]
pub struct Memory {
    /// Records and strings.
    pub pool: Words,
    /// Series that outgrew their record; put there and dropped by the methods.
    pub hot: Slab<Hot>,
    /// Entries held, over all keys, for the bound on them.
    pub entries: u64,
    /// What the hot series were last seen to hold, bytes.
    hot_bytes: usize,
}

impl Memory {
    /// Keeps a series that outgrew its record; returns its index.
    pub fn put_hot(&mut self, hot: Hot) -> usize {
        let index = self.hot.insert(hot);
        self.recount(index);
        index
    }

    /// Drops a series.
    pub fn drop_hot(&mut self, index: usize) {
        if let Some(mut hot) = self.hot.remove(index) {
            self.hot_bytes -= *hot.counted();
        }
    }

    /// Looks at what a series holds by now. To be called now and then as it changes, not each time.
    pub fn recount(&mut self, index: usize) {
        let hot = self.hot.get_mut(index);
        let bytes = hot.bytes();
        let before = std::mem::replace(hot.counted(), bytes);
        self.hot_bytes = self.hot_bytes + bytes - before;
    }

    /// Bytes held, used or not.
    pub fn bytes(&self) -> usize {
        self.pool.bytes() + self.hot.bytes() + self.hot_bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feature::hot::HotSeries;
    use crate::feature::tree::Entry;

    #[test]
    fn what_comes_and_goes_leaves_only_room() {
        let mut memory = Memory::default();
        let empty = memory.bytes();
        let indices: Vec<usize> = (0..3).map(|_| memory.put_hot(Hot::Series(HotSeries::of_hashes()))).collect();
        let before = memory.bytes();
        for value in 0..10_000 {
            if let Hot::Series(series) = memory.hot.get_mut(indices[1]) {
                series.insert(Entry { time: value, extra: value as u128, ..Entry::default() });
            }
        }
        assert_eq!(memory.bytes(), before, "not looked at yet");
        memory.recount(indices[1]);
        assert!(memory.bytes() > before + 10_000 * (4 + 8 + 16 + 16), "{}", memory.bytes());
        indices.into_iter().for_each(|index| memory.drop_hot(index));
        assert_eq!((memory.hot_bytes, memory.bytes()), (0, empty + memory.hot.bytes()));
    }
}
