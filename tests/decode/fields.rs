//! Every rule about one field: a value, and whether the record that carries it is accepted.

use lockkeeper::model::events::{DeclaredColumn, TextField};

use super::{check, decode, event, quoted};

#[test]
fn required_fields() {
    for field in ["id", "type", "time", "account"] {
        for value in ["-", "null", "\"\"", "true", "[]", "{}"] {
            check(&[(field, value)], field);
        }
    }
    for field in ["id", "account"] {
        check(&[(field, "1")], field);
        check(&[(field, &quoted(128))], "ok");
        check(&[(field, &quoted(129))], field);
    }
    check(&[("type", &quoted(32))], "ok");
    check(&[("type", &quoted(33))], "type");
    for value in ["\"Login\"", "\"1a\"", "\"_a\"", "\"a-b\"", "\"a b\"", "\"é\"", "\"a\\u0000\"", "\"\\u0430\""] {
        check(&[("type", value)], "type");
    }
    for value in ["\"a\"", "\"a_1\"", "\"unheard_of\"", "\"\\u0061\""] {
        check(&[("type", value)], "ok");
    }
}

#[test]
fn time() {
    for value in ["0", "-0", "-1", "253402300799999", "-62135596800000", "\"0001-01-01T00:00:00Z\""] {
        check(&[("time", value)], "ok");
    }
    for value in [
        "253402300800000",
        "-62135596800001",
        "1e3",
        "1.0",
        "99999999999999999999",
        "\"1000\"",
        "\"2026-11-22 08:00:00Z\"",
        "\"2026-11-22T08:00:00\"",
        "\"2016-12-31T23:59:60Z\"",
        "\"10000-01-01T00:00:00Z\"",
    ] {
        check(&[("time", value)], "time");
    }
}

#[test]
fn optional_text() {
    for (field, name) in TextField::ALL {
        let is_free = !matches!(
            field,
            TextField::Id | TextField::Type | TextField::Account | TextField::Outcome | TextField::Currency
        ) && !matches!(field, TextField::Country | TextField::Label);
        if is_free {
            for value in ["null", "\"\"", &quoted(256), "\"\\u0000\"", "\"人\""] {
                check(&[(name, value)], "ok");
            }
            for value in [&quoted(257), "1", "true", "[]", "{}"] {
                check(&[(name, value)], name);
            }
        }
    }
}

#[test]
fn enumerations_country_and_ip() {
    let cases = [
        ("outcome", "\"success\"", "ok"),
        ("outcome", "\"failure\"", "ok"),
        ("outcome", "\"\"", "ok"),
        ("outcome", "null", "ok"),
        ("outcome", "\"Success\"", "outcome"),
        ("outcome", "true", "outcome"),
        ("label", "\"fraud\"", "ok"),
        ("label", "\"genuine\"", "ok"),
        ("label", "\"\"", "ok"),
        ("label", "\"other\"", "label"),
        ("country", "\"CN\"", "ok"),
        ("country", "\"\"", "ok"),
        ("country", "\"cn\"", "country"),
        ("country", "\"CHN\"", "country"),
        ("country", "\"С1\"", "country"),
        ("country", "86", "country"),
        ("ip", "\"10.0.0.1\"", "ok"),
        ("ip", "\"::1\"", "ok"),
        ("ip", "\"\"", "ok"),
        ("ip", "null", "ok"),
        ("ip", "\"fe80::1%1\"", "ip"),
        ("ip", "\"10.0.0\"", "ip"),
        ("ip", "167772161", "ip"),
    ];
    for (field, value, expected) in cases {
        check(&[(field, value)], expected);
    }
}

#[test]
fn small_integers() {
    for (field, least) in [("kyc", 1), ("factors", 0)] {
        for value in least..=3 {
            check(&[(field, &value.to_string())], "ok");
        }
        let below = (least - 1).to_string();
        for value in [below.as_str(), "4", "1.0", "1e0", "\"1\"", "\"\"", "true", "99999999999999999999"] {
            check(&[(field, value)], field);
        }
        check(&[(field, "null")], "ok");
    }
}

#[test]
fn places() {
    let cases = [
        ("0", "0", "ok"),
        ("-90", "-180", "ok"),
        ("90.0", "180.0", "ok"),
        ("9e1", "1.8E+2", "ok"),
        ("1e-999", "0", "ok"),
        ("null", "null", "ok"),
        ("90.0001", "0", "lat"),
        ("1e999", "0", "lat"),
        ("\"1\"", "0", "lat"),
        ("0", "-180.0001", "lon"),
        ("0", "\"\"", "lon"),
        ("0", "-", "lat"),
        ("-", "0", "lat"),
        ("null", "0", "lat"),
        ("-", "\"x\"", "lat"),
        ("91", "-", "lat"),
    ];
    for (lat, lon, expected) in cases {
        check(&[("lat", lat), ("lon", lon)], expected);
    }
}

#[test]
fn money() {
    let most = format!("\"{}.07\"", i64::MAX / 100);
    let cases = [
        ("\"12.50\"", "\"CNY\"", "ok"),
        ("12.50", "\"CNY\"", "ok"),
        ("\"007\"", "\"CNY\"", "ok"),
        ("0", "\"CNY\"", "ok"),
        ("1.234", "\"KWD\"", "ok"),
        (&most, "\"CNY\"", "ok"),
        ("\"\"", "\"\"", "ok"),
        ("null", "\"\"", "ok"),
        ("1.000", "\"CNY\"", "amount"),
        ("1.0", "\"JPY\"", "amount"),
        ("-1", "\"CNY\"", "amount"),
        ("1e2", "\"CNY\"", "amount"),
        ("\"1.\"", "\"CNY\"", "amount"),
        ("\"٣\"", "\"CNY\"", "amount"),
        ("\"NaN\"", "\"CNY\"", "amount"),
        ("true", "\"CNY\"", "amount"),
        ("\"92233720368547758.08\"", "\"CNY\"", "amount"),
        ("\"92233720368547758.07\"", "\"USD\"", "amount"),
        ("\"1\"", "\"XAU\"", "currency"),
        ("\"1\"", "\"cny\"", "currency"),
        ("\"1\"", "156", "currency"),
        ("\"-1\"", "\"XAU\"", "amount"),
        ("\"0\"", "\"ZZZ\"", "currency"),
        ("\"1\"", "-", "amount"),
        ("-", "\"CNY\"", "amount"),
        ("\"\"", "\"CNY\"", "amount"),
        ("1", "\"\"", "amount"),
        ("null", "5", "amount"),
    ];
    for (amount, currency, expected) in cases {
        check(&[("amount", amount), ("currency", currency)], expected);
    }
}

#[test]
fn amounts_are_converted_half_even() {
    let cases = [
        ("12.50", "CNY", 1250, Some(1250)),
        ("1.05", "USD", 105, Some(746)),
        ("1.50", "USD", 150, Some(1065)),
        ("101", "JPY", 101, Some(495)),
        ("1.234", "KWD", 1234, Some(123_400)),
        ("5", "EUR", 500, None),
    ];
    for (amount, currency, given, converted) in cases {
        let batch = decode(event(&[("amount", amount), ("currency", &format!("\"{currency}\""))]).as_bytes());
        assert_eq!(batch.events.amount.get(0), Some(given), "{amount} {currency}");
        assert_eq!(batch.events.money.get(0), converted, "{amount} {currency}");
        assert_eq!(batch.events.text_of(TextField::Currency, 0), Some(currency));
    }
}

#[test]
fn declared_fields() {
    let cases = [
        ("a_text", "\"x\"", "ok"),
        ("a_text", "\"\"", "ok"),
        ("a_text", &quoted(257), "a_text"),
        ("a_text", "1", "a_text"),
        ("b_int", "-9223372036854775808", "ok"),
        ("b_int", "9223372036854775808", "b_int"),
        ("b_int", "1.0", "b_int"),
        ("b_int", "\"\"", "b_int"),
        ("c_double", "1e308", "ok"),
        ("c_double", "1e309", "c_double"),
        ("c_double", "\"1\"", "c_double"),
        ("d_bool", "false", "ok"),
        ("d_bool", "0", "d_bool"),
        ("d_bool", "\"true\"", "d_bool"),
        ("undeclared", "1e999", "ok"),
        ("undeclared", "{\"a\":[1e999]}", "ok"),
    ];
    for (field, value, expected) in cases {
        check(&[(field, value)], expected);
    }
    let values = [("a_text", "\"\\u4eba\""), ("b_int", "-7"), ("c_double", "0.1"), ("d_bool", "true")];
    let batch = decode(event(&values).as_bytes());
    let DeclaredColumn::Text(texts) = &batch.events.declared[0] else { panic!("a text column") };
    assert_eq!(texts[0].of(&batch.events.text), "人".as_bytes());
    let DeclaredColumn::Int(ints) = &batch.events.declared[1] else { panic!("an int column") };
    assert_eq!(ints.get(0), Some(-7));
    let DeclaredColumn::Double(doubles) = &batch.events.declared[2] else { panic!("a double column") };
    assert_eq!(doubles.get(0), Some(0.1));
    let DeclaredColumn::Bool(flags) = &batch.events.declared[3] else { panic!("a bool column") };
    assert_eq!(flags.get(0), Some(true));
}
