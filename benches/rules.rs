//! Rules as columns: the expressions of the velocity workload's 20 rules, and the verdicts made of them.

mod support;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use lockkeeper::generate::Options;
use lockkeeper::replay::run::BATCH_RECORDS;
use support::lines::{batches, generate};
use support::rules::RuleStage;
use support::{VELOCITY, rule_set};

fn rules(criterion: &mut Criterion) {
    let rules = rule_set(VELOCITY);
    let text = generate(&Options { events: BATCH_RECORDS as u64, ..Options::default() });
    let batch = batches(&text, &rules.schema).remove(0);
    let mut stage = RuleStage::new(rules);
    stage.load(batch);
    let mut group = criterion.benchmark_group("rules");
    group.throughput(Throughput::Elements(BATCH_RECORDS as u64));
    group.bench_function("expressions", |bencher| bencher.iter(|| stage.evaluate()));
    group.bench_function("verdicts", |bencher| bencher.iter(|| stage.judge()));
    group.finish();
}

criterion_group!(benches, rules);
criterion_main!(benches);
