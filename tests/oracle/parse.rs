//! CEL text to tree, for hand-written rule sets: just the grammar the rule language allows, by precedence climbing.

use super::ast::{Expr, Op, binary};

/// Reads a whole expression; the error names what is left over.
pub fn parse(text: &str) -> Result<Expr, String> {
    let mut parser = Parser { rest: text };
    let expr = parser.expression()?;
    parser.space();
    if parser.rest.is_empty() { Ok(expr) } else { parser.fail("the end") }
}

struct Parser<'a> {
    rest: &'a str,
}

type Parsed = Result<Expr, String>;

impl Parser<'_> {
    fn fail<T>(&self, expected: &str) -> Result<T, String> {
        Err(format!("expected {expected} at `{}`", self.rest))
    }

    fn space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn take(&mut self, token: &str) -> bool {
        self.space();
        let found = self.rest.strip_prefix(token);
        self.rest = found.unwrap_or(self.rest);
        found.is_some()
    }

    fn need(&mut self, token: &str) -> Result<(), String> {
        if self.take(token) { Ok(()) } else { self.fail(token) }
    }

    fn expression(&mut self) -> Parsed {
        let condition = self.climb(1)?;
        if !self.take("?") {
            return Ok(condition);
        }
        let yes = self.climb(1)?;
        self.need(":")?;
        Ok(Expr::Choice(Box::new(condition), Box::new(yes), Box::new(self.expression()?)))
    }

    /// Operators at least as strong as `least`, from the left.
    fn climb(&mut self, least: u8) -> Parsed {
        let mut left = self.unary()?;
        loop {
            self.space();
            if least <= 3 && self.keyword("in") {
                left = self.membership(left)?;
                continue;
            }
            let found = Op::ALL.iter().find(|(_, text, strength)| *strength >= least && self.rest.starts_with(text));
            let Some((op, text, strength)) = found else { return Ok(left) };
            self.rest = &self.rest[text.len()..];
            left = binary(*op, left, self.climb(strength + 1)?);
        }
    }

    fn keyword(&mut self, word: &str) -> bool {
        let after = self.rest.strip_prefix(word).filter(|rest| !rest.starts_with(is_name_part));
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }

    fn membership(&mut self, of: Expr) -> Parsed {
        if self.take("[") {
            return Ok(Expr::InValues(Box::new(of), self.arguments("]")?));
        }
        match self.climb(4)? {
            Expr::Call(function, arguments) if function == "list" => match arguments.as_slice() {
                [Expr::Text(list)] => Ok(Expr::InList(Box::new(of), list.clone())),
                _ => self.fail("the name of a list"),
            },
            _ => self.fail("a list"),
        }
    }

    fn unary(&mut self) -> Parsed {
        self.space();
        if self.rest.starts_with('!') && !self.rest.starts_with("!=") && self.take("!") {
            return Ok(Expr::Not(Box::new(self.unary()?)));
        }
        if self.take("-") {
            return Ok(Expr::Negate(Box::new(self.unary()?)));
        }
        let mut expr = self.primary()?;
        while self.take(".") {
            let method = self.word();
            self.need("(")?;
            expr = Expr::Method(Box::new(expr), method, self.arguments(")")?);
        }
        Ok(expr)
    }

    fn primary(&mut self) -> Parsed {
        self.space();
        match self.rest.chars().next() {
            Some('(') => {
                self.need("(")?;
                let inner = self.expression()?;
                self.need(")").map(|()| inner)
            }
            Some(quote @ ('\'' | '"')) => self.string(quote),
            Some(c) if c.is_ascii_digit() => self.number(),
            Some(c) if is_name_part(c) => self.named(),
            _ => self.fail("a value"),
        }
    }

    fn named(&mut self) -> Parsed {
        let word = self.word();
        if word == "true" || word == "false" {
            return Ok(Expr::Bool(word == "true"));
        }
        if !self.take("(") {
            return Ok(Expr::Name(word));
        }
        match (word.as_str(), self.arguments(")")?) {
            ("has", arguments) => match arguments.as_slice() {
                [Expr::Name(name)] => Ok(Expr::Has(name.clone())),
                _ => self.fail("a name"),
            },
            (_, arguments) => Ok(Expr::Call(word, arguments)),
        }
    }

    fn arguments(&mut self, close: &str) -> Result<Vec<Expr>, String> {
        let mut arguments = Vec::new();
        while !self.take(close) {
            arguments.push(self.expression()?);
            if !self.take(",") {
                self.need(close)?;
                break;
            }
        }
        Ok(arguments)
    }

    fn word(&mut self) -> String {
        self.cut(is_name_part)
    }

    fn cut(&mut self, belongs: impl Fn(char) -> bool) -> String {
        let end = self.rest.find(|c| !belongs(c)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word.to_owned()
    }

    fn number(&mut self) -> Parsed {
        let text = self.cut(|c| c.is_ascii_digit() || c == '.');
        if text.contains('.') {
            return Ok(Expr::Number(text));
        }
        text.parse().map(Expr::Int).or_else(|_| self.fail("an integer"))
    }

    fn string(&mut self, quote: char) -> Parsed {
        let mut out = String::new();
        let mut chars = self.rest[1..].chars();
        loop {
            match chars.next() {
                Some(c) if c == quote => break,
                Some('\\') => match chars.next() {
                    Some('n') => out.push('\n'),
                    Some(c) => out.push(c),
                    None => return self.fail("a closed string"),
                },
                Some(c) => out.push(c),
                None => return self.fail("a closed string"),
            }
        }
        self.rest = chars.as_str();
        Ok(Expr::Text(out))
    }
}

fn is_name_part(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

#[test]
fn texts_are_read_by_precedence() {
    let check = |text: &str, printed: &str| assert_eq!(parse(text).unwrap().to_string(), printed, "{text}");
    check("a == 'x' && b || c", "((a == 'x') && b) || c");
    check("1 + 2 * 3 - 4", "(1 + (2 * 3)) - 4");
    check("!a && b ? 1.5 : -x", "((!(a)) && b) ? 1.5 : (-(x))");
    check("p in ['a', 'b'] && ip in list('office')", "(p in ['a', 'b']) && (ip in list('office'))");
    check("has(x) && s.startsWith('it\\'s') ", "has(x) && s.startsWith('it\\'s')");
    check("time.getHours('Asia/Shanghai') < 5", "time.getHours('Asia/Shanghai') < 5");
    check("a != b", "a != b");
    assert!(parse("a b").is_err() && parse("a.").is_err() && parse("'a").is_err());
}
