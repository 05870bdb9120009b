//! What an expression is worth for one event, directly on the tree, with CEL's rules for errors.
//!
//! A missing value and every other error are one and the same [`Fault`]; only `&&`, `||` and `has` see the difference
//! between a fault and a value.

use std::cmp::Ordering;

use num_bigint::BigInt;

use super::ast::{Expr, Op};
use super::functions;
use super::number::{Decimal, compare_mixed, power, ratio};
use super::value::{Value, parse_ip};

/// A missing value or an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault;

/// What evaluation gives.
pub type Outcome = Result<Value, Fault>;

/// Where names and lists are looked up.
pub trait Scope {
    /// The value of a name for the event at hand.
    fn lookup(&self, name: &str) -> Option<Value>;
    /// Whether a list holds a value.
    fn listed(&self, list: &str, value: &Value) -> bool;
    /// Fraction digits of the rule set's currency.
    fn digits(&self) -> u32;
}

/// Evaluates an expression.
pub fn evaluate(expr: &Expr, scope: &dyn Scope) -> Outcome {
    let eval = |part: &Expr| evaluate(part, scope);
    match expr {
        Expr::Name(name) => scope.lookup(name).ok_or(Fault),
        Expr::Int(int) => Ok(Value::Int(*int)),
        Expr::Number(text) => text.parse().map(Value::Double).map_err(|_| Fault),
        Expr::Text(text) => Ok(Value::Text(text.clone())),
        Expr::Bool(truth) => Ok(Value::Bool(*truth)),
        Expr::Has(name) => Ok(Value::Bool(scope.lookup(name).is_some())),
        Expr::Not(of) => Ok(Value::Bool(!truth(eval(of))?)),
        Expr::Negate(of) => negate(eval(of)?),
        Expr::Binary(Op::And, left, right) => both(eval(left), eval(right), false),
        Expr::Binary(Op::Or, left, right) => both(eval(left), eval(right), true),
        Expr::Binary(op, left, right) => {
            let (left_value, right_value) = (eval(left)?, eval(right)?);
            match compare(left, &left_value, right, &right_value, scope.digits()) {
                Some(ordering) if is_comparison(*op) => Ok(Value::Bool(holds(*op, ordering))),
                _ => arithmetic(*op, left_value, right_value),
            }
        }
        Expr::Choice(condition, yes, no) => eval(if truth(eval(condition))? { yes } else { no }),
        Expr::InValues(of, parts) => {
            let value = eval(of)?;
            let values = parts.iter().map(eval).collect::<Result<Vec<_>, _>>()?;
            let equal = |(part, other): (&Expr, &Value)| {
                compare(of, &value, part, other, scope.digits()) == Some(Ordering::Equal)
            };
            Ok(Value::Bool(parts.iter().zip(&values).any(equal)))
        }
        Expr::InList(of, list) => Ok(Value::Bool(scope.listed(list, &eval(of)?))),
        Expr::Call(function, arguments) => {
            functions::call(function, &arguments.iter().map(eval).collect::<Result<Vec<_>, _>>()?, scope.digits())
        }
        Expr::Method(of, method, arguments) => {
            functions::method(method, &eval(of)?, &arguments.iter().map(eval).collect::<Result<Vec<_>, _>>()?)
        }
    }
}

/// Whether a condition is true; missing, in error and false are alike.
pub fn is_true(expr: &Expr, scope: &dyn Scope) -> bool {
    evaluate(expr, scope) == Ok(Value::Bool(true))
}

fn truth(outcome: Outcome) -> Result<bool, Fault> {
    if let Value::Bool(truth) = outcome? { Ok(truth) } else { Err(Fault) }
}

/// `&&` (decided by false) or `||` (decided by true): a deciding side wins over a fault on the other.
fn both(left: Outcome, right: Outcome, decisive: bool) -> Outcome {
    match (truth(left), truth(right)) {
        (Ok(a), Ok(b)) => Ok(Value::Bool(if decisive { a || b } else { a && b })),
        (Ok(a), Err(Fault)) | (Err(Fault), Ok(a)) if a == decisive => Ok(Value::Bool(decisive)),
        _ => Err(Fault),
    }
}

fn is_comparison(op: Op) -> bool {
    matches!(op, Op::Equal | Op::Unequal | Op::Less | Op::AtMost | Op::Greater | Op::AtLeast)
}

fn holds(op: Op, ordering: Ordering) -> bool {
    match op {
        Op::Equal => ordering.is_eq(),
        Op::Unequal => ordering.is_ne(),
        Op::Less => ordering.is_lt(),
        Op::AtMost => ordering.is_le(),
        Op::Greater => ordering.is_gt(),
        _ => ordering.is_ge(),
    }
}

/// How two values stand to each other; a number literal beside money is a decimal in major units, a text beside an
/// address is an address.
fn compare(left: &Expr, a: &Value, right: &Expr, b: &Value, digits: u32) -> Option<Ordering> {
    match (a, b) {
        (Value::Money(minor), _) if decimal(right).is_some() => Some(decimal(right)?.compare_minor(*minor, digits)),
        (_, Value::Money(minor)) if decimal(left).is_some() => {
            Some(decimal(left)?.compare_minor(*minor, digits).reverse())
        }
        (Value::Ip(ip), Value::Text(text)) | (Value::Text(text), Value::Ip(ip)) => Some(ip.cmp(&parse_ip(text)?)),
        _ => compare_values(a, b),
    }
}

/// The decimal a literal stands for.
fn decimal(expr: &Expr) -> Option<Decimal> {
    match expr {
        Expr::Int(int) => Some(Decimal { mantissa: i128::from(*int), scale: 0 }),
        Expr::Number(text) => Decimal::parse(text),
        _ => None,
    }
}

/// Values of one type, or int beside double.
pub fn compare_values(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::Text(a), Value::Text(b)) => Some(a.as_bytes().cmp(b.as_bytes())),
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        (Value::Ip(a), Value::Ip(b)) => Some(a.cmp(b)),
        (Value::Double(a), Value::Double(b)) => a.partial_cmp(b),
        (Value::Int(a), Value::Double(b)) => Some(compare_mixed(*a, *b)),
        (Value::Double(a), Value::Int(b)) => Some(compare_mixed(*b, *a).reverse()),
        (Value::Int(a), Value::Int(b))
        | (Value::Money(a), Value::Money(b))
        | (Value::Duration(a), Value::Duration(b))
        | (Value::Time(a), Value::Time(b)) => Some(a.cmp(b)),
        _ => None,
    }
}

fn negate(value: Value) -> Outcome {
    match value {
        Value::Int(int) => int.checked_neg().map(Value::Int).ok_or(Fault),
        Value::Double(double) => Ok(Value::Double(-double)),
        _ => Err(Fault),
    }
}

/// A finite double, or a fault.
pub fn finite(double: f64) -> Outcome {
    if double.is_finite() { Ok(Value::Double(double)) } else { Err(Fault) }
}

fn arithmetic(op: Op, left: Value, right: Value) -> Outcome {
    use Value::{Double, Duration, Int, Money, Text, Time};
    match (op, left, right) {
        (_, Int(a), Int(b)) => whole(op, a, b).map(Int).ok_or(Fault),
        (_, Double(a), Double(b)) => finite(real(op, a, b)?),
        (Op::Add, Text(a), Text(b)) => Ok(Text(a + &b)),
        (Op::Add | Op::Subtract, Money(a), Money(b)) => whole(op, a, b).map(Money).ok_or(Fault),
        (Op::Multiply, Money(a), Int(b)) => a.checked_mul(b).map(Money).ok_or(Fault),
        (Op::Divide, Money(_), Money(0)) => Err(Fault),
        (Op::Divide, Money(a), Money(b)) => Ok(Double(ratio(&(BigInt::from(a) * b.signum()), &BigInt::from(b.abs())))),
        (Op::Add | Op::Subtract, Duration(a), Duration(b)) => whole(op, a, b).map(Duration).ok_or(Fault),
        (Op::Multiply, Duration(a), Int(b)) => a.checked_mul(b).map(Duration).ok_or(Fault),
        (Op::Subtract, Time(a), Time(b)) => a.checked_sub(b).map(Duration).ok_or(Fault),
        (Op::Add | Op::Subtract, Time(a), Duration(b)) => whole(op, a, b).map(Time).ok_or(Fault),
        _ => Err(Fault),
    }
}

fn whole(op: Op, a: i64, b: i64) -> Option<i64> {
    match op {
        Op::Add => a.checked_add(b),
        Op::Subtract => a.checked_sub(b),
        Op::Multiply => a.checked_mul(b),
        Op::Divide => a.checked_div(b),
        Op::Remainder => a.checked_rem(b),
        _ => None,
    }
}

fn real(op: Op, a: f64, b: f64) -> Result<f64, Fault> {
    match op {
        Op::Add => Ok(a + b),
        Op::Subtract => Ok(a - b),
        Op::Multiply => Ok(a * b),
        Op::Divide => Ok(a / b),
        _ => Err(Fault),
    }
}

/// Money in major units.
pub fn major(minor: i64, digits: u32) -> f64 {
    ratio(&BigInt::from(minor), &power(digits))
}
