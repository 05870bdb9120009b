//! The form of lines, what is refused, and that what is written is read.

use super::*;
use crate::journal::{Mark, Settings};
use proptest::prelude::{ProptestConfig, Strategy, any, prop, prop_assert_eq, prop_oneof, proptest};

const HEAD: &str = "{\"lockkeeper_journal\":1}";
const RECORD: &str =
    r#"{"topic":"events","partition":0,"offset":5,"timestamp":1750000000000,"control":false,"value":"{\"id\":\"e\"}"}"#;

fn read(text: &[u8]) -> Result<Vec<Step>, LineFault> {
    let mut reader = Reader::default();
    let mut steps = Vec::new();
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        steps.extend(reader.read(line.strip_suffix(b"\n").unwrap_or(line))?);
    }
    reader.finish().map(|()| steps)
}

fn write(steps: &[Step]) -> Vec<u8> {
    let mut out = Vec::new();
    write_head(&mut out);
    steps.iter().for_each(|step| write_step(&mut out, step));
    out
}

fn record(offset: u64, value: Option<&[u8]>) -> Step {
    let value = value.map(<[u8]>::to_vec);
    let (topic, timestamp) = ("events".to_owned(), Some(1_750_000_000_000));
    Step::Record(Consumed { topic, partition: 0, offset, timestamp, control: false, value })
}

fn start() -> Start {
    let settings = Settings { emit_all: true, max_future: 300_000, max_skew: 3_600_000, record_size: 65_536 };
    Start {
        is_fresh: true,
        ruleset: "demo@0123456789ab".to_owned(),
        settings,
        mark: Mark { sequence: 7, output_hash: 0xff },
    }
}

#[test]
fn lines_look_as_documented() {
    let steps = [
        Step::Start(start()),
        Step::RuleSet("demo@0123456789ab".to_owned()),
        record(5, Some(br#"{"id":"e"}"#)),
        Step::Tick(Tick { partition: 1, time: -7 }),
        record(6, None),
        record(9, Some(b"\xff\n")),
    ];
    let text = [
        HEAD,
        r#"{"start":{"is_fresh":true,"ruleset":"demo@0123456789ab","settings":{"emit_all":true,"max_future":300000,"max_skew":3600000,"record_size":65536},"mark":{"sequence":7,"output_hash":"000000000000000000000000000000ff"}}}"#,
        r#"{"ruleset":"demo@0123456789ab"}"#,
        RECORD,
        r#"{"tick":{"partition":1,"time":-7}}"#,
        r#"{"topic":"events","partition":0,"offset":6,"timestamp":1750000000000,"control":false,"value":null}"#,
        r#"{"topic":"events","partition":0,"offset":9,"timestamp":1750000000000,"control":false,"base64":"/wo="}"#,
        "",
    ];
    let text = text.join("\n");
    assert_eq!(String::from_utf8(write(&steps)).expect("UTF-8"), text);
    assert_eq!(read(text.as_bytes()), Ok(steps.to_vec()));
}

#[test]
fn a_file_that_follows_does_not_go_back() {
    let mut first = Reader::default();
    for line in [HEAD, RECORD] {
        first.read(line.as_bytes()).expect("a journal");
    }
    let mut second = first.follow();
    assert_eq!(second.read(HEAD.as_bytes()), Ok(None), "it has a head of its own");
    let back = second.read(RECORD.as_bytes()).expect_err("the same record");
    assert_eq!(back.to_string(), "line 2: offset 5 of events/0 comes after 5, expected a greater one");
    assert!(first.follow().read(RECORD.as_bytes()).is_err(), "a head is missing");
}

#[test]
fn values_are_cut_just_behind_the_limit() {
    for (length, kept) in [(MAX_RECORD, MAX_RECORD), (MAX_RECORD + 1, MAX_VALUE), (1 << 20, MAX_VALUE)] {
        for byte in [1, b'x', 0xff] {
            let text = write(&[record(1, Some(&vec![byte; length]))]);
            assert!(text.split(|byte| *byte == b'\n').all(|line| line.len() <= MAX_LINE));
            assert_eq!(read(&text), Ok(vec![record(1, Some(&vec![byte; kept]))]));
        }
    }
}

#[test]
fn faults_have_line_numbers() {
    let choices = choices();
    let check = |lines: &[&str], line: u64, fault: &str| {
        let found = read(lines.join("\n").as_bytes()).expect_err("it is faulty");
        assert_eq!((found.line, found.fault.as_str()), (line, fault), "{lines:?}");
    };
    check(&[], 1, &no_head());
    check(&[RECORD], 1, &no_head());
    check(&[r#"{"lockkeeper_journal":2}"#], 1, "the journal has version 2, this program reads 1");
    let back = "offset 5 of events/0 comes after 5, expected a greater one";
    check(&[HEAD, RECORD, RECORD], 3, back);
    let begin = |is_fresh| {
        let text = String::from_utf8(write(&[Step::Start(Start { is_fresh, ..start() })])).expect("UTF-8");
        text.lines().nth(1).expect("a start").to_owned()
    };
    check(&[HEAD, RECORD, &begin(false), RECORD], 4, back);
    assert!(read([HEAD, RECORD, &begin(true), RECORD].join("\n").as_bytes()).is_ok(), "it may begin anywhere");
    check(&[HEAD, "{}"], 2, &choices);
    check(&[HEAD, &RECORD.replace("\"value\"", "\"base64\"")], 2, "`base64` is none, with padding, as RFC 4648 has it");
    let both = RECORD.replace("\"value\"", "\"base64\":\"\",\"value\"");
    check(&[HEAD, &both], 2, "expected one of `value` and `base64`");
    check(
        &[HEAD, &RECORD.replace(",\"value\":\"{\\\"id\\\":\\\"e\\\"}\"", "")],
        2,
        "expected one of `value` and `base64`",
    );
    check(&[HEAD, r#"{"tick":{"partition":0,"time":1},"ruleset":"a"}"#], 2, &choices);
    check(&[HEAD, r#"{"tick":{"partition":0,"time":1},"offset":1}"#], 2, &choices);
    let large = RECORD.replace("\"partition\":0", "\"partition\":65536");
    check(&[HEAD, &large], 2, "partition 65536 is greater than 65535");
    check(&[HEAD, r#"{"tick":{"partition":65536,"time":1}}"#], 2, "partition 65536 is greater than 65535");
    let far = RECORD.replace("\"offset\":5", "\"offset\":9223372036854775808");
    check(&[HEAD, &far], 2, "offset 9223372036854775808 is greater than Kafka's can be");
    let settings = Settings { max_skew: -1, ..start().settings };
    let text = write(&[Step::Start(Start { settings, ..start() })]);
    let found = read(&text).expect_err("it is faulty");
    assert_eq!((found.line, found.fault.as_str()), (2, "`max_skew` is -1, expected 0 to 3153600000000 ms"));
    check(&[HEAD, &"x".repeat(MAX_LINE + 1)], 2, "the line is longer than 1048576 bytes");
    let negative = RECORD.replace("\"offset\":5", "\"offset\":-5");
    let found = read(format!("{HEAD}\n{negative}").as_bytes()).expect_err("it is faulty").to_string();
    assert!(found.starts_with("line 2: invalid value: integer `-5`, expected u64 at column "), "{found}");
    let unknown = RECORD.replace("\"control\"", "\"kontrol\"");
    let found = read(format!("{HEAD}\n{unknown}").as_bytes()).expect_err("it is faulty").to_string();
    assert!(found.starts_with("line 2: unknown field `kontrol`, expected one of"), "{found}");
}

fn step() -> impl Strategy<Value = Step> {
    let value = prop_oneof![any::<Option<Vec<u8>>>(), any::<String>().prop_map(|text| Some(text.into_bytes())),];
    let place = (any::<String>(), 0..=MAX_PARTITION, 0..=i64::MAX as u64);
    let record = (place, any::<Option<i64>>(), any::<bool>(), value);
    prop_oneof![
        record.prop_map(|((topic, partition, offset), timestamp, control, value)| {
            Step::Record(Consumed { topic, partition, offset, timestamp, control, value })
        }),
        (0..=MAX_PARTITION, any::<i64>()).prop_map(|(partition, time)| Step::Tick(Tick { partition, time })),
        any::<String>().prop_map(Step::RuleSet),
        any::<bool>().prop_map(|is_fresh| Step::Start(Start { is_fresh, ..start() })),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn what_is_written_is_read(steps in prop::collection::vec(step(), 0..8)) {
        // Random places hardly ever coincide.
        prop_assert_eq!(read(&write(&steps)), Ok(steps));
    }

    #[test]
    fn arbitrary_lines_are_read_or_refused(lines: Vec<Vec<u8>>) {
        let mut reader = Reader::default();
        for (index, line) in lines.iter().enumerate() {
            if let Err(fault) = reader.read(line) {
                prop_assert_eq!(fault.line, index as u64 + 1);
            }
        }
    }
}
