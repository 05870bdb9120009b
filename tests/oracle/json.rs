//! A strict JSON reader that keeps numbers as text, since amounts are read digit by digit.

/// Deepest nesting of a record, the record's own object being 1.
const DEEPEST: usize = 16;

/// A JSON value.
#[derive(Debug, Clone, PartialEq)]
pub enum Json {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

/// Reads exactly one JSON object; `None` where the record is malformed.
pub fn parse_object(text: &str) -> Option<Vec<(String, Json)>> {
    let mut reader = Reader { rest: text };
    let value = reader.value(0)?;
    reader.space();
    match value {
        Json::Object(members) if reader.rest.is_empty() => Some(members),
        _ => None,
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    fn take(&mut self, token: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(token)?;
        Some(())
    }

    fn value(&mut self, depth: usize) -> Option<Json> {
        self.space();
        match self.rest.bytes().next()? {
            b'{' | b'[' if depth == DEEPEST => None,
            b'{' => self.object(depth + 1),
            b'[' => self.array(depth + 1),
            b'"' => self.string().map(Json::Text),
            b't' => self.take("true").map(|()| Json::Bool(true)),
            b'f' => self.take("false").map(|()| Json::Bool(false)),
            b'n' => self.take("null").map(|()| Json::Null),
            _ => self.number(),
        }
    }

    fn object(&mut self, depth: usize) -> Option<Json> {
        let mut members: Vec<(String, Json)> = Vec::new();
        self.sequence("{", "}", |reader| {
            reader.space();
            let key = reader.string()?;
            reader.space();
            reader.take(":")?;
            let value = reader.value(depth)?;
            if members.iter().any(|(name, _)| *name == key) {
                return None;
            }
            members.push((key, value));
            Some(())
        })?;
        Some(Json::Object(members))
    }

    fn array(&mut self, depth: usize) -> Option<Json> {
        let mut items = Vec::new();
        self.sequence("[", "]", |reader| {
            items.push(reader.value(depth)?);
            Some(())
        })?;
        Some(Json::Array(items))
    }

    /// `open`, items separated by commas, `close`.
    fn sequence(&mut self, open: &str, close: &str, mut item: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.take(open)?;
        self.space();
        if self.take(close).is_some() {
            return Some(());
        }
        loop {
            item(self)?;
            self.space();
            if self.take(close).is_some() {
                return Some(());
            }
            self.take(",")?;
        }
    }

    fn number(&mut self) -> Option<Json> {
        let length = self.rest.bytes().take_while(|b| b"+-.eE0123456789".contains(b)).count();
        let (text, rest) = self.rest.split_at(length);
        self.rest = rest;
        is_number(text).then(|| Json::Number(text.to_owned()))
    }

    fn string(&mut self) -> Option<String> {
        self.take("\"")?;
        let mut out = String::new();
        loop {
            let c = self.rest.chars().next()?;
            self.rest = &self.rest[c.len_utf8()..];
            match c {
                '"' => return Some(out),
                '\\' => out.push(self.escape()?),
                c if c < ' ' => return None,
                c => out.push(c),
            }
        }
    }

    fn escape(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.rest = &self.rest[c.len_utf8()..];
        let plain = "\"\\/bfnrt".chars().zip("\"\\/\u{8}\u{c}\n\r\t".chars()).find(|(name, _)| *name == c);
        match (c, plain) {
            (_, Some((_, meant))) => Some(meant),
            ('u', _) => self.code_point(),
            _ => None,
        }
    }

    /// After `\u`: a code point, possibly from a pair of surrogates.
    fn code_point(&mut self) -> Option<char> {
        let first = self.four_digits()?;
        if !(0xd800..0xdc00).contains(&first) {
            return char::from_u32(first);
        }
        self.take("\\u")?;
        let second = self.four_digits()?.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
        char::from_u32(0x10000 + ((first - 0xd800) << 10) + second)
    }

    fn four_digits(&mut self) -> Option<u32> {
        let digits = self.rest.get(..4).filter(|text| text.bytes().all(|b| b.is_ascii_hexdigit()))?;
        let code = u32::from_str_radix(digits, 16).ok()?;
        self.rest = &self.rest[4..];
        Some(code)
    }
}

/// JSON's number grammar.
fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (base, exponent) = unsigned.split_once(['e', 'E']).map_or((unsigned, None), |(b, e)| (b, Some(e)));
    let (whole, fraction) = base.split_once('.').map_or((base, None), |(w, f)| (w, Some(f)));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(|e| digits(e.strip_prefix(['+', '-']).unwrap_or(e)))
}

#[test]
fn only_strict_json_is_read() {
    let nested = |depth: usize| format!("{}{}{}", "{\"a\":".repeat(depth - 1), "{}", "}".repeat(depth - 1));
    let good = [r#"{}"#, r#" {"a":-0.5e+3, "b":[1,{"a":null}]} "#, r#"{"a":"\ud83d\ude00\u00e9"}"#, &nested(16)];
    for text in good {
        assert!(parse_object(text).is_some(), "{text}");
    }
    let bad = [
        r#"[]"#,
        r#"{} {}"#,
        r#"{"a":01}"#,
        r#"{"a":1.}"#,
        r#"{"a":+1}"#,
        r#"{"a":"\ud83d"}"#,
        r#"{"a":"\ude00"}"#,
        r#"{"a":1,"\u0061":2}"#,
        r#"{"b":{"a":1,"a":1}}"#,
        "{\"a\":\"\t\"}",
        r#"{"a":1,}"#,
        "\u{feff}{}",
        &nested(17),
        "",
    ];
    for text in bad {
        assert!(parse_object(text).is_none(), "{text}");
    }
}
