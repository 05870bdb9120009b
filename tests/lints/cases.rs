//! Rule sets that give one lint, under certain words, and rule sets that give none although they look like it.
//!
//! Beside the examples of `docs/lints.md`, which are the plain cases.

/// Rule set, lint, and the words it is shown under.
pub const WRONG: &[(&str, &str, &str)] = &[
    ("rules: { r: { on: type == 'login', when: type == 'payment' } }", "never-fires", "type == 'payment'"),
    ("rules: { r: { on: \"type in ['login', 'parking']\", when: factors > 1 } }", "unknown-type", "'parking'"),
    ("rules: { r: { on: outcome == 'failed', when: factors > 1 } }", "never-fires", "outcome == 'failed'"),
    ("rules: { r: { when: 'country == \"cn\"' } }", "never-fires", "country == \"cn\""),
    (
        "rules: { r: { when: idle > duration('48h') } }
features: { idle: { aggregate: since_last, by: account, window: 24h } }",
        "never-fires",
        "idle > duration('48h')",
    ),
    (
        "rules: { r: { on: type == 'payment', when: ten >= 9 && hour < 9 } }
features:
  ten: { aggregate: count, by: account, window: 10m }
  hour: { aggregate: count, by: account, window: 1h }",
        "never-fires",
        "ten >= 9 && hour < 9",
    ),
    ("rules: { r: { when: 'true' } }", "always-fires", "true"),
    ("rules: { r: { when: has(account), mode: shadow } }", "always-fires", "has(account)"),
    (
        "rules: { r: { when: device == 'x' || device != 'x', if_missing: fire } }",
        "always-fires",
        "device == 'x' || device != 'x'",
    ),
    (
        "rules: { r: { on: has(device), when: seen >= 0 } }
features: { seen: { aggregate: count, by: device, window: 1h } }",
        "always-fires",
        "seen >= 0",
    ),
    (
        "rules: { r: { when: a > 3 } }
features:
  a: { aggregate: count, by: account, window: 1h }
  b: { aggregate: count, by: account, window: 1h, where: a > 3 }",
        "unread-feature",
        "b",
    ),
    (
        "rules: { r: { when: a } }
features: { a: { aggregate: leaky_bucket, by: ip, capacity: 5, leak: 1m, distinct: ip } }",
        "distinct-of-own-key",
        "ip",
    ),
    (
        "rules: { r: { when: a > 1 } }
features: { a: { aggregate: distinct, of: \"prefix(ip, 24, 48)\", by: [ip, device], window: 1h } }",
        "distinct-of-own-key",
        "prefix(ip, 24, 48)",
    ),
    (
        "ruleset: { name: t, currency: CNY, bounds: { keys: 1000 } }
rules: { r: { when: new } }
features: { new: { aggregate: is_new, of: device, by: account, window: lifetime } }",
        "window-beyond-bound",
        "lifetime",
    ),
    (
        "ruleset: { name: t, currency: CNY, bounds: { entries: 100 } }
rules: { r: { when: a > 101 } }
features: { a: { aggregate: count, by: account, window: 30d } }",
        "window-beyond-bound",
        "30d",
    ),
    (
        "rules:
  r:
    on: type == 'login'
    when: factors == 0
    action: lock
    lock: { target: device, for: 1h, backoff: { until_unlocked_from: 3 } }",
        "endless-lock",
        "until_unlocked_from",
    ),
    (
        "rules:
  r:
    on: type == 'login'
    when: factors == 0
    action: lock
    lock: { for: until_unlocked, release: type == 'login' && type == 'unlock' }",
        "endless-lock",
        "for",
    ),
    (
        "rules:
  r:
    on: type == 'complaint'
    when: factors == 0
    action: lock
    lock: { for: 1h, backoff: { factor: 1 } }",
        "unreachable-tier",
        "factor",
    ),
    (
        "rules:
  r:
    on: type == 'complaint'
    when: factors == 0
    action: lock
    lock: { for: 1h, backoff: { max: 1h } }",
        "unreachable-tier",
        "max",
    ),
    (
        "rules:
  r:
    on: type == 'complaint'
    when: factors == 0
    action: lock
    lock: { for: 1h, backoff: { forget: 0s, max: 4h } }",
        "unreachable-tier",
        "forget",
    ),
    (
        "rules:
  r:
    on: type == 'complaint'
    when: factors == 0
    action: lock
    lock: { for: until_unlocked, unlock: operator, backoff: { max: 4h } }",
        "unreachable-tier",
        "backoff",
    ),
    (
        "rules:
  r:
    on: type == 'complaint'
    when: factors == 0
    action: lock
    lock: { for: 3d, backoff: { max: 30d } }",
        "forgets-too-soon",
        "backoff",
    ),
    (
        "rules:
  r:
    on: type == 'complaint'
    when: factors == 0
    action: lock
    lock: { for: 1h, unlock: operator, backoff: { factor: 2, until_unlocked_from: 4, forget: 7h } }",
        "forgets-too-soon",
        "forget",
    ),
    (
        "rules:
  r:
    on: type == 'complaint'
    when: factors == 0
    action: lock
    lock: { for: 1h, unlock: operator, backoff: { reset: type == 'unlock' && proof == 'operator' } }",
        "reset-by-refused-unlock",
        "type == 'unlock' && proof == 'operator'",
    ),
    (
        "rules:
  r:
    on: type == 'complaint'
    when: factors == 0
    action: lock
    lock: { for: 1h, unlock: operator, release: type == 'unlock' && outcome == 'success' && has(proof) }",
        "reset-by-refused-unlock",
        "type == 'unlock' && outcome == 'success' && has(proof)",
    ),
    (
        "rules: { r: { when: a > 5 } }
derive: { subnet: \"prefix(ip, 24, 48)\" }
features:
  a:
    aggregate: distinct
    of: account
    by: subnet
    window: 1h
    reset: >-
      (type == 'login' && outcome == 'success')
      || (type == 'unlock' && proof == 'operator' && outcome == 'success')",
        "cleared-by-anyone",
        "(type == 'login' && outcome == 'success')\n      || (type == 'unlock' && proof == 'operator' && outcome == 'success')",
    ),
    (
        "rules:
  r:
    on: type == 'login' && outcome == 'failure'
    when: factors == 0
    action: lock
    lock: { target: device, for: 1h, backoff: { reset: outcome == 'success' } }",
        "cleared-by-anyone",
        "outcome == 'success'",
    ),
    (
        "rules:
  r:
    on: type == 'login' && outcome == 'failure'
    when: 'true'
    action: lock
    lock: { for: 1h, covers: 'true', backoff: { factor: 2 } }",
        "stranger-can-lock",
        "backoff",
    ),
    ("rules: { r: { when: amount > 5000, score: 20 } }", "blind-without-rate", "amount > 5000"),
    (
        "ruleset: { name: t, currency: CNY, thresholds: { alert: 0, challenge: 40 } }
rules: { r: { when: factors > 1, score: 39 }, s: { when: factors > 2, score: 80, mode: shadow } }",
        "unreachable-threshold",
        "challenge",
    ),
    (
        "rules:
  r:
    on: outcome == 'failure'
    when: wrong >= 5 || bursts
    action: lock
    lock: { for: 1h, backoff: { factor: 2 } }
features:
  wrong: { aggregate: count, by: account, where: outcome == 'failure' && reason != 'locked', window: 1h }
  bursts: { aggregate: leaky_bucket, by: account, where: reason == 'wrong_password', capacity: 5, leak: 1m }",
        "stranger-can-lock",
        "backoff",
    ),
    (
        "rules:
  one: { when: factors > 1, action: alert }
  two: { when: 'factors >= 2', action: alert }",
        "redundant-rule",
        "two",
    ),
    (
        "rules:
  narrow: { on: type == 'login', when: factors > 2, score: 30, action: deny }
  wide: { when: factors > 1, score: 100, action: deny }",
        "redundant-rule",
        "narrow",
    ),
    (
        "rules:
  hour: { when: hour >= 5, action: deny }
  ten: { when: ten >= 5, action: challenge }
features:
  ten: { aggregate: count, by: account, window: 10m }
  hour: { aggregate: count, by: account, window: 1h }",
        "redundant-rule",
        "ten",
    ),
];

/// Rule sets without any finding.
pub const RIGHT: &[&str] = &[
    // Never, always: what is missing decides, or two halves of which each can be.
    "rules: { r: { when: '!has(device)' }, s: { when: device != 'x', if_missing: fire } }",
    "rules: { r: { when: kyc < 3 && factors >= 3 }, s: { on: type == 'freeze', when: 'true' } }",
    "rules: { r: { when: seen >= 0 } }
features: { seen: { aggregate: count, by: device, window: 1h } }",
    "rules: { r: { when: old > 0 && now == 0 } }
features:
  old: { aggregate: count, by: account, window: 30d, delay: 1d }
  now: { aggregate: count, by: account, window: 1d, where: type == 'payment' }",
    "rules: { r: { when: ten >= 9 && hour < 9 } }
features:
  ten: { aggregate: count, by: account, window: 10m }
  hour: { aggregate: count, by: account, window: 1h, where: type == 'payment' }",
    "rules: { r: { when: round >= 4 } }
features: { round: { aggregate: count, by: account, window: 10m, reset_at: 3 } }",
    // Read by a rule that is off, by a reason, by a lock, by another feature.
    "rules:
  r: { when: a > 3, mode: off }
  s: { when: factors > 1, reason: { en: '{b}' } }
  t:
    on: type == 'complaint'
    when: factors > 2
    action: lock
    lock: { for: \"duration('1m') * c\", covers: d > 1, release: e > 1, backoff: { reset: f > 1, max: 1d } }
  u: { when: g > 1 }
features:
  a: { aggregate: count, by: account, window: 1h }
  b: { aggregate: count, by: account, window: 2h }
  c: { aggregate: count, by: account, window: 3h }
  d: { aggregate: count, by: account, window: 4h }
  e: { aggregate: count, by: account, window: 5h }
  f: { aggregate: count, by: account, window: 6h }
  g: { aggregate: count, by: account, window: 7h, where: h > 1 }
  h: { aggregate: count, by: account, window: 8h }",
    // Not the key: less than it, more than it, or the other side's. `is_new` of the key asks whether it was ever seen.
    "rules: { r: { when: a > 3 && b > 3 && c > 3 && d } }
derive: { subnet: \"prefix(ip, 24, 48)\" }
features:
  a: { aggregate: distinct, of: ip, by: subnet, window: 1h }
  b: { aggregate: distinct, of: account, by: counterparty, read_by: account, window: 1h }
  c: { aggregate: distinct, of: device, by: [account, wallet], window: 1h }
  d: { aggregate: is_new, of: device, by: device, window: 30d }",
    // Bounds: enough entries, or a total that needs none; a window that ends.
    "ruleset: { name: t, currency: CNY, bounds: { keys: 10, entries: 100 } }
rules: { r: { when: a >= 101 && b > 5000 && c } }
features:
  a: { aggregate: count, by: account, window: 30d }
  b: { aggregate: count, by: account, window: year }
  c: { aggregate: leaky_bucket, by: ip, capacity: 500, leak: 1m }",
    "rules: { r: { when: new } }
features: { new: { aggregate: is_new, of: device, by: account, window: lifetime } }",
    // Locks of one length that become endless, that expire, that are released.
    "rules:
  r:
    on: type == 'complaint'
    when: factors > 1
    action: lock
    lock: { for: 1h, unlock: operator, backoff: { factor: 1, max: 1h, until_unlocked_from: 2 } }
  s:
    on: type == 'complaint'
    when: factors > 1
    action: lock
    lock: { for: 1h, backoff: { factor: 2 } }
  t:
    on: type == 'complaint'
    when: factors > 2
    action: lock
    lock: { for: until_unlocked, release: type == 'password_change' }
  u:
    on: type == 'complaint'
    when: factors > 2
    action: lock
    lock: { for: 2h, unlock: operator, backoff: { max: 30d, until_unlocked_from: 2, forget: 4h } }",
    // Unlocks that are not refused, and what does not speak of unlocks.
    "rules:
  r:
    on: type == 'complaint'
    when: a > 1 && b > 1 && c > 1
    action: lock
    lock: { for: 1h, unlock: [operator, identity_verified] }
features:
  a:
    aggregate: count
    by: account
    window: 1h
    reset: outcome == 'success' && (type == 'login' || (type == 'unlock' && proof in ['identity_verified', 'operator']))
  b: { aggregate: count, by: account, window: 2h, reset: type != 'unlock' && outcome == 'success' }
  c:
    aggregate: count
    by: account
    window: 3h
    reset: type == 'unlock' && proof == 'operator' && !(has(outcome) && outcome == 'failure') && rule == 'r'",
    // Cleared by the account's own key, by an operator, or only for a device that is known.
    "rules:
  r: { when: a > 1 && b > 1 && c > 1, reason: { en: '{known}' } }
  s: { on: type == 'complaint', when: factors > 2, action: lock, lock: { target: device, for: 1h, unlock: operator } }
features:
  a: { aggregate: count, by: [account, ip], window: 1h, reset: outcome == 'success' }
  b:
    aggregate: count
    by: ip
    window: 1h
    reset: type == 'unlock' && proof == 'operator' && outcome == 'success'
  known: { aggregate: count, by: [account, device], window: 90d, delay: 7d }
  c: { aggregate: count, by: device, window: 1h, reset: outcome == 'success' && known > 3 }",
    // Account-wide locks: shorter than forever, of what needs the password, of the pair, for known devices only.
    "rules:
  plain: { on: type == 'login', when: wrong >= 5, action: lock, lock: { for: 30m } }
  some:
    on: type == 'login'
    when: wrong >= 6
    action: lock
    lock: { for: 30m, backoff: { factor: 2 }, covers: type == 'login' }
  codes: { on: type == 'second_factor', when: codes >= 5, action: lock, lock: { for: 30m, backoff: { factor: 2 } } }
  pair:
    on: type == 'login'
    when: wrong >= 7
    action: lock
    lock: { target: [account, device], for: 30m, backoff: { factor: 2 } }
  known:
    on: type == 'login'
    when: wrong >= 8 && !new_device
    action: lock
    lock: { for: 30m, backoff: { factor: 2 } }
  pace: { on: type == 'payment', when: payments >= 50, action: lock, lock: { for: 30m, backoff: { factor: 2 } } }
features:
  wrong: { aggregate: count, by: account, where: type == 'login' && reason == 'wrong_password', window: 1h }
  codes: { aggregate: count, by: account, where: type == 'second_factor' && reason == 'wrong_code', window: 1h }
  payments: { aggregate: count, by: account, window: 1h }
  new_device: { aggregate: is_new, of: device, by: account, window: 90d, delay: 7d }",
    // Money: fires where it is missing, is about known currencies only, has no effect, or another rule looks.
    "rates: { USD: '7.1' }
rules:
  fires: { when: amount > 5000, if_missing: fire, score: 10 }
  known: { when: 'amount > 6000 && currency in [\"CNY\", \"USD\"]', score: 10 }
  shown: { when: amount > 7000 }",
    "rules:
  large: { when: amount > 5000, score: 10 }
  foreign: { when: currency != 'CNY', action: challenge }",
    // Scores that add up, rules about different things, the same condition to different ends.
    "ruleset: { name: t, currency: CNY, thresholds: { alert: 40, challenge: 60, deny: 80 } }
rules:
  few: { when: a >= 5, score: 40 }
  many: { when: a >= 10, score: 40 }
  trial: { when: a >= 10, score: 40, mode: shadow }
  device: { on: type == 'login', when: a >= 20, action: lock, lock: { target: device, for: 1h } }
  account: { on: type == 'login', when: a >= 20, action: lock, lock: { target: account, for: 1h } }
  seen: { when: a >= 20 }
  other: { when: b >= 20, action: deny }
features:
  a: { aggregate: count, by: account, window: 1h }
  b: { aggregate: count, by: device, window: 1h }",
    // A threshold that is always reached, or none at all; and a rule set that only prepares.
    "ruleset: { name: t, currency: CNY, thresholds: { alert: 0 } }\nrules: { r: { when: factors > 1 } }",
    "ruleset: { name: t, currency: CNY, thresholds: { deny: 80 } }",
];
