//! A rule set with every construct, and the identity of rule sets: what changes it and what does not.

use std::fs;
use std::path::{Path, PathBuf};

use lockkeeper::model::value::Type;
use lockkeeper::rulefiles::load_paths;
use lockkeeper::ruleset::load::{Loaded, SourceFile, load};
use lockkeeper::ruleset::render::render_human;
use lockkeeper::ruleset::types::{Action, Aggregate, LockDuration, Mode, Period, ReasonPart, RuleSet, Window};

fn everything() -> RuleSet {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/ruleset/everything.yaml");
    let loaded = load_paths(&[path]).unwrap_or_else(|faults| panic!("{}", render_human(&faults, false)));
    assert!(loaded.warnings.is_empty(), "{}", render_human(&loaded.warnings, false));
    loaded.rules
}

#[test]
fn the_header_is_read() {
    let rules = everything();
    assert_eq!(rules.name, "everything");
    assert!(rules.id.starts_with("everything@") && rules.id.len() == "everything@".len() + 12);
    assert_eq!((rules.lateness, rules.dedup), (300_000, 7_200_000));
    assert_eq!((rules.thresholds.alert, rules.thresholds.deny), (Some(40), Some(80)));
    assert_eq!((rules.bounds.keys, rules.bounds.entries), (Some(1_000_000), Some(50_000_000)));
    assert_eq!(rules.timezone, chrono_tz::Asia::Shanghai);
    let rates: Vec<&[u8; 3]> = rules.schema.rates.keys().collect();
    assert_eq!(rates, [b"JPY", b"USD"]);
    let fields: Vec<&str> = rules.schema.fields.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(fields, ["distance", "hops", "risk_band", "vip"]);
}

#[test]
fn features_are_sorted_and_typed() {
    let rules = everything();
    assert!(rules.features.is_sorted_by_key(|feature| feature.name.clone()));
    let feature = |name: &str| rules.features.iter().find(|feature| feature.name == name).expect("a feature");
    for (name, aggregate, kind, window) in [
        ("wrong_passwords_15m", Aggregate::Count, Type::Int, Window::Sliding(900_000)),
        ("spent_today", Aggregate::Sum, Type::Money, Window::Calendar(Period::Day)),
        ("hops_sum", Aggregate::Sum, Type::Int, Window::Sliding(5_400_000)),
        ("usual_amount", Aggregate::Mean, Type::Double, Window::Sliding(30 * 86_400_000)),
        ("largest", Aggregate::Max, Type::Double, Window::Calendar(Period::Year)),
        ("last_country", Aggregate::Last, Type::String, Window::Lifetime),
        ("first_seen", Aggregate::First, Type::Timestamp, Window::Lifetime),
        ("since_bind", Aggregate::SinceLast, Type::Duration, Window::Sliding(30 * 86_400_000)),
        ("new_payee", Aggregate::IsNew, Type::Bool, Window::Sliding(90 * 86_400_000)),
        ("travel", Aggregate::Speed, Type::Double, Window::Sliding(2 * 86_400_000)),
        ("burst", Aggregate::LeakyBucket { capacity: 10, leak: 6000 }, Type::Bool, Window::Lifetime),
    ] {
        let found = feature(name);
        assert_eq!((found.aggregate, found.kind, found.window), (aggregate, kind, window), "{name}");
    }
    assert_eq!(feature("hops_sum").by, []);
    assert_eq!(feature("usual_amount").least, 5);
    assert_eq!(feature("usual_amount").delay, Some(3_600_000));
    assert_eq!(feature("devices").gap, Some(43_200_000));
    assert_eq!(feature("tenth").reset_at, Some(10));
    assert_eq!(feature("burst").of.map(|(_, kind)| kind), Some(Type::String));
    assert_eq!(feature("payee_frauds").read_by.as_ref().map(|parts| parts[0].name.as_str()), Some("counterparty"));
}

#[test]
fn rules_and_locks_are_read() {
    let rules = everything();
    let ids: Vec<&str> = rules.rules.iter().map(|rule| rule.id.as_str()).collect();
    assert_eq!(ids, ["computed-lock", "hard-lock", "quiet", "wrong-password-lock"], "`off` is left out");
    let [computed, hard, quiet, wrong] = rules.rules.as_slice() else { panic!("four rules") };
    assert!(computed.fire_if_missing && !hard.fire_if_missing);
    assert_eq!((quiet.mode, quiet.action), (Mode::Shadow, Action::Challenge));
    assert_eq!((wrong.score, wrong.action, wrong.mode), (100, Action::Lock, Mode::Enforce));
    let values: Vec<&str> = wrong.values.iter().map(|named| named.name.as_str()).collect();
    assert_eq!(values, ["from_office", "wrong_passwords_15m"]);
    let values: Vec<&str> = computed.values.iter().map(|named| named.name.as_str()).collect();
    assert_eq!(values, ["amount", "behind", "smallest"]);
    let lock = wrong.lock.as_ref().expect("a lock");
    assert_eq!(lock.duration, LockDuration::Fixed(1_800_000));
    assert_eq!(lock.unlock, ["identity_verified", "operator"]);
    assert!(lock.extend && lock.covers.is_some() && lock.release.is_some());
    assert_eq!(lock.covers_by.len(), 2);
    let backoff = lock.backoff.as_ref().expect("backoff");
    assert_eq!((backoff.factor, backoff.max, backoff.forget), ((15, 1), Some(86_400_000), 604_800_000));
    assert_eq!(backoff.until_unlocked_from, Some(4));
    assert!(backoff.reset.is_some());
    let lock = hard.lock.as_ref().expect("a lock");
    assert_eq!((lock.duration, lock.target.len()), (LockDuration::UntilUnlocked, 2));
    assert_eq!(lock.covers_by, lock.target);
    assert!(matches!(computed.lock.as_ref().map(|lock| lock.duration), Some(LockDuration::Computed(_))));
}

#[test]
fn reasons_keep_their_order_and_are_cut() {
    let rules = everything();
    let rule = rules.rules.iter().find(|rule| rule.id == "wrong-password-lock").expect("the rule");
    let languages: Vec<&str> = rule.reason.iter().map(|(language, _)| language.as_str()).collect();
    assert_eq!(languages, ["zh", "en"]);
    let parts = rule.reason[1].1.iter().map(|part| match part {
        ReasonPart::Text(text) => text.clone(),
        ReasonPart::Value(named) => format!("<{}>", named.name),
    });
    let parts: Vec<String> = parts.collect();
    assert_eq!(parts, ["<wrong_passwords_15m>", " wrong passwords {in} 15 minutes from ", "<subnet>"]);
}

fn load_texts(texts: &[&str]) -> Loaded {
    let files = texts.iter().enumerate();
    let files: Vec<SourceFile> =
        files.map(|(index, text)| SourceFile { path: format!("{index}.yaml"), text: text.to_string() }).collect();
    let read_list = |_: &str, name: &str| match name {
        "nets.txt" => Ok("# nets\n10.0.0.0/8\n".to_string()),
        _ => Err(format!("no file `{name}`")),
    };
    load(&files, &read_list).unwrap_or_else(|faults| panic!("{}", render_human(&faults, false)))
}

const HEADER: &str = "ruleset: { name: t, currency: CNY }\n";
const BODY: &str = "
features:
  fails: { aggregate: count, by: account, window: 1h, where: type == 'login' }
lists:
  nets: { kind: cidr, values: [10.0.0.0/8] }
rates: { USD: \"7.10\", EUR: \"8\" }
rules:
  stop: { when: fails > 3, score: 50, reason: { en: a, zh: b } }
  watch: { when: kyc == 1 }
";

/// Whether these files are the same rule set as [`HEADER`] and [`BODY`].
fn check(texts: &[&str], same: bool) {
    let (base, other) = (load_texts(&[HEADER, BODY]), load_texts(texts));
    assert_eq!(base.canonical == other.canonical, same, "{}\n{}", base.canonical, other.canonical);
    assert_eq!(base.rules.id == other.rules.id, same);
}

#[test]
fn the_identity_does_not_depend_on_how_it_is_written() {
    check(&[BODY, HEADER], true);
    check(&[&format!("{HEADER}{BODY}")], true);
    check(&[HEADER, &BODY.replace("features:", "# a remark\n\nfeatures: # another")], true);
    check(&[HEADER, &BODY.replace("by: account, window: 1h", "window: 60m, by: [account]")], true);
    check(&[HEADER, &BODY.replace("where: type == 'login'", "where: \"type == 'login'\"")], true);
    check(&[HEADER, &BODY.replace("USD: \"7.10\", EUR: \"8\"", "EUR: 8.0, USD: 7.1")], true);
    check(&[HEADER, &BODY.replace("values: [10.0.0.0/8]", "file: nets.txt")], true);
    check(&[HEADER, &BODY.replace("10.0.0.0/8", "10.0.0.0/9, 10.128.0.0/9")], true);
    check(&[HEADER, &BODY.replace("when: kyc == 1", "when: kyc == 1, mode: enforce, if_missing: pass")], true);
    check(&["ruleset:\n  currency: CNY\n  lateness: 600s\n  name: t\n  dedup: 1h\n  timezone: UTC\n", BODY], true);
    let watch_first =
        BODY.replace("  watch: { when: kyc == 1 }\n", "").replace("rules:\n", "rules:\n  watch: { when: kyc == 1 }\n");
    check(&[HEADER, &watch_first], true);
    let block = BODY.replace("  watch: { when: kyc == 1 }", "  watch:\n    when: |\n      kyc == 1\n");
    check(&[HEADER, &block], true);
}

#[test]
fn the_identity_changes_with_the_meaning() {
    check(&[HEADER, &BODY.replace("window: 1h", "window: 2h")], false);
    check(&[HEADER, &BODY.replace("kyc == 1", "kyc == 2")], false);
    check(&[HEADER, &BODY.replace("7.10", "7.11")], false);
    check(&[HEADER, &BODY.replace("10.0.0.0/8", "10.0.0.0/9")], false);
    check(&[HEADER, &BODY.replace("score: 50", "score: 51")], false);
    check(&[HEADER, &BODY.replace("when: kyc == 1", "when: kyc == 1, mode: off")], false);
    check(&[HEADER, &BODY.replace("when: kyc == 1", "when: kyc == 1, if_missing: fire")], false);
    check(&[HEADER, &BODY.replace("en: a, zh: b", "zh: b, en: a")], false);
    check(&["ruleset: { name: t, currency: USD }", &BODY.replace("USD: \"7.10\", ", "")], false);
    check(&["ruleset: { name: t, currency: CNY, lateness: 9m }", BODY], false);
}

#[test]
fn hostile_yaml_is_refused_and_never_panics() {
    let deep = format!("rules: {}{}", "[".repeat(100), "]".repeat(100));
    let bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n".to_string()
        + &('b'..='k')
            .map(|c| {
                let before = char::from(c as u8 - 1);
                format!("{c}: &{c} [{}]\n", vec![format!("*{before}"); 10].join(", "))
            })
            .collect::<String>();
    let very_deep = "[".repeat(100_000);
    for text in [deep, bomb, very_deep, "&a [*a]".to_string(), "? [a]\n: b\n".into(), "\u{feff}{".into(), "\0".into()] {
        let file = SourceFile { path: "x.yaml".to_string(), text };
        let faults = load(&[file], &|_, _| Err("no lists".to_string())).expect_err("refused");
        assert!(!faults.is_empty());
    }
}

#[test]
fn event_types_nobody_declared_are_warned_of() {
    let text = "types: [visit]\nrules:\n  a: { when: type == 'visit' }\n  b:\n    when: type in ['login', 'vist']\n";
    let warnings = load_texts(&[HEADER, text]).warnings;
    let messages: Vec<&str> = warnings.iter().map(|warning| warning.message.as_str()).collect();
    assert_eq!(messages, ["no event type `vist` is declared"]);
    assert_eq!(warnings[0].help.as_deref(), Some("did you mean `visit`?"));
}

#[test]
fn too_many_definitions_are_one_fault() {
    let define = |index: usize| format!("  f{index}: {{ aggregate: count, by: account, window: 1h }}\n");
    let features: String = (0..1001).map(define).collect();
    let text = format!("{HEADER}features:\n{features}rules: {{ a: {{ when: f1 > f1000 && f999 > 0 }} }}\n");
    let file = SourceFile { path: "x.yaml".to_string(), text };
    let faults = load(&[file], &|_, _| Err("no lists".to_string())).expect_err("too many");
    let codes: Vec<&str> = faults.iter().map(|fault| fault.code).collect();
    assert_eq!(codes, ["limit"]);
}

#[test]
fn defaults_are_filled_in() {
    let rules = load_texts(&[HEADER, "rules: { a: { when: kyc == 1 } }\n"]).rules;
    assert_eq!((rules.lateness, rules.dedup), (600_000, 3_600_000));
    assert_eq!(rules.timezone, chrono_tz::UTC);
    assert_eq!((rules.thresholds, rules.bounds), Default::default());
    let rule = &rules.rules[0];
    assert_eq!((rule.score, rule.action, rule.mode), (0, Action::Allow, Mode::Enforce));
    let text = "rules: { a: { on: kyc == 1, when: true, action: lock, lock: { for: 1h, backoff: {} } } }\n";
    let rules = load_texts(&[HEADER, text]).rules;
    let lock = rules.rules[0].lock.as_ref().expect("a lock");
    assert_eq!(lock.target.iter().map(|part| part.name.as_str()).collect::<Vec<_>>(), ["account"]);
    assert!(!lock.extend && lock.unlock.is_empty() && lock.covers.is_none() && lock.release.is_none());
    let backoff = lock.backoff.as_ref().expect("backoff");
    assert_eq!((backoff.factor, backoff.max, backoff.forget), ((2, 0), None, 7 * 86_400_000));
}

proptest::proptest! {
    #[test]
    fn any_text_and_any_cut_of_a_good_file_loads_or_is_diagnosed(noise in "\\PC{0,80}", at in 0usize..6000, cut in 0usize..40) {
        let good = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/ruleset/everything.yaml"))
            .expect("the fixture");
        let characters: Vec<char> = good.chars().collect();
        let at = at.min(characters.len());
        let rest = (at + cut).min(characters.len());
        let text: String = characters[..at].iter().chain(noise.chars().collect::<Vec<_>>().iter()).chain(&characters[rest..]).collect();
        let file = SourceFile { path: "x.yaml".to_string(), text };
        if let Err(faults) = load(&[file], &|_, _| Ok("alipay\n".to_string())) {
            proptest::prop_assert!(!faults.is_empty());
            proptest::prop_assert!(!render_human(&faults, false).is_empty());
        }
    }
}
