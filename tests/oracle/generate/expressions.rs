//! Random well-typed expressions over the names at hand.

use super::random::Random;
use crate::oracle::ast::{Expr, Op, binary, is, name};

/// Names by type; features join as they are made.
#[derive(Clone)]
pub struct Names {
    pub texts: Vec<String>,
    pub ints: Vec<String>,
    pub doubles: Vec<String>,
    pub moneys: Vec<String>,
    pub truths: Vec<String>,
    pub durations: Vec<String>,
    /// Compared only, never computed with: their last bits depend on the order of floating point operations.
    pub speeds: Vec<String>,
    /// Grid of times and durations, ms.
    pub scale: i64,
    /// Longest window, in steps of the grid.
    pub reach: i64,
}

pub const TYPES: [&str; 7] = ["login", "payment", "transfer", "unlock", "label", "freeze", "identity_check"];
const COMPARISONS: [Op; 6] = [Op::Equal, Op::Unequal, Op::Less, Op::AtMost, Op::Greater, Op::AtLeast];

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

fn text(value: impl AsRef<str>) -> Expr {
    Expr::Text(value.as_ref().to_owned())
}

fn call(function: impl AsRef<str>, arguments: Vec<Expr>) -> Expr {
    Expr::Call(function.as_ref().to_owned(), arguments)
}

impl Names {
    /// The fields of an event, declared ones included.
    pub fn of_events(scale: i64, reach: i64) -> Names {
        Names {
            texts: owned(&["account", "device", "counterparty", "type", "reason", "tier"]),
            ints: owned(&["kyc", "factors", "n"]),
            doubles: owned(&["x", "lat"]),
            moneys: owned(&["amount"]),
            truths: owned(&["flag"]),
            durations: Vec::new(),
            speeds: Vec::new(),
            scale,
            reach,
        }
    }

    /// Any name, for `has` and reasons.
    pub fn any(&self, random: &mut Random) -> String {
        let groups = [&self.texts, &self.ints, &self.doubles, &self.moneys, &self.truths, &self.durations];
        let mut all: Vec<_> = groups.into_iter().flatten().cloned().collect();
        all.extend(owned(&["ip", "time", "outcome", "order", "wallet"]));
        random.pick(&all).clone()
    }

    /// A condition.
    pub fn condition(&self, random: &mut Random, depth: u32) -> Expr {
        if depth == 0 {
            return self.simple(random);
        }
        let part = |random: &mut Random| self.condition(random, depth - 1);
        match random.between(0, 9) {
            0..=2 => binary(Op::And, part(random), part(random)),
            3..=4 => binary(Op::Or, part(random), part(random)),
            5 => Expr::Not(Box::new(part(random))),
            6 => Expr::Choice(Box::new(part(random)), Box::new(part(random)), Box::new(part(random))),
            _ => self.simple(random),
        }
    }

    fn simple(&self, random: &mut Random) -> Expr {
        let op = *random.pick(&COMPARISONS);
        match random.between(0, 17) {
            0..=2 => is("type", random.pick(&TYPES)),
            3 => is("outcome", random.pick(&["success", "failure"])),
            4..=6 => binary(op, self.int(random, 1), Expr::Int(random.between(0, 5))),
            7 => self.money_comparison(random, op),
            8 => binary(op, self.double(random, 1), self.number(random)),
            9 if !self.durations.is_empty() => binary(op, self.duration(random, 1), self.duration(random, 0)),
            10 => name(random.pick(&self.truths)),
            11 => Expr::Has(self.any(random)),
            12 => self.membership(random),
            13 => self.text_test(random),
            14 => self.address_test(random),
            15 => self.clock_test(random, op),
            16 if !self.speeds.is_empty() => binary(Op::Greater, name(random.pick(&self.speeds)), Expr::Int(900)),
            17 => binary(*random.pick(&COMPARISONS[..2]), self.text(random, 0), self.text(random, 1)),
            _ => is("device", random.pick(&["d1", "d2"])),
        }
    }

    fn money_comparison(&self, random: &mut Random, op: Op) -> Expr {
        let literal = if random.chance(50) {
            Expr::Int(random.between(0, 30))
        } else {
            Expr::Number(random.word(&["12.5", "12.505"]))
        };
        match random.between(0, 2) {
            0 => binary(op, literal, self.money(random, 1)),
            1 => binary(op, self.money(random, 1), self.money(random, 1)),
            _ => binary(op, self.money(random, 1), literal),
        }
    }

    fn number(&self, random: &mut Random) -> Expr {
        match random.between(0, 2) {
            0 => self.int(random, 0),
            1 => Expr::Int(random.between(0, 5)),
            _ => Expr::Number(random.word(&["0.5", "1.5", "2.0"])),
        }
    }

    fn membership(&self, random: &mut Random) -> Expr {
        match random.between(0, 3) {
            0 => Expr::InList(Box::new(self.text(random, 0)), "people".to_owned()),
            1 => Expr::InList(Box::new(name("ip")), "office".to_owned()),
            2 => {
                let values = vec![Expr::Int(1), Expr::Int(3), self.int(random, 0)];
                Expr::InValues(Box::new(self.int(random, 0)), values)
            }
            _ => Expr::InValues(Box::new(self.text(random, 0)), vec![text("a1"), text("d1"), self.text(random, 0)]),
        }
    }

    fn text_test(&self, random: &mut Random) -> Expr {
        let of = Box::new(self.text(random, 1));
        match random.between(0, 3) {
            0 => Expr::Method(of, "startsWith".to_owned(), vec![text(random.pick(&["a", "d1", "é", ""]))]),
            1 => Expr::Method(of, "endsWith".to_owned(), vec![text(random.pick(&["1", "2", "'"]))]),
            2 => Expr::Method(of, "contains".to_owned(), vec![self.text(random, 0)]),
            _ => Expr::Method(of, "matches".to_owned(), vec![text(random.pick(&["^[ad][12]$", "w.*g", "\\d"]))]),
        }
    }

    fn address_test(&self, random: &mut Random) -> Expr {
        let literal = text(random.pick(&["10.1.2.3", "2001:db8::1", "::ffff:10.1.2.4"]));
        match random.between(0, 2) {
            0 => Expr::InValues(Box::new(name("ip")), vec![literal, text("10.9.9.9")]),
            1 => binary(Op::Unequal, name("ip"), literal),
            _ => binary(Op::Equal, name("ip"), literal),
        }
    }

    fn clock_test(&self, random: &mut Random, op: Op) -> Expr {
        let zones = ["Asia/Shanghai", "Europe/Berlin", "America/New_York"];
        let zone = random.maybe(60, |random| text(random.pick(&zones))).into_iter().collect();
        let part = random.word(&["getHours", "getMinutes", "getDayOfWeek", "getDate", "getMonth", "getSeconds"]);
        match random.between(0, 2) {
            0 => {
                let instant = call("timestamp", vec![text("2026-11-22T16:00:00Z")]);
                binary(op, name("time"), instant)
            }
            _ => binary(op, Expr::Method(Box::new(name("time")), part, zone), Expr::Int(random.between(0, 23))),
        }
    }

    /// A text.
    pub fn text(&self, random: &mut Random, depth: u32) -> Expr {
        match random.between(0, if depth == 0 { 3 } else { 6 }) {
            0 => text(random.pick(&["a1", "d2", "it's \"\\\""])),
            4 => binary(Op::Add, self.text(random, depth - 1), self.text(random, depth - 1)),
            5 => call("string", vec![self.money(random, 0)]),
            6 => call("prefix", vec![name("ip"), Expr::Int(24), Expr::Int(48)]),
            _ => name(random.pick(&self.texts)),
        }
    }

    /// An int.
    pub fn int(&self, random: &mut Random, depth: u32) -> Expr {
        if depth == 0 {
            return name(random.pick(&self.ints));
        }
        let op = *random.pick(&[Op::Add, Op::Subtract, Op::Multiply, Op::Divide, Op::Remainder]);
        match random.between(0, 9) {
            0..=1 => binary(op, self.int(random, depth - 1), self.int(random, depth - 1)),
            2 => call("size", vec![self.text(random, 0)]),
            3 => call("int", vec![self.double(random, 0)]),
            4 => call("abs", vec![binary(Op::Subtract, self.int(random, 0), Expr::Int(2))]),
            5 => call(random.pick(&["min", "max"]), vec![self.int(random, 0), Expr::Int(2), self.int(random, 0)]),
            6 => Expr::Negate(Box::new(self.int(random, 0))),
            _ => name(random.pick(&self.ints)),
        }
    }

    /// A double.
    pub fn double(&self, random: &mut Random, depth: u32) -> Expr {
        if depth == 0 {
            return name(random.pick(&self.doubles));
        }
        match random.between(0, 6) {
            0 => call("double", vec![self.money(random, 0)]),
            1 => call("double", vec![self.int(random, 0)]),
            2 => binary(Op::Divide, self.money(random, 0), self.money(random, 0)),
            3 => binary(*random.pick(&[Op::Add, Op::Multiply]), self.double(random, 0), Expr::Number("1.5".to_owned())),
            4 => call("max", vec![self.double(random, 0), Expr::Number("0.5".to_owned())]),
            _ => name(random.pick(&self.doubles)),
        }
    }

    /// Money.
    pub fn money(&self, random: &mut Random, depth: u32) -> Expr {
        match random.between(0, if depth == 0 { 0 } else { 5 }) {
            1 => binary(*random.pick(&[Op::Add, Op::Subtract]), self.money(random, 0), self.money(random, 0)),
            2 => binary(Op::Multiply, self.money(random, 0), self.int(random, 0)),
            3 => call(random.pick(&["min", "max"]), vec![self.money(random, 0), self.money(random, 0)]),
            _ => name(random.pick(&self.moneys)),
        }
    }

    /// A duration that is never negative.
    pub fn duration(&self, random: &mut Random, depth: u32) -> Expr {
        let literal = call("duration", vec![Expr::Text(format!("{}ms", self.scale * random.between(0, 12)))]);
        match random.between(0, if depth == 0 { 1 } else { 3 }) {
            2 => binary(Op::Add, self.duration(random, 0), self.duration(random, 0)),
            3 => binary(Op::Multiply, self.duration(random, 0), Expr::Int(random.between(0, 3))),
            1 if !self.durations.is_empty() => name(random.pick(&self.durations)),
            _ => literal,
        }
    }
}
