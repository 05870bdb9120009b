//! Function calls: which function, how many arguments, of which types.

use std::ops::Range;

use crate::model::value::Type;

use super::super::fault::Fault;
use super::super::functions::{FUNCTIONS, Function, parse_duration, parse_timestamp};
use super::super::graph::{Node, NodeId};
use super::super::node::{Part, Search};
use super::super::pattern;
use super::super::syntax::{Call, Kind, Number, NumberValue, Syntax};
use super::super::zone::Zone;
use super::{Checker, article};

type Checked = Option<(NodeId, Type)>;

impl Checker<'_> {
    pub(super) fn call(&mut self, call: &Call, range: &Range<usize>) -> Checked {
        let Some((_, function, form)) = FUNCTIONS.iter().find(|(name, ..)| *name == call.name) else {
            return self.unknown(call);
        };
        // `a.f(b)` is `f(a, b)`; the functions that only read well one way are only that way.
        let all: Vec<&Syntax> = call.target.as_deref().into_iter().chain(&call.arguments).collect();
        let method = call.target.is_some();
        match (function, &all[..]) {
            (Function::Has, [name]) if !method => self.has(name),
            (Function::Search(search), [text, part]) if method => self.search(*search, text, part),
            (Function::Matches, [text, pattern]) => self.matches(text, pattern),
            (Function::Size, [text]) => {
                let text = self.expect(text, Type::String)?;
                Some((self.graph.add(Node::Size(text), Type::Int), Type::Int))
            }
            (Function::Int, [value]) if !method => self.int_of(value),
            (Function::Double, [value]) if !method => self.double_of(value),
            (Function::Text, [value]) if !method => self.text_of(value),
            (Function::Absolute, [value]) if !method => self.absolute(value),
            (Function::Smallest, [_, _, ..]) if !method => self.extreme(&all, Node::Smallest, range),
            (Function::Greatest, [_, _, ..]) if !method => self.extreme(&all, Node::Greatest, range),
            (Function::Prefix, [ip, v4, v6]) if !method => self.prefix(ip, v4, v6),
            (Function::Timestamp, [text]) if !method => self.timestamp(text),
            (Function::Duration, [text]) if !method => self.duration(text),
            (Function::Curve(curve), [value]) if !method => {
                let value = self.expect(value, Type::Double)?;
                Some((self.graph.add(Node::Curve(*curve, value), Type::Double), Type::Double))
            }
            (Function::Power, [base, exponent]) if !method => {
                let (base, exponent) = (self.expect(base, Type::Double), self.expect(exponent, Type::Double));
                Some((self.graph.add(Node::Power(base?, exponent?), Type::Double), Type::Double))
            }
            (Function::Part(part, of_span), [value, zone @ ..]) if method && zone.len() < 2 => {
                self.part(*part, *of_span, value, zone.first().copied())
            }
            _ => {
                // The arguments may have faults of their own.
                call.target.iter().for_each(|target| drop(self.term(target)));
                let fault = Fault::new(range.clone(), format!("`{}` is not called like this", call.name));
                self.fault(fault.expected(format!("`{form}`")))
            }
        }
    }

    fn unknown(&mut self, call: &Call) -> Checked {
        let loops = ["all", "exists", "exists_one", "map", "filter"];
        if loops.contains(&call.name.as_str()) {
            let fault = Fault::new(call.name_range.clone(), format!("there are no loops, so no `{}`", call.name));
            return self.fault(fault.help("for a fixed set of values write `x in [a, b]`"));
        }
        for each in call.target.as_deref().into_iter().chain(&call.arguments) {
            self.term(each);
        }
        let fault = Fault::new(call.name_range.clone(), format!("there is no function `{}`", call.name));
        self.fault(fault.nearest(&call.name, FUNCTIONS.iter().map(|(name, ..)| *name)))
    }

    fn has(&mut self, name: &Syntax) -> Checked {
        if !matches!(name.kind, Kind::Name(_)) {
            let fault = Fault::new(name.range.clone(), "`has` asks for a plain name");
            return self.fault(fault.expected("`has(name)`"));
        }
        let (node, _) = self.plain(name)?;
        Some((self.graph.add(Node::Present(node), Type::Bool), Type::Bool))
    }

    fn search(&mut self, search: Search, text: &Syntax, part: &Syntax) -> Checked {
        let (text, part) = (self.expect(text, Type::String), self.expect(part, Type::String));
        Some((self.graph.add(Node::Search(search, text?, part?), Type::Bool), Type::Bool))
    }

    fn matches(&mut self, text: &Syntax, pattern: &Syntax) -> Checked {
        let node = self.expect(text, Type::String);
        let source = self.literal(pattern, "a pattern")?;
        match pattern::compile(source) {
            Ok(regex) => {
                let pattern = self.graph.add_pattern(regex);
                Some((self.graph.add(Node::Matches(node?, pattern), Type::Bool), Type::Bool))
            }
            Err(message) => {
                let fault = Fault::new(pattern.range.clone(), format!("bad pattern: {message}"));
                self.fault(fault.expected("RE2 syntax"))
            }
        }
    }

    fn prefix(&mut self, ip: &Syntax, v4: &Syntax, v6: &Syntax) -> Checked {
        let node = self.expect(ip, Type::Ip);
        let (v4, v6) = (self.bits(v4, 32), self.bits(v6, 128));
        Some((self.graph.add(Node::Prefix(node?, v4?, v6?), Type::String), Type::String))
    }

    fn bits(&mut self, syntax: &Syntax, most: u8) -> Option<u8> {
        if let Kind::Number(Number { value: NumberValue::Int(value), .. }) = &syntax.kind
            && let Some(bits) = u8::try_from(*value).ok().filter(|bits| *bits <= most)
        {
            return Some(bits);
        }
        let fault = Fault::new(syntax.range.clone(), "the bits of a prefix are a literal");
        self.fault(fault.expected(format!("0 to {most}")))
    }

    fn timestamp(&mut self, text: &Syntax) -> Checked {
        let source = self.literal(text, "a timestamp")?;
        let Some(time) = parse_timestamp(source) else {
            let fault = Fault::new(text.range.clone(), format!("`{source}` is not a timestamp"));
            return self.fault(fault.expected("RFC 3339 with offset, such as `2026-01-31T08:00:00+08:00`"));
        };
        Some((self.graph.add(Node::Whole(time), Type::Timestamp), Type::Timestamp))
    }

    fn duration(&mut self, text: &Syntax) -> Checked {
        let source = self.literal(text, "a duration")?;
        let Some(span) = parse_duration(source) else {
            let fault = Fault::new(text.range.clone(), format!("`{source}` is not a duration"));
            return self.fault(fault.expected("such as `90s`, `15m`, `1h30m`, at most `36500d`"));
        };
        Some((self.graph.add(Node::Whole(span), Type::Duration), Type::Duration))
    }

    fn part(&mut self, part: Part, of_span: Option<Part>, value: &Syntax, zone: Option<&Syntax>) -> Checked {
        let checked = self.plain(value);
        let zone = zone.map(|zone| self.zone(zone));
        let node = match (checked?, zone, of_span) {
            ((node, Type::Timestamp), None, _) => Node::Part(part, node),
            ((node, Type::Timestamp), Some(zone), _) => {
                let local = self.graph.add(Node::Local(node, zone?), Type::Timestamp);
                Node::Part(part, local)
            }
            ((node, Type::Duration), None, Some(part)) => Node::Part(part, node),
            ((_, kind), ..) => {
                let fault = Fault::new(value.range.clone(), format!("this is {}", article(kind)));
                return self.fault(fault.expected("a timestamp"));
            }
        };
        Some((self.graph.add(node, Type::Int), Type::Int))
    }

    fn zone(&mut self, zone: &Syntax) -> Option<Zone> {
        let source = self.literal(zone, "a time zone")?;
        let near = match Zone::parse(source) {
            Ok(zone) => return Some(zone),
            Err(near) => near,
        };
        let fault = Fault::new(zone.range.clone(), format!("there is no time zone `{source}`"));
        let fault = fault.expected("an IANA name such as `Asia/Shanghai`, or `+08:00`");
        self.fault(match near {
            Some(near) => fault.help(format!("did you mean `{near}`?")),
            None => fault,
        })
    }

    /// The text of a literal.
    fn literal<'s>(&mut self, syntax: &'s Syntax, what: &str) -> Option<&'s str> {
        if let Kind::Text(text) = &syntax.kind {
            return Some(text);
        }
        self.term(syntax);
        let fault = Fault::new(syntax.range.clone(), format!("{what} is a string literal, checked when loaded"));
        self.fault(fault)
    }
}
