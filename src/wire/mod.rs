//! The only place that knows the text formats of events: JSON and CSV records in, columns out.

#[cfg(test)]
mod agreement;
mod csv;
mod detail;
mod field;
mod fingerprint;
mod form;
mod ip;
mod joint;
mod json;
mod json_string;
mod judge;
mod name;
mod number;
mod parse;
mod plain;
mod raw;
mod rows;
mod string;
mod values;

pub use csv::{CsvHeader, CsvHeaderFault, RowEnd};
pub use json::{JsonDecoder, MAX_RECORD};
pub use json_string::{write_json_string, write_json_text};
pub use judge::{MAX_ID, MAX_TEXT};
pub use raw::{RawBatch, RawRecord, decode, record_time};

use std::collections::BTreeMap;

use crate::model::events::FieldType;
use crate::model::money::{Currency, Rate};

/// What decoding has to know of the rule set.
#[derive(Debug, Clone)]
pub struct Schema {
    /// The rule set's currency: amounts are converted to it.
    pub currency: Currency,
    /// One unit of a currency (by code) in units of the rule set's currency.
    pub rates: BTreeMap<[u8; 3], Rate>,
    /// Declared extra fields, sorted by name.
    pub fields: Vec<(String, FieldType)>,
}

/// The fields that every event must have.
pub fn required_fields() -> impl Iterator<Item = &'static str> {
    field::REQUIRED.iter().map(|slot| slot.name())
}

/// The names of all built-in fields, in the order in which they are judged.
pub fn built_in_fields() -> impl Iterator<Item = &'static str> {
    field::SLOTS.iter().map(|(_, name)| *name)
}
