//! The bars of the wallet pack on generated attacks: how many are caught in time, and how many honest accounts are locked.
//!
//! `cargo test --test attacks -- --nocapture` prints the figures. `ATTACKS_RULES` names other rules, `ATTACKS_SEED` another
//! seed, `ATTACKS_SCALE` so many times the accounts and events. Nobody tunes rules or traffic with the seed used here by
//! default: what is tuned on is no test.

use std::env;
use std::path::{Path, PathBuf};

use lockkeeper::engine::{Emit, Engine, Options as EngineOptions};
use lockkeeper::feature::store::Serial;
use lockkeeper::generate::{AttackKind, Attacks, Late, Options, Told, Traffic};
use lockkeeper::judging::{Court, Report};
use lockkeeper::model::batch::{Batch, Origin, Source};
use lockkeeper::model::events::Span;
use lockkeeper::rulefiles::load_paths;
use lockkeeper::wire::{RawBatch, RawRecord, decode};

/// Used for nothing but this.
const SEED: u64 = 20_261_122;
const DAY: i64 = 86_400_000;
const DAYS: i64 = 30;
/// After ten days people are known.
const KNOWN_AFTER: i64 = 10 * DAY;
const ACCOUNTS: u32 = 20_000;
const EVENTS: u64 = 2_000_000;
/// Of each kind.
const ATTACKS: u32 = 25;
/// Events decided at a time.
const BATCH: usize = 2048;
/// The share of attacks to be caught before their third damaging event.
const LEAST_RECALL: f64 = 0.95;
/// Honest accounts locked, per ten thousand and thirty days: fewer than this.
const FEWER_LOCKED: f64 = 1.0;

/// The kinds the bar is about: the other two do no damage, and are there to be looked at.
const JUDGED: [AttackKind; 11] = [
    AttackKind::PasswordGuessing,
    AttackKind::Stuffing,
    AttackKind::DeviceFarm,
    AttackKind::Takeover,
    AttackKind::CardTesting,
    AttackKind::Structuring,
    AttackKind::RefundAbuse,
    AttackKind::CodeFatigue,
    AttackKind::ImpossibleTravel,
    AttackKind::BackDating,
    AttackKind::MuleAccounts,
];

fn number(name: &str, default: u64) -> u64 {
    env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// A month in which people have been known for ten days when the first attack comes.
fn month() -> Options {
    let scale = number("ATTACKS_SCALE", 1);
    Options {
        accounts: ACCOUNTS * scale as u32,
        events: EVENTS * scale,
        seed: number("ATTACKS_SEED", SEED),
        length: DAYS * DAY,
        attacks: Attacks::each(ATTACKS),
        attacks_begin: (350, 990),
        late: Late { per_mille: 2, by: 45_000 },
        ..Options::default()
    }
}

fn rules() -> PathBuf {
    let pack = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules/wallet");
    env::var_os("ATTACKS_RULES").map_or(pack, PathBuf::from)
}

/// Traffic, an engine, and who judges what it says.
struct Trial {
    traffic: Traffic,
    engine: Engine,
    court: Court,
    raw: RawBatch,
    batch: Batch,
    lines: u64,
}

impl Trial {
    fn new(options: &Options, rules: &Path) -> Trial {
        let rules = load_paths(&[rules.to_path_buf()]).expect("a valid rule set").rules;
        let types: Vec<_> = rules.schema.fields.iter().map(|(_, kind)| *kind).collect();
        Trial {
            traffic: Traffic::new(options).expect("options that fit"),
            engine: Engine::new(rules, EngineOptions::default()),
            court: Court::new(options.start + KNOWN_AFTER),
            raw: RawBatch { sources: vec![Source::File("-".to_owned())], ..RawBatch::default() },
            batch: Batch::new(&types),
            lines: 0,
        }
    }

    /// Decides and judges the next events; false when there were none left.
    fn step(&mut self) -> bool {
        let told = self.fill();
        if told.is_empty() {
            return false;
        }
        let schema = self.engine.rules().schema.clone();
        decode(&mut self.raw, &schema, &mut self.batch);
        let mut out = Vec::new();
        self.engine.apply(&self.batch, &Serial, Emit::Flagged, &mut out);
        self.court.hear(&told, &out).expect("lines of the engine");
        true
    }

    fn fill(&mut self) -> Vec<Told> {
        let mut told = Vec::new();
        self.raw.clear();
        while told.len() < BATCH {
            let start = self.raw.text.len();
            let Some(event) = self.traffic.append(&mut self.raw.text) else { break };
            self.lines += 1;
            let span = Span { start: start as u32, len: (self.raw.text.len() - 1 - start) as u32 };
            let origin = Origin { number: self.lines, ..Origin::default() };
            self.raw.records.push(RawRecord { span, origin });
            told.push(event);
        }
        told
    }
}

fn judge(options: &Options, rules: &Path) -> Report {
    let mut trial = Trial::new(options, rules);
    while trial.step() {}
    trial.court.report(options.accounts, options.start, options.length)
}

#[test]
fn the_pack_catches_attacks_in_time_and_locks_no_honest_account() {
    let report = judge(&month(), &rules());
    println!("{report}");
    assert_eq!(report.rejected, 0, "the traffic is within the rules' lateness");
    assert!(report.attacks.iter().all(|caught| caught.planted == u64::from(ATTACKS)), "all were planted\n{report}");
    let (recall, locked) = (report.recall(&JUDGED), report.locked_per_10_000());
    assert!(
        recall >= LEAST_RECALL && locked < FEWER_LOCKED,
        "expected at least {LEAST_RECALL} of the attacks caught in time, found {recall:.3};\n\
         expected fewer than {FEWER_LOCKED} of 10 000 honest accounts locked in 30 days, found {locked:.2}:\n{report}"
    );
}

#[test]
fn a_rule_set_that_allows_everything_catches_nothing_and_one_that_denies_everything_is_never_right() {
    let folder = tempfile::tempdir().expect("a folder");
    let options = Options { accounts: 500, events: 10_000, length: 13 * DAY, attacks: Attacks::each(2), ..month() };
    let with = |action: &str| {
        let path = folder.path().join(format!("{action}.yaml"));
        let text = format!(
            "ruleset: {{ name: own, currency: CNY }}\nrules: {{ all: {{ when: \"true\", action: {action} }} }}\n"
        );
        std::fs::write(&path, text).expect("a file");
        judge(&options, &path)
    };
    let (allowed, denied) = (with("allow"), with("deny"));
    assert_eq!((allowed.recall(&JUDGED), allowed.honest.cases.len()), (0.0, 0));
    assert_eq!(denied.recall(&JUDGED), 1.0);
    assert!(denied.attacks.iter().all(|caught| caught.median() == Some(1)), "{denied}");
    assert!(denied.precision_of_all() < 0.1 && denied.honest.locked.is_empty(), "{denied}");
}
