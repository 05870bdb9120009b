//! A small world for tests of expressions: some names, lists and three events (full, bare, other).

use std::collections::BTreeMap;

use crate::model::column::Column;
use crate::model::events::{DeclaredColumn, Events, FieldType, Span, TextField};
use crate::model::money::Currency;
use crate::model::value::{Type, Value};

use super::eval::{ColumnData, Evaluator, Inputs};
use super::graph::{FIELD_NAMES, Graph, ListId, NodeId};
use super::lists::{CidrSet, List, parse_address};
use super::{Compiled, Fault, Scope, compile};

pub(super) struct World {
    names: BTreeMap<String, (NodeId, Type)>,
    lists: BTreeMap<String, ListId>,
    pub graph: Graph,
    pub events: Events,
    behind: Column<i64>,
    features: Vec<ColumnData>,
}

struct Names<'a>(&'a BTreeMap<String, (NodeId, Type)>, &'a BTreeMap<String, ListId>);

impl Scope for Names<'_> {
    fn lookup(&self, name: &str) -> Option<(NodeId, Type)> {
        self.0.get(name).copied()
    }
    fn names(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }
    fn list(&self, name: &str) -> Option<ListId> {
        self.1.get(name).copied()
    }
    fn list_names(&self) -> Vec<String> {
        self.1.keys().cloned().collect()
    }
    fn currency(&self) -> Currency {
        Currency { code: *b"CNY", exponent: 2 }
    }
}

/// 2026-11-22T23:30:15.250Z, a Sunday; in Shanghai already Monday.
pub(super) const NOON: i64 = 1_795_390_215_250;

impl World {
    pub fn new() -> Self {
        let fields =
            [("big", FieldType::Int), ("flag", FieldType::Bool), ("n", FieldType::Int), ("note", FieldType::Text)];
        let ratio = [("ratio", FieldType::Double)];
        let fields: Vec<(String, FieldType)> =
            fields.into_iter().chain(ratio).map(|(name, kind)| (name.into(), kind)).collect();
        let mut graph = Graph::default();
        let mut names = BTreeMap::new();
        for name in FIELD_NAMES.iter().copied().chain(fields.iter().map(|(name, _)| name.as_str())) {
            names.extend(graph.field(name, &fields).map(|found| (name.to_owned(), found)));
        }
        names.insert("logins".into(), (graph.feature(0, Type::Int), Type::Int));
        names.insert("fresh".into(), (graph.feature(1, Type::Bool), Type::Bool));
        let office = CidrSet::parse(["10.0.0.0/8"]).expect("a network");
        let lists = BTreeMap::from([
            ("office".to_owned(), graph.add_list("office", List::Cidr(office))),
            ("vip".to_owned(), graph.add_list("vip", List::of_texts(vec!["a1".into(), "a9".into()]))),
        ]);
        let features = vec![
            ColumnData::I64(Column { values: vec![5, 0, 7], present: vec![true, false, true] }),
            ColumnData::Bool(vec![super::eval::Truth::True, super::eval::Truth::Error, super::eval::Truth::False]),
        ];
        let behind = Column { values: vec![0, 5000, 90_061_001], present: vec![true; 3] };
        World { names, lists, graph, events: events(&fields), behind, features }
    }

    pub fn compile(&mut self, text: &str) -> Result<Compiled, Vec<Fault>> {
        compile(text, &Names(&self.names, &self.lists), &mut self.graph)
    }

    /// The values of an expression for the three events.
    pub fn values(&mut self, text: &str) -> Vec<Option<Value>> {
        let compiled = self.compile(text).unwrap_or_else(|faults| panic!("{text}: {faults:?}"));
        let mut evaluator = Evaluator::new(&self.graph);
        let inputs = Inputs { events: &self.events, behind: &self.behind, features: &self.features, feature_text: b"" };
        let nodes = self.graph.needed([compiled.node]);
        let mut last = Vec::new();
        // Twice: the second batch must not see the first.
        for _ in 0..2 {
            evaluator.start(self.events.len());
            evaluator.run(&self.graph, &nodes, &inputs);
            assert_eq!(evaluator.column(compiled.node).len(), self.events.len(), "{text}");
            let value = |row| evaluator.value(&self.graph, compiled.node, row, &inputs);
            last = (0..self.events.len()).map(value).collect();
        }
        last
    }
}

fn events(fields: &[(String, FieldType)]) -> Events {
    let mut events = Events::new(&fields.iter().map(|(_, kind)| *kind).collect::<Vec<_>>());
    let rows: [(&[(TextField, &str)], &str); 3] = [
        (
            &[
                (TextField::Id, "e1"),
                (TextField::Type, "payment"),
                (TextField::Account, "a1"),
                (TextField::Reason, "支付ok"),
            ],
            "12.5",
        ),
        (&[(TextField::Id, "e2"), (TextField::Type, "login"), (TextField::Account, "a2")], ""),
        (
            &[
                (TextField::Id, "e3"),
                (TextField::Type, "login"),
                (TextField::Account, "a3"),
                (TextField::Outcome, "failure"),
            ],
            "-42",
        ),
    ];
    for (texts, note) in rows {
        let spans: Vec<(TextField, Span)> =
            texts.iter().map(|(field, text)| (*field, push(&mut events.text, text))).collect();
        for (field, _) in TextField::ALL {
            let span = spans.iter().find(|(known, _)| *known == field).map(|(_, span)| *span);
            events.texts[field as usize].push(span.unwrap_or_default());
        }
        let note = push(&mut events.text, note);
        for column in &mut events.declared {
            if let DeclaredColumn::Text(spans) = column {
                spans.push(note);
            }
        }
    }
    events.time = vec![NOON, 0, super::format::MAX_TIME];
    events.money = column([Some(12_345), None, Some(-5)]);
    events.kyc = column([Some(2), None, Some(3)]);
    events.factors = column([Some(0), None, Some(1)]);
    events.ip = column([parse_address("10.1.2.3"), None, parse_address("2001:db8:1:2::3")]);
    events.lat = column([Some(31.25), None, Some(-90.0)]);
    events.lon = column([Some(121.5), None, Some(0.0)]);
    events.declared[0] = DeclaredColumn::Int(column([Some(i64::MAX), None, Some(i64::MIN)]));
    events.declared[1] = DeclaredColumn::Bool(column([Some(true), None, Some(false)]));
    events.declared[2] = DeclaredColumn::Int(column([Some(7), None, Some(-7)]));
    events.declared[4] = DeclaredColumn::Double(column([Some(2.5), None, Some(1e308)]));
    events
}

fn push(text: &mut Vec<u8>, piece: &str) -> Span {
    let start = text.len() as u32;
    text.extend_from_slice(piece.as_bytes());
    Span { start, len: piece.len() as u32 }
}

fn column<T: Copy + Default>(rows: [Option<T>; 3]) -> Column<T> {
    let mut column = Column::default();
    rows.into_iter().for_each(|row| column.push(row));
    column
}
