//! Random rule sets and streams from a seed, dense in boundaries, ties and faults.
//!
//! Small domains on purpose: few accounts, devices and amounts, times on a coarse grid, so that windows end exactly on
//! events and keys meet again.

pub mod expressions;
pub mod features;
pub mod locks;
pub mod random;
pub mod rule_sets;
pub mod shrink;
pub mod stream;

use random::Random;

use super::rules::RuleSet;

/// A rule set and the lines of a stream.
#[derive(Clone)]
pub struct Trial {
    pub rules: RuleSet,
    pub lines: Vec<Vec<u8>>,
}

impl Trial {
    /// The trial of a seed; every eighth has one hot key and many events.
    pub fn from_seed(seed: u64) -> Trial {
        let mut random = Random::new(seed);
        let hot = seed % 8 == 7;
        let scale = *random.pick(&[1000, 30_000, 3_600_000]);
        let rules = rule_sets::rule_set(&mut random, scale, if hot { 400 } else { 20 });
        let count = if hot { random.between(300, 600) } else { random.between(30, 200) };
        let lines = stream::lines(&mut random, scale, count as usize, hot);
        Trial { rules, lines }
    }

    /// The stream as one text.
    pub fn stream(&self) -> Vec<u8> {
        self.lines.iter().flat_map(|line| line.iter().copied().chain([b'\n'])).collect()
    }
}
