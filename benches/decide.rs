//! Deciding event by event: without locks, with locks nobody meets, and with one account in a hundred locked.

mod support;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use lockkeeper::replay::run::BATCH_RECORDS;
use support::lines::{Payment, START, batches};
use support::rules::RuleStage;
use support::{VELOCITY, rule_set};

/// Locks an account for good at its first event of this kind, which the measured batch does not have.
const LOCK: &str = "
  lock-frozen: { on: type == 'freeze', when: amount >= 0, action: lock, lock: { for: until_unlocked, unlock: [operator] } }
";
const ACCOUNTS: u64 = 2000;

fn deciding(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decide");
    group.throughput(Throughput::Elements(BATCH_RECORDS as u64));
    for (name, rules, locked) in [
        ("no_locking_rule", VELOCITY.to_owned(), 0),
        ("no_lock_set", format!("{VELOCITY}{LOCK}"), 0),
        ("one_percent_locked", format!("{VELOCITY}{LOCK}"), ACCOUNTS / 100),
    ] {
        let mut stage = stage(&rules, locked);
        assert_eq!(stage.active_locks(), locked, "{name}");
        assert_eq!(stage.outcome.covers.is_empty(), locked == 0, "{name}");
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                stage.judge();
                stage.decide();
            });
        });
    }
    group.finish();
}

/// A stage with the first `locked` accounts locked and a batch of payments loaded.
fn stage(rules: &str, locked: u64) -> RuleStage {
    let rules = rule_set(rules);
    let (schema, mut stage) = (rules.schema.clone(), RuleStage::new(rules));
    let freezes = String::from_utf8(payments(0..locked)).expect("ASCII").replace("payment", "freeze");
    batches(freezes.as_bytes(), &schema).into_iter().for_each(|batch| stage.load(batch));
    let batch = batches(&payments(ACCOUNTS..ACCOUNTS + BATCH_RECORDS as u64), &schema).remove(0);
    stage.load(batch);
    stage
}

fn payments(numbers: std::ops::Range<u64>) -> Vec<u8> {
    let mut text = Vec::new();
    for number in numbers {
        let account = number % ACCOUNTS;
        Payment { number, time: START + number as i64, account, device: account }.write(&mut text);
    }
    text
}

criterion_group!(benches, deciding);
criterion_main!(benches);
