//! The values of a plain record, each judged and written to the row where it is found.
//!
//! The rules are those of [`super::judge`], but only whether all are kept matters here, so they may be looked at in
//! any order; which of them is broken first the judge finds out.

use crate::model::events::{FieldType, Span, TextField};
use crate::model::time::is_in_range;

use super::Schema;
use super::field::{REQUIRED, Raw, SLOTS, Slot};
use super::fingerprint::{self, number};
use super::ip;
use super::judge::{self, Declared, MAX_ID, MAX_TEXT, MAX_TYPE};
use super::number::{double_at, integer, number_end};
use super::plain::{Place, scalar};
use super::string::{string_end, word_at};

/// What the value of a field is, and where it goes.
#[derive(Debug, Clone, Copy)]
enum Form {
    Text { field: TextField, longest: u16, rule: Rule },
    Time,
    Amount,
    Kyc,
    Factors,
    Ip,
    Lat,
    Lon,
}

/// What is allowed in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    Any,
    Type,
    Outcome,
    Country,
    Label,
}

const fn text(field: TextField) -> Form {
    ruled(field, MAX_TEXT, Rule::Any)
}

const fn ruled(field: TextField, longest: usize, rule: Rule) -> Form {
    Form::Text { field, longest: longest as u16, rule }
}

/// The forms of all fields, by slot.
const FORMS: [Form; SLOTS.len()] = [
    ruled(TextField::Id, MAX_ID, Rule::Any),
    ruled(TextField::Type, MAX_TYPE, Rule::Type),
    Form::Time,
    ruled(TextField::Account, MAX_ID, Rule::Any),
    ruled(TextField::Outcome, MAX_TEXT, Rule::Outcome),
    text(TextField::Reason),
    Form::Amount,
    text(TextField::Currency),
    text(TextField::Order),
    text(TextField::Counterparty),
    text(TextField::MerchantCategory),
    text(TextField::Device),
    text(TextField::Channel),
    text(TextField::Wallet),
    Form::Kyc,
    Form::Ip,
    ruled(TextField::Country, MAX_TEXT, Rule::Country),
    Form::Lat,
    Form::Lon,
    Form::Factors,
    text(TextField::Proof),
    text(TextField::By),
    text(TextField::Case),
    text(TextField::Rule),
    ruled(TextField::Label, MAX_TEXT, Rule::Label),
    text(TextField::Ref),
];

/// The values found so far.
pub(super) struct Values<'a> {
    text: &'a [u8],
    schema: &'a Schema,
    place: Place<'a>,
    /// The fields, a bit each, that are there but `null` or empty.
    absent: u32,
    /// The amount, which waits for its currency.
    amount: Span,
    /// Latitude and longitude, which count together.
    degrees: [f64; 2],
}

impl<'a> Values<'a> {
    #[inline(always)]
    pub(super) fn new(text: &'a [u8], schema: &'a Schema, place: Place<'a>) -> Self {
        place.declared.clear();
        place.declared.extend(schema.fields.iter().map(|(_, kind)| Declared::absent(*kind)));
        Values { text, schema, place, absent: 0, amount: Span::default(), degrees: [0.0; 2] }
    }

    /// The declared fields of the rule set.
    pub(super) fn declared_fields(&self) -> &'a [(String, FieldType)] {
        &self.schema.fields
    }

    /// Reads the value of a built-in field at `at`: where it ends, if it is plain and good.
    #[inline(always)]
    pub(super) fn read(&mut self, slot: usize, at: usize) -> Option<usize> {
        let end = match *FORMS.get(slot)? {
            Form::Text { field, longest, rule } => self.text(at, field, longest, rule),
            Form::Time => self.time(at),
            Form::Amount => self.amount(at),
            Form::Kyc => self.kyc(at),
            Form::Factors => self.factors(at),
            Form::Ip => self.ip(at),
            Form::Lat => self.degree(at, 0, 90.0),
            Form::Lon => self.degree(at, 1, 180.0),
        };
        end.or_else(|| self.nothing(slot, at))
    }

    /// Where `null` or an empty string at `at` ends, which the rules of most fields allow.
    #[cold]
    #[inline(never)]
    fn nothing(&mut self, slot: usize, at: usize) -> Option<usize> {
        let is_text = !matches!(FORMS.get(slot)?, Form::Time | Form::Kyc | Form::Factors | Form::Lat | Form::Lon);
        let (_, end) = scalar(self.text, at).filter(|(value, _)| match value {
            Raw::Null => true,
            Raw::Text(span) => span.len == 0 && is_text,
            _ => false,
        })?;
        self.absent |= 1 << slot;
        Some(end)
    }

    #[inline(always)]
    fn text(&mut self, at: usize, field: TextField, longest: u16, rule: Rule) -> Option<usize> {
        let (span, end) = self.string(at)?;
        if span.len == 0 || span.len > u32::from(longest) || !self.keeps(rule, span) {
            return None;
        }
        self.place.row.texts[field as usize] = span;
        self.add(fingerprint::bytes(field as u64, self.text, span));
        Some(end)
    }

    /// A string and the position after it.
    #[inline(always)]
    fn string(&self, at: usize) -> Option<(Span, usize)> {
        if self.text.get(at) != Some(&b'"') {
            return None;
        }
        let end = string_end(self.text, at + 1)?;
        Some((Span { start: at as u32 + 1, len: (end - at - 1) as u32 }, end + 1))
    }

    /// Whether a text keeps its rule.
    #[inline(always)]
    fn keeps(&self, rule: Rule, span: Span) -> bool {
        match rule {
            Rule::Any => true,
            Rule::Type => is_name(self.text, span),
            Rule::Outcome => matches!(span.of(self.text), b"success" | b"failure"),
            Rule::Country => matches!(span.of(self.text), [b'A'..=b'Z', b'A'..=b'Z']),
            Rule::Label => matches!(span.of(self.text), b"fraud" | b"genuine"),
        }
    }

    #[inline(always)]
    fn time(&mut self, at: usize) -> Option<usize> {
        let (time, end) = match self.text.get(at..at + TIMESTAMP)? {
            // Whatever is a timestamp has no quote inside.
            [b'"', timestamp @ .., b'"'] if let Some(time) = self.place.day.time(timestamp) => (time, at + TIMESTAMP),
            _ => self.other_time(at)?,
        };
        self.place.row.time = time;
        is_in_range(time).then_some(end)
    }

    /// A time in another form than nearly all have.
    #[inline(never)]
    fn other_time(&mut self, at: usize) -> Option<(i64, usize)> {
        let (value, end) = scalar(self.text, at)?;
        let time = match value {
            Raw::Number(span) => integer(span.of(self.text)),
            Raw::Text(span) => self.place.day.time(span.of(self.text)),
            _ => None,
        };
        Some((time?, end))
    }

    #[inline(always)]
    fn amount(&mut self, at: usize) -> Option<usize> {
        let (span, end) = match self.string(at) {
            Some(found) => found,
            None => {
                let end = number_end(self.text, at).ok()?;
                (Span { start: at as u32, len: (end - at) as u32 }, end)
            }
        };
        self.amount = span;
        (span.len > 0).then_some(end)
    }

    #[inline(always)]
    fn kyc(&mut self, at: usize) -> Option<usize> {
        let class = class(self.text, at, 1)?;
        self.place.row.kyc = Some(class);
        self.add(number(fingerprint::KYC, class as u64));
        Some(at + 1)
    }

    #[inline(always)]
    fn factors(&mut self, at: usize) -> Option<usize> {
        let class = class(self.text, at, 0)?;
        self.place.row.factors = Some(class);
        self.add(number(fingerprint::FACTORS, class as u64));
        Some(at + 1)
    }

    #[inline(always)]
    fn ip(&mut self, at: usize) -> Option<usize> {
        let quoted_v4 = ip::v4_at(self.text, at + 1).filter(|&(_, end)| self.text.get(end) == Some(&b'"'));
        let (address, end) = match quoted_v4 {
            Some((address, end)) if self.text.get(at) == Some(&b'"') => (ip::mapped(address), end + 1),
            _ => self.other_ip(at)?,
        };
        self.place.row.ip = Some(address);
        self.add(fingerprint::address(address));
        Some(end)
    }

    #[inline(never)]
    fn other_ip(&self, at: usize) -> Option<(u128, usize)> {
        let (span, end) = self.string(at)?;
        Some((ip::parse(span.of(self.text))?, end))
    }

    /// A latitude or longitude, the number `index` of the two.
    #[inline(always)]
    fn degree(&mut self, at: usize, index: usize, bound: f64) -> Option<usize> {
        let (value, end) = double_at(self.text, at)?;
        self.degrees[index] = value;
        (value.abs() <= bound).then_some(end)
    }

    /// Sets the value of a declared field; `None` if it is bad.
    pub(super) fn set_declared(&mut self, index: usize, raw: Raw) -> Option<()> {
        let (_, kind) = self.schema.fields.get(index)?;
        let value = judge::declared_value(self.text, *kind, raw).0?;
        *self.place.declared.get_mut(index)? = value;
        self.add(fingerprint::declared(self.text, index, value));
        Some(())
    }

    /// Checks what concerns several fields, `seen` being the bits of those that were there, and completes the row.
    #[inline(always)]
    pub(super) fn finish(&mut self, seen: u32) -> Option<()> {
        let present = seen & !self.absent;
        if present & MUST != MUST {
            return None;
        }
        if together(present, Slot::Amount, Slot::Currency)? {
            self.money()?;
        }
        let [lat, lon] = self.degrees;
        if together(present, Slot::Lat, Slot::Lon)? {
            self.place.row.place = Some((lat, lon));
            self.add(number(fingerprint::LAT, fingerprint::bits(lat)));
            self.add(number(fingerprint::LON, fingerprint::bits(lon)));
        }
        self.add(number(fingerprint::TIME, self.place.row.time as u64));
        Some(())
    }

    #[inline(always)]
    fn money(&mut self) -> Option<()> {
        let row = &mut *self.place.row;
        let currency = row.texts[TextField::Currency as usize];
        let money = judge::money_in(self.text, self.amount, currency, self.schema).ok()?;
        (row.amount, row.money) = (Some(money.amount), money.converted);
        self.add(number(fingerprint::AMOUNT, money.amount as u64));
        Some(())
    }

    /// Adds the hash of one value to the fingerprint.
    #[inline(always)]
    fn add(&mut self, hash: u64) {
        self.place.row.fingerprint = self.place.row.fingerprint.wrapping_add(hash);
    }
}

/// The length of a quoted timestamp as nearly all are written, `"2026-11-22T08:00:00.000Z"`.
const TIMESTAMP: usize = 26;

/// The bits of the fields that every event must have.
const MUST: u32 = {
    let (mut bits, mut at) = (0, 0);
    while at < REQUIRED.len() {
        bits |= 1 << REQUIRED[at] as usize;
        at += 1;
    }
    bits
};

/// Whether both fields are there; `None` if only one is.
#[inline(always)]
fn together(present: u32, one: Slot, other: Slot) -> Option<bool> {
    let is_there = |slot: Slot| present >> slot as usize & 1 != 0;
    (is_there(one) == is_there(other)).then(|| is_there(one))
}

/// The digit at `at`, from `least` to 3. What stands behind it is looked at next in any case, and is no digit.
#[inline(always)]
fn class(text: &[u8], at: usize, least: i64) -> Option<i64> {
    let digit = i64::from(text.get(at)?.wrapping_sub(b'0'));
    (least..=3).contains(&digit).then_some(digit)
}

/// Whether a text is `[a-z][a-z0-9_]*`.
#[inline(always)]
fn is_name(text: &[u8], span: Span) -> bool {
    let (start, len) = (span.start as usize, span.len as usize);
    let mut words = (0..len).step_by(8).map(|at| word_at(text, start + at).map(|word| first_bytes(word, len - at)));
    text[start].is_ascii_lowercase() && words.all(|word| word.is_some_and(is_name_word))
}

/// The first `len` bytes of a word, the others replaced with letters.
#[inline(always)]
fn first_bytes(word: u64, len: usize) -> u64 {
    let kept = if len < 8 { (1 << (8 * len)) - 1 } else { u64::MAX };
    (word & kept) | (u64::from_le_bytes([b'a'; 8]) & !kept)
}

/// Whether all bytes of a word are small letters, digits or `_`.
#[inline(always)]
fn is_name_word(word: u64) -> bool {
    const HIGHS: u64 = u64::from_le_bytes([0x80; 8]);
    // With the high bit set nothing is borrowed from the next byte; the bit is left where the byte is not below.
    let from = |bound: u8| (word | HIGHS) - u64::from_le_bytes([bound; 8]);
    let letters = from(b'_') & !from(b'z' + 1) & !(from(b'`') & !from(b'a'));
    let digits = from(b'0') & !from(b'9' + 1);
    (letters | digits) & !word & HIGHS == HIGHS
}
