//! The values of a plain record, each judged and written to the row where it is found.
//!
//! The rules are those of [`super::judge`], but only whether all are kept matters here, so they may be looked at in
//! any order; which of them is broken first the judge finds out.

use crate::model::events::{FieldType, Span, TextField};
use crate::model::time::is_in_range;

use super::Schema;
use super::field::{REQUIRED, Raw, Slot};
use super::fingerprint::{self, number};
use super::form::{FORMS, Form, Kind};
use super::ip;
use super::judge::{self, Declared};
use super::name::is_name;
use super::number::{double_at, integer};
use super::plain::{Place, scalar};
use super::string::{NOWHERE, WINDOW, string_end_from, window, word_at};

type Window = [u8; WINDOW];

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

    /// Reads the value of a built-in field at `at`: where it ends if it is plain and good, else [`NOWHERE`].
    ///
    /// That position needs no check of its own: nothing that is expected next stands there.
    #[inline(always)]
    pub(super) fn read(&mut self, slot: usize, at: usize) -> usize {
        let (Some(form), Some(value)) = (FORMS.get(slot), window(self.text, at)) else { return NOWHERE };
        match form.kind {
            Kind::Text | Kind::Type | Kind::Outcome | Kind::Country | Kind::Label => {
                self.text(at, value, form).unwrap_or_else(|| self.nothing(slot, at))
            }
            Kind::Time => self.time(at, value).unwrap_or_else(|| self.nothing(slot, at)),
            Kind::Amount => self.amount(at).unwrap_or_else(|| self.nothing(slot, at)),
            Kind::Kyc => self.kyc(at, value).unwrap_or_else(|| self.nothing(slot, at)),
            Kind::Factors => self.factors(at, value).unwrap_or_else(|| self.nothing(slot, at)),
            Kind::Ip => self.ip(at, value).unwrap_or_else(|| self.nothing(slot, at)),
            Kind::Lat => self.degree(at, 0, 90.0).unwrap_or_else(|| self.nothing(slot, at)),
            Kind::Lon => self.degree(at, 1, 180.0).unwrap_or_else(|| self.nothing(slot, at)),
        }
    }

    /// Where `null` or an empty string at `at` ends, which the rules of most fields allow; else [`NOWHERE`].
    #[cold]
    #[inline(never)]
    fn nothing(&mut self, slot: usize, at: usize) -> usize {
        let is_text = !matches!(FORMS[slot].kind, Kind::Time | Kind::Kyc | Kind::Factors | Kind::Lat | Kind::Lon);
        match scalar(self.text, at) {
            Some((Raw::Null, end)) => {
                self.absent |= 1 << slot;
                end
            }
            Some((Raw::Text(Span { len: 0, .. }), end)) if is_text => {
                self.absent |= 1 << slot;
                end
            }
            _ => NOWHERE,
        }
    }

    #[inline(always)]
    fn text(&mut self, at: usize, value: &Window, form: &Form) -> Option<usize> {
        if value[0] != b'"' {
            return None;
        }
        let (start, first) = (at + 1, word(value, 1));
        let end = string_end_from(self.text, start, first);
        if (end - start).wrapping_sub(1) >= usize::from(form.longest) {
            return None;
        }
        let span = Span { start: start as u32, len: (end - start) as u32 };
        if form.kind != Kind::Text && !self.keeps(form.kind, span) {
            return None;
        }
        self.place.row.texts[form.field as usize] = span;
        self.add(fingerprint::bytes_from(form.field as u64, self.text, span, [first, word(value, 9)]));
        Some(end + 1)
    }

    /// A string and the position after it.
    fn string(&self, at: usize) -> Option<(Span, usize)> {
        match scalar(self.text, at)? {
            (Raw::Text(span), end) => Some((span, end)),
            _ => None,
        }
    }

    /// Whether a text is what it has to be.
    #[inline(always)]
    fn keeps(&self, kind: Kind, span: Span) -> bool {
        match kind {
            Kind::Type => is_name(self.text, span),
            Kind::Outcome => matches!(span.of(self.text), b"success" | b"failure"),
            Kind::Country => matches!(span.of(self.text), [b'A'..=b'Z', b'A'..=b'Z']),
            Kind::Label => matches!(span.of(self.text), b"fraud" | b"genuine"),
            _ => true,
        }
    }

    #[inline(always)]
    fn time(&mut self, at: usize, value: &Window) -> Option<usize> {
        let (time, end) = match value.first_chunk::<TIMESTAMP>()? {
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
        let (Raw::Text(span) | Raw::Number(span), end) = scalar(self.text, at)? else { return None };
        self.amount = span;
        (span.len > 0).then_some(end)
    }

    #[inline(always)]
    fn kyc(&mut self, at: usize, value: &Window) -> Option<usize> {
        let class = class(value[0], 1)?;
        self.place.row.kyc = Some(class);
        self.add(number(fingerprint::KYC, class as u64));
        Some(at + 1)
    }

    #[inline(always)]
    fn factors(&mut self, at: usize, value: &Window) -> Option<usize> {
        let class = class(value[0], 0)?;
        self.place.row.factors = Some(class);
        self.add(number(fingerprint::FACTORS, class as u64));
        Some(at + 1)
    }

    #[inline(always)]
    fn ip(&mut self, at: usize, value: &Window) -> Option<usize> {
        let (address, end) = match quoted_v4(value) {
            Some((address, length)) => (ip::mapped(address), at + length),
            None => self.other_ip(at)?,
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

/// A digit from `least` to 3. What stands behind it is looked at next in any case, and is no digit.
#[inline(always)]
fn class(byte: u8, least: i64) -> Option<i64> {
    let digit = i64::from(byte.wrapping_sub(b'0'));
    (least..=3).contains(&digit).then_some(digit)
}

/// A v4 address in quotes, and its length with them.
#[inline(always)]
fn quoted_v4(value: &Window) -> Option<(u32, usize)> {
    let [b'"', text @ ..] = value else { return None };
    let (address, end) = ip::leading_v4(text.first_chunk()?)?;
    (text[end] == b'"').then_some((address, end + 2))
}

/// The eight bytes from `at`, which must be at most 24.
#[inline(always)]
fn word(value: &Window, at: usize) -> u64 {
    word_at(value, at).unwrap_or_default()
}
