//! The decoders on the corpus, as it is and mutated: one outcome per record, no panic, both JSON paths alike.
//!
//! Bounded and seeded, so that it runs on stable with all other tests and fails the same way twice.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use lockkeeper::model::batch::{Batch, Origin, RejectCode};
use lockkeeper::model::events::{FieldType, Span, TextField};
use lockkeeper::model::money::{Currency, Rate};
use lockkeeper::wire::{CsvHeader, RawBatch, RawRecord, Schema, decode};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// Mutations per corpus file.
const ROUNDS: usize = 400;

fn schema() -> Schema {
    let fields =
        [("band", FieldType::Text), ("count", FieldType::Int), ("risk", FieldType::Double), ("vip", FieldType::Bool)];
    Schema {
        currency: Currency::parse("CNY").expect("a currency"),
        rates: BTreeMap::from([(*b"USD", Rate::parse("7.10").expect("a rate"))]),
        fields: fields.map(|(name, kind)| (name.to_string(), kind)).to_vec(),
    }
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/corpus")
}

/// Name, CSV header where there is one, and record.
fn corpus(schema: &Schema) -> Vec<(String, Option<Arc<CsvHeader>>, Vec<u8>)> {
    let mut corpus = Vec::new();
    for entry in std::fs::read_dir(folder()).expect("the corpus") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name").to_string();
        let content = std::fs::read(&path).expect("a file");
        if name.ends_with(".csv") {
            let end = content.iter().position(|&byte| byte == b'\n').expect("a header line");
            let header = CsvHeader::parse(&content[..end], schema).expect("a fit header");
            corpus.push((name, Some(Arc::new(header)), content[end + 1..].to_vec()));
        } else if name != "README.md" && name != "expected.tsv" {
            corpus.push((name, None, content));
        }
    }
    corpus.sort_by(|one, other| one.0.cmp(&other.0));
    corpus
}

/// Decodes one record between two neighbours that must not be touched.
fn outcome(schema: &Schema, header: &Option<Arc<CsvHeader>>, record: &[u8]) -> Batch {
    let mut raw = RawBatch { headers: vec![header.clone()], ..RawBatch::default() };
    raw.text = [b"\"}", record, b"\"}"].concat();
    raw.records.push(RawRecord { span: Span { start: 2, len: record.len() as u32 }, origin: Origin::default() });
    let kinds: Vec<FieldType> = schema.fields.iter().map(|(_, kind)| *kind).collect();
    let mut batch = Batch::new(&kinds);
    decode(&mut raw, schema, &mut batch);
    assert_eq!(batch.origins.len(), 1);
    assert_eq!(batch.events.len() + batch.rejections.len(), 1, "{}", String::from_utf8_lossy(record));
    for rejection in &batch.rejections {
        assert!(rejection.detail.len() < 2000 && !rejection.detail.contains(char::is_control));
        assert_eq!(rejection.field.is_some(), rejection.code == RejectCode::InvalidField);
    }
    batch
}

/// The outcome in words, as in `expected.tsv`.
fn summary(batch: &Batch) -> String {
    match batch.rejections.first() {
        None => "accepted".to_string(),
        Some(rejection) => [Some(rejection.code.name()), rejection.field.as_deref()]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(" "),
    }
}

/// Everything decoded, without where in the text it stands.
fn content(batch: &Batch) -> String {
    let texts =
        TextField::ALL.map(|(field, _)| if batch.events.is_empty() { None } else { batch.events.text_of(field, 0) });
    let events = &batch.events;
    let numbers = (&events.time, &events.amount, &events.money, &events.kyc, &events.factors, &events.ip);
    let rest = (&events.lat, &events.lon, &events.fingerprint);
    let rejected = batch.rejections.first().map(|rejection| (rejection.code, &rejection.field, &rejection.event));
    format!("{texts:?} {numbers:?} {rest:?} {rejected:?}")
}

/// Both JSON paths: a nested value in an ignored field, put in front, leaves only the strict one.
fn check_paths(schema: &Schema, record: &[u8], fast: &Batch) {
    let Some(at) = record.iter().position(|&byte| byte == b'{') else { return };
    let is_empty = record[at + 1..].iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'}');
    let codes = fast.rejections.first().map(|rejection| rejection.code);
    // With malformed and too large records the strict path has decided already.
    if is_empty || !matches!(codes, None | Some(RejectCode::InvalidField)) {
        return;
    }
    let forced = [&record[..=at], b"\"~~\":[],", &record[at + 1..]].concat();
    let strict = outcome(schema, &None, &forced);
    if strict.rejections.first().is_none_or(|rejection| rejection.code != RejectCode::TooLarge) {
        assert_eq!(content(fast), content(&strict), "{}", String::from_utf8_lossy(record));
    }
}

#[test]
fn the_corpus_decodes_as_expected() {
    let schema = schema();
    let lines = corpus(&schema).into_iter().map(|(name, header, record)| {
        let batch = outcome(&schema, &header, &record);
        if header.is_none() {
            check_paths(&schema, &record, &batch);
        }
        format!("{name}\t{}\n", summary(&batch))
    });
    let got: String = lines.collect();
    let path = folder().join("expected.tsv");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &got).expect("a writable corpus");
    }
    assert_eq!(got, std::fs::read_to_string(&path).expect("expected.tsv"));
}

/// Bytes that matter to the decoders.
const BYTES: &[u8] = b"\"\\{}[]:,0123456789.eE+-tfnu \t\r\n\0\x1f\x7f\x80\xc3\xed\xef\xff";

fn mutate(random: &mut StdRng, record: &[u8], other: &[u8]) -> Vec<u8> {
    let mut bytes = record[..record.len().min(2000)].to_vec();
    for _ in 0..random.random_range(1..4) {
        let at = random.random_range(0..=bytes.len());
        let end = (at + random.random_range(0..8)).min(bytes.len());
        let byte = BYTES[random.random_range(0..BYTES.len())];
        match random.random_range(0..6) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, byte),
            2 if at < bytes.len() => bytes[at] = byte,
            3 => drop(bytes.drain(at..end)),
            4 => {
                let copied = bytes[at..end].to_vec();
                bytes.splice(at..at, copied);
            }
            _ => {
                let from = random.random_range(0..=other.len());
                let to = (from + random.random_range(0..40)).min(other.len());
                bytes.splice(at..end, other[from..to].iter().copied());
            }
        }
    }
    bytes
}

#[test]
fn mutated_records_have_one_outcome_and_both_paths_agree() {
    let schema = schema();
    let corpus = corpus(&schema);
    let mut random = StdRng::seed_from_u64(20_261_122);
    let mut accepted = 0;
    for (_, header, record) in &corpus {
        for _ in 0..ROUNDS {
            let other = &corpus[random.random_range(0..corpus.len())].2;
            let mutated = mutate(&mut random, record, other);
            let batch = outcome(&schema, header, &mutated);
            accepted += batch.events.len();
            if header.is_none() {
                check_paths(&schema, &mutated, &batch);
            }
        }
    }
    // Mutations must leave enough alive to compare the paths on.
    assert!(accepted > ROUNDS, "{accepted}");
}

#[test]
fn mutated_headers_are_read_or_refused() {
    let schema = schema();
    let mut random = StdRng::seed_from_u64(7);
    let header = b"id,type,time,account,\"amount\",currency";
    let (mut read, mut refused) = (0, 0);
    for _ in 0..ROUNDS * 10 {
        match CsvHeader::parse(&mutate(&mut random, header, header), &schema) {
            Ok(_) => read += 1,
            Err(fault) => refused += usize::from(!fault.to_string().is_empty()),
        }
    }
    assert_eq!(read + refused, ROUNDS * 10);
    assert!(read > 0 && refused > 0);
}
