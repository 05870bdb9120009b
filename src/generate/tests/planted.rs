//! Each attack, event by event.

use super::*;

/// The events of the one attack planted, its owner's included, with their parts.
fn parts(kind: AttackKind) -> Vec<(Part, Value)> {
    let options = Options { attacks: format!("{}=1", kind.name()).parse().expect("a list"), ..small() };
    told(&options).into_iter().filter_map(|(told, event)| told.part.map(|part| (part, event))).collect()
}

/// Events of a type with this outcome.
fn of_type(parts: &[(Part, Value)], name: &str, outcome: &str) -> usize {
    parts.iter().filter(|(_, event)| text(event, "type") == name && text(event, "outcome") == outcome).count()
}

#[test]
fn a_device_farm_is_one_device_with_many_accounts() {
    let parts = parts(AttackKind::DeviceFarm);
    let all = |field: &str| parts.iter().map(|(_, event)| text(event, field)).collect::<BTreeSet<_>>();
    let logins = of_type(&parts, "login", "success");
    assert!((8..=20).contains(&logins) && all("account").len() >= logins - 2, "{logins}");
    assert_eq!(all("device").len(), 1);
    assert_eq!(of_type(&parts, "transfer", "success"), logins, "each is emptied");
    let accounts = |kind: &str| -> Vec<_> {
        parts
            .iter()
            .filter(|(_, e)| e["type"] == kind && !e["outcome"].is_null())
            .map(|(_, e)| text(e, "account"))
            .collect()
    };
    assert_eq!(accounts("login"), accounts("transfer"), "in the same order");
}

#[test]
fn structuring_stays_a_little_below() {
    let parts = parts(AttackKind::Structuring);
    let amounts: Vec<f64> = parts.iter().map(|(_, event)| amount(event)).filter(|amount| *amount > 0.0).collect();
    assert!(
        (10..=20).contains(&amounts.len()) && amounts.iter().all(|a| (45_000.0..50_000.0).contains(a)),
        "{amounts:?}"
    );
}

#[test]
fn refund_abuse_asks_every_order_back() {
    let parts = parts(AttackKind::RefundAbuse);
    let orders = |kind: &str| -> Vec<_> {
        let of_kind = parts.iter().filter(|(_, e)| e["type"] == kind && (kind == "refund" || e["outcome"].is_null()));
        of_kind.map(|(_, e)| (text(e, "order"), text(e, "amount"), text(e, "counterparty"))).collect()
    };
    assert!((6..=12).contains(&orders("payment").len()));
    assert_eq!(orders("payment"), orders("refund_request"));
    assert_eq!(orders("payment"), orders("refund"));
}

#[test]
fn code_fatigue_prompts_until_the_owner_gives_in() {
    let parts = parts(AttackKind::CodeFatigue);
    let declined = of_type(&parts, "second_factor", "failure");
    assert!((6..=20).contains(&declined), "{declined}");
    assert_eq!(of_type(&parts, "second_factor", ""), declined + 1);
    assert_eq!((of_type(&parts, "second_factor", "success"), of_type(&parts, "transfer", "success")), (1, 2));
}

#[test]
fn nobody_travels_like_that() {
    let parts = parts(AttackKind::ImpossibleTravel);
    let (home, away) = (&parts[0].1, &parts[1].1);
    assert!(!foreign(home) && foreign(away) && home["country"] != away["country"]);
    assert!(time(away) - time(home) <= 4 * rhythm::HOUR, "{home} {away}");
}

#[test]
fn back_dated_events_are_minutes_behind() {
    let options = Options { attacks: "back_dating=3".parse().expect("a list"), ..small() };
    let mut newest = i64::MIN;
    for (told, event) in told(&options) {
        match told.part {
            Some(_) => assert!((200_000..=540_000).contains(&(newest - told.time)), "{event}"),
            None => assert!(told.time >= newest),
        }
        newest = newest.max(told.time);
    }
}

#[test]
fn mules_collect_and_send_on() {
    let parts = parts(AttackKind::MuleAccounts);
    let mule = text(&parts[0].1, "counterparty").to_owned();
    let (outflows, inflows): (Vec<_>, Vec<_>) = parts.iter().partition(|(_, event)| event["account"] == mule.as_str());
    assert!(inflows.iter().all(|(part, event)| event["counterparty"] == mule.as_str() && !part.damages));
    assert!((10..=20).contains(&inflows.len()) && (6..=10).contains(&outflows.len()), "{inflows:?} {outflows:?}");
    assert_eq!(outflows.iter().filter(|(part, _)| part.damages).count() * 2, outflows.len());
}
