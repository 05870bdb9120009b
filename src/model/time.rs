//! Event time.
