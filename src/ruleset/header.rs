//! `ruleset:`, `rates:`, `types:` and `fields:`: what decoding needs and what the rule set is called.

use std::collections::{BTreeMap, BTreeSet};

use chrono_tz::Tz;

use super::canonical::{Canonical, Fields, texts};
use super::context::{Context, Meaning};
use super::diagnostic::{Faults, Place};
use super::keys::{BOUNDS, FIELD_TYPES, HEADER, THRESHOLDS, names};
use super::merge::{Entry, Merged};
use super::read::{Keys, bad_value, duration, integer, keys, shorten, text, word};
use super::suggest::did_you_mean;
use super::types::{Bounds, Thresholds};
use super::yaml::Node;
use crate::model::events::FieldType;
use crate::model::money::{Currency, Rate};

/// Event types that need no declaration.
pub const KNOWN_TYPES: [&str; 18] = [
    "login",
    "second_factor",
    "second_factor_change",
    "identity_check",
    "payment",
    "transfer",
    "top_up",
    "withdrawal",
    "refund",
    "refund_request",
    "complaint",
    "password_change",
    "device_bind",
    "payee_add",
    "limit_change",
    "freeze",
    "unlock",
    "label",
];

/// Most rates, declared types, declared fields.
const MAX_DECLARED: usize = 1000;
/// Lateness where none is given, ms.
const DEFAULT_LATENESS: i64 = 10 * 60 * 1000;
/// Time within which an id is a duplicate where none is given, ms.
const DEFAULT_DEDUP: i64 = 60 * 60 * 1000;

/// What `ruleset:` says.
#[derive(Debug)]
pub struct Header {
    /// `name`
    pub name: String,
    /// `currency`
    pub currency: Currency,
    /// `timezone`, UTC where none is given.
    pub timezone: Tz,
    /// `lateness`, ms
    pub lateness: i64,
    /// `dedup`, ms
    pub dedup: i64,
    /// `thresholds`
    pub thresholds: Thresholds,
    /// `bounds`
    pub bounds: Bounds,
}

/// Stands in for what could not be read, so that the rest can still be checked.
impl Default for Header {
    fn default() -> Self {
        Header {
            name: String::new(),
            currency: Currency { code: *b"XXX", exponent: 2 },
            timezone: Tz::UTC,
            lateness: DEFAULT_LATENESS,
            dedup: DEFAULT_DEDUP,
            thresholds: Thresholds::default(),
            bounds: Bounds::default(),
        }
    }
}

/// Reads `ruleset:`.
pub fn read_header(faults: &mut Faults, merged: &Merged) -> Header {
    let mut header = Header::default();
    let Some((place, node)) = &merged.header else {
        if let Some(start) = merged.start.as_ref().filter(|_| !merged.incomplete) {
            faults
                .error("missing-key", start, "no file has a `ruleset:`")
                .help("add `ruleset:` with `name` and `currency` to one of them".to_string());
        }
        return header;
    };
    let Some(keys) = keys(faults, node, place, &names(&HEADER)) else { return header };
    header.name = keys.must(faults, "name").and_then(|node| name(faults, node)).unwrap_or_default();
    if let Some(found) = keys.must(faults, "currency").and_then(|node| currency(faults, node)) {
        header.currency = found;
    }
    header.timezone = keys.get("timezone").and_then(|node| timezone(faults, node)).unwrap_or(header.timezone);
    header.lateness = keys.get("lateness").and_then(|node| duration(faults, node, 0)).unwrap_or(header.lateness);
    header.dedup = keys.get("dedup").and_then(|node| duration(faults, node, 0)).unwrap_or(header.dedup);
    header.thresholds = thresholds(faults, &keys);
    header.bounds = bounds(faults, &keys);
    header
}

fn name(faults: &mut Faults, node: &Node) -> Option<String> {
    let expected = "1 to 64 letters, digits, `.`, `_` or `-`, starting with a letter or digit";
    let found = text(faults, node, expected)?;
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let start = found.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
    if start && found.bytes().all(good) && found.len() <= 64 {
        return Some(found.to_string());
    }
    bad_value(faults, node, format!("`{}` cannot be the name of a rule set", shorten(found)), expected);
    None
}

fn currency(faults: &mut Faults, node: &Node) -> Option<Currency> {
    let expected = "an ISO 4217 code with a minor unit, such as `CNY`";
    let code = text(faults, node, expected)?;
    let found = Currency::parse(code);
    if found.is_none() {
        bad_value(faults, node, format!("`{}` is no currency that can be counted", shorten(code)), expected);
    }
    found
}

fn timezone(faults: &mut Faults, node: &Node) -> Option<Tz> {
    let expected = "an IANA time zone such as `Asia/Shanghai`";
    let name = text(faults, node, expected)?;
    let found = name.parse::<Tz>().ok();
    if found.is_none() {
        let help = did_you_mean(name, chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()));
        let message = format!("`{}` is no time zone", shorten(name));
        faults.error("bad-value", &node.place, message).expected(expected).help(help);
    }
    found
}

fn thresholds(faults: &mut Faults, header: &Keys) -> Thresholds {
    let Some(node) = header.get("thresholds") else { return Thresholds::default() };
    let Some(keys) = keys(faults, node, &node.place, &names(&THRESHOLDS)) else {
        return Thresholds::default();
    };
    let mut level = |name: &str| keys.get(name).and_then(|node| integer(faults, node, 0, 100));
    Thresholds { alert: level("alert"), challenge: level("challenge"), deny: level("deny") }
}

fn bounds(faults: &mut Faults, header: &Keys) -> Bounds {
    let Some(node) = header.get("bounds") else { return Bounds::default() };
    let Some(keys) = keys(faults, node, &node.place, &names(&BOUNDS)) else { return Bounds::default() };
    let mut bound =
        |name: &str| keys.get(name).and_then(|node| integer(faults, node, 1, i64::MAX)).map(i64::cast_unsigned);
    Bounds { keys: bound("keys"), entries: bound("entries") }
}

/// Reads `rates:`.
pub fn read_rates(context: &mut Context, merged: &Merged, own: Currency) -> Canonical {
    let mut fields = Fields::default();
    let mut rates = BTreeMap::new();
    let entries = within_limit(context, merged, "rates", MAX_DECLARED);
    let faults = &mut context.faults;
    for Entry { key, node } in entries {
        let currency = Currency::parse(&key.text);
        if currency.is_none() {
            let message = format!("`{}` is no currency that can be counted", shorten(&key.text));
            faults
                .error("bad-value", &key.place, message)
                .expected("an ISO 4217 code with a minor unit, such as `USD`");
        } else if currency == Some(own) {
            let message = format!("`{}` is the rule set's own currency", key.text);
            faults.error("bad-value", &key.place, message).help("leave it out; its rate is always 1".to_string());
        }
        let Some(written) = text(faults, node, "a decimal number such as \"7.10\"") else { continue };
        match (Rate::parse(written), currency) {
            (Ok(rate), Some(currency)) => {
                fields.put(&key.text, decimal(written));
                rates.insert(currency.code, rate);
            }
            (Ok(_), None) => {}
            (Err(error), _) => {
                let message = format!("`{}` is no rate: {error}", shorten(written));
                faults.error("bad-value", &node.place, message).help("write it as text: \"7.10\"".to_string());
            }
        }
    }
    context.schema.rates = rates;
    fields.into()
}

/// A plain decimal without needless zeros, so that `7.1` and `7.10` are one rate.
fn decimal(written: &str) -> Canonical {
    let (whole, fraction) = written.split_once('.').unwrap_or((written, ""));
    let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
    Canonical::Text(format!("{whole}.{fraction}"))
}

/// Reads `types:`; the known ones are always there.
pub fn read_types(context: &mut Context, merged: &Merged) -> Canonical {
    let mut first: BTreeMap<String, Place> = BTreeMap::new();
    let faults = &mut context.faults;
    context.types = KNOWN_TYPES.iter().map(|name| name.to_string()).collect();
    for node in &merged.types {
        let expected = "a name of a-z, 0-9 and _, starting with a letter, at most 32 bytes";
        let Some(name) = text(faults, node, expected) else { continue };
        let start = name.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
        if !start || !super::context::is_name(name) || name.len() > 32 {
            bad_value(faults, node, format!("`{}` cannot be an event type", shorten(name)), expected);
        } else if KNOWN_TYPES.contains(&name) {
            faults.warning("known-type", &node.place, format!("the event type `{name}` is known already"));
        } else if let Some(place) = first.get(name) {
            faults.error("duplicate-name", &node.place, format!("`{name}` is listed twice")).other(place, "first here");
        } else {
            first.insert(name.to_string(), node.place.clone());
        }
    }
    let declared: BTreeSet<String> = first.into_keys().collect();
    let canonical = texts(&declared);
    context.types.extend(declared);
    canonical
}

/// Reads `fields:` into the schema and the namespace.
pub fn read_fields(context: &mut Context, merged: &Merged) -> Canonical {
    let mut canonical = Fields::default();
    for Entry { key, node } in within_limit(context, merged, "fields", MAX_DECLARED) {
        let kind = word(&mut context.faults, node, &FIELD_TYPES);
        if context.declare("field", key, Meaning::Field) {
            // A field of unknown type is still known; the fault is noted.
            let kind = kind.unwrap_or(FieldType::Text);
            context.schema.fields.push((key.text.clone(), kind));
            let name = FIELD_TYPES.iter().find(|(_, other)| *other == kind).map_or("", |(name, _)| name);
            canonical.put(&key.text, name);
        }
    }
    canonical.into()
}

/// The entries of a section, at most `most`; a fault for more. What names one of those left out is not judged.
pub fn within_limit<'a>(context: &mut Context, merged: &'a Merged, section: &str, most: usize) -> Vec<&'a Entry> {
    if let Some(beyond) = merged.section(section).nth(most) {
        let finding = context.faults.error("limit", &beyond.key.place, format!("too many entries in `{section}`"));
        finding.expected(format!("at most {most}"));
        context.incomplete = true;
    }
    merged.section(section).take(most).collect()
}

impl Header {
    /// The header's canonical form.
    pub fn canonical(&self) -> Canonical {
        let mut thresholds = Fields::default();
        thresholds.put_some("alert", self.thresholds.alert);
        thresholds.put_some("challenge", self.thresholds.challenge);
        thresholds.put_some("deny", self.thresholds.deny);
        let mut bounds = Fields::default();
        bounds.put_some("keys", self.bounds.keys.map(u64::cast_signed));
        bounds.put_some("entries", self.bounds.entries.map(u64::cast_signed));
        let mut fields = Fields::default();
        fields.put("name", self.name.as_str());
        fields.put("currency", self.currency.name());
        fields.put("timezone", self.timezone.name());
        fields.put("lateness", self.lateness);
        fields.put("dedup", self.dedup);
        fields.put("thresholds", thresholds);
        fields.put("bounds", bounds);
        fields.into()
    }
}
