//! From values as found to an event, or to the first bad field: every rule about fields is here, in the table's order.
//!
//! The order of statements in [`judge`] is the order in which faults are reported; do not sort it otherwise.

use crate::model::day::Day;
use crate::model::events::{FieldType, Span, TextField};
use crate::model::money::{AmountFault, Currency, is_amount, parse_amount};
use crate::model::time::is_in_range;

use super::Schema;
use super::field::{Field, Raw, RawFields, Slot};
use super::number::{double, integer, is_number};

/// Longest `id` and `account`, in bytes.
pub const MAX_ID: usize = 128;
/// Longest `type`, in bytes.
pub(super) const MAX_TYPE: usize = 32;
/// Longest optional string, in bytes.
pub const MAX_TEXT: usize = 256;

/// A field that breaks its rule, and what was expected of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct BadField {
    pub(super) field: Field,
    pub(super) expected: &'static str,
}

/// One decoded event, before it is spread over the columns.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Row {
    pub(super) record: u32,
    pub(super) fingerprint: u64,
    pub(super) texts: [Span; TextField::COUNT],
    pub(super) time: i64,
    pub(super) amount: Option<i64>,
    pub(super) money: Option<i64>,
    pub(super) kyc: Option<i64>,
    pub(super) factors: Option<i64>,
    pub(super) ip: Option<u128>,
    pub(super) place: Option<(f64, f64)>,
}

/// The value of one declared field.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Declared {
    Text(Span),
    Int(Option<i64>),
    Double(Option<f64>),
    Bool(Option<bool>),
}

impl Declared {
    /// No value.
    pub(super) fn absent(kind: FieldType) -> Declared {
        match kind {
            FieldType::Text => Declared::Text(Span::default()),
            FieldType::Int => Declared::Int(None),
            FieldType::Double => Declared::Double(None),
            FieldType::Bool => Declared::Bool(None),
        }
    }
}

/// Judges the fields of one record and sets those of `row`, which must be empty; the declared ones go to `declared`,
/// in the schema's order.
#[inline]
pub(super) fn judge(
    text: &[u8],
    fields: &RawFields,
    schema: &Schema,
    day: &mut Day,
    row: &mut Row,
    declared: &mut Vec<Declared>,
) -> Result<(), BadField> {
    let judge = Judge { text, fields };
    let texts = &mut row.texts;
    texts[TextField::Id as usize] = judge.required(Slot::Id, ID)?;
    texts[TextField::Type as usize] = judge.event_type()?;
    row.time = judge.time(day)?;
    texts[TextField::Account as usize] = judge.required(Slot::Account, ID)?;
    texts[TextField::Outcome as usize] =
        judge.one_of(Slot::Outcome, &[b"success", b"failure"], "`success` or `failure`")?;
    texts[TextField::Reason as usize] = judge.optional(Slot::Reason)?;
    if let Some(money) = judge.money(schema)? {
        texts[TextField::Currency as usize] = money.currency;
        (row.amount, row.money) = (Some(money.amount), money.converted);
    }
    texts[TextField::Order as usize] = judge.optional(Slot::Order)?;
    texts[TextField::Counterparty as usize] = judge.optional(Slot::Counterparty)?;
    texts[TextField::MerchantCategory as usize] = judge.optional(Slot::MerchantCategory)?;
    texts[TextField::Device as usize] = judge.optional(Slot::Device)?;
    texts[TextField::Channel as usize] = judge.optional(Slot::Channel)?;
    texts[TextField::Wallet as usize] = judge.optional(Slot::Wallet)?;
    row.kyc = judge.class(Slot::Kyc, 1, "an integer from 1 to 3")?;
    row.ip = judge.ip()?;
    texts[TextField::Country as usize] = judge.country()?;
    row.place = judge.place()?;
    row.factors = judge.class(Slot::Factors, 0, "an integer from 0 to 3")?;
    texts[TextField::Proof as usize] = judge.optional(Slot::Proof)?;
    texts[TextField::By as usize] = judge.optional(Slot::By)?;
    texts[TextField::Case as usize] = judge.optional(Slot::Case)?;
    texts[TextField::Rule as usize] = judge.optional(Slot::Rule)?;
    texts[TextField::Label as usize] = judge.one_of(Slot::Label, &[b"fraud", b"genuine"], "`fraud` or `genuine`")?;
    texts[TextField::Ref as usize] = judge.optional(Slot::Ref)?;
    judge.declared(&schema.fields, declared)
}

/// The record's id where it is valid, whatever else is wrong.
pub(super) fn valid_id(text: &[u8], fields: &RawFields) -> Option<Span> {
    Judge { text, fields }.required(Slot::Id, ID).ok()
}

/// The record's time where it is valid, whatever else is wrong.
pub(super) fn valid_time(text: &[u8], fields: &RawFields) -> Option<i64> {
    Judge { text, fields }.time(&mut Day::default()).ok()
}

const ID: &str = "a string of 1 to 128 bytes";
const TEXT: &str = "a string of at most 256 bytes";
const TIME: &str = "an RFC 3339 time with offset such as 2026-11-22T08:00:00Z (no leap second), or integer epoch \
                    milliseconds, in the years 1 to 9999";
const TYPE: &str = "1 to 32 of a-z, 0-9 and _, starting with a letter";
const IP: &str = "an IPv4 or IPv6 address without zone id";

/// An amount with its currency.
pub(super) struct Money {
    currency: Span,
    pub(super) amount: i64,
    pub(super) converted: Option<i64>,
}

struct Judge<'a> {
    text: &'a [u8],
    fields: &'a RawFields,
}

fn bad<T>(slot: Slot, expected: &'static str) -> Result<T, BadField> {
    Err(BadField { field: Field::BuiltIn(slot), expected })
}

impl Judge<'_> {
    #[inline]
    fn required(&self, slot: Slot, expected: &'static str) -> Result<Span, BadField> {
        match text_of(self.fields.get(slot)) {
            Ok(Some(span)) if span.len as usize <= MAX_ID => Ok(span),
            _ => bad(slot, expected),
        }
    }

    #[inline]
    fn optional(&self, slot: Slot) -> Result<Span, BadField> {
        match text_of(self.fields.get(slot)) {
            Ok(span) if span.is_none_or(|span| span.len as usize <= MAX_TEXT) => Ok(span.unwrap_or_default()),
            _ => bad(slot, TEXT),
        }
    }

    fn event_type(&self) -> Result<Span, BadField> {
        let span = self.required(Slot::Type, TYPE)?;
        let name = span.of(self.text);
        let valid = name.len() <= MAX_TYPE
            && name[0].is_ascii_lowercase()
            && name.iter().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'));
        if valid { Ok(span) } else { bad(Slot::Type, TYPE) }
    }

    fn time(&self, day: &mut Day) -> Result<i64, BadField> {
        let ms = match self.fields.get(Slot::Time) {
            Raw::Number(span) => integer(span.of(self.text)),
            Raw::Text(span) => day.time(span.of(self.text)),
            Raw::Cell(span) => {
                let cell = span.of(self.text);
                if is_number(cell) { integer(cell) } else { day.time(cell) }
            }
            Raw::Absent | Raw::Null | Raw::Bool(_) | Raw::Nested => None,
        };
        ms.filter(|&ms| is_in_range(ms)).map_or_else(|| bad(Slot::Time, TIME), Ok)
    }

    #[inline]
    fn one_of(&self, slot: Slot, values: &[&[u8]], expected: &'static str) -> Result<Span, BadField> {
        match text_of(self.fields.get(slot)) {
            Ok(None) => Ok(Span::default()),
            Ok(Some(span)) if values.contains(&span.of(self.text)) => Ok(span),
            _ => bad(slot, expected),
        }
    }

    #[inline]
    fn money(&self, schema: &Schema) -> Result<Option<Money>, BadField> {
        let (amount, currency) = (self.fields.get(Slot::Amount), self.fields.get(Slot::Currency));
        // An amount is text or number alike.
        let amount = match amount {
            Raw::Number(span) => Ok(Some(span)),
            other => text_of(other),
        };
        match (amount, text_of(currency)) {
            (Ok(None), Ok(None)) => Ok(None),
            (Ok(None), _) | (_, Ok(None)) => bad(Slot::Amount, "amount and currency together, or neither"),
            (Err(()), _) => bad(Slot::Amount, NOT_DECIMAL),
            (Ok(Some(amount)), currency) => {
                money_in(self.text, amount, currency.ok().flatten().unwrap_or_default(), schema).map(Some)
            }
        }
    }

    /// An integer of a small range that ends at 3.
    #[inline]
    fn class(&self, slot: Slot, least: i64, expected: &'static str) -> Result<Option<i64>, BadField> {
        let Ok(digits) = number_of(self.text, self.fields.get(slot)) else {
            return bad(slot, expected);
        };
        match digits.map(integer) {
            None => Ok(None),
            Some(Some(value)) if (least..=3).contains(&value) => Ok(Some(value)),
            Some(_) => bad(slot, expected),
        }
    }

    #[inline]
    fn ip(&self) -> Result<Option<u128>, BadField> {
        match text_of(self.fields.get(Slot::Ip)) {
            Ok(None) => Ok(None),
            Ok(Some(span)) => super::ip::parse(span.of(self.text)).map_or_else(|| bad(Slot::Ip, IP), |ip| Ok(Some(ip))),
            Err(()) => bad(Slot::Ip, IP),
        }
    }

    #[inline]
    fn country(&self) -> Result<Span, BadField> {
        match text_of(self.fields.get(Slot::Country)) {
            Ok(None) => Ok(Span::default()),
            Ok(Some(span)) if span.len == 2 && span.of(self.text).iter().all(u8::is_ascii_uppercase) => Ok(span),
            _ => bad(Slot::Country, "an ISO 3166-1 code of two capital letters, such as CN"),
        }
    }

    #[inline]
    fn place(&self) -> Result<Option<(f64, f64)>, BadField> {
        let (lat, lon) =
            (number_of(self.text, self.fields.get(Slot::Lat)), number_of(self.text, self.fields.get(Slot::Lon)));
        match (lat, lon) {
            (Ok(None), Ok(None)) => return Ok(None),
            (Ok(None), _) | (_, Ok(None)) => return bad(Slot::Lat, "lat and lon together, or neither"),
            _ => {}
        }
        let Some(lat) = degrees(lat, 90.0) else {
            return bad(Slot::Lat, "a number from -90 to 90");
        };
        match degrees(lon, 180.0) {
            Some(lon) => Ok(Some((lat, lon))),
            None => bad(Slot::Lon, "a number from -180 to 180"),
        }
    }

    fn declared(&self, fields: &[(String, FieldType)], out: &mut Vec<Declared>) -> Result<(), BadField> {
        out.clear();
        for (index, ((_, kind), &raw)) in fields.iter().zip(&self.fields.declared).enumerate() {
            let (value, expected) = declared_value(self.text, *kind, raw);
            match value {
                Some(value) => out.push(value),
                None => return Err(BadField { field: Field::Declared(index), expected }),
            }
        }
        Ok(())
    }
}

/// The text of a value that may be absent; `Err` if it is there and no text.
#[inline]
fn text_of(raw: Raw) -> Result<Option<Span>, ()> {
    match raw {
        Raw::Absent | Raw::Null => Ok(None),
        Raw::Text(span) | Raw::Cell(span) => Ok((span.len > 0).then_some(span)),
        Raw::Number(_) | Raw::Bool(_) | Raw::Nested => Err(()),
    }
}

/// The digits of a number that may be absent; `Err` if it is there and no number.
#[inline]
fn number_of(text: &[u8], raw: Raw) -> Result<Option<&[u8]>, ()> {
    match raw {
        Raw::Absent | Raw::Null => Ok(None),
        Raw::Number(span) | Raw::Cell(span) => Ok(Some(span.of(text))),
        Raw::Text(_) | Raw::Bool(_) | Raw::Nested => Err(()),
    }
}

fn bool_of(text: &[u8], raw: Raw) -> Option<Option<bool>> {
    match raw {
        Raw::Absent | Raw::Null => Some(None),
        Raw::Bool(value) => Some(Some(value)),
        Raw::Cell(span) => match span.of(text) {
            b"true" => Some(Some(true)),
            b"false" => Some(Some(false)),
            _ => None,
        },
        Raw::Text(_) | Raw::Number(_) | Raw::Nested => None,
    }
}

/// An amount and its currency, both there.
#[inline]
pub(super) fn money_in(text: &[u8], amount: Span, code: Span, schema: &Schema) -> Result<Money, BadField> {
    let digits = amount.of(text);
    let currency = match <[u8; 3]>::try_from(code.of(text)) {
        Ok(code) if code == schema.currency.code => Some(schema.currency),
        Ok(code) => Currency::of_code(code),
        Err(_) => None,
    };
    let Some(currency) = currency else {
        // `amount` comes first in the table, so its own form is judged first even without a currency.
        let rule = (Slot::Currency, "an ISO 4217 code of a currency with a minor unit, such as CNY");
        let (slot, expected) = if is_amount(digits) { rule } else { (Slot::Amount, NOT_DECIMAL) };
        return bad(slot, expected);
    };
    let minor = parse_amount(digits, currency.exponent).or_else(|fault| bad(Slot::Amount, amount_rule(fault)))?;
    let converted = if currency == schema.currency {
        Some(minor)
    } else if let Some(rate) = schema.rates.get(&currency.code) {
        let converted = rate.convert(minor, currency.exponent, schema.currency.exponent);
        Some(converted.map_or_else(|| bad(Slot::Amount, "at most 2^63 - 1 minor units after conversion"), Ok)?)
    } else {
        None
    };
    Ok(Money { currency: code, amount: minor, converted })
}

/// The value of a declared field, `None` if it is bad, and what is expected of its type.
pub(super) fn declared_value(text: &[u8], kind: FieldType, raw: Raw) -> (Option<Declared>, &'static str) {
    match kind {
        FieldType::Text => {
            let span = text_of(raw).ok().map(Option::unwrap_or_default);
            (span.filter(|span| span.len as usize <= MAX_TEXT).map(Declared::Text), TEXT)
        }
        FieldType::Int => {
            let value = number_of(text, raw).ok().and_then(|digits| optionally(digits, integer));
            (value.map(Declared::Int), "a 64-bit integer without fraction and exponent")
        }
        FieldType::Double => {
            let value = number_of(text, raw).ok().and_then(|digits| optionally(digits, double));
            (value.map(Declared::Double), "a number within the range of a 64-bit float")
        }
        FieldType::Bool => (bool_of(text, raw).map(Declared::Bool), "true or false"),
    }
}

/// `Some(None)` for no digits, `None` for digits that cannot be read.
fn optionally<T>(digits: Option<&[u8]>, read: impl Fn(&[u8]) -> Option<T>) -> Option<Option<T>> {
    digits.map_or(Some(None), |digits| read(digits).map(Some))
}

/// A number within `bound` of zero.
fn degrees(digits: Result<Option<&[u8]>, ()>, bound: f64) -> Option<f64> {
    let value = double(digits.ok().flatten()?)?;
    (value.abs() <= bound).then_some(value)
}

const NOT_DECIMAL: &str = "a decimal number in major units such as 12.50, without sign or exponent";

fn amount_rule(fault: AmountFault) -> &'static str {
    match fault {
        AmountFault::NotDecimal => NOT_DECIMAL,
        AmountFault::TooPrecise(_) => "no more fraction digits than the currency has",
        AmountFault::OutOfRange => "at most 2^63 - 1 minor units",
    }
}
