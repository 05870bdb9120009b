//! Types and values of expressions, features and derived names.

/// The type of an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Type {
    /// UTF-8 text, compared by bytes.
    String,
    /// i64
    Int,
    /// f64, never infinite or NaN
    Double,
    /// true or false
    Bool,
    /// i64 minor units of the rule set's currency
    Money,
    /// i64 milliseconds
    Duration,
    /// i64 milliseconds since the epoch, UTC
    Timestamp,
    /// v4 as v4-mapped v6
    Ip,
}

impl Type {
    /// The type's name in messages.
    pub fn name(self) -> &'static str {
        match self {
            Type::String => "string",
            Type::Int => "int",
            Type::Double => "double",
            Type::Bool => "bool",
            Type::Money => "money",
            Type::Duration => "duration",
            Type::Timestamp => "timestamp",
            Type::Ip => "ip",
        }
    }
}

/// One value of a known type, owned.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// See [`Type::String`].
    String(String),
    /// See [`Type::Int`].
    Int(i64),
    /// See [`Type::Double`].
    Double(f64),
    /// See [`Type::Bool`].
    Bool(bool),
    /// See [`Type::Money`].
    Money(i64),
    /// See [`Type::Duration`].
    Duration(i64),
    /// See [`Type::Timestamp`].
    Timestamp(i64),
    /// See [`Type::Ip`].
    Ip(u128),
}
