//! Which loop computes which node.

use super::super::graph::{Node, NodeId};
use super::operand::Operands;
use super::{ColumnData, Truth, Work, arithmetic, compare, convert, leaf, logic, text, time};

/// Computes one node into its (empty) column.
pub(super) fn run(id: NodeId, operands: &Operands, out: &mut ColumnData, work: Work) {
    let node = operands.graph.node(id);
    match (node, out) {
        (Node::Choose(arguments), out) => logic::choose(*arguments, operands, out),
        (node, out) if node.is_leaf() => leaf::copy(id, operands, out),
        (node, ColumnData::Bool(out)) => run_bool(node, operands, out),
        (Node::Part(part, a), ColumnData::I64(out)) => time::part(out, *part, *a, operands),
        (Node::Local(a, zone), ColumnData::I64(out)) => time::local(out, *a, *zone, operands, work.offsets),
        (Node::Size(a), ColumnData::I64(out)) => text::size(out, *a, operands),
        (Node::Convert(conversion, a), ColumnData::I64(out)) => convert::to_int(out, *conversion, *a, operands),
        (Node::Convert(conversion, a), ColumnData::F64(out)) => convert::to_double(out, *conversion, *a, operands),
        (Node::Convert(conversion, a), ColumnData::Text(out)) => convert::to_text(out, *conversion, *a, operands, work),
        (Node::Prefix(a, v4, v6), ColumnData::Text(out)) => text::prefix(out, *a, (*v4, *v6), operands, work),
        (Node::Join(a, b), ColumnData::Text(out)) => text::join(out, *a, *b, operands, work),
        (node, ColumnData::I64(out)) => arithmetic::whole(node, operands.graph.kind(id), operands, out),
        (node, ColumnData::F64(out)) => arithmetic::real(node, operands, out),
        (_, ColumnData::Ip(_) | ColumnData::Text(_)) => unreachable!("no other node has texts or addresses"),
    }
}

fn run_bool(node: &Node, operands: &Operands, out: &mut Vec<Truth>) {
    let rows = operands.rows;
    match node {
        Node::Present(a) => logic::present(out, *a, operands),
        Node::Not(a) => logic::not(out, *a, operands),
        Node::All(all) => logic::fold(out, Truth::True, all, operands, logic::and),
        Node::Any(all) => logic::fold(out, Truth::False, all, operands, logic::or),
        Node::AnyStrict(all) => logic::fold(out, Truth::False, all, operands, logic::or_strict),
        Node::Compare(relation, a, b) => compare::compare(out, *relation, *a, *b, operands),
        Node::CompareMixed(relation, a, b) => compare::compare_mixed(out, *relation, *a, *b, operands),
        Node::InTexts(a, texts) => compare::in_texts(out, *a, texts, operands),
        Node::InWholes(a, values) => compare::in_sorted(out, operands.whole(*a), values, rows),
        Node::InAddresses(a, values) => compare::in_sorted(out, operands.address(*a), values, rows),
        Node::InList(a, list) => compare::in_list(out, *a, operands.graph.list(*list), operands),
        Node::Search(search, a, b) => text::search(out, *search, *a, *b, operands),
        Node::Matches(a, pattern) => text::matches(out, *a, operands.graph.pattern(*pattern), operands),
        _ => unreachable!("no other node has bools"),
    }
}
