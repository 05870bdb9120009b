//! Reading inputs: files to records with their positions, whatever the compression, the line ends and the order.

use std::io::Write;
use std::path::PathBuf;

use lockkeeper::model::batch::{Batch, RejectCode};
use lockkeeper::model::events::{FieldType, TextField};
use lockkeeper::model::money::Currency;
use lockkeeper::replay::{InputFault, InputSet, Order};
use lockkeeper::wire::{MAX_RECORD, RawBatch, Schema, decode};

fn schema() -> Schema {
    let fields = vec![("score".to_string(), FieldType::Int), ("vip".to_string(), FieldType::Bool)];
    Schema { currency: Currency::parse("CNY").expect("a currency"), rates: Default::default(), fields }
}

fn event(id: &str, time: i64) -> String {
    format!(r#"{{"id":"{id}","type":"login","time":{time},"account":"a1"}}"#)
}

/// A folder of input files.
struct Inputs(tempfile::TempDir);

impl Inputs {
    fn new() -> Self {
        Inputs(tempfile::tempdir().expect("a folder"))
    }

    fn file(&self, name: &str, content: &[u8]) -> String {
        let path: PathBuf = self.0.path().join(name);
        std::fs::write(&path, content).expect("a file");
        path.to_str().expect("UTF-8").to_string()
    }
}

/// What was read: `NAME:LINE id`, or the rejection code for the id, and the failure's text.
fn read(paths: &[String], order: Order, records: usize) -> (Vec<String>, Option<String>) {
    let schema = schema();
    let mut inputs = InputSet::open(paths, order, &schema).expect("inputs that can be opened");
    let (mut raw, mut batch) = (RawBatch::default(), Batch::new(&[FieldType::Int, FieldType::Bool]));
    let mut read = Vec::new();
    while inputs.fill(&mut raw, records, 1 << 20) {
        assert!(raw.records.len() <= records);
        decode(&mut raw, &schema, &mut batch);
        read.extend(outcomes(&batch));
    }
    let failure = inputs.failure().map(ToString::to_string);
    (read, failure)
}

/// One line per record of a batch.
fn outcomes(batch: &Batch) -> Vec<String> {
    assert_eq!(batch.origins.len(), batch.events.len() + batch.rejections.len());
    let mut outcomes = vec![String::new(); batch.origins.len()];
    for (row, &record) in batch.events.record.iter().enumerate() {
        outcomes[record as usize] = batch.events.text_of(TextField::Id, row).expect("an id").to_string();
    }
    for rejection in &batch.rejections {
        outcomes[rejection.record as usize] = rejection.code.name().to_string();
    }
    let position = |index: usize| {
        let origin = batch.origins[index];
        batch.sources[origin.source as usize].position(origin.number).rsplit('/').next().unwrap_or_default().to_string()
    };
    outcomes.iter().enumerate().map(|(index, outcome)| format!("{} {outcome}", position(index))).collect()
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(content).expect("in memory");
    encoder.finish().expect("in memory")
}

fn zstd(content: &[u8]) -> Vec<u8> {
    zstd::encode_all(content, 1).expect("in memory")
}

#[test]
fn lines_keep_their_numbers() {
    let inputs = Inputs::new();
    let long = "x".repeat(MAX_RECORD + 1);
    let content = format!("\n{}\r\n  \t\n{}\nno\n{long}\n{}", event("a", 1), event("b", 2), event("c", 3));
    let path = inputs.file("e.jsonl", content.as_bytes());
    let expected = ["e.jsonl:2 a", "e.jsonl:4 b", "e.jsonl:5 malformed", "e.jsonl:6 too_large", "e.jsonl:7 c"];
    for records in [1, 2, 100] {
        assert_eq!(
            read(std::slice::from_ref(&path), Order::Given, records),
            (expected.map(String::from).to_vec(), None)
        );
    }
}

#[test]
fn empty_inputs_are_fine() {
    let inputs = Inputs::new();
    let paths = [
        inputs.file("a", b""),
        inputs.file("b", b"\n \n"),
        inputs.file("c", &gzip(b"")),
        inputs.file("d", &zstd(b"")),
        inputs.file("e.csv", b""),
    ];
    for order in [Order::Given, Order::Merged] {
        assert_eq!(read(&paths, order, 10), (Vec::new(), None));
    }
}

#[test]
fn compression_is_told_by_content() {
    let inputs = Inputs::new();
    let (first, second) = (event("a", 1) + "\n", event("b", 2) + "\n");
    let contents = [
        [first.as_bytes(), second.as_bytes()].concat(),
        [gzip(first.as_bytes()), gzip(second.as_bytes())].concat(),
        [zstd(first.as_bytes()), zstd(second.as_bytes())].concat(),
        [b"\x50\x2a\x4d\x18\x01\0\0\0x".to_vec(), zstd((first.clone() + &second).as_bytes())].concat(),
    ];
    for content in contents {
        let path = inputs.file("e", &content);
        assert_eq!(read(&[path], Order::Given, 10), (vec!["e:1 a".to_string(), "e:2 b".to_string()], None));
    }
}

#[test]
fn damaged_compression_ends_with_an_error_after_what_was_readable() {
    let inputs = Inputs::new();
    let lines: String = (0..20_000).map(|n| event(&format!("e{}", n * 7919 % 20_000), n) + "\n").collect();
    for (name, whole) in [("e.gz", gzip(lines.as_bytes())), ("e.zst", zstd(lines.as_bytes()))] {
        let damaged = inputs.file(name, &whole[..whole.len() - 20]);
        let after = inputs.file("after", event("z", 1).as_bytes());
        let (read, failure) = read(&[damaged.clone(), after], Order::Given, 1000);
        assert!(read.len() > 1000 && read.len() < 20_000, "{}", read.len());
        assert!(read.iter().all(|line| !line.ends_with("malformed")));
        let expected = format!("{damaged}:{}: cannot read on", read.len() + 1);
        assert!(failure.as_ref().is_some_and(|text| text.starts_with(&expected)), "{failure:?}");
    }
}

#[test]
fn inputs_that_cannot_be_opened_are_reported_up_front() {
    let inputs = Inputs::new();
    let good = inputs.file("good", event("a", 1).as_bytes());
    let folder = inputs.0.path().to_str().expect("UTF-8").to_string();
    let missing = format!("{folder}/missing");
    for order in [Order::Given, Order::Merged] {
        for bad in [&missing, &folder] {
            let schema = schema();
            let error = InputSet::open(&[good.clone(), bad.clone()], order, &schema).err().expect("an error");
            assert_eq!((&error.path, error.line), (bad, None));
            assert!(matches!(error.fault, InputFault::Open(_)));
        }
    }
}

#[test]
fn a_byte_order_mark_makes_the_first_record_malformed() {
    let inputs = Inputs::new();
    let content = format!("\u{feff}{}\n{}\n", event("a", 1), event("b", 2));
    let path = inputs.file("e", content.as_bytes());
    assert_eq!(read(&[path], Order::Given, 10).0, ["e:1 malformed", "e:2 b"]);
}

#[test]
fn files_are_read_in_the_order_asked_for() {
    let inputs = Inputs::new();
    let a = inputs.file("a", [event("a1", 10), event("a2", 30), "bad".into(), event("a3", 5)].join("\n").as_bytes());
    let b = inputs.file("b", [event("b1", 10), event("b2", 20), event("b3", 30)].join("\n").as_bytes());
    let c = inputs.file("c.csv", b"account,id,time,type\na1,c1,1,login\na1,c2,30,login\n");
    let paths = [a, b, c];
    let given =
        ["a:1 a1", "a:2 a2", "a:3 malformed", "a:4 a3", "b:1 b1", "b:2 b2", "b:3 b3", "c.csv:2 c1", "c.csv:3 c2"];
    let merged =
        ["c.csv:2 c1", "a:1 a1", "b:1 b1", "b:2 b2", "a:2 a2", "a:3 malformed", "a:4 a3", "b:3 b3", "c.csv:3 c2"];
    for records in [1, 4, 100] {
        assert_eq!(read(&paths, Order::Given, records).0, given);
        assert_eq!(read(&paths, Order::Merged, records).0, merged);
    }
}

#[test]
fn csv_rows_become_events() {
    let inputs = Inputs::new();
    let content = "id,type,time,account,amount,currency,reason,score,vip,extra\n\
                   a,login,1000,a1,12.50,CNY,\"x, \"\"y\"\"\r\nz\",-5,true,?\n\
                   \n\
                   b,login,1970-01-01T00:00:01Z,a1,,,,,,\n\
                   short,login,1000\n\
                   c,login,1000,a1,1,CNY,,1.5,,\n\
                   d,login,1000,a1,1,CNY,,,yes,\n\
                   e,login,1000,\"a1,,,,,,\n";
    let path = inputs.file("e.data", content.as_bytes());
    let schema = schema();
    let mut set = InputSet::open(&[path], Order::Given, &schema).expect("an input");
    let (mut raw, mut batch) = (RawBatch::default(), Batch::new(&[FieldType::Int, FieldType::Bool]));
    assert!(set.fill(&mut raw, 100, 1 << 20));
    decode(&mut raw, &schema, &mut batch);
    let expected = [
        "e.data:2 a",
        "e.data:5 b",
        "e.data:6 malformed",
        "e.data:7 invalid_field",
        "e.data:8 invalid_field",
        "e.data:9 malformed",
    ];
    assert_eq!(outcomes(&batch), expected);
    assert_eq!(batch.events.text_of(TextField::Reason, 0), Some("x, \"y\"\r\nz"));
    assert_eq!((batch.events.amount.get(0), batch.events.amount.get(1)), (Some(1250), None));
    assert_eq!(batch.events.time, [1000, 1000]);
    let fields: Vec<_> = batch.rejections.iter().filter_map(|rejection| rejection.field.as_deref()).collect();
    assert_eq!(fields, ["score", "vip"]);
}

#[test]
fn unfit_csv_headers_are_reported_up_front() {
    let inputs = Inputs::new();
    let cases = [
        ("id,type,time\n", "CSV header has no column `account`, expected at least id, type, time and account"),
        ("id,type,time,account,x,x\n", "CSV header names `x` twice, expected each column once"),
        ("\"id,type\n", "cannot read the CSV header, expected UTF-8 field names separated by commas"),
    ];
    for (content, expected) in cases {
        let path = inputs.file("e.csv", content.as_bytes());
        let schema = schema();
        let error = InputSet::open(std::slice::from_ref(&path), Order::Given, &schema).err().expect("an error");
        assert_eq!(error.to_string(), format!("{path}:1: {expected}"));
    }
    let path = inputs.file("e.CSV", "\u{feff}id,type,time,account\na,login,1,a1".as_bytes());
    assert_eq!(read(&[path], Order::Given, 10).0, ["e.CSV:2 a"]);
}

#[test]
fn an_open_quote_ends_in_one_rejection() {
    let inputs = Inputs::new();
    let content = format!("id,type,time,account\na,login,1,\"{}", "x\n".repeat(MAX_RECORD));
    let path = inputs.file("e.csv", content.as_bytes());
    let (read, failure) = read(&[path], Order::Given, 10);
    assert_eq!((read, failure), (vec![format!("e.csv:2 {}", RejectCode::TooLarge.name())], None));
}

#[test]
fn progress_counts_stored_bytes() {
    let inputs = Inputs::new();
    let lines: String = (0..1000).map(|n| event("e", n) + "\n").collect();
    let contents = [gzip(lines.as_bytes()), lines.clone().into_bytes()];
    let paths = [inputs.file("a", &contents[0]), inputs.file("b", &contents[1])];
    let schema = schema();
    let mut set = InputSet::open(&paths, Order::Given, &schema).expect("inputs");
    let progress = set.progress();
    let total = contents.iter().map(|content| content.len() as u64).sum();
    assert_eq!(progress.total(), Some(total));
    let mut raw = RawBatch::default();
    while set.fill(&mut raw, 100, 1 << 20) {
        assert!(progress.read() <= total);
    }
    assert_eq!(progress.read(), total);
}
