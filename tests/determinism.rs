//! The same rules and the same input in the same order give the same bytes, however the work is cut.
//!
//! Threads, batch sizes, cuts into files and compression are ways of working; each is compared byte by byte with one
//! thread reading one plain file. The traffic has attacks, late events, repetitions and broken lines, and the rule
//! set beside this file has every aggregate, window, feature option and lock option once.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;

use rand::rngs::StdRng;
use rand::seq::IteratorRandom;
use rand::{Rng, SeedableRng};

use lockkeeper::engine::{Emit, Engine, Options};
use lockkeeper::generate::{Late, Options as Traffic, OptionsError, write_events};
use lockkeeper::replay::run::{Settings, run};
use lockkeeper::replay::{InputSet, Order};
use lockkeeper::rulefiles::load_paths;

const EVENTS: u64 = 20_000;
const BATCHES: [usize; 4] = [1, 3, 37, 2048];
const PLAIN: Settings = Settings { emit: Emit::All, threads: 1, batch_records: 2048 };

/// A day of busy accounts with every attack planted; one event in a hundred is late, some beyond the rules' lateness.
fn traffic() -> &'static [u8] {
    static TRAFFIC: OnceLock<Vec<u8>> = OnceLock::new();
    TRAFFIC.get_or_init(|| {
        let attacks = "password_guessing=6,stuffing=2,takeover=6,card_testing=4,velocity_burst=4,lost_phone=4".parse();
        let options = Traffic {
            accounts: 1500,
            events: EVENTS,
            seed: 7,
            attacks: attacks.expect("a list of attacks"),
            late: Late { per_mille: 10, by: 600_000 },
            ..Traffic::default()
        };
        let mut events = Vec::new();
        let all = write_events(&options, |chunk, _| -> Result<(), OptionsError> {
            events.extend_from_slice(chunk);
            Ok(())
        });
        assert_eq!(all, Ok(EVENTS));
        spoil(&events)
    })
}

/// Puts repetitions, contradictions, broken lines and blank lines between the events.
fn spoil(events: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(events.len() + events.len() / 8);
    let mut before: &[u8] = b"";
    for (index, line) in events.split_inclusive(|&byte| byte == b'\n').enumerate() {
        out.extend_from_slice(line);
        match index % 400 {
            100 => out.extend_from_slice(before),
            150 => out.extend_from_slice(&String::from_utf8_lossy(before).replace("\"kyc\":", "\"KYC\":").into_bytes()),
            200 => out.extend_from_slice(&line[..line.len() / 2]),
            250 => out.extend_from_slice(
                &String::from_utf8_lossy(line).replace("\"country\":\"", "\"country\":\"x").into_bytes(),
            ),
            300 => out.extend_from_slice(b"  \r\n"),
            350 => out.extend_from_slice(&[b' '; 70_000]),
            _ => {}
        }
        if matches!(index % 400, 200 | 350) {
            out.push(b'\n');
        }
        before = line;
    }
    out
}

/// The rule sets: the benchmark's, the one with every option, and those that are shipped.
fn rule_sets() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sets = vec![root.join("benches/velocity/rules.yaml"), root.join("tests/determinism/every_option.yaml")];
    if let Ok(packs) = std::fs::read_dir(root.join("rules")) {
        let folders = packs.map(|pack| pack.expect("an entry").path()).filter(|path| path.is_dir());
        sets.extend(folders);
    }
    sets.sort();
    sets
}

/// A folder of input files.
struct Inputs(tempfile::TempDir);

impl Inputs {
    fn new() -> Self {
        Inputs(tempfile::tempdir().expect("a folder"))
    }

    fn file(&self, name: &str, content: &[u8]) -> String {
        let path = self.0.path().join(name);
        std::fs::write(&path, content).expect("a file");
        path.to_str().expect("UTF-8").to_string()
    }
}

/// The output of a replay.
fn replay(rules: &Path, files: &[String], settings: &Settings) -> Vec<u8> {
    let rules = load_paths(&[rules.to_path_buf()]).expect("a valid rule set").rules;
    let schema = rules.schema.clone();
    let mut inputs = InputSet::open(files, Order::Given, &schema).expect("inputs");
    let mut engine = Engine::new(rules, Options::default());
    let mut out = Vec::new();
    run(&mut engine, &mut inputs, settings, &mut out, &AtomicBool::new(false), &mut |_, _| {}).expect("in memory");
    assert!(inputs.failure().is_none(), "{files:?}");
    out
}

/// The output without the places of rejected records, which name the file.
fn without_positions(out: &[u8]) -> Vec<u8> {
    let text = std::str::from_utf8(out).expect("UTF-8");
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(",\"position\":\"") {
        kept.push_str(&rest[..at]);
        let value = at + ",\"position\":\"".len();
        rest = &rest[value + rest[value..].find('"').expect("a closing quote") + 1..];
    }
    kept.push_str(rest);
    kept.into_bytes()
}

/// Compares, and shows the first line that differs.
fn check(what: &str, got: &[u8], expected: &[u8]) {
    if got != expected {
        let lines = |bytes: &[u8]| String::from_utf8_lossy(bytes).lines().map(str::to_string).collect::<Vec<_>>();
        let (got, expected) = (lines(got), lines(expected));
        let line = got.iter().zip(&expected).position(|(a, b)| a != b).unwrap_or(got.len().min(expected.len()));
        panic!("{what}: line {}\n  got      {:?}\n  expected {:?}", line + 1, got.get(line), expected.get(line));
    }
}

fn count(out: &[u8], text: &str) -> usize {
    String::from_utf8_lossy(out).matches(text).count()
}

#[test]
fn threads_and_batches_change_nothing() {
    let inputs = Inputs::new();
    let file = [inputs.file("events.jsonl", traffic())];
    for rules in rule_sets() {
        let expected = replay(&rules, &file, &PLAIN);
        assert!(count(&expected, "\"kind\":\"decision\"") as u64 > EVENTS * 9 / 10, "{}", rules.display());
        for threads in [1, 2, 4] {
            for batch_records in BATCHES {
                let got = replay(&rules, &file, &Settings { threads, batch_records, ..PLAIN });
                check(&format!("{}, {threads} threads, batches of {batch_records}", rules.display()), &got, &expected);
            }
        }
    }
}

#[test]
fn cuts_into_files_change_only_positions() {
    let inputs = Inputs::new();
    let whole = [inputs.file("events.jsonl", traffic())];
    let ends: Vec<usize> =
        traffic().iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1).collect();
    for rules in rule_sets() {
        let expected = without_positions(&replay(&rules, &whole, &PLAIN));
        for seed in 0..3 {
            let mut random = StdRng::seed_from_u64(seed);
            let mut cuts = ends.iter().copied().choose_multiple(&mut random, 1 + 20 * seed as usize);
            cuts.extend([0, traffic().len()]);
            cuts.sort_unstable();
            let part = |(index, pair): (usize, &[usize])| {
                inputs.file(&format!("{seed}-{index}.jsonl"), &traffic()[pair[0]..pair[1]])
            };
            let files: Vec<String> = cuts.windows(2).enumerate().map(part).collect();
            let settings = Settings { threads: 2, batch_records: random.random_range(1..500), ..PLAIN };
            let got = without_positions(&replay(&rules, &files, &settings));
            check(&format!("{}, {} files", rules.display(), files.len()), &got, &expected);
        }
    }
}

#[test]
fn compression_changes_only_positions() {
    let inputs = Inputs::new();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(traffic()).expect("in memory");
    let stored = [
        inputs.file("events.gz", &gzip.finish().expect("in memory")),
        inputs.file("events.zst", &zstd::encode_all(traffic(), 1).expect("in memory")),
    ];
    let plain = inputs.file("events.jsonl", traffic());
    for rules in rule_sets() {
        let expected = without_positions(&replay(&rules, std::slice::from_ref(&plain), &PLAIN));
        for file in &stored {
            let got = without_positions(&replay(&rules, std::slice::from_ref(file), &PLAIN));
            check(&format!("{}, {file}", rules.display()), &got, &expected);
        }
    }
}

#[test]
fn the_traffic_meets_every_kind_of_output() {
    let inputs = Inputs::new();
    let file = [inputs.file("events.jsonl", traffic())];
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/determinism/every_option.yaml");
    let out = replay(&rules, &file, &PLAIN);
    for transition in ["locked", "extended", "unlocked", "unlock_refused", "released", "expired"] {
        assert!(count(&out, &format!("\"transition\":\"{transition}\"")) > 0, "no lock is {transition}");
    }
    for code in ["malformed", "too_large", "invalid_field", "late", "duplicate", "conflict"] {
        assert!(count(&out, &format!("\"code\":\"{code}\"")) > 0, "no record is {code}");
    }
    for action in ["allow", "alert", "challenge", "deny", "lock"] {
        assert!(count(&out, &format!("\"action\":\"{action}\",\"score\"")) > 0, "no decision is {action}");
    }
    assert!(count(&out, "\"kind\":\"evicted\"") > 0, "no key is evicted");
    assert!(count(&out, "\"level\":2") > 0, "no lock is escalated");
    let loaded = load_paths(&[rules]).expect("a valid rule set").rules;
    for feature in &loaded.features {
        assert!(count(&out, &format!("\"{}\":", feature.name)) > 0, "{} never has a value", feature.name);
    }
}
