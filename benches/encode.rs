//! Writing decisions: bare ones, and ones with hits, values and reasons in two languages.

mod support;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use lockkeeper::generate::Options;
use lockkeeper::replay::run::BATCH_RECORDS;
use support::lines::{batches, generate};
use support::rule_set;
use support::rules::RuleStage;

const BARE: &str = "
ruleset: { name: bare, currency: CNY, thresholds: { deny: 80 } }
rules:
  never: { when: kyc > 3, score: 10 }
";
const HITS: &str = "
ruleset: { name: hits, currency: CNY, thresholds: { deny: 80 } }
rules:
  one: { when: kyc < 9 && account != '', score: 10, reason: { en: 'class {kyc} of {account}', zh: '{account}为{kyc}类' } }
  two: { when: time > timestamp('2020-01-01T00:00:00Z'), score: 10, reason: { en: 'at {time}' } }
";

fn encoding(criterion: &mut Criterion) {
    for (name, rules) in [("bare", BARE), ("hits_and_reasons", HITS)] {
        let rules = rule_set(rules);
        let text = generate(&Options { events: BATCH_RECORDS as u64, ..Options::default() });
        let batch = batches(&text, &rules.schema).remove(0);
        let mut stage = RuleStage::new(rules);
        stage.load(batch);
        assert_eq!(stage.outcome.hits.is_empty(), name == "bare");
        let mut out = Vec::new();
        stage.encode(&mut out);
        let mut group = criterion.benchmark_group("encode");
        let (elements, bytes) = (BATCH_RECORDS as u64, out.len() as u64);
        group.throughput(Throughput::ElementsAndBytes { elements, bytes });
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                out.clear();
                stage.encode(&mut out);
            });
        });
        group.finish();
    }
}

criterion_group!(benches, encoding);
criterion_main!(benches);
