//! The one `unsafe` line of the engine: asking the processor to bring memory into cache.
//!
//! Sound because a prefetch reads nothing architecturally, never faults, and the address is that of an element the
//! slice holds. On other processors it does nothing.
#![allow(unsafe_code, reason = "prefetch has no safe form; see the module head")]

/// Prefetches the cache line of `slice[index]`; does nothing when there is no such element.
#[inline]
pub fn prefetch<T>(slice: &[T], index: usize) {
    #[cfg(target_arch = "x86_64")]
    if let Some(element) = slice.get(index) {
        // SAFETY: the pointer comes from a live reference, and a prefetch has no effect but on the cache.
        unsafe {
            core::arch::x86_64::_mm_prefetch::<{ core::arch::x86_64::_MM_HINT_T0 }>(
                core::ptr::from_ref(element).cast(),
            );
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = slice.get(index);
}
