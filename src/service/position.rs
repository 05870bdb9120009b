//! What stands beside each committed offset: where the output stood, so that whoever starts next knows what it must
//! come to.

use crate::journal::Mark;
use crate::kafka::Committed;

/// First word of the metadata; another version of it is not read.
const VERSION: &str = "lockkeeper/1";

/// The metadata for an offset.
pub fn write(mark: Mark, next_offset: i64) -> String {
    format!("{VERSION} seq={} hash={:032x} at={next_offset}", mark.sequence, mark.output_hash)
}

/// What the metadata of an offset says, if it is ours and belongs to just this offset.
pub fn read(committed: &Committed) -> Option<Mark> {
    let mut words = committed.metadata.split(' ');
    if words.next() != Some(VERSION) {
        return None;
    }
    let mut value = |name: &str| words.next()?.strip_prefix(name);
    let sequence = value("seq=")?.parse().ok()?;
    let output_hash = u128::from_str_radix(value("hash=")?, 16).ok()?;
    let at: i64 = value("at=")?.parse().ok()?;
    (at == committed.next_offset && words.next().is_none()).then_some(Mark { sequence, output_hash })
}

/// What a group has committed for all lanes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Nothing yet.
    Nothing,
    /// Where each lane stands, and the output.
    Whole {
        /// By lane: the next offset.
        next: Vec<i64>,
        /// Where the output stood.
        mark: Mark,
    },
    /// Offsets that we did not commit: the lane, and what was found there.
    Foreign {
        /// The lane.
        lane: usize,
        /// The offset and its metadata, or that there is none.
        found: Option<Committed>,
    },
}

/// Makes sense of the committed offsets of all lanes.
pub fn standing(committed: &[Option<Committed>]) -> Standing {
    if committed.iter().all(Option::is_none) {
        return Standing::Nothing;
    }
    let ours =
        |found: &Option<Committed>| found.as_ref().filter(|found| read(found).is_some()).map(|found| found.next_offset);
    if let Some(lane) = committed.iter().position(|found| ours(found).is_none()) {
        return Standing::Foreign { lane, found: committed[lane].clone() };
    }
    Standing::Whole { next: committed.iter().filter_map(ours).collect(), mark: newest(committed) }
}

/// Where the output stood at last. A transaction commits the lanes it read from, so the highest number is the last one.
pub fn newest(committed: &[Option<Committed>]) -> Mark {
    let marks = committed.iter().flatten().filter_map(read);
    marks.max_by_key(|mark| mark.sequence).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn committed(next_offset: i64, metadata: &str) -> Option<Committed> {
        Some(Committed { next_offset, metadata: metadata.to_string() })
    }

    #[test]
    fn metadata_belongs_to_its_offset() {
        let mark = Mark { sequence: 12, output_hash: 0xab << 120 };
        let text = write(mark, 7);
        assert_eq!(text, "lockkeeper/1 seq=12 hash=ab000000000000000000000000000000 at=7");
        assert_eq!(committed(7, &text).as_ref().and_then(read), Some(mark));
        for (offset, text) in [
            (8, text.clone()),
            (7, String::new()),
            (7, format!("{text} ")),
            (7, text.replace("/1", "/2")),
            (7, text.replace("seq=12", "seq=x")),
            (7, text.replace(" at=7", "")),
        ] {
            assert_eq!(committed(offset, &text).as_ref().and_then(read), None, "{offset} {text}");
        }
    }

    #[test]
    fn all_lanes_or_none_have_a_standing() {
        let at = |sequence, offset| committed(offset, &write(Mark { sequence, output_hash: sequence.into() }, offset));
        assert_eq!(standing(&[None, None]), Standing::Nothing);
        let whole = Standing::Whole { next: vec![3, 0, 9], mark: Mark { sequence: 5, output_hash: 5 } };
        assert_eq!(standing(&[at(4, 3), at(0, 0), at(5, 9)]), whole);
        assert_eq!(standing(&[at(4, 3), None]), Standing::Foreign { lane: 1, found: None });
        let moved = committed(2, "");
        assert_eq!(standing(&[moved.clone(), at(4, 3)]), Standing::Foreign { lane: 0, found: moved });
    }
}
