//! A rule set printed as YAML: every text in double quotes, every section in block form.

use std::fmt::Display;

use super::rules::{Feature, Lock, Rule, RuleSet};
use super::texts::By;
use super::time::duration_text;
use super::value::json_text;

/// The rule set file.
pub fn print(rules: &RuleSet) -> String {
    let mut out = Lines::default();
    head(&mut out, rules);
    section(&mut out, "rates", &rules.rates, |out, code, rate| out.text(1, code, rate));
    if !rules.types.is_empty() {
        out.list(0, "types", &rules.types);
    }
    section(&mut out, "fields", &rules.fields, |out, name, kind| out.text(1, name, kind));
    section(&mut out, "derive", &rules.derive, |out, name, cel| out.text(1, name, &cel.0));
    section(&mut out, "lists", &rules.lists, |out, name, list| {
        out.open(1, name);
        out.text(2, "kind", &list.kind);
        out.list(2, "values", &list.values);
    });
    section(&mut out, "features", &rules.features, feature);
    section(&mut out, "rules", &rules.rules, rule);
    out.0
}

#[derive(Default)]
struct Lines(String);

impl Lines {
    fn open(&mut self, depth: usize, key: &str) {
        self.0 += &format!("{}{key}:\n", "  ".repeat(depth));
    }

    fn bare(&mut self, depth: usize, key: &str, value: impl Display) {
        self.0 += &format!("{}{key}: {value}\n", "  ".repeat(depth));
    }

    fn text(&mut self, depth: usize, key: &str, value: impl Display) {
        self.bare(depth, key, json_text(&value.to_string()));
    }

    fn maybe(&mut self, depth: usize, key: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.text(depth, key, value);
        }
    }

    fn list(&mut self, depth: usize, key: &str, values: &[String]) {
        let quoted: Vec<_> = values.iter().map(|value| json_text(value)).collect();
        self.bare(depth, key, format!("[{}]", quoted.join(", ")));
    }

    fn names(&mut self, depth: usize, key: &str, by: &By) {
        match by.0.as_slice() {
            [one] => self.bare(depth, key, one),
            several => self.bare(depth, key, format!("[{}]", several.join(", "))),
        }
    }
}

fn section<'a, V: 'a, M>(out: &mut Lines, key: &str, members: M, print: impl Fn(&mut Lines, &str, &V))
where
    M: IntoIterator<Item = (&'a String, &'a V)>,
{
    let mut members = members.into_iter().peekable();
    if members.peek().is_some() {
        out.open(0, key);
    }
    members.for_each(|(name, value)| print(out, name, value));
}

fn head(out: &mut Lines, rules: &RuleSet) {
    let head = &rules.ruleset;
    out.open(0, "ruleset");
    out.text(1, "name", &head.name);
    out.text(1, "currency", &head.currency);
    out.text(1, "timezone", &head.timezone);
    out.bare(1, "lateness", duration_text(head.lateness.0));
    out.bare(1, "dedup", duration_text(head.dedup.0));
    let levels =
        [("alert", head.thresholds.alert), ("challenge", head.thresholds.challenge), ("deny", head.thresholds.deny)];
    let levels: Vec<_> = levels.iter().filter_map(|(name, at)| at.map(|at| format!("{name}: {at}"))).collect();
    if !levels.is_empty() {
        out.bare(1, "thresholds", format!("{{ {} }}", levels.join(", ")));
    }
}

fn feature(out: &mut Lines, name: &str, feature: &Feature) {
    out.open(1, name);
    out.bare(2, "aggregate", &feature.aggregate);
    out.names(2, "by", &feature.by);
    if let Some(by) = &feature.read_by {
        out.names(2, "read_by", by);
    }
    for (key, cel) in
        [("of", &feature.of), ("where", &feature.filter), ("reset", &feature.reset), ("distinct", &feature.distinct)]
    {
        out.maybe(2, key, cel.as_ref().map(|cel| &cel.0));
    }
    out.maybe(2, "window", feature.window);
    for (key, pause) in [("gap", feature.gap), ("delay", feature.delay), ("leak", feature.leak)] {
        out.maybe(2, key, pause.map(|pause| duration_text(pause.0)));
    }
    for (key, int) in [("reset_at", feature.reset_at), ("least", feature.least), ("capacity", feature.capacity)] {
        if let Some(int) = int {
            out.bare(2, key, int);
        }
    }
}

fn rule(out: &mut Lines, id: &str, rule: &Rule) {
    out.open(1, id);
    out.maybe(2, "mode", rule.mode.as_ref());
    out.maybe(2, "on", rule.on.as_ref().map(|cel| &cel.0));
    out.text(2, "when", &rule.when.0);
    out.maybe(2, "if_missing", rule.if_missing.as_ref());
    out.bare(2, "score", rule.score);
    out.maybe(2, "action", rule.action.as_ref());
    if let Some(written) = &rule.lock {
        out.open(2, "lock");
        lock(out, written);
    }
    if !rule.reason.0.is_empty() {
        out.open(2, "reason");
        rule.reason.0.iter().for_each(|(language, text)| out.text(3, language, text));
    }
    if !rule.tags.is_empty() {
        out.list(2, "tags", &rule.tags);
    }
}

fn lock(out: &mut Lines, lock: &Lock) {
    if let Some(by) = &lock.target {
        out.names(3, "target", by);
    }
    out.text(3, "for", &lock.length);
    out.maybe(3, "covers", lock.covers.as_ref().map(|cel| &cel.0));
    if let Some(by) = &lock.covers_by {
        out.names(3, "covers_by", by);
    }
    if let Some(backoff) = &lock.backoff {
        out.open(3, "backoff");
        // The factor is quoted: it is an exact decimal, not a float.
        out.maybe(4, "factor", Some(backoff.factor.as_deref().unwrap_or("2")));
        out.maybe(4, "max", backoff.max.map(|pause| duration_text(pause.0)));
        out.maybe(4, "forget", backoff.forget.map(|pause| duration_text(pause.0)));
        if let Some(level) = backoff.until_unlocked_from {
            out.bare(4, "until_unlocked_from", level);
        }
        out.maybe(4, "reset", backoff.reset.as_ref().map(|cel| &cel.0));
    }
    if lock.extend {
        out.bare(3, "extend", true);
    }
    if !lock.unlock.is_empty() {
        out.list(3, "unlock", &lock.unlock);
    }
    out.maybe(3, "release", lock.release.as_ref().map(|cel| &cel.0));
}
