//! A record written anew: what is kept of each changed region, with its new entry, and all between as it was.

use super::record::{self, HEAD, LENGTH, Region};
use super::series::SUPERSEDED_WORD;

/// A stream's region in a record.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// The record.
    pub record: &'a [u32],
    /// The stream.
    pub stream: usize,
    /// Where it lies.
    pub region: Region,
}

/// What becomes of the entries of a stream before a new one is added.
#[derive(Default)]
pub struct Edit<'a, const STRIDE: usize> {
    /// The entries.
    pub entries: &'a [[u32; STRIDE]],
    /// Those before this rank go.
    pub from: usize,
    /// This one goes too.
    pub dropped: Option<usize>,
    /// This one has the value of the new one.
    pub superseded: Option<usize>,
}

/// The record as it will be; kept from visit to visit for its memory.
#[derive(Debug, Default)]
pub struct Draft {
    words: Vec<u32>,
    /// How many words of the record are dealt with.
    copied: usize,
}

impl Draft {
    /// Forgets the record before.
    #[inline(always)]
    pub fn start(&mut self) {
        self.copied = 0;
    }

    /// Whether nothing was replaced yet.
    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.copied == 0
    }

    /// The record, once finished.
    pub fn words(&self) -> &[u32] {
        &self.words
    }

    /// Writes a region anew, after what lies before it. Returns by how many entries it grew.
    #[inline(always)]
    pub fn replace<const STRIDE: usize>(&mut self, place: Place, edit: Edit<STRIDE>, entry: [u32; STRIDE]) -> i64 {
        if self.is_empty() {
            self.words.clear();
        }
        self.words.extend_from_slice(&place.record[self.copied..place.region.start]);
        self.copied = place.region.start + place.region.words;
        let start = self.words.len();
        let kept = match edit.dropped {
            None => [&edit.entries[edit.from..], &[]],
            Some(rank) => [&edit.entries[edit.from..rank], &edit.entries[rank + 1..]],
        };
        self.words.extend_from_slice(kept[0].as_flattened());
        self.words.extend_from_slice(kept[1].as_flattened());
        if let Some(rank) = edit.superseded {
            // Whatever was dropped lay before it.
            let behind = (edit.entries.len() - 1 - rank) * STRIDE;
            let last = self.words.len() - 1 - behind;
            self.words[last] |= SUPERSEDED_WORD;
        }
        self.words.extend_from_slice(&entry);
        let length = self.words.len() - start;
        let directory = &mut self.words[HEAD + place.stream];
        *directory = *directory & !LENGTH | length as u32;
        (length / STRIDE) as i64 - edit.entries.len() as i64
    }

    /// Adds the rest of the record, and moves the regions' starts.
    pub fn finish(&mut self, record: &[u32], streams: usize, newest: i64) {
        self.words.extend_from_slice(&record[self.copied..record::used(record)]);
        record::set_used(&mut self.words);
        record::set_newest(&mut self.words, newest);
        record::lay_out(&mut self.words, streams);
    }
}
