//! Strings of `last` and `first`, each in a block of the pool: its length in bytes, then the bytes.

use super::words::{Handle, Words};

/// Stores a string; returns its handle as the extra value of an entry.
pub fn store(pool: &mut Words, bytes: &[u8]) -> u128 {
    let class = pool.class_for(1 + bytes.len().div_ceil(4));
    let handle = pool.allocate(class);
    let block = pool.block_mut(handle, class);
    block[0] = bytes.len() as u32;
    for (word, chunk) in block[1..].iter_mut().zip(bytes.chunks(4)) {
        let mut padded = [0; 4];
        padded[..chunk.len()].copy_from_slice(chunk);
        *word = u32::from_le_bytes(padded);
    }
    u128::from(handle.0)
}

/// Appends a stored string to `out`.
pub fn append(pool: &Words, handle: u128, out: &mut Vec<u8>) {
    let words = pool.from(Handle(handle as u32));
    let length = words[0] as usize;
    let end = out.len() + length;
    for word in &words[1..=length.div_ceil(4)] {
        out.extend_from_slice(&word.to_le_bytes());
    }
    out.truncate(end);
}

/// Frees a stored string.
pub fn release(pool: &mut Words, handle: u128) {
    let handle = Handle(handle as u32);
    let class = pool.class_for(1 + (pool.from(handle)[0] as usize).div_ceil(4));
    pool.release(handle, class);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_come_back_as_they_were() {
        let mut pool = Words::default();
        for text in ["a", "abcd", "abcde", &"x".repeat(1000)] {
            let handle = store(&mut pool, text.as_bytes());
            let mut out = b"-".to_vec();
            append(&pool, handle, &mut out);
            assert_eq!(out, format!("-{text}").as_bytes());
            release(&mut pool, handle);
        }
    }
}
