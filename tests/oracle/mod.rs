//! An independent, naive reading of the contract: what the engine's bytes are compared with.
//!
//! Nothing here shares code with the engine. Every accepted event is kept for ever and every read scans all of them,
//! so that each definition can be followed word by word; speed does not matter.

pub mod aggregate;
pub mod ast;
pub mod decide;
pub mod decode;
pub mod eval;
pub mod functions;
pub mod generate;
pub mod json;
pub mod kind;
pub mod locks;
pub mod model;
pub mod number;
pub mod output;
pub mod parse;
pub mod rules;
pub mod texts;
pub mod time;
pub mod value;
pub mod yaml;
