//! Decoding: bytes of records to columns, for plain JSON, JSON that needs the strict parser, and CSV.

mod support;

use std::io::Write;
use std::sync::Arc;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use lockkeeper::generate::Options;
use lockkeeper::model::batch::Batch;
use lockkeeper::replay::run::BATCH_RECORDS;
use lockkeeper::wire::{CsvHeader, Schema, decode};
use support::lines::{Lines, fill, generate, raw_batch};
use support::{VELOCITY, rule_set};

const CSV_HEADER: &str = "id,type,time,account,amount,currency,order,counterparty,device,kyc,ip,factors";

fn decoding(criterion: &mut Criterion) {
    let schema = rule_set(VELOCITY).schema;
    let plain = generate(&Options { events: BATCH_RECORDS as u64, ..Options::default() });
    // An escape anywhere, even in a field nobody reads, is enough to leave the fast path.
    let escaped = String::from_utf8_lossy(&plain).replace("}\n", ",\"note\":\"\\u0041\"}\n").into_bytes();
    let header = CsvHeader::parse(CSV_HEADER.as_bytes(), &schema).expect("a header");
    bench(criterion, "json", &plain, None, &schema);
    bench(criterion, "json_escaped", &escaped, None, &schema);
    bench(criterion, "csv", &csv_rows(BATCH_RECORDS), Some(Arc::new(header)), &schema);
}

/// ns per record and bytes per second of one text.
fn bench(criterion: &mut Criterion, name: &str, text: &[u8], header: Option<Arc<CsvHeader>>, schema: &Schema) {
    let raw = || {
        let mut raw = raw_batch();
        raw.headers = vec![header.clone()];
        fill(&mut raw, &mut Lines(text), usize::MAX, &mut 0);
        raw
    };
    let mut batch = Batch::new(&[]);
    decode(&mut raw(), schema, &mut batch);
    assert_eq!((batch.events.len(), batch.rejections.len()), (BATCH_RECORDS, 0), "{name}");
    let both = Throughput::ElementsAndBytes { elements: BATCH_RECORDS as u64, bytes: text.len() as u64 };
    let mut group = criterion.benchmark_group("decode");
    group.throughput(both);
    group.bench_function(name, |bencher| {
        bencher.iter_batched_ref(raw, |raw| decode(raw, schema, &mut batch), BatchSize::LargeInput);
    });
    group.finish();
}

/// Rows that say what the generator's payments say.
fn csv_rows(rows: usize) -> Vec<u8> {
    let mut text = Vec::new();
    for row in 0..rows {
        // A buffer takes all bytes.
        let _ = writeln!(
            text,
            "e{row},payment,2026-01-05T08:{:02}:{:02}.{:03}Z,a{},{}.50,CNY,o{row},m{},d{row},3,10.0.{}.7,2",
            row / 60 % 60,
            row % 60,
            row % 1000,
            row % 500,
            row % 300,
            row % 40,
            row % 256
        );
    }
    text
}

criterion_group!(benches, decoding);
criterion_main!(benches);
