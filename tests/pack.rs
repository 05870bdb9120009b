//! The wallet pack as a whole: every rule fires in a story and is silent in another, says why in two languages, is
//! described, and stays quiet on a day of ordinary traffic, except where its description says how often it does not.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use lockkeeper::ruleset::types::{Mode, RuleSet};
use serde_json::Value;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const PACK: &str = "rules/wallet";
const WALLETS: [&str; 4] = ["alipay", "wechat_pay", "apple_pay", "google_pay"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn pack() -> Result<RuleSet> {
    let loaded = lockkeeper::rulefiles::load_paths(&[root().join(PACK)]).map_err(|faults| format!("{faults:?}"))?;
    assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
    Ok(loaded.rules)
}

/// What the stories of the pack expect, by story: those without arguments of their own are replayed with it.
fn stories() -> Result<BTreeMap<String, Vec<Value>>> {
    let mut stories = BTreeMap::new();
    for folder in fs::read_dir(root().join("fixtures"))? {
        let folder: PathBuf = folder?.path();
        let expected = folder.join("expected.jsonl");
        if !expected.exists() || folder.join("arguments").exists() {
            continue;
        }
        let name = folder.file_name().ok_or("a folder with a name")?.to_string_lossy().into_owned();
        let text = fs::read_to_string(expected)?;
        let records: std::result::Result<Vec<Value>, _> = text.lines().map(serde_json::from_str).collect();
        stories.insert(name, records?);
    }
    Ok(stories)
}

/// Rules that fired somewhere in a story.
fn fired(records: &[Value]) -> BTreeSet<&str> {
    let hits = records.iter().flat_map(|record| record["hits"].as_array().into_iter().flatten());
    hits.filter_map(|hit| hit["rule"].as_str()).collect()
}

#[test]
fn every_rule_fires_in_one_story_and_is_silent_in_another() -> Result<()> {
    let stories = stories()?;
    assert!(stories.len() >= 30, "only {} stories were found", stories.len());
    for rule in &pack()?.rules {
        let heard = stories.values().filter(|records| fired(records).contains(rule.id.as_str())).count();
        assert!((1..stories.len()).contains(&heard), "{} fires in {heard} of {} stories", rule.id, stories.len());
    }
    Ok(())
}

#[test]
fn every_lock_of_the_pack_is_set_in_a_story() -> Result<()> {
    let stories = stories()?;
    let locked: BTreeSet<&str> = stories
        .values()
        .flatten()
        .filter(|record| record["transition"] == "locked")
        .filter_map(|record| record["rule"].as_str())
        .collect();
    let locking: BTreeSet<String> =
        pack()?.rules.iter().filter(|rule| rule.lock.is_some()).map(|rule| rule.id.clone()).collect();
    assert_eq!(locked.into_iter().map(str::to_owned).collect::<BTreeSet<_>>(), locking);
    Ok(())
}

#[test]
fn every_rule_says_why_in_english_and_chinese() -> Result<()> {
    for rule in &pack()?.rules {
        let languages: Vec<&str> = rule.reason.iter().map(|(language, _)| language.as_str()).collect();
        assert_eq!(languages, ["en", "zh"], "{}", rule.id);
        assert!(!rule.tags.is_empty(), "{} has no tags", rule.id);
    }
    Ok(())
}

#[test]
fn there_is_a_story_for_each_wallet() -> Result<()> {
    for wallet in WALLETS {
        let folder = root().join("fixtures").join(format!("wallet-{}", wallet.replace('_', "-")));
        let events = fs::read_to_string(folder.join("events.jsonl"))?;
        let field = format!(r#""wallet": "{wallet}""#);
        assert!(events.lines().count() >= 8 && events.lines().all(|line| line.contains(&field)), "{wallet}");
    }
    Ok(())
}

/// How often, per 100,000 ordinary events, the description lets a rule fire: `| `rule` | 12 |`.
fn allowed() -> Result<BTreeMap<String, f64>> {
    let text = fs::read_to_string(root().join("rules/README.md"))?;
    let (_, section) = text.split_once("### How often").ok_or("a section that says how often")?;
    let table = section.split("\n### ").next().unwrap_or_default();
    let mut allowed = BTreeMap::new();
    for line in table.lines().filter(|line| line.starts_with("| `")) {
        let mut cells = line.split('|').map(str::trim).skip(1);
        let (rule, often) = (cells.next().unwrap_or_default(), cells.next().unwrap_or_default());
        allowed.insert(rule.trim_matches('`').to_owned(), often.parse().map_err(|_| format!("`{often}` in {line}"))?);
    }
    Ok(allowed)
}

#[test]
fn every_rule_is_described() -> Result<()> {
    let text = fs::read_to_string(root().join("rules/README.md"))?;
    for rule in &pack()?.rules {
        assert!(text.contains(&format!("`{}`", rule.id)), "{} is not described", rule.id);
        let own = allowed()?;
        assert!(rule.mode == Mode::Enforce || own.contains_key(&rule.id), "{} is on trial without a figure", rule.id);
    }
    Ok(())
}

/// Hits per rule on a day of ordinary traffic, and locks set.
fn ordinary_day(seed: &str) -> Result<Value> {
    let folder = tempfile::tempdir()?;
    let events = folder.path().join("events.jsonl");
    let binary = env!("CARGO_BIN_EXE_lockkeeper");
    let generate = ["generate", "--accounts", "20000", "--events", "100000", "--seed", seed, "--out"];
    assert!(Command::new(binary).args(generate).arg(&events).status()?.success());
    let replay = ["replay", "--rules", PACK, "--emit", "none", "--summary", "json"];
    let output = Command::new(binary).current_dir(root()).args(replay).arg(&events).output()?;
    Ok(serde_json::from_slice(&output.stderr)?)
}

#[test]
fn ordinary_days_are_as_quiet_as_described() -> Result<()> {
    let allowed = allowed()?;
    for seed in ["11", "12"] {
        let summary = ordinary_day(seed)?;
        assert_eq!((&summary["events"], &summary["locks"]["locked"]), (&Value::from(100_000), &Value::from(0)));
        for (rule, counts) in summary["rules"].as_object().ok_or("counts per rule")? {
            let hits = counts["hits"].as_f64().ok_or("a count")?;
            // Twice what is said, and a few: days differ.
            let most = allowed.get(rule).map_or(0.0, |often| 2.0 * often + 3.0);
            assert!(hits <= most, "{rule} fired {hits} times, at most {most} are described");
            assert_eq!(counts["undecided"], 0, "{rule}");
        }
    }
    Ok(())
}
