//! The layout of one key's state record within a block of words.
//!
//! A record holds everything one dimension knows of one key in one piece of memory, so that an event costs one or two
//! cache misses per dimension, however many windows there are:
//!
//! ```text
//! 0        size class (8 bits), key length in bytes (16 bits)
//! 1        words in use
//! 2..4     newest event time of the key, i64 ms
//! 4..4+S   directory: per stream where its region starts (16 bits), whether it is hot (1 bit), its words (15 bits)
//! ...      key bytes, padded to words
//! ...      regions, in the order of the streams, without gaps
//! ```

use super::words::{Class, Handle, Words};

/// Words before the directory.
pub const HEAD: usize = 4;
const HOT: u32 = 1 << 15;
/// The part of a directory entry that says how many words a region has.
pub const LENGTH: u32 = HOT - 1;

/// Records of at least this many words move further entries out to hot series, so that offsets stay in 16 bits.
pub const LARGE_RECORD: usize = 16 << 10;

/// How long (ms) a stream may go without being trimmed while its key lives on: when a key's newest time enters another
/// era, all its streams are trimmed.
pub const ERA: i64 = 1 << 27;

/// The era of a time.
#[inline(always)]
pub fn era(time: i64) -> i64 {
    time.div_euclid(ERA)
}

/// Where a stream's region lies in its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Region {
    /// First word, from the start of the record.
    pub start: usize,
    /// Number of words.
    pub words: usize,
    /// Whether the last word names a hot series instead of holding entries.
    pub hot: bool,
}

/// Makes a record for a key without entries.
pub fn create(pool: &mut Words, streams: usize, key: &[u8], time: i64) -> Handle {
    let body = HEAD + streams + key.len().div_ceil(4);
    let class = pool.class_for(body);
    let handle = pool.allocate(class);
    let block = pool.block_mut(handle, class);
    block[0] = u32::from(class) | (key.len() as u32) << 8;
    block[1] = body as u32;
    for directory in &mut block[HEAD..HEAD + streams] {
        *directory = (body as u32) << 16;
    }
    for (word, bytes) in block[HEAD + streams..body].iter_mut().zip(key.chunks(4)) {
        let mut padded = [0; 4];
        padded[..bytes.len()].copy_from_slice(bytes);
        *word = u32::from_le_bytes(padded);
    }
    set_newest(block, time);
    handle
}

/// The size class of a record, from its first word.
#[inline(always)]
pub fn class(words: &[u32]) -> Class {
    words[0] as Class
}

fn set_class(words: &mut [u32], class: Class) {
    words[0] = words[0] & !0xff | u32::from(class);
}

/// Words in use.
#[inline(always)]
pub fn used(words: &[u32]) -> usize {
    words[1] as usize
}

/// Newest event time of the key, ms.
#[inline(always)]
pub fn newest(words: &[u32]) -> i64 {
    join(words[2], words[3]) as i64
}

/// Sets the newest event time.
#[inline]
pub fn set_newest(words: &mut [u32], time: i64) {
    [words[2], words[3]] = split(time as u64);
}

/// Where the region of a stream lies.
#[inline(always)]
pub fn region(words: &[u32], stream: usize) -> Region {
    let entry = words[HEAD + stream];
    Region { start: (entry >> 16) as usize, words: (entry & LENGTH) as usize, hot: entry & HOT != 0 }
}

/// Says that a record is as long as the slice.
pub fn set_used(words: &mut [u32]) {
    words[1] = words.len() as u32;
}

/// Sets where the regions start from how long they are.
#[inline]
pub fn lay_out(words: &mut [u32], streams: usize) {
    let directory = &mut words[HEAD..HEAD + streams];
    let mut start = directory.first().map_or(0, |first| first >> 16);
    for entry in directory {
        *entry = *entry & (HOT | LENGTH) | start << 16;
        start += *entry & LENGTH;
    }
}

/// Marks a stream as hot or not.
#[inline]
pub fn set_hot(words: &mut [u32], stream: usize, hot: bool) {
    let entry = &mut words[HEAD + stream];
    *entry = if hot { *entry | HOT } else { *entry & !HOT };
}

/// Whether the record is that of the key.
#[inline]
pub fn has_key(words: &[u32], streams: usize, key: &[u8]) -> bool {
    if (words[0] >> 8) as usize != key.len() {
        return false;
    }
    let (chunks, rest) = key.as_chunks::<4>();
    let stored = &words[HEAD + streams..];
    if !chunks.iter().zip(stored).all(|(bytes, &word)| u32::from_le_bytes(*bytes) == word) {
        return false;
    }
    rest.is_empty() || stored[chunks.len()].to_le_bytes()[..rest.len()] == *rest
}

/// The key's bytes.
pub fn key(words: &[u32], streams: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    append_key(words, streams, &mut bytes);
    bytes
}

/// Appends the key's bytes.
pub fn append_key(words: &[u32], streams: usize, bytes: &mut Vec<u8>) {
    let length = (words[0] >> 8) as usize;
    let stored = &words[HEAD + streams..HEAD + streams + length.div_ceil(4)];
    bytes.extend(stored.iter().flat_map(|word| word.to_le_bytes()).take(length));
}

/// Replaces `remove` words of a stream's region, from its word `at` on, by `insert` words of arbitrary content.
/// Returns the record's handle, which changes when it had to move to a larger block, and where in the record the new
/// words lie.
#[inline]
pub fn splice(
    pool: &mut Words,
    streams: usize,
    handle: Handle,
    stream: usize,
    at: usize,
    remove: usize,
    insert: usize,
) -> (Handle, usize) {
    let head = pool.from(handle);
    let (mut handle, mut class, used) = (handle, class(head), used(head));
    let place = region(head, stream).start + at;
    let needed = used - remove + insert;
    if needed > pool.capacity(class) {
        // Some room to grow, so that not every entry moves the record.
        (handle, class) = resize(pool, handle, class, used, needed + needed / 16);
    }
    let block = pool.block_mut(handle, class);
    block.copy_within(place + remove..used, place + insert);
    block[1] = needed as u32;
    let grown = insert.wrapping_sub(remove) as u32;
    let (own, later) = block[HEAD + stream..HEAD + streams].split_at_mut(1);
    own[0] = own[0] & !LENGTH | own[0].wrapping_add(grown) & LENGTH;
    for directory in later {
        *directory = directory.wrapping_add(grown << 16);
    }
    (handle, place)
}

/// Replaces a record's words; returns its handle, which changes when it had to move to a larger block.
pub fn overwrite(pool: &mut Words, handle: Handle, words: &[u32]) -> Handle {
    let class = class(pool.from(handle));
    if words.len() <= pool.capacity(class) {
        pool.block_mut(handle, class)[..words.len()].copy_from_slice(words);
        return handle;
    }
    pool.release(handle, class);
    // Some room to grow, so that not every entry moves the record.
    let class = pool.class_for(words.len() + words.len() / 16);
    let handle = pool.allocate(class);
    let block = pool.block_mut(handle, class);
    block[..words.len()].copy_from_slice(words);
    set_class(block, class);
    handle
}

/// Moves a record to a block that holds `words`; returns its new handle and class.
#[inline(never)]
pub fn resize(pool: &mut Words, handle: Handle, class: Class, used: usize, words: usize) -> (Handle, Class) {
    let new_class = pool.class_for(words);
    let new_handle = pool.allocate(new_class);
    pool.copy(handle, new_handle, used);
    pool.release(handle, class);
    let block = pool.block_mut(new_handle, new_class);
    set_class(block, new_class);
    (new_handle, new_class)
}

/// Two words of a u64, low first.
#[inline(always)]
pub fn split(value: u64) -> [u32; 2] {
    [value as u32, (value >> 32) as u32]
}

/// The u64 of two words.
#[inline(always)]
pub fn join(low: u32, high: u32) -> u64 {
    u64::from(low) | u64::from(high) << 32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_grow_and_shrink_independently_and_the_key_stays() {
        let mut pool = Words::default();
        let mut handle = create(&mut pool, 3, b"account-7", -5);
        let mut model: [Vec<u32>; 3] = Default::default();
        let mut state = 7u64;
        for step in 0..3000u32 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let stream = (state >> 33) as usize % 3;
            let at = (state >> 40) as usize % (model[stream].len() + 1);
            let remove = ((state >> 50) as usize % 4).min(model[stream].len() - at);
            let insert = (state >> 55) as usize % if model[stream].len() > 200 { 2 } else { 5 };
            (handle, _) = splice(&mut pool, 3, handle, stream, at, remove, insert);
            let class = class(pool.from(handle));
            let start = region(pool.from(handle), stream).start + at;
            pool.block_mut(handle, class)[start..start + insert].fill(step);
            model[stream].splice(at..at + remove, std::iter::repeat_n(step, insert));
            let words = pool.from(handle);
            for (stream, expected) in model.iter().enumerate() {
                let region = region(words, stream);
                assert_eq!(&words[region.start..region.start + region.words], expected.as_slice());
            }
            assert!(has_key(words, 3, b"account-7") && !has_key(words, 3, b"account-8"));
            assert!(!has_key(words, 3, b"account-"));
            assert_eq!((key(words, 3), newest(words)), (b"account-7".to_vec(), -5));
        }
    }
}
