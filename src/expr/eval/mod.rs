//! The column evaluator: one tight loop per node over the rows of a batch.
//!
//! Every node owns a column that is reused from batch to batch, so the steady state allocates nothing. Operators
//! read event fields, feature values and constants where they are; such a leaf needs to be run only when somebody
//! reads its column. Texts are ranges of one of four byte pools and are never copied by comparisons.

mod arithmetic;
mod compare;
mod convert;
mod leaf;
mod logic;
mod operand;
mod run;
mod text;
mod time;

#[cfg(test)]
mod tests;

use crate::model::column::Column;
use crate::model::events::Events;
use crate::model::value::{Type, Value};

use super::graph::{Graph, NodeId};
use super::zone::OffsetCache;
use operand::Operands;
pub use operand::{BoolSide, Side, Texts, View};

/// A CEL bool: false, true, or an error, which a missing value is too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
#[repr(u8)]
pub enum Truth {
    /// `false`
    #[default]
    False = 0,
    /// `true`
    True = 1,
    /// Missing or failed.
    Error = 2,
}

impl Truth {
    /// The truth of a value that may be missing.
    pub fn of(value: Option<bool>) -> Self {
        match value {
            Some(true) => Truth::True,
            Some(false) => Truth::False,
            None => Truth::Error,
        }
    }

    /// The value, unless it is an error.
    pub fn get(self) -> Option<bool> {
        match self {
            Truth::False => Some(false),
            Truth::True => Some(true),
            Truth::Error => None,
        }
    }
}

/// Which bytes a [`Text`] points into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pool {
    /// [`Events::text`]
    #[default]
    Event,
    /// [`Inputs::feature_text`]
    Feature,
    /// Texts computed by the evaluator for this batch.
    Scratch,
    /// Constants of the graph.
    Constant,
}

/// A text value: a range of a pool. It may be empty, unlike event fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Text {
    /// Which bytes.
    pub pool: Pool,
    /// First byte.
    pub start: u32,
    /// Length in bytes.
    pub len: u32,
}

/// The values of one node over the rows of a batch.
#[derive(Debug, Clone, PartialEq)]
pub enum ColumnData {
    /// Bools.
    Bool(Vec<Truth>),
    /// Ints, money, durations and timestamps.
    I64(Column<i64>),
    /// Doubles, finite.
    F64(Column<f64>),
    /// Addresses.
    Ip(Column<u128>),
    /// Texts.
    Text(Column<Text>),
}

impl ColumnData {
    /// An empty column for values of a type.
    pub fn new(kind: Type) -> Self {
        match kind {
            Type::Bool => ColumnData::Bool(Vec::new()),
            Type::Double => ColumnData::F64(Column::default()),
            Type::Ip => ColumnData::Ip(Column::default()),
            Type::String => ColumnData::Text(Column::default()),
            Type::Int | Type::Money | Type::Duration | Type::Timestamp => ColumnData::I64(Column::default()),
        }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        match self {
            ColumnData::Bool(rows) => rows.len(),
            ColumnData::I64(column) => column.len(),
            ColumnData::F64(column) => column.len(),
            ColumnData::Ip(column) => column.len(),
            ColumnData::Text(column) => column.len(),
        }
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Removes all rows and keeps the memory.
    pub fn clear(&mut self) {
        match self {
            ColumnData::Bool(rows) => rows.clear(),
            ColumnData::I64(column) => column.clear(),
            ColumnData::F64(column) => column.clear(),
            ColumnData::Ip(column) => column.clear(),
            ColumnData::Text(column) => column.clear(),
        }
    }
}

/// What expressions are computed from.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    /// The batch.
    pub events: &'a Events,
    /// `behind`, ms, one per event.
    pub behind: &'a Column<i64>,
    /// Values of the features, by index; those of a later stage may still be empty.
    pub features: &'a [ColumnData],
    /// The bytes of feature values that are texts.
    pub feature_text: &'a [u8],
}

/// The columns of all nodes of one graph.
#[derive(Debug)]
pub struct Evaluator {
    columns: Vec<ColumnData>,
    offsets: Vec<OffsetCache>,
    scratch: Vec<u8>,
    /// Texts of the node that is being run.
    fresh: Vec<u8>,
    /// As many `true` as there are rows: the presence of what is always there.
    always: Vec<bool>,
    rows: usize,
}

impl Evaluator {
    /// An evaluator for a graph, which must not grow afterwards.
    pub fn new(graph: &Graph) -> Self {
        let columns = (0..graph.len() as NodeId).map(|id| ColumnData::new(graph.kind(id))).collect();
        let offsets = vec![OffsetCache::default(); graph.len()];
        Evaluator { columns, offsets, scratch: Vec::new(), fresh: Vec::new(), always: Vec::new(), rows: 0 }
    }

    /// Begins a batch of so many rows: forgets all columns and computed texts.
    pub fn start(&mut self, rows: usize) {
        self.rows = rows;
        self.scratch.clear();
        if self.always.len() < rows {
            self.always.resize(rows, true);
        }
        self.columns.iter_mut().for_each(ColumnData::clear);
    }

    /// Computes nodes, given by ascending id; arguments that are not leaves have been run. Leaves need to be run
    /// only where [`Evaluator::column`] is asked for them: see [`Graph::needed`].
    pub fn run(&mut self, graph: &Graph, nodes: &[NodeId], inputs: &Inputs) {
        for &id in nodes {
            let mut out = std::mem::replace(&mut self.columns[id as usize], ColumnData::Bool(Vec::new()));
            let mut fresh = std::mem::take(&mut self.fresh);
            let mut offsets = self.offsets[id as usize];
            out.clear();
            let work = Work { offsets: &mut offsets, fresh: &mut fresh, base: self.scratch.len() };
            run::run(id, &self.operands(graph, inputs), &mut out, work);
            self.scratch.extend_from_slice(&fresh);
            fresh.clear();
            self.fresh = fresh;
            self.offsets[id as usize] = offsets;
            self.columns[id as usize] = out;
        }
    }

    /// The column of a node that has been run since the last [`Evaluator::start`].
    pub fn column(&self, id: NodeId) -> &ColumnData {
        &self.columns[id as usize]
    }

    /// The values of a node, which is a leaf or has been run.
    pub fn view<'a>(&'a self, graph: &'a Graph, id: NodeId, inputs: &'a Inputs<'a>) -> View<'a> {
        self.operands(graph, inputs).view(id)
    }

    /// One value, owned; `None` where it is missing. The node is a leaf or has been run.
    pub fn value(&self, graph: &Graph, id: NodeId, row: usize, inputs: &Inputs) -> Option<Value> {
        self.operands(graph, inputs).value(id, row)
    }

    /// The bytes of one text, where it is not missing. The node is a text, and a leaf or has been run.
    pub fn text_at<'a>(&'a self, graph: &'a Graph, id: NodeId, row: usize, inputs: &'a Inputs) -> Option<&'a [u8]> {
        let operands = self.operands(graph, inputs);
        operands.bytes_at(operands.text(id), row)
    }

    fn operands<'a>(&'a self, graph: &'a Graph, inputs: &'a Inputs<'a>) -> Operands<'a> {
        let always = &self.always[..self.rows];
        Operands { graph, inputs, columns: &self.columns, scratch: &self.scratch, always, rows: self.rows }
    }
}

/// What running a node may change beside its column.
struct Work<'a> {
    offsets: &'a mut OffsetCache,
    /// Texts computed by this node; they go to the scratch pool behind `base`.
    fresh: &'a mut Vec<u8>,
    base: usize,
}

impl Work<'_> {
    /// The text written to `fresh` since `start`.
    fn text_since(&self, start: usize) -> Text {
        Text { pool: Pool::Scratch, start: (self.base + start) as u32, len: (self.fresh.len() - start) as u32 }
    }
}
