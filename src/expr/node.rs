//! What a node of the expression graph can be.
//!
//! Operators are named by what they compute on, not by source syntax: the checker has already chosen the variant
//! for the types at hand, so that evaluation never looks at a type per row. Money, durations and timestamps are
//! whole numbers here; their units were settled by the checker.

use crate::model::events::TextField;

use super::graph::{ListId, NodeId, PatternId};
use super::zone::Zone;

/// A double that can be a key: equality and hash by bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Bits(u64);

impl Bits {
    /// Wraps a double.
    pub fn new(value: f64) -> Self {
        Bits(value.to_bits())
    }

    /// The double.
    pub fn get(self) -> f64 {
        f64::from_bits(self.0)
    }
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Relation {
    /// `==`
    Equal,
    /// `!=`
    Unequal,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
}

impl Relation {
    /// The relation with its sides swapped: `a < b` is `b > a`.
    pub fn swapped(self) -> Self {
        match self {
            Relation::Less => Relation::Greater,
            Relation::AtMost => Relation::AtLeast,
            Relation::Greater => Relation::Less,
            Relation::AtLeast => Relation::AtMost,
            same => same,
        }
    }

    /// As written in expressions.
    pub fn symbol(self) -> &'static str {
        match self {
            Relation::Equal => "==",
            Relation::Unequal => "!=",
            Relation::Less => "<",
            Relation::AtMost => "<=",
            Relation::Greater => ">",
            Relation::AtLeast => ">=",
        }
    }
}

/// Arithmetic with two operands of equal type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operator {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Remainder,
}

impl Operator {
    /// As written in expressions.
    pub fn symbol(self) -> &'static str {
        match self {
            Operator::Add => "+",
            Operator::Subtract => "-",
            Operator::Multiply => "*",
            Operator::Divide => "/",
            Operator::Remainder => "%",
        }
    }
}

/// Where a text is looked for in another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Search {
    /// `startsWith`
    Start,
    /// `endsWith`
    End,
    /// `contains`
    Anywhere,
}

/// A change of type; fails where the value does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Conversion {
    /// `int(double)`: towards zero.
    DoubleToInt,
    /// `int(string)`: ASCII digits, `-` allowed.
    TextToInt,
    /// `double(int)`: nearest.
    IntToDouble,
    /// `double(money)`: major units, nearest; the field is the currency's digits.
    MoneyToDouble(u32),
    /// `double(string)`
    TextToDouble,
    /// `string(..)` as in the output; the field is the currency's digits.
    ToText(u32),
}

/// A part of a local timestamp or of a duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// `getFullYear`
    Year,
    /// `getMonth`, from 0
    Month,
    /// `getDate`, from 1
    Date,
    /// `getDayOfMonth`, from 0
    DayOfMonth,
    /// `getDayOfWeek`, 0 is Sunday
    DayOfWeek,
    /// `getDayOfYear`, from 0
    DayOfYear,
    /// `getHours` of a timestamp, 0 to 23
    Hour,
    /// `getMinutes` of a timestamp
    Minute,
    /// `getSeconds` of a timestamp
    Second,
    /// `getMilliseconds` of a timestamp
    Millisecond,
    /// `getHours` of a duration: all of it
    TotalHours,
    /// `getMinutes` of a duration: all of it
    TotalMinutes,
    /// `getSeconds` of a duration: all of it
    TotalSeconds,
    /// `getMilliseconds` of a duration: what is left beyond whole seconds
    RestMilliseconds,
}

/// A function on doubles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Curve {
    /// `sqrt`
    Sqrt,
    /// `ln`
    Ln,
    /// `log10`
    Log10,
    /// `exp`
    Exp,
}

/// One node: a leaf, a constant or an operation on nodes with smaller ids.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Node {
    /// A text field of the event.
    Text(TextField),
    /// Event time.
    Time,
    /// Amount in the rule set's currency.
    Amount,
    /// Identity-check class.
    Kyc,
    /// Authentication factors used.
    Factors,
    /// IP address.
    Ip,
    /// Latitude.
    Lat,
    /// Longitude.
    Lon,
    /// A declared field, by index.
    Declared(usize),
    /// How far the event's time is behind the highest one accepted before.
    Behind,
    /// The value of a feature, by index.
    Feature(usize),

    /// A constant bool.
    Bool(bool),
    /// A constant int, money, duration or timestamp.
    Whole(i64),
    /// A constant double.
    Real(Bits),
    /// A constant text.
    Literal(String),
    /// A constant address.
    Address(u128),

    /// Whether a value is there; never an error.
    Present(NodeId),
    /// `!`
    Not(NodeId),
    /// `&&` over all, in the order written.
    All(Vec<NodeId>),
    /// `||` over all, in the order written.
    Any(Vec<NodeId>),
    /// True where one is true, but an error where any is an error: `in` with elements that may be missing.
    AnyStrict(Vec<NodeId>),
    /// `condition ? first : second`
    Choose([NodeId; 3]),

    /// Compares two values of one representation.
    Compare(Relation, NodeId, NodeId),
    /// Compares an int (first) with a double, exactly.
    CompareMixed(Relation, NodeId, NodeId),
    /// Whether a text is one of these, sorted.
    InTexts(NodeId, Vec<String>),
    /// Whether a whole number is one of these, sorted.
    InWholes(NodeId, Vec<i64>),
    /// Whether an address is one of these, sorted.
    InAddresses(NodeId, Vec<u128>),
    /// Whether a text or an address is in a list.
    InList(NodeId, ListId),

    /// Checked arithmetic on whole numbers.
    Whole2(Operator, NodeId, NodeId),
    /// Arithmetic on doubles; an infinite or NaN result is an error.
    Real2(Operator, NodeId, NodeId),
    /// Quotient of two amounts of money as a double, nearest.
    Ratio(NodeId, NodeId),
    /// `-` on an int or a double.
    Negate(NodeId),
    /// `abs`
    Absolute(NodeId),
    /// `min`
    Smallest(Vec<NodeId>),
    /// `max`
    Greatest(Vec<NodeId>),
    /// A function on doubles; outside its domain an error.
    Curve(Curve, NodeId),
    /// `pow`
    Power(NodeId, NodeId),

    /// Two texts after one another.
    Join(NodeId, NodeId),
    /// Whether the second text is in the first.
    Search(Search, NodeId, NodeId),
    /// Whether a pattern is found in a text.
    Matches(NodeId, PatternId),
    /// Code points of a text.
    Size(NodeId),
    /// The network of an address as text: bits kept of v4 and v6.
    Prefix(NodeId, u8, u8),
    /// A change of type.
    Convert(Conversion, NodeId),

    /// Local time of a timestamp, in ms as if it were UTC.
    Local(NodeId, Zone),
    /// A part of a local timestamp or of a duration.
    Part(Part, NodeId),
}

impl Node {
    /// Whether the value comes straight from the event, the features or the rule set's text.
    pub fn is_leaf(&self) -> bool {
        self.arguments().is_empty()
    }

    /// The nodes it is computed from, in the order written.
    pub fn arguments(&self) -> Arguments<'_> {
        match self {
            Node::Present(a)
            | Node::Not(a)
            | Node::InTexts(a, _)
            | Node::InWholes(a, _)
            | Node::InAddresses(a, _)
            | Node::InList(a, _)
            | Node::Negate(a)
            | Node::Absolute(a)
            | Node::Curve(_, a)
            | Node::Matches(a, _)
            | Node::Size(a)
            | Node::Prefix(a, _, _)
            | Node::Convert(_, a)
            | Node::Local(a, _)
            | Node::Part(_, a) => Arguments::Few([*a, 0, 0], 1),
            Node::Compare(_, a, b)
            | Node::CompareMixed(_, a, b)
            | Node::Whole2(_, a, b)
            | Node::Real2(_, a, b)
            | Node::Ratio(a, b)
            | Node::Power(a, b)
            | Node::Join(a, b)
            | Node::Search(_, a, b) => Arguments::Few([*a, *b, 0], 2),
            Node::Choose(all) => Arguments::Few(*all, 3),
            Node::All(all) | Node::Any(all) | Node::AnyStrict(all) | Node::Smallest(all) | Node::Greatest(all) => {
                Arguments::Many(all)
            }
            _ => Arguments::Few([0; 3], 0),
        }
    }
}

/// The arguments of a node.
#[derive(Debug, Clone)]
pub enum Arguments<'a> {
    /// Up to three, and how many.
    Few([NodeId; 3], usize),
    /// Any number.
    Many(&'a [NodeId]),
}

impl Arguments<'_> {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        matches!(self, Arguments::Few(_, 0))
    }
}

impl Iterator for Arguments<'_> {
    type Item = NodeId;

    fn next(&mut self) -> Option<NodeId> {
        match self {
            Arguments::Few(_, 0) => None,
            Arguments::Few(all, left) => {
                let first = all[0];
                all.rotate_left(1);
                *left -= 1;
                Some(first)
            }
            Arguments::Many(all) => {
                let (first, rest) = all.split_first()?;
                *all = rest;
                Some(*first)
            }
        }
    }
}
