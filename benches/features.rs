//! Window state: each feature family alone, for many small keys, one hot key, and events that come late.

mod support;

use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use lockkeeper::replay::run::BATCH_RECORDS;
use support::features::{FeatureStage, Setup};

/// Families by name, as a rule file writes them.
const FAMILIES: [(&str, &str); 8] = [
    ("count", "aggregate: count, by: account, window: 15m"),
    ("sum", "aggregate: sum, of: amount, by: account, window: 15m"),
    ("distinct", "aggregate: distinct, of: device, by: account, window: 15m"),
    ("last", "aggregate: last, of: device, by: account, window: 15m"),
    ("is_new", "aggregate: is_new, of: device, by: account, window: 15m"),
    ("sum_of_day", "aggregate: sum, of: amount, by: account, window: day"),
    ("bucket", "aggregate: leaky_bucket, capacity: 5, leak: 1m, by: account"),
    ("speed", "aggregate: speed, by: account, window: 15m"),
];
/// Payments that fill the windows before measuring, at ten ms from one to the next.
const FULL: u64 = 100_000;

fn features(criterion: &mut Criterion) {
    let events = 32 * BATCH_RECORDS as u64;
    let shapes = [("small_keys", 4000, 0), ("hot_key", 1, 0), ("small_keys_late", 4000, 10), ("hot_key_late", 1, 10)];
    for (shape, accounts, late_per_mille) in shapes {
        for (family, feature) in FAMILIES {
            bench(criterion, shape, family, &Setup { feature, accounts, events, step: 10, late_per_mille });
        }
    }
}

fn bench(criterion: &mut Criterion, shape: &str, family: &str, setup: &Setup) {
    let mut group = criterion.benchmark_group(format!("features/{shape}"));
    group.throughput(Throughput::Elements(BATCH_RECORDS as u64)).sample_size(20);
    let mut stage = None;
    group.bench_function(family, |bencher| {
        let stage = stage.get_or_insert_with(|| {
            let mut stage = FeatureStage::new(setup);
            stage.warm_up(FULL);
            stage
        });
        bencher.iter_custom(|rounds| (0..rounds).map(|_| stage.step().0).sum::<Duration>());
    });
    group.finish();
}

criterion_group!(benches, features);
criterion_main!(benches);
