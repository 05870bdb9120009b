//! Keyed window state: what each feature remembers per key, and how it is read exactly.
//!
//! `plan` lays out what must be kept, `store` runs batches over it, `shard` holds keys, `open` and `series` are one
//! key's streams, `reading` defines the features, `upkeep` forgets. Small keys live in `words`, large ones in `tree`.

pub mod append;
pub mod bucket;
pub mod cursor;
pub mod demand;
pub mod draft;
pub mod eviction;
pub mod exact;
pub mod hot;
pub mod inputs;
pub mod keys;
pub mod memory;
pub mod occurrences;
pub mod open;
pub mod plan;
pub mod prefetch;
pub mod reading;
pub mod record;
pub mod rows;
pub mod series;
pub mod shard;
pub mod slab;
pub mod snapshot;
pub mod store;
pub mod table;
pub mod text;
pub mod totals;
pub mod tree;
pub mod upkeep;
pub mod visit;
pub mod words;
