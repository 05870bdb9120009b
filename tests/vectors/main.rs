//! Vectors that others published: their events go in as they are, what they expect has to come out.
//!
//! The data lies untouched in `fixtures/`, with its origins in `fixtures/SOURCES.md`. What is ours is how a vector
//! becomes a rule set and events, and that stands here. A vector that is not run is listed with the reason.

mod crowdsec;
mod flink;
mod lines;
mod run;
mod tazama;
mod when;
