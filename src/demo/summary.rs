//! What a demonstration came to, as tables for people and as JSON for programs.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::days::PLANTED;
use super::tally::Tally;
use crate::judging::Caught;
use crate::model::action::Action;
use crate::model::outcome::TransitionKind;
use crate::tables::{counts, finish, grouped, new_table};

/// All that is summed up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Name and hash of the rule set.
    pub rules: String,
    /// The seed of the traffic.
    pub seed: u64,
    /// Events sent, each of which was decided or rejected.
    pub events: u64,
    /// From the first event to the last decision.
    pub elapsed: Duration,
    /// What was counted.
    pub tally: Tally,
    /// Whether it was ended before all had happened.
    pub is_interrupted: bool,
}

impl Summary {
    fn events_per_second(&self) -> f64 {
        self.events as f64 / self.elapsed.as_secs_f64().max(1e-9)
    }

    /// As one JSON object.
    pub fn json(&self) -> Value {
        let tally = &self.tally;
        let decisions =
            Action::ALL.iter().zip(tally.decisions).map(|((_, name), count)| ((*name).to_owned(), count.into()));
        let mut locks: Map<String, Value> = TransitionKind::ALL
            .iter()
            .zip(tally.locks)
            .map(|((_, name), count)| ((*name).to_owned(), count.into()))
            .collect();
        locks.insert("active".to_owned(), tally.active().into());
        let attacks: Vec<Value> = kinds(tally).map(|(name, caught)| attack_json(name, caught)).collect();
        json!({
            "ruleset": self.rules,
            "seed": self.seed,
            "delivery": "at_least_once",
            "events": self.events,
            "seconds": self.elapsed.as_secs_f64(),
            "events_per_second": self.events_per_second().round(),
            "decisions": decisions.collect::<Map<String, Value>>(),
            "rejected": tally.rejected,
            "rejected_total": tally.rejected(),
            "locks": locks,
            "attacks": attacks,
            "honest": { "accounts_locked": tally.honest_locked, "events_stopped": tally.honest_stopped },
            "interrupted": self.is_interrupted,
        })
    }

    /// As tables, with what to try next.
    pub fn table(&self) -> String {
        let tally = &self.tally;
        let mut out = format!(
            "{} events: {} decided, {} rejected, in {:.2} s ({} events/s) with {}\n",
            grouped(self.events),
            grouped(tally.decided()),
            grouped(tally.rejected()),
            self.elapsed.as_secs_f64(),
            grouped(self.events_per_second() as u64),
            self.rules,
        );
        let decisions = Action::ALL.iter().zip(tally.decisions);
        out += &counts("decision", decisions.map(|((_, name), count)| ((*name).to_owned(), count)));
        out += &counts("rejected", tally.rejected.iter().map(|(code, count)| (code.clone(), *count)));
        let locks = TransitionKind::ALL.iter().zip(tally.locks).map(|((_, name), count)| ((*name).to_owned(), count));
        out += &counts("locks", locks.chain([("still active".to_owned(), tally.active())]));
        out += &attacks_table(tally);
        out += &format!(
            "\nAn attack is caught with the first of its events that is not simply allowed; an `open` one had not ended.\n\
             Of accounts that nobody attacked, {} were locked, and {} events were not simply allowed.\n{NEXT}",
            grouped(tally.honest_locked),
            grouped(tally.honest_stopped),
        );
        out
    }
}

/// What to try next.
const NEXT: &str = "
Kafka was librdkafka's in-process cluster, which has no transactions: exactly-once was not shown. Next:
  with rules of your own                 lockkeeper demo --rules PATH
  traffic of this kind as a file         lockkeeper generate --help
  decide a file, always the same way     lockkeeper replay --help
  with your Kafka                        lockkeeper run --help
Rules and a configuration to begin with are in the sources: rules/wallet, docs/lockkeeper.example.yaml
";

/// Kinds of attacks that are planted, by name.
pub(super) fn kinds(tally: &Tally) -> impl Iterator<Item = (&'static str, &Caught)> {
    PLANTED.iter().map(|kind| (kind.name(), &tally.attacks[*kind as usize]))
}

fn attack_json(name: &str, caught: &Caught) -> Value {
    json!({
        "kind": name,
        "planted": caught.planted,
        "caught": caught.caught(),
        "missed": caught.missed,
        "open": caught.open(),
        "median_events": caught.median(),
        "most_events": caught.most(),
    })
}

fn attacks_table(tally: &Tally) -> String {
    let mut table = new_table(&["attack", "planted", "caught", "missed", "open", "events until caught", "most"]);
    let number = |number: Option<u32>| number.map_or_else(|| "-".to_owned(), |number| number.to_string());
    for (name, caught) in kinds(tally) {
        let Caught { planted, missed, .. } = caught;
        let counted = [*planted, caught.caught(), *missed, caught.open()].map(grouped);
        let row = [name.to_owned()].into_iter().chain(counted).chain([number(caught.median()), number(caught.most())]);
        table.add_row(row);
    }
    finish(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary() -> Summary {
        let mut tally = Tally {
            decisions: [1_000, 0, 3, 4, 5],
            rejected: [("late".to_owned(), 2)].into(),
            locks: [5, 0, 1, 0, 0, 2],
            honest_locked: 1,
            honest_stopped: 6,
            ..Tally::default()
        };
        tally.attacks[0] = Caught { planted: 4, missed: 1, in_time: 2, after: [(5, 1), (7, 1)].into() };
        let (rules, elapsed) = ("wallet@0123".to_owned(), Duration::from_millis(500));
        Summary { rules, seed: 1, events: 1014, elapsed, tally, is_interrupted: false }
    }

    #[test]
    fn programs_read_every_figure() {
        let json = summary().json();
        assert_eq!(json["decisions"], json!({ "allow": 1000, "alert": 0, "challenge": 3, "deny": 4, "lock": 5 }));
        assert_eq!(
            (&json["events"], &json["rejected"], &json["rejected_total"]),
            (&json!(1014), &json!({ "late": 2 }), &json!(2))
        );
        assert_eq!((&json["events_per_second"], &json["delivery"]), (&json!(2028.0), &json!("at_least_once")));
        assert_eq!((&json["locks"]["locked"], &json["locks"]["active"]), (&json!(5), &json!(2)));
        let guessing = json!({
            "kind": "password_guessing", "planted": 4, "caught": 2, "missed": 1, "open": 1, "median_events": 5,
            "most_events": 7
        });
        assert_eq!(json["attacks"][0], guessing);
        assert_eq!(json["attacks"][1]["median_events"], Value::Null);
        assert_eq!(json["attacks"].as_array().map(Vec::len), Some(PLANTED.len()));
        assert_eq!(json["honest"], json!({ "accounts_locked": 1, "events_stopped": 6 }));
    }

    #[test]
    fn people_read_tables() {
        let table = summary().table();
        for line in [
            "1 014 events: 1 012 decided, 2 rejected, in 0.50 s (2 028 events/s) with wallet@0123",
            " challenge       3",
            " late           2",
            " still active         2",
            " password_guessing         4        2        1      1                     5      7",
            " stuffing                  0        0        0      0                     -      -",
            "Of accounts that nobody attacked, 1 were locked, and 6 events were not simply allowed.",
        ] {
            assert!(table.lines().any(|found| found.trim_end() == line), "{line}\n{table}");
        }
        assert!(table.contains("exactly-once was not shown"), "{table}");
    }
}
