//! Places, literals and refusals of the parser.

use super::super::syntax::{Kind, NumberValue};
use super::*;

/// The text under every term, outermost first.
fn places(text: &str) -> Vec<String> {
    fn walk(syntax: &Syntax, text: &str, out: &mut Vec<String>) {
        out.push(text[syntax.range.clone()].to_owned());
        match &syntax.kind {
            Kind::Not(a) | Kind::Negate(a) => walk(a, text, out),
            Kind::And(pair) | Kind::Or(pair) | Kind::In(pair) => pair.iter().for_each(|each| walk(each, text, out)),
            Kind::Compare(_, pair) | Kind::Arithmetic(_, pair) => pair.iter().for_each(|each| walk(each, text, out)),
            Kind::Choose(all) => all.iter().for_each(|each| walk(each, text, out)),
            Kind::List(all) => all.iter().for_each(|each| walk(each, text, out)),
            Kind::Call(call) => {
                out.push(call.name.clone());
                call.target.iter().for_each(|each| walk(each, text, out));
                call.arguments.iter().for_each(|each| walk(each, text, out));
            }
            _ => {}
        }
    }
    let mut out = Vec::new();
    walk(&parse(text).unwrap_or_else(|faults| panic!("{text}: {faults:?}")), text, &mut out);
    out
}

#[test]
fn terms_have_their_places() {
    let check = |text: &str, expected: &[&str]| assert_eq!(places(text), expected, "{text}");
    check("a + 1", &["a + 1", "a", "1"]);
    check("'金' == type", &["'金' == type", "'金'", "type"]);
    check("// 金\n '金' + é".trim_end_matches(" + é"), &["'金'"]);
    check("!has( x )", &["!has( x )", "has( x )", "has", "x"]);
    check("x in [1, - 2.5]", &["x in [1, - 2.5]", "x", "[1, - 2.5]", "1", "- 2.5"]);
    check("t.getHours('UTC')<5", &["t.getHours('UTC')<5", "t.getHours('UTC')", "getHours", "t", "'UTC'", "5"]);
    check("a ? b : -c", &["a ? b : -c", "a", "b", "-c", "c"]);
    check("x.all(y, z)", &["x.all(y, z)", "all", "x", "y", "z"]);
    check("has('has(') // has(", &["has('has(')", "has", "'has('"]);
}

fn number(text: &str) -> (String, NumberValue) {
    match parse(text).map(|syntax| syntax.kind) {
        Ok(Kind::Number(number)) => (number.text, number.value),
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn numbers_keep_their_text() {
    assert_eq!(number("0.10"), ("0.10".into(), NumberValue::Double(0.1)));
    assert_eq!(number("-1.50e3"), ("-1.50e3".into(), NumberValue::Double(-1500.0)));
    assert_eq!(number("- 5"), ("-5".into(), NumberValue::Int(-5)));
    assert_eq!(number("-(5)"), ("-5".into(), NumberValue::Int(-5)));
    assert_eq!(number("-(-0.5)"), ("0.5".into(), NumberValue::Double(0.5)));
    assert_eq!(number("0x1F"), ("31".into(), NumberValue::Int(31)));
    assert_eq!(number("-9223372036854775808"), (i64::MIN.to_string(), NumberValue::Int(i64::MIN)));
}

/// The text under the first fault, and its message.
fn fault(text: &str) -> (String, String) {
    let faults = parse(text).expect_err(text);
    (text[faults[0].range.clone()].to_owned(), faults[0].message.clone())
}

#[test]
fn faults_are_reworded() {
    let check = |text: &str, under: &str, message: &str| {
        assert_eq!(fault(text), (under.to_owned(), message.to_owned()), "{text}");
    };
    check("", "", "the expression is empty");
    check(" // a", " // a", "the expression is empty");
    check("a +", "", "the expression ends too early");
    check("a = 1", "=", "unexpected `=`");
    check("a and b", "and", "unexpected `and`");
    check("a == 'x", "'x", "the string has no end");
    check("9223372036854775808", "9223372036854775808", "`9223372036854775808` does not fit an int");
    check("a == 1e999", "1e999", "`1e999` does not fit a double");
    check("if == 1", "if", "`if` is a reserved word");
    check("a.b == 1", ".", "values have no fields to select");
    check("{'a': 1}", "{", "there are no maps");
    check("a[0]", "[0]", "there is nothing to take an element of");
    check("a == null", "null", "there are no null literals");
    check("b'x'", "b'x'", "there are no bytes literals");
    check("1u", "1u", "there are no unsigned literals");
    check("a == 'x' 金", "金", "unexpected `金`");
    check("'金' = 1", "=", "unexpected `=`");
    check("'金' in // 金\n ['é' = 2]", "=", "unexpected `=`");
}

#[test]
fn limits_hold() {
    let nested = |depth: usize| format!("{}a{}", "(".repeat(depth), ")".repeat(depth));
    assert!(parse(&nested(MAX_NESTING)).is_ok());
    assert_eq!(fault(&nested(MAX_NESTING + 1)).1, "the expression is nested too deeply");
    for unit in ["1+", "a?b:", "a.", "a||", "a&&", "a<", "a[", "(", "!", "-", "f(", "[", "{", "'", "a in "] {
        let text = format!("{}a", unit.repeat((MAX_LENGTH - 1) / unit.len()));
        let chain = parse(&text);
        assert!(chain.is_err() || ["a||", "a&&", "!", "-"].contains(&unit), "{unit}");
    }
    assert_eq!(fault(&" ".repeat(MAX_LENGTH + 1)).1, format!("the expression has {} bytes", MAX_LENGTH + 1));
}
