//! The examples of Apache Flink: its walkthrough of fraud detection, the sums of its spend report, and the tests of a
//! demo in which rules are data.
//!
//! Amounts go in as dinars (KWD, three fraction digits), because a few of theirs have more than two.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::run::{Result, fixture, hits, json as read, replay};

const CURRENCY: &str = "KWD";

fn payment(id: String, millis: i64, account: String, amount: &Value) -> Value {
    let amount = amount.as_str().map_or_else(|| amount.to_string(), str::to_owned);
    json!({"id": id, "type": "payment", "time": millis, "account": account, "amount": amount, "currency": CURRENCY})
}

/// The fifty payments of the walkthrough.
fn walkthrough() -> Result<(Value, Vec<Value>)> {
    let vector = read("flink/walkthrough.json")?;
    let transactions = vector["transactions"].as_array().ok_or("transactions")?;
    let events = transactions
        .iter()
        .map(|t| {
            let millis = t["t"].as_i64().unwrap_or_default() * 1000;
            payment(t["i"].to_string(), millis, t["account"].to_string(), &t["amount"])
        })
        .collect();
    Ok((vector, events))
}

#[test]
fn a_large_payment_right_after_a_small_one_is_the_only_alert_of_the_walkthrough() -> Result<()> {
    let (vector, events) = walkthrough()?;
    assert_eq!(events.len(), 50);
    let output = replay(&std::fs::read_to_string(fixture("flink/walkthrough.yaml"))?, &events)?;
    let found: Vec<_> = hits(&output, "large-after-small")
        .into_iter()
        .filter_map(|(id, values)| Some((id.to_owned(), values?["amount"].clone(), values?["previous_amount"].clone())))
        .collect();
    let expected = vector["expected_alerts_v1"].as_array().ok_or("expectations")?;
    let expected: Vec<_> = expected
        .iter()
        .map(|alert| (alert["i"].to_string(), digits(&alert["amount"]), digits(&alert["previous_small"])))
        .collect();
    assert_eq!(found, expected);
    Ok(())
}

/// `0.80` as this currency is written.
fn digits(amount: &Value) -> Value {
    let text = amount.as_str().map_or_else(|| amount.to_string(), str::to_owned);
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    Value::from(format!("{whole}.{fraction:0<3}"))
}

#[test]
fn read_as_event_time_the_second_version_gives_no_alert() -> Result<()> {
    let (_, events) = walkthrough()?;
    let rules = std::fs::read_to_string(fixture("flink/walkthrough.yaml"))?;
    let output = replay(&rules.replace("window: lifetime", "window: 1m"), &events)?;
    assert!(hits(&output, "large-after-small").iter().all(|(_, values)| values.is_none()));
    Ok(())
}

/// What each account had spent at its last payment of each hour: what a tumbling window gives at its end.
fn hourly_sums(events: &[Value]) -> Result<BTreeMap<(String, i64), Value>> {
    let rules = std::fs::read_to_string(fixture("flink/spend_report.yaml"))?;
    let output = replay(&rules, events)?;
    let mut sums = BTreeMap::new();
    for (event, (_, values)) in events.iter().zip(hits(&output, "spent")) {
        let account = event["account"].as_str().unwrap_or_default().to_owned();
        let hour = event["time"].as_i64().unwrap_or_default() / 3_600_000;
        sums.insert((account, hour), values.ok_or("a value")?["spent"].clone());
    }
    Ok(sums)
}

#[test]
fn a_spend_report_is_a_sum_by_account() -> Result<()> {
    let vector = read("flink/spend_report.json")?;
    let start = chrono::DateTime::parse_from_rfc3339("2020-01-01T00:00:00Z")?.timestamp_millis();
    let mut events = Vec::new();
    for (number, t) in vector["transactions"].as_array().ok_or("transactions")?.iter().enumerate() {
        let millis = start + t["minute"].as_i64().ok_or("a minute")? * 60_000;
        events.push(payment(number.to_string(), millis, t["account"].to_string(), &t["amount"]));
    }
    // They come out of order; only the last one by time sees them all.
    events.sort_by_key(|event| event["time"].as_i64());
    let found = hourly_sums(&events)?;
    let expected = vector["expected"].as_array().ok_or("sums")?;
    assert_eq!(found.len(), expected.len());
    for sum in expected {
        assert_eq!(found[&(sum["account"].to_string(), start / 3_600_000)], digits(&sum["sum"]), "{sum}");
    }
    Ok(())
}

#[test]
fn the_walkthrough_sums_to_what_was_computed() -> Result<()> {
    let (vector, events) = walkthrough()?;
    let start = events[0]["time"].as_i64().ok_or("a time")? / 3_600_000;
    let found = hourly_sums(&events)?;
    let expected = vector["hourly_sums_computed"].as_array().ok_or("sums")?;
    assert_eq!((found.len(), expected.len()), (25, 25));
    for sum in expected {
        let hour = start + sum["hour"].as_i64().ok_or("an hour")?;
        assert_eq!(found[&(sum["account"].to_string(), hour)], digits(&sum["sum"]), "{sum}");
    }
    Ok(())
}

#[test]
fn dynamic_rules_alert_as_expected() -> Result<()> {
    let vectors = read("flink/dynamic_rules_vectors.json")?;
    let mut alerts = 0;
    for vector in vectors.as_array().ok_or("vectors")? {
        let events = vector["events"].as_array().ok_or("events")?;
        let events = events.iter().map(dynamic_event).collect::<Result<Vec<_>>>()?;
        let output = replay(&dynamic_rules(&vector["rule"])?, &events)?;
        let found: Vec<_> =
            hits(&output, "limit").into_iter().filter_map(|(id, values)| Some((id.to_owned(), values?))).collect();
        let expected = vector["expected_alerts"].as_array().map_or(&[][..], Vec::as_slice);
        assert_eq!(found.len(), expected.len(), "{}", vector["name"]);
        for ((id, values), alert) in found.iter().zip(expected) {
            assert_eq!((id, &values["total"]), (&alert["event"].to_string(), &digits(&alert["value"])));
            assert_eq!(values["payment_type"], alert["key"]);
        }
        alerts += found.len();
    }
    assert_eq!(alerts, 4);
    Ok(())
}

fn dynamic_event(event: &Value) -> Result<Value> {
    let time = chrono::NaiveDateTime::parse_from_str(event["time"].as_str().ok_or("a time")?, "%Y-%m-%d %H:%M:%S")?;
    let payee = event.get("payee").map_or_else(|| "1".to_owned(), Value::to_string);
    let mut record = payment(event["id"].to_string(), time.and_utc().timestamp_millis(), payee, &event["amount"]);
    record["payment_type"] = event["type"].clone();
    Ok(record)
}

/// A rule that is data as a rule set: a sum per group over minutes, a limit, and a lock that shows the group.
fn dynamic_rules(rule: &Value) -> Result<String> {
    let group = rule["group_by"].as_array().ok_or("a group")?;
    let group: Vec<_> = group.iter().map(|part| if part == "payeeId" { "account" } else { "payment_type" }).collect();
    let group = group.join(", ");
    let (op, limit, minutes) = (rule["op"].as_str().ok_or("an operator")?, &rule["limit"], &rule["window_minutes"]);
    Ok(format!(
        "ruleset: {{ name: dynamic, currency: {CURRENCY} }}
fields: {{ payment_type: string }}
features:
  total: {{ aggregate: sum, of: amount, by: [{group}], window: {minutes}m }}
rules:
  limit: {{ when: total {op} {limit} && has(payment_type), action: alert }}
  group: {{ on: 'true', when: total > 0, action: lock, lock: {{ target: [{group}], for: 1ms, covers: 'false' }} }}
"
    ))
}

#[test]
fn a_key_has_all_parts_of_its_group() -> Result<()> {
    let vectors = read("flink/dynamic_rules_vectors.json")?;
    let vector = &vectors[0];
    assert_eq!(vector["expected_key"], "{paymentType=CSH;payeeId=1001}");
    let event = dynamic_event(&vector["events"][0])?;
    let output = replay(&dynamic_rules(&vector["rule"])?, &[event])?;
    let lock = output.iter().find(|record| record["kind"] == "lock").ok_or("a lock")?;
    assert_eq!(lock["target"], json!({"payment_type": "CSH", "account": "1001"}));
    Ok(())
}
