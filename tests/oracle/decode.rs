//! Section 1 of the rules for events: one record's bytes to an event, or the reason why not.

use std::collections::BTreeMap;

use num_bigint::BigInt;

use super::json::{Json, parse_object};
use super::number::{Decimal, divide_half_even, minor_digits, power};
use super::rules::RuleSet;
use super::time::{FIRST, LAST, parse_instant};
use super::value::{Value, parse_ip};

/// Most bytes of a record.
const LARGEST: usize = 64 * 1024;

/// A decoded event: its values by field name, `amount` in the rule set's currency.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    pub fields: BTreeMap<String, Value>,
    /// The amount as given, in minor units of its own currency.
    pub given: Option<i64>,
}

impl Event {
    /// A field's text, where it has one.
    pub fn text(&self, name: &str) -> Option<&str> {
        if let Some(Value::Text(text)) = self.fields.get(name) { Some(text) } else { None }
    }

    /// Event time.
    pub fn time(&self) -> i64 {
        if let Some(Value::Time(time)) = self.fields.get("time") { *time } else { panic!("every event has a time") }
    }

    /// What tells a duplicate from a conflict: the fields, with amount and currency as given.
    pub fn identity(&self) -> (BTreeMap<&str, &Value>, Option<i64>) {
        let fields = self.fields.iter().filter(|(name, _)| *name != "amount");
        (fields.map(|(name, value)| (name.as_str(), value)).collect(), self.given)
    }
}

/// Why a record was refused.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    pub code: &'static str,
    pub field: Option<String>,
    pub event: Option<String>,
}

impl Refusal {
    /// A refusal without a field.
    pub fn plain(code: &'static str, event: Option<String>) -> Refusal {
        Refusal { code, field: None, event }
    }
}

/// Decodes one record (without its line end).
pub fn decode(record: &[u8], rules: &RuleSet) -> Result<Event, Refusal> {
    if record.len() > LARGEST {
        return Err(Refusal::plain("too_large", None));
    }
    let text = std::str::from_utf8(record).ok();
    let members = text.and_then(parse_object).ok_or_else(|| Refusal::plain("malformed", None))?;
    let object: BTreeMap<_, _> = members.into_iter().filter(|(_, value)| *value != Json::Null).collect();
    fields(&object, rules).map_err(|field| Refusal {
        code: "invalid_field",
        field: Some(field),
        event: required(&object, "id", 128).map(str::to_owned).ok(),
    })
}

type Object = BTreeMap<String, Json>;
/// The error is the name of the bad field.
type Read<T> = Result<T, String>;

/// Optional texts of the table between the pairs, in its order.
const TEXTS: [&str; 6] = ["order", "counterparty", "merchant_category", "device", "channel", "wallet"];

/// Every field in the order of the table, so that the first bad one is named.
fn fields(object: &Object, rules: &RuleSet) -> Read<Event> {
    let mut out = Fields { object, values: BTreeMap::new() };
    out.put("id", Value::Text(required(object, "id", 128)?.to_owned()));
    let kind = required(object, "type", 32)?;
    let shape = kind.starts_with(|c: char| c.is_ascii_lowercase())
        && kind.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    check(shape, "type")?;
    out.put("type", Value::Text(kind.to_owned()));
    out.put("time", Value::Time(time(object)?));
    out.put("account", Value::Text(required(object, "account", 128)?.to_owned()));
    out.text_where("outcome", |text| ["success", "failure"].contains(&text))?;
    out.text_where("reason", |_| true)?;
    let given = out.amount(rules)?;
    TEXTS.iter().try_for_each(|name| out.text_where(name, |_| true))?;
    out.int("kyc", 1, 3)?;
    if let Some(text) = optional_text(object, "ip")? {
        out.put("ip", Value::Ip(parse_ip(text).ok_or("ip")?));
    }
    out.text_where("country", |text| text.len() == 2 && text.bytes().all(|b| b.is_ascii_uppercase()))?;
    out.place()?;
    out.int("factors", 0, 3)?;
    ["proof", "by", "case", "rule"].iter().try_for_each(|name| out.text_where(name, |_| true))?;
    out.text_where("label", |text| ["fraud", "genuine"].contains(&text))?;
    out.text_where("ref", |_| true)?;
    rules.fields.iter().try_for_each(|(name, kind)| out.declared(name, kind))?;
    Ok(Event { fields: out.values, given })
}

fn check(holds: bool, field: &str) -> Read<()> {
    if holds { Ok(()) } else { Err(field.to_owned()) }
}

fn required<'a>(object: &'a Object, name: &str, longest: usize) -> Read<&'a str> {
    match object.get(name) {
        Some(Json::Text(text)) if !text.is_empty() && text.len() <= longest => Ok(text),
        _ => Err(name.to_owned()),
    }
}

/// An optional text of at most 256 bytes; the empty one is absent.
fn optional_text<'a>(object: &'a Object, name: &str) -> Read<Option<&'a str>> {
    match object.get(name) {
        None => Ok(None),
        Some(Json::Text(text)) if text.len() <= 256 => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
        Some(_) => Err(name.to_owned()),
    }
}

fn time(object: &Object) -> Read<i64> {
    let read = match object.get("time") {
        Some(Json::Text(text)) => parse_instant(text),
        Some(Json::Number(number)) => number.parse().ok().filter(|ms| (FIRST..=LAST).contains(ms)),
        _ => None,
    };
    read.ok_or_else(|| "time".to_owned())
}

struct Fields<'a> {
    object: &'a Object,
    values: BTreeMap<String, Value>,
}

impl Fields<'_> {
    fn put(&mut self, name: &str, value: Value) {
        self.values.insert(name.to_owned(), value);
    }

    fn text_where(&mut self, name: &str, holds: impl Fn(&str) -> bool) -> Read<()> {
        if let Some(text) = optional_text(self.object, name)? {
            check(holds(text), name)?;
            self.put(name, Value::Text(text.to_owned()));
        }
        Ok(())
    }

    fn int(&mut self, name: &str, least: i64, most: i64) -> Read<()> {
        match self.object.get(name) {
            None => Ok(()),
            Some(Json::Number(number)) => {
                let int = number.parse().map_err(|_| name.to_owned())?;
                check((least..=most).contains(&int), name)?;
                self.put(name, Value::Int(int));
                Ok(())
            }
            Some(_) => Err(name.to_owned()),
        }
    }

    fn double(&mut self, name: &str) -> Read<Option<f64>> {
        match self.object.get(name) {
            None => Ok(None),
            Some(Json::Number(number)) => {
                let double: f64 = number.parse().map_err(|_| name.to_owned())?;
                check(double.is_finite(), name)?;
                Ok(Some(double))
            }
            Some(_) => Err(name.to_owned()),
        }
    }

    fn place(&mut self) -> Read<()> {
        let lat = self.double("lat")?;
        check(lat.is_none_or(|lat| lat.abs() <= 90.0), "lat")?;
        let pair = lat.is_some() == self.object.contains_key("lon");
        check(pair, "lat")?;
        let lon = self.double("lon")?;
        check(lon.is_none_or(|lon| lon.abs() <= 180.0), "lon")?;
        if let (Some(lat), Some(lon)) = (lat, lon) {
            self.put("lat", Value::Double(lat));
            self.put("lon", Value::Double(lon));
        }
        Ok(())
    }

    /// Reads amount and currency; gives the amount in minor units of that currency.
    fn amount(&mut self, rules: &RuleSet) -> Read<Option<i64>> {
        let number = match self.object.get("amount") {
            None => None,
            Some(Json::Text(text)) if text.is_empty() => None,
            Some(Json::Text(text) | Json::Number(text)) => Some(Decimal::parse(text).ok_or("amount")?),
            Some(_) => return Err("amount".to_owned()),
        };
        let absent = Json::Text(String::new());
        let currency = self.object.get("currency").filter(|value| **value != absent);
        check(number.is_some() == currency.is_some(), "amount")?;
        let (Some(number), Some(currency)) = (number, currency) else { return Ok(None) };
        let Json::Text(code) = currency else { return Err("currency".to_owned()) };
        let digits = minor_digits(code).ok_or("currency")?;
        check(number.scale <= digits, "amount")?;
        let minor = BigInt::from(number.mantissa) * power(digits - number.scale);
        let given = i64::try_from(minor).map_err(|_| "amount")?;
        if let Some(amount) = convert(given, code, rules) {
            self.put("amount", Value::Money(i64::try_from(amount).map_err(|_| "amount")?));
        }
        self.put("currency", Value::Text(code.clone()));
        Ok(Some(given))
    }

    fn declared(&mut self, name: &str, kind: &str) -> Read<()> {
        match kind {
            "string" => self.text_where(name, |_| true),
            "int" => self.int(name, i64::MIN, i64::MAX),
            "double" => {
                if let Some(double) = self.double(name)? {
                    self.put(name, Value::Double(double));
                }
                Ok(())
            }
            _ => match self.object.get(name) {
                None => Ok(()),
                Some(Json::Bool(truth)) => {
                    self.put(name, Value::Bool(*truth));
                    Ok(())
                }
                Some(_) => Err(name.to_owned()),
            },
        }
    }
}

/// Minor units of the rule set's currency, half-even; `None` without a rate.
fn convert(given: i64, code: &str, rules: &RuleSet) -> Option<BigInt> {
    let own = &rules.ruleset.currency;
    if code == own {
        return Some(BigInt::from(given));
    }
    let rate = Decimal::parse(rules.rates.get(code)?)?;
    let numerator = BigInt::from(given) * rate.mantissa * power(minor_digits(own)?);
    let denominator = power(minor_digits(code)?) * power(rate.scale);
    Some(divide_half_even(&numerator, &denominator))
}
