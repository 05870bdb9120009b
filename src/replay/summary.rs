//! What a replay did, as a table for people and as JSON for programs.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::run::Report;
use crate::engine::facts::Facts;
use crate::model::action::Action;
use crate::model::batch::RejectCode;
use crate::model::outcome::TransitionKind;
use crate::ruleset::types::RuleSet;
use crate::tables::{counts, finish, grouped, new_table};

/// Share of late events above which a warning is due.
const LATE_WARNING: f64 = 0.01;
const MS_PER_HOUR: i64 = 3_600_000;

/// A summary in the making.
pub struct Summary<'a> {
    /// The rule set.
    pub rules: &'a RuleSet,
    /// How the run went.
    pub report: &'a Report,
    /// How long it took.
    pub elapsed: Duration,
}

impl Summary<'_> {
    fn facts(&self) -> &Facts {
        &self.report.facts
    }

    fn events_per_second(&self) -> f64 {
        self.facts().events as f64 / self.elapsed.as_secs_f64().max(1e-9)
    }

    /// Per rule: id, hits, undecided.
    fn rules(&self) -> impl Iterator<Item = (&str, u64, u64)> {
        let count = |counts: &[u64], index: usize| counts.get(index).copied().unwrap_or_default();
        let facts = self.facts();
        let rules = self.rules.rules.iter().enumerate();
        rules.map(move |(index, rule)| (rule.id.as_str(), count(&facts.hits, index), count(&facts.undecided, index)))
    }

    fn late(&self) -> u64 {
        self.facts().rejected.get(&RejectCode::Late).copied().unwrap_or_default()
    }

    /// What the operator should look at.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        let (facts, late) = (self.facts(), self.late());
        if late as f64 > facts.records as f64 * LATE_WARNING {
            warnings.push(format!(
                "{late} of {} records came later than `lateness` allows and were rejected; is the input in order of time?",
                facts.records
            ));
        }
        if let Some((step, id)) = &facts.greatest_step {
            warnings.push(format!(
                "event `{id}` moved the watermark by {} hours at once; if its time is wrong, what follows is late",
                step / MS_PER_HOUR
            ));
        }
        warnings.extend(self.report.warnings.iter().cloned());
        if self.report.interrupted {
            warnings.push("stopped before the end of the input".to_owned());
        }
        warnings
    }

    /// As one JSON object.
    pub fn json(&self) -> Value {
        let facts = self.facts();
        let actions: Map<String, Value> =
            Action::ALL.iter().map(|&(a, name)| (name.to_owned(), json!(facts.actions[a as usize]))).collect();
        let rules: Map<String, Value> = self
            .rules()
            .map(|(id, hits, undecided)| (id.to_owned(), json!({ "hits": hits, "undecided": undecided })))
            .collect();
        let rejected: Map<String, Value> = RejectCode::ALL
            .iter()
            .filter_map(|code| Some((code.name().to_owned(), json!(facts.rejected.get(code)?))))
            .collect();
        let mut locks: Map<String, Value> = TransitionKind::ALL
            .iter()
            .map(|(kind, name)| ((*name).to_owned(), json!(facts.transitions.get(kind).copied().unwrap_or_default())))
            .collect();
        locks.insert("active".to_owned(), json!(self.report.active_locks));
        json!({
            "ruleset": self.rules.id,
            "records": facts.records,
            "events": facts.events,
            "actions": actions,
            "rules": rules,
            "rejected": rejected,
            "rejected_total": facts.rejected_total(),
            "locks": locks,
            "evicted_keys": facts.evicted,
            "amounts_without_rate": facts.without_rate,
            "seconds": self.elapsed.as_secs_f64(),
            "events_per_second": self.events_per_second().round(),
            "interrupted": self.report.interrupted,
            "warnings": self.warnings(),
        })
    }

    /// As tables.
    pub fn table(&self) -> String {
        let facts = self.facts();
        let mut out = format!(
            "{} records: {} events decided, {} rejected, in {:.2} s ({} events/s) with {}\n",
            grouped(facts.records),
            grouped(facts.events),
            grouped(facts.rejected_total()),
            self.elapsed.as_secs_f64(),
            grouped(self.events_per_second() as u64),
            self.rules.id,
        );
        let actions = Action::ALL.iter().map(|&(a, name)| (name.to_owned(), facts.actions[a as usize]));
        out += &counts("decision", actions.filter(|(_, n)| *n > 0));
        out += &self.rules_table();
        let locks = TransitionKind::ALL.iter().filter_map(|(kind, name)| {
            let count = facts.transitions.get(kind)?;
            Some(((*name).to_owned(), *count))
        });
        let active = (self.report.active_locks > 0).then(|| ("still active".to_owned(), self.report.active_locks));
        out += &counts("locks", locks.chain(active));
        out += &counts("rejected", facts.rejected.iter().map(|(code, n)| (code.name().to_owned(), *n)));
        let others = [("amounts without a rate", facts.without_rate), ("keys evicted", facts.evicted)];
        out += &counts("also", others.into_iter().filter(|(_, n)| *n > 0).map(|(name, n)| (name.to_owned(), n)));
        out
    }

    fn rules_table(&self) -> String {
        let shown: Vec<_> = self.rules().filter(|(_, hits, undecided)| hits + undecided > 0).collect();
        if shown.is_empty() {
            return String::new();
        }
        let mut table = new_table(&["rule", "hits", "undecided"]);
        for (id, hits, undecided) in shown {
            table.add_row([id.to_owned(), grouped(hits), grouped(undecided)]);
        }
        finish(table)
    }
}
