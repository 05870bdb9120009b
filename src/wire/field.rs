//! The built-in fields in the order of the contract's table, and one record's values before they are judged.
//!
//! Parsing only finds where each value is and of which kind; judging decides whether it is allowed. So JSON and CSV
//! share every rule about fields, and the first bad field is always the same one.

use crate::model::events::{FieldType, Span};

/// A built-in field, in the order in which faults are reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
#[rustfmt::skip]
pub(super) enum Slot {
    Id, Type, Time, Account, Outcome, Reason, Amount, Currency, Order, Counterparty, MerchantCategory, Device,
    Channel, Wallet, Kyc, Ip, Country, Lat, Lon, Factors, Proof, By, Case, Rule, Label, Ref,
}

/// All slots with their names, in the order of the enum.
#[rustfmt::skip]
pub(super) const SLOTS: [(Slot, &str); 26] = [
    (Slot::Id, "id"), (Slot::Type, "type"), (Slot::Time, "time"), (Slot::Account, "account"),
    (Slot::Outcome, "outcome"), (Slot::Reason, "reason"), (Slot::Amount, "amount"), (Slot::Currency, "currency"),
    (Slot::Order, "order"), (Slot::Counterparty, "counterparty"), (Slot::MerchantCategory, "merchant_category"),
    (Slot::Device, "device"), (Slot::Channel, "channel"), (Slot::Wallet, "wallet"), (Slot::Kyc, "kyc"),
    (Slot::Ip, "ip"), (Slot::Country, "country"), (Slot::Lat, "lat"), (Slot::Lon, "lon"),
    (Slot::Factors, "factors"), (Slot::Proof, "proof"), (Slot::By, "by"), (Slot::Case, "case"),
    (Slot::Rule, "rule"), (Slot::Label, "label"), (Slot::Ref, "ref"),
];

/// The fields every event must have.
pub(super) const REQUIRED: [Slot; 4] = [Slot::Id, Slot::Type, Slot::Time, Slot::Account];

/// The first eight bytes of a name as one little-endian word, zero-padded: names are told apart by one compare.
///
/// A key holds no zero byte unescaped, so padding cannot make two keys equal.
const fn word(name: &str) -> u64 {
    let bytes = name.as_bytes();
    let (mut word, mut at) = (0, 0);
    while at < bytes.len() && at < 8 {
        word |= (bytes[at] as u64) << (8 * at);
        at += 1;
    }
    word
}

/// Generates the dispatch from the word of a short name to its slot.
macro_rules! short_names {
    ($word:expr, $($constant:ident $name:literal $slot:ident),*) => {{
        $(const $constant: u64 = word($name);)*
        match $word {
            $($constant => Some(Slot::$slot),)*
            _ => None,
        }
    }};
}

impl Slot {
    /// The field's name.
    pub(super) fn name(self) -> &'static str {
        SLOTS[self as usize].1
    }

    /// The slot of a name that was read without escapes.
    #[inline]
    pub(super) fn of_name(name: &[u8]) -> Option<Slot> {
        if name.len() > 8 {
            return match name {
                b"counterparty" => Some(Slot::Counterparty),
                b"merchant_category" => Some(Slot::MerchantCategory),
                _ => None,
            };
        }
        if name.contains(&0) {
            return None;
        }
        Slot::of_word(name.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte)))
    }

    /// The slot of a name of at most eight bytes, given as its [`word`].
    #[inline]
    #[rustfmt::skip]
    pub(super) fn of_word(name: u64) -> Option<Slot> {
        short_names!(name,
            ID "id" Id, TYPE "type" Type, TIME "time" Time, ACCOUNT "account" Account, OUTCOME "outcome" Outcome,
            REASON "reason" Reason, AMOUNT "amount" Amount, CURRENCY "currency" Currency, ORDER "order" Order,
            DEVICE "device" Device, CHANNEL "channel" Channel, WALLET "wallet" Wallet, KYC "kyc" Kyc, IP "ip" Ip,
            COUNTRY "country" Country, LAT "lat" Lat, LON "lon" Lon, FACTORS "factors" Factors,
            PROOF "proof" Proof, BY "by" By, CASE "case" Case, RULE "rule" Rule, LABEL "label" Label, REF "ref" Ref)
    }
}

/// A field of a record: built in, or declared by the rule set (index into the schema's fields).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    BuiltIn(Slot),
    Declared(usize),
}

impl Field {
    /// The field of a name; `None` if it is one to ignore.
    pub(super) fn of_name(name: &[u8], declared: &[(String, FieldType)]) -> Option<Field> {
        Slot::of_name(name).map(Field::BuiltIn).or_else(|| Field::declared(name, declared))
    }

    /// The declared field of a name that is not built in.
    pub(super) fn declared(name: &[u8], declared: &[(String, FieldType)]) -> Option<Field> {
        declared.binary_search_by(|(other, _)| other.as_bytes().cmp(name)).ok().map(Field::Declared)
    }

    /// The field's name.
    pub(super) fn name(self, declared: &[(String, FieldType)]) -> &str {
        match self {
            Field::BuiltIn(slot) => slot.name(),
            Field::Declared(index) => &declared[index].0,
        }
    }
}

/// A value as found in the record; spans are absolute offsets in the batch's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Raw {
    /// No such key.
    #[default]
    Absent,
    /// `null`
    Null,
    /// A JSON string, without quotes and escapes.
    Text(Span),
    /// A JSON number as written.
    Number(Span),
    /// `true` or `false`
    Bool(bool),
    /// An array or object.
    Nested,
    /// A CSV cell that is not empty: text, or a number or truth value written as text.
    Cell(Span),
}

/// The values of one record, by field. Kept from record to record for its memory.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct RawFields {
    pub(super) slots: [Raw; SLOTS.len()],
    pub(super) declared: Vec<Raw>,
}

impl RawFields {
    /// Forgets all values; `declared` is the number of declared fields.
    pub(super) fn reset(&mut self, declared: usize) {
        self.slots = [Raw::Absent; SLOTS.len()];
        self.declared.clear();
        self.declared.resize(declared, Raw::Absent);
    }

    /// Stores a value; false if the field already has one.
    #[inline(always)]
    pub(super) fn set(&mut self, field: Field, value: Raw) -> bool {
        let place = match field {
            Field::BuiltIn(slot) => &mut self.slots[slot as usize],
            Field::Declared(index) => &mut self.declared[index],
        };
        let first = matches!(place, Raw::Absent);
        *place = value;
        first
    }

    /// The value of any field.
    pub(super) fn at(&self, field: Field) -> Raw {
        match field {
            Field::BuiltIn(slot) => self.get(slot),
            Field::Declared(index) => self.declared[index],
        }
    }

    /// The value of a built-in field.
    #[inline]
    pub(super) fn get(&self, slot: Slot) -> Raw {
        self.slots[slot as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_finds_its_slot_and_nothing_else_does() {
        for (index, (slot, name)) in SLOTS.into_iter().enumerate() {
            assert_eq!(slot as usize, index);
            assert_eq!(Slot::of_name(name.as_bytes()), Some(slot), "{name}");
            for wrong in [format!("{name}x"), format!("x{name}"), name.to_uppercase(), format!("{name}\0")] {
                assert_eq!(Slot::of_name(wrong.as_bytes()), None, "{wrong}");
            }
        }
        assert_eq!(Slot::of_name(b""), None);
    }

    #[test]
    fn declared_fields_are_found_by_name() {
        let declared = [("a".to_string(), FieldType::Int), ("zone".to_string(), FieldType::Text)];
        assert_eq!(Field::of_name(b"zone", &declared), Some(Field::Declared(1)));
        assert_eq!(Field::of_name(b"id", &declared), Some(Field::BuiltIn(Slot::Id)));
        assert_eq!(Field::of_name(b"other", &declared), None);
        assert_eq!(Field::Declared(1).name(&declared), "zone");
    }
}
