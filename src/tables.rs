//! Tables for people: a line below the header and nothing else, numbers to the right and in groups.

use comfy_table::{CellAlignment, LineStyle, Table, TableStyle};

/// A table without rows; all columns but the first are numbers.
pub fn new_table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'))).set_header(header);
    for column in 1..header.len() {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// A table's text, with a blank line before it.
pub fn finish(table: Table) -> String {
    format!("\n{}\n", table.trim_fmt())
}

/// A table of counts; nothing where there are none.
pub fn counts(title: &str, rows: impl Iterator<Item = (String, u64)>) -> String {
    let mut table = new_table(&[title, "count"]);
    rows.for_each(|(name, count)| {
        table.add_row([name, grouped(count)]);
    });
    if table.is_empty() { String::new() } else { finish(table) }
}

/// Digits in groups of three.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> = digits.as_bytes().rchunks(3).rev().filter_map(|g| std::str::from_utf8(g).ok()).collect();
    groups.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        for (number, expected) in [(0, "0"), (999, "999"), (1000, "1 000"), (1_234_567, "1 234 567")] {
            assert_eq!(grouped(number), expected);
        }
    }

    #[test]
    fn counts_stand_to_the_right() {
        let rows = [("one", 1), ("many", 1000)].into_iter().map(|(name, count)| (name.to_owned(), count));
        assert_eq!(counts("word", rows), "\n word   count\n──────────────\n one        1\n many   1 000\n");
        assert_eq!(counts("word", std::iter::empty()), "");
    }
}
