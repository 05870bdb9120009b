//! Faults and what a checked expression tells of itself.

use super::super::testing::World;

/// The text under each fault and its message.
fn faults(text: &str) -> Vec<(String, String)> {
    let faults = World::new().compile(text).expect_err(text);
    faults.into_iter().map(|fault| (text[fault.range].to_owned(), fault.message)).collect()
}

fn check(text: &str, expected: &[(&str, &str)]) {
    let expected: Vec<(String, String)> = expected.iter().map(|(a, b)| ((*a).into(), (*b).into())).collect();
    assert_eq!(faults(text), expected, "{text}");
}

#[test]
fn all_faults_are_told() {
    check(
        "acount == 'a' && logins > 'x' || nope",
        &[
            ("acount", "there is no field, derived value or feature `acount`"),
            ("logins > 'x'", "an int does not compare with a string"),
            ("nope", "there is no field, derived value or feature `nope`"),
        ],
    );
    check("type && 1", &[("type", "this is a string"), ("1", "this is an int")]);
}

#[test]
fn money_is_no_number() {
    check("amount > ratio", &[("amount > ratio", "money does not compare with a double")]);
    check("amount > n", &[("amount > n", "money does not compare with an int")]);
    check("amount > 1 + 2", &[("amount > 1 + 2", "money does not compare with an int")]);
    check("2 * amount", &[("2 * amount", "there is no int * money")]);
    check("-amount", &[("-amount", "money has no negative")]);
    check("amount + 1", &[("amount + 1", "there is no money + int")]);
    check("amount * 1.5", &[("amount * 1.5", "there is no money * double")]);
    check("max(amount, 0.001)", &[("0.001", "the number is no amount of the rule set's currency")]);
    check("amount in [n]", &[("n", "money does not compare with an int")]);
    check("flag ? amount : 0", &[("amount : 0", "the branches differ: money and an int")]);
}

#[test]
fn types_do_not_mix() {
    check("n + 1.0", &[("n + 1.0", "there is no int + double")]);
    check("ratio % 2.0", &[("ratio % 2.0", "there is no double % double")]);
    check("2 * behind", &[("2 * behind", "there is no int * duration")]);
    check("time + time", &[("time + time", "there is no timestamp + timestamp")]);
    check("ip < ip", &[("ip < ip", "addresses have no order for `<`")]);
    check("ip == 'host'", &[("'host'", "`host` is not an IP address")]);
    check("ip in ['10.0.0.0/8']", &[("'10.0.0.0/8'", "`10.0.0.0/8` is not an IP address")]);
    check("ip in list('vip')", &[("ip", "the list `vip` holds strings, this is an ip")]);
    check("ip in list('ofice')", &[("'ofice'", "there is no list `ofice`")]);
    check("type in type", &[("type", "`in` needs a list on its right")]);
    check(
        "[1] == [1]",
        &[("[1]", "a list stands only to the right of `in`"), ("[1]", "a list stands only to the right of `in`")],
    );
    check("min(1)", &[("min(1)", "`min` is not called like this")]);
    check("max(n, 1.0)", &[("max(n, 1.0)", "the arguments differ: an int and a double")]);
    check("string(ip)", &[("ip", "an ip cannot be converted")]);
    check("int(amount)", &[("amount", "money cannot be converted")]);
}

#[test]
fn literals_are_checked() {
    check("type.matches('(')", &[("'('", "bad pattern: unclosed group")]);
    check("type.matches(account)", &[("account", "a pattern is a string literal, checked when loaded")]);
    check("time.getHours('Asia/Shangai')", &[("'Asia/Shangai'", "there is no time zone `Asia/Shangai`")]);
    check("behind > duration('1.5h')", &[("'1.5h'", "`1.5h` is not a duration")]);
    check("time > timestamp('2026-01-01')", &[("'2026-01-01'", "`2026-01-01` is not a timestamp")]);
    check("prefix(ip, 33, 48)", &[("33", "the bits of a prefix are a literal")]);
    check("has(type == 'a')", &[("type == 'a'", "`has` asks for a plain name")]);
    check("behind.getDate()", &[("behind", "this is a duration")]);
    check("len(type)", &[("len", "there is no function `len`")]);
    check("type.all(x, x)", &[("all", "there are no loops, so no `all`")]);
}

#[test]
fn near_names_are_suggested() {
    let help = |text: &str| World::new().compile(text).expect_err(text)[0].help.clone();
    assert_eq!(help("ammount > 1").as_deref(), Some("did you mean `amount`?"));
    assert_eq!(help("type.startWith('a')").as_deref(), Some("did you mean `startsWith`?"));
    assert_eq!(help("ip in list('ofice')").as_deref(), Some("did you mean `office`?"));
    assert_eq!(help("time.getHours('Asia/Shangai') < 5").as_deref(), Some("did you mean `Asia/Shanghai`?"));
}

#[test]
fn names_and_event_types_are_noted() {
    let text = "type == 'login' && (has(n) || 'x' != type) && type in ['a', account] && account == 'b'";
    let compiled = World::new().compile(text).expect(text);
    assert_eq!(compiled.names.iter().map(String::as_str).collect::<Vec<_>>(), ["account", "n", "type"]);
    let types: Vec<(&str, &str)> =
        compiled.event_types.iter().map(|(name, range)| (name.as_str(), &text[range.clone()])).collect();
    assert_eq!(types, [("login", "'login'"), ("x", "'x'"), ("a", "'a'")]);
}

#[test]
fn equal_terms_share_a_node() {
    let mut world = World::new();
    let mut node = |text: &str| world.compile(text).expect(text).node;
    assert_eq!(node("logins > 5"), node("5 < logins"));
    assert_eq!(node("amount > 1"), node("amount > 1.00"));
    assert_eq!(node("flag && fresh && flag"), node("flag && (fresh)"));
    assert_ne!(node("logins > 5"), node("logins > 6"));
}

#[test]
fn deep_expressions_are_checked_on_any_stack() {
    let mut world = World::new();
    assert!(world.compile(&format!("{}n > 1", "n + ".repeat(90))).is_ok());
    assert!(world.compile(&format!("{}n", "flag ? n : ".repeat(60))).is_ok());
    assert!(world.compile(&format!("flag{}", " && fresh || flag".repeat(300))).is_ok());
    assert!(world.compile(&format!("{}n > 1", "n + ".repeat(200))).is_err());
}
