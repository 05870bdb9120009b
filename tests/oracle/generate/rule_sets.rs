//! Random rule sets.

use std::collections::BTreeMap;

use super::expressions::Names;
use super::features::feature;
use super::locks::lock;
use super::random::Random;
use crate::oracle::ast::Expr;
use crate::oracle::decide::ACTIONS;
use crate::oracle::parse::parse;
use crate::oracle::rules::{Head, List, Rule, RuleSet, Thresholds};
use crate::oracle::texts::{Cel, InOrder, Pause};

fn texts<const N: usize>(pairs: [(&str, &str); N]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn list(kind: &str, values: &[&str]) -> List {
    List { kind: kind.to_owned(), values: values.iter().map(|&value| value.to_owned()).collect() }
}

/// A rule set whose durations are multiples of `scale` ms, windows at most `reach` of them.
pub fn rule_set(random: &mut Random, scale: i64, reach: i64) -> RuleSet {
    let mut names = Names::of_events(scale, reach);
    let mut rules = RuleSet {
        ruleset: head(random, scale),
        rates: texts([("USD", "7.105"), ("JPY", "0.0487")]),
        types: vec!["visit".to_owned()],
        fields: texts([("tier", "string"), ("n", "int"), ("x", "double"), ("flag", "bool")]),
        derive: derive(random, &mut names),
        lists: BTreeMap::from([
            ("office".to_owned(), list("cidr", &["10.1.2.0/24", "2001:db8::/32"])),
            ("people".to_owned(), list("string", &["a1", "d2", "gold"])),
        ]),
        features: BTreeMap::new(),
        rules: BTreeMap::new(),
    };
    rules.rates.remove(&rules.ruleset.currency);
    for number in 0..random.between(1, 6) as usize {
        let (name, made) = feature(random, &mut names, number);
        rules.features.insert(name, made);
    }
    names.durations.push("behind".to_owned());
    for number in 0..random.between(1, 5) {
        rules.rules.insert(format!("r-{number}"), rule(random, &names, &rules.features));
    }
    rules
}

fn head(random: &mut Random, scale: i64) -> Head {
    let level = |random: &mut Random, at| random.maybe(70, |_| at);
    Head {
        name: "demo".to_owned(),
        currency: random.word(&["CNY", "CNY", "KWD", "JPY"]),
        timezone: random.word(&["Asia/Shanghai", "Europe/Berlin", "America/Sao_Paulo", "UTC"]),
        lateness: Pause(scale * 10),
        dedup: Pause(scale * 6),
        thresholds: Thresholds { alert: level(random, 20), challenge: level(random, 50), deny: level(random, 80) },
    }
}

fn derive(random: &mut Random, names: &mut Names) -> BTreeMap<String, Cel> {
    let mut made = BTreeMap::new();
    made.insert("subnet".to_owned(), Cel(parse("prefix(ip, 24, 48)").expect("it is well formed")));
    made.insert("pair".to_owned(), Cel(parse("account + '|' + device").expect("it is well formed")));
    made.insert("d_text".to_owned(), Cel(names.text(random, 1)));
    made.insert("d_int".to_owned(), Cel(names.int(random, 1)));
    made.insert("d_money".to_owned(), Cel(names.money(random, 1)));
    names.texts.extend(["subnet", "pair", "d_text"].map(str::to_owned));
    names.ints.push("d_int".to_owned());
    names.moneys.push("d_money".to_owned());
    made
}

fn rule<T>(random: &mut Random, names: &Names, features: &BTreeMap<String, T>) -> Rule {
    let locking = random.chance(50);
    let mut when = names.condition(random, 2);
    if random.chance(70) {
        // Every feature's value then shows in the output, whether or not the rest of the condition needs it.
        for feature in features.keys() {
            when = crate::oracle::ast::binary(crate::oracle::ast::Op::Or, when, Expr::Has(feature.clone()));
        }
    }
    Rule {
        mode: random.maybe(25, |random| random.word(&["shadow", "shadow", "off", "enforce"])),
        on: random.maybe(if locking { 100 } else { 30 }, |random| Cel(names.condition(random, 1))),
        when: Cel(when),
        if_missing: random.maybe(25, |random| random.word(&["fire", "pass"])),
        score: random.between(0, 60),
        action: if locking { Some("lock".to_owned()) } else { random.maybe(50, |random| random.word(&ACTIONS[..4])) },
        lock: locking.then(|| lock(random, names)),
        reason: InOrder(random.maybe(30, |random| reasons(random, names)).unwrap_or_default()),
        tags: vec!["demo".to_owned()],
    }
}

fn reasons(random: &mut Random, names: &Names) -> Vec<(String, String)> {
    let template =
        |random: &mut Random| format!("{{{}}} \"{{{{x}}\" {{reason}} 次 {{{}}}", names.any(random), names.any(random));
    vec![("zh".to_owned(), template(random)), ("en".to_owned(), template(random))]
}
