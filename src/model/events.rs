//! Decoded events as a structure of arrays: the columns of one batch.
//!
//! Text stays where it was read: a [`Span`] points into [`Events::text`], which holds the raw records and,
//! after them, strings that had to be unescaped. An empty span is an absent field (the empty string is absent).

use super::column::Column;

/// A piece of [`Events::text`]; length 0 means absent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// Length in bytes.
    pub len: u32,
}

impl Span {
    /// The span's bytes within `text`.
    #[inline]
    pub fn of(self, text: &[u8]) -> &[u8] {
        &text[self.start as usize..self.start as usize + self.len as usize]
    }
}

/// The text fields of an event, in the order of the contract's table where it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(usize)]
pub enum TextField {
    /// `id`
    Id,
    /// `type`
    Type,
    /// `account`
    Account,
    /// `outcome`: `success` or `failure`
    Outcome,
    /// `reason`
    Reason,
    /// `currency`, as given
    Currency,
    /// `order`
    Order,
    /// `counterparty`
    Counterparty,
    /// `merchant_category`
    MerchantCategory,
    /// `device`
    Device,
    /// `channel`
    Channel,
    /// `wallet`
    Wallet,
    /// `country`
    Country,
    /// `proof`
    Proof,
    /// `by`
    By,
    /// `case`
    Case,
    /// `rule`
    Rule,
    /// `label`: `fraud` or `genuine`
    Label,
    /// `ref`
    Ref,
}

impl TextField {
    /// All text fields with their names, in the order of the enum.
    pub const ALL: [(TextField, &'static str); 19] = [
        (TextField::Id, "id"),
        (TextField::Type, "type"),
        (TextField::Account, "account"),
        (TextField::Outcome, "outcome"),
        (TextField::Reason, "reason"),
        (TextField::Currency, "currency"),
        (TextField::Order, "order"),
        (TextField::Counterparty, "counterparty"),
        (TextField::MerchantCategory, "merchant_category"),
        (TextField::Device, "device"),
        (TextField::Channel, "channel"),
        (TextField::Wallet, "wallet"),
        (TextField::Country, "country"),
        (TextField::Proof, "proof"),
        (TextField::By, "by"),
        (TextField::Case, "case"),
        (TextField::Rule, "rule"),
        (TextField::Label, "label"),
        (TextField::Ref, "ref"),
    ];
    /// How many there are.
    pub const COUNT: usize = Self::ALL.len();

    /// The field's name in records and expressions.
    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].1
    }
}

/// Type of a field that the rule set declares under `fields`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldType {
    /// UTF-8 text of at most 256 bytes; empty is absent.
    Text,
    /// A JSON number without fraction or exponent that fits i64.
    Int,
    /// A finite JSON number.
    Double,
    /// `true` or `false`.
    Bool,
}

/// The column of one declared field.
#[derive(Debug, Clone, PartialEq)]
pub enum DeclaredColumn {
    /// Text; an empty span is absent.
    Text(Vec<Span>),
    /// Integers.
    Int(Column<i64>),
    /// Finite doubles.
    Double(Column<f64>),
    /// Booleans.
    Bool(Column<bool>),
}

/// The events of one batch, a column per field; all columns have the same length.
#[derive(Debug, Clone)]
pub struct Events {
    /// Raw records and unescaped strings; at most 4 GiB.
    pub text: Vec<u8>,
    /// One column per [`TextField`], indexed by `TextField as usize`.
    pub texts: [Vec<Span>; TextField::COUNT],
    /// Event time, milliseconds since the epoch, UTC.
    pub time: Vec<i64>,
    /// Amount as given, in minor units of the event's own currency.
    pub amount: Column<i64>,
    /// Amount in minor units of the rule set's currency; absent also where there is no rate.
    pub money: Column<i64>,
    /// Identity-check class, 1 to 3.
    pub kyc: Column<i64>,
    /// Authentication factors used, 0 to 3.
    pub factors: Column<i64>,
    /// IP address, v4 as v4-mapped v6 (so that both forms of one address are equal).
    pub ip: Column<u128>,
    /// Latitude in degrees; present exactly where `lon` is.
    pub lat: Column<f64>,
    /// Longitude in degrees.
    pub lon: Column<f64>,
    /// The declared fields, in the order of the rule set's schema.
    pub declared: Vec<DeclaredColumn>,
    /// Which record of the batch each event is (index into [`crate::model::batch::Batch::origins`]).
    pub record: Vec<u32>,
    /// A 64-bit fingerprint over all decoded fields (amount and currency as given), to tell a duplicate from a conflict.
    pub fingerprint: Vec<u64>,
    /// A 128-bit hash of account and id, never 0.
    pub identity: Vec<u128>,
}

impl Events {
    /// An empty set of columns for the given declared fields.
    pub fn new(declared: &[FieldType]) -> Self {
        let column = |kind: &FieldType| match kind {
            FieldType::Text => DeclaredColumn::Text(Vec::new()),
            FieldType::Int => DeclaredColumn::Int(Column::default()),
            FieldType::Double => DeclaredColumn::Double(Column::default()),
            FieldType::Bool => DeclaredColumn::Bool(Column::default()),
        };
        Events {
            text: Vec::new(),
            texts: Default::default(),
            time: Vec::new(),
            amount: Column::default(),
            money: Column::default(),
            kyc: Column::default(),
            factors: Column::default(),
            ip: Column::default(),
            lat: Column::default(),
            lon: Column::default(),
            declared: declared.iter().map(column).collect(),
            record: Vec::new(),
            fingerprint: Vec::new(),
            identity: Vec::new(),
        }
    }

    /// Number of events.
    pub fn len(&self) -> usize {
        self.time.len()
    }

    /// Whether there is no event.
    pub fn is_empty(&self) -> bool {
        self.time.is_empty()
    }

    /// A text field of one event; `None` where it is absent.
    pub fn text_of(&self, field: TextField, row: usize) -> Option<&str> {
        // Decoding accepts only UTF-8, so the fallback is never taken.
        std::str::from_utf8(self.bytes_of(field, row)?).ok()
    }

    /// The bytes of a text field of one event, without the cost of looking through them; `None` where it is absent.
    pub fn bytes_of(&self, field: TextField, row: usize) -> Option<&[u8]> {
        let span = self.texts[field as usize][row];
        (span.len > 0).then(|| span.of(&self.text))
    }

    /// Makes room for that many more events, so that adding them need not grow each column on its own.
    pub fn reserve(&mut self, events: usize) {
        self.texts.iter_mut().for_each(|column| column.reserve(events));
        self.time.reserve(events);
        for column in [&mut self.amount, &mut self.money, &mut self.kyc, &mut self.factors] {
            column.reserve(events);
        }
        self.ip.reserve(events);
        self.lat.reserve(events);
        self.lon.reserve(events);
        self.record.reserve(events);
        self.fingerprint.reserve(events);
        self.identity.reserve(events);
    }

    /// Removes all events and keeps the memory.
    pub fn clear(&mut self) {
        self.text.clear();
        self.texts.iter_mut().for_each(Vec::clear);
        self.time.clear();
        self.amount.clear();
        self.money.clear();
        self.kyc.clear();
        self.factors.clear();
        self.ip.clear();
        self.lat.clear();
        self.lon.clear();
        for column in &mut self.declared {
            match column {
                DeclaredColumn::Text(c) => c.clear(),
                DeclaredColumn::Int(c) => c.clear(),
                DeclaredColumn::Double(c) => c.clear(),
                DeclaredColumn::Bool(c) => c.clear(),
            }
        }
        self.record.clear();
        self.fingerprint.clear();
        self.identity.clear();
    }
}
