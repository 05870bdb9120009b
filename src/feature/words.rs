//! A pool of small memory blocks, addressed by handle, for the state records of many keys.
//!
//! Millions of keys each hold a few dozen to a few hundred bytes that grow and shrink. One allocation each would cost
//! 16 bytes of allocator overhead and a trip to the allocator per change; blocks of a pool cost neither. Blocks come
//! in size classes about 25 % apart, a page holds blocks of one class, and a full page is never moved, so growing the
//! pool copies next to nothing.

/// Words (u32) per page; a block lies within one page.
const PAGE_WORDS: usize = 1 << 16;
/// Words of a page at first.
const FIRST_WORDS: usize = 1 << 10;
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

/// No block.
const NONE: u32 = u32::MAX;

/// A pool of blocks of u32 words.
#[derive(Debug)]
pub struct Words {
    /// Each as long as what was handed out of it, rounded up, so that a class of few blocks costs little.
    pages: Vec<Vec<u32>>,
    uses: Vec<Use>,
    /// Per class: pages that may have room; entries that have none any more are dropped when met.
    roomy: Vec<Vec<u32>>,
    /// Pages without blocks.
    empty: Vec<u32>,
    sizes: Vec<u32>,
}

/// What a page is used for: blocks of one class. When its last block is freed, it is anybody's again, so keys that
/// grow together leave no trail of small blocks behind.
#[derive(Debug, Clone, Copy)]
struct Use {
    class: Class,
    /// Blocks in use.
    live: u32,
    /// Words handed out at least once.
    touched: u32,
    /// First word of the first free block, whose first word names the next.
    free: u32,
    /// Whether it stands among the roomy pages of its class.
    listed: bool,
}

impl Default for Words {
    fn default() -> Self {
        let sizes = class_sizes();
        let roomy = vec![Vec::new(); sizes.len()];
        Words { pages: Vec::new(), uses: Vec::new(), roomy, empty: Vec::new(), sizes }
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
        while let Some(&page) = self.roomy[class as usize].last() {
            if let Some(word) = self.take(page as usize, class) {
                return Handle((page as usize * GRAINS_PER_PAGE + word / GRAIN) as u32);
            }
            self.roomy[class as usize].pop();
            if self.uses[page as usize].class == class {
                self.uses[page as usize].listed = false;
            }
        }
        let page = self.open_page(class);
        Handle((page * GRAINS_PER_PAGE) as u32)
    }

    /// A free block of a page, as its first word; `None` where the page has none or is of another class now.
    fn take(&mut self, page: usize, class: Class) -> Option<usize> {
        let size = self.sizes[class as usize];
        let used = &mut self.uses[page];
        if used.class != class || used.live == 0 {
            return None;
        }
        let word = if used.free != NONE {
            let word = used.free;
            used.free = self.pages[page][word as usize];
            word
        } else if used.touched + size <= PAGE_WORDS as u32 {
            used.touched += size;
            reach(&mut self.pages[page], used.touched as usize);
            used.touched - size
        } else {
            return None;
        };
        used.live += 1;
        Some(word as usize)
    }

    /// An empty page for a class, its first block taken.
    fn open_page(&mut self, class: Class) -> usize {
        let page = self.empty.pop().map_or_else(
            || {
                self.pages.push(Vec::new());
                self.pages.len() - 1
            },
            |page| page as usize,
        );
        reach(&mut self.pages[page], self.sizes[class as usize] as usize);
        let opened = Use { class, live: 1, touched: self.sizes[class as usize], free: NONE, listed: true };
        match self.uses.get_mut(page) {
            Some(used) => *used = opened,
            None => self.uses.push(opened),
        }
        self.roomy[class as usize].push(page as u32);
        page
    }

    /// Gives a block back.
    pub fn release(&mut self, handle: Handle, class: Class) {
        let (page, word) = locate(handle);
        let used = &mut self.uses[page];
        self.pages[page][word] = used.free;
        used.free = word as u32;
        used.live -= 1;
        if used.live == 0 {
            self.empty.push(page as u32);
        } else if !used.listed {
            used.listed = true;
            self.roomy[class as usize].push(page as u32);
        }
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
        let lists = self.roomy.iter().map(|list| list.capacity() * 4).sum::<usize>();
        let words = self.pages.iter().map(|page| page.capacity() * 4 + size_of::<Vec<u32>>()).sum::<usize>();
        words + self.pages.len() * size_of::<Use>() + lists
    }
}

/// Makes a page at least `words` long; it doubles, so what is moved is little.
#[inline]
fn reach(page: &mut Vec<u32>, words: usize) {
    if page.len() < words {
        page.resize(words.max(page.len() * 2).clamp(FIRST_WORDS, PAGE_WORDS), 0);
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

    #[test]
    fn blocks_that_grow_together_leave_nothing_behind() {
        let mut words = Words::default();
        let mut handles: Vec<Handle> = (0..20_000).map(|_| words.allocate(0)).collect();
        for class in 1..16 {
            for handle in &mut handles {
                let larger = words.allocate(class);
                words.release(*handle, class - 1);
                *handle = larger;
            }
        }
        let held = 20_000 * words.capacity(15) * 4;
        assert!(words.bytes() < held * 2, "{} bytes for {held}", words.bytes());
        for (i, &handle) in handles.iter().enumerate() {
            words.block_mut(handle, 15).fill(i as u32);
        }
        assert!(handles.iter().enumerate().all(|(i, &h)| words.block(h, 15).iter().all(|&word| word == i as u32)));
    }
}
