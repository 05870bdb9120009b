//! What the traffic promises: the same bytes for a seed, valid events in order, Zipf's law, and every attack.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::*;

mod labels;
mod planted;

fn bytes(options: &Options) -> Vec<u8> {
    let mut all = Vec::new();
    let events = write_events::<OptionsError>(options, |chunk, _| {
        all.extend_from_slice(chunk);
        Ok(())
    });
    assert_eq!(events, Ok(options.events));
    all
}

fn events(options: &Options) -> Vec<Value> {
    let all = bytes(options);
    all.split_inclusive(|&byte| byte == b'\n').map(|line| serde_json::from_slice(line).expect("JSON")).collect()
}

fn small() -> Options {
    Options { accounts: 500, events: 20_000, ..Options::default() }
}

fn time(event: &Value) -> i64 {
    let text = event["time"].as_str().expect("a time");
    chrono::DateTime::parse_from_rfc3339(text).expect("RFC 3339").timestamp_millis()
}

fn text<'a>(event: &'a Value, field: &str) -> &'a str {
    event[field].as_str().unwrap_or_default()
}

#[test]
fn a_seed_gives_the_same_bytes_for_ever() {
    let options = Options { attacks: Attacks::each(2), late: Late { per_mille: 20, by: 60_000 }, ..small() };
    let all = bytes(&options);
    assert_eq!(all, bytes(&options));
    let hash: String = Sha256::digest(&all).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hash, "3a7a7fdf6a32ae6c27315c633aa4e46abc1c9ebaca93cdc069c2a107ea4a3748");
    assert_ne!(all, bytes(&Options { seed: 2, ..options }));
}

#[test]
fn every_line_is_an_event_of_the_contract() {
    const KNOWN: [&str; 22] = [
        "id",
        "type",
        "time",
        "account",
        "outcome",
        "reason",
        "amount",
        "currency",
        "order",
        "counterparty",
        "merchant_category",
        "device",
        "channel",
        "wallet",
        "kyc",
        "ip",
        "country",
        "lat",
        "lon",
        "factors",
        "by",
        "proof",
    ];
    let mut ids = BTreeSet::new();
    for event in events(&Options { attacks: Attacks::each(3), ..small() }) {
        let fields = event.as_object().expect("an object");
        let unknown: Vec<_> = fields.keys().filter(|key| !KNOWN.contains(&key.as_str()) && *key != "case").collect();
        assert!(unknown.is_empty(), "{unknown:?}");
        assert!(ids.insert(text(&event, "id").to_owned()), "{event}");
        check_fields(&event);
    }
}

fn check_fields(event: &Value) {
    assert!(text(event, "account").starts_with('a'), "{event}");
    if let Some(amount) = event["amount"].as_str() {
        let (major, minor) = amount.split_once('.').expect("a point");
        assert!(major.parse::<u32>().is_ok() && minor.len() == 2 && minor.parse::<u32>().is_ok(), "{event}");
        assert!(event["currency"] == "CNY" && event["order"].is_string(), "{event}");
    }
    if event["type"] == "unlock" {
        return assert!(event["proof"] == "operator" && event["device"].is_null(), "{event}");
    }
    assert!(text(event, "ip").parse::<std::net::IpAddr>().is_ok(), "{event}");
    assert_eq!(text(event, "country").len(), 2, "{event}");
    assert!(event["lat"].as_f64().is_some_and(|lat| lat.abs() <= 90.0), "{event}");
    assert!(event["lon"].as_f64().is_some_and(|lon| lon.abs() <= 180.0), "{event}");
    assert!(event["kyc"].as_u64().is_some_and(|kyc| (1..=3).contains(&kyc)), "{event}");
    assert!(event["factors"].as_u64().is_some_and(|factors| factors <= 3), "{event}");
}

#[test]
fn events_are_in_order_and_fill_the_period() {
    for (events_asked, length) in
        [(1, 1000), (2, 1000), (500, 60_000), (20_000, rhythm::DAY), (20_000, 60 * rhythm::DAY)]
    {
        let options = Options { events: events_asked, length, ..small() };
        let times: Vec<i64> = events(&options).iter().map(time).collect();
        assert!(times.is_sorted());
        assert!(times.iter().all(|time| (options.start..options.start + length).contains(time)));
        if events_asked >= 500 {
            let gap = times.windows(2).map(|pair| pair[1] - pair[0]).max().expect("two events");
            assert!(gap < length / 5, "a silence of {gap} ms in {length}");
        }
    }
}

#[test]
fn late_events_are_late_by_at_most_what_was_asked() {
    let options = Options { late: Late { per_mille: 50, by: 300_000 }, ..small() };
    let (mut newest, mut late) = (i64::MIN, 0);
    for time in events(&options).iter().map(time) {
        assert!(time > newest.saturating_sub(300_001));
        late += usize::from(time < newest);
        newest = newest.max(time);
    }
    assert!((800..=1050).contains(&late), "{late} of 20000");
}

/// All events with what is told of them.
fn told(options: &Options) -> Vec<(Told, Value)> {
    let (mut traffic, mut line, mut all) = (Traffic::new(options).expect("options that fit"), Vec::new(), Vec::new());
    while let Some(told) = traffic.append(&mut line) {
        all.push((told, serde_json::from_slice(&line).expect("JSON")));
        line.clear();
    }
    all
}

#[test]
fn what_is_told_of_an_event_is_what_its_line_says() {
    let options = Options { attacks: Attacks::each(2), late: Late { per_mille: 20, by: 60_000 }, ..small() };
    for (told, event) in told(&options) {
        let said = (told.id(), told.account_name(), told.kind, told.time);
        assert_eq!(
            said,
            (text(&event, "id").to_owned(), text(&event, "account").to_owned(), text(&event, "type"), time(&event))
        );
        let (party, number) = told.counterparty;
        let counterparty = if party == Party::None { String::new() } else { format!("{}{number}", party.prefix()) };
        assert_eq!(counterparty, text(&event, "counterparty"), "{event}");
        assert_eq!(told.device.is_some(), event["device"].is_string(), "{event}");
        let is_outflow = ["payment", "transfer", "withdrawal"].contains(&text(&event, "type"));
        assert_eq!(told.is_attempt, is_outflow && event["outcome"].is_null(), "{event}");
    }
}

#[test]
fn the_parts_of_an_attack_are_told() {
    let mut attacks: BTreeMap<u64, Vec<(Part, Value)>> = BTreeMap::new();
    for (told, event) in told(&Options { attacks: Attacks::each(3), ..small() }) {
        match told.part {
            Some(part) => attacks.entry(part.attack).or_default().push((part, event)),
            None => assert!(!foreign(&event), "{event}"),
        }
    }
    assert_eq!(attacks.len(), 3 * AttackKind::ALL.len());
    for parts in attacks.values() {
        let (first, _) = &parts[0];
        assert!(parts.iter().all(|(part, _)| (part.kind, part.acts) == (first.kind, first.acts)));
        let acts: Vec<u32> = parts.iter().filter_map(|(part, _)| part.act).collect();
        assert_eq!(acts, (1..=first.acts).collect::<Vec<_>>(), "{first:?}");
        let by_owner = parts.iter().filter(|(part, _)| part.act.is_none()).count();
        // The owner freezes, an operator unlocks, the owner logs in; or is at home while somebody else is not.
        let expected = match first.kind {
            AttackKind::LostPhone => 3,
            AttackKind::ImpossibleTravel => 1,
            _ => 0,
        };
        assert_eq!(by_owner, expected, "{first:?}");
        use AttackKind::{MuleAccounts, RefundAbuse, Structuring, VelocityBurst};
        let has_intruder = ![VelocityBurst, Structuring, RefundAbuse, MuleAccounts].contains(&first.kind);
        assert!(parts.iter().all(|(part, event)| foreign(event) == (has_intruder && part.act.is_some())));
    }
}

#[test]
fn traffic_goes_on_with_other_numbers_and_the_same_people() {
    let first = Options { attacks: Attacks::each(1), events: 5000, ..small() };
    let second = Options { after: 5000, start: first.start + first.length, ..first.clone() };
    let of = |name: &str, event: &Value| text(event, name).to_owned();
    let (first, second) = (events(&first), events(&second));
    for name in ["id", "order", "case"] {
        let all = |events: &[Value]| events.iter().map(|event| of(name, event)).collect::<BTreeSet<String>>();
        let shared: Vec<String> = all(&first).intersection(&all(&second)).cloned().collect();
        assert!(shared.iter().all(String::is_empty), "{name}: {shared:?}");
    }
    let wallets = |events: &[Value]| -> BTreeMap<String, String> {
        events.iter().map(|event| (of("account", event), of("wallet", event))).filter(|(_, w)| !w.is_empty()).collect()
    };
    let (before, after) = (wallets(&first), wallets(&second));
    assert!(before.iter().all(|(account, wallet)| after.get(account).is_none_or(|other| other == wallet)));
    assert_ne!(
        first.iter().map(|e| of("account", e)).collect::<Vec<_>>(),
        second.iter().map(|e| of("account", e)).collect::<Vec<_>>()
    );
}

#[test]
fn accounts_follow_zipfs_law() {
    let options = Options { accounts: 1000, events: 100_000, flatten: Some(0), ..Options::default() };
    let mut seen: BTreeMap<String, f64> = BTreeMap::new();
    for event in events(&options) {
        *seen.entry(text(&event, "account").to_owned()).or_default() += 1.0;
    }
    let share = |account: &str| seen.get(account).copied().unwrap_or_default() / 100_000.0 * 7.485;
    for (account, expected) in [("a0", 1.0), ("a1", 0.5), ("a3", 0.25), ("a9", 0.1)] {
        assert!((share(account) / expected - 1.0).abs() < 0.15, "{account}: {}", share(account));
    }
    assert!(seen.len() > 900);
}

#[test]
fn results_follow_their_attempts() {
    let mut attempts = BTreeSet::new();
    let mut results = 0;
    for event in events(&small()) {
        let key = (text(&event, "order").to_owned(), text(&event, "amount").to_owned(), event["account"].to_string());
        match (text(&event, "type"), text(&event, "outcome")) {
            ("payment" | "transfer", "") => assert!(attempts.insert(key), "{event}"),
            ("payment" | "transfer" | "refund", _) => {
                results += 1;
                assert!(attempts.contains(&key), "{event}");
            }
            _ => {}
        }
    }
    assert!(results > 5000);
}

/// Plants one kind among little honest traffic and returns the events of intruders and those it adds by type.
fn planted(kind: AttackKind) -> Vec<Value> {
    let options = Options {
        accounts: 1000,
        events: 2000,
        attacks: format!("{}=1", kind.name()).parse().expect("a list"),
        ..Options::default()
    };
    events(&options)
}

fn count(events: &[Value], matches: impl Fn(&Value) -> bool) -> usize {
    events.iter().filter(|event| matches(event)).count()
}

/// Major units; 0 where there is none.
fn amount(event: &Value) -> f64 {
    text(event, "amount").parse().unwrap_or_default()
}

fn foreign(event: &Value) -> bool {
    ["192.0.2.", "198.51.100.", "203.0.113."].iter().any(|network| text(event, "ip").starts_with(network))
}

fn accounts(events: &[Value], matches: impl Fn(&Value) -> bool) -> usize {
    let matching = events.iter().filter(|event| matches(event));
    matching.map(|event| text(event, "account")).collect::<BTreeSet<_>>().len()
}

#[test]
fn password_guessing_tries_one_account() {
    let events = planted(AttackKind::PasswordGuessing);
    let tries = count(&events, |event| foreign(event) && event["reason"] == "wrong_password");
    assert!((20..=40).contains(&tries), "{tries}");
    assert_eq!(accounts(&events, foreign), 1);
}

#[test]
fn stuffing_tries_many_accounts_and_gets_in() {
    let events = planted(AttackKind::Stuffing);
    assert!(accounts(&events, foreign) > 50);
    assert_eq!(count(&events, |event| foreign(event) && event["outcome"] == "success"), 1);
    let devices: BTreeSet<_> = events.iter().filter(|e| foreign(e)).map(|event| text(event, "device")).collect();
    assert_eq!(devices.len(), 1);
}

#[test]
fn takeover_changes_everything_and_pays_out() {
    let events = planted(AttackKind::Takeover);
    let types: Vec<_> = events.iter().filter(|e| foreign(e)).map(|event| text(event, "type")).collect();
    let expected = ["login", "login", "second_factor", "second_factor", "password_change", "device_bind", "payee_add"];
    assert_eq!(types[..7], expected);
    assert!([2, 4, 6].contains(&types[7..].len()) && types[7..].iter().all(|kind| *kind == "transfer"), "{types:?}");
    assert_eq!(count(&events, |event| foreign(event) && amount(event) >= 500.0), types[7..].len());
    let payees: BTreeSet<_> = events.iter().filter(|e| foreign(e)).map(|event| text(event, "counterparty")).collect();
    assert_eq!(payees.len(), 2, "one, or nobody: {payees:?}");
}

#[test]
fn card_testing_pays_little_and_then_much() {
    let events = planted(AttackKind::CardTesting);
    let amounts: Vec<f64> = events.iter().filter(|e| foreign(e)).map(amount).collect();
    let tiny = amounts.iter().filter(|&&amount| amount < 1.0).count();
    assert!((18..=34).contains(&tiny) && [2, 4, 6].contains(&(amounts.len() - tiny)), "{amounts:?}");
    assert!(amounts[tiny..].iter().all(|&amount| amount >= 3000.0));
}

#[test]
fn a_velocity_burst_pays_dozens_of_times_in_minutes() {
    let mut most = 0;
    let mut recent: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for event in planted(AttackKind::VelocityBurst).iter().filter(|event| event["type"] == "payment") {
        let times = recent.entry(text(event, "account").to_owned()).or_default();
        times.push(time(event));
        most = most.max(times.iter().filter(|&&earlier| earlier > time(event) - 600_000).count());
    }
    assert!(most >= 50, "{most}");
}

#[test]
fn a_lost_phone_is_frozen_and_unlocked() {
    let events = planted(AttackKind::LostPhone);
    assert_eq!(count(&events, |event| event["type"] == "freeze" && event["by"] == "owner"), 1);
    assert_eq!(count(&events, |event| event["type"] == "unlock" && event["case"].is_string()), 1);
    assert!(count(&events, |event| event["reason"] == "locked") >= 1);
}

#[test]
fn wages_and_rent_come_once_a_month() {
    let options = Options { accounts: 300, events: 90_000, length: 30 * rhythm::DAY, ..Options::default() };
    let (mut wages, mut rents) = (BTreeMap::<String, u32>::new(), 0);
    for event in events(&options) {
        if text(&event, "counterparty").starts_with('c') {
            assert_eq!(event["type"], "top_up", "{event}");
            *wages.entry(text(&event, "account").to_owned()).or_default() += 1;
        }
        rents += u32::from(event["type"] == "transfer" && amount(&event) >= 480.0 && amount(&event) % 12.0 == 0.0);
    }
    assert!((200..=300).contains(&wages.len()) && wages.values().all(|&count| count == 1), "{wages:?}");
    assert!(rents > 0);
}

#[test]
fn wallets_are_those_asked_for_and_cards_send_no_money() {
    let options = Options { wallets: "apple_pay,google_pay".parse().expect("wallets"), ..small() };
    let mut seen = BTreeMap::<String, u32>::new();
    for event in events(&options) {
        *seen.entry(text(&event, "wallet").to_owned()).or_default() += 1;
        assert!(!["transfer", "top_up", "withdrawal", "payee_add"].contains(&text(&event, "type")), "{event}");
    }
    assert!(seen.keys().eq(["apple_pay", "google_pay"]) && seen.values().all(|&count| count > 5000), "{seen:?}");
}

#[test]
fn wrong_options_are_explained() {
    let check = |options: Options, start: &str| {
        let message = Traffic::new(&options).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(message.starts_with(start), "{message}, expected {start}");
    };
    check(Options { accounts: 0, ..small() }, "0 accounts: expected 1 to 1000000000");
    check(Options { flatten: Some(501), ..small() }, "flatten 501 is more than the 500 accounts");
    check(Options { length: 999, ..small() }, "the period must be at least a second long");
    check(Options { start: i64::MAX, ..small() }, "the period must be");
    check(Options { late: Late { per_mille: 1001, by: 1 }, ..small() }, "late events:");
    check(Options { late: Late { per_mille: 1, by: 0 }, ..small() }, "late events:");
    check(Options { labels: Labels::Among { delay: -1 }, ..small() }, "labels come 0 to 3650 days");
    check(Options { after: u64::MAX, events: 1, ..small() }, "18446744073709551615 events before and 1 events");
    check(Options { attacks_begin: (0, 1001), ..small() }, "attacks begin between 0 and 1001 per mille");
    check(Options { events: 10, attacks: Attacks::each(1), ..small() }, "the attacks have ");
    check(Options { events: 0, ..small() }, "");
}
