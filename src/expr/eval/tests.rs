//! Values of expressions over three events: full, bare (optional fields missing), other.

use proptest::prelude::*;

use super::super::testing::World;
use super::{Truth, compare, logic};
use crate::model::value::Value;

/// Writes values for comparison: `-` is an error or missing.
fn shown(values: Vec<Option<Value>>) -> Vec<String> {
    let currency = crate::model::money::Currency { code: *b"CNY", exponent: 2 };
    let one = |value: Option<Value>| match value {
        None => "-".to_owned(),
        Some(value) => {
            let mut out = Vec::new();
            super::super::format::write_value(&mut out, &value, currency);
            String::from_utf8_lossy(&out).into_owned()
        }
    };
    values.into_iter().map(one).collect()
}

fn check(text: &str, expected: &str) {
    assert_eq!(shown(World::new().values(text)).join(" "), expected, "{text}");
}

#[test]
fn leaves_and_constants() {
    check("account", "a1 a2 a3");
    check("reason", "支付ok - -");
    check("amount", "123.45 - -0.05");
    check("time", "2026-11-22T23:30:15.250Z 1970-01-01T00:00:00.000Z 9999-12-31T23:59:59.999Z");
    check("ip", "10.1.2.3 - 2001:db8:1:2::3");
    check("behind", "PT0S PT5S PT90061.001S");
    check("flag", "true - false");
    check("logins", "5 - 7");
    check("fresh", "true - false");
    check("'x'", "x x x");
    check("1.5", "1.5 1.5 1.5");
    check("true", "true true true");
    check("duration('1h30m')", "PT5400S PT5400S PT5400S");
}

#[test]
fn logic_absorbs_errors() {
    check("type == 'payment' && reason == '支付ok'", "true false false");
    check("reason == '支付ok' && type == 'payment'", "true false false");
    check("type == 'login' && reason == '支付ok'", "false - -");
    check("type == 'login' || flag", "true true true");
    check("flag || fresh", "true - false");
    check("!flag", "false - true");
    check("has(flag) && !has(reason)", "false false true");
    check("has(amount) && has(note) && has(logins) && has(fresh)", "true false true");
    check("flag ? 1 : n", "1 - -7");
    check("has(n) ? n : 0", "7 0 -7");
    check("has(reason) ? reason : type", "支付ok login login");
    check("flag ? fresh : true", "true - true");
    check("has(ip) ? ip : ip", "10.1.2.3 - 2001:db8:1:2::3");
    check("has(lat) ? lat : 0.5", "31.25 0.5 -90.0");
    check("flag == fresh", "true - true");
    check("flag > false", "true - false");
}

#[test]
fn money_compares_exactly() {
    check("amount > 123.449", "true - false");
    check("amount >= 123.451", "false - false");
    check("amount == 123.45", "true - false");
    check("amount == 123.450", "true - false");
    check("amount != 123.451", "true - true");
    check("amount < -0.049", "false - true");
    check("amount <= -0.051", "false - false");
    check("-0.051 < amount", "true - true");
    check("amount < 1e300", "true - true");
    check("amount > -1e300", "true - true");
    check("amount >= 1e300", "false - false");
    check("amount in [123.45, 7]", "true - false");
    check("amount in [123.451]", "false - false");
    check("max(amount, 1)", "123.45 - 1.00");
    check("min(0.5, amount)", "0.50 - -0.05");
    check("amount + amount * 2", "370.35 - -0.15");
    check("amount / amount", "1.0 - 1.0");
    check("double(amount)", "123.45 - -0.05");
    check("abs(amount)", "123.45 - 0.05");
    check("string(amount)", "123.45 - -0.05");
}

#[test]
fn numbers() {
    check("n / 2", "3 - -3");
    check("n % 4", "3 - -3");
    check("n / 0", "- - -");
    check("big + 1", "- - -9223372036854775807");
    check("-big", "-9223372036854775807 - -");
    check("abs(big)", "9223372036854775807 - -");
    check("big / -1", "-9223372036854775807 - -");
    check("big % -1", "0 - -");
    check("ratio * 10.0", "25.0 - -");
    check("lat / lon < 1.0", "true - -");
    check("n > 6.5", "true - false");
    check("6.5 < n", "true - false");
    check("n == 7.0", "true - false");
    check("big < 9223372036854775808.0", "true - true");
    check("double(big) > big", "true - false");
    check("lat > 31", "true - false");
    check("int(ratio)", "2 - -");
    check("int(-2.7)", "-2 -2 -2");
    check("int(note)", "- - -42");
    check("double(note)", "12.5 - -42.0");
    check("double(n)", "7.0 - -7.0");
    check("string(n) + '/' + string(ratio) + string(flag)", "7/2.5true - -7/1e308false");
    check("string(time)", "2026-11-22T23:30:15.250Z 1970-01-01T00:00:00.000Z 9999-12-31T23:59:59.999Z");
    check("max(n, kyc, 3)", "7 - 3");
    check("min(ratio, 2.0)", "2.0 - 2.0");
    check("sqrt(4.0) + pow(2.0, 3.0) + exp(0.0) + ln(1.0) + log10(100.0)", "13.0 13.0 13.0");
    check("sqrt(lat)", "5.5901699437494745 - -");
    check("ln(lon)", "4.799914262780603 - -");
    check("n in [1, 7.0, 2.5]", "true - false");
    check("n in [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]", "true - false");
    check("lat in [31.25, 1]", "true - false");
    check("n in []", "false - false");
    check("lat in []", "false - false");
}

#[test]
fn texts_and_lists() {
    check("type < 'm'", "false true true");
    check("type != account", "true true true");
    check("type in ['login', 'payment']", "true true true");
    check("reason in ['支付ok', outcome]", "- - -");
    check("type in ['login', outcome]", "- - true");
    check("account in list('vip')", "true false false");
    check("ip in list('office')", "true - false");
    check("ip == '10.1.2.3'", "true - false");
    check("ip in ['::ffff:10.1.2.3', '::1']", "true - false");
    check("ip != ip", "false - false");
    check("size(reason)", "4 - -");
    check("type.size()", "7 5 5");
    check("type.startsWith('log')", "false true true");
    check("type.endsWith(type)", "true true true");
    check("reason.contains('付')", "true - -");
    check("type.contains('og')", "false true true");
    check("account.matches('[12]$')", "true true false");
    check("prefix(ip, 24, 48)", "10.1.2.0/24 - 2001:db8:1::/48");
    check("prefix(ip, 0, 0)", "0.0.0.0/0 - ::/0");
    check("prefix(ip, 32, 128)", "10.1.2.3/32 - 2001:db8:1:2::3/128");
    check("type == 'a' ? reason : 'b'", "b b b");
}

#[test]
fn times() {
    check("time.getHours()", "23 0 23");
    check("time.getHours('Asia/Shanghai')", "7 8 7");
    check("time.getHours('+08:00')", "7 8 7");
    check("time.getDayOfWeek()", "0 4 5");
    check("time.getDayOfWeek('Asia/Shanghai')", "1 4 6");
    check("time.getFullYear('+08:00')", "2026 1970 10000");
    check("time.getMonth()", "10 0 11");
    check("time.getDate('Asia/Shanghai')", "23 1 1");
    check("time.getDayOfMonth()", "21 0 30");
    check("time.getDayOfYear()", "325 0 364");
    check("time.getMinutes('-00:30')", "0 30 29");
    check("time.getSeconds()", "15 0 59");
    check("time.getMilliseconds()", "250 0 999");
    check("behind.getHours()", "0 0 25");
    check("behind.getMinutes()", "0 0 1501");
    check("behind.getSeconds()", "0 5 90061");
    check("behind.getMilliseconds()", "0 0 1");
    check("behind > duration('4s')", "false true true");
    check("time - timestamp('1970-01-01T00:00:01Z') < duration('0s')", "false true false");
    check("time + duration('1ms')", "2026-11-22T23:30:15.251Z 1970-01-01T00:00:00.001Z -");
    check("behind * 2 - behind", "PT0S PT5S PT90061.001S");
}

fn truth() -> impl Strategy<Value = Truth> {
    prop_oneof![Just(Truth::False), Just(Truth::True), Just(Truth::Error)]
}

/// A text and its value for each of the three events, by a naive reading of CEL.
type Model = (String, [Option<bool>; 3]);

fn rows(
    a: [Option<bool>; 3],
    b: [Option<bool>; 3],
    one: fn(Option<bool>, Option<bool>) -> Option<bool>,
) -> [Option<bool>; 3] {
    std::array::from_fn(|row| one(a[row], b[row]))
}

fn and(a: Option<bool>, b: Option<bool>) -> Option<bool> {
    if a == Some(false) || b == Some(false) { Some(false) } else { Some(a? && b?) }
}

fn or(a: Option<bool>, b: Option<bool>) -> Option<bool> {
    if a == Some(true) || b == Some(true) { Some(true) } else { Some(a? || b?) }
}

fn formula() -> impl Strategy<Value = Model> {
    let leaves = [
        ("flag", [Some(true), None, Some(false)]),
        ("n > 0", [Some(true), None, Some(false)]),
        ("type == 'login'", [Some(false), Some(true), Some(true)]),
        ("1 / 0 == 1", [None; 3]),
        ("has(note)", [Some(true), Some(false), Some(true)]),
        ("false", [Some(false); 3]),
    ];
    let leaf = proptest::sample::select(leaves.to_vec()).prop_map(|(text, values)| (text.to_owned(), values));
    leaf.prop_recursive(4, 32, 3, |inner| {
        let pair = (inner.clone(), inner.clone());
        prop_oneof![
            inner.clone().prop_map(|(text, values)| (format!("!({text})"), values.map(|value| value.map(|v| !v)))),
            pair.clone().prop_map(|((a, x), (b, y))| (format!("({a}) && ({b})"), rows(x, y, and))),
            pair.clone().prop_map(|((a, x), (b, y))| (format!("({a}) || ({b})"), rows(x, y, or))),
            pair.prop_map(|((a, x), (b, y))| (format!("({a}) == ({b})"), rows(x, y, |p, q| Some(p? == q?)))),
            (inner.clone(), inner.clone(), inner).prop_map(|((c, z), (a, x), (b, y))| {
                let values = std::array::from_fn(|row| if z[row]? { x[row] } else { y[row] });
                (format!("({c}) ? ({a}) : ({b})"), values)
            }),
        ]
    })
}

proptest! {
    /// Whole formulas against the naive reading.
    #[test]
    fn formulas((text, expected) in formula()) {
        let values = World::new().values(&text);
        prop_assert_eq!(values, expected.map(|value| value.map(Value::Bool)).to_vec(), "{}", text);
    }

    /// The absorbing tables of CEL, from its definition.
    #[test]
    fn connectives(a in truth(), b in truth()) {
        let and = match (a.get(), b.get()) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (Some(x), Some(y)) => Some(x && y),
            _ => None,
        };
        prop_assert_eq!(logic::and(a, b).get(), and);
        let or = match (a.get(), b.get()) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (Some(x), Some(y)) => Some(x || y),
            _ => None,
        };
        prop_assert_eq!(logic::or(a, b).get(), or);
        prop_assert_eq!(logic::or_strict(a, b).get(), a.get().zip(b.get()).map(|(x, y)| x || y));
    }

    /// Ints and doubles near them compare as their exact multiples by eight do.
    #[test]
    fn mixed_order(int: i64, near in -3_i64..3, grain in -8_i64..8) {
        let double = int.wrapping_add(near) as f64 + grain as f64 / 8.0;
        let exact = (double * 8.0) as i128;
        prop_assert_eq!(compare::order(int, double), (i128::from(int) * 8).cmp(&exact));
    }

    /// Arithmetic on ints against a model in i128.
    #[test]
    fn whole_arithmetic(a: i64, b in prop_oneof![any::<i64>(), -2_i64..3]) {
        let model = |wide: Option<i128>| vec![wide.and_then(|wide| i64::try_from(wide).ok()).map(Value::Int); 3];
        let mut world = World::new();
        let (x, y) = (i128::from(a), i128::from(b));
        prop_assert_eq!(world.values(&format!("{a} + {b}")), model(Some(x + y)));
        prop_assert_eq!(world.values(&format!("{a} - ({b})")), model(Some(x - y)));
        prop_assert_eq!(world.values(&format!("{a} * {b}")), model(Some(x * y)));
        prop_assert_eq!(world.values(&format!("{a} / {b}")), model(x.checked_div(y)));
    }
}
