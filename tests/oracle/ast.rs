//! Expressions as a tree, and their CEL text.
//!
//! Random rule sets are made as trees; the text is what the engine gets. Everything is put in parentheses, so that
//! the tree never depends on precedence; `parse.rs` reads hand-written texts, which do.

use std::collections::BTreeSet;
use std::fmt;

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    Name(String),
    Int(i64),
    /// A number with a fraction, as written: a double, or an exact decimal beside money.
    Number(String),
    Text(String),
    Bool(bool),
    Not(Box<Expr>),
    Negate(Box<Expr>),
    Binary(Op, Box<Expr>, Box<Expr>),
    /// Condition, value when true, value when false.
    Choice(Box<Expr>, Box<Expr>, Box<Expr>),
    InValues(Box<Expr>, Vec<Expr>),
    InList(Box<Expr>, String),
    Has(String),
    /// `name(arguments)`.
    Call(String, Vec<Expr>),
    /// `receiver.name(arguments)`.
    Method(Box<Expr>, String, Vec<Expr>),
}

/// A binary operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    Or,
    And,
    Equal,
    Unequal,
    Less,
    AtMost,
    Greater,
    AtLeast,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

impl Op {
    /// Every operator with its text and its strength, longest texts first.
    pub const ALL: [(Op, &'static str, u8); 13] = [
        (Op::Or, "||", 1),
        (Op::And, "&&", 2),
        (Op::Equal, "==", 3),
        (Op::Unequal, "!=", 3),
        (Op::AtMost, "<=", 3),
        (Op::AtLeast, ">=", 3),
        (Op::Less, "<", 3),
        (Op::Greater, ">", 3),
        (Op::Add, "+", 4),
        (Op::Subtract, "-", 4),
        (Op::Multiply, "*", 5),
        (Op::Divide, "/", 5),
        (Op::Remainder, "%", 5),
    ];

    fn text(self) -> &'static str {
        Op::ALL.iter().find(|(op, ..)| *op == self).map(|(_, text, _)| *text).expect("every operator is listed")
    }
}

/// `left op right`.
pub fn binary(op: Op, left: Expr, right: Expr) -> Expr {
    Expr::Binary(op, Box::new(left), Box::new(right))
}

/// A name.
pub fn name(text: impl AsRef<str>) -> Expr {
    Expr::Name(text.as_ref().to_owned())
}

/// `name == 'text'`.
pub fn is(field: &str, text: impl AsRef<str>) -> Expr {
    binary(Op::Equal, name(field), Expr::Text(text.as_ref().to_owned()))
}

impl Expr {
    /// Adds the names this expression mentions.
    pub fn collect_names(&self, names: &mut BTreeSet<String>) {
        let mut all = |parts: &[&Expr]| parts.iter().for_each(|part| part.collect_names(names));
        match self {
            Expr::Name(text) | Expr::Has(text) => {
                names.insert(text.clone());
            }
            Expr::Int(_) | Expr::Number(_) | Expr::Text(_) | Expr::Bool(_) => {}
            Expr::Not(of) | Expr::Negate(of) | Expr::InList(of, _) => all(&[of]),
            Expr::Binary(_, left, right) => all(&[left, right]),
            Expr::Choice(condition, yes, no) => all(&[condition, yes, no]),
            Expr::Call(_, parts) => all(&parts.iter().collect::<Vec<_>>()),
            Expr::InValues(of, parts) | Expr::Method(of, _, parts) => {
                all(&[of]);
                all(&parts.iter().collect::<Vec<_>>());
            }
        }
    }

    /// The names this expression mentions, sorted.
    pub fn names(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        self.collect_names(&mut names);
        names
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Expr::Name(text) | Expr::Number(text) => write!(f, "{text}"),
            Expr::Int(int) => write!(f, "{int}"),
            Expr::Text(text) => write!(f, "{}", quote(text)),
            Expr::Bool(truth) => write!(f, "{truth}"),
            Expr::Not(of) => write!(f, "!({of})"),
            Expr::Negate(of) => write!(f, "-({of})"),
            Expr::Binary(op, left, right) => write!(f, "{} {} {}", Part(left), op.text(), Part(right)),
            Expr::Choice(condition, yes, no) => write!(f, "{} ? {} : {}", Part(condition), Part(yes), Part(no)),
            Expr::InValues(of, values) => write!(f, "{} in [{}]", Part(of), commas(values)),
            Expr::InList(of, list) => write!(f, "{} in list({})", Part(of), quote(list)),
            Expr::Has(text) => write!(f, "has({text})"),
            Expr::Call(function, arguments) => write!(f, "{function}({})", commas(arguments)),
            Expr::Method(of, method, arguments) => write!(f, "{}.{method}({})", Part(of), commas(arguments)),
        }
    }
}

/// An operand: in parentheses unless it is atomic.
struct Part<'a>(&'a Expr);

impl fmt::Display for Part<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Expr::Binary(..) | Expr::Choice(..) | Expr::InValues(..) | Expr::InList(..) => write!(f, "({})", self.0),
            Expr::Not(_) | Expr::Negate(_) => write!(f, "({})", self.0),
            atomic => write!(f, "{atomic}"),
        }
    }
}

fn commas(parts: &[Expr]) -> String {
    parts.iter().map(Expr::to_string).collect::<Vec<_>>().join(", ")
}

/// A CEL string literal.
fn quote(text: &str) -> String {
    let mut out = String::from("'");
    for c in text.chars() {
        match c {
            '\'' => out += "\\'",
            '\\' => out += "\\\\",
            '\n' => out += "\\n",
            c => out.push(c),
        }
    }
    out + "'"
}
