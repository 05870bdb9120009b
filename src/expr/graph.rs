//! The typed expression graph: every distinct sub-expression of a rule set once.
//!
//! Nodes are hash-consed, so equal sub-expressions of different rules, features and locks share one node and are
//! computed once per batch. A node's arguments have smaller ids, so id order is evaluation order.

use crate::model::events::TextField;
use crate::model::value::Type;

/// Index of a node in its [`Graph`].
pub type NodeId = u32;
