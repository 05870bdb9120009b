//! The typed expression graph: every distinct sub-expression of a rule set once.
//!
//! Nodes are hash-consed, so equal sub-expressions of different rules, features and locks share one node and are
//! computed once per batch. A node's arguments have smaller ids, so id order is evaluation order.

use std::collections::HashMap;

use regex::bytes::Regex;

use crate::model::events::{FieldType, TextField};
use crate::model::value::Type;

use super::lists::List;
pub use super::node::Node;

/// Index of a node in its [`Graph`].
pub type NodeId = u32;
/// Index of a list in its [`Graph`].
pub type ListId = u32;
/// Index of a pattern in its [`Graph`].
pub type PatternId = u32;

/// Names of the built-in event fields, `behind` included.
pub const FIELD_NAMES: &[&str] = &[
    "id",
    "type",
    "time",
    "account",
    "outcome",
    "reason",
    "amount",
    "currency",
    "order",
    "counterparty",
    "merchant_category",
    "device",
    "channel",
    "wallet",
    "kyc",
    "ip",
    "country",
    "lat",
    "lon",
    "factors",
    "proof",
    "by",
    "case",
    "rule",
    "label",
    "ref",
    "behind",
];

/// All expressions of a rule set, with the lists and patterns they use.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    nodes: Vec<Node>,
    kinds: Vec<Type>,
    /// Where each constant text starts in `literals`; 0 for all other nodes.
    starts: Vec<u32>,
    literals: Vec<u8>,
    ids: HashMap<(Node, Type), NodeId>,
    lists: Vec<(String, List)>,
    patterns: Vec<Regex>,
}

impl Graph {
    /// The id of a node, which is added unless an equal one of that type is there. Its arguments are in the graph.
    pub fn add(&mut self, node: Node, kind: Type) -> NodeId {
        let key = (node, kind);
        if let Some(&id) = self.ids.get(&key) {
            return id;
        }
        let id = self.nodes.len() as NodeId;
        let node = key.0.clone();
        debug_assert!(node.arguments().all(|argument| argument < id));
        self.starts.push(self.literals.len() as u32);
        if let Node::Literal(text) = &node {
            self.literals.extend_from_slice(text.as_bytes());
        }
        self.nodes.push(node);
        self.kinds.push(kind);
        self.ids.insert(key, id);
        id
    }

    /// The leaf of a built-in or declared event field, with its type; `None` where there is no such field.
    pub fn field(&mut self, name: &str, schema_fields: &[(String, FieldType)]) -> Option<(NodeId, Type)> {
        let (node, kind) = built_in(name).or_else(|| declared(name, schema_fields))?;
        Some((self.add(node, kind), kind))
    }

    /// The leaf of a feature.
    pub fn feature(&mut self, index: usize, kind: Type) -> NodeId {
        self.add(Node::Feature(index), kind)
    }

    /// A node's type.
    pub fn kind(&self, id: NodeId) -> Type {
        self.kinds[id as usize]
    }

    /// Number of nodes.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is no node.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// A node.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id as usize]
    }

    /// The nodes a node is computed from, in the order written.
    pub fn arguments(&self, id: NodeId) -> impl Iterator<Item = NodeId> {
        self.node(id).arguments()
    }

    /// Per node the stage in which it can be computed: one more than the highest `feature_level` of the features
    /// it rests on, 0 where it rests on none.
    pub fn levels(&self, feature_level: impl Fn(usize) -> usize) -> Vec<usize> {
        let mut levels: Vec<usize> = Vec::with_capacity(self.len());
        for node in &self.nodes {
            let own = if let Node::Feature(index) = node { feature_level(*index) + 1 } else { 0 };
            levels.push(node.arguments().map(|argument| levels[argument as usize]).fold(own, usize::max));
        }
        levels
    }

    /// The nodes to run, ascending, so that the columns of `roots` can be read. Leaves that only operators read
    /// are left out: operators read the event's own columns.
    pub fn needed(&self, roots: impl IntoIterator<Item = NodeId>) -> Vec<NodeId> {
        let mut wanted = vec![false; self.len()];
        roots.into_iter().for_each(|root| wanted[root as usize] = true);
        for id in (0..self.nodes.len()).rev() {
            if wanted[id] {
                let inner = self.nodes[id].arguments().filter(|argument| !self.node(*argument).is_leaf());
                inner.for_each(|argument| wanted[argument as usize] = true);
            }
        }
        (0..self.len() as NodeId).filter(|id| wanted[*id as usize]).collect()
    }

    /// Adds a list for `x in list('name')`.
    pub fn add_list(&mut self, name: &str, list: List) -> ListId {
        self.lists.push((name.to_owned(), list));
        self.lists.len() as ListId - 1
    }

    /// A list.
    pub fn list(&self, id: ListId) -> &List {
        &self.lists[id as usize].1
    }

    /// The name a list was added under.
    pub fn list_name(&self, id: ListId) -> &str {
        &self.lists[id as usize].0
    }

    /// The id of a pattern, which is added unless the same text is there.
    pub fn add_pattern(&mut self, pattern: Regex) -> PatternId {
        let same = self.patterns.iter().position(|known| known.as_str() == pattern.as_str());
        let index = same.unwrap_or_else(|| {
            self.patterns.push(pattern);
            self.patterns.len() - 1
        });
        index as PatternId
    }

    /// A pattern.
    pub fn pattern(&self, id: PatternId) -> &Regex {
        &self.patterns[id as usize]
    }

    /// The bytes of all constant texts, one after another.
    pub(super) fn literals(&self) -> &[u8] {
        &self.literals
    }

    /// Where the constant text of a node starts in [`Graph::literals`].
    pub(super) fn literal_start(&self, id: NodeId) -> u32 {
        self.starts[id as usize]
    }
}

fn built_in(name: &str) -> Option<(Node, Type)> {
    if let Some((field, _)) = TextField::ALL.iter().find(|(_, known)| *known == name) {
        return Some((Node::Text(*field), Type::String));
    }
    Some(match name {
        "time" => (Node::Time, Type::Timestamp),
        "amount" => (Node::Amount, Type::Money),
        "kyc" => (Node::Kyc, Type::Int),
        "factors" => (Node::Factors, Type::Int),
        "ip" => (Node::Ip, Type::Ip),
        "lat" => (Node::Lat, Type::Double),
        "lon" => (Node::Lon, Type::Double),
        "behind" => (Node::Behind, Type::Duration),
        _ => return None,
    })
}

fn declared(name: &str, fields: &[(String, FieldType)]) -> Option<(Node, Type)> {
    let index = fields.iter().position(|(known, _)| known == name)?;
    let kind = match fields[index].1 {
        FieldType::Text => Type::String,
        FieldType::Int => Type::Int,
        FieldType::Double => Type::Double,
        FieldType::Bool => Type::Bool,
    };
    Some((Node::Declared(index), kind))
}

#[cfg(test)]
mod tests {
    use super::super::node::Relation;
    use super::*;

    #[test]
    fn every_field_name_is_a_leaf_and_no_other() {
        let mut graph = Graph::default();
        for name in FIELD_NAMES {
            let (id, kind) = graph.field(name, &[]).expect(name);
            assert!(graph.node(id).is_leaf());
            assert_eq!(graph.kind(id), kind);
        }
        assert_eq!(FIELD_NAMES.len(), TextField::COUNT + 8);
        assert_eq!(graph.field("unknown", &[]), None);
        let fields = [("vip".to_owned(), FieldType::Bool)];
        assert_eq!(graph.field("vip", &fields).map(|(_, kind)| kind), Some(Type::Bool));
    }

    #[test]
    fn equal_nodes_share_an_id_unless_their_types_differ() {
        let mut graph = Graph::default();
        let five = graph.add(Node::Whole(5), Type::Int);
        assert_eq!(graph.add(Node::Whole(5), Type::Int), five);
        assert_ne!(graph.add(Node::Whole(5), Type::Money), five);
        assert_eq!(graph.len(), 2);
    }

    #[test]
    fn levels_follow_features_and_needed_leaves_out_leaves() {
        let mut graph = Graph::default();
        let count = graph.feature(0, Type::Int);
        let mean = graph.feature(1, Type::Int);
        let above = graph.add(Node::Compare(Relation::Greater, count, mean), Type::Bool);
        let plain = graph.add(Node::Kyc, Type::Int);
        assert_eq!(graph.levels(|index| index * 3), [1, 4, 4, 0]);
        assert_eq!(graph.needed([above]), [above]);
        assert_eq!(graph.needed([above, plain]), [above, plain]);
    }
}
