//! Which number type an expression has: a sum of nothing is a zero of that type, and no value shows it.

use super::ast::{Expr, Op};
use super::rules::RuleSet;
use super::value::Value;

/// The zero of the expression's number type; `None` where it is no number.
pub fn zero(expr: &Expr, rules: &RuleSet) -> Option<Value> {
    let of = |part: &Expr| zero(part, rules);
    match expr {
        Expr::Name(name) => zero_of_name(name, rules),
        Expr::Int(_) => Some(Value::Int(0)),
        Expr::Number(_) => Some(Value::Double(0.0)),
        Expr::Negate(part) => of(part),
        Expr::Choice(_, yes, _) => of(yes),
        Expr::Binary(Op::Divide, left, _) => match of(left)? {
            Value::Money(_) => Some(Value::Double(0.0)),
            same => Some(same),
        },
        Expr::Binary(Op::Add | Op::Subtract | Op::Multiply | Op::Remainder, left, _) => of(left),
        Expr::Call(function, arguments) => match function.as_str() {
            "size" | "int" => Some(Value::Int(0)),
            "double" => Some(Value::Double(0.0)),
            "abs" | "min" | "max" => of(arguments.first()?),
            _ => None,
        },
        Expr::Method(_, method, _) if method == "size" || method.starts_with("get") => Some(Value::Int(0)),
        _ => None,
    }
}

fn zero_of_name(name: &str, rules: &RuleSet) -> Option<Value> {
    if let Some(cel) = rules.derive.get(name) {
        return zero(&cel.0, rules);
    }
    if let Some(feature) = rules.features.get(name) {
        return match feature.aggregate.as_str() {
            "count" | "distinct" => Some(Value::Int(0)),
            "mean" | "stddev" | "speed" => Some(Value::Double(0.0)),
            "sum" | "min" | "max" | "last" | "first" => zero(feature.carried()?, rules),
            _ => None,
        };
    }
    match (name, rules.fields.get(name).map(String::as_str)) {
        ("amount", _) => Some(Value::Money(0)),
        ("kyc" | "factors", _) | (_, Some("int")) => Some(Value::Int(0)),
        ("lat" | "lon", _) | (_, Some("double")) => Some(Value::Double(0.0)),
        _ => None,
    }
}
