//! Tazama's rules 901 and 902: how many transfers a debtor (901) or creditor (902) had in the 24 hours up to and
//! including the one judged. Transfers that come later do not count, other tenants are other people, and a judged
//! transfer that did not succeed gets no count at all.

use serde_json::{Value, json};

use super::run::{Result, fixture, hits, json as read, replay};

/// When the judged transfer is, in ms: any time does.
const JUDGED: i64 = 1_700_000_000_000;
const SUCCEEDED: &str = "ACCC";

/// Accounts are told apart by tenant: the same name elsewhere is somebody else.
fn event(number: usize, transfer: &Value) -> Value {
    let name = |role: &str| Some(format!("{}/{}", transfer["tenant"].as_str()?, transfer[role].as_str()?));
    json!({
        "id": format!("t{number}"),
        "type": "transfer",
        "time": JUDGED + transfer["t_ms"].as_i64().unwrap_or_default(),
        "account": name("debtor"),
        "counterparty": name("creditor"),
        "status": transfer["status"],
        "judged": transfer["trigger"],
    })
}

/// What the rule set counts: `{"value": "3"}` in the vector, or 0 for what is not judged.
fn count(scenario: &Value, rules: &str) -> Result<i64> {
    let transfers = scenario["events"].as_array().ok_or("events")?;
    let mut events: Vec<Value> = transfers.iter().enumerate().map(|(number, event_)| event(number, event_)).collect();
    // The judged one arrives last: whatever else the store of the original holds is there already.
    events.sort_by_key(|event| event["judged"] == true);
    let output = replay(rules, &events)?;
    let judged = hits(&output, &format!("rule-{}", scenario["rule"].as_str().unwrap_or_default())).pop();
    let (_, values) = judged.ok_or("a decision")?;
    Ok(values.and_then(|values| values.as_object()?.values().find_map(Value::as_i64)).unwrap_or_default())
}

#[test]
fn counts_are_those_expected() -> Result<()> {
    let rules = std::fs::read_to_string(fixture("tazama/rules.yaml"))?;
    let scenarios = read("tazama/rules_901_902_scenarios.json")?;
    let scenarios = scenarios.as_array().ok_or("scenarios")?;
    assert_eq!(scenarios.len(), 18);
    assert!(scenarios.iter().any(|scenario| scenario["events"][0]["status"] != SUCCEEDED));
    for scenario in scenarios {
        let expected: i64 = scenario["expected"]["value"].as_str().ok_or("a value")?.parse()?;
        assert_eq!(count(scenario, &rules)?, expected, "{} {}", scenario["rule"], scenario["name"]);
    }
    Ok(())
}
