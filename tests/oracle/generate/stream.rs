//! Random streams: events in and out of time order, duplicates, conflicts, invalid and malformed records.

use super::expressions::TYPES;
use super::locks::PROOFS;
use super::random::Random;
use crate::oracle::time::{instant_text, parse_instant};
use crate::oracle::value::json_text;

/// Members of a record: keys and JSON values.
type Members = Vec<(String, String)>;

/// Starts near a local midnight or a change of clocks of the zones in use.
const STARTS: [&str; 5] = [
    "2026-11-22T15:58:00Z",
    "2026-03-29T00:30:00Z",
    "2018-11-04T02:50:00Z",
    "2026-12-31T15:55:00Z",
    "2026-10-25T00:20:00Z",
];

/// The lines of a stream; with a hot key, all events are of one account and device.
pub fn lines(random: &mut Random, scale: i64, count: usize, hot: bool) -> Vec<Vec<u8>> {
    let mut now = parse_instant(&random.word(&STARTS)).expect("a start is an instant");
    let mut records: Vec<Members> = Vec::new();
    let mut lines = Vec::new();
    for number in 0..count {
        now += scale * if random.chance(2) { 40 } else { *random.pick(&[0, 0, 1, 1, 1, 2, 3]) };
        let behind = if random.chance(25) { scale * random.between(1, 12) } else { 0 };
        let mut record = event(random, number, now - behind, hot);
        if number > 0 && random.chance(6) {
            record = random.pick(&records).clone();
            if random.chance(50) {
                set(&mut record, "tier", json_text("other"));
            }
        }
        records.push(record.clone());
        if random.chance(4) {
            spoil(random, &mut record);
        }
        lines.push(if random.chance(2) { broken(random) } else { print(random, record) });
    }
    lines
}

fn set(record: &mut Members, key: &str, value: String) {
    record.retain(|(known, _)| known != key);
    record.push((key.to_owned(), value));
}

fn event(random: &mut Random, number: usize, time: i64, hot: bool) -> Members {
    let pick = |random: &mut Random, values: &[&str]| json_text(&random.word(values));
    let mut record: Members = Vec::new();
    let mut put = |key: &str, value: String| record.push((key.to_owned(), value));
    let kind = random.word(&TYPES);
    put("id", json_text(&format!("e{number}")));
    put("type", json_text(&kind));
    let text = if random.chance(50) { json_text(&instant_text(time)) } else { time.to_string() };
    put("time", text);
    put("account", if hot { json_text("a1") } else { pick(random, &["a1", "a2", "a3"]) });
    let mut maybe = |percent: i64, key: &str, values: &[&str]| {
        if random.chance(percent) {
            put(key, pick(random, values));
        }
    };
    maybe(60, "outcome", &["success", "failure"]);
    maybe(50, "reason", &["wrong_password", "a\u{202e}b\u{7}\"\\", &"é".repeat(70), "\u{85}x", ""]);
    maybe(20, "order", &["o1", "o2"]);
    maybe(60, "counterparty", &["a1", "a2", "a3"]);
    maybe(80, "device", if hot { &["d1"] } else { &["d1", "d2", "d3", ""] });
    maybe(60, "ip", &["10.1.2.3", "10.1.2.4", "::ffff:10.1.2.3", "10.9.0.1", "2001:db8::1", "2001:DB8:0::1"]);
    maybe(40, "tier", &["gold", "silver", ""]);
    if kind == "unlock" {
        maybe(90, "proof", &PROOFS);
        maybe(40, "rule", &["r-0", "r-1", "r-2"]);
        maybe(40, "by", &["op\"1"]);
        maybe(40, "case", &["c1"]);
    }
    numbers(random, &mut record);
    record
}

fn numbers(random: &mut Random, record: &mut Members) {
    let mut put = |key: &str, value: String| record.push((key.to_owned(), value));
    if random.chance(60) {
        let (amount, currency) = *random.pick(&[
            ("10", "CNY"),
            ("12", "CNY"),
            ("0", "KWD"),
            ("25", "JPY"),
            ("7", "JPY"),
            ("12.5", "USD"),
            ("3", "EUR"),
            ("1.25", "KWD"),
        ]);
        put("amount", if random.chance(50) { amount.to_owned() } else { json_text(amount) });
        put("currency", json_text(currency));
    }
    let ranges = [("kyc", 50, 1, 3), ("factors", 40, 0, 3), ("n", 60, -3, 6)];
    for (key, percent, least, most) in ranges {
        if random.chance(percent) {
            put(key, random.between(least, most).to_string());
        }
    }
    if random.chance(60) {
        put("x", random.word(&["0.1", "0.2", "-1.5", "2", "0.0078125", "0.0234375", "1e300", "3.0000005"]));
    }
    if random.chance(40) {
        put("flag", random.chance(50).to_string());
    }
    if random.chance(40) {
        put("lat", random.word(&["31.2", "31.2", "40.5"]));
        put("lon", random.word(&["121.5", "121.5", "-74.25"]));
    }
}

/// Breaks one rule for fields, or adds what is to be ignored.
fn spoil(random: &mut Random, record: &mut Members) {
    let (key, value) = *random.pick(&[
        ("id", "\"\""),
        ("type", "\"Login\""),
        ("time", "1.5"),
        ("account", "null"),
        ("outcome", "\"maybe\""),
        ("kyc", "4"),
        ("amount", "1e2"),
        ("currency", "\"ZZZ\""),
        ("ip", "\"10.1.2\""),
        ("country", "\"cn\""),
        ("n", "2.0"),
        ("x", "1e999"),
        ("flag", "\"true\""),
        ("extra", "{\"a\":[1e999,null]}"),
        ("wallet", "null"),
        ("lon", "181"),
        ("label", "\"bad\""),
    ]);
    set(record, key, value.to_owned());
}

fn broken(random: &mut Random) -> Vec<u8> {
    let choices: [&[u8]; 8] =
        [b"", b"  \t", b"[]", b"{\"id\":", b"{\"id\":1,\"id\":2}", b"\xff", b"{\"id\":\"\\ud800\"}", b"{} {}"];
    random.pick(&choices).to_vec()
}

/// The record as one line: sometimes in another order, with spaces, an escape, or an ignored member.
fn print(random: &mut Random, mut record: Members) -> Vec<u8> {
    if random.chance(20) {
        record.push(("note".to_owned(), "[{\"deep\":[true]}]".to_owned()));
    }
    if random.chance(30) {
        random.shuffle(&mut record);
    }
    let space = if random.chance(20) { " " } else { "" };
    let escaped = random.chance(15);
    let members: Vec<_> = record
        .iter()
        .map(|(key, value)| {
            let value =
                if escaped { value.replace('a', "\\u0061").replace("f\\u0061lse", "false") } else { value.clone() };
            format!("{space}{}{space}:{space}{value}", json_text(key))
        })
        .collect();
    format!("{{{}}}", members.join(",")).into_bytes()
}
