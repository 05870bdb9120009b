//! What stands between the values of a record: a producer writes it alike every time, so it is known before it is read.
//!
//! Behind a value come a comma, the next key and a colon, perhaps with spaces: `,"account":`. The scanner remembers
//! these bytes with the field they lead to. Where the same bytes stand again, three word compares tell the field and
//! that the syntax is right. It is a guess that is checked, so it changes the speed alone.

use super::field::SLOTS;
use super::string::window;

/// The words compared; what is longer is not remembered.
const WORDS: usize = 3;

/// The bytes before the value of one built-in field, padded with zeros that do not count.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(super) struct Joint {
    words: [u64; WORDS],
    masks: [u64; WORDS],
    len: u32,
    slot: u32,
}

impl Joint {
    /// What never stands anywhere: text is UTF-8, which has no byte 255.
    const NOWHERE: Joint = Joint { words: [u64::MAX; WORDS], masks: [u64::MAX; WORDS], len: 0, slot: 0 };

    /// Remembers `bytes`; [`Joint::NOWHERE`] if they are too many.
    fn new(bytes: &[u8], slot: usize) -> Joint {
        if bytes.len() > 8 * WORDS {
            return Joint::NOWHERE;
        }
        let mut joint = Joint { words: [0; WORDS], masks: [0; WORDS], len: bytes.len() as u32, slot: slot as u32 };
        for (at, &byte) in bytes.iter().enumerate() {
            joint.words[at / 8] |= u64::from(byte) << (at % 8 * 8);
            joint.masks[at / 8] |= 0xff << (at % 8 * 8);
        }
        joint
    }

    /// Whether its bytes stand at `at`.
    #[inline(always)]
    pub(super) fn stands_at(&self, text: &[u8], at: usize) -> bool {
        let Some(bytes) = window(text, at) else { return false };
        let (words, _) = bytes.as_chunks::<8>();
        let differs = |at: usize| (u64::from_le_bytes(words[at]) ^ self.words[at]) & self.masks[at];
        differs(0) | differs(1) | differs(2) == 0
    }

    /// The number of the field it leads to.
    #[inline(always)]
    pub(super) fn slot(&self) -> usize {
        self.slot as usize
    }

    /// How many bytes it has.
    #[inline(always)]
    pub(super) fn len(&self) -> usize {
        self.len as usize
    }
}

/// The start of a record, as the field before the first.
pub(super) const START: usize = SLOTS.len();
/// A key that names no built-in field, as the field before another.
pub(super) const OTHER: usize = SLOTS.len() + 1;
/// The number of fields and those two, rounded up to a power of two so that an index needs no check.
const PLACES: usize = (SLOTS.len() + 2).next_power_of_two();

/// The joints seen last, by the field before: optional fields come and go, so two of each, the last one first.
#[derive(Debug)]
pub(super) struct Joints([[Joint; 2]; PLACES]);

impl Default for Joints {
    fn default() -> Self {
        Joints([[Joint::NOWHERE; 2]; PLACES])
    }
}

impl Joints {
    /// What followed the value of `before` last time.
    #[inline(always)]
    pub(super) fn expected(&self, before: usize) -> &Joint {
        &self.0[before % PLACES][0]
    }

    /// What followed it one of the last two times, if it stands at `at`.
    #[inline]
    pub(super) fn find(&mut self, before: usize, text: &[u8], at: usize) -> Option<&Joint> {
        let last_two = &mut self.0[before % PLACES];
        if !last_two[0].stands_at(text, at) {
            if !last_two[1].stands_at(text, at) {
                return None;
            }
            last_two.swap(0, 1);
        }
        Some(&last_two[0])
    }

    /// Remembers the bytes between the value of `before` and that of a built-in field, for the oldest of the two.
    pub(super) fn learn(&mut self, before: usize, bytes: &[u8], slot: usize) {
        let last_two = &mut self.0[before % PLACES];
        last_two.swap(0, 1);
        last_two[0] = Joint::new(bytes, slot);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEHIND: &str = "\"value\",\"another\":\"value\",\"last\":1}";

    #[test]
    fn a_joint_stands_where_all_its_bytes_do() {
        for bytes in ["{\"id\":", ",\"account\":", ",\"counterparty\":", " , \"merchant_category\":"] {
            let joint = Joint::new(bytes.as_bytes(), 3);
            assert_eq!((joint.slot(), joint.len()), (3, bytes.len()));
            let text = format!("{bytes}{BEHIND}").into_bytes();
            assert!(joint.stands_at(&text, 0), "{bytes}");
            for at in 0..bytes.len() {
                let mut other = text.clone();
                other[at] ^= 1;
                assert!(!joint.stands_at(&other, 0), "{bytes} {at}");
            }
            assert!(!joint.stands_at(bytes.as_bytes(), 1));
            assert!(!joint.stands_at(&text, text.len() + 1));
        }
    }

    #[test]
    fn the_last_two_are_remembered() {
        let mut joints = Joints::default();
        let text = format!(",\"b\":{BEHIND}").into_bytes();
        assert!(!joints.expected(START).stands_at(&text, 0) && joints.find(START, &text, 0).is_none());
        joints.learn(START, b",\"b\":", 1);
        assert!(joints.expected(START).stands_at(&text, 0));
        joints.learn(START, b",\"c\":", 2);
        assert_eq!(joints.expected(START).slot(), 2);
        assert_eq!(joints.find(START, &text, 0).map(Joint::slot), Some(1));
        assert_eq!(joints.expected(START).slot(), 1);
        joints.learn(START, &[b' '; 8 * WORDS + 1], 4);
        assert!(!joints.expected(START).stands_at(&[b' '; 64], 0));
    }
}
