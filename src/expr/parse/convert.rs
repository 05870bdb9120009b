//! The parser's tree -> ours, with places in bytes and without what our subset of CEL does not have.

use std::ops::Range;

use cel::IdedExpr;
use cel::common::ast::{CallExpr, Expr, LiteralValue, SourceInfo, operators};

use super::super::fault::Fault;
use super::super::lex::{Token, TokenKind};
use super::super::node::{Operator, Relation};
use super::super::syntax::{Call, Kind, Number, NumberValue, Syntax};
use super::too_deep;

/// Deepest tree: a chain of so many operators.
const MAX_DEPTH: usize = 100;

/// Converts a tree, or returns what in it we do not have.
pub(super) fn convert(
    text: &str,
    tokens: &[Token],
    expression: &IdedExpr,
    places: &SourceInfo,
) -> Result<Syntax, Vec<Fault>> {
    let mut converter = Converter { text, tokens, places, faults: Vec::new() };
    match converter.term(expression, 0) {
        Some(syntax) if converter.faults.is_empty() => Ok(syntax),
        _ => Err(converter.faults),
    }
}

struct Converter<'t> {
    text: &'t str,
    tokens: &'t [Token],
    places: &'t SourceInfo,
    faults: Vec<Fault>,
}

impl Converter<'_> {
    /// A term; `None` after a fault, which is noted.
    fn term(&mut self, expression: &IdedExpr, depth: usize) -> Option<Syntax> {
        let place = self.place(expression.id);
        if depth > MAX_DEPTH {
            return self.refuse(too_deep(place));
        }
        match &expression.expr {
            Expr::Ident(name) if name.starts_with('.') => {
                self.refuse(Fault::new(place, format!("a name does not start with a dot: `{name}`")))
            }
            Expr::Ident(name) => Some(Syntax { range: place, kind: Kind::Name(name.clone()) }),
            Expr::Literal(literal) => self.literal(literal, place),
            Expr::List(list) => self.list(&list.elements, place, depth),
            Expr::Call(call) => self.call(call, place, depth),
            other => {
                let message = unsupported(other);
                self.refuse(Fault::new(place, message).help("expressions have plain names, operators and functions"))
            }
        }
    }

    fn refuse(&mut self, fault: Fault) -> Option<Syntax> {
        self.faults.push(fault);
        None
    }

    /// The token that the parser notes for a term: its first and last byte. Tokens begin and end in ASCII.
    fn place(&self, id: u64) -> Range<usize> {
        let noted = self.places.offset_for(id).map(|(first, last)| first as usize..last as usize + 1);
        noted.filter(|range| self.text.get(range.clone()).is_some()).unwrap_or(0..self.text.len())
    }

    /// The token that starts at a byte.
    fn token_at(&self, start: usize) -> Option<usize> {
        self.tokens.binary_search_by_key(&start, |token| token.range.start).ok()
    }

    /// From the bracket that opens at `open` to behind the one that closes it.
    fn bracketed(&self, open: &Range<usize>) -> Range<usize> {
        let mut nesting = 0_usize;
        for token in &self.tokens[self.token_at(open.start).unwrap_or(self.tokens.len())..] {
            match token.kind {
                TokenKind::Sign(b'(' | b'[' | b'{') => nesting += 1,
                TokenKind::Sign(b')' | b']' | b'}') => nesting -= 1,
                _ => {}
            }
            if nesting == 0 {
                return open.start..token.range.end;
            }
        }
        open.clone()
    }

    fn literal(&mut self, literal: &LiteralValue, range: Range<usize>) -> Option<Syntax> {
        let kind = match literal {
            LiteralValue::Boolean(value) => Kind::Bool(*value.inner()),
            LiteralValue::String(text) => Kind::Text(text.inner().to_owned()),
            LiteralValue::Int(value) => {
                let value = *value.inner();
                return Some(self.number(range, value < 0, value.to_string(), NumberValue::Int(value)));
            }
            LiteralValue::Double(value) => {
                let value = *value.inner();
                let sign = if value.is_sign_negative() { "-" } else { "" };
                let text = format!("{sign}{}", self.text[range.clone()].trim_start_matches('-').trim_start());
                return Some(self.number(range, value.is_sign_negative(), text, NumberValue::Double(value)));
            }
            LiteralValue::Bytes(_) => return self.refuse(no_literal(range, "bytes", "write a string")),
            LiteralValue::UInt(_) => return self.refuse(no_literal(range, "unsigned", "leave out the `u`")),
            LiteralValue::Null => return self.refuse(no_literal(range, "null", "`has(name)` asks for a value")),
        };
        Some(Syntax { range, kind })
    }

    /// A number; the parser notes the place of the digits alone.
    fn number(&self, digits: Range<usize>, negative: bool, text: String, value: NumberValue) -> Syntax {
        let before =
            self.token_at(digits.start).and_then(|index| index.checked_sub(1)).map(|index| &self.tokens[index]);
        let range = match before {
            Some(token) if negative && token.kind == TokenKind::Sign(b'-') => token.range.start..digits.end,
            _ => digits,
        };
        Syntax { range, kind: Kind::Number(Number { text, value }) }
    }

    fn list(&mut self, elements: &[IdedExpr], place: Range<usize>, depth: usize) -> Option<Syntax> {
        let range = self.bracketed(&place);
        let elements = self.terms(elements, depth)?;
        Some(Syntax { range, kind: Kind::List(elements) })
    }

    /// All terms, so that the faults of each are noted.
    fn terms(&mut self, expressions: &[IdedExpr], depth: usize) -> Option<Vec<Syntax>> {
        let terms: Vec<Option<Syntax>> = expressions.iter().map(|each| self.term(each, depth + 1)).collect();
        terms.into_iter().collect()
    }

    fn call(&mut self, call: &CallExpr, place: Range<usize>, depth: usize) -> Option<Syntax> {
        match call.func_name.as_str() {
            operators::INDEX | operators::OPT_INDEX | operators::OPT_SELECT => {
                let range = self.bracketed(&place);
                self.refuse(Fault::new(range, "there is nothing to take an element of").help("names are plain"))
            }
            name if name.contains('_') && !name.starts_with(|first: char| first.is_ascii_alphabetic()) => {
                match self.operation(name, &call.args, &place, depth) {
                    Some(done) => done,
                    None => self.function(call, place, depth),
                }
            }
            operators::IN => self.operation(operators::IN, &call.args, &place, depth).flatten(),
            _ => self.function(call, place, depth),
        }
    }

    /// An operator; `None` where the name is none, `Some(None)` after a fault.
    fn operation(
        &mut self,
        name: &str,
        arguments: &[IdedExpr],
        sign: &Range<usize>,
        depth: usize,
    ) -> Option<Option<Syntax>> {
        let known = operator_of(name)?;
        let Some(terms) = self.terms(arguments, depth) else { return Some(None) };
        let start = terms.iter().map(|term| term.range.start).fold(sign.start, usize::min);
        let end = terms.iter().map(|term| term.range.end).fold(sign.end, usize::max);
        let kind = build(known, terms)?;
        Some(Some(Syntax { range: start..end, kind }))
    }

    fn function(&mut self, call: &CallExpr, open: Range<usize>, depth: usize) -> Option<Syntax> {
        let name_token = self.token_at(open.start).and_then(|index| index.checked_sub(1));
        let name_range = name_token.map_or(open.clone(), |index| self.tokens[index].range.clone());
        let name = self.text[name_range.clone()].to_owned();
        let target = call.target.as_deref().map(|target| self.term(target, depth + 1));
        let arguments = self.terms(&call.args, depth);
        let target = match target {
            Some(target) => Some(Box::new(target?)),
            None => None,
        };
        let start = target.as_ref().map_or(name_range.start, |target| target.range.start.min(name_range.start));
        let range = start..self.bracketed(&open).end;
        Some(Syntax { range, kind: Kind::Call(Call { name, name_range, target, arguments: arguments? }) })
    }
}

#[derive(Clone, Copy)]
enum Known {
    Not,
    Negate,
    And,
    Or,
    Choose,
    In,
    Compare(Relation),
    Arithmetic(Operator),
}

fn operator_of(name: &str) -> Option<Known> {
    Some(match name {
        operators::LOGICAL_NOT => Known::Not,
        operators::NEGATE => Known::Negate,
        operators::LOGICAL_AND => Known::And,
        operators::LOGICAL_OR => Known::Or,
        operators::CONDITIONAL => Known::Choose,
        operators::IN => Known::In,
        operators::EQUALS => Known::Compare(Relation::Equal),
        operators::NOT_EQUALS => Known::Compare(Relation::Unequal),
        operators::LESS => Known::Compare(Relation::Less),
        operators::LESS_EQUALS => Known::Compare(Relation::AtMost),
        operators::GREATER => Known::Compare(Relation::Greater),
        operators::GREATER_EQUALS => Known::Compare(Relation::AtLeast),
        operators::ADD => Known::Arithmetic(Operator::Add),
        operators::SUBSTRACT => Known::Arithmetic(Operator::Subtract),
        operators::MULTIPLY => Known::Arithmetic(Operator::Multiply),
        operators::DIVIDE => Known::Arithmetic(Operator::Divide),
        operators::MODULO => Known::Arithmetic(Operator::Remainder),
        _ => return None,
    })
}

fn build(known: Known, terms: Vec<Syntax>) -> Option<Kind> {
    match known {
        Known::Not | Known::Negate => {
            let [term] = <[Syntax; 1]>::try_from(terms).ok()?;
            Some(if matches!(known, Known::Not) { Kind::Not(Box::new(term)) } else { negate(term) })
        }
        Known::Choose => Some(Kind::Choose(Box::new(terms.try_into().ok()?))),
        _ => {
            let pair = Box::new(<[Syntax; 2]>::try_from(terms).ok()?);
            Some(match known {
                Known::And => Kind::And(pair),
                Known::Or => Kind::Or(pair),
                Known::In => Kind::In(pair),
                Known::Compare(relation) => Kind::Compare(relation, pair),
                Known::Arithmetic(operator) => Kind::Arithmetic(operator, pair),
                Known::Not | Known::Negate | Known::Choose => return None,
            })
        }
    }
}

/// A negated literal is a literal: `-(5)` is `-5`.
fn negate(term: Syntax) -> Kind {
    let Kind::Number(Number { text, value }) = &term.kind else { return Kind::Negate(Box::new(term)) };
    let value = match value {
        NumberValue::Int(value) => value.checked_neg().map(NumberValue::Int),
        NumberValue::Double(value) => Some(NumberValue::Double(-value)),
    };
    let text = text.strip_prefix('-').map_or_else(|| format!("-{text}"), str::to_owned);
    match value {
        Some(value) => Kind::Number(Number { text, value }),
        None => Kind::Negate(Box::new(term)),
    }
}

fn no_literal(range: Range<usize>, what: &str, help: &str) -> Fault {
    Fault::new(range, format!("there are no {what} literals")).help(help)
}

fn unsupported(expression: &Expr) -> &'static str {
    match expression {
        Expr::Select(_) => "values have no fields to select",
        Expr::Map(_) => "there are no maps",
        Expr::Struct(_) => "there are no messages",
        Expr::Comprehension(_) => "there are no loops",
        _ => "this is no expression",
    }
}
