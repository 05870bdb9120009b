//! A column: one value per event of a batch, with a flag for "has a value".
//!
//! Absent slots hold an arbitrary value, so loops over `values` need no branch.

/// One value per row; `present[i]` says whether `values[i]` means anything.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Column<T> {
    /// The values; arbitrary where `present` is false.
    pub values: Vec<T>,
    /// Whether the row has a value.
    pub present: Vec<bool>,
}

impl<T: Copy + Default> Column<T> {
    /// Makes room for that many more rows.
    pub fn reserve(&mut self, rows: usize) {
        self.values.reserve(rows);
        self.present.reserve(rows);
    }

    /// Appends one row.
    #[inline]
    pub fn push(&mut self, value: Option<T>) {
        self.present.push(value.is_some());
        self.values.push(value.unwrap_or_default());
    }

    /// Appends many rows.
    #[inline]
    pub fn extend(&mut self, rows: impl Iterator<Item = Option<T>> + Clone) {
        self.present.extend(rows.clone().map(|value| value.is_some()));
        self.values.extend(rows.map(Option::unwrap_or_default));
    }

    /// The row's value, if it has one.
    pub fn get(&self, row: usize) -> Option<T> {
        if self.present[row] { Some(self.values[row]) } else { None }
    }

    /// Removes all rows and keeps the memory.
    pub fn clear(&mut self) {
        self.values.clear();
        self.present.clear();
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}
