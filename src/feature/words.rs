//! A pool of small memory blocks, addressed by handle, for the state records of many keys.
//!
//! Millions of keys each hold a few dozen to a few hundred bytes that grow and shrink. One allocation each would cost
//! 16 bytes of allocator overhead and a trip to the allocator per change; blocks of a pool cost neither. Blocks come
//! in size classes about 25 % apart, freed blocks wait on the free list of their class, and pages are never moved,
//! so growing the pool copies nothing.

/// Words (u32) per page; a block lies within one page.
const PAGE_WORDS: usize = 1 << 16;
/// Block sizes are multiples of this many words, so that a 32-bit handle reaches 64 GiB.
const GRAIN: usize = 4;
const GRAINS_PER_PAGE: usize = PAGE_WORDS / GRAIN;

/// The largest block, in words.
pub const BLOCK_MAX: usize = 1 << 16;

/// Names one block of a [`Words`] pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Handle(pub u32);

/// Index of a block size.
pub type Class = u8;

/// A pool of blocks of u32 words.
#[derive(Debug)]
pub struct Words {
    pages: Vec<Box<[u32]>>,
    used_in_last_page: usize,
    free: Vec<Vec<Handle>>,
    sizes: Vec<u32>,
}

impl Default for Words {
    fn default() -> Self {
        let sizes = class_sizes();
        Words { pages: Vec::new(), used_in_last_page: PAGE_WORDS, free: vec![Vec::new(); sizes.len()], sizes }
    }
}

/// Block sizes in words: four per doubling, in whole grains.
fn class_sizes() -> Vec<u32> {
    let mut sizes: Vec<u32> = Vec::new();
    let mut power = 16;
    sizes.extend([4, 8, 12]);
    while power < BLOCK_MAX {
        for quarter in 0..4 {
            let size = power + power * quarter / 4;
            sizes.push((size / GRAIN * GRAIN) as u32);
        }
        power *= 2;
    }
    sizes.push(BLOCK_MAX as u32);
    sizes
}

impl Words {
    /// The smallest class that holds `words`; callers keep `words` at most [`BLOCK_MAX`].
    pub fn class_for(&self, words: usize) -> Class {
        self.sizes.partition_point(|&size| (size as usize) < words) as Class
    }

    /// Size in words of the blocks of a class.
    #[inline(always)]
    pub fn capacity(&self, class: Class) -> usize {
        self.sizes[class as usize] as usize
    }

    /// A block of the class; its contents are arbitrary.
    pub fn allocate(&mut self, class: Class) -> Handle {
        if let Some(handle) = self.free[class as usize].pop() {
            return handle;
        }
        let size = self.capacity(class);
        if self.used_in_last_page + size > PAGE_WORDS {
            self.pages.push(vec![0; PAGE_WORDS].into_boxed_slice());
            self.used_in_last_page = 0;
        }
        let grain = (self.pages.len() - 1) * GRAINS_PER_PAGE + self.used_in_last_page / GRAIN;
        self.used_in_last_page += size;
        Handle(grain as u32)
    }

    /// Gives a block back.
    pub fn release(&mut self, handle: Handle, class: Class) {
        self.free[class as usize].push(handle);
    }

    /// The words from the start of a block to the end of its page; the block is a prefix of it.
    #[inline(always)]
    pub fn from(&self, handle: Handle) -> &[u32] {
        let (page, word) = locate(handle);
        &self.pages[page][word..]
    }

    /// The block's words.
    #[inline]
    pub fn block(&self, handle: Handle, class: Class) -> &[u32] {
        &self.from(handle)[..self.capacity(class)]
    }

    /// The block's words, to be changed.
    #[inline(always)]
    pub fn block_mut(&mut self, handle: Handle, class: Class) -> &mut [u32] {
        let size = self.capacity(class);
        let (page, word) = locate(handle);
        &mut self.pages[page][word..word + size]
    }

    /// Copies the first `words` words of one block to another.
    pub fn copy(&mut self, from: Handle, to: Handle, words: usize) {
        let (from_page, from_word) = locate(from);
        let (to_page, to_word) = locate(to);
        if from_page == to_page {
            self.pages[to_page].copy_within(from_word..from_word + words, to_word);
        } else if let Ok([source, target]) = self.pages.get_disjoint_mut([from_page, to_page]) {
            target[to_word..to_word + words].copy_from_slice(&source[from_word..from_word + words]);
        }
    }

    /// Bytes held, used or not.
    pub fn bytes(&self) -> usize {
        self.pages.len() * PAGE_WORDS * 4 + self.free.iter().map(|list| list.capacity() * 4).sum::<usize>()
    }
}

#[inline(always)]
fn locate(handle: Handle) -> (usize, usize) {
    let grain = handle.0 as usize;
    (grain / GRAINS_PER_PAGE, grain % GRAINS_PER_PAGE * GRAIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_rise_and_waste_at_most_a_quarter_and_a_grain() {
        let words = Words::default();
        for need in 1..=BLOCK_MAX {
            let size = words.capacity(words.class_for(need));
            assert!(size >= need && size <= need + need / 4 + GRAIN, "{need} words got {size}");
        }
    }

    #[test]
    fn blocks_keep_their_contents_and_are_reused() {
        let mut words = Words::default();
        let handles: Vec<Handle> = (0..100_000).map(|_| words.allocate(2)).collect();
        for (i, &handle) in handles.iter().enumerate() {
            words.block_mut(handle, 2).fill(i as u32);
        }
        for (i, &handle) in handles.iter().enumerate() {
            assert!(words.block(handle, 2).iter().all(|&word| word == i as u32));
        }
        words.release(handles[7], 2);
        assert_eq!(words.allocate(2), handles[7]);
        words.copy(handles[99_999], handles[7], 12);
        assert_eq!(words.block(handles[7], 2), &[99_999; 12]);
    }
}
