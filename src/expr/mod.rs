//! CEL text -> typed expression graph -> columns. The only place that names the `cel` crate.
//!
//! `parse` turns text into a syntax tree with source positions, `check` types it and adds it to the [`graph`],
//! `eval` computes columns of it over a batch. Three-valued logic as in CEL: false, true, error (missing).

pub mod graph;
