//! Conditions that can hold, and conditions that cannot.

use super::super::testing::loaded;
use super::*;

const FEATURES: &str = "\
fields: { vip: bool, tier: int, ratio: double }
lists: { safe: { kind: string, values: [a, b] }, office: { kind: cidr, values: [10.0.0.0/8] } }
features:
  ten: { aggregate: count, by: account, where: type == 'payment', window: 10m }
  hour: { aggregate: count, by: account, where: type == 'payment', window: 1h }
  other: { aggregate: count, by: account, where: type == 'transfer', window: 10m }
  by_device: { aggregate: count, by: device, window: 1h }
  nothing: { aggregate: count, by: account, where: kyc > 3, window: 1h }
  sent: { aggregate: sum, of: amount, by: account, window: 1h }
  idle: { aggregate: since_last, by: account, window: 24h }
  usual: { aggregate: mean, of: amount, by: account, window: 24h }
  fresh: { aggregate: is_new, of: device, by: account, window: 24h }
";

/// Whether `when` can be true, and whether it can be anything else.
fn check(when: &str, expected: (bool, bool)) {
    let text = format!("{FEATURES}rules:\n  r:\n    when: >-\n      {when}\n");
    let loaded = loaded(&text);
    let rules = &loaded.rules;
    let logic = Logic::new(&rules.graph, &rules.features);
    let rule = &rules.rules[0];
    assert_eq!((logic.may_fire(rule, &[]), logic.may_pass(rule, &[])), expected, "{when}");
}

const NEVER: (bool, bool) = (false, true);
const ALWAYS: (bool, bool) = (true, false);
const OPEN: (bool, bool) = (true, true);

#[test]
fn contradictions_are_found() {
    for when in [
        "false",
        "ten < 0",
        "ten >= 5 && ten < 3",
        "ten == 2 && ten == 3",
        "ten > 4 && ten < 6 && ten != 5",
        "type == 'login' && type == 'payment'",
        "type in ['login', 'unlock'] && type == 'payment'",
        "type == 'Login'",
        "country == 'cn'",
        "device == ''",
        "outcome == 'ok'",
        "outcome != 'success' && outcome != 'failure'",
        "kyc > 3 || factors == 4",
        "amount < 0",
        "amount > 100 && amount < 50.5",
        "lat > 90.0",
        "sent < -1",
        "usual < 0.0",
        "idle > duration('48h')",
        "time.getHours('Asia/Shanghai') >= 24",
        "has(device) && !has(device)",
        "!has(account)",
        "!has(device) && by_device >= 1",
        "!has(device) && fresh",
        "ten > hour",
        "ten >= 5 && hour < 4",
        "nothing >= 1",
        "vip && !vip",
        "vip == true && vip == false",
        "device in list('safe') && device == 'c'",
        "ip == '192.168.0.1' && ip in list('office')",
        "!(ip in list('office')) && ip == '10.1.2.3'",
        "ten > other && other > ten",
        "ten - ten > 0 && false",
        "ten + hour < 0",
        "kyc in [4, 5]",
        "ratio > 1.0 && ratio < 0.5",
        "behind < duration('0s')",
        "device.startsWith('x') && !device.startsWith('x')",
        "vip ? ten < 0 : kyc > 3",
        "size(device) < 0",
    ] {
        check(when, NEVER);
    }
}

#[test]
fn tautologies_are_found() {
    for when in [
        "true",
        "ten >= 0",
        "ten >= 5 || ten < 5",
        "has(account)",
        "has(device) || !has(device)",
        "ten <= hour",
        "type == 'login' || type != 'login'",
        "ten >= 0 && hour > -1",
        "!has(kyc) || kyc <= 3",
        "behind >= duration('0s')",
        "ten == ten",
    ] {
        check(when, ALWAYS);
    }
}

#[test]
fn what_is_not_certain_is_possible() {
    for when in [
        "ten >= 5",
        "ten >= 5 && hour >= 5",
        "ten > other",
        "hour > ten",
        "amount >= 0",
        "by_device >= 0",
        "device == 'x' || device != 'x'",
        "outcome == 'success' || outcome == 'failure'",
        "kyc == 3 && factors == 0",
        "idle > duration('23h')",
        "ratio > 0.5 && ratio < 1.0",
        "tier > 3 && tier < 5",
        "vip || !vip",
        "device in list('safe') && device != 'a'",
        "ip in list('office') && ip != '10.0.0.1'",
        "double(amount) > 3.0 * usual",
        "hour - ten >= 20",
        "fresh && has(device)",
        "id.startsWith('x') && !account.startsWith('x')",
        "tier / 2 == 1 && tier % 2 == -1",
        "time.getDayOfWeek('Asia/Shanghai') == 6",
        "sent < 1 && ten > 100",
    ] {
        check(when, OPEN);
    }
}

#[test]
fn too_many_ways_are_taken_to_be_possible() {
    let terms: Vec<String> = (0..14).map(|n| format!("(tier == {n} || ratio > {n}.5)")).collect();
    let when = format!("{} && ratio < 0.0 && vip && !vip", terms.join(" && "));
    check(&when, NEVER);
    let hidden = format!("{} && ratio < 0.0", terms.join(" && "));
    let text = format!("{FEATURES}rules:\n  r:\n    when: >-\n      {hidden}\n");
    let loaded = loaded(&text);
    let logic = Logic::new(&loaded.rules.graph, &loaded.rules.features);
    // Found or not, it ends.
    let _ = logic.may_fire(&loaded.rules.rules[0], &[]);
}
