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
#[derive(Debug, Clone, Copy)]
pub(super) struct Operands<'a> {
    pub graph: &'a Graph,
    pub inputs: &'a Inputs<'a>,
    pub columns: &'a [ColumnData],
    pub scratch: &'a [u8],
    pub always: &'a [bool],
    pub rows: usize,
}

/// Values of a fixed size: a column or one for all rows.
#[derive(Debug, Clone, Copy)]
pub enum Side<'a, T> {
    /// One per row; arbitrary where it is not present.
    Column {
        /// The values.
        values: &'a [T],
        /// Whether the row has a value.
        present: &'a [bool],
    },
    /// The same in all rows.
    Constant(T),
}

impl<'a, T: Copy> Side<'a, T> {
    fn of(column: &'a Column<T>) -> Self {
        Side::Column { values: &column.values, present: &column.present }
    }

    /// The value of a row, if it has one.
    #[inline]
    pub fn get(self, row: usize) -> Option<T> {
        match self {
            Side::Column { values, present } => present[row].then_some(values[row]),
            Side::Constant(value) => Some(value),
        }
    }
}

/// Bools.
#[derive(Debug, Clone, Copy)]
pub enum BoolSide<'a> {
    /// Computed ones.
    Rows(&'a [Truth]),
    /// A field of the event.
    Column(&'a Column<bool>),
    /// The same in all rows.
    Constant(Truth),
}

impl BoolSide<'_> {
    /// The value of a row, if it has one.
    pub fn get(self, row: usize) -> Option<bool> {
        match self {
            BoolSide::Rows(rows) => rows[row].get(),
            BoolSide::Column(column) => column.get(row),
            BoolSide::Constant(truth) => truth.get(),
        }
    }
}

/// Texts.
#[derive(Debug, Clone, Copy)]
pub(super) enum TextSide<'a> {
    Spans { spans: &'a [Span], text: &'a [u8] },
    Column(&'a Column<Text>),
    Constant(&'a [u8]),
}

/// The texts of a node.
#[derive(Debug, Clone, Copy)]
pub struct Texts<'a> {
    side: TextSide<'a>,
    operands: Operands<'a>,
}

impl<'a> Texts<'a> {
    /// The text of a row, if it has one.
    #[inline]
    pub fn get(&self, row: usize) -> Option<&'a [u8]> {
        self.operands.bytes_at(self.side, row)
    }

    /// Goes through all rows.
    #[inline]
    pub fn for_each(&self, mut visit: impl FnMut(Option<&'a [u8]>)) {
        // One place from which `visit` is called, so that it becomes part of the loop.
        (0..self.operands.rows).for_each(|row| visit(self.get(row)));
    }
}

/// The values of a node, read where they are: fields and features are not copied.
#[derive(Debug, Clone, Copy)]
pub enum View<'a> {
    /// Bools.
    Bool(BoolSide<'a>),
    /// Ints, money, durations and timestamps.
    I64(Side<'a, i64>),
    /// Doubles.
    F64(Side<'a, f64>),
    /// Addresses.
    Ip(Side<'a, u128>),
    /// Texts.
    Text(Texts<'a>),
}

impl<'a> Operands<'a> {
    /// The values of a node of any type.
    pub fn view(&self, id: NodeId) -> View<'a> {
        match self.graph.kind(id) {
            Type::Bool => View::Bool(self.truth(id)),
            Type::Int | Type::Money | Type::Duration | Type::Timestamp => View::I64(self.whole(id)),
            Type::Double => View::F64(self.real(id)),
            Type::Ip => View::Ip(self.address(id)),
            Type::String => View::Text(Texts { side: self.text(id), operands: *self }),
        }
    }

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
    #[inline]
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

/// Rows that a loop of comparisons takes at a time. Without this the compiler makes vector code of it, which is three
/// times as long: the instruction set that all machines have knows no comparison of 64-bit integers.
const STRIDE: usize = 4;

/// Appends `test` of each row's value.
pub(super) fn test1<T: Copy>(out: &mut Vec<Truth>, a: Side<T>, rows: usize, test: impl Fn(T) -> bool) {
    match a {
        Side::Column { values, present } => {
            let slots = append_rows(out, rows);
            let (strides, rest) = slots.as_chunks_mut::<STRIDE>();
            let (values, last) = values[..rows].as_chunks::<STRIDE>();
            for (slots, values) in strides.iter_mut().zip(values) {
                slots.iter_mut().zip(values).for_each(|(slot, x)| *slot = known(test(*x)));
            }
            rest.iter_mut().zip(last).for_each(|(slot, x)| *slot = known(test(*x)));
            blank(slots, present);
        }
        Side::Constant(x) => out.extend(std::iter::repeat_n(known(test(x)), rows)),
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
            let slots = append_rows(out, rows);
            let values = a[..rows].iter().zip(&b[..rows]);
            slots.iter_mut().zip(values).for_each(|(slot, (x, y))| *slot = known(test(*x, *y)));
            blank(slots, p);
            blank(slots, q);
        }
    }
}

fn append_rows(out: &mut Vec<Truth>, rows: usize) -> &mut [Truth] {
    let start = out.len();
    out.resize(start + rows, Truth::False);
    &mut out[start..]
}

#[inline]
fn known(value: bool) -> Truth {
    if value { Truth::True } else { Truth::False }
}

/// Makes an error of what is absent. A pass of its own over bytes, many at once, so that the loop over the values has
/// nothing else to do.
fn blank(out: &mut [Truth], present: &[bool]) {
    for (truth, present) in out.iter_mut().zip(present) {
        *truth = if *present { *truth } else { Truth::Error };
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
