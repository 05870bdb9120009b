//! Views of operands: where the values of a node are, without copying them.
//!
//! A leaf is read from the event columns, the features or the graph; everything else from its own column. Loops
//! match on the view once per batch, never per row.

use crate::model::column::Column;
use crate::model::events::{DeclaredColumn, Span};
use crate::model::value::{Type, Value};

use super::super::graph::{Graph, Node, NodeId};
use super::{ColumnData, Inputs, Pool, Text, Truth};

/// All that operands can come from.
pub(super) struct Operands<'a> {
    pub graph: &'a Graph,
    pub inputs: &'a Inputs<'a>,
    pub columns: &'a [ColumnData],
    pub scratch: &'a [u8],
    pub always: &'a [bool],
    pub rows: usize,
}

/// Values of a fixed size: a column or one for all rows.
#[derive(Clone, Copy)]
pub(super) enum Side<'a, T> {
    Column { values: &'a [T], present: &'a [bool] },
    Constant(T),
}

impl<'a, T: Copy> Side<'a, T> {
    fn of(column: &'a Column<T>) -> Self {
        Side::Column { values: &column.values, present: &column.present }
    }

    pub fn get(self, row: usize) -> Option<T> {
        match self {
            Side::Column { values, present } => present[row].then_some(values[row]),
            Side::Constant(value) => Some(value),
        }
    }
}

/// Bools.
#[derive(Clone, Copy)]
pub(super) enum BoolSide<'a> {
    Rows(&'a [Truth]),
    Column(&'a Column<bool>),
    Constant(Truth),
}

impl BoolSide<'_> {
    pub fn get(self, row: usize) -> Option<bool> {
        match self {
            BoolSide::Rows(rows) => rows[row].get(),
            BoolSide::Column(column) => column.get(row),
            BoolSide::Constant(truth) => truth.get(),
        }
    }
}

/// Texts.
#[derive(Clone, Copy)]
pub(super) enum TextSide<'a> {
    Spans { spans: &'a [Span], text: &'a [u8] },
    Column(&'a Column<Text>),
    Constant(&'a [u8]),
}

impl<'a> Operands<'a> {
    /// Ints, money, durations and timestamps.
    pub fn whole(&self, id: NodeId) -> Side<'a, i64> {
        let events = self.inputs.events;
        match self.graph.node(id) {
            Node::Whole(value) => Side::Constant(*value),
            Node::Time => Side::Column { values: &events.time, present: self.always },
            Node::Amount => Side::of(&events.money),
            Node::Kyc => Side::of(&events.kyc),
            Node::Factors => Side::of(&events.factors),
            Node::Behind => Side::of(self.inputs.behind),
            Node::Declared(index) => match &events.declared[*index] {
                DeclaredColumn::Int(column) => Side::of(column),
                _ => unreachable!("{MISTYPED}"),
            },
            _ => match self.computed(id) {
                ColumnData::I64(column) => Side::of(column),
                _ => unreachable!("{MISTYPED}"),
            },
        }
    }

    /// Doubles.
    pub fn real(&self, id: NodeId) -> Side<'a, f64> {
        let events = self.inputs.events;
        match self.graph.node(id) {
            Node::Real(bits) => Side::Constant(bits.get()),
            Node::Lat => Side::of(&events.lat),
            Node::Lon => Side::of(&events.lon),
            Node::Declared(index) => match &events.declared[*index] {
                DeclaredColumn::Double(column) => Side::of(column),
                _ => unreachable!("{MISTYPED}"),
            },
            _ => match self.computed(id) {
                ColumnData::F64(column) => Side::of(column),
                _ => unreachable!("{MISTYPED}"),
            },
        }
    }

    /// Addresses.
    pub fn address(&self, id: NodeId) -> Side<'a, u128> {
        match self.graph.node(id) {
            Node::Address(value) => Side::Constant(*value),
            Node::Ip => Side::of(&self.inputs.events.ip),
            _ => match self.computed(id) {
                ColumnData::Ip(column) => Side::of(column),
                _ => unreachable!("{MISTYPED}"),
            },
        }
    }

    /// Bools.
    pub fn truth(&self, id: NodeId) -> BoolSide<'a> {
        match self.graph.node(id) {
            Node::Bool(value) => BoolSide::Constant(Truth::of(Some(*value))),
            Node::Declared(index) => match &self.inputs.events.declared[*index] {
                DeclaredColumn::Bool(column) => BoolSide::Column(column),
                _ => unreachable!("{MISTYPED}"),
            },
            _ => match self.computed(id) {
                ColumnData::Bool(rows) => BoolSide::Rows(rows),
                _ => unreachable!("{MISTYPED}"),
            },
        }
    }

    /// Texts.
    pub fn text(&self, id: NodeId) -> TextSide<'a> {
        let events = self.inputs.events;
        match self.graph.node(id) {
            Node::Literal(text) => TextSide::Constant(text.as_bytes()),
            Node::Text(field) => TextSide::Spans { spans: &events.texts[*field as usize], text: &events.text },
            Node::Declared(index) => match &events.declared[*index] {
                DeclaredColumn::Text(spans) => TextSide::Spans { spans, text: &events.text },
                _ => unreachable!("{MISTYPED}"),
            },
            _ => match self.computed(id) {
                ColumnData::Text(column) => TextSide::Column(column),
                _ => unreachable!("{MISTYPED}"),
            },
        }
    }

    /// The bytes of a text.
    pub fn bytes(&self, text: Text) -> &'a [u8] {
        let pool = match text.pool {
            Pool::Event => &self.inputs.events.text,
            Pool::Feature => self.inputs.feature_text,
            Pool::Scratch => self.scratch,
            Pool::Constant => self.graph.literals(),
        };
        &pool[text.start as usize..text.start as usize + text.len as usize]
    }

    /// The bytes of one row, if it has a text.
    pub fn bytes_at(&self, side: TextSide<'a>, row: usize) -> Option<&'a [u8]> {
        match side {
            TextSide::Spans { spans, text } => (spans[row].len != 0).then(|| spans[row].of(text)),
            TextSide::Column(column) => column.get(row).map(|text| self.bytes(text)),
            TextSide::Constant(bytes) => Some(bytes),
        }
    }

    /// One value, owned.
    pub fn value(&self, id: NodeId, row: usize) -> Option<Value> {
        Some(match self.graph.kind(id) {
            Type::String => {
                let bytes = self.bytes_at(self.text(id), row)?;
                Value::String(String::from_utf8_lossy(bytes).into_owned())
            }
            Type::Int => Value::Int(self.whole(id).get(row)?),
            Type::Money => Value::Money(self.whole(id).get(row)?),
            Type::Duration => Value::Duration(self.whole(id).get(row)?),
            Type::Timestamp => Value::Timestamp(self.whole(id).get(row)?),
            Type::Double => Value::Double(self.real(id).get(row)?),
            Type::Bool => Value::Bool(self.truth(id).get(row)?),
            Type::Ip => Value::Ip(self.address(id).get(row)?),
        })
    }

    /// A feature's column, or the node's own.
    fn computed(&self, id: NodeId) -> &'a ColumnData {
        match self.graph.node(id) {
            Node::Feature(index) => &self.inputs.features[*index],
            _ => &self.columns[id as usize],
        }
    }
}

/// The checker gives every node the type of its representation, and decoding every declared column its field's.
const MISTYPED: &str = "the column of a node has the representation of its type";

#[inline]
fn truth(present: bool, value: bool) -> Truth {
    if !present {
        Truth::Error
    } else if value {
        Truth::True
    } else {
        Truth::False
    }
}

/// Appends `test` of each row's value.
pub(super) fn test1<T: Copy>(out: &mut Vec<Truth>, a: Side<T>, rows: usize, test: impl Fn(T) -> bool) {
    match a {
        Side::Column { values, present } => {
            out.extend(values[..rows].iter().zip(&present[..rows]).map(|(x, p)| truth(*p, test(*x))));
        }
        Side::Constant(x) => out.extend(std::iter::repeat_n(truth(true, test(x)), rows)),
    }
}

/// Appends `test` of each row's two values.
pub(super) fn test2<T: Copy, U: Copy>(
    out: &mut Vec<Truth>,
    a: Side<T>,
    b: Side<U>,
    rows: usize,
    test: impl Fn(T, U) -> bool,
) {
    match (a, b) {
        (_, Side::Constant(y)) => test1(out, a, rows, |x| test(x, y)),
        (Side::Constant(x), _) => test1(out, b, rows, |y| test(x, y)),
        (Side::Column { values: a, present: p }, Side::Column { values: b, present: q }) => {
            let (left, right) = (a[..rows].iter().zip(&p[..rows]), b[..rows].iter().zip(&q[..rows]));
            out.extend(left.zip(right).map(|((x, p), (y, q))| truth(*p & *q, test(*x, *y))));
        }
    }
}

/// Fills `out` (empty) with `change` of each row's value. Also called for absent rows, whose result is dropped.
pub(super) fn map1<T: Copy, R: Copy + Default>(
    out: &mut Column<R>,
    a: Side<T>,
    rows: usize,
    mut change: impl FnMut(T) -> Option<R>,
) {
    match a {
        Side::Column { values, present } => {
            let slots = slots(out, rows);
            for ((slot, x), p) in slots.zip(&values[..rows]).zip(&present[..rows]) {
                store(slot, *p, change(*x));
            }
        }
        Side::Constant(x) => {
            let result = change(x);
            slots(out, rows).for_each(|slot| store(slot, true, result));
        }
    }
}

/// Fills `out` (empty) with `change` of each row's two values. Also called for absent rows, whose result is dropped.
pub(super) fn map2<T: Copy, U: Copy, R: Copy + Default>(
    out: &mut Column<R>,
    a: Side<T>,
    b: Side<U>,
    rows: usize,
    change: impl Fn(T, U) -> Option<R>,
) {
    match (a, b) {
        (_, Side::Constant(y)) => map1(out, a, rows, |x| change(x, y)),
        (Side::Constant(x), _) => map1(out, b, rows, |y| change(x, y)),
        (Side::Column { values: a, present: p }, Side::Column { values: b, present: q }) => {
            let (left, right) = (a[..rows].iter().zip(&p[..rows]), b[..rows].iter().zip(&q[..rows]));
            for (slot, ((x, p), (y, q))) in slots(out, rows).zip(left.zip(right)) {
                store(slot, *p & *q, change(*x, *y));
            }
        }
    }
}

/// Room for all rows at once: the loop that fills it needs no checks.
fn slots<R: Copy + Default>(out: &mut Column<R>, rows: usize) -> impl Iterator<Item = (&mut R, &mut bool)> {
    out.values.resize(rows, R::default());
    out.present.resize(rows, false);
    out.values.iter_mut().zip(&mut out.present)
}

#[inline]
fn store<R: Default>((value, present): (&mut R, &mut bool), wanted: bool, result: Option<R>) {
    *present = wanted & result.is_some();
    *value = result.unwrap_or_default();
}
