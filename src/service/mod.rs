//! The streaming service: the only place that spawns threads.
//!
//! [`run`] is the whole of it. A [`feed`] fetches, [`lanes`] put partitions in order, a [`fold`] scores, a [`committer`]
//! makes it visible; [`past`] folds again what was committed, for recovery and for snapshots. Beside the stream stand
//! metrics, health and the status page, which nothing waits for.

mod attempt;
pub mod clock;
pub mod committer;
pub mod delivery;
pub mod export;
pub mod failure;
mod familiar;
pub mod feed;
pub mod fold;
pub mod health;
pub mod http;
pub mod lanes;
pub mod live;
pub mod observer;
pub mod order;
pub mod outbox;
pub mod owner;
pub mod packer;
mod page;
pub mod parcel;
pub mod past;
pub mod position;
pub mod progress;
pub mod rebuild;
pub mod recovery;
pub mod report;
pub mod run;
pub mod snapshots;
pub mod sources;
mod stalled;
pub mod state;
pub mod status;
pub mod stop;
mod tail;
mod troubles;
