//! Rules about whole records: which fault comes first, what is malformed, what a fingerprint covers.

use lockkeeper::model::batch::RejectCode;
use lockkeeper::wire::MAX_RECORD;

use super::{check, decode, event, fault};

#[test]
fn the_first_bad_field_follows_the_table() {
    let order = [
        "id",
        "type",
        "time",
        "account",
        "outcome",
        "reason",
        "amount",
        "order",
        "counterparty",
        "merchant_category",
        "device",
        "channel",
        "wallet",
        "kyc",
        "ip",
        "country",
        "lat",
        "factors",
        "proof",
        "by",
        "case",
        "rule",
        "label",
        "ref",
        "a_text",
        "b_int",
        "c_double",
        "d_bool",
    ];
    for first in 0..order.len() {
        // Written in reverse, so that the order in the record cannot be what decides.
        let bad: Vec<(&str, &str)> = order[first..].iter().rev().map(|name| (*name, "[]")).collect();
        check(&bad, order[first]);
    }
    check(&[("currency", "[]"), ("amount", "1"), ("order", "[]")], "currency");
    check(&[("lon", "[]"), ("lat", "1"), ("factors", "[]")], "lon");
}

#[test]
fn malformed_records() {
    let deep = |levels: usize| format!("{{\"x\":{}{}}}", "[".repeat(levels - 1), "]".repeat(levels - 1));
    let cases: Vec<Vec<u8>> = [
        "",
        " ",
        "[]",
        "1",
        "null",
        "{",
        "}",
        "{}{}",
        "{},",
        "{} x",
        "{\"id\":\"a\",}",
        "{\"id\"}",
        "{id:1}",
        "{'id':1}",
        "{\"id\":01}",
        "{\"id\":+1}",
        "{\"id\":.5}",
        "{\"id\":1.}",
        "{\"id\":NaN}",
        "{\"id\":Infinity}",
        "{\"id\":tru}",
        "{\"id\":\"\t\"}",
        "{\"id\":\"\\x\"}",
        "{\"id\":\"\\u12\"}",
        "{\"id\":\"\\ud800\"}",
        "{\"id\":\"\\udc00\"}",
        "{\"id\":\"\\ud800\\u0041\"}",
        "{\"x\":{\"\\ud800\":1}}",
        "{\"id\":\"a\",\"id\":\"a\"}",
        "{\"id\":\"a\",\"\\u0069d\":\"a\"}",
        "{\"x\":1,\"x\":1}",
        "{\"x\":[{\"a\":1,\"\\u0061\":2}]}",
        "\u{feff}{}",
        "{\"id\":\"a\"",
        "{\"id\":\"a",
        "{\"a\":[1,]}",
        "{\"a\":[1 2]}",
        "{/**/}",
        "\u{a0}{}",
    ]
    .map(|text| text.as_bytes().to_vec())
    .into_iter()
    .chain([b"{\"id\":\"\xff\"}".to_vec(), b"\x00\x01".to_vec(), deep(17).into_bytes()])
    .chain([b"{\"x\":\"\xed\xa0\x80\"}".to_vec()])
    .collect();
    for record in cases {
        let batch = decode(&record);
        let shown = String::from_utf8_lossy(&record).into_owned();
        let rejection = batch.rejections.first().expect(&shown);
        assert_eq!((rejection.code, &rejection.event), (RejectCode::Malformed, &None), "{shown}");
        assert!(!rejection.detail.contains(char::is_control), "{:?}", rejection.detail);
    }
    assert_eq!(fault(&deep(16)), Some((RejectCode::InvalidField, Some("id".to_string()))));
    assert_eq!(fault("{}"), Some((RejectCode::InvalidField, Some("id".to_string()))));
}

#[test]
fn size_is_judged_first() {
    let padded = |len: usize| {
        let record = event(&[]);
        " ".repeat(len - record.len()) + &record
    };
    assert_eq!(fault(&padded(MAX_RECORD)), None);
    assert_eq!(fault(&padded(MAX_RECORD + 1)), Some((RejectCode::TooLarge, None)));
    assert_eq!(fault(&"\u{1}".repeat(MAX_RECORD + 1)), Some((RejectCode::TooLarge, None)));
}

#[test]
fn rejections_name_the_event_where_its_id_is_valid() {
    for (changes, id) in [
        (vec![("time", "-")], Some("e1")),
        (vec![("id", "\"\\u0061\""), ("time", "-")], Some("a")),
        (vec![("id", "1")], None),
        (vec![("id", "\"\"")], None),
    ] {
        assert_eq!(decode(event(&changes).as_bytes()).rejections[0].event.as_deref(), id);
    }
}

#[test]
fn fingerprints_follow_the_decoded_fields_alone() {
    let print = |record: &str| decode(record.as_bytes()).events.fingerprint[0];
    let base = event(&[("amount", "1.5"), ("currency", "\"USD\""), ("ip", "\"1.2.3.4\""), ("c_double", "0")]);
    let same = [
        event(&[("c_double", "-0.0"), ("ip", "\"::ffff:1.2.3.4\""), ("currency", "\"USD\""), ("amount", "\"1.50\"")]),
        base.replace(':', " : "),
        base.replace("1000", "\"1970-01-01T01:00:01+01:00\""),
        base.replace("\"e1\"", "\"\\u0065\\u0031\""),
        base.replacen('{', "{\"ignored\":[1],\"reason\":\"\",\"kyc\":null,", 1),
    ];
    for record in same {
        assert_eq!(print(&record), print(&base), "{record}");
    }
    let changes = [
        ("id", "\"e2\""),
        ("time", "1001"),
        ("amount", "1.51"),
        ("currency", "\"CNY\""),
        ("ip", "\"1.2.3.5\""),
        ("c_double", "0.1"),
        ("reason", "\"x\""),
        ("order", "\"x\""),
        ("kyc", "1"),
        ("factors", "1"),
        ("ip", "null"),
        ("a_text", "\"x\""),
        ("b_int", "0"),
        ("d_bool", "false"),
        ("d_bool", "true"),
    ];
    let mut seen = std::collections::BTreeSet::from([print(&base)]);
    for (field, value) in changes {
        let mut fields = vec![("amount", "1.5"), ("currency", "\"USD\""), ("ip", "\"1.2.3.4\""), ("c_double", "0")];
        fields.retain(|(name, _)| *name != field);
        fields.push((field, value));
        assert!(seen.insert(print(&event(&fields))), "{field} {value}");
    }
}
