//! The untyped syntax tree, with the place of every term in the text.
//!
//! It holds only what our subset of CEL has; the rest of the language was refused while reading.

use std::ops::Range;

use super::node::{Operator, Relation};

/// A term and its place: bytes of the text.
#[derive(Debug, Clone, PartialEq)]
pub struct Syntax {
    /// The union of the places of its parts.
    pub range: Range<usize>,
    /// What it is.
    pub kind: Kind,
}

/// A number as written, with its sign.
#[derive(Debug, Clone, PartialEq)]
pub struct Number {
    /// A decimal text such as `-12.50e3`; for hexadecimal ints their decimal value.
    pub text: String,
    /// Its value where no money is involved.
    pub value: NumberValue,
}

/// The plain value of a number literal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum NumberValue {
    /// Written without point and exponent.
    Int(i64),
    /// Written with a point or an exponent; finite.
    Double(f64),
}

/// The kinds of terms.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// A plain name.
    Name(String),
    /// `true` or `false`
    Bool(bool),
    /// A number literal.
    Number(Number),
    /// A string literal, unescaped.
    Text(String),
    /// `[a, b]`
    List(Vec<Syntax>),
    /// `!a`
    Not(Box<Syntax>),
    /// `-a`
    Negate(Box<Syntax>),
    /// `a && b`
    And(Box<[Syntax; 2]>),
    /// `a || b`
    Or(Box<[Syntax; 2]>),
    /// `a ? b : c`
    Choose(Box<[Syntax; 3]>),
    /// `a == b`, `a < b`, ...
    Compare(Relation, Box<[Syntax; 2]>),
    /// `a + b`, ...
    Arithmetic(Operator, Box<[Syntax; 2]>),
    /// `a in b`
    In(Box<[Syntax; 2]>),
    /// `name(arguments)`, or `target.name(arguments)`
    Call(Call),
}

/// A function call.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The function's name.
    pub name: String,
    /// The place of the name.
    pub name_range: Range<usize>,
    /// What it is called on, for `target.name(..)`.
    pub target: Option<Box<Syntax>>,
    /// What is between the brackets.
    pub arguments: Vec<Syntax>,
}
