//! A bounded memory of what was seen with what, for metrics: which devices an account has used, and from which
//! partition it came.
//!
//! It is no part of the fold: nothing is decided by it, it begins empty with the process, and where two things fall into
//! the same slot the later one stays. So it may forget, and what it counts is a lower bound.

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

/// Slots of each memory: 8 MiB.
const SLOTS: usize = 1 << 20;
/// Of a slot the bits that hold a partition; the others hold what is left of an account's hash.
const PARTITION_BITS: u32 = 16;
/// Stands for an account that was counted.
const COUNTED: u64 = (1 << PARTITION_BITS) - 1;

/// What was seen lately.
pub struct Familiar {
    /// Hashes of account and device.
    devices: Box<[u64]>,
    /// The rest of an account's hash, and its partition.
    partitions: Box<[u64]>,
}

impl Default for Familiar {
    fn default() -> Familiar {
        Familiar { devices: vec![0; SLOTS].into(), partitions: vec![0; SLOTS].into() }
    }
}

/// What an account goes by here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known(u64);

impl Known {
    /// Of an account.
    pub fn of(account: &[u8]) -> Known {
        Known(xxh3_64(account))
    }
}

impl Familiar {
    /// An account has used a device without being stopped.
    pub fn saw_device(&mut self, account: Known, device: &[u8]) {
        let hash = pair(account, device);
        self.devices[slot(hash)] = hash;
    }

    /// Whether an account is remembered to have used a device.
    pub fn knows_device(&self, account: Known, device: &[u8]) -> bool {
        let hash = pair(account, device);
        self.devices[slot(hash)] == hash
    }

    /// Notes where an account's event came from; true the first time that it is another partition than before.
    pub fn is_elsewhere(&mut self, Known(hash): Known, partition: u32) -> bool {
        let rest = hash >> PARTITION_BITS << PARTITION_BITS;
        // One more, so that no slot in use is 0; the last partitions of a huge topic share a number.
        let here = rest | u64::from(partition).saturating_add(1).min(COUNTED - 1);
        let held = &mut self.partitions[slot(hash)];
        if *held == here || *held == rest | COUNTED {
            return false;
        }
        let is_same_account = *held >> PARTITION_BITS == hash >> PARTITION_BITS && *held != 0;
        *held = if is_same_account { rest | COUNTED } else { here };
        is_same_account
    }
}

/// Never 0, which is an empty slot.
fn pair(account: Known, device: &[u8]) -> u64 {
    xxh3_64_with_seed(device, account.0).max(1)
}

/// From bits that the rest of the hash does not hold as well.
fn slot(hash: u64) -> usize {
    hash as usize % SLOTS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_known_by_account() {
        let mut familiar = Familiar::default();
        familiar.saw_device(Known::of(b"a1"), b"phone");
        let known = [(b"a1", b"phone"), (b"a2", b"phone"), (b"a1", b"other")];
        let known = known.map(|(account, device)| familiar.knows_device(Known::of(account), device));
        assert_eq!(known, [true, false, false]);
    }

    #[test]
    fn an_account_in_two_partitions_is_counted_once() {
        let mut familiar = Familiar::default();
        let mut see = |partition| familiar.is_elsewhere(Known::of(b"a1"), partition);
        assert_eq!([0, 0, 3, 0, 3, 5].map(&mut see), [false, false, true, false, false, false]);
        assert!(!familiar.is_elsewhere(Known::of(b"a2"), 3) && !familiar.is_elsewhere(Known::of(b"a2"), 3));
        assert!(!familiar.is_elsewhere(Known::of(b"a3"), u32::MAX) && familiar.is_elsewhere(Known::of(b"a3"), 0));
    }
}
