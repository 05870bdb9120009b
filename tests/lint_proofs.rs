//! What lints call certain, against what happens: random rule sets and streams, decided by the oracle.
//!
//! A rule that is said never to fire must not fire, one that always fires must fire on every event, one that is said to
//! add nothing must not fire alone, a count of its own key must not exceed 1, and no score may reach a threshold that
//! none reaches.
#[path = "oracle/mod.rs"]
#[allow(dead_code, reason = "only the trials and their decisions are used here")]
mod oracle;

use std::collections::BTreeMap;

use lockkeeper::lint::warnings;
use lockkeeper::ruleset::load::{SourceFile, load};
use oracle::generate::Trial;
use oracle::{decide, yaml};
use serde_json::Value;

/// The decisions of a trial.
fn decisions(trial: &Trial) -> Vec<Value> {
    let output = decide::run(&trial.rules, &trial.stream());
    let records = output.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    records.filter(|record| record["kind"] == "decision").collect()
}

/// What the lints find: the lint, the names that its message holds, and the message.
fn claims(trial: &Trial) -> Vec<(String, Vec<String>, String)> {
    let files = [SourceFile { path: "rules.yaml".into(), text: yaml::print(&trial.rules) }];
    let loaded = load(&files, &|_, list| Err(format!("no list file {list}"))).expect("a valid rule set");
    let names = |message: &str| message.split('`').skip(1).step_by(2).map(str::to_string).collect();
    warnings(&loaded).into_iter().map(|found| (found.code.to_string(), names(&found.message), found.message)).collect()
}

fn fires(decision: &Value, rule: &str) -> bool {
    decision["hits"].as_array().is_some_and(|hits| hits.iter().any(|hit| hit["rule"] == rule))
}

/// The values of a feature that a decision shows.
fn values<'a>(decision: &'a Value, feature: &'a str) -> impl Iterator<Item = i64> + 'a {
    decision["hits"].as_array().into_iter().flatten().filter_map(move |hit| hit["values"][feature].as_i64())
}

/// Whether a claim holds for a decision; what cannot be seen in decisions does.
fn holds(decision: &Value, (lint, names, message): &(String, Vec<String>, String)) -> bool {
    match (lint.as_str(), &names[..]) {
        ("never-fires", [rule, ..]) => !fires(decision, rule),
        ("always-fires", [rule, ..]) => fires(decision, rule) || !message.contains("every event"),
        ("redundant-rule", [rule, wider, ..]) => !fires(decision, rule) || fires(decision, wider),
        ("distinct-of-own-key", [feature, ..]) => values(decision, feature).all(|value| value <= 1),
        ("unreachable-threshold", _) => {
            let mut numbers = message.split([' ', ':']).filter_map(|word| word.parse::<i64>().ok());
            let threshold = numbers.next().expect("the threshold");
            decision["score"].as_i64().is_some_and(|score| score < threshold)
        }
        _ => true,
    }
}

/// How many trials there are: as many as `ORACLE_TRIALS` says, but enough for every claim to be made.
fn trials() -> u64 {
    std::env::var("ORACLE_TRIALS").ok().and_then(|text| text.parse().ok()).unwrap_or(0).max(400)
}

#[test]
fn what_is_called_certain_happens() {
    let mut made: BTreeMap<String, usize> = BTreeMap::new();
    for seed in 0..trials() {
        let trial = Trial::from_seed(seed);
        let (claims, decisions) = (claims(&trial), decisions(&trial));
        for claim in claims {
            let broken = decisions.iter().find(|decision| !holds(decision, &claim));
            assert_eq!(broken, None, "seed {seed}: {claim:?}\n{}", yaml::print(&trial.rules));
            *made.entry(claim.0).or_default() += 1;
        }
    }
    for lint in ["never-fires", "always-fires", "redundant-rule", "distinct-of-own-key", "unreachable-threshold"] {
        assert!(made.get(lint).is_some_and(|count| *count >= 3), "{lint}: {made:?}");
    }
}
