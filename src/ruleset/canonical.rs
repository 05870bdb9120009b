//! The canonical form of a rule set: what it means, without how it was written.
//!
//! Two rule sets with the same canonical form decide alike, byte for byte. Names are sorted, durations are in ms,
//! defaults are filled in, lists are given by value. Its hash is the version that every decision carries.

use std::collections::BTreeMap;
use std::fmt::Write;

use sha2::{Digest, Sha256};

/// A value of the canonical form; mappings are sorted by key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Canonical {
    /// true or false
    Bool(bool),
    /// A whole number; durations in ms.
    Int(i64),
    /// Text.
    Text(String),
    /// A list whose order matters, or is sorted already.
    List(Vec<Canonical>),
    /// Named values.
    Map(BTreeMap<String, Canonical>),
}

impl From<&str> for Canonical {
    fn from(text: &str) -> Self {
        Canonical::Text(text.to_string())
    }
}

impl From<i64> for Canonical {
    fn from(value: i64) -> Self {
        Canonical::Int(value)
    }
}

impl From<bool> for Canonical {
    fn from(value: bool) -> Self {
        Canonical::Bool(value)
    }
}

impl From<Fields> for Canonical {
    fn from(fields: Fields) -> Self {
        Canonical::Map(fields.0)
    }
}

/// A list of texts.
pub fn texts<T: AsRef<str>>(list: impl IntoIterator<Item = T>) -> Canonical {
    Canonical::List(list.into_iter().map(|text| Canonical::from(text.as_ref())).collect())
}

/// A mapping being filled.
#[derive(Debug, Clone, Default)]
pub struct Fields(pub BTreeMap<String, Canonical>);

impl Fields {
    /// Adds a value.
    pub fn put(&mut self, name: &str, value: impl Into<Canonical>) {
        self.0.insert(name.to_string(), value.into());
    }

    /// Adds a value where there is one.
    pub fn put_some(&mut self, name: &str, value: Option<impl Into<Canonical>>) {
        if let Some(value) = value {
            self.put(name, value);
        }
    }
}

impl Canonical {
    /// The canonical text: JSON without white space.
    pub fn to_text(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) {
        match self {
            Canonical::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            // Writing to a string cannot fail.
            Canonical::Int(value) => drop(write!(out, "{value}")),
            Canonical::Text(text) => quote(text, out),
            Canonical::List(list) => separated(out, ('[', ']'), list, |value, out| value.write(out)),
            Canonical::Map(map) => separated(out, ('{', '}'), map, |(key, value), out| {
                quote(key, out);
                out.push(':');
                value.write(out);
            }),
        }
    }
}

fn quote(text: &str, out: &mut String) {
    out.push_str(&serde_json::Value::from(text).to_string());
}

fn separated<T>(
    out: &mut String,
    (open, close): (char, char),
    items: impl IntoIterator<Item = T>,
    write: impl Fn(T, &mut String),
) {
    out.push(open);
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write(item, out);
    }
    out.push(close);
}

/// `name@` and the first 12 hex digits of SHA-256 over the canonical text.
pub fn identity(name: &str, canonical: &str) -> String {
    let digest = Sha256::digest(canonical.as_bytes());
    let hex: String = digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    format!("{name}@{hex}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_sorted_json() {
        let mut fields = Fields::default();
        fields.put("b", 5);
        fields.put("a", texts(["x\"", "é"]));
        fields.put_some("none", None::<i64>);
        fields.put("c", true);
        assert_eq!(Canonical::from(fields).to_text(), r#"{"a":["x\"","é"],"b":5,"c":true}"#);
    }

    #[test]
    fn identity_is_name_and_hash() {
        assert_eq!(identity("w", ""), "w@e3b0c44298fc");
    }
}
