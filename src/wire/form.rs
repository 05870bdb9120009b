//! The forms of the built-in fields as data, for the fast path: one look tells what to do with a value.

use crate::model::events::TextField;

use super::field::SLOTS;
use super::judge::{MAX_ID, MAX_TEXT, MAX_TYPE};

/// What the value of a field has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Type,
    Outcome,
    Country,
    Label,
    Time,
    Amount,
    Kyc,
    Factors,
    Ip,
    Lat,
    Lon,
}

/// What the value of a field has to be and, for texts, where it goes and how many bytes it has at most.
#[derive(Debug, Clone, Copy)]
pub(super) struct Form {
    pub(super) kind: Kind,
    pub(super) longest: u16,
    pub(super) field: TextField,
}

const fn text(field: TextField) -> Form {
    ruled(field, MAX_TEXT, Kind::Text)
}

const fn ruled(field: TextField, longest: usize, kind: Kind) -> Form {
    Form { kind, longest: longest as u16, field }
}

const fn other(kind: Kind) -> Form {
    Form { kind, longest: 0, field: TextField::Id }
}

/// The forms of all fields, by slot.
pub(super) const FORMS: [Form; SLOTS.len()] = [
    ruled(TextField::Id, MAX_ID, Kind::Text),
    ruled(TextField::Type, MAX_TYPE, Kind::Type),
    other(Kind::Time),
    ruled(TextField::Account, MAX_ID, Kind::Text),
    ruled(TextField::Outcome, MAX_TEXT, Kind::Outcome),
    text(TextField::Reason),
    other(Kind::Amount),
    text(TextField::Currency),
    text(TextField::Order),
    text(TextField::Counterparty),
    text(TextField::MerchantCategory),
    text(TextField::Device),
    text(TextField::Channel),
    text(TextField::Wallet),
    other(Kind::Kyc),
    other(Kind::Ip),
    ruled(TextField::Country, MAX_TEXT, Kind::Country),
    other(Kind::Lat),
    other(Kind::Lon),
    other(Kind::Factors),
    text(TextField::Proof),
    text(TextField::By),
    text(TextField::Case),
    text(TextField::Rule),
    ruled(TextField::Label, MAX_TEXT, Kind::Label),
    text(TextField::Ref),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_goes_to_the_column_of_its_name() {
        let texts = FORMS.iter().zip(SLOTS).filter(|(form, _)| form.longest > 0);
        let named: Vec<&str> =
            texts.map(|(form, (_, name))| if form.field.name() == name { name } else { "" }).collect();
        assert_eq!(named.len(), TextField::COUNT);
        assert!(!named.contains(&""), "{named:?}");
    }
}
