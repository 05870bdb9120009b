//! Lines as rows of a table: CSV with one column for each field that traffic or labels can have.
//!
//! A row is made of the JSON line, which is flat and has nothing in it that needs quoting or escaping.

/// How lines are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Format {
    /// One JSON object per line.
    #[default]
    Jsonl,
    /// A header, and one row per event.
    Csv,
}

/// The columns, in the order of most lines, so that one is mostly found where the last was left.
const COLUMNS: [&str; 30] = [
    "id",
    "type",
    "time",
    "account",
    "outcome",
    "reason",
    "amount",
    "currency",
    "order",
    "counterparty",
    "merchant_category",
    "device",
    "channel",
    "wallet",
    "kyc",
    "ip",
    "country",
    "lat",
    "lon",
    "factors",
    "proof",
    "by",
    "case",
    "label",
    "ref",
    "attack",
    "attack_number",
    "act",
    "acts",
    "damages",
];

/// The header line.
pub fn header() -> String {
    COLUMNS.join(",") + "\n"
}

/// Appends a JSON line of the generator's as a row.
pub fn append_row(line: &[u8], out: &mut Vec<u8>) {
    let mut column = 0;
    for (name, value) in Members(line.strip_prefix(b"{").unwrap_or(line)) {
        while COLUMNS.get(column).is_some_and(|known| known.as_bytes() != name) {
            out.push(b',');
            column += 1;
        }
        out.extend_from_slice(value);
    }
    out.extend(std::iter::repeat_n(b',', (COLUMNS.len() - 1).saturating_sub(column)));
    out.push(b'\n');
}

/// Names and values, without quotes, of a flat object whose texts need no escapes.
struct Members<'a>(&'a [u8]);

impl<'a> Iterator for Members<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.0.strip_prefix(b"\"")?;
        let end = memchr::memchr(b'"', rest)?;
        let (name, rest) = (&rest[..end], rest.get(end + 2..)?);
        let (value, rest) = match rest.strip_prefix(b"\"") {
            Some(text) => {
                let end = memchr::memchr(b'"', text)?;
                (&text[..end], &text[end + 1..])
            }
            None => rest.split_at(memchr::memchr2(b',', b'}', rest)?),
        };
        self.0 = rest.get(1..)?;
        Some((name, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: &str) {
        let mut row = Vec::new();
        append_row(line.as_bytes(), &mut row);
        let row = String::from_utf8(row).expect("UTF-8");
        assert_eq!(row.matches(',').count(), COLUMNS.len() - 1, "{row}");
        assert_eq!(row.trim_end().trim_end_matches(','), expected, "{line}");
    }

    #[test]
    fn members_find_their_columns() {
        check("{\"id\":\"e1\"}\n", "e1");
        check("{\"id\":\"e1\",\"type\":\"login\",\"account\":\"a7\"}\n", "e1,login,,a7");
        check("{\"id\":\"e1\",\"account\":\"a7\",\"kyc\":3,\"ip\":\"10.0.0.1\"}\n", "e1,,,a7,,,,,,,,,,,3,10.0.0.1");
        check("{\"id\":\"l1\",\"damages\":false}\n", "l1,,,,,,,,,,,,,,,,,,,,,,,,,,,,,false");
    }

    #[test]
    fn the_header_names_each_column_once() {
        let header = header();
        let names: std::collections::BTreeSet<&str> = header.trim_end().split(',').collect();
        assert_eq!(names.len(), COLUMNS.len());
    }
}
