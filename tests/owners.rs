//! A stranger cannot lock an owner out: a thousand owners, each on a device known for more than a week, while strangers
//! do what they like from everywhere else, the owner's own network included. None of what the owners do is refused.
//!
//! The strangers are drawn from a fixed seed. The same events against a rule that locks the account, as one is tempted
//! to write it, show that the test can fail.

use std::collections::BTreeSet;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::RngCore;
use serde_json::Value;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const OWNERS: usize = 1000;
/// 2026-03-02T00:00:00Z.
const MONDAY: i64 = 1_772_409_600_000;
const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// What one is tempted to write: whoever guesses locks the account.
const TEMPTING: &str = "
ruleset: { name: tempting, currency: CNY }
features:
  wrong_15m: { aggregate: count, by: account, where: reason == 'wrong_password', window: 15m }
rules:
  lock-account: { on: type == 'login', when: wrong_15m >= 5, action: lock, lock: { for: 30m, unlock: [operator] } }
";

/// Events, each with the time at which it arrives.
struct Events {
    chance: Pcg64Mcg,
    lines: Vec<(i64, String)>,
}

impl Events {
    fn below(&mut self, limit: u64) -> u64 {
        self.chance.next_u64() % limit
    }

    fn add(&mut self, id: &str, arrival: i64, time: i64, account: &str, rest: &str) {
        let number = self.lines.len();
        self.lines.push((arrival, format!(r#"{{"id":"{id}-{number}","time":{time},"account":"{account}",{rest}}}"#)));
    }

    /// A week before, the owner got in; on the day, they do all that owners do, again and again.
    fn owner(&mut self, owner: usize) {
        let (account, place) = (format!("owner{owner}"), home(owner));
        let seen = MONDAY - 10 * DAY + owner as i64 * SECOND;
        self.add("before", seen, seen, &account, &format!(r#""type":"login","outcome":"success",{place}"#));
        for hour in 1..24 {
            let time = MONDAY + hour * HOUR + self.below(50 * MINUTE as u64) as i64;
            let deed = match self.below(6) {
                0 => r#""type":"login","outcome":"success""#.to_owned(),
                1 => r#""type":"second_factor""#.to_owned(),
                2 => r#""type":"second_factor","outcome":"success","factors":2"#.to_owned(),
                3 => r#""type":"transfer","amount":"300","currency":"CNY","counterparty":"friend""#.to_owned(),
                4 => r#""type":"withdrawal","amount":"400","currency":"CNY""#.to_owned(),
                _ => format!(r#""type":"payment","amount":"{}","currency":"CNY","counterparty":"shop""#, 5 + hour),
            };
            self.add("owner", time, time, &account, &format!("{deed},{place}"));
        }
    }

    /// Strangers at one account: raids of up to forty tries each, from one or many devices, over addresses of their own
    /// or the owner's.
    fn strangers(&mut self, owner: usize) {
        for raid in 0..4 {
            let mut time = MONDAY + self.below(22 * HOUR as u64) as i64;
            let (tries, devices, is_near) = (5 + self.below(36), 1 + self.below(12), self.below(2) == 0);
            let kind = self.below(8);
            for step in 0..tries {
                time += (SECOND as u64 + self.below(40 * SECOND as u64)) as i64;
                let device = format!("stranger{owner}-{raid}-{}", step % devices);
                let ip = if is_near { address(owner) } else { format!("203.0.113.{}", self.below(250)) };
                let account =
                    if kind == 1 { format!("owner{}", (owner as u64 + step) % 1000) } else { format!("owner{owner}") };
                // Each a little earlier than the one before, within what is accepted as late.
                let stamped = if kind == 2 { time - 8 * MINUTE - step as i64 * SECOND } else { time };
                let place =
                    if kind == 3 { format!(r#""ip":"{ip}""#) } else { format!(r#""device":"{device}","ip":"{ip}""#) };
                self.add("stranger", time, stamped, &account, &format!("{},{place}", deed(kind, step)));
            }
        }
    }
}

/// What strangers try: passwords, names, codes, prompts, and now and then they know the password.
fn deed(kind: u64, step: u64) -> &'static str {
    match (kind, step % 10) {
        (4, _) => r#""type":"second_factor","outcome":"failure","reason":"wrong_code""#,
        (5, 9) => r#""type":"second_factor","outcome":"success""#,
        (5, n) if n % 2 == 0 => r#""type":"second_factor""#,
        (5, _) => r#""type":"second_factor","outcome":"failure","reason":"declined""#,
        (6, 8 | 9) => r#""type":"login","outcome":"success""#,
        (7, n) if n > 5 => r#""type":"login","outcome":"failure","reason":"locked""#,
        (1, n) if n % 3 == 0 => r#""type":"login","outcome":"failure","reason":"unknown_account""#,
        _ => r#""type":"login","outcome":"failure","reason":"wrong_password""#,
    }
}

/// Twenty owners share each address.
fn address(owner: usize) -> String {
    format!("198.51.100.{}", owner / 20)
}

fn home(owner: usize) -> String {
    format!(r#""device":"phone{owner}","ip":"{}""#, address(owner))
}

/// All events in order of arrival.
fn events() -> String {
    let mut events = Events { chance: Pcg64Mcg::new(20_260_302), lines: Vec::new() };
    for owner in 0..OWNERS {
        events.owner(owner);
        events.strangers(owner);
    }
    events.lines.sort_by_key(|(arrival, _)| *arrival);
    events.lines.iter().fold(String::new(), |mut text, (_, line)| {
        // Writing to a string cannot fail.
        let _done = writeln!(text, "{line}");
        text
    })
}

/// What became of the events of owners and of strangers.
#[derive(Debug, Default)]
struct Outcome {
    refused_owners: BTreeSet<String>,
    asked_owners: BTreeSet<String>,
    refused_strangers: usize,
    strangers: usize,
    rejected: usize,
}

fn judge(rules: &str) -> Result<Outcome> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("events.jsonl");
    fs::write(&file, events())?;
    let replay = ["replay", "--emit", "all", "--rules", rules];
    let root = env!("CARGO_MANIFEST_DIR");
    let output = Command::new(env!("CARGO_BIN_EXE_lockkeeper")).current_dir(root).args(replay).arg(&file).output()?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut outcome = Outcome::default();
    for line in String::from_utf8(output.stdout)?.lines() {
        outcome.count(&serde_json::from_str(line)?);
    }
    Ok(outcome)
}

impl Outcome {
    fn count(&mut self, record: &Value) {
        let text = |name: &str| record[name].as_str().unwrap_or_default().to_owned();
        self.rejected += usize::from(text("kind") == "rejected");
        if text("kind") != "decision" {
            return;
        }
        let is_refused = matches!(text("action").as_str(), "deny" | "lock");
        if text("event").starts_with("owner") {
            is_refused.then(|| self.refused_owners.insert(text("account")));
            (text("action") == "challenge").then(|| self.asked_owners.insert(text("account")));
        } else if text("event").starts_with("stranger") {
            self.strangers += 1;
            self.refused_strangers += usize::from(is_refused);
        }
    }
}

#[test]
fn no_owner_on_a_known_device_is_refused() -> Result<()> {
    let outcome = judge("rules/wallet")?;
    assert!(outcome.strangers > 50_000 && outcome.rejected == 0, "{} {}", outcome.strangers, outcome.rejected);
    assert_eq!(outcome.refused_owners, BTreeSet::new());
    assert_eq!(outcome.asked_owners, BTreeSet::new(), "nor is anybody asked for more than usual");
    let share = outcome.refused_strangers * 100 / outcome.strangers;
    assert!(share >= 40, "only {share} % of what strangers do is refused");
    Ok(())
}

#[test]
fn a_lock_on_the_account_would_shut_most_of_them_out() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let rules = folder.path().join("rules.yaml");
    fs::write(&rules, TEMPTING)?;
    let path: &Path = &rules;
    let outcome = judge(path.to_str().ok_or("a path that is UTF-8")?)?;
    assert!(outcome.refused_owners.len() > OWNERS / 2, "{}", outcome.refused_owners.len());
    Ok(())
}
