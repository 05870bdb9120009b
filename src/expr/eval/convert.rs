//! Changes of type. A value that does not fit is an error of that row.

use crate::model::column::Column;
use crate::model::value::{Type, Value};

use super::super::decimal;
use super::super::format::write_value_digits;
use super::super::graph::NodeId;
use super::super::node::Conversion;
use super::arithmetic::ratio;
use super::operand::{Operands, map1};
use super::{Text, Work};

/// `int(..)`
pub(super) fn to_int(out: &mut Column<i64>, conversion: Conversion, a: NodeId, operands: &Operands) {
    match conversion {
        Conversion::TextToInt => {
            let side = operands.text(a);
            (0..operands.rows).for_each(|row| out.push(operands.bytes_at(side, row).and_then(decimal::parse_int)));
        }
        _ => map1(out, operands.real(a), operands.rows, truncate),
    }
}

/// Towards zero; `None` outside i64.
fn truncate(value: f64) -> Option<i64> {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    // The least i64 is a double, the greatest is not.
    (-LIMIT..LIMIT).contains(&value).then_some(value as i64)
}

/// `double(..)`
pub(super) fn to_double(out: &mut Column<f64>, conversion: Conversion, a: NodeId, operands: &Operands) {
    let rows = operands.rows;
    match conversion {
        Conversion::MoneyToDouble(digits) => {
            let unit = 10_i64.pow(digits);
            map1(out, operands.whole(a), rows, |minor| ratio(minor, unit));
        }
        Conversion::TextToDouble => {
            let side = operands.text(a);
            (0..rows).for_each(|row| out.push(operands.bytes_at(side, row).and_then(decimal::parse_double)));
        }
        _ => map1(out, operands.whole(a), rows, |value| Some(value as f64)),
    }
}

/// `string(..)`
pub(super) fn to_text(out: &mut Column<Text>, conversion: Conversion, a: NodeId, operands: &Operands, work: Work) {
    let digits = if let Conversion::ToText(digits) = conversion { digits } else { 0 };
    let kind = operands.graph.kind(a);
    for row in 0..operands.rows {
        // A value of these types owns no memory.
        let value = if kind == Type::String { None } else { operands.value(a, row) };
        out.push(value.map(|value: Value| {
            let start = work.fresh.len();
            write_value_digits(work.fresh, &value, digits);
            work.text_since(start)
        }));
    }
}
