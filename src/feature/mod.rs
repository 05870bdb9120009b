//! Keyed window state: what each feature remembers per key, and how it is read exactly.

pub mod exact;
pub mod occurrences;
pub mod tree;
